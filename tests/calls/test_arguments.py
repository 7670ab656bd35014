"""The arguments of a call are recorded as they were given, whatever happens to them later."""

import array
import collections
import decimal
import gc
import http
import math
import re
import threading
import types
import warnings

import aiohttp
from aiohttp import ClientConnectionError, ClientSession, web
from multidict import CIMultiDict
from yarl import URL

from ..servers import ServerTestCase
from ..support import SITE, MockedTestCase, large_bodies_allowed, needs_basic_auth, recorded, text_of


class RecordedArgumentsTest(MockedTestCase):
    async def test_allow_redirects_is_always_among_the_arguments(self):
        for method in ("GET", "POST", "HEAD"):
            self.mock.add(SITE, method, repeat=True)
        await self.session.get(SITE)
        await self.session.get(SITE, allow_redirects=False)
        await self.session.head(SITE)
        await self.session.request("GET", SITE)
        self.assertEqual(
            recorded(self.mock),
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
            recorded(self.mock),
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

    async def test_later_changes_to_the_arguments_do_not_show(self):
        self.mock.post(SITE)
        given = {"names": ["Ada"]}
        headers = {"A": "1"}
        await text_of(self.session, method="POST", json=given, headers=headers)
        given["names"].append("Grace")
        headers["A"] = "2"
        self.assertEqual(
            recorded(self.mock),
            {
                ("POST", URL(SITE)): [
                    {"allow_redirects": True, "json": {"names": ["Ada"]}, "headers": {"A": "1"}, "data": None}
                ]
            },
        )

    async def test_the_client_gets_the_arguments_themselves_and_not_a_copy(self):
        class Names(list):
            def __deepcopy__(self, memo):
                return copied

        copied = Names(["a copy"])
        self.mock.post(SITE)
        await text_of(self.session, method="POST", json=Names(["Ada"]))
        self.assertEqual(self.mock.calls[0].json(), ["Ada"])
        self.assertIs(self.mock.calls[0].kwargs["json"], copied)

    async def test_an_argument_that_cannot_be_copied_is_kept_as_it_is(self):
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

    async def test_an_argument_that_contains_itself_and_cannot_be_copied_is_kept_as_it_is(self):
        context = {"lock": threading.Lock()}
        context["self"] = context
        nested = []
        for _ in range(1_000_000):  # Some releases of Python pack a hundred thousand of them.
            nested = [nested]
        self.mock.get(SITE, repeat=True)
        for value in (context, nested):
            await text_of(self.session, trace_request_ctx=value)
            # No assertIs: its message would show all of them.
            self.assertTrue(self.mock.calls[-1].kwargs["trace_request_ctx"] is value)

    async def test_what_was_sent_of_an_asynchronous_iterable_is_recorded(self):
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


class CopiedArgumentsTest(MockedTestCase):
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

    async def test_builtin_types_stay_what_they_are(self):
        given = {
            "text": "ä", "int": 2 ** 70, "float": -0.0, "bool": True, "none": None, "list": [1, [2, [3]]],
            "dict": {"b": 1, "a": {"c": [None, False, 1.5]}}, "tuple": (1, (2,)), 1: "key", "empty": [{}, [], ""],
            "long": "x" * 2 ** 16,
        }
        self.assertEqual(self.with_types(await self.recorded(json=given)), self.with_types({"json": given}))

    async def test_types_that_compare_equal_to_builtin_ones_stay_what_they_are(self):
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

    async def test_a_buffer_stays_a_buffer(self):
        numbers = array.array("i", [1, 2, 3])
        session = ClientSession(json_serialize=lambda value: "{}")
        self.addAsyncCleanup(session.close)
        self.session = session
        self.assertEqual(await self.recorded(json={"numbers": numbers}), {"json": {"numbers": numbers}})

    async def test_a_nan_equals_the_one_that_was_given(self):
        for given in ([math.nan], {"key": math.nan}, {"key": [1, {"key": math.nan}]}):
            with self.subTest(given=given):
                self.assertEqual(await self.recorded(json=given), {"json": given})
                self.mock.assert_any_call(SITE, "POST", json=given)

    async def test_a_value_that_occurs_twice(self):
        shared = ["shared"]
        kwargs = await self.recorded(json={"a": shared, "b": [shared]})
        self.assertEqual(kwargs, {"json": {"a": ["shared"], "b": [["shared"]]}})
        self.assertIsNot(kwargs["json"]["a"], shared)

    async def test_an_argument_that_contains_itself(self):
        given = {"name": "Ada"}
        given["self"] = given
        session = ClientSession(json_serialize=lambda value: "{}")
        self.addAsyncCleanup(session.close)
        self.session = session
        kwargs = await self.recorded(json=given)
        self.assertIs(kwargs["json"]["self"], kwargs["json"])
        self.assertEqual(kwargs["json"]["name"], "Ada")

    async def test_an_argument_that_is_nested_deeply(self):
        given = []
        for _ in range(400):
            given = [given]
        self.assertEqual(await self.recorded(json=given), {"json": given})

    async def test_later_changes_do_not_show_whenever_the_arguments_are_looked_at(self):
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

    async def test_changes_by_the_callback_do_not_show(self):
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

    async def test_a_change_to_recorded_arguments_stays(self):
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

    async def test_a_large_argument_is_held_once_after_it_was_looked_at(self):
        size = 2 ** 20
        async with ClientSession() as session:
            with large_bodies_allowed():
                await text_of(session, method="POST", json={"text": "x" * size})
        [call] = self.mock.calls
        self.assertEqual(call.kwargs["json"], {"text": "x" * size})
        # What was given, as a copy, and what was sent.
        self.assertEqual(self.held(call, size), ["bytes", "str"])

    async def test_a_large_argument_of_a_call_with_hops_is_held_once_after_they_were_looked_at(self):
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


@needs_basic_auth
class CredentialsTest(ServerTestCase):
    async def test_credentials_of_a_call_cause_no_more_warnings_than_with_a_real_server(self):
        url = await self.serve(web.get("/{path:.*}", answers))
        with warnings.catch_warnings():
            # aiohttp 3.14 deprecates it.
            warnings.simplefilter("ignore", DeprecationWarning)
            auth = aiohttp.BasicAuth("Ada", "pass")

        async def scenario():
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                async with ClientSession() as session:
                    await session.get(url, auth=auth, headers={"X-Id": "7"})
                    await session.get(url, proxy=url, proxy_auth=auth, params={"a": "1"})
            return [(warning.category, str(warning.message)) for warning in caught]

        def register(mock):
            mock.get(re.compile(""), repeat=True)

        await self.compare(scenario, register, what_came_in=False)


async def answers(request):
    return web.Response()
