"""What is noted of calls: their arguments, what was sent, and how they are looked at, whenever that is."""

import aiohttp
from aiohttp import ServerDisconnectedError

from aioresponses import Fault

from .support import SITE, TRIES_AGAIN, MockedTestCase, error_of, large_bodies_allowed, text_of


class TriedAgainTest(MockedTestCase):
    """aiohttp itself sends an idempotent request once more where the server hung up."""

    BODIES = (b"", b"body", b"x" * 2 ** 17, b"x" * (2 ** 22 + 1))

    async def test_after_an_exception_of_the_mock_it_is_shown_once(self):
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

    async def test_it_is_shown_once_to_who_looked_in_between(self):
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

    async def test_after_a_fault_each_try_is_shown_once(self):
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

    async def test_after_a_fault_without_another_mock_each_try_is_shown_once(self):
        for body in self.BODIES:
            with self.subTest(len(body)):
                match = self.mock.put(SITE, fault=Fault.EMPTY_RESPONSE)
                with self.assertRaises(ServerDisconnectedError), large_bodies_allowed():
                    await text_of(self.session, method="PUT", data=body)
                call = self.mock.calls[-1]
                self.assertEqual(match.call_count, 1)
                self.assertEqual([len(hop.body) for hop in call.hops], [len(body)] * (2 if TRIES_AGAIN else 1))
