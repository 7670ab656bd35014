"""What users say of a reply, checked: `CallbackResult`, and the `Fault` that may take its place."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import Any, Union

from aiohttp import ClientResponse, hdrs
from multidict import CIMultiDict

from .._checks import TOKEN, check_line, check_seconds
from .bodies import Body, check_source
from .codings import coding_of
from .events import Event, encoded_event

Headers = Union[Mapping[str, str], Iterable["tuple[str, str]"]]

Events = Union[Iterable[Event], AsyncIterable[Event], Callable[..., "Iterable[Event] | AsyncIterable[Event]"]]

# What errors say was expected.
BODIES = "str, bytes, a file object, an iterable or async iterable of these, or a generator function"

EVENTS = "an iterable or async iterable of text, dicts or ServerSentEvent, or a generator function"

_STATUS = "status: expected an int from 200 to 999, or 101, got {!r}"

_JSON = "application/json"


class Fault(enum.Enum):
    """What can go wrong with a server, for the `fault` of a reply; the client fails as it would with a real one.

    aiohttp itself tries idempotent requests once more after `CONNECTION_RESET` and `EMPTY_RESPONSE` (3.10 and newer).
    The next mock that fits answers then; where there is none, the fault is met once more.

    >>> mock.get("http://example.com/users", fault=Fault.CONNECTION_RESET)
    """

    CONNECTION_REFUSED = "connection refused"
    """Nobody listens: `aiohttp.ClientConnectorError`."""

    CONNECTION_RESET = "connection reset"
    """The connection breaks once the request has been sent: `aiohttp.ClientOSError`."""

    EMPTY_RESPONSE = "empty response"
    """The connection is closed without a byte: `aiohttp.ServerDisconnectedError`."""

    TRUNCATED_BODY = "truncated body"
    """The head and half of the body, and the connection is closed: `aiohttp.ClientPayloadError` when it is read.

    A reply without a body announces one byte. Of a stream of unknown length, all is sent but its end.
    """

    MALFORMED_RESPONSE = "malformed response"
    """Something that is no HTTP: `aiohttp.ClientResponseError`."""

    HANG = "hang"
    """No answer, ever: the client's own timeouts end it."""


class CallbackResult:
    """A reply: what a callback returns, and what `aioresponses.add` makes of its arguments.

    - `status`: from 200 to 999, or 101; 200 by default.
    - `body`: text (sent as UTF-8) or bytes; or what is streamed: a file object, an iterable or async iterable of text
      or bytes, or a function that returns any of these, a generator function for instance. A function is called for
      every reply, with the `RequestCall` if it takes a parameter. What a stream raises, the reader of the response
      gets. The body is given as the application will read it: where `headers` say `Content-Encoding: gzip`, `deflate`,
      `br` or `zstd` and it is not compressed already, it is compressed on the wire.
    - `payload`: anything that `json` can serialise, or a function of the `RequestCall` that returns it; goes before
      `body`. It is serialised when it is sent.
    - `events`: a `text/event-stream`: an iterable or async iterable of text, dicts (sent as JSON) or `ServerSentEvent`,
      or a function that returns one.
    - `headers`: a mapping, a multidict or pairs; a name may stand there more than once.
    - `cookies`: a mapping of names and values, or `http.cookies.Morsel`, sent as `Set-Cookie`, for the whole host
      unless a morsel says otherwise.
    - `content_type`: the `Content-Type` header, unless `headers` have one; `application/json` by default.
    - `reason`: the reason phrase; by default the one that goes with `status`.
    - `delay`: seconds before the status line, by the timers of the event loop; 0 by default.
    - `fault`: a `Fault`, in place of the reply or a part of it.
    - `response_class`: the class of the response that the caller gets, instead of the session's.
    - `method` plays no part; aioresponses 0.7 took it.

    Raises `TypeError` or `ValueError`, with the argument's name, for what cannot be sent.

    >>> CallbackResult(status=404, payload={"error": "no such user"})
    CallbackResult(status=404)
    """

    def __init__(
        self,
        method: str = hdrs.METH_GET,
        status: int = 200,
        body: Body = "",
        content_type: str = _JSON,
        payload: Any = None,
        headers: Headers | None = None,
        response_class: Callable[..., ClientResponse] | None = None,
        reason: str | None = None,
        *,
        cookies: Mapping[str, str | Morsel[str]] | None = None,
        delay: float = 0,
        events: Events | None = None,
        fault: Fault | None = None,
    ) -> None:
        if isinstance(status, bool) or not isinstance(status, int):
            raise TypeError(_STATUS.format(status))
        if not 200 <= status <= 999 and status != 101:
            skipped = ": aiohttp skips this one, and waits for the one that follows" if 100 <= status < 200 else ""
            raise ValueError(_STATUS.format(status) + skipped)
        if payload is None and events is None and not isinstance(body, (str, bytes, bytearray, memoryview)):
            check_source("body", body, BODIES)
            if isinstance(body, (list, tuple)):
                for piece in body:
                    if not isinstance(piece, (str, bytes, bytearray, memoryview)):
                        raise TypeError(f"body: expected a list of str or bytes, got {piece!r} in it")
        if events is not None:
            _check_events(events, body, payload)
            content_type = "text/event-stream" if content_type == _JSON else content_type
        if reason is not None:
            check_line("reason", reason)
        if response_class is not None and not callable(response_class):
            raise TypeError(f"response_class: expected a subclass of aiohttp.ClientResponse, got {response_class!r}")
        if fault is not None and not isinstance(fault, Fault):
            raise TypeError(f"fault: expected a member of Fault, got {fault!r}")
        check_line("content_type", content_type)
        check_seconds("delay", delay)
        self.method = method
        self.status = status
        self.body = body
        self.content_type = content_type
        self.payload = payload
        self.events = events
        self.headers = checked_headers(headers)
        self.delay = delay
        self.fault = fault
        self.response_class = response_class
        self.reason = reason
        for cookie in _checked_cookies(cookies):
            self.headers.add(hdrs.SET_COOKIE, cookie)
        if hdrs.CONTENT_ENCODING in self.headers and not (payload is None and events is None and _is_empty(body)):
            # Raises where the codec is missing.
            coding_of(self.headers[hdrs.CONTENT_ENCODING])

    def __repr__(self) -> str:
        return f"CallbackResult(status={int(self.status)}{f', fault={self.fault}' if self.fault else ''})"


def _is_empty(body: object) -> bool:
    return isinstance(body, (str, bytes)) and not body


def _check_events(events: object, body: object, payload: object) -> None:
    for name, is_given in (("body", not _is_empty(body)), ("payload", payload is not None)):
        if is_given:
            raise ValueError(f"{name} and events contradict each other: a reply has one body")
    check_source("events", events, EVENTS)
    if isinstance(events, (list, tuple)):
        for event in events:
            encoded_event(event, lambda data: "")


def _checked_cookies(cookies: Mapping[str, str | Morsel[str]] | None) -> list[str]:
    """Return the values of `Set-Cookie` headers."""
    if cookies is None:
        return []
    if not isinstance(cookies, Mapping):
        raise TypeError(f"cookies: expected a mapping of names and values, got {cookies!r}")
    made: SimpleCookie = SimpleCookie()
    for name, value in cookies.items():
        if not isinstance(name, str) or not isinstance(value, (str, Morsel)):
            raise TypeError(f"cookies: expected names and values of str, got {name!r}: {value!r}")
        if isinstance(value, Morsel) and value.key != name:
            raise ValueError(f"cookies: expected a morsel that is named {name!r}, got {value.key!r}")
        try:
            made[name] = value
        except CookieError as error:
            raise ValueError(f"cookies: expected names that cookies can have, got {name!r}: {error}") from error
        if not isinstance(value, Morsel):
            made[name]["path"] = "/"
    return [morsel.OutputString() for morsel in made.values()]


def checked_headers(headers: Headers | None) -> CIMultiDict[str]:
    """Return headers as they are sent; raise `TypeError` or `ValueError` for what cannot be."""
    try:
        checked: CIMultiDict[str] = CIMultiDict(headers or ())
    except (TypeError, ValueError) as error:
        raise TypeError(f"headers: expected a mapping or pairs of str, got {headers!r}: {error}") from error
    for name, value in checked.items():
        if not TOKEN.fullmatch(name):
            raise ValueError(f"headers: expected names that are HTTP tokens, got {name!r}")
        check_line(f"headers: {name}", value)
    return checked
