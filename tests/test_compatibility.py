"""A `RequestMatch` that is made by hand, or looked into, as with aioresponses 0.7."""

import asyncio
import re
import unittest
from unittest.mock import Mock, create_autospec

import aiohttp
from aiohttp import ClientResponse, ClientSession
from multidict import CIMultiDict
from yarl import URL

from aioresponses import CallbackResult, Fault, RequestMatch, aioresponses

from .support import SITE, USERS, MockedTestCase, OwnResponse, get, recorded


def callback(url, **kwargs):
    return CallbackResult(payload={"url": str(url), **kwargs}, status=201)


class AttributesTest(unittest.TestCase):
    def shown(self, match):
        return {
            name: getattr(match, name)
            for name in (
                "method", "url_or_pattern", "status", "body", "payload", "exception", "headers", "content_type",
                "response_class", "repeat", "reason", "callback",
            )
        }

    def test_attributes_show_what_was_given(self):
        error = ValueError()
        given = {
            "status": 404, "body": "x", "payload": {"a": 1}, "exception": error, "headers": {"A": "1"},
            "content_type": "text/plain", "response_class": OwnResponse, "repeat": 3, "reason": "Gone",
            "callback": callback,
        }
        expected = {**given, "method": "post", "url_or_pattern": URL(SITE)}
        self.assertEqual(self.shown(RequestMatch(SITE, "POST", **given)), expected)
        self.assertEqual(self.shown(RequestMatch(url=SITE, method="POST", timeout=False, **given)), expected)
        self.assertEqual(self.shown(aioresponses().post(SITE, **given)), expected)

    def test_arguments_may_be_given_by_position_as_in_0_7(self):
        given = (404, b"x", [], None, {"A": "1"}, "text/plain", OwnResponse, False, 3, "Gone", callback)
        match = RequestMatch(SITE, "POST", *given)
        names = ("status", "body", "payload", "exception", "headers", "content_type", "response_class")
        self.assertEqual(tuple(getattr(match, name) for name in names), given[:7])
        self.assertEqual((match.method, match.repeat, match.reason, match.callback), ("post", *given[8:]))
        self.assertEqual(RequestMatch(SITE, "POST", 404, body="x").body, "x")
        match = RequestMatch(SITE, "GET", 200, "", None, None, None, None, None, True)
        self.assertIs(match.exception, asyncio.TimeoutError)
        with self.assertRaises(TypeError) as raised:
            RequestMatch(SITE, "POST", *given, True)
        self.assertEqual(str(raised.exception), "RequestMatch() takes at most 13 arguments by position")

    def test_attributes_show_the_defaults(self):
        expected = {
            "method": "get", "url_or_pattern": URL(SITE), "status": 200, "body": "", "payload": None,
            "exception": None, "headers": CIMultiDict(), "content_type": "application/json", "response_class": None,
            "repeat": False, "reason": "OK", "callback": None,
        }
        self.assertEqual(self.shown(RequestMatch(SITE)), expected)
        self.assertEqual(self.shown(aioresponses().get(SITE)), expected)

    def test_the_headers_of_a_request_match_are_found_in_any_case(self):
        for headers in ({"X-A": "1"}, [("X-A", "1")], CIMultiDict({"X-A": "1"})):
            with self.subTest(type(headers)):
                self.assertEqual(RequestMatch(SITE, headers=headers).headers["x-a"], "1")

    def test_a_timeout_shows_as_an_exception(self):
        self.assertIs(RequestMatch(SITE, timeout=True).exception, asyncio.TimeoutError)

    def test_the_reason_is_the_phrase_of_the_status(self):
        for status, reason in ((404, "Not Found"), (599, "")):
            self.assertEqual(RequestMatch(SITE, status=status).reason, reason)

    def test_documented_attributes_work_on_one_made_by_hand(self):
        match = RequestMatch(USERS + "/{id}", "post", repeat=2)
        self.assertEqual(
            (match.calls, match.called, match.call_count, match.remaining, match.optional, str(match), repr(match)),
            (
                [], False, 0, 2, False, "POST http://example.com/users/{id}",
                "<RequestMatch POST http://example.com/users/{id}, used 0 of 2>",
            ),
        )
        match.remove()

    def test_attributes_can_be_set_on_one_made_by_hand(self):
        match = RequestMatch(SITE)
        match.status, match.repeat = 404, 2
        self.assertEqual((match.status, match.reason, match.remaining), (404, "Not Found", 2))

    def test_attributes_of_a_registered_one_cannot_be_set(self):
        match = aioresponses().get(SITE)
        with self.assertRaises(AttributeError) as raised:
            match.status = 404
        self.assertEqual(
            str(raised.exception),
            "status of <RequestMatch GET http://example.com/, used 0 of 1> cannot be changed once the mock is "
            "registered: register another one, or one with `replies` or a `callback`",
        )
        self.assertEqual(match.status, 200)

    def test_wrong_arguments_are_refused_when_one_made_by_hand_is_used(self):
        for arguments, message in (
            ({"status": "200"}, "status: expected an int from 200 to 999, or 101, got '200'"),
            ({"satus": 200}, "add() got an unexpected keyword argument 'satus': did you mean 'status'?"),
        ):
            with self.subTest(**arguments), self.assertRaises(TypeError) as raised:
                RequestMatch(SITE, **arguments).match("GET", URL(SITE))
            self.assertEqual(str(raised.exception), message)

    def test_attributes_are_found_on_the_class(self):
        self.assertTrue(hasattr(RequestMatch, "status"))
        self.assertIn("build_response", dir(create_autospec(RequestMatch)))

    def test_other_attributes_are_missing_as_in_any_object(self):
        with self.assertRaises(AttributeError) as raised:
            RequestMatch(SITE).nothing
        self.assertEqual(str(raised.exception), "'RequestMatch' object has no attribute 'nothing'")


class MatchTest(unittest.TestCase):
    def test_match_compares_method_and_url(self):
        for url, method, fits in (
            (SITE, "GET", True),
            (SITE, "get", True),
            (SITE, "POST", False),
            (USERS, "GET", False),
            (SITE + "?a=1", "GET", False),
        ):
            for asked in (url, URL(url)):
                with self.subTest(url=asked, method=method):
                    self.assertIs(RequestMatch(SITE).match(method, asked), fits)

    def test_match_takes_the_query_in_any_order(self):
        self.assertTrue(RequestMatch(SITE + "?a=1&b=2").match("GET", URL(SITE + "?b=2&a=1")))

    def test_match_asks_patterns_and_templates(self):
        for url in (re.compile("^http://example.com/users/.$"), USERS + "/{id}"):
            with self.subTest(url):
                self.assertTrue(RequestMatch(url).match("GET", URL(USERS + "/7")))
                self.assertFalse(RequestMatch(url).match("GET", URL(USERS)))

    def test_match_does_not_ask_conditions(self):
        self.assertTrue(RequestMatch(SITE, match_query={"a": "1"}).match("GET", URL(SITE)))


class BuildResponseTest(MockedTestCase):
    async def test_build_response_makes_a_real_exchange(self):
        match = RequestMatch(
            SITE, "POST", status=404, payload={"a": 1}, headers={"X-A": "1", "Set-Cookie": "b=2"}, reason="Gone",
            response_class=OwnResponse,
        )
        response = await match.build_response(URL(SITE), headers={"X-B": "2"}, data="sent")
        self.assertIs(type(response), OwnResponse)
        self.assertEqual((response.method, response.url, response.status), ("POST", URL(SITE), 404))
        self.assertEqual((response.reason, response.headers["x-a"], response.cookies["b"].value), ("Gone", "1", "2"))
        self.assertEqual(response.request_info.headers["X-B"], "2")
        self.assertEqual((response.request_info.method, response.request_info.url), ("POST", URL(SITE)))
        self.assertEqual(await response.json(), {"a": 1})
        self.assertEqual(await response.text(), '{"a": 1}')
        # The one of a server, and not one that was made up.
        self.assertEqual(response.headers["Content-Length"], "8")

    async def test_build_response_reads_all_of_a_large_body(self):
        response = await RequestMatch(SITE, body=b"x" * 2 ** 20).build_response(URL(SITE))
        self.assertEqual(len(await response.read()), 2 ** 20)

    async def test_build_response_answers_whatever_url_and_conditions_are(self):
        for match in (RequestMatch(USERS), RequestMatch(re.compile("y")), RequestMatch(SITE, match_query={"a": "1"})):
            with self.subTest(match=match):
                response = await match.build_response("http://other.com/{id}?b=1")
                self.assertEqual((response.status, str(response.url)), (200, "http://other.com/%7Bid%7D?b=1"))

    async def test_build_response_takes_a_url_without_a_host(self):
        for asked, path in ((URL(), "/"), ("", "/"), ("/users", "/users"), (URL("users?page=1"), "/users?page=1")):
            with self.subTest(asked):
                response = await RequestMatch("", status=400, payload={"a": 1}).build_response(asked)
                self.assertEqual((response.status, await response.json()), (400, {"a": 1}))
                self.assertEqual(response.url.path_qs, path)
                self.assertIs(await RequestMatch("", exception=KeyError).build_response(asked), KeyError)

    async def test_build_response_is_not_seen_by_other_mocks(self):
        own = self.mock.get(SITE, body="registered")
        for match in (RequestMatch(SITE, body="by hand"), own):
            self.assertEqual(await (await match.build_response(SITE)).text(), match.body)
        self.assertEqual((recorded(self.mock), own.remaining, own.called), ({}, 1, False))
        self.assertEqual(await get(), "registered")
        self.assertEqual(await (await own.build_response(SITE)).text(), "registered")
        self.assertEqual(own.call_count, 1)

    async def test_build_response_works_without_an_active_mock(self):
        self.mock.stop()
        original = ClientSession._request
        self.assertEqual((await RequestMatch(SITE, status=201).build_response(SITE)).status, 201)
        self.assertIs(ClientSession._request, original)
        self.mock.start()

    async def test_build_response_calls_a_callback_with_url_and_arguments(self):
        match = RequestMatch(SITE, callback=callback)
        response = await match.build_response(URL(SITE), json={"a": 1})
        self.assertEqual(response.status, 201)
        self.assertEqual(
            await response.json(), {"url": SITE, "json": {"a": 1}, "allow_redirects": False}
        )

    async def test_build_response_returns_a_redirect(self):
        match = RequestMatch(SITE, status=302, headers={"Location": "/"})
        response = await match.build_response(URL(SITE), allow_redirects=True)
        self.assertEqual((response.status, response.history), (302, ()))

    async def test_build_response_returns_the_first_of_several_replies(self):
        match = RequestMatch(SITE, replies=[{"status": 201}, {"status": 202}])
        self.assertEqual([(await match.build_response(SITE)).status for _ in range(2)], [201, 201])

    async def test_build_response_returns_a_registered_exception(self):
        error = aiohttp.ServerDisconnectedError()
        for given, expected in (
            ({"exception": error}, error),
            ({"exception": aiohttp.ClientConnectionError}, aiohttp.ClientConnectionError),
            ({"timeout": True}, asyncio.TimeoutError),
            ({"exception": asyncio.CancelledError}, asyncio.CancelledError),
        ):
            with self.subTest(**given):
                self.assertIs(await RequestMatch(SITE, **given).build_response(SITE), expected)

    async def test_build_response_raises_any_other_exception(self):
        for given, expected in (
            ({"callback": Mock(side_effect=KeyError)}, KeyError),
            ({"fault": Fault.EMPTY_RESPONSE}, aiohttp.ServerDisconnectedError),
            ({"callback": Mock(side_effect=KeyError), "exception": ValueError}, KeyError),
        ):
            with self.subTest(**given), self.assertRaises(expected):
                await RequestMatch(SITE, **given).build_response(SITE)

    async def test_responses_that_are_built_side_by_side_do_not_mix(self):
        matches = [RequestMatch(SITE, body=str(number)) for number in range(3)]
        responses = await asyncio.gather(*(match.build_response(SITE) for match in matches))
        self.assertEqual([await response.text() for response in responses], ["0", "1", "2"])

    async def test_build_response_returns_a_response_of_aiohttp(self):
        self.assertIs(type(await RequestMatch(SITE).build_response(SITE)), ClientResponse)
