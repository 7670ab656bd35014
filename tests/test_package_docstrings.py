"""The examples in docstrings, which the reference shows, can be run, and have the results that they show.

The examples of each docstring run in a test of their own, with the names that `world` returns. The calls that an
assertion is about may be missing; its arguments have to be right.
"""

import ast
import asyncio
import contextlib
import doctest
import inspect
import io
import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import ANY, call

from aiohttp import ClientSession, FormData, web

import aioresponses as package
from aioresponses import AioResponsesTestCase, VirtualClock, aioresponses, cassettes, matchers, websockets

# They need the network, files, or packages that tests do not have.
ONLY_COMPILED = {
    "Cassette", "VirtualClock.on_jump", "aioresponses.cassette", "aioresponses.load_har", "aioresponses.to_har",
}

# What assertions say if the calls that they are about were not made.
NO_CALLS = r"there (were|was) (none|no such call)|never called|not made|no VirtualClock runs|differ \(- expected"


def public_docstrings():
    """Yield the name and the docstring of all that is public and has an example, each docstring once."""
    seen = set()
    for module in (package, matchers, websockets, cassettes):
        for name in module.__all__:
            public = {name: getattr(module, name)}
            if inspect.isclass(public[name]):
                members = {member: inspect.getattr_static(public[name], member) for member in dir(public[name])}
                public |= {f"{name}.{member}": one for member, one in members.items() if not member.startswith("_")}
            for name, one in public.items():
                docstring = inspect.getdoc(one) or ""
                if ">>> " in docstring and docstring not in seen:
                    seen.add(docstring)
                    yield name, docstring


async def user(request):
    return web.json_response({"name": "Ada"})


async def read_user(number):
    async with ClientSession() as session, session.get(f"http://example.com/users/{number}") as response:
        return await response.json()


async def connect(session):
    websocket = await session.ws_connect("wss://stream.example.com/ticks")
    await websocket.send_json({"op": "subscribe"})
    return websocket


async def disconnect(connecting):
    await (await connecting).close()


class DocstringsTest(AioResponsesTestCase):
    assert_all_mocked = False
    assert_no_leaks = ("session", "call")

    async def world(self, name):
        """Return the names that examples may use, after some calls."""
        app = web.Application()
        app.router.add_get("/users/7", user)
        world = {
            name: getattr(module, name) for module in (package, matchers, websockets) for name in module.__all__
        }
        world.update(
            {"self": self}, mock=self.mock, client=self.client_session(), ClientSession=self.client_session, app=app,
            application=app, read_user=read_user, asyncio=asyncio, re=re, warnings=warnings, ANY=ANY, call=call,
        )
        session = self.client_session()
        if name in ("RequestCall.multipart", "Part"):
            form = FormData()
            form.add_field("file", b"1,2", filename="a.csv")
            world["call"] = await self.posted("http://example.com/reports", data=form)
        elif name == "RequestCall.form":
            world["call"] = await self.posted("http://example.com/users", data={"name": "Ada"})
        elif name == "RequestCall":
            await self.posted("http://example.com/users", json={"name": "Ada"})
        elif name == "aioresponses.to_python":
            self.mock.get("https://api.example.com/users", payload=["Ada"])
            async with session.get("https://api.example.com/users") as response:
                await response.read()
        elif name == "aioresponses.calls_of":
            await self.posted("http://example.com/events", json={"type": "created", "id": 7})
        elif name in ("aioresponses.start", "aioresponses.aclose"):
            world["mock"] = aioresponses()
        elif name.startswith("WebSocket"):
            if name != "WebSocketMock":
                world["ws"] = self.mock.websocket("wss://stream.example.com/ticks")
            connecting = asyncio.create_task(connect(session))
            self.addAsyncCleanup(disconnect, connecting)
        elif name == "VirtualClock.hold":
            world["clock"] = VirtualClock()
            world["clock"].start()
            self.addCleanup(world["clock"].stop)
            world["pool"] = ThreadPoolExecutor()
            self.addCleanup(world["pool"].shutdown)
            world["work"] = list
        return world

    async def posted(self, url, **arguments):
        """Return a call that was made."""
        self.mock.post(url)
        await self.client_session().post(url, **arguments)
        return self.mock.calls[-1]

    async def check(self, name, docstring):
        world = await self.world(name)
        for example in doctest.DocTestParser().get_examples(docstring):
            kind, flags = "eval" if example.want else "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            code = compile(example.source, name, kind, flags, dont_inherit=True, optimize=0)
            if name in ONLY_COMPILED:
                continue
            with contextlib.redirect_stdout(io.StringIO()) as printed, warnings.catch_warnings():
                try:
                    # `asyncio.run` needs a thread without a running loop.
                    result = await asyncio.to_thread(eval, code, world) if name == "aioresponses" else eval(code, world)
                    result = await result if inspect.iscoroutine(result) else result
                except AssertionError as error:
                    self.assertRegex(str(error), NO_CALLS)
                    continue
            if example.want:
                shown = printed.getvalue() if result is None else repr(result)
                self.assertEqual(shown.strip(), example.want.strip())


def test_of(name, docstring):
    async def test(self):
        await self.check(name, docstring)

    return test


for name, docstring in public_docstrings():
    setattr(DocstringsTest, f"test_the_example_of_{name.replace('.', '_')}", test_of(name, docstring))
