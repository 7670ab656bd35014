"""The floor: aiohttp's own client on a bare connection in memory, whose far end answers canned bytes."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import BaseConnector
from aiohttp.client_proto import ResponseHandler


class FloorConnector(BaseConnector):
    """Makes connections whose far end knows one answer, and gives it to each request."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self._answer = answer

    async def _create_connection(self, *_: Any) -> ResponseHandler:
        protocol = ResponseHandler(self._loop)
        protocol.connection_made(FloorTransport(protocol, self._answer))
        return protocol


class FloorTransport(asyncio.Transport):
    """Does the least that the client asks of a transport."""

    def __init__(self, protocol: ResponseHandler, answer: bytes) -> None:
        super().__init__()
        self._protocol = protocol
        self._receive = protocol.data_received
        self._answer = answer
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        # A request without a body is written as a whole. By then the client's parser is ready, so the answer is there
        # before anybody waits for it: no other order of events takes less.
        self._receive(self._answer)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    abort = close

    # A large answer is there as a whole already.

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0
