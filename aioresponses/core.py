"""The mock object: starting and stopping it, and what it checks at its end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from re import Pattern
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
from aiohttp import ClientResponse
from yarl import URL

from ._asked import Asked
from ._calls.exchange import moment
from ._calls.log import Log
from ._calls.record import RequestCall
from ._checks import check_count, check_flag
from ._client.active import note_stopped
from ._client.hooks import activate, deactivate
from ._client.responses import leave_readable
from ._compatibility import Core, ignore_keywords, stream_reader_factory, warn_of_overriding
from ._display import shown
from ._mocks import Mocks
from ._recordings import Recordings
from ._replies.encoding import json_dumps
from ._replies.results import CallbackResult
from ._urls import merge_params, normalize_url

if TYPE_CHECKING:
    from typing_extensions import Never, Self

    # Type checkers do not see what `_compatibility.RequestMatch` adds for old suites.
    from ._calls.record import RequestMatch
    from ._client.leaks import Leak, Watch
    from ._matching.targets import Url
    from ._replies.encoding import JsonDumps

    _Function = TypeVar("_Function", bound=Callable[..., Any])
else:
    from ._compatibility import RequestMatch

__all__ = [
    "CallbackResult",
    "RequestCall",
    "RequestMatch",
    "aioresponses",
    # For suites that replace them here, or import them from here.
    "ClientResponse",
    "Pattern",
    "URL",
    "merge_params",
    "normalize_url",
    "stream_reader_factory",
]

sys.modules[__name__].__class__ = Core

# unittest leaves the frames of such modules out of the tracebacks of failed assertions.
__unittest = True


class aioresponses(Mocks, Recordings, Asked):
    """Answers the requests of every `aiohttp.ClientSession` while it is active.

    Use it as a context manager (`with` or `async with`), as a decorator of functions and coroutine functions, or with
    `start()` and `stop()`; in a test case, `AioResponsesTestCase` does it for you.

    - `param`: the name of the keyword argument with which a decorated function receives the mock; by default it is the
      last positional argument.
    - `passthrough`: prefixes of URLs whose requests go to the network, including templates such as
      `https://*.internal.example`, or compiled patterns. Prefixes are compared by scheme, host, port and path, and
      match any value for a part that they leave out: `http://127.0.0.1` stands for all ports of that host. `http`
      covers `ws` as well, and `https` covers `wss`.
    - `passthrough_unmatched`: whether requests that match no mock go to the network. By default they raise
      `aiohttp.ClientConnectionError`.
    - `assert_all_called`: whether to fail if a mock was never used, or has replies left of those that `repeat` or
      `replies` promise. Mocks with `optional=True` are exempt.
    - `assert_all_mocked`: whether to fail if a request matched no mock, or if an assertion failed in a callback, a
      condition or a stream of a mock, even if the code under test swallowed the exception.
    - `strict`: both of these.
    - `json_dumps`: a function that serialises each `payload` to text or bytes; `json.dumps` by default. It is also an
      attribute, and applies to mocks that are registered from then on.
    - `latency`: the seconds that pass before each reply starts, in addition to its `delay`; with 0, everything that is
      ready runs first, as it does while a server responds. With None, the default, a reply arrives in the same step of
      the loop, as in aioresponses 0.7, so that code which forgets a lock or a limit still passes. It is also an
      attribute.
    - `keep_calls`: how many of the calls that have ended are kept, the last ones, in `calls`, `requests` and the calls
      of each mock; None, the default, keeps all. Calls that no mock answered, and calls in flight, are kept as well,
      and `call_count` counts all calls. An assertion that would need other calls fails, and says so.
    - `assert_no_leaks`: whether to fail if something was left behind that was made while the mock was active: True, or
      the kinds to look for. `"session"` and `"connector"` are those that were never closed, `"response"` one that
      holds its connection, `"call"` one that never ended, and `"task"` one that still runs after three turns of the
      event loop; a plain `with` in a running loop does not look for tasks. True leaves out `"unread"`, a response that
      was neither read nor released, whose body was small enough to free its connection. `strict` includes none of
      these.

    These checks raise `AssertionError` at the end of a `with` block or a decorated function, unless that raised an
    exception; `stop()` checks nothing.

    >>> with aioresponses() as mock:
    ...     mock.get("http://example.com/users/7", payload={"name": "Ada"})
    ...     user = asyncio.run(read_user(7))
    """

    def __init__(
        self,
        param: str | None = None,
        passthrough: Iterable[Url] = (),
        passthrough_unmatched: bool = False,
        *,
        assert_all_called: bool = False,
        assert_all_mocked: bool = False,
        strict: bool = False,
        json_dumps: JsonDumps = json_dumps,  # pyright: ignore[reportUnboundVariable]
        latency: float | None = None,
        keep_calls: int | None = None,
        assert_no_leaks: bool | Collection[str] = False,
        **unknown: Never,
    ) -> None:
        if unknown:
            ignore_keywords(unknown, aioresponses.__init__)
        if callable(param):
            raise TypeError(f"param: expected a name, got {shown(param)}; the decorator is `@aioresponses()`")
        if param is not None and not isinstance(param, str):
            raise TypeError(f"param: expected a name, got {shown(param)}")
        check_flag("assert_all_called", assert_all_called)
        check_flag("assert_all_mocked", assert_all_mocked)
        check_flag("strict", strict)
        if keep_calls is not None:
            check_count("keep_calls", keep_calls, "None, or an int of at least 1")
        self._param = param
        self._settings: dict[str, Any] = {
            "assert_all_called": assert_all_called or strict,
            "assert_all_mocked": assert_all_mocked or strict,
            "keep_calls": keep_calls,
            "assert_no_leaks": assert_no_leaks,
        }
        self._watch: Watch | None = None
        if assert_no_leaks is not False:
            from ._client import leaks  # Few mocks need it.

            kinds = leaks.checked_kinds(assert_no_leaks)
            self._watch = leaks.Watch(kinds) if kinds else None
        self._since = 0
        # The unused mocks that `stop()` forgot, for the check at the end of a block that stops its mock itself.
        self._unused_at_stop: Sequence[RequestMatch] = ()
        log = Log(keep_calls, None if self._watch is None else self._watch.note_call)
        super().__init__(passthrough, passthrough_unmatched, json_dumps, latency, log, self._response_class)
        if self._settings["assert_all_mocked"]:
            self._count_as_failed(AssertionError)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        warn_of_overriding(cls, aioresponses)

    @staticmethod
    def _response_class() -> type[ClientResponse] | None:
        # Suites patch this module's ClientResponse to make the mock use a class of their own, as with aioresponses 0.7.
        return ClientResponse if ClientResponse is not aiohttp.ClientResponse else None

    # Starting and stopping.

    def start(self) -> None:
        """Start answering requests, before any mock that is already active.

        Raises `RuntimeError` if this mock is already active.

        >>> mock.start()
        >>> self.addCleanup(mock.stop)
        """
        if self.active:
            raise RuntimeError("start() was called on an aioresponses that is already active")
        self._since = moment()
        self._unused_at_stop = ()
        self._interceptor.failed_assertions.clear()
        self._interceptor.failed_sockets.clear()
        self._interceptor.stopped_within = None
        try:
            if self._watch is not None:
                self._watch.begin(self._interceptor)
            activate(self._interceptor)
        except BaseException:
            if self._watch is not None:
                self._watch.end()
            raise

    def stop(self) -> None:
        """Stop answering requests, and forget all mocks; `requests` and `calls` remain.

        Responses that arrived completely can still be read afterwards, even if they were released. Raises
        `RuntimeError` if this mock is not active.
        """
        if not self.active:
            raise RuntimeError("stop() was called on an aioresponses that is not active")
        try:
            deactivate(self._interceptor)
        finally:
            try:
                # An interrupt may have come before `deactivate` did anything.
                if self.active:
                    deactivate(self._interceptor)
            finally:
                if self._watch is not None:
                    self._watch.end()
                self._interceptor.tell_servers()
                # What the end of a block checks, if a block stops its mock itself.
                if self._settings["assert_all_called"]:
                    self._unused_at_stop = self.unused_mocks
                self._note_unmet_scripts(is_over=True)
                self.clear()
                self._interceptor.sockets.clear()
                for response in self._log.responses():
                    leave_readable(response)
                note_stopped(self._interceptor)

    async def aclose(self) -> None:
        """Stop this mock if it is active, and wait until the mounted applications have ended.

        Connections end first, then applications, while the mock is still active. `async with` does this, and so does
        an `AioResponsesTestCase`. If the clean-up of an application raises an exception, so does this. Raises
        `AssertionError` if a script, a rule or a handler of a WebSocket has failed: for a mock that was never started,
        but made a connector, no block checks this.

        >>> await mock.aclose()
        """
        failure = None
        try:
            await self._end_servers()
            failure = self._failure(strictness={"assert_all_called": False, "assert_all_mocked": False})
        finally:
            self._interceptor.failed_sockets.clear()
            if self.active:
                self.stop()
        if failure is not None:
            raise failure

    def reset(self) -> None:
        """Forget all calls, in `calls`, in `requests` and of each mock; the mocks remain.

        A mock with a limited number of replies has as many left as before. Calls in flight are forgotten as well.
        """
        self._log.forget()
        self._router.forget_calls()
        for mount in self._interceptor.mounts:
            mount._at_work.forget()
        self._responses.clear()

    def __enter__(self) -> Self:
        was_active = self.active
        try:
            self.start()
            return self
        except BaseException:
            # If an interrupt comes after the start, `__exit__` is never called.
            if not was_active and self.active:
                self.stop()
            raise

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        # An exception that is already under way must not be replaced by another.
        failure = None
        try:
            try:
                if exc_type is None:
                    failure = self._failure(leaks=self._leaks())
            finally:
                # As with aioresponses 0.7, the block may have stopped the mock itself.
                if self.active:
                    self.stop()
        finally:
            if self.active:
                self.stop()
            self._unused_at_stop = ()
            self._interceptor.failed_sockets.clear()
            if self._watch is not None:
                self._watch.forget()
        if failure is not None:
            raise failure

    def _failure(
        self,
        make: Callable[[str], BaseException] = AssertionError,
        raised: Iterable[BaseException] = (),
        strictness: Mapping[str, bool] | None = None,
        leaks: Sequence[Leak] = (),
        is_over: bool = True,
    ) -> BaseException | None:
        """Return what the strict checks find, and the `leaks`, as one exception; None if all is well.

        `make` makes the exception from its text. What is shown by the exceptions that the test has `raised` is not
        reported again. Calls of an earlier use of the mock do not count. `strictness` takes precedence over the
        arguments of the mock. If `is_over`, clients do nothing more.
        """
        noted = self._interceptor
        self._note_unmet_scripts(is_over)
        if self._log.is_empty and self._router.is_empty and not (
            leaks or self._unused_at_stop or noted.failed_assertions or noted.failed_sockets
        ):
            return None  # So that a test without requests does not pay for what follows.
        asked = {**self._settings, **(strictness or {})}
        shown_already: list[BaseException] = []
        for error in raised:
            from ._calls.failures import shown_with  # Not before a test has failed.

            shown_already += shown_with(error)
        failed = [
            one
            for one in noted.failed_assertions
            if all(one.error is not error for error in shown_already)
        ]
        sockets = [
            one for one in noted.failed_sockets if all(one.error is not error for error in shown_already)
        ]
        unused = [*self._unused_at_stop, *self.unused_mocks] if asked["assert_all_called"] else []
        unmatched = self.unmatched_calls if asked["assert_all_mocked"] else []
        unmatched = [call for call in unmatched if call.order >= self._since]
        if unmatched:
            from ._assertions.reports import not_reported  # Not before there is something to report.

            unmatched = not_reported(unmatched, shown_already)
        if not (sockets or failed or unused or unmatched or leaks):
            return None
        from ._assertions.reports import about_failed, about_leaks, about_unmatched, about_unused, listed

        parts = [
            *(one.text for one in sockets), about_failed(failed), about_unused(unused), about_unmatched(unmatched)
        ]
        found = [part for part in parts if part]
        if found:
            found.append(listed(self.calls))
        failure = make("\n".join([*found, about_leaks(leaks)] if leaks else found))
        # Python then shows the traceback of the cause as well.
        causes = [*(one.error for one in sockets), *(one.error for one in failed)]
        failure.__cause__ = causes[0] if causes else None
        return failure

    def _note_unmet_scripts(self, is_over: bool) -> None:
        for socket in self._interceptor.sockets:
            socket.note_unmet(is_over)

    async def _end_servers(self) -> None:
        """End the servers, after a look at what their end would hide."""
        watch = self._watch if self._interceptor.has_servers else None
        if watch is not None:
            await watch.wait_for_servers()
        await self._interceptor.end_servers()
        if watch is not None:
            watch.servers_have_ended = True

    def _leaks(self) -> list[Leak]:
        """Return what was left behind, of the kinds that the mock looks for, and release the references to it."""
        return [] if self._watch is None else self._watch.conclude()

    def _count_as_failed(self, *classes: type[BaseException]) -> None:
        """From now on, note failed assertions of these classes, and fail because of them; forget all earlier ones."""
        self._interceptor.assertion_classes = classes
        self._interceptor.failed_assertions.clear()
        if not classes:
            self._interceptor.failed_sockets.clear()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        try:
            await self._end_servers()
            if self._watch is not None and exc_type is None:
                await self._watch.wait()
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        self.__exit__(exc_type, exc_val, exc_tb)

    def __call__(self, function: _Function) -> _Function:
        """Decorate a function or a coroutine function: the mock is active while it runs, and is passed as an argument.

        For a generator function, such as a fixture of pytest, the mock is active until the generator ends.
        For a subclass of `unittest.TestCase`, all test methods are decorated. Raises `TypeError` for any other class.
        """
        from ._decorating import decorate_tests, decorated  # Not before it is needed.

        if isinstance(function, type):
            # A new mock for each run, so that no test sees the calls of another.
            decorate_tests(function, self._another, self._param)
            return function
        return decorated(function, self._itself, self._param)

    def _another(self) -> aioresponses:
        return aioresponses(
            self._param,
            self._passthrough,
            self.passthrough_unmatched,
            **self._settings,
            json_dumps=self.json_dumps,
            latency=self.latency,
        )

    def _itself(self) -> aioresponses:
        # A decorated function may run within itself, or several times side by side.
        if self.active:
            return self._another()
        # So that no run of a test sees the calls of another: pytest runs a test once for each parameter.
        self.reset()
        return self
