"""Functions, coroutine functions and test cases that run with a mock."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar, cast

from ._display import shown

# unittest leaves the frames of such modules out of the tracebacks of failed assertions.
__unittest = True

_DECORATES = "aioresponses decorates functions, coroutine functions and subclasses of unittest.TestCase, got {}"

_Function = TypeVar("_Function", bound=Callable[..., Any])

_MockOfARun = Callable[[], AbstractContextManager[object]]


def decorated(function: _Function, mock_of_a_run: _MockOfARun, param: str | None) -> _Function:
    """Return a function that runs another with a mock, given as its last argument or, if there is one, as `param`."""
    if not callable(function):
        raise TypeError(_DECORATES.format(shown(function)))

    def run(mock: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return function(*args, mock, **kwargs) if param is None else function(*args, **kwargs, **{param: mock})

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def decorated_coroutine(*args: Any, **kwargs: Any) -> Any:
            with mock_of_a_run() as mock:
                return await run(mock, args, kwargs)

        return cast(_Function, decorated_coroutine)

    @functools.wraps(function)
    def decorated_function(*args: Any, **kwargs: Any) -> Any:
        with mock_of_a_run() as mock:
            return run(mock, args, kwargs)

    return cast(_Function, decorated_function)


def decorate_tests(case: type, mock_of_a_run: _MockOfARun, param: str | None) -> None:
    """Decorate all test methods of a subclass of `unittest.TestCase`."""
    import unittest  # Not before it is needed: it takes longer to import than all of this package.

    if not issubclass(case, unittest.TestCase):
        raise TypeError(_DECORATES.format(shown(case)))
    for name in unittest.defaultTestLoader.getTestCaseNames(case):
        method = inspect.getattr_static(case, name)
        if isinstance(method, (staticmethod, classmethod)):
            setattr(case, name, type(method)(decorated(method.__func__, mock_of_a_run, param)))
        else:
            setattr(case, name, decorated(method, mock_of_a_run, param))
