"""What was requested: one `RequestCall` for each call of the code under test."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

from aiohttp import ClientResponse, ClientTimeout
from yarl import URL

__all__ = ["RequestCall"]

_count = itertools.count()

# Values that never change need no copy; the others in the keyword arguments of a call do.
_UNCHANGING = (str, bytes, int, float, type(None), URL, ClientTimeout)


class _Arguments(NamedTuple):
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class RequestCall(_Arguments):
    """One call of a session's method, such as `session.get(url, params=…)`.

    A named tuple of the call's positional arguments after the URL, `args`, and its keyword arguments, `kwargs`, as the
    caller gave them; it compares as one.
    """

    method: str = ""
    """The method, as the caller wrote it."""

    url: str = ""
    """The URL that was asked for: `params` merged in, without its fragment."""

    response: ClientResponse | None = None
    """The response that the caller got; None while there is none, or where the call raised."""

    exception: BaseException | None = None
    """What the call raised, if it did."""

    key: tuple[str, URL]
    """Where the call stands in `aioresponses.requests`: the method and the normalised URL, with its fragment."""

    order: int = 0
    """The place of the call among all calls of this process."""

    def __repr__(self) -> str:
        return f"RequestCall(args={self.args!r}, kwargs={self.kwargs!r})"


def record(key: tuple[str, URL], url: URL, kwargs: Mapping[str, Any]) -> RequestCall:
    """Make the `RequestCall` of a call that is about to be made.

    `kwargs` are those of the call. They are copied, so that what happens to them later does not show; values that
    cannot be copied are kept as they are.
    """
    copied = {name: _copied(value) for name, value in kwargs.items()}
    method = key[0]
    # As 0.7.9 has it: `session.request()` need not say either, but the call is recorded as if by `session.post()`.
    copied.setdefault("allow_redirects", True)
    if method == "POST":
        copied.setdefault("data", None)
    call = RequestCall((), copied)
    call.method = method
    call.url = str(url.with_fragment(None))
    call.key = key
    call.order = next(_count)
    return call


def _copied(value: Any) -> Any:
    if isinstance(value, _UNCHANGING):
        return value
    try:
        return copy.deepcopy(value)
    except Exception:
        # A file, a generator, an SSL context: keep it, and copy at least what it stands in.
        if type(value) is dict:
            return {name: _copied(item) for name, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(map(_copied, value))
        return value
