"""The test case that has a mock ready in every test."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar
from unittest import IsolatedAsyncioTestCase, TestResult

from yarl import URL

from .core import aioresponses

__all__ = ["AioResponsesTestCase"]

# unittest leaves the frames of such modules out of the tracebacks of failed assertions.
__unittest = True


class AioResponsesTestCase(IsolatedAsyncioTestCase):
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

    mock: aioresponses
    """The mock of the test that runs."""

    # The whole run of a test is wrapped, and not setUp and tearDown, so that no subclass can leave it out by
    # overriding those, and so that it holds for everything that unittest itself does around them.

    def run(self, result: TestResult | None = None) -> TestResult | None:
        with self._new_mock():
            return super().run(result)

    def debug(self) -> None:
        with self._new_mock():
            super().debug()

    def _new_mock(self) -> aioresponses:
        self.mock = aioresponses(
            passthrough=self.passthrough, passthrough_unmatched=self.passthrough_unmatched
        )
        return self.mock
