"""Virtual time with libraries that wait, and with those that move a wall clock; `make pytest` runs this."""

import asyncio
import datetime
import time
import unittest

import aiohttp
import aiohttp_retry
import backoff
import freezegun
import pytest
import tenacity
import time_machine
import uvloop
from aiohttp import ClientSession

from aioresponses import AioResponsesTestCase, VirtualClock, aioresponses

URL = "https://api.example.com/report"
THEN = datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc)


async def ask(session):
    async with session.get(URL, raise_for_status=True) as response:
        return await response.text()


class RetriesTest(AioResponsesTestCase):
    virtual_time = True

    def setUp(self):
        self.began = time.perf_counter()
        self.mock.get(URL, status=503, repeat=3)
        self.mock.get(URL, body="x", repeat=True)

    def tearDown(self):
        assert time.perf_counter() - self.began < 5

    async def test_tenacity(self):
        retry = tenacity.retry(wait=tenacity.wait_exponential(), stop=tenacity.stop_after_attempt(5))
        assert await retry(ask)(self.client_session()) == "x"
        self.assertCallTimes([0, 1, 3, 7], URL)

    async def test_tenacity_that_gives_up_after_some_time(self):
        retry = tenacity.retry(
            wait=tenacity.wait_fixed(10), stop=tenacity.stop_after_delay(15), retry_error_callback=lambda state: "late"
        )
        assert await retry(ask)(self.client_session()) == "late"
        self.assertCallTimes([0, 10, 20], URL)

    async def test_backoff(self):
        retry = backoff.on_exception(backoff.expo, aiohttp.ClientError, jitter=None)
        assert await retry(ask)(self.client_session()) == "x"
        self.assertCallTimes([0, 1, 3, 7], URL)

    async def test_aiohttp_retry(self):
        options = aiohttp_retry.ExponentialRetry(attempts=4, start_timeout=1, factor=2)
        async with aiohttp_retry.RetryClient(self.client_session(), retry_options=options) as client:
            async with client.get(URL) as response:
                assert await response.text() == "x"
        first, *others = self.mock.calls
        gaps = [round(call.started - first.started) for call in others]
        self.assertCallTimes([0, *gaps], URL, within=0.5)
        assert len(gaps) == 3 and gaps[0] >= 1 and gaps[2] - gaps[1] > gaps[1] - gaps[0]


MOVED = {
    "time-machine": (lambda: time_machine.travel(THEN, tick=False), "shift"),
    "freezegun": (lambda: freezegun.freeze_time(THEN), "tick"),
    "freezegun, all the same for asyncio": (lambda: freezegun.freeze_time(THEN, real_asyncio=True), "tick"),
}


@pytest.fixture(params=MOVED)
def wall(request):
    return MOVED[request.param]


def test_a_wall_clock_that_is_entered_before_the_clock_or_after_it(wall):
    travel, shift = wall

    async def main(clock, traveller):
        clock.on_jump(getattr(traveller, shift))
        retry = tenacity.retry(
            wait=tenacity.wait_fixed(600),
            stop=tenacity.stop_after_delay(900),
            retry_error_callback=lambda state: "late",
        )
        with aioresponses() as mock:
            mock.get(URL, status=503, repeat=True)
            async with ClientSession() as session:
                assert await retry(ask)(session) == "late"
                mock.clear()
                mock.get(URL, delay=60, body="x")
                assert await ask(session) == "x"
            assert [round(call.started - mock.calls[0].started) for call in mock.calls] == [0, 600, 1200, 1200]
        assert clock.elapsed == 1260
        assert time.time() == THEN.timestamp() + 1260
        assert datetime.datetime.now(datetime.timezone.utc) == THEN + datetime.timedelta(seconds=1260)

    for _ in range(2):
        with travel() as traveller, VirtualClock() as clock:
            asyncio.run(main(clock, traveller))
        with VirtualClock() as clock, travel() as traveller:
            asyncio.run(main(clock, traveller))
        check_that_monotonic_follows()


def check_that_monotonic_follows():
    with VirtualClock():
        began = time.monotonic()
        asyncio.run(asyncio.sleep(100))
        assert time.monotonic() - began == 100
    before = time.monotonic()
    time.sleep(0.01)
    assert 0.009 < time.monotonic() - before < 5


def test_one_that_ends_while_the_clock_runs(wall):
    traveller = wall[0]()
    traveller.start()
    with VirtualClock() as clock:
        asyncio.run(asyncio.sleep(100))
        traveller.stop()
        began = time.monotonic()
        asyncio.run(asyncio.sleep(100))
        asyncio.run(asyncio.sleep(100))
        assert clock.elapsed == 300
        assert time.monotonic() - began >= 100
    check_that_monotonic_follows()


def test_one_that_nobody_moves(wall):
    with wall[0](), VirtualClock() as clock:
        asyncio.run(asyncio.sleep(100))
        assert clock.elapsed == 100
        assert time.time() == THEN.timestamp()


def test_clocks_do_not_stop_jobs(wall):
    with wall[0](), VirtualClock() as clock:
        async def main():
            await asyncio.wait_for(asyncio.to_thread(int), 60)

        asyncio.run(main())
        assert clock.elapsed < 60


@pytest.fixture
def of_uvloop():
    before = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    yield
    asyncio.set_event_loop_policy(before)


REFUSED = "Virtual time needs asyncio's default event loop, asyncio.SelectorEventLoop, and cannot use <uvloop.Loop"


@pytest.mark.filterwarnings("ignore:::uvloop", "ignore:.*event_loop_policy:DeprecationWarning")
def test_the_policy_of_uvloop_is_refused(of_uvloop):
    class Case(AioResponsesTestCase):
        virtual_time = True

        async def runTest(self):
            raise AssertionError("not reached")

    result = unittest.TestResult()
    Case().run(result)
    [(_, text)] = result.errors
    assert REFUSED in text
    main = asyncio.sleep(1)
    with pytest.raises(RuntimeError, match=REFUSED), VirtualClock():
        asyncio.run(main)
    main.close()


def test_a_running_loop_of_uvloop_is_refused():
    async def main():
        with pytest.raises(RuntimeError, match=REFUSED):
            async with VirtualClock():
                pass

    loop = uvloop.new_event_loop()
    loop.run_until_complete(main())
    loop.close()
    check_that_monotonic_follows()


def test_a_loop_of_uvloop_that_the_clock_does_not_see_is_refused_when_something_is_asked():
    async def main():
        async with ClientSession() as session:
            with aioresponses() as mock:
                mock.get(URL)
                await ask(session)

    loop = uvloop.new_event_loop()
    with pytest.raises(RuntimeError, match=REFUSED), VirtualClock():
        loop.run_until_complete(main())
    loop.close()
