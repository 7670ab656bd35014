import inspect
import subprocess
import sys
import unittest
import warnings

from aiohttp import ClientConnectionError, ClientSession

import aioresponses as package
from aioresponses import AioResponsesTestCase, CompatibilityWarning, aioresponses

from .servers import ServerTestCase
from .support import SITE, get

# The last one stands for those that there are not.
KEYWORDS = ", ".join(list(inspect.signature(aioresponses).parameters)[:-1])


class WarningsTestCase(unittest.TestCase):
    maxDiff = None

    def warnings_of(self, function, *args, **kwargs):
        """Return what a call returns, and the texts of its warnings, all of which name this file as their place."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            returned = function(*args, **kwargs)
        self.assertEqual({(one.category, one.filename) for one in caught} - {(CompatibilityWarning, __file__)}, set())
        return returned, [str(one.message) for one in caught]


class CategoryTest(unittest.TestCase):
    def test_a_compatibility_warning_is_a_deprecation_warning(self):
        self.assertTrue(issubclass(CompatibilityWarning, DeprecationWarning))
        self.assertIs(package.CompatibilityWarning, CompatibilityWarning)

    def test_the_filter_of_the_migration_guide_is_enough_where_warnings_are_errors(self):
        for line, status in (
            ("", 1),
            ("warnings.filterwarnings('ignore', category=aioresponses.CompatibilityWarning)", 0),
        ):
            code = f"import warnings, aioresponses\n{line}\naioresponses.aioresponses(case_sensitive=True)"
            with self.subTest(line):
                result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
                self.assertEqual(result.returncode, status, result.stderr)


class UnknownKeywordsTest(WarningsTestCase):
    def test_an_unknown_keyword_is_ignored_with_a_warning_that_says_what_is_meant(self):
        for name, meant in (
            ("case_sensitive", "Paths and queries are always compared by their case, and hosts never."),
            ("assert_all_requests_are_fired", "With assert_all_called=True, every mock must be used."),
            ("assert_all_responses_were_requested", "With assert_all_called=True, every mock must be used."),
            ("assert_all_requests_were_expected", "With assert_all_mocked=True, every request must be answered."),
            ("loop", f"The keywords are {KEYWORDS}."),
        ):
            with self.subTest(name):
                mock, texts = self.warnings_of(lambda: aioresponses(**{name: True}))
                self.assertEqual(
                    texts,
                    [
                        f"aioresponses() has no keyword {name!r}; it has no effect, as in aioresponses 0.7. Leave it "
                        f"out. {meant}"
                    ],
                )
                with mock:
                    mock.get(SITE)

    def test_each_of_several_unknown_keywords_gets_a_warning(self):
        _, texts = self.warnings_of(lambda: aioresponses(loop=None, case_sensitive=False))
        self.assertEqual([text.split(";")[0] for text in texts], [
            "aioresponses() has no keyword 'loop'", "aioresponses() has no keyword 'case_sensitive'",
        ])

    def test_known_keywords_beside_unknown_ones_have_their_effect(self):
        mock, _ = self.warnings_of(lambda: aioresponses(passthrough_unmatched=True, loop=None))
        self.assertTrue(mock.passthrough_unmatched)

    def test_a_decorator_warns_of_an_unknown_keyword_once(self):
        def decorate():
            @aioresponses(case_sensitive=True)
            class Test(unittest.TestCase):
                def test_first(self, mocked):
                    mocked.get(SITE)

                def test_second(self, mocked):
                    mocked.get(SITE)

            result = unittest.TestResult()
            unittest.defaultTestLoader.loadTestsFromTestCase(Test).run(result)
            return result

        result, texts = self.warnings_of(decorate)
        self.assertEqual((result.testsRun, result.errors, len(texts)), (2, [], 1))

    def test_a_misspelled_keyword_is_an_error_that_names_the_right_one(self):
        for name, meant in (
            ("assert_all_caled", "assert_all_called"),
            ("pass_through", "passthrough"),
            ("passthroughs", "passthrough"),
            ("passthrough_unmached", "passthrough_unmatched"),
            ("json_dump", "json_dumps"),
            ("assert_all_mock", "assert_all_mocked"),
            ("stric", "strict"),
            ("assert_called", "assert_all_called"),
            ("passthru", "passthrough"),
        ):
            with self.subTest(name):
                with self.assertRaises(TypeError) as raised:
                    aioresponses(case_sensitive=True, **{name: True})
                self.assertEqual(
                    str(raised.exception),
                    f"aioresponses() got an unexpected keyword argument {name!r}: did you mean {meant!r}?",
                )


class OverriddenMethodsTest(WarningsTestCase):
    INSTEAD = (
        "aiohttp's own client makes the request. To see the calls, look at `calls`; to answer with code, register a "
        "mock with `callback`; to let other requests through, pass `passthrough_unmatched=True`. Cookies reach the "
        "session by themselves."
    )

    def test_overriding_a_method_that_is_never_called_gets_a_warning_when_the_class_is_made(self):
        def make(name):
            async def method(self, *args, **kwargs):
                raise AssertionError("this is never called")

            # A class of its own, as if by a statement in this file.
            exec(f"class Recording(aioresponses): {name} = method", scope := {**globals(), "method": method})
            return scope["Recording"]

        for name in ("_request_mock", "match"):
            with self.subTest(name), warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                recording = make(name)
                self.assertEqual(
                    [str(one.message) for one in caught],
                    [f"class Recording: aioresponses never calls its {name}, because {self.INSTEAD}"],
                )
                self.assertIs(caught[0].category, CompatibilityWarning)
                with recording() as mock:
                    mock.get(SITE)

    def test_the_warning_of_overridden_methods_points_at_the_class(self):
        def make():
            class Recording(aioresponses):
                async def match(self, *args, **kwargs):
                    """Find an answer."""

                async def _request_mock(self, *args, **kwargs):
                    """Answer."""

            return Recording

        _, texts = self.warnings_of(make)
        self.assertEqual(
            texts, [f"class Recording: aioresponses never calls its _request_mock and match, because {self.INSTEAD}"]
        )

    def test_a_mixin_that_overrides_is_warned_of_once(self):
        class Cookies:
            async def _request_mock(self, *args, **kwargs):
                """Feed cookies."""

        def make():
            class Mixed(Cookies, aioresponses):
                pass

            class Below(Mixed):
                def start(self):
                    super().start()

            return Below

        _, texts = self.warnings_of(make)
        self.assertEqual([text.split(":")[0] for text in texts], ["class Mixed"])

    def test_a_subclass_that_overrides_other_methods_gets_no_warning(self):
        def make():
            class Own(aioresponses):
                def __init__(self, data=None, **kwargs):
                    self.data = data
                    super().__init__(**kwargs)

                def get(self, url, **kwargs):
                    return super().get(url, **kwargs)

            return Own(passthrough_unmatched=True)

        mock, texts = self.warnings_of(make)
        self.assertEqual((texts, mock.passthrough_unmatched), ([], True))


class PrefixesWithoutSchemeTest(WarningsTestCase, unittest.IsolatedAsyncioTestCase):
    async def test_a_prefix_without_scheme_is_ignored_with_a_warning_that_names_one_with_it(self):
        for prefix, meant in (
            ("127.0.0.1", "http://127.0.0.1"),
            ("localhost:8080", "http://localhost:8080"),
            ("localhost/api", "http://localhost/api"),
            ("[::1]", "http://[::1]"),
            ("//127.0.0.1", "http://127.0.0.1"),
            ("/api", "http://127.0.0.1"),
            ("*", "http://127.0.0.1"),
            ("//", "http://127.0.0.1"),
        ):
            for passthrough in ([prefix], prefix, ("http://192.0.2.1", prefix)):
                with self.subTest(passthrough=passthrough):
                    mock, texts = self.warnings_of(lambda: aioresponses(passthrough=passthrough))
                    self.assertEqual(
                        texts,
                        [
                            f"passthrough: {prefix!r} has no scheme, and has no effect, as in aioresponses 0.7. To let "
                            f"requests through, write it as {meant!r}."
                        ],
                    )
                    # No server of aiohttp's own, which would be reached without a prefix.
                    with mock, self.assertRaises(ClientConnectionError) as caught:
                        await get("http://127.0.0.1:1/api")
                    self.assertEqual(str(caught.exception), "Connection refused: GET http://127.0.0.1:1/api")

    def test_a_prefix_that_is_a_part_of_a_scheme_is_refused(self):
        # They have let everything through.
        for prefix in ("", "h", "http", "https:", "ws:/"):
            with self.subTest(prefix), self.assertRaises(ValueError) as raised:
                aioresponses(passthrough=[prefix])
            self.assertEqual(
                str(raised.exception),
                f"passthrough: expected a prefix with a scheme such as 'http://127.0.0.1', got {prefix!r}",
            )

    def test_a_prefix_without_scheme_in_a_test_case_gets_a_warning(self):
        class Test(AioResponsesTestCase):
            passthrough = ["127.0.0.1"]

            def test(self):
                self.assertEqual(self.mock._passthrough, [])

        with self.assertWarnsRegex(CompatibilityWarning, "'http://127.0.0.1'"):
            result = Test("test").run()
        self.assertEqual((result.testsRun, result.errors, result.failures), (1, [], []))


class PrivateNamesTest(ServerTestCase):
    async def asyncSetUp(self):
        async def behave(writer, before):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 4\r\n\r\nreal")

        # No server of aiohttp's own, which would be reached without a prefix.
        self.url = await self.serve_raw(behave)

    def test_param_and_passthrough_of_a_mock_can_be_read(self):
        mock = aioresponses(param="mocked", passthrough=["http://127.0.0.1"])
        self.assertEqual((mock._param, mock._passthrough), ("mocked", ["http://127.0.0.1"]))
        self.assertEqual((aioresponses()._param, aioresponses()._passthrough), (None, []))

    async def test_passthrough_prefixes_that_are_added_later_have_their_effect(self):
        async def ask():
            async with ClientSession() as session, session.get(self.url) as response:
                return await response.text()

        mock = aioresponses()
        with mock:
            with self.assertRaises(ClientConnectionError):
                await ask()
            mock._passthrough.append("http://127.0.0.1")
            self.assertEqual(await ask(), "real")
            mock._passthrough = []
            with self.assertRaises(ClientConnectionError):
                await ask()
            mock._passthrough = ["http://127.0.0.1"]
            self.assertEqual(await ask(), "real")

    async def test_a_param_that_is_set_later_has_its_effect(self):
        mock = aioresponses()
        mock._param = "mocked"

        @mock
        def test(mocked):
            return mocked

        self.assertIs(test(), mock)
