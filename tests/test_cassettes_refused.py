"""Requests that a cassette does not answer, and what the refusal says about it."""

import json
from contextlib import ExitStack

from aiohttp import ClientConnectionError, ClientSession

from aioresponses import aioresponses

from .recording import RecordingTestCase


class RefusedTest(RecordingTestCase):
    def write(self, *entries):
        self.path.parent.mkdir()
        self.path.write_text(json.dumps({"log": {"entries": entries}}), "utf-8")

    async def test_an_entry_that_has_answered_says_that_it_answers_once(self):
        self.write({"request": {"method": "GET", "url": "http://example.com/"}, "response": {"status": 204}})
        said = f"  GET http://example.com/: used up (1 of 1); an entry of {self.path} answers once"
        async with ClientSession() as session:
            for name in ("cassette", "load_har"):
                with self.subTest(name), aioresponses() as mock, ExitStack() as stack:
                    if name == "cassette":
                        stack.enter_context(mock.cassette(self.path))
                    else:
                        mock.load_har(self.path)
                    async with session.get("http://example.com/") as response:
                        self.assertEqual(response.status, 204)
                    with self.assertRaises(ClientConnectionError) as raised:
                        await session.get("http://example.com/")
                    self.assertIn(said, raised.exception.__notes__[0].splitlines())

    async def test_a_websocket_that_has_been_replayed_says_so_as_well(self):
        entry = {
            "request": {"method": "GET", "url": "wss://example.com/"},
            "response": {"status": 101},
            "_webSocketMessages": [],
            "_webSocketClose": {"type": "receive", "code": 1000},
        }
        self.write(entry)
        with aioresponses() as mock, mock.cassette(self.path):
            async with ClientSession() as session:
                async with session.ws_connect("wss://example.com/") as websocket:
                    await websocket.receive()
                with self.assertRaises(ClientConnectionError) as raised:
                    await session.ws_connect("wss://example.com/")
        self.assertIn(f"used up (1 of 1); an entry of {self.path} answers once", raised.exception.__notes__[0])

    async def test_requests_that_failed_are_named(self):
        request = {"method": "GET", "url": "http://example.com/"}
        self.write(*[{"request": request, "response": {"status": status}} for status in (0, 0, 204)])
        with aioresponses() as mock, mock.cassette(self.path):
            with self.assertRaises(ClientConnectionError) as raised:
                await self.ask("a")
        self.assertEqual(
            raised.exception.__notes__[0].splitlines()[-2],
            f"The cassette {self.path} has no entry left for it. In 2 of its entries, the request failed. Failures are "
            "not replayed: register a mock with fault= for each.",
        )
