import re
import sys
import types
import unittest
from unittest.mock import patch

import aiohttp
from aiohttp import web
from aiohttp.http_parser import HttpResponseParser, HttpResponseParserPy
from aiohttp.test_utils import TestServer

from aioresponses import aioresponses, compat, core

from .support import SITE


class CompatTest(unittest.TestCase):
    def test_names_stand_where_suites_import_them_from(self):
        from aioresponses.compat import URL, merge_params, normalize_url
        from aioresponses.core import CallbackResult, RequestCall, RequestMatch, aioresponses as mock_class

        self.assertEqual(str(normalize_url(merge_params("http://x/?b=1", {"a": 2}))), str(URL("http://x/?a=2&b=1")))
        self.assertEqual(RequestCall((), {"json": 1}), ((), {"json": 1}))
        self.assertIsInstance(mock_class().get("http://x/"), RequestMatch)
        self.assertEqual(CallbackResult().status, 200)

    def test_the_names_of_compat_are_those_of_0_7(self):
        self.assertEqual(
            compat.__all__, ["Pattern", "URL", "merge_params", "normalize_url", "stream_reader_factory"]
        )
        self.assertIs(compat.Pattern, re.Pattern)
        self.assertIsInstance(re.compile("a"), compat.Pattern)

    def test_core_has_the_names_of_compat_as_well(self):
        for name in compat.__all__:
            with self.subTest(name):
                self.assertIs(getattr(core, name), getattr(compat, name))

    def test_the_release_of_aiohttp_is_a_version_where_packaging_is_installed(self):
        packaging = types.ModuleType("packaging.version")
        packaging.Version = lambda text: ("version", text)
        with patch.dict(sys.modules, {"packaging": types.ModuleType("packaging"), "packaging.version": packaging}):
            from aioresponses.compat import AIOHTTP_VERSION as of_compat
            from aioresponses.core import AIOHTTP_VERSION as of_core
        self.assertEqual((of_compat, of_core), (("version", aiohttp.__version__),) * 2)

    def test_other_names_are_missing_as_in_any_module(self):
        for module in (compat, core):
            with self.assertRaises(AttributeError) as raised:
                module.nothing
            self.assertEqual(str(raised.exception), f"module '{module.__name__}' has no attribute 'nothing'")
            self.assertFalse(hasattr(module, "__path__"))


class HeaderNamesTest(unittest.IsolatedAsyncioTestCase):
    async def test_header_names_arrive_as_from_a_real_server(self):
        headers = [("ETag", '"1"'), ("x-custom", "1"), ("SET-COOKIE", "a=1"), ("Www-authenticate", "Basic")]

        async def handler(request):
            return web.Response(headers=headers)

        app = web.Application()
        app.router.add_get("/", handler)
        async with TestServer(app) as server, aiohttp.ClientSession() as session:
            seen = []
            with aioresponses(passthrough=["http://127.0.0.1"]) as mock:
                mock.get(SITE, headers=headers)
                for url in (server.make_url("/"), SITE):
                    async with session.get(url) as response:
                        given = {name.lower() for name, _ in headers}
                        seen.append([name for name in response.headers if name.lower() in given])
                        self.assertEqual(response.headers["ETag"], '"1"')
        self.assertEqual(seen[1], seen[0])
        if HttpResponseParser is not HttpResponseParserPy:
            self.assertEqual(seen[1][:2], ["Etag", "x-custom"])
