"""The requests that are passed through to the network, while they are under way."""

from __future__ import annotations

from asyncio import AbstractEventLoop, BaseTransport, get_running_loop
from collections.abc import Awaitable
from typing import TYPE_CHECKING

from aiohttp import hdrs

if TYPE_CHECKING:
    from aiohttp import ClientRequest
    from aiohttp.connector import Connection

    from .interceptor import Interception


async def pass_through(call: Interception, request: ClientRequest, connecting: Awaitable[Connection]) -> Connection:
    """Connect a request of a call to the network, and record what goes over the connection; `connecting` returns it."""
    passed = PassedThrough(get_running_loop())
    try:
        connection = await connecting
    except BaseException:
        passed.end()
        raise
    passed.connected(connection)
    call.connected_to_network(connection)
    if hdrs.UPGRADE in request.headers:
        from .taps import tap  # Not before it is needed.

        tap(connection, call.note_upgrade)
    return connection


class PassedThrough:
    """One request on its way to the network and back."""

    transport: BaseTransport | None = None
    """The transport of its connection; None until it has one."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.loop = loop
        _on_their_way.add(self)

    def connected(self, connection: Connection) -> None:
        """Record its connection, until the connection is given back."""
        self.transport = connection.transport
        if self.transport is None:
            self.end()  # The connection has been closed already.
        else:
            connection.add_callback(self.end)

    def end(self) -> None:
        """Record that it has ended."""
        _on_their_way.discard(self)


_on_their_way: set[PassedThrough] = set()


def passed_through(loop: AbstractEventLoop) -> list[PassedThrough]:
    """Return the requests of a loop that are under way."""
    found = []
    for one in list(_on_their_way):
        # A connection that was dropped instead of given back has been closed.
        if one.loop.is_closed() or one.transport is not None and one.transport.is_closing():
            one.end()
        elif one.loop is loop:
            found.append(one)
    return found
