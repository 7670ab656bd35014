"""The clients, tested with aiointercept."""

import asyncio
import unittest

import clients
from aiohttp import ClientSession
from aiointercept import CallbackResult, aiointercept

URL, MIRROR = "https://api.example", "https://mirror.example"


def wants_token(url, *, headers, **kwargs):
    return CallbackResult(body="data") if "Authorization" in headers else CallbackResult(status=401)


async def slow(url, **kwargs):
    await asyncio.sleep(1)
    return CallbackResult(payload={"price": 7})


class ComparedTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.mock = aiointercept(mock_external_urls=True)
        await self.mock.start()
        self.addAsyncCleanup(self.mock.stop)
        self.session = ClientSession()
        self.addAsyncCleanup(self.session.close)

    async def test_redirects(self):
        self.mock.get(f"{URL}/file", status=302, headers={"Location": f"{MIRROR}/file"})
        self.mock.get(f"{MIRROR}/file", callback=wants_token)
        self.assertEqual(await clients.download(self.session, URL), b"data")

    async def test_timeouts(self):
        self.mock.get(f"{URL}/price", callback=slow)
        self.assertIsNone(await clients.price(self.session, URL))

    async def test_races(self):
        self.mock.post(f"{URL}/login", payload={"token": "t1"}, repeat=True)
        self.mock.post(f"{URL}/orders", repeat=3)
        shop = clients.Shop(self.session, URL)
        await asyncio.gather(shop.order("tea"), shop.order("milk"), shop.order("scones"))
        [logins] = [calls for (method, url), calls in self.mock.requests.items() if url.path == "/login"]
        self.assertEqual(len(logins), 1)

    async def test_websockets(self):
        # It has nothing for WebSockets; this is the answer to the handshake, as far as it can be known.
        self.mock.get(f"{URL}/ticks", status=101, headers={"Upgrade": "websocket", "Connection": "Upgrade"})
        self.assertEqual(await clients.ticks(self.session, URL), [1, 2])

    async def test_virtual_time(self):
        self.mock.get(f"{URL}/job", payload={"done": False}, repeat=True)
        self.assertFalse(await asyncio.wait_for(clients.finished(self.session, URL), 5))


if __name__ == "__main__":
    unittest.main()
