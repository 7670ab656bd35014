"""Mocks of the HTTP requests that `aiohttp.ClientSession` makes, for tests.

aiohttp's own client runs unchanged; only the socket is replaced, by a connection whose other end is in memory.
"""

from .assertions import BodyAssertionsMixin, CallCountAssertionsMixin, CallOrderAssertionsMixin
from .core import CallbackResult, RequestCall, RequestMatch, aioresponses
from .events import ServerSentEvent
from .matchers import FilePart
from .reading import Part
from .registering import Group
from .replies import Fault
from .testcase import AioResponsesTestCase

__version__ = "1.0.0"

__all__ = [
    "AioResponsesTestCase",
    "BodyAssertionsMixin",
    "CallCountAssertionsMixin",
    "CallOrderAssertionsMixin",
    "CallbackResult",
    "Fault",
    "FilePart",
    "Group",
    "Part",
    "RequestCall",
    "RequestMatch",
    "ServerSentEvent",
    "aioresponses",
]
