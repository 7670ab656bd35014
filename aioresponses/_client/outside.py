"""What may wake a loop from outside: threads, processes, sockets.

Virtual time jumps when nothing can run any more. What the loop waits for shows whether anything still can.

Private names, the same in CPython 3.10 to 3.15: `_ssock` is the loop's end of the pair of sockets by which threads and
signals wake it, and `_selector` watches its sockets. `sys._current_frames` returns what each thread is doing: a thread
in `concurrent.futures.thread._worker` waits for work. asyncio starts a thread to wait for the end of each process
unless the system has a better way. It is known by its name, because its frames do not show it while it starts.
pycares, the resolver that `aiohttp[speedups]` installs, keeps a thread for as long as the process runs, in
`_run_safe_shutdown_loop` (5.2.1); that thread cleans up, and no loop waits for it.
"""

from __future__ import annotations

import math
import os
import re
import socket
import stat
import sys
from asyncio import AbstractEventLoop
from threading import enumerate as all_threads
from threading import get_ident
from types import FrameType
from typing import Any, NamedTuple

from .passing import passed_through


# "waitpid-0" up to CPython 3.10, "asyncio-waitpid-0" from 3.11 on.
_WAITS_FOR_PROCESS = re.compile(r"(?:asyncio-)?waitpid-\d+").fullmatch


class Threads(NamedTuple):
    """What the other threads are doing."""

    at_work: bool
    """Whether any of them does something other than wait for work of an executor."""

    wait_for_process: bool
    """Whether any of them waits for the end of a process on behalf of a loop."""


def other_threads() -> Threads:
    """Return what the threads other than this one are doing."""
    wait_for_process = any(_WAITS_FOR_PROCESS(thread.name) for thread in all_threads())
    frames = sys._current_frames()
    # This function's own frame refers to `frames`. Without this, only the garbage collector would free that cycle, and
    # with it all callers.
    del frames[get_ident()]
    return Threads(not all(map(_waits_for_work, frames.values())), wait_for_process)


def _waits_for_work(frame: FrameType) -> bool:
    if frame.f_code.co_name == "_run_safe_shutdown_loop" and frame.f_globals.get("__name__") == "pycares":
        return True
    if frame.f_code.co_name != "_worker" or frame.f_globals.get("__name__") != "concurrent.futures.thread":
        return False
    work = frame.f_locals.get("work_queue")
    return work is not None and bool(work.empty())


def patience(loop: AbstractEventLoop, grace: float) -> float | None:
    """Return how many real seconds a jump has to wait for data on the sockets and pipes of a loop.

    None if the loop has no sockets; `math.inf` if it must not jump, so that time passes in reality.
    """
    watched = loop._selector.get_map()  # type: ignore[attr-defined]
    own = loop._ssock.fileno()  # type: ignore[attr-defined]
    numbers = [number for number in watched if number != own]
    if not numbers:
        return None
    sockets = [_Socket.of(number) for number in numbers]
    if None in sockets:
        return math.inf
    here = {one.name for one in sockets if one is not None and one.name}
    if all(one is None or one.listens or one.peer in here for one in sockets):
        return grace / 10
    if any(one.transport is None or _peer_of(one.transport) not in here for one in passed_through(loop)):
        return math.inf
    return grace


def _peer_of(transport: Any) -> object:
    return transport.get_extra_info("peername")


class _Socket(NamedTuple):
    name: object
    peer: object
    """None while it is not connected; "" or b"" if the peer has no name."""

    listens: bool

    @classmethod
    def of(cls, number: int) -> _Socket | None:
        """Return what can be known about the socket with this file descriptor; None for a pipe and the like."""
        try:
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                return None
            # A duplicate, which is closed here.
            with socket.socket(fileno=os.dup(number)) as one:
                listens = bool(one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
                try:
                    peer = one.getpeername()
                except OSError:
                    peer = None
                return cls(one.getsockname(), peer, listens)
        except OSError:
            # It has been closed, but is still being watched.
            return cls(None, None, False)
