"""The written part of a request, kept for later.

Large uploads are kept outside of memory. They all share one temporary file, because a test may keep hundreds of them,
and a process can open only a limited number of files. The file consists of blocks of one size. A request has a list of
blocks, which are reused once the request is forgotten. The file is closed together with the last request that has a
block in it. If the file cannot be written, for example because the disk is full, requests stay in memory.
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
        """The numbers of blocks that may be overwritten."""
        # Nothing else closes the file.
        finalize(self, self._file.close)

    def write(self, block: memoryview) -> int:
        """Write a block; return its number. Raises `OSError` if it does not fit on the disk."""
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


# The spool in use; it lives as long as a request has a block in it.
_spool: ref[_Spool] | None = None


def _spool_in_use() -> _Spool:
    global _spool
    spool = None if _spool is None else _spool()
    if spool is None:
        spool = _Spool()
        _spool = ref(spool)
    return spool


class Written:
    """The written part of a request, collected piece by piece; anything above 4 MiB is kept outside of memory."""

    __slots__ = ("__weakref__", "_blocks", "_most_in_memory", "_pieces", "_spool", "_tail", "size")

    def __init__(self, first: bytes = b"") -> None:
        self._spool: _Spool | None = None
        self._blocks: list[int] = []
        self._pieces = [first] if first else []
        self._tail = self.size = len(first)
        """In bytes: `_tail` is the size of `_pieces`, which follow the blocks; `size` includes the blocks."""
        self._most_in_memory: float = _MOST_IN_MEMORY

    @property
    def is_large(self) -> bool:
        """Whether part of it is kept outside of memory."""
        return bool(self._blocks)

    def append(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._tail += len(piece)
        self.size += len(piece)
        if self.size > self._most_in_memory and self._tail >= _BLOCK:
            self._move_out()

    def _move_out(self) -> None:
        """Move all whole blocks out of memory."""
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
        """Return as many pieces as contain the head, or all of them if the head is incomplete."""
        head = b""
        for piece in self:
            head += piece
            if b"\r\n\r\n" in head:
                break
        return head

    def __iter__(self) -> Iterator[bytes]:
        # More may be written during the iteration.
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
