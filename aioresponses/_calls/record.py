"""What is noted of a request while it is on its way.

Most of it nobody ever looks at. So an `Exchange` is plain, and noting something is an assignment; a `RequestCall`,
which is what users see of it, is made when somebody asks for it.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from email.message import Message
from http.cookies import SimpleCookie
from time import perf_counter
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from aiohttp import ClientResponse, hdrs
from multidict import CIMultiDict, CIMultiDictProxy, MultiDict, MultiDictProxy
from yarl import URL

from .._client.written import Written
from .._urls import Template, without_credentials
from .arguments import _copied_arguments, thawed
from .messages import Part, decoded, parse_multipart, parse_request

_count = itertools.count()

# What copies of it keep: what took part in it is no part of a record.
_RECORDED = (
    "method", "url", "normalized_url", "kwargs", "order", "started", "ended", "unmatched", "_sent", "elsewhere",
)

# So much of a request is kept as it comes.
_SMALL = 2 ** 16

_NO_INFO: Mapping[str, str] = MappingProxyType({})


class Exchange:
    """One call of a session's method, or one of several requests that it came to, and what came of it.

    `kwargs` are those of the call; they are copied, so that what happens to them later does not show, and must be
    `thawed` to be looked at.
    """

    unmatched = False
    """Whether it was refused because no mock answers it."""

    match: RequestMatch | None = None
    """The mock that answered."""

    match_info = _NO_INFO
    """What the places of the mock's template, or the named groups of its pattern, stand for."""

    previous: ClientResponse | None = None
    """The response to the request before it, of the same call."""

    response: ClientResponse | None = None
    exception: BaseException | None = None

    ended: float | None = None

    elsewhere: tuple[CIMultiDict[str], Written, bool] | None = None
    """Of a request that is not written to us, or not yet: its headers, its body, and whether that is encoded."""

    call: RequestCall | None = None
    """What users see of it, if anybody has looked."""

    def __init__(self, method: str, url: URL, normalized_url: URL, kwargs: dict[str, Any]) -> None:
        self.method = method
        self.url = url
        self.normalized_url = normalized_url
        # Mostly there is but the one that every call has, `allow_redirects`.
        self.kwargs = _copied_arguments(kwargs) if len(kwargs) > 1 else kwargs
        self.hops: list[Exchange] | None = None
        self._sent: bytes | Written = b""
        self.order = next(_count)
        self.started = perf_counter()

    def next_hop(self, method: str, url: URL, response: ClientResponse | None) -> Exchange:
        """Note that one more request of this call is about to be sent; return what stands for it alone.

        `response` is the one to the request before it, if there was any.
        """
        if self.hops is None:
            self.kwargs = thawed(self.kwargs)
            first = copy.copy(self)
            first.call = None
            self.hops = [first]
        hop = Exchange(method, url, url, {})
        self.hops[-1].response, self.hops[-1].ended = response, hop.started
        hop.kwargs, hop.order, hop.previous = self.kwargs, self.order, response
        self.hops.append(hop)
        return hop

    def start_again(self) -> None:
        """Forget what was sent, for the request is about to be sent once more."""
        self._sent = b""

    def receive(self, data: bytes) -> None:
        """Note what is sent of the request."""
        # Mostly it comes as one piece, and then there is no need for more objects than it.
        if not self._sent and len(data) < _SMALL:
            self._sent, self.elsewhere = data, None
            return
        if isinstance(self._sent, bytes):
            self._sent, self.elsewhere = Written(self._sent), None
        self._sent.append(data)

    @property
    def sent(self) -> Written:
        """What has been sent of the request."""
        return Written(self._sent) if isinstance(self._sent, bytes) else self._sent

    def sent_elsewhere(self, headers: CIMultiDict[str], body: Written, to_encode: bool) -> None:
        """Note a request that is not written to us, or not yet: its headers, and where its body is, or will be.

        `to_encode` is whether aiohttp is yet to encode that body as the headers say.
        """
        self.elsewhere = (headers, body, hdrs.CONTENT_ENCODING in headers and not to_encode)

    def end(self, response: ClientResponse | None, exception: BaseException | None) -> None:
        """Note how the call ended."""
        self.response = response
        self.exception = exception
        self.ended = perf_counter()
        if self.hops is not None:
            last = self.hops[-1]
            last.response, last.exception, last.ended = response, exception, self.ended

    def recorded(self) -> Exchange:
        """Return a copy that can be kept for ever, and pickled."""
        record = Exchange.__new__(Exchange)
        record.__dict__.update((name, self.__dict__[name]) for name in _RECORDED if name in self.__dict__)
        record.hops = None
        record.match_info = dict(self.match_info)
        return record


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


_mocks = itertools.count()


class RequestMatch:
    """A registered mock: the requests that it answered, and how many more it answers.

    `aioresponses.add` makes and returns it, and describes its arguments.
    """

    def __init__(
        self,
        method: str,
        url_or_pattern: URL | re.Pattern[str] | Template,
        asked: object,
        limit: int | None,
        optional: bool,
        is_sequence: bool,
    ) -> None:
        self.method = method
        """The method, in lower case (as in aioresponses 0.7)."""
        self.url_or_pattern = url_or_pattern
        self._asked = asked
        self.remaining = limit
        """How many more requests this mock answers; None for any number."""
        self._limit = limit
        self.optional = optional
        """Whether the mock may stay unused where all mocks must be called."""
        self._is_sequence = is_sequence
        self.order = next(_mocks)
        self.key = str(self.order)
        self._take_out: Callable[[str], None] | None = None
        self._put_back: Callable[[str], None] | None = None
        self._exchanges: list[Exchange] = []

    def __repr__(self) -> str:
        times = "once" if self.call_count == 1 else f"{self.call_count} times"
        return f"<RequestMatch {self}, used {times if self._limit is None else self.used()}>"

    def __str__(self) -> str:
        return str(self._asked)

    def used(self) -> str:
        """Return how many requests of how many it answered."""
        return f"{(self._limit or 0) - (self.remaining or 0)} of {self._limit}"

    @property
    def calls(self) -> list[RequestCall]:
        """The requests that this mock answered, in order."""
        return list(map(call_of, self._exchanges))

    @property
    def called(self) -> bool:
        """Whether this mock answered a request."""
        return bool(self._exchanges)

    @property
    def call_count(self) -> int:
        """How many requests this mock answered."""
        return len(self._exchanges)

    def remove(self) -> None:
        """Take the mock out of service, as if it had never been registered; without effect where it is already."""
        if self._take_out is not None:
            self._take_out(self.key)
            self._take_out = None

    def registered_by(self, take_out: Callable[[str], None], put_back: Callable[[str], None]) -> None:
        """Note who takes the mock out of service, and puts it back."""
        self._take_out = take_out
        self._put_back = put_back

    def answered(self, exchange: Exchange) -> None:
        """Note one more request that this mock answers."""
        exchange.match = self
        self._exchanges.append(exchange)
        if self.remaining is not None:
            self.remaining -= 1

    def give_back(self) -> None:
        """Answer one request less, for the callback that was to answer it has raised.

        So it was in aioresponses 0.7, and callbacks that raise a few times before they answer count on it. In a
        sequence it has had its turn, and a callback that was cancelled has been asked.
        """
        if not self._is_sequence and self._put_back is not None:
            self._put_back(self.key)
