"""One request of a call on its way, and the mock that answers it, or the server that stands behind the mock.

The hooks are given it when a request asks for a connection. It then receives what the client writes, responds when the
client comes to read, and notes what the mock raised, which must reach the caller as it is.
"""

from __future__ import annotations

import inspect
from asyncio import AbstractEventLoop, get_running_loop
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import ClientConnectionError, ClientOSError, ServerDisconnectedError

from ._calls.exchange import Exchange
from ._calls.failures import FailedSocket
from ._calls.log import Log
from ._calls.record import RequestCall
from ._client import unconnected
from ._client.connectors import StandIns
from ._client.hooks import STOPPED
from ._client.outgoing import response_of, set_response_class
from ._client.transport import Answer
from ._client.unconnected import Failure, connect_in_vain, verifies
from ._client.wrapping import show_as_they_are, show_unwrapped
from ._display import add_note
from ._matching.router import Claim
from ._replies.results import CallbackResult, Fault, check_tls

if TYPE_CHECKING:
    from aiohttp import BaseConnector, ClientRequest, ClientResponse, ClientTimeout
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace
    from yarl import URL

    from ._client.far_end import Serving, Turn
    from ._client.frames import Upgraded
    from ._client.serving import Servers
    from ._client.transport import Exchange as Connected
    from ._replies.handlers import Asked, HandlerReply

    # Returns how a server answers a request, on the running loop.
    ServeOn = Callable[[AbstractEventLoop, Servers, Asked], Awaitable[Serving]]

# The faults that keep a client from connecting.
_FAILURES: dict[Fault, Failure] = {
    Fault.CONNECTION_REFUSED: unconnected.refused,
    Fault.CONNECT_TIMEOUT: unconnected.timed_out,
    Fault.DNS_FAILURE: unconnected.not_found,
    Fault.CERTIFICATE_INVALID: unconnected.not_trusted,
    Fault.TLS_FAILURE: unconnected.no_tls,
}


class Recorder(Protocol):
    """What decides about requests that no mock answers, in place of the settings of the mocks."""

    @property
    def records(self) -> bool:
        """Whether they go to the network, and are noted; else they are refused."""

    @property
    def advice(self) -> str:
        """What a refusal says of it."""

    def note(self, exchange: Exchange) -> None:
        """Note a request that goes to the network."""

    def end(self, write: bool) -> None:
        """Decide no more; keep what was noted if `write` is true."""


class Mock(Protocol):
    """What is needed here of the mock that answers."""

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
        """Note the failed assertions in what a function of the user's raised while `exchange` was to be answered."""


class FarEnd:
    """One request, and the mock that answers it."""

    interceptor: Mock

    connecting: tuple[BaseConnector, ClientTimeout]
    """Which connector it asked, and the time limits; noted where something may keep it from connecting."""

    latency: float | None = None
    """After how many seconds it responds; for 0 in the next turn of the loop, for None in the same."""

    body_is_read = False
    """Whether the body was read before it is sent."""

    _serve_on: Callable[[], Awaitable[Serving]] | None = None
    _serving: Serving | None = None
    _turn: Turn | None = None

    has_fault = False
    """Whether the mock made it fail as a server fails."""

    passes_through = False
    """Whether the request goes to the network instead."""

    recorder: Recorder | None = None
    """What notes what comes of it there."""

    connections: tuple[int, int | None] | None = None
    """What there was of connections when the request went to the network; None if it did not."""

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
        """The mock that answers, of `interceptor`, and its reply; None until it is known."""
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
        """Whether it failed as a server fails: without a response, if it is no canned one."""
        response = response_of(self.request)
        is_canned = not (self.passes_through or self.has_server or self._turn is not None)
        return self.has_fault or not is_canned and (response is None or response.status is None)

    @property
    def name(self) -> str:
        """That of the mock that answers."""
        return "" if self.claim is None else str(self.claim[0])

    @property
    def match_info(self) -> Mapping[str, str]:
        """What the places in the URL of the mock stand for."""
        return self.exchange.match_info

    def is_sent_again_by(self, request: ClientRequest) -> bool:
        """Tell whether aiohttp itself sends the request once more.

        A middleware that tries again does so with the same request, and is answered by the next mock.
        """
        last = self.request
        return request is not last and (request.method, request.url) == (last.method, last.url)

    def raises_again(self, request: ClientRequest) -> bool:
        """Tell whether aiohttp sends the request once more because of what the mock raised."""
        return isinstance(self.raised, (ClientOSError, ServerDisconnectedError)) and self.is_sent_again_by(request)

    def failure(self, fault: Fault) -> Failure | None:
        """Return what makes the exception of a client that this fault keeps from connecting; None if it connects.

        Raises `ValueError` for a fault of TLS where the request goes without.
        """
        try:
            check_tls(fault, self.request.url)
        except ValueError as error:
            add_note(error, f"aioresponses: this is the fault of the mock {self.call().match}")
            raise
        if fault is Fault.CERTIFICATE_INVALID and not verifies(self.request, self.connecting[0]):
            return None
        return _FAILURES.get(fault)

    def respond(self) -> Answer | Awaitable[Answer | None]:
        """Have the mock answer the request, which has been sent."""
        if self.raised is not None:
            raise self.raised  # As it did before: this is aiohttp's second try.
        claim = self.claim
        assert claim is not None
        route, reply = claim
        try:
            # By a local name, for CPython 3.11 is slow to call what an attribute of an object holds.
            at_once = reply.at_once
            answer = at_once(self)
            if answer is not None and not answer.body:
                return answer  # Mostly there is a head alone, with a small body in it.
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
                await connect_in_vain(self.request, *self.connecting)
            answer = self._encoded(settled)
        except BaseException as error:
            self.note_raised(error)
            raise
        return answer if isinstance(answer.body, bytes) else self._watched(answer, answer.body)

    async def _respond_by(self, handler: HandlerReply) -> None:
        """Have a server answer the request, which it has not received yet."""
        response = response_of(self.request)
        serving = await handler.serve_on(get_running_loop(), self.interceptor.servers, self)
        if response is not None and response.connection is not None and response.connection.transport is not None:
            self._turn = serving.take_over(response.connection, self.request, bytes(self.exchange.sent))

    def _watched(self, answer: Answer, stream: AsyncGenerator[bytes, None]) -> Answer:
        """Return an answer of which it is noted what its stream raises."""
        async def watched() -> AsyncGenerator[bytes, None]:
            try:
                async with aclosing(stream):
                    async for piece in stream:
                        yield piece
            except BaseException as error:
                self.interceptor.note_failed(error, self.exchange)
                raise

        return replace(answer, body=watched()) if self.interceptor.assertion_classes else answer

    def _encoded(self, result: CallbackResult) -> Answer:
        if result.response_class is not None:
            # A callback says so when there is a response object already.
            set_response_class(self.request, result.response_class)
        if result.fault is not None:
            failure = self.failure(result.fault)
            # To a client that accepts any certificate, a wrong one is no fault.
            self.has_fault = failure is not None or result.fault is not Fault.CERTIFICATE_INVALID
            if failure is not None:
                raise failure(self.request, self.connecting[0])
        assert self.claim is not None
        return self.claim[1].encoded(result, self.request, self.call)

    def note_raised(self, error: BaseException) -> None:
        """Note what the mock raised, for it must reach the caller and the traces as it is."""
        self.raised = error
        show_unwrapped(self._traces, error)
        if self.claim is None or not self.claim[1].is_registered(error):
            self.interceptor.note_failed(error, self.exchange)

    def is_served_by(
        self, serve_on: ServeOn, loop: AbstractEventLoop, is_asked: Callable[[Mock], bool]
    ) -> None:
        """Have a server answer."""
        async def start() -> Serving:
            serving = await serve_on(loop, self.interceptor.servers, self)
            if not is_asked(self.interceptor):
                raise ClientConnectionError(STOPPED)
            return serving

        self.has_server = True
        self._serve_on = start

    async def start_server(self) -> None:
        """Have the server be there; raises what its start-up raises."""
        # These hold this.
        start, self._serve_on = self._serve_on, None
        assert start is not None
        try:
            self._serving = await start()
        except BaseException as error:
            self.note_raised(error)
            raise

    def serve(self, connection: Connection, call: Connected) -> None:
        """Have the server answer the request, which is about to be written to this connection."""
        serving, self._serving = self._serving, None
        assert serving is not None
        self._turn = serving.begin(connection, self, call)

    def note_upgrade(self, upgraded: Upgraded) -> None:
        """Note that the connection speaks another protocol from now on."""
        self.exchange.upgraded = upgraded

    def note_server_raised(self, error: BaseException, reaches_caller: bool) -> None:
        """Note what was raised while a server answered; have the caller get it if it is to."""
        turn = self._turn
        assert turn is not None
        if reaches_caller and turn.is_upgraded:
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
        """Forget what the mock raised, for the call is over."""
        self.raised = None
        show_as_they_are(self._traces)
