"""Which mocks are active, and which of them a call is offered to.

Theory
------
Tests run side by side, in threads and as coroutines of one loop, and must never see each other's data. Yet the code
under test runs in tasks and threads of its own, some of them older than the mock, and must still find it. Where a mock
was started decides which calls it is offered:

*   A call is offered to the mocks started in its context, which tasks and `asyncio.to_thread` inherit, and to those
    started in its thread while no loop was running there. Fixtures, `setUp` and `setUpModule` start mocks that way,
    and their contexts do not reach the tests.
*   If no mock in its context was started inside a running loop, the call is also offered to all other mocks of its
    thread: a server's handler or a worker may be older than the mock.
*   If that leaves no mock, as in the thread of an executor, the call is offered to every active mock, provided that
    all of them were started in one thread. Otherwise the owner of the call is unknown, and the call is refused.

The mock started last is the innermost and is asked first. A context refers to its mocks weakly, because cancelled
timers keep contexts alive.

Several threads start and stop mocks, and each may be interrupted (by Ctrl+C) at any line. So the active mocks are kept
in a tuple that is replaced as a whole, and everything else is derived from it by a step that can be repeated:
`exclusively` runs the step under a lock that is always released, and `undo` repeats it after an interrupt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from threading import RLock, get_ident
from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    from .interceptor import Interceptor


class _Activation:
    """One mock from its start to its stop."""

    def __init__(self, interceptor: Interceptor) -> None:
        self.interceptor = interceptor
        self.alone = (interceptor,)
        """The mocks that a call is offered to while no other mock is active, which is most of the time."""
        self.thread = get_ident()
        # asyncio exports it for implementers of event loops; it returns None if no loop is running.
        self.in_loop = asyncio._get_running_loop() is not None


# The active mocks, the innermost last.
activations: tuple[_Activation, ...] = ()

_started_here: ContextVar[tuple[ref[_Activation], ...]] = ContextVar("aioresponses_started_here", default=())

in_server: ContextVar[bool] = ContextVar("aioresponses_in_server", default=False)
"""Whether this code runs in a server at the far end of a connection, in its applications or its handlers."""

_lock = RLock()


def exclusively(step: Callable[[], None]) -> None:
    """Run a step while no other thread runs one; an interrupt at any line still releases the lock."""
    # With a `with` block, an interrupt could arrive between its end and the release. Here, each line either acquires
    # the lock and records that, or releases it and records that.
    acquired = False
    try:
        try:
            acquired = _lock.acquire()
            step()
        finally:
            if acquired:
                acquired = _lock.release() is not None  # type: ignore[func-returns-value]
    finally:
        if acquired:
            _lock.release()


def undo(step: Callable[[], None]) -> None:
    """Run a step that takes something back, like `exclusively`; if it is interrupted, run it again before raising."""
    try:
        exclusively(step)
    except BaseException:
        exclusively(step)
        raise


def add(interceptor: Interceptor) -> None:
    """Make a mock active, as the innermost; the caller holds the lock."""
    global activations
    activation = _Activation(interceptor)
    live = [one for one in _started_here.get() if one() in activations]
    _started_here.set((*live, ref(activation)))
    activations = (*activations, activation)
    interceptor.is_active = True


def discard(interceptor: Interceptor) -> None:
    """Make a mock inactive, if it is active; the caller holds the lock."""
    global activations
    activations = tuple(one for one in activations if one.interceptor is not interceptor)
    interceptor.is_active = False


def note_stopped(interceptor: Interceptor) -> None:
    """Let the mocks that are still active here know of one that was active within them."""
    # Most mocks are alone.
    for outer in asked_here() or () if activations else ():
        outer.stopped_within = ref(interceptor)


def asked_here() -> tuple[Interceptor, ...] | None:
    """Return the mocks that a call made here is offered to, innermost first; None if its owner is unknown."""
    active = activations
    here = get_ident()
    started = [one() for one in _started_here.get()]
    has_own = any(one.in_loop for one in active if one in started)
    asked = [one for one in active if one in started or one.thread == here and not (has_own and one.in_loop)]
    if not asked:
        if len({one.thread for one in active}) > 1:
            return None
        asked = list(active)
    return tuple(one.interceptor for one in reversed(asked))
