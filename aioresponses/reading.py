"""Reading what was written, or is about to be: the headers and the body of a request.

aiohttp's own parsers do it. They work without an event loop, as long as all data is there and no buffer is ever full;
what they are given in place of a loop, they only keep (3.8.6 to 3.14.5).
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from aiohttp import BodyPartReader, MultipartReader, MultipartWriter, StreamReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpProcessingError, HttpRequestParser
from aiohttp.payload import BytesPayload
from multidict import CIMultiDict, CIMultiDictProxy

from .written import Written

if TYPE_CHECKING:
    from aiohttp import ClientRequest

__all__ = ["Part", "body_of", "decoded", "parse_multipart", "parse_request", "read_ahead", "tee"]

_NO_LOOP = cast(asyncio.AbstractEventLoop, object())
_NO_LIMIT = 2 ** 30
_T = TypeVar("_T")

# By which a payload writes itself; aiohttp 3.12 and later call the second one.
_WRITING = ("write", "write_with_length")


class Part(NamedTuple):
    """One part of a multipart body."""

    name: str | None
    """The name of the form field."""

    filename: str | None
    """The name of the file, if it has one."""

    headers: Mapping[str, str]
    """The headers of the part, names case-insensitive."""

    content: bytes
    """The content, decoded."""


def parse_request(sent: bytes) -> tuple[CIMultiDictProxy[str], bytes]:
    """Return headers and body of a request that was written; the body without transfer and content encoding.

    Of a request that was not written to its end, as much as there is. A body that cannot be decoded is returned as
    it is.
    """
    if not sent:
        return CIMultiDictProxy(CIMultiDict()), b""
    # The C parser knows a fixed set of methods, and reads no body where it takes a request for an upgrade.
    sent = b"POST" + sent[sent.index(b" "):]
    try:
        return _parse(sent, auto_decompress=True)
    except HttpProcessingError:
        # It is not encoded as its headers say, or in a way that nothing here can decode.
        return _parse(sent, auto_decompress=False)


def _parse(sent: bytes, auto_decompress: bool) -> tuple[CIMultiDictProxy[str], bytes]:
    make = functools.partial(
        HttpRequestParser,
        BaseProtocol(_NO_LOOP),
        _NO_LOOP,
        _NO_LIMIT,
        max_line_size=_NO_LIMIT,
        max_field_size=_NO_LIMIT,
        auto_decompress=auto_decompress,
    )
    try:
        parser = make(max_headers=_NO_LIMIT)
    except TypeError:
        # Releases that do not count headers know no limit for them either.
        parser = make()
    messages, _, _ = parser.feed_data(sent)
    if not messages:
        return CIMultiDictProxy(CIMultiDict()), b""
    message, payload = messages[0]
    return message.headers, payload.read_nowait()


def parse_multipart(headers: Mapping[str, str], body: bytes) -> list[Part]:
    """Return the parts of a multipart body; those of a nested one in its place."""
    stream = StreamReader(BaseProtocol(_NO_LOOP), _NO_LIMIT, loop=_NO_LOOP)
    stream.feed_data(body)
    stream.feed_eof()
    return _at_once(_parts(MultipartReader(headers, stream)))


async def _parts(reader: MultipartReader) -> list[Part]:
    parts: list[Part] = []
    while (part := await reader.next()) is not None:
        if isinstance(part, BodyPartReader):
            parts.append(Part(part.name, part.filename, part.headers, bytes(await part.read(decode=True))))
        else:
            parts += await _parts(part)
    return parts


def _at_once(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return cast(_T, stop.value)
    coroutine.close()
    raise RuntimeError("aiohttp waits for data that is there already")


async def body_of(request: ClientRequest) -> Written | None:
    """Return the body of a request that is not written to us; None where reading it would take it from somebody."""
    body: Any = request.body
    if isinstance(body, bytes):
        return Written(body)
    if isinstance(body, BytesPayload) or (
        isinstance(body, MultipartWriter) and all(isinstance(part[0], BytesPayload) for part in body)
    ):
        writer = _Writer(None, Written())
        try:
            await body.write(cast(Any, writer))
        except Exception:
            return None  # What it raises, it raises when it is sent.
        return writer.written
    return None


async def read_ahead(request: ClientRequest) -> Written:
    """Return the body of a request before it is sent; what can be read only once is then sent from what was read.

    What reading it raises, sending it raises, at the same place.
    """
    known = await body_of(request)
    if known is not None:
        return known
    body: Any = request.body
    writer = _Writer(None, Written())
    raised: Exception | None = None
    try:
        await body.write(writer)
    except Exception as error:
        raised = error
    for name in _WRITING:
        if hasattr(body, name):
            setattr(body, name, functools.partial(_write_again, body, writer.written, raised))
    return writer.written


async def _write_again(body: Any, written: Written, raised: Exception | None, writer: Any, *args: Any) -> None:
    if not isinstance(writer, _Writer):
        # Once it has been sent, there is as little left of it as if it had not been read ahead.
        for name in _WRITING:
            vars(body).pop(name, None)
    for piece in written:
        await writer.write(piece)
    if raised is not None:
        raise raised


def decoded(encoding: str, body: bytes) -> bytes:
    """Return a body as its receiver will decode it."""
    head = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return parse_request(head.encode() + body)[1]


def tee(request: ClientRequest) -> Written:
    """Return what takes up the pieces of a body while aiohttp sends it to somebody else."""
    body: Any = request.body
    written = Written()
    for name in _WRITING:
        write = getattr(body, name, None)
        if write is not None:
            setattr(body, name, functools.partial(_write_both, write, written))
    return written


async def _write_both(write: Callable[..., Awaitable[None]], written: Written, writer: Any, *args: Any) -> None:
    if isinstance(writer, _Writer):  # One method has called the other.
        await write(writer, *args)
    else:
        await write(_Writer(writer, written), *args)


class _Writer:
    """A stream writer that keeps what is written, and hands it on where there is another one."""

    def __init__(self, to: Any, written: Written) -> None:
        self._to = to
        self.written = written

    async def write(self, chunk: bytes, *args: Any, **kwargs: Any) -> None:
        self.written.append(bytes(chunk))
        if self._to is not None:
            await self._to.write(chunk, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._to, name)
