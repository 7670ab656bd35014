"""Tests replace functions of the standard library. What a mock does must not go through them."""

import ast
import asyncio
import importlib
import inspect
import json
import time
import unittest
from pathlib import Path
from unittest.mock import patch

from aiohttp import ClientConnectionError, ClientConnectorError, ClientSession

import aioresponses as package
from aioresponses import AioResponsesTestCase, Fault, aioresponses

from .support import SITE, USERS, error_of, text_of

PACKAGE = Path(package.__file__).parent


def refuse(*args, **kwargs):
    raise AssertionError("This was to be replaced in the code under test alone.")


REPLACED = (
    "asyncio.gather", "asyncio.sleep", "asyncio.wait", "asyncio.wait_for", "builtins.open", "copy.copy",
    "copy.deepcopy", "json.dumps", "json.loads", "pickle.dumps", "pickle.loads", "random.random", "time.monotonic",
    "time.perf_counter", "time.sleep", "time.time", "uuid.uuid4",
)


def replaced(name):
    """Replace a function: a clock is stopped, for asyncio needs one, and anything else must not be called."""
    module, _, function = name.partition(".")
    if module != "time" or function == "sleep":
        return patch(name, refuse)
    now = getattr(time, function)()
    return patch(name, lambda: now)


class EachTest(unittest.IsolatedAsyncioTestCase):
    """A scenario that has something of everything, with one function replaced, and then another."""

    async def scenario(self):
        document = {"name": "Ada", "roles": ["author"], "never": None}
        with aioresponses(latency=0) as mock:
            mock.post(USERS, match_json=document, payload={"id": 7}, cookies={"a": "1"})
            mock.get(SITE, repeat=True, headers={"Content-Encoding": "gzip"}, payload=lambda call: {"url": call.url})
            mock.get(SITE + "stream", body=lambda: (piece for piece in ("one", "two")))
            mock.get(SITE + "down", fault=Fault.CONNECTION_REFUSED)
            mock.get(SITE + "hang", fault=Fault.HANG)
            async with ClientSession() as session:
                texts = [await text_of(session, USERS, "POST", json=document), await text_of(session, SITE + "stream")]
                tasks = [asyncio.ensure_future(text_of(session, SITE)) for _ in range(2)]
                texts += [await task for task in tasks]
                errors = [await error_of(session.get(SITE + path)) for path in ("down", "nowhere")]
                waiting = asyncio.ensure_future(error_of(session.post(SITE + "hang")))
                await session.get(SITE)
                hanging = asyncio.ensure_future(error_of(session.get(SITE + "hang")))
                await session.get(SITE)
            ended = [await waiting, await hanging]
        calls = mock.calls
        return (
            texts,
            [error[0] for error in errors + ended],
            [str(one) for one in calls],
            calls[0].json(),
            calls[0].kwargs["json"],
            [one.order for one in calls] == sorted(one.order for one in calls),
        )

    async def test_nothing_that_tests_replace_is_called(self):
        expected = await self.scenario()
        self.assertEqual(expected[0], ['{"id": 7}', "onetwo"] + ['{"url": "http://example.com/"}'] * 2)
        self.assertEqual(expected[1][:2], [ClientConnectorError, ClientConnectionError])
        for name in REPLACED:
            with self.subTest(name), replaced(name):
                self.assertEqual(await self.scenario(), expected)


class LookedUpTest(unittest.TestCase):
    """No function that tests replace is looked up at the time of a call; what is imported by its name is not."""

    MODULES = ("asyncio", "copy", "json", "pickle", "random", "time", "uuid")

    def looked_up(self, source):
        """Return the functions of these modules that the functions in a source look up."""
        found = set()
        for function in ast.walk(ast.parse(source)):
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                for node in ast.walk(function):
                    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                        module, name = node.value.id, node.attr
                        if module in self.MODULES and not name.startswith("_") and self.is_function(module, name):
                            found.add(f"{module}.{name}")
                    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
                        found.add("open")
        return found

    def is_function(self, module, name):
        value = getattr(importlib.import_module(module), name)
        return callable(value) and not inspect.isclass(value)

    def test_in_all_of_the_package(self):
        for path in PACKAGE.rglob("*.py"):
            with self.subTest(path.name):
                self.assertEqual(self.looked_up(path.read_text(encoding="utf-8")), set())

    def test_names_that_tests_replace_are_found(self):
        source = """
            import asyncio, json, time
            from time import monotonic
            now = time.time()

            async def one():
                raise asyncio.TimeoutError

            async def two(path):
                await asyncio.sleep(1)
                return [json.loads(line) for line in open(path)], monotonic(), lambda: time.time()
        """
        self.assertEqual(
            self.looked_up(inspect.cleandoc(source)), {"asyncio.sleep", "json.loads", "open", "time.time"}
        )


class JsonTest(AioResponsesTestCase):
    async def test_payloads_and_bodies_are_serialised_and_read_all_the_same(self):
        self.mock.post(SITE, match_json={"a": 1}, payload={"b": 2}, repeat=True)
        session = self.client_session()
        with patch("json.dumps", return_value="{}") as dumps, patch("json.loads", return_value={}) as loads:
            for _ in range(2):
                self.assertEqual(await text_of(session, method="POST", data=b'{"a": 1}'), '{"b": 2}')
            self.assertJsonBody({"a": 1})
        self.assertEqual((dumps.call_args_list, loads.call_args_list), ([], []))
        self.assertEqual(json.loads("[]"), [])
