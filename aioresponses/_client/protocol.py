"""The in-memory connection: aiohttp's own client at one end, a function at the other.

Theory
------
aiohttp's client builds on a *connector*, which hands out connections, and on a *protocol* of asyncio's kind,
`ResponseHandler`, which parses what its *transport* feeds it and writes through that transport. So all it takes is a
connector that creates a `ResponseHandler` with a transport that ends in memory: everything above, from cookies to
redirects, is aiohttp itself. The protocol is defined here, the transport and the connector in rooms of their own.

The far end of a request has a function `respond`, which is called without arguments once the request has been written
completely, and returns an `Answer` or an awaitable of one, or raises. *When* it is called is the delicate part, because
users' tests count the turns of the event loop:

*   aiohttp writes the request, creates the response object, and asks the protocol for the first message by
    `ResponseHandler.read()`. The far end answers inside that call, in the caller's own task and in the same step of the
    task, after all writes of that step. So a request whose answer needs no waiting runs from `session.get()` to the end
    of `response.read()` without giving the event loop a turn.
*   If the client writes from a task of its own (always in aiohttp 3.8 and 3.9; later for bodies on Python before 3.12,
    and for streamed bodies), that task must end first. aiohttp 3.9.5 cancels it as soon as the response is complete,
    and `read()` then raises the `CancelledError` that ended the task. So `read()` waits for the task: the answer comes
    exactly one turn later.
*   If the answer is a coroutine, it is awaited in the caller's own task as well, so that everything it causes has
    happened by the time the caller continues. But then the protocol's future cannot report a `sock_read` timeout or a
    lost connection to that task, because the task does not wait for the future. So `set_exception` cancels the
    coroutine, in the manner of `asyncio.timeout()`, and `read()` then raises what `set_exception` was called with.

No real server answers in the step of the request, so such answers never reveal code that must not do two things at
once. With a latency, the far end is called that many seconds after the request has been written. The reading task waits
for at least one turn of the loop, so that everything that is ready runs first, and `set_exception` ends that wait as
well.

What the far end sends respects flow control. It feeds 256 KiB first, so that most answers arrive in one step, and then
pieces of 64 KiB until the client pauses reading. It continues one turn after the client resumes, as a socket would. So
a large body is never in the stream reader as a whole, and a response that is never read stays unfinished. A body that
is produced piece by piece is sent by a task of its own, since its producer may have to wait. That task gives the loop a
turn after each piece, so that the reader keeps up; it waits while the client does not read, and ends with the
connection. What the client sends is accepted immediately.

A connection that is closed in the middle of a body is closed only once the client has read what was sent. Otherwise the
stream reader would raise its error instead of returning what it still holds; with a network, which is slower than the
loop, that has been read by then.

Nothing here knows about mocks.
"""

from __future__ import annotations

import asyncio
from asyncio import current_task
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import hdrs
from aiohttp.client_proto import ResponseHandler

from .transport import Answer, InMemoryTransport
from .waiting import finish, next_turn, pass_time

if TYPE_CHECKING:
    from aiohttp import ClientRequest
    from aiohttp.http import RawResponseMessage
    from aiohttp.streams import StreamReader

    from .transport import Exchange, Receiver


# Stands for a cause that was not given, because None is a possible cause.
_NO_CAUSE = BaseException()


def _await_the_turn() -> None:
    """Interrupt nothing: a wait for the next turn of the loop ends by itself."""


class FarEnd(Protocol):
    """What answers one request, in memory."""

    latency: float | None
    """How many seconds pass before it responds: 0 means one turn of the loop, None no wait, or one that is over."""

    @property
    def request(self) -> ClientRequest: ...

    @property
    def exchange(self) -> Receiver:
        """Receives the request, piece by piece, as it is written."""

    def respond(self) -> Answer | Awaitable[Answer | None]:
        """Answer the request, which is complete; None means that the answer comes from elsewhere."""


class InMemoryProtocol(ResponseHandler):
    """aiohttp's client protocol, which asks the far end for its answer when the client begins to read."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.far_end: FarEnd | None = None
        """The far end that will answer the request being written."""
        self.error: BaseException | None = None
        """The exception given to `set_exception` since the last request began."""
        self.has_continued = False
        self._interrupt: Callable[[], object] | None = None

    def expect(self, far_end: FarEnd, call: Exchange) -> None:
        """Let the far end answer its request, which is the next one on this connection.

        From now on the `call` counts as connected, until the client has given the connection back or lost it.
        """
        self.far_end = far_end
        self.error = None
        self.has_continued = False
        transport: InMemoryTransport = self.transport  # type: ignore[assignment]
        if transport.streaming is not None:
            transport.end_streaming()
        if transport.server is not None:
            transport.server.is_asked = False
        transport.receiver = far_end.exchange
        transport.exchange = call
        call.connect()
        transport.url = far_end.request.url

    # Not itself a coroutine, because usually there is nothing to wait for.
    def read(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
    ) -> Coroutine[Any, Any, tuple[RawResponseMessage, StreamReader]]:
        far_end = self.far_end
        if far_end is not None:
            # The task that writes the request, if there is one; nothing public gives access to it (3.8.6 to 3.14.5).
            writer: asyncio.Task[None] | None = getattr(far_end.request, "_writer", None)
            if writer is not None and not writer.done():
                return self._read_when_written(far_end.request, writer)
            latency = far_end.latency
            if latency is not None:
                far_end.latency = None
                return self._read_after(latency)
            self.far_end = None
            if self.error is not None:
                raise self.error
            answer = far_end.respond()
            transport = self.transport
            if self.error is not None or transport is None or not isinstance(answer, Answer):
                return self._read_when_answered(answer)
            transport.send(answer)  # type: ignore[attr-defined]
        # Looked up in its class, where a test may have replaced it; `super()` would cost every request time.
        return ResponseHandler.read(self)

    async def _read_when_written(
        self, request: ClientRequest, writer: asyncio.Task[None]
    ) -> tuple[RawResponseMessage, StreamReader]:
        if not self.has_continued and "100-continue" in request.headers.get(hdrs.EXPECT, "").lower():
            self.has_continued = True
            self.data_received(b"HTTP/1.1 100 Continue\r\n\r\n")
            return await super().read()  # The client goes on writing, then reads again.
        await self._written(writer)
        if self.error is not None:
            raise self.error
        return await self.read()

    async def _read_after(self, latency: float) -> tuple[RawResponseMessage, StreamReader]:
        if latency:
            waiter = self._loop.create_future()
            self._interrupt = partial(finish, waiter)
            passing = pass_time(latency, waiter)
        else:
            self._interrupt = _await_the_turn
            passing = next_turn()
        try:
            await passing
        finally:
            self._interrupt = None
        if self.error is not None:
            raise self.error
        if self.transport is None:
            # The client has closed the connection and is about to be notified of that. The far end is no longer asked.
            return await super().read()
        return await self.read()

    async def _read_when_answered(
        self, answer: Answer | Awaitable[Answer | None]
    ) -> tuple[RawResponseMessage, StreamReader]:
        sent = answer if isinstance(answer, Answer) else await self._interruptible(answer)
        # An error that occurred while the answer was being made takes precedence.
        if self.error is not None:
            raise self.error
        if sent is not None and self.transport is not None:
            self.transport.send(sent)  # type: ignore[attr-defined]
        return await super().read()

    async def _written(self, writer: asyncio.Task[None]) -> None:
        waiter = self._loop.create_future()
        wake = partial(finish, waiter)

        def look() -> None:
            # The task's first step, which is usually its last, was scheduled before this callback.
            if writer.done():
                wake()
            else:
                writer.add_done_callback(wake)

        self._interrupt = wake
        self._loop.call_soon(look)
        try:
            await waiter
        finally:
            self._interrupt = None
            writer.remove_done_callback(wake)

    async def _interruptible(self, answer: Awaitable[Answer | None]) -> Answer | None:
        task = current_task()
        if task is None:
            return await answer
        # From Python 3.11 on, tasks count their cancellations: ours must be taken back, and no other.
        cancelling: Callable[[], int] = getattr(task, "cancelling", int)
        uncancel: Callable[[], int] = getattr(task, "uncancel", int)
        before = cancelling()
        interrupted = False

        def interrupt() -> None:
            nonlocal interrupted
            # Called from within the answer itself, which is running: there is nothing to wake.
            if current_task(self._loop) is not task:
                interrupted = interrupted or task.cancel()

        self._interrupt = interrupt
        try:
            return await answer
        except asyncio.CancelledError:
            if not interrupted or cancelling() > before + 1:
                raise
            return None
        finally:
            self._interrupt = None
            if interrupted:
                uncancel()

    def set_exception(self, exc: type[BaseException] | BaseException, exc_cause: BaseException = _NO_CAUSE) -> None:
        # aiohttp 3.8 accepts no cause.
        super().set_exception(exc, *() if exc_cause is _NO_CAUSE else (exc_cause,))  # type: ignore[arg-type]
        # Kept here, because aiohttp 3.12 and newer forget it in close().
        self.error = exc if isinstance(exc, BaseException) else exc()
        if self._interrupt is not None:
            self._interrupt()

    def let_go(self) -> None:
        """Forget the request and any error, unless a reader still waits for the answer.

        An exception that was raised refers to the frames of aiohttp that it passed through, and these refer to this
        protocol. aiohttp 3.12 and newer forget the exception themselves when a connection is closed.
        """
        # When cancelled, the task that writes gives the connection back, while another task may still be reading.
        if self._interrupt is None:
            self.far_end = self.error = self._exception = None
