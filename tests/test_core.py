"""The mock object: starting and stopping, and strictness."""

import unittest

import aiohttp
from aiohttp import web

from aioresponses import aioresponses

from .servers import ServerTestCase
from .support import SITE, get, hooks_are_in_place


class FormsOfUseTest(unittest.IsolatedAsyncioTestCase):
    async def test_a_with_statement(self):
        with aioresponses() as mock:
            mock.get(SITE, body="x")
            self.assertEqual(await get(), "x")

    async def test_an_async_with_statement(self):
        async with aioresponses() as mock:
            mock.get(SITE, body="x")
            self.assertEqual(await get(), "x")

    async def test_start_and_stop(self):
        mock = aioresponses()
        mock.get(SITE, body="registered before start()")
        mock.start()
        self.addCleanup(mock.stop)
        self.assertEqual(await get(), "registered before start()")

    async def test_a_mock_may_be_used_again_and_remembers_its_calls(self):
        mock = aioresponses()
        for _ in range(2):
            with mock:
                mock.get(SITE)
                await get()
        self.assertEqual(mock.call_count, 2)

    async def test_start_twice_and_stop_without_start(self):
        mock = aioresponses()
        with self.assertRaises(RuntimeError) as raised:
            mock.stop()
        self.assertEqual(str(raised.exception), "stop() was called on an aioresponses that is not active")
        with mock:
            with self.assertRaises(RuntimeError) as raised:
                mock.start()
            self.assertEqual(str(raised.exception), "start() was called on an aioresponses that is already active")
            mock.get(SITE, body="x")
            self.assertEqual(await get(), "x")

    async def test_a_block_that_has_stopped_its_mock_is_left_as_any_other(self):
        async def with_stop(mock):
            mock.stop()

        async def with_aclose(mock):
            await mock.aclose()

        async def with_aclose_twice(mock):
            await mock.aclose()
            await mock.aclose()

        async def stopped_and_started(mock):
            mock.stop()
            mock.start()

        async def in_a_block(mock, end):
            with mock:
                await end(mock)

        async def in_an_async_block(mock, end):
            async with mock:
                await end(mock)

        async def in_a_function(mock, end):
            @mock
            async def function(active):
                await end(active)

            await function()

        for end in (with_stop, with_aclose, with_aclose_twice, stopped_and_started):
            for leave in (in_a_block, in_an_async_block, in_a_function):
                for options in ({}, {"strict": True}, {"assert_no_leaks": True}):
                    with self.subTest(end=end.__name__, leave=leave.__name__, options=options):
                        mock = aioresponses(**options)
                        for _ in range(2):
                            await leave(mock, end)
                            self.assertFalse(mock.active)
                            self.assertFalse(hooks_are_in_place())

    async def test_an_exception_leaves_a_block_that_has_stopped_its_mock(self):
        with self.assertRaises(ZeroDivisionError):
            with aioresponses() as mock:
                await mock.aclose()
                1 / 0


class StrictnessTest(ServerTestCase):
    maxDiff = None

    UNUSED = "1 mock was never used:\n  GET http://example.com/\n"
    UNMATCHED = (
        "1 call matched no mock:\n"
        "  GET http://example.com/x -> no mock answered\n"
        "    Registered mocks, the closest first:\n"
        "      GET http://example.com/: path differs: mock has '/', request has '/x'\n"
    )
    NO_CALLS = "There were no calls."
    CALL = "Calls:\n  1. GET http://example.com/x -> no mock answered"

    async def swallow(self):
        """Ask for what no mock answers, as code that does not mind."""
        try:
            await get(SITE + "x")
        except aiohttp.ClientConnectionError:
            pass

    async def message(self, **settings):
        """Return the message with which a block is left that has an unused mock and an unmatched call."""
        try:
            with aioresponses(**settings) as mock:
                mock.get(SITE)
                await self.swallow()
        except AssertionError as error:
            return str(error)
        return None

    def check_hooks_are_gone(self):
        self.assertFalse(hooks_are_in_place())

    async def test_strictness_is_off_by_default(self):
        self.assertIsNone(await self.message())

    async def test_each_kind_of_strictness_and_both(self):
        self.assertEqual(await self.message(assert_all_called=True), self.UNUSED + self.CALL)
        self.assertEqual(await self.message(assert_all_mocked=True), self.UNMATCHED + self.CALL)
        self.assertEqual(await self.message(strict=True), self.UNUSED + self.UNMATCHED + self.CALL)
        self.check_hooks_are_gone()

    async def test_nothing_is_raised_where_all_is_well(self):
        with aioresponses(strict=True) as mock:
            mock.get(SITE)
            mock.get(SITE + "optional", optional=True)
            mock.get(SITE + "removed").remove()
            await get()
        with aioresponses(strict=True):
            pass

    async def test_strictness_of_an_async_with_statement(self):
        with self.assertRaises(AssertionError) as raised:
            async with aioresponses(strict=True) as mock:
                mock.get(SITE)
        self.assertEqual(str(raised.exception), self.UNUSED + self.NO_CALLS)
        self.check_hooks_are_gone()

    async def test_strictness_of_a_decorated_coroutine_function(self):
        @aioresponses(strict=True)
        async def function(mock):
            mock.get(SITE)

        with self.assertRaises(AssertionError) as raised:
            await function()
        self.assertEqual(str(raised.exception), self.UNUSED + self.NO_CALLS)
        self.check_hooks_are_gone()

    async def test_strictness_of_a_decorated_function_that_calls_itself(self):
        @aioresponses(strict=True)
        def function(depth, mock):
            if depth:
                function(depth - 1)
            else:
                mock.get(SITE)

        with self.assertRaises(AssertionError) as raised:
            function(1)
        self.assertEqual(str(raised.exception), self.UNUSED + self.NO_CALLS)
        self.check_hooks_are_gone()

    async def test_an_exception_of_the_block_takes_precedence_over_strictness(self):
        @aioresponses(strict=True)
        def function(mock):
            mock.get(SITE)
            raise KeyError("plain")

        @aioresponses(strict=True)
        async def coroutine_function(mock):
            mock.get(SITE)
            raise KeyError("coroutine")

        with self.assertRaisesRegex(KeyError, "plain"):
            function()
        with self.assertRaisesRegex(KeyError, "coroutine"):
            await coroutine_function()
        with self.assertRaisesRegex(KeyError, "with"):
            with aioresponses(strict=True) as mock:
                mock.get(SITE)
                raise KeyError("with")
        with self.assertRaisesRegex(KeyError, "async"):
            async with aioresponses(strict=True) as mock:
                mock.get(SITE)
                raise KeyError("async")
        self.check_hooks_are_gone()

    async def test_calls_of_an_earlier_use_do_not_count(self):
        mock = aioresponses(strict=True)
        with self.assertRaises(AssertionError):
            with mock:
                await self.swallow()
        with mock:
            pass

    async def test_a_block_that_has_stopped_its_mock_checks_as_any_other(self):
        async def message(end, again=False):
            with self.assertRaises(AssertionError) as raised:
                with aioresponses(strict=True) as mock:
                    mock.get(SITE)
                    await self.swallow()
                    if again:
                        mock.stop()
                        mock.start()
                        mock.get(SITE)
                        await self.swallow()
                    await end(mock)
            self.check_hooks_are_gone()
            return str(raised.exception)

        async def stop(mock):
            mock.stop()

        for end in (stop, aioresponses.aclose):
            self.assertEqual(await message(end), self.UNUSED + self.UNMATCHED + self.CALL)
        # Only what came after the last start counts, but all calls are listed.
        second = self.CALL.partition("\n")[2].replace("1.", "2.")
        self.assertEqual(await message(stop, again=True), f"{self.UNUSED}{self.UNMATCHED}{self.CALL}\n{second}")

    async def test_a_block_that_has_stopped_its_mock_and_used_all_is_well(self):
        mock = aioresponses(strict=True)
        for _ in range(2):
            with mock:
                mock.get(SITE)
                await get()
                await mock.aclose()
        with mock:
            mock.get(SITE)
            mock.clear()
            mock.stop()

    async def test_stop_does_not_check(self):
        mock = aioresponses(strict=True)
        mock.start()
        mock.get(SITE)
        mock.stop()

    async def test_a_redirect_to_nowhere_is_unmatched(self):
        with self.assertRaises(AssertionError) as raised:
            with aioresponses(strict=True) as mock:
                mock.get(SITE, status=302, headers={"Location": "/x"})
                with self.assertRaises(aiohttp.ClientConnectionError):
                    await get()
        line = "GET http://example.com/ -> 302, GET http://example.com/x -> no mock answered"
        self.assertEqual(
            str(raised.exception),
            "1 call matched no mock:\n"
            f"  {line}\n"
            "    This request follows a redirect: "
            "GET http://example.com/ was answered with 302, which keeps the method.\n"
            "    Registered mocks, the closest first:\n"
            "      GET http://example.com/: path differs: mock has '/', request has '/x'\n"
            "Calls:\n"
            f"  1. {line}",
        )

    def test_a_passthrough_that_is_no_url_is_refused(self):
        for passthrough, got in (
            (5, "5"),
            (None, "None"),
            (b"http://127.0.0.1", "b'http://127.0.0.1'"),
            ([b"http://127.0.0.1"], "b'http://127.0.0.1'"),
            (False, "False"),
            (True, "True; for all requests that no mock answers, pass passthrough_unmatched"),
        ):
            with self.subTest(passthrough):
                with self.assertRaises(TypeError) as raised:
                    aioresponses(passthrough=passthrough)
                self.assertEqual(
                    str(raised.exception), f"passthrough: expected URL prefixes such as 'http://127.0.0.1', got {got}"
                )

    async def test_what_was_passed_through_is_not_unmatched(self):
        async def hello(request):
            return web.Response(text="hello")

        url = await self.serve(web.get("/", hello))
        for settings in ({"passthrough": ["http://127.0.0.1"]}, {"passthrough_unmatched": True}):
            with aioresponses(strict=True, **settings):
                self.assertEqual(await get(url), "hello")
