import asyncio
import json
import struct
from base64 import b64decode, b64encode
from datetime import datetime
from hashlib import sha1
from unittest.mock import patch

from aiohttp import ClientConnectionError, ClientSession, WSMsgType, WSServerHandshakeError, web
from aiohttp.http import WS_KEY
from yarl import URL

from aioresponses import VirtualClock, aioresponses
from aioresponses._cassettes.secrets import HIDDEN

from .recording import SECRET, RecordingTestCase
from .servers import RawServer
from .support import AT_MOST, idle


ACCEPT = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n"
)


def seen_of(message):
    return message.type, message.data, message.extra


def frame(opcode, data, fin=True):
    """Return a frame as a server sends it, of less than 126 bytes."""
    return bytes([opcode | (0x80 if fin else 0), len(data)]) + data


class SocketTestCase(RecordingTestCase):
    """A test case with a WebSocket of a real server, whose path says what it does."""

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.server = await self.serve(web.get("/{what}", self.talk), web.get("/plain/a", self.answer))
        self.url = self.server.make_url("/")

    async def talk(self, request):
        self.hits += 1
        ws = web.WebSocketResponse(protocols=("v2", "v1"))
        await ws.prepare(request)
        await ws.send_str("hello")
        async for message in ws:
            if message.data == "close":
                await ws.close(code=4001, message=b"enough")
            elif message.data == "drop":
                request.transport.abort()
            elif message.type is WSMsgType.TEXT:
                await ws.send_str(message.data)
            else:
                await ws.send_bytes(message.data)
        return ws

    async def chat(self, *messages, path="ws", **options):
        """Return what a client sees that gets a greeting, and sends each message after the answer to the last one."""
        seen = []
        async with ClientSession() as session, session.ws_connect(self.url.join(URL(path)), **options) as ws:
            seen.append(seen_of(await ws.receive()))
            for message in messages:
                await (ws.send_bytes if isinstance(message, bytes) else ws.send_str)(message)
                seen.append(seen_of(await ws.receive()))
            seen += [ws.protocol, ws.compress]
        return [*seen, ws.close_code]

    async def chats(self, *messages, mock_options={}, path="ws", **options):
        """Return what a client sees within a cassette."""
        with aioresponses(**mock_options) as mock, mock.cassette(self.path, **options):
            return await self.chat(*messages, path=path)

    def messages(self):
        """Return who sent what, as it is in the file."""
        return [
            (one["type"], one["opcode"], one["data"])
            for entry in self.entries() for one in entry.get("_webSocketMessages", ())
        ]

    def closes(self):
        return [entry.get("_webSocketClose") for entry in self.entries()]


class SocketsTest(SocketTestCase):
    async def test_messages_of_both_ways_replay_equal(self):
        for options in ({}, {"protocols": ("v1", "v2")}, {"compress": 15}):
            with self.subTest(options):
                outcomes = []
                for mode in ("all", "none"):
                    with aioresponses(strict=True) as mock, mock.cassette(self.path, mode=mode):
                        outcomes.append(await self.chat("ä", b"\0\xff", "", b"", "x" * 70000, **options))
                self.assertEqual(outcomes[1], outcomes[0])
                self.assertEqual(
                    self.messages()[:5],
                    [
                        ("receive", 1, "hello"), ("send", 1, "ä"), ("receive", 1, "ä"), ("send", 2, "AP8="),
                        ("receive", 2, "AP8="),
                    ],
                )
        [entry] = self.entries()
        self.assertEqual((entry["_resourceType"], entry["response"]["status"]), ("websocket", 101))
        self.assertEqual(self.hits, 3)

    async def test_every_end_replays_equal(self):
        for last, close in (
            ("close", {"type": "receive", "time": 0, "code": 4001, "reason": "enough"}),
            ("drop", {"type": "receive", "time": 0, "code": 1006, "reason": ""}),
            ("other", {"type": "send", "time": 0, "code": 1000, "reason": ""}),
        ):
            with self.subTest(last):
                real = await self.chats("a", last, mode="all")
                self.assertEqual(await self.chats("a", last, mode="none"), real)
                self.assertEqual(self.closes(), [close])

    async def test_through_a_connector_of_the_mock_as_well(self):
        seen = []
        for mode in ("once", "none"):
            mock = aioresponses()
            with mock.cassette(self.path, mode=mode):
                async with ClientSession(connector=mock.connector()) as session:
                    async with session.get(self.url / "plain/a") as response:
                        seen.append(await response.text())
                    async with session.ws_connect(self.url / "ws") as ws:
                        seen.append(seen_of(await ws.receive()))
        self.assertEqual(seen[2:], seen[:2])
        self.assertEqual(self.messages(), [("receive", 1, "hello")])

    async def test_a_client_that_leaves_without_closing_it_has_not_lost_it(self):
        def end_of_session(session, ws):
            return session.close()

        def end_of_transport(session, ws):
            ws._response.connection.transport.abort()  # As aiohttp 3.12 and newer end a connection with TLS.

        for leave in (end_of_session, end_of_transport):
            with self.subTest(leave.__name__):
                with aioresponses() as mock, mock.cassette(self.path, mode="all"):
                    async with ClientSession() as session:
                        ws = await session.ws_connect(self.url / "ws")
                        self.assertEqual(await ws.receive_str(), "hello")
                        leaving = leave(session, ws)
                        if leaving is not None:
                            await leaving
                        await idle()
                        ws._response.close()
                self.assertEqual((self.messages(), self.closes()), ([("receive", 1, "hello")], [None]))

    async def test_either_scheme_is_taken(self):
        real = await self.chats("a")
        for url in (self.url, self.url.with_scheme("ws")):
            with aioresponses() as mock:
                [socket] = mock.load_har(self.path, url=url / "ws")
                self.url = url
                self.assertEqual(await self.chat("a"), real)
                self.assertEqual(socket.received, ["a"])
            text = self.path.read_text("utf-8")
            self.path.write_text(text.replace('"url": "http:', '"url": "ws:'), "utf-8")

    async def test_one_that_is_open_when_the_block_is_left(self):
        for mode in ("all", "none"):
            async with ClientSession() as session:
                with aioresponses() as mock:
                    with mock.cassette(self.path, mode=mode):
                        ws = await session.ws_connect(self.url / "ws")
                        self.assertEqual(await ws.receive_str(), "hello")
                    self.assertFalse(ws.closed)
                    # What comes later is not part of the recording.
                    await ws.send_str("later")
                    await idle()
                    self.assertFalse(ws.closed)
                    await ws.close()
            self.assertEqual((self.messages(), self.closes()), ([("receive", 1, "hello")], [None]))

    async def test_nothing_is_read_ahead(self):
        go_on = asyncio.Event()

        async def talk(request):
            ws = web.WebSocketResponse()
            await ws.prepare(request)
            await ws.send_str("first")
            await go_on.wait()
            await ws.send_str("second")
            await ws.receive()
            return ws

        self.url = (await self.serve(web.get("/ws", talk))).make_url("/")
        with aioresponses() as mock, mock.cassette(self.path):
            async with ClientSession() as session, session.ws_connect(self.url / "ws") as ws:
                self.assertEqual(await asyncio.wait_for(ws.receive_str(), AT_MOST), "first")
                go_on.set()
                self.assertEqual(await asyncio.wait_for(ws.receive_str(), AT_MOST), "second")
        self.assertEqual([data for _, _, data in self.messages()], ["first", "second"])

    async def raw(self, *pieces, ends=False):
        """Start a server that accepts a WebSocket and sends these bytes, each on its own."""
        async def behave(writer, before):
            key = received[-1].header("Sec-WebSocket-Key").encode()
            accept = b64encode(sha1(key + WS_KEY).digest())
            writer.write(ACCEPT % accept)
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
            if not ends:
                await asyncio.sleep(AT_MOST)

        received = await self.serve_raw(behave)

    async def serve_raw(self, behave):
        """Start a server that behaves so; return what it receives."""
        server = RawServer(behave, [])
        await server.start()
        self.addAsyncCleanup(server.close)
        self.url = server.url
        return server._received

    async def test_fragments_are_joined_and_pings_left_out(self):
        await self.raw(
            frame(1, b"one ", fin=False)[:3], frame(1, b"one ", fin=False)[3:] + frame(9, b"?") + frame(0, b"message"),
            frame(2, b"\xff", fin=False) + frame(0, b"", fin=False) + frame(0, b"\xfe"), frame(10, b""),
            frame(8, struct.pack("!H", 1001) + "bye ä".encode()),
        )
        outcomes = []
        for mode in ("all", "none"):
            with aioresponses() as mock, mock.cassette(self.path, mode=mode):
                async with ClientSession() as session, session.ws_connect(self.url) as ws:
                    seen = [seen_of(await ws.receive()) for _ in range(3)]
                    outcomes.append((seen, ws.close_code))
        self.assertEqual(outcomes[1], outcomes[0])
        self.assertEqual(self.messages(), [("receive", 1, "one message"), ("receive", 2, "//4=")])
        self.assertEqual(self.closes(), [{"type": "receive", "time": 0, "code": 1001, "reason": "bye ä"}])

    async def test_a_close_frame_without_a_code(self):
        await self.raw(frame(1, b"a"), frame(8, b""), ends=True)
        outcomes = []
        for mode in ("all", "none"):
            with aioresponses() as mock, mock.cassette(self.path, mode=mode):
                async with ClientSession() as session, session.ws_connect(self.url) as ws:
                    outcomes.append([message.data async for message in ws])
        self.assertEqual(outcomes, [["a"], ["a"]])
        self.assertEqual(self.closes(), [{"type": "receive", "time": 0, "code": 0, "reason": ""}])

    async def test_what_is_no_websocket_any_more_is_lost(self):
        await self.raw(frame(1, b"a"), b"\xff\xff\xff\xff", ends=True)
        for mode, kind in (("all", WSMsgType.ERROR), ("none", WSMsgType.CLOSED)):
            with aioresponses() as mock, mock.cassette(self.path, mode=mode):
                async with ClientSession() as session, session.ws_connect(self.url) as ws:
                    self.assertEqual([(await ws.receive()).type for _ in range(2)], [WSMsgType.TEXT, kind])
        self.assertEqual(self.messages(), [("receive", 1, "a")])

    async def test_two_recordings_differ_in_nothing_but_their_moment(self):
        texts = []
        for _ in range(2):
            await self.chats("a", '{"b": 1}', "close", mode="all")
            texts.append(self.path.read_text("utf-8").splitlines())
        different = [(one, other) for one, other in zip(*texts) if one != other]
        self.assertEqual([one.split('"')[1] for one, _ in different], ["startedDateTime"][:len(different)])
        self.assertIn(
            '     {"data": "{\\"b\\": 1}", "opcode": 1, "time": 0, "type": "send"},', texts[0]
        )

    async def test_those_of_one_url_in_their_order_and_beside_plain_requests(self):
        outcomes = []
        for mode in ("all", "none"):
            with aioresponses(strict=True) as mock, mock.cassette(self.path, mode=mode):
                first, text = await self.chat("1"), await self.ask("plain/a")
                outcomes.append([first, text, await self.chat("2"), await self.ask("plain/a")])
        self.assertEqual((outcomes[1], self.hits), (outcomes[0], 4))

    async def test_many_at_once_replay_equal(self):
        outcomes = []
        for mode in ("all", "none"):
            with aioresponses(strict=True) as mock, mock.cassette(self.path, mode=mode):
                outcomes.append(await asyncio.gather(*[self.chat(str(n), path=f"ws{n}") for n in range(20)]))
        self.assertEqual(outcomes[1], outcomes[0])

    async def test_more_than_16_mib_are_left_out(self):
        for module in ("_client.frames", "_cassettes.sockets"):
            # As much as that takes its time.
            with self.subTest(module), patch(f"aioresponses.{module}.MOST", 2 ** 16):
                await self.chats("x" * 2 ** 15, mode="all")
        [entry] = self.entries()
        self.assertEqual(entry["response"]["content"]["comment"], "left out because it is larger than 16 MiB")
        self.assertEqual(entry["_webSocketMessages"], [])
        with self.assertRaises(ClientConnectionError) as raised:
            await self.chats()
        self.assertIn("left out because it is larger than 16 MiB.\n", raised.exception.__notes__[0])

    async def test_a_large_message_of_the_client_is_taken_as_it_was(self):
        async def talk(request):
            ws = web.WebSocketResponse(max_msg_size=0)
            await ws.prepare(request)
            await ws.send_str(str(len((await ws.receive()).data)))
            return ws

        self.url = (await self.serve(web.get("/ws", talk))).make_url("/")
        for mode in ("all", "none"):
            with aioresponses() as mock, mock.cassette(self.path, mode=mode):
                async with ClientSession() as session, session.ws_connect(self.url / "ws") as ws:
                    await ws.send_bytes(bytes(2 ** 22 + 1))
                    self.assertEqual(await ws.receive_str(), str(2 ** 22 + 1))

    async def test_the_pauses_are_replayed_if_asked_for(self):
        async def talk(request):
            ws = web.WebSocketResponse()
            await ws.prepare(request)
            await asyncio.sleep(0.05)
            await ws.send_str("hello")
            await ws.receive()
            await asyncio.sleep(0.1)
            await ws.send_str("answer")
            await asyncio.sleep(0.15)
            await ws.close()
            return ws

        async def scenario():
            async with ClientSession() as session, session.ws_connect(self.url / "ws") as ws:
                await ws.receive()
                await ws.send_str("x")
                return [message.data async for message in ws]

        self.url = (await self.serve(web.get("/ws", talk))).make_url("/")
        with aioresponses() as mock, mock.cassette(self.path, timings=True):
            self.assertEqual(await scenario(), ["answer"])
        [entry] = self.entries()
        times = [one["time"] for one in (*entry["_webSocketMessages"], entry["_webSocketClose"])]
        self.assertEqual(times, sorted(times))
        started = datetime.strptime(entry["startedDateTime"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
        hello, sent, answer, close = times
        for timings, taken in ((False, 0), (True, hello - started + close - sent)):
            with self.subTest(timings), VirtualClock() as clock:
                with aioresponses() as mock, mock.cassette(self.path, timings=timings):
                    self.assertEqual(await scenario(), ["answer"])
                self.assertAlmostEqual(clock.elapsed, taken, places=2)

    async def test_one_that_was_refused_is_an_ordinary_entry(self):
        async def refuse(request):
            raise web.HTTPForbidden(text="no", headers={"X-Why": "no"})

        self.url = (await self.serve(web.get("/ws", refuse))).make_url("/")
        for scheme in ("http", "ws"):
            for mode in ("all", "none"):
                with aioresponses(strict=True) as mock, mock.cassette(self.path, mode=mode):
                    async with ClientSession() as session:
                        with self.assertRaises(WSServerHandshakeError) as raised:
                            await session.ws_connect((self.url / "ws").with_scheme(scheme))
                self.assertEqual((raised.exception.status, raised.exception.headers["X-Why"]), (403, "no"))
            self.assertNotIn("_webSocketMessages", self.entries()[0])

    async def test_one_that_failed_has_status_0_and_is_not_replayed(self):
        async def closes(writer, before):
            pass

        async def accepts_another(writer, before):
            writer.write(ACCEPT % b"another")
            await asyncio.sleep(AT_MOST)

        for behave, error in ((closes, ClientConnectionError), (accepts_another, WSServerHandshakeError)):
            with self.subTest(behave.__name__):
                await self.serve_raw(behave)
                for mode, raised in (("all", error), ("none", ClientConnectionError)):
                    with aioresponses() as mock, mock.cassette(self.path, mode=mode):
                        async with ClientSession() as session:
                            with self.assertRaises(raised):
                                await session.ws_connect(self.url)
                seen = {(one["response"]["status"], "_webSocketMessages" in one) for one in self.entries()}
                self.assertEqual(seen, {(0, False)})

    async def test_modes_and_filters_as_for_other_entries(self):
        await self.chats("a", filter=lambda entry: None)
        self.assertFalse(self.path.exists())
        await self.chats("a", mode="new")
        await self.chats("b", mode="new", path="other")
        self.assertEqual(self.paths(), ["/ws", "/other"])
        with self.assertRaises(AssertionError) as raised:
            await self.chats("a", mock_options={"strict": True})
        self.assertEqual(
            str(raised.exception),
            f"1 mock was never used:\n  GET {self.url}other\nCalls:\n  1. GET {self.url}ws -> 101",
        )
        await self.chats("a")
        with self.assertRaises(ClientConnectionError), aioresponses() as mock, mock.cassette(self.path):
            await self.chat("a")
            await self.chat("a")

    async def test_what_a_request_must_share_with_an_entry(self):
        own = {"X-Own": "1", "Authorization": SECRET}
        with aioresponses() as mock, mock.cassette(self.path):
            await self.chat("a", path=f"ws?x=1&token={SECRET}", headers=own)
        self.assertNotIn(SECRET, self.path.read_text("utf-8"))
        for match_on, path, headers, fits in (
            (("method", "url", "query"), "ws?token=2&x=1", {}, True),
            (("method", "url", "query"), "ws?token=2", {}, False),
            (("method", "url"), "ws", {}, True),
            (("method", "query"), "other?x=1&token=2", {}, True),
            (("method",), "other", {}, True),
            (("headers",), "ws", {**own, "Authorization": "other"}, True),
            (("headers",), "ws", {**own, "X-Own": "2"}, False),
            (("url", "body"), "ws", {}, True),
        ):
            with self.subTest(match_on=match_on, path=path), aioresponses() as mock:
                with mock.cassette(self.path, match_on=match_on):
                    try:
                        await self.chat("a", path=path, headers=headers)
                        answered = True
                    except ClientConnectionError:
                        answered = False
                self.assertEqual(answered, fits)


class WrongClientTest(SocketTestCase):
    async def failure(self, scenario, **options):
        """Return what the test of a client fails with, up to the list of calls."""
        with self.assertRaises(AssertionError) as raised:
            with aioresponses() as mock, mock.cassette(self.path, **options):
                async with ClientSession() as session, session.ws_connect(self.url / "ws") as ws:
                    await ws.receive()
                    await scenario(ws)
        text = str(raised.exception).partition("\nCalls:")[0]
        return text.replace(f"Script of GET {self.url}ws, replayed from {self.path}, failed ", "")

    async def test_a_client_that_sends_otherwise_fails_its_test(self):
        async def sends(ws, *messages):
            for message in messages:
                await (ws.send_bytes if isinstance(message, bytes) else ws.send_str)(message)
            await ws.receive()
            await ws.receive()

        await self.chats("a", '{"b": [1]}')
        for messages, said in (
            (["x"], "at step 2: expected 'a', got 'x'"),
            ([b"a"], "at step 2: expected 'a', got b'a'"),
            (['{"b": [1]}', "a"], """at step 2: expected 'a', got '{"b": [1]}'"""),
            (["a", '{"b": [2]}'], """at step 4: expected {'b': [1]}, got '{"b": [2]}'"""),
            (["a", b'{"b": [1]}'], """at step 4: expected {'b': [1]}, got b'{"b": [1]}'"""),
            (["a", '{"b": [1]}', "c"], "at step 6: expected the client to close the WebSocket, got 'c'"),
        ):
            with self.subTest(messages):
                self.assertEqual(await self.failure(lambda ws: sends(ws, *messages)), said)

    async def test_one_that_leaves_before_it_has_sent_all_fails_its_test(self):
        async def leaves(ws):
            await ws.send_str("a")

        await self.chats("a", "b")
        self.assertEqual(
            await self.failure(leaves), "at step 4: expected 'b', but the client has gone, with code 1000"
        )

    async def test_one_that_sends_nothing_fails_its_test_in_time(self):
        async def waits(ws):
            await ws.receive()

        await self.chats("a")
        with VirtualClock() as clock:
            self.assertEqual(await self.failure(waits), "at step 2: expected 'a', but nothing came")
        self.assertEqual(clock.elapsed, 10)

    async def test_one_that_takes_its_time_as_it_did_does_not_fail(self):
        async with ClientSession() as session:
            with aioresponses() as mock, mock.cassette(self.path, timings=True):
                async with session.ws_connect(self.url / "ws") as ws:
                    await ws.receive()
                    await asyncio.sleep(0.01)
                    await ws.send_str("a")
                    await ws.receive()
        text = self.path.read_text("utf-8")
        [hello, sent] = [one["time"] for one in self.entries()[0]["_webSocketMessages"]][:2]
        self.path.write_text(text.replace(f'"time": {sent},', f'"time": {hello + 30},'), "utf-8")
        with VirtualClock(), aioresponses() as mock, mock.cassette(self.path):
            async with ClientSession() as session, session.ws_connect(self.url / "ws") as ws:
                await ws.receive()
                await asyncio.sleep(39)
                await ws.send_str("a")
                self.assertEqual(await ws.receive_str(), "a")

    async def test_a_capture_names_its_file_as_well(self):
        await self.chats("a")
        with self.assertRaises(AssertionError) as raised, aioresponses() as mock:
            mock.load_har(self.path)
            await self.chat("b")
        self.assertTrue(
            str(raised.exception).startswith(f"Script of GET {self.url}ws, replayed from {self.path}, failed at step 2")
        )


class SecretsOfSocketsTest(SocketTestCase):
    MESSAGES = (
        json.dumps({"op": "auth", "token": SECRET, "nested": {"api_key": [SECRET]}, "code": "EUR"}),
        f'42["auth",{{"token":"{SECRET}"}}]', f"https://{SECRET}@example.com/?sig={SECRET}",
        json.dumps({"token": SECRET}).encode(), b"\xff\0" + json.dumps({"password": SECRET}).encode(),
        json.dumps({"own": SECRET}),
    )

    async def test_none_is_in_the_file_and_any_value_is_taken_on_replay(self):
        real = await self.chats(*self.MESSAGES, secrets=["own"])
        text = self.path.read_text("utf-8")
        self.assertNotIn(SECRET, text)
        self.assertNotIn(b64encode(SECRET.encode()).decode()[:8], text)
        for entry in self.entries():
            for one in entry["_webSocketMessages"]:
                if one["opcode"] == 2:
                    self.assertNotIn(SECRET.encode(), b64decode(one["data"]))
        for secret in (SECRET, "another", HIDDEN):
            messages = [
                one.replace(SECRET.encode(), secret.encode()) if isinstance(one, bytes) else one.replace(SECRET, secret)
                for one in self.MESSAGES
            ]
            replayed = await self.chats(*messages, secrets=["own"])
            self.assertEqual(str(replayed), str(real).replace(SECRET, HIDDEN))

    async def test_what_is_not_hidden_must_be_the_same(self):
        await self.chats(self.MESSAGES[0])
        with self.assertRaises(AssertionError):
            await self.chats(self.MESSAGES[0].replace("EUR", "USD"))

    async def test_the_calls_have_none_either(self):
        real = await self.chats(*self.MESSAGES[:-1])
        with aioresponses() as mock, mock.cassette(self.path):
            await self.chat(*self.MESSAGES[:-1])
            mock.to_har(self.path.with_name("calls.har"))
            printed = mock.to_python()
        self.assertNotIn(SECRET, printed + self.path.with_name("calls.har").read_text("utf-8"))
        with aioresponses(strict=True) as mock:
            exec(printed, {"mock": mock})
            self.assertEqual(str(await self.chat(*self.MESSAGES[:-1])), str(real).replace(SECRET, HIDDEN))
