"""How values are shown to users: short, and without secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any, TypeVar

from multidict import CIMultiDict, MultiDict
from yarl import URL

from ._absent import ABSENT
from ._urls import without_credentials

if TYPE_CHECKING:
    _T = TypeVar("_T")

_SECRET_ARGUMENTS = ("auth", "proxy_auth", "cookies")

_HEADER_ARGUMENTS = ("headers", "proxy_headers")

# The names of headers with secret values: they end in one of these words.
_SECRET_HEADERS = r"(?i:(?:[\w-]*[-_])?(?:authorization|cookie|api[-_]?key|token|secret)(?![\w-]))"

# What comes before the credentials in a header, such as "Bearer".
_SCHEME = r"([A-Za-z][A-Za-z0-9-]*) +(?=\S)"

_CREDENTIALS = r"//[^/?#\s]*@"

_MOST_LINES = 20


def shortened(text: str, most: int = 500) -> str:
    """Return a text, cut if it is long, with a count of what was left out."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} more characters)"


def shown(value: object, most: int | None = 500, by: Callable[[Any], str] = repr) -> str:
    """Return a value as text, cut if it is longer than `most` characters; None keeps all of it.

    If it cannot show itself, it is shown as an object of its class, so that its exception does not replace a message.
    """
    try:
        text = by(value)
    except Exception as error:
        text = f"<{type(value).__name__} object ({by.__name__} raised {type(error).__name__})>"
    return text if most is None else shortened(text, most)


def same_beginning(text: str, other: str) -> int:
    """Return how many characters two texts have in common at the beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(text, other)))


def name_of(function: object) -> str:
    """Return the name of a function; if it has none, return its text."""
    try:
        return str(function.__name__)  # type: ignore[attr-defined]
    except Exception:
        return shown(function)


def cut(things: Sequence[_T], around: int = 0, show: Callable[[_T], str] = str) -> list[str]:
    """Return lines that show some things; if there are many, those around one of them, and how many are left out."""
    if len(things) <= _MOST_LINES:
        return list(map(show, things))
    start = max(0, min(around - _MOST_LINES // 2, len(things) - _MOST_LINES))
    end = start + _MOST_LINES
    before = [f"  … {start} before these"] if start else []
    after = [f"  … and {len(things) - end} more"] if end < len(things) else []
    return [*before, *map(show, things[start:end]), *after]


def shown_seconds(seconds: float) -> str:
    """Return seconds as a number, to the microsecond, with no more digits than needed."""
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def add_note(error: BaseException, note: str) -> None:
    """Add a note to an exception, as Python 3.11 does."""
    if hasattr(error, "add_note"):
        error.add_note(note)  # pyright: ignore[reportAttributeAccessIssue]
    else:
        # Tools that show notes on 3.10 look for the attribute.
        vars(error).setdefault("__notes__", []).append(note)


# Secrets.


def without_passwords(text: str) -> str:
    """Return a text without the credentials of the URLs in it."""
    return re.sub(_CREDENTIALS, "//…@", text)


def shown_url(url: URL, with_mark: bool = False) -> str:
    """Return the text of a URL without credentials or, `with_mark`, with a mark in their place."""
    shown = str(without_credentials(url))
    if with_mark and (url.raw_user is not None or url.raw_password is not None):
        return shown.replace("://", "://…@", 1)
    return shown


def shown_wrong_url(url: object) -> str:
    """Return the text of something that is not a valid URL, without what comes before an @: it may be a password."""
    if not isinstance(url, (str, URL)):
        return shown(url)
    text = repr(re.sub(r"^((?:[\w+.-]+:)?//)?.*@", r"\1…@", str(url), flags=re.DOTALL))
    return shortened(text if isinstance(url, str) else f"URL({text})")


def hidden(header: str, value: Any, other: Any = None, found: bool = False) -> Any:
    """Return the value of a header for display beside an `other` one, without its secrets.

    If two secrets differ, their schemes and lengths are shown, and, for the one that was `found`, the first character
    that differs from the expected one.

    >>> print(hidden("Authorization", "Bearer a1b2", "Bearer a1c2"), hidden("X-Api-Key", "a1", "a2", found=True))
    'Bearer …' (4 more characters) '…' (2 characters, differing from character 2 on)
    """
    if value is ABSENT or not re.fullmatch(_SECRET_HEADERS, header):
        return value
    has_scheme = header.lower().endswith("authorization")
    return _veiled(value, None if other is ABSENT else other, found, has_scheme)


def shown_headers(headers: Any) -> str:
    """Return the text of headers: a mapping, pairs, or an object that decides what equals it."""
    if isinstance(headers, (Mapping, list, tuple)):
        try:
            return shown({name: hidden(str(name), value) for name, value in MultiDict(headers).items()}, 200)
        except (TypeError, ValueError):
            pass  # They are not valid headers, and are shown in a message that says so.
    # It is unknown where the headers are in an object that decides what equals it.
    text = shown(headers, most=None)
    return f"{type(headers).__name__}(…)" if re.search(_SECRET_HEADERS, text) else shortened(text, 200)


def shown_arguments(kwargs: Mapping[str, Any], other: Mapping[str, Any], found: bool = False) -> dict[str, Any]:
    """Return keyword arguments of a call, `found` or expected ones, for display beside `other` ones."""
    shown = dict(kwargs)
    for name, value in shown.items():
        if name in _SECRET_ARGUMENTS and value is not None:
            shown[name] = _veiled(value, other.get(name), found)
        elif name in _HEADER_ARGUMENTS and value:
            shown[name] = _headers_beside(value, other.get(name), found)
        elif name == "proxy" and isinstance(value, (str, URL)):
            shown[name] = _proxy_beside(value, other.get(name), found)
    return shown


class _Veil(str):
    """Text that replaces a secret and describes it; its `repr` adds no quotes."""

    def __repr__(self) -> str:
        return str(self)


def _veiled(value: Any, other: Any, found: bool, has_scheme: bool = False) -> Any:
    """Return what replaces a secret that is shown beside an `other` one; for several secrets, replace each."""
    if other is None or value is other or value == other:
        return "…"
    if isinstance(value, Mapping):
        others = other if isinstance(other, Mapping) else {}
        return {name: _veiled(one, others.get(name), found) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        beside = other if isinstance(other, (list, tuple)) else [other] * len(value)
        return [
            _veiled(one, beside[place] if place < len(beside) else None, found, has_scheme)
            for place, one in enumerate(value)
        ]
    if not isinstance(value, str):
        return "… (another)" if found else "…"
    return _Veil(_described(value, other if isinstance(other, str) else "", found, has_scheme))


def _described(secret: str, other: str, found: bool, has_scheme: bool) -> str:
    scheme, rest = _parted(secret, has_scheme)
    other_scheme, other_rest = _parted(other, has_scheme)
    if other_scheme and not scheme:
        return "'…' (no scheme)"
    length = f"{len(rest)} {'more ' if scheme else ''}character{'' if len(rest) == 1 else 's'}"
    if found and scheme == other_scheme and other:
        same = same_beginning(rest, other_rest)
        length += f", differing from character {same + 1} on" if same < len(rest) else ", the same as far as they go"
    return f"'{scheme}…' ({length})"


def _parted(secret: str, has_scheme: bool) -> tuple[str, str]:
    """Return the scheme of a secret, followed by a space, or "" if it has none, and the rest."""
    scheme = re.match(_SCHEME, secret) if has_scheme else None
    return ("", secret) if scheme is None else (f"{scheme[1]} ", secret[scheme.end():])


def _proxy_beside(proxy: str | URL, other: object, found: bool) -> str | URL:
    try:
        shown = type(proxy)(without_credentials(URL(proxy)))
        hides_difference = found and isinstance(other, (str, URL)) and URL(other) != URL(proxy)
        if hides_difference and without_credentials(URL(str(other))) == URL(shown):
            return f"{shown} (with other credentials)"
        return shown
    except ValueError:
        return "…"


def _headers_beside(headers: Any, others: Any, found: bool) -> Any:
    """Return headers, a mapping or pairs, for display beside `others`; anything else is not shown."""
    try:
        pairs = [(str(name), value) for name, value in _pairs(headers)]
    except (TypeError, ValueError):
        return "…"
    try:
        beside = CIMultiDict((str(name), value) for name, value in _pairs(others or ()))
    except (TypeError, ValueError):
        beside = CIMultiDict()
    shown = [(name, hidden(name, value, beside.get(name), found)) for name, value in pairs]
    # A dict could not hold a name that appears twice.
    return dict(shown) if isinstance(headers, Mapping) and len(dict(shown)) == len(shown) else shown


def _pairs(headers: Any) -> Iterable[tuple[Any, Any]]:
    return headers.items() if isinstance(headers, Mapping) else headers
