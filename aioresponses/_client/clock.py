"""Virtual time: a clock that jumps to the next timer as soon as nothing else can run.

Theory
------
An event loop runs what is ready, then asks its selector to wait until a socket has data, or the next timer is due. So
a loop waits for time to pass in exactly one place, and that place knows how long it may wait. While a `VirtualClock`
runs, `select` polls without waiting. If nothing has arrived, and nothing can arrive any more, it moves the clock to the
next timer. Nothing else changes: the same callbacks run, in the order of their timers.

Time stands still while code runs, so every run of a test sees the same times.

Time must not jump past anything that can still arrive. While an executor runs a job, a process runs, or a request is
passed through to another machine, time passes in reality. Other sockets do not show whether data is on its way, so the
clock gives them a short real wait. The room `outside` tells these cases apart.

A test waits forever if no timer is left and nothing can wake the loop. It also counts as a test that never ends if the
clock keeps jumping without a request in between, if a client keeps trying and no mock answers, or, after many more
requests, if a client keeps trying whatever a mock answers. All tasks are then cancelled, which ends the test, and when
the clock is stopped, it reports where they waited. Nothing is ever raised inside `select`, which would end the loop
instead of the test. A request may be cancelled as it begins, because a client that is answered in the same step of the
loop, and asks again at once, never gives the loop a turn in which its task could be cancelled.

The patch is applied to the loop itself, not to its class: a test may get its loop from a policy, a factory or a plugin,
and all of these must work. A loop is patched when it starts to run, by way of the `run_forever` of asyncio's loops,
which is replaced while a clock runs. A loop with a `run_forever` of its own, such as uvloop's, is refused when it is
created, when a runner runs it, or at its first request.

Rules
-----
*   Timers that are due at the same time fire in the order in which they were set. A heap does not guarantee that, and a
    clock that stands still produces many such timers. So each timer is set for a number that equals its time but
    compares as less than the same time set later.
*   The clock starts on a whole second, since aiohttp rounds up the ends of longer timeouts, and never earlier than the
    loop's own time, which must not go back. For the same reason, the loop continues from its current time when the
    clock stops.
*   The larger a float, the lower its resolution. A loop treats timers within its own clock resolution as due, so that
    must be at least as coarse as the float's.

Private names of asyncio, the same in CPython 3.10 to 3.15: `_get_running_loop`, which returns None if no loop is
running, and, from 3.11 on, `Runner._lazy_init`, which creates a runner's loop and is called each time the runner runs
something, and `Runner._loop`.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop, BaseEventLoop
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeVar

from .._checks import check_count, check_seconds, is_coroutine_function, misfit
from .._display import shown
from .active import exclusively, undo
from .clocks import running, time_here
from .loops import check_loop
from .monotonic import replace_monotonic
from .virtual_time import VirtualTime

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_Function = TypeVar("_Function", bound=Callable[[float], object])


class VirtualClock:
    """A clock for the event loops of a thread, which jumps to the next timer as soon as nothing else can run.

    While it runs, waiting takes no real time: `asyncio.sleep`, timeouts, the `delay` of a mock. It applies to the loop
    that is running when it starts, and to each loop that the same thread runs until it stops. A test case has one if
    its class sets `virtual_time = True`.

    `limit` is how often the clock may jump without a request in between, and how many requests may match no mock,
    before the test counts as one that never ends; so does a test that makes 100,000 requests, or ten times `limit` if
    that is more. `grace` is how many real seconds a jump waits for sockets that may still receive data. Raises
    `TypeError` or `ValueError` if either is invalid.

    If the code under test waits forever, its tasks are cancelled, and stopping the clock raises an `AssertionError`
    that says which tasks waited, and where.

    >>> async with VirtualClock() as clock:
    ...     await asyncio.sleep(3600)
    ...     assert clock.elapsed == 3600
    """

    def __init__(self, *, limit: int = 10_000, grace: float = 0.1) -> None:
        check_count("limit", limit, "an int of at least 1")
        check_seconds("grace", grace)
        self._time = VirtualTime(limit, grace)
        self._thread: int | None = None

    @property
    def elapsed(self) -> float:
        """The seconds from the start of the clock until now, or until its stop, rounded to the microsecond."""
        return self._time.elapsed

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Return a context manager within which time passes in reality.

        Use it while you wait for something that the loop does not know of: your own thread, or a `pool.submit` job.

        >>> with clock.hold():
        ...     await asyncio.wrap_future(pool.submit(work))
        """
        self._time.held += 1
        try:
            yield
        finally:
            self._time.held -= 1

    def on_jump(self, f: _Function) -> _Function:
        """Call a function with the seconds of each jump, before anything else runs; return the function.

        It may move a wall clock along. If it raises, the test ends with that exception. Raises `TypeError` if `f` is
        not a plain function that takes the seconds.

        >>> with time_machine.travel("2030-01-01", tick=False) as traveller:
        ...     clock.on_jump(traveller.shift)
        """
        # A coroutine would never be awaited: the clock jumps while nothing else can run.
        if not callable(f) or is_coroutine_function(f) or misfit(f, 1.0):
            raise TypeError(f"f: expected a plain function that takes the seconds of a jump, got {shown(f)}")
        self._time.on_jump.append(f)
        return f

    def start(self) -> None:
        """Start the clock for the loops of this thread, at 0 seconds.

        Raises `RuntimeError` if it is already running, if another clock runs in this thread, or if the running loop
        cannot be patched: a loop of uvloop, or one without a selector.
        """
        if self._thread is not None:
            raise RuntimeError("start() called on a VirtualClock that is already running")
        if time_here() is not None:
            raise RuntimeError("start() called while another VirtualClock runs in this thread: use that one")
        self._time.begin()
        self._thread = get_ident()
        try:
            replace_monotonic()
            exclusively(self._enter)
            loop = asyncio._get_running_loop()
            if loop is not None:
                self._take(loop)
        except BaseException:
            self._end()
            raise

    def stop(self) -> None:
        """Stop the clock: from now on, time passes in reality.

        Raises `RuntimeError` if it is not running, and `AssertionError` if the code under test waited forever.
        """
        if self._thread is None:
            raise RuntimeError("stop() called on a VirtualClock that is not running")
        self._end()
        failure = self._failure()
        if failure is not None:
            raise failure

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        self._end()
        failure = self._failure(instead_of=exc_val)
        if failure is not None:
            raise failure

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        self.__exit__(exc_type, exc_val, exc_tb)

    def _failure(
        self, make: Callable[[str], BaseException] = AssertionError, instead_of: BaseException | None = None
    ) -> BaseException | None:
        """Return the exception that says why the clock ended the test, and forget it; None if it did not end the test.

        `make` makes the exception from the text. The exception may replace another one (`instead_of`), but never an
        interrupt.
        """
        return self._time.failure(make, instead_of)

    def _take(self, loop: AbstractEventLoop) -> None:
        """Make a loop follow this clock, before it starts to run."""
        self._time.take(loop)

    def _enter(self) -> None:
        running[get_ident()] = self._time
        _settle()

    def _leave(self) -> None:
        if self._thread is not None and running.get(self._thread) is self._time:
            del running[self._thread]
        _settle()

    def _end(self) -> None:
        """Leave no trace of the clock; finish what an interrupt left undone before letting the interrupt through."""
        try:
            undo(self._leave)
        finally:
            self._time.end()
            self._thread = None


# Patches to asyncio while a clock runs in any thread.

# Our functions in place: the owner, the name, what was there before, and ours.
_placed: list[tuple[Any, str, Any, Any]] = []


def _settle() -> None:
    """Put our functions in place if a clock runs, and take them out otherwise."""
    if running and not _placed:
        for owner, name, make in (
            (BaseEventLoop, "run_forever", _run_forever),
            (asyncio, "new_event_loop", _new_event_loop),
            (asyncio.events, "new_event_loop", _new_event_loop),
            # New in CPython 3.11.
            (getattr(asyncio, "Runner", None), "_lazy_init", _lazy_init),
        ):
            if owner is not None:
                before = getattr(owner, name)
                ours = make(before)
                _placed.append((owner, name, before, ours))
                setattr(owner, name, ours)
    elif not running:
        while _placed:
            owner, name, before, ours = _placed[-1]
            # If other code has replaced ours, putting it back is up to that code; ours does nothing without a clock.
            if getattr(owner, name) is ours:
                setattr(owner, name, before)
            _placed.pop()


def _run_forever(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def run_forever(loop: BaseEventLoop) -> None:
        _take(loop)
        original(loop)

    return run_forever


def _take(loop: AbstractEventLoop) -> None:
    # Not inside `run_forever`, whose frame may stay in a traceback together with its variables.
    virtual = time_here()
    if virtual is not None:
        virtual.take(loop)


def _new_event_loop(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def new_event_loop() -> AbstractEventLoop:
        loop: AbstractEventLoop = original()
        if time_here() is not None:
            # The loop may be meant for another thread, so the clock does not take it yet.
            try:
                check_loop(loop)
            except BaseException:
                loop.close()
                raise
        return loop

    return new_event_loop


def _lazy_init(original: Callable[..., Any]) -> Callable[..., Any]:
    # Not `Runner.run`, whose frame would appear in the traceback of whatever a test raises.
    @wraps(original)
    def lazy_init(runner: Any) -> None:
        is_new = runner._loop is None
        original(runner)
        # The runner's loop may come from somewhere other than `new_event_loop`, and may have its own `run_forever`.
        try:
            _take(runner._loop)
        except BaseException:
            if is_new:
                runner.close()
            raise

    return lazy_init
