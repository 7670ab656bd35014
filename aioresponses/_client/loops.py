"""An event loop that follows a virtual clock: its time, timers, executors and selector, patched on the instance.

The loop has an offset from the clock, which is usually 0. A loop that another clock has moved far into the future stays
there, because its time must not go back.

Private names of asyncio, the same in CPython 3.10 to 3.15: `_selector`, `_scheduled`, `_ready` and `_clock_resolution`
of a loop, `_when` and `_cancelled` of its timers.
"""

from __future__ import annotations

import itertools
import math
from asyncio import AbstractEventLoop, BaseEventLoop, TimerHandle, all_tasks, isfuture
from collections.abc import Callable
from contextvars import Context
from typing import Any, Protocol

from .._display import shown
from .monotonic import real
from .outside import other_threads, patience

# How often the tasks of a loop are cancelled because they wait forever, before the loop is stopped.
_MOST_CANCELS = 10

# How many seconds to wait before looking at the other threads again.
_LOOK_AGAIN = 0.1

_count = itertools.count()

_MISSING = object()


class Time(Protocol):
    """What a loop needs of its clock."""

    now: float
    """The virtual time that replaces `time.monotonic()`, in seconds."""

    held: int
    """How many `hold` blocks are active; while there are any, time passes in reality."""

    @property
    def grace(self) -> float:
        """How many real seconds to wait for sockets."""

    def jump_to(self, now: float, loop: AbstractEventLoop) -> bool:
        """Move to a later time, for a timer of this loop; return whether the test may go on."""

    def wait_forever(self, loop: AbstractEventLoop) -> None:
        """Record that nothing can wake this loop any more."""


class _When(float):
    """The time of a timer. Among equal times, the one set first is the least."""

    __slots__ = ("order",)

    order: int

    @classmethod
    def of(cls, when: float) -> _When:
        made = cls(when)
        made.order = next(_count)
        return made

    # Timers compare their times with `<`, and a heap compares its timers with `<`.
    def __lt__(self, other: float) -> bool:
        return float(self) < other or self == other and isinstance(other, _When) and self.order < other.order


def check_loop(loop: AbstractEventLoop) -> None:
    """Raise `RuntimeError` unless this loop can be patched."""
    selector = getattr(loop, "_selector", None)
    if not isinstance(loop, BaseEventLoop) or not hasattr(selector, "get_map") or not hasattr(selector, "__dict__"):
        raise RuntimeError(
            "Virtual time needs asyncio's default event loop, asyncio.SelectorEventLoop, and cannot use "
            f"{shown(loop)}. Use the default loop: run this without the policy or the loop_factory that made the other"
        )


class LoopInVirtualTime:
    """A loop that follows a clock until it is given back."""

    def __init__(self, loop: AbstractEventLoop, virtual: Time) -> None:
        check_loop(loop)
        selector: Any = loop._selector  # type: ignore[attr-defined]
        self._loop: Any = loop
        self._time = virtual
        self._offset = max(0, math.ceil(loop.time() - virtual.now))
        self._jobs = 0
        self._cancels = 0
        self._poll: Callable[[float | None], list[Any]] = selector.select
        self._call_at_really = loop.call_at
        self._run_in_executor_really = loop.run_in_executor
        self._shut_down_executor_really = loop.shutdown_default_executor
        self._before: list[tuple[Any, str, object, object]] = []
        try:
            if loop.is_running():
                self._forgive_slow_callback()
            self._put(loop, "time", self._now)
            self._put(loop, "call_at", self._call_at)
            self._put(loop, "run_in_executor", self._run_in_executor)
            self._put(loop, "shutdown_default_executor", self._shut_down_executor)
            self._put(selector, "select", self._select)
            self._match_resolution()
        except BaseException:
            self._take_out()
            raise

    def _forgive_slow_callback(self) -> None:
        """In debug mode, keep the loop from reporting that the callback which starts the clock took long."""
        loop, before = self._loop, self._loop.slow_callback_duration

        def put_back() -> None:
            if loop.slow_callback_duration == math.inf:
                loop.slow_callback_duration = before

        # The same callback may stop the clock.
        loop.call_soon(put_back)
        loop.slow_callback_duration = math.inf

    def _put(self, owner: Any, name: str, value: object) -> None:
        self._before.append((owner, name, vars(owner).get(name, _MISSING), value))
        setattr(owner, name, value)

    def _take_out(self) -> None:
        while self._before:
            owner, name, before, value = self._before.pop()
            if vars(owner).get(name) != value:
                continue  # Other code has replaced it in the meantime, and has to put it back itself.
            if before is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, before)

    def give_back(self) -> None:
        """Let time pass in reality for the loop, from its current time on."""
        ahead = self._now() - real.monotonic()
        self._take_out()
        if not self._loop.is_closed():
            self._loop.time = lambda: real.monotonic() + ahead

    # The replacements for the loop's own methods.

    def _now(self) -> float:
        return self._time.now + self._offset

    def _call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> TimerHandle:
        timer = self._call_at_really(
            _When.of(when) if isinstance(when, (int, float)) else when, callback, *args, context=context
        )
        if timer._source_traceback:  # type: ignore[attr-defined]
            del timer._source_traceback[-1]  # type: ignore[attr-defined]
        return timer

    def _run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        future = self._run_in_executor_really(executor, func, *args)
        if isfuture(future):
            self._jobs += 1
            future.add_done_callback(self._note_end_of_job)
        return future

    def _note_end_of_job(self, _: object) -> None:
        self._jobs -= 1

    async def _shut_down_executor(self, *args: Any, **kwargs: Any) -> None:
        # It waits for threads, which counts as a job; from Python 3.12 on, it gives up after 300 seconds.
        self._jobs += 1
        try:
            await self._shut_down_executor_really(*args, **kwargs)
        finally:
            self._jobs -= 1

    def _select(self, timeout: float | None = None) -> list[Any]:
        if timeout is not None and timeout <= 0:
            return self._poll(timeout)
        # Examined before the poll: a thread that is alive now may wake the loop and end before the poll.
        threads = other_threads()
        events = self._poll(0)
        if events or self._loop._ready:
            return events
        if self._time.held or self._jobs:
            return self._wait(timeout)
        if threads.wait_for_process:
            # That thread may have reported the end of the process already; it then ends without waking the loop.
            return self._wait_a_little(timeout)
        seconds = patience(self._loop, self._time.grace)
        if seconds == math.inf:
            return self._wait(timeout)
        if seconds:
            events = self._poll(seconds)
            if events or self._loop._ready:
                return events
        timer = self._loop._scheduled[0] if self._loop._scheduled else None
        if timer is not None and timer._cancelled:
            return events  # A signal has just cancelled it. The loop drops it and asks again.
        if timer is None or timer._when == math.inf:
            if seconds is not None:
                return self._wait(timeout)
            if threads.at_work:
                return self._wait_a_little(timeout)
            self._time.wait_forever(self._loop)
            self.cancel_all()
        else:
            self._jump_to(timer._when)
        return events

    def _wait(self, timeout: float | None) -> list[Any]:
        """Wait as the loop would without a virtual clock, and let time pass meanwhile."""
        began = real.perf_counter()
        events = self._poll(timeout)
        waited = real.perf_counter() - began
        self._time.now += waited if timeout is None else min(waited, timeout)
        return events

    def _wait_a_little(self, timeout: float | None) -> list[Any]:
        """Wait for what other threads do, which may end without waking the loop."""
        return self._wait(_LOOK_AGAIN if timeout is None else min(timeout, _LOOK_AGAIN))

    def _jump_to(self, when: float) -> None:
        if not self._time.jump_to(float(when) - self._offset, self._loop):
            self.cancel_all()
        self._match_resolution()

    def _match_resolution(self) -> None:
        self._loop._clock_resolution = max(self._loop._clock_resolution, 2 * math.ulp(self._now()))

    def cancel_all(self) -> None:
        """End the test by cancelling its tasks."""
        tasks = all_tasks(self._loop)
        self._cancels += 1
        if not tasks or self._cancels > _MOST_CANCELS:
            self._loop.stop()
        for task in tasks:
            task.cancel()
