"""How values are shown to people: short, and without secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import hdrs

__all__ = ["SECRET_HEADERS", "add_note", "cut", "hidden", "shortened", "veiled"]

SECRET_HEADERS = {hdrs.AUTHORIZATION.lower(), hdrs.PROXY_AUTHORIZATION.lower(), hdrs.COOKIE.lower()}
_MOST_LINES = 20


def shortened(text: str, most: int = 500) -> str:
    """Return a text, cut if it is long, with a count of what was left out."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} more characters)"


def cut(lines: Sequence[str], around: int = 0) -> list[str]:
    """Return lines to be shown, of many those around one of them, with a count of what was left out."""
    if len(lines) <= _MOST_LINES:
        return list(lines)
    start = max(0, min(around - _MOST_LINES // 2, len(lines) - _MOST_LINES))
    end = start + _MOST_LINES
    before = [f"  … {start} before these"] if start else []
    after = [f"  … and {len(lines) - end} more"] if end < len(lines) else []
    return [*before, *lines[start:end], *after]


def hidden(header: str, value: Any, other: Any = None) -> Any:
    """Return the value of a header to be shown beside an `other` one: … where it is a secret."""
    return veiled(value, other) if header.lower() in SECRET_HEADERS else value


def veiled(value: Any, other: Any) -> str:
    """Return what stands for a secret that is shown beside an `other` one."""
    return "…" if other is None or value == other else "… (another)"


def add_note(error: BaseException, note: str) -> None:
    """Add a note to an exception, in the manner of Python 3.11."""
    if hasattr(error, "add_note"):
        error.add_note(note)
    else:
        # What shows notes on 3.10 looks for the attribute.
        vars(error).setdefault("__notes__", []).append(note)
