"""Why a mock, or a group, that an assertion is about has answered no request, though its URL and method were called."""

import re
from unittest.mock import ANY, call

from aioresponses import aioresponses
from aioresponses.matchers import subset

from ..support import SITE, USERS, MessageTestCase

CALLS = "Calls:\n  1. GET http://example.com/users -> 200"

FIRST = "answered by GET http://example.com/users, which was asked first; to change that, pass override=True"

WHY = f"Calls that the mock did not answer:\n  call 1: {FIRST}\n"


class NeverReachedTest(MessageTestCase):
    """A mock behind another one of the same URL."""

    async def asyncSetUp(self):
        self.first = self.mock.get(USERS, repeat=True)
        self.second = self.mock.get(USERS, status=500)
        await self.client_session().get(USERS)

    def test_every_assertion_says_which_mock_answered(self):
        mock = "the mock GET http://example.com/users"
        for message, assertion, *args in (
            (f"Expected 1 call to {mock}, but there were none.", self.assertCalledOnce, self.second),
            (f"Expected 1 call to {mock} with method='GET', but there were none.",
             self.assertCalledOnce, self.second, "get"),
            (f"Expected at least 2 calls to {mock}, but there were none.", self.assertCalledAtLeast, 2, self.second),
            (f"Expected a call to {mock}, but there were none.", self.assertJsonBody, {}, self.second),
            (f"Expected a call to {mock}, but there were none.", self.assertQueryEqual, {}, self.second),
            (f"Expected at least 2 calls to {mock} at once, but there were none.", self.assertConcurrent, self.second),
            (f"Expected these calls in this order, but number 2, {mock}, was not made after call 1:\n"
             f"  {mock}\n  {mock}", self.assertCallOrder, [self.first, self.second]),
            (f"Expected {mock} to be called before {mock}, but {mock} was never called.",
             self.assertCalledBefore, self.second, self.first),
            (f"Expected {mock} to be called, but it was never called.", self.mock.assert_called_with, self.second),
            (f"Expected {mock}, but there was no such call.", self.mock.assert_any_call, self.second),
            (f"These calls were not made consecutively:\n  {mock}\n  {mock}",
             self.mock.assert_has_calls, [call(self.first), call(self.second)]),
        ):
            with self.subTest(message):
                self.check_fails(f"{message}\n{WHY}{CALLS}", assertion, *args)
        self.assertIn(f"\n{WHY}{CALLS}", self.message(self.assertCallsEqual, [self.second]))
        self.assertIn(f"\n{WHY}{CALLS}", self.message(self.assertCallsEqual, [self.second], url=USERS))

    def test_with_conditions_of_the_assertion(self):
        self.check_fails(
            "Expected a call to the mock GET http://example.com/users with match_body=b'1', but there were none.\n"
            f"{WHY}{CALLS}",
            self.assertCalled, self.second, match_body=b"1",
        )

    def test_nothing_is_said_where_the_mock_was_not_expected(self):
        self.assertNotCalled(self.second)
        self.assertCallCount(0, self.second)
        self.assertCalledAtMost(0, self.second)
        self.assertCallsEqual([], url=self.second)
        self.assertEqual(self.mock.calls_of(self.second), [])

    async def test_a_mock_that_has_calls_is_not_explained(self):
        self.first.remove()
        await self.client_session().get(USERS)
        calls = f"{CALLS}\n  2. GET http://example.com/users -> 500"
        self.check_fails(
            f"Expected 2 calls to the mock GET http://example.com/users, but there was 1.\n{calls}",
            self.assertCallCount, 2, self.second,
        )
        self.check_fails(
            "Expected a call to the mock GET http://example.com/users with method='POST', but there were none.\n"
            f"{calls}",
            self.assertCalled, self.second, "POST",
        )

    async def test_a_mock_that_was_overridden(self):
        over = self.mock.any(re.compile(".*"), override=True)
        await self.client_session().get(SITE)
        late = self.mock.get(ANY, override=True)
        self.check_fails(
            "Expected a call to the mock any GET request, but there were none.\n"
            "Calls that the mock did not answer:\n"
            "  call 1: answered by GET http://example.com/users, which was asked first\n"
            f"  call 2: answered by {over}, which was asked first\n"
            f"{CALLS}\n  2. GET http://example.com/ -> 200",
            self.assertCalled, late,
        )

    async def test_a_mock_of_another_aioresponses(self):
        mock = aioresponses()
        other = mock.get(USERS)
        self.check_fails(
            "Expected a call to the mock GET http://example.com/users, but there were none.\n"
            "Calls that the mock did not answer:\n"
            "  call 1: answered by GET http://example.com/users, which is registered with another aioresponses\n"
            f"{CALLS}",
            self.assertCalled, other,
        )

    def test_a_group(self):
        api = self.mock.host("http://example.com")
        api.post("/users")
        self.check_fails(
            f"Expected a call to the group http://example.com, but there were none.\n{CALLS}", self.assertCalled, api
        )
        api.get(re.compile("/users"))
        self.check_fails(
            "Expected a call to the group http://example.com, but there were none.\n"
            f"Calls that the group did not answer:\n  call 1: {FIRST}\n{CALLS}",
            self.assertCalled, api,
        )

    async def test_a_hop_of_a_redirect(self):
        self.mock.get(SITE, status=302, headers={"Location": "/users"})
        await self.client_session().get(SITE)
        self.check_fails(
            "Expected a call to the mock GET http://example.com/users, but there were none.\n"
            f"{WHY}  call 2: {FIRST}\n"
            f"{CALLS}\n  2. GET http://example.com/ -> 302, GET http://example.com/users -> 200",
            self.assertCalled, self.second,
        )


class ConditionTest(MessageTestCase):
    """A mock whose condition the code under test did not fulfil."""

    async def test_the_condition_is_named(self):
        mock = self.mock.post(USERS, match_json=subset({"name": "Ada"}))
        await self.send_unmatched("POST", USERS, json={"name": "Grace"})
        await self.send_unmatched("POST", SITE, json={"name": "Grace"})
        self.check_fails(
            f"Expected 1 call to the mock {mock}, but there were none.\n"
            "Calls that the mock did not answer:\n"
            "  call 1: json: at name: 'Ada' != 'Grace'\n"
            "Calls:\n"
            "  1. POST http://example.com/users -> no mock answered\n"
            "  2. POST http://example.com/ -> no mock answered",
            self.assertCalledOnce, mock,
        )

    async def test_a_condition_that_raises(self):
        mock = self.mock.get(USERS, match=lambda call: 1 / 0)
        with self.assertRaises(ZeroDivisionError):
            await self.client_session().get(USERS)
        self.assertIn(
            "\nCalls that the mock did not answer:\n  call 1: raised ZeroDivisionError('division by zero')\n",
            self.message(self.assertCalled, mock),
        )
