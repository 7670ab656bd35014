"""The calls of a mock, by method and URL: `mock.requests`, `mock.calls` and what belongs to them."""

import asyncio
import functools
import re
import sys
import threading
import unittest
import unittest.mock

import aiohttp
from aiohttp import ClientSession, ClientTimeout
from yarl import URL

from aioresponses import AioResponsesTestCase, RequestCall, aioresponses

from ..support import AIOHTTP, AT_MOST, SITE, MockedTestCase, error_of, get, recorded, text_of


class RequestsOfAMockTest(AioResponsesTestCase):
    async def test_requests_is_a_dict_in_order_of_first_call(self):
        self.mock.get(re.compile(".*"), repeat=True)
        await get(SITE + "b?y=1&x=2")
        await get(SITE + "a", params={"q": 1})
        await get(SITE + "b?x=2&y=1")
        self.assertIsInstance(self.mock.requests, dict)
        call = RequestCall((), {"allow_redirects": True})
        self.assertEqual(
            list(self.mock.requests.items()),
            [
                (("GET", URL(SITE + "b?x=2&y=1")), [call, call]),
                (("GET", URL(SITE + "a?q=1")), [RequestCall((), {"params": {"q": 1}, "allow_redirects": True})]),
            ],
        )

    async def test_requests_can_be_replaced_for_a_while(self):
        self.mock.get(SITE, repeat=True)
        await get(SITE)
        with unittest.mock.patch.object(self.mock, "requests", {}) as replaced:
            await get(SITE)
            self.assertIs(self.mock.requests, replaced)
            self.assertEqual(len(replaced["GET", URL(SITE)]), 1)
        await get(SITE)
        self.assertEqual(len(self.mock.requests["GET", URL(SITE)]), 2)

    async def test_what_was_assigned_before_comes_back(self):
        self.mock.get(SITE, repeat=True)
        own = self.mock.requests
        self.mock.requests = assigned = {}
        with unittest.mock.patch.object(self.mock, "requests", {}):
            await get(SITE)
        self.assertIs(self.mock.requests, assigned)
        await get(SITE)
        self.assertEqual((list(assigned), own), ([("GET", URL(SITE))], {}))
        del self.mock.requests
        self.assertIs(self.mock.requests, own)

    async def test_the_keys_of_requests_have_the_port_as_the_caller_wrote_it(self):
        self.mock.get("http://example.com/", repeat=True)
        await get("http://example.com:80/")
        await get("http://example.com/")
        self.assertEqual(
            list(self.mock.requests),
            [("GET", URL("http://example.com:80/")), ("GET", URL("http://example.com/"))],
        )

    async def test_requests_can_be_assigned_and_cleared(self):
        self.mock.get(SITE, repeat=True)
        await get()
        self.mock.requests.clear()
        self.mock.assert_not_called()
        await get()
        [(call,)] = self.mock.requests.values()
        self.assertEqual(call.kwargs, {"allow_redirects": True})
        self.mock.requests = {}
        self.assertEqual((self.mock.called, self.mock.call_count, self.mock.calls), (False, 0, []))
        await get()
        self.assertEqual(self.mock.call_count, 1)

    async def test_calls_come_in_their_order(self):
        self.mock.get(re.compile(".*"), repeat=True)
        for path in ("b", "a", "b"):
            await get(SITE + path + "?z=1&y=2#top")
        self.assertEqual(
            [(call.method, call.url) for call in self.mock.calls],
            [("GET", SITE + path + "?z=1&y=2") for path in ("b", "a", "b")],
        )
        self.assertEqual((self.mock.called, self.mock.call_count), (True, 3))

    async def test_a_url_that_aiohttp_refuses_is_not_recorded(self):
        with self.assertRaises((TypeError, ValueError)):
            await get(5)
        self.assertEqual(self.mock.requests, {})

    async def test_a_url_without_a_scheme_is_recorded_and_refused_by_aiohttp(self):
        self.mock.get("/path")
        with self.assertRaises((ValueError, aiohttp.InvalidURL)):
            await get("/path")
        self.assertEqual(list(self.mock.requests), [("GET", URL("/path"))])


class CallArgsTest(AioResponsesTestCase):
    async def test_call_args_and_call_args_list(self):
        self.mock.get(re.compile(".*"), repeat=True)
        await get(SITE + "login")
        await get(SITE + "users?b=2", params={"a": "1"})
        await get(SITE + "users", headers={"X-Id": "7"})
        self.assertEqual(self.mock.call_args, ((), {"headers": {"X-Id": "7"}, "allow_redirects": True}))
        self.assertIs(self.mock.call_args, self.mock.calls[-1])
        self.assertEqual(self.mock.call_args.kwargs["headers"], {"X-Id": "7"})
        self.assertEqual([call.url for call in self.mock.call_args_list], [call.url for call in self.mock.calls])
        self.assertEqual(len(self.mock.call_args_list), 3)

    def test_call_args_without_calls(self):
        mock = aioresponses()
        self.assertIsNone(mock.call_args)
        self.assertEqual(mock.call_args_list, [])


class KeysOfRequestsTest(MockedTestCase):
    async def test_a_call_is_recorded_under_its_method_and_url_with_its_arguments(self):
        self.mock.get(SITE)
        await text_of(self.session, timeout=ClientTimeout(5))
        arguments = {"allow_redirects": True, "timeout": ClientTimeout(5)}
        self.assertEqual(recorded(self.mock), {("GET", URL(SITE)): [arguments]})
        self.assertEqual(self.mock.requests["GET", URL(SITE)][0].args, ())

    async def test_the_method_is_as_the_caller_wrote_it(self):
        self.mock.get(SITE, repeat=True)
        for method in ("get", "Get", "GET"):
            await text_of(self.session, method=method)
        self.assertEqual(list(self.mock.requests), [("get", URL(SITE)), ("Get", URL(SITE)), ("GET", URL(SITE))])

    async def test_the_url_is_normalised_and_has_the_params_merged_in(self):
        self.mock.get(f"{SITE}?a=1&b=2&c=3", repeat=True)
        await text_of(self.session, f"{SITE}?c=3&a=1", params={"b": "2"})
        await text_of(self.session, f"{SITE}?b=2&a=1&c=3")
        merged = URL(f"{SITE}?a=1&b=2&c=3")
        self.assertEqual(
            recorded(self.mock),
            {("GET", merged): [{"allow_redirects": True, "params": {"b": "2"}}, {"allow_redirects": True}]},
        )

    async def test_the_url_is_joined_to_the_base_url_of_the_session(self):
        self.mock.get(f"{SITE}users")
        async with ClientSession(SITE) as session:
            await text_of(session, "users" if AIOHTTP >= (3, 12) else "/users")
        self.assertEqual(list(self.mock.requests), [("GET", URL(f"{SITE}users"))])


class ClearedAndReplacedRequestsTest(MockedTestCase):
    """`mock.requests` and `mock._responses`, whenever they are looked at, cleared, or replaced."""

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.mock.get(re.compile(".*"), repeat=True)

    def asked(self):
        return [call.url for call in self.mock.calls]

    async def ask(self, *paths):
        for path in paths:
            await text_of(self.session, SITE + path)

    async def test_cleared_requests_hold_later_calls_alone(self):
        await self.ask("a", "b")
        self.mock.requests.clear()
        self.assertEqual((self.mock.requests, self.mock.calls, self.mock.called), ({}, [], False))
        await self.ask("c")
        self.assertEqual(self.asked(), [f"{SITE}c"])
        self.assertEqual(list(self.mock.requests), [("GET", URL(f"{SITE}c"))])

    async def test_a_dict_of_requests_is_kept_up_to_date(self):
        requests = self.mock.requests
        await self.ask("a")
        self.assertEqual(list(requests), [("GET", URL(f"{SITE}a"))])
        self.assertIs(self.mock.requests, requests)

    async def test_a_dict_of_requests_can_be_cleared_after_more_calls(self):
        requests = self.mock.requests
        await self.ask("a", "b")
        requests.clear()
        await self.ask("c")
        self.assertEqual(self.asked(), [f"{SITE}c"])

    async def test_replaced_requests_hold_later_calls_alone(self):
        for look_before in (False, True):
            with self.subTest(look_before=look_before):
                await self.ask("a", "b")
                if look_before:
                    self.assertEqual(self.mock.call_count, 2)
                mine = {}
                self.mock.requests = mine
                self.assertEqual(self.asked(), [])
                await self.ask("c", "a")
                self.assertEqual(self.asked(), [f"{SITE}c", f"{SITE}a"])
                self.assertIs(self.mock.requests, mine)
                self.mock.requests = {}

    async def test_calls_in_flight_when_requests_are_replaced_are_gone(self):
        async def callback(url, **kwargs):
            began.set()
            await go_on.wait()

        began, go_on = asyncio.Event(), asyncio.Event()
        self.mock.post(SITE, status=302, headers={"Location": "/there"}, callback=callback)
        asked = asyncio.ensure_future(self.session.post(SITE))
        await asyncio.wait_for(began.wait(), AT_MOST)
        self.mock.requests = {}
        await self.ask("a")
        go_on.set()
        await asked
        self.assertEqual(self.asked(), [f"{SITE}a"])

    async def test_requests_may_be_replaced_by_some_that_hold_calls(self):
        await self.ask("a", "a", "b")
        kept = {key: calls for key, calls in self.mock.requests.items() if key[1].path == "/a"}
        self.mock.requests = kept
        await self.ask("a", "c")
        self.assertEqual(self.asked(), [f"{SITE}a"] * 3 + [f"{SITE}c"])

    async def test_each_list_of_requests_is_in_the_order_of_the_calls_whenever_it_is_looked_at(self):
        for number in range(6):
            await self.ask("a?n=1", "b")
            if number % 2:
                self.mock.requests
        self.assertEqual(self.asked(), [f"{SITE}a?n=1", f"{SITE}b"] * 6)
        self.assertEqual([len(calls) for calls in self.mock.requests.values()], [6, 6])
        for calls in self.mock.requests.values():
            self.assertEqual([call.order for call in calls], sorted(call.order for call in calls))

    async def test_responses_are_those_since_the_mocks_were_cleared(self):
        await self.ask("a", "b")
        await error_of(self.session.post(SITE))
        self.assertEqual([str(response.url) for response in self.mock._responses], [f"{SITE}a", f"{SITE}b"])
        self.assertEqual(self.mock._responses, [call.response for call in self.mock.calls[:2]])
        self.mock.clear()
        self.assertEqual(self.mock._responses, [])
        self.assertEqual(self.mock.call_count, 3)
        self.mock.get(re.compile(".*"), repeat=True)
        await self.ask("c")
        self.assertEqual([str(response.url) for response in self.mock._responses], [f"{SITE}c"])
        self.assertEqual(self.mock.call_count, 4)

    async def test_responses_stay_whatever_becomes_of_the_requests(self):
        # As in aioresponses 0.7, where they were lists of their own.
        await self.ask("a")
        self.mock.requests.clear()
        self.assertEqual([str(response.url) for response in self.mock._responses], [f"{SITE}a"])
        self.mock.requests = {}
        await self.ask("b")
        self.assertEqual([str(response.url) for response in self.mock._responses], [f"{SITE}a", f"{SITE}b"])

    async def test_responses_are_gone_after_stop_and_the_requests_remain(self):
        await self.ask("a")
        self.mock.stop()
        self.assertEqual(self.mock._responses, [])
        self.assertEqual(self.asked(), [f"{SITE}a"])
        self.mock.start()
        self.mock.get(re.compile(".*"), repeat=True)
        await self.ask("b")
        self.assertEqual([str(response.url) for response in self.mock._responses], [f"{SITE}b"])
        self.assertEqual(self.asked(), [f"{SITE}a", f"{SITE}b"])


class ThreadsTest(unittest.TestCase):
    """Calls are made in several threads, and looked at in several."""

    def setUp(self):
        # So that threads take turns as often as they can.
        interval = sys.getswitchinterval()
        self.addCleanup(sys.setswitchinterval, interval)
        sys.setswitchinterval(1e-6)
        self.mock = aioresponses()
        self.mock.start()
        self.addCleanup(self.mock.stop)
        self.mock.get(re.compile(".*"), body="answer", repeat=True)
        self.errors = []

    def run_all(self, *functions):
        def guarded(function):
            try:
                function()
            except BaseException as error:
                self.errors.append(error)

        threads = [threading.Thread(target=guarded, args=(function,)) for function in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(AT_MOST)
        self.assertEqual(self.errors, [])

    async def ask(self, thread, count, look=None):
        async with ClientSession() as session:
            for number in range(count):
                self.assertEqual(await text_of(session, f"{SITE}{thread}", params={"n": number}), "answer")
                if look is not None:
                    look(number)

    def test_each_call_of_several_threads_is_recorded_once(self):
        self.run_all(*(functools.partial(lambda n: asyncio.run(self.ask(n, 30)), thread) for thread in range(6)))
        self.assertEqual(self.mock.call_count, 180)
        for thread in range(6):
            self.assertEqual(
                [call.url for call in self.mock.calls if call.url.startswith(f"{SITE}{thread}?")],
                [f"{SITE}{thread}?n={number}" for number in range(30)],
            )

    def test_each_thread_sees_its_own_calls_at_once(self):
        def look(thread, number):
            url = URL(f"{SITE}{thread}?n={number}")
            calls = self.mock.requests.get(("GET", url), [])
            self.assertEqual([call.url for call in calls], [str(url)])

        self.run_all(*(
            functools.partial(
                lambda n: asyncio.run(self.ask(n, 40, functools.partial(look, n))), thread
            )
            for thread in range(6)
        ))
        self.assertEqual(self.mock.call_count, 240)

    def test_calls_may_be_looked_at_while_others_are_made(self):
        def look():
            while not done.is_set():
                calls = self.mock.calls
                self.assertEqual([call.order for call in calls], sorted(call.order for call in calls))
                self.assertEqual(len({id(call) for call in calls}), len(calls))

        def make(thread):
            asyncio.run(self.ask(thread, 40))
            left.pop()
            if not left:
                done.set()

        done, left = threading.Event(), [1, 2, 3]
        self.run_all(*(functools.partial(make, thread) for thread in range(3)), look, look)
        self.assertEqual(self.mock.call_count, 120)
