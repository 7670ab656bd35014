"""Which calls are meant by a method, a URL, a mock or a group, and conditions: `mock.calls_of`."""

import re
import unittest
from unittest.mock import ANY

from yarl import URL

from aioresponses import AioResponsesTestCase, RequestMatch, aioresponses
from aioresponses.matchers import subset

from ..support import SITE, USERS, MockedTestCase, get

EVENTS = "http://example.com/events"


class CallsOfTest(AioResponsesTestCase):
    """The calls are: 0 GET /users?page=1, 1 and 2 POST /events (created, deleted), 3 POST /users (a form)."""

    async def asyncSetUp(self):
        self.users = self.mock.get(re.compile(USERS), repeat=True)
        self.events = self.mock.post(EVENTS, repeat=2)
        session = self.client_session()
        await session.get(USERS, params={"page": 1}, headers={"X-A": "1"})
        await session.post(EVENTS, json={"type": "created", "id": 7})
        await session.post(EVENTS, json={"type": "deleted"})
        self.mock.post(USERS)
        await session.post(USERS, data={"name": "Ada"})

    def check(self, places, *args, **conditions):
        with self.subTest(args=args, **conditions):
            calls = self.mock.calls
            found = self.mock.calls_of(*args, **conditions)
            self.assertEqual([calls.index(call) for call in found], places)
            for call in found:
                self.assertIs(call, calls[calls.index(call)])

    def test_of_a_url_and_a_method(self):
        self.check([0, 1, 2, 3])
        self.check([1, 2], EVENTS)
        self.check([1, 2], URL(EVENTS), "post")
        self.check([0], re.compile(USERS), "GET")
        self.check([3], "http://example.com/{name}", "POST", match_form=ANY)
        self.check([0], method="GET")
        self.check([], USERS, "GET")

    def test_of_a_mock(self):
        self.check([0], self.users)
        self.check([1, 2], self.events)
        self.check([1, 2], self.events, "POST")
        self.check([], self.events, "GET")
        self.check([2], self.events, match_json={"type": "deleted"})
        self.check([], self.mock.get(USERS))

    async def test_of_a_group(self):
        api = self.mock.host("http://example.com/v2")
        api.get("/a", status=302, headers={"Location": "/v2/b"})
        api.get("/b")
        session = self.client_session()
        self.assertEqual((api.calls, api.called, api.call_count), ([], False, 0))
        await session.get("http://example.com/v2/a")
        self.assertEqual([call.url for call in api.calls], ["http://example.com/v2/a", "http://example.com/v2/b"])
        self.assertEqual((api.called, api.call_count), (True, 2))
        self.assertEqual([call.url for call in self.mock.calls_of(api)], [call.url for call in api.calls])
        self.assertEqual(self.mock.calls_of(api, match_query={"page": "1"}), [])

    def test_of_conditions(self):
        self.check([1], EVENTS, match_json=subset({"type": "created"}))
        self.check([1, 2], match_json=ANY)
        self.check([3], match_form={"name": "Ada"})
        self.check([3], match_body=b"name=Ada")
        self.check([1], match_body=re.compile("created"))
        self.check([0], match_headers={"x-a": "1"})
        self.check([1], match=lambda call: "created" in call.text())
        self.check([1], match=[lambda call: call.method == "POST", lambda call: (b"7" in call.body, "no 7")])
        self.check([0, 1, 2, 3], match_json=None, match_query=None)

    def test_with_match_query_a_url_is_compared_without_its_query(self):
        self.check([0], USERS, match_query={"page": "1"})
        self.check([0], USERS, match_query="page=1")
        self.check([3], USERS, match_query={})
        self.check([0, 3], USERS, match_query=ANY)
        self.check([0], self.users, match_query={"page": 1})
        self.check([], self.users, match_query={"page": 2})

    def test_what_a_mock_would_not_take(self):
        for error, message, args, conditions in (
            (TypeError, "url: expected a str, a yarl.URL or a compiled pattern, got 5", (5,), {}),
            (ValueError, "url: expected a URL with a scheme and a host, got '/users'", ("/users",), {}),
            (TypeError, "method: expected a str such as 'GET', got 5", (USERS, 5), {}),
            (
                ValueError, "method: expected an HTTP token such as 'GET' or 'PROPFIND', got 'G T'",
                (self.users, "G T"), {},
            ),
            (
                TypeError,
                "unexpected keyword argument 'times': to check how many calls there were, use assertCallCount",
                (USERS,), {"times": 2},
            ),
            (
                ValueError, "match_query cannot be combined with a query in url; give the whole query in one of them",
                (USERS + "?page=1",), {"match_query": {"page": "1"}},
            ),
            (
                ValueError, "match_json cannot be combined with match_form: a body cannot be both JSON and a form", (),
                {"match_json": 1, "match_form": {}},
            ),
            (
                TypeError, "match_headers: expected a mapping or pairs of name and value, got 5", (),
                {"match_headers": 5},
            ),
            (TypeError, "match: expected a function that takes the call, or a list of them, got 5", (), {"match": 5}),
            (
                TypeError, "match_body: expected bytes, text or a compiled pattern, got {}; for JSON, use match_json=",
                (), {"match_body": {}},
            ),
            (TypeError, "unexpected keyword argument 'json': did you mean 'match_json'?", (), {"json": 1}),
            (TypeError, "unexpected keyword argument 'params': did you mean 'match_query'?", (), {"params": 1}),
            (
                TypeError, "unexpected keyword argument 'data': did you mean 'match_form' or 'match_body'?", (),
                {"data": 1},
            ),
            (
                TypeError,
                "unexpected keyword argument 'status': its keywords are match_query, match_headers, match_json, "
                "match_form, match_body, match",
                (), {"status": 200},
            ),
        ):
            with self.subTest(args=args, **conditions):
                with self.assertRaises(error) as raised:
                    self.mock.calls_of(*args, **conditions)
                self.assertEqual(str(raised.exception), message)

    def test_what_a_function_raises_reaches_the_test(self):
        def raising(call):
            raise ZeroDivisionError("no")

        with self.assertRaises(ZeroDivisionError) as raised:
            self.mock.calls_of(EVENTS, "POST", match=raising)
        self.assertEqual(
            raised.exception.__notes__ if hasattr(raised.exception, "__notes__") else None,
            [f"aioresponses: raised by match of the assertion about POST {EVENTS}, match=raising"],
        )

    def test_conditions_are_keywords_alone(self):
        with self.assertRaises(TypeError):
            self.mock.calls_of(EVENTS, "POST", {"type": "created"})


class HopsTest(MockedTestCase):
    """A mock stands for the requests that it answered, hops among them; a URL for calls to the code under test."""

    async def test_after_a_redirect(self):
        first = self.mock.post(SITE, status=307, headers={"Location": "/users"})
        second = self.mock.post(USERS)
        await self.session.post(SITE, json=1)
        [call] = self.mock.calls
        self.assertEqual(self.mock.calls_of(SITE), [call])
        self.assertEqual(self.mock.calls_of(USERS), [])
        self.assertIs(self.mock.calls_of(first)[0], call)
        [hop] = self.mock.calls_of(second)
        self.assertIs(hop, call.hops[1])
        self.assertEqual(self.mock.calls_of(second, match_json=1), [hop])
        self.assertEqual(self.mock.calls_of(second, match_json=2), [])


class EveryMethodAndUrlTest(MockedTestCase):
    async def test_of_a_mock_of_every_method_and_of_every_url(self):
        every = self.mock.any(USERS, repeat=True)
        others = self.mock.get(ANY)
        for method, url in (("POST", USERS), ("PUT", USERS), ("GET", SITE)):
            await self.session.request(method, url, data=b"1")
        post, put, get_ = self.mock.calls
        self.assertEqual(self.mock.calls_of(every), [post, put])
        self.assertEqual(self.mock.calls_of(every, "PUT"), [put])
        self.assertEqual(self.mock.calls_of(others), [get_])
        self.assertEqual(self.mock.calls_of(ANY), [post, put, get_])
        self.assertEqual(self.mock.calls_of(ANY, "GET", match_body=b"1"), [get_])
        self.assertEqual(self.mock.calls_of(ANY, match_query={"page": "1"}), [])
        self.mock.assert_any_call(every, "POST", data=b"1")
        self.mock.assert_called_with(every, data=b"1")
        with self.assertRaises(AssertionError):
            self.mock.assert_any_call(every, "GET")

    async def test_of_a_group(self):
        api = self.mock.host("http://example.com/v2")
        api.any(ANY, repeat=True)
        api.get(re.compile("/users"), override=True)
        await self.session.get("http://example.com/v2/users")
        await self.session.put("http://example.com/v2/users?page=1")
        self.assertEqual(self.mock.calls_of(api), self.mock.calls)
        self.assertEqual(self.mock.calls_of(api, "PUT", match_query={"page": 1}), self.mock.calls[1:])


class OtherMocksTest(unittest.IsolatedAsyncioTestCase):
    async def test_a_mock_that_was_removed_or_stopped_or_belongs_to_another(self):
        with aioresponses() as mock:
            handle = mock.get(USERS)
            await get(USERS)
            handle.remove()
            self.assertEqual(mock.calls_of(handle), mock.calls)
        self.assertEqual(mock.calls_of(handle), mock.calls)
        self.assertEqual(aioresponses().calls_of(handle), mock.calls)
        mock.reset()
        self.assertEqual(mock.calls_of(handle), [])

    def test_one_that_was_made_by_hand_has_answered_nothing(self):
        self.assertEqual(aioresponses().calls_of(RequestMatch(USERS)), [])
