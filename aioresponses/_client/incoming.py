"""What arrives from the network in answer to one request, recorded as it arrives.

Nothing is read ahead: each piece is recorded on its way to aiohttp's protocol, so the reader gets it when it would have
got it anyway. Of a response larger than `MOST`, only the beginning is kept, with its head.

Undocumented names of aiohttp, the same from 3.8.6 to 3.14.5: `Connection.protocol` with `data_received` and
`connection_lost`, which asyncio calls, and `ClientResponse._body`, which holds what `read` has read.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from .clocks import real_perf_counter

if TYPE_CHECKING:
    from aiohttp import ClientResponse
    from aiohttp.connector import Connection

MOST = 2 ** 24
"""The largest message, in bytes, that is recorded as a whole."""

# How much is kept of a larger message, so that its head is always kept: aiohttp accepts no head of this size.
_HEAD = 2 ** 16

_TAPPED = ("data_received", "connection_lost")


class Incoming:
    """What arrives over a connection until the client gives it back."""

    def __init__(self, connection: Connection) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self.is_too_large = False
        """Whether more arrived than is kept."""
        self.is_lost = False
        """Whether the other side, or the network, ended the connection."""
        self.began: float | None = None
        """When the first byte arrived, in seconds of `time.perf_counter()`."""
        self.ended: float | None = None
        """When the last byte arrived."""
        protocol: Any = connection.protocol
        try:
            for name in _TAPPED:
                setattr(protocol, name, functools.partial(getattr(self, f"_{name}"), getattr(protocol, name)))
        except AttributeError:
            return  # Not aiohttp's protocol: the test replaces the network.
        _note_methods(protocol)
        connection.add_callback(functools.partial(_let_go, protocol))

    @property
    def raw(self) -> bytes:
        """What arrived, as it was on the wire."""
        return b"".join(self._pieces)

    def _data_received(self, receive: Any, data: bytes) -> None:
        self.ended = real_perf_counter()
        if self.began is None:
            self.began = self.ended
        self._size += len(data)
        if self._size <= MOST:
            self._pieces.append(bytes(data))
        elif not self.is_too_large:
            self.is_too_large = True
            self._pieces = [(self.raw + data)[:_HEAD]]
        receive(data)

    def _connection_lost(self, lose: Any, error: BaseException | None) -> None:
        self.is_lost = True
        lose(error)


def _let_go(protocol: Any) -> None:
    for name in _TAPPED:
        vars(protocol).pop(name, None)
    _note_methods(protocol)


def _note_methods(protocol: Any) -> None:
    """Make the transport look up its protocol's methods again: uvloop's transport caches them."""
    transport = protocol.transport
    if transport is not None:
        transport.set_protocol(protocol)


def body_read(response: ClientResponse) -> bytes | None:
    """Return the body of a response, if it has been read as a whole."""
    body = response._body
    return body if isinstance(body, bytes) else None
