"""What a test case can assert about the bodies, headers and queries that were sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from multidict import CIMultiDict, MultiMapping

from .._absent import ABSENT
from .._calls.record import RequestCall
from .._display import cut, hidden, shown
from .._matching.requirements import (
    as_text,
    by_name,
    checked_query,
    file_of,
    form_of,
    not_among,
    sorted_values,
)
from ..matchers import (
    Difference,
    FilePart,
    as_asked,
    asked_of,
    beside,
    differences,
    equals,
    may_be_absent,
    settled,
    subset,
)
from .base import CallAssertions
from .reports import difference, place_of, there_were, to

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._calls.multipart import Part
    from .._matching.conditions import ConditionArguments
    from .._matching.selection import UrlOrMock

    _T = TypeVar("_T")

# unittest leaves the frames of such modules out of the tracebacks of failed assertions.
__unittest = True

# How many differences are listed, and what unittest says if it shows none.
_MOST = 10

_OMITTED = "Set self.maxDiff to None to see it."

_HEADERS = "Headers"


class BodyAssertionsMixin(CallAssertions):
    """Assertions about what was sent.

    Each looks at the last call of this URL and method, or at number `index` of them, counted from 0 or, if negative,
    from the end. Instead of a URL, each accepts a mock or a group, for the requests that it answered. Each accepts the
    conditions of mocks, such as `match_headers`, by keyword, and then looks only at the calls that fulfil them.

    Values are compared with `==`, so `unittest.mock.ANY` and objects with their own `__eq__` can be anywhere in the
    expected value. Each raises `failureException` if it does not hold, with `msg` after its own message.
    """

    def assertJsonBody(
        self,
        expected: Any,
        url: UrlOrMock | None = None,
        method: str | None = None,
        index: int = -1,
        msg: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail unless the body, decoded from JSON, equals `expected`.

        >>> self.assertJsonBody({"name": "Ada", "id": ANY}, "http://example.com/users", "POST")
        """
        call = self._call(url, method, index, conditions, msg)
        self._check_equal("JSON body", call, expected, self._read("JSON body", call, RequestCall.json, msg), msg)

    def assertJsonBodyContains(
        self,
        expected: Any,
        url: UrlOrMock | None = None,
        method: str | None = None,
        index: int = -1,
        msg: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail unless everything in `expected` is in the body, decoded from JSON.

        For a mapping, each key with its value must be there; for a list, each element, in any order. Both may be
        nested, and more may be there.

        >>> self.assertJsonBodyContains({"user": {"name": "Ada"}, "roles": ["admin"]})
        """
        self._check_expected(expected, msg)
        call = self._call(url, method, index, conditions, msg)
        sent = self._read("JSON body", call, RequestCall.json, msg)
        missing = _listed(differences(expected, sent, partly=True))
        if missing:
            self._fail_with_calls(f"JSON body of {self._numbered(call)} does not contain:", msg, "\n".join(missing))

    def assertFormBody(
        self,
        expected: Mapping[str, Any] | Iterable[tuple[str, Any]],
        url: UrlOrMock | None = None,
        method: str | None = None,
        index: int = -1,
        msg: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail unless the fields of the URL-encoded body equal `expected`.

        A mapping has a value for each name, or a list of values if the name was sent more than once; pairs give all
        fields in their order. Values are text; a number stands for its text.

        >>> self.assertFormBody({"name": "Ada", "role": ["admin", "author"]})
        """
        call = self._call(url, method, index, conditions, msg)
        form = self._read("Form", call, RequestCall.form, msg)
        if isinstance(expected, Mapping) or _decides(expected):
            self._check_equal("Form", call, as_text(by_name(expected)), by_name(form), msg)
        elif not cast(object, expected) == by_name(form):
            pairs = [
                (name, as_text(value))
                for name, value in self._pairs(expected, msg)
                if name in form or not may_be_absent(value)
            ]
            self._check_equal("Form", call, pairs, list(form.items()), msg)

    def assertMultipartBody(
        self,
        expected: Mapping[str, Any] | Iterable[tuple[str, Any]],
        url: UrlOrMock | None = None,
        method: str | None = None,
        index: int = -1,
        msg: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail unless the parts of the multipart body equal `expected`: a mapping, or pairs, of name and part.

        A mapping has a part for each name, or a list of parts if the name was sent more than once. A part is given as
        its content, bytes or text; as a `Part` or a `FilePart`; or as a mapping of the attributes to compare
        (`filename`, `headers`, `content`).

        >>> self.assertMultipartBody({"title": "Report", "file": {"filename": "a.txt", "content": b"..."}})
        """
        call = self._call(url, method, index, conditions, msg)
        parts = self._read("Multipart body", call, RequestCall.multipart, msg)
        if _decides(expected):
            self._check_equal("Multipart body", call, expected, form_of(call), msg)
            return
        names = [part.name for part in parts]
        wanted = [
            (name, self._part(part, msg))
            for name, value in self._pairs(expected, msg)
            for part in (value if isinstance(expected, Mapping) and isinstance(value, list) else [value])
            if name in names or not may_be_absent(part)
        ]
        # The order of a mapping does not matter: the parts are shown in the order in which they were sent.
        if isinstance(expected, Mapping):
            places = {name: iter([place for place, own in enumerate(names) if own == name]) for name in names}
            wanted.sort(key=lambda pair: next(places.get(pair[0], iter(())), len(names)))
        forms = {name: iter([part for own, part in wanted if own == name]) for name in names}
        sent = [(part.name, _as_given(part, next(forms[part.name], None))) for part in parts]
        self._check_equal("Multipart body", call, wanted, sent, msg)

    def assertTextBody(
        self,
        expected: Any,
        url: UrlOrMock | None = None,
        method: str | None = None,
        index: int = -1,
        msg: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail unless the body, as text, equals `expected`.

        >>> self.assertTextBody("hello", "http://example.com/greeting", "PUT")
        """
        call = self._call(url, method, index, conditions, msg)
        self._check_equal("Body", call, expected, self._read("Body", call, RequestCall.text, msg), msg)

    def assertBody(
        self,
        expected: Any,
        url: UrlOrMock | None = None,
        method: str | None = None,
        index: int = -1,
        msg: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail unless the body, after transfer and content decoding, equals these bytes.

        >>> self.assertBody(bytes(8), method="PUT")
        """
        call = self._call(url, method, index, conditions, msg)
        self._check_equal("Body", call, expected, call.body, msg)

    def assertEmptyBody(
        self,
        url: UrlOrMock | None = None,
        method: str | None = None,
        index: int = -1,
        msg: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail if there was a body.

        >>> self.assertEmptyBody("http://example.com/users/7", "DELETE")
        """
        call = self._call(url, method, index, conditions, msg)
        if call.body:
            size = "1 byte" if len(call.body) == 1 else f"{len(call.body)} bytes"
            self._fail_with_calls(
                f"Expected {self._numbered(call)} to have no body, but got {size}: {shown(call.body)}", msg
            )

    def assertRequestHeaders(
        self,
        expected: Mapping[str, Any] | Iterable[tuple[str, Any]],
        url: UrlOrMock | None = None,
        method: str | None = None,
        index: int = -1,
        msg: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail unless these are among the headers that were sent; names are case-insensitive.

        If a header was sent more than once, the expected value must be one of its values, or a list of all of them; a
        number stands for its text. The message does not show secrets, such as values of `Authorization`, `Cookie`,
        `X-Api-Key` and of headers that end in `-Token` or `-Secret`, but how they differ.

        >>> self.assertRequestHeaders({"Accept": "application/json"}, "http://example.com/users")
        """
        call = self._call(url, method, index, conditions, msg)
        self._check_among(_HEADERS, call, expected, call.headers, msg)

    def assertQuery(
        self,
        expected: Mapping[str, Any] | Iterable[tuple[str, Any]],
        url: UrlOrMock | None = None,
        method: str | None = None,
        index: int = -1,
        msg: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail unless these are among the query parameters that were sent.

        If a parameter was sent more than once, the expected value must be one of its values, or a list of all of them.
        Values are text, and a number stands for its text; names are case-sensitive, as for servers. For this assertion
        `url` is compared without its query, unless it has one.

        >>> self.assertQuery({"page": "2"}, "http://example.com/users")
        """
        call = self._call(url, method, index, conditions, msg, any_query=True)
        self._check_among("Query", call, expected, call.query, msg)

    def assertQueryEqual(
        self,
        expected: Mapping[str, Any] | Iterable[tuple[str, Any]] | str,
        url: UrlOrMock | None = None,
        method: str | None = None,
        index: int = -1,
        msg: str | None = None,
        **conditions: Unpack[ConditionArguments],
    ) -> None:
        """Fail unless the query parameters that were sent equal `expected`: these and no others.

        `expected` is a mapping, pairs or text, as for `match_query`. The order of parameters does not matter. For
        values, and for `url`, see `assertQuery`.

        >>> self.assertQueryEqual({"page": "2", "tag": ["a", "b"]}, "http://example.com/users")
        """
        call = self._call(url, method, index, conditions, msg, any_query=True)
        try:
            is_fields = isinstance(expected, (str, Mapping)) or _decides(expected)
            wanted = checked_query(expected if is_fields else self._pairs(expected, msg), "expected")
        except (TypeError, ValueError) as error:
            self._wrongly(str(error), msg)
        # The order of the values of one name does not matter, as in the URLs of mocks.
        self._check_equal("Query", call, sorted_values(as_text(wanted)), sorted_values(by_name(call.query)), msg)

    def _call(
        self,
        url: object,
        method: object,
        index: object,
        conditions: Mapping[str, Any],
        msg: str | None,
        any_query: bool = False,
    ) -> RequestCall:
        selection = self._selection(url, method, conditions, msg, any_query)
        if isinstance(index, bool) or not isinstance(index, int):
            self._wrongly(f"index: expected an int, got {shown(index)}", msg)
        calls = self._calls_of(selection)
        if not -len(calls) <= index < 0:
            self._check_kept(msg, selection)
        if not -len(calls) <= index < len(calls):
            which = f" at index {index}" if calls else ""
            self._fail_with_calls(
                f"Expected a call{to(selection)}{which}, but {there_were(len(calls))}.", msg, self._nearly(selection)
            )
        return calls[index]

    def _check_expected(self, expected: object, msg: str | None) -> None:
        if expected is ABSENT:
            self._wrongly("expected: ABSENT cannot stand for the whole value; use it for a value in a dict", msg)

    def _pairs(self, expected: object, msg: str | None) -> list[tuple[Any, Any]]:
        """Return what is expected as pairs of name and value."""
        pairs = expected.items() if isinstance(expected, Mapping) else expected
        if not isinstance(pairs, Iterable) or isinstance(pairs, (str, bytes)):
            self._wrongly(f"expected a mapping, or pairs of name and value, got {shown(expected)}", msg)
        listed_pairs: list[tuple[Any, ...]] = [
            tuple(pair) if isinstance(pair, (tuple, list)) else (pair,) for pair in pairs
        ]
        for pair in listed_pairs:
            if len(pair) != 2:
                self._wrongly(f"expected a mapping, or pairs of name and value, got {shown(expected)}", msg)
        return [(pair[0], pair[1]) for pair in listed_pairs]

    def _part(self, expected: Any, msg: str | None) -> Any:
        """Return an expected part, with bytes instead of text, and with case-insensitive header names."""
        if not isinstance(expected, Mapping):
            return expected
        from .._calls.multipart import Part  # Not before it is needed.

        for name in expected:
            if name not in Part._fields:
                self._wrongly(f"expected attributes of a part ({', '.join(Part._fields)}), got {shown(name)}", msg)
        part = dict(expected)
        if isinstance(part.get("headers"), Mapping):
            part["headers"] = CIMultiDict(part["headers"])
        if isinstance(part.get("content"), str):
            part["content"] = part["content"].encode()
        return part

    def _read(self, what: str, call: RequestCall, read: Callable[[RequestCall], _T], msg: str | None) -> _T:
        try:
            return read(call)
        except ValueError as error:
            wrong = " ".join(str(error).split())
        self._fail_with_calls(f"{what} of {self._numbered(call)} cannot be read: {wrong}", msg)

    def _numbered(self, call: RequestCall) -> str:
        return place_of(self.mock.calls, call)

    def _check_equal(self, what: str, call: RequestCall, expected: Any, sent: Any, msg: str | None) -> None:
        self._check_expected(expected, msg)
        if not equals(expected, sent):
            expected, sent = settled(expected, sent), as_asked(expected, sent)
            shown = difference(self, beside(expected, sent), sent) or difference(self, expected, sent)
            # If unittest leaves out how they differ, at least the places are listed.
            if shown.endswith(_OMITTED) and isinstance(expected, (Mapping, list, tuple, subset)):
                shown = "\n".join([shown, *_listed(differences(expected, sent))])
            differ = "differ" if what == _HEADERS else "differs"
            self._fail_with_calls(
                f"{what} of {self._numbered(call)} {differ} (- expected, + sent): {call}", msg, shown
            )

    def _check_among(
        self, what: str, call: RequestCall, expected: object, sent: MultiMapping[str], msg: str | None
    ) -> None:
        self._check_expected(expected, msg)
        # ANY, and other objects that define what equals them.
        if expected == by_name(sent):
            return
        if isinstance(expected, subset):  # Here it means the same as its mapping.
            expected = expected.expected
        elif _decides(expected):
            self._check_equal(what, call, expected, by_name(sent), msg)
        lines = []
        for name, value, was in not_among(sent, ((name, as_text(value)) for name, value in self._pairs(expected, msg))):
            wanted = "nothing" if value is ABSENT else shown(hidden(str(name), value, was))
            got = "it was not sent" if was is None else f"got {shown(hidden(str(name), was, value, found=True))}"
            lines.append(f"  {name}: expected {wanted}, but {got}")
        if lines:
            do = "do" if what == _HEADERS else "does"
            self._fail_with_calls(
                f"{what} of {self._numbered(call)} {do} not contain:", msg, "\n".join(cut(lines))
            )


def _decides(expected: object) -> bool:
    """Tell whether an expected value is an object that defines what equals it."""
    return not isinstance(expected, (Iterable, int, float, type(None)))


def _as_given(part: Part, expected: object) -> object:
    """Return a part in the form of the expected part."""
    if isinstance(expected, type(part)):
        return part
    if isinstance(expected, FilePart) or asked_of(expected):
        return file_of(part)
    if isinstance(expected, Mapping):
        given = {name: getattr(part, name) for name in expected}
        return {name: value for name, value in given.items() if value is not None or not may_be_absent(expected[name])}
    if isinstance(expected, str):
        return part.content.decode("utf-8", "replace")
    return part.content


def _listed(found: Iterable[Difference]) -> list[str]:
    """Return the first differences, a line each."""
    lines = [f"  {_described(difference)}" for difference in found]
    return lines if len(lines) <= _MOST else [*lines[:_MOST], f"  … and {len(lines) - _MOST} more"]


def _described(difference: Difference) -> str:
    at = f"at {difference.where}: " if difference.where else ""
    got = f"but got {shown(difference.found)}"
    if difference.expected is ABSENT:
        return f"{at}expected nothing, {got}"
    expected = f"{at}expected {shown(difference.expected)}"
    if difference.found is ABSENT:
        return f"{expected}, but it was not sent"
    return f"{expected}{' in the list' if difference.element else ''}, {got}"
