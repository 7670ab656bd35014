"""Virtual time as a whole: what takes none, in which order it ends, and what the clock leaves behind."""

import asyncio
import contextlib
import logging
import math
import sys
import threading
import time
import unittest
from unittest.mock import AsyncMock, Mock, patch

import aiohttp
from aiohttp import ClientTimeout

from aioresponses import AioResponsesTestCase, Fault, VirtualClock

from ..support import SITE, text_of


class WaitingTest(AioResponsesTestCase):
    """What waits for time takes none, and ends when it would."""

    virtual_time = True

    def setUp(self):
        self.began = time.perf_counter()

    def tearDown(self):
        self.assertLess(time.perf_counter() - self.began, 5)

    async def test_a_hundred_years(self):
        await asyncio.sleep(100 * 365 * 86400)
        await asyncio.sleep(1)
        self.assertEqual(self.clock.elapsed, 100 * 365 * 86400 + 1)

    async def test_fractions_add_up(self):
        for _ in range(10):
            await asyncio.sleep(0.1)
        self.assertEqual(self.clock.elapsed, 1)

    async def test_timers_end_in_their_order(self):
        ended = []

        async def wait(seconds):
            await asyncio.sleep(seconds)
            ended.append((seconds, self.clock.elapsed))

        await asyncio.gather(*map(wait, (3, 1, 2, 0.5)))
        self.assertEqual(ended, [(0.5, 0.5), (1, 1), (2, 2), (3, 3)])

    async def test_timers_of_one_time_end_in_the_order_in_which_they_were_set(self):
        loop = asyncio.get_running_loop()
        for far in (0, 86400 * 365 * 1000):  # There, a float is exact to some microseconds.
            ended = []
            when = loop.time() + far + 1
            for number in range(100):
                loop.call_at(when, ended.append, number)
            await asyncio.sleep(far + 2)
            self.assertEqual(ended, list(range(100)))

    async def test_a_cancelled_timer_is_no_reason_to_go_anywhere(self):
        loop = asyncio.get_running_loop()
        loop.call_later(1, lambda: None).cancel()
        await asyncio.sleep(3)
        loop.call_later(1, loop.call_later(2, lambda: None).cancel)
        await asyncio.sleep(5)
        self.assertEqual(self.clock.elapsed, 8)

    async def test_what_waits_for_time_without_end_is_no_timer(self):
        endless = asyncio.ensure_future(asyncio.sleep(float("inf")))
        await asyncio.sleep(5)
        self.assertEqual((endless.done(), self.clock.elapsed), (False, 5))

    async def test_a_limit_for_a_wait(self):
        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 42)
        self.assertEqual(self.clock.elapsed, 42)

    if sys.version_info >= (3, 11):

        async def test_a_block_with_a_limit(self):
            with self.assertRaises(asyncio.TimeoutError):
                async with asyncio.timeout(8):
                    await asyncio.Event().wait()
            self.assertEqual(self.clock.elapsed, 8)

    if sys.version_info >= (3, 12):

        async def test_eager_tasks(self):
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
            await asyncio.gather(asyncio.sleep(3), asyncio.create_task(asyncio.sleep(5)))
            self.assertEqual(self.clock.elapsed, 5)

    async def test_a_task_in_the_background(self):
        beats = []

        async def beat():
            while True:
                beats.append(self.clock.elapsed)
                await asyncio.sleep(10)

        task = asyncio.ensure_future(beat())
        await asyncio.sleep(25)
        task.cancel()
        self.assertEqual(beats, [0, 10, 20])

    def test_a_loop_that_a_plain_test_runs(self):
        asyncio.run(asyncio.sleep(500))
        asyncio.run(asyncio.sleep(500))
        loop = asyncio.new_event_loop()
        loop.run_until_complete(asyncio.sleep(1))
        loop.close()
        self.assertEqual(self.clock.elapsed, 1001)


class RequestsTest(AioResponsesTestCase):
    """Delays and timeouts of requests."""

    virtual_time = True

    async def raised_by(self, session, error=asyncio.TimeoutError):
        with self.assertRaises(error):
            await text_of(session)
        return self.clock.elapsed

    async def test_delay_and_latency(self):
        self.mock.latency = 2
        self.mock.get(SITE, delay=60, body="late")
        self.assertEqual(await text_of(self.client_session()), "late")
        self.assertEqual(self.clock.elapsed, 62)

    async def test_a_host_that_hangs(self):
        self.mock.get(SITE, fault=Fault.HANG)
        self.assertEqual(await self.raised_by(self.client_session()), 300)

    async def test_a_timeout_before_and_after_a_delay(self):
        self.mock.get(SITE, delay=10)
        self.mock.get(SITE, delay=4, body="x")
        session = self.client_session(timeout=ClientTimeout(total=5))
        self.assertEqual(await self.raised_by(session), 5)
        self.assertEqual(await text_of(session), "x")
        self.assertEqual(self.clock.elapsed, 9)

    async def test_a_longer_timeout_is_not_rounded_up(self):
        # aiohttp does that with the time at which it ends, which is whole as the clock starts on a whole second.
        self.mock.get(SITE, fault=Fault.HANG)
        self.assertEqual(await self.raised_by(self.client_session(timeout=ClientTimeout(total=30))), 30)

    async def test_a_stream_that_stops(self):
        async def body():
            yield b"a"
            await asyncio.sleep(2)
            yield b"b"
            await asyncio.sleep(20)
            yield b"c"

        self.mock.get(SITE, body=body)
        session = self.client_session(timeout=ClientTimeout(sock_read=5))
        self.assertEqual(await self.raised_by(session, aiohttp.ServerTimeoutError), 7)

    async def test_requests_that_wait_for_a_connection(self):
        self.mock.get(SITE, delay=10, repeat=True)
        session = self.client_session(connector=aiohttp.TCPConnector(limit=2))
        await asyncio.gather(*[text_of(session) for _ in range(5)])
        self.assertEqual([call.ended - self.mock.calls[0].started for call in self.mock.calls], [10, 10, 20, 20, 30])

    async def test_connections_that_are_kept_alive(self):
        self.mock.get(SITE, repeat=True)
        session = self.client_session()
        await text_of(session)
        await asyncio.sleep(1000)
        await text_of(session)
        self.assertEqual(self.clock.elapsed, 1000)

    async def test_a_client_that_backs_off(self):
        self.mock.get(SITE, status=503, repeat=3)
        self.mock.get(SITE, body="x")
        session = self.client_session()
        for tries in range(5):
            async with session.get(SITE) as response:
                if response.status == 200:
                    break
            await asyncio.sleep(2 ** tries)
        self.assertCallTimes([0, 1, 3, 7], SITE)

    async def test_calls_at_once_are_at_once_and_those_one_after_another_are_not(self):
        self.mock.get(SITE, delay=1, repeat=True)
        session = self.client_session()
        await asyncio.gather(*[text_of(session) for _ in range(3)])
        self.assertMaxConcurrency(3)
        self.assertConcurrent(at_least=3)
        self.mock.reset()
        self.mock.latency = None
        self.mock.clear()
        self.mock.get(SITE, repeat=True)
        for _ in range(3):
            await text_of(session)
        self.assertMaxConcurrency(1)
        self.assertEqual(len({call.started for call in self.mock.calls}), 1)

    async def test_times_of_calls_are_virtual(self):
        self.mock.get(SITE, delay=2, repeat=True)
        session = self.client_session()
        await text_of(session)
        await asyncio.sleep(3)
        await text_of(session)
        first, second = self.mock.calls
        self.assertAlmostEqual(first.ended - first.started, 2)
        self.assertAlmostEqual(second.started - first.started, 5)
        self.assertAlmostEqual(second.ended - first.started, 7)


class EntryTest(unittest.IsolatedAsyncioTestCase):
    """The ways to start and stop a clock."""

    async def test_blocks_in_a_running_loop(self):
        for _ in range(2):
            with VirtualClock() as clock:
                self.assertEqual(clock.elapsed, 0)
                await asyncio.sleep(7)
            self.assertEqual(clock.elapsed, 7)
            async with VirtualClock() as clock:
                await asyncio.sleep(5)
            self.assertEqual(clock.elapsed, 5)

    async def test_the_same_clock_once_more(self):
        clock = VirtualClock()
        self.assertEqual(clock.elapsed, 0)
        for _ in range(2):
            clock.start()
            await asyncio.sleep(60)
            clock.stop()
            self.assertEqual(clock.elapsed, 60)

    async def test_starting_and_stopping_at_the_wrong_time(self):
        clock, other = VirtualClock(), VirtualClock()
        for wrong, message in (
            (clock.stop, "stop() called on a VirtualClock that is not running"),
            (clock.start, "start() called on a VirtualClock that is already running"),
            (other.start, "start() called while another VirtualClock runs in this thread: use that one"),
        ):
            with self.assertRaises(RuntimeError) as raised:
                wrong()
            self.assertEqual(str(raised.exception), message)
            if wrong == clock.stop:
                clock.start()
        await asyncio.sleep(3)
        clock.stop()
        self.assertEqual((clock.elapsed, other.elapsed), (3, 0))
        other.start()
        other.stop()

    async def test_wrong_arguments(self):
        for arguments, error, message in (
            ({"limit": 0}, ValueError, "limit: expected an int of at least 1, got 0"),
            ({"limit": 1.5}, TypeError, "limit: expected an int of at least 1, got 1.5"),
            ({"grace": -1}, ValueError, "grace: expected seconds, 0 or more, got -1"),
            ({"grace": "1"}, TypeError, "grace: expected seconds, got '1'"),
        ):
            with self.subTest(arguments), self.assertRaises(error) as raised:
                VirtualClock(**arguments)
            self.assertEqual(str(raised.exception), message)
        with self.assertRaises(TypeError):
            VirtualClock(5)

    async def test_an_exception_leaves_nothing_behind(self):
        loop = asyncio.get_running_loop()
        for error in (KeyError("own"), KeyboardInterrupt(), asyncio.CancelledError()):
            with self.assertRaises(type(error)) as raised, VirtualClock():
                raise error
            self.assertIs(raised.exception, error)
            self.check_is_real(loop)

    async def test_an_interrupt_while_it_starts_or_stops_leaves_nothing_behind(self):
        loop = asyncio.get_running_loop()
        for name in ("clock.replace_monotonic", "clock._settle", "loops.LoopInVirtualTime._put"):
            with self.subTest(name), patch(f"aioresponses._client.{name}", side_effect=KeyboardInterrupt):
                with self.assertRaises(KeyboardInterrupt):
                    VirtualClock().start()
            with VirtualClock():
                pass
            self.check_is_real(loop)

    def check_is_real(self, loop):
        self.assertEqual(set(vars(loop)) & {"call_at", "run_in_executor", "shutdown_default_executor"}, set())
        self.assertNotIn("select", vars(loop._selector))
        self.assertIs(asyncio.new_event_loop, asyncio.events.new_event_loop)
        self.assertEqual(asyncio.BaseEventLoop.run_forever.__code__.co_filename, asyncio.base_events.__file__)

    async def test_time_goes_on_from_where_it_is_and_never_back(self):
        loop = asyncio.get_running_loop()
        before = loop.time()
        with VirtualClock():
            self.assertGreaterEqual(loop.time(), before)
            self.assertEqual(loop.time() % 1, 0)
            await asyncio.sleep(3600)
            before = loop.time()
        self.assertTrue(before <= loop.time() < before + 1)
        began = time.perf_counter()
        await asyncio.sleep(0.02)
        self.assertGreater(time.perf_counter() - began, 0.01)
        with VirtualClock() as clock:
            self.assertTrue(before < loop.time() <= before + 3)
            self.assertEqual(loop.time() % 1, 0)
            await asyncio.sleep(5)
            self.assertEqual(clock.elapsed, 5)

    async def test_a_timer_that_is_older_than_the_clock_fires_in_it_and_a_later_one_after_it(self):
        loop = asyncio.get_running_loop()
        fired = []
        loop.call_later(30, fired.append, "old")
        with VirtualClock() as clock:
            loop.call_later(clock.elapsed + 60.02, fired.append, "late")
            await asyncio.sleep(60)
            self.assertEqual(fired, ["old"])
        await asyncio.sleep(0.05)
        self.assertEqual(fired, ["old", "late"])

    async def test_what_somebody_else_puts_on_the_loop_meanwhile_stays(self):
        loop = asyncio.get_running_loop()
        with VirtualClock():
            call_at = loop.call_at
            loop.call_at = own = lambda *args, **kwargs: call_at(*args, **kwargs)
            await asyncio.sleep(5)
        self.assertIs(loop.call_at, own)
        await asyncio.sleep(0.001)
        del loop.call_at

    def test_around_a_run_and_around_none(self):
        with VirtualClock() as clock:
            self.assertEqual(asyncio.run(asyncio.sleep(10, "slept")), "slept")
        self.assertEqual(clock.elapsed, 10)
        with VirtualClock() as clock:
            pass
        self.assertEqual(clock.elapsed, 0)

    def test_a_loop_that_is_closed_before_the_clock_stops(self):
        loop = asyncio.new_event_loop()
        with VirtualClock():
            loop.run_until_complete(asyncio.sleep(10))
            loop.close()
            with self.assertRaisesRegex(RuntimeError, "^Event loop is closed$"):
                loop.run_until_complete(loop.create_future())

    def test_many_loops(self):
        with VirtualClock() as clock:
            for _ in range(100):
                asyncio.run(asyncio.sleep(1))
            self.assertEqual(len(clock._time._loops), 1)
        self.assertEqual(clock.elapsed, 100)

    def test_a_loop_of_another_thread_goes_by_real_time(self):
        with VirtualClock() as clock:
            loop = asyncio.new_event_loop()

            def run():
                began = time.perf_counter()
                loop.run_until_complete(asyncio.sleep(0.02))
                spent.append(time.perf_counter() - began)
                loop.close()

            spent = []
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
        self.assertGreater(spent[0], 0.01)
        self.assertEqual(clock.elapsed, 0)

    def test_clocks_in_two_threads(self):
        elapsed = {}

        def run(seconds):
            with VirtualClock() as clock:
                asyncio.run(asyncio.sleep(seconds))
                both_slept.wait(20)
                asyncio.run(asyncio.sleep(seconds))
            elapsed[seconds] = clock.elapsed

        both_slept = threading.Barrier(2)
        threads = [threading.Thread(target=run, args=(seconds,)) for seconds in (10, 70)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(elapsed, {10: 20, 70: 140})

    async def loop_that_reports_slow_callbacks(self):
        """Return the running loop, and its time, which stands still 0.9 seconds before a clock starts."""
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        loop.slow_callback_duration = 0.5
        # The clock starts on the next whole second.
        now = math.floor(loop.time()) + 5.1
        loop.time = lambda: now
        await asyncio.sleep(0)
        return loop, now

    async def test_a_slow_callback_is_not_reported_because_the_time_jumped(self):
        loop, now = await self.loop_that_reports_slow_callbacks()
        with self.assert_nothing_logged():
            with VirtualClock():
                self.assertAlmostEqual(loop.time() - now, 0.9)
                await asyncio.sleep(0.9)
            await asyncio.sleep(0)
        self.assertEqual(loop.slow_callback_duration, 0.5)

    async def test_a_callback_that_starts_and_stops_a_clock_is_not_reported_either(self):
        loop, _ = await self.loop_that_reports_slow_callbacks()
        with self.assert_nothing_logged():
            for _ in range(2):
                with VirtualClock():
                    self.assertEqual(loop.time() % 1, 0)
            await asyncio.sleep(0)
        self.assertEqual(loop.slow_callback_duration, 0.5)

    @contextlib.contextmanager
    def assert_nothing_logged(self):
        logger = logging.getLogger("asyncio")
        # Our tests have such reports left out.
        with patch.object(logger, "filters", []), self.assertLogs(logger, logging.WARNING) as logged:
            yield
            logger.warning("nothing else")
        self.assertEqual([record.getMessage() for record in logged.records], ["nothing else"])


class HoldTest(unittest.IsolatedAsyncioTestCase):
    async def test_time_passes_really_meanwhile(self):
        async with VirtualClock() as clock:
            with clock.hold():
                with clock.hold():
                    await asyncio.sleep(0.01)
                began = time.perf_counter()
                await asyncio.sleep(0.02)
                self.assertGreater(time.perf_counter() - began, 0.01)
            self.assertTrue(0.03 <= clock.elapsed < 10)
            await asyncio.sleep(3600)
            self.assertGreater(clock.elapsed, 3600)

    async def test_it_ends_with_an_exception(self):
        async with VirtualClock() as clock:
            with contextlib.suppress(KeyError):
                with clock.hold():
                    raise KeyError
            await asyncio.sleep(3600)

    async def test_a_thread_of_the_test_s_own(self):
        async with VirtualClock() as clock:
            loop = asyncio.get_running_loop()
            done = asyncio.Event()
            timer = threading.Timer(0.02, loop.call_soon_threadsafe, [done.set])
            timer.start()
            with clock.hold():
                await asyncio.wait_for(done.wait(), 20)
            timer.join()


class OnJumpTest(unittest.IsolatedAsyncioTestCase):
    async def test_each_function_is_given_the_seconds_before_anything_else_runs(self):
        jumps = []
        with VirtualClock() as clock:
            self.assertEqual(clock.on_jump(jumps.append), jumps.append)

            @clock.on_jump
            def note(seconds):
                jumps.append(clock.elapsed)

            for seconds in (1, 0.1, 60):
                await asyncio.sleep(seconds)
                jumps.append("resumed")
        self.assertEqual(jumps, [1, 1, "resumed", 0.1, 1.1, "resumed", 60, 61.1, "resumed"])

    async def test_what_it_raises_ends_the_test(self):
        def fail(seconds):
            raise KeyError(seconds)

        loop = asyncio.get_running_loop()
        waiting = loop.create_task(asyncio.sleep(5))
        with self.assertRaises(KeyError) as raised:
            with VirtualClock() as clock:
                clock.on_jump(fail)
                await waiting
        self.assertEqual(raised.exception.args, (5,))

    def test_a_failure_of_pytest_ends_the_test_and_an_interrupt_the_run(self):
        class Failed(BaseException):
            pass

        async def main():
            try:
                await asyncio.sleep(5)
            finally:
                ended.append(loop.is_running())

        for error, ended_in_loop in ((Failed(), True), (KeyboardInterrupt(), False), (SystemExit(), False)):
            ended = []
            loop = asyncio.new_event_loop()
            with self.assertRaises(type(error)) as raised, VirtualClock() as clock:
                clock.on_jump(Mock(side_effect=error))
                task = loop.create_task(main())
                loop.run_until_complete(task)
            self.assertIs(raised.exception, error)
            self.assertEqual(ended, [True] if ended_in_loop else [])
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                loop.run_until_complete(task)
            loop.close()

    async def test_what_comes_after_that_is_not_ended_again(self):
        def fail(seconds):
            jumps.append(seconds)
            raise KeyError

        async def main():
            try:
                await asyncio.sleep(5)
            finally:
                await asyncio.sleep(7)
                jumps.append(clock.elapsed)

        jumps = []
        with self.assertRaises(KeyError):
            async with VirtualClock() as clock:
                clock.on_jump(fail)
                await asyncio.get_running_loop().create_task(main())
        self.assertEqual(jumps, [5, 12])

    async def test_what_cannot_be_called_with_the_seconds(self):
        async def coroutine_function(seconds):
            pass

        for wrong, text in (
            (5, "5"),
            (None, "None"),
            (coroutine_function, "coroutine_function"),
            (AsyncMock(), "<AsyncMock"),
            (lambda: None, "<lambda>"),
        ):
            with self.subTest(text), self.assertRaises(TypeError) as raised:
                VirtualClock().on_jump(wrong)
            expected, _, got = str(raised.exception).partition(", got ")
            self.assertEqual(expected, "f: expected a plain function that takes the seconds of a jump")
            self.assertIn(text, got)
        for right in (Mock(), int, [].append):
            self.assertIs(VirtualClock().on_jump(right), right)
