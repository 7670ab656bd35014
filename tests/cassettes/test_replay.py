import copy
import json
import re
import tempfile
import unittest
from pathlib import Path

from aiohttp import ClientSession, WSServerHandshakeError
from yarl import URL

from aioresponses import AioResponsesTestCase, VirtualClock, aioresponses
from aioresponses._cassettes.replay import registration, selected

from .captures import CHROME, FIREFOX, PROXY


def entry(url="https://api.example.com/", status=200, **response):
    return {"request": {"method": "GET", "url": url}, "response": {"status": status, **response}}


class CapturesTest(AioResponsesTestCase):
    """What browsers and proxies write is loaded."""

    strict = True

    def load(self, document, **options):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "capture.har"
            path.write_text(json.dumps(document), "utf-8")
            return self.mock.load_har(path, **options)

    async def test_one_of_chrome(self):
        handles = self.load(CHROME)
        self.assertEqual(
            [(one.method, str(one.url_or_pattern)) for one in handles],
            [
                ("get", "https://api.example.com/users?access_token=S3CR3T&page=1"),
                ("post", "https://api.example.com/login"),
                ("get", "https://api.example.com/a%7Bb%7D?code=S3CR3T"),
                ("get", "wss://api.example.com/live"),
            ],
        )
        session = self.client_session()
        async with session.get("https://api.example.com/users?page=1&access_token=S3CR3T") as response:
            self.assertEqual(await response.json(), [{"name": "Åda"}])
            self.assertEqual(response.reason, "OK")
            cookies = {name: cookie.value for name, cookie in response.cookies.items()}
            self.assertEqual(cookies, {"a": "S3CR3T", "b": "S3CR3T"})
            self.assertEqual(response.headers["Content-Encoding"], "gzip")
            self.assertNotIn(":status", response.headers)
        async with session.post("https://api.example.com/login", data={"user": "ada"}) as response:
            self.assertEqual(([one.status for one in response.history], response.status), ([302], 200))
            self.assertEqual((await response.read(), response.content_type), (b"\0\xffa", "image/png"))
        async with session.ws_connect("wss://api.example.com/live", protocols=("v1", "v2"), compress=15) as ws:
            await ws.send_json({"token": "S3CR3T", "op": "auth"})
            seen = [(await ws.receive()).data for _ in range(3)]
            self.assertEqual((seen, ws.close_code), (["ok", b"\0\xffa", None], 1006))
            self.assertEqual((ws.protocol, ws.compress), ("v2", 15))

    async def test_one_of_firefox(self):
        self.assertEqual(len(self.load(FIREFOX)), 1)
        async with self.client_session().post("https://api.example.com/users", json={}) as response:
            self.assertEqual((response.status, response.reason, await response.json()), (201, "Created", {"id": 7}))
            self.assertEqual(list(response.cookies), ["a", "b"])

    async def test_one_of_a_proxy(self):
        self.assertEqual(len(self.load(PROXY)), 1)
        async with self.client_session().get("http://api.example.com:8080/image") as response:
            self.assertEqual(await response.read(), b"\x89PNG")
            self.assertEqual(dict(response.headers), {"Content-Type": "image/png", "Content-Length": "4"})

    async def test_timing_is_replayed_if_asked_for(self):
        [handle] = self.load(PROXY, timings=True)
        self.assertEqual(handle._given["delay"], 0.01)
        async with self.client_session().get("http://api.example.com:8080/image") as response:
            self.assertEqual(await response.read(), b"\x89PNG")

    async def test_the_pauses_of_a_websocket_as_well(self):
        with VirtualClock() as clock:
            self.load(CHROME, timings=True, url="wss://api.example.com/live")
            async with self.client_session().ws_connect("wss://api.example.com/live") as ws:
                await ws.send_json({"token": "S3CR3T", "op": "auth"})
                async for _ in ws:
                    pass
            self.assertAlmostEqual(clock.elapsed, 0.3, places=3)

    async def test_entries_that_are_optional(self):
        self.assertEqual([one.optional for one in self.load(CHROME, optional=True)], [True] * 4)

    def test_which_entries(self):
        for url, count in (
            ("https://api.example.com/{path:.*}", 4),
            ("https://api.example.com/{path}", 3),
            ("wss://api.example.com/{path}", 1),
            ("https://api.example.com/live", 1),
            ("https://*.example.com/users", 1),
            ("https://api.example.com/users", 1),
            ("https://api.example.com/users?page=1", 0),
            (URL("https://api.example.com/users?page=1&access_token=S3CR3T"), 1),
            (URL("https://api.example.com/a{b}"), 1),
            (re.compile(r".*\?"), 2),
            (re.compile("https://api"), 4),
            (re.compile("wss://api"), 1),
            (re.compile("api"), 0),
            ("http://api.example.com/{path:.*}", 0),
            ("ws://api.example.com/{path:.*}", 0),
        ):
            with self.subTest(url):
                self.assertEqual(len(selected(CHROME["log"]["entries"], url)), count)
        for wrong, kind in ((7, TypeError), ("https://{host}/", ValueError), (re.compile(b""), TypeError)):
            with self.assertRaises(kind):
                self.load(CHROME, url=wrong)

    def test_a_capture_is_not_changed(self):
        before = copy.deepcopy(CHROME)
        for one in selected(CHROME["log"]["entries"], None):
            registration(one, ["body", "headers"], True)
        self.assertEqual(CHROME, before)

    def test_wrong_arguments_and_files(self):
        with self.assertRaisesRegex(TypeError, "^optional: expected a bool, got 1$"):
            self.load(CHROME, optional=1)
        with self.assertRaisesRegex(TypeError, "^timings: expected a bool, got None$"):
            self.load(CHROME, timings=None)
        with self.assertRaisesRegex(ValueError, "^no-such.har: expected a HAR file, but it cannot be read: No such"):
            self.mock.load_har("no-such.har")


class RegistrationTest(unittest.IsolatedAsyncioTestCase):
    def test_only_what_went_to_a_server_and_was_answered(self):
        entries = [
            entry(url, status)
            for url in (
                "https://a.example/", "HTTP://a.example/", "data:,x", "blob:x", "file:///a", "about:blank",
                "ws://a.example/",
            )
            for status in (200, 999, 0, 101, 1000)
        ]
        self.assertEqual(len(selected(entries, None)), 6)

    async def test_a_websocket_that_was_refused(self):
        url = "wss://a.example/ws"
        found = registration(entry(url, 403, statusText="Forbidden", httpVersion="HTTP/1.1"))
        self.assertEqual((found["url"], found["status"], found["reason"]), (URL(url), 403, "Forbidden"))
        for spelling in (url, "https://a.example/ws"):
            with aioresponses() as mock:
                mock.add(**found)
                async with ClientSession() as session:
                    with self.assertRaises(WSServerHandshakeError) as raised:
                        await session.ws_connect(spelling)
            self.assertEqual(raised.exception.status, 403)

    def test_credentials_in_a_url_play_no_part(self):
        self.assertEqual(registration(entry("https://u:p@a.example/x"))["url"], URL("https://a.example/x"))

    def test_reasons(self):
        for version, text, reason in (
            ("HTTP/1.1", "", ""), ("h2", "", None), ("", "", None), ("HTTP/1.1", "Fine", "Fine"),
            ("h3", "a\r\nb", "ab"),
        ):
            found = registration(entry(statusText=text, httpVersion=version))["reason"]
            self.assertEqual(found, reason)

    def test_headers_that_cannot_be_sent(self):
        headers = [{"name": "A", "value": "x\udcff\0y\rz"}, {"name": "B", "value": "1\n2"}]
        sent = registration(entry(headers=headers))["headers"]
        self.assertEqual(list(sent.items()), [("A", "x?yz"), ("B", "1"), ("B", "2")])

    def test_lengths_are_kept_where_they_are_all_that_there_is(self):
        headers = [{"name": "Content-Length", "value": "7"}]
        for method, status, kept in (("HEAD", 200, ["7"]), ("GET", 304, ["7"]), ("GET", 200, [])):
            one = entry(headers=headers, status=status)
            one["request"]["method"] = method
            self.assertEqual(registration(one)["headers"].getall("content-length", []), kept)

    def test_timings(self):
        for timings, delay, is_later in (
            ({"blocked": 1, "dns": 2, "connect": 3, "ssl": 3, "send": 4, "wait": 5, "receive": 0}, 0.015, False),
            ({"blocked": -1, "wait": 5, "receive": -1}, 0.005, False),
            ({"receive": 10}, 0, True),
            ({"wait": None, "receive": "x"}, 0, False),
            (None, 0, False),
        ):
            found = registration({**entry(), "timings": timings}, timings=True)
            self.assertEqual((found["delay"], callable(found["body"])), (delay, is_later))
            self.assertNotIn("delay", registration({**entry(), "timings": timings}))
