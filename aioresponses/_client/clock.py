"""Virtual time: a clock that jumps to the next timer as soon as nothing else can run.

Theory
------
An event loop does what is ready, and then asks its selector to wait: until something comes by a socket, and at most
until the next timer. So there is one place where a loop waits for time to pass, and there it is known until when. While
a `VirtualClock` runs, `select` looks for what has come already, and does not wait. If nothing has, and nothing can come
any more, it moves the clock to the next timer. Nothing else changes: the same callbacks run, in the order of their
timers.

Time stands still while code runs, so it is the same in every run of a test.

What can still come, time must not jump over. While a job of an executor runs, a process, or a request that is passed
through to another machine, time passes really. Other sockets give no sign of it, and get a little real time. The room
`outside` says which are which.

Where no timer is left, and nothing that could wake the loop, the test waits forever. A test does not end either where
the clock jumps and jumps without a request, or where a client tries again and again, and no mock answers. In each case,
all tasks are cancelled, which ends the test, and whoever ends the clock says where they waited. Nothing is ever raised
from within `select`: it would end the loop, and not the test.

The loop itself is patched, the instance and not its class: a test may have its loop from a policy, a factory or a
plugin, and all of them must do. A loop is reached when it starts to run, for which `run_forever` of asyncio's loops is
ours while a clock runs. A loop that has a `run_forever` of its own, as uvloop's, is refused where it is made, where a
runner runs it, or at its first request.

Rules
-----
*   Timers that are due at the same time fire in the order in which they were set. A heap does not promise that, and a
    standing clock makes many of them. So each is set for a number that is equal to its time, and less than the same
    time later on.
*   The clock starts on a whole second, since aiohttp rounds up the ends of longer timeouts; and not before the time of
    the loop, which must never go back. For the same reason the loop goes on from where it is when the clock stops.
*   A float has less resolution the larger it is. A loop calls what is due within its own resolution, which must not be
    less than that.

Private names of asyncio, the same in CPython 3.10 to 3.15: `_get_running_loop`, which returns None where no loop runs;
from 3.11 on, `Runner._lazy_init`, by which a runner makes its loop, and comes by it each time that it runs something,
and `_loop`.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop, BaseEventLoop
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeVar

from .._checks import check_count, check_seconds
from .._display import shown
from .active import exclusively
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

    From its start to its stop, waiting takes no real time: `asyncio.sleep`, timeouts, the `delay` of a mock. It is
    there for the loop that runs where it is started, and for each loop that the same thread starts meanwhile. A test
    case has one where its class says `virtual_time = True`.

    `limit` is how often it may jump without a request in between, and how many requests may match no mock; after that,
    the test is taken for one that does not end. `grace` is for how many real seconds a jump waits for sockets on which
    something may still come. Raises `TypeError` or `ValueError` where these are wrong.

    Where the code under test waits forever, its tasks are cancelled, and the end of the clock raises `AssertionError`,
    which says what waits where.

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
        """The seconds since the clock was started, to the microsecond; once it is stopped, those until then."""
        return self._time.elapsed

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Return a context manager within which time passes really.

        This is for whatever wakes the loop without its knowledge: a thread of your own, or a job of `pool.submit`.

        >>> with clock.hold():
        ...     await asyncio.wrap_future(pool.submit(work))
        """
        self._time.held += 1
        try:
            yield
        finally:
            self._time.held -= 1

    def on_jump(self, f: _Function) -> _Function:
        """Have a function be called with the seconds of each jump, before anything else runs; return the function.

        It may move a wall clock along. If it raises, the test ends with that.

        >>> with time_machine.travel("2030-01-01", tick=False) as traveller:
        ...     clock.on_jump(traveller.shift)
        """
        if not callable(f):
            raise TypeError(f"f: expected a function that is given the seconds of a jump, got {shown(f)}")
        self._time.on_jump.append(f)
        return f

    def start(self) -> None:
        """Start the clock for the loops of this thread, at 0 seconds.

        Raises `RuntimeError` if it runs already, if another one runs in this thread, and if the loop that runs here
        cannot be patched: one of uvloop, or one without a selector.
        """
        if self._thread is not None:
            raise RuntimeError("start() called on a VirtualClock that runs already")
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
        """Stop the clock: from now on, time passes really.

        Raises `RuntimeError` if it does not run, and `AssertionError` if the code under test waited forever.
        """
        if self._thread is None:
            raise RuntimeError("stop() called on a VirtualClock that does not run")
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
        """Return why the clock has ended the test, made of the text, and forget it; None if it has not.

        Where it is to be raised in the place of another exception, that must be no interrupt.
        """
        return self._time.failure(make, instead_of)

    def _take(self, loop: AbstractEventLoop) -> None:
        """Have a loop go by this clock, before it starts to run."""
        self._time.take(loop)

    def _enter(self) -> None:
        running[get_ident()] = self._time
        _settle()

    def _leave(self) -> None:
        if self._thread is not None and running.get(self._thread) is self._time:
            del running[self._thread]
        _settle()

    def _end(self) -> None:
        """Leave no trace of the clock; what an interrupt has left undone is done before it goes on."""
        try:
            exclusively(self._leave)
        except BaseException:
            exclusively(self._leave)
            raise
        finally:
            self._time.end()
            self._thread = None


# asyncio, while a clock runs in any thread.

# The functions that are ours: where they are, by which name, what was there, and ours.
_placed: list[tuple[Any, str, Any, Any]] = []


def _settle() -> None:
    """Have our functions in place if a clock runs, and out of it otherwise."""
    if running and not _placed:
        for owner, name, make in (
            (BaseEventLoop, "run_forever", _run_forever),
            (asyncio, "new_event_loop", _new_event_loop),
            (asyncio.events, "new_event_loop", _new_event_loop),
            # CPython 3.11 brought it.
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
            # Where somebody has replaced ours it is theirs to put back; it does nothing while no clock runs.
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
    # Apart from what runs the loop, whose frame may stay in a traceback, with its variables.
    virtual = time_here()
    if virtual is not None:
        virtual.take(loop)


def _new_event_loop(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def new_event_loop() -> AbstractEventLoop:
        loop: AbstractEventLoop = original()
        if time_here() is not None:
            # It may be for another thread, so it is not taken yet.
            try:
                check_loop(loop)
            except BaseException:
                loop.close()
                raise
        return loop

    return new_event_loop


def _lazy_init(original: Callable[..., Any]) -> Callable[..., Any]:
    # Not `run`, whose frame would be in the traceback of whatever a test raises.
    @wraps(original)
    def lazy_init(runner: Any) -> None:
        is_new = runner._loop is None
        original(runner)
        # Its loop need not come from `new_event_loop`, nor have the `run_forever` that is ours.
        try:
            _take(runner._loop)
        except BaseException:
            if is_new:
                runner.close()
            raise

    return lazy_init
