import re
import unittest
from operator import contains, eq
from unittest.mock import ANY

from aiohttp import FormData

from aioresponses import AioResponsesTestCase, FilePart, Part
from aioresponses.matchers import Several, beside, differences, one_of, regex, subset, unordered, unpaired

from .support import Even


class MatcherTestCase(unittest.TestCase):
    def check(self, matcher, equal=(), unequal=()):
        for others, expected in ((equal, True), (unequal, False)):
            for other in others:
                with self.subTest(matcher=matcher, other=other):
                    # It decides on whichever side it stands.
                    self.assertIs(matcher == other, expected)
                    self.assertIs(other == matcher, expected)
                    self.assertIs(matcher != other, not expected)
                    self.assertIs([{"a": matcher}] == [{"a": other}], expected)
                    self.assertIs([{"a": other}] == [{"a": matcher}], expected)

    def check_refused(self, error, message, function, *args):
        with self.assertRaises(error) as raised:
            function(*args)
        self.assertEqual((type(raised.exception), str(raised.exception)), (error, message))


class SubsetTest(MatcherTestCase):
    def test_each_key_of_a_mapping_must_be_there_with_its_value(self):
        self.check(
            subset({"a": 1, "b": {"c": 2}}),
            [{"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 2, "d": 3}, "e": 4}],
            [{"a": 1}, {"a": 1, "b": {}}, {"a": 2, "b": {"c": 2}}, {"a": 1, "b": 2}, [], None, "a"],
        )
        self.check(subset({}), [{}, {"a": 1}], [[], None])

    def test_each_element_of_a_list_must_be_there_in_any_order(self):
        self.check(subset([1, 2]), [[1, 2], [2, 3, 1]], [[1], [2, 2], {1: 2}, 1])
        self.check(subset((1, 1)), [[1, 1], [1, 2, 1]], [[1, 2]])
        self.check(subset([{"a": 1}, {}]), [[{"b": 2}, {"a": 1, "b": 2}]], [[{"a": 1}], [{}, {}]])

    def test_other_matchers_may_stand_in_a_subset(self):
        self.check(
            subset({"a": ANY, "b": [Even()], "c": regex("^x"), "d": {"e": one_of(1, 2)}}),
            [{"a": None, "b": [1, 2], "c": "xyz", "d": {"e": 2, "f": 3}}],
            [
                {"b": [2], "c": "x", "d": {"e": 2}},
                {"a": None, "b": [1], "c": "xyz", "d": {"e": 2}},
                {"a": None, "b": [2], "c": "y", "d": {"e": 2}},
                {"a": None, "b": [2], "c": "x", "d": {"e": 3}},
            ],
        )

    def test_elements_within_unordered_are_compared_as_a_whole(self):
        self.check(subset({"a": unordered([{"b": 1}])}), [{"a": [{"b": 1}]}], [{"a": [{"b": 1, "c": 2}]}])

    def test_a_subset_may_stand_in_other_matchers(self):
        self.check(unordered([subset({"a": 1}), 2]), [[2, {"a": 1, "b": 2}]], [[2, {"b": 2}]])
        self.check(one_of(subset([1]), subset({})), [[1, 2], {"a": 1}], [[2]])
        self.check({"a": subset({"b": 1})}, [{"a": {"b": 1, "c": 2}}], [{"a": {"b": 1}, "c": 2}])

    def test_what_is_neither_a_mapping_nor_a_list_is_refused(self):
        for value in (5, "text", None, {1}, subset({})):
            with self.subTest(value=value):
                self.check_refused(TypeError, f"subset: expected a mapping or a list, got {value!r}", subset, value)


class RegexTest(MatcherTestCase):
    def test_a_regex_is_searched_in_text_or_bytes(self):
        self.check(regex("b"), ["abc", "b"], ["ac", b"b", None, 5, ["b"]])
        self.check(regex("^b$"), ["b"], ["ab", "bc"])
        self.check(regex(b"b"), [b"abc"], [b"ac", "b"])
        self.check(regex(re.compile("B", re.IGNORECASE)), ["abc"], ["ac"])
        self.check(regex("^b.", re.IGNORECASE | re.DOTALL), ["B\n"], ["ab\n"])
        self.check(regex(""), ["", "a"], [b""])

    def test_what_is_not_a_pattern_is_refused(self):
        self.check_refused(TypeError, "regex: expected text, bytes or a compiled pattern, got 5", regex, 5)
        with self.assertRaises(re.error):
            regex("(")


class UnorderedTest(MatcherTestCase):
    def test_an_unordered_list_has_just_these_elements(self):
        self.check(unordered([1, 2, 2]), [[2, 1, 2], (2, 2, 1)], [[1, 2], [1, 1, 2], [1, 2, 2, 2], {1, 2}, 1, None])
        self.check(unordered([]), [[], ()], [[1], None, "", b"", {}])
        self.check(unordered(["a", "b"]), [["b", "a"]], ["ab", "ba"])
        self.check(unordered({1: 2, 3: 4}), [[3, 1]])
        self.check(unordered(number for number in (1, 2)), [[2, 1], [1, 2]])

    def test_elements_that_fit_several_get_one_each(self):
        self.check(unordered([ANY, 1]), [[1, 2], [2, 1], [1, 1]], [[2, 2]])
        self.check(unordered([one_of(1, 2), one_of(1)]), [[1, 2], [2, 1], [1, 1]], [[2, 2]])
        self.check(unordered([{"a": Even()}, {"a": ANY}]), [[{"a": 1}, {"a": 2}]], [[{"a": 1}, {"a": 3}]])

    def test_what_is_not_a_list_is_refused(self):
        for value in (5, "ab", b"ab", None):
            with self.subTest(value=value):
                self.check_refused(TypeError, f"unordered: expected a list, got {value!r}", unordered, value)


class OneOfTest(MatcherTestCase):
    def test_one_of_equals_what_one_of_the_choices_equals(self):
        self.check(one_of(1, "a", None, [2], Even()), [1, "a", None, [2], 4], [3, "b", [], [3]])
        self.check(one_of(ANY), [1, None])

    def test_one_of_needs_a_choice(self):
        self.check_refused(TypeError, "one_of: expected at least one choice", one_of)


class FilePartTest(MatcherTestCase):
    def test_an_attribute_that_is_not_given_may_be_anything(self):
        sent = FilePart("a.csv", b"1,2", "text/csv")
        for expected, equal in [
            (FilePart(), True),
            (FilePart("a.csv"), True),
            (FilePart(content="1,2"), True),
            (FilePart(content=b"1,2"), True),
            (FilePart(content_type="text/csv"), True),
            (FilePart("a.csv", b"1,2", "text/csv"), True),
            (FilePart(regex("csv$"), ANY, one_of("text/csv", "x/y")), True),
            (FilePart("b.csv"), False),
            (FilePart("a.csv", b"3"), False),
            (FilePart(content=regex(b"3")), False),
            (FilePart(content_type="x/y"), False),
        ]:
            with self.subTest(expected=expected):
                self.assertIs(expected == sent, equal)
                self.assertIs(expected != sent, not equal)
        self.check(FilePart(), [], ["1,2", b"1,2", None, {}])

    def test_an_empty_file_is_not_any_file(self):
        self.assertEqual(FilePart(content=b""), FilePart("a", b"", "x/y"))
        self.assertNotEqual(FilePart(content=b""), FilePart("a", b"x", "x/y"))


class ReprTest(unittest.TestCase):
    def test_the_repr_says_how_a_matcher_was_made(self):
        for matcher, expected in [
            (subset({"a": [1, ANY]}), "subset({'a': [1, <ANY>]})"),
            (regex(r"^\d+$"), r"regex('^\\d+$')"),
            (regex(b"x"), "regex(b'x')"),
            (regex("x", re.IGNORECASE), f"regex('x', {re.IGNORECASE!r})"),
            (regex(re.compile("x", re.MULTILINE)), f"regex('x', {re.MULTILINE!r})"),
            (regex("(?i)x"), "regex('(?i)x')"),
            (unordered((1, 2)), "unordered([1, 2])"),
            (one_of(1, "a"), "one_of(1, 'a')"),
            (one_of(regex("x"), subset([unordered([])])), "one_of(regex('x'), subset([unordered([])]))"),
            (FilePart(), "FilePart()"),
            (FilePart("a.csv", "1", regex("csv")),
             "FilePart(filename='a.csv', content=b'1', content_type=regex('csv'))"),
            (FilePart(content=bytes(1000)),
             f"FilePart(content={repr(bytes(1000))[:200]}… (3803 more characters))"),
        ]:
            with self.subTest(expected):
                self.assertEqual(repr(matcher), expected)

    def test_matchers_cannot_be_hashed(self):
        for matcher in (subset({}), regex(""), unordered([]), one_of(1), FilePart()):
            with self.subTest(matcher), self.assertRaises(TypeError):
                hash(matcher)


class DifferencesTest(unittest.TestCase):
    def check(self, expected, found, *texts, partly=False):
        with self.subTest(expected=expected, found=found):
            self.assertEqual([str(one) for one in differences(expected, found, partly=partly)], list(texts))

    def test_all_differences_with_their_places(self):
        self.check({"a": 1, "b": [1, {"c": 2}]}, {"a": 1, "b": [1, {"c": 2}]})
        self.check(
            {"a": 1, "b": [1, {"c": 2}], "d": 4, 5: 6},
            {"a": 2, "b": [1, {"c": 3}, 3], "e": 5, 5: 7},
            "at a: 1 != 2",
            "at b[1].c: 2 != 3",
            "at b[2]: unexpected 3",
            "at d: 4 is missing",
            "at 5: 6 != 7",
            "at e: unexpected 5",
        )
        self.check([1, 2], [1], "at [1]: 2 is missing")
        self.check(1, 2, "1 != 2")
        self.check({"a": 1}, [], "{'a': 1} != []")

    def test_an_element_that_a_list_should_hold(self):
        self.check([1, 4], [1, 2], "4 is not in [1, 2]", partly=True)
        self.check(subset({"a": [{"b": 1}]}), {"a": [{"b": 2}]}, "at a: {'b': 1} is not in [{'b': 2}]")

    def test_one_value_of_several_is_enough_for_a_subset_alone(self):
        self.check(subset({"a": "1"}), {"a": Several(["1", "2"])})
        self.check({"a": "1"}, {"a": Several(["1", "2"])}, "at a: '1' != ['1', '2']")
        self.check(subset({"a": "3"}), {"a": Several(["1", "2"])}, "at a: '3' != ['1', '2']")
        self.check(subset({"a": "1"}), {"a": ["1", "2"]}, "at a: '1' != ['1', '2']")

    def test_long_values_are_cut(self):
        self.check("x", "y" * 300, f"'x' != '{'y' * 199}… (102 more characters)")

    def test_what_is_shown_beside_a_value_is_that_value_wherever_it_fits(self):
        for expected, found, shown in [
            (ANY, 5, 5),
            ({"a": ANY, "b": 1}, {"a": 5, "b": 2}, {"a": 5, "b": 1}),
            (subset({"a": 1}), {"a": 2, "b": 3}, {"a": 1, "b": 3}),
            (subset({"a": {"b": ANY, "c": 1}}), {"a": {"b": 2, "d": 3}}, {"a": {"b": 2, "d": 3, "c": 1}}),
            ([ANY, Even()], [1, 2], [1, 2]),
            ([ANY, 5, 6], [1, 2], [1, 5, 6]),
        ]:
            with self.subTest(expected=expected, found=found):
                self.assertEqual(repr(beside(expected, found)), repr(shown))
        one = unordered([1])
        self.assertIs(beside(one, [2]), one)

    def test_a_difference_is_a_place_and_two_values(self):
        [difference] = differences({"a": 1}, {"a": 2})
        self.assertEqual((difference.where, difference.expected, difference.found), ("a", 1, 2))


class AssertionsTest(AioResponsesTestCase):
    """The same objects, and those of others, may stand in what assertions expect."""

    maxDiff = None

    async def asyncSetUp(self):
        self.mock.post("http://example.com/", repeat=True)
        self.session = self.client_session()

    async def send(self, **kwargs):
        await self.session.post("http://example.com/", **kwargs)

    def check_failing(self, headline, *lines_and_call):
        *lines, assertion = lines_and_call
        number = self.mock.call_count
        with self.assertRaises(self.failureException) as raised:
            assertion()
        call = self.mock.calls[-1]
        listed = [f"{place:>3}. {one}" for place, one in enumerate(self.mock.calls, 1)]
        self.assertEqual(
            # Where in a line the difference is, is unittest's to say.
            [line for line in str(raised.exception).splitlines() if line and not line.startswith("?")],
            [headline.format(number=number, call=call), *lines, "Calls:", *listed],
        )

    async def test_matchers_in_json_body(self):
        await self.send(json={"id": 8, "name": "Ada", "roles": ["a", "b"]})
        for expected in (
            ANY,
            subset({"id": Even()}),
            {"id": one_of(7, 8), "name": regex("^A"), "roles": unordered(["b", "a"])},
            {"id": Even(), "name": ANY, "roles": subset(["b"])},
        ):
            self.assertJsonBody(expected)
        self.assertJsonBodyContains({"roles": [regex("b")], "name": one_of("Ada")})
        self.check_failing(
            "JSON body of call {number} differs (- expected, + sent): {call}",
            "{'id': 8, 'name': regex('^B'), 'roles': ['a', 'b']} != {'id': 8, 'name': 'Ada', 'roles': ['a', 'b']}",
            "- {'id': 8, 'name': regex('^B'), 'roles': ['a', 'b']}",
            "+ {'id': 8, 'name': 'Ada', 'roles': ['a', 'b']}",
            lambda: self.assertJsonBody({"id": ANY, "name": regex("^B"), "roles": unordered(["b", "a"])}),
        )
        self.check_failing(
            "JSON body of call {number} differs (- expected, + sent): {call}",
            "{'id': 9, 'name': 'Ada', 'roles': ['a', 'b']} != {'id': 8, 'name': 'Ada', 'roles': ['a', 'b']}",
            "- {'id': 9, 'name': 'Ada', 'roles': ['a', 'b']}",
            "+ {'id': 8, 'name': 'Ada', 'roles': ['a', 'b']}",
            lambda: self.assertJsonBody(subset({"id": 9})),
        )
        self.check_failing(
            "JSON body of call {number} does not contain:",
            "  at name: expected regex('^B'), but got 'Ada'",
            "  at roles: expected one_of('c') in the list, but got ['a', 'b']",
            lambda: self.assertJsonBodyContains({"name": regex("^B"), "roles": [one_of("c")]}),
        )

    async def test_matchers_in_form_body(self):
        await self.send(data={"a": "1", "b": "2"})
        for expected in (ANY, {"a": regex("1"), "b": one_of("2")}, subset({"a": "1"}), [("a", ANY), ("b", "2")]):
            self.assertFormBody(expected)
        self.check_failing(
            "Form of call {number} differs (- expected, + sent): {call}",
            "{'a': '1', 'b': one_of('3')} != {'a': '1', 'b': '2'}",
            "- {'a': '1', 'b': one_of('3')}",
            "+ {'a': '1', 'b': '2'}",
            lambda: self.assertFormBody({"a": ANY, "b": one_of("3")}),
        )
        self.check_failing(
            "Form of call {number} differs (- expected, + sent): {call}",
            "{'a': '3', 'b': '2'} != {'a': '1', 'b': '2'}",
            "- {'a': '3', 'b': '2'}",
            "+ {'a': '1', 'b': '2'}",
            lambda: self.assertFormBody(subset({"a": "3"})),
        )

    async def test_fields_of_a_form_that_are_sent_more_than_once(self):
        await self.send(data=FormData([("a", "1"), ("a", "2")]))
        for expected in ({"a": unordered(["2", "1"])}, subset({"a": "2"}), {"a": ["1", "2"]}):
            self.assertFormBody(expected)

    async def test_matchers_in_multipart_body(self):
        form = FormData()
        form.add_field("title", "Report", content_type="text/plain")
        form.add_field("file", b"1,2", filename="a.csv", content_type="text/csv")
        await self.send(data=form)
        for expected in (
            ANY,
            {"title": "Report", "file": FilePart(filename="a.csv", content="1,2", content_type="text/csv")},
            [("title", ANY), ("file", FilePart(regex("csv$")))],
            {"title": regex(b"^R"), "file": {"filename": one_of("a.csv"), "content": ANY}},
            subset({"file": FilePart("a.csv")}),
            subset({"title": "Report"}),
            {"title": Part("title", None, ANY, b"Report"), "file": ANY},
        ):
            with self.subTest(expected=expected):
                self.assertMultipartBody(expected)
        form = FormData()
        form.add_field("title", "Report", content_type="text/plain")
        await self.send(data=form)
        self.check_failing(
            "Multipart body of call {number} differs (- expected, + sent): {call}",
            "{'title': regex('x')} != {'title': 'Report'}",
            "- {'title': regex('x')}",
            "+ {'title': 'Report'}",
            lambda: self.assertMultipartBody(subset({"title": regex("x")})),
        )
        self.check_failing(
            "Multipart body of call {number} differs (- expected, + sent): {call}",
            "{'title': FilePart(filename='a')} != {'title': 'Report'}",
            "- {'title': FilePart(filename='a')}",
            "+ {'title': 'Report'}",
            lambda: self.assertMultipartBody(subset({"title": FilePart("a")})),
        )

    async def test_matchers_in_text_body(self):
        await self.send(data="hello")
        for expected in (ANY, regex("^h"), one_of("hello", "hallo")):
            self.assertTextBody(expected)
        self.check_failing(
            "Body of call {number} differs (- expected, + sent): {call}",
            "regex('^x') != 'hello'",
            lambda: self.assertTextBody(regex("^x")),
        )

    async def test_matchers_in_body(self):
        await self.send(data=b"hello")
        for expected in (ANY, regex(b"^h"), one_of(b"hello", b"hallo")):
            self.assertBody(expected)
        self.check_failing(
            "Body of call {number} differs (- expected, + sent): {call}",
            "one_of(b'x') != b'hello'",
            lambda: self.assertBody(one_of(b"x")),
        )

    async def test_matchers_in_request_headers(self):
        await self.send(headers=[("X-One", "1"), ("X-One", "2"), ("Authorization", "Bearer secret")])
        for expected in (
            ANY,
            {"x-one": regex("2")},
            {"X-One": unordered(["2", "1"])},
            subset({"X-One": one_of("1", "3"), "Authorization": ANY}),
        ):
            self.assertRequestHeaders(expected)
        self.check_failing(
            "Headers of call {number} do not contain:",
            "  X-One: expected regex('3'), but got ['1', '2']",
            "  X-Two: expected <ANY>, but it was not sent",
            "  Authorization: expected '…', but got 'Bearer …' (6 more characters)",
            lambda: self.assertRequestHeaders(
                subset({"X-One": regex("3"), "X-Two": ANY, "Authorization": regex("other secret")})
            ),
        )

    async def test_matchers_in_query(self):
        self.mock.post("http://example.com/", match_query=ANY)
        await self.send(params=[("a", "1"), ("a", "2"), ("b", "3")])
        for expected in (ANY, {"a": regex("2"), "b": ANY}, {"a": unordered(["2", "1"])}, subset({"b": one_of("3")})):
            self.assertQuery(expected)
        self.check_failing(
            "Query of call {number} does not contain:",
            "  a: expected one_of('3'), but got ['1', '2']",
            lambda: self.assertQuery(subset({"a": one_of("3")})),
        )

    async def test_matchers_in_keyword_arguments(self):
        await self.send(json={"id": 8, "roles": ["a", "b"]})
        self.mock.assert_called_with(
            "http://example.com/", "POST", json=subset({"id": Even(), "roles": unordered(["b", "a"])})
        )
        self.mock.assert_any_call("http://example.com/", "POST", json=one_of(None, subset({"id": 8})))
        with self.assertRaises(AssertionError):
            self.mock.assert_called_with("http://example.com/", "POST", json=subset({"id": 9}))


class UnpairedTest(unittest.TestCase):
    def test_each_wanted_element_is_paired_with_one_of_its_own(self):
        self.assertEqual(unpaired([1, 2, 2], [2, 1, 2], eq), [])
        self.assertEqual(unpaired([1, 1, 3], [1, 2, 3], eq), [1])

    def test_an_element_that_was_paired_before_makes_room(self):
        self.assertEqual(unpaired([{1, 2}, {1}], [1, 2], contains), [])
        self.assertEqual(unpaired([{1, 2}, {1}, {2}], [1, 2], contains), [{2}])

    def test_a_long_chain_of_moves(self):
        wanted = [{number, number + 1} for number in range(1200)] + [{0}]
        self.assertEqual(unpaired(wanted, range(1201), contains), [])

    def test_many_equal_elements(self):
        self.assertEqual(unpaired([1] * 2000, [1] * 2000, eq), [])
