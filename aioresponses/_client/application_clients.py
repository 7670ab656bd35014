"""aiohttp's own `TestServer` and `TestClient`, without a listening port.

A server started in memory has a port number, so that its URL differs from other servers' URLs, but does not listen on
it.

Private names of aiohttp: `BaseTestServer._make_runner`, `_loop`, `_ssl` and `_root`, which its own `start_server` uses
and sets, and `ClientSession._connector` (3.8.6 to 3.14.5, and the development branch).
"""

from __future__ import annotations

import itertools
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, cast

from aiohttp import web
from aiohttp.test_utils import AioHTTPTestCase, BaseTestServer, TestClient, TestServer
from yarl import URL

from .connectors import InMemoryConnector
from .far_end import Serving
from .places import base_connect
from .serving import CAN_CANCEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientRequest, ClientSession, ClientTimeout
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

    from .far_end import Handle
    from .transport import Receiver

# Privileged ports that are assigned to no well-known service.
_ports = itertools.cycle(range(700, 740))


def application_client(app: web.Application, **options: Any) -> TestClient[Any, Any]:
    """Return an `aiohttp.test_utils.TestClient` that reaches an application in memory; use it with `async with`.

    The `options` are those of `TestClient`, which passes them on to `ClientSession`. Raises `TypeError` if `app` is
    not an application.

    >>> async with application_client(app) as client:
    ...     response = await client.get("/users/7")
    """
    if not isinstance(app, web.Application):
        raise TypeError(f"app: expected a web.Application, got {app!r}")
    server = TestServer(app)
    _in_memory(server)
    return TestClient(server, connector=_ServerConnector(server), **options)


def serve_in_memory(case: object, started: Callable[[URL, Any], object]) -> None:
    """Make an `AioHTTPTestCase` reach its application in memory, unless the test case is of another class.

    `started` is called with the URL and the protocol factory of its server.
    """
    if not isinstance(case, AioHTTPTestCase):
        return
    # A class may override these. So what they return is changed.
    own_server, own_client = case.get_server, case.get_client

    async def get_server(app: Any) -> Any:
        server = await own_server(app)
        _in_memory(server, started)
        return server

    async def get_client(server: Any) -> Any:
        client = await own_client(server)
        await _reach_in_memory(client)
        return client

    vars(case).update(get_server=get_server, get_client=get_client)


def _in_memory(server: Any, started: Callable[[URL, Any], object] = lambda url, server: None) -> None:
    """Make a `TestServer` start without a port, and then call `started` with its URL and its protocol factory."""
    server.start_server = partial(_start_in_memory, server, started)


async def _reach_in_memory(client: Any) -> None:
    """Make a `TestClient` reach its server in memory."""
    session: ClientSession = client.session
    connector = session._connector
    session._connector = _ServerConnector(client.server)
    if connector is not None:
        await connector.close()


async def _start_in_memory(server: Any, started: Callable[[URL, Any], object], **options: Any) -> None:
    """Do what the server's own `start_server` does, except listen."""
    if server.runner is not None:
        return
    if "loop" in options:
        # aiohttp 4 has no such option.
        server._loop = options.pop("loop")
    server._ssl = options.pop("ssl", None)
    if CAN_CANCEL:
        options["handler_cancellation"] = True
    server.runner = await server._make_runner(**options)
    await server.runner.setup()
    server.port = server.port or next(_ports)
    if server.scheme not in ("http", "https"):
        server.scheme = "https" if server._ssl else "http"
    server._root = URL.build(scheme=server.scheme, host=server.host, port=server.port)
    started(server._root, server.runner.server)


async def _answer(request: web.BaseRequest, handle: Handle) -> web.StreamResponse:
    return await handle(request)


class _ServerConnector(InMemoryConnector):
    """A connector that lets a server answer all requests."""

    def __init__(self, server: BaseTestServer) -> None:
        super().__init__()
        self._server = server
        self._context = copy_context()

    async def connect(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> Connection:
        connection = cast("Connection", await base_connect()(self, req, traces, timeout))
        runner = self._server.runner
        assert runner is not None
        assert runner.server is not None
        asked = _Asked(req)
        Serving(cast(Any, runner.server), self._context, _answer).begin(connection, asked, asked)
        return connection


class _Asked:
    """A request that is not recorded as a call."""

    latency: float | None = None

    def __init__(self, request: ClientRequest) -> None:
        self.request = request

    @property
    def exchange(self) -> Receiver:
        """Receives what is written, and does not keep it."""
        return self

    def connect(self) -> None:
        """Note nothing."""

    def disconnect(self) -> None:
        """Note nothing."""

    def receive(self, data: bytes) -> None:
        """Record nothing."""

    def respond(self) -> NoReturn:
        """Never called, because the server responds."""
        raise NotImplementedError
