"""The connectors whose connections end in memory, and which of them is the stand-in for which connector of a session.

A connector hands out new or pooled connections, counts them against its limits, and notifies the connection traces.
Its `_create_connection` makes a new connection, and every connector class overrides that. `InMemoryConnector` makes
connections to the far end that `protocol` describes. It stands beside the connector of a session and does not replace
it: the session's own pool never contains an in-memory connection, and no mocked request ever uses a pooled real one. It
has the limits of the connector that it stands in for. It belongs to one event loop: the loop on which the requests run,
which need not be the loop on which the session was created.

Pooling, limits and traces are aiohttp's own, with one exception. Asking the pool takes a tenth of the time of a whole
request, and usually the pool is asked for the connection that has just come back. So that connection is kept back: the
pool still counts it as in use, and it goes directly to the next request if that needs such a connection and has no
traces. In any other case it is given back to the pool first. No connection is kept back if a request waits for one, or
if that could make the pool reach a limit, so no request ever waits for a connection that is not in use.

The private parts of aiohttp's connector that are used here have been the same from 3.8.6 to 3.14.5:
`_create_connection`, `_loop`, `_release`, `_acquired`, `_acquired_per_host`, `_waiters`, `_closed` and
`_keepalive_timeout`, and for closing `_close`, which aiohttp's development branch calls `_close_immediately`.
`aiohttp.helpers.ceil_timeout`, with which aiohttp limits the time for connecting, is not documented either.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary, WeakMethod, WeakSet, ref

from aiohttp import BaseConnector, ClientConnectionError, ClientRequest
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.helpers import ceil_timeout

from .protocol import InMemoryProtocol
from .transport import InMemoryTransport
from .waiting import pass_time

if TYPE_CHECKING:
    from aiohttp import ClientTimeout
    from aiohttp.client_reqrep import ConnectionKey
    from aiohttp.tracing import Trace

    from .unconnected import Failure


class InMemoryConnector(BaseConnector):
    """Hands out in-memory connections on the running loop."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._open: set[InMemoryTransport] = set()
        self._spare: tuple[ConnectionKey, ResponseHandler, float] | None = None
        # One is kept back if at most so many connections, including itself, are in use: another one must have room.
        self._most_with_spare = 0 if self.force_close or self.limit_per_host else (self.limit or sys.maxsize) - 1

    def __del__(self, *_: object) -> None:
        # aiohttp warns here about open connections. The session warns about itself, and this one holds nothing open.
        pass

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> ResponseHandler:
        if self.closed:
            raise ClientConnectionError("Connector is closed.")
        protocol = InMemoryProtocol(self._loop)
        transport = InMemoryTransport(self._loop, protocol, self._open, (req.url.raw_host, req.url.port))
        transport.ssl, transport.proxy = req.ssl, req.proxy
        protocol.connection_made(transport)
        return protocol

    def _release(self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        transport: InMemoryTransport | None = protocol.transport  # type: ignore[assignment]
        if transport is not None:
            transport.give_back()
            if transport.close_after is not None:
                # The far end is about to close it; a request sent before that would be lost.
                should_close = True
        if (
            self._spare is None
            and not should_close
            and len(self._acquired) <= self._most_with_spare
            and not protocol.should_close
            and not (self._waiters and any(self._waiters.values()))
        ):
            self._spare = key, protocol, monotonic()
        else:
            super()._release(key, protocol, should_close=should_close)
            if should_close:
                cast(InMemoryProtocol, protocol).let_go()

    def spare_connection(self, request: ClientRequest, traces: list[Trace]) -> Connection | None:
        """Return the connection that was kept back if `request` can use it; otherwise give it back to the pool."""
        if self._spare is None:
            return None
        key, protocol, _ = self._spare
        transport: Any = protocol.transport
        if (
            not traces
            and transport is not None
            and not transport.closing
            # Each request makes a new key; usually it is clear without them that they are equal. What else is in a key,
            # such as `server_hostname` (3.14.5), does not matter for a connection in memory.
            and (
                request.url is transport.url
                and request.ssl is transport.ssl
                and request.proxy is transport.proxy is None
                or key == request.connection_key
            )
        ):
            # Its age matters only to traces.
            self._spare = None
            return Connection(self, key, protocol, self._loop)
        self.let_spare_go()
        return None

    def let_spare_go(self) -> None:
        """Give the connection that was kept back, if there is one, back to the pool."""
        if self._spare is not None:
            key, protocol, released = self._spare
            self._spare = None
            expired = self._keepalive_timeout is not None and monotonic() - released > self._keepalive_timeout
            super()._release(key, protocol, should_close=expired)

    def close_from_here(self) -> list[Awaitable[object]]:
        """Close as the session's connector would: requests in flight end as `session.close()` ends them.

        Returns what to wait for, as the session does with real connections from aiohttp 3.12 on: they are lost, and a
        client that waits for a response gets an error and goes on, before the session lets go of its connector.
        """
        self._spare, self._most_with_spare = None, -1
        closing = [getattr(transport.get_protocol(), "closed", None) for transport in self._open]
        # The one method that closes without being awaited; aiohttp's development branch renamed it.
        close = getattr(self, "_close_immediately", None) or self._close
        close()
        return [future for future in closing if future is not None]

    def close_from_afar(self, why: str) -> None:
        """Close as if all servers went away: clients waiting for a response get a `ClientConnectionError` with `why`.

        Works from any thread, and with the loop closed or stopped.
        """
        if self._loop.is_running() and self._loop is not asyncio._get_running_loop():
            try:
                self._loop.call_soon_threadsafe(self._hang_up, why)
                return
            except RuntimeError:
                pass  # The loop has just been closed.
        self._hang_up(why)

    def _hang_up(self, why: str) -> None:
        if not self._loop.is_closed():
            for transport in tuple(self._open):
                transport.lose(raising=ClientConnectionError(why))
            # Requests that wait for their turn under the limit. aiohttp's own close() cancels them, or forgets them
            # (3.8 and 3.9), which is right if the owner closes the session.
            for futures in self._waiters.values():
                for future in tuple(futures):
                    if not future.done():
                        future.set_exception(ClientConnectionError(why))
        self.close_from_here()


def _limits_of(connector: BaseConnector) -> dict[str, Any]:
    """Return the options for a connector with the limits of another one."""
    limits: dict[str, Any] = {"limit": connector.limit, "limit_per_host": connector.limit_per_host}
    if connector.force_close:
        limits["force_close"] = True
    else:
        # Unlike the limits, it has no public name (aiohttp 3.14.5).
        limits["keepalive_timeout"] = getattr(connector, "_keepalive_timeout", 15.0)
    return limits


class FailingConnector(InMemoryConnector):
    """Fails to connect, and raises what `failure` makes after `delay` seconds.

    A delay of 0 means the next turn of the loop, and None the same turn. `timed_out` waits for the time limits of the
    client instead. Requests need a free place under the limits of the `stand_in`, and take it while they connect;
    `depart` is called when a request has a place. There are no connections to reuse.
    """

    def __init__(
        self,
        stands_for: BaseConnector,
        stand_in: InMemoryConnector,
        failure: Failure,
        delay: float | None,
        depart: Callable[[], object],
    ) -> None:
        super().__init__(**_limits_of(stands_for))
        stand_in.let_spare_go()
        self._acquired = stand_in._acquired
        self._acquired_per_host = stand_in._acquired_per_host
        self._waiters = stand_in._waiters
        self._stand_in = stand_in
        self._failure = failure
        self._delay = delay
        # Weak, because the frames in the traceback of the failure refer to this, and the call may refer to the failure.
        self._depart = WeakMethod(depart)
        # Connectors other than `TCPConnector` may not look up names.
        self._looks_up: bool | None = getattr(stands_for, "use_dns_cache", None)
        self._stopped: asyncio.Future[None] = self._loop.create_future()

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> ResponseHandler:
        from .unconnected import not_found, timed_out  # Not before it is needed.

        depart = self._depart()
        if depart is not None:
            depart()
        limit = timeout.sock_connect
        try:
            if self._failure is not_found:
                limit = None  # It does not apply to the lookup.
                if req.proxy is None:
                    await self._show_lookup(req, traces)
            async with ceil_timeout(limit):
                if self._failure is timed_out:
                    await self._stopped
                elif self._delay is not None:
                    await pass_time(self._delay, self._stopped)
            if self._stopped.done():
                self._stopped.result()
            raise self._failure(req, self)
        finally:
            # If the session has been closed in the meantime, the request has already lost its place.
            self._closed = self._stand_in._closed

    async def _show_lookup(self, req: ClientRequest, traces: list[Trace]) -> None:
        """Show the beginning of a lookup to traces, as `TCPConnector` does; a lookup that fails has no end."""
        host = req.url.raw_host or ""
        if self._looks_up:
            for trace in traces:
                await trace.send_dns_cache_miss(host)
        if self._looks_up is not None:
            for trace in traces:
                await trace.send_dns_resolvehost_start(host)

    def _hang_up(self, why: str) -> None:
        # The stand-in takes care of requests that wait for a place.
        if not self._loop.is_closed() and not self._stopped.done():
            self._stopped.set_exception(ClientConnectionError(why))
            self._stopped.exception()  # There may be no request waiting for it.


class StandIns:
    """The in-memory connectors: one for each connector, and each event loop that it is used on."""

    def __init__(self) -> None:
        # The one of the last request, which is usually that of the next request as well.
        self._last: tuple[ref[BaseConnector], AbstractEventLoop, InMemoryConnector] | None = None
        # Created when needed: a mock that answers nothing would spend most of its time on these.
        self._connectors: WeakKeyDictionary[BaseConnector, dict[AbstractEventLoop, InMemoryConnector]] | None = None
        self._failing: WeakSet[FailingConnector] | None = None

    def of(self, connector: BaseConnector, loop: AbstractEventLoop) -> InMemoryConnector:
        """Return the stand-in for `connector` on `loop`, which is the running loop, with the same limits."""
        last = self._last
        if last is not None and last[0]() is connector and last[1] is loop:
            return last[2]
        if isinstance(connector, InMemoryConnector):
            return connector
        # By local names, because another thread may be closing all of them.
        by_connector = self._connectors
        if by_connector is None:
            by_connector = self._connectors = WeakKeyDictionary()
        connectors = by_connector.get(connector)
        if connectors is None:
            connectors = by_connector[connector] = {}
        found = connectors.get(loop)
        if found is None:
            for closed in [loop for loop in connectors if loop.is_closed()]:
                del connectors[closed]
            found = connectors[loop] = InMemoryConnector(**_limits_of(connector))
        self._last = (ref(connector), loop, found)
        return found

    def failing(
        self,
        connector: BaseConnector,
        loop: AbstractEventLoop,
        failure: Failure,
        delay: float | None,
        depart: Callable[[], object],
    ) -> InMemoryConnector:
        """Return a connector that fails to connect, to use instead of the stand-in for `connector` on `loop`."""
        failing = FailingConnector(connector, self.of(connector, loop), failure, delay, depart)
        all_failing = self._failing
        if all_failing is None:
            all_failing = self._failing = WeakSet()
        all_failing.add(failing)
        return failing

    def close_those_of(self, connector: BaseConnector) -> list[Awaitable[object]]:
        """Close the stand-ins for `connector`, which is being closed; return what to wait for."""
        self._last = None
        by_connector = self._connectors
        return [
            future
            for loop, stand_in in ({} if by_connector is None else by_connector.pop(connector, {})).items()
            for future in stand_in.close_from_here()
            if loop is asyncio._get_running_loop()
        ]

    def close(self, why: str) -> None:
        """Close all of them: clients waiting for a response get a `ClientConnectionError` with the text `why`."""
        connectors, self._last, self._connectors = self._connectors, None, None
        failing, self._failing = self._failing, None
        # In lists, because requests of other threads may be adding to them.
        for of_one in [] if connectors is None else list(connectors.values()):
            for connector in list(of_one.values()):
                connector.close_from_afar(why)
        for one in [] if failing is None else list(failing):
            one.close_from_afar(why)
