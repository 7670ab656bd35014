import asyncio
import contextlib

from aiohttp import ClientConnectionError, web
from yarl import URL

from aioresponses import AioResponsesTestCase, Mount, aioresponses

from ..support import AIOHTTP, SITE, USERS, AskingTestCase, OutcomeTestCase, SwallowingTestCase, Uncaught, idle

API = "https://api.example.com"


def application(name="application", *routes):
    """Make an application that says its name, the URL that it was asked for, and the scheme of that."""
    async def tell(request):
        return web.Response(text=f"{name} {request.method} {request.path_qs} {request.scheme} {request.host}")

    app = web.Application()
    app.add_routes([*routes, web.route("*", "/{path:.*}", tell)])
    return app


class MountedTest(AskingTestCase):
    async def test_it_answers_all_that_is_below_its_url(self):
        mount = self.mock.mount(API + "/v1", application())
        self.assertEqual(
            [await self.ask(url=API + path) for path in ("/v1", "/v1/users?page=2", "/v1/")],
            [
                (200, f"application GET {path} https api.example.com")
                for path in ("/v1", "/v1/users?page=2", "/v1/")
            ],
        )
        for path in ("/", "/v12", "/v2/v1"):
            self.assertEqual((await self.ask(url=API + path))[0], ClientConnectionError)
        self.assertEqual((await self.ask(url="http://api.example.com/v1"))[0], ClientConnectionError)
        self.assertEqual((await self.ask(url="https://api.example.com:444/v1"))[0], ClientConnectionError)
        self.assertEqual((mount.call_count, mount.called, mount.url), (3, True, URL(API + "/v1")))
        self.assertEqual(mount.calls, self.mock.calls[:3])

    async def test_a_mock_answers_first_whatever_the_order_of_registration(self):
        self.mock.get(API + "/before", status=503)
        self.mock.mount(API, application())
        self.mock.get(API + "/after", status=504)
        self.assertEqual(
            [status for path in ("/before", "/after") for status, _ in await self.ask_often(2, url=API + path)],
            [503, 200, 504, 200],
        )

    async def test_a_mock_whose_condition_does_not_hold_leaves_it_to_the_application(self):
        self.mock.post(API + "/users", match_json={"name": "Ada"}, status=201, repeat=True)
        self.mock.mount(API, application())
        answered = [(await self.ask("POST", API + "/users", json={"name": name}))[0] for name in ("Ada", "Bob")]
        self.assertEqual(answered, [201, 200])

    async def test_the_longest_prefix_wins(self):
        for path in ("", "/v1/users", "/v1"):
            self.mock.mount(API + path, application(path or "/"))
        told = [(await self.ask(url=API + path))[1].split()[0] for path in ("/a", "/v1", "/v1/usersx", "/v1/users/7")]
        self.assertEqual(told, ["/", "/v1", "/v1", "/v1/users"])

    async def test_the_mock_further_out_is_asked_after_the_mount_of_the_inner_one(self):
        self.mock.mount(API, application("outer"))
        self.mock.get(API + "/inner", body="outer mock")
        with aioresponses() as inner:
            mount = inner.mount(API + "/inner", application("inner"))
            self.assertTrue((await self.ask(url=API + "/inner"))[1].startswith("inner "))
            self.assertTrue((await self.ask(url=API + "/other"))[1].startswith("outer "))
            self.assertEqual((mount.call_count, inner.call_count), (1, 2))
        self.assertCallCount(1)

    async def test_a_handler_of_a_mock_and_an_application_share_a_connection(self):
        async def hello(request):
            return web.Response(text="hello")

        self.mock.mount(API, application())
        self.mock.get(API + "/hello", handler=hello, repeat=True)
        self.mock.get(API + "/canned", body="canned", repeat=True)
        for _ in range(3):
            self.assertEqual(await self.ask(url=API + "/hello"), (200, "hello"))
            self.assertEqual((await self.ask(url=API + "/a"))[1], "application GET /a https api.example.com")
            self.assertEqual(await self.ask(url=API + "/canned"), (200, "canned"))

    async def test_websocket_schemes_belong_to_those_of_requests(self):
        async def echo(request):
            ws = web.WebSocketResponse()
            await ws.prepare(request)
            async for message in ws:
                await ws.send_str(f"{request.scheme} {message.data}")
            return ws

        self.mock.mount("wss://stream.example.com", application("", web.get("/ticks", echo)))
        self.mock.mount("http://stream.example.com", application("", web.get("/ticks", echo)))
        for url, scheme in (
            ("wss://stream.example.com/ticks", "https"), ("https://stream.example.com/ticks", "https"),
            ("ws://stream.example.com/ticks", "http"),
        ):
            async with self.session.ws_connect(url) as ws:
                await ws.send_str("hi")
                self.assertEqual(await ws.receive_str(), f"{scheme} hi")
        self.assertEqual((await self.ask(url="http://stream.example.com/a"))[0], 200)

    async def test_passthrough_comes_before_it(self):
        mock = aioresponses(passthrough=["http://127.0.0.1"])
        mock.mount("http://127.0.0.1:1", application())
        with mock:
            self.assertNotEqual((await self.ask(url="http://127.0.0.1:1/"))[0], 200)

    async def test_a_server_and_functions_that_return_applications(self):
        async def handle(request):
            return web.Response(text=f"server {request.path}")

        async def make():
            return application("coroutine")

        self.mock.mount(SITE, web.Server(handle))
        self.mock.mount(API, lambda: application("function"))
        self.mock.mount("https://other.example.com", make)
        told = [
            (await self.ask(url=url))[1].split()[0]
            for url in (USERS, API + "/a", API + "/b", "https://other.example.com/")
        ]
        self.assertEqual(told, ["server", "function", "function", "coroutine"])

    async def test_removed_it_answers_no_more(self):
        mount = self.mock.mount(API, application())
        self.assertEqual((await self.ask(url=API))[0], 200)
        mount.remove()
        mount.remove()
        self.assertEqual((await self.ask(url=API))[0], ClientConnectionError)
        self.assertEqual(mount.call_count, 1)

    async def test_clear_and_reset(self):
        mount = self.mock.mount(API, application())
        await self.ask(url=API)
        self.mock.reset()
        self.assertEqual((mount.calls, mount.call_count), ([], 0))
        self.assertEqual((await self.ask(url=API))[0], 200)
        self.mock.clear()
        self.assertEqual((await self.ask(url=API))[0], ClientConnectionError)

    async def test_calls_that_are_not_kept_are_counted(self):
        with aioresponses(keep_calls=2) as mock:
            mount = mock.mount(API, application())
            for number in range(5):
                await self.ask(url=f"{API}/{number}")
            self.assertEqual([str(URL(call.url).path) for call in mount.calls], ["/3", "/4"])
            self.assertEqual(mount.call_count, 5)

    async def test_redirects_and_their_hops(self):
        async def redirect(request):
            raise web.HTTPFound("/to")

        mount = self.mock.mount(API, application("to", web.get("/from", redirect)))
        self.assertEqual((await self.ask(url=API + "/from"))[1], "to GET /to https api.example.com")
        self.assertEqual([call.url for call in mount.calls], [API + "/from", API + "/to"])
        self.assertCallCount(1)

    async def test_no_mock_is_the_match_of_its_calls(self):
        self.mock.mount(API, application())
        await self.ask(url=API)
        [call] = self.mock.calls
        self.assertEqual((call.match, call.unmatched, dict(call.match_info)), (None, False, {}))

    async def test_how_it_is_shown(self):
        mount = self.mock.mount(API + "/v1", application())
        shown = [repr(mount), str(mount)]
        await self.ask(url=API + "/v1/users")
        self.assertIsInstance(mount, Mount)
        self.assertEqual(
            [*shown, repr(mount)],
            [f"<Mount {API}/v1, used 0 times>", f"application at {API}/v1", f"<Mount {API}/v1, used once>"],
        )

    async def test_the_note_of_a_refusal_names_it(self):
        self.mock.mount(API + "/v1", application())
        for url, why in (
            (API + "/v2", "the path is not below /v1/"),
            ("https://api.example.com:444/v1", "port differs: application has 443, request has 444"),
            ("https://example.com/v1", "host differs: application has 'api.example.com', request has 'example.com'"),
            ("http://api.example.com/v1", "scheme differs: application has 'https', request has 'http'"),
        ):
            with self.assertRaises(ClientConnectionError) as raised:
                await self.session.get(url)
            [note] = raised.exception.__notes__
            self.assertEqual(
                note.splitlines()[1:], ["Registered mocks, the closest first:", f"  application at {API}/v1: {why}"]
            )


class AssertedMountTest(AskingTestCase):
    async def test_assertions_take_it_in_place_of_a_url(self):
        mount = self.mock.mount(API + "/v1", application())
        self.mock.get(API + "/v1/mocked")
        self.assertNotCalled(mount)
        await self.ask("POST", API + "/v1/users", json={"name": "Ada"})
        await self.ask(url=API + "/v1/mocked")
        self.assertCalledOnce(mount)
        self.assertCallCount(1, mount, "POST")
        self.assertNotCalled(mount, "GET")
        self.assertCallCount(1, mount, match_json={"name": "Ada"})
        self.assertJsonBody({"name": "Ada"}, mount)
        self.assertCallOrder([mount, API + "/v1/mocked"])
        self.mock.assert_any_call(mount, "POST")
        self.assertEqual(self.mock.calls_of(mount), mount.calls)
        with self.assertRaises(AssertionError) as raised:
            self.assertCallCount(2, mount)
        self.assertEqual(
            str(raised.exception).splitlines()[0], f"Expected 2 calls to the application at {API}/v1, but there was 1."
        )


class RefusedMountTest(AioResponsesTestCase):
    def test_urls_that_nothing_can_be_mounted_at(self):
        for url in (
            "/v1", "example.com", API + "?page=1", API + "#top", "ftp://example.com", "https://*.example.com",
            API + "/{id}", "https://me:secret@example.com", "https://", "http://example.com:99999",
        ):
            with self.subTest(url), self.assertRaises(ValueError) as raised:
                self.mock.mount(url, application())
            message = str(raised.exception)
            self.assertTrue(
                message.startswith(
                    "url: expected one with a scheme and a host, without credentials, query or fragment, and no "
                    "template, got '"
                ),
                message,
            )
            self.assertNotIn("secret", message)
        with self.assertRaises(TypeError) as raised:
            self.mock.mount(7, application())
        self.assertEqual(str(raised.exception), "url: expected a str or a yarl.URL, got 7")

    def test_what_is_no_application(self):
        for app in (None, "app", 7, web.Application, object()):
            with self.subTest(app), self.assertRaises(TypeError) as raised:
                self.mock.mount(API, app)
            self.assertTrue(
                str(raised.exception).startswith(
                    "app: expected a web.Application, a web.Server, or a function that returns an application, got "
                )
            )
        for name in ("raise_exceptions", "handler_cancellation"):
            with self.assertRaises(TypeError) as raised:
                self.mock.mount(API, application(), **{name: 1})
            self.assertEqual(str(raised.exception), f"{name}: expected a bool, got 1")

    def test_a_handler_is_no_application(self):
        async def handler(request):
            raise NotImplementedError

        with self.assertRaises(TypeError) as raised:
            self.mock.mount(API, handler)
        message = str(raised.exception)
        self.assertTrue(message.startswith("app: expected a function without parameters that returns an application"))
        self.assertTrue(message.endswith(": missing a required argument: 'request'"), message)

    async def test_a_function_that_returns_no_application(self):
        async def nothing():
            pass

        for make, shown in ((lambda: 7, "7"), (nothing, "None")):
            self.mock.clear()
            self.mock.mount(API, make)
            with self.assertRaises(TypeError) as raised:
                await self.client_session().get(API)
            self.assertTrue(str(raised.exception).startswith("app: expected a web.Application from "))
            self.assertTrue(str(raised.exception).endswith(f", got {shown}"))


class RaisingApplicationTest(AskingTestCase):
    def raising(self, error):
        async def handle(request):
            raise error

        return application("", web.get("/raises", handle))

    async def test_by_default_the_caller_gets_a_500_as_from_a_server(self):
        self.mock.mount(API, self.raising(ValueError("no")))
        with self.assertLogs("aiohttp.server") as logs:
            status, text = await self.ask(url=API + "/raises")
        self.assertEqual(status, 500)
        self.assertIn("ValueError: no", logs.output[0])

    async def test_or_the_exception_itself(self):
        for error in (ValueError("no"), OSError(5, "no"), asyncio.TimeoutError()):
            self.mock.clear()
            self.mock.mount(API, self.raising(error), raise_exceptions=True)
            with self.assertRaises(type(error)) as raised:
                await self.session.get(API + "/raises")
            self.assertIs(raised.exception, error)
            self.assertEqual((await self.ask(url=API))[0], 200)

    async def test_an_http_exception_is_a_response_either_way(self):
        self.mock.mount(API, self.raising(web.HTTPConflict(text="taken")), raise_exceptions=True)
        self.assertEqual(await self.ask(url=API + "/raises"), (409, "taken"))

    async def test_what_is_no_exception_reaches_the_caller_since_no_server_makes_a_response_of_it(self):
        self.mock.mount(API, self.raising(Uncaught("no")))
        with self.assertRaises(Uncaught):
            await self.session.get(API + "/raises")


class HandlerCancellationTest(AskingTestCase):
    async def test_as_the_server_of_an_application_is_told(self):
        for cancels in (False, True):
            ended = []
            go_on = asyncio.Event()

            async def handle(request):
                try:
                    await go_on.wait()
                    ended.append("done")
                except asyncio.CancelledError:
                    ended.append("cancelled")
                    raise
                return web.Response()

            self.mock.clear()
            self.mock.mount(API, application("", web.get("/waits", handle)), handler_cancellation=cancels)
            asking = asyncio.ensure_future(self.ask(url=API + "/waits"))
            await idle()
            asking.cancel()
            await asyncio.wait([asking])
            await idle()
            self.assertEqual(ended, ["cancelled"] if cancels and AIOHTTP >= (3, 9) else [])
            go_on.set()
            await idle()
            self.assertEqual(ended, ["cancelled" if cancels and AIOHTTP >= (3, 9) else "done"])


class StrictTest(OutcomeTestCase):
    def test_an_assertion_that_fails_in_an_application_fails_the_test_whatever_the_client_made_of_the_500(self):
        class Test(SwallowingTestCase):
            async def test(self):
                async def handle(request):
                    self.assertEqual(await request.text(), "right")

                self.mock.mount(API, application("", web.post("/checks", handle)))
                with self.assertLogs("aiohttp.server"):
                    await self.ask("POST", API + "/checks", data=b"wrong")

        [text] = self.outcomes(Test)["failures"]
        self.assertIn(
            "AssertionError: 1 assertion failed while a mock answered:\n  AssertionError: 'wrong' != 'right'\n", text
        )
        self.assertIn(f"for POST {API}/checks", text)

    def test_one_that_is_never_used_is_no_failure(self):
        class Test(AioResponsesTestCase):
            strict = True

            async def test(self):
                self.mock.mount(API, application())

        self.check_passes(Test)

    def test_a_context_variable_of_the_caller_does_not_reach_it(self):
        from contextvars import ContextVar

        variable = ContextVar("variable", default="none")

        async def tell(request):
            return web.Response(text=variable.get())

        class Test(AskingTestCase):
            async def test(self):
                self.mock.mount(API, application("", web.get("/tells", tell)))
                variable.set("of the caller")
                self.assertEqual(await self.ask(url=API + "/tells"), (200, "none"))

        with contextlib.suppress(LookupError):
            self.check_passes(Test)
