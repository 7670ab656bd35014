"""Reading what was written, or is about to be: the headers and the body of a request, and what the body stands for.

aiohttp's own parsers do it. They work without an event loop, as long as all data is there and no buffer is ever full;
what they are given in place of a loop, they only keep (3.8.6 to 3.14.5).
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Coroutine, Mapping
from email.message import Message as EmailMessage
from http.cookies import SimpleCookie
from json import loads
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, MultipartReader, StreamReader, hdrs
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpProcessingError, HttpRequestParser
from multidict import CIMultiDict, CIMultiDictProxy, MultiDict

_NO_LOOP = cast(asyncio.AbstractEventLoop, object())

_NO_LIMIT = 2 ** 30

_T = TypeVar("_T")


class Part(NamedTuple):
    """One part of a multipart body."""

    name: str | None
    """The name of the form field."""

    filename: str | None
    """The name of the file, if it has one."""

    headers: Mapping[str, str]
    """The headers of the part, names case-insensitive."""

    content: bytes
    """The content, decoded."""


class Message(NamedTuple):
    """The headers and the body of a request; what it is called in errors stands in front of them."""

    name: str
    headers: CIMultiDictProxy[str]
    body: bytes
    """After transfer and content decoding."""

    def text(self) -> str:
        """Return the body as text, by the charset of its `Content-Type`, or else as UTF-8."""
        charset = self._charset()
        try:
            return self.body.decode(charset)
        except (UnicodeDecodeError, LookupError) as error:
            raise ValueError(f"the body of {self.name} is no text in {charset}: {error}") from error

    def json(self) -> Any:
        """Return the body, decoded from JSON."""
        text = self.text()
        try:
            return loads(text)
        except ValueError as error:
            raise ValueError(f"the body of {self.name} is no JSON ({error}): {self._described()}") from None

    def form(self) -> MultiDict[str]:
        """Return the fields of an urlencoded form."""
        self._expect("application/x-www-form-urlencoded")
        return MultiDict(parse_qsl(self.text(), keep_blank_values=True, encoding=self._charset()))

    def multipart(self) -> list[Part]:
        """Return the parts of a multipart body; those of a nested one in its place."""
        self._expect("multipart/")
        stream = StreamReader(BaseProtocol(_NO_LOOP), _NO_LIMIT, loop=_NO_LOOP)
        stream.feed_data(self.body)
        stream.feed_eof()
        try:
            return _at_once(_parts(MultipartReader(self.headers, stream)))
        except Exception as error:  # aiohttp raises ValueError, RuntimeError, and errors of its own and of zlib.
            raise ValueError(f"the body of {self.name} is no multipart that can be read: {error!r}") from error

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
    # SimpleCookie would take some names for attributes, and stop at what it does not know; it can unquote values.
    unquote = SimpleCookie().value_decode
    pairs = (pair.strip().partition("=") for header in headers.getall(hdrs.COOKIE, ()) for pair in header.split(";"))
    return {name: unquote(value)[0] for name, _, value in pairs if name}


def parse_request(sent: bytes) -> tuple[CIMultiDictProxy[str], bytes]:
    """Return headers and body of a request that was written; the body without transfer and content encoding.

    Of a request that was not written to its end, as much as there is. A body that cannot be decoded is returned as
    it is.
    """
    if not sent:
        return CIMultiDictProxy(CIMultiDict()), b""
    # The C parser knows a fixed set of methods, and reads no body where it takes a request for an upgrade.
    sent = b"POST" + sent[sent.index(b" "):]
    try:
        return _parse(sent, auto_decompress=True)
    except HttpProcessingError:
        # It is not encoded as its headers say, or in a way that nothing here can decode.
        return _parse(sent, auto_decompress=False)


def _parse(sent: bytes, auto_decompress: bool) -> tuple[CIMultiDictProxy[str], bytes]:
    make = functools.partial(
        HttpRequestParser,
        BaseProtocol(_NO_LOOP),
        _NO_LOOP,
        _NO_LIMIT,
        max_line_size=_NO_LIMIT,
        max_field_size=_NO_LIMIT,
        auto_decompress=auto_decompress,
    )
    try:
        parser = make(max_headers=_NO_LIMIT)
    except TypeError:
        # Releases that do not count headers know no limit for them either.
        parser = make()
    messages, _, _ = parser.feed_data(sent)
    if not messages:
        return CIMultiDictProxy(CIMultiDict()), b""
    message, payload = messages[0]
    headers = message.headers
    if not isinstance(headers, CIMultiDictProxy):
        # aiohttp 4 joins values of equal names in a type of its own.
        headers = CIMultiDictProxy(
            CIMultiDict(
                (name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape"))
                for name, value in message.raw_headers
            )
        )
    return headers, payload.read_nowait()


async def _parts(reader: MultipartReader) -> list[Part]:
    parts: list[Part] = []
    while (part := await reader.next()) is not None:
        if isinstance(part, BodyPartReader):
            parts.append(Part(part.name, part.filename, part.headers, bytes(await part.read(decode=True))))
        else:
            parts += await _parts(part)
    return parts


def _at_once(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return cast(_T, stop.value)
    coroutine.close()
    raise RuntimeError("aiohttp waits for data that is there already")


def decoded(encoding: str, body: bytes) -> bytes:
    """Return a body as its receiver will decode it."""
    head = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return parse_request(head.encode() + body)[1]
