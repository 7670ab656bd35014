"""aiohttp itself tries an idempotent request once more where the connection broke: who answers."""

import aiohttp
from aiohttp import ClientSession, ServerDisconnectedError, web

from aioresponses import Fault, aioresponses

from .servers import IDEMPOTENT, METHODS, OK, FaultTestCase, closes, connections, end_of, resets, sends, talks_nonsense
from .support import SITE, TRIES_AGAIN, MockedTestCase, error_of, large_bodies_allowed, text_of


class SecondTryTest(FaultTestCase):
    """aiohttp tries idempotent requests once more, from 3.10 on."""

    async def recovers(self, fails, fault):
        async def behave(writer, before):
            if before:
                writer.write(OK if method != "HEAD" else OK[:-2])
                await writer.drain()
            else:
                await fails(writer, before)

        for method in METHODS:
            with self.subTest(method):
                url = await self.serve_raw(behave)

                def register(mock):
                    mock.add(url, method, fault=fault)
                    mock.add(url, method, body="ok", headers={"Content-Type": "text/plain"})

                async def scenario():
                    async with ClientSession() as session:
                        return await end_of(session, method, url)

                outcome = await self.compare(scenario, register)
                tries = 2 if method in IDEMPOTENT and TRIES_AGAIN else 1
                self.assertEqual(len(outcome.received), tries)
                self.assertEqual(outcome.seen[0] == 200, tries == 2)

    async def test_the_next_mock_answers_the_second_try_after_a_reset(self):
        await self.recovers(resets, Fault.CONNECTION_RESET)

    async def test_the_next_mock_answers_the_second_try_after_an_empty_response(self):
        await self.recovers(closes, Fault.EMPTY_RESPONSE)

    async def test_another_fault_may_answer_the_second_try(self):
        async def behave(writer, before):
            await (talks_nonsense if before else resets)(writer, before)

        await self.like(
            behave,
            {"fault": Fault.CONNECTION_RESET},
            {"fault": Fault.MALFORMED_RESPONSE},
            methods=METHODS if TRIES_AGAIN else ("POST", "PATCH"),
        )

    async def test_the_second_try_has_a_connection_of_its_own(self):
        url = await self.serve_raw(resets)
        signals = []

        async def scenario():
            async with ClientSession(trace_configs=[connections(signals)]) as session:
                await end_of(session, "GET", url)
            signals.append("end")

        await self.compare(scenario, lambda mock: mock.get(url, fault=Fault.CONNECTION_RESET))
        tries = ["on_connection_create_start"] * (2 if TRIES_AGAIN else 1) + ["end"]
        self.assertEqual(signals, tries + tries)

    async def test_a_fault_that_repeats_answers_both_tries(self):
        for times in (2, 3, True):
            with self.subTest(times), aioresponses() as mock:
                match = mock.get("http://example.com/", fault=Fault.EMPTY_RESPONSE, repeat=times)
                async with ClientSession() as session:
                    await end_of(session, "GET", "http://example.com/")
                self.assertEqual(match.call_count, 2 if TRIES_AGAIN else 1)

    async def test_each_try_is_a_hop_of_the_call(self):
        with aioresponses() as mock:
            first = mock.get("http://example.com/", fault=Fault.CONNECTION_RESET)
            second = mock.get("http://example.com/", payload=1)
            async with ClientSession() as session:
                await end_of(session, "GET", "http://example.com/")
            if TRIES_AGAIN:
                self.assertEqual(
                    [str(call) for call in mock.calls],
                    ["GET http://example.com/ -> no response, GET http://example.com/ -> 200"],
                )
            self.assertEqual(
                [hop.match for hop in mock.calls[0].hops], [first, second] if TRIES_AGAIN else [first]
            )

    async def test_without_another_mock_the_first_one_is_used_once(self):
        with aioresponses(assert_all_mocked=True) as mock:
            match = mock.get("http://example.com/", fault=Fault.CONNECTION_RESET)
            async with ClientSession() as session:
                await end_of(session, "GET", "http://example.com/")
            self.assertEqual((match.call_count, match.remaining, mock.call_count), (1, 0, 1))
            self.assertEqual(mock.unmatched_calls, [])

    async def test_the_request_after_a_second_try_is_refused_in_the_usual_words(self):
        # The next request is not a second try of anything, and no mock answers it.
        with aioresponses() as mock:
            mock.get("http://example.com/", fault=Fault.CONNECTION_RESET)
            async with ClientSession() as session:
                first = await end_of(session, "GET", "http://example.com/")
                second = await end_of(session, "GET", "http://example.com/")
        self.assertIn("Connection reset by peer", first[2])
        self.assertEqual(
            second[1:3], (aiohttp.ClientConnectionError, "Connection refused: GET http://example.com/")
        )

    async def test_the_body_is_sent_once_more_with_the_second_try(self):
        async def behave(writer, before):
            if before:
                writer.write(OK)
                await writer.drain()

        url = await self.serve_raw(behave)

        def register(mock):
            replies = [{"fault": Fault.EMPTY_RESPONSE}, {"body": "ok", "content_type": "text/plain"}]
            mock.put(url, replies=replies)

        async def scenario():
            async with ClientSession() as session:
                return await end_of(session, "PUT", url, data=b"body")

        outcome = await self.compare(scenario, register)
        self.assertEqual([request.body for request in outcome.received], [b"body"] * (2 if TRIES_AGAIN else 1))

    async def test_a_fault_on_a_connection_that_has_been_used_before(self):
        async def behave(writer, before):
            # It answers once, and closes the connection at the next request.
            if before == 0:
                writer.write(OK)
                return True

        for method in ("GET", "POST"):
            with self.subTest(method):
                url = await self.serve_raw(behave)

                def register(mock):
                    mock.add(url, method, body="ok", content_type="text/plain")
                    mock.add(url, method, fault=Fault.EMPTY_RESPONSE)

                async def scenario():
                    async with ClientSession() as session:
                        return [await end_of(session, method, url) for _ in range(2)]

                outcome = await self.compare(scenario, register)
                self.assertEqual(len(outcome.received), 3 if method == "GET" and TRIES_AGAIN else 2)

    async def test_a_fault_after_a_body_that_can_be_sent_only_once(self):
        # Whether aiohttp tries it again depends on the release.
        async def body():
            yield b"a"
            yield b"b"

        async def handle(request):
            if len(self.received) == 1:
                request.transport.close()
            return web.Response(body=b"ok", headers={"Content-Type": "text/plain"})

        for options in ({}, {"match_body": "ab"}):
            with self.subTest(**options):
                url = await self.serve(web.put("/", handle))

                def register(mock):
                    mock.put(url, fault=Fault.EMPTY_RESPONSE, **options)
                    mock.put(url, body="ok", content_type="text/plain")

                async def scenario():
                    async with ClientSession() as session:
                        return await end_of(session, "PUT", url, data=body())

                await self.compare(scenario, register)

    async def test_a_fault_is_met_where_unmatched_requests_pass_through(self):
        url = await self.serve_raw(sends(OK))
        with aioresponses(passthrough_unmatched=True) as mock:
            mock.get(url, fault=Fault.CONNECTION_RESET)
            async with ClientSession() as session:
                first = await end_of(session, "GET", url)
                second = await end_of(session, "GET", url)
        self.assertIn("Connection reset by peer", first[2])
        self.assertEqual((second, len(self.received)), ((200, b"ok"), 1))


class TriedAgainTest(MockedTestCase):
    """aiohttp itself sends an idempotent request once more where the server hung up."""

    BODIES = (b"", b"body", b"x" * 2 ** 17, b"x" * (2 ** 22 + 1))

    async def test_a_request_is_shown_once_after_an_exception_of_the_mock(self):
        for method in ("GET", "PUT"):
            for body in self.BODIES:
                for exception in (ServerDisconnectedError(), aiohttp.ClientOSError(5, "Input/output error")):
                    with self.subTest(method, body=len(body), exception=exception):
                        self.mock.add(SITE, method, exception=exception)
                        with self.assertRaises(type(exception)), large_bodies_allowed():
                            await self.session.request(method, SITE, data=body, headers={"X-Id": "1"})
                        call = self.mock.calls[-1]
                        self.assertEqual(list(call.hops), [call])
                        self.assertTrue(call.body == body)
                        self.assertEqual(call.headers.getall("X-Id"), ["1"])
                        self.assertIn(call.headers.get("Content-Length", "0"), [str(len(body))])

    async def test_a_request_is_shown_once_to_a_callback_that_looks_between_the_tries(self):
        def callback(call):
            given.append(call)
            looked.append((call.body, call.headers["X-Id"]))

        for body in self.BODIES:
            given, looked = [], []
            self.mock.put(SITE, callback=callback, exception=ServerDisconnectedError())
            with self.assertRaises(ServerDisconnectedError), large_bodies_allowed():
                await self.session.put(SITE, data=body, headers={"X-Id": "1"})
            call = self.mock.calls[-1]
            # It is one request of the caller, and the mock is asked for it once.
            self.assertEqual(len(given), 1)
            self.assertIs(given[0], call)
            self.assertTrue(looked == [(body, "1")])
            self.assertTrue(call.body == body)

    async def test_each_try_is_shown_once_after_a_fault(self):
        for body in self.BODIES:
            with self.subTest(len(body)):
                first = self.mock.put(SITE, fault=Fault.CONNECTION_RESET)
                second = self.mock.put(SITE, body="second")
                with large_bodies_allowed():
                    outcome = await error_of(text_of(self.session, method="PUT", data=body))
                call = self.mock.calls[-1]
                tries = 2 if TRIES_AGAIN else 1
                self.assertEqual(outcome is None, tries == 2)
                self.assertEqual([first.call_count, second.call_count], [1, tries - 1])
                self.assertEqual([len(hop.body) for hop in call.hops], [len(body)] * tries)
                self.assertTrue(all(each.body == body for each in (call, *call.hops)))
                self.mock.clear()

    async def test_each_try_is_shown_once_after_a_fault_without_another_mock(self):
        for body in self.BODIES:
            with self.subTest(len(body)):
                match = self.mock.put(SITE, fault=Fault.EMPTY_RESPONSE)
                with self.assertRaises(ServerDisconnectedError), large_bodies_allowed():
                    await text_of(self.session, method="PUT", data=body)
                call = self.mock.calls[-1]
                self.assertEqual(match.call_count, 1)
                self.assertEqual([len(hop.body) for hop in call.hops], [len(body)] * (2 if TRIES_AGAIN else 1))
