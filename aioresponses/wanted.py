"""A call that somebody looks for, in the manner of `unittest.mock`."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import hdrs
from yarl import URL

from .calls import RequestCall
from .diagnosis import redacted
from .matching import Target, Url, check_url
from .templates import Template
from .urls import comparable, merge_params, without_credentials
from .wording import shortened

__all__ = ["WantedCall", "reaches"]


class WantedCall:
    """A call that is looked for: its method and URL, and keyword arguments that it must have."""

    def __init__(self, url: Url, method: str, kwargs: Mapping[str, Any]) -> None:
        checked = check_url(url)
        params = kwargs.get("params")
        target = Target.of(method, merge_params(checked, params) if isinstance(checked, URL) else url)
        if isinstance(target.url, Template):
            target = target._replace(url=target.url.merged(params))
        self.target = target
        self.kwargs = kwargs

    @classmethod
    def of(cls, call: Any) -> WantedCall:
        """Make one of a `unittest.mock.call(url, method="GET", …)`."""
        expected = f"calls: expected unittest.mock.call(url, method=…, …), got {shortened(repr(call))}"
        # A name stands first for what follows a dot, as in call.post(…).
        if not isinstance(call, tuple) or len(call) != 3 or call[0]:
            raise TypeError(expected)
        try:
            bound = inspect.signature(_call).bind(*call[1], **call[2])
            bound.apply_defaults()
            return cls(**bound.arguments)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{expected}: {error}") from error

    def __str__(self) -> str:
        shown = "".join(f", {name}={value!r}" for name, value in redacted(self.kwargs, {}).items())
        return shortened(f"{self.target}{shown}")

    def reaches(self, call: RequestCall) -> bool:
        return reaches(self.target, call)

    def fits(self, call: RequestCall) -> bool:
        return self.reaches(call) and all(
            name in call.kwargs and value == call.kwargs[name] for name, value in self.kwargs.items()
        )

    def of_last(self, calls: Iterable[RequestCall]) -> dict[str, Any] | None:
        """Return the arguments that are looked for, as the last call of this method and URL had them."""
        made = [call for call in calls if self.reaches(call)]
        return {name: made[-1].kwargs[name] for name in self.kwargs if name in made[-1].kwargs} if made else None


def _call(url: Url, method: str = hdrs.METH_GET, **kwargs: Any) -> None:
    """Stand for what may be in a `unittest.mock.call`."""


def reaches(target: Target, call: RequestCall) -> bool:
    """Tell whether a mock of this target would have answered a call."""
    method, url = call.key[0].upper(), comparable(call.key[1])
    return target.fits(method, url) or isinstance(target.url, URL) and target.fits(method, without_credentials(url))
