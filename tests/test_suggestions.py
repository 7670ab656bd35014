"""Which argument is suggested where one was given that does not exist, or not by its name."""

import asyncio
import inspect
import re
import unittest

from aiohttp import ClientSession
from yarl import URL

from aioresponses import CallbackResult, Fault, aioresponses

from .support import SITE

JSON = "did you mean 'payload' (reply) or 'match_json' (request)?"
SHORTCUTS = ("get", "post", "put", "patch", "delete", "head", "options", "any")
BODY = "did you mean 'body' (reply) or 'match_body' (request)?"


class SuggestionsTestCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.mock = aioresponses()

    def check(self, expected, function, *args, **kwargs):
        with self.assertRaises(TypeError) as raised:
            function(*args, **kwargs)
        self.assertEqual(str(raised.exception), expected)
        self.assertEqual(self.mock.unused_mocks, [])


class KeywordTest(SuggestionsTestCase):
    def test_names_of_other_libraries(self):
        for name, suggestion in {
            "json": JSON,
            "json_body": JSON,
            "data": "did you mean 'body' (reply) or 'match_form' or 'match_body' (request)?",
            "text": BODY,
            "content": BODY,
            "html": "did you mean 'body'?",
            "response_body": "did you mean 'body'?",
            "return_value": "did you mean 'payload' or 'body'?",
            "status_code": "did you mean 'status'?",
            "code": "did you mean 'status'?",
            "params": "did you mean 'match_query'?",
            "query": "did you mean 'match_query'?",
            "match_params": "did you mean 'match_query'?",
            "match_data": "did you mean 'match_form' or 'match_body'?",
            "match_content": "did you mean 'match_body'?",
            "request_headers": "did you mean 'match_headers'?",
            "response_headers": "did you mean 'headers'?",
            "mimetype": "did you mean 'content_type'?",
            "times": "did you mean 'repeat'?",
            "count": "did you mean 'repeat'?",
            "is_reusable": "did you mean 'repeat'?",
            "exc": "did you mean 'exception'?",
            "error": "did you mean 'exception' or 'fault'?",
            "side_effect": "did you mean 'exception' or 'callback' or 'replies'?",
            "responses": "did you mean 'replies'?",
            "sleep": "did you mean 'delay'?",
        }.items():
            with self.subTest(name):
                self.check(
                    f"add() got an unexpected keyword argument {name!r}: {suggestion}",
                    self.mock.add, SITE, "POST", **{name: 1},
                )

    def test_misspelled_names(self):
        for name, meant in {
            "stauts": "status", "paylod": "payload", "header": "headers", "cookie": "cookies", "repeats": "repeat",
            "call_back": "callback", "match_header": "match_headers", "match_qeury": "match_query",
            "matchjson": "match_json", "fualt": "fault", "content-type": "content_type", "execption": "exception",
            "optionall": "optional", "reply": "replies", "Status": "status",
        }.items():
            with self.subTest(name):
                self.check(
                    f"add() got an unexpected keyword argument {name!r}: did you mean {meant!r}?",
                    self.mock.add, SITE, **{name: 1},
                )

    def test_names_unlike_any_argument(self):
        with self.assertRaises(TypeError) as raised:
            self.mock.add(SITE, colour="red")
        self.assertRegex(
            str(raised.exception),
            r"\Aadd\(\) got an unexpected keyword argument 'colour': its keywords are status, body, .*match_json.*\Z",
        )

    def test_every_suggestion_is_an_argument(self):
        from aioresponses import _suggestions
        from aioresponses._registering import ARGUMENTS

        for name, meant in _suggestions._MEANT.items():
            with self.subTest(name):
                self.assertLessEqual(set(meant), set(ARGUMENTS))
                self.assertNotIn(name, ARGUMENTS)

    def test_help_shows_the_arguments_alone(self):
        for function, name in (
            (aioresponses.add, "match_json"), (aioresponses.get, "kwargs"), (CallbackResult, "payload"),
        ):
            self.assertIn(name, inspect.signature(function).parameters)
            self.assertNotIn("unknown", inspect.signature(function).parameters)

    def test_in_a_callback_result(self):
        of_mock = "is an argument of the mock, and not of a single reply"
        raised = "raise the exception in the callback, or list it among the replies"
        for name, suggestion in {
            "json": "did you mean 'payload'?",
            "data": "did you mean 'body'?",
            "status_code": "did you mean 'status'?",
            "repeat": f"'repeat' {of_mock}",
            "times": f"'repeat' {of_mock}",
            "match_json": f"'match_json' {of_mock}",
            "params": f"'match_query' {of_mock}",
            "exception": raised,
            "exc": raised,
            "timeout": raised,
        }.items():
            with self.subTest(name):
                self.check(
                    f"CallbackResult() got an unexpected keyword argument {name!r}: {suggestion}",
                    CallbackResult, **{name: 1},
                )

    def test_in_replies(self):
        for name, suggestion in {
            "json": "did you mean 'payload'?",
            "exc": "did you mean 'exception'?",
            "statuss": "did you mean 'status'?",
            "times": "'repeat' is an argument of the mock, and not of a single reply",
        }.items():
            with self.subTest(name):
                self.check(
                    f"replies[1]: unexpected argument {name!r}: {suggestion}",
                    self.mock.get, SITE, replies=[{"status": 503}, {name: 1}],
                )

    def test_in_a_group(self):
        api = self.mock.host(SITE)
        self.check(f"add() got an unexpected keyword argument 'json': {JSON}", api.add, "/users", json={})
        self.check(f"post() got an unexpected keyword argument 'json': {JSON}", api.post, "/users", json={})

    def test_in_each_shortcut(self):
        for name in SHORTCUTS:
            with self.subTest(name):
                shortcut = getattr(self.mock, name)
                self.check(f"{name}() got an unexpected keyword argument 'json': {JSON}", shortcut, SITE, json={})
                self.check(
                    f"{name}() got an unexpected keyword argument 'method': another method is registered by "
                    "add(url, method)",
                    shortcut, SITE, method="PUT",
                )


class PositionTest(SuggestionsTestCase):
    def test_each_shortcut_takes_the_url_alone_by_position(self):
        for name in SHORTCUTS:
            for api, url in ((self.mock, SITE), (self.mock.host(SITE), "/users")):
                with self.subTest(name, api=api):
                    self.check(
                        f"{name}() takes only the URL by position, and all else by keyword, got {{'a': 1}}: {JSON}",
                        getattr(api, name), url, {"a": 1},
                    )

    def test_what_is_meant_by_each_type(self):
        for value, suggestion in (
            ({"a": 1}, JSON),
            (["a"], JSON),
            (404, "did you mean 'status'?"),
            ("text", BODY),
            (b"bytes", BODY),
            ("PUT", "another method is registered by add(url, 'PUT')"),
            ("put", "another method is registered by add(url, 'put')"),
            (SITE, "the URL comes first; for another method, use add(url, method)"),
            (URL(SITE), "the URL comes first; for another method, use add(url, method)"),
            (re.compile(SITE), "the URL comes first; for another method, use add(url, method)"),
            (True, "did you mean 'repeat'?"),
            (OSError("no"), "did you mean 'exception'?"),
            (OSError, "did you mean 'exception'?"),
            (len, "did you mean 'callback'?"),
            (Fault.HANG, "did you mean 'fault'?"),
            (CallbackResult(status=404), "did you mean 'replies'?"),
        ):
            with self.subTest(value):
                self.check(
                    f"get() takes only the URL by position, and all else by keyword, got {value!r}: {suggestion}",
                    self.mock.get, SITE, value,
                )

    def test_add_of_a_group_takes_url_and_method(self):
        api = self.mock.host(SITE)
        for values, suggestion in {(200,): "did you mean 'status'?", ("hi", 200): BODY}.items():
            self.check(
                "add() takes only the URL and the method by position, and all else by keyword, got "
                f"{values[0]!r}: {suggestion}",
                api.add, "/users", "POST", *values,
            )
        self.assertEqual(list(inspect.signature(api.add).parameters), ["url", "method", "kwargs"])

    def test_what_was_meant_to_be_the_reply_in_place_of_the_method_of_add(self):
        for api, url in ((self.mock, SITE), (self.mock.host(SITE), "/users")):
            for value, suggestion in (
                ({"a": 1}, JSON),
                (OSError("no"), "did you mean 'exception'?"),
                (OSError, "did you mean 'exception'?"),
                (self.setUp.__func__, "did you mean 'callback'?"),
                (Fault.HANG, "did you mean 'fault'?"),
                (CallbackResult(status=404), "did you mean 'replies'?"),
            ):
                with self.subTest(value, api=api):
                    self.check(
                        f"method: expected a str such as 'GET', got {value!r}; {suggestion}", api.add, url, value
                    )
        # If the URL is wrong as well, that comes first.
        self.check("url: expected a str, a yarl.URL or a compiled pattern, got 5", self.mock.add, 5, {"a": 1})

    def test_what_was_meant_to_be_the_reply_in_place_of_the_ignored_method_of_a_result(self):
        for value, hint in (
            ({"a": 1}, "; did you mean 'payload'?"),
            ([1], "; did you mean 'payload'?"),
            (404, "; did you mean 'status'?"),
            (b"hi", "; did you mean 'body'?"),
            (Fault.HANG, "; did you mean 'fault'?"),
            (True, ""),
            (len, ""),
            (OSError, ""),
        ):
            with self.subTest(value):
                self.check(f"method: expected a str such as 'GET', got {value!r}{hint}", CallbackResult, value)
        for method in ("GET", "anything", None):
            self.assertEqual(CallbackResult(method, 404).status, 404)

    async def ask(self):
        async with self.mock, ClientSession() as session:
            await session.get(SITE)

    def test_a_callback_whose_result_has_its_status_in_place_of_the_method(self):
        self.mock.get(SITE, callback=lambda call: CallbackResult(404))
        with self.assertRaisesRegex(TypeError, "^method: expected a str such as 'GET', got 404; did you mean 'status'"):
            asyncio.run(self.ask())

    def test_credentials_are_not_shown(self):
        self.check(
            "any() takes only the URL by position, and all else by keyword, got 'http://…@example.com/': "
            "the URL comes first; for another method, use add(url, method)",
            self.mock.any, "GET", "http://me:secret@example.com/",
        )
