"""A call that somebody looks for, in the manner of `unittest.mock`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any, Union

from aiohttp import hdrs
from yarl import URL

from .calls import RequestCall
from .diagnosis import redacted, shortened
from .matching import Target
from .urls import merge_params

__all__ = ["WantedCall"]

_Url = Union[str, URL, "re.Pattern[str]"]


class WantedCall:
    """A call that is looked for: its method and URL, and keyword arguments that it must have."""

    def __init__(self, url: _Url, method: str, kwargs: Mapping[str, Any]) -> None:
        if not isinstance(url, re.Pattern):
            url = merge_params(url, kwargs.get("params"))
        self.target = Target.of(method, url)
        self.kwargs = kwargs

    @classmethod
    def of(cls, call: Any) -> WantedCall:
        """Make one of a `unittest.mock.call(url, method="GET", …)`."""
        try:
            _, args, kwargs = call
            bound = inspect.signature(_call).bind(*args, **kwargs)
            bound.apply_defaults()
            return cls(**bound.arguments)
        except (TypeError, ValueError) as error:
            raise TypeError(f"calls: expected unittest.mock.call(url, method=…, …), got {call!r}: {error}") from error

    def __str__(self) -> str:
        shown = "".join(f", {name}={value!r}" for name, value in redacted(self.kwargs, {}).items())
        return shortened(f"{self.target}{shown}")

    def reaches(self, call: RequestCall) -> bool:
        return self.target.fits(call.key[0].upper(), call.key[1].with_fragment(None))

    def fits(self, call: RequestCall) -> bool:
        return self.reaches(call) and all(
            name in call.kwargs and value == call.kwargs[name] for name, value in self.kwargs.items()
        )

    def of_last(self, calls: Iterable[RequestCall]) -> dict[str, Any] | None:
        """Return the arguments that are looked for, as the last call of this method and URL had them."""
        made = [call for call in calls if self.reaches(call)]
        return {name: made[-1].kwargs[name] for name in self.kwargs if name in made[-1].kwargs} if made else None


def _call(url: _Url, method: str = hdrs.METH_GET, **kwargs: Any) -> None:
    """Stand for what may be in a `unittest.mock.call`."""
