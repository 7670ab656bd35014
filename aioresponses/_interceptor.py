"""What one mock object does with calls: it begins them, and holds everything that answers them.

A call may be offered to several mock objects. `_interception` declares what it needs from each; this room provides it.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from . import _urls
from ._calls.arguments import UnknownArguments
from ._calls.exchange import Exchange, moment
from ._calls.log import Log
from ._client.connectors import StandIns
from ._client.hooks import STOPPED
from ._interception import Interception
from ._matching.router import Router
from ._urls import merge_params

if TYPE_CHECKING:
    from aiohttp import ClientResponse
    from yarl import URL

    from ._calls.failures import FailedAssertion, FailedSocket
    from ._client.own_connector import OwnConnector
    from ._client.serving import Servers
    from ._far_end import Recorder
    from ._matching.mounts import Mount
    from ._replies.websockets import WebSocketServer


class Interceptor:
    """What one mock object does with calls: what answers them, and where they are recorded.

    `response_class` returns the class of responses for mocks that do not set one. `latency` is how many seconds pass
    before each reply; with None, it arrives in the step of the request.
    """

    def __init__(
        self, router: Router, log: Log, response_class: Callable[[], Callable[..., ClientResponse] | None]
    ) -> None:
        self.router = router
        self.log = log
        self.response_class = response_class
        self.latency: float | None = None
        self.is_active = False
        self.stopped_within: Callable[[], Any] | None = None
        """Returns the last mock that was started and stopped while this one was active, if it still exists."""
        self.stand_ins = StandIns()
        self.recorders: tuple[Recorder, ...] = ()
        """The cassettes in use, the innermost last."""
        self.responses: list[ClientResponse] = []
        self.assertion_classes: tuple[type[BaseException], ...] = ()
        """The classes of assertion errors to record if a user's function raises one."""
        self.failed_assertions: list[FailedAssertion] = []
        self.made = moment()
        """When it was created, as a moment."""
        self.idle_at = 0
        """When a mock or an application was last registered with it while it was inactive, as a moment."""
        self.failed_sockets: list[FailedSocket] = []
        self.sockets: list[WebSocketServer] = []
        """The far ends of mocked WebSockets."""
        self.mounts: list[Mount] = []
        """Applications that answer what no mock answers; those with longer URLs come first."""
        self.connectors: WeakSet[OwnConnector] | tuple[()] = ()
        """The connectors whose requests this mock answers; most mocks have none."""
        self.has_had_connectors = False
        self._servers: Servers | None = None
        self._ending: list[Servers] = []

    @property
    def servers(self) -> Servers:
        """The servers of applications and handlers; they are created when needed."""
        if self._servers is None:
            # Imports aiohttp.web, which takes longer than importing this whole package.
            from ._client.serving import Servers

            with _making:
                self._servers = self._servers or Servers()
        return self._servers

    @property
    def has_servers(self) -> bool:
        """Whether there are servers that have not ended."""
        return self._servers is not None or bool(self._ending)

    @property
    def is_idle(self) -> bool:
        """Whether it is never asked: it is inactive, and has never made a connector."""
        return not (self.is_active or self.has_had_connectors)

    def mount_of(self, url: URL) -> Mount | None:
        """Return the application that answers a request of this URL, if one does."""
        return next((mount for mount in self.mounts if mount._covers(url)), None)

    def add_mount(self, mount: Mount) -> None:
        """Let an application answer what no mock answers."""
        self.mounts = sorted([*self.mounts, mount], key=lambda one: -one._depth)

    def take_out_mount(self, mount: Mount) -> None:
        """Stop an application from answering."""
        self.mounts = [one for one in self.mounts if one is not mount]

    def add_connector(self, connector: OwnConnector) -> None:
        """Add a connector whose requests this mock answers."""
        self.connectors = WeakSet({connector, *self.connectors})
        self.has_had_connectors = True

    def tell_servers(self) -> None:
        """Ask all applications to end."""
        servers, self._servers = self._servers, None
        if servers is not None:
            servers.tell(STOPPED)
            self._ending.append(servers)

    async def end_servers(self) -> None:
        """End all connections, and then all applications; wait for those on the running loop."""
        if self._servers is not None:
            # It stays until everything has ended, and refuses requests in the meantime.
            self._servers.tell(STOPPED)
            self._ending.append(self._servers)
            self.stand_ins.close(STOPPED)
            for connector in tuple(self.connectors):
                connector.hang_up(STOPPED)
        ending, self._ending = self._ending, []
        try:
            for servers in ending:
                await servers.end()
        finally:
            if self._servers in ending:
                self._servers = None

    def note_failed(self, error: BaseException, exchange: Exchange) -> None:
        """Record the failed assertions in what a user's function raised while it helped to answer `exchange`.

        The code under test may swallow them.
        """
        if not self.assertion_classes:
            return
        from ._calls.failures import FailedAssertion, failed_assertions  # Not before it is needed.

        for failed in failed_assertions(error, self.assertion_classes):
            if all(failed is not one.error for one in self.failed_assertions):
                self.failed_assertions.append(FailedAssertion.of(failed, self.log.call_of(exchange)))

    def begin(
        self,
        method: str,
        url: URL,
        kwargs: dict[str, Any],
        loop: AbstractEventLoop,
        asked: tuple[Interceptor, ...],
    ) -> Interception:
        """Record a call that begins; return what accompanies it. The mocks in `asked` begin with this one."""
        if "params" in kwargs:
            try:
                url = merge_params(url, kwargs["params"])
            except Exception:
                pass  # aiohttp is about to raise an error for these.
        exchange = Exchange(method, url, _urls.normalize_url(url), kwargs)
        self.log.record(exchange)
        return Interception(asked, exchange, kwargs, loop)

    def begin_through_connector(self, method: str, url: URL, loop: AbstractEventLoop) -> Interception:
        """Record a call that begins, whose requests come through a connector of this mock, even if it is inactive."""
        kwargs = UnknownArguments()
        exchange = Exchange(method, url, _urls.normalize_url(url), kwargs)
        self.log.record(exchange)
        call = Interception((self,), exchange, kwargs, loop)
        call.is_through_connector = True
        return call


# Held while the servers of a mock are created.
_making = Lock()
