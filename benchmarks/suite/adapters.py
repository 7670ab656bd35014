"""How each tool registers a reply and gives the requests that were sent: as thin as it can be."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from unittest import IsolatedAsyncioTestCase

BASE = "http://api.example.com"


class Sent(NamedTuple):
    """A request: the value of its Authorization header, and its JSON body."""

    token: str | None
    document: Any


def with_this_package() -> type[IsolatedAsyncioTestCase]:
    from aioresponses import AioResponsesTestCase

    class Case(AioResponsesTestCase):
        base = BASE

        def reply(self, method: str, path: str, status: int = 200, payload: Any = None, **headers: str) -> None:
            self.mock.add(f"{BASE}/{path}", method, status=status, payload=payload, headers=headers)

        def sent(self, method: str, path: str) -> list[Sent]:
            calls = self.mock.calls_of(f"{BASE}/{path}", method)
            return [Sent(call.headers.get("Authorization"), call.json() if call.body else None) for call in calls]

    return Case


def with_published() -> type[IsolatedAsyncioTestCase]:
    from aioresponses import aioresponses
    from yarl import URL

    class Case(IsolatedAsyncioTestCase):
        base = BASE

        def setUp(self) -> None:
            self.mock = aioresponses()
            self.mock.start()
            self.addCleanup(self.mock.stop)

        def reply(self, method: str, path: str, status: int = 200, payload: Any = None, **headers: str) -> None:
            self.mock.add(f"{BASE}/{path}", method, status=status, payload=payload, headers=headers)

        def sent(self, method: str, path: str) -> list[Sent]:
            calls = self.mock.requests.get((method, URL(f"{BASE}/{path}")), [])
            return [Sent(call.kwargs["headers"].get("Authorization"), call.kwargs["json"]) for call in calls]

    return Case


def with_aiointercept() -> type[IsolatedAsyncioTestCase]:
    from aiointercept import aiointercept
    from yarl import URL

    class Case(IsolatedAsyncioTestCase):
        base = BASE

        async def asyncSetUp(self) -> None:
            self.mock = aiointercept(mock_external_urls=True)
            await self.mock.start()
            self.addAsyncCleanup(self.mock.stop)

        def reply(self, method: str, path: str, status: int = 200, payload: Any = None, **headers: str) -> None:
            self.mock.add(f"{BASE}/{path}", method, status=status, payload=payload, headers=headers)

        def sent(self, method: str, path: str) -> list[Sent]:
            requests = self.mock.requests.get((method, URL(f"{BASE}/{path}")), [])
            return [Sent(request.headers.get("Authorization"), request.kwargs["json"]) for request in requests]

    return Case


def with_server() -> type[IsolatedAsyncioTestCase]:
    from aiohttp import web
    from aiohttp.test_utils import TestServer

    class Case(IsolatedAsyncioTestCase):
        async def asyncSetUp(self) -> None:
            self.replies: dict[tuple[str, str], list[web.Response]] = {}
            self.requests: dict[tuple[str, str], list[Sent]] = {}
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", self.answer)
            server = TestServer(app)
            await server.start_server(access_log=None)
            self.addAsyncCleanup(server.close)
            self.base = str(server.make_url("")).rstrip("/")

        async def answer(self, request: web.Request) -> web.Response:
            key = request.method, request.path_qs.lstrip("/")
            document = json.loads(await request.read() or "null")
            self.requests.setdefault(key, []).append(Sent(request.headers.get("Authorization"), document))
            return self.replies[key].pop(0)

        def reply(self, method: str, path: str, status: int = 200, payload: Any = None, **headers: str) -> None:
            text = None if payload is None else json.dumps(payload)
            response = web.Response(status=status, text=text, content_type="application/json", headers=headers)
            self.replies.setdefault((method, path), []).append(response)

        def sent(self, method: str, path: str) -> list[Sent]:
            return self.requests.get((method, path), [])

    return Case


# By the name of the contestant's class.
CASES = {
    "ThisPackage": with_this_package,
    "Published": with_published,
    "Aiointercept": with_aiointercept,
    "Loopback": with_server,
}
