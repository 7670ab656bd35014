"""The projects that pages build step by step: their files, and what `python -m unittest` prints in their folder."""

from __future__ import annotations

import ast
import importlib
import io
import re
import sys
import tempfile
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Where the project lies in what pages show.
SHOWN_FOLDER = "/home/ada/project"


class Project:
    """The files of a page, in a folder of their own."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory()
        # As tracebacks show it.
        self._folder = Path(self._directory.name).resolve()

    @property
    def has_files(self) -> bool:
        return any(self._folder.iterdir())

    def close(self) -> None:
        self._directory.cleanup()

    def write(self, name: str, code: str) -> None:
        """Write a file, or change the one that there is as `changed` says."""
        path = self._folder / name
        path.write_text(changed(path.read_text(encoding="utf-8"), code) if path.exists() else code, encoding="utf-8")

    def run_tests(self) -> str:
        """Return what the tests print, without frames of other files, and with times as 0.000s."""
        printed = io.StringIO()
        with importing_from(self._folder):
            tests = unittest.TestLoader().discover(str(self._folder), top_level_dir=str(self._folder))
            unittest.TextTestRunner(stream=printed).run(tests)
        # From Python 3.11 on, lines of ^ say which part of a line is meant, in each release in another way.
        lines = [line for line in printed.getvalue().splitlines() if not re.fullmatch(r" +[~^]+", line)]
        text = "\n".join(self._own_frames(lines)).replace(str(self._folder), SHOWN_FOLDER)
        # From Python 3.15 on, a traceback that would have frames of unittest alone is left out.
        text = re.sub(r"^Traceback .+\n  \.\.\.\n(?! )", "", text, flags=re.MULTILINE)
        return re.sub(r"(?<=^Ran )(.+) in \d+\.\d+s$", r"\1 in 0.000s", text, flags=re.MULTILINE).strip()

    def _own_frames(self, lines: list[str]) -> Iterator[str]:
        """Give the lines; one of three dots stands for the frames of other files that follow each other."""
        kept = True
        for line in lines:
            if found := re.match(r'  File "(.+)", line \d+', line):
                left_out, kept = not kept, found[1].startswith(str(self._folder))
                if not kept and not left_out:
                    yield "  ..."
            elif not line.startswith("    "):
                kept = True
            if kept:
                yield line


@contextmanager
def importing_from(folder: Path) -> Iterator[None]:
    """Have the modules in a folder be importable, and forget them afterwards."""
    paths, writes_bytecode = sys.path[:], sys.dont_write_bytecode
    # Files are changed within a second, which compiled ones do not tell apart.
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:], sys.dont_write_bytecode = paths, writes_bytecode
        for name, module in tuple(sys.modules.items()):
            if str(getattr(module, "__file__", None) or "").startswith(str(folder)):
                del sys.modules[name]


def changed(code: str, change: str) -> str:
    """Return code with a change as pages show it.

    What the change defines takes the place of what has that name, and is added at the end otherwise. Of a class whose
    body has a line `...`, the members are changed like that, and the others stay. Missing imports are added on top.
    """
    lines = change.splitlines()
    for node in ast.parse(change).body:
        text = "\n".join(lines[first_line(node) - 1:node.end_lineno])
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            code = code if text in code.splitlines() else f"{text}\n{code}"
            continue
        found = named(ast.parse(code).body, node)
        if isinstance(node, ast.ClassDef) and isinstance(found, ast.ClassDef) and any(map(is_dots, node.body)):
            for member in node.body:
                if not is_dots(member):
                    text = "\n".join(lines[first_line(member) - 1:member.end_lineno])
                    # The class has moved with each change.
                    [inside] = (each for each in ast.parse(code).body if getattr(each, "name", None) == node.name)
                    code = put(code, named(inside.body, member), text, inside.end_lineno, "\n")
        else:
            code = put(code, found, text, len(code.splitlines()), "\n\n")
    return code


def put(code: str, found: ast.stmt | None, text: str, last: int, gap: str) -> str:
    """Return code with a text in place of a statement, or else after a line and a gap."""
    lines = code.splitlines()
    if found is None:
        lines[last:last] = (gap + text).split("\n")
    else:
        lines[first_line(found) - 1:found.end_lineno] = text.split("\n")
    return "\n".join(lines) + "\n"


def named(body: list[ast.stmt], node: ast.stmt) -> ast.stmt | None:
    """Return what defines in a body the same name as a statement does."""
    return next((each for each in body if name_of(each) is not None and name_of(each) == name_of(node)), None)


def name_of(node: ast.stmt) -> str | None:
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0])
    return getattr(node, "name", None)


def first_line(node: ast.stmt) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])


def is_dots(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is Ellipsis
