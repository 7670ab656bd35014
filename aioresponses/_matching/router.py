"""The registered mocks: which one answers a request, and which are used up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from yarl import URL

from .._calls.exchange import Exchange
from .._calls.record import RequestCall, RequestMatch
from .._replies.reply import Reply
from .._urls import comparable
from .conditions import Conditions
from .index import Index
from .routes import Route
from .targets import Verdict, with_other_scheme

if TYPE_CHECKING:
    from .prefixes import Prefix
    from .targets import Url


@lru_cache(maxsize=64)
def _prefix(prefix: Url) -> Prefix:
    from .prefixes import Prefix  # Not before it is needed.

    return Prefix(prefix)


# The mock that answers a request, and its reply. Not a named tuple: making one takes as long as finding the mock.
Claim = tuple[Route, Reply]


class Router:
    """Finds the mock that answers a request.

    `matches` holds the mocks that are not used up, in the order of their registration; removing one from it, in
    whatever way, takes it out of service. `call_of` turns an exchange into the call that conditions check.

    Several threads may register mocks and make requests; conditions are checked outside of the lock.
    """

    def __init__(
        self,
        passthrough: list[Url],
        passthrough_unmatched: bool,
        call_of: Callable[[Exchange], RequestCall],
    ) -> None:
        for prefix in passthrough:
            _prefix.__wrapped__(prefix)  # Raises an error if it is wrong, unhashable ones included.
        self.passthrough = passthrough
        """Prefixes of the URLs whose requests go to the network, whatever is registered; suites add to this list."""
        self.passthrough_unmatched = passthrough_unmatched
        self.call_of = call_of
        self.matches: dict[str, RequestMatch] = {}
        self._routes: dict[str, Route] = {}
        # Mocks that are out of service are kept here if they have answered, because a call refers to its mock weakly.
        self._handles: dict[str, RequestMatch] = {}
        self.index = Index(self.matches)
        self._lock = Lock()

    def add(self, route: Route) -> None:
        """Register a mock."""
        with self._lock:
            route.register(self)
            self.matches[route.key] = self._handles[route.key] = route.handle
            self._routes[route.key] = route
            self.index.add(route)

    @property
    def is_empty(self) -> bool:
        """Whether no mock is registered, used up or not."""
        return not self._routes

    def clear(self) -> None:
        """Forget all mocks."""
        if not (self._routes or self._handles):
            return
        with self._lock:
            for route in self._routes.values():
                route.retire()
            self._handles = {key: handle for key, handle in self._handles.items() if handle._at_work.exchanges}
            self.matches.clear()
            self._routes.clear()
            self.index.clear()

    def forget_calls(self) -> None:
        """Forget the requests that the mocks have answered; the mocks stay, with their remaining replies."""
        with self._lock:
            for handle in self._handles.values():
                handle._at_work.forget()
            self._handles = {key: handle for key, handle in self._handles.items() if key in self._routes}

    def passes_through(self, url: URL) -> bool:
        """Tell whether requests to `url` go to the network, whatever is registered."""
        return any(_prefix(prefix).covers(url) for prefix in self.passthrough)

    def conditions(self, method: str, url: URL, asks_upgrade: bool = False) -> list[Conditions]:
        """Return the further conditions of the mocks that may answer a request of this method and URL.

        `method` is in upper case, `url` is normalised.
        """
        urls = self._spellings(url, asks_upgrade)
        return [route.conditions for route in self._candidates(method, urls) if route.conditions]

    def claim(self, method: str, url: URL, exchange: Exchange) -> Claim | dict[str, str]:
        """Find the mock that answers a request of this method and URL, and use it once.

        `method` is in upper case, `url` is normalised. The mock is recorded in `exchange`. If no mock answers, returns
        the conditions that do not hold, by the keys of their mocks.
        """
        if self.index.first_answers:
            claim = self.first_claim(method, url, exchange)
            if claim is not None:
                return claim
        unmet: dict[str, str] = {}
        if self.is_empty:
            return unmet
        urls = self._spellings(url, exchange.asks_upgrade)
        for route in self._candidates(method, urls):
            filled = next((one for url in urls if (one := route.fits(method, url)) is not None), None)
            if filled is None:
                continue
            exchange.match_info = filled
            if route.conditions:
                reason = route.conditions.unmet(self.call_of(exchange), route)
                if reason is not None:
                    unmet[route.key] = reason
                    continue
            claim = self._taken(route, exchange)
            if claim is not None:
                return claim
        exchange.match_info = {}
        return unmet

    def first_claim(self, method: str, url: URL, exchange: Exchange) -> Claim | None:
        """Do the same if the first mock in a queue answers; return None if there is no longer such a mock."""
        index = self.index
        queue = index.queues.get((method, url, False)) if index.first_answers else None
        return self._taken(queue[0], exchange) if queue else None

    @staticmethod
    def _spellings(url: URL, asks_upgrade: bool) -> Sequence[URL]:
        """Return a URL in comparable form; if an upgrade is requested, also with the other scheme."""
        url = comparable(url)
        return (url, with_other_scheme(url)) if asks_upgrade else (url,)

    def _candidates(self, method: str, urls: Sequence[URL]) -> Iterable[Route]:
        with self._lock:
            return self.index.candidates(method, urls)

    def _taken(self, route: Route, exchange: Exchange) -> Claim | None:
        """Let a mock answer; None if it is out of service, since a condition or another thread may have removed it."""
        if route.remaining is None:
            # Without the lock, which takes longer than everything else: threads cannot miscount anything here.
            if route.key not in self.matches:
                return None
            route.claims = 1
            reply = next(route.replies, None)
        else:
            with self._lock:
                if route.key not in self.matches:
                    return None
                route.claims += 1
                route.remaining -= 1
                if route.remaining == 0:
                    del self.matches[route.key]
                reply = next(route.replies, None)
        if reply is None:
            return None  # Another thread has just retired it.
        exchange.answered_by = route.handle_ref
        route.exchanges.append(exchange)
        return route, reply

    def verdicts(
        self, method: str, url: URL, call: RequestCall, unmet: dict[str, str]
    ) -> list[tuple[Route, Verdict]]:
        """Return each mock with the reason why it does not answer a request that no mock answers.

        `method` is in upper case, `url` is normalised; `unmet` is what `claim` returned.
        """
        verdicts = []
        for route in self._known():
            # A mock of a WebSocket gives its condition as the reason, whichever of the two schemes it has.
            urls = self._spellings(url, call._exchange.asks_upgrade or route.conditions.want_upgrade)
            ways = [route.verdict(method, url, call, unmet.get(route.key)) for url in urls]
            verdicts.append((route, min(ways, key=lambda verdict: verdict.distance)))
        return verdicts

    @property
    def registered(self) -> list[RequestMatch]:
        """All mocks in the order of their registration, including those that are used up, but not those taken out."""
        return [route.handle for route in self._known()]

    def _known(self) -> list[Route]:
        with self._lock:
            return [route for key, route in self._routes.items() if key in self.matches or route.remaining == 0]

    def hiding(self, route: Route) -> Route | None:
        """Return the first mock that certainly answers all requests before this one can, or None."""
        hiding = [one for one in self._known() if one.order < route.order and one.hides(route)]
        return min(hiding, key=lambda one: one.order, default=None)

    def take_out(self, route: Route) -> None:
        """Stop a mock from answering, as if it had never been registered."""
        with self._lock:
            self.matches.pop(route.key, None)
            self._routes.pop(route.key, None)
            route.retire()
            if not route.exchanges:
                self._handles.pop(route.key, None)

    def put_back(self, route: Route) -> None:
        """Let a mock answer one more request, in its old place if it was used up, unless it has been taken out."""
        with self._lock:
            if route.key not in self._routes or route.remaining is None:
                return
            route.remaining += 1
            if route.key not in self.matches:
                in_service = [
                    one for key, one in self._routes.items() if key in self.matches or one is route
                ]
                self.matches.clear()
                self.matches.update((one.key, one.handle) for one in in_service)
                self.index.put_back(route)
