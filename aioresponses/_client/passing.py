"""The requests that are passed through to the network, while they are under way."""

from __future__ import annotations

from asyncio import AbstractEventLoop, BaseTransport

from aiohttp.connector import Connection


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
