"""Content codings: a body is registered in the form in which it will be read, and compressed on the wire."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

# How many bytes are enough to recognise that a body is compressed.
_MARK = 4

# The modules in which each codec is looked for, the same that aiohttp 3.14 uses for decompressing.
_CODECS = {"br": ("brotlicffi", "brotli"), "zstd": ("compression.zstd", "backports.zstd")}


if TYPE_CHECKING:
    class Compressor(Protocol):
        """Compresses a body piece by piece, with the interface of `zlib.compressobj`."""

        def compress(self, data: bytes, /) -> bytes: ...

        def flush(self) -> bytes: ...


class Coding:
    """How a body is compressed."""

    def __init__(
        self, compressor: Callable[[], Compressor], is_coded: Callable[[bytes], bool], begins: Callable[[bytes], bool]
    ) -> None:
        self.compressor = compressor
        self.is_coded = is_coded
        """Whether a complete body is already compressed."""
        self.begins = begins
        """Whether the first bytes of a body, at least `_MARK` of them, show that it is compressed."""

    def compressed(self, body: bytes) -> bytes:
        """Return a body in this coding, unchanged if it is already compressed."""
        if self.is_coded(body):
            return body
        compressor = self.compressor()
        return compressor.compress(body) + compressor.flush()

    def piecewise(self) -> Compressor:
        """Return what does the same for a body that arrives piece by piece."""
        return _UnlessCoded(self)


class _UnlessCoded:
    """Compresses a body unless its first bytes, held back until they are enough, show that it is compressed."""

    def __init__(self, coding: Coding) -> None:
        self._coding = coding
        self._held = b""
        self._has_begun = False
        self._compressor: Compressor | None = None

    def compress(self, data: bytes, /) -> bytes:
        if not self._has_begun:
            self._held += data
            if len(self._held) < _MARK:
                return b""
            data, self._held, self._has_begun = self._held, b"", True
            if not self._coding.begins(data):
                self._compressor = self._coding.compressor()
        return data if self._compressor is None else self._compressor.compress(data)

    def flush(self) -> bytes:
        if self._compressor is not None:
            return self._compressor.flush()
        return self._coding.compressed(self._held) if self._held else b""


def coding_of(name: str) -> Coding | None:
    """Return the coding of a `Content-Encoding` header; None if it is not gzip, deflate, br or zstd.

    Also None if the codec is not installed.
    """
    name = name.strip().lower()
    if name == "gzip":
        return Coding(lambda: zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS), _is_gzipped, _is_gzipped)
    if name == "deflate":
        return Coding(zlib.compressobj, _is_deflated, _begins_deflated)
    codec = _imported(_CODECS.get(name, ()))
    if codec is None:
        return None
    if name == "br":
        # It has no magic number: only a complete body can be recognised.
        return Coding(lambda: _BrotliCompressor(codec), lambda body: _is_brotli(codec, body), lambda head: False)
    return Coding(codec.ZstdCompressor, _is_zstd, _is_zstd)


def lacks_codec(name: str) -> bool:
    """Tell whether this is the name of a known coding whose codec is not installed."""
    name = name.strip().lower()
    return name in _CODECS and _imported(_CODECS[name]) is None


def _imported(modules: Sequence[str]) -> Any:
    for module in modules:
        try:
            return importlib.import_module(module)
        except ImportError:
            pass
    return None


class _BrotliCompressor:
    def __init__(self, brotli: Any) -> None:
        self._compressor = brotli.Compressor()

    def compress(self, data: bytes) -> bytes:
        return bytes(self._compressor.process(data))

    def flush(self) -> bytes:
        return bytes(self._compressor.finish())


def _is_gzipped(body: bytes) -> bool:
    return body.startswith(b"\x1f\x8b")


def _is_zstd(body: bytes) -> bool:
    return body.startswith(b"\x28\xb5\x2f\xfd")


def _begins_deflated(head: bytes) -> bool:
    # Without a zlib header, compressed data cannot be recognised by its beginning.
    if head[0] & 15 != 8 or int.from_bytes(head[:2], "big") % 31:
        return False
    try:
        zlib.decompressobj().decompress(head)
    except zlib.error:
        return False
    return True


def _is_deflated(body: bytes) -> bool:
    return any(_inflates(body, wbits) for wbits in (zlib.MAX_WBITS, -zlib.MAX_WBITS))


def _inflates(body: bytes, wbits: int) -> bool:
    inflate = zlib.decompressobj(wbits)
    try:
        inflate.decompress(body)
    except zlib.error:
        return False
    return inflate.eof and not inflate.unused_data


def _is_brotli(brotli: Any, body: bytes) -> bool:
    try:
        brotli.decompress(body)
    except brotli.error:
        return False
    return True
