"""What went over a WebSocket, parsed on demand by aiohttp's own reader.

The reader has three signatures: those of aiohttp 3.8 to 3.10, of 3.11 to 3.13, which introduced its own queue, and of
3.14, which has an argument for whether to decode text. It only stores the loop and the connection, so placeholders
do.

Private names of aiohttp: `ResponseHandler._payload`, the queue that the client reads from, and the `_buffer` of such
queues (3.8.6 to 3.14.5, and the development branch).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from inspect import signature
from typing import Any, cast

from aiohttp import ClientResponse, ClientSession
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import WebSocketReader, WSCloseCode, WSMsgType

from .clocks import perf_counter_here
from .incoming import MOST
from .written import Written

try:
    from aiohttp._websocket.reader import WebSocketDataQueue
except ImportError:
    WebSocketDataQueue = None  # type: ignore[assignment,misc,unused-ignore]

_NO_LOOP = cast(asyncio.AbstractEventLoop, object())

_NO_LIMIT = 2 ** 62

# The codes with which aiohttp's client closes a WebSocket that it cannot read.
_CANNOT_READ = (WSCloseCode.PROTOCOL_ERROR, WSCloseCode.INVALID_TEXT, WSCloseCode.MESSAGE_TOO_BIG)

# Since aiohttp 3.9, which also has this argument, such a client sees its own code; before, it sees 1006.
_SEES_OWN_CODE = "max_line_size" in signature(ClientSession.__init__).parameters


def has_unread_close(response: ClientResponse | None) -> bool:
    """Tell whether a close frame has arrived that the client with this response has not read yet."""
    connection = None if response is None else response.connection
    if connection is None:
        return False
    queue = getattr(connection.protocol, "_payload", None)
    return any(one.type is WSMsgType.CLOSE for one in _messages_in(queue))


def _messages_in(queue: Any) -> list[Any]:
    return [one[0] if type(one) is tuple else one for one in getattr(queue, "_buffer", ())]


class TimedMessage:
    """A message, and when it was complete."""

    def __init__(self, is_sent: bool, moment: float, message: Any) -> None:
        self.is_sent = is_sent
        """Whether the far end has sent it."""
        self.moment = moment
        """In seconds of `time.perf_counter()`, or of virtual time if a clock runs."""
        self.message = message
        """As aiohttp's reader returns it; None for data that it cannot read."""


class Upgraded:
    """What has gone over a connection since it switched to another protocol."""

    def __init__(self, head: bytes) -> None:
        self.head = head
        """The head of the response."""
        self.received = Written()
        self.sent = Written()
        self.lost: float | None = None
        """When the far end, or the network, ended the connection, in the same seconds as `TimedMessage.moment`."""
        self._pieces: list[tuple[bool, int, float]] = []
        """For each piece: whether the far end has sent it, its number of bytes, and when it was written."""

    def note_received(self, data: bytes) -> None:
        """Note what the client writes."""
        self._note(False, self.received, data)

    def note_sent(self, data: bytes) -> None:
        """Note what the far end writes."""
        self._note(True, self.sent, data)

    def note_lost(self) -> None:
        """Note that the connection ends, but not because of the client."""
        self.lost = perf_counter_here()

    def _note(self, is_sent: bool, written: Written, data: bytes) -> None:
        written.append(data)
        if not self.is_large:
            self._pieces.append((is_sent, len(data), perf_counter_here()))

    @property
    def is_websocket(self) -> bool:
        """Whether the other protocol is that of WebSockets."""
        return b"\r\nupgrade: websocket" in self.head.lower()

    @property
    def is_large(self) -> bool:
        """Whether more than 16 MiB went over it; then `conversation` is incomplete."""
        return self.received.size + self.sent.size > MOST

    def conversation(self) -> Iterator[TimedMessage]:
        """Yield the messages of both sides in the order in which they were complete.

        It ends where one direction cannot be read any further, because there the receiving side gives up as well.
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
        """The close code that the client sees; None if the far end has sent none, and the client could read it all.

        A client that cannot read what comes closes, and does not wait for an answer.
        """
        own = next((code for code in self._close_codes(self.received) if code in _CANNOT_READ), None)
        if own is not None:
            closes = [
                one.is_sent
                for one in self.conversation()
                if one.message is not None and one.message.type is WSMsgType.CLOSE
            ]
            if not (closes and closes[-1]):
                return own if _SEES_OWN_CODE else None
        return next(self._close_codes(self.sent), None)

    def _close_codes(self, written: Written) -> Iterator[int]:
        """Yield the codes of the close frames, up to data that cannot be read."""
        for one in _Reading(self.head).feed(bytes(written)):
            if one.type is WSMsgType.CLOSE:
                yield int(one.data)


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
        found = _messages_in(self._queue)
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
