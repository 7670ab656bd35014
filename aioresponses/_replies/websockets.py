"""The far end of a mocked WebSocket: its connections, and the scripts and rules that they follow.

Theory
------
aiohttp's own `WebSocketResponse` speaks the protocol. For each connection, one task reads from it for as long as the
client is there, so that pings are answered, heartbeats work and messages are recorded even if no code asks for them.
Messages go to the rules first; a message that no rule takes waits in an inbox for `receive()` and `Expect`. A script
runs in a second task, and the connection stays open when the script is through.

aiohttp completes the closing handshake only while nothing else reads from the WebSocket. So closing means to end the
reading task first, and then to read the client's answer. A separate task does this, and `close()` waits for it for only
a few turns of the loop: a client that is reading has answered by then, and a client that the test itself drives, in the
very task that waits here, answers only after `close()` has returned.

A script that fails loses the connection, as a server that breaks down does, and fails the test. The same applies to a
script with remaining steps that need a client which has gone, and to a rule that raises.

A loop may be closed while connections are open. These then count as closed, and nothing more is scheduled on the loop.
"""

from __future__ import annotations

import asyncio
import json
from asyncio import CancelledError, Future, Task, get_running_loop, shield, wait, wait_for
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Union

from aiohttp import WSMsgType, web

from .._absent import ABSENT
from .._calls.failures import FailedSocket
from .._calls.record import RequestCall
from .._checks import check_seconds, is_coroutine_function
from .._client.far_end import in_background
from .._client.waiting import finish, next_turn, pass_time
from .._display import shown
from .._messages import is_message
from ..websockets import Close, Drop, Expect, Ping, Send, Sleep
from .results import checked_headers
from .scripts import STEPS, Step, check_close, check_message, check_step, checked_options, checked_script, dumps, unmet

if TYPE_CHECKING:
    from .results import Headers

_loads = json.loads

Script = Union[Sequence[Step], Callable[["WebSocketConnection"], Awaitable[object]]]

# The close code that a client sees if it loses its connection without a close frame.
_LOST = 1006

# The number of turns of the loop in which a script notices that the client has vanished.
_TURNS = 3

# The number of turns in which a client that is reading, through whatever tasks, has answered a close frame.
_TURNS_TO_CLOSE = 20


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
            raise _too_late("no message came", timeout) from None

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


class ClientGone(ConnectionResetError):
    """Raised by a wait for a message that can no longer arrive."""


class WebSocketServer:
    """The far end of all connections of one mock."""

    def __init__(self, script: Any, options: Mapping[str, Any], headers: Headers | None) -> None:
        self._script: Any = checked_script(script)
        self._options = checked_options(**options)
        self._headers = checked_headers(headers)
        self.is_complete = False
        """Whether the client must not send anything after the last step of a list."""
        self.source = ""
        """Where the script comes from, if the user has not written it."""
        self.connections: list[WebSocketConnection] = []
        self._handed_out = 0
        self._rules: list[tuple[Any, tuple[Any, ...]]] = []
        self._waiting: list[Future[None]] = []
        self.note_failed: Callable[[FailedSocket], object] = lambda failed: None

    def note_unmet(self, is_over: bool) -> None:
        """Record that scripts fail which expect what their clients have not sent, and which get no more turns.

        A client that has gone sends nothing more. If the mock `is_over`, no other client does either.
        """
        for connection in self.connections:
            # If its loop was closed, its client may have been cut short.
            if not connection._loop.is_closed() and (is_over or connection._client_has_gone):
                self._note_unmet(connection)

    def _note_unmet(self, connection: WebSocketConnection) -> None:
        step, connection._step = connection._step, 0
        if not step:
            return
        try:
            messages = connection._to_come(self._is_for_rules)
        except ValueError:
            return  # What the client has sent cannot be read.
        why = unmet(self._script, step, messages)
        if why:
            self.note_failed(FailedSocket.of_script(AssertionError(why), connection.call, self.source))

    def _is_for_rules(self, message: str | bytes) -> bool:
        return any(is_message(expected, message) for expected, _ in self._rules)

    def of(self, call: RequestCall) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return the handler for a call."""
        return partial(self._handle, call)

    def on(self, expected: Any, answers: tuple[Any, ...]) -> None:
        """Answer a message whenever it arrives."""
        if expected is ABSENT:
            raise TypeError("expected: ABSENT cannot stand for a whole message; use it for a value in a dict")
        for number, answer in enumerate(answers, 1):
            name = f"answer {number}"
            if isinstance(answer, Expect) or is_coroutine_function(answer):
                raise TypeError(f"{name}: expected a message, or a function that returns one, got {shown(answer)}")
            if not callable(answer) or isinstance(answer, type):
                check_step(name, answer)
        self._rules.append((expected, answers))

    @property
    def received(self) -> list[str | bytes]:
        return [message for connection in self.connections for message in connection.received]

    async def next_connection(self, timeout: float) -> WebSocketConnection:
        try:
            await self._until(lambda: self._handed_out < len(self.connections), timeout)
        except asyncio.TimeoutError:
            raise _too_late("no connection came", timeout) from None
        self._handed_out += 1
        return self.connections[self._handed_out - 1]

    async def enough_received(self, count: int, timeout: float) -> list[str | bytes]:
        if isinstance(count, bool) or not isinstance(count, int):
            raise TypeError(f"n: expected an int, got {shown(count)}")
        try:
            await self._until(lambda: len(self.received) >= count, timeout)
        except asyncio.TimeoutError:
            raise _too_late(f"{len(self.received)} of {count} messages came", timeout) from None
        return self.received

    async def _until(self, holds: Callable[[], bool], timeout: float) -> None:
        async def waiting() -> None:
            while not holds():
                future = get_running_loop().create_future()
                self._waiting.append(future)
                try:
                    await future
                finally:
                    if future in self._waiting:
                        self._waiting.remove(future)

        check_seconds("timeout", timeout)
        if not holds():
            await wait_for(waiting(), timeout)

    def _note_news(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            future.get_loop().call_soon_threadsafe(finish, future)

    async def _handle(self, call: RequestCall, request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(**self._options)
        ws.headers.extend(self._headers)
        await ws.prepare(request)
        connection = WebSocketConnection(request, ws, call)
        reading = connection._reading = in_background(self._read(connection))
        running = None if self._script is None else in_background(self._run(connection))
        connection._step = 1 if isinstance(self._script, list) else 0
        self.connections.append(connection)
        self._note_news()
        try:
            await wait([reading])
            if connection._closing is not None:
                await wait([connection._closing])
            connection._wake()
            if running is not None:
                # The rest of the script may go on without the client, or find that it needs the client.
                await wait([running])
        except CancelledError:
            # aiohttp 3.9 and newer cancel the handler if the client has vanished. Code that waits for it must notice.
            connection._lose()
            for _ in range(_TURNS):
                await next_turn()
            raise
        finally:
            connection._lose()
            if not connection._loop.is_closed():
                reading.cancel()
                if running is not None:
                    running.cancel()
        return ws

    async def _read(self, connection: WebSocketConnection) -> None:
        try:
            await connection._read(self._react)
        except CancelledError:
            raise
        except BaseException as error:
            if not _came_too_late(error, connection):
                self.note_failed(FailedSocket.of_rule(error, connection.call))
            connection.drop()

    async def _react(self, connection: WebSocketConnection, message: str | bytes) -> bool:
        self._note_news()
        for expected, answers in self._rules:
            if is_message(expected, message):
                for answer in answers:
                    await _take(connection, answer(message) if callable(answer) else answer)
                return True
        return False

    async def _run(self, connection: WebSocketConnection) -> None:
        try:
            if isinstance(self._script, list):
                await _follow(connection, self._script)
                connection._step = 0
                if self.is_complete:
                    await _find_closed(connection, len(self._script) + 1)
            else:
                await self._script(connection)
        except CancelledError:
            self._note_unmet(connection)
            raise
        except BaseException as error:
            connection._step = 0
            if _came_too_late(error, connection):
                return
            self.note_failed(FailedSocket.of_script(error, connection.call, self.source))
            connection.drop()


def _too_late(what: str, timeout: float) -> asyncio.TimeoutError:
    return asyncio.TimeoutError(f"{what} within {timeout:g} s; to wait longer, pass timeout")


def _came_too_late(error: BaseException, connection: WebSocketConnection) -> bool:
    """Tell whether an error comes only from sending after the client had gone, which a server may do."""
    return connection.closed and isinstance(error, ConnectionError) and not isinstance(error, ClientGone)


async def _follow(connection: WebSocketConnection, script: Sequence[Step]) -> None:
    is_late = False
    for number, step in enumerate(script, 1):
        connection._step = number
        if is_late and not isinstance(step, Expect):
            continue
        try:
            await _take(connection, step)
        except AssertionError as error:
            raise AssertionError(f"at step {number}: {error}") from None
        except ConnectionError as error:
            if not _came_too_late(error, connection):
                raise
            # The client need not receive everything, but it must send what the script expects.
            is_late = True
        except Exception as error:
            raise AssertionError(f"at step {number}: {type(error).__name__}: {error}") from error


async def _find_closed(connection: WebSocketConnection, number: int) -> None:
    try:
        message = await connection._receive(None)
    except ClientGone:
        return
    raise AssertionError(f"at step {number}: expected the client to close the WebSocket, got {shown(message)}")


async def _take(connection: WebSocketConnection, step: Any) -> None:
    if isinstance(step, Expect):
        got: tuple[str | bytes, ...] = ()
        try:
            got = (await connection.receive(step.timeout),)
        except asyncio.TimeoutError:
            pass
        except ClientGone as error:
            raise AssertionError(f"expected {shown(step.message)}, but {error}") from None
        check_message(step, *got)
    elif isinstance(step, Close):
        await connection.close(step.code, step.message)
    elif isinstance(step, Drop):
        connection.drop()
    elif isinstance(step, Ping):
        await connection.ping(step.message)
    elif isinstance(step, Sleep):
        await pass_time(step.seconds)
    else:
        await connection.send(step.message if isinstance(step, Send) else step)
