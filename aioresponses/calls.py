"""What was requested, and how it ended: one `RequestCall` for each call of the code under test."""

from __future__ import annotations

import copy
import itertools
import json
import marshal
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from email.message import Message
from http.cookies import SimpleCookie
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import parse_qsl

from aiohttp import ClientResponse, ClientTimeout, StreamReader, hdrs
from multidict import CIMultiDict, CIMultiDictProxy, MultiDict, MultiDictProxy
from yarl import URL

from .reading import Part, decoded, parse_multipart, parse_request
from .urls import without_credentials
from .written import Written

if TYPE_CHECKING:
    from .mocks import RequestMatch

__all__ = ["RequestCall", "record"]

_count = itertools.count()

# What copies of a call keep of it.
_RECORDED = ("method", "key", "order", "started", "ended", "unmatched", "_url", "_sent", "_elsewhere")

_CREDENTIALS = re.compile(r"//[^/@\s]+@")

_REDIRECTS = (301, 302, 303, 307, 308)

# Values that never change need no copy, and a stream must have none; the others in the keyword arguments of a call do.
_UNCHANGING = (str, bytes, int, float, type(None), URL, ClientTimeout, StreamReader)


class _Frozen(bytes):
    """A copy of an argument, made of builtin types alone, that is unpacked when somebody looks at it."""


class _Arguments(NamedTuple):
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class RequestCall(_Arguments):
    """One call of a session's method, such as `session.get(url, params=…)`, and the request that was really sent.

    A named tuple of the call's positional arguments after the URL, `args`, and its keyword arguments, `kwargs`, as the
    caller gave them; it compares as one. What was sent is parsed when it is asked for.

    >>> call = mock.calls[0]
    >>> call.method, call.url, call.headers["Accept"], call.json()
    ('POST', 'http://example.com/users', '*/*', {'name': 'Ada'})
    """

    method: str = ""
    """The method, as the caller wrote it."""

    response: ClientResponse | None = None
    """The response that the caller got; None while there is none, or where the call raised."""

    exception: BaseException | None = None
    """What the call raised, if it did."""

    previous: ClientResponse | None = None
    """Of a hop: the response to the hop before it, such as the redirect that led here."""

    unmatched: bool = False
    """Whether a request of this call was refused because no mock answers it."""

    match: RequestMatch | None = None
    """The mock that answered; None where none did, or the request was passed through."""

    match_info: Mapping[str, str] = MappingProxyType({})
    """What the places of the mock's template, or the named groups of its pattern, stand for in the URL."""

    started: float = 0.0
    """When the call began, in seconds of `time.perf_counter()`."""

    ended: float | None = None
    """When the call returned or raised, in seconds of `time.perf_counter()`; None while it has not."""

    key: tuple[str, URL]
    """Where the call stands in `aioresponses.requests`: the method and the normalised URL, with its fragment."""

    order: int = 0
    """The place of the call among all calls of this process."""

    _is_frozen: bool = False
    _url: URL = URL()
    _hops: list[RequestCall] | None = None
    _parsed: tuple[int, CIMultiDictProxy[str], bytes] | None = None
    _sent: Written = Written()
    _elsewhere: tuple[CIMultiDict[str], Written, bool] | None = None

    # A copy of a large json= takes several times as long as all else of a request, and mostly nobody looks at it.

    @property
    def kwargs(self) -> dict[str, Any]:
        """The keyword arguments of the call."""
        kwargs: Any = super().__getitem__(1)
        if self._is_frozen:
            self._is_frozen = False
            for name, value in kwargs.items():
                if isinstance(value, _Frozen):
                    kwargs[name] = marshal.loads(value)
        return cast("dict[str, Any]", kwargs)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.args, self.kwargs))

    def __getitem__(self, index: Any) -> Any:
        return tuple(self)[index]

    def __eq__(self, other: object) -> bool:
        return tuple(self) == (tuple(other) if isinstance(other, RequestCall) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = tuple.__hash__

    def __getstate__(self) -> dict[str, Any]:
        # A copy, or what is pickled, is a record of the call: what took part in it is no part of it.
        recorded = {name: self.__dict__[name] for name in _RECORDED if name in self.__dict__}
        return {**recorded, "match_info": dict(self.match_info)}

    def __repr__(self) -> str:
        return f"<RequestCall {self}>" if self.method else f"RequestCall(args={self.args!r}, kwargs={self.kwargs!r})"

    def __str__(self) -> str:
        first, *others = self.hops
        shown = f"{first.method} {without_credentials(first._url)}"
        for hop in others:
            # The response to a request that failed has no status.
            status = "no response" if hop.previous is None or hop.previous.status is None else hop.previous.status
            shown += f" -> {status}, {hop.method} {without_credentials(hop._url)}"
        if self.response is not None:
            return f"{shown} -> {self.response.status}"
        if self.unmatched:
            return f"{shown} -> no mock answered"
        if self.exception is not None:
            text = _CREDENTIALS.sub("//…@", " ".join(str(self.exception).split()))
            return f"{shown} -> raised {type(self.exception).__name__}{f': {text}' if text else ''}"
        return f"{shown} -> not ended" if self.ended is None else shown

    @property
    def url(self) -> str:
        """The URL that was asked for: `params` merged in, without its fragment."""
        return str(self._url.with_fragment(None))

    @property
    def hops(self) -> Sequence[RequestCall]:
        """The requests of the call: itself, or if there was a redirect or a retry, each of them in order."""
        return [self] if self._hops is None else self._hops

    @property
    def redirect(self) -> ClientResponse | None:
        """Of a hop: the redirect that led to it, if one did."""
        previous = self.previous
        return previous if previous is not None and previous.status in _REDIRECTS else None

    @property
    def query(self) -> MultiDictProxy[str]:
        """The query of the URL."""
        return self._url.query

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The headers that were sent; none where the request never got that far."""
        if self._elsewhere is not None:
            return CIMultiDictProxy(self._elsewhere[0])
        return parse_request(self._sent.beginning())[0] if self._sent.is_large else self._received()[0]

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
        return f"{self.method} {without_credentials(self._url)}"

    def _described(self) -> str:
        body = self.body
        size = "1 byte" if len(body) == 1 else f"{len(body)} bytes"
        shown = repr(body[:100].decode("utf-8", "replace")) + ("…" if len(body) > 100 else "")
        return f"it has Content-Type {self.headers.get(hdrs.CONTENT_TYPE)!r} and {size}: {shown}"

    def _received(self) -> tuple[CIMultiDictProxy[str], bytes]:
        if self._elsewhere is not None:
            headers, body, is_encoded = self._elsewhere
            content = decoded(headers[hdrs.CONTENT_ENCODING], bytes(body)) if is_encoded else bytes(body)
            return CIMultiDictProxy(headers), content
        sent = self._sent
        # Parsed once, unless more was written since; what is too large to be kept in memory is not kept here either.
        if self._parsed is None or self._parsed[0] != sent.size:
            parsed = (sent.size, *parse_request(bytes(sent)))
            if sent.is_large:
                return parsed[1:]
            self._parsed = parsed
        return self._parsed[1:]

    # What the hooks note while the call is on its way.

    def next_hop(self, method: str, url: URL, response: ClientResponse | None) -> RequestCall:
        """Note that one more request of this call is about to be sent; return the call that stands for it alone.

        `response` is the one to the request before it, if there was any.
        """
        if self._hops is None:
            first = RequestCall(*self)
            first.__dict__.update(self.__dict__)
            self._hops = [first]
        now = time.perf_counter()
        self._hops[-1].response, self._hops[-1].ended = response, now
        hop = RequestCall(*self)
        hop.method, hop._url, hop.key, hop.order, hop.started = method, url, (method, url), self.order, now
        hop.previous = response
        self._hops.append(hop)
        return hop

    def sent_as(self, sent: Written) -> None:
        """Note where the bytes of the request are, or will be."""
        self._sent, self._elsewhere = sent, None

    def sent_elsewhere(self, headers: CIMultiDict[str], body: Written, to_encode: bool) -> None:
        """Note a request that is not written to us, or not yet: its headers, and where its body is, or will be.

        `to_encode` is whether aiohttp is yet to encode that body as the headers say.
        """
        self._elsewhere = (headers, body, hdrs.CONTENT_ENCODING in headers and not to_encode)

    def end(self, response: ClientResponse | None, exception: BaseException | None) -> None:
        """Note how the call ended."""
        self.response, self.exception, self.ended = response, exception, time.perf_counter()
        if self._hops is not None:
            last = self._hops[-1]
            last.response, last.exception, last.ended = response, exception, self.ended


def record(key: tuple[str, URL], url: URL, kwargs: Mapping[str, Any]) -> RequestCall:
    """Make the `RequestCall` of a call that is about to be made.

    `kwargs` are those of the call. They are copied, so that what happens to them later does not show; values that
    cannot be copied are kept as they are.
    """
    copied = {}
    is_frozen = False
    for name, value in kwargs.items():
        if not isinstance(value, _UNCHANGING):
            value = _copied(value)
            is_frozen = is_frozen or isinstance(value, _Frozen)
        copied[name] = value
    method = key[0]
    # As 0.7.9 has it: `session.request()` need not say it, but the call is recorded as if by `session.post()`.
    if method == hdrs.METH_POST:
        copied.setdefault("data", None)
    # As the constructor does it, without its detour.
    call = tuple.__new__(RequestCall, ((), copied))
    if is_frozen:
        call._is_frozen = True
    call.method = method
    call._url = url
    call.key = key
    call.order = next(_count)
    call.started = time.perf_counter()
    return call


def _copied(value: Any) -> Any:
    if type(value) in (dict, list):
        try:
            return _Frozen(marshal.dumps(value))
        except ValueError:
            pass  # Not all of it is of builtin types.
    return _deeply_copied(value)


def _deeply_copied(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:
        # A file, a generator, an SSL context: keep it, and copy at least what it stands in.
        if type(value) is dict:
            return {name: _deeply_copied(item) for name, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(map(_deeply_copied, value))
        return value
