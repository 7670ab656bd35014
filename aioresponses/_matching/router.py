"""The registered mocks: which one answers a request, and which are used up."""

from __future__ import annotations

import heapq
from bisect import insort
from collections import deque
from collections.abc import Iterable
from operator import attrgetter
from threading import Lock

from yarl import URL

from .._calls.record import Exchange, RequestCall, RequestMatch, call_of
from .._replies.reply import Reply
from .._urls import comparable, without_credentials
from .routes import Route
from .targets import Prefix, Target, Verdict

_ALL_MET: dict[str, str] = {}

_in_order = attrgetter("order")


class Router:
    """Finds the mock that answers a request.

    `matches` holds the mocks that are not used up, in the order of their registration; taking one out of it, however
    that is done, takes it out of service. Mocks of one method and URL are found in constant time, whatever their
    number; patterns and templates are tried in turn.
    """

    def __init__(self, passthrough: Iterable[str | URL], passthrough_unmatched: bool) -> None:
        if isinstance(passthrough, str) or not isinstance(passthrough, Iterable):
            passthrough = (passthrough,)
        self.matches: dict[str, RequestMatch] = {}
        self.passthrough_unmatched = passthrough_unmatched
        self.has_conditions = False
        """Whether a mock was registered with conditions: the headers of a request must be known before it is sent."""
        self.looks_at_bodies = False
        """Whether one was with conditions on the body: it must be known before it is sent as well."""
        self.prefixes = [Prefix(prefix) for prefix in passthrough]
        """Of the URLs whose requests go to the network, whatever is registered."""
        self._registered: dict[str, Route] = {}
        # By method and URL; in the second, by URLs without their query.
        self._exact: dict[tuple[str, URL], deque[Route]] = {}
        self._any_query: dict[tuple[str, URL], deque[Route]] = {}
        self._patterns: list[Route] = []
        # Whether, of the mocks of one method and URL, the first answers, and there is nothing else to look at.
        self._first_answers = True
        # Several threads may be answered.
        self._taking = Lock()

    def add(self, route: Route) -> None:
        """Register a mock behind those that are registered."""
        route.match.registered_by(self._take_out, self._put_back)
        self.matches[route.key] = route.match
        self._registered[route.key] = route
        self.has_conditions = self.has_conditions or bool(route.conditions)
        self.looks_at_bodies = self.looks_at_bodies or route.conditions.look_at_body
        target = route.target
        self._queue_of(target).append(route)
        self._first_answers = (
            self._first_answers
            and isinstance(target.url, URL)
            and not target.any_query
            and not route.conditions
            and not _has_credentials(target.url)
        )

    def _queue_of(self, target: Target) -> deque[Route] | list[Route]:
        if not isinstance(target.url, URL):
            return self._patterns
        exact = self._any_query if target.any_query else self._exact
        return exact.setdefault((str(target.method), target.url), deque())

    def clear(self) -> None:
        """Forget all mocks."""
        self.matches.clear()
        self._registered.clear()
        self._exact.clear()
        self._any_query.clear()
        self._patterns.clear()
        self.has_conditions = self.looks_at_bodies = False
        self._first_answers = True

    def passes_through(self, url: URL) -> bool:
        """Tell whether requests to `url` go to the network, whatever is registered."""
        return any(prefix.covers(url) for prefix in self.prefixes)

    def claim(self, method: str, url: URL, exchange: Exchange) -> tuple[Reply | None, dict[str, str]]:
        """Have a mock answer a request of this method and URL, and return its reply; None where none does.

        `method` is in upper case, `url` is normalised. `exchange` is told which mock it is; the mock is used once by
        this. The second thing that is returned tells of those mocks whose conditions do not hold, by their keys, which
        condition it is.
        """
        if self._first_answers:
            queue = self._exact.get((method, url))
            if queue:
                reply = self._taken(queue[0], exchange)
                if reply is not None:
                    return reply, _ALL_MET
        unmet: dict[str, str] = {}
        url = comparable(url)
        for match in self._candidates(method, url):
            if match.key not in self.matches:
                continue
            if not isinstance(match.target.url, URL):
                filled = match.target.filled(method, url)
                if filled is None:
                    continue
                exchange.match_info = filled
            if match.conditions:
                reason = match.conditions.unmet(call_of(exchange), match)
                if reason is not None:
                    unmet[match.key] = reason
                    exchange.match_info = {}
                    continue
            reply = self._taken(match, exchange)
            if reply is not None:
                return reply, unmet
            exchange.match_info = {}
        return None, unmet

    def _taken(self, match: Route, exchange: Exchange) -> Reply | None:
        """Have a mock answer; None where it is out of service: a condition, or another thread, may have done that."""
        if match.match.remaining is None:
            return match.take(exchange) if match.key in self.matches else None
        with self._taking:
            if match.key not in self.matches:
                return None
            reply = match.take(exchange)
            if match.match.remaining == 0:
                del self.matches[match.key]
            return reply

    def verdicts(
        self, method: str, url: URL, call: RequestCall, unmet: dict[str, str]
    ) -> list[tuple[RequestMatch, Verdict]]:
        """Return each mock with the reason why it does not answer a request that none answers.

        `method` is in upper case, `url` is normalised; `unmet` is what `claim` returned.
        """
        url = comparable(url)
        return [(route.match, route.verdict(method, url, call, unmet.get(route.key))) for route in self._known()]

    @property
    def registered(self) -> list[RequestMatch]:
        """All mocks in the order of their registration, those that are used up with them; not those taken out."""
        return [route.match for route in self._known()]

    def _known(self) -> list[Route]:
        return [
            route for key, route in self._registered.items() if key in self.matches or route.match.remaining == 0
        ]

    def _take_out(self, key: str) -> None:
        self.matches.pop(key, None)
        self._registered.pop(key, None)

    def _put_back(self, key: str) -> None:
        """Have a mock answer once more, in its old place if it was used up, unless it was taken out in the meantime."""
        with self._taking:
            route = self._registered.get(key)
            if route is None or route.match.remaining is None:
                return
            route.match.remaining += 1
            if key not in self.matches:
                in_service = sorted([*self.matches.values(), route.match], key=_in_order)
                self.matches.clear()
                self.matches.update((one.key, one) for one in in_service)
                queue = self._queue_of(route.target)
                if route not in queue:
                    insort(queue, route, key=_in_order)

    def _candidates(self, method: str, url: URL) -> Iterable[Route]:
        """Return the mocks of a method and URL in the order of their registration, perhaps with some used up."""
        queues: list[Iterable[Route]] = [self._in_service(self._exact.get((method, url)))]
        if _has_credentials(url):
            queues.append(self._in_service(self._exact.get((method, without_credentials(url)))))
        if self._any_query:
            bare = url.with_query(None)
            queues.append(self._in_service(self._any_query.get((method, bare))))
            if _has_credentials(url):
                queues.append(self._in_service(self._any_query.get((method, without_credentials(bare)))))
        if self._patterns:
            self._patterns = [match for match in self._patterns if match.key in self.matches]
            queues.append(self._patterns)
        return heapq.merge(*queues, key=_in_order)

    def _in_service(self, queue: deque[Route] | None) -> Iterable[Route]:
        while queue and queue[0].key not in self.matches:
            queue.popleft()
        # A copy, for what is asked of a request may register mocks itself.
        return tuple(queue or ())


def _has_credentials(url: URL) -> bool:
    return url.raw_user is not None or url.raw_password is not None
