"""A reply as bytes on the wire: status line, headers, length and framing of the body."""

import asyncio
import errno
import gzip
import io
import zlib
from http import HTTPStatus
from typing import NamedTuple

import aiohttp
from aiohttp import ClientSession, TCPConnector, TraceConfig, web
from multidict import CIMultiDict

from aioresponses import AioResponsesTestCase, CallbackResult, Fault, aioresponses

from ..servers import ServerTestCase, fetch, seen
from ..support import AT_MOST, LARGE, SITE, idle, tapped


class Sent(NamedTuple):
    """A reply on the wire."""

    head: bytes
    body: bytes
    ends: list
    """The error, or None, with which the far end closed the connection; empty where it left it open."""


class WireTestCase(AioResponsesTestCase):
    async def sent(self, method="GET", **reply):
        """Return what is sent of a reply."""
        self.mock.add(SITE, method, **reply)
        with tapped() as wire:
            session = self.client_session()
            try:
                async with session.request(method, SITE) as response:
                    await asyncio.wait_for(response.read(), AT_MOST)
            except aiohttp.ClientError:
                pass  # Some of these replies are faulty, and what the client makes of them is none of our business.
            await idle()
            head, end_of_head, body = bytes(wire.fed).partition(b"\r\n\r\n")
            return Sent(head + end_of_head, body, list(wire.ends))


class AnswerTest(WireTestCase):
    async def test_an_answer_has_status_line_content_type_and_length(self):
        self.assertEqual(
            await self.sent(body="hé"),
            Sent(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n", b"h\xc3\xa9", []),
        )

    async def test_registered_headers_come_in_their_order_and_number(self):
        headers = CIMultiDict([("X-Two", "1"), ("x-two", "2"), ("content-type", "text/plain")])
        self.assertEqual(
            (await self.sent(headers=headers)).head,
            b"HTTP/1.1 200 OK\r\nX-Two: 1\r\nx-two: 2\r\ncontent-type: text/plain\r\nContent-Length: 0\r\n\r\n",
        )

    async def test_the_reason_is_the_status_own_unless_given(self):
        for kwargs, line in [
            ({"status": 404}, b"HTTP/1.1 404 Not Found"),
            ({"status": 499}, b"HTTP/1.1 499 "),
            ({"status": 999, "reason": "Odd"}, b"HTTP/1.1 999 Odd"),
            ({"status": HTTPStatus.CREATED}, b"HTTP/1.1 201 Created"),
            ({"reason": ""}, b"HTTP/1.1 200 "),
        ]:
            with self.subTest(**kwargs):
                self.assertEqual((await self.sent(**kwargs)).head.split(b"\r\n")[0], line)

    async def test_a_fault_without_a_response_asks_for_no_body(self):
        asked = []
        for fault in (Fault.CONNECTION_RESET, Fault.EMPTY_RESPONSE, Fault.MALFORMED_RESPONSE):
            for name in ("body", "payload", "events"):
                await self.sent("POST", fault=fault, **{name: lambda: asked.append(name) or ["x"]})
        self.assertEqual(asked, [])

    async def test_a_payload_takes_precedence_over_a_body_even_if_it_is_empty(self):
        for payload, body in [({}, b"{}"), ([], b"[]"), (0, b"0"), ("", b'""'), (False, b"false")]:
            with self.subTest(payload=payload):
                self.assertEqual((await self.sent(payload=payload, body="other")).body, body)

    async def test_a_payload_takes_precedence_over_a_body_of_no_use(self):
        self.assertEqual((await self.sent(payload=1, body=None)).body, b"1")

    async def test_a_payload_is_serialised_when_it_is_sent(self):
        payload = {"a": 1}
        result = CallbackResult(payload=payload)
        payload["a"] = 2
        self.assertEqual((await self.sent(callback=lambda call: result)).body, b'{"a": 2}')

    async def test_a_body_may_be_any_bytes(self):
        for body in (b"x", bytearray(b"x"), memoryview(b"x")):
            with self.subTest(body=body):
                self.assertEqual((await self.sent(body=body)).body, b"x")

    async def test_head_204_and_304_have_no_body(self):
        head = await self.sent("HEAD", body="abc")
        self.assertEqual((head.body, head.ends), (b"", []))
        self.assertIn(b"\r\nContent-Length: 3\r\n", head.head)
        for status in (204, 304):
            sent = await self.sent(status=status, body="abc")
            self.assertEqual(sent.body, b"")
            self.assertNotIn(b"Content-Length", sent.head)

    async def test_the_connection_stays_open_after_a_head_where_that_of_a_get_is_closed(self):
        for reply in (
            {"body": "abc", "headers": {"Transfer-Encoding": "identity"}},
            {"body": ["abc"], "headers": {"Content-Length": "1234"}},
        ):
            with self.subTest(**reply):
                self.assertEqual((await self.sent("GET", **reply)).ends, [None])
                self.assertEqual((await self.sent("HEAD", **reply)).ends, [])

    async def test_a_registered_length_is_sent_where_nothing_contradicts_it(self):
        head = await self.sent("HEAD", body="abc", headers={"Content-Length": "1234"})
        self.assertIn(b"\r\nContent-Length: 1234\r\n", head.head)
        head = await self.sent(status=304, body="abc", headers={"Content-Length": "1234"})
        self.assertIn(b"\r\nContent-Length: 1234\r\n", head.head)
        stream = await self.sent(body=["abc"], headers={"Content-Length": "3"})
        self.assertIn(b"\r\nContent-Length: 3\r\n", stream.head)
        self.assertEqual((stream.body, stream.ends), (b"abc", []))

    async def test_a_registered_length_that_is_not_that_of_the_body_is_replaced(self):
        for body in ("abc", b"abc", io.BytesIO(b"abc"), lambda: "abc"):
            for length in ("3", " 3 ", "0", "1", "4", "1234", "many", "-1", ""):
                with self.subTest(body, length=length):
                    sent = await self.sent(body=body, headers={"content-length": length})
                    self.assertTrue(sent.head.endswith(b"\r\nContent-Length: 3\r\n\r\n"), sent.head)
                    self.assertEqual(sent.head.lower().count(b"content-length"), 1)
                    self.assertEqual((sent.body, sent.ends), (b"abc", []))
        sent = await self.sent(payload={"a": 1}, headers={"Content-Length": "1234"})
        self.assertTrue(sent.head.endswith(b"\r\nContent-Length: 8\r\n\r\n"), sent.head)

    async def test_where_there_is_never_a_body_neither_length_nor_chunks_are_announced(self):
        for status in (204, 101):
            headers = {"Content-Length": "3", "Transfer-Encoding": "chunked"}
            sent = await self.sent(status=status, headers=headers, body="abc")
            self.assertNotIn(b"Content-Length", sent.head)
            self.assertNotIn(b"Transfer-Encoding", sent.head)

    async def test_a_chunked_transfer_has_no_length(self):
        sent = await self.sent(body="hello", headers={"Transfer-Encoding": "chunked", "Content-Length": "5"})
        self.assertEqual(sent.body, b"5\r\nhello\r\n0\r\n\r\n")
        self.assertNotIn(b"Content-Length", sent.head)
        self.assertEqual((await self.sent(headers={"Transfer-Encoding": "chunked"})).body, b"0\r\n\r\n")

    async def test_another_transfer_encoding_ends_with_the_connection(self):
        sent = await self.sent(body="hello", headers={"Transfer-Encoding": "identity", "Content-Length": "5"})
        self.assertEqual((sent.body, sent.ends), (b"hello", [None]))
        self.assertNotIn(b"Content-Length", sent.head)

    async def test_a_plain_body_is_compressed_as_its_headers_say(self):
        sent = await self.sent(body="hello", headers={"Content-Encoding": "gzip", "Content-Length": "5"})
        self.assertEqual(gzip.decompress(sent.body), b"hello")
        self.assertIn(b"\r\nContent-Length: %d\r\n" % len(sent.body), sent.head)
        deflated = (await self.sent(body="hello", headers={"Content-Encoding": "deflate"})).body
        self.assertEqual(zlib.decompress(deflated), b"hello")

    async def test_a_compressed_body_is_left_alone(self):
        raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        for encoding, body in [
            ("gzip", gzip.compress(b"hello")),
            ("deflate", zlib.compress(b"hello")),
            ("deflate", raw.compress(b"hello") + raw.flush()),
            ("gzip", b""),
            ("identity", b"hello"),
        ]:
            with self.subTest(encoding=encoding, body=body):
                self.assertEqual((await self.sent(body=body, headers={"Content-Encoding": encoding})).body, body)

    async def test_a_file_that_grows_is_sent_as_far_as_it_was_announced(self):
        file = io.BytesIO(b"abcdef")
        self.mock.get(SITE, body=file)
        async with self.client_session().get(SITE) as response:
            file.seek(0, io.SEEK_END)
            file.write(b"ghi")
            file.seek(0)
            self.assertEqual((response.headers["Content-Length"], await response.read()), ("6", b"abcdef"))


class FaultyAnswerTest(WireTestCase):
    async def test_each_fault_on_the_wire(self):
        self.assertEqual(await self.sent("POST", fault=Fault.EMPTY_RESPONSE, body="text"), Sent(b"", b"", [None]))
        # Here the client is the first to close the connection.
        self.assertEqual(
            await self.sent("POST", fault=Fault.MALFORMED_RESPONSE, body="text"),
            Sent(b"This is not HTTP.\r\n\r\n", b"", []),
        )
        reset = await self.sent("POST", fault=Fault.CONNECTION_RESET, body="text")
        self.assertEqual((reset.head, reset.body), (b"", b""))
        self.assertEqual(
            [(type(error), error.errno) for error in reset.ends], [(ConnectionResetError, errno.ECONNRESET)]
        )

    async def test_a_truncated_body_keeps_its_length(self):
        for body, length, half in (("abcdef", 6, b"abc"), ("abc", 3, b"a"), ("a", 1, b""), ("", 1, b"")):
            with self.subTest(body):
                sent = await self.sent(fault=Fault.TRUNCATED_BODY, body=body)
                self.assertTrue(sent.head.endswith(b"\r\nContent-Length: %d\r\n\r\n" % length), sent.head)
                self.assertEqual((sent.body, sent.ends), (half, [None]))

    async def test_a_truncated_body_is_half_of_what_is_announced_if_that_is_less(self):
        for length, half in (("4", b"ab"), ("100", b"abc")):
            with self.subTest(length):
                sent = await self.sent(fault=Fault.TRUNCATED_BODY, body="abcdef", headers={"Content-Length": length})
                self.assertTrue(sent.head.endswith(b"\r\nContent-Length: %b\r\n\r\n" % length.encode()), sent.head)
                self.assertEqual((sent.body, sent.ends), (half, [None]))

    async def test_a_truncated_stream_asks_for_no_more_than_it_sends(self):
        asked = []

        def letters():
            for letter in "abcdef":
                asked.append(letter)
                yield letter

        sent = await self.sent(body=letters, headers={"Content-Length": "6"}, fault=Fault.TRUNCATED_BODY)
        self.assertEqual((sent.body, sent.ends), (b"abc", [None]))
        self.assertEqual(asked, ["a", "b", "c"])


class WithoutBodyTest(ServerTestCase):
    async def answered(self, method, head, **reply):
        """Return what two requests on one connection came to, with a server that sends this head and no body."""

        async def behave(writer, before):
            writer.write(head)
            return True

        url = await self.serve_raw(behave)

        def register(mock):
            mock.add(url, method, repeat=True, content_type="text/plain", **reply)

        async def scenario():
            async with ClientSession() as session:
                responses = []
                for _ in range(2):
                    async with session.request(method, url) as response:
                        responses.append(await seen(response))
                return responses

        return (await self.compare(scenario, register)).seen[0]

    async def test_a_head_shows_the_length_that_is_registered(self):
        for body in ("", "text", b"text", lambda: ["te", "xt"]):
            with self.subTest(body):
                response = await self.answered(
                    "HEAD",
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1234\r\n\r\n",
                    body=body,
                    headers={"Content-Length": "1234"},
                )
                self.assertEqual((response.header("Content-Length"), response.body), ("1234", b""))

    async def test_a_head_shows_chunks_that_are_not_sent(self):
        for reply in (
            {"body": lambda: ["te", "xt"]}, {"body": "text", "headers": {"Transfer-Encoding": "chunked"}}
        ):
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
            response = await self.answered("HEAD", head, **reply)
            self.assertEqual((response.header("Transfer-Encoding"), response.body), ("chunked", b""))

    async def test_a_204_and_a_304_have_no_body(self):
        for status, line in ((204, b"204 No Content"), (304, b"304 Not Modified")):
            for body in ("", "text", lambda: ["te", "xt"]):
                with self.subTest(status, body=body):
                    response = await self.answered(
                        "GET", b"HTTP/1.1 %b\r\nContent-Type: text/plain\r\n\r\n" % line, status=status, body=body
                    )
                    self.assertEqual((response.status, response.body), (status, b""))

    async def test_a_304_shows_the_length_that_is_registered(self):
        response = await self.answered(
            "GET",
            b"HTTP/1.1 304 Not Modified\r\nContent-Type: text/plain\r\nContent-Length: 1234\r\n\r\n",
            status=304,
            headers={"Content-Length": "1234"},
        )
        self.assertEqual((response.header("Content-Length"), response.body), ("1234", b""))

    async def test_a_101_has_neither_a_body_nor_a_length(self):
        with aioresponses() as mock:
            mock.get(
                "http://example.com/", status=101, body="text", headers={"Upgrade": "own", "Connection": "upgrade"}
            )
            async with ClientSession() as session:
                async with session.get("http://example.com/") as response:
                    self.assertEqual((response.status, response.reason), (101, "Switching Protocols"))
                    self.assertEqual(response.headers["Upgrade"], "own")
                    self.assertNotIn("Content-Length", response.headers)
                    response.close()


_GZIP = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
GZIPPED = _GZIP.compress(b"hello" * 100) + _GZIP.flush()
DEFLATED = zlib.compress(b"hello" * 100)


class DownloadTest(ServerTestCase):

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

    async def test_the_length_of_a_body_is_sent(self):
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

    async def test_the_body_of_a_204_is_not_sent(self):
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

    async def test_headers_that_occur_more_than_once(self):
        response = await self.downloaded(headers=[("Link", "<a>"), ("X-A", "ü"), ("Link", "<b>"), ("X-Empty", "")])
        self.assertEqual(
            [item for item in response.headers if not item[0].startswith("Content")],
            [("Link", "<a>"), ("Link", "<b>"), ("X-A", "ü"), ("X-Empty", "")],
        )


class StreamedLikeAServerTest(ServerTestCase):
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

        url = await self.serve(web.route("*", "/", handle))

        async def scenario():
            async with ClientSession() as session:
                async with session.get(url, **options) as response:
                    return await read(response)

        def register(mock):
            mock.get(url, body=body, headers={"Content-Type": "text/plain", **(headers or {})})

        return (await self.compare(scenario, register)).seen

    async def test_a_stream_as_a_whole(self):
        response = await self.stream([b"a", b"bc" * 100000, b"d"], seen)
        self.assertEqual(response.body, b"a" + b"bc" * 100000 + b"d")
        self.assertEqual(response.headers, [("Content-Type", "text/plain"), ("Transfer-Encoding", "chunked")])

    async def test_a_stream_of_nothing(self):
        self.assertEqual((await self.stream([], seen)).body, b"")

    async def test_a_stream_with_a_length_is_not_chunked(self):
        response = await self.stream([b"abc", b"def"], seen, {"Content-Length": "6"})
        self.assertEqual(
            (response.body, response.header("Content-Length"), response.header("Transfer-Encoding")),
            (b"abcdef", "6", None),
        )

    async def test_a_stream_with_a_registered_transfer_encoding(self):
        async def handle(request):
            response = web.StreamResponse(headers={"Content-Type": "text/plain"})
            response.enable_chunked_encoding()
            await response.prepare(request)
            await response.write(b"abc")
            return response

        url = await self.serve(web.route("*", "/", handle))

        async def scenario():
            async with ClientSession() as session:
                async with session.get(url) as response:
                    return await seen(response)

        def register(mock):
            mock.get(
                url, body=lambda: [b"abc"], content_type="text/plain",
                headers={"Transfer-Encoding": "chunked", "Content-Length": "7"},
            )

        await self.compare(scenario, register)

    async def test_each_piece_of_a_stream_is_a_chunk(self):
        async def read(response):
            # In how many pieces a socket gives a chunk is a matter of chance, but where it ends is not.
            chunks, chunk = [], b""
            async for data, end in response.content.iter_chunks():
                chunk += data
                # Where the last chunk, which is empty, comes later than the others, there is one more end.
                if end and chunk:
                    chunks.append(chunk)
                    chunk = b""
            return chunks, chunk

        self.assertEqual(
            await self.stream([b"a", b"bc", b"d" * 1000], read), ([b"a", b"bc", b"d" * 1000], b"")
        )

    async def test_chunks_that_are_larger_than_what_is_sent_at_once(self):
        async def read(response):
            ends, size = [], 0
            async for data, end in response.content.iter_chunks():
                size += len(data)
                if end and size not in ends:
                    ends.append(size)
            return ends

        large = 2 ** 16 * 3 + 5
        self.assertEqual(await self.stream([bytes(large), bytes(large)], read), [large, 2 * large])

    async def test_a_stream_by_lines(self):
        async def read(response):
            return [line async for line in response.content]

        self.assertEqual(await self.stream([b"a\nb", b"c\n", b"\nd"], read), [b"a\n", b"bc\n", b"\n", b"d"])

    async def test_the_connection_is_used_again_after_a_stream(self):
        async def handle(request):
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(3):
                await response.write(b"piece")
            return response

        async def body():
            for _ in range(3):
                yield b"piece"

        url = await self.serve(web.route("*", "/", handle))

        async def scenario():
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

        outcome = await self.compare(scenario, lambda mock: mock.get(url, body=body, repeat=True))
        self.assertEqual(
            outcome.seen,
            [
                "on_connection_create_end", b"piecepiecepiece", "on_connection_reuseconn", b"piecepiecepiece",
                "on_connection_reuseconn", b"piecepiecepiece",
            ],
        )

    async def test_two_streams_at_once(self):
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

        async def scenario():
            async with ClientSession() as session:
                read = []
                async with session.get(url / "0") as one, session.get(url / "1") as other:
                    for _ in range(3):
                        for number, response in (("0", one), ("1", other)):
                            turns[number].set()
                            read.append(await response.content.readany())
                return read

        turns = {"0": asyncio.Event(), "1": asyncio.Event()}
        url = await self.serve(web.route("*", "/{number}", handle))

        def register(mock):
            mock.get(f"{url}{{number}}", body=lambda call: pieces(call.match_info["number"]), repeat=2)

        outcome = await self.compare(scenario, register)
        self.assertEqual(outcome.seen, [b"0a", b"1a", b"0b", b"1b", b"0c", b"1c"])


class WrongLengthTest(ServerTestCase):
    """A registered length that is not that of the body."""

    async def outcome(self, session, url, method="GET"):
        try:
            async with session.request(method, url) as response:
                return response.status, response.headers.get("Content-Length"), await response.read()
        except aiohttp.ClientError as error:
            return type(error), str(error)

    async def test_the_wrong_length_of_a_truncated_body(self):
        # So a server announces more than there is, or less.
        for length, half in (("0", b""), ("2", b"a"), ("6", b"abc"), ("7", b"abc"), ("100", b"abc")):
            for method in ("GET", "HEAD", "POST"):
                with self.subTest(length=length, method=method):
                    async def behave(writer, before):
                        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
                        writer.write(head.encode() + (b"" if method == "HEAD" else half))

                    url = await self.serve_raw(behave)

                    async def scenario():
                        async with ClientSession() as session:
                            return await asyncio.wait_for(self.outcome(session, url, method), AT_MOST)

                    def register(mock):
                        headers = {"Content-Type": "text/plain", "Content-Length": length}
                        mock.add(url, method, body="abcdef", headers=headers, fault=Fault.TRUNCATED_BODY)

                    await self.compare(scenario, register)

    async def test_the_wrong_length_of_a_stream(self):
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

                    url = await self.serve(web.route("*", "/", handle))

                    async def scenario():
                        async with ClientSession() as session:
                            return await asyncio.wait_for(self.outcome(session, url, method), 10)

                    def register(mock):
                        headers = {"Content-Type": "text/plain", "Content-Length": length}
                        mock.add(url, method, body=body, headers=headers)

                    await self.compare(scenario, register)

    async def test_the_next_request_is_answered_after_a_wrong_length(self):
        async def generator():
            yield b"abc"
            yield b"def"

        for length in ("0", "3", "100"):
            for body in ("abcdef", generator):
                with self.subTest(length=length, body=body), aioresponses() as mock:
                    mock.post(SITE, body=body, headers={"Content-Length": length})
                    mock.post(SITE, body="next")
                    async with ClientSession(connector=TCPConnector(limit=1)) as session:
                        await asyncio.wait_for(self.outcome(session, SITE, "POST"), 10)
                        self.assertEqual(
                            await asyncio.wait_for(self.outcome(session, SITE, "POST"), 10), (200, "4", b"next")
                        )

    async def test_a_length_that_is_no_number(self):
        for length in ("many", "-1", "6, 6"):
            for body in ([b"abcdef"], lambda: (piece for piece in (b"abc", b"def"))):
                with self.subTest(length=length, body=body):
                    async def behave(writer, before):
                        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
                        writer.write(head.encode() + b"abcdef")

                    url = await self.serve_raw(behave)

                    async def scenario():
                        async with ClientSession() as session:
                            return (await asyncio.wait_for(self.outcome(session, url, "POST"), 10))[0]

                    def register(mock):
                        mock.post(
                            url, body=body, content_type="text/plain", headers={"Content-Length": length}
                        )

                    await self.compare(scenario, register)

    async def test_a_transfer_encoding_other_than_chunks_ends_with_the_connection(self):
        async def behave(writer, before):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: identity\r\n\r\nabcdef")

        for body in ("abcdef", lambda: [b"abc", b"def"]):
            with self.subTest(body=body):
                url = await self.serve_raw(behave)

                async def scenario():
                    async with ClientSession() as session:
                        return await asyncio.wait_for(self.outcome(session, url), 10)

                def register(mock):
                    mock.get(
                        url, body=body, content_type="text/plain", headers={"Transfer-Encoding": "identity"}
                    )

                await self.compare(scenario, register)
