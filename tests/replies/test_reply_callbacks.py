"""Callbacks that raise, wait, are interrupted, make requests themselves or end what they are a part of."""

import asyncio
import re
import sys
import unittest

import aiohttp
from aiohttp import ClientSession, ClientTimeout, web
from multidict import CIMultiDict
from yarl import URL

from aioresponses import CallbackResult, aioresponses

from ..servers import ServerTestCase
from ..support import AIOHTTP, AT_MOST, SITE, MockedTestCase, exceptions, text_of


def both_kinds(function):
    """Return callbacks that do what `function` does: it itself, and a coroutine function."""

    async def coroutine_function(url, **kwargs):
        await asyncio.sleep(0)
        return function(url, **kwargs)

    return function, coroutine_function


class CallbacksTest(MockedTestCase):
    async def test_a_callback_answers(self):
        def function(url, **kwargs):
            return CallbackResult(status=201, body=f"called for {url}", headers={"A": "1"})

        for callback in both_kinds(function):
            self.mock.get(SITE, status=404, callback=callback)
            async with self.session.get(SITE) as response:
                self.assertEqual(
                    (response.status, await response.text(), response.headers["A"]), (201, f"called for {SITE}", "1")
                )

    async def test_a_callback_that_returns_nothing_leaves_the_answer_to_the_mock(self):
        for callback in both_kinds(lambda url, **kwargs: None):
            self.mock.get(SITE, body="registered", callback=callback)
            self.assertEqual(await text_of(self.session), "registered")

    async def test_a_callback_that_raises_leaves_its_mock_where_it_was(self):
        def function(url, **kwargs):
            tries.append(url)
            if len(tries) % 3:
                raise asyncio.TimeoutError

        for url in (SITE, re.compile(SITE)):
            for callback in both_kinds(function):
                tries = []
                first = self.mock.get(url, body="first", callback=callback)
                self.mock.get(SITE, body="second")
                for _ in range(2):
                    self.assertIs(type(await self.raised_by()), asyncio.TimeoutError)
                    self.assertEqual(
                        (first.remaining, repr(first).rpartition(", ")[2], list(self.mock._matches.values())[0]),
                        (1, "used 0 of 1>", first),
                    )
                self.assertEqual([await text_of(self.session) for _ in range(2)], ["first", "second"])
                self.assertEqual((first.remaining, first.call_count), (0, 3))

    async def test_a_callback_that_raises_leaves_its_mock_where_it_was_while_others_are_used_up(self):
        async def callback(url, **kwargs):
            began.set()
            await go_on.wait()
            raise ValueError("wrong")

        for url in (SITE, re.compile(SITE)):
            began, go_on = asyncio.Event(), asyncio.Event()
            first = self.mock.get(url, callback=callback)
            others = [self.mock.get(SITE, body=body) for body in "abc"]
            asked = asyncio.ensure_future(self.raised_by())
            await asyncio.wait_for(began.wait(), AT_MOST)
            self.assertEqual(await text_of(self.session), "a")
            go_on.set()
            self.assertEqual(repr(await asked), "ValueError('wrong')")
            self.assertEqual(list(self.mock._matches.values()), [first, *others[1:]])
            self.assertEqual(repr(await self.raised_by()), "ValueError('wrong')")
            self.mock.clear()

    async def test_a_callback_that_raises_in_a_sequence_or_is_cancelled_has_had_its_turn(self):
        def wrong(url, **kwargs):
            raise ValueError("wrong")

        async def wait(url, **kwargs):
            asked.cancel()
            await asyncio.sleep(AT_MOST)

        self.mock.get(SITE, replies=[{"callback": wrong}, {"body": "second"}])
        self.assertEqual(repr(await self.raised_by()), "ValueError('wrong')")
        self.assertEqual(await text_of(self.session), "second")
        cancelled = self.mock.get(SITE, callback=wait)
        asked = asyncio.ensure_future(self.session.get(SITE))
        with self.assertRaises(asyncio.CancelledError):
            await asked
        self.assertEqual((cancelled.remaining, self.mock._matches), (0, {}))

    async def test_a_callback_that_raises_does_not_bring_back_what_it_took_out(self):
        def callback(url, **kwargs):
            take_out()
            raise ValueError("wrong")

        for take_out in (lambda: match.remove(), lambda: self.mock.clear()):
            match = self.mock.get(SITE, callback=callback)
            self.assertEqual(repr(await self.raised_by()), "ValueError('wrong')")
            self.assertEqual(self.mock._matches, {})

    async def test_a_callback_is_given_the_url_with_its_fragment_and_params(self):
        def function(url, **kwargs):
            given.append(url)

        for callback in both_kinds(function):
            given = []
            self.mock.get(f"{SITE}?a=1&b=2", callback=callback)
            await text_of(self.session, f"{SITE}?b=2#top", params={"a": "1"})
            self.assertEqual(given, [URL(f"{SITE}?a=1&b=2#top")])

    async def test_a_callback_is_given_the_url_of_the_hop_after_a_redirect(self):
        def function(url, **kwargs):
            given.append(url)

        for callback in both_kinds(function):
            given = []
            self.mock.get(SITE, status=302, headers={"Location": "/there?b=2&a=1"})
            self.mock.get(f"{SITE}there?a=1&b=2", callback=callback)
            await text_of(self.session)
            self.assertEqual(given, [URL(f"{SITE}there?a=1&b=2")])

    async def test_a_callback_is_given_the_arguments_of_the_call(self):
        def function(url, **kwargs):
            given.append(kwargs)

        for callback in both_kinds(function):
            given = []
            for method in ("GET", "POST", "HEAD"):
                self.mock.add(SITE, method, callback=callback, repeat=True)
            payload = {"name": "Ada"}
            await self.session.get(SITE)
            await self.session.get(SITE, timeout=ClientTimeout(5), allow_redirects=False)
            await self.session.post(SITE)
            await self.session.post(SITE, json=payload)
            await self.session.head(SITE)
            await self.session.request("GET", SITE)
            self.assertEqual(
                given,
                [
                    {"allow_redirects": True},
                    {"allow_redirects": False, "timeout": ClientTimeout(5)},
                    {"allow_redirects": True, "data": None},
                    {"allow_redirects": True, "data": None, "json": {"name": "Ada"}},
                    {"allow_redirects": False},
                    {"allow_redirects": True},
                ],
            )
            self.assertIs(given[3]["json"], payload)
            self.mock.clear()

    async def test_a_callback_is_given_the_default_headers_of_the_session(self):
        def function(url, **kwargs):
            given.append(kwargs)

        given = []
        session = self.new_session(headers={"A": "session", "B": "session"})
        self.mock.get(SITE, callback=function, repeat=True)
        await session.get(SITE)
        await session.get(SITE, headers={"B": "call"})
        self.assertEqual(
            given,
            [
                {"allow_redirects": True, "headers": CIMultiDict({"A": "session", "B": "session"})},
                {"allow_redirects": True, "headers": CIMultiDict({"A": "session", "B": "call"})},
            ],
        )

    async def test_a_callback_runs_before_the_exception_is_raised(self):
        def function(url, **kwargs):
            called.append(url)

        for callback in both_kinds(function):
            for exception in exceptions():
                with self.subTest(repr(exception)):
                    called = []
                    self.mock.get(SITE, exception=exception, callback=callback)
                    self.assertIs(await self.raised_by(), exception)
                    self.assertEqual(called, [URL(SITE)])

    async def test_a_callback_runs_before_a_timeout(self):
        def function(url, **kwargs):
            called.append(url)

        for callback in both_kinds(function):
            called = []
            self.mock.get(SITE, timeout=True, callback=callback)
            self.assertIs(type(await self.raised_by()), asyncio.TimeoutError)
            self.assertEqual(called, [URL(SITE)])

    async def test_what_a_callback_raises_reaches_the_caller_as_it_is(self):
        def function(url, **kwargs):
            called.append(url)
            raise exception

        for callback in both_kinds(function):
            for exception in exceptions():
                with self.subTest(repr(exception)):
                    called = []
                    first = self.mock.get(SITE, callback=callback)
                    second = self.mock.get(SITE)
                    self.assertIs(await self.raised_by(), exception)
                    self.assertIsNone(exception.__cause__)
                    self.assertIsNone(exception.__context__)
                    self.assertEqual(called, [URL(SITE)])
                    self.assertEqual([first.call_count, second.call_count], [1, 0])
                    self.mock.clear()

    async def test_a_callback_must_return_a_callback_result_or_nothing(self):
        for value in (42, "text", {"status": 200}, False):
            for callback in both_kinds(lambda url, **kwargs: value):
                self.mock.get(SITE, callback=callback)
                exception = await self.raised_by()
                self.assertIs(type(exception), TypeError)
                self.assertEqual(
                    str(exception),
                    "callback: expected a CallbackResult or None from the callback of "
                    f"GET http://example.com/, got {value!r}",
                )

    async def test_a_callback_may_make_requests_through_the_same_session(self):
        async def callback(url, **kwargs):
            self.assertEqual(await text_of(self.session, f"{SITE}token", "POST"), "secret")
            return CallbackResult(body="with the token")

        self.mock.get(SITE, callback=callback)
        self.mock.post(f"{SITE}token", body="secret")
        self.assertEqual(await text_of(self.session), "with the token")
        self.assertEqual([call.url for call in self.mock.calls], [SITE, f"{SITE}token"])
        self.assertEqual([call.response.status for call in self.mock.calls], [200, 200])

    async def test_the_exception_of_a_request_by_a_callback_is_not_that_of_the_call(self):
        async def callback(url, **kwargs):
            self.assertIs(await self.raised_by(url=f"{SITE}token"), exception)
            return CallbackResult(body="without the token")

        for exception in exceptions():
            with self.subTest(repr(exception)):
                self.mock.get(SITE, callback=callback)
                self.mock.get(f"{SITE}token", exception=exception)
                self.assertEqual(await text_of(self.session), "without the token")

    async def test_a_callback_may_register_mocks(self):
        def callback(url, **kwargs):
            self.mock.get(SITE, body="registered by the callback")

        self.mock.get(SITE, status=302, headers={"Location": SITE}, callback=callback)
        self.assertEqual(await text_of(self.session), "registered by the callback")


class InterruptedCallbacksTest(ServerTestCase):
    """Something ends a request while its coroutine callback runs: the caller sees what a real server lets it see."""

    async def asyncSetUp(self):
        async def handler(request):
            self.begun.set()
            await release.wait()
            return web.Response()

        release = asyncio.Event()
        self.url = await self.serve(web.route("*", "/", handler))
        # Before the server is closed, which waits for its handlers.
        self.addCleanup(release.set)
        self.begun = asyncio.Event()

    async def ended(self, method, end, options):
        """Say how a request ended: class and text of the exception, and whether its task is still being cancelled."""
        self.begun.clear()
        async with ClientSession() as session:
            task = asyncio.ensure_future(session.request(method, self.url, **options))
            if end is not None:
                await asyncio.wait_for(self.begun.wait(), AT_MOST)
                await end(session, task)
            done, _ = await asyncio.wait([task], timeout=AT_MOST)
            self.assertEqual(done, {task})
            try:
                task.result()
            except BaseException as error:
                return type(error), str(error), task.cancelling() if sys.version_info >= (3, 11) else 0
        self.fail("The request did not fail")

    async def interrupted(self, end=None, **options):
        """Return how a request ended, with a real server as with a mock."""
        async def callback(url, **kwargs):
            self.begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("callback")

        for method in ("POST", "GET"):
            with self.subTest(method):
                ended, matches = [], []
                outcome = await self.compare(
                    lambda: self.ended(method, end, options),
                    lambda mock: matches.append(mock.add(self.url, method, callback=callback)),
                    what_came_in=False,
                )
                self.assertEqual(ended, ["callback"])
                [[call]] = [match.calls for match in matches]
                self.assertEqual((type(call.exception), str(call.exception)), outcome.seen[:2])
        return outcome.seen

    async def test_a_callback_interrupted_by_a_total_timeout(self):
        raised, _, cancelling = await self.interrupted(timeout=ClientTimeout(total=0.05))
        self.assertIs(raised, asyncio.TimeoutError)
        if AIOHTTP >= (3, 10):
            # 3.9 leaves its own cancellation standing.
            self.assertEqual(cancelling, 0)

    async def test_a_callback_interrupted_by_a_read_timeout(self):
        raised, text, cancelling = await self.interrupted(timeout=ClientTimeout(sock_read=0.05))
        self.assertTrue(issubclass(raised, aiohttp.ServerTimeoutError))
        self.assertEqual((text, cancelling), ("Timeout on reading data from socket", 0))

    async def test_a_callback_interrupted_by_cancelling_its_task(self):
        async def cancel(session, task):
            task.cancel()

        self.assertIs((await self.interrupted(cancel))[0], asyncio.CancelledError)

    async def test_a_callback_interrupted_by_closing_the_session(self):
        async def close(session, task):
            await session.close()

        await self.interrupted(close)

    async def test_the_call_after_an_interrupted_callback_is_answered(self):
        async def callback(url, **kwargs):
            await asyncio.Event().wait()

        with aioresponses() as mock:
            mock.get(SITE, callback=callback)
            mock.get(SITE, body="second")
            async with ClientSession() as session:
                with self.assertRaises(asyncio.TimeoutError):
                    await session.get(SITE, timeout=ClientTimeout(total=0.01))
                self.assertEqual(await text_of(session), "second")


STOPPED = "aioresponses was stopped while this request was in flight"


class EndedFromWithinTest(unittest.IsolatedAsyncioTestCase):
    """A callback ends what it is a part of."""

    async def asyncSetUp(self):
        self.session = ClientSession()
        self.addAsyncCleanup(self.session.close)

    async def check_stopped(self, callback):
        self.mock.start()
        self.mock.get(SITE, callback=callback, repeat=True)
        with self.assertRaises(aiohttp.ClientConnectionError) as raised:
            await self.session.get(SITE)
        self.assertEqual((type(raised.exception), str(raised.exception)), (aiohttp.ClientConnectionError, STOPPED))
        # Nothing is left to be raised at the next opportunity.
        await asyncio.sleep(0)

    async def test_a_plain_callback_stops_the_mock(self):
        self.mock = aioresponses()
        await self.check_stopped(lambda url, **kwargs: self.mock.stop())

    async def test_a_coroutine_callback_stops_the_mock(self):
        async def callback(url, **kwargs):
            self.mock.stop()

        self.mock = aioresponses()
        await self.check_stopped(callback)

    async def test_a_coroutine_callback_closes_the_session(self):
        async def callback(url, **kwargs):
            await self.session.close()

        with aioresponses() as mock:
            mock.get(SITE, callback=callback)
            with self.assertRaises(aiohttp.ClientConnectionError):
                await self.session.get(SITE)
            await asyncio.sleep(0)

    async def test_requests_that_wait_for_their_turn_fail_when_the_mock_is_stopped(self):
        async def callback(url, **kwargs):
            began.set()
            await asyncio.Event().wait()

        began = asyncio.Event()
        mock = aioresponses()
        mock.start()
        mock.get(SITE, callback=callback, repeat=True)
        async with ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
            asked = [asyncio.ensure_future(session.get(SITE)) for _ in range(3)]
            await began.wait()
            mock.stop()
            ended = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 10)
        self.assertEqual([(type(one), str(one)) for one in ended], [(aiohttp.ClientConnectionError, STOPPED)] * 3)
