"""One call on its way: who answers each of its requests, and which exception reaches the caller.

Exceptions that a mock raises must reach the caller as they are. They are raised where the client waits for its
response, and those of a condition where it connects, so middlewares see just them. Above that, aiohttp has two habits
that a registered exception must survive: it tries an idempotent request once more after `ServerDisconnectedError` and
`ClientOSError` (3.10 and newer) - the second try of it gets the same exception, and no other mock - and it wraps some
exceptions in its own, which is undone. A fault of the server is another thing: there the second try is the client's
answer to it, and goes to the next mock that fits. If no other mock fits, it finds the server as it was.
"""

from __future__ import annotations

import inspect
from asyncio import AbstractEventLoop, get_running_loop
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakSet

from aiohttp import ClientConnectionError, ClientOSError, ServerDisconnectedError, hdrs

from . import _urls
from ._calls.arguments import UnknownArguments
from ._calls.exchange import Exchange, moment
from ._calls.failures import FailedAssertion, FailedSocket, failed_assertions
from ._calls.log import Log
from ._calls.record import RequestCall, redirect_to
from ._client import unconnected
from ._client.connectors import InMemoryConnector, StandIns
from ._client.hooks import STOPPED
from ._client.incoming import Incoming
from ._client.outgoing import ahead, passing, response_of, set_response_class, unsent
from ._client.own_servers import is_own_server
from ._client.transport import Answer
from ._client.unconnected import Failure, connect_in_vain, verifies
from ._client.waiting import pass_time
from ._client.wrapping import show_as_they_are, show_unwrapped, unwrapped
from ._display import add_note
from ._matching.refusal import explanation, refused
from ._matching.router import Claim, Router
from ._replies.results import CallbackResult, Fault, check_tls
from ._urls import merge_params, with_credentials_of, without_credentials

if TYPE_CHECKING:
    from aiohttp import BaseConnector, ClientRequest, ClientResponse, ClientTimeout
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace
    from yarl import URL

    from ._client.far_end import Serving, Turn
    from ._client.frames import Upgraded
    from ._client.own_connector import OwnConnector
    from ._client.serving import Servers
    from ._matching.mounts import Mount
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


class Interceptor:
    """What one mock has to do with calls: who answers them, and where they are recorded.

    `response_class` tells which class the responses have, where the mock does not say. `latency` says how many seconds
    pass before each reply; for None, it comes in the step of the request.
    """

    def __init__(
        self, router: Router, log: Log, response_class: Callable[[], Callable[..., ClientResponse] | None]
    ) -> None:
        self.router = router
        self.log = log
        self.response_class = response_class
        self.latency: float | None = None
        self.is_active = False
        self.stand_ins = StandIns()
        self.recorders: tuple[Recorder, ...] = ()
        """The innermost last."""
        self.responses: list[ClientResponse] = []
        self.assertion_classes: tuple[type[BaseException], ...] = ()
        """The classes of failed assertions, which are noted where a function of the user's raises one."""
        self.failed_assertions: list[FailedAssertion] = []
        self.made = moment()
        """When it was made, as a moment."""
        self.idle_at = 0
        """When a mock was last registered with it while it was not active, as a moment."""
        self.failed_sockets: list[FailedSocket] = []
        self.mounts: list[Mount] = []
        """Applications that answer what no mock answers; those whose URLs are longer come first."""
        self.connectors: WeakSet[OwnConnector] | tuple[()] = ()
        """Those whose requests this mock answers; most mocks have none."""
        self.has_had_connectors = False
        self._servers: Servers | None = None
        self._ending: list[Servers] = []

    @property
    def servers(self) -> Servers:
        """The servers of applications and handlers; they are made when they are needed."""
        if self._servers is None:
            # It imports aiohttp.web, which takes longer than all of this package.
            from ._client.serving import Servers

            with _making:
                self._servers = self._servers or Servers()
        return self._servers

    @property
    def has_servers(self) -> bool:
        """Whether there are servers that have not ended."""
        return self._servers is not None or bool(self._ending)

    @property
    def is_idle(self) -> bool:
        """Whether nothing asks it: it is not active, and has never made a connector."""
        return not (self.is_active or self.has_had_connectors)

    def mount_of(self, url: URL) -> Mount | None:
        """Return the application that answers a request of this URL, if one does."""
        return next((mount for mount in self.mounts if mount._covers(url)), None)

    def add_mount(self, mount: Mount) -> None:
        """Have an application answer what no mock answers."""
        self.mounts = sorted([*self.mounts, mount], key=lambda one: -one._depth)

    def take_out_mount(self, mount: Mount) -> None:
        """Have an application answer no more."""
        self.mounts = [one for one in self.mounts if one is not mount]

    def add_connector(self, connector: OwnConnector) -> None:
        """Note a connector whose requests this mock answers."""
        self.connectors = WeakSet({connector, *self.connectors})
        self.has_had_connectors = True

    def tell_servers(self) -> None:
        """Tell all applications to end."""
        servers, self._servers = self._servers, None
        if servers is not None:
            servers.tell(STOPPED)
            self._ending.append(servers)

    async def end_servers(self) -> None:
        """End all connections, and then all applications; wait for those on the running loop."""
        if self._servers is not None:
            # It stays until all has ended, and refuses what comes in the meantime.
            self._servers.tell(STOPPED)
            self._ending.append(self._servers)
            self.stand_ins.close(STOPPED)
            for connector in tuple(self.connectors):
                connector.hang_up(STOPPED)
        ending, self._ending = self._ending, []
        try:
            for servers in ending:
                await servers.end()
        finally:
            if self._servers in ending:
                self._servers = None

    def note_failed(self, error: BaseException, exchange: Exchange) -> None:
        """Note the failed assertions in what a function of the user's raised while `exchange` was to be answered.

        The code under test may swallow them.
        """
        if not self.assertion_classes:
            return
        for failed in failed_assertions(error, self.assertion_classes):
            if all(failed is not one.error for one in self.failed_assertions):
                self.failed_assertions.append(FailedAssertion.of(failed, self.log.call_of(exchange)))

    def begin(
        self,
        method: str,
        url: URL,
        kwargs: dict[str, Any],
        loop: AbstractEventLoop,
        asked: tuple[Interceptor, ...],
    ) -> Interception:
        """Record a call that begins; return what accompanies it. The mocks that are `asked` begin with this one."""
        if "params" in kwargs:
            try:
                url = merge_params(url, kwargs["params"])
            except Exception:
                pass  # aiohttp is about to say what is wrong with these.
        exchange = Exchange(method, url, _urls.normalize_url(url), kwargs)
        self.log.record(exchange)
        return Interception(asked, exchange, kwargs, loop)

    def begin_through_connector(self, method: str, url: URL, loop: AbstractEventLoop) -> Interception:
        """Record a call that begins, whose requests come through a connector of this mock, active or not."""
        kwargs = UnknownArguments()
        exchange = Exchange(method, url, _urls.normalize_url(url), kwargs)
        self.log.record(exchange)
        call = Interception((self,), exchange, kwargs, loop)
        call.is_through_connector = True
        return call


# Held while the servers of a mock are made.
_making = Lock()

idle: WeakSet[Interceptor] = WeakSet()
"""Those with which mocks were registered while they were not active; a refusal names them if they still are not."""


class Interception:
    """One call on its way, which sends one request after another: the next after a redirect or a retry.

    Each request is offered to the mocks in turn, the innermost first. The innermost has recorded the call, the others
    record it when they are asked.
    """

    connector: InMemoryConnector

    is_through_connector = False
    """Whether its requests come through a connector of the mock, which then answers, active or not."""

    def __init__(
        self,
        interceptors: tuple[Interceptor, ...],
        exchange: Exchange,
        kwargs: dict[str, Any],
        loop: AbstractEventLoop,
    ) -> None:
        self._interceptors = interceptors
        self._exchange = exchange
        self._kwargs = kwargs
        self._loop = loop
        self._last: _FarEnd | None = None
        self.connected = exchange.connect
        """Notes that a request has got a connection; returns what is to be called when it has gone."""
        self._recorded = 1
        """How many of the mocks have recorded the call."""

    def plain_far_end(
        self, request: ClientRequest, connector: BaseConnector, traces: list[Trace], timeout: ClientTimeout
    ) -> _FarEnd | None:
        """Return what answers the first request of a call, where the innermost mock does by method and URL alone.

        Nearly all requests are of this kind. For others, this returns None and notes nothing.
        """
        exchange, interceptor = self._exchange, self._interceptors[0]
        router = interceptor.router
        if (
            self._last is not None
            or request.url is not exchange.url
            or router.passthrough
            or not router.index.first_answers
            or not interceptor.is_active
        ):
            return None
        claim = router.first_claim(request.method, exchange.normalized_url, exchange)
        if claim is None:
            return None
        far_end = self._last = _FarEnd(request, exchange, exchange.normalized_url, traces, self._kwargs)
        far_end.interceptor = interceptor
        return self._answering(far_end, claim, connector, timeout)

    async def far_end(
        self, request: ClientRequest, connector: BaseConnector, traces: list[Trace], timeout: ClientTimeout
    ) -> _FarEnd | None:
        """Return what answers a request that asks `connector` for a connection; None if the network does.

        Raises what a condition of a mock raises, and `ClientConnectionError` where the request is refused.
        """
        last, exchange = self._last, self._exchange
        if last is not None and last.request is request and last.connections == self._connections():
            # One hook has called the other: a connector whose own `connect` calls that of its base class. A middleware
            # that tries again with the same request has had a connection.
            return None
        if not self._is_asked(self._interceptors[0]):
            # The innermost mock, which the call belongs to, has been stopped since.
            raise ClientConnectionError(STOPPED)
        if last is not None and last.raises_again(request):
            last.exchange.start_again()
            last.request = request
            last.latency = None  # It has waited.
            last.has_server = False  # It raises what the server raised.
            self.connector = last.interceptor.stand_ins.of(connector, self._loop)
            return last
        if last is not None:
            exchange = exchange.next_hop(request.method, request.url, response_of(last.request))
        # In its request, aiohttp has the URL of the call as it goes over the wire.
        is_callers = request.url is self._exchange.url
        url = self._exchange.normalized_url if is_callers else self._asked_for(request)[1]
        if not is_callers and last is None and url is self._exchange.normalized_url:
            # How `params` are joined to a query is another in each release, and may be seen here alone.
            self._exchange.url = with_credentials_of(self._exchange.url, request.url)
        exchange.asks_upgrade = self._exchange.asks_upgrade = hdrs.UPGRADE in request.headers
        far_end = self._last = _FarEnd(request, exchange, url, traces, self._kwargs)
        unmet: dict[str, str] = {}
        for place, interceptor in enumerate(self._interceptors):
            if place >= self._recorded:
                interceptor.log.record(self._exchange)
                self._recorded += 1
            if not self._is_asked(interceptor):
                continue  # One around the innermost has been stopped since.
            router = interceptor.router
            if router.passthrough and router.passes_through(request.url):
                far_end.passes_through = True
                break
            if not router.index.first_answers:
                await self._look_ahead(far_end, router, connector)
            far_end.interceptor = interceptor
            try:
                claim = router.claim(request.method, url, exchange)
            except BaseException as error:
                far_end.note_raised(error)  # A condition did; it reaches the caller as it is.
                raise
            if not isinstance(claim, dict):
                if not claim[1].passes_through:
                    return self._answering(far_end, claim, connector, timeout)
                far_end.claim, far_end.passes_through = claim, True
                break
            unmet.update(claim)
            mount = interceptor.mount_of(request.url)
            if mount is not None:
                mount._claim(exchange)
                far_end.latency = interceptor.latency
                far_end.is_served_by(mount._serve_on, self._loop, self._is_asked)
                self.connector = interceptor.stand_ins.of(connector, self._loop)
                return far_end
        else:
            if last is not None and last.claim is not None and last.is_faulty and last.is_sent_again_by(request):
                # The server that disconnected the client does so again, or if it is a real one, may do so.
                far_end.interceptor = last.interceptor
                exchange.answered_by = last.claim[0].handle_ref
                if not last.claim[1].passes_through:
                    return self._answering(far_end, last.claim, connector, timeout)
                far_end.claim, far_end.passes_through = last.claim, True
            far_end.passes_through = far_end.passes_through or self._is_for_network(far_end)
        if not far_end.body_is_read:
            exchange.outgoing = await (passing if far_end.passes_through else unsent)(request)
        if far_end.passes_through:
            if far_end.recorder is not None:
                far_end.recorder.note(exchange)
            far_end.connections = self._connections()
            return None
        raise await self._refusal(far_end, unmet)

    def _is_for_network(self, far_end: _FarEnd) -> bool:
        """Tell whether a request that no mock answers goes to the network."""
        active = [one for one in self._interceptors if self._is_asked(one)]
        recorder = next((one.recorders[-1] for one in active if one.recorders), None)
        if recorder is not None:
            far_end.recorder = recorder if recorder.records else None
            return recorder.records
        request = far_end.request
        return any(one.router.passthrough_unmatched for one in active) or (
            request.proxy is None and is_own_server(request.url)
        )

    def connected_to_network(self, connection: Connection) -> None:
        """Note that a request has got a connection to the network, and what comes of it if it is recorded."""
        connection.add_callback(self._exchange.connect())
        last = self._last
        # Where a connector's own `connect` has called that of its base class, one connection is noted twice.
        if last is not None and last.recorder is not None and last.exchange.incoming is None:
            last.exchange.incoming = Incoming(connection)

    def _connections(self) -> tuple[int, int | None]:
        """Return what is another one after the call has got a connection."""
        return self._exchange.connections, self._exchange.until

    async def _refusal(self, far_end: _FarEnd, unmet: dict[str, str]) -> ClientConnectionError:
        """Return what a request is refused with, once the latency has passed.

        `unmet` says which condition of which mock does not hold, by the keys of the mocks.
        """
        request, exchange = far_end.request, far_end.exchange
        exchange.unmatched = self._exchange.unmatched = True
        self._exchange.depart()
        method, asked = self._asked_for(request)
        verdicts = [
            verdict
            for interceptor in self._interceptors
            if self._is_asked(interceptor)
            for verdict in (
                *interceptor.router.verdicts(request.method, asked, interceptor.log.call_of(exchange), unmet),
                *((mount, mount._verdict(request.url)) for mount in interceptor.mounts),
            )
        ]
        began = min(one.made for one in self._interceptors)
        unasked = [
            mock
            for one in list(idle)
            if one.is_idle and one.idle_at > began  # What an earlier test left behind has no part in this.
            for mock in one.router.registered
        ]
        explained = explanation(method, asked, verdicts, redirect_to(exchange), unasked)
        asked_ones = filter(self._is_asked, self._interceptors)
        advice = [recorder.advice for one in asked_ones for recorder in one.recorders]
        exchange.refusal = "\n".join([explained, *filter(None, advice)])
        latency = self._interceptors[0].latency
        if latency is not None:
            await pass_time(latency)
            if not self._is_asked(self._interceptors[0]):
                return ClientConnectionError(STOPPED)
        return refused(method, asked, exchange.refusal)

    async def _look_ahead(self, far_end: _FarEnd, router: Router, connector: BaseConnector) -> None:
        """Note what is about to be sent, where a mock asks for more than method and URL."""
        conditions = router.conditions(far_end.request.method, far_end.url, far_end.exchange.asks_upgrade)
        with_body = any(one.look_at_body for one in conditions)
        if far_end.body_is_read or not with_body and (far_end.exchange.outgoing is not None or not conditions):
            return
        far_end.exchange.outgoing = await ahead(far_end.request, connector, with_body)
        far_end.body_is_read = with_body
        if not self._is_asked(self._interceptors[0]):
            raise ClientConnectionError(STOPPED)

    def _answering(
        self, far_end: _FarEnd, claim: Claim, connector: BaseConnector, timeout: ClientTimeout
    ) -> _FarEnd:
        """Have a mock answer a request."""
        far_end.claim = claim
        reply = claim[1]
        interceptor, result = far_end.interceptor, reply.result
        response_class = result.response_class or interceptor.response_class()
        if response_class is not None:
            set_response_class(far_end.request, response_class)
        far_end.latency = latency = interceptor.latency
        if reply.handler is not None:
            far_end.is_served_by(reply.handler.serve_on, self._loop, self._is_asked)
        if reply.may_fail:
            far_end.connecting = connector, timeout
            failure = None if reply.fault is None else far_end.failure(reply.fault)
            if failure is not None:
                delay = None if latency is None and not result.delay else result.delay + (latency or 0)
                self.connector = interceptor.stand_ins.failing(
                    connector, self._loop, failure, delay, self._exchange.depart
                )
                return far_end
        self.connector = interceptor.stand_ins.of(connector, self._loop)
        return far_end

    def _is_asked(self, interceptor: Interceptor) -> bool:
        return interceptor.is_active or self.is_through_connector

    def _asked_for(self, request: ClientRequest) -> tuple[str, URL]:
        """Return method and normalised URL of a request, as the caller wrote them where they are the caller's."""
        call = self._exchange
        url = _urls.normalize_url(request.url)
        return (
            call.method if call.method.upper() == request.method else request.method,
            call.normalized_url if url == without_credentials(call.normalized_url) else url,
        )

    def note_upgrade(self, upgraded: Upgraded) -> None:
        """Note that the connection of the last request, which went to the network, speaks another protocol now."""
        if self._last is not None:
            self._last.note_upgrade(upgraded)

    def returned(self, response: ClientResponse) -> None:
        """Note that the call returned."""
        self._interceptors[self._recorded - 1].responses.append(response)
        self._exchange.end(response, None)
        self._note_end()

    def gave_back(self, response: ClientResponse | None) -> None:
        """Note the end of a request that has gone around `_request`, even if the mock raised."""
        if response is None:
            self._exchange.end(None, None)
            self._note_end()
        elif response.status is None and self._last is not None and self._last.raised is not None:
            self.raised(self._last.raised)
        else:
            self.returned(response)

    def raised(self, error: BaseException) -> BaseException:
        """Note that the call raised; return the exception that its caller is to get."""
        failure = unwrapped(error, None if self._last is None else self._last.raised)
        self._exchange.end(None, failure)
        self._note_end()
        return failure

    def _note_end(self) -> None:
        last = self._last
        # A connector does not see whether aiohttp is about to try once more.
        if last is not None and last.raised is not None and not self.is_through_connector:
            last.let_go()
        for one in self._interceptors:
            if one.log.keep is not None:
                del one.responses[:-one.log.keep]
                one.log.end(self._exchange)


class _FarEnd:
    """One request, and the mock that answers it."""

    interceptor: Interceptor

    connecting: tuple[BaseConnector, ClientTimeout]
    """Which connector it asked, and the time limits; noted where something may keep it from connecting."""

    latency: float | None = None
    """After how many seconds it responds; for 0 in the next turn of the loop, for None in the same."""

    body_is_read = False
    """Whether the body was read before it is sent."""

    has_server = False
    """Whether a server answers, in its own time."""

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
        self.receive = exchange.receive
        self.url = url
        self.claim: Claim | None = None
        """The mock that answers, of `interceptor`, and its reply; None until it is known."""
        self.raised: BaseException | None = None
        """What the mock raised."""
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
            answer = reply.at_once(self.request, self.call)
            if answer is not None and not answer[1]:
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

        return answer._replace(body=watched()) if self.interceptor.assertion_classes else answer

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
        self, serve_on: ServeOn, loop: AbstractEventLoop, is_asked: Callable[[Interceptor], bool]
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

    def serve(self, connection: Connection, gone: Callable[[], object]) -> None:
        """Have the server answer the request, which is about to be written to this connection."""
        serving, self._serving = self._serving, None
        assert serving is not None
        self._turn = serving.begin(connection, self, gone)

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
