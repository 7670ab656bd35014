import asyncio
import re
import unittest

from aiohttp import (
    ClientConnectionError, ClientConnectorError, ClientSession, InvalidURL, ServerDisconnectedError, TraceConfig, web,
)

from aioresponses import AioResponsesTestCase, Fault, aioresponses
from aioresponses.websockets import Expect

from ..servers import ServerTestCase, fetch
from ..support import (
    CREATED, REUSED, SITE, USERS, about_connections, hooks_are_in_place, needs_middlewares, outcome_of,
    text_of, traced,
)

OTHER = "http://other.example.com/"
WHY = "not known: mock.connector() sees only requests."
INSTEAD = "Look at the headers, body, text() and json() of the call."


class OwnConnectorTestCase(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.mock = aioresponses()
        self.session = self.new_session()

    def new_session(self, limits={}, **options):
        session = ClientSession(connector=self.mock.connector(**limits), **options)
        self.addAsyncCleanup(session.close)
        return session


class OwnConnectorTest(OwnConnectorTestCase):
    async def test_a_mock_that_was_never_started_answers(self):
        self.mock.post(SITE, status=201, payload={"id": 7})
        async with self.session.post(SITE, json={"name": "Ada"}) as response:
            self.assertEqual((response.status, await response.json()), (201, {"id": 7}))
        [call] = self.mock.calls
        self.assertEqual((call.method, call.url, call.json(), call.response), ("POST", SITE, {"name": "Ada"}, response))
        self.assertFalse(self.mock.active)
        self.assertFalse(hooks_are_in_place())

    async def test_and_so_does_one_that_is_active_which_records_once(self):
        with self.mock:
            self.mock.get(SITE, body="x", repeat=True)
            self.assertEqual(await text_of(self.session), "x")
            async with ClientSession() as another:
                self.assertEqual(await text_of(another), "x")
            self.assertEqual(self.mock.call_count, 2)

    async def test_it_is_offered_to_this_mock_alone(self):
        self.mock.get(SITE, body="own")
        with aioresponses() as outer, aioresponses() as inner:
            outer.get(SITE, body="outer", repeat=True)
            inner.get(SITE, body="inner", repeat=True)
            self.assertEqual(await text_of(self.session), "own")
            self.assertEqual((await outcome_of(self.session))[1], f"Connection refused: GET {SITE}")
        self.assertEqual((outer.call_count, inner.call_count, self.mock.call_count), (0, 0, 2))
        self.assertEqual(len(self.mock.unmatched_calls), 1)

    async def test_hops_of_one_call_are_grouped(self):
        self.mock.get(SITE, status=302, headers={"Location": USERS}, repeat=True)
        self.mock.get(USERS, body="there", repeat=True)
        self.assertEqual(await asyncio.gather(*(text_of(self.session) for _ in range(20))), ["there"] * 20)
        self.assertEqual(
            [[hop.url for hop in call.hops] for call in self.mock.calls], [[SITE, USERS]] * 20
        )

    async def test_calls_of_one_task_are_calls_of_their_own(self):
        self.mock.get(SITE, repeat=True)
        for _ in range(20):
            await text_of(self.session)
        self.assertEqual([len(call.hops) for call in self.mock.calls], [1] * 20)

    @needs_middlewares
    async def test_a_call_within_a_middleware_is_one_of_its_own(self):
        async def fetches_token(request, handler):
            if request.url.path == "/":
                await text_of(self.session, USERS)
                response = await handler(request)
                response.release()
            return await handler(request)

        self.session = self.new_session(middlewares=(fetches_token,))
        self.mock.get(SITE, repeat=True)
        self.mock.get(USERS, repeat=True)
        await text_of(self.session)
        # A connector sees a call when its first request comes.
        self.assertEqual([[hop.url for hop in call.hops] for call in self.mock.calls], [[USERS], [SITE, SITE]])

    async def test_an_exception_that_is_registered_is_raised_twice_where_aiohttp_tries_twice(self):
        error = ServerDisconnectedError("once")
        self.mock.get(SITE, exception=error)
        with self.assertRaises(ServerDisconnectedError) as raised:
            await self.session.get(SITE)
        self.assertIs(raised.exception, error)
        self.assertEqual(self.mock.call_count, 1)

    async def test_faults_handlers_and_applications(self):
        async def hello(request):
            return web.Response(text=f"hello {request.path}")

        app = web.Application()
        app.router.add_get("/users", hello)
        self.mock.get(OTHER, fault=Fault.CONNECTION_REFUSED)
        self.mock.get(SITE, handler=hello)
        self.mock.mount(SITE, app)
        self.assertEqual((await outcome_of(self.session, url=OTHER))[0], ClientConnectorError)
        self.assertEqual(await text_of(self.session), "hello /")
        self.assertEqual(await text_of(self.session, USERS), "hello /users")
        await self.mock.aclose()
        self.assertEqual((await outcome_of(self.session, url=USERS))[0], 200)
        await self.mock.aclose()

    async def test_the_end_of_the_mock_ends_its_connections_and_the_session_goes_on(self):
        async def waits(request):
            await asyncio.get_running_loop().create_future()

        self.mock.get(SITE, handler=waits)
        asking = asyncio.ensure_future(outcome_of(self.session))
        for _ in range(10):
            await asyncio.sleep(0)
        await self.mock.aclose()
        self.assertEqual(
            await asking, (ClientConnectionError, "aioresponses was stopped while this request was in flight")
        )
        self.mock.get(SITE, body="x")
        self.assertEqual(await text_of(self.session), "x")

    async def test_aclose_reports_a_script_that_has_failed_or_not_ended(self):
        async def handler(request):
            ws = web.WebSocketResponse()
            await ws.prepare(request)
            raise ValueError("no")

        async def leave(url):
            async with self.session.ws_connect(url) as ws:
                await ws.send_str("b")
                if url != OTHER:
                    await ws.receive()

        self.mock.websocket(SITE, [Expect("a")])
        self.mock.websocket(OTHER, [Expect("b"), Expect("c")])
        self.mock.get(USERS, handler=handler)
        for url, why in (
            (SITE, f"Script of GET {SITE} failed at step 1: expected 'a', got 'b'"),
            (OTHER, f"Script of GET {OTHER} failed at step 2: expected 'c', but the client has gone, with code 1000"),
            (USERS, f"Handler of GET {USERS} raised ValueError: no"),
        ):
            with self.subTest(url):
                await leave(url)
                with self.assertRaises(AssertionError) as raised:
                    await self.mock.aclose()
                self.assertEqual(str(raised.exception).splitlines()[0], why)
                await self.mock.aclose()

    async def test_aclose_checks_nothing_else_and_reports_no_failure_of_a_block_again(self):
        self.mock = aioresponses(strict=True)
        self.session = self.new_session()
        self.mock.get(USERS)
        self.mock.websocket(SITE, [Expect("b"), "ok"])
        await outcome_of(self.session, url=OTHER)
        async with self.session.ws_connect(SITE) as ws:
            await ws.send_str("b")
            await ws.receive()
        await self.mock.aclose()
        self.mock.clear()
        with self.assertRaisesRegex(AssertionError, "expected 'a', got 'b'"):
            async with self.mock:
                self.mock.websocket(SITE, [Expect("a")])
                async with self.session.ws_connect(SITE) as ws:
                    await ws.send_str("b")
                    await ws.receive()
        await self.mock.aclose()

    async def test_the_pool_and_the_limit_are_its_own(self):
        signals = {}
        self.mock.latency = 0
        self.session = self.new_session({"limit": 1}, trace_configs=[traced(signals)])
        self.mock.get(re.compile(".*"), repeat=True)
        await asyncio.gather(*(text_of(self.session, trace_request_ctx=name) for name in "ab"))
        self.assertEqual(
            about_connections(signals),
            {"a": CREATED, "b": ["on_connection_queued_start", "on_connection_queued_end", *REUSED]},
        )
        self.assertEqual(self.session.connector.limit, 1)

    async def test_a_closed_one_answers_no_more(self):
        await self.session.connector.close()
        self.mock.get(SITE)
        with self.assertRaises((ClientConnectionError, RuntimeError)):
            await self.session.get(SITE)
        self.assertEqual(self.mock.call_count, 0)

    async def test_keep_calls_and_conditions(self):
        self.mock = aioresponses(keep_calls=1)
        self.session = self.new_session()
        self.mock.post(SITE, match_json={"a": 1}, repeat=True)
        for _ in range(3):
            await text_of(self.session, SITE, "POST", json={"a": 1})
        self.assertEqual((len(self.mock.calls), self.mock.call_count), (1, 3))
        self.assertIn("match_json", (await outcome_of(self.session, "POST", SITE, json={"a": 2}))[1] + str(
            self.mock.unmatched_calls[0]._refusals
        ))


class UnknownArgumentsTest(OwnConnectorTestCase):
    async def test_what_it_cannot_know_it_says_where_it_is_asked(self):
        self.mock.post(SITE, repeat=True)
        await text_of(self.session, SITE, "POST", json={"a": 1})
        [call] = self.mock.calls
        self.assertEqual((call.args, call.kwargs), ((), {}))
        with self.assertRaises(KeyError) as raised:
            call.kwargs["json"]
        self.assertEqual(raised.exception.args, (f"json is {WHY} {INSTEAD}",))
        for assertion in (self.mock.assert_called_with, self.mock.assert_called_once_with):
            with self.assertRaises(AssertionError) as raised:
                assertion(SITE, "POST", json={"a": 1})
            self.assertEqual(
                str(raised.exception),
                f"The arguments of POST {SITE} are {WHY}\n{INSTEAD}\nCalls:\n  1. POST {SITE} -> 200",
            )
        with self.assertRaises(AssertionError) as raised:
            self.mock.assert_any_call(SITE, "POST", json={"a": 1})
        self.assertEqual(
            str(raised.exception).splitlines()[1:3], [f"The arguments of the last one are {WHY}", INSTEAD]
        )
        self.mock.assert_any_call(SITE, "POST")
        self.mock.assert_called_once()

    async def test_of_hops_as_well(self):
        self.mock.get(SITE, status=302, headers={"Location": USERS})
        self.mock.get(USERS)
        await text_of(self.session)
        for hop in self.mock.calls[0].hops:
            with self.assertRaises(KeyError):
                hop.kwargs["params"]


class PassingThroughTest(ServerTestCase):
    async def test_what_the_mock_lets_pass_goes_to_the_network(self):
        async def real(request):
            return web.Response(text="real")

        url = await self.serve(web.get("/", real))
        mock = aioresponses(passthrough=[str(url)])
        async with ClientSession(connector=mock.connector()) as session:
            for _ in range(2):
                self.assertEqual((await fetch(session, "GET", url)).body, b"real")
            self.assertEqual((mock.call_count, mock.unmatched_calls), (2, []))


class BesideTest(AioResponsesTestCase):
    async def test_proxies_that_are_no_urls_are_refused_as_by_a_real_connector(self):
        mock = aioresponses()
        self.mock.get(re.compile(".*"), repeat=True)
        mock.get(re.compile(".*"), repeat=True)
        async with ClientSession(connector=mock.connector()) as session:
            for one in (session, self.client_session()):
                for url in (SITE, "https://example.com/"):
                    with self.assertRaises(InvalidURL) as raised:
                        await one.get(url, proxy="InvalidUrl")
                    self.assertEqual(str(raised.exception), "InvalidUrl")
                    self.assertEqual(await text_of(one, url), "")

    async def test_traces_see_connections_once(self):
        config = TraceConfig()
        seen = []

        async def note(*args):
            seen.append("created")

        config.on_connection_create_end.append(note)
        mock = aioresponses()
        mock.get(SITE)
        async with ClientSession(connector=mock.connector(), trace_configs=[config]) as session:
            await text_of(session)
        self.assertEqual((seen, self.mock.call_count), (["created"], 0))
