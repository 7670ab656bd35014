"""Large uploads that are kept take one file, however many they are, and go on without it."""

import contextlib
import gc
import os
import resource
import tempfile
import unittest
from unittest.mock import patch

from aioresponses._client import written as module
from aioresponses._client.written import Written

from ..support import LARGE, AskingTestCase, large_bodies_allowed

MIB = 2 ** 20


def next_file():
    """Return the number that the next file to be opened gets, the lowest that is free."""
    number = os.open(os.devnull, os.O_RDONLY)
    os.close(number)
    return number


@contextlib.contextmanager
def limited(limit, most):
    """Have the process allow itself less."""
    before = resource.getrlimit(limit)
    resource.setrlimit(limit, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(limit, before)


def written(size=5 * MIB, first=0):
    large = Written()
    for number in range(size // MIB):
        large.append(bytes([first + number]) * MIB)
    large.append(b"end")
    return large


def holds(large, size=5 * MIB, first=0):
    return bytes(large) == b"".join(bytes([first + number]) * MIB for number in range(size // MIB)) + b"end"


class WithoutFileTestCase(unittest.TestCase):
    """Begins without a file, whatever other tests still keep in one."""

    def setUp(self):
        gc.collect()
        patcher = patch.object(module, "_spool", None)
        patcher.start()
        self.addCleanup(patcher.stop)


class OneFileTest(WithoutFileTestCase):
    def setUp(self):
        super().setUp()
        self.file = next_file()

    def files(self):
        return next_file() - self.file

    def test_all_of_them_stand_in_one(self):
        kept = [written(first=number) for number in range(20)]
        self.assertEqual(self.files(), 1)
        for number, large in enumerate(kept):
            self.assertTrue(holds(large, first=number))

    def test_the_file_is_closed_with_the_last_upload_in_it(self):
        kept = [written(), written()]
        del kept[0]
        self.assertEqual(self.files(), 1)
        self.assertTrue(holds(kept[0]))
        kept.clear()
        self.assertEqual(self.files(), 0)

    def test_the_file_does_not_grow_where_uploads_are_forgotten(self):
        kept = [written()]
        sizes = set()
        for number in range(10):
            kept.append(written(first=number))
            sizes.add(os.fstat(self.file).st_size)
            self.assertTrue(holds(kept.pop(), first=number))
        self.assertEqual(len(sizes), 1)
        self.assertTrue(holds(kept[0]))

    def test_small_uploads_need_no_file(self):
        small = written(size=3 * MIB)
        self.assertEqual((self.files(), small.is_large), (0, False))


class NoFileTest(WithoutFileTestCase):
    """What cannot be kept in a file is kept in memory."""

    def test_there_is_no_directory_for_it(self):
        with patch.object(tempfile, "tempdir", os.path.join(os.getcwd(), "that", "is", "none")):
            large = written()
        self.assertEqual((holds(large), large.is_large), (True, False))

    def test_the_process_has_no_more_files(self):
        with limited(resource.RLIMIT_NOFILE, next_file()):
            large = written()
        self.assertEqual((holds(large), large.is_large), (True, False))

    def test_the_disk_is_full(self):
        # A limit of the process does as well; Python ignores the signal that comes with it.
        for most in (0, 100_000, 3 * MIB, 5 * MIB):
            with self.subTest(most=most):
                with limited(resource.RLIMIT_FSIZE, most):
                    large = written()
                large.append(b"more")
                self.assertTrue(bytes(large).endswith(b"\4endmore"))
                self.assertEqual(len(bytes(large)), 5 * MIB + 7)

    def test_tests_that_replace_open_do_not_see_the_file(self):
        with patch("builtins.open") as opened, patch("tempfile.TemporaryFile") as made:
            large = written()
        self.assertEqual((opened.called, made.called, large.is_large, holds(large)), (False, False, True, True))


class UploadsTest(AskingTestCase):
    async def test_many_fit_where_there_are_few_files(self):
        self.mock.post("http://example.com/", repeat=True)
        with large_bodies_allowed(), limited(resource.RLIMIT_NOFILE, next_file() + 3):
            for _ in range(10):
                self.assertEqual(await self.ask("POST", data=LARGE), (200, ""))
        self.assertTrue(all(call.body == LARGE for call in self.mock.calls))
