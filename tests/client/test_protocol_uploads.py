"""Requests with bodies of every kind, which are answered once they have been sent, as by a real server."""

import asyncio
import gzip
import io
import json
import os
import tempfile

from aiohttp import ClientSession, ClientTimeout, FormData, MultipartWriter

from aioresponses import aioresponses

from ..servers import ServerTestCase, fetch
from ..support import SITE, error_of


class UploadTest(ServerTestCase):

    async def uploaded(self, body, **options):
        """Return the request that came in for a POST of what `body()` returns."""
        here = await self.origin()
        here.answers("POST", "/", body=b"thanks")

        async def scenario():
            async with ClientSession() as session:
                return await fetch(session, "POST", here.url, data=body(), **options)

        outcome = await self.compare(scenario)
        self.assertEqual(outcome.seen.body, b"thanks")
        return outcome.received[0]

    async def test_bytes(self):
        request = await self.uploaded(lambda: b"\x00\xff")
        self.assertEqual(
            (request.body, request.header("Content-Type")), (b"\x00\xff", "application/octet-stream")
        )

    async def test_text(self):
        request = await self.uploaded(lambda: "ü")
        self.assertEqual(
            (request.body, request.header("Content-Type")), ("ü".encode(), "text/plain; charset=utf-8")
        )

    async def test_no_body(self):
        request = await self.uploaded(lambda: None)
        self.assertEqual((request.body, request.header("Content-Length")), (b"", "0"))

    async def test_json(self):
        here = await self.origin()
        here.answers("POST", "/", body=b'{"id": 7}', headers=[("X-A", "1")])

        async def scenario():
            async with ClientSession() as session:
                async with session.post(here.url, json={"name": "Ada"}) as response:
                    return await response.json(content_type=None)

        outcome = await self.compare(scenario)
        self.assertEqual((json.loads(outcome.received[0].body), outcome.seen), ({"name": "Ada"}, {"id": 7}))

    async def test_an_urlencoded_form(self):
        request = await self.uploaded(lambda: FormData([("a", "1"), ("a", "ü &"), ("b", "")]))
        self.assertEqual(
            (request.body, request.header("Content-Type")),
            (b"a=1&a=%C3%BC+%26&b=", "application/x-www-form-urlencoded"),
        )

    async def test_a_multipart_form_with_a_file_in_memory(self):
        def form():
            data = FormData()
            data.add_field("name", "Ada")
            data.add_field("file", io.BytesIO(b"\x00\x01"), filename="ä.bin", content_type="image/png")
            return data

        request = await self.uploaded(form)
        self.assertEqual(request.header("Content-Type"), "multipart/form-data; boundary=BOUNDARY")
        self.assertIn(b"\r\n\r\n\x00\x01\r\n--BOUNDARY--", request.body)

    async def test_the_parts_of_a_multipart_form_are_separate(self):
        data = FormData({"name": "Ada"})
        data.add_field("file", io.BytesIO(b"\x00\x01"), filename="a.bin", content_type="image/png")
        with aioresponses() as mock:
            mock.post("http://example.com/")
            async with ClientSession() as session:
                await session.post("http://example.com/", data=data)
            self.assertEqual(
                [(part.name, part.filename, part.content) for part in mock.calls[0].multipart()],
                [("name", None, b"Ada"), ("file", "a.bin", b"\x00\x01")],
            )

    async def test_a_multipart_writer(self):
        def writer():
            with MultipartWriter("mixed", boundary="of-my-own") as parts:
                parts.append("text")
                parts.append_json({"a": 1})
            return parts

        request = await self.uploaded(writer)
        self.assertEqual(request.header("Content-Type"), "multipart/mixed; boundary=of-my-own")

    async def test_a_file_in_memory(self):
        request = await self.uploaded(lambda: io.BytesIO(b"content"))
        self.assertEqual(request.body, b"content")

    async def test_a_file_on_disk(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "notes.txt")
            with open(path, "wb") as file:
                file.write(b"line\n" * 20000)

            def opened():
                file = open(path, "rb")
                self.addCleanup(file.close)
                return file

            request = await self.uploaded(opened)
            self.assertEqual(request.body, b"line\n" * 20000)

    async def test_an_asynchronous_generator(self):
        async def chunks():
            for chunk in (b"a" * 10, b"", b"b" * 100000, b"c"):
                yield chunk

        request = await self.uploaded(chunks)
        self.assertEqual(
            (request.body, request.header("Transfer-Encoding")), (b"a" * 10 + b"b" * 100000 + b"c", "chunked")
        )

    async def test_a_body_that_the_client_deflates(self):
        request = await self.uploaded(lambda: b"body" * 100, compress="deflate")
        self.assertEqual((request.body, request.header("Content-Encoding")), (b"body" * 100, "deflate"))

    async def test_a_body_that_the_client_gzips(self):
        request = await self.uploaded(lambda: b"body" * 100, compress="gzip")
        self.assertEqual((request.body, request.header("Content-Encoding")), (b"body" * 100, "gzip"))

    async def test_a_body_that_is_compressed_already(self):
        request = await self.uploaded(lambda: gzip.compress(b"body"), headers={"Content-Encoding": "gzip"})
        self.assertEqual(request.body, b"body")

    async def test_a_chunked_body(self):
        request = await self.uploaded(lambda: b"body", chunked=True)
        self.assertEqual((request.body, request.header("Transfer-Encoding")), (b"body", "chunked"))

    async def test_a_body_that_waits_to_be_asked_for(self):
        request = await self.uploaded(lambda: b"body", expect100=True)
        self.assertEqual((request.body, request.header("Expect")), (b"body", "100-continue"))

    async def test_a_streamed_body_that_waits_to_be_asked_for(self):
        async def chunks():
            yield b"a"
            yield b"b"

        request = await self.uploaded(chunks, expect100=True)
        self.assertEqual(request.body, b"ab")

    async def test_a_generator_that_raises_ends_the_request(self):
        here = await self.origin()
        here.answers("POST", "/")
        here.answers("POST", "/next", body=b"fine")

        async def chunks():
            yield b"a"
            raise LookupError("no more")

        async def scenario():
            async with ClientSession() as session:
                error = await error_of(session.post(here.url, data=chunks()))
                return error, await fetch(session, "POST", here.url / "next")

        with self.assertNoLogs("asyncio"):
            outcome = await self.compare(scenario, what_came_in=False)
        self.assertEqual(outcome.seen[1].body, b"fine")


class UnfinishedUploadTest(ServerTestCase):
    """A body of which a part never comes, and what ends the wait for it."""

    async def ended_by(self, end, **options):
        """Return the class of what a POST raises after `end(session, request)`, and the body of the next response."""
        # aiohttp 3.9 leaves the exception of the task that writes behind.
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        here = await self.origin()
        here.answers("POST", "/")
        here.answers("GET", "/", body=b"hello")

        async def scenario():
            begun = asyncio.Event()

            async def chunks():
                yield b"first"
                begun.set()
                await asyncio.Event().wait()
                yield b"last"

            async with ClientSession() as session:
                request = asyncio.ensure_future(session.post(here.url, data=chunks(), **options))
                await begun.wait()
                await end(session, request)
                error, _ = await error_of(request)
                return error, None if session.closed else (await fetch(session, "GET", here.url)).body

        return (await self.compare(scenario, what_came_in=False)).seen

    async def test_an_upload_ended_by_the_total_timeout(self):
        async def end(session, request):
            pass

        _, after = await self.ended_by(end, timeout=ClientTimeout(total=0.05))
        self.assertEqual(after, b"hello")

    async def test_an_upload_ended_by_a_cancellation(self):
        async def end(session, request):
            request.cancel()

        self.assertEqual(await self.ended_by(end), (asyncio.CancelledError, b"hello"))

    async def test_an_upload_ended_by_the_end_of_the_session(self):
        async def end(session, request):
            await session.close()

        await self.ended_by(end)


class StreamsBothWaysTest(ServerTestCase):
    async def test_a_stream_answers_a_stream_once_that_has_ended(self):
        # The reply begins when the request has come to its end.
        async def up():
            for number in range(5):
                steps.append(f"up {number}")
                yield b"%d" % number

        async def down(call):
            for number in call.body:
                steps.append(f"down {number - 48}")
                yield bytes([number])

        steps = []
        with aioresponses() as mock:
            mock.post(SITE, body=down)
            async with ClientSession() as session:
                async with session.post(SITE, data=up()) as response:
                    self.assertEqual(await response.read(), b"01234")
        self.assertEqual(steps, [*(f"up {number}" for number in range(5)), *(f"down {number}" for number in range(5))])
