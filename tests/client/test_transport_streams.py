"""Streamed bodies: how fast they are sent, what ends them, and how much memory they take."""

import asyncio
import gc
import subprocess
import sys
import textwrap
import unittest
import warnings
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import ClientSession, ClientTimeout

from aioresponses import AioResponsesTestCase, Fault, aioresponses

from ..support import SITE, error_of, idle

PIECE = bytes(2 ** 16)
# Far more than is ever under way.
MANY = 400


class Source:
    """A generator function that counts what it yields, and notes its end."""

    def __init__(self, count=MANY, piece=PIECE):
        self._count = count
        self._piece = piece
        self.yielded = 0
        self.ended = asyncio.Event()

    async def body(self):
        try:
            for _ in range(self._count):
                self.yielded += 1
                yield self._piece
        finally:
            self.ended.set()

    def plain(self):
        try:
            for _ in range(self._count):
                self.yielded += 1
                yield self._piece
        finally:
            self.ended.set()

    async def endless(self):
        """Yield one piece, and wait for what never happens."""
        try:
            self.yielded += 1
            yield self._piece
            await asyncio.Event().wait()
        finally:
            self.ended.set()


class FlowControlTest(AioResponsesTestCase):
    async def test_a_generator_waits_for_its_reader(self):
        for name in ("body", "plain"):
            with self.subTest(name):
                source = Source()
                self.mock.get(SITE, body=getattr(source, name))
                async with ClientSession() as session:
                    async with session.get(SITE) as response:
                        await idle()
                        at_first = source.yielded
                        for _ in range(50):
                            await response.content.readexactly(len(PIECE))
                        await idle()
                        then = source.yielded
                        rest = await response.read()
                self.assertEqual((at_first < 10, 50 <= then < 60), (True, True), (at_first, then))
                self.assertEqual((len(rest), source.yielded), ((MANY - 50) * len(PIECE), MANY))
                self.assertTrue(source.ended.is_set())

    async def test_the_buffer_of_the_session_says_how_far_it_may_be_ahead(self):
        source = Source()
        self.mock.get(SITE, body=source.body)
        async with ClientSession(read_bufsize=2 ** 21) as session:
            async with session.get(SITE) as response:
                for _ in range(10):
                    await idle()
                self.assertTrue(2 ** 21 <= source.yielded * len(PIECE) < 2 ** 23, source.yielded)
                response.close()
                await source.ended.wait()

    async def test_a_large_piece_is_sent_as_it_is_read(self):
        source = Source(2, bytes(2 ** 24))
        self.mock.get(SITE, body=source.body)
        async with ClientSession() as session:
            async with session.get(SITE) as response:
                await idle()
                self.assertLess(response.content.total_bytes, 2 ** 20)
                self.assertEqual(source.yielded, 1)
                self.assertEqual(len(await response.read()), 2 ** 25)

    async def test_a_stream_that_is_not_read_does_not_keep_another_waiting(self):
        source = Source()
        self.mock.get(SITE, body=source.body)
        self.mock.get(SITE, body=Source(20).body)
        async with ClientSession() as session:
            async with session.get(SITE) as unread:
                async with session.get(SITE) as response:
                    self.assertEqual(len(await response.read()), 20 * len(PIECE))
                self.assertEqual(len(await unread.read()), MANY * len(PIECE))

    async def test_pieces_arrive_when_they_are_yielded(self):
        steps = []
        asked = asyncio.Event()

        async def body():
            for number in range(3):
                await asked.wait()
                asked.clear()
                steps.append(f"sent {number}")
                yield b"%d" % number

        self.mock.get(SITE, body=body)
        async with ClientSession() as session:
            async with session.get(SITE) as response:
                steps.append("head")
                for number in range(3):
                    asked.set()
                    steps.append(f"read {(await response.content.readany()).decode()}")
        self.assertEqual(steps, ["head", "sent 0", "read 0", "sent 1", "read 1", "sent 2", "read 2"])


class EndOfStreamTest(AioResponsesTestCase):
    """What ends a stream before its end ends its generator, and `finally` runs."""

    @asynccontextmanager
    async def reading(self, name, **options):
        """Give a response of which a part has been read, and its source; check that the generator has ended."""
        source = Source()
        self.mock.get(SITE, body=getattr(source, name), **options)
        session = self.client_session()
        response = await session.get(SITE)
        self.assertEqual(len(await response.content.readexactly(len(PIECE))), len(PIECE))
        await idle()
        self.assertFalse(source.ended.is_set())
        yield session, response, source
        await asyncio.wait_for(source.ended.wait(), 10)
        self.assertLess(source.yielded, 20)
        # Nothing goes on with it.
        await idle()
        response.close()
        self.assertEqual(asyncio.all_tasks(), {asyncio.current_task()})

    def each(self, **options):
        for name in ("body", "plain", "endless"):
            yield name, lambda: self.reading(name, **options)

    async def test_a_stream_ends_when_the_response_is_closed(self):
        for name, reading in self.each():
            with self.subTest(name):
                async with reading() as (_, response, _):
                    response.close()

    async def test_a_stream_ends_when_the_response_is_released(self):
        for name, reading in self.each():
            with self.subTest(name):
                async with reading() as (_, response, _):
                    response.release()

    async def test_a_stream_ends_when_the_response_is_left(self):
        for name, reading in self.each():
            with self.subTest(name):
                async with reading() as (_, response, _):
                    async with response:
                        pass

    async def test_a_stream_ends_when_the_session_is_closed(self):
        for name, reading in self.each():
            with self.subTest(name):
                async with reading() as (session, _, _):
                    await session.close()

    async def test_a_stream_ends_when_the_mock_is_stopped(self):
        for name in ("body", "plain", "endless"):
            with self.subTest(name):
                source = Source()
                mock = aioresponses()
                mock.start()
                mock.get(SITE, body=getattr(source, name))
                session = self.client_session()
                response = await session.get(SITE)
                await response.content.readexactly(len(PIECE))
                mock.stop()
                error = await asyncio.wait_for(error_of(response.read()), 10)
                response.close()
                await asyncio.wait_for(source.ended.wait(), 10)
                self.assertTrue(issubclass(error[0], aiohttp.ClientError), error)

    async def test_a_stream_ends_when_its_reader_is_cancelled(self):
        for name, reading in self.each():
            with self.subTest(name):
                async with reading() as (_, response, _):
                    async def read():
                        async with response:
                            await begun.wait()
                            await asyncio.Event().wait()

                    begun = asyncio.Event()
                    task = asyncio.ensure_future(read())
                    begun.set()
                    await idle()
                    task.cancel()
                    self.assertEqual((await error_of(task))[0], asyncio.CancelledError)

    async def test_a_stream_ends_when_the_time_of_its_reader_is_up(self):
        for limits, error in (
            ({"total": 0.05}, asyncio.TimeoutError), ({"sock_read": 0.05}, aiohttp.ServerTimeoutError)
        ):
            with self.subTest(**limits):
                source = Source()
                self.mock.get(SITE, body=source.endless)
                session = self.client_session()
                with self.assertRaises(error):
                    async with session.get(SITE, timeout=ClientTimeout(**limits)) as response:
                        await response.read()
                await asyncio.wait_for(source.ended.wait(), 10)

    async def test_what_a_generator_awaits_at_its_end_is_awaited(self):
        steps = []

        async def body():
            try:
                while True:
                    yield PIECE
            finally:
                steps.append("begins to end")
                await asyncio.sleep(0)
                steps.append("ended")
                ended.set()

        ended = asyncio.Event()
        self.mock.get(SITE, body=body)
        session = self.client_session()
        async with session.get(SITE) as response:
            await response.content.readany()
            response.close()
            await asyncio.wait_for(ended.wait(), 10)
        self.assertEqual(steps, ["begins to end", "ended"])

    async def test_a_generator_that_was_read_to_its_end_has_ended_by_then(self):
        source = Source(3)
        self.mock.get(SITE, body=source.body)
        session = self.client_session()
        async with session.get(SITE) as response:
            await response.read()
        self.assertTrue(source.ended.is_set())

    async def test_what_a_generator_raises_when_it_is_closed_does_no_harm(self):
        complaints = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context["message"]))

        async def body():
            try:
                while True:
                    yield PIECE
            finally:
                ended.set()
                raise LookupError("on the way out")

        ended = asyncio.Event()
        self.mock.get(SITE, body=body)
        self.mock.get(SITE, body="next")
        session = self.client_session()
        async with session.get(SITE) as response:
            await response.content.readany()
            response.close()
        await asyncio.wait_for(ended.wait(), 10)
        async with session.get(SITE) as response:
            self.assertEqual(await response.text(), "next")
        await idle()
        gc.collect()
        self.assertEqual(complaints, [])

    async def test_a_truncated_stream_ends_the_connection_alone(self):
        source = Source(3)
        self.mock.get(SITE, body=source.body, fault=Fault.TRUNCATED_BODY)
        session = self.client_session()
        async with session.get(SITE) as response:
            self.assertEqual((await error_of(response.read()))[0], aiohttp.ClientPayloadError)
        self.assertEqual((source.yielded, source.ended.is_set()), (3, True))

    async def test_no_complaints_are_left_behind_by_streams(self):
        complaints = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: complaints.append(context["message"]))
        for end in ("close", "release", "read"):
            for name in ("body", "plain"):
                source = Source(30)
                self.mock.get(SITE, body=getattr(source, name))
                session = self.client_session()
                async with session.get(SITE) as response:
                    result = getattr(response, end)()
                    if end == "read":
                        await result
                await session.close()
                del response, result
        await idle()
        gc.collect()
        self.assertEqual(complaints, [])


class EndOfLoopTest(unittest.TestCase):
    """What is under way when the loop is closed, and the mock is stopped after that."""

    def test_a_stream_that_is_not_read_to_its_end(self):
        source = None

        async def main():
            nonlocal source
            source = Source()
            mock.get(SITE, body=source.body)
            async with ClientSession() as session:
                async with session.get(SITE) as response:
                    await response.content.readany()

        mock = aioresponses()
        mock.start()
        asyncio.run(main())
        mock.stop()
        self.assertTrue(source.ended.is_set())

    def test_a_session_that_is_never_closed(self):
        async def main():
            session = ClientSession()
            mock.get(SITE, body=Source().body)
            response = await session.get(SITE)
            await response.content.readany()
            return session, response

        mock = aioresponses()
        mock.start()
        session, response = asyncio.run(main())
        mock.stop()
        self.assertFalse(response.closed)
        session.detach()
        # aiohttp complains of this, and rightly so.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            mock.requests.clear()
            del session, response
            gc.collect()


class MemoryTest(unittest.TestCase):
    """A body of 64 MiB, there and back, grows the process by less than 16 MiB."""

    # By the peak of the whole process, in one of its own, since this is what users feel: tracemalloc, besides being
    # slow, does not know of what C code holds on to, and what has been allocated before would hide what is now.
    SCRIPT = textwrap.dedent(
        """
        import asyncio, resource, sys
        from aiohttp import ClientSession
        from aioresponses import aioresponses

        PIECE = bytes(2 ** 20)

        async def up(pieces):
            for _ in range(pieces):
                yield PIECE

        def peak():
            # In KiB, but on macOS in bytes.
            used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            return used / (2 ** 20 if sys.platform == "darwin" else 2 ** 10)

        async def main():
            with aioresponses() as mock:
                async with ClientSession() as session:
                    for pieces in (4, 64):
                        mock.put("http://example.com/", body=lambda: up(pieces), **{OPTIONS})
                        before = peak()
                        async with session.put("http://example.com/", data=up(pieces)) as response:
                            size = 0
                            async for piece in response.content.iter_any():
                                size += len(piece)
                        assert size == pieces * len(PIECE), size
                print(peak() - before)

        asyncio.run(main())
        """
    )

    def check(self, options):
        try:
            import resource  # noqa: F401
        except ImportError:  # pragma: no cover
            return  # Windows, which has no such measure.
        script = self.SCRIPT.replace("{OPTIONS}", options)
        result = subprocess.run(
            [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=120
        )
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertLess(float(result.stdout), 16)

    def test_memory_without_conditions(self):
        self.check("{}")

    def test_memory_with_a_condition_on_headers(self):
        self.check("{'match_headers': {'Transfer-Encoding': 'chunked'}}")

    def test_memory_with_a_condition_on_the_call(self):
        self.check("{'match': lambda call: call.method == 'PUT'}")

    def test_memory_of_a_compressed_body(self):
        self.check("{'headers': {'Content-Encoding': 'gzip'}}")

    def test_memory_with_a_length(self):
        self.check("{'headers': {'Content-Length': str(pieces * 2 ** 20)}}")
