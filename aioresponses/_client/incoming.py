"""What comes in from the network in answer to one request, noted as it comes.

The reader gets each piece when it would have got it, for nothing is read ahead: what aiohttp's protocol is given is
noted on its way. Of a response that is larger than `MOST` only the beginning is kept, with its head.

Names of aiohttp's that are not documented, the same from 3.8.6 to 3.14.5: `Connection.protocol` with `data_received`
and `connection_lost`, which asyncio calls, and `ClientResponse._body`, which holds what `read` has read.
"""

from __future__ import annotations

import functools
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiohttp import ClientResponse
    from aiohttp.connector import Connection

MOST = 2 ** 24
"""How large, in bytes, a recorded message may be."""

# A head is kept whatever follows it; aiohttp takes none that is larger than a few such pieces.
_HEAD = 2 ** 16

_TAPPED = ("data_received", "connection_lost")


class Incoming:
    """What comes in over a connection until it is given back."""

    def __init__(self, connection: Connection) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self.is_too_large = False
        """Whether more came than is kept."""
        self.is_lost = False
        """Whether it was the other side, or the network, that ended the connection."""
        self.began: float | None = None
        """When the first byte came, in seconds of `time.perf_counter()`."""
        self.ended: float | None = None
        """When the last byte came."""
        protocol: Any = connection.protocol
        try:
            for name in _TAPPED:
                setattr(protocol, name, functools.partial(getattr(self, f"_{name}"), getattr(protocol, name)))
        except AttributeError:
            return  # It is no protocol of aiohttp's: a test stands in for the network.
        _note_methods(protocol)
        connection.add_callback(functools.partial(_let_go, protocol))

    @property
    def raw(self) -> bytes:
        """What came, as it was on the wire."""
        return b"".join(self._pieces)

    def _data_received(self, receive: Any, data: bytes) -> None:
        self.ended = perf_counter()
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
    """Have the transport look for the methods of its protocol once more: that of uvloop keeps them."""
    transport = protocol.transport
    if transport is not None:
        transport.set_protocol(protocol)


def body_read(response: ClientResponse) -> bytes | None:
    """Return the body of a response, if it has been read as a whole."""
    body = response._body
    return body if isinstance(body, bytes) else None
