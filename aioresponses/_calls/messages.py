"""Reading what was written, or is about to be: the headers and the body of a request, and the content of the body.

aiohttp's own parser decodes content codings. It works without an event loop as long as all data is there and no buffer
is full; it only stores what it gets instead of a loop (3.8.6 to 3.14.5).
"""

from __future__ import annotations

import asyncio
import functools
import re
import sys
import zlib
from email.message import Message as EmailMessage
from http.cookies import SimpleCookie
from json import loads
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl

from aiohttp import hdrs
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpRequestParser
from multidict import CIMultiDict, CIMultiDictProxy, MultiDict

from .._display import shortened

if TYPE_CHECKING:
    from .multipart import Part

_NO_LOOP = cast(asyncio.AbstractEventLoop, object())

_NO_LIMIT = 2 ** 30

_LENGTH = "[0-9]{1,18}"

# The size of a chunk, and its extensions.
_CHUNK = rb"([0-9a-fA-F]{1,16})(?:;[^\r\n]*)?\r\n"


class Message:
    """The name of a request in errors, its headers and its body."""

    def __init__(self, name: str, headers: CIMultiDictProxy[str], body: bytes) -> None:
        self.name = name
        self.headers = headers
        self.body = body
        """After transfer and content decoding."""

    def text(self) -> str:
        """Return the body as text, by the charset of its `Content-Type`, or else as UTF-8."""
        charset = self._charset()
        try:
            return self.body.decode(charset)
        except (ValueError, LookupError) as error:
            raise ValueError(f"the body of {self.name} is not text in {shortened(charset, 60)}: {error}") from error

    def json(self) -> Any:
        """Return the body, decoded from JSON."""
        text = self.text()
        try:
            return loads(text)
        except RecursionError:
            wrong = "it is nested too deeply"
        except ValueError as error:
            wrong = str(error)
        raise ValueError(f"the body of {self.name} is not JSON ({wrong}): {self._described()}")

    def form(self) -> MultiDict[str]:
        """Return the fields of a URL-encoded form."""
        self._expect("application/x-www-form-urlencoded")
        text, charset = self.text(), self._charset()
        try:
            return MultiDict(parse_qsl(text, keep_blank_values=True, encoding=charset))
        except ValueError as error:
            # The charset may decode the text, but not the quoted characters in it.
            raise ValueError(f"the body of {self.name} is not a form in {shortened(charset, 60)}: {error}") from error

    def multipart(self) -> list[Part]:
        """Return the parts of a multipart body; a nested multipart body is replaced by its parts."""
        self._expect("multipart/")
        from .multipart import parts  # Not before it is needed.

        try:
            return parts(self.headers, self.body)
        except Exception as error:  # aiohttp raises ValueError, RuntimeError, and errors of its own and of zlib.
            raise ValueError(f"the body of {self.name} cannot be read as multipart: {error!r}") from error

    def _charset(self) -> str:
        message = EmailMessage()
        message[hdrs.CONTENT_TYPE] = self.headers.get(hdrs.CONTENT_TYPE, "")
        return message.get_content_charset("utf-8")

    def _expect(self, mimetype: str) -> None:
        if not self.headers.get(hdrs.CONTENT_TYPE, "").lower().startswith(mimetype):
            raise ValueError(f"the body of {self.name} is not {mimetype.rstrip('/')}: {self._described()}")

    def _described(self) -> str:
        size = "1 byte" if len(self.body) == 1 else f"{len(self.body)} bytes"
        shown = repr(self.body[:100].decode("utf-8", "replace")) + ("…" if len(self.body) > 100 else "")
        return f"it has Content-Type {self.headers.get(hdrs.CONTENT_TYPE)!r} and {size}: {shown}"


def cookies_of(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    """Return the cookies that were sent with a request."""
    # SimpleCookie would treat some names as attributes, and stop at anything unknown; it only unquotes values here.
    unquote = SimpleCookie().value_decode
    pairs = (pair.strip().partition("=") for header in headers.getall(hdrs.COOKIE, ()) for pair in header.split(";"))
    return {name: unquote(value)[0] for name, _, value in pairs if name}


def parse_request(sent: bytes) -> tuple[CIMultiDictProxy[str], bytes]:
    """Return the headers and the body of a request that was written, the body after transfer and content decoding.

    Of a request that was not written completely, returns what there is. A body that cannot be decoded is not changed.
    This does not use aiohttp's parsers, because it must also read what no server would accept.
    """
    head, end, body = sent.partition(b"\r\n\r\n")
    headers: CIMultiDict[str] = CIMultiDict()
    for line in head.split(b"\r\n")[1:] if end else ():
        name, _, value = line.decode("utf-8", "surrogateescape").partition(":")
        headers.add(name, value.strip(" \t"))
    if "chunked" in headers.get(hdrs.TRANSFER_ENCODING, "").lower():
        body = _joined(body)
    elif re.fullmatch(_LENGTH, headers.get(hdrs.CONTENT_LENGTH, "")):
        # Anything after that does not belong to this request.
        body = body[:int(headers[hdrs.CONTENT_LENGTH])]
    return CIMultiDictProxy(headers), decoded(headers.get(hdrs.CONTENT_ENCODING, ""), body)


def _joined(chunks: bytes) -> bytes:
    """Return a body that was written in chunks; return any other body unchanged."""
    pieces, place = [], 0
    chunk = re.compile(_CHUNK)
    while place < len(chunks):
        head = chunk.match(chunks, place)
        if head is None:
            return chunks
        size = int(head[1], 16)
        if not size:
            break
        place = head.end() + size + 2
        if chunks[place - 2:place] != b"\r\n":
            return chunks
        pieces.append(chunks[head.end():place - 2])
    return b"".join(pieces)


def decoded(encoding: str, body: bytes) -> bytes:
    """Return a body as its receiver will decode it; return it unchanged if it cannot be decoded."""
    if not encoding or not body:
        return body
    head = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
    make = functools.partial(
        HttpRequestParser,
        BaseProtocol(_NO_LOOP),
        _NO_LOOP,
        _NO_LIMIT,
        max_line_size=_NO_LIMIT,
        max_field_size=_NO_LIMIT,
    )
    try:
        parser = make(max_headers=_NO_LIMIT)
    except TypeError:
        # Older releases have no limit for the number of headers.
        parser = make()
    try:
        [(_, payload)], _, _ = parser.feed_data(head.encode("utf-8", "surrogateescape") + body)
        content = payload.read_nowait()
        # aiohttp may raise no error for a body that ends before its first byte, or that is not in the coding at all.
        return content if content or _is_empty(encoding.strip().lower(), body) else body
    except Exception:
        # It is not in that coding, or nothing here can decode it: aiohttp, zlib and the others each raise other errors.
        return body


def _is_empty(encoding: str, coded: bytes) -> bool:
    """Tell whether a body from which nothing was decoded is the encoded form of an empty body."""
    if encoding == "br":
        brotli = sys.modules.get("brotlicffi") or sys.modules.get("brotli")  # aiohttp has imported what is installed.
        # Raises if it is not Brotli.
        return brotli is not None and not brotli.decompress(coded)
    decompressor = zlib.decompressobj(zlib.MAX_WBITS + 32)
    decompressor.decompress(coded)
    return decompressor.eof
