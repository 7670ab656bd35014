"""Where calls may have gone that an assertion misses: to another mock, to another client, or nowhere."""

import gc
import sys
import types
import unittest
import warnings
from unittest.mock import patch

from aiohttp import web

from aioresponses import AioResponsesTestCase, CallCountAssertionsMixin, aioresponses

from ..support import SITE, MessageTestCase, get

CLIENTS = ("httpx", "requests", "urllib3", "niquests", "curl_cffi", "pycurl")


left_behind = aioresponses()
left_behind.get(SITE)


class OtherMockTest(MessageTestCase):
    async def test_the_inner_mock_has_the_calls(self):
        with aioresponses() as inner:
            inner.get(SITE, repeat=True)
            await get()
            await get()
            others = (
                "There were no calls.\n"
                "Another aioresponses is active and has 2 calls; use the same one for everything:\n"
                "  GET http://example.com/ -> 200\n"
                "  GET http://example.com/ -> 200"
            )
            self.check_fails(f"Expected 1 call to {SITE}, but there were none.\n{others}", self.assertCalledOnce, SITE)
            self.check_fails(f"Expected at least one call.\n{others}", self.mock.assert_called)

    async def test_the_outer_mock_has_the_calls(self):
        self.mock.get(SITE)
        await get()
        with aioresponses() as inner:
            self.check_fails(
                "Expected at least one call.\n"
                "There were no calls.\n"
                "Another aioresponses is active and has 1 call; use the same one for everything:\n"
                "  GET http://example.com/ -> 200",
                inner.assert_called,
            )

    async def test_a_mock_that_was_stopped_has_the_calls(self):
        with aioresponses() as inner:
            inner.get(SITE)
            await get()
        others = (
            "There were no calls.\n"
            "Another aioresponses, which has been stopped, has 1 call; use the same one for everything:\n"
            "  GET http://example.com/ -> 200"
        )
        self.check_fails(f"Expected 1 call to {SITE}, but there were none.\n{others}", self.assertCalledOnce, SITE)
        self.check_fails(f"Expected at least one call.\n{others}", self.mock.assert_called)
        inner.reset()
        self.check_fails("Expected at least one call.\nThere were no calls.", self.mock.assert_called)

    async def test_only_the_mock_that_was_stopped_last_is_looked_at_and_only_while_it_exists(self):
        with aioresponses() as inner:
            inner.get(SITE)
            await get()
        with aioresponses():
            pass
        self.check_fails("Expected at least one call.\nThere were no calls.", self.mock.assert_called)
        with inner:
            pass
        self.assertIn("Another aioresponses, which has been stopped", self.message(self.mock.assert_called))
        inner.start()
        self.assertIn("Another aioresponses is active and", self.message(self.mock.assert_called))
        inner.stop()
        del inner
        gc.collect()
        self.check_fails("Expected at least one call.\nThere were no calls.", self.mock.assert_called)

    async def test_a_mock_that_was_stopped_before_is_not_mentioned(self):
        outer, inner = aioresponses(), aioresponses()
        inner.get(SITE)
        with outer, inner:
            await get()
        with outer, self.assertRaises(AssertionError) as raised:
            outer.assert_called()
        self.assertNotIn("1 call", str(raised.exception))

    async def test_a_mock_that_was_never_started(self):
        mock = aioresponses()
        await self.send_unmatched()
        self.check_fails(
            "Expected at least one call.\n"
            "There were no calls.\n"
            "Another aioresponses is active and has 1 call; use the same one for everything:\n"
            "  GET http://example.com/ -> no mock answered",
            mock.assert_called,
        )

    async def test_the_first_of_many_calls_are_shown(self):
        with aioresponses() as inner:
            inner.get(SITE, repeat=True)
            for _ in range(25):
                await get()
            message = self.message(self.assertCalled)
        self.assertEqual(message.count("GET http://example.com/ -> 200"), 20)
        self.assertTrue(message.endswith("  … and 5 more"), message)

    async def test_another_mock_without_calls_is_not_mentioned(self):
        with aioresponses():
            self.check_fails("Expected a call, but there were none.\nThere were no calls.", self.assertCalled)

    async def test_another_mock_is_not_mentioned_beside_calls(self):
        self.mock.get(SITE)
        await get()
        with aioresponses() as inner:
            inner.get(SITE)
            await get()
            self.check_fails(
                "Expected 2 calls, but there was 1.\nCalls:\n  1. GET http://example.com/ -> 200",
                self.assertCallCount, 2,
            )


class NotActiveTest(AioResponsesTestCase):
    assert_all_mocked = False
    maxDiff = None

    async def refusal(self):
        with self.assertRaises(Exception) as raised:
            await get()
        return raised.exception.__notes__

    async def test_mocks_of_one_that_was_not_started(self):
        idle = aioresponses()
        idle.get(SITE)
        idle.post(SITE, repeat=True)
        self.assertEqual(
            await self.refusal(),
            [
                "aioresponses: no mock answers GET http://example.com/\n"
                "No mocks are registered.\n"
                "Another aioresponses has 2 mocks, but is not active; start it, or register with the active one (in an "
                "AioResponsesTestCase, the self.mock that it makes):\n"
                "  GET http://example.com/\n"
                "  POST http://example.com/"
            ],
        )
        idle.start()
        self.assertEqual(await get(), "")
        idle.stop()

    async def test_a_websocket_of_one_that_was_not_started(self):
        idle = aioresponses()
        idle.websocket("ws://example.com/ws")
        [note] = await self.refusal()
        self.assertEqual(note.splitlines()[-1], "  GET ws://example.com/ws")
        self.assertEqual(len(idle.unused_mocks), 1)

    async def test_an_application_of_one_that_was_not_started(self):
        idle = aioresponses()
        mount = idle.mount(SITE, web.Application())
        self.assertEqual(
            await self.refusal(),
            [
                "aioresponses: no mock answers GET http://example.com/\n"
                "No mocks are registered.\n"
                "Another aioresponses has 1 mock, but is not active; start it, or register with the active one (in an "
                "AioResponsesTestCase, the self.mock that it makes):\n"
                "  application at http://example.com/"
            ],
        )
        idle.get(SITE)
        [note] = await self.refusal()
        self.assertEqual(note.splitlines()[-2:], ["  GET http://example.com/", "  application at http://example.com/"])
        mount.remove()
        [note] = await self.refusal()
        self.assertEqual(note.splitlines()[-1], "  GET http://example.com/")

    async def test_one_that_is_gone_is_not_mentioned(self):
        aioresponses().get(SITE)
        self.assertEqual(
            await self.refusal(), ["aioresponses: no mock answers GET http://example.com/\nNo mocks are registered."]
        )

    async def test_one_that_an_earlier_test_left_behind_is_not_mentioned(self):
        self.assertEqual(len(left_behind.unused_mocks), 1)
        self.assertEqual(
            await self.refusal(), ["aioresponses: no mock answers GET http://example.com/\nNo mocks are registered."]
        )

    async def test_one_that_was_stopped_has_no_mocks(self):
        idle = aioresponses()
        idle.get(SITE)
        idle.start()
        idle.stop()
        self.assertEqual(
            await self.refusal(), ["aioresponses: no mock answers GET http://example.com/\nNo mocks are registered."]
        )


class OtherClientTest(MessageTestCase):
    def check(self, imported, line):
        others = {name: None for name in CLIENTS if name in sys.modules}
        with patch.dict(sys.modules, {name: types.ModuleType(name) for name in imported}):
            for name in others.keys() - set(imported):
                del sys.modules[name]
            self.check_fails(
                "\n".join(["Expected a call, but there were none.", "There were no calls.", *line]), self.assertCalled
            )

    def test_only_aiohttp_is_imported(self):
        self.check([], [])

    def test_another_client_is_imported(self):
        for name in CLIENTS:
            with self.subTest(name):
                self.check(
                    [name], [f"Only requests of aiohttp's client are seen, not those made with {name}."]
                )

    def test_two_other_clients_are_imported(self):
        self.check(
            ["requests", "httpx"],
            ["Only requests of aiohttp's client are seen, not those made with httpx or requests."],
        )

    async def test_another_client_is_not_mentioned_beside_calls(self):
        await self.send()
        with patch.dict(sys.modules, {"httpx": types.ModuleType("httpx")}):
            self.check_fails(
                "Expected 2 calls, but there was 1.\nCalls:\n  1. GET http://example.com/ -> 200",
                self.assertCallCount, 2,
            )


class NeverAwaitedTest(unittest.TestCase):
    def test_python_warns_of_a_coroutine_that_is_never_awaited(self):
        class Case(CallCountAssertionsMixin, unittest.TestCase):
            def test(self):
                with aioresponses() as self.mock:
                    self.mock.get(SITE)
                    get()
                    self.assertCalled(SITE)

        result = unittest.TestResult()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            Case("test").run(result)
            gc.collect()
        self.assertEqual([str(one.message) for one in caught], ["coroutine 'get' was never awaited"])
        [[_, traceback]] = result.failures
        message = f"Expected a call to {SITE}, but there were none.\nThere were no calls."
        self.assertTrue(traceback.endswith(f"AssertionError: {message}\n"), traceback)
