import asyncio
import copy
import io
import pickle
import unittest

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, MultiDict

from aioresponses import Part, RequestCall, aioresponses

from .servers import RealServerTestCase
from .support import SITE, AskingTestCase


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

    async def test_multipart(self):
        form = aiohttp.FormData()
        form.add_field("title", "Grüße")
        form.add_field("file", b"\0\1", filename="a.bin", content_type="application/x-own")
        call = await self.call(data=form)
        title, file = call.multipart()
        self.assertIsInstance(file, Part)
        self.assertEqual((title.name, title.filename, title.content), ("title", None, "Grüße".encode()))
        self.assertEqual((file.name, file.filename, file.content), ("file", "a.bin", b"\0\1"))
        self.assertEqual(file.headers["content-type"], "application/x-own")

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
            call = await self.call(data=b"hello", headers={"Content-Encoding": encoding})
            self.assertEqual((call.body, call.headers["Content-Encoding"]), (b"hello", encoding))

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

    async def test_what_it_is_not_is_said(self):
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
            f"the body of POST {SITE} is no text in utf-8: "
            "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        )
        call = await self.call(data="a" * 101)
        with self.assertRaises(ValueError) as raised:
            call.json()
        self.assertEqual(
            str(raised.exception),
            f"the body of POST {SITE} is no JSON (Expecting value: line 1 column 1 (char 0)): "
            f"it has Content-Type 'text/plain; charset=utf-8' and 101 bytes: {'a' * 100!r}…",
        )


class HowItEndedTest(AskingTestCase):
    async def test_with_a_response(self):
        call = await self.call()
        self.assertEqual((call.exception, call.unmatched, call.hops), (None, False, [call]))
        self.assertIs(call.match.calls[0], call)
        self.assertLessEqual(call.started, call.ended)

    async def test_with_an_exception_of_the_mock(self):
        error = ValueError("x")
        match = self.mock.post(SITE, exception=error)
        with self.assertRaises(ValueError):
            await self.session.post(SITE, json=1)
        [call] = self.mock.calls
        self.assertIs(call.exception, error)
        self.assertEqual((call.response, call.match, call.json()), (None, match, 1))

    async def test_with_nobody_answering(self):
        with self.assertRaises(aiohttp.ClientConnectionError) as raised:
            await self.session.post(SITE, json=1, headers={"X-Id": "7"})
        [call] = self.mock.calls
        self.assertIs(call.exception, raised.exception)
        self.assertEqual((call.match, call.unmatched, call.json(), call.headers["X-Id"]), (None, True, 1, "7"))

    async def test_not_yet(self):
        asked, answer = asyncio.Event(), asyncio.Event()

        async def wait(url, **kwargs):
            asked.set()
            await answer.wait()

        self.mock.get(SITE, callback=wait)
        task = asyncio.ensure_future(self.session.get(SITE))
        await asked.wait()
        [call] = self.mock.calls
        self.assertEqual((call.response, call.exception, call.ended), (None, None, None))
        self.assertEqual(repr(call), f"<RequestCall GET {SITE} -> not ended>")
        answer.set()
        self.assertIs(await task, call.response)

    async def test_a_redirect_chain_has_its_hops(self):
        moved = self.mock.post(SITE + "a", status=307, headers={"Location": "/b?q=1"})
        seen = self.mock.post(SITE + "b?q=1", status=303, headers={"Location": "http://other.example/"})
        last = self.mock.get("http://other.example/")
        response = await self.session.post(SITE + "a", json=1)
        [call] = self.mock.calls
        self.assertEqual(
            [(hop.method, hop.url, hop.body, hop.response.status, hop.match) for hop in call.hops],
            [
                ("POST", SITE + "a", b"1", 307, moved),
                ("POST", SITE + "b?q=1", b"1", 303, seen),
                ("GET", "http://other.example/", b"", 200, last),
            ],
        )
        self.assertEqual([hop.response for hop in call.hops], [*response.history, response])
        self.assertEqual((call.url, call.response, call.match), (SITE + "a", response, moved))
        self.assertEqual([call.kwargs for call in seen.calls], [call.kwargs])
        self.assertEqual(
            repr(call),
            f"<RequestCall POST {SITE}a -> 307, POST {SITE}b?q=1 -> 303, GET http://other.example/ -> 200>",
        )


class ReprTest(AskingTestCase):
    async def test_is_one_line_and_tells_no_password(self):
        self.mock.get(SITE, exception=ValueError("two\nlines"))
        with self.assertRaises(ValueError):
            await self.session.get("http://me:secret@example.com/")
        with self.assertRaises(aiohttp.ClientConnectionError):
            await self.session.get(SITE + "nowhere")
        self.mock.get(SITE, exception=ValueError("http://me:secret@[bad"))
        with self.assertRaises(ValueError):
            await self.session.get(SITE)
        self.assertEqual(
            [repr(call) for call in self.mock.calls],
            [
                f"<RequestCall GET {SITE} -> raised ValueError: two lines>",
                f"<RequestCall GET {SITE}nowhere -> no mock answered>",
                f"<RequestCall GET {SITE} -> raised ValueError: http://…@[bad>",
            ],
        )


class SentElsewhereTest(RealServerTestCase):
    async def asyncSetUp(self):
        async def echo(request):
            return web.Response(body=await request.read(), headers={"X-Type": request.content_type})

        server = await self.serve(web.post("/", echo))
        self.url = server.make_url("/")

    def bodies(self):
        async def generate():
            for number in range(3):
                yield b"%d" % number * 1000

        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(b"content"), filename="a.txt")
        return [b"bytes", "text", {"form": "1"}, io.BytesIO(b"file"), generate(), form, None]

    async def test_bodies_that_are_passed_through_are_recorded_as_the_server_gets_them(self):
        with aioresponses(passthrough=[self.url]) as mock:
            async with aiohttp.ClientSession() as session:
                for data in self.bodies():
                    with self.subTest(type(data).__name__):
                        async with session.post(self.url, data=data) as response:
                            received = await response.read()
                        self.assertEqual(mock.calls[-1].body, received)
                self.assertEqual([part.content for part in mock.calls[-2].multipart()], [b"content"])

    async def test_a_refused_form_can_be_read(self):
        form = aiohttp.FormData()
        form.add_field("file", b"content", filename="a.txt")
        with aioresponses() as mock:
            async with aiohttp.ClientSession() as session:
                with self.assertRaises(aiohttp.ClientConnectionError):
                    await session.post(self.url, data=form)
        self.assertEqual([part.content for part in mock.calls[0].multipart()], [b"content"])


class CopyTest(AskingTestCase):
    async def test_requests_can_be_copied_and_pickled(self):
        await self.call(json={"a": [1]}, headers=CIMultiDict(a="b"))
        for copied in (copy.deepcopy(self.mock.requests), pickle.loads(pickle.dumps(self.mock.requests))):
            self.assertEqual(copied, self.mock.requests)
            [[call]] = copied.values()
            self.assertEqual((call.method, call.url, call.json(), call.response), ("POST", SITE, {"a": [1]}, None))
            self.assertEqual(repr(call), f"<RequestCall POST {SITE}>")


class NamedTupleTest(unittest.TestCase):
    def test_compares_as_one(self):
        call = RequestCall((), {"json": 1})
        self.assertEqual(call, ((), {"json": 1}))
        args, kwargs = call
        self.assertEqual((args, kwargs, call.args, call.kwargs), ((), {"json": 1}, (), {"json": 1}))
        self.assertEqual(copy.copy(call), call)

    def test_one_that_somebody_made_shows_its_fields(self):
        self.assertEqual(repr(RequestCall((), {"json": 1})), "RequestCall(args=(), kwargs={'json': 1})")
