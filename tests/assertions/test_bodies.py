"""Assertions about what was sent: bodies of every kind, headers and queries."""

import json
import re
from unittest.mock import ANY

import aiohttp

from aioresponses import FilePart, Part, matchers

from ..support import SITE, USERS, MessageTestCase


class Below:
    """Equals every number below a limit."""

    def __init__(self, limit):
        self.limit = limit

    def __eq__(self, other):
        return other < self.limit

    def __repr__(self):
        return f"Below({self.limit})"


class JsonBodyTest(MessageTestCase):
    async def test_json_body(self):
        await self.send("POST", USERS, json={"name": "Ada", "roles": ["admin"]})
        self.assertJsonBody({"name": "Ada", "roles": ["admin"]})
        self.assertJsonBody({"roles": ["admin"], "name": "Ada"}, USERS, "POST")
        self.check_fails(
            "JSON body of call 1 differs (- expected, + sent): POST http://example.com/users -> 200\n"
            "{'name': 'Bob', 'roles': ['admin']} != {'name': 'Ada', 'roles': ['admin']}\n"
            "- {'name': 'Bob', 'roles': ['admin']}\n"
            "?           ^^^\n"
            "\n"
            "+ {'name': 'Ada', 'roles': ['admin']}\n"
            "?           ^^^\n"
            "\n"
            "Calls:\n"
            "  1. POST http://example.com/users -> 200",
            self.assertJsonBody, {"name": "Bob", "roles": ["admin"]},
        )

    async def test_json_body_of_values_other_than_objects(self):
        for value in (None, 5, "text", [1, [2]], True):
            with self.subTest(value=value):
                await self.send("POST", json=value, data=json.dumps(value) if value is None else None)
                self.assertJsonBody(value)
        self.check_fails(
            "JSON body of call 5 differs (- expected, + sent): POST http://example.com/ -> 200\n"
            "[1] != True\n"
            "Calls:\n" + "\n".join(f"  {number}. POST http://example.com/ -> 200" for number in range(1, 6)),
            self.assertJsonBody, [1],
        )

    async def test_anything_with_an_eq_of_its_own_may_stand_anywhere(self):
        await self.send("POST", json={"id": 7, "tags": [{"n": 1}, {"n": 2}]})
        self.assertJsonBody(ANY)
        self.assertJsonBody({"id": Below(8), "tags": [ANY, {"n": Below(3)}]})
        self.assertJsonBodyContains({"tags": [{"n": Below(2)}, ANY]})
        self.assertJsonBodyContains({"tags": ANY})
        self.check_fails(
            "JSON body of call 1 differs (- expected, + sent): POST http://example.com/ -> 200\n"
            "{'id': Below(7), 'tags': [{'n': 1}, {'n': 2}]} != {'id': 7, 'tags': [{'n': 1}, {'n': 2}]}\n"
            "- {'id': Below(7), 'tags': [{'n': 1}, {'n': 2}]}\n"
            "?        ------ -\n\n"
            "+ {'id': 7, 'tags': [{'n': 1}, {'n': 2}]}\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertJsonBody, {"id": Below(7), "tags": ANY},
        )
        self.check_fails(
            "JSON body of call 1 does not contain:\n"
            "  at id: expected Below(7), but got 7\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertJsonBodyContains, {"id": Below(7), "tags": ANY},
        )

    async def test_json_body_contains(self):
        await self.send(
            "POST", json={"user": {"name": "Ada", "born": 1815}, "roles": ["admin", "author"], "x": [{"a": 1, "b": 2}]}
        )
        self.assertJsonBodyContains({})
        self.assertJsonBodyContains({"user": {"name": "Ada"}})
        self.assertJsonBodyContains({"roles": ["author", "admin"], "x": [{"b": 2}]})
        self.assertJsonBodyContains({"roles": []})
        self.check_fails(
            "JSON body of call 1 does not contain:\n"
            "  at user.name: expected 'Bob', but got 'Ada'\n"
            "  at user.died: expected 1852, but it was not sent\n"
            "  at roles: expected 'reader' in the list, but got ['admin', 'author']\n"
            "  at x: expected {'a': 2} in the list, but got [{'a': 1, 'b': 2}]\n"
            "  at id: expected 7, but it was not sent\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertJsonBodyContains,
            {"user": {"name": "Bob", "died": 1852}, "roles": ["reader"], "x": [{"a": 2}], "id": 7},
        )
        self.check_fails(
            "JSON body of call 1 does not contain:\n"
            "  expected ['admin'], but got {'user': {'name': 'Ada', 'born': 1815}, "
            "'roles': ['admin', 'author'], 'x': [{'a': 1, 'b': 2}]}\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertJsonBodyContains, ["admin"],
        )

    async def test_each_expected_element_needs_an_element_of_its_own(self):
        await self.send("POST", json=[{"a": 1, "b": 2}, {"a": 1}, 3])
        self.assertJsonBodyContains([{"a": 1}, {"a": 1, "b": 2}])
        self.assertJsonBodyContains([ANY, ANY, {"b": 2}])
        self.check_fails(
            "JSON body of call 1 does not contain:\n"
            "  expected 3 in the list, but got [{'a': 1, 'b': 2}, {'a': 1}, 3]\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertJsonBodyContains, [3, 3],
        )

    async def test_many_missing_values_are_cut_with_a_count(self):
        await self.send("POST", json={})
        lines = "".join(f"  at key{number}: expected {number}, but it was not sent\n" for number in range(10))
        self.check_fails(
            "JSON body of call 1 does not contain:\n"
            f"{lines}"
            "  … and 2 more\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertJsonBodyContains, {f"key{number}": number for number in range(12)},
        )

    async def test_many_equal_elements_are_no_problem(self):
        await self.send("POST", json=[0] * 500)
        self.assertJsonBodyContains([0] * 500)

    async def test_a_body_that_is_not_json(self):
        await self.send("POST", data="a=1", headers={"Content-Type": "application/json"})
        for assertion in (self.assertJsonBody, self.assertJsonBodyContains):
            self.check_fails(
                "JSON body of call 1 cannot be read: the body of "
                "POST http://example.com/ is not JSON (Expecting value: line 1 column 1 (char 0)): "
                "it has Content-Type 'application/json' and 3 bytes: 'a=1'\n"
                "Calls:\n"
                "  1. POST http://example.com/ -> 200",
                assertion, {"a": 1},
            )

    async def test_a_request_without_a_body(self):
        await self.send()
        self.check_fails(
            "JSON body of call 1 cannot be read: the body of "
            "GET http://example.com/ is not JSON (Expecting value: line 1 column 1 (char 0)): "
            "it has Content-Type None and 0 bytes: ''\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
            self.assertJsonBody, {},
        )


class FormBodyTest(MessageTestCase):
    async def test_form_body(self):
        await self.send("POST", data=[("name", "Ada"), ("role", "admin"), ("role", "author"), ("note", "")])
        self.assertFormBody({"name": "Ada", "role": ["admin", "author"], "note": ""})
        self.assertFormBody({"note": ANY, "name": "Ada", "role": ANY}, SITE, "POST")
        self.assertFormBody([("name", "Ada"), ("role", "admin"), ("role", ANY), ("note", "")])
        self.check_fails(
            "Form of call 1 differs (- expected, + sent): POST http://example.com/ -> 200\n"
            "{'name': 'Bob'} != {'name': 'Ada', 'role': ['admin', 'author'], 'note': ''}\n"
            "- {'name': 'Bob'}\n"
            "+ {'name': 'Ada', 'note': '', 'role': ['admin', 'author']}\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertFormBody, {"name": "Bob"},
        )
        self.check_fails(
            "Form of call 1 differs (- expected, + sent): POST http://example.com/ -> 200\n"
            "Lists differ: [('name', 'Ada'), ('role', 'admin')] != "
            "[('name', 'Ada'), ('role', 'admin'), ('role', 'author'), ('note', '')]\n"
            "\n"
            "Second list contains 2 additional elements.\n"
            "First extra element 2:\n"
            "('role', 'author')\n"
            "\n"
            "- [('name', 'Ada'), ('role', 'admin')]\n"
            "+ [('name', 'Ada'), ('role', 'admin'), ('role', 'author'), ('note', '')]\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertFormBody, [("name", "Ada"), ("role", "admin")],
        )

    async def test_a_json_request_is_not_a_form(self):
        await self.send("POST", json={"name": "Ada"})
        self.check_fails(
            "Form of call 1 cannot be read: the body of "
            "POST http://example.com/ is not application/x-www-form-urlencoded: "
            "it has Content-Type 'application/json' and 15 bytes: '{\"name\": \"Ada\"}'\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertFormBody, {"name": "Ada"},
        )


class MultipartBodyTest(MessageTestCase):
    async def send_form(self):
        form = aiohttp.FormData()
        form.add_field("title", "Report ü")
        form.add_field("file", b"\x00\x01", filename="a.bin", content_type="application/x-thing")
        await self.send("POST", data=form)

    async def test_multipart_body(self):
        await self.send_form()
        self.assertMultipartBody({"title": "Report ü", "file": b"\x00\x01"})
        self.assertMultipartBody({"file": {"filename": "a.bin"}, "title": {"content": ANY}}, SITE, "POST")
        self.assertMultipartBody([("title", "Report ü".encode()), ("file", {"filename": "a.bin", "content": ANY})])
        self.assertMultipartBody({"file": ANY, "title": {"content": "Report ü"}})
        self.assertMultipartBody([("title", ANY), ("file", Part("file", "a.bin", ANY, b"\x00\x01"))])
        self.check_fails(
            "Multipart body of call 1 differs (- expected, + sent): POST http://example.com/ -> 200\n"
            "Lists differ: [('title', 'Report ü'), ('file', {'filename': 'b.bin'})] != "
            "[('title', 'Report ü'), ('file', {'filename': 'a.bin'})]\n"
            "\n"
            "First differing element 1:\n"
            "('file', {'filename': 'b.bin'})\n"
            "('file', {'filename': 'a.bin'})\n"
            "\n"
            "- [('title', 'Report ü'), ('file', {'filename': 'b.bin'})]\n"
            "?                                                ^\n"
            "\n"
            "+ [('title', 'Report ü'), ('file', {'filename': 'a.bin'})]\n"
            "?                                                ^\n"
            "\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertMultipartBody, {"file": {"filename": "b.bin"}, "title": "Report ü"},
        )
        self.check_fails(
            "Multipart body of call 1 differs (- expected, + sent): POST http://example.com/ -> 200\n"
            "Lists differ: [('title', 'Report ü')] != [('title', 'Report ü'), ('file', b'\\x00\\x01')]\n"
            "\n"
            "Second list contains 1 additional elements.\n"
            "First extra element 1:\n"
            "('file', b'\\x00\\x01')\n"
            "\n"
            "- [('title', 'Report ü')]\n"
            "+ [('title', 'Report ü'), ('file', b'\\x00\\x01')]\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertMultipartBody, {"title": "Report ü"},
        )

    async def test_a_name_that_was_sent_more_than_once_has_a_list_of_parts(self):
        form = aiohttp.FormData()
        for name, content in (("file", b"1"), ("title", b"T"), ("file", b"2"), ("file", b"3")):
            form.add_field(name, content, filename=f"{content.decode()}.txt")
        await self.send("POST", data=form)
        self.assertMultipartBody({"title": b"T", "file": [b"1", "2", FilePart("3.txt")]})
        self.assertMultipartBody({"file": [{"filename": "1.txt"}, ANY, ANY], "title": [ANY], "other": []})
        self.assertMultipartBody([("file", b"1"), ("title", "T"), ("file", b"2"), ("file", ANY)])
        for wrong in (
            {"title": b"T", "file": [b"2", b"1", b"3"]},
            {"title": b"T", "file": [b"1", b"2"]},
            {"title": b"T", "file": [b"1", b"2", b"3", b"4"]},
            {"title": b"T", "file": b"1"},
            {"title": b"T", "file": []},
            {"file": [b"1", b"2", b"3"]},
            [("title", "T"), ("file", [b"1", b"2", b"3"])],
        ):
            with self.subTest(wrong), self.assertRaises(AssertionError):
                self.assertMultipartBody(wrong)
        self.check_fails(
            "Multipart body of call 1 differs (- expected, + sent): POST http://example.com/ -> 200\n"
            "Lists differ: [('fi[18 chars]e', 'T'), ('file', FilePart(filename='x'))] != "
            "[('fi[18 chars]e', 'T'), ('file', FilePart(filename='2.txt')), ('file', b'3')]\n"
            "\n"
            "First differing element 2:\n"
            "('file', FilePart(filename='x'))\n"
            "('file', FilePart(filename='2.txt'))\n"
            "\n"
            "Second list contains 1 additional elements.\n"
            "First extra element 3:\n"
            "('file', b'3')\n"
            "\n"
            "- [('file', b'1'), ('title', 'T'), ('file', FilePart(filename='x'))]\n"
            "+ [('file', b'1'),\n"
            "+  ('title', 'T'),\n"
            "+  ('file', FilePart(filename='2.txt')),\n"
            "+  ('file', b'3')]\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertMultipartBody, {"title": "T", "file": [ANY, FilePart("x")]},
        )

    async def test_a_part_too_many_does_not_change_how_the_others_are_compared(self):
        await self.send_form()
        message = self.message(self.assertMultipartBody, [("file", FilePart(filename="b.bin"))])
        self.assertIn("('file', FilePart(filename='b.bin'))", message)
        self.assertIn("('file', FilePart(filename='a.bin'))", message)

    async def test_an_urlencoded_form_is_not_multipart(self):
        await self.send("POST", data={"name": "Ada"})
        self.check_fails(
            "Multipart body of call 1 cannot be read: the body of "
            "POST http://example.com/ is not multipart: "
            "it has Content-Type 'application/x-www-form-urlencoded' and 8 bytes: 'name=Ada'\n"
            "Calls:\n"
            "  1. POST http://example.com/ -> 200",
            self.assertMultipartBody, {"name": "Ada"},
        )

    async def test_a_broken_multipart_body_fails_with_a_message(self):
        for body in (
            b"", b"x", b"--x\r\nno header\r\n\r\n\r\n--x--", b"--x\r\nContent-Transfer-Encoding: y\r\n\r\n\r\n--x--"
        ):
            with self.subTest(body=body):
                await self.send("POST", data=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
                self.assertRegex(
                    self.message(self.assertMultipartBody, {}),
                    r"\AMultipart body of call [0-9] cannot be read: the body of POST http://example.com/ "
                    r"cannot be read as multipart: .+\nCalls:\n",
                )


class PartTest(MessageTestCase):
    async def asyncSetUp(self):
        form = aiohttp.FormData()
        form.add_field("file", b"x", filename="a.txt", content_type="text/plain")
        await self.send("POST", data=form)

    async def test_header_names_of_parts_are_case_insensitive(self):
        [part] = self.mock.calls[0].multipart()
        self.assertMultipartBody({"file": {"headers": {name.upper(): value for name, value in part.headers.items()}}})

    async def test_an_attribute_that_parts_do_not_have_is_refused(self):
        self.check_fails(
            "Invalid argument: "
            "expected attributes of a part (name, filename, headers, content), got 'contents'",
            self.assertMultipartBody, {"file": {"contents": b"x"}},
        )


class OtherBodiesTest(MessageTestCase):
    async def test_text_body(self):
        await self.send("PUT", data="héllo")
        self.assertTextBody("héllo")
        self.assertTextBody(ANY, SITE, "PUT")
        self.check_fails(
            "Body of call 1 differs (- expected, + sent): PUT http://example.com/ -> 200\n"
            "'hello' != 'héllo'\n"
            "- hello\n"
            "?  ^\n"
            "+ héllo\n"
            "?  ^\n"
            "\n"
            "Calls:\n"
            "  1. PUT http://example.com/ -> 200",
            self.assertTextBody, "hello",
        )

    async def test_a_body_that_is_not_text(self):
        await self.send("PUT", data=b"\xff", headers={"Content-Type": "text/plain"})
        self.check_fails(
            "Body of call 1 cannot be read: the body of "
            "PUT http://example.com/ is not text in utf-8: 'utf-8' codec can't decode byte 0xff in position 0: "
            "invalid start byte\n"
            "Calls:\n"
            "  1. PUT http://example.com/ -> 200",
            self.assertTextBody, "",
        )

    async def test_body(self):
        await self.send("PUT", data=b"\x00\x01", headers={"Content-Type": "application/x-thing"})
        self.assertBody(b"\x00\x01")
        self.assertBody(ANY, SITE, "PUT")
        self.check_fails(
            "Body of call 1 differs (- expected, + sent): PUT http://example.com/ -> 200\n"
            "b'\\x00' != b'\\x00\\x01'\n"
            "Calls:\n"
            "  1. PUT http://example.com/ -> 200",
            self.assertBody, b"\x00",
        )

    async def test_a_long_body_is_cut(self):
        await self.send("PUT", data=b"y" * 10_000)
        message = self.message(self.assertBody, b"x" * 10_000)
        self.assertLess(len(message), 500)
        self.check_fails(
            "Expected call 1 to have no body, but got 10000 bytes: "
            f"b'{'y' * 498}… (9503 more characters)\n"
            "Calls:\n"
            "  1. PUT http://example.com/ -> 200",
            self.assertEmptyBody,
        )
        self.check_fails(
            "JSON body of call 1 cannot be read: the body of "
            "PUT http://example.com/ is not JSON (Expecting value: line 1 column 1 (char 0)): "
            f"it has Content-Type 'application/octet-stream' and 10000 bytes: '{'y' * 100}'…\n"
            "Calls:\n"
            "  1. PUT http://example.com/ -> 200",
            self.assertJsonBody, 1,
        )

    async def test_empty_body(self):
        await self.send("DELETE", USERS)
        self.assertEmptyBody()
        self.assertEmptyBody(USERS, "DELETE")
        await self.send("POST", USERS, data=b"x")
        self.assertEmptyBody(USERS, "DELETE")
        self.check_fails(
            "Expected call 2 to have no body, but got 1 byte: b'x'\n"
            "Calls:\n"
            "  1. DELETE http://example.com/users -> 200\n"
            "  2. POST http://example.com/users -> 200",
            self.assertEmptyBody, USERS,
        )

    async def test_the_body_of_a_call_that_no_mock_answered_is_known(self):
        await self.send_unmatched("POST", json=[1])
        self.assertJsonBody([1])


class HeadersTest(MessageTestCase):
    async def test_request_headers(self):
        await self.send(headers=[("Accept", "text/plain"), ("X-Id", "1"), ("X-Id", "2")])
        self.assertRequestHeaders({})
        self.assertRequestHeaders({"accept": "text/plain", "HOST": "example.com"}, SITE, "GET")
        self.assertRequestHeaders({"x-id": "1"})
        self.assertRequestHeaders({"x-id": ["1", "2"]})
        self.assertRequestHeaders([("x-id", "2"), ("x-id", "1"), ("Accept", ANY)])
        self.check_fails(
            "Headers of call 1 do not contain:\n"
            "  accept: expected 'application/json', but got 'text/plain'\n"
            "  X-Id: expected '3', but got ['1', '2']\n"
            "  X-No: expected <ANY>, but it was not sent\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
            self.assertRequestHeaders, {"accept": "application/json", "X-Id": "3", "X-No": ANY},
        )

    async def test_secrets_are_not_shown(self):
        await self.send(
            headers={"Authorization": "Bearer s3cret", "Proxy-Authorization": "s3cret", "Cookie": "a=s3cret"}
        )
        self.assertRequestHeaders({"authorization": "Bearer s3cret", "cookie": "a=s3cret"})
        self.check_fails(
            "Headers of call 1 do not contain:\n"
            "  authorization: expected 'Bearer …' (7 more characters), "
            "but got 'Bearer …' (6 more characters, the same as far as they go)\n"
            "  Proxy-Authorization: expected ['…', '…'], but got '…' (6 characters)\n"
            "  COOKIE: expected '…' (8 characters), but got '…' (8 characters, differing from character 1 on)\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
            self.assertRequestHeaders,
            {"authorization": "Bearer s3cret2", "Proxy-Authorization": ["s3cret", "s3cret"], "COOKIE": "b=s3cret"},
        )
        await self.send()
        self.check_fails(
            "Headers of call 2 do not contain:\n"
            "  Authorization: expected '…', but it was not sent\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200\n"
            "  2. GET http://example.com/ -> 200",
            self.assertRequestHeaders, {"Authorization": "Bearer s3cret"},
        )

    async def test_long_values_are_cut(self):
        await self.send(headers={"X-Long": "y" * 1000})
        self.check_fails(
            "Headers of call 1 do not contain:\n"
            f"  X-Long: expected '{'x' * 499}… (502 more characters), "
            f"but got '{'y' * 499}… (502 more characters)\n"
            "Calls:\n"
            "  1. GET http://example.com/ -> 200",
            self.assertRequestHeaders, {"X-Long": "x" * 1000},
        )

    async def test_cookies_of_the_session_are_not_shown(self):
        await self.send(cookies={"a": "s3cret"})
        message = self.message(self.assertRequestHeaders, {"Cookie": "a=other", "X": "1"})
        self.assertNotIn("s3cret", message)
        self.assertNotIn("other\n", message)

    async def test_the_headers_of_a_call_that_no_mock_answered_are_known(self):
        await self.send_unmatched(headers={"X-Id": "1"})
        self.assertRequestHeaders({"X-Id": "1"})


class QueryTest(MessageTestCase):
    async def test_query(self):
        await self.send(url=USERS + "?page=2&tag=a&tag=b", params={"Q": "x y"})
        self.assertQuery({})
        self.assertQuery({"page": "2", "Q": "x y"})
        self.assertQuery({"page": ANY}, USERS, "GET")
        self.assertQuery({"page": ANY}, USERS + "?Q=x%20y&tag=b&tag=a&page=2#top")
        self.assertQuery({"tag": "b"}, re.compile(".*users"))
        self.assertQuery([("tag", "a"), ("tag", "b")])
        self.assertQuery({"tag": ["a", "b"]})
        self.check_fails(
            "Query of call 1 does not contain:\n"
            "  page: expected '3', but got '2'\n"
            "  tag: expected 'c', but got ['a', 'b']\n"
            "  q: expected 'x y', but it was not sent\n"
            "Calls:\n"
            "  1. GET http://example.com/users?page=2&tag=a&tag=b&Q=x+y -> 200",
            self.assertQuery, {"page": 3, "tag": "c", "q": "x y"}, USERS,
        )

    async def test_a_number_stands_for_its_text(self):
        await self.send("POST", USERS + "?page=2", data=[("a", "1"), ("b", "2"), ("b", "3.5")], headers={"X-Id": "7"})
        self.assertQuery({"page": 2})
        self.assertQuery([("page", matchers.one_of(1, 2))])
        self.assertRequestHeaders({"x-id": 7})
        self.assertFormBody({"a": 1, "b": [2, 3.5]})
        self.assertFormBody([("a", 1), ("b", 2), ("b", "3.5")])
        for assertion, expected in ((self.assertQuery, {"page": True}), (self.assertFormBody, {"a": True})):
            self.assertIn("True", self.message(assertion, expected))

    async def test_a_url_without_a_query_means_just_that_in_other_assertions(self):
        await self.send("POST", USERS + "?page=2", json=1)
        for assertion in (self.assertJsonBody, self.assertRequestHeaders):
            self.check_fails(
                "Expected a call to http://example.com/users, but there were none.\n"
                "A URL without a query stands for requests without one; pass match_query=ANY for any query.\n"
                "Calls:\n"
                "  1. POST http://example.com/users?page=2 -> 200",
                assertion, 1, USERS,
            )

    async def test_a_url_with_a_query_must_be_called_with_it(self):
        await self.send(url=USERS + "?page=2")
        self.check_fails(
            "Expected a call to http://example.com/users?page=1, but there were none.\n"
            "Calls:\n"
            "  1. GET http://example.com/users?page=2 -> 200",
            self.assertQuery, {"page": "2"}, USERS + "?page=1",
        )


class AnyFieldsTest(MessageTestCase):
    """Objects that decide what equals them, in place of a whole mapping."""

    async def test_any_fields_will_do(self):
        await self.send("POST", USERS + "?page=1", data={"a": "1"})
        self.assertFormBody(ANY)
        self.assertQuery(ANY)
        self.assertRequestHeaders(ANY)


class IndexTest(MessageTestCase):
    CALLS = "\nCalls:\n" + "\n".join(f"  {number}. POST http://example.com/ -> 200" for number in (1, 2, 3))

    async def asyncSetUp(self):
        for number in range(3):
            await self.send("POST", json=number)

    async def test_the_last_call_is_the_default(self):
        self.assertJsonBody(2)

    async def test_an_index_counts_from_both_ends_among_the_calls_that_fit(self):
        for index in range(3):
            self.assertJsonBody(index, index=index)
            self.assertJsonBody(index, SITE, "POST", index - 3)
        await self.send("GET", SITE)
        self.assertJsonBody(2, method="POST")

    async def test_the_message_says_which_call_it_was(self):
        self.check_fails(
            "JSON body of call 2 differs (- expected, + sent): POST http://example.com/ -> 200\n"
            "5 != 1" + self.CALLS,
            self.assertJsonBody, 5, index=-2,
        )

    async def test_an_index_out_of_range(self):
        for index in (3, -4):
            self.check_fails(
                f"Expected a call to POST http://example.com/ at index {index}, but there were 3." + self.CALLS,
                self.assertJsonBody, 0, SITE, "POST", index,
            )

    async def test_an_index_that_is_not_an_int(self):
        for index in ("0", None, 1.0, True):
            self.check_fails(
                f"Invalid argument: index: expected an int, got {index!r}",
                self.assertJsonBody, 0, index=index,
            )

    async def test_an_index_where_no_call_fits(self):
        for assertion in (
            self.assertJsonBody, self.assertJsonBodyContains, self.assertFormBody, self.assertMultipartBody,
            self.assertTextBody, self.assertBody, self.assertRequestHeaders, self.assertQuery,
        ):
            with self.subTest(assertion=assertion.__name__):
                self.check_fails(
                    "Expected a call to DELETE http://example.com/users, but there were none." + self.CALLS,
                    assertion, {}, USERS, "DELETE",
                )
        self.check_fails(
            "Expected a call with method DELETE, but there were none." + self.CALLS,
            self.assertEmptyBody, method="DELETE",
        )
