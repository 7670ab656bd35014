"""Objects of users that cannot show themselves: what they raise takes the place of no message."""

import unittest
from unittest.mock import call

import aiohttp

from aioresponses import AioResponsesTestCase, CallbackResult, FilePart, ServerSentEvent, aioresponses
from aioresponses._display import name_of, shown
from aioresponses.matchers import one_of, regex, subset, unordered

from .support import SITE, AskingTestCase, MessageTestCase, note_of

SHOWN = "<Silent object (repr raised ZeroDivisionError)>"


class Silent:
    """Raises where it is to be shown; it equals nothing but itself."""

    def __repr__(self):
        raise ZeroDivisionError("repr")

    __str__ = __repr__


class SilentError(Exception):
    """An exception with a text that cannot be had."""

    __str__ = __repr__ = Silent.__repr__


class ShownTest(unittest.TestCase):
    def test_a_value_is_shown_by_repr_or_as_is_said(self):
        self.assertEqual(shown("a"), "'a'")
        self.assertEqual(shown(ValueError("no"), by=str), "no")

    def test_a_long_value_is_cut_unless_it_is_to_be_whole(self):
        self.assertEqual(shown("x" * 500), f"'{'x' * 499}… (2 more characters)")
        self.assertEqual(shown("abc", 2), "'a… (3 more characters)")
        self.assertEqual(shown("x" * 999, most=None), repr("x" * 999))

    def test_a_value_whose_repr_raises_is_shown_by_its_class(self):
        self.assertEqual(shown(Silent()), SHOWN)
        self.assertEqual(shown(Silent(), by=str), "<Silent object (str raised ZeroDivisionError)>")
        self.assertEqual(shown([Silent()]), "<list object (repr raised ZeroDivisionError)>")

    def test_a_function_has_its_name_and_anything_else_is_shown(self):
        class Nameless(Silent):
            @property
            def __name__(self):
                raise ZeroDivisionError

        self.assertEqual(name_of(shown), "shown")
        self.assertEqual(name_of(5), "5")
        self.assertEqual(name_of(Nameless()), "<Nameless object (repr raised ZeroDivisionError)>")


class WrongArgumentsTest(AioResponsesTestCase):
    """What is refused at registration is refused for what is wrong with it."""

    def check(self, function, *args, **kwargs):
        with self.assertRaises((TypeError, ValueError)) as raised:
            function(*args, **kwargs)
        self.assertRegex(str(raised.exception), r"got .*<\w+ object \(repr raised ZeroDivisionError\)>")

    def test_wrong_arguments_of_a_mock(self):
        silent = Silent()
        for kwargs in (
            {"method": silent}, {"status": silent}, {"body": silent}, {"body": [silent]}, {"exception": silent},
            {"payload": silent}, {"headers": silent}, {"response_class": silent}, {"repeat": silent},
            {"reason": silent}, {"content_type": silent}, {"callback": silent}, {"cookies": silent},
            {"cookies": {"a": silent}}, {"delay": silent}, {"events": silent}, {"events": [silent]},
            {"fault": silent}, {"replies": silent}, {"replies": [silent]}, {"match_query": [silent]},
            {"match_headers": {silent: "1"}}, {"match_form": [silent]}, {"match_body": [silent]}, {"match": silent},
            {"match_form": {silent: None}}, {"cookies": {"a b": silent}},
        ):
            with self.subTest(kwargs=list(kwargs)):
                self.check(self.mock.add, SITE, **kwargs)
        self.check(self.mock.add, silent)
        self.assertEqual(self.mock.unused_mocks, [])

    def test_wrong_arguments_of_matchers_groups_and_decorators(self):
        class Called(Silent):
            def __call__(self):
                """Look like a function."""

        silent = Silent()
        group = self.mock.host(SITE)
        for make in (subset, regex, unordered, ServerSentEvent, self.mock.host, group.get, aioresponses()):
            with self.subTest(make=type(make)):
                self.check(make, silent)
        self.check(aioresponses, Called())
        self.check(aioresponses, passthrough=[silent])
        self.check(self.mock.assert_has_calls, [silent])
        self.check(aioresponses, json_dumps=silent)
        self.check(aioresponses, keep_calls=silent)
        self.check(aioresponses(json_dumps=lambda value: silent).get, SITE, payload=1)


class RefusalTest(AskingTestCase):
    """A request that no mock answers is refused, and the note says why, whatever is compared."""

    async def test_a_condition_that_cannot_be_shown(self):
        silent = Silent()
        for conditions, request, name, reason in (
            (
                {"match_query": {"a": silent}}, {"params": {"a": "1"}},
                "match_query=<dict object (repr raised ZeroDivisionError)>", f"query: at a: {SHOWN} != '1'",
            ),
            (
                {"match_headers": {"X-One": silent}}, {"headers": {"X-One": "1"}},
                "match_headers=<dict object (repr raised ZeroDivisionError)>", f"headers: at X-One: {SHOWN} != '1'",
            ),
            (
                {"match_headers": {"X-Two": silent}}, {},
                "match_headers=<dict object (repr raised ZeroDivisionError)>", f"headers: at X-Two: {SHOWN} is missing",
            ),
            ({"match_headers": silent}, {}, f"match_headers={SHOWN}", None),
            (
                {"match_json": {"a": [silent]}}, {"json": {"a": [1]}},
                "match_json=<dict object (repr raised ZeroDivisionError)>", f"json: at a[0]: {SHOWN} != 1",
            ),
            (
                {"match_json": subset({"a": silent})}, {"json": {}},
                "match_json=subset(<dict object (repr raised ZeroDivisionError)>)", f"json: at a: {SHOWN} is missing",
            ),
            (
                {"match_json": one_of(silent)}, {"json": 1},
                f"match_json=one_of({SHOWN})", f"json: one_of({SHOWN}) != 1",
            ),
            (
                {"match_form": {"a": FilePart(filename=silent)}}, {"data": {"a": "1"}},
                f"match_form={{'a': FilePart(filename={SHOWN})}}", f"form: at a: FilePart(filename={SHOWN}) != '1'",
            ),
            ({"match_body": silent}, {"data": "1"}, f"match_body={SHOWN}", f"body: {SHOWN} != '1'"),
            (
                {"match_json": {silent: 1}}, {"json": {}},
                "match_json=<dict object (repr raised ZeroDivisionError)>",
                "json: at <Silent object (str raised ZeroDivisionError)>: 1 is missing",
            ),
        ):
            with self.subTest(conditions=list(conditions), request=request):
                self.mock.clear()
                mock = self.mock.post(SITE, **conditions)
                self.assertEqual(str(mock), f"POST http://example.com/, {name}")
                self.assertEqual(repr(mock), f"<RequestMatch {mock}, used 0 of 1>")
                note = await note_of(self.session, "POST", **request)
                _, headline, line = note.splitlines()
                self.assertEqual(headline, "Registered mocks, the closest first:")
                if reason is not None:
                    self.assertEqual(line, f"  {mock}: {reason}")

    async def test_a_function_or_its_reason_that_cannot_be_shown(self):
        class Function(Silent):
            def __init__(self, result):
                self.result = result

            def __call__(self, call):
                return self.result

        name = "<Function object (repr raised ZeroDivisionError)>"

        def nothing(call):
            return Empty()

        class Empty(Silent):
            def __bool__(self):
                return False

        for function, shown_as, reason in (
            (Function(False), name, f"{name} returned False"),
            (Function((False, Silent())), name, "<Silent object (str raised ZeroDivisionError)>"),
            (nothing, "nothing", "nothing returned <Empty object (repr raised ZeroDivisionError)>"),
        ):
            mock = self.mock.get(SITE, match=function)
            self.assertEqual(
                await note_of(self.session, "GET"),
                "aioresponses: no mock answers GET http://example.com/\n"
                "Registered mocks, the closest first:\n"
                f"  GET http://example.com/, match={shown_as}: match: {reason}",
            )
            mock.remove()

    async def test_an_exception_of_a_condition_that_cannot_be_shown(self):
        answers = [True]

        def condition(call):
            if not answers:
                raise SilentError
            return answers.pop()

        self.mock.get(SITE, match=condition)
        await self.session.get(SITE)
        self.assertEqual(
            await note_of(self.session, "GET"),
            "aioresponses: no mock answers GET http://example.com/\n"
            "Registered mocks, the closest first:\n"
            "  GET http://example.com/, match=condition: "
            "raised <SilentError object (repr raised ZeroDivisionError)>",
        )


class ReplyTest(AioResponsesTestCase):
    async def test_a_result_of_a_callback_that_cannot_be_shown(self):
        self.mock.get(SITE, callback=lambda call: Silent())
        with self.assertRaises(TypeError) as raised:
            await self.client_session().get(SITE)
        self.assertEqual(
            str(raised.exception),
            f"callback: expected a CallbackResult or None from the callback of GET http://example.com/, got {SHOWN}",
        )

    async def test_a_piece_of_a_stream_that_cannot_be_shown(self):
        async def stream():
            yield Silent()

        for reply, message in (
            ({"body": stream}, f"body: expected a stream of str or bytes, got {SHOWN}"),
            ({"events": stream}, f"events: expected text, dicts or ServerSentEvent, got {SHOWN}"),
        ):
            self.mock.get(SITE, **reply)
            response = await self.client_session().get(SITE)
            with self.assertRaises(TypeError) as raised:
                await response.read()
            self.assertEqual(str(raised.exception), message)

    async def test_a_payload_that_can_be_neither_serialised_nor_shown(self):
        self.mock.get(SITE, callback=lambda call: CallbackResult(payload=[Silent()]))
        with self.assertRaises(TypeError) as raised:
            await self.client_session().get(SITE)
        self.assertEqual(
            str(raised.exception),
            "payload: expected a value that json can serialise, got <list object (repr raised ZeroDivisionError)>: "
            "Object of type Silent is not JSON serializable",
        )


class AssertionsTest(MessageTestCase):
    CALLS = "Calls:\n  1. POST http://example.com/ -> 200"

    async def asyncSetUp(self):
        await self.send("POST", json={"a": 1}, headers={"X-One": "1"}, params={"b": "2"})
        self.calls = self.CALLS.replace("/ ->", "/?b=2 ->")
        self.call = "POST http://example.com/?b=2 -> 200"

    def check(self, headline, detail, assertion, *args, **kwargs):
        self.check_fails("\n".join([headline, *detail, self.calls]), assertion, *args, **kwargs)

    async def test_a_value_that_cannot_be_shown_is_not_equal(self):
        self.check(
            f"JSON body of call 1 differs (- expected, + sent): {self.call}",
            ["<dict object (repr raised ZeroDivisionError)> != {'a': 1}"],
            self.assertJsonBody, {"a": Silent()},
        )

    async def test_a_value_whose_repr_fails_as_an_assertion_is_not_equal(self):
        class Failing:
            def __repr__(self):
                raise AssertionError("repr")

        self.check(
            f"JSON body of call 1 differs (- expected, + sent): {self.call}",
            ["<dict object (repr raised AssertionError)> != {'a': 1}"],
            self.assertJsonBody, {"a": Failing()},
        )

    async def test_a_missing_value_that_cannot_be_shown(self):
        self.check(
            "JSON body of call 1 does not contain:",
            [f"  at a: expected {SHOWN}, but got 1", f"  at c: expected {SHOWN}, but it was not sent"],
            self.assertJsonBodyContains, {"a": Silent(), "c": Silent()},
        )

    async def test_values_of_headers_and_a_query_that_cannot_be_shown(self):
        self.check(
            "Headers of call 1 do not contain:",
            [f"  X-One: expected {SHOWN}, but got '1'", f"  X-Two: expected {SHOWN}, but it was not sent"],
            self.assertRequestHeaders, {"X-One": Silent(), "X-Two": Silent()},
        )
        self.check(
            "Query of call 1 does not contain:", [f"  b: expected {SHOWN}, but got '2'"],
            self.assertQuery, {"b": Silent()}, SITE,
        )

    async def test_keyword_arguments_that_cannot_be_shown(self):
        for assertion, headline in (
            (
                lambda **kwargs: self.mock.assert_called_with(SITE + "?b=2", "POST", **kwargs),
                "Arguments of the last call to POST http://example.com/?b=2 differ (- expected, + made):",
            ),
            (
                lambda **kwargs: self.mock.assert_any_call(SITE + "?b=2", "POST", **kwargs),
                f"Expected POST http://example.com/?b=2, json={SHOWN}, but there was no such call.",
            ),
            (
                lambda **kwargs: self.mock.assert_has_calls([call(SITE + "?b=2", "POST", **kwargs)], any_order=True),
                f"Expected POST http://example.com/?b=2, json={SHOWN} among the calls, but there was no such call.",
            ),
        ):
            message = self.message(assertion, json=Silent())
            self.assertEqual(message.splitlines()[0], headline)
            self.assertIn("\n<dict object (repr raised ZeroDivisionError)> != {", message)
            self.assertEqual(message.splitlines()[-2:], self.calls.splitlines())

    async def test_wrong_arguments_of_assertions(self):
        silent = Silent()
        for assertion, *args in (
            (self.assertCallCount, silent), (self.assertCalled, silent), (self.assertCalled, SITE, silent),
            (self.assertCallOrder, silent), (self.assertCallsEqual, [silent]), (self.assertQuery, silent),
            (self.assertBody, b"", SITE, "GET", silent),
        ):
            with self.subTest(assertion=assertion.__name__):
                self.assertRegex(
                    self.message(assertion, *args),
                    r"^(Invalid argument: .*, got|Query of call 1 differs .*\n)"
                    r".*<Silent object \(repr raised ZeroDivisionError\)>",
                )

    async def test_an_exception_of_a_call_that_cannot_be_shown(self):
        self.mock.get(SITE, exception=SilentError())
        with self.assertRaises(SilentError):
            await self.client_session().get(SITE)
        self.assertEqual(
            str(self.mock.calls[-1]),
            "GET http://example.com/ -> raised SilentError: <SilentError object (str raised ZeroDivisionError)>",
        )

    async def test_conditions_of_a_strict_mock_that_cannot_be_shown(self):
        self.mock.clear()
        with self.assertRaises(AssertionError) as raised:
            with aioresponses(strict=True) as mock:
                mock.get(SITE, match_headers={"X-One": Silent()})
                with self.assertRaises(aiohttp.ClientConnectionError):
                    await self.client_session().get(SITE)
        self.assertFalse(mock.active)
        name = "GET http://example.com/, match_headers=<dict object (repr raised ZeroDivisionError)>"
        self.assertEqual(
            str(raised.exception),
            "1 mock was never used:\n"
            f"  {name}\n"
            "1 call matched no mock:\n"
            "  GET http://example.com/ -> no mock answered\n"
            "    Registered mocks, the closest first:\n"
            f"      {name}: headers: at X-One: {SHOWN} is missing\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> no mock answered",
        )
