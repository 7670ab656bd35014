"""Cases, drawn by chance from a seed and a number.

What is left out says why: clients and servers whose next step depends on how long something takes, and the few requests
that aiohttp itself writes wrongly.
"""

from __future__ import annotations

import errno
import gzip
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from aioresponses import Fault

from .exchanges import (
    AT_ONCE,
    HOST,
    PARTIAL,
    SIZED,
    WHOLE,
    Call,
    Case,
    Exchange,
    Form,
    Parts,
    Piece,
    Reply,
    Stopped,
    Stream,
)

METHODS = ["GET"] * 6 + ["POST"] * 4 + ["PUT", "PATCH", "DELETE", "OPTIONS"] + ["HEAD"] * 2

ODD_METHODS = ["TRACE", "PROPFIND", "M-SEARCH", "PURGE", "get", "X"]

SEGMENTS = [
    "a", "b.html", "a%20b", "%E9", "%C3%A9", "%e2%82%ac", "é", "a;b=1", "a+b", "a%2Fb", "a%2fb", ":", "@", "~x", "",
    "(x)", "%25", "a,b", "!$&'*", "100%25", "a=b", "[x]", '"x"', "a b", "{x}",
]

PAIRS = [
    "x", "x=", "a=1", "a=2", "b=3", "a=%E9", "a=1;b=2", "a=b+c", "a=b%20c", "q=é", "a=%26", "a=%2B", "", "a==b", "=",
    "a=b=c", "u=http://x/y?z", "%E9=1", "a[]=1", "a=%", "a=/?:@", "a=%7E", "a=%3D", "a={x}",
]

PARAMS = [{"page": 1}, [("a", "1"), ("a", "2")], {"q": "é +&"}, "x", "a=%E9", {"x": ""}]

STATUSES = [200] * 12 + [201, 202, 203, 204, 204, 206, 226, 299, 300, 304, 304, 400, 401, 404, 418, 429, 500, 503, 599]

REDIRECTS = [301, 302, 303, 307, 308]

TEXTS = [
    "", "x", "hello", "21 °C", "Zoë ate a naïve crêpe", '{"name": "Ada"}', "[1, 2", "one\ntwo\n\nthree", "a\r\nb\r\n",
]

REQUEST_HEADERS = [("X-One", "1"), ("X-One", "2"), ("x-odd-CASE", "  spaced  "), ("X-Empty", ""), ("X-Text", "Zoë")]

REPLY_HEADERS = [
    ("X-One", "1"), ("X-One", "2"), ("x-one", "3"), ("x-odd-CASE", "Zoë"), ("X-Empty", ""), ("X-Spaced", " a  b "),
    ("ETag", '"7"'), ("Link", '</a>; rel="next"'), ("Set-Cookie", "raw=1; Path=/"), ("set-cookie", "raw=2; Max-Age=0"),
    ("Set-Cookie", "odd[]=x; HttpOnly; Foo=bar"), ("Keep-Alive", "timeout=5"), ("Vary", "*"), ("Trailer", "X"),
    # On this side, and on that, of what the client takes.
    ("X-Long", "x" * 8000), ("X-Too-Long", "x" * 9000),
]

COOKIES = [{"token": "7f"}, {"a": "1", "b": "x y"}, {"own": "no"}]

BREAKS: list[tuple[type[BaseException], tuple[Any, ...]]] = [
    (ConnectionResetError, (errno.ECONNRESET, "Connection reset by peer")),
    (ConnectionResetError, ()),
    (ConnectionAbortedError, ("no more",)),
    (BrokenPipeError, (errno.EPIPE, "Broken pipe")),
    (ValueError, ("no more",)),
    (OSError, (errno.EIO, "disk on fire")),
    (KeyError, ("x",)),
    (Stopped, ("enough",)),
]

# After these, a client may try again.
NO_ANSWER = [Fault.CONNECTION_RESET, Fault.EMPTY_RESPONSE]

# More than a connection buffers; less of it would be there at once or not, as it happens.
LARGE = b"0123456789abcde\n" * 2 ** 17


def drawn(seed: str, number: int) -> Case:
    """Return the case of this number."""
    chance = Random(f"{seed}:{number}")
    session = _session(chance)
    last = chance.choice([0, 0, 1, 1, 2, 3])
    calls = [_call(chance, place, "raise_for_status" in session, place == last) for place in range(last + 1)]
    return Case(seed, number, session, tuple(calls))


def _perhaps(chance: Random, probability: float) -> bool:
    return chance.random() < probability


def _some(chance: Random, choices: Sequence[Any], most: int) -> list[Any]:
    return [chance.choice(choices) for _ in range(chance.randint(0, most))]


def _session(chance: Random) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if _perhaps(chance, 0.1):
        options["auto_decompress"] = False
    if _perhaps(chance, 0.05):
        options["raise_for_status"] = True
    if _perhaps(chance, 0.1):
        options["headers"] = {"X-Session": "1", "User-Agent": "fuzz"}
    if _perhaps(chance, 0.1):
        options["cookies"] = {"own": "yes", "odd": 'a b"c'}
    if _perhaps(chance, 0.1):
        options["requote_redirect_url"] = False
    if _perhaps(chance, 0.1):
        options["force_close"] = True
    if _perhaps(chance, 0.2):
        options["traced"] = True
    return options


# What is asked.


def _call(chance: Random, place: int, raises_for_status: bool, is_last: bool) -> Call:
    method = chance.choice(ODD_METHODS if _perhaps(chance, 0.08) else METHODS)
    options = _options(chance)
    data = options.get("data")
    if isinstance(data, Stream) and data.kind == "file":
        # Up to 3.11, aiohttp reads files in threads, and what it does next depends on how long that takes.
        hops, may_fail = 0, False
        options["data"] = data if is_last else b"".join(data.encoded)
    else:
        hops, may_fail = chance.choice([0] * 8 + [1, 1, 2]), True
    if hops:
        # Where a redirect takes the body away, aiohttp writes the end of its chunks all the same (up to 3.14.5), or of
        # what it compressed (up to 3.9).
        options = {name: value for name, value in options.items() if name not in ("chunked", "compress")}
    targets = [_target(chance, place, hop) for hop in range(hops + 1)]
    exchanges: list[Exchange] = []
    for target, to in zip(targets, [*targets[1:], None]):
        if to is not None:
            replies = [_redirect(chance, to)]
        else:
            leaves = raises_for_status or "raise_for_status" in options
            replies = [_reply(chance, leaves, may_fail)]
            if may_fail and _perhaps(chance, 0.06):
                replies.insert(0, Reply(fault=chance.choice(NO_ANSWER)))
        ways = ["url", "url", "pattern"]
        if "credentials" in options and not exchanges:
            ways.append("credentials")
        exchanges.append(Exchange(target, tuple(replies), chance.choice(ways)))
    reading = chance.choice(PARTIAL if _perhaps(chance, 0.4) else WHOLE)
    size = chance.choice([1, 3, 7, 100, 5000]) if reading in SIZED else 0
    bodies = [reply.body for exchange in exchanges for reply in exchange.replies]
    if LARGE in bodies and reading == "iter_chunked":
        size *= 5000
    if any(isinstance(body, Stream) and body.kind in AT_ONCE for body in bodies) and reading in PARTIAL:
        exchanges = [replace(one, replies=tuple(map(_complete, one.replies))) for one in exchanges]
    return Call(method, options, tuple(exchanges), reading, size)


def _complete(reply: Reply) -> Reply:
    """Return a reply that is not cut short: who does not read on could find it closed sooner or later."""
    if not isinstance(reply.body, Stream):
        return reply
    headers = tuple(pair for pair in reply.headers if pair[0].lower() != "content-length")
    return replace(reply, fault=None, headers=headers)


def _target(chance: Random, place: int, hop: int) -> str:
    target = f"/{place}.{hop}"
    if _perhaps(chance, 0.8):
        target += "".join(f"/{segment}" for segment in _some(chance, SEGMENTS, 2))
    if _perhaps(chance, 0.5):
        target += "?" + chance.choice("&&&;").join(_some(chance, PAIRS, 3))
    if _perhaps(chance, 0.05):
        target += "#top"
    return target


def _options(chance: Random) -> dict[str, Any]:
    options = chance.choice(_DATA)(chance) if _perhaps(chance, 0.5) else {}
    data = options.get("data")
    headers: list[tuple[str, str]] = []
    if _perhaps(chance, 0.2):
        headers += chance.sample(REQUEST_HEADERS, 3)
    if _perhaps(chance, 0.1):
        headers.append(("Connection", chance.choice(["close", "Close", "keep-alive"])))
    if _perhaps(chance, 0.05):
        headers.append(("Cookie", "given=1; given=2"))
    if _perhaps(chance, 0.05):
        headers.append(("Accept-Encoding", "identity"))
    if _perhaps(chance, 0.05) and options:
        headers.append(("Content-Type", "text/plain; charset=latin-1"))
    if isinstance(data, bytes) and _perhaps(chance, 0.2):
        headers.append(("Content-Encoding", chance.choice(["gzip", "deflate", "br", "x-own"])))
        options["data"] = gzip.compress(data, mtime=0) if _perhaps(chance, 0.7) else data
    elif data and _perhaps(chance, 0.15):
        options["compress"] = chance.choice([True, "deflate", "gzip"])
    if headers:
        options["headers"] = headers
    if data and _perhaps(chance, 0.1):
        options["chunked"] = True
    if _perhaps(chance, 0.1):
        options["expect100"] = True
    if _perhaps(chance, 0.1):
        options["cookies"] = {"mine": "a", "other": "b c"}
    if _perhaps(chance, 0.1):
        options["params"] = chance.choice(PARAMS)
    if _perhaps(chance, 0.1):
        options["allow_redirects"] = False
    if _perhaps(chance, 0.05):
        options["max_redirects"] = 1
    if _perhaps(chance, 0.05):
        options["skip_auto_headers"] = ["User-Agent", "Content-Type"]
    if _perhaps(chance, 0.05):
        options["raise_for_status"] = True
    if _perhaps(chance, 0.05):
        options["credentials"] = "me:se%20cret@"
    return options


def _bytes(chance: Random) -> bytes:
    size = chance.choice([0, 1, 10, 10, 100, 1000, 20_000])
    return bytes(chance.choices(b"abc \r\n\x00\xff{}0", k=size))


def _pieces(chance: Random) -> tuple[bytes, ...]:
    pieces = [_bytes(chance) for _ in range(chance.randint(0, 4))]
    return tuple(piece + b"\n" if _perhaps(chance, 0.5) else piece for piece in pieces)


_DATA: list[Callable[[Random], dict[str, Any]]] = [
    lambda chance: {"data": _bytes(chance)},
    lambda chance: {"data": chance.choice(TEXTS)},
    lambda chance: {"data": chance.choice(TEXTS) * 3000},
    lambda chance: {"data": {"a": "1", "b": "x y"}},
    lambda chance: {"data": Form((("a", "1"), ("a", chance.choice(TEXTS)), ("é", "&=")))},
    lambda chance: {"data": Form((("a", "1"),), (("file", _bytes(chance)),))},
    lambda chance: {"data": Parts(tuple(_some(chance, TEXTS, 3)))},
    lambda chance: {"data": Stream("async generator", _pieces(chance))},
    lambda chance: {"data": Stream("file", _pieces(chance))},
    lambda chance: {"json": chance.choice([{"name": "Ada"}, [], None, 0, "°", [1.5, None, True]])},
]


# What is answered.


def _redirect(chance: Random, target: str) -> Reply:
    location = chance.choice(["", f"http://{HOST}", f"//{HOST}"]) + target
    name = chance.choice(["Location", "Location", "location", "LOCATION", "URI"])
    reply = _reply(chance, leaves=True, may_fail=True)
    return replace(reply, status=chance.choice(REDIRECTS), headers=(*reply.headers, (name, location)))


def _reply(chance: Random, leaves: bool, may_fail: bool) -> Reply:
    """Draw a reply.

    `leaves` is whether the client may leave it at the head, as it does with a redirect. It then goes on before it could
    find that the connection has been closed, and how much of a body is there at once makes a difference. `may_fail` is
    whether there may be no answer at all.
    """
    status = chance.choice(REDIRECTS if _perhaps(chance, 0.03) else STATUSES)
    leaves = leaves or status in REDIRECTS
    body = _body(chance, leaves)
    source = body.get("body", b"")
    headers: list[tuple[str, str]] = []
    if _perhaps(chance, 0.3):
        headers += chance.sample(REPLY_HEADERS, chance.randint(1, 4))
    if _perhaps(chance, 0.1):
        headers.append((_cased(chance, "Content-Type"), "text/plain; charset=latin-1"))
    # Up to 3.9, aiohttp goes on using a connection that it has paused because so much came out of a compressed body.
    if _perhaps(chance, 0.12) and source is not LARGE:
        coding = chance.choice(["gzip", "gzip", "deflate", "GZIP", "identity", "br", "zstd", "x-own"])
        headers.append((_cased(chance, "Content-Encoding"), coding))
        if isinstance(source, bytes) and _perhaps(chance, 0.3):
            body["body"] = source = _compressed(coding, source)
    if _perhaps(chance, 0.15) and not (leaves and isinstance(source, Stream)):
        headers.append((_cased(chance, "Content-Length"), str(_length(chance, source))))
    if _perhaps(chance, 0.08):
        headers.append((_cased(chance, "Transfer-Encoding"), chance.choice(["chunked", "Chunked"])))
    if _perhaps(chance, 0.1):
        headers.append((_cased(chance, "Connection"), chance.choice(["close", "Close"])))
    chance.shuffle(headers)
    faults = [Fault.MALFORMED_RESPONSE, *NO_ANSWER * may_fail]
    if not leaves and not (isinstance(source, Stream) and source.breaks):
        faults += [Fault.TRUNCATED_BODY] * 3
    return Reply(
        status=status,
        reason=chance.choice(["", "Fine", "Größer  als", " x "]) if _perhaps(chance, 0.1) else None,
        content_type=chance.choice(["application/json"] * 3 + ["text/plain; charset=utf-8", "text/html", "x"]),
        headers=tuple(headers),
        cookies=chance.choice(COOKIES) if _perhaps(chance, 0.15) else {},
        fault=chance.choice(faults) if _perhaps(chance, 0.12) else None,
        **body,
    )


def _cased(chance: Random, name: str) -> str:
    return chance.choice([name, name, name.lower(), name.upper()])


def _body(chance: Random, leaves: bool) -> dict[str, Any]:
    kind = chance.choice(["none", "bytes", "bytes", "text", "text", "json", "stream", "stream", "stream", "large"])
    if kind == "bytes":
        return {"body": _bytes(chance)}
    if kind == "text":
        return {"body": chance.choice(TEXTS)}
    if kind == "json":
        return {"payload": chance.choice([{"name": "Ada"}, [], 0, "°", False])}
    if kind == "large" and _perhaps(chance, 0.1):
        return {"body": LARGE}
    if kind != "stream":
        return {}
    source = chance.choice(["generator", "async generator"] + [*AT_ONCE] * (not leaves))
    breaks = chance.choice(BREAKS) if "generator" in source and _perhaps(chance, 0.4) else None
    pieces: Sequence[Piece] = _pieces(chance) if _perhaps(chance, 0.8) else _some(chance, TEXTS, 4)
    return {"body": Stream(source, tuple(pieces), breaks)}


def _length(chance: Random, body: Piece | Stream) -> int:
    if isinstance(body, Stream):
        # It is taken at its word: all of it, or more than there is.
        return sum(map(len, body.encoded)) + chance.choice([0, 0, 0, 1, 100])
    size = len(body.encode() if isinstance(body, str) else body)
    return chance.choice([size, size, 0, 1, size + 1, size + 100, max(size - 1, 0)])


def _compressed(coding: str, body: bytes) -> bytes:
    if coding.lower() == "gzip":
        return gzip.compress(body, mtime=0)
    return zlib.compress(body) if coding == "deflate" else body
