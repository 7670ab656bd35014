"""Bytes that were sent are kept and shown as they were sent, however many they are."""

import asyncio
import copy
import pickle
import unittest

from aiohttp import ClientSession, web

from aioresponses import aioresponses
from aioresponses._client.written import Written

from ..servers import ServerTestCase, seen
from ..support import AT_MOST, LARGE, SITE, large_bodies_allowed, text_of


class SentTest(ServerTestCase):
    """What was sent of a request, in as many pieces as it may have come."""

    def pieces(self, size, count):
        async def generate():
            for number in range(count):
                yield bytes([number]) * size

        return generate()

    async def hold(self, body, **options):
        """Send a body with a length to a real server, and to a mock, which must show the same; return what was sent."""
        async def behave(writer, before):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n")
            return True

        url = await self.serve_raw(behave)

        async def scenario():
            async with ClientSession() as session:
                return [(await seen(await session.post(url, data=body, **options))).status for _ in range(2)]

        outcome = await self.compare(scenario, lambda mock: mock.post(url, repeat=True))
        return [request.body for request in outcome.received]

    async def test_a_body_in_one_piece(self):
        for body in (b"", b"x", b"x" * 1000):
            with self.subTest(len(body)):
                self.assertEqual(await self.hold(body), [body] * 2)

    async def test_a_body_of_about_64_kib(self):
        for size in range(2 ** 16 - 300, 2 ** 16 + 50, 50):
            with self.subTest(size):
                self.assertEqual(await self.hold(bytes(size)), [bytes(size)] * 2)

    async def test_a_body_behind_long_headers_and_many(self):
        # More than servers take.
        for count, size in ((1, 2 ** 16), (3, 2 ** 16), (40, 2 ** 12), (100, 2 ** 10), (200, 10)):
            headers = {f"X-{number}": "x" * size for number in range(count)}
            with self.subTest(count=count, size=size), aioresponses() as mock:
                mock.post(SITE)
                async with ClientSession() as session:
                    await text_of(session, method="POST", data=b"body", headers=headers)
                [call] = mock.calls
                self.assertEqual({name: call.headers[name] for name in headers}, headers)
                self.assertEqual(call.body, b"body")

    async def test_a_body_of_several_mebibytes(self):
        for size in (2 ** 20, 2 ** 22 - 300, 2 ** 22, 2 ** 22 + 1, 5 * 2 ** 20):
            with self.subTest(size), large_bodies_allowed():
                body = LARGE[:size]
                sent = await self.hold(body)
                # Not by assertEqual: the message would be too long to be read.
                self.assertTrue([len(each) for each in sent] == [size] * 2 and sent == [body] * 2)

    async def test_a_body_in_several_pieces(self):
        async def handle(request):
            return web.Response(content_type="application/json", headers={"X-Length": str(len(await request.read()))})

        for size, count in ((1, 1), (1, 5), (2 ** 15, 3), (2 ** 16 + 1, 3), (3, 0)):
            with self.subTest(size=size, count=count):
                url = await self.serve(web.post("/", handle))

                async def scenario():
                    async with ClientSession() as session:
                        return (await seen(await session.post(url, data=self.pieces(size, count)))).status

                outcome = await self.compare(scenario, lambda mock: mock.post(url))
                self.assertEqual(
                    [request.body for request in outcome.received],
                    [b"".join(bytes([number]) * size for number in range(count))],
                )

    async def test_a_body_in_pieces_of_several_mebibytes_in_all(self):
        with aioresponses() as mock:
            mock.post(SITE, repeat=True)
            async with ClientSession() as session:
                for size, count in ((2 ** 10, 5 * 2 ** 10 // 20), (2 ** 20, 6), (5 * 2 ** 20, 2)):
                    with self.subTest(size=size, count=count):
                        await text_of(session, method="POST", data=self.pieces_of(size, count))
                        call = mock.calls[-1]
                        self.assertEqual(call.headers["Transfer-Encoding"], "chunked")
                        for _ in range(2):
                            self.assertTrue(call.body == b"".join(b"%d" % (n % 10) * size for n in range(count)))

    def pieces_of(self, size, count):
        async def generate():
            for number in range(count):
                yield b"%d" % (number % 10) * size

        return generate()

    async def test_what_was_sent_so_far_is_shown_while_the_rest_is_on_its_way(self):
        async def generate():
            for piece in (b"one", b"two", bytes(2 ** 17), bytes(2 ** 22)):
                yield piece
                # It has been written by the time that the next one is asked for.
                written.set()
                await go_on.wait()
                go_on.clear()

        async def written_so_far():
            await asyncio.wait_for(written.wait(), AT_MOST)
            written.clear()
            [call] = mock.calls
            return call, len(call.body)

        written, go_on = asyncio.Event(), asyncio.Event()
        seen_so_far = []
        with aioresponses() as mock:
            mock.post(SITE)
            async with ClientSession() as session:
                asked = asyncio.ensure_future(text_of(session, method="POST", data=generate()))
                for _ in range(4):
                    seen_so_far.append(await written_so_far())
                    go_on.set()
                await asyncio.wait_for(asked, AT_MOST)
        [call] = mock.calls
        self.assertEqual({id(each) for each, _ in seen_so_far}, {id(call)})
        sizes = [size for _, size in seen_so_far]
        self.assertEqual(sizes, [3, 6, 6 + 2 ** 17, 6 + 2 ** 17 + 2 ** 22])
        self.assertEqual(len(call.body), sizes[-1])


MIB = 2 ** 20


class WrittenTest(unittest.TestCase):
    """Where the bytes are kept shows from outside in nothing but memory, which is measured for streams."""

    def written(self, *pieces):
        written = Written()
        for piece in pieces:
            written.append(piece)
        return written

    def test_what_was_appended_is_read(self):
        self.assertEqual((bytes(self.written()), self.written().size), (b"", 0))
        written = self.written(b"ab", b"", b"c")
        self.assertEqual((bytes(written), written.size, written.is_large), (b"abc", 3, False))
        self.assertEqual(bytes(Written(b"ab")), b"ab")

    def test_many_bytes_are_kept_elsewhere_and_read_the_same(self):
        pieces = [bytes([number]) * MIB for number in range(6)]
        written = self.written(*pieces)
        self.assertEqual((written.is_large, written.size), (True, 6 * MIB))
        self.assertTrue(bytes(written) == b"".join(pieces))

    def test_more_may_be_written_while_bytes_are_read(self):
        written = self.written(bytes(5 * MIB))
        reader = iter(written)
        first = next(reader)
        written.append(b"end")
        self.assertTrue(bytes(written) == bytes(5 * MIB) + b"end")
        self.assertTrue((first + b"".join(reader)).startswith(bytes(5 * MIB)))

    def test_the_beginning_has_the_whole_head(self):
        head = b"POST / HTTP/1.1\r\nX: " + b"x" * 2 ** 17 + b"\r\n\r\n"
        for body in (b"small", bytes(5 * MIB)):
            with self.subTest(size=len(body)):
                beginning = self.written(head, body).beginning()
                self.assertTrue(beginning.startswith(head))
                self.assertLess(len(beginning), 2 ** 18)

    def test_copies_hold_the_same(self):
        for written in (self.written(b"ab", b"c"), self.written(b"a", bytes(5 * MIB))):
            for copied in (copy.deepcopy(written), pickle.loads(pickle.dumps(written))):
                self.assertTrue(bytes(copied) == bytes(written))
                copied.append(b"more")
                self.assertNotEqual(copied.size, written.size)
