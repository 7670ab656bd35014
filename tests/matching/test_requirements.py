"""Conditions of mocks: what holds, why what does not, and that looking at a request leaves it as it was."""

import json
import re
import zlib
from unittest.mock import ANY

import aiohttp
from aiohttp import ClientSession, FormData
from multidict import CIMultiDict, MultiDict

from aioresponses import AioResponsesTestCase, FilePart
from aioresponses.matchers import one_of, regex, subset, unordered

from ..support import SITE, Even, note_of


def multipart(*fields, **kwargs):
    """Return a multipart form of pairs, and of files by name: their content, filename and type."""
    form = FormData()
    for name, value in fields:
        form.add_field(name, value, content_type="text/plain")
    for name, (content, filename, content_type) in kwargs.items():
        form.add_field(name, content, filename=filename, content_type=content_type)
    return form


class ConditionTestCase(AioResponsesTestCase):
    assert_all_mocked = False  # What no mock answers is looked at here.
    maxDiff = None

    async def check(self, rows, method="POST"):
        """Check mocks with one condition each: which requests they answer, and why they do not answer others.

        A row is an argument of the mock, the request, and why they do not go together; None if they do.
        """
        for arguments, request, reason in rows:
            with self.subTest(arguments=arguments, request=request):
                url = request.pop("url", SITE)
                self.mock.clear()
                match = self.mock.add(SITE, method, **arguments)
                self.assertEqual(
                    await note_of(self.client_session(), method, url, **request),
                    None if reason is None else "\n".join([
                        f"aioresponses: no mock answers {method} {url}",
                        "Registered mocks, the closest first:",
                        f"  {match}: {reason}",
                    ]),
                )
                self.assertEqual(match.call_count, 1 if reason is None else 0)


class QueryTest(ConditionTestCase):
    async def check_queries(self, *rows):
        await self.check(
            (({"match_query": expected}, {"url": SITE + asked}, reason) for expected, asked, reason in rows), "GET"
        )

    async def test_a_query_in_any_form_is_compared_whole(self):
        reason = "query: at b: '2' != '3'"
        for expected in (
            {"a": "1", "b": "2"},
            {"a": 1, "b": 2},
            [("b", "2"), ("a", "1")],
            (("b", 2), ("a", 1)),
            MultiDict(a="1", b="2"),
            "a=1&b=2",
            "?b=2&a=1",
        ):
            await self.check_queries((expected, "?a=1&b=2", None), (expected, "?b=2&a=1", None), (
                expected, "?a=1&b=3", reason))

    async def test_a_query_with_more_or_less_does_not_fit(self):
        await self.check_queries(
            ({"a": "1"}, "", "query: at a: '1' is missing"),
            ({"a": "1"}, "?a=1&b=2", "query: at b: unexpected '2'"),
            ({}, "", None),
            ({}, "?a=1", "query: at a: unexpected '1'"),
            ("", "", None),
            ("", "?a=", "query: at a: unexpected ''"),
            ("a", "?a=", None),
        )

    async def test_anything_stands_for_any_query_or_none(self):
        await self.check_queries((ANY, "", None), (ANY, "?a=1&a=2&b=3", None))

    async def test_values_of_one_name_keep_no_order(self):
        await self.check_queries(
            ({"a": ["2", "1"]}, "?a=1&a=2", None),
            ({"a": [2, 1]}, "?a=1&a=2", None),
            ([("a", "2"), ("a", "1")], "?a=1&a=2", None),
            ("a=2&a=1", "?a=1&a=2", None),
            ({"a": ["1", "2"]}, "?a=1", "query: at a: ['1', '2'] != '1'"),
            ({"a": "1"}, "?a=1&a=2", "query: at a: '1' != ['1', '2']"),
            ({"a": unordered(["2", "1"])}, "?a=1&a=2", None),
            ({"a": unordered([2, 1])}, "?a=1&a=2", None),
        )

    async def test_matchers_of_a_query(self):
        await self.check_queries(
            ({"a": ANY}, "?a=5", None),
            ({"a": ANY}, "", "query: at a: <ANY> is missing"),
            ({"a": regex("^[0-9]+$")}, "?a=5", None),
            ({"a": regex("^[0-9]+$")}, "?a=x", "query: at a: regex('^[0-9]+$') != 'x'"),
            ({"a": one_of(1, 2)}, "?a=2", None),
            ({"a": one_of(1, 2)}, "?a=3", "query: at a: one_of('1', '2') != '3'"),
            (subset({"a": 1}), "?a=1&b=2", None),
            (subset({"a": 1}), "?a=1&a=2", None),
            (subset({"a": 1}), "?a=2&b=2", "query: at a: '1' != '2'"),
            (subset({"a": 1}), "", "query: at a: '1' is missing"),
            (one_of({}, {"a": "1"}), "?a=1", None),
            (one_of({}, {"a": "1"}), "?a=2", "query: one_of({}, {'a': '1'}) != {'a': '2'}"),
        )

    async def test_values_are_compared_decoded(self):
        await self.check_queries(
            ({"q": "a b&c"}, "?q=a+b%26c", None),
            ("q=a+b%26c", "?q=a%20b%26c", None),
            ({"ü": "é/ +"}, "?%C3%BC=%C3%A9/+%2B", None),
        )

    async def test_params_of_the_call_are_part_of_the_query(self):
        self.mock.get(SITE, match_query={"a": "1", "b": "2"})
        self.assertIsNone(await note_of(self.client_session(), "GET", SITE + "?a=1", params={"b": 2}))

    async def test_a_pattern_is_matched_with_the_url_without_its_query(self):
        self.mock.get(re.compile(r"http://example\.com/\w*$"), match_query={"a": "1"})
        self.assertEqual(
            await note_of(self.client_session(), "GET", SITE + "x?a=2"),
            "aioresponses: no mock answers GET http://example.com/x?a=2\n"
            "Registered mocks, the closest first:\n"
            r"  GET re.compile('http://example\\.com/\\w*$'), match_query={'a': '1'}: query: at a: '1' != '2'",
        )
        self.assertIsNone(await note_of(self.client_session(), "GET", SITE + "x?a=1"))

    async def test_a_template_is_matched_with_the_url_without_its_query(self):
        match = self.mock.get(SITE + "{id}", match_query=subset({"a": "1"}))
        self.assertIsNone(await note_of(self.client_session(), "GET", SITE + "7?a=1&b=2"))
        self.assertEqual(match.calls[0].match_info, {"id": "7"})

    async def test_credentials_in_the_url_that_is_asked_for_play_no_part(self):
        self.mock.get(SITE, match_query={"a": "1"})
        self.assertIsNone(await note_of(self.client_session(), "GET", "http://me:secret@example.com/?a=1"))

    async def test_the_path_and_the_method_must_fit_all_the_same(self):
        match = self.mock.get(SITE + "a", match_query=ANY)
        for method, url, reason in [
            ("GET", SITE + "b?x=1", "path differs: mock has '/a', request has '/b'"),
            ("PUT", SITE + "a?x=1", "method differs: mock has GET, request has PUT"),
        ]:
            self.assertEqual(
                await note_of(self.client_session(), method, url),
                f"aioresponses: no mock answers {method} {url}\n"
                f"Registered mocks, the closest first:\n  {match}: {reason}",
            )


class HeadersTest(ConditionTestCase):
    async def check_headers(self, *rows, method="GET"):
        await self.check(
            (({"match_headers": expected}, {"headers": sent}, reason) for expected, sent, reason in rows), method
        )

    async def test_expected_headers_are_among_those_that_are_sent(self):
        for expected in ({"X-One": "1"}, {"x-one": "1"}, [("X-ONE", "1")], CIMultiDict({"X-One": "1"}), subset(
                {"x-one": "1"})):
            await self.check_headers(
                (expected, {"X-One": "1", "X-Two": "2"}, None),
                (expected, {"x-ONE": "1"}, None),
                (expected, {"X-One": "2"}, f"headers: at {self.name_in(expected)}: '1' != '2'"),
                (expected, {"X-Two": "1"}, f"headers: at {self.name_in(expected)}: '1' is missing"),
            )

    @staticmethod
    def name_in(expected):
        expected = getattr(expected, "expected", expected)
        [name] = dict(expected)
        return name

    async def test_one_of_several_values_is_enough(self):
        twice = [("X-One", "1"), ("X-One", "2")]
        await self.check_headers(
            ({"X-One": "2"}, twice, None),
            ({"X-One": ["1", "2"]}, twice, None),
            (twice, twice, None),
            ({"X-One": unordered(["2", "1"])}, twice, None),
            ({"X-One": "3"}, twice, "headers: at X-One: '3' != ['1', '2']"),
            ({"X-One": ["2", "1"]}, twice, "headers: at X-One: ['2', '1'] != ['1', '2']"),
        )

    async def test_matchers_of_headers(self):
        await self.check_headers(
            (ANY, {}, None),
            ({"X-One": ANY}, {"X-One": ""}, None),
            ({"X-One": ANY}, {}, "headers: at X-One: <ANY> is missing"),
            ({"X-One": regex("^a")}, {"X-One": "abc"}, None),
            ({"X-One": regex("^a")}, {"X-One": "cba"}, "headers: at X-One: regex('^a') != 'cba'"),
            ({"X-One": one_of("1", "2")}, {"X-One": "2"}, None),
        )

    async def test_headers_that_aiohttp_adds_are_among_them(self):
        await self.check([
            ({"match_headers": expected}, request, None)
            for expected, request in [
                ({"Host": "example.com", "Accept": "*/*", "User-Agent": regex("aiohttp/")}, {}),
                ({"Content-Type": "application/octet-stream"}, {}),
                ({"Content-Type": "application/octet-stream"}, {"data": b"x"}),
                ({"Content-Type": "text/plain; charset=utf-8"}, {"data": "x"}),
                ({"Content-Type": "application/json", "Content-Length": "2"}, {"json": {}}),
                ({"Content-Type": "application/x-www-form-urlencoded"}, {"data": {"a": "b"}}),
                ({"Content-Type": regex("^multipart/form-data; boundary=")}, {"data": multipart(("a", "b"))}),
                ({"Content-Type": "text/x"}, {"data": b"x", "headers": {"content-type": "text/x"}}),
                ({"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}, {"data": b"x", "compress": "gzip"}),
                ({"Expect": "100-continue"}, {"data": b"x", "expect100": True}),
                ({"Cookie": "a=1"}, {"cookies": {"a": "1"}}),
            ]
        ])

    async def test_headers_that_aiohttp_does_not_send_are_missing(self):
        await self.check([
            (
                {"match_headers": {"Content-Type": ANY}},
                {"skip_auto_headers": ["Content-Type"]},
                "headers: at Content-Type: <ANY> is missing",
            ),
            (
                {"match_headers": {"User-Agent": ANY}},
                {"skip_auto_headers": ["User-Agent"]},
                "headers: at User-Agent: <ANY> is missing",
            ),
        ])
        await self.check([
            ({"match_headers": {"Content-Type": ANY}}, {}, "headers: at Content-Type: <ANY> is missing")
        ], "GET")

    async def test_headers_of_the_session_and_of_its_connector_are_known(self):
        self.mock.get(SITE, match_headers={"X-Session": "1", "Connection": "close"})
        connector = aiohttp.TCPConnector(force_close=True)
        async with ClientSession(headers={"X-Session": "1"}, connector=connector) as session:
            self.assertEqual((await session.get(SITE)).status, 200)

    async def test_credentials_of_the_url_become_a_header(self):
        self.mock.get(SITE, match_headers={"Authorization": "Basic bWU6c2VjcmV0"})
        self.assertIsNone(await note_of(self.client_session(), "GET", "http://me:secret@example.com/"))

    async def test_secrets_are_not_shown(self):
        for name in ("Authorization", "proxy-authorization", "Cookie"):
            for sent, reason in [
                (
                    {name: "a=their-secret"},
                    f"headers: at {name}: '…' (12 characters) != '…' (14 characters, differing from character 3 on)",
                ),
                ({}, f"headers: at {name}: '…' is missing"),
                (
                    [(name, "a=their-secret"), (name, "b=their-secret")],
                    f"headers: at {name}: '…' (12 characters) != ['…' (14 characters, differing from character 3 on), "
                    "'…' (14 characters, differing from character 1 on)]",
                ),
            ]:
                with self.subTest(name=name, sent=sent):
                    self.mock.clear()
                    self.mock.get(SITE, match_headers={name: "a=our-secret"})
                    self.assertEqual(
                        await note_of(self.client_session(), "GET", SITE, headers=sent),
                        "aioresponses: no mock answers GET http://example.com/\n"
                        "Registered mocks, the closest first:\n"
                        f"  GET http://example.com/, match_headers={{'{name}': '…'}}: {reason}",
                    )

    async def test_secrets_are_not_shown_in_whatever_form_they_are_registered(self):
        secret = "Bearer our-secret"
        for expected in (
            {"Authorization": secret},
            [("Authorization", secret)],
            CIMultiDict(Authorization=secret),
            subset({"Authorization": secret}),
            {"Authorization": one_of(secret)},
            {"Authorization": [secret]},
            one_of({"Authorization": secret}),
        ):
            with self.subTest(expected=expected):
                self.mock.clear()
                match = self.mock.get(SITE, match_headers=expected)
                note = await note_of(
                    self.client_session(), "GET", SITE, headers={"Authorization": "Bearer their-secret"}
                )
                self.assertNotIn("secret", f"{match!r} {match} {note}")


class JsonTest(ConditionTestCase):
    async def check_json(self, *rows):
        await self.check(
            ({"match_json": expected}, {"json": sent}, reason) for expected, sent, reason in rows
        )

    async def test_equal_values_and_the_first_difference(self):
        user = {"user": {"id": 7, "roles": ["a", "b"]}}
        await self.check_json(
            (user, user, None),
            ({"user": {"id": 7}}, {"user": {"id": 8}}, "json: at user.id: 7 != 8"),
            (user, {"user": {"id": 7, "roles": ["a", "c"]}}, "json: at user.roles[1]: 'b' != 'c'"),
            (user, {"user": {"id": 7, "roles": ["a"]}}, "json: at user.roles[1]: 'b' is missing"),
            (user, {"user": {"id": 7, "roles": ["a", "b", "c"]}}, "json: at user.roles[2]: unexpected 'c'"),
            (user, {"user": {"id": 7}}, "json: at user.roles: ['a', 'b'] is missing"),
            ({"a": 1}, {"a": 1, "b": 2}, "json: at b: unexpected 2"),
            ({"a": 1}, [1], "json: {'a': 1} != [1]"),
            ([{"a": 1}], [{"a": 2}], "json: at [0].a: 1 != 2"),
            ({"a": None}, {"a": None}, None),
            ({"a": None}, {}, "json: at a: None is missing"),
            ({"a": "ü"}, {"a": "ü"}, None),
            ((1, 2), [1, 2], None),
            ({}, {}, None),
            ([], [], None),
            (0, 0, None),
            (0, 1, "json: 0 != 1"),
            (False, True, "json: False != True"),
            ("", "x", "json: '' != 'x'"),
        )

    async def test_matchers_of_json(self):
        user = {"user": {"id": 8, "name": "Ada", "roles": ["author", "admin"]}, "page": 1}
        await self.check_json(
            (ANY, user, None),
            (subset({"user": {"id": 8}}), user, None),
            (subset({"user": {"id": 7}}), user, "json: at user.id: 7 != 8"),
            (subset({"user": {"mail": ANY}}), user, "json: at user.mail: <ANY> is missing"),
            (subset({"user": {"roles": ["x"]}}), user, "json: at user.roles: 'x' is not in ['author', 'admin']"),
            ({"user": subset({"id": Even()}), "page": ANY}, user, None),
            ({"user": subset({"name": Even()}), "page": ANY}, user, "json: at user.name: Even() != 'Ada'"),
            (subset({"user": {"name": regex("^A")}}), user, None),
            (subset({"user": {"name": regex("^B")}}), user, "json: at user.name: regex('^B') != 'Ada'"),
            (subset({"user": {"roles": unordered(["admin", "author"])}}), user, None),
            (
                subset({"user": {"roles": unordered(["admin"])}}),
                user,
                "json: at user.roles: unordered(['admin']) != ['author', 'admin']",
            ),
            (subset({"page": one_of(1, 2)}), user, None),
            (subset({"page": one_of(2, 3)}), user, "json: at page: one_of(2, 3) != 1"),
            (one_of(None), None, "json: the body of POST http://example.com/ is not JSON "
             "(Expecting value: line 1 column 1 (char 0)): it has Content-Type 'application/octet-stream' "
             "and 0 bytes: ''"),
        )

    async def test_a_body_that_is_not_json(self):
        await self.check([
            (
                {"match_json": {}},
                {"data": "hello"},
                "json: the body of POST http://example.com/ is not JSON (Expecting value: line 1 column 1 (char 0)): "
                "it has Content-Type 'text/plain; charset=utf-8' and 5 bytes: 'hello'",
            ),
            (
                {"match_json": {}},
                {"data": b"\xff"},
                "json: the body of POST http://example.com/ is not text in utf-8: 'utf-8' codec can't decode byte 0xff "
                "in position 0: invalid start byte",
            ),
            ({"match_json": ANY}, {"data": "null"}, None),
            ({"match_json": one_of(None)}, {"data": "null"}, None),
        ])

    async def test_json_of_the_serializer_of_a_session(self):
        self.mock.post(SITE, match_json={"when": "today", "n": 1})
        async with ClientSession(json_serialize=lambda value: json.dumps({**value, "when": "today"})) as session:
            self.assertEqual((await session.post(SITE, json={"n": 1})).status, 200)

    async def test_json_is_decoded_by_its_charset_and_its_compression(self):
        await self.check([
            ({"match_json": {"ü": 1}}, request, None)
            for request in [
                {"data": '{"ü": 1}'.encode("latin-1"), "headers": {"Content-Type": "text/x; charset=latin-1"}},
                {"data": '{"ü": 1}', "compress": "gzip"},
                {"json": {"ü": 1}, "compress": "deflate"},
                {"json": {"ü": 1}, "chunked": True},
                {"data": zlib.compress('{"ü": 1}'.encode()), "headers": {"Content-Encoding": "deflate"}},
            ]
        ])

    async def test_a_long_difference_is_cut(self):
        sent = "x" * 1000
        await self.check_json(("y", sent, f"json: 'y' != '{sent[:199]}… (802 more characters)"))


class FormTest(ConditionTestCase):
    async def check_forms(self, *rows):
        await self.check(({"match_form": expected}, {"data": sent}, reason) for expected, sent, reason in rows)

    async def test_urlencoded_fields(self):
        await self.check_forms(
            ({"name": "Ada", "age": "36"}, {"name": "Ada", "age": "36"}, None),
            ({"name": "Ada", "age": 36}, {"age": "36", "name": "Ada"}, None),
            ([("name", "Ada")], {"name": "Ada"}, None),
            ({"name": "Ada"}, {"name": "Bob"}, "form: at name: 'Ada' != 'Bob'"),
            ({"name": "Ada"}, {"name": ""}, "form: at name: 'Ada' != ''"),
            ({"name": "Ada"}, {"age": "36"}, "form: at name: 'Ada' is missing"),
            ({"name": "Ada"}, {"name": "Ada", "age": "36"}, "form: at age: unexpected '36'"),
            ({"a b": "ü&="}, {"a b": "ü&="}, None),
            (ANY, {"a": "b"}, None),
        )

    async def test_fields_that_are_sent_more_than_once(self):
        twice = [("role", "a"), ("role", "b")]
        await self.check_forms(
            ({"role": ["a", "b"]}, FormData(twice), None),
            (twice, FormData(twice), None),
            (MultiDict(twice), FormData(twice), None),
            ({"role": ["b", "a"]}, FormData(twice), "form: at role[0]: 'b' != 'a'"),
            ({"role": unordered(["b", "a"])}, FormData(twice), None),
            ({"role": "a"}, FormData(twice), "form: at role: 'a' != ['a', 'b']"),
            (subset({"role": "a"}), FormData(twice), None),
        )

    async def test_multipart_fields(self):
        await self.check_forms(
            ({"name": "Ada", "b": "é"}, multipart(("name", "Ada"), ("b", "é")), None),
            ({"n": 5}, multipart(("n", "5")), None),
            ({"name": "Ada"}, multipart(("name", "Bob")), "form: at name: 'Ada' != 'Bob'"),
            ({"name": "Ada"}, multipart(), "form: at name: 'Ada' is missing"),
            ({"a": ["1", "2"]}, multipart(("a", "1"), ("a", "2")), None),
            (subset({"a": "2"}), multipart(("a", "1"), ("a", "2"), ("b", "3")), None),
        )

    async def test_files(self):
        def sent():
            return multipart(("title", "Report"), file=(b"1,2", "a.csv", "text/csv"))

        whole = FilePart(filename="a.csv", content=b"1,2", content_type="text/csv")
        await self.check_forms(
            ({"title": "Report", "file": whole}, sent(), None),
            ({"title": "Report", "file": FilePart()}, sent(), None),
            ({"title": "Report", "file": ANY}, sent(), None),
            (subset({"file": FilePart(content="1,2")}), sent(), None),
            (subset({"file": FilePart(filename=regex(r"\.csv$"))}), sent(), None),
            (subset({"file": one_of(FilePart("b.csv"), FilePart("a.csv"))}), sent(), None),
            (subset({"file": FilePart("b.csv")}), sent(), "form: at file.filename: 'b.csv' != 'a.csv'"),
            (subset({"file": FilePart(content=b"3")}), sent(), "form: at file.content: b'3' != b'1,2'"),
            (
                subset({"file": FilePart(content_type="text/plain")}),
                sent(),
                "form: at file.content_type: 'text/plain' != 'text/csv'",
            ),
            (
                subset({"file": "1,2"}),
                sent(),
                "form: at file: '1,2' != FilePart(filename='a.csv', content=b'1,2', content_type='text/csv')",
            ),
            (subset({"title": FilePart()}), sent(), "form: at title: FilePart() != 'Report'"),
            ({"title": "Report"}, sent(), "form: at file: unexpected FilePart(filename='a.csv', content=b'1,2', "
             "content_type='text/csv')"),
        )

    async def test_files_of_one_name(self):
        def sent():
            form = multipart(file=(b"1", "a", "text/plain"))
            form.add_field("file", b"2", filename="b", content_type="text/plain")
            return form

        await self.check_forms(
            ({"file": [FilePart("a"), FilePart("b")]}, sent(), None),
            ({"file": unordered([FilePart("b"), FilePart("a")])}, sent(), None),
            (subset({"file": FilePart("b")}), sent(), None),
            ({"file": [FilePart("a"), FilePart("c")]}, sent(), "form: at file[1].filename: 'c' != 'b'"),
        )

    async def test_matchers_of_a_form(self):
        await self.check_forms(
            ({"a": regex("^[0-9]$")}, {"a": "5"}, None),
            ({"a": regex("^[0-9]$")}, {"a": "x"}, "form: at a: regex('^[0-9]$') != 'x'"),
            ({"a": one_of(1, 2)}, {"a": "2"}, None),
            (subset({"a": 1}), {"a": "1", "b": "2"}, None),
            (one_of({"a": "1"}, {"a": "2"}), {"a": "2"}, None),
        )

    async def test_a_body_that_is_not_a_form(self):
        what = "form: the body of POST http://example.com/ is not application/x-www-form-urlencoded: it has "
        await self.check([
            ({"match_form": {}}, {"json": {}}, what + "Content-Type 'application/json' and 2 bytes: '{}'; "
             "for JSON, use match_json"),
            ({"match_json": {}}, {"data": {"a": "1"}},
             "json: the body of POST http://example.com/ is not JSON (Expecting value: line 1 column 1 (char 0)): "
             "it has Content-Type 'application/x-www-form-urlencoded' and 3 bytes: 'a=1'; for a form, use match_form"),
            ({"match_form": ANY}, {}, what + "Content-Type 'application/octet-stream' and 0 bytes: ''"),
            (
                {"match_form": {}},
                {"data": b"no part", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
                "form: the body of POST http://example.com/ cannot be read as multipart: "
                "ValueError(\"Could not find starting boundary b'--x'\")",
            ),
        ])

    async def test_a_form_that_is_compressed(self):
        await self.check([
            ({"match_form": {"a": "b"}}, {"data": {"a": "b"}, "compress": "gzip"}, None),
            ({"match_form": {"a": "b"}}, {"data": multipart(("a", "b")), "compress": "deflate"}, None),
        ])


class BodyTest(ConditionTestCase):
    async def test_bytes_text_and_patterns(self):
        latin = {"Content-Type": "text/plain; charset=latin-1"}
        await self.check(
            ({"match_body": expected}, {"headers": {}, **request}, reason)
            for expected, request, reason in [
                (b"hello", {"data": b"hello"}, None),
                (b"hello", {"data": "hello"}, None),
                (bytearray(b"hello"), {"data": "hello"}, None),
                (memoryview(b"hello"), {"data": "hello"}, None),
                (memoryview(b"hello"), {"data": "hallo"}, "body: b'hello' != b'hallo'"),
                (b"hello", {"data": b"hallo"}, "body: b'hello' != b'hallo'"),
                (b"", {}, None),
                (b"", {"data": b"x"}, "body: b'' != b'x'"),
                ("", {}, None),
                (b"x", {}, "body: b'x' != b''"),
                ("héllo", {"data": "héllo"}, None),
                ("héllo", {"data": "héllo".encode("latin-1"), "headers": latin}, None),
                ("héllo", {"data": "hello"}, "body: 'héllo' != 'hello'"),
                (
                    "x",
                    {"data": b"\xff"},
                    "body: the body of POST http://example.com/ is not text in utf-8: 'utf-8' codec can't decode byte "
                    "0xff in position 0: invalid start byte",
                ),
                (re.compile("l+o$"), {"data": "hello"}, None),
                (re.compile("^l"), {"data": "hello"}, "body: re.compile('^l') is not found in 'hello'"),
                (re.compile("é"), {"data": "é".encode("latin-1"), "headers": latin}, None),
                (
                    re.compile("x"),
                    {"data": b"\xff"},
                    "body: the body of POST http://example.com/ is not text in utf-8: 'utf-8' codec can't decode byte "
                    "0xff in position 0: invalid start byte",
                ),
                (re.compile(b"l+o$"), {"data": "hello"}, None),
                (re.compile(b"\xff"), {"data": b"\x00\xff"}, None),
                (re.compile(b"^l"), {"data": "hello"}, "body: re.compile(b'^l') is not found in b'hello'"),
                (ANY, {}, None),
                (ANY, {"data": b"\xff"}, None),
                (regex("^h"), {"data": "hello"}, None),
                (regex("^x"), {"data": "hello"}, "body: regex('^x') != 'hello'"),
                (regex(b"^\xff"), {"data": b"\xff"}, None),
                (one_of(b"\xff", "hello"), {"data": b"\xff"}, None),
                (one_of("a", b"hello"), {"data": "hello"}, None),
                (b"hello", {"data": b"hello", "compress": "gzip"}, None),
                (b"hello", {"data": zlib.compress(b"hello"), "headers": {"Content-Encoding": "deflate"}}, None),
                (b"hello", {"data": b"hello", "headers": {"Content-Encoding": "gzip"}}, None),
            ]
        )

    async def test_a_long_body_is_cut(self):
        await self.check([(
            {"match_body": b"x"}, {"data": b"y" * 1000}, f"body: b'x' != b'{'y' * 490}… (511 more characters)"
        )])

    async def test_a_request_without_a_body(self):
        await self.check([
            ({"match_body": b"x"}, {}, "body: b'x' != b''"),
            ({"match_body": b""}, {}, None),
        ], "GET")


class FunctionTest(ConditionTestCase):
    async def test_what_a_function_may_return(self):
        def named(call):
            return False

        class Nameless:
            def __call__(self, call):
                return 0

            def __repr__(self):
                return "Nameless()"

        await self.check([
            ({"match": lambda call: True}, {}, None),
            ({"match": lambda call: "yes"}, {}, None),
            ({"match": lambda call: (True, "not shown")}, {}, None),
            ({"match": named}, {}, "match: named returned False"),
            ({"match": Nameless()}, {}, "match: Nameless() returned 0"),
            ({"match": lambda call: None}, {}, "match: <lambda> returned None"),
            ({"match": lambda call: (False, "why not")}, {}, "match: why not"),
            ({"match": lambda call: (False, "")}, {}, "match: <lambda> returned False"),
            ({"match": [lambda call: True, named]}, {}, "match: named returned False"),
            ({"match": (lambda call: True, lambda call: True)}, {}, None),
            ({"match": []}, {}, None),
        ])

    async def test_a_function_is_given_the_call_that_stands_among_the_calls(self):
        seen = []

        def notes(call):
            seen.append((call, call.method, call.url, dict(call.query), call.json(), call.headers["X-One"]))
            return True

        self.mock.post(SITE + "{id}?a=1", match=notes)
        await self.client_session().post(SITE + "7?a=1", json={"b": 2}, headers={"X-One": "1"})
        [call] = self.mock.calls
        self.assertEqual(seen, [(call, "POST", SITE + "7?a=1", {"a": "1"}, {"b": 2}, "1")])
        self.assertIs(seen[0][0], call)

    async def test_a_function_knows_what_a_template_captured(self):
        await self.check_captured(SITE + "{kind}/{id}")

    async def test_a_function_knows_what_the_groups_of_a_pattern_captured(self):
        await self.check_captured(re.compile(SITE + r"(?P<kind>\w+)/(?P<id>\d+)"))

    async def check_captured(self, url):
        self.mock.get(url, match=lambda call: (call.match_info == {"kind": "users", "id": "7"}, str(call.match_info)))
        self.assertEqual(
            (await note_of(self.client_session(), "GET", SITE + "users/8")).splitlines()[-1].split(": match: ")[1],
            "{'kind': 'users', 'id': '8'}",
        )
        self.assertEqual(self.mock.calls[0].match_info, {})
        self.assertIsNone(await note_of(self.client_session(), "GET", SITE + "users/7"))

    async def test_all_conditions_must_hold_and_the_first_that_fails_is_named(self):
        conditions = dict(
            match=lambda call: (False, "never"),
            match_json={"a": 1},
            match_body=re.compile("1}$"),
            match_headers={"X-One": "1"},
            match_query={"q": "1"},
        )
        match = self.mock.post(SITE, **conditions)
        shown = (
            "POST http://example.com/, match_query={'q': '1'}, match_headers={'X-One': '1'}, match_json={'a': 1}, "
            "match_body=re.compile('1}$'), match=<lambda>"
        )
        self.assertEqual(repr(match), f"<RequestMatch {shown}, used 0 of 1>")
        for request, reason in [
            (dict(params="q=2"), "query: at q: '1' != '2'"),
            (dict(params="q=1"), "headers: at X-One: '1' is missing"),
            (dict(params="q=1", headers={"X-One": "1"}, json={"a": 2}), "json: at a: 1 != 2"),
            (
                dict(params="q=1", headers={"X-One": "1"}, data='{"a": 1 }'),
                "body: re.compile('1}$') is not found in '{\"a\": 1 }'",
            ),
            (dict(params="q=1", headers={"X-One": "1"}, json={"a": 1}), "match: never"),
        ]:
            with self.subTest(reason=reason):
                self.assertEqual(
                    (await note_of(self.client_session(), "POST", SITE, **request)).splitlines()[1:],
                    ["Registered mocks, the closest first:", f"  {shown}: {reason}"],
                )

    async def test_conditions_behind_one_that_fails_are_not_asked(self):
        self.mock.post(SITE, match=[lambda call: False, lambda call: self.fail("asked")], match_headers=ANY)
        self.assertIsNotNone(await note_of(self.client_session(), "POST", SITE))
