"""What a refusal suggests where a mock was probably meant, and is not written so."""

import re
from unittest.mock import ANY

from yarl import URL

from aioresponses import AioResponsesTestCase

from ..support import SITE, USERS, note_of

WHOLE = "(a pattern is matched from the start of the whole URL, whose query is sorted)"


class HintsTestCase(AioResponsesTestCase):
    assert_all_mocked = False  # What no mock answers is looked at here.
    maxDiff = None

    async def check(self, url, asked, reason, method="GET"):
        """Check why a mock of `url` does not answer a request, and that registering it says nothing."""
        match = self.mock.get(url)
        self.assertEqual(
            await note_of(self.client_session(), method, asked),
            f"aioresponses: no mock answers {method} {asked}\n"
            "Registered mocks, the closest first:\n"
            f"  {match}: {reason}",
        )
        match.remove()


class PatternTest(HintsTestCase):
    async def test_a_pattern_that_does_not_match(self):
        for pattern, asked, change in [
            ("http://example.com/[0-9]+$", USERS, ""),
            ("users", USERS, "; it matches further on, so begin it with .*"),
            (r"example\.com/users", USERS, "; it matches further on, so begin it with .*"),
            ("/users$", USERS, "; it matches further on, so begin it with .*"),
            (f"{USERS}$", f"{USERS}?page=1", r"; it matches without the query, so end it with (\?.*)?$"),
            ("users$", f"{USERS}?page=1",
             r"; it matches further on and without the query, so begin it with .* and end it with (\?.*)?$"),
            (f"{USERS}?page=1", f"{USERS}?page=1", "; escape the ? in it"),
            (f"^{USERS}?page=1$", f"{USERS}?page=1", "; escape the ? in it"),
            (rf"{USERS}\?b=1&a=2", f"{USERS}?a=2&b=1", ""),
        ]:
            with self.subTest(pattern):
                await self.check(
                    re.compile(pattern), asked, f"the pattern does not match {asked!r} {WHOLE}{change}"
                )

    async def test_what_is_suggested_works(self):
        self.mock.get(re.compile(".*users"))
        self.mock.get(re.compile(rf"{USERS}(\?.*)?$"))
        self.mock.get(re.compile(r".*users(\?.*)?$"))
        self.mock.get(re.compile(re.escape(f"{USERS}?page=1")))
        for _ in range(4):
            await self.client_session().get(f"{USERS}?page=1")
        self.assertAllMocksCalled()

    async def test_the_query_is_shown_as_it_is_compared(self):
        self.mock.get(re.compile(rf"{USERS}\?b=1&a=2"))
        note = await note_of(self.client_session(), "GET", f"{USERS}?b=1&a=2")
        self.assertIn(f": the pattern does not match '{USERS}?a=2&b=1' {WHOLE}", note)

    async def test_credentials_are_not_shown(self):
        self.mock.get(re.compile("x"))
        note = await note_of(self.client_session(), "GET", "http://me:s3cret@example.com/")
        self.assertIn(f": the pattern does not match 'http://…@example.com/' {WHOLE}", note)

    async def test_a_long_url_is_not_searched(self):
        self.mock.get(re.compile("users"))
        note = await note_of(self.client_session(), "GET", f"{USERS}/{'x' * 5000}")
        self.assertTrue(note.endswith(WHOLE), note)


class TextTest(HintsTestCase):
    async def test_a_regex_as_text(self):
        for text, asked, reason, pattern in [
            (f"{USERS}/.*", f"{USERS}/7", "path differs: mock has '/.*', request has '/7'", f"{USERS}/.*"),
            (rf"{USERS}/\d+", f"{USERS}/7", r"path differs: mock has '/\\d+', request has '/7'", rf"{USERS}/\d+"),
            (f"{USERS}/[0-9]", f"{USERS}/7", "path differs: mock has '/[0-9]', request has '/7'", f"{USERS}/[0-9]"),
            (f"{SITE}(a|b)", f"{SITE}a", "path differs: mock has '/(a|b)', request has '/a'", f"{SITE}(a|b)"),
            (f"{USERS}$", USERS, "path differs: mock has '/users$', request has '/users'", f"{USERS}$"),
            (f"^{USERS}", USERS, "the mock's URL has no scheme and host", f"^{USERS}"),
            (r"http://example\.com/users", USERS,
             "host differs: mock has 'example%5c.com', request has 'example.com'", r"http://example\.com/users"),
            (rf"{USERS}/\d+?page=1", f"{USERS}/7?page=1", r"path differs: mock has '/\\d+', request has '/7'",
             rf"{USERS}/\d+\?page=1"),
            (rf"{USERS}\?page=\d+", f"{USERS}?page=1", r"path differs: mock has '/users\\', request has '/users'",
             rf"{USERS}\?page=\d+"),
        ]:
            with self.subTest(text):
                await self.check(text, asked, f"{reason}; for a pattern, pass re.compile({pattern!r})")
                self.assertTrue(re.match(pattern, asked))

    async def test_a_placeholder_of_another_library(self):
        for text, asked, template in [
            (f"{USERS}/:id", f"{USERS}/7", f"{USERS}/{{id}}"),
            (f"{USERS}/<id>", f"{USERS}/7", f"{USERS}/{{id}}"),
            (f"{USERS}/<int:id>", f"{USERS}/7", f"{USERS}/{{id}}"),
            (f"{USERS}/*", f"{USERS}/7", f"{USERS}/{{name}}"),
            (f"{USERS}/**", f"{USERS}/7/a", f"{USERS}/{{name:.+}}"),
            (f"{USERS}/*", f"{USERS}/7/8", f"{USERS}/{{name:.+}}"),
            (f"{USERS}/*/*", f"{USERS}/7/8", f"{USERS}/{{name}}/{{name2}}"),
            (f"{USERS}/:id/posts/:post", f"{USERS}/7/posts/8", f"{USERS}/{{id}}/posts/{{post}}"),
        ]:
            with self.subTest(text):
                own, other = text.removeprefix(USERS), asked.removeprefix(USERS)
                await self.check(
                    text, asked,
                    f"path differs: mock has {own!r}, request has {other!r}; for a placeholder, write {template!r}",
                )
                self.mock.get(template)
                await self.client_session().get(asked)
                self.mock.clear()

    async def test_a_placeholder_of_another_library_in_a_template(self):
        for text, template in [
            ("http://example.com/{kind}/:id", "http://example.com/{kind}/{id}"),
            ("http://*.com/users/:id", "http://*.com/users/{id}"),
        ]:
            with self.subTest(text):
                await self.check(
                    text, f"{USERS}/7",
                    f"path '/users/7' does not match the template; for a placeholder, write {template!r}",
                )
                self.mock.get(template)
                await self.client_session().get(f"{USERS}/7")
                self.mock.clear()
        await self.check(
            "http://example.com/{kind}/:id", f"{USERS}/7/posts",
            "path '/users/7/posts' does not match the template; a placeholder takes one segment, {name:.+} takes "
            "slashes too",
        )

    async def test_a_placeholder_of_another_library_where_the_request_has_a_query(self):
        await self.check(
            f"{USERS}/:id", f"{USERS}/7?page=1",
            "path differs: mock has '/:id', request has '/7'; for a placeholder, write "
            "'http://example.com/users/{id}' with match_query=ANY",
        )
        self.mock.get(f"{USERS}/{{id}}", match_query=ANY)
        await self.client_session().get(f"{USERS}/7?page=1")

    async def test_a_value_of_the_query_that_stands_for_any(self):
        for value in (".*", "{page}", ":page", "<int:page>", "*", r"\d"):
            with self.subTest(value):
                await self.check(
                    URL(USERS).with_query(page=value), f"{USERS}?page=2",
                    f"query differs: page: mock has {value!r}, request has '2'",
                )
                await self.check(
                    f"{USERS}?page={value}&size=1", f"{USERS}?page=2&size=1",
                    f"query differs: page: mock has {value!r}, request has '2'; for any value, take the query out of "
                    "the URL and pass match_query={'page': ANY, 'size': '1'}",
                )

    async def test_several_values_of_the_query(self):
        await self.check(
            f"{USERS}?page=*&tag=a&tag=b&size={{size}}", f"{USERS}?page=2&size=9&tag=a&tag=b",
            "query differs: page: mock has '*', request has '2'; size: mock has '{size}', request has '9'; for any "
            "value, take the query out of the URL and pass match_query={'page': ANY, 'tag': ['a', 'b'], 'size': ANY}",
        )

    async def test_a_query_that_stands_for_any(self):
        for query, name in (("*", "*"), (".*", ".*"), (".+", ". "), ("{query}", "{query}")):
            for path, asked in (("", USERS), ("/{id}", f"{USERS}/7")):
                with self.subTest(query, path=path):
                    await self.check(
                        f"{USERS}{path}?{query}", f"{asked}?page=2",
                        f"query differs: {name}='' is missing; unexpected page='2'; for any query, take it out of the "
                        "URL and pass match_query=ANY",
                    )

    async def test_a_star_as_the_whole_url(self):
        for text, lacking in (("*", "scheme and host"), ("**", "scheme and host"), ("*/*", "scheme and host")):
            with self.subTest(text):
                await self.check(
                    text, USERS, f"the mock's URL has no {lacking}; for every URL, pass unittest.mock.ANY"
                )

    async def test_a_plus_in_the_query_stands_for_a_space(self):
        await self.check(
            f"{USERS}?page=.+&q=a", f"{USERS}?page=2&q=b",
            "query differs: page: mock has '. ', request has '2'; q: mock has 'a', request has 'b'; for any value, "
            "take the query out of the URL and pass match_query={'page': ANY, 'q': 'a'}",
        )

    async def test_a_value_of_the_query_of_a_template(self):
        await self.check(
            f"{USERS}/{{id}}?page={{page}}", f"{USERS}/7?page=2",
            "query differs: page: mock has '{page}', request has '2'; for any value, take the query out of the URL "
            "and pass match_query={'page': ANY}",
        )

    async def test_a_url_without_scheme_or_host(self):
        for text, lacking, full in [
            ("/users", "scheme and host", USERS),
            ("users", "scheme and host", USERS),
            ("example.com/users", "scheme and host", USERS),
            ("//example.com/users", "scheme", USERS),
            ("example.com:80/users", "host", "http://example.com:80/users"),
        ]:
            with self.subTest(text):
                await self.check(text, USERS, f"the mock's URL has no {lacking}; register {full!r} instead")

    async def test_a_placeholder_in_a_url_without_scheme_and_host(self):
        await self.check(
            "/users/:id", f"{USERS}/7",
            "the mock's URL has no scheme and host; for a placeholder, write 'http://example.com/users/{id}'",
        )

    async def test_a_regex_without_scheme_and_host(self):
        await self.check(
            ".*/users", USERS, "the mock's URL has no scheme and host; for a pattern, pass re.compile('.*/users')"
        )

    async def test_a_path_of_more_segments_than_the_template(self):
        await self.check(
            f"{USERS}/{{id}}", f"{USERS}/7/posts",
            "path '/users/7/posts' does not match the template; a placeholder takes one segment, {name:.+} takes "
            "slashes too",
        )
        await self.check(f"{USERS}/{{id}}", USERS, "path '/users' does not match the template")

    async def test_credentials_are_not_shown(self):
        await self.check(
            "http://me:s3cret@example.com/:id", f"{SITE}7",
            "path differs: mock has '/:id', request has '/7'; for a placeholder, write 'http://…@example.com/{id}'",
        )

    async def test_nothing_is_suggested_where_the_url_is_the_right_one(self):
        await self.check(f"{USERS}/:id", f"{USERS}/:id", "method differs: mock has GET, request has POST", "POST")

    async def test_nothing_is_suggested_for_urls_that_only_look_odd(self):
        for own in ("users:batch", "$metadata", "a.b+c", "users(7)", "a*b", "~ada", "a;b=c", "1.0..2.0", "a|b"):
            with self.subTest(own):
                await self.check(
                    SITE + own, f"{SITE}x",
                    f"path differs: mock has '/{own}', request has '/x'",
                )

    async def test_the_mock_that_was_meant_comes_first(self):
        for number in range(6):
            self.mock.get(f"{USERS}/7/{number}")
        meant = self.mock.get(r"http://example\.com/users/\d+")
        note = await note_of(self.client_session(), "GET", f"{USERS}/7")
        self.assertTrue(note.splitlines()[2].startswith(f"  {meant}: host differs"), note)


class GroupTest(HintsTestCase):
    async def test_what_is_suggested_is_what_the_group_takes(self):
        api = self.mock.host(SITE)
        for path, asked, reason, instead in [
            ("/users/:id", "users/7", "path differs: mock has '/:id', request has '/7'",
             "for a placeholder, write '/users/{id}'"),
            (r"/users/\d+?a=1", "users/7?a=1", r"path differs: mock has '/\\d+', request has '/7'",
             r"for a pattern, pass re.compile('/users/\\d+\\?a=1')"),
        ]:
            with self.subTest(path):
                match = api.get(path)
                self.assertEqual(
                    await note_of(self.client_session(), "GET", SITE + asked),
                    f"aioresponses: no mock answers GET {SITE}{asked}\n"
                    "Registered mocks, the closest first:\n"
                    f"  {match}: {reason}; {instead}",
                )
                match.remove()
        api.get("/users/{id}")
        api.get(re.compile(r"/users/\d+\?a=1"))
        for asked in ("users/7", "users/7?a=1"):
            await self.client_session().get(SITE + asked)
        self.assertAllMocksCalled()

    async def test_a_pattern_that_does_not_match(self):
        api = self.mock.host(SITE)
        for pattern, asked, change in [
            ("users", "/users", "; it matches further on, so begin it with .*"),
            ("/users$", "/users?a=1", r"; it matches without the query, so end it with (\?.*)?$"),
            ("/posts", "/users", ""),
        ]:
            with self.subTest(pattern):
                match = api.get(re.compile(pattern))
                self.assertEqual(
                    (await note_of(self.client_session(), "GET", SITE.rstrip("/") + asked)).splitlines()[2],
                    f"  {match}: the pattern does not match {asked!r} (in a group, a pattern is matched from the "
                    f"start of what follows the URL of the group){change}",
                )
                match.remove()
