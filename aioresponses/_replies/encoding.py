"""A reply as bytes on the wire: the head, the body, whole or in pieces, and how the client finds its end.

`encode` makes an answer of any result; `framing_of` decides on `Content-Length`, chunks and hang-ups. `KeptAnswer`
spares most replies the encoding.

Answers that are kept
---------------------
Most mocks say the same whenever they answer. So the last answer of such a reply is kept, and is sent again as it is.

One thing may change without a word to us: the payload. It belongs to the test, which may alter it in its place between
two requests, and it is serialised when it is sent. Therefore each request packs it with `marshal`, which takes a
fraction of the time that serialising takes, and compares that with what it packed to when the answer was encoded.
What packs to the same bytes is the same payload, for the packer keeps the type of each value and the order of a dict.
The reverse does not hold, since it also notes which objects are referred to from elsewhere; that costs one encoding.
It takes plain values of builtin types alone, and a payload with any other in it is serialised for each request.

These answers are never kept, for more than a payload decides what they are:

*   that of a result which the user holds as well: any of its attributes may become another;
*   that of a stream, of a function, or of a buffer which can be written to;
*   that which a `json_dumps` of the user's own serialises: it may do more than that, such as count;
*   that to HEAD: it has no body, unlike those to other methods.
"""

from __future__ import annotations

import errno
import http
import json
import marshal
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, NamedTuple, Union

from aiohttp import hdrs

from .._calls.record import RequestCall
from .._client.transport import Answer, Close
from .._display import shortened
from .bodies import called, check_source, each, pieces, size_of
from .codings import Compressor, coding_of
from .events import encoded_event
from .results import BODIES, EVENTS, CallbackResult, Fault

JsonDumps = Callable[[Any], Union[str, bytes]]

# As json.dumps does it, without looking at arguments that are never given.
json_dumps: JsonDumps = json.JSONEncoder().encode

_WITHOUT_BODY = (101, 204, 304)

# Takes the length of some data, and the data.
_CHUNK = b"%x\r\n%b\r\n"

_LAST_CHUNK = b"0\r\n\r\n"


class KeptAnswer:
    """The answer of a reply, encoded anew only where it may have changed; the result must belong to the reply alone."""

    def __init__(self, result: CallbackResult, dumps: JsonDumps) -> None:
        self._result = result
        self._dumps = dumps
        if result.payload is None:
            self._may_be_kept = isinstance(result.body, (str, bytes)) and result.events is None
        else:
            self._may_be_kept = dumps is json_dumps
        self._answer: Answer
        self._packed_payload: bytes | None = None
        """What the payload was packed to when `_answer` was encoded."""

    def to(self, method: str, call: Callable[[], RequestCall]) -> Answer:
        """Return the answer to a request, the kept one where it is still what the reply says."""
        if self._may_be_kept and method != hdrs.METH_HEAD:
            try:
                packed = marshal.dumps(self._result.payload)
            except ValueError:
                pass
            else:
                if packed != self._packed_payload:
                    self._answer = encode(self._result, method, call, self._dumps).in_one_piece()
                    self._packed_payload = packed
                return self._answer
        return encode(self._result, method, call, self._dumps)


def encode(result: CallbackResult, method: str, call: Callable[[], RequestCall], dumps: JsonDumps) -> Answer:
    """Return a result as the answer to a request with this method; its functions are given the `call`.

    The faults `CONNECTION_REFUSED` and `HANG` are no answers, and have no place here.
    """
    if result.fault is Fault.CONNECTION_RESET:
        return Answer(b"", close=Close(ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")))
    if result.fault is Fault.EMPTY_RESPONSE:
        return Answer(b"", close=Close())
    if result.fault is Fault.MALFORMED_RESPONSE:
        return Answer(b"This is not HTTP.\r\n\r\n", close=Close())
    headers = result.headers
    truncated = result.fault is Fault.TRUNCATED_BODY
    source = _source(result, call, dumps)
    coding = coding_of(headers[hdrs.CONTENT_ENCODING]) if hdrs.CONTENT_ENCODING in headers and source else None
    body: bytes | AsyncGenerator[bytes, None]
    if isinstance(source, bytes):
        coded = source if coding is None else coding.compressed(source)
        framing = framing_of(result, method, len(coded), is_compressed=coded is not source)
        body = _framed(coded, framing, truncated)
    else:
        compressor = None if coding is None else coding.piecewise()
        size = size_of(source) if compressor is None else None
        framing = framing_of(result, method, size, is_compressed=compressor is not None)
        body = _streamed(pieces(source), compressor, framing, truncated, size)
    head = _head(result, framing)
    if method == hdrs.METH_HEAD or result.status in _WITHOUT_BODY:
        # The head is all there is, whatever it announces.
        return Answer(head, b"", Close() if truncated else None)
    return Answer(head, body, Close() if framing.hang_up or truncated else None)


class Framing(NamedTuple):
    """How the client finds the end of a body."""

    header: bytes = b""
    """The line of the head that says it, unless a registered one does."""

    length: int | None = None
    """How many bytes the head announces."""

    chunked: bool = False
    """Whether the body comes in chunks."""

    hang_up: bool = False
    """Whether the connection is closed behind the body."""

    @classmethod
    def by_length(cls, length: str, hang_up: bool = False) -> Framing:
        """Announce a length, as it is written."""
        number = int(length) if length.strip().isdecimal() else None
        return cls(b"Content-Length: %b\r\n" % length.encode(), number, hang_up=hang_up)


def framing_of(result: CallbackResult, method: str, size: int | None, is_compressed: bool) -> Framing:
    """Decide how the client finds the end of a body: by `Content-Length`, by chunks, or by a hang-up.

    `size` is that of the body on the wire, None where it shows only once all is sent. `is_compressed` is whether the
    body was registered plain, and is compressed by us.
    """
    headers = result.headers
    registered = headers.get(hdrs.CONTENT_LENGTH)
    if is_compressed and method != hdrs.METH_HEAD:
        # It was copied from a real response, and is that of other bytes than these.
        registered = None
    if result.status in _WITHOUT_BODY:
        return Framing() if registered is None else Framing.by_length(registered)
    if hdrs.TRANSFER_ENCODING in headers:
        # Beside it stands no length. Without chunks, the end of the connection is the end of the body.
        chunked = "chunked" in headers[hdrs.TRANSFER_ENCODING].lower()
        return Framing(chunked=chunked, hang_up=not chunked)
    if size is None:
        if registered is None:
            return Framing(b"Transfer-Encoding: chunked\r\n", chunked=True)
        return Framing.by_length(registered)
    # Even of an empty body, something is missing when it is truncated.
    length = str(max(size, 1) if result.fault is Fault.TRUNCATED_BODY else size)
    if registered is None:
        return Framing.by_length(length)
    # One that is not that of the body is sent all the same, as such a server would. It then hangs up, for otherwise
    # the client would wait for what never comes.
    return Framing.by_length(registered or length, hang_up=registered.strip() != str(size))


def _head(result: CallbackResult, framing: Framing) -> bytes:
    """Return the status line and all headers, with the empty line behind them."""
    lines = [f"HTTP/1.1 {result.status:d} {phrase(result.status) if result.reason is None else result.reason}"]
    if hdrs.CONTENT_TYPE not in result.headers:
        lines.append(f"{hdrs.CONTENT_TYPE}: {result.content_type}")
    lines += [f"{name}: {value}" for name, value in result.headers.items() if name.lower() != "content-length"]
    return b"%b%b\r\n" % ("".join(f"{line}\r\n" for line in lines).encode(), framing.header)


def phrase(status: int) -> str:
    """Return the reason phrase that goes with a status; "" where there is none."""
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""


def _source(result: CallbackResult, call: Callable[[], RequestCall], dumps: JsonDumps) -> object:
    """Return the body: bytes, or what is to be streamed."""
    if result.payload is not None:
        payload = result.payload
        return _dumped(called("payload", payload, call) if callable(payload) else payload, dumps)
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
        return body.encode()
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if body is not result.body:
        check_source("body", body, f"a function that returns {BODIES}")
    return body


async def _encoded_events(events: object, dumps: JsonDumps) -> AsyncGenerator[bytes, None]:
    async with aclosing(each(events)) as items:
        async for event in items:
            yield encoded_event(event, dumps)


def check_payload(result: CallbackResult, dumps: JsonDumps) -> None:
    """Raise `TypeError` or `ValueError` if a payload cannot be serialised."""
    if result.payload is not None and not callable(result.payload):
        _dumped(result.payload, dumps)


def _dumped(payload: object, dumps: JsonDumps) -> bytes:
    try:
        dumped = dumps(payload)
        if isinstance(dumped, str):
            return dumped.encode()
    except (TypeError, ValueError) as error:
        raise (TypeError if isinstance(error, TypeError) else ValueError)(
            f"payload: expected a value that json can serialise, got {shortened(repr(payload))}: {error}"
        ) from error
    if not isinstance(dumped, (bytes, bytearray, memoryview)):
        raise TypeError(f"json_dumps: expected a function that returns text or bytes, got {dumped!r} from it")
    return bytes(dumped)


def _framed(body: bytes, framing: Framing, truncated: bool) -> bytes:
    """Return a body as it goes over the wire, only half of it if truncated."""
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
    most: int | None,
) -> AsyncGenerator[bytes, None]:
    """Yield `most` bytes of a body as they go over the wire, only half of them if truncated.

    Where it is not known how many there are, a truncated body is all but its end.
    """
    if truncated and framing.length is not None:
        most = framing.length // 2
    async with aclosing(body):
        async for piece in body:
            if most is not None:
                piece = piece[:most]
                most -= len(piece)
            coded = piece if compressor is None else compressor.compress(piece)
            if coded:
                yield _CHUNK % (len(coded), coded) if framing.chunked else coded
            if most == 0:
                break
    if truncated:
        return
    if compressor is not None:
        coded = compressor.flush()
        if coded:
            yield _CHUNK % (len(coded), coded) if framing.chunked else coded
    if framing.chunked:
        yield _LAST_CHUNK
