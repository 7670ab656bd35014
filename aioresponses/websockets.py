"""The steps of a script, which says what the far end of a mocked WebSocket does: `mock.websocket(url, [step, …])`.

Text, bytes, dicts and lists are steps themselves: they are sent, dicts and lists as JSON.
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
    """Wait for the next message, for at most `timeout` seconds, and fail unless it equals this one.

    A value that is neither text nor bytes is compared with the text of the message, decoded from JSON.

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
    """Lose the connection without a close frame: the client sees the code 1006.

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
