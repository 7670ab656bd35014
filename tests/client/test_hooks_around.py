"""Requests that go around the first hook, what others put into the places of hooks, and interrupts."""

import asyncio
import os
import sys
import threading
import unittest
from unittest.mock import AsyncMock, patch

from aiohttp import BaseConnector, ClientConnectionError, ClientSession, TCPConnector, web

import aioresponses as package
from aioresponses import AioResponsesTestCase, aioresponses

from ..servers import ServerTestCase
from ..support import AIOHTTP, SITE, needs_own_request, text_of

PLACES = [(ClientSession, "_request"), (BaseConnector, "connect"), (BaseConnector, "close")]
ORIGINALS = [vars(owner)[name] for owner, name in PLACES]


def hooks_left():
    """Return the names of the places in which another function than aiohttp's own stands."""
    return [name for (owner, name), original in zip(PLACES, ORIGINALS) if vars(owner)[name] is not original]


def put_on(session, request):
    """Replace the method of one session; in Python's development mode, aiohttp warns of a plain assignment."""
    vars(session)["_request"] = request


@needs_own_request
class AroundTheFirstHookTest(ServerTestCase):
    """A request whose `_request` was fetched or replaced before the mock began is seen where it connects."""

    async def asyncSetUp(self):
        self.server_calls = 0

        async def count(request):
            self.server_calls += 1
            return web.Response(text="real")

        self.url = str(await self.serve(web.route("*", "/{path:.*}", count)))
        self.session = ClientSession()
        self.addAsyncCleanup(self.session.close)
        # A rate limiter put on one session.
        original = self.session._request

        async def limited(*args, **kwargs):
            return await original(*args, **kwargs)

        put_on(self.session, limited)

    async def test_a_request_around_the_first_hook_is_answered_by_a_mock(self):
        with aioresponses() as mock:
            handle = mock.post(self.url, body="mocked")
            async with self.session.post(self.url, json={"a": 1}) as response:
                self.assertEqual(await response.text(), "mocked")
            [call] = mock.calls
        self.assertEqual(self.server_calls, 0)
        self.assertEqual((call.method, call.url, call.json()), ("POST", self.url, {"a": 1}))
        self.assertIs(call.match, handle)
        self.assertIs(call.response, response)
        self.assertIsNotNone(call.ended)
        self.assertEqual(str(call), f"POST {self.url} -> 200")

    async def test_a_request_around_the_first_hook_is_refused_where_no_mock_answers(self):
        with aioresponses() as mock:
            with self.assertRaises(ClientConnectionError) as caught:
                await self.session.get(self.url)
            [call] = mock.unmatched_calls
        self.assertEqual(self.server_calls, 0)
        self.assertEqual(str(caught.exception), f"Connection refused: GET {self.url}")
        self.assertEqual((call.method, call.url, call.unmatched), ("GET", self.url, True))
        self.assertIs(call.exception, caught.exception)

    async def test_a_request_around_the_first_hook_is_recorded_with_what_the_mock_raised(self):
        error = asyncio.TimeoutError()
        with aioresponses() as mock:
            mock.get(self.url, exception=error)
            with self.assertRaises(asyncio.TimeoutError):
                await self.session.get(self.url)
            [call] = mock.calls
        self.assertIsNone(call.response)
        self.assertIs(call.exception, error)
        self.assertEqual(str(call), f"GET {self.url} -> raised TimeoutError")

    async def test_a_request_around_the_first_hook_is_recorded_where_it_passes_through(self):
        with aioresponses(passthrough=["http://127.0.0.1"]) as mock:
            async with self.session.get(self.url) as response:
                self.assertEqual(await response.text(), "real")
        self.assertEqual(self.server_calls, 1)
        self.assertEqual([str(call) for call in mock.calls], [f"GET {self.url} -> 200"])

    async def test_a_request_is_recorded_once_where_a_connector_calls_its_base_class(self):
        class Connector(TCPConnector):
            async def connect(self, *args, **kwargs):
                return await super().connect(*args, **kwargs)

        async with ClientSession(connector=Connector()) as session:
            original = session._request

            async def limited(*args, **kwargs):
                return await original(*args, **kwargs)

            put_on(session, limited)
            with aioresponses(passthrough=["http://127.0.0.1"]) as mock:
                async with session.get(self.url) as response:
                    await response.read()
                self.assertEqual(mock.call_count, 1)

    async def test_a_redirect_makes_two_calls(self):
        with aioresponses() as mock:
            mock.get(self.url, status=302, headers={"Location": f"{self.url}there"})
            mock.get(f"{self.url}there", body="mocked")
            async with self.session.get(self.url) as response:
                self.assertEqual(await response.text(), "mocked")
            self.assertEqual(
                [str(call) for call in mock.calls], [f"GET {self.url} -> 302", f"GET {self.url}there -> 200"]
            )

    async def test_a_wrapper_of_the_class_that_came_before_the_mock_is_seen(self):
        original = ClientSession._request

        async def wrapper(session, *args, **kwargs):
            return await original(session, *args, **kwargs)

        with patch.object(ClientSession, "_request", wrapper), aioresponses() as mock:
            mock.get(SITE, body="mocked")
            async with ClientSession() as session:
                self.assertEqual(await text_of(session, SITE), "mocked")
            self.assertEqual([str(call) for call in mock.calls], [f"GET {SITE} -> 200"])

    async def test_a_connect_that_was_put_on_a_connector_is_seen(self):
        connector = TCPConnector()
        original = connector.connect

        async def limited(*args, **kwargs):
            return await original(*args, **kwargs)

        connector.connect = limited
        async with ClientSession(connector=connector) as session:
            with aioresponses() as mock:
                mock.get(self.url, body="mocked")
                self.assertEqual(await text_of(session, self.url), "mocked")
                with self.assertRaises(ClientConnectionError):
                    await session.get(self.url)
            self.assertIs(vars(connector)["connect"], limited)
            self.assertEqual(await text_of(session, self.url), "real")
        self.assertEqual(self.server_calls, 1)

    async def test_a_connector_class_with_a_connect_of_its_own_is_seen(self):
        base_connect = BaseConnector.connect

        class Connector(TCPConnector):
            async def connect(self, *args, **kwargs):
                return await base_connect(self, *args, **kwargs)

        original = ClientSession._request
        async with ClientSession(connector=Connector()) as session:
            with aioresponses() as mock:
                mock.get(self.url, body="mocked")
                async with await original(session, "GET", self.url) as response:
                    self.assertEqual(await response.text(), "mocked")
        self.assertEqual(self.server_calls, 0)

    async def test_a_task_that_outlives_its_call_makes_calls_of_its_own(self):
        if AIOHTTP < (3, 12):
            return  # Client middlewares came with aiohttp 3.12.
        tasks = []

        async def send_twice(request, handler):
            async def later():
                await ended.wait()
                response = await handler(request)
                return await response.text()

            tasks.append(asyncio.create_task(later()))
            return await handler(request)

        ended = asyncio.Event()
        async with ClientSession(middlewares=[send_twice]) as session:
            with aioresponses() as mock:
                mock.get(self.url, body="first")
                mock.get(self.url, body="second")
                self.assertEqual(await text_of(session, self.url), "first")
                ended.set()
                self.assertEqual(await tasks[0], "second")
                self.assertEqual([str(call) for call in mock.calls], [f"GET {self.url} -> 200"] * 2)


class OthersInThePlacesTest(unittest.IsolatedAsyncioTestCase):
    async def test_a_patched_connect_of_a_subclass_is_gone_when_the_mock_stops(self):
        mock = aioresponses()
        mock.start()
        async with ClientSession() as session:
            with patch.object(TCPConnector, "connect", side_effect=OSError):
                with self.assertRaises(OSError):
                    await session.get(SITE)
            mock.stop()
        self.assertEqual(hooks_left(), [])
        self.assertNotIn("connect", vars(TCPConnector))
        # One that stands there when a mock begins, such as a guard against the network, is hooked like any other.
        with patch.object(TCPConnector, "connect", side_effect=OSError), aioresponses() as later:
            later.get(SITE, body="mocked")
            async with ClientSession() as session:
                self.assertEqual(await text_of(session, SITE), "mocked")
        self.assertNotIn("connect", vars(TCPConnector))
        with aioresponses() as later:
            later.get(SITE, body="mocked")
            async with ClientSession() as session:
                self.assertEqual(await text_of(session, SITE), "mocked")

    async def test_a_hook_that_was_taken_away_is_put_back_by_the_next_mock(self):
        with aioresponses():
            ClientSession._request = ORIGINALS[0]
            with aioresponses() as inner:
                inner.get(SITE, payload=1)
                async with ClientSession() as session:
                    self.assertEqual(await text_of(session, SITE), "1")
        self.assertEqual(hooks_left(), [])

    async def test_a_patch_that_outlives_the_mock_is_left_alone(self):
        stub = AsyncMock(return_value="stub")
        with aioresponses():
            ClientSession._request, hook = stub, ClientSession._request
        try:
            self.assertIs(ClientSession._request, stub)
        finally:
            ClientSession._request = hook
        async with ClientSession() as session:
            # A hook after its time passes on.
            with self.assertRaises(ClientConnectionError):
                await session.get("http://127.0.0.1:1/")
            with aioresponses() as mock:
                mock.get(SITE, body="mocked")
                self.assertEqual(await text_of(session, SITE), "mocked")
        self.assertEqual(hooks_left(), [])


class InterruptTest(unittest.TestCase):
    """A KeyboardInterrupt at any line leaves no mock that is half started or half stopped."""

    FOLDER = os.path.dirname(package.__file__)

    def interrupted(self, step, line):
        """Run a step, and interrupt it at the line of ours with this number; tell whether it has so many."""
        count = 0

        def in_frame(frame, event, arg):
            nonlocal count
            count += event == "line"
            if event == "line" and count == line:
                sys.settrace(None)
                raise KeyboardInterrupt
            return in_frame

        before = sys.gettrace()
        sys.settrace(lambda frame, *_: in_frame if frame.f_code.co_filename.startswith(self.FOLDER) else None)
        try:
            step()
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(before)
        return False

    def check_next_mock(self):
        async def fetch():
            async with ClientSession() as session:
                return await text_of(session, SITE)

        with aioresponses() as mock:
            mock.get(SITE, body="mocked")
            self.assertEqual(asyncio.run(fetch()), "mocked")

    def check(self, step_of, started, survives):
        """Interrupt a step at each of its lines. `survives` is up to which line the mock may be active as before."""
        line = 1
        while True:
            mock = aioresponses()
            if started:
                mock.start()
            was_interrupted = self.interrupted(step_of(mock), line)
            if mock.active:
                if was_interrupted:
                    self.assertLessEqual(line, survives)
                    self.check_next_mock()
                mock.stop()
            self.assertEqual(hooks_left(), [], line)
            if not was_interrupted:
                break
            if line % 10 == 1:
                self.check_next_mock()
            line += 1
        self.assertGreater(line, 40)

    def test_in_start(self):
        self.check(lambda mock: mock.start, False, 0)

    def test_in_enter(self):
        self.check(lambda mock: mock.__enter__, False, 0)

    # Before the first statement that it protects, nothing has happened yet.

    def test_in_stop(self):
        self.check(lambda mock: mock.stop, True, 3)

    def test_in_exit(self):
        self.check(lambda mock: lambda: mock.__exit__(None, None, None), True, 3)


class ThreadsTest(unittest.TestCase):
    """Counts, registration and listing are exact under eight threads."""

    THREADS = 8

    def run_in_threads(self, function):
        failures = []

        def run(number):
            try:
                function(number)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(self.THREADS)]
        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(before)
        self.assertEqual(failures, [])

    def test_mocks_of_all_kinds_are_registered_while_others_are_asked(self):
        each = 50

        def work(number):
            async def calls():
                async with ClientSession() as session:
                    for count in range(each):
                        mock.get(f"http://example.com/exact/{number}/{count}", body="exact")
                        mock.get(f"http://example.com/{{kind}}/{number}/t{count}", body="template")
                        for path, text in ((f"exact/{number}/{count}", "exact"), (f"a/{number}/t{count}", "template")):
                            answers.append(await text_of(session, f"http://example.com/{path}") == text)

            asyncio.run(calls())

        answers = []
        with aioresponses() as mock:
            self.run_in_threads(work)
            self.assertEqual(answers.count(True), 2 * each * self.THREADS)
            self.assertEqual(mock.call_count, 2 * each * self.THREADS)
            self.assertEqual(mock.unused_mocks, [])

    def test_refusals_while_others_register(self):
        def work(number):
            async def calls():
                async with ClientSession() as session:
                    for count in range(20):
                        mock.get(f"http://example.com/{number}/{count}", optional=True)
                        with self.assertRaises(ClientConnectionError):
                            await session.get("http://example.com/none")

            asyncio.run(calls())

        with aioresponses() as mock:
            self.run_in_threads(work)
            self.assertEqual(len(mock.unmatched_calls), 20 * self.THREADS)

    def test_a_mock_that_answers_so_many_times_does_not_answer_more(self):
        def work(number):
            async def calls():
                async with ClientSession() as session:
                    for _ in range(20):
                        try:
                            outcomes.append(await text_of(session, SITE))
                        except ClientConnectionError:
                            outcomes.append(None)

            asyncio.run(calls())

        outcomes = []
        with aioresponses() as mock:
            handle = mock.get(SITE, body="mocked", repeat=100)
            self.run_in_threads(work)
            self.assertEqual((outcomes.count("mocked"), outcomes.count(None)), (100, 60))
            self.assertEqual((handle.call_count, handle.remaining), (100, 0))

    def test_mocks_start_and_stop_in_all_of_them(self):
        def work(number):
            async def call():
                async with ClientSession() as session:
                    return await text_of(session, SITE)

            for _ in range(20):
                with aioresponses() as mock:
                    mock.get(SITE, body=str(number))
                    if asyncio.run(call()) != str(number):
                        raise AssertionError("answered by the mock of another thread")

        self.run_in_threads(work)
        self.assertEqual(hooks_left(), [])


@needs_own_request
class SwallowedTest(AioResponsesTestCase):
    async def test_a_request_that_goes_around_the_first_hook_is_answered_in_the_test_case(self):
        session = self.client_session()
        put_on(session, session._request)  # Fetched while the mock is active: the hook itself.
        self.mock.get(SITE, body="mocked")
        self.assertEqual(await text_of(session, SITE), "mocked")
        self.assertEqual(self.mock.call_count, 1)
