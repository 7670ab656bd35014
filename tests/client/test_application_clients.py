import sys
import unittest

from aiohttp import ClientConnectionError, ClientSession, CookieJar, web
from aiohttp.test_utils import AioHTTPTestCase, RawTestServer, TestClient, TestServer

from aioresponses import AioResponsesTestCase, aioresponses, application_client

from ..support import OutcomeTestCase, text_of

# What Python tells an audit hook of sockets that listen, or are connected.
_network: list[str] = []


def listen_in():
    """Note from now on, for as long as the process lives, what happens on the network."""
    if not hasattr(listen_in, "is_done"):
        listen_in.is_done = True
        sys.addaudithook(lambda event, args: event in ("socket.bind", "socket.connect") and _network.append(event))
    _network.clear()


def application():
    async def tell(request):
        return web.Response(text=f"{request.method} {request.path} {request.scheme}")

    async def echo(request):
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_str(f"re: {await ws.receive_str()}")
        await ws.close()
        return ws

    async def ask(request):
        async with ClientSession() as session:
            return web.Response(text=await text_of(session, "http://other.example.com/"))

    async def wrong(request):
        raise ValueError("no")

    app = web.Application()
    app.add_routes([
        web.get("/ws", echo), web.get("/ask", ask), web.get("/wrong", wrong), web.route("*", "/{path:.*}", tell)
    ])
    return app


class ApplicationClientTest(unittest.IsolatedAsyncioTestCase):
    async def test_it_is_a_test_client_that_needs_no_port(self):
        listen_in()
        async with application_client(application(), cookie_jar=CookieJar(unsafe=True)) as client:
            self.assertIsInstance(client, TestClient)
            async with client.post("/users") as response:
                self.assertEqual(await response.text(), "POST /users http")
            async with client.ws_connect("/ws") as ws:
                await ws.send_str("hi")
                self.assertEqual(await ws.receive_str(), "re: hi")
            with self.assertLogs("aiohttp.server"):
                async with client.get("/wrong") as response:
                    self.assertEqual(response.status, 500)
            self.assertEqual(client.make_url("/a").path, "/a")
        self.assertEqual(_network, [])

    async def test_it_starts_and_ends_the_application(self):
        log = []
        app = application()

        async def up(app):
            log.append("up")

        async def cleanup(app):
            log.append("cleanup")

        app.on_startup.append(up)
        app.on_cleanup.append(cleanup)
        async with application_client(app) as client:
            (await client.get("/")).release()
            self.assertEqual(log, ["up"])
        self.assertEqual(log, ["up", "cleanup"])

    async def test_beside_mocks_it_is_left_alone_and_its_handlers_are_mocked(self):
        with aioresponses() as mock:
            mock.get("http://other.example.com/", body="mocked")
            async with application_client(application()) as client:
                self.assertEqual(await text_of(client.session, client.make_url("/ask")), "mocked")
            self.assertEqual([call.url for call in mock.calls], ["http://other.example.com/"])

    async def test_several_side_by_side_have_urls_of_their_own(self):
        async with application_client(application()) as first, application_client(application()) as second:
            self.assertNotEqual(first.make_url("/"), second.make_url("/"))
            self.assertEqual(await text_of(first.session, first.make_url("/1")), "GET /1 http")
            self.assertEqual(await text_of(second.session, second.make_url("/2")), "GET /2 http")

    async def test_what_is_no_application_is_refused(self):
        with self.assertRaises(TypeError) as raised:
            application_client(application)
        self.assertTrue(str(raised.exception).startswith("app: expected a web.Application, got <function application"))


class InMemoryCase(AioResponsesTestCase, AioHTTPTestCase):
    serve_in_memory = True

    async def get_application(self):
        return application()


class TheOtherOrder(AioHTTPTestCase, AioResponsesTestCase):
    serve_in_memory = True

    async def get_application(self):
        return application()


class ServedInMemoryTest(OutcomeTestCase):
    def check_in_memory(self, case):
        listen_in()
        self.check_passes(case)
        self.assertEqual(_network, [])

    def test_the_client_reaches_the_application_without_a_port_in_either_order(self):
        for base in (InMemoryCase, TheOtherOrder):
            class Test(base):
                async def test(self):
                    self.mock.get("http://other.example.com/", body="mocked")
                    async with self.client.put("/a") as response:
                        assert await response.text() == "PUT /a http"
                    async with self.client.get("/ask") as response:
                        assert await response.text() == "mocked"
                    async with self.client.ws_connect("/ws") as ws:
                        await ws.send_str("hi")
                        assert await ws.receive_str() == "re: hi"
                    self.assertCallCount(1)

            with self.subTest(base):
                self.check_in_memory(Test)

    def test_without_it_there_is_a_port(self):
        class Test(InMemoryCase):
            serve_in_memory = False

            async def test(self):
                async with self.client.get("/a") as response:
                    assert await response.text() == "GET /a http"

        listen_in()
        self.check_passes(Test)
        self.assertIn("socket.bind", _network)

    def test_what_else_asks_the_server_reaches_it_and_is_recorded(self):
        class Test(InMemoryCase):
            strict = True

            async def test(self):
                url = self.client.make_url("/a")
                assert await text_of(self.client_session(), url) == "GET /a http"
                self.mock.get(url, body="mocked")
                assert await text_of(self.client_session(), url) == "mocked"
                self.assertCallCount(2, url)

        self.check_in_memory(Test)

    def test_servers_and_clients_of_ones_own(self):
        class Test(InMemoryCase):
            async def get_server(self, app):
                return TestServer(app, scheme="https", port=8443)

            async def get_client(self, server):
                return TestClient(server, headers={"X-One": "1"})

            async def test(self):
                assert str(self.client.make_url("/a")) == "https://127.0.0.1:8443/a"
                async with self.client.get("/a") as response:
                    assert response.request_info.headers["X-One"] == "1"
                    assert response.status == 200

        self.check_in_memory(Test)

    def test_a_raw_server(self):
        class Test(InMemoryCase):
            async def get_server(self, app):
                async def handle(request):
                    return web.Response(text=f"raw {request.path}")

                return RawTestServer(handle)

            async def test(self):
                async with self.client.get("/a") as response:
                    assert await response.text() == "raw /a"

        self.check_in_memory(Test)

    def test_two_tests_one_after_the_other_leave_nothing_behind(self):
        class Test(InMemoryCase):
            async def test(self):
                (await self.client.get("/")).release()

        for _ in range(2):
            result = unittest.TestResult()
            case = Test("test")
            case.run(result)
            self.assertEqual((result.errors, result.failures), ([], []))
            self.assertEqual({"get_server", "get_client"} & set(vars(case)), set())

    def test_a_class_that_is_no_aiohttp_case_needs_nothing_of_it(self):
        class Test(AioResponsesTestCase):
            serve_in_memory = True

            async def test(self):
                with self.assertRaises(ClientConnectionError):
                    await self.client_session().get("http://127.0.0.1:1/")
                self.mock.reset()

        self.check_passes(Test)

    def test_a_wrong_value_is_an_error_of_the_test(self):
        class Test(InMemoryCase):
            serve_in_memory = 1

            async def test(self):
                pass

        [text] = self.outcomes(Test)["errors"]
        self.assertIn("TypeError: serve_in_memory: expected a bool, got 1\n", text)
