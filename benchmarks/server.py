"""The real server: prints its port, answers the requests of the measures, and ends when its stdin does."""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web
from aiohttp.test_utils import TestServer
from contestants import Exchange


async def main() -> None:
    bodies = {"/small": Exchange().body, "/large": Exchange(large=True).body}

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=bodies[request.path], content_type="application/json")

    app = web.Application(client_max_size=0)
    app.router.add_route("*", "/{name}", answer)
    server = TestServer(app)
    await server.start_server(access_log=None)
    print(server.port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
