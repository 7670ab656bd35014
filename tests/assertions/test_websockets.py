from unittest.mock import ANY

from aiohttp import WSCloseCode

from aioresponses.matchers import ABSENT, one_of, subset

from ..support import MessageTestCase

URL = "wss://example.com/ws"
CALLS = f"\nCalls:\n  1. GET {URL} -> 101"


class WebSocketAssertionsTest(MessageTestCase):
    async def asyncSetUp(self):
        self.ws = self.mock.websocket(URL, [{"price": 1}, "tick", b"tock"])
        async with self.client_session().ws_connect(URL) as client:
            for _ in range(3):
                await client.receive()
            await client.send_json({"op": "subscribe"})
            await client.send_str("ping")
            await client.close(code=4000)
            self.code = client.close_code

    async def test_messages(self):
        for url in (None, URL, "https://example.com/ws", self.ws):
            self.assertWebSocketReceived([{"op": "subscribe"}, "ping"], url)
            self.assertWebSocketSent([{"price": 1}, "tick", b"tock"], url)
        self.assertWebSocketReceived(['{"op": "subscribe"}', "ping"])
        self.assertWebSocketReceived([], "wss://other.example.com/")

    async def test_differences_are_shown_message_by_message(self):
        self.check_fails(
            "Messages received by the far end differ (- expected, + received):\n"
            "- {'op': 'unsubscribe'}\n+ '{\"op\": \"subscribe\"}'\n  'ping'\n- 'pong'" + CALLS,
            self.assertWebSocketReceived, [{"op": "unsubscribe"}, "ping", "pong"],
        )
        self.check_fails(
            "Messages sent by the far end differ (- expected, + sent):\n"
            "  '{\"price\": 1}'\n- b'tick'\n+ 'tick'\n+ b'tock'" + CALLS + " : why",
            self.assertWebSocketSent, [{"price": 1}, b"tick"], msg="why",
        )
        self.check_fails(
            "Invalid argument: messages: expected a list of messages, got 'ping'", self.assertWebSocketReceived, "ping"
        )
        self.check_fails(
            "Invalid argument: messages: expected a list of messages, got {'price': 1}",
            self.assertWebSocketSent, {"price": 1},
        )

    async def test_what_must_be_absent(self):
        self.assertWebSocketReceived([{"op": "subscribe", "id": ABSENT}, "ping"])
        self.assertWebSocketReceived([{"op": one_of("subscribe", ABSENT), "ids": one_of([1], ABSENT)}, ANY])
        self.assertWebSocketSent([subset({"id": ABSENT}), "tick", b"tock"])
        self.check_fails(
            "Messages received by the far end differ (- expected, + received):\n"
            "- {'op': ABSENT}\n+ '{\"op\": \"subscribe\"}'\n  'ping'" + CALLS,
            self.assertWebSocketReceived, [{"op": ABSENT}, "ping"],
        )
        self.check_fails(
            "Invalid argument: messages: ABSENT cannot stand for a whole message; use it for a value in a dict",
            self.assertWebSocketReceived, [ABSENT, "ping"],
        )

    async def test_closed(self):
        self.assertWebSocketClosed(self.code, URL)
        self.check_fails(
            f"Expected the last WebSocket to be closed with 1001, but it was closed with {self.code}." + CALLS,
            self.assertWebSocketClosed, 1001,
        )
        self.check_fails(
            "Expected a WebSocket that was closed with 1000, but there was none." + CALLS,
            self.assertWebSocketClosed, 1000, "wss://other.example.com/",
        )

    async def test_codes_that_are_no_numbers(self):
        for code in (None, "1000", b"1000", 1000.0, True):
            self.check_fails(
                f"Invalid argument: code: expected an int, got {code!r}", self.assertWebSocketClosed, code
            )
        self.assertWebSocketClosed(ANY)
        self.assertWebSocketClosed(WSCloseCode(self.code))
        self.check_fails(
            f"Expected the last WebSocket to be closed with 1001, but it was closed with {self.code}." + CALLS,
            self.assertWebSocketClosed, WSCloseCode.GOING_AWAY,
        )

    async def test_connections(self):
        self.assertWebSocketConnections(1, URL)
        self.assertWebSocketConnections(0, "wss://other.example.com/")
        self.check_fails(
            "Expected 2 WebSockets, but there was 1." + CALLS, self.assertWebSocketConnections, 2, self.ws
        )
        self.check_fails(
            "Invalid argument: count: expected an int of at least 0, got -1", self.assertWebSocketConnections, -1
        )

    async def test_one_that_is_open(self):
        async with self.client_session().ws_connect(URL):
            self.check_fails(
                f"Expected the last WebSocket to be closed with 1000, but it is open.{CALLS}\n  2. GET {URL} -> 101",
                self.assertWebSocketClosed, 1000,
            )
            self.check_fails(
                f"Expected the last WebSocket to be closed with <ANY>, but it is open.{CALLS}\n  2. GET {URL} -> 101",
                self.assertWebSocketClosed, ANY,
            )
