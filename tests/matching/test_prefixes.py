"""What `passthrough` covers: prefixes of URLs, templates and patterns."""

import re
import unittest
from unittest.mock import ANY

from aiohttp import ClientConnectionError, ClientSession, TCPConnector
from yarl import URL

from aioresponses import aioresponses

from ..support import SITE


class PrefixTest(unittest.IsolatedAsyncioTestCase):
    async def passes(self, prefix, url):
        """Tell whether a request goes to the network: then it reaches the connector of its session."""
        class Reached(Exception):
            pass

        class Unconnected(TCPConnector):
            async def connect(self, req, traces, timeout):
                raise Reached

        with aioresponses(passthrough=[prefix]):
            async with ClientSession(connector=Unconnected()) as session:
                try:
                    await session.get(url)
                except Reached:
                    return True
                except ClientConnectionError as error:
                    self.assertTrue(str(error).startswith("Connection refused: GET "), error)
                    return False

    async def test_a_prefix_is_compared_by_parts_and_not_as_text(self):
        for prefix, url, expected in [
            ("http://127.0.0.1", "http://127.0.0.1/", True),
            ("http://127.0.0.1", "http://127.0.0.1:8080/a?b=c", True),
            ("http://127.0.0.1", "http://127.0.0.1.evil.example/", False),
            ("http://127.0.0.1", "http://127.0.0.1@evil.example/", False),
            ("http://127.0.0.1", "https://127.0.0.1/", False),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/", True),
            ("http://127.0.0.1:808", "http://127.0.0.1:8080/", False),
            ("http://127.0.0.1:80", "http://127.0.0.1/", True),
            ("http://127.0.0.1:80", "http://127.0.0.1:81/", False),
            ("http://[::1]", "http://[::1]:9/", True),
            ("ws://", "ws://anywhere.example/", True),
            ("ws://", "wss://anywhere.example/", False),
            ("http://example.com", "ws://example.com/a", True),
            ("http://example.com", "wss://example.com/a", False),
            ("https://example.com", "wss://example.com/a", True),
            ("https://example.com", "ws://example.com/a", False),
            ("http://", "ws://anywhere.example/", True),
            ("http://example.com:80", "ws://example.com/", True),
            ("ws://example.com", "http://example.com/", False),
            ("wss://example.com", "https://example.com/", False),
            (URL("https://example.com/a"), "wss://example.com/a/b", True),
            ("HTTP://example.com", "ws://example.com/", True),
            ("http://EXAMPLE.com", "http://example.com/", True),
            ("http://bücher.example", "http://xn--bcher-kva.example/", True),
            ("http://example.com/api", "http://example.com/api", True),
            ("http://example.com/api", "http://example.com/api/users", True),
            ("http://example.com/api/", "http://example.com/api/users", True),
            ("http://example.com/api", "http://example.com/apis", False),
            (URL("http://example.com/"), "http://example.com/anything", True),
        ]:
            with self.subTest(prefix=prefix, url=url):
                self.assertIs(await self.passes(prefix, url), expected)

    async def test_a_template_covers_what_it_fits_and_all_below_it(self):
        for prefix, url, expected in [
            ("https://*.internal.example", "https://a.internal.example/", True),
            ("https://*.internal.example", "https://a.b.internal.example:8080/users?a=b", True),
            ("https://*.internal.example/", "https://a.internal.example/users", True),
            ("https://*.internal.example", "wss://a.internal.example/socket", True),
            ("https://*.internal.example", "https://internal.example/", False),
            ("https://*.internal.example", "https://ainternal.example/", False),
            ("https://*.internal.example", "https://a.internal.example.evil.example/", False),
            ("https://*.internal.example", "http://a.internal.example/", False),
            ("https://*.internal.example:8080", "https://a.internal.example:8080/", True),
            ("https://*.internal.example:8080", "https://a.internal.example/", False),
            ("https://*.bücher.example", "https://a.xn--bcher-kva.example/", True),
            ("https://*.internal.example/api", "https://a.internal.example/api/users", True),
            ("https://*.internal.example/api", "https://a.internal.example/apis", False),
            ("https://*.internal.example/api/", "https://a.internal.example/api", True),
            ("http://example.com/{tenant}/api", "http://example.com/north/api/users/7?page=2", True),
            ("http://example.com/{tenant}/api/", "http://example.com/north/api", True),
            ("http://example.com/{tenant}/api", "http://example.com/north/apis", False),
            ("http://example.com/{tenant}/api", "http://example.com/api", False),
            ("http://example.com/{id:\\d+}", "http://example.com/7/files", True),
            ("http://example.com/{id:\\d+}", "http://example.com/ada/7", False),
            ("http://example.com/{path:.+}/files", "http://example.com/a/b/files/c", True),
            (URL("http://example.com/{a}"), "http://example.com/b", False),
            (URL("http://example.com/{a}"), "http://example.com/{a}/b", True),
        ]:
            with self.subTest(prefix=prefix, url=url):
                self.assertIs(await self.passes(prefix, url), expected)

    async def test_a_pattern_is_matched_from_the_start_of_the_whole_url(self):
        for pattern, url, expected in [
            (r"https?://api\.example\.com/", "https://api.example.com/users", True),
            (r"https?://api\.example\.com/", "wss://api.example.com/socket", True),
            (r"wss://api\.example\.com/", "wss://api.example.com/socket", True),
            (r"wss://api\.example\.com/", "https://api.example.com/", False),
            (r"http://api", "wss://api.example.com/", False),
            (r"api\.example\.com", "http://api.example.com/", False),
            (r".*\?a=1&b=2$", "http://example.com/?b=2&a=1#top", True),
            (r"http://example.com/$", "http://example.com:80/", True),
            (r"(?i)HTTP://EXAMPLE", "http://example.com/", True),
            (r"http://example", URL("http://me:secret@example.com/"), True),
        ]:
            with self.subTest(pattern=pattern, url=url):
                self.assertIs(await self.passes(re.compile(pattern), url), expected)

    def test_one_that_is_no_list_is_taken_for_the_only_one(self):
        for prefix in ("http://*.example.com", URL(SITE), re.compile("http")):
            self.assertEqual(aioresponses(passthrough=prefix)._passthrough, [prefix])

    def test_what_is_no_prefix_is_refused(self):
        for prefix, error, message in [
            (re.compile(b"http"), TypeError, "passthrough: expected a pattern of text, got one of bytes: "
             "re.compile(b'http')"),
            (ANY, TypeError, "passthrough: expected URL prefixes such as 'http://127.0.0.1', got <ANY>"),
            ("http://10.0.*", ValueError, "passthrough: expected a URL prefix, got 'http://10.0.*': the host of "
             "a template may have a leading *. and no other placeholder; for any host, pass a compiled pattern"),
            ("http://*/", ValueError, "passthrough: expected a URL prefix, got 'http://*/': the host of "
             "a template may have a leading *. and no other placeholder; for any host, pass a compiled pattern"),
            ("http://example.com/{}", ValueError, "passthrough: expected a URL prefix, got 'http://example.com/{}': "
             "'/{}' is neither {name} nor {name:regex}; for a pattern, pass re.compile(…), for literal braces a "
             "yarl.URL"),
            (5, TypeError, "passthrough: expected URL prefixes such as 'http://127.0.0.1', got 5"),
            (
                "http",
                ValueError,
                "passthrough: expected a prefix with a scheme such as 'http://127.0.0.1', got 'http'",
            ),
        ]:
            with self.subTest(prefix=prefix):
                with self.assertRaises(error) as raised:
                    aioresponses(passthrough=[prefix])
                self.assertEqual(str(raised.exception), message)
