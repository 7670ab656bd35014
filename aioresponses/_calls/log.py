"""`aioresponses.requests`: the calls of a mock, by method and URL."""

from __future__ import annotations

from collections import deque
from threading import Lock

from yarl import URL

from .record import Exchange, RequestCall, call_of

Requests = dict[tuple[str, URL], list[RequestCall]]


class Recorder:
    """Files calls when somebody looks, for mostly nobody does before the test is over.

    From then on it files each as it begins: who has looked once may still hold what was seen then.
    """

    def __init__(self) -> None:
        self._own: Requests = {}
        self._requests = self._own
        self._noted: deque[Exchange] = deque()
        self._is_looked_at = False
        # Several threads may do it.
        self._filing = Lock()

    def record(self, exchange: Exchange) -> None:
        """Record a call that begins."""
        self._noted.append(exchange)
        if self._is_looked_at:
            self._file()

    def _file(self) -> None:
        with self._filing:
            while self._noted:
                call = call_of(self._noted.popleft())
                self._requests.setdefault(call.key, []).append(call)

    @property
    def requests(self) -> Requests:
        """The calls, in the dict that was put here last, or in the recorder's own."""
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
