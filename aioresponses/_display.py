"""How values are shown to people: short, and without secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from aiohttp import hdrs
from multidict import CIMultiDict, MultiDict
from yarl import URL

from ._urls import without_credentials

_T = TypeVar("_T")

_SECRET_ARGUMENTS = ("auth", "proxy_auth", "cookies")

_HEADER_ARGUMENTS = ("headers", "proxy_headers")

_SECRET_HEADERS = {hdrs.AUTHORIZATION.lower(), hdrs.PROXY_AUTHORIZATION.lower(), hdrs.COOKIE.lower()}

_CREDENTIALS = re.compile(r"//[^/@\s]+@")

_MOST_LINES = 20


def shortened(text: str, most: int = 500) -> str:
    """Return a text, cut if it is long, with a count of what was left out."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} more characters)"


def shown(value: object, most: int | None = 500, by: Callable[[Any], str] = repr) -> str:
    """Return a value as text, cut if it is long; None for `most` leaves it whole.

    One that cannot show itself is shown as an object of its class, for its exception is not to replace a message.
    """
    try:
        text = by(value)
    except Exception as error:
        text = f"<{type(value).__name__} object ({by.__name__} raised {type(error).__name__})>"
    return text if most is None else shortened(text, most)


def name_of(function: object) -> str:
    """Return the name of a function, or else what it is shown as."""
    try:
        return str(function.__name__)  # type: ignore[attr-defined]
    except Exception:
        return shown(function)


def cut(things: Sequence[_T], around: int = 0, show: Callable[[_T], str] = str) -> list[str]:
    """Return lines that show some things, of many those around one of them, with a count of what was left out."""
    if len(things) <= _MOST_LINES:
        return list(map(show, things))
    start = max(0, min(around - _MOST_LINES // 2, len(things) - _MOST_LINES))
    end = start + _MOST_LINES
    before = [f"  … {start} before these"] if start else []
    after = [f"  … and {len(things) - end} more"] if end < len(things) else []
    return [*before, *map(show, things[start:end]), *after]


def add_note(error: BaseException, note: str) -> None:
    """Add a note to an exception, in the manner of Python 3.11."""
    if hasattr(error, "add_note"):
        error.add_note(note)
    else:
        # What shows notes on 3.10 looks for the attribute.
        vars(error).setdefault("__notes__", []).append(note)


# Secrets.


def without_passwords(text: str) -> str:
    """Return a text without the credentials of the URLs in it."""
    return _CREDENTIALS.sub("//…@", text)


def shown_url(url: URL, with_mark: bool = False) -> str:
    """Return a URL to be shown: without credentials or, `with_mark`, with a mark where they stand."""
    shown = str(without_credentials(url))
    if with_mark and (url.raw_user is not None or url.raw_password is not None):
        return shown.replace("://", "://…@", 1)
    return shown


def hidden(header: str, value: Any, other: Any = None) -> Any:
    """Return the value of a header to be shown beside an `other` one: … where it is a secret."""
    return _veiled(value, other) if header.lower() in _SECRET_HEADERS else value


def shown_headers(headers: Any) -> str:
    """Return headers, a mapping or pairs or an object that equals some, to be shown."""
    if isinstance(headers, (Mapping, list, tuple)):
        headers = {name: hidden(str(name), value) for name, value in MultiDict(headers).items()}
    # Where in an object that decides for itself they are, cannot be known.
    elif any(name in shown(headers, most=None).lower() for name in _SECRET_HEADERS):
        return f"{type(headers).__name__}(…)"
    return shown(headers, 200)


def shown_arguments(kwargs: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return keyword arguments of a call to be shown beside `other` ones."""
    shown = dict(kwargs)
    for name, value in shown.items():
        if name in _SECRET_ARGUMENTS and value is not None:
            shown[name] = _veiled(value, other.get(name))
        elif name in _HEADER_ARGUMENTS and value:
            shown[name] = _headers_beside(value, other.get(name))
        elif name == "proxy" and isinstance(value, (str, URL)):
            shown[name] = _proxy_beside(value, other.get(name))
    return shown


def _veiled(value: Any, other: Any) -> str:
    """Return what stands for a secret that is shown beside an `other` one."""
    return "…" if other is None or value == other else "… (another)"


def _proxy_beside(proxy: str | URL, other: object) -> str | URL:
    try:
        shown = type(proxy)(without_credentials(URL(proxy)))
        hides_difference = isinstance(other, (str, URL)) and URL(other) != URL(proxy)
        if hides_difference and without_credentials(URL(str(other))) == URL(shown):
            return f"{shown} (with other credentials)"
        return shown
    except ValueError:
        return "…"


def _headers_beside(headers: Any, others: Any) -> Any:
    """Return headers, a mapping or pairs, to be shown beside `others`; what is neither is not shown."""
    try:
        pairs = [(str(name), value) for name, value in _pairs(headers)]
    except (TypeError, ValueError):
        return "…"
    try:
        beside = CIMultiDict((str(name), value) for name, value in _pairs(others or ()))
    except (TypeError, ValueError):
        beside = CIMultiDict()
    shown = [(name, hidden(name, value, beside.get(name))) for name, value in pairs]
    # A name that stands there twice has no place in a dict.
    return dict(shown) if isinstance(headers, Mapping) and len(dict(shown)) == len(shown) else shown


def _pairs(headers: Any) -> Iterable[tuple[Any, Any]]:
    return headers.items() if isinstance(headers, Mapping) else headers
