"""What is noted of calls: their arguments, what was sent, and how they are looked at, whenever that is."""

import array
import asyncio
import collections
import copy
import decimal
import gc
import http
import math
import pickle
import re
import threading
import types

import aiohttp
from aiohttp import ClientConnectionError, ClientSession, ServerDisconnectedError
from multidict import CIMultiDict
from yarl import URL

from aioresponses import CallbackResult, Fault, RequestCall

from .support import AIOHTTP, SITE, TRIES_AGAIN, MockedTestCase, error_of, large_bodies_allowed, text_of


class RecordingTest(MockedTestCase):
    def recorded(self):
        return {key: [call.kwargs for call in calls] for key, calls in self.mock.requests.items()}

    async def test_a_call_is_recorded_under_its_method_and_url_with_its_arguments(self):
        self.mock.get(SITE)
        await text_of(self.session, timeout=5)
        self.assertEqual(self.recorded(), {("GET", URL(SITE)): [{"allow_redirects": True, "timeout": 5}]})
        self.assertEqual(self.mock.requests["GET", URL(SITE)][0].args, ())

    async def test_the_method_is_as_the_caller_wrote_it(self):
        self.mock.get(SITE, repeat=True)
        for method in ("get", "Get", "GET"):
            await text_of(self.session, method=method)
        self.assertEqual(list(self.mock.requests), [("get", URL(SITE)), ("Get", URL(SITE)), ("GET", URL(SITE))])

    async def test_the_url_is_normalised_and_has_the_params_merged_in(self):
        self.mock.get(f"{SITE}?a=1&b=2&c=3", repeat=True)
        await text_of(self.session, f"{SITE}?c=3&a=1", params={"b": "2"})
        await text_of(self.session, f"{SITE}?b=2&a=1&c=3")
        merged = URL(f"{SITE}?a=1&b=2&c=3")
        self.assertEqual(
            self.recorded(),
            {("GET", merged): [{"allow_redirects": True, "params": {"b": "2"}}, {"allow_redirects": True}]},
        )

    async def test_the_url_is_joined_to_the_base_url_of_the_session(self):
        self.mock.get(f"{SITE}users")
        async with ClientSession(SITE) as session:
            await text_of(session, "users" if AIOHTTP >= (3, 12) else "/users")
        self.assertEqual(list(self.mock.requests), [("GET", URL(f"{SITE}users"))])

    async def test_allow_redirects_is_always_among_the_arguments(self):
        for method in ("GET", "POST", "HEAD"):
            self.mock.add(SITE, method, repeat=True)
        await self.session.get(SITE)
        await self.session.get(SITE, allow_redirects=False)
        await self.session.head(SITE)
        await self.session.request("GET", SITE)
        self.assertEqual(
            self.recorded(),
            {
                ("GET", URL(SITE)): [{"allow_redirects": allowed} for allowed in (True, False, True)],
                ("HEAD", URL(SITE)): [{"allow_redirects": False}],
            },
        )

    async def test_a_post_is_recorded_with_data(self):
        self.mock.post(SITE, repeat=True)
        await self.session.post(SITE)
        await self.session.request("POST", SITE)
        await self.session.post(SITE, data=b"some")
        self.assertEqual(
            self.recorded(),
            {("POST", URL(SITE)): [{"allow_redirects": True, "data": data} for data in (None, None, b"some")]},
        )

    async def test_the_default_headers_of_the_session_are_merged_in(self):
        self.mock.get(SITE, repeat=True)
        async with ClientSession(headers={"A": "session", "B": "session"}) as session:
            await text_of(session)
            await text_of(session, headers={"B": "call"})
        self.assertEqual(
            [call.kwargs for call in self.mock.calls],
            [
                {"allow_redirects": True, "headers": CIMultiDict({"A": "session", "B": "session"})},
                {"allow_redirects": True, "headers": CIMultiDict({"A": "session", "B": "call"})},
            ],
        )

    async def test_headers_are_as_given_where_the_session_has_none(self):
        self.mock.get(SITE)
        await text_of(self.session, headers={"B": "call"})
        self.assertEqual(self.mock.calls[0].kwargs, {"allow_redirects": True, "headers": {"B": "call"}})

    async def test_what_happens_to_the_arguments_later_does_not_show(self):
        self.mock.post(SITE)
        given = {"names": ["Ada"]}
        headers = {"A": "1"}
        await text_of(self.session, method="POST", json=given, headers=headers)
        given["names"].append("Grace")
        headers["A"] = "2"
        self.assertEqual(
            self.recorded(),
            {
                ("POST", URL(SITE)): [
                    {"allow_redirects": True, "json": {"names": ["Ada"]}, "headers": {"A": "1"}, "data": None}
                ]
            },
        )

    async def test_the_arguments_reach_the_client_itself_and_no_copy(self):
        class Names(list):
            def __deepcopy__(self, memo):
                return copied

        copied = Names(["a copy"])
        self.mock.post(SITE)
        await text_of(self.session, method="POST", json=Names(["Ada"]))
        self.assertEqual(self.mock.calls[0].json(), ["Ada"])
        self.assertIs(self.mock.calls[0].kwargs["json"], copied)

    async def test_what_cannot_be_copied_is_kept(self):
        class Uncopyable:
            def __deepcopy__(self, memo):
                raise ValueError("not me")

        self.mock.post(SITE, repeat=True)
        with open(__file__, "rb") as file:
            await text_of(self.session, method="POST", data=file)
            self.assertIs(self.mock.calls[-1].kwargs["data"], file)
        value, names = Uncopyable(), ["Ada"]
        given = {"list": [value, names], "tuple": (value,), "dict": {"value": value}}
        await text_of(self.session, method="POST", trace_request_ctx=given)
        names.append("Grace")
        self.assertEqual(
            self.mock.calls[-1].kwargs["trace_request_ctx"],
            {"list": [value, ["Ada"]], "tuple": (value,), "dict": {"value": value}},
        )

    async def test_what_stands_within_itself_and_cannot_be_copied_is_kept(self):
        context = {"lock": threading.Lock()}
        context["self"] = context
        nested = []
        for _ in range(20_000):
            nested = [nested]
        self.mock.get(SITE, repeat=True)
        for value in (context, nested):
            await text_of(self.session, trace_request_ctx=value)
            self.assertIs(self.mock.calls[-1].kwargs["trace_request_ctx"], value)

    async def test_of_an_asynchronous_iterable_what_was_sent_is_recorded(self):
        async def generate():
            yield b"a"
            yield b"b"

        async def wait(url, *, data, **kwargs):
            given.append(data)

        given = []
        self.mock.post(SITE, repeat=True)
        self.mock.put(SITE, callback=wait)
        await text_of(self.session, method="POST", data=generate())
        self.mock.assert_called_once_with(SITE, "POST", data=b"ab")
        # From now on calls are looked at as they begin.
        for method in ("POST", "PUT"):
            await text_of(self.session, method=method, data=generate())
            self.assertEqual(self.mock.calls[-1].kwargs["data"], b"ab")
        self.assertEqual(given, [b"ab"])
        unsent = generate()
        with self.assertRaises(ClientConnectionError):
            await self.session.patch(SITE, data=unsent)
        self.assertIs(self.mock.calls[-1].kwargs["data"], unsent)
        await unsent.aclose()

    async def test_calls_that_nobody_answers_are_recorded(self):
        with self.assertRaises(ClientConnectionError):
            await self.session.get(SITE)
        self.assertEqual(self.recorded(), {("GET", URL(SITE)): [{"allow_redirects": True}]})
        self.assertEqual(str(self.mock.calls[0].exception), "Connection refused: GET http://example.com/")

    async def test_calls_that_fail_are_recorded(self):
        exception = ValueError("wrong")
        self.mock.get(SITE, exception=exception)
        with self.assertRaises(ValueError):
            await self.session.get(SITE)
        self.assertEqual(self.recorded(), {("GET", URL(SITE)): [{"allow_redirects": True}]})
        self.assertIs(self.mock.calls[0].exception, exception)
        self.assertIsNone(self.mock.calls[0].response)

    async def test_calls_with_wrong_arguments_fail_as_ever(self):
        for arguments in ({"params": {"a": True}}, {"no": "such"}):
            with self.subTest(arguments), self.assertRaises(TypeError):
                await self.session.get(SITE, **arguments)

    async def test_calls_of_a_closed_session_fail_as_ever(self):
        session = ClientSession()
        await session.close()
        with self.assertRaises(RuntimeError) as caught:
            await session.get(SITE)
        self.assertEqual(str(caught.exception), "Session is closed")
        self.assertEqual(self.mock.calls, [])

    async def test_aiohttp_request_is_answered_and_recorded(self):
        self.mock.get(SITE, body="answer")
        async with aiohttp.request("GET", SITE) as response:
            self.assertEqual(await response.text(), "answer")
        self.assertEqual(list(self.mock.requests), [("GET", URL(SITE))])

    async def test_many_requests_side_by_side_get_each_their_own_answer_and_are_recorded_in_order(self):
        def callback(url, **kwargs):
            return CallbackResult(body=f"called for {url.path}")

        async def coroutine_function(url, **kwargs):
            await asyncio.sleep(0)
            return callback(url)

        urls = [f"{SITE}{number}" for number in range(200)]
        expected = []
        for number, url in enumerate(urls):
            if number % 3:
                self.mock.get(url, callback=callback if number % 2 else coroutine_function)
                expected.append(f"called for /{number}")
            else:
                self.mock.get(url, body=f"answer {number}")
                expected.append(f"answer {number}")
        self.assertEqual(await asyncio.gather(*(text_of(self.session, url) for url in urls)), expected)
        self.assertEqual([call.url for call in self.mock.calls], urls)
        self.assertEqual(list(self.mock.requests), [("GET", URL(url)) for url in urls])


class TriedAgainTest(MockedTestCase):
    """aiohttp itself sends an idempotent request once more where the server hung up."""

    BODIES = (b"", b"body", b"x" * 2 ** 17, b"x" * (2 ** 22 + 1))

    async def test_after_an_exception_of_the_mock_it_is_shown_once(self):
        for method in ("GET", "PUT"):
            for body in self.BODIES:
                for exception in (ServerDisconnectedError(), aiohttp.ClientOSError(5, "Input/output error")):
                    with self.subTest(method, body=len(body), exception=exception):
                        self.mock.add(SITE, method, exception=exception)
                        with self.assertRaises(type(exception)), large_bodies_allowed():
                            await self.session.request(method, SITE, data=body, headers={"X-Id": "1"})
                        call = self.mock.calls[-1]
                        self.assertEqual(list(call.hops), [call])
                        self.assertTrue(call.body == body)
                        self.assertEqual(call.headers.getall("X-Id"), ["1"])
                        self.assertIn(call.headers.get("Content-Length", "0"), [str(len(body))])

    async def test_it_is_shown_once_to_who_looked_in_between(self):
        def callback(call):
            given.append(call)
            looked.append((call.body, call.headers["X-Id"]))

        for body in self.BODIES:
            given, looked = [], []
            self.mock.put(SITE, callback=callback, exception=ServerDisconnectedError())
            with self.assertRaises(ServerDisconnectedError), large_bodies_allowed():
                await self.session.put(SITE, data=body, headers={"X-Id": "1"})
            call = self.mock.calls[-1]
            # It is one request of the caller, and the mock is asked for it once.
            self.assertEqual(len(given), 1)
            self.assertIs(given[0], call)
            self.assertTrue(looked == [(body, "1")])
            self.assertTrue(call.body == body)

    async def test_after_a_fault_each_try_is_shown_once(self):
        for body in self.BODIES:
            with self.subTest(len(body)):
                first = self.mock.put(SITE, fault=Fault.CONNECTION_RESET)
                second = self.mock.put(SITE, body="second")
                with large_bodies_allowed():
                    outcome = await error_of(text_of(self.session, method="PUT", data=body))
                call = self.mock.calls[-1]
                tries = 2 if TRIES_AGAIN else 1
                self.assertEqual(outcome is None, tries == 2)
                self.assertEqual([first.call_count, second.call_count], [1, tries - 1])
                self.assertEqual([len(hop.body) for hop in call.hops], [len(body)] * tries)
                self.assertTrue(all(each.body == body for each in (call, *call.hops)))
                self.mock.clear()

    async def test_after_a_fault_without_another_mock_each_try_is_shown_once(self):
        for body in self.BODIES:
            with self.subTest(len(body)):
                match = self.mock.put(SITE, fault=Fault.EMPTY_RESPONSE)
                with self.assertRaises(ServerDisconnectedError), large_bodies_allowed():
                    await text_of(self.session, method="PUT", data=body)
                call = self.mock.calls[-1]
                self.assertEqual(match.call_count, 1)
                self.assertEqual([len(hop.body) for hop in call.hops], [len(body)] * (2 if TRIES_AGAIN else 1))


class LookedAtTest(MockedTestCase):
    """Whenever a call is looked at it is the same object, and shows what happened since."""

    def now(self, call):
        return (
            call.url, call.body, call.match_info, call.response and call.response.status, call.exception,
            call.ended is not None, [hop.url for hop in call.hops], str(call),
        )

    async def test_from_its_callback_and_afterwards(self):
        def callback(call):
            looked.append((call, self.now(call)))

        async def coroutine_function(call):
            await asyncio.sleep(0)
            callback(call)

        def of_url_and_arguments(url, **kwargs):
            callback(self.mock.calls[-1])

        for function in (callback, coroutine_function, of_url_and_arguments):
            with self.subTest(function.__name__):
                looked = []
                match = self.mock.post(f"{SITE}{{name}}", status=201, callback=function)
                await self.session.post(f"{SITE}ada", data=b"body")
                [(call, before)] = looked
                url, info = f"{SITE}ada", {"name": "ada"}
                self.assertEqual(before, (url, b"body", info, None, None, False, [url], f"POST {url} -> not ended"))
                self.assertEqual(self.now(call), (url, b"body", info, 201, None, True, [url], f"POST {url} -> 201"))
                self.assertIs(self.mock.calls[-1], call)
                self.assertIs(match.calls[0], call)
                self.assertIs(self.mock.requests["POST", URL(url)][-1], call)

    async def test_from_a_callback_that_raises(self):
        def callback(call):
            looked.append((call, self.now(call)))
            raise error

        looked, error = [], ValueError("wrong")
        self.mock.get(SITE, callback=callback)
        with self.assertRaises(ValueError):
            await self.session.get(SITE)
        [(call, before)] = looked
        self.assertEqual(before, (SITE, b"", {}, None, None, False, [SITE], f"GET {SITE} -> not ended"))
        self.assertEqual(
            self.now(call), (SITE, b"", {}, None, error, True, [SITE], f"GET {SITE} -> raised ValueError: wrong")
        )
        self.assertIs(self.mock.calls[0], call)

    async def test_from_the_callbacks_of_its_hops(self):
        def callback(call):
            looked.append((call, self.mock.calls[-1], str(self.mock.calls[-1])))

        looked = []
        first = self.mock.get(SITE, status=302, headers={"Location": "/there"}, callback=callback)
        second = self.mock.get(f"{SITE}there", callback=callback)
        await self.session.get(SITE)
        [call] = self.mock.calls
        self.assertEqual(
            [shown for _, _, shown in looked],
            [f"GET {SITE} -> not ended", f"GET {SITE} -> 302, GET {SITE}there -> not ended"],
        )
        self.assertEqual(str(call), f"GET {SITE} -> 302, GET {SITE}there -> 200")
        for _, looked_at, _ in looked:
            self.assertIs(looked_at, call)
        self.assertIs(looked[0][0], call)
        self.assertIs(looked[1][0], call.hops[1])
        self.assertIs(first.calls[0], call)
        self.assertIs(second.calls[0], call.hops[1])
        # They stay what they are, as well.
        self.assertEqual([id(hop) for hop in call.hops], [id(hop) for hop in call.hops])
        self.assertEqual([hop.response.status for hop in call.hops], [302, 200])

    async def test_from_a_condition_and_afterwards(self):
        def condition(call):
            looked.append((call, call.body, call.headers["X-Id"]))
            return True

        looked = []
        self.mock.post(SITE, match=condition)
        await self.session.post(SITE, data=b"body", headers={"X-Id": "1"})
        [(call, *before)] = looked
        self.assertEqual(before, [b"body", "1"])
        self.assertIs(self.mock.calls[0], call)
        self.assertEqual((call.body, call.headers["X-Id"], call.response.status), (b"body", "1", 200))

    async def test_one_that_is_refused_and_one_that_is_answered(self):
        await error_of(self.session.get(SITE))
        [call] = self.mock.calls
        self.assertEqual(str(call), f"GET {SITE} -> no mock answered")
        self.assertIs(self.mock.unmatched_calls[0], call)
        self.assertIs(self.mock.call_args, call)


class CopyTest(MockedTestCase):
    """Copies are records: they show what was requested, and not who took part in it."""

    COPY = (copy.copy, copy.deepcopy, lambda call: pickle.loads(pickle.dumps(call)))

    def shown(self, call):
        return (
            call.method, call.url, call.key, call.args, call.kwargs, call.body, list(call.headers.items()),
            dict(call.match_info), call.started, call.ended, call.order, call.unmatched, dict(call.query),
        )

    def check(self, call):
        for make in self.COPY:
            with self.subTest(make):
                copied = make(call)
                self.assertEqual(copied, call)
                self.assertIsInstance(copied, RequestCall)
                self.assertEqual(self.shown(copied), self.shown(call))
                self.assertEqual((copied.response, copied.exception, copied.match), (None, None, None))
                self.assertEqual(list(copied.hops), [copied])
                # Copies can be copied.
                self.assertEqual(self.shown(make(copied)), self.shown(call))

    async def test_of_one_with_hops(self):
        self.mock.post(f"{SITE}a", status=307, headers={"Location": "/b"})
        self.mock.post(f"{SITE}b", status=303, headers={"Location": "/c?d=1"})
        self.mock.get(f"{SITE}c?d=1")
        await self.session.post(f"{SITE}a", json={"names": ["Ada"]})
        [call] = self.mock.calls
        self.assertEqual(len(call.hops), 3)
        for each in (call, *call.hops):
            self.check(each)

    async def test_of_one_with_match_info(self):
        self.mock.get(f"{SITE}users/{{name}}")
        self.mock.get(re.compile("http://example.com/(?P<kind>[a-z]+)/x"))
        await self.session.get(f"{SITE}users/ada")
        await self.session.get(f"{SITE}orders/x")
        self.assertEqual([call.match_info for call in self.mock.calls], [{"name": "ada"}, {"kind": "orders"}])
        for call in self.mock.calls:
            self.check(call)

    async def test_of_one_whose_arguments_nobody_has_looked_at(self):
        given = {"names": ["Ada", {"born": 1815}], "none": None}
        self.mock.post(f"{SITE}?a=1")
        await self.session.post(SITE, json=given, params={"a": "1"}, headers={"X-Id": "1"}, timeout=5)
        match = self.mock.post(f"{SITE}hop", status=307, headers={"Location": "/hop2"})
        self.mock.post(f"{SITE}hop2")
        await self.session.post(f"{SITE}hop", json=given)
        # By way of the hop, so that its call itself has not been looked at.
        copied = copy.deepcopy(match.calls[0].hops[1])
        self.assertEqual(copied.kwargs, {"allow_redirects": True, "json": given, "data": None})
        for call in self.mock.calls:
            self.assertEqual(call.kwargs["json"], given)
            self.check(call)

    async def test_of_all_there_are(self):
        self.mock.post(SITE, repeat=True)
        for number in range(3):
            await self.session.post(SITE, json={"number": [number]})
        for make in self.COPY:
            copied = make(self.mock.requests)
            self.assertEqual(copied, self.mock.requests)
            self.assertEqual(
                [call.json() for calls in copied.values() for call in calls], [{"number": [n]} for n in range(3)]
            )

    async def test_a_deep_copy_and_a_pickle_share_nothing_with_the_call(self):
        self.mock.post(SITE)
        await self.session.post(SITE, json={"names": ["Ada"]}, headers={"X-Id": "1"})
        [call] = self.mock.calls
        for make in self.COPY[1:]:
            copied = make(call)
            copied.kwargs["json"]["names"].append("Grace")
            copied.kwargs["headers"]["X-Id"] = "2"
        self.assertEqual((call.kwargs["json"], call.kwargs["headers"]), ({"names": ["Ada"]}, {"X-Id": "1"}))

    async def test_of_one_that_is_on_its_way(self):
        def callback(call):
            copies.extend(make(call) for make in self.COPY)

        copies = []
        self.mock.post(SITE, callback=callback)
        await self.session.post(SITE, json=[1])
        for copied in copies:
            self.assertEqual((copied.json(), copied.ended, copied.response), ([1], None, None))
            self.assertEqual(copied, self.mock.calls[0])


class ArgumentsTest(MockedTestCase):
    """The arguments of a call are as they were given, of the same types, whatever happens to them later."""

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.mock.post(SITE, repeat=True)

    async def recorded(self, **arguments):
        await self.session.post(SITE, **arguments)
        kwargs = dict(self.mock.calls[-1].kwargs)
        self.assertEqual([kwargs.pop("allow_redirects"), kwargs.pop("data", None)], [True, arguments.get("data")])
        return kwargs

    def with_types(self, value):
        if isinstance(value, dict):
            items = [(self.with_types(key), self.with_types(item)) for key, item in value.items()]
            return type(value), items
        if isinstance(value, (list, tuple)):
            return type(value), [self.with_types(item) for item in value]
        return type(value), value

    async def test_of_builtin_types(self):
        given = {
            "text": "ä", "int": 2 ** 70, "float": -0.0, "bool": True, "none": None, "list": [1, [2, [3]]],
            "dict": {"b": 1, "a": {"c": [None, False, 1.5]}}, "tuple": (1, (2,)), 1: "key", "empty": [{}, [], ""],
            "long": "x" * 2 ** 16,
        }
        self.assertEqual(self.with_types(await self.recorded(json=given)), self.with_types({"json": given}))

    async def test_of_types_that_compare_equal_to_builtin_ones(self):
        class Text(str):
            pass

        class Bytes(bytes):
            pass

        class Own(dict):
            pass

        class Names(list):
            pass

        session = ClientSession(json_serialize=lambda value: "{}")
        self.addAsyncCleanup(session.close)
        self.session = session
        for value in (
            Text("text"), Bytes(b"bytes"), Own(a=1), Names([1]), bytearray(b"array"), collections.OrderedDict(a=1),
            decimal.Decimal("1.50"), http.HTTPStatus.OK, frozenset({1}), {1, 2}, b"bytes", 1j, ..., True,
        ):
            for given in ([value], {"key": value}, {"key": [{"key": value}]}, value):
                with self.subTest(given=given):
                    self.assertEqual(
                        self.with_types(await self.recorded(json=given)), self.with_types({"json": given})
                    )

    async def test_a_buffer_is_no_bytes(self):
        numbers = array.array("i", [1, 2, 3])
        session = ClientSession(json_serialize=lambda value: "{}")
        self.addAsyncCleanup(session.close)
        self.session = session
        self.assertEqual(await self.recorded(json={"numbers": numbers}), {"json": {"numbers": numbers}})

    async def test_what_equals_itself_alone_equals_what_was_given(self):
        for given in ([math.nan], {"key": math.nan}, {"key": [1, {"key": math.nan}]}):
            with self.subTest(given=given):
                self.assertEqual(await self.recorded(json=given), {"json": given})
                self.mock.assert_any_call(SITE, "POST", json=given)

    async def test_what_stands_in_it_twice(self):
        shared = ["shared"]
        kwargs = await self.recorded(json={"a": shared, "b": [shared]})
        self.assertEqual(kwargs, {"json": {"a": ["shared"], "b": [["shared"]]}})
        self.assertIsNot(kwargs["json"]["a"], shared)

    async def test_what_contains_itself(self):
        given = {"name": "Ada"}
        given["self"] = given
        session = ClientSession(json_serialize=lambda value: "{}")
        self.addAsyncCleanup(session.close)
        self.session = session
        kwargs = await self.recorded(json=given)
        self.assertIs(kwargs["json"]["self"], kwargs["json"])
        self.assertEqual(kwargs["json"]["name"], "Ada")

    async def test_what_is_nested_deeply(self):
        given = []
        for _ in range(400):
            given = [given]
        self.assertEqual(await self.recorded(json=given), {"json": given})

    async def test_what_happens_to_them_later_does_not_show_whenever_they_are_looked_at(self):
        for look_before in (False, True):
            given = {"names": ["Ada"], "by": {"id": [1]}}
            params, cookies = {"a": "1"}, {"c": "1"}
            self.mock.post(f"{SITE}?a=1")
            await self.session.post(SITE, json=given, params=params, cookies=cookies)
            if look_before:
                self.mock.calls
            given["names"].append("Grace")
            given["by"]["id"][0] = 2
            del given["by"]
            params["a"] = cookies["c"] = "2"
            kwargs = self.mock.calls[-1].kwargs
            self.assertEqual(
                kwargs,
                {
                    "allow_redirects": True, "data": None, "json": {"names": ["Ada"], "by": {"id": [1]}},
                    "params": {"a": "1"}, "cookies": {"c": "1"},
                },
            )
            self.mock.requests = {}

    async def test_what_happens_in_the_callback_does_not_show(self):
        def callback(url, **kwargs):
            kwargs["json"]["names"].append("Grace")
            kwargs["more"] = 1

        self.mock.put(SITE, callback=callback)
        given = {"names": ["Ada"]}
        await self.session.put(SITE, json=given)
        self.assertEqual(given, {"names": ["Ada", "Grace"]})
        self.assertEqual(
            self.mock.calls[0].kwargs, {"allow_redirects": True, "data": None, "json": {"names": ["Ada"]}}
        )

    async def test_a_change_of_what_was_looked_at_stays(self):
        await self.session.post(SITE, json={"names": ["Ada"]})
        self.mock.calls[0].kwargs["json"]["names"].append("Grace")
        self.assertEqual(self.mock.calls[0].kwargs["json"], {"names": ["Ada", "Grace"]})

    def held(self, call, size):
        """Return which bytes and texts a call holds on to that have about the size of a large argument."""
        found, left = {}, [call]
        while left:
            one = left.pop()
            if id(one) not in found and not isinstance(one, (type, types.ModuleType, types.FunctionType)):
                found[id(one)] = one
                left.extend(gc.get_referents(one))
        return sorted(
            type(one).__name__
            for one in found.values()
            if isinstance(one, (str, bytes)) and size <= len(one) < size + 1000
        )

    async def test_a_large_one_is_held_once_after_it_was_looked_at(self):
        size = 2 ** 20
        async with ClientSession() as session:
            with large_bodies_allowed():
                await text_of(session, method="POST", json={"text": "x" * size})
        [call] = self.mock.calls
        self.assertEqual(call.kwargs["json"], {"text": "x" * size})
        # What was given, as a copy, and what was sent.
        self.assertEqual(self.held(call, size), ["bytes", "str"])

    async def test_a_large_one_of_a_call_with_hops_is_held_once_after_they_were_looked_at(self):
        size = 2 ** 20
        self.mock.post(f"{SITE}a", status=307, headers={"Location": "/b"})
        self.mock.post(f"{SITE}b")
        async with ClientSession() as session:
            with large_bodies_allowed():
                await text_of(session, f"{SITE}a", "POST", json={"text": "x" * size})
        [call] = self.mock.calls
        for each in (call, *call.hops):
            self.assertEqual(each.kwargs["json"], {"text": "x" * size})
        # How often it is held as bytes depends on what aiohttp sends once more.
        self.assertEqual(self.held(call, size).count("str"), 1)
