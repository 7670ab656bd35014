"""Groups of mocks of one host."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aiohttp import hdrs
from multidict import CIMultiDict
from yarl import URL

from ._calls.record import Answering, RequestCall, RequestMatch, in_order
from ._checks import equals_anything, hides_unknown
from ._display import shown_wrong_url
from ._matching.conditions import CONDITIONS, Conditions
from ._matching.targets import Below, Target
from ._registering import Registering
from ._replies.results import checked_headers
from .matchers import subset

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._matching.conditions import ConditionArguments
    from ._matching.targets import Url
    from ._registering import Arguments, ReplyArguments
    from ._replies.results import Headers
    from ._replies.websockets import Script
    from ._sockets import WebSocketMock

    class WebSocketArguments(ConditionArguments, total=False):
        """The keyword arguments of `aioresponses.websocket`."""

        protocols: Sequence[str]
        heartbeat: float | None
        autoping: bool
        compress: bool
        max_msg_size: int
        headers: Headers | None
        repeat: bool | int
        optional: bool
        override: bool

# The keyword arguments of `aioresponses.websocket`.
WEBSOCKET_ARGUMENTS = (
    *CONDITIONS, "protocols", "heartbeat", "autoping", "compress", "max_msg_size", "headers", "repeat", "optional",
    "override",
)


class Group(Registering, Answering):
    """The mocks of one host, or below one of its paths: what `aioresponses.host` returns.

    You can pass it to functions that register what they know about that host:

    >>> def register_users(api):
    ...     api.get("/users/{id}", payload={"name": "Ada"}, repeat=True)
    >>> register_users(mock.host("https://api.example.com/v2", headers={"Server": "api"}))
    """

    def __init__(
        self,
        add: Callable[..., RequestMatch],
        add_websocket: Callable[..., WebSocketMock],
        url: str | URL,
        headers: Headers | None = None,
        match_headers: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(url, (str, URL)):
            raise TypeError(f"url: expected a str or a yarl.URL, got {shown_wrong_url(url)}")
        text = str(url).rstrip("/")
        target = Target.of(None, text) if "://" in text and "#" not in text else None
        if target is None or target.has_query:
            raise ValueError(
                f"url: expected a URL with a scheme and a host, and without a query, got {shown_wrong_url(url)}"
            )
        self._add = add
        self._add_websocket = add_websocket
        self._url = text
        self._target = target
        self._headers = checked_headers(headers)
        Conditions({"match_headers": match_headers})
        self._match_headers: CIMultiDict[Any] = CIMultiDict(match_headers or ())
        self._handles: list[RequestMatch] = []

    def __repr__(self) -> str:
        return f"<Group {self}>"

    def __str__(self) -> str:
        return str(self._target)

    def _answered(self, call: RequestCall) -> bool:
        return any(call.match is handle for handle in self._handles)

    def _passed_by(self, call: RequestCall) -> str | None:
        return next((why for handle in self._handles if (why := handle._passed_by(call)) is not None), None)

    @property
    def calls(self) -> list[RequestCall]:
        """The requests that the mocks of this group answered, in order; with `keep_calls`, only those that are kept."""
        return in_order(call for handle in self._handles for call in handle.calls)

    @property
    def call_count(self) -> int:
        """How many requests the mocks of this group answered."""
        return sum(handle.call_count for handle in self._handles)

    @hides_unknown
    def add(
        self, url: Url, method: str | None = hdrs.METH_GET, *unknown: object, **kwargs: Unpack[Arguments]
    ) -> RequestMatch:
        """Register a mock like `aioresponses.add`, but with only the part of the URL that follows the group's URL.

        That part is a path, which may have a query, or a pattern for both, or `unittest.mock.ANY`.

        The reply gets the headers of the group, and requests must have its `match_headers`, unless the mock has headers
        of the same names. Raises what `aioresponses.add` raises.
        """
        for value in unknown:
            from ._suggestions import by_position  # Not before it is needed.

            raise by_position("add", value, "the URL and the method")
        below = self._below(url)
        if self._match_headers:
            kwargs["match_headers"] = _merged(self._match_headers, kwargs.get("match_headers"))
        replies = kwargs.get("replies")
        if kwargs.get("passthrough"):
            pass  # The headers come from the network.
        elif self._headers and replies is None:
            kwargs.update(self._with_headers(kwargs))  # type: ignore[typeddict-item]
        elif self._headers and isinstance(replies, (list, tuple)):
            kwargs["replies"] = [
                self._with_headers(reply) if isinstance(reply, Mapping) else reply for reply in replies
            ]
        handle = self._add(below, method, **kwargs)
        if isinstance(below, str):
            handle._at_work.above = self._url
        self._handles.append(handle)
        return handle

    def websocket(
        self, path: Url, script: Script | None = None, **options: Unpack[WebSocketArguments]
    ) -> WebSocketMock:
        """Register a mock of a WebSocket like `aioresponses.websocket`, with the part of the URL after the group's URL.

        The response that accepts a connection gets the headers of the group, and requests must have its
        `match_headers`, unless `options` have headers of the same names.
        """
        below = self._below(path)
        if self._match_headers:
            options["match_headers"] = _merged(self._match_headers, options.get("match_headers"))
        if self._headers:
            options["headers"] = _merged(self._headers, options.get("headers"))
        handle = self._add_websocket(below, script, **options)
        if isinstance(below, str):
            handle._at_work.above = self._url
        self._handles.append(handle)
        return handle

    def _below(self, path: object) -> str | Below:
        """Return what represents the URLs of the group with this path, or with a path that matches it."""
        if isinstance(path, re.Pattern):
            return Below.of(self._target, path)
        if not isinstance(path, (str, URL)):
            if equals_anything(path):
                return Below.of(self._target, re.compile(""))
            raise TypeError(f"url: expected a path of str, or a compiled pattern, got {shown_wrong_url(path)}")
        text = str(path)
        if text and text[0] not in "/?":
            raise ValueError(f"url: expected a path that begins with /, got {shown_wrong_url(path)}")
        return self._url + text

    def _with_headers(self, reply: Mapping[str, Any]) -> ReplyArguments:
        handler = reply.get("handler")
        if handler is None:
            return {**reply, "headers": _merged(self._headers, reply.get("headers"))}  # type: ignore[typeddict-item]
        # Imports aiohttp.web, which takes longer than importing this whole package.
        from ._replies.handlers import WithHeaders

        return {**reply, "handler": WithHeaders(handler, self._headers)}  # type: ignore[typeddict-item]


def _merged(defaults: CIMultiDict[Any], own: Any) -> Any:
    """Return headers with defaults for missing ones; return an object that decides what equals it unchanged."""
    merged = defaults.copy()
    try:
        merged.update(own.expected if isinstance(own, subset) else own or ())
    except (TypeError, ValueError):
        return own  # If it is invalid, the error is raised where it is used.
    return merged
