"""What users see of an exchange, and of the mock that answered it.

Both must be freed without the garbage collector after a test. So a mock refers to its exchanges, but an exchange refers
to the handle of its mock only weakly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from weakref import ref

from aiohttp import ClientResponse, hdrs
from multidict import CIMultiDictProxy, MultiDict, MultiDictProxy
from yarl import URL

from .._display import shown, shown_arguments, shown_url, without_passwords
from .._urls import Template
from .exchange import Exchange
from .messages import Message, cookies_of

if TYPE_CHECKING:
    import re

    from .multipart import Part
    from .traffic import WebSocketTraffic

# The arguments of a mock after its method, in the order in which aioresponses 0.7 takes them.
_BY_POSITION = (
    "status", "body", "payload", "exception", "headers", "content_type", "response_class", "timeout", "repeat",
    "reason", "callback",
)


if TYPE_CHECKING:
    class Calls(Protocol):
        """What turns exchanges into calls."""

        def call_of(self, exchange: Exchange, /) -> RequestCall:
            """Return what users see of an exchange, always the same object."""


class _Arguments(NamedTuple):
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class RequestCall(_Arguments):
    """One call of a session's method, such as `session.get(url, params=…)`, and the request that was sent.

    It is a named tuple, and compares as one: `args`, the positional arguments after the URL, and `kwargs`, the keyword
    arguments as the caller gave them, together with the headers of the session. What was sent is parsed when you read
    it. A copy, or an unpickled call, has no response, exception or hops.

    >>> call = mock.calls[0]
    >>> call.method, call.url, call.headers["Accept"], call.json()
    ('POST', 'http://example.com/users', '*/*', {'name': 'Ada'})
    """

    _exchange: Exchange

    # The log that made it; weak, because the log refers to its calls.
    _log: ref[Calls] | None = None

    @classmethod
    def of(cls, exchange: Exchange) -> RequestCall:
        """Return what users see of an exchange."""
        call = cls((), exchange.arguments())
        call._exchange = exchange
        return call

    def __getattr__(self, name: str) -> Any:
        # A call made by hand, for comparing it with others, was never sent.
        if name == "_exchange":
            self._exchange = Exchange("", URL(), URL(), {})
            return self._exchange
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def method(self) -> str:
        """The method, as the caller wrote it."""
        return self._exchange.method

    @property
    def url(self) -> str:
        """The URL that was requested, with `params` merged in and without its fragment."""
        return str(self._exchange.url.with_fragment(None))

    @property
    def response(self) -> ClientResponse | None:
        """The response that the caller got; None until the call has returned, and if it raised."""
        return self._exchange.response

    @property
    def _arrived(self) -> ClientResponse | None:
        """The response that has begun to arrive, even if it is unknown whether the call has returned it."""
        arriving = self._exchange.arriving
        response = self.response if arriving is None else arriving()
        return None if response is None or response.status is None else response

    @property
    def exception(self) -> BaseException | None:
        """The exception that the call raised, if any."""
        return self._exchange.exception

    @property
    def previous(self) -> ClientResponse | None:
        """For a hop, the response to the hop before it, such as the redirect that led here."""
        return self._exchange.previous

    @property
    def unmatched(self) -> bool:
        """Whether a request of this call was refused because no mock answered it."""
        return self._exchange.unmatched

    @property
    def _refusals(self) -> list[str]:
        """Why no mock answered, for each request of this call that was refused."""
        exchanges = self._exchange.hops or [self._exchange]
        return list(dict.fromkeys(one.refusal for one in exchanges if one.refusal))

    @property
    def match(self) -> RequestMatch | None:
        """The mock that answered, or that let the request through (`passthrough=True`); None if no mock did.

        A mounted application is not a mock.
        """
        answered_by = self._exchange.answered_by
        answering = None if answered_by is None else answered_by()
        return answering if isinstance(answering, RequestMatch) else None

    @property
    def match_info(self) -> Mapping[str, str]:
        """The values in the URL of the placeholders of the mock's template, or of the named groups of its pattern."""
        return self._exchange.match_info

    @property
    def websocket(self) -> WebSocketTraffic | None:
        """What went over the WebSocket that this call was upgraded to; None if it was not upgraded."""
        # After a redirect, the last hop was upgraded.
        hop = self._exchange.hops[-1] if self._exchange.hops else self._exchange
        if hop.upgraded is None or not hop.upgraded.is_websocket:
            return None
        from .traffic import WebSocketTraffic  # Not before it is needed.

        return WebSocketTraffic(hop)

    @property
    def started(self) -> float:
        """When the call began, in seconds of `time.perf_counter()`, which follow a `VirtualClock` while one runs."""
        return self._exchange.started

    @property
    def ended(self) -> float | None:
        """When the call returned or raised, in the same seconds as `started`; None until then."""
        return self._exchange.ended

    @property
    def key(self) -> tuple[str, URL]:
        """The key of the call in `aioresponses.requests`: the method and the normalised URL, with its fragment."""
        return self._exchange.method, self._exchange.normalized_url

    @property
    def order(self) -> int:
        """The position of the call among all calls of this process."""
        return self._exchange.order

    def __getstate__(self) -> dict[str, Any]:
        return {"_exchange": self._exchange.recorded()}

    def __repr__(self) -> str:
        if self.method:
            return f"<RequestCall {self}>"
        return f"RequestCall(args={self.args!r}, kwargs={shown_arguments(self.kwargs, {})!r})"

    def __str__(self) -> str:
        first, *others = self.hops
        asked = first._named()
        for hop in others:
            # The response to a request that failed has no status.
            status = "no response" if hop.previous is None or hop.previous.status is None else hop.previous.status
            asked += f" -> {status}, {hop._named()}"
        if self.response is not None:
            return f"{asked} -> {self.response.status}"
        if self.unmatched:
            return f"{asked} -> no mock answered"
        if self.exception is not None:
            text = without_passwords(" ".join(shown(self.exception, most=None, by=str).split()))
            return f"{asked} -> raised {type(self.exception).__name__}{f': {text}' if text else ''}"
        return f"{asked} -> in flight" if self.ended is None else asked

    @property
    def hops(self) -> Sequence[RequestCall]:
        """The requests of the call: the call itself or, after a redirect or a retry, each of them in order."""
        hops = self._exchange.hops
        if hops is None:
            return [self]
        log = None if self._log is None else self._log()
        return [RequestCall.of(hop) if log is None else log.call_of(hop) for hop in hops]

    @property
    def redirect(self) -> ClientResponse | None:
        """For a hop, the redirect that led to it, if any."""
        return self._exchange.redirect

    @property
    def query(self) -> MultiDictProxy[str]:
        """The query of the URL."""
        return self._exchange.url.query

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The headers that were sent; empty if the request never got that far."""
        return self._exchange.received_headers()

    @property
    def body(self) -> bytes:
        """The body that was sent, after transfer and content decoding; empty if there was none."""
        return self._exchange.received()[1]

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that were sent."""
        return cookies_of(self.headers)

    def text(self) -> str:
        """Return the body as text, in the charset of its `Content-Type`, or else as UTF-8.

        Raises `ValueError` if it cannot be decoded.
        """
        return self._message().text()

    def json(self) -> Any:
        """Return the body, decoded from JSON.

        Raises `ValueError` if it is not JSON.
        """
        return self._message().json()

    def form(self) -> MultiDict[str]:
        """Return the fields of a URL-encoded form.

        Raises `ValueError` if the body is not a form, according to its `Content-Type`.

        >>> call.form()["name"]
        'Ada'
        """
        return self._message().form()

    def multipart(self) -> list[Part]:
        """Return the parts of a multipart body: `name`, `filename`, `headers` and `content` of each.

        Raises `ValueError` if the body is not multipart, according to its `Content-Type`.

        >>> [(part.name, part.filename, part.content) for part in call.multipart()]
        [('file', 'a.csv', b'1,2')]
        """
        return self._message().multipart()

    def _message(self) -> Message:
        return Message(self._named(), *self._exchange.received())

    def _named(self) -> str:
        return f"{self.method} {shown_url(self._exchange.url)}"


def in_order(calls: Iterable[RequestCall]) -> list[RequestCall]:
    """Return requests in the order in which they were made, including the hops of a call."""
    return sorted(calls, key=lambda call: call._exchange.began)


if TYPE_CHECKING:
    class AtWork(Calls, Protocol):
        """What a handle needs from its mock."""

        above: str
        """The URL of its group, which comes before the path that the user gave; "" if it has no group."""
        source: str
        """The path of the HAR file of which it is an entry; "" if it is not from a file."""

        @property
        def url_or_pattern(self) -> URL | re.Pattern[str] | Template | None: ...

        @property
        def limit(self) -> int | None:
            """How many requests it answers; None for any number."""

        @property
        def remaining(self) -> int | None:
            """How many more requests it answers; None for any number."""

        @property
        def left_to_answer(self) -> int:
            """How many requests it must still answer if all mocks must be called; at least one in total."""

        @property
        def exchanges(self) -> Sequence[Exchange]:
            """The requests that it answered, in order."""

        @property
        def hidden_by(self) -> AtWork | None:
            """The earlier mock that certainly answers all requests meant for this one, or None."""

        @property
        def overrides(self) -> bool:
            """Whether it is asked before all mocks that were registered earlier."""

        @property
        def dropped(self) -> int:
            """How many requests it answered that are no longer kept."""

        def drop(self, exchange: Exchange) -> None:
            """Stop keeping a request that it answered."""

        def forget(self) -> None:
            """Forget all requests that it answered."""

        def passed_by(self, call: RequestCall) -> str | None:
            """Return why it did not answer a request of its method and URL; None for any other request."""

        def remove(self) -> None:
            """Take the mock out of service."""


class Answering:
    """A registered mock, a group of mocks, or a mounted application: the requests that it answered."""

    _kind = "group"
    """What messages call it, before its own text."""

    if TYPE_CHECKING:

        @property
        def calls(self) -> list[RequestCall]: ...

        @property
        def call_count(self) -> int: ...

        def _answered(self, call: RequestCall) -> bool:
            """Tell whether a request was answered here."""

    def _passed_by(self, call: RequestCall) -> str | None:
        """Return why a request of a method and URL that belong here was not answered here; None for any other."""
        return None

    @property
    def called(self) -> bool:
        """Whether a request was answered here."""
        return self.call_count > 0


class RequestMatch(Answering):
    """A registered mock: the requests that it answered, and how many more it answers.

    `aioresponses.add` makes and returns it, and describes its arguments.

    >>> users = mock.get("http://example.com/users", payload=[])
    >>> users.call_count, users.remaining
    (0, 1)
    """

    _kind = "mock"

    # The mock at work, made from the arguments given here, which a wrapper of `__init__` may have changed.
    _at_work: AtWork

    def __init__(self, url: Any, method: str | None = hdrs.METH_GET, *by_position: Any, **given: Any) -> None:
        if by_position:
            # As a wrapper of `__init__` that was written for aioresponses 0.7 may pass them.
            if len(by_position) > len(_BY_POSITION):
                raise TypeError(f"RequestMatch() takes at most {len(_BY_POSITION) + 2} arguments by position")
            given = {**dict(zip(_BY_POSITION, by_position)), **given}
        self._url = url
        self._method = method
        self._given = given
        self.method: str = str.lower(method) if isinstance(method, str) else "*" if method is None else method
        """The method, in lower case (as in aioresponses 0.7); `*` for every method."""
        self.optional: bool = given.get("optional", False)
        """Whether the mock may remain unused, or have replies left, if all mocks must be called."""

    def __repr__(self) -> str:
        count, limit = self.call_count, self._at_work.limit
        if limit is not None:
            return f"<RequestMatch {self}, used {limit - (self.remaining or 0)} of {limit}>"
        return f"<RequestMatch {self}, used {'once' if count == 1 else f'{count} times'}>"

    def __str__(self) -> str:
        return str(self._at_work)

    @property
    def url_or_pattern(self) -> URL | re.Pattern[str] | Template | None:
        """The normalised URL, the template or the pattern; None for every URL."""
        return self._at_work.url_or_pattern

    @property
    def remaining(self) -> int | None:
        """How many more requests this mock answers; None for any number."""
        return self._at_work.remaining

    @property
    def calls(self) -> list[RequestCall]:
        """The requests that this mock answered, in order; with `keep_calls`, only those that are kept."""
        return list(map(self._at_work.call_of, self._at_work.exchanges))

    @property
    def call_count(self) -> int:
        """How many requests this mock answered."""
        return len(self._at_work.exchanges) + self._at_work.dropped

    def _answered(self, call: RequestCall) -> bool:
        return call.match is self

    def _passed_by(self, call: RequestCall) -> str | None:
        return self._at_work.passed_by(call)

    def remove(self) -> None:
        """Remove the mock, as if it had never been registered; has no effect if it was removed already."""
        self._at_work.remove()
