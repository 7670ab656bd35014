"""The in-memory connection, held against a real server: bodies on the way there and back."""

import asyncio
import gzip
import io
import json
import os
import tempfile
import zlib

from aiohttp import ClientSession, ClientTimeout, FormData, MultipartWriter

from aioresponses import aioresponses

from .servers import ComparingTestCase, fetch
from .support import LARGE, error_of

_GZIP = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
GZIPPED = _GZIP.compress(b"hello" * 100) + _GZIP.flush()
DEFLATED = zlib.compress(b"hello" * 100)


class UploadTest(ComparingTestCase):

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

    async def test_the_parts_of_a_multipart_form_can_be_told_apart(self):
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


class UnfinishedUploadTest(ComparingTestCase):
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

    async def test_the_total_time(self):
        async def end(session, request):
            pass

        _, after = await self.ended_by(end, timeout=ClientTimeout(total=0.05))
        self.assertEqual(after, b"hello")

    async def test_a_cancellation(self):
        async def end(session, request):
            request.cancel()

        self.assertEqual(await self.ended_by(end), (asyncio.CancelledError, b"hello"))

    async def test_the_end_of_the_session(self):
        async def end(session, request):
            await session.close()

        await self.ended_by(end)


class DownloadTest(ComparingTestCase):

    async def downloaded(self, method="GET", session_options=None, **reply):
        here = await self.origin()
        here.answers(method, "/", **reply)

        async def scenario():
            async with ClientSession(**(session_options or {})) as session:
                return await fetch(session, method, here.url)

        return (await self.compare(scenario)).seen

    async def compressed(self, encoding, sent, body=b"hello" * 100):
        response = await self.downloaded(body=body, sent_body=sent, headers=[("Content-Encoding", encoding)])
        self.assertEqual((response.body, response.header("Content-Length")), (b"hello" * 100, str(len(sent))))

    async def test_a_plain_body_is_gzipped_as_the_header_says(self):
        await self.compressed("gzip", GZIPPED)

    async def test_a_plain_body_is_deflated_as_the_header_says(self):
        await self.compressed("deflate", DEFLATED)

    async def test_a_body_that_is_gzipped_already_is_sent_as_it_is(self):
        await self.compressed("gzip", GZIPPED, body=GZIPPED)

    async def test_a_body_that_is_deflated_already_is_sent_as_it_is(self):
        await self.compressed("deflate", DEFLATED, body=DEFLATED)

    async def test_a_body_that_is_deflated_without_a_header_is_sent_as_it_is(self):
        deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        sent = deflate.compress(b"hello" * 100) + deflate.flush()
        await self.compressed("deflate", sent, body=sent)

    async def test_a_compressed_body_can_be_left_so(self):
        response = await self.downloaded(
            session_options={"auto_decompress": False},
            body=b"hello" * 100,
            sent_body=GZIPPED,
            headers=[("Content-Encoding", "gzip")],
        )
        self.assertEqual(response.body, GZIPPED)

    async def test_an_empty_body_is_not_compressed(self):
        response = await self.downloaded(headers=[("Content-Encoding", "gzip")])
        self.assertEqual((response.body, response.header("Content-Length")), (b"", "0"))

    async def test_a_chunked_body(self):
        response = await self.downloaded(body=b"hello", headers=[("Transfer-Encoding", "chunked")])
        self.assertEqual(
            (response.body, response.header("Transfer-Encoding"), response.header("Content-Length")),
            (b"hello", "chunked", None),
        )

    async def test_an_empty_chunked_body(self):
        response = await self.downloaded(headers=[("Transfer-Encoding", "chunked")])
        self.assertEqual((response.body, response.header("Content-Length")), (b"", None))

    async def test_a_large_chunked_and_compressed_body(self):
        response = await self.downloaded(
            body=LARGE,
            sent_body=gzip.compress(LARGE, mtime=0),
            headers=[("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")],
        )
        self.assertEqual(len(response.body), len(LARGE))

    async def test_the_length_is_told(self):
        response = await self.downloaded(body="grün".encode())
        self.assertEqual((response.body.decode(), response.header("Content-Length")), ("grün", "5"))

    async def test_a_head_has_the_headers_of_a_body_and_none(self):
        response = await self.downloaded("HEAD", body=b"hello")
        self.assertEqual((response.body, response.header("Content-Length")), (b"", "5"))

    async def test_statuses_without_body(self):
        here = await self.origin()
        for status in (204, 304):
            here.answers("GET", f"/{status}", status)
            here.answers("GET", "/", body=b"next")

        async def scenario():
            responses = []
            async with ClientSession() as session:
                for status in (204, 304):
                    for path in (str(status), ""):
                        async with session.get(here.url / path if path else here.url) as response:
                            responses.append((response.status, response.reason, await response.read()))
            return responses

        outcome = await self.compare(scenario)
        self.assertEqual(
            outcome.seen,
            [(204, "No Content", b""), (200, "OK", b"next"), (304, "Not Modified", b""), (200, "OK", b"next")],
        )

    async def test_a_body_of_a_204_that_nobody_could_read_is_not_sent(self):
        with aioresponses() as mock:
            mock.get("http://example.com/", status=204, body="unseen")
            mock.get("http://example.com/", body="seen")
            async with ClientSession() as session:
                bodies = [(await fetch(session, "GET", "http://example.com/")).body for _ in range(2)]
        self.assertEqual(bodies, [b"", b"seen"])

    async def test_any_status_and_reason(self):
        here = await self.origin()
        replies = [here.answers("GET", f"/{status}", status, reason=reason) for status, reason in (
            (201, None), (299, "Odd"), (418, "I'm a teapot, short and stout"), (500, None), (799, "Odder"), (404, ""),
        )]

        async def scenario():
            async with ClientSession() as session:
                return [await fetch(session, "GET", reply.url) for reply in replies]

        outcome = await self.compare(scenario)
        self.assertEqual([response.status for response in outcome.seen], [201, 299, 418, 500, 799, 404])

    async def test_headers_that_stand_there_more_than_once(self):
        response = await self.downloaded(headers=[("Link", "<a>"), ("X-A", "ü"), ("Link", "<b>"), ("X-Empty", "")])
        self.assertEqual(
            [item for item in response.headers if not item[0].startswith("Content")],
            [("Link", "<a>"), ("Link", "<b>"), ("X-A", "ü"), ("X-Empty", "")],
        )


class StreamTest(ComparingTestCase):

    async def read_by(self, read, body=LARGE):
        """Return what `read` makes of the content of a response."""
        here = await self.origin()
        here.answers("GET", "/", body=body)

        async def scenario():
            async with ClientSession() as session:
                async with session.get(here.url) as response:
                    return await read(response.content)

        return (await self.compare(scenario)).seen

    async def test_in_chunks_of_a_size_at_most(self):
        async def read(content):
            chunks = [chunk async for chunk in content.iter_chunked(1000)]
            return max(map(len, chunks)), b"".join(chunks) == LARGE

        self.assertEqual(await self.read_by(read), (1000, True))

    async def test_in_chunks_as_they_come(self):
        async def read(content):
            return b"".join([chunk async for chunk in content.iter_any()]) == LARGE

        self.assertTrue(await self.read_by(read))

    async def test_in_chunks_with_the_ends_of_those_that_were_sent(self):
        async def read(content):
            return b"".join([data async for data, _ in content.iter_chunks()]) == LARGE

        self.assertTrue(await self.read_by(read))

    async def test_by_lines(self):
        lines = [b"%0200d\n" % number for number in range(2000)]

        async def read(content):
            first = await content.readline()
            return [first, *[line async for line in content]] == lines

        self.assertTrue(await self.read_by(read, b"".join(lines)))

    async def test_a_line_too_long(self):
        async def read(content):
            return await error_of(content.readline())

        self.assertIsNotNone(await self.read_by(read, b"x" * 2 ** 22))

    async def test_until_a_separator(self):
        async def read(content):
            return [await content.readuntil(b";") for _ in range(3)]

        self.assertEqual(await self.read_by(read, b"a; b;c: d"), [b"a;", b" b;", b"c: d"])

    async def test_an_exact_number_of_bytes(self):
        async def read(content):
            exact = await content.readexactly(200000)
            return exact == LARGE[:200000], len(await content.read()), await error_of(content.readexactly(1))

        self.assertEqual((await self.read_by(read))[:2], (True, len(LARGE) - 200000))

    async def test_a_large_body_is_sent_as_fast_as_it_is_read(self):
        async def read(content):
            at_first = content.total_bytes
            exact = await content.readexactly(2 ** 20)
            then = content.total_bytes
            rest = await content.read()
            return at_first < 2 ** 20, 2 ** 20 <= then < 2 ** 22, exact + rest == LARGE, content.total_bytes

        self.assertEqual(await self.read_by(read), (True, True, True, len(LARGE)))

    async def test_no_more_is_buffered_than_the_session_says(self):
        here = await self.origin()
        here.answers("GET", "/", body=LARGE)

        async def scenario():
            async with ClientSession(read_bufsize=2 ** 20) as session:
                async with session.get(here.url) as response:
                    await response.content.readany()
                    return response.content.total_bytes < 2 ** 22, len(await response.read()) > 2 ** 22

        self.assertEqual((await self.compare(scenario)).seen, (True, True))

    async def test_a_large_body_at_once(self):
        async def read(content):
            return await content.read() == LARGE

        self.assertTrue(await self.read_by(read))
