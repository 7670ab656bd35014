"""At which times of a virtual clock calls were made."""

import asyncio
import copy
import pickle
import unittest

from aioresponses import AioResponsesTestCase, CallOrderAssertionsMixin, VirtualClock, aioresponses

from ..support import SITE, USERS, MessageTestCase, OutcomeTestCase, get, text_of

NO_CLOCK = (
    "assertCallTimes compares virtual times, but no VirtualClock {}.\n"
    "Set virtual_time = True in the test case, or make the calls while a VirtualClock runs."
)


class TimesTest(MessageTestCase):
    virtual_time = True

    async def ask(self, *gaps, url=SITE):
        """Ask for something, and once more after each of these seconds."""
        self.mock.get(url, repeat=True)
        session = self.client_session()
        await text_of(session, url)
        for gap in gaps:
            await asyncio.sleep(gap)
            await text_of(session, url)

    async def test_calls_at_these_times(self):
        await self.ask(1, 2, 4)
        self.assertCallTimes([0, 1, 3, 7], SITE)
        self.assertCallTimes((time for time in (0, 1.0005, 3, 7)), SITE, "GET")
        self.assertCallTimes([0, 1, 3, 7])
        self.assertCallTimes([], USERS)
        self.assertCallTimes([], SITE, "POST")

    async def test_they_count_from_the_start_of_the_clock(self):
        await asyncio.sleep(5)
        await self.ask(1)
        self.assertCallTimes([5, 6])
        self.assertEqual(self.clock.elapsed, 6)
        self.mock.reset()
        await self.ask()
        self.assertCallTimes([6])

    async def test_calls_at_other_times(self):
        await self.ask(1, 2, 5)
        self.check_fails(
            "Calls to GET http://example.com/ began at other times than expected:\n"
            "  expected: 0, 1, 3, 7 s (gaps of 1, 2, 4 s)\n"
            "  found:    0, 1, 3, 8 s (gaps of 1, 2, 5 s)\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200\n"
            "  2. GET http://example.com/ -> 200\n"
            "  3. GET http://example.com/ -> 200\n"
            "  4. GET http://example.com/ -> 200",
            self.assertCallTimes, [0, 1, 3, 7], SITE, "GET",
        )

    async def test_another_number_of_calls(self):
        await self.ask(0.25)
        calls = "Calls:\n  1. GET http://example.com/ -> 200\n  2. GET http://example.com/ -> 200"
        self.check_fails(
            "Expected 3 calls to http://example.com/ at these times, but there were 2:\n"
            "  expected: 0, 0.25, 1 s (gaps of 0.25, 0.75 s)\n"
            "  found:    0, 0.25 s (gaps of 0.25 s)\n" + calls,
            self.assertCallTimes, [0, 0.25, 1], SITE,
        )
        self.check_fails(
            "Expected 1 call to http://example.com/ at these times, but there were 2:\n"
            "  expected: 0 s\n"
            "  found:    0, 0.25 s (gaps of 0.25 s)\n" + calls,
            self.assertCallTimes, [0], SITE,
        )
        self.check_fails(
            "Expected 0 calls at these times, but there were 2:\n"
            "  expected: none\n"
            "  found:    0, 0.25 s (gaps of 0.25 s)\n" + calls,
            self.assertCallTimes, [],
        )
        self.check_fails(
            "Expected 1 call to http://example.com/users at these times, but there were none:\n"
            "  expected: 0 s\n"
            "  found:    none\n" + calls,
            self.assertCallTimes, [0], USERS,
        )

    async def test_many_calls(self):
        await self.ask(*[1] * 59)
        self.assertCallTimes(range(60))
        text = self.message(self.assertCallTimes, [*range(40), 40.5, *range(41, 60)])
        self.assertEqual(
            text.splitlines()[1:3],
            [
                "  expected: …, " + ", ".join(map(str, range(30, 40))) + ", 40.5, "
                + ", ".join(map(str, range(41, 50))) + ", … s (gaps of …, "
                + ", ".join(["1"] * 9 + ["1.5", "0.5"] + ["1"] * 9) + ", … s)",
                "  found:    …, " + ", ".join(map(str, range(30, 50))) + ", … s (gaps of …, "
                + ", ".join(["1"] * 20) + ", … s)",
            ],
        )

    async def test_how_much_they_may_differ(self):
        await self.ask(1.5)
        self.assertCallTimes([0, 1.4995], SITE)
        self.assertCallTimes([0, 1], SITE, within=0.5)
        self.assertCallTimes([0, 1.5], SITE, within=0)
        for wrong in ([0, 1.4985], [0, 1.5015]):
            self.assertIn("at other times than expected:", self.message(self.assertCallTimes, wrong, SITE))
        self.assertIn("at other times than expected:", self.message(self.assertCallTimes, [0, 1], SITE, within=0.499))

    async def test_calls_that_a_mock_or_a_condition_selects(self):
        first = self.mock.post(SITE, match_json={"page": 1}, repeat=True)
        self.mock.post(SITE, repeat=True)
        session = self.client_session()
        for page in (1, 2, 1):
            await text_of(session, SITE, "POST", json={"page": page})
            await asyncio.sleep(10)
        self.assertCallTimes([0, 20], first)
        self.assertCallTimes([10], SITE, match_json={"page": 2})
        self.assertCallTimes([0, 10, 20], match_headers={"Content-Type": "application/json"}, within=0)
        self.assertIn(
            "  expected: 5 s\n  found:    10 s\n", self.message(self.assertCallTimes, [5], SITE, match_json={"page": 2})
        )
        with self.assertRaises(TypeError):
            self.assertCallTimes([], SITE, match_jsn={})

    async def test_requests_of_a_redirect_that_a_mock_answered(self):
        self.mock.get(USERS, status=302, headers={"Location": SITE}, delay=5)
        mock = self.mock.get(SITE)
        await text_of(self.client_session(), USERS)
        self.assertCallTimes([5], mock)

    async def test_wrong_arguments(self):
        for arguments, options, wrong in (
            ((5,), {}, "expected: expected a list of times in seconds, got 5"),
            (("12",), {}, "expected: expected a list of times in seconds, got '12'"),
            ((["1"],), {}, "expected: expected seconds, got '1'"),
            (([0, None],), {}, "expected: expected seconds, got None"),
            (([-1],), {}, "expected: expected seconds, 0 or more, got -1"),
            (([float("nan")],), {}, "expected: expected seconds, 0 or more, got nan"),
            (([],), {"within": -1}, "within: expected seconds, 0 or more, got -1"),
            (([],), {"within": "1"}, "within: expected seconds, got '1'"),
            (([], "users"), {}, "url: expected a URL with a scheme and a host, got 'users'"),
        ):
            with self.subTest(arguments):
                self.check_fails(
                    f"Invalid argument: {wrong}", self.assertCallTimes, *arguments, **options
                )
        with self.assertRaises(TypeError):
            self.assertCallTimes([], SITE, "GET", None, 1)

    async def test_a_message_of_the_test_s_own(self):
        self.assertTrue(self.message(self.assertCallTimes, [1], msg="own").endswith(" : own"))

    async def test_calls_that_were_dropped(self):
        with aioresponses(keep_calls=1) as self.mock:
            await self.ask(1)
            self.assertIn("This cannot be checked: keep_calls has", self.message(self.assertCallTimes, [1]))
            self.mock.reset()
            await self.ask()
            self.assertCallTimes([1])

    async def test_requests_that_no_mock_answers_have_times(self):
        await self.send_unmatched()
        await asyncio.sleep(3)
        await self.send_unmatched()
        self.assertCallTimes([0, 3])

    async def test_copied_calls(self):
        await self.ask(4)
        made = self.mock.requests
        for copied in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
            self.mock.requests = copied
            self.assertCallTimes([0, 4])

    async def test_redirects_are_no_calls(self):
        self.mock.get(USERS, status=302, headers={"Location": SITE}, delay=5)
        self.mock.get(SITE)
        await text_of(self.client_session(), USERS)
        self.assertCallTimes([0], USERS)


class WithoutClockTest(MessageTestCase):
    """In real time, no two runs of a test are alike."""

    async def test_calls_without_a_clock(self):
        self.check_fails(NO_CLOCK.format("runs"), self.assertCallTimes, [])
        await self.send()
        async with VirtualClock():
            await self.send("POST")
        self.check_fails(NO_CLOCK.format("ran when call 1 began"), self.assertCallTimes, [0, 0])
        self.check_fails(NO_CLOCK.format("ran when call 1 began"), self.assertCallTimes, [], method="GET")
        self.assertCallTimes([0], method="POST")

    async def test_a_call_of_another_thread(self):
        self.mock.get(SITE)
        async with VirtualClock():
            await asyncio.to_thread(asyncio.run, get())
            self.check_fails(NO_CLOCK.format("ran when call 1 began"), self.assertCallTimes, [0])


class MixinTest(OutcomeTestCase):
    def test_a_test_case_that_starts_its_own_clock(self):
        class Case(CallOrderAssertionsMixin, unittest.TestCase):
            def test(self):
                async def ask_twice():
                    await get()
                    await asyncio.sleep(60)
                    await get()

                with aioresponses() as self.mock, VirtualClock() as clock:
                    self.mock.get(SITE, repeat=True)
                    asyncio.run(ask_twice())
                self.assertEqual(clock.elapsed, 60)
                self.assertCallTimes([0, 60], SITE)

        self.check_passes(Case)

    def test_a_client_that_backs_off_wrongly(self):
        class Case(AioResponsesTestCase):
            virtual_time = True

            async def test(self):
                self.mock.get(SITE, status=503, repeat=True)
                session = self.client_session()
                for _ in range(3):
                    await text_of(session)
                    await asyncio.sleep(1)
                self.assertCallTimes([0, 1, 3], SITE)

        [text] = self.outcomes(Case)["failures"]
        self.assertIn("  found:    0, 1, 2 s (gaps of 1, 1 s)\n", text)
