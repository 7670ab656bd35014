"""The fuzz itself: some of its cases pass, and it notices a mock that shows something else than a server."""

import asyncio
import contextlib
import io
import unittest
from unittest.mock import patch

from aioresponses import CallbackResult

from .fuzz.__main__ import main
from .fuzz.chance import drawn


class FuzzTest(unittest.TestCase):
    def run_fuzz(self, *arguments):
        """Return the exit status, and what was printed."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            status = main(arguments)
        return status, printed.getvalue()

    def test_some_cases_pass(self):
        status, printed = self.run_fuzz("--seed", "tests", "--cases", "25")
        self.assertEqual((status, printed.splitlines()[-1].partition(": ")[2]), (0, "25 passed, 0 failed"))

    def test_a_case_depends_on_its_seed_and_number_alone(self):
        self.assertEqual(str(drawn("1", 7)), str(drawn("1", 7)))
        self.assertNotEqual(str(drawn("1", 7)), str(drawn("1", 8)))
        self.assertNotEqual(str(drawn("1", 7)), str(drawn("2", 7)))

    def test_a_mock_that_answers_with_another_reason_is_reported_with_how_to_repeat_the_case(self):
        original = CallbackResult.__init__

        def falsified(result, *args, **kwargs):
            original(result, *args, **kwargs)
            result.reason = "Falsified"

        with patch.object(CallbackResult, "__init__", falsified):
            status, printed = self.run_fuzz("--seed", "tests", "--case", "3")
        self.assertEqual(status, 1)
        self.assertIn("Case 3 of seed tests differs.", printed)
        self.assertIn("To repeat it: python -m tests.fuzz --seed tests --case 3", printed)
        self.assertIn("Falsified", printed)
        self.assertIn("0 passed, 1 failed", printed)

    def test_fuzzing_leaves_no_task_behind(self):
        self.run_fuzz("--seed", "tests", "--case", "0")
        with self.assertRaises(RuntimeError):
            asyncio.get_running_loop()
