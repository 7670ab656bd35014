"""The report on tasks that wait forever: which tasks they are, and where each of them waits."""

from __future__ import annotations

import gc
import sys
from asyncio import AbstractEventLoop, Task, all_tasks
from collections.abc import Iterator
from types import AsyncGeneratorType, CoroutineType, FrameType
from typing import Any

from .._display import cut, name_of, shown_seconds

_PACKAGE = __name__.partition(".")[0]


def about_waiting(loop: AbstractEventLoop, elapsed: float) -> str:
    """Return the report on the tasks of a loop, `elapsed` seconds after the start of the clock."""
    tasks = [(task.get_name(), _about(task)) for task in all_tasks(loop)]
    # Shorter names first, which sorts asyncio's default names by their number.
    lines = [line for _, line in sorted(tasks, key=lambda task: (len(task[0]), task))]
    found = "these tasks:" if lines else "no tasks."
    return "\n".join([f"After {shown_seconds(elapsed)} seconds of virtual time there are {found}", *cut(lines)])


def _about(task: Task[Any]) -> str:
    chain = list(_chain(task.get_coro()))
    # Prefer frames of the test and of the code under test: a plugin may run the test inside its own coroutine.
    own = [(name, frame) for name, frame in chain if _is_of_user(frame)] or chain
    if not own:
        return f"  task {task.get_name()!r}: {name_of(task.get_coro())}"
    name, (_, frame) = own[0][0], own[-1]
    place = f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
    return f"  task {task.get_name()!r}: {name}\n    waits at {place}"


def _chain(waiting: Any) -> Iterator[tuple[str, FrameType]]:
    """Yield the name and the frame of a coroutine, then those of what it waits for, and so on."""
    while waiting is not None:
        # The names of both attributes in coroutines, in generators used as coroutines, and in asynchronous generators.
        for frame_name, awaited_name in (
            ("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await"),
        ):
            frame = getattr(waiting, frame_name, None)
            if frame is not None:
                yield waiting.__qualname__, frame
                waiting = getattr(waiting, awaited_name)
                break
        else:
            # An object that steps an asynchronous generator, or `coroutine.__await__()`, has no such attribute, but
            # refers to the generator or coroutine.
            steps = gc.get_referents(waiting)
            waiting = next((one for one in steps if isinstance(one, (AsyncGeneratorType, CoroutineType))), None)


def _is_of_user(frame: FrameType) -> bool:
    """Tell whether a frame seems to belong to the test or the code under test, and not to a library."""
    package = str(frame.f_globals.get("__name__")).partition(".")[0]
    is_installed = "site-packages" in frame.f_code.co_filename or "dist-packages" in frame.f_code.co_filename
    return package != _PACKAGE and package not in sys.stdlib_module_names and not is_installed
