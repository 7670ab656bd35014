"""The latency of a mock and of a test case: its values, and where it may be said."""

import asyncio
import unittest

from aiohttp import ClientSession

from aioresponses import AioResponsesTestCase, aioresponses

from .support import SITE, USERS, text_of

WRONG = [
    (True, TypeError, "latency: expected seconds or None, got True"),
    ("1", TypeError, "latency: expected seconds or None, got '1'"),
    (float("nan"), ValueError, "latency: expected seconds or None, 0 or more, got nan"),
    (float("inf"), ValueError, "latency: expected seconds or None, 0 or more, got inf"),
    (-1, ValueError, "latency: expected seconds or None, 0 or more, got -1"),
]


async def overlap():
    """Tell whether one request begins before the other has got its answer, where neither has to."""
    begun, ended = [], []

    async def ask(session, url):
        begun.append(url)
        await text_of(session, url)
        ended.append(len(begun))

    async with ClientSession() as session:
        await text_of(session)  # What takes turns because it is the first one.
        await asyncio.gather(ask(session, SITE), ask(session, USERS))
    return ended[0] == 2


class ValuesTest(unittest.TestCase):
    def test_seconds_or_none(self):
        self.assertIsNone(aioresponses().latency)
        for value in (None, 0, 0.0, 0.5, 60):
            self.assertIs(aioresponses(latency=value).latency, value)
            mock = aioresponses()
            mock.latency = value
            self.assertIs(mock.latency, value)

    def test_anything_else_is_refused_and_changes_nothing(self):
        for value, error, message in WRONG:
            with self.subTest(value):
                with self.assertRaises(error) as raised:
                    aioresponses(latency=value)
                self.assertEqual(str(raised.exception), message)
                mock = aioresponses(latency=0.5)
                with self.assertRaises(error) as raised:
                    mock.latency = value
                self.assertEqual((str(raised.exception), mock.latency), (message, 0.5))

    def test_the_latency_is_an_attribute(self):
        with self.assertRaises(TypeError):
            aioresponses(None, (), False, 0)


class DecoratedTest(unittest.TestCase):
    """What a decorator makes anew has the latency of the one that it was made of."""

    def test_a_function_within_itself(self):
        latencies = []

        @aioresponses(latency=0.5)
        def function(depth, mock):
            latencies.append(mock.latency)
            if depth:
                function(depth - 1)

        function(2)
        self.assertEqual(latencies, [0.5] * 3)

    def test_a_test_case(self):
        latencies = []

        @aioresponses(latency=0)
        class Case(unittest.TestCase):
            def test_one(self, mock):
                latencies.append(mock.latency)

            test_another = test_one

        unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(unittest.TestResult())
        self.assertEqual(latencies, [0, 0])


class TestCaseTest(AioResponsesTestCase):
    async def test_the_latency_of_a_test_case_is_a_turn_of_the_loop_by_default(self):
        self.assertEqual((AioResponsesTestCase.latency, self.mock.latency), (0, 0))
        for url in (SITE, USERS):
            self.mock.get(url, repeat=True)
        self.assertTrue(await overlap())

    def run_case(self, latency):
        class Case(AioResponsesTestCase):
            async def test(self):
                self.seen = self.mock.latency

        Case.latency = latency
        case = Case("test")
        result = unittest.TestResult()
        case.run(result)
        return getattr(case, "seen", "not run"), [text.splitlines()[-1] for _, text in result.errors]

    def test_a_class_says_otherwise(self):
        for value in (None, 0.5):
            self.assertEqual(self.run_case(value), (value, []))

    def test_a_wrong_one_is_an_error_of_the_test(self):
        for value, error, message in WRONG:
            self.assertEqual(self.run_case(value), ("not run", [f"{error.__name__}: {message}"]))

    async def test_the_mock_of_the_test_may_be_given_another(self):
        for url in (SITE, USERS):
            self.mock.get(url, repeat=True, delay=0.001)
        self.mock.latency = 0.001
        self.assertTrue(await overlap())
