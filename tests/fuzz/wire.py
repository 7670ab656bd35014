"""A reply as the bytes that a correct server writes, worked out anew: nothing here is shared with the package."""

from __future__ import annotations

import http
import importlib
import json
import zlib
from http.cookies import SimpleCookie
from typing import Any, NamedTuple

from multidict import CIMultiDict

from aioresponses import Fault

from .exchanges import AT_ONCE, Reply, Stream

LAST_CHUNK = b"0\r\n\r\n"


class Request(NamedTuple):
    """A request as it came in: its body without transfer and content coding, where that can be undone."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return CIMultiDict(self.headers).get(name, "")


class Wire(NamedTuple):
    """What a server writes, piece by piece, and what it does with the connection then: `keep`, `close` or `reset`."""

    pieces: list[bytes]
    end: str


def wire(reply: Reply, request: Request, host: str) -> Wire:
    """Return what a correct server writes as this reply to this request."""
    if reply.fault is Fault.CONNECTION_RESET:
        return Wire([], "reset")
    if reply.fault is Fault.EMPTY_RESPONSE:
        return Wire([], "close")
    if reply.fault is Fault.MALFORMED_RESPONSE:
        # Any words would do, but the client repeats them; so they are those of the mock.
        return Wire([b"This is not HTTP.\r\n\r\n"], "close")
    headers = _headers(reply, host)
    has_body = request.method != "HEAD" and reply.status not in (204, 304)
    pieces, is_compressed = _compressed(reply, headers, has_body)
    # A file has a length, unless it is compressed or sent in chunks.
    is_file = isinstance(reply.body, Stream) and reply.body.kind == "file"
    is_stream = isinstance(reply.body, Stream) and not (
        is_file and not is_compressed and "Transfer-Encoding" not in headers
    )
    _announce(reply, headers, sum(map(len, pieces)), is_stream, has_body)
    is_complete = reply.fault is not Fault.TRUNCATED_BODY and not _breaks(reply)
    pieces = _framed(headers, pieces, is_stream, is_complete)
    if reply.fault is Fault.TRUNCATED_BODY:
        pieces = _cut(headers, pieces, is_stream)
    end = _end(reply, request, headers, sum(map(len, pieces)), has_body)
    pieces = [_head(reply, headers), *(pieces if has_body else [])]
    # What is known from the beginning need not come piece by piece.
    at_once = not isinstance(reply.body, Stream) or reply.body.kind in AT_ONCE
    return Wire([b"".join(pieces)] if at_once else pieces, end)


def _head(reply: Reply, headers: CIMultiDict[str]) -> bytes:
    phrases = {status.value: status.phrase for status in http.HTTPStatus}
    reason = phrases.get(reply.status, "") if reply.reason is None else reply.reason
    lines = [f"HTTP/1.1 {reply.status} {reason}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode()


def _headers(reply: Reply, host: str) -> CIMultiDict[str]:
    headers = CIMultiDict(reply.headers_with(host))
    headers.setdefault("Content-Type", reply.content_type)
    cookies: SimpleCookie = SimpleCookie(dict(reply.cookies))
    for morsel in cookies.values():
        morsel["path"] = "/"
        headers.add("Set-Cookie", morsel.OutputString())
    return headers


def _breaks(reply: Reply) -> bool:
    return isinstance(reply.body, Stream) and reply.body.breaks is not None


def _source(reply: Reply) -> list[bytes]:
    if reply.payload is not None:
        return [json.dumps(reply.payload).encode()]
    if isinstance(reply.body, Stream):
        return reply.body.encoded
    return [reply.body.encode() if isinstance(reply.body, str) else reply.body]


# Content coding.


def _compressed(reply: Reply, headers: CIMultiDict[str], has_body: bool) -> tuple[list[bytes], bool]:
    """Return the pieces of the body, compressed if the headers say so, and whether they are.

    What is compressed already stays as it is. A coding that there is no codec for is not used, as if the client did not
    accept it.
    """
    pieces = _source(reply)
    coding = headers.get("Content-Encoding", "").lower()
    compressor = _compressor(coding)
    if compressor is None and coding in ("br", "zstd"):
        del headers["Content-Encoding"]
    is_stream, is_empty = isinstance(reply.body, Stream), not any(pieces)
    if is_empty and not is_stream:
        return pieces, False
    if compressor is None or b"".join(pieces).startswith((b"\x1f\x8b", b"\x78\x9c")):
        return pieces, False
    if has_body:
        # It is the length of other bytes than these.
        headers.popall("Content-Length", None)
    if is_empty:
        return pieces, True
    coded = [compressor.compress(piece) for piece in pieces]
    if not is_stream or reply.fault is not Fault.TRUNCATED_BODY and not _breaks(reply):
        coded.append(compressor.flush())
    return coded, True


def _compressor(coding: str) -> Any:
    # The client sees how long the body is when it is compressed, so it is compressed as the mock does it.
    if coding == "gzip":
        return zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    if coding == "deflate":
        return zlib.compressobj()
    if coding == "br" and (module := _first_of("brotlicffi", "brotli")) is not None:
        return _Brotli(module.Compressor())
    if coding == "zstd" and (module := _first_of("compression.zstd", "backports.zstd")) is not None:
        return module.ZstdCompressor()
    return None


def _first_of(*modules: str) -> Any:
    for name in modules:
        try:
            return importlib.import_module(name)
        except ImportError:
            pass
    return None


class _Brotli:
    def __init__(self, compressor: Any) -> None:
        self.compress, self.flush = compressor.process, compressor.finish


# How the client finds the end.


def _announced(headers: CIMultiDict[str]) -> int | None:
    return int(headers["Content-Length"]) if "Content-Length" in headers else None


def _announce(reply: Reply, headers: CIMultiDict[str], size: int, is_stream: bool, has_body: bool) -> None:
    """Put in order which headers say where the body ends."""
    if reply.status == 204:
        # RFC 9110, 8.6, and RFC 9112, 6.1: there must be neither.
        headers.popall("Content-Length", None)
        headers.popall("Transfer-Encoding", None)
    elif "Transfer-Encoding" in headers:
        headers.popall("Content-Length", None)
    elif reply.status == 304:
        pass  # Of what is not sent, a length is taken at its word.
    elif is_stream:
        if "Content-Length" not in headers:
            headers["Transfer-Encoding"] = "chunked"
    elif reply.fault is Fault.TRUNCATED_BODY:
        headers.setdefault("Content-Length", str(max(size, 1)))
    elif has_body:
        headers["Content-Length"] = str(size)
    else:
        headers.setdefault("Content-Length", str(size))


def _framed(headers: CIMultiDict[str], pieces: list[bytes], is_stream: bool, is_complete: bool) -> list[bytes]:
    if "Transfer-Encoding" not in headers:
        return pieces
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece]
    return chunks + [LAST_CHUNK] * (is_complete or not is_stream)


def _cut(headers: CIMultiDict[str], pieces: list[bytes], is_stream: bool) -> list[bytes]:
    """Return the first half of what would be sent; of a stream, half of what is announced, or all but its end."""
    size, announced = sum(map(len, pieces)), _announced(headers)
    if is_stream and announced is None:
        return pieces
    most = (announced if is_stream else min(size, size if announced is None else announced)) or 0
    whole = b"".join(pieces)[:most // 2]
    cut = []
    for piece in pieces:
        cut.append(whole[:len(piece)])
        whole = whole[len(piece):]
    return cut


def _end(reply: Reply, request: Request, headers: CIMultiDict[str], sent: int, has_body: bool) -> str:
    asked = request.header("Connection").lower() == "close"
    if asked:
        headers.setdefault("Connection", "close")
    if has_body and _breaks(reply):
        return "reset"
    announced = _announced(headers)
    falls_short = has_body and announced is not None and announced > sent
    closes = asked or falls_short or headers.get("Connection", "").lower() == "close"
    return "close" if closes or reply.fault is Fault.TRUNCATED_BODY else "keep"
