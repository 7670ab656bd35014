"""What was requested, and how it ended: one `RequestCall` for each call of the code under test."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from email.message import Message
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

from aiohttp import ClientResponse, hdrs
from multidict import CIMultiDictProxy, MultiDict, MultiDictProxy
from yarl import URL

from .exchanges import Exchange, thawed
from .reading import Part, decoded, parse_multipart, parse_request
from .urls import without_credentials

if TYPE_CHECKING:
    from .mocks import RequestMatch

__all__ = ["RequestCall", "call_of", "note_end"]

_CREDENTIALS = re.compile(r"//[^/@\s]+@")

_REDIRECTS = (301, 302, 303, 307, 308)


class _Arguments(NamedTuple):
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class RequestCall(_Arguments):
    """One call of a session's method, such as `session.get(url, params=…)`, and the request that was really sent.

    A named tuple of the call's positional arguments after the URL, `args`, and its keyword arguments, `kwargs`, as the
    caller gave them, the headers of the session among them; it compares as one. What was sent is parsed when it is
    asked for. A copy, or what is unpickled, has neither response nor exception nor hops.

    >>> call = mock.calls[0]
    >>> call.method, call.url, call.headers["Accept"], call.json()
    ('POST', 'http://example.com/users', '*/*', {'name': 'Ada'})
    """

    _exchange = Exchange("", URL(), URL(), {})
    _parsed: tuple[int, CIMultiDictProxy[str], bytes] | None = None

    @property
    def method(self) -> str:
        """The method, as the caller wrote it."""
        return self._exchange.method

    @property
    def url(self) -> str:
        """The URL that was asked for: `params` merged in, without its fragment."""
        return str(self._exchange.url.with_fragment(None))

    @property
    def response(self) -> ClientResponse | None:
        """The response that the caller got; None while there is none, or where the call raised."""
        return self._exchange.response

    @property
    def exception(self) -> BaseException | None:
        """What the call raised, if it did."""
        return self._exchange.exception

    @property
    def previous(self) -> ClientResponse | None:
        """Of a hop: the response to the hop before it, such as the redirect that led here."""
        return self._exchange.previous

    @property
    def unmatched(self) -> bool:
        """Whether a request of this call was refused because no mock answers it."""
        return self._exchange.unmatched

    @property
    def match(self) -> RequestMatch | None:
        """The mock that answered; None where none did, or the request was passed through."""
        return self._exchange.match

    @property
    def match_info(self) -> Mapping[str, str]:
        """What the places of the mock's template, or the named groups of its pattern, stand for in the URL."""
        return self._exchange.match_info

    @property
    def started(self) -> float:
        """When the call began, in seconds of `time.perf_counter()`."""
        return self._exchange.started

    @property
    def ended(self) -> float | None:
        """When the call returned or raised, in seconds of `time.perf_counter()`; None while it has not."""
        return self._exchange.ended

    @property
    def key(self) -> tuple[str, URL]:
        """Where the call stands in `aioresponses.requests`: the method and the normalised URL, with its fragment."""
        return self._exchange.method, self._exchange.normalized_url

    @property
    def order(self) -> int:
        """The place of the call among all calls of this process."""
        return self._exchange.order

    def __getstate__(self) -> dict[str, Any]:
        return {"_exchange": self._exchange.recorded()}

    def __repr__(self) -> str:
        return f"<RequestCall {self}>" if self.method else f"RequestCall(args={self.args!r}, kwargs={self.kwargs!r})"

    def __str__(self) -> str:
        first, *others = self.hops
        shown = f"{first.method} {without_credentials(first._exchange.url)}"
        for hop in others:
            # The response to a request that failed has no status.
            status = "no response" if hop.previous is None or hop.previous.status is None else hop.previous.status
            shown += f" -> {status}, {hop.method} {without_credentials(hop._exchange.url)}"
        if self.response is not None:
            return f"{shown} -> {self.response.status}"
        if self.unmatched:
            return f"{shown} -> no mock answered"
        if self.exception is not None:
            text = _CREDENTIALS.sub("//…@", " ".join(str(self.exception).split()))
            return f"{shown} -> raised {type(self.exception).__name__}{f': {text}' if text else ''}"
        return f"{shown} -> not ended" if self.ended is None else shown

    @property
    def hops(self) -> Sequence[RequestCall]:
        """The requests of the call: itself, or if there was a redirect or a retry, each of them in order."""
        hops = self._exchange.hops
        return [self] if hops is None else [call_of(hop) for hop in hops]

    @property
    def redirect(self) -> ClientResponse | None:
        """Of a hop: the redirect that led to it, if one did."""
        previous = self.previous
        return previous if previous is not None and previous.status in _REDIRECTS else None

    @property
    def query(self) -> MultiDictProxy[str]:
        """The query of the URL."""
        return self._exchange.url.query

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The headers that were sent; none where the request never got that far."""
        if self._exchange.elsewhere is not None:
            return CIMultiDictProxy(self._exchange.elsewhere[0])
        sent = self._exchange.sent
        return parse_request(sent.beginning())[0] if sent.is_large else self._received()[0]

    @property
    def body(self) -> bytes:
        """The body that was sent, after transfer and content decoding; empty where there was none."""
        return self._received()[1]

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that were sent."""
        # SimpleCookie would take some names for attributes, and stop at what it does not know; it can unquote values.
        unquote = SimpleCookie().value_decode
        pairs = (
            pair.strip().partition("=") for header in self.headers.getall(hdrs.COOKIE, ()) for pair in header.split(";")
        )
        return {name: unquote(value)[0] for name, _, value in pairs if name}

    def text(self) -> str:
        """Return the body as text, by the charset of its `Content-Type`, or else as UTF-8.

        Raises `ValueError` where it is no such text.
        """
        charset = self._charset()
        try:
            return self.body.decode(charset)
        except (UnicodeDecodeError, LookupError) as error:
            raise ValueError(f"the body of {self._named()} is no text in {charset}: {error}") from error

    def _charset(self) -> str:
        message = Message()
        message[hdrs.CONTENT_TYPE] = self.headers.get(hdrs.CONTENT_TYPE, "")
        return message.get_content_charset("utf-8")

    def json(self) -> Any:
        """Return the body, decoded from JSON.

        Raises `ValueError` where it is no JSON.
        """
        text = self.text()
        try:
            return json.loads(text)
        except ValueError as error:
            raise ValueError(
                f"the body of {self._named()} is no JSON ({error}): {self._described()}"
            ) from None

    def form(self) -> MultiDict[str]:
        """Return the fields of an urlencoded form.

        Raises `ValueError` where the body is none, by its `Content-Type`.
        """
        self._expect("application/x-www-form-urlencoded")
        return MultiDict(parse_qsl(self.text(), keep_blank_values=True, encoding=self._charset()))

    def multipart(self) -> list[Part]:
        """Return the parts of a multipart body: `name`, `filename`, `headers` and `content` of each.

        Raises `ValueError` where the body is none, by its `Content-Type`.
        """
        self._expect("multipart/")
        try:
            return parse_multipart(self.headers, self.body)
        except Exception as error:  # aiohttp raises ValueError, RuntimeError, and errors of its own and of zlib.
            raise ValueError(f"the body of {self._named()} is no multipart that can be read: {error!r}") from error

    def _expect(self, mimetype: str) -> None:
        if not self.headers.get(hdrs.CONTENT_TYPE, "").lower().startswith(mimetype):
            raise ValueError(
                f"the body of {self._named()} is not {mimetype.rstrip('/')}: {self._described()}"
            )

    def _named(self) -> str:
        return f"{self.method} {without_credentials(self._exchange.url)}"

    def _described(self) -> str:
        body = self.body
        size = "1 byte" if len(body) == 1 else f"{len(body)} bytes"
        shown = repr(body[:100].decode("utf-8", "replace")) + ("…" if len(body) > 100 else "")
        return f"it has Content-Type {self.headers.get(hdrs.CONTENT_TYPE)!r} and {size}: {shown}"

    def _received(self) -> tuple[CIMultiDictProxy[str], bytes]:
        if self._exchange.elsewhere is not None:
            headers, body, is_encoded = self._exchange.elsewhere
            content = decoded(headers[hdrs.CONTENT_ENCODING], bytes(body)) if is_encoded else bytes(body)
            return CIMultiDictProxy(headers), content
        sent = self._exchange.sent
        # Parsed once, unless more was written since; what is too large to be kept in memory is not kept here either.
        if self._parsed is None or self._parsed[0] != sent.size:
            parsed = (sent.size, *parse_request(bytes(sent)))
            if sent.is_large:
                return parsed[1:]
            self._parsed = parsed
        return self._parsed[1:]


def call_of(exchange: Exchange) -> RequestCall:
    """Return the call that shows an exchange, the same one whenever it is asked for."""
    call = exchange.call
    if call is None:
        kwargs = thawed(exchange.kwargs)
        # As 0.7.9 has it: `session.request()` need not say it, but the call is recorded as if by `session.post()`.
        if exchange.method == hdrs.METH_POST:
            kwargs.setdefault("data", None)
        exchange.kwargs = kwargs
        call = exchange.call = RequestCall((), kwargs)
        call._exchange = exchange
        if exchange.ended is not None:
            note_end(call)
    return call


def note_end(call: RequestCall) -> None:
    """Put what was sent of an asynchronous iterable in its place, as aioresponses 0.7 has it; the call has ended."""
    is_iterable = hasattr(call.kwargs.get("data"), "__aiter__")
    if is_iterable and call.match is not None and not call._exchange.sent.is_large:
        call.kwargs["data"] = call.body
