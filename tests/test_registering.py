"""What can be registered: the shortcuts, groups of mocks of one host, and refusals of what makes no sense."""

import asyncio
import functools
import inspect
import re
import unittest
from pathlib import Path
from unittest.mock import ANY

import aiohttp
from yarl import URL

from aioresponses import AioResponsesTestCase, CallbackResult, Fault, FilePart, Group, RequestMatch, aioresponses
from aioresponses.matchers import subset

from .support import SITE, get, values_of

API = "https://api.example.com/v2"
METHODS = ("get", "post", "put", "patch", "delete", "head", "options")


def refusal(function, *args, **kwargs):
    """Return class and text of what is raised where something cannot be registered."""
    try:
        function(*args, **kwargs)
    except Exception as error:
        return type(error), str(error)
    return None


class RefusedTest(unittest.TestCase):
    """Wrong use fails where it stands, with the names of the arguments."""

    maxDiff = None

    def setUp(self):
        self.mock = aioresponses()

    def check(self, rows):
        for url, arguments, error, message in rows:
            with self.subTest(url=url, arguments=arguments):
                self.assertEqual(refusal(self.mock.post, url, **arguments), (error, message))
                self.assertEqual(self.mock._matches, {})

    def test_conditions_that_contradict_each_other(self):
        body = "match_json cannot be combined with match_form: a body cannot be both JSON and a form"
        query = "match_query cannot be combined with a query in url; give the whole query in one of them"
        self.check([
            (SITE, {"match_json": {}, "match_form": {}}, ValueError, body),
            (SITE, {"match_json": ANY, "match_form": {"file": FilePart()}}, ValueError, body),
            (SITE + "?a=1", {"match_query": {"a": "1"}}, ValueError, query),
            (SITE + "?a=1", {"match_query": ANY}, ValueError, query),
            (URL(SITE + "?a"), {"match_query": {}}, ValueError, query),
            (SITE + "{id}?a=1", {"match_query": {"a": "1"}}, ValueError, query),
            ("https://*.example.com?a=1", {"match_query": ANY}, ValueError, query),
        ])

    def test_a_question_mark_alone_is_no_query(self):
        self.assertEqual(str(self.mock.get(SITE + "?", match_query={})), f"GET {SITE}, match_query={{}}")

    def test_replies_that_contradict_each_other(self):
        self.check([
            (SITE, {"body": "x", "events": []}, ValueError,
             "body cannot be combined with events: a reply has only one body"),
            (SITE, {"payload": 0, "events": ["x"]}, ValueError,
             "payload cannot be combined with events: a reply has only one body"),
            (SITE, {"exception": OSError(), "fault": Fault.HANG}, ValueError,
             "exception cannot be combined with fault: a reply can fail in only one way"),
            (SITE, {"timeout": True, "fault": Fault.HANG}, ValueError,
             "timeout cannot be combined with fault: a reply can fail in only one way"),
            (SITE, {"body": iter("x"), "repeat": 2}, ValueError,
             "body: an iterator can be sent only once; with repeat, pass the generator function"),
            (SITE, {"events": iter("x"), "repeat": True}, ValueError,
             "events: an iterator can be sent only once; with repeat, pass the generator function"),
        ])

    def test_an_argument_of_a_reply_beside_several_replies(self):
        message = "{} cannot be combined with replies; set it in each reply"
        for name, value in [
            ("status", 201),
            ("body", "x"),
            ("payload", 0),
            ("headers", {"X-One": "1"}),
            ("exception", OSError),
            ("callback", print),
            ("content_type", "text/plain"),
            ("timeout", True),
            ("reason", "Fine"),
            ("cookies", {"a": "1"}),
            ("delay", 1),
            ("events", ["x"]),
            ("fault", Fault.HANG),
        ]:
            self.check([(SITE, {name: value, "replies": [{}]}, ValueError, message.format(name))])

    def test_values_that_are_no_replies(self):
        what = "replies: expected a list of dicts, exceptions or CallbackResults, got "
        one = "replies[{}]: expected a dict of arguments, an exception or a CallbackResult, got {!r}"
        self.check([
            (SITE, {"replies": []}, TypeError, what + "[]"),
            (SITE, {"replies": ()}, TypeError, what + "()"),
            (SITE, {"replies": {"status": 200}}, TypeError, what + "{'status': 200}"),
            (SITE, {"replies": 5}, TypeError, what + "5"),
            (SITE, {"replies": [5]}, TypeError, one.format(0, 5)),
            (SITE, {"replies": [{}, None]}, TypeError, one.format(1, None)),
            (SITE, {"replies": [int]}, TypeError, one.format(0, int)),
            (SITE, {"replies": [{"repeat": 2}]}, TypeError,
             "replies[0]: unexpected argument 'repeat': "
             "'repeat' is an argument of the mock, and not of a single reply"),
            (SITE, {"replies": [{"match_json": 2}]}, TypeError,
             "replies[0]: unexpected argument 'match_json': "
             "'match_json' is an argument of the mock, and not of a single reply"),
            (SITE, {"replies": [{"status": 99}]}, ValueError,
             "replies[0]: status: expected an int from 200 to 999, or 101, got 99"),
            (SITE, {"replies": [{"delay": -1}]}, ValueError, "replies[0]: delay: expected seconds, 0 or more, got -1"),
        ])

    def test_values_that_are_no_delays(self):
        for delay, error, message in [
            (-1, ValueError, "delay: expected seconds, 0 or more, got -1"),
            (float("nan"), ValueError, "delay: expected seconds, 0 or more, got nan"),
            (float("inf"), ValueError, "delay: expected seconds, 0 or more, got inf"),
            ("1", TypeError, "delay: expected seconds, got '1'"),
            (True, TypeError, "delay: expected seconds, got True"),
        ]:
            self.check([(SITE, {"delay": delay}, error, message)])

    def test_a_template_that_does_not_compile(self):
        error, message = refusal(self.mock.get, SITE + "{id:(}")
        self.assertIs(error, ValueError)
        self.assertTrue(
            message.startswith(
                "url: expected a URL, got 'http://example.com/{id:(}': its path is not a valid pattern: "
            ),
            message,
        )

    def test_values_that_are_no_fields(self):
        for name in ("match_query", "match_headers", "match_form"):
            for value in (5, True, b"a=b", 1.5, [1], ["ab", "c"], [("a",)], [("a", "b", "c")]):
                self.check([(
                    SITE, {name: value}, TypeError,
                    f"{name}: expected a mapping or pairs of name and value, got {value!r}",
                )])
        for name in ("match_headers", "match_form"):
            self.check([(
                SITE, {name: "a=b"}, TypeError, f"{name}: expected a mapping or pairs of name and value, got 'a=b'"
            )])

    def test_values_that_are_no_names_of_headers(self):
        self.check([
            (SITE, {"match_headers": {5: "x"}}, TypeError, "match_headers: expected names of str, got 5"),
            (SITE, {"match_headers": subset({b"X": "x"})}, TypeError, "match_headers: expected names of str, got b'X'"),
        ])

    def test_values_that_are_no_bodies(self):
        for value in ({}, [], (), 5, 1.5, True):
            self.check([(
                SITE, {"match_body": value}, TypeError,
                f"match_body: expected bytes, text or a compiled pattern, got {value!r}"
                + ("; for JSON, use match_json=" if isinstance(value, (dict, list)) else ""),
            )])

    def test_values_that_are_no_functions(self):
        async def asks(call):
            return True

        partly = functools.partial(asks)
        for value, shown in [
            (5, 5), ("abc", "a"), (True, True), ([print, None], None), (asks, asks), ([print, asks], asks),
            (partly, partly),
        ]:
            self.check([(
                SITE, {"match": value}, TypeError,
                f"match: expected a function that takes the call, or a list of them, got {shown!r}",
            )])

    def test_a_mapping_as_a_function_of_the_call(self):
        self.check([(
            SITE, {"match": {"a": 1}}, TypeError,
            "match: expected a function that takes the call, or a list of them, got {'a': 1}; for the body, use "
            "match_json= or match_form=",
        )])

    def test_arguments_that_do_not_exist(self):
        error, message = refusal(self.mock.get, SITE, match_cookies={})
        self.assertIs(error, TypeError)
        self.assertIn("unexpected keyword argument 'match_cookies'", message)

    def test_conditions_of_none_ask_for_nothing(self):
        match = self.mock.get(
            SITE, match_query=None, match_headers=None, match_json=None, match_form=None, match_body=None, match=None
        )
        self.assertEqual(str(match), f"GET {SITE}")
        with self.mock:
            asyncio.run(get(SITE, headers={"X-One": "1"}))
        self.assertTrue(match.called)


class ShortcutsTest(AioResponsesTestCase):
    async def test_every_shortcut_registers_its_method(self):
        for method in ("get", "post", "put", "patch", "delete", "head", "options"):
            with self.subTest(method=method):
                match = getattr(self.mock, method)(SITE, status=201)
                self.assertIsInstance(match, RequestMatch)
                async with aiohttp.ClientSession() as session:
                    response = await getattr(session, method)(SITE)
                self.assertEqual((response.status, response.method), (201, method.upper()))

    async def test_the_shortcuts_go_through_the_instance_s_own_add(self):
        seen = []
        self.mock.add = lambda url, method="GET", **kwargs: seen.append((url, method, kwargs))
        for method in ("get", "post", "put", "patch", "delete", "head", "options"):
            getattr(self.mock, method)(SITE, status=201)
        self.assertEqual(
            seen,
            [
                (SITE, method, {"status": 201})
                for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
            ],
        )


class MeaningTest(unittest.TestCase):
    """What the arguments mean is shown for `add` and for each shortcut, and is written once."""

    SHORTCUTS = (*METHODS, "any")

    def test_each_argument_has_its_meaning(self):
        names = [name for name in inspect.signature(aioresponses.add).parameters if name != "self"]
        shown = inspect.getdoc(aioresponses.add)
        self.assertEqual(sorted(re.findall("^- `(\\w+)`", shown, re.MULTILINE)), sorted(names))

    def test_it_is_shown_for_each_shortcut_of_the_mock_and_of_a_group(self):
        shown = inspect.getdoc(aioresponses.add)
        for name in self.SHORTCUTS:
            for owner in (aioresponses, Group):
                shortcut = getattr(owner, name)
                self.assertEqual(inspect.getdoc(shortcut), shown)
                self.assertEqual((shortcut.__name__, shortcut.__qualname__), (name, f"Registering.{name}"))

    def test_it_is_written_once(self):
        package = Path(inspect.getfile(aioresponses)).parent
        sources = [path.read_text(encoding="utf-8") for path in package.rglob("*.py")]
        [line] = re.findall("^- `optional`: .*$", inspect.getdoc(aioresponses.add), re.MULTILINE)
        self.assertEqual(sum(source.count(line) for source in sources), 1)

    def test_what_else_is_shown_of_a_shortcut(self):
        self.assertEqual(
            str(inspect.signature(aioresponses.get)),
            "(self: 'Registering', url: 'Url', **kwargs: 'Unpack[Arguments]') -> 'RequestMatch'",
        )


class GroupTest(AioResponsesTestCase):
    assert_all_mocked = False  # What no mock answers is looked at here.
    maxDiff = None

    async def ask(self, method, url, **kwargs):
        async with self.client_session().request(method, url, **kwargs) as response:
            return response.status, await response.text(), response

    def test_mocks_of_a_group_are_registered_by_their_paths(self):
        for url, path, expected in [
            (API, "/users", API + "/users"),
            (API + "/", "/users", API + "/users"),
            (API, "", API),
            (API, "/", API + "/"),
            (API, "?page=1", API + "?page=1"),
            (API, "/users?b=2&a=1", API + "/users?a=1&b=2"),
            (API, "/users/{id}", API + "/users/{id}"),
            ("https://api.example.com", "", "https://api.example.com"),
            ("https://api.example.com/", "/ü", "https://api.example.com/%C3%BC"),
            ("https://*.example.com", "/users", "https://*.example.com/users"),
            (API + "/{tenant}", "/users", API + "/{tenant}/users"),
            ("http://[::1]:8080", "/a", "http://[::1]:8080/a"),
            ("http://me:secret@example.com", "/a", "http://…@example.com/a"),
        ]:
            with self.subTest(url=url, path=path):
                match = self.mock.host(url).get(path)
                self.assertEqual(str(match), f"GET {expected}".replace("example.com?", "example.com/?"))
                self.assertIs(list(self.mock._matches.values())[-1], match)

    async def test_a_group_has_every_shortcut_and_add(self):
        api = self.mock.host(API)
        self.assertIsInstance(api, Group)
        for method in METHODS:
            getattr(api, method)("/users", status=201)
            self.assertEqual((await self.ask(method, API + "/users"))[0], 201)
        api.add("/users", "propfind", status=207)
        api.add("/users", status=202)
        self.assertEqual((await self.ask("PROPFIND", API + "/users"))[0], 207)
        self.assertEqual((await self.ask("GET", API + "/users"))[0], 202)

    async def test_a_group_can_be_given_to_a_function(self):
        def register_users(api):
            api.get("/users/{id}", payload=lambda call: {"id": call.match_info["id"]}, repeat=True)
            api.post("/users", match_json={"name": "Ada"}, status=201)

        for host in ("https://one.example.com", "https://two.example.com/v2"):
            register_users(self.mock.host(host))
            self.assertEqual((await self.ask("GET", host + "/users/7"))[:2], (200, '{"id": "7"}'))
            self.assertEqual((await self.ask("POST", host + "/users", json={"name": "Ada"}))[0], 201)

    async def test_headers_of_a_group_are_those_of_its_replies(self):
        api = self.mock.host(API, headers={"Server": "api", "X-Version": "2"})
        for arguments, expected in [
            ({}, ["api", "2", None]),
            ({"headers": {"x-version": "3", "X-Own": "1"}}, ["api", "3", "1"]),
            ({"headers": [("X-Own", "1")]}, ["api", "2", "1"]),
            ({"headers": {}}, ["api", "2", None]),
            ({"headers": None}, ["api", "2", None]),
            ({"replies": [{}]}, ["api", "2", None]),
            ({"replies": [{"headers": {"X-Version": "3"}}]}, ["api", "3", None]),
        ]:
            with self.subTest(arguments=arguments):
                api.get("/users", **arguments)
                headers = (await self.ask("GET", API + "/users"))[2].headers
                self.assertEqual([headers.get(name) for name in ("Server", "X-Version", "X-Own")], expected)

    async def test_headers_of_a_group_may_have_several_values(self):
        api = self.mock.host(API, headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        api.get("/", repeat=1)
        self.assertEqual(values_of((await self.ask("GET", API + "/"))[2], "Set-Cookie"), ["a=1", "b=2"])
        api.get("/", headers=[("Set-Cookie", "c=3"), ("Set-Cookie", "d=4")])
        self.assertEqual(values_of((await self.ask("GET", API + "/"))[2], "Set-Cookie"), ["c=3", "d=4"])

    async def test_replies_that_are_not_dicts_are_given_as_they_are(self):
        api = self.mock.host(API, headers={"Server": "api"})
        api.get("/", replies=[CallbackResult(status=201), aiohttp.ClientPayloadError("no"), {"status": 202}])
        self.assertEqual((await self.ask("GET", API + "/"))[0], 201)
        with self.assertRaises(aiohttp.ClientPayloadError):
            await self.ask("GET", API + "/")
        status, _, response = await self.ask("GET", API + "/")
        self.assertEqual((status, response.headers["Server"]), (202, "api"))

    async def test_match_headers_of_a_group_are_asked_of_requests(self):
        api = self.mock.host(API, match_headers={"Authorization": "Bearer secret", "Accept": ANY})
        match = api.get("/users")
        more = api.get("/users", match_headers={"X-One": "1"}, status=201)
        self.assertEqual(
            [str(match), str(more)],
            [
                f"GET {API}/users, match_headers={{'Authorization': '…', 'Accept': <ANY>}}",
                f"GET {API}/users, match_headers={{'Authorization': '…', 'Accept': <ANY>, 'X-One': '1'}}",
            ],
        )
        with self.assertRaises(aiohttp.ClientConnectionError) as raised:
            await self.ask("GET", API + "/users")
        self.assertEqual(
            raised.exception.__notes__,
            [
                f"aioresponses: no mock answers GET {API}/users\n"
                "Registered mocks, the closest first:\n"
                f"  {match}: headers: at Authorization: '…' is missing\n"
                f"  {more}: headers: at Authorization: '…' is missing"
            ],
        )
        api.get("/users", match_headers={"authorization": "Bearer other"}, status=202)
        for token, status in (("secret", 200), ("other", 202)):
            answer = await self.ask("GET", API + "/users", headers={"Authorization": f"Bearer {token}"})
            self.assertEqual(answer[0], status)

    async def test_a_mock_may_ask_for_headers_by_an_object_that_decides(self):
        api = self.mock.host(API, match_headers={"X-One": "1"})
        for expected in (ANY, subset({"X-Two": "2"})):
            with self.subTest(expected=expected):
                api.get("/", match_headers=expected)
                answer = await self.ask("GET", API + "/", headers={"X-One": "1", "X-Two": "2"})
                self.assertEqual(answer[0], 200)

    def test_later_changes_to_the_arguments_of_a_group_do_not_show(self):
        headers = {"X-One": "1"}
        api = self.mock.host(API, match_headers=headers)
        headers["X-Two"] = "2"
        self.assertEqual(str(api.get("/")), f"GET {API}/, match_headers={{'X-One': '1'}}")
        given = {"X-Two": "2"}
        api.get("/", match_headers=given)
        self.assertEqual(given, {"X-Two": "2"})

    def test_the_repr_of_a_group_shows_its_url(self):
        self.assertEqual(repr(self.mock.host(API + "/")), "<Group https://api.example.com/v2>")

    def test_the_repr_of_a_group_shows_no_password(self):
        self.assertNotIn("secret", repr(self.mock.host("https://me:secret@example.com/v2")))

    def test_values_that_are_no_hosts(self):
        for url, error, message in [
            (5, TypeError, "url: expected a str or a yarl.URL, got 5"),
            (None, TypeError, "url: expected a str or a yarl.URL, got None"),
            (re.compile("x"), TypeError, "url: expected a str or a yarl.URL, got re.compile('x')"),
            (ANY, TypeError, "url: expected a str or a yarl.URL, got <ANY>"),
            (URL("/v2"), ValueError,
             "url: expected a URL with a scheme and a host, and without a query, got URL('/v2')"),
            (URL(API + "?a=1"), ValueError,
             f"url: expected a URL with a scheme and a host, and without a query, got URL('{API}?a=1')"),
            ("api.example.com", ValueError,
             "url: expected a URL with a scheme and a host, and without a query, got 'api.example.com'"),
            ("/v2", ValueError, "url: expected a URL with a scheme and a host, and without a query, got '/v2'"),
            (API + "?a=1", ValueError,
             f"url: expected a URL with a scheme and a host, and without a query, got '{API}?a=1'"),
            (API + "#top", ValueError,
             f"url: expected a URL with a scheme and a host, and without a query, got '{API}#top'"),
            (API + "/{}", ValueError,
             f"url: expected a URL, got '{API}/{{}}': '/v2/{{}}' is neither {{name}} nor {{name:regex}}; "
             "for a pattern, pass re.compile(…), for literal braces a yarl.URL"),
        ]:
            with self.subTest(url=url):
                self.assertEqual(refusal(self.mock.host, url), (error, message))

    def test_values_that_are_no_paths(self):
        api = self.mock.host(API)
        for path, error, message in [
            (5, TypeError, "url: expected a path of str, or a compiled pattern, got 5"),
            (None, TypeError, "url: expected a path of str, or a compiled pattern, got None"),
            (re.compile(b"/users"), TypeError,
             "url: expected a pattern of text, got one of bytes: re.compile(b'/users')"),
            (URL(SITE), ValueError, "url: expected a path that begins with /, got URL('http://example.com/')"),
            ("users", ValueError, "url: expected a path that begins with /, got 'users'"),
            (SITE, ValueError, "url: expected a path that begins with /, got 'http://example.com/'"),
            ("/{}", ValueError, f"url: expected a URL, got '{API}/{{}}': '/v2/{{}}' is neither {{name}} nor "
             "{name:regex}; for a pattern, pass re.compile(…), for literal braces a yarl.URL"),
        ]:
            with self.subTest(path=path):
                self.assertEqual(refusal(api.get, path), (error, message))
        self.assertEqual(self.mock._matches, {})

    def test_wrong_arguments_are_refused_as_without_a_group(self):
        plain = self.mock.host(API)
        with_headers = self.mock.host(API, headers={"X-One": "1"}, match_headers={"X-One": "1"})
        for arguments in (
            {"headers": 5},
            {"headers": ["x"]},
            {"headers": {"X": None}},
            {"match_headers": 5},
            {"match_headers": "x"},
            {"match_headers": {5: "x"}},
            {"replies": 5},
            {"replies": []},
            {"replies": [5]},
            {"replies": [{"headers": 5}]},
            {"replies": [{"repeat": 5}]},
            {"replies": [{}], "status": 201},
            {"replies": [{}], "headers": {"X-Two": "2"}},
        ):
            with self.subTest(arguments=arguments):
                expected = refusal(plain.get, "/", **arguments)
                self.assertIsNotNone(expected)
                self.assertEqual(refusal(with_headers.get, "/", **arguments), expected)

    def test_wrong_headers_of_a_group_are_refused_where_they_stand(self):
        for name in ("headers", "match_headers"):
            for value in (5, "x", ["x"]):
                with self.subTest(name=name, value=value):
                    error, message = refusal(self.mock.host, API, **{name: value})
                    self.assertIs(error, TypeError)
                    self.assertTrue(message.startswith(f"{name}: expected "), message)
