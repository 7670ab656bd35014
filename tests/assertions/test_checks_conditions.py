"""The assertions of the mock itself, with mocks, groups and conditions."""

from unittest.mock import call

from aioresponses.matchers import subset

from ..support import SITE, USERS, MessageTestCase

CALLS = (
    "Calls:\n"
    "  1. POST http://example.com/users -> 200\n"
    "  2. POST http://example.com/users -> 200\n"
    "  3. GET http://example.com/users?page=1 -> 200"
)

ADA = {"json": {"name": "Ada", "role": "author"}}
GRACE = {"json": {"name": "Grace"}, "headers": {"X-Id": "2"}}


class ChecksTest(MessageTestCase):
    async def asyncSetUp(self):
        self.api = self.mock.host("http://example.com")
        self.create = self.api.post("/users", repeat=True)
        self.read = self.mock.get(USERS + "?page=1")
        self.unused = self.mock.get(SITE)
        session = self.client_session()
        await session.post(USERS, **ADA)
        await session.post(USERS, **GRACE)
        await session.get(USERS, params={"page": 1})


class OfMocksTest(ChecksTest):
    def test_called_with(self):
        self.mock.assert_called_with(self.create, **GRACE)
        self.mock.assert_called_with(self.create, "POST", **GRACE)
        self.mock.assert_called_with(self.api, **GRACE)
        self.mock.assert_called_with(self.read, params={"page": 1})
        self.mock.assert_called_with(self.create, json={"name": "Grace"}, args_to_match=["json"])
        for message, *args in (
            ("Expected the mock POST http://example.com/users with method='GET' to be called, but it was never called.",
             self.create, "GET"),
            ("Expected the mock GET http://example.com/ to be called, but it was never called.", self.unused),
        ):
            self.check_fails(f"{message}\n{CALLS}", self.mock.assert_called_with, *args)
        for wrong in (ADA, {}, {"json": GRACE["json"]}):
            message = self.message(self.mock.assert_called_with, self.create, **wrong)
            self.assertTrue(
                message.startswith(
                    "Arguments of the last call to the mock POST http://example.com/users differ (- expected, "
                    "+ made):\n"
                )
            )

    def test_called_once_with(self):
        with self.assertRaises(AssertionError):
            self.mock.assert_called_once_with(self.create, **GRACE)

    async def test_called_once_with_a_mock(self):
        self.mock.reset()
        await self.client_session().post(USERS, **GRACE)
        self.mock.assert_called_once_with(self.create, **GRACE)
        self.mock.assert_called_once_with(self.api, match_json=GRACE["json"])
        with self.assertRaises(AssertionError):
            self.mock.assert_called_once_with(self.create, **ADA)

    def test_any_call(self):
        self.mock.assert_any_call(self.create, **ADA)
        self.mock.assert_any_call(self.api)
        self.mock.assert_any_call(self.read, params={"page": 1})
        self.check_fails(
            f"Expected the mock GET http://example.com/, but there was no such call.\n{CALLS}",
            self.mock.assert_any_call, self.unused,
        )
        self.check_fails(
            "Expected the mock GET http://example.com/users?page=1 with method='POST', but there was no such call.\n"
            + CALLS,
            self.mock.assert_any_call, self.read, "POST",
        )

    def test_has_calls(self):
        self.mock.assert_has_calls([call(self.create, **ADA), call(self.create), call(self.read)])
        self.mock.assert_has_calls([call(self.read), call(self.create), call(self.create)], any_order=True)
        for calls, any_order in (
            ([call(self.read), call(self.create)], False),
            ([call(self.create, "GET")], False),
            ([call(self.create)] * 3, True),
            ([call(self.unused)], True),
        ):
            with self.assertRaises(AssertionError):
                self.mock.assert_has_calls(calls, any_order)

    async def test_a_hop(self):
        self.mock.get(SITE + "a", status=302, headers={"Location": "/b"})
        target = self.mock.get(SITE + "b")
        await self.client_session().get(SITE + "a")
        self.mock.assert_any_call(target)
        with self.assertRaises(AssertionError):
            self.mock.assert_any_call(SITE + "b")


class OfConditionsTest(ChecksTest):
    def test_beside_conditions_alone_arguments_may_be_anything(self):
        self.mock.assert_called_with(USERS, "POST", match_json={"name": "Grace"})
        self.mock.assert_called_with(USERS, match_query={"page": "1"})
        self.mock.assert_any_call(USERS, "POST", match_json=subset({"role": "author"}))
        self.mock.assert_has_calls([
            call(USERS, "POST", match_json=subset({"role": "author"})),
            call(USERS, "POST", match_headers={"X-Id": "2"}),
        ])

    def test_arguments_that_are_given_are_compared_as_well(self):
        self.mock.assert_called_with(USERS, "POST", **GRACE, match_headers={"X-Id": 2})
        with self.assertRaises(AssertionError):
            self.mock.assert_called_with(USERS, "POST", json={"name": "Grace"}, match_headers={"X-Id": 2})
        with self.assertRaises(AssertionError):
            self.mock.assert_any_call(USERS, "POST", **ADA, match_headers={"X-Id": 2})

    def test_the_last_call_must_fulfil_them(self):
        self.check_fails(
            "Expected POST http://example.com/users to be called with match_json={'name': 'Ada', 'role': 'author'}, "
            "but the last call does not match.\n"
            "Calls that match except for a condition:\n"
            f"  call 2: json: at name: 'Ada' != 'Grace'\n{CALLS}",
            self.mock.assert_called_with, USERS, "POST", match_json=ADA["json"],
        )

    def test_messages(self):
        self.check_fails(
            "Expected POST http://example.com/users, match_json={'name': 'Hedy'}, but there was no such call.\n"
            "Calls that match except for a condition:\n"
            "  call 1: json: at name: 'Hedy' != 'Ada'\n"
            f"  call 2: json: at name: 'Hedy' != 'Grace'\n{CALLS}",
            self.mock.assert_any_call, USERS, "POST", match_json={"name": "Hedy"},
        )
        self.check_fails(
            "Expected the mock POST http://example.com/users, json={'name': 'Ada', 'role': 'author'}, "
            "match_headers={'X-Id': '2'} among the calls, but there was no such call.\n"
            "Arguments of the last call to the mock POST http://example.com/users differ (- expected, + made):\n"
            "{'json': {'name': 'Ada', 'role': 'author'}} != {'json': {'name': 'Grace'}}\n"
            "- {'json': {'name': 'Ada', 'role': 'author'}}\n"
            "+ {'json': {'name': 'Grace'}}\n"
            "Calls that match except for a condition:\n"
            f"  call 1: headers: at X-Id: '2' is missing\n{CALLS}",
            self.mock.assert_has_calls,
            [call(self.create, **ADA, match_headers={"X-Id": "2"})], any_order=True,
        )
        self.check_fails(
            "These calls were not made consecutively:\n"
            "  POST http://example.com/users, match_headers={'X-Id': '2'}\n"
            "  the mock GET http://example.com/users?page=1 with method='GET'\n"
            "  GET http://example.com/\n"
            "Calls that match except for a condition:\n"
            f"  call 1: headers: at X-Id: '2' is missing\n{CALLS}",
            self.mock.assert_has_calls,
            [call(USERS, "POST", match_headers={"X-Id": "2"}), call(self.read, "GET"), call(SITE)],
        )

    def test_wrong_conditions(self):
        for assertion in (self.mock.assert_any_call, self.mock.assert_called_with):
            with self.assertRaisesRegex(TypeError, "^match_headers: expected a mapping or pairs .*, got 5$"):
                assertion(USERS, match_headers=5)
            with self.assertRaisesRegex(ValueError, "^match_query cannot be combined with a query in url"):
                assertion(USERS + "?a=1", match_query={})
        with self.assertRaisesRegex(TypeError, "^calls: .*: match_body: expected bytes, text or .*, got 5$"):
            self.mock.assert_has_calls([call(USERS, match_body=5)])
