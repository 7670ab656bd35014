"""One turn of a mock: what its callback is given and may return, and its delay."""

import asyncio
import functools

import aiohttp
from aiohttp import ClientSession, ClientTimeout, web
from yarl import URL

from aioresponses import AioResponsesTestCase, CallbackResult, Fault, aioresponses

from ..servers import ServerTestCase
from ..support import SITE, AskingTestCase, OwnResponse, get, outcome_of


class CallbacksOfTheCallTest(AskingTestCase):
    """A callback with a single parameter is given the call; any other the URL and the keyword arguments."""

    def reply(self, given):
        self.given.append(given)
        return CallbackResult(body="answered")

    def takes_call(self):
        class Callable:
            def __call__(_, call):
                return self.reply(call)

            def method(_, call):
                return self.reply(call)

            async def later(_, call):
                return self.reply(call)

            @classmethod
            def of_class(_, call):
                return self.reply(call)

        async def coroutine_function(call):
            await asyncio.sleep(0)
            return self.reply(call)

        def positional_only(call, /):
            return self.reply(call)

        def of_another_name(request):
            return self.reply(request)

        def with_default(call=None):
            return self.reply(call)

        @functools.wraps(positional_only)
        def wrapped(*args):
            return positional_only(*args)

        return [
            coroutine_function, positional_only, of_another_name, with_default, wrapped, lambda call: self.reply(call),
            functools.partial(lambda self, call: self.reply(call), self), Callable(), Callable().method,
            Callable().later, Callable.of_class, self.reply,
        ]

    def takes_url(self):
        def as_of_old(url, **kwargs):
            return self.reply((url, kwargs))

        async def later(url, **kwargs):
            return self.reply((url, kwargs))

        def any_at_all(*args, **kwargs):
            return self.reply((*args, kwargs))

        def named(url, allow_redirects, data=None):
            return self.reply((url, {"allow_redirects": allow_redirects, "data": data}))

        def of_another_name(address, **kwargs):
            return self.reply((address, kwargs))

        return [
            as_of_old, later, any_at_all, named, of_another_name,
            functools.partial(lambda self, url, **kwargs: self.reply((url, kwargs)), self),
        ]

    async def test_callbacks_that_take_the_call(self):
        for callback in self.takes_call():
            with self.subTest(callback):
                self.given = []
                self.mock.post(SITE, callback=callback)
                self.assertEqual(await self.ask("POST"), (200, "answered"))
                self.assertIs(self.given[0], self.mock.calls[-1])

    async def test_callbacks_that_take_the_url_and_the_arguments(self):
        for callback in self.takes_url():
            with self.subTest(callback):
                self.given = []
                self.mock.post(SITE, callback=callback)
                self.assertEqual(await self.ask("POST", data=None), (200, "answered"))
                self.assertEqual(self.given, [(URL(SITE), {"allow_redirects": True, "data": None})])

    async def test_what_a_callback_can_know_of_the_call(self):
        seen = []

        def callback(call):
            seen.append((
                call.method, call.url, call.headers["X-A"], call.body, dict(call.match_info), call.match, call.kwargs,
                call.response, call.exception, call.ended,
            ))

        match = self.mock.put(SITE + "{id}", callback=callback)
        await self.ask("PUT", SITE + "7", data=b"body", headers={"X-A": "1"})
        self.assertEqual(
            seen,
            [(
                "PUT", SITE + "7", "1", b"body", {"id": "7"}, match,
                {"allow_redirects": True, "data": b"body", "headers": {"X-A": "1"}}, None, None, None,
            )],
        )

    async def test_a_callback_is_given_the_hop_after_a_redirect(self):
        seen = []

        def callback(call):
            seen.append((call.method, call.url, call.previous.status, call.match_info["name"]))

        self.mock.post(SITE, status=303, headers={"Location": "/there"})
        self.mock.get(SITE + "{name}", callback=callback)
        self.assertEqual(await self.ask("POST"), (200, ""))
        self.assertEqual(seen, [("GET", SITE + "there", 303, "there")])


class AwaitedResultsTest(AskingTestCase):
    async def test_what_a_callback_returns_may_be_anything_awaitable(self):
        async def coroutine():
            return CallbackResult(body="awaited")

        def future():
            made = asyncio.get_running_loop().create_future()
            made.set_result(CallbackResult(body="awaited"))
            return made

        class Awaitable:
            def __await__(self):
                return coroutine().__await__()

        for name, callback in (
            ("coroutine", lambda call: coroutine()),
            ("task", lambda call: asyncio.ensure_future(coroutine())),
            ("future", lambda call: future()),
            ("object", lambda call: Awaitable()),
            ("in the manner of 0.7", lambda url, **kwargs: coroutine()),
        ):
            with self.subTest(name):
                self.mock.get(SITE, callback=callback)
                self.assertEqual(await self.ask(), (200, "awaited"))

    async def test_the_result_of_an_awaitable_is_checked(self):
        async def nothing():
            return None

        async def something():
            return "text"

        self.mock.get(SITE, callback=lambda call: nothing(), body="registered")
        self.mock.get(SITE, callback=lambda call: something())
        self.assertEqual(await self.ask(), (200, "registered"))
        self.assertEqual(
            await self.ask(),
            (TypeError, f"callback: expected a CallbackResult or None from the callback of GET {SITE}, got 'text'"),
        )

    async def test_the_caller_hears_of_what_is_not_a_result(self):
        for value in ("text", b"", 0, False, [], {"status": 200}, CallbackResult, ValueError("x")):
            for method in ("GET", "POST"):
                with self.subTest(value, method=method):
                    self.mock.add(SITE, method, callback=lambda call: value)
                    self.assertEqual(
                        await self.ask(method),
                        (
                            TypeError,
                            "callback: expected a CallbackResult or None from the callback of "
                            f"{method} {SITE}, got {value!r}",
                        ),
                    )

    async def test_the_message_names_the_conditions_of_the_mock(self):
        self.mock.get(SITE, match_headers={"X-A": "1"}, callback=lambda call: 5)
        self.assertEqual(
            await self.ask(headers={"X-A": "1"}),
            (
                TypeError,
                f"callback: expected a CallbackResult or None from the callback of GET {SITE}, "
                "match_headers={'X-A': '1'}, got 5",
            ),
        )

    async def test_a_result_may_be_any_reply(self):
        async def stream():
            yield "piece"

        for result, expected in (
            (dict(status=404, body="no"), (404, "no")),
            (dict(payload={"a": 1}), (200, '{"a": 1}')),
            (dict(payload=lambda call: call.url), (200, f'"{SITE}"')),
            (dict(body=stream), (200, "piece")),
            (dict(body=[b"a", "b"]), (200, "ab")),
            (dict(body=lambda call: call.url), (200, SITE)),
            (dict(events=["a"]), (200, "data: a\n\n")),
            (dict(body="text", headers={"Content-Encoding": "gzip"}), (200, "text")),
            (dict(body="text", delay=0.001), (200, "text")),
            (dict(fault=Fault.EMPTY_RESPONSE), (aiohttp.ServerDisconnectedError, "Server disconnected")),
        ):
            with self.subTest(**result):
                async def later(call):
                    return CallbackResult(**result)

                for callback in (later, lambda call: CallbackResult(**result)):
                    self.mock.post(SITE, status=500, callback=callback)
                    self.assertEqual(await self.ask("POST"), expected)

    async def test_a_result_may_choose_the_class_of_the_response_and_set_cookies(self):
        self.mock.get(SITE, callback=lambda call: CallbackResult(response_class=OwnResponse, cookies={"a": "1"}))
        async with self.session.get(SITE) as response:
            self.assertEqual((type(response), response.cookies["a"].value), (OwnResponse, "1"))

    async def test_a_result_may_be_given_many_times(self):
        result = CallbackResult(body=lambda: ["piece"], headers={"X-A": "1"}, cookies={"a": "1"})
        self.mock.get(SITE, callback=lambda call: result, repeat=True)
        self.assertEqual(await self.ask_often(3), [(200, "piece")] * 3)

    async def test_the_caller_hears_of_a_wrong_result(self):
        self.mock.get(SITE, callback=lambda call: CallbackResult(delay=-1))
        self.assertEqual(await self.ask(), (ValueError, "delay: expected seconds, 0 or more, got -1"))


class CallbackResultTest(AioResponsesTestCase):
    async def test_a_result_takes_the_place_of_the_registered_reply(self):
        self.mock.get(SITE, status=500, callback=lambda url, **kwargs: CallbackResult(body=str(url)))
        self.assertEqual(await get(), SITE)

    async def test_a_result_of_none_leaves_the_registered_reply(self):
        self.mock.get(SITE, body="registered", callback=lambda url, **kwargs: None)
        self.assertEqual(await get(), "registered")


class DelayTest(AskingTestCase):
    virtual_time = True

    async def ended(self, *urls, **options):
        """Return when requests that were made at once came to an end, in this order, and what they came to."""
        order = []
        began = self.clock.elapsed

        async def one(name):
            outcome = await outcome_of(self.session, url=SITE + name, **options)
            order.append((name, round(self.clock.elapsed - began, 6), *outcome))

        await asyncio.wait_for(asyncio.gather(*map(one, urls)), 100)
        return order

    async def test_a_reply_with_a_longer_delay_comes_later(self):
        def later(delay):
            async def callback(call):
                return CallbackResult(delay=delay)

            return callback

        for name, replies in (
            ("replies", ({"delay": 3}, {"delay": 0.5}, {})),
            ("zero", ({"delay": 3.0}, {"delay": 0.5}, {"delay": 0})),
            ("callbacks", tuple({"callback": later(delay)} for delay in (3, 0.5, 0))),
            ("plain callbacks", tuple({"callback": lambda call: None, "delay": delay} for delay in (3, 0.5, 0))),
            ("sequence", tuple({"replies": [{"delay": delay}]} for delay in (3, 0.5, 0))),
        ):
            with self.subTest(name):
                for path, reply in zip("abc", replies):
                    self.mock.get(SITE + path, **reply)
                self.assertEqual(
                    await self.ended("a", "b", "c"), [("c", 0, 200, ""), ("b", 0.5, 200, ""), ("a", 3, 200, "")]
                )

    async def test_exceptions_are_delayed(self):
        error = LookupError("late")
        for name, reply, expected in (
            ("exception", {"exception": error}, (LookupError, "late")),
            ("class", {"exception": LookupError}, (LookupError, "")),
            ("timeout", {"timeout": True}, (asyncio.TimeoutError, "")),
            ("with a callback", {"exception": error, "callback": lambda call: None}, (LookupError, "late")),
            (
                "of aiohttp",
                {"exception": aiohttp.ServerDisconnectedError()},
                (aiohttp.ServerDisconnectedError, "Server disconnected"),
            ),
            ("of the system", {"exception": OSError(5, "late")}, (OSError, "[Errno 5] late")),
        ):
            with self.subTest(name):
                match = self.mock.get(SITE + "a", delay=3, **reply)
                self.mock.get(SITE + "b", delay=0.5)
                self.mock.get(SITE + "c", **reply)
                self.assertEqual(
                    await self.ended("a", "b", "c"), [("c", 0, *expected), ("b", 0.5, 200, ""), ("a", 3, *expected)]
                )
                self.assertEqual(match.call_count, 1)

    async def test_the_request_is_recorded_during_the_delay(self):
        self.mock.post(SITE, delay=60)
        task = asyncio.ensure_future(outcome_of(self.session, "POST", data=b"body"))
        while not self.mock.calls or not self.mock.calls[0].body:
            await asyncio.sleep(0)
        self.assertEqual((self.mock.calls[0].body, self.mock.calls[0].ended), (b"body", None))
        task.cancel()
        self.assertEqual(await task, (asyncio.CancelledError, ""))

    async def test_a_callback_runs_before_the_delay(self):
        order = []

        async def other():
            order.append("other")

        def callback(call):
            order.append("callback")
            others.append(asyncio.ensure_future(other()))

        others = []
        self.mock.get(SITE, delay=60, callback=callback)
        await self.ask()
        order.append("reply")
        self.assertEqual(order, ["callback", "other", "reply"])

    async def test_the_delay_of_the_result_of_a_callback_takes_precedence_over_that_of_the_mock(self):
        self.mock.get(SITE, delay=60, callback=lambda call: CallbackResult(body="at once"))
        self.assertEqual(await self.ask(), (200, "at once"))
        self.assertEqual(self.clock.elapsed, 0)

    async def test_stopping_the_mock_ends_a_delay(self):
        mock = aioresponses()
        mock.start()
        mock.get(SITE, delay=60, callback=lambda call: begun.set())
        begun = asyncio.Event()
        task = asyncio.ensure_future(outcome_of(self.session))
        await begun.wait()
        mock.stop()
        self.assertEqual(
            await task, (aiohttp.ClientConnectionError, "aioresponses was stopped while this request was in flight")
        )
        self.assertEqual(self.clock.elapsed, 0)


class DelayLikeAServerTest(ServerTestCase):
    async def test_the_timeouts_of_the_client_fire_as_they_would(self):
        async def handle(request):
            await release.wait()
            return web.Response(body=b"late")

        release = asyncio.Event()
        self.addCleanup(release.set)
        url = await self.serve(web.route("*", "/", handle))
        # Before the server is closed, which waits for its handlers.
        self.addAsyncCleanup(self._set, release)
        replies = ({}, {"exception": LookupError()}, {"fault": Fault.CONNECTION_RESET}, {"body": lambda: "x"})
        for method in ("GET", "POST"):
            for reply in replies:
                for limits in ({"total": 0.03}, {"sock_read": 0.03}, {"total": 60, "connect": 5, "sock_read": 0.03}):
                    with self.subTest(method, **reply, **limits):
                        async def scenario():
                            async with ClientSession() as session:
                                return await outcome_of(session, method, url, timeout=ClientTimeout(**limits))

                        await self.compare(
                            scenario, lambda mock: mock.add(url, method, delay=60, **reply), what_came_in=False
                        )

    async def _set(self, event):
        event.set()

    async def test_a_delay_that_the_client_sits_out(self):
        async def handle(request):
            await asyncio.sleep(0.001)
            return web.Response(body=b"late", headers={"Content-Type": "text/plain"})

        url = await self.serve(web.route("*", "/", handle))

        async def scenario():
            async with ClientSession() as session:
                return [await outcome_of(session, "GET", url, timeout=ClientTimeout(total=60)) for _ in range(2)]

        await self.compare(scenario, lambda mock: mock.get(url, delay=0.001, body="late", repeat=True))
