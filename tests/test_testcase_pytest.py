"""What `pytest.fail()` raises while a mock answers, with a stand-in for pytest."""

import asyncio
import sys
import types
from unittest.mock import patch

import aiohttp

from .support import AT_MOST, SITE, OutcomeTestCase, SwallowingTestCase, get


class PytestTest(OutcomeTestCase):
    """What `pytest.fail()` raises is no `AssertionError`, and no `Exception` either."""

    class Failed(BaseException):
        """As in pytest."""

    class XFailed(Failed):
        """As in pytest: it says that the test is expected to fail."""

    def setUp(self):
        pytest = types.ModuleType("pytest")
        pytest.fail = types.SimpleNamespace(Exception=self.Failed)
        pytest.xfail = types.SimpleNamespace(Exception=self.XFailed)
        modules = patch.dict(sys.modules, {"pytest": pytest})
        modules.start()
        self.addCleanup(modules.stop)

    def case_of(self, error):
        def answer(call):
            raise error

        def stream():
            yield b"half"
            raise error

        class Case(SwallowingTestCase):
            async def test(self):
                self.mock.get(SITE, callback=answer)
                self.assertIs(await self.ask(), error)

            async def test_condition(self):
                self.mock.get(SITE, match=answer)
                self.assertIs(await self.ask(), error)

            async def test_stream(self):
                self.mock.get(SITE, body=stream)
                self.assertIs(await asyncio.wait_for(self.ask(), AT_MOST), error)

            async def test_raised(self):
                self.mock.get(SITE, callback=answer)
                await get()

        return Case

    def test_pytest_fail_counts_wherever_it_is_called(self):
        Case = self.case_of(self.Failed("by hand"))
        for name in ("test", "test_condition", "test_stream"):
            with self.subTest(name):
                [text] = self.outcomes(Case, name)["failures"]
                self.assertIn(
                    "AssertionError: 1 assertion failed while a mock answered:\n  PytestTest.Failed: by hand\n", text
                )

    def test_pytest_fail_that_fails_the_test_is_reported_once(self):
        [text] = self.outcomes(self.case_of(self.Failed("by hand")), "test_raised")["errors"]
        self.assertNotIn("while a mock answered", text)

    def test_pytest_xfail_does_not_count(self):
        self.check_passes(self.case_of(self.XFailed("by hand")))

    def test_pytest_fail_does_not_take_the_place_of_a_refusal(self):
        answers = [True]

        def condition(call):
            if not answers:
                raise self.Failed("by hand")
            return answers.pop()

        class Case(SwallowingTestCase):
            assert_all_mocked = False

            async def test(self):
                self.mock.get(SITE, match=condition)
                await self.ask()
                self.assertIsInstance(await self.ask(), aiohttp.ClientConnectionError)

        self.check_passes(Case)
