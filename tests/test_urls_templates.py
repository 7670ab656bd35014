"""Templates of URLs: what they fit, what their places stand for, and what is none."""

import asyncio
import re
import unittest
import unittest.mock

import aiohttp
from aiohttp import web
from yarl import URL

from aioresponses import AioResponsesTestCase, CallbackResult, aioresponses

from .servers import ServerTestCase
from .support import get

API = "https://api.example.com"


def filled(template, url):
    """Return what the places stand for in the URL of a request; None where scheme, host, path or query do not fit."""
    with aioresponses() as mock:
        match = mock.get(template)
        try:
            asyncio.run(get(url))
        except aiohttp.ClientConnectionError:
            return None
    return dict(match.calls[0].match_info)


class FilledTest(unittest.TestCase):
    def check(self, template, *rows):
        for url, expected in rows:
            with self.subTest(template=template, url=url):
                self.assertEqual(filled(API + template, API + url), expected)

    def test_a_place_is_a_segment(self):
        self.check(
            "/users/{id}",
            ("/users/7", {"id": "7"}),
            ("/users/a.b-c~d", {"id": "a.b-c~d"}),
            ("/users/", None),
            ("/users", None),
            ("/users/7/", None),
            ("/users/7/posts", None),
            ("/prefix/users/7", None),
            ("/users/7?page=2", None),
        )

    def test_several_places(self):
        self.check("/{a}/x/{b}", ("/1/x/2", {"a": "1", "b": "2"}), ("/1/y/2", None))
        self.check("/{a}", ("/1", {"a": "1"}), ("/", None))
        self.check("/{_a1}/{A}", ("/1/2", {"_a1": "1", "A": "2"}))

    def test_a_place_may_be_a_part_of_a_segment(self):
        self.check("/v{major}.{minor}/x", ("/v1.2/x", {"major": "1", "minor": "2"}), ("/1.2/x", None))
        self.check("/{name}.json", ("/a.json", {"name": "a"}), ("/a.xml", None), ("/ajson", None))

    def test_a_place_with_a_regex(self):
        self.check(r"/{id:\d+}", ("/7", {"id": "7"}), ("/77", {"id": "77"}), ("/7a", None), ("/a", None))
        self.check("/{tail:.*}", ("/", {"tail": ""}), ("/a/b/c", {"tail": "a/b/c"}))
        self.check("/{year:[0-9]{4}}/x", ("/2026/x", {"year": "2026"}), ("/26/x", None))
        self.check("/{a:x|y}", ("/x", {"a": "x"}), ("/y", {"a": "y"}), ("/z", None))
        self.check("/{a:x?}/{b:[^#?]+}", ("/x/1", {"a": "x", "b": "1"}), ("//1", {"a": "", "b": "1"}))
        self.check("/{a:(?:b|c)+}", ("/bcb", {"a": "bcb"}), ("/bd", None))

    def test_text_between_the_places_is_no_regex(self):
        self.check("/a.b/(x)/{id}", ("/a.b/(x)/1", {"id": "1"}), ("/axb/(x)/1", None))

    def test_what_is_captured_is_unquoted(self):
        self.check(
            "/{name}",
            ("/a%20b", {"name": "a b"}),
            ("/%C3%BC", {"name": "ü"}),
            ("/ü", {"name": "ü"}),
            ("/a%2Fb", {"name": "a/b"}),
            ("/a%2fb", {"name": "a/b"}),
            ("/100%25", {"name": "100%"}),
            ("/%252F", {"name": "%2F"}),
            ("/%2525", {"name": "%25"}),
            ("/a+b", {"name": "a+b"}),
            ("/a%3Fb%23c", {"name": "a?b#c"}),
        )

    def test_a_quoted_slash_separates_nothing(self):
        self.check("/{a}/{b}", ("/1/2", {"a": "1", "b": "2"}), ("/1%2F2", None), ("/1/2%2F3", {"a": "1", "b": "2/3"}))
        self.check("/a%2Fb/{c}", ("/a%2Fb/1", {"c": "1"}), ("/a/b/1", None))

    def test_text_that_is_quoted_or_not_is_the_same(self):
        for template in ("/é e/{a}", "/%C3%A9%20e/{a}", "/é%20e/{a}"):
            self.check(template, ("/é e/1", {"a": "1"}), ("/%C3%A9%20e/1", {"a": "1"}), ("/e e/1", None))
        self.check("/50%25/{a}", ("/50%25/1", {"a": "1"}))
        self.check(r"/{a:é\w}", ("/%C3%A9%C3%BC", {"a": "éü"}), ("/éü", {"a": "éü"}))

    def test_a_query_is_asked_for_as_it_stands_there(self):
        self.check("/{id}?b=2&a=1", ("/7?a=1&b=2", {"id": "7"}), ("/7", None), ("/7?a=1", None))
        self.check("/{id}?a=1", ("/7?a=1&b=2", None), ("/7?a=1&a=1", None), ("/7?a=1", {"id": "7"}))
        self.check("/{id}?q={x}", ("/7?q={x}", {"id": "7"}), ("/7?q=x", None))
        self.check("/{id}?q=%C3%BC", ("/7?q=ü", {"id": "7"}))

    def test_fragments_play_no_part(self):
        self.check("/{id}#top", ("/7", {"id": "7"}))
        self.check("/{id}?a=1#{top}", ("/7?a=1", {"id": "7"}))

    def test_a_host_may_be_any_below_another(self):
        for template, url, expected in [
            ("https://*.example.com/a", "https://api.example.com/a", {}),
            ("https://*.example.com/a", "https://b.api.example.com/a", {}),
            ("https://*.example.com/a", "https://example.com/a", None),
            ("https://*.example.com/a", "https://.example.com/a", None),
            ("https://*.example.com/a", "https://evilexample.com/a", None),
            ("https://*.example.com/a", "https://api.example.com.evil/a", None),
            ("https://*.example.com/a", "http://api.example.com/a", None),
            ("https://*.example.com/a", "https://api.example.com:8443/a", None),
            ("https://*.example.com:8443/a", "https://api.example.com:8443/a", {}),
            ("https://*.example.com:443/a", "https://api.example.com/a", {}),
            ("https://*.example.com/{id}", "https://api.example.com/7", {"id": "7"}),
            ("https://*.example.com", "https://api.example.com/", {}),
            ("https://*.example.com?a=1", "https://api.example.com/?a=1", {}),
            ("https://*.EXAMPLE.com/a", "https://api.example.com/a", {}),
            ("https://*.bücher.example/a", "https://api.xn--bcher-kva.example/a", {}),
            ("https://*.xn--bcher-kva.example/a", "https://api.bücher.example/a", {}),
            ("http://127.0.0.1:8080/{id}", "http://127.0.0.1:8080/7", {"id": "7"}),
            ("http://127.0.0.1:8080/{id}", "http://127.0.0.1:8081/7", None),
            ("http://[::1]:8080/{id}", "http://[::1]:8080/7", {"id": "7"}),
            ("http://example.com:80/{id}", "http://example.com/7", {"id": "7"}),
            ("HTTP://Example.com/{id}", "http://example.com/7", {"id": "7"}),
        ]:
            with self.subTest(template=template, url=url):
                try:
                    url = URL(url)
                except ValueError:
                    continue  # No request can have it.
                self.assertEqual(filled(template, url), expected)


class TemplateOrUrlTest(unittest.TestCase):
    def test_braces_in_the_path_and_a_star_for_the_host_make_a_template(self):
        for url, expected in [
            (API, False),
            (API + "/users/{id}", True),
            (API + "/users/id}", True),
            (API + "/?q={id}", False),
            (API + "/#{id}", False),
            (API + "/{id:[?#]}", True),
            ("https://*.example.com/", True),
            (API + "/*.x/", False),
            (API + "/*", False),
            ("https://me:*@example.com/", False),
            ("https://example.com/?u=https://*.example.com", False),
        ]:
            with self.subTest(url=url):
                try:
                    match = aioresponses().get(url)
                except ValueError as error:
                    # As a template it makes no sense; as a URL it would.
                    self.assertIn("{name:regex}", str(error))
                    self.assertTrue(expected)
                else:
                    self.assertEqual(isinstance(match.url_or_pattern, URL), not expected)

    def test_a_url_object_is_not_a_template(self):
        url = URL(API + "/users/{id}")
        self.assertEqual(str(aioresponses().get(url)), f"GET {API}/users/%7Bid%7D")
        self.assertIsNone(filled(url, API + "/users/7"))
        self.assertEqual(filled(url, url), {})

    def test_braces_in_a_query_are_text(self):
        self.assertEqual(filled(API + "/?q={id}", API + "/?q=%7Bid%7D"), {})
        self.assertIsNone(filled(API + "/?q={id}", API + "/?q=7"))

    def test_a_template_shows_itself_as_it_was_written(self):
        for url in (API + r"/users/{id:\d+}?b=2&a=1#top", "https://*.example.com/ü"):
            with self.subTest(url=url), aioresponses() as mock:
                match = mock.get(url, repeat=2)
                self.assertEqual(repr(match), f"<RequestMatch GET {url}, used 0 of 2>")
                self.assertEqual((isinstance(match.url_or_pattern, URL), str(match.url_or_pattern)), (False, url))

    def test_what_cannot_be_a_template_is_refused(self):
        host = (
            "the host of a template may have a leading *. and no other placeholder; for any host, pass a compiled "
            "pattern"
        )
        braces = (
            "{!r} is neither {{name}} nor {{name:regex}}; for a pattern, pass re.compile(…), for literal braces a "
            "yarl.URL"
        )
        for url, reason in [
            (API + "/{}", braces.format("/{}")),
            (API + "/{1a}", braces.format("/{1a}")),
            (API + "/{a b}", braces.format("{a b}")),
            (API + "/{a-b}", braces.format("{a-b}")),
            (API + "/{id", braces.format("/{id")),
            (API + "/id}", braces.format("/id}")),
            (API + "/{id}}", braces.format("}")),
            (API + "/{{id}}", braces.format("/{")),
            (API + "/{id:}", braces.format("{id:}")),
            (API + '/{"a": 1}', braces.format('/{"a": 1}')),
            (API + "/{id}/{id}", "two of its placeholders are named 'id'"),
            (API + r"/{id:\d}/{id}", "two of its placeholders are named 'id'"),
            ("/users/{id}", "a template needs a scheme and a host"),
            ("api.example.com/{id}", "a template needs a scheme and a host"),
            ("https:///{id}", "a template needs a scheme and a host"),
            ("https://{host}/", host),
            ("https://{host}.example.com/{id}", host),
            ("https://api.*.example.com/{id}", host),
            ("https://*.*.example.com/", host),
            ("https://*/{id}", host),
            ("https://*/users", host),
            ("http://*:8080", host),
            ("http://*example.com/", host),
            ("http://example.*/users", host),
            ("https://me:secret@api.example.com/{id}", host),
            ("https://*./a", "a template needs a scheme and a host"),
        ]:
            with self.subTest(url=url), aioresponses() as mock:
                with self.assertRaises(ValueError) as raised:
                    mock.get(url)
                shown = url.replace("me:secret", "…")
                self.assertEqual(str(raised.exception), f"url: expected a URL, got {shown!r}: {reason}")
                self.assertEqual(mock._matches, {})

    def test_a_regex_that_does_not_compile_is_refused(self):
        for url in (API + "/{id:(}", API + "/{id:[}", API + "/{id:*}", API + "/{id:(?P<id>x)}"):
            with self.subTest(url=url), self.assertRaises(ValueError) as raised:
                aioresponses().get(url)
            self.assertTrue(
                str(raised.exception).startswith(
                    f"url: expected a URL, got {url!r}: its path is not a valid pattern: "
                ),
                raised.exception,
            )

    def test_a_port_that_is_not_a_number_is_refused(self):
        with self.assertRaises(ValueError) as raised:
            aioresponses().get("https://api.example.com:port/{id}")
        self.assertTrue(
            str(raised.exception).startswith("url: expected a URL, got 'https://api.example.com:port/{id}': "),
            raised.exception,
        )


class MatchInfoTest(AioResponsesTestCase):
    assert_all_mocked = False  # What no mock answers is looked at here.
    maxDiff = None

    async def get(self, url, **kwargs):
        async with self.client_session().get(url, **kwargs) as response:
            return await response.text()

    async def test_a_call_knows_what_was_captured(self):
        self.mock.get(API + "/{kind}/{id}", repeat=True)
        self.mock.get(re.compile(r"http://example\.com/(?P<kind>\w+)(/(?P<id>\d+))?(x)?"), repeat=True)
        self.mock.get("http://example.com/plain")
        for url, expected in [
            (API + "/users/7", {"kind": "users", "id": "7"}),
            (API + "/ü/a%2Fb", {"kind": "ü", "id": "a/b"}),
            ("http://example.com/users/7", {"kind": "users", "id": "7"}),
            ("http://example.com/users", {"kind": "users", "id": ""}),
        ]:
            with self.subTest(url=url):
                await self.get(url)
                self.assertEqual(dict(self.mock.calls[-1].match_info), expected)
        self.mock.clear()
        self.mock.get("http://example.com/plain")
        await self.get("http://example.com/plain")
        self.assertEqual(dict(self.mock.calls[-1].match_info), {})

    async def test_a_callback_and_a_reply_may_use_what_was_captured(self):
        def by_callback(call):
            return CallbackResult(body=f"callback {call.match_info['id']}")

        async def by_coroutine(call):
            return CallbackResult(body=f"coroutine {call.match_info['id']}")

        def by_body(call):
            yield "body "
            yield call.match_info["id"]

        def by_payload(call):
            return {"id": call.match_info["id"]}

        for arguments, expected in [
            ({"callback": by_callback}, "callback 7"),
            ({"callback": by_coroutine}, "coroutine 7"),
            ({"body": by_body}, "body 7"),
            ({"payload": by_payload}, '{"id": "7"}'),
        ]:
            with self.subTest(expected):
                self.mock.get(API + "/{id}", **arguments)
                self.assertEqual(await self.get(API + "/7"), expected)

    async def test_each_hop_knows_what_was_captured_of_its_url(self):
        self.mock.get(API + "/old/{id}", status=302, headers={"Location": "/new/8/x"})
        self.mock.get(API + "/new/{id}/{part}")
        await self.get(API + "/old/7")
        [call] = self.mock.calls
        self.assertEqual(
            [dict(hop.match_info) for hop in call.hops], [{"id": "7"}, {"id": "8", "part": "x"}]
        )

    async def test_nothing_is_captured_by_mocks_that_do_not_answer(self):
        self.mock.get(API + "/{a}", match=lambda call: False)
        self.mock.get(API + "/7")
        await self.get(API + "/7")
        self.assertEqual(dict(self.mock.calls[0].match_info), {})

    async def test_credentials_of_the_url_play_no_part(self):
        self.mock.get(API + "/{id}")
        self.mock.get("https://*.example.com/{id}")
        await self.get("https://me:secret@api.example.com/7")
        await self.get("https://me:secret@www.example.com/8")
        self.assertEqual([dict(call.match_info) for call in self.mock.calls], [{"id": "7"}, {"id": "8"}])

    async def test_params_are_part_of_the_url(self):
        self.mock.get(API + "/{id}?a=1&b=2", body="found")
        self.assertEqual(await self.get(API + "/7?b=2", params={"a": "1"}), "found")

    async def test_why_a_template_does_not_answer(self):
        for template, asked, reason in [
            (API + "/{id}", API + "/a/b", "path '/a/b' does not match the template; "
             "a placeholder takes one segment, {name:.+} takes slashes too"),
            (API + "/{id}?a=1", API + "/7", "query differs: a='1' is missing"),
            (API + "/{id}", API + "/7?a=1", "query differs: unexpected a='1' (match_query=ANY takes any query)"),
            (API + "/{id}", "http://api.example.com/7", "scheme differs: mock has 'https', request has 'http'"),
            (API + "/{id}", "https://www.example.com/7",
             "host differs: mock has 'api.example.com', request has 'www.example.com'"),
            (API + ":81/{id}", API + "/7", "port differs: mock has 81, request has 443"),
            ("https://*.example.com/a", "https://example.com/a",
             "host differs: mock has '*.example.com', request has 'example.com'"),
            ("https://*.example.com/a", "https://x.example.com/b",
             "path '/b' does not match the template"),
        ]:
            with self.subTest(template=template, asked=asked):
                self.mock.clear()
                self.mock.get(template)
                with self.assertRaises(aiohttp.ClientConnectionError) as raised:
                    await self.get(asked)
                self.assertEqual(
                    raised.exception.__notes__,
                    [
                        f"aioresponses: no mock answers GET {asked}\n"
                        f"Registered mocks, the closest first:\n  GET {template}: {reason}"
                    ],
                )


class TemplatesInAssertionsTest(AioResponsesTestCase):
    maxDiff = None

    async def asyncSetUp(self):
        self.mock.post("https://*.example.com/{path:.*}", match_query={}, repeat=True)
        self.mock.post("https://*.example.com/{path:.*}", match_query={"page": "2"}, repeat=True)
        session = self.client_session()
        await session.post(API + "/users/7", json={"name": "Ada"})
        await session.post(API + "/users/8", json={"name": "Bob"}, params={"page": "2"})
        await session.post("https://www.example.com/users/9")

    async def test_a_template_stands_for_the_calls_that_it_fits(self):
        users = API + "/users/{id}"
        self.assertCallCount(1, users)
        self.assertCallCount(2, "https://*.example.com/users/{id}", "POST")
        self.assertNotCalled(API + r"/users/{id:\D+}")
        self.assertCalledOnce(API + r"/users/{id:\d}?page=2")
        self.assertCallOrder([users, ("POST", users + "?page=2"), "https://*.example.com/users/9"])
        self.assertJsonBody({"name": "Ada"}, users)
        self.assertJsonBody({"name": "Bob"}, users + "?page=2")
        self.assertQuery({"page": "2"}, users)
        self.assertQuery({"page": "2"}, users, index=1)
        self.assertRequestHeaders({"Host": "www.example.com"}, "https://*.example.com/users/{id}")

    async def test_a_message_shows_the_template(self):
        with self.assertRaises(self.failureException) as raised:
            self.assertCalled(API + "/posts/{id}", "POST")
        self.assertEqual(
            str(raised.exception).splitlines()[0],
            "Expected a call to POST https://api.example.com/posts/{id}, but there were none.",
        )

    async def test_a_template_that_does_not_compile(self):
        with self.assertRaises(self.failureException) as raised:
            self.assertCalled(API + "/{}")
        self.assertEqual(
            str(raised.exception),
            "Invalid argument: url: expected a URL, got 'https://api.example.com/{}': '/{}' is "
            "neither {name} nor {name:regex}; for a pattern, pass re.compile(…), for literal braces a yarl.URL",
        )

    async def test_assertions_of_the_mock(self):
        users = API + "/users/{id}"
        self.mock.assert_any_call(users, "POST", json={"name": "Ada"})
        self.mock.assert_called_with(users, "POST", json={"name": "Ada"}, data=None)
        self.mock.assert_any_call(users, "POST", params={"page": "2"})
        self.mock.assert_called_with(users, "POST", params={"page": "2"}, json={"name": "Bob"})
        self.mock.assert_any_call(users + "?page=2", "POST", json={"name": "Bob"})
        self.mock.assert_has_calls(
            [unittest.mock.call(users, "POST"), unittest.mock.call(users + "?page=2", method="POST")]
        )
        for check, message in [
            (
                lambda: self.mock.assert_called_with(users, "GET"),
                "Expected GET https://api.example.com/users/{id} to be called, but it was never called.",
            ),
            (
                lambda: self.mock.assert_any_call(users + "#top", "POST", params={"page": "3"}),
                "Expected POST https://api.example.com/users/{id}?page=3#top, params={'page': '3'}, but there was no "
                "such call.",
            ),
        ]:
            with self.assertRaises(AssertionError) as raised:
                check()
            self.assertEqual(str(raised.exception).splitlines()[0], message)


class LikeARouteTest(ServerTestCase):
    """A template fits what the route of a real server fits, and captures what that captures."""

    async def test_a_template_fits_what_a_route_of_a_server_fits(self):
        for template in (
            "/{id}", "/users/{id}", r"/{id:\d+}", "/{a}/{b}", "/{tail:.*}", "/v{major}.{minor}", "/a-b/{id}",
        ):
            captured = []

            async def handle(request):
                captured.append(dict(request.match_info))
                return web.Response()

            server = await self.serve(web.get(template, handle))
            for path in (
                "/", "/7", "/users/7", "/users", "/a/b", "/a/b/c", "/v1.2", "/a-b/x", "/%20x", "/%C3%BC", "/a%2Fb",
                "/a%25b", "/7/", "/a+b", "/a:b@c",
            ):
                with self.subTest(template=template, path=path):
                    url = server.join(URL(path, encoded=True))
                    captured.clear()
                    async with aiohttp.ClientSession() as session:
                        async with session.get(url) as response:
                            expected = captured[0] if response.status == 200 else None
                        with aioresponses() as mock:
                            mock.get(str(server).rstrip("/") + template)
                            try:
                                await session.get(url)
                                found = dict(mock.calls[0].match_info)
                            except aiohttp.ClientConnectionError:
                                found = None
                    self.assertEqual(found, expected)
