import json
import re
import unittest

from aioresponses import aioresponses
from aioresponses._cassettes.entries import without_secrets
from aioresponses._cassettes.printing import registrations
from aioresponses._cassettes.secrets import HIDDEN, Secrets
from aioresponses.websockets import Expect


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
        self.check(entry(text="[1e400]", **json), "mock.get('https://a.example/', body='[1e400]')\n")
        self.check(entry(text="{", **json), "mock.get('https://a.example/', body='{')\n")
        self.check(entry(text="x"), "mock.get('https://a.example/', body='x', content_type=None)\n")
        self.check(
            entry(method="PURGE", status=204, mimeType="text/plain"),
            "mock.add('https://a.example/', 'PURGE', status=204, content_type='text/plain')\n",
        )
        self.check(
            entry(text="/wE=", encoding="base64", **json), "mock.get('https://a.example/', body=b'\\xff\\x01')\n"
        )

    def test_a_reason_is_printed_unless_it_is_the_standard_one(self):
        for reason, printed in (
            ("OK", ""), ("", ""), ("Fine", ", reason='Fine'"), ("it's", ', reason="it\'s"'), ("ok", ", reason='ok'"),
        ):
            one = entry(mimeType="application/json")
            one["response"].update(statusText=reason, httpVersion="HTTP/1.1")
            self.check(one, f"mock.get('https://a.example/'{printed})\n")

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

    def test_websockets(self):
        def socket(*messages, close=None, headers=(), url="wss://a.example/ws"):
            one = {
                "request": {"method": "GET", "url": url, "headers": [
                    {"name": "Sec-WebSocket-Extensions", "value": "permessage-deflate"}
                ] if headers else []},
                "response": {"status": 101, "headers": [{"name": name, "value": value} for name, value in headers]},
                "_webSocketMessages": [
                    dict(zip(("type", "time", "opcode", "data"), message)) for message in messages
                ],
                "_webSocketClose": close,
            }
            return without_secrets(one, Secrets())

        self.check(socket(), "mock.websocket(\n    'wss://a.example/ws',\n    [],\n    repeat=False,\n)\n")
        self.check(
            socket(
                ("send", 1, 1, '{"op": "auth", "token": "S3CR3T", "list": [{"password": "x"}]}'),
                ("receive", 1, 1, '{"ok": true}'), ("receive", 1, 1, '{"ok":true}'), ("receive", 1, 1, "text"),
                ("receive", 1, 1, "7"), ("send", 6.5, 1, "token=x&y"), ("send", 7, 2, "/w=="),
                ("receive", 7, 2, "AA=="),
                close={"type": "receive", "code": 4000, "reason": "bye"},
                headers=[("Sec-WebSocket-Protocol", "v2"), ("X-One", "1")],
                url="wss://a.example/ws?token=S3CR3T",
            ),
            "import re\n"
            "from unittest.mock import ANY\n"
            "from aioresponses.matchers import regex\n"
            "from aioresponses.websockets import Close, Expect\n\n"
            "mock.websocket(\n"
            "    'wss://a.example/ws',\n"
            "    [\n"
            "        Expect({'op': 'auth', 'token': ANY, 'list': [{'password': ANY}]}),\n"
            "        {'ok': True},\n"
            "        '{\"ok\":true}',\n"
            "        'text',\n"
            "        '7',\n"
            "        Expect(regex('^token=.*\\\\&y$', re.DOTALL), timeout=15),\n"
            "        Expect(b'\\xff'),\n"
            "        b'\\x00',\n"
            "        Close(4000, b'bye'),\n"
            "    ],\n"
            "    match_query={'token': ANY},\n"
            "    protocols=['v2'],\n"
            "    compress=False,\n"
            "    headers={'X-One': '1'},\n"
            "    repeat=False,\n"
            ")\n"
            .replace("\\\\&", re.escape("&").replace("\\", "\\\\")),
        )
        for code, step in ((1000, "Close(1000)"), (1006, "Drop()")):
            self.check(
                socket(("receive", 0, 1, "a"), close={"type": "receive", "code": code}),
                f"from aioresponses.websockets import {step.partition('(')[0]}\n\n"
                f"mock.websocket(\n    'wss://a.example/ws',\n    [\n        'a',\n        {step},\n    ],\n"
                "    repeat=False,\n)\n",
            )

    def test_long_messages_of_websockets(self):
        message = {"words": [f"word {number}" for number in range(30)], "text": "a b c " * 40}
        text = json.dumps(message)
        one = {
            "request": {"method": "GET", "url": "wss://a.example/ws"}, "response": {"status": 101},
            "_webSocketMessages": [
                {"type": kind, "opcode": 1, "data": data} for kind in ("send", "receive") for data in (text, text[1:])
            ],
        }
        printed = registrations([without_secrets(one, Secrets())])
        self.assertLess(max(map(len, printed.splitlines())), 121)
        registered = []

        class Mock:
            def websocket(self, url, script, **options):
                registered.extend(script)

        exec(printed, {"mock": Mock()})
        self.assertEqual(registered, [Expect(message), Expect(text[1:]), message, text[1:]])

    def test_what_was_not_answered_is_not_printed(self):
        self.assertEqual(registrations([entry(status=0), entry("data:,x")]), "")
        self.assertEqual(registrations([]), "")
