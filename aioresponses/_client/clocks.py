"""Which virtual time each thread has.

This is a room of its own, so that code which asks for virtual time need not import it: most tests do without.
"""

from __future__ import annotations

import time
from threading import get_ident
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
            """Note that no mock answers a request, as it is to be shown."""

        def take(self, loop: AbstractEventLoop) -> None:
            """Make a loop follow this time."""


# For rooms that are imported when they are needed, perhaps while a test replaces this function.
real_perf_counter = time.perf_counter

# By thread identity. It is nearly always empty, and callers check for that first.
running: dict[int, Time] = {}


def time_here() -> Time | None:
    """Return the virtual time of this thread, if it has one."""
    return running.get(get_ident())
