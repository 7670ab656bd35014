"""The mock's own assertions, in the manner of `unittest.mock`: what they check, and how they fail."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from aiohttp import hdrs
from yarl import URL

from .._calls.arguments import UnknownArguments
from .._calls.record import Answering, RequestCall
from .._checks import Default, default, same_kind
from .._display import cut, shortened, shown, shown_arguments
from .._matching.conditions import CONDITIONS, Conditions
from .._matching.selection import Selection
from .._matching.targets import Target, check_url
from .._urls import Template, merge_params
from ..matchers import equals, may_be_absent, settled, unpaired
from .reports import about_dropped, about_nearly, about_passed_by, about_url, difference, report

if TYPE_CHECKING:
    from .._matching.selection import UrlOrMock
    from .._matching.targets import Url

# unittest leaves the frames of such modules out of the tracebacks of failed assertions.
__unittest = True

_MOST_DIFFERENCE = 5000


def fail(calls: Sequence[RequestCall], headline: str, detail: str = "") -> NoReturn:
    """Raise `AssertionError` with a headline, any detail, and the calls."""
    raise AssertionError(report(headline, detail, calls))


# The checks get the calls that are kept, and the number of calls that were dropped.


def check_any_call(
    calls: Sequence[RequestCall], dropped: int, wanted: WantedCall, args: tuple[Any, ...]
) -> None:
    """Raise `AssertionError` unless one of the calls is the wanted one, with these positional arguments."""
    made = [call for call in wanted.made(calls) if wanted.is_fulfilled(call)]
    if not made:
        _check_kept(calls, wanted.selection.dropped(dropped))
        fail(calls, f"Expected {wanted}, but there was no such call.", _closest(calls, wanted))
    if all(call.args != args for call in made):
        _check_kept(calls, wanted.selection.dropped(dropped))
        fail(
            calls,
            f"Expected {wanted}, with the positional arguments {shown(args)}, but there was no such call.",
            "Calls have all arguments by keyword, such as json=….",
        )


def check_calls(
    calls: Sequence[RequestCall], dropped: int, wanted: Sequence[WantedCall], any_order: bool
) -> None:
    """Raise `AssertionError` unless the wanted calls are among them, one after another or in any order."""
    if any_order:
        for one in unpaired(wanted, calls, WantedCall.fits):
            _check_kept(calls, one.selection.dropped(dropped))
            fail(calls, f"Expected {one} among the calls, but there was no such call.", _closest(calls, one))
    elif not any(
        all(map(WantedCall.fits, wanted, calls[start:])) for start in range(len(calls) - len(wanted) + 1)
    ):
        _check_kept(calls, dropped)
        lines = "\n".join(cut([f"  {one}" for one in wanted]))
        hints = (_other_spelling(calls, one) for one in wanted)
        hint = next(filter(None, hints), "")
        nearly = about_nearly(calls, [near for one in wanted for near in one.nearly(calls)])
        nearly = nearly or next((why for one in wanted if (why := about_passed_by(calls, one.selection))), "")
        fail(
            calls,
            f"These calls were not made consecutively:\n{lines}",
            _joined(hint, nearly),
        )


def check_last_call(
    calls: Sequence[RequestCall],
    dropped: int,
    wanted: WantedCall,
    args: tuple[Any, ...],
    names: Iterable[str] | None,
) -> None:
    """Raise `AssertionError` unless the last call of the wanted method and URL had the wanted arguments.

    It must not have had any other arguments. If there are `names`, only the arguments with these names are compared,
    `params` like any other.
    """
    made = wanted.made(calls)
    target = wanted.selection
    if not made:
        _check_kept(calls, target.dropped(dropped))
        fail(calls, f"Expected {target} to be called, but it was never called.", _closest(calls, wanted))
    unmet = wanted.unmet(made[-1])
    if unmet is not None:
        fail(
            calls,
            f"Expected {target} to be called with {wanted.conditions}, but the last call does not match.",
            _joined(about_nearly(calls, [(made[-1], unmet)]), _other_methods(calls, wanted)),
        )
    if wanted.conditions and not wanted.given and not args and names is None:
        return  # The conditions are all that is required.
    expected = {"allow_redirects": True, **wanted.given}
    if (target.target.method or made[-1].method) == hdrs.METH_POST:
        expected.setdefault("data", None)
    found: dict[str, Any] = made[-1].kwargs
    if isinstance(found, UnknownArguments):
        fail(calls, f"The arguments of {target} are not known: {found.WHY}.\n{found.INSTEAD}")
    if names is None:
        expected, found = wanted.compared(expected), wanted.compared(found)
    else:
        names = list(names)
        for arguments, which in ((expected, "expected call"), (found, "last call")):
            absent = ", ".join(
                name for name in names if name not in arguments and not may_be_absent(expected.get(name))
            )
            if absent:
                hint = _other_methods(calls, wanted) if arguments is found else ""
                fail(calls, f"args_to_match: the {which} to {target} has no {absent}.", hint)
        expected = {name: expected[name] for name in names}
        found = {name: found[name] for name in names if name in found}
    expected = settled(expected, found)
    if made[-1].args != args or not expected == found:
        fail(
            calls,
            f"Arguments of the last call to {target} differ (- expected, + made):",
            _joined(
                _difference_of_arguments({**expected, "args": args} if args else expected, found),
                _other_methods(calls, wanted),
            ),
        )


def _check_kept(calls: Sequence[RequestCall], dropped: int) -> None:
    """Raise `AssertionError` if calls were dropped that would have to be examined."""
    if dropped:
        fail(calls, about_dropped(dropped, len(calls)))


def _closest(calls: Sequence[RequestCall], wanted: WantedCall) -> str:
    made = wanted.made(calls)
    if not made:
        return _other_spelling(calls, wanted) or about_passed_by(calls, wanted.selection)
    unknown = made[-1].kwargs
    if isinstance(unknown, UnknownArguments) and wanted.kwargs:
        return f"The arguments of the last one are not known: {unknown.WHY}.\n{unknown.INSTEAD}"
    found = {name: made[-1].kwargs[name] for name in wanted.kwargs if name in made[-1].kwargs}
    differing = _difference_of_arguments(settled(wanted.kwargs, found), found)
    nearly = about_nearly(calls, wanted.nearly(calls))
    if differing or not nearly:
        differing = f"Arguments of the last call to {wanted.selection} differ (- expected, + made):\n{differing}"
    return _joined(differing, nearly, _other_methods(calls, wanted))


def _joined(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


def _other_spelling(calls: Sequence[RequestCall], wanted: WantedCall) -> str:
    """Return how to write the method of a wanted call, or its URL if no call has that; "" if unknown."""
    hint = _other_methods(calls, wanted)
    return hint if hint or wanted.made(calls) else about_url(calls, wanted.selection.target)


def _other_methods(calls: Sequence[RequestCall], wanted: WantedCall) -> str:
    """Return the other methods with which the URL was called, if the wanted method is only the default.

    If it was called with GET as well, only calls that are as wanted count.
    """
    target = wanted.selection.target
    if not wanted.is_by_default or target.url is None:
        return ""
    anything = Selection(Target(None, target.url, target.any_query), None, Conditions())
    others = [call for call in anything.among(calls) if call.method.upper() != hdrs.METH_GET]
    so = ""
    if wanted.made(calls):
        others = [call for call in others if (wanted.kwargs or wanted.conditions) and wanted.is_fulfilled(call)]
        so = " like that"
    methods = list(dict.fromkeys(call.method.upper() for call in others))
    if not methods:
        return ""
    return (
        f"It was called{so} with {' and '.join(methods)}; GET is the default of method, so pass "
        f"{' or '.join(f'method={method!r}' for method in methods)}."
    )


def _difference_of_arguments(expected: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    import unittest  # Imported when needed: it takes longer to import than this whole package.

    case = unittest.TestCase()
    # Users have no test case here on which they could set this.
    case.maxDiff = None
    shown = difference(case, shown_arguments(expected, found), shown_arguments(found, expected, found=True))
    return shortened(shown, _MOST_DIFFERENCE)


class WantedCall:
    """A call to look for: its method and URL, the keyword arguments that it must have, and conditions.

    `params` are part of the URL: it makes no difference whether the code under test passed them or wrote them there.
    With a pattern, which has no query, they are an argument like any other. A mock or a group instead of the URL stands
    for the requests that it answered, with any method unless one is given.
    """

    def __init__(self, url: UrlOrMock, method: str, kwargs: Mapping[str, Any]) -> None:
        self.conditions = Conditions(kwargs)
        self.given = {name: value for name, value in kwargs.items() if name not in CONDITIONS}
        self.is_by_default = isinstance(method, Default)
        """Whether no method was given; with a URL, that means GET."""
        if isinstance(url, Answering):
            target = Target.of(None if self.is_by_default else method, None)
            self.selection = Selection(target, url, Conditions())
        else:
            method = hdrs.METH_GET if self.is_by_default else method
            self.selection = Selection(_target(url, method, kwargs), None, Conditions())
        self.kwargs = self.compared(self.given)

    def compared(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the keyword arguments that are compared."""
        is_argument = not isinstance(self.selection.target.url, (URL, Template))
        return {name: value for name, value in kwargs.items() if name != "params" or is_argument}

    @classmethod
    def of(cls, call: Any) -> WantedCall:
        """Make one from a `unittest.mock.call(url, method="GET", …)`."""
        expected = f"calls: expected unittest.mock.call(url, method=…, …), got {shown(call)}"
        # The first element is the name after a dot, as in call.post(…).
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
        shown_ones = [f"{name}={shown(value, most=None)}" for name, value in arguments]
        return shortened(", ".join(part for part in [str(self.selection), *shown_ones, str(self.conditions)] if part))

    def made(self, calls: Sequence[RequestCall]) -> list[RequestCall]:
        """Return the calls of this method and URL."""
        return self.selection.among(calls)

    def unmet(self, call: RequestCall) -> str | None:
        """Return why a call of this method and URL does not fulfil the conditions; None if it does."""
        return self.conditions.unmet(call, self, "the assertion about")

    def nearly(self, calls: Sequence[RequestCall]) -> list[tuple[RequestCall, str]]:
        """Return the calls of this method and URL that do not fulfil a condition, each with the reason."""
        made = self.made(calls) if self.conditions else []
        return [(call, why) for call in made if (why := self.unmet(call)) is not None]

    def fits(self, call: RequestCall) -> bool:
        return self.selection.fits(call) and self.is_fulfilled(call)

    def is_fulfilled(self, call: RequestCall) -> bool:
        """Tell whether a call of this method and URL has the arguments, and fulfils the conditions."""
        has_arguments = all(
            equals(value, call.kwargs[name]) if name in call.kwargs else may_be_absent(value)
            for name, value in self.kwargs.items()
        )
        return has_arguments and self.unmet(call) is None


def _target(url: Url, method: str, kwargs: Mapping[str, Any]) -> Target:
    checked = check_url(url)
    params = kwargs.get("params")
    try:
        merged = merge_params(checked, params) if isinstance(checked, URL) else checked
        if isinstance(merged, Template):
            merged = merged.merged(params)
    except (TypeError, ValueError) as error:
        raise same_kind(
            error,
            f"params: expected what can be sent in a query, got {shown(params)}: {error}; for ANY and other matchers, "
            "use match_query",
        ) from error
    target = Target.of(method, merged if isinstance(merged, (URL, Template)) else url)
    return target if kwargs.get("match_query") is None else target.with_any_query()


def _call(url: UrlOrMock, method: str = default(hdrs.METH_GET), **kwargs: Any) -> None:
    """Define the signature of a `unittest.mock.call` that is accepted here."""
