"""Why no mock answers: the text of the exception, and the note that lists the closest mocks."""

import re
import unittest

import aiohttp
from aiohttp import ClientConnectionError, ClientSession
from yarl import URL

from aioresponses import AioResponsesTestCase, aioresponses

from ..support import SITE, USERS, get


class NoteTestCase(AioResponsesTestCase):
    assert_all_mocked = False  # What no mock answers is looked at here.
    maxDiff = None

    async def refused(self, method, url, **kwargs):
        """Return the exception of a request that no mock answers."""
        with self.assertRaises(aiohttp.ClientConnectionError) as raised:
            await self.client_session().request(method, url, **kwargs)
        return raised.exception

    async def check_note(self, method, url, lines, **kwargs):
        error = await self.refused(method, url, **kwargs)
        self.assertEqual(error.__notes__, ["\n".join(lines)])
        return error

    async def check_reason(self, url, reason):
        """Check why the only registered mock does not answer a GET request of `url`."""
        [match] = self.mock._matches.values()
        await self.check_note(
            "GET", url, [
                f"aioresponses: no mock answers GET {url}",
                "Registered mocks, the closest first:",
                f"  {match}: {reason}",
            ],
        )


class NoteTest(NoteTestCase):
    async def test_the_message_of_the_exception_stays_as_it_was(self):
        self.mock.get(USERS)
        error = await self.refused("GET", SITE + "?b=2&a=1")
        self.assertIs(type(error), aiohttp.ClientConnectionError)
        self.assertEqual(str(error), "Connection refused: GET http://example.com/?a=1&b=2")
        self.assertEqual(error.args, ("Connection refused: GET http://example.com/?a=1&b=2",))

    async def test_the_note_where_no_mocks_are_registered(self):
        await self.check_note(
            "GET", SITE, ["aioresponses: no mock answers GET http://example.com/", "No mocks are registered."]
        )

    async def test_the_method_is_shown_in_upper_case(self):
        error = await self.check_note(
            "post", SITE, ["aioresponses: no mock answers POST http://example.com/", "No mocks are registered."]
        )
        self.assertEqual(str(error), "Connection refused: post http://example.com/")

    async def test_the_note_on_another_method(self):
        self.mock.post(SITE)
        await self.check_reason(SITE, "method differs: mock has POST, request has GET")

    async def test_the_note_on_another_method_and_another_url(self):
        for url, also in [
            (SITE + "posts", "path differs"),
            (USERS + "/", "path differs only by a trailing slash"),
            (USERS + "?page=1", "query differs"),
            ("http://example.com:8080/users", "port differs"),
            ("http://example.com/{id}/posts", "path '/users' does not match the template"),
            ("http://example.com/{id}/", "path differs only by a trailing slash"),
        ]:
            with self.subTest(url):
                match = self.mock.post(url)
                await self.check_reason(USERS, f"method differs: mock has POST, request has GET; {also}")
                match.remove()

    async def test_the_note_on_another_host(self):
        self.mock.get("http://api.example.com/")
        await self.check_reason(SITE, "host differs: mock has 'api.example.com', request has 'example.com'")

    async def test_the_note_on_another_port(self):
        self.mock.get("http://example.com:8080/")
        await self.check_reason(SITE, "port differs: mock has 8080, request has 80")

    async def test_the_note_on_another_scheme(self):
        self.mock.get("https://example.com/")
        await self.check_reason(SITE, "scheme differs: mock has 'https', request has 'http'")

    async def test_the_note_on_a_mock_without_a_host(self):
        self.mock.get("/users")
        await self.check_reason(
            USERS, "the mock's URL has no scheme and host; register 'http://example.com/users' instead"
        )

    async def test_the_note_on_another_path(self):
        for own, asked, reason in [
            ("users", "user", "path differs: mock has '/users', request has '/user'"),
            ("users/7", "users/8", "path differs: mock has '/7', request has '/8'"),
            ("users/7/posts", "users/8/posts", "path differs: mock has '/7/posts', request has '/8/posts'"),
            ("users", "users/7", "path differs: mock has '/users', request has '/users/7'"),
            ("users", "users/", "path differs only by a trailing slash: mock has '/users', request has '/users/'"),
            ("users/7", "users//7", "path differs only by a double slash: mock has '/7', request has '//7'"),
            ("users", "/users", "path differs only by a double slash: mock has '/users', request has '//users'"),
            ("", "users", "path differs: mock has '/', request has '/users'"),
            ("a%2Fb", "a/b", "path differs: mock has '/a%2Fb', request has '/a/b'"),
            ("x", "y" * 70, f"path differs: mock has '/x', request has '/{'y' * 59}… (11 more characters)'"),
        ]:
            with self.subTest(own=own, asked=asked):
                match = self.mock.get(SITE + own)
                await self.check_reason(SITE + asked, reason)
                match.remove()

    async def test_the_note_on_a_template_that_differs_only_by_a_trailing_slash(self):
        by = "path differs only by a trailing slash"
        for own, asked, reason in [
            ("users/{id}", "users/7/", f"{by}: mock has '/users/{{id}}', request has '/users/7/'"),
            ("users/{id}/", "users/7", f"{by}: mock has '/users/{{id}}/', request has '/users/7'"),
            (r"users/{id:\d+}/", "users/7", rf"{by}: mock has '/users/{{id:\\d+}}/', request has '/users/7'"),
            ("ä/{id}?a=1", "%C3%A4/b/", f"{by}: mock has '/ä/{{id}}', request has '/ä/b/'"),
            (r"users/{id:\d+}", "users/x/", "path '/users/x/' does not match the template; "
             "a placeholder takes one segment, {name:.+} takes slashes too"),
            ("users/{id}", "users/7//", "path '/users/7//' does not match the template; "
             "a placeholder takes one segment, {name:.+} takes slashes too"),
            ("{id}", "", "path '/' does not match the template"),
        ]:
            with self.subTest(own=own, asked=asked):
                match = self.mock.get(SITE + own)
                note = (await self.refused("GET", URL(SITE + asked, encoded=True))).__notes__[0]
                self.assertEqual(note.splitlines()[2:], [f"  {match}: {reason}"])
                match.remove()

    async def test_the_note_on_another_query(self):
        for own, asked, reason in [
            ("?a=1", "", "a='1' is missing"),
            ("", "?a=1", "unexpected a='1' (match_query=ANY takes any query)"),
            ("?a=1", "?a=2", "a: mock has '1', request has '2'"),
            ("?a=1&a=2", "?a=2", "a: mock has ['1', '2'], request has '2'"),
            ("?a=1&b=2&c=3&d=4", "?a=1&b=3&d=4&e=5",
             "b: mock has '2', request has '3'; c='3' is missing; unexpected e='5'"),
        ]:
            with self.subTest(own=own, asked=asked):
                match = self.mock.get(USERS + own)
                await self.check_reason(USERS + asked, f"query differs: {reason}")
                match.remove()

    async def test_the_note_on_a_pattern(self):
        self.mock.get(re.compile("http://example.com/[0-9]+$"))
        await self.check_note(
            "GET", USERS, [
                "aioresponses: no mock answers GET http://example.com/users",
                "Registered mocks, the closest first:",
                "  GET re.compile('http://example.com/[0-9]+$'): the pattern does not match 'http://example.com/users' "
                "(a pattern is matched from the start of the whole URL, whose query is sorted)",
            ],
        )

    async def test_the_note_on_mocks_that_are_used_up(self):
        self.mock.get(SITE, repeat=2)
        self.mock.get(re.compile(SITE))
        for _ in range(3):
            await self.client_session().get(SITE)
        await self.check_note(
            "GET", SITE, [
                "aioresponses: no mock answers GET http://example.com/",
                "Registered mocks, the closest first:",
                "  GET http://example.com/: used up (2 of 2); to answer more requests, pass repeat",
                "  GET re.compile('http://example.com/'): used up (1 of 1); to answer more requests, pass repeat",
            ],
        )

    async def test_a_mock_that_was_removed_is_not_listed(self):
        self.mock.get(USERS).remove()
        await self.check_note(
            "GET", SITE, ["aioresponses: no mock answers GET http://example.com/", "No mocks are registered."]
        )

    async def test_the_closest_mock_comes_first(self):
        self.mock.get("http://other.example.com/users")
        self.mock.post(USERS)
        self.mock.get(SITE + "posts")
        self.mock.get(USERS + "?page=1")
        self.mock.get(USERS)
        await self.client_session().get(USERS)
        await self.check_note(
            "GET", USERS, [
                "aioresponses: no mock answers GET http://example.com/users",
                "Registered mocks, the closest first:",
                "  GET http://example.com/users: used up (1 of 1); to answer more requests, pass repeat",
                "  POST http://example.com/users: method differs: mock has POST, request has GET",
                "  GET http://example.com/users?page=1: query differs: page='1' is missing",
                "  GET http://example.com/posts: path differs: mock has '/posts', request has '/users'",
                "  GET http://other.example.com/users: "
                "host differs: mock has 'other.example.com', request has 'example.com'",
            ],
        )

    async def test_mocks_at_the_same_distance_come_in_the_order_of_registration(self):
        for name in "cab":
            self.mock.get(f"{SITE}users/{name}")
        await self.check_note(
            "GET", SITE + "users/d", [
                "aioresponses: no mock answers GET http://example.com/users/d",
                "Registered mocks, the closest first:",
                *(f"  GET http://example.com/users/{name}: path differs: mock has '/{name}', request has '/d'"
                  for name in "cab"),
            ],
        )

    async def test_the_closest_five_of_thousands_are_listed_and_the_rest_is_counted(self):
        for number in range(3000):
            self.mock.get(f"http://other.example.com/{number}")
        for number in range(6):
            self.mock.get(f"{USERS}?page={number}")
        await self.check_note(
            "GET", USERS + "?page=7", [
                "aioresponses: no mock answers GET http://example.com/users?page=7",
                "Registered mocks, the closest first:",
                *(f"  GET http://example.com/users?page={number}: "
                  f"query differs: page: mock has '{number}', request has '7'"
                  for number in range(5)),
                "  … and 3001 more",
            ],
        )

    async def test_a_long_url_of_a_mock_is_cut(self):
        self.mock.get(SITE + "x" * 600)
        await self.check_note(
            "GET", SITE, [
                "aioresponses: no mock answers GET http://example.com/",
                "Registered mocks, the closest first:",
                f"  GET http://example.com/{'x' * 477}… (123 more characters): "
                f"path differs: mock has '/{'x' * 59}… (541 more characters)', request has '/'",
            ],
        )


class RedirectTest(NoteTestCase):
    async def check_redirect(self, method, status, sentence, new_method):
        self.mock.add(SITE, method, status=status, headers={"Location": "/users"})
        error = await self.check_note(
            method, SITE, [
                f"aioresponses: no mock answers {new_method} http://example.com/users",
                sentence,
                "Registered mocks, the closest first:",
                f"  {method} http://example.com/: "
                + (
                    "path differs: mock has '/', request has '/users'"
                    if method == new_method
                    else "method differs: mock has POST, request has GET; path differs"
                ),
            ],
        )
        self.assertEqual(str(error), f"Connection refused: {new_method} http://example.com/users")

    async def test_a_redirect_that_makes_a_post_a_get(self):
        await self.check_redirect(
            "POST", 302,
            "This request follows a redirect: POST http://example.com/ was answered with 302, which turns it into GET.",
            "GET",
        )

    async def test_a_redirect_that_keeps_a_post(self):
        await self.check_redirect(
            "POST", 307,
            "This request follows a redirect: POST http://example.com/ was answered with 307, which keeps the method.",
            "POST",
        )

    async def test_a_redirect_that_keeps_a_get(self):
        await self.check_redirect(
            "GET", 302,
            "This request follows a redirect: GET http://example.com/ was answered with 302, which keeps the method.",
            "GET",
        )


class CredentialsTest(NoteTestCase):
    async def test_credentials_of_the_request_are_not_shown(self):
        self.mock.get(SITE)
        await self.client_session().get(SITE)
        await self.check_note(
            "GET", "http://me:s3cret@example.com/", [
                "aioresponses: no mock answers GET http://example.com/",
                "Registered mocks, the closest first:",
                "  GET http://example.com/: used up (1 of 1); to answer more requests, pass repeat",
            ],
        )

    async def test_credentials_of_a_mock_are_not_shown(self):
        self.mock.get("http://me:s3cret@example.com/")
        self.mock.get("http://me:s3cret@example.com/users")
        await self.check_note(
            "GET", SITE, [
                "aioresponses: no mock answers GET http://example.com/",
                "Registered mocks, the closest first:",
                "  GET http://…@example.com/: credentials in the URL differ",
                "  GET http://…@example.com/users: path differs: mock has '/users', request has '/'",
            ],
        )

    async def test_credentials_of_a_redirect_are_not_shown(self):
        self.mock.get(SITE, status=302, headers={"Location": "http://you:s3cret@example.com/users"})
        await self.check_note(
            "GET", SITE, [
                "aioresponses: no mock answers GET http://example.com/users",
                "This request follows a redirect: GET http://example.com/ was answered with 302, "
                "which keeps the method.",
                "Registered mocks, the closest first:",
                "  GET http://example.com/: path differs: mock has '/', request has '/users'",
            ],
        )


class TextTest(unittest.IsolatedAsyncioTestCase):
    async def refusal(self, method, url, **kwargs):
        async with ClientSession() as session:
            with self.assertRaises(ClientConnectionError) as caught:
                await session.request(method, url, **kwargs)
        self.assertIs(type(caught.exception), ClientConnectionError)
        return str(caught.exception)

    @aioresponses()
    async def test_the_text_says_what_was_asked_for(self, mock):
        self.assertEqual(await self.refusal("GET", SITE), "Connection refused: GET http://example.com/")

    @aioresponses()
    async def test_the_text_has_the_method_as_the_caller_wrote_it(self, mock):
        self.assertEqual(await self.refusal("get", SITE), "Connection refused: get http://example.com/")
        self.assertEqual(await self.refusal("PropFind", SITE), "Connection refused: PropFind http://example.com/")

    @aioresponses()
    async def test_the_text_has_the_query_sorted(self, mock):
        self.assertEqual(
            await self.refusal("GET", f"{SITE}?c=3&a=1", params={"b": "2"}),
            "Connection refused: GET http://example.com/?a=1&b=2&c=3",
        )

    @aioresponses()
    async def test_the_text_names_the_target_of_a_redirect(self, mock):
        mock.post(SITE, status=303, headers={"Location": "https://example.org/there?b=2&a=1"})
        self.assertEqual(
            await self.refusal("post", SITE), "Connection refused: GET https://example.org/there?a=1&b=2"
        )

    @aioresponses()
    async def test_a_request_is_refused_when_the_mocks_are_used_up(self, mock):
        mock.get(SITE)
        await get()
        self.assertEqual(await self.refusal("GET", SITE), "Connection refused: GET http://example.com/")
