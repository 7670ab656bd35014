"""What the hooks need from the code that decides about requests, declared as protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from .protocol import FarEnd as InMemoryFarEnd

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

    from aiohttp import BaseConnector, ClientRequest, ClientResponse, ClientTimeout
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace
    from yarl import URL

    from .connectors import InMemoryConnector, StandIns
    from .frames import Upgraded
    from .transport import Exchange


class FarEnd(InMemoryFarEnd, Protocol):
    """What answers one request in memory: a canned reply, or a server that answers in its own time."""

    @property
    def has_server(self) -> bool: ...

    async def start_server(self) -> None:
        """Start the server if it is not running; raises what its startup raises."""

    def serve(self, connection: Connection, call: Exchange) -> None:
        """Let the server answer the request, which is about to be written to this connection.

        The `call` counts as connected until the client has given the connection back or lost it.
        """


class Interception(Protocol):
    """One call on its way."""

    @property
    def connector(self) -> InMemoryConnector:
        """The connector to the far end that was returned last."""

    @property
    def exchange(self) -> Exchange:
        """Records when the call has a connection."""

    def plain_far_end(
        self, request: ClientRequest, connector: BaseConnector, traces: list[Trace], timeout: ClientTimeout
    ) -> FarEnd | None:
        """Return what answers a request if its method and URL alone decide that; None if more must be examined."""

    async def far_end(
        self, request: ClientRequest, connector: BaseConnector, traces: list[Trace], timeout: ClientTimeout
    ) -> FarEnd | None:
        """Return what answers a request that asks `connector` for a connection; None if the network does.

        Raises if the request is refused.
        """

    def connected_to_network(self, connection: Connection) -> None:
        """Record that a request has a connection to the network."""

    def note_upgrade(self, upgraded: Upgraded) -> None:
        """Record that the connection of the last request, which went to the network, has switched protocols."""

    def returned(self, response: ClientResponse) -> None:
        """Record that the call returned."""

    def has_connection(self, arriving: Callable[[], ClientResponse | None]) -> None:
        """Record that a request that has bypassed the hook of `_request` has a connection.

        `arriving` returns its response, once there is one.
        """

    def gave_back(self, response: ClientResponse | None) -> None:
        """Record the end of a call of which only one thing is known: that it gave its connection back."""

    def raised(self, error: BaseException) -> BaseException:
        """Record that the call raised; return the exception that the caller gets."""


class Interceptor(Protocol):
    """What the hooks ask: a mock."""

    is_active: bool
    """Whether it has been started and not stopped since."""

    stopped_within: Callable[[], Interceptor | None] | None
    """Returns the last mock that was started and stopped while this one was active, if it still exists."""

    @property
    def log(self) -> Any:
        """Where its calls are recorded; the hooks do not use it."""

    @property
    def stand_ins(self) -> StandIns: ...

    def begin_through_connector(self, method: str, url: URL, loop: AbstractEventLoop) -> Interception:
        """Begin a call whose requests come through a connector of this mock; no other mock is asked."""

    def begin(
        self,
        method: str,
        url: URL,
        kwargs: dict[str, Any],
        loop: AbstractEventLoop,
        asked: tuple[Any, ...],
    ) -> Interception:
        """Begin a call, which is offered to the mocks in `asked`, this one first."""
