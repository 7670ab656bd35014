import asyncio
import functools
import unittest
from unittest.mock import AsyncMock, Mock, create_autospec

from aiohttp import (
    ClientConnectorError, ClientOSError, ClientPayloadError, ClientSession, ServerDisconnectedError, TraceConfig,
    WSMsgType, web,
)
from aiohttp.abc import AbstractView

from aioresponses import AioResponsesTestCase, CallbackResult, aioresponses

from ..support import (
    AIOHTTP, SITE, USERS, AskingTestCase, OutcomeTestCase, SwallowingTestCase, Uncaught, idle, large_bodies_allowed,
)

USER = "http://example.com/users/7"


async def hello(request):
    return web.Response(text="hello")


class Greeter:
    async def __call__(self, request):
        return web.Response(text="called")

    async def greet(self, request):
        return web.Response(text="bound")

    @classmethod
    async def of_class(cls, request):
        return web.Response(text="of the class")

    @staticmethod
    async def of_nothing(request):
        return web.Response(text="static")


class Spaced:
    async def __call__(self, request, end):
        return web.Response(text=f"called{end}")


class View(AbstractView):
    def __await__(self):
        return greet("greeted", self.request).__await__()


class Users(web.View):
    async def get(self):
        return web.Response(text=f"GET of {self.request.path}")

    async def post(self):
        return web.Response(text=f"POST of {await self.request.text()}")


async def greet(greeting, request):
    return web.Response(text=greeting)


class RegisteredHandlerTest(AskingTestCase):
    async def test_an_ordinary_handler_sees_what_its_template_stands_for(self):
        async def create(request):
            return web.json_response({"id": request.match_info["id"], **await request.json()}, status=201)

        self.mock.post("http://example.com/users/{id}", handler=create)
        answered = await self.ask("POST", USER, json={"name": "Ada"})
        self.assertEqual(answered, (201, '{"id": "7", "name": "Ada"}'))
        self.assertEqual(self.mock.calls[0].match_info, {"id": "7"})

    async def test_match_info_of_patterns_and_of_urls(self):
        import re

        async def infos(request):
            return web.json_response(dict(request.match_info))

        self.mock.get(re.compile(r"http://example\.com/users/(?P<user>\d+)"), handler=infos)
        self.mock.get(SITE, handler=infos)
        self.assertEqual([await self.ask(url=USER), await self.ask()], [(200, '{"user": "7"}'), (200, "{}")])

    async def test_every_kind_of_handler(self):
        kinds = {
            "hello": hello,
            "called": Greeter(),
            "bound": Greeter().greet,
            "of the class": Greeter.of_class,
            "static": Greeter.of_nothing,
            "hi": functools.partial(greet, "hi"),
            "GET of /": Users,
            "mocked": AsyncMock(return_value=web.Response(text="mocked")),
            "autospecced": create_autospec(hello, return_value=web.Response(text="autospecced")),
            "called ": functools.partial(functools.partial(Spaced(), end=" ")),
            "greeted": View,
        }
        for text, handler in kinds.items():
            with self.subTest(text):
                self.mock.get(SITE, handler=handler)
                self.assertEqual(await self.ask(), (200, text))

    async def test_in_replies_repeated_and_in_shortcuts(self):
        self.mock.get(SITE, replies=[{"handler": hello}, {"status": 500}], repeat=2)
        self.assertEqual(
            [status for status, _ in await self.ask_often(4)], [200, 500, 200, 500]
        )
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            getattr(self.mock, method.lower())(USERS, handler=hello, repeat=True)
            self.assertEqual(await self.ask(method, USERS), (200, "hello"))

    async def test_handlers_and_canned_replies_share_a_connection(self):
        self.mock.get(SITE, handler=hello, repeat=True)
        self.mock.get(USERS, body="canned", repeat=True)
        created = []

        async def note(*args):
            created.append(args)

        config = TraceConfig()
        config.on_connection_create_end.append(note)
        self.session = self.client_session(trace_configs=[config])
        for _ in range(3):
            self.assertEqual([await self.ask(), await self.ask(url=USERS)], [(200, "hello"), (200, "canned")])
        self.assertEqual(len(created), 1)

    async def test_500_at_once(self):
        async def echo(request):
            return web.Response(text=await request.text())

        self.mock.post(SITE, handler=echo, repeat=True)
        answered = await asyncio.gather(*(self.ask("POST", data=f"{number}") for number in range(500)))
        self.assertEqual(answered, [(200, f"{number}") for number in range(500)])

    async def test_the_body_may_be_larger_than_aiohttp_lets_applications_have_it(self):
        async def size(request):
            return web.Response(text=str(len(await request.read())))

        self.mock.post(SITE, handler=size)
        with large_bodies_allowed():
            self.assertEqual(await self.ask("POST", data=bytes(2 ** 20 - 1) + b"ab"), (200, str(2 ** 20 + 1)))

    async def test_it_asks_others_itself(self):
        async def relay(request):
            return web.Response(text=(await self.ask(url=USERS))[1])

        self.mock.get(SITE, handler=relay)
        self.mock.get(USERS, body="of another")
        self.assertEqual(await self.ask(), (200, "of another"))
        self.assertCallsEqual([("GET", SITE), ("GET", USERS)])

    async def test_the_latency_passes_before_it_is_called(self):
        loop = asyncio.get_running_loop()
        self.mock.latency = 0.05

        async def at(request):
            return web.Response(text=str(loop.time()))

        self.mock.get(SITE, handler=at)
        before = loop.time()
        self.assertGreaterEqual(float((await self.ask())[1]) - before, 0.05)

    async def test_headers_of_a_group_are_set_where_the_response_has_none_of_their_names(self):
        async def named(request):
            return web.Response(headers={"Server": "own"})

        async def streams(request):
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"x")
            return response

        async def missing(request):
            raise web.HTTPNotFound

        group = self.mock.host("http://example.com", headers={"Server": "group", "X-One": "1"})
        group.get("/named", handler=named)
        group.get("/streams", handler=streams)
        group.get("/missing", handler=missing)
        group.get("/replies", replies=[{"handler": named}, {"status": 201}])
        seen = {}
        for path in ("named", "streams", "missing", "replies", "replies"):
            async with self.session.get(SITE + path) as response:
                seen[path, response.status] = response.headers["Server"], response.headers["X-One"]
        self.assertEqual(
            seen,
            {
                ("named", 200): ("own", "1"),
                ("streams", 200): ("group", "1"),
                ("missing", 404): ("group", "1"),
                ("replies", 200): ("own", "1"),
                ("replies", 201): ("group", "1"),
            },
        )
        with self.assertRaises(ValueError) as raised:
            group.get("/own", handler=named, headers={"X": "1"})
        self.assertEqual(
            str(raised.exception), "headers cannot be combined with handler: the handler makes the whole reply"
        )


class RefusedHandlerTest(unittest.TestCase):
    def test_what_is_no_handler_is_refused_when_it_is_registered(self):
        def plain(request):
            return web.Response()

        async def generates(request):
            yield web.Response()

        class Sync:
            def __call__(self, request):
                return web.Response()

        expected = "handler: expected a coroutine function that takes a request, or a subclass of web.View, got "
        mock = aioresponses()
        wrongs = (plain, generates, Sync(), functools.partial(plain), dict, web.Response(), "hello", 7, hello(None))
        for wrong in wrongs:
            with self.subTest(wrong), self.assertRaises(TypeError) as raised:
                mock.get(SITE, handler=wrong)
            self.assertTrue(str(raised.exception).startswith(expected), raised.exception)
            if asyncio.iscoroutine(wrong):
                wrong.close()
        self.assertEqual(mock._matches, {})

    def test_one_that_does_not_take_a_request_is_refused(self):
        async def takes_nothing():
            pass

        async def takes_two(request, another):
            pass

        for wrong, why in (
            (takes_nothing, "too many positional arguments"), (takes_two, "missing a required argument: 'another'")
        ):
            with self.assertRaises(TypeError) as raised:
                aioresponses().get(SITE, handler=wrong)
            message = str(raised.exception)
            self.assertTrue(
                message.startswith("handler: expected a coroutine function that takes a request, got "), message
            )
            self.assertTrue(message.endswith(f": {why}"), message)

    def test_no_other_argument_of_a_reply_stands_beside_it(self):
        others = {
            "status": 200, "body": "", "exception": ValueError, "content_type": "text/plain", "payload": {},
            "headers": {}, "timeout": True, "reason": "OK", "callback": hello, "cookies": {}, "delay": 1, "events": [],
            "fault": None,
        }
        for name, value in others.items():
            with self.subTest(name):
                if value is None:
                    aioresponses().get(SITE, handler=hello, fault=None)
                    continue
                for arguments in ({"handler": hello, name: value}, {"replies": [{"handler": hello, name: value}]}):
                    with self.assertRaises(ValueError) as raised:
                        aioresponses().get(SITE, **arguments)
                    place = "replies[0]: " if "replies" in arguments else ""
                    self.assertEqual(
                        str(raised.exception),
                        f"{place}{name} cannot be combined with handler: the handler makes the whole reply",
                    )

    def test_beside_replies_it_is_refused(self):
        with self.assertRaises(ValueError):
            aioresponses().get(SITE, handler=hello, replies=[{"status": 200}])


class RaisingHandlerTest(AskingTestCase):
    async def raising(self, error, method="GET"):
        """Return what a call raises whose handler raises this."""
        async def handler(request):
            raise error

        registered = self.mock.add(SITE, method, handler=handler)
        with self.assertRaises(BaseException) as raised:
            await self.session.request(method, SITE)
        registered.remove()
        return raised.exception

    async def test_what_it_raises_reaches_the_caller_as_it_is(self):
        for error in (
            ValueError("no"), KeyError("no"), OSError(5, "no"), asyncio.TimeoutError(), ConnectionResetError(104, "no"),
            ServerDisconnectedError(), ClientOSError(5, "no"), ClientPayloadError("no"), Uncaught("no"),
        ):
            for method in ("GET", "POST"):
                with self.subTest(error=error, method=method):
                    self.assertIs(await self.raising(error, method), error)
                    self.assertIs(self.mock.calls[-1].exception, error)

    async def test_as_with_a_callback_the_mock_has_a_turn_left_and_is_asked_no_second_time(self):
        calls = []

        async def fails_once(request):
            calls.append(request)
            if len(calls) == 1:
                raise ServerDisconnectedError("once")
            return web.Response(text="then")

        self.mock.get(SITE, handler=fails_once)
        self.assertEqual(await self.ask(), (ServerDisconnectedError, "once"))
        self.assertEqual(await self.ask(), (200, "then"))
        self.assertEqual(len(calls), 2)

    async def test_traces_see_it_as_it_is(self):
        seen = []

        async def note(session, context, params):
            seen.append(params.exception)

        config = TraceConfig()
        config.on_request_exception.append(note)
        self.session = self.client_session(trace_configs=[config])
        error = await self.raising(OSError(5, "no"))
        self.assertEqual(seen, [error])

    async def test_an_http_exception_is_a_response(self):
        async def handler(request):
            raise web.HTTPConflict(text="taken", headers={"X-Reason": "name"})

        self.mock.get(SITE, handler=handler)
        async with self.session.get(SITE) as response:
            self.assertEqual(
                (response.status, await response.text(), response.headers["X-Reason"]), (409, "taken", "name")
            )

    async def test_behind_the_head_the_reader_of_the_body_gets_it(self):
        for error in (ValueError("no"), ConnectionResetError(104, "no"), Uncaught("no")):
            with self.subTest(error):
                async def handler(request, error=error):
                    response = web.StreamResponse()
                    await response.prepare(request)
                    await response.write(b"sent")
                    raise error

                self.mock.get(SITE, handler=handler)
                response = await self.session.get(SITE)
                await idle()
                self.assertEqual(await response.content.read(4), b"sent")
                with self.assertRaises(type(error)) as raised:
                    await response.read()
                self.assertIs(raised.exception, error)

    async def test_behind_more_than_the_client_has_read(self):
        async def handler(request):
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(100):
                await response.write(bytes(2 ** 16))
            raise ValueError("no")

        self.mock.get(SITE, handler=handler)
        response = await self.session.get(SITE)
        read = 0
        with self.assertRaises(ValueError):
            while True:
                read += len(await response.content.readany())
                await asyncio.sleep(0)
        response.close()
        self.assertEqual(read, 100 * 2 ** 16)

    async def test_where_it_has_asked_for_the_body_it_still_reaches_the_caller(self):
        async def handler(request):
            await request.read()
            raise ValueError("no")

        self.mock.post(SITE, handler=handler)
        self.assertEqual(await self.ask("POST", data=b"body", expect100=True), (ValueError, "no"))

    async def test_while_the_client_is_still_sending(self):
        async def body():
            while True:
                yield bytes(2 ** 16)

        async def handler(request):
            await request.content.readany()
            raise ValueError("no")

        # aiohttp 3.9 does not look at how its task that writes ends.
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        self.mock.post(SITE, handler=handler)
        self.assertEqual(await self.ask("POST", data=body()), (ValueError, "no"))

    async def test_anything_but_a_response_is_refused_with_the_name_of_the_mock(self):
        for returned in (None, "text", {"id": 7}, CallbackResult(), 200, web.Response, Mock(web.Response)):
            async def handler(request, returned=returned):
                return returned

            registered = self.mock.get("http://example.com/users/{id}", handler=handler)
            self.assertEqual(
                await self.ask(url=USER),
                (
                    TypeError,
                    "handler: expected a web.Response from the handler of GET http://example.com/users/{id}, got "
                    f"{returned!r}",
                ),
            )
            registered.remove()

    async def test_a_server_that_hangs_up_is_asked_once_more_and_then_the_client_gives_up(self):
        calls = []

        async def hangs_up(request):
            calls.append(request)
            request.transport.close()
            return web.Response()

        self.mock.get(SITE, handler=hangs_up)
        self.assertEqual(await self.ask(), (ServerDisconnectedError, "Server disconnected"))
        self.assertEqual(len(calls), 2 if AIOHTTP >= (3, 10) else 1)

    async def test_one_that_was_answered_is_asked_no_second_time_after_a_redirect_to_itself(self):
        async def redirects(request):
            raise web.HTTPFound(SITE)

        self.mock.get(SITE, handler=redirects)
        self.assertEqual((await self.ask())[1], f"Connection refused: GET {SITE}")


class CancelledHandlerTest(AskingTestCase):
    async def test_it_is_cancelled_when_the_client_goes_away(self):
        cancelled = asyncio.Event()
        begun = asyncio.Event()

        async def handler(request):
            begun.set()
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                cancelled.set()
                raise

        self.mock.get(SITE, handler=handler)
        asking = asyncio.ensure_future(self.ask())
        await begun.wait()
        asking.cancel()
        await asyncio.wait([asking])
        await idle()
        # aiohttp 3.8 cancels no handlers.
        self.assertEqual(cancelled.is_set(), AIOHTTP >= (3, 9))

    async def test_cancelled_at_any_turn_the_next_request_is_answered(self):
        async def handler(request):
            sent = await request.read()
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(3):
                await response.write(sent)
                await asyncio.sleep(0)
            return response

        self.mock.post(SITE, handler=handler, repeat=True)
        for turns in range(40):
            asking = asyncio.ensure_future(self.ask("POST", data=b"abc"))
            for _ in range(turns):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait([asking])
            self.assertEqual(await self.ask("POST", data=b"abc"), (200, "abcabcabc"))

    async def test_stopping_the_mock_ends_it(self):
        ended = []

        async def handler(request):
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                ended.append(request)

        mock = aioresponses()
        mock.start()
        mock.get(SITE, handler=handler)
        asking = asyncio.ensure_future(self.ask())
        await idle()
        await mock.aclose()
        self.assertEqual((await asking)[1], "aioresponses was stopped while this request was in flight")
        self.assertEqual(len(ended), 1)


class SwallowedAssertionTest(OutcomeTestCase):
    def test_an_assertion_that_fails_in_a_handler_fails_the_test(self):
        class Test(SwallowingTestCase):
            async def test(self):
                async def handler(request):
                    self.assertEqual(await request.text(), "right")

                self.mock.post(SITE, handler=handler)
                await self.ask("POST", data="wrong")

        [text] = self.outcomes(Test)["failures"]
        self.assertIn(
            "AssertionError: 1 assertion failed while a mock answered:\n  AssertionError: 'wrong' != 'right'\n", text
        )
        self.assertIn(f"for POST {SITE}", text)

    def test_and_one_that_fails_behind_the_head(self):
        class Test(SwallowingTestCase):
            async def test(self):
                async def handler(request):
                    response = web.StreamResponse()
                    await response.prepare(request)
                    self.fail("late")

                self.mock.get(SITE, handler=handler)
                await self.ask()

        [text] = self.outcomes(Test)["failures"]
        self.assertIn("AssertionError: late\n", text)


class CallbackWithResponseTest(AskingTestCase):
    async def test_a_callback_may_return_a_response(self):
        def plain(call):
            return web.json_response({"sent": call.json()}, status=201, headers={"X-One": "1"})

        async def coroutine(url, **kwargs):
            return web.Response(text=f"{url}", content_type="text/html")

        for latency in (0, None):
            self.mock.latency = latency
            self.mock.post(SITE, callback=plain)
            self.mock.get(SITE, callback=coroutine)
            async with self.session.post(SITE, json=[1]) as response:
                self.assertEqual(
                    (response.status, await response.json(), response.headers["X-One"]), (201, {"sent": [1]}, "1")
                )
            async with self.session.get(SITE) as response:
                self.assertEqual((response.content_type, await response.text()), ("text/html", SITE))

    async def test_of_any_kind_and_beside_canned_replies(self):
        def compressed(call):
            response = web.Response(body=b"a" * 1000)
            response.enable_compression()
            return response

        self.mock.post(SITE, callback=compressed, repeat=True)
        self.mock.post(SITE + "file", callback=lambda call: web.FileResponse(__file__), repeat=True)
        self.mock.get(SITE, body="canned", repeat=True)
        with open(__file__, encoding="utf-8") as source:
            text = source.read()
        for _ in range(2):
            async with self.session.post(SITE, data=bytes(2 ** 17)) as response:
                self.assertEqual(response.headers["Content-Encoding"], "deflate")
                self.assertEqual(await response.read(), b"a" * 1000)
            self.assertEqual(await self.ask("POST", SITE + "file"), (200, text))
            self.assertEqual(await self.ask(), (200, "canned"))

    async def test_one_that_cannot_be_sent_is_logged_as_by_a_server(self):
        class Wrong(web.Response):
            async def prepare(self, request):
                raise RuntimeError("cannot be sent")

        self.mock.get(SITE, callback=lambda call: Wrong())
        with self.assertLogs("aiohttp.server") as logs:
            self.assertEqual((await self.ask())[0], ServerDisconnectedError)
        self.assertIn("RuntimeError: cannot be sent", logs.output[0])


class ContextTest(AioResponsesTestCase):
    async def test_no_variable_of_the_caller_reaches_a_handler(self):
        from contextvars import ContextVar

        variable = ContextVar("variable", default="none")

        async def handler(request):
            found = variable.get()
            variable.set("of the handler")
            return web.Response(text=found)

        session = self.client_session()
        self.mock.get(SITE, handler=handler, repeat=True)
        variable.set("of the test")
        self.mock.get(USERS, handler=handler, repeat=True)
        variable.set("of the caller")
        for _ in range(2):
            for url, expected in ((SITE, "none"), (USERS, "of the test")):
                async with session.get(url) as response:
                    self.assertEqual(await response.text(), expected)
        self.assertEqual(variable.get(), "of the caller")


class ConnectErrorTest(AskingTestCase):
    async def test_a_refused_connection_in_a_handler_is_that_of_the_handler(self):
        async def handler(request):
            from aioresponses import Fault

            self.mock.get(USERS, fault=Fault.CONNECTION_REFUSED)
            await self.session.get(USERS)

        self.mock.get(SITE, handler=handler)
        self.assertEqual((await self.ask())[0], ClientConnectorError)


class WebSocketHandlerTest(OutcomeTestCase):
    """What a handler raises in a WebSocket reaches nobody there, so it fails the test."""

    MESSAGE = "Handler of GET wss://example.com/ws raised ValueError: no\nCalls:\n  1. GET wss://example.com/ws -> 101"

    @staticmethod
    async def ask(mock, session, error):
        async def handler(request):
            ws = web.WebSocketResponse()
            await ws.prepare(request)
            await ws.receive()
            raise error

        mock.get("wss://example.com/ws", handler=handler)
        async with session.ws_connect("wss://example.com/ws") as ws:
            await ws.send_str("hi")
            message = await ws.receive()
        return message.type, ws.close_code

    def test_the_client_sees_1006_and_the_test_fails(self):
        seen = []
        ask = self.ask

        class Test(AioResponsesTestCase):
            async def test(self):
                seen.append(await ask(self.mock, self.client_session(), ValueError("no")))

        outcomes = self.outcomes(Test)
        self.assertEqual(seen, [(WSMsgType.CLOSED, 1006)])
        [text] = outcomes["failures"]
        self.assertTrue(text.endswith(f"AssertionError: {self.MESSAGE}\n"), text)
        self.assertIn("ValueError: no\n\nThe above exception was the direct cause", text)

    def test_so_does_a_block_that_is_not_strict_and_once(self):
        async def run():
            async with ClientSession() as session, aioresponses() as mock:
                await self.ask(mock, session, ValueError("no"))

        for error in (ValueError("no"),):
            with self.assertRaises(AssertionError) as raised:
                asyncio.run(run())
            self.assertEqual(str(raised.exception), self.MESSAGE)
            self.assertIsInstance(raised.exception.__cause__, type(error))

    def test_an_http_exception_is_no_response_there(self):
        seen = []

        async def run():
            async with ClientSession() as session, aioresponses() as mock:
                seen.append(await self.ask(mock, session, web.HTTPNotFound()))

        with self.assertRaises(AssertionError) as raised:
            asyncio.run(run())
        self.assertEqual(str(raised.exception), self.MESSAGE.replace("ValueError: no", "HTTPNotFound: Not Found"))
        self.assertEqual(seen, [(WSMsgType.CLOSED, 1006)])

    def test_an_assertion_that_fails_is_told_once(self):
        ask = self.ask

        class Test(AioResponsesTestCase):
            async def test(self):
                await ask(self.mock, self.client_session(), AssertionError("no"))

        [text] = self.outcomes(Test)["failures"]
        self.assertTrue(
            text.endswith(f"AssertionError: {self.MESSAGE.replace('ValueError', 'AssertionError')}\n"), text
        )
