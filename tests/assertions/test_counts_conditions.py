"""Counting the calls to a mock, of a group, and those that fulfil conditions."""

from aioresponses.matchers import subset

from ..support import SITE, USERS, MessageTestCase

CALLS = (
    "Calls:\n"
    "  1. POST http://example.com/users -> 201\n"
    "  2. POST http://example.com/users -> 201\n"
    "  3. GET http://example.com/users -> 200"
)


class CountsTest(MessageTestCase):
    async def asyncSetUp(self):
        self.api = self.mock.host("http://example.com")
        self.create = self.api.post("/users", status=201, repeat=True)
        self.read = self.mock.get(USERS)
        self.unused = self.api.get("/unused")
        session = self.client_session()
        await session.post(USERS, json={"name": "Ada", "role": "author"})
        await session.post(USERS, json={"name": "Grace"}, headers={"X-Id": "7"})
        await session.get(USERS)


class OfMocksTest(CountsTest):
    def test_of_a_mock(self):
        self.assertCalled(self.create)
        self.assertCallCount(2, self.create)
        self.assertCalledOnce(self.read)
        self.assertCalledOnce(self.read, "get")
        self.assertNotCalled(self.unused)
        self.assertNotCalled(self.create, "GET")
        self.assertCalledAtLeast(2, self.create, "POST")
        self.assertCalledAtMost(2, self.create)
        for message, assertion, *args in (
            ("Expected 1 call to the mock POST http://example.com/users, but there were 2.",
             self.assertCalledOnce, self.create),
            ("Expected no call to the mock GET http://example.com/users, but there was 1.",
             self.assertNotCalled, self.read),
            ("Expected a call to the mock GET http://example.com/unused, but there were none.",
             self.assertCalled, self.unused),
            ("Expected a call to the mock POST http://example.com/users with method='GET', but there were none.",
             self.assertCalled, self.create, "GET"),
            ("Expected 3 calls to the mock POST http://example.com/users, but there were 2.",
             self.assertCallCount, 3, self.create),
            ("Expected at least 3 calls to the mock POST http://example.com/users, but there were 2.",
             self.assertCalledAtLeast, 3, self.create),
            ("Expected at most 1 call to the mock POST http://example.com/users, but there were 2.",
             self.assertCalledAtMost, 1, self.create),
        ):
            with self.subTest(message):
                self.check_fails(f"{message}\n{CALLS}", assertion, *args)

    def test_of_a_group(self):
        self.assertCallCount(2, self.api)
        self.assertNotCalled(self.api, "GET")
        self.assertCalledOnce(self.api, match_json=subset({"name": "Ada"}))
        self.check_fails(
            f"Expected 1 call to the group http://example.com, but there were 2.\n{CALLS}",
            self.assertCalledOnce, self.api,
        )

    async def test_of_a_mock_behind_a_redirect(self):
        first = self.mock.get(SITE, status=302, headers={"Location": "/end"})
        end = self.mock.get(SITE + "end")
        await self.client_session().get(SITE)
        self.assertCalledOnce(first)
        self.assertCalledOnce(end)
        self.assertNotCalled(SITE + "end")

    def test_after_the_calls_were_forgotten(self):
        self.mock.reset()
        self.assertNotCalled(self.create)


class OfConditionsTest(CountsTest):
    def test_which_calls_count(self):
        self.assertCalledOnce(USERS, "POST", match_json={"name": "Grace"})
        self.assertCallCount(2, USERS, "POST", match_json=subset({}))
        self.assertCalled(match_headers={"X-Id": "7"})
        self.assertNotCalled(USERS, match_headers={"X-Id": "8"})
        self.assertCalledAtLeast(1, match=lambda call: call.method == "GET")
        self.assertCalledAtMost(1, method="POST", match_body=b'{"name": "Grace"}')
        self.assertCalledOnce(self.create, match_json=subset({"role": "author"}))
        self.assertCallCount(3, match_query={})

    def test_messages_name_the_conditions_and_show_why_others_do_not_count(self):
        self.check_fails(
            "Expected 2 calls to POST http://example.com/users, match_json=subset({'role': 'author'}), "
            "but there was 1.\n"
            "Calls that match except for a condition:\n"
            f"  call 2: json: at role: 'author' is missing\n{CALLS}",
            self.assertCallCount, 2, USERS, "POST", match_json=subset({"role": "author"}),
        )
        self.check_fails(
            "Expected a call to http://example.com/users, match_headers={'X-Id': '8'}, match_body=b'', "
            "but there were none.\n"
            "Calls that match except for a condition:\n"
            "  call 1: headers: at X-Id: '8' is missing\n"
            "  call 2: headers: at X-Id: '8' != '7'\n"
            f"  call 3: headers: at X-Id: '8' is missing\n{CALLS}",
            self.assertCalled, USERS, match_headers={"X-Id": "8"}, match_body=b"",
        )
        self.check_fails(
            "Expected at least 2 calls to the mock POST http://example.com/users with match_json={'name': 'Grace'}, "
            "but there was 1.\n"
            "Calls that match except for a condition:\n"
            f"  call 1: json: at name: 'Grace' != 'Ada'\n{CALLS}",
            self.assertCalledAtLeast, 2, self.create, match_json={"name": "Grace"},
        )
        self.check_fails(
            "Expected a call to the group http://example.com with method='GET', match_json=1, but there were none.\n"
            + CALLS,
            self.assertCalled, self.api, "get", match_json=1,
        )
        self.check_fails(
            "Expected 1 call with match_json=1, but there were none.\n"
            "Calls that match except for a condition:\n"
            "  call 1: json: 1 != {'name': 'Ada', 'role': 'author'}\n"
            "  call 2: json: 1 != {'name': 'Grace'}\n"
            "  call 3: json: the body of GET http://example.com/users is not JSON (Expecting value: line 1 column 1 "
            f"(char 0)): it has Content-Type None and 0 bytes: ''\n{CALLS} : why",
            self.assertCalledOnce, match_json=1, msg="why",
        )

    def test_where_there_are_too_many_the_others_are_of_no_interest(self):
        self.check_fails(
            "Expected no call to http://example.com/users, match_json={'name': 'Grace'}, but there was 1.\n" + CALLS,
            self.assertNotCalled, USERS, match_json={"name": "Grace"},
        )

    async def test_many_others_are_cut(self):
        session = self.client_session()
        for number in range(30):
            await session.post(USERS, json=number)
        message = self.message(self.assertCalled, USERS, "POST", match_json="x")
        self.assertEqual(message.count("json: 'x' != "), 20)
        self.assertIn("\n  … and 12 more\nCalls:\n", message)

    def test_secrets_are_not_shown(self):
        message = self.message(self.assertCalled, match_headers={"Authorization": "Bearer secret"})
        self.assertNotIn("secret", message)
        self.assertIn("match_headers={'Authorization': '…'}", message)


class WrongConditionsTest(CountsTest):
    def test_wrong_conditions_fail_with_the_name_of_the_argument(self):
        for wrong, conditions in (
            ("match_headers: expected a mapping or pairs of name and value, got 5", {"match_headers": 5}),
            ("match_body: expected bytes, text or a compiled pattern, got 5", {"match_body": 5}),
            ("match: expected a function that takes the call, or a list of them, got 5", {"match": 5}),
            (
                "match_json cannot be combined with match_form: a body cannot be both JSON and a form",
                {"match_json": 1, "match_form": {"a": "1"}},
            ),
            (
                "match_query cannot be combined with a query in url; give the whole query in one of them",
                {"url": USERS + "?a=1", "match_query": {"a": "1"}},
            ),
        ):
            self.check_fails(f"Invalid argument: {wrong}", self.assertNotCalled, **conditions)
            self.check_fails(f"Invalid argument: {wrong}", self.assertCallCount, 9, **conditions)

    def test_what_is_no_condition_is_an_unexpected_keyword(self):
        for assertion, *args in ((self.assertNotCalled,), (self.assertCallCount, 0), (self.assertCalledAtMost, 9)):
            with self.assertRaises(TypeError) as raised:
                assertion(*args, json={"name": "Ada"})
            self.assertEqual(str(raised.exception), "unexpected keyword argument 'json': did you mean 'match_json'?")


class DroppedTest(MessageTestCase):
    """With `keep_calls`, a mock knows how many requests it answered, but not what the dropped ones were."""

    keep_calls = 2

    async def asyncSetUp(self):
        self.users = self.mock.get(USERS, repeat=True)
        self.site = self.mock.get(SITE)
        session = self.client_session()
        for url in (USERS, USERS, USERS, SITE):
            await session.get(url)

    def test_what_is_known(self):
        self.assertCallCount(3, self.users)
        self.assertCalledOnce(self.site)
        self.assertNotCalled(self.site, "POST")
        self.assertNotCalled(self.site, match_body=b"1")
        self.assertCalledAtLeast(1, self.users, match_body=b"")
        self.check_fails(
            "Expected 2 calls to the mock GET http://example.com/users, but there were 3.\n"
            "Calls:\n  1. GET http://example.com/users -> 200\n  2. GET http://example.com/ -> 200",
            self.assertCallCount, 2, self.users,
        )

    def test_what_is_not(self):
        for assertion, *args in ((self.assertCalledOnce,), (self.assertCallCount, 3), (self.assertCalledAtMost, 1)):
            message = self.message(assertion, *args, self.users, match_body=b"")
            self.assertTrue(message.startswith("This cannot be checked: keep_calls has dropped 2 of 4 calls.\n"))
