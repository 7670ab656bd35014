"""What has been written of a request, kept for those who ask later."""

from __future__ import annotations

import io
import tempfile
import weakref
from collections.abc import Iterator
from typing import IO

_PIECE = 2 ** 16

_MOST_IN_MEMORY = 2 ** 22


class Written:
    """What has been written of a request, piece by piece; from 4 MiB on it is kept in a temporary file."""

    __slots__ = ("__weakref__", "_file", "_pieces", "size")

    def __init__(self, first: bytes = b"") -> None:
        self._pieces = [first] if first else []
        self._file: IO[bytes] | None = None
        self.size = len(first)
        """In bytes."""

    @property
    def is_large(self) -> bool:
        """Whether it is not kept in memory."""
        return self._file is not None

    def append(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self.size += len(piece)
        if self.size > _MOST_IN_MEMORY:
            self._move_to_file()

    def _move_to_file(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()
            # It lives as long as this; nobody is there to close it.
            weakref.finalize(self, self._file.close)
        self._file.writelines(self._pieces)
        self._pieces.clear()

    def beginning(self) -> bytes:
        """Return as many pieces as it takes to have the head, or all where it has not been written."""
        head = b""
        for piece in self:
            head += piece
            if b"\r\n\r\n" in head:
                break
        return head

    def __iter__(self) -> Iterator[bytes]:
        if self._file is None:
            yield from self._pieces
            return
        for start in range(0, self.size, _PIECE):
            self._file.seek(start)
            piece = self._file.read(_PIECE)
            self._file.seek(0, io.SEEK_END)
            yield piece

    def __bytes__(self) -> bytes:
        return b"".join(self)

    def __reduce__(self) -> tuple[object, ...]:
        return Written, (bytes(self),)
