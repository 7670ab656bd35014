"""Waiting that is no part of what tests see, or do away with, of the waiting of the code under test."""

import asyncio
from unittest.mock import AsyncMock, call, patch

from aiohttp import ClientTimeout

from aioresponses import AioResponsesTestCase, CallbackResult, Fault

from ..support import SITE, USERS, error_of


class ReplacedSleepTest(AioResponsesTestCase):
    """`asyncio.sleep` is replaced in tests of back-off: by the list of its calls, they see how long a client waits."""

    async def asyncSetUp(self):
        self.session = self.client_session()
        patched = patch("asyncio.sleep", AsyncMock())
        self.sleep = patched.start()
        self.addCleanup(patched.stop)

    async def text_at_last(self):
        """Ask until there is an answer, each time after twice as long."""
        for number in range(5):
            async with self.session.get(SITE) as response:
                if response.status != 503:
                    return await response.text()
            await asyncio.sleep(2 ** number)

    async def check_times_out(self, **reply):
        for method in ("GET", "POST"):
            self.mock.add(SITE, method, **reply)
            error, _ = await error_of(self.session.request(method, SITE, timeout=ClientTimeout(total=0.01)))
            self.assertTrue(issubclass(error, asyncio.TimeoutError), error)

    async def test_a_delay_is_one_all_the_same(self):
        for reply in ({}, {"exception": ValueError()}, {"fault": Fault.EMPTY_RESPONSE}):
            await self.check_times_out(delay=60, **reply)

    async def test_so_is_that_of_a_callback(self):
        await self.check_times_out(callback=lambda call: CallbackResult(delay=60))

    async def test_so_is_that_of_nobody_who_listens(self):
        await self.check_times_out(delay=60, fault=Fault.CONNECTION_REFUSED)

    async def test_a_server_that_hangs_does_so_all_the_same(self):
        await self.check_times_out(fault=Fault.HANG)

    async def test_so_does_the_latency(self):
        self.mock.latency = 60
        await self.check_times_out()

    async def test_no_wait_of_ours_is_among_those_of_the_client(self):
        self.mock.latency = 0.001
        self.mock.get(SITE, replies=[{"status": 503, "delay": 0.001}] * 3 + [{"body": "at last"}])
        self.assertEqual(await self.text_at_last(), "at last")
        self.assertEqual(self.sleep.await_args_list, [call(1), call(2), call(4)])
        await error_of(self.session.get(USERS))
        self.mock.get(SITE, fault=Fault.CONNECTION_REFUSED, delay=0.001)
        await error_of(self.session.get(SITE))
        self.assertEqual(self.sleep.await_count, 3)
