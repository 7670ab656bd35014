"""How calls and mocks are listed in messages: cut, with a count of what was left out."""

from ..support import SITE, USERS, MessageTestCase


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
