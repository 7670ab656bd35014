"""Tests each client in each way, right and with a mistake, and prints what came out: the evidence of docs/compared.rst.

Run by `make compared`. A way of testing shows a mistake if its test passes with the right client, and fails with the
wrong one. The environments are kept in .venv-compared.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WHERE = ROOT / ".venv-compared"

RELEASES = ("3.13.5", "3.14.5")
# A test that takes longer hangs: all that is waited for has ended after five seconds.
LIMIT = 15

TESTS = ("redirects", "timeouts", "races", "websockets", "virtual_time")
# By the name of a program: what it tests with, and what that needs. 0.7.9 has the name of this package.
WAYS = {
    "with_this_package": ("this package", str(ROOT)),
    "with_079": ("aioresponses 0.7.9", "aioresponses==0.7.9"),
    "with_aiointercept": ("aiointercept 1.0.0", "aiointercept==1.0.0"),
    "with_test_server": ("a TestServer", ""),
    "by_hand": ("by hand", ""),
}


def main() -> None:
    for release in RELEASES:
        print(f"aiohttp {release}")
        for test in TESTS:
            for program, (way, needs) in WAYS.items():
                python = environment(release, needs)
                right, took = outcome(python, program, test, "right")
                wrong, _ = outcome(python, program, test, "wrong")
                shown = "shown" if right == "passes" and wrong not in ("passes", "hangs") else "NOT shown"
                print(f"  {test}, {way}: {shown}, {took:.1f} s\n    right: {right}\n    wrong: {wrong}", flush=True)


def environment(release: str, needs: str) -> Path:
    """Return the Python of an environment with a release of aiohttp and what a way of testing needs."""
    path = WHERE / f"{release}-{'this-package' if needs == str(ROOT) else needs or 'alone'}"
    python = path / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", path], check=True)
        packages = ["--editable", needs] if needs == str(ROOT) else [needs] * bool(needs)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                        f"aiohttp=={release}", *packages], check=True)
    return python


def outcome(python: Path, program: str, test: str, client: str) -> tuple[str, float]:
    """Return how a test ends with the right or the wrong client, and after how many seconds."""
    command = [python, f"{program}.py", f"ComparedTest.test_{test}"]
    begin = time.perf_counter()
    try:
        result = subprocess.run(command, cwd=HERE, env={**os.environ, "CLIENT": client}, capture_output=True, text=True,
                                timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return "hangs", time.perf_counter() - begin
    took = re.search(r"^Ran 1 test in (.+)s$", result.stderr, re.MULTILINE)
    if took is None:
        sys.exit(f"{command}\n{result.stderr}")
    # The first of several that lead to each other is what the client met.
    error = re.search(r"^(?!.*Cancelled)[\w.]*Error\b.*", result.stderr, re.MULTILINE)
    return ("passes" if result.returncode == 0 else error[0], float(took[1]))


if __name__ == "__main__":
    main()
