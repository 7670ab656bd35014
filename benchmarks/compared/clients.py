"""What is tested in each way: five small clients, which are right, or with CLIENT=wrong have a mistake each.

Each is given a session and the URL of its service.
"""

from __future__ import annotations

import asyncio
import os

from aiohttp import ClientSession, ClientTimeout

WRONG = os.environ.get("CLIENT") == "wrong"

TOKEN = {"Authorization": "Bearer t1"}


async def download(session: ClientSession, url: str) -> bytes:
    """Return a file; the service redirects to a mirror, which wants the token as well."""
    if WRONG:
        # aiohttp sends the token to no other host than the one that it was meant for.
        async with session.get(f"{url}/file", headers=TOKEN) as response:
            response.raise_for_status()
            return await response.read()
    async with session.get(f"{url}/file", headers=TOKEN, allow_redirects=False) as response:
        response.raise_for_status()
        if response.status != 302:
            return await response.read()
    async with session.get(response.headers["Location"], headers=TOKEN) as response:
        response.raise_for_status()
        return await response.read()


async def price(session: ClientSession, url: str) -> int | None:
    """Return a price, or None if the service takes too long."""
    # Without a limit of its own, a request has five minutes.
    options = {} if WRONG else {"timeout": ClientTimeout(total=0.2)}
    try:
        async with session.get(f"{url}/price", **options) as response:
            return (await response.json())["price"]
    except asyncio.TimeoutError:
        return None


class Shop:
    """Logs in before the first order."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self.session = session
        self.url = url
        self.token: str | None = None
        self.logging_in = asyncio.Lock()

    async def order(self, item: str) -> None:
        if WRONG:
            await self.log_in()
        else:
            async with self.logging_in:
                await self.log_in()
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.session.post(f"{self.url}/orders", json={"item": item}, headers=headers) as response:
            response.raise_for_status()

    async def log_in(self) -> None:
        if self.token is None:
            async with self.session.post(f"{self.url}/login") as response:
                self.token = (await response.json())["token"]


async def ticks(session: ClientSession, url: str) -> list[int]:
    """Return the numbers that come over a WebSocket, until the service closes it."""
    found = []
    async with session.ws_connect(f"{url}/ticks") as ws:
        if WRONG:
            # At the end comes a message that is no JSON: that the WebSocket is closed.
            while not ws.closed:
                found.append((await ws.receive_json())["tick"])
        else:
            async for message in ws:
                found.append(message.json()["tick"])
    return found


async def finished(session: ClientSession, url: str) -> bool:
    """Ask each second whether a job is done, for three seconds."""
    async def poll() -> bool:
        while True:
            async with session.get(f"{url}/job") as response:
                if (await response.json())["done"]:
                    return True
            await asyncio.sleep(1)

    if WRONG:
        return await poll()
    try:
        return await asyncio.wait_for(poll(), 3)
    except asyncio.TimeoutError:
        return False
