import asyncio
import unittest

import aiohttp
from aiohttp import ClientConnectionError, ClientSession, TCPConnector, web
from multidict import CIMultiDict
from yarl import URL

from aioresponses import CallbackResult, aioresponses

from .support import RealServerTestCase
from .test_patching import AIOHTTP, SITE, ask, text_of


class RecordingTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.mock = aioresponses()
        self.mock.start()
        self.addCleanup(self.mock.stop)
        self.session = ClientSession()
        self.addAsyncCleanup(self.session.close)

    def recorded(self):
        return {key: [call.kwargs for call in calls] for key, calls in self.mock.requests.items()}

    async def test_a_call_is_recorded_under_its_method_and_url_with_its_arguments(self):
        self.mock.get(SITE)
        await text_of(self.session, timeout=5)
        self.assertEqual(self.recorded(), {("GET", URL(SITE)): [{"allow_redirects": True, "timeout": 5}]})
        self.assertEqual(self.mock.requests["GET", URL(SITE)][0].args, ())

    async def test_the_method_is_as_the_caller_wrote_it(self):
        self.mock.get(SITE, repeat=True)
        for method in ("get", "Get", "GET"):
            await text_of(self.session, method=method)
        self.assertEqual(list(self.mock.requests), [("get", URL(SITE)), ("Get", URL(SITE)), ("GET", URL(SITE))])

    async def test_the_url_is_normalised_and_has_the_params_merged_in(self):
        self.mock.get(f"{SITE}?a=1&b=2&c=3", repeat=True)
        await text_of(self.session, f"{SITE}?c=3&a=1", params={"b": "2"})
        await text_of(self.session, f"{SITE}?b=2&a=1&c=3")
        merged = URL(f"{SITE}?a=1&b=2&c=3")
        self.assertEqual(
            self.recorded(),
            {("GET", merged): [{"allow_redirects": True, "params": {"b": "2"}}, {"allow_redirects": True}]},
        )

    async def test_the_url_is_joined_to_the_base_url_of_the_session(self):
        self.mock.get(f"{SITE}users")
        async with ClientSession(SITE) as session:
            await text_of(session, "users" if AIOHTTP >= (3, 12) else "/users")
        self.assertEqual(list(self.mock.requests), [("GET", URL(f"{SITE}users"))])

    async def test_allow_redirects_is_always_among_the_arguments(self):
        for method in ("GET", "POST", "HEAD"):
            self.mock.add(SITE, method, repeat=True)
        await self.session.get(SITE)
        await self.session.get(SITE, allow_redirects=False)
        await self.session.head(SITE)
        await self.session.request("GET", SITE)
        self.assertEqual(
            self.recorded(),
            {
                ("GET", URL(SITE)): [{"allow_redirects": allowed} for allowed in (True, False, True)],
                ("HEAD", URL(SITE)): [{"allow_redirects": False}],
            },
        )

    async def test_a_post_is_recorded_with_data(self):
        self.mock.post(SITE, repeat=True)
        await self.session.post(SITE)
        await self.session.request("POST", SITE)
        await self.session.post(SITE, data=b"some")
        self.assertEqual(
            self.recorded(),
            {("POST", URL(SITE)): [{"allow_redirects": True, "data": data} for data in (None, None, b"some")]},
        )

    async def test_the_default_headers_of_the_session_are_merged_in(self):
        self.mock.get(SITE, repeat=True)
        async with ClientSession(headers={"A": "session", "B": "session"}) as session:
            await text_of(session)
            await text_of(session, headers={"B": "call"})
        self.assertEqual(
            [call.kwargs for call in self.mock.calls],
            [
                {"allow_redirects": True, "headers": CIMultiDict({"A": "session", "B": "session"})},
                {"allow_redirects": True, "headers": CIMultiDict({"A": "session", "B": "call"})},
            ],
        )

    async def test_headers_are_as_given_where_the_session_has_none(self):
        self.mock.get(SITE)
        await text_of(self.session, headers={"B": "call"})
        self.assertEqual(self.mock.calls[0].kwargs, {"allow_redirects": True, "headers": {"B": "call"}})

    async def test_what_happens_to_the_arguments_later_does_not_show(self):
        self.mock.post(SITE)
        given = {"names": ["Ada"]}
        headers = {"A": "1"}
        await text_of(self.session, method="POST", json=given, headers=headers)
        given["names"].append("Grace")
        headers["A"] = "2"
        self.assertEqual(
            self.recorded(),
            {
                ("POST", URL(SITE)): [
                    {"allow_redirects": True, "json": {"names": ["Ada"]}, "headers": {"A": "1"}, "data": None}
                ]
            },
        )

    async def test_the_arguments_reach_the_client_itself_and_no_copy(self):
        class Names(list):
            def __deepcopy__(self, memo):
                return copied

        copied = Names(["a copy"])
        self.mock.post(SITE)
        await text_of(self.session, method="POST", json=Names(["Ada"]))
        self.assertEqual(self.mock.calls[0].json(), ["Ada"])
        self.assertIs(self.mock.calls[0].kwargs["json"], copied)

    async def test_what_cannot_be_copied_is_kept(self):
        class Uncopyable:
            def __deepcopy__(self, memo):
                raise ValueError("not me")

        async def generate():
            yield b"generated"

        self.mock.post(SITE, repeat=True)
        with open(__file__, "rb") as file:
            for value in (generate(), file):
                with self.subTest(type(value).__name__):
                    await text_of(self.session, method="POST", data=value)
                    self.assertIs(self.mock.calls[-1].kwargs["data"], value)
        value, names = Uncopyable(), ["Ada"]
        given = {"list": [value, names], "tuple": (value,), "dict": {"value": value}}
        await text_of(self.session, method="POST", trace_request_ctx=given)
        names.append("Grace")
        self.assertEqual(
            self.mock.calls[-1].kwargs["trace_request_ctx"],
            {"list": [value, ["Ada"]], "tuple": (value,), "dict": {"value": value}},
        )

    async def test_calls_that_nobody_answers_are_recorded(self):
        with self.assertRaises(ClientConnectionError):
            await self.session.get(SITE)
        self.assertEqual(self.recorded(), {("GET", URL(SITE)): [{"allow_redirects": True}]})
        self.assertEqual(str(self.mock.calls[0].exception), "Connection refused: GET http://example.com/")

    async def test_calls_that_fail_are_recorded(self):
        exception = ValueError("wrong")
        self.mock.get(SITE, exception=exception)
        with self.assertRaises(ValueError):
            await self.session.get(SITE)
        self.assertEqual(self.recorded(), {("GET", URL(SITE)): [{"allow_redirects": True}]})
        self.assertIs(self.mock.calls[0].exception, exception)
        self.assertIsNone(self.mock.calls[0].response)

    async def test_calls_with_wrong_arguments_fail_as_ever(self):
        for arguments in ({"params": {"a": True}}, {"no": "such"}):
            with self.subTest(arguments), self.assertRaises(TypeError):
                await self.session.get(SITE, **arguments)

    async def test_calls_of_a_closed_session_fail_as_ever(self):
        session = ClientSession()
        await session.close()
        with self.assertRaises(RuntimeError) as caught:
            await session.get(SITE)
        self.assertEqual(str(caught.exception), "Session is closed")
        self.assertEqual(self.mock.calls, [])

    async def test_aiohttp_request_is_answered_and_recorded(self):
        self.mock.get(SITE, body="answer")
        async with aiohttp.request("GET", SITE) as response:
            self.assertEqual(await response.text(), "answer")
        self.assertEqual(list(self.mock.requests), [("GET", URL(SITE))])

    async def test_many_requests_side_by_side_get_each_their_own_answer_and_are_recorded_in_order(self):
        def callback(url, **kwargs):
            return CallbackResult(body=f"called for {url.path}")

        async def coroutine_function(url, **kwargs):
            await asyncio.sleep(0)
            return callback(url)

        urls = [f"{SITE}{number}" for number in range(200)]
        expected = []
        for number, url in enumerate(urls):
            if number % 3:
                self.mock.get(url, callback=callback if number % 2 else coroutine_function)
                expected.append(f"called for /{number}")
            else:
                self.mock.get(url, body=f"answer {number}")
                expected.append(f"answer {number}")
        self.assertEqual(await asyncio.gather(*(text_of(self.session, url) for url in urls)), expected)
        self.assertEqual([call.url for call in self.mock.calls], urls)
        self.assertEqual(list(self.mock.requests), [("GET", URL(url)) for url in urls])

    async def test_the_limit_of_the_session_holds_for_mocks_too(self):
        async def callback(url, **kwargs):
            nonlocal at_once
            at_once += 1
            most.append(at_once)
            await asyncio.sleep(0)
            at_once -= 1

        at_once, most = 0, []
        self.mock.get(SITE, callback=callback, repeat=True)
        async with ClientSession(connector=TCPConnector(limit=3)) as session:
            await asyncio.gather(*(text_of(session) for _ in range(20)))
        self.assertEqual([len(most), max(most)], [20, 3])


class RefusedTest(unittest.IsolatedAsyncioTestCase):
    async def refusal(self, method, url, **kwargs):
        async with ClientSession() as session:
            with self.assertRaises(ClientConnectionError) as caught:
                await session.request(method, url, **kwargs)
        self.assertIs(type(caught.exception), ClientConnectionError)
        return str(caught.exception)

    @aioresponses()
    async def test_says_what_was_asked_for(self, mock):
        self.assertEqual(await self.refusal("GET", SITE), "Connection refused: GET http://example.com/")

    @aioresponses()
    async def test_has_the_method_as_the_caller_wrote_it(self, mock):
        self.assertEqual(await self.refusal("get", SITE), "Connection refused: get http://example.com/")
        self.assertEqual(await self.refusal("PropFind", SITE), "Connection refused: PropFind http://example.com/")

    @aioresponses()
    async def test_has_the_query_sorted(self, mock):
        self.assertEqual(
            await self.refusal("GET", f"{SITE}?c=3&a=1", params={"b": "2"}),
            "Connection refused: GET http://example.com/?a=1&b=2&c=3",
        )

    @aioresponses()
    async def test_names_the_target_of_a_redirect(self, mock):
        mock.post(SITE, status=303, headers={"Location": "https://example.org/there?b=2&a=1"})
        self.assertEqual(
            await self.refusal("post", SITE), "Connection refused: GET https://example.org/there?a=1&b=2"
        )

    @aioresponses()
    async def test_comes_when_the_mocks_are_used_up(self, mock):
        mock.get(SITE)
        await ask()
        self.assertEqual(await self.refusal("GET", SITE), "Connection refused: GET http://example.com/")


class PassthroughTest(RealServerTestCase):
    async def asyncSetUp(self):
        async def real(request):
            return web.Response(text=f"real {request.path_qs}")

        async def redirect(request):
            raise web.HTTPFound(SITE)

        async def echo(request):
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await socket.send_str("real " + await socket.receive_str())
            await socket.close()
            return socket

        self.server = await self.serve(
            web.get("/", real), web.get("/redirect", redirect), web.get("/socket", echo), web.post("/", real)
        )
        self.url = self.server.make_url("/")
        self.session = ClientSession()
        self.addAsyncCleanup(self.session.close)

    def start(self, **settings):
        mock = aioresponses(**settings)
        mock.start()
        self.addCleanup(mock.stop)
        return mock

    async def test_a_prefix_sends_requests_to_the_network(self):
        for prefix in (str(self.url), self.url, "http://127.0.0.1"):
            with self.subTest(prefix), aioresponses(passthrough=[prefix]) as mock:
                mock.get(self.url, body="mocked")
                mock.get(SITE, body="mocked")
                self.assertEqual(await text_of(self.session, self.url), "real /")
                self.assertEqual(await text_of(self.session), "mocked")

    async def test_all_else_is_refused(self):
        self.start(passthrough=["http://127.0.0.1/other"])
        with self.assertRaises(ClientConnectionError) as caught:
            await self.session.get(self.url)
        self.assertEqual(str(caught.exception), f"Connection refused: GET {self.url}")

    async def test_what_nobody_answers_goes_to_the_network_where_that_is_wished(self):
        mock = self.start(passthrough_unmatched=True)
        mock.get(self.url, body="mocked")
        self.assertEqual(await text_of(self.session, self.url), "mocked")
        self.assertEqual(await text_of(self.session, self.url), "real /")

    async def test_params_are_kept(self):
        self.start(passthrough=[self.url])
        self.assertEqual(await text_of(self.session, self.url, params={"b": "2", "a": "1"}), "real /?b=2&a=1")

    async def test_such_calls_are_recorded(self):
        mock = self.start(passthrough=[self.url])
        await text_of(self.session, self.url, params={"b": "2", "a": "1"})
        await text_of(self.session, self.url, "POST", data=b"some")
        self.assertEqual(
            {key: [call.kwargs for call in calls] for key, calls in mock.requests.items()},
            {
                ("GET", self.url.with_query("a=1&b=2")): [
                    {"allow_redirects": True, "params": {"b": "2", "a": "1"}}
                ],
                ("POST", self.url): [{"allow_redirects": True, "data": b"some"}],
            },
        )
        self.assertEqual([call.response.status for call in mock.calls], [200, 200])
        self.assertEqual([call.body for call in mock.calls], [b"", b"some"])
        self.assertEqual([call.match for call in mock.calls], [None, None])

    async def test_web_sockets_go_to_the_network(self):
        http_url = self.server.make_url("/socket")
        ws_url = http_url.with_scheme("ws")
        for url, prefix in ((http_url, "http://127.0.0.1"), (ws_url, "ws://127.0.0.1")):
            with self.subTest(str(url)), aioresponses(passthrough=[prefix]):
                async with self.session.ws_connect(url) as socket:
                    await socket.send_str("hello")
                    self.assertEqual(await socket.receive_str(), "real hello")

    async def test_a_mock_may_redirect_to_the_real_server(self):
        mock = self.start(passthrough=[self.url])
        mock.get(SITE, status=302, headers={"Location": str(self.url)})
        self.assertEqual(await text_of(self.session), "real /")
        self.assertEqual([hop.url for hop in mock.calls[0].hops], [SITE, str(self.url)])

    async def test_the_real_server_may_redirect_to_a_mock(self):
        mock = self.start(passthrough=[self.url])
        mock.get(SITE, body="mocked")
        self.assertEqual(await text_of(self.session, self.server.make_url("/redirect")), "mocked")
        self.assertEqual(mock.call_count, 1)

    async def test_of_nested_mocks_the_inner_one_passes_through_to_the_network(self):
        outer = self.start()
        outer.get(self.url, body="outer", repeat=True)
        with aioresponses(passthrough=[self.url]):
            self.assertEqual(await text_of(self.session, self.url), "real /")
        with aioresponses(passthrough_unmatched=True):
            self.assertEqual(await text_of(self.session, self.url), "real /")
        self.assertEqual(outer.calls, [])
        self.assertEqual(await text_of(self.session, self.url), "outer")

    async def test_of_nested_mocks_the_outer_one_does_not_pass_through(self):
        self.start(passthrough=[self.url])
        with aioresponses(), self.assertRaises(ClientConnectionError):
            await self.session.get(self.url)
        self.assertEqual(await text_of(self.session, self.url), "real /")
