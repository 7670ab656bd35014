"""The conditions of a mock or an assertion: what it requires of a request beyond its method and URL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Union

from .._calls.record import RequestCall
from .._checks import equals_anything
from .._display import add_note, shortened

CONDITIONS = ("match_query", "match_headers", "match_json", "match_form", "match_body", "match")

if TYPE_CHECKING:  # At run time, each of its names would take time, and `CONDITIONS` has them.
    from typing import TypedDict

    from .requirements import Condition

    Match = Callable[[RequestCall], Union[bool, "tuple[bool, str]"]]

    class ConditionArguments(TypedDict, total=False):
        """The keyword arguments of mocks and assertions that require more than a method and a URL."""

        match_query: Any
        match_headers: Any
        match_json: Any
        match_form: Any
        match_body: Any
        match: Match | Iterable[Match] | None


class Conditions:
    """The conditions that are among the keyword arguments of a mock or an assertion; most have none."""

    def __init__(self, given: Mapping[str, Any] = MappingProxyType({})) -> None:
        self._all: Sequence[Condition] = ()
        required = {name: given[name] for name in CONDITIONS if given.get(name) is not None}
        if required:
            from .requirements import of_arguments  # Not before it is needed.

            self._all = of_arguments(**required)

    def ask_for_upgrade(self) -> None:
        """Add the condition that a request asks for a WebSocket."""
        from .requirements import of_websocket  # Few mocks need it.

        self._all = [of_websocket(), *self._all]

    @property
    def want_upgrade(self) -> bool:
        """Whether they require that a request asks for a WebSocket."""
        return any(one.argument == "upgrade" for one in self._all)

    def __bool__(self) -> bool:
        return bool(self._all)

    def __str__(self) -> str:
        return ", ".join(str(one) for one in self._all if one.argument != "upgrade")

    @property
    def look_at_body(self) -> bool:
        """Whether the body of a request must be known before it is sent."""
        return any(one.argument not in ("match_query", "match_headers", "upgrade") for one in self._all)

    @property
    def always_hold(self) -> bool:
        """Whether they require nothing: there are none, or only one that accepts any query."""
        return all(one.argument == "match_query" and equals_anything(one.expected) for one in self._all)

    def unmet(self, call: RequestCall, asker: object, kind: str = "the mock") -> str | None:
        """Return the first reason why a call does not fulfil them; None if it does.

        If a condition raises, the exception gets a note that names the `asker` and says which `kind` it is.
        """
        for condition in self._all:
            try:
                reason = condition.unmet(call)
            except BaseException as error:
                add_note(error, f"aioresponses: raised by {condition.argument} of {kind} {shortened(str(asker))}")
                raise
            if reason is not None:
                return f"{condition.argument.replace('match_', '')}: {shortened(reason)}"
        return None
