"""What is created while a mock watches: sessions, connectors and tasks, and the line of the test that created them.

Theory
------
aiohttp and asyncio create these themselves. While there is a watcher, three of their functions are replaced by ours,
which call them: `ClientSession.__init__`, `BaseConnector.__init__`, and the `create_task` of event loops. Among the
mocks to which a request made at the same place would be offered, the innermost one with a watcher is notified.

The frames that lead to a thing show who created it: the innermost frame that does not belong to asyncio or the like. A
task that aiohttp, this package or the test runner created does not belong to the test.

asyncio's runners call `asyncio.runners._cancel_all_tasks` before they close a loop, to cancel what is left in it
(CPython 3.10 to 3.14). It is private, but the only moment at which everything that needs the loop has been torn down. A
watcher may ask to be notified then, if it is the test runner that closes the loop. A run of the test's own, by
`asyncio.run`, ends whatever it leaves, so it leaves nothing.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
from asyncio import current_task
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from aiohttp import BaseConnector, ClientSession

from . import active
from .connectors import InMemoryConnector

if TYPE_CHECKING:
    from .interceptor import Interceptor

_PACKAGE = __name__.partition(".")[0]

# The packages whose frames come between a thing and its creator. asyncio's are between a coroutine and its loop.
_IN_BETWEEN = frozenset({"asyncio", "anyio", "concurrent", "contextlib", "functools", "threading"})

_BETWEEN_CALLERS = _IN_BETWEEN | {"aiohttp", _PACKAGE}

_RUNS_TESTS = frozenset({"unittest", "_pytest", "pluggy", "pytest", "pytest_aiohttp", "pytest_asyncio"})

_NOT_THE_TESTS = _RUNS_TESTS | {"aiohttp", _PACKAGE}

# The functions of asyncio that create tasks for others, those that call the callbacks of a loop (CPython 3.10 to 3.14;
# uvloop's have no frames, so there it is the function that runs the loop), and the modules that create main tasks.
_MAKE_TASKS = ("ensure_future", "_ensure_future")
_CALL_BACK = ("_run_once", "run")
_RUN_LOOPS = ("asyncio.runners", "asyncio.base_events")

# The modules in which asyncio creates its own tasks, to accept connections to a server (CPython 3.10 to 3.14).
_ACCEPT = ("asyncio.selector_events", "asyncio.proactor_events")

_NO_FILE = f"<{__name__}>"

_Function = Callable[..., Any]


class Watcher(Protocol):
    """Records what is created."""

    @property
    def looks_before_loops_end(self) -> bool:
        """Whether it is notified before the test runner closes a loop."""

    def note_made(self, thing: ClientSession | BaseConnector, place: str, /) -> None:
        """Record a session or a connector, and the place that created it."""

    def note_task(self, task: asyncio.Task[Any], place: str, /) -> None:
        """Record a task, and the place that created it."""

    def place_of(self, task: asyncio.Task[Any], /) -> str:
        """Return where a task was created, if it was recorded."""

    def note_end_of(self, loop: asyncio.AbstractEventLoop, /) -> None:
        """Record that a loop is about to be closed."""


# Which line creates things.

@functools.lru_cache(maxsize=1000)
def _package_of_module(name: object) -> str:
    return "functools" if name == "unittest.mock" else str(name).partition(".")[0]


def _package_of(frame: FrameType) -> str:
    return _package_of_module(frame.f_globals.get("__name__"))


def _frame_behind(packages: Collection[str], frame: FrameType | None) -> FrameType | None:
    """Return the innermost frame, starting at `frame`, outside these packages; None if a loop's frame comes first."""
    while frame is not None:
        package = _package_of(frame)
        if package not in packages:
            return frame
        if package == "asyncio" and frame.f_code.co_name in _CALL_BACK:
            return None
        frame = frame.f_back
    return None


def _shown_place(frame: FrameType | None) -> str:
    return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"


def place(watcher: Watcher) -> str:
    """Return which line of the test or the code under test is creating something; "" if neither is."""
    frame = _frame_behind(_BETWEEN_CALLERS, sys._getframe(1))
    if frame is not None:
        return "" if _package_of(frame) in _RUNS_TESTS else _shown_place(frame)
    # A task that does nothing but make a call, such as those of `asyncio.gather(session.get(url), session.get(url))`.
    task = None if asyncio._get_running_loop() is None else current_task()
    return "" if task is None else watcher.place_of(task)


# The watchers, each with its mock, the latest one last.
_watchers: tuple[tuple[Interceptor, Watcher], ...] = ()

_is_paused = False


@contextmanager
def paused() -> Iterator[None]:
    """Within this context manager, nothing that is created is recorded."""
    global _is_paused
    before, _is_paused = _is_paused, True
    try:
        yield
    finally:
        _is_paused = before


def begin(interceptor: Interceptor, watcher: Watcher) -> None:
    """Notify a watcher of what is created from now on where calls are offered to this mock, active or not yet."""

    def step() -> None:
        global _watchers
        _watchers = (*_watchers, (interceptor, watcher))
        _settle()

    active.exclusively(step)


def end(watcher: Watcher) -> None:
    """Stop notifying a watcher."""

    def step() -> None:
        global _watchers
        _watchers = tuple(one for one in _watchers if one[1] is not watcher)
        _settle()

    active.undo(step)


def _watcher_here() -> Watcher | None:
    """Return the watcher that records what is created here, if there is one."""
    if _is_paused:
        return None
    for asked in active.asked_here() or ():
        for interceptor, watcher in _watchers:
            if interceptor is asked:
                return watcher
    # A watcher whose mock is about to start.
    return next((watcher for interceptor, watcher in reversed(_watchers) if not interceptor.is_active), None)


class _Patch:
    """A function that replaces another one, and calls it.

    Other code may have wrapped it while it was in place and may keep it for longer. It then only calls the function
    that it replaced.
    """

    by_place: ClassVar[dict[tuple[type | ModuleType, str], _Patch]] = {}

    is_on = False

    def __init__(self, owner: type | ModuleType, name: str, placed: _Function, make: _MakePatch) -> None:
        self._owner = owner
        self._name = name
        self._placed = placed
        self._is_inherited = name not in vars(owner)
        self._function = functools.wraps(placed)(make(self, placed))

    @classmethod
    def put(cls, owner: type | ModuleType, name: str, make: _MakePatch) -> None:
        placed: Any = owner.__dict__.get(name) or getattr(owner, name)
        patch = cls.by_place.get((owner, name))
        if patch is None or placed is not patch._placed and placed is not patch._function:
            # If a test has put something there that is not a function, it creates nothing.
            if not inspect.isroutine(placed):
                return
            if patch is not None:
                patch.is_on = False
            patch = cls.by_place[owner, name] = cls(owner, name, placed, make)
        patch.is_on = True
        setattr(owner, name, patch._function)

    def take_out(self) -> None:
        """Put back what it replaced, unless other code has replaced it."""
        self.is_on = False
        if self._owner.__dict__.get(self._name) is not self._function:
            return
        if self._is_inherited:
            delattr(self._owner, self._name)
        else:
            setattr(self._owner, self._name, self._placed)


_MakePatch = Callable[[_Patch, _Function], _Function]


def _settle() -> None:
    """Put our functions in place while there is a watcher, and take them out otherwise."""
    if not _watchers:
        for patch in _Patch.by_place.values():
            if patch.is_on:
                patch.take_out()
        return
    for loop in asyncio.AbstractEventLoop.__subclasses__():
        _Patch.put(loop, "create_task", _noting_the_task)
    _Patch.put(BaseConnector, "__init__", _noting_what_is_made)
    _Patch.put(ClientSession, "__init__", _noting_what_is_made)
    if any(watcher.looks_before_loops_end for _, watcher in _watchers):
        _Patch.put(asyncio.runners, "_cancel_all_tasks", _before_all_are_cancelled)


def _noting_what_is_made(patch: _Patch, original: _Function) -> _Function:
    def __init__(made: ClientSession | BaseConnector, *args: Any, **kwargs: Any) -> None:
        original(made, *args, **kwargs)
        if patch.is_on and not isinstance(made, InMemoryConnector):
            _hide_us_in_traceback(made)
            watcher = _watcher_here()
            if watcher is not None:
                watcher.note_made(made, place(watcher))

    return __init__


def _noting_the_task(patch: _Patch, original: _Function) -> _Function:
    def create_task(*args: Any, **kwargs: Any) -> Any:
        task = original(*args, **kwargs)
        # The loops of tests may return anything.
        if patch.is_on and isinstance(task, asyncio.Task):
            _hide_us_in_traceback(task)
            caller: FrameType | None = sys._getframe(1)
            while caller is not None and caller.f_code.co_name in _MAKE_TASKS:
                caller = caller.f_back
            runs_loop = caller is not None and caller.f_globals.get("__name__") in _RUN_LOOPS
            # The main task of a run ends with the run.
            if not runs_loop or asyncio._get_running_loop() is not None:
                _note_task(task, caller)
        return task

    # In debug mode, asyncio records the frames that lead to each task, and looks for the file of each frame every time.
    create_task.__code__ = create_task.__code__.replace(co_filename=_NO_FILE)
    return create_task


def _note_task(task: asyncio.Task[Any], caller: FrameType | None) -> None:
    """Record a task that was created for a caller, if it belongs to the test."""
    watcher = _watcher_here()
    if watcher is None or task.done():
        return
    maker = _frame_behind(_IN_BETWEEN, caller)
    if maker is None:
        # A callback of the loop creates it. anyio creates the task in which it runs tests like this.
        is_the_tests = caller is None or (
            _package_of(caller) != "anyio" and caller.f_globals.get("__name__") not in _ACCEPT
        )
    else:
        is_the_tests = _package_of(maker) not in _NOT_THE_TESTS
    if is_the_tests:
        watcher.note_task(task, _shown_place(maker))


def _hide_us_in_traceback(made: Any) -> None:
    """Make the reports of aiohttp and asyncio in debug mode lead to the code that created a thing."""
    # Private; in both, the frames that led to the thing (aiohttp 3.8.6 to 3.14.5, CPython 3.10 to 3.14).
    frames = getattr(made, "_source_traceback", None)
    if frames and frames[-1].filename in (_NO_FILE, __file__):
        del frames[-1]


def _before_all_are_cancelled(patch: _Patch, original: _Function) -> _Function:
    def _cancel_all_tasks(loop: asyncio.AbstractEventLoop) -> Any:
        closer = _frame_behind(_IN_BETWEEN, sys._getframe(1))
        if patch.is_on and closer is not None and _package_of(closer) in _RUNS_TESTS:
            for _, watcher in _watchers:
                if watcher.looks_before_loops_end:
                    watcher.note_end_of(loop)
        return original(loop)

    return _cancel_all_tasks
