"""Mocks of the HTTP requests that `aiohttp.ClientSession` makes, for tests.

aiohttp's own client runs unchanged; only the socket is replaced, by a connection whose other end is in memory.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import compat as compat, core as core, matchers as matchers  # noqa: F401
    from ._calls.multipart import Part
    from ._checks import CompatibilityWarning
    from ._client.application_clients import application_client
    from ._client.clock import VirtualClock
    from ._groups import Group
    from ._matching.mounts import Mount
    from ._replies.connections import WebSocketConnection
    from ._replies.events import ServerSentEvent
    from ._replies.results import Fault
    from ._sockets import WebSocketMock
    from .assertions import BodyAssertionsMixin, CallCountAssertionsMixin, CallOrderAssertionsMixin
    from .core import CallbackResult, RequestCall, RequestMatch, aioresponses
    from .matchers import FilePart
    from .testcase import AioResponsesTestCase

__version__ = "2.0.0"

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
    "Mount",
    "Part",
    "RequestCall",
    "RequestMatch",
    "ServerSentEvent",
    "VirtualClock",
    "WebSocketConnection",
    "WebSocketMock",
    "aioresponses",
    "application_client",
]

# pytest imports the plugin, and with it this package, in every run, even if no test uses it, and unittest takes longer
# to import than this whole package. So each name is imported on first access.
_LAZY = {
    "AioResponsesTestCase": ".testcase",
    "BodyAssertionsMixin": ".assertions",
    "CallCountAssertionsMixin": ".assertions",
    "CallOrderAssertionsMixin": ".assertions",
    "CallbackResult": ".core",
    "CompatibilityWarning": "._checks",
    "Fault": "._replies.results",
    "FilePart": ".matchers",
    "Group": "._groups",
    "Mount": "._matching.mounts",
    "Part": "._calls.multipart",
    "RequestCall": ".core",
    "RequestMatch": ".core",
    "ServerSentEvent": "._replies.events",
    "VirtualClock": "._client.clock",
    "WebSocketConnection": "._replies.connections",
    "WebSocketMock": "._sockets",
    "aioresponses": ".core",
    "application_client": "._client.application_clients",
}

# Modules that are available after `import aioresponses` alone, the first two as in aioresponses 0.7.
_LAZY_MODULES = ("compat", "core", "matchers")

if not TYPE_CHECKING:  # With it, type checkers would accept every name.

    def __getattr__(name: str) -> object:
        if name in _LAZY_MODULES:
            return import_module(f".{name}", __name__)
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(_LAZY[name], __name__), name)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_LAZY_MODULES})
