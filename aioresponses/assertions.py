"""What a test case can assert of the calls that were made.

The mixins go with any `unittest.TestCase` that has an `aioresponses` at `self.mock`; `AioResponsesTestCase` has all of
them. A failure says what was expected and what happened, shows the difference where there are two values, and lists
the calls.

An assertion looks at `self.mock.calls`: one for each call of the code under test. Where it takes `url` and `method`,
they are compared as those of a mock are: text, a `yarl.URL` or a pattern, queries in any order, fragments left aside;
None stands for any. The requests that a redirect leads to are `hops` of a call, not calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, Union

from multidict import MultiMapping
from yarl import URL

from .calls import RequestCall
from .core import aioresponses, difference
from .diagnosis import hidden, listed, shortened, told_unmatched, told_unused
from .matching import Target
from .wire import Part

__all__ = ["BodyAssertionsMixin", "CallCountAssertionsMixin", "CallOrderAssertionsMixin"]

# unittest leaves the frames of such modules out of the tracebacks of failed assertions.
__unittest = True

Url = Union[str, URL, "re.Pattern[str]"]
Expectation = Union[Url, "tuple[str | None, Url | None]"]
_T = TypeVar("_T")

if TYPE_CHECKING:
    # The mixins call methods of the test case that they are mixed into.
    from unittest import TestCase as _TestCase
else:
    _TestCase = object


class _CallAssertions(_TestCase):
    """What the mixins share: finding calls, and failing in the same form."""

    mock: aioresponses

    def _target(self, url: object, method: object, msg: str | None) -> Target:
        try:
            return Target.of(method, url)
        except (TypeError, ValueError) as error:
            wrong = f"This assertion was called wrongly: {error}"
        self.fail(self._formatMessage(msg, wrong))

    def _expectation(self, expected: object, msg: str | None) -> Target:
        if not isinstance(expected, tuple):
            return self._target(expected, None, msg)
        if len(expected) != 2:
            self._wrongly(f"expected a URL or a pair of method and URL, got {expected!r}", msg)
        method, url = expected
        return self._target(url, method, msg)

    def _expectations(self, expected: object, msg: str | None) -> list[Target]:
        if isinstance(expected, Iterable) and not isinstance(expected, (str, bytes)):
            return [self._expectation(one, msg) for one in expected]
        self._wrongly(f"expected a list of URLs, or of pairs of method and URL, got {expected!r}", msg)

    def _count(self, name: str, value: object, least: int, msg: str | None) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            self._wrongly(f"{name}: expected an int of at least {least}, got {value!r}", msg)

    def _calls_of(self, target: Target) -> list[RequestCall]:
        return [call for call in self.mock.calls if _fits(target, call)]

    def _wrongly(self, what: str, msg: str | None) -> NoReturn:
        self.fail(self._formatMessage(msg, f"This assertion was called wrongly: {what}"))

    def _fail_with_calls(self, headline: str, msg: str | None, detail: str = "") -> NoReturn:
        parts = [headline, detail, listed(self.mock.calls)]
        self.fail(self._formatMessage(msg, "\n".join(part for part in parts if part)))


def _fits(target: Target, call: RequestCall) -> bool:
    return target.fits(call.key[0].upper(), call.key[1].with_fragment(None))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _was_called(count: int) -> str:
    return f"it was called {_times(count)}" if count else "it was never called"


class CallCountAssertionsMixin(_CallAssertions):
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
        self._check_count(url, method, lambda made: made == count, f"to be called {_times(count)}", msg)

    def assertCalled(self, url: Url | None = None, method: str | None = None, msg: str | None = None) -> None:
        """Fail unless at least one call was made, of this URL and method.

        >>> self.assertCalled("http://example.com/users")
        """
        self._check_count(url, method, lambda made: made > 0, "to be called", msg)

    def assertCalledOnce(self, url: Url | None = None, method: str | None = None, msg: str | None = None) -> None:
        """Fail unless exactly one call was made, of this URL and method.

        >>> self.assertCalledOnce(re.compile("http://example.com/users/"), "DELETE")
        """
        self._check_count(url, method, lambda made: made == 1, "to be called once", msg)

    def assertNotCalled(self, url: Url | None = None, method: str | None = None, msg: str | None = None) -> None:
        """Fail if a call was made, of this URL and method.

        >>> self.assertNotCalled(method="DELETE")
        """
        self._check_count(url, method, lambda made: made == 0, "not to be called", msg)

    def assertCalledAtLeast(
        self, count: int, url: Url | None = None, method: str | None = None, msg: str | None = None
    ) -> None:
        """Fail unless `count` calls or more were made, of this URL and method.

        >>> self.assertCalledAtLeast(2, "http://example.com/users")
        """
        self._count("count", count, 0, msg)
        self._check_count(url, method, lambda made: made >= count, f"to be called at least {_times(count)}", msg)

    def assertCalledAtMost(
        self, count: int, url: Url | None = None, method: str | None = None, msg: str | None = None
    ) -> None:
        """Fail unless `count` calls or fewer were made, of this URL and method.

        >>> self.assertCalledAtMost(3)
        """
        self._count("count", count, 0, msg)
        self._check_count(url, method, lambda made: made <= count, f"to be called at most {_times(count)}", msg)

    def assertAllMocksCalled(self, msg: str | None = None) -> None:
        """Fail if a registered mock was never used; those registered with `optional=True` need not be.

        >>> self.assertAllMocksCalled()
        """
        unused = self.mock.unused_mocks
        if unused:
            self._fail_with_calls(told_unused(unused), msg)

    def assertNoUnmatchedCalls(self, msg: str | None = None) -> None:
        """Fail if something was asked for that no mock answered, even if the code under test went on from there.

        Calls that were passed through to the network count as answered.

        >>> self.assertNoUnmatchedCalls()
        """
        unmatched = self.mock.unmatched_calls
        if unmatched:
            self._fail_with_calls(told_unmatched(unmatched), msg)

    def _check_count(
        self, url: Url | None, method: str | None, holds: Callable[[int], bool], expected: str, msg: str | None
    ) -> None:
        target = self._target(url, method, msg)
        made = len(self._calls_of(target))
        if not holds(made):
            self._fail_with_calls(f"Expected {target} {expected}, but {_was_called(made)}.", msg)


class CallOrderAssertionsMixin(_CallAssertions):
    """Assertions about the order of calls, and how many were on their way at once.

    An expectation is a URL (any method), or a pair of method and URL. Calls are in the order in which they began. Each
    assertion raises `failureException` where it does not hold, with `msg` behind its own message.
    """

    def assertCallOrder(self, expected: Iterable[Expectation], msg: str | None = None) -> None:
        """Fail unless these calls were made in this order; others may stand between them.

        >>> self.assertCallOrder([("POST", "http://example.com/login"), "http://example.com/users"])
        """
        calls = enumerate(self.mock.calls, 1)
        targets = self._expectations(expected, msg)
        after = "at all"
        for place, target in enumerate(targets, 1):
            found = next((number for number, call in calls if _fits(target, call)), None)
            if found is None:
                self._fail_with_calls(
                    f"Expected these calls in this order, but number {place}, {target}, was not made {after}:",
                    msg,
                    "\n".join(f"  {one}" for one in targets),
                )
            after = f"after call {found}"

    def assertCallsEqual(self, expected: Iterable[Expectation], msg: str | None = None) -> None:
        """Fail unless these calls and no others were made, in this order.

        >>> self.assertCallsEqual([("POST", "http://example.com/login"), ("GET", "http://example.com/users")])
        """
        targets = self._expectations(expected, msg)
        calls = self.mock.calls
        if len(targets) == len(calls) and all(map(_fits, targets, calls)):
            return
        # An expectation that fits the call in its place is shown as that call, so that only the others differ.
        made = [f"{call.method.upper()} {call.url}" for call in calls]
        shown = [
            made[place] if place < len(calls) and _fits(target, calls[place]) else str(target)
            for place, target in enumerate(targets)
        ]
        self._fail_with_calls(
            f"Expected just these {len(targets)} calls, but there were {len(calls)} (- expected, + made):"
            if len(targets) != len(calls)
            else "Expected other calls than were made (- expected, + made):",
            msg,
            difference(self, shown, made),
        )

    def assertCalledBefore(self, first: Expectation, second: Expectation, msg: str | None = None) -> None:
        """Fail unless every call of `first` had ended before any call of `second` began; both must have been made.

        >>> self.assertCalledBefore(("PUT", "http://example.com/lock"), ("DELETE", "http://example.com/lock"))
        """
        one, other = self._expectation(first, msg), self._expectation(second, msg)
        for target in (one, other):
            if not self._calls_of(target):
                self._fail_with_calls(
                    f"Expected {one} to be called before {other}, but {target} was never called.", msg
                )
        calls = self.mock.calls
        last = max(self._calls_of(one), key=lambda call: float("inf") if call.ended is None else call.ended)
        early = min(self._calls_of(other), key=lambda call: call.started)
        if last.ended is None or last.ended > early.started:
            self._fail_with_calls(
                f"Expected every call of {one} to have ended before {other} was called, "
                f"but call {_place(calls, early)} began before call {_place(calls, last)} had ended.",
                msg,
            )

    def assertMaxConcurrency(
        self, limit: int, url: Url | None = None, method: str | None = None, msg: str | None = None
    ) -> None:
        """Fail if more than `limit` calls, of this URL and method, were on their way at once.

        A call is on its way until the session's method returns or raises. A mock that answers without waiting is done
        in one step; to see calls overlap, have a callback wait.

        >>> self.assertMaxConcurrency(5, "http://example.com/pages")
        """
        self._count("limit", limit, 0, msg)
        target = self._target(url, method, msg)
        most = _most_at_once(self._calls_of(target))
        if most > limit:
            self._fail_with_calls(
                f"Expected at most {limit} calls of {target} on their way at once, but there were {most}.", msg
            )

    def assertConcurrent(
        self, url: Url | None = None, method: str | None = None, at_least: int = 2, msg: str | None = None
    ) -> None:
        """Fail unless at some time `at_least` calls, of this URL and method, were on their way at once.

        >>> self.assertConcurrent("http://example.com/pages", at_least=3)
        """
        self._count("at_least", at_least, 1, msg)
        target = self._target(url, method, msg)
        most = _most_at_once(self._calls_of(target))
        if most < at_least:
            self._fail_with_calls(
                f"Expected at least {at_least} calls of {target} on their way at once, but there were {most}.", msg
            )


def _place(calls: Sequence[RequestCall], wanted: RequestCall) -> int:
    return next(number for number, call in enumerate(calls, 1) if call is wanted)


def _most_at_once(calls: Iterable[RequestCall]) -> int:
    # At the same moment, what ends goes before what begins: such calls did not overlap.
    moments = []
    for call in calls:
        moments.append((call.started, 1))
        if call.ended is not None:
            moments.append((call.ended, -1))
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most


class BodyAssertionsMixin(_CallAssertions):
    """Assertions about what was sent.

    Each looks at the last call of this URL and method, or at number `index` of them, counted from 0 or, if negative,
    from the end. Values are compared with `==`, so `unittest.mock.ANY` and objects with an `__eq__` of their own may
    stand anywhere in what is expected. Each raises `failureException` where it does not hold, with `msg` behind its
    own message.
    """

    def assertJsonBody(
        self, expected: Any, url: Url | None = None, method: str | None = None, index: int = -1, msg: str | None = None
    ) -> None:
        """Fail unless the body, decoded from JSON, equals `expected`.

        >>> self.assertJsonBody({"name": "Ada", "id": ANY}, "http://example.com/users", "POST")
        """
        call = self._call(url, method, index, msg)
        self._check_equal("JSON body", call, expected, self._read(call, RequestCall.json, msg), msg)

    def assertJsonBodyContains(
        self, expected: Any, url: Url | None = None, method: str | None = None, index: int = -1, msg: str | None = None
    ) -> None:
        """Fail unless everything in `expected` is in the body, decoded from JSON.

        Of a mapping, each key with its value must be there; of a list, each element, in any order. Both may be nested,
        and more may be there.

        >>> self.assertJsonBodyContains({"user": {"name": "Ada"}, "roles": ["admin"]})
        """
        call = self._call(url, method, index, msg)
        missing = list(_missing(expected, self._read(call, RequestCall.json, msg), ""))
        if missing:
            self._fail_with_calls(
                f"Expected more of the JSON body of {self._named(call)}:",
                msg,
                "\n".join(f"  {line}" for line in missing[:10])
                + (f"\n  … and {len(missing) - 10} more" if len(missing) > 10 else ""),
            )

    def assertFormBody(
        self,
        expected: Mapping[str, Any] | Iterable[tuple[str, Any]],
        url: Url | None = None,
        method: str | None = None,
        index: int = -1,
        msg: str | None = None,
    ) -> None:
        """Fail unless the fields of the urlencoded body equal `expected`.

        A mapping gives each name its value, or a list of them where it was sent more than once; pairs give all fields
        in their order. Values are text.

        >>> self.assertFormBody({"name": "Ada", "role": ["admin", "author"]})
        """
        call = self._call(url, method, index, msg)
        form = self._read(call, RequestCall.form, msg)
        if isinstance(expected, Mapping):
            self._check_equal("form", call, _by_name(expected), _by_name(form), msg)
        else:
            self._check_equal("form", call, self._pairs(expected, msg), list(form.items()), msg)

    def assertMultipartBody(
        self,
        expected: Mapping[str, Any] | Iterable[tuple[str, Any]],
        url: Url | None = None,
        method: str | None = None,
        index: int = -1,
        msg: str | None = None,
    ) -> None:
        """Fail unless the parts of the multipart body equal `expected`: a mapping, or pairs, of name and part.

        A part is given as its content, bytes or text; as a `Part`; or as a mapping of those of its attributes
        (`filename`, `headers`, `content`) that are to be compared.

        >>> self.assertMultipartBody({"title": "Report", "file": {"filename": "a.txt", "content": b"..."}})
        """
        call = self._call(url, method, index, msg)
        parts = self._read(call, RequestCall.multipart, msg)
        wanted = self._pairs(expected, msg)
        # Of a mapping the order says nothing: the parts are shown in the order in which they were sent.
        if isinstance(expected, Mapping):
            names = [part.name for part in parts]
            wanted.sort(key=lambda pair: names.index(pair[0]) if pair[0] in names else len(names))
        sent = [
            (part.name, _as_given(part, wanted[place][1] if place < len(wanted) else None))
            for place, part in enumerate(parts)
        ]
        self._check_equal("multipart body", call, wanted, sent, msg)

    def assertTextBody(
        self, expected: Any, url: Url | None = None, method: str | None = None, index: int = -1, msg: str | None = None
    ) -> None:
        """Fail unless the body, as text, equals `expected`.

        >>> self.assertTextBody("hello", "http://example.com/greeting", "PUT")
        """
        call = self._call(url, method, index, msg)
        self._check_equal("body", call, expected, self._read(call, RequestCall.text, msg), msg)

    def assertBody(
        self, expected: Any, url: Url | None = None, method: str | None = None, index: int = -1, msg: str | None = None
    ) -> None:
        """Fail unless the body, after transfer and content decoding, equals these bytes.

        >>> self.assertBody(bytes(8), method="PUT")
        """
        call = self._call(url, method, index, msg)
        self._check_equal("body", call, expected, call.body, msg)

    def assertEmptyBody(
        self, url: Url | None = None, method: str | None = None, index: int = -1, msg: str | None = None
    ) -> None:
        """Fail if there was a body.

        >>> self.assertEmptyBody("http://example.com/users/7", "DELETE")
        """
        call = self._call(url, method, index, msg)
        if call.body:
            self._fail_with_calls(
                f"Expected no body of {self._named(call)}, but it had {len(call.body)} bytes: "
                f"{shortened(repr(call.body))}",
                msg,
            )

    def assertRequestHeaders(
        self,
        expected: Mapping[str, Any] | Iterable[tuple[str, Any]],
        url: Url | None = None,
        method: str | None = None,
        index: int = -1,
        msg: str | None = None,
    ) -> None:
        """Fail unless these are among the headers that were really sent; names are case-insensitive.

        A header that was sent more than once must have the value among its values, or equal a list of all of them.
        Secrets are not shown: values of `Authorization`, `Proxy-Authorization` and `Cookie`.

        >>> self.assertRequestHeaders({"Accept": "application/json"}, "http://example.com/users")
        """
        call = self._call(url, method, index, msg)
        self._check_among("headers", call, expected, call.headers, msg)

    def assertQuery(
        self,
        expected: Mapping[str, Any] | Iterable[tuple[str, Any]],
        url: Url | None = None,
        method: str | None = None,
        index: int = -1,
        msg: str | None = None,
    ) -> None:
        """Fail unless these are among the query parameters that were sent.

        A parameter that was sent more than once must have the value among its values, or equal a list of all of them.
        Values are text, and names are case-sensitive, as they are to servers. For this assertion `url` is compared
        without its query, unless it has one.

        >>> self.assertQuery({"page": "2"}, "http://example.com/users")
        """
        call = self._call(url, method, index, msg, any_query=True)
        self._check_among("query", call, expected, call.query, msg)

    def _call(
        self, url: object, method: object, index: object, msg: str | None, any_query: bool = False
    ) -> RequestCall:
        target = self._target(url, method, msg)
        if isinstance(index, bool) or not isinstance(index, int):
            self._wrongly(f"index: expected an int, got {index!r}", msg)
        if any_query and isinstance(target.url, URL) and not target.url.raw_query_string:
            bare = target.url
            calls = [
                call
                for call in self._calls_of(target._replace(url=None))
                if call.key[1].with_query(None).with_fragment(None) == bare
            ]
        else:
            calls = self._calls_of(target)
        if not calls:
            self._fail_with_calls(f"Expected {target} to be called, but it was never called.", msg)
        if not -len(calls) <= index < len(calls):
            self._fail_with_calls(
                f"Expected a call of {target} with index {index}, but {_was_called(len(calls))}.", msg
            )
        return calls[index]

    def _pairs(self, expected: object, msg: str | None) -> list[tuple[Any, Any]]:
        """Return what is expected as pairs of name and value."""
        pairs = expected.items() if isinstance(expected, Mapping) else expected
        if not isinstance(pairs, Iterable) or isinstance(pairs, (str, bytes)):
            self._wrongly(f"expected a mapping, or pairs of name and value, got {expected!r}", msg)
        listed_pairs = [tuple(pair) if isinstance(pair, (tuple, list)) else (pair,) for pair in pairs]
        for pair in listed_pairs:
            if len(pair) != 2:
                self._wrongly(f"expected a mapping, or pairs of name and value, got {expected!r}", msg)
        return [(pair[0], pair[1]) for pair in listed_pairs]

    def _read(self, call: RequestCall, read: Callable[[RequestCall], _T], msg: str | None) -> _T:
        try:
            return read(call)
        except ValueError as error:
            wrong = f"{error}"
        self.fail(self._formatMessage(msg, f"{wrong[0].upper()}{wrong[1:]}\n{listed(self.mock.calls)}"))

    def _named(self, call: RequestCall) -> str:
        return f"call {_place(self.mock.calls, call)}, {call}"

    def _check_equal(self, what: str, call: RequestCall, expected: Any, sent: Any, msg: str | None) -> None:
        # Expected first: its values decide what equals them.
        if not expected == sent:
            self._fail_with_calls(
                f"Expected another {what} of {self._named(call)} (- expected, + sent):",
                msg,
                difference(self, expected, sent),
            )

    def _check_among(
        self, what: str, call: RequestCall, expected: object, sent: MultiMapping[str], msg: str | None
    ) -> None:
        pairs = self._pairs(expected, msg)
        lines = []
        for name, value in pairs:
            values = sent.getall(name, []) if isinstance(name, str) else []
            if value in values or isinstance(value, list) and value == values:
                continue
            shown = hidden(str(name), value, None)
            if not values:
                lines.append(f"  {name}: expected {shown!r}, but it was not sent")
            else:
                was = values[0] if len(values) == 1 else values
                lines.append(f"  {name}: expected {shown!r}, but sent was {hidden(str(name), was, value)!r}")
        if lines:
            self._fail_with_calls(f"Expected other {what} of {self._named(call)}:", msg, "\n".join(lines))


def _by_name(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields by name: the value of each, or a list of them where it has several."""
    if not isinstance(fields, MultiMapping):
        return dict(fields)
    return {
        name: values[0] if len(values) == 1 else values
        for name, values in ((name, fields.getall(name)) for name in dict.fromkeys(fields))
    }


def _as_given(part: Part, expected: object) -> object:
    """Return a part in the form in which one is expected."""
    if isinstance(expected, Part):
        return part
    if isinstance(expected, Mapping):
        return {name: getattr(part, name) for name in expected if name in Part._fields}
    if isinstance(expected, str):
        return part.content.decode("utf-8", "replace")
    return part.content


def _missing(expected: Any, sent: Any, where: str) -> Iterable[str]:
    """Yield what is in `expected` and not in `sent`, a line each."""
    at = f"at {where.lstrip('.')}: " if where else ""
    if isinstance(expected, Mapping) and isinstance(sent, Mapping):
        for key, value in expected.items():
            if key in sent:
                yield from _missing(value, sent[key], f"{where}.{key}")
            else:
                yield f"at {f'{where}.{key}'.lstrip('.')}: expected {shortened(repr(value))}, but it was not sent"
    elif isinstance(expected, list) and isinstance(sent, list):
        left = list(sent)
        for position, value in enumerate(expected):
            found = next((number for number, one in enumerate(left) if not any(_missing(value, one, ""))), None)
            if found is None:
                yield f"{at}expected {shortened(repr(value))} in it, but sent was {shortened(repr(sent))}"
            else:
                del left[found]
    elif not expected == sent:
        yield f"{at}expected {shortened(repr(expected))}, but sent was {shortened(repr(sent))}"
