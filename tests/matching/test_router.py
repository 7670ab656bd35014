"""Which of the registered mocks answers a request."""

import asyncio
import re
import sys
import threading
from unittest.mock import ANY

import aiohttp
from aiohttp import ClientConnectionError
from yarl import URL

from aioresponses import AioResponsesTestCase

from ..support import AT_MOST, SITE, USERS, AskingTestCase, get, note_of


class RouterTest(AskingTestCase):
    async def answering(self, url=SITE, **options):
        """Return the mock that answers a request; None where none does."""
        await self.ask("GET", url, **options)
        return self.mock.calls[-1].match

    async def test_exact_mocks_and_patterns_answer_in_the_order_of_registration(self):
        matches = [self.mock.get(url) for url in (re.compile("http"), SITE, re.compile("http://"), SITE)]
        self.assertEqual([await self.answering() for _ in range(5)], [*matches, None])

    async def test_mocks_of_all_kinds_answer_in_the_order_of_registration(self):
        urls = [
            (SITE, {}), (SITE, {"match_query": {}}), ("http://*.com/", {}), (re.compile("http"), {}),
            ("http://example.com/{a:.*}", {"match_query": {}}), (SITE, {}), (SITE, {"match_query": ANY}),
            (re.compile("http"), {"match_query": {}}),
        ]
        for turn in range(len(urls)):
            with self.subTest(turn=turn):
                self.mock.clear()
                matches = [self.mock.get(url, **conditions) for url, conditions in urls[turn:] + urls[:turn]]
                self.assertEqual([await self.answering() for _ in range(len(urls) + 1)], [*matches, None])

    async def test_mocks_with_and_without_credentials_answer_in_the_order_of_registration(self):
        url = URL(SITE).with_user("me")
        matches = [
            self.mock.get(SITE, match_query=ANY), self.mock.get(url), self.mock.get(SITE),
            self.mock.get(url, match_query=ANY),
        ]
        self.assertEqual([await self.answering(url) for _ in range(5)], [*matches, None])

    async def test_a_mock_without_credentials_answers_a_url_with_a_password_alone(self):
        url = URL(SITE).with_password("secret")
        matches = [self.mock.get(SITE), self.mock.get(URL(SITE).with_user("").with_password("secret"))]
        self.assertEqual([await self.answering(url) for _ in range(2)], matches)

    async def test_a_mock_whose_conditions_do_not_hold_is_left_as_it_is(self):
        never = self.mock.get(SITE, match=lambda call: (False, "never"))
        other = self.mock.get(SITE)
        self.assertIs(await self.answering(), other)
        self.assertEqual((never.called, never.remaining, other.remaining), (False, 1, 0))
        self.assertEqual(
            await note_of(self.session, "GET"),
            "aioresponses: no mock answers GET http://example.com/\n"
            "Registered mocks, the closest first:\n"
            "  GET http://example.com/: used up (1 of 1); to answer more requests, pass repeat\n"
            "  GET http://example.com/, match=<lambda>: match: never",
        )
        self.assertEqual((never.called, never.remaining), (False, 1))

    async def test_a_mock_that_its_own_condition_takes_out_is_passed_over(self):
        def take_out(call):
            match.remove()
            return True

        match = self.mock.get("http://example.com/{path:.*}", match=take_out)
        other = self.mock.get(SITE)
        self.assertIs(await self.answering(), other)
        self.assertEqual((match.called, self.mock.calls[0].match_info), (False, {}))

    async def test_a_mock_whose_condition_raises_is_not_used(self):
        def condition(call):
            raise error

        error = RuntimeError("no")
        match = self.mock.get(SITE, match=condition)
        with self.assertRaises(RuntimeError):
            await self.session.get(SITE)
        self.assertEqual(
            error.__notes__, ["aioresponses: raised by match of the mock GET http://example.com/, match=condition"]
        )
        self.assertEqual((match.called, match.remaining, self.mock.calls[0].match), (False, 1, None))

    async def test_conditions_of_mocks_that_are_used_up_or_of_other_urls_are_not_asked(self):
        def condition(call):
            asked.append(call)
            return True

        asked = []
        self.mock.get(SITE, match=condition)
        self.mock.put(SITE, match=condition)
        self.mock.get(SITE + "other", match=condition)
        self.mock.get("http://example.com/other/{id}", match=condition)
        last = self.mock.get(SITE)
        await self.answering()
        self.assertIs(await self.answering(), last)
        self.assertEqual(len(asked), 1)

    def test_a_mock_answers_as_many_threads_as_it_may(self):
        def meet(call):
            # Those who are refused are asked once more, for the note.
            if len(met) < 4:
                met.append(call)
                barrier.wait()
            return True

        def ask():
            try:
                answers.append(asyncio.run(get()))
            except ClientConnectionError:
                answers.append(None)

        barrier = threading.Barrier(4, timeout=AT_MOST)
        match = self.mock.get(SITE, match=meet, body="answer", repeat=2)
        answers, met = [], []
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(AT_MOST)
        self.assertEqual((answers.count("answer"), match.remaining, match.call_count), (2, 0, 2))

    async def test_bodies_are_read_ahead_only_where_a_mock_asks_for_them(self):
        async def note(session, context, params):
            steps.append("connection")

        async def body():
            steps.append("body")
            yield b"body"

        async def steps_of_a_request():
            steps.clear()
            tracing = aiohttp.TraceConfig()
            tracing.on_connection_create_start.append(note)
            await self.client_session(trace_configs=[tracing]).post(SITE, data=body())
            return list(steps)

        steps, at_once, ahead = [], ["connection", "body"], ["body", "connection"]
        self.mock.post(SITE, match_query={"never": "1"})
        self.mock.post(SITE, match_headers={"X-Never": "1"})
        self.mock.post(SITE, repeat=True)
        self.assertEqual(await steps_of_a_request(), at_once)
        for conditions in (
            {"match_json": {}}, {"match_form": {}}, {"match_body": b""}, {"match": lambda call: False},
        ):
            with self.subTest(conditions=conditions):
                self.mock.clear()
                match = self.mock.post(SITE, **conditions)
                self.mock.post(SITE, repeat=True)
                self.assertEqual(await steps_of_a_request(), ahead)
                match.remove()
                self.assertEqual(await steps_of_a_request(), at_once)

    async def test_a_mock_knows_its_calls_and_each_call_its_mock(self):
        match = self.mock.get(SITE, repeat=2)
        await self.ask()
        self.assertEqual((match.called, match.call_count, match.remaining), (True, 1, 1))
        await self.ask()
        self.assertEqual(match.remaining, 0)
        for call, shown in zip(self.mock.calls, match.calls, strict=True):
            self.assertIs(call, shown)
            self.assertIs(call.match, match)

    async def test_a_mock_that_was_taken_out_does_not_answer(self):
        exact, pattern, other = self.mock.get(SITE), self.mock.get(re.compile("http")), self.mock.get(SITE)
        exact.remove()
        # As suites do that were written for aioresponses 0.7.
        [key] = [key for key, match in self.mock._matches.items() if match is pattern]
        del self.mock._matches[key]
        self.assertEqual([await self.answering(), await self.answering()], [other, None])

    async def test_removing_a_mock_that_is_used_up_or_removed_changes_nothing(self):
        match, other = self.mock.get(SITE), self.mock.get(USERS)
        await self.ask()
        match.remove()
        match.remove()
        self.assertEqual(list(self.mock._matches.values()), [other])

    async def test_mocks_in_service_and_those_that_are_used_up_are_listed_where_none_answers(self):
        used, removed, waiting = self.mock.get(SITE), self.mock.put(SITE), self.mock.post(SITE)
        await self.ask()
        removed.remove()
        self.assertEqual(
            (await note_of(self.session, "GET")).splitlines()[2:],
            [
                "  GET http://example.com/: used up (1 of 1); to answer more requests, pass repeat",
                "  POST http://example.com/: method differs: mock has POST, request has GET",
            ],
        )
        self.assertEqual(self.mock.unused_mocks, [waiting])
        used.remove()
        waiting.remove()
        self.assertEqual((await note_of(self.session, "GET")).splitlines()[1:], ["No mocks are registered."])

    async def test_mocks_are_listed_no_more_after_they_were_cleared(self):
        self.mock.get(SITE)
        self.mock.post(SITE)
        await self.ask()
        self.mock.clear()
        self.assertEqual((self.mock.unused_mocks, self.mock._matches), ([], {}))
        self.assertEqual((await note_of(self.session, "GET")).splitlines()[1:], ["No mocks are registered."])


class EffortTest(AskingTestCase):
    """How many functions are called for a request does not depend on how many mocks there are."""

    async def effort(self, url):
        """Return how many functions are called for a request, those written in C included."""
        def note(frame, event, argument):
            nonlocal calls
            calls += event in ("call", "c_call")

        # The first requests open a connection, and fill caches.
        for _ in range(3):
            await self.session.get(url)
        calls = 0
        before = sys.getprofile()
        sys.setprofile(note)
        try:
            await self.session.get(url)
        finally:
            sys.setprofile(before)
        return calls

    async def more(self, url_of, **conditions):
        """Return how much more effort a request is with the last of many mocks than with the last of a few."""
        efforts = []
        for first, last in ((0, 10), (10, 2000)):
            for number in range(first, last):
                self.mock.add(url_of(number), repeat=True, **conditions)
            efforts.append(await self.effort(f"{SITE}{last - 1}?a=1"))
        return efforts[1] - efforts[0]

    async def test_mocks_of_other_urls_are_not_tried_in_turn(self):
        self.assertLess(await self.more(lambda number: f"{SITE}{number}?a=1"), 50)

    async def test_mocks_of_other_urls_and_any_query_are_not_tried_in_turn(self):
        self.assertLess(await self.more(lambda number: f"{SITE}{number}", match_query={"a": "1"}), 50)

    async def test_mocks_of_other_urls_and_any_method_are_not_tried_in_turn(self):
        self.assertLess(await self.more(lambda number: f"{SITE}{number}?a=1", method=None), 50)

    async def test_mocks_that_override_are_not_tried_in_turn(self):
        self.assertLess(await self.more(lambda number: f"{SITE}{number}?a=1", override=True), 50)

    async def test_patterns_are_tried_in_turn_and_that_is_seen(self):
        self.assertGreater(await self.more(lambda number: re.compile(f"{SITE}{number}[?]")), 1000)

    async def test_mocks_of_one_url_that_are_used_up_are_passed_over_but_once(self):
        self.mock.get(SITE, repeat=4)
        fresh = await self.effort(SITE)
        matches = [self.mock.get(SITE) for _ in range(1000)]
        self.assertEqual([(await self.session.get(SITE)).status for _ in matches], [200] * 1000)
        self.assertEqual([match.remaining for match in matches], [0] * 1000)
        self.mock.get(SITE, repeat=4)
        self.assertLess(await self.effort(SITE), fresh + 50)


class OrderTest(AioResponsesTestCase):
    assert_all_mocked = False  # What no mock answers is looked at here.

    async def test_the_first_whose_conditions_hold_answers(self):
        self.mock.post(SITE, match_json={"a": 1}, status=201, repeat=True)
        self.mock.post(SITE, match_json={"a": 2}, status=202)
        self.mock.post(SITE, status=203)
        self.mock.post(SITE, match_json={"a": 2}, status=204)
        session = self.client_session()
        statuses = [(await session.post(SITE, json={"a": a})).status for a in (2, 1, 3, 1, 2)]
        self.assertEqual(statuses, [202, 201, 203, 201, 204])

    async def test_the_note_lists_mocks_that_do_not_fit_and_those_that_are_used_up(self):
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
            "  POST http://example.com/, match_json={'a': 1}: used up (2 of 2); to answer more requests, pass repeat\n"
            "  POST http://example.com/, match_json={'a': 2}: json: at a: 2 != 1\n"
            "  POST http://example.com/{id}, match_json={'a': 1}: path '/' does not match the template",
        )
        self.assertEqual(
            await note_of(self.client_session(), "POST", SITE, json={"a": 3}),
            "aioresponses: no mock answers POST http://example.com/\n"
            "Registered mocks, the closest first:\n"
            "  POST http://example.com/, match_json={'a': 1}: json: at a: 1 != 3\n"
            "  POST http://example.com/, match_json={'a': 2}: json: at a: 2 != 3\n"
            "  POST http://example.com/{id}, match_json={'a': 1}: path '/' does not match the template",
        )

    async def test_a_mock_without_conditions_answers_without_conditions_of_others_being_asked(self):
        self.mock.get(SITE)
        self.mock.get(SITE + "other", match=lambda call: self.fail("asked"))
        self.assertIsNone(await note_of(self.client_session(), "GET", SITE))

    async def test_first_registered_is_first_matched(self):
        self.mock.get(re.compile(".*"), body="1")
        self.mock.get(SITE, body="2")
        self.mock.get(re.compile("http://example"), body="3")
        self.mock.get(SITE, body="4", repeat=True)
        self.assertEqual([await get() for _ in range(5)], ["1", "2", "3", "4", "4"])
