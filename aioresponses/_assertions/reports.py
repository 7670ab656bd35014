"""What is said to a person of calls, mocks and differences."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from textwrap import indent
from typing import TYPE_CHECKING

from .._calls.failures import FailedAssertion
from .._calls.record import RequestCall, RequestMatch
from .._display import cut, shortened, shown

if TYPE_CHECKING:
    import unittest

_MOST_CALLS = 20

__unittest = True


def listed(calls: Sequence[RequestCall]) -> str:
    """Return the calls, numbered, a line each; of many, the first and the last ones."""
    if not calls:
        return "There were no calls."
    lines = [f"{number:>3}. {shortened(str(call))}" for number, call in enumerate(calls, 1)]
    if len(lines) > _MOST_CALLS:
        half = _MOST_CALLS // 2
        lines[half:-half] = [f"     … {len(lines) - _MOST_CALLS} more …"]
    return "\n".join(["Calls:", *lines])


def there_were(count: int) -> str:
    """Return how many calls there were."""
    return "there was 1" if count == 1 else f"there were {count or 'none'}"


def about_failed(assertions: Sequence[FailedAssertion]) -> str:
    """Return what is to be said of assertions that failed while a mock answered; "" if there are none."""
    return _headed(
        _number(assertions, "assertion failed", "assertions failed") + " while a mock answered:",
        [
            f"{indent(one.text, '  ')}\n    {f'{one.where}, ' if one.where else ''}for {one.asked}"
            for one in assertions
        ],
    )


def about_unused(mocks: Sequence[RequestMatch]) -> str:
    """Return what is to be said of mocks that were not used as they should be; "" if there are none."""
    never = [mock for mock in mocks if not mock.called]
    partly = [mock for mock in mocks if mock.called]
    parts = [
        _headed(_number(never, "mock was", "mocks were") + " never used:", map(_never_used, never)),
        _headed(
            _number(partly, "mock was", "mocks were") + " not used up:",
            [f"  {shortened(str(mock))}, used {mock.call_count} of {mock._to_answer}" for mock in partly],
        ),
    ]
    return "\n".join(part for part in parts if part)


def _never_used(mock: RequestMatch) -> str:
    hiding = mock._at_work.hidden_by
    if hiding is None:
        return f"  {shortened(str(mock))}"
    return (
        f"  {shortened(str(mock))}\n"
        f"    never reached: {shortened(str(hiding))}, repeat=True, registered before it, answers first"
    )


def about_unmatched(calls: Sequence[RequestCall]) -> str:
    """Return what is to be said of calls that no mock answered; "" if there are none."""
    lines = []
    # Code that tries again is refused for the same reasons.
    for (line, refusals), same in itertools.groupby(calls, lambda call: (shortened(str(call)), call._refusals)):
        count = len(list(same))
        times = f" ({count} times)" if count > 1 else ""
        lines.append("\n".join([f"  {line}{times}", *(indent(refusal, "    ") for refusal in refusals)]))
    return _headed(_number(calls, "call", "calls") + " matched no mock:", lines)


def not_reported(calls: Sequence[RequestCall], raised: Collection[BaseException]) -> list[RequestCall]:
    """Return the refused calls without those whose exception, or that of one like them, the test has raised.

    The note of that exception reports them. Before 3.11, Python shows no notes, so all of them are returned.
    """
    if not hasattr(BaseException, "add_note"):
        return list(calls)
    reported = {str(call) for call in calls if any(call.exception is error for error in raised)}
    return [call for call in calls if str(call) not in reported]


def _number(things: Sequence[object], one: str, several: str) -> str:
    return f"{len(things)} {one if len(things) == 1 else several}"


def _headed(headline: str, things: Iterable[str]) -> str:
    shown = cut(list(things))
    return "\n".join([headline, *shown]) if shown else ""


def counted(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"


def place_of(calls: Sequence[RequestCall], wanted: RequestCall) -> int:
    return next(number for number, call in enumerate(calls, 1) if call is wanted)


def difference(case: unittest.TestCase, expected: object, found: object) -> str:
    """Return how two values differ, in the words of unittest and within the `maxDiff` of a test case."""
    try:
        # unittest prints some values as they are, and what their `__repr__` raises is not the difference.
        repr((expected, found))
    except Exception:
        return "" if expected == found else f"{shown(expected)} != {shown(found)}"
    try:
        case.assertEqual(expected, found)
    except case.failureException as error:
        return str(error)
    return ""
