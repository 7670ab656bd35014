"""`ABSENT`: what must not be there, in conditions of mocks, in assertions and within other matchers."""

import copy
import pickle
import unittest
from unittest.mock import ANY, call

from aiohttp import FormData

from aioresponses import AioResponsesTestCase, FilePart
from aioresponses.matchers import ABSENT, one_of, regex, subset, unordered

from .support import SITE, AskingTestCase, MessageTestCase, note_of


class AbsentTest(unittest.TestCase):
    def test_it_shows_where_it_comes_from_and_is_equal_to_itself_alone(self):
        self.assertEqual(repr(ABSENT), "ABSENT")
        self.assertEqual(ABSENT, ABSENT)
        self.assertEqual(len({ABSENT, ABSENT}), 1)
        for other in (None, False, "", "ABSENT", [], {}, type(ABSENT)):
            self.assertNotEqual(ABSENT, other)

    def test_copies_and_what_is_unpickled_are_the_same_object(self):
        self.assertIs(copy.copy(ABSENT), ABSENT)
        self.assertIs(copy.deepcopy({"a": [ABSENT]})["a"][0], ABSENT)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            self.assertIs(pickle.loads(pickle.dumps(ABSENT, protocol)), ABSENT)


class InMatchersTest(unittest.TestCase):
    def check(self, matcher, equal, unequal):
        for value in equal:
            self.assertEqual(matcher, value)
        for value in unequal:
            self.assertNotEqual(matcher, value)

    def test_in_a_subset(self):
        self.check(
            subset({"a": 1, "b": ABSENT}), [{"a": 1}, {"a": 1, "c": 2}], [{"a": 1, "b": None}, {"a": 1, "b": 1}, {}]
        )
        self.check(subset({"a": {"b": ABSENT}}), [{"a": {}}, {"a": {"c": 1}}], [{}, {"a": {"b": 0}}, {"a": None}])

    def test_in_dicts_within_lists(self):
        self.check(
            subset({"users": [{"id": 1, "email": ABSENT}]}),
            [{"users": [{"id": 2}, {"id": 1}]}],
            [{"users": [{"id": 1, "email": "a"}]}, {"users": [{"id": 2}]}],
        )
        self.check(
            unordered([{"id": 1}, {"id": 2, "email": ABSENT}]),
            [[{"id": 2}, {"id": 1}]],
            [[{"id": 2, "email": None}, {"id": 1}], [{"id": 1}]],
        )

    def test_as_a_choice_the_value_may_be_missing(self):
        self.check(
            subset({"role": one_of("author", ABSENT)}),
            [{}, {"role": "author"}, {"name": "Ada"}],
            [{"role": "admin"}, {"role": None}],
        )
        self.check(subset({"role": one_of(one_of("author", ABSENT))}), [{}], [{"role": "admin"}])
        self.check(one_of({"a": 1, "b": ABSENT}, {"c": [{"d": ABSENT}]}), [{"a": 1}, {"c": [{}]}], [{"a": 1, "b": 2}])

    def test_other_matchers_do_not_fit_what_is_missing(self):
        self.check(subset({"a": ANY}), [{"a": None}], [{}])
        self.check(subset({"a": regex("")}), [{"a": ""}], [{}])

    def test_of_a_file(self):
        expected = FilePart(filename="a.csv", content_type=ABSENT)
        self.check(expected, [FilePart("a.csv", b"1,2")], [FilePart("a.csv", b"1,2", "text/csv")])

    def test_an_element_of_a_list_cannot_be_absent(self):
        for matcher in (subset, unordered):
            with self.assertRaises(TypeError) as raised:
                matcher([1, ABSENT])
            self.assertEqual(
                str(raised.exception),
                f"{matcher.__name__}: ABSENT stands for the value of a key, not for an element of a list, "
                "got [1, ABSENT]",
            )
        for expected in ({"a": {"b": [ABSENT]}}, [{"a": [1, ABSENT]}]):
            with self.assertRaises(TypeError):
                subset(expected)


class InConditionsTest(AskingTestCase):
    async def check(self, conditions, answered, refused, **options):
        """Check which requests a mock of these conditions answers; each of them is given by its options."""
        self.mock.post(SITE, repeat=True, **conditions)
        for one, status in [*((one, 200) for one in answered), *((one, None) for one in refused)]:
            with self.subTest(one):
                url = one.pop("url", SITE)
                got, _ = await self.ask("POST", url, **one)
                self.assertEqual(got if got == 200 else None, status)
        self.mock.clear()

    async def test_headers(self):
        await self.check(
            {"match_headers": {"Authorization": ABSENT, "X-A": "1"}},
            [{"headers": {"X-A": "1"}}],
            [{"headers": {"X-A": "1", "authorization": "Bearer a"}}, {"headers": {"X-A": "1", "Authorization": ""}}],
        )
        await self.check(
            {"match_headers": {"X-A": one_of("1", ABSENT)}},
            [{}, {"headers": {"x-a": "1"}}],
            [{"headers": {"X-A": "2"}}],
        )
        await self.check({"match_headers": subset({"X-A": ABSENT})}, [{}], [{"headers": {"X-A": "2"}}])
        await self.check({"match_headers": [("X-A", ABSENT)]}, [{}], [{"headers": {"X-A": "2"}}])

    async def test_query(self):
        await self.check(
            {"match_query": {"q": "a", "page": ABSENT}},
            [{"url": SITE + "?q=a"}],
            [{"url": SITE + "?q=a&page=2"}, {"url": SITE + "?q=a&page="}, {"url": SITE + "?q=a&size=2"}, {}],
        )
        await self.check(
            {"match_query": subset({"page": ABSENT})},
            [{}, {"url": SITE + "?q=a"}],
            [{"url": SITE + "?q=a&page=2"}, {"url": SITE + "?page=1&page=2"}],
        )
        await self.check(
            {"match_query": {"page": one_of("1", ABSENT)}}, [{}, {"url": SITE + "?page=1"}], [{"url": SITE + "?page=2"}]
        )
        await self.check({"match_query": [("page", ABSENT)]}, [{}], [{"url": SITE + "?page=2"}])

    async def test_json(self):
        await self.check(
            {"match_json": {"a": 1, "b": ABSENT, "c": [{"d": ABSENT}]}},
            [{"json": {"a": 1, "c": [{}]}}],
            [
                {"json": {"a": 1, "b": None, "c": [{}]}},
                {"json": {"a": 1, "c": [{"d": 1}]}},
                {"json": {"a": 1, "c": []}},
                {"json": {"a": 1, "c": [{}], "e": 1}},
                {},
            ],
        )

    async def test_form(self):
        await self.check(
            {"match_form": {"a": "1", "b": ABSENT}},
            [{"data": {"a": "1"}}],
            [{"data": {"a": "1", "b": "2"}}, {"data": {"a": "1", "b": ""}}, {"data": {"c": "1"}}],
        )
        self.mock.post(SITE, repeat=True, match_form=subset({"file": ABSENT, "title": "T"}))
        for name, is_answered in (("other", True), ("file", False)):
            form = FormData({"title": "T"})
            form.add_field(name, b"1", filename="a.csv")
            status, _ = await self.ask("POST", data=form)
            self.assertEqual(status == 200, is_answered)

    async def test_a_group_that_asks_for_a_header_leaves_room_for_a_mock_without_it(self):
        api = self.mock.host("http://example.com", match_headers={"Authorization": "Bearer a"})
        api.get("/login", match_headers={"authorization": ABSENT}, repeat=True)
        self.assertEqual((await self.ask("GET", SITE + "login"))[0], 200)
        refused, _ = await self.ask("GET", SITE + "login", headers={"Authorization": "Bearer a"})
        self.assertNotEqual(refused, 200)

    async def test_a_refusal_says_what_is_unexpected(self):
        for conditions, options, reason in (
            ({"match_query": {"page": ABSENT}}, {"params": {"page": 2}}, "query: at page: unexpected '2'"),
            ({"match_json": {"a": {"b": ABSENT}}}, {"json": {"a": {"b": 1}}}, "json: at a.b: unexpected 1"),
            ({"match_form": {"a": ABSENT}}, {"data": {"a": "1"}}, "form: at a: unexpected '1'"),
            (
                {"match_headers": {"X-A": ABSENT}}, {"headers": {"X-A": "1"}},
                "headers: at X-A: unexpected '1'",
            ),
            (
                {"match_headers": {"Authorization": ABSENT}}, {"headers": {"Authorization": "Bearer secret"}},
                "headers: at Authorization: unexpected '…'",
            ),
            (
                {"match_headers": {"X-A": one_of("1", ABSENT)}}, {"headers": {"X-A": "2"}},
                "headers: at X-A: one_of('1', ABSENT) != '2'",
            ),
        ):
            self.mock.clear()
            self.mock.post(SITE, **conditions)
            note = await note_of(self.session, "POST", SITE, **options)
            self.assertEqual(note.splitlines()[-1].partition("}: ")[2], reason)

    def test_the_mock_shows_it(self):
        handle = self.mock.get(SITE, match_headers={"Authorization": ABSENT}, match_json={"a": ABSENT})
        self.assertEqual(
            str(handle), "GET http://example.com/, match_headers={'Authorization': ABSENT}, match_json={'a': ABSENT}"
        )


class WithoutSenseTest(AskingTestCase):
    def test_in_place_of_a_whole_value(self):
        for name, instead in (
            ("match_query", "for no query, use {}"),
            ("match_headers", "use a dict such as {'Authorization': ABSENT}"),
            ("match_json", "for no body, use match_body=b''"),
            ("match_form", "for no fields, use {}"),
            ("match_body", "for no body, use b''"),
        ):
            with self.subTest(name):
                with self.assertRaises(TypeError) as raised:
                    self.mock.get(SITE, **{name: ABSENT})
                self.assertEqual(str(raised.exception), f"{name}: ABSENT cannot stand for the whole value; {instead}")
        with self.assertRaisesRegex(TypeError, "match: expected a function that takes the call, .*, got ABSENT"):
            self.mock.get(SITE, match=ABSENT)
        self.assertEqual(self.mock.unused_mocks, [])

    def test_among_several_values(self):
        for name in ("match_query", "match_form", "match_headers"):
            with self.assertRaises(TypeError) as raised:
                self.mock.get(SITE, **{name: {"a": ["1", ABSENT]}})
            self.assertEqual(
                str(raised.exception), f"{name}: 'a' has several values, one of which is ABSENT; use ABSENT alone"
            )

    def test_in_a_reply(self):
        for name, value in (
            ("headers", {"X-A": ABSENT}), ("cookies", {"a": ABSENT}), ("body", ABSENT), ("status", ABSENT),
            ("reason", ABSENT), ("content_type", ABSENT),
        ):
            with self.subTest(name), self.assertRaisesRegex(TypeError, f"^{name}: .*got .*ABSENT"):
                self.mock.get(SITE, **{name: value})
        with self.assertRaises(TypeError) as raised:
            self.mock.get(SITE, payload={"a": ABSENT})
        self.assertEqual(
            str(raised.exception),
            "payload: expected a value that json can serialise, got {'a': ABSENT}: "
            "Object of type Absent is not JSON serializable",
        )

    async def test_in_place_of_what_an_assertion_expects(self):
        self.mock.post(SITE, repeat=True)
        multipart = FormData()
        multipart.add_field("a", b"1", filename="a.csv")
        for options, *assertions in (
            (
                {"json": 1}, self.assertJsonBody, self.assertTextBody, self.assertBody, self.assertJsonBodyContains,
                self.assertQuery, self.assertQueryEqual, self.assertRequestHeaders,
            ),
            ({"data": {"a": "1"}}, self.assertFormBody),
            ({"data": multipart}, self.assertMultipartBody),
        ):
            await self.ask("POST", **options)
            for assertion in assertions:
                with self.subTest(assertion.__name__), self.assertRaises(AssertionError) as raised:
                    assertion(ABSENT)
                self.assertIn("ABSENT cannot stand for the whole value; use it for a value", str(raised.exception))


class InAssertionsTest(MessageTestCase):
    CALLS = "Calls:\n  1. POST http://example.com/?q=a&page=2 -> 200"

    async def asyncSetUp(self):
        await self.send(
            "POST", SITE + "?q=a&page=2", headers={"Authorization": "Bearer secret", "X-A": "1"},
            json={"a": 1, "b": [{"c": 2}]},
        )

    async def test_json_body(self):
        self.assertJsonBody({"a": 1, "b": [{"c": 2, "d": ABSENT}], "e": ABSENT})
        self.assertJsonBodyContains({"b": [{"d": ABSENT}], "e": ABSENT, "f": one_of(1, ABSENT)})
        self.assertJsonBody(subset({"b": unordered([{"c": 2, "d": ABSENT}])}))
        message = self.message(self.assertJsonBody, {"a": 1, "b": [{"c": ABSENT}], "e": ABSENT})
        self.assertIn("- {'a': 1, 'b': [{'c': ABSENT}]}\n", message)
        self.assertIn("+ {'a': 1, 'b': [{'c': 2}]}\n", message)
        self.check_fails(
            "JSON body of call 1 does not contain:\n"
            f"  at a: expected nothing, but got 1\n{self.CALLS}",
            self.assertJsonBodyContains, {"a": ABSENT},
        )

    async def test_query(self):
        self.assertQuery({"q": "a", "size": ABSENT}, SITE)
        self.assertQueryEqual({"q": "a", "page": "2", "size": ABSENT}, SITE)
        self.check_fails(
            "Query of call 1 does not contain:\n"
            f"  page: expected nothing, but got '2'\n{self.CALLS}",
            self.assertQuery, {"page": ABSENT}, SITE,
        )
        message = self.message(self.assertQueryEqual, {"q": "a", "page": ABSENT}, SITE)
        self.assertIn("- {'page': ABSENT, 'q': 'a'}", message)

    async def test_headers(self):
        self.assertRequestHeaders({"X-A": "1", "X-B": ABSENT, "x-c": one_of("1", ABSENT)})
        self.check_fails(
            "Headers of call 1 do not contain:\n"
            "  x-a: expected nothing, but got '1'\n"
            f"  authorization: expected nothing, but got '…'\n{self.CALLS}",
            self.assertRequestHeaders, {"x-a": ABSENT, "authorization": ABSENT},
        )

    async def test_conditions_of_assertions(self):
        self.assertCalledOnce(method="POST", match_headers={"X-B": ABSENT}, match_json=subset({"e": ABSENT}))
        self.assertNotCalled(match_query=subset({"page": ABSENT}))
        self.assertEqual(self.mock.calls_of(match_headers={"Authorization": ABSENT}), [])

    async def test_keyword_arguments(self):
        url = SITE + "?q=a&page=2"
        given = {"a": 1, "b": [{"c": 2, "d": ABSENT}], "e": ABSENT}
        headers = {"Authorization": "Bearer secret", "X-A": "1", "X-B": ABSENT}
        self.mock.assert_called_with(url, "POST", json=given, headers=headers)
        self.mock.assert_called_once_with(url, "POST", json=given, headers=headers, timeout=ABSENT)
        self.mock.assert_any_call(url, "POST", json=given, timeout=ABSENT)
        self.mock.assert_has_calls([call(url, "POST", json=given, timeout=ABSENT)])
        self.mock.assert_called_with(url, "POST", json=given, timeout=ABSENT, args_to_match=["json", "timeout"])
        shown = {"Authorization": ABSENT}
        self.assertIn(f"headers={shown}", self.message(self.mock.assert_any_call, SITE, headers=shown))
        for assertion in (self.mock.assert_called_with, self.mock.assert_any_call):
            self.assertIn("ABSENT", self.message(assertion, url, "POST", json={**given, "a": ABSENT}, headers=headers))
            self.assertIn("ABSENT", self.message(assertion, url, "POST", json=ABSENT, headers=headers))
        with self.assertRaises(AssertionError):
            self.mock.assert_has_calls([call(url, "POST", json=ABSENT)])


class InFormAssertionsTest(AioResponsesTestCase):
    async def asyncSetUp(self):
        self.mock.post(SITE, repeat=True)
        self.session = self.client_session()

    async def test_form_body(self):
        await self.session.post(SITE, data={"a": "1", "b": "2"})
        self.assertFormBody({"a": "1", "b": "2", "c": ABSENT})
        self.assertFormBody([("a", "1"), ("c", ABSENT), ("b", "2")])
        for wrong in ({"a": "1", "b": ABSENT}, [("a", "1"), ("b", ABSENT)]):
            with self.assertRaises(AssertionError) as raised:
                self.assertFormBody(wrong)
            self.assertIn("ABSENT", str(raised.exception))

    async def test_multipart_body(self):
        form = FormData({"title": "T"})
        form.add_field("file", b"1", filename="a.csv", content_type="text/csv")
        await self.session.post(SITE, data=form)
        self.assertMultipartBody({"title": "T", "file": FilePart("a.csv"), "other": ABSENT})
        self.assertMultipartBody([("title", "T"), ("other", ABSENT), ("file", b"1")])
        self.assertMultipartBody({"title": "T", "file": one_of(FilePart("a.csv"), ABSENT), "b": one_of("1", ABSENT)})
        for wrong in (
            {"title": "T", "file": ABSENT},
            {"title": "T", "file": FilePart("a.csv", content_type=ABSENT)},
            {"title": {"filename": "a"}, "file": b"1"},
        ):
            with self.assertRaises(AssertionError):
                self.assertMultipartBody(wrong)

    async def test_attributes_of_a_part(self):
        form = FormData({"title": "T"})
        form.add_field("file", b"1", filename="a.csv", content_type="text/csv")
        await self.session.post(SITE, data=form)
        # Before 3.9, aiohttp sends the length of each part.
        length = one_of("1", ABSENT)
        headers = {"Content-Type": "text/csv", "Content-Disposition": ANY, "X-A": ABSENT, "content-length": length}
        file = {"headers": headers}
        self.assertMultipartBody({"title": {"filename": ABSENT, "content": "T"}, "file": file})
        with self.assertRaises(AssertionError):
            self.assertMultipartBody({"title": "T", "file": {"filename": ABSENT}})
        with self.assertRaises(AssertionError):
            self.assertMultipartBody({"title": "T", "file": {"headers": {"content-type": ABSENT}}})
