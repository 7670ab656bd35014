"""By which line things are made, and that nothing remains of whoever watches for that."""

import asyncio
import contextlib
import socket
from typing import Any
from unittest import mock as unittest_mock

import aiohttp
from aiohttp import ClientSession, TCPConnector, web
from aiohttp.test_utils import TestServer

from aioresponses import aioresponses

from ..leaving import LARGE, Client, LeaksTestCase, at, closed, new_session
from ..support import SITE

ORIGINALS = {
    ClientSession: ClientSession.__init__,
    aiohttp.BaseConnector: aiohttp.BaseConnector.__init__,
    asyncio.BaseEventLoop: asyncio.BaseEventLoop.create_task,
    asyncio.runners: asyncio.runners._cancel_all_tasks,
}


class PlacesTest(LeaksTestCase):
    def test_the_innermost_line_of_the_test_or_of_the_code_under_test(self):
        @contextlib.asynccontextmanager
        async def session_of_a_helper():
            yield made[0]

        async def with_contexts(mock):
            mock.get(SITE, body=LARGE, repeat=True)
            made.append(ClientSession())
            async with contextlib.AsyncExitStack() as stack:
                session = await stack.enter_async_context(session_of_a_helper())
                response = await session.get(SITE)
            return response, session

        async def side_by_side(mock):
            mock.get(SITE, body=LARGE, repeat=True)
            made.append(ClientSession())
            responses = await asyncio.gather(*[made[0].get(SITE), made[0].get(SITE)])
            return *responses, made[0]

        for client, places in (
            (with_contexts, [at(with_contexts, 5)]), (side_by_side, [at(side_by_side, 3)] * 2)
        ):
            with self.subTest(client.__name__):
                made: list[ClientSession] = []
                lines = self.left(client, "response")
                self.assertEqual([line.strip() for line in lines[2::2]], [f"requested at {place}" for place in places])

    def test_those_of_asyncio_s_own_coroutines_and_functions_are_the_test_s(self):
        async def ensure(mock):
            return [asyncio.ensure_future(asyncio.sleep(60))]

        async def gather(mock):
            return [asyncio.gather(asyncio.sleep(60))]

        async def shield(mock):
            task = asyncio.ensure_future(asyncio.wait_for(asyncio.shield(Client.refresh(None)), 0.001))
            with self.assertRaises(asyncio.TimeoutError):
                await task

        async def call_back(mock):
            asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(asyncio.sleep(60)))
            await asyncio.sleep(0)

        for client in (ensure, gather, shield):
            with self.subTest(client.__name__):
                lines = self.left(client)
                self.assertEqual((lines[0], lines[2:]), (
                    "1 thing was left behind:", [f"    created at {at(client, 1)}"]
                ))
        self.assertRegex("\n".join(self.left(call_back)), r"sleep\n    created at .*:\d+ in <lambda>\Z")

    def test_one_that_no_line_of_the_test_makes_has_no_place(self):
        async def call_back(mock):
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.create_task, asyncio.sleep(60))
            await asyncio.sleep(0)

        self.assertRegex("\n".join(self.left(call_back)), r"\A1 thing was left behind:\n  task '.*' still.*: sleep\Z")

    def test_those_of_aiohttp_and_of_this_package_do_not_count(self):
        async def handle(request):
            await asyncio.sleep(60)

        async def stream():
            while True:
                yield b"x"
                await asyncio.sleep(60)

        async def ask(mock):
            app = web.Application()
            app.router.add_get("/", handle)
            async with TestServer(app) as server, ClientSession() as session:
                with self.assertRaises(asyncio.TimeoutError):
                    await session.get(server.make_url("/"), timeout=aiohttp.ClientTimeout(total=0.01))
                mock.get(SITE, body=stream)
                response = await session.get(SITE)
                found.extend(mock._watch.left_now())
                response.close()

        found: list[Any] = []
        self.assertEqual(self.left(ask), [])
        self.assertEqual([leak.kind for leak in found], ["session", "response"])

    def test_those_in_which_asyncio_accepts_connections_do_not_count(self):
        async def connect(mock):
            async with TestServer(web.Application()) as server:
                with socket.create_connection((server.host, server.port)):
                    for _ in range(20):
                        await asyncio.sleep(0)
                        found.extend(mock._watch.left_now())

        found: list[Any] = []
        self.assertEqual(self.left(connect), [])
        self.assertEqual(found, [])

    def test_in_debug_mode_what_asyncio_and_aiohttp_say_leads_to_the_test(self):
        async def main(mock):
            task = asyncio.get_running_loop().create_task(asyncio.sleep(0))
            connector = TCPConnector()
            session = ClientSession(connector=connector)
            for made, line in ((task, 1), (session, 3)):
                frame = made._source_traceback[-1]
                self.assertEqual((frame.filename, frame.lineno), (__file__, main.__code__.co_firstlineno + line))
            self.assertEqual(connector._source_traceback[-1].name, "__init__")
            await closed(session)

        self.assertEqual(asyncio.run(self.left_here(main), debug=True), [])


class OursMeanwhileTest(LeaksTestCase):
    """What of aiohttp and asyncio is ours while a mock watches, and no longer."""

    def tearDown(self):
        for owner, original in ORIGINALS.items():
            self.assertIs(getattr(owner, original.__name__), original)

    def test_what_a_test_puts_in_their_place_meanwhile_is_left_there(self):
        original = ClientSession.__init__
        mock = aioresponses(assert_no_leaks="session")
        with mock:
            ours = ClientSession.__init__
            wrapping = unittest_mock.patch.object(
                ClientSession, "__init__", lambda *args, **kwargs: ours(*args, **kwargs)
            )
            wrapping.start()
            wrapper = ClientSession.__init__
        self.assertIs(ClientSession.__init__, wrapper)
        wrapping.stop()
        try:
            # By now it does nothing but pass on, and what stands above it notes once.
            self.assertIs(ClientSession.__init__, ours)
            with self.assertRaisesRegex(AssertionError, r"\A1 thing was left behind:"), mock:
                session = asyncio.run(new_session())
        finally:
            ClientSession.__init__ = original
        asyncio.run(closed(session))

    def test_they_are_in_place_until_the_last_that_watches_is_stopped(self):
        mocks = [aioresponses(assert_no_leaks="session") for _ in range(2)]
        for mock in mocks:
            mock.start()
        ours = {owner: getattr(owner, original.__name__) for owner, original in ORIGINALS.items()}
        self.assertIs(ours.pop(asyncio.runners), ORIGINALS[asyncio.runners])
        for owner, placed in ours.items():
            self.assertIs(placed.__wrapped__, ORIGINALS[owner])
        mocks[0].stop()
        with aioresponses():
            self.assertEqual({owner: getattr(owner, ORIGINALS[owner].__name__) for owner in ours}, ours)
        mocks[1].stop()

    def test_a_loop_that_has_no_create_task_of_its_own_keeps_none(self):
        class Loop(asyncio.AbstractEventLoop):
            pass

        with aioresponses(assert_no_leaks=True):
            self.assertIn("create_task", vars(Loop))
        self.assertNotIn("create_task", vars(Loop))

    def test_a_stub_in_the_place_of_one_of_them_is_left_alone(self):
        with unittest_mock.patch.object(ClientSession, "__init__", return_value=None) as stub:
            with aioresponses(assert_no_leaks=True):
                self.assertIs(ClientSession.__init__, stub)
