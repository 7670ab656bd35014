"""The in-memory protocol: when the far end answers, what interrupts it, and what traces hear, as with a real server."""

import asyncio
import inspect
import itertools
import sys
from unittest.mock import patch

from aiohttp import (
    ClientRequest, ClientSession, ClientTimeout, ServerDisconnectedError, ServerTimeoutError, TCPConnector, TraceConfig,
)
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from aioresponses import CallbackResult, aioresponses
from aioresponses._client.protocol import InMemoryProtocol

from ..servers import ServerTestCase, fetch
from ..support import AIOHTTP, AT_MOST, LARGE, SEND, SITE, MockedTestCase, Turns, error_of, text_of, traced


class InOneStepTest(MockedTestCase):
    async def turns_of(self, method, **kwargs):
        """Return how many turns of the loop a request takes, and how many it may take."""
        writers = []
        send = getattr(ClientRequest, SEND)

        async def noting_the_writer(request, connection):
            response = await send(request, connection)
            # Whether aiohttp writes the request from a task of its own, which takes a turn, has no public sign.
            writer = getattr(request, "_writer", None)
            writers.append(writer is not None and not writer.done())
            return response

        with patch.object(ClientRequest, SEND, noting_the_writer):
            turns = Turns()
            async with self.session.request(method, SITE, **kwargs) as response:
                self.assertEqual(await response.json(), {"turns": "few"})
            return turns.stop(), 2 if any(writers) else 0

    async def test_a_get_takes_no_turn_of_the_loop(self):
        self.mock.get(SITE, payload={"turns": "few"})
        turns, allowed = await self.turns_of("GET")
        if AIOHTTP >= (3, 12):
            self.assertEqual(allowed, 0)
        self.assertLessEqual(turns, allowed)

    async def test_a_post_takes_no_turn_of_the_loop(self):
        self.mock.post(SITE, payload={"turns": "few"})
        turns, allowed = await self.turns_of("POST", json={"name": "Ada"})
        if AIOHTTP >= (3, 10) and sys.version_info >= (3, 12):
            self.assertEqual(allowed, 0)
        self.assertLessEqual(turns, allowed)

    async def test_a_second_request_on_the_same_connection_takes_no_turn_more(self):
        self.mock.get(SITE, payload={"turns": "few"}, repeat=True)
        await text_of(self.session)
        turns, allowed = await self.turns_of("GET")
        self.assertLessEqual(turns, allowed)

    async def test_a_chunked_answer_takes_no_turn_of_the_loop(self):
        self.mock.get(SITE, headers={"Transfer-Encoding": "chunked"}, payload={"turns": "few"})
        turns, allowed = await self.turns_of("GET")
        self.assertLessEqual(turns, allowed)

    async def test_a_callback_takes_no_turn_of_the_loop(self):
        async def coroutine_function(url, **kwargs):
            return CallbackResult(payload={"turns": "few"})

        def function(url, **kwargs):
            return CallbackResult(payload={"turns": "few"})

        for callback in (function, coroutine_function):
            with self.subTest(callback.__name__):
                self.mock.get(SITE, callback=callback)
                turns, allowed = await self.turns_of("GET")
                self.assertLessEqual(turns, allowed)

    async def test_an_exception_takes_no_turn_of_the_loop(self):
        self.mock.get(SITE, exception=ValueError("wrong"))
        turns = Turns()
        with self.assertRaises(ValueError):
            await self.session.get(SITE)
        in_one_step = AIOHTTP >= (3, 12) or AIOHTTP >= (3, 10) and sys.version_info >= (3, 12)
        self.assertLessEqual(turns.stop(), 0 if in_one_step else 2)

    async def test_the_code_under_test_goes_on_with_the_answer_before_whoever_the_callback_woke(self):
        def function(url, **kwargs):
            called.set()
            return CallbackResult(body="answer")

        async def coroutine_function(url, **kwargs):
            return function(url)

        async def code_under_test(method):
            answers.append(await text_of(self.session, method=method))

        for callback, method in itertools.product((function, coroutine_function), ("GET", "POST")):
            with self.subTest(callback=callback.__name__, method=method):
                called, answers = asyncio.Event(), []
                self.mock.add(SITE, method, callback=callback)
                task = asyncio.ensure_future(code_under_test(method))
                await asyncio.wait_for(called.wait(), AT_MOST)
                await asyncio.sleep(0)
                self.assertEqual(answers, ["answer"])
                await task

    async def test_a_method_of_the_client_that_a_test_replaces_is_the_one_that_counts(self):
        async def read(protocol):
            raise ServerDisconnectedError("replaced")

        for options in ({}, {"delay": 0.001}, {"callback": lambda url, **kwargs: CallbackResult()}):
            with self.subTest(options):
                self.mock.post(SITE, **options)
                with patch.object(ResponseHandler, "read", read):
                    self.assertEqual(
                        await error_of(text_of(self.session, method="POST")), (ServerDisconnectedError, "replaced")
                    )


class TraceTest(ServerTestCase):

    async def test_traces_hear_of_a_redirect(self):
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

    async def test_traces_hear_of_an_exception(self):
        here = await self.origin()
        here.answers("GET", "/", answer=asyncio.Event())

        async def scenario():
            signals = {}
            async with ClientSession(trace_configs=[traced(signals)]) as session:
                error = await error_of(session.get(here.url, timeout=ClientTimeout(sock_read=0.01)))
            return error[0], signals

        outcome = await self.compare(scenario, what_came_in=False)
        self.assertEqual(outcome.seen[1][None][-1], "on_request_exception")

    async def test_the_signals_of_traces_carry_what_was_sent_and_received(self):
        here = await self.origin()
        here.answers("POST", "/", body=b"hello", status=201)

        async def scenario():
            noted = []
            config = TraceConfig()

            async def sent(session, context, params):
                noted.append(("sent", params.method, str(params.url), params.chunk))

            async def received(session, context, params):
                noted.append(("received", params.method, str(params.url), params.chunk))

            async def end(session, context, params):
                headers = list(params.headers.items())
                noted.append(("end", params.method, str(params.url), params.response.status, headers))

            config.on_request_chunk_sent.append(sent)
            config.on_response_chunk_received.append(received)
            config.on_request_end.append(end)
            async with ClientSession(trace_configs=[config]) as session:
                await fetch(session, "POST", here.url, data=b"body")
            return noted

        outcome = await self.compare(scenario)
        self.assertIn(("received", "POST", str(here.url), b"hello"), outcome.seen)


class TimeoutTest(ServerTestCase):

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


class EndOfExchangeTest(ServerTestCase):

    async def test_a_session_that_is_closed_ends_a_response_that_is_read(self):
        here = await self.origin()
        here.answers("GET", "/", body=LARGE)

        async def scenario():
            session = ClientSession()
            response = await session.get(here.url)
            await session.close()
            # With aiohttp 3.8 and 3.9, reading it now would take forever.
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


class SignatureTest(MockedTestCase):
    """aiohttp, and what is built on it, may call the methods of its protocol by the names of their parameters."""

    def test_methods_take_what_those_of_aiohttp_take_under_the_same_names(self):
        overridden = [name for name in vars(InMemoryProtocol) if name in dir(ResponseHandler) and name[0] != "_"]
        self.assertLessEqual({"read", "set_exception"}, set(overridden))
        for name in overridden:
            with self.subTest(name):
                aiohttps = list(inspect.signature(getattr(ResponseHandler, name)).parameters)
                ours = list(inspect.signature(getattr(InMemoryProtocol, name)).parameters)
                self.assertEqual(ours[:len(aiohttps)], aiohttps)

    async def test_an_exception_is_set_with_the_cause_that_is_given_by_name(self):
        error, cause = OSError("broken"), ValueError("why")
        # aiohttp 3.8 takes no cause.
        takes_cause = "exc_cause" in inspect.signature(ResponseHandler.set_exception).parameters
        for of_class in (ResponseHandler, InMemoryProtocol):
            with self.subTest(of_class.__name__):
                protocol = of_class(asyncio.get_running_loop())
                reading = asyncio.ensure_future(protocol.read())
                await asyncio.sleep(0)
                protocol.set_exception(exc=error, **({"exc_cause": cause} if takes_cause else {}))
                with self.assertRaises(OSError) as raised:
                    await reading
                self.assertIs(raised.exception, error)
                self.assertIs(raised.exception.__cause__, cause if takes_cause else None)
                error.__cause__ = None
