"""Assertions that fail in users' functions while a mock answers, and that the code under test may swallow."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator

from .._display import shown
from .record import RequestCall

# Packages that raise assertion errors for their callers: the line that calls them is the one that failed.
_HELPERS = ("unittest", "_pytest", __name__.partition(".")[0])


class FailedSocket:
    """What was raised at the far end of a WebSocket; the client only sees that the connection is lost."""

    def __init__(self, error: BaseException, text: str) -> None:
        self.error = error
        self.text = text
        """Where the error comes from, and what it says."""

    @classmethod
    def of_handler(cls, error: BaseException, call: RequestCall) -> FailedSocket:
        """Make one from what a handler raised."""
        return cls(error, f"Handler of {call._named()} raised {_with_name(error, shown(error, most=None, by=str))}")

    @classmethod
    def of_script(cls, error: BaseException, call: RequestCall, source: str) -> FailedSocket:
        """Make one from what a script raised, which comes from `source` if it is not the user's own."""
        text = shown(error, most=None, by=str)
        script = f"Script of {call._named()}{source and f', replayed from {source},'}"
        if isinstance(error, AssertionError) and text.startswith("at step "):
            return cls(error, f"{script} failed {text}")
        return cls(error, f"{script} raised {_with_name(error, text)}")

    @classmethod
    def of_rule(cls, error: BaseException, call: RequestCall) -> FailedSocket:
        """Make one from what was raised while a rule answered."""
        return cls(error, f"Rule of {call._named()} raised {_with_name(error, shown(error, most=None, by=str))}")


def _with_name(error: BaseException, text: str) -> str:
    name = type(error).__qualname__
    return f"{name}: {text}" if text else name


class FailedAssertion:
    """An assertion that failed in a callback, in a condition or in a stream."""

    def __init__(self, error: BaseException, text: str, where: str, asked: str) -> None:
        self.error = error
        self.text = text
        """The exception and its notes, as at the end of a traceback."""
        self.where = where
        """File, line and function; "" if no code of the user raised it."""
        self.asked = asked
        """The request that was being answered."""

    @classmethod
    def of(cls, error: BaseException, call: RequestCall) -> FailedAssertion:
        """Make one from what was raised; its text is read at once, because the exception may change later."""
        text = shown(error, most=None, by=str).rstrip()
        name = type(error).__qualname__
        notes = [str(note) for note in getattr(error, "__notes__", ())]
        return cls(error, "\n".join([f"{name}: {text}" if text else name, *notes]), _where(error), call._named())


def failed_assertions(error: BaseException, classes: tuple[type[BaseException], ...]) -> Iterator[BaseException]:
    """Yield the exception if it is of one of the classes, or pytest's; for a group, yield those in it that are."""
    if isinstance(error, classes) or _is_pytests(error):
        yield error
    for one in _members(error):
        yield from failed_assertions(one, classes)


def shown_with(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, and the others that its traceback shows."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and all(one is not other for other in seen):
            seen.append(one)
            yield one
            waiting += [one.__cause__, None if one.__suppress_context__ else one.__context__, *_members(one)]


def _members(error: BaseException) -> list[BaseException]:
    # Groups are new in Python 3.11; their backports have the same attribute.
    members = getattr(error, "exceptions", ())
    return [one for one in members if isinstance(one, BaseException)] if isinstance(members, (list, tuple)) else []


def _is_pytests(error: BaseException) -> bool:
    # It is not an Exception, and so not an AssertionError. Code that raises it has imported pytest.
    pytest = sys.modules.get("pytest")
    if pytest is None or isinstance(error, Exception):
        return False
    return isinstance(error, pytest.fail.Exception) and not isinstance(error, pytest.xfail.Exception)


def _where(error: BaseException) -> str:
    where = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__")).partition(".")[0]
        # unittest hides the frames of modules with this name in failed assertions.
        if module not in _HELPERS and "__unittest" not in frame.f_globals:
            where = f"{frame.f_code.co_filename}:{line} in {frame.f_code.co_name}"
    return where
