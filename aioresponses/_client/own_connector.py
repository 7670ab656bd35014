"""A connector to pass to a session, whose requests one mock answers without any hooks.

The hooks see a call before its first request, and all requests of the call. A connector sees only requests. The
requests of one call have one thing in common: the list of traces, which aiohttp makes for the call and passes along
with each request. So the lists of the last calls of each task are kept, with what accompanies each call. The calls of a
task follow one another, or are nested, as when a middleware fetches a token.
"""

from __future__ import annotations

import asyncio
from asyncio import current_task
from collections import deque
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from aiohttp import ClientConnectionError, TCPConnector

from .connectors import InMemoryConnector
from .outgoing import authorize_to_proxy, response_of
from .passing import pass_through
from .places import base_connect

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from aiohttp import ClientRequest, ClientTimeout
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

    from .interceptor import Interception, Interceptor

# How many nested calls may be under way.
_MOST_NESTED = 8


class OwnConnector(InMemoryConnector):
    """The connector of one mock; like any connector, it has its own pool, limits and traces."""

    def __init__(self, interceptor: Interceptor, **options: Any) -> None:
        super().__init__(**options)
        # No spare connection is kept outside of the pool, so that users who look at the pool find every connection.
        self._most_with_spare = 0
        self._interceptor = interceptor
        self._calls: WeakKeyDictionary[asyncio.Task[Any], deque[tuple[list[Trace], Interception]]]
        self._calls = WeakKeyDictionary()
        self._network: TCPConnector | None = None
        """The connector for requests that the mock passes through."""

    async def connect(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> Connection:
        if self.closed:
            raise ClientConnectionError("Connector is closed.")
        call = self._call_of(req, traces)
        try:
            connection = await self._connect(call, req, traces, timeout)
        except BaseException as error:
            call.raised(error)
            raise
        call.has_connection(lambda: response_of(req))
        connection.add_callback(lambda: call.gave_back(response_of(req)))
        return connection

    async def _connect(
        self, call: Interception, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> Connection:
        far_end = await call.far_end(req, self, traces, timeout)
        if far_end is None:
            if self._network is None:
                self._network = TCPConnector()
            return await pass_through(call, req, base_connect()(self._network, req, traces, timeout))
        if far_end.has_server:
            await far_end.start_server()
        if req.proxy is not None:
            authorize_to_proxy(req, self)
        connection: Connection = await base_connect()(call.connector, req, traces, timeout)
        if far_end.has_server:
            far_end.serve(connection, call.exchange)
        else:
            connection._protocol.expect(far_end, call.exchange)  # type: ignore[union-attr]
        return connection

    def _call_of(self, req: ClientRequest, traces: list[Trace]) -> Interception:
        """Return what accompanies the call that a request belongs to."""
        task = current_task()
        assert task is not None
        calls = self._calls.setdefault(task, deque(maxlen=_MOST_NESTED))
        call = next((call for others, call in calls if others is traces), None)
        if call is None:
            call = self._interceptor.begin_through_connector(req.method, req.url, self._loop)
            calls.append((traces, call))
        return call

    def hang_up(self, why: str) -> None:
        """End all connections: a client that waits for a response gets a `ClientConnectionError` with this text."""
        for transport in tuple(self._open):
            transport.lose(raising=ClientConnectionError(why))

    def close(self, *args: Any, **kwargs: Any) -> Awaitable[None]:
        network, self._network = self._network, None
        if network is None:
            return super().close(*args, **kwargs)
        return _both(network.close(), super().close(*args, **kwargs))


async def _both(first: Awaitable[None], second: Awaitable[None]) -> None:
    await first
    await second
