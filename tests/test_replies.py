import asyncio
import errno
import gzip
import io
import itertools
import json
import threading
import time
import unittest
import zlib
from collections import OrderedDict
from decimal import Decimal
from http import HTTPStatus
from http.cookies import SimpleCookie

from aiohttp import ClientResponse, ClientResponseError, ClientSession, CookieJar, web
from multidict import CIMultiDict
from yarl import URL

from aioresponses import AioResponsesTestCase, CallbackResult, Fault, aioresponses
from aioresponses._calls.record import Exchange
from aioresponses._client.transport import Answer
from aioresponses._replies.encoding import KeptAnswer, encode, json_dumps
from tests.support import RepliesTestCase, seen

SITE = "http://example.com/"
ASKED = Exchange("GET", URL("http://example.com/"), URL("http://example.com/"), {})
BODIES = "str, bytes, a file object, an iterable or async iterable of these, or a generator function"


class AnswerTest(unittest.TestCase):
    def answer(self, method="GET", **kwargs):
        return encode(CallbackResult(**kwargs), method, ASKED, json.dumps)

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

    def test_of_a_fault_without_a_response_no_body_is_asked_for(self):
        asked = []
        for fault in (Fault.CONNECTION_RESET, Fault.EMPTY_RESPONSE, Fault.MALFORMED_RESPONSE):
            for name in ("body", "payload", "events"):
                self.answer(fault=fault, **{name: lambda: asked.append(name) or ["x"]})
        self.assertEqual(asked, [])

    def test_payload_goes_before_body_even_if_empty(self):
        for payload, body in [({}, b"{}"), ([], b"[]"), (0, b"0"), ("", b'""'), (False, b"false")]:
            with self.subTest(payload=payload):
                self.assertEqual(self.answer(payload=payload, body="other").body, body)

    def test_payload_is_serialised_when_it_is_sent(self):
        payload = {"a": 1}
        result = CallbackResult(payload=payload)
        payload["a"] = 2
        self.assertEqual(encode(result, "GET", ASKED, json.dumps).body, b'{"a": 2}')

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

    def test_behind_the_head_of_a_head_the_connection_stays_open(self):
        for headers in ({"Transfer-Encoding": "identity"}, {"Content-Length": "1234"}):
            with self.subTest(**headers):
                self.assertIs(self.answer("GET", body="abc", headers=headers).hang_up, True)
                self.assertIs(self.answer("HEAD", body="abc", headers=headers).hang_up, False)

    def test_a_registered_length_is_sent_as_it_is(self):
        self.assertIn(b"\r\nContent-Length: 1234\r\n", self.answer("HEAD", headers={"Content-Length": "1234"}).head)
        self.assertEqual(self.answer(body="abc", headers={"content-length": "3"}).hang_up, False)
        self.assertEqual(self.answer(body="abc", headers={"content-length": " 3 "}).hang_up, False)
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


class StreamedAnswerTest(unittest.IsolatedAsyncioTestCase):
    async def test_of_a_file_that_grows_what_is_announced_is_sent(self):
        file = io.BytesIO(b"abcdef")
        answer = encode(CallbackResult(body=file), "GET", ASKED, json.dumps)
        self.assertTrue(answer.head.endswith(b"\r\nContent-Length: 6\r\n\r\n"))
        file.seek(0, io.SEEK_END)
        file.write(b"ghi")
        file.seek(0)
        self.assertEqual([piece async for piece in answer.body], [b"abcdef"])

    async def test_a_truncated_one_asks_for_no_more_than_it_sends(self):
        asked = []

        def letters():
            for letter in "abcdef":
                asked.append(letter)
                yield letter

        result = CallbackResult(body=letters, headers={"Content-Length": "6"}, fault=Fault.TRUNCATED_BODY)
        answer = encode(result, "GET", ASKED, json.dumps)
        self.assertEqual(([piece async for piece in answer.body], answer.hang_up), ([b"a", b"b", b"c"], True))
        self.assertEqual(asked, ["a", "b", "c"])


class KeptAnswerTest(unittest.TestCase):
    def is_kept(self, result, method="GET", dumps=json_dumps, change=lambda: None):
        """Return whether two requests get one and the same answer, with a change between them."""
        answer = KeptAnswer(result, dumps)
        first = answer.to(method, ASKED)
        change()
        return answer.to(method, ASKED) is first

    def test_of_text_bytes_and_payloads_that_are_the_same(self):
        for reply in (
            {}, {"body": "text"}, {"body": b"bytes"}, {"status": 204}, {"payload": ""}, {"payload": {"a": [1, 2.5]}},
            {"body": "text", "headers": {"Content-Encoding": "gzip"}},
        ):
            for method in ("GET", "POST"):
                with self.subTest(method, **reply):
                    self.assertTrue(self.is_kept(CallbackResult(**reply), method))

    def test_of_a_payload_that_changes_none_is_kept(self):
        for before, after in (([1], [True]), ([1], [1.0]), ([0.0], [-0.0]), (["1"], [1]), ([None], [])):
            with self.subTest(before=before, after=after):
                payload = list(before)

                def change():
                    payload[:] = after

                self.assertFalse(self.is_kept(CallbackResult(payload=payload), change=change))

    def test_where_more_than_a_payload_decides_none_is_kept(self):
        for reply in (
            {"body": bytearray(b"text")}, {"body": ["te", "xt"]}, {"body": lambda: "text"}, {"events": ["text"]},
            {"payload": lambda: "text"}, {"payload": OrderedDict(a=1)}, {"payload": [HTTPStatus.OK]},
        ):
            with self.subTest(**reply):
                self.assertFalse(self.is_kept(CallbackResult(**reply)))
        self.assertFalse(self.is_kept(CallbackResult(body="text"), "HEAD"))
        self.assertFalse(self.is_kept(CallbackResult(payload="text"), dumps=json.dumps))


class FaultyAnswerTest(unittest.TestCase):
    def answer(self, method="GET", **kwargs):
        return encode(CallbackResult(**kwargs), method, ASKED, json.dumps)

    def test_each_fault_on_the_wire(self):
        for fault, body, hang_up in (
            (Fault.EMPTY_RESPONSE, b"", True),
            (Fault.MALFORMED_RESPONSE, b"This is not HTTP.\r\n\r\n", True),
        ):
            with self.subTest(fault):
                self.assertEqual(self.answer(fault=fault, body="text"), Answer(body, b"", hang_up))
        answer = self.answer(fault=Fault.CONNECTION_RESET, body="text")
        self.assertEqual((answer.head, answer.body), (b"", b""))
        self.assertEqual((type(answer.hang_up), answer.hang_up.errno), (ConnectionResetError, errno.ECONNRESET))

    def test_a_truncated_body_keeps_its_length(self):
        for body, length, sent in (("abcdef", 6, b"abc"), ("abc", 3, b"a"), ("a", 1, b""), ("", 1, b"")):
            with self.subTest(body):
                answer = self.answer(fault=Fault.TRUNCATED_BODY, body=body)
                self.assertTrue(answer.head.endswith(b"\r\nContent-Length: %d\r\n\r\n" % length))
                self.assertEqual((answer.body, answer.hang_up), (sent, True))

    def test_a_truncated_body_is_half_of_what_is_announced_if_that_is_less(self):
        for length, sent in (("4", b"ab"), ("100", b"abc")):
            with self.subTest(length):
                answer = self.answer(fault=Fault.TRUNCATED_BODY, body="abcdef", headers={"Content-Length": length})
                self.assertTrue(answer.head.endswith(b"\r\nContent-Length: %b\r\n\r\n" % length.encode()))
                self.assertEqual((answer.body, answer.hang_up), (sent, True))


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
        self.assertEqual(encode(CallbackResult(payload=1, body=None), "GET", ASKED, json.dumps).body, b"1")


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

    def test_says_the_fault(self):
        self.assertEqual(
            repr(CallbackResult(status=404, fault=Fault.TRUNCATED_BODY)),
            "CallbackResult(status=404, fault=Fault.TRUNCATED_BODY)",
        )


def morsel(name, value, **attributes):
    made = SimpleCookie()
    made[name] = value
    made[name].update(attributes)
    return made[name]


class CookiesTest(RepliesTestCase):
    async def compare(self, cookies, set_cookies, headers=()):
        """Return the headers that set cookies, what the response and the jar make of them, and what is sent next."""

        async def handle(request):
            response = web.Response(headers=CIMultiDict([("Content-Type", "text/plain"), *headers]))
            for name, value, options in set_cookies:
                response.set_cookie(name, value, **options)
            return response

        url, received = await self.received_by(web.route("*", "/{path:.*}", handle))

        def register(mock):
            reply = {"cookies": cookies, "content_type": "text/plain", "headers": headers}
            for path in ("deep/first", "deep/second", "other"):
                mock.get(url / path, **reply)

        async def scenario(session):
            # Sessions keep no cookies of IP addresses otherwise.
            async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
                async with session.get(url / "deep/first") as response:
                    first = await seen(response)
                    kept = [dict(cookie) | {"": cookie.value} for cookie in session.cookie_jar]
                for path in ("deep/second", "other"):
                    async with session.get(url / path) as response:
                        await response.read()
            return [item for item in first.headers if item[0] == "Set-Cookie"], first.cookies, kept

        outcome = await self.hold_against(received, register, scenario)
        return outcome.seen[0], [request.header("Cookie") for request in outcome.received]

    async def test_names_and_values(self):
        self.assertEqual(
            await self.compare({"a": "1", "b": "2"}, [("a", "1", {}), ("b", "2", {})]),
            ([("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/")], [None, "a=1; b=2", "a=1; b=2"]),
        )

    async def test_values_that_want_quotes(self):
        for value in ("", "b c", 'with "quotes"', "a;b", "a,b", "ü", "a\\b", "line\nend"):
            with self.subTest(value):
                headers, _ = await self.compare({"a": value}, [("a", value, {})])
                self.assertEqual(len(headers), 1)

    async def test_morsels_have_attributes_of_their_own(self):
        for attributes, options in (
            ({"path": "/deep"}, {"path": "/deep"}),
            ({"path": "/", "max-age": "60"}, {"max_age": 60}),
            ({"path": "/", "max-age": "0"}, {"max_age": 0}),
            ({"path": "/", "httponly": True}, {"httponly": True}),
            ({"path": "/", "samesite": "Strict"}, {"samesite": "Strict"}),
            ({"path": "/", "secure": True}, {"secure": True}),
            (
                {"path": "/", "expires": "Wed, 01 Jan 2070 00:00:00 GMT"},
                {"expires": "Wed, 01 Jan 2070 00:00:00 GMT"},
            ),
        ):
            with self.subTest(**attributes):
                cookies = {"a": morsel("a", "1", **attributes), "b": "2"}
                headers, sent = await self.compare(cookies, [("a", "1", options), ("b", "2", {})])
                self.assertEqual(len(headers), 2)

    async def test_beside_headers_that_set_cookies(self):
        headers, sent = await self.compare(
            {"a": "1"}, [("a", "1", {})], [("Set-Cookie", "b=2; Path=/"), ("Set-Cookie", "c=3; Path=/")]
        )
        self.assertEqual(sent[1], "a=1; b=2; c=3")

    async def test_none(self):
        for cookies in (None, {}):
            self.assertEqual(await self.compare(cookies, []), ([], [None, None, None]))

    async def test_a_redirect_may_set_them(self):
        async def start(request):
            response = web.Response(status=302, headers={"Location": "/end"})
            response.set_cookie("a", "1")
            return response

        async def end(request):
            return web.Response(body=request.headers["Cookie"].encode())

        url, received = await self.received_by(web.get("/start", start), web.get("/end", end))

        def register(mock):
            mock.get(url / "start", status=302, headers={"Location": "/end"}, cookies={"a": "1"})
            mock.get(url / "end", body=lambda call: call.headers["Cookie"])

        async def scenario(session):
            async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
                async with session.get(url / "start") as response:
                    return await response.read()

        self.assertEqual((await self.hold_against(received, register, scenario)).seen, b"a=1")

    def test_what_cannot_be_a_cookie_is_refused(self):
        for cookies, error, message in (
            ([("a", "1")], TypeError, "cookies: expected a mapping of names and values, got [('a', '1')]"),
            ("a=1", TypeError, "cookies: expected a mapping of names and values, got 'a=1'"),
            ({"a": 1}, TypeError, "cookies: expected names and values of str, got 'a': 1"),
            ({"a": None}, TypeError, "cookies: expected names and values of str, got 'a': None"),
            ({1: "a"}, TypeError, "cookies: expected names and values of str, got 1: 'a'"),
            (
                {"a b": "1"},
                ValueError,
                "cookies: expected names that cookies can have, got 'a b': Illegal key 'a b'",
            ),
            ({"": "1"}, ValueError, "cookies: expected names that cookies can have, got '': Illegal key ''"),
        ):
            with self.subTest(cookies):
                with self.assertRaises(error) as raised:
                    aioresponses().get("http://example.com/", cookies=cookies)
                self.assertEqual((type(raised.exception), str(raised.exception)), (error, message))


class JsonDumpsTest(unittest.IsolatedAsyncioTestCase):
    @staticmethod
    def as_text(data):
        return f"<{data}>"

    @staticmethod
    def as_bytes(data):
        return f"<{data}>".encode()

    async def read(self, url="http://example.com/"):
        async with ClientSession() as session:
            async with session.get(url) as response:
                return await response.read()

    async def test_as_an_argument(self):
        for dumps in (self.as_text, self.as_bytes, lambda data: bytearray(self.as_bytes(data))):
            with aioresponses(json_dumps=dumps) as mock:
                mock.get("http://example.com/", payload={"a": 1})
                self.assertIs(mock.json_dumps, dumps)
                self.assertEqual(await self.read(), b"<{'a': 1}>")

    async def test_as_an_attribute_it_holds_for_mocks_from_then_on(self):
        with aioresponses() as mock:
            mock.get("http://example.com/", payload={"a": 1}, repeat=True)
            mock.json_dumps = self.as_bytes
            mock.get("http://example.com/then", payload={"a": 1})
            mock.json_dumps = json.dumps
            self.assertEqual(await self.read(), b'{"a": 1}')
            self.assertEqual(await self.read("http://example.com/then"), b"<{'a': 1}>")

    async def test_it_holds_for_callbacks_sequences_and_payload_functions(self):
        with aioresponses(json_dumps=self.as_text) as mock:
            for reply in (
                {"callback": lambda call: CallbackResult(payload=[1])},
                {"replies": [{"payload": [1]}]},
                {"replies": [CallbackResult(payload=[1])]},
                {"payload": lambda call: [1]},
            ):
                mock.get("http://example.com/", **reply)
                self.assertEqual(await self.read(), b"<[1]>")
            mock.host("http://example.com").get("/", payload=[1])
            self.assertEqual(await self.read(), b"<[1]>")

    async def test_what_it_can_serialise_may_be_no_json(self):
        with aioresponses(json_dumps=lambda data: json.dumps(sorted(data))) as mock:
            mock.get("http://example.com/", payload={2, 1})
            self.assertEqual(await self.read(), b"[1, 2]")

    def test_what_it_cannot_is_refused_at_registration(self):
        def dumps(data):
            raise error("not this")

        for error in (TypeError, ValueError):
            with self.assertRaises(error) as raised:
                aioresponses(json_dumps=dumps).get("http://example.com/", payload=1)
            self.assertEqual(
                (type(raised.exception), str(raised.exception)),
                (error, "payload: expected a value that json can serialise, got 1: not this"),
            )

    async def test_a_decorated_class_gets_it_for_every_test(self):
        class Decorated(unittest.IsolatedAsyncioTestCase):
            async def test(decorated, mock):
                mock.get("http://example.com/", payload=[1])
                decorated.assertEqual(await self.read(), b"<[1]>")

        result = unittest.TestResult()
        case = aioresponses(json_dumps=self.as_text)(Decorated)("test")
        # It has a loop of its own, which does not run within another.
        thread = threading.Thread(target=case.run, args=(result,))
        thread.start()
        thread.join()
        self.assertEqual((result.testsRun, result.errors, result.failures), (1, [], []))


class Price(float):
    """A number that json serialises in a way of its own."""

    def __repr__(self):
        return "a price"


class RepeatedReplyTest(AioResponsesTestCase):
    """A mock that answers more than once says each time what it is to say by then."""

    async def asyncSetUp(self):
        self.session = self.client_session()

    async def told(self, method="GET"):
        async with self.session.request(method, SITE) as response:
            return response.status, response.headers.get("Content-Length"), await response.text()

    async def texts(self, count):
        return [(await self.told())[2] for _ in range(count)]

    async def test_a_payload_that_is_changed_between_two_requests(self):
        payload = {"names": ["Ada"], "more": {"by": {}}}
        self.mock.get(SITE, payload=payload, repeat=True)
        texts = await self.texts(2)
        payload["names"].append("Grace")
        texts += await self.texts(2)
        payload["more"]["by"]["id"] = (1, True, 1.0, None)
        texts += await self.texts(2)
        del payload["more"]
        texts += await self.texts(2)
        payload["names"].pop()
        texts += await self.texts(1)
        expected = [
            {"names": ["Ada"], "more": {"by": {}}},
            {"names": ["Ada", "Grace"], "more": {"by": {}}},
            {"names": ["Ada", "Grace"], "more": {"by": {"id": [1, True, 1.0, None]}}},
            {"names": ["Ada", "Grace"]},
        ]
        self.assertEqual(texts, [json.dumps(each) for each in expected for _ in range(2)] + ['{"names": ["Ada"]}'])

    async def test_a_payload_that_is_replaced_by_one_that_compares_equal_to_it(self):
        payload = [None]
        self.mock.get(SITE, payload=payload, repeat=True)
        texts = []
        for value in (1, True, 1.0, 0, -0.0, 0.0, False, "", None, [], (), {}, {"a": 1, "b": 2}, {"b": 2, "a": 1}):
            payload[0] = value
            texts += await self.texts(2)
        self.assertEqual(
            texts[::2],
            [
                "[1]", "[true]", "[1.0]", "[0]", "[-0.0]", "[0.0]", "[false]", '[""]', "[null]", "[[]]", "[[]]", "[{}]",
                '[{"a": 1, "b": 2}]', '[{"b": 2, "a": 1}]',
            ],
        )
        self.assertEqual(texts[1::2], texts[::2])

    async def test_a_payload_that_becomes_one_that_cannot_be_serialised(self):
        payload = ["text"]
        self.mock.get(SITE, payload=payload, repeat=True)
        texts = await self.texts(1)
        payload[0] = {1}
        with self.assertRaises(TypeError) as raised:
            await self.told()
        self.assertEqual(
            str(raised.exception),
            "payload: expected a value that json can serialise, got [{1}]: Object of type set is not JSON serializable",
        )
        payload[0] = b"bytes"
        with self.assertRaises(TypeError):
            await self.told()
        payload[0] = "text"
        self.assertEqual(texts + await self.texts(1), ['["text"]'] * 2)

    async def test_a_payload_of_types_that_cannot_be_packed(self):
        class Own(dict):
            pass

        class Names(list):
            pass

        class Text(str):
            pass

        payload = {
            "own": Own(a=1), "names": Names([1]), "text": Text("x"), "status": HTTPStatus.OK, "price": Price(1),
            "ordered": OrderedDict(a=1),
        }
        self.mock.get(SITE, payload=payload, repeat=True)
        texts = await self.texts(2)
        payload["own"]["a"] = 2
        payload["names"].append(2)
        payload["ordered"]["b"] = 2
        texts += await self.texts(2)
        first = '{"own": {"a": 1}, "names": [1], "text": "x", "status": 200, "price": 1.0, "ordered": {"a": 1}}'
        then = (
            '{"own": {"a": 2}, "names": [1, 2], "text": "x", "status": 200, "price": 1.0, '
            '"ordered": {"a": 1, "b": 2}}'
        )
        self.assertEqual(texts, [first, first, then, then])

    async def test_a_payload_that_a_serialiser_of_one_s_own_can_serialise(self):
        payload = {"price": Decimal("1.50"), "more": {1}}
        self.mock.json_dumps = lambda data: json.dumps(data, default=str)
        self.mock.get(SITE, payload=payload, repeat=True)
        texts = await self.texts(2)
        payload["price"] = Decimal("1.5")
        texts += await self.texts(2)
        self.assertEqual(
            texts, ['{"price": "1.50", "more": "{1}"}'] * 2 + ['{"price": "1.5", "more": "{1}"}'] * 2
        )

    async def test_a_serialiser_of_one_s_own_is_called_for_each_reply(self):
        def dumps(data):
            nonlocal count
            count += 1
            return json.dumps([count, data])

        count = 0
        self.mock.json_dumps = dumps
        self.mock.get(SITE, payload="x", repeat=True)
        # Once to see whether it can.
        self.assertEqual(await self.texts(3), ['[2, "x"]', '[3, "x"]', '[4, "x"]'])

    async def test_a_serialiser_that_is_that_of_the_standard_library_is_called_as_well(self):
        payload = ["x"]
        self.mock.json_dumps = json.dumps
        self.mock.get(SITE, payload=payload, repeat=True)
        texts = await self.texts(2)
        payload.append("y")
        self.assertEqual(texts + await self.texts(1), ['["x"]', '["x"]', '["x", "y"]'])

    async def test_a_payload_that_is_a_function_is_called_for_each_reply(self):
        count = itertools.count()
        self.mock.get(SITE, payload=lambda: [next(count)], repeat=True)
        self.assertEqual(await self.texts(3), ["[0]", "[1]", "[2]"])

    async def test_a_body_that_is_replaced(self):
        result = CallbackResult(body="first")
        self.mock.get(SITE, replies=[result], repeat=True)
        told = []
        for body in ("first", "second", b"second", "", bytearray(b"third"), "fourth", ["fi", "fth"], "first"):
            result.body = body
            told += [await self.told() for _ in range(2)]
        self.assertEqual(
            [(length, text) for _, length, text in told[::2]],
            [
                ("5", "first"), ("6", "second"), ("6", "second"), ("0", ""), ("5", "third"), ("6", "fourth"),
                (None, "fifth"), ("5", "first"),
            ],
        )
        self.assertEqual(told[1::2], told[::2])

    async def test_a_body_that_changes_in_its_place(self):
        body = bytearray(b"first")
        self.mock.get(SITE, body=body, repeat=True)
        texts = await self.texts(2)
        body[:] = b"second"
        self.assertEqual(texts + await self.texts(2), ["first", "first", "second", "second"])

    async def test_a_result_that_is_given_another_status_or_other_headers(self):
        result = CallbackResult(body="text")
        self.mock.get(SITE, replies=[result], repeat=True)
        told = []
        for change in (
            lambda: None,
            lambda: setattr(result, "status", 404),
            lambda: setattr(result, "reason", "Gone for good"),
            lambda: setattr(result, "content_type", "text/plain"),
            lambda: result.headers.add("X-Id", "1"),
            lambda: result.headers.add("X-Id", "2"),
            lambda: setattr(result, "headers", CIMultiDict({"X-Id": "3"})),
        ):
            change()
            async with self.session.get(SITE) as response:
                told.append((
                    response.status, response.reason, response.content_type, response.headers.getall("X-Id", []),
                    await response.text("utf-8"),
                ))
        self.assertEqual(
            told,
            [
                (200, "OK", "application/json", [], "text"),
                (404, "Not Found", "application/json", [], "text"),
                (404, "Gone for good", "application/json", [], "text"),
                (404, "Gone for good", "text/plain", [], "text"),
                (404, "Gone for good", "text/plain", ["1"], "text"),
                (404, "Gone for good", "text/plain", ["1", "2"], "text"),
                (404, "Gone for good", "text/plain", ["3"], "text"),
            ],
        )

    async def test_a_result_that_is_given_a_delay_or_a_fault(self):
        result = CallbackResult(body="text")
        self.mock.get(SITE, replies=[result], repeat=True)
        texts = await self.texts(1)
        result.fault = Fault.MALFORMED_RESPONSE
        with self.assertRaises(ClientResponseError):
            await self.told()
        result.fault = None
        result.delay = 0.05
        started = time.perf_counter()
        texts += await self.texts(1)
        self.assertGreaterEqual(time.perf_counter() - started, 0.04)
        self.assertEqual(texts, ["text", "text"])

    async def test_a_result_that_is_given_a_payload_or_events(self):
        result = CallbackResult(body="text")
        self.mock.get(SITE, replies=[result], repeat=True)
        texts = await self.texts(1)
        result.payload = {"a": 1}
        texts += await self.texts(1)
        result.payload = None
        texts += await self.texts(1)
        result.body, result.events = "", lambda: ["event"]
        texts += await self.texts(2)
        self.assertEqual(texts, ["text", '{"a": 1}', "text", "data: event\n\n", "data: event\n\n"])

    async def test_one_result_for_several_mocks_and_methods(self):
        result = CallbackResult(payload={"a": 1})
        for method in ("GET", "HEAD", "POST"):
            self.mock.add(SITE, method, replies=[result], repeat=True)
        length = str(len('{"a": 1}'))
        for _ in range(2):
            self.assertEqual(
                [await self.told(method) for method in ("GET", "HEAD", "POST", "HEAD", "GET")],
                [
                    (200, length, '{"a": 1}'), (200, length, ""), (200, length, '{"a": 1}'), (200, length, ""),
                    (200, length, '{"a": 1}'),
                ],
            )

    async def test_one_callback_that_returns_the_same_result_to_several_methods(self):
        result = CallbackResult(body="text")
        for method in ("GET", "HEAD"):
            self.mock.add(SITE, method, callback=lambda call: result, repeat=True)
        for _ in range(2):
            self.assertEqual(
                [await self.told(method) for method in ("HEAD", "GET", "HEAD", "GET")],
                [(200, "4", ""), (200, "4", "text")] * 2,
            )

    async def test_a_head_is_answered_without_a_body_each_time(self):
        self.mock.head(SITE, body="text", repeat=True)
        self.mock.get(SITE, body="text", repeat=True)
        for method in ("HEAD", "HEAD", "GET", "HEAD", "GET", "GET", "HEAD"):
            expected = "" if method == "HEAD" else "text"
            self.assertEqual(await self.told(method), (200, "4", expected))

    async def test_a_sequence_goes_round(self):
        payload = ["payload"]
        self.mock.get(
            SITE,
            replies=[{"body": "body"}, {"payload": payload}, {"body": lambda: ["str", "eam"]}, {"status": 204}],
            repeat=True,
        )
        expected = [(200, "4", "body"), (200, "11", '["payload"]'), (200, None, "stream"), (204, None, "")]
        self.assertEqual([await self.told() for _ in range(12)], expected * 3)
        payload[0] = "other"
        expected[1] = (200, "9", '["other"]')
        self.assertEqual([await self.told() for _ in range(8)], expected * 2)

    async def test_a_sequence_goes_round_for_requests_side_by_side(self):
        self.mock.get(SITE, replies=[{"body": f"{number}"} for number in range(3)], repeat=True)
        told = await asyncio.gather(*(self.told() for _ in range(9)))
        self.assertEqual([text for _, _, text in told], ["0", "1", "2"] * 3)

    async def test_compressed_and_chunked_bodies_are_the_same_each_time(self):
        for headers in ({"Content-Encoding": "gzip"}, {"Transfer-Encoding": "chunked"}, {"Content-Length": "4"}):
            match = self.mock.get(SITE, body="text", headers=headers, repeat=True)
            self.assertEqual(await self.texts(3), ["text"] * 3)
            match.remove()

    async def test_a_change_while_a_reply_is_on_its_way_is_for_the_next(self):
        large = "x" * 2 ** 20
        result = CallbackResult(body=large)
        self.mock.get(SITE, replies=[result], repeat=True)
        async with self.session.get(SITE) as response:
            result.body = "next"
            self.assertTrue(await response.text() == large)
        self.assertEqual(await self.texts(2), ["next", "next"])


class WithoutBodyTest(RepliesTestCase):
    async def answered(self, method, head, **reply):
        """Return what two requests on one connection came to, with a server that sends this head and no body."""

        async def behave(writer, before):
            writer.write(head)
            return True

        server = await self.raw_server(behave)

        def register(mock):
            mock.add(server.url, method, repeat=True, content_type="text/plain", **reply)

        async def scenario(session):
            responses = []
            for _ in range(2):
                async with session.request(method, server.url) as response:
                    responses.append(await seen(response))
            return responses

        return (await self.hold_against(server.received, register, scenario)).seen[0]

    async def test_a_head_shows_the_length_that_is_registered(self):
        for body in ("", "text", b"text", lambda: ["te", "xt"]):
            with self.subTest(body):
                response = await self.answered(
                    "HEAD",
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1234\r\n\r\n",
                    body=body,
                    headers={"Content-Length": "1234"},
                )
                self.assertEqual((response.header("Content-Length"), response.body), ("1234", b""))

    async def test_a_head_shows_chunks_that_are_not_sent(self):
        for reply in (
            {"body": lambda: ["te", "xt"]}, {"body": "text", "headers": {"Transfer-Encoding": "chunked"}}
        ):
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
            response = await self.answered("HEAD", head, **reply)
            self.assertEqual((response.header("Transfer-Encoding"), response.body), ("chunked", b""))

    async def test_204_and_304(self):
        for status, line in ((204, b"204 No Content"), (304, b"304 Not Modified")):
            for body in ("", "text", lambda: ["te", "xt"]):
                with self.subTest(status, body=body):
                    response = await self.answered(
                        "GET", b"HTTP/1.1 %b\r\nContent-Type: text/plain\r\n\r\n" % line, status=status, body=body
                    )
                    self.assertEqual((response.status, response.body), (status, b""))

    async def test_304_shows_the_length_that_is_registered(self):
        response = await self.answered(
            "GET",
            b"HTTP/1.1 304 Not Modified\r\nContent-Type: text/plain\r\nContent-Length: 1234\r\n\r\n",
            status=304,
            headers={"Content-Length": "1234"},
        )
        self.assertEqual((response.header("Content-Length"), response.body), ("1234", b""))

    async def test_101_is_what_it_is_for_a_protocol_that_follows(self):
        with aioresponses() as mock:
            mock.get(
                "http://example.com/", status=101, body="text", headers={"Upgrade": "own", "Connection": "upgrade"}
            )
            async with ClientSession() as session:
                async with session.get("http://example.com/") as response:
                    self.assertEqual((response.status, response.reason), (101, "Switching Protocols"))
                    self.assertEqual(response.headers["Upgrade"], "own")
                    self.assertNotIn("Content-Length", response.headers)
                    response.close()


class LateRefusalsTest(AioResponsesTestCase):
    """What can only be found wrong when it is used, or by looking twice."""

    def test_a_serialiser_that_is_none(self):
        self.mock.json_dumps = 5
        with self.assertRaises(TypeError) as raised:
            self.mock.get("http://example.com/")
        self.assertEqual(str(raised.exception), "json_dumps: expected a function, got 5")

    def test_a_serialiser_that_returns_something_else(self):
        self.mock.json_dumps = lambda payload: 5
        with self.assertRaises(TypeError) as raised:
            self.mock.get("http://example.com/", payload={})
        self.assertEqual(
            str(raised.exception), "json_dumps: expected a function that returns text or bytes, got 5 from it"
        )

    def test_a_serialiser_holds_for_a_decorated_function_that_runs_within_itself(self):
        mock = aioresponses(json_dumps=str)

        @mock
        def decorated(again, inner):
            return decorated(False) if again else inner.json_dumps

        self.assertIs(decorated(True), str)

    def test_a_morsel_of_another_name(self):
        cookie = SimpleCookie({"b": "1"})["b"]
        with self.assertRaises(ValueError) as raised:
            self.mock.get("http://example.com/", cookies={"a": cookie})
        self.assertEqual(str(raised.exception), "cookies: expected a morsel that is named 'a', got 'b'")

    def test_a_file_that_can_only_be_waited_for(self):
        class Reader:
            async def read(self, size):
                return b""

            def __repr__(self):
                return "Reader()"

        with self.assertRaises(TypeError) as raised:
            self.mock.get("http://example.com/", body=Reader())
        self.assertEqual(
            str(raised.exception), "body: expected a file that is read at once, or an async iterable, got Reader()"
        )
