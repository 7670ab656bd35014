"""What the benchmarks compute, and that their example suite passes; nothing is timed here."""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"

sys.path.insert(0, str(BENCHMARKS))
try:
    from results import IN_NOISE, Notes, Played, judged, noise, rows_of, shown_seconds, table
    from rows import ALL, GROUPS, Limit, Measure
finally:
    sys.path.remove(str(BENCHMARKS))


def measure(*limits, contestants=ALL, others="", name="GET", in_bytes=False):
    return Measure(name, None, list(limits), contestants, others, in_bytes=in_bytes)


class RowsTest(unittest.TestCase):
    def test_each_row_that_is_not_for_all_says_why(self):
        for group in GROUPS:
            for one in group:
                self.assertEqual(bool(one.others), set(one.contestants) != set(ALL), one.name)
                self.assertLessEqual({"this package"}, set(one.contestants), one.name)

    def test_the_names_of_rows_are_unique(self):
        names = [one.name for group in GROUPS for one in group]
        self.assertEqual(sorted(set(names)), sorted(names))

    def test_what_a_limit_is_of_plays_in_the_same_rounds(self):
        for group in GROUPS:
            for one in group:
                for limit in one.limits:
                    self.assertIn(limit.of, {None, *one.contestants, *(other.name for other in group)}, one.name)


class JudgedTest(unittest.TestCase):
    def judged(self, limit, times, **of_measure):
        played = Played({("GET", contestant): taken for contestant, taken in times.items()})
        return judged(measure(limit, **of_measure), limit, played, Notes())

    def test_a_ratio_is_the_median_of_those_within_each_round(self):
        times = {"this package": [2e-6, 30e-6, 8e-6], "floor": [1e-6, 10e-6, 8e-6]}
        # The ratio of the medians would be 1.
        self.assertEqual(
            self.judged(Limit(1.9, "floor"), times), ["at most 1.9 x floor", "2.000 x ± 45.3%", "NO (1)"]
        )

    def test_why_a_limit_is_missed(self):
        times = {"this package": [10e-6, 11e-6, 12e-6]}
        for limit, met, noted in (
            (Limit(11e-6, why="Why."), "yes", ""),
            (Limit(10e-6, why="Why."), "NO (1)", "(1) Why."),
            (Limit(9e-6), "NO", ""),
            # 11 ± 8.2 %
            (Limit(10.2e-6), "NO (1)", f"(1) {IN_NOISE}"),
            (Limit(10e-6), "NO", ""),
        ):
            with self.subTest(limit):
                notes = Notes()
                played = Played({("GET", contestant): taken for contestant, taken in times.items()})
                self.assertEqual(judged(measure(limit), limit, played, notes)[2], met)
                self.assertEqual(str(notes), noted)

    def test_a_ratio_that_is_just_the_limit_is_within_it(self):
        times = {"this package": [3.0, 3.0], "floor": [2.0, 2.0]}
        self.assertEqual(self.judged(Limit(1.5, "floor"), times), ["at most 1.5 x floor", "1.500 x ± 0.0%", "yes"])

    def test_seconds_and_bytes(self):
        times = {"this package": [55e-6, 56e-6, 57e-6]}
        self.assertEqual(self.judged(Limit(55e-6), times), ["at most 55.0 us", "56.0 us ± 1.6%", "NO"])
        times = {"this package": [3000.0]}
        self.assertEqual(
            self.judged(Limit(4000), times, in_bytes=True), ["at most 4,000 B", "3,000 B ± 0.0%", "yes"]
        )

    def test_what_may_come_on_top_of_another_measure(self):
        played = Played({("GET", "this package"): [250e-6], ("canned", "this package"): [100e-6]})
        limit = Limit(1, "canned", more=100e-6)
        self.assertEqual(
            judged(measure(limit), limit, played, Notes()), ["at most 1 x canned + 100.0 us", "1.500 x ± 0.0%", "NO"]
        )

    def test_a_limit_of_a_contestant_that_does_not_run_is_neither_met_nor_missed(self):
        limit = Limit(0.27, "aioresponses 0.7.9")
        played = Played(
            {("GET", "this package"): [1.0]}, {("GET", "aioresponses 0.7.9"): "TypeError: f() missing 1 argument"}
        )
        notes = Notes()
        self.assertEqual(
            judged(measure(limit), limit, played, notes), ["at most 0.27 x aioresponses 0.7.9", "", "– (1)"]
        )
        self.assertEqual(str(notes), "(1) aioresponses 0.7.9 does not run here: ``TypeError: f() missing 1 argument``")

    def test_noise_is_less_the_more_rounds_there_are(self):
        self.assertEqual(noise([2.0]), 0)
        self.assertEqual(noise([0.0, 0.0]), 0)
        self.assertAlmostEqual(noise([1.0, 2.0, 3.0, 4.0, 5.0]), 1.57 * 2 / 5 ** 0.5 / 3)
        self.assertAlmostEqual(noise([-1.0, -2.0, -3.0, -4.0, -5.0]), 1.57 * 2 / 5 ** 0.5 / 3)
        self.assertLess(noise([1.0, 2.0, 3.0] * 10), noise([1.0, 2.0, 3.0]))


class TableTest(unittest.TestCase):
    def test_a_row_says_why_it_is_empty_and_why_a_limit_is_missed(self):
        measures = [
            measure(Limit(1.3, "floor", why="It keeps more."), Limit(1), name="GET"),
            measure(Limit(2, "GET"), name="POST", contestants=("this package",), others="Only here."),
            measure(Limit(0.5), name="PUT", contestants=("this package",), others="Only here."),
        ]
        played = Played(
            {
                ("GET", "this package"): [1.5], ("GET", "floor"): [1.0], ("GET", "aiointercept"): [4e-5],
                ("GET", "real server"): [0.02], ("GET", "loopback"): [0.03], ("POST", "this package"): [1.0],
                ("PUT", "this package"): [1.0],
            },
            {("GET", "aioresponses 0.7.9"): "TypeError"},
        )
        rows, notes, to_mend = rows_of(played, measures)
        self.assertEqual(
            rows,
            [
                ["measure", *ALL, "limit for this package", "it is", "met"],
                [
                    "GET", "1.00 s (1.00)", "1.50 s (1.50)", "– (1)", "40.0 us (0.00)", "20.00 ms (0.02)",
                    "30.00 ms (0.03)", "at most 1.3 x floor", "1.500 x ± 0.0%", "NO (2)",
                ],
                ["\\", "", "", "", "", "", "", "at most 1.00 s", "1.50 s ± 0.0%", "NO"],
                [
                    "POST", "– (3)", "1.00 s", "– (3)", "– (3)", "– (3)", "– (3)", "at most 2 x GET",
                    "0.667 x ± 0.0%", "yes",
                ],
                [
                    "PUT", "– (3)", "1.00 s", "– (3)", "– (3)", "– (3)", "– (3)", "at most 500.00 ms",
                    "1.00 s ± 0.0%", "NO",
                ],
            ],
        )
        self.assertEqual(
            str(notes),
            "(1) aioresponses 0.7.9 does not run here: ``TypeError``\n"
            "(2) It keeps more.\n"
            "(3) Only here.",
        )
        self.assertEqual(
            to_mend,
            [
                "GET: at most 1.00 s, it is 1.50 s ± 0.0%",
                "PUT: at most 500.00 ms, it is 1.00 s ± 0.0%",
            ],
        )

    def test_a_row_that_this_package_does_not_play_must_not_stay_so(self):
        rows, notes, to_mend = rows_of(
            Played(failures={("GET", "this package"): "KeyError: 7"}),
            [measure(Limit(1, why="Why."), contestants=("this package",), others="Only here.")],
        )
        self.assertEqual(rows[1:], [["GET", "– (1)", "– (2)", *["– (1)"] * 4, "at most 1.00 s", "", "– (2)"]])
        self.assertEqual(str(notes), "(1) Only here.\n(2) this package does not run here: ``KeyError: 7``")
        self.assertEqual(to_mend, ["GET: KeyError: 7"])

    def test_a_row_without_limits(self):
        rows, notes, to_mend = rows_of(
            Played({("GET", "this package"): [1.0]}), [measure(contestants=("this package",), others="Only here.")]
        )
        self.assertEqual(rows[1:], [["GET", "– (1)", "1.00 s", *["– (1)"] * 4, "", "", ""]])
        self.assertEqual((str(notes), to_mend), ("(1) Only here.", []))

    def test_times_are_shown_in_the_unit_that_fits(self):
        self.assertEqual(
            [shown_seconds(seconds) for seconds in (9.99e-4, 1e-3, 0.5, 1, -2e-6)],
            ["999.0 us", "1.00 ms", "500.00 ms", "1.00 s", "-2.0 us"],
        )

    def test_a_table_is_restructured_text(self):
        self.assertEqual(
            table([["one", "two"], ["longer", ""], ["\\", "2"]]),
            "======  ===\n"
            "one     two\n"
            "======  ===\n"
            "longer\n"
            "\\       2\n"
            "======  ===\n",
        )


class ExampleSuiteTest(unittest.TestCase):
    """The suite whose whole runs are compared; with what needs nothing but aiohttp and this package."""

    def test_its_hundred_tests_pass_with_a_mock_and_with_a_real_server(self):
        for name in ("ThisPackage", "Loopback"):
            with self.subTest(name):
                process = subprocess.run(
                    [sys.executable, "-W", "error", "-m", "unittest", "suite.test_client"],
                    env={**os.environ, "SUITE_WITH": name, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                    cwd=BENCHMARKS, capture_output=True, text=True,
                )
                self.assertEqual(process.returncode, 0, process.stderr)
                self.assertEqual(re.findall(r"^Ran (\d+) tests", process.stderr, re.MULTILINE), ["100"])
