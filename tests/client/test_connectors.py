"""The in-memory connectors: which connection a request gets, what traces hear of it, and no sockets."""

import asyncio
import gc
import itertools
import sys
import unittest
import warnings

import aiohttp
import aiohttp.abc
from aiohttp import (
    BaseConnector,
    ClientConnectorError,
    ClientSession,
    ClientTimeout,
    TCPConnector,
    TraceConfig,
    UnixConnector,
    web,
)
from yarl import URL

from aioresponses import AioResponsesTestCase, Fault, aioresponses

from ..servers import ServerTestCase, fetch
from ..support import AIOHTTP, AT_MOST, CREATED, LARGE, REUSED, SITE, about_connections, error_of, text_of, traced

# The connectors whose requests are held against a real server.
OPTIONS = (
    {},
    {"limit": 1},
    {"limit": 2},
    {"limit": 0},
    {"limit_per_host": 1},
    {"limit": 2, "limit_per_host": 1},
    {"force_close": True},
    {"limit": 1, "force_close": True},
)


class RequestsInSequenceTest(ServerTestCase):
    """One request after another: which of them open a connection, and which use one again."""

    async def test_signals_come_in_order_and_a_connection_is_used_again(self):
        here = await self.origin()
        for _ in range(2):
            here.answers("POST", "/", body=b"hello")

        async def scenario():
            signals = {}
            async with ClientSession(trace_configs=[traced(signals)]) as session:
                for name in ("first", "second"):
                    await fetch(session, "POST", here.url, data=b"body", trace_request_ctx=name)
            return signals

        outcome = await self.compare(scenario)
        self.assertEqual(
            {name: [signal for signal in signals if "connection" in signal] for name, signals in outcome.seen.items()},
            {
                "first": ["on_connection_create_start", "on_connection_create_end"],
                "second": ["on_connection_reuseconn"],
            },
        )

    async def signals(self, hosts, options=OPTIONS, traces=None):
        """Return the signals that the traces of one request after another get, for each of several connectors.

        `hosts` says by their numbers which hosts are asked; `traces` of which requests there are traces, of all if it
        says nothing.
        """
        origins = {number: await self.origin() for number in sorted(set(hosts))}
        for _ in options:
            for number in hosts:
                origins[number].answers("GET", "/", body=b"hello")
        traces = [True] * len(hosts) if traces is None else traces

        async def ask(**given):
            signals = {}
            connector = TCPConnector(**given)
            async with ClientSession(connector=connector, connector_owner=False) as plain:
                async with ClientSession(
                    connector=connector, connector_owner=False, trace_configs=[traced(signals)]
                ) as session:
                    for place, (number, is_traced) in enumerate(zip(hosts, traces)):
                        chosen = session if is_traced else plain
                        await fetch(chosen, "GET", origins[number].url, trace_request_ctx=place)
            await connector.close()
            return about_connections(signals)

        async def scenario():
            return [await ask(**given) for given in options]

        return (await self.compare(scenario)).seen

    async def test_requests_to_one_host(self):
        pooling = {0: CREATED, 1: REUSED, 2: REUSED, 3: REUSED}
        closing = {0: CREATED, 1: CREATED, 2: CREATED, 3: CREATED}
        self.assertEqual(
            await self.signals([0, 0, 0, 0]),
            [closing if given.get("force_close") else pooling for given in OPTIONS],
        )

    async def test_requests_to_two_hosts_in_turn(self):
        pooling = {0: CREATED, 1: CREATED, 2: REUSED, 3: REUSED, 4: REUSED, 5: REUSED}
        closing = dict.fromkeys(range(6), CREATED)
        self.assertEqual(
            await self.signals([0, 1, 0, 1, 0, 1]),
            [closing if given.get("force_close") else pooling for given in OPTIONS],
        )

    async def test_requests_to_several_hosts_in_no_order(self):
        await self.signals([0, 0, 1, 1, 0, 2, 2, 1, 0, 0, 2])

    async def test_sessions_with_and_without_traces_share_the_connections_of_a_connector(self):
        noted = await self.signals([0, 0, 0, 0], traces=[False, True, False, True])
        self.assertEqual(noted[0], {1: REUSED, 3: REUSED})

    async def test_sessions_with_and_without_traces_share_connections_to_two_hosts(self):
        noted = await self.signals([0, 1, 0, 0, 1, 1, 0], traces=[False, False, True, False, True, False, True])
        self.assertEqual(noted[0], {2: REUSED, 4: REUSED, 6: REUSED})

    async def test_a_connection_outlives_the_session_where_that_does_not_own_the_connector(self):
        here = await self.origin()
        for _ in range(3):
            here.answers("GET", "/")

        async def scenario():
            signals = {}
            connector = TCPConnector()
            for name, traces in (("first", []), ("second", []), ("third", [traced(signals)])):
                async with ClientSession(connector=connector, connector_owner=False, trace_configs=traces) as session:
                    await fetch(session, "GET", here.url, trace_request_ctx=name)
            await connector.close()
            return about_connections(signals)

        self.assertEqual((await self.compare(scenario)).seen, {"third": REUSED})

    async def test_connections_that_are_idle_side_by_side_are_all_used_again(self):
        here = await self.origin()
        waiting = [here.answers("GET", f"/{number}", answer=asyncio.Event()) for number in range(6)]

        async def scenario():
            signals = {}
            async with ClientSession(trace_configs=[traced(signals)]) as session:
                for batch in (waiting[:3], waiting[3:]):
                    asked = [
                        asyncio.ensure_future(fetch(session, "GET", reply.url, trace_request_ctx=reply.url.path))
                        for reply in batch
                    ]
                    for reply in batch:
                        await reply.begun.wait()
                    for reply in batch:
                        reply.answer.set()
                    await asyncio.gather(*asked)
            return about_connections(signals)

        self.assertEqual(
            (await self.compare(scenario, what_came_in=False)).seen,
            {f"/{number}": CREATED if number < 3 else REUSED for number in range(6)},
        )

    @unittest.skipIf(AIOHTTP < (3, 11), "older releases close the connection to a proxy after each request")
    async def test_a_connection_by_proxy_is_another_one_than_a_direct_one(self):
        proxy = await self.origin()
        # The server of the URL is its own proxy here, so that traces alone tell the one way from the other.
        for _ in range(12):
            proxy.answers("GET", proxy.url)

        async def scenario():
            noted = []
            for first, second, third in ((None, 1, 1), (1, None, None), (None, 1, None), (1, None, 1)):
                signals = {}
                connector = TCPConnector()
                for way, traces in ((first, []), (second, []), (third, [traced(signals)])):
                    async with ClientSession(
                        connector=connector, connector_owner=False, trace_configs=traces
                    ) as session:
                        await fetch(session, "GET", proxy.url, proxy=proxy.url if way else None)
                await connector.close()
                noted.append(about_connections(signals)[None])
            return noted

        self.assertEqual((await self.compare(scenario, what_came_in=False)).seen, [REUSED] * 4)

    async def test_a_connection_that_was_idle_for_too_long_is_not_used_again(self):
        here = await self.origin()
        for _ in range(6):
            here.answers("GET", "/")

        async def scenario():
            noted = []
            for first_traced in (True, False):
                signals = {}
                connector = TCPConnector(keepalive_timeout=0.05)
                for name, traces, idle in (
                    ("first", [traced(signals)] if first_traced else [], 0),
                    ("at once", [], 0),
                    ("late", [traced(signals)], 0.2),
                ):
                    # Nothing is waited for here: it is the clock that must go on.
                    await asyncio.sleep(idle)
                    async with ClientSession(
                        connector=connector, connector_owner=False, trace_configs=traces
                    ) as session:
                        await fetch(session, "GET", here.url, trace_request_ctx=name)
                await connector.close()
                noted.append(about_connections(signals)["late"])
            return noted

        self.assertEqual((await self.compare(scenario)).seen, [CREATED, CREATED])

    @unittest.skipIf(AIOHTTP < (3, 14), "older releases raise TypeError when such a connection is used again")
    @unittest.skipIf(AIOHTTP >= (4, 0), "connectors of the development branch fail without a keepalive_timeout")
    async def test_a_connection_may_be_kept_forever(self):
        noted = await self.signals([0, 0, 1, 0], [{"keepalive_timeout": None}], [False, True, True, True])
        self.assertEqual(noted, [{1: REUSED, 2: CREATED, 3: REUSED}])


class SchemesTest(AioResponsesTestCase):
    async def test_a_plain_and_an_encrypted_connection_to_one_port_are_two(self):
        signals = {}
        plain = self.client_session()
        session = self.client_session(
            connector=plain.connector, connector_owner=False, trace_configs=[traced(signals)]
        )
        for scheme in ("http", "https"):
            self.mock.get(f"{scheme}://example.com:8443/", repeat=True)
            await text_of(plain, f"{scheme}://example.com:8443/")
        for scheme in ("https", "http"):
            await text_of(session, f"{scheme}://example.com:8443/", trace_request_ctx=scheme)
        self.assertEqual(about_connections(signals), {"https": REUSED, "http": REUSED})


class PoolTest(ServerTestCase):
    """What becomes of a connection after its response, as the traces of the next request tell."""

    async def connections(self, body, leave, **options):
        """Return the signals of two requests about their connections, with `leave` called in between."""
        here = await self.origin()
        for _ in range(2):
            here.answers("GET", "/", body=body, **options)

        async def scenario():
            signals = []
            config = TraceConfig()

            async def created(session, context, params):
                signals.append("created")

            async def reused(session, context, params):
                signals.append("reused")

            config.on_connection_create_end.append(created)
            config.on_connection_reuseconn.append(reused)
            async with ClientSession(trace_configs=[config]) as session:
                async with session.get(here.url) as response:
                    await leave(response)
                async with session.get(here.url) as response:
                    return signals, await response.read() == body

        return (await self.compare(scenario)).seen

    async def test_a_response_left_unread_costs_its_connection(self):
        async def leave(response):
            pass

        self.assertEqual(await self.connections(LARGE, leave), (["created", "created"], True))

    async def test_a_response_read_to_its_end_gives_its_connection_back(self):
        async def leave(response):
            await response.read()

        self.assertEqual(await self.connections(LARGE, leave), (["created", "reused"], True))

    async def test_a_connection_that_the_server_wants_closed_is_not_used_again(self):
        async def leave(response):
            await response.read()

        self.assertEqual(
            await self.connections(b"hello", leave, headers=[("Connection", "close")]), (["created", "created"], True)
        )

    async def test_a_response_that_is_closed_unread_costs_its_connection(self):
        async def leave(response):
            response.close()

        self.assertEqual(await self.connections(LARGE, leave), (["created", "created"], True))

    async def test_a_response_that_is_released_unread_costs_its_connection(self):
        async def leave(response):
            released = response.release()
            if released is not None:  # As it is in aiohttp 4.
                await released

        self.assertEqual(await self.connections(LARGE, leave), (["created", "created"], True))

    async def test_a_response_that_is_read_in_part_costs_its_connection(self):
        async def leave(response):
            await response.content.readexactly(10)

        self.assertEqual(await self.connections(LARGE, leave), (["created", "created"], True))

    async def test_a_small_response_that_came_in_at_once_may_stay_unread(self):
        async def leave(response):
            response.close()

        self.assertEqual(await self.connections(b"hello", leave), (["created", "reused"], True))


class ClosedByTheServerTest(ServerTestCase):
    """The server has closed the connection, or is about to: it serves no other request."""

    async def signals(self, sent, **reply):
        """Return the signals of the next request, after a response that ends with its connection.

        `sent` is what the server sends, `reply` what the mock is registered with.
        """

        async def behave(writer, before):
            if before % 2:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nnext")
                return True
            writer.write(sent)
            # So that nothing else happens before the client finds it closed.
            await writer.drain()

        url = await self.serve_raw(behave)

        def register(mock):
            for _ in range(2):
                mock.post(url, content_type="text/plain", **reply)
                mock.post(url, content_type="text/plain", body="next")

        async def ask(session, **options):
            async with session.post(url, **options) as response:
                return response.status, await response.read()

        async def scenario():
            signals, outcomes = {}, []
            # A session with traces and one without are served in different ways.
            for traces in ([traced(signals)], []):
                async with ClientSession(trace_configs=traces) as session:
                    outcomes.append((await error_of(ask(session, trace_request_ctx="first")) or (None,))[0])
                    outcomes.append(await asyncio.wait_for(ask(session, trace_request_ctx="next"), AT_MOST))
            return outcomes, about_connections(signals)

        outcomes, signals = (await self.compare(scenario, register)).seen
        self.assertEqual([outcome for outcome in outcomes[1::2]], [(200, b"next")] * 2)
        return signals["next"]

    async def test_a_new_connection_is_opened_after_a_stream_that_is_shorter_than_it_said(self):
        for length in ("7", "100"):
            with self.subTest(length=length):
                head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
                headers = {"Content-Length": length}
                noted = await self.signals(head.encode() + b"abcdef", body=lambda: ["abcdef"], headers=headers)
                self.assertEqual(noted, CREATED)

    async def test_a_new_connection_is_opened_after_a_truncated_body(self):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\n"
        self.assertEqual(await self.signals(head + b"abc", body="abcdef", fault=Fault.TRUNCATED_BODY), CREATED)

    async def test_a_new_connection_is_opened_after_a_transfer_encoding_that_ends_with_the_connection(self):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: identity\r\n\r\n"
        for body in ("abcdef", lambda: [b"abc", b"def"]):
            noted = await self.signals(head + b"abcdef", body=body, headers={"Transfer-Encoding": "identity"})
            self.assertEqual(noted, CREATED)

    async def test_a_new_connection_is_opened_after_a_header_that_says_close(self):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 6\r\n\r\n"
        self.assertEqual(
            await self.signals(head + b"abcdef", body="abcdef", headers={"Connection": "close"}), CREATED
        )

    async def test_a_new_connection_is_opened_after_a_connection_that_was_reset_or_closed_without_a_byte(self):
        for fault in (Fault.EMPTY_RESPONSE, Fault.CONNECTION_RESET, Fault.MALFORMED_RESPONSE):
            with aioresponses() as mock:
                for _ in range(2):
                    mock.post(SITE, fault=fault)
                    mock.post(SITE, body="next")
                signals = {}
                for traces in ([traced(signals)], []):
                    async with ClientSession(trace_configs=traces) as session:
                        with self.assertRaises(aiohttp.ClientError):
                            await session.post(SITE)
                        self.assertEqual(await text_of(session, method="POST", trace_request_ctx="next"), "next")
                self.assertEqual(about_connections(signals)["next"], CREATED)

    async def test_a_new_connection_is_opened_after_an_exception_of_the_mock(self):
        with aioresponses() as mock:
            for _ in range(2):
                mock.post(SITE, exception=ValueError("wrong"))
                mock.post(SITE, body="next")
            signals = {}
            for traces in ([traced(signals)], []):
                async with ClientSession(trace_configs=traces) as session:
                    with self.assertRaises(ValueError):
                        await session.post(SITE)
                    self.assertEqual(await text_of(session, method="POST", trace_request_ctx="next"), "next")
            self.assertEqual(about_connections(signals)["next"], CREATED)


class LoopsTest(unittest.TestCase):
    def test_a_session_has_connections_of_its_own_on_each_loop(self):
        async def make():
            return ClientSession(trace_configs=[traced(signals)])

        async def use(name):
            return await text_of(session, trace_request_ctx=name)

        signals = {}
        loops = [asyncio.new_event_loop() for _ in range(2)]
        for loop in loops:
            self.addCleanup(loop.close)
        with aioresponses() as mock:
            mock.get(SITE, body="here", repeat=True)
            session = loops[0].run_until_complete(make())
            for turn in range(3):
                for number, loop in enumerate(loops):
                    self.assertEqual(loop.run_until_complete(use((number, turn))), "here")
            loops[0].run_until_complete(session.close())
        self.assertEqual(
            about_connections(signals),
            {(number, turn): REUSED if turn else CREATED for turn in range(3) for number in range(2)},
        )

    def test_a_connection_of_a_closed_loop_is_not_used_again(self):
        async def make():
            return ClientSession(trace_configs=[traced(signals)])

        signals = {}
        with aioresponses() as mock:
            mock.get(SITE, body="here", repeat=True)
            session = asyncio.run(make())
            for turn in range(3):
                self.assertEqual(asyncio.run(text_of(session, trace_request_ctx=turn)), "here")
            asyncio.run(session.close())
        self.assertEqual(about_connections(signals), dict.fromkeys(range(3), CREATED))


class ConnectorTest(ServerTestCase):

    async def answered_with(self, connector):
        with aioresponses() as mock:
            mock.get("http://example.com/", body="hello")
            async with ClientSession(connector=connector) as session:
                async with session.get("http://example.com/") as response:
                    return await response.read()

    async def test_the_path_of_a_unix_connector_need_not_exist(self):
        self.assertEqual(await self.answered_with(UnixConnector("/no/such/socket")), b"hello")

    async def test_a_connector_of_another_kind_is_not_asked_to_connect(self):
        class Unconnected(BaseConnector):
            async def _create_connection(self, req, traces, timeout):
                raise AssertionError("a connection was asked for")

        self.assertEqual(await self.answered_with(Unconnected()), b"hello")

    async def test_a_connector_that_closes_its_connections_has_them_closed(self):
        self.assertEqual(await self.answered_with(TCPConnector(force_close=True)), b"hello")

    async def test_the_resolver_of_a_connector_is_not_asked(self):
        class Deaf(aiohttp.abc.AbstractResolver):
            async def resolve(self, *args, **kwargs):
                raise AssertionError("a name was looked up")

            async def close(self):
                pass

        self.assertEqual(await self.answered_with(TCPConnector(resolver=Deaf())), b"hello")

    async def test_mocked_requests_do_not_count_against_the_limit_of_the_connector_of_the_session(self):
        async def real(request):
            return web.Response(text="real")

        url = await self.serve(web.get("/", real))
        with aioresponses(passthrough=[url]) as mock:
            mock.get(SITE, body=LARGE, repeat=True)
            async with ClientSession(connector=TCPConnector(limit=1)) as session:
                for _ in range(2):
                    async with session.get(SITE):
                        self.assertEqual(await asyncio.wait_for(text_of(session, url), AT_MOST), "real")

    async def test_a_real_connection_serves_no_mocked_request(self):
        async with ClientSession(connector=TCPConnector()) as session:
            with aioresponses() as mock:
                mock.get("http://127.0.0.1:1/", body="hello")
                async with session.get("http://127.0.0.1:1/") as response:
                    self.assertEqual(await response.read(), b"hello")
            # Nobody listens on this port.
            with self.assertRaises(ClientConnectorError):
                await session.get("http://127.0.0.1:1/")


class NamesTest(unittest.IsolatedAsyncioTestCase):
    """A connection is named after the host that it was opened to, and serves no other."""

    URLS = (
        "http://example.com/",
        "http://example.org/",
        "http://example.com:81/",
        "https://example.com/",
        "http://example.com:443/",
        "http://[2001:db8::1]/",
        "http://192.0.2.1/",
    )

    async def leave_open(self, before, url):
        """Ask for `url` after `before`; return the name of its connection, and leave it open."""
        with aioresponses() as mock:
            mock.get(before)
            mock.get(url / "large", body=LARGE)
            async with ClientSession() as session:
                await text_of(session, before)
                # A timer would remember the call.
                response = await session.get(url / "large", timeout=ClientTimeout(total=None))
                return repr(response.connection).partition(", ssl=")[0]

    async def test_a_connection_has_the_name_of_its_host_whatever_was_asked_before(self):
        # What is said of it to the loop is said in the warnings, too.
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: None)
        self.addCleanup(loop.set_exception_handler, None)
        for before, after in itertools.chain(zip(self.URLS, self.URLS[1:]), zip(self.URLS[1:], self.URLS)):
            url = URL(after)
            with self.subTest(after, before=before), warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", ResourceWarning)
                named = await self.leave_open(before, url)
                gc.collect()
                is_ssl = url.scheme == "https"
                name = f"Connection<ConnectionKey(host={url.raw_host!r}, port={url.port!r}, is_ssl={is_ssl!r}"
                self.assertEqual(named, name)
                complaints = {str(one.message).splitlines()[0].partition(", ssl=")[0] for one in caught}
                # Which of them is found first is a matter of luck, and closes the other.
                self.assertLessEqual(
                    complaints,
                    {
                        f"Unclosed response <ClientResponse({url / 'large'}) [200 OK]>",
                        f"Unclosed connection {name}",
                    },
                )
                self.assertNotEqual(complaints, set())


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


class NoSocketTest(ServerTestCase):

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
