"""Reading a request before it is sent: it goes out unchanged, to the mock and to a real server."""

import asyncio
import gc
import io
import json
import re
import tempfile
import unittest
import unittest.mock
import zlib
from contextlib import contextmanager
from unittest.mock import ANY

import aiohttp
from aiohttp import ClientSession, FormData, MultipartWriter, web
from yarl import URL

from aioresponses import aioresponses

from ..servers import Received, ServerTestCase, requests_of
from ..support import error_of, needs_middlewares

TEXT = "grüße"
BYTES = bytes(range(256))
# More than one read of a file takes.
MANY = BYTES * 2 ** 10


async def generated(*pieces):
    for piece in pieces:
        yield piece


def form_with_file(file, **kwargs):
    form = FormData({"title": "Report"}, **kwargs)
    form.add_field("file", file, filename="a.csv", content_type="text/csv")
    return form


def mixed():
    writer = MultipartWriter("mixed")
    writer.append("text")
    writer.append_json({"a": 1})
    writer.append(BYTES, {"Content-Type": "application/octet-stream", "Content-Encoding": "gzip"})
    writer.append(io.BytesIO(BYTES), {"Content-Type": "x/y", "Content-Transfer-Encoding": "base64"})
    return writer


class ReadingTestCase(ServerTestCase):
    maxDiff = None

    async def asyncSetUp(self):
        self.url = await self.serve(web.route("*", "/{path:.*}", self.handle))

    async def handle(self, request):
        if request.path == "/307":
            return web.Response(status=307, headers={"Location": "/end"})
        return web.Response(text="answered")

    def came_in(self, mock):
        """Return the requests of the one call of a mock, as far as they were sent."""
        self.assertEqual(mock.call_count, 1)
        return [request for request in requests_of(mock) if request.headers]

    def answer(self, mock, method, **conditions):
        """Register mocks that answer as the server does."""
        conditions["match_query"] = ANY
        mock.add(self.url.join(URL("/307")), method, status=307, headers={"Location": "/end"}, **conditions)
        for path in ("/", "/end"):
            content_type = "text/plain; charset=utf-8"
            mock.add(self.url.join(URL(path)), method, body="answered", content_type=content_type, **conditions)

    async def exchange(self, make, method, path):
        async with ClientSession(json_serialize=lambda value: json.dumps(value, indent=1)) as session:
            request = session.request(method, self.url.join(URL(path)), **make())
            async with request as response:
                return response.status, await response.text()

    @contextmanager
    def noting(self, **options):
        """Have a mock that is active, and a list of what a condition of it saw."""
        seen = []

        def look(call):
            seen.append(Received.of(call.method, call.url, sorted(call.headers.items()), call.body))
            return True

        self.received.clear()
        with aioresponses(**options) as mock:
            yield mock, look, seen

    async def check(self, make, method="POST", path="/"):
        """Check that a request comes in as it does where there is no mock, whoever answers it.

        `make` returns the arguments of the request anew for each. Returns what came in.
        """
        self.received.clear()
        expected = await self.exchange(make, method, path)
        real = self.received[:]
        known = [one._replace(headers=sorted(one.headers)) for one in real]
        with self.noting() as (mock, look, seen):
            self.answer(mock, method, match=look)
            self.assertEqual(await self.exchange(make, method, path), expected)
            self.assertEqual((self.came_in(mock), seen), (real, known))
        for prefixes in ([], ["http://127.0.0.1"]):
            with self.noting(passthrough=prefixes, passthrough_unmatched=True) as (mock, look, seen):
                self.answer(mock, method, match=[look, lambda call: False])
                self.answer(mock, method, match_json={"never": 1})
                self.assertEqual(await self.exchange(make, method, path), expected)
                self.assertEqual((self.received, seen), (real, [] if prefixes else known))
                self.assertEqual([one.body for one in self.came_in(mock)], [one.body for one in real])
        return real


class SameRequestTest(ReadingTestCase):
    async def test_a_body_of_any_kind(self):
        for name, make, body in [
            ("no body", lambda: {}, b""),
            ("bytes", lambda: {"data": BYTES}, BYTES),
            ("many bytes", lambda: {"data": io.BytesIO(MANY)}, MANY),
            ("text", lambda: {"data": TEXT}, TEXT.encode()),
            ("json_serialize", lambda: {"json": {"a": TEXT}}, json.dumps({"a": TEXT}, indent=1).encode()),
            ("a form", lambda: {"data": {"a": "b c", "ü": "&"}}, b"a=b+c&%C3%BC=%26"),
            ("a form in another charset", lambda: {"data": FormData({"a": "ü"}, charset="latin-1")}, b"a=%FC"),
            ("a multipart form", lambda: {"data": form_with_file(b"1,2")}, None),
            ("a multipart form with a file", lambda: {"data": form_with_file(io.BytesIO(BYTES))}, None),
            ("a multipart form of a generator", lambda: {"data": form_with_file(generated(b"1", b"2"))}, None),
            ("a multipart body", lambda: {"data": mixed()}, None),
            ("a file of bytes", lambda: {"data": self.file(BYTES)}, BYTES),
            ("a file of text", lambda: {"data": self.file(TEXT)}, TEXT.encode()),
            ("a buffer of text", lambda: {"data": io.StringIO(TEXT)}, TEXT.encode()),
            ("a generator", lambda: {"data": generated(b"some", b"", b"body")}, b"somebody"),
            ("a generator without pieces", lambda: {"data": generated()}, b""),
        ]:
            with self.subTest(name):
                [received] = await self.check(make)
                if body is not None:
                    self.assertEqual(received.body, body)

    def file(self, content):
        text = isinstance(content, str)
        file = tempfile.TemporaryFile("w+" if text else "w+b", encoding="utf-8" if text else None)
        self.addCleanup(file.close)
        file.write(content)
        file.seek(0)
        return file

    async def test_a_body_that_is_sent_in_any_way(self):
        for name, kwargs in [
            ("gzip", lambda: {"compress": "gzip"}),
            ("deflate", lambda: {"compress": "deflate"}),
            ("chunked", lambda: {"chunked": True}),
            ("expect", lambda: {"expect100": True}),
            ("without User-Agent", lambda: {"skip_auto_headers": ["User-Agent"]}),
            ("headers", lambda: {"headers": [("X-One", "1"), ("x-one", "2")]}),
            ("a query", lambda: {"params": {"b": "2", "a": "ü"}}),
            ("another connection", lambda: {"headers": {"Connection": "close"}}),
        ]:
            for data in (lambda: BYTES, lambda: generated(BYTES, BYTES), lambda: form_with_file(io.BytesIO(BYTES))):
                with self.subTest(name, data=type(data())):
                    await self.check(lambda: {"data": data(), **kwargs()})

    async def test_a_body_with_or_without_a_content_type(self):
        for kwargs in ({"skip_auto_headers": ["Content-Type"]}, {"headers": {"Content-Type": "x/y"}}):
            for data in (lambda: None, lambda: BYTES, lambda: TEXT, lambda: generated(BYTES)):
                with self.subTest(kwargs, data=type(data())):
                    await self.check(lambda: {"data": data(), **kwargs})

    async def test_a_request_of_any_method(self):
        for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"):
            with self.subTest(method):
                await self.check(lambda: {}, method)
                await self.check(lambda: {"json": {"a": 1}}, method)
                await self.check(lambda: {"data": generated(b"some")}, method)

    async def test_a_body_that_is_compressed_already(self):
        gzip = zlib.compressobj(wbits=31)
        gzipped = gzip.compress(BYTES) + gzip.flush()
        for coding, body in (("gzip", gzipped), ("deflate", zlib.compress(BYTES)), ("x-own", BYTES)):
            for data in (lambda: body, lambda: io.BytesIO(body), lambda: generated(body[:5], body[5:])):
                with self.subTest(coding, data=type(data())):
                    [received] = await self.check(
                        lambda: {"data": data(), "headers": {"Content-Encoding": coding, "Content-Type": "x/y"}}
                    )
                    self.assertEqual(received.body, BYTES)

    async def test_a_redirect_that_keeps_the_body(self):
        for make in (
            lambda: {"data": BYTES},
            lambda: {"json": {"a": 1}},
            lambda: {"data": {"a": "b"}},
            lambda: {"data": BYTES, "compress": "gzip"},
        ):
            with self.subTest(request=make()):
                received = await self.check(make, path="/307")
                self.assertEqual([URL(one.url).path for one in received], ["/307", "/end"])

    async def test_a_redirect_of_a_body_that_can_be_read_only_once(self):
        # What then becomes of it is up to the release of aiohttp.
        for make in (lambda: {"data": generated(b"some")}, lambda: {"data": form_with_file(b"1,2")}):
            with self.subTest(request=make()):
                real = await error_of(self.exchange(make, "POST", "/307"))
                received = self.received[:]
                with self.noting() as (mock, look, _):
                    self.answer(mock, "POST", match=look)
                    self.assertEqual(await error_of(self.exchange(make, "POST", "/307")), real)
                    self.assertEqual(self.came_in(mock), received)
                with self.noting(passthrough_unmatched=True) as (mock, look, _):
                    self.answer(mock, "POST", match_body=b"other")
                    self.assertEqual(await error_of(self.exchange(make, "POST", "/307")), real)
                    self.assertEqual(self.received, received)
                self.received.clear()

    async def test_a_body_that_is_the_response_to_another_request(self):
        # What cannot be copied for the record is not half copied either, and then complained of.
        hook = unittest.mock.patch("sys.unraisablehook")
        unraisable = hook.start()
        self.addCleanup(lambda: self.assertEqual(unraisable.mock_calls, []))
        self.addCleanup(hook.stop)
        self.addCleanup(gc.collect)
        async with ClientSession() as session:
            async def ask():
                async with session.get(self.url) as response:
                    return await self.exchange(lambda: {"data": response.content}, "POST", "/")

            real, received = await ask(), self.received[1:]
            self.assertEqual(received[0].body, b"answered")
            with self.noting(passthrough_unmatched=True) as (mock, look, seen):
                mock.post(self.url, match=[look, lambda call: False])
                self.assertEqual((await ask(), self.received[1:]), (real, received))
                self.assertEqual([one.body for one in seen], [b"answered"])

    @needs_middlewares
    async def test_a_middleware_that_tries_again_sends_the_body_once_more(self):
        async def twice(request, handler):
            await handler(request)
            return await handler(request)

        with self.noting() as (mock, look, seen):
            mock.post(self.url, match=look, repeat=True)
            async with ClientSession(middlewares=[twice]) as session:
                await session.post(self.url, data=io.BytesIO(BYTES))
            self.assertEqual([one.body for one in seen], [BYTES, BYTES])
            self.assertEqual([hop.body for hop in mock.calls[0].hops], [BYTES, BYTES])


class ReadOnceTest(ReadingTestCase):
    async def test_a_generator_is_read_once_and_to_its_end_before_anything_is_sent(self):
        steps = []

        async def body():
            for piece in (b"one", b"two"):
                steps.append(piece)
                yield piece
            steps.append("end")

        def look(call):
            steps.append("condition")
            return True

        with aioresponses() as mock:
            mock.post(self.url, match=[look, look])
            mock.post(self.url, match=look)
            await self.exchange(lambda: {"data": body()}, "POST", "/")
        self.assertEqual(steps, [b"one", b"two", "end", "condition", "condition"])
        self.assertEqual(mock.calls[0].body, b"onetwo")

    async def test_pieces_go_out_as_they_are_where_no_mock_asks_for_the_body(self):
        steps = []

        async def body():
            steps.append("body")
            yield b"one"

        with aioresponses() as mock:
            mock.post(self.url, match_headers={"Transfer-Encoding": "chunked"}, match_query={})
            mock.post(self.url, callback=lambda call: steps.append("callback"))
            await self.exchange(lambda: {"data": body()}, "POST", "/")
        self.assertEqual((steps, mock.calls[0].body), (["body"], b"one"))

    async def test_a_file_is_read_once(self):
        taken = []

        class File(io.BytesIO):
            def read(self, *args):
                piece = super().read(*args)
                taken.append(piece)
                return piece

        with aioresponses() as mock:
            mock.post(self.url, match_body=MANY, body="answered")
            await self.exchange(lambda: {"data": File(MANY)}, "POST", "/")
        self.assertEqual((b"".join(taken), mock.calls[0].body), (MANY, MANY))

    async def test_the_body_of_a_request_that_no_mock_answers_is_known(self):
        with aioresponses() as mock:
            mock.post(self.url, match_body=b"other")
            with self.assertRaises(aiohttp.ClientConnectionError):
                await self.exchange(lambda: {"data": generated(b"some")}, "POST", "/")
        self.assertEqual(mock.calls[0].body, b"some")


class RaisingBodyTest(ReadingTestCase):
    async def test_a_generator_that_raises_ends_the_call_as_it_does_with_a_server(self):
        for error in (RuntimeError("no"), OSError(5, "no"), aiohttp.ClientError("no"), asyncio.TimeoutError("no")):
            async def body():
                yield b"some"
                raise error

            def make():
                return {"data": body()}

            with self.subTest(error=error):
                real = await error_of(self.exchange(make, "POST", "/"))
                with aioresponses() as mock:
                    mock.post(self.url, repeat=True)
                    unread = await error_of(self.exchange(make, "POST", "/"))
                with aioresponses() as mock:
                    mock.post(self.url, match=lambda call: call.body == b"some", repeat=True)
                    looked_at = await error_of(self.exchange(make, "POST", "/"))
                with aioresponses(passthrough_unmatched=True) as mock:
                    mock.post(self.url, match_body=b"other")
                    passed = await error_of(self.exchange(make, "POST", "/"))
                self.assertEqual((unread, looked_at, passed), (real, real, real))

    async def test_what_a_payload_raises_is_raised_where_it_is_sent(self):
        class Broken(aiohttp.payload.BytesPayload):
            async def write(self, writer):
                raise RuntimeError("no")

            async def write_with_length(self, writer, content_length):  # What aiohttp 3.12 and newer call.
                raise RuntimeError("no")

        def make():
            return {"data": Broken(b"some")}

        real = await error_of(self.exchange(make, "POST", "/"))
        with aioresponses() as mock:
            mock.post(self.url, match=lambda call: True, repeat=True)
            self.assertEqual(await error_of(self.exchange(make, "POST", "/")), real)

    async def test_a_part_without_a_name(self):
        def make():
            writer = MultipartWriter("form-data")
            writer.append("text")
            return {"data": writer}

        await self.check(make)


class UnreadableTest(ReadingTestCase):
    async def test_a_body_that_is_not_encoded_as_its_headers_say_is_seen_as_it_is(self):
        with self.noting() as (mock, look, seen):
            mock.post(self.url, match=look)
            await self.exchange(lambda: {"data": b"plain", "headers": {"Content-Encoding": "gzip"}}, "POST", "/")
            self.assertEqual(([one.body for one in seen], mock.calls[0].body), ([b"plain"], b"plain"))

    async def test_a_request_of_a_pattern(self):
        with self.noting() as (mock, look, seen):
            mock.post(re.compile(""), match=look)
            await self.exchange(lambda: {"data": BYTES}, "POST", "/")
            self.assertEqual([one.body for one in seen], [BYTES])
