"""The real server: prints its port, answers the requests of the measures, and ends when its stdin does."""

from __future__ import annotations

import asyncio
import sys

from aiohttp.test_utils import TestServer
from contestants import answering_application


async def main() -> None:
    server = TestServer(answering_application())
    await server.start_server(access_log=None)
    print(server.port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
