"""What all assertions about calls share: selecting calls, and failing in the same form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, Union

from .._calls.record import RequestCall, RequestMatch
from .._checks import check_seconds
from .._display import shown
from .._matching.selection import Selection, check_conditions
from .reports import about_dropped, about_nearly, about_passed_by, about_url, report

# unittest leaves the frames of such modules out of the tracebacks of failed assertions.
__unittest = True


if TYPE_CHECKING:
    # The mixins call methods of the test case that they are mixed into.
    from unittest import TestCase as _TestCase

    from .._matching.conditions import ConditionArguments
    from .._matching.selection import UrlOrMock

    Expectation = Union[
        UrlOrMock, "tuple[str | None, UrlOrMock | None]", "tuple[str | None, UrlOrMock | None, ConditionArguments]"
    ]
else:
    _TestCase = object


if TYPE_CHECKING:
    class CallsOfMock(Protocol):
        """What the assertions examine: an `aioresponses`."""

        @property
        def calls(self) -> list[RequestCall]: ...

        @property
        def call_count(self) -> int: ...

        @property
        def unmatched_calls(self) -> list[RequestCall]: ...

        @property
        def unused_mocks(self) -> list[RequestMatch]: ...


class CallAssertions(_TestCase):
    """What the mixins share: selecting calls, and failing in the same form."""

    mock: CallsOfMock

    def _selection(
        self, url: object, method: object, conditions: Mapping[str, Any], msg: str | None, any_query: bool = False
    ) -> Selection:
        check_conditions(conditions, "keyword argument")
        try:
            return Selection.of(url, method, conditions, any_query)
        except (TypeError, ValueError) as error:
            wrong = str(error)
        self._wrongly(wrong, msg)

    def _expectation(self, expected: object, msg: str | None) -> Selection:
        if not isinstance(expected, (tuple, list, dict)):
            return self._selection(expected, None, {}, msg)
        parts = (*expected, {}) if len(expected) == 2 else expected
        if not isinstance(expected, tuple) or len(parts) != 3 or not isinstance(parts[2], Mapping):
            self._wrongly(
                f"expected a URL, (method, URL) or (method, URL, {{conditions}}), got {shown(expected)}", msg
            )
        method, url, conditions = parts
        try:
            check_conditions(conditions, "condition")
        except TypeError as error:
            self._wrongly(str(error), msg)
        return self._selection(url, method, conditions, msg)

    def _expectations(self, expected: object, msg: str | None) -> list[Selection]:
        if isinstance(expected, Iterable) and not isinstance(expected, (str, bytes)):
            return [self._expectation(one, msg) for one in expected]
        self._wrongly(f"expected a list of URLs, or of pairs of method and URL, got {shown(expected)}", msg)

    def _count(self, name: str, value: object, least: int, msg: str | None) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            self._wrongly(f"{name}: expected an int of at least {least}, got {shown(value)}", msg)

    def _times(self, name: str, values: object, msg: str | None) -> list[float]:
        if not isinstance(values, Iterable) or isinstance(values, (str, bytes)):
            self._wrongly(f"{name}: expected a list of times in seconds, got {shown(values)}", msg)
        times = list(values)
        for one in times:
            try:
                check_seconds(name, one)
            except (TypeError, ValueError) as error:
                self._wrongly(str(error), msg)
        return times

    def _calls_of(self, selection: Selection) -> list[RequestCall]:
        return selection.among(self.mock.calls)

    @property
    def _dropped(self) -> int:
        """How many calls are missing from `self.mock.calls` because the mock does not keep them all."""
        return self.mock.call_count - len(self.mock.calls)

    def _check_kept(self, msg: str | None, *selections: Selection) -> None:
        """Fail if calls were dropped that would have to be examined."""
        if any(one.dropped(self._dropped) for one in selections):
            self._fail_with_calls(about_dropped(self._dropped, len(self.mock.calls)), msg)

    def _nearly(self, selection: Selection) -> str:
        """Return which calls would be selected without a condition, or with another spelling of the URL."""
        calls = self.mock.calls
        nearly = about_nearly(calls, selection.nearly(calls)) or about_passed_by(calls, selection)
        return nearly or about_url(calls, selection.target)

    def _wrongly(self, what: str, msg: str | None) -> NoReturn:
        self._fail(f"Invalid argument: {what}", msg)

    def _fail_with_calls(self, headline: str, msg: str | None, detail: str = "") -> NoReturn:
        self._fail(report(headline, detail, self.mock.calls), msg)

    def _fail(self, text: str, msg: str | None) -> NoReturn:
        # Formatted as by unittest's own assertions, which have no public method for it.
        if msg is not None:
            text = f"{text} : {msg}" if self.longMessage else msg
        self.fail(text)
