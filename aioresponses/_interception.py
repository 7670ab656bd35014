"""One call on its way: who answers its requests, and which exception is whose.

Exceptions that a mock raises must reach the caller as they are. They are raised where the client waits for its
response, and those of a condition where it connects, so middlewares see just them. Above that, aiohttp has two habits
that a registered exception must survive: it tries an idempotent request once more after `ServerDisconnectedError` and
`ClientOSError` (3.10 and newer) - the second try of it gets the same exception, and no other mock - and it wraps an
`OSError` in `ClientOSError`, a `HttpProcessingError` in `ClientResponseError` and, while it connects, a timeout in
`ServerTimeoutError`, which is undone for the traces and for the caller. A fault of the server is another thing: there
the second try is the client's answer to it, and goes to the next mock that fits. Only where there is none, it finds the
server as it was.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import (
    ClientConnectionError,
    ClientOSError,
    ClientResponseError,
    ServerDisconnectedError,
    ServerTimeoutError,
)
from aiohttp.http import HttpProcessingError

from ._calls.record import Exchange, RequestMatch, call_of, note_end
from ._client.connectors import InMemoryConnector, StandIns, refusal
from ._client.hooks import STOPPED, is_active
from ._client.outgoing import _headers_to_send, body_of, read_ahead, tee
from ._client.transport import Answer
from ._client.written import Written
from ._matching.refusal import refused
from ._matching.router import Router
from ._replies.reply import Reply
from ._replies.results import CallbackResult, Fault
from ._urls import merge_params, normalize_url, without_credentials

if TYPE_CHECKING:
    from aiohttp import BaseConnector, ClientRequest, ClientResponse
    from aiohttp.tracing import Trace
    from multidict import CIMultiDict
    from yarl import URL

# Exceptions of aiohttp, and what each wraps.
_WRAPPERS: dict[type[BaseException], type[BaseException]] = {
    ClientOSError: OSError,
    ClientResponseError: HttpProcessingError,
    # While it connects; aiohttp 3.10 and newer raise the more special one.
    ServerTimeoutError: asyncio.TimeoutError,
    getattr(aiohttp, "ConnectionTimeoutError", ServerTimeoutError): asyncio.TimeoutError,
}


class Interception:
    """What one mock has to do with the requests that it intercepts: who answers them, and where they are recorded.

    `record` is given every call as it begins. `response_class` tells which class the responses have, where the mock
    does not say.
    """

    def __init__(
        self,
        router: Router,
        record: Callable[[Exchange], None],
        response_class: Callable[[], type[ClientResponse] | None],
    ) -> None:
        self.router = router
        self.record = record
        self.response_class = response_class
        self.stand_ins = StandIns()
        self.responses: list[ClientResponse] = []
        self.left_alone: Callable[[URL], bool] | None = None
        """Tells of a URL that its requests are none of this mock's business."""

    def begin(self, method: str, url: URL, kwargs: dict[str, Any], loop: AbstractEventLoop) -> Progress:
        """Record a call that begins; return what goes along with it."""
        if "params" in kwargs:
            try:
                url = merge_params(url, kwargs["params"])
            except Exception:
                pass  # aiohttp is about to say what is wrong with these.
        call = Exchange(method, url, normalize_url(url), kwargs)
        self.record(call)
        return Progress(self, call, kwargs, loop)


class Progress:
    """One call on its way.

    Its requests come one by one to `begin_hop`; then `finds_answer` says whether a mock answers, and `respond` has it
    answer.
    """

    # What answers, and whether that went wrong as a server goes wrong. What the other mocks ask for in vain.
    reply: Reply
    is_faulty = False
    is_over = False
    unmet: dict[str, str]

    # The mock that went wrong so, where it is to do so again.
    _faulty: RequestMatch | None = None

    # Of the request that is on its way; the URL is normalised.
    method: str
    url: URL
    traces: list[Trace]
    passes_through: bool

    def __init__(
        self, interception: Interception, call: Exchange, kwargs: dict[str, Any], loop: AbstractEventLoop
    ) -> None:
        self.interception = interception
        self.call = self.hop = call
        self.kwargs = kwargs
        self.loop = loop
        # The request that is on its way, and what its mock raised.
        self.request: ClientRequest | None = None
        self.raised: BaseException | None = None

    def begin_hop(self, request: ClientRequest, traces: list[Trace]) -> None:
        """Note that a request is on its way, the first of the call or one that follows it."""
        call = self.call
        if self.request is not None:
            self._faulty = self.hop.match if self.is_faulty and self._is_second_try(request) else None
            self.is_faulty = False
            self.hop = call.next_hop(request.method, request.url, self.request.response)
            self.raised = None
        self.request = request
        self.method = request.method
        self.traces = traces
        # In its request, aiohttp has the URL of the call as it goes over the wire.
        self.url = call.normalized_url if request.url is call.url else self._target(request)[1]
        router = self.interception.router
        self.passes_through = router.passes_through(request.url) if router.prefixes else False

    def _target(self, request: ClientRequest) -> tuple[str, URL]:
        """Return method and normalised URL of a request, as the caller wrote them where they are the caller's."""
        call = self.call
        is_callers = request.url == without_credentials(call.url)
        return (
            call.method if call.method.upper() == request.method else request.method,
            call.normalized_url if is_callers else normalize_url(request.url),
        )

    def is_raised_again(self, request: ClientRequest) -> bool:
        """Tell whether aiohttp itself tries the same request once more, after a mock raised what makes it do so."""
        return isinstance(self.raised, (ClientOSError, ServerDisconnectedError)) and self._is_second_try(request)

    def _is_second_try(self, request: ClientRequest) -> bool:
        # A middleware that tries again does so with the same request, and is answered by the next mock.
        last = self.request
        return (
            last is not None
            and request is not last
            and (request.method, request.url) == (last.method, last.url)
        )

    @property
    def receive(self) -> Callable[[bytes], object]:
        return self.hop.receive

    async def stand_in(
        self, request: ClientRequest, connector: BaseConnector, traces: list[Trace]
    ) -> InMemoryConnector | None:
        """Return what a request is answered on in place of `connector`; None if it goes to the network."""
        interception = self.interception
        if self.raised is not None and self.is_raised_again(request):
            self.hop.start_again()
            return interception.stand_ins.of(connector, self.loop)
        self.begin_hop(request, traces)
        if interception.router.has_conditions and not self.passes_through:
            await self.look_ahead(request, connector)
            if not is_active(interception):
                raise ClientConnectionError(STOPPED)
        if not self.finds_answer(request):
            await self.note_unanswered(request)
            return None
        reply = self.reply
        if reply.refuses:
            return interception.stand_ins.refusing(connector, reply.result.delay)
        return interception.stand_ins.of(connector, self.loop)

    # Who answers.

    async def look_ahead(self, request: ClientRequest, connector: BaseConnector) -> None:
        """Note what is about to be sent, for the mocks that ask for more than method and URL."""
        body = await read_ahead(request) if self.interception.router.looks_at_bodies else Written()
        self.hop.sent_elsewhere(_headers_to_send(request, connector), body, bool(request.compress))

    def finds_answer(self, request: ClientRequest) -> bool:
        """Find the mock that answers a request; tell whether there is one."""
        if self.passes_through:
            return False
        hop = self.hop
        try:
            reply, self.unmet = self.interception.router.claim(self.method, self.url, hop)
        except Exception as error:
            # A condition has raised; it reaches the caller as it is.
            self._note_raised(error)
            raise
        if reply is not None:
            self.reply = reply
        elif self._faulty is not None:
            # The server that disconnected the client does so again.
            hop.match, reply = self._faulty, self.reply
        else:
            return False
        response_class = reply.result.response_class or self.interception.response_class()
        if response_class is not None:
            request.response_class = response_class  # type: ignore[assignment]
        return True

    async def note_unanswered(self, request: ClientRequest) -> None:
        """Note a request that goes to the network; raise if it does not."""
        router = self.interception.router
        looked_ahead = router.looks_at_bodies and not self.passes_through
        self.passes_through = self.passes_through or router.passthrough_unmatched
        if not looked_ahead:
            body = await body_of(request)
            if body is None:
                body = tee(request) if self.passes_through else Written()
            self.hop.sent_elsewhere(request.headers, body, bool(request.compress))
        if self.passes_through:
            return
        self.hop.unmatched = self.call.unmatched = True
        method, url = self._target(request)
        call = call_of(self.hop)
        raise refused(method, url, router.verdicts(request.method, url, call, self.unmet), call.redirect)

    # The answer.

    def respond(self) -> Answer | Awaitable[Answer]:
        """Have the mock answer the request, which has been sent."""
        if self.raised is not None:
            raise self.raised  # As it did before: this is aiohttp's second try.
        hop, reply = self.hop, self.reply
        try:
            answer = reply.at_once(self.method, hop)
            if answer is not None:
                return answer
            result = reply.to(hop, self.url, self.kwargs)
            if isinstance(result, CallbackResult):
                return self._encoded(result)
        except BaseException as error:
            self._note_raised(error)
            raise
        return self._respond_later(result)

    async def _respond_later(self, result: Awaitable[CallbackResult]) -> Answer:
        try:
            return self._encoded(await result)
        except BaseException as error:
            self._note_raised(error)
            raise

    def _encoded(self, result: CallbackResult) -> Answer:
        request = self.request
        assert request is not None
        # The response object stands by the time that a callback says of which class it is to be.
        if result.response_class is not None and isinstance(result.response_class, type):
            request.response.__class__ = result.response_class
        if result.fault is not None:
            self.is_faulty = True
            if result.fault is Fault.CONNECTION_REFUSED:
                raise refusal(request)
        return self.reply.encoded(result, self.method, self.hop)

    # What comes of it.

    def end(self, response: ClientResponse | None, exception: BaseException | None) -> None:
        """Note how the call ended."""
        call = self.call
        # Timers that aiohttp has cancelled remember their context for a while, and with it this.
        self.is_over, self.request, self.kwargs = True, None, {}
        if response is not None:
            self.interception.responses.append(response)
        call.end(response, exception)
        if call.call is not None:
            note_end(call.call)

    def _note_raised(self, error: BaseException) -> None:
        self.raised = error
        if isinstance(error, tuple(_WRAPPERS.values())):
            for trace in self.traces:
                self._tell_unwrapped(trace)

    def _tell_unwrapped(self, trace: Trace) -> None:
        """Have a trace, which belongs to this call alone, see exceptions without aiohttp's wrapping."""
        send = trace.send_request_exception

        async def send_unwrapped(method: str, url: URL, headers: CIMultiDict[str], exception: BaseException) -> None:
            await send(method, url, headers, self.unwrapped(exception))

        trace.send_request_exception = send_unwrapped  # type: ignore[method-assign]

    def unwrapped(self, error: BaseException) -> BaseException:
        """Return the exception of a mock that aiohttp has wrapped in `error`, or else `error`."""
        wraps = _WRAPPERS.get(type(error))
        if wraps is not None and isinstance(self.raised, wraps) and error.__cause__ is self.raised:
            return self.raised
        return error
