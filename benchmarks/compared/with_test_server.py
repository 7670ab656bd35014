"""The clients, tested with a server of aiohttp on loopback."""

import asyncio
import unittest

import clients
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer


class Service:
    """What there is besides the clients has to be written: the service."""

    def __init__(self):
        self.logins = 0
        self.mirror = None

    def application(self):
        app = web.Application()
        app.add_routes([
            web.get("/file", self.file), web.get("/mirrored", self.mirrored), web.get("/price", self.price),
            web.post("/login", self.login), web.post("/orders", self.order), web.get("/ticks", self.ticks),
            web.get("/job", self.job),
        ])
        return app

    async def file(self, request):
        raise web.HTTPFound(self.mirror)

    async def mirrored(self, request):
        return web.Response(body=b"data", status=200 if "Authorization" in request.headers else 401)

    async def price(self, request):
        await asyncio.sleep(1)
        return web.json_response({"price": 7})

    async def login(self, request):
        self.logins += 1
        return web.json_response({"token": "t1"})

    async def order(self, request):
        return web.Response()

    async def ticks(self, request):
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_json({"tick": 1})
        await ws.send_json({"tick": 2})
        await ws.close()
        return ws

    async def job(self, request):
        return web.json_response({"done": False})


class ComparedTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.service = Service()
        server = TestServer(self.service.application())
        await server.start_server()
        self.addAsyncCleanup(server.close)
        self.url = str(server.make_url("")).rstrip("/")
        # Another host, as a client sees it.
        self.service.mirror = f"http://localhost:{server.port}/mirrored"
        self.session = ClientSession()
        self.addAsyncCleanup(self.session.close)

    async def test_redirects(self):
        self.assertEqual(await clients.download(self.session, self.url), b"data")

    async def test_timeouts(self):
        self.assertIsNone(await clients.price(self.session, self.url))

    async def test_races(self):
        shop = clients.Shop(self.session, self.url)
        await asyncio.gather(shop.order("tea"), shop.order("milk"), shop.order("scones"))
        self.assertEqual(self.service.logins, 1)

    async def test_websockets(self):
        self.assertEqual(await clients.ticks(self.session, self.url), [1, 2])

    async def test_virtual_time(self):
        self.assertFalse(await asyncio.wait_for(clients.finished(self.session, self.url), 5))


if __name__ == "__main__":
    unittest.main()
