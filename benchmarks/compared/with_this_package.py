"""The clients, tested with this package."""

import asyncio
import unittest

import clients
from aioresponses import AioResponsesTestCase
from aioresponses.websockets import Close

URL, MIRROR = "https://api.example", "https://mirror.example"


class ComparedTest(AioResponsesTestCase):
    virtual_time = True
    strict = True

    async def test_redirects(self):
        self.mock.get(f"{URL}/file", status=302, headers={"Location": f"{MIRROR}/file"})
        self.mock.get(f"{MIRROR}/file", match_headers=clients.TOKEN, body=b"data")
        self.assertEqual(await clients.download(self.client_session(), URL), b"data")

    async def test_timeouts(self):
        self.mock.get(f"{URL}/price", payload={"price": 7}, delay=1)
        self.assertIsNone(await clients.price(self.client_session(), URL))

    async def test_races(self):
        self.mock.post(f"{URL}/login", payload={"token": "t1"}, repeat=True)
        self.mock.post(f"{URL}/orders", repeat=3)
        shop = clients.Shop(self.client_session(), URL)
        await asyncio.gather(shop.order("tea"), shop.order("milk"), shop.order("scones"))
        self.assertCalledOnce(f"{URL}/login")

    async def test_websockets(self):
        self.mock.websocket(f"{URL}/ticks", [{"tick": 1}, {"tick": 2}, Close()])
        self.assertEqual(await clients.ticks(self.client_session(), URL), [1, 2])

    async def test_virtual_time(self):
        self.mock.get(f"{URL}/job", payload={"done": False}, repeat=True)
        self.assertFalse(await asyncio.wait_for(clients.finished(self.client_session(), URL), 5))


if __name__ == "__main__":
    unittest.main()
