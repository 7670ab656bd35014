import asyncio
import unittest
from unittest.mock import patch

from aiohttp import ClientError, ClientSession, web

from aioresponses import aioresponses
from aioresponses._client import incoming

from ..servers import ServerTestCase
from ..support import AT_MOST, idle

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Recorder:
    """Has all that no mock answers go to the network, and keeps it."""

    records = True
    advice = ""

    def __init__(self):
        self.noted = []

    def note(self, exchange):
        self.noted.append(exchange)


class IncomingTest(ServerTestCase):
    async def asyncSetUp(self):
        mock = aioresponses()
        mock.start()
        self.addCleanup(mock.stop)
        self.recorder = Recorder()
        mock._interceptor.recorders = (self.recorder,)

    def came(self):
        """Return what came in for each request, and whether the server ended the connection."""
        return [(one.incoming.raw, one.incoming.is_lost) for one in self.recorder.noted]

    async def test_each_request_of_a_connection_has_its_own(self):
        async def behave(writer, before):
            writer.write(OK.replace(b"ok", b"%02d" % before))
            return True

        url = await self.serve_raw(behave)
        async with ClientSession() as session:
            for number in range(3):
                async with session.get(url) as response:
                    self.assertEqual(await response.read(), b"%02d" % number)
                    protocol = None if response.connection is None else response.connection.protocol
        self.assertEqual(self.came(), [(OK.replace(b"ok", b"%02d" % number), False) for number in range(3)])
        self.assertIsNone(protocol)
        for one in self.recorder.noted:
            self.assertLessEqual(one.started, one.incoming.began)
            self.assertLessEqual(one.incoming.began, one.incoming.ended)

    async def test_nothing_is_left_on_a_connection(self):
        async def answer(request):
            return web.Response(text="ok")

        url = await self.serve(web.get("/", answer))
        async with ClientSession() as session:
            for _ in range(2):
                response = await session.get(url)
                await response.read()
            [[(protocol, _)]] = [list(one) for one in session.connector._conns.values()]
        self.assertEqual([name for name in vars(protocol) if callable(getattr(type(protocol), name, None))], [])

    async def test_what_the_server_or_the_client_breaks_off(self):
        async def behave(writer, before):
            writer.write(OK[:-1])
            await writer.drain()
            if before:
                await asyncio.sleep(AT_MOST)

        url = await self.serve_raw(behave)
        async with ClientSession() as session:
            with self.assertRaises(ClientError):
                async with session.get(url) as response:
                    await response.read()
            async with session.get(url) as response:
                await response.content.readexactly(1)
        self.assertEqual(self.came(), [(OK[:-1], True), (OK[:-1], False)])

    async def test_what_the_client_ends_while_a_response_is_read(self):
        async def behave(writer, before):
            writer.write(OK[:-1])
            await writer.drain()
            await asyncio.sleep(AT_MOST)

        def abort(session, protocol):
            # As aiohttp 3.12 and newer end a connection with TLS; older ones close all.
            getattr(protocol, "abort", protocol.close)()

        url = await self.serve_raw(behave)
        for leave in (lambda session, protocol: session.close(), abort):
            async with ClientSession() as session:
                response = await session.get(url)
                self.assertEqual(await response.content.readexactly(1), b"o")
                leaving = leave(session, response.connection.protocol)
                if leaving is not None:
                    await leaving
                await idle()
                response.close()
        self.assertEqual(self.came(), [(OK[:-1], False)] * 2)

    async def test_of_what_is_too_large_the_beginning(self):
        async def answer(request):
            return web.Response(body=bytes(2 ** 18))

        url = await self.serve(web.get("/", answer))
        with patch.object(incoming, "MOST", 2 ** 17):
            async with ClientSession() as session, session.get(url) as response:
                self.assertEqual(len(await response.read()), 2 ** 18)
        [exchange] = self.recorder.noted
        self.assertTrue(exchange.incoming.is_too_large)
        self.assertLessEqual(len(exchange.incoming.raw), 2 ** 16)
        self.assertTrue(exchange.incoming.raw.startswith(b"HTTP/1.1 200 OK\r\n"))

    async def test_a_stub_of_a_connection_is_left_alone(self):
        class Stub:
            class protocol:
                __slots__ = ()

            protocol = protocol()

            def add_callback(self, callback):
                raise AssertionError

        self.assertEqual(incoming.Incoming(Stub()).raw, b"")

    async def test_a_transport_that_keeps_the_methods_of_its_protocol_is_told(self):
        # As that of uvloop does.
        class Transport:
            def set_protocol(self, protocol):
                self.data_received = protocol.data_received

        class Protocol:
            transport = Transport()

            def __init__(self):
                self.received = []
                self.transport.set_protocol(self)

            def data_received(self, data):
                self.received.append(data)

            def connection_lost(self, error):
                pass

        class Connection:
            protocol = Protocol()
            callbacks = []
            add_callback = callbacks.append

        one = incoming.Incoming(Connection())
        Protocol.transport.data_received(b"a")
        [let_go] = Connection.callbacks
        let_go()
        Protocol.transport.data_received(b"b")
        self.assertEqual((one.raw, Connection.protocol.received), (b"a", [b"a", b"b"]))


class BodyReadTest(unittest.IsolatedAsyncioTestCase):
    async def test_a_body_that_was_read_as_a_whole(self):
        with aioresponses() as mock:
            mock.get("http://example.com/", body="body", repeat=True)
            async with ClientSession() as session:
                for read, body in ((True, b"body"), (False, None)):
                    async with session.get("http://example.com/") as response:
                        if read:
                            await response.text()
                        self.assertEqual(incoming.body_read(response), body)
