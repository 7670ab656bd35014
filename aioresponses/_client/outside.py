"""What may wake a loop from outside: threads, processes, sockets.

Virtual time jumps when nothing can run. Whether something still can is seen by what the loop waits for.

Private names, the same in CPython 3.10 to 3.15: `_ssock` is the loop's end of the pair of sockets by which threads and
signals wake it, `_selector` what watches its sockets. `sys._current_frames` tells of the threads that there are, and of
what each one does: `concurrent.futures.thread._worker` waits for work, and `_do_waitpid` of asyncio's watcher for the
end of a process. pycares, the resolver that `aiohttp[speedups]` brings, keeps a thread for as long as the process runs,
in `_run_safe_shutdown_loop` (5.2.1); it clears away, and no loop waits for that.
"""

from __future__ import annotations

import math
import os
import socket
import stat
import sys
from asyncio import AbstractEventLoop
from threading import get_ident
from types import FrameType
from typing import Any, NamedTuple

from .passing import passed_through


class Threads(NamedTuple):
    """What the other threads do."""

    at_work: bool
    """Whether there is one that does not just wait for work of an executor."""

    wait_for_process: bool
    """Whether there is one that waits for the end of a process, in the place of a loop."""


def other_threads() -> Threads:
    """Return what the threads beside this one do."""
    frames = sys._current_frames()
    # The frame of this function, which holds them: it would be left to the garbage collector, with all its callers.
    del frames[get_ident()]
    others = frames.values()
    return Threads(not all(map(_waits_for_work, others)), any(map(_waits_for_process, others)))


def _waits_for_work(frame: FrameType) -> bool:
    if frame.f_code.co_name == "_run_safe_shutdown_loop" and frame.f_globals.get("__name__") == "pycares":
        return True
    if frame.f_code.co_name != "_worker" or frame.f_globals.get("__name__") != "concurrent.futures.thread":
        return False
    work = frame.f_locals.get("work_queue")
    return work is not None and bool(work.empty())


def _waits_for_process(frame: FrameType) -> bool:
    return frame.f_code.co_name == "_do_waitpid" and frame.f_globals.get("__name__") == "asyncio.unix_events"


def patience(loop: AbstractEventLoop, grace: float) -> float | None:
    """Return for how many real seconds a jump has to wait for what may yet come by the sockets and pipes of a loop.

    None if it has no sockets; `math.inf` if there must be no jump, so that time passes really.
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
    """None while it is not connected; what has no name is "" or b""."""

    listens: bool

    @classmethod
    def of(cls, number: int) -> _Socket | None:
        """Return what is to be known of the socket of this number; None of a pipe and the like."""
        try:
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                return None
            # A copy, which is closed here.
            with socket.socket(fileno=os.dup(number)) as one:
                listens = bool(one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
                try:
                    peer = one.getpeername()
                except OSError:
                    peer = None
                return cls(one.getsockname(), peer, listens)
        except OSError:
            # It has been closed, and is watched all the same.
            return cls(None, None, False)
