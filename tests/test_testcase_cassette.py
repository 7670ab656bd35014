import importlib
import json
import os
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path
from unittest.mock import patch

from aiohttp import ClientConnectionError, ClientSession, web
from aiohttp.test_utils import TestServer

from aioresponses import AioResponsesTestCase
from aioresponses.cassettes import Cassette, open_cassettes

from .support import OutcomeTestCase


class CassetteTest(OutcomeTestCase):
    """The class attribute `cassette`."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "a.har"
        environment = {name: value for name, value in os.environ.items() if name not in ("CI", "AIORESPONSES_RECORD")}
        patched = patch.dict(os.environ, environment, clear=True)
        patched.start()
        self.addCleanup(patched.stop)

    def case(self, **attributes):
        """Return a test case whose tests ask a server; each fails, or not, in a way of its own."""
        async def answer(request):
            return web.Response(text=request.path)

        class Case(AioResponsesTestCase):
            cassette = self.path

            async def asyncSetUp(self):
                application = web.Application()
                application.router.add_get("/{path:.*}", answer)
                # One that a test case knows to be its own, and that is recorded all the same.
                self.server = TestServer(application)
                await self.server.start_server()
                self.addAsyncCleanup(self.server.close)
                await self.ask("/setup")

            async def ask(self, path):
                async with ClientSession() as session, session.get(self.server.make_url(path)) as response:
                    return await response.text()

            async def test(self):
                self.assertEqual(await self.ask("/a"), "/a")

            async def test_failing(self):
                await self.ask("/a")
                self.fail("no")

            async def test_skipped(self):
                await self.ask("/a")
                self.skipTest("no")

            @unittest.expectedFailure
            async def test_expected(self):
                await self.ask("/a")
                self.fail("no")

            @unittest.expectedFailure
            async def test_unexpected(self):
                await self.ask("/a")

            async def test_failing_in_a_part(self):
                with self.subTest("one"):
                    self.fail("no")

            async def test_skipped_in_a_part(self):
                with self.subTest("one"):
                    self.skipTest("no")

            async def test_failing_in_a_cleanup(self):
                self.addCleanup(self.fail, "no")

            async def test_unused(self):
                self.mock.get("http://example.com/")

        for name, value in attributes.items():
            setattr(Case, name, value)
        return Case

    def paths(self, path=None):
        entries = json.loads((path or self.path).read_text("utf-8"))["log"]["entries"]
        return [entry["request"]["url"].partition("/")[2].partition("/")[2].partition("/")[2] for entry in entries]

    def said(self, outcomes):
        """Return all that is said of a test, in one line: where Python shows no notes (3.10), a failure has them."""
        return " ".join(" ".join([*outcomes.get("errors", ()), *outcomes.get("failures", ())]).split())

    def test_what_was_recorded_is_written_when_the_test_has_ended(self):
        case = self.case()
        case.tearDown = lambda test: self.assertFalse(self.path.exists())
        self.check_passes(case)
        self.assertEqual(self.paths(), ["setup", "a"])

    def test_skipping_a_part_of_a_test_does_not_keep_it_from_being_written(self):
        self.assertEqual([*self.outcomes(self.case(), "test_skipped_in_a_part")], ["skipped"])
        self.assertEqual(self.paths(), ["setup"])

    def test_not_if_the_test_has_failed(self):
        case = self.case(strict=True)
        for name in (
            "test_failing", "test_skipped", "test_expected", "test_unexpected", "test_failing_in_a_part",
            "test_failing_in_a_cleanup", "test_unused",
        ):
            with self.subTest(name):
                self.assertEqual(len(self.outcomes(case, name)), 1)
                self.assertFalse(self.path.exists())
        self.check_passes(case)
        self.assertTrue(self.path.exists())

    def test_nor_by_cassettes_that_are_left_when_the_test_is_over(self):
        async def set_up(test):
            await own_set_up(test)
            cassette = test.mock.cassette(self.path)
            cassette.__enter__()
            test.addCleanup(cassette.__exit__, None, None, None)
            if test._testMethodName == "test_skipped":
                raise RuntimeError("no")

        case = self.case(cassette=None, strict=True)
        own_set_up = case.asyncSetUp
        case.asyncSetUp = set_up
        case.passthrough_unmatched = True
        for name in ("test_failing", "test_skipped", "test_unused", "test_failing_in_a_cleanup"):
            with self.subTest(name):
                self.assertEqual(len(self.outcomes(case, name)), 1)
                self.assertFalse(self.path.exists())
        self.check_passes(case)
        self.assertEqual(self.paths(), ["a"])

    def test_an_entry_that_is_not_used_fails_the_test_wherever_the_cassette_is_left(self):
        class Case(AioResponsesTestCase):
            strict = True

            def setUp(test):
                test.used = test.mock.cassette(self.path)
                test.used.__enter__()
                if "cleanup" in test._testMethodName:
                    test.addCleanup(test.used.__exit__, None, None, None)

            def tearDown(self):
                if "cleanup" not in self._testMethodName:
                    self.used.__exit__(None, None, None)

            def test(self):
                pass

            def test_cleanup(self):
                pass

            def test_failing(self):
                self.fail("no")

            def test_failing_cleanup(self):
                self.fail("no")

        entry = {"request": {"method": "GET", "url": "http://example.com/"}, "response": {"status": 200}}
        self.path.write_text(json.dumps({"log": {"entries": [entry]}}), "utf-8")
        for name in ("test", "test_cleanup"):
            self.check_message(Case, "1 mock was never used:\n  GET http://example.com/\nThere were no calls.", name)
        for name in ("test_failing", "test_failing_cleanup"):
            self.assertEqual({kind: len(texts) for kind, texts in self.outcomes(Case, name).items()}, {"failures": 1})

    def test_within_a_test_when_the_block_is_left(self):
        path = self.path

        class Case(self.case(cassette=None)):
            async def test(self):
                with self.mock.cassette(path):
                    await self.ask("/a")
                self.fail("no")

        self.assertEqual(list(self.outcomes(Case)), ["failures"])
        self.assertEqual(self.paths(), ["a"])

    def test_debug_writes_it_as_well_and_not_if_it_fails(self):
        self.case()("test").debug()
        self.assertEqual(self.paths(), ["setup", "a"])

        class Case(AioResponsesTestCase):
            cassette = self.path
            cassette_options = {"mode": "all"}

            def test(self):
                pass

            def test_failing(self):
                self.fail("no")

        with patch.object(Cassette, "_write") as write:
            failing = Case("test_failing")
            # Not by assertRaises: it clears the frames of the traceback, one of which Python 3.10 still needs.
            try:
                failing.debug()
            except AssertionError:
                pass
            # unittest leaves the loop of a failed debug() run open, and has no public name to close it.
            tear_down = getattr(failing, "_tearDownAsyncioRunner", None) or failing._tearDownAsyncioLoop
            tear_down()
            self.assertEqual((write.call_count, open_cassettes), (0, set()))
            Case("test").debug()
            self.assertEqual((write.call_count, open_cassettes), (1, set()))

    def test_options(self):
        self.check_passes(self.case(cassette_options={"mode": "all", "filter": lambda entry: None}))
        self.assertFalse(self.path.exists())
        outcomes = self.outcomes(self.case(cassette_options={"mode": "no"}))
        self.assertIn("ValueError: mode: expected one of 'none', 'once', 'new', 'all', got 'no'", outcomes["errors"][0])
        outcomes = self.outcomes(self.case(cassette_options={"modes": "no"}))
        self.assertIn("unexpected keyword argument 'modes'", outcomes["errors"][0])
        outcomes = self.outcomes(self.case(cassette=7))
        self.assertIn("TypeError: path: expected a str or a path, got 7", outcomes["errors"][0])

    def test_a_file_that_is_no_har_is_an_error_of_the_test(self):
        self.path.write_text("{")
        outcomes = self.outcomes(self.case())
        self.assertRegex(
            outcomes["errors"][0],
            "expected a HAR file, but it is not JSON: .+\n"
            "Restore the file, or set AIORESPONSES_RECORD=all to record it again.",
        )
        self.path.unlink()
        self.check_passes(self.case())

    def test_in_ci_a_missing_entry_fails_the_test(self):
        with patch.dict(os.environ, CI="1"):
            outcomes = self.outcomes(self.case())
        self.assertIn("because CI is set. Set AIORESPONSES_RECORD=new", self.said(outcomes))
        self.assertFalse(self.path.exists())

    def test_a_test_that_makes_no_requests_needs_no_file(self):
        class Case(AioResponsesTestCase):
            cassette = "auto"

            def test(self):
                pass

        with patch.dict(os.environ, CI="1"):
            self.check_passes(Case)

    def test_auto_is_beside_the_file_of_the_test(self):
        (self.path.parent / "test_of_users.py").write_text(textwrap.dedent("""
            from aioresponses import AioResponsesTestCase

            class UsersTest(AioResponsesTestCase):
                cassette = "auto"

                async def test(self):
                    async with self.client_session() as session:
                        await (await session.get(self.url)).text()
        """))
        with patch("sys.path", [str(self.path.parent), *sys.path]), patch.dict("sys.modules"):
            module = importlib.import_module("test_of_users")

            class Case(module.UsersTest, self.case(cassette="auto")):
                async def asyncSetUp(self):
                    await super().asyncSetUp()
                    self.url = self.server.make_url("/b")

            class Outer:
                class Inner(Case):
                    pass

            for case in (Case, Outer.Inner):
                case.__module__ = "test_of_users"
                self.check_passes(case)
        folder = self.path.parent / "cassettes" / "test_of_users"
        self.assertEqual(sorted(os.listdir(folder)), ["Case.test.har", "Outer.Inner.test.har"])
        self.assertEqual(self.paths(folder / "Case.test.har"), ["setup", "b"])

    def test_the_client_error_of_a_refusal_names_the_cassette(self):
        class Case(self.case(cassette_options={"mode": "none"})):
            async def asyncSetUp(self):
                pass

            async def test(self):
                async with ClientSession() as session:
                    await session.get("http://example.com/")

        text = self.said(self.outcomes(Case))
        self.assertIn(f"The cassette {self.path} does not exist. Its mode is 'none'. Set AIORESPONSES_RECORD", text)
        self.assertIn(ClientConnectionError.__name__, text)
