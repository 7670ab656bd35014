"""`RequestMatch`: one registered mock, what it asks of requests and what it answers."""

from __future__ import annotations

import asyncio
import inspect
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union

from aiohttp import hdrs
from yarl import URL

from .calls import RequestCall, call_of
from .conditions import Conditions
from .exchanges import Exchange
from .matching import Target, Verdict
from .replies import CallbackResult, Fault, JsonDumps, json_dumps
from .templates import Template
from .wire import Answer

if TYPE_CHECKING:
    import re

__all__ = ["Callback", "Raises", "Reply", "RequestMatch"]

Callback = Callable[..., Union[CallbackResult, None, Awaitable["CallbackResult | None"]]]
Raises = Union[BaseException, "type[BaseException]"]

_count = itertools.count()


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


class RequestMatch:
    """A registered mock: the requests that it answers, and what it answers them with.

    `aioresponses.add` makes and returns it, and describes its arguments.
    """

    def __init__(
        self,
        target: Target,
        url_or_pattern: URL | re.Pattern[str] | Template,
        replies: Sequence[Reply],
        conditions: Conditions,
        repeat: bool | int = False,
        optional: bool = False,
        json_dumps: JsonDumps = json_dumps,
    ) -> None:
        self.target = target
        self.url_or_pattern = url_or_pattern
        self.conditions = conditions
        self._next_reply = itertools.cycle(replies).__next__
        times = _times(repeat)
        self.remaining = None if times is None else times * len(replies)
        """How many more requests this mock answers; None for any number."""
        self._limit = self.remaining
        for reply in replies:
            reply.serialise_by(json_dumps)
            if times != 1 and reply.result.is_used_up_by_one:
                name = "body" if reply.result.events is None else "events"
                raise ValueError(
                    f"{name} and repeat contradict each other: an iterator or a file that cannot be rewound is used up "
                    f"by one reply; give the generator function itself"
                )
        self.order = next(_count)
        self.key = str(self.order)
        self._take_out: Callable[[RequestMatch], None] | None = None
        self._put_back: Callable[[RequestMatch], None] | None = None
        self._is_sequence = len(replies) > 1
        self.optional = optional
        """Whether the mock may stay unused where all mocks must be called."""
        self._exchanges: list[Exchange] = []

    def __repr__(self) -> str:
        times = "once" if self.call_count == 1 else f"{self.call_count} times"
        return f"<RequestMatch {self}, used {times if self._limit is None else self._used()}>"

    def _used(self) -> str:
        return f"{(self._limit or 0) - (self.remaining or 0)} of {self._limit}"

    def __str__(self) -> str:
        return f"{self.target}, {self.conditions}" if self.conditions else str(self.target)

    @property
    def method(self) -> str:
        """The method, in lower case (as in aioresponses 0.7)."""
        return str(self.target.method).lower()

    def registered_by(
        self, take_out: Callable[[RequestMatch], None], put_back: Callable[[RequestMatch], None]
    ) -> None:
        """Note who takes the mock out of service, and puts it back."""
        self._take_out = take_out
        self._put_back = put_back

    def remove(self) -> None:
        """Take the mock out of service, as if it had never been registered; without effect where it is already."""
        if self._take_out is not None:
            self._take_out(self)
            self._take_out = None

    def verdict(self, method: str, url: URL, call: RequestCall, unmet: str | None) -> Verdict:
        """Return why the mock did not answer a call of this method and URL.

        `unmet` is what it asked for in vain, if it was asked.
        """
        verdict = self.target.verdict(method, url)
        if verdict is not None:
            return verdict
        if unmet is None:
            try:
                unmet = self.conditions.unmet(call, self)
            except Exception as error:
                # The mock is used up; that it raises as well is of no use to anybody.
                unmet = f"raised {error!r}"
        return Verdict(0, f"used up ({self._used()})") if unmet is None else Verdict(0.25, unmet)

    @property
    def calls(self) -> list[RequestCall]:
        """The requests that this mock answered, in order."""
        return list(map(call_of, self._exchanges))

    @property
    def called(self) -> bool:
        """Whether this mock answered a request."""
        return bool(self._exchanges)

    @property
    def call_count(self) -> int:
        """How many requests this mock answered."""
        return len(self._exchanges)

    def take(self, exchange: Exchange) -> Reply:
        """Answer one more request; return the reply that it gets."""
        exchange.match = self
        self._exchanges.append(exchange)
        if self.remaining is not None:
            self.remaining -= 1
        return self._next_reply()

    def give_back(self) -> None:
        """Answer one request less, for the callback that was to answer it has raised.

        So it was in aioresponses 0.7, and callbacks that raise a few times before they answer count on it. In a
        sequence it has had its turn, and a callback that was cancelled has been asked.
        """
        if not self._is_sequence and self._put_back is not None:
            self._put_back(self)


def _times(repeat: object) -> int | None:
    """Return how often a mock answers, None for without end."""
    if isinstance(repeat, bool):
        return None if repeat else 1
    if not isinstance(repeat, int):
        raise TypeError(f"repeat: expected a bool, or an int of at least 1, got {repeat!r}")
    if repeat < 1:
        raise ValueError(f"repeat: expected a bool, or an int of at least 1, got {repeat!r}")
    return repeat
