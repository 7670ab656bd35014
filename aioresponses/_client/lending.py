"""Sessions that are lent an event loop.

A session keeps the loop that it was created on, for its timers and tasks. Suites share sessions between tests, each of
which has a loop of its own. So if a session's loop is not running, the session is lent the running loop until the last
mock is stopped.

Private, and the same in aiohttp 3.8.6 to 3.14.5: `ClientSession._loop`, which has no public name that can be set.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable
from weakref import ref

from aiohttp import ClientSession

# The sessions that were lent a loop, by identity, each with its own loop.
_lent: dict[int, tuple[Callable[[], ClientSession | None], AbstractEventLoop]] = {}


def lend(session: ClientSession, loop: AbstractEventLoop) -> None:
    """Make a session, whose own loop is not running, use the running one."""
    lent = _lent.get(id(session))
    if lent is None or lent[0]() is not session:
        try:
            reference: Callable[[], ClientSession | None] = ref(session)
        except TypeError:
            # Sessions of aiohttp 4 do not support weak references.
            def itself() -> ClientSession:
                return session

            reference = itself
        _lent[id(session)] = reference, session._loop
    session._loop = loop


def take_back() -> None:
    """Give all sessions their own loops again."""
    if not _lent:
        return
    for lent, loop in list(_lent.values()):
        session = lent()
        if session is not None:
            session._loop = loop
    _lent.clear()
