"""The calls of a mock: the log, and `aioresponses.requests`, in which they stand by method and URL."""

from __future__ import annotations

from collections import deque
from threading import Lock
from weakref import ref

from yarl import URL

from .exchange import Exchange
from .record import Calls, RequestCall

Requests = dict[tuple[str, URL], list[RequestCall]]


class Log:
    """Files calls when somebody looks, for mostly nobody does before the test is over.

    From then on it files each as it begins: who has looked once may still hold what was seen then.
    """

    def __init__(self) -> None:
        self._own: Requests = {}
        self._requests = self._own
        self._noted: deque[Exchange] = deque()
        self._itself: ref[Calls] = ref(self)
        self._seen: dict[Exchange, RequestCall] = {}
        self._is_looked_at = False
        # Several threads may do it.
        self._filing = Lock()

    def record(self, exchange: Exchange) -> None:
        """Record a call that begins."""
        self._noted.append(exchange)
        if self._is_looked_at:
            self._file()

    def call_of(self, exchange: Exchange) -> RequestCall:
        """Return what users see of an exchange, the same object whenever it is asked for."""
        call = self._seen.get(exchange)
        if call is None:
            # Where two threads ask at once, both get that of the first.
            call = self._seen.setdefault(exchange, RequestCall.of(exchange))
            call._log = self._itself
        return call

    def _file(self) -> None:
        with self._filing:
            while self._noted:
                call = self.call_of(self._noted.popleft())
                self._requests.setdefault(call.key, []).append(call)

    @property
    def requests(self) -> Requests:
        """The calls, in the dict that was put here last, or in the log's own."""
        self._is_looked_at = True
        self._file()
        return self._requests

    @requests.setter
    def requests(self, value: Requests) -> None:
        self._is_looked_at = True
        self._file()
        self._requests = value

    @requests.deleter
    def requests(self) -> None:
        self.requests = self._own
