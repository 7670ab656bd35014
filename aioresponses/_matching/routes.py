"""One registered mock at work: what it requires of requests, and which of its replies each of them gets."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol
from weakref import ref

from yarl import URL

from .._calls.exchange import Exchange
from .._calls.record import RequestCall, RequestMatch
from .._display import shown
from .._replies.reply import Reply
from .._urls import Template
from .answered import Answered
from .conditions import Conditions
from .targets import Target, Verdict, reaches

if TYPE_CHECKING:
    import re

# From 1 on, so that each has a negative counterpart.
_count = itertools.count(1)

# Arguments whose values may refer to anything, such as a traceback.
_MAY_HOLD_ALL = ("events", "exception", "replies")


if TYPE_CHECKING:
    class Service(Protocol):
        """What puts a mock to work, as the mock sees it."""

        @property
        def call_of(self) -> Callable[[Exchange], RequestCall]:
            """Returns what users see of a request that a mock answered."""

        def take_out(self, route: Route) -> None:
            """Stop a mock from answering."""

        def put_back(self, route: Route) -> None:
            """Let a mock answer one more request."""

        def hiding(self, route: Route) -> Route | None:
            """Return the mock that certainly answers all requests before this one can, or None."""


class Route(Answered):
    """A registered mock at work, made from its handle: `target` and `conditions` are what it requires of requests.

    It answers with its `replies` in turn, and repeats them `times` times, or without limit if that is None. If it
    `overrides`, it is asked before all mocks that were made earlier.
    """

    def __init__(
        self,
        handle: RequestMatch,
        url_or_pattern: URL | re.Pattern[str] | Template | None,
        target: Target,
        conditions: Conditions,
        replies: Sequence[Reply],
        times: int | None,
        overrides: bool = False,
    ) -> None:
        super().__init__()
        self.url_or_pattern = url_or_pattern
        self.target = target
        self.conditions = conditions
        self.overrides = overrides
        """Whether it is asked before all mocks that were made earlier."""
        self.above = ""
        """The URL of its group, which comes before the path that the user gave; "" if it has no group."""
        self.source = ""
        """The path of the HAR file of which it is an entry; "" if it is not from a file."""
        self.limit = None if times is None else times * len(replies)
        self.remaining = self.limit
        self.claims = 0
        """How many requests it was to answer so far, including forgotten ones; without a limit, 1 at most."""
        self.order = -next(_count) if overrides else next(_count)
        """Its place among all routes of this process: the lowest is asked first."""
        self.key = str(self.order)
        self.passes_through = any(reply.passes_through for reply in replies)
        """Whether its requests go to the network."""
        self.replies: Iterator[Reply] = itertools.cycle(replies)
        """Begins with the reply that the next request gets."""
        self._is_sequence = len(replies) > 1
        # The service refers to the mock's handle, and the handle to this object.
        self._service: ref[Service] | None = None
        self.call_of: Callable[[Exchange], RequestCall] = RequestCall.of
        """Returns what users see of a request that it answered."""
        self.handle_ref = ref(handle)
        handle._at_work = self

    def __str__(self) -> str:
        return ", ".join(part for part in (self.target.as_mock(), str(self.conditions)) if part)

    @property
    def handle(self) -> RequestMatch:
        """What users hold of the mock."""
        handle = self.handle_ref()
        assert handle is not None
        return handle

    @property
    def used(self) -> str:
        """How many requests it answered, of how many."""
        return f"{(self.limit or 0) - (self.remaining or 0)} of {self.limit}"

    @property
    def left_to_answer(self) -> int:
        """How many requests it must still answer if all mocks must be called."""
        return max((1 if self.limit is None else self.limit) - self.claims, 0)

    def fits(self, method: str, url: URL) -> Mapping[str, str] | None:
        """Return the values of the names in its URL for a request of this method and URL; None if it does not fit.

        `method` is in upper case, `url` normalised and without a fragment.
        """
        return self.target.filled(method, url)

    def verdict(self, method: str, url: URL, call: RequestCall, unmet: str | None) -> Verdict:
        """Return why the mock did not answer a call of this method and URL.

        `unmet` is the condition that did not hold, if it was asked.
        """
        verdict = self.target.verdict(method, url)
        if verdict is not None:
            given = self.handle._url
            is_elsewhere = not Target(None, self.target.url, self.target.any_query).fits(method, url)
            return _with_hint(verdict, given, url, self.above) if is_elsewhere and isinstance(given, str) else verdict
        unmet = self._unmet(call) if unmet is None else unmet
        if unmet is None:
            if self.source:
                # A cassette has no argument `repeat`.
                return Verdict(0, f"used up ({self.used}); an entry of {self.source} answers once")
            return Verdict(0, f"used up ({self.used}); to answer more requests, pass repeat")
        return Verdict(0.25, unmet)

    def passed_by(self, call: RequestCall) -> str | None:
        """Return why it did not answer a request of its method and URL; None for any other request."""
        if call.match is self.handle or not reaches(self.target, call):
            return None
        unmet = self._unmet(call)
        if unmet is not None or call.match is None:
            return unmet
        first = call.match._at_work
        if not isinstance(first, Route) or first._mocks is not self._mocks:
            return f"answered by {call.match}, which is registered with another aioresponses"
        change = "" if first.overrides or self.overrides else "; to change that, pass override=True"
        return f"answered by {call.match}, which was asked first{change}"

    def _unmet(self, call: RequestCall) -> str | None:
        """Return why a request does not fulfil the conditions, for a text that explains and so must not fail."""
        try:
            return self.conditions.unmet(call, self)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # The outcomes that pytest raises are not Exceptions.
            return f"raised {shown(error)}"

    @property
    def _mocks(self) -> Service | None:
        """What the mock works for; None if that is gone."""
        return None if self._service is None else self._service()

    @property
    def hidden_by(self) -> Route | None:
        """The earlier mock that certainly answers all requests meant for this one, or None."""
        service = self._mocks
        return None if service is None else service.hiding(self)

    def hides(self, other: Route) -> bool:
        """Tell whether this mock answers all requests of one that is asked later; False if that is uncertain.

        A mock that overrides others and has answered has taken the requests that were made, whatever its limit.
        """
        is_lasting = self.limit is None or self.overrides and self.claims > 0
        return is_lasting and self.target.covers(other.target) and self.conditions.always_hold

    def give_back(self) -> None:
        """Do not count a request, because the callback that was to answer it has raised.

        aioresponses 0.7 did not count it either, and callbacks that raise a few times before they answer rely on that.
        In a sequence the request counts, and so does one whose callback was cancelled.
        """
        service = self._mocks
        if service is not None and not self._is_sequence:
            service.put_back(self)

    def register(self, service: Service) -> None:
        """Record the service that the mock works for."""
        self._service = ref(service)
        self.call_of = service.call_of

    def retire(self) -> None:
        """Release the replies, and the code and exceptions they were made from, because no more requests will come.

        The handle may live longer, and these objects may refer to whatever holds the mock.
        """
        self.replies = iter(())
        handle = self.handle_ref()
        if handle is not None:
            handle._given = {
                name: value
                for name, value in handle._given.items()
                if name not in _MAY_HOLD_ALL and not name.startswith("match") and not callable(value)
            }

    def remove(self) -> None:
        """Take the mock out of service; no effect if it already is."""
        service = self._mocks
        if service is not None:
            service.take_out(self)


def _with_hint(verdict: Verdict, given: str, url: URL, above: str) -> Verdict:
    """Return a verdict on a mock whose URL was given as text, with what to pass instead if that can be guessed."""
    from .hints import for_text  # Imported when needed: most tests see no refusal.

    hint = for_text(given, url, above)
    return Verdict(min(verdict.distance, 0.75) if hint.fits else verdict.distance, verdict.reason + hint.text)
