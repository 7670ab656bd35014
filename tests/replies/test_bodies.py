"""Bodies of replies in every form, held against a real server that streams them."""

import asyncio
import functools
import io
import os
import tempfile
import unittest

import aiohttp
from aiohttp import ClientSession, web
from yarl import URL

from aioresponses import AioResponsesTestCase, CallbackResult, aioresponses

from ..servers import ServerTestCase, seen
from ..support import BODIES, SITE, error_of, idle

PIECES = ["grün ", b"is ", bytearray(b"all "), memoryview(b"my joy"), b"", ""]
# As much as is read of a file at once.
PIECE = 2 ** 16
TEXT = "grün is all my joy".encode()


class AsyncPieces:
    """An async iterable that is no generator, and can be gone through more than once."""

    def __init__(self, pieces):
        self._pieces = pieces

    def __aiter__(self):
        return self._each()

    async def _each(self):
        for piece in self._pieces:
            yield piece


class Unseekable(io.BytesIO):
    """As pipes and sockets are."""

    def seekable(self):
        return False

    def seek(self, *args):
        raise io.UnsupportedOperation("seek")

    def tell(self):
        raise io.UnsupportedOperation("tell")


class AsyncFile:
    """As packages have them that read files in threads."""

    def __init__(self, lines):
        self._lines = iter(lines)

    async def read(self, size=-1):
        return b"".join(self._lines)

    async def seekable(self):
        return True

    def __aiter__(self):
        return self

    async def __anext__(self):
        for line in self._lines:
            return line
        raise StopAsyncIteration


class OnlyRead:
    """The least that a file object can be."""

    def __init__(self, content):
        self._content = content

    def read(self, size=-1):
        if size < 0:
            size = len(self._content)
        piece, self._content = self._content[:size], self._content[size:]
        return piece


def sync_generator():
    yield from PIECES


async def async_generator():
    for piece in PIECES:
        await asyncio.sleep(0)
        yield piece


def sources():
    """Return each kind of source of `TEXT`, whether it may be sent more than once, and whether its size is known."""
    return {
        "list": (list(PIECES), True, False),
        "tuple": (tuple(PIECES), True, False),
        "sync generator": (sync_generator(), False, False),
        "async generator": (async_generator(), False, False),
        "iterator": (iter(PIECES), False, False),
        "sync generator function": (sync_generator, True, False),
        "async generator function": (async_generator, True, False),
        "function that returns a list": (lambda: PIECES, True, False),
        "function that returns text": (lambda: TEXT.decode(), True, True),
        "function that returns bytes": (lambda: TEXT, True, True),
        "function that returns bytearray": (lambda: bytearray(TEXT), True, True),
        "function that returns memoryview": (lambda: memoryview(TEXT), True, True),
        "function that returns a file": (lambda: io.BytesIO(TEXT), True, True),
        "function that returns a file of text": (lambda: io.StringIO(TEXT.decode()), True, False),
        "function that returns an async iterable": (lambda: AsyncPieces(PIECES), True, False),
        "function of the call": (lambda call: [call.method and TEXT], True, False),
        "partial": (functools.partial(lambda pieces, call: pieces, PIECES), True, False),
        "bound method": (AsyncPieces(PIECES)._each, True, False),
        "async iterable": (AsyncPieces(PIECES), True, False),
        "binary file": (io.BytesIO(TEXT), True, True),
        "buffered file": (io.BufferedReader(io.BytesIO(TEXT)), True, True),
        "text file": (io.StringIO(TEXT.decode()), True, False),
        "wrapped text file": (io.TextIOWrapper(io.BytesIO(TEXT), "utf-8"), True, False),
        "unseekable file": (Unseekable(TEXT), False, False),
        "object with read": (OnlyRead(TEXT), False, False),
        "async file": (AsyncFile([TEXT[:5], TEXT[5:]]), False, False),
    }


class KindsOfBodiesTest(ServerTestCase):
    async def test_every_kind_of_body_arrives_as_from_a_real_server(self):
        async def streamed(request):
            response = web.StreamResponse(headers={"Content-Type": "text/plain"})
            await response.prepare(request)
            for piece in PIECES:
                await response.write(piece.encode() if isinstance(piece, str) else bytes(piece))
            return response

        async def whole(request):
            return web.Response(body=TEXT, headers={"Content-Type": "text/plain"})

        for method in ("GET", "POST"):
            for name, (source, _, known) in sources().items():
                with self.subTest(name, method=method):
                    url = await self.serve(web.route("*", "/", whole if known else streamed))

                    async def scenario():
                        async with ClientSession() as session:
                            async with session.request(method, url) as response:
                                return await seen(response)

                    def register(mock):
                        mock.add(url, method, body=source, content_type="text/plain")

                    outcome = await self.compare(scenario, register)
                    self.assertEqual(outcome.seen.body, TEXT)
                    self.assertEqual(
                        (outcome.seen.header("Content-Length"), outcome.seen.header("Transfer-Encoding")),
                        (str(len(TEXT)), None) if known else (None, "chunked"),
                    )


class RepeatedBodiesTest(AioResponsesTestCase):
    async def texts(self, count):
        async with ClientSession() as session:
            return [await (await session.get(SITE)).read() for _ in range(count)]

    async def test_what_can_be_sent_again_is_sent_whole_every_time(self):
        for name, (source, again, _) in sources().items():
            if again:
                with self.subTest(name):
                    match = self.mock.get(SITE, body=source, repeat=True)
                    self.assertEqual(await self.texts(3), [TEXT] * 3)
                    match.remove()

    async def test_what_can_be_sent_again_is_sent_whole_side_by_side(self):
        for name, (source, again, _) in sources().items():
            if again:
                with self.subTest(name):
                    match = self.mock.get(SITE, body=source, repeat=True)
                    bodies = await asyncio.gather(self.texts(1), self.texts(2), self.texts(1))
                    self.assertEqual(bodies, [[TEXT], [TEXT] * 2, [TEXT]])
                    match.remove()

    async def test_large_files_are_read_side_by_side(self):
        content = os.urandom(10 * PIECE + 1)
        with tempfile.TemporaryFile() as binary:
            binary.write(content)
            for name, file in (("on disk", binary), ("in memory", io.BytesIO(content))):
                with self.subTest(name):
                    file.seek(0)
                    match = self.mock.get(SITE, body=file, repeat=True)
                    bodies = await asyncio.gather(*(self.texts(1) for _ in range(3)))
                    self.assertTrue(all(body == [content] for body in bodies))
                    self.assertEqual(file.tell(), 0)
                    match.remove()

    async def test_large_files_of_text_are_read_side_by_side(self):
        # Characters of two bytes, so that places in the text are not places in the file.
        content = "ä" * PIECE * 3 + "ü"
        with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as file:
            file.write(content)
            for name, text in (("on disk", file), ("in memory", io.StringIO(content, newline=""))):
                with self.subTest(name):
                    text.seek(0)
                    match = self.mock.get(SITE, body=text, repeat=True)
                    bodies = await asyncio.gather(*(self.texts(1) for _ in range(3)))
                    self.assertTrue(all(body == [content.encode()] for body in bodies))
                    match.remove()

    async def test_what_one_reply_uses_up_cannot_be_repeated(self):
        for name, (source, again, _) in sources().items():
            if not again:
                for repeat in (2, True):
                    with self.subTest(name, repeat=repeat):
                        with self.assertRaises(ValueError) as raised:
                            self.mock.get(SITE, body=source, repeat=repeat)
                        self.assertEqual(
                            str(raised.exception),
                            "body: a file that cannot be rewound can be sent only once; "
                            "with repeat, pass a function that opens it"
                            if hasattr(source, "read") and not hasattr(source, "__aiter__")
                            else "body: an iterator can be sent only once; with repeat, pass the generator function",
                        )
                with self.subTest(name, repeat=1):
                    self.mock.clear()
                    self.mock.get(SITE, body=source, repeat=1)
                    self.assertEqual(await self.texts(1), [TEXT])

    async def test_a_sequence_of_replies_cannot_be_repeated_where_one_is_used_up(self):
        with self.assertRaises(ValueError):
            self.mock.get(SITE, replies=[{}, {"body": iter(PIECES)}], repeat=True)
        with self.assertRaises(ValueError):
            self.mock.get(SITE, replies=[CallbackResult(body=iter(PIECES))], repeat=2)
        self.mock.get(SITE, replies=[{"body": iter(PIECES)}, {"body": sync_generator}])
        self.assertEqual(await self.texts(2), [TEXT] * 2)

    async def test_a_payload_takes_precedence_over_an_iterator(self):
        self.mock.get(SITE, payload=1, body=iter(PIECES), repeat=True)
        self.assertEqual(await self.texts(2), [b"1"] * 2)

    async def test_a_generator_function_is_called_afresh_for_every_reply(self):
        calls = []

        def body(call):
            calls.append(call)
            yield f"reply {len(calls)}"

        self.mock.get(SITE, body=body, repeat=True)
        self.assertEqual(await self.texts(3), [b"reply 1", b"reply 2", b"reply 3"])
        self.assertEqual(calls, self.mock.calls)

    async def test_a_file_begins_where_it_stands_at_registration(self):
        for file in (io.BytesIO(b"skipped, sent"), io.StringIO("skipped, sent")):
            with self.subTest(type(file)):
                file.seek(len("skipped, "))
                self.mock.get(SITE, body=file, repeat=2)
                self.assertEqual(await self.texts(2), [b"sent"] * 2)

    async def test_an_empty_file_and_one_at_its_end(self):
        at_end = io.BytesIO(b"content")
        at_end.seek(7)
        for file in (io.BytesIO(), at_end, []):
            with self.subTest(file):
                self.mock.get(SITE, body=file, repeat=2)
                self.assertEqual(await self.texts(2), [b""] * 2)

    async def test_the_error_of_a_file_that_is_closed_by_then_reaches_the_caller(self):
        file = io.BytesIO(b"content")
        self.mock.get(SITE, body=file)
        file.close()
        async with ClientSession() as session:
            error = await error_of(session.get(SITE))
        self.assertEqual(error[0], ValueError)

    async def test_a_generator_function_knows_the_call(self):
        async def body(call):
            yield call.match_info["name"]
            yield b"|" + call.body

        self.mock.put(SITE + "{name}", body=body)
        async with ClientSession() as session:
            response = await session.put(SITE + "notes.txt", data=b"sent")
            self.assertEqual(await response.text(), "notes.txt|sent")

    async def test_what_a_function_raises_reaches_the_caller(self):
        def body():
            raise LookupError("no such body")

        for method in ("GET", "POST"):
            self.mock.add(SITE, method, body=body)
            async with ClientSession() as session:
                self.assertEqual(
                    await error_of(session.request(method, SITE)), (LookupError, "no such body")
                )

    async def test_a_function_that_returns_a_coroutine(self):
        # That a lambda calls a coroutine function shows only now.
        async def later():
            return b""

        function = lambda: later()  # noqa: E731
        for name in ("body", "payload", "events"):
            with self.subTest(name):
                self.mock.get(SITE, **{name: function})
                async with ClientSession() as session:
                    self.assertEqual(
                        await error_of(session.get(SITE)),
                        (
                            TypeError,
                            f"{name}: expected a plain function, got one that returned a coroutine: {function!r}",
                        ),
                    )

    async def test_a_function_that_returns_what_is_not_a_body(self):
        for value in (None, 5, {"a": 1}, {"a"}):
            hint = "; to send JSON, use payload=" if isinstance(value, dict) else ""
            with self.subTest(value):
                self.mock.get(SITE, body=lambda: value)
                async with ClientSession() as session:
                    self.assertEqual(
                        await error_of(session.get(SITE)),
                        (TypeError, f"body: expected a function that returns {BODIES}, got {value!r}{hint}"),
                    )

    async def test_a_payload_may_be_a_function(self):
        self.mock.get(SITE + "{id}", payload=lambda call: {"id": call.match_info["id"]})
        self.mock.get(SITE, payload=lambda: [1])
        async with ClientSession() as session:
            self.assertEqual(await (await session.get(SITE + "7")).json(), {"id": "7"})
            self.assertEqual(await (await session.get(SITE)).json(), [1])

    async def test_a_payload_function_that_returns_what_json_cannot_serialise(self):
        self.mock.get(SITE, payload=lambda: {1})
        async with ClientSession() as session:
            self.assertEqual(
                await error_of(session.get(SITE)),
                (
                    TypeError,
                    "payload: expected a value that json can serialise, got {1}: "
                    "Object of type set is not JSON serializable",
                ),
            )


class GeneratorsTest(AioResponsesTestCase):
    async def test_a_generator_may_make_requests_itself(self):
        async def body():
            for name in ("a", "b"):
                async with session.get(SITE + name) as response:
                    yield await response.read()

        self.mock.get(SITE, body=body)
        self.mock.get(SITE + "{name}", body=lambda call: f"<{call.match_info['name']}>", repeat=True)
        async with ClientSession() as session:
            async with session.get(SITE) as response:
                self.assertEqual(await response.text(), "<a><b>")
        self.assertEqual([call.url for call in self.mock.calls], [SITE, SITE + "a", SITE + "b"])
        self.assertEqual([list(call.hops) for call in self.mock.calls], [[call] for call in self.mock.calls])

    async def test_a_generator_may_stand_between_two_sites(self):
        async def body(call):
            async with session.post("http://other.example.com/", data=call.body) as response:
                async for piece in response.content.iter_any():
                    yield piece

        self.mock.post(SITE, body=body)
        self.mock.post("http://other.example.com/", body=lambda call: [call.body, b"!"])
        async with ClientSession() as session:
            async with session.post(SITE, data=b"hello") as response:
                self.assertEqual(await response.text(), "hello!")

    async def test_a_function_sees_the_arguments_of_the_call(self):
        # As a callback does.
        self.mock.get(SITE, body=lambda call: [str(call.kwargs["params"])])
        async with ClientSession() as session:
            async with session.get(SITE, params={}) as response:
                self.assertEqual(await response.text(), "{}")

    async def test_the_reader_hears_of_wrong_pieces(self):
        async def asynchronous():
            yield b"first"
            yield 5

        for body, value in ((asynchronous, 5), (lambda: [b"first", None], None), (lambda: range(3), 0)):
            with self.subTest(value):
                self.mock.get(SITE, body=body)
                async with ClientSession() as session:
                    async with session.get(SITE) as response:
                        self.assertEqual(
                            await error_of(response.read()),
                            (TypeError, f"body: expected a stream of str or bytes, got {value!r}"),
                        )
                    self.mock.get(SITE, body="fine")
                    async with session.get(SITE) as response:
                        self.assertEqual(await response.text(), "fine")

    async def test_what_a_generator_raises_comes_after_what_it_yielded(self):
        async def body():
            yield b"first"
            await read.wait()
            raise LookupError("no second")

        for headers in ({}, {"Content-Length": "1000"}, {"Content-Encoding": "identity"}):
            with self.subTest(**headers):
                read = asyncio.Event()
                self.mock.get(SITE, body=body, headers=headers)
                async with ClientSession() as session:
                    async with session.get(SITE) as response:
                        first = await response.content.readany()
                        read.set()
                        self.assertEqual(
                            (first, await error_of(response.read())), (b"first", (LookupError, "no second"))
                        )

    async def test_what_a_plain_generator_raises(self):
        def body():
            yield b"first"
            raise LookupError("no second")

        for headers in ({}, {"Content-Length": "1000"}, {"Content-Length": "6"}):
            with self.subTest(**headers):
                self.mock.get(SITE, body=body, headers=headers)
                async with ClientSession() as session:
                    async with session.get(SITE) as response:
                        self.assertEqual(await error_of(response.read()), (LookupError, "no second"))

    async def test_what_a_generator_raises_before_it_yields_anything(self):
        async def body():
            raise LookupError("nothing at all")
            yield

        self.mock.get(SITE, body=body)
        async with ClientSession() as session:
            async with session.get(SITE) as response:
                self.assertEqual(response.status, 200)
                self.assertEqual(await error_of(response.read()), (LookupError, "nothing at all"))

    async def test_exceptions_of_aiohttp_reach_the_reader_as_they_are(self):
        for exception in (
            aiohttp.ClientPayloadError("broken"), aiohttp.ClientOSError(104, "reset"), asyncio.TimeoutError("late")
        ):
            async def body():
                yield b"first"
                raise exception

            with self.subTest(exception):
                self.mock.get(SITE, body=body)
                async with ClientSession() as session:
                    async with session.get(SITE) as response:
                        with self.assertRaises(type(exception)) as raised:
                            await response.read()
                self.assertIs(raised.exception, exception)


class NeverReadTest(ServerTestCase):
    """Responses that have no body, whatever is registered."""

    async def test_a_generator_is_not_run_for_a_response_without_a_body(self):
        begun = []

        def function():
            begun.append("function")
            return body()

        async def body():
            begun.append("generator")
            yield b"unseen"

        async def handle(request):
            return web.Response(status=int(request.path[1:]), headers={"Content-Type": "text/plain"})

        for method, status in (("HEAD", 200), ("GET", 204), ("GET", 304), ("HEAD", 204)):
            for source in (function, body):
                with self.subTest(method, status=status, source=source.__name__):
                    begun.clear()
                    url = await self.serve(web.route("*", "/{status}", handle))
                    url /= str(status)

                    def register(mock):
                        mock.add(url, method, status, body=source, content_type="text/plain", repeat=True)

                    async def scenario():
                        async with ClientSession() as session:
                            responses = []
                            for _ in range(2):
                                async with session.request(method, url) as response:
                                    read = await response.read()
                                    responses.append((response.status, read, response.content.at_eof()))
                            return responses

                    outcome = await self.compare(scenario, register)
                    self.assertEqual(outcome.seen, [(status, b"", True)] * 2)
                    self.assertNotIn("generator", begun)

    async def test_generators_that_are_given_are_closed_without_a_warning(self):
        async def body():
            yield b"unseen"

        with aioresponses() as mock:
            mock.head(SITE, body=body())
            async with ClientSession() as session:
                async with session.head(SITE) as response:
                    self.assertEqual(
                        (await response.read(), response.headers.get("Transfer-Encoding")), (b"", "chunked")
                    )

    async def test_a_head_shows_the_length_of_a_file(self):
        async def handle(request):
            return web.Response(body=TEXT, headers={"Content-Type": "text/plain"})

        url = await self.serve(web.route("*", "/", handle))

        async def scenario():
            async with ClientSession() as session:
                async with session.head(url) as response:
                    return await seen(response)

        outcome = await self.compare(
            scenario, lambda mock: mock.head(url, body=io.BytesIO(TEXT), content_type="text/plain")
        )
        self.assertEqual(outcome.seen.header("Content-Length"), str(len(TEXT)))

    async def test_a_101_has_no_body(self):
        with aioresponses() as mock:
            mock.get(SITE, status=101, body=sync_generator, headers={"Upgrade": "x", "Connection": "upgrade"})
            mock.get(SITE, body="next")
            async with ClientSession() as session:
                async with session.get(SITE) as response:
                    self.assertEqual(response.status, 101)
                    response.close()
                async with session.get(SITE) as response:
                    self.assertEqual(await response.text(), "next")


class RefusedBodiesTest(unittest.TestCase):
    def test_wrong_bodies_are_refused_at_registration(self):
        async def coroutine_function():
            return b""

        for body, message in (
            (5, f"body: expected {BODIES}, got 5"),
            ({"a": 1}, f"body: expected {BODIES}, got {{'a': 1}}; to send JSON, use payload="),
            (
                [{"a": 1}],
                "body: expected a list of str or bytes, got one that contains {'a': 1}; to send JSON, use payload=",
            ),
            ({"a"}, f"body: expected {BODIES}, got {{'a'}}"),
            (frozenset(), f"body: expected {BODIES}, got frozenset()"),
            ([b"a", 5], "body: expected a list of str or bytes, got one that contains 5"),
            ((None,), "body: expected a list of str or bytes, got one that contains None"),
            (
                coroutine_function,
                f"body: expected a generator function, got a coroutine function: {coroutine_function!r}",
            ),
        ):
            with self.subTest(body):
                mock = aioresponses()
                with self.assertRaises(TypeError) as raised:
                    mock.get(SITE, body=body)
                self.assertEqual(str(raised.exception), message)
                with self.assertRaises(TypeError) as raised:
                    CallbackResult(body=body)
                self.assertEqual(str(raised.exception), message)
                with self.assertRaises(TypeError) as raised:
                    mock.get(SITE, replies=[{"body": body}])
                self.assertEqual(str(raised.exception), f"replies[0]: {message}")
                self.assertEqual(mock._matches, {})


class LengthTest(AioResponsesTestCase):
    async def test_a_head_shows_how_much_is_left_of_a_file_of_bytes_and_leaves_it_where_it_stands(self):
        in_memory = io.BytesIO(b"abcdef")
        in_memory.seek(2)
        with tempfile.TemporaryFile() as at_end, tempfile.TemporaryFile() as on_disk, tempfile.TemporaryFile(
            buffering=0
        ) as behind_end:
            for file in (at_end, on_disk, behind_end):
                file.write(b"abc")
            on_disk.seek(0)
            behind_end.seek(5)
            for source, size, place in (
                (in_memory, "4", 2), (at_end, "0", 3), (on_disk, "3", 0), (behind_end, "0", 5),
                (io.StringIO("ab"), None, 0), (Unseekable(b"ab"), None, None), (OnlyRead(b"ab"), None, None),
                ([b"ab"], None, None),
            ):
                with self.subTest(source):
                    self.mock.head(SITE, body=source)
                    async with self.client_session().head(SITE) as response:
                        self.assertEqual(response.headers.get("Content-Length"), size)
                    if place is not None:
                        self.assertEqual(source.tell(), place)


class FunctionsTest(AioResponsesTestCase):
    async def test_a_function_is_given_the_call_if_it_takes_one(self):
        def note(*call):
            given.append(call)
            return "noted"

        class Source:
            def method(self):
                return note()

            def of(self, call):
                return note(call)

            def __call__(self, call=None):
                return note(call)

        for function, takes_call in (
            (lambda: note(), False), (lambda call: note(call), True), (lambda *args: note(*args), False),
            (lambda **kwargs: note(*kwargs), False), (Source().method, False), (Source().of, True), (Source(), True),
            (lambda *, a=1: note(), False),
        ):
            for argument in ("body", "payload"):
                with self.subTest(function, argument=argument):
                    given = []
                    self.mock.get(SITE, **{argument: function})
                    async with self.client_session().get(SITE) as response:
                        self.assertIn("noted", await response.text())
                    call = self.mock.calls[-1]
                    self.assertEqual([[id(one) for one in each] for each in given], [[id(call)] if takes_call else []])

    async def test_a_class_whose_signature_is_not_known_is_called_without_the_call(self):
        self.mock.get(SITE, payload=dict)
        async with self.client_session().get(SITE) as response:
            self.assertEqual(await response.json(), {})


class PiecesTest(AioResponsesTestCase):
    async def test_a_generator_that_is_given_is_closed_where_it_is_not_read_to_its_end(self):
        async def asynchronous():
            try:
                while True:
                    yield bytes(PIECE)
            finally:
                closed.append("asynchronous")

        def plain():
            try:
                while True:
                    yield bytes(PIECE)
            finally:
                closed.append("plain")

        closed = []
        for source in (asynchronous(), plain()):
            self.mock.get(SITE, body=source)
            async with self.client_session().get(SITE) as response:
                await response.content.readexactly(1)
            await idle()
        self.assertEqual(closed, ["asynchronous", "plain"])

    async def test_a_large_file_is_read_in_pieces(self):
        class File(io.BytesIO):
            def read(self, *args):
                piece = super().read(*args)
                sizes.append(len(piece))
                return piece

        sizes = []
        self.mock.get(SITE, body=File(bytes(PIECE * 2 + 1)))
        async with self.client_session().get(SITE) as response:
            self.assertEqual(len(await response.read()), PIECE * 2 + 1)
        self.assertEqual([size for size in sizes if size], [PIECE, PIECE, 1])


class RedirectTest(AioResponsesTestCase):
    async def test_a_redirect_may_have_a_stream_for_its_body(self):
        self.mock.get(SITE, status=302, body=async_generator, headers={"Location": "/there"})
        self.mock.get(SITE + "there", body=sync_generator)
        async with ClientSession() as session:
            async with session.get(SITE) as response:
                self.assertEqual((await response.read(), response.url), (TEXT, URL(SITE + "there")))
