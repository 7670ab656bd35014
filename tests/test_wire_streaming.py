"""Streamed replies on the in-memory connection: how fast they are sent, how they end, and what they cost."""

import asyncio
import gzip

import aiohttp
from aiohttp import ClientSession, TCPConnector, TraceConfig, web

from aioresponses import AioResponsesTestCase, aioresponses

from .servers import RepliesTestCase, seen
from .support import SITE


class LikeAServerTest(RepliesTestCase):
    """The same stream from a real server."""

    async def stream(self, pieces, read, headers=None, **options):
        async def handle(request):
            response = web.StreamResponse(headers={"Content-Type": "text/plain", **(headers or {})})
            await response.prepare(request)
            for piece in pieces:
                await response.write(piece)
            return response

        async def body():
            for piece in pieces:
                yield piece

        url, received = await self.received_by(web.route("*", "/", handle))

        async def scenario(session):
            async with session.get(url, **options) as response:
                return await read(response)

        def register(mock):
            mock.get(url, body=body, headers={"Content-Type": "text/plain", **(headers or {})})

        return (await self.hold_against(received, register, scenario)).seen

    async def test_the_whole(self):
        response = await self.stream([b"a", b"bc" * 100000, b"d"], seen)
        self.assertEqual(response.body, b"a" + b"bc" * 100000 + b"d")
        self.assertEqual(response.headers, [("Content-Type", "text/plain"), ("Transfer-Encoding", "chunked")])

    async def test_nothing(self):
        self.assertEqual((await self.stream([], seen)).body, b"")

    async def test_with_a_length_it_is_not_chunked(self):
        response = await self.stream([b"abc", b"def"], seen, {"Content-Length": "6"})
        self.assertEqual(
            (response.body, response.header("Content-Length"), response.header("Transfer-Encoding")),
            (b"abcdef", "6", None),
        )

    async def test_with_transfer_encoding_registered(self):
        async def handle(request):
            response = web.StreamResponse(headers={"Content-Type": "text/plain"})
            response.enable_chunked_encoding()
            await response.prepare(request)
            await response.write(b"abc")
            return response

        url, received = await self.received_by(web.route("*", "/", handle))

        async def scenario(session):
            async with session.get(url) as response:
                return await seen(response)

        def register(mock):
            mock.get(
                url, body=lambda: [b"abc"], content_type="text/plain",
                headers={"Transfer-Encoding": "chunked", "Content-Length": "7"},
            )

        await self.hold_against(received, register, scenario)

    async def test_the_ends_of_chunks(self):
        async def read(response):
            # Where the pieces come one by one can not be told of a socket, but where they end can.
            chunks, chunk = [], b""
            async for data, end in response.content.iter_chunks():
                chunk += data
                if end:
                    chunks.append(chunk)
                    chunk = b""
            return chunks, chunk

        self.assertEqual(
            await self.stream([b"a", b"bc", b"d" * 1000], read), ([b"a", b"bc", b"d" * 1000], b"")
        )

    async def test_chunks_larger_than_what_is_sent_at_once(self):
        async def read(response):
            ends, size = [], 0
            async for data, end in response.content.iter_chunks():
                size += len(data)
                if end:
                    ends.append(size)
            return ends

        large = 2 ** 16 * 3 + 5
        self.assertEqual(await self.stream([bytes(large), bytes(large)], read), [large, 2 * large])

    async def test_lines(self):
        async def read(response):
            return [line async for line in response.content]

        self.assertEqual(await self.stream([b"a\nb", b"c\n", b"\nd"], read), [b"a\n", b"bc\n", b"\n", b"d"])

    async def test_the_connection_is_used_again(self):
        async def handle(request):
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(3):
                await response.write(b"piece")
            return response

        async def body():
            for _ in range(3):
                yield b"piece"

        url, received = await self.received_by(web.route("*", "/", handle))

        async def scenario(session):
            signals = []
            config = TraceConfig()
            for name in ("on_connection_create_end", "on_connection_reuseconn"):
                async def note(session, context, params, name=name):
                    signals.append(name)

                getattr(config, name).append(note)
            async with ClientSession(trace_configs=[config]) as session:
                for _ in range(3):
                    async with session.get(url) as response:
                        signals.append(await response.read())
            return signals

        outcome = await self.hold_against(received, lambda mock: mock.get(url, body=body, repeat=True), scenario)
        self.assertEqual(
            outcome.seen,
            [
                "on_connection_create_end", b"piecepiecepiece", "on_connection_reuseconn", b"piecepiecepiece",
                "on_connection_reuseconn", b"piecepiecepiece",
            ],
        )

    async def test_two_at_once(self):
        async def handle(request):
            response = web.StreamResponse()
            await response.prepare(request)
            async for piece in pieces(request.path[1:]):
                await response.write(piece)
            return response

        async def pieces(number):
            for part in (b"a", b"b", b"c"):
                await turns[number].wait()
                turns[number].clear()
                yield number.encode() + part

        async def scenario(session):
            read = []
            async with session.get(url / "0") as one, session.get(url / "1") as other:
                for _ in range(3):
                    for number, response in (("0", one), ("1", other)):
                        turns[number].set()
                        read.append(await response.content.readany())
            return read

        turns = {"0": asyncio.Event(), "1": asyncio.Event()}
        url, received = await self.received_by(web.route("*", "/{number}", handle))

        def register(mock):
            mock.get(f"{url}{{number}}", body=lambda call: pieces(call.match_info["number"]), repeat=2)

        outcome = await self.hold_against(received, register, scenario)
        self.assertEqual(outcome.seen, [b"0a", b"1a", b"0b", b"1b", b"0c", b"1c"])


class WrongLengthTest(RepliesTestCase):
    """A registered length that is not that of the body: never does anything hang."""

    async def told(self, session, url, method="GET"):
        try:
            async with session.request(method, url) as response:
                return response.status, response.headers.get("Content-Length"), await response.read()
        except aiohttp.ClientError as error:
            return type(error), str(error)

    async def test_as_of_a_server_that_sends_all_at_once(self):
        # Such a server closes the connection, in the end: the client would wait for ever else.
        for length in ("0", "2", "6", "7", "100"):
            for method in ("GET", "HEAD", "POST"):
                with self.subTest(length=length, method=method):
                    async def behave(writer, before):
                        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
                        writer.write(head.encode() + (b"" if method == "HEAD" else b"abcdef"))

                    server = await self.raw_server(behave)

                    async def scenario(session):
                        return await asyncio.wait_for(self.told(session, server.url, method), 10)

                    def register(mock):
                        headers = {"Content-Type": "text/plain", "Content-Length": length}
                        mock.add(server.url, method, body="abcdef", headers=headers)

                    await self.hold_against(server.received, register, scenario)

    async def test_as_of_a_server_that_streams(self):
        # What it sends beyond its word is lost on the client: aiohttp's own server does not even send it.
        for length in ("0", "2", "3", "6", "7", "100"):
            for method in ("GET", "HEAD", "POST"):
                with self.subTest(length=length, method=method):
                    async def handle(request):
                        headers = {"Content-Type": "text/plain", "Content-Length": length}
                        response = web.StreamResponse(headers=headers)
                        await response.prepare(request)
                        if method != "HEAD":
                            await response.write(b"abc")
                            await response.write(b"def")
                            # Or else aiohttp's server would not close the connection.
                            if int(length) > 6:
                                request.transport.close()
                        return response

                    async def body():
                        yield b"abc"
                        yield b"def"

                    url, received = await self.received_by(web.route("*", "/", handle))

                    async def scenario(session):
                        return await asyncio.wait_for(self.told(session, url, method), 10)

                    def register(mock):
                        headers = {"Content-Type": "text/plain", "Content-Length": length}
                        mock.add(url, method, body=body, headers=headers)

                    await self.hold_against(received, register, scenario)

    async def test_the_next_request_is_answered_all_the_same(self):
        async def generator():
            yield b"abc"
            yield b"def"

        for length in ("0", "3", "100"):
            for body in ("abcdef", generator):
                with self.subTest(length=length, body=body), aioresponses() as mock:
                    mock.post(SITE, body=body, headers={"Content-Length": length})
                    mock.post(SITE, body="next")
                    async with ClientSession(connector=TCPConnector(limit=1)) as session:
                        await asyncio.wait_for(self.told(session, SITE, "POST"), 10)
                        self.assertEqual(
                            await asyncio.wait_for(self.told(session, SITE, "POST"), 10), (200, "4", b"next")
                        )

    async def test_a_length_that_is_no_number(self):
        for length in ("many", "-1", "6, 6"):
            for body in ("abcdef", lambda: [b"abcdef"]):
                with self.subTest(length=length, body=body):
                    async def behave(writer, before):
                        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
                        writer.write(head.encode() + b"abcdef")

                    server = await self.raw_server(behave)

                    async def scenario(session):
                        return (await asyncio.wait_for(self.told(session, server.url, "POST"), 10))[0]

                    def register(mock):
                        mock.post(
                            server.url, body=body, content_type="text/plain", headers={"Content-Length": length}
                        )

                    await self.hold_against(server.received, register, scenario)

    async def test_a_transfer_encoding_that_is_none_ends_with_the_connection(self):
        async def behave(writer, before):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: identity\r\n\r\nabcdef")

        for body in ("abcdef", lambda: [b"abc", b"def"]):
            with self.subTest(body=body):
                server = await self.raw_server(behave)

                async def scenario(session):
                    return await asyncio.wait_for(self.told(session, server.url), 10)

                def register(mock):
                    mock.get(
                        server.url, body=body, content_type="text/plain", headers={"Transfer-Encoding": "identity"}
                    )

                await self.hold_against(server.received, register, scenario)


class CompressedStreamTest(AioResponsesTestCase):
    async def test_it_is_compressed_piece_by_piece(self):
        async def body():
            for _ in range(400):
                yield bytes(2 ** 16)

        self.mock.get(SITE, body=body, headers={"Content-Encoding": "gzip"})
        async with ClientSession(auto_decompress=False) as session:
            async with session.get(SITE) as response:
                self.assertEqual(gzip.decompress(await response.read()), bytes(400 * 2 ** 16))
