"""What can be read of a response after the mock has been stopped, whatever the code under test did with it."""

import asyncio
import gzip
import json
import threading
import unittest

import aiohttp
from aiohttp import ClientConnectionError, ClientSession, web

from aioresponses import AioResponsesTestCase, Fault, aioresponses

from ..servers import ServerTestCase
from ..support import AT_MOST, LARGE, SITE, USERS, error_of, idle

PAYLOAD = {"users": ["Ada", "Grace"]}

BODY = json.dumps(PAYLOAD).encode()


async def leaves_unread(session, url=SITE, **options):
    async with session.get(url, **options):
        pass


async def reads(session, url=SITE, **options):
    async with session.get(url, **options) as response:
        await response.read()


async def looks_at_status(session, url=SITE, **options):
    response = await session.get(url, **options)
    response.release()


async def closes(session, url=SITE, **options):
    response = await session.get(url, **options)
    response.close()


async def forgets(session, url=SITE, **options):
    await session.get(url, **options)


async def drains(response):
    return b"".join([piece async for piece in response.content.iter_chunked(5)])


async def joins_chunks(response):
    return b"".join([piece async for piece, _ in response.content.iter_chunks()])


async def joins_lines(response):
    return b"".join([line async for line in response.content])


async def reads_exactly(response):
    return await response.content.readexactly(len(BODY))


READINGS = {
    "read": lambda response: response.read(),
    "text": lambda response: response.text(),
    "json": lambda response: response.json(),
    "content.read": lambda response: response.content.read(),
    "content.readany": lambda response: response.content.readany(),
    "content.readexactly": reads_exactly,
    "iter_chunked": drains,
    "iter_chunks": joins_chunks,
    "lines": joins_lines,
}

EXPECTED = {"text": BODY.decode(), "json": PAYLOAD}


class CompleteTest(unittest.IsolatedAsyncioTestCase):
    async def call_of(self, client, closed=False, **reply):
        """Return the call that a client makes, after the mock has been stopped."""
        async with ClientSession() as session:
            with aioresponses() as mock:
                mock.get(SITE, **reply)
                await client(session)
                if closed:
                    await session.close()
            return mock.calls[0]

    async def test_every_way_of_reading(self):
        for client in (leaves_unread, looks_at_status, closes, forgets):
            for name, read in READINGS.items():
                for closed in (False, True):
                    with self.subTest(client=client.__name__, name=name, closed=closed):
                        call = await self.call_of(client, closed, payload=PAYLOAD)
                        self.assertEqual(await read(call.response), EXPECTED.get(name, BODY))

    async def test_what_the_client_has_read_is_read_again(self):
        for name in ("read", "text", "json"):
            with self.subTest(name):
                call = await self.call_of(reads, payload=PAYLOAD)
                for _ in range(2):
                    self.assertEqual(await READINGS[name](call.response), EXPECTED.get(name, BODY))

    async def test_it_is_read_several_times(self):
        call = await self.call_of(leaves_unread, payload=PAYLOAD)
        self.assertEqual([await call.response.json() for _ in range(3)], [PAYLOAD] * 3)

    async def test_the_rest_of_what_the_client_has_read_in_part(self):
        async def reads_in_part(session):
            async with session.get(SITE) as response:
                self.assertEqual(await response.content.read(4), BODY[:4])

        call = await self.call_of(reads_in_part, payload=PAYLOAD)
        self.assertEqual(await call.response.read(), BODY[4:])

    async def test_bodies_of_every_kind(self):
        async def stream():
            yield BODY

        for name, (reply, expected) in {
            "empty": ({}, b""),
            "no content": ({"status": 204}, b""),
            "an error": ({"status": 500, "body": BODY}, BODY),
            "chunked": ({"body": BODY, "headers": {"Transfer-Encoding": "chunked"}}, BODY),
            "compressed": ({"body": BODY, "headers": {"Content-Encoding": "gzip"}}, BODY),
            "compressed already": ({"body": gzip.compress(BODY), "headers": {"Content-Encoding": "gzip"}}, BODY),
            "until the connection ends": ({"body": BODY, "headers": {"Connection": "close"}}, BODY),
            "large": ({"body": LARGE[:2 ** 18 - 2 ** 10]}, LARGE[:2 ** 18 - 2 ** 10]),
        }.items():
            for client in (leaves_unread, forgets):
                with self.subTest(name, client=client.__name__):
                    call = await self.call_of(client, **reply)
                    self.assertEqual(await asyncio.wait_for(call.response.read(), AT_MOST), expected)

        async def reads_late(session):
            response = await session.get(SITE)
            await idle()
            response.release()

        call = await self.call_of(reads_late, body=stream)
        self.assertEqual(await call.response.read(), BODY)

    async def test_a_large_body_that_the_client_has_read(self):
        call = await self.call_of(reads, body=LARGE)
        self.assertEqual(await call.response.read(), LARGE)

    async def test_a_response_to_head(self):
        async with ClientSession() as session:
            with aioresponses() as mock:
                mock.head(SITE, body=BODY)
                async with session.head(SITE):
                    pass
        self.assertEqual(await mock.calls[0].response.read(), b"")

    async def test_responses_of_a_redirect(self):
        async with ClientSession() as session:
            with aioresponses() as mock:
                mock.get(SITE, status=302, body="moved", headers={"Location": USERS}, content_type="text/plain")
                mock.get(USERS, payload=PAYLOAD)
                await leaves_unread(session)
        call = mock.calls[0]
        self.assertEqual(await call.response.json(), PAYLOAD)
        self.assertEqual(await call.response.history[0].read(), b"moved")
        self.assertEqual([await hop.response.read() for hop in call.hops], [b"moved", BODY])

    async def test_calls_that_were_looked_at_before(self):
        async with ClientSession() as session:
            with aioresponses() as mock:
                handle = mock.get(SITE, payload=PAYLOAD, repeat=True)
                await leaves_unread(session)
                seen = mock.calls[0].response
                mock.clear()
                mock.get(SITE, payload=PAYLOAD)
                await leaves_unread(session)
        self.assertEqual(await seen.json(), PAYLOAD)
        self.assertEqual(await handle.calls[0].response.json(), PAYLOAD)
        self.assertEqual(await mock.calls[1].response.json(), PAYLOAD)

    async def test_a_mock_that_is_started_again(self):
        mock = aioresponses()
        async with ClientSession() as session:
            for _ in range(2):
                with mock:
                    mock.get(SITE, payload=PAYLOAD)
                    await leaves_unread(session)
        self.assertEqual([await call.response.json() for call in mock.calls], [PAYLOAD] * 2)

    async def test_a_mock_that_keeps_few_calls(self):
        async with ClientSession() as session:
            with aioresponses(keep_calls=2) as mock:
                mock.get(SITE, payload=PAYLOAD, repeat=True)
                for _ in range(4):
                    await leaves_unread(session)
        self.assertEqual([await call.response.json() for call in mock.calls], [PAYLOAD] * 2)

    async def test_a_class_of_responses_of_the_users(self):
        class Own(aiohttp.ClientResponse):
            content = property(lambda self: "mine", lambda self, value: None)

        call = await self.call_of(forgets, payload=PAYLOAD, response_class=Own)
        self.assertEqual(call.response.content, "mine")


class LoopsTest(unittest.TestCase):
    async def use(self, client):
        async with ClientSession() as session:
            await client(session)

    def test_after_the_loop_was_closed(self):
        for client in (leaves_unread, reads, forgets):
            for reply in ({"payload": PAYLOAD}, {"body": LARGE[:2 ** 18 - 2 ** 10]}):
                with self.subTest(client=client.__name__):
                    with aioresponses() as mock:
                        mock.get(SITE, **reply)
                        asyncio.run(self.use(client))
                    expected = reply.get("body", BODY)
                    self.assertEqual(asyncio.run(mock.calls[0].response.read()), expected)

    def test_a_mock_that_is_stopped_in_another_thread(self):
        mock = aioresponses()
        mock.start()
        mock.get(SITE, payload=PAYLOAD)
        asyncio.run(self.use(leaves_unread))
        thread = threading.Thread(target=mock.stop)
        thread.start()
        thread.join()
        self.assertEqual(asyncio.run(mock.calls[0].response.json()), PAYLOAD)

    def test_after_a_test_case(self):
        kept = []

        class Case(AioResponsesTestCase):
            async def test(self):
                self.mock.get(SITE, payload=PAYLOAD)
                await leaves_unread(self.client_session())
                kept.append(self.mock.calls[0])

        self.assertTrue(Case("test").run().wasSuccessful())
        self.assertEqual(asyncio.run(kept[0].response.json()), PAYLOAD)


class StillFailsTest(ServerTestCase):
    async def test_a_response_that_has_not_come_in_completely(self):
        for client in (leaves_unread, looks_at_status, closes, forgets):
            for closed in (False, True):
                for name, read in READINGS.items():
                    if name.startswith(("iter", "lines", "content.readany", "content.readexactly")):
                        continue  # These may be given what has come in.
                    async with ClientSession() as session:
                        with aioresponses() as mock:
                            mock.get(SITE, body=LARGE)
                            await client(session)
                            if closed:
                                await session.close()
                    with self.subTest(client=client.__name__, closed=closed, name=name):
                        with self.assertRaises(aiohttp.ClientError):
                            await asyncio.wait_for(read(mock.calls[0].response), AT_MOST)
                        mock.calls[0].response.close()

    async def test_a_body_that_was_cut_off_or_broke(self):
        async def breaks():
            yield BODY
            raise ValueError("broken")

        for reply in ({"body": BODY, "fault": Fault.TRUNCATED_BODY}, {"body": breaks}):
            for client in (looks_at_status, leaves_unread, forgets):
                with self.subTest(reply, client=client.__name__):
                    async with ClientSession() as session:
                        with aioresponses() as mock:
                            mock.get(SITE, **reply)
                            await client(session)
                            await idle()
                        with self.assertRaises((aiohttp.ClientError, ValueError)):
                            await asyncio.wait_for(mock.calls[0].response.read(), AT_MOST)

    async def test_while_the_mock_is_active_as_with_a_server(self):
        here = await self.origin()
        for _ in range(2):
            here.answers("GET", "/", body=BODY)

        async def scenario():
            failures = []
            async with ClientSession() as session:
                for reads_first in (False, True):
                    async with session.get(here.url) as response:
                        if reads_first:
                            await response.read()
                    failures += [await error_of(response.read()), await error_of(response.content.read())]
            return failures

        outcome = await self.compare(scenario)
        self.assertEqual(outcome.seen, [(ClientConnectionError, "Connection closed")] * 4)

    async def test_a_response_that_was_passed_through(self):
        async def real(request):
            return web.Response(text="real")

        url = await self.serve(web.get("/", real))
        async with ClientSession() as session:
            with aioresponses(passthrough_unmatched=True) as mock:
                await leaves_unread(session, url)
                mock.get(url, passthrough=True)
                await leaves_unread(session, url)
            for call in mock.calls:
                with self.assertRaisesRegex(ClientConnectionError, "^Connection closed$"):
                    await call.response.read()
