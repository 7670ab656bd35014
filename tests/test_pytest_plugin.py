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

ROOT = Path(__file__).parent.parent
# What is tested may be installed elsewhere than beside the tests.
PACKAGE = Path(aioresponses.__file__).parent


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
            ["1 mock was never used:\n  GET http://example.com/\nThere were no calls."],
        )
        self.assertEqual(self.run_test(test, strict=True, error=ValueError()), [])

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

        self.assertEqual(self.run_test(test, strict=False), [])
        line = callback.__code__.co_firstlineno + 1
        self.assertEqual(
            self.run_test(test, strict=True),
            [
                "1 assertion failed while a mock answered:\n"
                "  AssertionError: no\n"
                f"    {__file__}:{line} in callback, for GET http://example.com/\n"
                "Calls:\n"
                "  1. GET http://example.com/ -> raised AssertionError: no"
            ],
        )
        self.assertEqual(self.run_test(test, strict=True, error=AssertionError("no")), [])

    def test_a_test_may_stop_the_mock_itself(self):
        fixture = self.plugin.active_mock(
            types.SimpleNamespace(node=types.SimpleNamespace(get_closest_marker=lambda name: None))
        )
        next(fixture).stop()
        self.assertEqual(list(fixture), [])

    def test_pytest_finds_the_plugin(self):
        settings = configparser.ConfigParser()
        settings.read(ROOT / "setup.cfg", encoding="utf-8")
        self.assertEqual(
            settings["options.entry_points"]["pytest11"].strip(), "aioresponses = aioresponses.pytest_plugin"
        )

    def test_no_other_module_imports_pytest(self):
        for path in PACKAGE.rglob("*.py"):
            if path.name != "pytest_plugin.py":
                self.assertNotIn("import pytest", path.read_text(encoding="utf-8"), path.name)
