"""Loops that cannot be patched raise an error, and are not swapped for others."""

import asyncio
import sys
import unittest
from unittest.mock import patch

from aiohttp import ClientSession

from aioresponses import AioResponsesTestCase, VirtualClock, aioresponses

from ..support import SITE, OutcomeTestCase


class ForeignLoop(asyncio.AbstractEventLoop):
    """In the manner of uvloop: a loop of no class of asyncio's."""

    closed = False

    def is_closed(self):
        return self.closed

    def close(self):
        self.closed = True

    def __repr__(self):
        return "<ForeignLoop>"


class BareLoop(asyncio.BaseEventLoop):
    """A loop without a selector, such as that of a graphical interface may be."""

    def __repr__(self):
        return "<BareLoop>"


class FixedSelector:
    """A selector that takes no attributes, as one that is written in C."""

    __slots__ = ("_selector",)

    def __init__(self, selector):
        self._selector = selector

    def __getattr__(self, name):
        if name == "__dict__":
            raise AttributeError(name)
        return getattr(self._selector, name)


class FixedLoop(asyncio.SelectorEventLoop):
    """A loop that has such a selector, and a `run_forever` that is not the one of asyncio's loops."""

    run_forever = asyncio.BaseEventLoop.run_forever

    def __init__(self):
        super().__init__()
        self._selector = FixedSelector(self._selector)

    def __repr__(self):
        return "<FixedLoop>"


class Inherited(FixedLoop):
    """One that runs as asyncio's do."""

    def run_forever(self):
        asyncio.BaseEventLoop.run_forever(self)


MESSAGE = (
    "Virtual time needs asyncio's default event loop, asyncio.SelectorEventLoop, and cannot use {}. "
    "Use the default loop: run this without the policy or the loop_factory that made the other"
)


class RefusedLoopTest(unittest.TestCase):
    def check_refused(self, run, name="<FixedLoop>"):
        with self.assertRaises(RuntimeError) as raised:
            with VirtualClock():
                run()
        self.assertEqual(str(raised.exception), MESSAGE.format(name))
        # Closing the loop raised nothing.
        self.assertIsNone(raised.exception.__context__)
        with VirtualClock() as clock:
            asyncio.run(asyncio.sleep(1))
        self.assertEqual(clock.elapsed, 1)

    if sys.version_info >= (3, 11):

        def test_of_a_loop_factory(self):
            for factory in (FixedLoop, Inherited):
                loops = []

                def make():
                    loops.append(factory())
                    return loops[-1]

                with asyncio.Runner(loop_factory=make) as made_before:
                    made_before.get_loop()
                    main = asyncio.sleep(0)
                    for runner in (made_before, asyncio.Runner(loop_factory=make)):
                        self.check_refused(lambda: runner.run(main))
                        self.assertIs(loops[-1].is_closed(), runner is not made_before)
                    main.close()

    def test_of_a_policy(self):
        for kind in (ForeignLoop, BareLoop, FixedLoop):
            for module in (asyncio, asyncio.events):
                loop = kind()
                with self.subTest(loop), patch.object(module, "new_event_loop", lambda: loop):
                    with self.assertRaises(RuntimeError) as raised:
                        with VirtualClock():
                            module.new_event_loop()
                    self.assertEqual(str(raised.exception), MESSAGE.format(f"<{kind.__name__}>"))
                    self.assertTrue(loop.is_closed())

    def test_one_that_is_run_by_hand(self):
        loop = Inherited()
        self.addCleanup(loop.close)
        self.check_refused(loop.run_forever)

    def test_one_that_runs_where_the_clock_starts(self):
        loop = FixedLoop()
        self.addCleanup(loop.close)

        async def start():
            with self.assertRaises(RuntimeError) as raised:
                VirtualClock().start()
            self.assertEqual(str(raised.exception), MESSAGE.format("<FixedLoop>"))

        loop.run_until_complete(start())
        with VirtualClock() as clock:
            asyncio.run(asyncio.sleep(1))
        self.assertEqual(clock.elapsed, 1)

    def test_one_whose_running_is_not_seen_and_that_asks_for_something(self):
        loop = FixedLoop()
        self.addCleanup(loop.close)

        async def ask():
            async with ClientSession() as session:
                with aioresponses() as mock:
                    mock.get(SITE)
                    await session.get(SITE)

        self.check_refused(lambda: loop.run_until_complete(ask()))

    def test_one_that_is_made_for_another_thread_is_not_taken(self):
        with VirtualClock():
            loop = asyncio.new_event_loop()
            self.assertNotIn("call_at", vars(loop))
            loop.close()


class RefusedInTestCaseTest(OutcomeTestCase):
    if sys.version_info >= (3, 13):

        def test_a_loop_factory(self):
            class Case(AioResponsesTestCase):
                virtual_time = True
                loop_factory = FixedLoop

                async def test(self):
                    raise AssertionError("not reached")

            self.check_error(Case)

    def test_a_policy(self):
        class Case(AioResponsesTestCase):
            virtual_time = True

            def setUp(self):
                raise AssertionError("not reached")

            async def test(self):
                raise AssertionError("not reached")

        with patch("asyncio.events.new_event_loop", FixedLoop), patch("asyncio.new_event_loop", FixedLoop):
            self.check_error(Case)

    def check_error(self, case_class):
        outcomes = self.outcomes(case_class)
        self.assertEqual(list(outcomes), ["errors"])
        self.assertEqual(
            outcomes["errors"][0].splitlines()[-1], f"RuntimeError: {MESSAGE.format('<FixedLoop>')}"
        )
