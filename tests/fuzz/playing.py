"""The client of a case, and what there is to observe; the same code runs with the server and with the mock."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import re
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import (
    ClientPayloadError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    CookieJar,
    TCPConnector,
    TraceConfig,
)
from multidict import CIMultiDict
from yarl import URL

from aioresponses import aioresponses

from .exchanges import AT_ONCE, PARTIAL, WHOLE, Call, Case, Exchange, Form, Parts, Stopped, Stream
from .server import Server, settle
from .wire import Request

HANGS = 5.0
"""After so many seconds a call is said to hang; nothing in a case needs waiting for."""


async def with_server(case: Case, server: Server) -> list[str]:
    """Return what the client observes with the server, and what came in there."""
    server.prepare(case)
    lines = await _played(case, server.host, _translated)
    for request in server.received:
        lines += _came_in(request)
    return lines


async def with_mock(case: Case, host: str) -> list[str]:
    """Return what the client observes with the mock, and what the mock says that came in."""
    with aioresponses() as mock:
        lines = _register(mock, case, host)
        lines += await _played(case, host, lambda error, body: error)
    for call in mock.calls:
        for hop in call.hops:
            try:
                if hop.headers:
                    target = URL(hop.url, encoded=True).raw_path_qs
                    lines += _came_in(Request(hop.method.upper(), target, list(hop.headers.items()), hop.body))
            except Exception as error:
                lines.append(f"the record raised {_described(error)}")
    return lines


def _register(mock: aioresponses, case: Case, host: str) -> list[str]:
    """Register the replies of a case; return what went wrong."""
    lines = []
    for place, call in enumerate(case.calls):
        for hop, exchange in enumerate(call.exchanges):
            url = _registered(call, exchange, f"{host}/{place}.{hop}", host)
            # A redirect may make it a GET.
            for method in dict.fromkeys([call.method.upper(), "GET"][:hop + 1]):
                try:
                    mock.add(url, method, replies=[reply.opened(host) for reply in exchange.replies])
                except Exception as error:
                    lines.append(f"registering {place}.{hop} raised {_described(error)}")
    return lines


def _registered(call: Call, exchange: Exchange, prefix: str, host: str) -> URL | re.Pattern[str]:
    """Return what a mock is registered with."""
    if exchange.by == "pattern":
        return re.compile(rf"http://([^/@]+@)?{re.escape(prefix)}(?=[/?]|$)")
    credentials = call.options["credentials"] if exchange.by == "credentials" else ""
    # Braces would make text a template.
    url = URL(f"http://{credentials}{host}{exchange.target}")
    if "params" in call.options and exchange is call.exchanges[0]:
        url = url.with_query([*url.query.items(), *URL().with_query(call.options["params"]).query.items()])
    return url


Translate = Callable[[BaseException, object], BaseException]


def _translated(error: BaseException, body: object) -> BaseException:
    """Return what a mock is to raise in place of what a client makes of a broken connection."""
    raised = body.error if isinstance(body, Stream) else None
    is_broken = isinstance(error, ClientPayloadError) and "payload is not completed" in str(error)
    return raised if is_broken and raised is not None and not isinstance(raised, ConnectionError) else error


async def _played(case: Case, host: str, translate: Translate) -> list[str]:
    lines: list[str] = []
    connections: list[object] = []

    class Request(ClientRequest):
        """Notes which connection it is sent on."""

        async def send(self, conn: Any) -> ClientResponse:
            if conn.transport not in connections:
                connections.append(conn.transport)
            lines.append(f"  sent on connection {connections.index(conn.transport)}")
            return await super().send(conn)

    options = dict(case.session)
    options["connector"] = TCPConnector(force_close=options.pop("force_close", False))
    if options.pop("traced", False):
        options["trace_configs"] = [TraceConfig()]
    with _logging(lines):
        # Only an unsafe jar keeps the cookies of an address.
        async with ClientSession(request_class=Request, cookie_jar=CookieJar(unsafe=True), **options) as session:
            for place, call in enumerate(case.calls):
                lines.append(f"call {place}")
                lines += await _within_time(_called(session, call, host, translate))
                # Longer than the server waits before it closes a connection.
                await settle(60)
            lines.append(f"jar: {sorted((cookie.key, cookie.value, cookie['path']) for cookie in session.cookie_jar)}")
    return lines


@contextmanager
def _logging(lines: list[str]) -> Iterator[None]:
    """Add to `lines` what asyncio and Python would log."""

    def log(loop: object, context: dict[str, Any]) -> None:
        error = context.get("exception")
        lines.append(f"logged: {context['message']}" + (f": {_described(error)}" if error is not None else ""))

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log)
    before = sys.unraisablehook
    sys.unraisablehook = lambda args: lines.append(f"not raised: {_described(args.exc_value or args.exc_type())}")
    try:
        yield
        gc.collect()
    finally:
        loop.set_exception_handler(None)
        sys.unraisablehook = before


async def _within_time(called: Coroutine[Any, Any, list[str]]) -> list[str]:
    task = asyncio.create_task(called)
    done, _ = await asyncio.wait([task], timeout=HANGS)
    if done:
        return task.result()
    task.cancel()
    await asyncio.wait([task])
    return ["  hangs"]


async def _called(session: ClientSession, call: Call, host: str, translate: Translate) -> list[str]:
    options = {
        name: value.opened() if isinstance(value, (Stream, Form, Parts)) else value
        for name, value in call.options.items()
    }
    if callable(options.get("data")):
        options["data"] = options["data"]()
    if "headers" in options:
        options["headers"] = CIMultiDict(options["headers"])
    url = f"http://{options.pop('credentials', '')}{host}{call.exchanges[0].target}"
    lines: list[str] = []
    got: list[object] = []
    body: object = None
    try:
        async with session.request(call.method, url, **options) as response:
            lines += _observed(response)
            # A redirect that leads nowhere stands in its own history.
            hops = [earlier for earlier in response.history if earlier is not response]
            body = call.exchanges[len(hops)].replies[-1].body
            if call.reading in PARTIAL and isinstance(body, Stream) and body.kind in AT_ONCE:
                await settle()
            await READERS[call.reading](response, got, call.size)
    except (Exception, asyncio.CancelledError, Stopped) as error:
        lines.append(f"  raised {_described(translate(error, body))}")
    # Where one piece ends and the next begins is not for servers to say.
    joined = b"".join(piece for piece in got if isinstance(piece, bytes))
    others = [piece for piece in got if not isinstance(piece, bytes)]
    return lines + [f"  read {_shown(piece)}" for piece in [joined, *others] if piece != b""]


# What is observed, as lines of text.


def _observed(response: ClientResponse) -> list[str]:
    lines = []
    for one in (*response.history, response):
        lines.append(f"  {one.status} {one.reason!r} to {one.method} {one.url} ({one.real_url})")
        lines += [f"    {name}: {value}" for name, value in _headers(one)]
        lines += [f"    cookie {morsel.OutputString()}" for morsel in one.cookies.values()]
    return [*lines, f"  type: {response.content_type}, {response.charset}"]


def _headers(response: ClientResponse) -> list[tuple[str, str]]:
    # Those of one name stand in order, others have none. How a server writes the names of its own is its choice.
    own = ("content-length", "content-type", "transfer-encoding", "connection")
    pairs = [(name.lower() if name.lower() in own else name, value) for name, value in response.headers.items()]
    return sorted(((name, _shown(value)) for name, value in pairs), key=lambda pair: pair[0].lower())


def _came_in(request: Request) -> list[str]:
    headers, body = request.headers, request.body
    boundary = re.match(rb"--([0-9a-f]{32})\r\n", body)
    if boundary is not None:
        headers = [(name, value.replace(boundary[1].decode(), "BOUNDARY")) for name, value in headers]
        body = body.replace(boundary[1], b"BOUNDARY")
    # Up to 3.13, aiohttp's parser leaves the spaces behind a value.
    lines = [f"  {name}: {_shown(value.rstrip())}" for name, value in headers]
    return [f"came in: {request.method} {request.target}", *lines, f"  body: {_shown(body)}"]


def _described(error: BaseException) -> str:
    text = re.sub(r"\b(ConnectionReset|ConnectionAborted|BrokenPipe)Error\(.*?\)", "<a broken connection>", str(error))
    return f"{type(error).__name__}: {re.sub('0x[0-9a-f]{6,}', '0x…', text)}"


def _shown(value: object) -> str:
    shown = repr(value)
    if len(shown) <= 200:
        return shown
    return f"{shown[:50]}… ({len(shown)} characters, {hashlib.sha256(shown.encode()).hexdigest()[:8]})"


# Ways to read a response. What was read is in `got`, before an error as well.


async def read(response: ClientResponse, got: list[object], size: int) -> None:
    got.append(await response.read())


async def text(response: ClientResponse, got: list[object], size: int) -> None:
    got.append(await response.text())


async def json(response: ClientResponse, got: list[object], size: int) -> None:
    got.append(await response.json())


async def iter_chunked(response: ClientResponse, got: list[object], size: int) -> None:
    async for piece in response.content.iter_chunked(size):
        got.append(piece)


async def iter_any(response: ClientResponse, got: list[object], size: int) -> None:
    async for piece in response.content.iter_any():
        got.append(piece)


async def readline(response: ClientResponse, got: list[object], size: int) -> None:
    while line := await response.content.readline():
        got.append(line)


async def readexactly(response: ClientResponse, got: list[object], size: int) -> None:
    got.append(await response.content.readexactly(size))
    got.append(await response.content.read())


async def release(response: ClientResponse, got: list[object], size: int) -> None:
    response.release()


async def close(response: ClientResponse, got: list[object], size: int) -> None:
    response.close()


async def read_and_close(response: ClientResponse, got: list[object], size: int) -> None:
    got.append(await response.content.read(size))
    response.close()


async def read_and_release(response: ClientResponse, got: list[object], size: int) -> None:
    got.append(await response.content.read(size))
    response.release()


async def nothing(response: ClientResponse, got: list[object], size: int) -> None:
    """Leave it to the end of the `async with` block."""


READERS: dict[str, Callable[[ClientResponse, list[object], int], Awaitable[None]]] = {
    name: globals()[name] for name in (*WHOLE, *PARTIAL)
}
