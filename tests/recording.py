"""What tests of recordings share: a test case with a server on loopback whose answers are recorded."""

import json
import os
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from yarl import URL

from aioresponses import aioresponses

SECRET = "S3CR3T"


class RecordingTestCase(unittest.IsolatedAsyncioTestCase):
    """A test case with a server on loopback, a folder for cassettes, and an environment that says nothing of modes."""

    maxDiff = None

    async def asyncSetUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "cassettes" / "test.har"
        environment = {name: value for name, value in os.environ.items() if name not in ("CI", "AIORESPONSES_RECORD")}
        patched = patch.dict(os.environ, environment, clear=True)
        patched.start()
        self.addCleanup(patched.stop)
        self.hits = 0
        self.server = await self.serve(web.route("*", "/{path:.*}", self.answer))
        self.url = self.server.make_url("/")

    async def serve(self, *routes):
        application = web.Application()
        application.add_routes(routes)
        server = TestServer(application)
        await server.start_server()
        self.addAsyncCleanup(server.close)
        return server

    async def answer(self, request):
        self.hits += 1
        body = await request.text()
        return web.json_response({"path": request.path_qs, "hit": self.hits, "body": body})

    async def ask(self, path="", method="GET", **options):
        async with ClientSession() as session:
            async with session.request(method, self.url.join(URL(path)), **options) as response:
                return (await response.read()).decode()

    async def record(self, *paths, mock_options={}, **options):
        """Return what requests come to within a cassette."""
        with aioresponses(**mock_options) as mock, mock.cassette(self.path, **options):
            return [await self.ask(path) for path in paths]

    def entries(self):
        return json.loads(self.path.read_text("utf-8"))["log"]["entries"]

    def paths(self):
        return [URL(entry["request"]["url"]).path_qs for entry in self.entries()]
