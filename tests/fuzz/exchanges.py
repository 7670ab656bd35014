"""What a case is made of: a session, its calls, and what each of their requests is answered."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Union

from aiohttp import FormData, MultipartWriter

from aioresponses import Fault

HOST = "$HOST"
"""Stands for host and port of the server in the headers of a reply."""

# How much of these a client has received when it does not read on, servers may decide.
AT_ONCE = ("list", "file")

# The ways to read a response, which are functions in `playing`: to its end, or not. A size goes with some of them.
WHOLE = ("read", "text", "json", "iter_chunked", "iter_any", "readline", "readexactly")
PARTIAL = ("release", "close", "nothing", "read_and_close", "read_and_release")
SIZED = ("iter_chunked", "readexactly", "read_and_close", "read_and_release")

Piece = Union[bytes, str]


class Stopped(BaseException):
    """What is no `Exception`, as the failures of some test frameworks are none."""


@dataclass(frozen=True)
class Stream:
    """A body that comes piece by piece: of a request, or of a reply."""

    kind: str
    """`list`, `file`, `generator` or `async generator`."""

    pieces: tuple[Piece, ...]
    breaks: tuple[type[BaseException], tuple[Any, ...]] | None = None
    """What a generator raises behind its last piece: a class, and its arguments."""

    def __repr__(self) -> str:
        shown = ", ".join(short(piece) for piece in self.pieces)
        if self.breaks is not None:
            shown += f", then {self.breaks[0].__name__}{self.breaks[1]!r}"
        return f"<{self.kind} of {shown or 'nothing'}>"

    @property
    def encoded(self) -> list[bytes]:
        """The pieces as bytes."""
        return [piece.encode() if isinstance(piece, str) else piece for piece in self.pieces]

    @property
    def error(self) -> BaseException | None:
        return None if self.breaks is None else self.breaks[0](*self.breaks[1])

    def opened(self) -> Any:
        """Return it as it is given to a mock, which calls the generator functions."""
        if self.kind == "list":
            return list(self.pieces)
        if self.kind == "file":
            return io.BytesIO(b"".join(self.encoded))
        return self._generator if self.kind == "generator" else self._async_generator

    def _generator(self) -> Iterator[Piece]:
        yield from self.pieces
        if (error := self.error) is not None:
            raise error

    async def _async_generator(self) -> AsyncIterator[Piece]:
        for piece in self._generator():
            yield piece


@dataclass(frozen=True)
class Form:
    """Fields of a form that a session sends; files make it multipart."""

    fields: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, bytes], ...] = ()

    def __repr__(self) -> str:
        return f"<form of {short(self.fields)}, files {short(self.files)}>"

    def opened(self) -> FormData:
        form = FormData()
        for name, value in self.fields:
            form.add_field(name, value)
        for name, content in self.files:
            form.add_field(name, content, filename=f"{name}.bin", content_type="application/octet-stream")
        return form


@dataclass(frozen=True)
class Parts:
    """A multipart body that a session sends."""

    texts: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<multipart of {short(self.texts)}>"

    def opened(self) -> MultipartWriter:
        writer = MultipartWriter("mixed", boundary="frontier")
        for text in self.texts:
            writer.append(text)
        return writer


@dataclass(frozen=True)
class Reply:
    """One reply, as arguments of `aioresponses.add`."""

    status: int = 200
    reason: str | None = None
    body: Piece | Stream = b""
    payload: Any = None
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    cookies: Mapping[str, str] = field(default_factory=dict)
    fault: Fault | None = None

    def __repr__(self) -> str:
        return f"reply({arguments(self.given())})"

    def given(self) -> dict[str, Any]:
        """Return the arguments that are not as they are by default."""
        default = Reply()
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in values.items() if value != getattr(default, name)}

    def opened(self, host: str) -> dict[str, Any]:
        """Return the arguments for a mock."""
        body = self.body.opened() if isinstance(self.body, Stream) else self.body
        return {**self.given(), "body": body, "headers": self.headers_with(host)}

    def headers_with(self, host: str) -> list[tuple[str, str]]:
        return [(name, value.replace(HOST, host)) for name, value in self.headers]


@dataclass(frozen=True)
class Exchange:
    """One request, and what it is answered; more than one reply where the client may try again."""

    target: str
    """Path and query. The first segment of the path is the place of the call, and that of the exchange in it."""

    replies: tuple[Reply, ...]
    by: str = "url"
    """What the mock is registered with: `url`, `credentials` (a URL with those of the request), or `pattern`."""


@dataclass(frozen=True)
class Call:
    """One call of the session: its exchanges, each but the first by redirect, and how its response is read."""

    method: str
    options: Mapping[str, Any]
    exchanges: tuple[Exchange, ...]
    reading: str = "read"
    size: int = 0

    def __str__(self) -> str:
        asked = f"{self.method} {self.exchanges[0].target!r}, {arguments(self.options)}".rstrip(", ")
        lines = [f"{asked}, then {self.reading}({self.size or ''})"]
        lines += [
            f"    {exchange.by} {exchange.target!r}: {reply!r}"
            for exchange in self.exchanges
            for reply in exchange.replies
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class Case:
    """A session, and its calls."""

    seed: str
    number: int
    session: Mapping[str, Any]
    calls: tuple[Call, ...]

    def __str__(self) -> str:
        calls = (f"  {place}. {call}" for place, call in enumerate(self.calls))
        return "\n".join([f"ClientSession({arguments(self.session)})", *calls])


def short(value: object) -> str:
    """Return a value as the description of a case shows it."""
    if isinstance(value, (bytes, str)) and len(value) > 120:
        return f"{value[:20]!r}… ({len(value)})"
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(short, value))}]"
    return repr(value)


def arguments(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={short(value)}" for name, value in values.items())
