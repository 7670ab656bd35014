"""Assertions about the order of calls, and about calls at once."""

import asyncio
import re

from ..support import SITE, USERS, MessageTestCase


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
            "Expected exactly 2 calls, but there were 3 (- expected, + made):\n"
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
            "Calls differ (- expected, + made):\n"
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
            "Expected exactly 1 call, but there were none (- expected, + made):\n"
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
            "Expected exactly 0 calls, but there was 1 (- expected, + made):\n"
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
            "Expected every call to http://example.com/users to have ended before any call to "
            "POST http://example.com/login began, but call 1 began before call 3 had ended.\n" + self.CALLS,
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
            "Expected every call to http://example.com/a to have ended before any call to http://example.com/b began, "
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
            "Expected every call to http://example.com/ before any call to GET http://example.com/, "
            "but call 1 is both.\n"
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
            f"Expected at most 2 calls to http://example.com/ at once, but there were 3.\n{calls}",
            self.assertMaxConcurrency, 2, SITE,
        )
        self.check_fails(
            f"Expected at most 1 call with method GET at once, but there were 3.\n{calls}",
            self.assertMaxConcurrency, 1, method="GET",
        )
        self.check_fails(
            f"Expected at least 4 calls at once, but there were 3.\n{calls}",
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
            "Expected at least 2 calls to http://example.com/users at once, but there was 1.\n"
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
            "Expected at least 2 calls to http://example.com/users at once, but there were none.\n"
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
            "Expected every call to http://example.com/ to have ended before any call to http://example.com/users "
            "began, but call 2 began before call 1 had ended.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> in flight\n"
            "  2. GET http://example.com/users -> 200",
            self.assertCalledBefore, SITE, USERS,
        )
        self.go_on.set()
        await task
        self.check_fails(
            "Expected every call to http://example.com/ to have ended before any call to http://example.com/users "
            "began, but call 2 began before call 1 had ended.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200\n"
            "  2. GET http://example.com/users -> 200",
            self.assertCalledBefore, SITE, USERS,
        )

    async def test_the_later_call_may_be_in_flight(self):
        self.mock.get(USERS)
        self.holds(SITE)
        await self.get(USERS)
        task = asyncio.ensure_future(self.get(SITE))
        await self.begun.wait()
        self.assertCalledBefore(USERS, SITE)
        self.go_on.set()
        await task
