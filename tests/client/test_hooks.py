"""The hooks into aiohttp: when they are in place, what they reach, and where they are taken out."""

import asyncio
import itertools
import threading
import unittest

import aiohttp
from aiohttp import ClientConnectionError, ClientSession, TCPConnector, web

from aioresponses import aioresponses

from ..servers import ServerTestCase
from ..support import AT_MOST, HOOKS, SITE, get, hooks_in_place, text_of

ALL = [name for _, name in HOOKS]


async def make_session():
    return ClientSession()


class HooksTest(unittest.TestCase):
    def setUp(self):
        self.assertEqual(hooks_in_place(), [])

    def tearDown(self):
        self.assertEqual(hooks_in_place(), [])

    def test_hooks_are_in_place_while_a_mock_is_active_and_no_longer(self):
        mock = aioresponses()
        self.assertEqual(hooks_in_place(), [])
        mock.start()
        self.assertEqual(hooks_in_place(), ALL)
        mock.stop()
        self.assertEqual(hooks_in_place(), [])

    def test_hooks_are_in_place_in_a_with_block(self):
        with aioresponses():
            self.assertEqual(hooks_in_place(), ALL)

    def test_hooks_are_in_place_in_an_async_with_block(self):
        async def run():
            async with aioresponses():
                self.assertEqual(hooks_in_place(), ALL)
            self.assertEqual(hooks_in_place(), [])

        asyncio.run(run())

    def test_hooks_are_taken_out_after_an_exception_in_the_block(self):
        for exception in (ValueError("wrong"), KeyboardInterrupt(), asyncio.CancelledError()):
            with self.subTest(repr(exception)):
                with self.assertRaises(type(exception)) as caught, aioresponses():
                    raise exception
                self.assertIs(caught.exception, exception)
                self.assertEqual(hooks_in_place(), [])

    def test_hooks_are_in_place_while_a_decorated_function_runs(self):
        @aioresponses()
        def decorated(mock):
            self.assertEqual(hooks_in_place(), ALL)
            raise ValueError("wrong")

        self.assertEqual(hooks_in_place(), [])
        for _ in range(2):
            with self.assertRaises(ValueError):
                decorated()
            self.assertEqual(hooks_in_place(), [])

    def test_hooks_are_in_place_while_a_decorated_coroutine_function_runs(self):
        @aioresponses()
        async def decorated(mock):
            self.assertEqual(hooks_in_place(), ALL)
            await asyncio.sleep(0)
            self.assertEqual(hooks_in_place(), ALL)
            raise ValueError("wrong")

        for _ in range(2):
            coroutine = decorated()
            self.assertEqual(hooks_in_place(), [])
            with self.assertRaises(ValueError):
                asyncio.run(coroutine)
            self.assertEqual(hooks_in_place(), [])

    def test_hooks_are_taken_out_when_the_last_of_nested_mocks_stops_whatever_the_order(self):
        for order in itertools.permutations(range(3)):
            with self.subTest(order=order):
                mocks = [aioresponses() for _ in range(3)]
                for mock in mocks:
                    mock.start()
                for number in order:
                    self.assertEqual(hooks_in_place(), ALL)
                    mocks[number].stop()
                self.assertEqual(hooks_in_place(), [])

    def test_hooks_are_taken_out_after_an_exception_in_nested_mocks(self):
        with self.assertRaises(ValueError), aioresponses(), aioresponses():
            raise ValueError("wrong")
        self.assertEqual(hooks_in_place(), [])

    def test_a_mock_that_is_active_cannot_be_started_again(self):
        mock = aioresponses()
        mock.start()
        with self.assertRaises(RuntimeError) as caught:
            mock.start()
        self.assertEqual(str(caught.exception), "start() was called on an aioresponses that is already active")
        mock.get(SITE, body="still there")
        self.assertEqual(asyncio.run(get()), "still there")
        mock.stop()
        self.assertEqual(hooks_in_place(), [])

    def test_a_mock_that_is_not_active_cannot_be_stopped(self):
        mock = aioresponses()
        for _ in range(2):
            with self.assertRaises(RuntimeError) as caught:
                mock.stop()
            self.assertEqual(str(caught.exception), "stop() was called on an aioresponses that is not active")
            with mock:
                mock.get(SITE, body="works")
                self.assertEqual(asyncio.run(get()), "works")

    def test_stopping_a_mock_that_is_not_active_leaves_the_active_one_alone(self):
        with aioresponses() as mock:
            with self.assertRaises(RuntimeError):
                aioresponses().stop()
            self.assertEqual(hooks_in_place(), ALL)
            mock.get(SITE, body="works")
            self.assertEqual(asyncio.run(get()), "works")

    def test_the_innermost_of_nested_mocks_answers_and_records(self):
        with aioresponses() as outer:
            outer.get(SITE, body="outer", repeat=True)
            with aioresponses() as inner:
                inner.get(SITE, body="inner", repeat=True)
                self.assertEqual(asyncio.run(get()), "inner")
            self.assertEqual([outer.call_count, inner.call_count], [0, 1])
            self.assertEqual(asyncio.run(get()), "outer")
            self.assertEqual([outer.call_count, inner.call_count], [1, 1])

    def test_the_inner_mock_answers_on_when_the_outer_one_stops_first(self):
        outer, inner = aioresponses(), aioresponses()
        outer.start()
        inner.start()
        inner.get(SITE, body="inner")
        outer.stop()
        self.assertEqual(asyncio.run(get()), "inner")
        inner.stop()

    def test_a_call_belongs_to_the_mock_that_was_innermost_when_it_began(self):
        async def run():
            async def callback(url, **kwargs):
                began.set()
                await proceed.wait()

            began, proceed = asyncio.Event(), asyncio.Event()
            outer.get(SITE, status=302, headers={"Location": "/there"}, callback=callback)
            outer.get(f"{SITE}there", body="outer")
            asked = asyncio.ensure_future(get())
            await began.wait()
            with aioresponses() as inner:
                inner.get(f"{SITE}there", body="inner")
                proceed.set()
                self.assertEqual(await asked, "outer")
                self.assertEqual(await get(f"{SITE}there"), "inner")
            self.assertEqual([outer.call_count, inner.call_count], [1, 1])

        with aioresponses() as outer:
            asyncio.run(run())


class OwnConnectorTest(ServerTestCase):
    """A connector of another package with a `connect` of its own."""

    async def asyncSetUp(self):
        async def real(request):
            return web.Response(text="real")

        self.url = await self.serve(web.get("/", real))

    async def test_a_connect_that_replaces_that_of_aiohttp_is_reached_whether_it_calls_it_or_not(self):
        class Calling(TCPConnector):
            async def connect(self, req, traces, timeout):
                return await super().connect(req, traces, timeout)

        class NotCalling(TCPConnector):
            async def connect(self, req, traces, timeout):
                return await plain.connect(req, traces, timeout)

        class Inheriting(NotCalling):
            pass

        plain = TCPConnector()
        session = ClientSession(connector=plain)
        self.addAsyncCleanup(session.close)
        for connector_class in (Calling, NotCalling, Inheriting):
            with self.subTest(connector_class.__name__):
                own = {cls: vars(cls).get("connect") for cls in (Calling, NotCalling, Inheriting)}
                async with ClientSession(connector=connector_class()) as session:
                    with aioresponses(passthrough=[self.url.origin()]) as mock:
                        mock.get(SITE, body="mocked")
                        self.assertEqual(await text_of(session), "mocked")
                        self.assertEqual(await text_of(session, self.url), "real")
                        self.assertEqual(len(mock.calls[1].hops), 1)
                    self.assertEqual(await text_of(session, self.url), "real")
                self.assertEqual({cls: vars(cls).get("connect") for cls in own}, own)

    async def test_a_wrapper_that_finds_connect_in_what_it_wraps(self):
        class Wrapper:
            def __init__(self, connector):
                self._connector = connector

            def __getattr__(self, name):
                return getattr(self._connector, name)

        with aioresponses() as m:
            m.get(SITE, body="mocked")
            async with ClientSession(connector=Wrapper(TCPConnector())) as session:
                self.assertEqual(await text_of(session, SITE), "mocked")


class StopAnywhereTest(unittest.TestCase):
    async def leave_a_response_unread(self, mock):
        session = ClientSession()
        mock.get(SITE, body=bytes(2 ** 23))
        return session, await session.get(SITE)

    def run_on(self, loop, coroutine):
        return loop.run_until_complete(asyncio.wait_for(coroutine, AT_MOST))

    def new_loop(self):
        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        return loop

    def test_a_mock_stops_with_the_loop_closed(self):
        loop = self.new_loop()
        mock = aioresponses()
        mock.start()
        session = self.run_on(loop, make_session())
        mock.get(SITE, body="there")
        self.assertEqual(self.run_on(loop, text_of(session)), "there")
        loop.close()
        mock.stop()
        self.assertEqual(hooks_in_place(), [])
        asyncio.run(session.close())

    def test_a_mock_stops_with_the_loop_not_running(self):
        loop = self.new_loop()
        with aioresponses() as mock:
            session, response = self.run_on(loop, self.leave_a_response_unread(mock))
        with self.assertRaises(aiohttp.ClientPayloadError):
            self.run_on(loop, response.read())
        self.run_on(loop, session.close())

    def test_a_mock_stops_with_no_loop_ever_started(self):
        with aioresponses() as mock:
            mock.get(SITE)
        self.assertEqual(mock.calls, [])
        self.assertEqual(hooks_in_place(), [])

    def test_a_mock_stops_with_another_loop_running(self):
        async def stop():
            mock.stop()

        loop = self.new_loop()
        mock = aioresponses()
        mock.start()
        session, response = self.run_on(loop, self.leave_a_response_unread(mock))
        asyncio.run(stop())
        with self.assertRaises(aiohttp.ClientPayloadError):
            self.run_on(loop, response.read())
        self.run_on(loop, session.close())

    def test_a_mock_stops_in_another_thread_than_the_loop(self):
        async def wait_for_the_answer():
            async with ClientSession() as session:
                unread = await session.get(f"{SITE}unread")
                with self.assertRaises(ClientConnectionError):
                    await asyncio.wait_for(session.post(SITE), AT_MOST)
                with self.assertRaises(aiohttp.ClientPayloadError):
                    await asyncio.wait_for(unread.read(), AT_MOST)
                ended.append("request")

        async def callback(url, **kwargs):
            began.set()
            await asyncio.Event().wait()

        began, ended = threading.Event(), []
        mock = aioresponses()
        mock.start()
        mock.get(f"{SITE}unread", body=bytes(2 ** 23))
        mock.post(SITE, callback=callback)
        thread = threading.Thread(target=asyncio.run, args=(wait_for_the_answer(),))
        thread.start()
        self.assertTrue(began.wait(AT_MOST))
        mock.stop()
        thread.join(AT_MOST)
        self.assertEqual(ended, ["request"])
