"""The body of a reply, as users give it, and as bytes over time."""

from __future__ import annotations

import inspect
import io
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Iterator, Mapping, Set
from contextlib import aclosing
from typing import IO, TYPE_CHECKING, Any, Union

from .._calls.record import RequestCall
from .._display import shown

if TYPE_CHECKING:
    from typing_extensions import TypeAlias

PIECE = 2 ** 16

Piece = Union[str, bytes, bytearray, memoryview]

_Stream = Union[Iterable[Piece], AsyncIterable[Piece], "IO[bytes]", "IO[str]"]

Body: TypeAlias = "Piece | _Stream | Callable[..., Piece | _Stream]"


def check_source(name: str, source: object, expected: str) -> None:
    """Raise `TypeError` unless something can be streamed: a file, an iterable, an async one, or a function."""
    if inspect.iscoroutinefunction(source):
        raise TypeError(f"{name}: expected a generator function, got a coroutine function: {shown(source)}")
    if inspect.iscoroutinefunction(getattr(source, "read", None)) and not hasattr(source, "__aiter__"):
        raise TypeError(f"{name}: expected a file that is read at once, or an async iterable, got {shown(source)}")
    # These can be iterated over, but nobody means that.
    streams = isinstance(source, Iterable) and not isinstance(source, (str, bytes, Mapping, Set))
    if not (streams or isinstance(source, AsyncIterable) or callable(source) or hasattr(source, "read")):
        raise TypeError(f"{name}: expected {expected}, got {shown(source)}")


def is_used_up_by_one(source: object) -> bool:
    """Tell whether there is nothing left of a body once it has been sent."""
    if hasattr(source, "__aiter__"):
        return hasattr(source, "__anext__")
    return not _is_seekable(source) if hasattr(source, "read") else isinstance(source, Iterator)


def called(name: str, function: Callable[..., Any], call: Callable[[], RequestCall]) -> Any:
    """Return what a function returns that may take a parameter: the call that is answered."""
    result = function(call()) if _takes_parameter(function) else function()
    if inspect.iscoroutine(result):
        result.close()
        raise TypeError(f"{name}: expected a function that returns at once, got a coroutine from {shown(function)}")
    return result


def _takes_parameter(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # Some functions that are written in C have none.
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return any(parameter.kind in positional for parameter in parameters)


def size_of(source: Any) -> int | None:
    """Return how many bytes are to be sent of a body that is no bytes, where that can be known."""
    if isinstance(source, (io.RawIOBase, io.BufferedIOBase)) and source.seekable():
        start = source.tell()
        size = source.seek(0, io.SEEK_END) - start
        source.seek(start)
        return max(size, 0)
    return None


async def pieces(source: Any) -> AsyncGenerator[bytes, None]:
    """Yield a body that is no bytes."""
    if hasattr(source, "read") and not hasattr(source, "__aiter__"):
        # Two replies may read the same file side by side, and each repeated one begins where the first did.
        seekable = _is_seekable(source)
        start = place = source.tell() if seekable else 0
        while True:
            if seekable:
                source.seek(place)
            piece = _as_bytes(source.read(PIECE))
            if seekable:
                place = source.tell()
                source.seek(start)
            if not piece:
                break
            yield piece
    else:
        async with aclosing(each(source)) as items:
            async for item in items:
                yield _as_bytes(item)


async def each(source: Any) -> AsyncGenerator[Any, None]:
    """Yield the items of an iterable or an async iterable; generators are closed, however it ends."""
    try:
        if hasattr(source, "__aiter__"):
            async for item in source:
                yield item
        else:
            for item in source:
                yield item
    finally:
        if hasattr(source, "aclose"):
            await source.aclose()
        elif hasattr(source, "close"):
            source.close()


def _is_seekable(file: Any) -> bool:
    return hasattr(file, "seekable") and bool(file.seekable())


def _as_bytes(piece: object) -> bytes:
    if isinstance(piece, str):
        return piece.encode()
    if isinstance(piece, (bytes, bytearray, memoryview)):
        return bytes(piece)
    raise TypeError(f"body: expected str or bytes from what is streamed, got {shown(piece)}")
