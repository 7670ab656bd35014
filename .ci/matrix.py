"""Runs the test suite on every supported aiohttp and on every CPython that is found, each in an environment of its own.

Prints a line for each: passed, failed, or skipped, which is only what cannot be installed, with pip's reason. The exit
status says whether something failed. With --few, the oldest aiohttp, one in between and the newest run on the default
Python, and the newest on every other; without, all of them on all, the newest once more on uvloop and with all that
aiohttp uses if it is there, and the oldest with what was released beside it.

An environment is kept in .venv-matrix-*, and made anew when setup.cfg has changed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
NEWEST = "newest"
AIOHTTPS = ["3.8.6", "3.9.5", "3.10.11", "3.11.18", "3.12.15", "3.13.5", NEWEST]
FEW_AIOHTTPS = ["3.8.6", "3.13.5", NEWEST]

# What is installed beside aiohttp, by the name of the line. `Brotli` is what `speedups` bring on CPython.
EXTRAS = {
    "uvloop": ["uvloop"],
    "speedups": ["aiohttp[speedups]", "Brotli", "backports.zstd", "dirty-equals"],
    "of 2022": ["yarl==1.8.2", "multidict==6.0.4"],
}
# Those that there were at the time.
PYTHONS_OF_2022 = ["3.10", "3.11"]

# The policy is how the loops of IsolatedAsyncioTestCase are chosen on every Python that uvloop is made for.
ON_UVLOOP = """
import asyncio, inspect, sys, unittest, uvloop
from tests.test_docs import Page
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

# Virtual time is refused on loops that are not asyncio's own: neither the modules that name it run, nor the pages whose
# code does.
def in_virtual_time(code):
    return "VirtualClock" in code or "virtual_time" in code

def tests_of(suite):
    for one in suite:
        yield from tests_of(one) if isinstance(one, unittest.TestSuite) else [one]

def check(page, case):
    if not any(in_virtual_time(block.code) for block in page.blocks):
        check_any(page, case)

check_any, Page.check = Page.check, check
tests = [
    test for test in tests_of(unittest.defaultTestLoader.discover("."))
    if not in_virtual_time(inspect.getsource(sys.modules[type(test).__module__]))
]
result = unittest.TextTestRunner(verbosity=2).run(unittest.TestSuite(tests))
sys.exit(not result.wasSuccessful())
"""


class CannotInstall(Exception):
    """What a line is skipped for."""


def found_pythons() -> dict[str, str]:
    """Return the command of each CPython that is found, by its version; the default one first."""
    candidates = [sys.executable]
    candidates += [path for version in PYTHONS if (path := shutil.which(f"python{version}"))]
    candidates += sorted(map(str, Path.home().glob(".pyenv/versions/3.*/bin/python")))
    found: dict[str, str] = {}
    for candidate in candidates:
        # A shim of pyenv may stand for nothing.
        asked = "import platform; print(platform.python_implementation(), *platform.python_version_tuple()[:2])"
        answer = subprocess.run([candidate, "-c", asked], capture_output=True, text=True).stdout.split()
        if len(answer) == 3 and answer[0] == "CPython" and (version := ".".join(answer[1:])) in PYTHONS:
            found.setdefault(version, candidate)
    return found


def environment(version: str, python: str, aiohttp: str, extra: str | None = None) -> Path:
    """Return the Python of an environment with this aiohttp in it, and with the package."""
    path = ROOT / f".venv-matrix-{version}-{aiohttp}{f'-{extra}' if extra else ''}".replace(" ", "-")
    done = path / "installed"
    if not done.exists() or done.stat().st_mtime < (ROOT / "setup.cfg").stat().st_mtime:
        shutil.rmtree(path, ignore_errors=True)
        subprocess.run([python, "-m", "venv", path], check=True)
        wanted = "aiohttp" if aiohttp == NEWEST else f"aiohttp=={aiohttp}"
        pip = [path / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        result = subprocess.run([*pip, "--editable", ROOT, wanted, *EXTRAS.get(extra or "", [])],
                                capture_output=True, text=True)
        if result.returncode:
            errors = [line for line in result.stderr.splitlines() if "error" in line.lower()] or [result.stderr.strip()]
            shutil.rmtree(path)
            raise CannotInstall(f"pip cannot install it: {errors[-1].strip()}")
        done.touch()
    return path / "bin/python"


def run(python: Path, on_uvloop: bool = False) -> tuple[bool, str]:
    """Run the suite; return whether it passed, and what is to be said of it."""
    command = ["-c", ON_UVLOOP, "-v"] if on_uvloop else ["-m", "unittest", "-v"]
    result = subprocess.run([python, "-W", "error", *command], cwd=ROOT, capture_output=True, text=True)
    ran = re.search(r"^Ran (\d+) tests? in ", result.stderr, re.MULTILINE)
    skipped = Counter(re.findall(r" \.\.\. skipped ['\"](.*)['\"]$", result.stderr, re.MULTILINE))
    told = f"{ran[1] if ran else 'no'} tests" + "".join(f", {count} skipped: {why}" for why, count in skipped.items())
    if result.returncode:
        print(result.stderr, file=sys.stderr)
        return False, f"failed ({told}; {result.stderr.splitlines()[-1] if result.stderr else 'no output'})"
    return True, f"passed ({told})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--few", action="store_true", help="what every change must pass")
    few = parser.parse_args().few
    pythons = found_pythons()
    default = next(iter(pythons))
    jobs: list[tuple[str, str, str | None]] = []
    for version in sorted(pythons, key=lambda version: (version != default, PYTHONS.index(version))):
        wanted = AIOHTTPS if not few else FEW_AIOHTTPS if version == default else [NEWEST]
        jobs += [(version, aiohttp, None) for aiohttp in wanted]
    if not few:
        jobs += [(default, NEWEST, "uvloop"), (default, NEWEST, "speedups")]
        jobs += [(version, AIOHTTPS[0], "of 2022") for version in PYTHONS_OF_2022 if version in pythons]
    missing = [version for version in PYTHONS if version not in pythons]
    if missing:
        print(f"CPython {', '.join(missing)}: not found on this machine")
    failed = False
    for version, aiohttp, extra in jobs:
        try:
            passed, told = run(environment(version, pythons[version], aiohttp, extra), on_uvloop=extra == "uvloop")
        except CannotInstall as error:
            passed, told = True, f"skipped ({error})"
        failed = failed or not passed
        print(f"CPython {version}, aiohttp {aiohttp}{f', {extra}' if extra else ''}: {told}", flush=True)
    return int(failed)


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    sys.exit(main())
