"""Run random exchanges with a server and with the mock, and print where a client could tell them apart."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import gc
import itertools
import math
import random
import sys
from collections.abc import Iterable, Sequence
from time import monotonic

import aiohttp

from .chance import drawn
from .exchanges import Case
from .playing import with_mock, with_server
from .server import Server

# What a server shows on any of so many occasions, a mock may show.
OCCASIONS = 3


async def difference(case: Case, server: Server) -> list[str]:
    """Return a unified diff of what there is to observe with the server and with the mock; nothing if it is equal."""
    mocked = await with_mock(case, server.host)
    for _ in range(OCCASIONS):
        real = await with_server(case, server)
        if mocked == real:
            return []
    return list(difflib.unified_diff(real, mocked, "a server", "the mock", lineterm=""))


def report(case: Case, diff: Iterable[str]) -> str:
    """Describe a difference: the case, both outcomes, and how to repeat it."""
    again = f"To repeat it: python -m tests.fuzz --seed {case.seed} --case {case.number}"
    return "\n".join([f"Case {case.number} of seed {case.seed} differs.", "", str(case), "", *diff, "", again, ""])


async def run(seed: str, numbers: Iterable[int], seconds: float = math.inf) -> int:
    """Run the cases of these numbers until the time is up, and print what differs; return how many did."""
    server = Server()
    await server.start()
    # What is there already need not be looked through after each case.
    gc.collect()
    gc.freeze()
    end = monotonic() + seconds
    passed = failed = 0
    try:
        for number in numbers:
            if monotonic() > end:
                break
            case = drawn(seed, number)
            diff = await difference(case, server)
            if diff:
                failed += 1
                print(report(case, diff), flush=True)
            else:
                passed += 1
    finally:
        gc.unfreeze()
        await server.close()
    print(f"Seed {seed}, aiohttp {aiohttp.__version__}: {passed} passed, {failed} failed")
    return failed


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", help="what chance starts from; by default another one each time")
    parser.add_argument("--seconds", type=float, default=30, help="for how long; 30 by default")
    parser.add_argument("--cases", type=int, help="how many cases, however long they take")
    parser.add_argument("--case", type=int, help="the number of the only case to run")
    given = parser.parse_args(arguments)
    seed = str(random.randrange(10 ** 6)) if given.seed is None else given.seed
    if given.case is not None:
        running = run(seed, [given.case])
    elif given.cases is not None:
        running = run(seed, range(given.cases))
    else:
        running = run(seed, itertools.count(), given.seconds)
    return 1 if asyncio.run(running) else 0


if __name__ == "__main__":
    sys.exit(main())
