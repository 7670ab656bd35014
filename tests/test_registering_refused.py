"""What will fail when a mock answers fails where it is registered: every argument, with values of every kind."""

import array
import asyncio
import collections
import datetime
import decimal
import enum
import http
import inspect
import io
import re
import tempfile
import threading
import unittest
import warnings
from http.cookies import CookieError, Morsel, SimpleCookie
from pathlib import Path
from unittest.mock import ANY

import aiohttp
from aiohttp import ClientSession, FormData, MultipartWriter
from aiohttp.payload import BytesPayload, StringPayload
from yarl import URL

from aioresponses import CallbackResult, Fault, ServerSentEvent, aioresponses
from aioresponses.matchers import subset

from .support import SITE, outcome_of

LINE = "a\r\nX-Injected: 1"


class Lying(str):
    """Text whose methods return another one, which adds a header to a reply."""

    def __str__(self):
        return LINE

    def __format__(self, spec):
        return LINE

    def encode(self, *args):
        return LINE.encode()

    lower = upper = strip = title = __str__


class Colour(str, enum.Enum):
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1


class NeedsArguments(Exception):
    def __init__(self, needed):
        pass


class LooksAtArguments(Exception):
    def __init__(self, *args):
        self.first = args[0]


class InheritsArguments(UnicodeDecodeError):
    pass


class MakesSomethingElse(Exception):
    def __new__(cls):
        return 5


class Asynchronous:
    async def __call__(self, *args, **kwargs):
        pass


async def coroutine_function(*args, **kwargs):
    pass


def generator_function(*args, **kwargs):
    yield "text"


async def asynchronous_generator_function(*args, **kwargs):
    yield "text"


def morsel(coded="1", **attributes):
    """Return a morsel; one without a name, which is refused as well, where Python itself refuses to make it."""
    made = Morsel()
    try:
        made.set("a", "1", coded)
        made.update(attributes)
    except CookieError:
        return Morsel()  # Since Python 3.14.10, for control characters.
    return made


class Unreadable(io.RawIOBase):
    """A file that is open for writing alone."""

    def writable(self):
        return True


def values():
    """Return new values of every kind, the ones right for this argument, the others for that or for none.

    What only shows later is not among them, such as what a function or an iterator returns.
    """
    closed = io.BytesIO(b"text")
    closed.close()
    write_only = io.BufferedWriter(Unreadable())
    within_itself = []
    within_itself.append(within_itself)
    return [
        None, True, False, 0, 1, -1, 99, 200, 1.5, -0.0, float("nan"), float("inf"), 10 ** 400, Number.ONE,
        http.HTTPStatus.OK, decimal.Decimal(1), datetime.timedelta(1),
        # Text and bytes.
        "", "text", "a b", "a\0b", "\n", LINE, "\ud800", Lying("text"), Colour.RED, b"", b"text",
        bytearray(b"text"), memoryview(b"text"), "{id}", SITE, SITE + "{id}{id}", SITE + "\ud800", SITE + "{id}\ud800",
        "http://*/", "http://*/{id}", "http://[::1", URL(SITE), re.compile("x"), re.compile(b"x"),
        # Lists, and what else there is to iterate over.
        [], (), set(), {1}, frozenset(), [1], (1,), [None], ["text"], [b"text"], ["\ud800"], [Lying("text")],
        within_itself, [("a", "b")], [("a", None)], [("a",)], [{}], [{"a": object()}], [{"a": "\ud800"}],
        [within_itself], collections.deque([1]), range(3), array.array("b", [1]), {"a": 1}.values(), {"a": 1}.items(),
        [ServerSentEvent("x")], [ServerSentEvent({"a": object()})], [ValueError], [NeedsArguments], [{"status": 99}],
        [{"payload": object()}], [{"exception": NeedsArguments}], [{}, {"body": "\ud800"}],
        [CallbackResult(payload=object())],
        # Mappings.
        {}, {"a": "1"}, {"a": 1}, {"a": None}, {"a": True}, {"a": b"1"}, {"a": [None]}, {"a": object()},
        {"a": "\ud800"}, {"a": LINE}, {"a": Lying("1")}, {"a": Colour.RED}, {"a": Number.ONE}, {1: "a"}, {b"a": "1"},
        {"": "1"}, {"a b": "1"}, {LINE: "1"}, {"\ud800": "1"}, {Lying("a"): "1"}, {"path": "1"},
        {"Content-Type": "\ud800"},
        {"a": morsel(path=LINE)}, {"a": morsel(domain=LINE)}, {"a": morsel(expires=LINE)}, {"a": morsel(coded=LINE)},
        {"a": morsel(path="\ud800")}, {"a": morsel(coded="\ud800")}, {"a": morsel(comment=Lying("x"))}, {"b": morsel()},
        {"a": Morsel()}, SimpleCookie({"a": "1"}), subset({"a": None}), subset({"a": "1"}),
        # Exceptions.
        ValueError("wrong"), ValueError, asyncio.TimeoutError, aiohttp.ServerDisconnectedError, UnicodeDecodeError,
        aiohttp.ClientResponseError, aiohttp.ClientConnectorError, InheritsArguments, NeedsArguments, LooksAtArguments,
        MakesSomethingElse, StopIteration, StopIteration(),
        # Functions.
        lambda one, two: None, lambda *, name: None, lambda url, json: None, lambda url, unknown, *, name, **kwargs: 0,
        lambda call, other: None, coroutine_function, Asynchronous(),
        # Everything else.
        closed, write_only, io.TextIOWrapper(write_only), io.BytesIO(b"text"), object(), ANY, threading.Lock(),
        Fault.CONNECTION_RESET, ServerSentEvent("x"), CallbackResult(), aiohttp.ClientResponse,
        MultipartWriter("mixed", boundary="a"), FormData({"a": "1"}), BytesPayload(b"text"),
        StringPayload("text", content_type=LINE),
    ]


def refusal(function, *args, **kwargs):
    """Return class and text of what is raised where something cannot be registered, without addresses in memory."""
    try:
        function(*args, **kwargs)
    except (TypeError, ValueError) as error:
        return type(error), re.sub("0x[0-9a-f]+", "0x…", str(error))
    return None


async def asked(mock):
    """Return what a request comes to; the headers that nobody registered, if there are any."""
    with mock:
        async with ClientSession() as session:
            outcome = await outcome_of(session)
            call = mock.calls[-1]
    if call.response is not None and any("X-Injected" in header for header in call.response.headers.items()):
        return "injected", call.response.headers
    return outcome


class EveryArgumentTest(unittest.IsolatedAsyncioTestCase):
    maxDiff = None

    REPLY = set(inspect.signature(CallbackResult).parameters) - {"method"} | {
        "exception", "timeout", "callback", "handler",
    }
    OTHERS = {"url", "method", "repeat", "optional", "replies", "override", "passthrough"}
    CONDITIONS = {"match", "match_query", "match_headers", "match_json", "match_form", "match_body"}

    def setUp(self):
        # Of timeouts that are no bool, and of files that are not closed.
        self.enter(warnings.catch_warnings())
        warnings.simplefilter("ignore")

    def enter(self, context):
        self.addCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    def test_all_arguments_are_looked_at(self):
        self.assertEqual(
            set(inspect.signature(aioresponses.add).parameters) - {"self"}, self.REPLY | self.OTHERS | self.CONDITIONS
        )

    async def late(self, name, value):
        """Return what an argument comes to if it is taken and fails later; None if all is well."""
        mock = aioresponses()
        try:
            mock.add(**{"url": SITE, name: value})
        except (TypeError, ValueError) as error:
            # Whoever reads it must see what is meant.
            wanted = rf"{name}(\[\d\])?:|the query in url and {name} "
            return None if re.match(wanted, str(error)) else f"no name: {error}"
        # The last one would ask the network.
        if name == "delay" and value or name == "fault" or name == "passthrough":
            return None
        raised, text = await asked(mock)
        if isinstance(raised, int) or issubclass(raised, (aiohttp.ClientError, asyncio.TimeoutError)):
            return None
        if name == "handler" and raised is TypeError:
            return None  # What a coroutine function returns is not known before it is called.
        if name == "exception" and raised in (value, type(value)) or name == "replies" and raised in value:
            return None
        return f"{raised}: {text}"

    async def test_fails_where_it_is_registered_by_its_name(self):
        for name in sorted(self.REPLY | self.OTHERS | self.CONDITIONS):
            for value in values():
                # In ASCII, for pytest-xdist sends it to another process, and lone surrogates cannot be sent.
                with self.subTest(name, value=ascii(value)):
                    self.assertIsNone(await self.late(name, value))

    async def test_what_fails_later_would_be_found(self):
        for name, value in [
            ("body", iter([1])), ("body", lambda: 1), ("events", iter([1])), ("payload", lambda: {1}),
            ("callback", lambda call: 1), ("match", lambda call: {}[1]),
        ]:
            with self.subTest(name):
                self.assertIsNotNone(await self.late(name, value))

    def test_wrong_arguments_in_replies_in_a_group_and_in_a_callback_result(self):
        of_result = inspect.signature(CallbackResult).parameters
        for name in sorted(self.REPLY):
            for one, other, another, last in zip(values(), values(), values(), values()):
                with self.subTest(name, value=ascii(one)):
                    expected = refusal(aioresponses().get, SITE, **{name: one})
                    group = aioresponses().host("http://example.com")
                    self.assertEqual(refusal(group.get, "/", **{name: other}), expected)
                    in_replies = None if expected is None else (expected[0], f"replies[1]: {expected[1]}")
                    self.assertEqual(
                        refusal(aioresponses().get, SITE, replies=[{}, {name: another}]), in_replies
                    )
                    # What serialises it is known to the mock alone.
                    if name in of_result and "json can serialise" not in str(expected):
                        self.assertEqual(refusal(CallbackResult, **{name: last}), expected)

    def test_nothing_is_registered_that_is_refused(self):
        mock = aioresponses()
        refused = [refusal(mock.get, SITE, **{name: value}) for name in self.REPLY for value in values()]
        self.assertEqual(len(mock._matches), refused.count(None))


class FlagsTest(unittest.TestCase):
    def test_flags_of_the_mock_object(self):
        for name in ("passthrough_unmatched", "assert_all_called", "assert_all_mocked", "strict"):
            for value in (None, 0, 1, "no", "", []):
                with self.subTest(name, value=value):
                    expected = TypeError, f"{name}: expected a bool, got {value!r}"
                    self.assertEqual(refusal(aioresponses, **{name: value}), expected)
                    if name == "passthrough_unmatched":
                        self.assertEqual(refusal(setattr, aioresponses(), name, value), expected)

    def test_optional(self):
        for value in (None, 1, "x"):
            expected = TypeError, f"optional: expected a bool, got {value!r}"
            self.assertEqual(refusal(aioresponses().get, SITE, optional=value), expected)

    def test_a_parameter_is_named_by_text(self):
        for value in (5, b"mock", ["mock"]):
            self.assertEqual(refusal(aioresponses, value), (TypeError, f"param: expected a name, got {value!r}"))


class ResponseClassTest(unittest.IsolatedAsyncioTestCase):
    @unittest.skipUnless(
        "request_info" in inspect.signature(aiohttp.ClientResponse).parameters,
        "responses of aiohttp 4 take other keywords",
    )
    async def test_one_that_was_made_for_an_older_aiohttp_is_taken_if_it_can_be_called(self):
        class Older(aiohttp.ClientResponse):
            def __init__(self, method, url, *, writer, continue100, timer, request_info, traces, loop, session):
                given = {name: value for name, value in locals().items() if name not in ("self", "__class__")}
                # Releases since then want one, and get their own.
                made_up = {"stream_writer": None} if "stream_writer" in self.wanted else {}
                super().__init__(given.pop("method"), given.pop("url"), **given, **made_up)

            wanted = inspect.signature(aiohttp.ClientResponse).parameters

        class Wanting(aiohttp.ClientResponse):
            def __init__(self, method, url, colour, **kwargs):
                raise NotImplementedError

        mock = aioresponses()
        mock.get(SITE, response_class=Older, body="text")
        self.assertEqual(await asked(mock), (200, "text"))
        self.assertIs(type(mock.calls[0].response), Older)
        self.assertEqual(
            refusal(mock.get, SITE, response_class=Wanting),
            (
                TypeError,
                "response_class: expected a class that takes the arguments of aiohttp.ClientResponse, got "
                f"{Wanting!r}: missing a required argument: 'colour'",
            ),
        )


class EventsTest(unittest.TestCase):
    def test_fields_that_cannot_be_sent(self):
        surrogate = "expected text without surrogates, which UTF-8 cannot encode, got '\\ud800' at index 1"
        line = f"expected a str without CR, LF or NUL, got {LINE!r}"
        for arguments, message in [
            ({"data": "a\ud800"}, f"data: {surrogate}"),
            ({"event": "a\ud800"}, f"event: {surrogate}"),
            ({"id": "a\ud800"}, f"id: {surrogate}"),
            ({"event": LINE}, f"event: {line}"),
            ({"id": LINE}, f"id: {line}"),
        ]:
            with self.subTest(**arguments):
                self.assertEqual(refusal(ServerSentEvent, **arguments), (ValueError, message))

    def test_text_is_taken_as_it_is_stored(self):
        event = ServerSentEvent(Lying("data"), Lying("event"), Lying("id"))
        self.assertEqual([(type(field), field) for field in (event.data, event.event, event.id)], [
            (str, "data"), (str, "event"), (str, "id"),
        ])

    def test_events_that_cannot_be_serialised(self):
        for events, message in [
            ([{"a": {1}}], "events: expected a value that json can serialise, got {'a': {1}}: "
             "Object of type set is not JSON serializable"),
            (["x", ServerSentEvent({"a": {1}})], "events: expected a value that json can serialise, got {'a': {1}}: "
             "Object of type set is not JSON serializable"),
        ]:
            self.assertEqual(refusal(aioresponses().get, SITE, events=events), (TypeError, message))
            self.assertEqual(
                refusal(aioresponses().get, SITE, replies=[{"events": events}]), (TypeError, f"replies[0]: {message}")
            )

    def test_events_are_serialised_as_the_mock_does_it(self):
        self.assertIsNone(refusal(aioresponses(json_dumps=repr).get, SITE, events=[{"a": {1}}]))
        self.assertEqual(
            refusal(aioresponses(json_dumps=lambda value: "\ud800").get, SITE, events=[{}])[0], ValueError
        )


class MessagesTest(unittest.TestCase):
    """What is said of values that were refused later, if ever, before."""

    maxDiff = None

    def test_the_message_of_each_wrong_argument(self):
        closed = io.BytesIO()
        closed.close()
        surrogate = "expected text without surrogates, which UTF-8 cannot encode, got '\\ud800' at index 1"
        line = "expected a str without CR, LF or NUL, got"
        needs = (
            "exception: expected an exception, or a class that can be called without arguments, got {!r}; "
            "pass an instance"
        )

        async def later(call):
            raise NotImplementedError

        def generates(call):
            yield

        with tempfile.TemporaryDirectory() as directory, open(Path(directory) / "file", "w") as write_only:
            for arguments, error, message in [
                ({"exception": aiohttp.ClientResponseError}, TypeError, needs.format(aiohttp.ClientResponseError)),
                ({"exception": UnicodeDecodeError}, TypeError, needs.format(UnicodeDecodeError)),
                ({"exception": LooksAtArguments}, TypeError, needs.format(LooksAtArguments)),
                (
                    {"exception": MakesSomethingElse}, TypeError,
                    f"exception: expected an exception or a class of exceptions, got {MakesSomethingElse!r}",
                ),
                (
                    {"exception": StopIteration}, TypeError,
                    f"exception: expected an exception that a coroutine can raise, got {StopIteration!r}; Python "
                    "does not allow it",
                ),
                (
                    {"body": closed}, ValueError,
                    f"body: expected an open file, got a closed one: {closed!r}",
                ),
                (
                    {"body": write_only}, ValueError,
                    f"body: expected a readable file, got one that is open only for writing: {write_only!r}",
                ),
                ({"body": "a\ud800"}, ValueError, f"body: {surrogate}"),
                ({"body": ["x", "a\ud800"]}, ValueError, f"body: {surrogate}"),
                ({"body": range(3)}, TypeError, "body: expected a list of str or bytes, got one that contains 0"),
                (
                    {"body": lambda call, other: ""}, TypeError,
                    "body: expected a function that takes the call, or no argument, got <function>: "
                    "missing a required argument: 'other'",
                ),
                (
                    {"body": ValueError}, TypeError,
                    f"body: expected a function, got an exception class: {ValueError!r}; to raise it, "
                    "use exception=",
                ),
                (
                    {"payload": later}, TypeError,
                    "payload: expected a plain function, got a coroutine function: <function>",
                ),
                (
                    {"payload": generates}, TypeError,
                    "payload: expected a function that returns a value, got a generator function: <function>",
                ),
                ({"reason": "a\ud800"}, ValueError, f"reason: {surrogate}"),
                ({"content_type": "a\ud800"}, ValueError, f"content_type: {surrogate}"),
                ({"headers": {"X-A": "a\ud800"}}, ValueError, f"headers: X-A: {surrogate}"),
                *[
                    ({"cookies": {"a": made}}, ValueError, f"cookies: a: {line} {written}")
                    for made, written in (
                        (morsel(path="/\r\nX: 1"), r"'a=1; Path=/\r\nX: 1'"),
                        (morsel(coded="1\r\nX: 1"), r"'a=1\r\nX: 1'"),
                    )
                    if made.key is not None
                ],
                (
                    {"response_class": dict}, TypeError,
                    f"response_class: expected a subclass of aiohttp.ClientResponse, got {dict!r}",
                ),
                (
                    {"response_class": lambda method, url: None}, TypeError,
                    "response_class: expected a class that takes the arguments of aiohttp.ClientResponse, got "
                    "<function>: got an unexpected keyword argument 'writer'",
                ),
                ({"delay": 10 ** 310}, ValueError, f"delay: expected seconds, 0 or more, got {10 ** 310}"),
                (
                    {"match_headers": {"X-A": None}}, TypeError,
                    "match_headers: expected text or numbers, got None for 'X-A'; to require its absence, use ABSENT",
                ),
                (
                    {"match_headers": {"Authorization": b"secret"}}, TypeError,
                    "match_headers: expected text or numbers, got bytes for 'Authorization'",
                ),
                (
                    {"match_headers": {"X-A:": "1"}}, ValueError,
                    "match_headers: expected names that are HTTP tokens, got 'X-A:'",
                ),
                (
                    {"match_form": {"a": ["1", True]}}, TypeError,
                    "match_form: expected text or numbers, got True for 'a'",
                ),
                (
                    {"match_query": subset({"a": None})}, TypeError,
                    "match_query: expected text or numbers, got None for 'a'; to require its absence, use ABSENT",
                ),
                (
                    {"match": lambda: True}, TypeError,
                    "match: expected a function that takes the call, or a list of them, got <function>: too many "
                    "positional arguments",
                ),
                (
                    {"match": [generates]}, TypeError,
                    "match: expected a function that returns True or False, got a generator function: <function>",
                ),
            ]:
                with self.subTest(**arguments):
                    raised, text_of_error = refusal(aioresponses().get, SITE, **arguments)
                    self.assertEqual(
                        (raised, re.sub(r"<function .*? at 0x…>", "<function>", text_of_error)),
                        (error, re.sub("0x[0-9a-f]+", "0x…", message)),
                    )

    def test_a_host_that_is_a_star(self):
        message = (
            "url: expected a URL, got 'http://*/x': the host of a template may have a leading *. and no other "
            "placeholder; for any host, pass a compiled pattern"
        )
        self.assertEqual(refusal(aioresponses().get, "http://*/x"), (ValueError, message))
        self.assertEqual(refusal(aioresponses().host, "http://*/x"), (ValueError, message))
        self.assertIsNone(refusal(aioresponses().get, re.compile("http://[^/]+/x")))
