"""Which of the registered mocks answers a request."""

import re
import threading
import unittest
from unittest.mock import ANY

from yarl import URL

from aioresponses import AioResponsesTestCase, aioresponses
from aioresponses._calls.record import Exchange, call_of
from aioresponses._matching.router import Router

from ..support import AT_MOST, SITE, get, note_of

HERE = URL("http://example.com/")


def asked(url=HERE):
    return Exchange("GET", url, url, {})


class RouterTest(unittest.TestCase):
    def setUp(self):
        self.router = Router((), False)

    def register(self, *args, **kwargs):
        match = aioresponses().add(*args, **kwargs)
        self.router.add(match._asked)
        return match

    def claim(self, method="GET", url=HERE):
        return self.claimed(asked(url), method)[0]

    def claimed(self, exchange, method="GET"):
        reply, unmet = self.router.claim(method, exchange.url, exchange)
        self.assertEqual(reply is None, exchange.match is None)
        return exchange.match, unmet

    def test_exact_mocks_and_patterns_answer_in_the_order_of_registration(self):
        matches = [self.register(url) for url in (re.compile("http"), HERE, re.compile("http://"), HERE)]
        self.assertEqual([self.claim() for _ in range(5)], [*matches, None])

    def test_mocks_of_all_kinds_answer_in_the_order_of_registration(self):
        urls = [
            (HERE, {}), (HERE, {"match_query": {}}), ("http://*.com/", {}), (re.compile("http"), {}),
            ("http://example.com/{a:.*}", {"match_query": {}}), (HERE, {}), (HERE, {"match_query": ANY}),
            (re.compile("http"), {"match_query": {}}),
        ]
        for turn in range(len(urls)):
            with self.subTest(turn=turn):
                self.router.clear()
                matches = [
                    self.register(url, **conditions) for url, conditions in urls[turn:] + urls[:turn]
                ]
                self.assertEqual([self.claim() for _ in range(len(urls) + 1)], [*matches, None])

    def test_so_they_do_where_the_url_that_is_asked_for_has_credentials(self):
        with_credentials = HERE.with_user("me")
        matches = [
            self.register(HERE, match_query=ANY), self.register(with_credentials), self.register(HERE),
            self.register(with_credentials, match_query=ANY),
        ]
        self.assertEqual([self.claim(url=with_credentials) for _ in range(5)], [*matches, None])

    def test_one_whose_conditions_do_not_hold_is_left_as_it_is(self):
        never = self.register(HERE, match=lambda call: (False, "never"))
        other = self.register(HERE)
        self.assertEqual(self.claimed(asked()), (other, {never.key: "match: never"}))
        self.assertEqual((never.called, never.remaining, other.remaining), (False, 1, 0))
        self.assertEqual(self.claimed(asked()), (None, {never.key: "match: never"}))

    def test_one_that_its_own_condition_takes_out_is_passed_over(self):
        def take_out(call):
            match.remove()
            return True

        match = self.register("http://example.com/{path:.*}", match=take_out)
        other = self.register(HERE)
        exchange = asked()
        self.assertEqual(self.claimed(exchange), (other, {}))
        self.assertEqual((match.called, exchange.match_info), (False, {}))

    def test_of_several_threads_one_is_answered(self):
        def meet(call):
            barrier.wait()
            return True

        barrier = threading.Barrier(4, timeout=AT_MOST)
        match = self.register(HERE, match=meet, repeat=2)
        answered = []
        threads = [threading.Thread(target=lambda: answered.append(self.claim())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(AT_MOST)
        self.assertEqual((answered.count(match), answered.count(None), match.remaining), (2, 2, 0))

    def test_a_url_with_a_password_alone_is_that_of_a_mock_without_credentials(self):
        match, other = self.register(HERE), self.register(HERE.with_user("").with_password("secret"))
        self.assertEqual([self.claim(url=HERE.with_password("secret")) for _ in range(2)], [match, other])

    def test_the_conditions_of_those_that_are_used_up_or_of_other_urls_are_not_asked(self):
        asked = []

        def condition(call):
            asked.append(call)
            return True

        self.register(HERE, match=condition)
        self.register(HERE, "PUT", match=condition)
        self.register(HERE / "other", match=condition)
        self.register("http://example.com/other/{id}", match=condition)
        self.assertIsNotNone(self.claim())
        self.assertIsNone(self.claim())
        self.assertEqual(len(asked), 1)

    def test_one_that_raises_is_not_used(self):
        def condition(call):
            raise RuntimeError("no")

        match = self.register(HERE, match=condition)
        with self.assertRaises(RuntimeError) as raised:
            self.claim()
        self.assertEqual(
            raised.exception.__notes__,
            ["aioresponses: raised by match of the mock GET http://example.com/, match=condition"],
        )
        self.assertEqual((match.called, match.remaining), (False, 1))

    def test_what_must_be_known_of_a_request_follows_from_what_is_asked(self):
        def known():
            return self.router.has_conditions, self.router.looks_at_bodies

        self.register(HERE)
        self.assertEqual(known(), (False, False))
        for conditions in ({"match_query": ANY}, {"match_headers": {"X-One": "1"}}):
            self.register(HERE, **conditions)
            self.assertEqual(known(), (True, False))
        for conditions in (
            {"match_json": {}}, {"match_form": {}}, {"match_body": b""}, {"match": lambda call: True},
        ):
            with self.subTest(conditions=conditions):
                self.router.clear()
                self.assertEqual(known(), (False, False))
                self.register(HERE, **conditions)
                self.assertEqual(known(), (True, True))

    def test_a_match_knows_its_calls_and_each_call_its_match(self):
        match = self.register(HERE, repeat=2)
        first, second = asked(), asked()
        self.claimed(first)
        self.assertEqual((match.called, match.call_count, match.remaining), (True, 1, 1))
        self.claimed(second)
        self.assertEqual(match.remaining, 0)
        for call, exchange in zip(match.calls, [first, second]):
            self.assertIs(call, call_of(exchange))
            self.assertIs(call.match, match)

    def test_one_that_repeats_without_end_has_no_number_remaining(self):
        self.assertIsNone(self.register(HERE, repeat=True).remaining)

    def test_a_mock_that_was_taken_out_does_not_answer(self):
        exact, pattern, other = self.register(HERE), self.register(re.compile("http")), self.register(HERE)
        exact.remove()
        del self.router.matches[pattern.key]
        self.assertEqual([self.claim(), self.claim()], [other, None])

    def test_removing_once_more_changes_nothing(self):
        match = self.register(HERE)
        self.claim()
        match.remove()
        match.remove()
        self.assertEqual(self.router.matches, {})

    def test_registered_mocks_are_those_in_service_and_those_that_are_used_up(self):
        used, removed, waiting = self.register(HERE), self.register(HERE, "PUT"), self.register(HERE, "POST")
        self.claim()
        removed.remove()
        self.assertEqual(self.router.registered, [used, waiting])
        self.router.clear()
        self.assertEqual((self.router.registered, self.router.matches), ([], {}))

    def test_one_that_is_used_up_and_taken_out_is_no_longer_registered(self):
        used = self.register(HERE)
        self.claim()
        used.remove()
        self.assertEqual(self.router.registered, [])

    def test_ten_thousand_mocks_are_not_tried_in_turn(self):
        matches = [self.register(HERE / str(number)) for number in range(10_000)]
        for match in matches[:-1]:
            match._asked.target = None  # Whoever asked it would fail.
        self.assertIs(self.claim(url=HERE / "9999"), matches[-1])

    def test_neither_are_those_of_any_query(self):
        matches = [self.register(HERE / str(number), match_query={"a": "1"}) for number in range(1000)]
        for match in matches[:-1]:
            match._asked.target = match._asked.conditions = None  # Whoever asked them would fail.
        self.assertIs(self.claim(url=(HERE / "999").with_query("a=1")), matches[-1])

    def test_those_of_one_url_that_are_used_up_are_passed_over_but_once(self):
        matches = [self.register(HERE) for _ in range(1000)]
        self.assertEqual([self.claim() for _ in matches], matches)
        for match in matches:
            match._asked.key = None  # Whoever looked at it would fail.
        last = self.register(HERE)
        self.assertIs(self.claim(), last)

    def test_a_single_prefix_may_be_given_without_a_list(self):
        router = Router("http://127.0.0.1", False)
        self.assertEqual(
            [router.passes_through(URL(url)) for url in ("http://127.0.0.1:1/", "http://example.com/")], [True, False]
        )


class OrderTest(AioResponsesTestCase):
    async def test_the_first_whose_conditions_hold_answers(self):
        self.mock.post(SITE, match_json={"a": 1}, status=201, repeat=True)
        self.mock.post(SITE, match_json={"a": 2}, status=202)
        self.mock.post(SITE, status=203)
        self.mock.post(SITE, match_json={"a": 2}, status=204)
        session = self.client_session()
        statuses = [(await session.post(SITE, json={"a": a})).status for a in (2, 1, 3, 1, 2)]
        self.assertEqual(statuses, [202, 201, 203, 201, 204])

    async def test_the_note_tells_of_each_and_of_those_that_are_used_up(self):
        self.mock.post(SITE, match_json={"a": 1}, repeat=2)
        self.mock.post(SITE, match_json={"a": 2})
        self.mock.post(SITE + "{id}", match_json={"a": 1})
        session = self.client_session()
        await session.post(SITE, json={"a": 1})
        await session.post(SITE, json={"a": 1})
        self.assertEqual(
            await note_of(self.client_session(), "POST", SITE, json={"a": 1}),
            "aioresponses: no mock answers POST http://example.com/\n"
            "Registered mocks, the closest first:\n"
            "  POST http://example.com/, match_json={'a': 1}: used up (2 of 2)\n"
            "  POST http://example.com/, match_json={'a': 2}: json: at a: 2 != 1\n"
            "  POST http://example.com/{id}, match_json={'a': 1}: the template does not fit the path, "
            "asked for was '/'",
        )
        self.assertEqual(
            await note_of(self.client_session(), "POST", SITE, json={"a": 3}),
            "aioresponses: no mock answers POST http://example.com/\n"
            "Registered mocks, the closest first:\n"
            "  POST http://example.com/, match_json={'a': 1}: json: at a: 1 != 3\n"
            "  POST http://example.com/, match_json={'a': 2}: json: at a: 2 != 3\n"
            "  POST http://example.com/{id}, match_json={'a': 1}: the template does not fit the path, "
            "asked for was '/'",
        )

    async def test_a_mock_without_conditions_takes_no_notice_of_those_that_have_some(self):
        self.mock.get(SITE)
        self.mock.get(SITE + "other", match=lambda call: self.fail("asked"))
        self.assertIsNone(await note_of(self.client_session(), "GET", SITE))

    async def test_first_registered_is_first_matched(self):
        self.mock.get(re.compile(".*"), body="1")
        self.mock.get(SITE, body="2")
        self.mock.get(re.compile("http://example"), body="3")
        self.mock.get(SITE, body="4", repeat=True)
        self.assertEqual([await get() for _ in range(5)], ["1", "2", "3", "4", "4"])
