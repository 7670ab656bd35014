"""Mocks of every method, and of every URL."""

import re
from unittest.mock import ANY

from yarl import URL

from aioresponses import RequestMatch

from ..support import SITE, USERS, AskingTestCase, Even, note_of


class EveryMethodTest(AskingTestCase):
    async def test_any_and_no_method_stand_for_every_method(self):
        for register in (
            lambda: self.mock.any(SITE, body="any", repeat=True),
            lambda: self.mock.add(SITE, None, body="any", repeat=True),
            lambda: self.mock.add(SITE, method=None, body="any", repeat=True),
            lambda: self.mock.host(SITE).any("/", body="any", repeat=True),
            lambda: self.mock.host(SITE).add("/", method=None, body="any", repeat=True),
            lambda: self.mock.any(SITE + "{rest:.*}", body="any", repeat=True),
            lambda: self.mock.any(re.compile(SITE), body="any", repeat=True),
            lambda: self.mock.any(SITE, body="any", repeat=True, match_query=ANY),
        ):
            self.mock.clear()
            handle = register()
            self.assertIsInstance(handle, RequestMatch)
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "get"):
                self.assertEqual(await self.ask(method), (200, "any"))
            self.assertEqual(await self.ask("HEAD"), (200, ""))
            self.assertEqual((handle.call_count, handle.method), (9, "*"))

    async def test_it_answers_only_its_url(self):
        self.mock.any(USERS)
        self.assertEqual(
            await note_of(self.session, "DELETE", SITE),
            "aioresponses: no mock answers DELETE http://example.com/\n"
            "Registered mocks, the closest first:\n"
            "  * http://example.com/users: path differs: mock has '/users', request has '/'",
        )

    async def test_it_has_its_turn_in_the_order_of_registration(self):
        for conditions in ({}, {"match_query": ANY}):
            with self.subTest(conditions):
                self.mock.clear()
                self.mock.get(SITE, body="first")
                self.mock.any(SITE, body="second", **conditions)
                self.mock.get(SITE, body="third")
                self.assertEqual([text for _, text in await self.ask_often(3)], ["first", "second", "third"])

    async def test_it_answers_as_often_as_it_says_whatever_the_methods(self):
        handle = self.mock.any(SITE, repeat=2)
        self.assertEqual([(await self.ask(method))[0] for method in ("GET", "PUT")], [200, 200])
        self.assertEqual(handle.remaining, 0)
        self.assertEqual(
            await note_of(self.session, "GET"),
            "aioresponses: no mock answers GET http://example.com/\n"
            "Registered mocks, the closest first:\n"
            "  * http://example.com/: used up (2 of 2); to answer more requests, pass repeat",
        )

    def test_a_star_shows_for_the_method(self):
        self.assertEqual(
            [repr(self.mock.any(url)) for url in (SITE, SITE + "{id}", re.compile("x"), ANY)],
            [
                "<RequestMatch * http://example.com/, used 0 of 1>",
                "<RequestMatch * http://example.com/{id}, used 0 of 1>",
                "<RequestMatch * re.compile('x'), used 0 of 1>",
                "<RequestMatch any request, used 0 of 1>",
            ],
        )

    async def test_its_conditions_are_asked(self):
        self.mock.any(SITE, match_headers={"X-One": "1"}, repeat=True)
        self.assertEqual((await self.ask("PUT", headers={"X-One": "1"}))[0], 200)
        self.assertNotEqual((await self.ask("PUT"))[0], 200)

    async def test_the_reply_knows_the_method(self):
        self.mock.any(SITE, callback=lambda call: None, body=lambda call: call.method, repeat=True)
        self.assertEqual(await self.ask("PATCH"), (200, "PATCH"))

    async def test_by_hand_it_builds_a_response_as_to_a_get(self):
        response = await RequestMatch(SITE, None, status=201).build_response(SITE)
        self.assertEqual((response.status, response.method), (201, "GET"))


class EveryUrlTest(AskingTestCase):
    async def test_it_answers_requests_of_every_url(self):
        handle = self.mock.get(ANY, body="any", repeat=True)
        for url in (SITE, USERS + "?a=1#top", "https://me:secret@other.example:8080/a", URL("http://[::1]/")):
            self.assertEqual(await self.ask(url=url), (200, "any"))
        self.assertNotEqual((await self.ask("POST"))[0], 200)
        self.assertEqual(
            (repr(handle), handle.url_or_pattern), ("<RequestMatch any GET request, used 4 times>", None)
        )
        self.assertEqual(dict(self.mock.calls[0].match_info), {})

    async def test_with_every_method_it_answers_all_requests(self):
        self.mock.any(ANY, status=503, repeat=True)
        for method, url in (("GET", SITE), ("PUT", USERS), ("PROPFIND", "https://other.example/")):
            self.assertEqual((await self.ask(method, url))[0], 503)

    async def test_it_has_its_turn_in_the_order_of_registration(self):
        self.mock.get(SITE, body="first")
        self.mock.get(ANY, body="second")
        self.mock.get(SITE, body="third")
        self.assertEqual([text for _, text in await self.ask_often(3)], ["first", "second", "third"])

    async def test_its_query_may_be_asked_for(self):
        self.mock.get(ANY, match_query={"page": 2}, repeat=True)
        self.assertEqual((await self.ask(url=USERS + "?page=2"))[0], 200)
        self.assertNotEqual((await self.ask(url=USERS + "?page=3"))[0], 200)

    async def test_an_object_of_another_package_that_equals_everything_stands_for_every_url(self):
        class Anything:
            def __eq__(self, other):
                return True

        self.mock.get(Anything())
        self.assertEqual((await self.ask())[0], 200)

    async def test_assertions_take_it(self):
        self.mock.any(ANY, repeat=True)
        await self.ask("PUT", USERS)
        self.assertCalledOnce(ANY, "PUT")
        self.assertNotCalled(ANY, "GET")

    def test_what_does_not_equal_everything_is_no_url(self):
        class Raises:
            def __eq__(self, other):
                raise LookupError

            def __repr__(self):
                return "<Raises>"

        for url in (None, 5, Even(), Raises()):
            with self.assertRaises(TypeError) as raised:
                self.mock.get(url)
            self.assertEqual(
                str(raised.exception),
                f"url: expected a str, a yarl.URL or a compiled pattern, got {url!r}"
                + ("; for every URL, pass unittest.mock.ANY" if url is None else ""),
            )

    async def test_where_conditions_do_not_hold_they_alone_are_the_reason(self):
        self.mock.any(ANY, match_headers={"X-One": "1"})
        self.assertEqual(
            await note_of(self.session, "GET"),
            "aioresponses: no mock answers GET http://example.com/\n"
            "Registered mocks, the closest first:\n"
            "  any request, match_headers={'X-One': '1'}: headers: at X-One: '1' is missing",
        )


class HiddenByAnyTest(AskingTestCase):
    """Of a mock that was never used, it is said that one of every method or URL answers first."""

    async def test_which_mocks_hide_which(self):
        for earlier, later, is_hidden in (
            ((USERS, None), (USERS, "GET"), True),
            ((USERS, None), (USERS, None), True),
            ((USERS, "GET"), (USERS, None), False),
            ((USERS + "{id}", None), (USERS + "{id}", "PUT"), True),
            ((USERS + "{id}", None), (USERS + "{no}", "PUT"), False),
            ((re.compile("http"), None), (USERS, None), True),
            ((ANY, None), (re.compile("http"), "GET"), True),
            ((ANY, "GET"), (USERS, "GET"), True),
            ((ANY, "GET"), (ANY, None), False),
            ((ANY, "GET"), (USERS, "POST"), False),
        ):
            with self.subTest(earlier=earlier, later=later):
                self.mock.clear()
                first = self.mock.add(*earlier, repeat=True, optional=True)
                second = self.mock.add(*later)
                with self.assertRaises(AssertionError) as raised:
                    self.assertAllMocksCalled()
                reached = (
                    f"\n    never reached: {first}, repeat=True, registered before it, answers first"
                    "\n    to have it asked first, pass override=True"
                )
                self.assertEqual(
                    str(raised.exception),
                    f"1 mock was never used:\n  {second}{reached if is_hidden else ''}\nThere were no calls.",
                )
