"""What is closed or cancelled in the middle of an exchange, at each turn of the loop, ends as with a real server.

Where an exchange stands after so many turns is another matter with a network. So for each outcome with the mock, a turn
is looked for after which it is that with the server, too; and the server is held at each point where there is something
to wait for.
"""

import asyncio
import contextlib
import errno
import gc
import itertools
import re
import sys
import unittest
from types import SimpleNamespace

from aiohttp import ClientConnectionError, ClientOSError, ClientPayloadError, ClientSession, TCPConnector, web

from aioresponses import Fault, aioresponses
from aioresponses._client.connectors import StandIns

from ..servers import ServerTestCase, reset
from ..support import idle

WAITS = "waits for ever"
LARGE = bytes(2 ** 21)


class Points:
    """The points of an exchange where it may be held: at the one of this number, until it is let go."""

    def __init__(self, held=None):
        self._held = held
        self._passed = 0
        self.is_reached = asyncio.Event()
        self.goes_on = asyncio.Event()

    async def point(self):
        self._passed += 1
        if self._passed - 1 == self._held:
            self.is_reached.set()
            await self.goes_on.wait()
        else:
            await asyncio.sleep(0)


def break_off(request):
    """Reset the connection of a request on which nothing else is going on."""
    reset(SimpleNamespace(get_extra_info=request.transport.get_extra_info, transport=request.transport))


class Exchange:
    """A request, how a server answers it, and how a mock does; all pass the same points."""

    method = "GET"
    points = 1
    raises = None

    def __init__(self, points):
        self._points = points

    def options(self):
        return {}

    async def handle(self, request):
        await request.read()
        await self._points.point()
        return web.Response(text="small")

    def register(self, mock, url):
        async def callback(call):
            await self._points.point()

        mock.add(url, self.method, body="small", callback=callback)


class Plain(Exchange):
    def register(self, mock, url):
        mock.get(url, body="small")


class Waiting(Exchange):
    pass


class Posted(Exchange):
    method = "POST"

    def options(self):
        return {"data": b"x" * 100}


class Continued(Posted):
    def options(self):
        return {"data": b"x" * 100, "expect100": True}


class Uploaded(Exchange):
    method = "POST"
    points = 4

    def options(self):
        async def pieces():
            for _ in range(3):
                yield b"piece"
                await self._points.point()

        return {"data": pieces()}


class Redirected(Exchange):
    points = 2

    async def handle(self, request):
        await self._points.point()
        if request.path == "/":
            return web.Response(status=302, headers={"Location": "/next"})
        return web.Response(text="small")

    def register(self, mock, url):
        async def callback(call):
            await self._points.point()

        mock.get(url, status=302, headers={"Location": "/next"}, callback=callback)
        mock.get(url / "next", body="small", callback=callback)


class Streamed(Exchange):
    points = 4

    async def pieces(self):
        for _ in range(3):
            yield b"piece"
            await self._points.point()

    async def handle(self, request):
        response = web.StreamResponse()
        await response.prepare(request)
        await self._points.point()
        async for piece in self.pieces():
            await response.write(piece)
        return response

    def register(self, mock, url):
        async def body():
            await self._points.point()
            async for piece in self.pieces():
                yield piece

        mock.get(url, body=body)


class Broken(Streamed):
    points = 2
    raises = ClientPayloadError

    async def pieces(self):
        yield b"piece"
        await self._points.point()
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")

    async def handle(self, request):
        try:
            return await super().handle(request)
        except ConnectionResetError:
            break_off(request)


class Unanswered(Exchange):
    points = 2
    raises = ClientOSError

    async def handle(self, request):
        await self._points.point()
        break_off(request)

    def register(self, mock, url):
        async def callback(call):
            await self._points.point()

        for _ in range(2):
            mock.get(url, fault=Fault.CONNECTION_RESET, callback=callback)


class UnansweredAtOnce(Unanswered):
    def register(self, mock, url):
        for _ in range(2):
            mock.get(url, fault=Fault.CONNECTION_RESET)


class Large(Exchange):
    points = 2

    async def handle(self, request):
        response = web.StreamResponse()
        response.content_length = len(LARGE)
        await response.prepare(request)
        await self._points.point()
        await response.write(LARGE[:1000])
        await self._points.point()
        await response.write(LARGE[1000:])
        return response

    def register(self, mock, url):
        mock.get(url, body=LARGE)


EXCHANGES = [
    Plain, Waiting, Posted, Continued, Uploaded, Redirected, Streamed, Broken, Unanswered, UnansweredAtOnce, Large,
]


async def close_session(asked, mock=None):
    await asked.session.close()


async def close_connector(asked, mock=None):
    await asked.session.connector.close()


async def cancel(asked, mock=None):
    asked.task.cancel()


async def close_response(asked, mock=None):
    if asked.response is not None:
        asked.response.close()


async def release_response(asked, mock=None):
    if asked.response is not None:
        asked.response.release()


async def stop_mock(asked, mock):
    mock.stop()


ENDS = [close_session, close_connector, cancel, close_response, release_response]


def after(turns):
    async def ready(asked, points):
        for _ in range(turns):
            await asyncio.sleep(0)

    return ready


async def when_over(asked, points):
    await asyncio.wait([asked.task])


async def when_held(asked, points):
    reached = asyncio.ensure_future(points.is_reached.wait())
    # Old clients do not try again, so that they never come to the point of the second attempt.
    await asyncio.wait([reached, asked.task], return_when=asyncio.FIRST_COMPLETED)
    reached.cancel()
    await idle()


class Asked:
    """A client in a task of its own."""

    def __init__(self, exchange, url):
        self.session = ClientSession(connector=TCPConnector())
        self.response = None
        self._exchange = exchange
        self._url = url
        self.task = asyncio.ensure_future(self._ask())

    async def _ask(self):
        async with self.session.request(self._exchange.method, self._url, **self._exchange.options()) as response:
            self.response = response
            return response.status, len(await response.read())

    async def outcome(self):
        """Return what the client has come to; whatever is left is closed."""
        for _ in range(25):
            if self.task.done():
                break
            await idle()
        else:
            self.task.cancel()
            await self.session.close()
            return WAITS
        await self.session.close()
        await idle()
        if self.task.cancelled():
            return "cancelled"
        error = self.task.exception()
        if error is None:
            return self.task.result()
        return type(error), re.sub(r"received \d+ of|ConnectionResetError\(.*?\)", "…", str(error))


class ClosingTest(ServerTestCase):
    async def asyncSetUp(self):
        async def handle(request):
            try:
                response = await self.exchange.handle(request)
            except ConnectionError:  # The client has gone.
                response = None
            return web.Response() if response is None else response

        self.url = await self.serve(web.route("*", "/{path:.*}", handle))
        self.complaints = set()
        asyncio.get_running_loop().set_exception_handler(self.note)
        self.addCleanup(setattr, sys, "unraisablehook", sys.unraisablehook)
        sys.unraisablehook = lambda unraisable: self.complaints.add(repr(unraisable.exc_value))
        # So that it takes no time to collect what an exchange leaves behind.
        gc.collect()
        gc.freeze()
        self.addCleanup(gc.unfreeze)

    def note(self, loop, context):
        self.complaints.add(f"{context['message']}: {context.get('exception')!r}")

    async def outcome(self, kind, end, ready, points, mock=None):
        """Return what a client comes to with an exchange that is ended when it is `ready`, and what is complained of.

        Returns before that whether the exchange was over by then.
        """
        self.exchange = kind(points)
        asked = Asked(self.exchange, self.url)
        await ready(asked, points)
        was_over = asked.task.done()
        await end(asked, mock)
        points.goes_on.set()
        outcome = await asked.outcome()
        del asked
        gc.collect()
        complaints, self.complaints = self.complaints, set()
        return was_over, (outcome, *sorted(complaints))

    async def outcomes_with_mock(self, kind, end):
        """Return what comes of an exchange that is ended after each number of turns, until it is over by itself."""
        outcomes = []
        was_over = False
        while not was_over:
            with contextlib.ExitStack() as stack:
                mock = aioresponses()
                mock.start()
                stack.callback(lambda: mock.active and mock.stop())
                kind(Points()).register(mock, self.url)
                was_over, outcome = await self.outcome(kind, end, after(len(outcomes)), Points(), mock)
            outcomes.append(outcome)
        return outcomes

    async def are_seen_with_server(self, kind, end, outcomes):
        """Return which of these outcomes do not come of the server."""
        unseen = set(outcomes)
        states = [(when_held, Points(number)) for number in range(kind.points)]
        states += [(when_over, Points()), *((after(turns), Points()) for turns in [*range(40)] * 5)]
        for ready, points in states:
            if not unseen:
                break
            unseen.discard((await self.outcome(kind, end, ready, points))[1])
        return unseen

    async def test_whatever_ends_an_exchange_ends_it_as_with_a_server(self):
        for kind in EXCHANGES:
            for end in ENDS:
                with self.subTest(kind.__name__, end=end.__name__):
                    outcomes = await self.outcomes_with_mock(kind, end)
                    self.assertEqual(await self.are_seen_with_server(kind, end, outcomes), set())

    async def test_a_mock_that_is_stopped_breaks_the_connection_off(self):
        for kind in EXCHANGES:
            with self.subTest(kind.__name__):
                # After no turn at all, the request goes to the server, which is not told of the mock.
                _, *outcomes = await self.outcomes_with_mock(kind, stop_mock)
                *broken, last = [(outcome[0] if isinstance(outcome[0], type) else None) for outcome, in outcomes]
                self.assertLessEqual({*broken}, {None, ClientConnectionError, ClientOSError, ClientPayloadError})
                self.assertEqual(last, kind.raises)


class ClosedMeanwhileTest(unittest.IsolatedAsyncioTestCase):
    """Another thread may stop the mock while a request asks for the stand-in of its connector."""

    async def test_stand_ins_that_are_closed_at_any_line_of_their_methods(self):
        loop = asyncio.get_running_loop()
        connector = TCPConnector()
        self.addAsyncCleanup(connector.close)

        def uses(stand_ins):
            yield "of", lambda: stand_ins.of(connector, loop)
            yield "failing", lambda: stand_ins.failing(connector, loop, None, None, self.doCleanups)
            yield "close_those_of", lambda: stand_ins.close_those_of(connector)

        for name in ("of", "failing", "close_those_of"):
            for is_used in (False, True):
                last = None
                for line in itertools.count(1):
                    stand_ins = StandIns()
                    if is_used:
                        stand_ins.failing(connector, loop, None, None, self.doCleanups)
                    seen = itertools.count(1)

                    def trace(frame, event, arg):
                        if frame.f_code is not getattr(StandIns, name).__code__:
                            return None
                        if event == "line" and next(seen) == line:
                            stand_ins.close("stopped")
                        return trace

                    before = sys.gettrace()
                    sys.settrace(trace)
                    try:
                        dict(uses(stand_ins))[name]()
                    finally:
                        sys.settrace(before)
                        stand_ins.close("over")
                    last = next(seen)
                    if last <= line:
                        break
                self.assertGreater(last, 3)
