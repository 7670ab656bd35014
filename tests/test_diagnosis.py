import unittest

from multidict import CIMultiDict
from yarl import URL

from aioresponses._display import redacted


class RedactedTest(unittest.TestCase):
    """What is shown of the keyword arguments of a call."""

    def check(self, kwargs, other, shown):
        self.assertEqual(redacted(kwargs, other), shown)

    def test_credentials_of_a_proxy_that_differ(self):
        one, two = "http://me:1@proxy:8080", "http://me:2@proxy:8080"
        self.check({"proxy": one}, {"proxy": one}, {"proxy": "http://proxy:8080"})
        self.check({"proxy": one}, {"proxy": two}, {"proxy": "http://proxy:8080 (with other credentials)"})
        self.check({"proxy": one}, {"proxy": "http://other"}, {"proxy": "http://proxy:8080"})

    def test_what_is_no_secret_stays(self):
        for value in ({"json": 1, "timeout": 5}, {"headers": {"Accept": "*/*"}}, {"headers": None, "auth": None}):
            self.check(value, {}, value)

    def test_whole_arguments(self):
        for name in ("auth", "proxy_auth", "cookies"):
            self.check({name: "a"}, {}, {name: "…"})
            self.check({name: "a"}, {name: "a"}, {name: "…"})
            self.check({name: "a"}, {name: "b"}, {name: "… (another)"})

    def test_headers_of_any_form(self):
        secret, other = {"Authorization": "a", "X": "1"}, {"authorization": "b"}
        for name in ("headers", "proxy_headers"):
            for form in (dict, CIMultiDict):
                self.check(
                    {name: form(secret)}, {name: form(other)}, {name: {"Authorization": "… (another)", "X": "1"}}
                )
                self.check({name: form(secret)}, {}, {name: {"Authorization": "…", "X": "1"}})
            self.check(
                {name: list(secret.items())},
                {name: tuple(other.items())},
                {name: [("Authorization", "… (another)"), ("X", "1")]},
            )

    def test_headers_that_stand_there_twice(self):
        headers = CIMultiDict([("Cookie", "a"), ("X", "1"), ("X", "2")])
        self.check({"headers": headers}, {}, {"headers": [("Cookie", "…"), ("X", "1"), ("X", "2")]})

    def test_what_cannot_be_headers(self):
        self.check({"headers": "Cookie: a"}, {}, {"headers": "…"})
        self.check({"headers": 5}, {}, {"headers": "…"})
        self.check({"headers": {"Cookie": "a"}}, {"headers": 5}, {"headers": {"Cookie": "…"}})

    def test_credentials_of_a_proxy(self):
        self.check({"proxy": "http://me:a@proxy:3128/"}, {}, {"proxy": "http://proxy:3128/"})
        self.check({"proxy": URL("http://me:a@proxy/")}, {}, {"proxy": URL("http://proxy/")})
        self.check({"proxy": "http://["}, {}, {"proxy": "…"})
        self.check({"proxy": None}, {}, {"proxy": None})

    def test_the_arguments_themselves_stay_as_they_are(self):
        kwargs = {"headers": {"Cookie": "a"}, "auth": "b"}
        redacted(kwargs, {})
        self.assertEqual(kwargs, {"headers": {"Cookie": "a"}, "auth": "b"})
