"""What a call shows of the message that was sent: URL, headers, cookies, text, JSON, forms."""

import aiohttp
from multidict import CIMultiDict, MultiDict

from ..support import SITE, AskingTestCase


class WhatWasSentTest(AskingTestCase):
    async def test_url_and_query(self):
        call = await self.call(url=SITE + "a?z=1#top", params=[("q", "ü"), ("q", "2")])
        self.assertEqual(call.url, SITE + "a?z=1&q=%C3%BC&q=2")
        self.assertEqual(call.query, MultiDict([("z", "1"), ("q", "ü"), ("q", "2")]))

    async def test_headers_are_those_on_the_wire(self):
        call = await self.call(headers=CIMultiDict([("X-Id", "1"), ("X-Id", "2")]), data=b"x")
        self.assertEqual(call.headers.getall("x-id"), ["1", "2"])
        self.assertEqual((call.headers["HOST"], call.headers["content-length"]), ("example.com", "1"))

    async def test_cookies(self):
        call = await self.call(cookies={"a": "1", "b": "two words"})
        self.assertEqual(call.cookies, {"a": "1", "b": "two words"})

    async def test_json_and_text(self):
        call = await self.call(json={"ä": [1, None]})
        self.assertEqual(call.json(), {"ä": [1, None]})
        self.assertEqual(call.body, b'{"\\u00e4": [1, null]}')
        call = await self.call(data="hé".encode("latin-1"), headers={"Content-Type": "text/plain; charset=latin-1"})
        self.assertEqual(call.text(), "hé")

    async def test_no_body(self):
        call = await self.call("GET")
        self.assertEqual((call.body, call.text()), (b"", ""))

    async def test_form(self):
        call = await self.call(data=[("a", "1"), ("a", "ü"), ("b", "")])
        self.assertEqual(call.form(), MultiDict([("a", "1"), ("a", "ü"), ("b", "")]))

    async def test_content_and_transfer_coding_are_undone(self):
        async def generate():
            for _ in range(3):
                yield b"x" * 1000

        body = b"x" * 3000
        for kwargs in ({"data": body, "compress": "gzip"}, {"data": generate()}, {"data": body, "chunked": True}):
            with self.subTest(**kwargs):
                self.assertEqual((await self.call(**kwargs)).body, body)

    async def test_a_body_that_cannot_be_decoded_is_there_as_it_was_sent(self):
        for encoding in ("gzip", "br", "zstd"):
            # The second one might be the beginning of a br body.
            for body in (b"hello", b"abc"):
                call = await self.call(data=body, headers={"Content-Encoding": encoding})
                self.assertEqual((call.body, call.headers["Content-Encoding"]), (body, encoding))

    async def test_the_charset_of_a_form(self):
        form = aiohttp.FormData(charset="latin-1")
        form.add_field("name", "é")
        self.assertEqual((await self.call(data=form)).form(), MultiDict(name="é"))

    async def test_cookies_of_any_name_and_kind(self):
        call = await self.call(headers={"Cookie": 'a=1; version=2; path=/x; b={"k":1}; c="two words"; d'})
        self.assertEqual(
            call.cookies, {"a": "1", "version": "2", "path": "/x", "b": '{"k":1}', "c": "two words", "d": ""}
        )

    async def test_any_method_and_long_headers_can_be_read(self):
        call = await self.call("FOO", headers={"X-Long": "x" * 20_000}, data=b"body")
        self.assertEqual((call.body, len(call.headers["X-Long"])), (b"body", 20_000))

    async def test_reading_a_body_as_what_it_is_not_says_what_it_is(self):
        call = await self.call(json=[1])
        for read, expected in [
            (
                call.form,
                f"the body of POST {SITE} is not application/x-www-form-urlencoded: "
                "it has Content-Type 'application/json' and 3 bytes: '[1]'",
            ),
            (
                call.multipart,
                f"the body of POST {SITE} is not multipart: it has Content-Type 'application/json' and 3 bytes: '[1]'",
            ),
        ]:
            with self.assertRaises(ValueError) as raised:
                read()
            self.assertEqual(str(raised.exception), expected)
        call = await self.call(data=b"\xff" + bytes(200), headers={"Content-Type": "text/plain"})
        with self.assertRaises(ValueError) as raised:
            call.json()
        self.assertEqual(
            str(raised.exception),
            f"the body of POST {SITE} is not text in utf-8: "
            "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        )
        call = await self.call(data="a" * 101)
        with self.assertRaises(ValueError) as raised:
            call.json()
        self.assertEqual(
            str(raised.exception),
            f"the body of POST {SITE} is not JSON (Expecting value: line 1 column 1 (char 0)): "
            f"it has Content-Type 'text/plain; charset=utf-8' and 101 bytes: {'a' * 100!r}…",
        )
