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
                "call_count", "called", "calls", "clear", "delete", "get", "head", "host", "json_dumps",
                "options", "passthrough_unmatched", "patch", "post", "put", "requests", "start", "stop",
                "unmatched_calls", "unused_mocks",
            ],
        )

    def test_of_a_callback_result(self):
        self.assertEqual(
            [name for name in dir(aioresponses.CallbackResult()) if not name.startswith("_")],
            [
                "body", "content_type", "delay", "events", "fault", "headers", "method", "payload", "reason",
                "response_class", "status",
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


def module_name(path, package=PACKAGE):
    """Return the dotted name of a module within the package, `""` for the package itself."""
    parts = path.relative_to(package).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported_modules(path, package=PACKAGE):
    """Return the modules of the package that a module names in its imports, those for types among them."""
    name = module_name(path, package)
    # What a relative import starts from: the folder of the module.
    folder = path.relative_to(package).parent.parts
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            parts = tuple(node.module.split(".")) if node.module else ()
            if node.level:
                parts = folder[:len(folder) - node.level + 1] + parts
            elif parts[:1] == ("aioresponses",):
                parts = parts[1:]
            else:
                continue
            found += [resolved((*parts, alias.name), package) for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            found += [resolved(tuple(parts[1:]), package) for parts in names if parts[0] == "aioresponses"]
    return sorted({module for module in found if module != name})


def resolved(parts, package):
    """Return the name of the module that dotted parts lead to; the last one may be a name within the module."""
    while parts and not (package.joinpath(*parts).is_dir() or package.joinpath(*parts).with_suffix(".py").is_file()):
        parts = parts[:-1]
    return ".".join(parts)


def circle(imports):
    """Return the way around a circle of imports, such as `["a", "b", "a"]`; `[]` if there is none."""
    done = set()

    def walk(module, way):
        if module in way:
            return [*way[way.index(module):], module]
        if module in done:
            return []
        for imported in imports.get(module, ()):
            found = walk(imported, [*way, module])
            if found:
                return found
        done.add(module)
        return []

    return next((found for module in sorted(imports) if (found := walk(module, []))), [])


class RoomsTest(unittest.TestCase):
    """The drawing of the house in CONTRIBUTING.rst is the plan of the package."""

    # Public names of the package that cost an import which many users never need: their modules are imported when
    # somebody asks for them. By the module that does it.
    LAZY = {"": [".assertions", ".testcase"]}

    def setUp(self):
        contributing = (ROOT / "CONTRIBUTING.rst").read_text(encoding="utf-8")
        drawing = contributing.split(".. code-block:: text\n\n")[1]
        rows = [re.findall(r"\w+", line[25:]) for line in drawing.splitlines() if line.startswith("    ")]
        # From the ground up.
        self.floors = {room: floor for floor, rooms in enumerate(reversed(rows)) for room in rooms}
        self.modules = {module_name(path): path for path in PACKAGE.rglob("*.py")}
        self.imports = {name: imported_modules(path) for name, path in self.modules.items()}

    def test_the_drawing_shows_each_room_and_each_wing(self):
        rooms = {name.partition(".")[0] or "__init__" for name in self.modules}
        self.assertEqual(sorted(self.floors), sorted(rooms))

    def test_each_module_imports_only_from_floors_below_and_from_its_own_wing(self):
        for name, imported in self.imports.items():
            room = name.partition(".")[0] or "__init__"
            upwards = [
                other
                for other in imported
                if (other.partition(".")[0] or "__init__") != room
                and self.floors[other.partition(".")[0] or "__init__"] >= self.floors[room]
                and not (name == "" and f".{other}" in self.LAZY[""])
            ]
            self.assertEqual(upwards, [], f"{name or 'the package'} imports from its own floor or from above")

    def test_no_imports_go_in_a_circle(self):
        way = circle(self.imports)
        self.assertEqual(way, [], f"a circle of imports: {' -> '.join(way)}")

    def test_the_lazy_entrances_are_those_that_are_listed(self):
        self.assertEqual(sorted(set(aioresponses._WITH_UNITTEST.values())), self.LAZY[""])

    def test_each_wing_says_what_it_is_for(self):
        for name, path in self.modules.items():
            if path.name == "__init__.py" and name:
                tree = ast.parse(path.read_text(encoding="utf-8"))
                self.assertTrue(ast.get_docstring(tree), f"{name} has no paragraph on top")
                self.assertEqual(len(tree.body), 1, f"{name}/__init__.py holds more than its paragraph")

    def test_circles_and_imports_for_types_are_found(self):
        with tempfile.TemporaryDirectory() as directory:
            package = Path(directory)
            sources = {
                "__init__.py": "from .wing import first",
                "ground.py": "import aioresponses.wing.first",
                "wing/__init__.py": "",
                "wing/first.py": "from . import second\nfrom os import path\nimport re",
                "wing/second.py": """
                    from ..ground import one, another
                    def function():
                        from .third import Class
                """,
                "wing/third.py": """
                    if TYPE_CHECKING:
                        from aioresponses.wing.first import Class
                        if True:
                            from .. import ground
                """,
            }
            for name, source in sources.items():
                (package / name).parent.mkdir(exist_ok=True)
                (package / name).write_text(textwrap.dedent(source), encoding="utf-8")
            imports = {
                module_name(path, package): imported_modules(path, package) for path in package.rglob("*.py")
            }
        self.assertEqual(
            imports,
            {
                "": ["wing.first"],
                "ground": ["wing.first"],
                "wing": [],
                "wing.first": ["wing.second"],
                "wing.second": ["ground", "wing.third"],
                "wing.third": ["ground", "wing.first"],
            },
        )
        self.assertEqual(circle(imports), ["wing.first", "wing.second", "ground", "wing.first"])
        self.assertEqual(circle({"a": ["b", "c"], "b": ["c"], "c": []}), [])


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
        for path in PACKAGE.rglob("*.py"):
            if path.name != "pytest_plugin.py":
                self.assertNotIn("import pytest", path.read_text(encoding="utf-8"), path.name)
