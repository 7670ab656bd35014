"""How calls and differences are told to a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._calls.record import RequestCall
from .._display import cut, shortened

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


def told_unused(mocks: Sequence[object]) -> str:
    """Return the sentence about mocks that were never used, with a line for each."""
    return _headed(f"Expected every mock to be used, but {_number(mocks, 'was', 'were')} not:", mocks)


def told_unmatched(calls: Sequence[RequestCall]) -> str:
    """Return the sentence about calls that no mock answered, with a line for each."""
    return _headed(f"Expected mocks for all calls, but {_number(calls, 'has', 'have')} none:", calls)


def told_dropped(dropped: int, kept: int) -> str:
    """Return the sentences about an assertion that would have to look at calls that were dropped."""
    return (
        f"This cannot be checked: keep_calls has dropped {dropped} of {counted(dropped + kept)}.\n"
        "Raise keep_calls, or call reset() on the mock right before the calls that this is about."
    )


def _number(things: Sequence[object], one: str, several: str) -> str:
    return f"{len(things)} {one if len(things) == 1 else several}"


def _headed(headline: str, things: Sequence[object]) -> str:
    return "\n".join([headline, *cut([f"  {shortened(str(thing))}" for thing in things])])


def counted(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"


def place_of(calls: Sequence[RequestCall], wanted: RequestCall) -> int:
    return next(number for number, call in enumerate(calls, 1) if call is wanted)


def difference(case: unittest.TestCase, expected: object, found: object) -> str:
    """Return how two values differ, in the words of unittest and within the `maxDiff` of a test case."""
    try:
        case.assertEqual(expected, found)
    except case.failureException as error:
        return str(error)
    return ""
