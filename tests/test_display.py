"""How values are shown: short, and without secrets.

These are the functions themselves: the messages that they are for show but some of the cases.
"""

import unittest
from unittest.mock import ANY

from multidict import CIMultiDict
from yarl import URL

from aioresponses._display import (
    add_note,
    cut,
    hidden,
    shortened,
    shown_arguments,
    shown_headers,
    shown_seconds,
    shown_url,
    shown_wrong_url,
    without_passwords,
)
from aioresponses.matchers import one_of

from .support import SITE


class WordingTest(unittest.TestCase):
    def test_long_text_is_cut_with_a_count(self):
        self.assertEqual(shortened("x" * 500), "x" * 500)
        self.assertEqual(shortened("x" * 501), "x" * 500 + "… (1 more characters)")
        self.assertEqual(shortened("abcdef", 2), "ab… (4 more characters)")
        self.assertEqual(shortened("", 0), "")

    def test_seconds_have_no_more_digits_than_they_need(self):
        for seconds, text in ((0, "0"), (7.0, "7"), (600000, "600000"), (0.25, "0.25"), (1e9, "1000000000")):
            self.assertEqual(shown_seconds(seconds), text)

    def test_lines_around_one_of_many_are_shown(self):
        lines = [str(number) for number in range(50)]
        self.assertEqual(cut(lines[:20]), lines[:20])
        self.assertEqual(cut(lines), [*lines[:20], "  … and 30 more"])
        self.assertEqual(cut(lines, 25), ["  … 15 before these", *lines[15:35], "  … and 15 more"])
        self.assertEqual(cut(lines, 49), ["  … 30 before these", *lines[30:]])

    def test_headers_that_are_secrets_are_hidden(self):
        for name in (
            "Authorization", "authorization", "PROXY-AUTHORIZATION", "Cookie", "X-Api-Key", "x-apikey", "Api_Key",
            "X-Auth-Token", "token", "X-Client-Secret", "Secret",
        ):
            with self.subTest(name):
                self.assertEqual(hidden(name, "secret"), "…")
                self.assertEqual(hidden(name, "secret", "secret"), "…")
                self.assertEqual(repr(hidden(name, "secret", "other")), "'…' (6 characters)")
        for name in ("X-One", "Accept", "X-Token-Type", "Keys", "Tokens", "X-Api-Keys", "Cookies-Allowed"):
            for value in ("1", ["1", "2"], 5):
                self.assertIs(hidden(name, value, "other"), value)

    def test_secrets_that_differ_are_described(self):
        for expected, found, shown in (
            ("Bearer secret1", "secret1", "'Bearer …' (7 more characters) != '…' (no scheme)"),
            ("secret1", "Bearer secret1", "'…' (no scheme) != 'Bearer …' (7 more characters)"),
            (
                "Bearer secret1", "Bearer secret2",
                "'Bearer …' (7 more characters) != 'Bearer …' (7 more characters, differing from character 7 on)",
            ),
            ("Basic secret", "Bearer secrets", "'Basic …' (6 more characters) != 'Bearer …' (7 more characters)"),
            (
                "Bearer secrets", "Bearer secret",
                "'Bearer …' (7 more characters) != 'Bearer …' (6 more characters, the same as far as they go)",
            ),
            (
                "Bearer secret", "Bearer secret\n",
                "'Bearer …' (6 more characters) != 'Bearer …' (7 more characters, differing from character 7 on)",
            ),
            ("secret", "xxxxxx", "'…' (6 characters) != '…' (6 characters, differing from character 1 on)"),
            ("secret", "", "'…' (6 characters) != '…' (0 characters, the same as far as they go)"),
            ("s", "t", "'…' (1 character) != '…' (1 character, differing from character 1 on)"),
            (["a", "b"], "a", "['…', '…' (1 character)] != '…' (1 character)"),
            (b"secret", "secret", "'…' != '…' (6 characters)"),
            ("secret", b"secret", "'…' (6 characters) != '… (another)'"),
        ):
            with self.subTest(shown):
                one, other = hidden("Authorization", expected, found), hidden("Authorization", found, expected, True)
                self.assertEqual(f"{one!r} != {other!r}", shown)

    def test_a_scheme_is_shown_of_authorization_alone(self):
        self.assertEqual(repr(hidden("X-Api-Key", "my secret", "other")), "'…' (9 characters)")
        self.assertEqual(repr(hidden("Cookie", "a =secret", "other")), "'…' (9 characters)")
        self.assertEqual(repr(hidden("X-Authorization", "my secret", "o")), "'my …' (6 more characters)")

    def test_headers_of_any_form_are_shown_without_secrets(self):
        for headers, shown in (
            ({"Cookie": "a=secret", "X": "1"}, "{'Cookie': '…', 'X': '1'}"),
            ([("cookie", "a=secret"), ("X", "1")], "{'cookie': '…', 'X': '1'}"),
            (one_of({"Cookie": "a=secret"}), "one_of(…)"),
            (one_of({"x-api-token": "a=secret"}), "one_of(…)"),
            ([("Cookie", "secret", "more")], "list(…)"),
            (one_of({"X": "1"}), "one_of({'X': '1'})"),
            (ANY, "<ANY>"),
        ):
            with self.subTest(shown):
                self.assertEqual(shown_headers(headers), shown)

    def test_credentials_in_urls_are_hidden(self):
        url = URL("http://me:secret@example.com:81/a?b=1#top")
        self.assertEqual(shown_url(url), "http://example.com:81/a?b=1")
        self.assertEqual(shown_url(url, with_mark=True), "http://…@example.com:81/a?b=1")
        self.assertEqual(shown_url(URL(SITE), with_mark=True), SITE)
        self.assertEqual(without_passwords(f"{url}, [http://me:secret@x]"), (
            "http://…@example.com:81/a?b=1#top, [http://…@x]"
        ))
        for text in ("http://me:p@ss@example.com/", "http://me@example.com/", "http://:secret@example.com/"):
            self.assertEqual(without_passwords(text), "http://…@example.com/")
        for text in ("http://example.com/@me", "http://example.com?to=me@x", "http://example.com#@", "me@example.com"):
            self.assertEqual(without_passwords(text), text)

    def test_what_may_be_a_password_in_a_wrong_url_is_hidden(self):
        for url, shown in (
            ("http://me:se/cr?et@[", "'http://…@['"),
            ("http://[", "'http://['"),
            (URL("http://me:secret@example.com"), "URL('http://…@example.com')"),
            (5, "5"),
        ):
            self.assertEqual(shown_wrong_url(url), shown)


class NoteTest(unittest.TestCase):
    def test_a_note_is_added_behind_others(self):
        error = ValueError("no")
        add_note(error, "one")
        add_note(error, "two")
        self.assertEqual(error.__notes__, ["one", "two"])

    def test_a_note_is_added_where_python_has_none(self):
        class Old:
            """An exception as before Python 3.11."""

        error = Old()
        add_note(error, "one")
        add_note(error, "two")
        self.assertEqual(error.__notes__, ["one", "two"])


class RedactedTest(unittest.TestCase):
    """What is shown of the keyword arguments of a call."""

    def check(self, kwargs, other, shown, found=False):
        self.assertEqual(repr(shown_arguments(kwargs, other, found)), shown if isinstance(shown, str) else repr(shown))

    def test_credentials_of_a_proxy_are_seen_to_differ(self):
        one, two = "http://me:1@proxy:8080", "http://me:2@proxy:8080"
        self.check({"proxy": one}, {"proxy": one}, {"proxy": "http://proxy:8080"})
        self.check({"proxy": one}, {"proxy": two}, {"proxy": "http://proxy:8080"})
        self.check({"proxy": one}, {"proxy": two}, {"proxy": "http://proxy:8080 (with other credentials)"}, found=True)
        self.check({"proxy": one}, {"proxy": "http://other"}, {"proxy": "http://proxy:8080"})

    def test_what_is_not_secret_is_shown(self):
        for value in ({"json": 1, "timeout": 5}, {"headers": {"Accept": "*/*"}}, {"headers": None, "auth": None}):
            self.check(value, {}, value)

    def test_secret_arguments_are_hidden_as_a_whole(self):
        for name in ("auth", "proxy_auth", "cookies"):
            self.check({name: "a"}, {}, {name: "…"})
            self.check({name: "a"}, {name: "a"}, {name: "…"})
            self.check({name: "a"}, {name: "b"}, f"{{'{name}': '…' (1 character)}}")
            self.check(
                {name: "a"}, {name: "b"}, f"{{'{name}': '…' (1 character, differing from character 1 on)}}", found=True
            )

    def test_credentials_and_cookies_that_differ_are_seen_to_differ(self):
        self.check({"auth": ("me", "secret")}, {"auth": ("me", "other")}, "{'auth': ['…', '…' (6 characters)]}")
        self.check(
            {"cookies": {"a": "1", "b": "2"}}, {"cookies": {"a": "1", "b": "3", "c": "4"}},
            "{'cookies': {'a': '…', 'b': '…' (1 character, differing from character 1 on)}}", found=True,
        )
        self.check({"auth": 5}, {"auth": "me"}, {"auth": "… (another)"}, found=True)

    def test_secret_headers_of_any_form_are_hidden(self):
        secret, other = {"Authorization": "a", "X": "1"}, {"authorization": "b"}
        for name in ("headers", "proxy_headers"):
            for form in (dict, CIMultiDict):
                self.check(
                    {name: form(secret)}, {name: form(other)},
                    f"{{'{name}': {{'Authorization': '…' (1 character), 'X': '1'}}}}",
                )
                self.check({name: form(secret)}, {}, {name: {"Authorization": "…", "X": "1"}})
            self.check(
                {name: list(secret.items())},
                {name: tuple(other.items())},
                f"{{'{name}': [('Authorization', '…' (1 character)), ('X', '1')]}}",
            )

    def test_headers_that_occur_twice_are_shown_as_pairs(self):
        headers = CIMultiDict([("Cookie", "a"), ("X", "1"), ("X", "2")])
        self.check({"headers": headers}, {}, {"headers": [("Cookie", "…"), ("X", "1"), ("X", "2")]})

    def test_what_cannot_be_headers_is_hidden(self):
        self.check({"headers": "Cookie: a"}, {}, {"headers": "…"})
        self.check({"headers": 5}, {}, {"headers": "…"})
        self.check({"headers": {"Cookie": "a"}}, {"headers": 5}, {"headers": {"Cookie": "…"}})

    def test_credentials_of_a_proxy_are_hidden(self):
        self.check({"proxy": "http://me:a@proxy:3128/"}, {}, {"proxy": "http://proxy:3128/"})
        self.check({"proxy": URL("http://me:a@proxy/")}, {}, {"proxy": URL("http://proxy/")})
        self.check({"proxy": "http://["}, {}, {"proxy": "…"})
        self.check({"proxy": None}, {}, {"proxy": None})

    def test_the_arguments_themselves_stay_as_they_are(self):
        kwargs = {"headers": {"Cookie": "a"}, "auth": "b"}
        shown_arguments(kwargs, {})
        self.assertEqual(kwargs, {"headers": {"Cookie": "a"}, "auth": "b"})
