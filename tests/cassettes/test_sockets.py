import json
import unittest
from base64 import b64encode
from unittest.mock import ANY

from aioresponses import aioresponses
from aioresponses._cassettes.replay import socket_registration
from aioresponses._cassettes.secrets import HIDDEN, Secrets
from aioresponses._cassettes.sockets import is_closed_by_client, is_websocket, script_of, without_secrets
from aioresponses.websockets import Close, Drop, Expect, Sleep


def message(kind, data, time=0, opcode=None):
    if isinstance(data, bytes):
        return {"type": kind, "time": time, "opcode": 2, "data": b64encode(data).decode()}
    return {"type": kind, "time": time, "opcode": 1 if opcode is None else opcode, "data": data}


def entry(*messages, close=None, status=101, request=(), response=(), url="wss://example.com/ws"):
    def headers(pairs):
        return [{"name": name, "value": value} for name, value in pairs]

    made = {
        "request": {"method": "GET", "url": url, "headers": headers(request)},
        "response": {"status": status, "headers": headers(response)},
        "_webSocketMessages": list(messages),
    }
    return made if close is None else {**made, "_webSocketClose": close}


def script(*messages, started=None, timings=False, **options):
    return script_of(entry(*messages, **options), started, timings)


class ScriptTest(unittest.TestCase):
    maxDiff = None

    def test_what_the_client_sent_is_expected_and_what_the_server_sent_is_sent(self):
        self.assertEqual(
            script(
                message("receive", "hello"), message("send", "a"), message("send", b"\xff"), message("receive", b"b"),
                message("receive", '{"a": 1}'), message("send", ""),
            ),
            ["hello", Expect("a", 10), Expect(b"\xff", 10), b"b", '{"a": 1}', Expect("", 10)],
        )
        self.assertEqual(script(), [])

    def test_json_of_the_client_is_compared_as_json(self):
        for text, expected in (
            ('{"a": [1, null]}', {"a": [1, None]}), (" [] ", []), ('"a"', '"a"'), ("1", "1"), ("null", "null"),
            ("{", "{"), ("[NaN]", "[NaN]"), ("[-1e999]", "[-1e999]"), ("[" * 100000, "[" * 100000),
        ):
            with self.subTest(text[:20]):
                self.assertEqual(script(message("send", text)), [Expect(expected, 10)])

    def test_a_hidden_value_may_be_anything(self):
        for data, expected in (
            (HIDDEN, ANY), (HIDDEN.encode(), ANY), (f'{{"token": "{HIDDEN}", "a": 1}}', {"token": ANY, "a": 1}),
        ):
            [step] = script(message("send", data))
            self.assertEqual(step, Expect(expected, 10))
        [step] = script(message("send", f"a={HIDDEN}&b"))
        self.assertEqual((step.message == "a=x&b", step.message == "a=x&c"), (True, False))
        self.assertEqual(script(message("receive", HIDDEN)), [HIDDEN])

    def test_every_end(self):
        for close, step in (
            ({"type": "receive", "code": 1001, "reason": "bye ä"}, Close(1001, "bye ä".encode())),
            ({"type": "receive", "code": 4000}, Close(4000)),
            ({"type": "receive", "code": 1006, "reason": None}, Drop()),
            ({"type": "receive", "code": 0}, Close(1000)),
            ({"type": "receive", "code": 1005}, Close(1000)),
        ):
            self.assertEqual(script(message("receive", "a"), close=close), ["a", step])
        for close in ({"type": "send", "code": 1000}, None):
            self.assertEqual(script(message("receive", "a"), close=close), ["a"])
            self.assertEqual(is_closed_by_client(entry(close=close)), close is not None)

    def test_an_error_of_chrome_is_a_lost_connection(self):
        self.assertEqual(
            script(message("receive", "a"), message("error", "Invalid frame header", opcode=-1), message("send", "b")),
            ["a", Drop()],
        )

    def test_control_frames_are_passed_over(self):
        messages = [message("receive", "", opcode=opcode) for opcode in (8, 9, 10)]
        self.assertEqual(script(*messages, message("receive", "a")), ["a"])

    def test_pauses(self):
        messages = [
            message("receive", "a", 101), message("send", "b", 103.5), message("receive", "c", 104.25),
            message("receive", "d", 104.25), message("send", "e", 104),
        ]
        close = {"type": "receive", "code": 1000, "time": 106}
        self.assertEqual(
            script(*messages, close=close, started=100.5, timings=True),
            [Sleep(0.5), "a", Expect("b", 12), Sleep(0.75), "c", "d", Expect("e", 10), Sleep(2), Close()],
        )
        self.assertEqual(
            script(*messages, close=close, started=100.5),
            ["a", Expect("b", 12), "c", "d", Expect("e", 10), Close()],
        )
        for times in ((None, "x"), (0, 0), (-1, float("nan")), (float("inf"), True)):
            sent = [message("receive", "a", times[0]), message("receive", "b", times[1])]
            self.assertEqual(script(*sent, started=None, timings=True), ["a", "b"])

    def test_a_text_that_cannot_be_sent(self):
        self.assertEqual(script(message("receive", "a\udcff")), ["a?"])


class EntryTest(unittest.TestCase):
    def test_which_entries_are_websockets(self):
        text = message("send", "a")
        for one, expected in (
            (entry(), True), (entry(text), True), (entry(text, status=200), True), (entry(status=200), False),
            (entry(message("error", "refused", opcode=-1), status=200), False),
            (entry(text, status=403), False), ({"response": {"status": 101}}, False),
            ({"response": {"status": 101}, "_webSocketMessages": None}, False),
        ):
            self.assertEqual(is_websocket(one), expected)

    def registered(self, **options):
        found = socket_registration(entry(**options))
        self.assertEqual(found["repeat"], False)
        with aioresponses() as mock:
            mock.websocket(**found)
        return found

    def test_the_handshake(self):
        offered = ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")
        for options, expected in (
            ({}, {}),
            ({"response": [("sec-websocket-protocol", " v2 ")]}, {"protocols": ["v2"]}),
            ({"request": [("Sec-WebSocket-Protocol", "v1, v2")]}, {}),
            ({"request": [offered]}, {"compress": False}),
            ({"request": [offered], "response": [offered]}, {}),
        ):
            found = self.registered(**options)
            self.assertEqual({name: found[name] for name in ("protocols", "compress") if name in found}, expected)

    def test_headers_of_the_handshake_itself_are_the_servers_own(self):
        response = [
            ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", "x"), ("Date", "now"),
            ("Sec-WebSocket-Protocol", "v2"), ("sec-websocket-extensions", "permessage-deflate"), ("Server", "x"),
            ("Set-Cookie", "a=1\nb=2"),
        ]
        self.assertEqual(
            list(self.registered(response=response)["headers"].items()),
            [("Server", "x"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")],
        )

    def test_large_messages_of_the_client(self):
        for text, expected in (("x" * 2 ** 20, None), ("x" * 2 ** 22, 0), ("ä" * 2 ** 21, 0)):
            found = socket_registration(entry(message("send", text)))
            self.assertEqual(found.get("max_msg_size"), expected)
        self.assertNotIn("max_msg_size", socket_registration(entry(message("receive", "x" * 2 ** 22))))

    def test_what_is_written_has_no_secrets_and_nothing_of_others(self):
        secret = "S3CR3T"
        one = entry(
            {**message("send", json.dumps({"token": secret}), 1.5), "mask": True}, message("receive", b"token=S3CR3T"),
            message("receive", "", opcode=9), message("error", "lost", 3, opcode=-1),
        )
        self.assertEqual(
            without_secrets(one, Secrets()),
            {
                "_resourceType": "websocket",
                "_webSocketMessages": [
                    {"type": "send", "time": 1.5, "opcode": 1, "data": f'{{"token": "{HIDDEN}"}}'},
                    message("receive", f"token={HIDDEN}".encode()),
                ],
                "_webSocketClose": {"type": "receive", "time": 3, "code": 1006, "reason": ""},
            },
        )
        self.assertEqual(without_secrets(entry(status=403), Secrets()), {})
