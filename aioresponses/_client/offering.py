"""What accompanies a call: one of the mocks that it is offered to, or a stand-in if no mock is asked."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from typing import TYPE_CHECKING, Any

from aiohttp import ClientConnectionError

from .._display import add_note, shown_url
from . import active

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientResponse
    from aiohttp.connector import Connection
    from yarl import URL

    from .connectors import InMemoryConnector
    from .frames import Upgraded
    from .interceptor import Interception
    from .transport import Exchange

_UNDECIDED = (
    "aioresponses: the active mocks were started in several threads, but none in this thread or context.\n"
    "Start this thread with asyncio.to_thread, which keeps the context of the test."
)


def offered(method: str, url: URL, kwargs: dict[str, Any], loop: AbstractEventLoop) -> Interception:
    """Return what accompanies a call, offered to whichever mocks are active."""
    asked = active.asked_here()
    if asked is None:
        return _Undecided(method, url)
    if not asked:
        return LEFT_ALONE  # Another thread has just stopped the last mock.
    return asked[0].begin(method, url, kwargs, loop, asked)


class _LeftAlone:
    """A call that goes to the network, unrecorded; it does not belong to the call in whose callback it may be made."""

    connector: InMemoryConnector
    exchange: Exchange

    def plain_far_end(self, *_: object) -> None:
        """Leave the decision to `far_end`."""

    async def far_end(self, *_: object) -> None:
        """Leave the request to the network."""

    def connected_to_network(self, connection: Connection) -> None:
        """Record nothing."""

    def note_upgrade(self, upgraded: Upgraded) -> None:
        """Record nothing."""

    def returned(self, response: ClientResponse) -> None:
        """Record nothing."""

    def has_connection(self, arriving: Callable[[], ClientResponse | None]) -> None:
        """Record nothing."""

    def gave_back(self, response: ClientResponse | None) -> None:
        """Record nothing."""

    def raised(self, error: BaseException) -> BaseException:
        """Return the exception unchanged."""
        return error


LEFT_ALONE = _LeftAlone()

# A call of a `TestClient` to its server, which may redirect it elsewhere.
OF_TEST_CLIENT = _LeftAlone()


class _Undecided(_LeftAlone):
    """A call that may belong to any of several mocks."""

    def __init__(self, method: str, url: URL) -> None:
        self._method = method
        self._url = url

    async def far_end(self, *_: object) -> None:
        """Refuse the request."""
        error = ClientConnectionError(f"Connection refused: {self._method} {shown_url(self._url)}")
        add_note(error, _UNDECIDED)
        raise error
