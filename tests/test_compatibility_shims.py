"""What suites put in the place of parts of aioresponses 0.7, mostly so that it works on aiohttp 3.14."""

import asyncio
import contextlib
import functools
import inspect
import unittest
from unittest import mock
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import ClientConnectionError, ClientResponse, ClientSession
from yarl import URL

from aioresponses import CallbackResult, RequestMatch, aioresponses, compat, core

from .support import SITE, OwnResponse, get, recorded

GIVES_STREAM_WRITER = "stream_writer" in inspect.signature(ClientResponse.__init__).parameters


class ShimTestCase(unittest.IsolatedAsyncioTestCase):
    def put_back(self, owner, name):
        """Put the attribute back when the test has ended."""
        self.addCleanup(setattr, owner, name, getattr(owner, name))

    async def asked(self, **arguments):
        """Return a response of a mock with these arguments, and its body."""
        with aioresponses() as active:
            active.get(SITE, **arguments)
            async with ClientSession() as session, session.get(SITE) as response:
                return response, await response.text()


class BuildResponseTest(ShimTestCase):
    def setUp(self):
        self.put_back(RequestMatch, "_build_response")

    def test_calling_build_response_of_the_package_says_what_to_call(self):
        match = aioresponses().get(SITE)
        with self.assertRaises(NotImplementedError) as raised:
            match._build_response(SITE)
        self.assertEqual(
            str(raised.exception),
            "RequestMatch._build_response() exists only to be replaced, and is never called: aiohttp's own client "
            "makes the responses. To make one by hand, `await match.build_response(url)`",
        )

    async def test_a_wrapper_of_build_response_is_never_called(self):
        original = core.RequestMatch._build_response

        def wrapped(self, *args, **kwargs):
            kwargs["response_class"] = OwnResponse
            return original(self, *args, **kwargs)

        wrapped.is_patched = True
        core.RequestMatch._build_response = wrapped
        response, text = await self.asked(payload={"a": 1})
        self.assertEqual((type(response), text), (ClientResponse, '{"a": 1}'))
        self.assertTrue(RequestMatch._build_response.is_patched)

    async def test_a_replaced_build_response_is_never_called(self):
        for replaced in (lambda self, url, method="GET", request_headers=None, **kwargs: 1 / 0, mock.Mock()):
            with mock.patch.object(core.RequestMatch, "_build_response", replaced):
                _, text = await self.asked(body="x")
                self.assertEqual(text, "x")

    def test_marks_can_be_set_on_request_match_and_its_build_response(self):
        self.assertFalse(getattr(RequestMatch, "_is_patched", False))
        RequestMatch._is_patched = RequestMatch._build_response._is_patched = True
        self.assertTrue(RequestMatch._is_patched and RequestMatch._build_response._is_patched)
        del RequestMatch._is_patched, RequestMatch._build_response._is_patched


class StreamReaderFactoryTest(ShimTestCase):
    async def test_the_stream_reader_factory_makes_a_stream_that_can_be_fed(self):
        self.assertIs(core.stream_reader_factory, compat.stream_reader_factory)
        for loop in ((), (None,), (asyncio.get_running_loop(),), (mock.Mock(),)):
            with self.subTest(loop=loop):
                stream = core.stream_reader_factory(*loop)
                self.assertIsInstance(stream, aiohttp.StreamReader)
                stream.feed_data(b"abc")
                stream.feed_eof()
                self.assertEqual(await stream.read(), b"abc")

    async def test_a_replaced_stream_reader_factory_is_never_called(self):
        def factory(loop=None):
            raise AssertionError("this is never called")

        with mock.patch("aioresponses.core.stream_reader_factory", factory):
            self.assertEqual((await self.asked(body="x"))[1], "x")
        self.put_back(core, "stream_reader_factory")
        core.stream_reader_factory = factory
        self.assertEqual((await self.asked(body="x"))[1], "x")


class InitTest(ShimTestCase):
    """`RequestMatch.__init__`, wrapped."""

    def wrap(self, wrapper):
        original = RequestMatch.__init__
        self.addCleanup(setattr, RequestMatch, "__init__", original)
        RequestMatch.__init__ = functools.partialmethod(wrapper, original)

    @staticmethod
    def set_class(match, original, *args, **kwargs):
        if kwargs.get("response_class") is None:
            kwargs["response_class"] = OwnResponse
        original(match, *args, **kwargs)

    async def test_a_response_class_that_a_wrapped_init_sets_is_used(self):
        self.wrap(self.set_class)
        for arguments in (
            {"body": "x"},
            {"response_class": None, "body": "x"},
            {"replies": [{"body": "x"}]},
            {"callback": lambda call: None, "body": "x"},
            {"repeat": True, "match_query": {}, "body": "x"},
        ):
            with self.subTest(**arguments):
                response, text = await self.asked(**arguments)
                self.assertEqual((type(response), text), (OwnResponse, "x"))

    async def test_a_registered_response_class_stands_where_a_wrapped_init_sets_one(self):
        class Another(ClientResponse):
            pass

        self.wrap(self.set_class)
        for arguments in (
            {"response_class": Another},
            {"replies": [{"response_class": Another}]},
            {"replies": [CallbackResult(response_class=Another)]},
        ):
            with self.subTest(**arguments):
                response, _ = await self.asked(**arguments)
                self.assertIs(type(response), Another)

    async def test_arguments_that_a_wrapped_init_changes_are_used(self):
        def change(match, original, url, method="GET", **kwargs):
            original(match, url.replace("other", "example"), method, **{**kwargs, "status": 404, "body": "changed"})

        self.wrap(change)
        with aioresponses() as active:
            match = active.get("http://other.com/", status=200)
            async with ClientSession() as session, session.get(SITE) as response:
                self.assertEqual((response.status, await response.text()), (404, "changed"))
        self.assertEqual((match.status, match.body), (404, "changed"))
        self.assertEqual(str(match), "GET http://example.com/")

    async def test_a_wrapped_init_with_the_signature_of_0_7_may_pass_all_by_position(self):
        def set_class(
            match, original, url, method="GET", status=200, body="", payload=None, exception=None, headers=None,
            content_type="application/json", response_class=None, timeout=False, repeat=False, reason=None,
            callback=None,
        ):
            original(
                match, url, method, status, body, payload, exception, headers, content_type,
                response_class or OwnResponse, timeout, repeat, reason, callback,
            )

        self.wrap(set_class)
        for arguments in ({"body": "x"}, {"callback": lambda url, **kwargs: None, "body": "x"}):
            with self.subTest(**arguments):
                response, text = await self.asked(**arguments)
                self.assertEqual((type(response), text), (OwnResponse, "x"))
        for arguments, error in (({"exception": KeyError}, KeyError), ({"timeout": True}, asyncio.TimeoutError)):
            with self.subTest(**arguments), self.assertRaises(error):
                await self.asked(**arguments)

    async def test_attributes_that_a_wrapped_init_sets_afterwards_are_used(self):
        def set_afterwards(match, original, *args, **kwargs):
            original(match, *args, **kwargs)
            match.response_class = OwnResponse
            match.status = 404
            match.headers = {"X-Set": "1"}

        self.wrap(set_afterwards)
        response, _ = await self.asked(status=200)
        self.assertEqual((type(response), response.status, response.headers["X-Set"]), (OwnResponse, 404, "1"))

    def test_a_wrapped_init_gets_what_was_registered_and_no_more(self):
        seen = []

        def note(match, original, *args, **kwargs):
            seen.append((args, kwargs))
            original(match, *args, **kwargs)

        self.wrap(note)
        aioresponses().post(SITE, status=404, payload={})
        self.assertEqual(seen, [((SITE, "POST"), {"status": 404, "payload": {}})])


class ClientResponseTest(ShimTestCase):
    async def test_a_client_response_assigned_to_core_is_used(self):
        self.put_back(core, "ClientResponse")
        core.ClientResponse = OwnResponse
        response, text = await self.asked(body="x")
        self.assertEqual((type(response), text), (OwnResponse, "x"))

    async def test_a_client_response_patched_into_core_is_used_meanwhile(self):
        for name in ("first", "second"):
            own = type(name, (ClientResponse,), {})
            with mock.patch("aioresponses.core.ClientResponse", own):
                response, _ = await self.asked()
                self.assertIs(type(response), own)
        response, _ = await self.asked()
        self.assertIs(type(response), ClientResponse)

    @unittest.skipUnless(GIVES_STREAM_WRITER, "aiohttp 3.14 brought stream_writer")
    async def test_a_client_response_in_core_may_give_a_stream_writer(self):
        class Sub(ClientResponse):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, stream_writer=mock.Mock(output_size=0), **kwargs)

        for own, made in (
            (Sub, Sub),
            (functools.partial(ClientResponse, stream_writer=mock.Mock(output_size=0)), ClientResponse),
            (lambda *args, **kwargs: ClientResponse(*args, **{**kwargs, "stream_writer": mock.Mock()}), ClientResponse),
        ):
            with self.subTest(own), mock.patch("aioresponses.core.ClientResponse", own):
                response, text = await self.asked(payload={"a": 1})
                self.assertEqual((type(response), text), (made, '{"a": 1}'))

    async def test_a_wrapped_init_of_aiohttps_response_is_called(self):
        original = ClientResponse.__init__
        seen = []

        def wrapped(response, method, url, **kwargs):
            if GIVES_STREAM_WRITER:
                kwargs.setdefault("stream_writer", mock.Mock(output_size=0))
            seen.append(response)
            original(response, method, url, **kwargs)

        for own in (None, OwnResponse):
            with mock.patch.object(ClientResponse, "__init__", wrapped):
                response, text = await self.asked(body="x", response_class=own)
            self.assertEqual((type(response), text), (own or ClientResponse, "x"))
            self.assertIs(seen[-1], response)

    def test_client_response_of_core_is_that_of_aiohttp_unless_replaced(self):
        self.assertIs(core.ClientResponse, aiohttp.ClientResponse)

    def test_the_source_of_core_can_be_read(self):
        # Suites look in it for what makes their own doings unnecessary.
        self.assertIn("class aioresponses", inspect.getsource(core))


def without_blanks(url):
    """Normalise a URL as one suite does: parameters without a value are left out."""
    url = URL(url)
    return url.with_query(sorted(parse_qsl(url.query_string)))


class NormalizeUrlTest(ShimTestCase):
    async def check_used(self):
        """Check that it is used for what is registered, asked for, recorded and asserted."""
        with aioresponses() as active:
            active.get(SITE + "?b=&c=2&a=1")
            self.assertEqual(await get(SITE + "?a=1&d=&c=2"), "")
            self.assertEqual(list(recorded(active)), [("GET", URL(SITE + "?a=1&c=2"))])
            active.assert_called_once_with(SITE + "?c=2&a=1&e=")
            active.assert_any_call(SITE + "?e=&a=1&c=2")
            with self.assertRaises(ClientConnectionError) as raised:
                await get(SITE + "?f=")
            self.assertEqual(str(raised.exception), "Connection refused: GET http://example.com/")

    async def check_unused(self):
        """Check that blank parameters count."""
        with aioresponses() as active:
            active.get(SITE + "?b=&a=1")
            with self.assertRaises(ClientConnectionError):
                await get(SITE + "?a=1")
            await get(SITE + "?a=1&b=")

    async def test_a_normalize_url_assigned_to_core_is_used_from_then_on(self):
        await self.check_unused()
        self.put_back(core, "normalize_url")
        core.normalize_url = without_blanks
        await self.check_used()
        self.assertIs(core.normalize_url, without_blanks)

    async def test_a_normalize_url_patched_into_core_is_used_meanwhile(self):
        with mock.patch("aioresponses.core.normalize_url", without_blanks):
            await self.check_used()
        await self.check_unused()
        with contextlib.suppress(ZeroDivisionError), mock.patch.object(core, "normalize_url", without_blanks):
            1 / 0
        await self.check_unused()
        self.assertIs(core.normalize_url, compat.normalize_url)

    async def test_a_normalize_url_that_wraps_the_original_is_used(self):
        original = core.normalize_url
        with mock.patch("aioresponses.core.normalize_url", lambda url: original(url).with_scheme("http")):
            with aioresponses() as active:
                active.get("https://example.com/?b=1&a=2")
                self.assertEqual(await get(SITE + "?a=2&b=1"), "")

    async def test_redirects_and_conditions_go_by_a_replaced_normalize_url(self):
        with mock.patch("aioresponses.core.normalize_url", without_blanks), aioresponses() as active:
            active.get(SITE, status=302, headers={"Location": "/next?a=&b=1"})
            active.get(SITE + "next?b=1", match_headers={"Accept": "*/*"}, body="x")
            self.assertEqual(await get(SITE + "?z="), "x")

    def test_merge_params_of_core_can_be_replaced(self):
        self.assertIs(core.merge_params, compat.merge_params)
        with mock.patch("aioresponses.core.merge_params", None):
            self.assertIsNone(core.merge_params)
