"""What may stand in a line of HTTP, and how long one can wait."""

from __future__ import annotations

import math
import re

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_LINE_END = re.compile(r"[\r\n\0]")


def check_line(name: str, value: object) -> None:
    """Raise `TypeError` or `ValueError`, with the argument's name, unless a value is text within one line."""
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected a str, got {value!r}")
    if _LINE_END.search(value):
        raise ValueError(f"{name}: expected a str without CR, LF or NUL, got {value!r}")


def check_seconds(name: str, value: object, expected: str = "seconds") -> None:
    """Raise `TypeError` or `ValueError`, with the argument's name, unless a value is a time that one can wait."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name}: expected {expected}, got {value!r}")
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name}: expected {expected}, from 0 on, got {value!r}")
