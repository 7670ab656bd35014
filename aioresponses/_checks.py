"""Checks of arguments that several rooms make; what they raise names the argument."""

from __future__ import annotations

import inspect
import re
import sys
import warnings
from typing import TypeVar, cast

from ._display import hidden, shown

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_T = TypeVar("_T")

_LINE_END = re.compile(r"[\r\n\0]")


class CompatibilityWarning(DeprecationWarning):
    """Warns about an argument that aioresponses 0.7 accepts although it does not do what it seems to say.

    >>> warnings.filterwarnings("ignore", category=CompatibilityWarning)
    """


def warn(message: str) -> None:
    """Issue a `CompatibilityWarning` that points at the code which called this package."""
    package = __name__.partition(".")[0]
    frame, level = inspect.currentframe(), 1
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, CompatibilityWarning, stacklevel=level)


class Default:
    """Stands for an argument that was not given, and shows the value that it has then."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __repr__(self) -> str:
        return repr(self._value)


def default(value: _T) -> _T:
    """Return what tells an argument that was not given from one that was given this value."""
    return cast(_T, Default(value))


def same_kind(error: Exception, text: str) -> TypeError | ValueError:
    """Return an error of the kind of another one, with a text of its own."""
    return (TypeError if isinstance(error, TypeError) else ValueError)(text)


def check_flag(name: str, value: object) -> None:
    """Raise `TypeError` unless a value is a bool."""
    if not isinstance(value, bool):
        raise TypeError(f"{name}: expected a bool, got {shown(value)}")


def encodable(name: str, value: str) -> str:
    """Return text as a `str` of no subclass, whose methods might say something else.

    Raises `ValueError` if it cannot be encoded.
    """
    value = str.__str__(value)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{name}: expected text without surrogates, which UTF-8 cannot encode, got {shown(value[error.start])} at "
            f"index {error.start}"
        ) from None
    return value


def line(name: str, value: object, header: str = "") -> str:
    """Return text that stays within one line, as a `str` of no subclass; else raise `TypeError` or `ValueError`.

    It is not shown where it is the value of a `header` that is a secret.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected a str, got {shown(None if value is None else hidden(header, value))}")
    value = str.__str__(value)
    if _LINE_END.search(value):
        raise ValueError(f"{name}: expected a str without CR, LF or NUL, got {shown(hidden(header, value))}")
    return encodable(name, value)


def equals_anything(value: object) -> bool:
    """Tell whether a value equals whatever it is compared with, as `unittest.mock.ANY` does."""
    try:
        return bool(value == object())
    except Exception:
        return False  # It was not made to be compared with that.


def check_count(name: str, value: object, expected: str) -> int:
    """Return a count of at least 1; raise `TypeError` or `ValueError`, which say what was expected, for any other."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}: expected {expected}, got {shown(value)}")
    if value < 1:
        raise ValueError(f"{name}: expected {expected}, got {shown(value)}")
    return value


def check_seconds(name: str, value: object, expected: str = "seconds") -> None:
    """Raise `TypeError` or `ValueError`, with the argument's name, unless a value is a time that one can wait."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name}: expected {expected}, got {shown(value)}")
    # An int may be too large for a float, which is what the event loop counts in.
    if not 0 <= value <= sys.float_info.max:
        raise ValueError(f"{name}: expected {expected}, 0 or more, got {shown(value)}")


def misfit(function: object, *args: object, **kwargs: object) -> str:
    """Return why a function does not take these arguments; "" if it does, or if its signature cannot be known."""
    try:
        signature = inspect.signature(function)  # type: ignore[arg-type]
    except (TypeError, ValueError):  # Some that are written in C have none.
        return ""
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        return str(error)
    return ""


def is_coroutine_function(function: object) -> bool:
    """Tell whether calling something returns a coroutine, as far as that can be known before."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))


def is_generator_function(function: object) -> bool:
    """Tell whether calling something returns a generator that cannot be awaited, as far as that can be known before."""
    is_awaited = getattr(getattr(function, "__code__", None), "co_flags", 0) & inspect.CO_ITERABLE_COROUTINE
    return inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function) and not is_awaited
