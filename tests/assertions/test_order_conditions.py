"""The order and the overlap of the calls to a mock, of a group, and of those that fulfil conditions."""

import asyncio

from aioresponses import AioResponsesTestCase
from aioresponses.matchers import subset

from ..support import SITE, USERS, MessageTestCase

LOGIN = SITE + "login"

EXPECTATION = "expected a URL, (method, URL) or (method, URL, {conditions})"

CONDITIONS = "its keywords are match_query, match_headers, match_json, match_form, match_body, match"

CALLS = (
    "Calls:\n"
    "  1. POST http://example.com/login -> 200\n"
    "  2. POST http://example.com/users -> 200\n"
    "  3. GET http://example.com/users -> 200"
)


class OrderTest(MessageTestCase):
    async def asyncSetUp(self):
        self.api = self.mock.host("http://example.com/")
        self.login = self.mock.post(LOGIN)
        self.create = self.api.post("/users")
        self.read = self.api.get("/users")
        session = self.client_session()
        await session.post(LOGIN, json={"name": "Ada"})
        await session.post(USERS, json={"name": "Grace"})
        await session.get(USERS, params={}, headers={"X-Id": "7"})

    def test_call_order(self):
        self.assertCallOrder([self.login, self.create, self.read])
        self.assertCallOrder([self.login, ("GET", self.api)])
        self.assertCallOrder([self.api, self.api])
        self.assertCallOrder([("POST", self.login), ("GET", USERS, {"match_headers": {"X-Id": "7"}})])
        self.assertCallOrder([(None, None, {"match_json": {"name": "Ada"}}), (None, self.api, {"match_body": b""})])
        self.check_fails(
            "Expected these calls in this order, but number 2, the mock POST http://example.com/login, was not made "
            "after call 2:\n"
            "  the mock POST http://example.com/users\n"
            f"  the mock POST http://example.com/login\n{CALLS}",
            self.assertCallOrder, [self.create, self.login],
        )
        self.check_fails(
            "Expected these calls in this order, but number 2, the group http://example.com with "
            "match_json={'name': 'Ada'}, was not made after call 1:\n"
            "  http://example.com/login\n"
            "  the group http://example.com with match_json={'name': 'Ada'}\n"
            "Calls that match except for a condition:\n"
            "  call 2: json: at name: 'Ada' != 'Grace'\n"
            "  call 3: json: the body of GET http://example.com/users is not JSON (Expecting value: line 1 column 1 "
            f"(char 0)): it has Content-Type None and 0 bytes: ''\n{CALLS}",
            self.assertCallOrder, [LOGIN, (None, self.api, {"match_json": {"name": "Ada"}})],
        )
        self.check_fails(
            "Expected these calls in this order, but number 3, the group http://example.com, was not made after "
            "call 3:\n"
            + "  the group http://example.com\n" * 3 + CALLS,
            self.assertCallOrder, [self.api] * 3,
        )

    def test_calls_equal(self):
        self.assertCallsEqual([self.login, self.api, ("GET", USERS, {"match_headers": {"X-Id": "7"}})])
        self.assertCallsEqual([self.create, self.read], url=self.api)
        self.assertCallsEqual([self.create, USERS], None, url=USERS)
        self.assertCallsEqual([LOGIN], match_json={"name": "Ada"})
        self.assertCallsEqual([USERS], url=USERS, method="GET")
        self.assertCallsEqual([], url=USERS, method="DELETE")
        self.check_fails(
            "Expected exactly 1 call to the group http://example.com with method='POST', match_json=subset({}), but "
            "there were none (- expected, + made):\n"
            "Lists differ: ['http://example.com/login'] != []\n"
            "\n"
            "First list contains 1 additional elements.\n"
            "First extra element 0:\n"
            "'http://example.com/login'\n"
            "\n"
            "- ['http://example.com/login']\n"
            f"+ []\n{CALLS}",
            self.assertCallsEqual, [LOGIN], url=self.mock.host("http://example.com"), method="POST",
            match_json=subset({}),
        )
        headline, *_, nearly = self.message(
            self.assertCallsEqual, [("POST", USERS, {"match_json": {"name": "Ada"}}), self.read], url=USERS
        ).partition("\nCalls that match")
        self.assertEqual(
            headline.splitlines()[0],
            "Calls to http://example.com/users differ (- expected, + made):",
        )
        self.assertIn("\n- [\"POST http://example.com/users, match_json={'name': 'Ada'}\",\n", headline)
        self.assertEqual(nearly, f" except for a condition:\n  call 2: json: at name: 'Ada' != 'Grace'\n{CALLS}")

    def test_called_before(self):
        self.assertCalledBefore(self.login, self.api)
        self.assertCalledBefore(("POST", self.api, {"match_json": {"name": "Grace"}}), self.read)
        self.check_fails(
            "Expected every call to the mock GET http://example.com/users to have ended before any call "
            "to the mock POST http://example.com/login began, but call 1 began before call 3 had ended.\n" + CALLS,
            self.assertCalledBefore, self.read, self.login,
        )
        self.check_fails(
            "Expected the mock POST http://example.com/login with match_json={'name': 'Grace'} to be called before "
            "http://example.com/users, but the mock POST http://example.com/login with match_json={'name': 'Grace'} "
            "was never called.\n"
            "Calls that match except for a condition:\n"
            f"  call 1: json: at name: 'Grace' != 'Ada'\n{CALLS}",
            self.assertCalledBefore, (None, self.login, {"match_json": {"name": "Grace"}}), USERS,
        )

    def test_what_is_no_expectation(self):
        for wrong, expectation in (
            (
                f"{EXPECTATION}, got ('GET', 'http://example.com/users', 5)",
                ("GET", USERS, 5),
            ),
            (
                f"{EXPECTATION}, got ('GET', 'http://example.com/users', {{}}, {{}})",
                ("GET", USERS, {}, {}),
            ),
            ("unexpected condition 'json': did you mean 'match_json'?", ("GET", USERS, {"json": 1})),
            (f"unexpected condition 'method': {CONDITIONS}", ("GET", USERS, {"method": "POST"})),
            (f"unexpected condition 'optional': {CONDITIONS}", ("GET", USERS, {"optional": True})),
            ("unexpected condition 5: keywords are text, such as 'match'", ("GET", USERS, {5: 1})),
            (
                "match_headers: expected a mapping or pairs of name and value, got 5",
                ("GET", USERS, {"match_headers": 5}),
            ),
            ("method: expected a str such as 'GET', got 5", (5, self.login)),
        ):
            for assertion, *args in (
                (self.assertCallOrder, [expectation]), (self.assertCallsEqual, [expectation]),
                (self.assertCalledBefore, expectation, USERS), (self.assertCalledBefore, USERS, expectation),
            ):
                with self.subTest(assertion.__name__, expectation=expectation):
                    self.check_fails(f"Invalid argument: {wrong}", assertion, *args)


class HopsTest(AioResponsesTestCase):
    """Calls are made one after another; the first is sent on from `/` to `/users`."""

    async def asyncSetUp(self):
        self.first = self.mock.get(SITE, status=302, headers={"Location": "/users"})
        self.second = self.mock.get(USERS)
        self.third = self.mock.get(LOGIN)
        session = self.client_session()
        await session.get(SITE)
        await session.get(LOGIN)

    def test_a_mock_stands_for_the_hops_that_it_answered(self):
        self.assertCallOrder([self.first, self.second, self.third])
        self.assertCallOrder([SITE, self.second, LOGIN])
        self.assertCallsEqual([self.first, self.third])
        self.assertCallsEqual([self.second], url=self.second)
        self.assertCalledBefore(self.second, self.third)
        self.assertMaxConcurrency(1, self.second)
        for wrong in (
            [self.second, self.first], [self.second, self.second], [self.first, SITE], [self.first, USERS],
        ):
            with self.assertRaises(AssertionError):
                self.assertCallOrder(wrong)
        with self.assertRaisesRegex(AssertionError, "call 1 is both"):
            self.assertCalledBefore(self.first, self.second)
        with self.assertRaises(AssertionError):
            self.assertCallsEqual([self.first, self.second, self.third])


class OverlapTest(MessageTestCase):
    async def asyncSetUp(self):
        self.pages = self.mock.get(SITE + "{page}", repeat=True)
        self.session = self.client_session()

    async def ask(self, *options):
        await asyncio.gather(*[self.session.get(SITE + "a", **one) for one in options])

    async def test_a_client_without_a_limit_is_found_out(self):
        await self.ask({"data": b"1"}, {"data": b"2"}, {"data": b"1"}, {"data": b"1"})
        self.assertConcurrent(self.pages, at_least=4)
        self.assertMaxConcurrency(1, self.pages, match_body=b"2")
        self.assertConcurrent(self.pages, match_body=b"1", at_least=3)
        calls = "Calls:\n" + "\n".join(f"  {number}. GET http://example.com/a -> 200" for number in range(1, 5))
        self.check_fails(
            "Expected at most 3 calls to the mock GET http://example.com/{page} at once, but there were 4.\n" + calls,
            self.assertMaxConcurrency, 3, self.pages,
        )
        self.check_fails(
            "Expected at most 2 calls to http://example.com/{page}, match_body=b'1' at once, but there were 3.\n"
            + calls,
            self.assertMaxConcurrency, 2, SITE + "{page}", match_body=b"1",
        )
        self.check_fails(
            "Expected at least 2 calls with match_body=b'2' at once, but there was 1.\n"
            "Calls that match except for a condition:\n"
            "  call 1: body: b'2' != b'1'\n"
            "  call 3: body: b'2' != b'1'\n"
            f"  call 4: body: b'2' != b'1'\n{calls}",
            self.assertConcurrent, match_body=b"2",
        )

    async def test_a_client_that_asks_in_turn(self):
        for number in range(3):
            await self.ask({})
        self.assertMaxConcurrency(1, self.pages)
        with self.assertRaises(AssertionError):
            self.assertConcurrent(self.pages)

    async def test_wrong_conditions(self):
        self.check_fails(
            "Invalid argument: match_body: expected bytes, text or a compiled pattern, got 5",
            self.assertMaxConcurrency, 1, match_body=5,
        )
        with self.assertRaisesRegex(TypeError, "unexpected keyword argument 'body': did you mean 'match_body'"):
            self.assertConcurrent(body=b"1")


class ManyCallsTest(AioResponsesTestCase):
    async def test_many_expectations_are_looked_for_in_one_pass(self):
        pages = self.mock.get(SITE, repeat=True)
        session = self.client_session()
        asked = 0

        def counts(call):
            nonlocal asked
            asked += 1
            return True

        for number in range(100):
            await session.get(SITE)
        self.assertCallOrder([(None, pages, {"match": counts})] * 100)
        self.assertEqual(asked, 100)
