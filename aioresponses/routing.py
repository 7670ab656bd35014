"""The registered mocks: which one answers a request, and which are used up."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Union

from aiohttp import ClientResponse, hdrs
from yarl import URL

from .calls import RequestCall
from .matching import Prefix, Target, Verdict, check_method, check_url
from .replies import CallbackResult, Headers
from .urls import comparable, without_credentials

__all__ = ["Callback", "RequestMatch", "Router"]

Callback = Callable[..., Union[CallbackResult, None, Awaitable["CallbackResult | None"]]]
Raises = Union[BaseException, "type[BaseException]"]

_count = itertools.count()


class RequestMatch:
    """A registered mock: the requests that it answers, and what it answers them with.

    The arguments are those of `aioresponses.add`.
    """

    def __init__(
        self,
        url: URL | str | re.Pattern[str],
        method: str = hdrs.METH_GET,
        status: int = 200,
        body: str | bytes = "",
        payload: Any = None,
        exception: Raises | None = None,
        headers: Headers | None = None,
        content_type: str = "application/json",
        response_class: Callable[..., ClientResponse] | None = None,
        timeout: bool = False,
        repeat: bool | int = False,
        reason: str | None = None,
        callback: Callback | None = None,
        optional: bool = False,
    ) -> None:
        # None stands for any URL and any method in a target, but not here.
        check_method(method)
        self.url_or_pattern = check_url(url)
        self.target = Target.of(method, self.url_or_pattern)
        self._limit = _times(repeat)
        self._reply = CallbackResult(method, status, body, content_type, payload, headers, response_class, reason)
        if exception is not None and not (
            isinstance(exception, BaseException)
            or isinstance(exception, type) and issubclass(exception, BaseException)
        ):
            raise TypeError(f"exception: expected an exception or a class of exceptions, got {exception!r}")
        if callback is not None and not callable(callback):
            raise TypeError(f"callback: expected a function or a coroutine function, got {callback!r}")
        self._raises = asyncio.TimeoutError if timeout else exception
        self._callback = callback
        self.order = next(_count)
        self.key = str(self.order)
        self._take_out: Callable[[RequestMatch], None] | None = None
        self.optional = optional
        """Whether the mock may stay unused where all mocks must be called."""
        self.calls: list[RequestCall] = []
        """The requests that this mock answered, in order."""

    def __repr__(self) -> str:
        times = "once" if self.call_count == 1 else f"{self.call_count} times"
        return f"<RequestMatch {self}, used {times if self._limit is None else f'{self.call_count} of {self._limit}'}>"

    def __str__(self) -> str:
        return str(self.target)

    @property
    def method(self) -> str:
        """The method, in lower case (as in aioresponses 0.7)."""
        return str(self.target.method).lower()

    @property
    def response_class(self) -> Callable[..., ClientResponse] | None:
        """The class of the responses, if it is not the session's."""
        return self._reply.response_class

    def registered_by(self, take_out: Callable[[RequestMatch], None]) -> None:
        """Note who takes the mock out of service."""
        self._take_out = take_out

    def remove(self) -> None:
        """Take the mock out of service, as if it had never been registered; without effect where it is already."""
        if self._take_out is not None:
            self._take_out(self)
            self._take_out = None

    def verdict(self, method: str, url: URL) -> Verdict:
        """Return why the mock did not answer a request of this method and URL."""
        return self.target.verdict(method, url) or Verdict(0, f"used up ({self.call_count} of {self._limit})")

    @property
    def called(self) -> bool:
        """Whether this mock answered a request."""
        return bool(self.calls)

    @property
    def call_count(self) -> int:
        """How many requests this mock answered."""
        return len(self.calls)

    @property
    def remaining(self) -> int | None:
        """How many more requests this mock answers; None for any number."""
        return None if self._limit is None else self._limit - len(self.calls)

    def reply(self, url: URL, kwargs: Mapping[str, Any]) -> CallbackResult | Awaitable[CallbackResult]:
        """Return the reply to a request, or raise what is to be raised in its place.

        `url` and `kwargs` are what a callback is called with. Returns an awaitable where the callback is a coroutine
        function.
        """
        if self._callback is None:
            return self._settled(None)
        result = self._callback(url, **kwargs)
        return self._settled_later(result) if inspect.isawaitable(result) else self._settled(result)

    async def _settled_later(self, result: Awaitable[CallbackResult | None]) -> CallbackResult:
        return self._settled(await result)

    def _settled(self, result: object) -> CallbackResult:
        if self._raises is not None:
            raise self._raises
        if result is None:
            return self._reply
        if isinstance(result, CallbackResult):
            return result
        raise TypeError(f"callback: expected a CallbackResult or None from the callback of {self}, got {result!r}")


def _times(repeat: object) -> int | None:
    """Return how often a mock answers, None for without end."""
    if isinstance(repeat, bool):
        return None if repeat else 1
    if not isinstance(repeat, int):
        raise TypeError(f"repeat: expected a bool, or an int of at least 1, got {repeat!r}")
    if repeat < 1:
        raise ValueError(f"repeat: expected a bool, or an int of at least 1, got {repeat!r}")
    return repeat


class Router:
    """Finds the mock that answers a request.

    `matches` holds the mocks that are not used up, in the order of their registration; taking one out of it, however
    that is done, takes it out of service. Mocks of one method and URL are found in constant time, whatever their
    number; patterns are tried in turn.
    """

    def __init__(self, passthrough: Iterable[str | URL], passthrough_unmatched: bool) -> None:
        if isinstance(passthrough, (str, URL)):
            passthrough = (passthrough,)
        self.matches: dict[str, RequestMatch] = {}
        self.passthrough_unmatched = passthrough_unmatched
        self._prefixes = [Prefix(prefix) for prefix in passthrough]
        self._registered: dict[str, RequestMatch] = {}
        self._exact: dict[tuple[str, URL], deque[RequestMatch]] = {}
        self._patterns: list[RequestMatch] = []

    def add(self, match: RequestMatch) -> None:
        """Register a mock behind those that are registered."""
        match.registered_by(self._take_out)
        self.matches[match.key] = match
        self._registered[match.key] = match
        method, url = match.target
        if isinstance(url, URL):
            self._exact.setdefault((str(method), url), deque()).append(match)
        else:
            self._patterns.append(match)

    def clear(self) -> None:
        """Forget all mocks."""
        self.matches.clear()
        self._registered.clear()
        self._exact.clear()
        self._patterns.clear()

    def passes_through(self, url: URL) -> bool:
        """Tell whether requests to `url` go to the network, whatever is registered."""
        return bool(self._prefixes) and any(prefix.covers(url) for prefix in self._prefixes)

    def claim(self, method: str, url: URL, call: RequestCall) -> RequestMatch | None:
        """Return the mock that answers `call`, a request of this method and URL; None where none does.

        `method` is in upper case, `url` is normalised. The mock is used once by this.
        """
        url = comparable(url)
        found = self._first(method, url)
        if url.raw_user is not None:
            found = _earlier(found, self._first(method, without_credentials(url)))
        if self._patterns:
            self._patterns = [match for match in self._patterns if match.key in self.matches]
            found = _earlier(found, next((match for match in self._patterns if match.target.fits(method, url)), None))
        if found is None:
            return None
        call.match = found
        found.calls.append(call)
        if found.remaining == 0:
            del self.matches[found.key]
        return found

    def verdicts(self, method: str, url: URL) -> list[tuple[RequestMatch, Verdict]]:
        """Return each mock with the reason why it does not answer a request that none answers.

        `method` is in upper case, `url` is normalised.
        """
        url = comparable(url)
        return [(match, match.verdict(method, url)) for match in self.registered]

    @property
    def registered(self) -> list[RequestMatch]:
        """All mocks in the order of their registration, those that are used up with them; not those taken out."""
        return [
            match for key, match in self._registered.items() if key in self.matches or match.remaining == 0
        ]

    def _take_out(self, match: RequestMatch) -> None:
        self.matches.pop(match.key, None)
        self._registered.pop(match.key, None)

    def _first(self, method: str, url: URL) -> RequestMatch | None:
        queue = self._exact.get((method, url))
        while queue:
            if queue[0].key in self.matches:
                return queue[0]
            queue.popleft()
        return None


def _earlier(one: RequestMatch | None, other: RequestMatch | None) -> RequestMatch | None:
    """Return the one of two mocks that was registered first."""
    if one is None or other is None:
        return one or other
    return one if one.order < other.order else other
