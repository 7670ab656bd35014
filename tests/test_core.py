import asyncio
import inspect
import re
import unittest
from unittest.mock import ANY, call

import aiohttp
from aiohttp import web
from yarl import URL

from aioresponses import AioResponsesTestCase, CallbackResult, RequestCall, RequestMatch, aioresponses

from .support import RealServerTestCase

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
            ({"status": 99}, ValueError, "status: expected an int from 200 to 999, or 101, got 99"),
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

    async def test_the_keys_of_requests_have_the_port_as_the_caller_wrote_it(self):
        self.mock.get("http://example.com/", repeat=True)
        await get("http://example.com:80/")
        await get("http://example.com/")
        self.assertEqual(
            list(self.mock.requests),
            [("GET", URL("http://example.com:80/")), ("GET", URL("http://example.com/"))],
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


class MessagesOfTheMockTest(AioResponsesTestCase):
    """The whole messages of the assertions that the mock itself has."""

    maxDiff = None

    async def asyncSetUp(self):
        self.mock.add(re.compile(".*"), "GET", repeat=True)
        self.mock.add(re.compile(".*"), "POST", repeat=True)

    async def post(self, url=HERE, **kwargs):
        async with aiohttp.ClientSession() as session:
            await session.post(url, **kwargs)

    def check_fails(self, message, check, *args, **kwargs):
        with self.assertRaises(AssertionError) as raised:
            check(*args, **kwargs)
        self.assertEqual(str(raised.exception), message)

    async def test_assert_called(self):
        self.check_fails("Expected at least one call.\nThere were no calls.", self.mock.assert_called)

    async def test_assert_called_once(self):
        self.check_fails("Expected one call, but there were 0.\nThere were no calls.", self.mock.assert_called_once)
        await get()
        await get()
        self.check_fails(
            "Expected one call, but there were 2.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200\n"
            "  2. GET http://example.com/ -> 200",
            self.mock.assert_called_once,
        )

    async def test_assert_not_called(self):
        await get()
        self.check_fails(
            "Expected no calls, but there was 1.\nCalls:\n  1. GET http://example.com/ -> 200",
            self.mock.assert_not_called,
        )

    async def test_assert_called_with(self):
        self.check_fails(
            "Expected POST http://example.com/ to be called, but it was never called.\nThere were no calls.",
            self.mock.assert_called_with, HERE, "post",
        )
        await self.post(json={"a": 1})
        for check in (self.mock.assert_called_with, self.mock.assert_called_once_with):
            self.check_fails(
                "Expected POST http://example.com/ to be called with other arguments (- expected, + made):\n"
                "{'allow_redirects': True, 'json': {'a': 2}, 'data': None} != "
                "{'data': None, 'json': {'a': 1}, 'allow_redirects': True}\n"
                "- {'allow_redirects': True, 'data': None, 'json': {'a': 2}}\n"
                "?                                                       ^\n"
                "\n"
                "+ {'allow_redirects': True, 'data': None, 'json': {'a': 1}}\n"
                "?                                                       ^\n"
                "\n"
                "Calls:\n"
                "  1. POST http://example.com/ -> 200",
                check, HERE, "POST", json={"a": 2},
            )

    async def test_assert_called_with_args_to_match(self):
        await self.post(json={"a": 1})
        self.check_fails(
            "Expected POST http://example.com/ to be called with other arguments (- expected, + made):\n"
            "{'json': 2} != {'json': {'a': 1}}\n"
            "- {'json': 2}\n"
            "+ {'json': {'a': 1}}\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.mock.assert_called_with, HERE, "POST", args_to_match=["json"], json=2, timeout=5,
        )
        self.check_fails(
            "args_to_match: the call of POST http://example.com/ that was made has no timeout.\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.mock.assert_called_with, HERE, "POST", args_to_match=["timeout"], timeout=5,
        )
        self.check_fails(
            "args_to_match: the call of POST http://example.com/ that was expected has no json, timeout.\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.mock.assert_called_with, HERE, "POST", args_to_match=["json", "timeout"],
        )

    async def test_assert_any_call(self):
        self.check_fails(
            "Expected GET http://example.com/, but there was no such call.\nThere were no calls.",
            self.mock.assert_any_call, HERE,
        )
        await self.post(json=1, headers={"X-Id": "1"})
        await self.post(json=2)
        self.check_fails(
            "Expected POST http://example.com/, json=3, headers={'X-Id': '1'}, but there was no such call.\n"
            "The last one was (- expected, + made):\n"
            "{'json': 3, 'headers': {'X-Id': '1'}} != {'json': 2}\n"
            "- {'headers': {'X-Id': '1'}, 'json': 3}\n"
            "+ {'json': 2}\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200\n"
            "  2. POST http://example.com/ -> 200",
            self.mock.assert_any_call, HERE, "POST", json=3, headers={"X-Id": "1"},
        )

    async def test_assert_has_calls(self):
        await get(HERE + "a")
        await get(HERE + "b")
        calls = "Calls:\n  1. GET http://example.com/a -> 200\n  2. GET http://example.com/b -> 200"
        self.check_fails(
            "Expected these calls one after another, but they were not made so:\n"
            "  GET http://example.com/b\n"
            "  POST http://example.com/a, json={'x': 1}\n" + calls,
            self.mock.assert_has_calls, [call(HERE + "b"), call(HERE + "a", "POST", json={"x": 1})],
        )
        self.check_fails(
            "Expected GET http://example.com/a, timeout=5 among the calls, but there was no such call.\n"
            "The last one was (- expected, + made):\n"
            "{'timeout': 5} != {}\n"
            "- {'timeout': 5}\n"
            "+ {}\n" + calls,
            self.mock.assert_has_calls, [call(HERE + "b"), call(HERE + "a", timeout=5)], any_order=True,
        )

    async def test_a_long_difference_is_cut(self):
        await self.post(json=1)
        with self.assertRaises(AssertionError) as raised:
            self.mock.assert_called_with(HERE, "POST", json={str(number): "x" * 50 for number in range(1000)})
        message = str(raised.exception)
        self.assertRegex(message, r"… \([0-9]+ more characters\)\nCalls:\n  1\. POST http://example\.com/ -> 200\Z")
        self.assertNotIn("maxDiff", message)

    async def test_secrets_are_not_shown(self):
        first = {
            "headers": {"Authorization": "s3cret1", "COOKIE": "s3cret1", "Accept": "*/*"},
            "cookies": {"a": "s3cret1"},
            "json": 1,
        }
        second = {
            "headers": {"authorization": "s3cret2", "cookie": "s3cret2", "Accept": "*/*"},
            "cookies": {"a": "s3cret2"},
            "json": 2,
            "auth": ("me", "s3cret2"),
            "proxy_auth": ("me", "s3cret2"),
            "proxy": "http://me:s3cret2@proxy.example.com",
            "proxy_headers": [("Proxy-Authorization", "s3cret2")],
        }
        await self.post(**first)
        for check in (
            lambda: self.mock.assert_called_with(HERE, "POST", **second),
            lambda: self.mock.assert_any_call(HERE, "POST", **second),
            lambda: self.mock.assert_has_calls([call(HERE, "POST", **second)]),
            lambda: self.mock.assert_has_calls([call(HERE, "POST", **second)], any_order=True),
            lambda: self.mock.assert_called_with("http://me:s3cret2@example.com/"),
            lambda: self.mock.assert_any_call("http://me:s3cret2@example.com/"),
        ):
            with self.assertRaises(AssertionError) as raised:
                check()
            self.assertNotIn("s3cret", str(raised.exception))

    async def test_secrets_that_differ_are_seen_to_differ(self):
        await self.post(headers={"Authorization": "s3cret1"})
        self.check_fails(
            "Expected POST http://example.com/ to be called with other arguments (- expected, + made):\n"
            "{'headers': {'Authorization': '…'}} != {'headers': {'Authorization': '… (another)'}}\n"
            "- {'headers': {'Authorization': '…'}}\n"
            "+ {'headers': {'Authorization': '… (another)'}}\n"
            "?                                 ++++++++++\n"
            "\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.mock.assert_called_with,
            HERE, "POST", args_to_match=["headers"], headers={"Authorization": "s3cret2"},
        )


class LookingForCallsTest(AioResponsesTestCase):
    async def asyncSetUp(self):
        self.mock.add(re.compile(".*"), "GET", repeat=True)
        self.mock.add(re.compile(".*"), "POST", repeat=True)
        async with aiohttp.ClientSession() as session:
            await session.post(HERE + "login", json={"user": "ada"})
            await session.get(HERE + "users?b=2", params={"a": "1"})
            await session.get(HERE + "users", headers={"X-Id": "7"})

    LOGIN = call(HERE + "login", "POST")

    def test_has_calls_one_after_another(self):
        self.mock.assert_has_calls([])
        self.mock.assert_has_calls([self.LOGIN, call(HERE + "users?a=1&b=2")])
        self.mock.assert_has_calls([call(URL(HERE + "users?b=2"), params={"a": "1"}), call(HERE + "users#top")])
        self.mock.assert_has_calls([call(re.compile(".*/users")), call(re.compile(".*/users"), method="get")])
        for calls in (
            [self.LOGIN, call(HERE + "users")],
            [call(HERE + "users"), self.LOGIN],
            [self.LOGIN] * 4,
            [call(HERE + "login")],
        ):
            with self.subTest(calls=calls), self.assertRaises(AssertionError):
                self.mock.assert_has_calls(calls)

    def test_has_calls_in_any_order(self):
        self.mock.assert_has_calls([call(HERE + "users"), self.LOGIN], any_order=True)
        self.mock.assert_has_calls(iter([self.LOGIN]), any_order=True)
        with self.assertRaises(AssertionError):
            self.mock.assert_has_calls([self.LOGIN, self.LOGIN], any_order=True)

    def test_in_any_order_each_call_stands_for_one(self):
        anything = call(re.compile(".*/users"))
        with_a_header = call(re.compile(".*/users"), headers={"X-Id": "7"})
        self.mock.assert_has_calls([anything, with_a_header], any_order=True)
        self.mock.assert_has_calls([with_a_header, anything], any_order=True)
        with self.assertRaises(AssertionError):
            self.mock.assert_has_calls([with_a_header, anything, anything], any_order=True)

    def test_keyword_arguments_that_are_given_are_compared(self):
        self.mock.assert_has_calls([call(HERE + "login", "POST", json={"user": ANY})])
        self.mock.assert_any_call(HERE + "login", "POST", json={"user": "ada"})
        self.mock.assert_any_call(HERE + "login", "POST", data=None, allow_redirects=True)
        self.mock.assert_any_call(HERE + "users", headers=ANY)
        for kwargs in ({"json": {"user": "bob"}}, {"json": {"user": "ada"}, "timeout": 5}, {"headers": None}):
            with self.subTest(**kwargs):
                with self.assertRaises(AssertionError):
                    self.mock.assert_any_call(HERE + "login", "POST", **kwargs)
                with self.assertRaises(AssertionError):
                    self.mock.assert_has_calls([call(HERE + "login", "POST", **kwargs)])

    def test_called_with_of_a_get_has_no_data(self):
        self.mock.assert_called_with(HERE + "users", headers={"X-Id": "7"})
        self.mock.assert_called_with(HERE + "users", headers=ANY)
        with self.assertRaises(AssertionError):
            self.mock.assert_called_with(HERE + "users", headers={"X-Id": "7"}, data=None)

    def test_wrong_objects(self):
        expected = "calls: expected unittest.mock.call(url, method=…, …), got "
        for wrong, message in [
            (HERE, f"{expected}'http://example.com/'"),
            (("POST", HERE), f"{expected}('POST', 'http://example.com/')"),
            (None, f"{expected}None"),
            (call.post(HERE), f"{expected}call.post('http://example.com/')"),
            (call(), f"{expected}call(): missing a required argument: 'url'"),
            (call(HERE, "GET", 5), f"{expected}call('http://example.com/', 'GET', 5): too many positional arguments"),
            (
                call(5),
                f"{expected}call(5): url: expected a str, a yarl.URL or a compiled pattern, got 5",
            ),
            (
                call(HERE, method=5),
                f"{expected}call('http://example.com/', method=5): method: expected a str such as 'GET', got 5",
            ),
        ]:
            for any_order in (False, True):
                with self.subTest(wrong=wrong, any_order=any_order):
                    with self.assertRaises(TypeError) as raised:
                        self.mock.assert_has_calls([wrong], any_order=any_order)
                    self.assertEqual(str(raised.exception), message)
        for check in (self.mock.assert_any_call, self.mock.assert_called_with, self.mock.assert_called_once_with):
            with self.subTest(check=check.__name__), self.assertRaises((TypeError, AssertionError)):
                check(5)

    def test_call_args_and_call_args_list(self):
        self.assertEqual(self.mock.call_args, ((), {"headers": {"X-Id": "7"}, "allow_redirects": True}))
        self.assertIs(self.mock.call_args, self.mock.calls[-1])
        self.assertEqual(self.mock.call_args.kwargs["headers"], {"X-Id": "7"})
        self.assertEqual([call.url for call in self.mock.call_args_list], [call.url for call in self.mock.calls])
        self.assertEqual(len(self.mock.call_args_list), 3)

    def test_call_args_without_calls(self):
        mock = aioresponses()
        self.assertIsNone(mock.call_args)
        self.assertEqual(mock.call_args_list, [])


class StrictnessTest(RealServerTestCase):
    maxDiff = None

    UNUSED = "Expected every mock to be used, but 1 was not:\n  GET http://example.com/\n"
    UNMATCHED = "Expected mocks for all calls, but 1 has none:\n  GET http://example.com/x -> no mock answered\n"
    NO_CALLS = "There were no calls."
    CALL = "Calls:\n  1. GET http://example.com/x -> no mock answered"

    async def swallow(self):
        """Ask for what no mock answers, as code that does not mind."""
        try:
            await get(HERE + "x")
        except aiohttp.ClientConnectionError:
            pass

    async def message(self, **settings):
        """Return the message with which a block is left that has an unused mock and an unmatched call."""
        try:
            with aioresponses(**settings) as mock:
                mock.get(HERE)
                await self.swallow()
        except AssertionError as error:
            return str(error)
        return None

    def check_hooks_are_gone(self):
        self.assertEqual(aiohttp.ClientSession._request.__module__, "aiohttp.client")

    async def test_is_off_by_default(self):
        self.assertIsNone(await self.message())

    async def test_each_kind_and_both(self):
        self.assertEqual(await self.message(assert_all_called=True), self.UNUSED + self.CALL)
        self.assertEqual(await self.message(assert_all_mocked=True), self.UNMATCHED + self.CALL)
        self.assertEqual(await self.message(strict=True), self.UNUSED + self.UNMATCHED + self.CALL)
        self.check_hooks_are_gone()

    async def test_all_is_well(self):
        with aioresponses(strict=True) as mock:
            mock.get(HERE)
            mock.get(HERE + "optional", optional=True)
            mock.get(HERE + "removed").remove()
            await get()
        with aioresponses(strict=True):
            pass

    async def test_async_with(self):
        with self.assertRaises(AssertionError) as raised:
            async with aioresponses(strict=True) as mock:
                mock.get(HERE)
        self.assertEqual(str(raised.exception), self.UNUSED + self.NO_CALLS)
        self.check_hooks_are_gone()

    async def test_decorated_coroutine_function(self):
        @aioresponses(strict=True)
        async def function(mock):
            mock.get(HERE)

        with self.assertRaises(AssertionError) as raised:
            await function()
        self.assertEqual(str(raised.exception), self.UNUSED + self.NO_CALLS)
        self.check_hooks_are_gone()

    async def test_decorated_function_that_calls_itself(self):
        @aioresponses(strict=True)
        def function(depth, mock):
            if depth:
                function(depth - 1)
            else:
                mock.get(HERE)

        with self.assertRaises(AssertionError) as raised:
            function(1)
        self.assertEqual(str(raised.exception), self.UNUSED + self.NO_CALLS)
        self.check_hooks_are_gone()

    async def test_an_exception_that_is_on_its_way_is_the_one_to_see(self):
        @aioresponses(strict=True)
        def function(mock):
            mock.get(HERE)
            raise KeyError("plain")

        @aioresponses(strict=True)
        async def coroutine_function(mock):
            mock.get(HERE)
            raise KeyError("coroutine")

        with self.assertRaisesRegex(KeyError, "plain"):
            function()
        with self.assertRaisesRegex(KeyError, "coroutine"):
            await coroutine_function()
        with self.assertRaisesRegex(KeyError, "with"):
            with aioresponses(strict=True) as mock:
                mock.get(HERE)
                raise KeyError("with")
        with self.assertRaisesRegex(KeyError, "async"):
            async with aioresponses(strict=True) as mock:
                mock.get(HERE)
                raise KeyError("async")
        self.check_hooks_are_gone()

    async def test_calls_of_an_earlier_use_do_not_count(self):
        mock = aioresponses(strict=True)
        with self.assertRaises(AssertionError):
            with mock:
                await self.swallow()
        with mock:
            pass

    async def test_stop_does_not_look(self):
        mock = aioresponses(strict=True)
        mock.start()
        mock.get(HERE)
        mock.stop()

    async def test_a_redirect_to_nowhere_is_unmatched(self):
        with self.assertRaises(AssertionError) as raised:
            with aioresponses(strict=True) as mock:
                mock.get(HERE, status=302, headers={"Location": "/x"})
                with self.assertRaises(aiohttp.ClientConnectionError):
                    await get()
        line = "GET http://example.com/ -> 302, GET http://example.com/x -> no mock answered"
        self.assertEqual(
            str(raised.exception),
            f"Expected mocks for all calls, but 1 has none:\n  {line}\nCalls:\n  1. {line}",
        )

    async def test_what_was_passed_through_is_not_unmatched(self):
        async def hello(request):
            return web.Response(text="hello")

        server = await self.serve(web.get("/", hello))
        for settings in ({"passthrough": ["http://127.0.0.1"]}, {"passthrough_unmatched": True}):
            with aioresponses(strict=True, **settings):
                self.assertEqual(await get(server.make_url("/")), "hello")


class RequestMatchTest(AioResponsesTestCase):
    async def test_of_a_mock_that_answers_once(self):
        match = self.mock.get(HERE)
        self.assertEqual(
            (match.called, match.call_count, match.calls, match.remaining, repr(match)),
            (False, 0, [], 1, "<RequestMatch GET http://example.com/, used 0 of 1>"),
        )
        await get()
        self.assertEqual(
            (match.called, match.call_count, match.calls, match.remaining, repr(match)),
            (True, 1, self.mock.calls, 0, "<RequestMatch GET http://example.com/, used 1 of 1>"),
        )
        self.assertIs(self.mock.calls[0].match, match)

    async def test_of_a_mock_that_answers_several_times(self):
        match = self.mock.get(re.compile("http://example"), repeat=3)
        self.assertEqual(match.remaining, 3)
        await get()
        await get()
        self.assertEqual(
            (match.call_count, match.remaining, repr(match)),
            (2, 1, "<RequestMatch GET re.compile('http://example'), used 2 of 3>"),
        )

    async def test_of_a_mock_that_answers_without_end(self):
        match = self.mock.add(HERE, "propfind", repeat=True)
        self.assertIsNone(match.remaining)
        self.assertEqual(repr(match), "<RequestMatch PROPFIND http://example.com/, used 0 times>")
        async with aiohttp.ClientSession() as session:
            for _ in range(2):
                await session.request("PROPFIND", HERE)
        self.assertIsNone(match.remaining)
        self.assertEqual(repr(match), "<RequestMatch PROPFIND http://example.com/, used 2 times>")

    async def test_calls_of_others_are_not_its_own(self):
        first, second = self.mock.get(HERE + "a"), self.mock.get(HERE + "b")
        await get(HERE + "b")
        self.assertEqual((first.called, second.called), (False, True))
        self.assertIs(second.calls[0], self.mock.calls[0])

    async def test_remove_takes_the_mock_out_of_service(self):
        first, second = self.mock.get(HERE, body="1", repeat=True), self.mock.get(HERE, body="2", repeat=True)
        self.assertEqual(await get(), "1")
        first.remove()
        first.remove()
        self.assertEqual(await get(), "2")
        second.remove()
        with self.assertRaises(aiohttp.ClientConnectionError):
            await get()
        self.assertEqual((first.call_count, second.call_count, self.mock.unused_mocks), (1, 1, []))

    async def test_remove_of_a_mock_that_is_used_up_is_without_effect(self):
        match = self.mock.get(HERE)
        await get()
        match.remove()
        self.assertEqual(match.call_count, 1)

    async def test_credentials_are_not_shown(self):
        self.assertEqual(
            repr(self.mock.get("http://me:s3cret@example.com/")),
            "<RequestMatch GET http://…@example.com/, used 0 of 1>",
        )


class ClassDecoratorTest(unittest.TestCase):
    def run_tests(self, case_class):
        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(case_class).run(result)
        return result

    def check_passes(self, case_class, tests):
        result = self.run_tests(case_class)
        self.assertEqual((result.errors, result.failures, result.testsRun), ([], [], tests))

    def test_gives_every_test_method_a_mock(self):
        @aioresponses()
        class Case(unittest.IsolatedAsyncioTestCase):
            async def test_coroutine_function(self, mock):
                mock.get(HERE, body="x")
                self.assertEqual(await self.helper(), "x")

            def test_function(self, mock):
                mock.get(HERE, body="y")
                self.assertEqual(asyncio.run(self.helper()), "y")

            async def helper(self):
                return await get()

        self.assertIsInstance(Case, type)
        self.check_passes(Case, 2)

    def test_gives_it_by_name(self):
        @aioresponses(param="server")
        class Case(unittest.TestCase):
            def test(self, *, server):
                self.assertIsInstance(server, aioresponses)

        self.check_passes(Case, 1)

    def test_no_test_sees_calls_of_another(self):
        @aioresponses(strict=True)
        class Case(unittest.TestCase):
            def check(self, mock):
                self.assertEqual(mock.calls, [])
                mock.get(HERE)
                asyncio.run(get())

            def test_1(self, mock):
                self.check(mock)

            def test_2(self, mock):
                self.check(mock)

        self.check_passes(Case, 2)
        self.check_passes(Case, 2)

    def test_decorates_static_and_class_methods(self):
        seen = []

        @aioresponses()
        class Case(unittest.TestCase):
            @staticmethod
            def test_static(mock):
                seen.append(type(mock))

            @classmethod
            def test_class(cls, mock):
                seen.append(type(mock))

        self.check_passes(Case, 2)
        self.assertEqual(seen, [aioresponses, aioresponses])

    def test_what_cannot_be_called_is_refused(self):
        with self.assertRaises(TypeError) as raised:
            aioresponses()(5)
        self.assertEqual(
            str(raised.exception),
            "aioresponses decorates functions, coroutine functions and subclasses of unittest.TestCase, got 5",
        )

    def test_decorates_inherited_methods_and_leaves_the_base_class(self):
        class Base(unittest.TestCase):
            def test_inherited(self, mock=None):
                self.seen = mock

        before = Base.test_inherited

        @aioresponses()
        class Case(Base):
            pass

        self.assertIs(Base.test_inherited, before)
        for case_class, expected in ((Base, type(None)), (Case, aioresponses)):
            case = case_class("test_inherited")
            case.run(unittest.TestResult())
            self.assertIsInstance(case.seen, expected)

    def test_strictness_is_a_failure_of_the_test(self):
        @aioresponses(strict=True)
        class Case(unittest.TestCase):
            def test_bad(self, mock):
                mock.get(HERE)

            def test_good(self, mock):
                pass

            @unittest.expectedFailure
            def test_expected(self, mock):
                mock.get(HERE)

        result = self.run_tests(Case)
        [(case, output)] = result.failures
        self.assertEqual(case.id().rpartition(".")[2], "test_bad")
        self.assertIn("Expected every mock to be used, but 1 was not:\n  GET http://example.com/\n", output)
        self.assertEqual((len(result.expectedFailures), result.errors), (1, []))

    def test_takes_no_other_classes(self):
        class Other:
            def test(self):
                pass

        before = dict(vars(Other))
        with self.assertRaises(TypeError) as raised:
            aioresponses()(Other)
        self.assertEqual(
            str(raised.exception),
            "aioresponses decorates functions, coroutine functions and subclasses of unittest.TestCase, "
            f"got {Other!r}",
        )
        self.assertEqual(dict(vars(Other)), before)


class CallbackResultTest(AioResponsesTestCase):
    async def test_takes_the_place_of_the_registered_reply(self):
        self.mock.get(HERE, status=500, callback=lambda url, **kwargs: CallbackResult(body=str(url)))
        self.assertEqual(await get(), HERE)

    async def test_none_leaves_the_registered_reply(self):
        self.mock.get(HERE, body="registered", callback=lambda url, **kwargs: None)
        self.assertEqual(await get(), "registered")
