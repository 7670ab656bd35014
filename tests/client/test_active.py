"""Whose mock answers: tests side by side in threads and in tasks, and code that is older than the mock."""

import asyncio
import concurrent.futures
import contextvars
import gc
import sys
import threading
import unittest
import weakref

from aiohttp import ClientConnectionError, ClientSession, web

from aioresponses import AioResponsesTestCase, aioresponses

from ..servers import ServerTestCase
from ..support import SITE, get, text_of


def run_threads(*functions):
    """Run functions in a thread each; raise what one of them raises."""
    with concurrent.futures.ThreadPoolExecutor(len(functions)) as pool:
        for future in [pool.submit(function) for function in functions]:
            future.result()


class SideBySideTest(unittest.TestCase):
    """Tests that run at the same time get their own data."""

    def test_decorated_coroutines_under_gather(self):
        barrier = []

        def test(name):
            @aioresponses()
            async def run(mock):
                mock.get(SITE, body=name, repeat=True)
                barrier.append(name)
                while len(barrier) < 3:
                    await asyncio.sleep(0)
                texts = [await get(SITE) for _ in range(3)]
                return texts, mock.call_count

            return run()

        async def all_of_them():
            return await asyncio.gather(test("a"), test("b"), test("c"))

        self.assertEqual(asyncio.run(all_of_them()), [([name] * 3, 3) for name in "abc"])

    def test_a_task_of_a_decorated_coroutine_gets_its_data(self):
        async def fetch_in_a_task():
            return await asyncio.create_task(get(SITE))

        async def test(name):
            with aioresponses() as mock:
                mock.get(SITE, body=name)
                await asyncio.sleep(0)
                return await fetch_in_a_task()

        async def both():
            return await asyncio.gather(test("a"), test("b"))

        self.assertEqual(asyncio.run(both()), ["a", "b"])

    def test_threads(self):
        barrier = threading.Barrier(2, timeout=10)

        def test(name):
            def run():
                with aioresponses() as mock:
                    mock.get(SITE, body=name, repeat=True)
                    barrier.wait()
                    self.assertEqual([asyncio.run(get(SITE)) for _ in range(3)], [name] * 3)
                    self.assertEqual(mock.call_count, 3)
                    barrier.wait()

            return run

        run_threads(test("a"), test("b"))

    def test_cases_in_threads(self):
        barrier = threading.Barrier(2, timeout=10)

        class Case(AioResponsesTestCase):
            async def test(self):
                name = threading.current_thread().name
                self.mock.get(SITE, body=name)
                await asyncio.to_thread(barrier.wait)
                self.assertEqual(await get(SITE), name)
                self.assertEqual(await asyncio.to_thread(lambda: asyncio.run(self.in_thread(name))), name)
                await asyncio.to_thread(barrier.wait)

            async def in_thread(self, name):
                self.mock.get(SITE, body=name)
                return await get(SITE)

        def run():
            result = unittest.TestResult()
            Case("test").run(result)
            self.assertEqual([text for _, text in result.errors + result.failures], [])

        run_threads(run, run)


class OlderThanTheMockTest(unittest.IsolatedAsyncioTestCase):
    async def test_a_worker(self):
        queue, answers = asyncio.Queue(), asyncio.Queue()

        async def work():
            while True:
                await answers.put(await get(await queue.get()))

        worker = asyncio.create_task(work())
        with aioresponses() as mock:
            mock.get(SITE, body="mocked")
            await queue.put(SITE)
            self.assertEqual(await answers.get(), "mocked")
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)

    async def test_a_worker_that_is_older_than_several_mocks_asks_the_innermost_first(self):
        go, done = asyncio.Event(), asyncio.Event()

        async def work():
            await go.wait()
            texts.append(await get(SITE))
            done.set()

        texts = []
        worker = asyncio.create_task(work())
        with aioresponses() as outer, aioresponses() as inner:
            outer.get(SITE, body="outer")
            inner.get(SITE, body="inner")
            go.set()
            await done.wait()
        await worker
        self.assertEqual(texts, ["inner"])

    @unittest.skipIf(sys.version_info < (3, 11), "asyncio.Runner came with CPython 3.11")
    def test_a_runner(self):
        # In a thread: here, a loop is running.
        def run():
            with asyncio.Runner() as runner:
                runner.run(asyncio.sleep(0))
                with aioresponses() as mock:
                    mock.get(SITE, body="mocked")
                    self.assertEqual(runner.run(get(SITE)), "mocked")

        run_threads(run)


class HandlerTest(ServerTestCase):
    async def test_the_handler_of_a_server_that_is_older_than_the_mock(self):
        async def handle(request):
            return web.Response(text=await get(SITE))

        url = await self.serve(web.get("/", handle))
        async with ClientSession() as session:
            with aioresponses(passthrough=["http://127.0.0.1"]) as mock:
                mock.get(SITE, body="mocked")
                self.assertEqual(await text_of(session, url), "mocked")
                self.assertEqual([call.url for call in mock.calls], [str(url), SITE])


class OtherThreadTest(unittest.IsolatedAsyncioTestCase):
    async def test_an_executor(self):
        with aioresponses() as mock:
            mock.get(SITE, body="mocked")
            text = await asyncio.get_running_loop().run_in_executor(None, lambda: asyncio.run(get(SITE)))
            self.assertEqual(text, "mocked")

    async def test_an_executor_beside_two_mocks_of_one_thread(self):
        with aioresponses() as outer, aioresponses() as inner:
            outer.get(SITE, body="outer")
            text = await asyncio.get_running_loop().run_in_executor(None, lambda: asyncio.run(get(SITE)))
            self.assertEqual(text, "outer")
            self.assertEqual((inner.call_count, outer.call_count), (1, 1))

    async def test_to_thread_keeps_the_context(self):
        with aioresponses() as mock:
            mock.get(SITE, body="mocked")
            other = threading.Thread(target=self.hold_a_mock)
            self.holds, self.may_go = threading.Event(), threading.Event()
            other.start()
            self.holds.wait(10)
            try:
                self.assertEqual(await asyncio.to_thread(lambda: asyncio.run(get(SITE))), "mocked")
            finally:
                self.may_go.set()
                other.join()

    def hold_a_mock(self):
        with aioresponses():
            self.holds.set()
            self.may_go.wait(10)

    async def test_where_mocks_of_several_threads_are_active_a_call_of_neither_is_refused(self):
        with aioresponses() as mock:
            mock.get(SITE, body="mocked")
            other = threading.Thread(target=self.hold_a_mock)
            self.holds, self.may_go = threading.Event(), threading.Event()
            other.start()
            self.holds.wait(10)
            try:
                with self.assertRaises(ClientConnectionError) as caught:
                    await asyncio.get_running_loop().run_in_executor(None, lambda: asyncio.run(get(SITE)))
            finally:
                self.may_go.set()
                other.join()
            self.assertEqual(mock.call_count, 0)
        self.assertEqual(str(caught.exception), f"Connection refused: GET {SITE}")
        self.assertEqual(
            caught.exception.__notes__,
            [
                "aioresponses: the active mocks were started in several threads, but none in this thread or context.\n"
                "Start this thread with asyncio.to_thread, which keeps the context of the test."
            ],
        )


class StartedBesideTest(unittest.TestCase):
    def test_a_mock_of_the_module_and_one_of_a_sync_set_up(self):
        module = aioresponses()
        module.start()
        self.addCleanup(module.stop)
        module.get(SITE, body="module", repeat=True)
        texts = []

        class Case(unittest.IsolatedAsyncioTestCase):
            def setUp(self):
                self.mock = aioresponses()
                self.mock.start()
                self.addCleanup(self.mock.stop)
                self.mock.get(SITE, body="test")

            async def test(self):
                texts.append(await get(SITE))
                texts.append(await get(SITE))

        result = unittest.TestResult()
        Case("test").run(result)
        self.assertEqual([text for _, text in result.errors + result.failures], [])
        self.assertEqual(texts, ["test", "module"])

    def test_a_mock_of_an_async_fixture_of_the_module_answers_tests_of_other_contexts(self):
        # As pytest-asyncio and anyio run an async fixture: in a task of its own, and the tests in others.
        async def main():
            started = asyncio.Event()
            done = asyncio.Event()

            async def fixture():
                with aioresponses() as mock:
                    mock.get(SITE, body="module", repeat=True)
                    started.set()
                    await done.wait()

            task = asyncio.create_task(fixture())
            await started.wait()
            texts = [await get(SITE)]
            with aioresponses() as own:
                # A test with a mock of its own has just that one.
                own.get(SITE, body="own")
                texts.append(await get(SITE))
                with self.assertRaises(ClientConnectionError):
                    await get(SITE)
            texts.append(await get(SITE))
            done.set()
            await task
            return texts

        self.assertEqual(asyncio.run(main()), ["module", "own", "module"])


class NestedTest(ServerTestCase):
    """The innermost mock is asked first, then the next one outwards."""

    async def asyncSetUp(self):
        async def handle(request):
            return web.Response(text="real")

        self.url = str(await self.serve(web.get("/{path:.*}", handle)))

    async def test_what_the_inner_one_does_not_answer_the_outer_one_does(self):
        with aioresponses() as outer:
            outer.get(SITE, body="outer")
            with aioresponses() as inner:
                inner.get(f"{SITE}inner", body="inner")
                self.assertEqual([await get(SITE), await get(f"{SITE}inner")], ["outer", "inner"])
        self.assertEqual([call.url for call in inner.calls], [SITE, f"{SITE}inner"])
        self.assertEqual([call.url for call in outer.calls], [SITE])
        self.assertEqual((inner.unmatched_calls, outer.unmatched_calls), ([], []))
        [handle] = outer.calls[0].match.calls
        self.assertIs(handle, outer.calls[0])

    async def test_the_hops_of_a_redirect_stay_in_one_call(self):
        with aioresponses() as outer:
            outer.get(f"{SITE}there", body="outer")
            with aioresponses() as inner:
                inner.get(SITE, status=302, headers={"Location": "/there"})
                self.assertEqual(await get(SITE), "outer")
        for mock in (inner, outer):
            self.assertEqual(
                [str(call) for call in mock.calls], [f"GET {SITE} -> 302, GET {SITE}there -> 200"]
            )

    async def test_a_refusal_names_the_mocks_of_all(self):
        with aioresponses() as outer, aioresponses() as inner:
            outer.get(f"{SITE}outer")
            inner.post(SITE)
            with self.assertRaises(ClientConnectionError) as caught:
                await get(SITE)
            self.assertEqual([len(mock.unmatched_calls) for mock in (inner, outer)], [1, 1])
        self.assertEqual(
            caught.exception.__notes__,
            [
                f"aioresponses: no mock answers GET {SITE}\n"
                "Registered mocks, the closest first:\n"
                f"  POST {SITE}: method differs: mock has POST, request has GET\n"
                f"  GET {SITE}outer: path differs: mock has '/outer', request has '/'"
            ],
        )

    async def test_a_prefix_of_the_inner_one_takes_precedence_over_a_mock_of_the_outer_one(self):
        with aioresponses() as outer, aioresponses(passthrough=["http://127.0.0.1"]) as inner:
            outer.get(self.url, body="outer")
            self.assertEqual(await get(self.url), "real")
            self.assertEqual((inner.call_count, outer.call_count), (1, 0))

    async def test_a_mock_of_the_inner_one_takes_precedence_over_a_prefix_of_the_outer_one(self):
        with aioresponses(passthrough=["http://127.0.0.1"]), aioresponses() as inner:
            inner.get(self.url, body="inner")
            self.assertEqual([await get(self.url), await get(self.url)], ["inner", "real"])

    async def test_passthrough_unmatched_of_any_counts_after_all_were_asked(self):
        for settings in ({"passthrough_unmatched": True}, {}), ({}, {"passthrough_unmatched": True}):
            with aioresponses(**settings[0]) as outer, aioresponses(**settings[1]) as inner:
                outer.get(self.url, body="outer")
                self.assertEqual([await get(self.url), await get(self.url)], ["outer", "real"])
                self.assertEqual([len(mock.unmatched_calls) for mock in (inner, outer)], [0, 0])
                self.assertEqual([mock.call_count for mock in (inner, outer)], [2, 2])

    async def test_a_body_is_read_once_for_the_conditions_of_both(self):
        async def upload():
            yield b"pieces"

        with aioresponses() as outer, aioresponses() as inner:
            outer.post(SITE, match_body="pieces", body="outer")
            inner.post(SITE, match_body="other", body="inner")
            async with ClientSession() as session:
                async with session.post(SITE, data=upload()) as response:
                    self.assertEqual(await response.text(), "outer")
            self.assertEqual(outer.calls[0].body, b"pieces")

    async def test_strict_mocks_that_were_not_asked_do_not_fail(self):
        with aioresponses(assert_all_mocked=True), aioresponses() as inner:
            inner.get(SITE)
            await get(SITE)
        with self.assertRaises(AssertionError), aioresponses(assert_all_mocked=True), aioresponses():
            with self.assertRaises(ClientConnectionError):
                await get(SITE)

    async def test_a_response_lives_in_the_connector_of_the_mock_that_answered(self):
        with aioresponses() as outer:
            outer.get(SITE, body="outer")
            async with ClientSession() as session:
                with aioresponses():
                    response = await session.get(SITE)
                self.assertEqual(await response.text(), "outer")


class ContextTest(unittest.TestCase):
    def test_a_context_does_not_keep_a_mock_alive(self):
        context = contextvars.copy_context()
        mock = aioresponses()
        context.run(mock.start)
        mock.stop()
        alive = weakref.ref(mock)
        del mock
        gc.collect()
        self.assertIsNone(alive())

    def test_a_mock_that_is_started_once_more_belongs_to_where_that_was(self):
        mock = aioresponses()

        async def test():
            with mock:
                mock.get(SITE, body="mocked")
                return await get(SITE)

        self.assertEqual([asyncio.run(test()), asyncio.run(test())], ["mocked", "mocked"])
