"""Calls that are forgotten: by `reset()`, by `keep_calls`, and by those who empty or replace `requests`."""

import asyncio
import gc
import tracemalloc
import unittest
import unittest.mock
import weakref

from aiohttp import ClientConnectionError, ClientSession

from aioresponses import AioResponsesTestCase, aioresponses

from ..support import SITE, USERS, AskingTestCase, get, text_of


def urls(mock):
    return [call.url for call in mock.calls]


class ResetTest(AskingTestCase):
    async def test_calls_are_forgotten_and_mocks_stay(self):
        once, twice, always = self.mock.get(USERS), self.mock.get(USERS, repeat=2), self.mock.get(SITE, repeat=True)
        requests = self.mock.requests
        for url in (USERS, USERS, SITE):
            await self.ask(url=url)
        self.mock.reset()
        self.assertIs(self.mock.requests, requests)
        self.assertEqual((requests, self.mock.calls, self.mock._responses), ({}, [], []))
        self.assertEqual((self.mock.called, self.mock.call_count, self.mock.call_args), (False, 0, None))
        for handle in (once, twice, always):
            self.assertEqual((handle.calls, handle.called, handle.call_count), ([], False, 0))
        self.assertEqual((once.remaining, twice.remaining, always.remaining), (0, 1, None))
        self.assertEqual(repr(twice), f"<RequestMatch GET {USERS}, used 1 of 2>")
        self.mock.assert_not_called()
        for url in (USERS, SITE):
            self.assertEqual(await self.ask(url=url), (200, ""))
        self.assertEqual((urls(self.mock), self.mock.call_count), ([USERS, SITE], 2))
        self.assertEqual((await self.ask(url=USERS))[0], ClientConnectionError)
        self.assertEqual([handle.call_count for handle in (once, twice, always)], [0, 1, 1])

    async def test_reset_of_a_dict_put_in_place_of_requests_before_calls_are_read(self):
        self.mock.get(SITE, repeat=True)
        await self.ask()
        self.mock.reset()
        self.assertEqual(self.mock.calls, [])
        own = self.mock.requests = {}
        await self.ask()
        self.assertEqual(len(own), 1)
        self.mock.reset()
        self.assertEqual((own, self.mock.requests is own), ({}, True))

    async def test_a_mock_that_is_used_up_was_used(self):
        self.mock.get(SITE)
        unused = self.mock.get(USERS)
        await self.ask()
        self.mock.reset()
        self.assertEqual(self.mock.unused_mocks, [unused])

    async def test_what_was_not_answered_is_forgotten_as_well(self):
        await self.ask()
        self.assertEqual(len(self.mock.unmatched_calls), 1)
        self.mock.reset()
        self.assertEqual(self.mock.unmatched_calls, [])

    async def test_a_call_that_is_on_its_way_is_forgotten(self):
        def callback(url, **kwargs):
            self.mock.reset()

        self.mock.get(SITE, callback=callback)
        self.assertEqual(await self.ask(), (200, ""))
        self.assertEqual((self.mock.calls, self.mock.call_count), ([], 0))

    async def test_calls_and_responses_are_freed(self):
        removed = self.mock.get(SITE)
        await self.ask()
        removed.remove()
        [call] = self.mock.calls
        gone = weakref.ref(call.response), weakref.ref(removed)
        del call, removed
        self.mock.reset()
        gc.collect()
        self.assertEqual([one() for one in gone], [None, None])


class KeepCallsTest(unittest.IsolatedAsyncioTestCase):
    def mock(self, keep_calls, **options):
        mock = aioresponses(keep_calls=keep_calls, **options)
        mock.start()
        self.addCleanup(mock.stop)
        return mock

    async def test_the_last_ones_are_kept_and_all_are_counted(self):
        mock = self.mock(3)
        handle = mock.get(SITE + "{number}", repeat=True)
        for number in range(10):
            await get(f"{SITE}{number}")
            self.assertEqual(mock.call_count, number + 1)
            self.assertEqual(urls(mock), [f"{SITE}{kept}" for kept in range(max(0, number - 2), number + 1)])
        self.assertEqual(len(mock.requests), 3)
        self.assertEqual(handle.calls, mock.calls)
        self.assertEqual((handle.call_count, handle.called, len(mock._responses)), (10, True, 3))
        self.assertEqual(repr(handle), f"<RequestMatch GET {SITE}{{number}}, used 10 times>")
        self.assertEqual([call.match for call in mock.calls], [handle] * 3)
        self.assertEqual(mock.call_args.url, f"{SITE}9")

    async def test_a_mock_whose_calls_were_dropped_was_used(self):
        mock = self.mock(1)
        handle = mock.get(SITE)
        mock.get(USERS)
        await get(SITE)
        await get(USERS)
        self.assertEqual((handle.calls, handle.called, handle.remaining, mock.unused_mocks), ([], True, 0, []))

    async def test_calls_that_no_mock_answered_are_always_kept(self):
        mock = self.mock(1)
        mock.get(USERS, repeat=True)
        for number in range(3):
            with self.assertRaises(ClientConnectionError):
                await get(f"{SITE}{number}")
            await get(USERS)
        self.assertEqual(urls(mock), [f"{SITE}{number}" for number in range(3)] + [USERS])
        self.assertEqual((len(mock.unmatched_calls), mock.call_count), (3, 6))

    async def test_calls_that_raised_are_dropped_like_others(self):
        mock = self.mock(2)
        mock.get(SITE, exception=ValueError(), repeat=True)
        for _ in range(5):
            with self.assertRaises(ValueError):
                await get()
        self.assertEqual((len(mock.calls), mock.call_count), (2, 5))

    async def test_calls_in_flight_are_kept_besides(self):
        mock, go_on = self.mock(2), asyncio.Event()

        async def callback(call):
            await go_on.wait()

        mock.get(USERS, callback=callback)
        mock.get(SITE, repeat=True)
        asked = asyncio.ensure_future(get(USERS))
        await asyncio.sleep(0)
        for _ in range(5):
            await get()
        self.assertEqual(urls(mock), [USERS, SITE, SITE])
        go_on.set()
        await asked
        self.assertEqual((urls(mock), mock.call_count), ([USERS, SITE], 6))

    async def test_with_redirects_a_call_is_dropped_as_a_whole(self):
        mock = self.mock(1)
        first = mock.get(SITE, status=302, headers={"Location": "/users"}, repeat=True)
        second = mock.get(USERS, repeat=True)
        for _ in range(3):
            await get()
        [call] = mock.calls
        self.assertEqual([hop.url for hop in call.hops], [SITE, USERS])
        self.assertEqual(([len(each.calls) for each in (first, second)], mock.call_count), ([1, 1], 3))
        self.assertEqual([each.call_count for each in (first, second)], [3, 3])

    async def test_equal_calls_are_dropped_one_by_one(self):
        mock = self.mock(2)
        mock.get(SITE, repeat=True)
        for _ in range(3):
            await get()
        kept = mock.calls
        await get()
        self.assertIs(mock.calls[0], kept[1])

    async def test_each_nested_mock_keeps_as_many_calls_as_it_says(self):
        outer, inner = self.mock(2), self.mock(1)
        outer.get(SITE, repeat=True)
        for _ in range(4):
            await get()
        self.assertEqual([(len(mock.calls), mock.call_count) for mock in (outer, inner)], [(2, 4), (1, 4)])

    async def test_emptied_requests_forget_what_was_dropped_as_well(self):
        mock = self.mock(2)
        mock.get(SITE, repeat=True)
        for empty in (
            lambda: mock.requests.clear(),
            lambda: [calls.clear() for calls in mock.requests.values()],
            lambda: setattr(mock, "requests", {}),
            lambda: mock.requests.clear(),
            lambda: mock.reset(),
        ):
            for _ in range(5):
                await get()
            self.assertEqual((len(mock.calls), mock.call_count), (2, 5))
            empty()
            await get()
            self.assertEqual((len(mock.calls), mock.call_count), (1, 1))
            empty()
            mock.requests.clear()
            self.assertEqual((len(mock.calls), mock.call_count, mock.called), (0, 0, False))

    async def test_requests_that_are_replaced_for_a_while(self):
        mock = self.mock(1)
        mock.get(SITE, repeat=True)
        await get()
        await get()
        with unittest.mock.patch.object(mock, "requests", {}):
            self.assertEqual(mock.call_count, 0)
            for _ in range(3):
                await get()
            self.assertEqual((len(mock.calls), mock.call_count), (1, 3))
        self.assertEqual((len(mock.calls), mock.call_count), (1, 1))

    def test_many_calls_need_no_more_memory_than_few(self):
        async def ask(session, times):
            for _ in range(times):
                await text_of(session)
                await asyncio.sleep(0)
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        async def grown():
            with aioresponses(keep_calls=10) as mock:
                mock.get(SITE, repeat=True, payload={"name": "Ada"})
                async with ClientSession() as session:
                    before = await ask(session, 200)
                    return await ask(session, 1000) - before

        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        # One that is kept takes more than 3,000 bytes.
        self.assertLess(asyncio.run(grown()), 100_000)

    def test_wrong_numbers_are_refused(self):
        for wrong, error in ((0, ValueError), (-1, ValueError), (True, TypeError), (1.0, TypeError), ("1", TypeError)):
            with self.assertRaises(error) as raised:
                aioresponses(keep_calls=wrong)
            self.assertEqual(
                str(raised.exception), f"keep_calls: expected None, or an int of at least 1, got {wrong!r}"
            )

    def test_a_decorated_function_that_runs_within_itself_has_it_too(self):
        @aioresponses(keep_calls=1)
        def ask(times, mock):
            mock.get(SITE, repeat=True)
            for _ in range(3):
                asyncio.run(get())
            return [len(mock.calls), *(ask(times - 1) if times else [])]

        self.assertEqual(ask(1), [1, 1])


class OfTestCasesTest(AioResponsesTestCase):
    keep_calls = 2

    async def test_a_test_case_says_it_as_an_attribute(self):
        self.mock.get(SITE, repeat=True)
        for _ in range(3):
            await get()
        self.assertEqual((len(self.mock.calls), self.mock.call_count), (2, 3))

    def test_a_wrong_one_is_an_error_of_each_test(self):
        class Case(AioResponsesTestCase):
            keep_calls = 0

            def test(self):
                pass

        result = unittest.TestResult()
        Case("test").run(result)
        [(_, text)] = result.errors
        self.assertIn("keep_calls: expected None, or an int of at least 1, got 0", text)
