"""A reply as it is registered: what is taken, what is refused, cookies, and serialisers of JSON."""

import json
import threading
import unittest
from http.cookies import CookieError, SimpleCookie

from aiohttp import ClientResponse, ClientSession, CookieJar, web
from multidict import CIMultiDict

from aioresponses import AioResponsesTestCase, CallbackResult, Fault, aioresponses

from ..servers import ServerTestCase, seen
from ..support import BODIES

# Text with a control character, where cookies may have some: since Python 3.14.10 none may.
try:
    CONTROL = list(SimpleCookie({"a": "line\nend"}).values()) and ["line\nend"]
except CookieError:
    CONTROL = []


class RefusedReplyTest(unittest.TestCase):
    def test_wrong_arguments_are_refused_with_name_value_and_expectation(self):
        for kwargs, error, message in [
            ({"status": "200"}, TypeError, "status: expected an int from 200 to 999, or 101, got '200'"),
            ({"status": True}, TypeError, "status: expected an int from 200 to 999, or 101, got True"),
            (
                {"status": 199},
                ValueError,
                "status: expected an int from 200 to 999, or 101, got 199: "
                "after a 1xx, aiohttp waits for the final response",
            ),
            ({"status": 1000}, ValueError, "status: expected an int from 200 to 999, or 101, got 1000"),
            ({"body": 5}, TypeError, f"body: expected {BODIES}, got 5"),
            (
                {"payload": {1}},
                TypeError,
                "payload: expected a value that json can serialise, got {1}: "
                "Object of type set is not JSON serializable",
            ),
            ({"reason": 5}, TypeError, "reason: expected a str, got 5"),
            ({"reason": "a\nb"}, ValueError, "reason: expected a str without CR, LF or NUL, got 'a\\nb'"),
            ({"content_type": 5}, TypeError, "content_type: expected a str, got 5"),
            (
                {"content_type": "a\r\nX: y"},
                ValueError,
                "content_type: expected a str without CR, LF or NUL, got 'a\\r\\nX: y'",
            ),
            ({"headers": {"X": None}}, TypeError, "headers: X: expected a str, got None"),
            ({"headers": {"X": True}}, TypeError, "headers: X: expected a str, got True"),
            (
                {"headers": {"X": "a\r\nY: b"}},
                ValueError,
                "headers: X: expected a str without CR, LF or NUL, got 'a\\r\\nY: b'",
            ),
            ({"headers": {"X Y": "a"}}, ValueError, "headers: expected names that are HTTP tokens, got 'X Y'"),
            (
                {"response_class": 5},
                TypeError,
                "response_class: expected a subclass of aiohttp.ClientResponse, got 5",
            ),
        ]:
            with self.subTest(**kwargs):
                with self.assertRaises(error) as raised:
                    aioresponses().get("http://example.com/", **kwargs)
                self.assertEqual((type(raised.exception), str(raised.exception)), (error, message))

    def test_headers_of_another_type_are_refused(self):
        with self.assertRaises(TypeError) as raised:
            CallbackResult(headers=5)
        self.assertTrue(
            str(raised.exception).startswith("headers: expected a mapping or pairs of str, got 5: "), raised.exception
        )

    def test_a_payload_that_contains_itself_is_refused(self):
        payload = []
        payload.append(payload)
        with self.assertRaises(ValueError) as raised:
            aioresponses().get("http://example.com/", payload=payload)
        self.assertEqual(
            str(raised.exception),
            "payload: expected a value that json can serialise, got [[...]]: Circular reference detected",
        )


class ResponseClassTest(AioResponsesTestCase):
    class Own(ClientResponse):
        pass

    async def test_a_mock_can_have_a_class_of_response_of_its_own(self):
        self.mock.get("http://example.com/", response_class=self.Own, body="x")
        async with ClientSession() as session:
            response = await session.get("http://example.com/")
            self.assertEqual((type(response), await response.read()), (self.Own, b"x"))

    async def test_a_callback_can_choose_the_class_of_the_response(self):
        self.mock.get(
            "http://example.com/", callback=lambda url, **kwargs: CallbackResult(response_class=self.Own, body="x")
        )
        async with ClientSession() as session:
            response = await session.get("http://example.com/")
            self.assertEqual((type(response), await response.read()), (self.Own, b"x"))


class ReplyReprTest(unittest.TestCase):
    def test_the_repr_says_the_status(self):
        self.assertEqual(repr(CallbackResult(status=404)), "CallbackResult(status=404)")

    def test_the_repr_says_the_fault(self):
        self.assertEqual(
            repr(CallbackResult(status=404, fault=Fault.TRUNCATED_BODY)),
            "CallbackResult(status=404, fault=Fault.TRUNCATED_BODY)",
        )


def morsel(name, value, **attributes):
    made = SimpleCookie()
    made[name] = value
    made[name].update(attributes)
    return made[name]


class CookiesTest(ServerTestCase):
    async def cookies_of(self, cookies, set_cookies, headers=()):
        """Return the headers that set cookies, what the response and the jar make of them, and what is sent next."""

        async def handle(request):
            response = web.Response(headers=CIMultiDict([("Content-Type", "text/plain"), *headers]))
            for name, value, options in set_cookies:
                response.set_cookie(name, value, **options)
            return response

        url = await self.serve(web.route("*", "/{path:.*}", handle))

        def register(mock):
            reply = {"cookies": cookies, "content_type": "text/plain", "headers": headers}
            for path in ("deep/first", "deep/second", "other"):
                mock.get(url / path, **reply)

        async def scenario():
            # Sessions keep no cookies of IP addresses otherwise.
            async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
                async with session.get(url / "deep/first") as response:
                    first = await seen(response)
                    kept = [dict(cookie) | {"": cookie.value} for cookie in session.cookie_jar]
                for path in ("deep/second", "other"):
                    async with session.get(url / path) as response:
                        await response.read()
            return [item for item in first.headers if item[0] == "Set-Cookie"], first.cookies, kept

        outcome = await self.compare(scenario, register)
        return outcome.seen[0], [request.header("Cookie") for request in outcome.received]

    async def test_names_and_values_of_cookies(self):
        self.assertEqual(
            await self.cookies_of({"a": "1", "b": "2"}, [("a", "1", {}), ("b", "2", {})]),
            ([("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/")], [None, "a=1; b=2", "a=1; b=2"]),
        )

    async def test_values_that_need_quotes(self):
        for value in ("", "b c", 'with "quotes"', "a;b", "a,b", "ü", "a\\b", *CONTROL):
            with self.subTest(value):
                headers, _ = await self.cookies_of({"a": value}, [("a", value, {})])
                self.assertEqual(len(headers), 1)

    async def test_morsels_have_attributes_of_their_own(self):
        for attributes, options in (
            ({"path": "/deep"}, {"path": "/deep"}),
            ({"path": "/", "max-age": "60"}, {"max_age": 60}),
            ({"path": "/", "max-age": "0"}, {"max_age": 0}),
            ({"path": "/", "httponly": True}, {"httponly": True}),
            ({"path": "/", "samesite": "Strict"}, {"samesite": "Strict"}),
            ({"path": "/", "secure": True}, {"secure": True}),
            (
                {"path": "/", "expires": "Wed, 01 Jan 2070 00:00:00 GMT"},
                {"expires": "Wed, 01 Jan 2070 00:00:00 GMT"},
            ),
        ):
            with self.subTest(**attributes):
                cookies = {"a": morsel("a", "1", **attributes), "b": "2"}
                headers, sent = await self.cookies_of(cookies, [("a", "1", options), ("b", "2", {})])
                self.assertEqual(len(headers), 2)

    async def test_cookies_beside_headers_that_set_some(self):
        headers, sent = await self.cookies_of(
            {"a": "1"}, [("a", "1", {})], [("Set-Cookie", "b=2; Path=/"), ("Set-Cookie", "c=3; Path=/")]
        )
        self.assertEqual(sent[1], "a=1; b=2; c=3")

    async def test_no_cookies(self):
        for cookies in (None, {}):
            self.assertEqual(await self.cookies_of(cookies, []), ([], [None, None, None]))

    async def test_a_redirect_may_set_cookies(self):
        async def start(request):
            response = web.Response(status=302, headers={"Location": "/end"})
            response.set_cookie("a", "1")
            return response

        async def end(request):
            return web.Response(body=request.headers["Cookie"].encode())

        url = await self.serve(web.get("/start", start), web.get("/end", end))

        def register(mock):
            mock.get(url / "start", status=302, headers={"Location": "/end"}, cookies={"a": "1"})
            mock.get(url / "end", body=lambda call: call.headers["Cookie"])

        async def scenario():
            async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
                async with session.get(url / "start") as response:
                    return await response.read()

        self.assertEqual((await self.compare(scenario, register)).seen, b"a=1")

    def test_what_cannot_be_a_cookie_is_refused(self):
        for cookies, error, message in (
            ([("a", "1")], TypeError, "cookies: expected a mapping of names and values, got [('a', '1')]"),
            ("a=1", TypeError, "cookies: expected a mapping of names and values, got 'a=1'"),
            ({"a": 1}, TypeError, "cookies: expected names and values of str, got 'a': 1"),
            ({"a": None}, TypeError, "cookies: expected names and values of str, got 'a': None"),
            ({1: "a"}, TypeError, "cookies: expected names and values of str, got 1: 'a'"),
            (
                {"a b": "1"},
                ValueError,
                "cookies: expected valid names and values of cookies, got 'a b': '1' (Illegal key 'a b')",
            ),
            (
                {"": "1"},
                ValueError,
                "cookies: expected valid names and values of cookies, got '': '1' (Illegal key '')",
            ),
        ):
            with self.subTest(cookies):
                with self.assertRaises(error) as raised:
                    aioresponses().get("http://example.com/", cookies=cookies)
                self.assertEqual((type(raised.exception), str(raised.exception)), (error, message))


class JsonDumpsTest(unittest.IsolatedAsyncioTestCase):
    @staticmethod
    def as_text(data):
        return f"<{data}>"

    @staticmethod
    def as_bytes(data):
        return f"<{data}>".encode()

    async def read(self, url="http://example.com/"):
        async with ClientSession() as session:
            async with session.get(url) as response:
                return await response.read()

    async def test_a_serialiser_as_an_argument(self):
        for dumps in (self.as_text, self.as_bytes, lambda data: bytearray(self.as_bytes(data))):
            with aioresponses(json_dumps=dumps) as mock:
                mock.get("http://example.com/", payload={"a": 1})
                self.assertIs(mock.json_dumps, dumps)
                self.assertEqual(await self.read(), b"<{'a': 1}>")

    async def test_a_serialiser_as_an_attribute_holds_for_mocks_from_then_on(self):
        with aioresponses() as mock:
            mock.get("http://example.com/", payload={"a": 1}, repeat=True)
            mock.json_dumps = self.as_bytes
            mock.get("http://example.com/then", payload={"a": 1})
            mock.json_dumps = json.dumps
            self.assertEqual(await self.read(), b'{"a": 1}')
            self.assertEqual(await self.read("http://example.com/then"), b"<{'a': 1}>")

    async def test_a_serialiser_holds_for_callbacks_sequences_and_payload_functions(self):
        with aioresponses(json_dumps=self.as_text) as mock:
            for reply in (
                {"callback": lambda call: CallbackResult(payload=[1])},
                {"replies": [{"payload": [1]}]},
                {"replies": [CallbackResult(payload=[1])]},
                {"payload": lambda call: [1]},
            ):
                mock.get("http://example.com/", **reply)
                self.assertEqual(await self.read(), b"<[1]>")
            mock.host("http://example.com").get("/", payload=[1])
            self.assertEqual(await self.read(), b"<[1]>")

    async def test_a_serialiser_may_take_what_json_does_not(self):
        with aioresponses(json_dumps=lambda data: json.dumps(sorted(data))) as mock:
            mock.get("http://example.com/", payload={2, 1})
            self.assertEqual(await self.read(), b"[1, 2]")

    def test_what_a_serialiser_does_not_take_is_refused_at_registration(self):
        def dumps(data):
            raise error("not this")

        for error in (TypeError, ValueError):
            with self.assertRaises(error) as raised:
                aioresponses(json_dumps=dumps).get("http://example.com/", payload=1)
            self.assertEqual(
                (type(raised.exception), str(raised.exception)),
                (error, "payload: expected a value that json can serialise, got 1: not this"),
            )

    async def test_a_decorated_class_has_the_serialiser_in_every_test(self):
        class Decorated(unittest.IsolatedAsyncioTestCase):
            async def test(decorated, mock):
                mock.get("http://example.com/", payload=[1])
                decorated.assertEqual(await self.read(), b"<[1]>")

        result = unittest.TestResult()
        case = aioresponses(json_dumps=self.as_text)(Decorated)("test")
        # It has a loop of its own, which does not run within another.
        thread = threading.Thread(target=case.run, args=(result,))
        thread.start()
        thread.join()
        self.assertEqual((result.testsRun, result.errors, result.failures), (1, [], []))


class LateRefusalsTest(AioResponsesTestCase):
    """What can only be found wrong when it is used, or by looking twice."""

    def test_a_serialiser_that_is_not_a_function(self):
        for wrong in (5, None, lambda: "", lambda payload, indent: ""):
            with self.subTest(wrong):
                with self.assertRaises(TypeError) as raised:
                    self.mock.json_dumps = wrong
                self.assertEqual(
                    str(raised.exception), f"json_dumps: expected a function that takes one value, got {wrong!r}"
                )

    def test_a_serialiser_that_returns_something_else(self):
        self.mock.json_dumps = lambda payload: 5
        with self.assertRaises(TypeError) as raised:
            self.mock.get("http://example.com/", payload={})
        self.assertEqual(
            str(raised.exception), "json_dumps: expected a function that returns text or bytes, got 5 from it"
        )

    def test_a_serialiser_holds_for_a_decorated_function_that_runs_within_itself(self):
        mock = aioresponses(json_dumps=str)

        @mock
        def decorated(again, inner):
            return decorated(False) if again else inner.json_dumps

        self.assertIs(decorated(True), str)

    def test_a_morsel_of_another_name(self):
        cookie = SimpleCookie({"b": "1"})["b"]
        with self.assertRaises(ValueError) as raised:
            self.mock.get("http://example.com/", cookies={"a": cookie})
        self.assertEqual(str(raised.exception), "cookies: expected a morsel named 'a', got 'b'")

    def test_a_file_that_can_only_be_awaited(self):
        class Reader:
            async def read(self, size):
                return b""

            def __repr__(self):
                return "Reader()"

        with self.assertRaises(TypeError) as raised:
            self.mock.get("http://example.com/", body=Reader())
        self.assertEqual(
            str(raised.exception), "body: expected a file with a plain read(), or an async iterable, got Reader()"
        )


class WrongFaultsTest(unittest.TestCase):
    def test_wrong_faults_are_refused_at_registration(self):
        for kwargs, error, message in (
            ({"fault": "hang"}, TypeError, "fault: expected a member of Fault, got 'hang'"),
            (
                {"fault": Fault.HANG, "exception": ValueError()},
                ValueError,
                "exception cannot be combined with fault: a reply can fail in only one way",
            ),
            (
                {"fault": Fault.HANG, "timeout": True},
                ValueError,
                "timeout cannot be combined with fault: a reply can fail in only one way",
            ),
        ):
            with self.subTest(**kwargs):
                with self.assertRaises(error) as raised:
                    aioresponses().get("http://example.com/", **kwargs)
                self.assertEqual((type(raised.exception), str(raised.exception)), (error, message))

    def test_the_repr_of_a_result_names_its_fault(self):
        self.assertEqual(
            repr(CallbackResult(fault=Fault.HANG)), "CallbackResult(status=200, fault=Fault.HANG)"
        )
