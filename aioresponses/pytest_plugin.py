"""For those who run their tests with pytest: the fixture `aioresponses`, and the marker `strict`.

pytest finds this module by an entry point of the package; nothing else of the package imports it.

>>> @pytest.mark.strict
... async def test_reads_the_temperature(aioresponses):
...     aioresponses.get("https://api.example.com/weather?q=Oslo", payload={"temp": 21})
...     assert await WeatherClient().temperature("Oslo") == 21
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import pytest

from .core import aioresponses


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "strict: with the fixture aioresponses, fail if a mock has answers left, a request found none, "
        "or the code under test swallowed a failed assertion of a mock",
    )


@pytest.fixture(name="aioresponses")
def active_mock(request: pytest.FixtureRequest) -> Iterator[aioresponses]:
    """A new mock, which answers the requests of every aiohttp.ClientSession until the test ends."""
    mock = aioresponses(strict=request.node.get_closest_marker("strict") is not None)
    mock.start()
    yield mock
    if mock.active:
        mock.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, None]:
    # A strict mock is looked at here, and not when the fixture is taken down: so it is the test that fails, and not
    # its teardown, and a test that has failed already is left at that.
    outcome = yield
    mock = getattr(item, "funcargs", {}).get("aioresponses")
    if outcome.excinfo is None and isinstance(mock, aioresponses):
        failure = mock._failure(lambda text: pytest.fail.Exception(text, pytrace=False))
        if failure is not None:
            outcome.force_exception(failure)
