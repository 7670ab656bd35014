"""Compares this package with its rivals, with a real server, and with the least that aiohttp's client takes.

Run by `make bench`. It prints what it writes to RESULTS.rst. A missed limit is shown, and is no failure of the run.
"""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
import sys
import tempfile
from operator import truediv
from pathlib import Path
from statistics import median

from contestants import CONTESTANTS
from measures import GROUPS, Limit, Measure

HERE = Path(__file__).absolute().parent
ROOT = HERE.parent

RELEASES = ("3.13.5", "newest")

INTRODUCTION = """\
Benchmarks
==========

Written by ``make bench`` on {date}.

- Machine: {machine}
- Python: {python}

Every contestant answers the same requests, which aiohttp's client makes and reads, in a process of its own. The
processes take turns round by round, so that whatever else the machine does strikes all of them alike. Times are
medians over the rounds. Ratios are medians over the rounds as well, of the ratios within each; those to the floor stand
in brackets.

- ``floor``: a bare connection in memory, which answers each request with the same bytes.
- ``real server``: an ``aiohttp.test_utils.TestServer`` on loopback, in one more process and without an access log. It
  works on another core while the client does, so it is faster than one that shares the client's loop, or process.
- ``loopback``: an ``aiohttp.test_utils.TestServer`` in the process of the client, as in a test of an application.
- ``aiointercept``: with ``mock_external_urls=True``.
- This package keeps every response, as ``call.response``, which takes the memory and the garbage collector their time.
  Where all keep the responses, the floor does so, too.
- The memory of a call is the mean of 10,000, by ``tracemalloc``; the floor keeps the responses. A forgotten call is one
  that ``keep_calls=10`` has dropped.
- An empty test is one with its mock active and no request, less what an empty ``IsolatedAsyncioTestCase`` takes.
- What is recorded is a GET of a real server in one more process, within a cassette; writing the file is not timed.
- Each of the tests that back off makes four requests and sleeps three times in between.
- Imports are timed in new processes, with all modules compiled.
"""

# By the name of a measure and that of a contestant: the times of all rounds.
Times = dict[tuple[str, str], list[float]]


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


def made_environment(release: str) -> Path:
    """Make the virtual environment for a release of aiohttp, or bring it up to date; return where it is."""
    environment = ROOT / f".venv-bench-{release}"
    if not environment.exists():
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    aiohttp = "aiohttp" if release == "newest" else f"aiohttp=={release}"
    subprocess.run([*pip, "--upgrade", "--editable", ROOT, aiohttp, "packaging"], check=True)
    # A rival that cannot be had is left out, and the table says so.
    old = environment / "aioresponses 0.7.9"
    if not old.exists():
        subprocess.run([*pip, "--no-deps", "--target", old, "aioresponses==0.7.9"])
    subprocess.run([*pip, "--upgrade", "aiointercept", aiohttp])
    return environment


def played(environment: Path, group: list[Measure]) -> dict[tuple[str, str], Worker]:
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
    for number in range(max(measure.rounds for measure in group)):
        # The one that follows upon another in one round goes before it in the next.
        for worker in list(workers.values())[::1 if number % 2 else -1]:
            worker.play()
    for worker in workers.values():
        worker.close()
    return workers


def section(release: str) -> str:
    """Return the part of the results that is about one release of aiohttp."""
    environment = made_environment(release)
    workers: dict[tuple[str, str], Worker] = {}
    for group in GROUPS:
        print(f"aiohttp {release}: " + "; ".join(measure.name for measure in group), file=sys.stderr)
        workers.update(played(environment, group))
    times = {key: worker.times for key, worker in workers.items() if not worker.failure}
    rows = [["measure", *CONTESTANTS, "limit for this package", "it is", "met"]]
    for measure in [measure for group in GROUPS for measure in group]:
        cells = [cell(measure, contestant, times) for contestant in CONTESTANTS]
        name = measure.name
        for limit in measure.limits or [None]:
            rows.append([name, *cells, *(judged(measure, limit, times) if limit else ["", "", ""])])
            # A row for each limit; the times stand in the first.
            name, cells = "\\", [""] * len(cells)
    versions = subprocess.check_output([environment / "bin" / "python", "-c", VERSIONS], text=True).strip()
    title = f"aiohttp {release}"
    failures = {
        f"- {contestant}: {worker.failure}\n" for (_, contestant), worker in workers.items() if worker.failure
    }
    notes = "Not available here, or it does not run:\n\n" + "".join(sorted(failures)) if failures else ""
    return f"\n{title}\n{'-' * len(title)}\n\n{versions}\n\n{table(rows)}\n{notes}"


VERSIONS = """
from importlib.metadata import version
from importlib.util import find_spec
names = ["aiohttp", "yarl", "multidict", "aiointercept"]
print(*[f"{name} {version(name)}" for name in names if find_spec(name)], sep=", ")
"""


def cell(measure: Measure, contestant: str, times: Times) -> str:
    if contestant not in measure.contestants:
        return ""
    own, floor = times.get((measure.name, contestant)), times.get((measure.name, "floor"))
    if own is None:
        return "see below"
    return shown(median(own), measure) + (f" ({ratio(own, floor):.2f})" if floor is not None else "")


def judged(measure: Measure, limit: Limit, times: Times) -> list[str]:
    """Return a limit, where this package stands, and whether that is within it."""
    ours = times.get((measure.name, "this package"))
    if limit.of is None:
        asked = f"at most {shown(limit.most, measure)}"
        return [asked, "", "?"] if ours is None else [asked, shown(median(ours), measure), met(median(ours), limit)]
    asked = f"at most {limit.most:g} x {limit.of}{f' + {shown(limit.more, measure)}' if limit.more else ''}"
    other = times.get((measure.name, limit.of), times.get((limit.of, "this package")))
    if ours is None or other is None:
        return [asked, "", "?"]
    found = ratio([one - limit.more for one in ours], other)
    return [asked, f"{found:.3f} x", met(found, limit)]


def met(value: float, limit: Limit) -> str:
    return "yes" if value <= limit.most else "NO"


def ratio(times: list[float], others: list[float]) -> float:
    return median(map(truediv, times, others))


def shown(value: float, measure: Measure) -> str:
    if measure.in_bytes:
        return f"{value:,.0f} B"
    seconds = value
    return f"{seconds * 1e6:.1f} us" if abs(seconds) < 1e-3 else f"{seconds * 1e3:.2f} ms"


def table(rows: list[list[str]]) -> str:
    """Return a table in reStructuredText; the first row is its head."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    rule = "  ".join("=" * width for width in widths)
    head, *others = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([rule, head, rule, *others, rule, ""])


def machine() -> str:
    """Return what machine this is: its system, the model of its processor, and how many cores it has."""
    model = platform.processor()
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
    return f"{platform.platform()}, {model}, {os.cpu_count()} cores"


def main() -> None:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    results = INTRODUCTION.format(date=datetime.date.today(), machine=machine(), python=python)
    for release in RELEASES:
        results += section(release)
    (HERE / "RESULTS.rst").write_text(results)
    print(results)


if __name__ == "__main__":
    main()
