"""A reply as users give it, checked: `CallbackResult`, and the `Fault` that may replace it."""

from __future__ import annotations

import enum
import inspect
import io
import re
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import TYPE_CHECKING, Any, Union

from aiohttp import ClientResponse, hdrs
from multidict import CIMultiDict, MultiDict
from yarl import URL

from .._calls.record import RequestCall
from .._checks import TOKEN, check_seconds, hides_unknown, is_coroutine_function, is_generator_function, line, misfit
from .._display import shown, shown_headers, shown_url
from .bodies import Body, check_function, check_source, checked_body, known_items

if TYPE_CHECKING:
    from typing_extensions import Never

    from .events import Event

    Headers = Union[Mapping[str, "str | int"], Iterable["tuple[str, str | int]"]]

    _EventStream = Union[Iterable["Event"], AsyncIterable["Event"]]

    Events = Union[_EventStream, Callable[[RequestCall], _EventStream], Callable[[], _EventStream]]

    # Anything may be a payload; the function is listed so that type checkers know the type of its parameter.
    Payload = Union[Callable[[RequestCall], object], Any]

# What messages say was expected.
EVENTS = "an iterable or async iterable of text, dicts or ServerSentEvent, or a generator function"

_STATUS = "status: expected an int from 200 to 999, or 101, got {}"


class _Default(str):
    """Text that is distinct from an argument of the user, even if that is the same text."""


# The media type that is sent unless another one is given, or the body has its own.
JSON = _Default("application/json")


class Fault(enum.Enum):
    """What can go wrong with a server, for the `fault` of a reply; the client fails as it would with a real one.

    aiohttp itself retries idempotent requests once after `CONNECTION_RESET` and `EMPTY_RESPONSE` (3.10 and newer).
    The next mock that fits then answers; if no other mock fits, the same fault occurs again.

    >>> mock.get("http://example.com/users", fault=Fault.CONNECTION_RESET)
    """

    CONNECTION_REFUSED = "connection refused"
    """Nothing listens on the port: `aiohttp.ClientConnectorError`."""

    CONNECTION_RESET = "connection reset"
    """The connection breaks once the request has been sent: `aiohttp.ClientOSError`."""

    EMPTY_RESPONSE = "empty response"
    """The connection is closed without a byte: `aiohttp.ServerDisconnectedError`."""

    TRUNCATED_BODY = "truncated body"
    """The connection is closed after half of the body: `aiohttp.ClientPayloadError` when the body is read.

    A reply without a body announces one byte. A stream of unknown length is sent completely, except for its end.
    """

    MALFORMED_RESPONSE = "malformed response"
    """The answer is not HTTP: `aiohttp.ClientResponseError`."""

    HANG = "hang"
    """No answer, ever, once the connection is established: the client's own timeouts end it."""

    CONNECT_TIMEOUT = "connect timeout"
    """The connection is never established: the client's own timeouts end the attempt.

    `connect` and `sock_connect` raise `aiohttp.ConnectionTimeoutError` (a `ServerTimeoutError` before 3.10).
    """

    DNS_FAILURE = "DNS failure"
    """The host name has no address: `aiohttp.ClientConnectorDNSError` (a `ClientConnectorError` before 3.10)."""

    CERTIFICATE_INVALID = "certificate invalid"
    """The server's certificate is self-signed: `aiohttp.ClientConnectorCertificateError`. Only for https URLs.

    A client that does not verify certificates, for example because of `ssl=False`, gets the rest of the reply.
    """

    TLS_FAILURE = "TLS failure"
    """The server does not speak TLS: `aiohttp.ClientConnectorSSLError`. Only for https URLs."""


_OF_TLS = (Fault.CERTIFICATE_INVALID, Fault.TLS_FAILURE)


def check_tls(fault: Fault, url: URL, name: str = "") -> None:
    """Raise `ValueError`, with `name` in front, if a fault needs TLS and the URL does not use it."""
    if fault in _OF_TLS and url.scheme in ("http", "ws"):
        raise ValueError(
            f"{name}fault: {fault} needs an https URL, got {shown_url(url)}; over http, use a fault such as "
            f"{Fault.CONNECTION_RESET}"
        )


class CallbackResult:
    """A reply: what a callback returns, and what `aioresponses.add` makes of its arguments.

    - `status`: from 200 to 999, or 101; 200 by default, and for None.
    - `body`: text (sent as UTF-8) or bytes; or something to stream: a file object, an iterable or async iterable of
      text or bytes, or a function that returns any of these, such as a generator function. A function is called for
      every reply, with the `RequestCall` if it takes a parameter. If a stream raises, the reader of the response gets
      the exception, except that a `ConnectionError` breaks the connection. Give the body in the form in which the
      application will read it: if `headers` contain `Content-Encoding: gzip`, `deflate`, `br` or `zstd` and the body
      is not compressed yet, it is compressed on the wire. An `aiohttp.MultipartWriter`, a `FormData` or another payload
      of aiohttp is sent with its own `Content-Type`. None is an empty body.
    - `payload`: anything that `json` can serialise, or a function that takes the `RequestCall` and returns such a
      value; takes precedence over `body`. It is serialised when it is sent.
    - `events`: a `text/event-stream`: an iterable or async iterable of text, dicts (sent as JSON) or `ServerSentEvent`,
      or a function that returns one.
    - `headers`: a mapping, a multidict or pairs; a name may appear more than once. An int is sent as text.
    - `cookies`: a mapping of names to values, or to `http.cookies.Morsel` objects, sent as `Set-Cookie`, for the whole
      host unless a morsel says otherwise.
    - `content_type`: the `Content-Type` header, unless `headers` have one; `application/json` by default. None sends no
      such header.
    - `reason`: the reason phrase; by default the standard one for `status`.
    - `delay`: seconds before the status line, measured by the event loop's timers; 0 by default.
    - `fault`: a `Fault` that replaces the reply or a part of it.
    - `response_class`: the class of the response that the caller gets, instead of the session's.
    - `method`: text or None; it is ignored, but accepted because aioresponses 0.7 has it.

    Raises `TypeError` or `ValueError`, with the argument's name, for values that cannot be sent.

    >>> CallbackResult(status=404, payload={"error": "no such user"})
    CallbackResult(status=404)
    """

    @hides_unknown
    def __init__(
        self,
        method: str = hdrs.METH_GET,
        status: int | None = 200,
        body: Body | None = "",
        content_type: str | None = JSON,
        payload: Payload = None,
        headers: Headers | None = None,
        response_class: Callable[..., ClientResponse] | None = None,
        reason: str | None = None,
        *,
        cookies: Mapping[str, str | Morsel[str]] | None = None,
        delay: float = 0,
        events: Events | None = None,
        fault: Fault | None = None,
        **unknown: Never,
    ) -> None:
        for name in unknown:
            from .._suggestions import unexpected  # Not before it is needed.

            raise unexpected("CallbackResult", name, RESULT_ARGUMENTS)
        if not isinstance(method, str) and method is not None:
            from .._suggestions import not_a_method  # Not before it is needed.

            raise not_a_method(method, RESULT_ARGUMENTS)
        if status is None:
            status = 200
        if body is None:
            body = ""
        if isinstance(status, bool) or not isinstance(status, int):
            raise TypeError(_STATUS.format(shown(status)))
        if not 200 <= status <= 999 and status != 101:
            skipped = ": after a 1xx, aiohttp waits for the final response" if 100 <= status < 200 else ""
            raise ValueError(_STATUS.format(shown(status)) + skipped)
        if payload is not None and callable(payload):
            check_function("payload", payload)
        elif payload is None and events is None:
            body = checked_body(body)
        if events is not None:
            _check_events(events, body, payload)
            content_type = "text/event-stream" if content_type is JSON else content_type
        if fault is not None and not isinstance(fault, Fault):
            raise TypeError(f"fault: expected a member of Fault, got {shown(fault)}")
        check_seconds("delay", delay)
        self.method = method
        self.status = status
        self.body = body
        own_type = content_type is None or content_type is JSON
        self.content_type = content_type if own_type else line("content_type", content_type)
        self.payload: Any = payload
        self.events = events
        self.headers = checked_headers(headers)
        self.delay = delay
        self.fault = fault
        self.response_class = _checked_class(response_class)
        self.reason = None if reason is None else line("reason", reason)
        for cookie in _checked_cookies(cookies):
            self.headers.add(hdrs.SET_COOKIE, cookie)
        if status == 101 and self.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
            raise ValueError("status: 101 with Upgrade: websocket does not open a WebSocket; use websocket()")

    def __repr__(self) -> str:
        return f"CallbackResult(status={int(self.status)}{f', fault={self.fault}' if self.fault else ''})"


# All arguments but the method, which is ignored.
RESULT_ARGUMENTS = [name for name in inspect.signature(CallbackResult).parameters if name != "method"]


def _is_empty(body: object) -> bool:
    return isinstance(body, (str, bytes)) and not body


def _check_events(events: object, body: object, payload: object) -> None:
    for name, is_given in (("body", not _is_empty(body)), ("payload", payload is not None)):
        if is_given:
            raise ValueError(f"{name} cannot be combined with events: a reply has only one body")
    if isinstance(events, (io.RawIOBase, io.BufferedIOBase)):
        raise TypeError(f"events: expected {EVENTS}, got a file of bytes: {shown(events)}")
    check_source("events", events, EVENTS)
    from .events import encoded_event  # Not before it is needed.

    for event in known_items(events):
        encoded_event(event, lambda data: b"")


def _checked_class(response_class: Any) -> Callable[..., ClientResponse] | None:
    if response_class is None:
        return None
    # aioresponses 0.7 accepted any function that makes responses.
    is_wrong = isinstance(response_class, type) and not issubclass(response_class, ClientResponse)
    returns_none = is_coroutine_function(response_class) or is_generator_function(response_class)
    if is_wrong or returns_none or not callable(response_class):
        raise TypeError(f"response_class: expected a subclass of aiohttp.ClientResponse, got {shown(response_class)}")
    # The arguments from which aiohttp makes a response, apart from the method and the URL.
    given = {
        parameter.name: None
        for parameter in inspect.signature(ClientResponse).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty
    }
    why = misfit(response_class, None, None, **given)
    if why and isinstance(response_class, type) and given.pop("stream_writer", why) is None:
        # A class written for older releases of aiohttp is called as they called it.
        why = misfit(response_class, None, None, **given)
    if why:
        raise TypeError(
            "response_class: expected a class that takes the arguments of aiohttp.ClientResponse, got "
            f"{shown(response_class)}: "
            f"{why}"
        )
    return response_class  # type: ignore[no-any-return]


def _checked_cookies(cookies: Mapping[str, str | Morsel[str]] | None) -> list[str]:
    """Return the values of `Set-Cookie` headers."""
    if cookies is None:
        return []
    if not isinstance(cookies, Mapping):
        raise TypeError(f"cookies: expected a mapping of names and values, got {shown(cookies)}")
    made: SimpleCookie = SimpleCookie()
    for name, value in cookies.items():
        if not isinstance(name, str) or not isinstance(value, (str, Morsel)):
            raise TypeError(f"cookies: expected names and values of str, got {shown(name)}: {shown(value)}")
        if isinstance(value, Morsel) and value.key != name:
            raise ValueError(f"cookies: expected a morsel named {shown(name)}, got {shown(value.key)}")
        name = str.__str__(name)
        try:
            made[name] = value if isinstance(value, Morsel) else str.__str__(value)
        except CookieError as error:
            raise ValueError(
                f"cookies: expected valid names and values of cookies, got {shown(name)}: {shown(value)} ({error})"
            ) from error
        if not isinstance(value, Morsel):
            made[name]["path"] = "/"
    return [_set_cookie(morsel) for morsel in made.values()]


def _set_cookie(morsel: Morsel[str]) -> str:
    try:
        # Its attributes, and the written form of its value, may contain anything.
        return line(f"cookies: {morsel.key}", morsel.OutputString())
    except CookieError as error:
        raise ValueError(f"cookies: {morsel.key}: expected valid attributes of a cookie: {error}") from error


def checked_headers(headers: Headers | None) -> CIMultiDict[str]:
    """Return headers in the form in which they are sent; raise `TypeError` or `ValueError` if they cannot be sent."""
    try:
        given: MultiDict[Any] = MultiDict(() if headers is None else headers)
    except (TypeError, ValueError) as error:
        wrong = shown_headers(headers)
        raise TypeError(f"headers: expected a mapping or pairs of str, got {wrong}: {error}") from error
    checked: CIMultiDict[str] = CIMultiDict()
    for name, value in given.items():
        name = str.__str__(name)
        if not re.fullmatch(TOKEN, name):
            raise ValueError(f"headers: expected names that are HTTP tokens, got {shown(name)}")
        is_int = isinstance(value, int) and not isinstance(value, bool)
        checked.add(name, f"{int(value)}" if is_int else line(f"headers: {name}", value, header=name))
    return checked
