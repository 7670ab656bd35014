import asyncio
import io
import unittest

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from aioresponses import AioResponsesTestCase, aioresponses

ORIGINAL = vars(aiohttp.ClientSession)["_request"]
URL = "http://example.com/"


async def get(url=URL):
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as response:
            return await response.text()


def run(case_class, name="test"):
    """Run one test of a class that stands in a test; return its result, and whether a mock stayed behind."""
    result = unittest.TestResult()
    case = case_class(name)
    case.run(result)
    return result, vars(aiohttp.ClientSession)["_request"] is not ORIGINAL


class MockIsReadyTest(AioResponsesTestCase):
    def setUp(self):
        self.mock.get(URL, body="from setUp")

    async def asyncSetUp(self):
        self.assertEqual(await get(), "from setUp")
        self.mock.get(URL, body="from asyncSetUp")

    async def test_in_coroutine_functions(self):
        self.assertEqual(await get(), "from asyncSetUp")
        self.assertEqual(self.mock.call_count, 2)

    def test_in_plain_functions(self):
        self.assertEqual(asyncio.new_event_loop().run_until_complete(self.get_and_close_loop()), "from asyncSetUp")

    async def get_and_close_loop(self):
        self.addCleanup(asyncio.get_running_loop().close)
        return await get()

    async def test_until_the_last_cleanup(self):
        self.addAsyncCleanup(get)
        self.mock.get(URL, body="for the cleanup")
        self.assertEqual(await get(), "from asyncSetUp")

    async def test_each_time_a_new_one(self):
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

    def test_when_all_is_well(self):
        class Case(ForgetfulCase):
            async def test(self):
                self.mock.get(URL, body="x")
                self.assertEqual(await get(), "x")

        self.check(Case)

    def test_when_set_up_fails(self):
        class Plain(AioResponsesTestCase):
            def setUp(self):
                self.mock.get(URL)
                raise ValueError

            async def test(self):
                pass

        class Async(AioResponsesTestCase):
            async def asyncSetUp(self):
                await get()

            async def test(self):
                pass

        self.check(Plain, errors=1)
        self.check(Async, errors=1)

    def test_when_tear_down_or_a_cleanup_fails(self):
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

    def test_when_skipped(self):
        @unittest.skip("class")
        class SkippedClass(AioResponsesTestCase):
            async def test(self):
                pass

        class SkippedInside(AioResponsesTestCase):
            async def test(self):
                self.skipTest("inside")

        self.check(SkippedClass, skipped=1)
        self.check(SkippedInside, skipped=1)

    def test_when_failure_is_expected(self):
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

    def test_with_sub_tests(self):
        class Case(AioResponsesTestCase):
            async def test(self):
                for number in range(3):
                    with self.subTest(number=number):
                        self.mock.get(URL, body=str(number))
                        self.assertEqual(await get(), "1")

        self.check(Case, failures=2)

    def test_when_interrupted_from_the_keyboard(self):
        class Case(AioResponsesTestCase):
            def test(self):
                raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            run(Case)
        self.assertIs(vars(aiohttp.ClientSession)["_request"], ORIGINAL)

    def test_when_run_by_debug(self):
        class Case(AioResponsesTestCase):
            async def test(self):
                self.mock.get(URL, body="x")
                self.assertEqual(await get(), "x")

            async def test_failing(self):
                raise ValueError

        Case("test").debug()
        self.assertIs(vars(aiohttp.ClientSession)["_request"], ORIGINAL)
        failing = Case("test_failing")
        # Not by assertRaises: it clears the frames of the traceback, one of which Python 3.10 still needs.
        try:
            failing.debug()
        except ValueError:
            self.assertIs(vars(aiohttp.ClientSession)["_request"], ORIGINAL)
        else:
            self.fail("debug() must raise")
        # unittest leaves the loop of a failed debug() run open, for the debugger.
        tear_down = getattr(failing, "_tearDownAsyncioRunner", None) or failing._tearDownAsyncioLoop
        tear_down()

    def test_when_run_as_part_of_a_suite(self):
        class Case(ForgetfulCase):
            async def test(self):
                self.mock.get(URL, body="x")
                self.assertEqual(await get(), "x")

        stream = io.StringIO()
        result = unittest.TextTestRunner(stream).run(unittest.TestSuite([Case("test"), Case("test")]))
        self.assertEqual((result.testsRun, result.wasSuccessful()), (2, True))


class PlainMixin(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.made_by_mixin = True


class MixedBeforeTest(PlainMixin, AioResponsesTestCase):
    async def test_both_are_there(self):
        self.mock.get(URL, body="x")
        self.assertEqual((await get(), self.made_by_mixin), ("x", True))


class MixedAfterTest(AioResponsesTestCase, PlainMixin):
    async def test_both_are_there(self):
        self.mock.get(URL, body="x")
        self.assertEqual((await get(), self.made_by_mixin), ("x", True))


async def hello(request):
    return web.Response(text="from the network")


class PassthroughTest(AioResponsesTestCase):
    passthrough = ["http://127.0.0.1"]

    async def test_is_configured_by_a_class_attribute(self):
        application = web.Application()
        application.router.add_get("/", hello)
        async with TestServer(application) as server:
            self.mock.get(URL, body="from the mock")
            self.assertEqual(await get(server.make_url("/")), "from the network")
            self.assertEqual(await get(), "from the mock")


class PassthroughUnmatchedTest(AioResponsesTestCase):
    passthrough_unmatched = True

    async def test_is_configured_by_a_class_attribute(self):
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
        self.mock.post(URL, payload={"n": 1})
        response = await SharedSessionTest.session.post(URL, json={})
        self.assertEqual(await response.json(), {"n": 1})

    async def test_1(self):
        await self.use()

    async def test_2(self):
        await self.use()

    async def test_3(self):
        await self.use()

    @classmethod
    def tearDownClass(cls):
        async def use_and_close():
            with aioresponses() as mock:
                mock.get(URL, body="x")
                async with cls.session.get(URL) as response:
                    text = await response.text()
            await cls.session.close()
            return text

        if asyncio.run(use_and_close()) != "x":
            raise AssertionError
