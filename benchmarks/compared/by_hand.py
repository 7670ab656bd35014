"""The clients, tested with methods of the session that are patched by hand, as such tests are usually written."""

import asyncio
import unittest
from unittest.mock import AsyncMock, MagicMock, patch

import clients
from aiohttp import ClientSession

URL = "https://api.example"


def response(status=200, **attributes):
    """Return what `async with session.get(…)` gives."""
    made = MagicMock(status=status, **attributes)
    made.raise_for_status = MagicMock()
    context = MagicMock()
    context.__aenter__ = AsyncMock(return_value=made)
    context.__aexit__ = AsyncMock(return_value=None)
    return context


class ComparedTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.session = ClientSession()
        self.addAsyncCleanup(self.session.close)

    async def test_redirects(self):
        get = MagicMock(return_value=response(read=AsyncMock(return_value=b"data")))
        with patch.object(ClientSession, "get", get):
            self.assertEqual(await clients.download(self.session, URL), b"data")
        self.assertEqual(get.call_args.kwargs["headers"], clients.TOKEN)

    async def test_timeouts(self):
        with patch.object(ClientSession, "get", side_effect=asyncio.TimeoutError):
            self.assertIsNone(await clients.price(self.session, URL))

    async def test_races(self):
        post = MagicMock(return_value=response(json=AsyncMock(return_value={"token": "t1"})))
        with patch.object(ClientSession, "post", post):
            shop = clients.Shop(self.session, URL)
            await asyncio.gather(shop.order("tea"), shop.order("milk"), shop.order("scones"))
        self.assertEqual([call.args[0] for call in post.call_args_list].count(f"{URL}/login"), 1)

    async def test_websockets(self):
        messages = [{"tick": 1}, {"tick": 2}]
        ws = MagicMock(closed=False)
        ws.__aiter__.return_value = [MagicMock(json=MagicMock(return_value=message)) for message in messages]

        async def receive_json():
            message = messages.pop(0)
            ws.closed = not messages
            return message

        ws.receive_json = receive_json
        context = MagicMock()
        context.__aenter__ = AsyncMock(return_value=ws)
        context.__aexit__ = AsyncMock(return_value=None)
        with patch.object(ClientSession, "ws_connect", MagicMock(return_value=context)):
            self.assertEqual(await clients.ticks(self.session, URL), [1, 2])

    async def test_virtual_time(self):
        get = MagicMock(return_value=response(json=AsyncMock(return_value={"done": False})))
        with patch.object(ClientSession, "get", get), patch("asyncio.sleep", AsyncMock()):
            self.assertFalse(await asyncio.wait_for(clients.finished(self.session, URL), 5))


if __name__ == "__main__":
    unittest.main()
