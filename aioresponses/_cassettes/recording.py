"""Entries made from exchanges: what was sent and what was received, still including secrets.

Once the recording is over, aiohttp's own parser parses what was received, and decodes chunks and content codings. The
parser works without an event loop as long as none of its buffers is full (3.8.6 to 3.14.5).
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from hashlib import sha1
from time import perf_counter, time
from typing import Any, NamedTuple, cast

from aiohttp import ClientResponse, hdrs
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import WS_KEY, HttpResponseParser

from .._calls.exchange import Exchange
from .._calls.messages import cookies_of
from .._calls.record import RequestCall
from .._client.incoming import MOST, Incoming, body_read
from .._urls import without_credentials
from .bodies import CUT, LEFT_OUT, UNREAD, part_of
from .entries import Entry, pairs
from .sockets import add_messages

_NO_LOOP = cast(asyncio.AbstractEventLoop, object())

_NO_LIMIT = 2 ** 30

# How much is decompressed at once: the result may be a thousand times larger.
_SLICE = 2 ** 12

_UPGRADED = 101


class _Answer(NamedTuple):
    """A response, in parts from which an entry is made."""

    status: int
    reason: str
    version: str
    headers: list[tuple[str, str]]
    body: bytes | None
    """None if it is too large."""

    comment: str = ""


_FAILED = _Answer(0, "", "", [], b"")


def entry_of(exchange: Exchange, began: float, with_timings: bool) -> Entry | None:
    """Return the entry of a request that went to the network; None if it was upgraded to anything but a WebSocket.

    `began` is when the request began, in seconds since the epoch.
    """
    incoming = exchange.incoming
    answer = _FAILED if incoming is None else _answer(incoming, exchange.method.upper())
    is_websocket = False
    if answer.status == _UPGRADED:
        if exchange.upgraded is None or not exchange.upgraded.is_websocket:
            return None
        is_websocket = _is_accepted(exchange, answer)
        answer = answer if is_websocket else _FAILED
    entry = _entry(exchange, began, answer)
    if is_websocket:
        _add_messages(entry, exchange, began, with_timings)
    if with_timings and incoming is not None and incoming.began is not None and incoming.ended is not None:
        _add_timings(entry, incoming.began - exchange.started, incoming.ended - incoming.began)
    return entry


def _entry_of_answered(exchange: Exchange, began: float) -> Entry:
    """Return the entry of any request; without a recording, its response is what the code under test has read."""
    incoming, response = exchange.incoming, exchange.response
    if incoming is not None and (answer := _answer(incoming, exchange.method.upper())).status:
        pass
    elif response is None or response.status is None:
        answer = _FAILED
    else:
        answer = _answer_of(response)
    entry = _entry(exchange, began, answer)
    if exchange.upgraded is not None and exchange.upgraded.is_websocket:
        _add_messages(entry, exchange, began, True)
    if exchange.ended is not None:
        _add_timings(entry, exchange.ended - exchange.started, 0)
    return entry


def entries_of_calls(calls: Iterable[RequestCall]) -> Iterator[Entry]:
    """Yield an entry for each request of these calls."""
    now, on_clock = time(), perf_counter()
    for call in calls:
        exchange = call._exchange
        for hop in exchange.hops or (exchange,):
            yield _entry_of_answered(hop, now - (on_clock - hop.started))


def _entry(exchange: Exchange, began: float, answer: _Answer) -> Entry:
    headers = exchange.received_headers()
    url = str(without_credentials(exchange.url))
    moment = datetime.fromtimestamp(began, timezone.utc).isoformat(timespec="milliseconds")
    location = next((value for name, value in answer.headers if name.lower() == "location"), "")
    content_type = next((value for name, value in answer.headers if name.lower() == "content-type"), "")
    entry: Entry = {
        "startedDateTime": moment.replace("+00:00", "Z"),
        "time": 0,
        "timings": {"send": 0, "wait": 0, "receive": 0},
        "request": {
            "method": exchange.method.upper(),
            "url": url,
            "httpVersion": "HTTP/1.1",
            "cookies": pairs(cookies_of(headers).items()),
            "headers": pairs(headers.items()),
        },
        "response": {
            "status": answer.status,
            "statusText": answer.reason,
            "httpVersion": answer.version,
            "cookies": [],
            "headers": pairs(answer.headers),
            "redirectURL": location,
            "content": _content(answer.body, content_type),
        },
    }
    posted = _content_sent(exchange, headers.get(hdrs.CONTENT_TYPE, ""))
    if posted is not None:
        entry["request"]["postData"] = posted
    if answer.comment:
        entry["comment"] = answer.comment
    if not answer.status:
        entry["response"]["_error"] = type(exchange.exception).__name__ if exchange.exception else "no response"
    return entry


def _content(body: bytes | None, mime: str) -> dict[str, Any]:
    return {"mimeType": mime, "comment": LEFT_OUT} if body is None else part_of(body, mime)


def _content_sent(exchange: Exchange, mime: str) -> dict[str, Any] | None:
    written = exchange.sent if exchange.outgoing is None else exchange.outgoing.body
    if written.size > MOST:
        return {"mimeType": mime, "comment": LEFT_OUT}
    body = exchange.received()[1]
    return part_of(body, mime) if body else None


def _is_accepted(exchange: Exchange, answer: _Answer) -> bool:
    """Tell whether the client accepts the WebSocket, because the answer belongs to the key that it sent."""
    key = exchange.received_headers().get(hdrs.SEC_WEBSOCKET_KEY, "").encode()
    accepted = next((value for name, value in answer.headers if name.lower() == "sec-websocket-accept"), "")
    return accepted == b64encode(sha1(key + WS_KEY).digest()).decode()


def _add_messages(entry: Entry, exchange: Exchange, began: float, with_timings: bool) -> None:
    assert exchange.upgraded is not None
    since = began - exchange.started
    add_messages(entry, exchange.upgraded, lambda moment: round(since + moment, 3) if with_timings else 0)


def _add_timings(entry: Entry, wait: float, receive: float) -> None:
    wait, receive = round(max(wait, 0) * 1000, 3), round(receive * 1000, 3)
    entry["timings"] = {"send": 0, "wait": wait, "receive": receive}
    entry["time"] = round(wait + receive, 3)


def _answer(incoming: Incoming, method: str) -> _Answer:
    """Return the response in what was received; a failed one if the connection broke, or if it is not HTTP."""
    head, payload = None, None
    parser = _parser(response_with_body=method != hdrs.METH_HEAD, auto_decompress=False)
    try:
        messages, _, rest = parser.feed_data(incoming.raw)
        while messages and messages[0][0].code < 200 and messages[0][0].code != _UPGRADED:
            # An interim response: the final one follows.
            messages = messages[1:] or parser.feed_data(rest)[0]
            rest = b""
        if not messages:
            return _FAILED
        head, payload = messages[0]
        if incoming.is_lost and not incoming.is_too_large and not payload.is_eof():
            parser.feed_eof()
    except Exception:
        # aiohttp raises many kinds of errors here, and the client got one of them.
        return _FAILED
    headers = [(_text(name), _text(value)) for name, value in head.raw_headers]
    version = f"HTTP/{head.version[0]}.{head.version[1]}"
    body: bytes | None = None
    comment = ""
    if not incoming.is_too_large:
        if not payload.is_eof():
            if incoming.is_lost:
                return _FAILED
            comment = CUT
        try:
            body = _decoded(payload.read_nowait(-1), head.headers.get(hdrs.CONTENT_ENCODING, ""), bool(comment))
        except Exception:
            return _FAILED  # The body is not in that coding, or is incomplete.
    return _Answer(head.code, head.reason, version, headers, body, comment)


def _answer_of(response: ClientResponse) -> _Answer:
    version, body = response.version, body_read(response)
    has_body = bool(getattr(response.content, "total_bytes", 0))
    return _Answer(
        response.status,
        response.reason or "",
        "" if version is None else f"HTTP/{version[0]}.{version[1]}",
        [(_text(name), _text(value)) for name, value in response.raw_headers],
        body or b"",
        UNREAD if has_body and body is None else "",
    )


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _parser(**options: Any) -> HttpResponseParser:
    make: Callable[..., HttpResponseParser] = HttpResponseParser
    limits = {"max_line_size": _NO_LIMIT, "max_field_size": _NO_LIMIT, "read_until_eof": True}
    try:
        return make(BaseProtocol(_NO_LOOP), _NO_LOOP, _NO_LIMIT, max_headers=_NO_LIMIT, **limits, **options)
    except TypeError:
        # Older releases have no limit for the number of headers.
        return make(BaseProtocol(_NO_LOOP), _NO_LOOP, _NO_LIMIT, **limits, **options)


def _decoded(body: bytes, coding: str, is_cut: bool) -> bytes | None:
    """Return a body as the client reads it; None if that is too large. Raises if the body is not in that coding."""
    if not coding or not body:
        return body
    parser = _parser(response_with_body=True, auto_decompress=True)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n\r\n"
    [(_, payload)], _, _ = parser.feed_data(head.encode("utf-8", "surrogateescape"))
    pieces = []
    size = 0
    for start in range(0, len(body), _SLICE):
        parser.feed_data(body[start:start + _SLICE])
        pieces.append(payload.read_nowait(-1))
        size += len(pieces[-1])
        if size > MOST:
            return None
    if not is_cut:
        parser.feed_eof()
    pieces.append(payload.read_nowait(-1))
    return b"".join(pieces)
