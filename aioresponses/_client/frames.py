"""What went over a WebSocket, parsed on demand by aiohttp's own reader.

The reader has three signatures: those of aiohttp 3.8 to 3.10, of 3.11 to 3.13, which introduced its own queue, and of
3.14, which has an argument for whether to decode text. It only stores the loop and the connection, so placeholders
do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast

from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import WebSocketReader, WSMsgType

from .clocks import real_perf_counter, running, time_here
from .incoming import MOST
from .written import Written

try:
    from aiohttp._websocket.reader import WebSocketDataQueue
except ImportError:
    WebSocketDataQueue = None  # type: ignore[assignment,misc,unused-ignore]

_NO_LOOP = cast(asyncio.AbstractEventLoop, object())

_NO_LIMIT = 2 ** 62


class TimedMessage:
    """A message, and when it was complete."""

    def __init__(self, is_sent: bool, moment: float, message: Any) -> None:
        self.is_sent = is_sent
        """Whether the far end has sent it."""
        self.moment = moment
        """In seconds of `time.perf_counter()`, or of virtual time in its place."""
        self.message = message
        """That of aiohttp's reader; None for what it cannot read."""


class Upgraded:
    """What has gone over a connection since it switched to another protocol."""

    def __init__(self, head: bytes) -> None:
        self.head = head
        """The head of the response."""
        self.received = Written()
        self.sent = Written()
        self.lost: float | None = None
        """When the far end, or the network, ended the connection, in seconds as those of messages."""
        self._pieces: list[tuple[bool, int, float]] = []
        """Of what went over it at once: whether the far end has sent it, how many bytes it is, and when it was."""

    def note_received(self, data: bytes) -> None:
        """Note what the client writes."""
        self._note(False, self.received, data)

    def note_sent(self, data: bytes) -> None:
        """Note what the far end writes."""
        self._note(True, self.sent, data)

    def note_lost(self) -> None:
        """Note that it is not the client that ends the connection."""
        self.lost = _now()

    def _note(self, is_sent: bool, written: Written, data: bytes) -> None:
        written.append(data)
        if not self.is_large:
            self._pieces.append((is_sent, len(data), _now()))

    @property
    def is_websocket(self) -> bool:
        """Whether the other protocol is that of WebSockets."""
        return b"\r\nupgrade: websocket" in self.head.lower()

    @property
    def is_large(self) -> bool:
        """Whether more than 16 MiB went over it, so that there is no `conversation`."""
        return self.received.size + self.sent.size > MOST

    def conversation(self) -> Iterator[TimedMessage]:
        """Yield the messages of both ways in the order in which they were complete.

        It ends where one way cannot be read any further, because there the other side gives up as well.
        """
        readings = [_Reading(self.head), _Reading(self.head)]
        data = [bytes(self.received), bytes(self.sent)]
        places = [0, 0]
        for is_sent, size, moment in self._pieces:
            reading, place = readings[is_sent], places[is_sent]
            places[is_sent] += size
            for message in reading.feed(data[is_sent][place:place + size]):
                yield TimedMessage(is_sent, moment, message)
            if reading.error is not None:
                yield TimedMessage(is_sent, moment, None)
                break

    def messages(self, written: Written) -> list[Any]:
        """Return the messages that aiohttp's reader finds; raise `ValueError` if it cannot read the data."""
        reading = _Reading(self.head)
        messages = reading.feed(bytes(written))
        if reading.error is not None:
            raise ValueError(f"what went over the WebSocket cannot be read: {reading.error}") from reading.error
        return messages

    def data(self, written: Written) -> list[str | bytes]:
        """Return the data of the text and binary messages."""
        return [one.data for one in self.messages(written) if one.type in (WSMsgType.TEXT, WSMsgType.BINARY)]

    @property
    def close_code(self) -> int | None:
        """The code with which the far end closed; None if it has sent none."""
        return next((int(one.data) for one in self.messages(self.sent) if one.type is WSMsgType.CLOSE), None)


def _now() -> float:
    virtual = time_here() if running else None
    return real_perf_counter() if virtual is None else virtual.perf_counter()


class _Reading:
    """One way of a WebSocket, which is read piece by piece."""

    def __init__(self, head: bytes) -> None:
        compressed = b"permessage-deflate" in head.lower()
        self.error: BaseException | None = None
        """Why it cannot be read any further."""
        self._queue: Any = _Queue()
        if WebSocketDataQueue is not None:
            self._queue = WebSocketDataQueue(BaseProtocol(_NO_LOOP), 2 ** 30, loop=_NO_LOOP)
        make: Any = WebSocketReader
        try:
            self._reader = make(self._queue, 0, compressed)
        except TypeError:
            self._reader = make(self._queue, 0, compressed, True)

    def feed(self, data: bytes) -> list[Any]:
        """Return the messages that these bytes complete."""
        try:
            self._reader.feed_data(data)
            self.error = self._queue.exception()
        except Exception as error:
            self.error = error
        found = [one[0] if type(one) is tuple else one for one in self._queue._buffer]
        self._queue._buffer.clear()
        return found


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
