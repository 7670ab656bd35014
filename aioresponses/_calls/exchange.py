"""What is recorded about a request while it is in flight.

Users rarely look at it. So an `Exchange` is plain, and recording something is an assignment. What users see, a
`RequestCall`, is made in the room `record` when it is first asked for.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from copy import copy
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from weakref import ref

from aiohttp import ClientResponse, hdrs
from multidict import CIMultiDictProxy
from yarl import URL

from .._client.clocks import running, time_here
from .._client.written import Written
from .arguments import UnknownArguments, copied, unpacked
from .messages import decoded, parse_request

if TYPE_CHECKING:
    from .._client.frames import Upgraded
    from .._client.incoming import Incoming
    from .._client.outgoing import Outgoing

_count = itertools.count()

# The attributes that copies keep: the objects that took part in an exchange do not belong to its record.
_RECORDED = (
    "method", "url", "normalized_url", "kwargs", "order", "started", "virtually", "ended", "over", "since", "until",
    "connections", "unmatched", "refusal", "_sent", "outgoing",
)

# Up to this size, a request that is written in one piece is kept as it is.
_SMALL = 2 ** 16

_NO_INFO: Mapping[str, str] = MappingProxyType({})

_REDIRECTS = (301, 302, 303, 307, 308)


def moment() -> int:
    """Return a number greater than all that were returned before, so that later events have greater numbers.

    A clock could not give the order of events, because tests put clocks back and stop them.
    """
    return next(_count)


class Exchange:
    """One call of a session's method, or one of several requests of a call, and its outcome.

    `kwargs` are those of the call. They are copied, so that later changes do not show, and stay packed until
    `arguments` is called.
    """

    unmatched = False
    """Whether it was refused because no mock answers it."""

    refusal = ""
    """For a refused request: which mocks came closest at that time, and why none of them answers it."""

    answered_by: ref[Any] | None = None
    """The handle of the mock that answered, or of an application; weak, because that refers to its exchanges."""

    match_info: Mapping[str, str] = _NO_INFO
    """The values of the placeholders of the mock's template, or of the named groups of its pattern."""

    previous: ClientResponse | None = None
    """The response to the previous request of the same call."""

    response: ClientResponse | None = None
    exception: BaseException | None = None

    arriving: Callable[[], ClientResponse | None] | None = None
    """Returns the response to the last request, for a call whose end only shows when it gives its connection back."""

    virtually: float | None = None
    """When it began in virtual time, in seconds since the start of the clock; None if no clock ran."""

    ended: float | None = None

    over: int | None = None
    """When the call returned or raised, as a moment; `ended` is the same on a clock."""

    until: int | None = None
    """When it gave its last connection back, as a moment; meaningless while it has `connections`."""

    _began: int | None = None

    is_unpacked = False

    is_watched = False
    """Whether a mock looks at what the call leaves behind."""

    _asks_upgrade: bool | None = None

    upgraded: Upgraded | None = None
    """What has gone over its connection since that switched to another protocol."""

    _parsed: tuple[int, CIMultiDictProxy[str], bytes] | None = None

    outgoing: Outgoing | None = None
    """What is sent, for a request that is not written to the far end, or not yet."""

    incoming: Incoming | None = None
    """What arrives from the network in answer, for a request that is recorded."""

    def __init__(self, method: str, url: URL, normalized_url: URL, kwargs: dict[str, Any]) -> None:
        self.method = method
        self.url = url
        self.normalized_url = normalized_url
        # Usually there is only the argument that every call has, `allow_redirects`.
        self.kwargs = copied(kwargs) if len(kwargs) > 1 else kwargs
        self.hops: list[Exchange] | None = None
        self._sent: bytes | Written = b""
        self.since: int | None = None
        """Since when the call has been in flight, as a moment: since it had a connection, or its refusal began."""
        self.connections = 0
        """How many connections it has: one for each request in flight."""
        self.order = next(_count)
        self.started = perf_counter()
        if running:
            self._start_virtually()

    def _start_virtually(self) -> None:
        virtual = time_here()
        if virtual is not None:
            virtual.note_call()
            self.started, self.virtually = virtual.perf_counter(), virtual.elapsed

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of the call as users see them, always the same dict."""
        if not self.is_unpacked:
            self.kwargs = unpacked(self.kwargs)
            # As in 0.7.9, a call of `session.request()` is recorded like one of `session.post()`, which passes `data`.
            if self.method == hdrs.METH_POST and not isinstance(self.kwargs, UnknownArguments):
                self.kwargs.setdefault("data", None)
            self.is_unpacked = True
        return self.kwargs

    def next_hop(self, method: str, url: URL, response: ClientResponse | None) -> Exchange:
        """Record that another request of this call is about to be sent; return the exchange of that request.

        `response` is the response to the previous request, if there was any.
        """
        if self.hops is None:
            if not self.is_unpacked:
                self.kwargs = unpacked(self.kwargs)
            first = copy(self)
            first.kwargs = self.kwargs.copy()
            self.hops = [first]
        hop = Exchange(method, url, url, {})
        self.hops[-1].response, self.hops[-1].ended = response, hop.started
        hop.kwargs, hop._began, hop.order, hop.previous = self.kwargs.copy(), hop.order, self.order, response
        self.hops.append(hop)
        return hop

    @property
    def began(self) -> int:
        """When this request began, as a moment; `order` is when its call did."""
        return self.order if self._began is None else self._began

    @property
    def is_hop(self) -> bool:
        """Whether a redirect or a retry led to it."""
        return self._began is not None

    @property
    def redirect(self) -> ClientResponse | None:
        """The redirect that led to it, if one did."""
        previous = self.previous
        return previous if previous is not None and previous.status in _REDIRECTS else None

    @property
    def in_flight_until(self) -> int | None:
        """Until when the call was in flight, as a moment; None while it still is."""
        if self.response is None:
            return self.over
        # The response may still be read; a small one had arrived completely before the call returned.
        return None if self.connections else self.until or self.over

    def depart(self) -> None:
        """Record that the call is in flight from now on, unless it already is."""
        if self.since is None:
            self.since = next(_count)

    def connect(self) -> None:
        """Record that the call has a connection."""
        if self.since is None:
            self.since = next(_count)
        self.connections += 1

    def disconnect(self) -> None:
        """Record that one of its connections has gone."""
        self.connections -= 1
        self.until = next(_count)

    def start_again(self) -> None:
        """Forget what was sent, because the request is about to be sent again."""
        self._sent = b""
        self._parsed = None

    def receive(self, data: bytes) -> None:
        """Record what is sent of the request."""
        # Usually it is written in one piece, and then needs no further object.
        if not self._sent and len(data) < _SMALL:
            self._sent, self.outgoing = data, None
            return
        if isinstance(self._sent, bytes):
            self._sent, self.outgoing = Written(self._sent), None
        self._sent.append(data)

    @property
    def sent(self) -> Written:
        """What has been sent of the request."""
        return Written(self._sent) if isinstance(self._sent, bytes) else self._sent

    def end(self, response: ClientResponse | None, exception: BaseException | None) -> None:
        """Record how the call ended."""
        self.response = response
        self.exception = exception
        self.over = next(_count)
        virtual = time_here() if running else None
        self.ended = perf_counter() if virtual is None else virtual.perf_counter()
        if self.hops is not None:
            last = self.hops[-1]
            last.response, last.exception, last.ended = response, exception, self.ended
        data = self.kwargs.get("data")
        if data is not None and hasattr(data, "__aiter__"):
            # As in aioresponses 0.7, what was sent from an async iterable replaces it.
            for one in (self, *(self.hops or ())):
                if one.answered_by is not None and not one.sent_is_large:
                    one.arguments()["data"] = one.received()[1]

    @property
    def sent_is_large(self) -> bool:
        """Whether part of what has been sent is kept outside of memory."""
        return not isinstance(self._sent, bytes) and self._sent.is_large

    def received(self) -> tuple[CIMultiDictProxy[str], bytes]:
        """Return the headers and the body that were sent, the body after transfer and content decoding."""
        if self.outgoing is not None:
            headers, body = self.outgoing.headers, bytes(self.outgoing.body)
            content = decoded(headers[hdrs.CONTENT_ENCODING], body) if self.outgoing.is_encoded else body
            return CIMultiDictProxy(headers), content
        sent = self.sent
        # Parsed once, unless more has been written since. A large request is not kept here either.
        if self._parsed is None or self._parsed[0] != sent.size:
            parsed = (sent.size, *parse_request(bytes(sent)))
            if sent.is_large:
                return parsed[1:]
            self._parsed = parsed
        return self._parsed[1:]

    def received_headers(self) -> CIMultiDictProxy[str]:
        """Return the headers that were sent."""
        if self.outgoing is None and self.sent_is_large:
            return parse_request(self.sent.beginning())[0]
        return self.received()[0] if self.outgoing is None else CIMultiDictProxy(self.outgoing.headers)

    @property
    def asks_upgrade(self) -> bool:
        """Whether it asks for another protocol; the schemes of WebSockets and HTTP are then the same."""
        return hdrs.UPGRADE in self.received_headers() if self._asks_upgrade is None else self._asks_upgrade

    @asks_upgrade.setter
    def asks_upgrade(self, asks: bool) -> None:
        self._asks_upgrade = asks

    def recorded(self) -> Exchange:
        """Return a copy that can be kept indefinitely, and pickled."""
        record = Exchange.__new__(Exchange)
        record.__dict__.update((name, self.__dict__[name]) for name in _RECORDED if name in self.__dict__)
        record.hops = None
        record.match_info = dict(self.match_info)
        return record
