"""Which argument is suggested where one was given that does not exist, or not by its name."""

import inspect
import unittest

from aioresponses import CallbackResult, aioresponses

from .support import SITE

JSON = "did you mean 'payload' (reply) or 'match_json' (request)?"
BODY = "did you mean 'body' (reply) or 'match_body' (request)?"


class KeywordTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.mock = aioresponses()

    def check(self, expected, function, *args, **kwargs):
        with self.assertRaises(TypeError) as raised:
            function(*args, **kwargs)
        self.assertEqual(str(raised.exception), expected)
        self.assertEqual(self.mock.unused_mocks, [])

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
            "handler": "did you mean 'callback'?",
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
        from aioresponses._registering import Arguments

        for name, meant in _suggestions._MEANT.items():
            with self.subTest(name):
                self.assertLessEqual(set(meant), set(Arguments.__annotations__))
                self.assertNotIn(name, Arguments.__annotations__)

    def test_help_shows_the_arguments_alone(self):
        for function, name in ((aioresponses.add, "match_json"), (CallbackResult, "payload")):
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
        self.check(
            f"add() got an unexpected keyword argument 'json': {JSON}", self.mock.host(SITE).add, "/users", json={}
        )
