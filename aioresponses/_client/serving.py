"""The servers at the far ends: applications, which start and end, and the one application to which handlers belong.

Theory
------
An application has a life. It starts before the first request that reaches it, on the loop of that request, and ends
with the mock. Both must happen in one task and one context, as with `web.run_app`, because what an application opens
with a context manager must be closed by the same one. So each application has, on each loop, a task that lives its
life: it starts the application, waits until it is asked to end, and cleans up. An application that is mounted twice, or
in two mocks, has one life only.

The mock asks that task to end. A mock that is stopped by a plain function can only ask, not wait. If the task has not
been asked before its loop ends, `asyncio.run()` and test cases cancel it along with all other tasks of the loop, and
wait for it to clean up. If its loop is closed without that, nothing can be awaited any more, so the task is left alone.

Handlers need no life. Their application exists only for `request.app` and for signals; it starts and cleans up nothing.

Private names: `Request._match_info` of aiohttp, which its router sets (3.8.6 to 3.14.5, and the development branch),
and asyncio's `Task._log_destroy_pending` (CPython 3.10 to 3.14).
"""

from __future__ import annotations

import asyncio
import inspect
from asyncio import AbstractEventLoop, get_running_loop, wait
from collections.abc import Awaitable, Callable, Mapping
from contextvars import Context
from typing import Any, Union, cast
from weakref import WeakKeyDictionary

from aiohttp import ClientConnectionError, hdrs, web
from aiohttp.http import SERVER_SOFTWARE
from multidict import CIMultiDict

from .._display import shown
from .active import in_server

Application = Union[
    web.Application,
    web.Server,  # type: ignore[type-arg,unused-ignore]
    Callable[[], Union[web.Application, Awaitable[web.Application]]],
]

Server = Callable[[], Any]

# How many seconds to wait for handlers that do not end with their connections before they are cancelled.
_SHUTDOWN = 0.1

# New in aiohttp 3.9: handlers can be cancelled when the client goes away. Before, only a site shut the server down.
CAN_CANCEL = "handler_cancellation" in inspect.signature(web.Server.__init__).parameters

# The headers that aiohttp adds to a response that lacks them.
_DEFAULT_HEADERS = {hdrs.SERVER: SERVER_SOFTWARE, hdrs.CONTENT_TYPE: "application/octet-stream"}

# All lives that have not ended.
_lives: WeakKeyDictionary[AbstractEventLoop, list[_Life]] = WeakKeyDictionary()


def _runner(app: web.Application, handler_cancellation: bool) -> web.AppRunner:
    options: dict[str, Any] = {}
    if CAN_CANCEL:
        options.update(handler_cancellation=handler_cancellation, shutdown_timeout=_SHUTDOWN)
    return web.AppRunner(app, access_log=None, **options)


class _Life:
    """The life of one application on one loop."""

    def __init__(self, app: Any, handler_cancellation: bool, loop: AbstractEventLoop, context: Context) -> None:
        self.app = app
        self.loop = loop
        self.users: list[Servers] = []
        self.ready: asyncio.Future[Server] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self._asked_to_end: asyncio.Future[None] = loop.create_future()
        own_context = context.copy()
        own_context.run(in_server.set, True)
        task = own_context.run(loop.create_task, self._live(handler_cancellation))
        # Its loop may be closed before anything asks it to end.
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        self._task = task

    async def _live(self, handler_cancellation: bool) -> None:
        runner = None
        try:
            app = self.app if isinstance(self.app, web.Application) else self.app()
            if inspect.isawaitable(app):
                app = await app
            if not isinstance(app, web.Application):
                raise TypeError(f"app: expected a web.Application from {shown(self.app)}, got {shown(app)}")
            runner = _runner(app, handler_cancellation)
            await runner.setup()
        except GeneratorExit:
            raise
        except BaseException as error:
            self._forget()
            await self._clean_up(runner)
            if isinstance(error, asyncio.CancelledError):
                self.ready.cancel()
                raise
            self.ready.set_exception(error)
            self.ready.exception()  # Marks it as retrieved: the request that waits for it may have gone.
            return
        self.ready.set_result(cast(Server, runner.server))
        try:
            await self._asked_to_end
        except asyncio.CancelledError:
            self._forget()
            await self._clean_up(runner)
            if self.ended.done() and not self.ended.cancelled():
                self.ended.result()  # Raises the error of the clean-up here, because no other caller is left.
            raise
        await self._clean_up(runner)

    async def _clean_up(self, runner: web.AppRunner | None) -> None:
        try:
            if runner is not None:
                if not CAN_CANCEL and runner.server is not None:
                    await runner.shutdown()
                    await runner.server.shutdown(_SHUTDOWN)
                await runner.cleanup()
        except GeneratorExit:
            raise
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                self.ended.cancel()
                raise
            self.ended.set_exception(error)
        else:
            self.ended.set_result(None)

    def _forget(self) -> None:
        lives = _lives.get(self.loop, [])
        if self in lives:
            lives.remove(self)

    def leave(self, user: Servers) -> bool:
        """Remove a user, and ask the application to end if it has no other; return whether its end can be awaited.

        Works from any thread, and with the loop closed or stopped.
        """
        self.users.remove(user)
        if self.users:
            return False
        self._forget()
        if self.loop.is_running() and self.loop is not asyncio._get_running_loop():
            try:
                self.loop.call_soon_threadsafe(self._ask_to_end)
                return False
            except RuntimeError:
                pass  # The loop has just been closed.
        if self.loop.is_closed():
            return False
        self._ask_to_end()
        return True

    def _ask_to_end(self) -> None:
        if not self._asked_to_end.done():
            self._asked_to_end.set_result(None)


class HandlerServer:
    """The server on one loop that handles each request with the handler given for it."""

    def __init__(self) -> None:
        # Bodies may have any size: the service that a handler replaces has limits of its own.
        app = web.Application(client_max_size=2 ** 62)
        app.on_response_prepare.append(_set_headers)
        self._app = app
        self._route = app.router.add_route("*", "/{path:.*}", _no_handler)
        self._runner = _runner(app, handler_cancellation=True)
        self.server: Server

    async def start(self) -> None:
        await self._runner.setup()
        self.server = cast(Server, self._runner.server)

    async def answer(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[object]],
        match_info: Mapping[str, str],
        headers: CIMultiDict[str],
    ) -> object:
        """Return what a handler returns for a request; its response gets those of `headers` that it lacks."""
        info = _MatchInfo(dict(match_info), self._route)
        info.headers = headers
        info.add_app(self._app)
        info.freeze()
        request._match_info = info
        # Applications do this before they call a handler.
        if request.headers.get(hdrs.EXPECT):
            await info.expect_handler(request)
            await request.writer.drain()
        try:
            response = await handler(request)
        except web.HTTPException as error:
            _add_missing(headers, error.headers)
            raise
        if isinstance(response, web.StreamResponse) and not response.prepared:
            _add_missing(headers, response.headers)
        return response

    async def shut_down(self) -> None:
        """Wait for handlers whose clients have gone; cancel those that do not end."""
        server = self._runner.server
        assert server is not None
        await server.shutdown(_SHUTDOWN)


class _MatchInfo(web.UrlMappingMatchInfo):
    headers: CIMultiDict[str]


async def _set_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add headers to a response that the handler sends itself; aiohttp has already set its default headers."""
    if isinstance(request.match_info, _MatchInfo) and request.match_info.headers:
        for name, value in _DEFAULT_HEADERS.items():
            if response.headers.get(name) == value and name in request.match_info.headers:
                del response.headers[name]
        _add_missing(request.match_info.headers, response.headers)


def _add_missing(headers: CIMultiDict[str], to: CIMultiDict[str]) -> None:
    missing = [(name, value) for name, value in headers.items() if name not in to]
    to.extend(missing)


async def _no_handler(request: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound


class Servers:
    """The servers that answer for one mock, on each loop."""

    def __init__(self) -> None:
        self._lives: list[_Life] = []
        self._ending: list[_Life] = []
        self._of_handlers: WeakKeyDictionary[AbstractEventLoop, HandlerServer] = WeakKeyDictionary()
        self._has_ended = ""

    async def of(
        self, app: Application, handler_cancellation: bool, loop: AbstractEventLoop, context: Context
    ) -> Server:
        """Return what makes protocols of an application on the running loop; start the application if necessary.

        Raises what its startup raises.
        """
        self._check()
        if isinstance(app, web.Server):
            return cast(Server, app)  # Its owner runs it.
        life = next((life for life in self._lives if life.loop is loop and life.app == app), None)
        if life is None:
            lives = _lives.setdefault(loop, [])
            life = next((life for life in lives if life.app == app), None)
            if life is None:
                life = _Life(app, handler_cancellation, loop, context)
                lives.append(life)
            life.users.append(self)
            self._lives.append(life)
        if not life.ready.done():
            await wait([life.ready])
        try:
            return life.ready.result()
        except BaseException:
            # The next request tries to start it again.
            if life in self._lives:
                self._lives.remove(life)
            raise

    async def of_handlers(self, loop: AbstractEventLoop) -> HandlerServer:
        """Return the server of handlers on the running loop."""
        self._check()
        server = self._of_handlers.get(loop)
        if server is None:
            server = HandlerServer()
            await server.start()
            server = self._of_handlers.setdefault(loop, server)
        return server

    def _check(self) -> None:
        if self._has_ended:
            raise ClientConnectionError(self._has_ended)

    def tell(self, why: str) -> None:
        """Ask all applications to end; from now on, requests are refused with this text."""
        self._has_ended = why
        lives, self._lives = self._lives, []
        self._ending += [life for life in lives if life.leave(self)]

    async def end(self) -> None:
        """Wait for the end of those on the running loop; raise the first error of their clean-ups."""
        loop = get_running_loop()
        of_handlers = self._of_handlers.pop(loop, None)
        if of_handlers is not None:
            await of_handlers.shut_down()
        ending, self._ending = self._ending, []
        ends = [life.ended for life in ending if life.loop is loop]
        if ends:
            await wait(ends)
        for end in ends:
            end.result()
