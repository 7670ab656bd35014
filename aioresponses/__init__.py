"""Mocks of the HTTP requests that `aiohttp.ClientSession` makes, for tests.

aiohttp's own client runs unchanged; only the socket is replaced, by a connection whose other end is in memory.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._calls.messages import Part
from ._compatibility import CompatibilityWarning
from ._registering import Group
from ._replies.events import ServerSentEvent
from ._replies.results import Fault
from .core import CallbackResult, RequestCall, RequestMatch, aioresponses
from .matchers import FilePart

if TYPE_CHECKING:
    from .assertions import BodyAssertionsMixin, CallCountAssertionsMixin, CallOrderAssertionsMixin
    from .testcase import AioResponsesTestCase

__version__ = "1.0.0"

__all__ = [
    "AioResponsesTestCase",
    "BodyAssertionsMixin",
    "CallCountAssertionsMixin",
    "CallOrderAssertionsMixin",
    "CallbackResult",
    "CompatibilityWarning",
    "Fault",
    "FilePart",
    "Group",
    "Part",
    "RequestCall",
    "RequestMatch",
    "ServerSentEvent",
    "aioresponses",
]

# unittest takes longer to import than all of this package, and those who use the mock alone may do without it.
_WITH_UNITTEST = {
    "AioResponsesTestCase": ".testcase",
    "BodyAssertionsMixin": ".assertions",
    "CallCountAssertionsMixin": ".assertions",
    "CallOrderAssertionsMixin": ".assertions",
}


def __getattr__(name: str) -> object:
    if name not in _WITH_UNITTEST:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_WITH_UNITTEST[name], __name__), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
