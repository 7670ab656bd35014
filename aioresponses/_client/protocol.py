"""The in-memory connection: aiohttp's own client on one end, a function on the other.

Theory
------
aiohttp's client stands on two objects of asyncio's kind. A *connector* hands out connections, and a *protocol*,
`ResponseHandler`, parses what it is fed by its *transport* and is written to through it. So a connector that makes a
`ResponseHandler` and gives it a transport which ends in memory is all that it takes: everything above, from cookies to
redirects, is aiohttp itself. Protocol and transport are here, the connector is in the next room.

The far end is a function without arguments, the `Respond` of one exchange: it is called once the request has been
written to its end, and returns an `Answer`, or an awaitable of one, or raises. *When* it is called is the delicate
part, since people's tests count the turns of the event loop:

*   aiohttp writes the request, makes the response object, and asks the protocol for the first message:
    `ResponseHandler.read()`. We answer there, in the caller's own task and in the same step of it. By then every
    write has happened that happens in that step. A request whose answer needs no waiting thus runs from
    `session.get()` to the end of `response.read()` without giving the event loop a turn.
*   Where the client writes from a task of its own (aiohttp 3.8 and 3.9 always; later ones for bodies on Python before
    3.12, or streamed ones), that task must come to its end first. aiohttp 3.9.5 cancels it as soon as the response is
    complete, and `read()` then raises the `CancelledError` which the task ended with. So `read()` waits for it: the
    answer comes one turn later, and no more than that.
*   A coroutine that answers is awaited in the caller's own task as well, so that whatever it sets off has happened
    when the caller goes on. Only, that task cannot then be told of a `sock_read` timeout or a lost connection by the
    protocol's future, for it does not wait for it. `set_exception` therefore cancels the coroutine, in the manner of
    `asyncio.timeout()`, and `read()` then raises what `set_exception` was called with.

No server answers in the step of the request, so code that must not do two things at once is never found out by such
answers. With a latency, the far end is asked so many seconds later: the reading task waits, for at least one turn of
the loop, so that all that is ready runs first. This comes once the request has been written, and `set_exception` ends
it as well.

What the far end sends respects flow control. It feeds 256 KiB at first, so that most answers are there at once, and
then pieces of 64 KiB until the client pauses reading; it goes on one turn after the client resumes, as a socket would:
a large body is never in the stream reader as a whole, and a response that is never read stays unfinished. A body that
comes piece by piece has a task of its own, for whoever provides it may have to wait; the task gives the loop a turn
after each piece, so that a reader keeps up with it, waits for as long as the client does not read, and ends with the
connection. What the client sends is taken at once.

A connection that is closed in the middle of a body is closed once the client has read what was sent. The stream reader
gives its error in place of what it still holds; with a network, which is slower than the loop, that is read by then.

Nothing here knows of mocks.
"""

from __future__ import annotations

import asyncio
from asyncio import current_task
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import hdrs
from aiohttp.client_proto import ResponseHandler

from .transport import Answer, Exchange, InMemoryTransport, Receiver
from .waiting import finish, next_turn, pass_time

if TYPE_CHECKING:
    from aiohttp import ClientRequest
    from aiohttp.http import RawResponseMessage
    from aiohttp.streams import StreamReader


# Looking it up in its class takes time that every request would pay.
_read = ResponseHandler.read

# Stands for a cause that was not given; None would be one.
_NO_CAUSE = BaseException()


def _await_the_turn() -> None:
    """Interrupt what ends with the turn of the loop."""


class FarEnd(Protocol):
    """What answers one request, in memory."""

    latency: float | None
    """How many seconds pass before it responds, for 0 one turn of the loop; None once they have, or if none are to."""

    @property
    def request(self) -> ClientRequest: ...

    @property
    def exchange(self) -> Receiver:
        """Takes what is written of the request, piece by piece."""

    def respond(self) -> Answer | Awaitable[Answer | None]:
        """Answer the request, which is complete; None stands for an answer that comes from somewhere else."""


class InMemoryProtocol(ResponseHandler):
    """aiohttp's client protocol, which has the far end answer when the client comes to read."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.far_end: FarEnd | None = None
        """What has yet to answer the request that is being written."""
        self.error: BaseException | None = None
        """What this side was told of by `set_exception`, since the last request began."""
        self.has_continued = False
        self._interrupt: Callable[[], object] | None = None

    def expect(self, far_end: FarEnd, call: Exchange) -> None:
        """Have the far end answer its request, which is the next one on this connection.

        The `call` is connected by this, until the client has given the connection back, or has lost it.
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

    # No coroutine itself, for mostly there is nothing to wait for.
    def read(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
    ) -> Coroutine[Any, Any, tuple[RawResponseMessage, StreamReader]]:
        far_end = self.far_end
        if far_end is not None:
            # The task that writes the request, if there is one: private, and all that tells (3.8.6 to 3.14.5).
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
        return _read(self)

    async def _read_when_written(
        self, request: ClientRequest, writer: asyncio.Task[None]
    ) -> tuple[RawResponseMessage, StreamReader]:
        if not self.has_continued and "100-continue" in request.headers.get(hdrs.EXPECT, "").lower():
            self.has_continued = True
            self.data_received(b"HTTP/1.1 100 Continue\r\n\r\n")
            return await super().read()  # The client goes on writing, and comes to read once more.
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
            # The client has closed the connection, which it is about to hear of. The far end is not asked any more.
            return await super().read()
        return await self.read()

    async def _read_when_answered(
        self, answer: Answer | Awaitable[Answer | None]
    ) -> tuple[RawResponseMessage, StreamReader]:
        sent = answer if isinstance(answer, Answer) else await self._interruptible(answer)
        # What has happened while it was made takes precedence.
        if self.error is not None:
            raise self.error
        if sent is not None and self.transport is not None:
            self.transport.send(sent)  # type: ignore[attr-defined]
        return await super().read()

    async def _written(self, writer: asyncio.Task[None]) -> None:
        waiter = self._loop.create_future()
        wake = partial(finish, waiter)

        def look() -> None:
            # The first step of the task stands before us in the queue of the loop, and mostly is its last.
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
        # Python 3.11 began to count the cancellations of a task: ours must be taken back, and it alone.
        cancelling: Callable[[], int] = getattr(task, "cancelling", int)
        uncancel: Callable[[], int] = getattr(task, "uncancel", int)
        before = cancelling()
        interrupted = False

        def interrupt() -> None:
            nonlocal interrupted
            # Within the answer itself there is nothing to wake: it goes on to its end.
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
        # aiohttp 3.8 takes no cause.
        super().set_exception(exc, *() if exc_cause is _NO_CAUSE else (exc_cause,))  # type: ignore[arg-type]
        # aiohttp 3.12 and later forget it in close().
        self.error = exc if isinstance(exc, BaseException) else exc()
        if self._interrupt is not None:
            self._interrupt()

    def let_go(self) -> None:
        """Forget the request and what came of it, unless somebody still waits for that.

        An exception that was raised holds the frames of aiohttp that it came through, and those hold this. aiohttp 3.12
        and newer forget the exception themselves when a connection is closed.
        """
        # The task that writes gives the connection back when it is cancelled, and somebody else may be waiting.
        if self._interrupt is None:
            self.far_end = self.error = self._exception = None
