"""One registered mock at work: what it asks of requests, and which of its replies it gives."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from yarl import URL

from .._calls.record import Exchange, RequestCall, RequestMatch
from .._replies.reply import Reply
from .._replies.results import JsonDumps, json_dumps
from .._urls import Template
from .conditions import Conditions
from .targets import Target, Verdict

if TYPE_CHECKING:
    import re


class Route:
    """A registered mock at work: which requests it answers, and which of its replies each of them gets."""

    def __init__(
        self,
        target: Target,
        url_or_pattern: URL | re.Pattern[str] | Template,
        replies: Sequence[Reply],
        conditions: Conditions,
        repeat: bool | int = False,
        optional: bool = False,
        json_dumps: JsonDumps = json_dumps,
    ) -> None:
        self.target = target
        self.conditions = conditions
        self._next_reply = itertools.cycle(replies).__next__
        times = _times(repeat)
        for reply in replies:
            reply.serialise_by(json_dumps)
            if times != 1 and reply.result.is_used_up_by_one:
                name = "body" if reply.result.events is None else "events"
                raise ValueError(
                    f"{name} and repeat contradict each other: an iterator or a file that cannot be rewound is used up "
                    f"by one reply; give the generator function itself"
                )
        limit = None if times is None else times * len(replies)
        self.match = RequestMatch(str(target.method).lower(), url_or_pattern, self, limit, optional, len(replies) > 1)
        self.order = self.match.order
        self.key = self.match.key

    def __str__(self) -> str:
        return f"{self.target}, {self.conditions}" if self.conditions else str(self.target)

    def verdict(self, method: str, url: URL, call: RequestCall, unmet: str | None) -> Verdict:
        """Return why the mock did not answer a call of this method and URL.

        `unmet` is what it asked for in vain, if it was asked.
        """
        verdict = self.target.verdict(method, url)
        if verdict is not None:
            return verdict
        if unmet is None:
            try:
                unmet = self.conditions.unmet(call, self)
            except Exception as error:
                # The mock is used up; that it raises as well is of no use to anybody.
                unmet = f"raised {error!r}"
        return Verdict(0, f"used up ({self.match.used()})") if unmet is None else Verdict(0.25, unmet)

    def take(self, exchange: Exchange) -> Reply:
        """Answer one more request; return the reply that it gets."""
        self.match.answered(exchange)
        return self._next_reply()


def _times(repeat: object) -> int | None:
    """Return how often a mock answers, None for without end."""
    if isinstance(repeat, bool):
        return None if repeat else 1
    if not isinstance(repeat, int):
        raise TypeError(f"repeat: expected a bool, or an int of at least 1, got {repeat!r}")
    if repeat < 1:
        raise ValueError(f"repeat: expected a bool, or an int of at least 1, got {repeat!r}")
    return repeat
