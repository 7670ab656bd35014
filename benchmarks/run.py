"""Compares this package with other mocks, with a real server, and with the least that aiohttp's client takes.

Run by `make bench`. It prints the results; a whole run writes them to RESULTS.rst, and a picture of some of them to
docs/_static/benchmarks.svg. A missed limit is a failure of the run only if rows.py gives no reason for it, and the
noise does not reach the limit.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import runpy
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

from results import Played, rows_of, table
from rows import GROUPS, Measure

HERE = Path(__file__).absolute().parent
ROOT = HERE.parent
RESULTS = HERE / "RESULTS.rst"
PICTURE = ROOT / "docs" / "_static" / "benchmarks.svg"

PYTHONS = ("3.11", "3.13")
RELEASES = ("3.13.5", "newest")
# Where all contestants run.
SHOWN = "CPython 3.13, aiohttp 3.13.5"

# How long a group of measures plays, and how many rounds at least.
SECONDS = 5.0
ROUNDS = 5

INTRODUCTION = """\
Benchmarks
==========

Written by ``make bench`` on {date}, on {machine}.

.. image:: ../docs/_static/benchmarks.svg
   :alt: Bars of what a GET, 1,000 at once, an empty test and a suite of 100 tests take with each tool: see the tables.

Every contestant answers the same requests, which aiohttp's client makes and reads, in a process of its own. The
processes take turns round by round, so that whatever else the machine does strikes all of them alike. Times are
medians over the rounds. Ratios are medians over the rounds as well, of the ratios within each; those to the floor stand
in brackets. What stands behind ± says how far from it the median of other rounds may lie, nineteen times out of twenty.
A number in brackets behind ``NO`` or a dash leads to the reason, below the table.

- ``floor``: a bare connection in memory, which answers each request with the same bytes. Like this package, which has
  them as ``call.response``, it keeps all responses, for that takes the memory and the garbage collector their time.
- ``real server``: an ``aiohttp.test_utils.TestServer`` on loopback, in one more process and without an access log. It
  works on another core while the client does, so it is faster than one that shares the client's loop, or process.
- ``loopback``: an ``aiohttp.test_utils.TestServer`` in the process of the client and on its loop, as in most tests.
- ``aiointercept``: with ``mock_external_urls=True``.
- The memory of a call is the mean of 1,000, by ``tracemalloc``; that of a forgotten one, which ``keep_calls=10``
  has dropped, the mean of 10,000.
- An empty test is one with its mock active, or its server running, and no request, less what an empty
  ``IsolatedAsyncioTestCase`` takes. A ``TextTestRunner`` runs both.
- What is recorded is a GET of a real server in one more process, within a cassette; writing the file is not timed.
- Each of the tests that back off makes four requests and sleeps three times in between.
- Imported is what a test needs, in new processes that have unittest and aiohttp already. Here and for the suite, all
  modules are compiled.
- The suite of 100 tests is in ``benchmarks/suite``: the same tests of the same client with each tool. Timed is a whole
  run of ``python -m unittest``, from the start of the process to its end, as users wait for it.
"""

VERSIONS = """
import platform
from importlib.metadata import version
from importlib.util import find_spec
names = ["aiohttp", "yarl", "multidict", "aiointercept"]
installed = [f"{name} {version(name)}" for name in names if find_spec(name)]
print("CPython", platform.python_version() + ",", ", ".join(installed))
"""


class Worker:
    """A contestant in a process of its own, where it plays one measure."""

    def __init__(self, environment: Path, measure: str, contestant: str) -> None:
        variables = {**os.environ, "PYTHONHASHSEED": "0"}
        if contestant == "aioresponses 0.7.9":
            # By the same name, this package would be found otherwise.
            variables["PYTHONPATH"] = str(environment / contestant)
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [environment / "bin" / "python", HERE / "worker.py", contestant, measure], cwd=HERE, env=variables,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
        )
        self.times: list[float] = []
        self.failure = ""

    def play(self) -> None:
        """Play one round, if all went well so far."""
        self.ask()
        self.hear()

    def ask(self) -> None:
        if not self.failure:
            print(file=self._process.stdin, flush=True)

    def hear(self) -> None:
        line = "" if self.failure else self._process.stdout.readline()
        if line:
            self.times.append(float(line))
        elif not self.failure:
            self._errors.seek(0)
            self.failure = (self._errors.read().splitlines() or ["ended without a word"])[-1]

    def close(self) -> None:
        self._process.communicate()
        self._errors.close()


def made_environment(python: str, version: str, release: str) -> Path:
    """Make the virtual environment for a Python and a release of aiohttp, or bring it up to date; return its path."""
    environment = ROOT / f".venv-bench-{version}-{release}"
    if not environment.exists():
        subprocess.run([python, "-m", "venv", environment], check=True)
    pip = [environment / "bin" / "python", "-m", "pip", "--quiet", "--quiet", "--disable-pip-version-check", "install"]
    aiohttp = "aiohttp" if release == "newest" else f"aiohttp=={release}"
    subprocess.run([*pip, "--upgrade", "--editable", ROOT, aiohttp, "packaging"], check=True)
    # A rival that cannot be had is left out, and the table says so.
    old = environment / "aioresponses 0.7.9"
    if not old.exists():
        subprocess.run([*pip, "--no-deps", "--target", old, "aioresponses==0.7.9"])
    subprocess.run([*pip, "--upgrade", "aiointercept", aiohttp])
    return environment


def play(environment: Path, group: list[Measure], seconds: float, played: Played) -> None:
    """Have the contestants play the measures of a group, in turns."""
    workers = {
        (measure.name, contestant): Worker(environment, measure.name, contestant)
        for measure in group for contestant in measure.contestants
    }
    # The first round makes everybody warm, and does not count; all may get ready at the same time.
    for worker in workers.values():
        worker.ask()
    for worker in workers.values():
        worker.hear()
        worker.times.clear()
    number, started = 0, time.monotonic()
    while number < ROUNDS or time.monotonic() - started < seconds:
        # The one that follows upon another in one round goes before it in the next.
        for worker in list(workers.values())[::1 if number % 2 else -1]:
            worker.play()
        number += 1
    for key, worker in workers.items():
        worker.close()
        if worker.failure:
            played.failures[key] = worker.failure
        else:
            played.times[key] = worker.times


def machine() -> str:
    """Return what machine this is: its system, the model of its processor, and how many cores it has."""
    model = platform.processor()
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
    return f"{platform.platform()}, {model}, {os.cpu_count()} cores"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="", help="only the groups of rows that have this text in a name")
    parser.add_argument("--python", choices=PYTHONS, help="only this Python")
    parser.add_argument("--aiohttp", choices=RELEASES, help="only this release of aiohttp")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long a group plays (%(default)s)")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    groups = [group for group in GROUPS if any(options.rows in measure.name for measure in group)]
    pythons = runpy.run_path(str(ROOT / ".ci" / "matrix.py"))["found_pythons"]()
    results = INTRODUCTION.format(date=datetime.date.today(), machine=machine())
    to_mend: list[str] = []
    # By what stands in their titles.
    all_played: dict[str, Played] = {}
    for version, release in product(PYTHONS, RELEASES):
        if options.python not in (None, version) or options.aiohttp not in (None, release):
            continue
        title = f"CPython {version}, aiohttp {release}"
        results += f"\n\n{title}\n{'-' * len(title)}\n\n"
        if version not in pythons:
            results += f"There is no CPython {version} on this machine.\n"
            continue
        environment = made_environment(pythons[version], version, release)
        played = all_played[title] = Played()
        for group in groups:
            print(f"{title}: " + "; ".join(measure.name for measure in group), file=sys.stderr)
            play(environment, group, options.seconds, played)
        rows, notes, missed = rows_of(played, [measure for group in groups for measure in group])
        to_mend += [f"{title}: {one}" for one in missed]
        versions = subprocess.check_output([environment / "bin" / "python", "-c", VERSIONS], text=True)
        results += f"{versions}\n{table(rows)}\n{notes}\n"
    print(results)
    if all_played and not (options.rows or options.python or options.aiohttp):
        # A part is not drawn, and needs nothing that draws.
        from picture import draw

        RESULTS.write_text(results, encoding="utf-8")
        title = SHOWN if SHOWN in all_played else next(iter(all_played))
        draw(all_played[title], f"{title}; {datetime.date.today()}", PICTURE)
    if to_mend:
        print("Mend what fails; see why a limit is missed, and say so in benchmarks/rows.py:", *to_mend, sep="\n- ")
    return bool(to_mend)


if __name__ == "__main__":
    sys.exit(main())
