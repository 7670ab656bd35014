"""Payloads of aiohttp and forms as bodies: they are sent with their own content type."""

import io
import re
import unittest

from aiohttp import ClientSession, FormData, MultipartReader, MultipartWriter, web
from aiohttp.payload import AsyncIterablePayload, BytesIOPayload, BytesPayload, JsonPayload, StringPayload

from aioresponses import CallbackResult, aioresponses

from ..servers import ServerTestCase, seen
from ..support import SITE, AskingTestCase


def stream():
    async def pieces():
        yield b"one"
        yield b"two"

    return AsyncIterablePayload(pieces(), content_type="application/x-pieces")


PAYLOADS = [
    lambda: BytesPayload(b"\x00\x01"),
    lambda: BytesPayload(b"\x89PNG", content_type="image/png"),
    lambda: StringPayload("21 °C"),
    lambda: StringPayload("21 °C", encoding="latin-1", content_type="text/plain; charset=latin-1"),
    lambda: JsonPayload({"id": 7}),
    lambda: BytesIOPayload(io.BytesIO(b"GIF"), content_type="image/gif"),
    stream,
]


def urlencoded():
    return FormData({"name": "Ada", "age": "36"})


def with_file():
    form = FormData()
    form.add_field("name", "Ada")
    form.add_field("file", b"1,2", filename="a.csv", content_type="text/csv")
    return form


class LikeAServerTest(ServerTestCase):
    async def test_a_payload_is_sent_as_a_server_sends_it(self):
        for make in PAYLOADS:
            async def handle(request):
                return web.Response(body=make())

            url = await self.serve(web.get("/", handle))

            async def scenario():
                async with ClientSession() as session, session.get(url) as response:
                    return await seen(response)

            for name, reply in (
                ("body", {"body": make()}),
                ("function", {"body": lambda: make()}),
                ("function of the call", {"body": lambda call: make()}),
                ("callback", {"callback": lambda call: CallbackResult(body=make())}),
                ("replies", {"replies": [{"body": make()}]}),
            ):
                with self.subTest(name, content_type=make().content_type):
                    outcome = await self.compare(scenario, lambda mock: mock.get(url, **reply))
                    self.assertEqual(outcome.seen.header("Content-Type"), make().content_type)


class FormTest(AskingTestCase):
    async def response(self, **reply):
        self.mock.get(SITE, **reply)
        return await self.session.get(SITE)

    async def test_a_form_is_sent_with_its_own_type(self):
        for name, reply in (
            ("body", {"body": urlencoded()}),
            ("function", {"body": urlencoded}),
            ("callback", {"callback": lambda call: CallbackResult(body=urlencoded())}),
            ("replies", {"replies": [{"body": urlencoded()}]}),
        ):
            with self.subTest(name):
                response = await self.response(**reply)
                self.assertEqual(response.headers["Content-Type"], "application/x-www-form-urlencoded")
                self.assertEqual(response.headers["Content-Length"], "15")
                self.assertEqual(await response.read(), b"name=Ada&age=36")

    async def test_parts_of_a_form_with_a_file_can_be_read(self):
        response = await self.response(body=with_file())
        reader = MultipartReader.from_response(response)
        name, file = await reader.next(), None
        self.assertEqual((name.name, await name.text()), ("name", "Ada"))
        file = await reader.next()
        self.assertEqual(
            (file.name, file.filename, file.headers["Content-Type"], await file.read()),
            ("file", "a.csv", "text/csv", b"1,2"),
        )

    async def test_it_can_be_sent_again_and_again(self):
        for make in (urlencoded, with_file, lambda: BytesPayload(b"x"), lambda: StringPayload("x")):
            self.mock.clear()
            self.mock.get(SITE, body=make(), repeat=True)
            first, second = await self.ask_often(2)
            self.assertEqual(first, second)
            self.assertEqual(first[0], 200)


class ContentTypeTest(AskingTestCase):
    """Whoever gives a content type has it sent, even the one that is the default elsewhere."""

    def bodies(self):
        writer = MultipartWriter("mixed", boundary="part")
        writer.append("text")
        image = BytesPayload(b"x", content_type="image/png")
        return [writer, FormData({"a": "1"}), image, lambda: FormData({"a": "1"})]

    async def types(self, **given):
        found = []
        for body in self.bodies():
            self.mock.clear()
            self.mock.get(SITE, body=body, **given)
            async with self.session.get(SITE) as response:
                found.append(response.headers.get("Content-Type"))
        return found

    async def test_it_is_the_body_s_own_by_default(self):
        own = [
            "multipart/mixed; boundary=part", "application/x-www-form-urlencoded", "image/png",
            "application/x-www-form-urlencoded",
        ]
        self.assertEqual(await self.types(), own)
        self.assertEqual(await self.types(headers={"X-One": "1"}), own)

    async def test_one_that_is_given_takes_precedence(self):
        for content_type in ("text/plain", "application/json"):
            self.assertEqual(await self.types(content_type=content_type), [content_type] * 4)
            self.assertEqual(await self.types(headers={"content-type": content_type}), [content_type] * 4)

    async def test_none_sends_none(self):
        self.assertEqual(await self.types(content_type=None), [None] * 4)

    async def test_so_it_is_with_events_and_in_a_callback_result(self):
        for given, expected in (
            ({}, "text/event-stream"),
            ({"content_type": "application/json"}, "application/json"),
            ({"content_type": "text/plain"}, "text/plain"),
        ):
            self.mock.get(SITE, events=["tick"], **given)
            self.mock.get(SITE, callback=lambda call: CallbackResult(events=["tick"], **given))
            for _ in range(2):
                async with self.session.get(SITE) as response:
                    self.assertEqual(response.headers["Content-Type"], expected)

    def test_the_default_is_shown_as_text(self):
        self.assertEqual(CallbackResult().content_type, "application/json")
        self.assertEqual(repr(CallbackResult().content_type), "'application/json'")


class RefusedTest(unittest.TestCase):
    def check(self, message, error=TypeError, **reply):
        with self.assertRaises(error) as raised:
            aioresponses().get(SITE, **reply)
        self.assertEqual(re.sub("0x[0-9a-f]+", "0x…", str(raised.exception)), message)

    def test_what_can_be_sent_only_once_cannot_be_combined_with_repeat(self):
        for body in (stream(), BytesIOPayload(io.BytesIO(b"x"))):
            self.check(
                "body: a payload with a file or an iterator in it can be sent only once; with repeat, pass a function "
                "that makes one", ValueError, body=body, repeat=2,
            )
        aioresponses().get(SITE, body=stream, repeat=2)

    def test_a_type_that_cannot_be_sent(self):
        self.check(
            "body: expected a str without CR, LF or NUL, got 'a\\r\\nb'", ValueError,
            body=StringPayload("x", content_type="a\r\nb"),
        )

    def test_a_field_that_cannot_be_sent(self):
        form = FormData()
        form.add_field("a", object(), filename="a")
        with self.assertRaises(TypeError) as raised:
            aioresponses().get(SITE, body=form)
        self.assertTrue(str(raised.exception).startswith("body: "), raised.exception)

    def test_a_form_that_is_no_body(self):
        for name in ("payload", "events"):
            self.check(
                f"{name}: a form cannot be sent as {name}, got <aiohttp.formdata.FormData object at 0x…>; give it as "
                "body=", **{name: FormData({"a": "1"})}
            )
