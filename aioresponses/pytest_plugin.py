"""The pytest plugin: fixtures and markers.

The fixture `aioresponses` is a mock, and `virtual_clock` is a clock. The markers `aioresponses` and `strict` configure
the mock, `cassette` makes it record and replay, and `virtual_time` makes a test run with the clock.

pytest finds this module through an entry point of the package, and imports it in every run. So it imports the mock, and
with it aiohttp, only when a test uses one.

>>> @pytest.mark.strict
... async def test_reads_the_temperature(aioresponses):
...     aioresponses.get("https://api.example.com/weather?q=Oslo", payload={"temp": 21})
...     assert await WeatherClient().temperature("Oslo") == 21
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ._client.clock import VirtualClock
    from .cassettes import Cassette
    from .core import aioresponses

_PACKAGE = __name__.partition(".")[0]

_FIXTURE = "aioresponses"

_mock_of_fixture = pytest.StashKey["aioresponses"]()

# The same mock, if the test has passed.
_mock_to_look_at = pytest.StashKey["aioresponses"]()

_clock_of_fixture = pytest.StashKey["VirtualClock"]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "aioresponses(passthrough=(), strict=False, latency=None, ...): "
        "the arguments of the mock of the fixture aioresponses; for each, the value closest to the test applies",
    )
    config.addinivalue_line(
        "markers",
        "strict: short for aioresponses(strict=True): fail if a mock has replies left, a request matched no mock, "
        "or the code under test swallowed a failed assertion of a mock",
    )
    config.addinivalue_line(
        "markers",
        "cassette(path='auto', mode='once', ...): the arguments of aioresponses.cassette, for the whole test; "
        "'auto' is cassettes/<module>/<Class>.<test>.har in the folder of the test's file",
    )
    config.addinivalue_line(
        "markers",
        "virtual_time(limit=10_000, grace=0.1): waiting takes no real time, because the fixture virtual_clock runs, "
        "a VirtualClock with these arguments",
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    # The clock is the last fixture, so that only the test runs in virtual time, and fixtures that request the clock.
    names = getattr(item, "fixturenames", None)
    if names is not None and item.get_closest_marker("cassette") and _FIXTURE not in names:
        names.append(_FIXTURE)  # A recorded test need not name the fixture.
    if names is not None and item.get_closest_marker("virtual_time") and "virtual_clock" not in names:
        names.append("virtual_clock")


@pytest.fixture(name=_FIXTURE)
def active_mock(request: pytest.FixtureRequest) -> Iterator[aioresponses]:
    """A new mock, which answers the requests of every aiohttp.ClientSession until the test ends."""
    mock = request.node.stash.get(_mock_of_fixture, None) or _new_mock(request.node)
    mock.start()
    cassette = None
    try:
        cassette = _cassette_of(request.node, mock)
        if cassette is not None:
            cassette.__enter__()
        yield mock
    except BaseException:
        if cassette is not None:
            cassette.end(write=False)
        raise
    else:
        if cassette is not None:
            cassette._finish()
    finally:
        # Leaks are looked for after all fixtures of the test have been torn down.
        if mock._watch is None:
            _take_down(request.node)


def _new_mock(item: pytest.Item) -> aioresponses:
    from .core import aioresponses

    if any(marker.args or marker.kwargs for marker in item.iter_markers("strict")):
        pytest.fail(
            "pytest.mark.strict takes no arguments; for a test that is not strict, "
            "write pytest.mark.aioresponses(strict=False)",
            pytrace=False,
        )
    try:
        mock = aioresponses(**_settings_of(item))
    except (TypeError, ValueError) as error:
        raise pytest.fail.Exception(f"pytest.mark.aioresponses: {error}", pytrace=False) from None
    item.stash[_mock_of_fixture] = mock
    return mock


def _take_down(item: pytest.Item) -> None:
    mock = item.stash[_mock_of_fixture]
    # pytest keeps the items for the whole run, so nothing is left in them.
    for key in (_mock_of_fixture, _mock_to_look_at):
        if item.stash.get(key, None) is not None:
            del item.stash[key]
    if mock.active:
        mock.stop()
    elif mock._watch is not None:
        mock._watch.end()


@pytest.fixture(name="virtual_clock")
def running_clock(request: pytest.FixtureRequest) -> Iterator[VirtualClock]:
    """A VirtualClock, which runs until the test ends: waiting takes no real time."""
    from ._client.clock import VirtualClock

    try:
        clock = VirtualClock(**_settings_of_clock(request.node))
    except (TypeError, ValueError) as error:
        raise pytest.fail.Exception(f"pytest.mark.virtual_time: {error}", pytrace=False) from None
    request.node.stash[_clock_of_fixture] = clock
    try:
        with clock:
            yield clock
    finally:
        del request.node.stash[_clock_of_fixture]


def _failure_of_clock(item: pytest.Item, excinfo: Any) -> BaseException | None:
    """Return why a clock of a test ended the running code; it is raised instead of the resulting exception."""
    for clock in _clocks_of(item):
        raised = excinfo[1] if excinfo else None
        failure = clock._failure(lambda text: pytest.fail.Exception(text, pytrace=False), raised)
        if failure is not None:
            return failure
    return None


def _clocks_of(item: pytest.Item) -> list[VirtualClock]:
    clock = sys.modules.get(f"{_PACKAGE}._client.clock")
    if clock is None:
        return []
    # The plugin's own clock, which the test need not request itself, and the clocks of other fixtures.
    found = [item.stash.get(_clock_of_fixture, None), *getattr(item, "funcargs", {}).values()]
    return [one for one in found if isinstance(one, clock.VirtualClock)]


def _settings_of_clock(item: pytest.Item) -> dict[str, Any]:
    """Return the arguments for the clock from the markers of a test."""
    settings: dict[str, Any] = {}
    for marker in item.iter_markers("virtual_time"):  # The closest first.
        wrong = [f"no argument {name!r}" for name in marker.kwargs if name not in ("limit", "grace")]
        if marker.args:
            wrong.insert(0, "no positional arguments")
        if wrong:
            pytest.fail(f"pytest.mark.virtual_time takes {' and '.join(wrong)}; write limit= or grace=", pytrace=False)
        settings = {**marker.kwargs, **settings}
    return settings


def _settings_of(item: pytest.Item) -> dict[str, Any]:
    """Return the arguments for the mock from the markers of a test."""
    settings: dict[str, Any] = {}
    for marker in item.iter_markers():  # The closest first.
        if marker.name == "strict":
            settings.setdefault("strict", True)
        elif marker.name == "aioresponses":
            _check(marker)
            for name, value in marker.kwargs.items():
                settings.setdefault(name, value)
    return settings


def _cassette_of(item: pytest.Item, mock: aioresponses) -> Cassette | None:
    """Return the cassette that the markers of a test ask for; for each argument, the closest value applies."""
    settings: dict[str, Any] = {}
    markers = [marker for marker in item.iter_markers() if marker.name == "cassette"]
    for marker in markers:
        _check(marker)
        settings = {**dict(zip(("path",), marker.args)), **marker.kwargs, **settings}
    if not markers:
        return None
    path = settings.pop("path", "auto")
    if path == "auto":
        from .cassettes import auto_path

        owner = getattr(item, "cls", None)
        path = auto_path(str(item.path), item.path.stem, None if owner is None else owner.__qualname__, item.name)
    try:
        return mock.cassette(path, **settings)
    except (TypeError, ValueError) as error:
        raise pytest.fail.Exception(f"pytest.mark.cassette: {error}", pytrace=False) from None


def _check(marker: pytest.Mark) -> None:
    from .core import aioresponses

    function = aioresponses.cassette if marker.name == "cassette" else aioresponses
    keywords = [
        one.name
        for one in inspect.signature(function).parameters.values()
        if one.name not in ("self", "param") and one.kind is not one.VAR_KEYWORD
    ]
    wrong = [f"no argument {name!r}" for name in marker.kwargs if name not in keywords]
    # A path may be given as it is to `aioresponses.cassette`.
    allowed = int(marker.name == "cassette" and "path" not in marker.kwargs)
    if len(marker.args) > allowed:
        wrong.insert(0, "one positional argument, the path" if allowed else "no positional arguments")
    if wrong:
        pytest.fail(
            f"pytest.mark.{marker.name} takes {' and '.join(wrong)}; its arguments are {'=, '.join(keywords)}=",
            pytrace=False,
        )


def pytest_runtest_setup(item: pytest.Item) -> None:
    # A wrong marker is also an error if the fixture of another plugin makes the mock.
    settings = _settings_of(item)
    if settings.get("assert_no_leaks") and _FIXTURE in getattr(item, "fixturenames", ()):
        # Things that earlier fixtures create are watched, too.
        mock = _new_mock(item)
        if mock._watch is not None:
            # The plugins that run coroutines close their loops before all fixtures are torn down.
            mock._watch.looks_before_loops_end = True
            mock._watch.begin(mock._interceptor)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, None]:
    # A strict mock is checked here, not when the fixture is torn down, so that the test fails instead of its teardown,
    # and a test that has already failed is not reported twice.
    settings = _settings_of(item)
    checks = ("assert_all_called", "assert_all_mocked")
    strictness = {name: True for name in checks if settings.get("strict") or settings.get(name)}
    others = _mocks_of_other_fixtures(item) if strictness else []
    if "assert_all_mocked" in strictness:
        for mock in others:
            mock._count_as_failed(AssertionError)
    outcome = yield
    stuck = _failure_of_clock(item, outcome.excinfo)
    if stuck is not None:
        outcome.force_exception(stuck)
    passed = outcome.excinfo is None
    own = item.stash.get(_mock_of_fixture, None)
    for mock in others if own is None else [own, *others]:
        failure = mock._failure(
            lambda text: pytest.fail.Exception(text, pytrace=False), strictness=strictness, is_over=False
        )
        if failure is not None and outcome.excinfo is None:
            outcome.force_exception(failure)
            passed = False
    if passed and own is not None:
        item.stash[_mock_to_look_at] = own
    for mock in others:
        mock._count_as_failed()  # Its fixture need not report the same again.


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, None]:
    # A test whose fixtures fail while they are torn down writes nothing either.
    recording = {id(one._mock): one._mock for one in _open_cassettes() if one._mock._cassettes_to_write is None}
    for mock in recording.values():
        mock._put_off_cassettes()
    outcome = yield
    _look_for_leaks(item, outcome)
    for mock in recording.values():
        try:
            mock._end_put_off_cassettes(write=outcome.excinfo is None)
        except BaseException as error:
            outcome.force_exception(error)


def _look_for_leaks(item: pytest.Item, outcome: Any) -> None:
    """Take down the mock of the fixture if it looks for leaks; raise a failure in the teardown if it has found any."""
    if item.stash.get(_mock_of_fixture, None) is None:
        return
    mock = item.stash.get(_mock_to_look_at, None)
    try:
        leaks = [] if mock is None else mock._leaks()
    finally:
        _take_down(item)
    if leaks and outcome.excinfo is None:
        from ._assertions.reports import about_leaks

        outcome.force_exception(pytest.fail.Exception(about_leaks(leaks), pytrace=False))


@pytest.hookimpl(hookwrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, None]:
    if fixturedef.scope == "function":
        if request.node.stash.get(_clock_of_fixture, None) is None:
            yield
        else:
            yield from _set_up_in_virtual_time(fixturedef, request)
        return
    # A fixture with a wider scope is set up during one of its tests.
    made = sys.modules.get(f"{_PACKAGE}._client.made")
    if made is None:
        yield
    else:
        with made.paused():
            yield


def _set_up_in_virtual_time(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, None]:
    # A fixture that waits forever is cancelled. pytest would treat the cancellation as an interrupt, leave the other
    # fixtures as they are, and pass them to the following tests. So it gets a failure instead.
    item = request.node
    add_finalizer = fixturedef.addfinalizer

    def add_guarded(finalizer: Callable[[], object]) -> None:
        def finalize() -> None:
            try:
                finalizer()
            except BaseException:
                stuck = _failure_of_clock(item, sys.exc_info())
                if stuck is None:
                    raise
                raise stuck

        add_finalizer(finalize)

    fixturedef.addfinalizer = add_guarded  # type: ignore[method-assign]
    try:
        outcome = yield
    finally:
        del fixturedef.addfinalizer
    stuck = _failure_of_clock(item, outcome.excinfo) if outcome.excinfo else None
    if stuck is not None:
        # This is how pytest records a failed fixture; otherwise the fixture would not be torn down.
        fixturedef.cached_result = (None, fixturedef.cache_key(request), (stuck, None))  # type: ignore[arg-type]
        outcome.force_exception(stuck)


def _mocks_of_other_fixtures(item: pytest.Item) -> list[aioresponses]:
    core = sys.modules.get(f"{_PACKAGE}.core")
    if core is None:
        return []
    own = item.stash.get(_mock_of_fixture, None)
    arguments = getattr(item, "funcargs", {}).values()
    return [one for one in arguments if isinstance(one, core.aioresponses) and one is not own]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    if call.excinfo is None:
        yield
        return
    _discard_cassettes()
    # pytest hides the frames of modules with `__tracebackhide__`; this package and aiohttp get it during a report.
    hiding = [
        vars(module)
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in (_PACKAGE, "aiohttp") and name != __name__ and module is not None
    ]
    hiding = [names for names in hiding if "__tracebackhide__" not in names]
    for names in hiding:
        names["__tracebackhide__"] = _is_refusal if names["__name__"].partition(".")[0] == "aiohttp" else True
    try:
        yield
    finally:
        for names in hiding:
            del names["__tracebackhide__"]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    # A test that passes although it must fail, with `xfail(strict=True)`, has raised nothing.
    if report.failed:
        _discard_cassettes()


def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    # No report is made of a test that is interrupted, or that calls `pytest.exit`.
    _discard_cassettes()


def _discard_cassettes() -> None:
    # The cassettes of fixtures end only when these are torn down, without an exception.
    for cassette in _open_cassettes():
        cassette.discard()


def _open_cassettes() -> tuple[Cassette, ...]:
    cassettes = sys.modules.get(f"{_PACKAGE}.cassettes")
    return () if cassettes is None else tuple(cassettes.open_cassettes)


def _is_refusal(excinfo: pytest.ExceptionInfo[BaseException] | None) -> bool:
    """Tell whether the exception is that of a refused request, in which aiohttp's frames say nothing about the test."""
    notes = getattr(excinfo.value, "__notes__", ()) if excinfo is not None else ()
    return any(str(note).startswith(f"{_PACKAGE}: ") for note in notes)
