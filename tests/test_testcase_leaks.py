"""What a test leaves behind fails it, where its class asks for that."""

import asyncio
import gc
import inspect
import sys
import unittest
from weakref import ref

import aiohttp
from aiohttp import ClientSession, TCPConnector, web
from aiohttp.test_utils import AioHTTPTestCase

from aioresponses import AioResponsesTestCase, Fault

from .leaving import LARGE, Client, LeavingCase, WatchingCase, at, closed
from .support import SITE, OutcomeTestCase, hooks_are_in_place

SESSION = "1 thing was left behind:\n  ClientSession never closed\n    created at "
CONNECTOR = "1 thing was left behind:\n  TCPConnector never closed\n    created at "


class LeftBehindTest(OutcomeTestCase):
    def left(self, case_class, name="test"):
        """Return the messages of the failures, of which there is nothing else, without their tracebacks."""
        outcomes = self.outcomes(case_class, name)
        self.assertEqual(set(outcomes) - {"failures"}, set())
        return [text.partition("AssertionError: ")[2].rstrip() for text in outcomes.get("failures", [])]

    def test_a_test_that_leaves_three_things_behind(self):
        class Case(LeavingCase):
            async def test(self):
                self.mock.get(SITE, body=LARGE)
                client = Client()
                self.things = [await client.get(), client]

        self.assertEqual(self.left(Case), [
            "3 things were left behind:\n"
            "  ClientSession never closed\n"
            f"    created at {at(Client.__init__, 1)}\n"
            f"  GET {SITE} -> 200: response holds its connection, neither read nor released\n"
            f"    requested at {at(Client.get, 1)}\n"
            "  task 'refresh' still running: Client.refresh\n"
            f"    created at {at(Client.__init__, 2)}"
        ])

        class Unwatched(Case):
            assert_no_leaks = False

        class ForTasks(Case):
            assert_no_leaks = "task"

        self.check_passes(Unwatched)
        self.assertEqual(
            self.left(ForTasks),
            [
                "1 thing was left behind:\n  task 'refresh' still running: Client.refresh\n"
                f"    created at {at(Client.__init__, 2)}"
            ],
        )

    def test_what_is_no_kind_is_an_error_of_the_test(self):
        class Case(AioResponsesTestCase):
            assert_no_leaks = ("session", "sockets")

            def test(self):
                raise NotImplementedError

        outcomes = self.outcomes(Case)
        self.assertEqual([*outcomes], ["errors"])
        self.assertEqual(
            outcomes["errors"][0].splitlines()[-1],
            "ValueError: assert_no_leaks: expected True, False, or any of 'session', 'connector', 'response', 'call', "
            "'task', 'unread', got 'sockets'",
        )

    def test_it_is_looked_at_after_everything_else_that_a_test_does(self):
        class ByCleanUp(WatchingCase):
            async def test(self):
                client = Client()
                self.addAsyncCleanup(client.close)

        class ByPlainCleanUp(WatchingCase):
            async def test(self):
                session = ClientSession()
                self.addCleanup(lambda: asyncio.new_event_loop().run_until_complete(self.close(session)))

            async def close(self, session):
                self.addCleanup(asyncio.get_running_loop().close)
                await session.close()

        class ByContext(WatchingCase):
            async def test(self):
                await self.enter(ClientSession())

            async def enter(self, context):
                if sys.version_info >= (3, 11):
                    await self.enterAsyncContext(context)
                else:
                    await context.__aenter__()
                    self.addAsyncCleanup(context.__aexit__, None, None, None)

        class ByTearDown(WatchingCase):
            async def asyncSetUp(self):
                self.client = Client()

            async def asyncTearDown(self):
                await self.client.close()

            async def test(self):
                self.mock.get(SITE, body=LARGE)
                self.addCleanup((await self.client.get()).close)

        class ByCleanUpOfSetUp(WatchingCase):
            def setUp(self):
                self.addAsyncCleanup(self.close)

            async def close(self):
                await self.session.close()

            async def test(self):
                self.session = ClientSession()

        for case_class in (ByCleanUp, ByPlainCleanUp, ByContext, ByTearDown, ByCleanUpOfSetUp):
            with self.subTest(case_class.__name__):
                self.check_passes(case_class)

    def test_what_is_left_behind_by_everything_else_counts(self):
        async def drop(case):
            case.things.append(TCPConnector())

        class BySetUp(LeavingCase):
            asyncSetUp = drop

            def test(self):
                pass

        class ByTearDown(LeavingCase):
            asyncTearDown = drop

            def test(self):
                pass

        class ByCleanUp(LeavingCase):
            def test(self):
                self.addAsyncCleanup(drop, self)

        for case_class in (BySetUp, ByTearDown, ByCleanUp):
            with self.subTest(case_class.__name__):
                self.assertEqual(self.left(case_class), [f"{CONNECTOR}{at(drop, 1)}"])

    def test_sessions_of_the_test_case_and_their_connectors_never_count(self):
        things = []

        class Case(WatchingCase):
            async def asyncSetUp(self):
                things.append(self.client_session())

            async def test(self):
                things.append(self.client_session())
                things.append(self.client_session(connector=TCPConnector()))
                self.addAsyncCleanup(self.make_another)

            async def make_another(self):
                things.append(self.client_session())

        self.check_passes(Case)
        self.assertEqual([session.closed for session in things], [True] * 4)
        things.clear()
        Case("test").debug()
        self.assertEqual([session.closed for session in things], [True] * 4)

    def test_sessions_of_the_test_case_are_closed_after_the_last_cleanup_the_last_one_first(self):
        order = []

        class Connector(TCPConnector):
            def close(self, **kwargs):
                order.append(self.name)
                return super().close(**kwargs)

        class Case(WatchingCase):
            def setUp(self):
                self.addCleanup(order.append, "first cleanup")

            async def test(self):
                for name in ("first session", "last session"):
                    connector = Connector()
                    connector.name = name
                    self.client_session(connector=connector)
                self.addCleanup(order.append, "last cleanup")

        self.check_passes(Case)
        self.assertEqual(order, ["last cleanup", "first cleanup", "last session", "first session"])

    def test_what_they_ask_for_is_looked_at_before_they_are_closed(self):
        sessions = []

        class Case(LeavingCase):
            async def test(self):
                self.mock.get(SITE, body=LARGE)
                self.mock.post(SITE, fault=Fault.HANG)
                session = self.client_session()
                sessions.append(session)
                response = await session.get(SITE)
                task = asyncio.ensure_future(session.post(SITE))
                task.set_name("posting")
                await asyncio.sleep(0)
                self.things = [response, task]

        line = Case.test.__code__.co_firstlineno
        self.assertEqual(self.left(Case), [
            "3 things were left behind:\n"
            f"  GET {SITE} -> 200: response holds its connection, neither read nor released\n"
            f"    requested at {__file__}:{line + 5} in test\n"
            f"  POST {SITE}: call never ended\n"
            f"    requested at {__file__}:{line + 6} in test\n"
            "  task 'posting' still running: ClientSession._request\n"
            f"    created at {__file__}:{line + 6} in test"
        ])
        self.assertTrue(sessions[0].closed)

    def test_the_sessions_of_aiohttp_s_own_test_case_are_closed_by_it(self):
        class Case(WatchingCase, AioHTTPTestCase):
            async def get_application(self):
                return web.Application()

            async def test(self):
                async with self.client.get("/") as response:
                    self.assertEqual(response.status, 404)

        self.check_passes(Case)

    def test_a_plain_test_method_with_a_loop_of_its_own(self):
        class Case(WatchingCase):
            def test(self):
                self.mock.get(SITE, body=LARGE)
                loop = asyncio.new_event_loop()
                client = loop.run_until_complete(self.ask())
                self.addCleanup(loop.close)
                self.addCleanup(loop.run_until_complete, self.end(client))

            async def ask(self):
                client = Client()
                response = await client.get()
                response.close()
                return client

            async def end(self, client):
                await client.close()
                await asyncio.sleep(0)

        class LeavingTask(WatchingCase):
            def test(self):
                # Its loop is closed when the whole test is over.
                self.loop = asyncio.new_event_loop()
                self.loop.run_until_complete(self.start())

            async def start(self):
                asyncio.ensure_future(asyncio.sleep(60)).set_name("sleeping")

            def run(self, result):
                super().run(result)
                for task in asyncio.all_tasks(self.loop):
                    self.loop.run_until_complete(closed(task))
                self.loop.close()

        self.check_passes(Case)
        line = LeavingTask.start.__code__.co_firstlineno + 1
        self.assertEqual(self.left(LeavingTask), [
            "1 thing was left behind:\n  task 'sleeping' still running: sleep\n"
            f"    created at {__file__}:{line} in start"
        ])

    def test_the_own_failure_of_a_test_comes_first(self):
        class Case(LeavingCase):
            async def test(self):
                self.things.append(ClientSession())
                self.fail("own")

        line = Case.test.__code__.co_firstlineno + 1
        self.assertEqual(self.left(Case), ["own", f"{SESSION}{__file__}:{line} in test"])

    def test_a_test_that_is_skipped_or_expected_to_fail(self):
        class Skipped(LeavingCase):
            async def test(self):
                self.things.append(ClientSession())
                self.skipTest("later")

        class Expected(LeavingCase):
            @unittest.expectedFailure
            async def test(self):
                self.things.append(ClientSession())

        self.assertEqual(self.outcomes(Skipped), {"skipped": ["later"]})
        self.assertEqual([*self.outcomes(Expected)], ["expectedFailures"])

    def test_strictness_and_what_was_left_behind_are_one_failure(self):
        class Case(LeavingCase):
            strict = True

            async def test(self):
                self.mock.get(SITE)
                self.things.append(ClientSession())

        line = Case.test.__code__.co_firstlineno + 2
        self.assertEqual(
            self.left(Case),
            [f"1 mock was never used:\n  GET {SITE}\nThere were no calls.\n{SESSION}{__file__}:{line} in test"],
        )

    def test_whatever_ends_a_test_nothing_remains_of_it(self):
        original = ClientSession.__init__

        things = []

        class Interrupted(WatchingCase):
            async def asyncSetUp(self):
                things.append(ClientSession())

            def test(self):
                raise KeyboardInterrupt

        class StoppedByItself(WatchingCase):
            async def test(self):
                things.append(ClientSession())
                self.mock.stop()

        with self.assertRaises(KeyboardInterrupt):
            Interrupted("test").run(unittest.TestResult())
        line = StoppedByItself.test.__code__.co_firstlineno + 1
        self.assertEqual(self.left(StoppedByItself), [f"{SESSION}{__file__}:{line} in test"])
        self.assertIs(ClientSession.__init__, original)
        self.assertFalse(hooks_are_in_place())
        asyncio.run(closed(*things))

    def test_what_was_made_is_let_go_without_the_garbage_collector(self):
        class Made(TCPConnector):
            pass

        references = []

        class Case(WatchingCase):
            async def test(self):
                self.mock.get(SITE)
                connector = Made()
                references.extend([ref(connector), ref(self.mock)])
                async with ClientSession(connector=connector) as session:
                    await session.get(SITE)

        gc.collect()
        gc.disable()
        try:
            self.check_passes(Case)
            self.assertEqual([reference() for reference in references], [None, None])
        finally:
            gc.enable()


class AssertNoLeaksTest(WatchingCase):
    def message(self, *args, **kwargs):
        with self.assertRaises(AssertionError) as raised:
            self.assertNoLeaks(*args, **kwargs)
        return str(raised.exception)

    async def test_at_any_time_of_a_test(self):
        self.assertNoLeaks()
        client = Client()
        line = inspect.currentframe().f_lineno
        session = (
            f"  ClientSession never closed\n    created at {at(Client.__init__, 1)}\n"
        )
        task = f"  task 'refresh' still running: Client.refresh\n    created at {at(Client.__init__, 2)}"
        self.assertEqual(self.message(), f"2 things were left behind:\n{session}{task}")
        self.assertEqual(self.message("why"), f"2 things were left behind:\n{session}{task} : why")
        self.longMessage = False
        self.assertEqual(self.message(msg="why"), "why")
        self.longMessage = True
        await client.close()
        # It has been cancelled, and need not have ended.
        self.assertNoLeaks()
        self.mock.get(SITE, body=LARGE)
        async with self.client_session().get(SITE):
            self.assertEqual(
                self.message(),
                "1 thing was left behind:\n"
                f"  GET {SITE} -> 200: response holds its connection, neither read nor released\n"
                f"    requested at {__file__}:{line + 14} in test_at_any_time_of_a_test",
            )
        self.assertNoLeaks()

    def test_where_no_loop_runs(self):
        async def start():
            return asyncio.ensure_future(asyncio.sleep(60))

        loop = asyncio.new_event_loop()
        task = loop.run_until_complete(start())
        self.assertRegex(self.message(), r"\A1 thing was left behind:\n  task '.*' still running: sleep\n")
        task.cancel()
        # It gives turns itself.
        self.assertNoLeaks()
        loop.close()


class AssertNoLeaksOfOneKindTest(AioResponsesTestCase):
    assert_no_leaks = "connector"

    async def test_it_looks_for_what_the_class_names(self):
        session = ClientSession(connector=TCPConnector(), connector_owner=False)
        connector = session.connector
        await session.close()
        with self.assertRaisesRegex(AssertionError, "^1 thing was left behind:\n  TCPConnector never closed\n"):
            self.assertNoLeaks()
        await closed(connector)
        self.assertNoLeaks()


class AssertNoLeaksUnwatchedTest(AioResponsesTestCase):
    async def test_it_fails_where_nothing_is_watched(self):
        for arguments, ending in (((), ""), (("why",), " : why")):
            with self.assertRaises(AssertionError) as raised:
                self.assertNoLeaks(*arguments)
            self.assertEqual(
                str(raised.exception),
                f"Nothing is watched in this test. Set `assert_no_leaks = True` in its class.{ending}",
            )

    def test_nothing_of_aiohttp_is_replaced(self):
        for original in (ClientSession.__init__, aiohttp.BaseConnector.__init__, asyncio.BaseEventLoop.create_task):
            self.assertFalse(hasattr(original, "__wrapped__"))
