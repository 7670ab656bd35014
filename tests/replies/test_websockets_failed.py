import asyncio
import contextlib
import enum
import sys

from aiohttp import ClientSession, WSMsgType

from aioresponses import AioResponsesTestCase, aioresponses
from aioresponses.websockets import Close, Drop, Expect, Ping, Send, Sleep

from ..support import OutcomeTestCase, idle

URL = "wss://stream.example.com/ticks"


class RefusedTest(AioResponsesTestCase):
    assert_all_mocked = False

    def refusals(self, function, cases):
        for text, error, arguments in cases:
            with self.subTest(arguments):
                with self.assertRaises(error) as raised:
                    function(arguments)
                self.assertEqual(str(raised.exception), text)

    def test_options_of_the_connection(self):
        self.refusals(lambda options: self.mock.websocket(URL, **options), [
            ("protocols: expected a list of names, got 'v1'", TypeError, {"protocols": "v1"}),
            ("protocols: expected a list of names, got 7", TypeError, {"protocols": 7}),
            ("protocols: expected a str for each name, got 7", TypeError, {"protocols": ["v1", 7]}),
            ("heartbeat: expected seconds or None, got '1'", TypeError, {"heartbeat": "1"}),
            ("heartbeat: expected seconds or None, 0 or more, got -1", ValueError, {"heartbeat": -1}),
            ("autoping: expected a bool, got 1", TypeError, {"autoping": 1}),
            ("compress: expected a bool, got None", TypeError, {"compress": None}),
            ("max_msg_size: expected an int, got '1'", TypeError, {"max_msg_size": "1"}),
            ("max_msg_size: expected an int, got True", TypeError, {"max_msg_size": True}),
            ("max_msg_size: expected an int of at least 0, got -1", ValueError, {"max_msg_size": -1}),
        ])
        self.assertEqual(self.mock._matches, {})

    def test_arguments_that_a_websocket_has_not(self):
        for name in ("status", "handler", "callback", "nope"):
            for register in (self.mock.websocket, self.mock.host("wss://example.com").websocket):
                with self.subTest(name), self.assertRaises(TypeError) as raised:
                    register("/a" if register != self.mock.websocket else URL, **{name: None})
                self.assertTrue(
                    str(raised.exception).startswith(f"websocket() got an unexpected keyword argument '{name}'"),
                    raised.exception,
                )
        self.assertEqual(self.mock._matches, {})

    def test_arguments_that_refuse_a_websocket_belong_to_other_mocks(self):
        for name, meant in (
            ("status", "status"), ("status_code", "status"), ("timeout", "timeout"), ("error", "exception"),
            ("fault", "fault"),
        ):
            with self.subTest(name), self.assertRaises(TypeError) as raised:
                self.mock.websocket(URL, **{name: 403})
            self.assertEqual(
                str(raised.exception),
                f"websocket() got an unexpected keyword argument '{name}': to refuse a WebSocket, use an ordinary "
                f"mock, such as get(), with {meant}=",
            )

    def test_steps(self):
        self.refusals(lambda step: self.mock.websocket(URL, ["first", step]), [
            ("script: step 2: code: expected an int, got '1000'", TypeError, Close("1000")),
            ("script: step 2: code: expected an int from 0 to 65535, got 65536", ValueError, Close(65536)),
            ("script: step 2: message: expected bytes, got 7", TypeError, Close(1000, 7)),
            ("script: step 2: message: expected bytes, got 'ping'", TypeError, Ping("ping")),
            ("script: step 2: timeout: expected seconds, got None", TypeError, Expect("a", None)),
            ("script: step 2: expected seconds, 0 or more, got -1", ValueError, Sleep(-1)),
            (
                "script: step 2: {'a': {1}} cannot be sent as JSON: Object of type set is not JSON serializable",
                TypeError, {"a": {1}},
            ),
            (
                "script: step 2: {1} cannot be sent as JSON: Object of type set is not JSON serializable",
                TypeError, Send({1}),
            ),
        ])
        self.assertEqual(self.mock._matches, {})

    def test_answers_of_rules(self):
        async def answer(message):
            """Return nothing."""

        ws = self.mock.websocket(URL)
        self.refusals(lambda answer: ws.on("ping", "pong", answer), [
            (
                "answer 2: expected a message, or a function that returns one, got Expect(message='a', timeout=1)",
                TypeError, Expect("a"),
            ),
            (
                "answer 2: {1} cannot be sent as JSON: Object of type set is not JSON serializable", TypeError, {1},
            ),
            ("answer 2: code: expected an int, got None", TypeError, Close(None)),
        ])
        with self.assertRaises(TypeError):
            ws.on("ping", answer)

    async def test_wrong_arguments_leave_a_connection_open(self):
        ws = self.mock.websocket(URL)
        async with self.client_session().ws_connect(URL) as client:
            connection = await ws.connection()
            for awaitable in (
                connection.close("1000"), connection.close(1000, 7), connection.send({1}), connection.send(Close()),
                connection.receive(timeout="1"), ws.send({1}), ws.close(None), ws.connection(timeout=None),
                ws.wait_received(1, timeout="1"), ws.wait_received("1"), ws.wait_received(True), ws.wait_received(None),
            ):
                with self.assertRaises(TypeError):
                    await awaitable
            await connection.send("open")
            self.assertEqual(await client.receive_str(), "open")


class FailingRuleTest(OutcomeTestCase):
    def test_it_drops_the_connection_and_fails_the_test(self):
        seen = []

        class Test(AioResponsesTestCase):
            async def test(self):
                self.mock.websocket(URL).on("ping", lambda message: 1 / 0)
                async with self.client_session().ws_connect(URL) as client:
                    await client.send_str("ping")
                    await client.receive()
                    seen.append(client.close_code)

        [text] = self.outcomes(Test)["failures"]
        self.assertIn(f"Rule of GET {URL} raised ZeroDivisionError: division by zero\n", text)
        self.assertEqual(seen, [1006])


class MessageKindsTest(AioResponsesTestCase):
    async def test_members_of_an_enum_that_are_text(self):
        class Op(str, enum.Enum):
            PING = "ping"

        self.mock.websocket(URL, [Expect(Op.PING), "pong"])
        async with self.client_session().ws_connect(URL) as client:
            await client.send_str("ping")
            self.assertEqual(await client.receive_str(), "pong")
        self.assertWebSocketReceived([Op.PING])

    async def test_rules_that_answer_with_steps(self):
        ws = self.mock.websocket(URL)
        ws.on("close", Send(7), Ping(), Sleep(0), Close(1001, b"bye")).on("drop", Drop())
        session = self.client_session()
        async with session.ws_connect(URL) as client:
            await client.send_str("close")
            self.assertEqual(await client.receive_str(), "7")
            message = await client.receive()
            self.assertEqual((message.type, message.data, message.extra), (WSMsgType.CLOSE, 1001, "bye"))
        async with session.ws_connect(URL) as client:
            await client.send_str("drop")
            await client.receive()
            self.assertEqual(client.close_code, 1006)


class UnfinishedScriptTest(OutcomeTestCase):
    """Scripts that have not ended when a mock does, whose loop gets no more turns."""

    def failure(self, script, sent, rules=(), turns=0, stops=False):
        """Return what a plain block says whose client sends these messages and stays connected, or leaves."""
        async def run():
            async with ClientSession() as session:
                with contextlib.ExitStack() as stack, aioresponses() as mock:
                    ws = mock.websocket(URL, script)
                    for rule in rules:
                        ws.on(rule)
                    client = await session.ws_connect(URL)
                    stack.callback(client._response.close)
                    for message in sent:
                        if message is None:
                            await client.close()
                        else:
                            await client.send_str(message)
                    for _ in range(turns):
                        await asyncio.sleep(0)
                    if stops:
                        mock.stop()

        try:
            asyncio.run(run())
        except AssertionError as error:
            return str(error).splitlines()[0].removeprefix(f"Script of GET {URL} failed ")
        return None

    def test_a_client_that_has_not_sent_what_a_script_expects_fails_a_plain_block(self):
        for turns in (0, 1, 5, 50):
            for script, sent, why in (
                ([Expect("a")], [], "at step 1: expected 'a', but nothing came"),
                ([Expect("a"), "ok", Expect("b")], ["a"], "at step 3: expected 'b', but nothing came"),
                ([Expect("a"), Expect({"b": 1})], ["a", "[]"], "at step 2: expected {'b': 1}, got '[]'"),
                ([Expect("a"), "ok", Sleep(0), Expect("b")], ["b"], "at step 1: expected 'a', got 'b'"),
            ):
                for stops in (False, True):
                    with self.subTest(script, turns=turns, stops=stops):
                        self.assertEqual(self.failure(script, sent, turns=turns, stops=stops), why)

    def test_so_does_one_that_leaves_first(self):
        self.assertRegex(self.failure([Expect("a"), Expect("b")], ["a", None]), "^at step 2: expected 'b', but ")

    def test_one_that_has_sent_everything_does_not(self):
        for turns in (0, 1, 5, 50):
            for script, sent in (
                ([Expect("a"), "ok", Expect("b")], ["a", "b"]),
                ([Expect("a"), "ok", Close(1001)], ["a"]),
                (["ok"], []),
                ([], ["unexpected"]),
                ([Expect("a"), Sleep(60), Expect("b")], ["a"]),
                ([Expect("a"), Expect("b")], ["ping", "a", "ping", "b"]),
                ([Expect("a"), Drop()], ["a", "b"]),
                (None, ["a"]),
            ):
                for stops in (False, True):
                    with self.subTest(script, turns=turns, stops=stops):
                        self.assertIsNone(self.failure(script, sent, ["ping"], turns, stops))

    def test_what_cannot_be_compared(self):
        class Strange:
            def __eq__(self, other):
                raise TypeError("not comparable")

        for turns in (0, 50):
            self.assertEqual(
                self.failure([Expect(Strange())], ["a"], turns=turns), "at step 1: TypeError: not comparable"
            )
        self.assertIsNone(self.failure([Expect("a")], ["a"], [Strange()]))

    def test_what_cannot_be_read_is_left_to_the_script(self):
        async def run():
            async with ClientSession() as session:
                with aioresponses() as mock:
                    mock.websocket(URL, [Expect("a")])
                    async with session.ws_connect(URL) as client:
                        client._response.connection.transport.write(b"\xff\xff")

        asyncio.run(run())

    def test_it_fails_a_test_case_as_well_whose_client_stays_connected(self):
        class Test(AioResponsesTestCase):
            async def test(self):
                self.mock.websocket(URL, [Expect("a")])
                client = await self.client_session().ws_connect(URL)
                self.addCleanup(client._response.close)

        [text] = self.outcomes(Test)["failures"]
        self.assertRegex(text, f"AssertionError: Script of GET {URL} failed at step 1: expected 'a', but ")

    if sys.version_info >= (3, 12):

        def test_a_script_that_an_eager_task_has_followed_to_its_failure_is_reported_once(self):
            async def run():
                asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
                async with ClientSession() as session:
                    with contextlib.ExitStack() as stack, aioresponses() as mock:
                        mock.websocket(URL, [Drop(), Expect("a")])
                        client = await session.ws_connect(URL)
                        stack.callback(client._response.close)

            with self.assertRaises(AssertionError) as raised:
                asyncio.run(run())
            self.assertEqual(str(raised.exception).splitlines(), [
                f"Script of GET {URL} failed at step 2: expected 'a', but the client has gone, with code 1006",
                "Calls:",
                f"  1. GET {URL} -> 101",
            ])

    def test_a_second_use_of_the_mock_does_not_count_the_first(self):
        async def run():
            async with ClientSession() as session:
                mock = aioresponses()
                with self.assertRaises(AssertionError), mock:
                    mock.websocket(URL, [Expect("a")])
                    client = await session.ws_connect(URL)
                client._response.close()
                await idle()
                with mock:
                    pass

        asyncio.run(run())
