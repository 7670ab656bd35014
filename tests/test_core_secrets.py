"""Passwords and keys are in no message: not in errors, in notes, in what is refused at registration, nor in reprs."""

import re
import traceback

from aiohttp import ClientConnectionError

from aioresponses import CallbackResult, CompatibilityWarning, RequestCall, aioresponses

from .support import SITE, MessageTestCase, note_of

SECRET_URL = "http://me:s3cret@example.com/"
SECRET_HEADERS = {
    "Authorization": "Bearer s3cret", "Proxy-Authorization": "s3cret", "Cookie": "a=s3cret", "X-Api-Key": "s3cret",
    "X-Auth-Token": "s3cret", "X-Client-Secret": "s3cret",
}


class RefusedTest(MessageTestCase):
    async def test_an_error_has_no_credentials_of_the_url(self):
        for url, shown in (
            (SECRET_URL, "http://…@example.com/"),
            ("http://me@example.com/?b=2&a=1", "http://…@example.com/?a=1&b=2"),
            ("http://example.com/@me?to=you@x", "http://example.com/@me?to=you@x"),
        ):
            with self.assertRaises(ClientConnectionError) as raised:
                await self.client_session().get(url)
            self.assertEqual(str(raised.exception), f"Connection refused: GET {shown}")
        self.assertEqual(
            str(self.mock.calls[0]), f"GET {SITE} -> no mock answered",
        )

    async def test_a_traceback_has_no_secrets(self):
        self.mock.get(SITE, match_headers={name: f"other {value}" for name, value in SECRET_HEADERS.items()})
        self.mock.get(SECRET_URL + "x")
        for url, headers in ((SITE, SECRET_HEADERS), ("http://you:s3cret@example.com/", {"Cookie": "a=s3cret"})):
            with self.assertRaises(ClientConnectionError) as raised:
                await self.client_session().get(url, headers=headers)
            # (Python 3.10 shows no notes.)
            told = "".join([*traceback.format_exception(raised.exception), *raised.exception.__notes__])
            self.assertIn("aioresponses: no mock answers", told)
            self.assertNotIn("s3cret", told)

    async def test_how_two_secrets_differ_is_in_the_note(self):
        for name, expected, sent, shown in (
            ("Authorization", "Bearer secret1", "secret1", "'Bearer …' (7 more characters) != '…' (no scheme)"),
            (
                "X-Api-Key", "secret1", "secret2",
                "'…' (7 characters) != '…' (7 characters, differing from character 7 on)",
            ),
        ):
            with self.subTest(name):
                self.mock.clear()
                self.mock.get(SITE, match_headers={name: expected})
                note = await note_of(self.client_session(), "GET", headers={name: sent})
                self.assertEqual(
                    note.splitlines()[-1],
                    f"  GET {SITE}, match_headers={{'{name}': '…'}}: headers: at {name}: {shown}",
                )


class AssertionsTest(MessageTestCase):
    async def test_messages_have_no_secrets(self):
        headers = {name: value for name, value in SECRET_HEADERS.items() if name != "Authorization"}
        await self.send(url=SECRET_URL, headers=headers, cookies={"a": "s3cret"}, proxy="http://me:s3cret@proxy/")
        other = {name: f"x{value}" for name, value in SECRET_HEADERS.items()}
        for assertion, arguments, keywords in (
            (self.assertRequestHeaders, [other], {}),
            (self.assertNotCalled, [SECRET_URL], {}),
            (self.assertCallsEqual, [[SECRET_URL + "x"]], {}),
            (self.mock.assert_any_call, [SECRET_URL], {"headers": other, "cookies": {"a": "xs3cret"}}),
            (self.mock.assert_called_with, [SECRET_URL], {"headers": other, "proxy": "http://me:xs3cret@proxy/"}),
        ):
            with self.subTest(assertion.__name__):
                message = self.message(assertion, *arguments, **keywords)
                self.assertNotIn("s3cret", message)
                self.assertIn("…", message)


class RegisteringTest(MessageTestCase):
    def check_refused(self, message, *args, **kwargs):
        with self.assertRaises((TypeError, ValueError)) as raised:
            self.mock.get(*args, **kwargs)
        self.assertEqual(str(raised.exception), message)
        self.assertNotIn("s3cret", "".join(traceback.format_exception(raised.exception, limit=0)))

    def test_a_url_that_is_wrong(self):
        self.check_refused("url: expected a URL, got 'http://…@['", "http://me:s3cret@[")
        self.check_refused("url: expected a URL, got 'http://…@x/'", "http://me:s3cret/s3cret@x/")
        with self.assertRaises(ValueError) as raised:
            self.mock.get("http://[")
        self.assertRegex(str(raised.exception), r"^url: expected a URL, got 'http://\[': .+")

    def test_headers_that_are_wrong(self):
        for name in SECRET_HEADERS:
            self.check_refused(
                f"headers: {name}: expected a str without CR, LF or NUL, got '…'", SITE, headers={name: "s3cret\n"}
            )
            self.check_refused(f"headers: {name}: expected a str, got '…'", SITE, headers={name: b"s3cret"})
            self.check_refused(f"headers: {name}: expected a str, got None", SITE, headers={name: None})
            for argument in ("headers", "match_headers"):
                with self.assertRaises(TypeError) as raised:
                    self.mock.get(SITE, **{argument: [(name, "s3cret", "s3cret")]})
                self.assertNotIn("s3cret", str(raised.exception))
        self.check_refused(
            "headers: X-Id: expected a str without CR, LF or NUL, got 'a\\n'", SITE, headers={"X-Id": "a\n"}
        )

    def test_prefixes_and_groups_that_are_wrong(self):
        for make in (
            lambda: aioresponses(passthrough=["http://me:s3cret@["]),
            lambda: aioresponses(passthrough=["/://me:s3cret@example.com"]),
            lambda: self.mock.host(SECRET_URL + "?a=1"),
            lambda: self.mock.host(SITE).get(SECRET_URL),
        ):
            with self.assertRaises(ValueError) as raised:
                make()
            self.assertNotIn("s3cret", str(raised.exception))
            self.assertIn("…@", str(raised.exception))

    def test_prefixes_without_a_scheme(self):
        for prefix, shown, meant in (
            ("//me:s3cret@x", "//…@x", "http://…@x"), ("me:s3cret@x", "…@x", "http://…@x"),
        ):
            with self.assertWarns(CompatibilityWarning) as warned:
                aioresponses(passthrough=[prefix])
            self.assertEqual(
                str(warned.warning),
                f"passthrough: {shown!r} has no scheme, and has no effect, as in aioresponses 0.7. To let requests "
                f"through, write it as {meant!r}.",
            )

    def test_reprs(self):
        for shown, thing in (
            ("<RequestMatch GET http://…@example.com/, used 0 of 1>", self.mock.get(SECRET_URL)),
            (
                "<RequestMatch GET re.compile('http://…@example.com/'), used 0 of 1>",
                self.mock.get(re.compile(SECRET_URL)),
            ),
            (
                f"<RequestMatch GET {SITE}, match_headers={ {name: '…' for name in SECRET_HEADERS} }, used 0 of 1>",
                self.mock.get(SITE, match_headers=SECRET_HEADERS),
            ),
            ("<Group http://…@example.com>", self.mock.host(SECRET_URL, match_headers=SECRET_HEADERS)),
            (
                "RequestCall(args=(), kwargs={'headers': {'X-Api-Key': '…', 'X': '1'}, 'auth': '…'})",
                RequestCall((), {"headers": {"X-Api-Key": "s3cret", "X": "1"}, "auth": "s3cret"}),
            ),
            ("CallbackResult(status=200)", CallbackResult(headers=SECRET_HEADERS)),
        ):
            self.assertEqual(repr(thing), shown)
