"""Real servers on loopback, and test cases that hold a mock against them."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import unittest
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiohttp import ClientResponse, ClientSession, TraceConfig, web
from multidict import CIMultiDict
from yarl import URL

from aioresponses import aioresponses

from .support import AIOHTTP, values_of


class Received(NamedTuple):
    """A request as it came in; the boundary of a multipart body, which is random, is left out."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    body: bytes

    @classmethod
    def of(cls, method: str, url: URL | str, headers: Iterable[tuple[str, str]], body: bytes) -> Received:
        pairs = list(headers)
        boundary = re.search("boundary=([0-9a-f]{32})", dict(pairs).get("Content-Type", ""))
        if boundary is not None:
            pairs = [(name, value.replace(boundary[1], "BOUNDARY")) for name, value in pairs]
            body = body.replace(boundary[1].encode(), b"BOUNDARY")
        return cls(method.upper(), str(URL(url).with_user(None)), pairs, body)

    def header(self, name: str) -> str | None:
        return CIMultiDict(self.headers).get(name)


class Seen(NamedTuple):
    """A response as the client saw it; what every server says of itself is left out."""

    status: int
    reason: str | None
    method: str
    url: str
    history: list[tuple[int, str, str]]
    cookies: dict[str, str]
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return CIMultiDict(self.headers).get(name)


async def seen(response: ClientResponse) -> Seen:
    """Read a response to its end and return all that there is to see of it."""
    return Seen(
        response.status,
        response.reason,
        response.method,
        str(response.url),
        [(earlier.status, earlier.method, str(earlier.url)) for earlier in response.history],
        {name: morsel.value for name, morsel in response.cookies.items()},
        sorted(
            (name, value)
            for name in {name.lower(): name for name in response.headers}.values()
            for value in values_of(response, name)
            if name not in ("Date", "Server", "Connection")
        ),
        await response.read(),
    )


async def fetch(session: ClientSession, method: str, url: URL, **options: Any) -> Seen:
    async with session.request(method, url, **options) as response:
        return await seen(response)


Behave = Callable[[asyncio.StreamWriter, int], Awaitable["bool | None"]]


class RawServer:
    """A server of plain asyncio on loopback, for what no decent server does.

    It notes in `received` what comes in, requests with a `Content-Length` or without a body. After each, it calls
    `behave` with the writer of the connection and the number of requests before it, and closes the connection unless
    `behave` returns True.
    """

    def __init__(self, behave: Behave, received: list[Received]) -> None:
        self.url = URL()
        self._behave = behave
        self._received = received
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = URL.build(scheme="http", host="127.0.0.1", port=self._server.sockets[0].getsockname()[1], path="/")

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            goes_on: bool | None = True
            while goes_on:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *lines = head.rstrip("\r\n").split("\r\n")
                method, path, _ = line.split(" ")
                headers = [(name, value) for name, value in (line.split(": ", 1) for line in lines)]
                body = await reader.readexactly(int(CIMultiDict(headers).get("Content-Length", "0")))
                self._received.append(Received.of(method, self.url.join(URL(path)), headers, body))
                self._count += 1
                goes_on = await self._behave(writer, self._count - 1)
        except (asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
            pass  # The end of the test, or a client that has gone.
        finally:
            writer.close()
            self._tasks.discard(task)


def reset(writer: asyncio.StreamWriter) -> None:
    """Break a connection off, so that its other end finds it reset."""
    # To linger for no time is to send RST in place of FIN.
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@dataclass(eq=False)
class Reply:
    """What an `Origin` says to one request."""

    method: str
    url: URL
    status: int
    body: bytes
    headers: list[tuple[str, str]]
    sent_body: bytes
    reason: str | None
    begun: asyncio.Event
    answer: asyncio.Event | None

    async def wait(self) -> None:
        self.begun.set()
        if self.answer is not None:
            await self.answer.wait()


def url_of(request: web.BaseRequest) -> URL:
    # request.url does not work with aiohttp 3.8 and a yarl of today.
    return URL(f"http://{request.host}").join(request.rel_url)


class Origin:
    """A real server that gives every reply once, in order, and all that a mock must know to answer as it does."""

    def __init__(self) -> None:
        self.url = URL()
        self.replies: list[Reply] = []
        self._left: list[Reply] = []

    def answers(
        self,
        method: str,
        path: str | URL,
        status: int = 200,
        body: bytes = b"",
        headers: Iterable[tuple[str, str]] = (),
        sent_body: bytes | None = None,
        reason: str | None = None,
        answer: asyncio.Event | None = None,
    ) -> Reply:
        """Add a reply to one request.

        The mock is registered with `body`; `sent_body` is what a server sends for it, if that is another. The event
        `begun` of the reply is set as the request comes in; where there is an event `answer`, the reply waits for it.
        """
        reply = Reply(
            method,
            self.url.join(URL(path)),
            status,
            body,
            [("Content-Type", "text/plain; charset=utf-8"), *headers],
            body if sent_body is None else sent_body,
            reason,
            asyncio.Event(),
            answer,
        )
        self.replies.append(reply)
        self._left.append(reply)
        return reply

    async def handle(self, request: web.Request) -> web.Response:
        for reply in self._left:
            if (reply.method, reply.url) == (request.method, url_of(request)):
                self._left.remove(reply)
                await reply.wait()
                return _response(reply)
        raise web.HTTPNotFound()

    def register(self, mock: aioresponses) -> None:
        for reply in self.replies:
            mock.add(
                reply.url,
                reply.method,
                status=reply.status,
                body=reply.body,
                headers=reply.headers,
                reason=reply.reason,
                callback=None if reply.answer is None else _waits_for(reply),
            )


def _waits_for(reply: Reply) -> Callable[..., Awaitable[None]]:
    async def callback(url: URL, **kwargs: Any) -> None:
        await reply.wait()

    return callback


def _response(reply: Reply) -> web.Response:
    headers = CIMultiDict(reply.headers)
    chunked = headers.pop("Transfer-Encoding", None) is not None
    response = web.Response(status=reply.status, reason=reply.reason, headers=headers, body=reply.sent_body)
    if chunked:
        response.enable_chunked_encoding()
    if headers.get("Connection") == "close":
        response.force_close()
    return response


class Outcome(NamedTuple):
    """What a scenario came to, with the real servers as with the mock."""

    seen: Any
    """What it returned."""

    received: list[Received]
    """The requests that were sent."""


class ServerTestCase(unittest.IsolatedAsyncioTestCase):
    """A test case with real servers on loopback, which are closed when the test ends, and with mocks in their place.

    What comes in at any of the servers is noted in `received`.
    """

    def __init__(self, method: str = "runTest") -> None:
        super().__init__(method)
        self.received: list[Received] = []
        self._origins: list[Origin] = []

    async def serve(self, *routes: web.RouteDef) -> URL:
        """Start a server of aiohttp's with these routes; return its URL.

        It stands for the network: a mock that has no answer lets requests through to a `TestServer`, but to no other.
        """
        application = web.Application()
        application.add_routes(
            [web.route(route.method, route.path, self._noting(route.handler)) for route in routes]
        )
        # As in a `TestServer`, a handler ends when the client has gone.
        runner = web.AppRunner(application, **({"handler_cancellation": True} if AIOHTTP >= (3, 9) else {}))
        await runner.setup()
        self.addAsyncCleanup(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return URL.build(scheme="http", host="127.0.0.1", port=runner.addresses[0][1], path="/")

    def _noting(self, handler: Any) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                body = await request.read()
            except Exception as error:
                # The client gave up; aiohttp 3.8 would log that.
                raise web.HTTPBadRequest() from error
            headers = [(name.decode(), value.decode("utf-8", "surrogateescape")) for name, value in request.raw_headers]
            self.received.append(Received.of(request.method, url_of(request), headers, body))
            return await handler(request)

        return handle

    async def serve_raw(self, behave: Behave) -> URL:
        """Start a `RawServer`; return its URL."""
        server = RawServer(behave, self.received)
        await server.start()
        self.addAsyncCleanup(server.close)
        return server.url

    async def origin(self) -> Origin:
        """Start a server whose replies are stated one by one, for the mock as well."""
        origin = Origin()
        origin.url = await self.serve(web.route("*", "/{path:.*}", origin.handle))
        self._origins.append(origin)
        return origin

    async def compare(
        self,
        scenario: Callable[[], Awaitable[Any]],
        register: Callable[[aioresponses], object] = lambda mock: None,
        what_came_in: bool = True,
    ) -> Outcome:
        """Run `scenario` with the real servers, and then with a mock that answers in their place.

        The mock answers as the origins of the test do, and with what `register` registers. Fails unless `scenario`
        returns the same both times and, if `what_came_in` is true, the same requests came in.
        """
        self.received.clear()
        real = await scenario()
        for reply in (reply for origin in self._origins for reply in origin.replies):
            reply.begun.clear()
            if reply.answer is not None:
                # Handlers that still wait are released, because a server waits for its handlers when it is closed.
                reply.answer.set()
                reply.answer.clear()
                self.addCleanup(reply.answer.set)
        with aioresponses() as mock:
            for origin in self._origins:
                origin.register(mock)
            register(mock)
            mocked = await scenario()
        self.assertEqual(mocked, real)
        received = requests_of(mock)
        if what_came_in:
            self.assertEqual(received, self.received)
        return Outcome(real, received)


def requests_of(mock: aioresponses) -> list[Received]:
    """Return the requests that were sent to a mock; one that never got that far has no headers."""
    return [
        Received.of(hop.method, hop.url, hop.headers.items(), hop.body) for call in mock.calls for hop in call.hops
    ]


OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
IDEMPOTENT = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")
METHODS = (*IDEMPOTENT, "POST", "PATCH")


async def resets(writer, before):
    reset(writer)


async def closes(writer, before):
    pass


async def talks_nonsense(writer, before):
    writer.write(b"This is not HTTP.\r\n\r\n")


def sends(*pieces):
    async def behave(writer, before):
        writer.write(b"".join(pieces))

    return behave


async def end_of(session, method, url, **options):
    """Return what a request came to: status and body; or where and with what it failed."""
    try:
        response = await session.request(method, url, **options)
    except (Exception, asyncio.CancelledError) as error:
        return "asked", type(error), str(error), getattr(error, "status", None), getattr(error, "errno", None)
    try:
        return response.status, await response.read()
    except Exception as error:
        return response.status, type(error), str(error)
    finally:
        response.release()


def connections(signals):
    """Make a TraceConfig that notes when a connection is opened, and when one is used again."""
    config = TraceConfig()
    for name in ("on_connection_create_start", "on_connection_reuseconn"):
        async def note(session, context, params, name=name):
            signals.append(name)

        getattr(config, name).append(note)
    return config


class FaultTestCase(ServerTestCase):
    async def like(self, behave, *replies, methods=("GET", "POST"), **options):
        """Return what requests come to with a server that behaves so, and with mocks of these replies."""
        outcomes = {}
        for method in methods:
            with self.subTest(method):
                url = await self.serve_raw(behave)
                signals = []

                def register(mock):
                    for reply in replies:
                        mock.add(url, method, **reply)
                    signals.clear()

                async def scenario():
                    body = {"data": b"body"} if method in ("POST", "PUT", "PATCH") else {}
                    async with ClientSession(trace_configs=[connections(signals)]) as session:
                        return await end_of(session, method, url, **body, **options), tuple(signals)

                outcomes[method] = (await self.compare(scenario, register)).seen[0]
        return outcomes
