"""What a mock says back, and how that looks on the wire."""

from __future__ import annotations

import enum
import errno
import functools
import http
import json
import marshal
import math
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Mapping
from contextlib import aclosing
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import Any, Union

from aiohttp import ClientResponse, hdrs
from multidict import CIMultiDict

from .._calls.record import Exchange
from .._checks import TOKEN, _check_line
from .._client.transport import Answer
from .._display import shortened
from .bodies import Body, called, check_source, each, is_used_up_by_one, pieces, size_of
from .codings import MARK, Coding, coding_of
from .events import Event, encoded_event

Headers = Union[Mapping[str, str], Iterable["tuple[str, str]"]]

Events = Union[Iterable[Event], AsyncIterable[Event], Callable[..., "Iterable[Event] | AsyncIterable[Event]"]]

JsonDumps = Callable[[Any], Union[str, bytes]]

# As json.dumps does it, without looking at arguments that nobody gives.
json_dumps: JsonDumps = json.JSONEncoder().encode

_JSON = "application/json"

_WITHOUT_BODY = (101, 204, 304)

_BODIES = "str, bytes, a file object, an iterable or async iterable of these, or a generator function"

_EVENTS = "an iterable or async iterable of text, dicts or ServerSentEvent, or a generator function"

_STATUS = "status: expected an int from 200 to 999, or 101, got {!r}"


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
    - `delay`: seconds before the status line; 0 by default.
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
            check_source("body", body, _BODIES)
            if isinstance(body, (list, tuple)):
                for piece in body:
                    if not isinstance(piece, (str, bytes, bytearray, memoryview)):
                        raise TypeError(f"body: expected a list of str or bytes, got {piece!r} in it")
        if events is not None:
            _check_events(events, body, payload)
            content_type = "text/event-stream" if content_type == _JSON else content_type
        if reason is not None:
            _check_line("reason", reason)
        if response_class is not None and not callable(response_class):
            raise TypeError(f"response_class: expected a subclass of aiohttp.ClientResponse, got {response_class!r}")
        if fault is not None and not isinstance(fault, Fault):
            raise TypeError(f"fault: expected a member of Fault, got {fault!r}")
        _check_line("content_type", content_type)
        self.method = method
        self.status = status
        self.body = body
        self.content_type = content_type
        self.payload = payload
        self.events = events
        self.headers = checked_headers(headers)
        self.delay = _checked_delay(delay)
        self.fault = fault
        self.response_class = response_class
        self.reason = reason
        for cookie in _checked_cookies(cookies):
            self.headers.add(hdrs.SET_COOKIE, cookie)
        if hdrs.CONTENT_ENCODING in self.headers and not (payload is None and events is None and _is_empty(body)):
            # A codec that is missing is told of here.
            coding_of(self.headers[hdrs.CONTENT_ENCODING])

    def __repr__(self) -> str:
        return f"CallbackResult(status={int(self.status)}{f', fault={self.fault}' if self.fault else ''})"

    @property
    def is_used_up_by_one(self) -> bool:
        """Whether this reply can be sent no more than once."""
        if self.events is not None:
            return is_used_up_by_one(self.events)
        return self.payload is None and is_used_up_by_one(self.body)

    def check_payload(self, json_dumps: JsonDumps) -> None:
        """Raise `TypeError` or `ValueError` if the payload cannot be serialised."""
        if self.payload is not None and not callable(self.payload):
            _dumped(self.payload, json_dumps)

    def contents(self, dumps: JsonDumps) -> Callable[[], object] | None:
        """Return a function whose results are equal while the body is the same; None where nothing can tell.

        It packs a payload, which takes a fraction of the time that serialising takes, and raises `ValueError` where
        there are other types than builtin ones in it. Somebody's own serialiser may do more than serialise.
        """
        if self.payload is None:
            body = self.body
            return (lambda: body) if isinstance(body, (str, bytes)) and self.events is None else None
        return functools.partial(marshal.dumps, self.payload) if dumps is json_dumps else None

    def answer(self, method: str, exchange: Exchange, json_dumps: JsonDumps = json_dumps) -> Answer:
        """Return the reply to a request with this method, as bytes on the wire.

        Faults that are no answer, `CONNECTION_REFUSED` and `HANG`, are none of its business.
        """
        if self.fault is Fault.CONNECTION_RESET:
            return Answer(b"", hang_up=ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))
        if self.fault is Fault.EMPTY_RESPONSE:
            return Answer(b"", hang_up=True)
        if self.fault is Fault.MALFORMED_RESPONSE:
            return Answer(b"This is not HTTP.\r\n\r\n", hang_up=True)
        source = self._source(exchange, json_dumps)
        truncated = self.fault is Fault.TRUNCATED_BODY
        headers = self.headers
        length = headers.get(hdrs.CONTENT_LENGTH)
        coding = coding_of(headers[hdrs.CONTENT_ENCODING]) if hdrs.CONTENT_ENCODING in headers and source else None
        if coding is not None and isinstance(source, bytes):
            compressed = coding.compressed(source)
            if compressed is not source and method != hdrs.METH_HEAD:
                # A length that was copied from a real response tells of other bytes than these.
                length = None
            source, coding = compressed, None
        elif coding is not None and method != hdrs.METH_HEAD:
            length = None
        size = len(source) if isinstance(source, bytes) else size_of(source) if coding is None else None
        head = self._head()
        chunked = hang_up = False
        if self.status in _WITHOUT_BODY:
            source = b""
        elif hdrs.TRANSFER_ENCODING in headers:
            # With a transfer encoding goes no length; without chunks, the end of the connection is the body's end.
            length = None
            chunked = "chunked" in headers[hdrs.TRANSFER_ENCODING].lower()
            hang_up = not chunked
        elif size is not None:
            # A registered length that is not the body's is sent all the same, as such a server would; it then hangs
            # up, for otherwise the client would wait for what never comes.
            hang_up = length is not None and length.strip() != str(size)
            length = length or str(max(size, 1) if truncated else size)
        elif length is None:
            head += b"Transfer-Encoding: chunked\r\n"
            chunked = True
        if length is not None:
            head = b"%bContent-Length: %b\r\n" % (head, length.encode())
        if method == hdrs.METH_HEAD:
            source, hang_up = b"", False
        elif isinstance(source, bytes):
            if chunked:
                source = b"%x\r\n%b\r\n0\r\n\r\n" % (len(source), source) if source else b"0\r\n\r\n"
            if truncated:
                shortest = int(length) if length is not None and length.strip().isdigit() else len(source)
                source = source[:min(shortest, len(source)) // 2]
        else:
            if truncated and length is not None and length.strip().isdigit():
                size = int(length) // 2
            source = _streamed(pieces(source), coding, chunked, truncated, size)
        return Answer(head + b"\r\n", source, hang_up or truncated)

    def _head(self) -> bytes:
        """Return the status line and all headers but those that tell of the length."""
        lines = [f"HTTP/1.1 {self.status:d} {_phrase(self.status) if self.reason is None else self.reason}"]
        if hdrs.CONTENT_TYPE not in self.headers:
            lines.append(f"{hdrs.CONTENT_TYPE}: {self.content_type}")
        lines += [f"{name}: {value}" for name, value in self.headers.items() if name.lower() != "content-length"]
        return "".join(f"{line}\r\n" for line in lines).encode()

    def _source(self, exchange: Exchange, json_dumps: JsonDumps) -> Any:
        """Return the body: bytes, or what is to be streamed."""
        if self.payload is not None:
            payload = self.payload
            return _dumped(called("payload", payload, exchange) if callable(payload) else payload, json_dumps)
        if self.events is not None:
            events: Any = self.events
            if callable(events):
                events = called("events", events, exchange)
                check_source("events", events, f"a function that returns {_EVENTS}")
            return _encoded_events(events, json_dumps)
        body: Any = self.body
        if callable(body):
            body = called("body", body, exchange)
        if isinstance(body, str):
            return body.encode()
        if isinstance(body, (bytes, bytearray, memoryview)):
            return bytes(body)
        if body is not self.body:
            check_source("body", body, f"a function that returns {_BODIES}")
        return body


async def _streamed(
    body: AsyncGenerator[bytes, None], coding: Coding | None, chunked: bool, truncated: bool, most: int | None
) -> AsyncGenerator[bytes, None]:
    """Yield `most` bytes of a body as they go over the wire: compressed, in chunks, if truncated without the end."""
    compressor = None
    async with aclosing(body):
        # What is compressed already shows that in its first bytes.
        held = b""
        async for piece in body:
            if coding is not None:
                held += piece
                if len(held) < MARK:
                    continue
                compressor = None if coding.begins(held) else coding.compressor()
                piece, held, coding = held, b"", None
            if most is not None:
                piece = piece[:most]
                most -= len(piece)
            coded = piece if compressor is None else compressor.compress(piece)
            if coded:
                yield b"%x\r\n%b\r\n" % (len(coded), coded) if chunked else coded
            if most == 0:
                break
    if coding is not None and held:
        held = coding.compressed(held)
    elif compressor is not None:
        held = compressor.flush()
    if truncated:
        return
    if held:
        yield b"%x\r\n%b\r\n" % (len(held), held) if chunked else held
    if chunked:
        yield b"0\r\n\r\n"


async def _encoded_events(events: Any, json_dumps: JsonDumps) -> AsyncGenerator[bytes, None]:
    async with aclosing(each(events)) as items:
        async for event in items:
            yield encoded_event(event, json_dumps)


def _dumped(payload: Any, json_dumps: JsonDumps) -> bytes:
    try:
        dumped = json_dumps(payload)
        if isinstance(dumped, str):
            return dumped.encode()
    except (TypeError, ValueError) as error:
        raise (TypeError if isinstance(error, TypeError) else ValueError)(
            f"payload: expected a value that json can serialise, got {shortened(repr(payload))}: {error}"
        ) from error
    if not isinstance(dumped, (bytes, bytearray, memoryview)):
        raise TypeError(f"json_dumps: expected a function that returns text or bytes, got {dumped!r} from it")
    return bytes(dumped)


def _is_empty(body: object) -> bool:
    return isinstance(body, (str, bytes)) and not body


def _check_events(events: object, body: object, payload: object) -> None:
    for name, is_given in (("body", not _is_empty(body)), ("payload", payload is not None)):
        if is_given:
            raise ValueError(f"{name} and events contradict each other: a reply has one body")
    check_source("events", events, _EVENTS)
    if isinstance(events, (list, tuple)):
        for event in events:
            encoded_event(event, lambda data: "")


def _checked_delay(delay: object) -> float:
    if isinstance(delay, bool) or not isinstance(delay, (int, float)):
        raise TypeError(f"delay: expected seconds, got {delay!r}")
    if not (math.isfinite(delay) and delay >= 0):
        raise ValueError(f"delay: expected seconds, from 0 on, got {delay!r}")
    return delay


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
        _check_line(f"headers: {name}", value)
    return checked


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""
