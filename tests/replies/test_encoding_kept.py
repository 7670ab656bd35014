import io
import json
import unittest
from collections import OrderedDict
from http import HTTPStatus

from aioresponses import CallbackResult, Fault
from aioresponses._client.transport import Close
from aioresponses._replies.encoding import KeptAnswer, encode, json_dumps


def asked():
    raise AssertionError("these replies do not depend on the call")


class KeptAnswerTest(unittest.TestCase):
    """What is kept and what is encoded again cannot be told from outside, but for the time that it takes."""

    def is_kept(self, result, method="GET", dumps=json_dumps, change=lambda: None):
        """Return whether two requests get one and the same answer, with a change between them."""
        answer = KeptAnswer(result, dumps)
        first = answer.to(method, asked)
        change()
        return answer.to(method, asked) is first

    def test_the_answer_of_text_bytes_and_unchanged_payloads_is_kept(self):
        for reply in (
            {}, {"body": "text"}, {"body": b"bytes"}, {"status": 204}, {"payload": ""}, {"payload": {"a": [1, 2.5]}},
            {"body": "text", "headers": {"Content-Encoding": "gzip"}},
        ):
            for method in ("GET", "POST"):
                with self.subTest(method, **reply):
                    self.assertTrue(self.is_kept(CallbackResult(**reply), method))

    def test_the_answer_of_a_payload_that_changes_is_not_kept(self):
        for before, after in (([1], [True]), ([1], [1.0]), ([0.0], [-0.0]), (["1"], [1]), ([None], [])):
            with self.subTest(before=before, after=after):
                payload = list(before)

                def change():
                    payload[:] = after

                self.assertFalse(self.is_kept(CallbackResult(payload=payload), change=change))

    def test_the_answer_is_not_kept_where_more_than_a_payload_decides(self):
        for reply in (
            {"body": bytearray(b"text")}, {"body": ["te", "xt"]}, {"body": lambda: "text"}, {"events": ["text"]},
            {"payload": lambda: "text"}, {"payload": OrderedDict(a=1)}, {"payload": [HTTPStatus.OK]},
        ):
            with self.subTest(**reply):
                self.assertFalse(self.is_kept(CallbackResult(**reply)))
        self.assertFalse(self.is_kept(CallbackResult(body="text"), "HEAD"))
        self.assertFalse(self.is_kept(CallbackResult(payload="text"), dumps=json.dumps))


class StreamedAnswerTest(unittest.IsolatedAsyncioTestCase):
    async def test_of_a_file_that_grows_what_is_announced_is_sent(self):
        file = io.BytesIO(b"abcdef")
        answer = encode(CallbackResult(body=file), "GET", asked, json.dumps)
        self.assertTrue(answer.head.endswith(b"\r\nContent-Length: 6\r\n\r\n"))
        file.seek(0, io.SEEK_END)
        file.write(b"ghi")
        file.seek(0)
        self.assertEqual([piece async for piece in answer.body], [b"abcdef"])

    async def test_a_truncated_stream_is_asked_for_no_more_than_is_sent(self):
        taken = []

        def letters():
            for letter in "abcdef":
                taken.append(letter)
                yield letter

        result = CallbackResult(body=letters, headers={"Content-Length": "6"}, fault=Fault.TRUNCATED_BODY)
        answer = encode(result, "GET", asked, json.dumps)
        self.assertEqual(([piece async for piece in answer.body], answer.close), ([b"a", b"b", b"c"], Close()))
        self.assertEqual(taken, ["a", "b", "c"])


class FramingTest(unittest.TestCase):
    def answer(self, method="GET", **kwargs):
        return encode(CallbackResult(**kwargs), method, asked, json.dumps)

    def test_the_connection_stays_open_after_an_answer_to_head(self):
        for headers in ({"Transfer-Encoding": "identity"}, {"Content-Length": "1234"}):
            with self.subTest(**headers):
                self.assertEqual(self.answer("GET", body="abc", headers=headers).close, Close())
                self.assertIsNone(self.answer("HEAD", body="abc", headers=headers).close)

    def test_spaces_around_a_registered_length_play_no_part(self):
        self.assertIsNone(self.answer(body="abc", headers={"content-length": " 3 "}).close)

    def test_a_truncated_body_is_half_of_what_is_announced_if_that_is_less(self):
        for length, sent in (("4", b"ab"), ("100", b"abc")):
            with self.subTest(length):
                answer = self.answer(fault=Fault.TRUNCATED_BODY, body="abcdef", headers={"Content-Length": length})
                self.assertTrue(answer.head.endswith(b"\r\nContent-Length: %b\r\n\r\n" % length.encode()))
                self.assertEqual((answer.body, answer.close), (sent, Close()))
