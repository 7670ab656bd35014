"""Entries printed as Python code that registers them as mocks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from json import loads
from pprint import pformat
from textwrap import indent
from typing import Any
from unittest.mock import ANY

from aiohttp import hdrs
from multidict import CIMultiDict
from yarl import URL

from ..matchers import regex
from .bodies import is_json
from .entries import Entry
from .replay import is_replayed, registration

_SHORTCUTS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")

_MOST_WIDE = 100


class _Any:
    """Shows `unittest.mock.ANY` as it is written in code."""

    def __repr__(self) -> str:
        return "ANY"


class _Regex:
    """Shows a `regex` as it is written in code."""

    def __init__(self, matcher: regex) -> None:
        self._pattern = matcher.pattern.pattern

    def __repr__(self) -> str:
        return f"regex({self._pattern!r}, re.DOTALL)"


def registrations(entries: Sequence[Entry]) -> str:
    """Return Python code that registers entries with a mock named `mock`, including the imports that it needs.

    Secrets have been removed from the entries; whatever was hidden in a request matches any value.
    """
    calls = [_call(entry) for entry in entries if is_replayed(entry)]
    code = "\n".join(calls)
    imports = [
        line for name, line in (
            ("re.DOTALL", "import re"),
            ("ANY", "from unittest.mock import ANY"),
            ("regex(", "from aioresponses.matchers import regex"),
        )
        if re.search(rf"(?<!['\"\w.]){re.escape(name)}", code)
    ]
    return "\n".join([*imports, *([""] if imports and calls else []), *calls, ""]) if calls else ""


def _call(entry: Entry) -> str:
    arguments = registration(entry)
    method = arguments["method"].upper()
    name = method.lower() if method in _SHORTCUTS else "add"
    url: URL = arguments["url"]
    # Its braces are quoted, so it is not a template.
    lines = [repr(str(url))]
    if name == "add":
        lines.append(repr(method))
    if "match_query" in arguments:
        lines.append(_argument("match_query", _by_name([(key, _code(one)) for key, one in arguments["match_query"]])))
    if arguments["status"] != 200:
        lines.append(f"status={arguments['status']}")
    headers = CIMultiDict(arguments["headers"])
    content_type = arguments["content_type"]
    if len(headers.getall(hdrs.CONTENT_TYPE, ())) == 1:
        content_type = headers.pop(hdrs.CONTENT_TYPE)
    lines += _body(arguments["body"], content_type)
    if content_type != "application/json":
        lines.append(f"content_type={content_type!r}")
    if headers:
        lines.append(_argument("headers", _by_name(list(headers.items()))))
    on_one = f"mock.{name}({', '.join(lines)})"
    if len(on_one) <= _MOST_WIDE and "\n" not in on_one:
        return on_one
    return f"mock.{name}(\n{indent(''.join(f'{line},' + chr(10) for line in lines), '    ')})"


def _body(body: bytes, content_type: str | None) -> list[str]:
    if not body:
        return []
    try:
        text = body.decode()
    except ValueError:
        return [_argument("body", body)]
    try:
        value = loads(text, parse_constant=_no_constant) if is_json(content_type or "") else None
    except (ValueError, RecursionError):
        value = None
    return [_argument("body", text) if value is None else _argument("payload", value)]


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a literal of Python")


def _argument(name: str, value: Any) -> str:
    shown = pformat(value, width=_MOST_WIDE, sort_dicts=False)
    return f"{name}={indent(shown, ' ' * (len(name) + 1)).lstrip()}"


def _by_name(items: list[tuple[str, Any]]) -> Any:
    """Return names and values as a dict if that can hold them, otherwise as a list of pairs."""
    return dict(items) if len({name.lower() for name, _ in items}) == len(items) else items


def _code(value: Any) -> Any:
    if value is ANY:
        return _Any()
    return _Regex(value) if isinstance(value, regex) else value
