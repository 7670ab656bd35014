"""What several test modules share: a real server beside the mock."""

from __future__ import annotations

import asyncio
import re
import unittest
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestServer
from multidict import CIMultiDict
from yarl import URL

from aioresponses import aioresponses

# More than a connection buffers, on either side of it.
LARGE = bytes(range(256)) * 2 ** 15


class RealServerTestCase(unittest.IsolatedAsyncioTestCase):
    """A test case that can start real servers on loopback, which are closed when the test ends."""

    async def serve(self, *routes: web.AbstractRouteDef) -> TestServer:
        application = web.Application()
        application.add_routes(routes)
        server = TestServer(application)
        await server.start_server()
        self.addAsyncCleanup(server.close)
        return server


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
        sorted(item for item in response.headers.items() if item[0] not in ("Date", "Server", "Connection")),
        await response.read(),
    )


async def fetch(session: ClientSession, method: str, url: URL, **options: Any) -> Seen:
    async with session.request(method, url, **options) as response:
        return await seen(response)


async def error_of(awaitable: Awaitable[object]) -> tuple[type[BaseException], str] | None:
    """Return class and text of the exception that `awaitable` raises; None if it raises none."""
    try:
        await awaitable
    except (Exception, asyncio.CancelledError) as error:
        return type(error), str(error)
    return None


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


class Origin:
    """A real server, and all that a mock must be told to answer as it does: every reply once, in order."""

    def __init__(self, received: list[Received]) -> None:
        self.url = URL()
        self.replies: list[Reply] = []
        self._left: list[Reply] = []
        self._received = received

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
        # request.url does not work with aiohttp 3.8 and a yarl of today.
        url = URL(f"http://{request.host}").join(request.rel_url)
        try:
            body = await request.read()
        except ConnectionError as error:
            # The client gave up; aiohttp 3.8 would log that.
            raise web.HTTPBadRequest() from error
        self._received.append(Received.of(request.method, url, request.headers.items(), body))
        for reply in self._left:
            if (reply.method, reply.url) == (request.method, url):
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
    seen: Any
    received: list[Received]


class ComparingTestCase(RealServerTestCase):
    """A test case that holds the mock against real servers."""

    def setUp(self) -> None:
        self._origins: list[Origin] = []
        self._received: list[Received] = []

    async def origin(self) -> Origin:
        origin = Origin(self._received)
        server = await self.serve(web.route("*", "/{path:.*}", origin.handle))
        origin.url = server.make_url("/")
        self._origins.append(origin)
        return origin

    async def compare(self, scenario: Callable[[], Awaitable[Any]], what_came_in: bool = True) -> Outcome:
        """Run `scenario` with the real servers, and then with a mock of them.

        Fails unless it returns the same both times and, if `what_came_in` is true, the same requests came in. Returns
        both.
        """
        replies = [reply for origin in self._origins for reply in origin.replies]
        real = await scenario()
        for reply in replies:
            reply.begun.clear()
            if reply.answer is not None:
                # Whoever waits still is let go, for a server waits for its handlers when it is closed.
                reply.answer.set()
                reply.answer.clear()
                self.addCleanup(reply.answer.set)
        with aioresponses() as mock:
            for origin in self._origins:
                origin.register(mock)
            mocked = await scenario()
        self.assertEqual(mocked, real)
        received = [
            Received.of(hop.method, hop.url, hop.headers.items(), hop.body) for call in mock.calls for hop in call.hops
        ]
        if what_came_in:
            self.assertEqual(received, self._received)
        return Outcome(real, received)
