"""The end of a session, a connector or a mock: no in-memory connection outlives it."""

import asyncio
import unittest

import aiohttp
from aiohttp import ClientConnectionError, ClientSession, TCPConnector, TraceConfig, web

from aioresponses import aioresponses

from ..servers import ServerTestCase, fetch
from ..support import AIOHTTP, AT_MOST, CREATED, REUSED, SITE, about_connections, error_of, text_of, traced


class EndTest(ServerTestCase):
    """After the end of a session, of its connector or of the mock, none of its connections is there for anybody."""

    async def after(self, close):
        """Return what requests come to after `close` of a session that made one."""
        here = await self.origin()
        for _ in range(4):
            here.answers("GET", "/")

        async def scenario():
            signals = {}
            async with ClientSession(trace_configs=[traced(signals)]) as other, ClientSession() as plain:
                session = ClientSession(trace_configs=[traced(signals)])
                await fetch(session, "GET", here.url, trace_request_ctx="before")
                await fetch(session, "GET", here.url, trace_request_ctx="before, again")
                await close(session)
                errors = [await error_of(session.get(here.url)) for _ in range(2)]
                seen = [await fetch(one, "GET", here.url, trace_request_ctx="after") for one in (plain, other)]
                await session.close()
            return errors, [response.status for response in seen], about_connections(signals)

        return (await self.compare(scenario)).seen

    EXPECTED = (
        [(RuntimeError, "Session is closed")] * 2,
        [200, 200],
        {"before": CREATED, "before, again": REUSED, "after": CREATED},
    )

    async def test_the_end_of_a_session(self):
        self.assertEqual(await self.after(lambda session: session.close()), self.EXPECTED)

    async def test_the_end_of_a_connector(self):
        async def close(session):
            await session.connector.close()

        self.assertEqual(await self.after(close), self.EXPECTED)

    async def test_the_end_of_a_connector_while_a_session_that_shares_it_goes_on(self):
        here = await self.origin()
        here.answers("GET", "/")

        async def scenario():
            connector = TCPConnector()
            session = ClientSession(connector=connector, connector_owner=False)
            await fetch(session, "GET", here.url)
            # This one owns it.
            await ClientSession(connector=connector).close()
            error = await error_of(session.get(here.url))
            await session.close()
            return error

        self.assertEqual((await self.compare(scenario)).seen, (RuntimeError, "Session is closed"))

    async def test_what_traces_see_of_the_end_of_a_session_while_a_request_waits_for_its_answer(self):
        here = await self.origin()
        reply = here.answers("GET", "/", answer=asyncio.Event())

        async def scenario():
            signals = {}
            session = ClientSession(trace_configs=[traced(signals)])
            asked = asyncio.ensure_future(error_of(session.get(here.url)))
            await reply.begun.wait()
            await session.close()
            return await asked, signals

        _, signals = (await self.compare(scenario, what_came_in=False)).seen
        # From aiohttp 3.10 on, the client tries once more, and finds out that its connector is closed.
        attempts = 2 if AIOHTTP >= (3, 10) else 1
        self.assertEqual(about_connections(signals), {None: CREATED * attempts})

    async def test_the_end_of_a_mock_that_is_started_again(self):
        signals = {}
        mock = aioresponses()
        connector = TCPConnector()
        async with ClientSession(connector=connector, connector_owner=False) as plain:
            async with ClientSession(connector=connector, trace_configs=[traced(signals)]) as session:
                for name in ("first", "second"):
                    with mock:
                        mock.get(SITE, body=name, repeat=True)
                        self.assertEqual(await text_of(plain, trace_request_ctx=name), name)
                    with mock:
                        mock.get(SITE, body=name, repeat=True)
                        self.assertEqual(await text_of(session, trace_request_ctx=name), name)
        self.assertEqual(about_connections(signals), {"first": CREATED, "second": CREATED})

    async def test_the_end_of_an_inner_mock_leaves_the_connections_of_the_outer_one(self):
        signals = {}
        with aioresponses() as outer:
            outer.get(SITE, body="outer", repeat=True)
            async with ClientSession(trace_configs=[traced(signals)]) as session:
                await text_of(session, trace_request_ctx="outer")
                with aioresponses() as inner:
                    inner.get(SITE, body="inner", repeat=True)
                    for name in ("inner", "inner, again"):
                        self.assertEqual(await text_of(session, trace_request_ctx=name), "inner")
                self.assertEqual(await text_of(session, trace_request_ctx="outer, again"), "outer")
        self.assertEqual(
            about_connections(signals),
            {"outer": CREATED, "inner": CREATED, "inner, again": REUSED, "outer, again": REUSED},
        )

    async def test_a_session_whose_mock_is_stopped_while_it_waits_for_its_turn_may_go_on_with_the_next_mock(self):
        async def callback(url, **kwargs):
            began.set()
            await asyncio.Event().wait()

        began = asyncio.Event()
        mock = aioresponses()
        async with ClientSession(connector=TCPConnector(limit=1)) as session:
            with mock:
                mock.get(SITE, callback=callback, repeat=True)
                asked = [asyncio.ensure_future(session.get(SITE)) for _ in range(3)]
                await asyncio.wait_for(began.wait(), AT_MOST)
            with mock:
                mock.get(SITE, body="next", repeat=True)
                for _ in range(2):
                    self.assertEqual(await asyncio.wait_for(text_of(session), AT_MOST), "next")
                ended = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), AT_MOST)
        self.assertEqual([type(error) for error in ended], [ClientConnectionError] * 3)


class ClosedWhileATraceWaitsTest(unittest.IsolatedAsyncioTestCase):
    """The connection is there already, but it is closed by the time that the trace goes on."""

    async def refused(self, end):
        waits, proceed = asyncio.Event(), asyncio.Event()

        async def wait(*args):
            waits.set()
            await proceed.wait()

        config = TraceConfig()
        config.on_connection_reuseconn.append(wait)
        mock = aioresponses()
        mock.start()
        self.addCleanup(lambda: mock.active and mock.stop())
        mock.get("http://example.com/", repeat=True)
        async with ClientSession(trace_configs=[config]) as session:
            await session.get("http://example.com/")
            asked = asyncio.ensure_future(session.get("http://example.com/"))
            await waits.wait()
            await end(mock, session)
            proceed.set()
            # aiohttp 3.8 and 3.9 lose count of their own connections then.
            with self.assertRaises(ClientConnectionError if AIOHTTP >= (3, 10) else KeyError) as raised:
                await asked
        return raised.exception

    async def test_closed_by_the_end_of_the_mock(self):
        async def end(mock, session):
            mock.stop()

        error = await self.refused(end)
        if AIOHTTP >= (3, 10):
            self.assertEqual(str(error), "aioresponses was stopped while this request was in flight")

    async def test_closed_by_the_end_of_the_session(self):
        async def end(mock, session):
            await session.close()

        error = await self.refused(end)
        if AIOHTTP >= (3, 10):
            self.assertEqual(str(error), "Connector is closed.")


class AfterStopTest(ServerTestCase):
    async def asyncSetUp(self):
        async def real(request):
            self.served.append(request.transport.get_extra_info("peername"))
            return web.Response(text="real")

        self.served = []
        self.url = await self.serve(web.get("/", real), web.post("/", real))
        self.session = ClientSession()
        self.addAsyncCleanup(self.session.close)

    async def test_no_in_memory_connection_is_in_the_pool(self):
        signals = {}
        async with ClientSession(connector=TCPConnector(limit=1), trace_configs=[traced(signals)]) as session:
            with aioresponses() as mock:
                mock.get(self.url, repeat=True)
                for _ in range(2):
                    await text_of(session, self.url)
                unread = await session.get(self.url)
            # Nothing of these is in use, or is used again.
            text = await asyncio.wait_for(text_of(session, self.url, trace_request_ctx="real"), AT_MOST)
            unread.close()
        self.assertEqual((text, about_connections(signals)["real"]), ("real", CREATED))

    async def test_requests_of_the_same_session_go_to_the_network(self):
        with aioresponses() as mock:
            mock.get(self.url, body="mocked", repeat=True)
            self.assertEqual(await text_of(self.session, self.url), "mocked")
        self.assertEqual(await text_of(self.session, self.url), "real")
        self.assertEqual(len(self.served), 1)
        self.assertEqual(mock.call_count, 1)

    async def test_a_pooled_real_connection_is_not_used_for_a_mock_and_is_there_afterwards(self):
        self.assertEqual(await text_of(self.session, self.url), "real")
        with aioresponses() as mock:
            mock.get(self.url, body="mocked", repeat=True)
            for _ in range(2):
                self.assertEqual(await text_of(self.session, self.url), "mocked")
        self.assertEqual(await text_of(self.session, self.url), "real")
        self.assertEqual(self.served, [self.served[0]] * 2)

    async def test_a_connection_that_was_passed_through_is_not_used_for_a_mock(self):
        with aioresponses(passthrough_unmatched=True) as mock:
            self.assertEqual(await text_of(self.session, self.url), "real")
            mock.get(self.url, body="mocked")
            self.assertEqual(await text_of(self.session, self.url), "mocked")
            self.assertEqual(await text_of(self.session, self.url), "real")
        self.assertEqual(self.served, [self.served[0]] * 2)

    async def test_a_complete_response_can_still_be_read(self):
        with aioresponses() as mock:
            mock.get(SITE, payload={"read": "later"})
            response = await self.session.get(SITE)
        self.assertEqual(await response.json(), {"read": "later"})

    async def test_an_incomplete_response_fails(self):
        with aioresponses() as mock:
            mock.get(SITE, body=bytes(2 ** 23))
            response = await self.session.get(SITE)
        with self.assertRaises(aiohttp.ClientPayloadError):
            await asyncio.wait_for(response.read(), AT_MOST)

    async def test_an_incomplete_response_fails_whoever_reads_it(self):
        with aioresponses() as mock:
            mock.get(SITE, body=bytes(2 ** 23))
            response = await self.session.get(SITE)
            reading = asyncio.ensure_future(response.read())
            await asyncio.sleep(0)
            self.assertEqual(reading.done(), False)
        with self.assertRaises(aiohttp.ClientPayloadError):
            await asyncio.wait_for(reading, AT_MOST)

    async def test_a_request_that_waits_for_its_callback_fails(self):
        async def callback(url, **kwargs):
            began.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("callback")

        began, ended = asyncio.Event(), []
        with aioresponses() as mock:
            mock.post(SITE, callback=callback)
            asked = asyncio.ensure_future(text_of(self.session, method="POST"))
            await asyncio.wait_for(began.wait(), AT_MOST)
        with self.assertRaises(ClientConnectionError):
            await asyncio.wait_for(asked, AT_MOST)
        self.assertEqual(ended, ["callback"])
        self.assertIsInstance(mock.calls[0].exception, ClientConnectionError)

    async def test_a_request_that_waits_for_its_callback_is_not_sent_to_the_network(self):
        async def callback(url, **kwargs):
            began.set()
            await asyncio.Event().wait()

        began = asyncio.Event()
        with aioresponses() as mock:
            mock.get(self.url, callback=callback)
            asked = asyncio.ensure_future(text_of(self.session, self.url))
            await asyncio.wait_for(began.wait(), AT_MOST)
        with self.assertRaises(ClientConnectionError):
            await asyncio.wait_for(asked, AT_MOST)
        self.assertEqual(self.served, [])
