"""Runs the tests of projects on PyPI that use aioresponses, with release 0.7.9 and with this package in its place.

Prints a line for each project: how many of its tests pass with 0.7.9, and how many of those with this package. Below it
stand the tests that are lost, each with the reason that LOSSES gives; or with how it fails, if LOSSES gives none or has
it fail in another way. The exit status is 1 if LOSSES does not explain a loss, if a test that it explains is not lost,
or if less than 99.5 % of all tests pass. With --only NAME, only the projects whose name contains NAME are run, whatever
their share.

Everything is kept in .venv-real. A project's environment is made anew when its entry here has changed; what pytest
wrote is there too, in 0.7.9.log and this-package.log.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from matrix import found_pythons

ROOT = Path(__file__).resolve().parent.parent
WHERE = ROOT / ".venv-real"
# The pinned releases go with this one.
PYTHON = "3.13"
ENOUGH = 0.995

# For the fixture `aioresponses`, users of 0.7.9 have a package of its own.
OLD = ("aioresponses==0.7.9", "pytest-aioresponses==0.3.0")
PYTEST = ("pytest==9.0.2", "pytest-asyncio==1.3.0", "yarl==1.25.1")


@dataclass(frozen=True)
class Suite:
    """The tests in a project's source distribution, and what they need beside the project's own requirements."""

    project: str
    version: str
    tests: tuple[str, ...]
    needs: tuple[str, ...] = ()
    # The newest one that 0.7.9 works on, unless the suite makes it work on a newer one.
    aiohttp: str = "3.13.5"


# All have a permissive licence (MIT; google-auth: Apache 2.0).
SUITES = [
    # Wraps RequestMatch.__init__, for a `response_class` that can be made on aiohttp 3.14.
    Suite("google-auth", "2.63.0", ("tests/transport/aio",),
          ("cryptography==50.0.2", "freezegun==1.5.5", "mock==5.2.0", "pyOpenSSL==26.4.0", "requests==2.34.2"),
          aiohttp="3.14.5"),
    # Wraps aiohttp's ClientResponse.__init__, for the same reason.
    Suite("aioafero", "9.3.0",
          ("tests/v1/test_auth.py", "tests/v1/test___init__.py", "tests/v1/controllers/test_base.py"),
          ("beautifulsoup4==4.15.0", "pytest-mock==3.17.0", "securelogging==1.0.1"), aiohttp="3.14.5"),
    Suite("aiotapioca-wrapper", "4.3.0", ("tests",), ("pydantic==2.14.4", "xmltodict==1.0.4")),
    Suite("habiticalib", "0.4.7", ("tests",), ("mashumaro==3.20", "orjson==3.13.0", "pillow==13.0.0", "syrupy==5.1.0")),
    # Subclasses aioresponses, and overrides its `_request_mock`.
    Suite("mypyllant", "0.9.18", ("src/myPyllant/tests",),
          ("country_list==1.1.0", "freezegun==1.5.5", "pydantic==2.14.4", "pytest-mock==3.17.0", "pyyaml==6.0.4",
           "requests==2.34.2")),
    Suite("myskoda", "2.17.2", ("tests",),
          ("aiomqtt==2.5.1", "asyncclick==8.4.2.1", "coloredlogs==15.0.1", "firebase-messaging==0.4.5",
           "mashumaro==3.23", "orjson==3.13.0", "pygments==2.21.0", "python-dateutil==4.0.0", "termcolor==3.3.0")),
    Suite("pysma", "0.7.5", ("tests",), ("jmespath==1.1.0",)),
    # The other modules ask the exchange itself.
    Suite("python-binance", "1.0.37", ("tests/test_ids.py", "tests/test_headers.py"),
          ("dateparser==1.5.0", "pytest-timeout==2.4.0", "requests-mock==1.12.1", "websockets==17.4")),
]

NO_LENGTH = (
    "AssertionError: assert {'Content-Len",
    "it allows no header but Content-Type; a server says where its body ends, here with Content-Length",
)

# The tests that only 0.7.9 passes, by project and name: how they fail, and why, which is what aiohttp does with a real
# server.
LOSSES: dict[tuple[str, str], tuple[str, str]] = {
    ("google-auth", "tests.transport.aio.test_aiohttp.TestRequest.test_request_call_success"): NO_LENGTH,
    (
        "google-auth",
        "tests.transport.aio.test_aiohttp.TestRequest.test_request_call_success_with_provided_session",
    ): NO_LENGTH,
    (
        "google-auth",
        "tests.transport.aio.test_sessions.TestAsyncAuthorizedSession.test_request_default_auth_request_success",
    ): NO_LENGTH,
    (
        "aiotapioca-wrapper",
        "tests.test_client.TestTapiocaClientExecutorIteratorFeatures.test_pages_iterator_with_error_on_single_page",
    ): (
        "TypeError: 'NoneType' object is not subscriptable",
        "it reads the body of a 204; aiohttp's client reads none, and its server sends none",
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="NAME", default="", help="run the projects whose name contains this")
    only = parser.parse_args().only
    suites = [suite for suite in SUITES if only in suite.project]
    if not suites:
        parser.error(f"no project's name contains {only!r}; there are {', '.join(suite.project for suite in SUITES)}")
    if PYTHON not in (pythons := found_pythons()):
        sys.exit(f"CPython {PYTHON} is not found on this machine; the releases in SUITES are pinned for it")
    environments = [environment(suite, pythons[PYTHON]) for suite in suites]
    old = installed(environments[0], "0.7.9", *OLD)
    # Modules that lie there from an earlier build would be installed as well.
    shutil.rmtree(ROOT / "build", ignore_errors=True)
    new = installed(environments[0], "this-package", ROOT)
    before = after = 0
    wrong = False
    for suite, path in zip(suites, environments):
        expected, _ = run(suite, path, old)
        passed, failures = run(suite, path, new)
        lost = sorted(expected - passed)
        print(f"{suite.project} {suite.version}, aiohttp {suite.aiohttp}: {len(expected)} tests pass with 0.7.9, "
              f"{len(expected) - len(lost)} of them with this package", flush=True)
        for name in lost:
            failure = failures.get(name, "it did not run")
            known, reason = LOSSES.get((suite.project, name), ("", ""))
            explained = bool(reason) and failure.startswith(known)
            wrong = wrong or not explained
            print(f"    {name}: {reason if explained else f'LOST: {failure}'}", flush=True)
        for project, name in LOSSES:
            if project == suite.project and name not in lost:
                wrong = True
                print(f"    {name}: is not lost, so remove it from LOSSES")
        wrong = wrong or not expected
        before += len(expected)
        after += len(expected) - len(lost)
    print(f"{before} tests pass with 0.7.9, {after} of them with this package ({after / (before or 1):.2%})")
    return int(wrong or (not only and after < ENOUGH * before))


def environment(suite: Suite, interpreter: str) -> Path:
    """Return an environment with the project and what its tests need, and with its source beside them."""
    path = WHERE / suite.project
    done = path / "installed"
    entry = repr((PYTHON, PYTEST, suite))
    if not done.exists() or done.read_text() != entry:
        shutil.rmtree(path, ignore_errors=True)
        check([interpreter, "-m", "venv", path])
        pip(path, "download", "--no-deps", "--no-binary", suite.project, "--dest", path / "sdist",
            f"{suite.project}=={suite.version}")
        [sdist] = (path / "sdist").iterdir()
        with tarfile.open(sdist) as archive:
            archive.extractall(path / "source", filter="data")
        pip(path, "install", sdist, f"aiohttp=={suite.aiohttp}", *PYTEST, *suite.needs)
        done.write_text(entry)
    return path


def installed(environment: Path, name: str, *wanted: str | Path) -> Path:
    """Return a directory with these packages, and with nothing that they require."""
    path = WHERE / name
    shutil.rmtree(path, ignore_errors=True)
    pip(environment, "install", "--no-deps", "--target", path, *wanted)
    return path


def run(suite: Suite, path: Path, packages: Path) -> tuple[set[str], dict[str, str]]:
    """Run the suite with these packages; return the names of the tests that pass, and how the others fail."""
    report = path / f"{packages.name}.xml"
    report.unlink(missing_ok=True)
    [source] = (path / "source").iterdir()
    # Some projects have pytest measure coverage, or run on several processes.
    pytest = ["-m", "pytest", "-o", "addopts=", "-p", "no:cacheprovider", f"--junitxml={report}", *suite.tests]
    result = subprocess.run([path / "bin/python", *pytest], cwd=source, capture_output=True, text=True,
                            env={**os.environ, "PYTHONPATH": str(packages)})
    report.with_suffix(".log").write_text(result.stdout + result.stderr)
    passed: set[str] = set()
    failures: dict[str, str] = {}
    # There is no report where pytest fails before it collects the tests.
    for case in ElementTree.parse(report).iter("testcase") if report.exists() else ():
        name = f"{case.get('classname')}.{case.get('name')}"
        if (outcome := next((child for child in case if child.tag in ("failure", "error", "skipped")), None)) is None:
            passed.add(name)
        else:
            failures[name] = outcome.get("message", "").partition("\n")[0]
    return passed - failures.keys(), failures


def pip(environment: Path, *arguments: str | Path) -> None:
    check([environment / "bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments])


def check(command: list[str | Path]) -> None:
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{result.stdout}{result.stderr}")


if __name__ == "__main__":
    sys.exit(main())
