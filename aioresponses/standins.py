"""The in-memory connectors that stand for those of sessions."""

from __future__ import annotations

import functools
from asyncio import AbstractEventLoop
from collections.abc import Awaitable
from weakref import WeakKeyDictionary, WeakSet, ref

from aiohttp import BaseConnector

from .wire import InMemoryConnector, RefusingConnector

__all__ = ["StandIns"]


class StandIns:
    """Has an in-memory connector for each connector, and each event loop that it is used on."""

    def __init__(self) -> None:
        # The one of the last request, for mostly it is that of the next one as well.
        self._last: tuple[ref[BaseConnector], AbstractEventLoop, InMemoryConnector] | None = None

    # A mock that answers nothing has none of these, and most of the time that it would take is theirs.

    @functools.cached_property
    def _connectors(self) -> WeakKeyDictionary[BaseConnector, dict[AbstractEventLoop, InMemoryConnector]]:
        return WeakKeyDictionary()

    @functools.cached_property
    def _refusing(self) -> WeakSet[RefusingConnector]:
        return WeakSet()

    def of(self, connector: BaseConnector, loop: AbstractEventLoop) -> InMemoryConnector:
        """Return the one that stands for `connector` on `loop`, which is running."""
        last = self._last
        if last is not None and last[0]() is connector and last[1] is loop:
            return last[2]
        connectors = self._connectors.get(connector)
        if connectors is None:
            connectors = self._connectors[connector] = {}
        found = connectors.get(loop)
        if found is None:
            for closed in [loop for loop in connectors if loop.is_closed()]:
                del connectors[closed]
            found = connectors[loop] = InMemoryConnector(connector)
        self._last = (ref(connector), loop, found)
        return found

    def refusing(self, connector: BaseConnector, delay: float) -> InMemoryConnector:
        """Return one that stands for `connector` and refuses the connection after `delay` seconds."""
        refusing = RefusingConnector(connector, delay)
        self._refusing.add(refusing)
        return refusing

    def close_those_of(self, connector: BaseConnector) -> list[Awaitable[object]]:
        """Close those that stand for `connector`, which is being closed; return what is to be waited for."""
        self._last = None
        return [
            told
            for loop, stand_in in self._connectors.pop(connector, {}).items()
            for told in stand_in.close_from_here()
            if loop.is_running()
        ]

    def close(self, why: str) -> None:
        """Close all of them: who waits for a response gets a `ClientConnectionError` with this text."""
        self._last = None
        made = vars(self)
        for connectors in made.pop("_connectors", {}).values():
            for connector in connectors.values():
                connector.close_from_afar(why)
        for refusing in made.pop("_refusing", ()):
            refusing.close_from_afar(why)
