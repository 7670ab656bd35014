"""Letting time pass.

Tests replace `asyncio.sleep` to find out how long the code under test wants to wait, and to avoid that wait. The waits
in this room must not take part in that, so they use the timers and the turns of the event loop itself.
"""

from __future__ import annotations

import types
from asyncio import Future, get_running_loop
from collections.abc import Generator


@types.coroutine
def next_turn() -> Generator[None, None, None]:
    """Let everything that is ready run first."""
    yield


async def pass_time(seconds: float, waiter: Future[None] | None = None) -> None:
    """Wait so many seconds, or until `waiter` is done; for 0 seconds, wait until the next turn of the loop."""
    if not seconds:
        await next_turn()
        return
    loop = get_running_loop()
    if waiter is None:
        waiter = loop.create_future()
    timer = loop.call_later(seconds, finish, waiter)
    try:
        await waiter
    finally:
        timer.cancel()


def finish(waiter: Future[None], _: object = None) -> None:
    """Set the result of a future, unless it is done already."""
    if not waiter.done():
        waiter.set_result(None)
