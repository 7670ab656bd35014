import asyncio
from unittest.mock import ANY

from aiohttp import ClientSession, WSMsgType, web

from aioresponses import AioResponsesTestCase, WebSocketConnection, aioresponses
from aioresponses.matchers import ABSENT
from aioresponses.websockets import Close, Drop, Expect, Ping, Send, Sleep

from ..servers import ServerTestCase
from ..support import AT_MOST, OutcomeTestCase, idle

URL = "wss://stream.example.com/ticks"
CALLS = "\nCalls:\n  1. GET wss://stream.example.com/ticks -> 101"


class Feed:
    """Code under test: subscribes, puts what comes into a queue, and connects once more when that ends."""

    def __init__(self, **options):
        self.events = asyncio.Queue()
        self.codes = []
        self._options = options

    async def run(self):
        async with ClientSession() as session:
            while True:
                async with session.ws_connect(URL, **self._options) as ws:
                    await ws.send_json({"op": "subscribe", "channel": "BTC"})
                    async for message in ws:
                        await self.events.put(message.json())
                    self.codes.append(ws.close_code)


class SocketTestCase(AioResponsesTestCase):
    async def feed(self, **options):
        feed = Feed(**options)
        running = asyncio.ensure_future(feed.run())

        async def stop():
            running.cancel()
            await asyncio.wait([running])

        self.addAsyncCleanup(stop)
        return feed

    async def connect(self, url=URL, **options):
        client = await self.client_session().ws_connect(url, **options)
        self.addAsyncCleanup(client.close)
        return client


class ByHandTest(SocketTestCase):
    async def test_a_test_talks_to_the_client_which_then_connects_once_more(self):
        ws = self.mock.websocket(URL)
        feed = await self.feed()
        first = await ws.connection()
        self.assertIsInstance(first, WebSocketConnection)
        self.assertEqual(await first.receive_json(), {"op": "subscribe", "channel": "BTC"})
        await first.send_json({"price": 1})
        self.assertEqual(await feed.events.get(), {"price": 1})
        first.drop()
        second = await ws.connection()
        await second.send_json({"price": 2})
        self.assertEqual(await feed.events.get(), {"price": 2})
        self.assertEqual((ws.connections, ws.call_count, feed.codes), ([first, second], 2, [1006]))

    async def test_what_a_connection_knows(self):
        ws = self.mock.websocket(URL, protocols=("v2", "v1"), headers={"X-One": "1"})
        client = await self.connect(protocols=("v1",))
        connection = await ws.connection()
        self.assertEqual((connection.protocol, client.protocol), ("v1", "v1"))
        self.assertEqual(connection.request.path, "/ticks")
        self.assertIs(connection.call, self.mock.calls[0])
        self.assertEqual((connection.closed, connection.close_code), (False, None))
        await client.send_str("text")
        await client.send_bytes(b"bytes")
        self.assertEqual(await ws.wait_received(2), ["text", b"bytes"])
        self.assertEqual([await connection.receive(), await connection.receive()], ["text", b"bytes"])
        self.assertEqual((connection.received, ws.received), (["text", b"bytes"], ["text", b"bytes"]))
        await client.close(code=4000)
        await idle()
        self.assertEqual((connection.closed, connection.close_code), (True, 4000))

    async def test_every_way_to_send(self):
        ws = self.mock.websocket(URL)
        client = await self.connect()
        connection = await ws.connection()
        for send, message in (
            (connection.send, "a"), (connection.send, b"b"), (connection.send, {"c": 1}), (connection.send_str, "d"),
            (connection.send_bytes, b"e"), (connection.send_json, None), (ws.send, [1]), (ws.send, bytearray(b"f")),
        ):
            await send(message)
        await connection.ping(b"?")
        self.assertEqual(
            [(await client.receive()).data for _ in range(8)], ["a", b"b", '{"c": 1}', "d", b"e", "null", "[1]", b"f"]
        )

    async def test_closing_all_that_are_open(self):
        ws = self.mock.websocket(URL)
        clients = [await self.connect() for _ in range(3)]
        receiving = [asyncio.ensure_future(client.receive()) for client in clients]
        (await ws.connection()).drop()
        await ws.close(1012, b"restart")
        messages = [await one for one in receiving]
        self.assertEqual(
            [(message.type, message.data, message.extra) for message in messages],
            [(WSMsgType.CLOSED, None, None)] + [(WSMsgType.CLOSE, 1012, "restart")] * 2,
        )
        self.assertEqual([client.close_code for client in clients], [1006, 1012, 1012])
        await ws.close()
        await ws.send("nobody gets this")

    async def test_waiting_ends_in_time_and_when_the_client_has_gone(self):
        ws = self.mock.websocket(URL)
        with self.assertRaises(asyncio.TimeoutError) as raised:
            await ws.connection(timeout=0.01)
        self.assertEqual(str(raised.exception), "no connection came within 0.01 s; to wait longer, pass timeout")
        client = await self.connect()
        connection = await ws.connection()
        for receiving in (connection.receive(timeout=0.01), connection.receive_json(timeout=0.01)):
            with self.assertRaises(asyncio.TimeoutError) as raised:
                await receiving
            self.assertEqual(str(raised.exception), "no message came within 0.01 s; to wait longer, pass timeout")
        await client.send_str("one")
        await connection.receive()
        with self.assertRaises(asyncio.TimeoutError) as raised:
            await ws.wait_received(3, timeout=0.01)
        self.assertEqual(str(raised.exception), "1 of 3 messages came within 0.01 s; to wait longer, pass timeout")
        for vanishes in (False, True):
            receiving = asyncio.ensure_future(connection.receive(timeout=AT_MOST))
            await idle()
            if vanishes:
                client._response.connection.close()
            else:
                await client.close()
            with self.assertRaises(ConnectionResetError):
                await receiving
            client = await self.connect()
            connection = await ws.connection()

    async def test_closing_while_another_task_receives(self):
        ws = self.mock.websocket(URL)
        client = await self.connect()
        receiving = asyncio.ensure_future(client.receive())
        await idle()
        self.assertTrue(await client.close())
        self.assertIn((await receiving).type, (WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.CLOSE))
        self.assertEqual(len(ws.connections), 1)

    async def test_rules(self):
        ws = self.mock.websocket(URL).on({"op": "subscribe", "channel": ANY}, {"ok": True}, {"price": 3})
        ws.on("ping", lambda message: message.upper())
        client = await self.connect()
        await client.send_json({"op": "subscribe", "channel": "BTC"})
        self.assertEqual([await client.receive_json(), await client.receive_json()], [{"ok": True}, {"price": 3}])
        await client.send_str("ping")
        self.assertEqual(await client.receive_str(), "PING")
        await client.send_str("other")
        connection = await ws.connection()
        self.assertEqual(await connection.receive(), "other")
        self.assertEqual(len(ws.received), 3)

    async def test_heartbeats_are_answered_unless_the_mock_is_not_to(self):
        ws = self.mock.websocket(URL)
        client = await self.connect(heartbeat=0.05)
        receiving = asyncio.ensure_future(client.receive())
        await asyncio.sleep(0.2)
        self.assertFalse(receiving.done())
        await ws.close()
        await receiving
        self.mock.websocket(URL, autoping=False, override=True)
        client = await self.connect(heartbeat=0.02)
        message = await asyncio.wait_for(client.receive(), AT_MOST)
        self.assertIn(message.type, (WSMsgType.ERROR, WSMsgType.CLOSED))

    async def test_compressed_and_large_messages(self):
        ws = self.mock.websocket(URL)
        client = await self.connect(compress=15)
        self.assertTrue(client.compress)
        await client.send_str("a" * 2 ** 20)
        connection = await ws.connection()
        self.assertEqual(len(await connection.receive()), 2 ** 20)
        await connection.send_bytes(bytes(2 ** 20))
        self.assertEqual(len((await client.receive()).data), 2 ** 20)
        self.assertEqual(self.mock.calls[0].websocket.received, ["a" * 2 ** 20])


class ScriptTest(SocketTestCase):
    async def test_steps(self):
        ws = self.mock.websocket(URL, [
            Expect({"op": "subscribe", "channel": ANY}), {"price": 1}, [2], "three", b"four", Send(5), Ping(),
            Sleep(0.01), Close(1001, b"bye"),
        ])
        client = await self.connect()
        await client.send_json({"op": "subscribe", "channel": "BTC"})
        self.assertEqual(
            [(await client.receive()).data for _ in range(6)], ['{"price": 1}', "[2]", "three", b"four", "5", 1001]
        )
        self.assertEqual((client.close_code, ws.received), (1001, ['{"op": "subscribe", "channel": "BTC"}']))

    async def test_what_must_be_absent_from_a_message(self):
        ws = self.mock.websocket(URL, [Expect({"op": "subscribe", "id": ABSENT}), "first"])
        ws.on({"op": "ping", "id": ABSENT}, "pong").on({"op": "ping"}, "never")
        client = await self.connect()
        await client.send_json({"op": "ping"})
        self.assertEqual(await client.receive_str(), "pong")
        await client.send_json({"op": "subscribe"})
        self.assertEqual(await client.receive_str(), "first")
        hint = "ABSENT cannot stand for a whole message; use it for a value in a dict"
        with self.assertRaises(TypeError) as raised:
            self.mock.websocket(URL, ["first", Expect(ABSENT)])
        self.assertEqual(str(raised.exception), f"script: step 2: {hint}")
        with self.assertRaises(TypeError) as raised:
            ws.on(ABSENT, "pong")
        self.assertEqual(str(raised.exception), f"expected: {hint}")

    async def test_code(self):
        async def script(connection):
            self.assertEqual((await connection.receive_json())["op"], "subscribe")
            for number in range(3):
                await connection.send_json(number)
            await connection.close(1012)

        self.mock.websocket(URL, script, repeat=1)
        next_one = self.mock.websocket(URL)
        feed = await self.feed()
        self.assertEqual([await feed.events.get() for _ in range(3)], [0, 1, 2])
        await next_one.connection()
        await idle()
        self.assertEqual(feed.codes, [1012])

    async def test_behind_its_script_a_connection_stays_open_and_records(self):
        ws = self.mock.websocket(URL, ["first"])
        client = await self.connect()
        self.assertEqual(await client.receive_str(), "first")
        await client.send_str("later")
        self.assertEqual(await ws.wait_received(1), ["later"])
        self.assertFalse(client.closed)

    async def test_a_drop(self):
        self.mock.websocket(URL, ["first", Drop()])
        client = await self.connect()
        self.assertEqual(await client.receive_str(), "first")
        self.assertEqual((await client.receive()).type, WSMsgType.CLOSED)
        self.assertEqual(client.close_code, 1006)

    async def test_going_on_to_send_to_a_client_that_has_closed_is_no_failure(self):
        async def ticks(connection):
            while True:
                await connection.send_json({"price": 1})
                await asyncio.sleep(0)

        self.mock.websocket(URL, ticks, repeat=1)
        self.mock.websocket(URL, ["a", Sleep(0.05), "b", "c"])
        for _ in range(2):
            client = await self.connect()
            await client.receive()
            await client.close()
        await asyncio.sleep(0.1)

    def test_what_is_no_script(self):
        async def generates(connection):
            yield

        async def takes_nothing():
            raise NotImplementedError

        for script in (
            "text", 7, [7], [Expect], [None], lambda connection: None, generates, takes_nothing, {"a": 1}, Close()
        ):
            with self.subTest(script), self.assertRaises(TypeError) as raised:
                self.mock.websocket(URL, script)
            self.assertTrue(str(raised.exception).startswith("script: "), raised.exception)
        self.assertEqual(self.mock._matches, {})


class FailingScriptTest(OutcomeTestCase):
    def failure(self, script, *sent):
        seen = []

        class Test(SocketTestCase):
            async def test(self):
                self.mock.websocket(URL, script)
                client = await self.connect()
                for message in sent:
                    await client.send_str(message)
                if sent or callable(script):
                    await client.receive()
                    seen.append(client.close_code)
                else:
                    await client.close()
                await idle()

        [text] = self.outcomes(Test)["failures"]
        return text[text.rindex("AssertionError: ") + 16:].strip(), seen

    def test_it_drops_the_connection_and_fails_the_test(self):
        self.assertEqual(
            self.failure([Expect("a")], "b"),
            ("Script of GET wss://stream.example.com/ticks failed at step 1: expected 'a', got 'b'" + CALLS, [1006]),
        )
        self.assertEqual(
            self.failure([Expect({"a": 1, "b": ABSENT})], '{"a": 1, "b": null}')[0],
            "Script of GET wss://stream.example.com/ticks failed at step 1: expected {'a': 1, 'b': ABSENT}, "
            "got '{\"a\": 1, \"b\": null}'" + CALLS,
        )
        self.assertEqual(
            self.failure(["x", Expect({"a": 1}, timeout=AT_MOST)]),
            (
                "Script of GET wss://stream.example.com/ticks failed at step 2: expected {'a': 1}, but the client has "
                "gone, with code 1000" + CALLS,
                [],
            ),
        )

    def test_code_that_raises(self):
        async def script(connection):
            raise ValueError("no")

        self.assertEqual(
            self.failure(script),
            ("Script of GET wss://stream.example.com/ticks raised ValueError: no" + CALLS, [1006]),
        )

    def test_a_block_that_is_not_strict_fails_as_well(self):
        async def run():
            async with aioresponses() as mock, ClientSession() as session:
                mock.websocket(URL, [Expect("a")])
                async with session.ws_connect(URL) as ws:
                    await ws.send_str("b")
                    await ws.receive()

        with self.assertRaises(AssertionError) as raised:
            asyncio.run(run())
        self.assertEqual(
            str(raised.exception),
            "Script of GET wss://stream.example.com/ticks failed at step 1: expected 'a', got 'b'" + CALLS,
        )


class LikeServerTest(ServerTestCase):
    """What a client sees is what it sees of the same exchange over TCP."""

    async def exchange(self, url, **options):
        async with ClientSession() as session, session.ws_connect(url, **options) as ws:
            seen = [ws.protocol, ws.compress, ws._response.status, ws._response.headers.get("X-One")]
            await ws.send_str("subscribe")
            while True:
                message = await ws.receive()
                seen.append((message.type, message.data, message.extra))
                if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    break
            return seen + [ws.close_code, ws.closed]

    async def test_exchanges(self):
        async def handle(request):
            ws = web.WebSocketResponse(protocols=("v1",))
            ws.headers["X-One"] = "1"
            await ws.prepare(request)
            await ws.receive()
            await ws.send_str("text")
            await ws.send_bytes(b"bytes")
            if request.query.get("end") == "drop":
                request.transport.abort()
            else:
                await ws.close(code=int(request.query["end"]), message=b"bye")
            return ws

        server = await self.serve(web.get("/", handle))
        for end, step in (("1000", Close(1000, b"bye")), ("4001", Close(4001, b"bye")), ("drop", Drop())):
            for options in ({}, {"protocols": ("v1", "v0")}, {"compress": 15}):
                url = server.with_query(end=end)

                async def scenario():
                    return await self.exchange(url, **options)

                def register(mock):
                    script = [Expect("subscribe"), "text", b"bytes", step]
                    mock.websocket(url, script, protocols=("v1",), headers={"X-One": "1"})

                with self.subTest(end, options=options):
                    # The handshake has a key of chance.
                    await self.compare(scenario, register, what_came_in=False)

    async def test_both_ways_at_once(self):
        async def handle(request):
            ws = web.WebSocketResponse()
            await ws.prepare(request)
            for number in range(20):
                await ws.send_str(f"tick {number}")
                await asyncio.sleep(0)
            async for message in ws:
                await ws.send_str(f"got {message.data}")
            return ws

        async def scenario():
            async with ClientSession() as session, session.ws_connect(url) as ws:
                async def send():
                    for number in range(20):
                        await ws.send_str(str(number))
                        await asyncio.sleep(0)

                sending = asyncio.ensure_future(send())
                seen = [await ws.receive_str() for _ in range(40)]
                await sending
            return seen, ws.close_code

        url = await self.serve(web.get("/", handle))
        await self.compare(scenario, lambda mock: mock.get(url, handler=handle), what_came_in=False)
