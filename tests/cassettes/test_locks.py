import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from aioresponses._cassettes.locks import Lock


class LockTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "a.har")

    def lock(self, path=None):
        lock = Lock(path or self.path)
        self.addCleanup(lock.release)
        lock.acquire("a.har")
        return lock

    def test_one_has_it_at_a_time(self):
        first = self.lock()
        with self.assertRaises(RuntimeError):
            self.lock()
        first.acquire("a.har")
        first.release()
        first.release()
        self.lock().release()
        self.lock()

    def test_each_file_has_its_own_whatever_leads_to_it(self):
        self.lock()
        self.lock(self.path + "x")
        os.symlink(os.path.dirname(self.path), self.path + "link")
        with self.assertRaises(RuntimeError):
            self.lock(os.path.join(self.path + "link", "a.har"))

    def test_nothing_is_left_of_it(self):
        before = set(Path(tempfile.gettempdir()).glob("aioresponses-*.lock"))
        lock = self.lock()
        [file] = set(Path(tempfile.gettempdir()).glob("aioresponses-*.lock")) - before
        lock.release()
        self.assertFalse(file.exists())
        self.assertEqual(os.listdir(os.path.dirname(self.path)), [])

    def test_a_process_that_is_killed_leaves_it(self):
        script = (
            "import os, sys; from aioresponses._cassettes.locks import Lock\n"
            "lock = Lock(sys.argv[1]); lock.acquire('a.har'); print('has it', flush=True); sys.stdin.read()"
        )
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with subprocess.Popen(
            [sys.executable, "-c", script, self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        ) as process:
            self.assertEqual(process.stdout.readline(), b"has it\n")
            with self.assertRaises(RuntimeError):
                self.lock()
            process.kill()
        self.lock()
