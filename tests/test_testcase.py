import asyncio
import io
import unittest

import aiohttp
from aiohttp import web
from aiohttp.test_utils import AioHTTPTestCase, TestServer

from aioresponses import AioResponsesTestCase, aioresponses

from .support import SITE, get, hooks_are_in_place


def run(case_class, name="test"):
    """Run one test of a class that stands in a test; return its result, and whether a mock stayed behind."""
    result = unittest.TestResult()
    case = case_class(name)
    case.run(result)
    return result, hooks_are_in_place()


class MockIsReadyTest(AioResponsesTestCase):
    def setUp(self):
        self.mock.get(SITE, body="from setUp")

    async def asyncSetUp(self):
        self.assertEqual(await get(), "from setUp")
        self.mock.get(SITE, body="from asyncSetUp")

    async def test_the_mock_is_ready_in_coroutine_functions(self):
        self.assertEqual(await get(), "from asyncSetUp")
        self.assertEqual(self.mock.call_count, 2)

    def test_the_mock_is_ready_in_plain_functions(self):
        self.assertEqual(asyncio.new_event_loop().run_until_complete(self.get_and_close_loop()), "from asyncSetUp")

    async def get_and_close_loop(self):
        self.addCleanup(asyncio.get_running_loop().close)
        return await get()

    async def test_the_mock_is_ready_until_the_last_cleanup(self):
        self.addAsyncCleanup(get)
        self.mock.get(SITE, body="for the cleanup")
        self.assertEqual(await get(), "from asyncSetUp")

    async def test_the_mock_is_a_new_one_in_each_test(self):
        self.assertEqual(self.mock.call_count, 1)


class ForgetfulCase(AioResponsesTestCase):
    """Overrides everything without calling super()."""

    def setUp(self):
        pass

    def tearDown(self):
        pass

    async def asyncSetUp(self):
        pass

    async def asyncTearDown(self):
        pass


class TakenDownTest(unittest.TestCase):
    def check(self, case_class, **expected):
        result, left_behind = run(case_class)
        self.assertFalse(left_behind)
        counts = {
            name: len(getattr(result, name))
            for name in ("errors", "failures", "skipped", "expectedFailures", "unexpectedSuccesses")
            if getattr(result, name)
        }
        self.assertEqual(counts, expected)
        return result

    def test_the_mock_is_stopped_when_all_is_well(self):
        class Case(ForgetfulCase):
            async def test(self):
                self.mock.get(SITE, body="x")
                self.assertEqual(await get(), "x")

        self.check(Case)

    def test_the_mock_is_stopped_when_an_attribute_of_the_class_is_wrong(self):
        class Case(ForgetfulCase):
            passthrough = 5

            async def test(self):
                pass

        result = self.check(Case, errors=1)
        self.assertRegex(result.errors[0][1], r"\nTypeError: passthrough: expected .*, got 5\n\Z")
        with self.assertRaises(TypeError):
            Case("test").debug()

    def test_the_mock_is_stopped_when_set_up_fails(self):
        class Plain(AioResponsesTestCase):
            def setUp(self):
                self.mock.get(SITE)
                raise ValueError

            async def test(self):
                pass

        class Async(AioResponsesTestCase):
            async def asyncSetUp(self):
                self.mock.get(SITE, exception=ValueError)
                await get()

            async def test(self):
                pass

        self.check(Plain, errors=1)
        self.check(Async, errors=1)

    def test_the_mock_is_stopped_when_tear_down_or_a_cleanup_fails(self):
        class TearDown(AioResponsesTestCase):
            async def asyncTearDown(self):
                raise ValueError

            async def test(self):
                pass

        class Cleanup(AioResponsesTestCase):
            async def test(self):
                self.addCleanup(self.fail)

        self.check(TearDown, errors=1)
        self.check(Cleanup, failures=1)

    def test_the_mock_is_stopped_when_the_test_is_skipped(self):
        @unittest.skip("class")
        class SkippedClass(AioResponsesTestCase):
            async def test(self):
                pass

        class SkippedInside(AioResponsesTestCase):
            async def test(self):
                self.skipTest("inside")

        self.check(SkippedClass, skipped=1)
        self.check(SkippedInside, skipped=1)

    def test_the_mock_is_stopped_when_failure_is_expected(self):
        class Expected(AioResponsesTestCase):
            @unittest.expectedFailure
            async def test(self):
                self.fail()

        class Unexpected(AioResponsesTestCase):
            @unittest.expectedFailure
            async def test(self):
                pass

        self.check(Expected, expectedFailures=1)
        self.check(Unexpected, unexpectedSuccesses=1)

    def test_the_mock_is_stopped_after_sub_tests(self):
        class Case(AioResponsesTestCase):
            async def test(self):
                for number in range(3):
                    with self.subTest(number=number):
                        self.mock.get(SITE, body=str(number))
                        self.assertEqual(await get(), "1")

        self.check(Case, failures=2)

    def test_the_mock_is_stopped_when_interrupted_from_the_keyboard(self):
        class Case(AioResponsesTestCase):
            def test(self):
                raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            run(Case)
        self.assertFalse(hooks_are_in_place())

    def test_the_mock_is_stopped_when_run_by_debug(self):
        class Case(AioResponsesTestCase):
            async def test(self):
                self.mock.get(SITE, body="x")
                self.assertEqual(await get(), "x")

            async def test_failing(self):
                raise ValueError

        Case("test").debug()
        self.assertFalse(hooks_are_in_place())
        failing = Case("test_failing")
        # Not by assertRaises: it clears the frames of the traceback, one of which Python 3.10 still needs.
        try:
            failing.debug()
        except ValueError:
            self.assertFalse(hooks_are_in_place())
        else:
            self.fail("debug() must raise")
        # unittest leaves the loop of a failed debug() run open, for the debugger, and has no public name to close it.
        tear_down = getattr(failing, "_tearDownAsyncioRunner", None) or failing._tearDownAsyncioLoop
        tear_down()

    def test_the_mock_is_stopped_when_run_as_part_of_a_suite(self):
        class Case(ForgetfulCase):
            async def test(self):
                self.mock.get(SITE, body="x")
                self.assertEqual(await get(), "x")

        stream = io.StringIO()
        result = unittest.TextTestRunner(stream).run(unittest.TestSuite([Case("test"), Case("test")]))
        self.assertEqual((result.testsRun, result.wasSuccessful()), (2, True))


async def swallow():
    """Ask for what no mock answers, as code that does not mind."""
    try:
        await get(SITE + "x")
    except aiohttp.ClientConnectionError:
        pass


class StrictCase(AioResponsesTestCase):
    strict = True


class StrictTest(unittest.TestCase):
    """Strictness is set by attributes of the class, and looked at after the last cleanup."""

    maxDiff = None

    UNUSED = "1 mock was never used:\n  GET http://example.com/\n"
    UNMATCHED = "1 call matched no mock:\n  GET http://example.com/x -> no mock answered\n"
    CLOSEST = (
        "    Registered mocks, the closest first:\n"
        "      GET http://example.com/: path differs: mock has '/', request has '/x'\n"
    )
    CALL = "Calls:\n  1. GET http://example.com/x -> no mock answered\n"

    def check(self, case_class, **expected):
        """Run the method `test` of a class; check how much of what is in the result, and return the tracebacks."""
        result, left_behind = run(case_class)
        self.assertFalse(left_behind)
        found = {
            name: [case_and_output[1] for case_and_output in getattr(result, name)]
            for name in ("errors", "failures", "skipped", "expectedFailures")
        }
        found["unexpectedSuccesses"] = result.unexpectedSuccesses
        self.assertEqual({name: len(items) for name, items in found.items() if items}, expected)
        return found

    def check_message(self, case_class, message):
        [output] = self.check(case_class, failures=1)["failures"]
        self.assertEqual(output[output.index("AssertionError: "):], f"AssertionError: {message}")

    def test_each_attribute_has_its_own_failure_and_strict_has_both(self):
        class Lenient(AioResponsesTestCase):
            assert_all_mocked = False

            async def test(self):
                self.mock.get(SITE)
                await swallow()

        class AllCalled(Lenient):
            assert_all_called = True

        class AllMocked(Lenient):
            assert_all_mocked = True

        class Strict(Lenient):
            strict = True

        self.check(Lenient)
        self.check_message(AllCalled, self.UNUSED + self.CALL)
        self.check_message(AllMocked, self.UNMATCHED + self.CLOSEST + self.CALL)
        self.check_message(Strict, self.UNUSED + self.UNMATCHED + self.CLOSEST + self.CALL)

    def test_nothing_fails_where_all_is_well(self):
        class Case(StrictCase):
            async def test(self):
                self.mock.get(SITE)
                self.mock.get(SITE + "x", optional=True)
                await get()

        self.check(Case)

    def test_strictness_of_a_plain_test_method(self):
        class Case(StrictCase):
            def test(self):
                self.mock.get(SITE)

        self.check_message(Case, self.UNUSED + "There were no calls.\n")

    def test_a_strict_failure_stands_beside_the_test_s_own_error_or_failure(self):
        class Error(StrictCase):
            async def test(self):
                self.mock.get(SITE)
                raise KeyError("the test's own")

        class Failure(StrictCase):
            async def test(self):
                self.mock.get(SITE)
                self.fail("the test's own")

        found = self.check(Error, errors=1, failures=1)
        self.assertIn("the test's own", found["errors"][0])
        self.assertIn(self.UNUSED, found["failures"][0])
        own, strict = self.check(Failure, failures=2)["failures"]
        self.assertIn("the test's own", own)
        self.assertIn(self.UNUSED, strict)

    def test_a_strict_failure_stands_beside_an_error_of_the_set_up(self):
        class Plain(StrictCase):
            def setUp(self):
                self.mock.get(SITE)
                raise KeyError("of setUp")

            async def test(self):
                pass

        class Async(StrictCase):
            async def asyncSetUp(self):
                self.mock.get(SITE)
                raise KeyError("of asyncSetUp")

            async def test(self):
                pass

        for case_class, own in ((Plain, "of setUp"), (Async, "of asyncSetUp")):
            found = self.check(case_class, errors=1, failures=1)
            self.assertIn(own, found["errors"][0])
            self.assertIn(self.UNUSED, found["failures"][0])

    def test_a_strict_failure_stands_beside_an_error_of_tear_down_and_of_a_cleanup(self):
        class Case(StrictCase):
            async def asyncTearDown(self):
                raise KeyError("of asyncTearDown")

            async def test(self):
                self.mock.get(SITE)
                self.addCleanup(self.fail, "of a cleanup")

        found = self.check(Case, errors=1, failures=2)
        self.assertIn("of asyncTearDown", found["errors"][0])
        self.assertIn("of a cleanup", found["failures"][0])
        self.assertIn(self.UNUSED, found["failures"][1])

    def test_a_strict_failure_can_be_expected(self):
        class Plain(StrictCase):
            @unittest.expectedFailure
            def test(self):
                self.mock.get(SITE)

        class Async(StrictCase):
            @unittest.expectedFailure
            async def test(self):
                self.mock.get(SITE)

        @unittest.expectedFailure
        class WholeClass(StrictCase):
            async def test(self):
                self.mock.get(SITE)

        class WithItsOwn(StrictCase):
            @unittest.expectedFailure
            async def test(self):
                self.mock.get(SITE)
                self.fail("the test's own")

        for case_class in (Plain, Async, WholeClass):
            with self.subTest(case_class=case_class.__name__):
                [output] = self.check(case_class, expectedFailures=1)["expectedFailures"]
                self.assertIn(self.UNUSED, output)
        [output] = self.check(WithItsOwn, expectedFailures=1)["expectedFailures"]
        self.assertIn("the test's own", output)

    def test_a_success_is_unexpected_as_ever_where_all_is_well(self):
        class Case(StrictCase):
            @unittest.expectedFailure
            async def test(self):
                self.mock.get(SITE)
                await get()

        self.check(Case, unexpectedSuccesses=1)

    def test_a_strict_failure_stands_beside_those_of_sub_tests(self):
        class Case(StrictCase):
            async def test(self):
                for number in range(3):
                    with self.subTest(number=number):
                        self.mock.get(SITE)
                        self.assertNotEqual(number, 1)
                await get()
                await get()

        *own, strict = self.check(Case, failures=2)["failures"]
        self.assertIn("1 == 1", own[0])
        self.assertIn(self.UNUSED, strict)

    def test_a_test_that_was_skipped_is_not_checked(self):
        class Inside(StrictCase):
            async def test(self):
                self.mock.get(SITE)
                self.skipTest("inside")

        class InSetUp(StrictCase):
            async def asyncSetUp(self):
                self.mock.get(SITE)
                self.skipTest("in set-up")

            async def test(self):
                pass

        class Method(StrictCase):
            @unittest.skip("method")
            async def test(self):
                self.mock.get(SITE)

        for case_class in (Inside, InSetUp, Method):
            with self.subTest(case_class=case_class.__name__):
                self.check(case_class, skipped=1)

    def test_a_test_that_was_skipped_is_not_checked_with_a_result_of_another_kind(self):
        class OtherResult:
            """One that keeps no lists, as that of pytest."""

            shouldStop = failfast = False

            def __getattr__(self, name):
                return lambda *args: events.append(name)

        class Case(StrictCase):
            async def test(self):
                self.mock.get(SITE)
                self.skipTest("inside")

        events = []
        Case("test").run(OtherResult())
        self.assertEqual([name for name in events if name.startswith("add") and name != "addDuration"], ["addSkip"])

    def test_strictness_is_checked_after_the_last_cleanup(self):
        class Case(StrictCase):
            def setUp(self):
                self.addAsyncCleanup(get)

            async def test(self):
                self.mock.get(SITE)

        self.check(Case)

    def test_strictness_sees_what_a_cleanup_asks_for(self):
        class Case(StrictCase):
            async def test(self):
                self.addAsyncCleanup(swallow)

        self.check_message(Case, self.UNMATCHED + "    No mocks are registered.\n" + self.CALL)

    def test_a_strict_failure_is_the_failure_exception_of_the_test_case(self):
        class Case(StrictCase):
            class failureException(Exception):
                pass

            async def test(self):
                self.mock.get(SITE)

        [output] = self.check(Case, failures=1)["failures"]
        self.assertIn("failureException: " + self.UNUSED, output)

    def test_debug_raises_a_strict_failure(self):
        class Case(StrictCase):
            async def test(self):
                self.mock.get(SITE)

        case = Case("test")
        # Not by assertRaises: it clears the frames of the traceback, one of which Python 3.10 still needs.
        try:
            case.debug()
        except AssertionError as error:
            self.assertEqual(str(error), self.UNUSED + "There were no calls.")
        else:
            self.fail("debug() must raise")
        self.assertFalse(hooks_are_in_place())
        # unittest leaves the loop of a failed debug() run open, for the debugger, and has no public name to close it.
        tear_down = getattr(case, "_tearDownAsyncioRunner", None) or case._tearDownAsyncioLoop
        tear_down()


class ClientSessionTest(unittest.TestCase):
    def test_a_session_is_closed_at_the_end_of_the_test(self):
        sessions = []

        class Case(AioResponsesTestCase):
            async def test(self):
                sessions.append(self.client_session())
                sessions.append(self.client_session(headers={"X-Id": "7"}))
                self.mock.get(SITE)
                await sessions[1].get(SITE)
                self.assertRequestHeaders({"X-Id": "7"})
                self.assertEqual([session.closed for session in sessions], [False, False])
                self.assertIsInstance(sessions[0], aiohttp.ClientSession)

            async def test_failing(self):
                sessions.append(self.client_session())
                self.fail()

        result, _ = run(Case)
        self.assertTrue(result.wasSuccessful(), result)
        self.assertEqual([session.closed for session in sessions], [True, True])
        result, _ = run(Case, "test_failing")
        self.assertEqual((len(result.failures), result.errors), (1, []))
        self.assertTrue(sessions[2].closed)

    def test_a_session_is_open_in_cleanups_that_were_added_later(self):
        seen = []

        class Case(AioResponsesTestCase):
            async def test(self):
                session = self.client_session()
                self.addCleanup(lambda: seen.append(session.closed))

        run(Case)
        self.assertEqual(seen, [False])


class PlainMixin(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.made_by_mixin = True


class MixedBeforeTest(PlainMixin, AioResponsesTestCase):
    async def test_a_mixin_before_the_test_case(self):
        self.mock.get(SITE, body="x")
        self.assertEqual((await get(), self.made_by_mixin), ("x", True))


class MixedAfterTest(AioResponsesTestCase, PlainMixin):
    async def test_a_mixin_behind_the_test_case(self):
        self.mock.get(SITE, body="x")
        self.assertEqual((await get(), self.made_by_mixin), ("x", True))


class OwnMockTest(unittest.TestCase):
    """A test has a mock of its own at self.mock, or stops the one that it has."""

    def check_passes(self, case_class, tests=1):
        result, left_behind = run(case_class)
        self.assertEqual((result.testsRun, result.errors, result.failures, left_behind), (tests, [], [], False))

    def test_a_mock_that_set_up_puts_there(self):
        class Case(AioResponsesTestCase):
            def setUp(self):
                self.mock = aioresponses()
                self.mock.start()
                self.addCleanup(self.mock.stop)

            async def test(self):
                self.mock.get(SITE, body="x")
                self.assertEqual(await get(), "x")

        self.check_passes(Case)

    def test_a_mock_of_a_with_statement(self):
        class Case(AioResponsesTestCase):
            async def test(self):
                with aioresponses() as self.mock:
                    self.mock.get(SITE, body="x")
                    self.assertEqual(await get(), "x")

        self.check_passes(Case)

    def test_the_mock_is_stopped_or_thrown_away(self):
        class Stopped(AioResponsesTestCase):
            async def test(self):
                self.mock.stop()

        class ThrownAway(AioResponsesTestCase):
            async def test(self):
                del self.mock

        for case_class in (Stopped, ThrownAway):
            self.check_passes(case_class)

    def test_the_strict_check_of_the_test_s_own_mock_stays(self):
        class Case(AioResponsesTestCase):
            strict = True

            async def test(self):
                self.mock.get(SITE)
                self.mock = None

        result, _ = run(Case)
        self.assertEqual(len(result.failures), 1)


class WebhookTest(AioResponsesTestCase, AioHTTPTestCase):
    """The service that is mocked calls the application under test, which called it."""

    async def get_application(self):
        async def hook(request):
            return web.Response(text="hooked")

        application = web.Application()
        application.router.add_get("/hook", hook)
        return application

    async def test_the_application_is_reached_within_a_callback(self):
        async def callback(url, **kwargs):
            async with self.client.get("/hook") as response:
                seen.append(await response.text())

        seen = []
        self.mock.get(SITE, callback=callback, body="x")
        self.assertEqual((await get(), seen, self.mock.call_count), ("x", ["hooked"], 1))


async def hello(request):
    return web.Response(text="from the network")


class PassthroughTest(AioResponsesTestCase):
    passthrough = ["http://127.0.0.1"]

    async def test_passthrough_is_configured_by_a_class_attribute(self):
        application = web.Application()
        application.router.add_get("/", hello)
        async with TestServer(application) as server:
            self.mock.get(SITE, body="from the mock")
            self.assertEqual(await get(server.make_url("/")), "from the network")
            self.assertEqual(await get(), "from the mock")


class PassthroughUnmatchedTest(AioResponsesTestCase):
    passthrough_unmatched = True

    async def test_passthrough_unmatched_is_configured_by_a_class_attribute(self):
        application = web.Application()
        application.router.add_get("/", hello)
        async with TestServer(application) as server:
            self.assertEqual(await get(server.make_url("/")), "from the network")
            self.mock.get(server.make_url("/"), body="from the mock")
            self.assertEqual(await get(server.make_url("/")), "from the mock")


class SharedSessionTest(AioResponsesTestCase):
    """One session, made in the first test, serves tests that have loops of their own."""

    session = None

    async def use(self):
        if SharedSessionTest.session is None:
            SharedSessionTest.session = aiohttp.ClientSession()
        self.mock.post(SITE, payload={"n": 1})
        response = await SharedSessionTest.session.post(SITE, json={})
        self.assertEqual(await response.json(), {"n": 1})

    async def test_a_shared_session_on_one_loop(self):
        await self.use()

    async def test_a_shared_session_on_another_loop(self):
        await self.use()

    async def test_a_shared_session_on_a_third_loop(self):
        await self.use()

    @classmethod
    def tearDownClass(cls):
        async def use_and_close():
            with aioresponses() as mock:
                mock.get(SITE, body="x")
                async with cls.session.get(SITE) as response:
                    text = await response.text()
            await cls.session.close()
            cls.session = None  # The tests may run once more.
            return text

        if asyncio.run(use_and_close()) != "x":
            raise AssertionError
