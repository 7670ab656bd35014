"""The record of a call: what it shows of the request and its end, whenever and however it is looked at."""

import asyncio
import copy
import io
import pickle
import re
import unittest

import aiohttp
from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, web
from multidict import CIMultiDict
from yarl import URL

from aioresponses import AioResponsesTestCase, CallbackResult, RequestCall, aioresponses

from ..servers import ServerTestCase
from ..support import SITE, AskingTestCase, MockedTestCase, error_of, get, recorded, text_of


class RecordedCallsTest(MockedTestCase):
    async def test_calls_that_no_mock_answers_are_recorded(self):
        with self.assertRaises(ClientConnectionError):
            await self.session.get(SITE)
        self.assertEqual(recorded(self.mock), {("GET", URL(SITE)): [{"allow_redirects": True}]})
        self.assertEqual(str(self.mock.calls[0].exception), "Connection refused: GET http://example.com/")

    async def test_calls_that_fail_are_recorded(self):
        exception = ValueError("wrong")
        self.mock.get(SITE, exception=exception)
        with self.assertRaises(ValueError):
            await self.session.get(SITE)
        self.assertEqual(recorded(self.mock), {("GET", URL(SITE)): [{"allow_redirects": True}]})
        self.assertIs(self.mock.calls[0].exception, exception)
        self.assertIsNone(self.mock.calls[0].response)

    async def test_calls_with_wrong_arguments_fail_as_ever(self):
        for arguments in ({"params": {"a": True}}, {"no": "such"}):
            with self.subTest(arguments), self.assertRaises(TypeError):
                await self.session.get(SITE, **arguments)

    async def test_calls_of_a_closed_session_fail_as_ever(self):
        session = ClientSession()
        await session.close()
        with self.assertRaises(RuntimeError) as caught:
            await session.get(SITE)
        self.assertEqual(str(caught.exception), "Session is closed")
        self.assertEqual(self.mock.calls, [])

    async def test_aiohttp_request_is_answered_and_recorded(self):
        self.mock.get(SITE, body="answer")
        async with aiohttp.request("GET", SITE) as response:
            self.assertEqual(await response.text(), "answer")
        self.assertEqual(list(self.mock.requests), [("GET", URL(SITE))])

    async def test_many_requests_side_by_side_get_their_own_answers_and_are_recorded_in_order(self):
        def callback(url, **kwargs):
            return CallbackResult(body=f"called for {url.path}")

        async def coroutine_function(url, **kwargs):
            await asyncio.sleep(0)
            return callback(url)

        urls = [f"{SITE}{number}" for number in range(200)]
        expected = []
        for number, url in enumerate(urls):
            if number % 3:
                self.mock.get(url, callback=callback if number % 2 else coroutine_function)
                expected.append(f"called for /{number}")
            else:
                self.mock.get(url, body=f"answer {number}")
                expected.append(f"answer {number}")
        self.assertEqual(await asyncio.gather(*(text_of(self.session, url) for url in urls)), expected)
        self.assertEqual([call.url for call in self.mock.calls], urls)
        self.assertEqual(list(self.mock.requests), [("GET", URL(url)) for url in urls])


class HowItEndedTest(AskingTestCase):
    async def test_a_call_that_ended_with_a_response(self):
        call = await self.call()
        self.assertEqual((call.exception, call.unmatched, call.hops), (None, False, [call]))
        self.assertIs(call.match.calls[0], call)
        self.assertLessEqual(call.started, call.ended)

    async def test_a_call_that_ended_with_an_exception_of_the_mock(self):
        error = ValueError("x")
        match = self.mock.post(SITE, exception=error)
        with self.assertRaises(ValueError):
            await self.session.post(SITE, json=1)
        [call] = self.mock.calls
        self.assertIs(call.exception, error)
        self.assertEqual((call.response, call.match, call.json()), (None, match, 1))

    async def test_a_call_that_no_mock_answered(self):
        with self.assertRaises(aiohttp.ClientConnectionError) as raised:
            await self.session.post(SITE, json=1, headers={"X-Id": "7"})
        [call] = self.mock.calls
        self.assertIs(call.exception, raised.exception)
        self.assertEqual((call.match, call.unmatched, call.json(), call.headers["X-Id"]), (None, True, 1, "7"))

    async def test_a_call_that_has_not_ended(self):
        asked, answer = asyncio.Event(), asyncio.Event()

        async def wait(url, **kwargs):
            asked.set()
            await answer.wait()

        self.mock.get(SITE, callback=wait)
        task = asyncio.ensure_future(self.session.get(SITE))
        await asked.wait()
        [call] = self.mock.calls
        self.assertEqual((call.response, call.exception, call.ended), (None, None, None))
        self.assertEqual(repr(call), f"<RequestCall GET {SITE} -> in flight>")
        answer.set()
        self.assertIs(await task, call.response)

    async def test_a_redirect_chain_has_its_hops(self):
        moved = self.mock.post(SITE + "a", status=307, headers={"Location": "/b?q=1"})
        seen = self.mock.post(SITE + "b?q=1", status=303, headers={"Location": "http://other.example/"})
        last = self.mock.get("http://other.example/")
        response = await self.session.post(SITE + "a", json=1)
        [call] = self.mock.calls
        self.assertEqual(
            [(hop.method, hop.url, hop.body, hop.response.status, hop.match) for hop in call.hops],
            [
                ("POST", SITE + "a", b"1", 307, moved),
                ("POST", SITE + "b?q=1", b"1", 303, seen),
                ("GET", "http://other.example/", b"", 200, last),
            ],
        )
        self.assertEqual([hop.response for hop in call.hops], [*response.history, response])
        self.assertEqual((call.url, call.response, call.match), (SITE + "a", response, moved))
        self.assertEqual([call.kwargs for call in seen.calls], [call.kwargs])
        self.assertEqual(
            repr(call),
            f"<RequestCall POST {SITE}a -> 307, POST {SITE}b?q=1 -> 303, GET http://other.example/ -> 200>",
        )


class ReprTest(AskingTestCase):
    async def test_the_repr_is_one_line_and_shows_no_password(self):
        self.mock.get(SITE, exception=ValueError("two\nlines"))
        with self.assertRaises(ValueError):
            await self.session.get("http://me:secret@example.com/")
        with self.assertRaises(aiohttp.ClientConnectionError):
            await self.session.get(SITE + "nowhere")
        self.mock.get(SITE, exception=ValueError("http://me:secret@[bad"))
        with self.assertRaises(ValueError):
            await self.session.get(SITE)
        self.assertEqual(
            [repr(call) for call in self.mock.calls],
            [
                f"<RequestCall GET {SITE} -> raised ValueError: two lines>",
                f"<RequestCall GET {SITE}nowhere -> no mock answered>",
                f"<RequestCall GET {SITE} -> raised ValueError: http://…@[bad>",
            ],
        )


class SentElsewhereTest(ServerTestCase):
    async def asyncSetUp(self):
        async def echo(request):
            return web.Response(body=await request.read(), headers={"X-Type": request.content_type})

        self.url = await self.serve(web.post("/", echo))

    def bodies(self):
        async def generate():
            for number in range(3):
                yield b"%d" % number * 1000

        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(b"content"), filename="a.txt")
        return [b"bytes", "text", {"form": "1"}, io.BytesIO(b"file"), generate(), form, None]

    async def test_bodies_that_are_passed_through_are_recorded_as_the_server_gets_them(self):
        with aioresponses(passthrough=[self.url]) as mock:
            async with aiohttp.ClientSession() as session:
                for data in self.bodies():
                    with self.subTest(type(data).__name__):
                        async with session.post(self.url, data=data) as response:
                            received = await response.read()
                        self.assertEqual(mock.calls[-1].body, received)
                self.assertEqual([part.content for part in mock.calls[-2].multipart()], [b"content"])

    async def test_a_refused_form_can_be_read(self):
        form = aiohttp.FormData()
        form.add_field("file", b"content", filename="a.txt")
        with aioresponses() as mock:
            async with aiohttp.ClientSession() as session:
                with self.assertRaises(aiohttp.ClientConnectionError):
                    await session.post(self.url, data=form)
        self.assertEqual([part.content for part in mock.calls[0].multipart()], [b"content"])


class NamedTupleTest(unittest.TestCase):
    def test_a_call_compares_as_a_named_tuple(self):
        call = RequestCall((), {"json": 1})
        self.assertEqual(call, ((), {"json": 1}))
        args, kwargs = call
        self.assertEqual((args, kwargs, call.args, call.kwargs), ((), {"json": 1}, (), {"json": 1}))
        self.assertEqual(copy.copy(call), call)

    def test_a_call_made_by_hand_shows_its_fields(self):
        self.assertEqual(repr(RequestCall((), {"json": 1})), "RequestCall(args=(), kwargs={'json': 1})")


class WheneverLookedAtTest(MockedTestCase):
    """Whenever a call is looked at it is the same object, and shows what happened since."""

    def now(self, call):
        return (
            call.url, call.body, call.match_info, call.response and call.response.status, call.exception,
            call.ended is not None, [hop.url for hop in call.hops], str(call),
        )

    async def test_a_call_from_its_callback_and_afterwards(self):
        def callback(call):
            looked.append((call, self.now(call)))

        async def coroutine_function(call):
            await asyncio.sleep(0)
            callback(call)

        def of_url_and_arguments(url, **kwargs):
            callback(self.mock.calls[-1])

        for function in (callback, coroutine_function, of_url_and_arguments):
            with self.subTest(function.__name__):
                looked = []
                match = self.mock.post(f"{SITE}{{name}}", status=201, callback=function)
                await self.session.post(f"{SITE}ada", data=b"body")
                [(call, before)] = looked
                url, info = f"{SITE}ada", {"name": "ada"}
                self.assertEqual(before, (url, b"body", info, None, None, False, [url], f"POST {url} -> in flight"))
                self.assertEqual(self.now(call), (url, b"body", info, 201, None, True, [url], f"POST {url} -> 201"))
                self.assertIs(self.mock.calls[-1], call)
                self.assertIs(match.calls[0], call)
                self.assertIs(self.mock.requests["POST", URL(url)][-1], call)

    async def test_a_call_from_a_callback_that_raises(self):
        def callback(call):
            looked.append((call, self.now(call)))
            raise error

        looked, error = [], ValueError("wrong")
        self.mock.get(SITE, callback=callback)
        with self.assertRaises(ValueError):
            await self.session.get(SITE)
        [(call, before)] = looked
        self.assertEqual(before, (SITE, b"", {}, None, None, False, [SITE], f"GET {SITE} -> in flight"))
        self.assertEqual(
            self.now(call), (SITE, b"", {}, None, error, True, [SITE], f"GET {SITE} -> raised ValueError: wrong")
        )
        self.assertIs(self.mock.calls[0], call)

    async def test_a_call_from_the_callbacks_of_its_hops(self):
        def callback(call):
            looked.append((call, self.mock.calls[-1], str(self.mock.calls[-1])))

        looked = []
        first = self.mock.get(SITE, status=302, headers={"Location": "/there"}, callback=callback)
        second = self.mock.get(f"{SITE}there", callback=callback)
        await self.session.get(SITE)
        [call] = self.mock.calls
        self.assertEqual(
            [shown for _, _, shown in looked],
            [f"GET {SITE} -> in flight", f"GET {SITE} -> 302, GET {SITE}there -> in flight"],
        )
        self.assertEqual(str(call), f"GET {SITE} -> 302, GET {SITE}there -> 200")
        for _, looked_at, _ in looked:
            self.assertIs(looked_at, call)
        self.assertIs(looked[0][0], call)
        self.assertIs(looked[1][0], call.hops[1])
        self.assertIs(first.calls[0], call)
        self.assertIs(second.calls[0], call.hops[1])
        # They stay what they are, as well.
        self.assertEqual([id(hop) for hop in call.hops], [id(hop) for hop in call.hops])
        self.assertEqual([hop.response.status for hop in call.hops], [302, 200])

    async def test_a_call_from_a_condition_and_afterwards(self):
        def condition(call):
            looked.append((call, call.body, call.headers["X-Id"]))
            return True

        looked = []
        self.mock.post(SITE, match=condition)
        await self.session.post(SITE, data=b"body", headers={"X-Id": "1"})
        [(call, *before)] = looked
        self.assertEqual(before, [b"body", "1"])
        self.assertIs(self.mock.calls[0], call)
        self.assertEqual((call.body, call.headers["X-Id"], call.response.status), (b"body", "1", 200))

    async def test_a_call_that_is_refused(self):
        await error_of(self.session.get(SITE))
        [call] = self.mock.calls
        self.assertEqual(str(call), f"GET {SITE} -> no mock answered")
        self.assertIs(self.mock.unmatched_calls[0], call)
        self.assertIs(self.mock.call_args, call)


class CopyTest(MockedTestCase):
    """Copies are records: they show what was requested, and not who took part in it."""

    COPY = (copy.copy, copy.deepcopy, lambda call: pickle.loads(pickle.dumps(call)))

    def shown(self, call):
        return (
            call.method, call.url, call.key, call.args, call.kwargs, call.body, list(call.headers.items()),
            dict(call.match_info), call.started, call.ended, call.order, call.unmatched, dict(call.query),
        )

    def check(self, call):
        for make in self.COPY:
            with self.subTest(make):
                copied = make(call)
                self.assertEqual(copied, call)
                self.assertIsInstance(copied, RequestCall)
                self.assertEqual(self.shown(copied), self.shown(call))
                self.assertEqual((copied.response, copied.exception, copied.match), (None, None, None))
                self.assertEqual(list(copied.hops), [copied])
                # Copies can be copied.
                self.assertEqual(self.shown(make(copied)), self.shown(call))

    async def test_copies_of_a_call_with_hops(self):
        self.mock.post(f"{SITE}a", status=307, headers={"Location": "/b"})
        self.mock.post(f"{SITE}b", status=303, headers={"Location": "/c?d=1"})
        self.mock.get(f"{SITE}c?d=1")
        await self.session.post(f"{SITE}a", json={"names": ["Ada"]})
        [call] = self.mock.calls
        self.assertEqual(len(call.hops), 3)
        for each in (call, *call.hops):
            self.check(each)

    async def test_copies_of_a_call_with_match_info(self):
        self.mock.get(f"{SITE}users/{{name}}")
        self.mock.get(re.compile("http://example.com/(?P<kind>[a-z]+)/x"))
        await self.session.get(f"{SITE}users/ada")
        await self.session.get(f"{SITE}orders/x")
        self.assertEqual([call.match_info for call in self.mock.calls], [{"name": "ada"}, {"kind": "orders"}])
        for call in self.mock.calls:
            self.check(call)

    async def test_copies_of_a_call_whose_arguments_were_not_looked_at(self):
        given = {"names": ["Ada", {"born": 1815}], "none": None}
        self.mock.post(f"{SITE}?a=1")
        await self.session.post(SITE, json=given, params={"a": "1"}, headers={"X-Id": "1"}, timeout=ClientTimeout(5))
        match = self.mock.post(f"{SITE}hop", status=307, headers={"Location": "/hop2"})
        self.mock.post(f"{SITE}hop2")
        await self.session.post(f"{SITE}hop", json=given)
        # By way of the hop, so that its call itself has not been looked at.
        copied = copy.deepcopy(match.calls[0].hops[1])
        self.assertEqual(copied.kwargs, {"allow_redirects": True, "json": given, "data": None})
        for call in self.mock.calls:
            self.assertEqual(call.kwargs["json"], given)
            self.check(call)

    async def test_copies_of_all_requests(self):
        self.mock.post(SITE, repeat=True)
        for number in range(3):
            await self.session.post(SITE, json={"number": [number]})
        for make in self.COPY:
            copied = make(self.mock.requests)
            self.assertEqual(copied, self.mock.requests)
            self.assertEqual(
                [call.json() for calls in copied.values() for call in calls], [{"number": [n]} for n in range(3)]
            )

    async def test_a_deep_copy_and_a_pickle_share_nothing_with_the_call(self):
        self.mock.post(SITE)
        await self.session.post(SITE, json={"names": ["Ada"]}, headers={"X-Id": "1"})
        [call] = self.mock.calls
        for make in self.COPY[1:]:
            copied = make(call)
            copied.kwargs["json"]["names"].append("Grace")
            copied.kwargs["headers"]["X-Id"] = "2"
        self.assertEqual((call.kwargs["json"], call.kwargs["headers"]), ({"names": ["Ada"]}, {"X-Id": "1"}))

    async def test_copies_of_a_call_in_flight(self):
        def callback(call):
            copies.extend(make(call) for make in self.COPY)

        copies = []
        self.mock.post(SITE, callback=callback)
        await self.session.post(SITE, json=[1])
        for copied in copies:
            self.assertEqual((copied.json(), copied.ended, copied.response), ([1], None, None))
            self.assertEqual(copied, self.mock.calls[0])

    async def test_copies_of_requests_show_no_response(self):
        self.mock.post(SITE)
        await self.session.post(SITE, json={"a": [1]}, headers=CIMultiDict(a="b"))
        for copied in (copy.deepcopy(self.mock.requests), pickle.loads(pickle.dumps(self.mock.requests))):
            self.assertEqual(copied, self.mock.requests)
            [[call]] = copied.values()
            self.assertEqual((call.method, call.url, call.json(), call.response), ("POST", SITE, {"a": [1]}, None))
            self.assertEqual(repr(call), f"<RequestCall POST {SITE}>")


class HandleTest(AioResponsesTestCase):
    assert_all_mocked = False  # What no mock answers is looked at here.

    async def test_the_handle_of_a_mock_that_answers_once(self):
        match = self.mock.get(SITE)
        self.assertEqual(
            (match.called, match.call_count, match.calls, match.remaining, repr(match)),
            (False, 0, [], 1, "<RequestMatch GET http://example.com/, used 0 of 1>"),
        )
        await get()
        self.assertEqual(
            (match.called, match.call_count, match.calls, match.remaining, repr(match)),
            (True, 1, self.mock.calls, 0, "<RequestMatch GET http://example.com/, used 1 of 1>"),
        )
        self.assertIs(self.mock.calls[0].match, match)

    async def test_the_handle_of_a_mock_that_answers_several_times(self):
        match = self.mock.get(re.compile("http://example"), repeat=3)
        self.assertEqual(match.remaining, 3)
        await get()
        await get()
        self.assertEqual(
            (match.call_count, match.remaining, repr(match)),
            (2, 1, "<RequestMatch GET re.compile('http://example'), used 2 of 3>"),
        )

    async def test_the_handle_of_a_mock_that_answers_any_number_of_times(self):
        match = self.mock.add(SITE, "propfind", repeat=True)
        self.assertIsNone(match.remaining)
        self.assertEqual(repr(match), "<RequestMatch PROPFIND http://example.com/, used 0 times>")
        async with aiohttp.ClientSession() as session:
            for _ in range(2):
                await session.request("PROPFIND", SITE)
        self.assertIsNone(match.remaining)
        self.assertEqual(repr(match), "<RequestMatch PROPFIND http://example.com/, used 2 times>")

    async def test_calls_of_others_are_not_its_own(self):
        first, second = self.mock.get(SITE + "a"), self.mock.get(SITE + "b")
        await get(SITE + "b")
        self.assertEqual((first.called, second.called), (False, True))
        self.assertIs(second.calls[0], self.mock.calls[0])

    async def test_remove_takes_the_mock_out_of_service(self):
        first, second = self.mock.get(SITE, body="1", repeat=True), self.mock.get(SITE, body="2", repeat=True)
        self.assertEqual(await get(), "1")
        first.remove()
        first.remove()
        self.assertEqual(await get(), "2")
        second.remove()
        with self.assertRaises(aiohttp.ClientConnectionError):
            await get()
        self.assertEqual((first.call_count, second.call_count, self.mock.unused_mocks), (1, 1, []))

    async def test_remove_of_a_mock_that_is_used_up_is_without_effect(self):
        match = self.mock.get(SITE)
        await get()
        match.remove()
        self.assertEqual(match.call_count, 1)

    async def test_credentials_are_not_shown(self):
        self.assertEqual(
            repr(self.mock.get("http://me:s3cret@example.com/")),
            "<RequestMatch GET http://…@example.com/, used 0 of 1>",
        )


class HandleReprTest(unittest.TestCase):
    def test_the_repr_says_what_is_answered_and_how_often_it_was(self):
        self.assertEqual(
            [
                repr(aioresponses().add("http://example.com/?b=1&a=2#top", "post", repeat=3)),
                repr(aioresponses().add(re.compile(r"^http://\w+"), repeat=True)),
            ],
            [
                "<RequestMatch POST http://example.com/?a=2&b=1, used 0 of 3>",
                r"<RequestMatch GET re.compile('^http://\\w+'), used 0 times>",
            ],
        )
