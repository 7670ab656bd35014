"""Runs the test suite in an order of chance, twice in one process: no test may need another one, or leave anything.

The seed is printed; give it as the argument to have the same order again.
"""

from __future__ import annotations

import random
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    seed = int(sys.argv[1]) if sys.argv[1:] else random.randrange(2 ** 32)
    print(f"seed {seed}", flush=True)
    shuffle = random.Random(seed).shuffle
    for _ in range(2):
        # A test case runs once only: unittest drops it then.
        tests = list(each(unittest.defaultTestLoader.discover(str(ROOT / "tests"), top_level_dir=str(ROOT))))
        shuffle(tests)
        # Those of a class stay together, for what it sets up is for all of them.
        places = {type(test): place for place, test in enumerate(tests)}
        tests.sort(key=lambda test: places[type(test)])
        if not unittest.TextTestRunner(verbosity=0).run(unittest.TestSuite(tests)).wasSuccessful():
            return 1
    return 0


def each(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from each(test)
        else:
            yield test


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
