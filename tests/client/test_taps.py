from aiohttp import ClientSession, WSServerHandshakeError, web

from aioresponses import aioresponses

from ..servers import ServerTestCase


async def echo(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    await ws.send_str("hello")
    async for message in ws:
        await (ws.send_str if message.type.name == "TEXT" else ws.send_bytes)(message.data)
    return ws


class PassedThroughTest(ServerTestCase):
    async def asyncSetUp(self):
        async def plain(request):
            return web.Response(text="plain")

        async def refuses(request):
            raise web.HTTPForbidden

        self.url = await self.serve(web.get("/ws", echo), web.get("/", plain), web.get("/refused", refuses))

    async def check(self, session, mock):
        for options in ({}, {"compress": 15}):
            async with session.ws_connect(self.url / "ws", **options) as ws:
                await ws.send_str("text")
                await ws.send_bytes(b"bytes")
                seen = [(await ws.receive()).data for _ in range(3)]
            traffic = mock.calls[-1].websocket
            self.assertEqual(seen, ["hello", "text", b"bytes"])
            self.assertEqual((traffic.received, traffic.sent), (["text", b"bytes"], seen))
            self.assertEqual(traffic.close_code, ws.close_code)
        with self.assertRaises(WSServerHandshakeError):
            await session.ws_connect(self.url / "refused")
        self.assertIsNone(mock.calls[-1].websocket)
        for _ in range(2):
            async with session.get(self.url) as response:
                self.assertEqual(await response.text(), "plain")

    async def test_what_goes_over_a_websocket_of_the_network_is_recorded(self):
        with aioresponses(passthrough=[str(self.url)]) as mock:
            async with ClientSession() as session:
                await self.check(session, mock)

    async def test_through_a_connector_of_the_mock_as_well(self):
        mock = aioresponses(passthrough_unmatched=True)
        async with ClientSession(connector=mock.connector()) as session:
            await self.check(session, mock)
