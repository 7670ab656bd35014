"""The recordings of a mock; the code that does the work is imported when it is first used."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

from yarl import URL

from ._checks import check_flag

if TYPE_CHECKING:
    from datetime import timedelta

    from ._calls.record import RequestMatch
    from ._cassettes.entries import Entry
    from .cassettes import Cassette, RecordedMock


class Recordings:
    """The recordings of a mock: cassettes, and the calls in other forms."""

    _cassettes_to_write: list[Cassette] | None = None
    """The cassettes that ended after the test, and wait for its outcome; None while the test runs."""

    _secret_names: frozenset[str] = frozenset()
    """The names of secrets that its cassettes hide besides the usual ones, so that no other output shows these."""

    def cassette(
        self: RecordedMock,
        path: str | PathLike[str],
        *,
        mode: Literal["none", "once", "new", "all"] = "once",
        match_on: Collection[Literal["method", "url", "query", "body", "headers"]] = ("method", "url", "query"),
        filter: Callable[[dict[str, Any]], dict[str, Any] | None] | None = None,
        secrets: Collection[str] = (),
        expires_after: timedelta | None = None,
        timings: bool = False,
    ) -> Cassette:
        """Return a cassette: within its `with` block, requests are answered from a HAR file, or recorded in it.

        Each entry of the file answers once, like a mock registered at the start of the block. Requests that no mock
        answers go to the network and are recorded, or are refused; passthrough prefixes are checked first. The
        recording is written at the end of the block, without secrets, unless an exception ends the block.

        - `path`: the path of the file; a relative path is resolved as by `open()`.
        - `mode`: `"none"` only replays; `"once"` records if there is no file; `"new"` records what the file lacks;
          `"all"` replays nothing, and records everything again. The environment variable `AIORESPONSES_RECORD` (`all`,
          `new` or `none`) takes precedence; if it is not set but `CI` is, the mode is `"none"`.
        - `match_on`: what a request must have in common with an entry, some of `"method"`, `"url"` (without its query),
          `"query"`, `"body"` and `"headers"`.
        - `filter`: a function that takes an entry about to be written, as a dict, and returns the entry to write, or
          None to drop it.
        - `secrets`: more names of headers and fields whose values are hidden.
        - `expires_after`: how old an entry may be; an older one fails in CI, and causes a warning elsewhere.
        - `timings`: whether the time that replies take is recorded and replayed.

        Raises `TypeError` or `ValueError` for wrong arguments. When the block begins, raises `ValueError` if the file
        cannot be read or is not a HAR file, and `RuntimeError` if it is already being recorded.

        >>> with mock.cassette("cassettes/weather.har"):
        ...     asyncio.run(WeatherClient().temperature("Oslo"))
        """
        from .cassettes import Cassette

        return Cassette(self, path, mode, match_on, filter, secrets, expires_after, timings)

    @property
    def _has_cassettes(self: RecordedMock) -> bool:
        """Whether a cassette is in use, or waits for the outcome of the test."""
        return bool(self._interceptor.recorders or self._cassettes_to_write)

    def _put_off_cassettes(self) -> None:
        """Let cassettes that end from now on wait for the outcome of the test."""
        if self._cassettes_to_write is None:
            self._cassettes_to_write = []

    def _end_put_off_cassettes(self, write: bool) -> None:
        """End the cassettes that wait for the outcome of the test, and write what was recorded if `write` is true."""
        waiting, self._cassettes_to_write = self._cassettes_to_write or [], None
        for cassette in waiting:
            cassette.end(write)

    def _end_cassettes(self: RecordedMock, write: bool) -> None:
        """End all cassettes, and write what was recorded if `write` is true."""
        self._end_put_off_cassettes(write)
        for recorder in self._interceptor.recorders:
            recorder.end(write)

    def load_har(
        self: RecordedMock,
        path: str | PathLike[str],
        *,
        url: str | URL | re.Pattern[str] | None = None,
        optional: bool = False,
        timings: bool = False,
    ) -> list[RequestMatch]:
        """Register the entries of a HAR file, for example from a browser or a proxy, and return their mocks.

        Each answers one request of its method and URL. The entry of a WebSocket becomes a script. Entries of requests
        that never went to a server or had no response are left out.

        - `url`: selects entries by their URL: text, which may be a template, or a compiled pattern. If the text has no
          query, the query of an entry may be any.
        - `optional`: whether the mocks may remain unused despite `assert_all_called`.
        - `timings`: whether the replies take as long as they took then.

        Raises `ValueError`, with path and place, if the file cannot be read or is not a HAR file.

        >>> mock.load_har("capture.har", url="https://api.example.com/{path:.*}", optional=True)
        """
        from ._cassettes.har import read
        from ._cassettes.replay import DEFAULT, selected
        from .cassettes import register

        check_flag("optional", optional)
        check_flag("timings", timings)
        return register(path, selected(read(path), url), self, optional, DEFAULT, timings)

    def to_har(self: RecordedMock, path: str | PathLike[str]) -> None:
        """Write the calls as a HAR file, without secrets, for the network panel of a browser.

        The `secrets` of the mock's cassettes are hidden as well.

        The body of a response is included if the code under test has read all of it. WebSockets are written with their
        messages.

        >>> mock.to_har("calls.har")
        """
        from ._cassettes.har import write

        write(path, _entries_of(self))

    def to_python(self: RecordedMock) -> str:
        """Return code that registers mocks which answer like the calls were answered, without secrets.

        >>> print(mock.to_python())
        mock.get('https://api.example.com/users', payload=['Ada'])
        """
        from ._cassettes.printing import registrations

        return registrations(_entries_of(self))


def _entries_of(mock: RecordedMock) -> list[Entry]:
    from ._cassettes.entries import without_secrets
    from ._cassettes.recording import entries_of_calls
    from ._cassettes.secrets import Secrets

    secrets = Secrets(mock._secret_names)
    return [without_secrets(entry, secrets) for entry in entries_of_calls(mock.calls)]
