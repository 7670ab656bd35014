"""Handlers and applications of aiohttp.web, which answer requests in place of a canned reply.

A server answers in tasks of its own. If an exception raised there is to reach the caller, as one raised by a callback
does, it is passed on to the far end, and the server gets a response that it can no longer send.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from aiohttp import web
from aiohttp.abc import AbstractView
from multidict import CIMultiDict

from .._calls.record import RequestCall
from .._checks import is_coroutine_function, misfit
from .._client.far_end import Serving
from .._client.waiting import pass_time
from .._display import shown

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from .._client.far_end import Handle
    from .._client.serving import HandlerServer, Servers

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Asked(Protocol):
    """A request that a server answers."""

    @property
    def latency(self) -> float | None: ...

    @property
    def name(self) -> str:
        """The name of the mock."""

    def call(self) -> RequestCall: ...

    @property
    def match_info(self) -> Mapping[str, str]: ...

    @property
    def is_upgraded(self) -> bool:
        """Whether the connection has switched to another protocol, such as that of WebSockets."""

    def note_server_raised(self, error: BaseException, reaches_caller: bool) -> None:
        """Record what was raised while the server answered; raise it in the caller if it reaches the caller."""


class WithHeaders(NamedTuple):
    """A handler of a group, whose responses get those headers of the group that they lack."""

    handler: object
    headers: CIMultiDict[str]


class HandlerReply:
    """The reply that a handler makes."""

    def __init__(self, handler: object) -> None:
        handler, self._headers = handler if isinstance(handler, WithHeaders) else (handler, CIMultiDict[str]())
        # A WebSocket has a handler for each call. Its class is checked, because a stub has any attribute.
        self._of: Callable[[RequestCall], Handler] | None = getattr(handler, "of", None)
        if not hasattr(type(handler), "of"):
            self._of = None
            _check(handler)
        self._handler: Handler = handler  # type: ignore[assignment]
        self._context = copy_context()

    @classmethod
    def returning(cls, response: web.StreamResponse) -> HandlerReply:
        """Return the reply made by a handler that returns this response."""
        async def handler(request: web.Request) -> web.StreamResponse:
            return response

        return cls(handler)

    async def serve_on(self, loop: AbstractEventLoop, servers: Servers, asked: Asked) -> Serving:
        """Return how a server on the running loop answers a request."""
        server = await servers.of_handlers(loop)

        async def answer(request: web.Request, handle: Handle) -> web.StreamResponse:
            return await answered(partial(self._respond, server, request, asked), asked, True)

        return Serving(server.server, self._context, answer)

    async def _respond(
        self, server: HandlerServer, request: web.Request, asked: Asked
    ) -> web.StreamResponse:
        handler = self._handler if self._of is None else self._of(asked.call())
        response = await server.answer(request, handler, asked.match_info, self._headers)
        # A mock made with the spec of a response passes `isinstance`, and the client would wait forever.
        if not issubclass(type(response), web.StreamResponse):
            raise TypeError(f"handler: expected a web.Response from the handler of {asked.name}, got {shown(response)}")
        return response  # type: ignore[return-value]


async def answered(
    respond: Callable[[], Awaitable[web.StreamResponse]], asked: Asked, reaches_caller: bool
) -> web.StreamResponse:
    """Return the response to a request once its latency has passed; record what is raised instead."""
    try:
        if asked.latency:
            await pass_time(asked.latency)
        return await respond()
    except (asyncio.CancelledError, GeneratorExit):
        raise
    except BaseException as error:
        # In a WebSocket, a response would arrive as broken frames.
        if isinstance(error, web.HTTPException) and not (reaches_caller and asked.is_upgraded):
            raise
        # aiohttp answers with an error only for an Exception; after anything else, the client would wait forever.
        reaches_caller = reaches_caller or not isinstance(error, Exception)
        asked.note_server_raised(error, reaches_caller)
        if not reaches_caller or isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
    return web.Response(status=500)


def _check(handler: Any) -> None:
    """Raise `TypeError` unless this is a handler."""
    if isinstance(handler, type):
        is_handler = issubclass(handler, AbstractView)
    else:
        is_handler = is_coroutine_function(handler)
    if not is_handler:
        raise TypeError(
            "handler: expected a coroutine function that takes a request, or a subclass of web.View, "
            f"got {shown(handler)}"
        )
    why = misfit(handler, None)
    if why:
        raise TypeError(f"handler: expected a coroutine function that takes a request, got {shown(handler)}: {why}")
