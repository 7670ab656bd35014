"""Which calls an assertion is about: those with a method and URL, or answered by a mock or group, under conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union

from yarl import URL

from .._calls.record import Answering, RequestCall
from .._display import shown, shown_wrong_url
from .._urls import Template
from .conditions import CONDITIONS, Conditions
from .targets import Target, reaches

if TYPE_CHECKING:
    from .targets import Url

    # What an assertion accepts as `url`: a mock, group or mounted application stands for the requests that it answered.
    UrlOrMock = Union[Url, Answering]


def check_conditions(given: Mapping[str, Any], kind: str) -> None:
    """Raise `TypeError` for an argument that is not a condition, with the name that is probably meant."""
    for name in given:
        if name not in CONDITIONS:
            meant = f"match_{name}"
            from .._suggestions import instead_of  # Not before it is needed.

            hint = f"did you mean {meant!r}?" if meant in CONDITIONS else instead_of(name, CONDITIONS)
            raise TypeError(f"unexpected {kind} {shown(name)}: {hint}")


class Selection:
    """The calls that an assertion is about: those of a target, or those that a mock or group answered."""

    def __init__(self, target: Target, answering: Answering | None, conditions: Conditions) -> None:
        self.target = target
        self.answering = answering
        self.conditions = conditions

    @classmethod
    def of(
        cls, url: object, method: object, conditions: Mapping[str, Any], any_query: bool = False
    ) -> Selection:
        """Make a selection from a URL as mocks accept it, a mock or a group; None stands for any URL or method.

        With `any_query`, a URL without a query stands for any query. Raises `TypeError` or `ValueError`, with the name
        of the argument, for a value that a mock would not accept.
        """
        answering = url if isinstance(url, Answering) else None
        target = Target.of(method, None if answering is not None else url)
        if isinstance(target.url, URL) and not target.url.raw_host:
            # No call could have this URL.
            raise ValueError(f"url: expected a URL with a scheme and a host, got {shown_wrong_url(url)}")
        if conditions.get("match_query") is not None:
            target = target.with_any_query()
        elif any_query and isinstance(target.url, (URL, Template)) and not target.has_query:
            target = Target(target.method, target.url, any_query=True)
        return cls(target, answering, Conditions(conditions))

    def __str__(self) -> str:
        if self.answering is None:
            return f"{self.target}, {self.conditions}" if self.conditions else str(self.target)
        kind = f"{self.answering._kind} " if self.answering._kind else ""
        method = f"method={self.target.method!r}" if self.target.method is not None else ""
        asked = ", ".join(part for part in (method, str(self.conditions)) if part)
        return f"the {kind}{self.answering}{f' with {asked}' if asked else ''}"

    @property
    def takes_all(self) -> bool:
        """Whether it stands for all calls, or for all requests that a mock or a group answered."""
        return self.target.url is None and self.target.method is None and not self.conditions

    def among(self, calls: Sequence[RequestCall]) -> list[RequestCall]:
        """Return the calls that are selected; for a mock or a group, the requests that it answered."""
        made = self._asked(calls)
        return [call for call in made if self._unmet(call) is None] if self.conditions else made

    def nearly(self, calls: Sequence[RequestCall]) -> list[tuple[RequestCall, str]]:
        """Return the calls that are not selected only because of a condition, each with the reason."""
        made = self._asked(calls) if self.conditions else []
        return [(call, why) for call in made if (why := self._unmet(call)) is not None]

    def passed_by(self, calls: Sequence[RequestCall]) -> list[tuple[RequestCall, str]]:
        """Return the requests that a mock or group without calls might have answered, each with why it did not."""
        answering = self.answering
        if answering is None or answering.called:
            return []
        made = [one for call in calls for one in (call, *call.hops[1:])]
        return [(one, why) for one in made if (why := answering._passed_by(one)) is not None]

    def fits(self, call: RequestCall) -> bool:
        """Tell whether a call is selected; a hop can only be selected by the mock or group that answered it."""
        return self._reaches(call) and self._unmet(call) is None

    def near_miss(self, call: RequestCall) -> str | None:
        """Return why a call is not selected if only a condition excludes it; None for any other call."""
        return self._unmet(call) if self._reaches(call) else None

    def dropped(self, dropped: int) -> int:
        """Return how many of the `dropped` calls of a mock may have been selected."""
        return dropped if self.answering is None else self.answering.call_count - len(self.answering.calls)

    def _asked(self, calls: Sequence[RequestCall]) -> list[RequestCall]:
        made = calls if self.answering is None else self.answering.calls
        return [call for call in made if reaches(self.target, call)]

    def _reaches(self, call: RequestCall) -> bool:
        is_asked = not call._exchange.is_hop if self.answering is None else self.answering._answered(call)
        return is_asked and reaches(self.target, call)

    def _unmet(self, call: RequestCall) -> str | None:
        return self.conditions.unmet(call, self, "the assertion about")
