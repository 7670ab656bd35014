"""How often something was called."""

from __future__ import annotations

from collections.abc import Callable

from .._matching.targets import Url
from .base import CallAssertions
from .reports import about_unmatched, about_unused, counted, there_were, to

__unittest = True


class CallCountAssertionsMixin(CallAssertions):
    """Assertions about how often something was called.

    Each raises `failureException` where it does not hold, with `msg` behind its own message.
    """

    def assertCallCount(
        self, count: int, url: Url | None = None, method: str | None = None, msg: str | None = None
    ) -> None:
        """Fail unless exactly `count` calls were made, of this URL and method.

        >>> self.assertCallCount(2, "http://example.com/users", "POST")
        """
        self._count("count", count, 0, msg)
        self._check_count(url, method, lambda made: made == count, counted(count), msg)

    def assertCalled(self, url: Url | None = None, method: str | None = None, msg: str | None = None) -> None:
        """Fail unless at least one call was made, of this URL and method.

        >>> self.assertCalled("http://example.com/users")
        """
        self._check_count(url, method, lambda made: made > 0, "a call", msg)

    def assertCalledOnce(self, url: Url | None = None, method: str | None = None, msg: str | None = None) -> None:
        """Fail unless exactly one call was made, of this URL and method.

        >>> self.assertCalledOnce(re.compile("http://example.com/users/"), "DELETE")
        """
        self._check_count(url, method, lambda made: made == 1, "1 call", msg)

    def assertNotCalled(self, url: Url | None = None, method: str | None = None, msg: str | None = None) -> None:
        """Fail if a call was made, of this URL and method.

        >>> self.assertNotCalled(method="DELETE")
        """
        self._check_count(url, method, lambda made: made == 0, "no call", msg)

    def assertCalledAtLeast(
        self, count: int, url: Url | None = None, method: str | None = None, msg: str | None = None
    ) -> None:
        """Fail unless `count` calls or more were made, of this URL and method.

        >>> self.assertCalledAtLeast(2, "http://example.com/users")
        """
        self._count("count", count, 0, msg)
        self._check_count(url, method, lambda made: made >= count, f"at least {counted(count)}", msg)

    def assertCalledAtMost(
        self, count: int, url: Url | None = None, method: str | None = None, msg: str | None = None
    ) -> None:
        """Fail unless `count` calls or fewer were made, of this URL and method.

        >>> self.assertCalledAtMost(3)
        """
        self._count("count", count, 0, msg)
        self._check_count(url, method, lambda made: made <= count, f"at most {counted(count)}", msg)

    def assertAllMocksCalled(self, msg: str | None = None) -> None:
        """Fail if a registered mock was never used, or not used up; those with `optional=True` need not be.

        A mock that answers any number of requests need be used but once.

        >>> self.assertAllMocksCalled()
        """
        unused = self.mock.unused_mocks
        if unused:
            self._fail_with_calls(about_unused(unused), msg)

    def assertNoUnmatchedCalls(self, msg: str | None = None) -> None:
        """Fail if something was asked for that no mock answered, even if the code under test went on from there.

        Calls that were passed through to the network count as answered.

        >>> self.assertNoUnmatchedCalls()
        """
        unmatched = self.mock.unmatched_calls
        if unmatched:
            self._fail_with_calls(about_unmatched(unmatched), msg)

    def _check_count(
        self, url: Url | None, method: str | None, holds: Callable[[int], bool], expected: str, msg: str | None
    ) -> None:
        target = self._target(url, method, msg)
        made, dropped = len(self._calls_of(target)), self._dropped
        if url is None and method is None:
            made, dropped = made + dropped, 0
        # Of those that were dropped, any number may have been such calls.
        possible = {holds(number) for number in range(made, made + dropped + 1)}
        if len(possible) > 1:
            self._check_kept(msg)
        if False in possible:
            self._fail_with_calls(f"Expected {expected}{to(target)}, but {there_were(made)}.", msg)
