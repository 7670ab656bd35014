"""Which of the mocks in service may answer a request.

Theory
------
Suites register one mock or ten thousand, and a request must not examine each of them. Most mocks give their URL in
full, so method and URL alone decide what they can answer. These mocks are kept in queues, one for each possible key
(the method, or None for every method; the URL; whether the query of the request is ignored), and a request has few
keys. Patterns and templates have no such key and are tried one by one. The candidates are all of these, merged in the
order in which they are asked: the order of their registration, except that a mock which overrides others is asked
before all that were registered earlier.

A mock is in service while its key is in `matches`, and suites remove keys from that dict themselves. So a queue may
contain mocks that are out of service; they are dropped when a request comes across them.

If every mock gives its method and its full URL without credentials, has no other conditions, does not ignore the query,
and does not pass requests through, the first mock in a request's queue answers it, and nothing else needs to be
examined. `first_answers` is True in that case. Once any other mock has been registered, it stays False until the mocks
are cleared: it only makes the search shorter, and does not change its result.

The caller holds the lock.
"""

from __future__ import annotations

import heapq
from bisect import insort
from collections import deque
from collections.abc import Collection, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING

from yarl import URL

from .routes import Route
from .targets import keys

if TYPE_CHECKING:
    from .targets import Key

_in_order = attrgetter("order")


class Index:
    """The mocks whose keys are in `in_service`, by what they can answer."""

    def __init__(self, in_service: Collection[str]) -> None:
        self._in_service = in_service
        self.queues: dict[Key, deque[Route]] = {}
        self._others: list[Route] = []
        self.first_answers = True

    def add(self, route: Route) -> None:
        """Add a mock."""
        # Usually at the end, which takes no longer than appending.
        insort(self._queue(route.target.key), route, key=_in_order)
        is_plain = route.target.is_plain and not route.conditions and not route.passes_through
        self.first_answers = self.first_answers and is_plain

    def put_back(self, route: Route) -> None:
        """Put a mock back into its old place."""
        queue = self._queue(route.target.key)
        if route not in queue:
            insort(queue, route, key=_in_order)

    def clear(self) -> None:
        """Forget all mocks."""
        self.queues.clear()
        self._others.clear()
        self.first_answers = True

    def candidates(self, method: str, urls: Iterable[URL]) -> Iterable[Route]:
        """Return the mocks that may answer a request of any of these URLs, in the order in which they are asked."""
        found = [
            self._pruned(queue) for url in urls for key in keys(method, url) if (queue := self.queues.get(key))
        ]
        if self._others:
            self._others = [route for route in self._others if route.key in self._in_service]
            found.append(tuple(self._others))
        return heapq.merge(*found, key=_in_order)

    def _queue(self, key: Key | None) -> deque[Route] | list[Route]:
        return self._others if key is None else self.queues.setdefault(key, deque())

    def _pruned(self, queue: deque[Route]) -> tuple[Route, ...]:
        while queue and queue[0].key not in self._in_service:
            queue.popleft()
        # A copy, because conditions may register mocks themselves.
        return tuple(queue)
