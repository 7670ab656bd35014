"""The assertions of the mock itself, in the manner of `unittest.mock`: what they check, and how they fail."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from aiohttp import hdrs
from yarl import URL

from .._calls.record import RequestCall
from .._display import cut, shortened, shown, shown_arguments
from .._matching.targets import Target, Url, check_url, reaches
from .._urls import Template, merge_params
from ..matchers import unpaired
from .reports import about_dropped, difference, report

# unittest leaves the frames of such modules out of the tracebacks of failed assertions.
__unittest = True

_MOST_DIFFERENCE = 5000


def fail(calls: Sequence[RequestCall], headline: str, detail: str = "") -> NoReturn:
    """Raise `AssertionError` with a headline, any detail, and the calls."""
    raise AssertionError(report(headline, detail, calls))


# The checks are given the calls that are kept, and how many more were dropped.


def check_any_call(calls: Sequence[RequestCall], dropped: int, wanted: WantedCall) -> None:
    """Raise `AssertionError` unless one of the calls is the wanted one."""
    if not any(map(wanted.fits, calls)):
        _check_kept(calls, dropped)
        fail(calls, f"Expected {wanted}, but there was no such call.", _closest(calls, wanted))


def check_calls(
    calls: Sequence[RequestCall], dropped: int, wanted: Sequence[WantedCall], any_order: bool
) -> None:
    """Raise `AssertionError` unless the wanted calls are among them, one after another or in any order."""
    if any_order:
        for one in unpaired(wanted, calls, WantedCall.fits):
            _check_kept(calls, dropped)
            fail(calls, f"Expected {one} among the calls, but there was no such call.", _closest(calls, one))
    elif not any(
        all(map(WantedCall.fits, wanted, calls[start:])) for start in range(len(calls) - len(wanted) + 1)
    ):
        _check_kept(calls, dropped)
        lines = "\n".join(cut([f"  {one}" for one in wanted]))
        hint = next((hint for one in wanted if (hint := _other_methods(calls, one))), "")
        fail(calls, f"These calls were not made consecutively:\n{lines}", hint)


def check_last_call(
    calls: Sequence[RequestCall],
    dropped: int,
    wanted: WantedCall,
    args: tuple[Any, ...],
    names: Iterable[str] | None,
) -> None:
    """Raise `AssertionError` unless the last call of the wanted method and URL had the wanted arguments.

    They are all that it had; if there are `names`, only the arguments of these are compared, `params` as any other.
    """
    made = [call for call in calls if wanted.reaches(call)]
    if not made:
        _check_kept(calls, dropped)
        fail(calls, f"Expected {wanted.target} to be called, but it was never called.", _other_methods(calls, wanted))
    expected = {"allow_redirects": True, **wanted.given}
    if wanted.target.method == hdrs.METH_POST:
        expected.setdefault("data", None)
    found: dict[str, Any] = made[-1].kwargs
    if names is None:
        expected, found = wanted.compared(expected), wanted.compared(found)
    else:
        names = list(names)
        for arguments, which in ((expected, "expected call"), (found, "last call")):
            absent = ", ".join(name for name in names if name not in arguments)
            if absent:
                fail(calls, f"args_to_match: the {which} to {wanted.target} has no {absent}.")
        expected = {name: expected[name] for name in names}
        found = {name: found[name] for name in names}
    if made[-1].args != args or not expected == found:
        fail(
            calls,
            f"Arguments of the last call to {wanted.target} differ (- expected, + made):",
            _difference_of_arguments({**expected, "args": args} if args else expected, found),
        )


def _check_kept(calls: Sequence[RequestCall], dropped: int) -> None:
    """Raise `AssertionError` if calls were dropped that would have to be looked at."""
    if dropped:
        fail(calls, about_dropped(dropped, len(calls)))


def _closest(calls: Sequence[RequestCall], wanted: WantedCall) -> str:
    found = wanted.of_last(calls)
    if found is None:
        return _other_methods(calls, wanted)
    return f"Arguments of the last call to {wanted.target} differ (- expected, + made):\n" + _difference_of_arguments(
        wanted.kwargs, found
    )


def _other_methods(calls: Sequence[RequestCall], wanted: WantedCall) -> str:
    """Return by which other methods the URL of a call that is looked for by the default method was called."""
    anything = wanted.target._replace(method=None)
    methods = list(dict.fromkeys(call.method.upper() for call in calls if reaches(anything, call)))
    if wanted.target.method != hdrs.METH_GET or not methods or hdrs.METH_GET in methods:
        return ""
    return (
        f"It was called with {' and '.join(methods)}; GET is the default of method, so pass "
        f"{' or '.join(f'method={method!r}' for method in methods)}."
    )


def _difference_of_arguments(expected: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    import unittest  # Not before it is needed: it takes longer to import than all of this package.

    case = unittest.TestCase()
    # Users have no test case here on which they could set it.
    case.maxDiff = None
    shown = difference(case, shown_arguments(expected, found), shown_arguments(found, expected, found=True))
    return shortened(shown, _MOST_DIFFERENCE)


class WantedCall:
    """A call that is looked for: its method and URL, and keyword arguments that it must have, `kwargs`.

    `params` are part of the URL: it makes no difference whether the code under test gave them or wrote them there.
    Beside a pattern, which has no query, they are an argument like any other.
    """

    def __init__(self, url: Url, method: str, kwargs: Mapping[str, Any]) -> None:
        checked = check_url(url)
        params = kwargs.get("params")
        target = Target.of(method, merge_params(checked, params) if isinstance(checked, URL) else url)
        if isinstance(target.url, Template):
            target = target._replace(url=target.url.merged(params))
        self.target = target
        self.given = kwargs
        self.kwargs = self.compared(kwargs)

    def compared(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of these keyword arguments that are compared."""
        beside_pattern = isinstance(self.target.url, re.Pattern)
        return {name: value for name, value in kwargs.items() if name != "params" or beside_pattern}

    @classmethod
    def of(cls, call: Any) -> WantedCall:
        """Make one of a `unittest.mock.call(url, method="GET", …)`."""
        expected = f"calls: expected unittest.mock.call(url, method=…, …), got {shown(call)}"
        # A name stands first for what follows a dot, as in call.post(…).
        if not isinstance(call, tuple) or len(call) != 3 or call[0]:
            raise TypeError(expected)
        try:
            bound = inspect.signature(_call).bind(*call[1], **call[2])
            bound.apply_defaults()
            return cls(**bound.arguments)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{expected}: {error}") from error

    def __str__(self) -> str:
        arguments = shown_arguments(self.given, {}).items()
        return shortened(f"{self.target}{''.join(f', {name}={shown(value, most=None)}' for name, value in arguments)}")

    def reaches(self, call: RequestCall) -> bool:
        return reaches(self.target, call)

    def fits(self, call: RequestCall) -> bool:
        return self.reaches(call) and all(
            name in call.kwargs and value == call.kwargs[name] for name, value in self.kwargs.items()
        )

    def of_last(self, calls: Iterable[RequestCall]) -> dict[str, Any] | None:
        """Return the arguments that are looked for, as the last call of this method and URL had them."""
        made = [call for call in calls if self.reaches(call)]
        return {name: made[-1].kwargs[name] for name in self.kwargs if name in made[-1].kwargs} if made else None


def _call(url: Url, method: str = hdrs.METH_GET, **kwargs: Any) -> None:
    """Stand for what may be in a `unittest.mock.call`."""
