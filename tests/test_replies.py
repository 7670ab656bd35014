import gzip
import unittest
import zlib
from http import HTTPStatus

from aiohttp import ClientResponse, ClientSession
from multidict import CIMultiDict

from aioresponses import AioResponsesTestCase, CallbackResult, RequestCall, aioresponses
from aioresponses.wire import Answer

CALL = RequestCall((), {})
BODIES = "str, bytes, a file object, an iterable or async iterable of these, or a generator function"


class AnswerTest(unittest.TestCase):
    def answer(self, method="GET", **kwargs):
        return CallbackResult(**kwargs).answer(method, CALL)

    def test_has_status_line_content_type_and_length(self):
        self.assertEqual(
            self.answer(body="hé"),
            Answer(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n", b"h\xc3\xa9"),
        )

    def test_registered_headers_come_in_their_order_and_number(self):
        headers = CIMultiDict([("X-Two", "1"), ("x-two", "2"), ("content-type", "text/plain")])
        self.assertEqual(
            self.answer(headers=headers).head,
            b"HTTP/1.1 200 OK\r\nX-Two: 1\r\nx-two: 2\r\ncontent-type: text/plain\r\nContent-Length: 0\r\n\r\n",
        )

    def test_the_reason_is_the_status_own_unless_given(self):
        for kwargs, line in [
            ({"status": 404}, b"HTTP/1.1 404 Not Found"),
            ({"status": 499}, b"HTTP/1.1 499 "),
            ({"status": 999, "reason": "Odd"}, b"HTTP/1.1 999 Odd"),
            ({"status": HTTPStatus.CREATED}, b"HTTP/1.1 201 Created"),
            ({"reason": ""}, b"HTTP/1.1 200 "),
        ]:
            with self.subTest(**kwargs):
                self.assertEqual(self.answer(**kwargs).head.split(b"\r\n")[0], line)

    def test_payload_goes_before_body_even_if_empty(self):
        for payload, body in [({}, b"{}"), ([], b"[]"), (0, b"0"), ("", b'""'), (False, b"false")]:
            with self.subTest(payload=payload):
                self.assertEqual(self.answer(payload=payload, body="other").body, body)

    def test_payload_is_serialised_when_it_is_sent(self):
        payload = {"a": 1}
        result = CallbackResult(payload=payload)
        payload["a"] = 2
        self.assertEqual(result.answer("GET", CALL).body, b'{"a": 2}')

    def test_body_may_be_any_bytes(self):
        for body in (b"x", bytearray(b"x"), memoryview(b"x")):
            with self.subTest(body=body):
                self.assertEqual(self.answer(body=body).body, b"x")

    def test_head_204_and_304_have_no_body(self):
        head = self.answer("HEAD", body="abc")
        self.assertEqual((head.body, head.hang_up), (b"", False))
        self.assertIn(b"\r\nContent-Length: 3\r\n", head.head)
        for status in (204, 304):
            answer = self.answer(status=status, body="abc")
            self.assertEqual(answer.body, b"")
            self.assertNotIn(b"Content-Length", answer.head)

    def test_a_registered_length_is_sent_as_it_is(self):
        self.assertIn(b"\r\nContent-Length: 1234\r\n", self.answer("HEAD", headers={"Content-Length": "1234"}).head)
        self.assertEqual(self.answer(body="abc", headers={"content-length": "3"}).hang_up, False)
        self.assertEqual(self.answer(body="abc", headers={"Content-Length": "9"}).hang_up, True)

    def test_a_chunked_transfer_has_no_length(self):
        answer = self.answer(body="hello", headers={"Transfer-Encoding": "chunked", "Content-Length": "5"})
        self.assertEqual(answer.body, b"5\r\nhello\r\n0\r\n\r\n")
        self.assertNotIn(b"Content-Length", answer.head)
        self.assertEqual(self.answer(headers={"Transfer-Encoding": "chunked"}).body, b"0\r\n\r\n")

    def test_another_transfer_encoding_ends_with_the_connection(self):
        answer = self.answer(body="hello", headers={"Transfer-Encoding": "identity", "Content-Length": "5"})
        self.assertEqual((answer.body, answer.hang_up), (b"hello", True))
        self.assertNotIn(b"Content-Length", answer.head)

    def test_a_plain_body_is_compressed_as_its_headers_say(self):
        answer = self.answer(body="hello", headers={"Content-Encoding": "gzip", "Content-Length": "5"})
        self.assertEqual(gzip.decompress(answer.body), b"hello")
        self.assertIn(b"\r\nContent-Length: %d\r\n" % len(answer.body), answer.head)
        deflated = self.answer(body="hello", headers={"Content-Encoding": "deflate"}).body
        self.assertEqual(zlib.decompress(deflated), b"hello")

    def test_a_compressed_body_is_left_alone(self):
        raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        for encoding, body in [
            ("gzip", gzip.compress(b"hello")),
            ("deflate", zlib.compress(b"hello")),
            ("deflate", raw.compress(b"hello") + raw.flush()),
            ("gzip", b""),
            ("identity", b"hello"),
        ]:
            with self.subTest(encoding=encoding, body=body):
                self.assertEqual(self.answer(body=body, headers={"Content-Encoding": encoding}).body, body)


class RefusedReplyTest(unittest.TestCase):
    def test_wrong_arguments_are_refused_with_name_value_and_expectation(self):
        for kwargs, error, message in [
            ({"status": "200"}, TypeError, "status: expected an int from 200 to 999, or 101, got '200'"),
            ({"status": True}, TypeError, "status: expected an int from 200 to 999, or 101, got True"),
            (
                {"status": 199},
                ValueError,
                "status: expected an int from 200 to 999, or 101, got 199: "
                "aiohttp skips this one, and waits for the one that follows",
            ),
            ({"status": 1000}, ValueError, "status: expected an int from 200 to 999, or 101, got 1000"),
            ({"body": None}, TypeError, f"body: expected {BODIES}, got None"),
            ({"body": 5}, TypeError, f"body: expected {BODIES}, got 5"),
            (
                {"payload": {1}},
                TypeError,
                "payload: expected a value that json can serialise, got {1}: "
                "Object of type set is not JSON serializable",
            ),
            ({"reason": 5}, TypeError, "reason: expected a str, got 5"),
            ({"reason": "a\nb"}, ValueError, "reason: expected a str without CR, LF or NUL, got 'a\\nb'"),
            ({"content_type": None}, TypeError, "content_type: expected a str, got None"),
            (
                {"content_type": "a\r\nX: y"},
                ValueError,
                "content_type: expected a str without CR, LF or NUL, got 'a\\r\\nX: y'",
            ),
            ({"headers": {"X": 5}}, TypeError, "headers: X: expected a str, got 5"),
            (
                {"headers": {"X": "a\r\nY: b"}},
                ValueError,
                "headers: X: expected a str without CR, LF or NUL, got 'a\\r\\nY: b'",
            ),
            ({"headers": {"X Y": "a"}}, ValueError, "headers: expected names that are HTTP tokens, got 'X Y'"),
            (
                {"response_class": 5},
                TypeError,
                "response_class: expected a subclass of aiohttp.ClientResponse, got 5",
            ),
        ]:
            with self.subTest(**kwargs):
                with self.assertRaises(error) as raised:
                    aioresponses().get("http://example.com/", **kwargs)
                self.assertEqual((type(raised.exception), str(raised.exception)), (error, message))

    def test_headers_of_another_type_are_refused(self):
        with self.assertRaises(TypeError) as raised:
            CallbackResult(headers=5)
        self.assertTrue(
            str(raised.exception).startswith("headers: expected a mapping or pairs of str, got 5: "), raised.exception
        )

    def test_a_payload_that_contains_itself_is_refused(self):
        payload = []
        payload.append(payload)
        with self.assertRaises(ValueError) as raised:
            aioresponses().get("http://example.com/", payload=payload)
        self.assertEqual(
            str(raised.exception),
            "payload: expected a value that json can serialise, got [[...]]: Circular reference detected",
        )

    def test_payload_goes_before_a_body_of_no_use(self):
        self.assertEqual(CallbackResult(payload=1, body=None).answer("GET", CALL).body, b"1")


class ResponseClassTest(AioResponsesTestCase):
    class Own(ClientResponse):
        pass

    async def test_a_mock_can_have_its_own(self):
        self.mock.get("http://example.com/", response_class=self.Own, body="x")
        async with ClientSession() as session:
            response = await session.get("http://example.com/")
            self.assertEqual((type(response), await response.read()), (self.Own, b"x"))

    async def test_a_callback_can_choose_one(self):
        self.mock.get(
            "http://example.com/", callback=lambda url, **kwargs: CallbackResult(response_class=self.Own, body="x")
        )
        async with ClientSession() as session:
            response = await session.get("http://example.com/")
            self.assertEqual((type(response), await response.read()), (self.Own, b"x"))


class ReplyReprTest(unittest.TestCase):
    def test_says_the_status(self):
        self.assertEqual(repr(CallbackResult(status=404)), "CallbackResult(status=404)")
