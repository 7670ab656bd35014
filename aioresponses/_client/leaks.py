"""What code under test leaves behind: sessions, connectors, responses, calls and tasks.

Theory
------
A session that is never closed, or a response that is neither read nor released, shows only in production, where
connections run out. The garbage collector finds some of them, but at an unpredictable time. So everything that might
be left behind is recorded when it is created, with the line of code that created it, and is held until it is examined.

A `Watch` belongs to one mock and records while the mock is active: the mock's calls, which the log reports, and
sessions, connectors and tasks, which the room `made` reports.

A task is held only while it runs, so that asyncio reports in time an exception that is never retrieved. Since a task
may be about to end, it gets three turns of the loop before it counts as still running. Inside the loop, this takes an
`await`; if no loop is running, the tasks' own loops are run for that long. If neither is possible, tasks are not looked
for.

The pytest plugins close the loop of a test before the last fixtures are torn down, which ends all calls and tasks. So
calls and tasks are examined just before that.

The end of the mock's servers ends all connections, and with them the calls that wait for an answer. So calls and tasks
are examined just before that as well. But an application closes only at its end what it uses while it runs. So what a
server creates is examined once the server has ended, or its loop has been closed.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import current_task, get_running_loop
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from aiohttp import BaseConnector, ClientSession

from .._display import shown
from . import made
from .active import in_server
from .waiting import next_turn

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from .interceptor import Interceptor

_BY_DEFAULT = ("session", "connector", "response", "call", "task")

# In the order in which they are shown.
_KINDS = ("session", "connector", "response", "unread", "call", "task")


def checked_kinds(value: bool | Collection[str]) -> frozenset[str]:
    """Return the kinds of things to look for, given as a bool, as one name or as several; raise if it is invalid."""
    if isinstance(value, bool):
        return frozenset(_BY_DEFAULT if value else ())
    names = [value] if isinstance(value, str) else value
    asked = "True, False, or any of " + ", ".join(map(repr, (*_BY_DEFAULT, "unread")))
    if isinstance(names, bytes) or not isinstance(names, Collection) or not all(isinstance(one, str) for one in names):
        raise TypeError(f"assert_no_leaks: expected {asked}, got {shown(value)}")
    for name in names:
        if name not in _KINDS:
            raise ValueError(f"assert_no_leaks: expected {asked}, got {shown(name)}")
    return frozenset(names)


class Leak(NamedTuple):
    """A thing that was left behind."""

    kind: str
    what: str
    """What the thing is, and what should have been done with it."""

    where: str
    """The line of code that created it; "" if that is unknown."""


class Call(Protocol):
    """A call of a session, whose text names it: "GET http://example.com/ -> 200"."""

    @property
    def _arrived(self) -> ClientResponse | None:
        """The response that has begun to arrive."""

    @property
    def ended(self) -> float | None:
        """When it returned or raised; None while it has not."""


class _Origin(NamedTuple):
    """What created something, and where."""

    place: str
    loop: asyncio.AbstractEventLoop | None
    by_server: bool

    @property
    def created(self) -> str:
        return f"created at {self.place}" if self.place else ""


def _origin(place: str) -> _Origin:
    return _Origin(place, asyncio._get_running_loop(), in_server.get())


class Watch:
    """Records what is created while a mock is active, and says which of these things were left behind."""

    looks_before_loops_end = False
    servers_have_ended = False
    """Whether what the servers of the mock created may be examined while their loop is running."""
    _is_on = False

    def __init__(self, kinds: frozenset[str]) -> None:
        self.kinds = kinds
        self.forget()

    def forget(self) -> None:
        """Forget everything that was recorded."""
        self.servers_have_ended = False
        self._made: list[tuple[ClientSession | BaseConnector, _Origin]] = []
        self._calls: list[tuple[Call, _Origin]] = []
        self._most_calls = 1000
        self._tasks: dict[asyncio.Task[Any], _Origin] = {}
        self._found: list[Leak] = []

    def begin(self, interceptor: Interceptor) -> None:
        """Record what is created from now on where calls are offered to this mock, or would be if it were active."""
        if not self._is_on:
            self._is_on = True
            self.forget()
            made.begin(interceptor, self)

    def end(self) -> None:
        """Stop recording."""
        self._is_on = False
        made.end(self)

    def excuse(self, session: ClientSession) -> None:
        """Treat a session and its connector as closed, because other code closes them."""
        connector = session.connector
        self._made = [one for one in self._made if one[0] is not session and one[0] is not connector]

    def note_call(self, call: Call) -> None:
        """Record a call that begins."""
        if len(self._calls) > self._most_calls:
            self._keep_calls(lambda call, origin: _kind_of(call) is not None)
            self._most_calls = 2 * len(self._calls) + 1000
        self._calls.append((call, _origin(made.place(self))))

    def _keep_calls(self, is_kept: Callable[[Call, _Origin], bool]) -> None:
        # The list stays the same, because other threads may be adding calls.
        count = len(self._calls)
        self._calls[:count] = [one for one in self._calls[:count] if is_kept(*one)]

    def note_made(self, thing: ClientSession | BaseConnector, place: str) -> None:
        """Record a session or a connector, and the place that created it."""
        self._made.append((thing, _origin(place)))

    def note_task(self, task: asyncio.Task[Any], place: str) -> None:
        """Record a task, and the place that created it."""
        self._tasks[task] = _origin(place)
        task.add_done_callback(self._forget_task)

    def _forget_task(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)

    async def wait(self) -> None:
        """Give the tasks of the running loop three turns; those still running after that are left behind."""
        await _three_turns()
        self._found += self._running_tasks()

    async def wait_for_servers(self) -> None:
        """Examine the calls and tasks of the running loop, whose servers are about to end."""
        await _three_turns()
        self._examine(get_running_loop())

    def note_end_of(self, loop: asyncio.AbstractEventLoop) -> None:
        """Examine the calls and tasks of a loop that is about to be closed."""
        if any(task.get_loop() is loop for task in list(self._tasks)):
            loop.run_until_complete(_three_turns())
        self._examine(loop)

    def _examine(self, loop: asyncio.AbstractEventLoop) -> None:
        self._found += self._open_calls(loop)
        self._found += [leak for task, leak in self._pending() if task.get_loop() is loop]
        self._keep_calls(lambda call, origin: origin.loop is not loop or not self._counts(origin))
        for task, origin in list(self._tasks.items()):
            if task.get_loop() is loop and self._counts(origin):
                self._tasks.pop(task, None)

    def left(self) -> list[Leak]:
        """Return what was left behind.

        If no loop is running, the loops of the tasks are run for three turns. Inside a loop, no tasks are examined.
        """
        if not (self._made or self._calls or self._tasks or self._found):
            return []
        tasks: list[Leak] = []
        if asyncio._get_running_loop() is None:
            for loop in {task.get_loop() for task in list(self._tasks)}:
                if not loop.is_running() and not loop.is_closed():
                    loop.run_until_complete(_three_turns())
            tasks = self._running_tasks()
        return self._sorted([*self._found, *self._not_closed(), *self._open_calls(), *tasks])

    def conclude(self) -> list[Leak]:
        """Return what was left behind, and release the things themselves; later calls return the same leaks."""
        left = self.left()
        self.forget()
        self._found = left
        return left

    def left_now(self) -> list[Leak]:
        """Return what would be left behind if everything ended now; a cancelled task does not count."""
        if asyncio._get_running_loop() is None:
            return self.left()
        tasks = [leak for task, leak in self._pending() if not _is_cancelled(task)]
        return self._sorted([*self._not_closed(), *self._open_calls(), *tasks])

    def _sorted(self, leaks: list[Leak]) -> list[Leak]:
        return sorted((one for one in leaks if one.kind in self.kinds), key=lambda leak: _KINDS.index(leak.kind))

    def _not_closed(self) -> Iterator[Leak]:
        of_sessions: list[BaseConnector | None] = []
        made = [(thing, origin) for thing, origin in self._made if not thing.closed and self._counts(origin)]
        for thing, origin in made:
            if isinstance(thing, ClientSession):
                yield _not_closed("session", thing, origin)
                if "session" in self.kinds:
                    of_sessions.append(thing.connector)
        for thing, origin in made:
            if isinstance(thing, BaseConnector) and all(thing is not one for one in of_sessions):
                yield _not_closed("connector", thing, origin)

    def _open_calls(self, loop: asyncio.AbstractEventLoop | None = None) -> Iterator[Leak]:
        for call, origin in self._calls:
            kind = _kind_of(call) if (loop is None or origin.loop is loop) and self._counts(origin) else None
            if kind is not None:
                status = None if call._arrived is None else call._arrived.status
                text = _OPEN_WEBSOCKET if status == 101 else _WHAT[kind]
                # The call of a response that has arrived may not have returned yet.
                named = str(call).replace(" -> in flight", "" if status is None else f" -> {status}")
                yield Leak(kind, text.format(named), f"requested at {origin.place}" if origin.place else "")

    def _counts(self, origin: _Origin) -> bool:
        """Tell whether something may be examined: what a running server uses, it closes at its end."""
        if not origin.by_server or self.servers_have_ended:
            return True
        return origin.loop is not None and origin.loop.is_closed()

    def _running_tasks(self) -> list[Leak]:
        return [leak for _, leak in self._pending()]

    def _pending(self) -> Iterator[tuple[asyncio.Task[Any], Leak]]:
        here = asyncio._get_running_loop()
        current = None if here is None else current_task()
        for task, origin in list(self._tasks.items()):
            loop = task.get_loop()
            # A loop running in another thread continues while its tasks are examined here.
            examined = task is not current and (loop is here or not loop.is_running()) and self._counts(origin)
            if examined and not task.done():
                what = f"task {task.get_name()!r} still running: {_name_of_coroutine(task)}"
                yield task, Leak("task", what, origin.created)

    def place_of(self, task: asyncio.Task[Any]) -> str:
        """Return where a task was created, if it was recorded."""
        origin = self._tasks.get(task)
        return "" if origin is None else origin.place


def _not_closed(kind: str, thing: ClientSession | BaseConnector, origin: _Origin) -> Leak:
    return Leak(kind, f"{type(thing).__name__} never closed", origin.created)


_WHAT = {
    "call": "{}: call never ended",
    "response": "{}: response holds its connection, neither read nor released",
    "unread": "{}: response unread, would hold a connection if the body were larger",
}

_OPEN_WEBSOCKET = "{}: WebSocket holds its connection, never closed"


def _kind_of(call: Call) -> str | None:
    """Return the kind of leak that a call is; None if it is not one."""
    response = call._arrived
    if response is None:
        return "call" if call.ended is None else None
    # A connection that has been closed is lost only in the next turn.
    transport = None if response.connection is None else response.connection.transport
    if transport is not None and not transport.is_closing():
        return "response"
    # Content that was released or closed has an exception; a response that was never started has no content.
    content: Any = response.content
    return "unread" if content is not None and not content.at_eof() and content.exception() is None else None


def _name_of_coroutine(task: asyncio.Task[Any]) -> str:
    coroutine: Any = task.get_coro()
    # What `session.get()` returns keeps its coroutine under a private name (aiohttp 3.8.6 to 3.14.5).
    coroutine = getattr(coroutine, "_coro", coroutine)
    return str(getattr(coroutine, "__qualname__", type(coroutine).__qualname__))


def _is_cancelled(task: asyncio.Task[Any]) -> bool:
    """Tell whether a task has been cancelled but has not ended yet."""
    if sys.version_info >= (3, 11):
        return task.cancelling() > 0
    # Private, but Python 3.10 offers no other way.
    waits_for: Any = getattr(task, "_fut_waiter", None)
    return bool(getattr(task, "_must_cancel", False)) or waits_for is not None and bool(waits_for.cancelled())


async def _three_turns() -> None:
    for _ in range(3):
        await next_turn()
