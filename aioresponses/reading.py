"""Reading what was written: the headers and the body of a request, from its bytes.

aiohttp's own parsers do it. They work without an event loop, as long as all data is there and no buffer is ever full;
what they are given in place of a loop, they only keep (3.8.6 to 3.14.5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from aiohttp import BodyPartReader, MultipartReader, StreamReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpRequestParser
from aiohttp.payload import BytesPayload
from multidict import CIMultiDict, CIMultiDictProxy

if TYPE_CHECKING:
    from aiohttp import ClientRequest

__all__ = ["Part", "body_of", "parse_multipart", "parse_request"]

_NO_LOOP = cast(asyncio.AbstractEventLoop, object())
_NO_LIMIT = 2 ** 30
_T = TypeVar("_T")


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

    Of a request that was not written to its end, as much as there is.
    """
    if not sent:
        return CIMultiDictProxy(CIMultiDict()), b""
    # The C parser knows a fixed set of methods, and reads no body where it takes a request for an upgrade.
    line = b"POST" + sent[sent.index(b" "):]
    parser = HttpRequestParser(
        BaseProtocol(_NO_LOOP), _NO_LOOP, _NO_LIMIT, max_line_size=_NO_LIMIT, max_field_size=_NO_LIMIT
    )
    messages, _, _ = parser.feed_data(line)
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


async def body_of(request: ClientRequest) -> bytes:
    """Return the body of a request that is not written to us, where that takes nothing from anybody else."""
    body = request.body
    if not isinstance(body, BytesPayload):
        return body if isinstance(body, bytes) else b""
    writer = _Writer()
    await body.write(cast(Any, writer))
    return b"".join(writer.written)


class _Writer:
    def __init__(self) -> None:
        self.written: list[bytes] = []

    async def write(self, chunk: bytes) -> None:
        self.written.append(bytes(chunk))
