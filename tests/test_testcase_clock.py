"""A test case in virtual time."""

import asyncio
import gc
import sys
import time
import unittest
import weakref

from aioresponses import AioResponsesTestCase, VirtualClock

from .support import SITE, OutcomeTestCase, text_of


class VirtualTimeTest(AioResponsesTestCase):
    virtual_time = True

    def setUp(self):
        self.began = time.perf_counter()
        self.assertIsInstance(self.clock, VirtualClock)
        self.assertEqual(self.clock.elapsed, 0)
        self.addAsyncCleanup(self.sleep, 3600)

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)

    async def asyncSetUp(self):
        await asyncio.sleep(3600)

    async def asyncTearDown(self):
        await asyncio.sleep(3600)

    def tearDown(self):
        self.assertEqual(self.clock.elapsed, 3 * 3600)
        self.assertLess(time.perf_counter() - self.began, 5)

    async def test_all_parts_of_a_test_take_no_time(self):
        await asyncio.sleep(3600)

    def test_a_plain_test(self):
        asyncio.run(asyncio.sleep(3600))


class AttributeTest(OutcomeTestCase):
    def run_case(self, case_class):
        case = case_class("test")
        before = set(vars(case))
        result = unittest.TestResult()
        case.run(result)
        self.assertEqual([text for _, text in result.errors + result.failures], [])
        return sorted(set(vars(case)) - before)

    def test_without_virtual_time_there_is_no_clock(self):
        class Case(AioResponsesTestCase):
            async def test(self):
                seen.extend(name for name in vars(self) if "clock" in name)
                began = time.perf_counter()
                await asyncio.sleep(0.01)
                self.spent = time.perf_counter() - began

        seen = []
        self.assertFalse(hasattr(Case("test"), "clock"))
        self.assertIn("spent", self.run_case(Case))
        self.assertEqual(seen, [])

    def test_a_test_case_that_has_a_clock_of_its_own(self):
        class Case(AioResponsesTestCase):
            def setUp(self):
                self.clock = 7

            async def test(self):
                self.assertEqual(self.clock, 7)

        self.assertIn("clock", self.run_case(Case))

    def test_a_clock_of_its_own_in_the_place_of_ours(self):
        class Case(AioResponsesTestCase):
            virtual_time = True

            def setUp(self):
                self.clock = 7

            async def test(self):
                self.mock.get(SITE, repeat=True)
                await asyncio.sleep(3600)
                await text_of(self.client_session())
                self.assertCallTimes([3600])

        self.assertIn("clock", self.run_case(Case))

    def test_a_property_in_the_place_of_ours(self):
        class Case(AioResponsesTestCase):
            virtual_time = True

            @property
            def clock(self):
                return 7

            async def test(self):
                self.mock.get(SITE)
                await asyncio.sleep(3600)
                await text_of(self.client_session())
                self.assertCallTimes([3600])
                self.assertEqual(self.clock, 7)

        self.assertNotIn("clock", self.run_case(Case))

    def test_the_clock_is_gone_after_the_test(self):
        class Case(AioResponsesTestCase):
            virtual_time = True

            async def test(self):
                clocks.append(self.clock)

        clocks = []
        for _ in range(2):
            self.assertNotIn("clock", self.run_case(Case))
        self.assertIsNot(*clocks)
        with self.assertRaises(RuntimeError):
            clocks[0].stop()

    def test_nothing_is_left_to_the_garbage_collector(self):
        class Case(AioResponsesTestCase):
            virtual_time = True

            async def test(self):
                self.mock.get(SITE, delay=10)
                self.clock.on_jump(self.note)
                await text_of(self.client_session())
                for one in (self, asyncio.get_running_loop()):
                    left.append(weakref.ref(one))

            async def test_skipped(self):
                self.skipTest("no")

            async def test_failed(self):
                self.fail("no")

            def setUp(self):
                # (Where a test fails or is skipped, asyncio has cycles that hold the test itself.)
                for one in (self.clock, self.clock._time):
                    left.append(weakref.ref(one))

            def note(self, seconds):
                pass

        gc.disable()
        self.addCleanup(gc.enable)
        for name in ("test", "test_skipped", "test_failed"):
            left = []
            gc.collect()
            self.outcomes(Case, name)
            self.assertEqual([one() for one in left if one() is not None], [])

    def test_a_clock_is_gone_however_the_test_ends(self):
        errors = [KeyError, asyncio.CancelledError, unittest.SkipTest]
        if sys.version_info >= (3, 11):
            errors.append(KeyboardInterrupt)  # Before, it ends the task in which unittest runs all parts of a test.
        for error in errors:
            class Case(AioResponsesTestCase):
                virtual_time = True

                async def test(self):
                    raise error

            with self.subTest(error.__name__):
                try:
                    self.outcomes(Case)
                except KeyboardInterrupt:
                    self.assertIs(error, KeyboardInterrupt)
                with VirtualClock():
                    pass

    def test_a_wrong_value(self):
        class Case(AioResponsesTestCase):
            virtual_time = 60

            async def test(self):
                pass

        [text] = self.outcomes(Case)["errors"]
        self.assertEqual(text.splitlines()[-1], "TypeError: virtual_time: expected a bool, got 60")

    def test_a_clock_within_another(self):
        class Case(AioResponsesTestCase):
            virtual_time = True

            async def test(self):
                with self.assertRaisesRegex(RuntimeError, "while another VirtualClock runs in this thread"):
                    with VirtualClock():
                        pass
                await asyncio.sleep(3600)

        self.check_passes(Case)
        with VirtualClock():
            [text] = self.outcomes(Case)["errors"]
        self.assertIn("RuntimeError: start() called while another VirtualClock runs in this thread", text)

    def test_a_failure_shows_the_line_of_the_test_and_none_of_ours(self):
        class Case(AioResponsesTestCase):
            virtual_time = True

            async def test(self):
                await asyncio.sleep(60)
                self.assertCalled(SITE)  # this line

            async def test_error(self):
                await asyncio.sleep(60)
                raise KeyError  # this line

            def test_plain(self):
                asyncio.run(self.test_error())

        for name in ("test", "test_error", "test_plain"):
            [[text]] = self.outcomes(Case, name).values()
            self.assertIn("  # this line\n", text)
            self.assertNotIn("aioresponses/_client", text)

    def test_what_is_left_behind_is_looked_for_as_in_real_time(self):
        class Case(AioResponsesTestCase):
            virtual_time = True
            assert_no_leaks = True

            async def test(self):
                self.mock.get(SITE, delay=60)
                await text_of(self.client_session())

            async def test_left(self):
                asyncio.get_running_loop().create_task(asyncio.sleep(3600), name="left")
                await asyncio.sleep(60)

        self.check_passes(Case)
        [text] = self.outcomes(Case, "test_left")["failures"]
        self.assertIn("task 'left' still running", text)

    def test_a_wrong_client_fails(self):
        class Case(AioResponsesTestCase):
            virtual_time = True

            async def test(self):
                self.mock.get(SITE, delay=10)
                await asyncio.wait_for(text_of(self.client_session()), 5)

        self.assertEqual(list(self.outcomes(Case)), ["errors"])
