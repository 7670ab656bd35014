"""A server at the far end of an in-memory connection: aiohttp's own server protocol, on a transport defined here.

Theory
------
Like aiohttp's client, its server builds on asyncio's two kinds of objects: a *protocol*, made by a `web.Server`, and a
*transport*. `FarEnd` is that transport. It passes what the server writes to the client's protocol, and what the client
writes to the server's protocol, so both run as they do in production. `FarEnd` has to behave as a network does:

*   Data arrives one turn of the loop after it was written, in the order of the writes, and several writes of one turn
    arrive as one piece. So neither side ever runs inside a write of the other.
*   Unread data is buffered. If more than 64 KiB are waiting, the writer is asked to pause, as asyncio's own transports
    do. Even with the buffers of aiohttp's readers on top, a large body is never in memory as a whole.
*   A connection ends after its data: a socket finds out that it was closed in the turn after its last data, and the
    protocol learns of it one turn later. If the server aborts the connection, data that the client is not reading at
    that moment is lost.
*   On each connection, the server runs in a context of its own: a copy of the context in which the mock was registered,
    and never the context of the caller, in whose tasks a test may have set variables.

A connection is reused for further requests. While a canned reply answers one of them, the server is not asked, and
nothing it does reaches the client. If another server is to answer, it replaces the current one.

A server waits for its next request in a task. Once its loop has been closed, nothing can end that task any more, and
asyncio would report it as destroyed while pending.

Private names: of asyncio, `transports._FlowControlMixin` and `constants._SendfileMode`, without which `loop.sendfile()`
does not fall back to reading a file and writing it here, and `Task._log_destroy_pending` (CPython 3.10 to 3.14). Of
aiohttp, `RequestHandler._request_handler`, the function by which its protocol handles requests, and `_task_handler`,
the protocol's task (3.8.6 to 3.14.5, and the development branch).
"""

from __future__ import annotations

import asyncio
from asyncio import Task, constants, current_task, get_running_loop
from asyncio.transports import _FlowControlMixin
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from functools import lru_cache
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import TYPE_CHECKING, Any

from . import protocol
from .active import in_server
from .frames import Upgraded
from .transport import Close, InMemoryTransport

if TYPE_CHECKING:
    from aiohttp import ClientRequest, web
    from aiohttp.connector import Connection

    Handle = Callable[[Any], Awaitable[web.StreamResponse]]

    # Answers a request of aiohttp.web; its second argument is the handler that the server itself would call.
    Answering = Callable[[Any, Handle], Awaitable[web.StreamResponse]]
    from .transport import Exchange

_PIECE = 2 ** 16

# How much asyncio's own transports read at once.
_AT_ONCE = 2 ** 18

# With more unread data than the first, the writer is asked to pause; at the second, it may go on. asyncio's own limits.
_HIGH = 2 ** 16
_LOW = 2 ** 14

# How the server asks for the body of a request, and how it announces that it switches to another protocol.
_CONTINUE = b"HTTP/1.1 100 "
_UPGRADED = b"HTTP/1.1 101 "


class _Way:
    """One of the two directions that data flows in: what has been written but not read yet."""

    def __init__(self, loop: asyncio.AbstractEventLoop, pass_on: Callable[[], object]) -> None:
        self._loop = loop
        self._pass_on = pass_on
        self._pieces: deque[bytes] = deque()
        self.size = 0

    def put(self, data: bytes) -> None:
        """Deliver data in the next turn, if the other side reads then."""
        pieces, size = self._pieces, len(data)
        if not pieces and not self._loop.is_closed():
            self._loop.call_soon(self._pass_on)
        if size <= _AT_ONCE:
            pieces.append(data)
        else:
            pieces.extend(data[start:start + _PIECE] for start in range(0, size, _PIECE))
        self.size += size

    def flow(self, reads: Callable[[], bool], feed: Callable[[bytes], object]) -> None:
        """Feed the unread data, for as long as the other side reads."""
        pieces = self._pieces
        while pieces and reads():
            if len(pieces) == 1 or self.size > _AT_ONCE:
                piece = pieces.popleft()
            else:
                piece = b"".join(pieces)
                pieces.clear()
            self.size -= len(piece)
            feed(piece)

    def clear(self) -> None:
        self._pieces.clear()
        self.size = 0


def _ignore(_: object) -> None:
    """Record nothing."""


class Serving:
    """How a server is to answer one request.

    `server` makes the protocol, unless the connection already has one that it made in the same `context`, the one in
    which the mock was registered.
    """

    def __init__(self, server: Callable[[], Any], context: Context, answer: Answering) -> None:
        self.server = server
        self.context = context
        self.answer = answer

    def begin(self, connection: Connection, asked: protocol.FarEnd, call: Exchange) -> Turn:
        """Let the server answer the next request on an in-memory connection: the request of `asked`.

        The exchange of `asked` receives the request as it is written, and the `call` counts as connected until the
        client has given the connection back or lost it.
        """
        client: protocol.InMemoryProtocol = connection._protocol  # type: ignore[assignment]
        client.expect(asked, call)
        client.far_end = None
        return self._take_over(client, asked.request, asked.exchange.receive, getattr(asked, "note_upgrade", _ignore))

    def take_over(self, connection: Connection, request: ClientRequest, sent: bytes) -> Turn:
        """Let the server answer a request that the client has already sent."""
        turn = self._take_over(connection._protocol, request, _ignore, _ignore)  # type: ignore[arg-type]
        assert turn.far_end is not None
        turn.far_end.receive(sent)
        return turn

    def _take_over(
        self,
        client: protocol.InMemoryProtocol,
        request: ClientRequest,
        receive: Callable[[bytes], object],
        upgraded: Callable[[Upgraded], object],
    ) -> Turn:
        transport: InMemoryTransport = client.transport  # type: ignore[assignment]
        far = transport.server
        if (
            not isinstance(far, FarEnd)
            or far.server is not self.server
            or far.context is not self.context and far.context != self.context
            or far.is_closing()
        ):
            if far is not None:
                far.leave()
            far = transport.server = FarEnd(transport, self.server, self.context, request.is_ssl())
        transport.receiver = far
        return far.begin(Turn(far, receive, self.answer, upgraded))


class Turn:
    """One request that a server answers."""

    failure: BaseException | None = None
    """What the reader of the body gets after the data that was sent."""

    def __init__(
        self,
        far_end: FarEnd,
        receive: Callable[[bytes], object],
        answer: Answering,
        upgraded: Callable[[Upgraded], object],
    ) -> None:
        self.far_end: FarEnd | None = far_end
        """None once the client has gone."""
        self.has_answered = False
        """Whether the server has begun its answer; asking for the body of the request does not count."""
        self._upgraded: Upgraded | None = None
        self._receive = receive
        self._note_upgrade = upgraded
        self.answer = answer

    @property
    def is_upgraded(self) -> bool:
        """Whether the request was upgraded, to a WebSocket for instance."""
        return self._upgraded is not None

    def note_written(self, data: bytes) -> None:
        """Record what the server writes in answer."""
        if self._upgraded is not None:
            self._upgraded.note_sent(data)
        elif not self.has_answered:
            self.has_answered = not data.startswith(_CONTINUE)
            if data.startswith(_UPGRADED):
                head, _, rest = data.partition(b"\r\n\r\n")
                self._upgraded = Upgraded(head)
                self._upgraded.note_sent(rest)
                self._note_upgrade(self._upgraded)

    def note_received(self, data: bytes) -> None:
        """Record what the client writes."""
        if self._upgraded is not None:
            self._upgraded.note_received(data)
        else:
            self._receive(data)

    def note_end(self) -> None:
        """Note that the server ends the connection."""
        if self._upgraded is not None:
            self._upgraded.note_lost()

    def fail(self, error: BaseException) -> None:
        """Raise an exception where the client waits, and end the connection.

        A client that reads the body gets it after the data that was sent. A WebSocket is lost without the exception.
        """
        if self.far_end is None:
            return
        if not self.has_answered:
            self.far_end.lose(error)
        elif self.is_upgraded:
            self.far_end.abort()
        else:
            self.failure = error
            self.far_end.close()


def in_background(coroutine: Coroutine[Any, Any, None]) -> Task[None]:
    """Run a coroutine of the server in a task of its own, which is left alone if its loop is closed."""
    task = get_running_loop().create_task(coroutine)
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    return task


@lru_cache(maxsize=1)
def _any_tls() -> SSLContext:
    return SSLContext(PROTOCOL_TLS_SERVER)


class FarEnd(_FlowControlMixin):
    """The transport of the server's protocol at the far end of an in-memory connection."""

    _sendfile_compatible = constants._SendfileMode.FALLBACK

    def __init__(self, near: InMemoryTransport, server: Callable[[], Any], context: Context, is_tls: bool) -> None:
        self._loop: asyncio.AbstractEventLoop = near._loop
        extra = {"peername": ("127.0.0.1", 50000), "sockname": near.get_extra_info("peername")}
        if is_tls:
            # aiohttp's server derives the scheme of a request from this.
            extra["sslcontext"] = _any_tls()
        super().__init__(extra, self._loop)
        self.server = server
        self.context = context
        """The context in which the mock was registered."""
        self.is_asked = True
        """Whether the server answers the client's current request."""
        self._turn: Turn | None = None
        self._near = near
        # A context cannot be entered while it is entered already, in this or another thread.
        self._own_context = context.copy()
        self._own_context.run(in_server.set, True)
        self._to_client = _Way(self._loop, self.pass_on)
        self._to_server = _Way(self._loop, self._take_on)
        self._reads = True
        self._closing = self._lost = self._client_pauses = False
        self._protocol: Any = server()
        self._handle: Handle = self._protocol._request_handler
        self._protocol._request_handler = self._answer
        self._own_context.run(self._protocol.connection_made, self)
        self._protocol._task_handler._log_destroy_pending = False

    def begin(self, turn: Turn) -> Turn:
        """Prepare for another request, which is about to be written."""
        self._let_go()
        self.is_asked = True
        self._turn = turn
        return turn

    def _let_go(self) -> None:
        if self._turn is not None:
            self._turn.far_end = None

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        current_task()._log_destroy_pending = False  # type: ignore[union-attr]
        assert self._turn is not None
        return await self._turn.answer(request, self._handle)

    # From the client to the server.

    def receive(self, data: bytes) -> None:
        """Take what the client has written."""
        assert self._turn is not None
        self._turn.note_received(data)
        if self._lost:
            return
        self._to_server.put(data)
        if self._to_server.size > _HIGH and not self._client_pauses:
            self._client_pauses = True
            self._near.get_protocol().pause_writing()

    def _take_on(self) -> None:
        self._to_server.flow(self._takes, self._feed)
        if self._client_pauses and self._to_server.size <= _LOW:
            self._let_client_write()

    def _takes(self) -> bool:
        return self._reads and not self._lost

    def _let_client_write(self) -> None:
        if self._client_pauses:
            self._client_pauses = False
            self._near.get_protocol().resume_writing()

    def _feed(self, data: bytes) -> None:
        self._own_context.run(self._protocol.data_received, data)

    def leave(self) -> None:
        """Let the server find its connection lost: the client has gone, or goes on to another server."""
        if self._lost:
            return
        if not self._loop.is_closed():
            # What the client has written is still on its way, and arrives before the connection ends.
            self._to_server.flow(lambda: not self._lost, self._feed)
            self._let_client_write()
        self._closing = self._lost = True
        self._to_client.clear()
        self._to_server.clear()
        if self._near.server is self:
            self._near.server = None
        self._let_go()
        if not self._loop.is_closed():
            self._loop.call_soon(self._loop.call_soon, self._lose_client)

    def _lose_client(self) -> None:
        self._own_context.run(self._protocol.connection_lost, None)

    # From the server to the client.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing or not self.is_asked or self._turn is None:
            return
        data = bytes(data)
        self._turn.note_written(data)
        self._to_client.put(data)
        if self._to_client.size > _HIGH:
            self._maybe_pause_protocol()  # type: ignore[attr-defined]

    def pass_on(self) -> None:
        """Feed the client the unread data, for as long as it reads."""
        self._to_client.flow(self._near.is_reading, self._near._feed)
        self._maybe_resume_protocol()  # type: ignore[attr-defined]
        if self._closing and not self._to_client.size and not self._lost:
            self._loop.call_soon(self._loop.call_soon, self._hang_up)

    def _hang_up(self) -> None:
        if not self.is_asked:
            self.leave()
        elif self._turn is None or self._turn.failure is None:
            self._near.lose()
        else:
            self._near.end_by(Close(error=self._turn.failure, is_readers=True))

    def lose(self, error: BaseException) -> None:
        """End the connection with an exception for the client, which is waiting for a response."""
        if self.is_asked and not self._near.closing:
            self._near.lose(raising=error)

    def close(self) -> None:
        if not self._closing:
            self._note_end()
            if not self._to_client.size and not self._loop.is_closed():
                self._loop.call_soon(self.pass_on)

    def abort(self) -> None:
        self._note_end()
        if not self._loop.is_closed():
            self._loop.call_soon(self._break_off)

    def _note_end(self) -> None:
        if self._turn is not None and not self._closing:
            self._turn.note_end()
        self._closing = True

    def _break_off(self) -> None:
        self.pass_on()
        if self._to_client.size:
            self._to_client.clear()
            self.pass_on()

    # The remaining methods of asyncio's transports.

    def get_write_buffer_size(self) -> int:
        return self._to_client.size

    def write_eof(self) -> None:
        pass

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self._reads = False

    def resume_reading(self) -> None:
        if not self._reads:
            self._reads = True
            if not self._loop.is_closed():
                self._loop.call_soon(self._take_on)

    def is_reading(self) -> bool:
        return self._reads and not self._closing

    def is_closing(self) -> bool:
        return self._closing

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol  # type: ignore[no-any-return]

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol
