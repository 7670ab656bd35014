"""The hooks into aiohttp: when they are in place, what others do to them, and on which loops they work."""

import asyncio
import contextlib
import functools
import gc
import itertools
import threading
import unittest
import warnings
from unittest.mock import patch

import aiohttp
from aiohttp import BaseConnector, ClientConnectionError, ClientSession, TCPConnector, web

from aioresponses import aioresponses

from ..servers import ServerTestCase
from ..support import AT_MOST, SITE, get, text_of

# What the hooks replace is private in part, and is seen here as 0.7.9 and others that replace it see it.
HOOKS = [(ClientSession, "_request"), (BaseConnector, "connect"), (BaseConnector, "close")]
ORIGINALS = [vars(owner)[name] for owner, name in HOOKS]


def in_place():
    return [vars(owner)[name] for owner, name in HOOKS]


def replaced():
    """Say of each hook whether it is another function than aiohttp's own."""
    return [current is not original for current, original in zip(in_place(), ORIGINALS)]


ALL_REPLACED = [True] * len(HOOKS)
NONE_REPLACED = [False] * len(HOOKS)


def loop_of(session):
    """Return the loop of a session, for which aiohttp has no public name that lasts: `loop` warns, and is to go."""
    return session._loop


async def make_session():
    return ClientSession()


class HooksTest(unittest.TestCase):
    def setUp(self):
        self.assertEqual(replaced(), NONE_REPLACED)

    def tearDown(self):
        self.assertEqual(replaced(), NONE_REPLACED)

    def test_hooks_are_in_place_while_a_mock_is_active_and_no_longer(self):
        mock = aioresponses()
        self.assertEqual(replaced(), NONE_REPLACED)
        mock.start()
        self.assertEqual(replaced(), ALL_REPLACED)
        mock.stop()
        self.assertEqual(replaced(), NONE_REPLACED)

    def test_hooks_are_in_place_in_a_with_block(self):
        with aioresponses():
            self.assertEqual(replaced(), ALL_REPLACED)

    def test_hooks_are_in_place_in_an_async_with_block(self):
        async def run():
            async with aioresponses():
                self.assertEqual(replaced(), ALL_REPLACED)
            self.assertEqual(replaced(), NONE_REPLACED)

        asyncio.run(run())

    def test_hooks_are_taken_out_after_an_exception_in_the_block(self):
        for exception in (ValueError("wrong"), KeyboardInterrupt(), asyncio.CancelledError()):
            with self.subTest(repr(exception)):
                with self.assertRaises(type(exception)) as caught, aioresponses():
                    raise exception
                self.assertIs(caught.exception, exception)
                self.assertEqual(replaced(), NONE_REPLACED)

    def test_hooks_are_in_place_while_a_decorated_function_runs(self):
        @aioresponses()
        def decorated(mock):
            self.assertEqual(replaced(), ALL_REPLACED)
            raise ValueError("wrong")

        self.assertEqual(replaced(), NONE_REPLACED)
        for _ in range(2):
            with self.assertRaises(ValueError):
                decorated()
            self.assertEqual(replaced(), NONE_REPLACED)

    def test_hooks_are_in_place_while_a_decorated_coroutine_function_runs(self):
        @aioresponses()
        async def decorated(mock):
            self.assertEqual(replaced(), ALL_REPLACED)
            await asyncio.sleep(0)
            self.assertEqual(replaced(), ALL_REPLACED)
            raise ValueError("wrong")

        for _ in range(2):
            coroutine = decorated()
            self.assertEqual(replaced(), NONE_REPLACED)
            with self.assertRaises(ValueError):
                asyncio.run(coroutine)
            self.assertEqual(replaced(), NONE_REPLACED)

    def test_hooks_are_taken_out_when_the_last_of_nested_mocks_stops_whatever_the_order(self):
        for order in itertools.permutations(range(3)):
            with self.subTest(order=order):
                mocks = [aioresponses() for _ in range(3)]
                for mock in mocks:
                    mock.start()
                for number in order:
                    self.assertEqual(replaced(), ALL_REPLACED)
                    mocks[number].stop()
                self.assertEqual(replaced(), NONE_REPLACED)

    def test_hooks_are_taken_out_after_an_exception_in_nested_mocks(self):
        with self.assertRaises(ValueError), aioresponses(), aioresponses():
            raise ValueError("wrong")
        self.assertEqual(replaced(), NONE_REPLACED)

    def test_a_mock_that_is_active_cannot_be_started_again(self):
        mock = aioresponses()
        mock.start()
        with self.assertRaises(RuntimeError) as caught:
            mock.start()
        self.assertEqual(str(caught.exception), "start() was called on an aioresponses that is already active")
        mock.get(SITE, body="still there")
        self.assertEqual(asyncio.run(get()), "still there")
        mock.stop()
        self.assertEqual(replaced(), NONE_REPLACED)

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
            self.assertEqual(replaced(), ALL_REPLACED)
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


class Wrapper:
    """A method as some packages wrap it: bound by a descriptor of its own, and equal to what it wraps."""

    def __init__(self, wrapped, calls):
        self.__wrapped__ = wrapped
        self.calls = calls

    def __get__(self, instance, owner=None):
        def call(*args, **kwargs):
            self.calls.append((instance, args[0] if args else None))
            return self.__wrapped__(instance, *args, **kwargs)

        return call

    def __call__(self, *args, **kwargs):
        raise AssertionError("called without its owner")

    def __eq__(self, other):
        return self.__wrapped__ == other

    def __hash__(self):
        return hash(self.__wrapped__)


class ReplacedHooksTest(ServerTestCase):
    """Another package replaces what the hooks replace, and puts it back when it suits it."""

    def setUp(self):
        self.assertEqual(replaced(), NONE_REPLACED)
        self.addCleanup(lambda: self.assertEqual(replaced(), NONE_REPLACED))

    async def asyncSetUp(self):
        async def real(request):
            return web.Response(text="real")

        self.url = await self.serve(web.get("/", real))

    def wrapping(self, owner, name):
        """Return a patcher that wraps a hook in a function of another package."""
        current = vars(owner)[name]

        @functools.wraps(current)
        def wrapper(*args, **kwargs):
            return current(*args, **kwargs)

        return patch.object(owner, name, wrapper)

    async def check_that_all_works(self):
        self.assertEqual(await get(self.url), "real")
        with aioresponses() as mock:
            mock.get(self.url, body="mocked")
            self.assertEqual(await get(self.url), "mocked")
            with self.assertRaises(ClientConnectionError):
                await get(self.url)
        self.assertEqual(await get(self.url), "real")

    async def test_a_wrapper_that_is_put_back_after_the_mock_stopped(self):
        for owner, name in HOOKS:
            with self.subTest(name):
                mock = aioresponses()
                mock.start()
                patcher = self.wrapping(owner, name)
                patcher.start()
                mock.get(self.url, body="mocked")
                self.assertEqual(await get(self.url), "mocked")
                mock.stop()
                self.assertEqual(await get(self.url), "real")
                patcher.stop()
                await self.check_that_all_works()
                self.assertEqual(replaced(), NONE_REPLACED)

    async def test_a_wrapper_that_stays_longer_than_the_mock(self):
        for owner, name in HOOKS:
            with self.subTest(name):
                mock = aioresponses()
                mock.start()
                patcher = self.wrapping(owner, name)
                patcher.start()
                mock.stop()
                await self.check_that_all_works()
                patcher.stop()
                await self.check_that_all_works()
                self.assertEqual(replaced(), NONE_REPLACED)

    async def test_a_wrapper_that_was_there_before_the_mock(self):
        for owner, name in HOOKS:
            with self.subTest(name), self.wrapping(owner, name):
                there = vars(owner)[name]
                await self.check_that_all_works()
                self.assertIs(vars(owner)[name], there)

    async def test_a_descriptor_is_called_with_its_owner(self):
        for name in ("_request", "connect"):
            owner = ClientSession if name == "_request" else BaseConnector
            calls = []
            wrapper = Wrapper(vars(owner)[name], calls)
            with self.subTest(name), patch.object(owner, name, wrapper):
                async with ClientSession() as session:
                    with aioresponses(passthrough=[self.url.origin()]) as mock:
                        mock.get(SITE, body="mocked")
                        self.assertEqual(await text_of(session), "mocked")
                        self.assertEqual(await text_of(session, self.url), "real")
                    if name == "_request":
                        self.assertEqual(calls, [(session, "GET")] * 2)
                    else:
                        self.assertIs(calls[-1][0], session.connector)
                self.assertIs(vars(owner)[name], wrapper)

    async def test_a_descriptor_stays_where_it_was_put_while_a_mock_was_active(self):
        for name in ("_request", "connect"):
            owner = ClientSession if name == "_request" else BaseConnector
            original, calls = vars(owner)[name], []
            try:
                with self.subTest(name):
                    with aioresponses():
                        wrapper = Wrapper(vars(owner)[name], calls)
                        setattr(owner, name, wrapper)
                    for _ in range(2):
                        with aioresponses() as mock:
                            mock.get(SITE, body="mocked")
                            self.assertEqual(await get(SITE), "mocked")
                        self.assertIs(vars(owner)[name], wrapper)
                    self.assertEqual(await get(self.url), "real")
                    self.assertTrue(calls)
            finally:
                setattr(owner, name, original)


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
        self.assertEqual(replaced(), NONE_REPLACED)
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
        self.assertEqual(replaced(), NONE_REPLACED)

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


class OnAnyLoopTest(unittest.TestCase):
    """A session is used on other loops than the one it was made on."""

    def setUp(self):
        active = contextlib.ExitStack()
        self.mock = active.enter_context(aioresponses())
        self.stop = active.close
        self.addCleanup(self.stop)

    @contextlib.contextmanager
    def no_complaints(self):
        """Fail if there is a warning, one of unclosed things included, or asyncio logs anything."""
        with warnings.catch_warnings(record=True) as caught, self.assertNoLogs("asyncio"):
            warnings.simplefilter("always")
            yield
            gc.collect()
        self.assertEqual([str(warning.message) for warning in caught], [])

    def test_each_run_may_have_a_loop_of_its_own(self):
        async def use(method):
            async with session.request(method, SITE, json={"name": "Ada"}) as response:
                return await response.json()

        self.mock.get(SITE, payload="got", repeat=True)
        self.mock.post(SITE, payload="posted", repeat=True)
        with self.no_complaints():
            session = asyncio.run(make_session())
            for _ in range(2):
                self.assertEqual(asyncio.run(use("GET")), "got")
                self.assertEqual(asyncio.run(use("POST")), "posted")
            asyncio.run(session.close())
            self.stop()
            session = None

    def test_a_session_that_was_used_on_its_own_loop_may_move_on(self):
        async def make_and_use():
            session = ClientSession()
            self.assertEqual(await text_of(session), "here")
            return session

        self.mock.get(SITE, body="here", repeat=True)
        with self.no_complaints():
            session = asyncio.run(make_and_use())
            self.assertEqual(asyncio.run(text_of(session)), "here")
            asyncio.run(session.close())
            self.stop()
            del session

    def test_a_session_may_be_used_with_a_timeout_on_another_loop(self):
        async def callback(url, **kwargs):
            await asyncio.Event().wait()

        self.mock.get(SITE, callback=callback)
        with self.no_complaints():
            session = asyncio.run(make_session())
            with self.assertRaises(asyncio.TimeoutError):
                asyncio.run(text_of(session, timeout=aiohttp.ClientTimeout(total=0.01)))
            asyncio.run(session.close())
            self.stop()
            del session

    def test_a_session_whose_loop_never_ran_is_served_on_the_running_one(self):
        async def use():
            self.assertEqual(await text_of(session), "here")
            return loop_of(session) is asyncio.get_running_loop()

        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        with warnings.catch_warnings():
            # aiohttp 3.8 and 3.9 advise against it.
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                session = ClientSession(
                    connector=TCPConnector(loop=loop), cookie_jar=aiohttp.DummyCookieJar(loop=loop)
                )
            except TypeError:
                self.skipTest("aiohttp 4 makes sessions on running loops alone")
        self.mock.get(SITE, body="here")
        with self.no_complaints():
            self.assertEqual(asyncio.run(use()), True)
            self.stop()
            self.assertIs(loop_of(session), loop)
            loop.run_until_complete(session.close())
            session = None

    def test_the_loop_of_a_session_is_its_own_again_after_stop(self):
        async def use():
            await text_of(session)
            return loop_of(session) is asyncio.get_running_loop()

        self.mock.get(SITE, repeat=True)
        session = asyncio.run(make_session())
        own = loop_of(session)
        for _ in range(2):
            self.assertEqual(asyncio.run(use()), True)
        self.stop()
        self.assertIs(loop_of(session), own)
        asyncio.run(session.close())

    def test_the_loop_of_a_session_is_its_own_again_after_nested_mocks(self):
        self.mock.get(SITE)
        session = asyncio.run(make_session())
        own = loop_of(session)
        with aioresponses() as inner:
            inner.get(SITE)
            asyncio.run(text_of(session))
        asyncio.run(text_of(session))
        self.stop()
        self.assertIs(loop_of(session), own)
        asyncio.run(session.close())

    def test_the_loop_of_a_session_is_left_alone_where_it_runs(self):
        async def use():
            async with ClientSession() as session:
                own = loop_of(session)
                await text_of(session)
                self.assertIs(loop_of(session), own)

        self.mock.get(SITE)
        asyncio.run(use())

    def test_a_session_of_another_thread_is_answered_there(self):
        answers = []
        self.mock.get(SITE, body="answer")
        thread = threading.Thread(target=lambda: answers.append(asyncio.run(get())))
        thread.start()
        thread.join(AT_MOST)
        self.assertEqual(answers, ["answer"])
        self.assertEqual(self.mock.call_count, 1)

    def test_many_threads_are_answered_side_by_side(self):
        def run(number):
            answers[number] = asyncio.run(get(f"{SITE}{number}"))

        answers = {}
        for number in range(8):
            self.mock.get(f"{SITE}{number}", body=f"answer {number}")
        threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(AT_MOST)
        self.assertEqual(answers, {number: f"answer {number}" for number in range(8)})
        self.assertEqual(self.mock.call_count, 8)
