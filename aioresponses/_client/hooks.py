"""The hooks into aiohttp: which of its methods are replaced while a mock is active, and what the replacements do.

Theory
------
While at least one mock is active, three methods of aiohttp are replaced by hooks. `activate` puts the hooks in place;
`deactivate` takes them out with the last mock.

Every request of a session goes through `ClientSession._request`, including those of `aiohttp.request` and
`ws_connect`. Its hook records the call and its arguments, runs aiohttp's own method, and records how the call ended.
The method is private, but no public method sees all requests, and 0.7.9 replaced it as well: suites rely on what it
sees.

A request asks for a connection through `BaseConnector.connect`, after it has been built and signed and has passed all
middlewares. Its hook asks who answers the request. If a mock does, the hook returns an in-memory connection; if the
request is passed through, the hook does what aiohttp does; otherwise it refuses the request. Because `connect` sits
below redirects and middlewares, the hook is called for every hop of a redirect and every retry of a middleware.
Connectors inherit it. Classes that override `connect` get a hook of their own, and so does a `connect` that was set on
a connector object, when its session makes a call.

Who answers is decided before there is a connection, because a request that no mock answers may have to go to the
network. So if a mock checks more than method and URL, it examines what is about to be sent: the headers, including
those that aiohttp adds at the last moment, and the body, which is read ahead if it can be read only once.

The hook of `BaseConnector.close` closes the in-memory connections of a connector along with its own.

The hooks of `_request` and `connect` share a call through a context variable, because aiohttp passes nothing from one
method to the other, and requests of one session run side by side. A request that reaches `connect` without a call has
bypassed the hook of `_request`: the method was fetched before the mock started, or was replaced on a session. Such a
request counts as a call of its own. Nothing but the request is known about it, and it ends when it gives its
connection back.

Private names of aiohttp, the same from 3.8.6 to 3.14.5: `ClientSession._request`, `_connector`, `_loop`, `_build_url`,
`_default_headers` and `_prepare_headers`, which give the parts of a call, and `BaseConnector._closed`, because its
property would cost every request time.
"""

from __future__ import annotations

import inspect
import sys
from asyncio import gather, get_running_loop
from collections.abc import Awaitable, Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from aiohttp import BaseConnector, ClientConnectionError, ClientSession

from . import active
from .connectors import InMemoryConnector
from .lending import lend, take_back
from .offering import OF_TEST_CLIENT, offered
from .outgoing import authorize_to_proxy, response_of
from .places import Hook, MakeHook, Method, unbound
from .wrapping import empty_frames

if TYPE_CHECKING:
    from aiohttp import ClientRequest, ClientResponse, ClientTimeout
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace
    from yarl import URL

    from .interceptor import Interception, Interceptor

STOPPED = "aioresponses was stopped while this request was in flight"

# The call, in a list that is emptied when the call is over: timers and tasks keep their context, and thus the list, for
# longer.
_call: ContextVar[Sequence[Interception]] = ContextVar("aioresponses_call", default=())


def activate(interceptor: Interceptor) -> None:
    """Make this mock the innermost one, and put the hooks in place if necessary. Does all of this or nothing."""

    def step() -> None:
        active.add(interceptor)
        _settle()

    try:
        active.exclusively(step)
    except BaseException:
        deactivate(interceptor)
        raise


def deactivate(interceptor: Interceptor) -> None:
    """Leave no trace of this mock: take the hooks out if it was the last one, and end its connections."""

    def step() -> None:
        active.discard(interceptor)
        _settle()

    try:
        active.undo(step)
    finally:
        interceptor.stand_ins.close(STOPPED)


def _settle() -> None:
    """Put the hooks in place if a mock is active, and take them out otherwise."""
    if active.activations:
        for owner, name, make in _seams():
            Hook.put(owner, name, make)
        _note_base_connect()
    else:
        for hook in list(Hook.by_place.values()):
            hook.take_out()
        take_back()


# The hook of `BaseConnector.connect`, which most connectors inherit.
_base_connect: Method | None = None


def _note_base_connect() -> None:
    global _base_connect
    _base_connect = Hook.by_place[BaseConnector, "connect"].function


def _request_hook(hook: Hook, original: Method) -> Method:
    async def _request(session: ClientSession, method: str, str_or_url: str | URL, **kwargs: Any) -> ClientResponse:
        if hook.is_replaced or not active.activations:
            return await original(session, method, str_or_url, **kwargs)  # type: ignore[no-any-return]
        current = _begin(session, method, str_or_url, kwargs)
        token = _call.set(current)
        failure: BaseException
        try:
            response: ClientResponse = await original(session, method, str_or_url, **kwargs)
        except BaseException as error:
            if not current:
                raise
            failure = current.pop().raised(error)
            empty_frames(failure)
        else:
            if current:
                current.pop().returned(response)
            return response
        finally:
            try:
                _call.reset(token)
            except ValueError:
                pass  # The request was never awaited to its end, and is being closed in another context.
        # Raised outside of the handler, so that its context is not the exception in which aiohttp wrapped it.
        try:
            raise failure
        finally:
            del failure  # The traceback of the exception refers to this frame.

    return _request


def _begin(
    session: ClientSession, method: str, str_or_url: str | URL, kwargs: dict[str, Any]
) -> list[Interception]:
    """Return what accompanies a call of a session, in a list that is emptied when the call is over.

    The list is empty from the start if the call will not get as far as sending a request.
    """
    connector = session._connector
    if connector is None or connector._closed:
        return []
    loop = get_running_loop()
    if session._loop is not loop and not session._loop.is_running():
        lend(session, loop)
    try:
        url = session._build_url(str_or_url)
    except Exception:
        return []  # aiohttp is about to raise the same error.
    has_own_connect = getattr(type(connector), "connect", None) is not _base_connect or "connect" in vars(connector)
    if has_own_connect and isinstance(connector, InMemoryConnector):
        return []  # It needs no hooks.
    if not getattr(session, "_retry_connection", False) and "aiohttp.test_utils" in sys.modules:
        from .own_servers import is_of_test_client  # Not before there may be such a server.

        if is_of_test_client(session, url):
            return [OF_TEST_CLIENT]
    if has_own_connect:
        _reach(connector)
    kwargs.setdefault("allow_redirects", True)
    if session._default_headers:
        kwargs = {**kwargs, "headers": session._prepare_headers(kwargs.get("headers"))}
    activations = active.activations
    if len(activations) == 1:
        asked = activations[0].alone
        return [asked[0].begin(method, url, kwargs, loop, asked)]
    return [offered(method, url, kwargs, loop)]


def _connect_hook(hook: Hook, original: Method) -> Method:
    async def connect(
        connector: BaseConnector, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> Connection:
        if hook.is_replaced or not active.activations:
            return await original(connector, req, traces, timeout)  # type: ignore[no-any-return]
        current = _call.get()
        if not current:
            return await _connect_alone(hook, connector, req, traces, timeout)
        call = current[0]
        if connector._closed:
            # As without a mock, if the session is closed while aiohttp prepares to try again. It looks only once it has
            # a new connection.
            for trace in traces:
                await trace.send_connection_create_start()
            for trace in traces:
                await trace.send_connection_create_end()
            raise ClientConnectionError("Connector is closed.")
        far_end = call.plain_far_end(req, connector, traces, timeout)
        if far_end is None:
            far_end = await call.far_end(req, connector, traces, timeout)
            if far_end is None:
                if call is OF_TEST_CLIENT:
                    from .own_servers import is_own_server  # Loaded already.

                    # A redirect away from the servers of the test is a request like any other.
                    if not is_own_server(req.url):
                        return await _connect_alone(hook, connector, req, traces, timeout)
                from .passing import pass_through  # Not before it is needed.

                return await pass_through(call, req, original(connector, req, traces, timeout))
        has_server = far_end.has_server
        if has_server:
            await far_end.start_server()
        if req.proxy is not None:
            authorize_to_proxy(req, connector)
        stand_in = call.connector
        connection: Connection | None = stand_in.spare_connection(req, traces)
        if connection is None:
            base_connect = Hook.by_place[BaseConnector, "connect"].original
            connection = await base_connect(stand_in, req, traces, timeout)
            assert connection is not None
            if connection.closed:
                # It was closed while a trace waited.
                connection.close()
                raise ClientConnectionError("Connector is closed." if connector._closed else STOPPED)
        if has_server:
            far_end.serve(connection, call.exchange)
            return connection
        # A private name, because the property would cost every request time.
        connection._protocol.expect(far_end, call.exchange)  # type: ignore[union-attr]
        return connection

    return connect


async def _connect_alone(
    hook: Hook, connector: BaseConnector, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
) -> Connection:
    """Connect a request that has bypassed the hook of `_request`, as a call of its own."""
    current = [offered(req.method, req.url, {}, get_running_loop())]
    token = _call.set(current)
    try:
        connection: Connection = await unbound(hook.function, hook.owner)(connector, req, traces, timeout)
    except BaseException as error:
        empty_frames(current.pop().raised(error))
        raise
    finally:
        try:
            _call.reset(token)
        except ValueError:
            pass
    current[0].has_connection(lambda: response_of(req))
    connection.add_callback(lambda: current.pop().gave_back(response_of(req)))
    return connection


def _close_hook(hook: Hook, original: Method) -> Method:
    def close(connector: BaseConnector, *args: Any, **kwargs: Any) -> Awaitable[None]:
        closed: Awaitable[None]
        if inspect.iscoroutinefunction(original):
            # In aiohttp 4, nothing is closed until this is awaited.
            return _close_when_awaited(connector, original(connector, *args, **kwargs))
        closing = _close_stand_ins(connector)
        closed = original(connector, *args, **kwargs)
        return _all_of(closing, closed) if closing else closed

    return close


def _close_stand_ins(connector: BaseConnector) -> list[Awaitable[object]]:
    return [
        future for one in active.activations for future in one.interceptor.stand_ins.close_those_of(connector)
    ]


async def _close_when_awaited(connector: BaseConnector, closed: Awaitable[None]) -> None:
    await _all_of(_close_stand_ins(connector), closed)


async def _all_of(closing: list[Awaitable[object]], closed: Awaitable[None]) -> None:
    # Gathered as aiohttp gathers its own: code that waits for a response resumes before the session forgets its
    # connector, and what has been broken off meanwhile does not concern the code that closes. (From Python 3.12 on,
    # gathering what is already over takes no turn of the loop, so this comes first.)
    all_closed = gather(*closing, return_exceptions=True)
    try:
        await closed
    finally:
        await all_closed


def _seams() -> Iterator[tuple[type, str, MakeHook]]:
    """Yield the place of each hook, with the function that makes the hook."""
    yield BaseConnector, "connect", _connect_hook
    yield BaseConnector, "close", _close_hook
    found = list(BaseConnector.__subclasses__())
    for connector in found:
        if connector is not InMemoryConnector:
            found += connector.__subclasses__()
            if "connect" in connector.__dict__ and not issubclass(connector, InMemoryConnector):
                yield connector, "connect", _connect_hook
    # Last, so that no request of another thread becomes a call before the other hooks can answer it.
    yield ClientSession, "_request", _request_hook


def _is_stub(placed: object) -> bool:
    unittest_mock = sys.modules.get("unittest.mock")
    return unittest_mock is not None and isinstance(placed, unittest_mock.NonCallableMock)


def _reach(connector: BaseConnector) -> None:
    """Put a hook on each `connect` of this connector and its classes: an override need not call the hooked one."""

    def step() -> None:
        owners: list[type | BaseConnector] = [connector, *type(connector).__mro__]
        for owner in owners:
            placed = vars(owner).get("connect")
            # A stub that a test puts there while the mock is active replaces the network, as the test intends.
            if placed is not None and active.activations and not _is_stub(placed):
                Hook.put(owner, "connect", _connect_hook)
        _note_base_connect()

    active.exclusively(step)
