"""What a test case can assert of the calls that were made.

The mixins go with any `unittest.TestCase` that has an `aioresponses` at `self.mock`; `AioResponsesTestCase` has all of
them. A failure says what was expected and what happened, shows the difference where there are two values, and lists
the calls.

An assertion looks at `self.mock.calls`: one for each call of the code under test. Where it takes `url` and `method`,
they are compared as those of a mock are: text, a `yarl.URL` or a pattern, queries in any order, fragments left aside;
None stands for any. The requests that a redirect leads to are `hops` of a call, not calls.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from yarl import URL

from .._calls.record import RequestCall, span_of
from .._display import cut, shown_url
from .._matching.targets import Url, reaches
from .base import CallAssertions, Expectation
from .reports import counted, difference, place_of, there_were, to

# unittest leaves the frames of such modules out of the tracebacks of failed assertions.
__unittest = True


class CallOrderAssertionsMixin(CallAssertions):
    """Assertions about the order of calls, and how many were on their way at once.

    An expectation is a URL (any method), or a pair of method and URL. Calls are in the order in which they began, which
    no clock tells: it may be stopped or put back. Each assertion raises `failureException` where it does not hold, with
    `msg` behind its own message.
    """

    def assertCallOrder(self, expected: Iterable[Expectation], msg: str | None = None) -> None:
        """Fail unless these calls were made in this order; others may stand between them.

        >>> self.assertCallOrder([("POST", "http://example.com/login"), "http://example.com/users"])
        """
        calls = enumerate(self.mock.calls, 1)
        targets = self._expectations(expected, msg)
        after = "at all"
        for place, target in enumerate(targets, 1):
            found = next((number for number, call in calls if reaches(target, call)), None)
            if found is None:
                self._check_kept(msg)
                self._fail_with_calls(
                    f"Expected these calls in this order, but number {place}, {target}, was not made {after}:",
                    msg,
                    "\n".join(cut([f"  {one}" for one in targets], around=place)),
                )
            after = f"after call {found}"

    def assertCallsEqual(self, expected: Iterable[Expectation], msg: str | None = None) -> None:
        """Fail unless these calls and no others were made, in this order.

        >>> self.assertCallsEqual([("POST", "http://example.com/login"), ("GET", "http://example.com/users")])
        """
        targets = self._expectations(expected, msg)
        self._check_kept(msg)
        calls = self.mock.calls
        if len(targets) == len(calls) and all(map(reaches, targets, calls)):
            return
        # An expectation that fits the call in its place is shown as that call, so that only the others differ.
        made = [f"{call.method.upper()} {shown_url(URL(call.url))}" for call in calls]
        shown = [
            made[place] if place < len(calls) and reaches(target, calls[place]) else str(target)
            for place, target in enumerate(targets)
        ]
        self._fail_with_calls(
            f"Expected exactly {counted(len(targets))}, but {there_were(len(calls))} (- expected, + made):"
            if len(targets) != len(calls)
            else "Calls differ (- expected, + made):",
            msg,
            difference(self, shown, made),
        )

    def assertCalledBefore(self, first: Expectation, second: Expectation, msg: str | None = None) -> None:
        """Fail unless every call of `first` had ended before any call of `second` began; both must have been made.

        A call has ended when the session's method has returned or raised, whether or not its response has been read.

        >>> self.assertCalledBefore(("PUT", "http://example.com/lock"), ("DELETE", "http://example.com/lock"))
        """
        one, other = self._expectation(first, msg), self._expectation(second, msg)
        for target in (one, other):
            if not self._calls_of(target):
                self._check_kept(msg)
                self._fail_with_calls(
                    f"Expected {one} to be called before {other}, but {target} was never called.", msg
                )
        calls = self.mock.calls
        last = max(self._calls_of(one), key=_end_of)
        early = min(self._calls_of(other), key=lambda call: call.order)
        if last is early:
            self._fail_with_calls(
                f"Expected every call{to(one)} before any call{to(other)}, "
                f"but call {place_of(calls, last)} is both.",
                msg,
            )
        if _end_of(last) > early.order:
            self._fail_with_calls(
                f"Expected every call{to(one)} to have ended before any call{to(other)} began, "
                f"but call {place_of(calls, early)} began before call {place_of(calls, last)} had ended.",
                msg,
            )
        self._check_kept(msg)

    def assertMaxConcurrency(
        self, limit: int, url: Url | None = None, method: str | None = None, msg: str | None = None
    ) -> None:
        """Fail if more than `limit` calls, of this URL and method, were on their way at once.

        A call is on its way from when it has a connection, as a server sees it: not while it waits for one under the
        `limit` of the session's connector. It is until aiohttp has given the connection back: the response has been
        read to its end, which for a small one is before the session's method returns, or was released or closed; or
        until it raised. A call that is refused is on its way until it raises.

        Replies that are there in the same step of the loop never overlap. Those of an `AioResponsesTestCase` take a
        turn of the event loop at least, unless the class says `latency = None`; for another mock, give it a `latency`.

        >>> self.assertMaxConcurrency(5, "http://example.com/pages")
        """
        self._count("limit", limit, 0, msg)
        target = self._target(url, method, msg)
        most = _most_at_once(self._calls_of(target))
        if most > limit:
            self._fail_with_calls(
                f"Expected at most {counted(limit)}{to(target)} at once, but {there_were(most)}.", msg
            )
        self._check_kept(msg)

    def assertConcurrent(
        self, url: Url | None = None, method: str | None = None, at_least: int = 2, msg: str | None = None
    ) -> None:
        """Fail unless at some time `at_least` calls, of this URL and method, were on their way at once.

        `assertMaxConcurrency` says what that is, and what a mock needs for it: a `latency`.

        >>> self.assertConcurrent("http://example.com/pages", at_least=3)
        """
        self._count("at_least", at_least, 1, msg)
        target = self._target(url, method, msg)
        most = _most_at_once(self._calls_of(target))
        if most < at_least:
            self._check_kept(msg)
            self._fail_with_calls(
                f"Expected at least {counted(at_least)}{to(target)} at once, but {there_were(most)}.", msg
            )


def _end_of(call: RequestCall) -> float:
    """Return when a call ended, as a moment."""
    ended = span_of(call).ended
    return math.inf if ended is None else ended


def _most_at_once(calls: Iterable[RequestCall]) -> int:
    moments = []
    for span in map(span_of, calls):
        if span.since is not None:
            moments.append((span.since, 1))
            if span.until is not None:
                moments.append((span.until, -1))
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most
