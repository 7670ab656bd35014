"""The in-memory transport: bodies are read as from a real server, and connections break as there."""

import asyncio

import aiohttp
from aiohttp import ClientSession
from yarl import URL

from aioresponses import aioresponses

from ..servers import ComparingTestCase, fetch
from ..support import LARGE, error_of


class BrokenConnectionTest(ComparingTestCase):

    async def serve_bytes(self, sent):
        """Start a server that reads the head of a request, writes `sent` and closes; return its URL."""
        async def answer(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(sent)
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        self.addAsyncCleanup(server.wait_closed)
        self.addCleanup(server.close)
        return URL.build(scheme="http", host="127.0.0.1", port=server.sockets[0].getsockname()[1])

    async def both(self, url, scenario, **mocked):
        real = await scenario(url)
        with aioresponses() as mock:
            mock.get(url, repeat=True, **mocked)
            self.assertEqual(await scenario(url), real)
        return real

    async def test_a_body_shorter_than_its_length_is_an_error_at_its_end(self):
        async def scenario(url):
            async with ClientSession() as session:
                async with session.get(url) as response:
                    error = await error_of(response.read())
                    return response.status, response.headers["Content-Length"], error

        url = await self.serve_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
        real = await self.both(url, scenario, body="short", headers={"Content-Length": "10"})
        self.assertEqual((real[:2], real[2][0]), ((200, "10"), aiohttp.ClientPayloadError))

    async def test_what_arrived_of_a_broken_body_can_be_read(self):
        async def scenario(url):
            async with ClientSession() as session:
                async with session.get(url) as response:
                    return await response.content.readexactly(5), (await error_of(response.content.read()))[0]

        url = await self.serve_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
        real = await self.both(url, scenario, body="short", headers={"Content-Length": "10"})
        self.assertEqual(real, (b"short", aiohttp.ClientPayloadError))

    async def test_a_body_longer_than_its_length_never_hangs(self):
        async def scenario(url):
            async with ClientSession() as session:
                return await error_of(fetch(session, "GET", url))

        url = await self.serve_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nlonger")
        await self.both(url, scenario, body="longer", headers={"Content-Length": "2"})

    async def test_a_length_that_is_no_number_is_an_error(self):
        async def scenario(url):
            async with ClientSession() as session:
                return (await error_of(fetch(session, "GET", url)))[0]

        url = await self.serve_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nbody")
        await self.both(url, scenario, body="body", headers={"Content-Length": "many"})

    async def test_a_body_that_is_not_compressed_as_it_says_is_an_error(self):
        async def scenario(url):
            async with ClientSession() as session:
                async with session.get(url) as response:
                    return response.status, (await error_of(response.read()))[0]

        body = b"\x1f\x8b but no more of it"
        url = await self.serve_bytes(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        await self.both(url, scenario, body=body, headers={"Content-Encoding": "gzip"})

    async def test_a_server_that_hangs_up_without_a_word_is_an_error(self):
        async def scenario(url):
            async with ClientSession() as session:
                return (await error_of(session.post(url)))[0]

        url = await self.serve_bytes(b"")
        real = await scenario(url)
        with aioresponses() as mock:
            mock.post(url, exception=aiohttp.ServerDisconnectedError())
            self.assertEqual(await scenario(url), real)

    async def test_a_mock_that_is_stopped_hangs_up_on_who_still_reads(self):
        async def scenario(url, hang_up):
            async with ClientSession() as session:
                async with session.get(url) as response:
                    reading = asyncio.ensure_future(error_of(response.read()))
                    hang_up()
                    return (await reading)[0]

        mock = aioresponses()
        mock.start()
        mock.get("http://example.com/", body=LARGE)
        self.assertEqual(await scenario("http://example.com/", mock.stop), aiohttp.ClientPayloadError)

    async def test_headers_that_are_too_long_for_the_client_are_an_error(self):
        async def scenario(url):
            async with ClientSession() as session:
                return (await error_of(fetch(session, "GET", url)))[0]

        url = await self.serve_bytes(b"HTTP/1.1 200 OK\r\nX-Long: %b\r\nContent-Length: 0\r\n\r\n" % (b"x" * 20000))
        await self.both(url, scenario, headers={"X-Long": "x" * 20000})


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
