"""A registered mock at work: its sequence of replies, how often it answers, and how it is shown."""

import asyncio
import functools
import inspect
import re
import unittest
from types import MappingProxyType

import aiohttp
from aiohttp import ClientResponse
from multidict import CIMultiDict

from aioresponses import CallbackResult, Fault, RequestMatch, aioresponses

from ..support import SITE, AskingTestCase, OwnResponse, get, outcome_of


async def handle(request):
    """Stand for a handler that is never called."""


class RepliesTest(AskingTestCase):
    async def test_replies_come_in_turn(self):
        error = LookupError("third")
        result = CallbackResult(status=202, body="fourth")

        async def callback(call):
            return CallbackResult(body=f"fifth of {call.url}")

        match = self.mock.get(
            SITE,
            replies=[
                {"status": 503},
                {"payload": {"a": 1}, "headers": {"X-A": "1"}, "cookies": {"a": "1"}},
                error,
                result,
                {"callback": callback},
                TimeoutError,
                {"timeout": True},
                {"exception": ValueError("eighth")},
                {"body": lambda: ["ninth"], "delay": 0.001},
            ],
        )
        self.assertEqual(match.remaining, 9)
        self.assertEqual(
            await self.ask_often(9),
            [
                (503, ""),
                (200, '{"a": 1}'),
                (LookupError, "third"),
                (202, "fourth"),
                (200, f"fifth of {SITE}"),
                (TimeoutError, ""),
                (asyncio.TimeoutError, ""),
                (ValueError, "eighth"),
                (200, "ninth"),
            ],
        )
        self.assertEqual((match.call_count, match.remaining), (9, 0))
        self.assertIs(self.mock.calls[2].exception, error)
        self.assertEqual(await self.ask(), (aiohttp.ClientConnectionError, f"Connection refused: GET {SITE}"))

    async def test_each_request_gets_the_next_reply_and_is_a_call_of_the_mock(self):
        match = self.mock.get(SITE, replies=[{"status": 201}, {"status": 202}], repeat=2)
        self.assertIsInstance(match, RequestMatch)
        self.assertEqual([status for status, _ in await self.ask_often(4)], [201, 202, 201, 202])
        self.assertEqual((match.calls, match.remaining), (self.mock.calls, 0))

    async def test_repeat_says_what_comes_after_the_last_reply(self):
        for repeat, expected, limit in (
            (False, [200, 201, None, None, None], "2 of 2"),
            (1, [200, 201, None, None, None], "2 of 2"),
            (2, [200, 201, 200, 201, None], "4 of 4"),
            (True, [200, 201, 200, 201, 200], "5 times"),
        ):
            with self.subTest(repeat=repeat):
                match = self.mock.get(SITE, replies=[{"status": 200}, {"status": 201}], repeat=repeat)
                seen = [status for status, _ in await self.ask_often(5)]
                self.assertEqual(
                    [status if isinstance(status, int) else None for status in seen], expected
                )
                self.assertEqual(repr(match), f"<RequestMatch GET {SITE}, used {limit}>")
                match.remove()

    async def test_a_sequence_of_replies_between_two_other_mocks(self):
        self.mock.get(SITE, body="before")
        self.mock.get(SITE, replies=[{"body": "1"}, {"body": "2"}])
        self.mock.get(SITE, body="behind", repeat=True)
        self.assertEqual([text for _, text in await self.ask_often(5)], ["before", "1", "2", "behind", "behind"])

    async def test_requests_side_by_side_get_a_reply_each(self):
        self.mock.get(SITE, replies=[{"body": "1", "delay": 0.2}, {"body": "2", "delay": 0.1}, {"body": "3"}])
        texts = await asyncio.gather(*(outcome_of(self.session) for _ in range(3)))
        self.assertEqual(texts, [(200, "1"), (200, "2"), (200, "3")])

    async def test_the_conditions_hold_for_all_replies(self):
        match = self.mock.post(SITE, match_json={"a": 1}, replies=[{"status": 201}, {"status": 202}])
        self.assertEqual((await self.ask("POST", json={"a": 2}))[0], aiohttp.ClientConnectionError)
        self.assertEqual(
            [await self.ask("POST", json={"a": 1}) for _ in range(2)], [(201, ""), (202, "")]
        )
        self.assertEqual(match.call_count, 2)

    async def test_each_reply_has_a_class_of_response_of_its_own(self):
        self.mock.get(SITE, replies=[{"response_class": OwnResponse}, {}, CallbackResult(response_class=OwnResponse)])
        classes = []
        for _ in range(3):
            async with self.session.get(SITE) as response:
                classes.append(type(response))
        self.assertEqual(classes, [OwnResponse, ClientResponse, OwnResponse])

    async def test_a_class_of_response_beside_replies_is_that_of_those_that_name_none(self):
        class Another(ClientResponse):
            pass

        replies = [{}, {"response_class": Another}, {"response_class": None}]
        self.mock.get(SITE, replies=replies, response_class=OwnResponse)
        classes = []
        for _ in replies:
            async with self.session.get(SITE) as response:
                classes.append(type(response))
        self.assertEqual(classes, [OwnResponse, Another, ClientResponse])

    async def test_replies_may_be_a_tuple_and_mappings_of_any_kind(self):
        self.mock.get(SITE, replies=({"status": 201}, MappingProxyType({"status": 202})))
        self.assertEqual(await self.ask_often(2), [(201, ""), (202, "")])

    async def test_later_changes_to_the_list_of_replies_do_not_show(self):
        replies = [{"status": 201}, {"status": 202}]
        self.mock.get(SITE, replies=replies)
        replies.clear()
        self.assertEqual(await self.ask_often(2), [(201, ""), (202, "")])

    async def test_redirects_may_be_among_the_replies(self):
        self.mock.get(SITE, replies=[{"status": 302, "headers": {"Location": "/"}}, {"body": "arrived"}])
        self.assertEqual(await self.ask(), (200, "arrived"))

    async def test_repeat_says_how_often_a_mock_answers(self):
        self.mock.get(SITE, body="twice", repeat=2)
        self.mock.get(SITE, body="once", repeat=False)
        self.mock.get(SITE, body="always", repeat=True)
        self.assertEqual([await get() for _ in range(5)], ["twice", "twice", "once", "always", "always"])


class RefusedMocksTest(unittest.TestCase):
    def refused(self, error, message, **kwargs):
        with self.subTest(**kwargs):
            mock = aioresponses()
            with self.assertRaises(error) as raised:
                mock.get(SITE, **kwargs)
            self.assertEqual((type(raised.exception), str(raised.exception)), (error, message))
            self.assertEqual(mock._matches, {})

    def test_replies_that_cannot_be_used(self):
        shape = "replies: expected a list of dicts, exceptions or CallbackResults, got "
        each = "replies[0]: expected a dict of arguments, an exception or a CallbackResult, got "
        of_mock = "replies[0]: unexpected argument {0!r}: {0!r} is an argument of the mock, and not of a single reply"
        names = (
            "status, body, content_type, payload, headers, response_class, reason, cookies, delay, events, fault, "
            "exception, timeout, callback, handler"
        )
        for replies, error, message in (
            ([], TypeError, shape + "[]"),
            ((), TypeError, shape + "()"),
            ({}, TypeError, shape + "{}"),
            ("text", TypeError, shape + "'text'"),
            (5, TypeError, shape + "5"),
            ({"status": 200}, TypeError, shape + "{'status': 200}"),
            ([5], TypeError, each + "5"),
            ([None], TypeError, each + "None"),
            (["text"], TypeError, each + "'text'"),
            ([int], TypeError, each + "<class 'int'>"),
            ([{"stauts": 200}], TypeError, "replies[0]: unexpected argument 'stauts': did you mean 'status'?"),
            ([{"repeat": 2}], TypeError, of_mock.format("repeat")),
            ([{"match_json": 2}], TypeError, of_mock.format("match_json")),
            ([{"replies": []}], TypeError, of_mock.format("replies")),
            ([{"method": "GET"}], TypeError, of_mock.format("method")),
            ([{"self": 1}], TypeError, f"replies[0]: unexpected argument 'self': its keywords are {names}"),
            ([{1: 1}], TypeError, "replies[0]: unexpected argument 1: keywords are text, such as 'body'"),
            ([{"status": "200"}], TypeError, "replies[0]: status: expected an int from 200 to 999, or 101, got '200'"),
            ([{}, {"delay": -1}], ValueError, "replies[1]: delay: expected seconds, 0 or more, got -1"),
            (
                [{"exception": 5}],
                TypeError,
                "replies[0]: exception: expected an exception or a class of exceptions, got 5",
            ),
            (
                [{"callback": 5}],
                TypeError,
                "replies[0]: callback: expected a function or a coroutine function, got 5",
            ),
            (
                [{"exception": ValueError, "fault": Fault.HANG}],
                ValueError,
                "replies[0]: exception cannot be combined with fault: a reply can fail in only one way",
            ),
            (
                [{"payload": {1}}],
                TypeError,
                "replies[0]: payload: expected a value that json can serialise, got {1}: "
                "Object of type set is not JSON serializable",
            ),
        ):
            self.refused(error, message, replies=replies)

    # Every argument of a reply, and values that it may have.
    ARGUMENTS = {
        "status": [201, 200], "body": ["text", b"text", ""], "exception": [ValueError], "payload": [0, {}],
        "content_type": ["text/plain", "application/json"], "headers": [{}], "response_class": [OwnResponse],
        "timeout": [True, False], "reason": ["x"], "callback": [repr], "cookies": [{}], "delay": [1, 0.0],
        "events": [[]], "fault": [Fault.HANG], "handler": [handle],
    }

    def test_arguments_of_a_reply_beside_several_replies_are_refused_whatever_their_value(self):
        for name, values in self.ARGUMENTS.items():
            for value in values if name != "response_class" else ():
                self.refused(
                    ValueError,
                    f"{name} cannot be combined with replies; set it in each reply",
                    replies=[{}],
                    **{name: value},
                )

    def test_none_beside_several_replies_is_no_argument(self):
        for name in self.ARGUMENTS:
            with self.subTest(name):
                self.assertEqual(aioresponses().get(SITE, replies=[{}], **{name: None}).remaining, 1)

    def test_arguments_are_compared_with_nothing(self):
        class Strange(dict):
            def __eq__(self, other):
                raise NotImplementedError

            __ne__ = __eq__

        self.assertEqual(aioresponses().get(SITE, payload=Strange()).remaining, 1)
        self.refused(
            ValueError,
            "payload cannot be combined with replies; set it in each reply",
            replies=[{}],
            payload=Strange(),
        )

    def test_every_argument_of_a_reply_may_stand_in_a_dict_of_replies(self):
        others = {"self", "url", "method", "repeat", "optional", "replies", "override", "passthrough"}
        names = set(inspect.signature(aioresponses.add).parameters) - others
        self.assertEqual({name for name in names if not name.startswith("match")}, set(self.ARGUMENTS))
        for name, values in self.ARGUMENTS.items():
            for value in values:
                with self.subTest(name, value=value):
                    self.assertEqual(aioresponses().get(SITE, replies=[{name: value}]).remaining, 1)

    def test_wrong_values_of_repeat(self):
        expected = "repeat: expected a bool, or an int of at least 1, got "
        for repeat, error in ((0, ValueError), (-1, ValueError), (1.5, TypeError), ("2", TypeError), (None, TypeError)):
            self.refused(error, f"{expected}{repeat!r}", repeat=repeat)

    def test_wrong_exceptions_and_callbacks(self):
        for exception in (5, "text", int, ValueError("a").args):
            self.refused(
                TypeError,
                f"exception: expected an exception or a class of exceptions, got {exception!r}",
                exception=exception,
            )
        for callback in (5, "text"):
            self.refused(
                TypeError,
                f"callback: expected a function or a coroutine function, got {callback!r}",
                callback=callback,
            )

    def test_wrong_delays(self):
        for delay in ("1", None, True, 1j):
            self.refused(TypeError, f"delay: expected seconds, got {delay!r}", delay=delay)
        for delay in (-1, -0.5, float("nan"), float("inf")):
            self.refused(ValueError, f"delay: expected seconds, 0 or more, got {delay!r}", delay=delay)


class ShownTest(unittest.TestCase):
    def test_a_mock_shows_its_conditions_in_one_order(self):
        def admin(call):
            return True

        match = aioresponses().post(
            SITE + "{id}",
            match=[admin, functools.partial(admin)],
            match_body=b"x" * 300,
            match_form={"a": "1"},
            match_headers=CIMultiDict({"X-One": "1", "Cookie": "a=secret"}),
            match_query="a=1",
            repeat=2,
        )
        self.assertEqual(
            re.sub(" at 0x[0-9a-f]+", "", repr(match)),
            "<RequestMatch POST http://example.com/{id}, match_query='a=1', "
            "match_headers={'X-One': '1', 'Cookie': '…'}, match_form={'a': '1'}, "
            f"match_body=b'{'x' * 198}… (103 more characters), match=admin, "
            "match=functools.partial(<function ShownTest.test_a_mock_shows_its_conditions_in_one_order.<locals>."
            "admin>), used 0 of 2>",
        )
