"""The mock of a WebSocket, as users hold it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aiohttp import hdrs

from ._compatibility import RequestMatch
from ._replies.websockets import WebSocketServer

if TYPE_CHECKING:
    from ._replies.connections import WebSocketConnection
    from ._replies.results import Headers
    from ._replies.websockets import Script


class WebSocketMock(RequestMatch):
    """A mocked WebSocket: `aioresponses.websocket` makes and returns it, and describes its arguments.

    >>> ws = mock.websocket("wss://stream.example.com/ticks").on("ping", "pong")
    >>> connection = await ws.connection()
    """

    def __init__(
        self,
        url: Any,
        script: Script | None = None,
        *,
        options: Mapping[str, Any] = {},
        headers: Headers | None = None,
        **given: Any,
    ) -> None:
        self._server = WebSocketServer(script, options, headers)
        super().__init__(url, hdrs.METH_GET, handler=self._server, **given)

    @property
    def connections(self) -> list[WebSocketConnection]:
        """All connections so far, in order."""
        return list(self._server.connections)

    async def connection(self, timeout: float = 1) -> WebSocketConnection:
        """Return the next connection that this method has not returned yet; wait for it for at most `timeout` seconds.

        Raises `asyncio.TimeoutError` if there is no such connection by then.
        """
        return await self._server.next_connection(timeout)

    def on(self, expected: Any, *answers: Any) -> WebSocketMock:
        """Whenever a message arrives that equals `expected`, send these answers.

        An answer is a message, a step of a script other than `Expect`, or a function that takes the message and returns
        one of these. The message is in `received`, but neither `receive()` nor `Expect` gets it. Returns the mock
        itself. Raises `TypeError` or `ValueError` for answers that cannot be sent.

        >>> ws = mock.websocket("wss://stream.example.com/ticks").on({"op": "subscribe"}, {"op": "subscribed"})
        """
        self._server.on(expected, answers)
        return self

    async def send(self, message: Any) -> None:
        """Send a message over all open connections: text, bytes, or anything else as JSON."""
        for connection in self.connections:
            if not connection.closed:
                try:
                    await connection.send(message)
                except ConnectionError:
                    if not connection.closed:
                        raise

    async def close(self, code: int = 1000, message: bytes = b"") -> None:
        """Close all open connections."""
        for connection in self.connections:
            if not connection.closed:
                await connection.close(code, message)

    @property
    def received(self) -> Sequence[str | bytes]:
        """All messages that clients have sent, connection by connection."""
        return self._server.received

    async def wait_received(self, n: int, timeout: float = 1) -> Sequence[str | bytes]:
        """Wait until at least `n` messages are in `received`, and return them all.

        Raises `asyncio.TimeoutError` if there are fewer after `timeout` seconds.

        >>> [first, *_] = await ws.wait_received(1)
        """
        return await self._server.enough_received(n, timeout)
