"""Answers that are kept for the next request: which are, and which are encoded anew."""

import json
import unittest
from collections import OrderedDict
from http import HTTPStatus
from types import SimpleNamespace

from aiohttp import HttpVersion10, HttpVersion11
from multidict import CIMultiDict

from aioresponses import CallbackResult
from aioresponses._replies.encoding import KeptAnswer, json_dumps


def call():
    raise AssertionError("these replies do not depend on the call")


class KeptAnswerTest(unittest.TestCase):
    """From outside, only the time shows whether an answer is kept or encoded again."""

    def is_kept(self, result, method="GET", dumps=json_dumps, change=lambda: None, version=HttpVersion11, **headers):
        """Return whether two requests get one and the same answer, with a change between them."""
        request = SimpleNamespace(method=method, version=version, headers=CIMultiDict(headers))
        asked = SimpleNamespace(request=request, call=call)
        answer = KeptAnswer(result, dumps)
        first = answer.to(asked)
        change()
        return answer.to(asked) is first

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
        self.assertFalse(self.is_kept(CallbackResult(body="text"), version=HttpVersion10))
        self.assertFalse(self.is_kept(CallbackResult(body="text"), Connection="close"))
        self.assertFalse(self.is_kept(CallbackResult(payload="text"), dumps=json.dumps))
