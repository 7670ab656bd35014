"""One call on its way: who answers each of its requests, and which exception reaches the caller.

Exceptions that a mock raises must reach the caller unchanged. They are raised where the client waits for its response,
and those of a condition where it connects, so middlewares see exactly them. Above that, aiohttp does two things that a
registered exception must survive. It retries an idempotent request once after `ServerDisconnectedError` and
`ClientOSError` (3.10 and newer): the retry gets the same exception, and no other mock. And it wraps some exceptions in
its own, which is undone. A fault of the server is different: there, the retry is the client's reaction to the fault,
and goes to the next mock that fits. If no other mock fits, the retry meets the same fault again.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakSet

from aiohttp import ClientConnectionError, hdrs

from . import _urls
from ._calls.exchange import Exchange
from ._client.clocks import time_here
from ._client.connectors import InMemoryConnector
from ._client.hooks import STOPPED
from ._client.outgoing import ahead, passing, response_of, set_response_class, unsent
from ._client.waiting import pass_time
from ._client.wrapping import unwrapped
from ._far_end import FarEnd
from ._matching.router import Claim, Router
from ._urls import with_credentials_of, without_credentials

if TYPE_CHECKING:
    from aiohttp import BaseConnector, ClientRequest, ClientResponse, ClientTimeout
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace
    from yarl import URL

    from ._client.frames import Upgraded
    from ._far_end import Mock, Recorder
    from ._matching.mounts import Mount


if TYPE_CHECKING:
    class AskedMock(Mock, Protocol):
        """What a call needs of each mock object that it is offered to."""

        router: Router
        recorders: tuple[Recorder, ...]
        responses: list[ClientResponse]
        made: int
        idle_at: int

        @property
        def mounts(self) -> Sequence[Mount]:
            """The applications that answer what no mock answers."""

        @property
        def is_idle(self) -> bool:
            """Whether nothing asks it."""

        def mount_of(self, url: URL) -> Mount | None:
            """Return the application that answers a request of this URL, if one does."""


idle: WeakSet[AskedMock] = WeakSet()
"""Those with which mocks were registered while inactive; a refusal names them if they are still inactive."""


class Interception:
    """One call on its way, which may send several requests: the next one after a redirect or a retry.

    Each request is offered to the mocks in turn, innermost first. The innermost mock has recorded the call; the others
    record it when they are asked.
    """

    connector: InMemoryConnector

    is_through_connector = False
    """Whether its requests come through a connector of the mock, which then answers even if it is inactive."""

    def __init__(
        self,
        interceptors: tuple[AskedMock, ...],
        exchange: Exchange,
        kwargs: dict[str, Any],
        loop: AbstractEventLoop,
    ) -> None:
        self._interceptors = interceptors
        self.exchange = exchange
        self._kwargs = kwargs
        self._loop = loop
        self._last: FarEnd | None = None
        self._recorded = 1
        """How many of the mocks have recorded the call."""

    def plain_far_end(
        self, request: ClientRequest, connector: BaseConnector, traces: list[Trace], timeout: ClientTimeout
    ) -> FarEnd | None:
        """Return what answers the first request of a call if the innermost mock does, by method and URL alone.

        Nearly all requests are of this kind. For others, this returns None and records nothing.
        """
        exchange, interceptor = self.exchange, self._interceptors[0]
        router = interceptor.router
        if (
            self._last is not None
            or request.url is not exchange.url
            or router.passthrough
            or not interceptor.is_active
        ):
            return None
        claim = router.first_claim(request.method, exchange.normalized_url, exchange)
        if claim is None:
            return None
        far_end = self._last = FarEnd(request, exchange, exchange.normalized_url, traces, self._kwargs)
        far_end.interceptor = interceptor
        return self._answering(far_end, claim, connector, timeout)

    async def far_end(
        self, request: ClientRequest, connector: BaseConnector, traces: list[Trace], timeout: ClientTimeout
    ) -> FarEnd | None:
        """Return what answers a request that asks `connector` for a connection; None if the network does.

        Raises what a condition of a mock raises, and `ClientConnectionError` if the request is refused.
        """
        last, exchange = self._last, self.exchange
        if last is not None and last.request is request and last.connections == self._connections():
            # One hook has called the other: a connector's own `connect` calls that of its base class. (If a middleware
            # retries with the same request, the request has had a connection in between.)
            return None
        if not self._is_asked(self._interceptors[0]):
            # The innermost mock, to which the call belongs, has been stopped in the meantime.
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
        # aiohttp's request has the URL of the call as it is sent.
        is_callers = request.url is self.exchange.url
        url = self.exchange.normalized_url if is_callers else self._asked_for(request)[1]
        if not is_callers and last is None and url is self.exchange.normalized_url:
            # Releases differ in how they join `params` to a query, and this is the only place where it shows.
            self.exchange.url = with_credentials_of(self.exchange.url, request.url)
        exchange.asks_upgrade = self.exchange.asks_upgrade = hdrs.UPGRADE in request.headers
        far_end = self._last = FarEnd(request, exchange, url, traces, self._kwargs)
        unmet: dict[str, str] = {}
        for place, interceptor in enumerate(self._interceptors):
            if place >= self._recorded:
                interceptor.log.record(self.exchange)
                self._recorded += 1
            if not self._is_asked(interceptor):
                continue  # An outer mock has been stopped in the meantime.
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
                far_end.note_raised(error)  # A condition raised it; it reaches the caller unchanged.
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
                # The server that disconnected the client does so again; a real one may.
                far_end.interceptor = last.interceptor
                exchange.answered_by = last.claim[0].handle_ref
                if not last.claim[1].passes_through:
                    return self._answering(far_end, last.claim, connector, timeout)
                far_end.claim, far_end.passes_through = last.claim, True
            far_end.passes_through = far_end.passes_through or self._is_for_network(far_end)
        if not far_end.body_is_read:
            outgoing = passing(request, connector) if far_end.passes_through else unsent(request)
            exchange.outgoing = await outgoing
        if far_end.passes_through:
            if far_end.recorder is not None:
                far_end.recorder.note(exchange)
            far_end.connections = self._connections()
            return None
        raise await self._refusal(far_end, unmet)

    def _is_for_network(self, far_end: FarEnd) -> bool:
        """Tell whether a request that no mock answers goes to the network."""
        active = [one for one in self._interceptors if self._is_asked(one)]
        recorder = next((one.recorders[-1] for one in active if one.recorders), None)
        if recorder is not None:
            far_end.recorder = recorder if recorder.records else None
            return recorder.records
        request = far_end.request
        if any(one.router.passthrough_unmatched for one in active):
            return True
        from ._client.own_servers import is_own_server  # Not before it is needed.

        return request.proxy is None and is_own_server(request.url)

    def connected_to_network(self, connection: Connection) -> None:
        """Record that a request has a connection to the network, and what arrives if the request is recorded."""
        self.exchange.connect()
        connection.add_callback(self.exchange.disconnect)
        last = self._last
        if last is not None and last.exchange.outgoing is not None:
            # The connector has added the credentials for a proxy.
            last.exchange.outgoing.headers.update(last.request.headers)
        # If a connector's own `connect` has called that of its base class, this is called twice for one connection.
        if last is not None and last.recorder is not None and last.exchange.incoming is None:
            from ._client.incoming import Incoming  # Not before it is needed.

            last.exchange.incoming = Incoming(connection)

    def _connections(self) -> tuple[int, int | None]:
        """Return a value that changes whenever the call gets a connection."""
        return self.exchange.connections, self.exchange.until

    async def _refusal(self, far_end: FarEnd, unmet: dict[str, str]) -> ClientConnectionError:
        """Return the exception that refuses a request, once the latency has passed.

        `unmet` has the conditions that do not hold, by the keys of their mocks.
        """
        from ._matching.refusal import explanation, refused  # Not before it is needed: most tests see no refusal.

        request, exchange = far_end.request, far_end.exchange
        exchange.unmatched = self.exchange.unmatched = True
        self.exchange.depart()
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
            for mock in (*one.router.registered, *one.mounts)
        ]
        explained = explanation(method, asked, verdicts, exchange.redirect, unasked)
        asked_ones = filter(self._is_asked, self._interceptors)
        advice = [recorder.advice for one in asked_ones for recorder in one.recorders]
        exchange.refusal = "\n".join([explained, *filter(None, advice)])
        latency = self._interceptors[0].latency
        if latency is not None:
            await pass_time(latency)
            if not self._is_asked(self._interceptors[0]):
                return ClientConnectionError(STOPPED)
        error = refused(method, asked, exchange.refusal)
        virtual = time_here()
        if virtual is not None:
            virtual.note_refusal(f"{error}\n{exchange.refusal}")
        return error

    async def _look_ahead(self, far_end: FarEnd, router: Router, connector: BaseConnector) -> None:
        """Record what is about to be sent, if a mock checks more than method and URL."""
        conditions = router.conditions(far_end.request.method, far_end.url, far_end.exchange.asks_upgrade)
        with_body = any(one.look_at_body for one in conditions)
        if far_end.body_is_read or not with_body and (far_end.exchange.outgoing is not None or not conditions):
            return
        far_end.exchange.outgoing = await ahead(far_end.request, connector, with_body)
        far_end.body_is_read = with_body
        if not self._is_asked(self._interceptors[0]):
            raise ClientConnectionError(STOPPED)

    def _answering(
        self, far_end: FarEnd, claim: Claim, connector: BaseConnector, timeout: ClientTimeout
    ) -> FarEnd:
        """Let a mock answer a request."""
        far_end.claim = claim
        reply = claim[1]
        interceptor, result = far_end.interceptor, reply.result
        chosen_class = interceptor.response_class
        response_class = result.response_class or chosen_class()
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
                    connector, self._loop, failure, delay, self.exchange.depart
                )
                return far_end
        self.connector = interceptor.stand_ins.of(connector, self._loop)
        return far_end

    def _is_asked(self, interceptor: Mock) -> bool:
        return interceptor.is_active or self.is_through_connector

    def _asked_for(self, request: ClientRequest) -> tuple[str, URL]:
        """Return the method and normalised URL of a request, as the caller wrote them if they are the caller's."""
        call = self.exchange
        url = _urls.normalize_url(request.url)
        return (
            call.method if call.method.upper() == request.method else request.method,
            call.normalized_url if url == without_credentials(call.normalized_url) else url,
        )

    def note_upgrade(self, upgraded: Upgraded) -> None:
        """Record that the connection of the last request, which went to the network, has switched protocols."""
        if self._last is not None:
            self._last.note_upgrade(upgraded)

    def returned(self, response: ClientResponse) -> None:
        """Record that the call returned."""
        self._interceptors[self._recorded - 1].responses.append(response)
        self.exchange.end(response, None)
        self._note_end()

    def has_connection(self, arriving: Callable[[], ClientResponse | None]) -> None:
        """Record that a request that has bypassed `_request` has a connection; `arriving` returns its response."""
        self.exchange.arriving = arriving

    def gave_back(self, response: ClientResponse | None) -> None:
        """Record the end of a request that has bypassed `_request`, even if the mock raised."""
        self.exchange.arriving = None
        if response is None:
            self.exchange.end(None, None)
            self._note_end()
        elif response.status is None and self._last is not None and self._last.raised is not None:
            self.raised(self._last.raised)
        else:
            self.returned(response)

    def raised(self, error: BaseException) -> BaseException:
        """Record that the call raised; return the exception that the caller gets."""
        failure = unwrapped(error, None if self._last is None else self._last.raised)
        self.exchange.end(None, failure)
        self._note_end()
        return failure

    def _note_end(self) -> None:
        last = self._last
        # A connector does not see whether aiohttp is about to retry.
        if last is not None and last.raised is not None and not self.is_through_connector:
            last.let_go()
        for one in self._interceptors:
            if one.log.keep is not None:
                del one.responses[:-one.log.keep]
                one.log.end(self.exchange)
