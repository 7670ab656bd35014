"""The mock: registering answers, starting and stopping, and what was asked for."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, Union

import aiohttp
from aiohttp import ClientResponse, hdrs
from yarl import URL

from .calls import RequestCall
from .patching import Interception
from .replies import CallbackResult, Headers
from .routing import Callback, RequestMatch, Router
from .urls import merge_params, normalize_url

if TYPE_CHECKING:
    from typing_extensions import Self, TypedDict, Unpack

    class Reply(TypedDict, total=False):
        """The keyword arguments of `aioresponses.add` that its shortcuts take."""

        status: int
        body: str | bytes
        exception: BaseException | type[BaseException] | None
        content_type: str
        payload: Any
        headers: Headers | None
        response_class: Callable[..., ClientResponse] | None
        repeat: bool | int
        timeout: bool
        reason: str | None
        callback: Callback | None


__all__ = ["CallbackResult", "RequestCall", "RequestMatch", "aioresponses"]

# unittest leaves the frames of such modules out of the tracebacks of failed assertions.
__unittest = True

_Url = Union[str, URL, "re.Pattern[str]"]
_Function = TypeVar("_Function", bound=Callable[..., Any])


class aioresponses:
    """Answers the requests of every `aiohttp.ClientSession` while it is active.

    Use it as a context manager (`with` or `async with`), as a decorator of functions and coroutine functions, or with
    `start()` and `stop()`; in a test case, `AioResponsesTestCase` does it for you.

    - `param`: the name of the parameter under which a decorated function is given the mock; by default it is given as
      the last positional argument.
    - `passthrough`: prefixes of URLs whose requests go to the network. They are compared by scheme, host, port and
      path; what a prefix leaves out may be anything: `http://127.0.0.1` stands for all ports of that host.
    - `passthrough_unmatched`: whether requests that no mock answers go to the network. By default they raise
      `aiohttp.ClientConnectionError`.

    >>> with aioresponses() as mock:
    ...     mock.get("http://example.com/users/7", payload={"name": "Ada"})
    ...     user = asyncio.run(read_user(7))
    """

    def __init__(
        self,
        param: str | None = None,
        passthrough: Iterable[str | URL] = (),
        passthrough_unmatched: bool = False,
    ) -> None:
        self._settings: dict[str, Any] = {
            "param": param, "passthrough": passthrough, "passthrough_unmatched": passthrough_unmatched
        }
        self._router = Router(passthrough, passthrough_unmatched)
        self._interception = Interception(self._router, self._record)
        self.requests: dict[tuple[str, URL], list[RequestCall]] = {}
        """The calls by method, as the caller wrote it, and URL: normalised, with `params` merged in."""

    def _record(self, call: RequestCall) -> None:
        self.requests.setdefault(call.key, []).append(call)

    # Starting and stopping.

    def start(self) -> None:
        """Answer requests from now on, in place of any mock that is active already.

        Raises `RuntimeError` if it is active itself.
        """
        if self._interception.active:
            raise RuntimeError("start() called on an aioresponses that is active already")
        self._interception.activate()

    def stop(self) -> None:
        """Answer no more requests, and forget all mocks; `requests` and `calls` remain.

        Raises `RuntimeError` if it is not active.
        """
        if not self._interception.active:
            raise RuntimeError("stop() called on an aioresponses that is not active")
        self._interception.deactivate()
        self.clear()

    def clear(self) -> None:
        """Forget all mocks; `requests` and `calls` remain."""
        self._router.clear()
        self._responses.clear()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.__exit__(exc_type, exc_val, exc_tb)

    def __call__(self, function: _Function) -> _Function:
        """Decorate a function or a coroutine function: while it runs, the mock is active."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def decorated_coroutine(*args: Any, **kwargs: Any) -> Any:
                with self._for_one_run() as mock:
                    return await mock._run(function, args, kwargs)

            return decorated_coroutine  # type: ignore[return-value]

        @functools.wraps(function)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with self._for_one_run() as mock:
                return mock._run(function, args, kwargs)

        return decorated  # type: ignore[return-value]

    def _for_one_run(self) -> aioresponses:
        # A decorated function may run within itself, or several times side by side.
        return self if not self._interception.active else aioresponses(**self._settings)

    def _run(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        param = self._settings["param"]
        return function(*args, self, **kwargs) if param is None else function(*args, **kwargs, **{param: self})

    # Registering.

    def add(
        self,
        url: _Url,
        method: str = hdrs.METH_GET,
        status: int = 200,
        body: str | bytes = "",
        exception: BaseException | type[BaseException] | None = None,
        content_type: str = "application/json",
        payload: Any = None,
        headers: Headers | None = None,
        response_class: Callable[..., ClientResponse] | None = None,
        repeat: bool | int = False,
        timeout: bool = False,
        reason: str | None = None,
        callback: Callback | None = None,
    ) -> RequestMatch:
        """Register a mock: what requests it answers, and with what.

        Of several mocks that fit a request, the one that was registered first answers.

        - `url`: text, a `yarl.URL`, or a compiled pattern, of which `match` is called with the whole URL. The order of
          query parameters does not matter, and fragments play no part.
        - `method`: any method; its case does not matter.
        - `status`: an int from 200 to 999.
        - `body`: what the application will read, as `str` (sent as UTF-8) or bytes.
        - `payload`: what is sent as JSON; goes before `body`. It is serialised when it is sent.
        - `headers`: a mapping, a multidict or pairs; a name may stand there more than once.
        - `content_type`: the `Content-Type` header, unless `headers` have one.
        - `reason`: the reason phrase; by default the one that goes with `status`.
        - `response_class`: the class of the response, instead of the session's.
        - `repeat`: how many times the mock answers; True for without end, False (the default) for once.
        - `exception`: an exception, or a class of exceptions, that the call raises, exactly as it is.
        - `timeout`: whether the call raises `asyncio.TimeoutError`.
        - `callback`: a function or a coroutine function, called with the URL and the keyword arguments of the call. It
          returns a `CallbackResult`, or None to have the mock answer as it is registered. It runs before an
          `exception` is raised, and what it raises reaches the caller.

        Returns the `RequestMatch`. Raises `TypeError` or `ValueError`, with the name of the argument, for what cannot
        be used; nothing is registered then.

        >>> mock.add("http://example.com/users", "POST", status=201, payload={"id": 7})
        RequestMatch('http://example.com/users')
        """
        if response_class is None and ClientResponse is not aiohttp.ClientResponse:
            # Suites patch this module's ClientResponse to have their own class used, as aioresponses 0.7 did.
            response_class = ClientResponse
        match = RequestMatch(
            url,
            method=method,
            status=status,
            body=body,
            payload=payload,
            exception=exception,
            headers=headers,
            content_type=content_type,
            response_class=response_class,
            timeout=timeout,
            repeat=repeat,
            reason=reason,
            callback=callback,
        )
        self._router.add(match)
        return match

    def get(self, url: _Url, **kwargs: Unpack[Reply]) -> RequestMatch:
        """Register a mock for GET: `add(url, method="GET", …)`."""
        return self.add(url, method=hdrs.METH_GET, **kwargs)

    def post(self, url: _Url, **kwargs: Unpack[Reply]) -> RequestMatch:
        """Register a mock for POST: `add(url, method="POST", …)`."""
        return self.add(url, method=hdrs.METH_POST, **kwargs)

    def put(self, url: _Url, **kwargs: Unpack[Reply]) -> RequestMatch:
        """Register a mock for PUT: `add(url, method="PUT", …)`."""
        return self.add(url, method=hdrs.METH_PUT, **kwargs)

    def patch(self, url: _Url, **kwargs: Unpack[Reply]) -> RequestMatch:
        """Register a mock for PATCH: `add(url, method="PATCH", …)`."""
        return self.add(url, method=hdrs.METH_PATCH, **kwargs)

    def delete(self, url: _Url, **kwargs: Unpack[Reply]) -> RequestMatch:
        """Register a mock for DELETE: `add(url, method="DELETE", …)`."""
        return self.add(url, method=hdrs.METH_DELETE, **kwargs)

    def head(self, url: _Url, **kwargs: Unpack[Reply]) -> RequestMatch:
        """Register a mock for HEAD: `add(url, method="HEAD", …)`."""
        return self.add(url, method=hdrs.METH_HEAD, **kwargs)

    def options(self, url: _Url, **kwargs: Unpack[Reply]) -> RequestMatch:
        """Register a mock for OPTIONS: `add(url, method="OPTIONS", …)`."""
        return self.add(url, method=hdrs.METH_OPTIONS, **kwargs)

    @property
    def passthrough_unmatched(self) -> bool:
        """Whether requests that no mock answers go to the network."""
        return self._router.passthrough_unmatched

    @passthrough_unmatched.setter
    def passthrough_unmatched(self, value: bool) -> None:
        self._router.passthrough_unmatched = value

    # Names of 0.7 that suites look at.

    @property
    def _matches(self) -> dict[str, RequestMatch]:
        return self._router.matches

    @property
    def _responses(self) -> list[ClientResponse]:
        return self._interception.responses

    # What was asked for.

    @property
    def calls(self) -> list[RequestCall]:
        """All calls, in their order."""
        return sorted(
            (call for calls in self.requests.values() for call in calls), key=lambda call: call.order
        )

    @property
    def call_count(self) -> int:
        """The number of calls."""
        return sum(map(len, self.requests.values()))

    @property
    def called(self) -> bool:
        """Whether there was a call."""
        return self.call_count > 0

    def assert_not_called(self) -> None:
        """Raise `AssertionError` if there was a call."""
        if self.called:
            raise AssertionError(f"Expected no calls, but there were {self.call_count}:\n{self._listed()}")

    def assert_called(self) -> None:
        """Raise `AssertionError` if there was no call."""
        if not self.called:
            raise AssertionError("Expected a call, but there was none.")

    def assert_called_once(self) -> None:
        """Raise `AssertionError` unless there was exactly one call."""
        if self.call_count != 1:
            raise AssertionError(f"Expected one call, but there were {self.call_count}.\n{self._listed()}".rstrip())

    def assert_any_call(self, url: _Url, method: str = hdrs.METH_GET, *args: Any, **kwargs: Any) -> None:
        """Raise `AssertionError` if there was no call of this method and URL, `params` merged into it."""
        self._calls_of(url, method, kwargs)

    def assert_called_with(
        self,
        url: _Url,
        method: str = hdrs.METH_GET,
        *args: Any,
        args_to_match: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Raise `AssertionError` unless the last call of this method and URL had just these keyword arguments.

        `allow_redirects` is True, and `data` of a POST None, unless given. With `args_to_match`, only the arguments
        of these names are compared.
        """
        actual = self._calls_of(url, method, kwargs)[-1]
        expected = {"allow_redirects": True, **kwargs}
        if method.upper() == hdrs.METH_POST:
            expected.setdefault("data", None)
        found: dict[str, Any] = actual.kwargs
        if args_to_match is not None:
            names = list(args_to_match)
            missing = [name for name in names if name not in found or name not in expected]
            if missing:
                raise AssertionError(
                    f"Expected {method} {url} to be called with {', '.join(missing)}.\n"
                    f"Expected: {expected}\n  Actual: {found}"
                )
            expected = {name: expected[name] for name in names}
            found = {name: found[name] for name in names}
        if found != expected:
            raise AssertionError(
                f"Expected {method} {url} to be called with other arguments.\n"
                f"Expected: {expected}\n  Actual: {found}"
            )

    def assert_called_once_with(self, *args: Any, **kwargs: Any) -> None:
        """Raise `AssertionError` unless there was exactly one call, and `assert_called_with` holds for it."""
        self.assert_called_once()
        self.assert_called_with(*args, **kwargs)

    def _calls_of(self, url: _Url, method: str, kwargs: dict[str, Any]) -> list[RequestCall]:
        if isinstance(url, re.Pattern):
            raise TypeError(f"url: expected a str or a yarl.URL, got {url!r}")
        wanted = normalize_url(merge_params(url, kwargs.get("params"))).with_fragment(None)
        found = [
            call
            for call in self.calls
            if call.key[0].upper() == method.upper() and call.key[1].with_fragment(None) == wanted
        ]
        if not found:
            raise AssertionError(
                f"Expected a call of {method} {wanted}, but there was none.\n{self._listed()}".rstrip()
            )
        return found

    def _listed(self) -> str:
        return "\n".join(f"{number}. {call.method} {call.url}" for number, call in enumerate(self.calls, 1))
