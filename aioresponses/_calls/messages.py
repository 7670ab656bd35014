"""Reading what was written, or is about to be: the headers and the body of a request.

aiohttp's own parsers do it. They work without an event loop, as long as all data is there and no buffer is ever full;
what they are given in place of a loop, they only keep (3.8.6 to 3.14.5).
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Coroutine, Mapping
from typing import Any, NamedTuple, TypeVar, cast

from aiohttp import BodyPartReader, MultipartReader, StreamReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpProcessingError, HttpRequestParser
from multidict import CIMultiDict, CIMultiDictProxy

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


def decoded(encoding: str, body: bytes) -> bytes:
    """Return a body as its receiver will decode it."""
    head = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return parse_request(head.encode() + body)[1]
