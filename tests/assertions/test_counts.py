"""Assertions about how often something was called: what they accept, and their whole messages."""

import re
from unittest.mock import ANY, call

from ..support import SITE, USERS, MessageTestCase


class UrlThatIsMoreTest(MessageTestCase):
    async def test_a_url_that_was_meant_as_a_pattern_or_a_template(self):
        await self.send(url="http://example.com/users/7")
        calls = "Calls:\n  1. GET http://example.com/users/7 -> 200"
        for text, instead in (
            ("http://example.com/users/.*", "for a pattern, pass re.compile('http://example.com/users/.*')"),
            (r"http://example.com/users/\d+", r"for a pattern, pass re.compile('http://example.com/users/\\d+')"),
            ("http://example.com/users/:id", "for a placeholder, write 'http://example.com/users/{id}'"),
        ):
            with self.subTest(text):
                message = self.message(self.assertCalledOnce, text)
                self.assertTrue(message.startswith("Expected 1 call to http://example.com/users/"), message)
                end = f", but there were none.\nThe URL is compared as it is; {instead}.\n{calls}"
                self.assertTrue(message.endswith(end), message)
                message = self.message(self.mock.assert_any_call, text)
                end = f", but there was no such call.\nThe URL is compared as it is; {instead}.\n{calls}"
                self.assertTrue(message.endswith(end), message)

    async def test_a_url_that_no_call_would_match_otherwise(self):
        await self.send(url="http://example.com/posts/7")
        self.check_fails(
            "Expected 1 call to http://example.com/users/.*, but there were none.\n"
            "Calls:\n  1. GET http://example.com/posts/7 -> 200",
            self.assertCalledOnce, "http://example.com/users/.*",
        )

    async def test_calls_that_differ_only_by_their_query(self):
        self.mock.get(re.compile("/none"))
        await self.send(url=f"{USERS}?page=1")
        calls = f"Calls:\n  1. GET {USERS}?page=1 -> 200"
        hint = "A URL without a query stands for requests without one; pass match_query=ANY for any query."
        never = "but there were none."
        for url in (USERS, "http://example.com/{name}"):
            with self.subTest(url):
                self.check_fails(
                    f"Expected a call to {url}, {never}\n{hint}\n{calls}", self.assertCalled, url
                )
                self.assertCalled(url, match_query=ANY)
        self.check_fails(
            f"Expected a call to {USERS}?page=2, {never}\n{calls}", self.assertCalled, f"{USERS}?page=2"
        )
        self.check_fails(
            f"Expected a call to POST {USERS}, {never}\n{calls}", self.assertCalled, USERS, "POST"
        )
        self.check_fails(
            f"Expected a call to {USERS}/, {never}\n{calls}", self.assertCalled, f"{USERS}/"
        )
        self.check_fails(
            f"Expected GET {USERS} to be called, but it was never called.\n{hint}\n{calls}",
            self.mock.assert_called_with, USERS,
        )
        self.check_fails(
            f"Expected GET {USERS}, but there was no such call.\n{hint}\n{calls}", self.mock.assert_any_call, USERS
        )
        self.mock.assert_called_with(USERS, match_query=ANY)

    async def test_a_pattern_that_would_match_if_it_were_written_otherwise(self):
        rule = "(a pattern is matched from the start of the whole URL, whose query is sorted)"
        self.mock.get(re.compile("/none"))
        await self.send(url=f"{USERS}?page=1")
        calls = f"Calls:\n  1. GET {USERS}?page=1 -> 200"
        for pattern, change in (
            ("users", "; it matches further on, so begin it with .*"),
            (f"{USERS}$", r"; it matches without the query, so end it with (\?.*)?$"),
            (f"{USERS}?page=1", "; escape the ? in it"),
        ):
            with self.subTest(pattern):
                self.check_fails(
                    f"Expected a call to {re.compile(pattern)}, but there were none.\n"
                    f"For call 1, the pattern does not match '{USERS}?page=1' {rule}{change}\n{calls}",
                    self.assertCalled, re.compile(pattern),
                )
                hint = f"For call 1, the pattern does not match '{USERS}?page=1' {rule}{change}\n"
                self.check_fails(
                    f"Expected GET {re.compile(pattern)}, but there was no such call.\n{hint}{calls}",
                    self.mock.assert_any_call, re.compile(pattern),
                )
                self.check_fails(
                    f"These calls were not made consecutively:\n  GET {USERS}?page=1\n  GET {re.compile(pattern)}\n"
                    f"{hint}{calls}",
                    self.mock.assert_has_calls, [call(f"{USERS}?page=1"), call(re.compile(pattern))],
                )
        self.check_fails(
            f"Expected a call to POST re.compile('users'), but there were none.\n{calls}",
            self.assertCalled, re.compile("users"), "POST",
        )
        self.check_fails(
            f"Expected a call to re.compile('/posts'), but there were none.\n{calls}",
            self.assertCalled, re.compile("/posts"),
        )

    async def test_a_pattern_whose_query_is_in_the_order_in_which_it_was_sent(self):
        await self.send(url=f"{USERS}?page=1&limit=2")
        pattern = re.compile(re.escape(f"{USERS}?page=1"))
        detail = (
            f"For call 1, the pattern does not match '{USERS}?limit=2&page=1' (a pattern is matched from the start of "
            f"the whole URL, whose query is sorted)\nCalls:\n  1. GET {USERS}?page=1&limit=2 -> 200"
        )
        self.check_fails(
            f"Expected a call to {pattern}, but there were none.\n{detail}", self.assertCalled, pattern
        )
        self.check_fails(
            f"Expected GET {pattern}, but there was no such call.\n{detail}", self.mock.assert_any_call, pattern
        )
        self.mock.assert_any_call(re.compile(re.escape(f"{USERS}?limit=2&page=1")))


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
            "Expected 2 calls to GET http://example.com/, but there was 1.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200\n"
            "  2. POST http://example.com/users -> 201",
            self.assertCallCount, 2, SITE, "GET",
        )
        self.check_fails(
            "Expected 1 call, but there were 2.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200\n"
            "  2. POST http://example.com/users -> 201",
            self.assertCallCount, 1,
        )

    async def test_called(self):
        self.check_fails(
            "Expected a call, but there were none.\nThere were no calls.", self.assertCalled
        )
        await self.send()
        self.assertCalled()
        self.assertCalled(SITE)
        self.assertCalled(method="GET")
        self.check_fails(
            "Expected a call with method POST, but there were none.\nCalls:\n  1. GET http://example.com/ -> 200",
            self.assertCalled, method="POST",
        )

    async def test_called_once(self):
        await self.send()
        self.assertCalledOnce()
        self.assertCalledOnce(SITE, "GET")
        await self.send()
        self.check_fails(
            "Expected 1 call to http://example.com/, but there were 2.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200\n"
            "  2. GET http://example.com/ -> 200",
            self.assertCalledOnce, SITE,
        )
        self.check_fails(
            "Expected 1 call to http://example.com/users, but there were none.\n"
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
            "Expected no call with method DELETE, but there was 1.\n"
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
            "Expected at least 3 calls to http://example.com/, but there were 2.\n"
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
            "Expected at most 1 call to http://example.com/, but there were 2.\n"
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
            "1 mock was never used:\n"
            "  GET http://example.com/users\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
            self.assertAllMocksCalled,
        )
        self.mock.post(re.compile("/users/[0-9]+$"), repeat=True)
        self.check_fails(
            "2 mocks were never used:\n"
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
            "1 call matched no mock:\n"
            "  PUT http://example.com/users -> no mock answered\n"
            "    Registered mocks, the closest first:\n"
            "      GET re.compile('.*'): method differs: mock has GET, request has PUT\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200\n"
            "  2. PUT http://example.com/users -> no mock answered",
            self.assertNoUnmatchedCalls,
        )

    async def test_a_redirect_to_nowhere_is_an_unmatched_call(self):
        self.mock.post(SITE, status=302, headers={"Location": "/users"})
        await self.send_unmatched("POST")
        self.check_fails(
            "1 call matched no mock:\n"
            "  POST http://example.com/ -> 302, GET http://example.com/users -> no mock answered\n"
            "    This request follows a redirect: "
            "POST http://example.com/ was answered with 302, which turns it into GET.\n"
            "    Registered mocks, the closest first:\n"
            "      POST http://example.com/: method differs: mock has POST, request has GET; path differs\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 302, GET http://example.com/users -> no mock answered",
            self.assertNoUnmatchedCalls,
        )
