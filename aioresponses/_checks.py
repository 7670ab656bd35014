"""Checks of arguments that several rooms share; the errors they raise name the argument."""

from __future__ import annotations

import inspect
import re
import sys
import warnings
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ._display import hidden, shown

if TYPE_CHECKING:
    from types import CodeType

    _T = TypeVar("_T")

    _Function = TypeVar("_Function", bound=Callable[..., Any])

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"

_LINE_END = r"[\r\n\0]"


class CompatibilityWarning(DeprecationWarning):
    """Warns about an argument that aioresponses 0.7 accepts, but that does not do what it seems to do.

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
    """Stands for an argument that was not given, and shows the default value."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __repr__(self) -> str:
        return repr(self._value)


def default(value: _T) -> _T:
    """Return a default that can be told apart from the same value passed by a caller."""
    return cast("_T", Default(value))


# By code object: finding out a signature takes long, and functions made by one factory share their code.
_signatures: dict[CodeType, inspect.Signature] = {}


def hides_unknown(function: _Function) -> _Function:
    """Leave `**unknown` out of a function's signature, as `help()` shows it: it is accepted only to be refused."""
    code: CodeType = function.__code__
    if code not in _signatures:
        signature = inspect.signature(function)
        parameters = [one for one in signature.parameters.values() if one.name != "unknown"]
        _signatures[code] = signature.replace(parameters=parameters)
    function.__signature__ = _signatures[code]  # type: ignore[attr-defined]
    return function


def same_kind(error: Exception, text: str) -> TypeError | ValueError:
    """Return an error of the same kind as another one, with another text."""
    return (TypeError if isinstance(error, TypeError) else ValueError)(text)


def check_flag(name: str, value: object) -> None:
    """Raise `TypeError` unless a value is a bool."""
    if not isinstance(value, bool):
        raise TypeError(f"{name}: expected a bool, got {shown(value)}")


def encodable(name: str, value: str) -> str:
    """Return text as a plain `str`, since the methods of a subclass might return something else.

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
    """Return text as a plain `str`; raise `TypeError` or `ValueError` unless it fits into one line.

    The error does not show it if it is the value of a secret `header`.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected a str, got {shown(None if value is None else hidden(header, value))}")
    value = str.__str__(value)
    if re.search(_LINE_END, value):
        raise ValueError(f"{name}: expected a str without CR, LF or NUL, got {shown(hidden(header, value))}")
    return encodable(name, value)


def equals_anything(value: object) -> bool:
    """Tell whether a value equals everything that it is compared with, like `unittest.mock.ANY`."""
    try:
        return bool(value == object())
    except Exception:
        return False  # It cannot be compared with everything.


def check_count(name: str, value: object, expected: str) -> int:
    """Return a count of at least 1; for other values, raise `TypeError` or `ValueError` that say what was expected."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}: expected {expected}, got {shown(value)}")
    if value < 1:
        raise ValueError(f"{name}: expected {expected}, got {shown(value)}")
    return value


def check_seconds(name: str, value: object, expected: str = "seconds") -> None:
    """Raise `TypeError` or `ValueError`, with the argument's name, unless a value is a time that can be waited for."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name}: expected {expected}, got {shown(value)}")
    # An int may be too large for a float, which is what the event loop counts in.
    if not 0 <= value <= sys.float_info.max:
        raise ValueError(f"{name}: expected {expected}, 0 or more, got {shown(value)}")


def signature_of(function: Any) -> inspect.Signature | None:
    """Return the signature of a function; None for functions that have none, such as some written in C."""
    options: dict[str, Any] = {}
    # In Python 3.14, an annotation is evaluated only now, and may name something that exists only for type checkers.
    if sys.version_info >= (3, 14):
        from annotationlib import Format

        options["annotation_format"] = Format.FORWARDREF
    try:
        return inspect.signature(function, **options)
    except (TypeError, ValueError):
        return None


def misfit(function: object, *args: object, **kwargs: object) -> str:
    """Return why a function does not accept these arguments; "" if it does, or if its signature is unknown."""
    signature = signature_of(function)
    if signature is None:
        return ""
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        return str(error)
    return ""


def is_coroutine_function(function: object) -> bool:
    """Tell whether calling something returns a coroutine, as far as that is known without calling it."""
    while isinstance(function, partial):
        function = function.func
    mocks = sys.modules.get("unittest.mock")
    if mocks is not None and inspect.isfunction(function):
        # Before CPython 3.13, what `create_autospec` makes of a coroutine function does not pass for one.
        if isinstance(getattr(function, "mock", None), mocks.AsyncMock):
            return True
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))


def is_generator_function(function: object) -> bool:
    """Tell whether calling something returns a generator that is not awaitable, as far as that is known beforehand."""
    is_awaited = getattr(getattr(function, "__code__", None), "co_flags", 0) & inspect.CO_ITERABLE_COROUTINE
    return inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function) and not is_awaited
