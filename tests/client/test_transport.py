"""The in-memory transport: bodies are read as from a real server, and connections break as there."""

import asyncio

import aiohttp
from aiohttp import ClientSession

from aioresponses import Fault, aioresponses

from ..servers import ServerTestCase, closes, fetch, sends
from ..support import LARGE, SITE, error_of


class BrokenConnectionTest(ServerTestCase):
    """The server closes the connection after what it has sent, and so does the mock where it has to."""

    async def both(self, read, sent, **reply):
        """Return what `read` makes of a response: of what a server sends before it closes, and of the mock's reply."""
        url = await self.serve_raw(sends(b"HTTP/1.1 200 OK\r\n", sent))

        async def scenario():
            async with ClientSession() as session:
                async with session.get(url) as response:
                    return await read(response)

        return (await self.compare(scenario, lambda mock: mock.get(url, **reply))).seen

    async def failure(self, sent, **reply):
        """Return the exception with which a request fails, or the reading of its response."""
        url = await self.serve_raw(sends(b"HTTP/1.1 200 OK\r\n", sent))

        async def scenario():
            async with ClientSession() as session:
                return await error_of(fetch(session, "GET", url))

        return (await self.compare(scenario, lambda mock: mock.get(url, **reply))).seen

    async def test_a_body_shorter_than_its_length_is_an_error_at_its_end(self):
        async def read(response):
            error = await error_of(response.read())
            return response.status, response.headers["Content-Length"], error

        seen = await self.both(
            read,
            b"Content-Type: application/json\r\nContent-Length: 10\r\n\r\nshort",
            body="short half",
            fault=Fault.TRUNCATED_BODY,
        )
        self.assertEqual((seen[:2], seen[2][0]), ((200, "10"), aiohttp.ClientPayloadError))

    async def test_what_arrived_of_a_broken_body_can_be_read(self):
        async def read(response):
            return await response.content.readexactly(5), (await error_of(response.content.read()))[0]

        seen = await self.both(
            read, b"Content-Length: 10\r\n\r\nshort", body="short half", fault=Fault.TRUNCATED_BODY
        )
        self.assertEqual(seen, (b"short", aiohttp.ClientPayloadError))

    async def test_a_length_that_is_no_number_is_an_error(self):
        failure = await self.failure(
            b"Content-Length: many\r\n\r\nbody", body=lambda: ["body"], headers={"Content-Length": "many"}
        )
        self.assertIsNotNone(failure)

    async def test_a_body_that_is_not_compressed_as_it_says_is_an_error(self):
        async def read(response):
            return response.status, (await error_of(response.read()))[0]

        body = b"\x1f\x8b but no more of it"
        await self.both(
            read,
            b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body),
            body=body,
            headers={"Content-Encoding": "gzip"},
        )

    async def test_a_server_that_hangs_up_without_a_word_is_an_error(self):
        url = await self.serve_raw(closes)

        async def scenario():
            async with ClientSession() as session:
                return (await error_of(session.post(url)))[0]

        await self.compare(
            scenario, lambda mock: mock.post(url, exception=aiohttp.ServerDisconnectedError())
        )

    async def test_a_mock_that_is_stopped_hangs_up_on_a_client_that_still_reads(self):
        mock = aioresponses()
        mock.start()
        mock.get(SITE, body=LARGE)
        async with ClientSession() as session:
            async with session.get(SITE) as response:
                reading = asyncio.ensure_future(error_of(response.read()))
                mock.stop()
                self.assertEqual((await reading)[0], aiohttp.ClientPayloadError)

    async def test_headers_that_are_too_long_for_the_client_are_an_error(self):
        failure = await self.failure(
            b"X-Long: %b\r\nContent-Length: 0\r\n\r\n" % (b"x" * 20000), headers={"X-Long": "x" * 20000}
        )
        self.assertIsNotNone(failure)


class StreamTest(ServerTestCase):

    async def read_by(self, read, body=LARGE):
        """Return what `read` makes of the content of a response."""
        here = await self.origin()
        here.answers("GET", "/", body=body)

        async def scenario():
            async with ClientSession() as session:
                async with session.get(here.url) as response:
                    return await read(response.content)

        return (await self.compare(scenario)).seen

    async def test_read_in_chunks_of_a_size_at_most(self):
        async def read(content):
            chunks = [chunk async for chunk in content.iter_chunked(1000)]
            return max(map(len, chunks)), b"".join(chunks) == LARGE

        self.assertEqual(await self.read_by(read), (1000, True))

    async def test_read_in_chunks_as_they_come(self):
        async def read(content):
            return b"".join([chunk async for chunk in content.iter_any()]) == LARGE

        self.assertTrue(await self.read_by(read))

    async def test_read_in_chunks_with_the_ends_of_those_that_were_sent(self):
        async def read(content):
            return b"".join([data async for data, _ in content.iter_chunks()]) == LARGE

        self.assertTrue(await self.read_by(read))

    async def test_read_by_lines(self):
        lines = [b"%0200d\n" % number for number in range(2000)]

        async def read(content):
            first = await content.readline()
            return [first, *[line async for line in content]] == lines

        self.assertTrue(await self.read_by(read, b"".join(lines)))

    async def test_read_a_line_too_long(self):
        async def read(content):
            return await error_of(content.readline())

        self.assertIsNotNone(await self.read_by(read, b"x" * 2 ** 22))

    async def test_read_until_a_separator(self):
        async def read(content):
            return [await content.readuntil(b";") for _ in range(3)]

        self.assertEqual(await self.read_by(read, b"a; b;c: d"), [b"a;", b" b;", b"c: d"])

    async def test_read_an_exact_number_of_bytes(self):
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

    async def test_read_a_large_body_at_once(self):
        async def read(content):
            return await content.read() == LARGE

        self.assertTrue(await self.read_by(read))
