"""`time.monotonic` and its copies follow the clock of their thread."""

import asyncio
import sys
import threading
import time
import types
import unittest
from unittest.mock import patch

from aiohttp import connector

from aioresponses import AioResponsesTestCase, VirtualClock
from aioresponses._client import monotonic as room

MODULE = """
import time
from time import monotonic, monotonic_ns
from time import monotonic as now

class Limiter:
    clock = time.monotonic

def begin():
    return monotonic(), now(), time.monotonic(), Limiter().clock(), monotonic_ns() / 1e9
"""


def made_module(name):
    """Return a module that was imported just now."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(MODULE, vars(module))
    return module


class MonotonicTest(unittest.IsolatedAsyncioTestCase):
    def new_module(self, name="code_under_test"):
        self.addCleanup(sys.modules.pop, name, None)
        return made_module(name)

    async def passed(self, seconds, *functions):
        before = [function() for function in functions]
        await asyncio.sleep(seconds)
        return [round(function() - one, 3) for one, function in zip(before, functions)]

    async def test_the_function_and_its_copies_follow(self):
        module = self.new_module()
        async with VirtualClock():
            before = module.begin()
            await asyncio.sleep(100)
            after = module.begin()
            self.assertEqual(await self.passed(50, time.monotonic, connector.monotonic), [50, 50])
        self.assertEqual([round(one - other, 3) for one, other in zip(after, before)], [100] * 5)

    async def test_the_time_is_that_of_the_loop(self):
        async with VirtualClock():
            loop = asyncio.get_running_loop()
            for _ in range(3):
                self.assertEqual(loop.time(), time.monotonic())
                await asyncio.sleep(7)

    async def test_modules_that_are_loaded_when_they_are_first_used_stay_unloaded(self):
        class Lazy(types.ModuleType):
            def __getattribute__(self, name):
                raise ImportError(f"loaded for {name}")

        lazy = {"lazy_1": Lazy("lazy_1"), "lazy_2": None, "lazy_3": object()}
        object.__setattr__(lazy["lazy_1"], "monotonic", room.real.monotonic)
        before = time.monotonic
        with patch.dict(sys.modules, lazy), patch.object(time, "monotonic", room.real.monotonic):
            with VirtualClock():
                self.assertIs(object.__getattribute__(lazy["lazy_1"], "__dict__")["monotonic"], time.monotonic)
        self.assertIs(time.monotonic, before)

    async def test_it_is_real_where_no_clock_runs(self):
        module = self.new_module()
        async with VirtualClock():
            kept = time.monotonic
            real = []
            thread = threading.Thread(target=lambda: real.append(kept()))
            await asyncio.sleep(10 ** 6)
            thread.start()
            thread.join()
            self.assertLess(real[0], kept() - 10 ** 5)
        for function in (kept, time.monotonic, module.monotonic):
            self.assertTrue(real[0] <= function() < real[0] + 60)
        self.assertTrue(real[0] <= time.monotonic_ns() / 1e9 < real[0] + 60)

    async def test_the_standard_library_waits_really(self):
        # Or it would wait forever: its thread is blocked, and the time stands still.
        async with VirtualClock():
            condition = threading.Condition()
            with condition:
                self.assertFalse(condition.wait_for(lambda: False, 0.01))

    async def test_what_a_test_has_put_there_stays(self):
        with patch("time.monotonic", lambda: 5.0):
            async with VirtualClock():
                await asyncio.sleep(10)
                self.assertEqual(time.monotonic(), 5)
        async with VirtualClock():
            self.assertEqual(await self.passed(10, time.monotonic), [10])

    async def test_the_real_one_that_somebody_puts_back_is_replaced_again(self):
        # As freezegun does when it ends: it knows the function that was there when it was imported.
        real = room.real.monotonic
        module = self.new_module()
        async with VirtualClock() as clock:
            time.monotonic = module.monotonic = real
            await asyncio.sleep(1)
            self.assertEqual(await self.passed(10, time.monotonic, module.monotonic), [10, 10])
            time.monotonic = real
        async with VirtualClock() as clock:
            self.assertEqual(await self.passed(10, time.monotonic), [10])
        self.assertEqual(clock.elapsed, 10)


class InTestCaseTest(AioResponsesTestCase):
    virtual_time = True

    async def test_it_follows_the_clock_of_the_test_case(self):
        began = time.monotonic()
        await asyncio.sleep(100)
        self.assertEqual(round(time.monotonic() - began, 6), self.clock.elapsed)
