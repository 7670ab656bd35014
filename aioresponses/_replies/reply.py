"""One turn of a mock: a result, an exception, or what a callback returns."""

from __future__ import annotations

import asyncio
import inspect
import sys
from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union

from aiohttp import ClientRequest, MultipartWriter
from aiohttp.payload import Payload as AiohttpPayload
from yarl import URL

from .._calls.record import RequestCall
from .._checks import same_kind, warn
from .._client.transport import Answer
from .._client.waiting import pass_time
from .._display import add_note, shown
from .bodies import is_used_up_by_one
from .encoding import KeptAnswer, check_serialisable, encode, json_dumps
from .results import RESULT_ARGUMENTS, CallbackResult, Fault

if TYPE_CHECKING:
    from aiohttp import web
    from typing_extensions import TypeGuard

    from .callbacks import Callback
    from .encoding import Asked, JsonDumps
    from .handlers import HandlerReply

    Raises = Union[BaseException, "type[BaseException]"]

# What a dict in `replies=` may hold.
_ARGUMENTS = [*RESULT_ARGUMENTS, "exception", "timeout", "callback", "handler"]


class Reply:
    """One turn of a mock: a `CallbackResult`, or an exception; a callback may be asked first.

    Wrong arguments are refused, but only if they are needed. If the reply is an exception, only the delay is needed. If
    there is a callback, its own result may be enough; an error in the reply itself is raised only if the callback
    returns None.
    """

    def __init__(
        self,
        exception: Raises | None = None,
        timeout: bool = False,
        callback: Callback | None = None,
        result: CallbackResult | None = None,
        json_dumps: JsonDumps = json_dumps,
        is_repeated: bool = False,
        passes_through: bool = False,
        handler: object = None,
        **of_result: Any,
    ) -> None:
        self.name = ""
        """The prefix by which messages name it among `replies`."""
        self.handler: HandlerReply | None = None
        """What makes the reply; None if it is canned."""
        if handler is not None:
            given = {"exception": exception, "timeout": timeout or None, "callback": callback, **of_result}
            self.handler = _made_by(handler, [name for name, value in given.items() if value is not None])
            of_result = {}
            exception = callback = None
            timeout = False
        self.passes_through = passes_through
        """Whether the request goes to the network, which replies instead."""
        # Only its signature decides what it is called with, so its type says no more.
        self._callback: Callable[..., object] | None = callback
        self._takes_call = False
        if callback is not None:
            from .callbacks import takes_call  # Not before it is needed.

            self._takes_call = takes_call(callback)
        self._json_dumps = json_dumps
        self._raises = asyncio.TimeoutError if _is_timeout(timeout) else exception
        self._made: BaseException | None = None
        """The instance that was made of an exception class to check that this works; it is the first to be raised."""
        if self._raises is not None:
            if of_result.get("fault") is not None:
                name = "exception" if exception is not None else "timeout"
                raise ValueError(f"{name} cannot be combined with fault: a reply can fail in only one way")
            self._made = _made(self._raises)
            of_result = {"delay": of_result.get("delay", 0)}
        self._wrong: Exception | None = None
        try:
            self.result = CallbackResult(**of_result) if result is None else result
            check_serialisable(self.result, json_dumps)
            if is_repeated:
                _check_repeatable(self.result)
        except (TypeError, ValueError) as error:
            if callback is None or self._raises is not None:
                raise
            self.result, self._wrong = CallbackResult(), same_kind(error, str(error))
        self.at_once: Callable[[Asked], Answer | None] = _not_at_once
        """Returns the answer to a request if nothing fails, waits or calls user code; otherwise returns None.

        Not a method, because that would cost every request one more call.
        """
        # A result that users hold as well may change at any time.
        if not (
            result is not None
            or self._raises is not None
            or callback
            or self.result.delay
            or self.result.fault
            or handler is not None
        ):
            self.at_once = KeptAnswer(self.result, json_dumps).to
        self.fault = self.result.fault if callback is None else None
        """The fault, which may occur before the request is sent; None if nothing fails, or a callback decides."""
        self.may_fail = callback is not None or result is not None or self.result.fault is not None
        """Whether there may be a fault: what a callback returns, or what users hold, is not known beforehand."""

    @classmethod
    def of(cls, given: object, place: int, json_dumps: JsonDumps, is_repeated: bool) -> Reply:
        """Make a reply from an element of `replies=`: a dict of arguments, an exception, or a `CallbackResult`."""
        name = f"replies[{place}]: "
        try:
            reply = cls(**_arguments_of(given), json_dumps=json_dumps, is_repeated=is_repeated)
        except (TypeError, ValueError) as error:
            raise same_kind(error, f"{name}{error}") from error
        reply.name = name
        return reply

    def is_registered(self, error: BaseException) -> bool:
        """Tell whether an exception is the one that was registered."""
        return error is self._raises or type(error) is self._raises

    def encoded(self, result: CallbackResult, request: ClientRequest, call: Callable[[], RequestCall]) -> Answer:
        """Return a result of `to` as bytes on the wire."""
        return encode(result, request, call, self._json_dumps)

    def to(
        self, call: Callable[[], RequestCall], url: URL, kwargs: Mapping[str, Any], unanswered: Callable[[], object]
    ) -> CallbackResult | HandlerReply | Awaitable[CallbackResult | HandlerReply]:
        """Return the reply to a request, or raise the exception that replaces it.

        A callback that does not take the call is called with `url` and `kwargs`; `unanswered` is called if the callback
        raises. Returns an awaitable if there is something to wait for.
        """
        if self._callback is None:
            return self._settled(None, call)
        try:
            if self._takes_call:
                result = self._callback(call())
            else:
                # As in aioresponses 0.7, it gets what was sent from an async iterable, which is now used up.
                sent = {"data": call().body} if hasattr(kwargs.get("data"), "__aiter__") else {}
                result = self._callback(url, **{**kwargs, **sent})
        except Exception as error:
            unanswered()
            if isinstance(error, TypeError) and not self._takes_call:
                from .callbacks import note_missing  # Not before it is needed.

                note_missing(error, self._callback, kwargs)
            raise
        if inspect.isawaitable(result):
            return self._settled_later(result, call, unanswered)
        return self._settled(result, call)

    async def _settled_later(
        self, awaitable: Awaitable[object], call: Callable[[], RequestCall], unanswered: Callable[[], object]
    ) -> CallbackResult | HandlerReply:
        try:
            result = await awaitable
        except Exception:
            unanswered()
            raise
        settled = self._settled(result, call)
        return await settled if inspect.isawaitable(settled) else settled

    def _settled(
        self, result: object, call: Callable[[], RequestCall]
    ) -> CallbackResult | HandlerReply | Awaitable[CallbackResult]:
        if self._raises is not None:
            if self.result.delay:
                return self._when_due(self.result)
            raise self._exception()
        if result is None:
            if self._wrong is not None:
                raise self._late_refusal(self._wrong, call().match)
            result = self.result
        if _is_response(result):
            from .handlers import HandlerReply

            return HandlerReply.returning(result)
        if not isinstance(result, CallbackResult):
            raise TypeError(
                f"callback: expected a CallbackResult or None from the callback of {call().match}, got {shown(result)}"
            )
        waits = result.delay or result.fault is Fault.HANG or result.fault is Fault.CONNECT_TIMEOUT
        return self._when_due(result) if waits else result

    async def _when_due(self, result: CallbackResult) -> CallbackResult:
        await pass_time(result.delay)
        if self._raises is not None:
            raise self._exception()
        if result.fault is Fault.HANG:
            await get_running_loop().create_future()
        return result

    def _late_refusal(self, wrong: Exception, mock: object) -> Exception:
        """Return the error that registering the reply would have raised if the reply had been needed then."""
        error = same_kind(wrong, f"{self.name}{wrong}")
        add_note(
            error, f"aioresponses: the callback of the mock {mock} returned None, so its registered reply was used"
        )
        return error

    def _exception(self) -> BaseException:
        """Return the exception to raise: the one that was given, or a new instance of the class."""
        if not isinstance(self._raises, type):
            assert self._raises is not None
            # Raising the same exception again would extend its traceback, and keep all frames in it alive.
            return self._raises.with_traceback(None)
        made, self._made = self._made, None
        return self._raises() if made is None else made


def _is_response(result: object) -> TypeGuard[web.StreamResponse]:
    """Tell whether something is a response of aiohttp.web; if it is, aiohttp.web has been imported already."""
    web = sys.modules.get("aiohttp.web")
    return web is not None and issubclass(type(result), web.StreamResponse)


def _made_by(handler: object, others: Sequence[str]) -> HandlerReply:
    """Return what makes replies with a handler; raise `ValueError` if the reply has `others` among its arguments."""
    if others:
        raise ValueError(f"{others[0]} cannot be combined with handler: the handler makes the whole reply")
    # Imports aiohttp.web, which takes longer than importing this whole package.
    from .handlers import HandlerReply

    return HandlerReply(handler)


def _not_at_once(asked: Asked) -> None:
    """Replace `Reply.at_once` in a reply that fails, waits or calls user code."""


def _arguments_of(given: object) -> Mapping[str, Any]:
    if isinstance(given, Mapping):
        for name in given:
            if name not in _ARGUMENTS:
                from .._suggestions import instead_of  # Not before it is needed.

                raise TypeError(f"unexpected argument {shown(name)}: {instead_of(name, _ARGUMENTS)}")
        return given
    if isinstance(given, CallbackResult):
        return {"result": given}
    if isinstance(given, BaseException) or isinstance(given, type) and issubclass(given, BaseException):
        return {"exception": given}
    raise TypeError(f"expected a dict of arguments, an exception or a CallbackResult, got {shown(given)}")


def _is_timeout(timeout: object) -> bool:
    if timeout is None or isinstance(timeout, bool):
        return bool(timeout)
    what = "raises asyncio.TimeoutError at once" if timeout else "raises no timeout"
    warn(
        f"timeout: expected a bool, got {shown(timeout)}, and the call {what}; to answer after some seconds, use delay="
    )
    return bool(timeout)


def _made(exception: Any) -> BaseException | None:
    """Return an instance of an exception class; None for an exception; raise `TypeError` for anything else.

    Only making an instance shows whether that works, but making too many may have side effects. So this instance is the
    first to be raised.
    """
    made = None
    if isinstance(exception, type) and issubclass(exception, BaseException):
        try:
            made = exception()
        except Exception as error:
            raise TypeError(
                "exception: expected an exception, or a class that can be called without arguments, got "
                f"{shown(exception)}; pass an instance"
            ) from error
    raised = exception if made is None else made
    if not isinstance(raised, BaseException):
        raise TypeError(f"exception: expected an exception or a class of exceptions, got {shown(exception)}")
    if isinstance(raised, StopIteration):
        raise TypeError(
            f"exception: expected an exception that a coroutine can raise, got {shown(exception)}; Python does not "
            "allow it"
        )
    return made


def _check_repeatable(result: CallbackResult) -> None:
    name, source = ("events", result.events) if result.events is not None else ("body", result.body)
    if result.payload is not None or not is_used_up_by_one(source):
        return
    what, instead = "an iterator", "the generator function"
    if isinstance(source, AiohttpPayload):
        kind = "multipart body" if isinstance(source, MultipartWriter) else "payload"
        what, instead = f"a {kind} with a file or an iterator in it", "a function that makes one"
    elif hasattr(source, "read") and not hasattr(source, "__aiter__"):
        what, instead = "a file that cannot be rewound", "a function that opens it"
    raise ValueError(f"{name}: {what} can be sent only once; with repeat, pass {instead}")
