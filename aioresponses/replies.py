"""What a mock says back, and how that looks on the wire."""

from __future__ import annotations

import gzip
import http
import json
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Union

from aiohttp import ClientResponse, hdrs
from multidict import CIMultiDict

from .matching import TOKEN
from .wire import Answer

__all__ = ["CallbackResult", "Headers"]

Headers = Union[Mapping[str, str], Iterable["tuple[str, str]"]]

_LINE_END = re.compile(r"[\r\n\0]")


class CallbackResult:
    """A reply: what a callback returns, and what `aioresponses.add` makes of its arguments.

    - `status`: from 200 to 999; 200 by default.
    - `body`: `str` (sent as UTF-8) or bytes, as the application will read it: where `headers` say
      `Content-Encoding: gzip` or `deflate` and it is not compressed already, it is compressed on the wire.
    - `payload`: anything that `json` can serialise; goes before `body`. It is serialised when it is sent.
    - `headers`: a mapping, a multidict or pairs; a name may stand there more than once.
    - `content_type`: the `Content-Type` header, unless `headers` have one.
    - `reason`: the reason phrase; by default the one that goes with `status`.
    - `response_class`: the class of the response that the caller gets, instead of the session's.
    - `method` plays no part; aioresponses 0.7 took it.

    Raises `TypeError` or `ValueError`, with the argument's name, for what cannot be sent.

    >>> CallbackResult(status=404, payload={"error": "no such user"})
    CallbackResult(status=404)
    """

    def __init__(
        self,
        method: str = hdrs.METH_GET,
        status: int = 200,
        body: str | bytes = "",
        content_type: str = "application/json",
        payload: Any = None,
        headers: Headers | None = None,
        response_class: Callable[..., ClientResponse] | None = None,
        reason: str | None = None,
    ) -> None:
        if isinstance(status, bool) or not isinstance(status, int):
            raise TypeError(f"status: expected an int from 200 to 999, got {status!r}")
        if not 200 <= status <= 999:
            raise ValueError(f"status: expected an int from 200 to 999, got {status!r}")
        if payload is not None:
            try:
                json.dumps(payload)
            except (TypeError, ValueError) as error:
                raise type(error)(
                    f"payload: expected a value that json can serialise, got {payload!r}: {error}"
                ) from error
        elif not isinstance(body, (str, bytes, bytearray, memoryview)):
            raise TypeError(f"body: expected str or bytes, got {body!r}")
        if reason is not None:
            _check_line("reason", reason)
        if response_class is not None and not callable(response_class):
            raise TypeError(f"response_class: expected a subclass of aiohttp.ClientResponse, got {response_class!r}")
        _check_line("content_type", content_type)
        self.method = method
        self.status = status
        self.body = body
        self.content_type = content_type
        self.payload = payload
        self.headers = _checked_headers(headers)
        self.response_class = response_class
        self.reason = reason
        self._made_head: bytes | None = None

    def __repr__(self) -> str:
        return f"CallbackResult(status={int(self.status)})"

    def answer(self, method: str) -> Answer:
        """Return the reply to a request with this method, as bytes on the wire."""
        headers = self.headers
        body = self._content()
        length = headers.get(hdrs.CONTENT_LENGTH)
        if hdrs.CONTENT_ENCODING in headers and body:
            compressed = _compressed(body, headers[hdrs.CONTENT_ENCODING].lower())
            if compressed is not body:
                # A length that was copied from a real response tells of other bytes than these.
                body, length = compressed, None
        hang_up = False
        if self.status in (204, 304):
            body = b""
        elif hdrs.TRANSFER_ENCODING in headers:
            # With a transfer encoding goes no length; without chunks, the end of the connection is the body's end.
            length = None
            if "chunked" not in headers[hdrs.TRANSFER_ENCODING].lower():
                hang_up = True
            else:
                body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
        else:
            # A registered length that is not the body's is sent all the same, as such a server would; it then hangs
            # up, for otherwise the client would wait for what never comes.
            hang_up = length is not None and length.strip() != str(len(body))
            length = length or str(len(body))
        if method == hdrs.METH_HEAD:
            body, hang_up = b"", False
        head = self._head()
        if length is not None:
            head = b"%bContent-Length: %b\r\n" % (head, length.encode())
        return Answer(head + b"\r\n", body, hang_up)

    def _head(self) -> bytes:
        # The status line and all headers but Content-Length. Made once: most mocks answer many times.
        if self._made_head is None:
            lines = [f"HTTP/1.1 {self.status:d} {_phrase(self.status) if self.reason is None else self.reason}"]
            if hdrs.CONTENT_TYPE not in self.headers:
                lines.append(f"{hdrs.CONTENT_TYPE}: {self.content_type}")
            lines += [f"{name}: {value}" for name, value in self.headers.items() if name.lower() != "content-length"]
            self._made_head = "".join(f"{line}\r\n" for line in lines).encode()
        return self._made_head

    def _content(self) -> bytes:
        if self.payload is not None:
            return json.dumps(self.payload).encode()
        return self.body.encode() if isinstance(self.body, str) else bytes(self.body)


def _check_line(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected a str, got {value!r}")
    if _LINE_END.search(value):
        raise ValueError(f"{name}: expected a str without CR, LF or NUL, got {value!r}")


def _checked_headers(headers: Headers | None) -> CIMultiDict[str]:
    try:
        checked: CIMultiDict[str] = CIMultiDict(headers or ())
    except (TypeError, ValueError) as error:
        raise TypeError(f"headers: expected a mapping or pairs of str, got {headers!r}: {error}") from error
    for name, value in checked.items():
        if not TOKEN.fullmatch(name):
            raise ValueError(f"headers: expected names that are HTTP tokens, got {name!r}")
        _check_line(f"headers: {name}", value)
    return checked


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""


def _compressed(body: bytes, encoding: str) -> bytes:
    """Return `body` in this content encoding; as it is where that is the case already, or the encoding is not ours."""
    if encoding == "gzip" and not body.startswith(b"\x1f\x8b"):
        return gzip.compress(body, mtime=0)
    if encoding == "deflate" and not any(_inflates(body, wbits) for wbits in (zlib.MAX_WBITS, -zlib.MAX_WBITS)):
        return zlib.compress(body)
    return body


def _inflates(body: bytes, wbits: int) -> bool:
    inflate = zlib.decompressobj(wbits)
    try:
        inflate.decompress(body)
    except zlib.error:
        return False
    return inflate.eof and not inflate.unused_data
