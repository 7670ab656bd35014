import ast
import importlib.util
import inspect
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import types
import unittest
from pathlib import Path

import aioresponses
from aioresponses import matchers

ROOT = Path(__file__).parent.parent
# What is tested may be installed elsewhere than beside the tests.
PACKAGE = Path(aioresponses.__file__).parent


class PublicNamesTest(unittest.TestCase):
    def test_public_names_of_the_package(self):
        self.assertEqual(
            aioresponses.__all__,
            [
                "AioResponsesTestCase",
                "BodyAssertionsMixin",
                "CallCountAssertionsMixin",
                "CallOrderAssertionsMixin",
                "CallbackResult",
                "CompatibilityWarning",
                "Fault",
                "FilePart",
                "Group",
                "Mount",
                "Part",
                "RequestCall",
                "RequestMatch",
                "ServerSentEvent",
                "VirtualClock",
                "WebSocketConnection",
                "WebSocketMock",
                "aioresponses",
                "application_client",
            ],
        )

    def test_public_names_of_the_matchers(self):
        self.assertEqual(
            matchers.__all__, ["ABSENT", "FilePart", "one_of", "regex", "subset", "unordered"]
        )

    def test_public_names_of_the_mock(self):
        self.assertEqual(
            [name for name in dir(aioresponses.aioresponses()) if not name.startswith("_")],
            [
                "aclose", "active", "add", "any", "assert_any_call", "assert_called", "assert_called_once",
                "assert_called_once_with", "assert_called_with", "assert_has_calls", "assert_not_called", "call_args",
                "call_args_list", "call_count", "called", "calls", "calls_of", "cassette", "clear", "connector",
                "delete", "get", "head", "host", "json_dumps", "latency", "load_har", "mount", "options",
                "passthrough_unmatched", "patch", "post", "put", "requests", "reset", "start", "stop", "to_har",
                "to_python", "unmatched_calls", "unused_mocks", "websocket",
            ],
        )

    def test_public_names_of_a_callback_result(self):
        self.assertEqual(
            [name for name in dir(aioresponses.CallbackResult()) if not name.startswith("_")],
            [
                "body", "content_type", "delay", "events", "fault", "headers", "method", "payload", "reason",
                "response_class", "status",
            ],
        )

    def test_public_names_of_a_virtual_clock(self):
        self.assertEqual(
            [name for name in dir(aioresponses.VirtualClock()) if not name.startswith("_")],
            ["elapsed", "hold", "on_jump", "start", "stop"],
        )

    def test_public_names_have_docstrings_and_those_that_can_be_called_an_example(self):
        for name in aioresponses.__all__ + [f"matchers.{name}" for name in matchers.__all__]:
            with self.subTest(name):
                thing = aioresponses
                for part in name.split("."):
                    thing = getattr(thing, part)
                # ABSENT is the only one of its class.
                thing = thing if isinstance(thing, type) or inspect.isfunction(thing) else type(thing)
                own = thing.__doc__ if inspect.isfunction(thing) else thing.__dict__.get("__doc__")
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


def run_python(script):
    """Return what a script prints in a process of its own."""
    # Where the package lies, since it need not be beside the tests.
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], env=environment, capture_output=True, text=True, check=True
    ).stdout


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

    # What is imported only when it is first used, by the module that does it. The plugin of pytest imports the package,
    # in every run.
    LAZY = {
        "": [
            "._calls.multipart", "._checks", "._client.application_clients", "._client.clock", "._groups",
            "._matching.mounts", "._replies.connections", "._replies.events", "._replies.results", "._sockets",
            ".assertions", ".compat", ".core", ".matchers", ".testcase",
        ],
    }
    NEEDED_FOR_A_MOCK = ("aiohttp", "aioresponses", "asyncio", "unittest", "yarl")

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
                and f".{other}" not in self.LAZY.get(name, ())
            ]
            self.assertEqual(upwards, [], f"{name or 'the package'} imports from its own floor or from above")

    def test_no_imports_go_in_a_circle(self):
        way = circle(self.imports)
        self.assertEqual(way, [], f"a circle of imports: {' -> '.join(way)}")

    def test_the_lazy_entrances_are_those_that_are_listed(self):
        lazy = {*aioresponses._LAZY.values(), *(f".{name}" for name in aioresponses._LAZY_MODULES)}
        self.assertEqual(sorted(lazy), self.LAZY[""])

    def test_nothing_else_is_imported_before_it_is_used(self):
        for name in ("aioresponses", "aioresponses.pytest_plugin"):
            printed = run_python(f"""
                import sys, types

                def as_it_is(**kwargs):
                    return lambda function: function

                sys.modules["pytest"] = types.SimpleNamespace(
                    fixture=as_it_is, hookimpl=as_it_is, StashKey={{"aioresponses": object, "VirtualClock": object}}
                )
                import {name}
                print(*sorted(one for one in sys.modules if one.partition(".")[0] in {self.NEEDED_FOR_A_MOCK}))
            """)
            self.assertEqual(printed.split(), sorted({"aioresponses", name}))

    def test_recordings_are_imported_when_one_is_first_used(self):
        printed = run_python("""
            import sys
            from aioresponses import AioResponsesTestCase, aioresponses

            with aioresponses() as mock:
                print([name for name in sys.modules if "cassette" in name])
                mock.cassette("a.har")
                print("aioresponses.cassettes" in sys.modules)
        """)
        self.assertEqual(printed, "[]\nTrue\n")

    def test_a_mock_imports_what_it_needs_for_some_tests_alone_when_it_does(self):
        for arguments, needed in (("", False), ("assert_no_leaks=False", False), ("assert_no_leaks=True", True)):
            printed = run_python(f"""
                import sys
                from aioresponses import AioResponsesTestCase, aioresponses

                with aioresponses({arguments}):
                    print("aioresponses._client.leaks" in sys.modules, "aioresponses._client.made" in sys.modules)
            """)
            self.assertEqual(printed, f"{needed} {needed}\n")

    def test_a_plain_test_imports_nothing_that_only_other_tests_need(self):
        for name, spared in (
            ("aioresponses", ("_matching.requirements", "matchers")),
            # Its assertions compare in the same way as the conditions of mocks.
            ("AioResponsesTestCase", ()),
        ):
            printed = run_python(f"""
                import asyncio, sys
                from aioresponses import {name}
                from aiohttp import ClientSession
                from aioresponses import aioresponses

                async def main():
                    with aioresponses() as mock:
                        mock.get("http://example.com/", payload={{"a": 1}}, headers={{"X-A": "1"}})
                        mock.post("http://example.com/", status=201)
                        async with ClientSession() as session:
                            async with session.get("http://example.com/") as response:
                                await response.json()
                            async with session.post("http://example.com/", json={{"a": 1}}) as response:
                                await response.read()

                asyncio.run(main())
                print(*sorted(name for name in sys.modules if name.partition(".")[0] in ("aiohttp", "aioresponses")))
            """)
            unneeded = {
                "aiohttp.test_utils", "aiohttp.web",
                *(f"aioresponses.{name}" for name in (
                    *spared, "_assertions.checks", "_calls.failures", "_calls.multipart", "_calls.traffic",
                    "_cassettes", "_client.clock", "_client.frames", "_client.incoming", "_client.leaks",
                    "_client.loops", "_client.monotonic", "_client.outside", "_client.own_connector",
                    "_client.own_servers", "_client.passing", "_client.serving", "_client.taps", "_client.unconnected",
                    "_decorating", "_groups", "_matching.hints", "_matching.mounts", "_matching.prefixes",
                    "_matching.refusal", "_replies.callbacks", "_replies.codings", "_replies.connections",
                    "_replies.events", "_replies.handlers", "_replies.scripts", "_replies.websockets", "_sockets",
                    "_suggestions", "cassettes", "websockets",
                )),
            }
            self.assertEqual(unneeded.intersection(printed.split()), set())
            # The names are those of modules that exist.
            missing = {name for name in unneeded if importlib.util.find_spec(name) is None}
            self.assertEqual(missing, set())

    def test_modules_are_there_without_being_imported_as_in_0_7(self):
        for name in ("compat", "core", "matchers"):
            self.assertEqual(
                run_python(f"import aioresponses; print(aioresponses.{name}.__name__)"), f"aioresponses.{name}\n"
            )
        self.assertEqual(
            run_python("from aioresponses import *; print(aioresponses.__module__, CallbackResult.__name__)"),
            "aioresponses.core CallbackResult\n",
        )
        with self.assertRaises(AttributeError) as raised:
            aioresponses.another
        self.assertEqual(str(raised.exception), "module 'aioresponses' has no attribute 'another'")

    def test_type_checkers_see_each_lazy_name_and_its_module(self):
        told = {}
        for node in ast.walk(ast.parse(self.modules[""].read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                told.update({alias.name: f".{node.module or ''}" for alias in node.names})
        self.assertEqual(told, {**aioresponses._LAZY, **dict.fromkeys(aioresponses._LAZY_MODULES, ".")})
        self.assertEqual(sorted(aioresponses._LAZY), aioresponses.__all__)

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


class NamesOfArgumentsTest(unittest.TestCase):
    """Type checkers see the keyword arguments in typed dicts; at run time, their names stand alone."""

    def test_the_names_are_those_of_the_typed_dicts_in_their_order(self):
        fields = {}
        for room in ("_matching/conditions.py", "_registering.py", "_groups.py"):
            for node in ast.walk(ast.parse((PACKAGE / room).read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and node.name.endswith("Arguments"):
                    inherited = [name for base in node.bases for name in fields.get(base.id, ())]
                    fields[node.name] = [
                        *inherited, *(one.target.id for one in node.body if isinstance(one, ast.AnnAssign))
                    ]
        from aioresponses import _groups, _registering
        from aioresponses._matching import conditions

        self.assertEqual(
            fields,
            {
                "ConditionArguments": [*conditions.CONDITIONS],
                "ReplyArguments": [*_registering.REPLY_ARGUMENTS],
                "Arguments": [*_registering.ARGUMENTS],
                "WebSocketArguments": [*_groups.WEBSOCKET_ARGUMENTS],
            },
        )


class TestsOfRoomsTest(unittest.TestCase):
    """Each room has a module of tests under the same wing and name."""

    # Rooms whose work shows in the tests of others.
    SHOWN_BY = {
        "_asked": "assertions/test_checks.py",
        "_cassettes.recording": "test_cassettes.py",
        "_calls.exchange": "calls/test_record.py",
        "_client.clocks": "client/test_clock.py",
        "_client.frames": "calls/test_traffic.py",
        "_messages": "assertions/test_websockets.py",
        # What is wrong with a script is found where it is registered.
        "_replies.scripts": "replies/test_websockets_failed.py",
        # Its steps say what scripts do.
        "websockets": "replies/test_websockets.py",
        # It only states what the hooks need.
        "_client.interceptor": "test_interception.py",
        "_client.offering": "client/test_active.py",
        "_client.passing": "client/test_outside.py",
        "_client.virtual_time": "client/test_clock.py",
        "_client.wrapping": "test_interception.py",
        "_far_end": "test_interception.py",
        "_interceptor": "test_interception.py",
        "_matching.answered": "calls/test_log_dropped.py",
        "_matching.index": "matching/test_router.py",
        # It only imports the mixins.
        "assertions": "test_package.py",
    }

    # Tests of no single room.
    OF_NO_ROOM = {"test_benchmarks.py", "test_docs.py", "test_fuzz.py"}

    def setUp(self):
        tests = Path(__file__).parent
        self.tests = {path.relative_to(tests).as_posix() for path in tests.rglob("test_*.py")}
        self.tests = {path for path in self.tests if not path.startswith("examples/")}
        self.rooms = {}
        for path in PACKAGE.rglob("*.py"):
            name = module_name(path)
            if path.name != "__init__.py" or not name:
                *wing, room = (name or "package").split(".")
                folder = "".join(f"{part.lstrip('_')}/" for part in wing)
                self.rooms[name] = f"{folder}test_{room.lstrip('_')}.py"

    def test_each_room_has_tests_of_its_name(self):
        without = {name for name, tests in self.rooms.items() if tests not in self.tests}
        self.assertEqual(without, set(self.SHOWN_BY), "list a room here if other tests show what it does")
        self.assertLessEqual(set(self.SHOWN_BY.values()), self.tests)

    def test_modules_of_tests_import_nothing_from_each_other(self):
        for path in Path(__file__).parent.rglob("test_*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
            imported = [node.module or "" for node in nodes]
            self.assertEqual([name for name in imported if name.split(".")[-1].startswith("test_")], [], path.name)

    def test_each_module_of_tests_is_named_after_a_room(self):
        # What comes after the name of the room says which part of its work is tested.
        stems = tuple(tests.removesuffix(".py") for tests in self.rooms.values())
        strangers = [
            tests for tests in self.tests - self.OF_NO_ROOM
            if not any(tests == f"{stem}.py" or tests.startswith(f"{stem}_") for stem in stems)
        ]
        self.assertEqual(strangers, [])


def own_names(sources):
    """Return the private names that sources define: functions, classes, variables, arguments, attributes."""
    found = set()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                found.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_self(node.value):
                found.add(node.attr)
            elif isinstance(node, ast.arg):
                found.add(node.arg)
    return {name for name in found if is_private(name)}


# What reaches an attribute by its name.
BY_NAME = ("getattr", "setattr", "hasattr", "delattr")


def private_names(source, own):
    """Return the private names that a source uses and that are not among its `own`, as lines and names."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Attribute):
            names = [node.attr]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [name for alias in node.names for name in (*(node.module or "").split("."), alias.name)]
        elif isinstance(node, ast.Import):
            names = [name for alias in node.names for name in alias.name.split(".")]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in BY_NAME:
            names = [argument.value for argument in node.args[1:2] if isinstance(argument, ast.Constant)]
        elif isinstance(node, ast.Subscript) and getattr(getattr(node.value, "func", None), "id", "") == "vars":
            names = [node.slice.value] if isinstance(node.slice, ast.Constant) else []
        found += [(node.lineno, name) for name in names if is_private(name) and name not in own]
    return sorted(found)


def is_private(name):
    return isinstance(name, str) and name.startswith("_") and not name.endswith("__") and name.strip("_") != ""


def is_self(node):
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


class PrivateNamesTest(unittest.TestCase):
    """Names of aiohttp and asyncio that are private are used in `_client` alone, unittest's in `testcase`."""

    # What named tuples have is documented, in spite of the underscore.
    DOCUMENTED = {"_fields", "_replace"}

    def test_no_other_room_uses_private_names_of_others(self):
        sources = {
            module_name(path): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")
            if not module_name(path).startswith("_client") and module_name(path) != "testcase"
        }
        own = own_names(sources.values()) | self.DOCUMENTED
        used = [
            f"{name or 'the package'}, line {line}: {private}"
            for name, source in sources.items() for line, private in private_names(source, own)
        ]
        self.assertEqual(used, [])

    def test_private_names_of_others_are_found(self):
        source = textwrap.dedent(
            """
            import asyncio._private
            from aiohttp.client import ClientSession, _Hidden
            from .._own import _mine

            class Own(ClientSession):
                __slots__ = ()
                _level = 1

                def _method(self, _argument):
                    self._attribute = self._method(_argument)
                    self.__class__ = Own
                    for _ in self._cls_level or self._level:
                        self._inherited
                    session._loop._attribute
                    getattr(session, "_connector")
                    getattr(session, "closed", "_default")
                    setattr(session, "_loop", None)
                    vars(ClientSession)["_request"]
                    session.public
            """
        )
        self.assertEqual(own_names([source]), {"_level", "_method", "_argument", "_attribute"})
        self.assertEqual(
            private_names(source, own_names([source])),
            [
                (2, "_private"), (3, "_Hidden"), (13, "_cls_level"), (14, "_inherited"), (15, "_loop"),
                (16, "_connector"), (18, "_loop"), (19, "_request"),
            ],
        )
