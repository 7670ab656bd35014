import asyncio
import gc
import threading
import unittest
import warnings

from aiohttp import ClientConnectionError, ClientSession, web

from aioresponses import AioResponsesTestCase, aioresponses

from ..support import AskingTestCase, OutcomeTestCase, get, idle, text_of

API = "https://api.example.com/"


class Life:
    """What happened to the applications that are made here."""

    def __init__(self, fails_at=None):
        self.log = []
        self.fails_at = fails_at
        self.contexts = []

    def note(self, what):
        self.log.append(what)
        if what == self.fails_at:
            raise RuntimeError(f"no {what}")

    def application(self):
        async def opened(app):
            self.note("open")
            tasks = [asyncio.current_task()]
            yield
            await asyncio.sleep(0)
            tasks.append(asyncio.current_task())
            self.contexts.append(tasks[0] is tasks[1])
            self.note("closed")

        async def noting(app, what):
            self.note(what)

        async def hello(request):
            self.note("asked")
            return web.Response(text="hello")

        app = web.Application()
        app.cleanup_ctx.append(opened)
        for signal, what in (
            (app.on_startup, "up"), (app.on_shutdown, "shutdown"), (app.on_cleanup, "cleanup")
        ):
            async def note(app, what=what):
                await noting(app, what)

            signal.append(note)
        app.router.add_get("/{path:.*}", hello)
        return app


ALL = ["open", "up", "asked", "shutdown", "closed", "cleanup"]


class LifeTest(unittest.IsolatedAsyncioTestCase):
    async def test_it_starts_before_the_first_request_and_ends_with_the_block(self):
        life = Life()
        async with aioresponses() as mock:
            mock.mount(API, life.application())
            self.assertEqual(life.log, [])
            self.assertEqual(await asyncio.gather(*[get(API) for _ in range(3)]), ["hello"] * 3)
            self.assertEqual(life.log, ["open", "up", "asked", "asked", "asked"])
        self.assertEqual(life.log, ["open", "up", "asked", "asked", "asked", "shutdown", "closed", "cleanup"])
        self.assertEqual(life.contexts, [True])

    async def test_one_that_is_never_asked_never_starts(self):
        life = Life()
        async with aioresponses() as mock:
            mock.mount(API, life.application())
        self.assertEqual(life.log, [])

    async def test_aclose_stops_the_mock_and_waits_for_the_end(self):
        life = Life()
        mock = aioresponses()
        mock.start()
        mock.mount(API, life.application())
        await get(API)
        await mock.aclose()
        self.assertEqual((life.log, mock.active), (ALL, False))
        await mock.aclose()
        self.assertEqual(life.log, ALL)

    async def test_stop_and_a_plain_with_begin_the_end_and_aclose_waits_for_it(self):
        for ends in ("later", "aclose"):
            life = Life()
            with aioresponses() as mock:
                mock.mount(API, life.application())
                await get(API)
            self.assertEqual(life.log, ["open", "up", "asked"])
            if ends == "aclose":
                await mock.aclose()
            else:
                await idle()
            self.assertEqual(life.log, ALL)

    async def test_it_can_be_started_once_more_with_another_life(self):
        life = Life()
        mock = aioresponses()
        for _ in range(2):
            async with mock:
                mock.mount(API, life.application)
                self.assertEqual(await get(API), "hello")
        self.assertEqual(life.log, ALL * 2)

    async def test_connections_end_before_applications(self):
        ended = []

        async def waits(request):
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                ended.append("handler")

        async def cleanup(app):
            ended.append("application")

        app = web.Application()
        app.router.add_get("/", waits)
        app.on_cleanup.append(cleanup)
        async with aioresponses() as mock:
            mock.mount(API, app, handler_cancellation=True)
            asking = asyncio.ensure_future(get(API))
            await idle()
        self.assertEqual(ended, ["handler", "application"])
        with self.assertRaises(ClientConnectionError) as raised:
            await asking
        self.assertEqual(str(raised.exception), "aioresponses was stopped while this request was in flight")

    async def test_the_clean_up_of_an_application_may_ask_others(self):
        asked = []

        async def deregister(app):
            asked.append(await get("http://registry.example.com/"))

        life = Life()
        app = life.application()
        app.on_cleanup.append(deregister)
        async with aioresponses() as mock:
            mock.mount(API, app)
            mock.get("http://registry.example.com/", body="bye")
            await get(API)
        self.assertEqual(asked, ["bye"])

    async def test_what_is_asked_of_it_while_it_ends_is_refused(self):
        refused = []
        life = Life()
        app = life.application()

        async def ask(app):
            try:
                await get(API)
            except ClientConnectionError as error:
                refused.append(str(error))

        app.on_cleanup.append(ask)
        async with aioresponses() as mock:
            mock.mount(API, app)
            await get(API)
        self.assertEqual(refused, ["aioresponses was stopped while this request was in flight"])

    async def test_one_application_at_two_urls_has_one_life(self):
        life = Life()
        app = life.application()
        async with aioresponses() as mock:
            mock.mount(API, app)
            mock.mount("https://other.example.com", app)
            await asyncio.gather(get(API), get("https://other.example.com"))
        self.assertEqual(sorted(life.log), sorted([*ALL, "asked"]))

    async def test_one_application_of_two_mocks_ends_with_the_last_of_them(self):
        life = Life()
        app = life.application()
        async with aioresponses() as outer:
            outer.mount(API, app)
            async with aioresponses() as inner:
                inner.mount("https://inner.example.com", app)
                await get("https://inner.example.com")
                await get(API)
            self.assertEqual(life.log, ["open", "up", "asked", "asked"])
        self.assertEqual(life.log, ["open", "up", "asked", "asked", "shutdown", "closed", "cleanup"])

    async def test_what_start_up_raises_the_request_raises_and_clean_up_runs_as_with_run_app(self):
        for fails_at, log in (
            ("open", ["open"]),
            ("up", ["open", "up", "closed"]),
        ):
            life = Life(fails_at)
            async with aioresponses() as mock:
                mock.mount(API, life.application)
                outcomes = await asyncio.gather(get(API), get(API), return_exceptions=True)
                self.assertEqual([repr(one) for one in outcomes], [f"RuntimeError('no {fails_at}')"] * 2)
                self.assertEqual(life.log[:len(log)], log)
                # The next request tries once more.
                life.fails_at = None
                self.assertEqual(await get(API), "hello")

    async def test_an_os_error_of_start_up_is_not_wrapped(self):
        error = OSError(111, "no database")

        def make():
            raise error

        async with aioresponses() as mock:
            mock.mount(API, make)
            with self.assertRaises(OSError) as raised:
                await get(API)
        self.assertIs(raised.exception, error)

    async def test_what_clean_up_raises_reaches_whoever_waits_for_it(self):
        life = Life("closed")
        with self.assertRaises(RuntimeError) as raised:
            async with aioresponses() as mock:
                mock.mount(API, life.application())
                await get(API)
        self.assertEqual(str(raised.exception), "no closed")
        self.assertFalse(mock.active)

    async def test_a_request_that_is_given_up_leaves_start_up_alone(self):
        go_on = asyncio.Event()
        life = Life()

        async def make():
            await go_on.wait()
            return life.application()

        async with aioresponses() as mock:
            mock.mount(API, make)
            first = asyncio.ensure_future(get(API))
            await idle()
            first.cancel()
            await asyncio.wait([first])
            second = asyncio.ensure_future(get(API))
            await idle()
            go_on.set()
            self.assertEqual(await second, "hello")

    async def test_a_handler_that_does_not_end_does_not_hold_up_the_end(self):
        async def hangs(request):
            await asyncio.sleep(60)

        app = web.Application()
        app.router.add_get("/", hangs)
        loop = asyncio.get_running_loop()
        async with aioresponses() as mock:
            mock.mount(API, app)
            asking = asyncio.ensure_future(get(API))
            await idle()
            before = loop.time()
        self.assertLess(loop.time() - before, 5)
        await asyncio.wait([asking])
        self.assertIsInstance(asking.exception(), ClientConnectionError)


class PlainTest(unittest.TestCase):
    """Tests that are plain functions, and loops that come and go."""

    def test_asyncio_run_ends_it_however_often(self):
        life = Life()
        with aioresponses() as mock:
            mock.mount(API, life.application)
            for number in range(1, 3):
                self.assertEqual(asyncio.run(get(API)), "hello")
                self.assertEqual(life.log, ALL * number)
        self.assertEqual(life.contexts, [True, True])

    def test_one_application_belongs_to_one_loop(self):
        life = Life()
        with aioresponses() as mock:
            mock.mount(API, life.application())
            self.assertEqual(asyncio.run(get(API)), "hello")

    def test_what_clean_up_raises_when_asyncio_run_ends_is_told(self):
        life = Life("closed")
        told = []

        async def main():
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context["exception"]))
            return await get(API)

        with aioresponses() as mock:
            mock.mount(API, life.application())
            asyncio.run(main())
        self.assertEqual([str(error) for error in told], ["no closed"])

    def test_a_loop_of_ones_own_ends_it_when_it_runs_again(self):
        life = Life()
        loop = asyncio.new_event_loop()
        mock = aioresponses()
        mock.start()
        mock.mount(API, life.application())
        self.assertEqual(loop.run_until_complete(get(API)), "hello")
        mock.stop()
        self.assertEqual(life.log, ["open", "up", "asked"])
        loop.run_until_complete(mock.aclose())
        self.assertEqual(life.log, ALL)
        loop.close()

    def test_a_loop_that_is_closed_first_is_no_matter(self):
        told = []
        life = Life()
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda loop, context: told.append(context))
        mock = aioresponses()
        mock.start()
        mock.mount(API, life.application())
        self.assertEqual(loop.run_until_complete(get(API)), "hello")
        loop.close()
        with warnings.catch_warnings(record=True) as warned:
            mock.stop()
            del mock
            gc.collect()
        self.assertEqual((told, warned, life.log), ([], [], ["open", "up", "asked"]))

    def test_a_loop_of_another_thread_is_told(self):
        life = Life()
        stopped = threading.Event()
        asked = threading.Event()
        mock = aioresponses()

        async def main():
            self.assertEqual(await get(API), "hello")
            asked.set()
            while not stopped.is_set():
                await asyncio.sleep(0.001)
            for _ in range(100):
                await asyncio.sleep(0)
            life.log.append("end of the loop")

        with mock:
            mock.mount(API, life.application())
            thread = threading.Thread(target=lambda: asyncio.run(main()))
            thread.start()
            asked.wait()
        stopped.set()
        thread.join()
        self.assertEqual(life.log, [*ALL, "end of the loop"])


class CaseTest(OutcomeTestCase):
    """In a test case, applications end as its last cleanup, with the loop still there."""

    def test_it_ends_behind_all_other_cleanups(self):
        life = Life()

        class Test(AskingTestCase):
            async def asyncSetUp(self):
                await super().asyncSetUp()
                self.addAsyncCleanup(self.last)

            async def last(self):
                life.log.append("last cleanup")
                self.assertEqual((await self.ask(url=API))[0], 200)

            async def test(self):
                self.mock.mount(API, life.application())
                self.session = self.client_session()
                self.assertEqual(await self.ask(url=API), (200, "hello"))

            async def ask(self, method="GET", url=API):
                async with ClientSession() as session:
                    return 200, await text_of(session, url)

        self.check_passes(Test)
        self.assertEqual(life.log, ["open", "up", "asked", "last cleanup", "asked", "shutdown", "closed", "cleanup"])

    def test_also_where_the_mock_was_stopped(self):
        life = Life()

        class Test(AioResponsesTestCase):
            async def test(self):
                self.mock.mount(API, life.application())
                await get(API)
                self.mock.stop()

        self.check_passes(Test)
        self.assertEqual(life.log, ALL)

    def test_what_clean_up_raises_is_an_error_of_the_test(self):
        class Test(AioResponsesTestCase):
            async def test(self):
                self.mock.mount(API, Life("closed").application())
                await get(API)

        [text] = self.outcomes(Test)["errors"]
        self.assertIn("RuntimeError: no closed", text)

    def test_an_assertion_that_fails_in_clean_up_is_a_failure(self):
        class Test(AioResponsesTestCase):
            async def test(self):
                async def check(app):
                    self.assertEqual("left", "nothing")

                app = Life().application()
                app.on_cleanup.append(check)
                self.mock.mount(API, app)
                await get(API)

        [text] = self.outcomes(Test)["failures"]
        self.assertIn("AssertionError: 'left' != 'nothing'", text)

    def test_of_plain_methods(self):
        life = Life()

        class Test(AioResponsesTestCase):
            def test(self):
                self.mock.mount(API, life.application)
                self.assertEqual([asyncio.run(get(API)), asyncio.run(get(API))], ["hello", "hello"])

        self.check_passes(Test)
        self.assertEqual(life.log, ALL * 2)
