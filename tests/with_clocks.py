"""What tests claim of calls is right under clocks that are stopped or put back; `make pytest` runs this."""

import asyncio
import contextlib
import datetime
import time

import freezegun
import pytest
import time_machine
from aiohttp import ClientConnectionError, ClientSession

from aioresponses import AioResponsesTestCase, aioresponses

LONG_AGO = datetime.datetime(1999, 12, 31, tzinfo=datetime.timezone.utc)
CLOCKS = {
    "freezegun, stopped": lambda: freezegun.freeze_time(LONG_AGO),
    "freezegun, ticking": lambda: freezegun.freeze_time(LONG_AGO, tick=True),
    "freezegun, all the same for asyncio": lambda: freezegun.freeze_time(LONG_AGO, real_asyncio=True),
    "time-machine, stopped": lambda: time_machine.travel(LONG_AGO, tick=False),
    "time-machine, ticking": lambda: time_machine.travel(LONG_AGO, tick=True),
}
FIRST, SECOND = "https://api.example.com/first", "https://api.example.com/second"
CALLS = f"Calls:\n  1. GET {FIRST} -> 200\n  2. GET {SECOND} -> 200"


@pytest.fixture(params=CLOCKS)
def clock(request):
    return CLOCKS[request.param]


class Case(AioResponsesTestCase):
    """A test of its own for each of the functions below, with all that the test case has."""

    def runTest(self):
        pass


def failure_of(test):
    """Run a test within a test case; return the message of the assertion in it that fails, if one does."""
    failures = []

    class Test(Case):
        async def runTest(self):
            for url in (FIRST, SECOND):
                self.mock.get(url, payload={}, repeat=True)
            try:
                await test(self, self.client_session())
            except self.failureException as failure:
                failures.append(str(failure))

    Test().debug()
    return failures[0] if failures else None


async def one_after_another(session):
    for url in (FIRST, SECOND):
        async with session.get(url) as response:
            await response.json()


async def at_once(session):
    await asyncio.gather(session.get(FIRST), session.get(SECOND))


def test_the_wrong_order_is_found_out(clock):
    async def right(case, session):
        with clock():
            await one_after_another(session)
        case.assertCalledBefore(FIRST, SECOND)
        case.assertCallOrder([FIRST, SECOND])

    async def wrong(case, session):
        with clock():
            await one_after_another(session)
        case.assertCalledBefore(SECOND, FIRST)

    assert failure_of(right) is None
    assert failure_of(wrong) == (
        f"Expected every call to {SECOND} to have ended before any call to {FIRST} began, "
        f"but call 1 began before call 2 had ended.\n{CALLS}"
    )


def test_order_where_the_clock_is_put_back_between_the_calls(clock):
    async def ask(session):
        for url, around in ((FIRST, contextlib.nullcontext), (SECOND, clock)):
            with around():
                await session.get(url)

    async def right(case, session):
        await ask(session)
        case.assertCalledBefore(FIRST, SECOND)
        case.assertCallsEqual([FIRST, SECOND])

    async def wrong(case, session):
        await ask(session)
        case.assertCalledBefore(SECOND, FIRST)

    assert failure_of(right) is None
    assert failure_of(wrong).startswith(
        f"Expected every call to {SECOND} to have ended before any call to {FIRST} began"
    )


def test_two_at_once_are_found_out(clock):
    async def right(case, session):
        with clock():
            await one_after_another(session)
        case.assertMaxConcurrency(1)

    async def wrong(case, session):
        with clock():
            await at_once(session)
        case.assertConcurrent()
        case.assertMaxConcurrency(1)

    assert failure_of(right) is None
    assert failure_of(wrong) == f"Expected at most 1 call at once, but there were 2.\n{CALLS}"


def test_a_refused_call_is_seen(clock):
    async def ask():
        async with ClientSession() as session:
            with contextlib.suppress(ClientConnectionError):
                await session.get(FIRST)

    for first, then in ((clock, contextlib.nullcontext), (contextlib.nullcontext, clock), (clock, clock)):
        mock = aioresponses(strict=True)
        with pytest.raises(AssertionError, match="1 call matched no mock:"):
            with first():
                mock.start()
                mock.stop()
            with mock:
                with then():
                    asyncio.run(ask())


def test_what_is_waited_for_is_real_time_where_only_the_date_is_another():
    async def test(case, session):
        with time_machine.travel(LONG_AGO, tick=False):
            case.mock.get(FIRST + "/late", delay=0.05, body="late")
            begun = asyncio.get_running_loop().time()
            async with session.get(FIRST + "/late") as response:
                assert await response.text() == "late"
            assert asyncio.get_running_loop().time() - begun >= 0.04

    assert failure_of(test) is None


def test_the_clocks_are_what_they_are_said_to_be(clock):
    with clock():
        assert time.time() < LONG_AGO.timestamp() + 60
