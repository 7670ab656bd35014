"""What a strict mock finds when it is left: assertions that failed, answers that were not given, refused requests."""

import asyncio
import copy
import re
import unittest
from unittest.mock import ANY

import aiohttp
from yarl import URL

from aioresponses import aioresponses
from aioresponses.matchers import one_of

from .support import FAILED_AT, SITE, USERS, error_of, fail, get


class StrictCase(unittest.IsolatedAsyncioTestCase):
    maxDiff = None

    async def left(self, use, **settings):
        """Leave a `with` block after its use; return the exception that this raises, None if there is none."""
        try:
            with aioresponses(**settings) as mock:
                await use(mock)
        except AssertionError as error:
            return error
        finally:
            self.assertFalse(mock.active)
        return None

    async def found(self, use, **settings):
        """Return what is said of mocks and calls, without the list of calls; None if all is well."""
        error = await self.left(use, **(settings or {"strict": True}))
        return None if error is None else re.split("\n(?:Calls:|There were no calls)", str(error))[0]


class FailedAssertionTest(StrictCase):
    MESSAGE = (
        "1 assertion failed while a mock answered:\n"
        "  AssertionError: no\n"
        f"    {FAILED_AT}, for GET http://example.com/\n"
        "Calls:\n"
        "  1. GET http://example.com/ -> raised AssertionError: no"
    )

    async def swallow(self, mock):
        mock.get(SITE, callback=fail)
        await error_of(get())

    async def test_an_assertion_is_found_with_assert_all_mocked_and_strict_alone(self):
        for settings in ({}, {"assert_all_called": True}):
            self.assertIsNone(await self.left(self.swallow, **settings))
        for settings in ({"assert_all_mocked": True}, {"strict": True}):
            error = await self.left(self.swallow, **settings)
            self.assertEqual(str(error), self.MESSAGE)
            self.assertEqual((type(error.__cause__), str(error.__cause__)), (AssertionError, "no"))

    async def test_assertions_of_a_condition_and_of_a_stream(self):
        def stream():
            yield b"half"
            fail(None)

        async def swallow(mock):
            mock.get(SITE, match=fail)
            await error_of(get())
            mock.clear()
            mock.get(USERS, body=stream)
            await error_of(get(USERS))

        self.assertEqual(
            await self.found(swallow),
            "2 assertions failed while a mock answered:\n"
            "  AssertionError: no\n"
            "  aioresponses: raised by match of the mock GET http://example.com/, match=fail\n"
            f"    {FAILED_AT}, for GET http://example.com/\n"
            "  AssertionError: no\n"
            f"    {FAILED_AT}, for GET http://example.com/users",
        )

    async def test_an_assertion_that_leaves_the_block_is_the_one_to_see(self):
        async def use(mock):
            mock.get(SITE, callback=fail)
            await get()

        error = await self.left(use, strict=True)
        self.assertEqual(str(error), "no")

    async def test_an_assertion_is_found_where_a_decorated_function_is_left(self):
        @aioresponses(strict=True)
        async def coroutine_function(mock):
            await self.swallow(mock)

        @aioresponses(assert_all_mocked=True)
        def function(mock):
            asyncio.run(self.swallow(mock))

        for call in (coroutine_function, lambda: asyncio.to_thread(function)):
            with self.assertRaises(AssertionError) as raised:
                await call()
            self.assertEqual(str(raised.exception), self.MESSAGE)

    async def test_an_assertion_is_forgotten_when_the_mock_is_used_again(self):
        mock = aioresponses(strict=True)
        with self.assertRaises(AssertionError):
            with mock:
                await self.swallow(mock)
        with mock:
            pass

    async def test_a_registered_exception_does_not_count(self):
        async def use(mock):
            mock.get(SITE, exception=AssertionError("no"))
            await error_of(get())

        self.assertIsNone(await self.left(use, strict=True))


class UnusedTest(StrictCase):
    async def test_a_mock_with_answers_left_is_not_used_up(self):
        async def use(mock):
            mock.get(SITE, repeat=3)
            mock.get(USERS, replies=[{"status": 500}, {"status": 200}])
            mock.get(USERS + "/7", replies=[{"status": 500}, {"status": 200}], repeat=2)
            for url in (SITE, USERS, USERS + "/7", USERS + "/7", USERS + "/7"):
                await get(url)

        self.assertEqual(
            await self.found(use),
            "3 mocks were not used up:\n"
            "  GET http://example.com/, used 1 of 3\n"
            "  GET http://example.com/users, used 1 of 2\n"
            "  GET http://example.com/users/7, used 3 of 4",
        )
        self.assertIsNone(await self.found(use, assert_all_mocked=True))

    async def test_a_mock_whose_answers_were_all_given_is_used_up(self):
        async def use(mock):
            mock.get(SITE, repeat=3)
            mock.get(USERS, replies=[{"status": 500}, {"status": 200}])
            mock.get(USERS + "/7", repeat=True)
            for url in (SITE, SITE, SITE, USERS, USERS, USERS + "/7"):
                await get(url)

        self.assertIsNone(await self.found(use))

    async def test_optional_mocks_and_those_that_were_removed_are_excepted(self):
        async def use(mock):
            mock.get(SITE, repeat=3, optional=True)
            removed = mock.get(USERS, repeat=3)
            await get()
            await get(USERS)
            removed.remove()

        self.assertIsNone(await self.found(use))

    async def test_mocks_that_were_never_used_come_first(self):
        async def use(mock):
            mock.get(SITE, repeat=2)
            mock.get(USERS, repeat=2)
            mock.post(USERS, repeat=True)
            await get()

        self.assertEqual(
            await self.found(use),
            "2 mocks were never used:\n"
            "  GET http://example.com/users\n"
            "  POST http://example.com/users\n"
            "1 mock was not used up:\n"
            "  GET http://example.com/, used 1 of 2",
        )

    async def test_a_mock_whose_callback_raised_was_used(self):
        """It answers the next request, as in 0.7, but none need come."""
        async def use(mock):
            def callback(call):
                raise OSError("no")

            one = mock.get(SITE, callback=callback)
            await error_of(get())
            self.assertEqual((one.remaining, one.call_count), (1, 1))

        self.assertIsNone(await self.found(use))

    async def test_unused_mocks_lists_them(self):
        with aioresponses() as mock:
            never = mock.get(USERS)
            partly = mock.get(SITE, repeat=3)
            endless = mock.post(SITE, repeat=True)
            mock.put(SITE, optional=True)
            await get()
            self.assertEqual(mock.unused_mocks, [never, partly, endless])
            self.assertEqual((partly.call_count, partly.remaining), (1, 2))


class HiddenTest(StrictCase):
    """Of a mock that was never used, it is said which one answers all of its requests first."""

    async def check(self, earlier, later, is_hidden, use=None):
        """Register two mocks, each given as method, URL and conditions, and use the first."""
        async def register(mock):
            method, url, options = earlier
            first = mock.add(url, method, **{"repeat": True, "optional": True, **options})
            method, url, options = later
            second = mock.add(url, method, **options)
            if use is not None:
                use(first, second)
            self.shown = str(first), str(second)

        found = await self.found(register)
        reached = (
            f"\n    never reached: {self.shown[0]}, repeat=True, registered before it, answers first"
            "\n    to have it asked first, pass override=True"
        )
        self.assertEqual(
            found, f"1 mock was never used:\n  {self.shown[1]}{reached if is_hidden else ''}", (earlier, later)
        )

    async def test_a_mock_is_hidden_by_one_that_answers_all_requests_of_its_url(self):
        one = ("GET", USERS, {})
        for earlier in (
            one,
            ("get", USERS + "#top", {}),
            ("GET", re.compile("^http://example.com/"), {}),
            ("GET", "http://example.com/{name}", {}),
            ("GET", "http://*.com/users", {}),
            ("GET", USERS, {"match_query": ANY}),
        ):
            await self.check(earlier, one, True)

    async def test_a_mock_is_hidden_whatever_it_asks_of_requests_itself(self):
        for conditions in ({"match_json": {"a": 1}}, {"match": lambda call: True}, {"match_query": {"a": "1"}}):
            # Only a mock that takes any query answers all requests of one that asks for some.
            query = {"match_query": ANY} if "match_query" in conditions else {}
            await self.check(("POST", USERS, query), ("POST", USERS, conditions), True)

    async def test_a_mock_is_hidden_by_one_that_takes_its_query(self):
        later = ("GET", USERS + "?a=1&b=2", {})
        await self.check(("GET", USERS + "?b=2&a=1", {}), later, True)
        await self.check(("GET", USERS, {"match_query": ANY}), later, True)
        await self.check(("GET", re.compile("http://example.com/users"), {}), later, True)
        await self.check(("GET", USERS, {}), later, False)
        await self.check(("GET", "http://example.com/{name}", {}), later, False)
        await self.check(("GET", "http://example.com/{name}?a=1&b=2", {}), later, True)

    async def test_a_mock_is_hidden_by_one_of_the_same_pattern_or_template(self):
        for url in (re.compile("/users"), "http://example.com/users/{id}"):
            await self.check(("GET", url, {}), ("GET", url, {}), True)

    async def test_a_mock_is_hidden_by_one_without_credentials(self):
        later = ("GET", "http://me:secret@example.com/users", {})
        await self.check(("GET", USERS, {}), later, True)
        await self.check(later, ("GET", USERS, {}), False)

    async def test_a_mock_is_not_hidden_by_one_that_asks_for_more(self):
        class Raising:
            __hash__ = None

            def __eq__(self, other):
                raise AssertionError

        later = ("POST", USERS, {})
        for conditions in (
            {"match_json": ANY},
            {"match_headers": ANY},
            {"match": lambda call: True},
            {"match_query": {"a": ANY}},
            {"match_query": one_of("a")},
            {"match_query": Raising()},
            {"match_query": ANY, "match_json": ANY},
        ):
            await self.check(("POST", USERS, conditions), later, False)

    async def test_a_mock_is_not_hidden_by_one_for_other_requests(self):
        later = ("GET", USERS, {})
        for earlier in (
            ("POST", USERS, {}),
            ("GET", USERS + "/7", {}),
            ("GET", "https://example.com/users", {}),
            ("GET", re.compile("^http://example.com/users/"), {}),
            ("GET", "http://example.com/users/{id}", {}),
        ):
            await self.check(earlier, later, False)

    async def test_a_pattern_or_template_is_not_hidden_by_another_pattern(self):
        for later in (
            ("GET", re.compile("^http://example.com/users"), {}),
            ("GET", "http://example.com/users/{id}", {}),
        ):
            await self.check(("GET", re.compile("^http://example.com/"), {}), later, False)

    async def test_a_mock_is_not_hidden_by_one_that_is_used_up_some_time(self):
        one = ("GET", USERS, {})
        await self.check(("GET", USERS, {"repeat": 7}), one, False)

    async def test_a_mock_is_not_hidden_by_one_that_was_removed(self):
        one = ("GET", USERS, {})
        await self.check(one, one, False, use=lambda first, second: first.remove())

    async def test_a_mock_is_not_hidden_by_one_that_was_registered_later(self):
        async def register(mock):
            mock.get(USERS)
            mock.get(USERS, repeat=True, optional=True)

        self.assertEqual(await self.found(register), "1 mock was never used:\n  GET http://example.com/users")

    async def test_a_hiding_mock_shows_no_secrets(self):
        async def register(mock):
            for _ in range(2):
                mock.get("http://me:secret@example.com/", repeat=True, optional=not mock.unused_mocks)
                mock.get("http://me:secret@example.com/")

        found = await self.found(register)
        self.assertIn(
            "never reached: GET http://…@example.com/, repeat=True, registered before it, answers first", found
        )
        self.assertNotIn("secret", found)

    async def test_the_mock_that_hides_another_is_the_one_that_answers(self):
        """The mock that is said to hide another is the one that answers."""
        for earlier in (USERS, re.compile("^http://example.com/"), "http://example.com/{name}"):
            with aioresponses() as mock:
                first = mock.get(earlier, repeat=True)
                second = mock.get(USERS)
                for _ in range(3):
                    await get(USERS)
                self.assertEqual((first.call_count, second.call_count), (3, 0))


class RefusalTest(StrictCase):
    async def test_the_reasons_of_a_refusal_are_those_of_its_time(self):
        async def use(mock):
            one = mock.get(USERS, match_headers={"X-One": "1"})
            await error_of(get(USERS))
            one.remove()
            mock.get(SITE)
            await error_of(get(USERS))
            await get()

        self.assertEqual(
            await self.found(use),
            "2 calls matched no mock:\n"
            "  GET http://example.com/users -> no mock answered\n"
            "    Registered mocks, the closest first:\n"
            "      GET http://example.com/users, match_headers={'X-One': '1'}: headers: at X-One: '1' is missing\n"
            "  GET http://example.com/users -> no mock answered\n"
            "    Registered mocks, the closest first:\n"
            "      GET http://example.com/: path differs: mock has '/', request has '/users'",
        )

    async def test_the_reasons_of_a_refusal_are_those_of_its_note(self):
        errors = []

        async def use(mock):
            for number in range(7):
                mock.get(f"{USERS}?page={number}", optional=True)
            try:
                await get(USERS)
            except aiohttp.ClientConnectionError as error:
                errors.append(error)

        found = await self.found(use)
        [note] = errors[0].__notes__
        headline, *reasons = note.splitlines()
        self.assertEqual(headline, "aioresponses: no mock answers GET http://example.com/users")
        self.assertEqual(
            found.splitlines(),
            [
                "1 call matched no mock:",
                "  GET http://example.com/users -> no mock answered",
                *(f"    {reason}" for reason in reasons),
            ],
        )

    async def test_the_reasons_of_a_refusal_are_cut_and_have_no_secrets(self):
        async def use(mock):
            mock.get(
                "http://me:secret@example.com/" + "x" * 900, optional=True, match_headers={"Authorization": "secret"}
            )
            await error_of(get("http://you:secret@example.com/", headers={"Authorization": "Bearer secret"}))
            mock.clear()
            mock.get(SITE, optional=True, match_headers={"Authorization": "secret"})
            await error_of(get(headers={"Authorization": "Bearer secret"}))

        found = await self.found(use)
        self.assertNotIn("secret", found)
        self.assertIn("headers: at Authorization: '…' (no scheme) != 'Bearer …' (6 more characters)", found)
        self.assertLess(max(map(len, found.splitlines())), 700)

    async def test_the_reasons_of_a_refusal_after_a_redirect(self):
        async def use(mock):
            mock.get(SITE, status=302, headers={"Location": "/users"})
            await error_of(get())

        self.assertEqual(
            await self.found(use),
            "1 call matched no mock:\n"
            "  GET http://example.com/ -> 302, GET http://example.com/users -> no mock answered\n"
            "    This request follows a redirect: "
            "GET http://example.com/ was answered with 302, which keeps the method.\n"
            "    Registered mocks, the closest first:\n"
            "      GET http://example.com/: path differs: mock has '/', request has '/users'",
        )

    async def test_a_copy_of_a_call_has_the_reasons_of_its_refusal(self):
        async def use(mock):
            await error_of(get())
            mock.requests = copy.deepcopy(mock.requests)

        self.assertEqual(
            await self.found(use),
            "1 call matched no mock:\n"
            "  GET http://example.com/ -> no mock answered\n"
            "    No mocks are registered.",
        )

    async def test_each_of_nested_mocks_that_was_asked_finds_a_refusal(self):
        async def use(outer):
            outer.get(SITE, optional=True)
            with self.assertRaises(AssertionError) as raised:
                with aioresponses(strict=True) as inner:
                    inner.post(SITE, optional=True)
                    await error_of(get(USERS))
            self.inner = str(raised.exception)

        found = await self.found(use)
        self.assertEqual(
            found,
            "1 call matched no mock:\n"
            "  GET http://example.com/users -> no mock answered\n"
            "    Registered mocks, the closest first:\n"
            "      GET http://example.com/: path differs: mock has '/', request has '/users'\n"
            "      POST http://example.com/: method differs: mock has POST, request has GET; path differs",
        )
        self.assertEqual(self.inner.partition("\nCalls:")[0], found)


class LeavingTest(StrictCase):
    async def test_a_mock_is_stopped_even_if_judging_it_raises(self):
        class Wrong(dict):
            def values(self):
                raise ZeroDivisionError

        mock = aioresponses(strict=True)
        with self.assertRaises(ZeroDivisionError):
            with mock:
                mock.requests = Wrong({("GET", URL(SITE)): []})
        self.assertFalse(mock.active)
        self.assertEqual(aiohttp.ClientSession._request.__module__, "aiohttp.client")
