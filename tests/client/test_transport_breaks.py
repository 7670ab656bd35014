"""Streams that break: what was sent before is read first, and then the reader gets what went wrong."""

import asyncio
import errno
import unittest
import zlib
from random import Random

import aiohttp
from aiohttp import ClientSession, ClientTimeout, HttpVersion10, HttpVersion11, TCPConnector

from aioresponses import AioResponsesTestCase, Fault, aioresponses

from ..servers import ServerTestCase, reset
from ..support import AT_MOST, SITE, MockedTestCase, Uncaught, idle

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
RESET = (errno.ECONNRESET, "Connection reset by peer")
LINES = [b"line %d\n" % number for number in range(5)]


async def lines(content):
    async for line in content:
        yield line


async def some_bytes(content):
    while piece := await content.read(3):
        yield piece


async def exact_bytes(content):
    while True:
        yield await content.readexactly(7)


async def chunks(content):
    async for piece, _ in content.iter_chunks():
        yield piece


READINGS = {
    "lines": lines,
    "any": lambda content: content.iter_any(),
    "some bytes": some_bytes,
    "exact bytes": exact_bytes,
    "chunks": chunks,
    "small chunks": lambda content: content.iter_chunked(2),
}


async def read_by(pieces, turns=0):
    """Return what could be read, and class and text of what was raised then."""
    came_in = b""
    try:
        async for piece in pieces:
            came_in += piece
            for _ in range(turns):
                await asyncio.sleep(0)
    except BaseException as error:
        return came_in, type(error), str(error)
    return came_in


class LikeAServerTest(ServerTestCase):
    async def broken(self, sent, end, version=HttpVersion11, **reply):
        """Return what readers get of a server that sends this piece by piece, and of the mock."""

        async def behave(writer, before):
            for piece in sent:
                writer.write(piece)
                await writer.drain()
                await idle()
            end(writer)

        url = await self.serve_raw(behave)

        async def scenario():
            outcomes = {}
            async with ClientSession(version=version) as session:
                for name, reading in READINGS.items():
                    async with session.get(url) as response:
                        outcomes[name] = await asyncio.wait_for(read_by(reading(response.content)), AT_MOST)
            return outcomes

        return (await self.compare(scenario, lambda mock: mock.get(url, repeat=True, **reply))).seen

    def sources(self, *error):
        """Return a stream that yields five lines, and raises this error, in each form that there is."""

        def plain():
            yield from LINES
            if error:
                raise error[0]

        async def asynchronous():
            for line in LINES:
                yield line
            if error:
                raise error[0]

        return {"plain": plain, "asynchronous": asynchronous}

    async def test_five_lines_and_a_reset_connection(self):
        chunks = [b"%x\r\n%b\r\n" % (len(line), line) for line in LINES]
        for name, body in self.sources(ConnectionResetError(*RESET)).items():
            with self.subTest(name):
                seen = await self.broken(
                    [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *chunks], reset, body=body, content_type="text/plain"
                )
                came_in, error, _ = seen["lines"]
                self.assertEqual((came_in, error), (b"".join(LINES), aiohttp.ClientPayloadError))

    async def test_five_lines_of_an_announced_length_and_a_reset_connection(self):
        for name, body in self.sources(ConnectionResetError(*RESET)).items():
            with self.subTest(name):
                headers = {"Content-Type": "text/plain", "Content-Length": "1000"}
                seen = await self.broken(
                    [HEAD + b"Content-Length: 1000\r\n\r\n", *LINES], reset, body=body, headers=headers
                )
                self.assertEqual({came_in for came_in, *_ in seen.values()}, {b"".join(LINES)})

    async def test_a_connection_that_is_reset_before_the_first_piece(self):
        def body():
            raise ConnectionResetError(*RESET)
            yield

        seen = await self.broken(
            [HEAD + b"Transfer-Encoding: chunked\r\n\r\n"], reset, body=body, content_type="text/plain"
        )
        self.assertEqual({(came_in, error) for came_in, error, _ in seen.values()}, {(b"", aiohttp.ClientPayloadError)})

    async def test_a_length_that_the_stream_does_not_reach(self):
        for name, body in self.sources().items():
            with self.subTest(name):
                headers = {"Content-Type": "text/plain", "Content-Length": "1000"}
                await self.broken(
                    [HEAD + b"Content-Length: 1000\r\n\r\n", *LINES], lambda writer: None, body=body, headers=headers
                )

    async def test_a_truncated_stream_gives_all_that_a_server_would_have_sent(self):
        chunks = [b"%x\r\n%b\r\n" % (len(line), line) for line in LINES]
        for name, body in {**self.sources(), "list": LINES}.items():
            with self.subTest(name):
                seen = await self.broken(
                    [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *chunks],
                    lambda writer: None,
                    body=body,
                    content_type="text/plain",
                    fault=Fault.TRUNCATED_BODY,
                )
                self.assertEqual({came_in for came_in, *_ in seen.values()}, {b"".join(LINES)})

    async def test_a_stream_without_length_and_chunks_that_is_reset(self):
        # The end of the connection is the end of the body, so aiohttp finds nothing wrong.
        for name, body in self.sources(ConnectionResetError(*RESET)).items():
            with self.subTest(name):
                head = HEAD.replace(b"1.1", b"1.0") + b"\r\n"
                seen = await self.broken([head, *LINES], reset, HttpVersion10, body=body, content_type="text/plain")
                self.assertEqual(seen["lines"], b"".join(LINES))


class ReadFirstTest(AioResponsesTestCase):
    """However long a reader takes, it first gets what was sent, and the error then."""

    async def read_slowly(self, reading, turns, **reply):
        self.mock.get(SITE, **reply)
        async with ClientSession() as session:
            async with session.get(SITE) as response:
                for _ in range(turns):
                    await asyncio.sleep(0)
                return await asyncio.wait_for(read_by(reading(response.content), turns), AT_MOST)

    async def test_slow_readers_get_what_was_sent_first(self):
        def body():
            yield from LINES
            raise ConnectionResetError(*RESET)

        for name, reading in READINGS.items():
            for turns in (0, 1, 2, 7, 30):
                with self.subTest(name, turns=turns):
                    came_in, error, text = await self.read_slowly(reading, turns, body=body)
                    self.assertEqual((came_in, error), (b"".join(LINES), aiohttp.ClientPayloadError))
                    self.assertIn("Response payload is not completed", text)

    async def test_what_was_sent_of_a_truncated_body_is_read_first(self):
        for body, sent in (("abcdef" * 50, b"abcdef" * 25), (bytes(2 ** 21), bytes(2 ** 20)), (LINES, b"".join(LINES))):
            for turns in (0, 5):
                with self.subTest(turns=turns):
                    came_in, error, _ = await self.read_slowly(
                        READINGS["any"], turns, body=body, fault=Fault.TRUNCATED_BODY
                    )
                    self.assertEqual((came_in == sent, error), (True, aiohttp.ClientPayloadError))

    async def test_what_was_sent_of_a_compressed_stream_is_read_first(self):
        # What the compressor has not yet put out is lost, as it is with servers that compress.
        for coding, wbits in (("gzip", 16 + zlib.MAX_WBITS), ("deflate", zlib.MAX_WBITS)):
            for size in (2 ** 16, 2 ** 21):
                piece = Random(0).randbytes(size)
                compressor = zlib.compressobj(9 if coding == "gzip" else -1, wbits=wbits)
                put_out = zlib.decompressobj(wbits).decompress(compressor.compress(piece))

                def body():
                    yield piece
                    raise ValueError("no more")

                with self.subTest(coding, size=size):
                    came_in, error, _ = await self.read_slowly(
                        READINGS["any"], 3, body=body, headers={"Content-Encoding": coding}
                    )
                    self.assertEqual((came_in == put_out, error), (True, ValueError))

    async def test_the_time_to_read_is_not_up_while_nothing_is_asked_for(self):
        def body():
            yield b"first"
            raise ValueError("no more")

        for fault in (None, Fault.TRUNCATED_BODY):
            with self.subTest(fault):
                self.mock.get(SITE, body=body if fault is None else "firstfirst", fault=fault)
                async with ClientSession() as session:
                    async with session.get(SITE, timeout=ClientTimeout(sock_read=0.01)) as response:
                        await asyncio.sleep(0.03)
                        self.assertEqual(await response.content.readany(), b"first")
                        await asyncio.sleep(0)
                        with self.assertRaises(aiohttp.ClientPayloadError if fault else ValueError):
                            await response.content.readany()

    async def test_a_response_that_is_left_unread_ends_as_ever(self):
        def body():
            yield b"first"
            raise ConnectionResetError(*RESET)

        for end in ("release", "close"):
            with self.subTest(end):
                self.mock.get(SITE, body=body)
                self.mock.get(SITE, body="next")
                async with ClientSession(connector=TCPConnector(limit=1)) as session:
                    response = await session.get(SITE)
                    await idle()
                    getattr(response, end)()
                    async with session.get(SITE) as response:
                        self.assertEqual(await asyncio.wait_for(response.text(), AT_MOST), "next")
        self.assertEqual(asyncio.all_tasks(), {asyncio.current_task()})

    async def test_a_body_that_ends_with_the_connection_is_complete_before_it_is_read(self):
        self.mock.get(SITE, body=["wh", "ole"])
        self.mock.get(SITE, body="next")
        async with ClientSession(connector=TCPConnector(limit=1), version=HttpVersion10) as session:
            response = await session.get(SITE)
            async with session.get(SITE) as other:
                self.assertEqual(await asyncio.wait_for(other.text(), AT_MOST), "next")
            self.assertEqual(await response.text(), "whole")


class RaisedTest(MockedTestCase):
    """What a stream raises, other than that its connection is broken, reaches the reader as it is."""

    async def read(self, error, *pieces):
        def plain():
            yield from pieces
            raise error

        async def asynchronous():
            for piece in pieces:
                yield piece
            raise error

        outcomes = []
        for body in (plain, asynchronous):
            self.mock.get(SITE, body=body)
            async with ClientSession() as session:
                async with session.get(SITE) as response:
                    came_in = b""
                    try:
                        async for piece in response.content.iter_any():
                            came_in += piece
                    except type(error) as raised:
                        outcomes.append((came_in, raised is error))
        return outcomes

    async def test_any_exception(self):
        for error in (
            LookupError("none"), OSError(errno.EIO, "disk on fire"), aiohttp.ClientPayloadError("broken"),
            aiohttp.ServerDisconnectedError(), asyncio.TimeoutError("late"),
        ):
            for pieces in ((), (b"one",), LINES):
                with self.subTest(error, pieces=len(pieces)):
                    self.assertEqual(await self.read(error, *pieces), [(b"".join(pieces), True)] * 2)

    async def test_what_is_no_exception_but_ends_a_test(self):
        # What pytest.fail() raises is one of these.
        for pieces in ((), (b"one",), LINES):
            with self.subTest(pieces=len(pieces)):
                outcomes = await asyncio.wait_for(self.read(Uncaught("failed"), *pieces), AT_MOST)
                self.assertEqual(outcomes, [(b"".join(pieces), True)] * 2)
        self.assertEqual(asyncio.all_tasks(), {asyncio.current_task()})

    async def test_a_stream_that_gives_itself_up_is_a_broken_connection(self):
        # Were it handed on, the reader would be taken for cancelled, which it is not.
        async def body():
            yield b"first"
            raise asyncio.CancelledError

        self.mock.get(SITE, body=body)
        async with ClientSession() as session:
            async with session.get(SITE) as response:
                await idle()
                outcome = await asyncio.wait_for(read_by(response.content.iter_any()), AT_MOST)
        self.assertEqual(outcome[:2], (b"first", aiohttp.ClientPayloadError))

    async def test_a_generator_exit_is_an_exception_like_others(self):
        class Body:
            def __iter__(self):
                yield b"first"
                # Raised in a generator, this would be its regular end.
                yield from Rest()

        class Rest:
            def __iter__(self):
                return self

            def __next__(self):
                raise GeneratorExit("odd")

        self.mock.get(SITE, body=Body())
        async with ClientSession() as session:
            async with session.get(SITE) as response:
                # A task of its own, for what is thrown into a coroutine that waits for another one only closes that.
                reading = asyncio.ensure_future(read_by(response.content.iter_any()))
                outcome = await asyncio.wait_for(reading, AT_MOST)
        self.assertEqual(outcome, (b"first", GeneratorExit, "odd"))


class InterruptedTest(unittest.TestCase):
    """An interrupt ends the loop, whoever is running; the reader gets it as well, lest it wait for ever."""

    def test_a_stream_that_interrupts(self):
        for interrupt in (KeyboardInterrupt, SystemExit):
            with self.subTest(interrupt):
                complaints = []
                outcomes = []

                def body():
                    yield b"first"
                    raise interrupt("enough")

                async def read():
                    async with ClientSession() as session:
                        async with session.get(SITE) as response:
                            outcomes.append(await read_by(response.content.iter_any()))

                loop = asyncio.new_event_loop()
                loop.set_exception_handler(lambda loop, context: complaints.append(context["message"]))
                with aioresponses() as mock:
                    mock.get(SITE, body=body)
                    reading = loop.create_task(read())
                    with self.assertRaises(interrupt):
                        loop.run_until_complete(reading)
                    loop.run_until_complete(asyncio.wait_for(reading, AT_MOST))
                loop.close()
                self.assertEqual(outcomes, [(b"first", interrupt, "enough")])
                self.assertEqual(complaints, [])
