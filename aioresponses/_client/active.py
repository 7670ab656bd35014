"""Which mocks are active, and which of them a call is offered to.

Theory
------
Tests run side by side, in threads and as coroutines of one loop, and must never get each other's data. But code under
test runs in tasks and threads of its own, some of them older than the mock, and must find it. What tells them apart is
where a mock was started:

*   A call is offered to the mocks started in its context, which tasks and `asyncio.to_thread` inherit, and to those
    started in its thread while no loop was running there: fixtures, `setUp` and `setUpModule` do that, and their
    contexts do not reach the tests.
*   If its context has no mock that was started inside a running loop, then also to all others of its thread: a
    server's handler or a worker may be older than the mock.
*   If there are none of these, as in an executor's thread, to whatever is active, provided that it was all started in
    one thread. Otherwise there is no telling whose call it is, and it is refused.

The one that was started last is the innermost, and is asked first. A context holds what was started in it weakly, for
cancelled timers keep contexts alive.

Mocks are started and stopped by several threads, and may be interrupted (by Ctrl+C) at any line. So what is active is a
tuple that is replaced as a whole, all else follows from it, and what follows is put in order by a step that may be
taken again: `exclusively` runs it under a lock that is released whatever happens.
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
        """What a call is offered to while no other mock is active, which is most of the time."""
        self.thread = get_ident()
        # asyncio exports it for makers of loops; it returns None where no loop runs.
        self.in_loop = asyncio._get_running_loop() is not None


# The active mocks, the innermost last.
activations: tuple[_Activation, ...] = ()

_started_here: ContextVar[tuple[ref[_Activation], ...]] = ContextVar("aioresponses_started_here", default=())

_lock = RLock()


def exclusively(step: Callable[[], None]) -> None:
    """Run a step while no other thread runs one; the lock is released at whatever line it is interrupted."""
    # An interrupt may come between the end of a `with` block and the release. Each line here either takes the lock and
    # notes it, or gives it back and notes it.
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


def add(interceptor: Interceptor) -> None:
    """Have a mock be active from now on, as the innermost; the caller holds the lock."""
    global activations
    activation = _Activation(interceptor)
    live = [one for one in _started_here.get() if one() in activations]
    _started_here.set((*live, ref(activation)))
    activations = (*activations, activation)
    interceptor.is_active = True


def discard(interceptor: Interceptor) -> None:
    """Have a mock be active no more, if it is; the caller holds the lock."""
    global activations
    activations = tuple(one for one in activations if one.interceptor is not interceptor)
    interceptor.is_active = False


def asked_here() -> tuple[Interceptor, ...] | None:
    """Return the mocks that a call made here is offered to, the innermost first; None if there is no telling."""
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
