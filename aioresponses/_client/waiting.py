"""Letting time pass.

Tests replace `asyncio.sleep` to see how long the code under test means to wait, and so as not to wait for it. What is
waited for here is no part of that: it goes by the timers of the event loop itself, and by its turns.
"""

from __future__ import annotations

import types
from asyncio import Future, get_running_loop
from collections.abc import Generator


@types.coroutine
def next_turn() -> Generator[None, None, None]:
    """Let all that is ready run first."""
    yield


async def pass_time(seconds: float, waiter: Future[None] | None = None) -> None:
    """Wait so long, or until `waiter` is done; for 0, until the next turn of the loop."""
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
    """Have a future be done, unless it is done already."""
    if not waiter.done():
        waiter.set_result(None)
