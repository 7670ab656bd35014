"""Servers that a test runs itself need no mock, and what it asks of them by a `TestClient` is left alone."""

import asyncio
import gc
import sys
import threading
import types
import unittest
import weakref
from unittest import mock as unittest_mock

import aiohttp
from aiohttp import ClientConnectionError, ClientSession, web
from aiohttp.test_utils import RawTestServer, TestClient, TestServer

from aioresponses import AioResponsesTestCase, aioresponses

from ..support import SITE, get, text_of


def application():
    async def real(request):
        return web.Response(text=f"real {request.path}")

    async def forward(request):
        return web.Response(text=f"real, and {await get()}")

    async def redirect(request):
        raise web.HTTPFound(request.query["to"])

    async def echo(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(f"real {await socket.receive_str()}")
        return socket

    made = web.Application()
    made.add_routes([
        web.get("/forward", forward), web.get("/redirect", redirect), web.get("/socket", echo),
        web.get("/{path:.*}", real),
    ])
    return made


class OwnServersTestCase(unittest.IsolatedAsyncioTestCase):
    async def start(self, server=None):
        server = server or TestServer(application())
        await server.start_server()
        self.addAsyncCleanup(server.close)
        return server

    async def client_of(self, server, **options):
        client = TestClient(server, **options)
        await client.start_server()
        self.addAsyncCleanup(client.close)
        return client


class TestClientTest(OwnServersTestCase):
    async def test_what_a_test_client_asks_is_neither_answered_nor_recorded(self):
        client = await self.client_of(TestServer(application()))
        with aioresponses(strict=True) as mock:
            mock.get(client.make_url("/"), body="mocked", optional=True)
            async with client.get("/") as response:
                self.assertEqual(await response.text(), "real /")
            self.assertEqual(await text_of(client.session, client.make_url("/")), "real /")
            async with client.ws_connect("/socket") as socket:
                await socket.send_str("hello")
                self.assertEqual(await socket.receive_str(), "real hello")
            self.assertEqual(mock.calls, [])

    async def test_a_redirect_away_from_the_server_of_a_test_client_is_a_request_like_any_other(self):
        client = await self.client_of(TestServer(application()))
        away = {"to": SITE + "away"}
        with aioresponses() as mock:
            with self.assertRaises(ClientConnectionError) as raised:
                await client.get("/redirect", params=away)
            self.assertEqual(str(raised.exception), f"Connection refused: GET {SITE}away")
            mock.get(SITE + "away", body="mocked", repeat=True)
            for get_of_client, url in ((client.get, "/redirect"), (client.session.get, client.make_url("/redirect"))):
                async with get_of_client(url, params=away) as response:
                    self.assertEqual((str(response.url), await response.text()), (SITE + "away", "mocked"))
            async with client.get("/redirect", params={"to": "/home"}) as response:
                self.assertEqual(await response.text(), "real /home")
            self.assertEqual([call.url for call in mock.calls], [SITE + "away"] * 3)
            self.assertEqual(
                [call.response and call.response.status for call in mock.calls], [None, 200, 200]
            )
            self.assertEqual(len(mock.unmatched_calls), 1)
            other = await self.start()
            async with client.get("/redirect", params={"to": str(other.make_url("/other"))}) as response:
                self.assertEqual(await response.text(), "real /other")
            self.assertEqual(len(mock.calls), 3)

    async def test_a_test_client_that_is_made_while_the_mock_is_active(self):
        with aioresponses() as mock:
            for _ in range(2):
                client = await self.client_of(TestServer(application()))
                for _ in range(2):
                    async with client.get("/") as response:
                        self.assertEqual(await response.text(), "real /")
            self.assertEqual(mock.calls, [])

    async def test_its_own_methods_need_no_search_for_it(self):
        with aioresponses() as mock, unittest_mock.patch.object(gc, "get_objects", side_effect=AssertionError):
            client = await self.client_of(TestServer(application()))
            async with client.get("/") as response:
                self.assertEqual(await response.text(), "real /")
            async with client.ws_connect("/socket") as socket:
                await socket.send_str("hello")
                self.assertEqual(await socket.receive_str(), "real hello")
            self.assertEqual(mock.calls, [])

    async def test_a_test_client_of_a_subclass_whose_server_has_the_name_of_a_host(self):
        class OwnClient(TestClient):
            pass

        client = OwnClient(TestServer(application(), host="localhost"))
        await client.start_server()
        self.addAsyncCleanup(client.close)
        with aioresponses() as mock:
            async with client.get("/") as response:
                self.assertEqual(await response.text(), "real /")
            # aiohttp 3.8 has its address in the URL all the same.
            self.assertIn(response.url.host, ("localhost", "127.0.0.1"))
            self.assertEqual(mock.calls, [])

    async def test_what_the_application_asks_of_others_is_mocked(self):
        client = await self.client_of(TestServer(application()))
        with aioresponses() as mock:
            mock.get(SITE, body="mocked")
            async with client.get("/forward") as response:
                self.assertEqual(await response.text(), "real, and mocked")
            self.assertEqual([call.url for call in mock.calls], [SITE])

    async def test_what_the_session_of_a_test_client_asks_of_others_is_mocked(self):
        client = await self.client_of(TestServer(application()))
        with aioresponses() as mock:
            mock.get(SITE, body="mocked")
            mock.get("http://127.0.0.1:1/", body="mocked, too")
            self.assertEqual(await text_of(client.session), "mocked")
            self.assertEqual(await text_of(client.session, "http://127.0.0.1:1/"), "mocked, too")
            self.assertEqual(mock.call_count, 2)

    async def test_other_sessions_of_the_same_looks_are_those_of_the_code_under_test(self):
        client = await self.client_of(TestServer(application()))
        session = ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.addAsyncCleanup(session.close)
        if hasattr(session, "_retry_connection"):
            session._retry_connection = False
        with aioresponses() as mock:
            mock.get(client.make_url("/"), body="mocked", repeat=True)
            for _ in range(2):
                self.assertEqual(await text_of(session, client.make_url("/")), "mocked")
            self.assertEqual(mock.call_count, 2)

    async def test_a_test_client_is_freed_with_the_test(self):
        client = TestClient(TestServer(application()))
        await client.start_server()
        with aioresponses():
            async with client.get("/"):
                pass
        await client.close()
        known = sys.modules["aioresponses._client.own_servers"]._clients
        self.assertIn(client, known)
        client_ref = weakref.ref(client)
        del client
        gc.collect()
        self.assertIsNone(client_ref())


class OtherCodeTest(OwnServersTestCase):
    async def test_a_request_that_no_mock_answers_reaches_the_server_and_is_recorded(self):
        async def raw(request):
            return web.Response(text=f"real {request.path}")

        for server in (await self.start(), await self.start(RawTestServer(raw))):
            with aioresponses(strict=True) as mock:
                url = server.make_url("/")
                self.assertEqual(await get(url, params={"a": "1"}), "real /")
                [call] = mock.calls
                self.assertEqual(
                    (call.url, call.response.status, call.match, call.unmatched), (f"{url}?a=1", 200, None, False)
                )

    async def test_a_mock_that_fits_answers(self):
        server = await self.start()
        url = server.make_url("/")
        with aioresponses() as outer, aioresponses() as mock:
            mock.get(url, body="mocked")
            outer.get(url, body="mocked outside")
            self.assertEqual([await get(url) for _ in range(3)], ["mocked", "mocked outside", "real /"])
            self.assertEqual((mock.call_count, outer.call_count), (3, 2))

    async def test_a_server_that_is_started_while_the_mock_is_active(self):
        with aioresponses() as mock:
            for _ in range(2):
                server = await self.start()
                self.assertEqual(await get(server.make_url("/")), "real /")
                self.assertEqual(await get(server.make_url("/").with_host("localhost")), "real /")
            self.assertEqual(mock.call_count, 4)

    async def test_a_mock_may_redirect_to_the_server(self):
        server = await self.start()
        with aioresponses() as mock:
            mock.get(SITE, status=302, headers={"Location": str(server.make_url("/there"))})
            self.assertEqual(await get(), "real /there")
            self.assertEqual([hop.url for hop in mock.calls[0].hops], [SITE, str(server.make_url("/there"))])

    async def test_a_server_in_a_thread_of_its_own(self):
        def run():
            async def serve():
                server = TestServer(application())
                await server.start_server()
                urls.append(server.make_url("/"))
                started.set()
                while not ended.is_set():
                    await asyncio.sleep(0)
                await server.close()

            asyncio.run(serve())

        urls, started, ended = [], threading.Event(), threading.Event()
        thread = threading.Thread(target=run)
        thread.start()
        try:
            self.assertTrue(await asyncio.to_thread(started.wait, 20))
            with aioresponses():
                self.assertEqual(await get(urls[0]), "real /")
        finally:
            ended.set()
            thread.join()

    async def test_what_is_no_running_server_of_the_test_is_refused(self):
        server = TestServer(application())
        await server.start_server()
        closed = server.make_url("/")
        await server.close()
        runner = web.AppRunner(application())
        await runner.setup()
        self.addAsyncCleanup(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        others = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        running = await self.start()
        elsewhere = f"http://example.com:{running.port}/"
        unstarted = TestServer(application(), port=running.port)
        with aioresponses() as mock:
            for url in (str(closed), others, elsewhere, "http://127.0.0.1:1/", "http://localhost/", "http://[::1]:1/"):
                with self.subTest(url), self.assertRaises(ClientConnectionError) as caught:
                    await get(url)
                self.assertEqual(str(caught.exception), f"Connection refused: GET {url}")
            await running.close()
            with self.assertRaises(ClientConnectionError):
                await get(f"http://127.0.0.1:{unstarted.port}/")
            self.assertEqual([call.unmatched for call in mock.calls], [True] * 7)

    async def test_what_goes_through_a_proxy_is_refused(self):
        server = await self.start()
        with aioresponses(), self.assertRaises(ClientConnectionError):
            await get(server.make_url("/"), proxy="http://proxy.example.com")

    async def test_a_server_is_found_where_the_garbage_collector_knows_no_generations(self):
        server = await self.start()
        with unittest_mock.patch("sys.implementation", types.SimpleNamespace(name="another")), aioresponses():
            self.assertEqual(await get(server.make_url("/")), "real /")

    async def test_no_server_is_looked_for_where_the_module_is_not_imported(self):
        server = await self.start()
        with unittest_mock.patch.dict(sys.modules), unittest_mock.patch("gc.get_objects") as looked, aioresponses():
            del sys.modules["aiohttp.test_utils"]
            with self.assertRaises(ClientConnectionError):
                await get(server.make_url("/"))
            looked.assert_not_called()

    async def test_nothing_is_looked_for_where_a_mock_answers_or_the_host_is_elsewhere(self):
        with unittest_mock.patch("gc.get_objects", side_effect=ValueError) as looked, aioresponses() as mock:
            mock.get(SITE, body="mocked")
            self.assertEqual(await get(), "mocked")
            with self.assertRaises(ClientConnectionError):
                await get()
            looked.assert_not_called()

    async def test_what_answers_questions_about_its_class_is_not_asked(self):
        class Meta(type):
            __hash__ = None

            def __eq__(cls, other):
                raise AssertionError

        class Asked(metaclass=Meta):
            @property
            def __class__(self):
                raise AssertionError

        kept = [Asked()]
        server = await self.start()
        with aioresponses():
            self.assertEqual(await get(server.make_url("/")), "real /")
        kept.clear()


class TestCaseTest(AioResponsesTestCase):
    async def test_a_test_case_lets_requests_through_to_servers_of_the_test(self):
        async with TestServer(application()) as server, TestClient(server) as client:
            async with client.get("/") as response:
                self.assertEqual(await response.text(), "real /")
            self.assertCallCount(0)
            self.assertEqual(await get(server.make_url("/")), "real /")
            self.assertCallCount(1)
            self.assertNoUnmatchedCalls()
