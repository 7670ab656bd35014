"""Mocks within the mock of a test case: which of them an assertion fails that is swallowed."""

from aioresponses import aioresponses

from .support import FAILED_AT, SITE, OutcomeTestCase, SwallowingTestCase, fail, get


class NestedTest(OutcomeTestCase):
    """Of nested mocks, the one whose function fails is the one that notes it."""

    def test_the_inner_mock_is_strict_or_not_by_its_own_settings(self):
        class Lenient(SwallowingTestCase):
            async def test(self):
                with aioresponses() as inner:
                    inner.get(SITE, callback=fail)
                    await self.ask()

        class Strict(SwallowingTestCase):
            async def test(self):
                with aioresponses(strict=True) as inner:
                    inner.get(SITE, callback=fail)
                    await self.ask()

        self.check_passes(Lenient)
        self.check_message(
            Strict,
            "1 assertion failed while a mock answered:\n"
            "  AssertionError: no\n"
            f"    {FAILED_AT}, for GET http://example.com/\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> raised AssertionError: no",
        )

    def test_the_outer_mock_notes_what_fails_in_its_own_callback(self):
        class Case(SwallowingTestCase):
            async def test(self):
                self.mock.get(SITE, callback=fail)
                with aioresponses(strict=True) as inner:
                    await self.ask()
                self.assertEqual(inner.call_count, 1)

        self.check_message(
            Case,
            "1 assertion failed while a mock answered:\n"
            "  AssertionError: no\n"
            f"    {FAILED_AT}, for GET http://example.com/\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> raised AssertionError: no",
        )

    def test_an_assertion_that_passes_through_two_callbacks_is_reported_once(self):
        class Case(SwallowingTestCase):
            async def test(self):
                async def ask_the_other(call):
                    await get(SITE + "other")

                self.mock.get(SITE, callback=ask_the_other)
                self.mock.get(SITE + "other", callback=fail)
                await self.ask()

        text = self.outcomes(Case)["failures"][0]
        self.assertIn("1 assertion failed while a mock answered:\n  AssertionError: no\n", text)
        self.assertIn("for GET http://example.com/other\n", text)
