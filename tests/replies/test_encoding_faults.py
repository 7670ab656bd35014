"""Faults of the server, held against servers of plain asyncio that fail in the same way."""

import asyncio
import gc
import socket
import zlib

import aiohttp
from aiohttp import ClientSession, ClientTimeout, TCPConnector, TraceConfig
from yarl import URL

from aioresponses import AioResponsesTestCase, CallbackResult, Fault, aioresponses

from ..servers import METHODS, FaultTestCase, ServerTestCase, closes, connections, end_of, resets, sends, talks_nonsense
from ..support import error_of


class EndOfConnectionTest(FaultTestCase):
    async def test_a_reset_connection(self):
        outcomes = await self.like(resets, {"fault": Fault.CONNECTION_RESET}, methods=METHODS)
        for method, (where, error, text, *_) in outcomes.items():
            # A HEAD, of which aiohttp expects no body, is no exception to this.
            self.assertEqual((method, where, issubclass(error, aiohttp.ClientOSError)), (method, "asked", True))
            self.assertIn("Connection reset by peer", text)

    async def test_a_connection_that_is_closed_without_a_byte(self):
        outcomes = await self.like(closes, {"fault": Fault.EMPTY_RESPONSE}, methods=METHODS)
        self.assertEqual(
            {(where, error, text) for where, error, text, *_ in outcomes.values()},
            {("asked", aiohttp.ServerDisconnectedError, "Server disconnected")},
        )

    async def test_something_that_is_no_http(self):
        outcomes = await self.like(talks_nonsense, {"fault": Fault.MALFORMED_RESPONSE}, methods=METHODS)
        self.assertEqual(
            {(where, error) for where, error, *_ in outcomes.values()}, {("asked", aiohttp.ClientResponseError)}
        )

    async def test_faults_met_by_a_session_without_keep_alive(self):
        for behave, fault in (
            (resets, Fault.CONNECTION_RESET), (closes, Fault.EMPTY_RESPONSE), (talks_nonsense, Fault.MALFORMED_RESPONSE)
        ):
            with self.subTest(fault):
                url = await self.serve_raw(behave)

                async def scenario():
                    async with ClientSession(connector=TCPConnector(force_close=True)) as session:
                        return await end_of(session, "GET", url)

                await self.compare(scenario, lambda mock: mock.get(url, fault=fault))

    async def test_a_fault_after_a_delay(self):
        for behave, fault in ((resets, Fault.CONNECTION_RESET), (closes, Fault.EMPTY_RESPONSE)):
            await self.like(behave, {"fault": fault, "delay": 0.001})

    async def test_headers_and_cookies_of_the_reply_play_no_part(self):
        reply = {"headers": {"X": "1"}, "cookies": {"a": "1"}, "body": "text", "status": 404}
        outcomes = await self.like(closes, {"fault": Fault.EMPTY_RESPONSE, **reply})
        self.assertEqual(outcomes["POST"][1], aiohttp.ServerDisconnectedError)


class TruncatedBodyTest(FaultTestCase):
    HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"

    async def truncated(self, sent, **reply):
        reply = {"content_type": "text/plain", "fault": Fault.TRUNCATED_BODY, **reply}
        url = await self.serve_raw(sends(self.HEAD, sent))

        async def scenario():
            async with ClientSession() as session:
                # What has come in by then can be read, piece by piece.
                async with session.get(url) as response:
                    came_in = []
                    try:
                        async for piece in response.content.iter_any():
                            came_in.append(piece)
                    except Exception as error:
                        return response.status, dict(response.headers), b"".join(came_in), type(error), str(error)

        outcome = await self.compare(scenario, lambda mock: mock.get(url, **reply))
        self.assertEqual(outcome.seen[3], aiohttp.ClientPayloadError)
        return outcome.seen[2]

    async def test_the_first_half_of_bytes_is_sent(self):
        self.assertEqual(await self.truncated(b"Content-Length: 6\r\n\r\nabc", body="abcdef"), b"abc")

    async def test_nothing_is_sent_of_a_single_byte(self):
        self.assertEqual(await self.truncated(b"Content-Length: 1\r\n\r\n", body="a"), b"")

    async def test_a_reply_without_a_body_announces_a_byte(self):
        self.assertEqual(await self.truncated(b"Content-Length: 1\r\n\r\n"), b"")

    async def test_the_first_half_of_a_large_body_is_sent(self):
        body = b"x" * 2 ** 21
        self.assertEqual(
            len(await self.truncated(b"Content-Length: %d\r\n\r\n%b" % (2 ** 21, body[:2 ** 20]), body=body)), 2 ** 20
        )

    async def test_the_first_half_of_chunks_is_sent(self):
        sent = b"Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n"
        half = sent[:sent.index(b"6") + len(b"6\r\nabcdef\r\n0\r\n\r\n") // 2]
        self.assertEqual(
            await self.truncated(half, body="abcdef", headers={"Transfer-Encoding": "chunked"}), b"abcde"
        )

    async def test_a_stream_is_sent_without_its_end(self):
        async def body():
            yield b"abc"
            yield b"def"

        self.assertEqual(
            await self.truncated(b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n", body=body), b"abcdef"
        )

    async def test_a_stream_that_announces_its_length_is_sent_without_its_end(self):
        # As much as is known to be the half of it, or all but the last byte: in any case, the reader is to find out.
        async def body():
            yield b"abc"
            yield b"def"

        for headers in ({"Content-Length": "6"}, {"Content-Length": "7"}):
            with self.subTest(**headers), aioresponses() as mock:
                mock.get("http://example.com/", body=body, headers=headers, fault=Fault.TRUNCATED_BODY)
                async with ClientSession() as session:
                    outcome = await end_of(session, "GET", "http://example.com/")
                self.assertEqual(outcome[:2], (200, aiohttp.ClientPayloadError))

    async def test_the_first_half_of_a_compressed_body_is_sent(self):
        gzip = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
        packed = gzip.compress(b"abcdef" * 100) + gzip.flush()
        sent = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(packed), packed[:len(packed) // 2])
        await self.truncated(sent, body="abcdef" * 100, headers={"Content-Encoding": "gzip"})

    async def test_a_head_announces_the_whole_body(self):
        url = await self.serve_raw(sends(self.HEAD, b"Content-Length: 6\r\n\r\n"))

        async def scenario():
            async with ClientSession() as session:
                async with session.head(url) as response:
                    return response.status, dict(response.headers), await response.read()

        await self.compare(
            scenario,
            lambda mock: mock.head(url, body="abcdef", content_type="text/plain", fault=Fault.TRUNCATED_BODY),
        )

    async def test_a_session_goes_on_with_a_new_connection_after_a_truncated_body(self):
        with aioresponses() as mock:
            mock.get("http://example.com/", body="abcdef", fault=Fault.TRUNCATED_BODY)
            mock.get("http://example.com/", body="whole")
            async with ClientSession() as session:
                first = await end_of(session, "GET", "http://example.com/")
                second = await end_of(session, "GET", "http://example.com/")
        self.assertEqual((first[:2], second), ((200, aiohttp.ClientPayloadError), (200, b"whole")))


class RefusedConnectionTest(ServerTestCase):
    def setUp(self):
        # A port on which no server listens, and which no other process is given in the meantime.
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        self.port = taken.getsockname()[1]

    async def refused(self, url, register, method="GET", **options):
        signals = []

        def registered(mock):
            signals.clear()
            register(mock)

        async def scenario():
            async with ClientSession(trace_configs=[connections(signals)]) as session:
                error = None
                try:
                    await session.request(method, url, **options)
                except aiohttp.ClientError as raised:
                    error = raised
                return (
                    type(error), str(error), error.errno, error.strerror, error.filename, error.host,
                    error.port, repr(error.ssl), type(error.os_error), str(error.os_error), error.os_error.args,
                    tuple(signals),
                )

        outcome = await self.compare(scenario, registered, what_came_in=False)
        self.assertEqual([(request.headers, request.body) for request in outcome.received], [([], b"")])
        return outcome.seen

    async def test_no_server_listens(self):
        for method in METHODS:
            with self.subTest(method):
                url = URL(f"http://127.0.0.1:{self.port}/")
                error, text, *_ = await self.refused(
                    url, lambda mock: mock.add(url, method, fault=Fault.CONNECTION_REFUSED), method
                )
                self.assertEqual(error, aiohttp.ClientConnectorError)
                self.assertTrue(text.startswith(f"Cannot connect to host 127.0.0.1:{self.port} ssl:default ["), text)

    async def test_no_server_listens_at_an_https_url(self):
        url = URL(f"https://127.0.0.1:{self.port}/")
        await self.refused(url, lambda mock: mock.get(url, fault=Fault.CONNECTION_REFUSED))

    async def test_the_cause_is_the_error_of_the_operating_system(self):
        url = URL(f"http://127.0.0.1:{self.port}/")

        async def scenario():
            async with ClientSession() as session:
                try:
                    await session.get(url)
                except aiohttp.ClientConnectorError as error:
                    return error.__cause__ is error.os_error

        outcome = await self.compare(
            scenario, lambda mock: mock.get(url, fault=Fault.CONNECTION_REFUSED), what_came_in=False
        )
        self.assertTrue(outcome.seen)

    async def test_no_server_listens_after_a_delay(self):
        url = URL(f"http://127.0.0.1:{self.port}/")
        await self.refused(url, lambda mock: mock.get(url, fault=Fault.CONNECTION_REFUSED, delay=0.001))

    async def test_the_next_mock_waits_for_the_next_request(self):
        # Nothing was sent, so aiohttp has no reason to try again.
        with aioresponses() as mock:
            mock.get("http://example.com/", fault=Fault.CONNECTION_REFUSED)
            mock.get("http://example.com/", body="listens again")
            async with ClientSession() as session:
                first = await end_of(session, "GET", "http://example.com/")
                second = await end_of(session, "GET", "http://example.com/")
        self.assertEqual((first[1], second), (aiohttp.ClientConnectorError, (200, b"listens again")))

    async def test_a_request_that_is_refused_is_never_sent(self):
        written = []

        async def body():
            written.append("begun")
            yield b"body"

        with aioresponses() as mock:
            mock.post("http://example.com/", fault=Fault.CONNECTION_REFUSED)
            async with ClientSession() as session:
                await end_of(session, "POST", "http://example.com/", data=body())
            call = mock.calls[0]
            self.assertEqual((written, dict(call.headers), call.body), ([], {}, b""))
            self.assertEqual(
                str(call),
                "POST http://example.com/ -> raised ClientConnectorError: Cannot connect to host example.com:80 "
                "ssl:default [Connect call failed ('example.com', 80)]",
            )

    async def test_a_callback_decides_after_the_request(self):
        url = URL(f"http://127.0.0.1:{self.port}/")
        for method in ("GET", "POST"):
            with self.subTest(method), aioresponses() as mock:
                mock.add(url, method, callback=lambda call: CallbackResult(fault=Fault.CONNECTION_REFUSED))
                mock.add(url, method, body="never")
                async with ClientSession() as session:
                    mocked = await end_of(session, method, url)
                    with self.subTest("the session goes on"):
                        self.assertEqual(await end_of(session, method, url), (200, b"never"))
            async with ClientSession() as session:
                self.assertEqual(mocked, await end_of(session, method, url))

    async def test_stopping_the_mock_ends_the_wait_for_a_refusal(self):
        mock = aioresponses()
        mock.start()
        mock.get("http://example.com/", fault=Fault.CONNECTION_REFUSED, delay=60)
        async with ClientSession() as session:
            request = asyncio.ensure_future(end_of(session, "GET", "http://example.com/"))
            for _ in range(10):
                await asyncio.sleep(0)
            mock.stop()
            outcome = await asyncio.wait_for(request, 1)
        self.assertEqual(
            outcome[:3],
            ("asked", aiohttp.ClientConnectionError, "aioresponses was stopped while this request was in flight"),
        )

    async def test_the_time_to_connect_is_limited(self):
        for limits in ({"connect": 0.01}, {"sock_connect": 0.01}):
            with self.subTest(**limits), aioresponses() as mock:
                mock.get("http://example.com/", fault=Fault.CONNECTION_REFUSED, delay=60)
                async with ClientSession() as session:
                    error = await error_of(
                        asyncio.wait_for(session.get("http://example.com/", timeout=ClientTimeout(**limits)), 1)
                    )
                self.assertTrue(issubclass(error[0], aiohttp.ServerTimeoutError), error)
                self.assertTrue(error[1].startswith("Connection timeout"), error)


class HangTest(FaultTestCase):
    async def hung(self, end=None, **options):
        """Return what a request comes to that a server never answers."""
        outcomes = {}
        for method in ("GET", "POST"):
            with self.subTest(method):
                begun = asyncio.Event()

                async def behave(writer, before):
                    begun.set()
                    await asyncio.Event().wait()

                async def callback(call):
                    begun.set()

                url = await self.serve_raw(behave)

                async def scenario():
                    async with ClientSession() as session:
                        begun.clear()
                        request = asyncio.ensure_future(end_of(session, method, url, **options))
                        waits = asyncio.ensure_future(begun.wait())
                        await asyncio.wait([request, waits], return_when="FIRST_COMPLETED")
                        if end is not None:
                            await end(session, request)
                        return (await asyncio.wait_for(request, 10))[:3]

                outcome = await self.compare(
                    scenario,
                    lambda mock: mock.add(url, method, fault=Fault.HANG, callback=callback),
                    what_came_in=False,
                )
                outcomes[method] = outcome.seen
        return outcomes

    async def test_a_hanging_server_and_a_total_timeout(self):
        outcomes = await self.hung(timeout=ClientTimeout(total=0.05))
        self.assertTrue(issubclass(outcomes["GET"][1], asyncio.TimeoutError))

    async def test_a_hanging_server_and_a_read_timeout(self):
        outcomes = await self.hung(timeout=ClientTimeout(sock_read=0.05))
        self.assertTrue(issubclass(outcomes["GET"][1], aiohttp.ServerTimeoutError))

    async def test_a_hanging_server_and_a_connect_timeout(self):
        # Enough to connect to a real server on a machine that is busy.
        limits = {"connect": 0.25, "sock_connect": 0.25, "sock_read": 0.3}
        outcomes = await self.hung(timeout=ClientTimeout(**limits))
        self.assertEqual(outcomes["GET"][2], "Timeout on reading data from socket")

    async def test_a_hanging_server_and_a_request_that_is_cancelled(self):
        async def end(session, request):
            request.cancel()

        outcomes = await self.hung(end)
        self.assertIs(outcomes["GET"][1], asyncio.CancelledError)

    async def test_a_hanging_server_and_a_session_that_is_closed(self):
        async def end(session, request):
            await session.close()

        outcomes = await self.hung(end)
        self.assertTrue(issubclass(outcomes["POST"][1], aiohttp.ClientConnectionError))

    async def test_a_hanging_server_and_a_mock_that_is_stopped(self):
        began = asyncio.Event()

        async def callback(call):
            began.set()

        mock = aioresponses()
        mock.start()
        mock.get("http://example.com/", fault=Fault.HANG, callback=callback)
        async with ClientSession() as session:
            request = asyncio.ensure_future(end_of(session, "GET", "http://example.com/"))
            await began.wait()
            mock.stop()
            outcome = await asyncio.wait_for(request, 10)
        self.assertEqual(
            outcome[:3],
            ("asked", aiohttp.ClientConnectionError, "aioresponses was stopped while this request was in flight"),
        )

    async def test_a_session_goes_on_after_a_hanging_server(self):
        with aioresponses() as mock:
            mock.get("http://example.com/", fault=Fault.HANG)
            mock.get("http://example.com/", body="answered")
            async with ClientSession(connector=TCPConnector(limit=1)) as session:
                await end_of(session, "GET", "http://example.com/", timeout=ClientTimeout(total=0.01))
                self.assertEqual(await end_of(session, "GET", "http://example.com/"), (200, b"answered"))


class FaultsOfMocksTest(AioResponsesTestCase):
    URL = "https://example.com/"

    # These end by the time limits of the client alone.
    NEVER = (Fault.HANG, Fault.CONNECT_TIMEOUT)

    async def test_a_session_with_one_connection_goes_on_after_each_fault(self):
        session = self.client_session(connector=TCPConnector(limit=1))
        for fault in Fault:
            if fault not in self.NEVER:
                with self.subTest(fault):
                    self.mock.post(self.URL, fault=fault, body="body")
                    self.mock.post(self.URL, body="fine")
                    await end_of(session, "POST", self.URL)
                    self.assertEqual(await end_of(session, "POST", self.URL), (200, b"fine"))

    async def test_a_sequence_of_faults(self):
        session = self.client_session()
        self.mock.post(
            self.URL,
            replies=[{"fault": fault} for fault in Fault if fault not in self.NEVER] + [{"body": "fine"}],
        )
        seen = [await end_of(session, "POST", self.URL) for _ in range(9)]
        self.assertEqual(
            [one[1] for one in seen],
            [
                aiohttp.ClientConnectorError,
                aiohttp.ClientOSError,
                aiohttp.ServerDisconnectedError,
                aiohttp.ClientPayloadError,
                aiohttp.ClientResponseError,
                getattr(aiohttp, "ClientConnectorDNSError", aiohttp.ClientConnectorError),
                aiohttp.ClientConnectorCertificateError,
                aiohttp.ClientConnectorSSLError,
                b"fine",
            ],
        )

    async def test_a_callback_chooses_a_fault(self):
        session = self.client_session()
        for fault, error in (
            (Fault.CONNECTION_REFUSED, aiohttp.ClientConnectorError),
            (Fault.CONNECTION_RESET, aiohttp.ClientOSError),
            (Fault.EMPTY_RESPONSE, aiohttp.ServerDisconnectedError),
            (Fault.TRUNCATED_BODY, aiohttp.ClientPayloadError),
            (Fault.MALFORMED_RESPONSE, aiohttp.ClientResponseError),
            (Fault.HANG, asyncio.TimeoutError),
            (Fault.CONNECT_TIMEOUT, asyncio.TimeoutError),
            (Fault.DNS_FAILURE, aiohttp.ClientConnectorError),
            (Fault.CERTIFICATE_INVALID, aiohttp.ClientConnectorCertificateError),
            (Fault.TLS_FAILURE, aiohttp.ClientConnectorSSLError),
        ):
            async def later(call):
                return CallbackResult(fault=fault)

            for callback in (later, lambda call: CallbackResult(fault=fault)):
                with self.subTest(fault):
                    self.mock.post(self.URL, callback=callback)
                    # A busy machine may take its time for the others.
                    total = 0.05 if fault in self.NEVER else 20
                    outcome = await end_of(session, "POST", self.URL, timeout=ClientTimeout(total=total))
                    self.assertTrue(issubclass(outcome[1], error), outcome)

    async def test_traces_hear_of_the_error_that_the_caller_gets(self):
        told_to_traces = []

        async def note(session, context, params):
            told_to_traces.append(params.exception)

        config = TraceConfig()
        config.on_request_exception.append(note)
        session = self.client_session(trace_configs=[config])
        for fault in set(Fault) - {Fault.HANG, Fault.TRUNCATED_BODY}:
            with self.subTest(fault):
                self.mock.post(self.URL, fault=fault)
                told_to_traces.clear()
                with self.assertRaises(aiohttp.ClientError) as raised:
                    await session.post(self.URL, timeout=ClientTimeout(sock_connect=0.01))
                self.assertEqual([id(error) for error in told_to_traces], [id(raised.exception)])

    async def test_faults_leave_nothing_behind(self):
        # A task, a transport, or an exception that was never retrieved would be reported here.
        complaints = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: complaints.append(context["message"]))
        session = self.client_session()
        for fault in Fault:
            self.mock.get(self.URL, fault=fault, body="body", repeat=True)
            await end_of(session, "GET", self.URL, timeout=ClientTimeout(total=0.02))
            self.mock.clear()
        await session.close()
        gc.collect()
        self.assertEqual((complaints, asyncio.all_tasks() - {asyncio.current_task()}), ([], set()))
