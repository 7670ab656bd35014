"""What is noted of a request while it is on its way.

Users rarely look. So an `Exchange` is plain, and noting something is an assignment; what users see of it, a
`RequestCall`, is made in the next room when somebody asks for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from copy import copy
from time import perf_counter
from types import MappingProxyType
from typing import Any
from weakref import ref

from aiohttp import ClientResponse, hdrs
from multidict import CIMultiDictProxy
from yarl import URL

from .._client.clocks import running, time_here
from .._client.frames import Upgraded
from .._client.incoming import Incoming
from .._client.outgoing import Outgoing
from .._client.written import Written
from .arguments import UnknownArguments, copied, unpacked
from .messages import decoded, parse_request

_count = itertools.count()

# What copies of it keep: what took part in it is no part of a record.
_RECORDED = (
    "method", "url", "normalized_url", "kwargs", "order", "started", "virtually", "ended", "over", "since", "until",
    "connections", "unmatched", "refusal", "_sent", "outgoing",
)

# So much of a request is kept as it comes.
_SMALL = 2 ** 16

_NO_INFO: Mapping[str, str] = MappingProxyType({})


def moment() -> int:
    """Return a number greater than all that were returned before: what happens later has a greater one.

    No clock tells the order of things, for tests put clocks back and stop them.
    """
    return next(_count)


class Exchange:
    """One call of a session's method, or one of several requests that it came to, and what came of it.

    `kwargs` are those of the call; they are copied, so that what happens to them later does not show. They are packed
    until `arguments` is asked for.
    """

    unmatched = False
    """Whether it was refused because no mock answers it."""

    refusal = ""
    """Of a request that was refused: which mocks came closest then, and why none of them answers it."""

    answered_by: ref[Any] | None = None
    """The handle of the mock that answered, or of an application; weak, for that holds its exchanges."""

    match_info: Mapping[str, str] = _NO_INFO
    """What the places of the mock's template, or the named groups of its pattern, stand for."""

    previous: ClientResponse | None = None
    """The response to the request before it, of the same call."""

    response: ClientResponse | None = None
    exception: BaseException | None = None

    virtually: float | None = None
    """When it began in virtual time, in seconds since the start of the clock; None where no clock ran."""

    ended: float | None = None

    over: int | None = None
    """When the call returned or raised, as a moment; `ended` is that on a clock."""

    until: int | None = None
    """When it gave its last connection back, as a moment; of no meaning while it has `connections`."""

    _began: int | None = None

    is_unpacked = False

    is_watched = False
    """Whether a mock looks at what the call leaves behind."""

    _asks_upgrade: bool | None = None

    upgraded: Upgraded | None = None
    """What went over its connection since that speaks another protocol."""

    _parsed: tuple[int, CIMultiDictProxy[str], bytes] | None = None

    outgoing: Outgoing | None = None
    """What would be sent, of a request that is not written to the far end, or has yet to be."""

    incoming: Incoming | None = None
    """What comes from the network in answer, of a request that is recorded."""

    def __init__(self, method: str, url: URL, normalized_url: URL, kwargs: dict[str, Any]) -> None:
        self.method = method
        self.url = url
        self.normalized_url = normalized_url
        # Mostly there is but the one that every call has, `allow_redirects`.
        self.kwargs = copied(kwargs) if len(kwargs) > 1 else kwargs
        self.hops: list[Exchange] | None = None
        self._sent: bytes | Written = b""
        self.since: int | None = None
        """Since when the call is on its way, as a moment: it has got a connection, or is being refused one."""
        self.connections = 0
        """How many it has: one for each request that is on its way."""
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
        """Return the keyword arguments of the call as users see them, the same dict whenever it is asked for."""
        if not self.is_unpacked:
            self.kwargs = unpacked(self.kwargs)
            # As 0.7.9 has it: `session.request()` need not say it, but the call is recorded as if by `session.post()`.
            if self.method == hdrs.METH_POST and not isinstance(self.kwargs, UnknownArguments):
                self.kwargs.setdefault("data", None)
            self.is_unpacked = True
        return self.kwargs

    def next_hop(self, method: str, url: URL, response: ClientResponse | None) -> Exchange:
        """Note that one more request of this call is about to be sent; return what stands for it alone.

        `response` is the one to the request before it, if there was any.
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
        """Whether it is one that a redirect or a retry led to."""
        return self._began is not None

    def depart(self) -> None:
        """Note that the call is on its way from now on, if it is not already."""
        if self.since is None:
            self.since = next(_count)

    def connect(self) -> None:
        """Note that the call has got a connection."""
        if self.since is None:
            self.since = next(_count)
        self.connections += 1

    def disconnect(self) -> None:
        """Note that one of its connections has gone."""
        self.connections -= 1
        self.until = next(_count)

    def start_again(self) -> None:
        """Forget what was sent, for the request is about to be sent once more."""
        self._sent = b""
        self._parsed = None

    def receive(self, data: bytes) -> None:
        """Note what is sent of the request."""
        # Mostly it comes as one piece, and then there is no need for more objects than it.
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
        """Note how the call ended."""
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
            # As in aioresponses 0.7, what was sent of an asynchronous iterable takes its place.
            for one in (self, *(self.hops or ())):
                if one.answered_by is not None and not one.sent_is_large:
                    one.arguments()["data"] = one.received()[1]

    @property
    def sent_is_large(self) -> bool:
        """Whether what has been sent is not kept in memory."""
        return not isinstance(self._sent, bytes) and self._sent.is_large

    def received(self) -> tuple[CIMultiDictProxy[str], bytes]:
        """Return headers and body of what was sent, the body after transfer and content decoding."""
        if self.outgoing is not None:
            headers, body, is_encoded = self.outgoing
            content = decoded(headers[hdrs.CONTENT_ENCODING], bytes(body)) if is_encoded else bytes(body)
            return CIMultiDictProxy(headers), content
        sent = self.sent
        # Parsed once, unless more was written since; what is too large to be kept in memory is not kept here either.
        if self._parsed is None or self._parsed[0] != sent.size:
            parsed = (sent.size, *parse_request(bytes(sent)))
            if sent.is_large:
                return parsed[1:]
            self._parsed = parsed
        return self._parsed[1:]

    def received_headers(self) -> CIMultiDictProxy[str]:
        """Return the headers of what was sent."""
        if self.outgoing is None and self.sent_is_large:
            return parse_request(self.sent.beginning())[0]
        return self.received()[0] if self.outgoing is None else CIMultiDictProxy(self.outgoing.headers)

    @property
    def asks_upgrade(self) -> bool:
        """Whether it asks for another protocol: a WebSocket's scheme and that of HTTP are one then."""
        return hdrs.UPGRADE in self.received_headers() if self._asks_upgrade is None else self._asks_upgrade

    @asks_upgrade.setter
    def asks_upgrade(self, asks: bool) -> None:
        self._asks_upgrade = asks

    def recorded(self) -> Exchange:
        """Return a copy that can be kept for ever, and pickled."""
        record = Exchange.__new__(Exchange)
        record.__dict__.update((name, self.__dict__[name]) for name in _RECORDED if name in self.__dict__)
        record.hops = None
        record.match_info = dict(self.match_info)
        return record
