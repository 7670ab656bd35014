"""What goes over a real connection that is upgraded, recorded on its way between aiohttp's client and the network.

The client writes into a transport, and the transport passes what arrives to a protocol. Until the connection is given
back, a tap sits between the two: to the client it looks like the transport, and to the transport like the protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .frames import Upgraded

if TYPE_CHECKING:
    from aiohttp.connector import Connection


def tap(connection: Connection, note_upgrade: Callable[[Upgraded], object]) -> None:
    """Record what goes over a connection, if the server agrees to switch to another protocol."""
    protocol: Any = connection.protocol
    if protocol is not None and protocol.transport is not None:
        _Tap(connection, protocol, note_upgrade)


class _Tap:
    """Replaces the transport of a connection."""

    def __init__(self, connection: Connection, protocol: Any, note_upgrade: Callable[[Upgraded], object]) -> None:
        self._protocol = protocol
        self._transport = protocol.transport
        self.note_upgrade = note_upgrade
        self.upgraded: Upgraded | None = None
        protocol.transport = self
        self._transport.set_protocol(_Ear(self, protocol))
        connection.add_callback(self._let_go)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self.upgraded is not None:
            self.upgraded.note_received(bytes(data))
        self._transport.write(data)

    def writelines(self, pieces: Iterable[bytes]) -> None:
        self.write(b"".join(pieces))

    # The client leaves: what follows is not the doing of the other side.

    def close(self) -> None:
        self._let_go()
        self._transport.close()

    def abort(self) -> None:
        self._let_go()
        self._transport.abort()

    def _let_go(self) -> None:
        if self._protocol.transport is self:
            self._protocol.transport = self._transport
            self._transport.set_protocol(self._protocol)


class _Ear:
    """Replaces the protocol of a connection."""

    def __init__(self, tap: _Tap, protocol: Any) -> None:
        self._tap = tap
        self._protocol = protocol
        self._head: bytes | None = b""
        """The part of the response's head that has arrived; None once the head is complete."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._protocol, name)

    def data_received(self, data: bytes) -> None:
        upgraded = self._tap.upgraded
        if upgraded is not None:
            upgraded.note_sent(data)
        elif self._head is not None:
            self._head += data
            head, end, rest = self._head.partition(b"\r\n\r\n")
            if end:
                self._head = None
                if head.startswith(b"HTTP/1.1 101 "):
                    upgraded = self._tap.upgraded = Upgraded(head)
                    upgraded.note_sent(rest)
                    self._tap.note_upgrade(upgraded)
        self._protocol.data_received(data)

    def connection_lost(self, error: BaseException | None) -> None:
        if self._tap.upgraded is not None:
            self._tap.upgraded.note_lost()
        self._protocol.connection_lost(error)
