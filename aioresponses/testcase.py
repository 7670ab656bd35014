"""The test case that has a mock ready in every test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from unittest import IsolatedAsyncioTestCase, SkipTest, TestResult

from aiohttp import ClientSession
from yarl import URL

from .assertions import BodyAssertionsMixin, CallCountAssertionsMixin, CallOrderAssertionsMixin
from .core import aioresponses

# unittest leaves the frames of such modules out of the tracebacks of failed assertions.
__unittest = True


class AioResponsesTestCase(
    CallCountAssertionsMixin, CallOrderAssertionsMixin, BodyAssertionsMixin, IsolatedAsyncioTestCase
):
    """A test case in which the requests of every `aiohttp.ClientSession` are answered by `self.mock`.

    The mock is a new one for each test. It is active from before `setUp` until the last cleanup has run, and is taken
    down however the test ends. Test methods may be coroutine functions or plain ones.

    >>> class WeatherTest(AioResponsesTestCase):
    ...     passthrough = ["http://127.0.0.1"]
    ...
    ...     async def test_reads_the_temperature(self):
    ...         self.mock.get("https://api.example.com/weather?q=Oslo", payload={"temp": 21})
    ...         self.assertEqual(await WeatherClient().temperature("Oslo"), 21)
    """

    passthrough: ClassVar[Iterable[str | URL]] = ()
    """URL prefixes of requests that go to the network, as `aioresponses` takes them."""

    passthrough_unmatched: ClassVar[bool] = False
    """Whether requests that no mock answers go to the network."""

    assert_all_called: ClassVar[bool] = False
    """Whether a test fails in which a mock was never used, unless it was registered with `optional=True`."""

    assert_all_mocked: ClassVar[bool] = False
    """Whether a test fails in which something was asked for that no mock answered, even if the code went on."""

    strict: ClassVar[bool] = False
    """Both `assert_all_called` and `assert_all_mocked`."""

    latency: ClassVar[float | None] = 0
    """The seconds that pass before each reply starts, on top of its `delay`; for 0, all that is ready runs first.

    As while a server is asked, others may go on in the meantime; that shows whether locks and limits are where they
    must be. With None, as with aioresponses 0.7, a reply is there in the very step of the request.
    """

    mock: aioresponses
    """The mock of the test that runs."""

    _wrong_settings: Exception | None = None

    def client_session(self, **kwargs: Any) -> ClientSession:
        """Return a new `aiohttp.ClientSession` that is closed when the test ends.

        The arguments are those of `ClientSession`. Like it, this needs a running loop.

        >>> session = self.client_session(base_url="https://api.example.com")
        """
        session = ClientSession(**kwargs)
        self.addAsyncCleanup(session.close)
        return session

    # The whole run of a test is wrapped, and not setUp and tearDown, so that no subclass can leave it out by
    # overriding those, and so that it holds for everything that unittest itself does around them.

    def run(self, result: TestResult | None = None) -> TestResult | None:
        try:
            mock = self._begin()
        except Exception as error:
            # A wrong class attribute is an error of the test, and not the end of the whole run.
            self._wrong_settings = error
            return super().run(result)
        try:
            return super().run(result)
        finally:
            self._end(mock)

    def debug(self) -> None:
        mock = self._begin()
        try:
            super().debug()
        finally:
            self._end(mock)

    def _begin(self) -> aioresponses:
        self._skipped = False
        self._wrong_settings = None
        # Kept twice: a test may put a mock of its own at self.mock.
        self.mock = self._own_mock = mock = aioresponses(
            passthrough=self.passthrough,
            passthrough_unmatched=self.passthrough_unmatched,
            assert_all_called=self.assert_all_called,
            assert_all_mocked=self.assert_all_mocked,
            strict=self.strict,
            latency=self.latency,
        )
        # The context that unittest runs everything of the test in (CPython 3.11 and newer): what the test hands to
        # other threads inherits it.
        context = getattr(self, "_asyncioTestContext", None)
        if context is None:
            mock.start()
        else:
            context.run(mock.start)
        mock._leave_alone(self._is_own_server)
        # The first cleanup is the last to run: whatever the test does is done by then. What it finds is a failure of
        # the test itself, since unittest runs cleanups as parts of the test.
        self.addCleanup(self._check, mock)
        return mock

    def _end(self, mock: aioresponses) -> None:
        if mock.active:
            mock.stop()

    # A test that was skipped says nothing about its mocks; unittest tells nobody but the result of it, and results are
    # of many kinds.

    def _callSetUp(self) -> None:
        if self._wrong_settings is not None:
            raise self._wrong_settings
        with self._noting_skip():
            super()._callSetUp()  # type: ignore[misc]

    def _callTestMethod(self, method: Callable[[], object]) -> None:
        with self._noting_skip():
            super()._callTestMethod(method)  # type: ignore[misc]

    @contextmanager
    def _noting_skip(self) -> Iterator[None]:
        try:
            yield
        except SkipTest:
            self._skipped = True
            raise

    def _check(self, mock: aioresponses) -> None:
        outcome: Any = getattr(self, "_outcome", None)
        # (A skipped class leaves this cleanup for another run of the same test.)
        if mock is not self._own_mock or self._skipped:
            return
        failure = mock._failure()
        if not failure:
            return
        method = getattr(self, self._testMethodName)
        if outcome is not None and (
            getattr(method, "__unittest_expecting_failure__", False)
            or getattr(self, "__unittest_expecting_failure__", False)
        ):
            # unittest expects a failure of the test method alone; it is this failure that was expected, then.
            if outcome.expectedFailure is not None:
                return
            outcome.expecting_failure = True
        self.fail(failure)

    def _is_own_server(self, url: URL) -> bool:
        """Tell whether a URL is of the application that an `AioHTTPTestCase` tests, and not mocked therefore."""
        # If nobody has imported the module, then nobody has a client of its.
        test_utils = sys.modules.get("aiohttp.test_utils")
        client = getattr(self, "client", None)
        if test_utils is None or not isinstance(client, test_utils.TestClient):
            return False
        return (url.host, url.port) == (client.server.host, client.server.port)
