import ast
import configparser
import importlib
import inspect
import re
import sys
import tempfile
import textwrap
import types
import unittest
from pathlib import Path
from unittest import mock

import aioresponses
from aioresponses import AioResponsesTestCase, matchers

ROOT = Path(__file__).parent.parent
# What is tested may be installed elsewhere than beside the tests.
PACKAGE = Path(aioresponses.__file__).parent


class PublicNamesTest(unittest.TestCase):
    def test_of_the_package(self):
        self.assertEqual(
            aioresponses.__all__,
            [
                "AioResponsesTestCase",
                "BodyAssertionsMixin",
                "CallCountAssertionsMixin",
                "CallOrderAssertionsMixin",
                "CallbackResult",
                "Fault",
                "FilePart",
                "Group",
                "Part",
                "RequestCall",
                "RequestMatch",
                "ServerSentEvent",
                "aioresponses",
            ],
        )

    def test_of_the_matchers(self):
        self.assertEqual(
            matchers.__all__, ["FilePart", "one_of", "regex", "subset", "unordered"]
        )

    def test_of_the_mock(self):
        self.assertEqual(
            [name for name in dir(aioresponses.aioresponses()) if not name.startswith("_")],
            [
                "active", "add", "assert_any_call", "assert_called", "assert_called_once", "assert_called_once_with",
                "assert_called_with", "assert_has_calls", "assert_not_called", "call_args", "call_args_list",
                "call_count", "called", "calls", "clear", "delete", "get", "head", "host", "json_dumps", "leave_alone",
                "options", "passthrough_unmatched", "patch", "post", "put", "requests", "start", "stop",
                "unmatched_calls", "unused_mocks", "wrong",
            ],
        )

    def test_each_has_a_docstring_and_those_that_can_be_called_an_example(self):
        for name in aioresponses.__all__ + [f"matchers.{name}" for name in matchers.__all__]:
            with self.subTest(name):
                thing = aioresponses
                for part in name.split("."):
                    thing = getattr(thing, part)
                own = thing.__dict__.get("__doc__")
                self.assertTrue(own, f"{name} has no docstring of its own")
                if "Mixin" not in name and name not in ("Part", "RequestMatch"):
                    self.assertIn(">>> ", own)
                for member, value in vars(thing).items():
                    is_public = isinstance(value, (types.FunctionType, property)) and not member.startswith("_")
                    # The last two are unittest's own.
                    if is_public and member not in ("run", "debug"):
                        self.assertTrue(inspect.getdoc(value), f"{name}.{member} has no docstring")

    def test_the_version_is_that_of_the_newest_changes(self):
        changes = (ROOT / "CHANGELOG.rst").read_text(encoding="utf-8")
        newest = re.search(r"^(\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d\n-+$", changes, re.MULTILINE)
        self.assertEqual(newest[1], aioresponses.__version__)


def imported_rooms(path):
    """Return the rooms that a room imports from when it runs, wherever in it that stands."""
    skipped = set()
    rooms = []
    # In the order of the tree, so that an `if TYPE_CHECKING` comes before what is in it.
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            skipped.update(inner for child in node.body for inner in ast.walk(child))
        if node in skipped:
            continue
        if isinstance(node, ast.ImportFrom):
            parts = (node.module or "").split(".") if node.module else []
            if node.level == 0 and parts[:1] == ["aioresponses"]:
                parts = parts[1:]
            elif node.level != 1:
                continue
            rooms += parts[:1] or [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            rooms += [
                alias.name.partition(".")[2].partition(".")[0] or "__init__"
                for alias in node.names
                if alias.name.partition(".")[0] == "aioresponses"
            ]
    return rooms


class RoomsTest(unittest.TestCase):
    """The tables of rooms in the README are the plan of the package."""

    def setUp(self):
        readme = (ROOT / "README.rst").read_text(encoding="utf-8")
        contributing = re.split(r"^Contributing\n-+\n", readme, flags=re.MULTILINE)[1]
        self.listed = re.findall(r"^``(\w+)``  +\S", contributing, re.MULTILINE)

    def rooms(self):
        return {path.stem: path for path in PACKAGE.glob("*.py") if path.stem != "__init__"}

    def test_each_room_is_listed_once(self):
        self.assertEqual(sorted(self.listed), sorted(self.rooms()))

    def test_each_room_imports_only_from_those_above_it(self):
        for name, path in self.rooms().items():
            with self.subTest(name):
                above = self.listed[:self.listed.index(name)]
                self.assertEqual([room for room in imported_rooms(path) if room not in above], [])

    def test_imports_are_found_wherever_they_stand(self):
        source = textwrap.dedent(
            """
            from __future__ import annotations
            import aioresponses.urls
            from aioresponses.wire import Answer
            from . import calls, mocks
            from .events import Event
            from os import path
            if TYPE_CHECKING:
                from .core import aioresponses
                if True:
                    from .testcase import AioResponsesTestCase
            def function():
                from .routing import Router
            """
        )
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "room.py"
            path.write_text(source, encoding="utf-8")
            self.assertEqual(
                sorted(imported_rooms(path)), ["calls", "events", "mocks", "routing", "urls", "wire"]
            )

    def test_each_room_has_a_module_of_tests(self):
        # These are tested along with the rooms that are made of them; the last is in this module.
        without = {"wanted", "expectations", "bodies", "pytest_plugin"}
        there = {path.stem.partition("test_")[2] for path in (ROOT / "tests").glob("test_*.py")}
        self.assertEqual(sorted(room for room in self.listed if room not in there), sorted(without))


class PytestPluginTest(AioResponsesTestCase):
    """Its parts, with a stand-in for pytest; `make pytest` runs it for real."""

    def setUp(self):
        def as_it_is(**kwargs):
            return lambda function: function

        pytest = types.ModuleType("pytest")
        pytest.fixture = pytest.hookimpl = as_it_is
        pytest.fail = types.SimpleNamespace(Exception=lambda text, pytrace: AssertionError(text))
        self.addCleanup(sys.modules.pop, "aioresponses.pytest_plugin", None)
        sys.modules.pop("aioresponses.pytest_plugin", None)
        with mock.patch.dict(sys.modules, {"pytest": pytest}):
            self.plugin = importlib.import_module("aioresponses.pytest_plugin")
            del sys.modules["aioresponses.pytest_plugin"]

    def run_test(self, test, strict, error=None):
        """Run a test as pytest does; return what the hook made of it."""
        node = types.SimpleNamespace(get_closest_marker=lambda name: object() if strict and name == "strict" else None)
        fixture = self.plugin.active_mock(types.SimpleNamespace(node=node))
        active = next(fixture)
        outcome = mock.Mock(excinfo=error)
        hook = self.plugin.pytest_runtest_call(types.SimpleNamespace(funcargs={"aioresponses": active}))
        next(hook)
        self.assertTrue(active.active)
        test(active)
        with self.assertRaises(StopIteration):
            hook.send(outcome)
        with self.assertRaises(StopIteration):
            next(fixture)
        self.assertFalse(active.active)
        return [str(call.args[0]) for call in outcome.force_exception.call_args_list]

    def test_a_strict_mock_that_was_not_used_fails_the_test(self):
        def test(active):
            active.get("http://example.com/")

        self.assertEqual(self.run_test(test, strict=False), [])
        self.assertEqual(
            self.run_test(test, strict=True),
            ["Expected every mock to be used, but 1 was not:\n  GET http://example.com/\nThere were no calls."],
        )
        self.assertEqual(self.run_test(test, strict=True, error=ValueError()), [])

    def test_a_test_may_stop_the_mock_itself(self):
        fixture = self.plugin.active_mock(
            types.SimpleNamespace(node=types.SimpleNamespace(get_closest_marker=lambda name: None))
        )
        next(fixture).stop()
        self.assertEqual(list(fixture), [])

    def test_pytest_finds_it(self):
        settings = configparser.ConfigParser()
        settings.read(ROOT / "setup.cfg", encoding="utf-8")
        self.assertEqual(
            settings["options.entry_points"]["pytest11"].strip(), "aioresponses = aioresponses.pytest_plugin"
        )

    def test_nothing_else_imports_pytest(self):
        for path in PACKAGE.glob("*.py"):
            if path.name != "pytest_plugin.py":
                self.assertNotIn("import pytest", path.read_text(encoding="utf-8"), path.name)
