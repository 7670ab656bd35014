"""The in-memory connection, held against a real server: traces, timeouts, its end, no sockets."""

import asyncio
import sys
import unittest

import aiohttp
from aiohttp import ClientSession, ClientTimeout, ServerTimeoutError, TCPConnector, TraceConfig
from yarl import URL

from aioresponses import aioresponses

from .servers import ComparingTestCase, fetch
from .support import LARGE, error_of, traced


class TraceTest(ComparingTestCase):

    async def test_a_redirect_is_told(self):
        here = await self.origin()
        here.answers("GET", "/start", 302, headers=[("Location", "/end")])
        here.answers("GET", "/end", body=b"arrived")

        async def scenario():
            signals = {}
            async with ClientSession(trace_configs=[traced(signals)]) as session:
                await fetch(session, "GET", here.url / "start")
            return signals

        outcome = await self.compare(scenario)
        self.assertIn("on_request_redirect", outcome.seen[None])

    async def test_an_exception_is_told(self):
        here = await self.origin()
        here.answers("GET", "/", answer=asyncio.Event())

        async def scenario():
            signals = {}
            async with ClientSession(trace_configs=[traced(signals)]) as session:
                error = await error_of(session.get(here.url, timeout=ClientTimeout(sock_read=0.01)))
            return error[0], signals

        outcome = await self.compare(scenario, what_came_in=False)
        self.assertEqual(outcome.seen[1][None][-1], "on_request_exception")

    async def test_the_signals_carry_what_was_sent_and_received(self):
        here = await self.origin()
        here.answers("POST", "/", body=b"hello", status=201)

        async def scenario():
            told = []
            config = TraceConfig()

            async def sent(session, context, params):
                told.append(("sent", params.method, str(params.url), params.chunk))

            async def received(session, context, params):
                told.append(("received", params.method, str(params.url), params.chunk))

            async def end(session, context, params):
                headers = list(params.headers.items())
                told.append(("end", params.method, str(params.url), params.response.status, headers))

            config.on_request_chunk_sent.append(sent)
            config.on_response_chunk_received.append(received)
            config.on_request_end.append(end)
            async with ClientSession(trace_configs=[config]) as session:
                await fetch(session, "POST", here.url, data=b"body")
            return told

        outcome = await self.compare(scenario)
        self.assertIn(("received", "POST", str(here.url), b"hello"), outcome.seen)


class TimeoutTest(ComparingTestCase):

    async def timed_out(self, **limits):
        here = await self.origin()
        here.answers("GET", "/", answer=asyncio.Event())

        async def scenario():
            async with ClientSession() as session:
                error, _ = await error_of(session.get(here.url, timeout=ClientTimeout(**limits)))
                return error

        return (await self.compare(scenario, what_came_in=False)).seen

    async def test_the_total_time_is_limited(self):
        self.assertTrue(issubclass(await self.timed_out(total=0.01), asyncio.TimeoutError))

    async def test_the_time_between_reads_is_limited(self):
        self.assertTrue(issubclass(await self.timed_out(sock_read=0.01), ServerTimeoutError))

    async def test_the_shorter_limit_counts(self):
        self.assertTrue(issubclass(await self.timed_out(total=60, sock_read=0.01), ServerTimeoutError))

    async def test_the_session_goes_on_after_a_timeout(self):
        here = await self.origin()
        here.answers("GET", "/never", answer=asyncio.Event())
        here.answers("GET", "/", body=b"hello")

        async def scenario():
            async with ClientSession(connector=TCPConnector(limit=1)) as session:
                error, _ = await error_of(session.get(here.url / "never", timeout=ClientTimeout(sock_read=0.01)))
                return error, await fetch(session, "GET", here.url)

        outcome = await self.compare(scenario, what_came_in=False)
        self.assertEqual(outcome.seen[1].body, b"hello")

    async def test_wait_for_of_the_caller_is_obeyed(self):
        here = await self.origin()
        here.answers("GET", "/", answer=asyncio.Event())

        async def scenario():
            async with ClientSession() as session:
                return await error_of(asyncio.wait_for(session.get(here.url), 0.01))

        outcome = await self.compare(scenario, what_came_in=False)
        self.assertIs(outcome.seen[0], asyncio.TimeoutError)


class EndOfExchangeTest(ComparingTestCase):

    async def test_a_session_that_is_closed_ends_a_response_that_is_read(self):
        here = await self.origin()
        here.answers("GET", "/", body=LARGE)

        async def scenario():
            session = ClientSession()
            response = await session.get(here.url)
            await session.close()
            # With aiohttp 3.8 and 3.9, to read it now is to wait for ever.
            error, closed = repr(response.content.exception()), response.closed
            response.close()
            return error, closed, await error_of(session.get(here.url))

        outcome = await self.compare(scenario)
        self.assertEqual(outcome.seen[2], (RuntimeError, "Session is closed"))

    async def test_a_session_that_is_closed_ends_a_request_that_waits(self):
        here = await self.origin()
        # aiohttp 3.10 and newer try a GET again, which then fails in a way of its own.
        waiting = {method: here.answers(method, "/", answer=asyncio.Event()) for method in ("GET", "POST")}

        async def ended(method):
            session = ClientSession()
            request = asyncio.ensure_future(error_of(session.request(method, here.url)))
            await waiting[method].begun.wait()
            await session.close()
            return (await request)[0]

        async def scenario():
            return [await ended(method) for method in waiting]

        await self.compare(scenario, what_came_in=False)

    async def test_a_response_that_is_closed_cannot_be_read_any_more(self):
        here = await self.origin()
        for _ in range(2):
            here.answers("GET", "/", body=LARGE)

        async def scenario():
            async with ClientSession() as session:
                response = await session.get(here.url)
                response.close()
                error = await error_of(response.read())
                return error, response.closed, await fetch(session, "GET", here.url) is not None

        await self.compare(scenario)

    async def test_a_response_that_is_released_unread_cannot_be_read_any_more(self):
        here = await self.origin()
        here.answers("GET", "/", body=LARGE)

        async def scenario():
            async with ClientSession() as session:
                response = await session.get(here.url)
                response.release()
                return await error_of(response.read()), response.closed

        await self.compare(scenario)

    async def test_a_cancelled_request_leaves_the_session_usable(self):
        here = await self.origin()
        never = here.answers("GET", "/never", answer=asyncio.Event())
        here.answers("GET", "/", body=b"hello")

        async def scenario():
            async with ClientSession(connector=TCPConnector(limit=1)) as session:
                request = asyncio.ensure_future(session.get(never.url))
                await never.begun.wait()
                request.cancel()
                await asyncio.wait([request])
                return request.cancelled(), await fetch(session, "GET", here.url)

        outcome = await self.compare(scenario)
        self.assertEqual((outcome.seen[0], outcome.seen[1].body), (True, b"hello"))

    async def test_a_cancelled_read_leaves_the_session_usable(self):
        here = await self.origin()
        here.answers("GET", "/large", body=LARGE)
        here.answers("GET", "/", body=b"hello")

        async def scenario():
            async with ClientSession(connector=TCPConnector(limit=1)) as session:
                async with session.get(here.url / "large") as response:
                    reading = asyncio.ensure_future(response.read())
                    await asyncio.sleep(0)
                    reading.cancel()
                    await asyncio.wait([reading])
                return reading.cancelled(), await fetch(session, "GET", here.url)

        outcome = await self.compare(scenario)
        self.assertEqual((outcome.seen[0], outcome.seen[1].body), (True, b"hello"))

    async def test_the_callback_of_a_cancelled_request_is_cancelled(self):
        begun, ended = asyncio.Event(), []

        async def callback(url, **kwargs):
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ended.append(url)
                raise

        with aioresponses() as mock:
            mock.get("http://example.com/", callback=callback)
            async with ClientSession() as session:
                request = asyncio.ensure_future(session.get("http://example.com/"))
                await begun.wait()
                request.cancel()
                await asyncio.wait([request])
        self.assertEqual((request.cancelled(), ended), (True, [URL("http://example.com/")]))


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


class AddressTest(unittest.IsolatedAsyncioTestCase):

    URLS = [
        "http://example.com/",
        "http://example.com:8080/path",
        "https://example.com/",
        "https://example.com:8443/",
        "http://192.0.2.1/",
        "https://192.0.2.1:1/",
        "http://[2001:db8::1]/",
        "https://[2001:db8::1]:65535/",
        "http://localhost/",
        "http://nohost/",
        "http://exämple.com/päth?q=ü",
        "http://xn--exmple-cua.com/",
        "ws://example.com/socket",
        "wss://192.0.2.1/socket",
    ]

    async def test_every_address_is_mocked_alike(self):
        async with ClientSession() as session:
            for url in self.URLS:
                with self.subTest(url=url), aioresponses() as mock:
                    mock.get(url, body=url, content_type="text/plain; charset=utf-8")
                    async with session.get(url) as response:
                        self.assertEqual((response.status, await response.text()), (200, url))
                    self.assertEqual(mock.calls[0].headers["Host"], self.host(URL(url)))

    async def test_every_address_is_redirected_to_alike(self):
        async with ClientSession() as session:
            for url in self.URLS:
                # aiohttp follows no redirect to a WebSocket.
                if url.startswith("ws"):
                    continue
                with self.subTest(url=url), aioresponses() as mock:
                    mock.get("http://start.example/", status=302, headers={"Location": str(URL(url))})
                    mock.get(url, body=url, content_type="text/plain; charset=utf-8")
                    async with session.get("http://start.example/") as response:
                        self.assertEqual((response.status, await response.text()), (200, url))

    def host(self, url):
        host = f"[{url.raw_host}]" if ":" in url.raw_host else url.raw_host
        return host if url.is_default_port() else f"{host}:{url.port}"


_socket_events = None


def _watch(event, args):
    if _socket_events is not None and event.startswith("socket."):
        _socket_events.append(event)


# An audit hook stays for the life of the process.
sys.addaudithook(_watch)


class NoSocketTest(ComparingTestCase):

    async def socket_events(self, url, **options):
        global _socket_events
        async with ClientSession() as session:
            _socket_events = events = []
            try:
                await fetch(session, "POST", url, **options)
            finally:
                _socket_events = None
        return events

    async def test_a_mocked_request_opens_no_socket_and_looks_up_no_name(self):
        with aioresponses() as mock:
            for url in ("http://example.com/", "https://example.com/", "http://192.0.2.1:8080/"):
                with self.subTest(url=url):
                    mock.post(url, body=LARGE)
                    self.assertEqual(await self.socket_events(url, json={"a": 1}), [])

    async def test_a_real_request_would_have_been_noticed(self):
        here = await self.origin()
        here.answers("POST", "/")
        self.assertIn("socket.connect", await self.socket_events(here.url))
