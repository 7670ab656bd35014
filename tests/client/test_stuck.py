"""A test that waits forever, or does not end, fails, and names the tasks that wait and where."""

import asyncio
import concurrent.futures
import contextlib
import gc
import logging
import re
import sys
import threading
import types
import unittest
import warnings
from unittest import mock

import aiohttp

from aioresponses import AioResponsesTestCase, VirtualClock, aioresponses

from ..support import SITE, OutcomeTestCase, text_of

FOREVER = (
    "The test waits forever: no timer, no socket and no other thread is left that could wake it.\n"
    "After {} seconds of virtual time there are these tasks:"
)
ENDLESS = (
    "The test does not end: the clock has jumped {} times without a request.\n"
    "If that is right, use a VirtualClock with a higher limit.\n"
    "After {} seconds of virtual time there are these tasks:"
)
NO_TASKS = FOREVER.replace("these tasks:", "no tasks.")


async def wait_forever():
    await asyncio.Event().wait()


# Where it waits.
WAITS_AT = f"{__file__}:{wait_forever.__code__.co_firstlineno + 1} in wait_forever"


async def beat(seconds=60):
    while True:
        await asyncio.sleep(seconds)


BEATS_AT = f"{__file__}:{beat.__code__.co_firstlineno + 2} in beat"


async def wait_named(coroutine=None, name="main"):
    """Wait in a task with this name, and for no other one."""
    await asyncio.get_running_loop().create_task(coroutine or wait_forever(), name=name)


class WaitsForeverTest(unittest.TestCase):
    """Around `asyncio.run`."""

    maxDiff = None

    def message(self, main, error=AssertionError, **arguments):
        """Run a coroutine function with a clock; return the message of what that raises, without other tasks."""
        with self.assertRaises(error) as raised:
            with VirtualClock(**arguments):
                asyncio.run(main())
        return re.sub(r"\n  task 'Task-\d+': [^\n]+\n    waits at [^\n]+", "", str(raised.exception))

    def test_an_event_that_is_never_set(self):
        async def main():
            await asyncio.sleep(3)
            await wait_named()

        self.assertEqual(
            self.message(main), f"{FOREVER.format(3)}\n  task 'main': wait_forever\n    waits at {WAITS_AT}"
        )

    def test_a_timer_that_is_never_due(self):
        self.assertTrue(self.message(lambda: asyncio.sleep(float("inf"))).startswith(FOREVER.format(0)))

    def test_several_tasks(self):
        async def main():
            await asyncio.gather(*[wait_named(name=name) for name in ("b", "a", "ccc")])

        self.assertEqual(
            self.message(main),
            "\n".join(
                [FOREVER.format(0)]
                + [f"  task '{name}': wait_forever\n    waits at {WAITS_AT}" for name in ("a", "b", "ccc")]
            ),
        )

    def test_many_tasks(self):
        async def main():
            await asyncio.gather(*[wait_named(name=f"n{number}") for number in range(100)])

        text = self.message(main)
        self.assertEqual(text.count("waits at"), 20)
        self.assertRegex(text, r"\n  … and \d+ more$")

    def test_what_waits_by_other_means_than_a_coroutine(self):
        @types.coroutine
        def by_generator():
            yield from wait_forever().__await__()

        async def by_asynchronous_generator():
            yield
            await asyncio.Event().wait()

        async def iterate():
            async for _ in by_asynchronous_generator():
                pass

        async def leave():
            async with contextlib.asynccontextmanager(by_asynchronous_generator)():
                pass

        class ByCoroutine:
            def __await__(self):
                return wait_forever().__await__()

        async def wait(waiting):
            await waiting

        for make, place in (
            (lambda: wait(by_generator()), "wait_forever"),
            (iterate, "by_asynchronous_generator"),
            (leave, "by_asynchronous_generator"),
            (lambda: wait(ByCoroutine()), "wait_forever"),
            (lambda: wait(asyncio.get_running_loop().create_future()), "wait"),
            (lambda: asyncio.Event().wait(), "wait"),
        ):
            async def main():
                await wait_named(make())

            with self.subTest(place):
                self.assertRegex(self.message(main), rf"\n  task 'main': [^\n]+\n    waits at [^\n]+:\d+ in {place}$")

    def test_jumps_without_end(self):
        async def main():
            beating = asyncio.get_running_loop().create_task(beat(), name="beating")
            await wait_named()
            beating.cancel()

        self.assertEqual(
            self.message(main, limit=50),
            f"{ENDLESS.format(50, 3000)}\n  task 'main': wait_forever\n    waits at {WAITS_AT}\n"
            f"  task 'beating': beat\n    waits at {BEATS_AT}",
        )

    def test_requests_that_no_mock_answers(self):
        async def connect():
            async with aiohttp.ClientSession() as session:
                while True:
                    with contextlib.suppress(aiohttp.ClientConnectionError):
                        await session.get("http://example.com/")
                    await asyncio.sleep(3)

        async def main():
            with aioresponses() as mocks:
                mocks.get("http://example.com/")
                await wait_named(connect())

        self.assertEqual(
            self.message(main, limit=20),
            "The test does not end: 20 requests matched no mock. The last refusal:\n"
            "  Connection refused: GET http://example.com/\n"
            "  Registered mocks, the closest first:\n"
            "    GET http://example.com/: used up (1 of 1); to answer more requests, pass repeat\n"
            "After 60 seconds of virtual time there are these tasks:\n"
            "  task 'main': WaitsForeverTest.test_requests_that_no_mock_answers.<locals>.connect\n"
            f"    waits at {__file__}:{connect.__code__.co_firstlineno + 5} in connect",
        )

    def test_as_many_requests_without_a_mock_as_may_be(self):
        async def main():
            async with aiohttp.ClientSession() as session:
                with aioresponses() as mocks:
                    mocks.get("http://example.com/", repeat=30)
                    for _ in range(49):
                        with contextlib.suppress(aiohttp.ClientConnectionError):
                            await session.get("http://example.com/")
                        await asyncio.sleep(3)

        for _ in range(2):
            with VirtualClock(limit=20) as clock:
                asyncio.run(main())
            self.assertEqual(clock.elapsed, 147)
        with self.assertRaises(AssertionError), VirtualClock(limit=19):
            asyncio.run(main())

    def test_a_client_that_never_gives_up(self):
        async def ask_again(seconds):
            async with aiohttp.ClientSession() as session:
                while True:
                    async with session.get("http://example.com/") as response:
                        if response.status == 200:
                            break
                    if seconds is not None:
                        await asyncio.sleep(seconds)

        async def main():
            with aioresponses() as mocks:
                mocks.get("http://example.com/", status=503, repeat=True)
                await wait_named(ask_again(seconds))

        for limit, requests, seconds in ((20, 500, 2), (80, 800, 2), (20, 500, 0), (20, 500, None)):
            with self.subTest(limit, seconds=seconds), mock.patch("aioresponses._client.virtual_time._MOST_CALLS", 500):
                self.assertEqual(
                    self.message(main, limit=limit),
                    f"The test does not end: it has made {requests} requests.\n"
                    f"If that is right, use a VirtualClock with a limit above {requests // 10}.\n"
                    f"After {(seconds or 0) * (requests - 1)} seconds of virtual time there are these tasks:\n"
                    "  task 'main': WaitsForeverTest.test_a_client_that_never_gives_up.<locals>.ask_again\n"
                    f"    waits at {__file__}:{ask_again.__code__.co_firstlineno + 3} in ask_again",
                )

    def test_a_client_that_retries_at_once_where_no_mock_answers(self):
        async def connect():
            async with aiohttp.ClientSession() as session:
                while True:
                    with contextlib.suppress(aiohttp.ClientConnectionError):
                        await session.get("http://example.com/")

        async def main():
            with aioresponses(latency=latency):
                await wait_named(connect())

        for latency in (None, 0):
            self.assertEqual(
                self.message(main, limit=20),
                "The test does not end: 20 requests matched no mock. The last refusal:\n"
                "  Connection refused: GET http://example.com/\n"
                "  No mocks are registered.\n"
                "After 0 seconds of virtual time there are these tasks:\n"
                "  task 'main': WaitsForeverTest.test_a_client_that_retries_at_once_where_no_mock_answers.<locals>"
                ".connect\n"
                f"    waits at {__file__}:{connect.__code__.co_firstlineno + 4} in connect",
            )

    def test_as_many_jumps_as_may_be(self):
        async def main():
            for _ in range(50):
                await asyncio.sleep(1)

        with VirtualClock(limit=50) as clock:
            asyncio.run(main())
        self.assertEqual(clock.elapsed, 50)
        with self.assertRaises(AssertionError), VirtualClock(limit=49):
            asyncio.run(main())

    def test_ten_thousand_jumps(self):
        self.assertTrue(self.message(beat).startswith(ENDLESS.format("10,000", "600000")))

    def test_code_that_swallows_the_cancellation(self):
        async def swallow(times):
            for _ in range(times):
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    pass

        for times in (1, 3):
            self.assertTrue(self.message(lambda: swallow(times)).startswith(FOREVER.format(0)))
        # However often it does so, the loop ends.
        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        task = loop.create_task(swallow(100))
        with self.assertRaises(AssertionError) as raised, VirtualClock():
            loop.run_until_complete(task)
        self.assertEqual(str(raised.exception.__cause__), "Event loop stopped before Future completed.")
        while not task.done():
            task.cancel()
            loop.run_until_complete(asyncio.sleep(0))

    def test_what_comes_of_it_is_its_cause(self):
        async def main():
            try:
                await wait_forever()
            finally:
                raise KeyError("own")

        with self.assertRaises(AssertionError) as raised, VirtualClock():
            asyncio.run(main())
        self.assertIsInstance(raised.exception.__cause__, KeyError)
        with self.assertRaises(AssertionError) as raised, VirtualClock():
            asyncio.run(wait_forever())
        self.assertTrue(raised.exception.__suppress_context__)

    def test_an_interrupt_is_not_replaced(self):
        async def main():
            try:
                await wait_forever()
            finally:
                raise SystemExit

        self.assertEqual(self.message(main, SystemExit), "")

    def test_stopping_says_so_as_well(self):
        clock = VirtualClock()
        clock.start()
        with self.assertRaises(asyncio.CancelledError):
            asyncio.run(wait_forever())
        with self.assertRaises(AssertionError) as raised:
            clock.stop()
        self.assertTrue(str(raised.exception).startswith(FOREVER.format(0)))
        clock.start()
        clock.stop()

    def test_a_loop_without_tasks(self):
        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        with self.assertRaises(AssertionError) as raised, VirtualClock():
            loop.run_until_complete(loop.create_future())
        self.assertEqual(str(raised.exception), NO_TASKS.format(0))
        with self.assertRaises(AssertionError) as raised, VirtualClock():
            loop.run_forever()
        self.assertEqual(str(raised.exception), NO_TASKS.format(0))


class WakesTest(unittest.IsolatedAsyncioTestCase):
    """What something else wakes does not wait forever."""

    async def test_a_thread(self):
        async with VirtualClock():
            loop = asyncio.get_running_loop()
            done = asyncio.Event()
            threading.Timer(0.02, loop.call_soon_threadsafe, [done.set]).start()
            await done.wait()

    async def test_a_thread_that_ends_between_the_poll_and_the_verdict(self):
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        go = threading.Event()
        thread = threading.Thread(target=lambda: (go.wait(), loop.call_soon_threadsafe(done.set)))
        poll = loop._selector.select

        def poll_and_let_go(timeout=None):
            events = poll(timeout)
            go.set()
            thread.join()
            return events

        thread.start()
        loop._selector.select = poll_and_let_go
        async with VirtualClock() as clock:
            timer = loop.call_later(60, print)
            await done.wait()
            timer.cancel()
        del loop._selector.select
        self.assertEqual(clock.elapsed, 0)

    async def test_a_thread_that_ends_without_waking_it(self):
        threading.Timer(0.02, int).start()
        with self.assertRaisesRegex(AssertionError, "^The test waits forever"):
            async with VirtualClock():
                await wait_forever()

    async def test_a_pool_that_has_work(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            async with VirtualClock():
                release = threading.Event()
                threading.Timer(0.02, release.set).start()
                await asyncio.wrap_future(pool.submit(release.wait))

    async def test_a_pool_that_has_none_does_not_count(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            pool.submit(int).result()
            await asyncio.get_running_loop().run_in_executor(None, int)
            with self.assertRaises(AssertionError):
                async with VirtualClock():
                    await asyncio.get_running_loop().run_in_executor(None, int)
                    await asyncio.get_running_loop().run_in_executor(pool, int)
                    await wait_forever()


class StuckCaseTest(OutcomeTestCase):
    """In a test case, at any time of a test."""

    def stuck(self, case_class, headline=FOREVER.format(0)):
        """Run a test that must fail once, as it is stuck; return the places that are named."""
        outcomes = self.outcomes(case_class)
        self.assertEqual({kind: len(texts) for kind, texts in outcomes.items()}, {"failures": 1})
        text = outcomes["failures"][0]
        self.assertIn(f"AssertionError: {headline}\n  task '", text)
        return re.findall(r"waits at \S+:\d+ in (\w+)$", text, re.MULTILINE)

    def test_each_part_of_a_test(self):
        for name in ("asyncSetUp", "test", "asyncTearDown", "cleanup"):
            class Case(AioResponsesTestCase):
                virtual_time = True

                async def test(self):
                    self.addAsyncCleanup(self.cleanup)

                async def cleanup(self):
                    pass

            async def wait(self):
                await asyncio.Event().wait()

            setattr(Case, name, wait)
            with self.subTest(name):
                self.assertEqual(self.stuck(Case), ["wait"])

    def test_a_failure_of_another_class(self):
        class Failed(Exception):
            pass

        class Case(AioResponsesTestCase):
            virtual_time = True
            failureException = Failed

            async def test(self):
                await wait_forever()

        self.assertIn(f"Failed: {FOREVER.format(0)}", self.outcomes(Case)["failures"][0])

    def test_code_that_swallows_it(self):
        class Case(AioResponsesTestCase):
            virtual_time = True

            async def test(self):
                try:
                    await wait_forever()
                except asyncio.CancelledError:
                    pass

        self.assertEqual(self.stuck(Case), ["wait_forever"])

    def test_a_task_that_nothing_ends(self):
        async def stubborn():
            while True:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    pass

        class Case(AioResponsesTestCase):
            virtual_time = True

            async def test(self):
                asyncio.get_running_loop().create_task(stubborn(), name="stubborn")
                await asyncio.sleep(60)

        class StubbornCase(AioResponsesTestCase):
            virtual_time = True

            async def test(self):
                await stubborn()

        # The loop is closed when unittest has counted the test. That takes it down all the same, and not the run.
        with mock.patch.object(logging.getLogger("asyncio"), "disabled", True), warnings.catch_warnings():
            # asyncio says that the task is still there. CPython 3.10 may leave the loop open, and keep it.
            warnings.simplefilter("ignore", ResourceWarning)
            self.assertEqual(self.stuck(Case, FOREVER.format(60)), ["stubborn"])
            outcomes = self.outcomes(StubbornCase)
            asyncio.set_event_loop(None)
            for _ in range(3):  # What is freed may log what is freed later.
                gc.collect()
        self.assertEqual(list(outcomes), ["failures"])
        self.assertIn(f"AssertionError: {FOREVER.format(0)}", outcomes["failures"][0])

    def test_a_plain_test_that_runs_a_loop(self):
        class Case(AioResponsesTestCase):
            virtual_time = True

            def test(self):
                asyncio.run(wait_forever())

        self.assertEqual(self.stuck(Case), ["wait_forever"])

    def test_a_part_of_a_test(self):
        class Case(AioResponsesTestCase):
            virtual_time = True

            async def test(self):
                with self.subTest(1):
                    await wait_forever()
                with self.subTest(2):
                    await asyncio.sleep(3600)

        self.assertEqual(self.stuck(Case), ["wait_forever"])

    def test_one_that_is_expected(self):
        class Case(AioResponsesTestCase):
            virtual_time = True

            @unittest.expectedFailure
            async def test(self):
                await wait_forever()

        self.assertEqual(list(self.outcomes(Case)), ["expectedFailures"])

    def test_what_comes_after_it_takes_no_time_either(self):
        ended = []

        class Case(AioResponsesTestCase):
            virtual_time = True

            async def test(self):
                await wait_forever()

            async def asyncTearDown(self):
                await asyncio.sleep(3600)
                ended.append(self.clock.elapsed)

        self.assertEqual(self.stuck(Case), ["wait_forever"])
        self.assertEqual(ended, [3600])

    def test_calls_show_that_a_test_goes_on(self):
        class Case(AioResponsesTestCase):
            virtual_time = True

            async def test(self):
                self.mock.get(SITE, repeat=True)
                session = self.client_session()
                self.clock._time._limit = 50
                for _ in range(3):
                    for _ in range(50):
                        await asyncio.sleep(1)
                    await text_of(session)

        self.check_passes(Case)

    def test_debugging(self):
        class Case(AioResponsesTestCase):
            virtual_time = True

            async def test(self):
                await wait_forever()

        case = Case("test")
        with self.assertRaises(AssertionError) as raised:
            case.debug()
        self.assertIn(WAITS_AT, str(raised.exception))
        if sys.version_info < (3, 11):
            case._tearDownAsyncioLoop()
        else:
            case._tearDownAsyncioRunner()
