"""Mocks that are registered, refused, taken out and forgotten."""

import re

import aiohttp
from yarl import URL

from aioresponses import AioResponsesTestCase, aioresponses

from .support import SITE, get


class RegisteringTest(AioResponsesTestCase):
    assert_all_mocked = False  # What no mock answers is looked at here.

    async def test_wrong_arguments_are_refused_and_nothing_is_registered(self):
        def answer():
            pass

        for kwargs, error, message in [
            ({"repeat": 0}, ValueError, "repeat: expected a bool, or an int of at least 1, got 0"),
            ({"repeat": -1}, ValueError, "repeat: expected a bool, or an int of at least 1, got -1"),
            ({"repeat": "2"}, TypeError, "repeat: expected a bool, or an int of at least 1, got '2'"),
            ({"repeat": None}, TypeError, "repeat: expected a bool, or an int of at least 1, got None"),
            ({"callback": 5}, TypeError, "callback: expected a function or a coroutine function, got 5"),
            (
                {"callback": answer}, TypeError,
                f"callback: expected a function that takes the call, or url and **kwargs, got {answer!r}, "
                "which takes no positional argument",
            ),
            ({"exception": "x"}, TypeError, "exception: expected an exception or a class of exceptions, got 'x'"),
            ({"exception": int}, TypeError, f"exception: expected an exception or a class of exceptions, got {int!r}"),
            ({"status": 99}, ValueError, "status: expected an int from 200 to 999, or 101, got 99"),
        ]:
            with self.subTest(**kwargs):
                with self.assertRaises(error) as raised:
                    self.mock.get(SITE, **kwargs)
                self.assertEqual((type(raised.exception), str(raised.exception)), (error, message))
                self.assertEqual(self.mock._matches, {})

    async def test_clear_forgets_mocks_and_leaves_requests(self):
        self.mock.get(SITE, repeat=True)
        await get()
        requests = dict(self.mock.requests)
        self.assertEqual(len(self.mock._responses), 1)
        self.mock.clear()
        self.assertEqual((self.mock._matches, self.mock._responses, self.mock.requests), ({}, [], requests))
        with self.assertRaises(aiohttp.ClientConnectionError):
            await get()

    async def test_matches_can_be_looked_through_and_taken_out(self):
        self.mock.get(SITE + "?b=1&a=2")
        self.mock.post(SITE)
        pattern = re.compile(".*")
        self.mock.put(pattern)
        self.assertEqual(
            [(match.method, match.url_or_pattern) for match in self.mock._matches.values()],
            [("get", URL(SITE + "?a=2&b=1")), ("post", URL(SITE)), ("put", pattern)],
        )
        for key, match in list(self.mock._matches.items()):
            if match.method == "get":
                del self.mock._matches[key]
        with self.assertRaises(aiohttp.ClientConnectionError):
            await get(SITE + "?a=2&b=1")

    async def test_a_mock_that_is_used_up_is_no_longer_among_the_matches(self):
        self.mock.get(SITE, repeat=2)
        lengths = []
        for _ in range(2):
            await get()
            lengths.append(len(self.mock._matches))
        self.assertEqual(lengths, [1, 0])

    async def test_stop_forgets_mocks_and_leaves_requests(self):
        with aioresponses() as mock:
            mock.get(SITE, repeat=True)
            await get()
        self.assertEqual((mock._matches, mock._responses, mock.call_count), ({}, [], 1))
