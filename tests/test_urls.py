"""One form for every URL."""

import unittest

from yarl import URL

from aioresponses.compat import merge_params, normalize_url

from .support import AskingTestCase


class NormalizeUrlTest(unittest.TestCase):
    def test_sorts_the_query_by_name_and_value(self):
        self.assertEqual(str(normalize_url("http://example.com/?b=2&a=2&a=1")), "http://example.com/?a=1&a=2&b=2")

    def test_keeps_fragment_credentials_and_blank_values(self):
        self.assertEqual(
            str(normalize_url("http://me:secret@example.com/?b&a=#top")), "http://me:secret@example.com/?a=&b=#top"
        )

    def test_makes_spellings_of_the_same_query_equal(self):
        self.assertEqual(normalize_url("http://example.com/?q=a%20b"), normalize_url("http://example.com/?q=a+b"))
        self.assertEqual(
            normalize_url(URL("http://example.com/?q=http%3A%2F%2Fy", encoded=True)),
            normalize_url("http://example.com/?q=http://y"),
        )

    def test_takes_host_names_as_yarl_does(self):
        self.assertEqual(normalize_url("http://EXAMPLE.com"), URL("http://example.com/"))
        self.assertEqual(normalize_url("http://bücher.example/"), URL("http://xn--bcher-kva.example/"))

    def test_takes_relative_urls(self):
        self.assertEqual(normalize_url("/path?b=1&a=2"), URL("/path?a=2&b=1"))

    def test_refuses_other_types(self):
        with self.assertRaises(TypeError):
            normalize_url(5)


class MergeParamsTest(unittest.TestCase):
    def test_adds_to_the_query_that_is_there(self):
        self.assertEqual(merge_params("http://example.com/?z=0", "a=1"), URL("http://example.com/?z=0&a=1"))
        self.assertEqual(merge_params("http://example.com/?a=1", {"a": 2}), URL("http://example.com/?a=1&a=2"))

    def test_takes_pairs_lists_and_numbers(self):
        self.assertEqual(
            merge_params(URL("http://example.com/"), [("b", 2), ("b", 3)]), URL("http://example.com/?b=2&b=3")
        )
        self.assertEqual(
            merge_params("http://example.com/", {"f": 1.5, "l": [1, 2]}), URL("http://example.com/?f=1.5&l=1&l=2")
        )

    def test_none_and_empty_ones_add_nothing(self):
        for params in (None, {}, [], ""):
            self.assertEqual(merge_params("http://example.com/?q=1#f", params), URL("http://example.com/?q=1#f"))

    def test_refuses_what_aiohttp_refuses(self):
        for params in ({"a": True}, {"a": None}):
            with self.assertRaises(TypeError):
                merge_params("http://example.com/", params)


class ComparedUrlTest(AskingTestCase):
    async def test_the_fragment_and_the_port_that_the_scheme_implies_play_no_part(self):
        for registered, asked, fits in [
            ("http://example.com:80/#top", "http://example.com/", True),
            ("http://example.com/", "http://example.com:80/#top", True),
            ("https://example.com:443/?a=b", "https://example.com/?a=b", True),
            ("http://example.com:443/", "http://example.com/", False),
            ("http://example.com:443/", "http://example.com:443/", True),
        ]:
            with self.subTest(registered, asked=asked):
                self.mock.clear()
                self.mock.get(registered)
                self.assertEqual((await self.ask("GET", asked))[0] == 200, fits)


class ShownUrlTest(AskingTestCase):
    async def test_a_call_shows_its_url_as_it_goes_over_the_wire(self):
        await self.ask("GET", "http://me:secret@example.com:81/a?b=1#top")
        self.assertEqual(str(self.mock.calls[0]), "GET http://example.com:81/a?b=1 -> no mock answered")
