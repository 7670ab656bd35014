"""Waiting that is no part of what tests see, or do away with, of the waiting of the code under test."""

import asyncio
from unittest.mock import AsyncMock, call, patch

from aiohttp import ClientTimeout

from aioresponses import AioResponsesTestCase, CallbackResult, Fault

from ..support import SITE, USERS, error_of


class ReplacedSleepTest(AioResponsesTestCase):
    """`asyncio.sleep` is replaced in tests of back-off: by the list of its calls, they see how long a client waits."""

    assert_all_mocked = False  # A refused request waits as well.

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

    async def test_the_delay_of_a_callback_is_real_where_sleep_is_replaced(self):
        await self.check_times_out(callback=lambda call: CallbackResult(delay=60))

    async def test_the_delay_of_a_refused_connection_is_real_where_sleep_is_replaced(self):
        await self.check_times_out(delay=60, fault=Fault.CONNECTION_REFUSED)

    async def test_a_server_that_hangs_does_so_all_the_same(self):
        await self.check_times_out(fault=Fault.HANG)

    async def test_the_latency_passes_where_sleep_is_replaced(self):
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


class TimerTest(AioResponsesTestCase):
    """A timer does not outlive the wait that it was for, nor disturb anybody where both end in one turn."""

    async def asyncSetUp(self):
        self.session = self.client_session()
        self.loop = asyncio.get_running_loop()
        self.timers = []
        self.complaints = []
        self.loop.set_exception_handler(lambda loop, context: self.complaints.append(context["message"]))

    def set_timers(self, timer):
        """Have the timers of the loop be set by another function, and noted."""
        def call_later(seconds, callback, *args):
            self.timers.append(timer(callback, *args))
            return self.timers[-1]

        self.loop.call_later = call_later
        self.addCleanup(vars(self.loop).pop, "call_later", None)

    async def cancelled_while_it_waits(self, **reply):
        """Cancel a request as soon as it waits for a timer."""
        self.timers.clear()
        self.mock.get(SITE, **reply)
        task = asyncio.ensure_future(self.session.get(SITE, timeout=ClientTimeout(total=None)))
        while not self.timers:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        self.assertTrue(task.cancelled())

    async def test_the_timer_is_cancelled_with_the_request(self):
        call_later = self.loop.call_later  # uvloop's call_at comes to it.
        self.set_timers(lambda callback, *args: call_later(60, callback, *args))
        for latency, reply in ((60, {}), (60, {"fault": Fault.CONNECTION_REFUSED}), (None, {"delay": 60})):
            self.mock.latency = latency
            await self.cancelled_while_it_waits(**reply)
            self.assertEqual([timer.cancelled() for timer in self.timers], [True])

    async def test_the_timer_may_end_in_the_turn_in_which_the_request_is_cancelled(self):
        self.set_timers(self.loop.call_soon)
        for latency, reply in ((60, {}), (60, {"fault": Fault.CONNECTION_REFUSED}), (None, {"delay": 60})):
            self.mock.latency = latency
            await self.cancelled_while_it_waits(**reply)
        await asyncio.sleep(0)
        self.assertEqual(self.complaints, [])
