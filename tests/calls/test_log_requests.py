"""`mock.requests` is a dict in which a key is found in any spelling."""

import copy
import pickle
import re
import unittest

from yarl import URL

from aioresponses import AioResponsesTestCase, aioresponses

from ..support import SITE

KEY = ("GET", URL(SITE + "?a=1&b=2"))
TEXT = ("GET", SITE + "?a=1&b=2")


class SpellingsTest(AioResponsesTestCase):
    SPELLINGS = [
        KEY,
        TEXT,
        ("get", SITE + "?b=2&a=1"),
        ("Get", URL(SITE + "?b=2&a=1")),
        ("GET", "http://EXAMPLE.com:80/?b=2&a=1#top"),
        ("GET", "http://example.com?a=%31&b=2"),
    ]
    OTHERS = [
        ("POST", TEXT[1]),
        ("GET", SITE),
        ("GET", SITE + "?a=1"),
        ("GET", "https://example.com/?a=1&b=2"),
        ("GET", "http://me:secret@example.com/?a=1&b=2"),
        ("GET", "http://[wrong"),
        ("GET", ""),
        ("GET", None),
        (None, TEXT[1]),
        ("GET",),
        ("GET", *TEXT),
        "GET",
        None,
    ]

    async def asyncSetUp(self):
        self.mock.get(re.compile(SITE), repeat=True)
        await self.client_session().get(SITE, params={"b": "2", "a": "1"})
        [self.call] = self.mock.calls

    def test_a_key_is_found_in_any_spelling(self):
        requests = self.mock.requests
        for key in self.SPELLINGS:
            with self.subTest(key):
                self.assertEqual(requests[key], [self.call])
                self.assertIn(key, requests)
                self.assertIs(requests.get(key), requests[KEY])
                self.assertIs(requests.get(key, 5), requests[KEY])
                self.assertIs(requests.setdefault((key[0], str(key[1])), []), requests[KEY])
        self.assertEqual(list(requests), [KEY])

    def test_what_is_no_spelling_of_it_is_not_found(self):
        requests = self.mock.requests
        for key in self.OTHERS:
            with self.subTest(key):
                self.assertNotIn(key, requests)
                self.assertIsNone(requests.get(key))
                self.assertEqual(requests.get(key, 5), 5)
                self.assertEqual(requests.pop(key, 5), 5)
                for access in (requests.__getitem__, requests.pop, requests.__delitem__):
                    with self.assertRaises(KeyError) as raised:
                        access(key)
                    self.assertEqual(raised.exception.args, (key,))
        self.assertRaises(TypeError, lambda: [] in requests)
        self.assertEqual(list(requests), [KEY])

    def test_a_note_on_a_missing_key_lists_those_that_are_there(self):
        requests = self.mock.requests

        def note_of(key):
            with self.assertRaises(KeyError) as raised:
                requests[key]
            self.assertEqual(raised.exception.args, (key,))
            return "\n".join(raised.exception.__notes__)

        requests["get", "http://me:secret@example.com/"] = [self.call, self.call]
        requests["own key"] = 5
        self.assertEqual(
            note_of(("GET", SITE + "?a=1")),
            "aioresponses: there were only these calls:\n"
            "  GET http://example.com/?a=1&b=2\n"
            "  get http://…@example.com/ (2 times)\n"
            "  'own key'",
        )
        for number in range(30):
            requests["PUT", f"{SITE}{number}"] = [self.call]
        self.assertTrue(note_of("other").endswith("\n  … and 13 more"))
        requests.clear()
        self.assertEqual(note_of(KEY), "aioresponses: there were no calls")

    def test_a_key_is_removed_in_any_spelling(self):
        for key in self.SPELLINGS:
            with self.subTest(key):
                requests = self.mock.requests
                self.assertEqual(requests.pop(key), [self.call])
                self.assertEqual((requests, self.mock.calls), ({}, []))
                requests[KEY] = [self.call]
                del requests[key]
                self.assertEqual((requests, self.mock.call_count), ({}, 0))
                requests[KEY] = [self.call]

    def test_what_is_put_there_by_text_replaces_what_is_there(self):
        requests = self.mock.requests
        requests["get", SITE + "?b=2&a=1"] = []
        self.assertEqual(requests, {KEY: []})
        requests["POST", SITE + "?d=2&c=1#top"] = [self.call]
        self.assertEqual(list(requests), [KEY, ("POST", URL(SITE + "?c=1&d=2#top"))])
        self.assertEqual(requests.setdefault(("PUT", SITE), [self.call]), [self.call])
        self.assertEqual(list(requests)[2:], [("PUT", URL(SITE))])
        self.assertEqual(requests.setdefault("some key", []), [])
        requests["GET", "http://[wrong"] = []
        self.assertEqual(list(requests)[3:], ["some key", ("GET", "http://[wrong")])
        self.assertEqual(requests["GET", "http://[wrong"], [])

    def test_it_is_a_dict_and_compares_as_one(self):
        requests = self.mock.requests
        self.assertIsInstance(requests, dict)
        self.assertEqual(requests, {KEY: [self.call]})
        self.assertEqual(repr(requests), repr({KEY: [self.call]}))
        self.assertNotEqual(requests, {TEXT: [self.call]})
        self.assertEqual(dict(requests), {KEY: [self.call]})
        self.assertEqual({**requests}, {KEY: [self.call]})
        self.assertEqual(list(requests.items()), [(KEY, [self.call])])

    def test_copies_find_text_as_well(self):
        requests = self.mock.requests
        pickled = pickle.loads(pickle.dumps(requests))
        for one in (requests.copy(), copy.copy(requests), copy.deepcopy(requests), pickled):
            self.assertIs(type(one), type(requests))
            self.assertEqual(one, requests)
            self.assertEqual(one[TEXT], [self.call])
            one.clear()
        self.assertEqual(len(requests), 1)


class KeysOfTheirOwnTest(AioResponsesTestCase):
    async def asyncSetUp(self):
        self.mock.add(re.compile(SITE), "GET", repeat=True)
        self.session = self.client_session()

    async def test_each_spelling_of_a_caller_has_its_own_key(self):
        for method in ("get", "GET", "Get"):
            await self.session.request(method, SITE)
        requests = self.mock.requests
        self.assertEqual(list(requests), [("get", URL(SITE)), ("GET", URL(SITE)), ("Get", URL(SITE))])
        # Looking for one in between changes nothing of that.
        self.assertIsNot(requests["get", SITE], requests["GET", SITE])
        await self.session.request("gET", SITE)
        self.assertEqual([len(calls) for calls in requests.values()], [1, 1, 1, 1])

    async def test_the_key_itself_is_found_first_then_that_in_upper_case_then_the_first(self):
        await self.session.request("get", SITE)
        [call] = self.mock.requests["gEt", SITE]
        self.assertEqual(call.method, "get")
        await self.session.request("GET", SITE)
        self.assertEqual(self.mock.requests["gEt", SITE][0].method, "GET")
        self.assertEqual(self.mock.requests["get", URL(SITE)], [call])
        self.assertEqual(self.mock.requests["get", SITE], [call])

    async def test_a_dict_that_a_user_puts_there_stays_as_it_is(self):
        own = {}
        self.mock.requests = own
        await self.session.get(SITE)
        self.assertIs(self.mock.requests, own)
        self.assertIs(type(own), dict)
        self.assertEqual(list(own), [("GET", URL(SITE))])
        self.assertNotIn(("GET", SITE), own)
        del self.mock.requests
        await self.session.get(SITE)
        self.assertIn(("GET", SITE), self.mock.requests)

    async def test_calls_that_were_removed_by_text_are_gone_and_later_ones_are_recorded(self):
        await self.session.get(SITE)
        del self.mock.requests["get", SITE]
        self.mock.assert_not_called()
        await self.session.get(SITE)
        self.assertEqual([len(calls) for calls in self.mock.requests.values()], [1])

    async def test_where_calls_are_dropped(self):
        with aioresponses(keep_calls=1) as mock:
            mock.get(re.compile(SITE), repeat=True)
            for method in ("get", "GET", "get"):
                await self.session.request(method, SITE)
            self.assertEqual(list(mock.requests), [("get", URL(SITE))])
            self.assertEqual((len(mock.requests["GET", SITE]), mock.call_count), (1, 3))


class EmptyTest(unittest.TestCase):
    def test_nothing_is_found_in_an_empty_one(self):
        requests = aioresponses().requests
        self.assertEqual((TEXT in requests, requests.get(TEXT), requests), (False, None, {}))
