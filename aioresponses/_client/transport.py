"""Bytes to and from the client, with flow control."""

from __future__ import annotations

import asyncio
from asyncio import current_task
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

from aiohttp.client_proto import ResponseHandler

from .waiting import next_turn
from .wrapping import empty_frames

if TYPE_CHECKING:
    from yarl import URL

_PIECE = 2 ** 16

# How much asyncio's own transports read at once, and so how much a client may get in one step. Later pieces are
# smaller, because their memory is reused, whereas memory for larger ones comes from the system each time.
_AT_ONCE = 2 ** 18


class Close:
    """How the far end closes the connection after the last byte."""

    def __init__(
        self, ends_body: bool = False, error: BaseException | None = None, is_readers: bool = False
    ) -> None:
        self.ends_body = ends_body
        """Whether the end of the connection marks the end of the body, so that nothing is missing from it."""
        self.error = error
        """What goes wrong: a `ConnectionError` breaks the connection, the reader of the body gets any other error."""
        self.is_readers = is_readers
        """Whether the reader of the body gets the error even if it is a `ConnectionError`."""


class Answer:
    """What the far end writes: the head of a response and its body, as bytes on the wire."""

    def __init__(
        self, head: bytes, body: bytes | AsyncGenerator[bytes, None] = b"", close: Close | None = None
    ) -> None:
        self.head = head
        self.body = body
        self.close = close
        """How the connection ends after the last byte; None if it stays open."""

    def in_one_piece(self) -> Answer:
        """Return the same answer with a small body joined to its head, so that it is sent in one step."""
        if isinstance(self.body, bytes) and len(self.body) <= _AT_ONCE:
            return Answer(self.head + self.body, b"", self.close)
        return self


if TYPE_CHECKING:
    class Exchange(Protocol):
        """Records what happens between a client and the far end."""

        def connect(self) -> None:
            """Record that there is a connection."""

        def disconnect(self) -> None:
            """Record that a connection has gone."""

        def receive(self, data: bytes, /) -> object:
            """Receive a request, piece by piece, as it is written."""

    class Receiver(Protocol):
        """Receives what the client writes."""

        def receive(self, data: bytes, /) -> object:
            """Receive a piece."""

    class Server(Protocol):
        """A server at the far end."""

        is_asked: bool
        """Whether it answers the current request."""

        def pass_on(self) -> None:
            """Continue to pass on what was sent, because the client reads again."""

        def leave(self) -> None:
            """Leave the far end."""


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
        """Receives what the client writes; None while it has no request on this connection."""
        self.exchange: Exchange | None = None
        """The call that has the connection; None once the client has given it back."""
        self.server: Server | None = None
        """The server at the far end, if there is one."""
        self._loop = loop
        self._protocol = protocol
        self._feed = protocol.data_received
        self._open = open_transports
        self.closing = False
        """What `is_closing()` returns; an attribute, because every request reads it."""
        self.ssl: object = None
        self.proxy: URL | None = None
        """`ssl` and `proxy` of the request for which the connection was made."""
        self.url: URL | None = None
        """The URL of the last request on this connection."""
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
            # Called by a local name, because CPython 3.11 is slow to call a function in an attribute of an object.
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
        """Send a body that is produced piece by piece; the reader of the response gets what it raises."""
        # Set here as well, because a task may begin before its creator knows it.
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
                    # A plain generator never waits, so nothing else would end it, or let its reader read.
                    if not self._is_wanted():
                        return
                    # Code after the last piece must run before the next request, which ends this task.
                    if not piece or self._is_incomplete():
                        await next_turn()
        except asyncio.CancelledError:
            if self._is_wanted():  # Not cancelled from here: the body itself has given up.
                self.end_by(Close())
            raise
        except BaseException as error:
            empty_frames(error)
            if self._is_wanted():
                self.end_by(Close(error=error))
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
        else:
            # If a longer body was announced, the client would wait for data that never arrives.
            if self._is_wanted():
                self.end_by(Close() if close is None and self._is_incomplete() else close)

    def _is_wanted(self) -> bool:
        """Tell whether the connection is still there for the body that the running task sends."""
        # After the end of the connection, no body is wanted, and after the next request another one.
        return self.streaming is current_task(self._loop)

    def _is_incomplete(self) -> bool:
        """Tell whether the client waits for the rest of a body."""
        # The body being read, which has no public name (3.8.6 to 3.14.5).
        payload = self._protocol._payload
        return payload is not None and not payload.is_eof()

    def end_by(self, close: Close | None) -> None:
        """End the connection in this way, if it is to end, now that everything has been sent."""
        self.close_after = close
        if close is not None and not self._loop.is_closed():
            self._loop.call_soon(self._end)

    def _end(self) -> None:
        """End the connection once the client has read what was sent, because it would get an error instead."""
        close, payload = self.close_after, self._protocol._payload
        if close is None:
            return
        # `_size` is how much is left to read, and `_reading_paused` makes the client call `resume_reading`; private.
        if not close.ends_body and payload is not None and not payload.is_eof() and payload._size:
            self._paused = self._protocol._reading_paused = True
            # As at the end of any connection, the time limit for reading no longer applies.
            self._protocol.eof_received()
        else:
            self.lose(close)

    def end_streaming(self) -> None:
        """Stop sending a body that is produced piece by piece."""
        if self.streaming is not None:
            if not self._loop.is_closed():
                self.streaming.cancel()
            self.streaming = None

    def give_back(self) -> None:
        """Record that the client is done with the request for which it had this connection."""
        exchange = self.exchange
        if exchange is not None:
            self.exchange = self.receiver = None
            exchange.disconnect()

    def lose(self, close: Close = Close(), raising: BaseException | None = None) -> None:
        """End the connection from the far end.

        The client finds it closed or broken, as `close` says; if it waits for a response, it gets `raising`, if given.
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
            if raising is not None and not self._protocol.is_eof():
                # Unlike the loss of a connection, this does not make aiohttp retry, which would reach the real network.
                self._protocol.set_exception(raising)
            error = close.error
            if error is not None and (close.is_readers or not isinstance(error, ConnectionError)):
                # The loss of the connection must not set another error on this body.
                payload, self._protocol._payload = self._protocol._payload, None
                if payload is not None:
                    payload.set_exception(error)
                error = None
            self._protocol.connection_lost(error)

    # The methods of asyncio's transports, most of which the client calls.

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
