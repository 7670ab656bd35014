"""The assertions of the mock itself: what they accept, and the whole messages with which they fail."""

import re
from unittest.mock import ANY, call

import aiohttp
from yarl import URL

from aioresponses import AioResponsesTestCase

from ..support import SITE, get


class AssertionsOfTheMockTest(AioResponsesTestCase):
    async def asyncSetUp(self):
        self.mock.add(re.compile(".*"), "GET", repeat=True)
        self.mock.add(re.compile(".*"), "POST", repeat=True)

    async def post(self, **kwargs):
        async with aiohttp.ClientSession() as session:
            await session.post(SITE, **kwargs)

    async def test_called_once_with_what_the_caller_gave(self):
        await self.post(json={"a": [1]}, params={"q": 1}, headers={"X-Id": "7"})
        self.mock.assert_called()
        self.mock.assert_called_once()
        self.mock.assert_any_call(SITE, "POST", params={"q": 1})
        self.mock.assert_called_with(SITE, "POST", json={"a": [1]}, params={"q": 1}, headers={"X-Id": "7"})
        self.mock.assert_called_once_with(SITE, "POST", json={"a": [1]}, params={"q": 1}, headers={"X-Id": "7"})
        self.mock.assert_called_with(SITE, "post", args_to_match=["json"], json={"a": [1]}, params={"q": 1})

    async def test_the_last_call_is_the_one_that_counts(self):
        await self.post(json=1)
        await self.post(json=2)
        self.mock.assert_called_with(SITE, "POST", json=2)
        with self.assertRaises(AssertionError):
            self.mock.assert_called_with(SITE, "POST", json=1)

    async def test_arguments_of_another_value_or_number_do_not_match(self):
        await self.post(json=1)
        for kwargs in ({}, {"json": 2}, {"json": 1, "headers": {}}, {"json": 1, "allow_redirects": False}):
            with self.subTest(**kwargs), self.assertRaises(AssertionError):
                self.mock.assert_called_with(SITE, "POST", **kwargs)
        for names in (["json"], ["timeout"]):
            with self.subTest(args_to_match=names), self.assertRaises(AssertionError):
                self.mock.assert_called_with(SITE, "POST", args_to_match=names, json=2)

    async def test_assertions_without_calls(self):
        self.mock.assert_not_called()
        for check in (self.mock.assert_called, self.mock.assert_called_once):
            with self.assertRaises(AssertionError):
                check()
        with self.assertRaises(AssertionError):
            self.mock.assert_called_with(SITE)

    async def test_assertions_with_too_many_calls(self):
        await get()
        await get()
        for check in (self.mock.assert_not_called, self.mock.assert_called_once):
            with self.assertRaises(AssertionError):
                check()
        with self.assertRaises(AssertionError):
            self.mock.assert_called_once_with(SITE)


class MessagesOfTheMockTest(AioResponsesTestCase):
    """The whole messages of the assertions that the mock itself has."""

    maxDiff = None

    async def asyncSetUp(self):
        self.mock.add(re.compile(".*"), "GET", repeat=True)
        self.mock.add(re.compile(".*"), "POST", repeat=True)

    async def post(self, url=SITE, **kwargs):
        async with aiohttp.ClientSession() as session:
            await session.post(url, **kwargs)

    def check_fails(self, message, check, *args, **kwargs):
        with self.assertRaises(AssertionError) as raised:
            check(*args, **kwargs)
        self.assertEqual(str(raised.exception), message)

    async def test_assert_called(self):
        self.check_fails("Expected at least one call.\nThere were no calls.", self.mock.assert_called)

    async def test_assert_called_once(self):
        self.check_fails("Expected one call, but there were none.\nThere were no calls.", self.mock.assert_called_once)
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
            self.mock.assert_called_with, SITE, "post",
        )
        await self.post(json={"a": 1})
        for check in (self.mock.assert_called_with, self.mock.assert_called_once_with):
            self.check_fails(
                "Arguments of the last call to POST http://example.com/ differ (- expected, + made):\n"
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
                check, SITE, "POST", json={"a": 2},
            )

    async def test_args_to_match_may_be_given_by_position_as_in_0_7(self):
        await self.post(json=1, timeout=aiohttp.ClientTimeout(5))
        self.mock.assert_called_with(SITE, "POST", ["json"], json=1)
        self.mock.assert_called_once_with(SITE, "POST", ["json"], json=1)
        for given in ((["json"],), (["json"], "by position"), (None,)):
            with self.subTest(given), self.assertRaises(AssertionError):
                self.mock.assert_called_with(SITE, "POST", *given, json=2)
        with self.assertRaises(AssertionError):
            self.mock.assert_called_with(SITE, "POST", ["json"], "by position", json=1)

    async def test_assert_called_with_args_to_match(self):
        await self.post(json={"a": 1})
        self.check_fails(
            "Arguments of the last call to POST http://example.com/ differ (- expected, + made):\n"
            "{'json': 2} != {'json': {'a': 1}}\n"
            "- {'json': 2}\n"
            "+ {'json': {'a': 1}}\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.mock.assert_called_with, SITE, "POST", args_to_match=["json"], json=2, timeout=5,
        )
        self.check_fails(
            "args_to_match: the last call to POST http://example.com/ has no timeout.\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.mock.assert_called_with, SITE, "POST", args_to_match=["timeout"], timeout=5,
        )
        self.check_fails(
            "args_to_match: the expected call to POST http://example.com/ has no json, timeout.\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.mock.assert_called_with, SITE, "POST", args_to_match=["json", "timeout"],
        )

    async def test_the_default_of_method(self):
        await self.post(json=1)
        hint = "It was called with POST; GET is the default of method, so pass method='POST'."
        calls = "Calls:\n  1. POST http://example.com/ -> 200"
        never = f"Expected GET {SITE} to be called, but it was never called."
        self.check_fails(f"{never}\n{hint}\n{calls}", self.mock.assert_called_with, SITE, json=1)
        self.check_fails(f"{never}\n{hint}\n{calls}", self.mock.assert_called_once_with, SITE, json=1)
        self.check_fails(
            f"Expected GET {SITE}, json=1, but there was no such call.\n{hint}\n{calls}",
            self.mock.assert_any_call, SITE, json=1,
        )
        self.check_fails(
            f"Expected GET {SITE} among the calls, but there was no such call.\n{hint}\n{calls}",
            self.mock.assert_has_calls, [call(SITE)], any_order=True,
        )
        self.check_fails(
            f"These calls were not made consecutively:\n  GET {SITE}\n{hint}\n{calls}",
            self.mock.assert_has_calls, [call(SITE)],
        )
        self.check_fails(
            f"Expected PUT {SITE} to be called, but it was never called.\n{calls}",
            self.mock.assert_called_with, SITE, "PUT",
        )

    async def test_a_get_that_was_asked_for_by_name_is_no_default(self):
        await self.post()
        calls = "Calls:\n  1. POST http://example.com/ -> 200"
        never = f"Expected GET {SITE} to be called, but it was never called.\n{calls}"
        self.check_fails(never, self.mock.assert_called_with, SITE, "GET")
        self.check_fails(never, self.mock.assert_called_with, SITE, method="GET")
        self.check_fails(
            f"These calls were not made consecutively:\n  GET {SITE}\n{calls}",
            self.mock.assert_has_calls, [call(SITE, "GET")],
        )

    async def test_the_default_of_method_beside_several_methods(self):
        self.mock.put(SITE)
        await self.post()
        async with aiohttp.ClientSession() as session:
            await session.put(SITE)
        self.check_fails(
            f"Expected GET {SITE} to be called, but it was never called.\n"
            "It was called with POST and PUT; GET is the default of method, so pass method='POST' or method='PUT'.\n"
            "Calls:\n  1. POST http://example.com/ -> 200\n  2. PUT http://example.com/ -> 200",
            self.mock.assert_called_with, SITE,
        )

    async def test_the_default_of_method_where_the_url_was_called_with_get_as_well(self):
        self.mock.get(SITE, repeat=True)
        async with aiohttp.ClientSession() as session:
            await session.get(SITE)
        await self.post(json=1)
        hint = "It was called like that with POST; GET is the default of method, so pass method='POST'."
        calls = "Calls:\n  1. GET http://example.com/ -> 200\n  2. POST http://example.com/ -> 200"
        differ = f"Arguments of the last call to GET {SITE} differ (- expected, + made):"
        exactly = (
            "{'allow_redirects': True, 'json': 1} != {'allow_redirects': True}\n"
            "- {'allow_redirects': True, 'json': 1}\n"
            "?                         -----------\n\n"
            "+ {'allow_redirects': True}\n"
        )
        atleast = "{'json': 1} != {}\n- {'json': 1}\n+ {}"
        self.check_fails(f"{differ}\n{exactly}{hint}\n{calls}", self.mock.assert_called_with, SITE, json=1)
        self.check_fails(
            f"args_to_match: the last call to GET {SITE} has no json.\n{hint}\n{calls}",
            self.mock.assert_called_with, SITE, args_to_match=["json"], json=1,
        )
        self.check_fails(
            f"Expected GET {SITE}, json=1, but there was no such call.\n{differ}\n{atleast}\n{hint}\n{calls}",
            self.mock.assert_any_call, SITE, json=1,
        )
        self.check_fails(
            f"Expected GET {SITE}, json=1 among the calls, but there was no such call.\n"
            f"{differ}\n{atleast}\n{hint}\n{calls}",
            self.mock.assert_has_calls, [call(SITE, json=1)], any_order=True,
        )
        self.check_fails(
            f"These calls were not made consecutively:\n  GET {SITE}\n  GET {SITE}, json=1\n{hint}\n{calls}",
            self.mock.assert_has_calls, [call(SITE), call(SITE, json=1)],
        )
        self.check_fails(
            f"Expected GET {SITE} to be called with match_body=b'1', but the last call does not match.\n"
            f"Calls that match except for a condition:\n  call 1: body: b'1' != b''\n{hint}\n{calls}",
            self.mock.assert_called_with, SITE, match_body=b"1",
        )
        # No call has these arguments, or GET was asked for by name.
        self.check_fails(
            f"Expected GET {SITE}, json=2, but there was no such call.\n{differ}\n"
            f"{atleast.replace('1', '2')}\n{calls}",
            self.mock.assert_any_call, SITE, json=2,
        )
        self.check_fails(f"{differ}\n{exactly}{calls}", self.mock.assert_called_with, SITE, "GET", json=1)

    async def test_what_to_change_in_a_url_that_was_not_called(self):
        self.mock.get(SITE + "users/7?page=1")
        async with aiohttp.ClientSession() as session:
            await session.get(SITE + "users/7?page=1")
        rule = (
            "For call 1, the pattern does not match 'http://example.com/users/7?page=1' (a pattern is matched from the "
            "start of the whole URL, whose query is sorted); "
        )
        for url, hint in (
            (re.compile("users"), f"{rule}it matches further on, so begin it with .*"),
            (re.compile(".*/users/7$"), rf"{rule}it matches without the query, so end it with (\?.*)?$"),
            (SITE + "users/.*", f"The URL is compared as it is; for a pattern, pass re.compile('{SITE}users/.*')."),
            (SITE + "users/:id", f"The URL is compared as it is; for a placeholder, write '{SITE}users/{{id}}' with "
             "match_query=ANY."),
            (SITE + "users/7", "A URL without a query stands for requests without one; pass match_query=ANY for any "
             "query."),
            ("/users/7", "A URL needs a scheme and a host."),
            (SITE + "posts", ""),
        ):
            shown_url = f"GET {url}"
            end = "\n".join([*([hint] if hint else []), "Calls:", "  1. GET http://example.com/users/7?page=1 -> 200"])
            with self.subTest(url):
                self.check_fails(
                    f"Expected {shown_url} to be called, but it was never called.\n{end}",
                    self.mock.assert_called_with, url,
                )
                self.check_fails(
                    f"Expected {shown_url}, but there was no such call.\n{end}", self.mock.assert_any_call, url
                )
                self.check_fails(
                    f"These calls were not made consecutively:\n  {shown_url}\n{end}",
                    self.mock.assert_has_calls, [call(url)],
                )

    async def test_positional_arguments_which_no_call_has(self):
        self.mock.get(SITE)
        async with aiohttp.ClientSession() as session:
            await session.get(SITE)
        calls = "Calls:\n  1. GET http://example.com/ -> 200"
        self.check_fails(
            f"Arguments of the last call to GET {SITE} differ (- expected, + made):\n"
            "{'allow_redirects': True, 'args': (None,)} != {'allow_redirects': True}\n"
            "- {'allow_redirects': True, 'args': (None,)}\n"
            f"+ {{'allow_redirects': True}}\n{calls}",
            self.mock.assert_called_with, SITE, "GET", None, None,
        )
        self.check_fails(
            f"Expected GET {SITE}, with the positional arguments ({{'a': 1}},), but there was no such call.\n"
            f"Calls have all arguments by keyword, such as json=….\n{calls}",
            self.mock.assert_any_call, SITE, "GET", {"a": 1},
        )
        with self.assertRaises(TypeError):
            self.mock.assert_has_calls([call(SITE, "GET", {"a": 1})])

    async def test_assert_any_call(self):
        self.check_fails(
            "Expected GET http://example.com/, but there was no such call.\nThere were no calls.",
            self.mock.assert_any_call, SITE,
        )
        await self.post(json=1, headers={"X-Id": "1"})
        await self.post(json=2)
        self.check_fails(
            "Expected POST http://example.com/, json=3, headers={'X-Id': '1'}, but there was no such call.\n"
            "Arguments of the last call to POST http://example.com/ differ (- expected, + made):\n"
            "{'json': 3, 'headers': {'X-Id': '1'}} != {'json': 2}\n"
            "- {'headers': {'X-Id': '1'}, 'json': 3}\n"
            "+ {'json': 2}\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200\n"
            "  2. POST http://example.com/ -> 200",
            self.mock.assert_any_call, SITE, "POST", json=3, headers={"X-Id": "1"},
        )

    async def test_assert_has_calls(self):
        await get(SITE + "a")
        await get(SITE + "b")
        calls = "Calls:\n  1. GET http://example.com/a -> 200\n  2. GET http://example.com/b -> 200"
        self.check_fails(
            "These calls were not made consecutively:\n"
            "  GET http://example.com/b\n"
            "  POST http://example.com/a, json={'x': 1}\n" + calls,
            self.mock.assert_has_calls, [call(SITE + "b"), call(SITE + "a", "POST", json={"x": 1})],
        )
        self.check_fails(
            "Expected GET http://example.com/a, timeout=5 among the calls, but there was no such call.\n"
            "Arguments of the last call to GET http://example.com/a differ (- expected, + made):\n"
            "{'timeout': 5} != {}\n"
            "- {'timeout': 5}\n"
            "+ {}\n" + calls,
            self.mock.assert_has_calls, [call(SITE + "b"), call(SITE + "a", timeout=5)], any_order=True,
        )

    async def test_a_long_difference_is_cut(self):
        await self.post(json=1)
        with self.assertRaises(AssertionError) as raised:
            self.mock.assert_called_with(SITE, "POST", json={str(number): "x" * 50 for number in range(1000)})
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
            lambda: self.mock.assert_called_with(SITE, "POST", **second),
            lambda: self.mock.assert_any_call(SITE, "POST", **second),
            lambda: self.mock.assert_has_calls([call(SITE, "POST", **second)]),
            lambda: self.mock.assert_has_calls([call(SITE, "POST", **second)], any_order=True),
            lambda: self.mock.assert_called_with("http://me:s3cret2@example.com/"),
            lambda: self.mock.assert_any_call("http://me:s3cret2@example.com/"),
        ):
            with self.assertRaises(AssertionError) as raised:
                check()
            self.assertNotIn("s3cret", str(raised.exception))

    async def test_secrets_that_differ_are_seen_to_differ(self):
        await self.post(headers={"Authorization": "s3cret1"})
        self.check_fails(
            "Arguments of the last call to POST http://example.com/ differ (- expected, + made):\n"
            "{'hea[13 chars]orization': '…' (7 characters)}} != "
            "{'hea[13 chars]orization': '…' (7 characters, differing from character 7 on)}}\n"
            "- {'headers': {'Authorization': '…' (7 characters)}}\n"
            "+ {'headers': {'Authorization': '…' (7 characters, differing from character 7 on)}}\n"
            "?                                                +++++++++++++++++++++++++++++++\n"
            "\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.mock.assert_called_with,
            SITE, "POST", args_to_match=["headers"], headers={"Authorization": "s3cret2"},
        )


class LookingForCallsTest(AioResponsesTestCase):
    async def asyncSetUp(self):
        self.mock.add(re.compile(".*"), "GET", repeat=True)
        self.mock.add(re.compile(".*"), "POST", repeat=True)
        async with aiohttp.ClientSession() as session:
            await session.post(SITE + "login", json={"user": "ada"})
            await session.get(SITE + "users?b=2", params={"a": "1"})
            await session.get(SITE + "users", headers={"X-Id": "7"})

    LOGIN = call(SITE + "login", "POST")

    def test_consecutive_calls(self):
        self.mock.assert_has_calls([])
        self.mock.assert_has_calls([self.LOGIN, call(SITE + "users?a=1&b=2")])
        self.mock.assert_has_calls([call(URL(SITE + "users?b=2"), params={"a": "1"}), call(SITE + "users#top")])
        self.mock.assert_has_calls([call(re.compile(".*/users")), call(re.compile(".*/users"), method="get")])
        for calls in (
            [self.LOGIN, call(SITE + "users")],
            [call(SITE + "users"), self.LOGIN],
            [self.LOGIN] * 4,
            [call(SITE + "login")],
        ):
            with self.subTest(calls=calls), self.assertRaises(AssertionError):
                self.mock.assert_has_calls(calls)

    def test_has_calls_in_any_order(self):
        self.mock.assert_has_calls([call(SITE + "users"), self.LOGIN], any_order=True)
        self.mock.assert_has_calls(iter([self.LOGIN]), any_order=True)
        with self.assertRaises(AssertionError):
            self.mock.assert_has_calls([self.LOGIN, self.LOGIN], any_order=True)

    def test_has_calls_in_any_order_counts_each_call_once(self):
        anything = call(re.compile(".*/users"))
        with_a_header = call(re.compile(".*/users"), headers={"X-Id": "7"})
        self.mock.assert_has_calls([anything, with_a_header], any_order=True)
        self.mock.assert_has_calls([with_a_header, anything], any_order=True)
        with self.assertRaises(AssertionError):
            self.mock.assert_has_calls([with_a_header, anything, anything], any_order=True)

    def test_keyword_arguments_that_are_given_are_compared(self):
        self.mock.assert_has_calls([call(SITE + "login", "POST", json={"user": ANY})])
        self.mock.assert_any_call(SITE + "login", "POST", json={"user": "ada"})
        self.mock.assert_any_call(SITE + "login", "POST", data=None, allow_redirects=True)
        self.mock.assert_any_call(SITE + "users", headers=ANY)
        for kwargs in ({"json": {"user": "bob"}}, {"json": {"user": "ada"}, "timeout": 5}, {"headers": None}):
            with self.subTest(**kwargs):
                with self.assertRaises(AssertionError):
                    self.mock.assert_any_call(SITE + "login", "POST", **kwargs)
                with self.assertRaises(AssertionError):
                    self.mock.assert_has_calls([call(SITE + "login", "POST", **kwargs)])

    def test_a_get_is_called_without_data(self):
        self.mock.assert_called_with(SITE + "users", headers={"X-Id": "7"})
        self.mock.assert_called_with(SITE + "users", headers=ANY)
        with self.assertRaises(AssertionError):
            self.mock.assert_called_with(SITE + "users", headers={"X-Id": "7"}, data=None)

    def test_what_is_not_a_call_of_unittest_mock_is_refused(self):
        expected = "calls: expected unittest.mock.call(url, method=…, …), got "
        for wrong, message in [
            (SITE, f"{expected}'http://example.com/'"),
            (("POST", SITE), f"{expected}('POST', 'http://example.com/')"),
            (None, f"{expected}None"),
            (call.post(SITE), f"{expected}call.post('http://example.com/')"),
            (call(), f"{expected}call(): missing a required argument: 'url'"),
            (call(SITE, "GET", 5), f"{expected}call('http://example.com/', 'GET', 5): too many positional arguments"),
            (
                call(5),
                f"{expected}call(5): url: expected a str, a yarl.URL or a compiled pattern, got 5",
            ),
            (
                call(SITE, method=5),
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
