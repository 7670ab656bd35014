"""A latency: the far end is asked later, and whatever happens in the meantime happens as it does with a server."""

import asyncio
import itertools
import unittest

from aiohttp import (
    ClientConnectionError,
    ClientConnectorError,
    ClientOSError,
    ClientSession,
    ClientTimeout,
    ServerDisconnectedError,
    TCPConnector,
    TraceConfig,
)

from aioresponses import CallbackResult, Fault, VirtualClock, aioresponses

from ..servers import RawServer, ServerTestCase, fetch
from ..support import AT_MOST, SITE, TRIES_AGAIN, USERS, MockedTestCase, Turns, error_of, text_of


class OneTurnTest(MockedTestCase):
    """With a latency of 0, each reply takes one turn of the loop more than it takes without."""

    async def turns_of(self, method, latency, reply):
        self.mock.clear()
        self.mock.add(SITE, method, **reply)
        self.mock.get(USERS, repeat=True)
        self.mock.latency = latency
        options = {"json": {"name": "Ada"}} if method == "POST" else {}
        turns = Turns()
        await error_of(text_of(self.session, method=method, **options))
        return turns.stop()

    async def check(self, turns, **reply):
        for method in ("GET", "POST"):
            with self.subTest(method):
                await self.turns_of(method, None, reply)  # What is made for the first request alone is made.
                self.assertEqual(
                    await self.turns_of(method, 0, reply) - await self.turns_of(method, None, reply), turns
                )

    async def test_an_answer_takes_one_turn(self):
        await self.check(1, payload={"id": 7})

    async def test_a_callback_takes_one_turn(self):
        async def callback(call):
            return CallbackResult(status=404)

        await self.check(1, callback=callback)

    async def test_an_exception_takes_one_turn(self):
        await self.check(1, exception=ValueError("wrong"))

    async def test_a_fault_takes_one_turn(self):
        await self.check(1, fault=Fault.MALFORMED_RESPONSE)

    async def test_each_request_of_a_redirect_takes_one_turn(self):
        await self.check(2, status=302, headers={"Location": USERS})

    async def test_a_refused_connection_takes_one_turn(self):
        await self.check(1, fault=Fault.CONNECTION_REFUSED)

    async def test_an_exception_that_aiohttp_tries_again_for_has_waited_once(self):
        for exception in (ServerDisconnectedError("wrong"), ClientOSError("wrong")):
            await self.check(1, exception=exception)

    async def test_a_fault_that_aiohttp_tries_again_for_is_met_by_two_requests(self):
        async def turns(method):
            reply = {"fault": Fault.EMPTY_RESPONSE}
            await self.turns_of(method, None, reply)
            return await self.turns_of(method, 0, reply) - await self.turns_of(method, None, reply)

        self.assertEqual([await turns("GET"), await turns("POST")], [2 if TRIES_AGAIN else 1, 1])


class OrderTest(MockedTestCase):
    """What is ready runs between the request and its reply; matching comes before it, callbacks after it."""

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.happened = []

    def matches(self, call):
        self.happened.append("matched")
        return True

    def callback(self, call):
        self.happened.append("callback")

    async def other(self):
        self.happened.append("other")

    async def check(self, latency, expected):
        self.mock.latency = latency
        for method in ("GET", "POST"):
            self.happened.clear()
            self.mock.add(SITE, method, match=self.matches, callback=self.callback)
            await asyncio.gather(self.session.request(method, SITE), self.other())
            self.assertEqual(self.happened, expected)

    async def test_order_of_steps_with_a_latency_of_one_turn(self):
        await self.check(0, ["matched", "other", "callback"])

    async def test_order_of_steps_with_a_latency_of_a_millisecond(self):
        await self.check(0.001, ["matched", "other", "callback"])

    async def test_a_request_is_written_before(self):
        self.mock.latency = 0
        self.mock.post(SITE)
        sent = []

        async def other():
            for _ in range(3):  # The client may write in a task of its own.
                sent.append(self.mock.calls[0].body)
                await asyncio.sleep(0)

        await asyncio.gather(self.session.post(SITE, data=b"body"), other())
        self.assertIn(b"body", sent)

    async def test_a_mock_that_was_matched_answers_even_if_it_was_removed_since(self):
        self.mock.latency = 0
        mocked = self.mock.get(SITE, body="answer")

        async def remove():
            mocked.remove()

        text, _ = await asyncio.gather(text_of(self.session), remove())
        self.assertEqual(text, "answer")

    async def test_a_delay_comes_on_top(self):
        self.mock.latency = 2
        self.mock.get(SITE, delay=3, body="answer")
        self.mock.get(SITE, delay=20, fault=Fault.CONNECTION_REFUSED)
        async with VirtualClock() as clock:
            self.assertEqual(await text_of(self.session), "answer")
            self.assertEqual(clock.elapsed, 5)
            await error_of(self.session.get(SITE))
            self.assertEqual(clock.elapsed, 27)


class MeanwhileTest(ServerTestCase):
    """What happens while the client waits, with a server that has received the request and does not answer.

    With the mock it is the latency that the client waits for.
    """

    async def compare_while_it_waits(self, end, **options):
        """Return what `end` returns, which is given the task that waits, or is over already, and its session."""
        here = await self.origin()
        for method in ("GET", "POST"):
            with self.subTest(method):
                here.answers(method, "/", answer=asyncio.Event())

                async def scenario():
                    sent = asyncio.Event()

                    async def note(*_):
                        sent.set()

                    config = TraceConfig()
                    # Told as the last thing before the answer is awaited, but for bodies.
                    config.on_request_headers_sent.append(note)
                    async with ClientSession(connector=TCPConnector(limit=1), trace_configs=[config]) as session:
                        task = asyncio.ensure_future(error_of(session.request(method, here.url, **options)))
                        while not sent.is_set() and not task.done():
                            await asyncio.sleep(0)
                        return await asyncio.wait_for(end(task, session), AT_MOST)

                def register(mock):
                    mock.latency = 60

                outcome = await self.compare(scenario, register, what_came_in=False)
        return outcome.seen

    async def test_the_request_is_cancelled(self):
        async def end(task, session):
            task.cancel()
            return await task

        self.assertEqual((await self.compare_while_it_waits(end))[0], asyncio.CancelledError)

    async def test_the_session_is_closed(self):
        async def end(task, session):
            await session.close()
            return (await task)[0]

        self.assertTrue(issubclass(await self.compare_while_it_waits(end), ClientConnectionError))

    async def test_the_request_takes_too_long_for_the_client(self):
        async def end(task, session):
            error, _ = await task
            return issubclass(error, asyncio.TimeoutError)

        for timeout in (ClientTimeout(total=0.01), ClientTimeout(sock_read=0.01)):
            self.assertTrue(await self.compare_while_it_waits(end, timeout=timeout))

    async def test_the_session_goes_on_after_a_request_that_was_cancelled(self):
        here = await self.origin()
        here.answers("GET", "/never", answer=asyncio.Event())
        here.answers("GET", "/", body=b"hello")
        mocks = []

        async def scenario():
            async with ClientSession(connector=TCPConnector(limit=1)) as session:
                for mock in mocks:
                    mock.latency = 60
                task = asyncio.ensure_future(session.get(here.url / "never"))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
                for mock in mocks:
                    mock.latency = 0
                return task.cancelled(), await fetch(session, "GET", here.url)

        outcome = await self.compare(scenario, mocks.append, what_came_in=False)
        self.assertEqual((outcome.seen[0], outcome.seen[1].body), (True, b"hello"))

    async def test_the_time_to_connect_ends_before_the_connection_is_refused(self):
        for latency, delay in ((60, 0), (0.0625, 60)):
            with aioresponses(latency=latency) as mock:
                mock.get(SITE, fault=Fault.CONNECTION_REFUSED, delay=delay)
                async with ClientSession() as session:
                    error, _ = await error_of(session.get(SITE, timeout=ClientTimeout(sock_connect=0.01)))
            self.assertTrue(issubclass(error, asyncio.TimeoutError), error)

    async def test_no_time_to_connect_means_any_time(self):
        server = RawServer(None, [])
        await server.start()
        await server.close()

        async def scenario():
            async with ClientSession() as session:
                return (await error_of(session.get(server.url, timeout=ClientTimeout(sock_connect=0))))[0]

        def register(mock):
            mock.latency = 0.001
            mock.get(server.url, fault=Fault.CONNECTION_REFUSED)

        outcome = await self.compare(scenario, register, what_came_in=False)
        self.assertEqual(outcome.seen, ClientConnectorError)


class EachTurnTest(unittest.IsolatedAsyncioTestCase):
    """A request that is ended in any one turn of the loop ends so, or has come to its own end by then."""

    REPLIES = {
        "answer": ({"body": "answer"}, None),
        "exception": ({"exception": ValueError("wrong")}, ValueError),
        "nobody listens": ({"fault": Fault.CONNECTION_REFUSED}, ClientConnectorError),
        "no mock": (None, ClientConnectionError),
    }

    async def outcome(self, turns, method, latency, reply, end):
        """Return what a request comes to that is ended after so many turns, and whether its callback was called."""
        called = []
        with aioresponses(latency=latency) as mock:
            if reply is not None:
                mock.add(SITE, method, callback=None if "fault" in reply else called.append, **reply)
            async with ClientSession(connector=TCPConnector(limit=1)) as session:
                task = asyncio.ensure_future(error_of(text_of(session, method=method)))
                for _ in range(turns):
                    await asyncio.sleep(0)
                if not task.done():
                    await end(task, session)
                error = await asyncio.wait_for(task, AT_MOST)
                if not session.closed:
                    mock.latency = 0
                    mock.get(USERS, body="next")
                    self.assertEqual(await asyncio.wait_for(text_of(session, USERS), AT_MOST), "next")
        return error, bool(called)

    async def check(self, end, names, ended):
        """Check the outcomes of requests that `end` ends: `ended` tells which ones are by that."""
        for name, method, latency in itertools.product(names, ("GET", "POST"), (0, 60)):
            with self.subTest(name, method=method, latency=latency):
                reply, own = self.REPLIES[name]
                outcomes = [await self.outcome(turns, method, latency, reply, end) for turns in range(1, 9)]
                first = [(error, called) for error, called in outcomes if error is not None and ended(error)]
                self.assertEqual(outcomes[:len(first)], first)
                # The others had come to their end before.
                for error, called in outcomes[len(first):]:
                    self.assertEqual((error and error[0], called), (own, name in ("answer", "exception")))
                if latency:
                    self.assertEqual((len(first), {called for _, called in first}), (8, {False}))
                else:
                    self.assertGreaterEqual(len(first), 1)

    async def test_cancelling_at_each_turn(self):
        async def cancel(task, session):
            task.cancel()

        await self.check(cancel, self.REPLIES, lambda error: error[0] is asyncio.CancelledError)

    async def test_closing_the_session_at_each_turn(self):
        async def close(task, session):
            await session.close()

        def ended(error):
            return error[0] is ServerDisconnectedError or error[1] in ("Connector is closed.", "Connection closed")

        await self.check(close, ["answer", "exception"], ended)


class StoppedTest(unittest.IsolatedAsyncioTestCase):
    """The mock is stopped while a request waits."""

    async def outcome(self, latency, method, **reply):
        called = []
        with aioresponses(latency=latency) as mock:
            mock.add(SITE, method, callback=None if "fault" in reply else called.append, **reply)
            async with ClientSession() as session:
                task = asyncio.ensure_future(error_of(text_of(session, method=method)))
                await asyncio.sleep(0)
                mock.stop()
                error = await asyncio.wait_for(task, AT_MOST)
                mock.start()
        return error, called

    async def test_a_waiting_request_fails_at_once_and_no_other_mock_is_asked(self):
        stopped = (ClientConnectionError, "aioresponses was stopped while this request was in flight")
        for reply in ({"body": "answer"}, {"exception": ValueError()}, {"fault": Fault.CONNECTION_REFUSED}):
            for latency, method in itertools.product((0, 60), ("GET", "POST")):
                with self.subTest(latency=latency, method=method, **reply):
                    self.assertEqual(await self.outcome(latency, method, **reply), (stopped, []))
