"""The body of a reply: as users give it, and as the bytes that are sent, piece by piece."""

from __future__ import annotations

import inspect
import io
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
    Set,
    ValuesView,
)
from contextlib import aclosing
from typing import IO, TYPE_CHECKING, Any, Union, cast

from aiohttp import FormData, MultipartWriter
from aiohttp.payload import BytesPayload, Payload

from .._calls.record import RequestCall
from .._checks import encodable, is_coroutine_function, line, misfit, same_kind, signature_of
from .._display import shown

if TYPE_CHECKING:
    from typing_extensions import TypeAlias

    Piece = Union[str, bytes, bytearray, memoryview]

    # A `MultipartWriter` is a payload, and a `FormData` makes one.
    _Stream = Union[Iterable[Piece], AsyncIterable[Piece], "IO[bytes]", "IO[str]", Payload, FormData]

PIECE = 2 ** 16

Body: TypeAlias = "Piece | _Stream | Callable[[RequestCall], Piece | _Stream] | Callable[[], Piece | _Stream]"


# What messages say was expected.
BODIES = (
    "str, bytes, a file object, an iterable or async iterable of these, a MultipartWriter, or a generator function"
)

_PIECES = (str, bytes, bytearray, memoryview)


def checked_body(body: object) -> Any:
    """Return a body in the form in which it is sent; raise `TypeError` or `ValueError` if it cannot be sent."""
    if isinstance(body, str):
        return encodable("body", body)
    if isinstance(body, _PIECES):
        return body
    if isinstance(body, (FormData, Payload)):
        payload = as_payload(body)
        own_type(payload)
        return payload
    check_source("body", body, BODIES)
    for piece in known_items(body):
        if not isinstance(piece, _PIECES):
            hint = _json_hint("body", piece)
            raise TypeError(f"body: expected a list of str or bytes, got one that contains {shown(piece)}{hint}")
        if isinstance(piece, str):
            encodable("body", piece)
    return body


def as_payload(body: FormData | Payload) -> Payload:
    """Return the payload that aiohttp makes of a form; raise `TypeError` or `ValueError` if a field cannot be sent."""
    if isinstance(body, Payload):
        return body
    try:
        return body()
    except (TypeError, ValueError) as error:
        raise same_kind(error, f"body: {error}") from error


def own_type(body: Payload) -> str:
    """Return the `Content-Type` of a payload of aiohttp; raise `ValueError` if it cannot be sent."""
    return line("body", body.content_type)


def known_items(source: object) -> Collection[object]:
    """Return the items of a stream if looking at them does not use them up; otherwise none."""
    return source if isinstance(source, (Sequence, ValuesView)) else ()


def _json_hint(name: str, value: object) -> str:
    return "; to send JSON, use payload=" if name == "body" and isinstance(value, Mapping) else ""


def check_source(name: str, source: object, expected: str) -> None:
    """Raise `TypeError` or `ValueError` unless `source` can be streamed.

    What can be streamed is a file, an iterable, an async iterable, or a function that returns any of these.
    """
    if callable(source):
        if inspect.iscoroutinefunction(source):
            raise TypeError(f"{name}: expected a generator function, got a coroutine function: {shown(source)}")
        check_function(name, source)
        return
    if hasattr(source, "read") and not hasattr(source, "__aiter__"):
        _check_file(name, source)
        return
    # These can be iterated over, but are never meant as streams.
    streams = isinstance(source, Iterable) and not isinstance(source, (*_PIECES, Mapping, Set))
    if not (streams or isinstance(source, AsyncIterable)):
        hint = "; to raise it, use exception=" if isinstance(source, BaseException) else _json_hint(name, source)
        raise TypeError(f"{name}: expected {expected}, got {shown(source)}{hint}")


def _check_file(name: str, file: Any) -> None:
    if inspect.iscoroutinefunction(file.read):
        raise TypeError(f"{name}: expected a file with a plain read(), or an async iterable, got {shown(file)}")
    if getattr(file, "closed", False) is True:
        raise ValueError(f"{name}: expected an open file, got a closed one: {shown(file)}")
    if hasattr(file, "readable") and file.readable() is False:
        raise ValueError(
            f"{name}: expected a readable file, got one that is open only for writing: {shown(file)}"
        )


def check_function(name: str, function: Callable[..., Any]) -> None:
    """Raise `TypeError` unless a function can be called as `called` calls it."""
    if isinstance(function, type) and issubclass(function, BaseException):
        raise TypeError(
            f"{name}: expected a function, got an exception class: {shown(function)}; "
            "to raise it, use exception="
        )
    if isinstance(function, FormData):  # Its objects are callable.
        raise TypeError(f"{name}: a form cannot be sent as {name}, got {shown(function)}; give it as body=")
    if is_coroutine_function(function):
        raise TypeError(
            f"{name}: expected a plain function, got a coroutine function: {shown(function)}"
        )
    why = misfit(function, None) if _takes_parameter(function) else misfit(function)
    if why:
        raise TypeError(
            f"{name}: expected a function that takes the call, or no argument, got {shown(function)}: {why}"
        )


def is_used_up_by_one(source: object) -> bool:
    """Tell whether sending a body once uses it up."""
    if isinstance(source, MultipartWriter):
        return any(is_used_up_by_one(part) for part, *_ in source)
    if isinstance(source, Payload):
        return not isinstance(source, BytesPayload)
    if hasattr(source, "__aiter__"):
        return hasattr(source, "__anext__")
    return not _is_seekable(source) if hasattr(source, "read") else isinstance(source, Iterator)


def called(name: str, function: Callable[..., Any], call: Callable[[], RequestCall]) -> Any:
    """Call a function, with the call that is answered if it takes a parameter, and return its result."""
    result = function(call()) if _takes_parameter(function) else function()
    if inspect.iscoroutine(result):
        result.close()
        raise TypeError(f"{name}: expected a plain function, got one that returned a coroutine: {shown(function)}")
    return result


def _takes_parameter(function: Callable[..., Any]) -> bool:
    signature = signature_of(function)
    if signature is None:
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return any(parameter.kind in positional for parameter in signature.parameters.values())


def size_of(source: Any) -> int | None:
    """Return the number of bytes in a body that is streamed; None if it is unknown."""
    if isinstance(source, Payload):
        return source.size
    if isinstance(source, (io.RawIOBase, io.BufferedIOBase)) and source.seekable():
        start = source.tell()
        size = source.seek(0, io.SEEK_END) - start
        source.seek(start)
        return max(size, 0)
    return None


async def pieces(source: Any) -> AsyncGenerator[bytes, None]:
    """Yield the pieces of a body that is streamed."""
    if isinstance(source, Payload):
        writer = _Writer()
        await source.write(cast(Any, writer))
        for piece in writer.written:
            yield piece
    elif hasattr(source, "read") and not hasattr(source, "__aiter__"):
        # Two replies may read the same file at the same time, and each repetition begins where the first one did.
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


class _Writer:
    """Collects what a payload of aiohttp writes, because payloads cannot be iterated over."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    async def write(self, piece: bytes) -> None:
        self.written.append(bytes(piece))


async def each(source: Any) -> AsyncGenerator[Any, None]:
    """Yield the items of an iterable or an async iterable; always close a generator in the end."""
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
        return encodable("body", piece).encode()
    if isinstance(piece, (bytes, bytearray, memoryview)):
        return bytes(piece)
    raise TypeError(f"body: expected a stream of str or bytes, got {shown(piece)}")
