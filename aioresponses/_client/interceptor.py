"""What the hooks need of whoever decides about requests, stated as protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from .protocol import FarEnd as InMemoryFarEnd

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from aiohttp import BaseConnector, ClientRequest, ClientResponse, ClientTimeout
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace
    from yarl import URL

    from .connectors import InMemoryConnector, StandIns
    from .frames import Upgraded
    from .transport import Exchange


class FarEnd(InMemoryFarEnd, Protocol):
    """What answers one request, in memory; it may be a server, which answers in its own time."""

    @property
    def has_server(self) -> bool: ...

    async def start_server(self) -> None:
        """Have the server be there; raises what its start-up raises."""

    def serve(self, connection: Connection, call: Exchange) -> None:
        """Have the server answer the request, which is about to be written to this connection.

        The `call` is connected until the client has given the connection back, or has lost it.
        """


class Interception(Protocol):
    """One call on its way."""

    @property
    def connector(self) -> InMemoryConnector:
        """Has the connections to the last far end that was returned."""

    @property
    def exchange(self) -> Exchange:
        """What notes when the call has a connection."""

    def plain_far_end(
        self, request: ClientRequest, connector: BaseConnector, traces: list[Trace], timeout: ClientTimeout
    ) -> FarEnd | None:
        """Return what answers a request, where its method and URL alone tell; None where there is more to find out."""

    async def far_end(
        self, request: ClientRequest, connector: BaseConnector, traces: list[Trace], timeout: ClientTimeout
    ) -> FarEnd | None:
        """Return what answers a request that asks `connector` for a connection; None if the network does.

        Raises where the request is refused.
        """

    def connected_to_network(self, connection: Connection) -> None:
        """Note that a request has got a connection to the network."""

    def note_upgrade(self, upgraded: Upgraded) -> None:
        """Note that the connection of the last request, which went to the network, speaks another protocol now."""

    def returned(self, response: ClientResponse) -> None:
        """Note that the call returned."""

    def gave_back(self, response: ClientResponse | None) -> None:
        """Note the end of a call that nothing more is known of than that it gave its connection back."""

    def raised(self, error: BaseException) -> BaseException:
        """Note that the call raised; return the exception that its caller is to get."""


class Interceptor(Protocol):
    """Whom the hooks ask: a mock."""

    is_active: bool
    """Whether it has been started, and not been stopped since."""

    @property
    def log(self) -> Any:
        """Where its calls are recorded, which is nothing to the hooks."""

    @property
    def stand_ins(self) -> StandIns: ...

    def begin_through_connector(self, method: str, url: URL, loop: AbstractEventLoop) -> Interception:
        """Note that a call begins whose requests come through a connector of this mock; no other mock is asked."""

    def begin(
        self,
        method: str,
        url: URL,
        kwargs: dict[str, Any],
        loop: AbstractEventLoop,
        asked: tuple[Any, ...],
    ) -> Interception:
        """Note that a call begins, which is offered to the mocks that are `asked`, this one first."""
