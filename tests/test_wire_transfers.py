"""The in-memory connection, held against a real server: bodies on the way there and back."""

import gzip
import zlib

from aiohttp import ClientSession

from aioresponses import aioresponses

from .servers import ComparingTestCase, fetch
from .support import LARGE

_GZIP = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
GZIPPED = _GZIP.compress(b"hello" * 100) + _GZIP.flush()
DEFLATED = zlib.compress(b"hello" * 100)


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
