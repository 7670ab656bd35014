"""What a test leaves behind is freed when it goes, and not by the garbage collector."""

import asyncio
import gc
import traceback
import types
import unittest
import weakref

import aiohttp
from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, TraceConfig

from aioresponses import AioResponsesTestCase, CallbackResult, Fault, aioresponses

from ..support import SITE, USERS, AskingTestCase


def of_ours(thing):
    """Return the name of what is an object, a method or a function of the package; None for anything else."""
    if isinstance(getattr(thing, "__self__", None), unittest.TestCase):
        return None  # In the frames of unittest, which asyncio holds after a failure.
    thing = getattr(thing, "__func__", thing)
    named = thing if isinstance(thing, types.FunctionType) else type(thing)
    return named.__qualname__ if str(named.__module__).partition(".")[0] == "aioresponses" else None


def left_by(use):
    """Return what of ours the garbage collector finds after `use` was called."""
    use()  # What is made once is made now.
    gc.collect()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        use()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        return sorted(name for name in map(of_ours, gc.garbage) if name is not None)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        if was_enabled:
            gc.enable()
        gc.collect()


async def text(session, url=SITE, method="GET", **options):
    async with session.request(method, url, **options) as response:
        return await response.text()


async def attempt(session, url=SITE, method="GET", **options):
    """Ask, as code under test does that goes on where a request fails."""
    try:
        return await text(session, url, method, **options)
    except (Exception, asyncio.CancelledError):
        return None


def look_at_all(mock):
    for call in mock.calls:
        assert call.match is None or any(one is call for one in call.match.calls)
        assert [call.kwargs, call.headers, call.body, str(call), call.hops, call.response, call.exception]


class LeftTest(unittest.TestCase):
    """Each test uses a mock as fixtures do: no frame of the test has it in a variable."""

    def check(self, scenario, **options):
        """Check that nothing is left of a mock that has answered the requests of a scenario, looked at or not."""
        async def use(look):
            held = [aioresponses(**options)]
            held[0].start()
            try:
                async with ClientSession() as session:
                    await scenario(lambda *args, **kwargs: held[0].add(*args, **kwargs), session)
            finally:
                held[0].stop()
            look(held.pop())

        for look in (id, look_at_all):
            with self.subTest(look=look.__name__):
                self.assertEqual(left_by(lambda: asyncio.run(use(look))), [])

    def test_a_mock_without_calls(self):
        async def scenario(add, session):
            add(SITE)

        self.check(scenario)

    def test_plain_calls(self):
        async def scenario(add, session):
            add(SITE, body="x", repeat=True)
            add(USERS, "POST", payload={"id": 7})
            for _ in range(3):
                await text(session)
            await text(session, USERS, "POST", json={"name": ["Ada"]})

        self.check(scenario)

    def test_a_mock_that_was_removed_and_one_that_is_used_up(self):
        async def scenario(add, session):
            match = add(SITE, repeat=True)
            add(USERS)
            await text(session)
            await text(session, USERS)
            match.remove()

        self.check(scenario)

    def test_redirects(self):
        async def scenario(add, session):
            add(SITE, status=302, headers={"Location": "/users"})
            add(USERS)
            await text(session)

        self.check(scenario)

    def test_callbacks_conditions_and_streams(self):
        async def scenario(add, session):
            async def callback(call):
                await asyncio.sleep(0)
                return CallbackResult(body=str(call.match))

            async def generate():
                yield b"a"
                yield b"b"

            add(SITE, callback=callback, match=lambda call: call.method == "GET")
            add(SITE, "POST", body=generate, match_body=b"ab")
            add(SITE + "{name}", callback=lambda url, **kwargs: None)
            await text(session)
            await text(session, method="POST", data=generate())
            await text(session, USERS)

        self.check(scenario)

    def test_a_callback_that_refers_to_the_mock(self):
        def use():
            async def scenario():
                with aioresponses() as mock:
                    mock.get(SITE, callback=lambda call: CallbackResult(body=str(mock.call_count)))
                    async with ClientSession() as session:
                        await text(session)

            asyncio.run(scenario())

        self.assertEqual(left_by(use), [])

    def test_a_session_that_outlives_the_mock(self):
        def use():
            async def scenario():
                async with ClientSession() as session:
                    with aioresponses() as mock:
                        mock.get(SITE, body=bytes(2 ** 20))
                        await text(session)

            asyncio.run(scenario())

        self.assertEqual(left_by(use), [])

    # Calls that raise: the exception holds its traceback, and that holds the variables of all that it came through.

    def test_calls_that_no_mock_answers(self):
        async def scenario(add, session):
            add(USERS)
            await attempt(session)
            await attempt(session, proxy="http://proxy.example.com/")
            add(SITE, status=302, headers={"Location": "/x"})
            await attempt(session)

        self.check(scenario)

    def test_exceptions_of_mocks(self):
        async def scenario(add, session):
            # (In Python 3.13, a frame in a traceback leads to those that have called it, so none of them holds it.)
            for error in (
                ValueError, OSError, asyncio.TimeoutError, asyncio.CancelledError, aiohttp.ServerDisconnectedError,
                aiohttp.ClientPayloadError,
            ):
                add(SITE, exception=error())
                await attempt(session)
            add(SITE, timeout=True)
            await attempt(session)
            add(SITE, status=500)
            await attempt(session, raise_for_status=True)

        self.check(scenario)

    def test_callbacks_that_raise(self):
        async def scenario(add, session):
            def callback(url, **kwargs):
                raise ValueError("x")

            async def later(url, **kwargs):
                await asyncio.sleep(0)
                raise ValueError("x")

            add(SITE, callback=callback)
            await attempt(session)
            add(USERS, callback=later)
            await attempt(session, USERS)

        self.check(scenario)

    def test_faults_of_connections(self):
        async def scenario(add, session):
            # (A body that breaks off leaves a response that holds its exception: that is aiohttp's own.)
            for fault in set(Fault) - {Fault.HANG, Fault.TRUNCATED_BODY}:
                add("https://example.com/", fault=fault, repeat=2)
                for _ in range(2):
                    await attempt(session, "https://example.com/", timeout=ClientTimeout(sock_connect=0.01))

        self.check(scenario)

    def test_timeouts_and_calls_that_are_cancelled(self):
        async def scenario(add, session):
            add(SITE, fault=Fault.HANG, repeat=True)
            await attempt(session, timeout=ClientTimeout(total=0.01))
            task = asyncio.ensure_future(attempt(session))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            task.cancel()
            await task

        self.check(scenario)

    def test_calls_with_traces(self):
        async def scenario(add, session):
            for error in (OSError, ValueError):
                add(SITE, exception=error("x"))
                async with ClientSession(trace_configs=[TraceConfig()]) as traced:
                    await attempt(traced)

        self.check(scenario)

    def test_an_exception_that_assert_raises_has_caught(self):
        def use():
            async def scenario():
                with aioresponses() as mock:
                    async with ClientSession() as session:
                        with self.assertRaises(ClientConnectionError):
                            await session.get(SITE)
                    assert mock.calls[0].exception

            asyncio.run(scenario())

        self.assertEqual(left_by(use), [])


class AfterATestCaseTest(unittest.TestCase):
    def check(self, test, decorate=lambda case: case, **attributes):
        class Case(AioResponsesTestCase):
            test_it = test

        for name, value in attributes.items():
            setattr(Case, name, value)
        results = []

        def use():
            suite = unittest.TestSuite([decorate(Case)("test_it")])
            results.append(suite.run(unittest.TestResult()))

        self.assertEqual(left_by(use), [])
        result = results[-1]
        return len(result.failures), len(result.errors), len(result.skipped)

    async def passes(self):
        self.mock.get(SITE, body="x", repeat=True, callback=lambda call: self.assertCalled())
        await text(self.client_session())

    async def fails(self):
        await AfterATestCaseTest.passes(self)
        self.assertNotCalled()

    async def is_refused(self):
        await self.client_session().get(SITE)

    async def catches(self):
        try:
            await self.client_session().get(SITE)
        except ClientConnectionError:
            pass

    async def skips(self):
        await AfterATestCaseTest.passes(self)
        self.skipTest("enough")

    def test_a_test_that_passes(self):
        for attributes in ({}, {"strict": True}):
            self.assertEqual(self.check(self.passes.__func__, **attributes), (0, 0, 0))

    def test_a_test_that_makes_no_request(self):
        self.assertEqual(self.check(lambda case: None), (0, 0, 0))

    def test_a_test_that_fails(self):
        self.assertEqual(self.check(self.fails.__func__), (1, 0, 0))

    def test_a_test_that_is_refused_a_request(self):
        self.assertEqual(self.check(self.is_refused.__func__, assert_all_mocked=False), (0, 1, 0))

    def test_a_test_that_catches_what_a_request_raises(self):
        self.assertEqual(self.check(self.catches.__func__), (1, 0, 0))
        self.assertEqual(self.check(self.catches.__func__, assert_all_mocked=False), (0, 0, 0))

    def test_a_test_that_is_skipped(self):
        self.assertEqual(self.check(self.skips.__func__), (0, 0, 1))
        self.assertEqual(self.check(self.passes.__func__, unittest.skip("all of it")), (0, 0, 1))

    def test_whose_settings_are_wrong(self):
        self.assertEqual(self.check(self.passes.__func__, passthrough=[5]), (0, 1, 0))


class StillHeldTest(AskingTestCase):
    """The call of a handle is that of the mock, and the handle of a call is the one that was returned."""

    async def used(self):
        """Return a mock that is stopped, one call of each of its handles, and the handles."""
        mock = aioresponses()
        with mock:
            handles = [mock.get(USERS), mock.get(SITE, repeat=True)]
            for url in (USERS, SITE):
                self.assertEqual(await self.ask(url=url), (200, ""))
            handles[1].remove()
        self.assertFalse(mock.active)
        return mock, mock.calls, handles

    async def test_while_the_mock_is_held(self):
        mock, calls, handles = await self.used()
        names = [str(handle) for handle in handles]
        identities = [id(handle) for handle in handles]
        del handles
        self.assertEqual([str(call.match) for call in calls], names)
        self.assertEqual([id(call.match) for call in calls], identities)
        for call in calls:
            self.assertIs(call.match.calls[0], call)

    async def test_while_the_handles_are_held(self):
        mock, calls, handles = await self.used()
        gone = weakref.ref(mock)
        del mock
        self.assertIsNone(gone())
        for call, handle in zip(calls, handles):
            self.assertIs(call.match, handle)
            self.assertIs(handle.calls[0], call)
            handle.remove()  # Nothing is left to be taken out of.

    async def test_the_handle_is_unknown_afterwards(self):
        mock, calls, handles = await self.used()
        del mock, handles
        self.assertEqual([call.match for call in calls], [None, None])
        self.assertEqual([call.url for call in calls], [USERS, SITE])


class RaisedAgainTest(AskingTestCase):
    async def test_the_traceback_of_an_exception_does_not_grow(self):
        error = ValueError("x")
        self.mock.get(SITE, exception=error, repeat=True)
        lengths = set()
        for _ in range(5):
            try:
                await self.session.get(SITE)
            except ValueError as raised:
                self.assertIs(raised, error)
                lengths.add(len(traceback.extract_tb(raised.__traceback__)))
        self.assertEqual(len(lengths), 1)
