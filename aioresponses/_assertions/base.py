"""What all assertions about calls share: finding the calls that are meant, and failing in one form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn, Protocol, Union

from yarl import URL

from .._calls.record import RequestCall, RequestMatch
from .._display import shown, shown_wrong_url
from .._matching.targets import Target, Url, reaches
from .reports import about_dropped, report

# unittest leaves the frames of such modules out of the tracebacks of failed assertions.
__unittest = True

Expectation = Union[Url, "tuple[str | None, Url | None]"]


if TYPE_CHECKING:
    # The mixins call methods of the test case that they are mixed into.
    from unittest import TestCase as _TestCase
else:
    _TestCase = object


class CallsOfMock(Protocol):
    """What the assertions look at: an `aioresponses`."""

    @property
    def calls(self) -> list[RequestCall]: ...

    @property
    def call_count(self) -> int: ...

    @property
    def unmatched_calls(self) -> list[RequestCall]: ...

    @property
    def unused_mocks(self) -> list[RequestMatch]: ...


class CallAssertions(_TestCase):
    """What the mixins share: finding calls, and failing in the same form."""

    mock: CallsOfMock

    def _target(self, url: object, method: object, msg: str | None) -> Target:
        try:
            target = Target.of(method, url)
        except (TypeError, ValueError) as error:
            wrong = str(error)
        else:
            if not isinstance(target.url, URL) or target.url.raw_host:
                return target
            # No call could be one of it.
            wrong = f"url: expected one with a scheme and a host, got {shown_wrong_url(url)}"
        self._wrongly(wrong, msg)

    def _expectation(self, expected: object, msg: str | None) -> Target:
        if not isinstance(expected, tuple):
            return self._target(expected, None, msg)
        if len(expected) != 2:
            self._wrongly(f"expected a URL or a pair of method and URL, got {shown(expected)}", msg)
        method, url = expected
        return self._target(url, method, msg)

    def _expectations(self, expected: object, msg: str | None) -> list[Target]:
        if isinstance(expected, Iterable) and not isinstance(expected, (str, bytes)):
            return [self._expectation(one, msg) for one in expected]
        self._wrongly(f"expected a list of URLs, or of pairs of method and URL, got {shown(expected)}", msg)

    def _count(self, name: str, value: object, least: int, msg: str | None) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            self._wrongly(f"{name}: expected an int of at least {least}, got {shown(value)}", msg)

    def _calls_of(self, target: Target) -> list[RequestCall]:
        return [call for call in self.mock.calls if reaches(target, call)]

    @property
    def _dropped(self) -> int:
        """How many calls are not among `self.mock.calls`, because the mock does not keep all."""
        return self.mock.call_count - len(self.mock.calls)

    def _check_kept(self, msg: str | None) -> None:
        """Fail if calls were dropped that would have to be looked at."""
        if self._dropped:
            self._fail_with_calls(about_dropped(self._dropped, len(self.mock.calls)), msg)

    def _wrongly(self, what: str, msg: str | None) -> NoReturn:
        self._fail(f"Invalid argument: {what}", msg)

    def _fail_with_calls(self, headline: str, msg: str | None, detail: str = "") -> NoReturn:
        self._fail(report(headline, detail, self.mock.calls), msg)

    def _fail(self, text: str, msg: str | None) -> NoReturn:
        # As unittest's own assertions do, which have no public method for it.
        if msg is not None:
            text = f"{text} : {msg}" if self.longMessage else msg
        self.fail(text)
