"""`RequestMatch`: one registered mock, what it asks of requests and what it answers."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Union

from aiohttp import hdrs
from yarl import URL

from .._calls.record import Exchange, call_of
from .._client.transport import Answer
from .results import CallbackResult, Fault, JsonDumps, json_dumps

Callback = Callable[..., Union[CallbackResult, None, Awaitable["CallbackResult | None"]]]

Raises = Union[BaseException, "type[BaseException]"]


class Reply:
    """One reply of a mock: a `CallbackResult`, or an exception; a callback may be asked before."""

    def __init__(
        self,
        exception: Raises | None = None,
        timeout: bool = False,
        callback: Callback | None = None,
        result: CallbackResult | None = None,
        **of_result: Any,
    ) -> None:
        self.result = CallbackResult(**of_result) if result is None else result
        if exception is not None and not (
            isinstance(exception, BaseException)
            or isinstance(exception, type) and issubclass(exception, BaseException)
        ):
            raise TypeError(f"exception: expected an exception or a class of exceptions, got {exception!r}")
        if callback is not None and not callable(callback):
            raise TypeError(f"callback: expected a function or a coroutine function, got {callback!r}")
        if self.result.fault is not None:
            for name, other in (("exception", exception), ("timeout", timeout)):
                if other:
                    raise ValueError(f"{name} and fault contradict each other: a reply fails in one way")
        self._raises = asyncio.TimeoutError if timeout else exception
        self._callback = callback
        self._takes_call = callback is not None and _takes_call(callback)
        # A result that somebody else has may become another one at any time.
        self._is_plain = not (
            result is not None or self._raises is not None or callback or self.result.delay or self.result.fault
        )
        self._json_dumps = json_dumps
        self._contents: Callable[[], object] | None = None
        self._last_contents: object = None
        self._last_answer: Answer
        self.refuses = callback is None and self.result.fault is Fault.CONNECTION_REFUSED
        """Whether the connection is refused, so that the request is never sent."""

    @classmethod
    def of(cls, given: object) -> Reply:
        """Make one of an element of `replies=`: a dict of arguments, an exception, or a `CallbackResult`."""
        if isinstance(given, Mapping):
            for name in given:
                if name not in _ARGUMENTS:
                    raise TypeError(f"replies: expected dicts of arguments of a reply, got {name!r} in one")
            try:
                return cls(**given)
            except (TypeError, ValueError) as error:
                raise (TypeError if isinstance(error, TypeError) else ValueError)(f"replies: {error}") from error
        if isinstance(given, CallbackResult):
            return cls(result=given)
        if isinstance(given, BaseException) or isinstance(given, type) and issubclass(given, BaseException):
            return cls(exception=given)
        raise TypeError(f"replies: expected dicts of arguments, exceptions or CallbackResults, got {given!r}")

    def serialise_by(self, json_dumps: JsonDumps) -> None:
        """Say what serialises payloads; raise `TypeError` or `ValueError` if it cannot serialise the one there is."""
        self._json_dumps = json_dumps
        self.result.check_payload(json_dumps)
        self._contents = self.result.contents(json_dumps) if self._is_plain else None

    def at_once(self, method: str, exchange: Exchange) -> Answer | None:
        """Return the reply as bytes on the wire where nothing goes wrong and nobody need be asked or waited for."""
        # Most mocks say the same whenever they answer.
        if self._contents is not None and method != hdrs.METH_HEAD:
            try:
                contents = self._contents()
            except ValueError:
                pass
            else:
                if contents != self._last_contents:
                    self._last_answer = self.encoded(self.result, method, exchange).in_one_piece()
                    self._last_contents = contents
                return self._last_answer
        return self.encoded(self.result, method, exchange) if self._is_plain else None

    def encoded(self, result: CallbackResult, method: str, exchange: Exchange) -> Answer:
        """Return what `to` has returned, in the end, as bytes on the wire."""
        return result.answer(method, exchange, self._json_dumps)

    def to(
        self, exchange: Exchange, url: URL, kwargs: Mapping[str, Any]
    ) -> CallbackResult | Awaitable[CallbackResult]:
        """Return the reply to a request, or raise what is to be raised in its place.

        `url` and `kwargs` are what a callback is called with that does not take the call. Returns an awaitable where
        there is something to wait for.
        """
        if self._callback is None:
            return self._settled(None, exchange)
        try:
            if self._takes_call:
                result = self._callback(call_of(exchange))
            else:
                # As in aioresponses 0.7, it is given what was sent of an asynchronous iterable, which is used up now.
                sent = {"data": call_of(exchange).body} if hasattr(kwargs.get("data"), "__aiter__") else {}
                result = self._callback(url, **{**kwargs, **sent})
        except Exception:
            _give_back(exchange)
            raise
        return self._settled_later(result, exchange) if inspect.isawaitable(result) else self._settled(result, exchange)

    async def _settled_later(self, awaitable: Awaitable[object], exchange: Exchange) -> CallbackResult:
        try:
            result = await awaitable
        except Exception:
            _give_back(exchange)
            raise
        settled = self._settled(result, exchange)
        return settled if isinstance(settled, CallbackResult) else await settled

    def _settled(self, result: object, exchange: Exchange) -> CallbackResult | Awaitable[CallbackResult]:
        if self._raises is not None:
            if self.result.delay:
                return self._when_due(self.result)
            raise self._raises
        if result is None:
            result = self.result
        if not isinstance(result, CallbackResult):
            raise TypeError(
                f"callback: expected a CallbackResult or None from the callback of {exchange.match}, got {result!r}"
            )
        return self._when_due(result) if result.delay or result.fault is Fault.HANG else result

    async def _when_due(self, result: CallbackResult) -> CallbackResult:
        await asyncio.sleep(result.delay)
        if self._raises is not None:
            raise self._raises
        if result.fault is Fault.HANG:
            await asyncio.get_running_loop().create_future()
        return result


def _give_back(exchange: Exchange) -> None:
    if exchange.match is not None:
        exchange.match.give_back()


# What a dict in `replies=` may hold.
_ARGUMENTS = {
    name
    for function in (Reply.__init__, CallbackResult.__init__)
    for name in inspect.signature(function).parameters
} - {"self", "method", "result", "of_result"}


def _takes_call(callback: Callback) -> bool:
    """Tell whether a callback takes the call, and not the URL and the keyword arguments."""
    try:
        parameters = list(inspect.signature(callback).parameters.values())
    except ValueError:  # Some that are written in C tell nobody.
        return False
    if not parameters:
        raise TypeError(f"callback: expected a function of the call, or of url and **kwargs, got {callback!r}")
    first, *others = parameters
    return (
        first.kind in (first.POSITIONAL_ONLY, first.POSITIONAL_OR_KEYWORD)
        and all(one.default is not one.empty for one in others)
        # So it was written for aioresponses 0.7, and has forgotten the other arguments.
        and first.name != "url"
    )
