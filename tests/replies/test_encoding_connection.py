"""How the connection goes on: as the request asks, as the reply says, and as HTTP/1.0 has it."""

import asyncio
import io
import itertools

from aiohttp import ClientSession, HttpVersion10, TCPConnector, web

from aioresponses import AioResponsesTestCase, Fault

from ..servers import ServerTestCase, connections, sends
from ..support import AIOHTTP, AT_MOST, SITE, error_of, idle

CLOSES = ("close", "Close", "CLOSE")


class LikeAServerTest(ServerTestCase):
    """aiohttp's own server, asked twice."""

    STATUSES = {
        "plain": 200, "empty": 200, "stream": 200, "length": 200, "excess": 200, "chunked": 200, "204": 204, "304": 304,
    }
    LENGTHS = {"length": 6, "excess": 4}
    METHODS_AND_FORMS = [
        *(("GET", form) for form in ("plain", "empty", "stream", "length", "excess", "chunked")),
        *(("POST", form) for form in ("plain", "stream")),
        # Others, aiohttp's server answers in an odd way, with the end of chunks that never began (3.8.6) for one.
        *(("HEAD", form) for form in ("plain", "length")),
        # Older parsers do not know that these have no body, and have it end with the connection.
        *((method, form) for method in ("GET", "HEAD") for form in ("204", "304") if AIOHTTP >= (3, 9)),
    ]

    async def handle(self, request):
        form = request.path[1:]
        headers = {"Content-Type": "text/plain"}
        if request.query.get("says"):
            headers["Connection"] = request.query["says"]
        if form in ("stream", "length", "excess"):
            response = web.StreamResponse(headers=headers)
            if form in self.LENGTHS:
                response.content_length = self.LENGTHS[form]
            await response.prepare(request)
            if request.method != "HEAD":
                await response.write(b"abc")
                await response.write(b"def")
            return response
        response = web.Response(
            status=self.STATUSES[form], headers=headers, text="abcdef" if form in ("plain", "chunked") else None
        )
        if form == "chunked" and request.version > HttpVersion10:
            response.enable_chunked_encoding()
        return response

    def reply(self, form, says):
        async def body():
            yield b"abc"
            yield b"def"

        headers = {"Content-Type": "text/plain"}
        if says:
            headers["Connection"] = says
        if form in self.LENGTHS:
            headers["Content-Length"] = str(self.LENGTHS[form])
        if form == "chunked":
            headers["Transfer-Encoding"] = "chunked"
        bodies = {"plain": "abcdef", "chunked": "abcdef", "stream": body, "length": body, "excess": body}
        return {"status": self.STATUSES[form], "headers": headers, "body": bodies.get(form, ""), "repeat": True}

    async def twice(self, form, method="GET", says="", url=None, **options):
        """Return what two requests come to, and whether they share a connection."""
        url = (await self.serve(web.route("*", "/{form}", self.handle)) / form).with_query(says=says)
        signals = []
        session_options = {name: options.pop(name) for name in ("version", "headers") if name in options}

        def register(mock):
            mock.add(url, method, **self.reply(form, says))
            signals.clear()

        async def scenario():
            outcomes = []
            connector = TCPConnector(**options)
            traces = [connections(signals)]
            async with ClientSession(connector=connector, trace_configs=traces, **session_options) as session:
                for _ in range(2):
                    async with session.request(method, url) as response:
                        names = ["Connection"]
                        if method != "HEAD" and response.status == 200:
                            # Servers may also say how a body would be sent where there is none.
                            names += ["Transfer-Encoding", "Content-Length"]
                        headers = {name: response.headers.get(name) for name in names}
                        outcomes.append((
                            response.status, response.version, headers,
                            await asyncio.wait_for(response.read(), AT_MOST),
                        ))
                    # A server may close the connection a moment later.
                    await idle()
            return outcomes, tuple(signals)

        (first, second), signals = (await self.compare(scenario, register)).seen
        self.assertEqual(first, second)
        return first[1], first[2], signals[1] == "on_connection_reuseconn"

    async def test_a_plain_request_leaves_the_connection_open(self):
        for method, form in self.METHODS_AND_FORMS:
            with self.subTest(form, method=method):
                _, headers, is_reused = await self.twice(form, method)
                self.assertEqual((headers["Connection"], is_reused), (None, True))

    async def test_a_request_may_ask_for_the_connection_to_be_closed(self):
        for method, form in self.METHODS_AND_FORMS:
            for value in CLOSES if form in ("plain", "stream") else ("close",):
                with self.subTest(form, method=method, value=value):
                    _, headers, is_reused = await self.twice(form, method, headers={"Connection": value})
                    self.assertEqual((headers["Connection"], is_reused), ("close", False))

    async def test_a_request_may_ask_for_the_connection_to_stay(self):
        _, headers, is_reused = await self.twice("plain", headers={"Connection": "keep-alive"})
        self.assertEqual((headers["Connection"], is_reused), (None, True))

    async def test_a_connector_without_keep_alive_opens_one_for_each_request(self):
        for method, form in self.METHODS_AND_FORMS:
            with self.subTest(form, method=method):
                _, headers, is_reused = await self.twice(form, method, force_close=True)
                self.assertEqual(is_reused, False)

    async def test_a_reply_may_say_that_the_connection_is_closed(self):
        for value in CLOSES:
            for form in ("plain", "stream", "204"):
                with self.subTest(form, value=value):
                    _, headers, is_reused = await self.twice(form, says=value)
                    self.assertEqual((headers["Connection"], is_reused), (value, False))

    async def test_a_reply_that_contradicts_the_request_is_sent_as_it_is_and_the_connection_closed(self):
        _, headers, is_reused = await self.twice("plain", says="keep-alive", headers={"Connection": "close"})
        self.assertEqual((headers["Connection"], is_reused), ("keep-alive", False))

    async def test_http_1_0_has_no_chunks(self):
        for asked in ("close", "keep-alive"):
            for method, form in self.METHODS_AND_FORMS:
                if (form, asked) == ("stream", "keep-alive"):
                    continue  # aiohttp's server (3.14.5) keeps the connection open, and the client waits for ever.
                with self.subTest(form, method=method, asked=asked):
                    version, headers, is_reused = await self.twice(
                        form, method, version=HttpVersion10, headers={"Connection": asked}
                    )
                    self.assertEqual((version, headers.get("Transfer-Encoding")), (HttpVersion10, None))
                    self.assertEqual(headers["Connection"], "keep-alive" if asked == "keep-alive" else None)

    async def test_http_1_0_ends_a_stream_with_the_connection(self):
        head = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n"
        url = await self.serve_raw(sends(head, b"abc", b"def"))

        async def scenario():
            async with ClientSession(version=HttpVersion10, headers={"Connection": "keep-alive"}) as session:
                async with session.get(url) as response:
                    return dict(response.headers), await asyncio.wait_for(response.read(), AT_MOST)

        outcome = await self.compare(
            scenario, lambda mock: mock.get(url, body=lambda: [b"abc", b"def"], content_type="text/plain")
        )
        self.assertEqual(outcome.seen, ({"Content-Type": "text/plain"}, b"abcdef"))


class AskedTest(AioResponsesTestCase):
    """The same mock answers each request as that one asks."""

    async def ask(self, session, **headers):
        async with session.get(SITE, headers=headers) as response:
            await response.read()
            return response.headers.get("Connection")

    async def test_one_mock_answers_different_requests(self):
        signals = []
        self.mock.get(SITE, payload={"a": 1}, repeat=True)
        async with ClientSession(trace_configs=[connections(signals)]) as session:
            said = [
                await self.ask(session, **headers)
                for headers in ({}, {}, {"Connection": "close"}, {}, {"Connection": "keep-alive"}, {})
            ]
        self.assertEqual(said, [None, None, "close", None, None, None])
        created, reused = "on_connection_create_start", "on_connection_reuseconn"
        self.assertEqual(signals, [created, reused, reused, created, reused, reused])

    async def test_a_connection_that_closes_while_the_body_is_unread_loses_nothing(self):
        for body in ("abcdef", lambda: [b"abc", b"def"], lambda: (piece for piece in (b"abc", b"def"))):
            with self.subTest(body):
                self.mock.get(SITE, body=body)
                async with ClientSession() as session:
                    response = await session.get(SITE, headers={"Connection": "close"})
                    for _ in range(10):
                        await asyncio.sleep(0)
                    self.assertEqual(await response.read(), b"abcdef")

    async def test_a_large_body_of_a_connection_that_closes(self):
        for version in (None, HttpVersion10):
            for body in (bytes(2 ** 22), io.BytesIO(bytes(2 ** 22)), lambda: (bytes(2 ** 20) for _ in range(4))):
                with self.subTest(version, body=type(body)):
                    self.mock.get(SITE, body=body)
                    options = {} if version is None else {"version": version}
                    async with ClientSession(**options) as session:
                        async with session.get(SITE, headers={"Connection": "close"}) as response:
                            size = 0
                            async for piece in response.content.iter_chunked(10000):
                                size += len(piece)
                                await asyncio.sleep(0)
                    self.assertEqual(size, 2 ** 22)

    async def test_faults_are_what_they_are(self):
        for fault in (Fault.CONNECTION_RESET, Fault.EMPTY_RESPONSE, Fault.MALFORMED_RESPONSE, Fault.TRUNCATED_BODY):
            errors = []
            for headers in ({}, {"Connection": "close"}):
                self.mock.post(SITE, fault=fault, body="abcdef")
                async with ClientSession() as session:
                    async def fetch():
                        async with session.post(SITE, headers=headers) as response:
                            await response.read()

                    errors.append(await error_of(fetch()))
            with self.subTest(fault):
                self.assertIsNotNone(errors[0])
                self.assertEqual(errors[0], errors[1])


class CopiedHeadersTest(AioResponsesTestCase):
    """Headers of a real response, which tell how that one was sent."""

    COPIED = {
        "Connection": "keep-alive",
        "Content-Encoding": "gzip",
        "Content-Length": "1234",
        "Keep-Alive": "timeout=5, max=100",
        "Proxy-Connection": "keep-alive",
        "Trailer": "Expires",
        "Transfer-Encoding": "chunked",
    }
    # Beside these, it is not even sent.
    WITHOUT_LENGTH = {"Content-Encoding", "Transfer-Encoding"}

    async def test_copied_headers_change_neither_the_body_nor_the_reuse_of_the_connection(self):
        bodies = {
            "text": "abcdef",
            "nothing": "",
            "list": ["abc", "def"],
            "generator function": lambda: (piece for piece in ("abc", "def")),
            "file": io.BytesIO(b"abcdef"),
        }
        signals = []
        async with ClientSession(trace_configs=[connections(signals)]) as session:
            for count in (0, 1, 2, len(self.COPIED)):
                for names in itertools.combinations(self.COPIED, count):
                    headers = {name: self.COPIED[name] for name in names}
                    for form, body in bodies.items():
                        is_stream = form in ("list", "generator function")
                        if is_stream and "Content-Length" in names and not {*names} & self.WITHOUT_LENGTH:
                            continue  # Of a stream it is taken at its word.
                        with self.subTest(form, names=names):
                            self.mock.get(SITE, body=body, headers=headers)
                            async with session.get(SITE) as response:
                                self.assertEqual(await response.text(), "" if form == "nothing" else "abcdef")
        self.assertEqual(signals.count("on_connection_create_start"), 1)

    async def test_where_there_is_no_body_none_is_waited_for(self):
        signals = []
        async with ClientSession(trace_configs=[connections(signals)]) as session:
            for method, status in (("HEAD", 200), ("GET", 204), ("GET", 304), ("POST", 204), ("HEAD", 304)):
                for count in (0, 1, 2, len(self.COPIED)):
                    for names in itertools.combinations(self.COPIED, count):
                        headers = {name: self.COPIED[name] for name in names}
                        with self.subTest(method, status=status, names=names):
                            self.mock.add(SITE, method, status, body="abcdef", headers=headers)
                            async with session.request(method, SITE) as response:
                                self.assertEqual(await response.read(), b"")
                            # These alone say how long a body would be.
                            has_chunks = "Transfer-Encoding" in names and status != 204
                            length = "1234" if "Content-Length" in names and status != 204 and not has_chunks else None
                            if status != 200:
                                self.assertEqual(response.headers.get("Content-Length"), length)
        if AIOHTTP >= (3, 9):
            # Older parsers do not know that these have none, so that the connection is not used again.
            self.assertEqual(signals.count("on_connection_create_start"), 1)
