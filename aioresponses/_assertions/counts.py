"""How often something was called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._matching.selection import Selection
from .base import CallAssertions
from .reports import about_unmatched, about_unused, counted, there_were, to

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._matching.conditions import ConditionArguments
    from .._matching.selection import UrlOrMock

__unittest = True


class CallCountAssertionsMixin(CallAssertions):
    """Assertions about how often something was called.

    Instead of a URL, each accepts a mock or a group, for the requests that it answered. Each accepts the conditions of
    mocks, such as `match_json`, by keyword, and counts only the calls that fulfil them.

    Each raises `failureException` if it does not hold, with `msg` after its own message.
    """

    def assertCallCount(
        self,
        count: int,
        url: UrlOrMock | None = None,
        method: str | None = None,
        msg: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail unless exactly `count` calls of this URL and method were made.

        >>> self.assertCallCount(2, "http://example.com/events", "POST", match_json=subset({"type": "created"}))
        """
        self._count("count", count, 0, msg)
        self._check_count(self._selection(url, method, conditions, msg), count, count, counted(count), msg)

    def assertCalled(
        self,
        url: UrlOrMock | None = None,
        method: str | None = None,
        msg: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail unless at least one call of this URL and method was made.

        >>> users = self.mock.get("http://example.com/users")
        >>> self.assertCalled(users)
        """
        self._check_count(self._selection(url, method, conditions, msg), 1, None, "a call", msg)

    def assertCalledOnce(
        self,
        url: UrlOrMock | None = None,
        method: str | None = None,
        msg: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail unless exactly one call of this URL and method was made.

        >>> self.assertCalledOnce(re.compile("http://example.com/users/"), "DELETE")
        """
        self._check_count(self._selection(url, method, conditions, msg), 1, 1, "1 call", msg)

    def assertNotCalled(
        self,
        url: UrlOrMock | None = None,
        method: str | None = None,
        msg: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail if any call of this URL and method was made.

        >>> self.assertNotCalled(method="DELETE")
        """
        self._check_count(self._selection(url, method, conditions, msg), 0, 0, "no call", msg)

    def assertCalledAtLeast(
        self,
        count: int,
        url: UrlOrMock | None = None,
        method: str | None = None,
        msg: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail unless `count` or more calls of this URL and method were made.

        >>> self.assertCalledAtLeast(2, "http://example.com/users")
        """
        self._count("count", count, 0, msg)
        self._check_count(self._selection(url, method, conditions, msg), count, None, f"at least {counted(count)}", msg)

    def assertCalledAtMost(
        self,
        count: int,
        url: UrlOrMock | None = None,
        method: str | None = None,
        msg: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail unless `count` or fewer calls of this URL and method were made.

        >>> self.assertCalledAtMost(3)
        """
        self._count("count", count, 0, msg)
        self._check_count(self._selection(url, method, conditions, msg), 0, count, f"at most {counted(count)}", msg)

    def assertAllMocksCalled(self, msg: str | None = None) -> None:
        """Fail if a registered mock was never used or not used up, unless it has `optional=True`.

        For a mock that answers any number of requests, one request is enough.

        >>> self.assertAllMocksCalled()
        """
        unused = self.mock.unused_mocks
        if unused:
            self._fail_with_calls(about_unused(unused), msg)

    def assertNoUnmatchedCalls(self, msg: str | None = None) -> None:
        """Fail if any request was not answered by a mock, even if the code under test carried on.

        Calls that were passed through to the network count as answered.

        >>> self.assertNoUnmatchedCalls()
        """
        unmatched = self.mock.unmatched_calls
        if unmatched:
            self._fail_with_calls(about_unmatched(unmatched), msg)

    def _check_count(
        self, selection: Selection, least: int, most: int | None, expected: str, msg: str | None
    ) -> None:
        made, dropped = len(self._calls_of(selection)), selection.dropped(self._dropped)
        if selection.takes_all:
            made, dropped = made + dropped, 0
        # Any number of the dropped calls may have been such calls.
        are_too_many = most is not None and made > most
        if not are_too_many and (made < least <= made + dropped or most is not None and made + dropped > most):
            self._check_kept(msg, selection)
        if are_too_many or made < least:
            nearly = "" if are_too_many else self._nearly(selection)
            self._fail_with_calls(f"Expected {expected}{to(selection)}, but {there_were(made)}.", msg, nearly)
