"""What has been written of a request, kept for those who ask later.

Large uploads are kept outside of memory, all of them in one temporary file, for a test may keep hundreds, and a process
has few files. The file is made of blocks of one size: a request is a list of them, and the blocks of one that is
forgotten are used again. It is closed with the last request that has any in it. Where there can be no such file, as on
a disk that is full, requests stay in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryFile
from threading import Lock
from weakref import finalize, ref

_BLOCK = 2 ** 16

_MOST_IN_MEMORY = 2 ** 22


class _Spool:
    """Blocks of bytes in a temporary file."""

    def __init__(self) -> None:
        self._file = TemporaryFile(buffering=0)
        self._count = 0
        self._lock = Lock()
        self.unused: list[int] = []
        """The numbers of blocks that may be written once more."""
        # Nothing else closes it.
        finalize(self, self._file.close)

    def write(self, block: memoryview) -> int:
        """Write a block; return its number. Raises `OSError` where it does not fit."""
        with self._lock:
            if self.unused:
                number = self.unused.pop()
            else:
                number = self._count
                self._count += 1
            self._file.seek(number * _BLOCK)
            if self._file.write(block) != _BLOCK:
                raise OSError("the disk is full")
        return number

    def read(self, number: int) -> bytes:
        with self._lock:
            self._file.seek(number * _BLOCK)
            return self._file.read(_BLOCK)


# The one that is in use; it lives as long as somebody has a block in it.
_spool: ref[_Spool] | None = None


def _spool_in_use() -> _Spool:
    global _spool
    spool = None if _spool is None else _spool()
    if spool is None:
        spool = _Spool()
        _spool = ref(spool)
    return spool


class Written:
    """What has been written of a request, piece by piece; more than 4 MiB are not kept in memory."""

    __slots__ = ("__weakref__", "_blocks", "_most_in_memory", "_pieces", "_spool", "_tail", "size")

    def __init__(self, first: bytes = b"") -> None:
        self._spool: _Spool | None = None
        self._blocks: list[int] = []
        self._pieces = [first] if first else []
        self._tail = self.size = len(first)
        """In bytes: what stands in `_pieces`, behind the blocks, and all of it."""
        self._most_in_memory: float = _MOST_IN_MEMORY

    @property
    def is_large(self) -> bool:
        """Whether it is not kept in memory."""
        return bool(self._blocks)

    def append(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._tail += len(piece)
        self.size += len(piece)
        if self.size > self._most_in_memory and self._tail >= _BLOCK:
            self._move_out()

    def _move_out(self) -> None:
        """Move as many of the bytes in memory as make whole blocks."""
        tail = memoryview(b"".join(self._pieces) if len(self._pieces) > 1 else self._pieces[0])
        moved = 0
        try:
            if self._spool is None:
                self._spool = _spool_in_use()
                finalize(self, self._spool.unused.extend, self._blocks)
            while len(tail) - moved >= _BLOCK:
                self._blocks.append(self._spool.write(tail[moved:moved + _BLOCK]))
                moved += _BLOCK
        except OSError:
            self._most_in_memory = float("inf")
        self._pieces = [bytes(tail[moved:])]
        self._tail -= moved

    def beginning(self) -> bytes:
        """Return as many pieces as it takes to have the head, or all where it has not been written."""
        head = b""
        for piece in self:
            head += piece
            if b"\r\n\r\n" in head:
                break
        return head

    def __iter__(self) -> Iterator[bytes]:
        # More may be written in the meantime.
        place = 0
        while place < len(self._blocks):
            assert self._spool is not None
            yield self._spool.read(self._blocks[place])
            place += 1
        yield from tuple(self._pieces)

    def __bytes__(self) -> bytes:
        return b"".join(self)

    def __reduce__(self) -> tuple[object, ...]:
        return Written, (bytes(self),)
