import json
import os
import re
import tempfile
import unittest
from pathlib import Path

from aioresponses._cassettes import har

ENTRY = {"request": {"method": "GET", "url": "https://api.example.com/"}, "response": {"status": 200}}


class HarTestCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "a.har"

    def read(self, document):
        self.path.write_text(json.dumps(document), "utf-8")
        return har.read(self.path)


class ReadTest(HarTestCase):
    def test_a_har_file(self):
        self.assertEqual(self.read({"log": {"entries": [ENTRY]}}), [ENTRY])
        self.assertEqual(self.read({"log": {"entries": []}}), [])

    def test_one_with_a_byte_order_mark(self):
        self.path.write_text(json.dumps({"log": {"entries": [ENTRY]}}), "utf-8-sig")
        self.assertEqual(har.read(self.path), [ENTRY])

    def test_null_stands_for_what_is_missing(self):
        entry = {
            "request": {**ENTRY["request"], "headers": None, "postData": None, "cookies": None},
            "response": {"status": 200, "statusText": None, "content": {"text": None, "mimeType": None}},
            "timings": None,
        }
        self.assertEqual(self.read({"log": {"entries": [entry]}}), [entry])

    def check_wrong(self, text):
        with self.assertRaises(ValueError) as raised:
            har.read(self.path)
        self.assertEqual(str(raised.exception), f"{self.path}{text}")

    def test_files_that_cannot_be_read(self):
        self.check_wrong(": expected a HAR file, but it cannot be read: No such file or directory")
        self.path.mkdir()
        self.check_wrong(": expected a HAR file, but it cannot be read: Is a directory")

    def test_files_that_are_no_json(self):
        for content, text in (
            (b"", ", line 1, column 1: expected a HAR file, but it is not JSON: Expecting value"),
            (b'{"log":\n  x}', ", line 2, column 3: expected a HAR file, but it is not JSON: Expecting value"),
            (
                b"\xff",
                ": expected a HAR file, but it is not JSON: 'utf-8' codec can't decode byte 0xff in position 0: "
                "invalid start byte",
            ),
        ):
            self.path.write_bytes(content)
            self.check_wrong(text)
        self.path.write_text("[" * 100000)
        with self.assertRaisesRegex(ValueError, "expected a HAR file, but it is not JSON"):
            har.read(self.path)

    def test_json_that_is_no_har(self):
        def entry(**parts):
            return {"log": {"entries": [ENTRY, {**ENTRY, **parts}]}}

        request, at = ENTRY["request"], "log.entries[1]"
        for document, text in (
            ([], "the document must be an object, but is []"),
            ({}, "log must be an object, but is missing"),
            ({"log": 1}, "log must be an object, but is 1"),
            ({"log": {}}, "log.entries must be a list, but is missing"),
            ({"log": {"entries": [1]}}, "log.entries[0] must be an object, but is 1"),
            (entry(request=None), f"{at}.request must be an object, but is null"),
            (entry(request={**request, "method": 1}), f"{at}.request.method must be a str, but is 1"),
            (entry(request={"method": "GET"}), f"{at}.request.url must be a str, but is missing"),
            (entry(request={**request, "headers": {}}), f"{at}.request.headers must be a list, but is {{}}"),
            (entry(request={**request, "headers": ["x"]}), f'{at}.request.headers[0] must be an object, but is "x"'),
            (
                entry(request={**request, "headers": [{"name": "x"}]}),
                f"{at}.request.headers[0].value must be a str, but is missing",
            ),
            (entry(request={**request, "postData": "x"}), f'{at}.request.postData must be an object, but is "x"'),
            (
                entry(request={**request, "postData": {"params": [{}]}}),
                f"{at}.request.postData.params[0].name must be a str, but is missing",
            ),
            (entry(request={**request, "httpVersion": 2}), f"{at}.request.httpVersion must be a str, but is 2"),
            (
                entry(response={"status": 200, "httpVersion": 1.1}),
                f"{at}.response.httpVersion must be a str, but is 1.1",
            ),
            (
                entry(response={"status": 200, "redirectURL": []}),
                f"{at}.response.redirectURL must be a str, but is []",
            ),
            (entry(response={}), f"{at}.response.status must be an int, but is missing"),
            (entry(response={"status": True}), f"{at}.response.status must be an int, but is true"),
            (entry(response={"status": 200, "content": []}), f"{at}.response.content must be an object, but is []"),
            (
                entry(response={"status": 200, "content": {"text": 1}}),
                f"{at}.response.content.text must be a str, but is 1",
            ),
            (
                entry(response={"status": 200, "content": {"text": "ab", "encoding": "base64"}}),
                f"{at}.response.content.text must be base64: Incorrect padding",
            ),
            (entry(timings=[]), f"{at}.timings must be an object, but is []"),
        ):
            with self.subTest(text):
                with self.assertRaises(ValueError):
                    self.read(document)
                self.check_wrong(f": expected a HAR file: {text}")

    def test_messages_of_websockets(self):
        good = {"type": "send", "time": 1.5, "opcode": 1, "data": ""}
        at = "log.entries[0]._webSocketMessages"

        def entry(*messages, **parts):
            return {"log": {"entries": [{**ENTRY, "_webSocketMessages": list(messages), **parts}]}}

        for message in (
            good, {**good, "time": None}, {**good, "time": "x"}, {**good, "opcode": 2, "data": "/w=="},
            {"type": "error", "opcode": -1, "data": "lost"}, {"type": "error"}, {"type": "receive", "opcode": 9},
        ):
            self.assertEqual(len(self.read(entry(message))), 1)
        self.read(entry(_webSocketMessages=None, _webSocketClose=None))
        for document, text in (
            (entry(_webSocketMessages={}), f"{at} must be a list, but is {{}}"),
            (entry(_webSocketMessages="x"), f'{at} must be a list, but is "x"'),
            (entry(good, 7), f"{at}[1] must be an object, but is 7"),
            (entry(good, None), f"{at}[1] must be an object, but is null"),
            (entry({**good, "type": "sent"}), f'{at}[0].type must be "send" or "receive", but is "sent"'),
            (entry({"opcode": 1, "data": ""}), f"{at}[0].type must be a str, but is missing"),
            (entry({**good, "opcode": 3}), f"{at}[0].opcode must be 1 or 2, but is 3"),
            (entry({**good, "opcode": 0}), f"{at}[0].opcode must be 1 or 2, but is 0"),
            (entry({**good, "opcode": "1"}), f'{at}[0].opcode must be an int, but is "1"'),
            (entry({**good, "opcode": True}), f"{at}[0].opcode must be an int, but is true"),
            (entry({"type": "send", "data": ""}), f"{at}[0].opcode must be an int, but is missing"),
            (entry({**good, "data": None}), f"{at}[0].data must be a str, but is null"),
            (entry({"type": "send", "opcode": 1}), f"{at}[0].data must be a str, but is missing"),
            (entry({**good, "opcode": 2, "data": "abc"}), f"{at}[0].data must be base64: Incorrect padding"),
        ):
            with self.subTest(text):
                with self.assertRaises(ValueError):
                    self.read(document)
                self.check_wrong(f": expected a HAR file: {text}")
        for data in ("no base64!", "é", "ab==cd", "/w==\n"):
            with self.assertRaisesRegex(ValueError, re.escape(f"{at}[0].data must be base64: ")):
                self.read(entry({**good, "opcode": 2, "data": data}))

    def test_how_a_websocket_was_closed(self):
        at = "log.entries[0]._webSocketClose"
        for close, text in (
            ([], " must be an object, but is []"),
            ({"code": 1000}, ".type must be a str, but is missing"),
            ({"type": "x", "code": 1000}, '.type must be "send" or "receive", but is "x"'),
            ({"type": "send"}, ".code must be an int, but is missing"),
            ({"type": "send", "code": 65536}, ".code must be an int from 0 to 65535, but is 65536"),
            ({"type": "send", "code": 1000, "reason": 1}, ".reason must be a str, but is 1"),
        ):
            with self.assertRaises(ValueError):
                self.read({"log": {"entries": [{**ENTRY, "_webSocketMessages": [], "_webSocketClose": close}]}})
            self.check_wrong(f": expected a HAR file: {at}{text}")


class WriteTest(HarTestCase):
    def test_a_header_takes_a_line_and_keys_are_sorted(self):
        content = {"b": "Å\n", "a": [{"value": 'x"y', "name": "X"}, {"name": "not", "value": 1}]}
        har.write(self.path, [content])
        lines = self.path.read_bytes().decode().split("\n")
        self.assertEqual(
            [line for line in lines if "version" not in line and "creator" not in line],
            [
                "{", ' "log": {', '   "name": "aioresponses",', "  },", '  "entries": [', "   {", '    "a": [',
                '     {"name": "X", "value": "x\\"y"},', "     {", '      "name": "not",', '      "value": 1', "     }",
                "    ],", '    "b": "Å\\n"', "   }", "  ],", " }", "}", "",
            ],
        )
        self.assertEqual(json.loads("\n".join(lines))["log"]["entries"], [content])

    def test_a_message_of_a_websocket_takes_a_line(self):
        messages = [
            {"type": "send", "time": 1.5, "opcode": 1, "data": 'a "\\"\n'},
            {"type": "receive", "time": 0, "opcode": 2, "data": "x" * 10 ** 6},
        ]
        har.write(self.path, [{"_webSocketMessages": messages}])
        lines = self.path.read_text("utf-8").split("\n")
        self.assertIn(
            '     {"data": "a \\"\\\\\\"\\n", "opcode": 1, "time": 1.5, "type": "send"},', lines
        )
        self.assertEqual(json.loads("\n".join(lines))["log"]["entries"][0]["_webSocketMessages"], messages)
        self.assertEqual(len([line for line in lines if '"opcode"' in line]), 2)

    def test_what_no_text_can_hold_is_escaped(self):
        har.write(self.path, [{"a": "\udcff"}])
        self.assertEqual(json.loads(self.path.read_text("utf-8"))["log"]["entries"], [{"a": "\udcff"}])

    def test_folders_are_made_and_the_file_can_be_read_by_others(self):
        self.path = self.path.parent / "a" / "b" / "c.har"
        har.write(self.path, [])
        umask = os.umask(0)
        os.umask(umask)
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o666 & ~umask)
        self.assertEqual(os.listdir(self.path.parent), ["c.har"])
