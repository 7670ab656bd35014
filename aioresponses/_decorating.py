"""Functions, coroutine functions and test cases that run with a mock."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from ._checks import is_generator_function, signature_of
from ._display import add_note, shown

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    class _Mock(AbstractContextManager[object], AbstractAsyncContextManager[object], Protocol):
        """A mock, in which functions and coroutine functions run."""

    _Function = TypeVar("_Function", bound=Callable[..., Any])

    _MockOfARun = Callable[[], _Mock]

# unittest leaves the frames of such modules out of the tracebacks of failed assertions.
__unittest = True

_DECORATES = "@aioresponses() decorates functions, coroutine functions and subclasses of unittest.TestCase, got {}"


def decorated(function: _Function, mock_of_a_run: _MockOfARun, param: str | None) -> _Function:
    """Return a function that runs another one with a mock, passed as its last argument or as `param` if that is given.

    The signature of the returned function lacks the mock, because pytest passes a test everything in its signature, by
    name.
    """
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(decorated(function.__func__, mock_of_a_run, param))
    if not callable(function):
        raise TypeError(_DECORATES.format(shown(function)))
    signature = signature_of(function)
    place, name = (0, param) if signature is None or param is not None else _place_of_mock(function, signature)

    def run(mock: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            # unittest passes all other arguments by position, and pytest by name.
            if name is None or param is None and (len(args) >= place or not kwargs or name in kwargs):
                return function(*args, mock, **kwargs)
            return function(*args, **kwargs, **{name: mock})
        except TypeError as error:
            # Only where the call itself fails, and not the function.
            if signature is not None and error.__traceback__ is not None and error.__traceback__.tb_next is None:
                _note_lack(error, signature, param)
            raise

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def decorated_coroutine(*args: Any, **kwargs: Any) -> Any:
            async with mock_of_a_run() as mock:
                return await run(mock, args, kwargs)

        return cast("_Function", _without(name, signature, decorated_coroutine))

    # The mock of a generator, such as a fixture of pytest, is active until the generator ends.
    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        async def decorated_async_generator(*args: Any, **kwargs: Any) -> Any:
            async with mock_of_a_run() as mock, aclosing(run(mock, args, kwargs)) as made:
                async for one in made:
                    yield one

        return cast("_Function", _without(name, signature, decorated_async_generator))

    if is_generator_function(function):

        @functools.wraps(function)
        def decorated_generator(*args: Any, **kwargs: Any) -> Any:
            with mock_of_a_run() as mock:
                return (yield from run(mock, args, kwargs))

        return cast("_Function", _without(name, signature, decorated_generator))

    @functools.wraps(function)
    def decorated_function(*args: Any, **kwargs: Any) -> Any:
        with mock_of_a_run() as mock:
            return run(mock, args, kwargs)

    return cast("_Function", _without(name, signature, decorated_function))


def _note_lack(error: TypeError, signature: inspect.Signature, param: str | None) -> None:
    """Add a note to the exception of a call if the function has no parameter for the mock."""
    kinds = {one.kind for one in signature.parameters.values()}
    if param is not None:
        if param not in signature.parameters and inspect.Parameter.VAR_KEYWORD not in kinds:
            add_note(error, f"aioresponses: the mock is passed as {param!r}; add a parameter of this name")
    elif inspect.Parameter.VAR_POSITIONAL not in kinds and len(_positional(signature)) == _first(signature):
        add_note(error, "aioresponses: the mock is passed as the last argument; add a parameter for it")


def _positional(signature: inspect.Signature) -> list[str]:
    parameters = signature.parameters.values()
    return [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]


def _first(signature: inspect.Signature) -> int:
    """Return the index of the first parameter to which an argument is passed."""
    return 1 if _positional(signature)[:1] in (["self"], ["cls"]) else 0


def _place_of_mock(function: Callable[..., Any], signature: inspect.Signature) -> tuple[int, str | None]:
    """Return the index and the name of the parameter that receives the mock as the last positional argument."""
    positional, first = _positional(signature), _first(signature)
    if len(positional) == first:
        return 0, None
    if _is_given_patches(function):
        # The arguments of `unittest.mock.patch` come right after it, and fixtures of pytest are passed by name.
        return first, positional[first]
    needed = [name for name in positional[first:] if signature.parameters[name].default is inspect.Parameter.empty]
    name = (needed or positional)[-1]
    return positional.index(name), name


def _is_given_patches(function: Callable[..., Any]) -> bool:
    patchings = getattr(function, "patchings", ())
    return any(one.attribute_name is None and one.new is sys.modules["unittest.mock"].DEFAULT for one in patchings)


def _without(name: str | None, signature: inspect.Signature | None, made: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function the signature of the decorated one, without the parameter of the mock."""
    if signature is not None and name is not None:
        parameters = [one for one in signature.parameters.values() if one.name != name]
        made.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return made


def decorate_tests(case: type, mock_of_a_run: _MockOfARun, param: str | None) -> None:
    """Decorate all test methods of a subclass of `unittest.TestCase`."""
    import unittest  # Imported when needed: it takes longer to import than this whole package.

    if not issubclass(case, unittest.TestCase):
        raise TypeError(_DECORATES.format(shown(case)))
    for name in unittest.defaultTestLoader.getTestCaseNames(case):
        setattr(case, name, decorated(inspect.getattr_static(case, name), mock_of_a_run, param))
