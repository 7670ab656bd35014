"""One request of a call, and the mock that answers it, or the server behind the mock.

The hooks get a far end when a request asks for a connection. It then receives what the client writes, responds when the
client begins to read, and records what the mock raised, which must reach the caller unchanged.
"""

from __future__ import annotations

import inspect
from asyncio import AbstractEventLoop, get_running_loop
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import ClientConnectionError, ClientOSError, ServerDisconnectedError

from ._calls.exchange import Exchange
from ._calls.log import Log
from ._calls.record import RequestCall
from ._client.connectors import StandIns
from ._client.hooks import STOPPED
from ._client.outgoing import response_of, set_response_class
from ._client.transport import Answer
from ._client.wrapping import show_as_they_are, show_unwrapped
from ._display import add_note
from ._matching.router import Claim
from ._replies.results import CallbackResult, Fault, check_tls

if TYPE_CHECKING:
    from aiohttp import BaseConnector, ClientRequest, ClientResponse, ClientTimeout
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace
    from yarl import URL

    from ._calls.failures import FailedSocket
    from ._client.far_end import Serving, Turn
    from ._client.frames import Upgraded
    from ._client.serving import Servers
    from ._client.transport import Exchange as Connected
    from ._client.unconnected import Failure
    from ._replies.handlers import Asked, HandlerReply

    # Returns how a server answers a request, on the running loop.
    ServeOn = Callable[[AbstractEventLoop, Servers, Asked], Awaitable[Serving]]


if TYPE_CHECKING:
    class Recorder(Protocol):
        """What decides about requests that no mock answers, instead of the settings of the mocks."""

        @property
        def records(self) -> bool:
            """Whether these requests go to the network and are recorded; otherwise they are refused."""

        @property
        def advice(self) -> str:
            """What a refusal says about it."""

        def note(self, exchange: Exchange) -> None:
            """Record a request that goes to the network."""

        def discard(self) -> None:
            """Keep no recording, because the test has failed."""

        def end(self, write: bool) -> None:
            """Stop deciding; keep the recording if `write` is true."""

    class Mock(Protocol):
        """What a far end needs of the mock that answers."""

        log: Log
        stand_ins: StandIns
        latency: float | None
        is_active: bool
        response_class: Callable[[], Callable[..., ClientResponse] | None]
        assertion_classes: tuple[type[BaseException], ...]
        failed_sockets: list[FailedSocket]

        @property
        def servers(self) -> Servers:
            """The servers that answer for it."""

        def note_failed(self, error: BaseException, exchange: Exchange) -> None:
            """Record the failed assertions in what a user's function raised while it helped to answer `exchange`."""


class FarEnd:
    """One request, and the mock that answers it."""

    interceptor: Mock

    connecting: tuple[BaseConnector, ClientTimeout]
    """The connector that was asked, and the time limits; only set if something may keep the client from connecting."""

    latency: float | None = None
    """How many seconds pass before it responds: 0 means the next turn of the loop, None the same turn."""

    body_is_read = False
    """Whether the body was read ahead, before it is sent."""

    _start: tuple[ServeOn, AbstractEventLoop, Callable[[Mock], bool]] | None = None
    _serving: Serving | None = None
    _turn: Turn | None = None

    has_fault = False
    """Whether the mock made it fail as a server would."""

    passes_through = False
    """Whether the request goes to the network instead."""

    recorder: Recorder | None = None
    """What records the answer of the network."""

    connections: tuple[int, int | None] | None = None
    """The state of the call's connections when the request went to the network; None if it did not."""

    def __init__(
        self,
        request: ClientRequest,
        exchange: Exchange,
        url: URL,
        traces: list[Trace],
        kwargs: dict[str, Any],
    ) -> None:
        self.request = request
        self.exchange = exchange
        self.url = url
        self.claim: Claim | None = None
        """The registered mock that answers, and its reply; None until they are known."""
        self.raised: BaseException | None = None
        """What the mock raised."""
        self.has_server = False
        """Whether a server answers, in its own time."""
        self._traces = traces
        self._kwargs = kwargs

    def call(self) -> RequestCall:
        """Return the request as users see it."""
        return self.interceptor.log.call_of(self.exchange)

    @property
    def is_faulty(self) -> bool:
        """Whether it failed as a server does: the mock said so, or the reply is not canned and there is no response."""
        response = response_of(self.request)
        is_canned = not (self.passes_through or self.has_server or self._turn is not None)
        return self.has_fault or not is_canned and (response is None or response.status is None)

    @property
    def name(self) -> str:
        """The name of the mock that answers."""
        return "" if self.claim is None else str(self.claim[0])

    @property
    def match_info(self) -> Mapping[str, str]:
        """The values of the placeholders in the URL of the mock."""
        return self.exchange.match_info

    @property
    def is_upgraded(self) -> bool:
        """Whether the connection has switched to another protocol, such as that of WebSockets."""
        return self._turn is not None and self._turn.is_upgraded

    def is_sent_again_by(self, request: ClientRequest) -> bool:
        """Tell whether aiohttp itself retries this request with another one.

        A middleware retries with the same request object, and the next mock answers that.
        """
        last = self.request
        return request is not last and (request.method, request.url) == (last.method, last.url)

    def raises_again(self, request: ClientRequest) -> bool:
        """Tell whether aiohttp retries the request because of what the mock raised."""
        return isinstance(self.raised, (ClientOSError, ServerDisconnectedError)) and self.is_sent_again_by(request)

    def failure(self, fault: Fault) -> Failure | None:
        """Return what makes the exception of a client that this fault keeps from connecting; None if it connects.

        Raises `ValueError` for a fault of TLS if the request does not use TLS.
        """
        try:
            check_tls(fault, self.request.url)
        except ValueError as error:
            add_note(error, f"aioresponses: this is the fault of the mock {self.call().match}")
            raise
        from ._client import unconnected  # Not before it is needed.

        if fault is Fault.CERTIFICATE_INVALID and not unconnected.verifies(self.request, self.connecting[0]):
            return None
        return {
            Fault.CONNECTION_REFUSED: unconnected.refused,
            Fault.CONNECT_TIMEOUT: unconnected.timed_out,
            Fault.DNS_FAILURE: unconnected.not_found,
            Fault.CERTIFICATE_INVALID: unconnected.not_trusted,
            Fault.TLS_FAILURE: unconnected.no_tls,
        }.get(fault)

    def respond(self) -> Answer | Awaitable[Answer | None]:
        """Let the mock answer the request, which has been sent."""
        if self.raised is not None:
            raise self.raised  # The same as before, because this is aiohttp's retry.
        # It is known by now; every request would pay for a check.
        route, reply = self.claim  # type: ignore[misc]
        try:
            # Called by a local name, because CPython 3.11 is slow to call a function in an attribute of an object.
            at_once = reply.at_once
            answer = at_once(self)
            if answer is not None and not answer.body:
                return answer  # Usually there is only a head, which includes a small body.
            if answer is None:
                result = reply.to(self.call, self.url, self._kwargs, route.give_back)
                if not isinstance(result, CallbackResult):
                    return self._respond_later(result)
                answer = self._encoded(result)
        except BaseException as error:
            self.note_raised(error)
            raise
        return answer if isinstance(answer.body, bytes) else self._watched(answer, answer.body)

    async def _respond_later(
        self, result: HandlerReply | Awaitable[CallbackResult | HandlerReply]
    ) -> Answer | None:
        try:
            settled = await result if inspect.isawaitable(result) else result
            if not isinstance(settled, CallbackResult):
                await self._respond_by(settled)
                return None
            if settled.fault is Fault.CONNECT_TIMEOUT:
                from ._client.unconnected import connect_in_vain  # Not before it is needed.

                await connect_in_vain(self.request, *self.connecting)
            answer = self._encoded(settled)
        except BaseException as error:
            self.note_raised(error)
            raise
        return answer if isinstance(answer.body, bytes) else self._watched(answer, answer.body)

    async def _respond_by(self, handler: HandlerReply) -> None:
        """Let a server answer the request, which it has not received yet."""
        response = response_of(self.request)
        serving = await handler.serve_on(get_running_loop(), self.interceptor.servers, self)
        if response is not None and response.connection is not None and response.connection.transport is not None:
            self._turn = serving.take_over(response.connection, self.request, bytes(self.exchange.sent))

    def _watched(self, answer: Answer, stream: AsyncGenerator[bytes, None]) -> Answer:
        """Return an answer that records what its stream raises."""
        async def watched() -> AsyncGenerator[bytes, None]:
            try:
                async with aclosing(stream):
                    async for piece in stream:
                        yield piece
            except BaseException as error:
                self.interceptor.note_failed(error, self.exchange)
                raise

        return Answer(answer.head, watched(), answer.close) if self.interceptor.assertion_classes else answer

    def _encoded(self, result: CallbackResult) -> Answer:
        if result.response_class is not None:
            # A callback decides this only when the response object already exists.
            set_response_class(self.request, result.response_class)
        if result.fault is not None:
            failure = self.failure(result.fault)
            # For a client that accepts any certificate, an invalid one is not a fault.
            self.has_fault = failure is not None or result.fault is not Fault.CERTIFICATE_INVALID
            if failure is not None:
                raise failure(self.request, self.connecting[0])
        assert self.claim is not None
        return self.claim[1].encoded(result, self.request, self.call)

    def note_raised(self, error: BaseException) -> None:
        """Record what the mock raised, which must reach the caller and the traces unchanged."""
        self.raised = error
        show_unwrapped(self._traces, error)
        if self.claim is None or not self.claim[1].is_registered(error):
            self.interceptor.note_failed(error, self.exchange)

    def is_served_by(
        self, serve_on: ServeOn, loop: AbstractEventLoop, is_asked: Callable[[Mock], bool]
    ) -> None:
        """Let a server answer."""
        self.has_server = True
        self._start = serve_on, loop, is_asked

    async def start_server(self) -> None:
        """Start the server if it is not running; raises what its startup raises."""
        assert self._start is not None
        serve_on, loop, is_asked = self._start
        self._start = None  # It refers to the call, and so to this object.
        try:
            self._serving = await serve_on(loop, self.interceptor.servers, self)
            if not is_asked(self.interceptor):
                raise ClientConnectionError(STOPPED)
        except BaseException as error:
            self.note_raised(error)
            raise

    def serve(self, connection: Connection, call: Connected) -> None:
        """Let the server answer the request, which is about to be written to this connection."""
        serving, self._serving = self._serving, None
        assert serving is not None
        self._turn = serving.begin(connection, self, call)

    def note_upgrade(self, upgraded: Upgraded) -> None:
        """Record that the connection has switched to another protocol."""
        self.exchange.upgraded = upgraded

    def note_server_raised(self, error: BaseException, reaches_caller: bool) -> None:
        """Record what was raised while a server answered; raise it in the caller if it reaches the caller."""
        turn = self._turn
        assert turn is not None
        if reaches_caller and turn.is_upgraded:
            from ._calls.failures import FailedSocket  # Not before it is needed.

            self.interceptor.failed_sockets.append(FailedSocket.of_handler(error, self.call()))
        elif not reaches_caller or turn.has_answered:
            self.interceptor.note_failed(error, self.exchange)
        else:
            self.note_raised(error)
            if self.claim is not None and isinstance(error, Exception):
                self.claim[0].give_back()
        if reaches_caller:
            turn.fail(error)

    def let_go(self) -> None:
        """Forget what the mock raised, because the call is over."""
        self.raised = None
        show_as_they_are(self._traces)
