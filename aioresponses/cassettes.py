"""Cassettes: answers of the network, recorded in HAR files and replayed from them.

`aioresponses.cassette` makes one. It stands between all requests that no mock answers and the network: they either go
there and are recorded, or are refused.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
import warnings
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta, timezone
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ._assertions.reports import about_unused, listed
from ._calls.exchange import Exchange
from ._cassettes import har
from ._cassettes.bodies import LEFT_OUT
from ._cassettes.entries import Entry, moment_of, without_secrets
from ._cassettes.locks import Lock
from ._cassettes.recording import entry_of
from ._cassettes.replay import (
    DEFAULT, MatchOn, checked_match_on, is_replayed, registration, socket_registration
)
from ._cassettes.secrets import Secrets
from ._cassettes.sockets import is_closed_by_client, is_websocket
from ._checks import check_flag
from ._display import name_of, shown
from ._interceptor import Interceptor

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._calls.record import RequestCall, RequestMatch
    from ._sockets import WebSocketMock

__all__ = ["Cassette", "Mode"]

__unittest = True

Mode = Literal["none", "once", "new", "all"]

_MODES = ("none", "once", "new", "all")

_OVERRIDING = ("all", "new", "none")

_VARIABLE = "AIORESPONSES_RECORD"

# In a tuple, where tests that freeze all clocks do not find it: the time of a recording is not part of a test.
_CLOCK = (time.time,)

# Characters that every system accepts in a file name, and treats the same even if it ignores case.
_UNIFORM = re.compile(r"[a-z0-9_.,=\[\]-]*")

_NOT_PORTABLE = re.compile(r"[^A-Za-z0-9_.,=\[\]-]")

_LONGEST_NAME = 150

open_cassettes: set[Cassette] = set()
"""The cassettes in use, for code that learns that a test has failed."""


class RecordedMock(Protocol):
    """What a cassette needs from its mock."""

    _interceptor: Interceptor
    _settings: dict[str, Any]
    _cassettes_to_write: list[Cassette] | None
    _secret_names: frozenset[str]

    @property
    def add(self) -> Callable[..., RequestMatch]: ...

    @property
    def websocket(self) -> Callable[..., WebSocketMock]: ...

    @property
    def calls(self) -> list[RequestCall]: ...

    @property
    def unused_mocks(self) -> list[RequestMatch]: ...

    def _put_off_cassettes(self) -> None: ...

    def _end_put_off_cassettes(self, write: bool) -> None: ...


class Cassette:
    """A file with a recording, from which requests are answered, or to which they are recorded: a context manager.

    `aioresponses.cassette` makes it, and describes its arguments.

    >>> with mock.cassette("cassettes/weather.har") as cassette:
    ...     temperature = asyncio.run(WeatherClient().temperature("Oslo"))
    >>> cassette.mode, cassette.records
    ('once', False)
    """

    def __init__(
        self,
        mock: RecordedMock,
        path: str | os.PathLike[str],
        mode: Mode,
        match_on: Collection[MatchOn] = DEFAULT,
        filter: Callable[[dict[str, Any]], dict[str, Any] | None] | None = None,
        secrets: Collection[str] = (),
        expires_after: timedelta | None = None,
        timings: bool = False,
    ) -> None:
        if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
            raise TypeError(f"path: expected a str or a path, got {shown(path)}")
        if mode not in _MODES:
            raise ValueError(f"mode: expected one of {', '.join(map(repr, _MODES))}, got {shown(mode)}")
        if filter is not None and not callable(filter):
            raise TypeError(f"filter: expected a function of an entry, got {shown(filter)}")
        if isinstance(secrets, str) or not isinstance(secrets, Collection):
            raise TypeError(f"secrets: expected a list of names of headers and fields, got {shown(type(secrets))}")
        for name in secrets:
            if not isinstance(name, str):
                raise TypeError(f"secrets: expected names of str, got {shown(name)}")
        if expires_after is not None and not isinstance(expires_after, timedelta):
            raise TypeError(f"expires_after: expected a timedelta or None, got {shown(expires_after)}")
        check_flag("timings", timings)
        self.path: str = os.fspath(path)
        """The path of the file, as it was given."""
        self.mode: Mode = _mode(mode)
        """The effective mode, which the environment may have overridden."""
        self._own_mode = mode
        self.records: bool = False
        """Whether requests that no mock answers go to the network, and are recorded."""
        self._mock = mock
        self._match_on = checked_match_on(match_on)
        self._filter = filter
        self._secrets = Secrets(secrets)
        self._secret_names = frozenset(secrets)
        self._expires_after = expires_after
        self._timings = timings
        # Tests may change the current folder.
        self._file = os.path.abspath(self.path)
        self._lock = Lock(self._file)
        self._entries: list[Entry] = []
        self._handles: list[RequestMatch] = []
        self._noted: list[tuple[Exchange, float]] = []
        self._is_discarded = False

    def __repr__(self) -> str:
        return f"<Cassette {self.path}, mode {self.mode!r}{', recording' if self.records else ''}>"

    @property
    def advice(self) -> str:
        """What the refusal of a request says about this cassette."""
        if self.records:
            return ""
        if self._entries:
            has = "has no entry left for it"
        else:
            has = "has no entries" if os.path.exists(self._file) else "does not exist"
        why = ""
        if self.mode == "none":
            is_overridden = self._own_mode != "none" and not os.environ.get(_VARIABLE)
            why = f" Its mode is 'none'{', because CI is set' if is_overridden else ''}."
        too_large = sum((one["response"].get("content") or {}).get("comment") == LEFT_OUT for one in self._entries)
        not_replayed = f" Of {too_large} of its entries, the body was {LEFT_OUT}." if too_large else ""
        failed = sum(one["response"]["status"] == 0 for one in self._entries)
        if failed:
            not_replayed += (
                f" In {failed} of its entries, the request failed. Failures are not replayed: register a mock with "
                f"fault= for each."
            )
        return (
            f"The cassette {self.path} {has}.{why}{not_replayed}\nSet {_VARIABLE}=new to record what is missing, "
            f"or {_VARIABLE}=all to record everything again."
        )

    def note(self, exchange: Exchange) -> None:
        """Record a request that goes to the network."""
        self._noted.append((exchange, _CLOCK[0]()))

    def discard(self) -> None:
        """Write nothing, because the test has failed."""
        self._is_discarded = True

    def __enter__(self) -> Self:
        if self in open_cassettes:
            raise RuntimeError(f"The cassette {self.path} is already in use")
        try:
            self._open()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        # A test that has failed is not reported twice.
        is_checked = exc_type is None and not self._is_discarded and self._mock._settings["assert_all_called"]
        unused = self._unused() if is_checked else []
        if exc_type is None and not unused:
            self._finish()
            return
        self.end(write=False)
        if unused:
            raise AssertionError("\n".join([about_unused(unused), listed(self._mock.calls)]))

    def _finish(self) -> None:
        """Stop having an effect, and write the recording, or let it wait until the outcome of the test is known."""
        waiting = self._mock._cassettes_to_write
        if waiting is None:
            self.end(write=True)
        else:
            self._withdraw()
            waiting.append(self)

    def end(self, write: bool) -> None:
        """Stop having an effect; write the recording if `write` is true and it was not discarded."""
        try:
            self._withdraw()
            if write and self.records and not self._is_discarded:
                self._write()
        finally:
            self._close()

    def _unused(self) -> list[RequestMatch]:
        return [one for one in self._mock.unused_mocks if any(one is handle for handle in self._handles)]

    def _open(self) -> None:
        if os.path.isdir(self._file):
            raise ValueError(f"{self.path or self._file}: expected the path of a HAR file, but it is a directory")
        open_cassettes.add(self)
        self._mock._secret_names |= self._secret_names
        self._is_discarded = False
        self.records = self.mode in ("new", "all") or self.mode == "once" and not os.path.exists(self._file)
        if self.records:
            self._lock.acquire(self.path)
            # Another process may just have written it.
            self.records = self.mode != "once" or not os.path.exists(self._file)
        if self.mode != "all" and os.path.exists(self._file):
            try:
                self._entries = har.read(self._file)
            except ValueError as error:
                raise ValueError(f"{error}\nRestore the file, or set {_VARIABLE}=all to record it again.") from None
            self._check_age()
        optional = not self._mock._settings["assert_all_called"]
        self._handles = register(
            self.path, self._entries, self._mock, optional, self._match_on, self._timings
        )
        self._mock._interceptor.recorders += (self,)

    def _withdraw(self) -> None:
        interceptor = self._mock._interceptor
        interceptor.recorders = tuple(one for one in interceptor.recorders if one is not self)
        for handle in self._handles:
            handle.remove()

    def _close(self) -> None:
        self._withdraw()
        open_cassettes.discard(self)
        self._handles.clear()
        self._noted.clear()
        self._lock.release()

    def _check_age(self) -> None:
        """If an entry is too old, fail in CI, and warn elsewhere."""
        if self._expires_after is None:
            return
        recorded = [moment for moment in map(moment_of, self._entries) if moment is not None]
        oldest = min(recorded, default=None)
        now = datetime.fromtimestamp(_CLOCK[0](), timezone.utc)
        if oldest is None or now - oldest <= self._expires_after:
            return
        # Whole days are shown without their time of day, 0:00:00.
        age = str(self._expires_after).partition(", 0:00:00")[0]
        text = (
            f"The cassette {self.path} was recorded on {oldest:%Y-%m-%d}, and expires after {age}. "
            f"Set {_VARIABLE}=all to record it again."
        )
        if _is_ci():
            raise AssertionError(text)
        warnings.warn(text, UserWarning, stacklevel=4)

    def _write(self) -> None:
        noted = sorted(self._noted, key=lambda one: (one[0].order, one[0].began))
        recorded = [entry_of(exchange, began, self._timings) for exchange, began in noted]
        entries = [without_secrets(entry, self._secrets) for entry in recorded if entry is not None]
        if self._filter is not None:
            filtered = [self._filtered(entry) for entry in entries]
            entries = [entry for entry in filtered if entry is not None]
        if entries:
            # Entries that another program wrote may contain secrets.
            kept = [without_secrets(entry, self._secrets) for entry in self._entries]
            har.write(self._file, [*kept, *entries])

    def _filtered(self, entry: Entry) -> Entry | None:
        assert self._filter is not None
        filtered = self._filter(entry)
        if filtered is None:
            return None
        by = name_of(self._filter)
        if not isinstance(filtered, dict):
            raise TypeError(f"filter: expected a dict or None from {by}, got {shown(filtered)}")
        try:
            misfit = har.misfit(filtered)
        except (TypeError, ValueError) as error:
            raise type(error)(f"filter: {by} returned an entry that cannot be written: {error}") from error
        if misfit:
            # The file could be written, but not read again.
            raise ValueError(f"filter: {by} returned an entry that is not HAR: {misfit}")
        return filtered


def register(
    path: str | os.PathLike[str],
    entries: Iterable[Entry],
    mock: RecordedMock,
    optional: bool,
    match_on: Collection[MatchOn] = DEFAULT,
    timings: bool = False,
) -> list[RequestMatch]:
    """Register entries as mocks, all or none; raise `ValueError` if a mock cannot replay an entry."""
    handles: list[RequestMatch] = []
    for number, entry in enumerate(entries):
        if not is_replayed(entry):
            continue
        try:
            if is_websocket(entry):
                socket = mock.websocket(**socket_registration(entry, match_on, timings), optional=optional)
                socket._server.is_complete = is_closed_by_client(entry)
                socket._server.source = os.fspath(path)
                handles.append(socket)
            else:
                handles.append(mock.add(**registration(entry, match_on, timings), optional=optional))
            handles[-1]._at_work.source = os.fspath(path)
        except (TypeError, ValueError) as error:
            for handle in handles:
                handle.remove()
            place = f"the entry {entry['request']['method']} number {number + 1}"
            raise ValueError(f"{os.fspath(path)}: {place} cannot be replayed: {error}") from error
    return handles


def auto_path(file: str, module: str, owner: str | None, test: str) -> str:
    """Return the path of a test's cassette: in `cassettes` beside the test's file, by module, class and name.

    `owner` is the qualified name of the class: two classes within others may have the same name. Characters that not
    every system accepts in a file name are replaced, and a hash of the whole name is appended.
    """
    if module == "__main__":
        module = os.path.basename(file).partition(".")[0]
    name = test if owner is None else f"{owner.rpartition('<locals>.')[2]}.{test}"
    portable = _NOT_PORTABLE.sub("_", name)[:_LONGEST_NAME]
    parameters = test.partition("[")[2]
    if portable != name or _UNIFORM.fullmatch(parameters) is None or name.endswith("."):
        portable += f"-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"
    folder = os.path.join(os.path.dirname(os.path.abspath(file)), "cassettes")
    return os.path.join(folder, module.rpartition(".")[2], f"{portable}.har")


def _mode(mode: Mode) -> Mode:
    """Return the effective mode: the mode of the environment, or else the mode in the code."""
    overriding = os.environ.get(_VARIABLE)
    if overriding:
        for one in _OVERRIDING:
            if one == overriding:
                return one  # type: ignore[return-value]
        raise ValueError(f"{_VARIABLE}: expected one of {', '.join(map(repr, _OVERRIDING))}, got {shown(overriding)}")
    return "none" if _is_ci() else mode


def _is_ci() -> bool:
    return bool(os.environ.get("CI"))
