"""Bytes to and from the client, with flow control."""

from __future__ import annotations

import asyncio
from asyncio import current_task
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from aiohttp.client_proto import ResponseHandler

from .waiting import next_turn
from .wrapping import empty_frames

if TYPE_CHECKING:
    from yarl import URL

_PIECE = 2 ** 16

# What asyncio's own transports read at once, and a client may thus be given in one step. Later pieces are smaller, for
# the memory of such is used again, where that of larger ones is got from the system each time.
_AT_ONCE = 2 ** 18


class Close(NamedTuple):
    """That the far end closes the connection after the last byte."""

    ends_body: bool = False
    """Whether the end of the connection is that of the body, so that nothing is missing from it."""

    error: BaseException | None = None
    """What goes wrong: a `ConnectionError` breaks the connection off, and the reader of the body gets any other."""

    is_readers: bool = False
    """Whether the reader of the body gets the error even if it is a `ConnectionError`."""


@dataclass
class Answer:
    """What the far end writes: the head of a response and its body, as bytes on the wire.

    No named tuple, for every request reads it, and attributes of those are slow.
    """

    head: bytes
    body: bytes | AsyncGenerator[bytes, None] = b""
    close: Close | None = None
    """How the connection ends after the last byte; None if it stays open."""

    def in_one_piece(self) -> Answer:
        """Return the same answer with a small body joined to its head, for it is then sent in one step."""
        if isinstance(self.body, bytes) and len(self.body) <= _AT_ONCE:
            return Answer(self.head + self.body, b"", self.close)
        return self


class Exchange(Protocol):
    """What notes what goes on between a client and the far end."""

    def connect(self) -> None:
        """Note that there is a connection."""

    def disconnect(self) -> None:
        """Note that a connection has gone."""

    def receive(self, data: bytes, /) -> object:
        """Take what is written of a request, piece by piece."""


class Receiver(Protocol):
    """What takes what the client writes."""

    def receive(self, data: bytes, /) -> object:
        """Take a piece."""


class Server(Protocol):
    """A server that stands at the far end, where one does."""

    is_asked: bool
    """Whether it is the server that answers the current request."""

    def pass_on(self) -> None:
        """Go on to give the client what was sent, for it reads again."""

    def leave(self) -> None:
        """Stand there no more."""


class InMemoryTransport(asyncio.Transport):
    """The transport of a connection whose other end is in memory."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol: ResponseHandler,
        open_transports: set[InMemoryTransport],
        peername: tuple[str | None, int | None],
    ) -> None:
        super().__init__({"peername": peername})
        self.receiver: Receiver | None = None
        """What takes what the client writes; None while it has no request on this connection."""
        self.exchange: Exchange | None = None
        """The call that has the connection; None once the client has given it back."""
        self.server: Server | None = None
        """The server that stands at the far end, if one does."""
        self._loop = loop
        self._protocol = protocol
        self._feed = protocol.data_received
        self._open = open_transports
        self.closing = False
        """What `is_closing()` says; every request asks."""
        self.ssl: object = None
        self.proxy: URL | None = None
        """What the request said that the connection was made for."""
        self.url: URL | None = None
        """That of the last request on this connection."""
        self._paused = False
        self._resumed: asyncio.Future[None] | None = None
        self._body = b""
        self._sent = 0
        self.close_after: Close | None = None
        """How the connection ends once everything has been sent; None if it stays open."""
        self.streaming: asyncio.Task[None] | None = None
        open_transports.add(self)

    def send(self, answer: Answer) -> None:
        """Send an answer to the client, as fast as it reads."""
        head, body, close = answer.head, answer.body, answer.close
        if not body and close is None:
            # By a local name, for CPython 3.11 is slow to call what an attribute of an object holds.
            feed = self._feed
            feed(head)
        elif isinstance(body, bytes):
            self._feed(head + body[:_AT_ONCE])
            self._body = body
            self._sent = _AT_ONCE
            self.close_after = close
            self._send_on()
        else:
            self._feed(head)
            self.streaming = self._loop.create_task(self._stream(body, close))

    def _send_on(self) -> None:
        while self._sent < len(self._body) and not self._paused and not self.closing:
            piece = self._body[self._sent:self._sent + _PIECE]
            self._sent += _PIECE
            self._feed(piece)
        if self._sent >= len(self._body):
            self._body = b""
            self.end_by(self.close_after)

    async def _stream(self, body: AsyncGenerator[bytes, None], close: Close | None) -> None:
        """Send a body that comes piece by piece; what it raises, the reader of the response gets."""
        # Here as well, for a task may begin before whoever makes it knows it.
        self.streaming = current_task()
        try:
            async with aclosing(body):
                async for piece in body:
                    for start in range(0, len(piece), _PIECE):
                        while self._paused:
                            self._resumed = self._loop.create_future()
                            await self._resumed
                        if not self._is_wanted():
                            return
                        self._feed(piece[start:start + _PIECE])
                    # A plain generator waits nowhere, so nothing else would end it, or let its reader read.
                    if not self._is_wanted():
                        return
                    # What is left to do behind the last piece is done before the next request, which ends it.
                    if not piece or self._is_incomplete():
                        await next_turn()
        except asyncio.CancelledError:
            if self._is_wanted():  # Not by us: the body itself has given up.
                self.end_by(Close())
            raise
        except BaseException as error:
            empty_frames(error)
            if self._is_wanted():
                self.end_by(Close(error=error))
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
        else:
            # Should it have been announced to be longer, then the client would wait for what never comes.
            if self._is_wanted():
                self.end_by(Close() if close is None and self._is_incomplete() else close)

    def _is_wanted(self) -> bool:
        """Tell whether the connection is still there for the body that the running task sends."""
        # After the end of the connection it is for none, and after the next request for another.
        return self.streaming is current_task(self._loop)

    def _is_incomplete(self) -> bool:
        """Tell whether the client waits for more of a body."""
        # The body that is being read, which has no public name (3.8.6 to 3.14.5).
        payload = self._protocol._payload
        return payload is not None and not payload.is_eof()

    def end_by(self, close: Close | None) -> None:
        """Have the connection end in this way, if in any, now that everything has been sent."""
        self.close_after = close
        if close is not None and not self._loop.is_closed():
            self._loop.call_soon(self._end)

    def _end(self) -> None:
        """End the connection, unless the client has not yet read all that was sent: it would get an error instead."""
        close, payload = self.close_after, self._protocol._payload
        if close is None:
            return
        # How much there is to be read, and whether the client tells us when it reads: private as well.
        if not close.ends_body and payload is not None and not payload.is_eof() and payload._size:
            self._paused = self._protocol._reading_paused = True
            # As at the end of any connection: the time limit for reading no longer counts.
            self._protocol.eof_received()
        else:
            self.lose(close)

    def end_streaming(self) -> None:
        """Send no more of a body that comes piece by piece."""
        if self.streaming is not None:
            if not self._loop.is_closed():
                self.streaming.cancel()
            self.streaming = None

    def give_back(self) -> None:
        """Note that the client has no more to do with the request that this connection was for."""
        exchange = self.exchange
        if exchange is not None:
            self.exchange = self.receiver = None
            exchange.disconnect()

    def lose(self, close: Close = Close(), told: BaseException | None = None) -> None:
        """End the connection from the far end.

        The client finds it closed or broken off, as `close` says; one that waits for a response gets `told`, if given.
        """
        self.closing = True
        self._body = b""
        self.close_after = None
        self.end_streaming()
        self.give_back()
        if self.server is not None:
            self.server.leave()
        if self in self._open:
            self._open.discard(self)
            if told is not None and not self._protocol.is_eof():
                # Unlike the loss of a connection, this is not taken for a reason to try again, on the real network.
                self._protocol.set_exception(told)
            error = close.error
            if error is not None and (close.is_readers or not isinstance(error, ConnectionError)):
                # The loss of the connection is not to say anything else of this body.
                payload, self._protocol._payload = self._protocol._payload, None
                if payload is not None:
                    payload.set_exception(error)
                error = None
            self._protocol.connection_lost(error)

    # What asyncio's transports have; the client calls most of it.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        receiver = self.receiver
        if receiver is not None:
            receiver.receive(bytes(data))

    def write_eof(self) -> None:
        pass

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        if self._paused:
            self._paused = False
            if self._resumed is not None and not self._resumed.done():
                self._resumed.set_result(None)
            if self._body:
                self._loop.call_soon(self._send_on)
            elif self.close_after is not None:
                self._loop.call_soon(self._end)
            elif self.server is not None:
                self._loop.call_soon(self.server.pass_on)

    def is_reading(self) -> bool:
        return not self._paused and not self.closing

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            self._body = b""
            self.end_streaming()
            if not self._loop.is_closed():
                self._loop.call_soon(self.lose)

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return 0

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return 0, 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_protocol(self) -> ResponseHandler:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, ResponseHandler)
        self._protocol = protocol
        self._feed = protocol.data_received
