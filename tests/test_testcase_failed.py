"""An assertion that fails while a mock answers fails the test, even if the code under test swallows it."""

import asyncio
import io
import unittest
from unittest.mock import Mock

import aiohttp

from aioresponses import AioResponsesTestCase, CallbackResult, FilePart

from .support import FAILED_AT, SITE, OutcomeTestCase, SwallowingTestCase, fail, get


class SwallowedAssertionTest(OutcomeTestCase):
    def check_fails(self, reply, where=FAILED_AT, text="AssertionError: no", method="GET", raised=True, **request):
        class Case(SwallowingTestCase):
            async def test(self):
                self.mock.add(SITE, method, **reply)
                await self.ask(method, **request)

        came_of_it = "raised AssertionError: no" if raised else "200"
        return self.check_message(
            Case,
            "1 assertion failed while a mock answered:\n"
            f"  {text}\n"
            f"    {where}, for {method} http://example.com/\n"
            "Calls:\n"
            f"  1. {method} http://example.com/ -> {came_of_it}",
        )

    def test_an_assertion_of_a_callback(self):
        def older(url, **kwargs):
            fail(None)

        async def coroutine_function(call):
            await asyncio.sleep(0)
            fail(call)

        for callback in (fail, older, coroutine_function):
            with self.subTest(callback=callback.__name__):
                self.check_fails({"callback": callback})

    def test_an_assertion_of_a_condition(self):
        def note(argument, shown):
            return (
                "AssertionError: no\n"
                f"  aioresponses: raised by {argument} of the mock POST http://example.com/, {argument}={shown}"
            )

        class Failing:
            __hash__ = None

            def __eq__(self, other):
                fail(None)

            def __repr__(self):
                return "Failing()"

        failing = Failing()
        self.check_fails({"match": fail}, text=note("match", "fail"), method="POST")
        self.check_fails({"match_json": failing}, text=note("match_json", "Failing()"), method="POST", json=1)
        self.check_fails(
            {"match_json": {"a": [failing]}}, text=note("match_json", "{'a': [Failing()]}"), method="POST",
            json={"a": [1]},
        )
        self.check_fails(
            {"match_form": {"a": FilePart(content=failing)}}, method="POST",
            text=note("match_form", "{'a': FilePart(content=Failing())}"),
            data=aiohttp.FormData({"a": io.BytesIO(b"1")}),
        )
        self.check_fails({"match_body": failing}, text=note("match_body", "Failing()"), method="POST", data=b"1")

    def test_an_assertion_of_a_stream_or_of_a_function_that_returns_a_body(self):
        def generator():
            yield b"half"
            fail(None)

        async def async_generator(call):
            yield b"half"
            fail(call)

        def events():
            yield {"n": 1}
            fail(None)

        for reply, raised in (
            ({"body": generator}, False),
            ({"body": async_generator}, False),
            ({"events": events}, False),
            ({"body": fail}, True),
            ({"payload": fail}, True),
            ({"events": fail}, True),
        ):
            with self.subTest(reply=reply):
                self.check_fails(reply, raised=raised)
                self.check_fails({"callback": lambda call: CallbackResult(**reply)}, raised=raised)

    def test_an_assertion_of_a_stream_that_is_not_read_to_its_end(self):
        ended = []

        async def body():
            try:
                yield b"half"
                await asyncio.sleep(60)
            finally:
                ended.append(True)
                fail(None)

        class Case(SwallowingTestCase):
            async def test(self):
                self.mock.get(SITE, body=body)
                async with self.client_session().get(SITE) as response:
                    self.assertEqual(await response.content.readany(), b"half")
                while not ended:
                    await asyncio.sleep(0)

        self.check_message(
            Case,
            "1 assertion failed while a mock answered:\n"
            "  AssertionError: no\n"
            f"    {FAILED_AT}, for GET http://example.com/\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
        )

    def test_the_traceback_of_the_assertion_is_shown_as_the_cause(self):
        text = self.check_fails({"callback": fail})
        file, line = FAILED_AT.removesuffix(" in fail").rsplit(":", 1)
        self.assertIn(f'File "{file}", line {line}, in fail\n', text)
        self.assertIn("\nAssertionError: no\n\nThe above exception was the direct cause of the following", text)

    def test_the_place_of_an_assertion_is_the_user_s_own_line(self):
        class Case(SwallowingTestCase):
            async def test(self):
                def answer(call):
                    self.assertEqual(call.json(), {"a": 1}, "seven")

                self.mock.post(SITE, callback=answer)
                await self.ask("POST", json={"a": 2})

            async def test_mock(self):
                def answer(call):
                    checked.assert_called_once_with()

                checked = Mock()
                self.mock.post(SITE, callback=answer)
                await self.ask("POST")

            async def test_nowhere(self):
                self.mock.post(SITE, callback=Mock(side_effect=AssertionError))
                await self.ask("POST")

        line = Case.test.__code__.co_firstlineno + 2
        self.check_message(
            Case,
            "1 assertion failed while a mock answered:\n"
            "  AssertionError: {'a': 2} != {'a': 1}\n"
            "  - {'a': 2}\n"
            "  ?       ^\n"
            "\n"
            "  + {'a': 1}\n"
            "  ?       ^\n"
            "   : seven\n"
            f"    {__file__}:{line} in answer, for POST http://example.com/\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> raised AssertionError: "
            "{'a': 2} != {'a': 1} - {'a': 2} ? ^ + {'a': 1} ? ^ : seven",
        )
        line = Case.test_mock.__code__.co_firstlineno + 2
        [text] = self.outcomes(Case, "test_mock")["failures"]
        self.assertIn(f"    {__file__}:{line} in answer, for POST http://example.com/\n", text)
        self.check_message(
            Case,
            "1 assertion failed while a mock answered:\n"
            "  AssertionError\n"
            "    for POST http://example.com/\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> raised AssertionError",
            "test_nowhere",
        )

    def test_several_assertions(self):
        class Case(SwallowingTestCase):
            async def test(self):
                self.mock.get(SITE, callback=fail, repeat=True)
                for _ in range(3):
                    await self.ask()

        [text] = self.outcomes(Case)["failures"]
        self.assertEqual(
            text[text.index("AssertionError: 3"):].partition("Calls:")[0],
            "AssertionError: 3 assertions failed while a mock answered:\n"
            + f"  AssertionError: no\n    {FAILED_AT}, for GET http://example.com/\n" * 3,
        )

    def test_an_assertion_of_a_client_that_tries_again_and_gets_its_answer(self):
        class Case(SwallowingTestCase):
            strict = True

            async def test(self):
                self.mock.get(SITE, replies=[{"callback": fail}, {"body": "x"}])
                self.assertIsInstance(await self.ask(), AssertionError)
                self.assertEqual(await self.ask(), b"x")

        self.check_message(
            Case,
            "1 assertion failed while a mock answered:\n"
            "  AssertionError: no\n"
            f"    {FAILED_AT}, for GET http://example.com/\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> raised AssertionError: no\n"
            "  2. GET http://example.com/ -> 200",
        )

    def test_an_assertion_that_the_test_itself_expects(self):
        class Case(SwallowingTestCase):
            async def test(self):
                self.mock.get(SITE, callback=fail)
                with self.assertRaises(AssertionError):
                    await get()

        self.assertEqual(list(self.outcomes(Case)), ["failures"])

    def test_an_assertion_counts_in_a_class_that_is_lenient_otherwise(self):
        class Case(SwallowingTestCase):
            assert_all_mocked = False

            async def test(self):
                await self.ask(url=SITE + "x")
                self.mock.get(SITE, callback=fail)
                await self.ask()

        self.check_message(
            Case,
            "1 assertion failed while a mock answered:\n"
            "  AssertionError: no\n"
            f"    {FAILED_AT}, for GET http://example.com/\n"
            "Calls:\n"
            "  1. GET http://example.com/x -> no mock answered\n"
            "  2. GET http://example.com/ -> raised AssertionError: no",
        )

    def test_an_assertion_after_a_redirect(self):
        class Case(SwallowingTestCase):
            async def test(self):
                self.mock.post(SITE, status=303, headers={"Location": "/there"})
                self.mock.get(SITE + "there", callback=fail)
                await self.ask("POST")

        self.check_message(
            Case,
            "1 assertion failed while a mock answered:\n"
            "  AssertionError: no\n"
            f"    {FAILED_AT}, for GET http://example.com/there\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 303, GET http://example.com/there -> raised AssertionError: no",
        )

    def test_an_assertion_in_a_group_of_exceptions(self):
        class Group(Exception):
            """As `ExceptionGroup`, which Python 3.11 brought."""

            def __init__(self, *exceptions):
                super().__init__(f"{len(exceptions)} exceptions")
                self.exceptions = exceptions

        def answer(call):
            try:
                fail(call)
            except AssertionError as error:
                raise Group(KeyError("no"), Group(error)) from None

        class Case(SwallowingTestCase):
            async def test(self):
                self.mock.get(SITE, callback=answer)
                await self.ask()

        self.check_message(
            Case,
            "1 assertion failed while a mock answered:\n"
            "  AssertionError: no\n"
            f"    {FAILED_AT}, for GET http://example.com/\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> raised Group: 2 exceptions",
        )

    def test_an_assertion_of_the_class_that_the_test_case_fails_by(self):
        class Case(SwallowingTestCase):
            class failureException(Exception):
                pass

            async def test(self):
                self.mock.get(SITE, callback=lambda call: self.fail("own"))
                await self.ask()

        [text] = self.outcomes(Case)["failures"]
        self.assertIn("failureException: 1 assertion failed while a mock answered:\n  Swallow", text)
        self.assertIn("failureException: own\n", text)

    def test_an_exception_that_is_no_assertion_is_the_client_s_own_business(self):
        def callback(call):
            raise ValueError("no")

        class Case(SwallowingTestCase):
            async def test(self):
                self.mock.get(SITE, callback=callback)
                self.assertIsInstance(await self.ask(), ValueError)

        self.check_passes(Case)

    def test_an_assertion_error_that_was_registered_as_an_exception_does_not_count(self):
        class Case(SwallowingTestCase):
            async def test(self):
                for exception in (AssertionError, AssertionError("no")):
                    for options in ({}, {"delay": 1e-9}, {"callback": lambda call: None}):
                        self.mock.get(SITE, exception=exception, **options)
                        self.assertIsInstance(await self.ask(), AssertionError)
                self.mock.get(SITE, replies=[AssertionError("no"), {"exception": AssertionError}])
                for _ in range(2):
                    self.assertIsInstance(await self.ask(), AssertionError)

        self.check_passes(Case)


class ReportedOnceTest(OutcomeTestCase):
    """What has failed the test already is not reported once more."""

    def check_own(self, case_class, kind="failures", count=1):
        outcomes = self.outcomes(case_class)
        self.assertEqual({kind: len(texts) for kind, texts in outcomes.items()}, {kind: count})
        for text in outcomes[kind]:
            self.assertNotIn("while a mock answered", text)

    def test_an_assertion_that_the_test_or_its_fixtures_raise(self):
        class Case(AioResponsesTestCase):
            async def fail_somehow(self):
                self.mock.get(SITE, callback=fail)
                await get()

            async def test(self):
                """Do nothing that fails."""

        class InTest(Case):
            test = Case.fail_somehow

        class InSetUp(Case):
            asyncSetUp = Case.fail_somehow

        class InTearDown(Case):
            asyncTearDown = Case.fail_somehow

        class InCleanup(Case):
            async def test(self):
                self.addAsyncCleanup(self.fail_somehow)

        class InSubTest(Case):
            async def test(self):
                with self.subTest("named", number=1):
                    await self.fail_somehow()

        for case_class in (InTest, InSetUp, InTearDown, InCleanup, InSubTest):
            with self.subTest(case_class.__name__):
                self.check_own(case_class)

    def test_an_assertion_that_a_plain_test_raises(self):
        class Case(AioResponsesTestCase):
            def test(self):
                self.mock.get(SITE, callback=fail)
                loop = asyncio.new_event_loop()
                self.addCleanup(loop.close)
                loop.run_until_complete(get())

        self.check_own(Case)

    def test_an_assertion_that_is_shown_with_the_exception_that_fails_the_test(self):
        class From(AioResponsesTestCase):
            async def test(self):
                self.mock.get(SITE, callback=fail)
                try:
                    await get()
                except AssertionError as error:
                    raise KeyError("own") from error

        class During(AioResponsesTestCase):
            async def test(self):
                self.mock.get(SITE, callback=fail)
                try:
                    await get()
                except AssertionError:
                    raise KeyError("own")

        self.check_own(From, "errors")
        self.check_own(During, "errors")

    def test_an_assertion_that_is_not_shown_with_the_exception_that_fails_the_test(self):
        class Case(AioResponsesTestCase):
            async def test(self):
                self.mock.get(SITE, callback=fail)
                try:
                    await get()
                except AssertionError:
                    raise KeyError("own") from None

        class Later(SwallowingTestCase):
            async def test(self):
                self.mock.get(SITE, callback=fail)
                await self.ask()
                raise KeyError("own")

        for case_class in (Case, Later):
            outcomes = self.outcomes(case_class)
            self.assertEqual({kind: len(texts) for kind, texts in outcomes.items()}, {"errors": 1, "failures": 1})
            self.assertIn("1 assertion failed while a mock answered:", outcomes["failures"][0])

    def test_a_sub_test_that_fails_leaves_the_failures_of_others_to_be_reported(self):
        class Case(SwallowingTestCase):
            async def test(self):
                self.mock.get(SITE, callback=fail, repeat=True)
                with self.subTest():
                    await get()
                with self.subTest():
                    await self.ask()

        outcomes = self.outcomes(Case)
        own, ours = outcomes.pop("failures")
        self.assertEqual(outcomes, {})
        self.assertNotIn("while a mock answered", own)
        self.assertIn("1 assertion failed while a mock answered:", ours)

    def test_a_sub_test_that_is_skipped_does_not_skip_the_test(self):
        class Case(SwallowingTestCase):
            async def test(self):
                with self.subTest():
                    self.skipTest("this one")
                self.mock.get(SITE, callback=fail)
                await self.ask()

        self.assertEqual(list(self.outcomes(Case)), ["failures", "skipped"])

    def test_a_test_that_is_expected_to_fail(self):
        class Swallowed(SwallowingTestCase):
            @unittest.expectedFailure
            async def test(self):
                self.mock.get(SITE, callback=fail)
                await self.ask()

        class Raised(SwallowingTestCase):
            @unittest.expectedFailure
            async def test(self):
                self.mock.get(SITE, callback=fail)
                await get()

        for case_class in (Swallowed, Raised):
            outcomes = self.outcomes(case_class)
            self.assertEqual(list(outcomes), ["expectedFailures"])
            self.assertEqual(len(outcomes["expectedFailures"]), 1)

    def test_a_test_that_is_skipped_says_nothing(self):
        class Case(SwallowingTestCase):
            async def test(self):
                self.mock.get(SITE, callback=fail)
                await self.ask()
                self.skipTest("after all")

        self.assertEqual(list(self.outcomes(Case)), ["skipped"])

    def test_the_exceptions_are_not_kept_for_longer_than_the_test(self):
        class Case(SwallowingTestCase):
            async def test(self):
                self.fail("own")

        case = Case("test")
        case.run(unittest.TestResult())
        self.assertEqual(case._raised, [])
