"""A test case that has a mock ready in every test."""

from __future__ import annotations

import sys
from asyncio import CancelledError, get_running_loop
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn
from unittest import IsolatedAsyncioTestCase, SkipTest, TestResult

from aiohttp import ClientSession

from ._assertions.reports import about_leaks
from ._assertions.websockets import WebSocketAssertionsMixin
from ._checks import check_flag
from .assertions import BodyAssertionsMixin, CallCountAssertionsMixin, CallOrderAssertionsMixin
from .core import aioresponses

if TYPE_CHECKING:
    from ._client.clock import VirtualClock
    from ._matching.targets import Url

# unittest leaves the frames of such modules out of the tracebacks of failed assertions.
__unittest = True


class _MockOfTest:
    """Raises an explanation if the mock is asked for on the class, or on a test that is not running."""

    def __get__(self, test: object, case: type) -> NoReturn:
        raise AttributeError(
            f"{case.__name__}.mock belongs to one test, and exists only while that test runs: register mocks in setUp "
            f"or asyncSetUp, with self.mock, and not in setUpClass"
        )


class AioResponsesTestCase(
    CallCountAssertionsMixin,
    CallOrderAssertionsMixin,
    BodyAssertionsMixin,
    WebSocketAssertionsMixin,
    IsolatedAsyncioTestCase,
):
    """A test case in which the requests of every `aiohttp.ClientSession` are answered by `self.mock`.

    Each test has its own mock. It is active from before `setUp` until the last cleanup has run, and is stopped however
    the test ends. Test methods may be coroutine functions or plain functions.

    A request that matches no mock fails the test, and so does an assertion that fails in a callback, a condition or a
    stream of a mock, even if the code under test swallows the exception.

    >>> class WeatherTest(AioResponsesTestCase):
    ...     async def test_reads_the_temperature(self):
    ...         self.mock.get("https://api.example.com/weather?q=Oslo", payload={"temp": 21})
    ...         self.assertEqual(await WeatherClient().temperature("Oslo"), 21)
    """

    passthrough: ClassVar[Iterable[Url]] = ()
    """URL prefixes, templates or patterns of requests that go to the network, as `aioresponses` takes them."""

    passthrough_unmatched: ClassVar[bool] = False
    """Whether requests that match no mock go to the network."""

    assert_all_called: ClassVar[bool] = False
    """Whether a test fails if a mock was never used, or has replies left, unless it has `optional=True`."""

    assert_all_mocked: ClassVar[bool] = True
    """Whether a test fails if a request matched no mock, even if the code under test swallowed the exception."""

    strict: ClassVar[bool] = False
    """Both `assert_all_called` and `assert_all_mocked`."""

    latency: ClassVar[float | None] = 0
    """The seconds that pass before each reply starts, in addition to its `delay`; 0 stands for one turn of the loop.

    Other tasks run in the meantime, as they do while a server responds, so that a missing lock or limit shows. With
    None, a reply arrives in the same step of the loop, as in aioresponses 0.7.
    """

    keep_calls: ClassVar[int | None] = None
    """How many of the calls that have ended are kept, the last ones; None keeps all. See `aioresponses`."""

    virtual_time: ClassVar[bool] = False
    """Whether waiting takes no real time. The `VirtualClock` is `self.clock`, from before `setUp` to the end.

    The test must run in one of asyncio's default event loops. If the code under test waits forever, the test fails and
    lists the tasks, and where they wait.
    """

    assert_no_leaks: ClassVar[bool | Collection[str]] = False
    """Whether a test fails if it leaves something behind, or the kinds of things that it must not leave behind.

    True stands for sessions and connectors that were never closed, responses that hold a connection, calls that never
    ended, and tasks that still run: `"session"`, `"connector"`, `"response"`, `"call"` and `"task"`. `"unread"`, a
    response that was neither read nor released, must be named. The check takes place after the last cleanup.
    """

    serve_in_memory: ClassVar[bool] = False
    """Whether `self.client` reaches the application in memory, if the class is an `AioHTTPTestCase` as well.

    No port is needed then. Other code that requests the URL of `self.server` reaches the application in the same way,
    and its requests are recorded.
    """

    cassette: ClassVar[str | PathLike[str] | None] = None
    """The path of a HAR file from which a test is answered, or in which it is recorded; None for no recording.

    `"auto"` stands for `cassettes/<module>/<Class>.<test>.har` in the folder of the test's file. The recording is
    written when the test has ended, unless it has failed.
    """

    cassette_options: ClassVar[Mapping[str, Any]] = {}
    """Further arguments for `aioresponses.cassette`."""

    if TYPE_CHECKING:
        mock: aioresponses
        """The mock of the running test."""
    else:
        mock = _MockOfTest()

    clock: VirtualClock
    """The clock of the running test, if `virtual_time` is True."""

    _own_clock: VirtualClock | None = None

    _wrong_settings: Exception | None = None

    def client_session(self, **kwargs: Any) -> ClientSession:
        """Return a new `aiohttp.ClientSession`, which is closed when the test ends.

        The arguments are those of `ClientSession`. Raises `RuntimeError` if no event loop is running, as in `setUp`:
        call it in `asyncSetUp` or in the test.

        >>> session = self.client_session(base_url="https://api.example.com")
        """
        try:
            get_running_loop()
        except RuntimeError:
            raise RuntimeError(
                "client_session() needs a running event loop: call it in asyncSetUp, or in a coroutine function, and "
                "not in setUp"
            ) from None
        session = ClientSession(**kwargs)
        watch = self._own_mock._watch
        if watch is None:
            self.addAsyncCleanup(session.close)
        else:
            watch.excuse(session)
            # It is closed only after the check for leaks, because closing ends calls and frees connections.
            self._own_sessions.append(session)
        return session

    def assertNoLeaks(self, msg: str | None = None) -> None:
        """Fail if anything of the kinds in `assert_no_leaks` has been left behind so far.

        It does not wait: every task that runs and has not been cancelled counts as left behind.

        >>> await client.close()
        >>> self.assertNoLeaks()
        """
        watch = self._own_mock._watch
        if watch is None:
            self._fail("Nothing is watched in this test. Set `assert_no_leaks = True` in its class.", msg)
        elif leaks := watch.left_now():
            self._fail(about_leaks(leaks), msg)

    # This wraps the whole run of a test rather than setUp and tearDown, so that it also works in a subclass that
    # overrides those without calling them, and so that it covers everything that unittest does around them.

    def run(self, result: TestResult | None = None) -> TestResult | None:
        try:
            self._begin()
        except Exception as error:
            # A wrong class attribute must be an error of the test, and not end the whole run.
            self._wrong_settings = error
            return super().run(result)
        try:
            return super().run(result)
        except (RuntimeError, CancelledError) as error:
            # unittest closes the loop after the test. If a task cannot be ended, closing raises, and would end the run.
            failure = self._failure_of_clock(instead_of=error)
            if failure is None or result is None:
                raise
            raised: Any = type(failure), failure, None
            result.addFailure(self, raised)
            return result
        finally:
            self._end()

    def debug(self) -> None:
        self._begin()
        # The first cleanup runs last.
        self.addCleanup(self._end_cassettes)
        self.addAsyncCleanup(self._close_own_sessions)
        self.addCleanup(self._raise_found)
        self.addCleanup(self._own_mock._end_servers)
        try:
            super().debug()
        finally:
            self._end()

    def _begin(self) -> None:
        self._skipped = False
        self._raised: list[BaseException] = []
        self._wrong_settings = None
        self._own_sessions: list[ClientSession] = []
        check_flag("virtual_time", self.virtual_time)
        check_flag("serve_in_memory", self.serve_in_memory)
        # Kept twice, because a test may assign another mock to self.mock.
        self.mock = self._own_mock = mock = aioresponses(  # pyright: ignore[reportIncompatibleVariableOverride]
            passthrough=self.passthrough,
            passthrough_unmatched=self.passthrough_unmatched,
            assert_all_called=self.assert_all_called,
            assert_all_mocked=self.assert_all_mocked,
            strict=self.strict,
            latency=self.latency,
            keep_calls=self.keep_calls,
            assert_no_leaks=self.assert_no_leaks,
        )
        mock._count_as_failed(AssertionError, self.failureException)
        # The context in which unittest runs all parts of the test (CPython 3.11 and newer). Other threads to which the
        # test hands work inherit it.
        context = getattr(self, "_asyncioTestContext", None)
        if context is None:
            mock.start()
        else:
            context.run(mock.start)
        if self.serve_in_memory and "aiohttp.test_utils" in sys.modules:
            # This imports aiohttp.test_utils, which few tests need.
            from ._client.application_clients import serve_in_memory

            serve_in_memory(self, mock.mount)
        if self.cassette is not None:
            try:
                self._open_cassette()
            except BaseException:
                mock.stop()
                raise

    def _open_cassette(self) -> None:
        path = self.cassette
        assert path is not None
        if path == "auto":
            from .cassettes import auto_path

            cls = type(self)
            # A class that was made dynamically may have no module. Then the current folder is used.
            file = getattr(sys.modules.get(cls.__module__), "__file__", None) or cls.__module__
            path = auto_path(file, cls.__module__, cls.__qualname__, self._testMethodName)
        self._own_mock.cassette(path, **self.cassette_options).__enter__()

    def _end_cassettes(self) -> None:
        """Write what was recorded, unless the test has failed."""
        # If unittest expects a failure, a test that does not raise fails.
        fails = getattr(self, "_outcome", None) is not None and self._expects_failure()
        self._own_mock._end_cassettes(write=not (fails or self._raised or self._skipped))

    def _end(self) -> None:
        # Nothing may keep the mock alive after the test. When a test fails, reference cycles in asyncio keep the test
        # alive, and the frames that called it, until the garbage collector runs.
        mock = self._own_mock
        if mock._has_cassettes:
            self._skipped = True  # The test or its cleanups were interrupted.
            self._end_cassettes()
        self._raised.clear()
        if mock.active:
            mock.stop()
        # The exceptions refer to the test.
        mock._count_as_failed()
        if mock._watch is not None:
            mock._watch.forget()
        if self.serve_in_memory:
            for name in ("get_server", "get_client"):
                vars(self).pop(name, None)
        del self._own_mock
        self._end_clock()
        if vars(self).get("mock") is mock:
            del self.mock

    def _begin_clock(self) -> None:
        # This comes after unittest has made the loop, so that the test has an error if the clock refuses the loop.
        from ._client.clock import VirtualClock  # Most tests need none.

        runner: Any = getattr(self, "_asyncioRunner", None)
        # CPython 3.10 has no runner.
        loop = vars(self)["_asyncioTestLoop"] if runner is None else runner.get_loop()
        # Kept twice, because test cases may assign a clock of their own to self.clock, or have such a property.
        vars(self)["clock"] = self._own_clock = clock = VirtualClock()
        clock.start()
        clock._take(loop)

    def _end_clock(self) -> None:
        clock = self._own_clock
        if clock is None:
            return
        clock._end()
        del self._own_clock
        if vars(self).get("clock") is clock:
            del vars(self)["clock"]

    # The mocks of a skipped test are not checked, and what a test has already failed with is not reported twice.
    # unittest tells only the result of either, and there are many kinds of results, so this is noted here.

    def _callSetUp(self) -> None:
        if self._wrong_settings is not None:
            raise self._wrong_settings
        if self.virtual_time:
            self._begin_clock()
        with _Noting(self, skips_test=True):
            super()._callSetUp()  # type: ignore[misc]

    def _callTestMethod(self, method: Callable[[], object]) -> None:
        with _Noting(self, skips_test=True):
            super()._callTestMethod(method)  # type: ignore[misc]

    def _callTearDown(self) -> None:
        self._own_mock._put_off_cassettes()
        with _Noting(self):
            super()._callTearDown()  # type: ignore[misc]

    def _callCleanup(self, function: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        self._own_mock._put_off_cassettes()
        with _Noting(self):
            super()._callCleanup(function, *args, **kwargs)  # type: ignore[misc]

    # The test does nothing more once its cleanups have run.

    def doCleanups(self) -> Any:
        done = super().doCleanups()
        if self._wrong_settings is None and self._own_mock._interceptor.has_servers:
            # The mounted applications end now, while the loop still exists.
            self.addCleanup(self._own_mock._end_servers)
            done = super().doCleanups()
        failure = self._found()
        if failure is not None or self._own_sessions:
            self.addAsyncCleanup(self._close_own_sessions)
            if failure is not None:
                # unittest runs a cleanup as a part of the test, so that what it raises is a failure of the test.
                self.addCleanup(self._raise, failure)
            done = super().doCleanups()
        if self._wrong_settings is None and self._own_mock._has_cassettes:
            self.addCleanup(self._end_cassettes)
            done = super().doCleanups()
        return done

    def _raise(self, failure: BaseException) -> None:
        raise failure

    async def _close_own_sessions(self) -> None:
        while self._own_sessions:
            await self._own_sessions.pop().close()

    def _raise_found(self) -> None:
        failure = self._found()
        if failure is not None:
            raise failure

    @contextmanager
    def subTest(self, *args: Any, **params: Any) -> Iterator[None]:
        with super().subTest(*args, **params), _Noting(self):
            yield

    def _note(self, error: BaseException, skips_test: bool) -> BaseException | None:
        """Note what was raised; return the exception to raise instead of it, if the clock has ended the test."""
        if skips_test or not isinstance(error, SkipTest):
            for recorder in self._own_mock._interceptor.recorders:
                recorder.discard()
        if isinstance(error, SkipTest):
            self._skipped = self._skipped or skips_test
            return None
        failure = self._failure_of_clock(instead_of=error)
        self._raised.append(failure or error)
        return failure

    def _failure_of_clock(self, instead_of: BaseException | None = None) -> BaseException | None:
        """Return why the clock has ended the test, if it has and this was not reported yet."""
        if self._own_clock is None:
            return None
        return self._own_clock._failure(self.failureException, instead_of)

    def _found(self) -> BaseException | None:
        """Return the failure with which the test must end, because of its requests or what it left behind."""
        if self._skipped or self._wrong_settings is not None:
            return None
        mock = self._own_mock
        failure = self._failure_of_clock() or mock._failure(self.failureException, self._raised, leaks=mock._leaks())
        if failure is None:
            return None
        outcome: Any = getattr(self, "_outcome", None)
        if outcome is not None and self._expects_failure():
            # unittest expects a failure only of the test method, so this failure is made the expected one.
            if outcome.expectedFailure is not None:
                return None
            outcome.expecting_failure = True
        return failure

    def _expects_failure(self) -> bool:
        """Tell whether the test, or its class, has the decorator `unittest.expectedFailure`."""
        name = "__unittest_expecting_failure__"
        return bool(getattr(getattr(self, self._testMethodName), name, False) or getattr(self, name, False))


# In debug mode, in which such tests run, asyncio records the frames that lead to each task, and looks for the file of
# each frame every time: half of the time that an empty test would take here. (`make coverage` misses these methods.)
for _method in (
    AioResponsesTestCase.run, AioResponsesTestCase._callSetUp, AioResponsesTestCase._callTestMethod,
    AioResponsesTestCase._callTearDown,
):
    _method.__code__ = _method.__code__.replace(co_filename=f"<{__name__}>")


class _Noting:
    """Notes what a part of a test raises. It is a class because generators are slower, and every test needs several."""

    def __init__(self, test: AioResponsesTestCase, skips_test: bool = False) -> None:
        self._test = test
        self._skips_test = skips_test

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        failure = None if error is None else self._test._note(error, self._skips_test)
        if failure is not None:
            raise failure
