"""Objects that define what equals them, for conditions of mocks and for expected values of assertions.

Each can be a whole value or be anywhere within one, like `unittest.mock.ANY` and similar objects of other packages:

>>> mock.post("http://example.com/users", match_json={"name": regex("^A"), "role": one_of("author", "admin")})
>>> self.assertJsonBody(subset({"roles": unordered(["author", "admin"])}), "http://example.com/users", "POST")
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

from multidict import MultiDict

from ._absent import ABSENT
from ._display import shown

if TYPE_CHECKING:
    _Wanted = TypeVar("_Wanted")

    _Found = TypeVar("_Found")

__all__ = ["ABSENT", "FilePart", "one_of", "regex", "subset", "unordered"]

# How many characters of a value are shown.
_MOST = 200


class subset:
    """Equals a mapping or a list that contains everything in `expected`, however nested, and possibly more.

    For a mapping, each key with its value must be there; for a list, each element, in any order. All other values are
    compared with `==`. Raises `TypeError` if `expected` is neither a mapping nor a list.

    >>> subset({"user": {"id": 7}}) == {"user": {"id": 7, "name": "Ada"}, "page": 1}
    True
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, expected: Mapping[Any, Any] | Sequence[Any]) -> None:
        if not isinstance(expected, (Mapping, list, tuple)):
            raise TypeError(f"subset: expected a mapping or a list, got {shown(expected)}")
        for elements in _lists_in(expected):
            _check_elements("subset", elements)
        self.expected = expected

    def __eq__(self, other: object) -> bool:
        return not any(differences(self, other))

    def __repr__(self) -> str:
        return f"subset({shown(self.expected, most=None)})"


class regex:
    """Equals text or bytes in which `pattern` is found: text or bytes in the syntax of `re`, or a compiled pattern.

    `flags` are those of `re.compile`. `^` and `$` anchor the pattern. Raises `re.error` if the pattern is invalid, and
    `TypeError` for another type.

    >>> regex(r"^\\d{4}-\\d\\d$") == "2026-11"
    True
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, pattern: str | bytes | re.Pattern[str] | re.Pattern[bytes], flags: int = 0) -> None:
        if not isinstance(pattern, (str, bytes, re.Pattern)):
            raise TypeError(f"regex: expected text, bytes or a compiled pattern, got {shown(pattern)}")
        self.pattern: re.Pattern[Any] = re.compile(pattern, flags)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self.pattern.pattern)) and self.pattern.search(other) is not None

    def __repr__(self) -> str:
        flags = self.pattern.flags & ~re.compile(self.pattern.pattern).flags
        return f"regex({self.pattern.pattern!r}{f', {re.RegexFlag(flags)!r}' if flags else ''})"


class unordered:
    """Equals a list, or another sequence, of exactly these elements, in any order.

    >>> unordered(["author", "admin"]) == ["admin", "author"]
    True
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, expected: Iterable[Any]) -> None:
        if isinstance(expected, (str, bytes)) or not isinstance(expected, Iterable):
            raise TypeError(f"unordered: expected a list, got {shown(expected)}")
        self.expected = list(expected)
        _check_elements("unordered", self.expected)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sequence)
            and not isinstance(other, (str, bytes))
            and len(other) == len(self.expected)
            and not unpaired(self.expected, other, equals)
        )

    def __repr__(self) -> str:
        return f"unordered({shown(self.expected, most=None)})"


class one_of:
    """Equals whatever equals one of `choices`; if `ABSENT` is among them, the value may be missing.

    >>> one_of("author", "admin") == "admin"
    True
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, *choices: Any) -> None:
        if not choices:
            raise TypeError("one_of: expected at least one choice")
        self.choices = choices

    def __eq__(self, other: object) -> bool:
        return any(equals(choice, other) for choice in self.choices)

    def __repr__(self) -> str:
        return f"one_of({', '.join(shown(choice, most=None) for choice in self.choices)})"


class FilePart:
    """A file in a multipart form; attributes that are not given may have any value.

    - `filename`: the name of the file.
    - `content`: its content, bytes or text.
    - `content_type`: the `Content-Type` of the part.

    Each may be an object that defines what equals it, such as `regex`.

    >>> mock.post("http://example.com/reports", match_form={"file": FilePart(filename="a.csv", content="1,2")})
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, filename: Any = None, content: Any = None, content_type: Any = None) -> None:
        self.filename = filename
        self.content = content.encode() if isinstance(content, str) else content
        self.content_type = content_type

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FilePart) and not any(differences(self.given, other.given, partly=True))

    def __repr__(self) -> str:
        return f"FilePart({', '.join(f'{name}={shown(value, _MOST)}' for name, value in self.given.items())})"

    @property
    def given(self) -> dict[str, Any]:
        """The attributes that are given."""
        return {name: value for name, value in vars(self).items() if value is not None}


class Several(list[Any]):
    """The values of a name that was sent more than once."""

    def __eq__(self, other: object) -> bool:
        # Python asks an instance of the subclass first, but the expected value must decide.
        return bool(other == list(self))


class Difference:
    """One place where a value is not as expected."""

    def __init__(self, where: str, expected: Any, found: Any, element: bool = False) -> None:
        self.where = where
        """The path to it, such as `user.roles[0]`; "" for the value itself."""
        self.expected = expected
        self.found = found
        self.element = element
        """Whether `found` is a list in which `expected` should be."""

    def __str__(self) -> str:
        at = f"at {self.where}: " if self.where else ""
        if self.found is ABSENT:
            return f"{at}{shown(self.expected, _MOST)} is missing"
        if self.expected is ABSENT:
            return f"{at}unexpected {shown(self.found, _MOST)}"
        if self.element:
            return f"{at}{shown(self.expected, _MOST)} is not in {shown(self.found, _MOST)}"
        return f"{at}{shown(self.expected, _MOST)} != {shown(self.found, _MOST)}"


def _check_elements(name: str, elements: Iterable[Any]) -> None:
    if any(one is ABSENT for one in elements):
        raise TypeError(
            f"{name}: ABSENT stands for the value of a key, not for an element of a list, got {shown(elements)}"
        )


def _lists_in(value: object) -> Iterator[Sequence[Any]]:
    """Yield a list and all lists within it, or all lists within a mapping."""
    if _is_list(value):
        yield value
    for one in value.values() if isinstance(value, Mapping) else value if _is_list(value) else ():
        yield from _lists_in(one)


def may_be_absent(expected: object) -> bool:
    """Tell whether an expected value may be missing."""
    return expected is ABSENT or isinstance(expected, one_of) and any(map(may_be_absent, expected.choices))


def equals(expected: Any, found: Any) -> bool:
    """Tell whether `found` is as expected; `ABSENT` may be anywhere in `expected`."""
    # The expected value comes first, because it decides what equals it.
    return bool(settled(expected, found) == found)


def settled(expected: Any, found: Any) -> Any:
    """Return what is expected, without parts that may be missing and are; the same object if none is missing."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        missing = [name for name, value in expected.items() if may_be_absent(value) and name not in found]
        if isinstance(expected, MultiDict):
            present = expected.copy() if missing else expected
            for name in missing:
                present.popall(name, None)
            return present
        kept = {
            name: settled(value, found[name]) if name in found else value
            for name, value in expected.items()
            if name not in missing
        }
        return kept if missing or any(kept[name] is not value for name, value in expected.items()) else expected
    if type(expected) in (list, tuple) and _is_list(found):
        elements = [settled(one, found[place]) for place, one in enumerate(expected[:len(found)])]
        elements += [one for one in expected[len(found):] if not may_be_absent(one)]
        is_same = len(elements) == len(expected) and all(map(lambda one, other: one is other, elements, expected))
        return expected if is_same else tuple(elements) if isinstance(expected, tuple) else elements
    return expected


def as_asked(expected: Any, found: Any) -> Any:
    """Return what was found, with files reduced to the attributes that `expected` specifies."""
    if isinstance(expected, subset):
        expected = expected.expected
    if isinstance(expected, Mapping) and isinstance(found, dict):
        return {name: as_asked(expected[name], one) if name in expected else one for name, one in found.items()}
    if type(found) in (list, tuple, Several):
        elements = [
            as_asked(expected[place] if _is_list(expected) and place < len(expected) else expected, one)
            for place, one in enumerate(found)
        ]
        return tuple(elements) if isinstance(found, tuple) else elements
    names = asked_of(expected) if isinstance(found, FilePart) else ()
    return FilePart(**{name: value for name, value in found.given.items() if name in names}) if names else found


def asked_of(expected: Any) -> set[str]:
    """Return which attributes of a file an expected value specifies, also within a list, `one_of` and the like."""
    if isinstance(expected, FilePart):
        return set(expected.given)
    choices = expected if _is_list(expected) else getattr(expected, "expected", ())
    choices = expected.choices if isinstance(expected, one_of) else choices
    return {name for one in choices for name in asked_of(one)} if _is_list(choices) else set()


def differences(expected: Any, found: Any, where: str = "", partly: bool = False) -> Iterator[Difference]:
    """Yield the places where `found` is not as `expected`, as deep inside as they can be located.

    `partly` is whether more may be there than is expected, as within a `subset`.
    """
    if found is ABSENT or expected is ABSENT:
        # `found` is ABSENT if there is nothing.
        if not (found is ABSENT and may_be_absent(expected)):
            yield Difference(where, expected, found)
        return
    if isinstance(expected, subset):
        expected, partly = expected.expected, True
    elif isinstance(expected, FilePart) and isinstance(found, FilePart):
        expected, found, partly = expected.given, found.given, True
    elif not partly and equals(expected, found):
        return
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for key, value in expected.items():
            yield from differences(value, found.get(key, ABSENT), _below(where, key), partly)
        if not partly:
            for key, value in found.items():
                if key not in expected:
                    yield from differences(ABSENT, value, _below(where, key))
    elif partly and _is_list(expected) and isinstance(found, list):
        for value in unpaired(expected, found, lambda one, other: not any(differences(one, other, "", True))):
            yield Difference(where, value, [as_asked(value, one) for one in found], element=True)
    elif _is_list(expected) and isinstance(found, list):
        for place in range(max(len(expected), len(found))):
            one = expected[place] if place < len(expected) else ABSENT
            other = found[place] if place < len(found) else ABSENT
            yield from differences(one, other, f"{where}[{place}]")
    elif partly and isinstance(found, Several) and any(expected == one for one in found):
        return
    elif not expected == found:
        yield Difference(where, expected, as_asked(expected, found))


def beside(expected: Any, found: Any, partly: bool = False) -> Any:
    """Return what is expected for display beside what was found, using what was found wherever it fits."""
    given = expected
    if isinstance(expected, subset):
        expected, partly = expected.expected, True
    if not any(differences(expected, found, partly=partly)):
        return found
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        shown = {
            key: beside(value, found.get(key, ABSENT), partly)
            for key, value in expected.items()
            if key in found or not may_be_absent(value)
        }
        return {**found, **shown} if partly else shown
    if not partly and _is_list(expected) and isinstance(found, list):
        return [
            beside(one, found[place] if place < len(found) else ABSENT)
            for place, one in enumerate(expected)
            if place < len(found) or not may_be_absent(one)
        ]
    return given


def _below(where: str, key: object) -> str:
    name = key if isinstance(key, str) else shown(key, most=None, by=str)
    return f"{where}.{name}" if where else name


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, (list, tuple))


def unpaired(
    wanted: Sequence[_Wanted], found: Sequence[_Found], fits: Callable[[_Wanted, _Found], bool]
) -> list[_Wanted]:
    """Return those of `wanted` that remain without a partner among `found`, in the best possible pairing."""
    owners: dict[int, int] = {}
    seats: dict[int, int] = {}
    left = []
    for number, one in enumerate(wanted):
        # If no free place fits, the owner of a fitting one may move to another place, and so on.
        takers: dict[int, int] = {}
        movers = [number]
        free: int | None = None
        for mover in movers:
            places = [place for place in range(len(found)) if place not in takers]
            free = next((place for place in places if place not in owners and fits(wanted[mover], found[place])), None)
            if free is not None:
                takers[free] = mover
                break
            for place in places:
                if place in owners and fits(wanted[mover], found[place]):
                    takers[place] = mover
                    movers.append(owners[place])
        if free is None:
            left.append(one)
        while free is not None:
            mover = takers[free]
            owners[free] = mover
            seats[mover], free = free, seats.get(mover)
    return left
