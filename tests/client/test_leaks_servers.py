"""What is left behind where handlers, mounted applications and WebSockets answer, which end with the mock."""

import asyncio

from aiohttp import ClientSession, web

from aioresponses import Fault, aioresponses

from ..leaving import LARGE, LeaksTestCase, LeavingCase, WatchingCase, at, closed
from ..support import SITE, OutcomeTestCase

POLLED = "http://polled.example/"


async def large(request):
    return web.Response(body=LARGE)


async def small(request):
    return web.Response(body=b"small")


async def never(request):
    await asyncio.Event().wait()


def application(background=None):
    """Return an application, which runs a task in the background until it ends."""
    app = web.Application()
    app.router.add_get("/", small)

    async def in_background(app):
        task = asyncio.create_task(background())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    if background is not None:
        app.cleanup_ctx.append(in_background)
    return app


async def get(session, url=SITE):
    return await session.get(url)


HELD = f"  GET {SITE} -> 200: response holds its connection, neither read nor released"
IN_GET = f"    requested at {at(get, 1)}"


class ClientsTest(LeaksTestCase):
    """The end of a server does not hide what its clients leave behind, whether a block or `aclose()` ends it."""

    def check(self, client, *expected):
        async def with_session(mock):
            session = ClientSession()
            things = await client(mock, session)
            return [session, *things]

        async def with_aclose(mock):
            things = await with_session(mock)
            await mock.aclose()
            return things

        kinds = ("response", "call", "task")
        for leaving in (with_session, with_aclose):
            with self.subTest(leaving.__name__):
                self.assertEqual(self.left(leaving, kinds)[1:], list(expected))

    def test_a_response_of_a_handler(self):
        async def client(mock, session):
            mock.get(SITE, handler=large)
            return [await get(session)]

        self.check(client, HELD, IN_GET)

    def test_a_response_of_an_application(self):
        async def client(mock, session):
            app = web.Application()
            app.router.add_get("/", large)
            mock.mount(SITE, app)
            return [await get(session)]

        self.check(client, HELD, IN_GET)

    def test_a_response_of_a_mock_beside_a_handler(self):
        async def client(mock, session):
            mock.get(f"{SITE}other", handler=small)
            mock.get(SITE, body=LARGE)
            async with session.get(f"{SITE}other") as response:
                await response.read()
            return [await get(session)]

        self.check(client, HELD, IN_GET)

    def test_a_call_that_a_handler_never_answers(self):
        async def client(mock, session):
            mock.get(SITE, handler=never)
            task = asyncio.get_running_loop().create_task(get(session), name="asking")
            await asyncio.sleep(0.01)
            return [task]

        self.check(
            client,
            f"  GET {SITE}: call never ended",
            IN_GET,
            "  task 'asking' still running: get",
            f"    created at {at(client, 2)}",
        )

    def test_a_websocket(self):
        async def client(mock, session):
            mock.websocket("ws://example.com/")
            return [await session.ws_connect("ws://example.com/")]

        self.check(
            client,
            "  GET ws://example.com/ -> 101: WebSocket holds its connection, never closed",
            f"    requested at {at(client, 2)}",
        )

    def test_those_that_leave_nothing_behind(self):
        async def read(mock, session):
            mock.get(SITE, handler=large)
            response = await get(session)
            await response.read()
            return []

        async def close(mock, session):
            mock.websocket("ws://example.com/")
            async with session.ws_connect("ws://example.com/"):
                return []

        for client in (read, close):
            with self.subTest(client.__name__):
                self.assertEqual(self.left(lambda mock: self.with_closed_session(client, mock)), [])

    async def with_closed_session(self, client, mock):
        async with ClientSession() as session:
            return await client(mock, session)


class ServersTest(LeaksTestCase):
    """What an application uses while it runs is not left behind."""

    async def use(self, mock, background):
        """Ask an application that runs something in the background."""
        mock.mount(SITE, application(background))
        mock.get(POLLED, fault=Fault.HANG)
        async with ClientSession() as session:
            async with session.get(SITE) as response:
                await response.read()
        return []

    @staticmethod
    async def poll():
        async with ClientSession() as session:
            await session.get(POLLED)

    def test_what_it_closes_at_its_end(self):
        self.assertEqual(self.left(lambda mock: self.use(mock, self.poll)), [])

    def test_what_it_still_uses_while_a_plain_block_ends(self):
        async def main():
            with aioresponses(assert_no_leaks=True) as mock:
                await self.use(mock, self.poll)
            await asyncio.sleep(0.01)

        asyncio.run(main())

    def test_what_it_has_used_in_a_run_of_the_test_s_own(self):
        with aioresponses(assert_no_leaks=True) as mock:
            asyncio.run(self.use(mock, self.poll))

    def test_what_it_leaves_open(self):
        sessions = []

        async def leave():
            sessions.append(ClientSession())

        expected = [
            "1 thing was left behind:", "  ClientSession never closed", f"    created at {at(leave, 1)}"
        ]
        self.assertEqual(self.left(lambda mock: self.use(mock, leave)), expected)

        async def with_aclose(mock):
            await self.use(mock, leave)
            await mock.aclose()

        self.assertEqual(self.left(with_aclose), expected)
        with self.assertRaises(AssertionError) as raised:
            with aioresponses(assert_no_leaks=True) as mock:
                asyncio.run(self.use(mock, leave))
        self.assertEqual(str(raised.exception).splitlines(), expected)
        asyncio.run(closed(*sessions))

    def test_a_task_that_a_handler_leaves_running(self):
        tasks = []

        async def handler(request):
            tasks.append(asyncio.get_running_loop().create_task(asyncio.sleep(60), name="left"))
            return web.Response()

        async def client(mock):
            mock.get(SITE, handler=handler)
            async with ClientSession() as session:
                await session.get(SITE)
            return tasks

        self.assertEqual(
            self.left(client),
            ["1 thing was left behind:", "  task 'left' still running: sleep", f"    created at {at(handler, 1)}"],
        )


class TestCaseTest(OutcomeTestCase):
    """In a test case, too."""

    def test_a_response_of_a_handler(self):
        class Case(LeavingCase):
            async def test(self):
                self.mock.get(SITE, handler=large)
                self.things = [await get(self.client_session())]

        self.check_message(Case, "\n".join(["1 thing was left behind:", HELD, IN_GET]))

    def test_what_an_application_uses_while_it_runs(self):
        class Case(WatchingCase):
            async def test(self):
                await ServersTest.use(self, self.mock, ServersTest.poll)
                self.assertNoLeaks()

        self.check_passes(Case)
