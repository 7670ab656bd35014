"""What went over a WebSocket, read by aiohttp's own reader when somebody asks.

The reader has three signatures: aiohttp 3.8 to 3.10, 3.11 to 3.13, which brought a queue of its own, and 3.14, which
asks whether to decode text. What it is given in place of a loop and of a connection, it only keeps.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import WebSocketReader, WSMsgType

from .written import Written

try:
    from aiohttp._websocket.reader import WebSocketDataQueue
except ImportError:
    WebSocketDataQueue = None  # type: ignore[assignment,misc,unused-ignore]

_NO_LOOP = cast(asyncio.AbstractEventLoop, object())

_NO_LIMIT = 2 ** 62


class Upgraded:
    """What went over a connection since it speaks another protocol."""

    def __init__(self, head: bytes) -> None:
        self.head = head
        """That of the response."""
        self.received = Written()
        self.sent = Written()

    @property
    def is_websocket(self) -> bool:
        """Whether that is the protocol of WebSockets."""
        return b"\r\nupgrade: websocket" in self.head.lower()

    def messages(self, written: Written) -> list[Any]:
        """Return the messages of aiohttp's reader; raise `ValueError` where this is no WebSocket."""
        compressed = b"permessage-deflate" in self.head.lower()
        queue: Any = _Queue()
        if WebSocketDataQueue is not None:
            queue = WebSocketDataQueue(BaseProtocol(_NO_LOOP), 2 ** 30, loop=_NO_LOOP)
        make: Any = WebSocketReader
        try:
            try:
                reader = make(queue, 0, compressed)
            except TypeError:
                reader = make(queue, 0, compressed, True)
            reader.feed_data(bytes(written))
            if queue.exception() is not None:
                raise queue.exception()
        except Exception as error:
            raise ValueError(f"what went over the WebSocket cannot be read: {error}") from error
        return [one[0] if type(one) is tuple else one for one in queue._buffer]

    def data(self, written: Written) -> list[str | bytes]:
        """Return the messages of text and bytes alone."""
        return [one.data for one in self.messages(written) if one.type in (WSMsgType.TEXT, WSMsgType.BINARY)]

    @property
    def close_code(self) -> int | None:
        """The code that the far end closed with; None if it has sent none."""
        return next((int(one.data) for one in self.messages(self.sent) if one.type is WSMsgType.CLOSE), None)


class _Queue:
    """What the reader of aiohttp before 3.11 puts its messages into."""

    def __init__(self) -> None:
        self._buffer: list[Any] = []

    def feed_data(self, message: Any, size: int) -> None:
        self._buffer.append(message)

    def exception(self) -> None:
        """Return None, for `set_exception` raises what the reader finds."""

    def feed_eof(self) -> None:
        """Take no more."""

    def set_exception(self, error: BaseException, *cause: BaseException) -> None:
        raise error
