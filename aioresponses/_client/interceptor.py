"""What the hooks need of whoever decides about requests, stated as protocols."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from aiohttp import BaseConnector, ClientRequest, ClientResponse
    from aiohttp.tracing import Trace
    from typing_extensions import Self
    from yarl import URL

    from .connectors import InMemoryConnector, StandIns
    from .transport import Receive, Respond


class FarEnd(Protocol):
    """What answers one request, in memory."""

    @property
    def connector(self) -> InMemoryConnector: ...

    @property
    def receive(self) -> Receive: ...

    @property
    def respond(self) -> Respond: ...

    @property
    def latency(self) -> float | None:
        """After how many seconds it responds; for 0 in the next turn of the loop, for None in the same."""


class Interception(Protocol):
    """One call on its way."""

    async def far_end(self, request: ClientRequest, connector: BaseConnector, traces: list[Trace]) -> FarEnd | None:
        """Return what answers a request that asks `connector` for a connection; None if the network does.

        Raises where the request is refused.
        """

    def connected(self) -> Callable[[], None]:
        """Note that a request has got a connection; return what is to be called when it has gone."""

    def returned(self, response: ClientResponse | None) -> None:
        """Note that the call returned."""

    def raised(self, error: BaseException) -> BaseException:
        """Note that the call raised; return the exception that its caller is to get."""


class Interceptor(Protocol):
    """Whom the hooks ask: a mock."""

    is_active: bool
    """Whether it has been started, and not been stopped since."""

    @property
    def stand_ins(self) -> StandIns: ...

    def begin(
        self,
        method: str,
        url: URL,
        kwargs: dict[str, Any],
        loop: AbstractEventLoop,
        outer: Sequence[Self],
    ) -> Interception:
        """Note that a call begins, of which this is asked first, and then the `outer` ones, one after another."""
