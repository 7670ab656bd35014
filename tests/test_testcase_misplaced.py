"""What is used where it cannot be, and a mock that takes the place of the one of the test."""

import unittest

from aiohttp import ClientConnectionError, ClientSession

from aioresponses import AioResponsesTestCase, aioresponses

from .support import SITE, OutcomeTestCase, get


class MisplacedTest(OutcomeTestCase):
    SESSION = (
        "RuntimeError: client_session() needs a running event loop: call it in asyncSetUp, or in a coroutine function, "
        "and not in setUp"
    )

    def error(self, case):
        """Return the last line of the only error of a test case."""
        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
        [[_, traceback]] = result.errors
        return traceback.splitlines()[-1]

    def test_client_session_in_set_up(self):
        class Case(AioResponsesTestCase):
            def setUp(self):
                self.session = self.client_session()

            async def test(self):
                pass

        self.assertEqual(self.error(Case), self.SESSION)

    def test_client_session_in_a_plain_test(self):
        class Case(AioResponsesTestCase):
            def test(self):
                self.client_session()

        self.assertEqual(self.error(Case), self.SESSION)

    def test_client_session_in_async_set_up(self):
        class Case(AioResponsesTestCase):
            async def asyncSetUp(self):
                self.session = self.client_session()

            async def test(self):
                self.assertIsInstance(self.session, ClientSession)

        self.check_passes(Case)

    def test_the_mock_in_set_up_class(self):
        class Case(AioResponsesTestCase):
            @classmethod
            def setUpClass(cls):
                cls.mock.get(SITE)

            async def test(self):
                pass

        self.assertEqual(
            self.error(Case),
            "AttributeError: Case.mock belongs to one test, and exists only while that test runs: register mocks in "
            "setUp or asyncSetUp, with self.mock, and not in setUpClass",
        )

    def test_the_mock_of_a_test_that_does_not_run(self):
        with self.assertRaises(AttributeError) as raised:
            AioResponsesTestCase().mock
        self.assertTrue(str(raised.exception).startswith("AioResponsesTestCase.mock belongs to one test"))
        self.assertFalse(hasattr(AioResponsesTestCase, "mock"))


class OtherMockTest(OutcomeTestCase):
    def check_failure(self, case, message):
        [traceback] = self.outcomes(case)["failures"]
        self.assertEqual(traceback[traceback.rindex("AssertionError: "):], f"AssertionError: {message}\n")

    def test_a_mock_in_the_place_of_the_one_of_the_test(self):
        class Case(AioResponsesTestCase):
            def setUp(self):
                self.mock = aioresponses()

            async def test(self):
                self.mock.get(SITE)
                try:
                    await get()
                except ClientConnectionError as error:
                    notes.extend(error.__notes__)

        notes = []
        self.outcomes(Case)
        self.assertEqual(
            notes,
            [
                "aioresponses: no mock answers GET http://example.com/\n"
                "No mocks are registered.\n"
                "Another aioresponses has 1 mock, but is not active; start it, or register with the active one (in an "
                "AioResponsesTestCase, the self.mock that it makes):\n"
                "  GET http://example.com/"
            ],
        )

    def test_a_mock_in_the_place_of_the_one_of_the_test_is_asserted_on(self):
        class Case(AioResponsesTestCase):
            async def test(self):
                self.mock.get(SITE)
                self.mock = aioresponses()
                await get()
                self.assertCalledOnce(SITE)

        self.check_failure(
            Case,
            f"Expected 1 call to {SITE}, but there were none.\n"
            "There were no calls.\n"
            "Another aioresponses is active and has 1 call; use the same one for everything:\n"
            "  GET http://example.com/ -> 200",
        )

    def test_a_decorated_method_of_the_test_case(self):
        class Case(AioResponsesTestCase):
            @aioresponses()
            async def test(self, mock):
                mock.get(SITE)
                await get()
                self.assertCalledOnce(SITE)

        self.check_failure(
            Case,
            f"Expected 1 call to {SITE}, but there were none.\n"
            "There were no calls.\n"
            "Another aioresponses is active and has 1 call; use the same one for everything:\n"
            "  GET http://example.com/ -> 200",
        )
