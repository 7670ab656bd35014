import re

from aiohttp import ClientConnectionError, WSServerHandshakeError, web

from aioresponses import AioResponsesTestCase, RequestMatch, WebSocketMock, aioresponses
from aioresponses.websockets import Expect

URL = "wss://stream.example.com/ticks"


class RegisteredSocketTest(AioResponsesTestCase):
    assert_all_mocked = False

    async def asyncSetUp(self):
        self.session = self.client_session()

    async def first_message(self, url=URL, **options):
        async with self.session.ws_connect(url, **options) as ws:
            return (await ws.receive()).data

    async def test_it_is_a_mock_like_any_other(self):
        ws = self.mock.websocket(URL, ["a"], repeat=2, match_headers={"X-Token": "t"}, match_query={"a": "1"})
        self.assertIsInstance(ws, RequestMatch)
        self.assertIsInstance(ws, WebSocketMock)
        self.assertEqual(await self.first_message(params={"a": "1"}, headers={"X-Token": "t"}), "a")
        self.assertEqual((ws.call_count, ws.remaining, ws.calls, ws.method), (1, 1, self.mock.calls, "get"))
        self.assertIs(self.mock.calls[0].match, ws)
        with self.assertRaises(ClientConnectionError):
            await self.first_message()
        ws.remove()
        with self.assertRaises(ClientConnectionError):
            await self.first_message(params={"a": "1"}, headers={"X-Token": "t"})

    async def test_strictness_wants_it_used_unless_it_is_optional(self):
        for optional in (False, True):
            with self.subTest(optional=optional):
                mock = aioresponses(strict=True)
                ws = mock.websocket(URL, optional=optional)
                self.assertEqual(mock.unused_mocks, [] if optional else [ws])

    async def test_an_override(self):
        self.mock.websocket(URL, ["default"])
        self.mock.websocket(URL, ["once"], override=True, repeat=1)
        self.assertEqual([await self.first_message() for _ in range(2)], ["once", "default"])

    async def test_schemes_of_websockets_and_of_http_are_one_for_a_request_that_asks_for_an_upgrade(self):
        for own in ("wss://example.com/", "https://example.com/", re.compile("https://example.com/"),
                    "wss://example.com/{place:.*}", "https://*.com/"):
            for asked in ("wss://example.com/", "https://example.com/"):
                with self.subTest(own=own, asked=asked):
                    ws = self.mock.websocket(own, ["a"])
                    self.assertEqual(await self.first_message(asked), "a")
                    self.assertCalledOnce(own)
                    self.assertCalledOnce(asked)
                    self.assertCallCount(1, "https://example.com/")
                    ws.remove()
                    self.mock.reset()
        with self.assertRaises(ClientConnectionError):
            await self.first_message("ws://example.com/")

    async def test_the_mock_that_was_registered_first_answers_whichever_scheme_it_has(self):
        for first, second in (("https", "wss"), ("wss", "https")):
            self.mock.clear()
            self.mock.get(f"{first}://example.com/", status=403, repeat=True)
            self.mock.get(f"{second}://example.com/", status=404, repeat=True)
            for asked in ("https", "wss"):
                with self.assertRaises(WSServerHandshakeError) as raised:
                    await self.first_message(f"{asked}://example.com/")
                self.assertEqual(raised.exception.status, 403)

    async def test_a_plain_request_goes_to_other_mocks_and_its_refusal_says_what_the_mock_wants(self):
        self.mock.websocket("wss://example.com/")
        self.mock.get("https://example.com/", body="plain", repeat=1)
        async with self.session.get("https://example.com/") as response:
            self.assertEqual(await response.text(), "plain")
        with self.assertRaises(ClientConnectionError) as raised:
            await self.session.get("https://example.com/")
        [note] = raised.exception.__notes__
        self.assertIn(
            "\n  GET wss://example.com/: upgrade: the mock requires a WebSocket request, such as ws_connect() makes",
            note,
        )

    async def test_a_refused_websocket_needs_nothing_new(self):
        self.mock.get(URL, status=403, repeat=1)
        self.mock.websocket(URL, ["a"])
        with self.assertRaises(WSServerHandshakeError) as raised:
            await self.first_message()
        self.assertEqual(raised.exception.status, 403)
        self.assertEqual(await self.first_message(), "a")

    async def test_a_plain_mock_that_refused_an_upgrade_is_found_by_either_scheme(self):
        self.mock.get("https://example.com/", status=403)
        with self.assertRaises(WSServerHandshakeError):
            await self.first_message("https://example.com/")
        self.assertCalledOnce("wss://example.com/")
        self.assertCalledOnce("https://example.com/")

    async def test_handlers_of_plain_mocks_answer_either_scheme(self):
        async def handle(request):
            ws = web.WebSocketResponse()
            await ws.prepare(request)
            await ws.send_str(request.scheme)
            return ws

        self.mock.get("https://example.com/", handler=handle, repeat=True)
        self.assertEqual(await self.first_message("wss://example.com/"), "https")

    async def test_in_a_group(self):
        api = self.mock.host("wss://example.com/v1", headers={"X-One": "1"}, match_headers={"X-Token": "t"})
        ws = api.websocket("/ticks", ["a"])
        async with self.session.ws_connect("wss://example.com/v1/ticks", headers={"X-Token": "t"}) as client:
            self.assertEqual(await client.receive_str(), "a")
            self.assertEqual(client._response.headers["X-One"], "1")
        self.assertCalledOnce(api)
        self.assertCalledOnce(ws)
        with self.assertRaises(ClientConnectionError):
            await self.first_message("wss://example.com/v1/ticks")

    async def test_how_it_is_shown(self):
        ws = self.mock.websocket(URL)
        async with self.session.ws_connect(URL):
            pass
        self.assertEqual(repr(ws), f"<RequestMatch GET {URL}, used once>")

    def test_what_cannot_be_used(self):
        for error, message, arguments in (
            (TypeError, "repeat: ", {"repeat": "x"}), (TypeError, "optional: ", {"optional": 1}),
            (TypeError, "headers: ", {"headers": 7}), (TypeError, "script: ", {"script": 7}),
            (TypeError, "script: step 1", {"script": [Expect]}),
        ):
            with self.subTest(arguments), self.assertRaises(error) as raised:
                self.mock.websocket(URL, **arguments)
            self.assertTrue(str(raised.exception).startswith(message), raised.exception)
        with self.assertRaises(ValueError) as raised:
            self.mock.get(URL, status=101, headers={"upgrade": "WebSocket"})
        self.assertEqual(
            str(raised.exception), "status: 101 with Upgrade: websocket does not open a WebSocket; use websocket()"
        )
        self.mock.get(URL, status=101, headers={"Upgrade": "h2c"})
        self.mock.clear()
