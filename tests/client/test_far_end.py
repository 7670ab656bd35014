import asyncio
import gc
import logging
import os
import re
import tempfile
import threading
import unittest
import warnings
import weakref

from aiohttp import ClientSession, ClientTimeout, FormData, http, web

from yarl import URL

from aioresponses import AioResponsesTestCase, aioresponses

from ..servers import ServerTestCase, end_of, fetch, url_of
from ..support import AIOHTTP, AT_MOST, SITE, Turns, get, idle, large_bodies_allowed, tapped, text_of

MEGABYTES = 65


class LikeServerTest(ServerTestCase):
    """What a client sees of a handler is what it sees of it over TCP."""

    maxDiff = None

    async def serve_only(self, handler):
        """Start a server that does nothing but call a handler; return its URL."""
        app = web.Application(client_max_size=2 ** 62)
        app.router.add_route("*", "/{path:.*}", handler)
        # As in a `TestServer`, a handler ends when the client has gone.
        runner = web.AppRunner(app, **({"handler_cancellation": True} if AIOHTTP >= (3, 9) else {}))
        await runner.setup()
        self.addAsyncCleanup(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return URL.build(scheme="http", host="127.0.0.1", port=runner.addresses[0][1], path="/")

    async def like(self, handler, *requests, ask=fetch, **options):
        """Compare what requests to a handler come to, over TCP and in memory; each is method, path and options."""
        url = await self.serve_only(handler)

        async def scenario():
            async with ClientSession(**options) as session:
                return [
                    await ask(session, method, url.join(URL("".join(rest[:1]))), **dict(*rest[1:]))
                    for method, *rest in requests
                ]

        def register(mock):
            for method in dict.fromkeys(method for method, *_ in requests):
                mock.add(re.compile(re.escape(str(url))), method, handler=handler, repeat=True)

        return (await self.compare(scenario, register, what_came_in=False)).seen

    async def test_methods_bodies_and_urls(self):
        async def echo(request):
            return web.Response(
                status=201,
                reason="Made",
                body=f"{request.method} {request.path_qs} {request.raw_path} ".encode() + await request.read(),
                headers={"X-Sent": request.headers.get("X-Sent", ""), "X-Scheme": request.scheme},
            )

        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"):
            await self.like(echo, (method, "a%20b/%2F?x=1&y=a+b", {"data": b"body", "headers": {"X-Sent": "é"}}))

    async def test_statuses_without_a_body(self):
        async def status(request):
            return web.Response(status=int(request.query["status"]))

        await self.like(
            status, *[(method, f"?status={code}") for code in (200, 204, 304, 404, 500) for method in ("GET", "HEAD")]
        )

    async def test_chunks_compression_and_the_end_of_the_connection(self):
        async def various(request):
            response = web.StreamResponse()
            kind = request.query["kind"]
            if kind == "compressed":
                response.enable_compression()
            elif kind == "closed":
                response.force_close()
            elif kind == "counted":
                response.content_length = 12
            await response.prepare(request)
            for piece in (b"one ", b"two ", b"last"):
                await response.write(piece)
            return response

        kinds = ("chunked", "compressed", "closed", "counted")
        await self.like(various, *[("GET", f"?kind={kind}") for kind in kinds * 2])
        await self.like(various, *[("GET", f"?kind={kind}", {"headers": {"Connection": "close"}}) for kind in kinds])

    async def test_a_body_that_is_shorter_than_its_length_is_waited_for(self):
        begun = asyncio.Event()

        async def reads(request):
            begun.set()
            try:
                return web.Response(body=await request.read())
            except ConnectionError:  # The client has gone; later releases than 3.8 cancel the handler.
                return web.Response()

        async def ask(session, method, url, **options):
            begun.clear()
            asked = asyncio.ensure_future(fetch(session, method, url, **options))
            await begun.wait()
            await idle()
            was_answered = asked.done()
            asked.cancel()
            await asyncio.wait([asked])
            return was_answered

        announced = {"data": b"body", "headers": {"Content-Length": "5"}}
        self.assertEqual(await self.like(reads, ("POST", "", announced), ask=ask), [False])

    async def test_http_1_0(self):
        async def streams(request):
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"until the end")
            return response

        await self.like(streams, *[("GET", "", {"headers": {"Connection": "close"}})] * 2, version=http.HttpVersion10)

    async def test_cookies_and_redirects(self):
        async def visit(request):
            if request.path == "/from":
                response = web.HTTPFound("/to?x=1")
                response.set_cookie("name", "value")
                raise response
            return web.json_response({**request.cookies, "path": request.path_qs})

        await self.like(visit, ("GET", "from"), ("POST", "from", {"data": b"x"}), ("GET", "elsewhere"))

    async def test_forms_and_files(self):
        async def parts(request):
            found = []
            for name, value in (await request.post()).items():
                if not isinstance(value, str):
                    with value.file as file:
                        value = [value.filename, file.read().decode()]
                found.append([name, value])
            return web.json_response(found)

        async def ask(session, method, url, data):
            return await fetch(session, method, url, data=data())

        def form():
            made = FormData()
            made.add_field("file", b"content", filename="a.txt", content_type="text/plain")
            made.add_field("name", "Ada")
            return made

        await self.like(
            parts, ("POST", "", {"data": form}), ("POST", "", {"data": lambda: {"a": "1"}}), ask=ask
        )

    async def test_a_file_response_with_ranges_and_conditions(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "file.bin")
            with open(path, "wb") as file:
                file.write(bytes(range(256)) * 2 ** 12)

            async def sends(request):
                return web.FileResponse(path)

            await self.like(
                sends,
                ("GET",), ("HEAD",), ("GET", "", {"headers": {"Range": "bytes=10-20"}}),
                ("GET", "", {"headers": {"Range": "bytes=99999999-"}}),
                ("GET", "", {"headers": {"If-Modified-Since": "Fri, 31 Dec 2100 23:59:59 GMT"}}),
            )

    async def test_expect_continue(self):
        async def echo(request):
            return web.Response(body=await request.read())

        async def refuses(request):
            raise web.HTTPForbidden

        await self.like(echo, ("POST", "", {"data": b"body", "expect100": True}))
        await self.like(refuses, ("POST", "", {"data": b"body", "expect100": True}))
        await self.like(echo, ("POST", "", {"data": b"body", "headers": {"Expect": "another"}}))

    async def test_a_server_that_hangs_up(self):
        async def hangs_up(request):
            kind = request.query["kind"]
            if kind == "before":
                request.transport.close()
            elif kind == "aborts":
                request.transport.abort()
            else:
                response = web.StreamResponse()
                if "counted" in kind:
                    response.content_length = 100
                await response.prepare(request)
                await response.write(b"half")
                await idle()
                request.transport.abort() if "aborts" in kind else request.transport.close()
            return web.Response()

        await self.like(
            hangs_up,
            *[(method, f"?kind={kind}") for kind in (
                "before", "aborts", "chunked", "chunked, aborts", "counted", "counted, aborts",
            ) for method in ("POST", "GET")],
            ask=end_of,
        )

    async def test_an_answer_before_the_body_was_sent(self):
        async def refuses(request):
            raise web.HTTPForbidden

        async def body():
            for _ in range(3):
                yield b"piece"
                await asyncio.sleep(0)

        async def ask(session, method, url):
            return (await end_of(session, method, url, data=body()))[:2]

        await self.like(refuses, ("POST",), ("POST",), ask=ask)

    async def test_time_limits_of_the_client(self):
        never = asyncio.Event()

        async def late(request):
            response = web.StreamResponse()
            if request.query["kind"] == "body":
                await response.prepare(request)
                await response.write(b"x")
            await never.wait()

        limits = (ClientTimeout(total=0.05), ClientTimeout(sock_read=0.05))
        outcomes = await self.like(
            late,
            *[("POST", f"?kind={kind}", {"timeout": limit}) for kind in ("head", "body") for limit in limits],
            ask=end_of,
        )
        self.assertEqual(len(outcomes), 4)

    async def test_many_requests_on_one_connection(self):
        async def counts(request):
            port = request.transport.get_extra_info("peername")[1]
            ports.add(port)
            return web.Response(text=await request.text())

        ports = set()
        await self.like(counts, *[("POST", "", {"data": str(number)}) for number in range(20)])

    async def test_a_reader_that_is_not_used(self):
        async def ignores(request):
            return web.Response(text="done")

        with large_bodies_allowed():
            await self.like(ignores, *[("POST", "", {"data": bytes(2 ** 21)})] * 2)


class AsANetworkTest(AioResponsesTestCase):
    async def asyncSetUp(self):
        self.session = self.client_session()

    async def test_what_is_written_arrives_a_turn_later(self):
        turns = []
        counted = Turns()

        async def handler(request):
            turns.append(counted.count)
            return web.Response()

        self.mock.get(SITE, handler=handler)
        async with self.session.get(SITE):
            turns.append(counted.count)
        counted.stop()
        # The request, the task of the server, that of the handler; and the response.
        self.assertGreaterEqual(turns[0], 1)
        self.assertGreater(turns[1], turns[0])

    async def test_a_client_that_does_not_read_holds_up_the_server(self):
        written = 0

        async def handler(request):
            nonlocal written
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(MEGABYTES * 16):
                await response.write(bytes(2 ** 16))
                written += 2 ** 16
            return response

        self.mock.get(SITE, handler=handler)
        async with self.session.get(SITE) as response:
            for _ in range(200):
                await asyncio.sleep(0)
            # Its own buffer, and that of the client's reader on either side of its limit.
            self.assertLess(written, 2 ** 20)
            self.assertEqual(len(await response.read()), MEGABYTES * 2 ** 20)

    async def test_a_server_that_does_not_read_holds_up_the_client(self):
        sent = 0
        may_read = asyncio.Event()

        async def body():
            nonlocal sent
            for _ in range(MEGABYTES * 16):
                yield bytes(2 ** 16)
                sent += 2 ** 16

        async def handler(request):
            await may_read.wait()
            size = 0
            async for piece in request.content.iter_any():
                size += len(piece)
            return web.Response(text=str(size))

        self.mock.post(SITE, handler=handler)
        asking = asyncio.ensure_future(text_of(self.session, SITE, "POST", data=body()))
        for _ in range(200):
            await asyncio.sleep(0)
        self.assertLess(sent, 2 ** 20)
        may_read.set()
        self.assertEqual(await asking, str(MEGABYTES * 2 ** 20))

    async def test_the_client_gets_what_was_sent_before_an_abort_as_far_as_it_reads(self):
        async def handler(request):
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"a" * 1000)
            request.transport.abort()
            return response

        self.mock.get(SITE, handler=handler)
        with tapped() as wire:
            await end_of(self.session, "GET", SITE)
        self.assertIn(b"a" * 1000, wire.fed)
        self.assertEqual(wire.ends, [None])

    async def test_what_the_far_end_says_of_itself(self):
        seen = {}

        async def handler(request):
            transport = request.transport
            for name in ("peername", "sockname", "sslcontext", "socket", "ssl_object"):
                seen[request.scheme, name] = transport.get_extra_info(name)
            seen["remote"] = request.remote
            seen["url"] = str(url_of(request))
            self.assertFalse(transport.can_write_eof())
            self.assertFalse(transport.is_closing())
            self.assertEqual(transport.get_write_buffer_size(), 0)
            self.assertTrue(transport.is_reading())
            return web.Response()

        for scheme in ("http", "https"):
            self.mock.get(f"{scheme}://example.com:8000/a?b=1", handler=handler)
            async with self.session.get(f"{scheme}://example.com:8000/a?b=1"):
                pass
        self.assertEqual(seen["http", "sockname"], ("example.com", 8000))
        self.assertIsNone(seen["http", "sslcontext"])
        self.assertIsNotNone(seen["https", "sslcontext"])
        self.assertEqual((seen["remote"], seen["url"]), ("127.0.0.1", "http://example.com:8000/a?b=1"))

    async def test_a_handler_goes_on_behind_its_last_byte_while_canned_replies_answer(self):
        done = []

        async def handler(request):
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write_eof(b"all")
            await idle()
            done.append("handler")
            return response

        self.mock.get(SITE, handler=handler)
        self.mock.post(SITE, repeat=True)
        self.assertEqual(await end_of(self.session, "GET", SITE), (200, b"all"))
        for _ in range(5):
            await text_of(self.session, SITE, "POST")
            await idle()
        self.assertEqual(done, ["handler"])

    async def test_a_server_that_ends_its_connection_while_another_reply_is_on_its_way(self):
        transports = []

        async def handler(request):
            transports.append(request.transport)
            return web.Response(text="handler")

        async def pieces(call):
            yield b"one "
            transports[0].write(b"nothing of this arrives")
            transports[0].close()
            await idle()
            yield b"two"

        self.mock.get(SITE, handler=handler, repeat=True)
        self.mock.post(SITE, body=pieces)
        self.assertEqual(await text_of(self.session), "handler")
        self.assertEqual(await text_of(self.session, SITE, "POST"), "one two")
        self.assertEqual(await text_of(self.session), "handler")

    async def test_a_connection_that_the_server_has_closed_is_used_no_more(self):
        async def handler(request):
            response = web.Response(text="last")
            asyncio.get_running_loop().call_later(0.01, request.transport.close)
            return response

        self.mock.get(SITE, handler=handler, repeat=True)
        for _ in range(3):
            self.assertEqual(await text_of(self.session), "last")
            await asyncio.sleep(0.03)

    async def test_the_end_of_a_client_reaches_the_server_behind_its_last_data(self):
        received = asyncio.get_running_loop().create_future()

        async def handler(request):
            data = b""
            try:
                async for piece in request.content.iter_any():
                    data += piece
            except Exception:
                pass
            finally:
                received.set_result(data)

        async def body():
            yield b"one"
            yield b"two"
            raise ValueError("no more")

        self.mock.post(SITE, handler=handler)
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        await end_of(self.session, "POST", SITE, data=body())
        self.assertEqual(await asyncio.wait_for(received, AT_MOST), b"onetwo")


class LoopsTest(unittest.TestCase):
    """Loops that come and go."""

    def handled(self, mock):
        async def handler(request):
            return web.Response(text=await request.text())

        return mock.add(SITE, "POST", handler=handler, repeat=True)

    def test_plain_functions_run_one_loop_after_another(self):
        with aioresponses() as mock:
            self.handled(mock)
            for number in range(3):
                self.assertEqual(asyncio.run(get(SITE, method="POST", data=f"{number}")), f"{number}")

    def test_threads_side_by_side(self):
        wrong = []

        async def ask(number):
            async with ClientSession() as session:
                for turn in range(100):
                    if await text_of(session, SITE, "POST", data=f"{number} {turn}") != f"{number} {turn}":
                        wrong.append((number, turn))

        with aioresponses() as mock:
            self.handled(mock)
            threads = [threading.Thread(target=lambda number=number: asyncio.run(ask(number))) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(mock.call_count, 800)
        self.assertEqual(wrong, [])

    def test_a_loop_that_is_closed_before_the_mock_is_stopped_is_no_matter(self):
        for state in ("idle", "waiting", "streaming"):
            with self.subTest(state):
                self.assertEqual(self.told_of_closed_loop(state), [])

    def told_of_closed_loop(self, state):
        """Return what is told of a loop that is closed while a handler is in this state."""
        told = []
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda loop, context: told.append(context))
        mock = aioresponses()
        mock.start()

        async def handler(request):
            if state == "waiting":
                await asyncio.get_running_loop().create_future()
            if state == "streaming":
                response = web.StreamResponse()
                await response.prepare(request)
                while True:
                    await response.write(bytes(2 ** 16))
            return web.Response(text="x")

        async def ask():
            session = ClientSession()
            asking = asyncio.ensure_future(session.get(SITE))
            await idle()
            # That the code under test leaves a task and a session is its own affair.
            asking._log_destroy_pending = False
            session._connector._closed = True
            return asking

        mock.get(SITE, handler=handler)
        asking = loop.run_until_complete(ask())
        if asking.done():
            asking.result().close()
        loop.close()
        with self.assertLogs() as logs, warnings.catch_warnings(record=True):
            logging.getLogger().warning("the only one")
            mock.stop()
            del mock, handler, ask, asking
            gc.collect()
        return told + logs.output[1:]

    def test_what_is_over_is_freed_without_the_garbage_collector(self):
        alive = []

        class Response(web.Response):
            pass

        async def ask():
            async def handler(request):
                response = Response(text="x")
                alive.append(weakref.ref(response))
                return response

            async with aioresponses() as mock, ClientSession() as session:
                mock.get(SITE, handler=handler, repeat=True)
                alive.append(weakref.ref(handler))
                for _ in range(3):
                    await text_of(session)

        gc.collect()
        gc.disable()
        try:
            asyncio.run(ask())
            self.assertEqual([one() for one in alive[1:] if one() is not None], [])
        finally:
            gc.enable()
