"""How many calls were on their way at once: as many as a server has to do with at once, and neither fewer nor more."""

import asyncio
import contextlib
import copy
import pickle
import threading
import unittest
from unittest.mock import patch

import aiohttp
from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, TCPConnector, TraceConfig, web
from yarl import URL

from aioresponses import AioResponsesTestCase, CallOrderAssertionsMixin, Fault, aioresponses

from ..servers import ServerTestCase
from ..support import AT_MOST, LARGE, SITE, USERS, MessageTestCase, error_of, needs_middlewares, text_of


class Shop:
    """A client that logs in before its first order."""

    def __init__(self, session, url, lock):
        self.session = session
        self.url = URL(url)
        self.lock = lock
        self.token = None

    async def order(self, number):
        async with self.lock:
            if self.token is None:
                self.token = await text_of(self.session, self.url / "token", "POST")
        return await text_of(self.session, self.url / "orders", "POST", json={"number": number, "token": self.token})


class LockTest(ServerTestCase, MessageTestCase):
    """Five orders at once."""

    passthrough = ["http://127.0.0.1"]

    async def order(self, url, lock):
        session = self.client_session()
        shop = Shop(session, url, lock)
        await asyncio.gather(*[shop.order(number) for number in range(5)])

    async def logins_of_a_server(self, lock):
        async def answer(request):
            return web.Response(text="token")

        url = await self.serve(web.post("/token", answer), web.post("/orders", answer))
        await self.order(url, lock)
        return [request.url for request in self.received].count(str(url / "token"))

    async def logins_of_the_mock(self, lock):
        for path in ("token", "orders"):
            self.mock.post(SITE + path, body="token", repeat=True)
        await self.order(SITE, lock)
        return len([call for call in self.mock.calls if call.url == SITE + "token"])

    async def test_a_client_with_a_lock_logs_in_once(self):
        self.assertEqual(await self.logins_of_a_server(asyncio.Lock()), 1)
        self.assertEqual(await self.logins_of_the_mock(asyncio.Lock()), 1)
        self.assertCalledOnce(SITE + "token", "POST")

    async def test_a_client_without_a_lock_logs_in_five_times(self):
        self.assertEqual(await self.logins_of_a_server(contextlib.nullcontext()), 5)

    async def test_a_client_without_a_lock_is_found_out(self):
        self.assertEqual(await self.logins_of_the_mock(contextlib.nullcontext()), 5)
        self.check_fails(
            "Expected 1 call to POST http://example.com/token, but there were 5.\n"
            "Calls:\n"
            "  1. POST http://example.com/token -> 200\n"
            "  2. POST http://example.com/token -> 200\n"
            "  3. POST http://example.com/token -> 200\n"
            "  4. POST http://example.com/token -> 200\n"
            "  5. POST http://example.com/token -> 200\n"
            "  6. POST http://example.com/orders -> 200\n"
            "  7. POST http://example.com/orders -> 200\n"
            "  8. POST http://example.com/orders -> 200\n"
            "  9. POST http://example.com/orders -> 200\n"
            " 10. POST http://example.com/orders -> 200",
            self.assertCalledOnce, SITE + "token", "POST",
        )


class AtOnce:
    """Counts the requests that a server has to do with at once, and holds the first ones until they are so many."""

    def __init__(self, number):
        self.most = self.now = 0
        self._number = number
        self._all = asyncio.Event()

    async def answer(self, request):
        self.now += 1
        self.most = max(self.most, self.now)
        if self.now == self._number:
            self._all.set()
        await asyncio.wait_for(self._all.wait(), AT_MOST)
        self.now -= 1
        return web.Response(text="answer")


class LimitTest(ServerTestCase, MessageTestCase):
    """Fifty requests side by side, with a limit and without one."""

    passthrough = ["http://127.0.0.1"]

    async def ask(self, url, limit=contextlib.nullcontext(), **options):
        async def get():
            async with limit:
                await text_of(session, url)

        async with ClientSession(**options) as session:
            await asyncio.gather(*[get() for _ in range(50)])

    async def most_at_a_server(self, number, limit=contextlib.nullcontext(), **options):
        """Return how many requests a server has at once; it has `number` if the limit lets that many through."""
        served = AtOnce(number)
        url = await self.serve(web.get("/", served.answer))
        await self.ask(url, limit, **options)
        # A request that is passed through is counted as well.
        self.assertMaxConcurrency(number, url)
        self.assertConcurrent(url, at_least=number)
        return served.most

    async def test_a_client_without_a_limit_asks_for_all_at_once(self):
        self.assertEqual(await self.most_at_a_server(50), 50)

    async def test_a_client_without_a_limit_is_found_out(self):
        self.mock.get(SITE, repeat=True)
        await self.ask(SITE)
        self.check_fails(
            "Expected at most 1 call at once, but there were 50.\n"
            "Calls:\n"
            + "".join(f"{number:3}. GET http://example.com/ -> 200\n" for number in range(1, 11))
            + "     … 30 more …\n"
            + "\n".join(f"{number:3}. GET http://example.com/ -> 200" for number in range(41, 51)),
            self.assertMaxConcurrency, 1,
        )

    async def test_a_semaphore_of_the_client_limits_them(self):
        self.assertEqual(await self.most_at_a_server(5, asyncio.Semaphore(5)), 5)
        self.mock.get(SITE, repeat=True)
        await self.ask(SITE, asyncio.Semaphore(5))
        self.assertMaxConcurrency(5, SITE)
        self.assertConcurrent(SITE, at_least=5)

    async def test_a_limit_of_the_connector_limits_them(self):
        # Calls that wait for their turn under it are known to no server.
        self.assertEqual(await self.most_at_a_server(5, connector=TCPConnector(limit=5)), 5)
        self.mock.get(SITE, repeat=True)
        await self.ask(SITE, connector=TCPConnector(limit=5))
        self.assertMaxConcurrency(5, SITE)
        self.assertConcurrent(SITE, at_least=5)


class Downloads:
    """Ten downloads side by side, all of which have begun before one of them goes on."""

    def __init__(self):
        self.begun = self.now = self.most = 0
        self.all_have_begun = asyncio.Event()

    async def body(self):
        self.now += 1
        self.most = max(self.most, self.now)
        yield b"first"
        await asyncio.wait_for(self.all_have_begun.wait(), AT_MOST)
        yield b"rest"
        self.now -= 1

    async def answer(self, request):
        response = web.StreamResponse()
        await response.prepare(request)
        async for piece in self.body():
            await response.write(piece)
        return response

    async def download(self, session, url):
        async with session.get(url) as response:
            await response.content.readexactly(len(b"first"))
            self.begun += 1
            if self.begun == 10:
                self.all_have_begun.set()
            await response.read()

    async def run(self, url):
        async with ClientSession() as session:
            await asyncio.gather(*[self.download(session, url) for _ in range(10)])


class StreamTest(ServerTestCase, MessageTestCase):
    passthrough = ["http://127.0.0.1"]

    async def test_a_server_sends_ten_downloads_at_once(self):
        downloads = Downloads()
        url = await self.serve(web.get("/", downloads.answer))
        await downloads.run(url)
        self.assertEqual(downloads.most, 10)
        self.assertConcurrent(url, at_least=10)
        self.assertMaxConcurrency(10, url)

    async def test_ten_downloads_side_by_side_are_ten_calls_at_once(self):
        downloads = Downloads()
        self.mock.get(SITE, body=downloads.body, repeat=True)
        await downloads.run(SITE)
        self.assertEqual(downloads.most, 10)
        self.assertConcurrent(at_least=10)
        self.check_fails(
            "Expected at most 9 calls at once, but there were 10.\n"
            "Calls:\n" + "\n".join(f"{number:3}. GET http://example.com/ -> 200" for number in range(1, 11)),
            self.assertMaxConcurrency, 9,
        )

    async def test_streams_overlap_where_replies_come_in_the_step_of_the_request(self):
        downloads = Downloads()
        self.mock.latency = None
        self.mock.get(SITE, body=downloads.body, repeat=True)
        await downloads.run(SITE)
        self.assertConcurrent(at_least=10)


class OnItsWayTest(MessageTestCase):
    """From when until when a call is on its way; another call is made at some time, and overlaps it or does not."""

    async def asyncSetUp(self):
        self.session = self.client_session()
        self.mock.get(SITE, body=LARGE, repeat=True)
        self.mock.get(USERS, repeat=True)

    async def get(self, url=SITE):
        response = await self.session.get(url)
        self.addCleanup(response.close)
        return response

    async def check(self, most):
        """Make another call, and look at how many there are at once then."""
        await text_of(self.client_session(), USERS)
        self.assertMaxConcurrency(most)
        if most:
            self.assertConcurrent(at_least=most)

    async def test_a_large_response_that_is_not_read(self):
        await self.get()
        await self.check(2)

    async def test_one_that_was_read_to_its_end(self):
        await (await self.get()).read()
        await self.check(1)

    async def test_one_that_was_released(self):
        (await self.get()).release()
        await self.check(1)

    async def test_one_that_was_closed(self):
        (await self.get()).close()
        await self.check(1)

    async def test_one_whose_session_was_closed(self):
        await self.get()
        await self.session.close()
        await self.check(1)

    async def test_one_whose_connection_the_server_broke_off(self):
        self.mock.get(SITE + "broken", body=LARGE, fault=Fault.TRUNCATED_BODY)
        response = await self.get(SITE + "broken")
        error = await error_of(response.read())
        self.assertIs(error[0], aiohttp.ClientPayloadError)
        await self.check(1)

    async def test_a_small_response_that_is_not_read(self):
        await self.get(USERS)
        await self.check(1)

    async def test_a_response_that_is_read_after_the_test_has_looked(self):
        response = await self.get()
        await self.check(2)
        await response.read()
        self.assertConcurrent()

    async def test_a_call_that_was_cancelled(self):
        self.mock.get(SITE + "never", fault=Fault.HANG)
        task = asyncio.ensure_future(self.session.get(SITE + "never"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await self.check(1)

    async def test_a_call_that_has_no_answer_yet(self):
        self.mock.get(SITE + "never", fault=Fault.HANG)
        task = asyncio.ensure_future(self.session.get(SITE + "never"))
        await asyncio.sleep(0)
        await self.check(2)
        task.cancel()

    async def test_a_call_that_waits_under_the_limit_of_its_connector(self):
        async with ClientSession(connector=TCPConnector(limit=1)) as session:
            response = await session.get(SITE)
            task = asyncio.ensure_future(session.get(USERS))
            await asyncio.sleep(0)
            self.assertCallCount(2)
            self.assertMaxConcurrency(1)
            response.release()
            await task
            self.assertMaxConcurrency(1)

    async def test_a_call_that_never_got_its_turn_under_the_limit(self):
        async with ClientSession(connector=TCPConnector(limit=1)) as session:
            response = await session.get(SITE)
            error, _ = await error_of(session.get(USERS, timeout=ClientTimeout(connect=0.001)))
            self.assertTrue(issubclass(error, asyncio.TimeoutError))
            response.release()
        self.assertCallCount(2)
        self.assertMaxConcurrency(1)

    async def test_a_redirect_between_its_requests(self):
        config = TraceConfig()

        async def redirected(*_):
            await text_of(self.client_session(), USERS)

        config.on_request_redirect.append(redirected)
        self.mock.get(SITE + "start", status=302, headers={"Location": USERS})
        await text_of(self.client_session(trace_configs=[config]), SITE + "start")
        self.assertCallCount(2)
        self.assertConcurrent()

    @needs_middlewares
    async def test_a_call_whose_middleware_asks_twice_at_once(self):
        # The first answer is the one that is used, and streams on; the second came in the meantime.
        async def hedge(request, handler):
            first, second = await asyncio.gather(handler(request), handler(request))
            await second.read()
            return first

        async with ClientSession(middlewares=(hedge,)) as session:
            response = await session.get(SITE)
            await self.check(2)
            response.release()
        await text_of(self.session, USERS)
        self.assertMaxConcurrency(2)

    @needs_middlewares
    async def test_a_call_that_a_middleware_answers_by_itself(self):
        async with ClientSession() as other:
            kept = await other.get(USERS)
        self.mock.requests.clear()

        async def keep(request, handler):
            await text_of(self.client_session(), USERS)
            return kept

        await self.client_session(middlewares=(keep,)).get(SITE)
        self.assertCallCount(2)
        self.assertMaxConcurrency(1)

    async def test_calls_that_are_refused(self):
        urls = [SITE + "nowhere"] * 2
        await asyncio.gather(*[error_of(self.session.get(url)) for url in urls])
        self.check_fails(
            "Expected at most 1 call at once, but there were 2.\n"
            "Calls:\n"
            "  1. GET http://example.com/nowhere -> no mock answered\n"
            "  2. GET http://example.com/nowhere -> no mock answered",
            self.assertMaxConcurrency, 1,
        )
        await self.check(2)
        self.mock.requests.clear()
        await self.check(1)

    async def test_calls_whose_connection_is_refused(self):
        self.mock.get(SITE + "down", fault=Fault.CONNECTION_REFUSED, repeat=True)
        await asyncio.gather(*[error_of(self.session.get(SITE + "down")) for _ in range(2)])
        self.assertConcurrent(at_least=2)
        await self.check(2)

    async def test_a_call_that_is_never_sent(self):
        error, _ = await error_of(self.session.get(SITE, json=object()))
        self.assertIs(error, TypeError)
        self.assertCallCount(1)
        self.assertMaxConcurrency(0)


class ThreadsTest(CallOrderAssertionsMixin, unittest.TestCase):
    """Two threads, each with a loop of its own."""

    def setUp(self):
        self.mock = aioresponses()
        self.mock.start()
        self.addCleanup(self.mock.stop)

    def ask_in_two_threads(self, **options):
        threads = [threading.Thread(target=lambda: asyncio.run(self.get(**options))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    async def get(self):
        async with ClientSession() as session:
            await text_of(session)

    def test_calls_that_meet_are_two_at_once(self):
        both = threading.Barrier(2, timeout=AT_MOST)

        def meet(call):
            both.wait()

        self.mock.get(SITE, callback=meet, repeat=True)
        self.ask_in_two_threads()
        self.assertConcurrent()

    def test_calls_that_hold_a_lock_are_one_at_once(self):
        lock = threading.Lock()
        self.mock.get(SITE, repeat=True)

        async def get():
            async with ClientSession() as session:
                with lock:
                    await text_of(session)

        self.get = get
        self.ask_in_two_threads()
        self.assertMaxConcurrency(1)


class StoppedClockTest(MessageTestCase):
    """What looks at a clock would take calls at the same moment for calls one after another, or the reverse."""

    CLOCKS = {"stopped": lambda: 7.0, "put back": iter(range(1000, 0, -1)).__next__}

    async def get(self, *urls):
        self.mock.requests.clear()
        self.mock.clear()
        for url in urls:
            self.mock.get(url)
        session = self.client_session()
        return [text_of(session, url) for url in urls]

    async def test_consecutive_calls_under_a_stopped_clock(self):
        for name, clock in self.CLOCKS.items():
            with self.subTest(name), patch("aioresponses._calls.exchange.perf_counter", clock):
                for one in await self.get(USERS, SITE):
                    await one
                self.assertCalledBefore(USERS, SITE)
                self.assertMaxConcurrency(1)
                self.check_fails(
                    "Expected every call to http://example.com/ to have ended before any call to "
                    "http://example.com/users began, but call 1 began before call 2 had ended.\n"
                    "Calls:\n"
                    "  1. GET http://example.com/users -> 200\n"
                    "  2. GET http://example.com/ -> 200",
                    self.assertCalledBefore, SITE, USERS,
                )

    async def test_of_calls_at_once(self):
        for name, clock in self.CLOCKS.items():
            with self.subTest(name), patch("aioresponses._calls.exchange.perf_counter", clock):
                await asyncio.gather(*await self.get(USERS, SITE))
                self.assertConcurrent()
                self.check_fails(
                    "Expected at most 1 call at once, but there were 2.\n"
                    "Calls:\n"
                    "  1. GET http://example.com/users -> 200\n"
                    "  2. GET http://example.com/ -> 200",
                    self.assertMaxConcurrency, 1,
                )
                self.check_fails(
                    "Expected every call to http://example.com/users to have ended before any call to "
                    "http://example.com/ began, but call 2 began before call 1 had ended.\n"
                    "Calls:\n"
                    "  1. GET http://example.com/users -> 200\n"
                    "  2. GET http://example.com/ -> 200",
                    self.assertCalledBefore, USERS, SITE,
                )


class StrictUnderStoppedClockTest(unittest.IsolatedAsyncioTestCase):
    async def test_a_call_that_was_refused_is_seen(self):
        with patch("aioresponses._calls.exchange.perf_counter", lambda: 7.0):
            with self.assertRaises(AssertionError) as raised:
                with aioresponses(strict=True):
                    async with ClientSession() as session:
                        with self.assertRaises(ClientConnectionError):
                            await session.get(SITE)
        self.assertIn("1 call matched no mock:", str(raised.exception))


class CopiedCallsTest(AioResponsesTestCase):
    """Calls that were copied or pickled are as good for the assertions as those that they were made of."""

    async def test_of_calls_at_once(self):
        self.mock.get(SITE, repeat=True)
        session = self.client_session()
        await asyncio.gather(*[text_of(session) for _ in range(3)])
        made = self.mock.requests
        for copied in (copy.deepcopy, lambda requests: pickle.loads(pickle.dumps(requests))):
            self.mock.requests = copied(dict(made))
            self.assertConcurrent(at_least=3)
            self.assertMaxConcurrency(3)
            await text_of(session)
            self.assertMaxConcurrency(3)
