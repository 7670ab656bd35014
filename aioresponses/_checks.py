"""What may stand in a line of HTTP."""

from __future__ import annotations

import re

_LINE_END = re.compile(r"[\r\n\0]")


def _check_line(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected a str, got {value!r}")
    if _LINE_END.search(value):
        raise ValueError(f"{name}: expected a str without CR, LF or NUL, got {value!r}")


TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
