"""`params` in what is looked for: they are part of the URL."""

import re
from unittest.mock import ANY, call

from aioresponses import AioResponsesTestCase
from aioresponses.matchers import ABSENT, one_of, subset
from tests.support import USERS, MessageTestCase


class PartOfTheUrlTest(AioResponsesTestCase):
    async def asyncSetUp(self):
        self.mock.get(re.compile(USERS), repeat=True)
        self.session = self.client_session()

    def check(self, holds, url, **kwargs):
        """Check which of the three assertions hold, all or none."""
        for name, arguments in (
            ("assert_any_call", (url,)),
            ("assert_called_with", (url,)),
            ("assert_called_once_with", (url,)),
        ):
            with self.subTest(name, url=url, **kwargs):
                if holds:
                    getattr(self.mock, name)(*arguments, **kwargs)
                else:
                    self.assertRaises(AssertionError, getattr(self.mock, name), *arguments, **kwargs)
        with self.subTest("assert_has_calls", url=url, **kwargs):
            for any_order in (False, True):
                if holds:
                    self.mock.assert_has_calls([call(url, **kwargs)], any_order)
                else:
                    self.assertRaises(AssertionError, self.mock.assert_has_calls, [call(url, **kwargs)], any_order)

    async def test_number_and_text_and_query_are_the_same(self):
        for url, options in (
            (USERS, {"params": {"page": 1}}),
            (USERS, {"params": {"page": "1"}}),
            (USERS, {"params": "page=1"}),
            (USERS, {"params": [("page", 1)]}),
            (f"{USERS}?page=1", {}),
            (f"{USERS}?page=1", {"params": {}}),
        ):
            self.mock.requests.clear()
            await self.session.get(url, **options)
            for params in ({"page": 1}, {"page": "1"}, "page=1", [("page", "1")]):
                self.check(True, USERS, params=params)
            self.check(True, f"{USERS}?page=1")
            self.check(True, f"{USERS}?page=1", params=None)
            self.check(False, USERS)
            self.check(False, USERS, params={"page": 2})
            self.check(False, USERS, params={"page": 1, "size": 1})
            self.check(False, f"{USERS}?page=1", params={"page": 1})

    async def test_in_a_template_as_well(self):
        await self.session.get(f"{USERS}/7?page=1")
        self.check(True, USERS + "/{id}", params={"page": 1})
        self.check(False, USERS + "/{id}", params={"page": 2})

    async def test_beside_a_pattern_they_are_the_argument(self):
        await self.session.get(USERS, params={"page": 1})
        self.check(True, re.compile(USERS), params={"page": 1})
        self.check(False, re.compile(USERS), params={"page": 2})

    async def test_other_arguments_are_compared_as_before(self):
        await self.session.get(f"{USERS}?page=1", headers={"X-Id": "7"})
        self.check(True, USERS, params={"page": 1}, headers={"X-Id": "7"})
        self.check(False, USERS, params={"page": 1}, headers={"X-Id": "8"})

    async def test_with_args_to_match_they_are_the_argument(self):
        await self.session.get(USERS, params={"page": 1})
        self.mock.assert_called_with(USERS, params={"page": 1}, args_to_match=["params"])
        with self.assertRaises(AssertionError):
            self.mock.assert_called_with(USERS, params={"page": "1"}, args_to_match=["params"])
        await self.session.get(f"{USERS}?page=2")
        with self.assertRaises(AssertionError):
            self.mock.assert_called_with(USERS, params={"page": 2}, args_to_match=["params"])

    async def test_a_matcher_is_no_part_of_a_url(self):
        await self.session.get(f"{USERS}/7?page=1&size=2")
        hint = "; for ANY and other matchers, use match_query"
        for params in (
            {"page": ANY}, {"page": ABSENT}, {"page": [1, one_of(1, 2)]}, subset({"page": 1}), ANY, {"page": None}
        ):
            for url in (f"{USERS}/7", USERS + "/{id}"):
                for assertion in (
                    self.mock.assert_any_call, self.mock.assert_called_with, self.mock.assert_called_once_with,
                    lambda url, **kwargs: self.mock.assert_has_calls([call(url, **kwargs)]),
                ):
                    with self.subTest(url, params=params), self.assertRaises(TypeError) as raised:
                        assertion(url, params=params)
                    text = str(raised.exception)
                    self.assertIn(f"params: expected what can be sent in a query, got {params!r}: ", text)
                    self.assertTrue(text.endswith(hint), text)
        self.mock.assert_any_call(f"{USERS}/7", match_query={"page": "1", "size": ANY})
        self.mock.assert_called_with(f"{USERS}/7", match_query=subset({"page": one_of("1", "2"), "sort": ABSENT}))


class MessageOfParamsTest(MessageTestCase):
    async def test_params_are_compared_in_the_url_alone(self):
        await self.send(url=f"{USERS}?page=1", json=1)
        self.check_fails(
            f"Expected GET {USERS}?page=2, params={{'page': 2}}, json=1, but there was no such call.\n"
            f"Calls:\n  1. GET {USERS}?page=1 -> 200",
            self.mock.assert_any_call, USERS, params={"page": 2}, json=1,
        )
        self.check_fails(
            f"Arguments of the last call to GET {USERS}?page=1 differ (- expected, + made):\n"
            "{'allow_redirects': True} != {'json': 1, 'allow_redirects': True}\n"
            "- {'allow_redirects': True}\n"
            "+ {'allow_redirects': True, 'json': 1}\n"
            "?                         +++++++++++\n\n"
            f"Calls:\n  1. GET {USERS}?page=1 -> 200",
            self.mock.assert_called_with, USERS, params={"page": 1},
        )
