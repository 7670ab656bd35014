"""How calls and mocks are listed in messages: cut, with a count of what was left out."""

import re

from ..support import SITE, USERS, MessageTestCase


class LongListsTest(MessageTestCase):
    async def test_expected_calls_around_the_first_that_was_not_made_are_shown(self):
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

    async def test_a_long_list_of_missing_headers_is_cut_with_a_count(self):
        await self.send()
        shown = self.message(self.assertRequestHeaders, {f"X-{number}": "1" for number in range(200)}).splitlines()
        self.assertEqual(
            shown[20:22], ["  X-19: expected '1', but it was not sent", "  … and 180 more"]
        )

    async def test_a_long_list_of_calls_is_cut_with_a_count(self):
        self.mock.get(re.compile(".*"), repeat=True)
        session = self.client_session()
        for number in range(1, 24):
            await session.get(SITE + str(number))
        first = "".join(f" {number:2}. GET http://example.com/{number} -> 200\n" for number in range(1, 11))
        last = "\n".join(f" {number:2}. GET http://example.com/{number} -> 200" for number in range(14, 24))
        self.check_fails(
            f"Expected no call, but there were 23.\nCalls:\n{first}     … 3 more …\n{last}",
            self.assertNotCalled,
        )

    async def test_twenty_calls_are_all_listed(self):
        self.mock.get(SITE, repeat=True)
        session = self.client_session()
        for _ in range(20):
            await session.get(SITE)
        self.check_fails(
            "Expected no call, but there were 20.\nCalls:\n"
            + "\n".join(f" {number:2}. GET http://example.com/ -> 200" for number in range(1, 21)),
            self.assertNotCalled,
        )

    async def test_a_long_url_is_cut(self):
        await self.send(url=SITE + "x" * 600)
        self.check_fails(
            "Expected no call, but there was 1.\n"
            "Calls:\n"
            f"  1. GET http://example.com/{'x' * 477}… (130 more characters)",
            self.assertNotCalled,
        )

    async def test_many_unused_mocks_and_unmatched_calls_are_cut_with_a_count(self):
        for number in range(22):
            self.mock.get(USERS + str(number))
        self.check_fails(
            "22 mocks were never used:\n"
            + "".join(f"  GET http://example.com/users{number}\n" for number in range(20))
            + "  … and 2 more\nThere were no calls.",
            self.assertAllMocksCalled,
        )
        self.mock.clear()
        for number in range(1, 22):
            await self.send_unmatched(url=SITE + str(number))
        lines = [f"GET http://example.com/{number} -> no mock answered\n" for number in range(1, 22)]
        numbered = [f" {number:2}. {line}" for number, line in enumerate(lines, 1)]
        self.check_fails(
            "21 calls matched no mock:\n"
            + "".join(f"  {line}    No mocks are registered.\n" for line in lines[:20])
            + "  … and 1 more\nCalls:\n"
            + "".join(numbered[:10])
            + "     … 1 more …\n"
            + "".join(numbered[11:]).rstrip("\n"),
            self.assertNoUnmatchedCalls,
        )

    async def test_calls_in_a_row_that_are_refused_for_the_same_reason_are_reported_in_one(self):
        for _ in range(3):
            await self.send_unmatched()
        self.mock.get(USERS)
        await self.send_unmatched()
        await self.send_unmatched(url=SITE + "1")
        self.assertEqual(
            self.message(self.assertNoUnmatchedCalls).partition("Calls:")[0],
            "5 calls matched no mock:\n"
            "  GET http://example.com/ -> no mock answered (3 times)\n"
            "    No mocks are registered.\n"
            "  GET http://example.com/ -> no mock answered\n"
            "    Registered mocks, the closest first:\n"
            "      GET http://example.com/users: path differs: mock has '/users', request has '/'\n"
            "  GET http://example.com/1 -> no mock answered\n"
            "    Registered mocks, the closest first:\n"
            "      GET http://example.com/users: path differs: mock has '/users', request has '/1'\n",
        )
