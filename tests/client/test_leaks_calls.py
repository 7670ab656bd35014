"""Responses that hold a connection, as with a real server, and calls that never end."""

import asyncio
import inspect
from typing import Any

import aiohttp
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from aioresponses import Fault, aioresponses

from ..leaving import LARGE, LeaksTestCase, at, closed
from ..support import AT_MOST, SITE


class ResponsesTest(LeaksTestCase):
    """What holds a connection with a real server holds one here."""

    async def held(self, client, released, body, chunked=False, method="GET"):
        """Return what a client leaves behind with a server and with a mock; `released` says how long to look."""
        forever = asyncio.Event()

        async def stream():
            yield body
            await forever.wait()

        async def handle(request):
            response = web.StreamResponse()
            response.content_length = None if chunked else len(body)
            await response.prepare(request)
            if request.method != "HEAD":
                await response.write(body)
            if chunked:
                await forever.wait()
            return response

        app = web.Application()
        app.router.add_route("*", "/", handle)
        found = []
        async with TestServer(app) as server:
            for url in (server.make_url("/"), SITE):
                async with ClientSession() as session:
                    async def ask(mock):
                        mock.add(SITE, method, body=stream if chunked else body)
                        response = await client(session, method, url)
                        if released:
                            await asyncio.wait_for(self.release_of(response), AT_MOST)
                        else:
                            await asyncio.sleep(0.02)
                        return [response]

                    lines = await self.left_here(ask, ("response", "unread"))
                    found.append([line.split(": ")[1] for line in lines if " -> 200" in line])
            forever.set()
        return found

    async def release_of(self, response):
        while response.connection is not None:
            await asyncio.sleep(0)

    HOLDS = ["response holds its connection, neither read nor released"]
    UNREAD = ["response unread, would hold a connection if the body were larger"]

    def check(self, client, expected, *args, **kwargs):
        real, mocked = asyncio.run(self.held(client, expected != self.HOLDS, *args, **kwargs))
        with self.subTest(client.__name__, **kwargs):
            self.assertEqual((real, mocked), (expected, expected))

    def test_one_that_is_neither_read_nor_released(self):
        async def look_at_status(session, method, url):
            return await session.request(method, url)

        async def read_a_little(session, method, url):
            response = await session.request(method, url)
            await response.content.read(2)
            return response

        for client in (look_at_status, read_a_little):
            self.check(client, self.HOLDS, LARGE)
            self.check(client, self.HOLDS, b"some", chunked=True)
            self.check(client, self.UNREAD, b"x" * 200_000)
            self.check(client, self.UNREAD, b"some")
        self.check(look_at_status, [], b"")
        self.check(look_at_status, [], LARGE, method="HEAD")

    def test_one_that_is_read_or_released_in_whatever_way(self):
        async def read(session, method, url):
            response = await session.request(method, url)
            await response.read()
            return response

        async def iterate(session, method, url):
            response = await session.request(method, url)
            async for _ in response.content.iter_any():
                pass
            return response

        async def leave_block(session, method, url):
            async with session.request(method, url) as response:
                return response

        async def release(session, method, url):
            response = await session.request(method, url)
            released = response.release()
            if inspect.isawaitable(released):
                await released
            return response

        async def close(session, method, url):
            response = await session.request(method, url)
            response.close()
            return response

        for client in (read, iterate, leave_block, release, close):
            self.check(client, [], LARGE)
            self.check(client, [], b"some")

    def test_one_whose_session_is_closed_holds_nothing_more(self):
        async def close_session(mock):
            mock.get(SITE, body=LARGE)
            async with ClientSession() as session:
                return [await session.get(SITE)]

        async def plain_in_loop():
            with aioresponses(assert_no_leaks=True) as mock:
                responses = await close_session(mock)
            await closed(*responses)

        self.assertEqual(self.left(close_session), [])
        asyncio.run(plain_in_loop())

    def test_what_aiohttp_releases_itself(self):
        async def ask(mock):
            mock.get(SITE, status=302, headers={"Location": "/next"}, body=LARGE)
            mock.get(f"{SITE}next")
            mock.post(SITE, status=500, body=LARGE)
            async with ClientSession() as session:
                await session.get(SITE)
                with self.assertRaises(aiohttp.ClientResponseError):
                    await session.post(SITE, raise_for_status=True)
                return []

        self.assertEqual(self.left(ask, ("response", "unread")), [])

    def test_the_last_one_of_several_hops(self):
        async def ask(mock):
            mock.get(SITE, status=302, headers={"Location": "/next"})
            mock.get(f"{SITE}next", body=LARGE)
            session = ClientSession()
            return await session.get(SITE), session

        self.assertEqual(self.left(ask, "response"), [
            "1 thing was left behind:",
            f"  GET {SITE} -> 302, GET {SITE}next -> 200: response holds its connection, neither read nor released",
            f"    requested at {at(ask, 4)}",
        ])

    def test_the_calls_need_not_be_kept(self):
        async def ask(mock):
            mock.get(SITE, repeat=True)
            mock.post(SITE, body=LARGE)
            async with ClientSession() as session:
                response = await session.post(SITE)
                # More than it holds before it lets go of those that left nothing.
                for _ in range(1010):
                    await session.get(SITE)
                mock.reset()
                found.extend(mock._watch.left_now())
                self.assertLess(len(mock._watch._calls), 20)
                return [response]

        found: list[Any] = []
        self.assertEqual(self.left(ask), [])
        self.assertEqual([leak.kind for leak in found], ["session", "response"])


class CallsTest(LeaksTestCase):
    def test_one_that_never_ends_and_those_that_end_in_whatever_way(self):
        async def hang(mock):
            mock.get(SITE, fault=Fault.HANG)
            self.session = ClientSession()
            return asyncio.gather(self.session.get(SITE)), self.session

        async def end(mock):
            mock.get(SITE, fault=Fault.HANG, repeat=True)
            mock.post(SITE, exception=OSError())
            async with ClientSession() as session:
                with self.assertRaises(asyncio.TimeoutError):
                    await session.get(SITE, timeout=aiohttp.ClientTimeout(total=0.001))
                with self.assertRaises(OSError):
                    await session.post(SITE)
                task = asyncio.ensure_future(session.get(SITE))
                await asyncio.sleep(0)
                task.cancel()

        self.assertEqual(self.left(hang, "call"), [
            "1 thing was left behind:", f"  GET {SITE}: call never ended", f"    requested at {at(hang, 3)}"
        ])
        self.assertEqual(self.left(end), [])

    def test_one_is_told_by_the_mock_that_it_belongs_to(self):
        async def main():
            async with ClientSession() as session:
                with self.assertRaises(AssertionError) as raised:
                    async with aioresponses(assert_no_leaks=True) as outer:
                        outer.get(SITE, fault=Fault.HANG)
                        with self.assertRaises(AssertionError) as raised_within:
                            async with aioresponses(assert_no_leaks=True):
                                within = ClientSession()
                                task = asyncio.ensure_future(session.get(SITE))
                                task.set_name("asking")
                                await asyncio.sleep(0)
                        around = ClientSession()
                await closed(within, around, task)
                return str(raised_within.exception), str(raised.exception)

        within, around = asyncio.run(main())
        self.assertEqual(
            [[line.split("at ")[0] for line in text.splitlines()] for text in (within, around)],
            [
                [
                    "3 things were left behind:", "  ClientSession never closed", "    created ",
                    f"  GET {SITE}: call never ended", "    requested ",
                    "  task 'asking' still running: ClientSession._request", "    created ",
                ],
                ["1 thing was left behind:", "  ClientSession never closed", "    created "],
            ],
        )

    def test_a_mock_without_it_leaves_them_to_the_one_around(self):
        async def ask(mock):
            with aioresponses():
                mock.get(SITE, body=LARGE)
                session = ClientSession()
                return await session.get(SITE), session

        self.assertEqual([line for line in self.left(ask) if not line.startswith("    ")], [
            "2 things were left behind:", "  ClientSession never closed",
            f"  GET {SITE} -> 200: response holds its connection, neither read nor released",
        ])


class ConnectorOnlyTest(LeaksTestCase):
    """A call of which only the connector is seen has returned if its response holds its connection."""

    def check(self, make_session, ask):
        async def leave(mock):
            mock.get(SITE, body=LARGE)
            mock.get(f"{SITE}hanging", fault=Fault.HANG)
            mock.get(f"{SITE}small", body=b"small")
            session = make_session(mock)
            response = await ask(session, SITE)
            task = asyncio.get_running_loop().create_task(ask(session, f"{SITE}hanging"))
            await (await ask(session, f"{SITE}small")).read()
            return [session, response, task]

        self.assertEqual(
            [line for line in self.left(leave, ("response", "call")) if "requested at" not in line],
            [
                "2 things were left behind:",
                f"  GET {SITE} -> 200: response holds its connection, neither read nor released",
                f"  GET {SITE}hanging: call never ended",
            ],
        )

    def test_a_connector_of_the_mock(self):
        self.check(
            lambda mock: ClientSession(connector=mock.connector()), lambda session, url: session.get(url)
        )

    def test_a_request_that_goes_around_the_hook(self):
        original = ClientSession._request
        self.check(lambda mock: ClientSession(), lambda session, url: original(session, "GET", url))
