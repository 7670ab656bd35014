"""The README and the pages of docs/ say what is so: their code runs, and prints what they show.

The code blocks of a page run in their order, in one namespace.

- A `python` block runs within an active mock named `mock`, a new one for each block. Where it uses `await` outside of a
  function, there is a `session` as well, an `aiohttp.ClientSession`.
- Test cases that a block defines are run then, and functions named `test_…` called. A test case without tests has to be
  the base of another one.
- All that must succeed and print nothing, unless a `text` block follows: then this is what is printed, and how the one
  exception that is raised, or the one test that fails, is shown at the end of a traceback, notes included. A line of
  the block is shown as that line of `example.py`.
- A `python` block that imports pytest is only compiled here; `make pytest` runs it, and compares the failure that a
  `text` block after it shows.
- A `python` block whose first line is the name of a file, as `# client.py`, is that file, or a change of it (see
  `projects.changed`); the `text` block after `python -m unittest` in a `sh` block is what the tests in the files print.
- A `text` block without a `python` block before it repeats one that is checked on another page.
- The numbers that asyncio gives to tasks are shown as 1.
- Cassettes are in the folder of the page, whose path is not shown.
- Recordings are replayed as they are on the machine of a developer: `CI` and `AIORESPONSES_RECORD` are not set.
- What a `sh` block names must exist.

Pages are read as plain text, but for those of the reference, which Sphinx makes of docstrings, and the lists of pages.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import gc
import inspect
import io
import logging
import os
import re
import sys
import textwrap
import unittest
import warnings
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import aiohttp

import aioresponses as package
from aioresponses import (
    AioResponsesTestCase,
    BodyAssertionsMixin,
    CallbackResult,
    CallCountAssertionsMixin,
    CallOrderAssertionsMixin,
    Fault,
    RequestCall,
    RequestMatch,
    ServerSentEvent,
    WebSocketConnection,
    __version__,
    aioresponses,
    cassettes,
    matchers,
    websockets,
)

from .projects import Project, changed

ROOT = Path(__file__).parent.parent
README = ROOT / "README.rst"
DOCS = ROOT / "docs"
PAGES = [README, *sorted(DOCS.rglob("*.rst"))]
REFERENCE = sorted((DOCS / "reference").glob("*.rst"))


# The directives of Sphinx that a page may have.
DIRECTIVES: dict[Path, tuple[str, ...]] = {
    DOCS / "index.rst": ("toctree",),
    DOCS / "cookbook" / "index.rst": ("toctree",),
    DOCS / "benchmarks.rst": ("include",),
    DOCS / "changelog.rst": ("include",),
    DOCS / "security.rst": ("include",),
    **{
        path: (
            "autoattribute", "autoclass", "autofunction", "automethod", "autoproperty", "py:currentmodule", "py:data",
            "py:method", "py:module", "py:type", "toctree",
        )
        for path in REFERENCE
    },
}


# What is raised and is not explained.
NEED_NO_EXPLANATION: set[str] = {
    # Python and aiohttp say it in the same words.
    "module … has no attribute …", "… object has no attribute …", "Connector is closed.",
    # The package catches it.
    "… is another type", "… is not JSON", "the disk is full", "unreachable",
    "aiohttp waits for data that is already there",
    # It follows a place or a reason that is explained.
    "expected …, got …", "expected …, but …", "expected …, but nothing came",
    "a template needs a scheme and a host", "two of its placeholders are named …", "its path is not a valid pattern: …",
    "the host of a template may have a leading *. and no other placeholder; for any host, pass a compiled pattern",
    "… is neither {name} nor {name:regex}; for a pattern, pass re.compile(…), for literal braces a yarl.URL",
    "expected a dict of arguments, an exception or a CallbackResult, got …", "unexpected … …: …",
    "…, got …, which takes no positional argument", "…, got …, whose parameter … is never passed: give it a default",
    "…, got …, which does not take the keyword arguments of the request: add **kwargs…", "… is not known: …. …",
}


class Block(NamedTuple):
    language: str
    line: int
    """The number of its first line."""

    code: str


def blocks_of(text: str) -> list[Block]:
    return [
        Block(found[1], text.count("\n", 0, found.start(2)) + 1, textwrap.dedent(found[2]).strip())
        for found in re.finditer(r"^\.\. code-block:: ?(.*)\n\n((?:    .*\n|\n)+)", text, re.MULTILINE)
    ]


def examples_of(path: Path) -> str:
    """Return all Python code of a page."""
    return "\n".join(block.code for block in blocks_of(path.read_text(encoding="utf-8")) if block.language == "python")


def toctrees_of(text: str) -> list[list[str]]:
    """Return the pages in each table of contents of a page, without what else it is told."""
    found = re.findall(r"^\.\. toctree::\n(?:   :.+\n)*\n((?:   .+\n)+)", text, re.MULTILINE)
    assert len(found) == text.count(".. toctree::")
    return [entries.split() for entries in found]


def title_of(path: Path) -> str:
    """Return the title of a page, as plain text."""
    text = path.read_text(encoding="utf-8")
    included = re.search(r"^\.\. include:: (.+)$", text, re.MULTILINE)
    if included:
        return title_of(path.parent / included[1])
    return text.partition("\n")[0].replace("``", "`")


def explained_messages() -> list[str]:
    """Return the messages in the page about them; `…` stands for what differs from case to case."""
    text = (DOCS / "reference" / "messages.rst").read_text(encoding="utf-8")
    return [
        message
        for line in re.findall(r"^(``.+``)\n    ", text, re.MULTILINE)
        for message in re.findall(r"``(.+?)``(?=,|$)", line)
    ]


def raised_by(node: ast.AST) -> str:
    """Return the words of an exception that a statement raises, with `…` for what differs; "" if it raises none."""
    if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args):
        return ""
    # Functions that make exceptions, and what the package catches by itself, have no capital letter.
    if not ast.unparse(node.exc.func).rpartition(".")[2][0].isupper():
        return ""
    said = node.exc.args[0]
    parts = said.values if isinstance(said, ast.JoinedStr) else [said]
    text = "".join(part.value if isinstance(part, ast.Constant) else "…" for part in parts)
    return text if text.strip("…: ") else ""


class Result(unittest.TestResult):
    """Keeps the exceptions of the tests that fail, as they are.

    Of a test that fails twice it is the first: where Python shows no notes (3.10), a second one reports a refusal.
    """

    def __init__(self) -> None:
        super().__init__()
        self.raised: list[BaseException] = []

    def addError(self, test, err):
        if all(test is not one for one, _ in [*self.errors, *self.failures]):
            self.raised.append(err[1])
        super().addError(test, err)

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.raised.append(err[1])


def is_shown(following: Block | None) -> bool:
    """Tell whether what a block prints is shown, by the block that follows."""
    return following is not None and following.language == "text"


class Page:
    """A page whose blocks are run."""

    def __init__(self, text: str, filename: str = "<page>", checked_elsewhere: frozenset[str] = frozenset()) -> None:
        self.blocks = blocks_of(text)
        self.filename = filename
        self.checked_elsewhere = checked_elsewhere
        self.names: dict[str, Any] = {"__name__": "example", "__file__": filename}

    def check(self, case: unittest.TestCase) -> None:
        project = Project()
        case.addCleanup(project.close)
        before = None
        for number, block in enumerate(self.blocks):
            with case.subTest(page=self.filename, line=block.line):
                if block.language == "python" and "import pytest" in block.code:
                    compile(block.code, self.filename, "exec")
                    continue
                following = self.blocks[number + 1] if number + 1 < len(self.blocks) else None
                if block.language == "python" and (file := re.match(r"# (\w+\.py)\n", block.code)):
                    project.write(file[1], block.code)
                elif block.language == "python":
                    shown = is_shown(following)
                    printed, raised = self.run(block)
                    if raised and not shown:
                        raise raised[0]
                    report = "\n\n".join([printed.strip()] * bool(printed) + [reported(error) for error in raised])
                    case.assertEqual(following.code if shown else "", self.with_places_in(block, report))
                elif block.language == "text" and before is not None and before.code == "python -m unittest":
                    self.check_tests(case, project.run_tests(), block.code)
                elif block.language == "text":
                    if before is None or before.language != "python":
                        case.assertIn(block.code, self.checked_elsewhere)
                else:
                    case.assertEqual(block.language, "sh")
                    if block.code == "python -m unittest" and project.has_files and not is_shown(following):
                        case.fail("what the tests print is not shown")
            before = block

    def check_tests(self, case: unittest.TestCase, printed: str, shown: str) -> None:
        # Before Python 3.11, exceptions have no notes, so a refusal fails its test twice.
        if sys.version_info < (3, 11) and "FAILED" in shown:
            printed, shown = (text.splitlines()[-1].partition(" ")[0] for text in (printed, shown))
        case.assertEqual(shown, printed)

    def with_places_in(self, block: Block, report: str) -> str:
        report = re.sub(r"'Task-\d+'", "'Task-1'", report)
        report = re.sub(
            re.escape(self.filename) + r":(\d+)", lambda found: f"example.py:{int(found[1]) - block.line + 1}", report
        )
        return report.replace(os.path.join(os.path.dirname(self.filename), "cassettes"), "cassettes")

    def run(self, block: Block) -> tuple[str, list[BaseException]]:
        """Run a block; return what it prints, and what it or its tests raise."""
        # With the lines where they are in the file, tracebacks show them. What a block asserts is checked with -O, too.
        # What this module imports from __future__ does not count for readers, and so not here either.
        code = compile(
            "\n" * (block.line - 1) + block.code,
            self.filename,
            "exec",
            flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
            dont_inherit=True,
            optimize=0,
        )
        before = dict(self.names)
        result = Result()
        # What a block ignores, it ignores for itself.
        leaking = leaks_allowed() if "assert_no_leaks" in block.code else contextlib.nullcontext()
        with contextlib.redirect_stdout(io.StringIO()) as printed, warnings.catch_warnings(), leaking:
            try:
                if code.co_flags & inspect.CO_COROUTINE:
                    asyncio.run(self.run_with_session(code))
                else:
                    with aioresponses() as self.names["mock"]:
                        exec(code, self.names)
                for name, made in tuple(self.names.items()):
                    if before.get(name) is made:
                        continue
                    if inspect.isclass(made) and made.__module__ == "example" and issubclass(made, unittest.TestCase):
                        tests = unittest.defaultTestLoader.loadTestsFromTestCase(made)
                        if not tests.countTestCases() and not self.has_subclasses(name):
                            raise AssertionError(f"{name} has no tests")
                        tests.run(result)
                    elif name.startswith("test_") and callable(made):
                        returned = made()
                        if inspect.isawaitable(returned):
                            asyncio.run(returned)
            except Exception as error:
                result.raised.append(error)
        if result.skipped or result.unexpectedSuccesses:
            raise AssertionError("examples do not skip tests, nor succeed unexpectedly")
        return printed.getvalue(), result.raised

    def has_subclasses(self, name: str) -> bool:
        return any(re.search(rf"^class \w+\(.*\b{name}\b", block.code, re.MULTILINE) for block in self.blocks)

    async def run_with_session(self, code: Any) -> None:
        async with aiohttp.ClientSession() as session:
            with aioresponses() as mock:
                self.names.update(mock=mock, session=session)
                await eval(code, self.names)


@contextlib.contextmanager
def leaks_allowed() -> Iterator[None]:
    """Have aiohttp say nothing of what an example leaves behind to show it."""
    logger = logging.getLogger("asyncio")
    warnings.simplefilter("ignore", ResourceWarning)
    logger.disabled = True
    try:
        yield
        gc.collect()
    finally:
        logger.disabled = False


def reported(error: BaseException) -> str:
    """Return the end of a traceback, with the notes that are shown from Python 3.11 on."""
    name = type(error).__qualname__
    module = type(error).__module__
    lines = [f"{name if module == 'builtins' else f'{module}.{name}'}{f': {error}' if str(error) else ''}"]
    return "\n".join([*lines, *getattr(error, "__notes__", [])]).strip()


class DocsTest(unittest.TestCase):
    maxDiff = None

    def test_the_tables_of_contents_lead_to_every_page_once(self):
        found = [DOCS / "index.rst"]
        for path in found:
            text = path.read_text(encoding="utf-8")
            found += [path.parent / f"{name}.rst" for entries in toctrees_of(text) for name in entries]
        self.assertEqual(sorted(found), [path for path in PAGES if path is not README])

    def test_llms_txt_has_a_line_for_every_page(self):
        text = (DOCS / "llms.txt").read_text(encoding="utf-8")
        lines = re.findall(r"^- \[(.+)\]\((.+)\.html\): (.+)$", text, re.MULTILINE)
        self.assertEqual(len(lines), text.count("\n- "))
        listed = {DOCS / f"{page}.rst": title for title, page, _ in lines}
        self.assertEqual(sorted(listed), [path for path in PAGES if path not in (README, DOCS / "index.rst")])
        for path, title in listed.items():
            with self.subTest(page=path.name):
                self.assertEqual(title, title_of(path))

    def test_every_example_runs_and_prints_what_is_shown(self):
        environment = {name: value for name, value in os.environ.items() if name not in ("CI", "AIORESPONSES_RECORD")}
        patched = patch.dict(os.environ, environment, clear=True)
        patched.start()
        self.addCleanup(patched.stop)
        texts = {path: path.read_text(encoding="utf-8") for path in PAGES}
        for path, text in texts.items():
            shown_elsewhere = frozenset(
                second.code
                for other in texts
                if other is not path
                for first, second in zip(blocks_of(texts[other]), blocks_of(texts[other])[1:])
                if (first.language, second.language) == ("python", "text")
            )
            Page(text, str(path), shown_elsewhere).check(self)

    def test_every_page_can_be_read_as_plain_text(self):
        for path in PAGES:
            text = path.read_text(encoding="utf-8")
            with self.subTest(page=path.name):
                if path is not README:
                    self.assertEqual([line for line in text.splitlines() if len(line) > 120], [])
                self.assertEqual(re.findall(r"^.*[ \t]$", text, re.MULTILINE), [])
                directives = set(re.findall(r"^ *\.\. ([\w:-]+)::", text, re.MULTILINE))
                self.assertEqual(directives - {"code-block", "image", "list-table", *DIRECTIVES.get(path, ())}, set())
                if path not in REFERENCE:
                    self.assertEqual(re.findall(r"(?<!`):[a-z:]+:`", text), [])
                # Blocks that are indented otherwise would not be found, and so not run.
                self.assertEqual(text.count(".. code-block::"), len(blocks_of(text)))

    def test_links_lead_somewhere(self):
        for path in PAGES:
            text = path.read_text(encoding="utf-8")
            for target in re.findall(r"<([^<>\s]+)>`_", text):
                if "://" in target:
                    continue
                with self.subTest(page=path.name, target=target):
                    file, _, heading = target.partition("#")
                    linked = (path.parent / file).resolve() if file else path
                    self.assertTrue(linked.exists(), linked)
                    if heading:
                        titles = re.findall(r"^(.+)\n[=~-]{3,}$", linked.read_text(encoding="utf-8"), re.MULTILINE)
                        self.assertIn(heading, [re.sub(r"\W+", "-", title.lower()).strip("-") for title in titles])

    def test_the_messages_that_are_explained_are_those_of_the_package(self):
        said = [
            node.value
            for path in Path(package.__file__).parent.rglob("*.py")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        # What is put together of parts is shown as a whole where it is an example.
        texts = [path.read_text(encoding="utf-8") for path in PAGES]
        said += [block.code for text in texts for block in blocks_of(text) if block.language == "text"]
        messages = explained_messages()
        self.assertGreater(len(messages), 100)
        for message in messages:
            parts = [part.strip() for part in message.split("…")]
            with self.subTest(message=message):
                self.assertEqual([part for part in parts if not any(part in one for one in said)], [])

    def test_what_the_package_raises_is_explained(self):
        explained = [[part.strip() for part in message.split("…") if part.strip()] for message in explained_messages()]
        found = {
            text
            for path in Path(package.__file__).parent.rglob("*.py")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if (text := raised_by(node)) and not any(all(part in text for part in parts) for parts in explained)
        }
        self.assertEqual(found, NEED_NO_EXPLANATION)

    def test_timeouts_are_no_numbers(self):
        # aiohttp takes numbers until its release 4, and mocks never mean them. The far end of a WebSocket does.
        for path in PAGES:
            for call in ast.walk(ast.parse(examples_of(path))):
                if isinstance(call, ast.Call) and not hasattr(WebSocketConnection, getattr(call.func, "attr", "")):
                    for keyword in call.keywords:
                        if keyword.arg == "timeout" and isinstance(keyword.value, ast.Constant):
                            with self.subTest(page=path.name, line=ast.unparse(call)):
                                self.assertIn(repr(keyword.value.value), ("True", "None"))

    def test_commands_name_what_exists(self):
        for path in PAGES:
            text = path.read_text(encoding="utf-8")
            commands = [line for block in blocks_of(text) if block.language == "sh" for line in block.code.splitlines()]
            commands += re.findall(r"``((?:make|pip|python -m) [^`]+)``", text)
            for command in commands:
                with self.subTest(page=path.name, command=command):
                    self.check_command(command.partition("#")[0].split())

    def check_command(self, words: list[str]) -> None:
        if words[:1] == ["make"]:
            targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
            variables = re.findall(r"^(\w+) \?=", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
            for word in words[1:]:
                name, is_variable, _ = word.partition("=")
                self.assertIn(name, variables if is_variable else targets)
        elif words[:1] in (["mkdir"], ["cd"]) or words == ["python3", "-m", "venv", ".venv"]:
            self.assertLessEqual(len(words), 4)
        elif words[:1] == ["."]:
            self.assertEqual(words[1:], [".venv/bin/activate"])
        elif words[:2] == ["pip", "install"]:
            setup = ConfigParser()
            setup.read(ROOT / "setup.cfg", encoding="utf-8")
            name = setup["metadata"]["name"]
            # Without a bound, pip takes the release of 0.7 while that is the newest on the index.
            self.assertIn(words[2:], ([f'"{name}>={__version__[0]}"'], ["."]))
        elif words[:3] == ["python", "-m", "unittest"]:
            for word in words[3:]:
                self.assertTrue((ROOT / word.replace(".", "/")).with_suffix(".py").exists(), word)
        elif words[:4] == ["python", "-m", "aioresponses", "har"]:
            self.assertTrue(words[4].endswith(".har"))
            self.assertIn(words[5:6], ([], ["--url"]))
        elif words:
            self.fail(f"nothing here can tell whether this is right: {' '.join(words)}")

    def test_the_names_that_the_page_on_migrating_leads_to_exist(self):
        # Of each table in that page, the names in the second column.
        text = (DOCS / "migrating.rst").read_text(encoding="utf-8")
        tables = re.findall(r"^(=+ +)=+\n.+\n=.+\n((?:[^=].*\n)+)=", text, re.MULTILINE)
        self.assertEqual(len(tables), len(re.findall(r"^From .+\n---", text, re.MULTILINE)))
        names = " ".join(line[len(first):] for first, rows in tables for line in rows.splitlines())
        names = re.sub('"[^"]*"', '""', names)
        functions = (aioresponses, aioresponses.add, aioresponses.cassette, CallbackResult)
        arguments = {name for function in functions for name in inspect.signature(function).parameters}
        for pattern, known in (
            (r"\b(\w+)=(?!=)", arguments | {"url"}),
            (r"\b(assert[A-Z]\w+)\(", set(dir(AioResponsesTestCase))),
            (r"\bm(?:ock)?\.(\w+)", set(dir(aioresponses)) | {"requests"}),
            (r"\bcall\.(\w+)", set(dir(RequestCall))),
            (r"\bRequestMatch\.(\w+)", set(dir(RequestMatch)) | {"calls"}),
            (r"\bFault\.(\w+)", set(Fault.__members__)),
        ):
            found = set(re.findall(pattern, names))
            self.assertTrue(found, pattern)
            self.assertEqual(found - known, set())


class CompletenessTest(unittest.TestCase):
    """There is an example of everything."""

    def check_examples(self, page: str, wanted: set[str], pattern: str) -> None:
        code = examples_of(DOCS / page)
        self.assertEqual({name for name in wanted if not re.search(pattern.format(re.escape(name)), code)}, set())

    def test_there_is_an_example_of_every_assertion(self):
        own = {
            name
            for mixin in (CallCountAssertionsMixin, CallOrderAssertionsMixin, BodyAssertionsMixin)
            for name in vars(mixin)
            if name.startswith("assert")
        }
        self.assertGreater(len(own), 20)
        self.check_examples("assertions.rst", own, r"self\.{}\(")
        names = {name for name in vars(aioresponses) if name.startswith(("assert_", "call"))}
        self.check_examples("assertions.rst", names, r"mock\.{}\b")

    def test_there_is_an_example_of_every_condition(self):
        arguments = {name for name in inspect.signature(aioresponses.add).parameters if name.startswith("match")}
        self.assertEqual(len(arguments), 6)
        self.check_examples("matching.rst", arguments, r"\b{}=")
        self.check_examples("matching.rst", set(matchers.__all__), r"\b{}[(}})]")

    def test_there_is_an_example_of_every_argument_of_a_reply(self):
        arguments = {
            name for name in inspect.signature(aioresponses.add).parameters if not name.startswith("match")
        } - {"self", "url", "method", "optional"}
        self.check_examples("replies.rst", arguments, r"\b{}=")
        self.check_examples("replies.rst", set(Fault.__members__), r"Fault\.{}\b")

    def test_every_public_object_is_in_the_reference(self):
        # `make docs` looks for their members.
        text = "\n".join(path.read_text(encoding="utf-8") for path in REFERENCE)
        found = re.findall(r"^\.\. (?:auto|py:)(?:class|function|data|type):: (?:\w+\.)*(\w+)", text, re.MULTILINE)
        wanted = {name for module in (package, matchers, websockets, cassettes) for name in module.__all__}
        self.assertEqual(wanted - set(found), set())

    def test_every_argument_is_explained(self):
        for function, others in (
            (aioresponses.add, set()),
            (aioresponses.mount, set()),
            (aioresponses.cassette, set()),
            (aioresponses.websocket, {"conditions"}),
            (aioresponses, {"unknown"}),
            (CallbackResult, set()),
            (ServerSentEvent, set()),
        ):
            with self.subTest(function=function.__qualname__):
                entries = re.findall(r"^- (`\w+`(?:(?:, | and )`\w+`)*)", inspect.getdoc(function), re.MULTILINE)
                explained = {name for entry in entries for name in re.findall(r"\w+", entry)} - {"and"}
                self.assertEqual(set(inspect.signature(function).parameters) - {"self"} - others, explained)

    def test_there_is_an_example_of_every_attribute_of_the_test_case(self):
        names = set(AioResponsesTestCase.__annotations__) - {"mock", "clock"}
        attributes = {name for name in names if name[0] != "_"}
        self.assertEqual(len(attributes), 12)
        self.check_examples("testcase.rst", attributes, r"\b{} = ")


def page(*parts: tuple[str, str]) -> str:
    """Return a page with blocks of a language and some lines each."""
    return "\n".join(f".. code-block:: {language}\n\n{textwrap.indent(code, '    ')}\n" for language, code in parts)


FAILING_CASE = """\
from aioresponses import AioResponsesTestCase

class FailingTest(AioResponsesTestCase):
    def test(self):
        self.assertCalledOnce()
"""
REFUSED = """\
aiohttp.client_exceptions.ClientConnectionError: Connection refused: GET http://example.com/
aioresponses: no mock answers GET http://example.com/
No mocks are registered."""


PROJECT = """\
# test_client.py
import unittest

client = lambda: 1

class ClientTest(unittest.TestCase):
    def test(self):
        self.assertEqual(client(), 1)"""
PASSED = """\
.
----------------------------------------------------------------------
Ran 1 test in 0.000s

OK"""
FAILED = """\
F
======================================================================
FAIL: test (test_client.ClientTest.test)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/home/ada/project/test_client.py", line 8, in test
    self.assertEqual(client(), 1)
AssertionError: 2 != 1

----------------------------------------------------------------------
Ran 1 test in 0.000s

FAILED (failures=1)"""


class ChangeTest(unittest.TestCase):
    """A block that shows a part of a file changes that part."""

    CODE = """\
import asyncio

LIMIT = 1

class Client:
    def first(self):
        return 1

    def last(self):
        return 3

def main():
    Client()
"""

    def test_dots_stand_for_the_other_members_of_a_class(self):
        change = "class Client:\n    ...\n\n    def first(self):\n        # No more.\n        return None\n"
        self.assertEqual(
            changed(self.CODE, change), self.CODE.replace("        return 1", "        # No more.\n        return None")
        )

    def test_a_new_member_comes_last(self):
        self.assertEqual(
            changed(self.CODE, "class Client:\n    ...\n\n    def after(self): pass"),
            self.CODE.replace("        return 3\n", "        return 3\n\n    def after(self): pass\n"),
        )

    def test_what_has_no_dots_is_replaced(self):
        self.assertEqual(
            changed(self.CODE, "LIMIT = 2\n\nclass Client: pass\n\n@cached\ndef main():\n    pass"),
            "import asyncio\n\nLIMIT = 2\n\nclass Client: pass\n\n@cached\ndef main():\n    pass\n",
        )

    def test_what_is_new_comes_last_and_imports_first(self):
        self.assertEqual(
            changed(self.CODE, "import asyncio\nimport json\n\ndef more():\n    pass"),
            f"import json\n{self.CODE}\n\ndef more():\n    pass\n",
        )


class CheckTest(unittest.TestCase):
    """A page that does not say what is so is found out."""

    def check(self, *parts: tuple[str, str]) -> list[str]:
        """Return what is wrong with a page, each thing by the last line of its report."""
        class Case(unittest.TestCase):
            def runTest(self):
                Page(page(*parts)).check(self)

        result = Result()
        Case().run(result)
        return [reported(error).splitlines()[0] for error in result.raised]

    def test_blocks_that_are_right_pass(self):
        self.assertEqual(
            self.check(
                ("python", "seen = []\nmock.get('http://example.com/', body='x')\n"),
                ("python", "url = 'http://example.com/'\nmock.get(url)\nseen.append((await session.get(url)).status)"),
                ("python", "assert seen == [200]\ndef test_it():\n    seen.append(1)"),
                ("python", "assert seen == [200, 1]\nprint(seen)"),
                ("text", "[200, 1]"),
                ("python", FAILING_CASE),
                ("text", "AssertionError: Expected 1 call, but there were none.\nThere were no calls."),
                ("python", "await session.get('http://example.com/')"),
                ("text", REFUSED),
                ("python", "class Base(AioResponsesTestCase):\n    url = 'http://example.com/'"),
                ("python", "class DerivedTest(Base):\n    def test(self):\n        self.mock.get(self.url)"),
                ("sh", "make test"),
                ("python", PROJECT),
                ("sh", "python -m unittest"),
                ("text", PASSED),
                ("python", PROJECT.replace("lambda: 1", "lambda: 2")),
                ("sh", "python -m unittest"),
                ("text", FAILED),
            ),
            [],
        )

    def test_blocks_that_are_wrong_fail(self):
        for parts, wrong in (
            ([("python", "1 / 0")], "ZeroDivisionError: division by zero"),
            ([("python", "import asyncio\nawait asyncio.sleep(0)\nassert False, 'no'")], "AssertionError: no"),
            ([("python", "def test_it():\n    assert False, 'no'")], "AssertionError: no"),
            ([("python", "async def test_it():\n    assert False, 'no'")], "AssertionError: no"),
            ([("python", "print('more')")], "AssertionError: '' != 'more'"),
            ([("python", "def")], "SyntaxError: invalid syntax (<page>, line 3)"),
            ([("python", FAILING_CASE)], "AssertionError: Expected 1 call, but there were none."),
            (
                [("python", FAILING_CASE.replace("test", "nothing"))],
                "AssertionError: FailingTest has no tests",
            ),
            (
                [("python", "raise OSError('one')"), ("text", "OSError: two")],
                "AssertionError: 'OSError: two' != 'OSError: one'",
            ),
            ([("python", "pass"), ("text", "OSError: two")], "AssertionError: 'OSError: two' != ''"),
            ([("text", "OSError: two")], "AssertionError: 'OSError: two' not found in frozenset()"),
            ([("bash", "make")], "AssertionError: 'bash' != 'sh'"),
            (
                [("python", PROJECT), ("sh", "python -m unittest")],
                "AssertionError: what the tests print is not shown",
            ),
            (
                [("python", PROJECT), ("sh", "python -m unittest"), ("text", PASSED.replace("1 test", "2 tests"))],
                "AssertionError: '.\\n-[36 chars]---------------------------------\\nRan 2 tests in 0.000s\\n\\nOK' != "
                "'.\\n-[36 chars]---------------------------------\\nRan 1 test in 0.000s\\n\\nOK'",
            ),
        ):
            with self.subTest(parts=parts):
                self.assertEqual(self.check(*parts), [wrong])

    def test_commands_that_name_nothing_fail(self):
        docs = DocsTest()
        for command in (
            "make test AIOHTTP=3.9.5", 'pip install "aioresponses>=2"', "pip install .",
            "python -m unittest tests.test_docs",
        ):
            docs.check_command(command.split())
        for command in (
            "make tea", "make test TEA=1", "pip install tea", "pip install aioresponses", "pip install aioresponses>=2",
            "python -m unittest tests.test_tea", "tea",
        ):
            with self.subTest(command=command), self.assertRaises(AssertionError):
                docs.check_command(command.split())
