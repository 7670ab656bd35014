"""What many test modules share: names, small functions, and test cases with a mock that is active."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import re
import sys
import unittest
import warnings
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from unittest.mock import patch

import aiohttp
from aiohttp import ClientConnectionError, ClientSession, TraceConfig
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.http import HttpProcessingError
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from aioresponses import AioResponsesTestCase, RequestCall, aioresponses

SITE = "http://example.com/"
USERS = "http://example.com/users"
AIOHTTP = tuple(int(part) for part in aiohttp.__version__.split(".")[:2])
# What should end at once but might hang is given this many seconds.
AT_MOST = 20
# What a body may be, in messages.
BODIES = (
    "str, bytes, a file object, an iterable or async iterable of these, a MultipartWriter, or a generator function"
)
# More than a connection buffers, on either side of it.
LARGE = bytes(range(256)) * 2 ** 15
# aiohttp itself sends an idempotent request once more where the connection broke.
TRIES_AGAIN = AIOHTTP >= (3, 10)

# The methods that hooks replace. They are private in part, but 0.7.9 and other packages replace them, too.
HOOKS = [(ClientSession, "_request"), (aiohttp.BaseConnector, "connect"), (aiohttp.BaseConnector, "close")]

_ORIGINALS = [vars(owner)[name] for owner, name in HOOKS]

# The method by which a request sends itself is `_send` in aiohttp 4.
SEND = "send" if hasattr(aiohttp.ClientRequest, "send") else "_send"

needs_own_request = unittest.skipIf(hasattr(ClientSession, "__slots__"), "nothing can be put on sessions of aiohttp 4")

needs_basic_auth = unittest.skipUnless(hasattr(aiohttp, "BasicAuth"), "aiohttp 4 has no BasicAuth")

needs_middlewares = unittest.skipUnless(hasattr(aiohttp, "ClientHandlerType"), "aiohttp 3.12 brought middlewares")


def annotated(source: str) -> Any:
    """Return the function `function` of a source whose annotations name what only type checkers know."""
    # From Python 3.14 on, annotations are evaluated when they are asked for.
    future = "" if sys.version_info >= (3, 14) else "from __future__ import annotations\n"
    names: dict[str, Any] = {}
    exec(future + source, names)
    return names["function"]


async def get(url: URL | str = SITE, **kwargs: Any) -> str:
    """Return the text of a response to a session that is made for this request alone."""
    async with ClientSession() as session:
        return await text_of(session, url, **kwargs)


async def text_of(session: ClientSession, url: URL | str = SITE, method: str = "GET", **kwargs: Any) -> str:
    async with session.request(method, url, **kwargs) as response:
        return await response.text()


def hooks_in_place() -> list[str]:
    """Return the names of the methods of aiohttp that are replaced."""
    return [name for (owner, name), original in zip(HOOKS, _ORIGINALS) if vars(owner)[name] is not original]


def hooks_are_in_place() -> bool:
    """Tell whether any of the methods of aiohttp is replaced."""
    return bool(hooks_in_place())


async def error_of(awaitable: Awaitable[object]) -> tuple[type[BaseException], str] | None:
    """Return class and text of the exception that `awaitable` raises; None if it raises none."""
    try:
        await awaitable
    except (Exception, asyncio.CancelledError) as error:
        return type(error), str(error)
    return None


async def outcome_of(
    session: ClientSession, method: str = "GET", url: URL | str = SITE, **options: Any
) -> tuple[int | type[BaseException], str]:
    """Return status and text of a response, or class and text of what the request or its reading raised."""
    try:
        async with session.request(method, url, **options) as response:
            return response.status, (await response.read()).decode()
    except (Exception, asyncio.CancelledError) as error:
        return type(error), str(error)


async def note_of(session: ClientSession, method: str, url: URL | str = SITE, **options: Any) -> str | None:
    """Return the note of the exception of a request that no mock answers; None where one answers."""
    try:
        (await session.request(method, url, **options)).release()
    except ClientConnectionError as error:
        [note] = error.__notes__
        return note
    return None


def values_of(response: aiohttp.ClientResponse, name: str) -> list[str]:
    """Return the values of the headers with this name, one by one: `headers` of aiohttp 4 joins them."""
    return [
        value.decode("utf-8", "surrogateescape")
        for key, value in response.raw_headers
        if key.decode().lower() == name.lower()
    ]


def recorded(mock: aioresponses) -> dict[tuple[str, URL], list[dict[str, Any]]]:
    """Return the keyword arguments of the calls of a mock, by method and URL."""
    return {key: [call.kwargs for call in calls] for key, calls in mock.requests.items()}


@contextlib.contextmanager
def large_bodies_allowed() -> Iterator[None]:
    """Do without aiohttp's warning of bodies of a mebibyte and more, which had better be streamed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield


class Wire:
    """What reaches aiohttp's protocol from the far end: all bytes, and the error of each connection that it ends."""

    def __init__(self) -> None:
        self.fed = bytearray()
        self.ends: list[BaseException | None] = []


@contextlib.contextmanager
def tapped() -> Iterator[Wire]:
    """Note what reaches aiohttp's protocol from the far end of its connections."""
    wire = Wire()
    data_received, connection_lost = ResponseHandler.data_received, ResponseHandler.connection_lost

    def note_data(protocol: ResponseHandler, data: bytes) -> None:
        wire.fed += data
        data_received(protocol, data)

    def note_end(protocol: ResponseHandler, error: BaseException | None) -> None:
        # A client that has closed the connection itself has let go of its transport.
        if protocol.transport is not None:
            wire.ends.append(error)
        connection_lost(protocol, error)

    with patch.multiple(ResponseHandler, data_received=note_data, connection_lost=note_end):
        yield wire


async def idle() -> None:
    """Let the loop run until all is done that can be done without anything from outside."""
    for _ in range(20):
        await asyncio.sleep(0)


class Turns:
    """Counts the turns of the running event loop."""

    def __init__(self) -> None:
        self.count = 0
        self._loop = asyncio.get_running_loop()
        self._handle = self._loop.call_soon(self._tick)

    def _tick(self) -> None:
        self.count += 1
        self._handle = self._loop.call_soon(self._tick)

    def stop(self) -> int:
        self._handle.cancel()
        return self.count


# What traces tell of the connection of a request.
CREATED = ["on_connection_create_start", "on_connection_create_end"]
REUSED = ["on_connection_reuseconn"]


def traced(signals: dict[Any, list[str]]) -> TraceConfig:
    """Make a TraceConfig that notes every signal in `signals`, by the `trace_request_ctx` of the request."""
    config = TraceConfig()
    for name in sorted(name for name in dir(TraceConfig) if name.startswith("on_")):
        async def note(session: Any, context: Any, params: Any, name: str = name) -> None:
            signals.setdefault(context.trace_request_ctx, []).append(name)

        getattr(config, name).append(note)
    return config


def about_connections(signals: dict[Any, list[str]]) -> dict[Any, list[str]]:
    """Return the signals about connections alone, by request."""
    return {name: [signal for signal in names if "connection" in signal] for name, names in signals.items()}


class Uncaught(BaseException):
    """Something that no `except Exception` catches."""


def exceptions() -> list[BaseException]:
    """Return exceptions of every kind that aiohttp treats in a way of its own, and of some others."""
    info = aiohttp.RequestInfo(URL(SITE), "GET", CIMultiDictProxy(CIMultiDict()), URL(SITE))
    key = dict.fromkeys(inspect.signature(ConnectionKey).parameters)
    key.update(host="example.com", port=80, is_ssl=False, ssl=True)
    return [
        Exception("wrong"),
        ValueError("wrong"),
        OSError("wrong"),
        OSError(5, "Input/output error"),
        ConnectionResetError(104, "Connection reset by peer"),
        TimeoutError("late"),
        TimeoutError(110, "Connection timed out"),
        asyncio.TimeoutError(),
        asyncio.CancelledError(),
        aiohttp.ClientError("wrong"),
        aiohttp.ClientConnectionError("wrong"),
        aiohttp.ClientOSError(5, "Input/output error"),
        aiohttp.ServerDisconnectedError(),
        aiohttp.ServerTimeoutError("late"),
        aiohttp.ClientConnectorError(ConnectionKey(**key), OSError(111, "Connection refused")),
        aiohttp.ClientResponseError(info, (), status=500, message="wrong"),
        aiohttp.ClientPayloadError("wrong"),
        HttpProcessingError(code=400, message="wrong"),
        Uncaught("wrong"),
    ]


class OwnResponse(aiohttp.ClientResponse):
    """A class of responses of the code under test."""


class Even:
    """What another package might offer: it decides for itself what equals it."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, int) and other % 2 == 0

    def __repr__(self) -> str:
        return "Even()"


class MockedTestCase(unittest.IsolatedAsyncioTestCase):
    """A mock that is active, and a session, with nothing of this package's own test case."""

    async def asyncSetUp(self) -> None:
        self.mock = aioresponses()
        self.mock.start()
        self.addCleanup(self.mock.stop)
        self.session = self.new_session()

    def new_session(self, **options: Any) -> ClientSession:
        session = ClientSession(**options)
        self.addAsyncCleanup(session.close)
        return session

    async def raised_by(
        self, method: str = "GET", url: URL | str = SITE, session: ClientSession | None = None, **kwargs: Any
    ) -> BaseException:
        """Return the exception that a request raises."""
        with self.assertRaises(BaseException) as caught:
            await (session or self.session).request(method, url, **kwargs)
        return caught.exception


class AskingTestCase(AioResponsesTestCase):
    """A test case with a session, and what requests of it come to."""

    assert_all_mocked = False  # What no mock answers is looked at here.

    async def asyncSetUp(self) -> None:
        self.session = self.client_session()

    async def ask(self, method: str = "GET", url: URL | str = SITE, **options: Any) -> tuple[Any, str]:
        """Return what a request came to, in the manner of `outcome_of`."""
        return await outcome_of(self.session, method, url, **options)

    async def ask_often(self, count: int, method: str = "GET", **options: Any) -> list[tuple[Any, str]]:
        """Return what requests one after another came to."""
        return [await self.ask(method, **options) for _ in range(count)]

    async def call(self, method: str = "POST", url: URL | str = SITE, **options: Any) -> RequestCall:
        """Make a request that is answered; return its call."""
        self.mock.add(re.compile(re.escape(SITE)), method)
        response = await self.session.request(method, url, **options)
        call = self.mock.calls[-1]
        self.assertIs(call.response, response)
        return call


class MessageTestCase(AioResponsesTestCase):
    """A test case that compares the messages of failing assertions."""

    assert_all_mocked = False  # What no mock answers is looked at here.

    maxDiff = None

    async def send(
        self, method: str = "GET", url: URL | str = SITE, status: int = 200, **kwargs: Any
    ) -> aiohttp.ClientResponse:
        self.mock.add(re.compile(".*"), method, status=status)
        return await self.client_session().request(method, url, **kwargs)

    async def send_unmatched(self, method: str = "GET", url: URL | str = SITE, **kwargs: Any) -> None:
        with self.assertRaises(ClientConnectionError):
            await self.client_session().request(method, url, **kwargs)

    def message(self, assertion: Callable[..., object], *args: Any, **kwargs: Any) -> str:
        with self.assertRaises(self.failureException) as raised:
            assertion(*args, **kwargs)
        self.assertIs(type(raised.exception), self.failureException)
        return str(raised.exception)

    def check_fails(self, message: str, assertion: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        self.assertEqual(self.message(assertion, *args, **kwargs), message)


def fail(call: object) -> None:
    """Fail as an assertion, in place of a callback or another function that a mock calls."""
    raise AssertionError("no")


# How messages name the place of that.
FAILED_AT = f"{__file__}:{fail.__code__.co_firstlineno + 2} in fail"


class SwallowingTestCase(AioResponsesTestCase):
    """A test case of a client that swallows all that goes wrong."""

    async def ask(self, method: str = "GET", url: URL | str = SITE, **options: Any) -> bytes | BaseException:
        """Return the body of a response, or what the request or its reading raised."""
        try:
            async with self.client_session().request(method, url, **options) as response:
                return await response.read()
        except BaseException as error:
            return error


class OutcomeTestCase(unittest.TestCase):
    """A test case that runs tests and looks at what comes of them."""

    maxDiff = None

    def outcomes(self, case_class: type[unittest.TestCase], name: str = "test") -> dict[str, Any]:
        """Run a test; return what came of it, as unittest shows it, by the attributes of a `TestResult`."""
        result = unittest.TestResult()
        case_class(name).run(result)
        outcomes: dict[str, Any] = {
            kind: [text for _, text in getattr(result, kind)]
            for kind in ("errors", "failures", "skipped", "expectedFailures")
            if getattr(result, kind)
        }
        if result.unexpectedSuccesses:
            outcomes["unexpectedSuccesses"] = len(result.unexpectedSuccesses)
        return outcomes

    def check_message(self, case_class: type[unittest.TestCase], message: str, name: str = "test") -> str:
        """Check that nothing came of a test but a failure with this message; return how unittest shows it."""
        outcomes = self.outcomes(case_class, name)
        self.assertEqual({kind: len(texts) for kind, texts in outcomes.items()}, {"failures": 1})
        [text] = outcomes["failures"]
        self.assertEqual(text[text.rindex("AssertionError: 1 "):], f"AssertionError: {message}\n")
        return str(text)

    def check_passes(self, case_class: type[unittest.TestCase], name: str = "test") -> None:
        """Check that a test passes."""
        self.assertEqual(self.outcomes(case_class, name), {})
