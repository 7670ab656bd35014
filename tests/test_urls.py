import unittest

from yarl import URL

from aioresponses._urls import comparable, merge_params, normalize_url, without_credentials


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


class ComparableTest(unittest.TestCase):
    def test_leaves_out_the_fragment_and_the_port_that_the_scheme_implies(self):
        for url, expected in [
            ("http://example.com:80/#top", "http://example.com/"),
            ("https://example.com:443/?a=b", "https://example.com/?a=b"),
            ("http://example.com:443/", "http://example.com:443/"),
        ]:
            self.assertEqual(comparable(URL(url)), URL(expected))


class WithoutCredentialsTest(unittest.TestCase):
    def test_leaves_what_goes_over_the_wire(self):
        self.assertEqual(
            without_credentials(URL("http://me:secret@example.com:81/a?b=1#top")), URL("http://example.com:81/a?b=1")
        )
