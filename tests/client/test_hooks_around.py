"""Requests that go around the first hook."""

import asyncio
from unittest.mock import patch

from aiohttp import BaseConnector, ClientConnectionError, ClientSession, TCPConnector, web

from aioresponses import AioResponsesTestCase, aioresponses

from ..servers import ServerTestCase
from ..support import AIOHTTP, SITE, needs_own_request, text_of


def put_on(session, request):
    """Replace the method of one session; in Python's development mode, aiohttp warns of a plain assignment."""
    vars(session)["_request"] = request


@needs_own_request
class AroundTheFirstHookTest(ServerTestCase):
    """A request whose `_request` was fetched or replaced before the mock began is seen where it connects."""

    async def asyncSetUp(self):
        self.server_calls = 0

        async def count(request):
            self.server_calls += 1
            return web.Response(text="real")

        self.url = str(await self.serve(web.route("*", "/{path:.*}", count)))
        self.session = ClientSession()
        self.addAsyncCleanup(self.session.close)
        # A rate limiter put on one session.
        original = self.session._request

        async def limited(*args, **kwargs):
            return await original(*args, **kwargs)

        put_on(self.session, limited)

    async def test_a_request_around_the_first_hook_is_answered_by_a_mock(self):
        with aioresponses() as mock:
            handle = mock.post(self.url, body="mocked")
            async with self.session.post(self.url, json={"a": 1}) as response:
                self.assertEqual(await response.text(), "mocked")
            [call] = mock.calls
        self.assertEqual(self.server_calls, 0)
        self.assertEqual((call.method, call.url, call.json()), ("POST", self.url, {"a": 1}))
        self.assertIs(call.match, handle)
        self.assertIs(call.response, response)
        self.assertIsNotNone(call.ended)
        self.assertEqual(str(call), f"POST {self.url} -> 200")

    async def test_a_request_around_the_first_hook_is_refused_where_no_mock_answers(self):
        with aioresponses() as mock:
            with self.assertRaises(ClientConnectionError) as caught:
                await self.session.get(self.url)
            [call] = mock.unmatched_calls
        self.assertEqual(self.server_calls, 0)
        self.assertEqual(str(caught.exception), f"Connection refused: GET {self.url}")
        self.assertEqual((call.method, call.url, call.unmatched), ("GET", self.url, True))
        self.assertIs(call.exception, caught.exception)

    async def test_a_request_around_the_first_hook_is_recorded_with_what_the_mock_raised(self):
        error = asyncio.TimeoutError()
        with aioresponses() as mock:
            mock.get(self.url, exception=error)
            with self.assertRaises(asyncio.TimeoutError):
                await self.session.get(self.url)
            [call] = mock.calls
        self.assertIsNone(call.response)
        self.assertIs(call.exception, error)
        self.assertEqual(str(call), f"GET {self.url} -> raised TimeoutError")

    async def test_a_request_around_the_first_hook_is_recorded_where_it_passes_through(self):
        with aioresponses(passthrough=["http://127.0.0.1"]) as mock:
            async with self.session.get(self.url) as response:
                self.assertEqual(await response.text(), "real")
        self.assertEqual(self.server_calls, 1)
        self.assertEqual([str(call) for call in mock.calls], [f"GET {self.url} -> 200"])

    async def test_a_request_is_recorded_once_where_a_connector_calls_its_base_class(self):
        class Connector(TCPConnector):
            async def connect(self, *args, **kwargs):
                return await super().connect(*args, **kwargs)

        async with ClientSession(connector=Connector()) as session:
            original = session._request

            async def limited(*args, **kwargs):
                return await original(*args, **kwargs)

            put_on(session, limited)
            with aioresponses(passthrough=["http://127.0.0.1"]) as mock:
                async with session.get(self.url) as response:
                    await response.read()
                self.assertEqual(mock.call_count, 1)

    async def test_a_redirect_makes_two_calls(self):
        with aioresponses() as mock:
            mock.get(self.url, status=302, headers={"Location": f"{self.url}there"})
            mock.get(f"{self.url}there", body="mocked")
            async with self.session.get(self.url) as response:
                self.assertEqual(await response.text(), "mocked")
            self.assertEqual(
                [str(call) for call in mock.calls], [f"GET {self.url} -> 302", f"GET {self.url}there -> 200"]
            )

    async def test_a_wrapper_of_the_class_that_came_before_the_mock_is_seen(self):
        original = ClientSession._request

        async def wrapper(session, *args, **kwargs):
            return await original(session, *args, **kwargs)

        with patch.object(ClientSession, "_request", wrapper), aioresponses() as mock:
            mock.get(SITE, body="mocked")
            async with ClientSession() as session:
                self.assertEqual(await text_of(session, SITE), "mocked")
            self.assertEqual([str(call) for call in mock.calls], [f"GET {SITE} -> 200"])

    async def test_a_connect_that_was_put_on_a_connector_is_seen(self):
        connector = TCPConnector()
        original = connector.connect

        async def limited(*args, **kwargs):
            return await original(*args, **kwargs)

        connector.connect = limited
        async with ClientSession(connector=connector) as session:
            with aioresponses() as mock:
                mock.get(self.url, body="mocked")
                self.assertEqual(await text_of(session, self.url), "mocked")
                with self.assertRaises(ClientConnectionError):
                    await session.get(self.url)
            self.assertIs(vars(connector)["connect"], limited)
            self.assertEqual(await text_of(session, self.url), "real")
        self.assertEqual(self.server_calls, 1)

    async def test_a_connector_class_with_a_connect_of_its_own_is_seen(self):
        base_connect = BaseConnector.connect

        class Connector(TCPConnector):
            async def connect(self, *args, **kwargs):
                return await base_connect(self, *args, **kwargs)

        original = ClientSession._request
        async with ClientSession(connector=Connector()) as session:
            with aioresponses() as mock:
                mock.get(self.url, body="mocked")
                async with await original(session, "GET", self.url) as response:
                    self.assertEqual(await response.text(), "mocked")
        self.assertEqual(self.server_calls, 0)

    async def test_a_task_that_outlives_its_call_makes_calls_of_its_own(self):
        if AIOHTTP < (3, 12):
            return  # Client middlewares came with aiohttp 3.12.
        tasks = []

        async def send_twice(request, handler):
            async def later():
                await ended.wait()
                response = await handler(request)
                return await response.text()

            tasks.append(asyncio.create_task(later()))
            return await handler(request)

        ended = asyncio.Event()
        async with ClientSession(middlewares=[send_twice]) as session:
            with aioresponses() as mock:
                mock.get(self.url, body="first")
                mock.get(self.url, body="second")
                self.assertEqual(await text_of(session, self.url), "first")
                ended.set()
                self.assertEqual(await tasks[0], "second")
                self.assertEqual([str(call) for call in mock.calls], [f"GET {self.url} -> 200"] * 2)


@needs_own_request
class SwallowedTest(AioResponsesTestCase):
    async def test_a_request_that_goes_around_the_first_hook_is_answered_in_the_test_case(self):
        session = self.client_session()
        put_on(session, session._request)  # Fetched while the mock is active: the hook itself.
        self.mock.get(SITE, body="mocked")
        self.assertEqual(await text_of(session, SITE), "mocked")
        self.assertEqual(self.mock.call_count, 1)
