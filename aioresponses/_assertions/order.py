"""What a test case can assert about the order and the times of the calls that were made.

The mixins work with any `unittest.TestCase` that has an `aioresponses` at `self.mock`; `AioResponsesTestCase` has all
of them. A failure says what was expected and what happened, shows the difference if there are two values, and lists
the calls.

An assertion looks at `self.mock.calls`, which has one entry for each call of the code under test. `url` and `method`
are compared like those of a mock: the URL is text, a `yarl.URL` or a pattern, the order of its query does not matter,
and its fragment is ignored; None stands for any. The requests that a redirect leads to are `hops` of a call, not calls.

Instead of a URL, a mock or a group of mocks stands for the requests that it answered, its `calls`, which may include
such hops. Assertions that accept `url` and `method` also accept the conditions of mocks by keyword: `match_query`,
`match_headers`, `match_json`, `match_form`, `match_body` and `match`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from yarl import URL

from .._calls.record import RequestCall, in_order
from .._client.clocks import time_here
from .._display import cut, shown_seconds, shown_url
from .._matching.selection import Selection
from .base import CallAssertions
from .reports import about_nearly, about_passed_by, counted, difference, place_of, there_were, to

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._matching.conditions import ConditionArguments
    from .._matching.selection import UrlOrMock
    from .base import Expectation

# unittest leaves the frames of such modules out of the tracebacks of failed assertions.
__unittest = True

_MOST_TIMES = 20


class CallOrderAssertionsMixin(CallAssertions):
    """Assertions about the order of calls, their times, and how many were in flight at once.

    An expectation is a URL (for any method), a mock, a group, or a pair of a method and one of these; a dict of
    conditions may follow as a third element. Calls are in the order in which they began, which does not depend on a
    clock that a test may stop or put back. Each assertion raises `failureException` if it does not hold, with `msg`
    after its own message.
    """

    def assertCallOrder(self, expected: Iterable[Expectation], msg: str | None = None) -> None:
        """Fail unless these calls were made in this order; others may come between them.

        >>> login = self.mock.post("http://example.com/login")
        >>> self.assertCallOrder([login, ("POST", "http://example.com/users", {"match_json": {"name": "Ada"}})])
        """
        selections = self._expectations(expected, msg)
        # A mock may have answered a hop of a call.
        made = iter(in_order(one for call in self.mock.calls for one in (call, *call.hops[1:])))
        last: RequestCall | None = None
        for place, selection in enumerate(selections, 1):
            found = next(filter(selection.fits, made), None)
            if found is None:
                self._check_kept(msg, *selections)
                after = "at all" if last is None else f"after {place_of(self.mock.calls, last)}"
                wanted = "\n".join(cut([f"  {one}" for one in selections], around=place))
                nearly = self._nearly(selection)
                self._fail_with_calls(
                    f"Expected these calls in this order, but number {place}, {selection}, was not made {after}:",
                    msg,
                    f"{wanted}\n{nearly}" if nearly else wanted,
                )
            last = found

    def assertCallsEqual(
        self,
        expected: Iterable[Expectation],
        msg: str | None = None,
        *,
        url: UrlOrMock | None = None,
        method: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail unless these calls and no others were made, in this order.

        With `url`, `method` or conditions, only the calls that these select are looked at.

        >>> self.assertCallsEqual([("POST", "http://example.com/login"), ("GET", "http://example.com/users")])
        """
        selections = self._expectations(expected, msg)
        selected = self._selection(url, method, conditions, msg)
        self._check_kept(msg, selected)
        calls = self._calls_of(selected)
        fit = [place < len(calls) and one.fits(calls[place]) for place, one in enumerate(selections)]
        if len(selections) == len(calls) and all(fit):
            return
        # An expectation that fits the call in its place is shown as that call, so that only the others differ.
        made = [f"{call.method.upper()} {shown_url(URL(call.url))}" for call in calls]
        shown = [made[place] if fits else str(selections[place]) for place, fits in enumerate(fit)]
        nearly = [
            (calls[place], why)
            for place, fits in enumerate(fit)
            if not fits and place < len(calls) and (why := selections[place].near_miss(calls[place])) is not None
        ]
        why = about_nearly(self.mock.calls, nearly) or next(
            (why for one in selections if (why := about_passed_by(self.mock.calls, one))), ""
        )
        self._fail_with_calls(
            f"Expected exactly {counted(len(selections))}{to(selected)}, "
            f"but {there_were(len(calls))} (- expected, + made):"
            if len(selections) != len(calls)
            else f"Calls{to(selected)} differ (- expected, + made):",
            msg,
            "\n".join(part for part in (difference(self, shown, made), why) if part),
        )

    def assertCalledBefore(self, first: Expectation, second: Expectation, msg: str | None = None) -> None:
        """Fail unless every call of `first` had ended before any call of `second` began; both must have been made.

        A call has ended when the session's method has returned or raised, whether or not its response has been read.

        >>> self.assertCalledBefore(("PUT", "http://example.com/lock"), ("DELETE", "http://example.com/lock"))
        """
        one, other = self._expectation(first, msg), self._expectation(second, msg)
        for selection in (one, other):
            if not self._calls_of(selection):
                self._check_kept(msg, selection)
                self._fail_with_calls(
                    f"Expected {one} to be called before {other}, but {selection} was never called.",
                    msg,
                    self._nearly(selection),
                )
        calls = self.mock.calls
        last = max(self._whole_calls_of(one), key=_end_of)
        early = min(self._whole_calls_of(other), key=lambda call: call.order)
        if last is early:
            self._fail_with_calls(
                f"Expected every call{to(one)} before any call{to(other)}, but {place_of(calls, last)} is both.",
                msg,
            )
        if _end_of(last) > early.order:
            self._fail_with_calls(
                f"Expected every call{to(one)} to have ended before any call{to(other)} began, "
                f"but {place_of(calls, early)} began before {place_of(calls, last)} had ended.",
                msg,
            )
        self._check_kept(msg, one, other)

    def assertCallTimes(
        self,
        expected: Iterable[float],
        url: UrlOrMock | None = None,
        method: str | None = None,
        msg: str | None = None,
        *,
        within: float = 0.001,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail unless the calls of this URL and method began at these times, and there were no others.

        Times are in seconds since the start of the virtual clock, like its `elapsed`. Each may differ by up to
        `within`. If no clock ran, the assertion fails: in real time, no two runs of a test are alike.

        >>> self.assertCallTimes([0, 1, 3, 7], "http://example.com/users")
        """
        wanted = self._times("expected", expected, msg)
        [tolerance] = self._times("within", [within], msg)
        selection = self._selection(url, method, conditions, msg)
        self._check_kept(msg, selection)
        calls = self._calls_of(selection)
        found = [call._exchange.virtually for call in calls]
        times = [one for one in found if one is not None]
        if len(times) != len(calls) or not calls and time_here() is None:
            which = f"ran when {place_of(self.mock.calls, calls[found.index(None)])} began" if calls else "runs"
            self._fail(
                f"assertCallTimes compares virtual times, but no VirtualClock {which}.\n"
                "Set virtual_time = True in the test case, or make the calls while a VirtualClock runs.",
                msg,
            )
        # The times are exact to the microsecond.
        differs = [abs(one - other) - tolerance > 1e-6 for one, other in zip(wanted, times)]
        if len(wanted) == len(times) and True not in differs:
            return
        around = differs.index(True) if True in differs else len(differs)
        lines = [f"  expected: {_seconds(wanted, around)}", f"  found:    {_seconds(times, around)}"]
        nearly = "" if times else self._nearly(selection)
        self._fail_with_calls(
            f"Calls{to(selection)} began at other times than expected:"
            if len(wanted) == len(times)
            else f"Expected {counted(len(wanted))}{to(selection)} at these times, but {there_were(len(times))}:",
            msg,
            "\n".join([*lines, nearly] if nearly else lines),
        )

    def assertMaxConcurrency(
        self,
        limit: int,
        url: UrlOrMock | None = None,
        method: str | None = None,
        msg: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail if more than `limit` calls of this URL and method were in flight at once.

        A call is in flight as a server sees it: from the moment it has a connection, and not while it waits for one
        under the `limit` of the session's connector. It ends when aiohttp gives the connection back, because the
        response has been read to its end (which, for a small one, happens before the session's method returns), or has
        been released or closed, or when the call raises. A refused call is in flight until it raises.

        Replies that arrive in the same step of the loop never overlap. Those of an `AioResponsesTestCase` take at least
        one turn of the event loop, unless the class sets `latency = None`; give any other mock a `latency`.

        >>> self.assertMaxConcurrency(5, "http://example.com/pages")
        """
        self._count("limit", limit, 0, msg)
        selection = self._selection(url, method, conditions, msg)
        most = _most_at_once(self._whole_calls_of(selection))
        if most > limit:
            self._fail_with_calls(
                f"Expected at most {counted(limit)}{to(selection)} at once, but {there_were(most)}.", msg
            )
        self._check_kept(msg, selection)

    def assertConcurrent(
        self,
        url: UrlOrMock | None = None,
        method: str | None = None,
        at_least: int = 2,
        msg: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail unless at some time `at_least` calls of this URL and method were in flight at once.

        See `assertMaxConcurrency` for what that means; the mock needs a `latency`.

        >>> self.assertConcurrent("http://example.com/pages", at_least=3)
        """
        self._count("at_least", at_least, 1, msg)
        selection = self._selection(url, method, conditions, msg)
        most = _most_at_once(self._whole_calls_of(selection))
        if most < at_least:
            self._check_kept(msg, selection)
            self._fail_with_calls(
                f"Expected at least {counted(at_least)}{to(selection)} at once, but {there_were(most)}.",
                msg,
                self._nearly(selection),
            )

    def _whole_calls_of(self, selection: Selection) -> list[RequestCall]:
        """Return the selected calls; for a hop, the call that it belongs to, since calls are what begins and ends."""
        calls = {call.order: call for call in self.mock.calls}
        meant = {call.order: calls.get(call.order, call) for call in self._calls_of(selection)}
        return list(meant.values())


def _seconds(times: Sequence[float], around: int) -> str:
    """Return times and the gaps between them; if there are many, only those around one of them."""
    if not times:
        return "none"
    start = max(0, around - _MOST_TIMES // 2)
    gaps = [second - first for first, second in zip(times, times[1:])]
    parts = []
    for values in (times, gaps):
        part = ", ".join(shown_seconds(one) for one in values[start:start + _MOST_TIMES])
        parts.append(f"{'…, ' if start else ''}{part}{', …' if len(values) > start + _MOST_TIMES else ''}")
    return f"{parts[0]} s" + (f" (gaps of {parts[1]} s)" if gaps else "")


def _end_of(call: RequestCall) -> float:
    """Return when a call ended, as a moment."""
    ended = call._exchange.over
    return math.inf if ended is None else ended


def _most_at_once(calls: Iterable[RequestCall]) -> int:
    moments = []
    for exchange in (call._exchange for call in calls):
        if exchange.since is not None:
            moments.append((exchange.since, 1))
            until = exchange.in_flight_until
            if until is not None:
                moments.append((until, -1))
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most
