"""Groups of mocks of one host: what their URL and their paths may be, and the calls that they know."""

import gc
import re
import weakref
from unittest.mock import ANY

from yarl import URL

from aioresponses import aioresponses
from aioresponses.matchers import regex

from .support import AskingTestCase, note_of

API = "https://api.example.com/v2"

RULE = "(in a group, a pattern is matched from the start of what follows the URL of the group)"


class UrlOfAGroupTest(AskingTestCase):
    async def test_it_may_be_a_url_object(self):
        for url, asked in (
            (URL(API), API),
            (URL(API + "/"), API),
            (URL("https://api.example.com"), "https://api.example.com"),
            (URL("https://api.example.com/{x}"), "https://api.example.com/%7Bx%7D"),
            (URL("https://me:secret@api.example.com/v2"), "https://me:secret@api.example.com/v2"),
        ):
            with self.subTest(url):
                self.mock.clear()
                self.mock.host(url).get("/users", payload=1)
                self.assertEqual(await self.ask(url=f"{asked}/users"), (200, "1"))

    async def test_braces_of_a_url_object_stand_for_themselves(self):
        self.mock.host(URL("https://api.example.com/{x}")).get("/users", repeat=True)
        self.assertNotEqual((await self.ask(url="https://api.example.com/a/users"))[0], 200)

    async def test_a_path_may_be_a_url_object(self):
        api = self.mock.host(API)
        handle = api.get(URL("/users/{id}").with_query(b=2, a=1))
        self.assertEqual(str(handle), f"GET {API}/users/%7Bid%7D?a=1&b=2")
        self.assertEqual((await self.ask(url=API + "/users/{id}?b=2&a=1"))[0], 200)


class PatternsOfAGroupTest(AskingTestCase):
    """A pattern is matched from the start of what follows the URL of the group."""

    async def fits(self, group, pattern, url):
        self.mock.clear()
        self.mock.host(group).get(pattern, repeat=True)
        return (await self.ask(url=url))[0] == 200

    async def test_what_a_pattern_fits(self):
        for group, pattern, url, expected in [
            (API, r"/users/\d+$", API + "/users/7", True),
            (API, r"/users/\d+$", API + "/users/ada", False),
            (API, r"/users/\d+$", "https://api.example.com/v1/users/7", False),
            (API, r"/users/\d+$", "https://api.example.com/v20/users/7", False),
            (API, r"/users/\d+$", "https://other.example.com/v2/users/7", False),
            (API, r"/users/\d+$", "http://api.example.com/v2/users/7", False),
            (API, r"/users/\d+$", "https://api.example.com:444/v2/users/7", False),
            (API, r"/users/\d+$", "https://api.example.com:443/v2/users/7", True),
            (API + "/", r"/users/\d+$", API + "/users/7#top", True),
            (API, r"^/users", API + "/users/7", True),
            (API, r"(?i)/USERS", API + "/users", True),
            (API, r"users", API + "/users", False),
            (API, r"/0/users", "https://api.example.com/v20/users", False),
            (API, r"$", API, True),
            (API, r"$", API + "/", False),
            (API, r"/$", API + "/", True),
            (API, r"/users\?a=1&b=2$", API + "/users?b=2&a=1", True),
            (API, r"\?a=1$", API + "?a=1", True),
            (API, r"/users$", API + "/users?a=1", False),
            (API, r"/a%20b$", API + "/a b", True),
            ("https://api.example.com", r"/$", "https://api.example.com", True),
            ("https://api.example.com", r"/users$", "https://api.example.com/users", True),
            ("https://*.example.com", r"/users$", "https://a.b.example.com/users", True),
            ("https://*.example.com", r"/users$", "https://example.com/users", False),
            (API + "/{tenant}", r"/users$", API + "/north/users", True),
            (API + "/{tenant}", r"/users$", API + "/users", False),
            (API + "/{path:.+}", r"/users$", API + "/a/b/users", True),
            (URL("https://me:x@api.example.com"), r"/users$", "https://me:x@api.example.com/users", True),
            (URL("https://me:x@api.example.com"), r"/users$", "https://api.example.com/users", False),
            ("https://api.example.com", r"/users$", "https://me:x@api.example.com/users", True),
        ]:
            with self.subTest(group=group, pattern=pattern, url=url):
                self.assertIs(await self.fits(group, re.compile(pattern), url), expected)

    async def test_any_stands_for_all_below_the_url(self):
        for group, url, expected in [
            (API, API, True),
            (API, API + "/", True),
            (API, API + "/users/7?page=2", True),
            (API, API + "?page=2", True),
            (API, API + "0", False),
            (API, "https://api.example.com/", False),
            ("https://*.example.com", "https://north.example.com/a", True),
        ]:
            with self.subTest(group=group, url=url):
                self.assertIs(await self.fits(group, ANY, url), expected)

    async def test_every_method_and_path_is_said_in_two_ways(self):
        for path in ("/{path:.*}", re.compile("/"), ANY):
            self.mock.clear()
            api = self.mock.host("https://api.example.com")
            api.any(path, status=503, repeat=True)
            for method, url in (("GET", "/"), ("PUT", "/users/7"), ("DELETE", "/a/b/c")):
                self.assertEqual((await self.ask(method, f"https://api.example.com{url}"))[0], 503)
            self.assertEqual(api.call_count, 3)

    async def test_a_call_knows_what_names_stand_for(self):
        self.mock.host(API + "/{tenant}").get(re.compile(r"/users/(?P<id>\d+)(?P<rest>x)?"))
        await self.ask(url=API + "/north/users/7")
        self.assertEqual(dict(self.mock.calls[0].match_info), {"tenant": "north", "id": "7", "rest": ""})

    async def test_a_query_may_be_asked_for_apart(self):
        self.mock.host(API).get(re.compile("/users$"), match_query={"page": regex("^[0-9]$")}, repeat=True)
        self.assertEqual((await self.ask(url=API + "/users?page=2"))[0], 200)
        self.assertNotEqual((await self.ask(url=API + "/users?page=22"))[0], 200)

    async def test_headers_of_the_group_count(self):
        api = self.mock.host(API, headers={"Server": "x"}, match_headers={"X-One": "1"})
        api.get(re.compile("/users"))
        async with self.session.get(API + "/users", headers={"X-One": "1"}) as response:
            self.assertEqual(response.headers["Server"], "x")

    async def test_mocks_have_their_turn_in_the_order_of_registration(self):
        api = self.mock.host(API)
        for number, path in enumerate(("/users", re.compile("/users"), "/{name}", ANY, "/users")):
            api.get(path, body=str(number))
        self.assertEqual([(await self.ask(url=API + "/users"))[1] for _ in range(5)], ["0", "1", "2", "3", "4"])

    async def test_how_they_are_shown_and_why_they_do_not_answer(self):
        api = self.mock.host("https://me:secret@api.example.com/v2")
        pattern, everything = api.get(re.compile(r"/users/\d+")), api.any(ANY)
        self.assertEqual(
            [str(pattern), str(everything)],
            [
                r"GET https://…@api.example.com/v2 … re.compile('/users/\\d+')",
                "* https://…@api.example.com/v2 and all below it",
            ],
        )
        self.assertEqual(
            (pattern.url_or_pattern, everything.url_or_pattern), (re.compile(r"/users/\d+"), re.compile(""))
        )
        everything.remove()
        self.mock.host(API + "/{tenant}").get(re.compile("/users$"))
        self.assertEqual(
            await note_of(self.session, "GET", "https://me:secret@api.example.com/v2/users?a=1"),
            "aioresponses: no mock answers GET https://api.example.com/v2/users?a=1\n"
            "Registered mocks, the closest first:\n"
            "  GET https://…@api.example.com/v2 … re.compile('/users/\\\\d+'): the pattern does not match "
            f"'/users?a=1' {RULE}\n"
            f"  GET https://api.example.com/v2/{{tenant}} … re.compile('/users$'): the pattern does not match '?a=1' "
            f"{RULE}",
        )
        self.assertEqual(
            (await note_of(self.session, "GET", "https://other.example.com/v2")).splitlines()[2],
            "  GET https://…@api.example.com/v2 … re.compile('/users/\\\\d+'): "
            "the URL does not begin with https://…@api.example.com/v2",
        )

    async def test_a_pattern_says_if_only_scheme_or_port_differs(self):
        scheme = "scheme differs: mock has 'https', request has 'http'"
        port = "port differs: mock has 443, request has 8443"
        elsewhere = "the URL does not begin with https://api.example.com/v2"
        for url in (API, API + "/"):
            api = self.mock.host(url)
            for path in (re.compile("/users$"), ANY):
                for asked, reason in [
                    ("http://api.example.com/v2/users", scheme),
                    ("http://api.example.com:443/v2/posts", scheme),
                    ("https://api.example.com:8443/v2", port),
                    ("http://api.example.com/v3/users", elsewhere),
                    ("https://api.example.com:8443/v20", elsewhere),
                    ("http://example.com/v2/users", elsewhere),
                ]:
                    with self.subTest(url, path=path, asked=asked):
                        mock = api.get(path)
                        note = await note_of(self.session, "GET", asked)
                        self.assertEqual(note.splitlines()[2:], [f"  {mock}: {reason}"])
                        note = await note_of(self.session, "PUT", asked)
                        also = reason.partition(": ")[0]
                        self.assertEqual(
                            note.splitlines()[2:],
                            [f"  {mock}: method differs: mock has GET, request has PUT; {also}"],
                        )
                        mock.remove()
        tenants = self.mock.host("https://*.example.com:8443/{tenant}")
        mock = tenants.get(re.compile("/users"))
        note = await note_of(self.session, "GET", "https://api.example.com/acme/users")
        self.assertEqual(note.splitlines()[2:], [f"  {mock}: port differs: mock has 8443, request has 443"])

    async def test_of_the_same_patterns_the_first_hides_the_others(self):
        api = self.mock.host(API)
        first = api.get(re.compile("/users"), repeat=True, optional=True)
        hidden = [api.get(re.compile("/users")), api.get("/users/7")]
        seen = api.get(re.compile("/user"))
        with self.assertRaises(AssertionError) as raised:
            self.assertAllMocksCalled()
        reached = [
            f"    never reached: {first}, repeat=True, registered before it, answers first",
            "    to have it asked first, pass override=True",
        ]
        self.assertEqual(
            str(raised.exception).splitlines()[1:-1],
            [f"  {hidden[0]}", *reached, f"  {hidden[1]}", *reached, f"  {seen}"],
        )


class CallsOfAGroupTest(AskingTestCase):
    def setUp(self):
        self.api = self.mock.host(API)
        self.other = self.mock.host(API)

    async def test_before_there_are_any(self):
        self.api.get("/users")
        self.assertEqual((self.api.calls, self.api.called, self.api.call_count), ([], False, 0))

    async def test_those_that_its_own_mocks_answered_in_order(self):
        self.api.get("/b", repeat=True)
        self.api.get("/a", repeat=True)
        self.other.get("/c")
        self.mock.get(API + "/d")
        for path in "abcdab":
            await self.ask(url=f"{API}/{path}")
        self.assertEqual([call.url[-1] for call in self.api.calls], ["a", "b", "a", "b"])
        self.assertEqual((self.api.called, self.api.call_count), (True, 4))
        self.assertEqual([call.url[-1] for call in self.other.calls], ["c"])
        self.assertIs(self.api.calls[0], self.mock.calls[0])

    async def test_hops_of_one_call_in_order(self):
        self.api.get("/c")
        self.api.get("/b", status=302, headers={"Location": API + "/c"})
        self.api.get("/a", status=302, headers={"Location": API + "/b"})
        await self.ask(url=API + "/a")
        self.assertEqual([call.url[-1] for call in self.api.calls], ["a", "b", "c"])
        self.assertEqual((self.api.call_count, self.mock.call_count), (3, 1))

    async def test_mocks_that_were_used_up_removed_or_cleared_count(self):
        used_up, removed, cleared = (self.api.get(f"/{path}", repeat=repeat) for path, repeat in zip("abc", (1, 2, 3)))
        for path in "abc":
            await self.ask(url=f"{API}/{path}")
        removed.remove()
        self.assertEqual(self.api.call_count, 3)
        self.mock.clear()
        self.assertEqual([call.url[-1] for call in self.api.calls], ["a", "b", "c"])

    async def test_resetting_forgets_them(self):
        self.api.get("/a", repeat=True)
        await self.ask(url=API + "/a")
        self.mock.reset()
        self.assertEqual((self.api.calls, self.api.called), ([], False))
        await self.ask(url=API + "/a")
        self.assertEqual(self.api.call_count, 1)

    async def test_what_is_refused_is_not_among_its_mocks(self):
        for wrong in ({"status": 1}, {"repeat": 0}):
            with self.assertRaises(ValueError):
                self.api.get("/a", **wrong)
        self.assertEqual(self.api.calls, [])

    async def test_with_a_limit_of_calls_all_are_counted(self):
        with aioresponses(keep_calls=2) as mock:
            api = mock.host(API)
            api.get("/a", repeat=True)
            for _ in range(5):
                await self.ask(url=API + "/a")
            self.assertEqual((api.call_count, len(api.calls)), (5, 2))

    async def test_it_is_freed_without_the_garbage_collector(self):
        mock = aioresponses()
        with mock:
            api = mock.host(API)
            api.get("/a", callback=lambda call: None)
            api.get(re.compile("/b"))
            await self.ask(url=API + "/a")
            self.assertEqual(api.call_count, 1)
        freed = [weakref.ref(mock), weakref.ref(api.calls[0].match)]
        gc.disable()
        self.addCleanup(gc.enable)
        del mock, api
        self.assertEqual([ref() for ref in freed], [None, None])
