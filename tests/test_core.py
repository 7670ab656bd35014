import asyncio
import inspect
import re
import unittest

import aiohttp
from yarl import URL

from aioresponses import AioResponsesTestCase, CallbackResult, RequestCall, RequestMatch, aioresponses

HERE = "http://example.com/"


async def get(url=HERE, **kwargs):
    async with aiohttp.ClientSession() as session:
        async with session.get(url, **kwargs) as response:
            return await response.text()


class FormsOfUseTest(unittest.IsolatedAsyncioTestCase):
    async def test_with(self):
        with aioresponses() as mock:
            mock.get(HERE, body="x")
            self.assertEqual(await get(), "x")

    async def test_async_with(self):
        async with aioresponses() as mock:
            mock.get(HERE, body="x")
            self.assertEqual(await get(), "x")

    async def test_start_and_stop(self):
        mock = aioresponses()
        mock.get(HERE, body="registered before start()")
        mock.start()
        self.addCleanup(mock.stop)
        self.assertEqual(await get(), "registered before start()")

    @aioresponses()
    async def test_decorated_coroutine_function(self, mock):
        mock.get(HERE, body="x")
        self.assertEqual(await get(), "x")

    @aioresponses(param="server")
    async def test_decorated_with_the_name_of_a_parameter(self, server):
        server.get(HERE, body="x")
        self.assertEqual(await get(), "x")

    def test_decorated_function(self):
        @aioresponses()
        def function(first, mock, *, second):
            mock.get(HERE, body="x")
            return first, second, asyncio.run(get())

        self.assertEqual(function(1, second=2), (1, 2, "x"))

    def test_a_decorated_function_looks_as_before(self):
        @aioresponses()
        async def function(mock):
            """Do something."""

        self.assertTrue(inspect.iscoroutinefunction(function))
        self.assertEqual((function.__name__, function.__doc__), ("function", "Do something."))

    def test_a_decorated_function_may_call_itself(self):
        @aioresponses()
        def function(depth, mock):
            mock.get(HERE, body=str(depth))
            inner = function(depth - 1) if depth else []
            return [*inner, asyncio.run(get())]

        self.assertEqual(function(2), ["0", "1", "2"])

    async def test_a_decorated_coroutine_function_may_run_side_by_side(self):
        @aioresponses()
        async def function(mock):
            await asyncio.sleep(0)
            return mock

        self.assertEqual(len(set(await asyncio.gather(function(), function()))), 2)

    async def test_may_be_used_again_and_remembers_its_calls(self):
        mock = aioresponses()
        for _ in range(2):
            with mock:
                mock.get(HERE)
                await get()
        self.assertEqual(mock.call_count, 2)

    async def test_start_twice_and_stop_without_start(self):
        mock = aioresponses()
        with self.assertRaises(RuntimeError) as raised:
            mock.stop()
        self.assertEqual(str(raised.exception), "stop() called on an aioresponses that is not active")
        with mock:
            with self.assertRaises(RuntimeError) as raised:
                mock.start()
            self.assertEqual(str(raised.exception), "start() called on an aioresponses that is active already")
            mock.get(HERE, body="x")
            self.assertEqual(await get(), "x")


class RegisteringTest(AioResponsesTestCase):
    async def test_every_shortcut_registers_its_method(self):
        for method in ("get", "post", "put", "patch", "delete", "head", "options"):
            with self.subTest(method=method):
                match = getattr(self.mock, method)(HERE, status=201)
                self.assertIsInstance(match, RequestMatch)
                async with aiohttp.ClientSession() as session:
                    response = await getattr(session, method)(HERE)
                self.assertEqual((response.status, response.method), (201, method.upper()))

    async def test_the_shortcuts_go_through_the_instance_s_own_add(self):
        seen = []
        self.mock.add = lambda url, method="GET", **kwargs: seen.append((url, method, kwargs))
        for method in ("get", "post", "put", "patch", "delete", "head", "options"):
            getattr(self.mock, method)(HERE, status=201)
        self.assertEqual(
            seen,
            [
                (HERE, method, {"status": 201})
                for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
            ],
        )

    async def test_first_registered_is_first_matched(self):
        self.mock.get(re.compile(".*"), body="1")
        self.mock.get(HERE, body="2")
        self.mock.get(re.compile("http://example"), body="3")
        self.mock.get(HERE, body="4", repeat=True)
        self.assertEqual([await get() for _ in range(5)], ["1", "2", "3", "4", "4"])

    async def test_repeat(self):
        self.mock.get(HERE, body="twice", repeat=2)
        self.mock.get(HERE, body="once", repeat=False)
        self.mock.get(HERE, body="always", repeat=True)
        self.assertEqual([await get() for _ in range(5)], ["twice", "twice", "once", "always", "always"])

    async def test_wrong_arguments_are_refused_and_nothing_is_registered(self):
        for kwargs, error, message in [
            ({"repeat": 0}, ValueError, "repeat: expected a bool, or an int of at least 1, got 0"),
            ({"repeat": -1}, ValueError, "repeat: expected a bool, or an int of at least 1, got -1"),
            ({"repeat": "2"}, TypeError, "repeat: expected a bool, or an int of at least 1, got '2'"),
            ({"repeat": None}, TypeError, "repeat: expected a bool, or an int of at least 1, got None"),
            ({"callback": 5}, TypeError, "callback: expected a function or a coroutine function, got 5"),
            ({"exception": "x"}, TypeError, "exception: expected an exception or a class of exceptions, got 'x'"),
            ({"exception": int}, TypeError, f"exception: expected an exception or a class of exceptions, got {int!r}"),
            ({"status": 99}, ValueError, "status: expected an int from 200 to 999, got 99"),
        ]:
            with self.subTest(**kwargs):
                with self.assertRaises(error) as raised:
                    self.mock.get(HERE, **kwargs)
                self.assertEqual((type(raised.exception), str(raised.exception)), (error, message))
                self.assertEqual(self.mock._matches, {})

    async def test_clear_forgets_mocks_and_leaves_requests(self):
        self.mock.get(HERE, repeat=True)
        await get()
        requests = dict(self.mock.requests)
        self.assertEqual(len(self.mock._responses), 1)
        self.mock.clear()
        self.assertEqual((self.mock._matches, self.mock._responses, self.mock.requests), ({}, [], requests))
        with self.assertRaises(aiohttp.ClientConnectionError):
            await get()

    async def test_matches_can_be_looked_through_and_taken_out(self):
        self.mock.get(HERE + "?b=1&a=2")
        self.mock.post(HERE)
        pattern = re.compile(".*")
        self.mock.put(pattern)
        self.assertEqual(
            [(match.method, match.url_or_pattern) for match in self.mock._matches.values()],
            [("get", URL(HERE + "?a=2&b=1")), ("post", URL(HERE)), ("put", pattern)],
        )
        for key, match in list(self.mock._matches.items()):
            if match.method == "get":
                del self.mock._matches[key]
        with self.assertRaises(aiohttp.ClientConnectionError):
            await get(HERE + "?a=2&b=1")

    async def test_a_mock_that_is_used_up_is_no_longer_among_the_matches(self):
        self.mock.get(HERE, repeat=2)
        lengths = []
        for _ in range(2):
            await get()
            lengths.append(len(self.mock._matches))
        self.assertEqual(lengths, [1, 0])

    async def test_stop_forgets_mocks_and_leaves_requests(self):
        with aioresponses() as mock:
            mock.get(HERE, repeat=True)
            await get()
        self.assertEqual((mock._matches, mock._responses, mock.call_count), ({}, [], 1))


class RecordingTest(AioResponsesTestCase):
    async def test_requests_is_a_plain_dict_in_order_of_first_call(self):
        self.mock.get(re.compile(".*"), repeat=True)
        await get(HERE + "b?y=1&x=2")
        await get(HERE + "a", params={"q": 1})
        await get(HERE + "b?x=2&y=1")
        self.assertIs(type(self.mock.requests), dict)
        call = RequestCall((), {"allow_redirects": True})
        self.assertEqual(
            list(self.mock.requests.items()),
            [
                (("GET", URL(HERE + "b?x=2&y=1")), [call, call]),
                (("GET", URL(HERE + "a?q=1")), [RequestCall((), {"params": {"q": 1}, "allow_redirects": True})]),
            ],
        )

    async def test_requests_can_be_assigned_and_cleared(self):
        self.mock.get(HERE, repeat=True)
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
            await get(HERE + path + "?z=1&y=2#top")
        self.assertEqual(
            [(call.method, call.url) for call in self.mock.calls],
            [("GET", HERE + path + "?z=1&y=2") for path in ("b", "a", "b")],
        )
        self.assertEqual((self.mock.called, self.mock.call_count), (True, 3))

    async def test_of_a_url_that_aiohttp_refuses_nothing_is_recorded(self):
        with self.assertRaises((TypeError, ValueError)):
            await get(5)
        self.assertEqual(self.mock.requests, {})

    async def test_a_url_without_a_scheme_is_recorded_and_refused_by_aiohttp(self):
        self.mock.get("/path")
        with self.assertRaises((ValueError, aiohttp.InvalidURL)):
            await get("/path")
        self.assertEqual(list(self.mock.requests), [("GET", URL("/path"))])


class AssertionsOfTheMockTest(AioResponsesTestCase):
    async def asyncSetUp(self):
        self.mock.add(re.compile(".*"), "GET", repeat=True)
        self.mock.add(re.compile(".*"), "POST", repeat=True)

    async def post(self, **kwargs):
        async with aiohttp.ClientSession() as session:
            await session.post(HERE, **kwargs)

    async def test_called_once_with_what_the_caller_gave(self):
        await self.post(json={"a": [1]}, params={"q": 1}, headers={"X-Id": "7"})
        self.mock.assert_called()
        self.mock.assert_called_once()
        self.mock.assert_any_call(HERE, "POST", params={"q": 1})
        self.mock.assert_called_with(HERE, "POST", json={"a": [1]}, params={"q": 1}, headers={"X-Id": "7"})
        self.mock.assert_called_once_with(HERE, "POST", json={"a": [1]}, params={"q": 1}, headers={"X-Id": "7"})
        self.mock.assert_called_with(HERE, "post", args_to_match=["json"], json={"a": [1]}, params={"q": 1})

    async def test_the_last_call_is_the_one_that_counts(self):
        await self.post(json=1)
        await self.post(json=2)
        self.mock.assert_called_with(HERE, "POST", json=2)
        with self.assertRaises(AssertionError):
            self.mock.assert_called_with(HERE, "POST", json=1)

    async def test_arguments_of_another_value_or_number_do_not_match(self):
        await self.post(json=1)
        for kwargs in ({}, {"json": 2}, {"json": 1, "headers": {}}, {"json": 1, "allow_redirects": False}):
            with self.subTest(**kwargs), self.assertRaises(AssertionError):
                self.mock.assert_called_with(HERE, "POST", **kwargs)
        for names in (["json"], ["timeout"]):
            with self.subTest(args_to_match=names), self.assertRaises(AssertionError):
                self.mock.assert_called_with(HERE, "POST", args_to_match=names, json=2)

    async def test_without_calls(self):
        self.mock.assert_not_called()
        for check in (self.mock.assert_called, self.mock.assert_called_once):
            with self.assertRaises(AssertionError):
                check()
        with self.assertRaises(AssertionError):
            self.mock.assert_called_with(HERE)

    async def test_with_too_many_calls(self):
        await get()
        await get()
        for check in (self.mock.assert_not_called, self.mock.assert_called_once):
            with self.assertRaises(AssertionError):
                check()
        with self.assertRaises(AssertionError):
            self.mock.assert_called_once_with(HERE)


class CallbackResultTest(AioResponsesTestCase):
    async def test_takes_the_place_of_the_registered_reply(self):
        self.mock.get(HERE, status=500, callback=lambda url, **kwargs: CallbackResult(body=str(url)))
        self.assertEqual(await get(), HERE)

    async def test_none_leaves_the_registered_reply(self):
        self.mock.get(HERE, body="registered", callback=lambda url, **kwargs: None)
        self.assertEqual(await get(), "registered")
