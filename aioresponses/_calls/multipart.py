"""The parts of a multipart body.

aiohttp's own reader splits the body. It works without an event loop as long as all data is there and no buffer is full;
it only stores what it gets instead of a loop (3.8.6 to 3.14.5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, NamedTuple, TypeVar, cast

from aiohttp import BodyPartReader, MultipartReader, StreamReader
from aiohttp.base_protocol import BaseProtocol
from multidict import CIMultiDictProxy

_T = TypeVar("_T")

_NO_LOOP = cast(asyncio.AbstractEventLoop, object())

_NO_LIMIT = 2 ** 30


class Part(NamedTuple):
    """One part of a multipart body, as `RequestCall.multipart` returns it.

    >>> [part] = mock.calls[0].multipart()
    >>> part.filename, part.content
    ('a.csv', b'1,2')
    """

    name: str | None
    """The name of the form field."""

    filename: str | None
    """The name of the file, if it has one."""

    headers: Mapping[str, str]
    """The headers of the part, names case-insensitive."""

    content: bytes
    """The content, decoded."""


def parts(headers: CIMultiDictProxy[str], body: bytes) -> list[Part]:
    """Return the parts of a multipart body; a nested multipart body is replaced by its parts.

    Raises what aiohttp raises for a body that cannot be read: `ValueError`, `RuntimeError`, or an error of its own or
    of zlib.
    """
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
    """Run a coroutine that never has to wait."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return cast("_T", stop.value)
    coroutine.close()
    raise RuntimeError("aiohttp waits for data that is already there")
