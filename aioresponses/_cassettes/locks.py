"""A single writer for each file, across all processes of a machine.

The operating system releases a lock when the process that holds it ends, so a crash leaves no lock behind. The lock is
taken on a file in the folder for temporary files, so that no lock file appears next to a cassette.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from typing import Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_open = open


class Lock:
    """The right to write the file at a path, which must be absolute."""

    def __init__(self, path: str) -> None:
        user = getattr(os, "getuid", lambda: "")()
        name = hashlib.sha256(os.path.realpath(path).encode("utf-8", "surrogateescape")).hexdigest()[:24]
        self._path = os.path.join(tempfile.gettempdir(), f"aioresponses-{user}-{name}.lock")
        self._file: Any = None

    def acquire(self, shown: str) -> None:
        """Take the lock; raise `RuntimeError` if it is already held."""
        while self._file is None:
            file = _open(self._path, "a+b")
            try:
                _lock(file)
            except OSError:
                file.close()
                raise RuntimeError(
                    f"The cassette {shown} is already being recorded, by this process or another; give each test a "
                    f"cassette of its own, or record it in a single process"
                ) from None
            # Its last holder may have deleted the file in the meantime. Then this lock protects nothing.
            with suppress(OSError):
                if os.path.samestat(os.fstat(file.fileno()), os.stat(self._path)):
                    self._file = file
                    return
            file.close()

    def release(self) -> None:
        """Release the lock if it is held."""
        if self._file is not None:
            with suppress(OSError):
                os.unlink(self._path)
            self._file.close()
            self._file = None


def _lock(file: Any) -> None:
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
