import asyncio
import functools
import inspect
import unittest
import warnings
from unittest.mock import Mock

from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestServer

from aioresponses import CallbackResult, aioresponses

from ..support import SITE, OwnResponse, error_of

PARAMETERS = list(inspect.signature(ClientResponse.__init__).parameters)
# aiohttp 4 takes others than these, lest subclasses rely on that.
KEYWORDS = [name for name in PARAMETERS[3:] if name != "kwargs"]

needs_stream_writer = unittest.skipUnless("stream_writer" in PARAMETERS, "aiohttp 3.14 brought stream_writer")


class WithDefault(ClientResponse):
    def __init__(self, *args, **kwargs):
        kwargs.setdefault("stream_writer", Mock(output_size=-1))
        super().__init__(*args, **kwargs)


class GivingItTwice(ClientResponse):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, stream_writer=Mock(output_size=-1), **kwargs)


class Overriding(ClientResponse):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{**kwargs, "stream_writer": Mock(output_size=-1), "writer": None})


class WithOptionalKeyword(ClientResponse):
    def __init__(self, *args, stream_writer=None, **kwargs):
        super().__init__(*args, stream_writer=stream_writer or Mock(output_size=-1), **kwargs)


class WithAllKeywords(ClientResponse):
    def __init__(
        self, method, url, *, writer, continue100, timer, request_info, traces, loop, session, stream_writer
    ):
        super().__init__(
            method, url, writer=writer, continue100=continue100, timer=timer, request_info=request_info, traces=traces,
            loop=loop, session=session, stream_writer=stream_writer,
        )


class WithThoseOfOlderReleases(ClientResponse):
    def __init__(self, method, url, *, writer, continue100, timer, request_info, traces, loop, session):
        super().__init__(
            method, url, writer=writer, continue100=continue100, timer=timer, request_info=request_info, traces=traces,
            loop=loop, session=session, stream_writer=Mock(output_size=-1),
        )


class Writer:
    """What a suite has for both."""

    output_size = -1

    def done(self):
        return True


class OneForBoth(ClientResponse):
    def __init__(self, *args, **kwargs):
        writer = kwargs.pop("stream_writer", None) or kwargs.pop("writer", None) or Writer()
        kwargs.pop("writer", None)
        taken = inspect.signature(super().__init__).parameters
        super().__init__(*args, **kwargs, **{name: writer for name in ("writer", "stream_writer") if name in taken})


class Noting(ClientResponse):
    """One that is right with a real server."""

    def __init__(self, *args, **kwargs):
        self.kwargs = kwargs
        ClientResponse.__init__(self, *args, **kwargs)


async def pieces():
    """Yield a body that is not sent at once."""
    yield b"12"
    await asyncio.sleep(0)
    yield b"34"


def sent_by(response):
    """Return how much has been sent, which is not known until the upload has ended."""
    with warnings.catch_warnings():
        # The name is on its way out, but it is the only one that all releases of 3.14 have.
        warnings.simplefilter("ignore", DeprecationWarning)
        return response.output_size


class ResponseClassesTestCase(unittest.IsolatedAsyncioTestCase):
    async def asked(self, response_class, method="GET", session=None, **options):
        """Return a response of a mock with this class, and its body."""
        with aioresponses() as mock:
            mock.add(SITE, method, body="x", response_class=response_class)
            async with session or ClientSession() as session, session.request(method, SITE, **options) as response:
                return response, await response.text()

    async def asked_really(self, response_class):
        """Return a response of a real server to a session with this class, and its body."""
        async def handler(request):
            return web.Response(text="x")

        app = web.Application()
        app.router.add_get("/", handler)
        async with TestServer(app) as server, ClientSession(response_class=response_class) as session:
            async with session.get(server.make_url("/")) as response:
                return response, await response.text()


@needs_stream_writer
class MadeUpStreamWriterTest(ResponseClassesTestCase):
    async def test_a_response_class_that_makes_up_a_stream_writer_gets_that_of_aiohttp(self):
        plain, _ = await self.asked(ClientResponse, "POST", data=pieces())
        for response_class in (
            WithDefault, GivingItTwice, Overriding, WithOptionalKeyword, OneForBoth,
            # Responses of aiohttp 4 take no request_info, which these want.
            *([WithAllKeywords, WithThoseOfOlderReleases] if "request_info" in PARAMETERS else []),
        ):
            for time in ("once", "twice"):
                with self.subTest(response_class.__name__, time=time):
                    response, text = await self.asked(response_class, "POST", data=pieces())
                    self.assertIs(type(response), response_class)
                    self.assertEqual(text, "x")
                    self.assertEqual(sent_by(response), sent_by(plain))
                    self.assertEqual(vars(response).keys(), vars(plain).keys())

    async def test_functions_that_make_responses_are_called_as_they_are(self):
        for name, make in (
            ("partial", functools.partial(ClientResponse, stream_writer=Mock(output_size=0))),
            ("lambda", lambda *args, **kwargs: ClientResponse(*args, **{**kwargs, "stream_writer": Mock()})),
        ):
            with self.subTest(name):
                response, text = await self.asked(make)
                self.assertEqual((type(response), text), (ClientResponse, "x"))

    async def test_a_response_class_without_stream_writer_fails_as_with_a_real_server(self):
        class LeavingItOut(ClientResponse):
            def __init__(self, *args, stream_writer, **kwargs):
                super().__init__(*args, **kwargs)

        class NotTakingIt(ClientResponse):
            def __init__(self, method, url, *, writer, continue100, timer, request_info, traces, loop, session):
                super().__init__(
                    method, url, writer=writer, continue100=continue100, timer=timer, request_info=request_info,
                    traces=traces, loop=loop, session=session,
                )

        for response_class in (LeavingItOut, NotTakingIt):
            with self.subTest(response_class.__name__):
                for ask in (self.asked_really, self.asked):
                    kind, text = await error_of(ask(response_class))
                    self.assertIs(kind, TypeError)
                    self.assertIn("stream_writer", text)

    async def test_what_a_response_class_raises_is_raised_and_the_class_is_called_once(self):
        calls = []

        class Raising(ClientResponse):
            def __init__(self, *args, **kwargs):
                calls.append(args)
                raise TypeError("wrong")

        self.assertEqual(await error_of(self.asked(Raising)), (TypeError, "wrong"))
        self.assertEqual(len(calls), 1)


class OwnInitTest(ResponseClassesTestCase):
    async def test_a_response_class_gets_the_keywords_that_it_gets_with_a_real_server(self):
        real, _ = await self.asked_really(Noting)
        response, text = await self.asked(Noting)
        self.assertEqual((type(response), text), (Noting, "x"))
        self.assertEqual(vars(response).keys(), vars(real).keys())
        self.assertEqual(
            {name: type(value) for name, value in response.kwargs.items() if name != "session"},
            {name: type(value) for name, value in real.kwargs.items() if name != "session"},
        )
        self.assertEqual([name for name in PARAMETERS if name in response.kwargs], KEYWORDS)

    async def test_a_made_up_writer_works_on_every_release_of_aiohttp(self):
        response, text = await self.asked(OneForBoth)
        self.assertEqual((type(response), text), (OneForBoth, "x"))

    async def test_a_response_class_finds_the_signature_of_aiohttp_above_its_init(self):
        signatures = []

        class Looking(ClientResponse):
            def __init__(self, *args, **kwargs):
                signatures.append(list(inspect.signature(super().__init__).parameters))
                super().__init__(*args, **kwargs)

        await self.asked(Looking)
        self.assertEqual(signatures, [PARAMETERS[1:]])

    async def test_a_response_class_that_a_callback_returns_is_used(self):
        for response_class in (OwnResponse, Noting):
            with self.subTest(response_class.__name__), aioresponses() as mock:
                mock.get(SITE, callback=lambda call: CallbackResult(response_class=response_class))
                async with ClientSession() as session, session.get(SITE) as response:
                    self.assertIs(type(response), response_class)

    async def test_the_response_class_of_a_session_is_used(self):
        for response_class in (Noting, OwnResponse):
            with self.subTest(response_class.__name__):
                response, _ = await self.asked(None, session=ClientSession(response_class=response_class))
                self.assertIs(type(response), response_class)
