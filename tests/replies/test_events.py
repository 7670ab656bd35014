"""Server-sent events, held against a real server that sends them by hand."""

import asyncio
import json
import unittest

from aiohttp import ClientSession, web

from aioresponses import AioResponsesTestCase, CallbackResult, ServerSentEvent, aioresponses

from ..servers import ServerTestCase, seen
from ..support import SITE, error_of

EVENTS = "an iterable or async iterable of text, dicts or ServerSentEvent, or a generator function"


def parsed(stream):
    """Read a stream as the HTML standard says: return event, data, last event ID of each, and the last `retry`."""
    events, data, event, last_id, retry = [], [], "", "", None
    for line in stream.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]:
        name, colon, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if not line:
            if data:
                events.append((event or "message", "\n".join(data), last_id))
            data, event = [], ""
        elif name == "data":
            data.append(value)
        elif name == "event":
            event = value
        elif name == "id":
            last_id = value
        elif name == "retry":
            retry = int(value)
    return events, retry


class EncodedEventTest(AioResponsesTestCase):
    async def encoded(self, *events):
        """Return events as they go over the wire."""
        self.mock.get(SITE, events=events)
        async with self.client_session().get(SITE) as response:
            return await response.read()

    async def test_lines_and_fields_of_an_event(self):
        for event, encoded in (
            ("hello", b"data: hello\n\n"),
            ("", b"data: \n\n"),
            ("grün", "data: grün\n\n".encode()),
            (" two\nlines ", b"data:  two\ndata: lines \n\n"),
            ("a\r\nb\rc\n", b"data: a\ndata: b\ndata: c\ndata: \n\n"),
            # These end lines for Python, but not for the standard.
            ("a\x0bb\x0cc\x1cd\x85e\u2028f", "data: a\x0bb\x0cc\x1cd\x85e\u2028f\n\n".encode()),
            ({}, b"data: {}\n\n"),
            ({"a": [1, "x\ny"]}, b'data: {"a": [1, "x\\ny"]}\n\n'),
            (ServerSentEvent(), b"\n"),
            (ServerSentEvent("a"), b"data: a\n\n"),
            (ServerSentEvent(""), b"data: \n\n"),
            (ServerSentEvent({"a": 1}), b'data: {"a": 1}\n\n'),
            (ServerSentEvent(event="ping"), b"event: ping\n\n"),
            (ServerSentEvent(id="7"), b"id: 7\n\n"),
            (ServerSentEvent(id=""), b"id: \n\n"),
            (ServerSentEvent(retry=0), b"retry: 0\n\n"),
            (
                ServerSentEvent("a\nb", "update", "7", 1500),
                b"event: update\nid: 7\nretry: 1500\ndata: a\ndata: b\n\n",
            ),
        ):
            with self.subTest(event):
                self.assertEqual(await self.encoded(event), encoded)

    async def test_a_reader_that_goes_by_the_standard_reads_what_was_given(self):
        given = [
            "plain", " led by a space", "", "many\nlines\n", {"a": {"b": None}}, ServerSentEvent("x", "named", "1"),
            ServerSentEvent("of the same id"), ServerSentEvent("y", id="", retry=10),
        ]
        self.assertEqual(
            parsed((await self.encoded(*given)).decode()),
            (
                [
                    ("message", "plain", ""),
                    ("message", " led by a space", ""),
                    ("message", "", ""),
                    ("message", "many\nlines\n", ""),
                    ("message", '{"a": {"b": null}}', ""),
                    ("named", "x", "1"),
                    ("message", "of the same id", "1"),
                    ("message", "y", ""),
                ],
                10,
            ),
        )

    async def test_what_a_serialiser_returns_may_be_text_or_bytes_of_many_lines(self):
        self.mock.json_dumps = lambda data: f"<{data}>"
        self.assertEqual(await self.encoded({"a": 1}), b"data: <{'a': 1}>\n\n")
        self.mock.json_dumps = lambda data: b"bytes\nof lines"
        self.assertEqual(await self.encoded(ServerSentEvent({"a": 1})), b"data: bytes\ndata: of lines\n\n")

    def test_the_repr_of_an_event_shows_what_was_given(self):
        self.assertEqual(
            [repr(event) for event in (ServerSentEvent(), ServerSentEvent({"a": 1}, "e", "1", 5), ServerSentEvent(""))],
            [
                "ServerSentEvent()",
                "ServerSentEvent(data={'a': 1}, event='e', id='1', retry=5)",
                "ServerSentEvent(data='')",
            ],
        )

    def test_an_event_that_cannot_be_sent_is_refused(self):
        for kwargs, error, message in (
            ({"data": 5}, TypeError, "data: expected text or a dict, got 5"),
            ({"data": b"bytes"}, TypeError, "data: expected text or a dict, got b'bytes'"),
            ({"data": ["a"]}, TypeError, "data: expected text or a dict, got ['a']"),
            ({"event": 5}, TypeError, "event: expected a str, got 5"),
            ({"id": 5}, TypeError, "id: expected a str, got 5"),
            ({"event": "a\nb"}, ValueError, "event: expected a str without CR, LF or NUL, got 'a\\nb'"),
            ({"id": "a\rb"}, ValueError, "id: expected a str without CR, LF or NUL, got 'a\\rb'"),
            ({"id": "a\0b"}, ValueError, "id: expected a str without CR, LF or NUL, got 'a\\x00b'"),
            ({"retry": 1.5}, TypeError, "retry: expected an int of milliseconds, got 1.5"),
            ({"retry": True}, TypeError, "retry: expected an int of milliseconds, got True"),
            ({"retry": "5"}, TypeError, "retry: expected an int of milliseconds, got '5'"),
            ({"retry": -1}, ValueError, "retry: expected an int of at least 0, got -1"),
        ):
            with self.subTest(**kwargs):
                with self.assertRaises(error) as raised:
                    ServerSentEvent(**kwargs)
                self.assertEqual((type(raised.exception), str(raised.exception)), (error, message))


def given():
    """Return the same events in every form that they may be given in."""
    events = ["first", {"n": 2}, ServerSentEvent("third", event="e", id="3", retry=5)]

    async def generator():
        for event in events:
            await asyncio.sleep(0)
            yield event

    def plain():
        yield from events

    return {
        "list": events,
        "tuple": tuple(events),
        "iterator": iter(events),
        "generator": plain(),
        "async generator": generator(),
        "generator function": plain,
        "async generator function": generator,
        "function of the call": lambda call: events if call.method else [],
    }


STREAM = b'data: first\n\ndata: {"n": 2}\n\nevent: e\nid: 3\nretry: 5\ndata: third\n\n'


class EventsTest(ServerTestCase):
    async def test_every_form_of_events_arrives_as_from_a_real_server(self):
        async def handle(request):
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            for event in STREAM.split(b"\n\n")[:-1]:
                await response.write(event + b"\n\n")
            return response

        for name, events in given().items():
            for method in ("GET", "POST"):
                if method == "GET" or not hasattr(events, "__next__") and not hasattr(events, "__anext__"):
                    with self.subTest(name, method=method):
                        url = await self.serve(web.route("*", "/", handle))

                        async def scenario():
                            async with ClientSession() as session:
                                async with session.request(method, url) as response:
                                    return await seen(response)

                        outcome = await self.compare(scenario, lambda mock: mock.add(url, method, events=events))
                        self.assertEqual(outcome.seen.body, STREAM)
                        self.assertEqual(
                            outcome.seen.headers,
                            [("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked")],
                        )

    async def test_each_event_is_a_chunk_that_arrives_when_it_is_given(self):
        async def events():
            for number in range(3):
                await asked.wait()
                asked.clear()
                yield str(number)

        async def handle(request):
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            async for event in events():
                await response.write(f"data: {event}\n\n".encode())
            return response

        asked = asyncio.Event()
        url = await self.serve(web.get("/", handle))

        async def scenario():
            async with ClientSession() as session:
                came_in = []
                async with session.get(url) as response:
                    for _ in range(3):
                        asked.set()
                        came_in.append(await response.content.readany())
                    return came_in, await response.read()

        outcome = await self.compare(scenario, lambda mock: mock.get(url, events=events))
        self.assertEqual(outcome.seen, ([b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"], b""))


class EventsOfMocksTest(AioResponsesTestCase):
    async def read(self, **options):
        session = self.client_session()
        async with session.get(SITE, **options) as response:
            return response.content_type, await response.read()

    async def test_events_are_sent_again_for_every_reply(self):
        for name, events in given().items():
            with self.subTest(name):
                if hasattr(events, "__next__") or hasattr(events, "__anext__"):
                    with self.assertRaises(ValueError) as raised:
                        self.mock.get(SITE, events=events, repeat=2)
                    self.assertEqual(
                        str(raised.exception),
                        "events: an iterator can be sent only once; with repeat, pass the generator function",
                    )
                    if hasattr(events, "aclose"):
                        await events.aclose()
                else:
                    match = self.mock.get(SITE, events=events, repeat=2)
                    self.assertEqual(await self.read(), ("text/event-stream", STREAM))
                    self.assertEqual(await self.read(), ("text/event-stream", STREAM))
                    match.remove()

    async def test_no_events(self):
        self.mock.get(SITE, events=[])
        self.assertEqual(await self.read(), ("text/event-stream", b""))

    async def test_events_may_have_another_content_type(self):
        self.mock.get(SITE, events=["a"], content_type="text/event-stream; charset=utf-8")
        self.mock.get(SITE, events=["a"], headers={"Content-Type": "text/plain"})
        self.assertEqual((await self.read())[0], "text/event-stream")
        self.assertEqual((await self.read())[0], "text/plain")

    async def test_a_callback_may_return_events(self):
        self.mock.get(SITE, callback=lambda call: CallbackResult(events=[call.headers["Last-Event-ID"]]))
        self.assertEqual((await self.read(headers={"Last-Event-ID": "7"}))[1], b"data: 7\n\n")

    async def test_a_sequence_of_replies_may_have_events(self):
        self.mock.get(SITE, replies=[{"events": ["a"]}, {"status": 204}, {"events": lambda: ["b"]}])
        self.assertEqual([(await self.read())[1] for _ in range(3)], [b"data: a\n\n", b"", b"data: b\n\n"])

    async def test_dicts_go_through_the_serialiser_of_the_mock(self):
        self.mock.json_dumps = lambda data: json.dumps(data, separators=(",", ":")).encode()
        self.mock.get(SITE, events=[{"a": 1, "b": 2}])
        self.assertEqual((await self.read())[1], b'data: {"a":1,"b":2}\n\n')

    async def test_the_reader_hears_of_what_is_not_an_event(self):
        async def events():
            yield "first"
            yield 5

        self.mock.get(SITE, events=events)
        session = self.client_session()
        async with session.get(SITE) as response:
            self.assertEqual(
                await error_of(response.read()),
                (TypeError, "events: expected text, dicts or ServerSentEvent, got 5"),
            )

    async def test_a_function_that_returns_something_other_than_events(self):
        for value in (5, None, "text", {"a": 1}, ServerSentEvent("a")):
            with self.subTest(value):
                self.mock.get(SITE, events=lambda: value)
                self.assertEqual(
                    await error_of(self.read()),
                    (TypeError, f"events: expected a function that returns {EVENTS}, got {value!r}"),
                )

    async def test_a_client_that_leaves_ends_an_async_generator(self):
        async def events():
            try:
                yield "first"
                await asyncio.Event().wait()
            finally:
                ended.set()

        ended = asyncio.Event()
        self.mock.get(SITE, events=events)
        session = self.client_session()
        async with session.get(SITE) as response:
            self.assertEqual(await response.content.readany(), b"data: first\n\n")
        await asyncio.wait_for(ended.wait(), 10)

    async def test_a_client_that_leaves_ends_a_plain_generator(self):
        def events():
            try:
                while True:
                    yield "x" * 2 ** 16
            finally:
                ended.append(True)

        ended = []
        generator = events()
        self.mock.get(SITE, events=generator)
        session = self.client_session()
        async with session.get(SITE) as response:
            await response.content.readany()
        for _ in range(20):
            await asyncio.sleep(0)
        self.assertEqual(ended, [True])

    async def test_a_head_has_no_events(self):
        def events():
            begun.append(True)
            yield "first"

        begun = []
        self.mock.head(SITE, events=events)
        session = self.client_session()
        async with session.head(SITE) as response:
            self.assertEqual((response.content_type, await response.read()), ("text/event-stream", b""))
        self.assertEqual(begun, [])


class RefusedEventsTest(unittest.TestCase):
    def test_wrong_events_are_refused_at_registration(self):
        async def coroutine_function():
            return []

        for kwargs, error, message in (
            ({"events": 5}, TypeError, f"events: expected {EVENTS}, got 5"),
            ({"events": "text"}, TypeError, f"events: expected {EVENTS}, got 'text'"),
            ({"events": b"bytes"}, TypeError, f"events: expected {EVENTS}, got b'bytes'"),
            ({"events": {"a": 1}}, TypeError, f"events: expected {EVENTS}, got {{'a': 1}}"),
            ({"events": ["a", 5]}, TypeError, "events: expected text, dicts or ServerSentEvent, got 5"),
            ({"events": [b"a"]}, TypeError, "events: expected text, dicts or ServerSentEvent, got b'a'"),
            (
                {"events": coroutine_function},
                TypeError,
                f"events: expected a generator function, got a coroutine function: {coroutine_function!r}",
            ),
            (
                {"events": ServerSentEvent("a")},
                TypeError,
                f"events: expected {EVENTS}, got ServerSentEvent(data='a')",
            ),
            (
                {"events": [], "body": "text"},
                ValueError,
                "body cannot be combined with events: a reply has only one body",
            ),
            (
                {"events": [], "body": lambda: ["text"]},
                ValueError,
                "body cannot be combined with events: a reply has only one body",
            ),
            (
                {"events": [], "payload": {}},
                ValueError,
                "payload cannot be combined with events: a reply has only one body",
            ),
        ):
            with self.subTest(**kwargs):
                for register in (aioresponses().get, lambda url, **kwargs: CallbackResult(**kwargs)):
                    with self.assertRaises(error) as raised:
                        register(SITE, **kwargs)
                    self.assertEqual((type(raised.exception), str(raised.exception)), (error, message))
