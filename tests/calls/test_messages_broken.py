"""Reading requests that no parser takes, and bodies that are not what their headers say, raises no parser's error."""

import gzip
import random
import re
import unittest
import zlib

from aiohttp import ClientSession
from multidict import CIMultiDict

from aioresponses._calls.exchange import Exchange
from aioresponses._calls.messages import parse_request
from aioresponses._calls.record import RequestCall
from yarl import URL

from ..servers import OK, ServerTestCase
from ..support import SITE, AskingTestCase

READ = ("url", "query", "headers", "cookies", "body", "text", "json", "form", "multipart")


def call_of(sent):
    """Return the call of a request that was written so."""
    exchange = Exchange("POST", URL(SITE), URL(SITE), {})
    exchange.receive(sent)
    return RequestCall.of(exchange)


def reading(call):
    """Read all there is of a call; return the names of what is not there."""
    failed = []
    for name in READ:
        try:
            value = getattr(call, name)
            if callable(value):
                value()
        except ValueError as error:
            # What Python and aiohttp say of it stands behind the name of the call.
            if not str(error).startswith("the body of POST http://example.com/ "):
                raise
            failed.append(name)
    return failed


def body_of(headers, body):
    return call_of(
        b"POST / HTTP/1.1\r\n" + b"".join(name + b": " + value + b"\r\n" for name, value in headers) + b"\r\n" + body
    ).body


class SentAsItIsTest(ServerTestCase):
    async def compare_headers(self, headers, **options):
        async def answers(writer, before):
            writer.write(OK)

        url = await self.serve_raw(answers)

        async def scenario():
            async with ClientSession() as session:
                async with session.post(url, headers=headers, **options) as response:
                    return response.status

        await self.compare(scenario, lambda mock: mock.post(url))

    async def test_headers_that_ask_for_another_protocol(self):
        for headers in (
            {"Connection": "upgrade", "Upgrade": "websocket"},
            {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQ"},
        ):
            with self.subTest(**headers):
                await self.compare_headers(headers, data=b"body")

    async def test_headers_that_a_parser_refuses(self):
        for headers in (
            {"X-Empty": ""},
            {"X-Long": "x" * 50_000},
            CIMultiDict(("X-Many", str(number)) for number in range(300)),
            {"Host": "two words, and a /"},
        ):
            with self.subTest(names=list(headers)[:1]):
                await self.compare_headers(headers, data=b"body")

    async def test_an_announced_length_that_is_not_that_of_the_body(self):
        await self.compare_headers({"Content-Length": "2"}, data=b"body")


class UnreadableTest(AskingTestCase):
    async def test_an_unusual_method(self):
        for method in ("CONNECT", "M-SEARCH", "PRI", "x", "get"):
            call = await self.call(method, data=b"body", headers={"X-Id": "7"})
            self.assertEqual((call.body, call.headers["X-Id"]), (b"body", "7"))

    async def test_a_target_that_is_no_ascii(self):
        url = URL(SITE + "\u00fc?\u00fc", encoded=True)
        self.mock.post(re.compile(""))
        await self.session.post(url, data=b"body")
        [call] = self.mock.calls
        self.assertEqual((call.url, call.body, call.headers["Host"]), (str(url), b"body", "example.com"))

    async def test_a_body_that_is_announced_in_chunks_and_comes_without(self):
        for body in (b"body", b"beef", b"5\r\nbody", b"-1\r\n\r\n", b"4\r\nbody", b"3\r\nbody\r\n", b"\r\n"):
            call = await self.call(data=body, headers={"Transfer-Encoding": "chunked"})
            self.assertEqual(call.body, body)

    async def test_text_that_is_nested_too_deeply_to_be_json(self):
        call = await self.call(data=b"[" * 100_000, headers={"Content-Type": "application/json"})
        with self.assertRaises(ValueError) as raised:
            call.json()
        self.assertEqual(
            str(raised.exception),
            f"the body of POST {SITE} is not JSON (it is nested too deeply): it has Content-Type 'application/json' "
            f"and 100000 bytes: '{'[' * 100}'…",
        )

    async def test_an_unknown_charset(self):
        for charset in ("undefined", "a\0b", "hex", "idna", "x" * 1000, "\udcff", "\"", "utf-8; charset=x"):
            call = call_of(
                f"POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded; charset={charset}\r\n\r\n".encode(
                    "utf-8", "surrogateescape"
                ) + b"a=%FF&b=\xff"
            )
            self.assertLessEqual({"text", "form"}, set(reading(call)), charset)


class ParsedTest(unittest.TestCase):
    def test_what_was_not_written_to_its_end(self):
        sent = b"POST / HTTP/1.1\r\nContent-Length: 6\r\nX-Id: 7\r\n\r\nhello"
        for length in range(len(sent) + 1):
            headers, body = parse_request(sent[:length])
            whole = length >= sent.index(b"hello")
            self.assertEqual((dict(headers), body), (
                ({"Content-Length": "6", "X-Id": "7"}, sent[sent.index(b"hello"):length]) if whole else ({}, b"")
            ))

    def test_chunks(self):
        chunked = [(b"Transfer-Encoding", b"chunked")]
        for sent, body in (
            (b"", b""),
            (b"4\r\nbody\r\n", b"body"),
            (b"4\r\nbody\r\n0\r\n\r\n", b"body"),
            (b"1\r\nb\r\n3;a=b\r\nody\r\n0\r\nX-Trailer: 1\r\n\r\n", b"body"),
            (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        ):
            self.assertEqual(body_of(chunked, sent), body)

    def test_bytes_of_headers_that_no_server_takes(self):
        headers, _ = parse_request(
            b"POST / HTTP/1.1\r\nX-A: \xff\r\nX-B:  \xc3\xbc \r\nno header\r\nX-C: \x07\x7f\r\n\r\n"
        )
        self.assertEqual(
            list(headers.items()), [("X-A", "\udcff"), ("X-B", "\u00fc"), ("no header", ""), ("X-C", "\x07\x7f")]
        )

    def test_a_coding_that_is_not_that_of_the_body(self):
        for coding in (b"gzip", b"deflate", b"br", b"zstd", b"x", b"gzip, gzip", b"\xff", b""):
            self.assertEqual(body_of([(b"Content-Encoding", coding)], b"body"), b"body", coding)

    def test_a_coded_body_that_was_not_written_to_its_end_is_there_as_far_as_it_goes(self):
        coded = gzip.compress(random.Random(1).randbytes(10_000))
        body = body_of([(b"Content-Encoding", b"gzip")], coded[:5000])
        self.assertTrue(gzip.decompress(coded).startswith(body))
        self.assertGreater(len(body), 4000)

    def test_a_huge_number_for_a_length(self):
        self.assertEqual(body_of([(b"Content-Length", b"9" * 5000)], b"body"), b"body")


class FuzzTest(unittest.TestCase):
    """Requests with bytes that are changed, left out and doubled at random."""

    BODIES = (
        (b"application/json", b'{"a": [1, "\\u00fc", null, 1e5]}'),
        (b"application/x-www-form-urlencoded; charset=latin-1", b"a=1&b=%E9&c"),
        (
            b"multipart/form-data; boundary=bound",
            b'--bound\r\nContent-Disposition: form-data; name="a"; filename="b"\r\nContent-Type: text/plain\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--bound\r\n"
            b'Content-Disposition: form-data; name="c"\r\n\r\nd\r\n--bound--\r\n',
        ),
        (
            b"multipart/mixed; boundary=bound",
            b"--bound\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\nContent-Encoding: gzip\r\n\r\n"
            + zlib.compress(b"hello") + b"\r\n--in--\r\n--bound--\r\n",
        ),
        (b"text/plain; charset=utf-16", "text".encode("utf-16")),
    )

    def request(self, chance):
        kind, body = chance.choice(self.BODIES)
        headers = [
            b"Host: example.com", b"Content-Type: " + kind, b"Cookie: a=1; b=\"x\\303\"; c", b"X-Api-Key: 7",
        ]
        coding = chance.choice((b"", b"gzip", b"deflate", b"br", b"zstd"))
        if coding:
            headers.append(b"Content-Encoding: " + coding)
            body = {b"gzip": gzip.compress, b"deflate": zlib.compress}.get(coding, bytes)(body)
        if chance.random() < 0.5:
            cut = chance.randrange(len(body))
            headers.append(b"Transfer-Encoding: chunked")
            body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[:cut], body[cut:], b"") if piece)
            body += b"0\r\n\r\n"
        else:
            headers.append(b"Content-Length: %d" % len(body))
        line = chance.choice((b"POST / HTTP/1.1", b"CONNECT a:1 HTTP/1.0", b"x \xff HTTP/1.1", b"GET * HTTP/1.1"))
        return b"\r\n".join([line, *headers, b"", body])

    def test_reading_raises_nothing_but_value_errors_that_name_the_call(self):
        chance = random.Random(12)
        for number in range(3000):
            sent = bytearray(self.request(chance))
            for _ in range(chance.choice((0, 1, 2, 10))):
                place = chance.randrange(len(sent))
                kind = chance.randrange(4)
                if kind == 0:
                    sent[place] = chance.randrange(256)
                elif kind == 1:
                    del sent[place:place + chance.randrange(1, 20)]
                elif kind == 2:
                    sent[place:place] = sent[place:place + chance.randrange(1, 20)]
                else:
                    sent[place:place] = chance.choice((b"\r\n", b"\0", b"\xff", b"%", b";", b"\"", b"--bound", b"="))
                if not sent:
                    break
            with self.subTest(number=number, sent=bytes(sent)):
                reading(call_of(bytes(sent)))
