"""Which kinds are looked for, when, and sessions that are left behind."""

import asyncio
import unittest

import aiohttp
from aiohttp import ClientSession, TCPConnector, web
from aiohttp.test_utils import TestClient, TestServer

from aioresponses import Fault, aioresponses

from ..leaving import LARGE, Client, LeaksTestCase, at, closed, new_session, own_session_class
from ..support import SITE, get


class EveryKindTest(LeaksTestCase):
    def test_a_client_that_leaves_three_things_behind_and_one_that_does_not(self):
        async def leave(mock):
            mock.get(SITE, body=LARGE)
            client = Client()
            return await client.get(), client

        async def close(mock):
            mock.get(SITE, body=LARGE)
            client = Client()
            async with await client.get() as response:
                await response.read()
            await client.close()

        self.assertEqual(self.left(leave), [
            "3 things were left behind:",
            "  ClientSession never closed",
            f"    created at {at(Client.__init__, 1)}",
            f"  GET {SITE} -> 200: response holds its connection, neither read nor released",
            f"    requested at {at(Client.get, 1)}",
            "  task 'refresh' still running: Client.refresh",
            f"    created at {at(Client.__init__, 2)}",
        ])
        self.assertEqual(self.left(close), [])

    def test_a_lone_name_is_that_one_kind(self):
        async def leave(mock):
            mock.get(SITE, body=LARGE, repeat=True)
            mock.post(SITE, body="small")
            mock.put(SITE, fault=Fault.HANG)
            client = Client()
            connector = TCPConnector()
            hanging = asyncio.ensure_future(client.session.put(SITE))
            await client.session.post(SITE)
            response = await client.get()
            await asyncio.sleep(0)
            return hanging, response, client, connector

        whats = {
            "session": "  ClientSession never closed",
            "connector": "  TCPConnector never closed",
            "response": f"  GET {SITE} -> 200: response holds its connection, neither read nor released",
            "unread":
                f"  POST {SITE} -> 200: response unread, would hold a connection if the body were larger",
            "call": f"  PUT {SITE}: call never ended",
            "task": "  task 'refresh' still running: Client.refresh",
        }
        for kind, what in whats.items():
            for kinds in (kind, [kind], (kind,), {kind}, {kind: 1}):
                with self.subTest(kinds=kinds):
                    lines = self.left(leave, kinds)
                    self.assertEqual(lines[1], what)
                    # Its connector is told beside a session alone if sessions are not looked for, and so is a task.
                    count = 2 if kind in ("connector", "task") else 1
                    self.assertEqual(len(lines), 1 + 2 * count)
                    self.assertEqual(lines[0].split(" left ")[0], "1 thing was" if count == 1 else "2 things were")
        self.assertEqual(self.left(leave, ()), [])
        self.assertEqual(self.left(leave, False), [])
        self.assertEqual([line for line in self.left(leave) if "would hold" in line], [])
        everything = self.left(leave, [*whats])
        self.assertEqual([line for line in everything if line in whats.values()], list(whats.values()))

    def test_what_is_no_kind_is_refused(self):
        asked = (
            "assert_no_leaks: expected True, False, or any of "
            "'session', 'connector', 'response', 'call', 'task', 'unread', got "
        )
        for wrong, error in (
            ("sessions", ValueError), (["session", "sockets"], ValueError), ("", ValueError), ({"Session"}, ValueError),
            (None, TypeError), (1, TypeError), (0, TypeError), (b"session", TypeError), ([b"session"], TypeError),
            ([None], TypeError), (iter(["session"]), TypeError), (ClientSession, TypeError),
        ):
            with self.subTest(wrong), self.assertRaises(error) as raised:
                aioresponses(assert_no_leaks=wrong)
            wrong_one = wrong[-1] if wrong == ["session", "sockets"] else "Session" if wrong == {"Session"} else wrong
            self.assertEqual(str(raised.exception), f"{asked}{wrong_one!r}")

    def test_strict_asks_for_none(self):
        with aioresponses(strict=True):
            session = asyncio.run(new_session())
        asyncio.run(closed(session))


class SessionsTest(LeaksTestCase):
    def test_sessions_and_connectors(self):
        Own = own_session_class()

        async def drop(mock):
            return [ClientSession()]

        async def drop_of_own_class(mock):
            return [Own()]

        async def drop_connector(mock):
            return [TCPConnector()]

        async def drop_both(mock):
            connector = TCPConnector()
            return ClientSession(connector=connector), connector

        async def close_one_that_has_another_s_connector(mock):
            connector = TCPConnector()
            await ClientSession(connector=connector, connector_owner=False).close()
            return [connector]

        async def detach(mock):
            session = ClientSession()
            connector = session.connector
            session.detach()
            return [connector]

        async def close_all(mock):
            connector = TCPConnector()
            async with ClientSession(connector=connector), ClientSession():
                pass
            mock.get(SITE)
            async with aiohttp.request("GET", SITE) as response:
                await response.read()

        session, connector = "  ClientSession never closed", "  TCPConnector never closed"
        for client, line, what in (
            (drop, 1, session), (drop_of_own_class, 1, f"  {Own.__name__} never closed"),
            (drop_connector, 1, connector), (drop_both, 2, session),
            (close_one_that_has_another_s_connector, 1, connector), (detach, 1, connector),
        ):
            with self.subTest(client.__name__):
                self.assertEqual(
                    self.left(client), ["1 thing was left behind:", what, f"    created at {at(client, line)}"]
                )
        self.assertEqual(self.left(close_all), [])

    def test_those_that_were_there_before_do_not_count(self):
        async def main():
            connector = TCPConnector()
            async with ClientSession() as session:
                async def ask(mock):
                    mock.get(SITE)
                    await (await session.get(SITE)).read()
                    await ClientSession(connector=connector, connector_owner=False).close()

                self.assertEqual(await self.left_here(ask), [])
            await closed(connector)

        asyncio.run(main())

    def test_one_made_in_a_thread_counts(self):
        async def main(mock):
            return [await asyncio.to_thread(asyncio.run, new_session())]

        self.assertEqual(
            self.left(main),
            ["1 thing was left behind:", "  ClientSession never closed", f"    created at {at(new_session, 1)}"],
        )

    def test_that_of_a_test_client_is_its_owner_s_to_close(self):
        async def handle(request):
            return web.Response(body=LARGE)

        async def ask(mock):
            app = web.Application()
            app.router.add_get("/", handle)
            client = TestClient(TestServer(app))
            await client.start_server()
            # Its calls are none of the code under test.
            await client.get("/")
            return [client]

        async def ask_and_close(mock):
            [client] = await ask(mock)
            await client.close()

        self.assertEqual(
            self.left(ask),
            ["1 thing was left behind:", "  ClientSession never closed", f"    created at {at(ask, 3)}"],
        )
        self.assertEqual(self.left(ask_and_close), [])


class LookingTest(LeaksTestCase):
    def test_decorated_functions_and_coroutine_functions(self):
        @aioresponses(assert_no_leaks=True)
        async def coroutine(mock):
            asyncio.ensure_future(asyncio.sleep(60))
            mock.get(SITE, body="x")
            return await get()

        @aioresponses(assert_no_leaks=True)
        def function(mock):
            asyncio.run(drop())

        async def drop():
            sessions.append(ClientSession())

        sessions: list[ClientSession] = []
        first = "1 thing was left behind:\n"
        for _ in range(2):
            with self.assertRaisesRegex(AssertionError, rf"\A{first}  task .*: sleep\n.* in coroutine\Z"):
                asyncio.run(coroutine())
            with self.assertRaisesRegex(AssertionError, rf"\A{first}  ClientSession never closed\n.* in drop\Z"):
                function()
        for session in sessions:
            asyncio.run(closed(session))

    def test_decorated_classes(self):
        @aioresponses(assert_no_leaks="connector")
        class Case(unittest.IsolatedAsyncioTestCase):
            async def test(self, mock):
                connectors.append(TCPConnector())

            def test_nothing(self, mock):
                pass

        connectors: list[TCPConnector] = []
        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(result)
        [(_, text)] = result.failures
        self.assertRegex(text, r"AssertionError: 1 thing was left behind:\n  TCPConnector never closed\n.* in test\n\Z")
        asyncio.run(closed(*connectors))

    def test_an_exception_on_its_way_is_the_one_to_see(self):
        async def main():
            async with aioresponses(assert_no_leaks=True):
                sessions.append(ClientSession())
                raise KeyboardInterrupt

        sessions: list[ClientSession] = []
        with self.assertRaises(KeyboardInterrupt):
            asyncio.run(main())
        asyncio.run(closed(*sessions))

    def test_a_block_that_is_cancelled_while_it_gives_turns_stops_its_mock(self):
        async def block():
            async with aioresponses(assert_no_leaks=True) as mock:
                mocks.append(mock)

        async def main():
            task = asyncio.ensure_future(block())
            await asyncio.sleep(0)
            self.assertTrue(mocks[0].active)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertFalse(mocks[0].active)

        mocks: list[aioresponses] = []
        asyncio.run(main())

    def test_strictness_and_what_was_left_behind_are_one_failure(self):
        async def leave():
            async with aioresponses(assert_no_leaks=True, strict=True) as mock:
                mock.get(SITE)
                sessions.append(ClientSession())

        sessions: list[ClientSession] = []
        with self.assertRaises(AssertionError) as raised:
            asyncio.run(leave())
        asyncio.run(closed(*sessions))
        self.assertEqual(str(raised.exception).splitlines(), [
            "1 mock was never used:", f"  GET {SITE}", "There were no calls.",
            "1 thing was left behind:", "  ClientSession never closed", f"    created at {at(leave, 3)}",
        ])

    def test_stop_does_not_look_and_a_new_start_forgets(self):
        async def main():
            mock = aioresponses(assert_no_leaks=True)
            mock.start()
            session = ClientSession()
            mock.stop()
            async with mock:
                pass
            await closed(session)

        asyncio.run(main())

    def test_many_things_are_cut(self):
        async def drop(mock):
            return [TCPConnector() for _ in range(25)]

        lines = self.left(drop)
        self.assertEqual((lines[0], lines[-1]), ("25 things were left behind:", "  … and 5 more"))
        self.assertEqual(len(lines), 1 + 2 * 20 + 1)

    def test_blocks_side_by_side_look_at_their_own(self):
        async def drop(mock):
            await asyncio.sleep(0)
            session = ClientSession()
            await asyncio.sleep(0)
            return [session]

        async def close(mock):
            await asyncio.sleep(0)
            async with ClientSession():
                await asyncio.sleep(0)

        async def main():
            return await asyncio.gather(*[self.left_here(client) for client in (drop, close, drop, close)])

        dropped = ["1 thing was left behind:", "  ClientSession never closed", f"    created at {at(drop, 2)}"]
        self.assertEqual(asyncio.run(main()), [dropped, [], dropped, []])
