"""What was sent with the calls to a mock, of a group, and with those that fulfil conditions; and whole queries."""

from unittest.mock import ANY

from aiohttp import FormData
from multidict import MultiDict

from aioresponses import AioResponsesTestCase, FilePart
from aioresponses.matchers import one_of, regex, subset, unordered

from ..support import SITE, USERS, MessageTestCase, note_of

CALLS = (
    "Calls:\n"
    "  1. POST http://example.com/users -> 200\n"
    "  2. POST http://example.com/users -> 200\n"
    "  3. PUT http://example.com/users?page=1 -> 200"
)


class BodiesTest(MessageTestCase):
    async def asyncSetUp(self):
        self.api = self.mock.host("http://example.com")
        self.create = self.api.post("/users", repeat=True)
        self.update = self.mock.put(USERS + "?page=1")
        session = self.client_session()
        await session.post(USERS, json={"name": "Ada", "role": "author"}, headers={"X-Id": "1"})
        await session.post(USERS, json={"name": "Grace"}, headers={"X-Id": "2"})
        await session.put(USERS, params={"page": 1}, data={"a": "1"})

    def test_of_a_mock_and_a_group(self):
        self.assertJsonBody({"name": "Grace"}, self.create)
        self.assertJsonBody({"name": "Ada", "role": "author"}, self.api, index=0)
        self.assertJsonBodyContains({"name": "Ada"}, self.create, "POST", 0)
        self.assertFormBody({"a": "1"}, self.update)
        self.assertTextBody("a=1", self.update)
        self.assertBody(b"a=1", self.update)
        self.assertRequestHeaders({"X-Id": "2"}, self.api)
        self.assertQuery({"page": 1}, self.update)
        self.assertQueryEqual({"page": 1}, self.update)
        self.assertQueryEqual({}, self.create)
        for assertion, *args in (
            (self.assertJsonBody, {"name": "Ada"}, self.create), (self.assertJsonBodyContains, {"id": 1}, self.create),
            (self.assertFormBody, {"a": "2"}, self.update), (self.assertTextBody, "a", self.update),
            (self.assertBody, b"a", self.update), (self.assertEmptyBody, self.update),
            (self.assertRequestHeaders, {"X-Id": "1"}, self.api), (self.assertQuery, {"page": 2}, self.update),
            (self.assertQueryEqual, {}, self.update), (self.assertMultipartBody, {}, self.update),
        ):
            with self.subTest(assertion.__name__):
                self.assertRegex(self.message(assertion, *args), "^Expected call 3 |^[A-Z].* of call [23] ")

    def test_of_conditions(self):
        self.assertJsonBodyContains({"role": "author"}, match_headers={"X-Id": "1"})
        self.assertJsonBodyContains({"role": "author"}, USERS, "POST", match_json=subset({"name": "Ada"}))
        self.assertJsonBody({"name": "Grace"}, index=-1, match_json=ANY)
        self.assertFormBody({"a": "1"}, USERS, match_query={"page": "1"})
        self.assertRequestHeaders({"X-Id": "1"}, match_body=regex(b"Ada"))
        self.assertQuery({"page": "1"}, match_form={"a": "1"})
        self.assertBody(b"a=1", match=lambda call: call.method == "PUT")
        self.assertTextBody("a=1", match_form=ANY)
        self.check_fails(
            "Expected a call to POST http://example.com/users, match_headers={'X-Id': '3'}, but there were none.\n"
            "Calls that match except for a condition:\n"
            "  call 1: headers: at X-Id: '3' != '1'\n"
            f"  call 2: headers: at X-Id: '3' != '2'\n{CALLS}",
            self.assertJsonBody, ANY, USERS, "POST", match_headers={"X-Id": "3"},
        )
        self.check_fails(
            "Expected a call to the mock POST http://example.com/users with match_headers={'X-Id': '2'} at index 1, "
            "but there was 1.\n"
            "Calls that match except for a condition:\n"
            f"  call 1: headers: at X-Id: '2' != '1'\n{CALLS}",
            self.assertEmptyBody, self.create, index=1, match_headers={"X-Id": "2"},
        )
        self.check_fails(
            "Expected a call to the mock PUT http://example.com/users?page=1 with method='POST', but there were none.\n"
            + CALLS,
            self.assertEmptyBody, self.update, "POST",
        )

    def test_wrong_conditions(self):
        for assertion, *args in (
            (self.assertJsonBody, 1), (self.assertJsonBodyContains, 1), (self.assertFormBody, {}),
            (self.assertMultipartBody, {}), (self.assertTextBody, ""), (self.assertBody, b""), (self.assertEmptyBody,),
            (self.assertRequestHeaders, {}), (self.assertQuery, {}), (self.assertQueryEqual, {}),
        ):
            with self.subTest(assertion.__name__):
                self.check_fails(
                    "Invalid argument: match_form: expected a mapping or pairs of name and value, "
                    "got 5",
                    assertion, *args, match_form=5,
                )
                with self.assertRaisesRegex(TypeError, "^unexpected keyword argument 'headers': did you mean 'match_h"):
                    assertion(*args, headers={})

    async def test_of_a_hop(self):
        self.mock.post(SITE, status=307, headers={"Location": "/v2"})
        target = self.mock.post(SITE + "v2")
        await self.client_session().post(SITE, json={"a": 1})
        self.assertJsonBody({"a": 1}, target)
        message = self.message(self.assertJsonBody, {"a": 2}, target)
        self.assertEqual(
            message.splitlines()[0],
            "JSON body of call 4 differs (- expected, + sent): POST http://example.com/v2 -> 200",
        )

    async def test_of_a_mock_that_is_not_the_one_of_the_test(self):
        create, self.mock = self.create, type(self.mock)()
        self.assertJsonBody({"name": "Grace"}, create)
        message = self.message(self.assertJsonBody, {"name": "Ada"}, create)
        self.assertTrue(message.startswith("JSON body of a call that is not listed differs (- expected, + sent): "))
        self.assertIn("\nThere were no calls.\nAnother aioresponses is active and has 3 calls; ", message)


class QueryEqualTest(MessageTestCase):
    async def asyncSetUp(self):
        await self.send(url=USERS, params=[("page", "2"), ("tag", "b"), ("tag", "a"), ("q", "é &")])

    def test_what_equals_the_query(self):
        for expected in (
            {"page": "2", "tag": ["a", "b"], "q": "é &"},
            {"page": 2, "tag": ["b", "a"], "q": ANY},
            {"q": ["é &"], "tag": unordered(["a", "b"]), "page": one_of(1, 2)},
            [("tag", "a"), ("tag", "b"), ("page", 2), ("q", "é &")],
            MultiDict([("q", "é &"), ("page", "2"), ("tag", "b"), ("tag", "a")]),
            "page=2&tag=a&tag=b&q=%C3%A9+%26",
            "?q=é+%26&tag=b&tag=a&page=2",
            ANY,
            subset({"page": "2"}),
        ):
            with self.subTest(expected):
                self.assertQueryEqual(expected)
                self.assertQueryEqual(expected, USERS, "GET", 0)

    def test_what_does_not(self):
        for expected in (
            {}, "", [], {"page": "2"}, {"page": "2", "tag": "a", "q": "é &"}, {"page": "2", "tag": ["a"], "q": "é &"},
            {"page": "2", "tag": ["a", "b"], "q": "é &", "size": "1"}, {"page": "3", "tag": ["a", "b"], "q": "é &"},
            {"page": "2", "tag": ["a", "b", "a"], "q": "é &"}, "page=2", subset({"page": "3"}), {"Page": ANY},
        ):
            with self.subTest(expected), self.assertRaises(AssertionError):
                self.assertQueryEqual(expected)

    async def test_the_message_shows_what_differs(self):
        self.mock.reset()
        await self.send(url=SITE, params={"a": 1, "b": 2})
        self.check_fails(
            "Query of call 1 differs (- expected, + sent): GET http://example.com/?a=1&b=2 -> 200\n"
            "{'a': '1'} != {'a': '1', 'b': '2'}\n"
            "- {'a': '1'}\n"
            "+ {'a': '1', 'b': '2'}\n"
            "Calls:\n"
            "  1. GET http://example.com/?a=1&b=2 -> 200",
            self.assertQueryEqual, {"a": 1}, SITE,
        )

    async def test_a_url_with_a_query_must_be_called_with_it(self):
        await self.send(url=USERS + "?page=3")
        self.assertQueryEqual({"page": "3"}, USERS)
        self.assertQueryEqual({"page": "3"}, USERS + "?page=3")
        with self.assertRaisesRegex(AssertionError, "but there were none"):
            self.assertQueryEqual({"page": "3"}, USERS + "?page=4")

    def test_what_is_no_query(self):
        for wrong, message in (
            (None, "expected a mapping, or pairs of name and value, got None"),
            (5, "expected a mapping, or pairs of name and value, got 5"),
            (b"a=1", "expected a mapping, or pairs of name and value, got b'a=1'"),
            (["a"], "expected a mapping, or pairs of name and value, got ['a']"),
            ({"a": None}, "expected: expected text or numbers, got None for 'a'; to require its absence, use ABSENT"),
            ({"a": True}, "expected: expected text or numbers, got True for 'a'"),
        ):
            message = f"Invalid argument: {message}"
            with self.subTest(wrong):
                self.check_fails(message, self.assertQueryEqual, wrong)


class FilePartTest(MessageTestCase):
    """A difference of a file shows only what was asked for."""

    LARGE = b"x" * 1000

    async def asyncSetUp(self):
        form = FormData({"title": "T"})
        form.add_field("file", self.LARGE, filename="b.csv", content_type="text/csv")
        await self.send("POST", data=form)

    def check_shows(self, shown, assertion, expected):
        message = self.message(assertion, expected)
        self.assertNotIn("xxx", message)
        self.assertNotIn("text/csv", message)
        for one in shown:
            self.assertIn(one, message)

    def test_in_an_assertion(self):
        wanted = FilePart(filename="a.csv")
        both = ["FilePart(filename='a.csv')", "FilePart(filename='b.csv')"]
        self.check_shows(both, self.assertMultipartBody, {"title": "T", "file": wanted})
        self.check_shows(both, self.assertMultipartBody, [("title", "T"), ("file", wanted)])
        self.check_shows(both, self.assertMultipartBody, subset({"file": wanted}))
        self.check_shows(
            ["one_of(FilePart(filename='a.csv'), FilePart(filename='c.csv'))", "FilePart(filename='b.csv')"],
            self.assertMultipartBody, {"title": "T", "file": one_of(wanted, FilePart(filename="c.csv"))},
        )
        # What fits is shown as it was asked for, beside what does not.
        self.check_shows(
            ["FilePart(filename='b.csv')"], self.assertMultipartBody, {"title": "U", "file": FilePart("b.csv")}
        )

    async def test_of_files_too_many_or_too_few(self):
        form = FormData()
        for name in ("b.csv", "c.csv"):
            form.add_field("file", self.LARGE, filename=name, content_type="text/csv")
        self.check_shows(
            ["FilePart(filename='a.csv')", "FilePart(filename='b.csv')"],
            self.assertMultipartBody, subset({"file": [FilePart("a.csv"), FilePart("b.csv")]}),
        )
        await self.send("POST", data=form)
        self.check_shows(
            ["FilePart(filename='a.csv')", "FilePart(filename='b.csv')", "FilePart(filename='c.csv')"],
            self.assertMultipartBody, subset({"file": [FilePart("a.csv")]}),
        )
        self.check_shows(
            ["FilePart(filename='b.csv')", "FilePart(filename='c.csv')", "FilePart(filename='d.csv')"],
            self.assertMultipartBody, {"file": [FilePart("b.csv"), FilePart("c.csv"), FilePart("d.csv")]},
        )

    def test_what_is_asked_for_is_shown(self):
        message = self.message(self.assertMultipartBody, {"title": "T", "file": FilePart("b.csv", b"y", "text/csv")})
        self.assertIn("xxx", message)
        self.assertIn("text/csv", message)

    async def test_in_a_refusal(self):
        for expected, reason in (
            ([FilePart("a.csv"), FilePart("c.csv")], "form: at file[0].filename: 'a.csv' != 'b.csv'"),
            (
                subset([FilePart("a.csv")]),
                "form: at file: FilePart(filename='a.csv') is not in [FilePart(filename='b.csv'), "
                "FilePart(filename='c.csv')]",
            ),
            (
                unordered([FilePart("a.csv"), FilePart("c.csv")]),
                "form: at file: unordered([FilePart(filename='a.csv'), FilePart(filename='c.csv')]) != "
                "[FilePart(filename='b.csv'), FilePart(filename='c.csv')]",
            ),
            (
                one_of(FilePart("a.csv"), "none"),
                "form: at file: one_of(FilePart(filename='a.csv'), 'none') != [FilePart(filename='b.csv'), "
                "FilePart(filename='c.csv')]",
            ),
        ):
            with self.subTest(reason):
                self.mock.clear()
                self.mock.post(SITE, match_form={"file": expected})
                form = FormData()
                for name in ("b.csv", "c.csv"):
                    form.add_field("file", self.LARGE, filename=name, content_type="text/csv")
                note = await note_of(self.client_session(), "POST", SITE, data=form)
                self.assertEqual(note.splitlines()[-1].rpartition("}: ")[2], reason)


class TypesTest(AioResponsesTestCase):
    async def test_positions_are_what_they_were(self):
        self.mock.post(USERS, repeat=True)
        session = self.client_session()
        for number in range(2):
            await session.post(USERS, json=number)
        self.assertJsonBody(0, USERS, "POST", 0, "why")
        with self.assertRaisesRegex(AssertionError, " : why$"):
            self.assertJsonBody(0, USERS, "POST", 1, "why")
        with self.assertRaises(TypeError):
            self.assertJsonBody(0, USERS, "POST", 0, "why", {"match_json": 0})
        with self.assertRaises(TypeError):
            self.assertCallCount(2, USERS, "POST", "why", {"match_json": 0})
        with self.assertRaises(TypeError):
            self.assertCallsEqual([USERS], None, USERS)
