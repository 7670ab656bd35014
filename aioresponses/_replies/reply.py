"""One turn of a mock: a result, an exception, or what a callback says."""

from __future__ import annotations

import asyncio
import inspect
from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Union

from yarl import URL

from .._calls.record import RequestCall
from .._client.transport import Answer
from .._client.waiting import pass_time
from .bodies import is_used_up_by_one
from .encoding import JsonDumps, KeptAnswer, check_payload, encode, json_dumps
from .results import CallbackResult, Fault

Callback = Callable[..., Union[CallbackResult, None, Awaitable["CallbackResult | None"]]]

Raises = Union[BaseException, "type[BaseException]"]

# What a dict in `replies=` may hold. The method of a result plays no part.
_ARGUMENTS = {"exception", "timeout", "callback", *inspect.signature(CallbackResult).parameters} - {"method"}


class Reply:
    """One turn of a mock: a `CallbackResult`, or an exception; a callback may be asked first."""

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
        # A result that users hold as well may become another at any time.
        self._is_plain = not (
            result is not None or self._raises is not None or callback or self.result.delay or self.result.fault
        )
        self._json_dumps = json_dumps
        self.at_once: Callable[[str, Callable[[], RequestCall]], Answer | None] = _not_at_once
        """Returns the answer to a request where nothing goes wrong and nothing is asked or waited for; else None.

        No method, since every request would pay for one more call.
        """
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
        check_payload(self.result, json_dumps)
        self._json_dumps = json_dumps
        if self._is_plain:
            self.at_once = KeptAnswer(self.result, json_dumps).to

    def check_repeatable(self) -> None:
        """Raise `ValueError` if this can be said no more than once."""
        result = self.result
        if result.events is not None:
            name, is_used_up = "events", is_used_up_by_one(result.events)
        else:
            name, is_used_up = "body", result.payload is None and is_used_up_by_one(result.body)
        if is_used_up:
            raise ValueError(
                f"{name} and repeat contradict each other: an iterator or a file that cannot be rewound is used up "
                f"by one reply; give the generator function itself"
            )

    def encoded(self, result: CallbackResult, method: str, call: Callable[[], RequestCall]) -> Answer:
        """Return as bytes on the wire what `to` has returned in the end."""
        return encode(result, method, call, self._json_dumps)

    def to(
        self, call: Callable[[], RequestCall], url: URL, kwargs: Mapping[str, Any], unanswered: Callable[[], object]
    ) -> CallbackResult | Awaitable[CallbackResult]:
        """Return the reply to a request, or raise what is to be raised in its place.

        `url` and `kwargs` are what a callback is called with that does not take the call; `unanswered` is called where
        the callback raises. Returns an awaitable where there is something to wait for.
        """
        if self._callback is None:
            return self._settled(None, call)
        try:
            if self._takes_call:
                result = self._callback(call())
            else:
                # As in aioresponses 0.7, it is given what was sent of an asynchronous iterable, which is used up now.
                sent = {"data": call().body} if hasattr(kwargs.get("data"), "__aiter__") else {}
                result = self._callback(url, **{**kwargs, **sent})
        except Exception:
            unanswered()
            raise
        if inspect.isawaitable(result):
            return self._settled_later(result, call, unanswered)
        return self._settled(result, call)

    async def _settled_later(
        self, awaitable: Awaitable[object], call: Callable[[], RequestCall], unanswered: Callable[[], object]
    ) -> CallbackResult:
        try:
            result = await awaitable
        except Exception:
            unanswered()
            raise
        settled = self._settled(result, call)
        return settled if isinstance(settled, CallbackResult) else await settled

    def _settled(
        self, result: object, call: Callable[[], RequestCall]
    ) -> CallbackResult | Awaitable[CallbackResult]:
        if self._raises is not None:
            if self.result.delay:
                return self._when_due(self.result)
            raise self._raises
        if result is None:
            result = self.result
        if not isinstance(result, CallbackResult):
            raise TypeError(
                f"callback: expected a CallbackResult or None from the callback of {call().match}, got {result!r}"
            )
        return self._when_due(result) if result.delay or result.fault is Fault.HANG else result

    async def _when_due(self, result: CallbackResult) -> CallbackResult:
        await pass_time(result.delay)
        if self._raises is not None:
            raise self._raises
        if result.fault is Fault.HANG:
            await get_running_loop().create_future()
        return result


def _not_at_once(method: str, call: Callable[[], RequestCall]) -> None:
    """Stand in for `Reply.at_once` where there is something to ask, to raise or to wait for."""


def _takes_call(callback: Callback) -> bool:
    """Tell whether a callback takes the call, and not the URL and the keyword arguments."""
    try:
        parameters = list(inspect.signature(callback).parameters.values())
    except ValueError:  # Some functions that are written in C have none.
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
