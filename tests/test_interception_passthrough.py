"""Mocks that let their requests through to the network, and prefixes that let all requests of a URL through."""

import contextlib
import re
import unittest
from unittest.mock import ANY

import aiohttp
from aiohttp import ClientConnectionError, ClientSession, web

from aioresponses import CallbackResult, Fault, RequestMatch, aioresponses

from .servers import ServerTestCase, closes, requests_of
from .support import SITE, TRIES_AGAIN, needs_middlewares, text_of


class NetworkTestCase(ServerTestCase):
    async def asyncSetUp(self):
        async def real(request):
            return web.Response(text=f"real {await request.text()}")

        async def redirect(request):
            raise web.HTTPFound("/")

        async def to_itself(request):
            if "seen" in request.cookies:
                return web.Response(text="real")
            response = web.HTTPFound("/itself")
            response.set_cookie("seen", "1")
            raise response

        async def echo(request):
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await socket.send_str("real " + await socket.receive_str())
            await socket.close()
            return socket

        self.url = await self.serve(
            web.route("*", "/", real), web.get("/redirect", redirect), web.get("/itself", to_itself),
            web.get("/socket", echo),
        )
        self.session = ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.addAsyncCleanup(self.session.close)
        self.mock = aioresponses()
        self.mock.start()
        self.addCleanup(self.mock.stop)

    async def ask(self, method="GET", path="/", **options):
        return await text_of(self.session, self.url.with_path(path), method, **options)

    async def refused(self, method="GET", path="/", **options):
        with self.assertRaises(ClientConnectionError) as raised:
            await self.ask(method, path, **options)
        self.assertTrue(str(raised.exception).startswith("Connection refused: "), raised.exception)


class PassthroughOfAMockTest(NetworkTestCase):
    async def test_it_goes_to_the_network_and_others_are_mocked(self):
        handle = self.mock.get(self.url, passthrough=True, repeat=True)
        self.mock.get(SITE, body="mocked")
        texts = [await self.ask(), await self.ask(), await text_of(self.session)]
        self.assertEqual(texts, ["real ", "real ", "mocked"])
        self.assertEqual(len(self.received), 2)
        self.assertEqual([call.url for call in handle.calls], [str(self.url)] * 2)
        self.assertIs(self.mock.calls[0].match, handle)
        self.assertEqual(self.mock.calls[0].response.status, 200)
        self.assertEqual(repr(handle), f"<RequestMatch GET {self.url}, used 2 times>")

    async def test_it_answers_as_often_as_it_says(self):
        for repeat, times in ((False, 1), (3, 3)):
            with self.subTest(repeat=repeat):
                handle = self.mock.get(self.url, passthrough=True, repeat=repeat)
                self.mock.get(self.url, body="mocked")
                texts = [await self.ask() for _ in range(times + 1)]
                self.assertEqual(texts, ["real "] * times + ["mocked"])
                self.assertEqual((handle.call_count, handle.remaining), (times, 0))
                await self.refused()

    async def test_false_makes_it_a_mock_like_any(self):
        self.mock.get(self.url, passthrough=False, body="mocked")
        self.assertEqual(await self.ask(), "mocked")

    async def test_mocks_of_every_kind_let_requests_through(self):
        host = self.mock.host(self.url, headers={"X-One": "1"})
        for register in (
            lambda: self.mock.any(self.url, passthrough=True),
            lambda: self.mock.add(self.url, passthrough=True),
            lambda: self.mock.get(ANY, passthrough=True),
            lambda: self.mock.get(re.compile("http://127"), passthrough=True),
            lambda: self.mock.get(str(self.url) + "{rest:.*}", passthrough=True),
            lambda: self.mock.get(self.url, match_query=ANY, passthrough=True),
            lambda: host.get("/", passthrough=True),
            lambda: host.any(ANY, passthrough=True),
            lambda: self.mock.get(self.url, passthrough=True, override=True),
        ):
            self.mock.clear()
            handle = register()
            self.assertEqual(await self.ask(), "real ")
            self.assertEqual(handle.call_count, 1)
            await self.refused()

    async def test_it_overrides_a_mock(self):
        self.mock.get(self.url, body="mocked", repeat=True)
        self.mock.get(self.url, passthrough=True, override=True)
        self.assertEqual([await self.ask(), await self.ask()], ["real ", "mocked"])

    async def test_conditions_are_asked_and_the_body_is_sent_whole(self):
        self.mock.post(self.url, passthrough=True, match_json={"a": 1}, repeat=True)
        self.mock.post(self.url, body="mocked", match_body=b"once")

        async def pieces():
            yield b"on"
            yield b"ce"

        self.assertEqual(await self.ask("POST", json={"a": 1}), 'real {"a": 1}')
        self.assertEqual(await self.ask("POST", data=pieces()), "mocked")
        self.mock.post(self.url, passthrough=True, match_body=b"once")
        self.assertEqual(await self.ask("POST", data=pieces()), "real once")
        self.assertEqual([call.body for call in self.mock.calls], [b'{"a": 1}', b"once", b"once"])

    async def test_the_network_s_own_errors_reach_the_caller(self):
        unused = await self.serve_raw(closes)
        self.mock.post(unused, passthrough=True)
        with self.assertRaises(aiohttp.ServerDisconnectedError):
            await self.session.post(unused)

    async def test_no_latency_is_added(self):
        self.mock.latency = 3600
        self.mock.get(self.url, passthrough=True)
        self.assertEqual(await self.ask(), "real ")

    async def test_each_hop_of_a_redirect_needs_a_mock(self):
        self.mock.get(self.url / "redirect", passthrough=True, repeat=True)
        await self.refused(path="/redirect")
        self.mock.get(self.url, body="mocked")
        self.assertEqual(await self.ask(path="/redirect"), "mocked")
        self.mock.get(self.url, passthrough=True)
        self.assertEqual(await self.ask(path="/redirect"), "real ")
        self.assertEqual([hop.url for hop in self.mock.calls[-1].hops], [str(self.url / "redirect"), str(self.url)])

    async def test_a_redirect_to_the_same_url_is_another_request(self):
        self.mock.get(self.url / "itself", passthrough=True)
        await self.refused(path="/itself")
        self.session.cookie_jar.clear()
        handle = self.mock.get(self.url / "itself", passthrough=True, repeat=2)
        self.assertEqual(await self.ask(path="/itself"), "real")
        self.assertEqual((handle.call_count, handle.remaining), (2, 0))

    async def test_web_sockets_go_to_the_network(self):
        url = (self.url / "socket").with_scheme("ws")
        self.mock.get(url, passthrough=True)
        async with self.session.ws_connect(url) as socket:
            await socket.send_str("hello")
            self.assertEqual(await socket.receive_str(), "real hello")

    async def test_an_inner_mock_lets_requests_past_the_outer_one(self):
        self.mock.get(self.url, body="outer", repeat=True)
        with aioresponses() as inner:
            inner.get(self.url, passthrough=True)
            self.assertEqual([await self.ask(), await self.ask()], ["real ", "outer"])
        self.mock.clear()
        self.mock.get(self.url, passthrough=True)
        with aioresponses():
            self.assertEqual(await self.ask(), "real ")

    @needs_middlewares
    async def test_a_retry_of_a_middleware_is_another_request(self):
        async def twice(request, handler):
            (await handler(request)).release()
            return await handler(request)

        handle = self.mock.get(self.url, passthrough=True)
        self.mock.get(self.url, body="mocked")
        async with ClientSession(middlewares=[twice]) as session:
            self.assertEqual(await text_of(session, self.url), "mocked")
        self.assertEqual((handle.call_count, len(self.received)), (1, 1))
        self.assertEqual([hop.match is handle for hop in self.mock.calls[0].hops], [True, False])

    @needs_middlewares
    async def test_each_request_keeps_the_headers_with_which_it_was_sent(self):
        async def authorizes(request, handler):
            with contextlib.suppress(ClientConnectionError):
                (await handler(request)).release()
            request.headers["Authorization"] = "Digest a1b2"
            return await handler(request)

        self.mock.post(self.url, passthrough=True, repeat=True)
        async with ClientSession(middlewares=[authorizes]) as session:
            await text_of(session, self.url, "POST")
            with self.assertRaises(ClientConnectionError):
                await text_of(session, SITE)
        passed, refused = self.mock.calls
        for call in (passed, refused):
            self.assertEqual([hop.headers.get("Authorization") for hop in call.hops], [None, "Digest a1b2"])
        self.assertEqual(requests_of(self.mock)[:2], self.received)

    async def test_credentials_that_a_connector_adds_for_a_proxy_are_recorded(self):
        self.mock.get(SITE, passthrough=True)
        await text_of(self.session, proxy=self.url.with_user("Ada").with_password("pass"))
        self.assertEqual(self.mock.calls[0].headers["Proxy-Authorization"], "Basic QWRhOnBhc3M=")
        self.assertEqual(requests_of(self.mock), self.received)

    async def test_a_connector_whose_connect_calls_that_of_its_base_asks_once(self):
        class Own(aiohttp.TCPConnector):
            async def connect(self, req, traces, timeout):
                return await super().connect(req, traces, timeout)

        # Both are hooked, as the class is there when the mock is started.
        with aioresponses() as mock:
            handle = mock.get(self.url, passthrough=True, repeat=True)
            async with ClientSession(connector=Own()) as session:
                for count in (1, 2):
                    self.assertEqual(await text_of(session, self.url), "real ")
                    self.assertEqual(handle.call_count, count)

    async def test_it_counts_for_strictness(self):
        async def run(asks):
            with aioresponses(strict=True) as mock:
                mock.get(self.url, passthrough=True, repeat=2)
                for _ in range(asks):
                    await self.ask()

        await run(2)
        for asks, found in (
            (0, f"1 mock was never used:\n  GET {self.url}\nThere were no calls."),
            (1, f"1 mock was not used up:\n  GET {self.url}, used 1 of 2\nCalls:\n  1. GET {self.url} -> 200"),
        ):
            with self.assertRaises(AssertionError) as raised:
                await run(asks)
            self.assertEqual(str(raised.exception), found)

    async def test_by_hand_it_builds_the_response_of_the_network(self):
        self.mock.stop()
        self.addCleanup(self.mock.start)
        response = await RequestMatch(self.url, passthrough=True).build_response(self.url)
        self.assertEqual(await response.text(), "real ")


class PrefixesTest(NetworkTestCase):
    async def test_templates_and_patterns_let_requests_through_whatever_is_registered(self):
        for prefix in (re.compile(r"http://127\.0\.0\.1"), str(self.url) + "{rest:.*}", "http://127.0.0.1/{rest:.*}"):
            with self.subTest(prefix), aioresponses(passthrough=[prefix]) as mock:
                handle = mock.get(self.url, body="mocked")
                mock.get(SITE, body="mocked")
                self.assertEqual([await self.ask(), await text_of(self.session)], ["real ", "mocked"])
                self.assertEqual((handle.called, mock.calls[0].match), (False, None))

    async def test_web_sockets_are_let_through_with_the_requests_that_open_them(self):
        url = self.url / "socket"
        for prefix in ("http://127.0.0.1", url, re.compile("http://127"), "http://127.0.0.1/{name}"):
            for asked in (url, url.with_scheme("ws")):
                with self.subTest(prefix, url=asked), aioresponses(passthrough=[prefix]):
                    async with self.session.ws_connect(asked) as socket:
                        await socket.send_str("hello")
                        self.assertEqual(await socket.receive_str(), "real hello")

    async def test_suites_that_add_to_the_prefixes_are_heard(self):
        self.mock._passthrough.append(re.compile(re.escape(str(self.url))))
        self.assertEqual(await self.ask(), "real ")


class RetriesTest(ServerTestCase):
    """What aiohttp itself sends once more, because the network gave no response, goes where it went before."""

    async def asyncSetUp(self):
        self.count = 0

        async def behave(writer, before):
            self.count += 1
            if self.count == 1:
                writer.close()
                return
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nreal")

        self.url = await self.serve_raw(behave)

    async def outcome(self, register):
        self.count = 0
        with aioresponses() as mock:
            register(mock)
            async with ClientSession() as session:
                try:
                    return await text_of(session, self.url), mock
                except aiohttp.ClientError as error:
                    return type(error), mock

    async def test_it_goes_to_the_network_again(self):
        text, mock = await self.outcome(lambda mock: mock.get(self.url, passthrough=True))
        self.assertEqual(text, "real" if TRIES_AGAIN else aiohttp.ServerDisconnectedError)
        [call] = mock.calls
        self.assertEqual([hop.match.remaining for hop in call.hops], [0, 0] if TRIES_AGAIN else [0])

    @unittest.skipUnless(TRIES_AGAIN, "aiohttp 3.10 began to try again by itself")
    async def test_the_next_mock_that_fits_answers_it(self):
        def register(mock):
            mock.get(self.url, passthrough=True)
            mock.get(self.url, body="mocked")

        text, _ = await self.outcome(register)
        self.assertEqual((text, self.count), ("mocked", 1))


class RefusedTest(unittest.TestCase):
    def setUp(self):
        self.mock = aioresponses()

    def check(self, error, message, register, **arguments):
        with self.assertRaises(error) as raised:
            register(**arguments)
        self.assertEqual(str(raised.exception), message)
        self.assertEqual(self.mock._matches, {})

    def test_an_argument_of_a_reply_beside_it(self):
        for name, value in [
            ("status", 200), ("body", ""), ("exception", OSError), ("content_type", "text/plain"), ("payload", 0),
            ("headers", {}), ("response_class", aiohttp.ClientResponse), ("timeout", True), ("reason", "Fine"),
            ("callback", lambda call: CallbackResult()), ("cookies", {}), ("delay", 0), ("events", []),
            ("fault", Fault.HANG), ("replies", [{}]),
        ]:
            message = f"{name} cannot be combined with passthrough; the reply comes from the network"
            for register in (self.mock.get, self.mock.add, self.mock.host(SITE).any):
                self.check(ValueError, message, register, url="/" if register.__name__ == "any" else SITE,
                           passthrough=True, **{name: value})

    def test_headers_of_the_caller_s_own_in_a_group(self):
        group = self.mock.host(SITE, headers={"X-One": "1"})
        message = "headers cannot be combined with passthrough; the reply comes from the network"
        self.check(ValueError, message, group.get, url="/", passthrough=True, headers={"X-Two": "2"})

    def test_it_is_a_flag(self):
        for value in (None, 1, "http://127.0.0.1", ["http://127.0.0.1"]):
            message = f"passthrough: expected a bool, got {value!r}"
            for group in (self.mock.host(SITE), self.mock.host(SITE, headers={"X-One": "1"})):
                self.check(TypeError, message, group.get, url="/", passthrough=value)

    def test_passthrough_is_not_a_reply_among_several(self):
        message = (
            "replies[0]: unexpected argument 'passthrough': 'passthrough' is an argument of the mock, and not of a "
            "single reply"
        )
        self.check(TypeError, message, self.mock.get, url=SITE, replies=[{"passthrough": True}])

    def test_none_is_an_argument_that_was_not_given(self):
        self.mock.get(SITE, passthrough=True, status=None, body=None, headers=None, replies=None)
        self.assertEqual(len(self.mock._matches), 1)
