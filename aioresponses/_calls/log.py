"""The calls of a mock: the log, and `aioresponses.requests`, in which they stand by method and URL."""

from __future__ import annotations

from collections import deque
from threading import RLock
from weakref import ref

from yarl import URL

from .exchange import Exchange
from .record import Calls, RequestCall

Requests = dict[tuple[str, URL], list[RequestCall]]


class Log:
    """Files calls when they are first looked at, which is mostly not before the test is over.

    From then on it files each as it begins: whoever has looked once may still hold what was seen then.

    With `keep`, it drops all calls that have ended but for so many, the last ones, and those that no mock answered.
    What is dropped is counted, until somebody empties or replaces `requests`, and with it forgets what was in there.
    """

    def __init__(self, keep: int | None = None) -> None:
        self.keep = keep
        self._own: Requests = {}
        self._requests = self._own
        self._noted: deque[Exchange] = deque()
        self._itself: ref[Calls] = ref(self)
        self._seen: dict[Exchange, RequestCall] = {}
        self._is_looked_at = keep is not None
        # With `keep`: of what is filed, the calls that are on their way, those that have ended, and how many were
        # dropped.
        self._open: set[Exchange] = set()
        self._ended: deque[Exchange] = deque()
        self._dropped = 0
        # Several threads may do it; and what is dropped may, as it goes, run code that looks at the calls.
        self._filing = RLock()

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
            self._see_if_emptied()
            while self._noted:
                exchange = self._noted.popleft()
                call = self.call_of(exchange)
                self._requests.setdefault(call.key, []).append(call)
                if self.keep is not None:
                    self._open.add(exchange)

    def end(self, exchange: Exchange) -> None:
        """Note that a call has ended, and drop the one that is one too many, where there is a limit."""
        with self._filing:
            self._see_if_emptied()
            # It may have been forgotten since it began.
            if self.keep is None or exchange not in self._open:
                return
            self._open.discard(exchange)
            if exchange.unmatched:
                return
            self._ended.append(exchange)
            while len(self._ended) > self.keep:
                self._drop(self._ended.popleft())

    def _drop(self, exchange: Exchange) -> None:
        call = self.call_of(exchange)
        calls = self._requests.get(call.key, [])
        # Not by `remove`: calls are equal where their arguments are.
        for place, one in enumerate(calls):
            if one is call:
                del calls[place]
                self._dropped += 1
                break
        if not calls:
            self._requests.pop(call.key, None)
        for one in (exchange, *(exchange.hops or ())):
            self._seen.pop(one, None)
            handle = None if one.answered_by is None else one.answered_by()
            if handle is not None:
                handle._at_work.drop(one)

    def forget(self) -> None:
        """Forget all calls; the dict at `requests` is emptied."""
        with self._filing:
            self._noted.clear()
            self._requests.clear()
            self._seen.clear()
            self._forget_dropped()

    def _see_if_emptied(self) -> None:
        if (self._open or self._ended) and not any(self._requests.values()):
            self._forget_dropped()

    def _forget_dropped(self) -> None:
        self._open.clear()
        self._ended.clear()
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many calls were dropped."""
        self._file()
        return self._dropped

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
        self._forget_dropped()

    @requests.deleter
    def requests(self) -> None:
        self.requests = self._own
