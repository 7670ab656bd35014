"""The README says what is so: its code runs, and prints what it shows."""

import asyncio
import re
import textwrap
import unittest
from pathlib import Path

import aiohttp

from aioresponses import aioresponses

from .examples.weather import WeatherClient

README = (Path(__file__).parent.parent / "README.rst").read_text(encoding="utf-8")


def blocks(language):
    found = re.findall(rf"^\.\. code-block:: {language}\n\n((?:    .*\n|\n)+)", README, re.MULTILINE)
    return [textwrap.dedent(block).strip() for block in found]


class ReadmeTest(unittest.TestCase):
    def setUp(self):
        self.names = {"WeatherClient": WeatherClient}
        for block in blocks("python"):
            exec(block, self.names)

    def run_case(self, name):
        case_class = self.names[name]
        [test] = unittest.defaultTestLoader.getTestCaseNames(case_class)
        result = unittest.TestResult()
        case_class(test).run(result)
        return result

    def test_the_test_case_passes(self):
        result = self.run_case("WeatherTest")
        self.assertEqual((result.testsRun, result.errors, result.failures), (1, [], []))

    def test_the_decorated_function_passes(self):
        self.names["test_decorated"]()

    def test_the_failing_test_prints_what_is_shown(self):
        [(_, printed)] = self.run_case("UserTest").failures
        self.assertEqual(printed[printed.index("AssertionError"):].strip(), blocks("text")[0])

    def test_the_note_is_the_one_that_is_shown(self):
        async def ask():
            async with aiohttp.ClientSession() as session:
                await session.get("https://api.example.com/weather?q=Bergen")

        with aioresponses() as mock:
            mock.get("https://api.example.com/weather?q=Oslo")
            with self.assertRaises(aiohttp.ClientConnectionError) as raised:
                asyncio.run(ask())
        error = raised.exception
        shown = f"aiohttp.client_exceptions.{type(error).__name__}: {error}\n{error.__notes__[0]}"
        self.assertEqual(shown, blocks("text")[1])
