"""A `MultipartWriter` as a body: it is sent as a real server sends it, with its own content type."""

import io
import tempfile
import unittest

from aiohttp import ClientSession, MultipartReader, MultipartWriter, web

from aioresponses import CallbackResult, aioresponses

from ..servers import ServerTestCase, seen
from ..support import SITE, AskingTestCase


def parts(subtype="mixed"):
    writer = MultipartWriter(subtype, boundary="part")
    writer.append_json({"id": 7})
    writer.append("21 °C")
    writer.append(b"\x00\x01", {"Content-Type": "application/octet-stream"})
    return writer


def form():
    writer = MultipartWriter("form-data", boundary="part")
    writer.append("Ada").set_content_disposition("form-data", name="name")
    return writer


def nested():
    writer = MultipartWriter("mixed", boundary="outer")
    writer.append(parts("alternative"))
    return writer


def with_encoding():
    writer = MultipartWriter("mixed", boundary="part")
    writer.append("text " * 100, {"Content-Encoding": "gzip"})
    writer.append("text", {"Content-Transfer-Encoding": "base64"})
    return writer


def with_file():
    writer = MultipartWriter("mixed", boundary="part")
    writer.append(io.BytesIO(b"x" * 200_000))
    writer.append(io.StringIO("text"))
    return writer


def with_iterator():
    async def pieces():
        yield b"one"
        yield b"two"

    writer = MultipartWriter("mixed", boundary="part")
    writer.append(pieces())
    return writer


ALL = [parts, form, nested, with_encoding, with_file, with_iterator, lambda: MultipartWriter("mixed", boundary="part")]


class LikeAServerTest(ServerTestCase):
    async def check(self, make, reply, method="GET", **options):
        async def handle(request):
            return web.Response(body=make(), **options)

        url = await self.serve(web.route("*", "/", handle))

        async def scenario():
            async with ClientSession() as session:
                async with session.request(method, url) as response:
                    return await seen(response)

        return (await self.compare(scenario, lambda mock: mock.add(url, method, **reply))).seen

    async def test_content_type_length_and_body(self):
        for make in ALL:
            for name, reply in (
                ("body", {"body": make()}),
                ("function", {"body": lambda: make()}),
                ("function of the call", {"body": lambda call: make()}),
                ("callback", {"callback": lambda call: CallbackResult(body=make())}),
                ("replies", {"replies": [{"body": make()}]}),
            ):
                with self.subTest(name, make=make):
                    response = await self.check(make, reply)
                    self.assertTrue(response.header("Content-Type").startswith("multipart/"))

    async def test_a_length_is_announced_where_it_is_known(self):
        known = await self.check(parts, {"body": parts()})
        self.assertEqual(known.header("Content-Length"), str(len(known.body)))
        unknown = await self.check(with_iterator, {"body": with_iterator()})
        self.assertEqual(unknown.header("Transfer-Encoding"), "chunked")

    async def test_a_head_has_its_headers(self):
        self.assertEqual((await self.check(parts, {"body": parts()}, "HEAD")).body, b"")

    async def test_a_given_content_type_takes_precedence_over_that_of_the_multipart(self):
        for given in ({"headers": {"Content-Type": "text/plain"}}, {"content_type": "text/plain"}):
            with self.subTest(given):
                # aiohttp's server takes the type of such a body among the headers alone.
                await self.check(parts, {"body": parts(), **given}, headers={"Content-Type": "text/plain"})


class ReadBackTest(AskingTestCase):
    async def test_its_parts_can_be_read(self):
        self.mock.get(SITE, body=parts())
        async with self.session.get(SITE) as response:
            reader = MultipartReader.from_response(response)
            self.assertEqual(await (await reader.next()).json(), {"id": 7})
            self.assertEqual(await (await reader.next()).text(), "21 °C")
            self.assertEqual(await (await reader.next()).read(), b"\x00\x01")
            self.assertIsNone(await reader.next())

    async def test_a_multipart_can_be_sent_more_than_once_if_its_parts_can(self):
        for make in (parts, form, nested, with_encoding):
            for repeat in (2, True):
                with self.subTest(make, repeat=repeat):
                    self.mock.clear()
                    self.mock.get(SITE, body=make(), repeat=repeat)
                    first, second = [await (await self.session.get(SITE)).read() for _ in range(2)]
                    self.assertEqual(first, second)
                    self.assertGreater(len(first), 50)

    async def test_a_multipart_is_compressed_like_any_body(self):
        self.mock.get(SITE, body=parts(), headers={"Content-Encoding": "gzip"})
        self.mock.get(SITE, body=parts())
        compressed, plain = await self.ask_often(2)
        self.assertEqual(compressed, plain)

    async def test_what_a_part_raises_reaches_the_reader(self):
        async def pieces():
            yield b"one"
            raise LookupError("no more")

        writer = MultipartWriter("mixed", boundary="part")
        writer.append(pieces())
        self.mock.get(SITE, body=writer)
        async with self.session.get(SITE) as response:
            self.assertEqual(response.status, 200)
            with self.assertRaises(LookupError):
                await response.read()


class RefusedMultipartTest(unittest.TestCase):
    def test_parts_that_are_used_up_do_not_go_with_repeat(self):
        with tempfile.TemporaryFile() as file:
            def with_file_within():
                writer = MultipartWriter("mixed", boundary="part")
                inner = MultipartWriter("mixed", boundary="inner")
                inner.append(file)
                writer.append(inner)
                return writer

            for make in (with_file, with_file_within):
                with self.assertRaises(ValueError) as raised:
                    aioresponses().get(SITE, body=make(), repeat=2)
                self.assertEqual(
                    str(raised.exception),
                    "body: a multipart body with a file or an iterator in it can be sent only once; with repeat, "
                    "pass a function that makes one",
                )
                aioresponses().get(SITE, body=make, repeat=2)

    def test_a_type_that_cannot_be_sent(self):
        for subtype, message in (
            ("a\r\nX: 1", "body: expected a str without CR, LF or NUL, got 'multipart/a\\r\\nX: 1; boundary=part'"),
            (
                "a\ud800",
                "body: expected text without surrogates, which UTF-8 cannot encode, got '\\ud800' at index 11",
            ),
        ):
            writer = MultipartWriter(subtype, boundary="part")
            for refused in (lambda: aioresponses().get(SITE, body=writer), lambda: CallbackResult(body=writer)):
                with self.assertRaises(ValueError) as raised:
                    refused()
                self.assertEqual(str(raised.exception), message)
