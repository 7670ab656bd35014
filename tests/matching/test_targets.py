"""Method and URL of a mock: which requests they fit, and what cannot be one."""

import re
import unittest
from unittest.mock import ANY

import aiohttp
from aiohttp import hdrs
from multidict import MultiDict
from yarl import URL

from aioresponses import AioResponsesTestCase, aioresponses

from ..support import SITE, USERS, AskingTestCase, MessageTestCase, note_of


class FittingTest(AioResponsesTestCase):
    assert_all_mocked = False  # What no mock answers is looked at here.

    async def ask(self, url, method="GET", **kwargs):
        """Return the status of the answer; None where no mock answers."""
        async with aiohttp.ClientSession() as session:
            try:
                return (await session.request(method, url, **kwargs)).status
            except aiohttp.ClientConnectionError:
                return None

    async def test_the_order_of_the_query_does_not_matter(self):
        self.mock.get("http://example.com/?b=2&a=1", status=201)
        self.assertEqual(await self.ask("http://example.com/?a=1", params={"b": 2}), 201)

    async def test_params_come_in_every_form_that_aiohttp_takes(self):
        pairs = [("b", "x"), ("a", 1)]
        forms = [dict(pairs), pairs, tuple(pairs), MultiDict(a="1", b="x"), "a=1&b=x"]
        self.mock.get("http://example.com/?a=1&b=x", repeat=len(forms))
        for params in forms:
            with self.subTest(params=params):
                self.assertEqual(await self.ask("http://example.com/", params=params), 200)

    async def test_a_query_more_or_less_is_another_url(self):
        self.mock.get("http://example.com/?a=1", repeat=True)
        self.assertIsNone(await self.ask("http://example.com/"))
        self.assertIsNone(await self.ask("http://example.com/?a=1&b=2"))
        self.assertIsNone(await self.ask("http://example.com/?a=1&a=1"))

    async def test_fragments_play_no_part(self):
        self.mock.get("http://example.com/a#here", status=201)
        self.mock.get(re.compile(r"http://example\.com/b$"), status=202)
        self.assertEqual(await self.ask("http://example.com/a#there"), 201)
        self.assertEqual(await self.ask("http://example.com/b#there"), 202)

    async def test_a_url_object_matches_as_its_text_does(self):
        self.mock.get(URL("http://example.com/ä?q=ü"), repeat=True)
        self.assertEqual(await self.ask("http://example.com/%C3%A4?q=%C3%BC"), 200)
        self.assertEqual(await self.ask(URL("http://example.com/ä?q=ü")), 200)

    async def test_an_empty_path_is_the_root(self):
        self.mock.get("http://example.com")
        self.assertEqual(await self.ask("http://example.com/"), 200)

    async def test_the_default_port_need_not_be_said(self):
        self.mock.get("http://example.com:80/", repeat=True)
        self.mock.get("https://example.com/", repeat=True)
        self.assertEqual(await self.ask("http://example.com/"), 200)
        self.assertEqual(await self.ask("https://example.com:443/"), 200)
        self.assertIsNone(await self.ask("http://example.com:81/"))

    async def test_a_pattern_is_matched_from_the_start_of_the_normalised_url(self):
        self.mock.get(re.compile(r"http://example\.com/\?a=1&b=2"), repeat=True)
        self.assertEqual(await self.ask("http://example.com/?b=2&a=1"), 200)
        self.assertIsNone(await self.ask("http://other.example/?next=http://example.com/?a=1&b=2"))

    async def test_the_method_must_be_the_same_in_any_case(self):
        self.mock.add("http://example.com/", "propfind", status=207)
        self.assertIsNone(await self.ask("http://example.com/"))
        self.assertEqual(await self.ask("http://example.com/", "PROPFIND"), 207)

    async def test_credentials_in_the_url_may_be_registered_or_left_out(self):
        self.mock.get("http://me:secret@example.com/with")
        self.mock.get("http://example.com/without")
        self.mock.get(re.compile("http://me:secret@example.com/pattern"))
        self.mock.get("http://me:secret@example.com/asked-without")
        self.assertEqual(await self.ask("http://me:secret@example.com/with"), 200)
        self.assertEqual(await self.ask("http://me:secret@example.com/without"), 200)
        self.assertEqual(await self.ask("http://me:secret@example.com/pattern"), 200)
        self.assertIsNone(await self.ask("http://example.com/asked-without"))

    async def test_match_query_leaves_the_url_as_it_is(self):
        self.mock.get("http://example.com/a", match_query={"q": "1"}, status=201, repeat=True)
        self.mock.get(re.compile("http://example.com/b$"), match_query={"q": "1"}, status=202, repeat=True)
        self.mock.get("http://example.com/{c}/{d}", match_query={"q": "1"}, status=203, repeat=True)
        for path, expected in [("a", 201), ("b", 202), ("c/d", 203)]:
            with self.subTest(path):
                self.assertEqual(await self.ask(f"http://example.com/{path}?q=1#top"), expected)
                self.assertIsNone(await self.ask(f"http://example.com/{path}"))
                self.assertIsNone(await self.ask(f"http://example.com/x/{path}/x?q=1"))

    async def test_a_pattern_sees_the_query_without_match_query(self):
        self.mock.get(re.compile(r"http://example.com/\?q=(?P<q>\w+)$"))
        self.assertEqual(await self.ask("http://example.com/?q=ab"), 200)
        self.assertEqual(self.mock.calls[0].match_info, {"q": "ab"})


class ShownTargetTest(MessageTestCase):
    def test_method_and_url_are_shown_without_secrets(self):
        for method, url, expected in [
            ("get", "http://example.com/?b=2&a=1#top", "GET http://example.com/?a=1&b=2"),
            (None, "http://example.com/", "http://example.com/"),
            ("GET", "http://me:secret@example.com/", "GET http://…@example.com/"),
            ("GET", "http://example.com/{id}", "GET http://example.com/{id}"),
            ("GET", re.compile("x"), "GET re.compile('x')"),
        ]:
            with self.subTest(expected):
                self.assertEqual(
                    self.message(self.assertCalled, url, method).splitlines()[0],
                    f"Expected a call to {expected}, but there were none.",
                )
                if method is not None:
                    self.assertEqual(str(self.mock.add(url, method)), expected)

    def test_any_url_and_any_method_are_said_in_words(self):
        for method, expected in [("GET", "Expected a call with method GET"), (None, "Expected a call")]:
            self.assertEqual(
                self.message(self.assertCalled, None, method).splitlines()[0], f"{expected}, but there were none."
            )
            self.assertEqual(
                self.message(self.assertCallOrder, [(method, None)]).splitlines()[1],
                f"  any {method} request" if method else "  any request",
            )


class QueryOfTargetTest(unittest.TestCase):
    def test_a_query_in_the_url_cannot_be_combined_with_match_query(self):
        for url, has_query in [
            ("http://example.com/", False),
            ("http://example.com/?", False),
            ("http://example.com/?a", True),
            ("http://example.com/{id}", False),
            ("http://example.com/{id}?a=1", True),
            (re.compile(r"http://example.com/\?a=1"), False),
        ]:
            with self.subTest(url=url):
                try:
                    aioresponses().get(url, match_query={"a": "1"})
                except ValueError as error:
                    self.assertEqual((has_query, str(error)), (
                        True,
                        "match_query cannot be combined with a query in url; give the whole query in one of them",
                    ))
                else:
                    self.assertFalse(has_query)


class FilledTargetTest(AskingTestCase):
    async def test_what_a_mock_captures_of_a_request(self):
        for method, url, expected in [
            ("GET", "http://example.com/users/{id}", {"id": "7"}),
            ("PUT", "http://example.com/users/{id}", None),
            ("GET", re.compile(r".*/(?P<id>\d+)(?P<rest>x)?"), {"id": "7", "rest": ""}),
            ("GET", re.compile("http://(.*)"), {}),
            ("GET", "http://example.com/users/7", {}),
            ("GET", "http://example.com/users/8", None),
        ]:
            with self.subTest(method=method, url=url):
                self.mock.clear()
                self.mock.add(url, method)
                note = await note_of(self.session, "GET", USERS + "/7")
                # Where it does not fit there is a reason, and only there.
                self.assertEqual(note is None, expected is not None)
                self.assertEqual(dict(self.mock.calls[-1].match_info), expected or {})

    async def test_a_target_without_a_method_or_a_url_is_that_of_any(self):
        self.mock.get(USERS + "/7")
        await self.ask("GET", USERS + "/7")
        for url, method, count in [
            (USERS + "/{id}", None, 1), (None, "GET", 1), (None, None, 1), (None, "PUT", 0), (USERS, None, 0),
        ]:
            self.assertCallCount(count, url, method)


class RefusedTargetTest(unittest.TestCase):
    def setUp(self):
        self.mock = aioresponses()

    def check(self, error, message, *args, **kwargs):
        with self.assertRaises(error) as raised:
            self.mock.add(*args, **kwargs)
        self.assertEqual((type(raised.exception), str(raised.exception)), (error, message))
        self.assertEqual(self.mock._matches, {})

    def test_a_method_that_is_no_token(self):
        expected = "method: expected an HTTP token such as 'GET' or 'PROPFIND', got "
        for method in ("", "GET ", "GE T", "GET\r\n", "GÉT", "a/b"):
            with self.subTest(method=method):
                self.check(ValueError, expected + repr(method), "http://x/", method)

    def test_a_method_of_another_type(self):
        self.check(TypeError, "method: expected a str such as 'GET', got 5", "http://x/", 5)

    def test_every_method_has_another_spelling(self):
        hint = "; for every method, use method=None or mock.any(url, …)"
        for method in ("*", hdrs.METH_ANY):
            self.check(ValueError, f"method: expected one such as 'GET' or 'PROPFIND', got '*'{hint}", SITE, method)
        self.check(TypeError, f"method: expected a str such as 'GET', got <ANY>{hint}", SITE, ANY)
        for methods in (["GET", "POST"], ("GET", "POST"), {"GET"}, hdrs.METH_ALL):
            self.check(TypeError, f"method: expected a str such as 'GET', got {methods!r}{hint}", SITE, methods)

    def test_a_url_of_another_type(self):
        expected = "url: expected a str, a yarl.URL or a compiled pattern, got "
        for url in (5, b"http://x/", ["http://x/"]):
            with self.subTest(url=url):
                self.check(TypeError, expected + repr(url), url)
        self.check(TypeError, f"{expected}None; for every URL, pass unittest.mock.ANY", None)

    def test_a_url_in_place_of_the_method(self):
        swapped = "; method and URL are swapped"
        self.check(
            ValueError,
            f"method: expected an HTTP token such as 'GET' or 'PROPFIND', got 'http://…@example.com/'{swapped}",
            "GET", "http://me:secret@example.com/",
        )
        for url in (URL(SITE), re.compile(SITE)):
            self.check(TypeError, f"method: expected a str such as 'GET', got {url!r}{swapped}", "GET", url)

    def test_a_pattern_of_bytes(self):
        self.check(
            TypeError, "url: expected a pattern of text, got one of bytes: re.compile(b'x')", re.compile(b"x")
        )

    def test_text_that_is_no_url(self):
        with self.assertRaises(ValueError) as raised:
            self.mock.get("http://example.com:port/")
        self.assertTrue(
            str(raised.exception).startswith("url: expected a URL, got 'http://example.com:port/': "), raised.exception
        )
