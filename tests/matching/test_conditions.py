"""What a condition raises reaches the code under test as it is."""

import aiohttp

from aioresponses import AioResponsesTestCase

from ..support import SITE


class RaisingTest(AioResponsesTestCase):
    assert_all_mocked = False  # What no mock answers is looked at here.

    async def check(self, error, conditions, argument, **request):
        seen = []

        async def note(session, context, params):
            seen.append(params.exception)

        tracing = aiohttp.TraceConfig()
        tracing.on_request_exception.append(note)
        for method in ("GET", "POST"):  # aiohttp tries a GET once more for some of its errors.
            with self.subTest(error=error, method=method):
                self.mock.clear()
                error.__notes__ = []
                seen.clear()
                match = self.mock.add(SITE, method, **conditions)
                with self.assertRaises(type(error)) as raised:
                    await self.client_session(trace_configs=[tracing]).request(method, SITE, **request)
                self.assertIs(raised.exception, error)
                self.assertEqual(
                    error.__notes__, [f"aioresponses: raised by {argument} of the mock {match}"]
                )
                self.assertEqual((match.call_count, self.mock.calls[-1].unmatched), (0, False))
                self.assertIs(self.mock.calls[-1].exception, error)
                self.assertEqual(seen, [error])

    async def test_what_a_function_raises_reaches_the_caller_as_it_is(self):
        for error in (
            RuntimeError("no"),
            KeyError("no"),
            OSError(5, "no"),
            ConnectionResetError("no"),
            TimeoutError("no"),
            aiohttp.ClientOSError(5, "no"),
            aiohttp.ClientConnectionError("no"),
            aiohttp.ServerDisconnectedError("no"),
            aiohttp.ClientPayloadError("no"),
            aiohttp.http.HttpProcessingError(message="no"),
        ):
            def condition(call, error=error):
                raise error

            await self.check(error, {"match": condition}, "match")

    async def test_what_a_comparison_raises_reaches_the_caller_as_it_is(self):
        class Raising:
            __hash__ = None

            def __init__(self):
                self.error = ZeroDivisionError("no")

            def __eq__(self, other):
                raise self.error

            def __repr__(self):
                return "Raising()"

        for argument, wrap, request in [
            ("match_query", lambda one: {"a": one}, {"params": {"a": "1"}}),
            ("match_headers", lambda one: {"Accept": one}, {}),
            ("match_json", lambda one: {"a": one}, {"json": {"a": 1}}),
            ("match_json", lambda one: one, {"json": {"a": 1}}),
            ("match_form", lambda one: {"a": one}, {"data": {"a": "1"}}),
            ("match_body", lambda one: one, {"data": b"1"}),
        ]:
            with self.subTest(argument=argument):
                raising = Raising()
                await self.check(raising.error, {argument: wrap(raising)}, argument, **request)

    async def test_a_function_that_returns_an_awaitable_is_refused(self):
        async def asks(call):
            return True

        def condition(call):
            return asks(call)

        self.mock.get(SITE, match=condition)
        with self.assertRaises(TypeError) as raised:
            await self.client_session().get(SITE)
        self.assertEqual(
            (str(raised.exception), raised.exception.__notes__),
            (
                "match: expected True, False or (False, 'why not') from condition, got an awaitable",
                ["aioresponses: raised by match of the mock GET http://example.com/, match=condition"],
            ),
        )

    async def test_the_note_says_that_a_mock_which_is_used_up_would_raise(self):
        answers = [True]

        def condition(call):
            return answers.pop()

        self.mock.get(SITE, match=condition)
        session = self.client_session()
        await session.get(SITE)
        with self.assertRaises(aiohttp.ClientConnectionError) as raised:
            await session.get(SITE)
        self.assertEqual(
            raised.exception.__notes__,
            [
                "aioresponses: no mock answers GET http://example.com/\n"
                "Registered mocks, the closest first:\n"
                "  GET http://example.com/, match=condition: raised IndexError('pop from empty list')"
            ],
        )
