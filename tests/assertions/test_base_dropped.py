"""Assertions where `keep_calls` has dropped calls: they hold, they fail, or they say that they cannot know."""

from unittest.mock import call

from tests.support import SITE, USERS, MessageTestCase

A, B, C = (f"{SITE}{name}" for name in "abc")


class DroppedTest(MessageTestCase):
    """The calls were A, A, B, A, B, C, of which the last three are kept, and one that no mock answered."""

    keep_calls = 3

    CALLS = (
        f"Calls:\n  1. GET {USERS} -> no mock answered\n  2. GET {A} -> 200\n  3. GET {B} -> 200\n  4. GET {C} -> 200"
    )

    UNKNOWN = (
        "This cannot be checked: keep_calls has dropped 3 of 7 calls.\n"
        f"Raise keep_calls, or call reset() on the mock right before the calls that this is about.\n{CALLS}"
    )

    async def asyncSetUp(self):
        await self.send_unmatched(url=USERS)
        for url in (A, A, B, A, B, C):
            await self.send(url=url, params=None)

    async def test_what_cannot_be_known(self):
        for assertion, *arguments in (
            (self.assertCallCount, 1, A),
            (self.assertCallCount, 2, A),
            (self.assertCalled, "http://example.com/z"),
            (self.assertCalledOnce, C),
            (self.assertNotCalled, None, "POST"),
            (self.assertCalledAtLeast, 2, B),
            (self.assertCalledAtMost, 1, C),
            (self.assertCallOrder, [B, A]),
            (self.assertCallsEqual, [USERS, A, A, B, A, B, C]),
            (self.assertCalledBefore, A, B),
            (self.assertCalledBefore, A, f"{SITE}z"),
            (self.assertMaxConcurrency, 1),
            (self.assertConcurrent, ),
            (self.assertEmptyBody, A, None, 0),
            (self.assertEmptyBody, A, None, -2),
            (self.assertEmptyBody, f"{SITE}z"),
            (self.mock.assert_any_call, A, "POST"),
            (self.mock.assert_called_with, f"{SITE}z"),
            (self.mock.assert_has_calls, [call(A), call(A)]),
            (self.mock.assert_has_calls, [call(A), call(A)], True),
        ):
            with self.subTest(assertion.__name__, arguments=arguments):
                self.check_fails(self.UNKNOWN, assertion, *arguments)
        self.check_fails(f"{self.UNKNOWN} : why", self.assertNotCalled, f"{SITE}z", msg="why")

    async def test_what_holds_whatever_was_dropped(self):
        self.assertCallCount(7)
        self.assertCalled(A)
        self.assertCalledAtLeast(1, C)
        self.assertCalledAtLeast(7)
        self.assertCalledAtMost(5, A)
        self.assertCallOrder([A, B, C])
        self.assertConcurrent(A, at_least=1)
        self.assertEmptyBody(A)
        self.assertEmptyBody(A, index=-1)
        self.assertAllMocksCalled()
        self.mock.assert_called()
        self.mock.assert_any_call(B)
        self.mock.assert_called_with(C, params=None)
        self.mock.assert_has_calls([call(A), call(B)])
        self.mock.assert_has_calls([call(C), call(A)], any_order=True)

    async def test_what_fails_whatever_was_dropped(self):
        for message, assertion, *arguments in (
            ("Expected 6 calls, but there were 7.", self.assertCallCount, 6),
            (f"Expected no call to {A}, but there was 1.", self.assertNotCalled, A),
            (f"Expected at least 5 calls to {A}, but there was 1.", self.assertCalledAtLeast, 5, A),
            (f"Expected at most 0 calls to {A}, but there was 1.", self.assertCalledAtMost, 0, A),
            (f"Expected at most 0 calls to {A} at once, but there was 1.", self.assertMaxConcurrency, 0, A),
            (
                f"1 call matched no mock:\n  GET {USERS} -> no mock answered\n    No mocks are registered.",
                self.assertNoUnmatchedCalls,
            ),
            ("Expected no calls, but there were 7.", self.mock.assert_not_called),
            ("Expected one call, but there were 7.", self.mock.assert_called_once),
            (
                f"Expected every call to {B} to have ended before any call to {A} began, "
                "but call 2 began before call 3 had ended.",
                self.assertCalledBefore, B, A,
            ),
        ):
            with self.subTest(assertion.__name__):
                self.check_fails(f"{message}\n{self.CALLS}", assertion, *arguments)

    async def test_after_a_reset_there_is_nothing_that_cannot_be_known(self):
        self.mock.reset()
        await self.send(url=A)
        self.assertNotCalled(B)
        self.assertCalledOnce(A)
        self.assertCallsEqual([A])
