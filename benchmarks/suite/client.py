"""A client of a service that keeps things of several kinds, as an application would have it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aiohttp import ClientResponse, ClientSession


class Invalid(Exception):
    """What the service says is wrong with a thing, by the names of its fields."""


class Client:
    """Made within a running loop; call `close` when it is no longer needed."""

    def __init__(self, base: str, token: str, attempts: int = 3) -> None:
        self._session = ClientSession()
        self._base = base
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._attempts = attempts

    async def close(self) -> None:
        await self._session.close()

    async def one(self, kind: str, number: int) -> Any:
        """Return a thing, or None if there is none of this number."""
        response = await self._ask("GET", f"{kind}/{number}")
        return None if response.status == 404 else await response.json()

    async def several(self, kind: str, numbers: Sequence[int]) -> list[Any]:
        """Return several things, asked for at once."""
        return await asyncio.gather(*[self.one(kind, number) for number in numbers])

    async def all(self, kind: str, **filters: str) -> list[Any]:
        """Return all things of a kind, page by page."""
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        path: str | None = f"{kind}?{query}" if query else kind
        found: list[Any] = []
        while path:
            page = await (await self._ask("GET", path)).json()
            found += page["items"]
            path = page.get("next")
        return found

    async def create(self, kind: str, fields: dict[str, Any]) -> int:
        """Create a thing, and return its number; raise `Invalid` if the service does not take it."""
        response = await self._ask("POST", kind, fields)
        if response.status == 422:
            raise Invalid(await response.json())
        return int(response.headers["Location"].rpartition("/")[2])

    async def update(self, kind: str, number: int, fields: dict[str, Any]) -> Any:
        """Change a thing, and return it as it is then."""
        return await (await self._ask("PUT", f"{kind}/{number}", fields)).json()

    async def delete(self, kind: str, number: int) -> bool:
        """Delete a thing; return whether it was there."""
        return (await self._ask("DELETE", f"{kind}/{number}")).status != 404

    async def _ask(self, method: str, path: str, fields: Any = None) -> ClientResponse:
        """Return what the service answers; if it is not available, ask again, but nothing that changes anything."""
        attempts = self._attempts if method == "GET" else 1
        for attempt in range(attempts):
            response = await self._session.request(
                method, f"{self._base}/{path}", json=fields, headers=self._headers
            )
            await response.read()
            if response.status != 503 or attempt == attempts - 1:
                break
        if response.status not in (404, 422):
            response.raise_for_status()
        return response
