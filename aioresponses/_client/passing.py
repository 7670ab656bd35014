"""The requests that are passed through to the network, while they are on their way."""

from __future__ import annotations

from asyncio import AbstractEventLoop, BaseTransport

from aiohttp.connector import Connection


class PassedThrough:
    """One request on its way to the network and back."""

    transport: BaseTransport | None = None
    """That of its connection; None while it has none."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.loop = loop
        _on_their_way.add(self)

    def connected(self, connection: Connection) -> None:
        """Note that it has got a connection, until it gives it back."""
        self.transport = connection.transport
        if self.transport is None:
            self.end()  # It has been closed already.
        else:
            connection.add_callback(self.end)

    def end(self) -> None:
        """Note that it is on its way no longer."""
        _on_their_way.discard(self)


_on_their_way: set[PassedThrough] = set()


def passed_through(loop: AbstractEventLoop) -> list[PassedThrough]:
    """Return the requests of a loop that are on their way."""
    found = []
    for one in list(_on_their_way):
        # A connection that was dropped, and not given back, is closed.
        if one.loop.is_closed() or one.transport is not None and one.transport.is_closing():
            one.end()
        elif one.loop is loop:
            found.append(one)
    return found
