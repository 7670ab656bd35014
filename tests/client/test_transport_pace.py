"""The pace of a stream: after each piece, whoever waits for it has a turn."""

import asyncio
import io
from unittest.mock import patch

from aiohttp import ClientSession

from aioresponses import AioResponsesTestCase

from ..servers import connections
from ..support import SITE, idle

# A stream may be this far ahead of its reader.
A_FEW = 5
# Of aiohttp's own buffer: what it holds before it pauses the connection is twice this.
BUFFER = 2 ** 14


class Endless:
    """Streams that never end, and count what they yield."""

    def __init__(self, piece):
        self._piece = piece
        self.yielded = 0

    def plain(self):
        while True:
            self.yielded += 1
            yield self._piece

    async def asynchronous(self):
        while True:
            self.yielded += 1
            yield self._piece

    def read(self, size):
        """Make this a file, whose pieces are as small as those of a pipe may be."""
        self.yielded += 1
        return self._piece


class PaceTest(AioResponsesTestCase):
    def streams(self, piece=b"a line\n", name="body"):
        """Yield what to register for each form of a stream, with what counts its pieces."""
        for form in ("plain", "asynchronous"):
            endless = Endless(piece)
            yield form, endless, {name: getattr(endless, form)}
        if name == "body":
            endless = Endless(piece)
            yield "file", endless, {name: endless}

    async def check_pace(self, streams, read):
        for form, endless, reply in streams:
            with self.subTest(form):
                self.mock.get(SITE, **reply)
                async with ClientSession() as session:
                    async with session.get(SITE) as response:
                        for number in range(1, 200):
                            await read(response.content)
                            self.assertLessEqual(number, endless.yielded)
                            self.assertLess(endless.yielded, number + A_FEW)
                        response.close()

    async def test_small_pieces_are_read_as_they_are_yielded(self):
        await self.check_pace(self.streams(), lambda content: content.readline())
        await self.check_pace(self.streams(), lambda content: content.readany())

    async def test_events_are_read_as_they_are_yielded(self):
        await self.check_pace(self.streams("x", "events"), lambda content: content.readuntil(b"\n\n"))

    async def test_what_is_read_at_once_is_there_at_once(self):
        # A reader that gives no turn to the loop itself has one after each piece all the same.
        endless = Endless(b"12345")
        self.mock.get(SITE, body=endless.plain)
        async with ClientSession() as session:
            async with session.get(SITE) as response:
                await response.content.readexactly(5 * 1000)
                self.assertLess(endless.yielded, 1000 + A_FEW)
                response.close()

    async def test_empty_pieces_and_what_a_compressor_holds_back_stop_no_reader(self):
        for name, reply in (("nothing", {}), ("compressed", {"headers": {"Content-Encoding": "gzip"}})):
            for form, endless, body in self.streams(b"" if name == "nothing" else b"x"):
                if (name, form) == ("nothing", "file"):
                    continue  # It is at its end.
                with self.subTest(name, form=form):
                    self.mock.get(SITE, **reply, **body)
                    async with ClientSession() as session:
                        async with session.get(SITE) as response:
                            await idle()
                            self.assertLess(endless.yielded, 50)
                            response.close()
                            await idle()

    async def test_a_stream_without_a_reader(self):
        for size in (10, 1000, 2 ** 13):
            for form, endless, reply in self.streams(bytes(size)):
                with self.subTest(form, size=size):
                    self.mock.get(SITE, **reply)
                    async with ClientSession(read_bufsize=BUFFER) as session:
                        async with session.get(SITE) as response:
                            before = -1
                            while before != endless.yielded:
                                before = endless.yielded
                                await idle()
                            self.assertLessEqual(endless.yielded * size, 2 * BUFFER + A_FEW * size)
                            # From 3.13.3 on, aiohttp also counts chunks.
                            self.assertGreater(endless.yielded, min(2 * BUFFER / size, BUFFER / 16))
                            response.close()

    async def test_a_small_list_takes_no_turn_for_each_piece(self):
        for count, turns in ((1, 10), (1000, 20), (3000, 30)):
            with self.subTest(count):
                self.mock.get(SITE, body=[bytes(100)] * count)
                async with ClientSession(read_bufsize=2 ** 20) as session:
                    async with session.get(SITE) as response:
                        for _ in range(turns):
                            await asyncio.sleep(0)
                        self.assertEqual(response.content.total_bytes, 100 * count)
                        self.assertEqual(len(await response.read()), 100 * count)

    async def test_each_piece_of_a_list_is_a_chunk(self):
        for count in (3, 5000):
            with self.subTest(count):
                pieces = [b"%0100d" % number for number in range(count)]
                self.mock.get(SITE, body=pieces)
                async with ClientSession(read_bufsize=2 ** 20) as session:
                    async with session.get(SITE) as response:
                        chunks, chunk = [], b""
                        async for piece, is_end in response.content.iter_chunks():
                            chunk += piece
                            if is_end:
                                chunks.append(chunk)
                                chunk = b""
                self.assertEqual((chunks == pieces, chunk), (True, b""))

    async def test_what_a_list_gives_before_it_fails_is_read(self):
        self.mock.get(SITE, body=lambda: [b"one ", b"two", None])
        async with ClientSession() as session:
            async with session.get(SITE) as response:
                self.assertEqual(await response.content.readany(), b"one two")
                with self.assertRaises(TypeError):
                    await response.content.readany()

    async def test_a_large_file_takes_its_turns(self):
        self.mock.get(SITE, body=io.BytesIO(bytes(100 * 2 ** 16)))
        turns = 0

        async def count():
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        counting = asyncio.ensure_future(count())
        async with ClientSession() as session:
            async with session.get(SITE) as response:
                await response.read()
        counting.cancel()
        self.assertGreaterEqual(turns, 100)

    async def test_a_patched_sleep_makes_no_difference(self):
        async def never(delay, result=None):
            raise AssertionError("slept")

        endless = Endless(b"a line\n")
        self.mock.get(SITE, body=endless.plain)
        async with ClientSession() as session:
            async with session.get(SITE) as response:
                with patch("asyncio.sleep", never):
                    for _ in range(10):
                        await response.content.readline()
                response.close()
        self.assertLess(endless.yielded, 10 + A_FEW)

    async def test_a_generator_comes_to_its_end_where_the_reader_has_all_that_was_announced(self):
        # Otherwise, the next request on the connection would end it before.
        ended = []

        def body():
            yield b"whole"
            ended.append(True)

        for length in ("5", "3"):
            with self.subTest(length):
                handle = self.mock.get(SITE, body=body, headers={"Content-Length": length}, repeat=3)
                ended.clear()
                async with ClientSession() as session:
                    while handle.remaining:
                        async with session.get(SITE) as response:
                            self.assertEqual(await response.read(), b"whole"[:int(length)])
                self.assertEqual(ended, [True] * 3)

    async def test_a_generator_that_is_ended_by_the_next_request_does_not_end_that(self):
        async def gives_up():
            yield b"whole"
            await asyncio.Event().wait()

        async def raises():
            try:
                yield b"whole"
                await asyncio.Event().wait()
            finally:
                raise LookupError("on the way out")

        async def ends():
            try:
                yield b"whole"
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass

        async def goes_on():
            try:
                yield b"whole"
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                yield b"whole"

        async def slow():
            for _ in range(5):
                yield b"piece"
                await idle()

        for ended in (gives_up, raises, ends, goes_on):
            for traces in ([], [connections([])]):
                with self.subTest(ended.__name__, traces=len(traces)):
                    self.mock.get(SITE, body=ended, headers={"Content-Length": "5"})
                    self.mock.get(SITE, body=slow)
                    self.mock.get(SITE, body="last")
                    async with ClientSession(trace_configs=traces) as session:
                        for body in (b"whole", b"piece" * 5, b"last"):
                            async with session.get(SITE) as response:
                                self.assertEqual(await response.read(), body)

    async def test_an_endless_generator_ends_with_the_next_request_once_all_that_was_announced_is_read(self):
        endless = Endless(b"whole")
        for body in (endless.plain, endless.asynchronous):
            with self.subTest(body.__name__):
                handle = self.mock.get(SITE, body=body, headers={"Content-Length": "7"}, repeat=3)
                async with ClientSession() as session:
                    while handle.remaining:
                        async with session.get(SITE) as response:
                            self.assertEqual(await response.read(), b"wholewh")
                        await idle()
                        self.assertEqual(len(asyncio.all_tasks()), 2)
                await idle()
                self.assertEqual(asyncio.all_tasks(), {asyncio.current_task()})
