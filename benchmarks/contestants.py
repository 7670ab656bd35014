"""What is compared: each contestant answers the same requests, in its own way.

Nothing but the contestant itself is imported in a process, for two of them go by the same name.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple
from unittest import IsolatedAsyncioTestCase
from unittest.mock import AsyncMock, patch

from aiohttp import ClientSession

SMALL = {"id": 7, "name": "Ada Lovelace", "tags": ["author", "admin"], "active": True}
LARGE_SIZE = 64 * 2 ** 20


class Exchange(NamedTuple):
    """The requests of a measure, and their answer: SMALL, or LARGE_SIZE bytes."""

    method: str = "GET"
    large: bool = False
    mocks: int = 1
    """How many mocks are registered; the last one answers."""
    latency: float | None = None
    """That of the mock, where it has one."""
    keep_calls: int | None = None
    """How many calls the mock keeps, where it can be given a number; None for all."""
    served_by: str = ""
    """What answers in this package, where it is no canned reply: a "handler", or a "mount"."""

    @property
    def body(self) -> bytes:
        return bytes(LARGE_SIZE) if self.large else json.dumps(SMALL).encode()


class PlainCase(IsolatedAsyncioTestCase):
    """A test case that does nothing, and mocks nothing."""

    async def test(self) -> None:
        pass


class Floor:
    """Knows GET alone."""

    @asynccontextmanager
    async def answering(self, exchange: Exchange) -> AsyncIterator[tuple[ClientSession, str]]:
        """Answer requests of this kind; give a session for them, and their URL."""
        from floor import FloorConnector

        body = exchange.body
        # Just what this package sends.
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        async with ClientSession(connector=FloorConnector(head + body)) as session:
            yield session, "http://api.example.com/users/7"


class Mock:
    """A package that mocks by URL; the three of them share the names of their methods."""

    module, name = "aioresponses", "aioresponses"
    """What is imported of it, and from where."""

    @asynccontextmanager
    async def answering(self, exchange: Exchange) -> AsyncIterator[tuple[ClientSession, str]]:
        """Answer requests of this kind; give a session for them, and their URL."""
        urls = [f"http://api.example.com/users/{number}" for number in range(exchange.mocks)]
        answer: dict[str, Any] = {"body": exchange.body} if exchange.large else {"payload": SMALL}
        options = {} if exchange.keep_calls is None else {"keep_calls": exchange.keep_calls}
        async with self.active(**options) as mock, ClientSession() as session:
            mock.latency = exchange.latency
            for url in urls:
                mock.add(url, exchange.method, repeat=True, **answer)
            yield session, urls[-1]

    @asynccontextmanager
    async def active(self, **options: Any) -> AsyncIterator[Any]:
        from aioresponses import aioresponses

        with aioresponses(**options) as mock:
            yield mock

    def test_case(self) -> type[IsolatedAsyncioTestCase]:
        """Return a test case like `PlainCase`, in which requests would be answered."""
        active = self.active

        class MockedCase(IsolatedAsyncioTestCase):
            async def test(self) -> None:
                async with active():
                    pass

        return MockedCase


def answering_application() -> Any:
    """Return an application that reads a request, and answers with the body of an exchange: /small, or /large."""
    from aiohttp import web

    bodies = {"/small": Exchange().body, "/large": Exchange(large=True).body}

    async def answer(request: Any) -> Any:
        await request.read()
        return web.Response(body=bodies[request.path], content_type="application/json")

    app = web.Application(client_max_size=0)
    app.router.add_route("*", "/{name}", answer)
    return app


def small_application() -> Any:
    """Return an application that answers GET of any path with SMALL."""
    from aiohttp import web

    app = web.Application()
    app.router.add_get("/{path:.*}", answer_small)
    return app


async def answer_small(request: Any) -> Any:
    from aiohttp import web

    return web.json_response(SMALL)


async def echo(request: Any) -> Any:
    """Send back what comes over a WebSocket."""
    from aiohttp import web

    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for message in ws:
        await ws.send_str(message.data)
    return ws


class ThisPackage(Mock):
    @asynccontextmanager
    async def echoing(self) -> AsyncIterator[tuple[ClientSession, str]]:
        """Send back what comes over a WebSocket; give a session for it, and its URL."""
        from aioresponses import aioresponses

        async with aioresponses() as mock, ClientSession() as session:
            mock.get("http://api.example.com/echo", handler=echo, repeat=True)
            yield session, "http://api.example.com/echo"

    @asynccontextmanager
    async def answering(self, exchange: Exchange) -> AsyncIterator[tuple[ClientSession, str]]:
        if not exchange.served_by:
            async with super().answering(exchange) as answering:
                yield answering
            return
        from aioresponses import aioresponses

        async with aioresponses() as mock, ClientSession() as session:
            if exchange.served_by == "mount":
                mock.mount("http://api.example.com", small_application())
            else:
                mock.get("http://api.example.com/users/7", handler=answer_small, repeat=True)
            yield session, "http://api.example.com/users/7"

    def application_test_case(self) -> type[IsolatedAsyncioTestCase]:
        """Return a test case of an application that is asked once."""
        from aioresponses import AioResponsesTestCase

        class InMemoryCase(AioResponsesTestCase, application_case()):  # type: ignore[misc]
            serve_in_memory = True

        return InMemoryCase

    def test_case(self, **attributes: Any) -> type[IsolatedAsyncioTestCase]:
        """Return a test case like `PlainCase`, in which requests would be answered, with these attributes."""
        from aioresponses import AioResponsesTestCase

        class MockedCase(AioResponsesTestCase):
            async def test(self) -> None:
                pass

        return type("MockedCase", (MockedCase,), attributes)

    def back_off_case(self, virtual: bool) -> type[IsolatedAsyncioTestCase]:
        """Return a test case of a client that sleeps three times, in virtual time or with its sleeps patched."""
        from aioresponses import AioResponsesTestCase

        class BackOffCase(AioResponsesTestCase):
            virtual_time = virtual

            async def test(self) -> None:
                self.mock.get("http://api.example.com/users/7", status=503, repeat=3)
                self.mock.get("http://api.example.com/users/7", payload=SMALL)
                session = self.client_session()
                with nullcontext() if virtual else patch("asyncio.sleep", AsyncMock()):
                    for seconds in (1, 2, 4, 8):
                        async with session.get("http://api.example.com/users/7") as response:
                            if response.status == 200:
                                break
                        await asyncio.sleep(seconds)
                self.assertCallCount(4)

        return BackOffCase

    def messages_case(self, messages: list[str], taken: list[float]) -> type[IsolatedAsyncioTestCase]:
        """Return a test case that sends messages, asserts that they were sent, and notes what the assertion took."""
        from aioresponses import AioResponsesTestCase

        class MessagesCase(AioResponsesTestCase):
            async def test(self) -> None:
                ws = self.mock.websocket("http://api.example.com/ticks")
                async with self.client_session().ws_connect("http://api.example.com/ticks") as client:
                    for message in messages:
                        await client.send_str(message)
                started = time.perf_counter()
                self.assertWebSocketReceived(messages, ws)
                taken.append(time.perf_counter() - started)

        return MessagesCase

    @contextmanager
    def clock(self) -> Iterator[None]:
        """Have time be virtual."""
        from aioresponses import VirtualClock

        with VirtualClock(limit=10 ** 9):
            yield


class Published(Mock):
    """aioresponses 0.7.9."""

    def test_case(self) -> type[IsolatedAsyncioTestCase]:
        from aioresponses import aioresponses

        class MockedCase(IsolatedAsyncioTestCase):
            async def test(self) -> None:
                with aioresponses():
                    pass

        return MockedCase


class Aiointercept(Mock):
    module = name = "aiointercept"

    @asynccontextmanager
    async def active(self) -> AsyncIterator[Any]:
        from aiointercept import aiointercept

        async with aiointercept(mock_external_urls=True) as mock:
            yield mock


class RealServer:
    """An `aiohttp.test_utils.TestServer` in a process of its own, so that it works while the client does."""

    def __init__(self) -> None:
        # It goes when this process goes, for then its stdin ends.
        self._server = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("server.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._server.stdout is not None
        self._port = int(self._server.stdout.readline())

    @asynccontextmanager
    async def answering(self, exchange: Exchange) -> AsyncIterator[tuple[ClientSession, str]]:
        """Answer requests of this kind; give a session for them, and their URL."""
        async with ClientSession() as session:
            yield session, f"http://127.0.0.1:{self._port}/{'large' if exchange.large else 'small'}"


def application_case() -> Any:
    """Return a test case of an application, as aiohttp has it."""
    from aiohttp.test_utils import AioHTTPTestCase

    class ApplicationCase(AioHTTPTestCase):
        async def get_application(self) -> Any:
            return small_application()

        async def test(self) -> None:
            async with self.client.get("/users/7") as response:
                await response.json()

    return ApplicationCase


class Loopback:
    """An `aiohttp.test_utils.TestServer` in the process of the client, and on its loop, as in most tests."""

    module, name = "aiohttp.test_utils", "TestServer"

    @asynccontextmanager
    async def answering(self, exchange: Exchange) -> AsyncIterator[tuple[ClientSession, str]]:
        """Answer requests of this kind; give a session for them, and their URL."""
        app = small_application() if exchange.served_by else answering_application()
        async with self.serving(app) as server, ClientSession() as session:
            yield session, str(server.make_url("/large" if exchange.large else "/small"))

    @asynccontextmanager
    async def echoing(self) -> AsyncIterator[tuple[ClientSession, str]]:
        """Send back what comes over a WebSocket; give a session for it, and its URL."""
        from aiohttp import web

        app = web.Application()
        app.router.add_get("/echo", echo)
        async with self.serving(app) as server, ClientSession() as session:
            yield session, str(server.make_url("/echo"))

    @asynccontextmanager
    async def serving(self, app: Any) -> AsyncIterator[Any]:
        from aiohttp.test_utils import TestServer

        server = TestServer(app)
        await server.start_server(access_log=None)
        try:
            yield server
        finally:
            await server.close()

    def test_case(self) -> type[IsolatedAsyncioTestCase]:
        """Return a test case like `PlainCase`, in which requests would be answered."""
        serving = self.serving

        class ServedCase(IsolatedAsyncioTestCase):
            async def test(self) -> None:
                async with serving(small_application()):
                    pass

        return ServedCase

    def application_test_case(self) -> type[IsolatedAsyncioTestCase]:
        """Return a test case of an application that is asked once."""
        return application_case()  # type: ignore[no-any-return]


CONTESTANTS: dict[str, type[Any]] = {
    "floor": Floor,
    "this package": ThisPackage,
    "aioresponses 0.7.9": Published,
    "aiointercept": Aiointercept,
    "real server": RealServer,
    "loopback": Loopback,
}
