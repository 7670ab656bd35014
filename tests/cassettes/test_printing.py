import re
import unittest

from aioresponses import aioresponses
from aioresponses._cassettes.entries import without_secrets
from aioresponses._cassettes.printing import registrations
from aioresponses._cassettes.secrets import HIDDEN, Secrets


def entry(url="https://a.example/", method="GET", status=200, headers=(), **content):
    return without_secrets(
        {
            "request": {"method": method, "url": url},
            "response": {"status": status, "headers": [*headers], "content": content},
        },
        Secrets(),
    )


class PrintingTest(unittest.TestCase):
    maxDiff = None

    def check(self, one, printed):
        """Check how an entry is printed, and that what is printed can be run."""
        self.assertEqual(registrations([one]), printed)
        with aioresponses() as mock:
            exec(printed, {"mock": mock})
            self.assertEqual(len(mock.unused_mocks), 1)

    def test_short_ones_take_a_line(self):
        json = {"mimeType": "application/json"}
        self.check(entry(text="[1]", **json), "mock.get('https://a.example/', payload=[1])\n")
        self.check(entry(**json), "mock.get('https://a.example/')\n")
        self.check(entry(text="null", **json), "mock.get('https://a.example/', body='null')\n")
        self.check(entry(text="NaN", **json), "mock.get('https://a.example/', body='NaN')\n")
        self.check(entry(text="{", **json), "mock.get('https://a.example/', body='{')\n")
        self.check(entry(text="x"), "mock.get('https://a.example/', body='x', content_type=None)\n")
        self.check(
            entry(method="PURGE", status=204, mimeType="text/plain"),
            "mock.add('https://a.example/', 'PURGE', status=204, content_type='text/plain')\n",
        )
        self.check(
            entry(text="/wE=", encoding="base64", **json), "mock.get('https://a.example/', body=b'\\xff\\x01')\n"
        )

    def test_a_hidden_value_is_never_compared(self):
        self.check(
            entry("https://a.example/?token=x&q=1", mimeType="application/json"),
            "from unittest.mock import ANY\n\n"
            "mock.get('https://a.example/', match_query={'token': ANY, 'q': '1'})\n",
        )
        self.check(
            entry("https://a.example/?next=%2Fb%3Ftoken%3Dx%26a", mimeType="application/json"),
            "import re\nfrom aioresponses.matchers import regex\n\n"
            "mock.get('https://a.example/', match_query={'next': regex('^/b\\\\?token=.*\\\\&a$', re.DOTALL)})\n"
            .replace("\\\\&", re.escape("&").replace("\\", "\\\\")),
        )
        self.assertNotIn(f"== {HIDDEN}", registrations([entry("https://a.example/?token=x")]))

    def test_what_was_not_answered_is_not_printed(self):
        self.assertEqual(registrations([entry(status=0), entry("data:,x")]), "")
        self.assertEqual(registrations([]), "")
