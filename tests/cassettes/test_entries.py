import copy
import json
import unittest

from aioresponses._cassettes.entries import hidden_url, is_kept, without_secrets
from aioresponses._cassettes.secrets import HIDDEN, Secrets

from .captures import CHROME, FIREFOX, PROXY

SECRET = "S3CR3T"
SECRETS = Secrets()
# What the standard asks of an entry and of its parts; what begins with _ is an application's own.
WANTED = {
    "entry": ["cache", "request", "response", "startedDateTime", "time", "timings"],
    "request": [
        "bodySize", "cookies", "headers", "headersSize", "httpVersion", "method", "queryString", "url",
    ],
    "response": [
        "bodySize", "content", "cookies", "headers", "headersSize", "httpVersion", "redirectURL", "status",
        "statusText",
    ],
}


class EntriesTest(unittest.TestCase):
    maxDiff = None

    def test_entries_of_others_have_no_secrets_any_more_and_all_that_the_standard_asks_for(self):
        for capture in (CHROME, FIREFOX, PROXY):
            before = copy.deepcopy(capture)
            for entry in capture["log"]["entries"]:
                made = without_secrets(entry, SECRETS)
                self.assertNotIn(SECRET, json.dumps(made))
                self.assertEqual(without_secrets(made, SECRETS), made)
                for part, value in (("entry", made), ("request", made["request"]), ("response", made["response"])):
                    optional = {"postData", "comment"}
                    self.assertEqual(
                        sorted(name for name in value if name[0] != "_" and name not in optional), WANTED[part]
                    )
                self.assertLessEqual({"mimeType", "size"}, set(made["response"]["content"]))
            self.assertEqual(capture, before)

    def test_an_entry_of_chrome(self):
        made = without_secrets(CHROME["log"]["entries"][0], SECRETS)
        self.assertEqual(made["request"]["url"], f"https://api.example.com/users?page=1&access_token={HIDDEN}")
        self.assertEqual(
            made["request"]["queryString"],
            [{"name": "page", "value": "1"}, {"name": "access_token", "value": HIDDEN}],
        )
        self.assertEqual(
            made["request"]["headers"],
            [{"name": "accept", "value": "application/json"}, {"name": "cookie", "value": f"sid={HIDDEN}"}],
        )
        self.assertEqual(made["request"]["cookies"], [{"name": "sid", "value": HIDDEN}])
        self.assertEqual(
            [tuple(header.values()) for header in made["response"]["headers"]],
            [
                ("content-encoding", "gzip"),
                ("content-type", "application/json; charset=utf-8"),
                ("set-cookie", f"a={HIDDEN}; Path=/"),
                ("set-cookie", f"b={HIDDEN}; Path=/; HttpOnly"),
                ("x-empty", ""),
            ],
        )
        self.assertEqual(made["response"]["content"]["_json"], [{"name": "Åda"}])

    def test_forms_that_are_listed_alone(self):
        entry = copy.deepcopy(CHROME["log"]["entries"][1])
        del entry["request"]["postData"]["text"]
        self.assertEqual(
            without_secrets(entry, SECRETS)["request"]["postData"],
            {"mimeType": "application/x-www-form-urlencoded", "text": f"user=ada&password={HIDDEN}"},
        )

    def test_messages_of_a_websocket(self):
        made, refused = [without_secrets(entry, SECRETS) for entry in CHROME["log"]["entries"][-2:]]
        self.assertEqual(
            [message["data"] for message in made["_webSocketMessages"]],
            [f'{{"op": "auth", "token": "{HIDDEN}"}}', "ok", "AP9h"],
        )
        self.assertNotIn("Sec-WebSocket-Key", [header["name"] for header in made["request"]["headers"]])
        self.assertNotIn("_webSocketMessages", refused)

    def test_urls_of_requests(self):
        for url, shown in (
            ("https://u:p@a.example/x", "https://a.example/x"),
            (
                "https://a.example/token=1;token=2/x?b=%20c&token=d&b=+",
                f"https://a.example/token=1;token=2/x?b=%20c&token={HIDDEN}&b=+",
            ),
            ("https://a.example/?code=1&key=2&a", f"https://a.example/?code={HIDDEN}&key={HIDDEN}&a"),
            (
                "https://a.example/?q={%22token%22:%22x%22}",
                f"https://a.example/?q=%7B%22token%22%3A%22{HIDDEN}%22%7D",
            ),
            ("data:,x", "data:,x"),
        ):
            self.assertEqual(hidden_url(url, SECRETS), shown)

    def test_headers_of_the_transfer_are_left_out(self):
        for name in ("Date", "Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", ":status", "Upgrade"):
            self.assertFalse(is_kept(name, "GET", 200), name)
        self.assertTrue(is_kept("Content-Length", "HEAD", 200))
        self.assertTrue(is_kept("Content-Length", "GET", 304))
        self.assertTrue(is_kept("Content-Encoding", "GET", 200))
