"""What went over a WebSocket, parsed on demand by aiohttp's own reader.

The reader has three signatures: those of aiohttp 3.8 to 3.10, of 3.11 to 3.13, which introduced its own queue, and of
3.14, which has an argument for whether to decode text. It only stores the loop and the connection, so placeholders
do.
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
    """What has gone over a connection since it switched to another protocol."""

    def __init__(self, head: bytes) -> None:
        self.head = head
        """The head of the response."""
        self.received = Written()
        self.sent = Written()

    @property
    def is_websocket(self) -> bool:
        """Whether the other protocol is that of WebSockets."""
        return b"\r\nupgrade: websocket" in self.head.lower()

    def messages(self, written: Written) -> list[Any]:
        """Return the messages that aiohttp's reader finds; raise `ValueError` if it cannot read the data."""
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
        """Return the data of the text and binary messages."""
        return [one.data for one in self.messages(written) if one.type in (WSMsgType.TEXT, WSMsgType.BINARY)]

    @property
    def close_code(self) -> int | None:
        """The code with which the far end closed; None if it has sent none."""
        return next((int(one.data) for one in self.messages(self.sent) if one.type is WSMsgType.CLOSE), None)


class _Queue:
    """The queue that the reader of aiohttp before 3.11 puts its messages into."""

    def __init__(self) -> None:
        self._buffer: list[Any] = []

    def feed_data(self, message: Any, size: int) -> None:
        self._buffer.append(message)

    def exception(self) -> None:
        """Return None, since `set_exception` has raised any error of the reader."""

    def feed_eof(self) -> None:
        """Do nothing."""

    def set_exception(self, error: BaseException, *cause: BaseException) -> None:
        raise error
