"""Objects that decide by themselves what equals them, for conditions of mocks and for expected values of assertions.

Each may stand for a whole value or anywhere within one, beside `unittest.mock.ANY` and the objects of other packages:

>>> mock.post("http://example.com/users", match_json={"name": regex("^A"), "role": one_of("author", "admin")})
>>> self.assertJsonBody(subset({"roles": unordered(["author", "admin"])}), "http://example.com/users", "POST")
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeGuard, TypeVar

from ._display import shown

__all__ = ["FilePart", "one_of", "regex", "subset", "unordered"]

# How many characters of a value are shown.
_MOST = 200

_Wanted = TypeVar("_Wanted")

_Found = TypeVar("_Found")


class subset:
    """Equals what holds everything in `expected`: a mapping or a list, however nested; more may be there.

    Of a mapping, each key with its value must be there; of a list, each element, in any order. All other values are
    compared with `==`. Raises `TypeError` for what is neither.

    >>> subset({"user": {"id": 7}}) == {"user": {"id": 7, "name": "Ada"}, "page": 1}
    True
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, expected: Mapping[Any, Any] | Sequence[Any]) -> None:
        if not isinstance(expected, (Mapping, list, tuple)):
            raise TypeError(f"subset: expected a mapping or a list, got {shown(expected)}")
        self.expected = expected

    def __eq__(self, other: object) -> bool:
        return not any(differences(self, other))

    def __repr__(self) -> str:
        return f"subset({shown(self.expected, most=None)})"


class regex:
    """Equals text, or bytes, in which `pattern` is found: text or bytes as `re` takes them, or a compiled pattern.

    `flags` are those of `re.compile`. `^` and `$` anchor the pattern. Raises `re.error` for what is no pattern, and
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
    """Equals a list, or another sequence, of just these elements, in any order.

    >>> unordered(["author", "admin"]) == ["admin", "author"]
    True
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, expected: Iterable[Any]) -> None:
        if isinstance(expected, (str, bytes)) or not isinstance(expected, Iterable):
            raise TypeError(f"unordered: expected a list, got {shown(expected)}")
        self.expected = list(expected)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sequence)
            and not isinstance(other, (str, bytes))
            and len(other) == len(self.expected)
            and not unpaired(self.expected, other, lambda one, another: bool(one == another))
        )

    def __repr__(self) -> str:
        return f"unordered({shown(self.expected, most=None)})"


class one_of:
    """Equals whatever equals one of `choices`.

    >>> one_of("author", "admin") == "admin"
    True
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, *choices: Any) -> None:
        if not choices:
            raise TypeError("one_of: expected at least one choice")
        self.choices = choices

    def __eq__(self, other: object) -> bool:
        return any(choice == other for choice in self.choices)

    def __repr__(self) -> str:
        return f"one_of({', '.join(shown(choice, most=None) for choice in self.choices)})"


class FilePart:
    """A file in a multipart form; what is not given may be anything.

    - `filename`: the name of the file.
    - `content`: its content, bytes or text.
    - `content_type`: the `Content-Type` of the part.

    Each may be an object that decides what equals it, such as `regex`.

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
        """What is known of the file."""
        return {name: value for name, value in vars(self).items() if value is not None}


class Several(list[Any]):
    """The values of a name that was sent more than once."""

    def __eq__(self, other: object) -> bool:
        # Of a list and a subclass of it, Python asks the latter first; but what is expected is to decide.
        return bool(other == list(self))


class Difference(NamedTuple):
    """One place where a value is not as expected."""

    where: str
    """The way there, such as `user.roles[0]`; "" for the value itself."""

    expected: Any
    found: Any

    element: bool = False
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


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
"""Stands in a `Difference` for what is not there."""


def differences(expected: Any, found: Any, where: str = "", partly: bool = False) -> Iterator[Difference]:
    """Yield where `found` is not as `expected`, as deep in them as can be told.

    `partly` is whether more may be there than is expected, as within a `subset`.
    """
    if found is ABSENT or expected is ABSENT:
        yield Difference(where, expected, found)
        return
    if isinstance(expected, subset):
        expected, partly = expected.expected, True
    elif isinstance(expected, FilePart) and isinstance(found, FilePart):
        expected, found, partly = expected.given, found.given, True
    elif not partly and expected == found:  # Expected first: its values decide what equals them.
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
            yield Difference(where, value, found, element=True)
    elif _is_list(expected) and isinstance(found, list):
        for place in range(max(len(expected), len(found))):
            one = expected[place] if place < len(expected) else ABSENT
            other = found[place] if place < len(found) else ABSENT
            yield from differences(one, other, f"{where}[{place}]")
    elif partly and isinstance(found, Several) and any(expected == one for one in found):
        return
    elif not expected == found:
        yield Difference(where, expected, found)


def beside(expected: Any, found: Any, partly: bool = False) -> Any:
    """Return what is expected, to be shown beside what was found: as that wherever it fits."""
    given = expected
    if isinstance(expected, subset):
        expected, partly = expected.expected, True
    if not any(differences(expected, found, partly=partly)):
        return found
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        shown = {key: beside(value, found.get(key, ABSENT), partly) for key, value in expected.items()}
        return {**found, **shown} if partly else shown
    if not partly and _is_list(expected) and isinstance(found, list):
        return [beside(one, found[place] if place < len(found) else ABSENT) for place, one in enumerate(expected)]
    return given


def _below(where: str, key: object) -> str:
    name = key if isinstance(key, str) else shown(key, most=None, by=str)
    return f"{where}.{name}" if where else name


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, (list, tuple))


def unpaired(
    wanted: Sequence[_Wanted], found: Sequence[_Found], fits: Callable[[_Wanted, _Found], bool]
) -> list[_Wanted]:
    """Return those of `wanted` that get none of `found` for their own, however they are paired."""
    owners: dict[int, int] = {}
    seats: dict[int, int] = {}
    left = []
    for number, one in enumerate(wanted):
        # Where no place is free that fits, somebody who has one may move to another, and so on.
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
