"""A mock that answers more than once says each time what it is to say by then."""

import asyncio
import itertools
import json
from collections import OrderedDict
from decimal import Decimal
from http import HTTPStatus

from aiohttp import ClientResponseError
from multidict import CIMultiDict

from aioresponses import AioResponsesTestCase, CallbackResult, Fault, VirtualClock

from ..support import SITE, values_of


class Price(float):
    """A number that json serialises in a way of its own."""

    def __repr__(self):
        return "a price"


class RepeatedReplyTest(AioResponsesTestCase):
    """A mock that answers more than once says each time what it is to say by then."""

    async def asyncSetUp(self):
        self.session = self.client_session()

    async def answer(self, method="GET"):
        async with self.session.request(method, SITE) as response:
            return response.status, response.headers.get("Content-Length"), await response.text()

    async def texts(self, count):
        return [(await self.answer())[2] for _ in range(count)]

    async def test_a_payload_that_is_changed_between_two_requests(self):
        payload = {"names": ["Ada"], "more": {"by": {}}}
        self.mock.get(SITE, payload=payload, repeat=True)
        texts = await self.texts(2)
        payload["names"].append("Grace")
        texts += await self.texts(2)
        payload["more"]["by"]["id"] = (1, True, 1.0, None)
        texts += await self.texts(2)
        del payload["more"]
        texts += await self.texts(2)
        payload["names"].pop()
        texts += await self.texts(1)
        expected = [
            {"names": ["Ada"], "more": {"by": {}}},
            {"names": ["Ada", "Grace"], "more": {"by": {}}},
            {"names": ["Ada", "Grace"], "more": {"by": {"id": [1, True, 1.0, None]}}},
            {"names": ["Ada", "Grace"]},
        ]
        self.assertEqual(texts, [json.dumps(each) for each in expected for _ in range(2)] + ['{"names": ["Ada"]}'])

    async def test_a_payload_that_is_replaced_by_one_that_compares_equal_to_it(self):
        payload = [None]
        self.mock.get(SITE, payload=payload, repeat=True)
        texts = []
        for value in (1, True, 1.0, 0, -0.0, 0.0, False, "", None, [], (), {}, {"a": 1, "b": 2}, {"b": 2, "a": 1}):
            payload[0] = value
            texts += await self.texts(2)
        self.assertEqual(
            texts[::2],
            [
                "[1]", "[true]", "[1.0]", "[0]", "[-0.0]", "[0.0]", "[false]", '[""]', "[null]", "[[]]", "[[]]", "[{}]",
                '[{"a": 1, "b": 2}]', '[{"b": 2, "a": 1}]',
            ],
        )
        self.assertEqual(texts[1::2], texts[::2])

    async def test_a_payload_that_becomes_one_that_cannot_be_serialised(self):
        payload = ["text"]
        self.mock.get(SITE, payload=payload, repeat=True)
        texts = await self.texts(1)
        payload[0] = {1}
        with self.assertRaises(TypeError) as raised:
            await self.answer()
        self.assertEqual(
            str(raised.exception),
            "payload: expected a value that json can serialise, got [{1}]: Object of type set is not JSON serializable",
        )
        payload[0] = b"bytes"
        with self.assertRaises(TypeError):
            await self.answer()
        payload[0] = "text"
        self.assertEqual(texts + await self.texts(1), ['["text"]'] * 2)

    async def test_a_payload_of_types_that_cannot_be_packed(self):
        class Own(dict):
            pass

        class Names(list):
            pass

        class Text(str):
            pass

        payload = {
            "own": Own(a=1), "names": Names([1]), "text": Text("x"), "status": HTTPStatus.OK, "price": Price(1),
            "ordered": OrderedDict(a=1),
        }
        self.mock.get(SITE, payload=payload, repeat=True)
        texts = await self.texts(2)
        payload["own"]["a"] = 2
        payload["names"].append(2)
        payload["ordered"]["b"] = 2
        texts += await self.texts(2)
        first = '{"own": {"a": 1}, "names": [1], "text": "x", "status": 200, "price": 1.0, "ordered": {"a": 1}}'
        then = (
            '{"own": {"a": 2}, "names": [1, 2], "text": "x", "status": 200, "price": 1.0, '
            '"ordered": {"a": 1, "b": 2}}'
        )
        self.assertEqual(texts, [first, first, then, then])

    async def test_a_payload_that_a_serialiser_of_one_s_own_can_serialise(self):
        payload = {"price": Decimal("1.50"), "more": {1}}
        self.mock.json_dumps = lambda data: json.dumps(data, default=str)
        self.mock.get(SITE, payload=payload, repeat=True)
        texts = await self.texts(2)
        payload["price"] = Decimal("1.5")
        texts += await self.texts(2)
        self.assertEqual(
            texts, ['{"price": "1.50", "more": "{1}"}'] * 2 + ['{"price": "1.5", "more": "{1}"}'] * 2
        )

    async def test_a_serialiser_of_one_s_own_is_called_for_each_reply(self):
        def dumps(data):
            nonlocal count
            count += 1
            return json.dumps([count, data])

        count = 0
        self.mock.json_dumps = dumps
        self.mock.get(SITE, payload="x", repeat=True)
        # Once to see whether it can.
        self.assertEqual(await self.texts(3), ['[2, "x"]', '[3, "x"]', '[4, "x"]'])

    async def test_a_serialiser_that_is_that_of_the_standard_library_is_called_as_well(self):
        payload = ["x"]
        self.mock.json_dumps = json.dumps
        self.mock.get(SITE, payload=payload, repeat=True)
        texts = await self.texts(2)
        payload.append("y")
        self.assertEqual(texts + await self.texts(1), ['["x"]', '["x"]', '["x", "y"]'])

    async def test_a_payload_that_is_a_function_is_called_for_each_reply(self):
        count = itertools.count()
        self.mock.get(SITE, payload=lambda: [next(count)], repeat=True)
        self.assertEqual(await self.texts(3), ["[0]", "[1]", "[2]"])

    async def test_a_body_that_is_replaced(self):
        result = CallbackResult(body="first")
        self.mock.get(SITE, replies=[result], repeat=True)
        answers = []
        for body in ("first", "second", b"second", "", bytearray(b"third"), "fourth", ["fi", "fth"], "first"):
            result.body = body
            answers += [await self.answer() for _ in range(2)]
        self.assertEqual(
            [(length, text) for _, length, text in answers[::2]],
            [
                ("5", "first"), ("6", "second"), ("6", "second"), ("0", ""), ("5", "third"), ("6", "fourth"),
                (None, "fifth"), ("5", "first"),
            ],
        )
        self.assertEqual(answers[1::2], answers[::2])

    async def test_a_body_that_changes_in_its_place(self):
        body = bytearray(b"first")
        self.mock.get(SITE, body=body, repeat=True)
        texts = await self.texts(2)
        body[:] = b"second"
        self.assertEqual(texts + await self.texts(2), ["first", "first", "second", "second"])

    async def test_a_result_that_is_given_another_status_or_other_headers(self):
        result = CallbackResult(body="text")
        self.mock.get(SITE, replies=[result], repeat=True)
        answers = []
        for change in (
            lambda: None,
            lambda: setattr(result, "status", 404),
            lambda: setattr(result, "reason", "Gone for good"),
            lambda: setattr(result, "content_type", "text/plain"),
            lambda: result.headers.add("X-Id", "1"),
            lambda: result.headers.add("X-Id", "2"),
            lambda: setattr(result, "headers", CIMultiDict({"X-Id": "3"})),
        ):
            change()
            async with self.session.get(SITE) as response:
                answers.append((
                    response.status, response.reason, response.content_type, values_of(response, "X-Id"),
                    await response.text("utf-8"),
                ))
        self.assertEqual(
            answers,
            [
                (200, "OK", "application/json", [], "text"),
                (404, "Not Found", "application/json", [], "text"),
                (404, "Gone for good", "application/json", [], "text"),
                (404, "Gone for good", "text/plain", [], "text"),
                (404, "Gone for good", "text/plain", ["1"], "text"),
                (404, "Gone for good", "text/plain", ["1", "2"], "text"),
                (404, "Gone for good", "text/plain", ["3"], "text"),
            ],
        )

    async def test_a_result_that_is_given_a_delay_or_a_fault(self):
        result = CallbackResult(body="text")
        self.mock.get(SITE, replies=[result], repeat=True)
        texts = await self.texts(1)
        result.fault = Fault.MALFORMED_RESPONSE
        with self.assertRaises(ClientResponseError):
            await self.answer()
        result.fault = None
        result.delay = 60
        async with VirtualClock() as clock:
            texts += await self.texts(1)
        self.assertEqual(clock.elapsed, 60)
        self.assertEqual(texts, ["text", "text"])

    async def test_a_result_that_is_given_a_payload_or_events(self):
        result = CallbackResult(body="text")
        self.mock.get(SITE, replies=[result], repeat=True)
        texts = await self.texts(1)
        result.payload = {"a": 1}
        texts += await self.texts(1)
        result.payload = None
        texts += await self.texts(1)
        result.body, result.events = "", lambda: ["event"]
        texts += await self.texts(2)
        self.assertEqual(texts, ["text", '{"a": 1}', "text", "data: event\n\n", "data: event\n\n"])

    async def test_one_result_for_several_mocks_and_methods(self):
        result = CallbackResult(payload={"a": 1})
        for method in ("GET", "HEAD", "POST"):
            self.mock.add(SITE, method, replies=[result], repeat=True)
        length = str(len('{"a": 1}'))
        for _ in range(2):
            self.assertEqual(
                [await self.answer(method) for method in ("GET", "HEAD", "POST", "HEAD", "GET")],
                [
                    (200, length, '{"a": 1}'), (200, length, ""), (200, length, '{"a": 1}'), (200, length, ""),
                    (200, length, '{"a": 1}'),
                ],
            )

    async def test_one_callback_that_returns_the_same_result_to_several_methods(self):
        result = CallbackResult(body="text")
        for method in ("GET", "HEAD"):
            self.mock.add(SITE, method, callback=lambda call: result, repeat=True)
        for _ in range(2):
            self.assertEqual(
                [await self.answer(method) for method in ("HEAD", "GET", "HEAD", "GET")],
                [(200, "4", ""), (200, "4", "text")] * 2,
            )

    async def test_a_head_is_answered_without_a_body_each_time(self):
        self.mock.head(SITE, body="text", repeat=True)
        self.mock.get(SITE, body="text", repeat=True)
        for method in ("HEAD", "HEAD", "GET", "HEAD", "GET", "GET", "HEAD"):
            expected = "" if method == "HEAD" else "text"
            self.assertEqual(await self.answer(method), (200, "4", expected))

    async def test_a_sequence_goes_round(self):
        payload = ["payload"]
        self.mock.get(
            SITE,
            replies=[{"body": "body"}, {"payload": payload}, {"body": lambda: ["str", "eam"]}, {"status": 204}],
            repeat=True,
        )
        expected = [(200, "4", "body"), (200, "11", '["payload"]'), (200, None, "stream"), (204, None, "")]
        self.assertEqual([await self.answer() for _ in range(12)], expected * 3)
        payload[0] = "other"
        expected[1] = (200, "9", '["other"]')
        self.assertEqual([await self.answer() for _ in range(8)], expected * 2)

    async def test_a_sequence_goes_round_for_requests_side_by_side(self):
        self.mock.get(SITE, replies=[{"body": f"{number}"} for number in range(3)], repeat=True)
        answers = await asyncio.gather(*(self.answer() for _ in range(9)))
        self.assertEqual([text for _, _, text in answers], ["0", "1", "2"] * 3)

    async def test_compressed_and_chunked_bodies_are_the_same_each_time(self):
        for headers in ({"Content-Encoding": "gzip"}, {"Transfer-Encoding": "chunked"}, {"Content-Length": "4"}):
            match = self.mock.get(SITE, body="text", headers=headers, repeat=True)
            self.assertEqual(await self.texts(3), ["text"] * 3)
            match.remove()

    async def test_a_change_while_a_reply_is_on_its_way_is_for_the_next(self):
        large = "x" * 2 ** 20
        result = CallbackResult(body=large)
        self.mock.get(SITE, replies=[result], repeat=True)
        async with self.session.get(SITE) as response:
            result.body = "next"
            self.assertTrue(await response.text() == large)
        self.assertEqual(await self.texts(2), ["next", "next"])
