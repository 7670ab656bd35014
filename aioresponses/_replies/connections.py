"""One connection of a client to a mocked WebSocket, seen from the far end.

aiohttp completes the closing handshake only while nothing else reads from the WebSocket. So closing means to end the
reading task first, and then to read the client's answer. A separate task does this, and `close()` waits for it for only
a few turns of the loop: a client that is reading has answered by then, and a client that the test itself drives, in the
very task that waits here, answers only after `close()` has returned.

A loop may be closed while connections are open. These then count as closed, and nothing more is scheduled on the loop.
"""

from __future__ import annotations

import asyncio
import json
from asyncio import Future, Task, get_running_loop, shield, wait, wait_for
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web

from .._calls.record import RequestCall
from .._checks import check_seconds
from .._client.far_end import in_background
from .._client.waiting import finish, next_turn
from .._display import shown
from .scripts import STEPS, check_close, dumps

_loads = json.loads

# The close code that a client sees if it loses its connection without a close frame.
_LOST = 1006

# The number of turns in which a client that is reading, through whatever tasks, has answered a close frame.
_TURNS_TO_CLOSE = 20


class ClientGone(ConnectionResetError):
    """Raised by a wait for a message that can no longer arrive."""


class WebSocketConnection:
    """One connection of a client to a mocked WebSocket, seen from the far end.

    The names are those of `aiohttp.web.WebSocketResponse`.

    >>> connection = await ws.connection()
    >>> await connection.receive_json()
    {'op': 'subscribe'}
    >>> await connection.send_json({"price": 1})
    """

    def __init__(self, request: web.Request, ws: web.WebSocketResponse, call: RequestCall) -> None:
        self.request: web.Request = request
        """The request that asked for the WebSocket, an `aiohttp.web.Request`."""
        self.call: RequestCall = call
        """The call that asked for it."""
        self._ws = ws
        self._transport = request.transport
        self._loop = get_running_loop()
        self._received: list[str | bytes] = []
        self._inbox: deque[str | bytes] = deque()
        self._arrived: Future[None] | None = None
        self._is_lost = False
        self._step = 0
        """The step of the list that it is at, from 1; 0 if it follows none, or no longer."""
        self._reading: Task[None] | None = None
        self._closing: Task[None] | None = None

    @property
    def received(self) -> list[str | bytes]:
        """All messages that the client has sent so far, including those that a rule answered."""
        return list(self._received)

    @property
    def protocol(self) -> str | None:
        """The subprotocol that was chosen, if one was."""
        return self._ws.ws_protocol

    @property
    def closed(self) -> bool:
        """Whether either side has closed it, or it was lost."""
        return self._has_gone or self._closing is not None or self._ws.closed

    @property
    def _has_gone(self) -> bool:
        return self._is_lost or self._loop.is_closed()

    @property
    def close_code(self) -> int | None:
        """The code with which it was closed, 1006 if it was lost; None while it is open."""
        code = self._ws.close_code
        return _LOST if code is None and self._has_gone else code

    async def receive(self, timeout: float = 1) -> str | bytes:
        """Return the next message that has not been received yet: text as `str`, a binary message as `bytes`.

        Raises `asyncio.TimeoutError` if none arrives within `timeout` seconds, and `ConnectionResetError` if the client
        has gone, or the WebSocket is being closed.
        """
        check_seconds("timeout", timeout)
        try:
            return await self._receive(timeout)
        except asyncio.TimeoutError:
            raise too_late("no message came", timeout) from None

    async def _receive(self, timeout: float | None) -> str | bytes:
        while not self._inbox:
            if self.closed:
                if self._closing is not None and not self._closing.done():
                    raise ClientGone("it is being closed")
                raise ClientGone(f"the client has gone, with code {self.close_code}")
            if self._arrived is None or self._arrived.done():
                self._arrived = get_running_loop().create_future()
            await wait_for(shield(self._arrived), timeout)
        return self._inbox.popleft()

    async def receive_json(self, timeout: float = 1) -> Any:
        """Return the next message, decoded from JSON.

        Raises what `receive` raises, `TypeError` for a binary message, and `ValueError` for text that is not JSON.
        """
        message = await self.receive(timeout)
        if not isinstance(message, str):
            raise TypeError(f"expected a text message with JSON, got the binary message {shown(message)}")
        return _loads(message)

    async def send(self, message: Any) -> None:
        """Send text, bytes, or anything else as JSON."""
        if isinstance(message, STEPS):
            raise TypeError(f"message: expected text, bytes or a value for JSON, got the step {shown(message)}")
        if isinstance(message, str):
            await self.send_str(message)
        elif isinstance(message, (bytes, bytearray, memoryview)):
            await self.send_bytes(bytes(message))
        else:
            await self.send_json(message)

    async def send_str(self, data: str) -> None:
        """Send a text message."""
        await self._ws.send_str(data)

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        await self._ws.send_bytes(data)

    async def send_json(self, data: Any) -> None:
        """Send a value as JSON."""
        await self._ws.send_str(dumps(data))

    async def ping(self, message: bytes = b"") -> None:
        """Send a ping."""
        await self._ws.ping(message)

    async def close(self, code: int = 1000, message: bytes = b"") -> None:
        """Send a close frame, and wait for a client that is reading to answer it; no effect if already closed.

        A client that reads later answers later, after `close()` has returned.
        """
        check_close("", code, message)
        if self._closing is None:
            if self.closed:
                return
            self._closing = in_background(self._close(code, message))
            self._wake()
        for _ in range(_TURNS_TO_CLOSE):
            if self._closing.done():
                break
            await next_turn()

    async def _close(self, code: int, message: bytes) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await wait([self._reading])
        await self._ws.close(code=code, message=message)

    def drop(self) -> None:
        """Lose the connection without a close frame: the client sees the code 1006."""
        self._lose()
        if self._transport is not None:
            self._transport.abort()

    def _lose(self) -> None:
        self._is_lost = True
        self._wake()

    def _wake(self) -> None:
        if self._arrived is not None and not self._loop.is_closed():
            finish(self._arrived)

    @property
    def _client_has_gone(self) -> bool:
        return self.closed or not self.call._exchange.connections

    def _to_come(self, is_for_rules: Callable[[str | bytes], bool]) -> list[str | bytes]:
        """Return what the client has sent for `receive` and `Expect` that they have not got yet."""
        traffic = self.call.websocket
        assert traffic is not None
        on_their_way = traffic.received[len(self._received):]
        return [*self._inbox, *(message for message in on_their_way if not is_for_rules(message))]

    async def _read(self, take: Callable[[WebSocketConnection, str | bytes], Awaitable[bool]]) -> None:
        """Read what the client sends until it has gone; put messages that are not taken into the inbox."""
        while True:
            message = await self._ws.receive()
            if message.type in (WSMsgType.PING, WSMsgType.PONG):
                continue
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            self._received.append(message.data)
            if not await take(self, message.data):
                self._inbox.append(message.data)
                self._wake()


def too_late(what: str, timeout: float) -> asyncio.TimeoutError:
    """Return the error of a wait that took longer than `timeout`."""
    return asyncio.TimeoutError(f"{what} within {timeout:g} s; to wait longer, pass timeout")
