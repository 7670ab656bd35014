"""Single connections of a mocked WebSocket: receiving, closing, and loops that are closed first."""

import asyncio
import gc

from aiohttp import ClientSession, WSMsgType

from aioresponses import AioResponsesTestCase, aioresponses
from aioresponses.websockets import Expect

from ..support import AT_MOST, OutcomeTestCase, idle

URL = "wss://stream.example.com/ticks"


class ReceivingTest(AioResponsesTestCase):
    async def test_json_is_text(self):
        ws = self.mock.websocket(URL).on({"op": "ping"}, "pong")
        async with self.client_session().ws_connect(URL) as client:
            await client.send_bytes(b'{"op": "ping"}')
            connection = await ws.connection()
            with self.assertRaises(TypeError) as raised:
                await connection.receive_json()
            self.assertEqual(
                str(raised.exception), "expected a text message with JSON, got the binary message b'{\"op\": \"ping\"}'"
            )
            await client.send_str("no JSON")
            with self.assertRaises(ValueError):
                await connection.receive_json()
        with self.assertRaises(AssertionError):
            self.assertWebSocketReceived([{"op": "ping"}, "no JSON"])


class ClosingTest(AioResponsesTestCase):
    async def test_it_does_not_wait_for_a_client_that_reads_only_afterwards(self):
        ws = self.mock.websocket(URL)
        for close in (lambda connection: connection.close(1001, b"bye"), lambda connection: ws.close(1001, b"bye")):
            async with self.client_session().ws_connect(URL) as client:
                connection = await ws.connection()
                # aiohttp waits for 10 seconds.
                await asyncio.wait_for(close(connection), 5)
                self.assertTrue(connection.closed)
                message = await client.receive()
                self.assertEqual((message.type, message.data, message.extra), (WSMsgType.CLOSE, 1001, "bye"))
                self.assertEqual(client.close_code, 1001)
        self.assertWebSocketClosed(1001)

    async def test_whoever_waits_for_a_message_is_woken_at_once(self):
        ws = self.mock.websocket(URL)
        async with self.client_session().ws_connect(URL) as client:
            connection = await ws.connection()
            receiving = [asyncio.ensure_future(connection.receive(60)) for _ in range(2)]
            await idle()
            await connection.close(1001)
            for task in receiving:
                with self.assertRaises(ConnectionResetError) as raised:
                    await asyncio.wait_for(task, AT_MOST)
                self.assertEqual(str(raised.exception), "it is being closed")
            self.assertEqual((await client.receive()).data, 1001)


class CancelledTest(AioResponsesTestCase):
    async def cancel(self, awaitable):
        task = asyncio.ensure_future(awaitable)
        await idle()
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task

    async def test_waiting(self):
        ws = self.mock.websocket(URL)
        await self.cancel(ws.connection(AT_MOST))
        async with self.client_session().ws_connect(URL) as client:
            connection = await ws.connection()
            for awaitable in (
                ws.connection(AT_MOST), ws.wait_received(1, AT_MOST), connection.receive(AT_MOST),
                connection.receive_json(AT_MOST),
            ):
                await self.cancel(awaitable)
            await client.send_str("1")
            self.assertEqual(await connection.receive_json(), 1)

    async def test_closing_goes_on(self):
        ws = self.mock.websocket(URL)
        async with self.client_session().ws_connect(URL) as client:
            closing = asyncio.ensure_future((await ws.connection()).close(1001))
            await asyncio.sleep(0)
            closing.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await closing
            self.assertEqual((await client.receive()).data, 1001)

    async def test_a_client_whose_task_is_cancelled(self):
        ended = []

        async def script(connection):
            try:
                await connection.receive(AT_MOST)
            except ConnectionResetError:
                ended.append(connection.close_code)

        async def listen():
            async with ClientSession() as session, session.ws_connect(URL) as client:
                await client.receive()

        ws = self.mock.websocket(URL, script)
        listening = asyncio.ensure_future(listen())
        connection = await ws.connection()
        await self.cancel(listening)
        await idle()
        self.assertEqual((connection.closed, len(ended)), (True, 1))


class ClosedLoopTest(OutcomeTestCase):
    def test_connections_of_a_loop_that_was_closed_are_closed(self):
        for script in (None, ["a", Expect("b", AT_MOST)]):
            with self.subTest(script=script), aioresponses() as mock:
                ws = mock.websocket(URL, script)
                sessions = []

                async def begin():
                    sessions.append(ClientSession())
                    sessions.append(await sessions[0].ws_connect(URL))
                    return await ws.connection()

                async def go_on(connection):
                    await ws.send("a")
                    await ws.close()
                    await connection.close()
                    with self.assertRaises(ConnectionResetError):
                        await connection.receive()
                    async with ClientSession() as session, session.ws_connect(URL):
                        await ws.connection()
                    await sessions[0].close()
                    await idle()

                loop = asyncio.new_event_loop()
                connection = loop.run_until_complete(begin())
                complaints = []
                loop.set_exception_handler(lambda loop, context: complaints.append(context["message"]))
                loop.close()
                self.assertEqual((connection.closed, connection.close_code), (True, 1006))
                ws.remove()
                ws = mock.websocket(URL)
                asyncio.run(go_on(connection))
                del connection
                sessions.clear()
                gc.collect()
                self.assertEqual(complaints, [])

    def test_whoever_waited_on_a_loop_that_is_closed_now(self):
        async def wait(ws):
            with self.assertRaises(asyncio.TimeoutError):
                await ws.connection(timeout=0.01)

        async def connect(ws):
            async with ClientSession() as session, session.ws_connect(URL) as client:
                await client.send_str("a")
                return await ws.wait_received(1)

        with aioresponses() as mock:
            ws = mock.websocket(URL)
            asyncio.run(wait(ws))
            self.assertEqual(asyncio.run(connect(ws)), ["a"])
