"""What all assertions have in common: finding calls, wrong use, `msg`, and the test cases that they work with."""

import asyncio
import io
import re
import unittest

import aiohttp
from aiohttp import web
from aiohttp.test_utils import AioHTTPTestCase
from yarl import URL

from aioresponses import (
    AioResponsesTestCase,
    BodyAssertionsMixin,
    CallCountAssertionsMixin,
    CallOrderAssertionsMixin,
    CallbackResult,
    aioresponses,
)

from ..support import SITE, USERS, MessageTestCase


class FindingCallsTest(MessageTestCase):
    async def test_the_url_may_be_text_a_url_or_a_pattern(self):
        await self.send(url=USERS + "?b=2&a=1")
        for url in (USERS + "?b=2&a=1", URL(USERS) % {"b": 2, "a": 1}, re.compile(r".*/users\?"), None):
            with self.subTest(url=url):
                self.assertCalledOnce(url)
                self.assertCallsEqual([url])

    async def test_the_order_of_the_query_and_fragments_do_not_matter(self):
        await self.send(url=USERS + "?b=2&a=1#top")
        self.assertCalledOnce(USERS + "?a=1&b=2")
        self.assertCalledOnce(USERS + "?a=1&b=2#bottom")
        self.assertNotCalled(USERS)
        self.assertNotCalled(USERS + "?a=1")

    async def test_params_are_part_of_the_url(self):
        await self.send(url=USERS + "?a=1", params={"b": "2"})
        self.assertCalledOnce(USERS + "?b=2&a=1")

    async def test_the_case_of_the_method_does_not_matter(self):
        await self.send("post")
        self.assertCalledOnce(SITE, "POST")
        self.assertCalledOnce(SITE, "Post")
        self.assertCallOrder([("pOST", SITE)])

    async def test_credentials_in_the_url_of_a_call_may_be_left_out(self):
        await self.send(url="http://me:secret@example.com/?page=2")
        self.assertCalledOnce(SITE + "?page=2")
        self.assertCalledOnce("http://me:secret@example.com/?page=2")
        self.assertNotCalled("http://me:wrong@example.com/?page=2")
        self.assertQuery({"page": "2"}, SITE)

    async def test_credentials_in_urls_are_not_shown(self):
        await self.send(url="http://me:secret@example.com/")
        self.check_fails(
            "Expected a call to http://…@example.com/, but there were none.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
            self.assertCalled, "http://you:secret@example.com/",
        )
        self.check_fails(
            "Calls differ (- expected, + made):\n"
            "Lists differ: ['http://…@example.com/'] != ['GET http://example.com/']\n"
            "\n"
            "First differing element 0:\n"
            "'http://…@example.com/'\n"
            "'GET http://example.com/'\n"
            "\n"
            "- ['http://…@example.com/']\n"
            "?          --\n"
            "\n"
            "+ ['GET http://example.com/']\n"
            "?   ++++\n"
            "\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
            self.assertCallsEqual, ["http://you:secret@example.com/"],
        )

    async def test_hops_of_a_redirect_are_not_calls(self):
        self.mock.get(SITE, status=302, headers={"Location": "/users"})
        self.mock.get(USERS)
        await self.client_session().get(SITE)
        self.assertCallCount(1)
        self.assertNotCalled(USERS)

    async def test_an_exception_is_shown_with_the_call(self):
        self.mock.get(SITE, exception=ValueError("two\nlines"))
        self.mock.get(SITE, timeout=True)
        for error in (ValueError, asyncio.TimeoutError):
            with self.assertRaises(error):
                await self.client_session().get(SITE)
        self.check_fails(
            "Expected no call, but there were 2.\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> raised ValueError: two lines\n"
            "  2. GET http://example.com/ -> raised TimeoutError",
            self.assertNotCalled,
        )


class WrongUseTest(MessageTestCase):
    async def asyncSetUp(self):
        await self.send("POST", json={})

    def check_wrong(self, what, assertion, *args, **kwargs):
        self.check_fails(f"Invalid argument: {what}", assertion, *args, **kwargs)
        self.check_fails(
            f"Invalid argument: {what} : and why", assertion, *args, **kwargs, msg="and why"
        )

    async def test_wrong_counts(self):
        for count in ("1", None, 1.0, True, -1):
            for assertion in (self.assertCallCount, self.assertCalledAtLeast, self.assertCalledAtMost):
                with self.subTest(count=count, assertion=assertion.__name__):
                    self.check_wrong(f"count: expected an int of at least 0, got {count!r}", assertion, count)
        self.check_wrong("limit: expected an int of at least 0, got '1'", self.assertMaxConcurrency, "1")
        self.check_wrong("at_least: expected an int of at least 1, got 0", self.assertConcurrent, at_least=0)

    async def test_wrong_methods(self):
        for kwargs, what in [
            ({"method": 5}, "method: expected a str such as 'GET', got 5"),
            ({"method": b"GET"}, "method: expected a str such as 'GET', got b'GET'"),
            ({"method": ""}, "method: expected an HTTP token such as 'GET' or 'PROPFIND', got ''"),
        ]:
            self.check_wrong(what, self.assertCalled, **kwargs)
            self.check_wrong(what, self.assertMaxConcurrency, 1, **kwargs)
            self.check_wrong(what, self.assertConcurrent, **kwargs)
            self.check_wrong(what, self.assertEmptyBody, **kwargs)
            self.check_wrong(what, self.assertQuery, {}, **kwargs)
            self.check_wrong(what, self.assertCallOrder, [(kwargs["method"], SITE)])

    async def test_wrong_urls(self):
        what = "url: expected a str, a yarl.URL or a compiled pattern, got 5"
        self.check_wrong(what, self.assertNotCalled, 5)
        self.check_wrong(what, self.assertJsonBody, {}, 5)
        self.check_wrong(what, self.assertCallsEqual, [5])
        self.check_wrong(what, self.assertCalledBefore, 5, SITE)
        self.check_wrong(what, self.assertCalledBefore, SITE, ("GET", 5))
        pattern = re.compile(b"x")
        self.check_wrong(f"url: expected a pattern of text, got one of bytes: {pattern!r}", self.assertCalled, pattern)
        for url in ("/users", URL("example.com/users")):
            self.check_wrong(f"url: expected a URL with a scheme and a host, got {url!r}", self.assertNotCalled, url)
        message = self.message(self.assertCalled, "http://[")
        self.assertRegex(message, r"\AInvalid argument: url: expected a URL, got 'http://\[': ")

    async def test_wrong_expected_calls(self):
        expectation = "expected a URL, (method, URL) or (method, URL, {conditions})"
        for assertion in (self.assertCallOrder, self.assertCallsEqual):
            for expected in (SITE, URL(SITE), 5, None, b"x"):
                with self.subTest(assertion=assertion.__name__, expected=expected):
                    self.check_wrong(
                        f"expected a list of URLs, or of pairs of method and URL, got {expected!r}", assertion, expected
                    )
            for pair in ((), (SITE,), ("GET", SITE, 200), ["GET", SITE], {"url": SITE}):
                with self.subTest(assertion=assertion.__name__, pair=pair):
                    self.check_wrong(f"{expectation}, got {pair!r}", assertion, [pair])
        self.check_wrong(f"{expectation}, got ()", self.assertCalledBefore, (), SITE)

    async def test_wrong_expected_fields(self):
        await self.send("POST", data={"a": "1"})
        for assertion in (self.assertFormBody, self.assertRequestHeaders, self.assertQuery):
            for expected in ("a=1", 5, None, [("a",)], [("a", "1", "2")], ["a"]):
                with self.subTest(assertion=assertion.__name__, expected=expected):
                    self.check_wrong(
                        f"expected a mapping, or pairs of name and value, got {expected!r}", assertion, expected
                    )
        form = aiohttp.FormData({"a": "1"})
        form.add_field("b", b"2", filename="b")
        await self.send("POST", data=form)
        self.check_wrong("expected a mapping, or pairs of name and value, got 'a=1'", self.assertMultipartBody, "a=1")


def failing(case):
    """Return a failing call of every assertion there is, where one POST without a mock was made."""
    case.mock.get(SITE + "unused")
    return [
        (case.assertCallCount, 5), (case.assertCalled, USERS), (case.assertCalledOnce, USERS),
        (case.assertNotCalled,), (case.assertCalledAtLeast, 5), (case.assertCalledAtMost, 0),
        (case.assertAllMocksCalled,), (case.assertNoUnmatchedCalls,), (case.assertCallOrder, [USERS]),
        (case.assertCallsEqual, [USERS]), (case.assertCalledBefore, SITE, USERS), (case.assertMaxConcurrency, 0),
        (case.assertConcurrent,), (case.assertJsonBody, 5), (case.assertJsonBodyContains, 5),
        (case.assertFormBody, {}), (case.assertMultipartBody, {}), (case.assertTextBody, ""),
        (case.assertBody, b""), (case.assertEmptyBody,), (case.assertRequestHeaders, {"X": "1"}),
        (case.assertQuery, {"x": "1"}), (case.assertQueryEqual, {"x": "1"}), (case.assertCallTimes, []),
    ]


class MsgTest(MessageTestCase):
    """What `msg`, `longMessage` and `maxDiff` do is what unittest says of them."""

    virtual_time = True

    BIG = {f"key {number}": "value" for number in range(40)}

    def test_every_assertion_is_among_the_failing_ones(self):
        names = {
            name
            for mixin in (CallCountAssertionsMixin, CallOrderAssertionsMixin, BodyAssertionsMixin)
            for name in vars(mixin)
            if name.startswith("assert")
        }
        self.assertEqual({assertion.__name__ for assertion, *_ in failing(self)}, names)

    async def test_msg_stands_at_the_end(self):
        await self.send_unmatched("POST", json=1)
        for assertion, *args in failing(self):
            with self.subTest(assertion=assertion.__name__):
                without = self.message(assertion, *args)
                self.check_fails(f"{without} : why", assertion, *args, msg="why")

    async def test_msg_stands_alone_without_long_messages(self):
        self.longMessage = False
        await self.send_unmatched("POST", json=1)
        for assertion, *args in failing(self):
            with self.subTest(assertion=assertion.__name__):
                self.check_fails("why", assertion, *args, msg="why")
                self.assertIn("Calls:\n  1. POST http://example.com/", self.message(assertion, *args))

    async def test_max_diff_is_respected(self):
        await self.send("POST", json=self.BIG)
        self.maxDiff = 640
        message = self.message(self.assertJsonBody, {**self.BIG, "key 39": "other"})
        self.assertRegex(
            message,
            r"\nDiff is [0-9]+ characters long\. Set self\.maxDiff to None to see it\.\n"
            r"  at key 39: expected 'other', but got 'value'\nCalls:\n",
        )
        self.assertNotIn("+  'key 39'", message)
        wrong = {"too much": 1, **{key: "other" for key in self.BIG}}
        listed = [f"  at {key}: expected 'other', but got 'value'" for key in self.BIG]
        self.assertIn(
            "\n".join([
                "see it.", "  at too much: expected 1, but it was not sent", *listed[:9],
                f"  … and {len(listed) - 9} more", "Calls:",
            ]),
            self.message(self.assertJsonBody, wrong),
        )
        self.assertIn(
            "see it.\n  at key 39: expected nothing, but got 'value'\nCalls:",
            self.message(self.assertJsonBody, {key: value for key, value in self.BIG.items() if key != "key 39"}),
        )
        self.maxDiff = None
        message = self.message(self.assertJsonBody, {**self.BIG, "key 39": "other"})
        self.assertNotIn("maxDiff", message)
        self.assertIn("-  'key 39': 'other',\n", message)
        self.assertIn("+  'key 39': 'value',\n", message)


class OwnFailure(Exception):
    pass


class FailureExceptionTest(MessageTestCase):
    failureException = OwnFailure

    async def test_every_assertion_raises_the_failure_exception(self):
        await self.send_unmatched("POST", json={"a": 1})
        for assertion, *args in failing(self):
            with self.subTest(assertion=assertion.__name__):
                self.message(assertion, *args)

    async def test_wrong_use_raises_the_failure_exception(self):
        self.message(self.assertCallCount, "1")
        self.message(self.assertCalled, 5)
        self.message(self.assertCallOrder, SITE)

    async def test_the_difference_is_shown_with_a_failure_exception(self):
        await self.send("POST", json=[1])
        self.assertIn("\n- [2]\n", self.message(self.assertJsonBody, [2]))


class PlainTestCase(unittest.TestCase):
    """A test case without anything of this package but a mock."""

    def setUp(self):
        self.mock = aioresponses()
        self.mock.start()
        self.addCleanup(self.mock.stop)
        self.mock.post(SITE, repeat=True)

    def send(self, **kwargs):
        async def send():
            async with aiohttp.ClientSession() as session:
                await session.post(SITE, **kwargs)

        asyncio.run(send())


class CallCountAloneTest(CallCountAssertionsMixin, PlainTestCase):
    def test_the_mixin_works_with_a_plain_test_case(self):
        self.send()
        self.assertCalledOnce(SITE, "POST")
        with self.assertRaisesRegex(AssertionError, "Expected 2 calls"):
            self.assertCallCount(2)
        self.assertFalse(hasattr(self, "assertJsonBody") or hasattr(self, "assertCallOrder"))


class CallOrderAloneTest(CallOrderAssertionsMixin, PlainTestCase):
    def test_the_mixin_works_with_a_plain_test_case(self):
        self.send()
        self.assertCallsEqual([("POST", SITE)])
        with self.assertRaisesRegex(AssertionError, "Expected exactly 0 calls"):
            self.assertCallsEqual([])
        self.assertFalse(hasattr(self, "assertJsonBody") or hasattr(self, "assertCalled"))


class BodyAloneTest(BodyAssertionsMixin, PlainTestCase):
    def test_the_mixin_works_with_a_plain_test_case(self):
        self.send(json=[1])
        self.assertJsonBody([1])
        with self.assertRaisesRegex(AssertionError, "JSON body of call 1 differs"):
            self.assertJsonBody([2])
        self.assertFalse(hasattr(self, "assertCalled") or hasattr(self, "assertCallOrder"))


class MixinsBehindTheTestCaseTest(PlainTestCase, CallCountAssertionsMixin, BodyAssertionsMixin):
    def test_mixins_may_stand_behind_the_test_case(self):
        self.send(data=b"x")
        self.assertCalledOnce()
        self.assertBody(b"x")


async def forward(request):
    async with aiohttp.ClientSession() as session:
        async with session.post(USERS, json={"from": await request.text()}) as response:
            return web.Response(text=f"the service said {await response.text()}")


class ApplicationMixin:
    async def get_application(self):
        application = web.Application()
        application.router.add_post("/", forward)
        return application

    async def check(self):
        self.mock.post(USERS, body="yes", callback=lambda url, **kwargs: CallbackResult(body="yes"))
        response = await self.client.post("/", data="the client")
        self.assertEqual((response.status, await response.text()), (200, "the service said yes"))
        self.assertCallsEqual([("POST", USERS)])
        self.assertJsonBody({"from": "the client"})
        self.assertAllMocksCalled()
        self.assertNoUnmatchedCalls()


class AioHTTPTestCaseFirstTest(ApplicationMixin, AioHTTPTestCase, AioResponsesTestCase):
    async def test_the_application_is_real_and_what_it_asks_for_is_mocked(self):
        await self.check()


class AioHTTPTestCaseLastTest(ApplicationMixin, AioResponsesTestCase, AioHTTPTestCase):
    async def test_the_application_is_real_and_what_it_asks_for_is_mocked(self):
        await self.check()


class TracebackTest(unittest.TestCase):
    def check_output(self, case_class):
        stream = io.StringIO()
        names = unittest.defaultTestLoader.getTestCaseNames(case_class)
        result = unittest.TextTestRunner(stream).run(unittest.TestSuite(map(case_class, names)))
        self.assertEqual((len(result.failures), len(result.errors)), (len(names), 0), stream.getvalue())
        output = stream.getvalue().replace("\\", "/")
        self.assertNotIn("/aioresponses/", output)
        return output

    def test_failed_assertions_show_no_frames_of_the_package(self):
        class Case(AioResponsesTestCase):
            async def test_count(self):
                self.assertCalled(SITE)  # the line of test_count

            async def test_order(self):
                self.assertCallsEqual([SITE])  # the line of test_order

            async def test_body(self):
                self.mock.post(SITE)
                await self.client_session().post(SITE, json=1)
                self.assertJsonBody(2)  # the line of test_body

            async def test_wrong_use(self):
                self.assertCalled(5)  # the line of test_wrong_use

            async def test_mock(self):
                self.mock.assert_called_with(SITE)  # the line of test_mock

            def test_plain_function(self):
                self.assertConcurrent()  # the line of test_plain_function

            async def test_unreadable(self):
                self.mock.post(SITE)
                await self.client_session().post(SITE, data="x")
                self.assertFormBody({})  # the line of test_unreadable

        output = self.check_output(Case)
        for name in unittest.defaultTestLoader.getTestCaseNames(Case):
            self.assertIn(f"# the line of {name}\n", output)

    def test_failures_of_strictness_show_no_frames_of_the_package(self):
        class Strict(AioResponsesTestCase):
            strict = True

            async def test(self):
                self.mock.get(SITE)

        class Decorated(unittest.TestCase):
            @aioresponses(strict=True)
            def test(self, mock):
                mock.get(SITE)

        self.check_output(Strict)
        self.check_output(Decorated)
