"""Clients that leave something behind, and a test case that looks at it."""

from __future__ import annotations

import asyncio
import inspect
import unittest
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from aiohttp import ClientSession

from aioresponses import AioResponsesTestCase, aioresponses

from .support import AIOHTTP, SITE

LARGE = b"x" * 2 ** 20


def at(function: Callable[..., object], line: int) -> str:
    """Return the place that is so many lines below the first one of a function."""
    code = function.__code__
    return f"{code.co_filename}:{code.co_firstlineno + line} in {code.co_name}"


async def closed(*things: Any) -> None:
    """Close sessions and connectors, release responses, and end tasks."""
    for thing in things:
        if isinstance(thing, asyncio.Future):
            thing.cancel()
            await asyncio.gather(thing, return_exceptions=True)
        elif isinstance(thing, aiohttp.ClientResponse):
            thing.close()
        else:
            closing = thing.close()
            if inspect.isawaitable(closing):
                await closing


async def new_session() -> ClientSession:
    return ClientSession()


def own_session_class() -> type[ClientSession]:
    """Return a subclass of `ClientSession`, where aiohttp lets there be one."""
    if AIOHTTP >= (4, 0):
        return ClientSession
    with warnings.catch_warnings():
        # aiohttp would rather have nobody do it, but many do.
        warnings.simplefilter("ignore", DeprecationWarning)

        class Own(ClientSession):
            pass

    return Own


class Client:
    """A client with a session, and a task that refreshes something."""

    def __init__(self) -> None:
        self.session = ClientSession()
        self.task = asyncio.get_running_loop().create_task(self.refresh(), name="refresh")

    async def refresh(self) -> None:
        while True:
            await asyncio.sleep(60)

    async def get(self) -> aiohttp.ClientResponse:
        return await self.session.get(SITE)

    async def close(self) -> None:
        self.task.cancel()
        await self.session.close()


class LeaksTestCase(unittest.TestCase):
    """Runs clients within a mock that looks at what they leave behind."""

    maxDiff = None

    Leaving = Callable[[aioresponses], Awaitable[Any]]

    async def left_here(self, client: Leaving, kinds: Any = True) -> list[str]:
        """Return the lines of the failure of an `async with`; the client returns what is to be closed after it."""
        things: Any = None
        try:
            async with aioresponses(assert_no_leaks=kinds) as mock:
                things = await client(mock)
        except AssertionError as error:
            return str(error).splitlines()
        finally:
            await closed(*things or ())
        return []

    def left(self, client: Leaving, kinds: Any = True) -> list[str]:
        return asyncio.run(self.left_here(client, kinds))


class WatchingCase(AioResponsesTestCase):
    """Fails if a test leaves anything behind."""

    assert_no_leaks = True


class LeavingCase(WatchingCase):
    """Closes what a test has left behind, once it has been looked at."""

    def setUp(self) -> None:
        self.things: list[Any] = []

    def doCleanups(self) -> Any:
        result = super().doCleanups()
        self.addAsyncCleanup(closed, *self.things)
        unittest.TestCase.doCleanups(self)
        return result
