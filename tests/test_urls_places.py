"""Templates whose places have no regex: they fit what a regex would fit, in linear time."""

import random
import re
import unittest

import aiohttp
from aiohttp import web
from yarl import URL

from aioresponses import AioResponsesTestCase, aioresponses

from .servers import ServerTestCase

API = "https://api.example.com"

# The regex of a place in the routes of aiohttp's server, too.
PLACE = "[^{}/]+"


class PlacesTest(AioResponsesTestCase):
    assert_all_mocked = False  # What does not fit is looked at here.

    async def filled(self, template, path):
        """Return what the places of a template stand for in a path; None if it does not fit."""
        self.mock.clear()
        self.mock.get(API + template)
        url = URL(API + path, encoded=True)
        async with aiohttp.ClientSession(requote_redirect_url=False) as session:
            try:
                await session.get(url)
            except aiohttp.ClientConnectionError:
                return None
        return dict(self.mock.calls[-1].match_info)

    async def test_the_first_of_several_takes_as_much_as_it_can(self):
        for template, path, expected in [
            ("/{name}.{ending}", "/a.tar.gz", {"name": "a.tar", "ending": "gz"}),
            ("/{a}{b}", "/xyz", {"a": "xy", "b": "z"}),
            ("/{a}{b}", "/x", None),
            ("/{a}-{b}-{c}", "/1-2-3-4", {"a": "1-2", "b": "3", "c": "4"}),
            ("/{a}-{b}", "/1-", None),
            ("/{a}-{b}", "/-1", None),
            ("/{a}--{b}", "/1---2", {"a": "1-", "b": "2"}),
            ("/{a}x/x{b}", "/xx/xx", {"a": "x", "b": "x"}),
            ("/{a}/{b}x", "/1/2/3x", None),
            ("/v{a}", "/v", None),
        ]:
            with self.subTest(template, path=path):
                self.assertEqual(await self.filled(template, path), expected)

    async def test_long_paths_are_looked_through_once(self):
        # A regex tries every way to share the path among the places: this would not end.
        for template, path, expected in [
            ("/{a}{b}{c}{d}x", "/" + "y" * 20_000, None),
            ("/{a}{b}{c}{d}x", "/" + "y" * 20_000 + "x", {"a": "y" * 19_997, "b": "y", "c": "y", "d": "y"}),
            ("/{a}-{b}-{c}-{d}-{e}x", "/" + "-" * 20_000, None),
            ("/{a}y{b}y{c}y{d}x", "/" + "y" * 20_000, None),
            ("/{a}{b}{c}{d}/x", "/" + "y" * 20_000 + "/y", None),
        ]:
            with self.subTest(template):
                self.assertEqual(await self.filled(template, path), expected)


class LikeARegexTest(unittest.TestCase):
    def test_whatever_the_texts_between_them(self):
        chance = random.Random(12)
        fitting = 0
        with aioresponses() as mock:
            for _ in range(3000):
                names = "abcd"[:chance.randint(1, 4)]
                texts = ["".join(chance.choices("xxy-/", k=chance.randint(0, 3))) for _ in range(len(names))]
                template = "/" + "".join(f"{{{name}}}{text}" for name, text in zip(names, texts))
                pattern = "/" + "".join(f"(?P<{name}>{PLACE}){re.escape(text)}" for name, text in zip(names, texts))
                path = "/" + "".join(
                    "".join(chance.choices("xy-", k=chance.randint(0, 4))) + text for text in texts
                )
                expected = re.fullmatch(pattern, path)
                with self.subTest(template, path=path):
                    found = mock.get(API + template).url_or_pattern.filled(URL(API + path, encoded=True))
                    self.assertEqual(found, None if expected is None else expected.groupdict())
                fitting += expected is not None
        self.assertGreater(fitting, 500)


class LikeARouteTest(ServerTestCase):
    async def test_several_places_in_a_segment(self):
        for template in ("/{a}{b}", "/{a}.{b}", "/{a}.{b}.{c}", "/x{a}x{b}x", "/{a}/{b}{c}", "/{a}-/-{b}"):
            captured = []

            async def handle(request):
                captured.append(dict(request.match_info))
                return web.Response()

            server = await self.serve(web.get(template, handle))
            for path in ("/", "/x", "/xy", "/a.b", "/a.b.c", "/a..b", "/.a.b.", "/xxxxx", "/xaxbx", "/a/bc", "/a-/-b"):
                with self.subTest(template, path=path):
                    captured.clear()
                    async with aiohttp.ClientSession() as session:
                        async with session.get(server.join(URL(path))) as response:
                            expected = captured[0] if response.status == 200 else None
                        with aioresponses() as mock:
                            mock.get(str(server).rstrip("/") + template)
                            try:
                                await session.get(server.join(URL(path)))
                                found = dict(mock.calls[0].match_info)
                            except aiohttp.ClientConnectionError:
                                found = None
                    self.assertEqual(found, expected)
