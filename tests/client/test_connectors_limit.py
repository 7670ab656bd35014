"""No more requests are in flight than the connector of a session allows, and none waits without need."""

import asyncio

from aiohttp import ClientSession, TCPConnector

from aioresponses import aioresponses

from ..servers import ServerTestCase, fetch
from ..support import AT_MOST, LARGE, REUSED, SITE, about_connections, text_of, traced


class LimitTest(ServerTestCase):
    """No more requests are in flight than the connector allows, and none waits without need."""

    async def test_a_request_that_waits_for_a_connection_is_queued(self):
        here = await self.origin()
        here.answers("GET", "/large", body=LARGE)
        here.answers("GET", "/small", body=b"small")

        async def scenario():
            signals = {}
            queued = asyncio.Event()
            config = traced(signals)

            async def note(session, context, params):
                queued.set()

            config.on_connection_queued_start.append(note)
            async with ClientSession(connector=TCPConnector(limit=1), trace_configs=[config]) as session:
                async with session.get(here.url / "large", trace_request_ctx="large") as response:
                    small = asyncio.ensure_future(fetch(session, "GET", here.url / "small", trace_request_ctx="small"))
                    await queued.wait()
                    before = small.done()
                    complete = await response.read() == LARGE
                return before, complete, (await small).body, signals["small"]

        outcome = await self.compare(scenario)
        self.assertEqual(outcome.seen[:3], (False, True, b"small"))
        self.assertEqual(
            [signal for signal in outcome.seen[3] if "connection" in signal],
            ["on_connection_queued_start", "on_connection_queued_end", "on_connection_reuseconn"],
        )

    async def test_each_of_many_requests_at_a_time_gets_its_own_answer(self):
        here = await self.origin()
        for number in range(50):
            here.answers("GET", f"/{number}", body=b"%d" % number)

        async def scenario():
            async with ClientSession(connector=TCPConnector(limit=7)) as session:
                responses = await asyncio.gather(*[
                    fetch(session, "GET", here.url / str(number)) for number in range(50)
                ])
                return [response.body for response in responses]

        outcome = await self.compare(scenario, what_came_in=False)
        self.assertEqual(outcome.seen, [b"%d" % number for number in range(50)])

    async def test_requests_over_the_limit_of_a_host_wait(self):
        running = most = 0

        async def callback(url, **kwargs):
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

        with aioresponses() as mock:
            mock.get("http://example.com/", callback=callback, repeat=True)
            mock.get("http://example.org/", callback=callback, repeat=True)
            async with ClientSession(connector=TCPConnector(limit_per_host=2)) as session:
                responses = await asyncio.gather(*[
                    session.get(url) for url in ("http://example.com/", "http://example.org/") for _ in range(5)
                ])
        self.assertEqual(([response.status for response in responses], most), ([200] * 10, 4))

    async def test_the_limit_of_the_session_holds_for_mocks(self):
        async def callback(url, **kwargs):
            nonlocal at_once
            at_once += 1
            most.append(at_once)
            await asyncio.sleep(0)
            at_once -= 1

        at_once, most = 0, []
        with aioresponses() as mock:
            mock.get(SITE, callback=callback, repeat=True)
            async with ClientSession(connector=TCPConnector(limit=3)) as session:
                await asyncio.gather(*(text_of(session) for _ in range(20)))
        self.assertEqual([len(most), max(most)], [20, 3])

    async def in_flight(self, count, **options):
        """Return which requests are at the server whenever one of `count` has been answered, in order."""
        here = await self.origin()
        most = options.get("limit_per_host") or options["limit"]
        waiting = [here.answers("GET", f"/{number}", answer=asyncio.Event()) for number in range(count)]

        async def scenario():
            there = []
            async with ClientSession(connector=TCPConnector(**options)) as session:
                asked = [asyncio.ensure_future(fetch(session, "GET", reply.url)) for reply in waiting]
                for number, reply in enumerate(waiting):
                    for begun in waiting[number:number + most]:
                        await asyncio.wait_for(begun.begun.wait(), AT_MOST)
                    there.append([
                        number for number, reply in enumerate(waiting)
                        if reply.begun.is_set() and not reply.answer.is_set()
                    ])
                    reply.answer.set()
                    await asyncio.wait_for(asked[number], AT_MOST)
                    self.assertEqual([task.done() for task in asked], [place <= number for place in range(count)])
            return there

        return (await self.compare(scenario, what_came_in=False)).seen

    async def test_requests_one_at_a_time(self):
        for options in ({"limit": 1}, {"limit_per_host": 1}, {"limit": 1, "force_close": True}):
            with self.subTest(**options):
                self.assertEqual(await self.in_flight(5, **options), [[0], [1], [2], [3], [4]])

    async def test_requests_two_at_a_time(self):
        for options in ({"limit": 2}, {"limit_per_host": 2}, {"limit": 2, "force_close": True}):
            with self.subTest(**options):
                self.assertEqual(await self.in_flight(5, **options), [[0, 1], [1, 2], [2, 3], [3, 4], [4]])

    async def freed(self, **options):
        """Return which requests are at the server after all that were there have been answered at once."""
        here = await self.origin()
        most = options.get("limit_per_host") or options["limit"]
        waiting = [here.answers("GET", f"/{number}", answer=asyncio.Event()) for number in range(2 * most)]
        first, second = waiting[:most], waiting[most:]

        async def scenario():
            async with ClientSession(connector=TCPConnector(**options)) as session:
                asked = [asyncio.ensure_future(fetch(session, "GET", reply.url)) for reply in waiting]
                for reply in first:
                    await asyncio.wait_for(reply.begun.wait(), AT_MOST)
                for reply in first:
                    reply.answer.set()
                begun = [asyncio.ensure_future(reply.begun.wait()) for reply in second]
                # So long is waited only if there is something wrong.
                await asyncio.wait(begun, timeout=5)
                there = [reply.url.path for reply in second if reply.begun.is_set()]
                for reply in second:
                    reply.answer.set()
                await asyncio.wait_for(asyncio.gather(*asked, *begun), AT_MOST)
            return there

        return (await self.compare(scenario, what_came_in=False)).seen

    async def test_all_requests_that_wait_go_on_when_as_many_are_answered_at_once(self):
        for options in ({"limit": 1}, {"limit": 2}, {"limit": 3}, {"limit_per_host": 2}):
            with self.subTest(**options):
                most = options.get("limit_per_host") or options["limit"]
                self.assertEqual(await self.freed(**options), [f"/{number}" for number in range(most, 2 * most)])

    async def test_a_request_that_waits_while_another_host_is_asked_is_answered(self):
        one, other = await self.origin(), await self.origin()
        waiting = [
            host.answers("GET", f"/{number}", answer=asyncio.Event()) for number in "01" for host in (one, other)
        ]

        async def scenario():
            async with ClientSession(connector=TCPConnector(limit=1)) as session:
                asked = []
                for reply in waiting:
                    reply.answer.set()
                    asked.append(asyncio.ensure_future(fetch(session, "GET", reply.url)))
                return [response.status for response in await asyncio.wait_for(asyncio.gather(*asked), AT_MOST)]

        self.assertEqual((await self.compare(scenario, what_came_in=False)).seen, [200] * 4)

    async def test_a_request_that_gives_up_waiting_leaves_its_place_to_the_next(self):
        here = await self.origin()
        waiting = [here.answers("GET", f"/{number}", answer=asyncio.Event()) for number in range(3)]

        async def scenario():
            async with ClientSession(connector=TCPConnector(limit=1)) as session:
                asked = []
                for reply in waiting:
                    asked.append(asyncio.ensure_future(fetch(session, "GET", reply.url)))
                    if len(asked) == 1:
                        await reply.begun.wait()
                # Each of them has asked for a connection by then, and waits.
                await asyncio.sleep(0)
                asked[1].cancel()
                waiting[0].answer.set()
                waiting[2].answer.set()
                await asyncio.wait(asked, timeout=AT_MOST)
                return [asked[0].result().status, asked[1].cancelled(), asked[2].result().status]

        self.assertEqual((await self.compare(scenario, what_came_in=False)).seen, [200, True, 200])

    async def test_requests_of_sessions_with_and_without_traces_share_the_limit(self):
        here = await self.origin()
        waiting = [here.answers("GET", f"/{number}", answer=asyncio.Event()) for number in range(4)]

        async def scenario():
            signals, there = {}, []
            connector = TCPConnector(limit=1)
            async with ClientSession(connector=connector, connector_owner=False) as plain:
                async with ClientSession(
                    connector=connector, connector_owner=False, trace_configs=[traced(signals)]
                ) as session:
                    asked = [
                        asyncio.ensure_future(
                            fetch(session if number % 2 else plain, "GET", reply.url, trace_request_ctx=number)
                        )
                        for number, reply in enumerate(waiting)
                    ]
                    for reply in waiting:
                        await asyncio.wait_for(reply.begun.wait(), AT_MOST)
                        there.append([other.url.path for other in waiting if other.begun.is_set()])
                        reply.answer.set()
                    await asyncio.gather(*asked)
            await connector.close()
            return there, about_connections(signals)

        there, signals = (await self.compare(scenario, what_came_in=False)).seen
        self.assertEqual(there, [["/0"], ["/0", "/1"], ["/0", "/1", "/2"], ["/0", "/1", "/2", "/3"]])
        queued = ["on_connection_queued_start", "on_connection_queued_end", *REUSED]
        self.assertEqual(signals, {1: queued, 3: queued})
