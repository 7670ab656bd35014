"""The measures: what a contestant does in one round.

A measure is a generator, plain or asynchronous. It is given a contestant and yields the seconds of a round, or the
bytes, each time that it is asked for one; where it can, it makes everything anew for each round.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import tracemalloc
import unittest
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from aiohttp import ClientResponse, ClientSession
from contestants import SMALL, Exchange, Floor, PlainCase, RealServer

RECORDS = {
    "rows": [{"id": number, "name": f"name of user {number:06}", "tags": ["a", "b"], "score": number / 8}
             for number in range(13_000)]
}
STRING = {"text": "a" * 2 ** 20}
KEPT = 1000
MESSAGES = ["a message"] * 1000
HERE = Path(__file__).parent

Action = Callable[[], Awaitable[object]]


async def timed(action: Action, seconds: float = 0.01, times: int = 0) -> float:
    """Return the mean time of an action: done for some time, or so many times."""
    gc.collect()
    count = 0
    started = now = time.perf_counter()
    while count < times if times else now - started < seconds:
        await action()
        count += 1
        now = time.perf_counter()
    return (now - started) / count


@asynccontextmanager
async def fetching(contestant: Any, exchange: Exchange = Exchange(), document: Any = None) -> AsyncIterator[Action]:
    """Give an action that makes one request of this kind, and reads its answer; it has been done a few times."""
    # The floor keeps its responses until the end, as this package does.
    kept: list[ClientResponse] | None = [] if isinstance(contestant, Floor) else None
    async with contestant.answering(exchange) as (session, url):
        call = partial(session.get, url) if document is None else partial(session.post, url, json=document)

        async def fetch() -> None:
            async with call() as response:
                await (response.read() if exchange.large else response.json())
                if kept is not None:
                    kept.append(response)

        for _ in range(1 if exchange.large or document else 10):
            async with call() as response:
                assert await response.read() == exchange.body
        yield fetch


async def one_get(contestant: Any, exchange: Exchange = Exchange()) -> AsyncIterator[float]:
    while True:
        async with fetching(contestant, exchange) as fetch:
            seconds = await timed(fetch)
        yield seconds


def one_get_a_turn_later(contestant: Any) -> AsyncIterator[float]:
    return one_get(contestant, Exchange(latency=0))


def one_get_of_a_handler(contestant: Any) -> AsyncIterator[float]:
    return one_get(contestant, Exchange(served_by="handler"))


def one_get_of_an_application(contestant: Any) -> AsyncIterator[float]:
    return one_get(contestant, Exchange(served_by="mount"))


async def many_gets(contestant: Any) -> AsyncIterator[float]:
    while True:
        async with fetching(contestant) as fetch:
            async def all_at_once() -> None:
                await asyncio.gather(*[fetch() for _ in range(1000)])

            seconds = await timed(all_at_once, times=1)
        yield seconds


async def get_of_10_mocks(contestant: Any, mocks: int = 10) -> AsyncIterator[float]:
    # Registering takes longer than what is measured, so the mocks stay for all rounds.
    async with fetching(contestant, Exchange(mocks=mocks)) as fetch:
        while True:
            yield await timed(fetch)


def get_of_10_000_mocks(contestant: Any) -> AsyncIterator[float]:
    return get_of_10_mocks(contestant, mocks=10_000)


async def early_get(contestant: Any) -> AsyncIterator[float]:
    while True:
        async with fetching(contestant) as fetch:
            seconds = await timed(fetch, times=400)
        yield seconds


async def late_get(contestant: Any) -> AsyncIterator[float]:
    async with fetching(contestant) as fetch:
        for number in range(100_000):
            await fetch()
            if number % 1000 == 0:
                # Let the event loop drop the timers of these requests.
                await asyncio.sleep(0)
        while True:
            yield await timed(fetch, times=400)


async def post_of_records(contestant: Any, document: Any = RECORDS) -> AsyncIterator[float]:
    while True:
        async with fetching(contestant, Exchange("POST"), document) as post:
            seconds = await timed(post, times=2)
        yield seconds


def post_of_a_string(contestant: Any) -> AsyncIterator[float]:
    return post_of_records(contestant, STRING)


async def large_reply(contestant: Any) -> AsyncIterator[float]:
    while True:
        async with fetching(contestant, Exchange(large=True)) as fetch:
            seconds = await timed(fetch, times=1)
        yield seconds


async def memory_of_a_call(
    contestant: Any, keep_calls: int | None = None, count: int = KEPT
) -> AsyncIterator[float]:
    """Yield how many bytes each of many calls takes."""
    while True:
        async with fetching(contestant, Exchange(keep_calls=keep_calls)) as fetch:
            tracemalloc.start()
            before, _ = tracemalloc.get_traced_memory()
            for number in range(count):
                await fetch()
                if number % 100 == 0:
                    # Let the event loop drop the timers of these requests.
                    await asyncio.sleep(0)
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        yield (after - before) / count


def memory_of_a_forgotten_call(contestant: Any) -> AsyncIterator[float]:
    # So many that the ten which are kept do not count.
    return memory_of_a_call(contestant, keep_calls=10, count=10 * KEPT)


def empty_test(contestant: Any) -> Iterator[float]:
    return taken_more(contestant.test_case(), PlainCase)


def watched_test(contestant: Any) -> Iterator[float]:
    return taken_more(contestant.test_case(assert_no_leaks=True), contestant.test_case())


def test_in_virtual_time(contestant: Any) -> Iterator[float]:
    return taken_more(contestant.test_case(virtual_time=True), contestant.test_case())


def taken_more(case_class: type[unittest.TestCase], plain_class: type[unittest.TestCase]) -> Iterator[float]:
    """Yield how much longer a test takes than a plain one, which runs in turn with it."""
    cases = (plain_class, case_class)
    while True:
        gc.collect()
        taken: tuple[list[float], list[float]] = ([], [])
        for _ in range(20):
            for case, times in zip(cases, taken):
                times.append(seconds_of(case))
        plain, other = map(median, taken)
        yield other - plain


def seconds_of(case: type[unittest.TestCase]) -> float:
    """Return how long a test takes, which passes, run as `python -m unittest` runs it."""
    with open(os.devnull, "w") as nowhere:
        runner = unittest.TextTestRunner(nowhere)
        started = time.perf_counter()
        result = runner.run(case("test"))
        seconds = time.perf_counter() - started
    assert result.wasSuccessful(), result
    return seconds


def back_off_tests(contestant: Any, virtual: bool = True) -> Iterator[float]:
    case = contestant.back_off_case(virtual)
    while True:
        gc.collect()
        yield sum(seconds_of(case) for _ in range(100))


def back_off_tests_with_sleeps_patched(contestant: Any) -> Iterator[float]:
    return back_off_tests(contestant, virtual=False)


async def jump(contestant: Any) -> AsyncIterator[float]:
    async def sleep() -> None:
        await asyncio.sleep(1)

    while True:
        with contestant.clock():
            seconds = await timed(sleep)
        yield seconds


async def websocket_echo(contestant: Any) -> AsyncIterator[float]:
    while True:
        async with contestant.echoing() as (session, url), session.ws_connect(url) as ws:
            async def send_and_receive() -> None:
                await ws.send_str("a message")
                await ws.receive_str()

            await send_and_receive()
            seconds = await timed(send_and_receive)
        yield seconds


async def websocket_connect_and_close(contestant: Any) -> AsyncIterator[float]:
    while True:
        async with contestant.echoing() as (session, url):
            async def connect_and_close() -> None:
                async with session.ws_connect(url):
                    pass

            await connect_and_close()
            seconds = await timed(connect_and_close)
        yield seconds


def assertion_of_messages(contestant: Any) -> Iterator[float]:
    """Yield what it takes to assert the messages that were sent; they are parsed when somebody asks."""
    while True:
        taken: list[float] = []
        seconds_of(contestant.messages_case(MESSAGES, taken))
        yield taken[0]


def application_test(contestant: Any) -> Iterator[float]:
    """Yield what a test of an application takes that asks it once."""
    case = contestant.application_test_case()
    while True:
        gc.collect()
        yield median(seconds_of(case) for _ in range(20))


def importing(contestant: Any, name: str = "") -> Iterator[float]:
    """Yield what an import takes in a new process, after those of unittest and aiohttp; all is compiled already."""
    name = name or contestant.name
    code = f"""
import time, unittest, aiohttp
unittest.IsolatedAsyncioTestCase
started = time.perf_counter()
from {contestant.module} import {name}
print(time.perf_counter() - started)
"""
    with compiling() as environment:
        while True:
            # Not from the root of the checkout, lest it be this package that is found by the name of 0.7.9.
            yield float(subprocess.check_output([sys.executable, "-c", code], env=environment, cwd=HERE))


@contextmanager
def compiling() -> Iterator[dict[str, str]]:
    """Give an environment for processes, in which what the first one has compiled is there for all others."""
    with tempfile.TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        yield environment


def importing_the_test_case(contestant: Any) -> Iterator[float]:
    return importing(contestant, "AioResponsesTestCase")


HEADERS = {f"X-Header-{number}": "value" for number in range(10)}


def har(entries: int) -> str:
    """Return a HAR file of GETs of JSON, each of a URL of its own."""
    return json.dumps({"log": {"entries": [
        {
            "request": {"method": "GET", "url": f"http://api.example.com/users/{number}"},
            "response": {
                "status": 200,
                "headers": [{"name": name, "value": value} for name, value in HEADERS.items()],
                "content": {"mimeType": "application/json", "text": json.dumps(SMALL)},
            },
        }
        for number in range(entries)
    ]}})


async def get_of_own_mocks(contestant: Any, replayed: bool = False) -> AsyncIterator[float]:
    """Yield what a GET takes of many that are answered once each, by mocks or by the entries of a cassette."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.har"
        path.write_text(har(400))
        while True:
            async with contestant.active() as mock, ClientSession() as session:
                with mock.cassette(path, mode="none") if replayed else nullcontext():
                    urls = iter([f"http://api.example.com/users/{number}" for number in range(400)])
                    for number in range(0 if replayed else 400):
                        mock.get(f"http://api.example.com/users/{number}", body=json.dumps(SMALL), headers=HEADERS)

                    async def fetch() -> None:
                        async with session.get(next(urls)) as response:
                            await response.json()

                    seconds = await timed(fetch, times=400)
            yield seconds


def get_of_entries(contestant: Any) -> AsyncIterator[float]:
    return get_of_own_mocks(contestant, replayed=True)


async def loading(contestant: Any) -> AsyncIterator[float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.har"
        path.write_text(har(1000))
        while True:
            async with contestant.active() as mock:
                async def load() -> None:
                    mock.load_har(path)

                seconds = await timed(load, times=1)
            yield seconds


async def passed_through(contestant: Any, recorded: bool = False) -> AsyncIterator[float]:
    """Yield what a GET takes that goes to a server on loopback."""
    with tempfile.TemporaryDirectory() as folder:
        server = RealServer()
        while True:
            async with contestant.active(passthrough_unmatched=True) as mock:
                async with server.answering(Exchange()) as (session, url):
                    with mock.cassette(Path(folder) / "a.har", mode="all") if recorded else nullcontext():
                        async def fetch() -> None:
                            async with session.get(url) as response:
                                await response.json()

                        seconds = await timed(fetch, times=50)
            yield seconds


def recorded(contestant: Any) -> AsyncIterator[float]:
    return passed_through(contestant, recorded=True)


def example_suite(contestant: Any) -> Iterator[float]:
    """Yield what the example suite takes, as `python -m unittest` runs it in a process of its own."""
    command = [sys.executable, "-m", "unittest", "suite.test_client"]
    with compiling() as environment:
        environment["SUITE_WITH"] = type(contestant).__name__
        while True:
            started = time.perf_counter()
            process = subprocess.run(command, env=environment, cwd=HERE, capture_output=True, text=True)
            seconds = time.perf_counter() - started
            if process.returncode or "\nRan 100 tests" not in process.stderr:
                errors = [line for line in process.stderr.splitlines() if re.match(r"\w+(Error|Exception): ", line)]
                sys.exit((errors or [process.stderr])[0])
            yield seconds
