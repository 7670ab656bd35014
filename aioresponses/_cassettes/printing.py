"""Entries printed as Python code that registers them as mocks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from json import dumps
from pprint import pformat
from textwrap import indent
from typing import Any
from unittest.mock import ANY

from aiohttp import hdrs
from multidict import CIMultiDict
from yarl import URL

from .._replies.encoding import phrase
from ..matchers import regex
from ..websockets import Close, Drop, Expect
from .bodies import CUT, UNREAD, is_json, value_of
from .entries import Entry
from .replay import is_replayed, registration, socket_registration
from .sockets import PATIENCE, is_websocket, json_of

_SHORTCUTS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")

_MOST_WIDE = 100

_STEPS = ("Close", "Drop", "Expect")


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
    calls = [_comment(entry) + _call(entry) for entry in entries if is_replayed(entry)]
    code = "\n".join(calls)
    imports = [
        line for name, line in (
            ("re.DOTALL", "import re"),
            ("ANY", "from unittest.mock import ANY"),
            ("regex(", "from aioresponses.matchers import regex"),
        )
        if re.search(rf"(?<!['\"\w.]){re.escape(name)}", code)
    ]
    steps = [name for name in _STEPS if re.search(rf"^        {name}\(", code, re.MULTILINE)]
    if steps:
        imports.append(f"from aioresponses.websockets import {', '.join(steps)}")
    return "\n".join([*imports, *([""] if imports and calls else []), *calls, ""]) if calls else ""


def _comment(entry: Entry) -> str:
    """Return a comment that says why a body is incomplete; "" if it is complete."""
    return f"# {entry['comment']}\n" if entry.get("comment") in (CUT, UNREAD) else ""


def _call(entry: Entry) -> str:
    if is_websocket(entry):
        return _socket_call(entry)
    arguments = registration(entry)
    method = arguments["method"].upper()
    name = method.lower() if method in _SHORTCUTS else "add"
    url: URL = arguments["url"]
    # Its braces are quoted, so it is not a template.
    lines = [repr(str(url))]
    if name == "add":
        lines.append(repr(method))
    lines += _query(arguments)
    if arguments["status"] != 200:
        lines.append(f"status={arguments['status']}")
    if arguments["reason"] and arguments["reason"] != phrase(arguments["status"]):
        lines.append(f"reason={arguments['reason']!r}")
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
    return _in_lines(f"mock.{name}(", lines, ")")


def _in_lines(before: str, lines: list[str], after: str) -> str:
    return f"{before}\n{indent(''.join(f'{line},' + chr(10) for line in lines), '    ')}{after}"


def _query(arguments: dict[str, Any]) -> list[str]:
    if "match_query" not in arguments:
        return []
    return [_argument("match_query", _by_name([(key, _code(one)) for key, one in arguments["match_query"]]))]


def _socket_call(entry: Entry) -> str:
    arguments = socket_registration(entry)
    steps = [_step(one) for one in arguments["script"]]
    lines = [repr(str(arguments["url"])), _in_lines("[", steps, "]") if steps else "[]", *_query(arguments)]
    given = [name for name in ("protocols", "compress", "max_msg_size") if name in arguments]
    lines += [_argument(name, arguments[name]) for name in given]
    if arguments["headers"]:
        lines.append(_argument("headers", _by_name(list(arguments["headers"].items()))))
    return _in_lines("mock.websocket(", [*lines, f"repeat={arguments['repeat']}"], ")")


def _step(step: Any) -> str:
    """Return the code of a step; JSON is shown as the value that is sent as the same text."""
    if isinstance(step, Expect):
        message = _pretty(_code(step.message))
        timeout = "" if step.timeout == PATIENCE else f", timeout={step.timeout}"
        return f"Expect({indent(message, ' ' * len('Expect(')).lstrip()}{timeout})"
    if isinstance(step, Close):
        return f"Close({step.code}{f', {step.message!r}' if step.message else ''})"
    if isinstance(step, Drop):
        return "Drop()"
    value = json_of(step)
    return _pretty(step if value is None or dumps(value) != step else value)


def _body(body: bytes, content_type: str | None) -> list[str]:
    if not body:
        return []
    try:
        text = body.decode()
    except ValueError:
        return [_argument("body", body)]
    try:
        value = value_of(text) if is_json(content_type or "") else None
    except ValueError:
        value = None
    return [_argument("body", text) if value is None else _argument("payload", value)]


def _argument(name: str, value: Any) -> str:
    shown = _pretty(value)
    return f"{name}={indent(shown, ' ' * (len(name) + 1)).lstrip()}"


def _pretty(value: Any) -> str:
    return pformat(value, width=_MOST_WIDE, sort_dicts=False)


def _by_name(items: list[tuple[str, Any]]) -> Any:
    """Return names and values as a dict if that can hold them, otherwise as a list of pairs."""
    return dict(items) if len({name.lower() for name, _ in items}) == len(items) else items


def _code(value: Any) -> Any:
    """Return a JSON value with the matchers in it replaced by objects that print as code."""
    if value is ANY:
        return _Any()
    if isinstance(value, dict):
        return {name: _code(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_code(one) for one in value]
    return _Regex(value) if isinstance(value, regex) else value
