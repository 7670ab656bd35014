"""Which virtual time there is in which thread.

Apart from that time itself, so that what asks for it need not import it: most tests have none.
"""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop


class Time(Protocol):
    """What others need of virtual time."""

    @property
    def now(self) -> float:
        """The time in place of `time.monotonic()`."""

    @property
    def elapsed(self) -> float:
        """The seconds since its start."""

    def perf_counter(self) -> float:
        """Return the time in place of `time.perf_counter()`."""

    def note_call(self) -> None:
        """Note that a call begins."""

    def note_refusal(self, shown: str) -> None:
        """Note that no mock answers a request, as it is to be shown."""

    def take(self, loop: AbstractEventLoop) -> None:
        """Have a loop go by this time."""


# By the identity of the thread. Nearly always it is empty, which is all that is looked at then.
running: dict[int, Time] = {}


def time_here() -> Time | None:
    """Return the virtual time of this thread, if it has one."""
    return running.get(get_ident())
