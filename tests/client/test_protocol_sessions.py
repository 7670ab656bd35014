"""Redirects, cookies, proxies, middlewares and options of sessions work as they do with a real server."""

import json
import os
import unittest
import unittest.mock
import warnings

import aiohttp
from aiohttp import (
    ClientRequest,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    CookieJar,
    TooManyRedirects,
)
from yarl import URL

from ..servers import ServerTestCase, fetch, seen
from ..support import error_of, needs_basic_auth, needs_middlewares


class RedirectTest(ServerTestCase):

    async def test_a_post_becomes_a_get_without_body_after_301_302_and_303(self):
        here = await self.origin()
        starts = [
            here.answers("POST", f"/{status}", status, headers=[("Location", "/end")]) for status in (301, 302, 303)
        ]
        for _ in starts:
            here.answers("GET", "/end", body=b"arrived")

        async def scenario():
            async with ClientSession() as session:
                return [await fetch(session, "POST", start.url, data=b"body") for start in starts]

        outcome = await self.compare(scenario)
        self.assertEqual(
            [(request.method, request.body) for request in outcome.received],
            [("POST", b"body"), ("GET", b"")] * 3,
        )
        self.assertEqual([response.body for response in outcome.seen], [b"arrived"] * 3)

    async def test_method_and_body_are_kept_after_307_and_308(self):
        here = await self.origin()
        starts = [here.answers("PUT", f"/{status}", status, headers=[("Location", "/end")]) for status in (307, 308)]
        for _ in starts:
            here.answers("PUT", "/end", body=b"arrived")

        async def scenario():
            async with ClientSession() as session:
                return [await fetch(session, "PUT", start.url, json={"a": 1}) for start in starts]

        outcome = await self.compare(scenario)
        self.assertEqual(
            [(request.method, request.body, request.header("Content-Type")) for request in outcome.received],
            [("PUT", b'{"a": 1}', "application/json")] * 4,
        )
        self.assertEqual([response.body for response in outcome.seen], [b"arrived"] * 2)

    async def test_a_head_stays_a_head(self):
        here = await self.origin()
        starts = [
            here.answers("HEAD", f"/{status}", status, b"unseen", headers=[("Location", "/end")])
            for status in (301, 302, 307, 308)
        ]
        for _ in starts:
            here.answers("HEAD", "/end", body=b"unseen")

        async def scenario():
            async with ClientSession() as session:
                return [await fetch(session, "HEAD", start.url, allow_redirects=True) for start in starts]

        outcome = await self.compare(scenario)
        self.assertEqual([request.method for request in outcome.received], ["HEAD"] * 8)

    async def test_the_history_holds_the_responses_on_the_way(self):
        here = await self.origin()
        here.answers("GET", "/1", 302, body=b"over there", headers=[("Location", "/2")])
        here.answers("GET", "/2", 301, headers=[("Location", "/3")], reason="Gone West")
        here.answers("GET", "/3", body=b"arrived")

        async def scenario():
            async with ClientSession() as session:
                async with session.get(here.url / "1") as response:
                    history = [
                        (earlier.status, earlier.reason, earlier.headers["Location"], str(earlier.url))
                        for earlier in response.history
                    ]
                    return history, await seen(response)

        outcome = await self.compare(scenario)
        self.assertEqual(
            outcome.seen[0],
            [(302, "Found", "/2", str(here.url / "1")), (301, "Gone West", "/3", str(here.url / "2"))],
        )

    async def test_a_relative_location_is_resolved_against_the_url_that_redirects(self):
        here = await self.origin()
        here.answers("GET", "/a/b/start?x=1", 302, headers=[("Location", "../c?y=2#part")])
        here.answers("GET", "/a/c?y=2", body=b"arrived")

        async def scenario():
            async with ClientSession() as session:
                return await fetch(session, "GET", here.url.join(URL("/a/b/start")), params={"x": 1})

        outcome = await self.compare(scenario)
        self.assertEqual([request.url for request in outcome.received][1], str(here.url.join(URL("/a/c?y=2"))))

    async def test_without_a_location_the_response_itself_is_returned(self):
        here = await self.origin()
        start = here.answers("GET", "/start", 302, body=b"nowhere")

        async def scenario():
            async with ClientSession() as session:
                return await fetch(session, "GET", start.url)

        outcome = await self.compare(scenario)
        self.assertEqual((outcome.seen.status, outcome.seen.body), (302, b"nowhere"))

    async def test_the_redirect_itself_is_returned_where_redirects_are_not_allowed(self):
        here = await self.origin()
        start = here.answers("GET", "/start", 307, headers=[("Location", "/end")], body=b"over there")

        async def scenario():
            async with ClientSession() as session:
                return await fetch(session, "GET", start.url, allow_redirects=False)

        outcome = await self.compare(scenario)
        self.assertEqual((outcome.seen.status, outcome.seen.header("Location")), (307, "/end"))

    async def test_too_many_redirects_raise(self):
        here = await self.origin()
        for number in range(5):
            here.answers("GET", f"/{number}", 302, headers=[("Location", f"/{number + 1}")])

        async def scenario():
            async with ClientSession() as session:
                try:
                    await session.get(here.url / "0", max_redirects=3)
                except TooManyRedirects as error:
                    return error.status, str(error), [str(response.url) for response in error.history]

        outcome = await self.compare(scenario)
        self.assertEqual(outcome.seen[2], [str(here.url / "0"), str(here.url / "1"), str(here.url / "2")])

    async def test_a_location_that_no_client_follows_raises(self):
        here = await self.origin()
        start = here.answers("GET", "/start", 302, headers=[("Location", "mailto:ada@example.com")])

        async def scenario():
            async with ClientSession() as session:
                return await error_of(session.get(start.url))

        await self.compare(scenario)

    async def test_authorization_is_dropped_on_the_way_to_another_origin(self):
        here, there = await self.origin(), await self.origin()
        here.answers("GET", "/start", 302, headers=[("Location", "/next")])
        here.answers("GET", "/next", 302, headers=[("Location", str(there.url / "end"))])
        there.answers("GET", "/end", body=b"arrived")

        async def scenario():
            async with ClientSession() as session:
                return await fetch(session, "GET", here.url / "start", headers={"Authorization": "Bearer token"})

        outcome = await self.compare(scenario)
        self.assertEqual(
            [request.header("Authorization") for request in outcome.received], ["Bearer token", "Bearer token", None]
        )

    async def test_cookies_of_a_redirect_are_kept_from_other_hosts(self):
        here, there = await self.origin(), await self.origin()
        elsewhere = there.url.with_host("localhost") / "end"
        here.answers("GET", "/start", 302, headers=[("Set-Cookie", "a=1; Path=/"), ("Location", "/next")])
        here.answers("GET", "/next", 302, headers=[("Location", str(elsewhere))])
        there.answers("GET", elsewhere, body=b"arrived")

        async def scenario():
            async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
                return await fetch(session, "GET", here.url / "start", cookies={"b": "2"})

        outcome = await self.compare(scenario)
        # Where b goes along depends on the release of aiohttp.
        self.assertEqual(
            ["a=1" in (request.header("Cookie") or "") for request in outcome.received], [False, True, False]
        )


class CookieTest(ServerTestCase):

    async def test_a_cookie_that_is_set_is_sent_with_the_next_request(self):
        here = await self.origin()
        here.answers("GET", "/login", headers=[("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/only/here")])
        here.answers("GET", "/")
        here.answers("GET", "/only/here")

        async def scenario():
            async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
                responses = [
                    await fetch(session, "GET", here.url.join(URL(path))) for path in ("login", "", "only/here")
                ]
                return responses, sorted((cookie.key, cookie.value, cookie["path"]) for cookie in session.cookie_jar)

        outcome = await self.compare(scenario)
        self.assertEqual(outcome.seen[0][0].cookies, {"a": "1", "b": "2"})
        self.assertEqual(outcome.seen[1], [("a", "1", "/"), ("b", "2", "/only/here")])
        self.assertEqual([request.header("Cookie") for request in outcome.received], [None, "a=1", "a=1; b=2"])

    async def test_an_expired_cookie_is_forgotten(self):
        here = await self.origin()
        here.answers("GET", "/login", headers=[("Set-Cookie", "a=1; Path=/")])
        here.answers("GET", "/logout", headers=[("Set-Cookie", "a=; Path=/; Max-Age=0")])
        here.answers("GET", "/")

        async def scenario():
            async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
                return [await fetch(session, "GET", here.url.join(URL(path))) for path in ("login", "logout", "")]

        outcome = await self.compare(scenario)
        self.assertEqual([request.header("Cookie") for request in outcome.received], [None, "a=1", None])

    async def test_the_default_cookie_jar_takes_nothing_from_a_bare_address(self):
        here = await self.origin()
        here.answers("GET", "/", headers=[("Set-Cookie", "a=1")])
        here.answers("GET", "/")

        async def scenario():
            async with ClientSession() as session:
                return [await fetch(session, "GET", here.url) for _ in range(2)]

        outcome = await self.compare(scenario)
        self.assertEqual([request.header("Cookie") for request in outcome.received], [None, None])

    async def test_cookies_of_a_session_and_of_a_request_are_sent_together(self):
        here = await self.origin()
        here.answers("GET", "/")
        here.answers("GET", "/")

        async def scenario():
            async with ClientSession(cookie_jar=CookieJar(unsafe=True), cookies={"a": "1", "b": "2"}) as session:
                return [
                    await fetch(session, "GET", here.url, cookies={"b": "3"}), await fetch(session, "GET", here.url)
                ]

        outcome = await self.compare(scenario)
        self.assertEqual([request.header("Cookie") for request in outcome.received], ["a=1; b=3", "a=1; b=2"])


class RaiseForStatusTest(ServerTestCase):

    async def asyncSetUp(self):
        self.here = await self.origin()
        self.bad = self.here.answers("GET", "/bad", 404, body=b"no such thing", reason="Lost").url
        self.good = self.here.answers("GET", "/good", body=b"fine").url

    async def compare_both(self, session_option=False, **options):
        async def outcome_of(session, url):
            try:
                return await fetch(session, "GET", url, **options)
            except ClientResponseError as error:
                headers = sorted(item for item in error.headers.items() if item[0] not in ("Date", "Server"))
                return type(error), error.status, error.message, str(error.request_info.url), error.history, headers

        async def scenario():
            async with ClientSession(raise_for_status=session_option) as session:
                return [await outcome_of(session, url) for url in (self.bad, self.good)]

        return (await self.compare(scenario)).seen

    async def test_the_method_of_a_response_raises(self):
        async def scenario():
            async with ClientSession() as session:
                async with session.get(self.bad) as response:
                    try:
                        response.raise_for_status()
                    except ClientResponseError as error:
                        return error.status, error.message, str(error)

        outcome = await self.compare(scenario)
        self.assertEqual(outcome.seen[:2], (404, "Lost"))

    async def test_nothing_is_raised_by_default(self):
        bad, good = await self.compare_both()
        self.assertEqual([bad.status, good.status], [404, 200])

    async def test_the_session_raises(self):
        bad, good = await self.compare_both(session_option=True)
        self.assertEqual((bad[:4], good.status), ((ClientResponseError, 404, "Lost", str(self.bad)), 200))

    async def test_a_request_raises(self):
        bad, good = await self.compare_both(raise_for_status=True)
        self.assertEqual((bad[:4], good.status), ((ClientResponseError, 404, "Lost", str(self.bad)), 200))

    async def test_a_request_does_not_raise_though_the_session_would(self):
        bad, good = await self.compare_both(session_option=True, raise_for_status=False)
        self.assertEqual([bad.status, good.status], [404, 200])

    async def test_a_function_of_the_session_is_asked(self):
        async def check(response):
            if response.status != 200:
                raise ClientResponseError(
                    response.request_info,
                    (),
                    status=response.status,
                    message=(await response.text()).upper(),
                    headers=response.headers,
                )

        await self.compare_both(session_option=check)

    async def test_a_function_of_a_request_is_asked(self):
        async def check(response):
            await response.read()

        await self.compare_both(session_option=True, raise_for_status=check)


class SessionTest(ServerTestCase):

    async def test_urls_are_joined_to_the_base_url(self):
        here = await self.origin()
        here.answers("GET", "/users/7?full=1", body=b"Ada")

        async def scenario():
            async with ClientSession(here.url) as session:
                return await fetch(session, "GET", "/users/7", params={"full": "1"})

        outcome = await self.compare(scenario)
        self.assertEqual(outcome.seen.body, b"Ada")

    async def test_default_headers_are_sent_and_overridden(self):
        here = await self.origin()
        here.answers("GET", "/")

        async def scenario():
            async with ClientSession(headers={"X-A": "1", "X-B": "2", "User-Agent": "me"}) as session:
                return await fetch(session, "GET", here.url, headers=[("x-b", "3"), ("X-C", "4"), ("X-C", "5")])

        outcome = await self.compare(scenario)
        self.assertEqual(
            sorted(item for item in outcome.received[0].headers if item[0].lower().startswith(("x-", "user"))),
            [("User-Agent", "me"), ("X-A", "1"), ("X-C", "4"), ("X-C", "5"), ("x-b", "3")],
        )

    async def test_automatic_headers_can_be_skipped(self):
        here = await self.origin()
        here.answers("POST", "/")
        here.answers("POST", "/")

        async def scenario():
            async with ClientSession(skip_auto_headers=["User-Agent"]) as session:
                return [
                    await fetch(session, "POST", here.url, data=b"body"),
                    await fetch(session, "POST", here.url, data=b"body", skip_auto_headers=["Content-Type", "Accept"]),
                ]

        outcome = await self.compare(scenario)
        self.assertEqual(
            [request.header(name) for request in outcome.received for name in ("User-Agent", "Content-Type", "Accept")],
            [None, "application/octet-stream", "*/*", None, None, None],
        )

    @needs_basic_auth
    async def test_basic_auth_becomes_a_header(self):
        here = await self.origin()
        for _ in range(4):
            here.answers("GET", "/")

        async def scenario():
            with warnings.catch_warnings():
                # aiohttp 3.14 deprecates BasicAuth.
                warnings.simplefilter("ignore", DeprecationWarning)
                async with ClientSession() as session:
                    of_request = await fetch(session, "GET", here.url, auth=aiohttp.BasicAuth("Ada", "päss", "utf-8"))
                    of_url = await fetch(session, "GET", here.url.with_user("Ada").with_password("pass"))
                    by_hand = await fetch(session, "GET", here.url, headers={"Authorization": "Basic QWRhOg=="})
                async with ClientSession(auth=aiohttp.BasicAuth("Ada", "pass")) as session:
                    return of_request, of_url, by_hand, await fetch(session, "GET", here.url)

        outcome = await self.compare(scenario)
        self.assertEqual(
            [request.header("Authorization") for request in outcome.received],
            ["Basic QWRhOnDDpHNz", "Basic QWRhOnBhc3M=", "Basic QWRhOg==", "Basic QWRhOnBhc3M="],
        )

    async def test_json_is_serialised_as_the_session_does_it(self):
        here = await self.origin()
        here.answers("POST", "/")

        async def scenario():
            def serialize(value):
                return json.dumps(value, sort_keys=True, indent=1)

            async with ClientSession(json_serialize=serialize) as session:
                return await fetch(session, "POST", here.url, json={"b": "é", "a": 1})

        outcome = await self.compare(scenario)
        self.assertEqual(outcome.received[0].body, b'{\n "a": 1,\n "b": "\\u00e9"\n}')

    async def test_any_method_is_sent(self):
        here = await self.origin()
        for method in ("OPTIONS", "DELETE", "PATCH", "PROPFIND"):
            here.answers(method, "/", body=method.encode())

        async def scenario():
            async with ClientSession() as session:
                return [await fetch(session, method, here.url) for method in ("OPTIONS", "DELETE", "PATCH", "propfind")]

        outcome = await self.compare(scenario)
        self.assertEqual(
            [response.body for response in outcome.seen], [b"OPTIONS", b"DELETE", b"PATCH", b"PROPFIND"]
        )

    async def test_a_custom_request_class_is_used(self):
        class SignedRequest(ClientRequest):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self.headers["X-Signature"] = f"{self.method} {self.url.path}"

        here = await self.origin()
        here.answers("GET", "/users")

        async def scenario():
            async with ClientSession(request_class=SignedRequest) as session:
                return await fetch(session, "GET", here.url / "users")

        outcome = await self.compare(scenario)
        self.assertEqual(outcome.received[0].header("X-Signature"), "GET /users")

    async def test_a_custom_response_class_is_used(self):
        class LoudResponse(ClientResponse):
            async def shout(self):
                return (await self.text()).upper()

        here = await self.origin()
        here.answers("GET", "/", body=b"hello")

        async def scenario():
            async with ClientSession(response_class=LoudResponse) as session:
                async with session.get(here.url) as response:
                    return type(response), await response.shout()

        outcome = await self.compare(scenario)
        self.assertEqual(outcome.seen, (LoudResponse, "HELLO"))

    async def test_a_request_without_a_session_is_answered(self):
        here = await self.origin()
        here.answers("GET", "/", body=b"hello")

        async def scenario():
            async with aiohttp.request("GET", here.url) as response:
                return await seen(response)

        outcome = await self.compare(scenario)
        self.assertEqual(outcome.seen.body, b"hello")

    async def test_the_response_knows_the_request_that_was_sent(self):
        here = await self.origin()
        here.answers("GET", "/")

        async def scenario():
            async with ClientSession() as session:
                async with session.get(here.url.with_fragment("part"), headers={"X-A": "1"}) as response:
                    info = response.request_info
                    return info.method, str(info.url), str(info.real_url), list(info.headers.items())

        outcome = await self.compare(scenario)
        self.assertEqual(outcome.seen[3], outcome.received[0].headers)


class ProxyTest(ServerTestCase):

    async def test_a_proxied_request_is_answered_by_the_mock_of_its_url(self):
        proxy = await self.origin()
        proxy.answers("GET", "http://example.com/path?a=1", body=b"by proxy")

        async def scenario():
            async with ClientSession() as session:
                return await fetch(session, "GET", URL("http://example.com/path?a=1"), proxy=proxy.url)

        outcome = await self.compare(scenario)
        self.assertEqual(outcome.seen.body, b"by proxy")

    @needs_basic_auth
    async def test_credentials_of_a_proxy_are_sent_to_it(self):
        proxy = await self.origin()
        for _ in range(2):
            proxy.answers("GET", "http://example.com/")

        async def scenario():
            url = URL("http://example.com/")
            with warnings.catch_warnings():
                # aiohttp 3.14 deprecates BasicAuth.
                warnings.simplefilter("ignore", DeprecationWarning)
                async with ClientSession() as session:
                    return [
                        await fetch(session, "GET", url, proxy=proxy.url, proxy_auth=aiohttp.BasicAuth("Ada", "pass")),
                        await fetch(session, "GET", url, proxy=proxy.url.with_user("Bob").with_password("b")),
                    ]

        outcome = await self.compare(scenario)
        self.assertEqual(
            [request.header("Proxy-Authorization") for request in outcome.received],
            ["Basic QWRhOnBhc3M=", "Basic Qm9iOmI="],
        )

    async def test_headers_for_a_proxy_are_sent_to_it(self):
        proxy = await self.origin()
        proxy.answers("GET", "http://example.com/")

        async def scenario():
            async with ClientSession() as session:
                return await fetch(
                    session, "GET", URL("http://example.com/"), proxy=proxy.url, proxy_headers={"X-Proxy": "1"}
                )

        await self.compare(scenario)

    async def test_a_proxy_of_the_environment_is_used(self):
        proxy = await self.origin()
        proxy.answers("GET", "http://example.com/", body=b"by proxy")
        environment = {"http_proxy": str(proxy.url.with_user("Ada").with_password("pass")), "no_proxy": ""}

        async def scenario():
            with unittest.mock.patch.dict(os.environ, environment):
                async with ClientSession(trust_env=True) as session:
                    return await fetch(session, "GET", URL("http://example.com/"))

        outcome = await self.compare(scenario)
        self.assertEqual(outcome.received[0].header("Proxy-Authorization"), "Basic QWRhOnBhc3M=")


@needs_middlewares
class MiddlewareTest(ServerTestCase):

    async def test_a_middleware_changes_the_request_and_sees_the_response(self):
        here = await self.origin()
        here.answers("GET", "/", 418)

        async def scenario():
            statuses = []

            async def middleware(request, handler):
                request.headers["X-Signature"] = f"{request.method} {request.url.path}"
                response = await handler(request)
                statuses.append(response.status)
                return response

            async with ClientSession(middlewares=[middleware]) as session:
                return await fetch(session, "GET", here.url), statuses

        outcome = await self.compare(scenario)
        self.assertEqual(outcome.seen[1], [418])
        self.assertEqual(outcome.received[0].header("X-Signature"), "GET /")

    async def test_a_middleware_of_a_request_replaces_those_of_the_session(self):
        here = await self.origin()
        here.answers("GET", "/")

        def adding(value):
            async def middleware(request, handler):
                request.headers.add("X-Added", value)
                return await handler(request)

            return middleware

        async def scenario():
            async with ClientSession(middlewares=[adding("session")]) as session:
                return await fetch(session, "GET", here.url, middlewares=[adding("1"), adding("2")])

        outcome = await self.compare(scenario)
        self.assertEqual([value for name, value in outcome.received[0].headers if name == "X-Added"], ["1", "2"])

    async def test_a_middleware_that_tries_again_gets_the_next_answer(self):
        here = await self.origin()
        here.answers("PUT", "/", 503, body=b"later")
        here.answers("PUT", "/", 200, body=b"now")

        async def scenario():
            async def try_again(request, handler):
                response = await handler(request)
                if response.status == 503:
                    await response.read()
                    response = await handler(request)
                return response

            async with ClientSession(middlewares=[try_again]) as session:
                return await fetch(session, "PUT", here.url, data=b"body")

        outcome = await self.compare(scenario)
        self.assertEqual(
            (outcome.seen.body, [request.body for request in outcome.received]), (b"now", [b"body", b"body"])
        )

    async def test_a_middleware_raises_in_place_of_the_server(self):
        here = await self.origin()

        async def scenario():
            async def refuse(request, handler):
                raise LookupError("not today")

            async with ClientSession(middlewares=[refuse]) as session:
                return await error_of(session.get(here.url))

        outcome = await self.compare(scenario, what_came_in=False)
        self.assertEqual(outcome.seen, (LookupError, "not today"))

    async def test_digest_authentication_answers_the_challenge(self):
        here = await self.origin()
        challenge = 'Digest realm="here", nonce="abc", qop="auth", algorithm=SHA-256'
        here.answers("GET", "/secret", 401, headers=[("WWW-Authenticate", challenge)], body=b"who are you?")
        here.answers("GET", "/secret", body=b"welcome")

        async def scenario():
            # The nonce of the client is made of these.
            with unittest.mock.patch("os.urandom", return_value=b"8 bytes!"), unittest.mock.patch(
                "time.ctime", return_value="now"
            ):
                async with ClientSession(middlewares=[aiohttp.DigestAuthMiddleware("Ada", "pass")]) as session:
                    return await fetch(session, "GET", here.url / "secret")

        outcome = await self.compare(scenario)
        self.assertEqual(outcome.seen.body, b"welcome")
        self.assertEqual(outcome.received[0].header("Authorization"), None)
        self.assertIn('username="Ada"', outcome.received[1].header("Authorization"))
