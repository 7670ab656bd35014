"""The hooks into aiohttp: which of its methods are ours while a mock is active, and what they do.

Theory
------
While at least one mock is active, three methods of aiohttp are ours. `activate` puts them in place, `deactivate` takes
them out after the last one.

`ClientSession._request` is what every request of a session goes through, `aiohttp.request` and `ws_connect`
included. Our hook notes the call with its arguments, runs aiohttp's own method, and notes how it ended. It is private,
but no public method sees all requests, and 0.7.9 replaced it as well: suites rely on what it sees.

`BaseConnector.connect` is where a request, built and signed and seen by all middlewares, asks for a connection. Our
hook asks who answers it: for a registered mock it returns an in-memory connection, for a passthrough it does what
aiohttp does, and otherwise it refuses. Since it sits below redirects and middlewares, it is asked for every hop of a
redirect and every retry of a middleware. Connectors inherit it. Into classes that have a `connect` of their own it is
put as well, and over one that somebody has put on a connector, when its session makes a call.

Who answers is settled before there is a connection, for a request that no mock answers may have to go to the network.
So mocks that ask for more than method and URL look at what is about to be sent: the headers, with those that aiohttp
adds in the last moment, and the body, which is read ahead where it can be read only once.

`BaseConnector.close` closes the in-memory connections of a connector along with its own.

The two hooks of one call find each other by a context variable, because aiohttp hands nothing from one to the other,
and requests of one session run side by side. A request that comes to the second hook without a call has gone around the
first: `_request` was fetched before the mock began, or somebody has replaced it on a session. It is a call of its own,
of which nothing but the request is known, and ends when it gives its connection back.

What is in place is told by looking at the places, and putting hooks in and taking them out does nothing where that is
done already. So both can be done once more after an interrupt, and neither trips over what somebody else has put there
in the meantime or has taken away.

A session keeps the loop that it was made on, for its timers and tasks. Suites share sessions over tests, each with a
loop of its own, so a session whose loop does not run is lent the running one, until the last mock is stopped.

Private names of aiohttp, the same from 3.8.6 to 3.14.5: `ClientSession._request`, `_connector`, `_loop`, `_build_url`,
`_default_headers` and `_prepare_headers`, for what a call is made of, and `BaseConnector._closed`, for its property
takes time that every request would pay.
"""

from __future__ import annotations

import functools
import inspect
import sys
from asyncio import AbstractEventLoop, gather, get_running_loop
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextvars import ContextVar
from types import MethodType
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakSet, ref

from aiohttp import BaseConnector, ClientConnectionError, ClientSession, hdrs

from .._display import add_note, shown_url
from . import active
from .connectors import InMemoryConnector
from .interceptor import Interception, Interceptor
from .outgoing import authorize_to_proxy, response_of
from .own_servers import is_of_test_client
from .passing import PassedThrough
from .taps import tap
from .wrapping import empty_frames

if TYPE_CHECKING:
    from aiohttp import ClientRequest, ClientResponse, ClientTimeout
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace
    from yarl import URL

    from .frames import Upgraded
    from .transport import Exchange

_Method = Callable[..., Any]

STOPPED = "aioresponses was stopped while this request was in flight"

_UNDECIDED = (
    "aioresponses: the active mocks were started in several threads, but none in this thread or context.\n"
    "Start this thread with asyncio.to_thread, which keeps the context of the test."
)

# The sessions that were lent a loop, by their identities, with their own ones.
_lent: dict[int, tuple[Callable[[], ClientSession | None], AbstractEventLoop]] = {}

# The call, until it is over: timers and tasks remember their context for longer, and with it what is in here.
_call: ContextVar[Sequence[Interception]] = ContextVar("aioresponses_call", default=())


def activate(interceptor: Interceptor) -> None:
    """Put the hooks in place if need be; from now on this mock is the innermost. Does all of it, or nothing."""

    def step() -> None:
        active.add(interceptor)
        _settle()

    try:
        active.exclusively(step)
    except BaseException:
        deactivate(interceptor)
        raise


def deactivate(interceptor: Interceptor) -> None:
    """Leave no trace of this mock: take the hooks out if it was the last, and end its connections."""

    def step() -> None:
        active.discard(interceptor)
        _settle()

    try:
        active.exclusively(step)
    except BaseException:
        active.exclusively(step)
        raise
    finally:
        interceptor.stand_ins.close(STOPPED)


def _settle() -> None:
    """Have the hooks in place if a mock is active, and out of it otherwise."""
    if active.activations:
        for owner, name, make in _seams():
            _Hook.put(owner, name, make)
    else:
        for hook in list(_Hook.by_place.values()):
            hook.take_out()
        if _lent:
            for lent, loop in list(_lent.values()):
                session = lent()
                if session is not None:
                    session._loop = loop
            _lent.clear()


# The hook of `BaseConnector.connect`, which most connectors inherit.
_base_connect: _Method | None = None


class _Hook:
    """One of our methods, the place that it is made for, and the method that it stands for.

    Somebody may have wrapped a hook while it was in place and keep it longer: then it does nothing but pass on.
    """

    by_place: ClassVar[dict[tuple[type | BaseConnector, str], _Hook]] = {}
    _made: ClassVar[WeakSet[_Method]] = WeakSet()

    def __init__(self, owner: type | BaseConnector, name: str, placed: Any, make: _MakeHook) -> None:
        self.owner = owner
        self.name = name
        # Somebody may have put back a hook after its time.
        self.placed = inspect.unwrap(placed, stop=lambda method: not self._is_ours(method))
        self.original = _unbound(self.placed, owner)
        function = functools.wraps(self.placed)(make(self, self.original))
        self.function = function if isinstance(owner, type) else MethodType(function, owner)
        self.is_replaced = False
        """Whether there is another hook for its place."""
        self._made.add(function)

    @classmethod
    def put(cls, owner: type | BaseConnector, name: str, make: _MakeHook) -> _Hook:
        """Have the hook in its place; the one that was there before, if all is as it was."""
        placed = owner.__dict__[name]
        hook = cls.by_place.get((owner, name))
        if hook is not None and placed is hook.placed:  # Mostly.
            setattr(owner, name, hook.function)
            return hook
        if hook is None or placed is not hook.function:
            if hook is not None:
                hook.is_replaced = True
            hook = cls.by_place[owner, name] = cls(owner, name, placed, make)
            if owner is BaseConnector and name == "connect":
                global _base_connect
                _base_connect = hook.function
        if placed is not hook.function:
            setattr(owner, name, hook.function)
        return hook

    def take_out(self) -> None:
        """Put back what the hook stands for. Where somebody has replaced the hook it is theirs to put back."""
        owner = self.owner
        if owner.__dict__.get(self.name) is self.function:
            setattr(owner, self.name, self.placed)
        # Connectors of other people's are reached once more when they are used once more.
        if owner is not BaseConnector and owner is not ClientSession:
            self.by_place.pop((owner, self.name), None)

    @classmethod
    def _is_ours(cls, method: _Method) -> bool:
        # Not by equality: a wrapper may be equal to what it wraps.
        return any(method is made for made in cls._made)


_MakeHook = Callable[[_Hook, _Method], _Method]


def _unbound(method: Any, owner: type | BaseConnector) -> _Method:
    """Return what stands at `owner` as a function of the object that it is called on.

    Most are such functions, but somebody may have put a descriptor of another kind in the place of one, or a function
    on an object.
    """
    if not isinstance(owner, type):
        return lambda _, *args, **kwargs: method(*args, **kwargs)
    if inspect.isfunction(method):
        return method

    def call(owner: object, *args: Any, **kwargs: Any) -> Any:
        return method.__get__(owner, type(owner))(*args, **kwargs)

    return call


def _request_hook(hook: _Hook, original: _Method) -> _Method:
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
                pass  # The request was never awaited to its end, and is closed in a context that is none of ours.
        # Raised outside of the handler, lest it carry aiohttp's wrapping as its context.
        try:
            raise failure
        finally:
            del failure  # This frame is in its traceback.

    return _request


def _begin(
    session: ClientSession, method: str, str_or_url: str | URL, kwargs: dict[str, Any]
) -> list[Interception]:
    """Return what accompanies a call of a session, in a list from which it is taken when the call is over.

    The list is empty where the call will not get as far as to send a request.
    """
    connector = session._connector
    if connector is None or connector._closed:
        return []
    loop = get_running_loop()
    if session._loop is not loop and not session._loop.is_running():
        _lend(session, loop)
    try:
        url = session._build_url(str_or_url)
    except Exception:
        return []  # aiohttp is about to say what is wrong with it.
    if not getattr(session, "_retry_connection", False) and is_of_test_client(session, url):
        return [_LEFT_ALONE]
    if type(connector).connect is not _base_connect or "connect" in vars(connector):
        if isinstance(connector, InMemoryConnector):
            return []  # It answers by itself.
        _reach(connector)
    kwargs.setdefault("allow_redirects", True)
    if session._default_headers:
        kwargs = {**kwargs, "headers": session._prepare_headers(kwargs.get("headers"))}
    activations = active.activations
    if len(activations) == 1:
        asked = activations[0].alone
        return [asked[0].begin(method, url, kwargs, loop, asked)]
    return [_begun(method, url, kwargs, loop)]


def _lend(session: ClientSession, loop: AbstractEventLoop) -> None:
    """Have a session whose own loop does not run use the one that does."""
    lent = _lent.get(id(session))
    if lent is None or lent[0]() is not session:
        try:
            reference: Callable[[], ClientSession | None] = ref(session)
        except TypeError:
            # Sessions of aiohttp 4 take no weak references.
            def itself() -> ClientSession:
                return session

            reference = itself
        _lent[id(session)] = reference, session._loop
    session._loop = loop


def _begun(method: str, url: URL, kwargs: dict[str, Any], loop: AbstractEventLoop) -> Interception:
    """Return what accompanies a call, whichever mocks are active."""
    asked = active.asked_here()
    if asked is None:
        return _Undecided(method, url)
    if not asked:
        return _LEFT_ALONE  # The last mock has been stopped in another thread just now.
    return asked[0].begin(method, url, kwargs, loop, asked)


class _LeftAlone:
    """A call of a `TestClient` to its server; it is not even a part of the one within whose callback it is made."""

    connector: InMemoryConnector
    exchange: Exchange

    def plain_far_end(self, *_: object) -> None:
        """There is more to be found out."""

    async def far_end(self, *_: object) -> None:
        """Leave it to the network."""

    def connected_to_network(self, connection: Connection) -> None:
        """Note nothing."""

    def note_upgrade(self, upgraded: Upgraded) -> None:
        """Note nothing."""

    def returned(self, response: ClientResponse) -> None:
        """Note nothing."""

    def gave_back(self, response: ClientResponse | None) -> None:
        """Note nothing."""

    def raised(self, error: BaseException) -> BaseException:
        """Change nothing."""
        return error


_LEFT_ALONE = _LeftAlone()


class _Undecided(_LeftAlone):
    """A call that might be any of several mocks'."""

    def __init__(self, method: str, url: URL) -> None:
        self._method = method
        self._url = url

    async def far_end(self, *_: object) -> None:
        """Refuse the request."""
        error = ClientConnectionError(f"Connection refused: {self._method} {shown_url(self._url)}")
        add_note(error, _UNDECIDED)
        raise error


def _connect_hook(hook: _Hook, original: _Method) -> _Method:
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
            # As a session finds it that is closed while aiohttp makes ready for its second try.
            raise ClientConnectionError("Connector is closed.")
        far_end = call.plain_far_end(req, connector, traces, timeout)
        if far_end is None:
            far_end = await call.far_end(req, connector, traces, timeout)
            if far_end is None:
                passed = PassedThrough(get_running_loop())
                try:
                    real: Connection = await original(connector, req, traces, timeout)
                except BaseException:
                    passed.end()
                    raise
                passed.connected(real)
                call.connected_to_network(real)
                if hdrs.UPGRADE in req.headers:
                    tap(real, call.note_upgrade)
                return real
        has_server = far_end.has_server
        if has_server:
            await far_end.start_server()
        if req.proxy is not None:
            authorize_to_proxy(req, connector)
        stand_in = call.connector
        connection: Connection | None = stand_in.spare_connection(req, traces)
        if connection is None:
            base_connect = _Hook.by_place[BaseConnector, "connect"].original
            connection = await base_connect(stand_in, req, traces, timeout)
            assert connection is not None
            if connection.closed:
                # While a trace waited.
                connection.close()
                raise ClientConnectionError("Connector is closed." if connector._closed else STOPPED)
        if has_server:
            far_end.serve(connection, call.exchange)
            return connection
        # Private, for the property takes time that every request would pay.
        connection._protocol.expect(far_end, call.exchange)  # type: ignore[union-attr]
        return connection

    return connect


def base_connect() -> _Method:
    """Return the `connect` that all connectors inherit, without the hook."""
    placed = BaseConnector.connect
    hook = _Hook.by_place.get((BaseConnector, "connect"))
    return hook.original if hook is not None and placed is hook.function else placed


async def _connect_alone(
    hook: _Hook, connector: BaseConnector, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
) -> Connection:
    """Connect a request that has gone around the other hook, as a call of its own."""
    current = [_begun(req.method, req.url, {}, get_running_loop())]
    token = _call.set(current)
    try:
        connection: Connection = await _unbound(hook.function, hook.owner)(connector, req, traces, timeout)
    except BaseException as error:
        empty_frames(current.pop().raised(error))
        raise
    finally:
        try:
            _call.reset(token)
        except ValueError:
            pass
    connection.add_callback(lambda: current.pop().gave_back(response_of(req)))
    return connection


def _close_hook(hook: _Hook, original: _Method) -> _Method:
    def close(connector: BaseConnector, *args: Any, **kwargs: Any) -> Awaitable[None]:
        closed: Awaitable[None]
        if inspect.iscoroutinefunction(original):
            # With aiohttp 4, nothing is closed until this is awaited.
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
    # Gathered as aiohttp gathers those of its own: who waits for a response resumes before the session forgets its
    # connector, and what has been broken off meanwhile is no concern of whoever closes. (What is over when it is
    # gathered takes no turn from Python 3.12 on, so this comes first.)
    all_closed = gather(*closing, return_exceptions=True)
    try:
        await closed
    finally:
        await all_closed


def _seams() -> Iterator[tuple[type, str, _MakeHook]]:
    """Yield the places of the hooks, with what makes each."""
    yield BaseConnector, "connect", _connect_hook
    yield BaseConnector, "close", _close_hook
    found = list(BaseConnector.__subclasses__())
    for connector in found:
        if connector is not InMemoryConnector:
            found += connector.__subclasses__()
            if "connect" in connector.__dict__ and not issubclass(connector, InMemoryConnector):
                yield connector, "connect", _connect_hook
    # The last, so that no request of another thread has a call before there is what answers it.
    yield ClientSession, "_request", _request_hook


def _is_stub(placed: object) -> bool:
    unittest_mock = sys.modules.get("unittest.mock")
    return unittest_mock is not None and isinstance(placed, unittest_mock.NonCallableMock)


def _reach(connector: BaseConnector) -> None:
    """Put the hook over each `connect` that this connector has of its own, or of its class: it need not call ours."""

    def step() -> None:
        owners: list[type | BaseConnector] = [connector, *type(connector).__mro__]
        for owner in owners:
            placed = vars(owner).get("connect")
            # A stub that a test puts there while the mock is active stands for the network, as the test wants it.
            if placed is not None and active.activations and not _is_stub(placed):
                _Hook.put(owner, "connect", _connect_hook)

    active.exclusively(step)
