"""Whose latency counts, and what waits: replies and refusals do, what is passed through does not."""

import asyncio

from aiohttp import ClientConnectionError, ClientOSError, ClientSession, ServerDisconnectedError, web

from aioresponses import Fault, aioresponses

from .servers import ServerTestCase
from .support import AT_MOST, SITE, TRIES_AGAIN, USERS, MockedTestCase, Turns, error_of, text_of


class LatencyTestCase(MockedTestCase):
    async def more_turns(self):
        """Return how many turns of the loop an answer takes more than one that comes in the step of the request."""
        return await self.turns_of() - await self.turns_of(USERS)

    async def turns_of(self, url=SITE):
        turns = Turns()
        await error_of(text_of(self.session, url))
        return turns.stop()


class WhoseTest(LatencyTestCase):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.mock.get(USERS, repeat=True)
        self.mock.get(SITE, repeat=True)
        await text_of(self.session, USERS)

    async def test_the_latency_of_the_mock_that_answers_counts(self):
        self.assertEqual(await self.more_turns(), 0)
        with aioresponses(latency=0) as inner:
            self.assertEqual(await self.more_turns(), 0)
            inner.get(SITE)
            self.assertEqual(await self.more_turns(), 1)
            inner.get(SITE, fault=Fault.CONNECTION_REFUSED)
            self.assertEqual(await self.turns_of(), 1)

    async def test_the_latency_of_the_innermost_mock_counts_for_a_refusal(self):
        url = SITE + "nowhere"
        self.assertEqual(await self.turns_of(url), 0)
        with aioresponses(latency=0):
            self.assertEqual(await self.turns_of(url), 1)
            with aioresponses():
                self.assertEqual(await self.turns_of(url), 0)

    async def test_the_latency_may_be_changed_at_any_time(self):
        with aioresponses() as inner:
            inner.get(SITE, repeat=True)
            for latency, turns in ((None, 0), (0, 1), (None, 0)):
                inner.latency = latency
                self.assertEqual(await self.more_turns(), turns)


class RefusedTest(LatencyTestCase):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.mock.get(USERS, repeat=True)

    async def test_a_refused_request_is_recorded_before_it_waits(self):
        self.mock.latency = 60
        task = asyncio.ensure_future(self.session.get(SITE))
        await asyncio.sleep(0)
        self.mock.get(SITE)  # It comes too late for this one.
        self.assertEqual([call.unmatched for call in self.mock.calls], [True])
        task.cancel()
        await asyncio.wait([task])
        self.assertEqual(
            [(call.unmatched, type(call.exception)) for call in self.mock.calls], [(True, asyncio.CancelledError)]
        )

    async def test_its_note_tells_of_the_mocks_that_there_were(self):
        self.mock.latency = 0
        task = asyncio.ensure_future(self.session.get(SITE))
        await asyncio.sleep(0)
        self.mock.clear()
        with self.assertRaises(ClientConnectionError) as raised:
            await task
        self.assertEqual(
            raised.exception.__notes__,
            [
                "aioresponses: no mock answers GET http://example.com/\n"
                "Registered mocks, the closest first:\n"
                "  GET http://example.com/users: path differs: mock has '/users', request has '/'"
            ],
        )

    async def test_what_a_condition_raises_does_not_wait(self):
        def match(call):
            raise ValueError("wrong")

        self.mock.latency = 60
        self.mock.get(SITE, match=match)
        self.assertEqual(
            await asyncio.wait_for(error_of(self.session.get(SITE)), AT_MOST), (ValueError, "wrong")
        )


class SecondTryTest(LatencyTestCase):
    """aiohttp itself asks once more after some exceptions: what was raised on purpose is raised once more, at once."""

    async def test_an_exception_waits_once_and_a_fault_each_time(self):
        self.mock.get(USERS, repeat=True)
        for latency, reply, turns in (
            (None, {"exception": ServerDisconnectedError()}, 0),
            (0, {"exception": ServerDisconnectedError()}, 1),
            (0, {"exception": ClientOSError()}, 1),
            (0, {"fault": Fault.CONNECTION_RESET}, 2 if TRIES_AGAIN else 1),
        ):
            with aioresponses(latency=latency) as mock:
                mock.get(SITE, **reply)
                # The second try takes turns of its own, by which it is closed.
                taken = await self.turns_of()
            with aioresponses() as mock:
                mock.get(SITE, **reply)
                self.assertEqual(taken - await self.turns_of(), turns)


class PassedThroughTest(ServerTestCase):
    async def test_a_request_that_passes_through_does_not_wait(self):
        async def answer(request):
            return web.Response(text="real")

        url = await self.serve(web.get("/", answer))
        for options in ({"passthrough": [url]}, {"passthrough_unmatched": True}):
            with aioresponses(latency=60, **options):
                async with ClientSession() as session:
                    self.assertEqual(await asyncio.wait_for(text_of(session, url), AT_MOST), "real")
