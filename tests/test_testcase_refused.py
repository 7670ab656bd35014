"""A request that no mock answers fails the test, even if the code under test swallows the exception."""

import aiohttp
from aiohttp import web
from aiohttp.test_utils import AioHTTPTestCase, TestServer

from aioresponses import AioResponsesTestCase, Fault

from .support import FAILED_AT, SITE, OutcomeTestCase, SwallowingTestCase, error_of, fail

# Python 3.10 has no notes to show.
SHOWS_NOTES = hasattr(BaseException, "add_note")


class RefusedTest(OutcomeTestCase):
    """A request that no mock answers fails the test."""

    MESSAGE = (
        "1 call matched no mock:\n"
        "  POST http://example.com/ -> no mock answered\n"
        "    Registered mocks, the closest first:\n"
        "      GET http://example.com/: method differs: mock has GET, request has POST\n"
        "Calls:\n"
        "  1. POST http://example.com/ -> no mock answered"
    )

    def test_a_refusal_that_is_swallowed(self):
        class Case(SwallowingTestCase):
            async def test(self):
                self.mock.get(SITE)
                await self.ask("POST")

        class Lenient(Case):
            assert_all_mocked = False

        self.check_message(Case, self.MESSAGE)
        self.check_passes(Lenient)

    def test_a_refusal_that_the_test_expects(self):
        class Case(SwallowingTestCase):
            async def test(self):
                self.mock.get(SITE)
                with self.assertRaises(aiohttp.ClientConnectionError):
                    await self.client_session().post(SITE)

        self.check_message(Case, self.MESSAGE)

    def test_a_refused_connection_is_registered(self):
        class Case(SwallowingTestCase):
            strict = True

            async def test(self):
                self.mock.get(SITE, fault=Fault.CONNECTION_REFUSED)
                self.assertIsInstance(await self.ask(), aiohttp.ClientConnectorError)

        self.check_passes(Case)

    def test_a_refusal_that_fails_the_test_itself_is_reported_by_its_note(self):
        class Case(SwallowingTestCase):
            async def test(self):
                self.mock.get(SITE)
                await self.client_session().post(SITE)

        class TriesAgain(SwallowingTestCase):
            async def test(self):
                self.mock.get(SITE)
                await self.ask("POST")
                await self.client_session().post(SITE)

        class Wrapped(SwallowingTestCase):
            async def test(self):
                self.mock.get(SITE)
                error = await self.ask("POST")
                raise KeyError("own") from error

        note = self.MESSAGE.splitlines()[3].strip()
        for case_class in (Case, TriesAgain, Wrapped):
            with self.subTest(case_class.__name__):
                outcomes = self.outcomes(case_class)
                counts = {kind: len(texts) for kind, texts in outcomes.items()}
                self.assertEqual(counts, {"errors": 1} if SHOWS_NOTES else {"errors": 1, "failures": 1})
                # Where the traceback shows no notes, the failure beside it does.
                self.assertIn(note, outcomes["errors" if SHOWS_NOTES else "failures"][0])

    def test_refusals_beside_the_one_that_fails_the_test(self):
        class Case(SwallowingTestCase):
            async def test(self):
                await self.ask("GET", SITE + "1")
                await self.ask("GET", SITE + "2")
                await self.client_session().get(SITE + "2")

        outcomes = self.outcomes(Case)
        [text] = outcomes["failures"]
        first = "1 call matched no mock:\n  GET http://example.com/1" if SHOWS_NOTES else "3 calls matched no mock:\n"
        self.assertIn(f"AssertionError: {first}", text)

    def test_refusals_and_assertions_within_the_application_of_an_aiohttp_test_case(self):
        class Case(AioResponsesTestCase, AioHTTPTestCase):
            async def get_application(self):
                async def hook(request):
                    async with aiohttp.ClientSession() as session:
                        text = await error_of(session.post(SITE))
                    return web.json_response({"error": text[1]})

                application = web.Application()
                application.router.add_get("/", hook)
                return application

            async def test(self):
                self.mock.get(SITE)
                async with self.client.get("/") as response:
                    self.assertEqual(response.status, 200)

            async def test_assertion(self):
                self.mock.post(SITE, callback=fail)
                async with self.client.get("/") as response:
                    self.assertEqual(await response.json(), {"error": "no"})

        self.check_message(Case, self.MESSAGE)
        self.check_message(
            Case,
            "1 assertion failed while a mock answered:\n"
            "  AssertionError: no\n"
            f"    {FAILED_AT}, for POST http://example.com/\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> raised AssertionError: no",
            "test_assertion",
        )

    def test_a_request_that_goes_to_the_network_is_no_refusal(self):
        class Case(SwallowingTestCase):
            passthrough = ["http://127.0.0.1"]

            async def test(self):
                async with TestServer(web.Application()) as server:
                    await self.ask(url=server.make_url("/"))

        self.check_passes(Case)
