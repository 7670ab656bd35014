import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from aioresponses import aioresponses
from aioresponses.__main__ import main

from .cassettes.captures import CHROME

PRINTED = """\
from unittest.mock import ANY
from aioresponses.websockets import Drop, Expect

mock.get(
    'https://api.example.com/users',
    match_query={'page': '1', 'access_token': ANY},
    payload=[{'name': 'Åda'}],
    content_type='application/json; charset=utf-8',
    headers=[('content-encoding', 'gzip'),
             ('set-cookie', 'a=hidden-by-aioresponses; Path=/'),
             ('set-cookie', 'b=hidden-by-aioresponses; Path=/; HttpOnly'),
             ('x-empty', '')],
)
mock.post(
    'https://api.example.com/login',
    status=302,
    content_type=None,
    headers={'location': 'https://api.example.com/a{b}?code=hidden-by-aioresponses'},
)
mock.get(
    'https://api.example.com/a%7Bb%7D',
    match_query={'code': ANY},
    body=b'\\x00\\xffa',
    content_type='image/png',
)
mock.websocket(
    'wss://api.example.com/live',
    [
        Expect({'op': 'auth', 'token': ANY}),
        'ok',
        b'\\x00\\xffa',
        Drop(),
    ],
    protocols=['v2'],
    repeat=False,
)
"""


class CommandLineTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "capture.har"
        self.path.write_text(json.dumps(CHROME), "utf-8")

    def run_command(self, *arguments):
        """Return the exit status, and what is printed to stdout and stderr."""
        out, error = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            try:
                status = main([str(one) for one in arguments])
            except SystemExit as exit:
                status = exit.code
        return status, out.getvalue(), error.getvalue()

    def test_a_har_file_is_printed_as_registrations_without_secrets(self):
        self.assertEqual(self.run_command("har", self.path), (0, PRINTED, ""))
        self.assertNotIn("S3CR3T", PRINTED)

    def test_what_is_printed_can_be_run(self):
        with aioresponses() as mock:
            exec(PRINTED, {"mock": mock})
            self.assertEqual(len(mock.unused_mocks), 4)

    def test_entries_of_some_urls(self):
        _, printed, _ = self.run_command("har", self.path, "--url", "https://api.example.com/login")
        self.assertEqual(printed.count("mock."), 1)
        self.assertEqual(
            self.run_command("har", self.path, "--url", "https://other.example/"),
            (1, "", f"{self.path}: none of its 4 entries has the URL https://other.example/\n"),
        )

    def test_errors(self):
        self.assertEqual(
            self.run_command("har", "no-such.har"),
            (2, "", "no-such.har: expected a HAR file, but it cannot be read: No such file or directory\n"),
        )
        status, _, error = self.run_command("har", self.path, "--url", "https://{host}/")
        self.assertEqual((status, error.partition(":")[0]), (2, "url"))
        for arguments in ((), ("hare", "x"), ("har",)):
            self.assertEqual(self.run_command(*arguments)[0], 2)

    def test_the_package_is_run(self):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "ascii"}
        command = [sys.executable, "-m", "aioresponses", "har", str(self.path)]
        printed = subprocess.run(command, env=environment, capture_output=True, check=True).stdout
        self.assertEqual(printed.decode("ascii"), PRINTED.replace("Å", "\\xc5"))
