"""A connector that a session is given, whose requests one mock answers; nothing is hooked for it.

The hooks see a call before its first request, and all requests of it. A connector sees requests alone. Those of one
call have one thing in common, the list of traces that aiohttp makes for it and passes on with each of them; so the
lists of the last calls of each task are kept, with what accompanies the call. A task makes one call after another, or
some within each other, as a middleware does that fetches a token.
"""

from __future__ import annotations

import asyncio
from asyncio import current_task
from collections import deque
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from aiohttp import ClientConnectionError, TCPConnector, hdrs

from .connectors import InMemoryConnector
from .hooks import base_connect
from .outgoing import authorize_to_proxy, response_of
from .taps import tap

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from aiohttp import ClientRequest, ClientTimeout
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

    from .interceptor import Interception, Interceptor

# How many calls may be under way within each other.
_MOST_NESTED = 8


class OwnConnector(InMemoryConnector):
    """The connector of one mock; its pool, limits and traces are its own, as those of any connector."""

    def __init__(self, interceptor: Interceptor, **options: Any) -> None:
        super().__init__(**options)
        # Whoever looks at the pool is to find what is in it.
        self._most_with_spare = 0
        self._interceptor = interceptor
        self._calls: WeakKeyDictionary[asyncio.Task[Any], deque[tuple[list[Trace], Interception]]]
        self._calls = WeakKeyDictionary()
        self._network: TCPConnector | None = None
        """What requests go through that the mock lets pass."""

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
        connection.add_callback(lambda: call.gave_back(response_of(req)))
        return connection

    async def _connect(
        self, call: Interception, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> Connection:
        connection: Connection
        far_end = await call.far_end(req, self, traces, timeout)
        if far_end is None:
            if self._network is None:
                self._network = TCPConnector()
            connection = await base_connect()(self._network, req, traces, timeout)
            call.exchange.connect()
            connection.add_callback(call.exchange.disconnect)
            if hdrs.UPGRADE in req.headers:
                tap(connection, call.note_upgrade)
            return connection
        if far_end.has_server:
            await far_end.start_server()
        if req.proxy is not None:
            authorize_to_proxy(req, self)
        connection = await base_connect()(call.connector, req, traces, timeout)
        if far_end.has_server:
            far_end.serve(connection, call.exchange)
        else:
            connection._protocol.expect(far_end, call.exchange)  # type: ignore[union-attr]
        return connection

    def _call_of(self, req: ClientRequest, traces: list[Trace]) -> Interception:
        """Return what accompanies the call that a request is one of."""
        task = current_task()
        assert task is not None
        calls = self._calls.setdefault(task, deque(maxlen=_MOST_NESTED))
        call = next((call for others, call in calls if others is traces), None)
        if call is None:
            call = self._interceptor.begin_through_connector(req.method, req.url, self._loop)
            calls.append((traces, call))
        return call

    def hang_up(self, why: str) -> None:
        """End all connections: who waits for a response gets a `ClientConnectionError` with this text."""
        for transport in tuple(self._open):
            transport.lose(told=ClientConnectionError(why))

    def close(self, *args: Any, **kwargs: Any) -> Awaitable[None]:
        network, self._network = self._network, None
        if network is None:
            return super().close(*args, **kwargs)
        return _both(network.close(), super().close(*args, **kwargs))


async def _both(first: Awaitable[None], second: Awaitable[None]) -> None:
    await first
    await second
