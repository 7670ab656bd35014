"""One call on its way: whose exceptions it raises, who answers it, what goes to the network, and how it may end."""

import asyncio
import contextvars
import gc
import unittest
import warnings

import aiohttp
from aiohttp import ClientConnectionError, ClientRequest, ClientSession, ClientTimeout, TraceConfig, web
from aiohttp.http import HttpProcessingError

from aioresponses import aioresponses

from .servers import ServerTestCase
from .support import AT_MOST, SEND, SITE, MockedTestCase, Uncaught, error_of, exceptions, needs_middlewares, text_of


class ExceptionsTest(MockedTestCase):
    async def check(self, exception, method="GET", **kwargs):
        """Check that a request raises just this object, and that nothing else is used or recorded by it."""
        calls = self.mock.call_count
        first = self.mock.add(SITE, method, exception=exception)
        second = self.mock.add(SITE, method, body="second")
        self.assertIs(await self.raised_by(method, **kwargs), exception)
        self.assertEqual([first.call_count, second.call_count], [1, 0])
        self.assertEqual(self.mock.call_count, calls + 1)
        call = self.mock.calls[-1]
        self.assertIs(call.exception, exception)
        self.assertIsNone(call.response)
        self.assertIs(call.match, first)
        self.assertEqual(list(call.hops), [call])
        self.assertEqual(await text_of(self.session, method=method), "second")

    async def test_an_instance_is_raised_as_it_is_and_its_mock_is_used_once(self):
        for method in ("GET", "POST", "DELETE"):
            for exception in exceptions():
                with self.subTest(repr(exception), method=method):
                    await self.check(exception, method)

    async def test_an_instance_is_raised_as_it_is_where_a_body_was_sent(self):
        for exception in exceptions():
            with self.subTest(repr(exception)):
                await self.check(exception, "PUT", json={"name": "Ada"})

    async def test_a_class_is_instantiated(self):
        for raised in (
            Exception,
            OSError,
            ConnectionResetError,
            TimeoutError,
            asyncio.TimeoutError,
            asyncio.CancelledError,
            aiohttp.ClientOSError,
            aiohttp.ServerDisconnectedError,
            aiohttp.ClientPayloadError,
            Uncaught,
        ):
            with self.subTest(raised.__name__):
                first = self.mock.get(SITE, exception=raised)
                second = self.mock.get(SITE, body="second")
                exception = await self.raised_by()
                self.assertIs(type(exception), raised)
                self.assertIs(self.mock.calls[-1].exception, exception)
                self.assertEqual([first.call_count, second.call_count], [1, 0])
                self.assertEqual(await text_of(self.session), "second")

    async def test_an_exception_carries_nothing_of_aiohttp(self):
        for exception in exceptions():
            with self.subTest(repr(exception)):
                self.mock.get(SITE, exception=exception)
                raised = await self.raised_by()
                self.assertIsNone(raised.__cause__)
                self.assertIsNone(raised.__context__)

    async def test_an_exception_keeps_its_own_cause(self):
        cause = ValueError("cause")
        for exception in exceptions():
            with self.subTest(repr(exception)):
                exception.__cause__ = cause
                self.mock.get(SITE, exception=exception)
                self.assertIs((await self.raised_by()).__cause__, cause)

    async def test_the_same_instance_may_be_raised_again(self):
        for exception in exceptions():
            with self.subTest(repr(exception)):
                url = f"{SITE}{type(exception).__name__}"
                repeated = self.mock.get(url, exception=exception, repeat=True)
                for _ in range(2):
                    self.assertIs(await self.raised_by(url=url), exception)
                self.assertEqual(repeated.call_count, 2)
                self.mock.clear()

    async def test_an_exception_is_raised_after_a_redirect(self):
        for exception in exceptions():
            with self.subTest(repr(exception)):
                self.mock.get(SITE, status=302, headers={"Location": "/there"})
                first = self.mock.get(f"{SITE}there", exception=exception)
                second = self.mock.get(f"{SITE}there")
                self.assertIs(await self.raised_by(), exception)
                self.assertEqual([first.call_count, second.call_count], [1, 0])
                self.assertEqual([hop.url for hop in self.mock.calls[-1].hops], [SITE, f"{SITE}there"])
                self.mock.clear()

    async def test_a_trace_sees_just_the_exception(self):
        async def on_request_exception(session, context, params):
            seen.append(params.exception)

        seen = []
        trace = TraceConfig()
        trace.on_request_exception.append(on_request_exception)
        session = self.new_session(trace_configs=[trace])
        for exception in exceptions():
            with self.subTest(repr(exception)):
                seen.clear()
                self.mock.get(SITE, exception=exception)
                await self.raised_by(session=session)
                self.assertEqual(len(seen), 1)
                self.assertIs(seen[0], exception)

    async def test_several_traces_see_just_the_exception(self):
        async def on_request_exception(session, context, params):
            seen.append(params.exception)

        seen = []
        traces = [TraceConfig(), TraceConfig()]
        for trace in traces:
            trace.on_request_exception.append(on_request_exception)
        session = self.new_session(trace_configs=traces)
        for exception in (OSError("wrong"), HttpProcessingError(code=400, message="wrong")):
            seen.clear()
            self.mock.get(SITE, exception=exception)
            await self.raised_by(session=session)
            self.assertEqual([id(one) for one in seen], [id(exception)] * 2)

    @needs_middlewares
    async def test_middlewares_see_just_the_exception(self):
        async def middleware(request, handler):
            try:
                return await handler(request)
            except BaseException as error:
                seen.append(error)
                raise

        seen = []
        session = self.new_session(middlewares=(middleware,))
        for exception in exceptions():
            # aiohttp itself makes a ClientResponseError of this one, below the middlewares.
            if not isinstance(exception, HttpProcessingError):
                with self.subTest(repr(exception)):
                    seen.clear()
                    self.mock.get(SITE, exception=exception)
                    self.assertIs(await self.raised_by(session=session), exception)
                    # aiohttp tries some of them again, middlewares and all.
                    self.assertEqual({id(error) for error in seen}, {id(exception)})

    @needs_middlewares
    async def test_a_middleware_that_tries_again_is_answered_by_the_next_mock(self):
        async def middleware(request, handler):
            try:
                return await handler(request)
            except BaseException:
                return await handler(request)

        session = self.new_session(middlewares=(middleware,))
        for exception in exceptions():
            with self.subTest(repr(exception)):
                first = self.mock.get(SITE, exception=exception)
                second = self.mock.get(SITE, body="second")
                self.assertEqual(await text_of(session), "second")
                self.assertEqual([first.call_count, second.call_count], [1, 1])

    @needs_middlewares
    async def test_a_middleware_that_tries_again_may_be_answered_by_another_exception(self):
        async def middleware(request, handler):
            try:
                return await handler(request)
            except aiohttp.ServerDisconnectedError:
                return await handler(request)

        session = self.new_session(middlewares=(middleware,))
        exception = aiohttp.ClientOSError(5, "Input/output error")
        self.mock.get(SITE, exception=aiohttp.ServerDisconnectedError())
        self.mock.get(SITE, exception=exception)
        third = self.mock.get(SITE)
        self.assertIs(await self.raised_by(session=session), exception)
        self.assertEqual(third.called, False)

    async def test_timeout_raises_a_timeout_error_and_its_mock_is_used_once(self):
        for method in ("GET", "POST"):
            with self.subTest(method):
                first = self.mock.add(SITE, method, timeout=True)
                second = self.mock.add(SITE, method, body="second")
                exception = await self.raised_by(method)
                self.assertIs(type(exception), asyncio.TimeoutError)
                self.assertIsNone(exception.__cause__)
                self.assertIsNone(exception.__context__)
                self.assertEqual([first.call_count, second.call_count], [1, 0])
                self.assertEqual(await text_of(self.session, method=method), "second")

    async def test_timeout_comes_after_an_exception_of_an_earlier_call(self):
        exception = aiohttp.ServerDisconnectedError()
        self.mock.get(SITE, exception=exception)
        self.mock.get(SITE, timeout=True)
        self.mock.get(SITE, body="third")
        self.assertIs(await self.raised_by(), exception)
        self.assertIs(type(await self.raised_by()), asyncio.TimeoutError)
        self.assertEqual(await text_of(self.session), "third")

    async def test_an_exception_of_one_call_does_not_reach_another_that_runs_beside_it(self):
        async def callback(url, **kwargs):
            await asyncio.sleep(0)

        raised = exceptions()
        for number, exception in enumerate(raised):
            self.mock.get(f"{SITE}{number}", exception=exception, callback=callback)
        tasks = [asyncio.ensure_future(self.raised_by(url=f"{SITE}{number}")) for number in range(len(raised))]
        self.assertEqual([id(error) for error in await asyncio.gather(*tasks)], [id(error) for error in raised])

    async def test_the_connection_of_an_exception_serves_no_other_request(self):
        self.mock.get(SITE, exception=ValueError("wrong"))
        self.mock.get(SITE, body="second")
        session = self.new_session(connector=aiohttp.TCPConnector(limit=1))
        await self.raised_by(session=session)
        self.assertEqual(await asyncio.wait_for(text_of(session), AT_MOST), "second")


@needs_middlewares
class DealtWithTest(unittest.IsolatedAsyncioTestCase):
    async def test_an_exception_that_a_middleware_has_dealt_with_is_not_raised_again(self):
        async def ask_elsewhere(request, handler):
            try:
                return await handler(request)
            except aiohttp.ClientOSError:
                return await plain.get(SITE + "alternative", allow_redirects=False)

        with aioresponses() as mock:
            mock.get(SITE, exception=aiohttp.ClientOSError(1, "no"))
            mock.get(SITE + "alternative", status=302, headers={"Location": SITE + "final"})
            mock.get(SITE + "final", body="final")
            async with ClientSession() as plain, ClientSession(middlewares=[ask_elsewhere]) as session:
                async with session.get(SITE) as response:
                    self.assertEqual(await response.text(), "final")


class PassthroughTest(ServerTestCase):
    async def asyncSetUp(self):
        async def real(request):
            return web.Response(text=f"real {request.path_qs}")

        async def redirect(request):
            raise web.HTTPFound(SITE)

        async def echo(request):
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await socket.send_str("real " + await socket.receive_str())
            await socket.close()
            return socket

        self.url = await self.serve(
            web.get("/", real), web.get("/redirect", redirect), web.get("/socket", echo), web.post("/", real)
        )
        self.session = ClientSession()
        self.addAsyncCleanup(self.session.close)

    def start(self, **settings):
        mock = aioresponses(**settings)
        mock.start()
        self.addCleanup(mock.stop)
        return mock

    async def test_a_prefix_sends_requests_to_the_network(self):
        for prefix in (str(self.url), self.url, "http://127.0.0.1"):
            with self.subTest(prefix), aioresponses(passthrough=[prefix]) as mock:
                mock.get(self.url, body="mocked")
                mock.get(SITE, body="mocked")
                self.assertEqual(await text_of(self.session, self.url), "real /")
                self.assertEqual(await text_of(self.session), "mocked")

    async def test_a_single_prefix_may_be_given_without_a_list(self):
        self.start(passthrough="http://127.0.0.1")
        self.assertEqual(await text_of(self.session, self.url), "real /")
        with self.assertRaises(ClientConnectionError):
            await self.session.get(SITE)

    async def test_what_no_prefix_covers_is_refused(self):
        self.start(passthrough=["http://127.0.0.1/other"])
        with self.assertRaises(ClientConnectionError) as caught:
            await self.session.get(self.url)
        self.assertEqual(str(caught.exception), f"Connection refused: GET {self.url}")

    async def test_what_no_mock_answers_goes_to_the_network_with_passthrough_unmatched(self):
        mock = self.start(passthrough_unmatched=True)
        mock.get(self.url, body="mocked")
        self.assertEqual(await text_of(self.session, self.url), "mocked")
        self.assertEqual(await text_of(self.session, self.url), "real /")

    async def test_params_of_a_request_that_passes_through_are_kept(self):
        self.start(passthrough=[self.url])
        self.assertEqual(await text_of(self.session, self.url, params={"b": "2", "a": "1"}), "real /?b=2&a=1")

    async def test_calls_that_pass_through_are_recorded(self):
        mock = self.start(passthrough=[self.url])
        await text_of(self.session, self.url, params={"b": "2", "a": "1"})
        await text_of(self.session, self.url, "POST", data=b"some")
        self.assertEqual(
            {key: [call.kwargs for call in calls] for key, calls in mock.requests.items()},
            {
                ("GET", self.url.with_query("a=1&b=2")): [
                    {"allow_redirects": True, "params": {"b": "2", "a": "1"}}
                ],
                ("POST", self.url): [{"allow_redirects": True, "data": b"some"}],
            },
        )
        self.assertEqual([call.response.status for call in mock.calls], [200, 200])
        self.assertEqual([call.body for call in mock.calls], [b"", b"some"])
        self.assertEqual([call.match for call in mock.calls], [None, None])

    async def test_web_sockets_go_to_the_network(self):
        http_url = self.url / "socket"
        ws_url = http_url.with_scheme("ws")
        for url, prefix in ((http_url, "http://127.0.0.1"), (ws_url, "ws://127.0.0.1")):
            with self.subTest(str(url)), aioresponses(passthrough=[prefix]):
                async with self.session.ws_connect(url) as socket:
                    await socket.send_str("hello")
                    self.assertEqual(await socket.receive_str(), "real hello")

    async def test_a_mock_may_redirect_to_the_real_server(self):
        mock = self.start(passthrough=[self.url])
        mock.get(SITE, status=302, headers={"Location": str(self.url)})
        self.assertEqual(await text_of(self.session), "real /")
        self.assertEqual([hop.url for hop in mock.calls[0].hops], [SITE, str(self.url)])

    async def test_the_real_server_may_redirect_to_a_mock(self):
        mock = self.start(passthrough=[self.url])
        mock.get(SITE, body="mocked")
        self.assertEqual(await text_of(self.session, self.url / "redirect"), "mocked")
        self.assertEqual(mock.call_count, 1)


class AfterTheCallTest(ServerTestCase):
    """Something that a call has left behind asks for a connection once more, after the call has ended."""

    async def asyncSetUp(self):
        async def real(request):
            self.served.append(request.path)
            return web.Response(text="real")

        self.served = []
        self.url = await self.serve(web.get("/{path:.*}", real))

    def leaving(self, kept):
        """Return a class of requests that leave a task behind, which waits for the call to end."""

        class Leaving(ClientRequest):
            async def ask_again(self):
                await ended.wait()
                connection = await session.connector.connect(self, traces=[], timeout=ClientTimeout())
                connection.close()

        async def send(request, connection):
            kept.append((asyncio.ensure_future(request.ask_again()), request))
            return await getattr(ClientRequest, SEND)(request, connection)

        setattr(Leaving, SEND, send)
        ended = asyncio.Event()
        session = ClientSession(request_class=Leaving)
        self.addAsyncCleanup(session.close)
        return session, ended

    async def test_the_request_is_a_call_of_its_own_and_nothing_goes_to_the_network(self):
        kept = []
        session, ended = self.leaving(kept)
        with aioresponses() as mock:
            mock.get(self.url, body="mocked", repeat=2)
            self.assertEqual(await text_of(session, self.url), "mocked")
            ended.set()
            [(task, _)] = kept
            self.assertIsNone(await error_of(task))
            self.assertEqual([call.url for call in mock.calls], [str(self.url)] * 2)
            self.assertEqual(list(mock.calls[0].hops), [mock.calls[0]])
            # The mock is used up by these two.
            async with ClientSession() as other:
                with self.assertRaises(ClientConnectionError):
                    await other.get(self.url)
        self.assertEqual(self.served, [])

    async def test_a_request_left_by_a_redirect_or_by_a_call_that_failed_is_refused_like_any_other(self):
        kept = []
        session, ended = self.leaving(kept)
        with aioresponses() as mock:
            mock.get(self.url, status=302, headers={"Location": "/there"})
            mock.get(self.url / "there", exception=ValueError("wrong"))
            with self.assertRaises(ValueError):
                await session.get(self.url)
            ended.set()
            self.assertEqual(
                [await error_of(task) for task, _ in kept],
                [
                    (ClientConnectionError, f"Connection refused: GET {self.url}"),
                    (ClientConnectionError, f"Connection refused: GET {self.url}there"),
                ],
            )
            self.assertEqual([call.unmatched for call in mock.calls], [False, True, True])
        self.assertEqual(self.served, [])

    async def test_a_request_that_is_made_while_the_call_goes_on_is_one_of_the_call(self):
        async def callback(url, **kwargs):
            ended.set()
            [(task, _)] = kept
            ends.append(await error_of(asyncio.wait_for(asyncio.shield(task), AT_MOST)))

        kept, ends = [], []
        session, ended = self.leaving(kept)
        with aioresponses() as mock:
            mock.get(self.url, callback=callback, repeat=True)
            self.assertEqual((await session.get(self.url)).status, 200)
            self.assertEqual(ends, [None])
            self.assertEqual([hop.url for hop in mock.calls[0].hops], [str(self.url)] * 2)
        self.assertEqual(self.served, [])

    @needs_middlewares
    async def test_a_request_of_a_task_that_a_middleware_has_left_is_refused_like_any_other(self):
        async def middleware(request, handler):
            async def ask_again():
                await ended.wait()
                await session.connector.connect(request, traces=[], timeout=ClientTimeout())

            tasks.append(asyncio.ensure_future(ask_again()))
            return await handler(request)

        ended, tasks = asyncio.Event(), []
        with aioresponses() as mock:
            mock.get(self.url, body="mocked")
            async with ClientSession(middlewares=[middleware]) as session:
                self.assertEqual(await text_of(session, self.url), "mocked")
                ended.set()
                self.assertEqual(
                    await error_of(tasks[0]),
                    (ClientConnectionError, f"Connection refused: GET {self.url}"),
                )
        self.assertEqual(self.served, [])

    async def test_a_call_by_a_task_that_was_left_behind_is_a_call_of_its_own(self):
        async def send(request, connection):
            tasks.append(asyncio.ensure_future(ask_later()))
            return await getattr(ClientRequest, SEND)(request, connection)

        async def ask_later():
            await ended.wait()
            return await text_of(plain, self.url / "later")

        ended, tasks = asyncio.Event(), []
        with aioresponses() as mock:
            mock.get(self.url, body="mocked")
            mock.get(self.url / "later", body="later")
            leaving = type("Leaving", (ClientRequest,), {SEND: send})
            async with ClientSession(request_class=leaving) as session, ClientSession() as plain:
                self.assertEqual(await text_of(session, self.url), "mocked")
                ended.set()
                self.assertEqual(await tasks[0], "later")
            self.assertEqual([call.url for call in mock.calls], [str(self.url), str(self.url / "later")])
        self.assertEqual(self.served, [])


class StoppedOuterMockTest(unittest.IsolatedAsyncioTestCase):
    """The mock around the innermost is stopped while a call is on its way."""

    async def test_a_stopped_outer_mock_answers_no_further_request_and_lets_none_through(self):
        for options in ({}, {"passthrough_unmatched": True}, {"passthrough": [SITE]}):
            with self.subTest(options):
                outer = aioresponses(**options)
                outer.start()
                answering = outer.get(SITE + "target", body="outer")

                def stop_outer(call, outer=outer):
                    outer.stop()

                with aioresponses() as inner:
                    inner.get(SITE + "start", status=302, headers={"Location": "/target"}, callback=stop_outer)
                    async with ClientSession() as session:
                        with self.assertRaises(ClientConnectionError) as caught:
                            await session.get(SITE + "start")
                self.assertEqual(str(caught.exception), f"Connection refused: GET {SITE}target")
                self.assertEqual(answering.call_count, 0)


class AbandonedTest(MockedTestCase):
    """The coroutine of a request is closed before it has come to its end."""

    async def asyncSetUp(self):
        async def callback(url, **kwargs):
            self.began = True
            try:
                await asyncio.Event().wait()
            finally:
                self.ended += 1

        await super().asyncSetUp()
        self.callback = callback
        self.began, self.ended = False, 0

    async def drive(self, coroutine, context):
        """Run a coroutine, as a task would, until the callback waits."""
        waits_for = context.run(coroutine.send, None)
        for _ in range(1000):
            if self.began:
                return
            await asyncio.sleep(0)
            if waits_for is None or waits_for.done():
                waits_for = context.run(coroutine.send, None)
        self.fail("The callback was never called")

    async def abandon(self, session, method, start_in, close_in):
        """Close a request in one context that was begun in another; neither the loop nor a warning may complain."""
        def note(loop, context):
            complaints.append(context["message"])

        complaints = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(note)
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                coroutine = session.request(method, SITE, data=b"body" if method == "POST" else None)
                await self.drive(coroutine, start_in)
                close_in.run(coroutine.close)
                del coroutine
                gc.collect()
                await asyncio.sleep(0)
        finally:
            loop.set_exception_handler(None)
        self.assertEqual((complaints, [str(one.message) for one in caught]), ([], []))

    async def test_the_next_request_is_answered_whatever_the_contexts(self):
        one, other = contextvars.copy_context(), contextvars.copy_context()
        for method in ("GET", "POST"):
            for start_in, close_in in ((one, one), (one, other)):
                for options in ({}, {"limit": 1}, {"limit_per_host": 1}):
                    with self.subTest(method, same=start_in is close_in, **options):
                        self.began, self.ended = False, 0
                        session = self.new_session(connector=aiohttp.TCPConnector(**options))
                        self.mock.add(SITE, method, callback=self.callback)
                        await self.abandon(session, method, start_in, close_in)
                        self.assertEqual(self.ended, 1)
                        call = self.mock.calls[-1]
                        self.assertEqual((type(call.exception), call.response), (GeneratorExit, None))
                        self.assertIsNotNone(call.ended)
                        self.mock.add(SITE, method, body="next")
                        self.assertEqual(await asyncio.wait_for(text_of(session, method=method), AT_MOST), "next")

    async def test_the_next_request_is_answered_in_the_context_that_it_was_begun_in(self):
        context = contextvars.copy_context()
        self.mock.get(SITE, callback=self.callback)
        self.mock.get(SITE, body="next")
        await self.abandon(self.session, "GET", context, contextvars.copy_context())
        asked = context.run(asyncio.ensure_future, text_of(self.session))
        self.assertEqual(await asyncio.wait_for(asked, AT_MOST), "next")
        self.assertEqual([str(call) for call in self.mock.calls][1:], [f"GET {SITE} -> 200"])

    async def test_a_request_that_waits_for_the_connection_gets_it(self):
        session = self.new_session(connector=aiohttp.TCPConnector(limit=1))
        self.mock.get(SITE, callback=self.callback)
        self.mock.get(SITE, body="next")
        coroutine = session.request("GET", SITE)
        context = contextvars.copy_context()
        await self.drive(coroutine, context)
        asked = asyncio.ensure_future(text_of(session))
        await asyncio.sleep(0)
        contextvars.copy_context().run(coroutine.close)
        self.assertEqual(await asyncio.wait_for(asked, AT_MOST), "next")
