"""Which virtual time each thread has.

This is a room of its own, so that code which asks for virtual time need not import it: most tests do without.
"""

from __future__ import annotations

from threading import get_ident
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from typing import Protocol

    class Time(Protocol):
        """What other rooms need of virtual time."""

        @property
        def now(self) -> float:
            """The virtual time that replaces `time.monotonic()`."""

        @property
        def elapsed(self) -> float:
            """The seconds since its start."""

        def perf_counter(self) -> float:
            """Return the virtual time that replaces `time.perf_counter()`."""

        def note_call(self) -> None:
            """Note that a call begins."""

        def note_refusal(self, shown: str) -> None:
            """Note that no mock answers a request; `shown` describes the refusal."""

        def take(self, loop: AbstractEventLoop) -> None:
            """Make a loop follow this time."""


# By thread identity. It is nearly always empty, and callers check for that first.
running: dict[int, Time] = {}


def time_here() -> Time | None:
    """Return the virtual time of this thread, if it has one."""
    return running.get(get_ident())


def perf_counter_here() -> float:
    """Return the seconds of `time.perf_counter()`, or those of this thread's virtual time in their place."""
    virtual = time_here() if running else None
    return perf_counter() if virtual is None else virtual.perf_counter()
