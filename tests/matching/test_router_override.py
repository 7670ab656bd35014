"""A mock that overrides is asked before all that were registered earlier."""

import re
import threading
from unittest.mock import ANY

from aioresponses import CallbackResult, aioresponses

from ..support import SITE, USERS, AskingTestCase

URL_KINDS = (SITE, SITE + "{rest:.*}", "http://*.com/", re.compile("http"), ANY)


class OverrideTest(AskingTestCase):
    async def bodies(self, count, method="GET", **options):
        """Return the texts of so many responses."""
        return [text for _, text in await self.ask_often(count, method, **options)]

    async def test_it_answers_until_it_is_used_up(self):
        for plain in (True, False):
            with self.subTest(plain=plain):
                self.mock.clear()
                if not plain:
                    # With nothing but methods and URLs written out, requests take a shorter way.
                    self.mock.get(re.compile("http://other"))
                self.mock.get(SITE, body="default", repeat=True)
                self.mock.get(SITE, body="never")
                self.mock.get(SITE, body="override", override=True, repeat=2)
                self.assertEqual(await self.bodies(4), ["override", "override", "default", "default"])

    async def test_it_answers_in_the_middle_of_requests(self):
        self.mock.get(SITE, body="first", repeat=2)
        self.mock.get(SITE, body="last")
        self.assertEqual(await self.bodies(1), ["first"])
        self.mock.get(SITE, body="override", override=True)
        self.assertEqual(await self.bodies(3), ["override", "first", "last"])

    async def test_the_latest_answers_first(self):
        self.mock.get(SITE, body="default", repeat=True)
        for number in range(3):
            self.mock.get(SITE, body=f"override {number}", override=True)
        self.mock.get(SITE, body="behind the default", override=False)
        self.assertEqual(await self.bodies(4), ["override 2", "override 1", "override 0", "default"])

    async def test_without_a_default_it_answers_before_what_is_registered_later(self):
        self.mock.get(SITE, body="override", override=True)
        self.mock.get(SITE, body="later", repeat=True)
        self.assertEqual(await self.bodies(2), ["override", "later"])

    async def test_mocks_of_every_kind_override_those_of_every_kind(self):
        for default in URL_KINDS:
            for override in URL_KINDS:
                with self.subTest(default=default, override=override):
                    self.mock.clear()
                    self.mock.get(default, body="default", repeat=True)
                    self.mock.get(override, body="override", override=True)
                    self.assertEqual(await self.bodies(2), ["override", "default"])

    async def test_mocks_of_every_method_and_query_and_with_credentials_override(self):
        for register in (
            lambda: self.mock.any(SITE, body="override", override=True),
            lambda: self.mock.add(SITE, body="override", override=True),
            lambda: self.mock.get(SITE, body="override", override=True, match_query=ANY),
            lambda: self.mock.host(SITE).get("/", body="override", override=True),
            lambda: self.mock.host(SITE).any(re.compile("/$"), body="override", override=True),
            lambda: self.mock.get("http://me:secret@example.com/", body="override", override=True),
        ):
            self.mock.clear()
            self.mock.get(SITE, body="default", repeat=True)
            register()
            texts = [(await self.ask(url="http://me:secret@example.com/"))[1] for _ in range(2)]
            self.assertEqual(texts, ["override", "default"])

    async def test_each_shortcut_overrides(self):
        for method in ("get", "post", "put", "patch", "delete", "options", "any"):
            with self.subTest(method):
                register = getattr(self.mock, method)
                register(SITE, body="default", repeat=True)
                register(SITE, body="override", override=True)
                asked = "PROPFIND" if method == "any" else method
                self.assertEqual(await self.bodies(2, asked), ["override", "default"])

    async def test_where_its_conditions_do_not_hold_the_default_answers(self):
        self.mock.post(SITE, body="default", repeat=True)
        self.mock.post(SITE, body="override", override=True, match_json={"a": 1})
        self.assertEqual((await self.ask("POST", json={"a": 2}))[1], "default")
        self.assertEqual((await self.ask("POST", json={"a": 1}))[1], "override")
        self.assertEqual((await self.ask("POST", json={"a": 1}))[1], "default")

    async def test_a_sequence_of_replies_overrides(self):
        self.mock.get(SITE, body="default", repeat=True)
        self.mock.get(SITE, replies=[{"body": "one"}, {"body": "two"}], override=True)
        self.assertEqual(await self.bodies(3), ["one", "two", "default"])

    async def test_taken_out_it_answers_no_more(self):
        default = self.mock.get(SITE, body="default", repeat=True)
        first = self.mock.get(SITE, body="first", override=True, repeat=True)
        second = self.mock.get(SITE, body="second", override=True, repeat=True)
        first.remove()
        self.assertEqual(await self.bodies(1), ["second"])
        second.remove()
        self.assertEqual(await self.bodies(1), ["default"])
        default.remove()
        self.assertEqual((await self.ask())[1], "Connection refused: GET http://example.com/")

    async def test_suites_that_take_it_out_of_the_dict_of_mocks_are_obeyed(self):
        self.mock.get(SITE, body="default", repeat=True)
        handle = self.mock.get(SITE, body="override", override=True, repeat=True)
        [key] = [key for key, value in self.mock._matches.items() if value is handle]
        del self.mock._matches[key]
        self.assertEqual(await self.bodies(1), ["default"])

    async def test_one_whose_callback_raises_has_its_turn_again(self):
        for plain in (True, False):
            with self.subTest(plain=plain):
                self.mock.clear()
                if not plain:
                    self.mock.get(re.compile("http://other"))
                raises = [LookupError("first"), LookupError("second")]

                def callback(call):
                    if raises:
                        raise raises.pop(0)
                    return CallbackResult(body="override")

                self.mock.get(SITE, body="default", repeat=True)
                self.mock.get(SITE, callback=callback, override=True)
                outcomes = await self.ask_often(4)
                self.assertEqual(outcomes[:2], [(LookupError, "first"), (LookupError, "second")])
                self.assertEqual([text for _, text in outcomes[2:]], ["override", "default"])

    async def test_one_whose_callback_raises_has_its_turn_among_other_overrides(self):
        self.mock.get(SITE, body="default", repeat=True)

        def callback(call):
            # Registered while it is out of service; it is asked before it, all the same.
            self.mock.get(SITE, body="later", override=True)
            raise LookupError("once")

        handle = self.mock.get(SITE, callback=callback, override=True)
        self.assertEqual(await self.ask(), (LookupError, "once"))
        self.assertEqual(handle.remaining, 1)
        self.assertEqual((await self.ask())[1], "later")
        self.assertEqual(await self.ask(), (LookupError, "once"))

    async def test_clearing_forgets_it(self):
        self.mock.get(SITE, body="override", override=True, repeat=True)
        self.mock.clear()
        self.mock.get(SITE, body="default", repeat=True)
        self.assertEqual(await self.bodies(1), ["default"])

    async def test_it_overrides_within_its_own_mock_alone(self):
        self.mock.get(SITE, body="outer", override=True, repeat=True)
        with aioresponses() as inner:
            inner.get(SITE, body="inner")
            self.assertEqual(await self.bodies(2), ["inner", "outer"])

    async def test_mocks_are_listed_in_the_order_of_their_registration(self):
        handles = [self.mock.get(SITE, override=number % 2 == 1) for number in range(4)]
        self.assertEqual(self.mock.unused_mocks, handles)
        self.assertEqual(list(self.mock._matches.values()), handles)

    def test_it_is_a_flag(self):
        for value in (None, 1, "x"):
            with self.assertRaises(TypeError) as raised:
                self.mock.get(SITE, override=value)
            self.assertEqual(str(raised.exception), f"override: expected a bool, got {value!r}")
        self.assertEqual(self.mock._matches, {})

    async def test_threads_may_register_defaults_and_overrides(self):
        def register(name):
            for number in range(50):
                self.mock.get(SITE, body=f"{name} {number}", override=name < "c")

        threads = [threading.Thread(target=register, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        texts = await self.bodies(200)
        for name in "abcd":
            numbers = [int(text[2:]) for text in texts if text[0] == name]
            self.assertEqual(numbers, list(range(50))[::-1 if name < "c" else 1], name)
        self.assertEqual({text[0] for text in texts[:100]}, {"a", "b"})


class NeverReachedTest(AskingTestCase):
    """What strictness says of a default that another mock always overrides."""

    def found(self):
        with self.assertRaises(AssertionError) as raised:
            self.assertAllMocksCalled()
        return str(raised.exception)

    async def test_of_a_default_that_is_overridden_for_good(self):
        self.mock.get(USERS, body="default", repeat=True)
        self.mock.get(USERS, body="override", repeat=True, override=True)
        await self.ask(url=USERS)
        self.assertEqual(
            self.found(),
            "1 mock was never used:\n"
            "  GET http://example.com/users\n"
            "    never reached: GET http://example.com/users, repeat=True, override=True, answers first; register a "
            "default with optional=True\n"
            "Calls:\n"
            "  1. GET http://example.com/users -> 200",
        )

    async def test_of_several_that_come_before_the_first_one_asked_is_named(self):
        self.mock.any(USERS, repeat=True)
        self.mock.get(USERS)
        self.mock.get(ANY, repeat=True, override=True)
        self.mock.get(re.compile("http"), repeat=True, override=True)
        await self.ask(url=USERS)
        self.assertIn(
            "  GET http://example.com/users\n"
            "    never reached: GET re.compile('http'), repeat=True, override=True, answers first;", self.found()
        )

    async def test_of_a_default_whose_override_has_taken_the_only_request(self):
        self.mock.get(USERS)
        self.mock.get(USERS, override=True)
        await self.ask(url=USERS)
        self.assertEqual(
            self.found(),
            "1 mock was never used:\n"
            "  GET http://example.com/users\n"
            "    never reached: GET http://example.com/users, override=True, answers first; register a default with "
            "optional=True\n"
            "Calls:\n"
            "  1. GET http://example.com/users -> 200",
        )

    async def test_of_a_default_whose_override_was_never_asked(self):
        self.mock.get(USERS)
        self.mock.get(USERS, override=True, optional=True)
        self.assertEqual(
            self.found(), "1 mock was never used:\n  GET http://example.com/users\nThere were no calls."
        )

    async def test_of_a_default_whose_override_is_for_other_requests(self):
        self.mock.get(USERS)
        self.mock.get(USERS, override=True, match_headers={"X-A": "1"})
        await self.ask(url=USERS, headers={"X-A": "1"})
        self.assertIn("1 mock was never used:\n  GET http://example.com/users\nCalls:", self.found())

    async def test_an_override_is_not_hidden_by_a_default(self):
        self.mock.get(USERS, repeat=True, optional=True)
        self.mock.get(USERS, override=True)
        self.assertIn("1 mock was never used:\n  GET http://example.com/users\nThere were no calls.", self.found())

    async def test_an_optional_default_need_not_be_reached(self):
        self.mock.get(USERS, repeat=True, optional=True)
        self.mock.get(USERS, repeat=True, override=True)
        await self.ask(url=USERS)
        self.assertAllMocksCalled()
