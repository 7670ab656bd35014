"""How failures describe calls, mocks and differences."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby
from textwrap import indent
from typing import TYPE_CHECKING, TypeVar

from yarl import URL

from .._client.active import asked_here
from .._display import cut, shortened, shown
from .._matching.targets import Target, reaches
from .._urls import Template, comparable

if TYPE_CHECKING:
    import unittest

    from .._calls.failures import FailedAssertion
    from .._calls.record import RequestCall, RequestMatch
    from .._client.leaks import Leak
    from .._matching.selection import Selection

    _T = TypeVar("_T")

_MOST_CALLS = 20

# Other clients that the code under test may use.
_OTHER_CLIENTS = ("httpx", "requests", "urllib3", "niquests", "curl_cffi", "pycurl")

_STOPPED_HAS = "Another aioresponses, which has been stopped, has"

__unittest = True


def about_dropped(dropped: int, kept: int) -> str:
    """Return the message for an assertion that would have to examine calls that were dropped."""
    return (
        f"This cannot be checked: keep_calls has dropped {dropped} of {counted(dropped + kept)}.\n"
        "Raise keep_calls, or call reset() on the mock right before the calls that this is about."
    )


def listed(calls: Sequence[RequestCall]) -> str:
    """Return the calls, numbered, one per line; if there are many, only the first and the last ones."""
    if not calls:
        return "\n".join(["There were no calls.", *_seen_elsewhere()])
    lines = [f"{number:>3}. {shortened(str(call))}" for number, call in enumerate(calls, 1)]
    if len(lines) > _MOST_CALLS:
        half = _MOST_CALLS // 2
        lines[half:-half] = [f"     … {len(lines) - _MOST_CALLS} more …"]
    return "\n".join(["Calls:", *lines])


def _seen_elsewhere() -> Iterator[str]:
    """Yield lines that say where missing calls may have gone."""
    active = asked_here() or ()
    stopped = [one.stopped_within() for one in active if one.stopped_within is not None]
    for interceptor in dict.fromkeys([*active, *stopped]):
        requests = {} if interceptor is None else interceptor.log.requests
        others = [call for calls in requests.values() for call in calls]
        if others:
            is_active = interceptor in active
            has = "Another aioresponses is active and has" if is_active else _STOPPED_HAS
            yield f"{has} {counted(len(others))}; use the same one for everything:"
            yield from cut(others, show=lambda call: f"  {shortened(str(call))}")
    clients = [name for name in _OTHER_CLIENTS if name in sys.modules]
    if clients:
        yield f"Only requests of aiohttp's client are seen, not those made with {' or '.join(clients)}."


def report(headline: str, detail: str, calls: Sequence[RequestCall]) -> str:
    """Return the message of a failed assertion: its headline, any detail, and the calls."""
    return "\n".join(part for part in (headline, detail, listed(calls)) if part)


def about_nearly(calls: Sequence[RequestCall], nearly: Sequence[tuple[RequestCall, str]]) -> str:
    """Return the calls that only a condition excludes, each with the reason; "" if there are none."""
    if not nearly:
        return ""
    lines = cut(nearly, show=lambda near: f"  {place_of(calls, near[0])}: {near[1]}")
    return "\n".join(["Calls that match except for a condition:", *lines])


def about_passed_by(calls: Sequence[RequestCall], selection: Selection) -> str:
    """Return why a selected mock or group, which has answered no request, did not answer these; "" if unknown."""
    passed = selection.passed_by(calls)
    if not passed or selection.answering is None:
        return ""
    lines = cut(passed, show=lambda one: f"  {place_of(calls, one[0])}: {one[1]}")
    return "\n".join([f"Calls that the {selection.answering._kind} did not answer:", *lines])


def about_url(calls: Sequence[RequestCall], target: Target) -> str:
    """Return how to write the URL of a target so that it stands for one of the calls; "" if unknown."""
    url = target.url
    if _excludes_by_query(calls, target):
        return "A URL without a query stands for requests without one; pass match_query=ANY for any query."
    asked = [
        (place_of(calls, call), call.url, comparable(call.key[1]))
        for call in calls
        if target.method in (None, call.method.upper())
    ]
    from .._matching.hints import change, for_text, unmatched  # Imported when needed: most assertions hold.

    if isinstance(url, re.Pattern):
        for place, sent, compared in asked:
            if url.match(str(compared)) is None and (change(url, str(compared)) or url.match(sent)):
                return f"For {place}, {unmatched(url, compared)}"
    if isinstance(url, URL) and not url.raw_host:
        return "A URL needs a scheme and a host."
    if isinstance(url, URL):
        for _, _, compared in asked:
            hint = for_text(url.human_repr(), compared)
            if hint.fits:
                return f"The URL is compared as it is{hint.text}."
    return ""


def _excludes_by_query(calls: Sequence[RequestCall], target: Target) -> bool:
    """Tell whether a target without a query excludes any of the calls only because that has one."""
    if target.any_query or target.has_query or not isinstance(target.url, (URL, Template)):
        return False
    any_query = target.with_any_query()
    return any(reaches(any_query, call) and not reaches(target, call) for call in calls)


def to(selection: Selection) -> str:
    """Return which calls are selected, as text to follow "call" or "calls"."""
    method, conditions = selection.target.method, str(selection.conditions)
    if selection.answering is not None or selection.target.url is not None:
        return f" to {selection}"
    parts = [part for part in ("" if method is None else f"method {method}", conditions) if part]
    return f" with {', '.join(parts)}" if parts else ""


def there_were(count: int) -> str:
    """Return how many calls there were."""
    return "there was 1" if count == 1 else f"there were {count or 'none'}"


def about_failed(assertions: Sequence[FailedAssertion]) -> str:
    """Return the report of assertions that failed while a mock answered; "" if there are none."""
    return _headed(("assertion failed", "assertions failed"), "while a mock answered:", assertions, _failed)


def _failed(assertion: FailedAssertion) -> str:
    where = f"{assertion.where}, " if assertion.where else ""
    return f"{indent(assertion.text, '  ')}\n    {where}for {assertion.asked}"


def about_unused(mocks: Sequence[RequestMatch]) -> str:
    """Return the report of mocks that were never used, or not used up; "" if there are none."""
    never = [mock for mock in mocks if mock._at_work.left_to_answer == (mock._at_work.limit or 1)]
    partly = [mock for mock in mocks if mock not in never]
    parts = [
        _headed(("mock was", "mocks were"), "never used:", never, _never_used),
        _headed(("mock was", "mocks were"), "not used up:", partly, _not_used_up),
    ]
    return "\n".join(part for part in parts if part)


def _never_used(mock: RequestMatch) -> str:
    hiding = mock._at_work.hidden_by
    if hiding is None:
        return f"  {shortened(str(mock))}"
    why = "registered before it, answers first\n    to have it asked first, pass override=True"
    if hiding.overrides:
        why = "override=True, answers first; register a default with optional=True"
    repeat = "repeat=True, " if hiding.limit is None else ""
    return f"  {shortened(str(mock))}\n    never reached: {shortened(str(hiding))}, {repeat}{why}"


def _not_used_up(mock: RequestMatch) -> str:
    limit = mock._at_work.limit or 1
    return f"  {shortened(str(mock))}, used {limit - mock._at_work.left_to_answer} of {limit}"


def about_unmatched(calls: Sequence[RequestCall]) -> str:
    """Return the report of calls that no mock answered; "" if there are none."""
    # Code that retries is refused for the same reasons.
    alike = [
        (line, refusals, len(list(same)))
        for (line, refusals), same in groupby(calls, lambda call: (shortened(str(call)), call._refusals))
    ]
    return _headed(("call", "calls"), "matched no mock:", alike, _unmatched, len(calls))


def _unmatched(alike: tuple[str, list[str], int]) -> str:
    line, refusals, count = alike
    times = f" ({count} times)" if count > 1 else ""
    return "\n".join([f"  {line}{times}", *(indent(refusal, "    ") for refusal in refusals)])


def about_leaks(leaks: Sequence[Leak]) -> str:
    """Return the report of things that were left behind; "" if there are none."""
    return _headed(("thing was", "things were"), "left behind:", leaks, _leak)


def _leak(leak: Leak) -> str:
    return f"  {leak.what}\n    {leak.where}" if leak.where else f"  {leak.what}"


def not_reported(calls: Sequence[RequestCall], raised: Collection[BaseException]) -> list[RequestCall]:
    """Return the refused calls, except those with the same text as one whose exception the test has raised.

    The note of that exception reports them. Before 3.11, Python shows no notes, so all calls are returned.
    """
    if not hasattr(BaseException, "add_note"):
        return list(calls)
    reported = {str(call) for call in calls if any(call.exception is error for error in raised)}
    return [call for call in calls if str(call) not in reported]


def _headed(
    subject: tuple[str, str], rest: str, things: Sequence[_T], show: Callable[[_T], str], count: int | None = None
) -> str:
    """Return things under a headline with their number; its `subject` is given in the singular and the plural."""
    if not things:
        return ""
    count = len(things) if count is None else count
    return "\n".join([f"{count} {subject[count != 1]} {rest}", *cut(things, show=show)])


def counted(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"


def place_of(calls: Sequence[RequestCall], wanted: RequestCall) -> str:
    """Return the number of a call in the list of calls; its hops share that number."""
    for number, call in enumerate(calls, 1):
        if call.order == wanted.order:
            return f"call {number}"
    return "a call that is not listed"


def difference(case: unittest.TestCase, expected: object, found: object) -> str:
    """Return how two values differ, as unittest shows it, within the `maxDiff` of a test case."""
    try:
        # unittest does not catch what the `__repr__` of a value raises.
        repr((expected, found))
    except Exception:
        return "" if expected == found else f"{shown(expected)} != {shown(found)}"
    try:
        case.assertEqual(expected, found)
    except case.failureException as error:
        return str(error)
    return ""
