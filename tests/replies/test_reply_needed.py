"""What a reply needs: beside an exception or a callback, what is not needed is not looked at."""

import asyncio
import unittest

import aiohttp
from aiohttp import ClientSession, web
from multidict import CIMultiDict

from aioresponses import CallbackResult, Fault, aioresponses

from ..servers import ServerTestCase, seen
from ..support import SITE, AskingTestCase, error_of

# Each makes a reply that cannot be sent.
WRONG = {
    "status": "200",
    "body": object(),
    "payload": object(),
    "headers": {"X-A": "a\r\nb"},
    "content_type": 5,
    "cookies": 5,
    "events": [object()],
    "reason": "a\r\nb",
    "response_class": dict,
}


class BesideAnExceptionTest(AskingTestCase):
    async def test_anything_is_taken(self):
        for failing, expected in (
            ({"exception": OSError("broken")}, (OSError, "broken")),
            ({"exception": LookupError}, (LookupError, "")),
            ({"timeout": True}, (asyncio.TimeoutError, "")),
            ({"timeout": True, "exception": 5}, (asyncio.TimeoutError, "")),
        ):
            for others in (*({name: value} for name, value in WRONG.items()), WRONG, dict.fromkeys(WRONG)):
                with self.subTest(failing, **others):
                    self.mock.get(SITE, **failing, **others)
                    self.mock.get(SITE, replies=[{**failing, **others}])
                    self.assertEqual(await self.ask_often(2), [expected] * 2)

    async def test_an_iterator_may_be_repeated_that_is_never_sent(self):
        self.mock.get(SITE, exception=LookupError, body=iter("x"), repeat=True)
        self.assertEqual(await self.ask_often(3), [(LookupError, "")] * 3)

    def test_what_it_needs_is_looked_at(self):
        for failing in ({"exception": OSError}, {"timeout": True}):
            for others, error, message in (
                ({"delay": -1}, ValueError, "delay: expected seconds, 0 or more, got -1"),
                ({"delay": "1", "callback": lambda call: None}, TypeError, "delay: expected seconds, got '1'"),
                ({"callback": 5}, TypeError, "callback: expected a function or a coroutine function, got 5"),
                (
                    {"fault": Fault.HANG}, ValueError,
                    f"{list(failing)[0]} cannot be combined with fault: a reply can fail in only one way",
                ),
                ({"repeat": 0}, ValueError, "repeat: expected a bool, or an int of at least 1, got 0"),
                ({"optional": 5}, TypeError, "optional: expected a bool, got 5"),
                ({"match_body": 5}, TypeError, "match_body: expected bytes, text or a compiled pattern, got 5"),
            ):
                with self.subTest(failing, **others):
                    with self.assertRaises(error) as raised:
                        self.mock.get(SITE, **failing, **others)
                    self.assertEqual(str(raised.exception), message)


class BesideACallbackTest(AskingTestCase):
    maxDiff = None

    async def test_anything_is_taken_while_its_result_is_the_reply(self):
        async def later(call):
            return created

        created = CallbackResult(status=201)
        for callback in (lambda call: created, lambda url, **kwargs: created, later):
            for others in (*({name: value} for name, value in WRONG.items()), WRONG, {"delay": "1"}, {"fault": "x"}):
                with self.subTest(callback, **others):
                    self.mock.get(SITE, callback=callback, **others)
                    self.mock.get(SITE, replies=[{"callback": callback, **others}])
                    self.assertEqual(await self.ask_often(2), [(201, "")] * 2)

    async def test_what_is_wrong_is_raised_if_it_returns_none(self):
        async def later(call):
            return None

        for name, value in {**WRONG, "delay": "1", "fault": "x"}.items():
            with self.assertRaises((TypeError, ValueError)) as raised:
                aioresponses().get(SITE, **{name: value})
            expected = type(raised.exception), str(raised.exception)
            for callback in (lambda call: None, lambda url, **kwargs: None, later):
                with self.subTest(name, callback=callback):
                    self.mock.get(SITE, callback=callback, repeat=2, **{name: value})
                    self.mock.get(SITE, replies=[{"callback": callback, name: value}])
                    # For each call anew.
                    self.assertEqual(
                        await self.ask_often(3), [expected, expected, (expected[0], f"replies[0]: {expected[1]}")]
                    )

    async def test_a_note_says_why_it_is_raised_now(self):
        self.mock.get(SITE, status="200", callback=lambda call: None, match_headers={"X-A": "1"})
        with self.assertRaises(TypeError) as raised:
            await self.session.get(SITE, headers={"X-A": "1"})
        self.assertEqual(
            raised.exception.__notes__,
            [
                f"aioresponses: the callback of the mock GET {SITE}, match_headers={{'X-A': '1'}} returned None, "
                "so its registered reply was used"
            ],
        )

    async def test_an_iterator_that_is_repeated(self):
        results = [CallbackResult(body="result"), None]
        self.mock.get(SITE, callback=lambda call: results.pop(0), body=iter("x"), repeat=2)
        self.assertEqual(await self.ask(), (200, "result"))
        self.assertEqual(
            await self.ask(),
            (
                ValueError,
                "body: an iterator can be sent only once; with repeat, pass the generator function",
            ),
        )

    async def test_what_is_right_is_sent_if_it_returns_none(self):
        self.mock.get(SITE, callback=lambda call: None, status=201, body="registered")
        self.assertEqual(await self.ask(), (201, "registered"))


class NoneTest(ServerTestCase):
    """None stands for what was not given, as a server that says nothing of it answers."""

    async def test_none_is_taken_for_an_argument_that_was_not_given(self):
        for arguments in ({"body": None}, {"status": None}, dict.fromkeys(["body", "status", "payload", "events"])):
            for result in (None, CallbackResult(**arguments)):
                with self.subTest(result, **arguments), aioresponses() as mock:
                    if result is None:
                        mock.get(SITE, **arguments)
                    else:
                        mock.get(SITE, callback=lambda call: result)
                    mock.get(SITE)
                    async with ClientSession() as session:
                        given, plain = [await seen(await session.get(SITE)) for _ in range(2)]
                    self.assertEqual(given, plain)
                    self.assertEqual((given.status, given.body), (200, b""))

    async def test_no_content_type_is_sent(self):
        async def behave(writer, before):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntext")

        url = await self.serve_raw(behave)

        async def scenario():
            async with ClientSession() as session:
                async with session.get(url) as response:
                    return await seen(response), response.content_type

        for arguments in ({"body": "text"}, {"payload": None, "body": b"text"}):
            outcome = await self.compare(scenario, lambda mock: mock.get(url, content_type=None, **arguments))
            self.assertEqual(outcome.seen[0].headers, [("Content-Length", "4")])

    async def test_ints_among_the_headers_are_sent_as_text(self):
        async def handle(request):
            return web.Response(headers={name: "7", "Content-Type": "text/plain"})

        url = await self.serve(web.get("/", handle))

        async def scenario():
            async with ClientSession() as session:
                async with session.get(url) as response:
                    return await seen(response)

        for headers in ({"Retry-After": 7}, [("Retry-After", 7)], {"retry-after": 7}):
            with self.subTest(headers):
                [name] = CIMultiDict(headers)
                await self.compare(scenario, lambda mock: mock.get(url, headers=headers, content_type="text/plain"))
        name = "Retry-After"
        await self.compare(
            scenario,
            lambda mock: mock.host(str(url), headers={"Retry-After": 7}).get("/", content_type="text/plain"),
        )


class ClassesOfExceptionsTest(AskingTestCase):
    async def test_each_call_raises_an_instance_of_its_own(self):
        class Counted(Exception):
            def __init__(self):
                super().__init__()
                made.append(self)

        for reply in ({"exception": Counted}, {"exception": Counted, "delay": 0.001}):
            made = []
            self.mock.get(SITE, repeat=3, **reply)
            # Whether it can be made is found out by making it, and that is not done for nothing.
            self.assertEqual(len(made), 1)
            raised = []
            for _ in range(3):
                try:
                    await self.session.get(SITE)
                except Counted as error:
                    raised.append(error)
            self.assertEqual([id(error) for error in raised], [id(error) for error in made])
            self.assertEqual(len({id(error) for error in raised}), 3)

    async def test_one_that_is_never_made_is_no_class_of_that_kind(self):
        for exception in (aiohttp.ClientError, aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError, OSError):
            with self.subTest(exception):
                self.mock.get(SITE, exception=exception)
                self.assertIs((await error_of(self.session.get(SITE)))[0], exception)


class TimeoutThatIsNoBoolTest(unittest.TestCase):
    def warnings_of(self, register):
        with self.assertWarns(DeprecationWarning) as caught:
            register()
        return [(type(one.message).__name__, str(one.message), one.filename) for one in caught.warnings]

    def test_a_warning_says_what_it_does(self):
        for timeout, what in (
            (5, "raises asyncio.TimeoutError at once"), (0.5, "raises asyncio.TimeoutError at once"),
            ("yes", "raises asyncio.TimeoutError at once"), (0, "raises no timeout"), ("", "raises no timeout"),
        ):
            message = f"timeout: expected a bool, got {timeout!r}, and the call {what}; "
            message += "to answer after some seconds, use delay="
            mock = aioresponses()
            for register in (
                lambda: mock.get(SITE, timeout=timeout),
                lambda: mock.add(SITE, timeout=timeout),
                lambda: mock.host(SITE).get("/", timeout=timeout),
                lambda: mock.get(SITE, replies=[{}, {"timeout": timeout}]),
            ):
                with self.subTest(timeout):
                    # It points at the line that registers.
                    self.assertEqual(self.warnings_of(register), [("CompatibilityWarning", message, __file__)])

    def test_bools_and_none_are_what_they_are(self):
        for timeout in (True, False, None):
            aioresponses().get(SITE, timeout=timeout)


class RaisedAsBeforeTest(AskingTestCase):
    async def test_a_timeout_that_is_no_bool_has_the_effect_that_it_always_had(self):
        with self.assertWarns(DeprecationWarning):
            self.mock.get(SITE, timeout=5)
            self.mock.get(SITE, timeout=0)
        self.assertEqual(await self.ask_often(2), [(asyncio.TimeoutError, ""), (200, "")])
