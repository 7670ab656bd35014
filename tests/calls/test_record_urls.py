"""The URL of a call, and of its hops: as it was sent."""

import asyncio
import re

from aiohttp import ClientSession, TCPConnector
from aiohttp.abc import AbstractResolver
from yarl import URL

from aioresponses import aioresponses
from aioresponses.core import merge_params

from ..servers import OK, ServerTestCase
from ..support import SITE, USERS, AskingTestCase

QUERIES = (
    "", "?", "?x", "?x&y=1", "?a=1;b=2", "?a=%E9", "?a=%2B+", "?&", "?a=b=c", "?a=1&&b=2", "?=x", "?a=%3B",
    "?b=2&a='1'",
)
PARAMS = (
    None, {}, "", "z", "z=1;y", "z=%E9", {"z": 1}, [("z", "%E9")], {"z": "a;b"}, {"z": "a b+c"}, {"z": "\u00fc"},
    {"a": "9"},
)


class AsSentTest(ServerTestCase):
    async def serve_targets(self):
        """Start a server that notes what stands in the request lines, byte for byte; return its URL."""
        self.targets = []

        async def serve(reader, writer):
            head = await reader.readuntil(b"\r\n\r\n")
            self.targets.append(head.split(b" ")[1].decode())
            writer.write(OK)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.addCleanup(server.close)
        return URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")

    async def test_with_any_query_and_params(self):
        site = await self.serve_targets()
        async with ClientSession() as session:
            for query in QUERIES:
                for params in PARAMS:
                    for encoded in (False, True):
                        url = URL(f"{site}{query}", encoded=encoded)
                        with self.subTest(url=url, params=params):
                            await session.get(url, params=params)
                            with aioresponses() as mock:
                                mock.get(re.compile(""))
                                await session.get(url, params=params)
                            [call] = mock.calls
                            sent = str(site.origin()) + self.targets.pop()
                            self.assertEqual((call.url, call.hops[0].url, call.query), (sent, sent, URL(sent).query))

    async def test_where_it_redirects_to(self):
        with aioresponses() as mock:
            for location in ("/a?x", "/b?a=1;b=%E9"):
                mock.get(re.compile(""), status=302, headers={"Location": location})
            mock.get(re.compile(""))
            async with ClientSession(requote_redirect_url=False) as session:
                await session.get(f"{SITE}?x")
        self.assertEqual(
            [hop.url for hop in mock.calls[0].hops], [f"{SITE}?x", f"{SITE}a?x", f"{SITE}b?a=1;b=%E9"]
        )


class CredentialsTest(AskingTestCase):
    async def test_a_mock_with_credentials_answers_whatever_params_are_given(self):
        for query, params in (("", {"a": 1}), ("", "a=1"), ("?a", "b"), ("?a=1", "b=;"), ("?a=%E9", {"b": "1"})):
            url = URL(USERS + query).with_user("me").with_password("secret")
            whole = str(merge_params(url, params))
            self.mock.get(whole, body="with")
            self.assertEqual(await self.ask(url=url, params=params), (200, "with"))
            self.assertEqual((await self.ask(url=USERS + query, params=params))[0].__name__, "ClientConnectionError")
            self.assertEqual(URL(self.mock.calls[-2].url).user, "me")


class Everywhere(AbstractResolver):
    """Finds every host on loopback, at one port."""

    def __init__(self, port):
        self.port = port

    async def resolve(self, host, port=0, family=0):
        return [{"hostname": host, "host": "127.0.0.1", "port": self.port, "family": 2, "proto": 0, "flags": 0}]

    async def close(self):
        pass


class NoAsciiTest(ServerTestCase):
    async def redirected(self, location, requote):
        async def answers(writer, before):
            writer.write(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location.encode() + b"\r\n\r\n")
            return True

        async def answers_twice(writer, before):
            await (sends_ok if before else answers)(writer, before)

        async def sends_ok(writer, before):
            writer.write(OK)

        site = await self.serve_raw(answers_twice)

        async def scenario():
            connector = TCPConnector(resolver=Everywhere(site.port))
            async with ClientSession(connector=connector, requote_redirect_url=requote) as session:
                async with session.get(SITE) as response:
                    return response.status, str(response.url), await response.read()

        real = await scenario()
        with aioresponses() as mock:
            mock.get(SITE, status=302, headers={"Location": location})
            mock.get(re.compile("."), body="ok")
            self.assertEqual(await scenario(), real)
        return mock.calls[0]

    async def test_a_redirect_is_recorded(self):
        for location in ("http://b\u00fccher.example/", "http://b\u00fccher.example/\u00fc?q=\u00fc"):
            for requote in (True, False):
                with self.subTest(location, requote=requote):
                    call = await self.redirected(location, requote)
                    host, url = call.hops[1].headers["Host"], URL(location, encoded=not requote)
                    self.assertEqual((host, call.hops[1].url, call.url), (url.raw_host, str(url), SITE))
                    self.assertEqual(str(call), f"GET {SITE} -> 302, GET {url} -> 200")
                    self.assertEqual((call.exception, call.hops[1].key), (None, ("GET", url)))

    async def test_a_mock_of_the_same_url_answers(self):
        for requote in (True, False):
            with self.subTest(requote=requote), aioresponses() as mock:
                mock.get(SITE, status=302, headers={"Location": "http://b\u00fccher.example/\u00fc"})
                mock.get("http://b\u00fccher.example/\u00fc", body="there")
                async with ClientSession(requote_redirect_url=requote) as session:
                    async with session.get(SITE) as response:
                        self.assertEqual(await response.text(), "there")
