"""The rows of the results: which measures there are, who plays them, and what is asked of this package.

Where a row is not for all contestants, or this package misses a limit, the row itself says why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import measures


class Limit(NamedTuple):
    """What this package may take at most: so many times what something else takes, or so many seconds or bytes."""

    most: float
    of: str | None = None
    """A contestant, or the name of another measure, of this package itself."""
    more: float = 0
    """So many seconds on top of that."""
    why: str = ""
    """Why it is missed, where it is."""


class Measure(NamedTuple):
    name: str
    play: Callable[[Any], Any]
    limits: list[Limit]
    contestants: tuple[str, ...]
    others: str = ""
    """Why the other contestants do not play it."""
    debug: bool = False
    """Whether it is in asyncio's debug mode, as everything is in an `IsolatedAsyncioTestCase`."""
    in_bytes: bool = False
    """Whether it yields bytes, and not seconds."""


ALL = ("floor", "this package", "aioresponses 0.7.9", "aiointercept", "real server", "loopback")
FLOORLESS = ("this package", "aioresponses 0.7.9", "aiointercept", "real server", "loopback")
MOCKS = ("this package", "aioresponses 0.7.9", "aiointercept")
TESTING = ("this package", "aioresponses 0.7.9", "aiointercept", "loopback")
KEEPING = ("floor", "this package")
SERVING = ("this package", "loopback")
OURS = ("this package",)

# Why contestants are left out.
ONLY_GET = "The floor answers GET with one canned reply, and does nothing else."
NO_MOCKS = "It is about mocks; the floor and the servers have none."
NO_TESTS = "The floor is no tool for tests, and a test has its server in its own process, as loopback has."
NO_HANDLERS = (
    "The other mocks and the floor run no handlers, applications or WebSockets, and a test has its server in its own "
    "process, as loopback has."
)
NO_LATENCY = "The other mocks have no latency, and servers have one of their own."
KEEP_NOTHING = "The servers keep no calls."
SAME_HERE = "It compares this package with itself."
ONLY_HERE = "It is about something that only this package has."

# Why limits are missed, where they are. Profiles say so; look at one again before you change a word.
NOTED = (
    "More than two dozen Python calls are made on top of the floor's, which are about 140. A bit more than half of "
    "that time notes the call: its arguments, its context, its beginning and end. A quarter is the connection in "
    "memory, which records what is sent and goes back to its pool; the rest finds the mock and its reply. The garbage"
    " collector takes little of it."
)
TURN = (
    "Beside what any GET takes more than the floor, each reply waits for a turn of the loop: the loop polls the "
    "selector, which is a system call, and resumes each coroutine between the task and the one that reads."
)
CACHES = (
    "The floor, which keeps as many responses, slows down as much, with the garbage collector and without it: it is "
    "the memory that they take, and no step of ours takes longer for more calls."
)
OTHER_CORE = (
    "json.dumps in the client takes 85 % of it, with both. The document is then copied, lest it change before the "
    "test looks at it, which takes an eighth; what the server does with it, it does on another core."
)
HANDLED = (
    "It is aiohttp's own server that answers. Of the Python calls on top of those of a canned reply, four in five are"
    " aiohttp's and asyncio's: it parses the request, has a task for it, and writes the response."
)
MOUNTED = (
    "What aiohttp's server does is the same in both. On top of that the call is noted and the mock or mount is found,"
    " 70 to 100 Python calls; what is saved is system calls of sockets."
)
HANDSHAKE = (
    "About half of it is aiohttp's own handshake and closing, at both ends, as it is over loopback; what is saved is "
    "sockets and their turns of the loop."
)
RECORDED = "What arrives is kept as it does, and each call becomes an entry of the file: 14 more Python calls."
STACKS = (
    "More than half of such a test is asyncio's debug mode, which walks the stack for each task and each callback, in"
    " memory and over TCP."
)
SET_UP = (
    "A mock is made, and aiohttp's methods are replaced and put back. The rest is what asyncio's debug mode, in which "
    "such tests run, takes for frames of ours: it walks the whole stack for each of a test's five tasks."
)
WATCHED = (
    "Most of it comes with the method of event loops that creates tasks: each time a method of a class is replaced or "
    "put back, CPython forgets where it had found that class's other methods, and asyncio's debug mode walks one more "
    "frame for each of a test's five tasks."
)
MODULES = (
    "All modules that a plain request may need are imported with the first name that is asked for, 48 of this package "
    "and for the test case another 13, and almost nothing else. None takes more than half a millisecond or so; what "
    "few tests need is left for later."
)

# The measures of one group take turns as well, so that they can be compared.
GROUPS = [
    [Measure(
        "GET with a JSON reply", measures.one_get,
        [Limit(1.3, "floor", why=NOTED), Limit(0.27, "aioresponses 0.7.9", why=NOTED), Limit(1, "real server")], ALL,
    )],
    [Measure("the same in asyncio's debug mode", measures.one_get, [Limit(1.3, "floor", why=NOTED)], ALL, debug=True)],
    [Measure("1,000 of them at once", measures.many_gets, [Limit(1.25, "floor", why=NOTED)], ALL)],
    [Measure(
        "GET with latency 0", measures.one_get_a_turn_later, [Limit(1.6, "floor", why=TURN)], KEEPING, NO_LATENCY
    )],
    [
        Measure("GET, with 10 mocks", measures.get_of_10_mocks, [], MOCKS, NO_MOCKS),
        Measure(
            "GET, with 10,000 mocks", measures.get_of_10_000_mocks, [Limit(1.1, "GET, with 10 mocks")], MOCKS, NO_MOCKS
        ),
    ],
    [
        Measure("the 10th call, and 400 more", measures.early_get, [], OURS, SAME_HERE),
        Measure(
            "the 100,000th call, and 400 more", measures.late_get,
            [Limit(1.1, "the 10th call, and 400 more", why=CACHES)], OURS, SAME_HERE,
        ),
    ],
    [Measure(
        "memory of a kept call", measures.memory_of_a_call, [Limit(1.3, "floor")], ("floor", *MOCKS), KEEP_NOTHING,
        in_bytes=True,
    )],
    [Measure(
        "memory of a forgotten call", measures.memory_of_a_forgotten_call, [Limit(50)], OURS, ONLY_HERE, in_bytes=True
    )],
    [Measure(
        "POST of 1 MiB of JSON, 13,000 records", measures.post_of_records,
        [Limit(1, "real server", why=OTHER_CORE)], FLOORLESS, ONLY_GET,
    )],
    [Measure(
        "POST of 1 MiB of JSON, one string", measures.post_of_a_string, [Limit(1, "real server")], FLOORLESS, ONLY_GET
    )],
    [Measure("GET of 64 MiB", measures.large_reply, [Limit(1, "real server")], ("floor", *FLOORLESS))],
    [
        Measure("GET of a canned reply", measures.one_get, [], OURS, SAME_HERE),
        Measure(
            "GET of a handler", measures.one_get_of_a_handler,
            [Limit(1, "loopback", why=MOUNTED), Limit(1, "GET of a canned reply", more=100e-6, why=HANDLED)], SERVING,
            NO_HANDLERS,
        ),
        Measure(
            "GET of a mounted application", measures.one_get_of_an_application,
            [Limit(1, "loopback", why=MOUNTED), Limit(1, "GET of a canned reply", more=100e-6, why=HANDLED)], SERVING,
            NO_HANDLERS,
        ),
    ],
    [Measure("WebSocket echo", measures.websocket_echo, [Limit(0.9, "loopback")], SERVING, NO_HANDLERS)],
    [Measure(
        "WebSocket connect and close", measures.websocket_connect_and_close,
        [Limit(0.65, "loopback", why=HANDSHAKE)], SERVING, NO_HANDLERS,
    )],
    [Measure("asserting 1,000 messages of a WebSocket", measures.assertion_of_messages, [], OURS, ONLY_HERE)],
    [Measure(
        "a test of an application", measures.application_test, [Limit(0.8, "loopback", why=STACKS)], SERVING,
        NO_HANDLERS,
    )],
    [Measure(
        "an empty test, more than a plain one", measures.empty_test,
        [Limit(55e-6, why=SET_UP), Limit(1 / 10, "aioresponses 0.7.9", why=SET_UP)], TESTING, NO_TESTS,
    )],
    [Measure(
        "an empty test in virtual time, more than in real", measures.test_in_virtual_time, [Limit(150e-6)], OURS,
        ONLY_HERE,
    )],
    [Measure(
        "an empty test with assert_no_leaks, more than without", measures.watched_test, [Limit(30e-6, why=WATCHED)],
        OURS, ONLY_HERE,
    )],
    [Measure("a jump of virtual time", measures.jump, [Limit(60e-6)], OURS, ONLY_HERE)],
    [
        Measure("100 tests that back off, virtually", measures.back_off_tests, [], OURS, SAME_HERE),
        Measure(
            "the same, with sleeps patched", measures.back_off_tests_with_sleeps_patched, [], OURS, SAME_HERE
        ),
    ],
    [
        Measure("GET, each of a mock of its own", measures.get_of_own_mocks, [], OURS, SAME_HERE),
        Measure(
            "GET, each of an entry of a cassette", measures.get_of_entries,
            [Limit(1.15, "GET, each of a mock of its own")], OURS, SAME_HERE,
        ),
    ],
    [Measure("loading a HAR file of 1,000 entries", measures.loading, [Limit(0.5)], OURS, ONLY_HERE)],
    [
        Measure("GET that passes through to a server", measures.passed_through, [], OURS, SAME_HERE),
        Measure(
            "the same, recorded", measures.recorded,
            [Limit(1.2, "GET that passes through to a server", why=RECORDED)], OURS, SAME_HERE,
        ),
    ],
    [
        Measure(
            "import of the mock, after aiohttp", measures.importing, [Limit(10e-3, why=MODULES)], TESTING, NO_TESTS
        ),
        Measure(
            "import of the test case, after aiohttp", measures.importing_the_test_case,
            [Limit(10e-3, why=MODULES)], OURS,
            "Only this package has a test case of its own.",
        ),
    ],
    [Measure("a suite of 100 tests, the whole run", measures.example_suite, [], TESTING, NO_TESTS)],
]
