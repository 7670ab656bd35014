"""A reply as bytes on the wire: the head, the body as a whole or in pieces, and how the client finds its end.

`encode` turns any result into an answer; `framing_of` chooses between `Content-Length`, chunks and closing the
connection. `KeptAnswer` avoids encoding most replies again.

Headers about the connection
----------------------------
Users copy the headers of real responses, which describe how those were sent. What the headers say about length, chunks
and coding is sent only if it is true of this answer, since a server would not send anything else; `TRUNCATED_BODY` is
there to make it untrue. The request matters as well: if it asks for the connection to be closed, the answer says so,
and HTTP/1.0 has no chunks.

Answers that are kept
---------------------
Most mocks give the same answer every time. So the last answer of such a reply is kept and sent again unchanged.

The payload may change unnoticed: it belongs to the test, which may modify it between two requests, and it is serialised
when it is sent. So each request packs it with `marshal`, which takes a fraction of the time of serialising it, and
compares the bytes with those from when the answer was encoded. If they are equal, so is the payload, because `marshal`
keeps the type of each value and the order of a dict. Different bytes may also stand for an equal payload, since
`marshal` notes which objects are referred to from elsewhere as well; then the answer is encoded once more. `marshal`
accepts only values of built-in types; any other payload is serialised for each request.

Some answers are never kept, because they depend on more than the payload:

*   the answer of a result that the user holds as well, because any of its attributes may change;
*   the answer of a stream, of a function, or of a buffer that can be written to;
*   an answer serialised by a user's own `json_dumps`, which may have side effects, such as counting;
*   the answer to HEAD, which has no body, and to a request that says how to continue the connection.
"""

from __future__ import annotations

import errno
import http
import json
import marshal
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol, Union

from aiohttp import ClientRequest, FormData, HttpVersion11, hdrs
from aiohttp.payload import Payload
from multidict import CIMultiDict

from .._calls.record import RequestCall
from .._checks import encodable, is_generator_function, misfit, same_kind
from .._client.transport import Answer, Close
from .._display import shown
from .bodies import BODIES, PIECE, as_payload, called, check_source, each, known_items, own_type, pieces, size_of
from .results import EVENTS, JSON, CallbackResult, Fault

if TYPE_CHECKING:
    from .codings import Compressor

    JsonDumps = Callable[[Any], Union[str, bytes]]

# The same as json.dumps, which would check for arguments that are never given.
json_dumps: JsonDumps = json.JSONEncoder().encode

_WITHOUT_BODY = (101, 204, 304)

# Responses that do not even announce how long a body would be.
_WITHOUT_FRAMING = (101, 204)

# The format of a chunk: the length of its data, then the data.
_CHUNK = b"%x\r\n%b\r\n"

_LAST_CHUNK = b"0\r\n\r\n"


if TYPE_CHECKING:
    class Asked(Protocol):
        """A request to answer."""

        @property
        def request(self) -> ClientRequest: ...

        def call(self) -> RequestCall:
            """Return the request as users see it."""


class KeptAnswer:
    """The answer of a reply, encoded again only if it may have changed; nothing else may hold the result."""

    def __init__(self, result: CallbackResult, dumps: JsonDumps) -> None:
        self._result = result
        self._dumps = dumps
        if result.payload is None:
            self._may_be_kept = isinstance(result.body, (str, bytes)) and result.events is None
        else:
            self._may_be_kept = dumps is json_dumps
        self._answer: Answer
        self._packed_payload: bytes | None = None
        """The packed payload from when `_answer` was encoded."""

    def to(self, asked: Asked) -> Answer:
        """Return the answer to a request: the one that was kept, if it is still valid."""
        request = asked.request
        if (
            self._may_be_kept
            and request.method != hdrs.METH_HEAD
            and hdrs.CONNECTION not in request.headers
            and (request.version is HttpVersion11 or request.version == HttpVersion11)
        ):
            try:
                packed = marshal.dumps(self._result.payload)
            except ValueError:
                pass
            else:
                if packed != self._packed_payload:
                    self._answer = encode(self._result, request, asked.call, self._dumps).in_one_piece()
                    self._packed_payload = packed
                return self._answer
        return encode(self._result, request, asked.call, self._dumps)


def encode(
    result: CallbackResult, request: ClientRequest, call: Callable[[], RequestCall], dumps: JsonDumps
) -> Answer:
    """Return a result as the answer to a request, which has been sent; functions in the result get the `call`.

    The faults of clients that cannot connect, and `HANG`, are not answers and are handled elsewhere.
    """
    if result.fault is Fault.CONNECTION_RESET:
        return Answer(b"", close=Close(error=ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")))
    if result.fault is Fault.EMPTY_RESPONSE:
        return Answer(b"", close=Close())
    if result.fault is Fault.MALFORMED_RESPONSE:
        return Answer(b"This is not HTTP.\r\n\r\n", close=Close())
    headers = result.headers
    truncated = result.fault is Fault.TRUNCATED_BODY
    source = _source(result, call, dumps)
    coding = None
    if hdrs.CONTENT_ENCODING in headers and source:
        from .codings import coding_of  # Not before it is needed.

        coding = coding_of(headers[hdrs.CONTENT_ENCODING])
    body: bytes | AsyncGenerator[bytes, None]
    if isinstance(source, bytes):
        coded = source if coding is None else coding.compressed(source)
        framing = framing_of(result, request, len(coded), is_compressed=coded is not source)
        body = _framed(coded, framing, truncated)
    else:
        compressor = None if coding is None else coding.piecewise()
        size = size_of(source) if compressor is None else None
        framing = framing_of(result, request, size, is_compressed=compressor is not None)
        body = _streamed(pieces(source), compressor, framing, truncated)
        if isinstance(source, (list, tuple)):
            body = _joined(body)
    if request.method == hdrs.METH_HEAD or result.status in _WITHOUT_BODY:
        # Only the head is sent, whatever it announces.
        body, framing.hang_up = b"", False
    is_last = _is_last(result, request)
    head = _head(result, request, _content_type(result, source), framing, is_last)
    return Answer(head, body, Close(framing.hang_up) if framing.hang_up or truncated or is_last else None)


class Framing:
    """How the client finds the end of a body."""

    def __init__(
        self, header: bytes = b"", length: int | None = None, chunked: bool = False, hang_up: bool = False
    ) -> None:
        self.header = header
        """The header line for it; b"" if a registered header says it, or none is needed."""
        self.length = length
        """How many bytes the head announces."""
        self.chunked = chunked
        """Whether the body is sent in chunks."""
        self.hang_up = hang_up
        """Whether the end of the connection marks the end of the body."""

    @classmethod
    def by_length(cls, length: str) -> Framing:
        """Announce a length, exactly as it is written."""
        return cls(b"Content-Length: %b\r\n" % length.encode(), int(length) if length.strip().isdecimal() else None)


def framing_of(result: CallbackResult, request: ClientRequest, size: int | None, is_compressed: bool) -> Framing:
    """Decide how the client finds the end of a body: by `Content-Length`, chunks, or the end of the connection.

    `size` is the size of the body on the wire, or None if it is unknown until everything has been sent. `is_compressed`
    is whether the body was registered uncompressed and is compressed for this answer.
    """
    headers = result.headers
    registered = headers.get(hdrs.CONTENT_LENGTH)
    may_have_chunks = _may_have_chunks(result, request)
    if hdrs.TRANSFER_ENCODING in headers and may_have_chunks:
        # No length is sent beside it. Without chunks, the end of the connection marks the end of the body.
        chunked = "chunked" in headers[hdrs.TRANSFER_ENCODING].lower()
        return Framing(chunked=chunked, hang_up=not chunked)
    if result.status in _WITHOUT_BODY:
        return Framing.by_length(registered) if registered is not None and result.status == 304 else Framing()
    if is_compressed and request.method != hdrs.METH_HEAD:
        # It is the length of the uncompressed body.
        registered = None
    if size is None:
        if registered is not None:
            return Framing.by_length(registered)
        return Framing(b"Transfer-Encoding: chunked\r\n", chunked=True) if may_have_chunks else Framing(hang_up=True)
    if result.fault is Fault.TRUNCATED_BODY:
        # Even an empty body must have something missing.
        return Framing.by_length(registered or str(max(size, 1)))
    return Framing.by_length(registered if registered and request.method == hdrs.METH_HEAD else str(size))


def _content_type(result: CallbackResult, source: object) -> str | None:
    """Return the `Content-Type` to send unless the headers have one; None to send none."""
    if isinstance(source, Payload) and result.content_type is JSON:
        return own_type(source)
    return result.content_type


def _may_have_chunks(result: CallbackResult, request: ClientRequest) -> bool:
    """Tell whether a server may send `Transfer-Encoding` in an answer."""
    return request.version >= HttpVersion11 and result.status not in _WITHOUT_FRAMING


def _is_last(result: CallbackResult, request: ClientRequest) -> bool:
    """Tell whether the connection is closed after an answer, because the request or the reply says so."""
    asked = _about_connection(request.headers)
    if "close" in asked or "close" in _about_connection(result.headers):
        return True
    return request.version < HttpVersion11 and "keep-alive" not in asked


def _about_connection(headers: CIMultiDict[str]) -> set[str]:
    return {word.strip().lower() for value in headers.getall(hdrs.CONNECTION, ()) for word in value.split(",")}


def _head(
    result: CallbackResult, request: ClientRequest, content_type: str | None, framing: Framing, is_last: bool
) -> bytes:
    """Return the status line and all headers, with the empty line after them."""
    headers = result.headers
    is_old = request.version < HttpVersion11
    left_out = {"content-length"}
    if not _may_have_chunks(result, request):
        left_out.add("transfer-encoding")
    if hdrs.CONTENT_ENCODING in headers:
        from .codings import lacks_codec  # Not before it is needed.

        if lacks_codec(headers[hdrs.CONTENT_ENCODING]):
            # Without the codec, aiohttp's client does not accept the coding either, so a server would not use it.
            left_out.add("content-encoding")
    reason = phrase(result.status) if result.reason is None else result.reason
    lines = [f"HTTP/1.{0 if is_old else 1} {result.status:d} {reason}"]
    if content_type is not None and hdrs.CONTENT_TYPE not in headers:
        lines.append(f"{hdrs.CONTENT_TYPE}: {content_type}")
    lines += [f"{name}: {value}" for name, value in headers.items() if name.lower() not in left_out]
    if hdrs.CONNECTION not in headers:
        if is_last and not is_old:
            lines.append(f"{hdrs.CONNECTION}: close")
        elif is_old and not is_last and not framing.hang_up:
            lines.append(f"{hdrs.CONNECTION}: keep-alive")
    return b"%b%b\r\n" % ("".join(f"{line}\r\n" for line in lines).encode(), framing.header)


def phrase(status: int) -> str:
    """Return the standard reason phrase for a status; "" if there is no standard phrase."""
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""


def _source(result: CallbackResult, call: Callable[[], RequestCall], dumps: JsonDumps) -> object:
    """Return the body: bytes, or something to stream."""
    if result.payload is not None:
        payload = result.payload
        return _dumped("payload", called("payload", payload, call) if callable(payload) else payload, dumps)
    if result.events is not None:
        events: object = result.events
        if callable(events):
            events = called("events", events, call)
            check_source("events", events, f"a function that returns {EVENTS}")
        return _encoded_events(events, dumps)
    body: object = result.body
    if callable(body):
        body = called("body", body, call)
        if isinstance(body, str):
            body = encodable("body", body)
        elif isinstance(body, (FormData, Payload)):
            body = as_payload(body)
        elif not isinstance(body, (bytes, bytearray, memoryview)):
            check_source("body", body, f"a function that returns {BODIES}")
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    return body


async def _encoded_events(events: object, dumps: JsonDumps) -> AsyncGenerator[bytes, None]:
    from .events import encoded_event  # Not before it is needed.

    async with aclosing(each(events)) as items:
        async for event in items:
            yield encoded_event(event, lambda data: _dumped("events", data, dumps))


def checked_dumps(dumps: Any) -> JsonDumps:
    """Return the function that serialises payloads; raise `TypeError` if it cannot be called with one value."""
    # Nearly every mock has the default, and inspecting a signature takes as long as making the mock.
    if dumps is not json_dumps and (not callable(dumps) or misfit(dumps, None)):
        raise TypeError(f"json_dumps: expected a function that takes one value, got {shown(dumps)}")
    return dumps  # type: ignore[no-any-return]


def check_serialisable(result: CallbackResult, dumps: JsonDumps) -> None:
    """Raise `TypeError` or `ValueError` if a payload, or an event that is already known, cannot be serialised."""
    payload = result.payload
    if payload is not None and not callable(payload):
        _dumped("payload", payload, dumps)
    elif payload is not None and dumps is json_dumps and is_generator_function(payload):
        raise TypeError(
            f"payload: expected a function that returns a value, got a generator function: {shown(payload)}"
        )
    elif result.events is not None:
        from .events import encoded_event  # Not before it is needed.

        for event in known_items(result.events):
            encoded_event(event, lambda data: _dumped("events", data, dumps))


def _dumped(name: str, value: object, dumps: JsonDumps) -> bytes:
    try:
        dumped = dumps(value)
        if isinstance(dumped, str):
            return str.encode(dumped)
    except (TypeError, ValueError, RecursionError) as error:
        why = shown(error, most=None, by=str)
        raise same_kind(
            error, f"{name}: expected a value that json can serialise, got {shown(value)}: {why}"
        ) from error
    if not isinstance(dumped, (bytes, bytearray, memoryview)):
        raise TypeError(f"json_dumps: expected a function that returns text or bytes, got {shown(dumped)} from it")
    return bytes(dumped)


def _framed(body: bytes, framing: Framing, truncated: bool) -> bytes:
    """Return a body as it is sent over the wire; only half of it if it is to be truncated."""
    if framing.chunked:
        body = _CHUNK % (len(body), body) + _LAST_CHUNK if body else _LAST_CHUNK
    if truncated:
        shortest = len(body) if framing.length is None else min(framing.length, len(body))
        body = body[:shortest // 2]
    return body


async def _streamed(
    body: AsyncGenerator[bytes, None],
    compressor: Compressor | None,
    framing: Framing,
    truncated: bool,
) -> AsyncGenerator[bytes, None]:
    """Yield a body as it is sent over the wire: at most the announced length, or half of that if truncated.

    If no length is announced, a truncated body lacks only its end. Each piece yields exactly one piece here, which may
    be empty, because the sender gives the loop a turn after each.
    """
    most = framing.length
    if truncated and most is not None:
        most //= 2
    async with aclosing(body):
        async for piece in body:
            if most is not None:
                # The rest of the body is still consumed, as a server runs a handler's code after the last write.
                piece = piece[:most]
                most -= len(piece)
            coded = piece if compressor is None else compressor.compress(piece)
            yield _CHUNK % (len(coded), coded) if framing.chunked and coded else coded
            if truncated and most == 0:
                break
    if truncated:
        return
    if compressor is not None:
        coded = compressor.flush()
        if coded:
            yield _CHUNK % (len(coded), coded) if framing.chunked else coded
    if framing.chunked:
        yield _LAST_CHUNK


async def _joined(body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Yield the same body with small pieces joined: pieces that are known beforehand need not be sent one by one."""
    held = bytearray()
    async with aclosing(body):
        try:
            async for piece in body:
                if len(held) + len(piece) > PIECE:
                    yield bytes(held)
                    held.clear()
                held += piece
        except Exception:
            yield bytes(held)
            raise
    yield bytes(held)
