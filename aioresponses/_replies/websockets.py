"""The far end of a mocked WebSocket: the scripts and rules that its connections follow.

Theory
------
aiohttp's own `WebSocketResponse` speaks the protocol. For each connection, one task reads from it for as long as the
client is there, so that pings are answered, heartbeats work and messages are recorded even if no code asks for them.
Messages go to the rules first; a message that no rule takes waits in an inbox for `receive()` and `Expect`. A script
runs in a second task, and the connection stays open when the script is through.

A script that fails loses the connection, as a server that breaks down does, and fails the test. The same applies to a
script with remaining steps that need a client which has gone, and to a rule that raises.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Future, get_running_loop, wait, wait_for
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Union

from aiohttp import web

from .._absent import ABSENT
from .._calls.failures import FailedSocket
from .._calls.record import RequestCall
from .._checks import check_seconds, is_coroutine_function
from .._client.far_end import in_background
from .._client.waiting import finish, next_turn, pass_time
from .._display import shown
from .._messages import is_message
from ..websockets import Close, Drop, Expect, Ping, Send, Sleep
from .connections import ClientGone, WebSocketConnection, too_late
from .results import checked_headers
from .scripts import Step, at_step, check_message, check_step, checked_options, checked_script, unmet

if TYPE_CHECKING:
    from .results import Headers

Script = Union[Sequence[Step], Callable[[WebSocketConnection], Awaitable[object]]]

# The number of turns of the loop in which a script notices that the client has vanished.
_TURNS = 3


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
        except Exception:
            return  # What the client has sent cannot be read, or cannot be compared with what a rule expects.
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
            raise too_late("no connection came", timeout) from None
        self._handed_out += 1
        return self.connections[self._handed_out - 1]

    async def enough_received(self, count: int, timeout: float) -> list[str | bytes]:
        if isinstance(count, bool) or not isinstance(count, int):
            raise TypeError(f"n: expected an int, got {shown(count)}")
        try:
            await self._until(lambda: len(self.received) >= count, timeout)
        except asyncio.TimeoutError:
            raise too_late(f"{len(self.received)} of {count} messages came", timeout) from None
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
        # Before the script starts, which an eager task does at once.
        connection._step = 1 if isinstance(self._script, list) else 0
        running = None if self._script is None else in_background(self._run(connection))
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
            raise AssertionError(at_step(number, error)) from None
        except ConnectionError as error:
            if not _came_too_late(error, connection):
                raise
            # The client need not receive everything, but it must send what the script expects.
            is_late = True
        except Exception as error:
            raise AssertionError(at_step(number, error)) from error


async def _find_closed(connection: WebSocketConnection, number: int) -> None:
    try:
        message = await connection._receive(None)
    except ClientGone:
        return
    raise AssertionError(f"at step {number}: expected the client to close the WebSocket, got {shown(message)}")


async def _take(connection: WebSocketConnection, step: Any) -> None:
    if isinstance(step, Expect):
        got = None
        try:
            got = await connection.receive(step.timeout)
        except asyncio.TimeoutError:
            pass
        except ClientGone as error:
            raise AssertionError(f"expected {shown(step.message)}, but {error}") from None
        check_message(step, got)
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
