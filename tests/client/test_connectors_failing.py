"""Connecting in vain: places under a limit, time limits, cancellation, and the end of session and mock meanwhile."""

import asyncio
import gc
import socket
import unittest
import weakref

import aiohttp
from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, TCPConnector
from aiohttp.abc import AbstractResolver

from aioresponses import AioResponsesTestCase, Fault, aioresponses

from ..servers import ServerTestCase
from ..support import AT_MOST, CREATED, SITE, Turns, about_connections, idle, outcome_of, text_of, traced

UNREACHABLE = "http://unreachable.invalid/"

OTHER = "http://example.org/"

STOPPED = (ClientConnectionError, "aioresponses was stopped while this request was in flight")


class NeverFound(AbstractResolver):
    """Looks for the address of a name that is unreachable until it is stopped, and finds none of any other."""

    def __init__(self):
        self.stopped = asyncio.Event()

    async def resolve(self, host, port=0, family=socket.AF_INET):
        if host == "unreachable.invalid":
            await self.stopped.wait()
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def close(self):
        pass

    async def stop(self):
        self.stopped.set()
        await idle()


class LimitTest(ServerTestCase):
    """A request that connects in vain takes a place under the limits of its connector."""

    async def test_others_wait_until_it_has_failed(self):
        for options in ({"limit": 1}, {"limit_per_host": 1}, {"limit": 1, "force_close": True}):
            with self.subTest(**options):
                here = await self.origin()
                here.answers("GET", "/", body=b"fine")

                async def scenario():
                    signals, resolver = {}, NeverFound()
                    connector = TCPConnector(resolver=resolver, **options)
                    async with ClientSession(connector=connector, trace_configs=[traced(signals)]) as session:
                        # A request that need not wait must come back before the other one has failed.
                        limit = ClientTimeout(connect=0.05 if "limit" in options else 0.5)
                        failing = asyncio.ensure_future(
                            outcome_of(session, "GET", UNREACHABLE, trace_request_ctx="failing", timeout=limit)
                        )
                        await asyncio.sleep(0)
                        fine = await outcome_of(session, "GET", here.url, trace_request_ctx="fine")
                        was_done = failing.done()
                        await failing
                        await resolver.stop()
                        return was_done, fine, failing.result(), about_connections(signals)

                outcome = await self.compare(
                    scenario, lambda mock: mock.get(UNREACHABLE, fault=Fault.CONNECT_TIMEOUT), what_came_in=False
                )
                self.assertEqual(outcome.seen[:2], ("limit" in options, (200, "fine")))

    async def test_it_waits_until_there_is_a_place(self):
        here = await self.origin()
        reply = here.answers("GET", "/", body=b"fine", answer=asyncio.Event())
        fault = {"fault": Fault.DNS_FAILURE}

        async def scenario():
            signals = {}
            connector = TCPConnector(resolver=NeverFound(), limit=1)
            async with ClientSession(connector=connector, trace_configs=[traced(signals)]) as session:
                first = asyncio.ensure_future(outcome_of(session, "GET", here.url, trace_request_ctx="first"))
                await asyncio.wait_for(reply.begun.wait(), AT_MOST)
                second = asyncio.ensure_future(outcome_of(session, url=OTHER, trace_request_ctx="second"))
                await idle()
                waits = second.done(), list(signals["second"])
                reply.answer.set()
                return waits, await first, await second, signals

        outcome = await self.compare(scenario, lambda mock: mock.get(OTHER, **fault), what_came_in=False)
        self.assertEqual(outcome.seen[0], (False, ["on_request_start", "on_connection_queued_start"]))

    async def test_each_failure_gives_its_place_back(self):
        for fault in Fault:
            if fault is Fault.HANG:
                continue
            with self.subTest(fault), aioresponses() as mock:
                url = "https://example.com/"
                mock.get(url, fault=fault, body="body", repeat=3)
                mock.get(url, body="fine", repeat=True)
                timeout = ClientTimeout(sock_connect=0.01)
                async with ClientSession(connector=TCPConnector(limit=1), timeout=timeout) as session:
                    outcomes = await asyncio.wait_for(
                        asyncio.gather(*(outcome_of(session, "GET", url) for _ in range(6))), AT_MOST
                    )
                # aiohttp tries some of them again.
                self.assertGreaterEqual(outcomes.count((200, "fine")), 3)
                self.assertEqual(mock.unused_mocks, [])

    async def test_an_idle_connection_takes_no_place(self):
        here = await self.origin()
        for _ in range(2):
            here.answers("GET", "/", body=b"fine")

        async def scenario():
            signals, resolver = {}, NeverFound()
            connector = TCPConnector(resolver=resolver, limit=2)
            async with ClientSession(connector=connector) as plain:
                # The first without traces, whose connection is then kept back for the next request.
                await text_of(plain, here.url)
                async with ClientSession(
                    connector=connector, connector_owner=False, trace_configs=[traced(signals)]
                ) as session:
                    failing = []
                    for place in range(2):
                        request = outcome_of(session, "GET", UNREACHABLE, trace_request_ctx=place)
                        failing.append(asyncio.ensure_future(request))
                        await idle()
                    fine = asyncio.ensure_future(outcome_of(session, "GET", here.url, trace_request_ctx="fine"))
                    await idle()
                    failing[0].cancel()
                    await asyncio.wait_for(fine, AT_MOST)
                    failing[1].cancel()
                    await asyncio.gather(*failing)
                    await resolver.stop()
            return fine.result(), about_connections(signals)

        outcome = await self.compare(
            scenario, lambda mock: mock.get(UNREACHABLE, fault=Fault.CONNECT_TIMEOUT, repeat=True), what_came_in=False
        )
        self.assertEqual([outcome.seen[1][place] for place in range(2)], [CREATED[:1]] * 2)

    async def test_an_idle_connection_does_not_save_a_request(self):
        # The server that refuses connections has closed those that it had.
        signals = {}
        with aioresponses() as mock:
            mock.get(SITE)
            mock.get(SITE, fault=Fault.CONNECTION_REFUSED)
            async with ClientSession(trace_configs=[traced(signals)]) as session:
                await text_of(session)
                outcome = await outcome_of(session, trace_request_ctx="second")
        self.assertEqual(outcome[0], aiohttp.ClientConnectorError)
        self.assertEqual(about_connections(signals)["second"], CREATED[:1])

    async def test_a_client_that_asks_for_more_than_it_may_is_found_out(self):
        # It asks for the second while it still waits for the first, whose place it needs.
        async def greedy(session):
            first = asyncio.ensure_future(session.get(UNREACHABLE))
            await asyncio.sleep(0)
            return first, await asyncio.wait_for(text_of(session), 0.05)

        with aioresponses() as mock:
            mock.get(UNREACHABLE, fault=Fault.CONNECT_TIMEOUT)
            mock.get(SITE)
            async with ClientSession(connector=TCPConnector(limit=1)) as session:
                with self.assertRaises(asyncio.TimeoutError):
                    await greedy(session)
                [first] = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
                first.cancel()
                await asyncio.gather(first, return_exceptions=True)


class WaitingTest(AioResponsesTestCase):
    async def asyncSetUp(self):
        self.session = self.client_session()

    async def test_without_a_time_limit_it_waits_for_ever(self):
        self.mock.get(SITE, fault=Fault.CONNECT_TIMEOUT)
        request = asyncio.ensure_future(outcome_of(self.session, timeout=ClientTimeout(total=None, sock_read=0.001)))
        await asyncio.sleep(0.05)
        self.assertEqual((request.done(), dict(self.mock.calls[0].headers)), (False, {}))
        request.cancel()
        self.assertEqual((await request)[0], asyncio.CancelledError)
        self.assertIsInstance(self.mock.calls[0].exception, asyncio.CancelledError)

    async def test_delay_and_latency_play_no_part_for_a_connection_that_is_never_established(self):
        self.mock.latency = 60
        self.mock.get(SITE, fault=Fault.CONNECT_TIMEOUT, delay=60)
        error, _ = await asyncio.wait_for(outcome_of(self.session, timeout=ClientTimeout(connect=0.01)), AT_MOST)
        self.assertTrue(issubclass(error, aiohttp.ServerTimeoutError))

    async def test_delay_and_latency_come_before_a_failure(self):
        for fault in (Fault.DNS_FAILURE, Fault.TLS_FAILURE, Fault.CERTIFICATE_INVALID, Fault.CONNECTION_REFUSED):
            for delay, latency in ((60, 0), (0, 60), (30, 30)):
                with self.subTest(fault, delay=delay, latency=latency):
                    self.mock.latency = latency
                    self.mock.get("https://example.com/", fault=fault, delay=delay)
                    limit = ClientTimeout(connect=0.01)
                    error, _ = await asyncio.wait_for(
                        outcome_of(self.session, url="https://example.com/", timeout=limit), AT_MOST
                    )
                    self.assertTrue(issubclass(error, aiohttp.ServerTimeoutError), error)

    async def test_the_time_for_the_connection_alone_does_not_count_while_a_name_is_looked_up(self):
        limit = ClientTimeout(sock_connect=0.001)
        for fault, error in (
            (Fault.DNS_FAILURE, aiohttp.ClientConnectorError), (Fault.TLS_FAILURE, aiohttp.ServerTimeoutError)
        ):
            with self.subTest(fault):
                self.mock.get("https://example.com/", fault=fault, delay=0.05)
                raised, _ = await outcome_of(self.session, url="https://example.com/", timeout=limit)
                self.assertTrue(issubclass(raised, error), raised)

    async def test_turns_of_the_loop_before_a_failure(self):
        for latency, expected in ((None, 0), (0, 1)):
            for fault in (Fault.DNS_FAILURE, Fault.TLS_FAILURE, Fault.CERTIFICATE_INVALID, Fault.CONNECTION_REFUSED):
                with self.subTest(fault, latency=latency):
                    self.mock.latency = latency
                    self.mock.get("https://example.com/", fault=fault)
                    turns = Turns()
                    await outcome_of(self.session, url="https://example.com/")
                    self.assertEqual(turns.stop(), expected)

    async def test_a_call_is_on_its_way_while_it_connects(self):
        self.mock.get(SITE, fault=Fault.CONNECT_TIMEOUT, repeat=2)
        limit = ClientTimeout(connect=0.01)
        await asyncio.gather(*(outcome_of(self.session, timeout=limit) for _ in range(2)))
        self.assertConcurrent(SITE)

    async def test_a_call_that_waits_for_a_place_is_not_on_its_way(self):
        self.mock.get(SITE, fault=Fault.CONNECTION_REFUSED, repeat=3)
        session = self.client_session(connector=TCPConnector(limit=1))
        await asyncio.gather(*(outcome_of(session) for _ in range(3)))
        self.assertMaxConcurrency(1)


class EndTest(unittest.IsolatedAsyncioTestCase):
    """What ends while a request connects in vain."""

    FAULTS = ({"fault": Fault.CONNECT_TIMEOUT}, {"fault": Fault.DNS_FAILURE, "delay": 60})

    async def begin(self, session, **options):
        request = asyncio.ensure_future(outcome_of(session, **options))
        await idle()
        self.assertFalse(request.done())
        return request

    async def test_a_mock_that_is_stopped(self):
        for reply in self.FAULTS:
            for closes in (False, True):
                with self.subTest(reply, closes=closes):
                    async with ClientSession() as session:
                        with aioresponses() as mock:
                            mock.get(SITE, **reply)
                            request = await self.begin(session)
                            if closes:
                                await session.close()
                        outcome = await asyncio.wait_for(request, AT_MOST)
                    self.assertEqual(outcome, STOPPED)

    async def test_a_mock_that_is_stopped_while_another_waits_for_the_place(self):
        async with ClientSession(connector=TCPConnector(limit=1)) as session:
            with aioresponses() as mock:
                mock.get(SITE, fault=Fault.CONNECT_TIMEOUT, repeat=True)
                requests = [await self.begin(session) for _ in range(3)]
            outcomes = await asyncio.wait_for(asyncio.gather(*requests), AT_MOST)
        self.assertEqual(outcomes, [STOPPED] * 3)

    async def test_a_session_that_is_closed(self):
        for reply in ({"fault": Fault.CONNECT_TIMEOUT}, {"fault": Fault.TLS_FAILURE, "delay": 60}):
            with self.subTest(reply), aioresponses() as mock:
                mock.get("https://example.com/", **reply)
                session = ClientSession()
                limit = ClientTimeout(sock_connect=0.05)
                request = await self.begin(session, url="https://example.com/", timeout=limit)
                await session.close()
                error, _ = await asyncio.wait_for(request, AT_MOST)
                self.assertTrue(issubclass(error, aiohttp.ServerTimeoutError), error)

    async def test_a_request_that_is_cancelled_leaves_nothing(self):
        with aioresponses() as mock:
            mock.get(SITE, fault=Fault.CONNECT_TIMEOUT)
            mock.get(SITE, body="fine")
            async with ClientSession(connector=TCPConnector(limit=1)) as session:
                request = await self.begin(session)
                request.cancel()
                self.assertEqual((await request)[0], asyncio.CancelledError)
                self.assertEqual(await asyncio.wait_for(text_of(session), AT_MOST), "fine")

    async def test_nothing_is_kept_of_a_request_that_has_failed(self):
        made = []

        class Connector(TCPConnector):
            pass

        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        with aioresponses() as mock:
            for fault in (Fault.CONNECT_TIMEOUT, Fault.DNS_FAILURE, Fault.TLS_FAILURE, Fault.CERTIFICATE_INVALID):
                mock.get("https://example.com/", fault=fault)
                connector = Connector()
                made.append(weakref.ref(connector))
                timeout = ClientTimeout(connect=0.001)
                async with ClientSession(connector=connector, timeout=timeout) as session:
                    error, _ = await outcome_of(session, url="https://example.com/")
                self.assertTrue(issubclass(error, ClientConnectionError), error)
                del connector, session
            mock.reset()
        await idle()
        self.assertEqual([reference() for reference in made], [None] * 4)
