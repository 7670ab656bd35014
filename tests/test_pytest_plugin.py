"""What is there for users of pytest."""

import asyncio
import configparser
import contextlib
import importlib
import sys
import types
from pathlib import Path
from unittest import mock

import aiohttp

import aioresponses
from aioresponses import AioResponsesTestCase
from aioresponses.websockets import Expect

from .leaving import at, new_session

ROOT = Path(__file__).parent.parent
# What is tested may be installed elsewhere than beside the tests.
PACKAGE = Path(aioresponses.__file__).parent


class Failed(BaseException):
    """As in pytest: what `pytest.fail` raises."""

    def __init__(self, text, pytrace):
        super().__init__(text)


def fail(text, pytrace):
    raise Failed(text, pytrace)


fail.Exception = Failed


class Item(types.SimpleNamespace):
    """As in pytest: a test, with what the plugin looks at."""

    def __init__(self, *markers):
        super().__init__(markers=markers, stash={}, funcargs={}, fixturenames=["aioresponses"])
        self.name, self.path, self.cls = "test[A]", Path(__file__), None

    def iter_markers(self, name=None):
        return (one for one in self.markers if name in (None, one.name))

    def get_closest_marker(self, name):
        return next(self.iter_markers(name), None)


def marker(name, *args, **kwargs):
    return types.SimpleNamespace(name=name, args=args, kwargs=kwargs)


STRICT = marker("strict")


class PytestPluginTest(AioResponsesTestCase):
    """Its parts, with a stand-in for pytest; `make pytest` runs it for real."""

    def setUp(self):
        def as_it_is(**kwargs):
            return lambda function: function

        pytest = types.ModuleType("pytest")
        pytest.fixture = pytest.hookimpl = as_it_is
        pytest.fail = fail
        pytest.StashKey = {"aioresponses": object, "VirtualClock": object}
        self.addCleanup(sys.modules.pop, "aioresponses.pytest_plugin", None)
        sys.modules.pop("aioresponses.pytest_plugin", None)
        with mock.patch.dict(sys.modules, {"pytest": pytest}):
            self.plugin = importlib.import_module("aioresponses.pytest_plugin")
            del sys.modules["aioresponses.pytest_plugin"]

    def run_test(self, test, *markers, error=None, fixture=None):
        """Run a test as pytest does, with our fixture or another; return what the hook made of it."""
        item = Item(*markers)
        self.plugin.pytest_runtest_setup(item)
        if fixture is None:
            fixture = self.plugin.active_mock(types.SimpleNamespace(node=item))
        active = next(fixture)
        item.funcargs["aioresponses"] = active
        outcome = types.SimpleNamespace(excinfo=error, force_exception=mock.Mock())
        hook = self.plugin.pytest_runtest_call(item)
        next(hook)
        self.assertTrue(active.active)
        test(active)
        with self.assertRaises(StopIteration):
            hook.send(outcome)
        with self.assertRaises(StopIteration):
            next(fixture)
        self.assertFalse(active.active)
        return [str(call.args[0]) for call in outcome.force_exception.call_args_list]

    @staticmethod
    def foreign():
        """Yield a mock as the fixture of somebody else."""
        with aioresponses.aioresponses() as active:
            yield active

    UNUSED = "1 mock was never used:\n  GET http://example.com/\nThere were no calls."

    def test_a_strict_mock_that_was_not_used_fails_the_test(self):
        def test(active):
            active.get("http://example.com/")

        self.assertEqual(self.run_test(test), [])
        for strict in (STRICT, marker("aioresponses", strict=True), marker("aioresponses", assert_all_called=True)):
            self.assertEqual(self.run_test(test, strict), [self.UNUSED])
            self.assertEqual(self.run_test(test, strict, fixture=self.foreign()), [self.UNUSED])
            self.assertEqual(self.run_test(test, strict, error=ValueError()), [])
        self.assertEqual(self.run_test(test, marker("aioresponses", assert_all_mocked=True)), [])

    def test_an_assertion_that_a_client_swallowed_fails_the_test(self):
        def callback(call):
            raise AssertionError("no")

        async def swallow():
            async with aiohttp.ClientSession() as session:
                with contextlib.suppress(AssertionError):
                    await session.get("http://example.com/")

        def test(active):
            active.get("http://example.com/", callback=callback)
            asyncio.run(swallow())

        self.assertEqual(self.run_test(test), [])
        line = callback.__code__.co_firstlineno + 1
        message = (
            "1 assertion failed while a mock answered:\n"
            "  AssertionError: no\n"
            f"    {__file__}:{line} in callback, for GET http://example.com/\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> raised AssertionError: no"
        )
        self.assertEqual(self.run_test(test, STRICT), [message])
        self.assertEqual(self.run_test(test, STRICT, fixture=self.foreign()), [message])
        self.assertEqual(self.run_test(test, STRICT, error=AssertionError("no")), [])

    def test_a_script_fails_the_test_if_its_client_has_gone_and_not_if_a_fixture_closes_it_later(self):
        async def connect():
            async with aiohttp.ClientSession() as session:
                async with session.ws_connect("ws://example.com/ws"):
                    yield

        def test(active):
            active.websocket("ws://example.com/ws", [Expect("a")])
            loop.run_until_complete(anext(client))

        def leave(active):
            test(active)
            loop.run_until_complete(client.aclose())

        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        client = connect()
        self.assertEqual(self.run_test(test), [])
        loop.run_until_complete(client.aclose())
        client = connect()
        [failure] = self.run_test(leave)
        self.assertRegex(failure, "^Script of GET ws://example.com/ws failed at step 1: expected 'a', but ")

    def test_of_each_argument_the_closest_value_counts(self):
        def test(active):
            active.get("http://example.com/")
            seen.append((active.latency, active.passthrough_unmatched))

        seen = []
        far = marker("aioresponses", latency=1, passthrough_unmatched=True, strict=True)
        self.assertEqual(self.run_test(test, marker("another", latency=3), marker("aioresponses", latency=0), far), [
            self.UNUSED
        ])
        self.assertEqual(self.run_test(test, marker("aioresponses", strict=False), far), [])
        self.assertEqual(self.run_test(test, marker("aioresponses", strict=False), STRICT), [])
        self.assertEqual(self.run_test(test, STRICT, marker("aioresponses", strict=False)), [self.UNUSED])
        self.assertEqual(seen, [(0, True), (1, True), (None, False), (None, False)])

    def test_a_marker_that_is_wrong_is_an_error(self):
        keywords = (
            "passthrough=, passthrough_unmatched=, assert_all_called=, assert_all_mocked=, strict=, json_dumps=, "
            "latency=, keep_calls=, assert_no_leaks="
        )
        for wrong, text in (
            (marker("aioresponses", latenzy=0), f" takes no argument 'latenzy'; its arguments are {keywords}"),
            (marker("aioresponses", param="m"), f" takes no argument 'param'; its arguments are {keywords}"),
            (marker("aioresponses", True), f" takes no positional arguments; its arguments are {keywords}"),
            (marker("aioresponses", latency="0"), ": latency: expected seconds or None, got '0'"),
            (
                marker("aioresponses", assert_no_leaks="sessions"),
                ": assert_no_leaks: expected True, False, or any of 'session', 'connector', 'response', 'call', "
                "'task', 'unread', got 'sessions'",
            ),
        ):
            with self.subTest(text), self.assertRaises(Failed) as raised:
                self.run_test(None, wrong)
            self.assertEqual(str(raised.exception), f"pytest.mark.aioresponses{text}")

    def test_the_marker_strict_takes_no_arguments(self):
        for wrong in (marker("strict", False), marker("strict", True), marker("strict", strict=False)):
            with self.subTest(marker=wrong), self.assertRaises(Failed) as raised:
                self.run_test(None, STRICT, wrong)
            self.assertEqual(
                str(raised.exception),
                "pytest.mark.strict takes no arguments; for a test that is not strict, "
                "write pytest.mark.aioresponses(strict=False)",
            )
        # It may be the marker of somebody else, if the test does not use the fixture.
        self.assertEqual(self.run_test(lambda active: None, marker("strict", False), fixture=self.foreign()), [])

    def run_watched(self, test, error=None, before=lambda: None, after=lambda: None):
        """Run a test that is to leave nothing behind; return what the hooks made of it, in the end of its teardown.

        `before` and `after` stand for other fixtures, around ours.
        """
        item = Item(marker("aioresponses", assert_no_leaks=True))
        self.plugin.pytest_runtest_setup(item)
        before()
        fixture = self.plugin.active_mock(types.SimpleNamespace(node=item))
        active = next(fixture)
        outcome = types.SimpleNamespace(excinfo=error, force_exception=mock.Mock())
        call = self.plugin.pytest_runtest_call(item)
        next(call)
        test(active)
        with self.assertRaises(StopIteration):
            call.send(outcome)
        outcome.force_exception.assert_not_called()
        teardown = self.plugin.pytest_runtest_teardown(item)
        next(teardown)
        with self.assertRaises(StopIteration):
            next(fixture)
        self.assertTrue(active.active)
        after()
        outcome = types.SimpleNamespace(excinfo=None, force_exception=mock.Mock())
        with self.assertRaises(StopIteration):
            teardown.send(outcome)
        self.assertEqual((active.active, item.stash), (False, {}))
        return [str(call.args[0]) for call in outcome.force_exception.call_args_list]

    def test_what_a_test_leaves_behind_is_an_error_of_its_teardown(self):
        made = []

        def make(active=None):
            made.append(asyncio.run(new_session()))

        def close():
            asyncio.run(made[-1].close())

        message = (
            f"1 thing was left behind:\n  ClientSession never closed\n    created at {at(new_session, 1)}"
        )
        for kwargs, messages in (
            ({"test": make}, [message]),
            ({"test": make, "error": ValueError()}, []),
            ({"test": make, "after": close}, []),
            ({"test": lambda active: None, "before": make}, [message]),
            ({"test": lambda active: None, "after": make}, [message]),
            ({"test": lambda active: None, "before": lambda: self.make_wider(make, "module")}, []),
            ({"test": lambda active: None, "before": lambda: self.make_wider(make, "function")}, [message]),
        ):
            with self.subTest(**kwargs):
                self.assertEqual(self.run_watched(**kwargs), messages)
                close()

    def make_wider(self, make, scope):
        """Make something as a fixture of this scope does."""
        setup = self.plugin.pytest_fixture_setup(
            types.SimpleNamespace(scope=scope), types.SimpleNamespace(node=Item())
        )
        next(setup)
        make()
        with self.assertRaises(StopIteration):
            next(setup)

    def test_a_fixture_that_is_never_reached_leaves_nothing_in_place(self):
        original = aiohttp.ClientSession.__init__
        for fixtures in (["aioresponses"], []):
            item = Item(marker("aioresponses", assert_no_leaks=True))
            item.fixturenames = fixtures
            self.plugin.pytest_runtest_setup(item)
            self.assertEqual(aiohttp.ClientSession.__init__ is original, fixtures == [])
            teardown = self.plugin.pytest_runtest_teardown(item)
            next(teardown)
            with self.assertRaises(StopIteration):
                teardown.send(types.SimpleNamespace(excinfo=None))
            self.assertIs(aiohttp.ClientSession.__init__, original)
            self.assertEqual(item.stash, {})

    def test_while_pytest_makes_a_report_our_frames_are_hidden_and_for_a_refusal_those_of_aiohttp(self):
        def report(error):
            call = types.SimpleNamespace(excinfo=error and types.SimpleNamespace(value=error))
            hook = self.plugin.pytest_runtest_makereport(Item(), call)
            next(hook)
            own, others = (getattr(one, "__tracebackhide__", False) for one in (core, aiohttp))
            with self.assertRaises(StopIteration):
                next(hook)
            for one in (core, aiohttp):
                self.assertNotIn("__tracebackhide__", vars(one))
            return own, others(call.excinfo) if others else others

        core = sys.modules["aioresponses.core"]
        refusal = aiohttp.ClientConnectionError()
        refusal.__notes__ = ["aioresponses: no mock answers GET http://example.com/"]
        self.assertEqual(
            [report(None), report(ValueError()), report(refusal)], [(False, False), (True, False), (True, True)]
        )

    def test_a_cassette_is_open_while_the_test_runs_and_is_discarded_if_it_fails(self):
        def test(active):
            [cassette] = active._interceptor.recorders
            paths.append((Path(cassette.path).relative_to(Path(__file__).parent).as_posix(), cassette.mode))

        paths = []
        marked = marker("cassette", mode="none"), marker("cassette", path="auto", mode="all")
        self.assertEqual(self.run_test(test, *marked), [])
        self.run_test(test, marker("cassette", path=Path(__file__).with_name("a.har"), mode="none"))
        self.run_test(test, marker("cassette", Path(__file__).with_name("b.har")), marked[0])
        self.run_test(test, marker("cassette", "auto"), marker("cassette", path="c.har", mode="none"))
        self.assertEqual(paths[1:], [("a.har", "none"), ("b.har", "none"), paths[0]])
        self.assertRegex(paths[0][0], r"^cassettes/test_pytest_plugin/test\[A\]-[0-9a-f]{8}\.har$")
        cassettes = importlib.import_module("aioresponses.cassettes")
        with aioresponses.aioresponses() as active, active.cassette("a.har", mode="none") as cassette:
            for error, is_discarded in ((None, False), (ValueError(), True)):
                call = types.SimpleNamespace(excinfo=error and types.SimpleNamespace(value=error))
                list(self.plugin.pytest_runtest_makereport(Item(), call))
                self.assertEqual(cassette._is_discarded, is_discarded)
        self.assertEqual(cassettes.open_cassettes, set())

    def test_a_cassette_is_discarded_if_the_test_was_to_fail_or_is_interrupted(self):
        with aioresponses.aioresponses() as active:
            for hook, given, is_discarded in (
                ("pytest_runtest_logreport", types.SimpleNamespace(failed=False), False),
                ("pytest_runtest_logreport", types.SimpleNamespace(failed=True), True),
                ("pytest_keyboard_interrupt", types.SimpleNamespace(value=KeyboardInterrupt()), True),
            ):
                with self.subTest(hook), active.cassette("a.har", mode="none") as cassette:
                    getattr(self.plugin, hook)(given)
                    self.assertEqual(cassette._is_discarded, is_discarded)

    def test_a_cassette_is_written_at_the_end_of_a_teardown_that_does_not_fail(self):
        def written(write):
            writes.append(write)
            if len(writes) > 2:
                raise OSError("full")

        writes = []
        item = Item()
        for error, expected in ((None, True), (ValueError(), False), (None, True)):
            with aioresponses.aioresponses() as active, active.cassette("a.har", mode="none") as cassette:
                teardown = self.plugin.pytest_runtest_teardown(item)
                next(teardown)
                with mock.patch.object(cassette, "end", written):
                    cassette.__exit__(None, None, None)
                    count = len(writes)
                    outcome = types.SimpleNamespace(excinfo=error, force_exception=mock.Mock())
                    with self.assertRaises(StopIteration):
                        teardown.send(outcome)
                self.assertEqual(writes[count:], [expected])
        [raised] = outcome.force_exception.call_args.args
        self.assertIsInstance(raised, OSError)

    def test_a_test_that_is_recorded_need_not_name_the_fixture(self):
        for markers, fixtures in (((), []), ((marker("cassette"),), ["aioresponses"])):
            item = Item(*markers)
            item.fixturenames.clear()
            for _ in range(2):
                self.plugin.pytest_itemcollected(item)
                self.assertEqual(item.fixturenames, fixtures)

    def test_a_marker_of_a_cassette_that_is_wrong_is_an_error(self):
        for wrong, text in (
            (
                marker("cassette", mod="all"),
                " takes no argument 'mod'; its arguments are path=, mode=, match_on=, filter=, secrets=, "
                "expires_after=, timings=",
            ),
            (
                marker("cassette", "a.har", "none"),
                " takes one positional argument, the path; its arguments are path=, mode=, match_on=, filter=, "
                "secrets=, expires_after=, timings=",
            ),
            (
                marker("cassette", "a.har", path="b.har"),
                " takes no positional arguments; its arguments are path=, mode=, match_on=, filter=, secrets=, "
                "expires_after=, timings=",
            ),
            (marker("cassette", 7), ": path: expected a str or a path, got 7"),
            (marker("cassette", mode="x"), ": mode: expected one of 'none', 'once', 'new', 'all', got 'x'"),
        ):
            with self.subTest(text), self.assertRaises(Failed) as raised:
                self.run_test(None, wrong)
            self.assertEqual(str(raised.exception), f"pytest.mark.cassette{text}")
        self.assertFalse(aioresponses.aioresponses().active)

    def test_a_test_may_stop_the_mock_itself(self):
        fixture = self.plugin.active_mock(types.SimpleNamespace(node=Item()))
        next(fixture).stop()
        self.assertEqual(list(fixture), [])

    def test_a_test_with_the_marker_of_virtual_time_uses_the_clock(self):
        marked, plain = Item(marker("virtual_time")), Item(STRICT)
        for item in (marked, plain):
            item.fixturenames = ["tmp_path"]
            for _ in range(2):
                self.plugin.pytest_itemcollected(item)
        self.assertEqual((marked.fixturenames, plain.fixturenames), (["tmp_path", "virtual_clock"], ["tmp_path"]))
        self.plugin.pytest_itemcollected(Item(marker("virtual_time")))

    def test_the_clock_runs_while_the_test_does(self):
        fixture = self.plugin.running_clock(types.SimpleNamespace(node=Item(STRICT)))
        clock = next(fixture)
        asyncio.run(asyncio.sleep(3600))
        self.assertEqual(clock.elapsed, 3600)
        self.assertEqual(list(fixture), [])
        with self.assertRaises(RuntimeError):
            clock.stop()

    def test_of_each_argument_of_the_clock_the_closest_value_counts(self):
        item = Item(marker("virtual_time", limit=2), marker("virtual_time", limit=9, grace=0.5), STRICT)
        fixture = self.plugin.running_clock(types.SimpleNamespace(node=item))
        clock = next(fixture)
        self.assertEqual((clock._time._limit, clock._time.grace), (2, 0.5))
        self.assertEqual(list(fixture), [])

    def test_a_marker_of_virtual_time_that_is_wrong_is_an_error(self):
        for wrong, text in (
            (marker("virtual_time", limt=5), " takes no argument 'limt'; write limit= or grace="),
            (marker("virtual_time", 5), " takes no positional arguments; write limit= or grace="),
            (marker("virtual_time", limit=0), ": limit: expected an int of at least 1, got 0"),
        ):
            with self.subTest(text), self.assertRaises(Failed) as raised:
                next(self.plugin.running_clock(types.SimpleNamespace(node=Item(wrong))))
            self.assertEqual(str(raised.exception), f"pytest.mark.virtual_time{text}")

    def test_a_test_that_waits_forever_fails(self):
        def made_of(raised, is_of_another_fixture=False):
            item = Item()
            fixture = self.plugin.running_clock(types.SimpleNamespace(node=item))
            clock = next(fixture)
            if is_of_another_fixture:
                item.stash[self.plugin._clock_of_fixture] = None
                item.funcargs["clock"] = clock
            with contextlib.suppress(asyncio.CancelledError):
                asyncio.run(asyncio.Event().wait())
            excinfo = raised and (type(raised), raised, None)
            outcome = types.SimpleNamespace(excinfo=excinfo, force_exception=mock.Mock())
            hook = self.plugin.pytest_runtest_call(item)
            next(hook)
            with self.assertRaises(StopIteration):
                hook.send(outcome)
            with contextlib.suppress(AssertionError):
                self.assertEqual(list(fixture), [])
            return [str(call.args[0]).splitlines()[0] for call in outcome.force_exception.call_args_list]

        forever = ["The test waits forever: no timer, no socket and no other thread is left that could wake it."]
        for raised in (None, asyncio.CancelledError(), KeyError()):
            self.assertEqual(made_of(raised), forever)
            self.assertEqual(made_of(raised, is_of_another_fixture=True), forever)
        self.assertEqual(made_of(KeyboardInterrupt()), [])

    def test_a_fixture_that_waits_forever_fails(self):
        # What pytest knows of a fixture, and of the first line of a failure.
        class Definition:
            scope = "function"
            cached_result = None

            def __init__(self):
                self.finalizers = []

            def addfinalizer(self, finalizer):
                self.finalizers.append(finalizer)

            def cache_key(self, request):
                return 7

        def first_line(error):
            return str(error).splitlines()[0]

        def wait(error):
            with contextlib.suppress(asyncio.CancelledError):
                asyncio.run(asyncio.Event().wait())
            raise error

        def set_up(error):
            hook = self.plugin.pytest_fixture_setup(definition, request)
            next(hook)
            definition.addfinalizer(lambda: wait(asyncio.CancelledError()))
            definition.addfinalizer(lambda: wait(KeyboardInterrupt()))
            if error is not None:
                with contextlib.suppress(BaseException):
                    wait(error)
            outcome = types.SimpleNamespace(
                excinfo=error and (type(error), error, None), force_exception=mock.Mock()
            )
            with self.assertRaises(StopIteration):
                hook.send(outcome)
            return [first_line(call.args[0]) for call in outcome.force_exception.call_args_list]

        forever = "The test waits forever: no timer, no socket and no other thread is left that could wake it."
        request = types.SimpleNamespace(node=Item())
        clock = self.plugin.running_clock(request)
        next(clock)
        definition = Definition()
        self.assertEqual(set_up(None), [])
        self.assertIsNone(definition.cached_result)
        with self.assertRaises(KeyboardInterrupt):
            definition.finalizers.pop()()
        with self.assertRaises(Failed) as raised:
            definition.finalizers.pop()()
        self.assertEqual(first_line(raised.exception), forever)
        self.assertEqual(set_up(asyncio.CancelledError()), [forever])
        nothing, key, (failure, _) = definition.cached_result
        self.assertEqual((nothing, key, first_line(failure)), (None, 7, forever))
        # Only while it is set up are its finalizers ours.
        self.assertNotIn("addfinalizer", vars(definition))
        self.assertEqual(list(clock), [])
        self.assertEqual(request.node.stash, {})
        definition = Definition()
        with contextlib.suppress(StopIteration):
            hook = self.plugin.pytest_fixture_setup(definition, request)
            next(hook)
            self.assertNotIn("addfinalizer", vars(definition))
            next(hook)

    def test_pytest_finds_the_plugin(self):
        settings = configparser.ConfigParser()
        settings.read(ROOT / "setup.cfg", encoding="utf-8")
        self.assertEqual(
            settings["options.entry_points"]["pytest11"].strip(), "aioresponses_plugin = aioresponses.pytest_plugin"
        )

    def test_no_other_module_imports_pytest(self):
        for path in PACKAGE.rglob("*.py"):
            if path.name != "pytest_plugin.py":
                self.assertNotIn("import pytest", path.read_text(encoding="utf-8"), path.name)
