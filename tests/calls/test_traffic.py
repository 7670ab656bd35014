from unittest.mock import ANY

from aiohttp import web

from aioresponses import AioResponsesTestCase
from aioresponses.websockets import Drop

from ..support import idle

URL = "wss://example.com/ws"


async def echo(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for message in ws:
        await (ws.send_str if message.type.name == "TEXT" else ws.send_bytes)(message.data)
    return ws


def closing():
    """Return an application that sends one message and closes."""
    async def handle(request):
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_str("last")
        await ws.close(code=1012)
        return ws

    app = web.Application()
    app.router.add_get("/ws", handle)
    return app


class TrafficTest(AioResponsesTestCase):
    async def exchange(self, **options):
        async with self.client_session().ws_connect(URL, **options) as ws:
            await ws.ping()
            await ws.send_str("text")
            await ws.send_bytes(b"bytes")
            return [(await ws.receive()).data for _ in range(2)], ws

    async def test_of_handlers_and_applications_compressed_or_not(self):
        app = web.Application()
        app.router.add_get("/ws", echo)
        for kind in ("handler", "application"):
            self.mock.clear()
            if kind == "handler":
                self.mock.get(URL, handler=echo, repeat=True)
            else:
                self.mock.mount("https://example.com", app)
            for options in ({}, {"compress": 15}):
                seen, ws = await self.exchange(**options)
                traffic = self.mock.calls[-1].websocket
                self.assertEqual(seen, ["text", b"bytes"])
                self.assertEqual((traffic.received, traffic.sent), (seen, seen))
                self.assertEqual(traffic.close_code, ws.close_code)
                self.assertEqual(self.mock.calls[-1].body, b"")

    async def test_of_one_that_is_open_lost_or_none(self):
        self.mock.websocket(URL, repeat=1)
        self.mock.websocket(URL, [Drop()])
        self.mock.get("https://example.com/")
        session = self.client_session()
        (await session.get("https://example.com/")).release()
        self.assertIsNone(self.mock.calls[0].websocket)
        ws = await session.ws_connect(URL)
        self.assertIsNone(self.mock.calls[1].websocket.close_code)
        await ws.close(code=4000)
        self.assertEqual(self.mock.calls[1].websocket.close_code, ws.close_code)
        ws = await session.ws_connect(URL)
        await ws.receive()
        await idle()
        self.assertEqual((self.mock.calls[2].websocket.close_code, ws.close_code), (1006, 1006))
        self.assertEqual(
            repr(self.mock.calls[2].websocket), "<WebSocketTraffic received=[], sent=[], close_code=1006>"
        )
        await ws.close()

    async def test_of_one_whose_end_is_still_unread(self):
        ws = self.mock.websocket(URL, ["last"])
        self.mock.mount("wss://mounted.example.com", closing())
        for url, options in (
            (URL, {}), (URL, {"autoclose": False}), ("wss://mounted.example.com/ws", {}),
        ):
            with self.subTest(url, **options):
                async with self.client_session().ws_connect(url, **options) as client:
                    await ws.close(1012)
                    await idle()
                    traffic = self.mock.calls[-1].websocket
                    for _ in range(2):
                        self.assertIsNone(client.close_code)
                        self.assertIsNone(traffic.close_code)
                        with self.assertRaises(self.failureException):
                            self.assertWebSocketClosed(1012)
                        await client.receive()
                    self.assertEqual((traffic.close_code, client.close_code), (1012, 1012))
                    self.assertWebSocketClosed(1012)

    async def test_behind_a_redirect(self):
        self.mock.get("wss://example.com/from", status=302, headers={"Location": "/ws"})
        self.mock.websocket(URL, ["there"])
        async with self.client_session().ws_connect("wss://example.com/from") as ws:
            self.assertEqual(await ws.receive_str(), "there")
        self.assertEqual(self.mock.calls[0].websocket.sent, ["there"])

    async def test_of_another_protocol(self):
        self.mock.get("https://example.com/", status=101, headers={"Upgrade": "other", "Connection": "upgrade"})
        async with self.client_session().get("https://example.com/", headers={"Upgrade": "other"}):
            self.assertIsNone(self.mock.calls[0].websocket)

    async def test_what_cannot_be_read(self):
        async def speaks(request):
            ws = web.WebSocketResponse()
            await ws.prepare(request)
            request.transport.write(b"\xff\xff\xff\xff")
            return ws

        self.mock.get(URL, handler=speaks)
        async with self.client_session().ws_connect(URL) as ws:
            await ws.receive()
        with self.assertRaises(ValueError) as raised:
            self.mock.calls[0].websocket.sent
        self.assertTrue(str(raised.exception).startswith("what went over the WebSocket cannot be read: "))
        self.assertEqual(repr(self.mock.calls[0].websocket), f"<WebSocketTraffic: {raised.exception}>")

    async def test_what_the_client_cannot_read(self):
        async def speaks(request):
            ws = web.WebSocketResponse(compress=False)
            await ws.prepare(request)
            if request.path == "/large":
                await ws.send_str("large" * 100)
            elif request.path == "/text":
                request.transport.write(b"\x81\x02\xff\xfe")
            elif request.path == "/code":
                await ws.close(code=1005)
            elif request.path == "/frames":
                request.transport.write(b"\xff\xff\xff\xff")
            if request.query.get("closes"):
                request.transport.write(b"\x88\x02\x03\xe9")
            await ws.receive()
            return ws

        self.mock.get("wss://example.com/{what}", handler=speaks, match_query=ANY, repeat=True)
        session = self.client_session()
        for what in ("large", "text", "code", "frames", "nothing"):
            for query in ("", "?closes=1"):
                with self.subTest(what + query):
                    async with session.ws_connect(f"wss://example.com/{what}{query}", max_msg_size=100) as ws:
                        if what == "nothing" and not query:
                            await ws.close(code=1009)
                        else:
                            await ws.receive()
                    await idle()
                    self.assertIsNotNone(ws.close_code)
                    self.assertEqual(self.mock.calls[-1].websocket.close_code, ws.close_code)
