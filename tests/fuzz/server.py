"""A server of plain asyncio, which reads the requests of a case and writes its replies."""

from __future__ import annotations

import asyncio
import zlib

from ..servers import reset

from .exchanges import Case, Reply
from .wire import Request, wire


async def settle(turns: int = 20) -> None:
    """Let so many turns of the event loop pass that the other end of a connection has taken notice."""
    for _ in range(turns):
        await asyncio.sleep(0)


class Server:
    """Answers the requests of one case after another; the first segment of a path tells which exchange it is."""

    def __init__(self) -> None:
        self.host = ""
        self.received: list[Request] = []
        self._replies: dict[str, list[Reply]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.host = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def prepare(self, case: Case) -> None:
        """Answer as this case says from now on, and forget what came in before."""
        self.received = []
        self._replies = {
            f"{place}.{hop}": list(exchange.replies)
            for place, call in enumerate(case.calls)
            for hop, exchange in enumerate(call.exchanges)
        }

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
            pass  # The end of the run, or a client that has gone.
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection is there for another."""
        request = await _read(reader, writer)
        self.received.append(request)
        replies = self._replies[request.target.split("?")[0].split("/")[1]]
        # A client that tries again after the last one finds the server as it was.
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        pieces, end = wire(reply, request, self.host)
        for place, piece in enumerate(pieces):
            if place:
                await settle()
            writer.write(piece)
            await writer.drain()
        if end != "keep":
            await settle()
        if end == "reset":
            reset(writer)
        return end == "keep"


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
    line, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].decode("utf-8", "surrogateescape").split("\r\n")
    method, _, rest = line.partition(" ")
    headers = [(name, value.strip(" \t")) for name, _, value in (line.partition(":") for line in lines)]
    request = Request(method, rest.rpartition(" ")[0], headers, b"")
    if "100-continue" in request.header("Expect").lower():
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await settle()
    if "chunked" in request.header("Transfer-Encoding").lower():
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(request.header("Content-Length") or 0))
    return request._replace(body=_decoded(body, request.header("Content-Encoding").lower()))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return body


def _decoded(body: bytes, coding: str) -> bytes:
    wbits = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}.get(coding)
    if wbits is None or not body:
        return body
    try:
        return zlib.decompress(body, wbits)
    except zlib.error:
        return body
