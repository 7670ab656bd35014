"""The steps of a script, which is what the far end of a mocked WebSocket does: `mock.websocket(url, [step, …])`.

Text, bytes, dicts and lists are steps as they are: they are sent, dicts and lists as JSON.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Close", "Drop", "Expect", "Ping", "Send", "Sleep"]


class Send(NamedTuple):
    """Send a message: text, bytes, or anything else as JSON.

    >>> mock.websocket("wss://stream.example.com/ticks", [Send(7), Send(None)])
    """

    message: Any


class Expect(NamedTuple):
    """Wait for the next message, for `timeout` seconds at most, and fail unless it equals this one.

    What is neither text nor bytes is compared with the text that was sent as JSON.

    >>> mock.websocket("wss://stream.example.com/ticks", [Expect({"op": "subscribe", "channel": ANY}), {"price": 1}])
    """

    message: Any
    timeout: float = 1


class Close(NamedTuple):
    """Close the WebSocket with a code and a message.

    >>> mock.websocket("wss://stream.example.com/ticks", [{"price": 1}, Close(1001, b"going away")])
    """

    code: int = 1000
    message: bytes = b""


class Drop(NamedTuple):
    """Lose the connection without a close frame: the client finds the code 1006.

    >>> mock.websocket("wss://stream.example.com/ticks", [{"price": 1}, Drop()])
    """


class Ping(NamedTuple):
    """Send a ping.

    >>> mock.websocket("wss://stream.example.com/ticks", [Ping(), {"price": 1}])
    """

    message: bytes = b""


class Sleep(NamedTuple):
    """Wait for so many seconds, by the timers of the event loop.

    >>> mock.websocket("wss://stream.example.com/ticks", [{"price": 1}, Sleep(0.1), {"price": 2}])
    """

    seconds: float
