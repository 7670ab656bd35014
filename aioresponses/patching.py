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

Exceptions that a mock raises must reach the caller as they are. They are raised where the client waits for its
response, so middlewares see just them. Above that, aiohttp has two habits that a registered exception must survive:
it tries an idempotent request once more after `ServerDisconnectedError` and `ClientOSError` (3.10 and newer) - the
second try of it gets the same exception, and no other mock - and it wraps an `OSError` in `ClientOSError`, and a
`HttpProcessingError` in `ClientResponseError`, which is undone for the traces and for the caller. A fault of the server
is another thing: there the second try is the client's answer to it, and goes to the next mock that fits. Only where
there is none, it finds the server as it was.

A session keeps the loop that it was made on, for its timers and tasks. Suites share sessions over tests, each with a
loop of its own, so a session whose loop does not run is lent the running one, until the mock is stopped.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from asyncio import get_running_loop
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary, WeakSet, ref

import aiohttp
from aiohttp import (
    BaseConnector,
    ClientConnectionError,
    ClientOSError,
    ClientResponseError,
    ClientSession,
    ServerDisconnectedError,
    ServerTimeoutError,
    hdrs,
)
from aiohttp.http import HttpProcessingError, HttpVersion11

from .calls import RequestCall, record
from .diagnosis import refused
from .mocks import Reply, RequestMatch
from .reading import body_of, read_ahead, tee
from .replies import CallbackResult, Fault
from .routing import Router
from .urls import merge_params, normalize_url, without_credentials
from .wire import Answer, InMemoryConnector, RefusingConnector, exchange, refusal
from .written import Written

if TYPE_CHECKING:
    from aiohttp import ClientRequest, ClientResponse, ClientTimeout
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace
    from multidict import CIMultiDict
    from yarl import URL

__all__ = ["Interception"]


class Interception:
    """What one mock wants of the hooks: where its requests are recorded, and who answers them.

    `record` is given every call as it begins. `response_class` tells which class the responses have, where the mock
    does not say. Responses are gathered in `responses`.
    """

    def __init__(
        self,
        router: Router,
        record: Callable[[RequestCall], None],
        response_class: Callable[[], type[ClientResponse] | None],
    ) -> None:
        self.router = router
        self.record = record
        self.response_class = response_class
        self.responses: list[ClientResponse] = []
        self.left_alone: Callable[[URL], bool] | None = None
        """Tells of a URL that its requests are none of this mock's business."""
        # The one of the last request, for mostly it is that of the next one as well.
        self._last: tuple[ref[BaseConnector], InMemoryConnector] | None = None

    # A mock that answers nothing has none of these, and most of the time that it would take is theirs.

    @functools.cached_property
    def _connectors(self) -> WeakKeyDictionary[BaseConnector, dict[asyncio.AbstractEventLoop, InMemoryConnector]]:
        return WeakKeyDictionary()

    @functools.cached_property
    def _lent(self) -> WeakKeyDictionary[ClientSession, asyncio.AbstractEventLoop]:
        return WeakKeyDictionary()

    @functools.cached_property
    def _refusing(self) -> WeakSet[RefusingConnector]:
        return WeakSet()

    @property
    def active(self) -> bool:
        return self in _active

    def activate(self) -> None:
        """Put the hooks in place if need be; from now on this mock is the innermost."""
        _active.append(self)
        if len(_active) == 1:
            _Installation.put_in_place()

    def deactivate(self) -> None:
        """Leave no trace of this mock: take the hooks out if it was the last, and end its connections."""
        _active.remove(self)
        if not _active:
            _Installation.take_out()
        self._last = None
        made = vars(self)
        for connectors in made.pop("_connectors", {}).values():
            for connector in connectors.values():
                connector.close_from_afar(_STOPPED)
        for refusing in made.pop("_refusing", ()):
            refusing.close_from_afar(_STOPPED)
        for session, loop in made.pop("_lent", {}).items():
            session._loop = loop

    def lend_loop(self, session: ClientSession, loop: asyncio.AbstractEventLoop) -> None:
        """Have a session whose own loop does not run use the one that does."""
        own = session._loop
        if not own.is_running():
            self._lent.setdefault(session, own)
            session._loop = loop

    def connector_for(self, connector: BaseConnector) -> InMemoryConnector:
        """Return the in-memory connector that stands for `connector` on the running loop."""
        loop = get_running_loop()
        last = self._last
        if last is not None and last[0]() is connector and last[1]._loop is loop:
            return last[1]
        connectors = self._connectors.get(connector)
        if connectors is None:
            connectors = self._connectors[connector] = {}
        found = connectors.get(loop)
        if found is None:
            for closed in [loop for loop in connectors if loop.is_closed()]:
                del connectors[closed]
            found = connectors[loop] = InMemoryConnector(connector)
        self._last = (ref(connector), found)
        return found

    def stand_in_for(self, connector: BaseConnector, reply: Reply) -> InMemoryConnector:
        """Return the in-memory connector on which `reply` is given in place of `connector`."""
        if not reply.refuses:
            return self.connector_for(connector)
        refusing = RefusingConnector(connector, reply.result.delay)
        self._refusing.add(refusing)
        return refusing

    def close_connectors_of(self, connector: BaseConnector) -> list[Awaitable[object]]:
        """Close the in-memory connectors that stand for `connector`; return what is to be waited for."""
        self._last = None
        return [
            told
            for loop, stand_in in self._connectors.pop(connector, {}).items()
            for told in stand_in.close_from_here()
            if loop.is_running()
        ]


_Method = Callable[..., Any]

_STOPPED = "The mock that was to answer has been stopped"

# What aiohttp wraps, and in which exception of its own.
_WRAPPERS: dict[type[BaseException], type[BaseException]] = {
    ClientOSError: OSError,
    ClientResponseError: HttpProcessingError,
    # While it connects; aiohttp 3.10 and newer raise the more special one.
    ServerTimeoutError: asyncio.TimeoutError,
    getattr(aiohttp, "ConnectionTimeoutError", ServerTimeoutError): asyncio.TimeoutError,
}

_active: list[Interception] = []
_progress: ContextVar[_Progress | None] = ContextVar("aioresponses_progress", default=None)


class _Progress:
    """What the second hook of a call needs to know from the first, and what comes of it."""

    # The request that is on its way, and what its mock raised.
    request: ClientRequest | None = None
    raised: BaseException | None = None
    passes_through = False
    # What answers it: a mock, one of its replies, and whether that went wrong as a server goes wrong. What the other
    # mocks ask for in vain.
    match: RequestMatch
    reply: Reply
    is_faulty = False
    unmet: dict[str, str] = {}

    def __init__(
        self, interception: Interception, call: RequestCall, asked: URL, kwargs: dict[str, Any]
    ) -> None:
        self.interception = interception
        self.call = self.hop = call
        self.asked = self.url = asked
        self.kwargs = kwargs

    def target(self, request: ClientRequest) -> tuple[str, URL]:
        """Return method and normalised URL of a request, as the caller wrote them where they are the caller's."""
        method, url = self.call.key
        asked = self.asked
        # In its request, aiohttp has the URL of the call as it goes over the wire.
        return (
            method if method.upper() == request.method else request.method,
            url if request.url is asked or request.url == without_credentials(asked) else normalize_url(request.url),
        )

    def raises_again(self, request: ClientRequest) -> bool:
        """Tell whether aiohttp itself tries the same request once more, after a mock raised what makes it do so."""
        return (
            self.raised is not None
            and isinstance(self.raised, (ClientOSError, ServerDisconnectedError))
            and self._is_second_try(request)
        )

    def begin_hop(self, request: ClientRequest) -> None:
        """Note that a request is on its way, the first of the call or one that follows it."""
        if self.request is not None:
            self.is_faulty = self.is_faulty and self._is_second_try(request)
            self.hop = self.call.next_hop(request.method, request.url, self.request.response)
        self.request, self.raised = request, None
        self.url = self.target(request)[1]
        self.passes_through = self.interception.router.passes_through(request.url)

    def _is_second_try(self, request: ClientRequest) -> bool:
        last = self.request
        return (
            # A middleware that tries again does so with the same request, and is answered by the next mock.
            last is not None
            and request is not last
            and (request.method, request.url) == (last.method, last.url)
        )

    def unwrapped(self, error: BaseException) -> BaseException:
        """Return the exception of a mock that aiohttp has wrapped in `error`, or else `error`."""
        wraps = _WRAPPERS.get(type(error))
        if wraps is not None and isinstance(self.raised, wraps) and error.__cause__ is self.raised:
            return self.raised
        return error

    def tell_unwrapped(self, trace: Trace) -> None:
        """Have a trace, which belongs to this call alone, see exceptions without aiohttp's wrapping."""
        send = trace.send_request_exception

        async def send_unwrapped(method: str, url: URL, headers: CIMultiDict[str], exception: BaseException) -> None:
            await send(method, url, headers, self.unwrapped(exception))

        trace.send_request_exception = send_unwrapped  # type: ignore[method-assign]


class _Installation:
    """The hooks, in their places or out of them.

    Each hook knows the method that it stands for. Somebody may have wrapped a hook while it was in place and keep it
    longer: then it does nothing but pass on.
    """

    current: ClassVar[_Installation | None] = None
    _last: ClassVar[_Installation | None] = None
    _made: ClassVar[WeakSet[_Method]] = WeakSet()

    def __init__(self) -> None:
        self._hooks: dict[tuple[type, str], tuple[_Method, _Method]] = {}
        self._put(ClientSession, "_request", _request_hook)
        self.base_connect = self._put(BaseConnector, "connect", _connect_hook)
        self._put(BaseConnector, "close", _close_hook)

    @classmethod
    def put_in_place(cls) -> None:
        if cls._last is None or not cls._last._put_back():
            cls._last = cls()
        cls.current = cls._last

    @classmethod
    def take_out(cls) -> None:
        installation, cls.current = cls.current, None
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

    def reach(self, connector: BaseConnector) -> None:
        """Put the hook into the class of a connector that has a `connect` of its own, which need not call ours."""
        if type(connector).connect is not self._hooks[BaseConnector, "connect"][1]:
            for owner in type(connector).__mro__:
                if "connect" in vars(owner) and (owner, "connect") not in self._hooks:
                    self._put(owner, "connect", _connect_hook)

    def _put(self, owner: type, name: str, make: Callable[[_Installation, _Method], _Method]) -> _Method:
        # Somebody may have put back a hook after its time.
        original: _Method = inspect.unwrap(vars(owner)[name], stop=lambda method: method not in self._made)
        hook = functools.wraps(original)(make(self, original))
        self._made.add(hook)
        self._hooks[owner, name] = original, hook
        setattr(owner, name, hook)
        return original


def _request_hook(installation: _Installation, original: _Method) -> _Method:
    async def _request(session: ClientSession, method: str, str_or_url: str | URL, **kwargs: Any) -> ClientResponse:
        if _Installation.current is not installation:
            return await original(session, method, str_or_url, **kwargs)  # type: ignore[no-any-return]
        connector = session.connector
        progress = None
        if connector is not None and not connector.closed:
            progress = _begin(_active[-1], session, method, str_or_url, kwargs)
        outer = _progress.get()
        _progress.set(progress)
        if progress is None:
            # Not even a part of the call within whose callback it may be made.
            try:
                return await original(session, method, str_or_url, **kwargs)  # type: ignore[no-any-return]
            finally:
                _progress.set(outer)
        assert connector is not None
        installation.reach(connector)
        failure: BaseException
        try:
            response: ClientResponse = await original(session, method, str_or_url, **kwargs)
        except BaseException as error:
            failure = progress.unwrapped(error)
            progress.call.end(None, failure)
        else:
            progress.call.end(response, None)
            progress.interception.responses.append(response)
            return response
        finally:
            _progress.set(outer)
        # Raised outside of the handler, lest it carry aiohttp's wrapping as its context.
        raise failure

    return _request


def _begin(
    interception: Interception, session: ClientSession, method: str, str_or_url: str | URL, kwargs: dict[str, Any]
) -> _Progress | None:
    loop = get_running_loop()
    if session._loop is not loop:
        interception.lend_loop(session, loop)
    try:
        url = session._build_url(str_or_url)
    except Exception:
        return None  # aiohttp is about to say what is wrong with it.
    if interception.left_alone is not None and interception.left_alone(url):
        return None
    params = kwargs.get("params")
    if params:
        try:
            url = merge_params(url, params)
        except Exception:
            pass  # So it is about these.
    kwargs = {"allow_redirects": True, **kwargs}
    if session.headers:
        kwargs["headers"] = session._prepare_headers(kwargs.get("headers"))
    call = record((method, normalize_url(url)), url, kwargs)
    interception.record(call)
    return _Progress(interception, call, url, kwargs)


def _connect_hook(installation: _Installation, original: _Method) -> _Method:
    async def connect(
        connector: BaseConnector, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> Connection:
        progress = _progress.get() if _Installation.current is installation else None
        if progress is None or progress.request is req and progress.passes_through:
            return await original(connector, req, traces, timeout)  # type: ignore[no-any-return]
        if connector.closed:
            # As a session finds it that is closed while aiohttp makes ready for its second try.
            raise ClientConnectionError("Connector is closed.")
        if not progress.interception.active:
            raise ClientConnectionError(_STOPPED)
        if progress.raises_again(req):
            stand_in = progress.interception.connector_for(connector)
        else:
            progress.begin_hop(req)
            router = progress.interception.router
            if router.has_conditions and not progress.passes_through:
                await _look_ahead(progress, connector, req)
            if not _is_answered(progress, req, traces):
                await _note_unanswered(progress, req)
                return await original(connector, req, traces, timeout)  # type: ignore[no-any-return]
            stand_in = progress.interception.stand_in_for(connector, progress.reply)
        connection: Connection = await installation.base_connect(stand_in, req, traces, timeout)
        progress.hop.sent_as(exchange(connection, req, functools.partial(_respond, progress, traces)))
        return connection

    return connect


async def _look_ahead(progress: _Progress, connector: BaseConnector, request: ClientRequest) -> None:
    """Note what is about to be sent, for the mocks that ask for more than method and URL."""
    interception = progress.interception
    body = await read_ahead(request) if interception.router.looks_at_bodies else Written()
    if not interception.active:
        raise ClientConnectionError(_STOPPED)
    progress.hop.sent_elsewhere(_headers_to_send(request, connector), body, bool(request.compress))


def _is_answered(progress: _Progress, request: ClientRequest, traces: list[Trace]) -> bool:
    """Find the mock that answers a request; tell whether there is one."""
    if progress.passes_through:
        return False
    try:
        match, progress.unmet = progress.interception.router.claim(request.method, progress.url, progress.hop)
    except Exception as error:
        # A condition has raised; it reaches the caller as it is.
        _note_raised(progress, error, traces)
        raise
    if match is not None:
        progress.match, progress.reply = match, match.reply
    elif progress.is_faulty:
        # The server that disconnected the client does so again.
        progress.hop.match = progress.match
    else:
        return False
    progress.is_faulty = False
    response_class = progress.reply.result.response_class or progress.interception.response_class()
    if response_class is not None:
        request.response_class = response_class  # type: ignore[assignment]
    return True


async def _note_unanswered(progress: _Progress, request: ClientRequest) -> None:
    """Note a request that goes to the network; raise if it does not."""
    router = progress.interception.router
    looked_ahead = router.looks_at_bodies and not progress.passes_through
    progress.passes_through = progress.passes_through or router.passthrough_unmatched
    if not looked_ahead:
        body = await body_of(request)
        if body is None:
            body = tee(request) if progress.passes_through else Written()
        progress.hop.sent_elsewhere(request.headers, body, bool(request.compress))
    if progress.passes_through:
        return
    progress.hop.unmatched = progress.call.unmatched = True
    method, url = progress.target(request)
    verdicts = router.verdicts(request.method, url, progress.hop, progress.unmet)
    raise refused(method, url, verdicts, progress.hop.redirect)


def _headers_to_send(request: ClientRequest, connector: BaseConnector) -> CIMultiDict[str]:
    """Return the headers of a request with those that aiohttp adds in the moment of sending it (3.8.6 to 3.14.5)."""
    headers = request.headers.copy()
    if request.method in request.POST_METHODS and hdrs.CONTENT_TYPE not in request.skip_auto_headers:
        headers.setdefault(hdrs.CONTENT_TYPE, "application/octet-stream")
    if connector.force_close and request.version == HttpVersion11:
        headers.setdefault(hdrs.CONNECTION, "close")
    return headers


def _respond(progress: _Progress, traces: list[Trace]) -> Answer | Awaitable[Answer]:
    """Have a mock answer a request that has been sent."""
    if progress.raised is not None:
        raise progress.raised  # As it did before: this is aiohttp's second try.
    try:
        reply = progress.reply
        result = reply.plain or reply.to(progress.hop, progress.url, progress.kwargs)
        if isinstance(result, CallbackResult):
            return _encoded(progress, result)
    except BaseException as error:
        _note_raised(progress, error, traces)
        raise
    return _respond_later(progress, result, traces)


async def _respond_later(progress: _Progress, result: Awaitable[CallbackResult], traces: list[Trace]) -> Answer:
    try:
        return _encoded(progress, await result)
    except BaseException as error:
        _note_raised(progress, error, traces)
        raise


def _note_raised(progress: _Progress, error: BaseException, traces: list[Trace]) -> None:
    progress.raised = error
    if isinstance(error, tuple(_WRAPPERS.values())):
        for trace in traces:
            progress.tell_unwrapped(trace)


def _encoded(progress: _Progress, result: CallbackResult) -> Answer:
    request = progress.request
    assert request is not None
    # The response object stands by the time that a callback says of which class it is to be.
    if result.response_class is not None and isinstance(result.response_class, type):
        request.response.__class__ = result.response_class
    if result.fault is not None:
        progress.is_faulty = True
        if result.fault is Fault.CONNECTION_REFUSED:
            raise refusal(request)
    return result.answer(request.method, progress.hop, progress.match.json_dumps)


def _close_hook(installation: _Installation, original: _Method) -> _Method:
    def close(connector: BaseConnector, *args: Any, **kwargs: Any) -> Awaitable[None]:
        told = [one for interception in _active for one in interception.close_connectors_of(connector)]
        closed: Awaitable[None] = original(connector, *args, **kwargs)
        return _all_of(told, closed) if told else closed

    return close


async def _all_of(told: list[Awaitable[object]], closed: Awaitable[None]) -> None:
    try:
        await asyncio.gather(*told)
    finally:
        await closed
