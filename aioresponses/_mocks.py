"""What is registered with an `aioresponses`: mocks, WebSockets and applications, and how they answer.

Nothing here depends on whether the object is used as a context manager, as a decorator or otherwise; `core` does that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aiohttp import hdrs
from yarl import URL

from ._calls.exchange import moment
from ._calls.log import Log
from ._checks import Default, check_flag, check_seconds, default, hides_unknown
from ._compatibility import effective_prefixes
from ._interception import idle
from ._interceptor import Interceptor
from ._matching.conditions import CONDITIONS
from ._matching.router import Router
from ._registering import ARGUMENTS, Registering, route_of
from ._replies.encoding import checked_dumps
from ._replies.results import CallbackResult

if TYPE_CHECKING:
    from http.cookies import Morsel

    from aiohttp import BaseConnector, ClientResponse
    from typing_extensions import Never, Unpack

    # Type checkers do not see what `_compatibility.RequestMatch` adds for old suites.
    from ._calls.record import RequestMatch
    from ._client.serving import Application
    from ._groups import Group
    from ._matching.conditions import ConditionArguments, Match
    from ._matching.mounts import Mount
    from ._matching.targets import Url
    from ._registering import ReplyArguments
    from ._replies.bodies import Body
    from ._replies.callbacks import Callback
    from ._replies.encoding import JsonDumps
    from ._replies.handlers import Handler
    from ._replies.reply import Raises
    from ._replies.results import Events, Fault, Headers, Payload
    from ._replies.websockets import Script
    from ._sockets import WebSocketMock
else:
    from ._compatibility import RequestMatch


class Mocks(Registering):
    """The registered mocks, and everything else that answers requests."""

    def __init__(
        self,
        passthrough: Iterable[Url],
        passthrough_unmatched: bool,
        json_dumps: JsonDumps,
        latency: float | None,
        log: Log,
        response_class: Callable[[], type[ClientResponse] | None],
    ) -> None:
        check_flag("passthrough_unmatched", passthrough_unmatched)
        self.json_dumps = json_dumps
        self._log = log
        self._router = Router(effective_prefixes(passthrough), passthrough_unmatched, log.call_of)
        self._interceptor = Interceptor(self._router, log, response_class)
        self.latency = latency

    @property
    def active(self) -> bool:
        """Whether this mock has been started, and not been stopped since."""
        return self._interceptor.is_active

    @hides_unknown
    def add(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        url: Url,
        method: str | None = hdrs.METH_GET,
        status: int | None = default(200),
        body: Body | None = default(""),
        exception: Raises | None = default(None),
        content_type: str | None = default("application/json"),
        payload: Payload | None = default(None),
        headers: Headers | None = default(None),
        response_class: Callable[..., ClientResponse] | None = default(None),
        repeat: bool | int = default(False),
        timeout: bool = default(False),
        reason: str | None = default(None),
        callback: Callback | None = default(None),
        optional: bool = default(False),
        *,
        cookies: Mapping[str, str | Morsel[str]] | None = default(None),
        delay: float = default(0),
        events: Events | None = default(None),
        fault: Fault | None = default(None),
        handler: Handler | None = default(None),
        replies: Sequence[ReplyArguments | Raises | CallbackResult] | None = default(None),
        match_query: Any = default(None),
        match_headers: Any = default(None),
        match_json: Any = default(None),
        match_form: Any = default(None),
        match_body: Any = default(None),
        match: Match | Iterable[Match] | None = default(None),
        override: bool = default(False),
        passthrough: bool = default(False),
        **unknown: Never,
    ) -> RequestMatch:
        # The docstring of `Registering.add` explains the arguments.
        for name in unknown:
            from ._suggestions import unexpected  # Not before it is needed.

            raise unexpected("add", name, ARGUMENTS)
        arguments = {name: value for name, value in locals().items() if name in ARGUMENTS}
        given = {name: value for name, value in arguments.items() if not isinstance(value, Default)}
        handle = RequestMatch(url, method, **given)
        self._register(handle)
        return handle

    def _register(self, handle: RequestMatch) -> None:
        self._router.add(route_of(handle, self.json_dumps))
        self._note_registered()

    def _note_registered(self) -> None:
        if not self.active:
            self._interceptor.idle_at = moment()
            idle.add(self._interceptor)

    def mount(
        self,
        url: str | URL,
        app: Application,
        raise_exceptions: bool = False,
        handler_cancellation: bool = False,
    ) -> Mount:
        """Let an application answer all requests below `url` that no mock answers; the order does not matter.

        - `url`: text or a `yarl.URL`, with a scheme and a host, without a query. The application sees the URLs that the
          client asked for, so if `url` has a path, its routes must begin with that path. Of several applications, the
          one with the longest URL answers. `https` covers `wss` as well, and `http` covers `ws`.
        - `app`: an `aiohttp.web.Application`; a `web.Server`; or a function, plain or a coroutine function, that
          returns an application, and is called once on each event loop.
        - `raise_exceptions`: whether the exceptions of handlers reach the caller. By default the caller gets a response
          with the status 500, as from a server.
        - `handler_cancellation`: whether a handler is cancelled when the client closes the connection, as with the same
          argument of `web.run_app` (aiohttp 3.9 and newer).

        The application starts before its first request, on the loop of that request, which raises any exception of the
        start-up. The application ends with the mock: `async with`, `aclose()` and `AioResponsesTestCase` wait for its
        end, and so does `asyncio.run()`; `stop()` and a plain `with` only initiate it.

        Returns the `Mount`. Raises `TypeError` or `ValueError`, with the name of the argument, for wrong arguments.

        >>> mock.mount("https://api.example.com/v1", application)
        <Mount https://api.example.com/v1, used 0 times>
        """
        # This imports aiohttp.web, which takes longer than importing all of this package.
        from ._matching.mounts import Mount

        mount = Mount(
            url, app, raise_exceptions, handler_cancellation, self._log.call_of, self._interceptor.take_out_mount
        )
        self._interceptor.add_mount(mount)
        self._note_registered()
        return mount

    def websocket(
        self,
        url: Url,
        script: Script | None = None,
        *,
        protocols: Sequence[str] = (),
        heartbeat: float | None = None,
        autoping: bool = True,
        compress: bool = True,
        max_msg_size: int = 4194304,
        headers: Headers | None = None,
        repeat: bool | int = True,
        optional: bool = False,
        override: bool = False,
        **conditions: Unpack[ConditionArguments],
    ) -> WebSocketMock:
        """Register a mock of a WebSocket, which accepts connections, records what is sent, and stays open.

        - `url`: as for other mocks; `wss` and `https` count as the same scheme here, and so do `ws` and `http`.
        - `script`: what each connection does: a list of steps, or a coroutine function that takes the
          `WebSocketConnection`. Text, bytes, dicts and lists are steps that send them; `aioresponses.websockets` has
          the other steps. If a script fails, the connection is lost, and the test fails.
        - `protocols`, `heartbeat`, `autoping`, `compress` and `max_msg_size`: those of `web.WebSocketResponse`.
        - `headers`: those of the response that accepts the connection.
        - `repeat`, `optional`, `override` and conditions: as for other mocks; any number of connections by default.

        Returns the `WebSocketMock`. Raises `TypeError` or `ValueError`, with the name of the argument, for wrong
        arguments.

        >>> ws = mock.websocket("wss://stream.example.com/ticks", [Expect({"op": "subscribe"}), {"price": 1}])
        """
        for name in conditions:
            if name not in CONDITIONS:
                from ._groups import WEBSOCKET_ARGUMENTS  # Not before they are needed.
                from ._suggestions import unexpected

                raise unexpected("websocket", name, WEBSOCKET_ARGUMENTS)
        # This imports aiohttp.web, which takes longer than importing all of this package.
        from ._sockets import WebSocketMock

        options = {
            "protocols": protocols, "heartbeat": heartbeat, "autoping": autoping, "compress": compress,
            "max_msg_size": max_msg_size,
        }
        handle = WebSocketMock(
            url,
            script,
            options=options,
            headers=headers,
            repeat=repeat,
            optional=optional,
            override=override,
            **conditions,
        )
        handle._server.note_failed = self._interceptor.failed_sockets.append
        self._register(handle)
        self._interceptor.sockets.append(handle._server)
        return handle

    def connector(self, **options: Any) -> BaseConnector:
        """Return a connector for `ClientSession(connector=…)` whose requests this mock answers, started or not.

        It needs no patches: its requests are offered only to this mock, whichever mocks are active. It has a pool of
        connections of its own. The `options` are those of `aiohttp.BaseConnector`, such as `limit`, and like that
        class, this method needs a running loop. A connector sees requests, but not the arguments of the session's
        methods: the `kwargs` of the calls are empty, and assertions about them say why.

        >>> session = ClientSession(connector=mock.connector(limit=10))
        """
        # Few tests need it.
        from ._client.own_connector import OwnConnector

        connector = OwnConnector(self._interceptor, **options)
        self._interceptor.add_connector(connector)
        return connector

    def host(
        self, url: str | URL, headers: Headers | None = None, match_headers: Mapping[str, Any] | None = None
    ) -> Group:
        """Return a group of mocks below `url`, which are registered by their paths, or by patterns for paths.

        Its replies have the `headers`, and its requests must have the `match_headers`, unless a mock overrides them.
        Raises `TypeError` or `ValueError` if `url` is not a URL, or has a query.

        >>> api = mock.host("https://api.example.com/v2", match_headers={"Authorization": "Bearer secret"})
        >>> api.get("/users/{id}", payload={"name": "Ada"})
        <RequestMatch GET https://api.example.com/v2/users/{id}, match_headers={'Authorization': '…'}, used 0 of 1>
        """
        from ._groups import Group  # Few tests need one.

        return Group(self.add, self.websocket, url, headers, match_headers)

    def clear(self) -> None:
        """Forget all mocks and mounted applications; `requests` and `calls` remain."""
        self._router.clear()
        self._interceptor.mounts.clear()
        self._responses.clear()

    @property
    def unused_mocks(self) -> list[RequestMatch]:
        """The registered mocks that were never used, or that have replies left, except those that are optional.

        See `call_count` and `remaining` of each. For a mock that answers any number of requests, one request is enough.
        """
        return [mock for mock in self._router.registered if mock._at_work.left_to_answer and not mock.optional]

    @property
    def passthrough_unmatched(self) -> bool:
        """Whether requests that match no mock go to the network."""
        return self._router.passthrough_unmatched

    @passthrough_unmatched.setter
    def passthrough_unmatched(self, value: bool) -> None:
        check_flag("passthrough_unmatched", value)
        self._router.passthrough_unmatched = value

    @property
    def latency(self) -> float | None:
        """The seconds that pass before each reply starts; 0 stands for one turn of the event loop, None for no wait."""
        return self._interceptor.latency

    @latency.setter
    def latency(self, value: float | None) -> None:
        if value is not None:
            check_seconds("latency", value, "seconds or None")
        self._interceptor.latency = value

    @property
    def json_dumps(self) -> JsonDumps:
        """The function that serialises the payloads of mocks that are registered from now on."""
        return self._json_dumps

    @json_dumps.setter
    def json_dumps(self, value: JsonDumps) -> None:
        self._json_dumps = checked_dumps(value)

    # Names of 0.7 that suites read and change.

    @property
    def _passthrough(self) -> list[Url]:
        return self._router.passthrough

    @_passthrough.setter
    def _passthrough(self, value: list[Url]) -> None:
        self._router.passthrough = value

    @property
    def _matches(self) -> dict[str, RequestMatch]:
        return self._router.matches

    @property
    def _responses(self) -> list[ClientResponse]:
        return self._interceptor.responses
