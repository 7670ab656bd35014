"""What may stand in a line of HTTP."""

from __future__ import annotations

import re

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_LINE_END = re.compile(r"[\r\n\0]")


def check_line(name: str, value: object) -> None:
    """Raise `TypeError` or `ValueError`, with the argument's name, unless a value is text within one line."""
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected a str, got {value!r}")
    if _LINE_END.search(value):
        raise ValueError(f"{name}: expected a str without CR, LF or NUL, got {value!r}")
