"""What other code puts into the places of hooks, and takes away from there."""

import functools
import unittest
from unittest.mock import AsyncMock, patch

from aiohttp import BaseConnector, ClientConnectionError, ClientSession, TCPConnector, web

from aioresponses import aioresponses

from ..servers import ServerTestCase
from ..support import HOOKS, SITE, get, hooks_in_place, text_of


class Wrapper:
    """A method as some packages wrap it: bound by a descriptor of its own, and equal to what it wraps."""

    def __init__(self, wrapped, calls):
        self.__wrapped__ = wrapped
        self.calls = calls

    def __get__(self, instance, owner=None):
        def call(*args, **kwargs):
            self.calls.append((instance, args[0] if args else None))
            return self.__wrapped__(instance, *args, **kwargs)

        return call

    def __call__(self, *args, **kwargs):
        raise AssertionError("called without its owner")

    def __eq__(self, other):
        return self.__wrapped__ == other

    def __hash__(self):
        return hash(self.__wrapped__)


class ReplacedHooksTest(ServerTestCase):
    """Another package replaces what the hooks replace, and puts it back when it suits it."""

    def setUp(self):
        self.assertEqual(hooks_in_place(), [])
        self.addCleanup(lambda: self.assertEqual(hooks_in_place(), []))

    async def asyncSetUp(self):
        async def real(request):
            return web.Response(text="real")

        self.url = await self.serve(web.get("/", real))

    def wrapping(self, owner, name):
        """Return a patcher that wraps a hook in a function of another package."""
        current = vars(owner)[name]

        @functools.wraps(current)
        def wrapper(*args, **kwargs):
            return current(*args, **kwargs)

        return patch.object(owner, name, wrapper)

    async def check_that_all_works(self):
        self.assertEqual(await get(self.url), "real")
        with aioresponses() as mock:
            mock.get(self.url, body="mocked")
            self.assertEqual(await get(self.url), "mocked")
            with self.assertRaises(ClientConnectionError):
                await get(self.url)
        self.assertEqual(await get(self.url), "real")

    async def test_a_wrapper_that_is_put_back_after_the_mock_stopped(self):
        for owner, name in HOOKS:
            with self.subTest(name):
                mock = aioresponses()
                mock.start()
                patcher = self.wrapping(owner, name)
                patcher.start()
                mock.get(self.url, body="mocked")
                self.assertEqual(await get(self.url), "mocked")
                mock.stop()
                self.assertEqual(await get(self.url), "real")
                patcher.stop()
                await self.check_that_all_works()
                self.assertEqual(hooks_in_place(), [])

    async def test_a_wrapper_that_stays_longer_than_the_mock(self):
        for owner, name in HOOKS:
            with self.subTest(name):
                mock = aioresponses()
                mock.start()
                patcher = self.wrapping(owner, name)
                patcher.start()
                mock.stop()
                await self.check_that_all_works()
                patcher.stop()
                await self.check_that_all_works()
                self.assertEqual(hooks_in_place(), [])

    async def test_a_wrapper_that_was_there_before_the_mock(self):
        for owner, name in HOOKS:
            with self.subTest(name), self.wrapping(owner, name):
                there = vars(owner)[name]
                await self.check_that_all_works()
                self.assertIs(vars(owner)[name], there)

    async def test_a_descriptor_is_called_with_its_owner(self):
        for name in ("_request", "connect"):
            owner = ClientSession if name == "_request" else BaseConnector
            calls = []
            wrapper = Wrapper(vars(owner)[name], calls)
            with self.subTest(name), patch.object(owner, name, wrapper):
                async with ClientSession() as session:
                    with aioresponses(passthrough=[self.url.origin()]) as mock:
                        mock.get(SITE, body="mocked")
                        self.assertEqual(await text_of(session), "mocked")
                        self.assertEqual(await text_of(session, self.url), "real")
                    if name == "_request":
                        self.assertEqual(calls, [(session, "GET")] * 2)
                    else:
                        self.assertIs(calls[-1][0], session.connector)
                self.assertIs(vars(owner)[name], wrapper)

    async def test_a_descriptor_stays_where_it_was_put_while_a_mock_was_active(self):
        for name in ("_request", "connect"):
            owner = ClientSession if name == "_request" else BaseConnector
            original, calls = vars(owner)[name], []
            try:
                with self.subTest(name):
                    with aioresponses():
                        wrapper = Wrapper(vars(owner)[name], calls)
                        setattr(owner, name, wrapper)
                    for _ in range(2):
                        with aioresponses() as mock:
                            mock.get(SITE, body="mocked")
                            self.assertEqual(await get(SITE), "mocked")
                        self.assertIs(vars(owner)[name], wrapper)
                    self.assertEqual(await get(self.url), "real")
                    self.assertTrue(calls)
            finally:
                setattr(owner, name, original)


class OthersInThePlacesTest(unittest.IsolatedAsyncioTestCase):
    async def test_a_patched_connect_of_a_subclass_is_gone_when_the_mock_stops(self):
        mock = aioresponses()
        mock.start()
        async with ClientSession() as session:
            with patch.object(TCPConnector, "connect", side_effect=OSError):
                with self.assertRaises(OSError):
                    await session.get(SITE)
            mock.stop()
        self.assertEqual(hooks_in_place(), [])
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
        original = ClientSession._request
        with aioresponses():
            ClientSession._request = original
            with aioresponses() as inner:
                inner.get(SITE, payload=1)
                async with ClientSession() as session:
                    self.assertEqual(await text_of(session, SITE), "1")
        self.assertEqual(hooks_in_place(), [])

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
        self.assertEqual(hooks_in_place(), [])
