"""The time while a virtual clock runs: what it is, how it moves, and why it ended a test."""

from __future__ import annotations

import asyncio
import math
from asyncio import AbstractEventLoop, CancelledError
from collections.abc import Callable
from textwrap import indent
from typing import NoReturn

from .loops import LoopInVirtualTime
from .monotonic import real, replace_monotonic
from .stuck import about_waiting

# How many requests a test may make while its clock runs; with a high limit, ten times the limit.
_MOST_CALLS = 100_000


class VirtualTime:
    """The time of a virtual clock, and the loops that follow it."""

    def __init__(self, limit: int, grace: float) -> None:
        self.grace = grace
        self.held = 0
        self.now = 0.0
        self.on_jump: list[Callable[[float], object]] = []
        self._limit = limit
        self._most_calls = max(10 * limit, _MOST_CALLS)
        self._started = 0.0
        self._started_really = 0.0
        self._jumps = 0
        """How often the clock has jumped since the last request."""
        self._calls = 0
        self._refusals = 0
        self._last_refusal = ""
        self._loops: dict[AbstractEventLoop, LoopInVirtualTime] = {}
        self._refused: list[AbstractEventLoop] = []
        self._verdict: str | None = None
        self._raised: BaseException | None = None

    @property
    def elapsed(self) -> float:
        """The seconds since its start, rounded to the microsecond, because sums of floats are no more exact."""
        return round(self.now - self._started, 6)

    def perf_counter(self) -> float:
        """Return the virtual time that replaces `time.perf_counter()`."""
        return self._started_really + (self.now - self._started)

    def begin(self) -> None:
        """Start again, at a whole second."""
        self._started = self.now = float(math.ceil(real.monotonic()))
        self._started_really = real.perf_counter()
        self._jumps = self._calls = self._refusals = 0
        self._verdict = self._raised = None

    def end(self) -> None:
        """Let time pass in reality for all loops that followed this one."""
        while self._loops:
            _, loop = self._loops.popitem()
            loop.give_back()
        self._refused.clear()

    def take(self, loop: AbstractEventLoop) -> None:
        """Make a loop follow this time, unless it does already. If it cannot, raise `RuntimeError`, but only once."""
        if loop in self._loops or loop in self._refused or loop.is_closed():
            return
        for one in list(self._loops):
            if one.is_closed():
                self._loops.pop(one).give_back()
        try:
            self._loops[loop] = LoopInVirtualTime(loop, self)
        except RuntimeError:
            # Next time, let the loop run what remains to be done before it is closed.
            self._refused.append(loop)
            raise

    def note_call(self) -> None:
        """Note that a call begins, so the test makes progress.

        Raises `RuntimeError` if its loop cannot follow this time, and `CancelledError` if the test does not end.
        """
        self._jumps = 0
        self._calls += 1
        loop = asyncio._get_running_loop()
        if loop is not None:
            self.take(loop)
            if self._calls >= self._most_calls:
                # A client that asks again whatever is answered makes requests, but no progress.
                self._calls = 0
                self._end_test(
                    f"The test does not end: it has made {self._most_calls:,} requests.\n"
                    f"If that is right, use a VirtualClock with a limit above {self._most_calls // 10:,}.",
                    loop,
                )

    def note_refusal(self, shown: str) -> None:
        """Note that no mock answers a request; raise `CancelledError` if the code retries until one does."""
        self._refusals += 1
        self._last_refusal = shown
        loop = asyncio._get_running_loop()
        if self._refusals > self._limit and loop is not None:
            # A client that does not wait before it retries lets the clock make no jump.
            self._end_test(self._verdict_on_refusals(), loop)

    def jump_to(self, now: float, loop: AbstractEventLoop) -> bool:
        """Move to a later time; return whether the test may go on."""
        if self._jumps >= self._limit:
            self._jumps = 0
            self._give_up(
                f"The test does not end: the clock has jumped {self._limit:,} times without a request.\n"
                "If that is right, use a VirtualClock with a higher limit.",
                loop,
            )
            return False
        if self._refusals >= self._limit:
            self._give_up(self._verdict_on_refusals(), loop)
            return False
        before = self.elapsed
        self.now = max(now, self.now)
        self._jumps += 1
        replace_monotonic()
        by = round(self.elapsed - before, 6)
        try:
            for function in self.on_jump:
                function(by)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # pytest's failures are not of the class `Exception`.
            self.on_jump.clear()
            self._raised = error
            return False
        return True

    def wait_forever(self, loop: AbstractEventLoop) -> None:
        """Record that nothing can wake this loop any more."""
        self._give_up(
            "The test waits forever: no timer, no socket and no other thread is left that could wake it.", loop
        )

    def _verdict_on_refusals(self) -> str:
        """Return why the test is ended, and count from 0 again."""
        self._refusals = 0
        return f"The test does not end: {self._limit:,} requests matched no mock. The last refusal:\n" + indent(
            self._last_refusal, "  "
        )

    def _end_test(self, why: str, loop: AbstractEventLoop) -> NoReturn:
        """End the test from within a request, because its client may never give the loop a turn."""
        self._give_up(why, loop)
        if loop in self._loops:
            self._loops[loop].cancel_all()
        raise CancelledError

    def _give_up(self, why: str, loop: AbstractEventLoop) -> None:
        if self._verdict is None:
            self._verdict = f"{why}\n{about_waiting(loop, self.elapsed)}"

    def failure(
        self, make: Callable[[str], BaseException] = AssertionError, instead_of: BaseException | None = None
    ) -> BaseException | None:
        """Return the exception that says why the test was ended, and forget it; None if the test was not ended.

        `make` makes it from the text, unless a function of `on_jump` raised it. The exception may replace another one
        (`instead_of`), which may be a consequence of ending the test, but never an interrupt.
        """
        if instead_of is not None and not isinstance(instead_of, (Exception, CancelledError)):
            return None
        failure = self._raised if self._verdict is None else make(self._verdict)
        self._verdict = self._raised = None
        if failure is not None and isinstance(instead_of, Exception):
            failure.__cause__ = instead_of
        elif failure is not None:
            failure.__suppress_context__ = True
        return failure
