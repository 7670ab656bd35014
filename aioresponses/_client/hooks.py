"""The hooks into aiohttp, and which mock they ask.

Theory
------
While at least one mock is active, three methods of aiohttp are ours; they are put in place by the first mock that is
activated and taken out by the last one that goes.

`ClientSession._request` is what every request of a session goes through, `aiohttp.request` and `ws_connect`
included. Our hook notes the call with its arguments, runs aiohttp's own method, and notes how it ended. It is private,
but no public method sees all requests, and 0.7.9 replaced it as well: suites rely on what it sees.

`BaseConnector.connect` is where a request, built and signed and seen by all middlewares, asks for a connection. Our
hook asks who answers it: for a registered mock it returns an in-memory connection, for a passthrough it does what
aiohttp does, and for nobody it refuses. Since it sits below redirects and middlewares, it is asked for every hop of a
redirect and every retry of a middleware. Connectors inherit it; into a class that has a `connect` of its own, it is put
when a session with such a connector makes its first request.

Who answers is settled before there is a connection, for a request that no mock answers may have to go to the network.
So mocks that ask for more than method and URL look at what is about to be sent: the headers, with those that aiohttp
adds in the last moment, and the body, which is read ahead where it can be read only once.

`BaseConnector.close` closes the in-memory connections of a connector along with its own.

The two hooks of one call find each other by a context variable, because aiohttp hands nothing from one to the other,
and requests of one session run side by side. The mock that a call belongs to is the innermost one at its start.

A session keeps the loop that it was made on, for its timers and tasks. Suites share sessions over tests, each with a
loop of its own, so a session whose loop does not run is lent the running one, until the last mock is stopped.

Private names of aiohttp, the same from 3.8.6 to 3.14.5: `ClientSession._request`, `_connector`, `_loop`, `_build_url`,
`_default_headers` and `_prepare_headers`, for what a call is made of, and `BaseConnector._closed`, for its property
takes time that every request would pay.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from asyncio import AbstractEventLoop, get_running_loop
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary, WeakSet

from aiohttp import BaseConnector, ClientConnectionError, ClientSession

from .outgoing import authorize_to_proxy

if TYPE_CHECKING:
    from typing import Protocol

    from aiohttp import ClientRequest, ClientResponse, ClientTimeout
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace
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

    class Interception(Protocol):
        """One call on its way."""

        async def far_end(
            self, request: ClientRequest, connector: BaseConnector, traces: list[Trace]
        ) -> FarEnd | None:
            """Return what answers a request that asks `connector` for a connection; None if the network does."""

        def returned(self, response: ClientResponse) -> None:
            """Note that the call returned."""

        def raised(self, error: BaseException) -> BaseException:
            """Note that the call raised; return the exception that its caller is to get."""

    class Interceptor(Protocol):
        """Whom the hooks ask: a mock."""

        is_active: bool
        """Whether it has been activated, and not been deactivated since."""

        @property
        def stand_ins(self) -> StandIns: ...

        @property
        def left_alone(self) -> Callable[[URL], bool] | None:
            """Tells which URLs are not intercepted at all."""

        def begin(self, method: str, url: URL, kwargs: dict[str, Any], loop: AbstractEventLoop) -> Interception:
            """Note that a call begins; return what accompanies it."""


_Method = Callable[..., Any]

STOPPED = "The mock that was to answer has been stopped"

# The active mocks, the innermost last, and the sessions that were lent a loop, with their own ones.
_active: list[Interceptor] = []

_lent: WeakKeyDictionary[ClientSession, AbstractEventLoop] = WeakKeyDictionary()

# The hooks, while they are in their places.
_in_place: _Installation | None = None

_interception: ContextVar[Interception | None] = ContextVar("aioresponses_interception", default=None)


def activate(interceptor: Interceptor) -> None:
    """Put the hooks in place if need be; from now on this mock is the innermost."""
    _active.append(interceptor)
    interceptor.is_active = True
    if len(_active) == 1:
        _Installation.put_in_place()


def deactivate(interceptor: Interceptor) -> None:
    """Leave no trace of this mock: take the hooks out if it was the last, and end its connections."""
    _active.remove(interceptor)
    interceptor.is_active = False
    if not _active:
        _Installation.take_out()
        for session, loop in _lent.items():
            session._loop = loop
        _lent.clear()
    interceptor.stand_ins.close(STOPPED)


class _Installation:
    """The hooks, in their places or out of them.

    Each hook knows the method that it stands for. Somebody may have wrapped a hook while it was in place and keep it
    longer: then it does nothing but pass on.
    """

    _last: ClassVar[_Installation | None] = None
    _made: ClassVar[WeakSet[_Method]] = WeakSet()

    def __init__(self) -> None:
        self._hooks: dict[tuple[type, str], tuple[_Method, _Method]] = {}
        self._put(ClientSession, "_request", _request_hook)
        self.original_connect = self._put(BaseConnector, "connect", _connect_hook)
        self.hooked_connect = BaseConnector.connect
        self._put(BaseConnector, "close", _close_hook)

    @classmethod
    def put_in_place(cls) -> None:
        global _in_place
        if cls._last is None or not cls._last._put_back():
            cls._last = cls()
        _in_place = cls._last

    @classmethod
    def take_out(cls) -> None:
        global _in_place
        installation, _in_place = _in_place, None
        assert installation is not None
        for (owner, name), (original, hook) in tuple(installation._hooks.items()):
            # Where somebody has replaced the hook it is theirs to put back.
            if vars(owner)[name] is hook:
                setattr(owner, name, original)
            # Connectors of other people's are reached once more when they are used once more.
            if owner not in (ClientSession, BaseConnector):
                del installation._hooks[owner, name]

    def _put_back(self) -> bool:
        """Put the hooks in place once more, which is the quick way, if all is as it was when they were taken out."""
        if any(vars(owner)[name] is not original for (owner, name), (original, _) in self._hooks.items()):
            return False
        for (owner, name), (_, hook) in self._hooks.items():
            setattr(owner, name, hook)
        return True

    def reach(self, connector: type[BaseConnector]) -> None:
        """Put the hook into a class of connectors that has a `connect` of its own, which need not call ours."""
        for owner in connector.__mro__:
            if "connect" in vars(owner) and (owner, "connect") not in self._hooks:
                self._put(owner, "connect", _connect_hook)

    def _put(self, owner: type, name: str, make: Callable[[_Installation, _Method], _Method]) -> _Method:
        # Somebody may have put back a hook after its time.
        original: _Method = inspect.unwrap(vars(owner)[name], stop=lambda method: not self._is_ours(method))
        hook = functools.wraps(original)(make(self, _unbound(original)))
        self._made.add(hook)
        self._hooks[owner, name] = original, hook
        setattr(owner, name, hook)
        return _unbound(original)

    @classmethod
    def _is_ours(cls, method: _Method) -> bool:
        # Not by equality: a wrapper may be equal to what it wraps.
        return any(method is made for made in cls._made)


def _unbound(method: Any) -> _Method:
    """Return a method as a function of the object that it is a method of.

    Most are such functions, but somebody may have put a descriptor of another kind in the place of one.
    """
    if inspect.isfunction(method):
        return method

    def call(owner: object, *args: Any, **kwargs: Any) -> Any:
        return method.__get__(owner, type(owner))(*args, **kwargs)

    return call


def _request_hook(installation: _Installation, original: _Method) -> _Method:
    async def _request(session: ClientSession, method: str, str_or_url: str | URL, **kwargs: Any) -> ClientResponse:
        if _in_place is not installation:
            return await original(session, method, str_or_url, **kwargs)  # type: ignore[no-any-return]
        interception = _begin(installation, session, method, str_or_url, kwargs)
        # None if this call is not intercepted: then it is not even a part of the one within whose callback it is made.
        token = _interception.set(interception)
        failure: BaseException
        try:
            response: ClientResponse = await original(session, method, str_or_url, **kwargs)
        except BaseException as error:
            if interception is None:
                raise
            failure = interception.raised(error)
        else:
            if interception is not None:
                interception.returned(response)
            return response
        finally:
            try:
                _interception.reset(token)
            except ValueError:
                pass  # It was never awaited to its end, and is closed in a context that is none of ours.
        # Raised outside of the handler, lest it carry aiohttp's wrapping as its context.
        raise failure

    return _request


def _begin(
    installation: _Installation, session: ClientSession, method: str, str_or_url: str | URL, kwargs: dict[str, Any]
) -> Interception | None:
    interceptor = _active[-1]
    connector = session._connector
    if connector is None or connector._closed:
        return None
    loop = get_running_loop()
    if session._loop is not loop and not session._loop.is_running():
        # Its own does not run: it uses the one that does.
        _lent.setdefault(session, session._loop)
        session._loop = loop
    try:
        url = session._build_url(str_or_url)
    except Exception:
        return None  # aiohttp is about to say what is wrong with it.
    if interceptor.left_alone is not None and interceptor.left_alone(url):
        return None
    if type(connector).connect is not installation.hooked_connect:
        installation.reach(type(connector))
    kwargs.setdefault("allow_redirects", True)
    if session._default_headers:
        kwargs = {**kwargs, "headers": session._prepare_headers(kwargs.get("headers"))}
    return interceptor.begin(method, url, kwargs, loop)


def _connect_hook(installation: _Installation, original: _Method) -> _Method:
    async def connect(
        connector: BaseConnector, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> Connection:
        interception = _interception.get() if _in_place is installation else None
        if interception is None:
            return await original(connector, req, traces, timeout)  # type: ignore[no-any-return]
        if connector._closed:
            # As a session finds it that is closed while aiohttp makes ready for its second try.
            raise ClientConnectionError("Connector is closed.")
        far_end = await interception.far_end(req, connector, traces)
        if far_end is None:
            return await original(connector, req, traces, timeout)  # type: ignore[no-any-return]
        stand_in = far_end.connector
        connection: Connection | None = stand_in.spare_connection(req, traces)
        if connection is None:
            connection = await installation.original_connect(stand_in, req, traces, timeout)
            assert connection is not None
            if connection.closed:
                # While a trace waited.
                connection.close()
                raise ClientConnectionError("Connector is closed." if connector._closed else STOPPED)
        if req.proxy is not None:
            authorize_to_proxy(req)
        # Private, for the property takes time that every request would pay.
        connection._protocol.expect(req, far_end.receive, far_end.respond)  # type: ignore[union-attr]
        return connection

    return connect


def _close_hook(installation: _Installation, original: _Method) -> _Method:
    def close(connector: BaseConnector, *args: Any, **kwargs: Any) -> Awaitable[None]:
        closing = [future for interceptor in _active for future in interceptor.stand_ins.close_those_of(connector)]
        closed: Awaitable[None] = original(connector, *args, **kwargs)
        return _all_of(closing, closed) if closing else closed

    return close


async def _all_of(closing: list[Awaitable[object]], closed: Awaitable[None]) -> None:
    try:
        await asyncio.gather(*closing)
    finally:
        await closed
