import asyncio
import io
import json
import re
import unittest
from unittest.mock import ANY

import aiohttp
from aiohttp import web
from aiohttp.test_utils import AioHTTPTestCase
from yarl import URL

from aioresponses import (
    AioResponsesTestCase,
    BodyAssertionsMixin,
    CallCountAssertionsMixin,
    CallOrderAssertionsMixin,
    CallbackResult,
    Part,
    aioresponses,
    matchers,
)

from .support import SITE, MessageTestCase

USERS = "http://example.com/users"


class Below:
    """Equals every number below a limit."""

    def __init__(self, limit):
        self.limit = limit

    def __eq__(self, other):
        return other < self.limit

    def __repr__(self):
        return f"Below({self.limit})"


class CallCountTest(MessageTestCase):
    async def test_call_count(self):
        self.assertCallCount(0)
        await self.send()
        await self.send("POST", USERS, status=201)
        self.assertCallCount(2)
        self.assertCallCount(1, SITE)
        self.assertCallCount(1, USERS, "POST")
        self.assertCallCount(0, USERS, "GET")
        self.check_fails(
            "Expected 2 calls of GET http://example.com/, but there was 1.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200\n"
            "  2. POST http://example.com/users -> 201",
            self.assertCallCount, 2, SITE, "GET",
        )
        self.check_fails(
            "Expected 1 call of any request, but there were 2.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200\n"
            "  2. POST http://example.com/users -> 201",
            self.assertCallCount, 1,
        )

    async def test_called(self):
        self.check_fails(
            "Expected a call of any request, but there were none.\nThere were no calls.", self.assertCalled
        )
        await self.send()
        self.assertCalled()
        self.assertCalled(SITE)
        self.assertCalled(method="GET")
        self.check_fails(
            "Expected a call of any POST request, but there were none.\nCalls:\n  1. GET http://example.com/ -> 200",
            self.assertCalled, method="POST",
        )

    async def test_called_once(self):
        await self.send()
        self.assertCalledOnce()
        self.assertCalledOnce(SITE, "GET")
        await self.send()
        self.check_fails(
            "Expected 1 call of http://example.com/, but there were 2.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200\n"
            "  2. GET http://example.com/ -> 200",
            self.assertCalledOnce, SITE,
        )
        self.check_fails(
            "Expected 1 call of http://example.com/users, but there were none.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200\n"
            "  2. GET http://example.com/ -> 200",
            self.assertCalledOnce, USERS,
        )

    async def test_not_called(self):
        self.assertNotCalled()
        await self.send_unmatched("DELETE", USERS)
        self.assertNotCalled(SITE)
        self.assertNotCalled(USERS, "GET")
        self.check_fails(
            "Expected no call of any DELETE request, but there was 1.\n"
            "Calls:\n"
            "  1. DELETE http://example.com/users -> no mock answered",
            self.assertNotCalled, method="DELETE",
        )

    async def test_called_at_least(self):
        self.assertCalledAtLeast(0)
        await self.send()
        self.assertCalledAtLeast(1, SITE)
        await self.send()
        self.assertCalledAtLeast(1, SITE)
        self.check_fails(
            "Expected at least 3 calls of http://example.com/, but there were 2.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200\n"
            "  2. GET http://example.com/ -> 200",
            self.assertCalledAtLeast, 3, SITE,
        )

    async def test_called_at_most(self):
        await self.send()
        self.assertCalledAtMost(1)
        self.assertCalledAtMost(2, SITE, "GET")
        await self.send()
        self.check_fails(
            "Expected at most 1 call of http://example.com/, but there were 2.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200\n"
            "  2. GET http://example.com/ -> 200",
            self.assertCalledAtMost, 1, SITE,
        )

    async def test_all_mocks_called(self):
        self.assertAllMocksCalled()
        await self.send()
        self.mock.get(USERS, optional=True)
        self.assertAllMocksCalled()
        self.mock.get(USERS)
        self.check_fails(
            "Expected every mock to be used, but 1 was not:\n"
            "  GET http://example.com/users\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
            self.assertAllMocksCalled,
        )
        self.mock.post(re.compile("/users/[0-9]+$"), repeat=True)
        self.check_fails(
            "Expected every mock to be used, but 2 were not:\n"
            "  GET http://example.com/users\n"
            "  POST re.compile('/users/[0-9]+$')\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
            self.assertAllMocksCalled,
        )

    async def test_a_mock_that_was_removed_need_not_be_called(self):
        self.mock.get(USERS).remove()
        self.assertAllMocksCalled()

    async def test_no_unmatched_calls(self):
        await self.send()
        self.assertNoUnmatchedCalls()
        await self.send_unmatched("PUT", USERS)
        self.check_fails(
            "Expected mocks for all calls, but 1 has none:\n"
            "  PUT http://example.com/users -> no mock answered\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200\n"
            "  2. PUT http://example.com/users -> no mock answered",
            self.assertNoUnmatchedCalls,
        )

    async def test_a_redirect_to_nowhere_is_an_unmatched_call(self):
        self.mock.post(SITE, status=302, headers={"Location": "/users"})
        await self.send_unmatched("POST")
        self.check_fails(
            "Expected mocks for all calls, but 1 has none:\n"
            "  POST http://example.com/ -> 302, GET http://example.com/users -> no mock answered\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 302, GET http://example.com/users -> no mock answered",
            self.assertNoUnmatchedCalls,
        )


class FindingCallsTest(MessageTestCase):
    async def test_the_url_may_be_text_a_url_or_a_pattern(self):
        await self.send(url=USERS + "?b=2&a=1")
        for url in (USERS + "?b=2&a=1", URL(USERS) % {"b": 2, "a": 1}, re.compile(r".*/users\?"), None):
            with self.subTest(url=url):
                self.assertCalledOnce(url)
                self.assertCallsEqual([url])

    async def test_the_order_of_the_query_and_fragments_do_not_matter(self):
        await self.send(url=USERS + "?b=2&a=1#top")
        self.assertCalledOnce(USERS + "?a=1&b=2")
        self.assertCalledOnce(USERS + "?a=1&b=2#bottom")
        self.assertNotCalled(USERS)
        self.assertNotCalled(USERS + "?a=1")

    async def test_params_are_part_of_the_url(self):
        await self.send(url=USERS + "?a=1", params={"b": "2"})
        self.assertCalledOnce(USERS + "?b=2&a=1")

    async def test_the_case_of_the_method_does_not_matter(self):
        await self.send("post")
        self.assertCalledOnce(SITE, "POST")
        self.assertCalledOnce(SITE, "Post")
        self.assertCallOrder([("pOST", SITE)])

    async def test_credentials_in_the_url_of_a_call_may_be_left_out(self):
        await self.send(url="http://me:secret@example.com/?page=2")
        self.assertCalledOnce(SITE + "?page=2")
        self.assertCalledOnce("http://me:secret@example.com/?page=2")
        self.assertNotCalled("http://me:wrong@example.com/?page=2")
        self.assertQuery({"page": "2"}, SITE)

    async def test_credentials_in_urls_are_not_shown(self):
        await self.send(url="http://me:secret@example.com/")
        self.check_fails(
            "Expected a call of http://…@example.com/, but there were none.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
            self.assertCalled, "http://you:secret@example.com/",
        )
        self.check_fails(
            "Expected other calls than were made (- expected, + made):\n"
            "Lists differ: ['http://…@example.com/'] != ['GET http://example.com/']\n"
            "\n"
            "First differing element 0:\n"
            "'http://…@example.com/'\n"
            "'GET http://example.com/'\n"
            "\n"
            "- ['http://…@example.com/']\n"
            "?          --\n"
            "\n"
            "+ ['GET http://example.com/']\n"
            "?   ++++\n"
            "\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
            self.assertCallsEqual, ["http://you:secret@example.com/"],
        )

    async def test_hops_of_a_redirect_are_not_calls(self):
        self.mock.get(SITE, status=302, headers={"Location": "/users"})
        self.mock.get(USERS)
        await self.client_session().get(SITE)
        self.assertCallCount(1)
        self.assertNotCalled(USERS)

    async def test_an_exception_is_shown_with_the_call(self):
        self.mock.get(SITE, exception=ValueError("two\nlines"))
        self.mock.get(SITE, timeout=True)
        for error in (ValueError, asyncio.TimeoutError):
            with self.assertRaises(error):
                await self.client_session().get(SITE)
        self.check_fails(
            "Expected no call of any request, but there were 2.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> raised ValueError: two lines\n"
            "  2. GET http://example.com/ -> raised TimeoutError",
            self.assertNotCalled,
        )


class CallOrderTest(MessageTestCase):
    async def send_three(self):
        await self.send("POST", SITE + "login")
        await self.send("GET", USERS)
        await self.send("DELETE", USERS)

    CALLS = (
        "Calls:\n"
        "  1. POST http://example.com/login -> 200\n"
        "  2. GET http://example.com/users -> 200\n"
        "  3. DELETE http://example.com/users -> 200"
    )

    async def test_call_order(self):
        await self.send_three()
        self.assertCallOrder([])
        self.assertCallOrder([SITE + "login", ("DELETE", USERS)])
        self.assertCallOrder(iter([("POST", SITE + "login"), USERS, USERS]))
        self.assertCallOrder([("POST", None), (None, re.compile(".*/users"))])
        self.check_fails(
            "Expected these calls in this order, but number 2, http://example.com/login, was not made after call 2:\n"
            "  GET http://example.com/users\n"
            "  http://example.com/login\n" + self.CALLS,
            self.assertCallOrder, [("GET", USERS), SITE + "login"],
        )
        self.check_fails(
            "Expected these calls in this order, but number 1, PUT http://example.com/users, was not made at all:\n"
            "  PUT http://example.com/users\n" + self.CALLS,
            self.assertCallOrder, [("PUT", USERS)],
        )

    async def test_one_call_does_not_stand_for_two_in_a_row(self):
        await self.send()
        self.check_fails(
            "Expected these calls in this order, but number 2, http://example.com/, was not made after call 1:\n"
            "  http://example.com/\n"
            "  http://example.com/\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
            self.assertCallOrder, [SITE, SITE],
        )

    async def test_calls_equal(self):
        self.assertCallsEqual([])
        await self.send_three()
        self.assertCallsEqual([("POST", SITE + "login"), USERS, ("delete", re.compile(".*/users$"))])
        self.check_fails(
            "Expected just 2 calls, but there were 3 (- expected, + made):\n"
            "Lists differ: ['POS[32 chars]T http://example.com/users'] != "
            "['POS[32 chars]T http://example.com/users', 'DELETE http://example.com/users']\n"
            "\n"
            "Second list contains 1 additional elements.\n"
            "First extra element 2:\n"
            "'DELETE http://example.com/users'\n"
            "\n"
            "- ['POST http://example.com/login', 'GET http://example.com/users']\n"
            "+ ['POST http://example.com/login',\n"
            "+  'GET http://example.com/users',\n"
            "+  'DELETE http://example.com/users']\n" + self.CALLS,
            self.assertCallsEqual, [SITE + "login", USERS],
        )
        self.check_fails(
            "Expected other calls than were made (- expected, + made):\n"
            "Lists differ: ['POS[25 chars]n', 'PUT http://example.com/users', 'DELETE ht[19 chars]ers'] != "
            "['POS[25 chars]n', 'GET http://example.com/users', 'DELETE ht[19 chars]ers']\n"
            "\n"
            "First differing element 1:\n"
            "'PUT http://example.com/users'\n"
            "'GET http://example.com/users'\n"
            "\n"
            "  ['POST http://example.com/login',\n"
            "-  'PUT http://example.com/users',\n"
            "?   ^^\n"
            "\n"
            "+  'GET http://example.com/users',\n"
            "?   ^^\n"
            "\n"
            "   'DELETE http://example.com/users']\n" + self.CALLS,
            self.assertCallsEqual, [SITE + "login", ("PUT", USERS), USERS],
        )

    async def test_calls_equal_where_there_are_none_or_one(self):
        self.check_fails(
            "Expected just 1 call, but there were none (- expected, + made):\n"
            "Lists differ: ['http://example.com/'] != []\n"
            "\n"
            "First list contains 1 additional elements.\n"
            "First extra element 0:\n"
            "'http://example.com/'\n"
            "\n"
            "- ['http://example.com/']\n"
            "+ []\n"
            "There were no calls.",
            self.assertCallsEqual, [SITE],
        )
        await self.send()
        self.check_fails(
            "Expected just 0 calls, but there was 1 (- expected, + made):\n"
            "Lists differ: [] != ['GET http://example.com/']\n"
            "\n"
            "Second list contains 1 additional elements.\n"
            "First extra element 0:\n"
            "'GET http://example.com/'\n"
            "\n"
            "- []\n"
            "+ ['GET http://example.com/']\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
            self.assertCallsEqual, [],
        )

    async def test_called_before(self):
        await self.send_three()
        self.assertCalledBefore(SITE + "login", USERS)
        self.assertCalledBefore(("GET", USERS), ("DELETE", USERS))
        self.check_fails(
            "Expected every call of http://example.com/users to have ended before POST http://example.com/login was "
            "called, but call 1 began before call 3 had ended.\n" + self.CALLS,
            self.assertCalledBefore, USERS, ("POST", SITE + "login"),
        )
        self.check_fails(
            "Expected http://example.com/users to be called before http://example.com/logout, "
            "but http://example.com/logout was never called.\n" + self.CALLS,
            self.assertCalledBefore, USERS, SITE + "logout",
        )
        self.check_fails(
            "Expected PUT http://example.com/users to be called before DELETE http://example.com/users, "
            "but PUT http://example.com/users was never called.\n" + self.CALLS,
            self.assertCalledBefore, ("PUT", USERS), ("DELETE", USERS),
        )

    async def test_called_before_looks_at_every_call_of_both(self):
        for path in ("b", "a", "b", "a"):
            await self.send(url=SITE + path)
        self.check_fails(
            "Expected every call of http://example.com/a to have ended before http://example.com/b was called, "
            "but call 1 began before call 4 had ended.\n"
            "Calls:\n"
            "  1. GET http://example.com/b -> 200\n"
            "  2. GET http://example.com/a -> 200\n"
            "  3. GET http://example.com/b -> 200\n"
            "  4. GET http://example.com/a -> 200",
            self.assertCalledBefore, SITE + "a", SITE + "b",
        )


class SameCallTest(MessageTestCase):
    async def test_no_call_is_before_itself(self):
        await self.send()
        self.check_fails(
            "Expected calls of http://example.com/ before those of GET http://example.com/, "
            "but call 1 is one of both.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
            self.assertCalledBefore, SITE, ("GET", SITE),
        )


class OverlappingCallsTest(MessageTestCase):
    async def asyncSetUp(self):
        self.session = self.client_session()
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    def holds(self, url, number=1):
        """Register a mock whose calls all wait until there are so many of them, and then until they are let go."""
        waiting = []

        async def callback(url, **kwargs):
            waiting.append(url)
            if len(waiting) == number:
                self.begun.set()
            await self.go_on.wait()

        self.mock.get(url, callback=callback, repeat=True)

    async def get(self, url):
        await self.session.get(url)

    async def test_calls_that_wait_for_each_other_overlap(self):
        self.holds(SITE, number=3)
        tasks = [asyncio.ensure_future(self.get(SITE)) for _ in range(3)]
        await self.begun.wait()
        self.go_on.set()
        await asyncio.gather(*tasks)
        self.assertConcurrent()
        self.assertConcurrent(SITE, "GET", at_least=3)
        self.assertMaxConcurrency(3, SITE, "GET")
        calls = "Calls:\n" + "\n".join(f"  {number}. GET http://example.com/ -> 200" for number in (1, 2, 3))
        self.check_fails(
            f"Expected at most 2 calls of http://example.com/ at once, but there were 3.\n{calls}",
            self.assertMaxConcurrency, 2, SITE,
        )
        self.check_fails(
            f"Expected at most 1 call of any GET request at once, but there were 3.\n{calls}",
            self.assertMaxConcurrency, 1, method="GET",
        )
        self.check_fails(
            f"Expected at least 4 calls of any request at once, but there were 3.\n{calls}",
            self.assertConcurrent, at_least=4,
        )

    async def test_only_calls_that_fit_are_counted(self):
        self.holds(re.compile(".*"), number=2)
        tasks = [asyncio.ensure_future(self.get(url)) for url in (SITE, USERS)]
        await self.begun.wait()
        self.go_on.set()
        await asyncio.gather(*tasks)
        self.assertMaxConcurrency(2)
        self.assertMaxConcurrency(1, USERS)
        self.assertMaxConcurrency(0, USERS, "POST")
        self.check_fails(
            "Expected at least 2 calls of http://example.com/users at once, but there was 1.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200\n"
            "  2. GET http://example.com/users -> 200",
            self.assertConcurrent, USERS,
        )

    async def test_calls_one_after_another_do_not_overlap(self):
        self.mock.get(SITE, repeat=True)
        for _ in range(3):
            await self.get(SITE)
        self.assertMaxConcurrency(1)
        self.assertMaxConcurrency(0, USERS)
        self.check_fails(
            "Expected at least 2 calls of http://example.com/users at once, but there were none.\n"
            "Calls:\n" + "\n".join(f"  {number}. GET http://example.com/ -> 200" for number in (1, 2, 3)),
            self.assertConcurrent, USERS,
        )

    async def test_a_call_in_flight_has_not_ended_before_another(self):
        self.holds(SITE)
        self.mock.get(USERS)
        task = asyncio.ensure_future(self.get(SITE))
        await self.begun.wait()
        await self.get(USERS)
        self.assertConcurrent()
        self.check_fails(
            "Expected every call of http://example.com/ to have ended before http://example.com/users was called, "
            "but call 2 began before call 1 had ended.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> not ended\n"
            "  2. GET http://example.com/users -> 200",
            self.assertCalledBefore, SITE, USERS,
        )
        self.go_on.set()
        await task
        self.check_fails(
            "Expected every call of http://example.com/ to have ended before http://example.com/users was called, "
            "but call 2 began before call 1 had ended.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200\n"
            "  2. GET http://example.com/users -> 200",
            self.assertCalledBefore, SITE, USERS,
        )

    async def test_what_comes_second_may_be_in_flight(self):
        self.mock.get(USERS)
        self.holds(SITE)
        await self.get(USERS)
        task = asyncio.ensure_future(self.get(SITE))
        await self.begun.wait()
        self.assertCalledBefore(USERS, SITE)
        self.go_on.set()
        await task


class JsonBodyTest(MessageTestCase):
    async def test_json_body(self):
        await self.send("POST", USERS, json={"name": "Ada", "roles": ["admin"]})
        self.assertJsonBody({"name": "Ada", "roles": ["admin"]})
        self.assertJsonBody({"roles": ["admin"], "name": "Ada"}, USERS, "POST")
        self.check_fails(
            "Expected another JSON body of call 1, POST http://example.com/users -> 200 (- expected, + sent):\n"
            "{'name': 'Bob', 'roles': ['admin']} != {'name': 'Ada', 'roles': ['admin']}\n"
            "- {'name': 'Bob', 'roles': ['admin']}\n"
            "?           ^^^\n"
            "\n"
            "+ {'name': 'Ada', 'roles': ['admin']}\n"
            "?           ^^^\n"
            "\n"
            "Calls:\n"
            "  1. POST http://example.com/users -> 200",
            self.assertJsonBody, {"name": "Bob", "roles": ["admin"]},
        )

    async def test_of_values_of_other_types(self):
        for value in (None, 5, "text", [1, [2]], True):
            with self.subTest(value=value):
                await self.send("POST", json=value, data=json.dumps(value) if value is None else None)
                self.assertJsonBody(value)
        self.check_fails(
            "Expected another JSON body of call 5, POST http://example.com/ -> 200 (- expected, + sent):\n"
            "[1] != True\n"
            "Calls:\n" + "\n".join(f"  {number}. POST http://example.com/ -> 200" for number in range(1, 6)),
            self.assertJsonBody, [1],
        )

    async def test_anything_with_an_eq_of_its_own_may_stand_anywhere(self):
        await self.send("POST", json={"id": 7, "tags": [{"n": 1}, {"n": 2}]})
        self.assertJsonBody(ANY)
        self.assertJsonBody({"id": Below(8), "tags": [ANY, {"n": Below(3)}]})
        self.assertJsonBodyContains({"tags": [{"n": Below(2)}, ANY]})
        self.assertJsonBodyContains({"tags": ANY})
        self.check_fails(
            "Expected another JSON body of call 1, POST http://example.com/ -> 200 (- expected, + sent):\n"
            "{'id': Below(7), 'tags': [{'n': 1}, {'n': 2}]} != {'id': 7, 'tags': [{'n': 1}, {'n': 2}]}\n"
            "- {'id': Below(7), 'tags': [{'n': 1}, {'n': 2}]}\n"
            "?        ------ -\n\n"
            "+ {'id': 7, 'tags': [{'n': 1}, {'n': 2}]}\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertJsonBody, {"id": Below(7), "tags": ANY},
        )
        self.check_fails(
            "Expected more of the JSON body of call 1, POST http://example.com/ -> 200:\n"
            "  at id: expected Below(7), but sent was 7\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertJsonBodyContains, {"id": Below(7), "tags": ANY},
        )

    async def test_json_body_contains(self):
        await self.send(
            "POST", json={"user": {"name": "Ada", "born": 1815}, "roles": ["admin", "author"], "x": [{"a": 1, "b": 2}]}
        )
        self.assertJsonBodyContains({})
        self.assertJsonBodyContains({"user": {"name": "Ada"}})
        self.assertJsonBodyContains({"roles": ["author", "admin"], "x": [{"b": 2}]})
        self.assertJsonBodyContains({"roles": []})
        self.check_fails(
            "Expected more of the JSON body of call 1, POST http://example.com/ -> 200:\n"
            "  at user.name: expected 'Bob', but sent was 'Ada'\n"
            "  at user.died: expected 1852, but it was not sent\n"
            "  at roles: expected 'reader' in it, but sent was ['admin', 'author']\n"
            "  at x: expected {'a': 2} in it, but sent was [{'a': 1, 'b': 2}]\n"
            "  at id: expected 7, but it was not sent\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertJsonBodyContains,
            {"user": {"name": "Bob", "died": 1852}, "roles": ["reader"], "x": [{"a": 2}], "id": 7},
        )
        self.check_fails(
            "Expected more of the JSON body of call 1, POST http://example.com/ -> 200:\n"
            "  expected ['admin'], but sent was {'user': {'name': 'Ada', 'born': 1815}, "
            "'roles': ['admin', 'author'], 'x': [{'a': 1, 'b': 2}]}\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertJsonBodyContains, ["admin"],
        )

    async def test_each_element_needs_one_of_its_own(self):
        await self.send("POST", json=[{"a": 1, "b": 2}, {"a": 1}, 3])
        self.assertJsonBodyContains([{"a": 1}, {"a": 1, "b": 2}])
        self.assertJsonBodyContains([ANY, ANY, {"b": 2}])
        self.check_fails(
            "Expected more of the JSON body of call 1, POST http://example.com/ -> 200:\n"
            "  expected 3 in it, but sent was [{'a': 1, 'b': 2}, {'a': 1}, 3]\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertJsonBodyContains, [3, 3],
        )

    async def test_of_much_that_is_missing_the_rest_is_counted(self):
        await self.send("POST", json={})
        lines = "".join(f"  at key{number}: expected {number}, but it was not sent\n" for number in range(10))
        self.check_fails(
            "Expected more of the JSON body of call 1, POST http://example.com/ -> 200:\n"
            f"{lines}"
            "  … and 2 more\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertJsonBodyContains, {f"key{number}": number for number in range(12)},
        )

    async def test_many_equal_elements_are_no_problem(self):
        await self.send("POST", json=[0] * 500)
        self.assertJsonBodyContains([0] * 500)

    async def test_what_is_no_json(self):
        await self.send("POST", data="a=1", headers={"Content-Type": "application/json"})
        for assertion in (self.assertJsonBody, self.assertJsonBodyContains):
            self.check_fails(
                "Expected a JSON body of call 1, POST http://example.com/ -> 200, but it cannot be read: the body of "
                "POST http://example.com/ is no JSON (Expecting value: line 1 column 1 (char 0)): "
                "it has Content-Type 'application/json' and 3 bytes: 'a=1'\n"
                "Calls:\n"
                "  1. POST http://example.com/ -> 200",
                assertion, {"a": 1},
            )

    async def test_what_has_no_body(self):
        await self.send()
        self.check_fails(
            "Expected a JSON body of call 1, GET http://example.com/ -> 200, but it cannot be read: the body of "
            "GET http://example.com/ is no JSON (Expecting value: line 1 column 1 (char 0)): "
            "it has Content-Type None and 0 bytes: ''\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
            self.assertJsonBody, {},
        )


class FormBodyTest(MessageTestCase):
    async def test_form_body(self):
        await self.send("POST", data=[("name", "Ada"), ("role", "admin"), ("role", "author"), ("note", "")])
        self.assertFormBody({"name": "Ada", "role": ["admin", "author"], "note": ""})
        self.assertFormBody({"note": ANY, "name": "Ada", "role": ANY}, SITE, "POST")
        self.assertFormBody([("name", "Ada"), ("role", "admin"), ("role", ANY), ("note", "")])
        self.check_fails(
            "Expected another form of call 1, POST http://example.com/ -> 200 (- expected, + sent):\n"
            "{'name': 'Bob'} != {'name': 'Ada', 'role': ['admin', 'author'], 'note': ''}\n"
            "- {'name': 'Bob'}\n"
            "+ {'name': 'Ada', 'note': '', 'role': ['admin', 'author']}\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertFormBody, {"name": "Bob"},
        )
        self.check_fails(
            "Expected another form of call 1, POST http://example.com/ -> 200 (- expected, + sent):\n"
            "Lists differ: [('name', 'Ada'), ('role', 'admin')] != "
            "[('name', 'Ada'), ('role', 'admin'), ('role', 'author'), ('note', '')]\n"
            "\n"
            "Second list contains 2 additional elements.\n"
            "First extra element 2:\n"
            "('role', 'author')\n"
            "\n"
            "- [('name', 'Ada'), ('role', 'admin')]\n"
            "+ [('name', 'Ada'), ('role', 'admin'), ('role', 'author'), ('note', '')]\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertFormBody, [("name", "Ada"), ("role", "admin")],
        )

    async def test_asked_of_a_json_request(self):
        await self.send("POST", json={"name": "Ada"})
        self.check_fails(
            "Expected a form of call 1, POST http://example.com/ -> 200, but it cannot be read: the body of "
            "POST http://example.com/ is not application/x-www-form-urlencoded: "
            "it has Content-Type 'application/json' and 15 bytes: '{\"name\": \"Ada\"}'\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertFormBody, {"name": "Ada"},
        )


class MultipartBodyTest(MessageTestCase):
    async def send_form(self):
        form = aiohttp.FormData()
        form.add_field("title", "Report ü")
        form.add_field("file", b"\x00\x01", filename="a.bin", content_type="application/x-thing")
        await self.send("POST", data=form)

    async def test_multipart_body(self):
        await self.send_form()
        self.assertMultipartBody({"title": "Report ü", "file": b"\x00\x01"})
        self.assertMultipartBody({"file": {"filename": "a.bin"}, "title": {"content": ANY}}, SITE, "POST")
        self.assertMultipartBody([("title", "Report ü".encode()), ("file", {"filename": "a.bin", "content": ANY})])
        self.assertMultipartBody({"file": ANY, "title": {"content": "Report ü"}})
        self.assertMultipartBody([("title", ANY), ("file", Part("file", "a.bin", ANY, b"\x00\x01"))])
        self.check_fails(
            "Expected another multipart body of call 1, POST http://example.com/ -> 200 (- expected, + sent):\n"
            "Lists differ: [('title', 'Report ü'), ('file', {'filename': 'b.bin'})] != "
            "[('title', 'Report ü'), ('file', {'filename': 'a.bin'})]\n"
            "\n"
            "First differing element 1:\n"
            "('file', {'filename': 'b.bin'})\n"
            "('file', {'filename': 'a.bin'})\n"
            "\n"
            "- [('title', 'Report ü'), ('file', {'filename': 'b.bin'})]\n"
            "?                                                ^\n"
            "\n"
            "+ [('title', 'Report ü'), ('file', {'filename': 'a.bin'})]\n"
            "?                                                ^\n"
            "\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertMultipartBody, {"file": {"filename": "b.bin"}, "title": "Report ü"},
        )
        self.check_fails(
            "Expected another multipart body of call 1, POST http://example.com/ -> 200 (- expected, + sent):\n"
            "Lists differ: [('title', 'Report ü')] != [('title', 'Report ü'), ('file', b'\\x00\\x01')]\n"
            "\n"
            "Second list contains 1 additional elements.\n"
            "First extra element 1:\n"
            "('file', b'\\x00\\x01')\n"
            "\n"
            "- [('title', 'Report ü')]\n"
            "+ [('title', 'Report ü'), ('file', b'\\x00\\x01')]\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertMultipartBody, {"title": "Report ü"},
        )

    async def test_asked_of_a_form(self):
        await self.send("POST", data={"name": "Ada"})
        self.check_fails(
            "Expected a multipart body of call 1, POST http://example.com/ -> 200, but it cannot be read: the body of "
            "POST http://example.com/ is not multipart: "
            "it has Content-Type 'application/x-www-form-urlencoded' and 8 bytes: 'name=Ada'\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertMultipartBody, {"name": "Ada"},
        )

    async def test_a_broken_one_fails_with_a_message(self):
        for body in (
            b"", b"x", b"--x\r\nno header\r\n\r\n\r\n--x--", b"--x\r\nContent-Transfer-Encoding: y\r\n\r\n\r\n--x--"
        ):
            with self.subTest(body=body):
                await self.send("POST", data=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
                self.assertRegex(
                    self.message(self.assertMultipartBody, {}),
                    r"\AExpected a multipart body of call [0-9], POST http://example.com/ -> 200, "
                    r"but it cannot be read: .+\nCalls:\n",
                )


class PartTest(MessageTestCase):
    async def asyncSetUp(self):
        form = aiohttp.FormData()
        form.add_field("file", b"x", filename="a.txt", content_type="text/plain")
        await self.send("POST", data=form)

    async def test_header_names_are_case_insensitive(self):
        [part] = self.mock.calls[0].multipart()
        self.assertMultipartBody({"file": {"headers": {name.upper(): value for name, value in part.headers.items()}}})

    async def test_an_attribute_that_parts_do_not_have(self):
        self.check_fails(
            "This assertion was called wrongly: "
            "expected attributes of a part (name, filename, headers, content), got 'contents'",
            self.assertMultipartBody, {"file": {"contents": b"x"}},
        )


class OtherBodiesTest(MessageTestCase):
    async def test_text_body(self):
        await self.send("PUT", data="héllo")
        self.assertTextBody("héllo")
        self.assertTextBody(ANY, SITE, "PUT")
        self.check_fails(
            "Expected another body of call 1, PUT http://example.com/ -> 200 (- expected, + sent):\n"
            "'hello' != 'héllo'\n"
            "- hello\n"
            "?  ^\n"
            "+ héllo\n"
            "?  ^\n"
            "\n"
            "Calls:\n"
            "  1. PUT http://example.com/ -> 200",
            self.assertTextBody, "hello",
        )

    async def test_what_is_no_text(self):
        await self.send("PUT", data=b"\xff", headers={"Content-Type": "text/plain"})
        self.check_fails(
            "Expected a text body of call 1, PUT http://example.com/ -> 200, but it cannot be read: the body of "
            "PUT http://example.com/ is no text in utf-8: 'utf-8' codec can't decode byte 0xff in position 0: "
            "invalid start byte\n"
            "Calls:\n"
            "  1. PUT http://example.com/ -> 200",
            self.assertTextBody, "",
        )

    async def test_body(self):
        await self.send("PUT", data=b"\x00\x01", headers={"Content-Type": "application/x-thing"})
        self.assertBody(b"\x00\x01")
        self.assertBody(ANY, SITE, "PUT")
        self.check_fails(
            "Expected another body of call 1, PUT http://example.com/ -> 200 (- expected, + sent):\n"
            "b'\\x00' != b'\\x00\\x01'\n"
            "Calls:\n"
            "  1. PUT http://example.com/ -> 200",
            self.assertBody, b"\x00",
        )

    async def test_a_long_body_is_cut(self):
        await self.send("PUT", data=b"y" * 10_000)
        message = self.message(self.assertBody, b"x" * 10_000)
        self.assertLess(len(message), 500)
        self.check_fails(
            "Expected no body of call 1, PUT http://example.com/ -> 200, but it has one of length 10000: "
            f"b'{'y' * 498}… (9503 more characters)\n"
            "Calls:\n"
            "  1. PUT http://example.com/ -> 200",
            self.assertEmptyBody,
        )
        self.check_fails(
            "Expected a JSON body of call 1, PUT http://example.com/ -> 200, but it cannot be read: the body of "
            "PUT http://example.com/ is no JSON (Expecting value: line 1 column 1 (char 0)): "
            f"it has Content-Type 'application/octet-stream' and 10000 bytes: '{'y' * 100}'…\n"
            "Calls:\n"
            "  1. PUT http://example.com/ -> 200",
            self.assertJsonBody, 1,
        )

    async def test_empty_body(self):
        await self.send("DELETE", USERS)
        self.assertEmptyBody()
        self.assertEmptyBody(USERS, "DELETE")
        await self.send("POST", USERS, data=b"x")
        self.assertEmptyBody(USERS, "DELETE")
        self.check_fails(
            "Expected no body of call 2, POST http://example.com/users -> 200, but it has one of length 1: b'x'\n"
            "Calls:\n"
            "  1. DELETE http://example.com/users -> 200\n"
            "  2. POST http://example.com/users -> 200",
            self.assertEmptyBody, USERS,
        )

    async def test_the_body_of_a_call_that_nobody_answered_is_known(self):
        await self.send_unmatched("POST", json=[1])
        self.assertJsonBody([1])


class HeadersTest(MessageTestCase):
    async def test_request_headers(self):
        await self.send(headers=[("Accept", "text/plain"), ("X-Id", "1"), ("X-Id", "2")])
        self.assertRequestHeaders({})
        self.assertRequestHeaders({"accept": "text/plain", "HOST": "example.com"}, SITE, "GET")
        self.assertRequestHeaders({"x-id": "1"})
        self.assertRequestHeaders({"x-id": ["1", "2"]})
        self.assertRequestHeaders([("x-id", "2"), ("x-id", "1"), ("Accept", ANY)])
        self.check_fails(
            "Expected other headers of call 1, GET http://example.com/ -> 200:\n"
            "  accept: expected 'application/json', but sent was 'text/plain'\n"
            "  X-Id: expected '3', but sent was ['1', '2']\n"
            "  X-No: expected <ANY>, but it was not sent\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
            self.assertRequestHeaders, {"accept": "application/json", "X-Id": "3", "X-No": ANY},
        )

    async def test_secrets_are_not_shown(self):
        await self.send(
            headers={"Authorization": "Bearer s3cret", "Proxy-Authorization": "s3cret", "Cookie": "a=s3cret"}
        )
        self.assertRequestHeaders({"authorization": "Bearer s3cret", "cookie": "a=s3cret"})
        self.check_fails(
            "Expected other headers of call 1, GET http://example.com/ -> 200:\n"
            "  authorization: expected '…', but sent was '… (another)'\n"
            "  Proxy-Authorization: expected '…', but sent was '… (another)'\n"
            "  COOKIE: expected '…', but sent was '… (another)'\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
            self.assertRequestHeaders,
            {"authorization": "Bearer s3cret2", "Proxy-Authorization": ["s3cret", "s3cret"], "COOKIE": "b=s3cret"},
        )
        await self.send()
        self.check_fails(
            "Expected other headers of call 2, GET http://example.com/ -> 200:\n"
            "  Authorization: expected '…', but it was not sent\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200\n"
            "  2. GET http://example.com/ -> 200",
            self.assertRequestHeaders, {"Authorization": "Bearer s3cret"},
        )

    async def test_long_values_are_cut(self):
        await self.send(headers={"X-Long": "y" * 1000})
        self.check_fails(
            "Expected other headers of call 1, GET http://example.com/ -> 200:\n"
            f"  X-Long: expected '{'x' * 499}… (502 more characters), "
            f"but sent was '{'y' * 499}… (502 more characters)\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
            self.assertRequestHeaders, {"X-Long": "x" * 1000},
        )

    async def test_cookies_of_the_session_are_not_shown_either(self):
        await self.send(cookies={"a": "s3cret"})
        message = self.message(self.assertRequestHeaders, {"Cookie": "a=other", "X": "1"})
        self.assertNotIn("s3cret", message)
        self.assertNotIn("other\n", message)

    async def test_those_of_a_call_that_nobody_answered_are_known(self):
        await self.send_unmatched(headers={"X-Id": "1"})
        self.assertRequestHeaders({"X-Id": "1"})


class QueryTest(MessageTestCase):
    async def test_query(self):
        await self.send(url=USERS + "?page=2&tag=a&tag=b", params={"Q": "x y"})
        self.assertQuery({})
        self.assertQuery({"page": "2", "Q": "x y"})
        self.assertQuery({"page": ANY}, USERS, "GET")
        self.assertQuery({"page": ANY}, USERS + "?Q=x%20y&tag=b&tag=a&page=2#top")
        self.assertQuery({"tag": "b"}, re.compile(".*users"))
        self.assertQuery([("tag", "a"), ("tag", "b")])
        self.assertQuery({"tag": ["a", "b"]})
        self.check_fails(
            "Expected another query of call 1, GET http://example.com/users?page=2&tag=a&tag=b&Q=x+y -> 200:\n"
            "  page: expected '3', but sent was '2'\n"
            "  tag: expected 'c', but sent was ['a', 'b']\n"
            "  q: expected 'x y', but it was not sent\n"
            "Calls:\n"
            "  1. GET http://example.com/users?page=2&tag=a&tag=b&Q=x+y -> 200",
            self.assertQuery, {"page": 3, "tag": "c", "q": "x y"}, USERS,
        )

    async def test_a_number_stands_for_its_text(self):
        await self.send("POST", USERS + "?page=2", data={"a": "1", "b": ["2", "3.5"]}, headers={"X-Id": "7"})
        self.assertQuery({"page": 2})
        self.assertQuery([("page", matchers.one_of(1, 2))])
        self.assertRequestHeaders({"x-id": 7})
        self.assertFormBody({"a": 1, "b": [2, 3.5]})
        self.assertFormBody([("a", 1), ("b", 2), ("b", "3.5")])
        for assertion, expected in ((self.assertQuery, {"page": True}), (self.assertFormBody, {"a": True})):
            self.assertIn("True", self.message(assertion, expected))

    async def test_of_other_assertions_a_url_without_a_query_means_just_that(self):
        await self.send("POST", USERS + "?page=2", json=1)
        for assertion in (self.assertJsonBody, self.assertRequestHeaders):
            self.check_fails(
                "Expected a call of http://example.com/users, but there were none.\n"
                "Calls:\n"
                "  1. POST http://example.com/users?page=2 -> 200",
                assertion, 1, USERS,
            )

    async def test_a_url_with_a_query_must_be_called_with_it(self):
        await self.send(url=USERS + "?page=2")
        self.check_fails(
            "Expected a call of http://example.com/users?page=1, but there were none.\n"
            "Calls:\n"
            "  1. GET http://example.com/users?page=2 -> 200",
            self.assertQuery, {"page": "2"}, USERS + "?page=1",
        )


class DecidingForThemselvesTest(MessageTestCase):
    """Objects that decide what equals them, in place of a whole mapping."""

    async def test_any_fields_will_do(self):
        await self.send("POST", USERS + "?page=1", data={"a": "1"})
        self.assertFormBody(ANY)
        self.assertQuery(ANY)
        self.assertRequestHeaders(ANY)


class LongListsTest(MessageTestCase):
    async def test_of_expected_calls_those_around_the_first_that_failed_are_shown(self):
        await self.send()
        shown = self.message(self.assertCallOrder, [SITE, *(f"{SITE}{number}" for number in range(99))]).splitlines()
        self.assertEqual(
            (shown[0], shown[1], shown[20], shown[21]),
            (
                "Expected these calls in this order, but number 2, http://example.com/0, was not made after call 1:",
                "  http://example.com/",
                "  http://example.com/18",
                "  … and 80 more",
            ),
        )
        everywhere = [SITE] * 50 + [USERS] + [SITE] * 49
        for _ in range(50):
            await self.send()
        shown = self.message(self.assertCallOrder, everywhere).splitlines()
        self.assertEqual(
            (shown[1], shown[12], shown[22]), ("  … 41 before these", "  http://example.com/", "  … and 39 more")
        )
        self.assertIn("  http://example.com/users", shown[2:22])

    async def test_of_headers_that_were_not_sent_some_are_shown(self):
        await self.send()
        shown = self.message(self.assertRequestHeaders, {f"X-{number}": "1" for number in range(200)}).splitlines()
        self.assertEqual(
            shown[20:22], ["  X-19: expected '1', but it was not sent", "  … and 180 more"]
        )


class IndexTest(MessageTestCase):
    CALLS = "\nCalls:\n" + "\n".join(f"  {number}. POST http://example.com/ -> 200" for number in (1, 2, 3))

    async def asyncSetUp(self):
        for number in range(3):
            await self.send("POST", json=number)

    async def test_is_by_default_the_last(self):
        self.assertJsonBody(2)

    async def test_counts_from_both_ends_among_the_calls_that_fit(self):
        for index in range(3):
            self.assertJsonBody(index, index=index)
            self.assertJsonBody(index, SITE, "POST", index - 3)
        await self.send("GET", SITE)
        self.assertJsonBody(2, method="POST")

    async def test_says_which_call_it_was(self):
        self.check_fails(
            "Expected another JSON body of call 2, POST http://example.com/ -> 200 (- expected, + sent):\n"
            "5 != 1" + self.CALLS,
            self.assertJsonBody, 5, index=-2,
        )

    async def test_out_of_range(self):
        for index in (3, -4):
            self.check_fails(
                f"Expected a call of POST http://example.com/ at index {index}, but there were 3." + self.CALLS,
                self.assertJsonBody, 0, SITE, "POST", index,
            )

    async def test_no_int(self):
        for index in ("0", None, 1.0, True):
            self.check_fails(
                f"This assertion was called wrongly: index: expected an int, got {index!r}",
                self.assertJsonBody, 0, index=index,
            )

    async def test_without_a_call_that_fits(self):
        for assertion in (
            self.assertJsonBody, self.assertJsonBodyContains, self.assertFormBody, self.assertMultipartBody,
            self.assertTextBody, self.assertBody, self.assertRequestHeaders, self.assertQuery,
        ):
            with self.subTest(assertion=assertion.__name__):
                self.check_fails(
                    "Expected a call of DELETE http://example.com/users, but there were none." + self.CALLS,
                    assertion, {}, USERS, "DELETE",
                )
        self.check_fails(
            "Expected a call of any DELETE request, but there were none." + self.CALLS,
            self.assertEmptyBody, method="DELETE",
        )


class WrongUseTest(MessageTestCase):
    async def asyncSetUp(self):
        await self.send("POST", json={})

    def check_wrong(self, what, assertion, *args, **kwargs):
        self.check_fails(f"This assertion was called wrongly: {what}", assertion, *args, **kwargs)
        self.check_fails(
            f"This assertion was called wrongly: {what} : and why", assertion, *args, **kwargs, msg="and why"
        )

    async def test_counts(self):
        for count in ("1", None, 1.0, True, -1):
            for assertion in (self.assertCallCount, self.assertCalledAtLeast, self.assertCalledAtMost):
                with self.subTest(count=count, assertion=assertion.__name__):
                    self.check_wrong(f"count: expected an int of at least 0, got {count!r}", assertion, count)
        self.check_wrong("limit: expected an int of at least 0, got '1'", self.assertMaxConcurrency, "1")
        self.check_wrong("at_least: expected an int of at least 1, got 0", self.assertConcurrent, at_least=0)

    async def test_methods(self):
        for kwargs, what in [
            ({"method": 5}, "method: expected a str such as 'GET', got 5"),
            ({"method": b"GET"}, "method: expected a str such as 'GET', got b'GET'"),
            ({"method": ""}, "method: expected an HTTP token such as 'GET' or 'PROPFIND', got ''"),
        ]:
            self.check_wrong(what, self.assertCalled, **kwargs)
            self.check_wrong(what, self.assertMaxConcurrency, 1, **kwargs)
            self.check_wrong(what, self.assertConcurrent, **kwargs)
            self.check_wrong(what, self.assertEmptyBody, **kwargs)
            self.check_wrong(what, self.assertQuery, {}, **kwargs)
            self.check_wrong(what, self.assertCallOrder, [(kwargs["method"], SITE)])

    async def test_urls(self):
        what = "url: expected a str, a yarl.URL or a compiled pattern, got 5"
        self.check_wrong(what, self.assertNotCalled, 5)
        self.check_wrong(what, self.assertJsonBody, {}, 5)
        self.check_wrong(what, self.assertCallsEqual, [5])
        self.check_wrong(what, self.assertCalledBefore, 5, SITE)
        self.check_wrong(what, self.assertCalledBefore, SITE, ("GET", 5))
        pattern = re.compile(b"x")
        self.check_wrong(f"url: expected a pattern of str, got one of bytes: {pattern!r}", self.assertCalled, pattern)
        for url in ("/users", URL("example.com/users")):
            self.check_wrong(f"url: expected one with a scheme and a host, got {url!r}", self.assertNotCalled, url)
        message = self.message(self.assertCalled, "http://[")
        self.assertRegex(message, r"\AThis assertion was called wrongly: url: expected a URL, got 'http://\[': ")

    async def test_expected_calls(self):
        for assertion in (self.assertCallOrder, self.assertCallsEqual):
            for expected in (SITE, URL(SITE), 5, None, b"x"):
                with self.subTest(assertion=assertion.__name__, expected=expected):
                    self.check_wrong(
                        f"expected a list of URLs, or of pairs of method and URL, got {expected!r}", assertion, expected
                    )
            for pair in ((), (SITE,), ("GET", SITE, 200)):
                with self.subTest(assertion=assertion.__name__, pair=pair):
                    self.check_wrong(f"expected a URL or a pair of method and URL, got {pair!r}", assertion, [pair])
        self.check_wrong("expected a URL or a pair of method and URL, got ()", self.assertCalledBefore, (), SITE)

    async def test_expected_fields(self):
        await self.send("POST", data={"a": "1"})
        for assertion in (self.assertFormBody, self.assertRequestHeaders, self.assertQuery):
            for expected in ("a=1", 5, None, [("a",)], [("a", "1", "2")], ["a"]):
                with self.subTest(assertion=assertion.__name__, expected=expected):
                    self.check_wrong(
                        f"expected a mapping, or pairs of name and value, got {expected!r}", assertion, expected
                    )
        form = aiohttp.FormData({"a": "1"})
        form.add_field("b", b"2", filename="b")
        await self.send("POST", data=form)
        self.check_wrong("expected a mapping, or pairs of name and value, got 'a=1'", self.assertMultipartBody, "a=1")


def failing(case):
    """Return a failing call of every assertion there is, where one POST without a mock was made."""
    case.mock.get(SITE + "unused")
    return [
        (case.assertCallCount, 5), (case.assertCalled, USERS), (case.assertCalledOnce, USERS),
        (case.assertNotCalled,), (case.assertCalledAtLeast, 5), (case.assertCalledAtMost, 0),
        (case.assertAllMocksCalled,), (case.assertNoUnmatchedCalls,), (case.assertCallOrder, [USERS]),
        (case.assertCallsEqual, [USERS]), (case.assertCalledBefore, SITE, USERS), (case.assertMaxConcurrency, 0),
        (case.assertConcurrent,), (case.assertJsonBody, 5), (case.assertJsonBodyContains, 5),
        (case.assertFormBody, {}), (case.assertMultipartBody, {}), (case.assertTextBody, ""),
        (case.assertBody, b""), (case.assertEmptyBody,), (case.assertRequestHeaders, {"X": "1"}),
        (case.assertQuery, {"x": "1"}),
    ]


class MsgTest(MessageTestCase):
    """What `msg`, `longMessage` and `maxDiff` do is what unittest says of them."""

    BIG = {f"key {number}": "value" for number in range(40)}

    def test_every_assertion_is_among_them(self):
        names = {
            name
            for mixin in (CallCountAssertionsMixin, CallOrderAssertionsMixin, BodyAssertionsMixin)
            for name in vars(mixin)
            if name.startswith("assert")
        }
        self.assertEqual({assertion.__name__ for assertion, *_ in failing(self)}, names)

    async def test_stands_at_the_end(self):
        await self.send_unmatched("POST", json=1)
        for assertion, *args in failing(self):
            with self.subTest(assertion=assertion.__name__):
                without = self.message(assertion, *args)
                self.check_fails(f"{without} : why", assertion, *args, msg="why")

    async def test_stands_alone_without_long_messages(self):
        self.longMessage = False
        await self.send_unmatched("POST", json=1)
        for assertion, *args in failing(self):
            with self.subTest(assertion=assertion.__name__):
                self.check_fails("why", assertion, *args, msg="why")
                self.assertIn("Calls:\n  1. POST http://example.com/", self.message(assertion, *args))

    async def test_max_diff_is_respected(self):
        await self.send("POST", json=self.BIG)
        self.maxDiff = 640
        message = self.message(self.assertJsonBody, {**self.BIG, "key 39": "other"})
        self.assertRegex(
            message,
            r"\nDiff is [0-9]+ characters long\. Set self\.maxDiff to None to see it\.\n"
            r"  at key 39: expected 'other', but sent was 'value'\nCalls:\n",
        )
        self.assertNotIn("+  'key 39'", message)
        wrong = {"too much": 1, **{key: "other" for key in self.BIG}}
        listed = [f"  at {key}: expected 'other', but sent was 'value'" for key in self.BIG]
        self.assertIn(
            "\n".join([
                "see it.", "  at too much: expected 1, but it was not sent", *listed[:9],
                f"  … and {len(listed) - 9} more", "Calls:",
            ]),
            self.message(self.assertJsonBody, wrong),
        )
        self.assertIn(
            "see it.\n  at key 39: expected nothing, but sent was 'value'\nCalls:",
            self.message(self.assertJsonBody, {key: value for key, value in self.BIG.items() if key != "key 39"}),
        )
        self.maxDiff = None
        message = self.message(self.assertJsonBody, {**self.BIG, "key 39": "other"})
        self.assertNotIn("maxDiff", message)
        self.assertIn("-  'key 39': 'other',\n", message)
        self.assertIn("+  'key 39': 'value',\n", message)

    async def test_a_long_list_of_calls_is_cut_with_a_count(self):
        self.mock.get(re.compile(".*"), repeat=True)
        session = self.client_session()
        for number in range(1, 24):
            await session.get(SITE + str(number))
        first = "".join(f" {number:2}. GET http://example.com/{number} -> 200\n" for number in range(1, 11))
        last = "\n".join(f" {number:2}. GET http://example.com/{number} -> 200" for number in range(14, 24))
        self.check_fails(
            f"Expected no call of any request, but there were 23.\nCalls:\n{first}     … 3 more …\n{last}",
            self.assertNotCalled,
        )

    async def test_twenty_calls_are_all_listed(self):
        self.mock.get(SITE, repeat=True)
        session = self.client_session()
        for _ in range(20):
            await session.get(SITE)
        self.check_fails(
            "Expected no call of any request, but there were 20.\nCalls:\n"
            + "\n".join(f" {number:2}. GET http://example.com/ -> 200" for number in range(1, 21)),
            self.assertNotCalled,
        )

    async def test_a_long_url_is_cut(self):
        await self.send(url=SITE + "x" * 600)
        self.check_fails(
            "Expected no call of any request, but there was 1.\n"
            "Calls:\n"
            f"  1. GET http://example.com/{'x' * 477}… (130 more characters)",
            self.assertNotCalled,
        )

    async def test_many_unused_mocks_and_unmatched_calls_are_cut_with_a_count(self):
        for number in range(22):
            self.mock.get(USERS + str(number))
        self.check_fails(
            "Expected every mock to be used, but 22 were not:\n"
            + "".join(f"  GET http://example.com/users{number}\n" for number in range(20))
            + "  … and 2 more\nThere were no calls.",
            self.assertAllMocksCalled,
        )
        for _ in range(21):
            await self.send_unmatched()
        line = "GET http://example.com/ -> no mock answered\n"
        self.check_fails(
            "Expected mocks for all calls, but 21 have none:\n"
            + f"  {line}" * 20
            + "  … and 1 more\nCalls:\n"
            + "".join(f" {number:2}. {line}" for number in range(1, 11))
            + "     … 1 more …\n"
            + "".join(f" {number:2}. {line}" for number in range(12, 22)).rstrip("\n"),
            self.assertNoUnmatchedCalls,
        )


class OwnFailure(Exception):
    pass


class FailureExceptionTest(MessageTestCase):
    failureException = OwnFailure

    async def test_is_raised_by_every_assertion(self):
        await self.send_unmatched("POST", json={"a": 1})
        for assertion, *args in failing(self):
            with self.subTest(assertion=assertion.__name__):
                self.message(assertion, *args)

    async def test_is_raised_for_wrong_use(self):
        self.message(self.assertCallCount, "1")
        self.message(self.assertCalled, 5)
        self.message(self.assertCallOrder, SITE)

    async def test_the_difference_is_shown_all_the_same(self):
        await self.send("POST", json=[1])
        self.assertIn("\n- [2]\n", self.message(self.assertJsonBody, [2]))


class PlainTestCase(unittest.TestCase):
    """A test case without anything of this package but a mock."""

    def setUp(self):
        self.mock = aioresponses()
        self.mock.start()
        self.addCleanup(self.mock.stop)
        self.mock.post(SITE, repeat=True)

    def send(self, **kwargs):
        async def send():
            async with aiohttp.ClientSession() as session:
                await session.post(SITE, **kwargs)

        asyncio.run(send())


class CallCountAloneTest(CallCountAssertionsMixin, PlainTestCase):
    def test_works_with_a_plain_test_case(self):
        self.send()
        self.assertCalledOnce(SITE, "POST")
        with self.assertRaisesRegex(AssertionError, "Expected 2 calls"):
            self.assertCallCount(2)
        self.assertFalse(hasattr(self, "assertJsonBody") or hasattr(self, "assertCallOrder"))


class CallOrderAloneTest(CallOrderAssertionsMixin, PlainTestCase):
    def test_works_with_a_plain_test_case(self):
        self.send()
        self.assertCallsEqual([("POST", SITE)])
        with self.assertRaisesRegex(AssertionError, "Expected just 0 calls"):
            self.assertCallsEqual([])
        self.assertFalse(hasattr(self, "assertJsonBody") or hasattr(self, "assertCalled"))


class BodyAloneTest(BodyAssertionsMixin, PlainTestCase):
    def test_works_with_a_plain_test_case(self):
        self.send(json=[1])
        self.assertJsonBody([1])
        with self.assertRaisesRegex(AssertionError, "Expected another JSON body"):
            self.assertJsonBody([2])
        self.assertFalse(hasattr(self, "assertCalled") or hasattr(self, "assertCallOrder"))


class MixinsBehindTheTestCaseTest(PlainTestCase, CallCountAssertionsMixin, BodyAssertionsMixin):
    def test_work_as_well(self):
        self.send(data=b"x")
        self.assertCalledOnce()
        self.assertBody(b"x")


async def forward(request):
    async with aiohttp.ClientSession() as session:
        async with session.post(USERS, json={"from": await request.text()}) as response:
            return web.Response(text=f"the service said {await response.text()}")


class ApplicationMixin:
    async def get_application(self):
        application = web.Application()
        application.router.add_post("/", forward)
        return application

    async def check(self):
        self.mock.post(USERS, body="yes", callback=lambda url, **kwargs: CallbackResult(body="yes"))
        response = await self.client.post("/", data="the client")
        self.assertEqual((response.status, await response.text()), (200, "the service said yes"))
        self.assertCallsEqual([("POST", USERS)])
        self.assertJsonBody({"from": "the client"})
        self.assertAllMocksCalled()
        self.assertNoUnmatchedCalls()


class AioHTTPTestCaseFirstTest(ApplicationMixin, AioHTTPTestCase, AioResponsesTestCase):
    async def test_the_application_is_real_and_what_it_asks_for_is_mocked(self):
        await self.check()


class AioHTTPTestCaseLastTest(ApplicationMixin, AioResponsesTestCase, AioHTTPTestCase):
    async def test_the_application_is_real_and_what_it_asks_for_is_mocked(self):
        await self.check()


class TracebackTest(unittest.TestCase):
    def check_output(self, case_class):
        stream = io.StringIO()
        names = unittest.defaultTestLoader.getTestCaseNames(case_class)
        result = unittest.TextTestRunner(stream).run(unittest.TestSuite(map(case_class, names)))
        self.assertEqual((len(result.failures), len(result.errors)), (len(names), 0), stream.getvalue())
        output = stream.getvalue().replace("\\", "/")
        self.assertNotIn("/aioresponses/", output)
        return output

    def test_shows_no_frames_of_the_package(self):
        class Case(AioResponsesTestCase):
            async def test_count(self):
                self.assertCalled(SITE)  # the line of test_count

            async def test_order(self):
                self.assertCallsEqual([SITE])  # the line of test_order

            async def test_body(self):
                self.mock.post(SITE)
                await self.client_session().post(SITE, json=1)
                self.assertJsonBody(2)  # the line of test_body

            async def test_wrong_use(self):
                self.assertCalled(5)  # the line of test_wrong_use

            async def test_mock(self):
                self.mock.assert_called_with(SITE)  # the line of test_mock

            def test_plain_function(self):
                self.assertConcurrent()  # the line of test_plain_function

            async def test_unreadable(self):
                self.mock.post(SITE)
                await self.client_session().post(SITE, data="x")
                self.assertFormBody({})  # the line of test_unreadable

        output = self.check_output(Case)
        for name in unittest.defaultTestLoader.getTestCaseNames(Case):
            self.assertIn(f"# the line of {name}\n", output)

    def test_of_strictness_shows_no_frames_of_the_package(self):
        class Strict(AioResponsesTestCase):
            strict = True

            async def test(self):
                self.mock.get(SITE)

        class Decorated(unittest.TestCase):
            @aioresponses(strict=True)
            def test(self, mock):
                mock.get(SITE)

        self.check_output(Strict)
        self.check_output(Decorated)
