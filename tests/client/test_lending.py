"""Sessions that are used on other event loops than their own."""

import asyncio
import contextlib
import gc
import threading
import unittest
import warnings

import aiohttp
from aiohttp import ClientSession, TCPConnector

from aioresponses import aioresponses

from ..support import AT_MOST, SITE, get, text_of


def loop_of(session):
    """Return the loop of a session, for which aiohttp has no public name that lasts: `loop` warns, and is to go."""
    return session._loop


async def make_session():
    return ClientSession()


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
