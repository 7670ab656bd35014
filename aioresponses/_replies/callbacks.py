"""Callbacks: their signature decides what they are called with.

A callback gets either the call, or the URL and the keyword arguments of the caller, as in aioresponses 0.7. It asks for
the call by naming its first parameter `call` or annotating it with `RequestCall`. A callback with a single parameter
gets the call as well, because the other form always needs more: the URL comes with keyword arguments, at least
`allow_redirects`. The exceptions are parameters named `url` and `uri`: these callbacks were written for 0.7, and lack
the keyword arguments by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from inspect import Parameter
from typing import TYPE_CHECKING, Any, Protocol, Union, get_args

from yarl import URL

from .._calls.record import RequestCall
from .._checks import is_generator_function, signature_of
from .._client.outgoing import argument_names
from .._display import add_note, shown
from .results import CallbackResult

if TYPE_CHECKING:
    from aiohttp import web

_Returned = Union[
    CallbackResult, "web.StreamResponse", None, Awaitable[Union[CallbackResult, "web.StreamResponse", None]]
]


# Callbacks as in aioresponses 0.7. For pyright, the first type suffices. mypy objects that the keyword arguments might
# contain the name of the first parameter, unless the type names it: the other two types have the usual names.


class _OfUrl(Protocol):
    def __call__(self, url: URL, /, **kwargs: Any) -> _Returned: ...


class _OfNamedUrl(Protocol):
    def __call__(self, url: URL, **kwargs: Any) -> _Returned: ...


class _OfNamedUri(Protocol):
    def __call__(self, uri: URL, **kwargs: Any) -> _Returned: ...


Callback = Union[Callable[[RequestCall], _Returned], _OfUrl, _OfNamedUrl, _OfNamedUri]

_URLS = ("url", "uri")

_EXPECTED = "callback: expected a function that takes the call, or url and **kwargs"


def takes_call(callback: Any) -> bool:
    """Tell whether a callback gets the call, instead of the URL and the keyword arguments.

    Raises `TypeError` if it does not accept what it will get.
    """
    if not callable(callback):
        raise TypeError(f"callback: expected a function or a coroutine function, got {shown(callback)}")
    if isinstance(callback, type) and not issubclass(callback, CallbackResult):
        raise TypeError(f"callback: expected a function or a coroutine function, got a class: {shown(callback)}")
    if is_generator_function(callback):
        raise TypeError(
            f"callback: expected a function that returns a CallbackResult or None, got a generator function: "
            f"{shown(callback)}"
        )
    signature = signature_of(callback)
    if signature is None:
        return False
    parameters = list(signature.parameters.values())
    if not parameters or parameters[0].kind in (Parameter.KEYWORD_ONLY, Parameter.VAR_KEYWORD):
        raise TypeError(f"{_EXPECTED}, got {shown(callback)}, which takes no positional argument")
    first, *others = parameters
    asks_for_call = _asks_for_call(first, is_alone=not others)
    if not asks_for_call and not any(map(_takes_allow_redirects, others)):
        is_url = first.name in _URLS or first.kind is first.VAR_POSITIONAL
        hint = "" if is_url else f"; to get the call, rename the parameter {first.name!r} to 'call'"
        raise TypeError(
            f"{_EXPECTED}, got {shown(callback)}, which does not take the keyword arguments of the request: add "
            f"**kwargs{hint}"
        )
    for one in others:
        if _is_needed(one) and (asks_for_call or not _may_be_given(one)):
            raise TypeError(
                f"{_EXPECTED}, got {shown(callback)}, whose parameter {one.name!r} is never passed: give it a default"
            )
    return asks_for_call


def note_missing(error: TypeError, callback: Any, given: Mapping[str, object]) -> None:
    """Add a note to what a callback raised if it needs arguments that the call does not have.

    Such a callback is not refused when it is registered, because most calls may have these arguments.
    """
    signature = signature_of(callback)
    others = [] if signature is None else list(signature.parameters.values())[1:]
    missing = [one.name for one in others if _is_needed(one) and one.name not in given]
    if missing:
        add_note(
            error,
            f"aioresponses: the callback needs {' and '.join(missing)}, which this call does not have; add a default, "
            f"such as {missing[0]}=None",
        )


def _asks_for_call(first: Parameter, is_alone: bool) -> bool:
    if first.kind is first.VAR_POSITIONAL:
        return False
    return first.name == "call" or _names_call(first.annotation) or is_alone and first.name not in _URLS


def _names_call(annotation: Any) -> bool:
    # What exists only for type checkers is a reference, from Python 3.14 on even if the annotation is not text.
    text = getattr(annotation, "__forward_arg__", annotation)
    if isinstance(text, str):
        return re.search(r"\bRequestCall\b", text) is not None
    return annotation is RequestCall or any(map(_names_call, get_args(annotation)))


def _takes_allow_redirects(parameter: Parameter) -> bool:
    if parameter.kind is parameter.VAR_KEYWORD:
        return True
    return parameter.name == "allow_redirects" and parameter.kind in (
        parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY
    )


def _is_needed(parameter: Parameter) -> bool:
    is_variable = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and not is_variable


def _may_be_given(parameter: Parameter) -> bool:
    names = argument_names()
    return parameter.kind is not parameter.POSITIONAL_ONLY and (not names or parameter.name in names)
