"""A stream that raises what is no `Exception`: the reader gets it, and does not wait for ever."""

import asyncio
import unittest
from contextlib import asynccontextmanager

from aiohttp import ClientSession

from aioresponses import aioresponses

from ..support import AT_MOST, SITE, Uncaught


class UncaughtTest(unittest.IsolatedAsyncioTestCase):
    @asynccontextmanager
    async def response(self, **reply):
        with aioresponses() as mock:
            mock.get(SITE, **reply)
            async with ClientSession() as session, session.get(SITE) as response:
                yield response

    async def check(self, **reply):
        async with self.response(**reply) as response:
            self.assertEqual(response.status, 200)
            with self.assertRaises(Uncaught) as raised:
                await asyncio.wait_for(response.read(), AT_MOST)
            self.assertEqual(str(raised.exception), "no more")

    async def test_a_stream_that_raises_after_a_piece(self):
        def plain():
            yield b"half"
            raise Uncaught("no more")

        async def asynchronous():
            yield b"half"
            await asyncio.sleep(0)
            raise Uncaught("no more")

        def events():
            yield "half"
            raise Uncaught("no more")

        await self.check(body=plain)
        await self.check(body=asynchronous)
        await self.check(events=events)

    async def test_a_stream_that_raises_before_its_first_piece(self):
        def plain():
            raise Uncaught("no more")
            yield

        await self.check(body=plain)
