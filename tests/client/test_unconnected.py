"""How a client fails to connect, held against names without an address, ports without a server and servers without TLS.
"""

import asyncio
import hashlib
import socket
import ssl
import sys
import unittest
from pathlib import Path

import aiohttp
from aiohttp import ClientSession, ClientTimeout, TCPConnector
from aiohttp.abc import AbstractResolver
from aiohttp.client_reqrep import ConnectionKey
from yarl import URL

from aioresponses import CallbackResult, Fault, aioresponses

from ..servers import METHODS, ServerTestCase
from ..support import AT_MOST, SITE, traced

SELF_SIGNED = Path(__file__).with_name("self_signed.pem")

OF_CONNECTING = (
    Fault.CONNECTION_REFUSED, Fault.CONNECT_TIMEOUT, Fault.DNS_FAILURE, Fault.TLS_FAILURE, Fault.CERTIFICATE_INVALID
)

# What of an exception is compared, where it has it, beside its class, text and arguments.
ATTRIBUTES = ("errno", "strerror", "filename", "host", "port", "library", "reason", "verify_code", "verify_message")


class NoNames(AbstractResolver):
    """Finds no address of any name."""

    async def resolve(self, host, port=0, family=socket.AF_INET):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def close(self):
        pass


def described(error):
    """Return all that there is to see of an exception, and of the one that caused it."""
    if error is None:
        return None
    causes = [getattr(error, name, None) for name in ("os_error", "certificate_error")]
    return (
        type(error),
        str(error),
        () if error.args and isinstance(error.args[0], ConnectionKey) else error.args,
        {name: getattr(error, name, None) for name in ATTRIBUTES},
        repr(getattr(error, "ssl", None)),
        [cause is not None and cause is error.__cause__ for cause in causes],
        described(error.__cause__),
    )


def unverified():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class UnconnectedTestCase(ServerTestCase):
    async def serve_tls(self):
        """Start a server with a certificate that it has signed itself; return its URL."""
        # What goes wrong there is not to be logged.
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(SELF_SIGNED)

        async def answer(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nsecret")

        return await self.listen(answer, "https", ssl=context)

    async def serve_no_tls(self):
        """Start a server that talks HTTP where TLS is expected; return its URL."""
        async def answer(reader, writer):
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await reader.read()

        return await self.listen(answer, "https")

    async def serve_proxy(self, target):
        """Start a proxy that leads to `target`; return its URL."""
        async def copy(reader, writer):
            while data := await reader.read(2 ** 16):
                writer.write(data)

        async def tunnel(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            there, back = await asyncio.open_connection(target.host, target.port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            try:
                await asyncio.gather(copy(reader, back), copy(there, writer))
            finally:
                back.close()

        return await self.listen(tunnel, "http")

    async def listen(self, answer, scheme, **options):
        tasks = set()

        async def serve(reader, writer):
            tasks.add(asyncio.current_task())
            try:
                await answer(reader, writer)
            except (asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
                pass  # The client has gone, or the test has ended.
            finally:
                writer.close()

        async def close():
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks)
            await server.wait_closed()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, **options)
        self.addAsyncCleanup(close)
        return URL.build(scheme=scheme, host="127.0.0.1", port=server.sockets[0].getsockname()[1], path="/")

    def unused_port(self):
        """Return a port on which no server listens, and which no other process is given in the meantime."""
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]

    def full_port(self):
        """Return a port whose connections are never established: it has no room for one more."""
        full = socket.socket()
        self.addCleanup(full.close)
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            waiting = socket.socket()
            self.addCleanup(waiting.close)
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        return full.getsockname()[1]

    async def fails(self, fault, url, methods=("GET", "POST"), connector=TCPConnector, with_signals=True, **options):
        """Return what requests fail with that cannot connect, the same for servers as for mocks with this fault."""
        outcomes = {}
        for method in methods:
            with self.subTest(method):
                async def scenario():
                    signals = {}
                    async with ClientSession(connector=connector(), trace_configs=[traced(signals)]) as session:
                        try:
                            async with session.request(method, url, **options) as response:
                                return response.status, await response.read()
                        except aiohttp.ClientError as error:
                            return described(error), signals if with_signals else None

                def register(mock):
                    mock.add(url, method, fault=fault)
                    # aiohttp tries none of them again.
                    mock.add(url, method, body="never")

                outcome = await self.compare(scenario, register, what_came_in=False)
                self.assertEqual([(request.headers, request.body) for request in outcome.received], [([], b"")])
                outcomes[method] = outcome.seen
        return outcomes


class ErrorsTest(UnconnectedTestCase):
    """What is raised, with all its attributes and its cause, and what traces are shown."""

    async def test_a_name_without_an_address(self):
        for cached in (True, False):
            for url in (URL("http://nowhere.invalid/"), URL("https://nowhere.invalid:8443/a?b=1")):
                with self.subTest(url=url, cached=cached):
                    outcomes = await self.fails(
                        Fault.DNS_FAILURE,
                        url,
                        METHODS,
                        lambda: TCPConnector(resolver=NoNames(), use_dns_cache=cached),
                        data=b"body",
                    )
                    (error, text, *_), signals = outcomes["POST"]
                    self.assertEqual(error, getattr(aiohttp, "ClientConnectorDNSError", aiohttp.ClientConnectorError))
                    self.assertEqual(
                        text,
                        f"Cannot connect to host nowhere.invalid:{url.port} ssl:default [Name or service not known]",
                    )
                    lookup = ["on_dns_cache_miss", "on_dns_resolvehost_start"][not cached:]
                    self.assertEqual(
                        signals[None],
                        ["on_request_start", "on_connection_create_start", *lookup, "on_request_exception"],
                    )

    async def test_a_name_of_a_proxy_without_an_address(self):
        for url in ("http://example.com/", "https://example.com/"):
            with self.subTest(url):
                outcomes = await self.fails(
                    Fault.DNS_FAILURE,
                    URL(url),
                    connector=lambda: TCPConnector(resolver=NoNames()),
                    proxy="http://nowhere.invalid:3128",
                )
                self.assertTrue(outcomes["GET"][0][1].startswith("Cannot connect to host nowhere.invalid:3128 "))

    async def test_a_proxy_that_does_not_listen(self):
        proxy = f"http://127.0.0.1:{self.unused_port()}"
        for url in ("http://example.com/", "https://example.com/"):
            with self.subTest(url):
                outcomes = await self.fails(Fault.CONNECTION_REFUSED, URL(url), proxy=proxy)
                self.assertEqual(outcomes["GET"][0][0], aiohttp.ClientProxyConnectionError)

    async def test_a_server_that_talks_no_tls(self):
        url = await self.serve_no_tls()
        for verification in (None, False, unverified()):
            with self.subTest(verification):
                options = {} if verification is None else {"ssl": verification}
                outcomes = await self.fails(Fault.TLS_FAILURE, url, METHODS, **options)
                self.assertEqual(outcomes["POST"][0][0], aiohttp.ClientConnectorSSLError)

    async def test_a_certificate_that_is_self_signed(self):
        url = await self.serve_tls()
        outcomes = await self.fails(Fault.CERTIFICATE_INVALID, url, METHODS)
        error, text, _, attributes, is_ssl, _, cause = outcomes["POST"][0]
        self.assertEqual(
            (error, is_ssl, cause[0]),
            (aiohttp.ClientConnectorCertificateError, "True", ssl.SSLCertVerificationError),
        )
        self.assertIn("certificate verify failed: self", text)
        self.assertEqual((attributes["host"], attributes["port"]), ("127.0.0.1", url.port))
        self.assertEqual((cause[3]["verify_code"], cause[3]["reason"]), (18, "CERTIFICATE_VERIFY_FAILED"))

    async def test_a_certificate_that_is_self_signed_and_a_context_that_verifies(self):
        await self.fails(Fault.CERTIFICATE_INVALID, await self.serve_tls(), ssl=ssl.create_default_context())
        await self.fails(
            Fault.CERTIFICATE_INVALID,
            await self.serve_tls(),
            connector=lambda: TCPConnector(ssl=ssl.create_default_context()),
        )

    async def test_tls_through_a_proxy_is_that_of_the_server_behind_it(self):
        for serve, fault in (
            (self.serve_tls, Fault.CERTIFICATE_INVALID), (self.serve_no_tls, Fault.TLS_FAILURE)
        ):
            with self.subTest(fault):
                url = await serve()
                outcomes = await self.fails(fault, url, ("GET",), proxy=await self.serve_proxy(url))
                self.assertEqual(outcomes["GET"][0][3]["port"], url.port)

    @unittest.skipUnless(sys.platform == "linux", "what a full port does is up to the system")
    async def test_a_connection_that_is_never_established(self):
        url = URL(f"http://127.0.0.1:{self.full_port()}/a#b")
        for limits in ({"sock_connect": 0.05}, {"connect": 0.05}, {"connect": 0.05, "sock_connect": AT_MOST}):
            for method in METHODS:
                with self.subTest(method, **limits):
                    outcomes = await self.fails(
                        Fault.CONNECT_TIMEOUT, url, (method,), timeout=ClientTimeout(**limits)
                    )
                    (error, text, *_), signals = outcomes[method]
                    self.assertEqual(error, getattr(aiohttp, "ConnectionTimeoutError", aiohttp.ServerTimeoutError))
                    self.assertTrue(text.startswith(f"Connection timeout to host http://127.0.0.1:{url.port}/a"))
                    self.assertEqual(
                        signals[None], ["on_request_start", "on_connection_create_start", "on_request_exception"]
                    )

    @unittest.skipUnless(sys.platform == "linux", "what a full port does is up to the system")
    async def test_a_proxy_to_which_no_connection_is_established(self):
        await self.fails(
            Fault.CONNECT_TIMEOUT,
            URL("https://example.com/"),
            proxy=f"http://127.0.0.1:{self.full_port()}",
            timeout=ClientTimeout(sock_connect=0.05),
        )

    @unittest.skipUnless(sys.platform == "linux", "what a full port does is up to the system")
    async def test_the_total_time_ends_a_connection_that_is_never_established(self):
        url = URL(f"http://127.0.0.1:{self.full_port()}/")

        async def scenario():
            async with ClientSession(timeout=ClientTimeout(total=0.05)) as session:
                try:
                    await session.get(url)
                except asyncio.TimeoutError as error:
                    return type(error), str(error)

        outcome = await self.compare(scenario, lambda mock: mock.get(url, fault=Fault.CONNECT_TIMEOUT), False)
        self.assertEqual(outcome.seen, (asyncio.TimeoutError, ""))

    async def test_each_is_recorded_and_shown_with_the_call(self):
        for fault in OF_CONNECTING:
            with self.subTest(fault), aioresponses() as mock:
                mock.get("https://example.com/", fault=fault)
                async with ClientSession(timeout=ClientTimeout(sock_connect=0.01)) as session:
                    with self.assertRaises(aiohttp.ClientConnectionError) as caught:
                        await session.get("https://example.com/")
                self.assertIs(mock.calls[0].exception, caught.exception)
                self.assertEqual(
                    str(mock.calls[0]),
                    f"GET https://example.com/ -> raised {type(caught.exception).__name__}: {caught.exception}",
                )


class VerificationTest(UnconnectedTestCase):
    """A client that does not verify certificates is answered, as by a server with a wrong one."""

    async def answered(self, connector=TCPConnector, session_options=None, fault=None, **options):
        url = await self.serve_tls()
        reply = fault or {"fault": Fault.CERTIFICATE_INVALID, "body": "secret", "content_type": "text/plain"}
        for method in ("GET", "POST"):
            with self.subTest(method):
                async def scenario():
                    async with ClientSession(connector=connector()) as session:
                        try:
                            async with session.request(method, url, **options) as response:
                                return response.status, await response.read()
                        except aiohttp.ClientError as error:
                            return described(error)

                outcome = await self.compare(scenario, lambda mock: mock.add(url, method, **reply), False)
                self.assertEqual(outcome.seen, (200, b"secret"))

    async def test_a_request_without_verification(self):
        await self.answered(ssl=False)

    async def test_a_request_with_a_context_that_verifies_nothing(self):
        await self.answered(ssl=unverified())

    async def test_a_connector_without_verification(self):
        await self.answered(lambda: TCPConnector(ssl=False))

    async def test_a_connector_with_a_context_that_verifies_nothing(self):
        await self.answered(lambda: TCPConnector(ssl=unverified()))

    async def test_a_request_without_verification_by_a_connector_with_it(self):
        await self.answered(lambda: TCPConnector(ssl=ssl.create_default_context()), ssl=False)

    async def test_a_request_that_expects_this_certificate(self):
        pem = SELF_SIGNED.read_text().partition("-----BEGIN PRIVATE KEY")[0]
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest()
        await self.answered(ssl=aiohttp.Fingerprint(digest))

    async def test_a_request_that_a_callback_answers(self):
        result = CallbackResult(fault=Fault.CERTIFICATE_INVALID, body="secret", content_type="text/plain")
        await self.answered(fault={"callback": lambda call: result}, ssl=False)

    async def test_a_redirect_to_the_same_place_is_not_answered_twice(self):
        # What is no fault to the client is not what has it try again.
        with aioresponses() as mock:
            mock.get("https://example.com/", fault=Fault.CERTIFICATE_INVALID, status=302, headers={"Location": "/"})
            async with ClientSession() as session:
                with self.assertRaises(aiohttp.ClientConnectionError) as caught:
                    await session.get("https://example.com/", ssl=False)
        self.assertEqual(str(caught.exception), "Connection refused: GET https://example.com/")

    async def test_a_client_that_is_to_verify_and_does_not_is_found_out(self):
        async def careless(session):
            return await session.get("https://example.com/", ssl=False)

        async def careful(session):
            return await session.get("https://example.com/")

        with aioresponses() as mock:
            mock.get("https://example.com/", fault=Fault.CERTIFICATE_INVALID, repeat=True)
            async with ClientSession() as session:
                with self.assertRaises(aiohttp.ClientConnectorCertificateError):
                    await careful(session)
                self.assertEqual((await careless(session)).status, 200)


class CallbackTest(UnconnectedTestCase):
    """What a callback returns comes too late to keep the request from being sent, and fails in the same way."""

    async def test_each_fault(self):
        for fault in OF_CONNECTING:
            for method in ("GET", "PUT", "POST"):
                async def later(call):
                    await asyncio.sleep(0)
                    return CallbackResult(fault=fault)

                failed = []
                for reply in (
                    {"fault": fault},
                    {"callback": lambda call: CallbackResult(fault=fault)},
                    {"callback": later},
                    {"callback": lambda call: CallbackResult(fault=fault, delay=0.001)},
                    {"callback": lambda call: None, "fault": fault},
                ):
                    with aioresponses() as mock:
                        mock.add("https://example.com/", method, **reply)
                        mock.add("https://example.com/", method, body="fine")
                        async with ClientSession(timeout=ClientTimeout(sock_connect=0.01)) as session:
                            with self.assertRaises(aiohttp.ClientConnectionError) as caught:
                                await session.request(method, "https://example.com/", proxy="http://proxy:3128")
                            async with session.request(method, "https://example.com/") as response:
                                self.assertEqual(await response.text(), "fine")
                    failed.append(described(caught.exception))
                with self.subTest(fault, method=method):
                    self.assertEqual(failed, failed[:1] * len(failed))

    async def test_the_time_to_connect(self):
        for limits in ({"connect": 0.01}, {"sock_connect": 0.01}, {"connect": 0.01, "sock_connect": AT_MOST}):
            with self.subTest(**limits), aioresponses() as mock:
                mock.get(SITE, callback=lambda call: CallbackResult(fault=Fault.CONNECT_TIMEOUT))
                async with ClientSession(timeout=ClientTimeout(**limits)) as session:
                    with self.assertRaises(aiohttp.ServerTimeoutError) as caught:
                        await asyncio.wait_for(session.get(SITE), AT_MOST)
                self.assertEqual(str(caught.exception), f"Connection timeout to host {SITE}")

    async def test_a_client_without_a_time_limit_waits(self):
        with aioresponses() as mock:
            mock.get(SITE, callback=lambda call: CallbackResult(fault=Fault.CONNECT_TIMEOUT))
            async with ClientSession(timeout=ClientTimeout(total=None, sock_read=0.01)) as session:
                with self.assertRaises(aiohttp.ServerTimeoutError) as caught:
                    await asyncio.wait_for(session.get(SITE), AT_MOST)
        self.assertIn("Timeout on reading data from socket", str(caught.exception))
