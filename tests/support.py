"""What several test modules share: a real server beside the mock."""

from __future__ import annotations

import unittest

from aiohttp import web
from aiohttp.test_utils import TestServer


class RealServerTestCase(unittest.IsolatedAsyncioTestCase):
    """A test case that can start real servers on loopback, which are closed when the test ends."""

    async def serve(self, *routes: web.AbstractRouteDef) -> TestServer:
        application = web.Application()
        application.add_routes(routes)
        server = TestServer(application)
        await server.start_server()
        self.addAsyncCleanup(server.close)
        return server
