"""What a callback is given, by its signature, and which callbacks are refused because they do not take it."""

import functools
import re
import unittest
from typing import Optional, Union
from unittest.mock import AsyncMock, Mock, patch

import aiohttp
from yarl import URL

import aioresponses as package
from aioresponses import CallbackResult, RequestCall, aioresponses

from aioresponses._replies.callbacks import takes_call

from ..support import SITE, AskingTestCase, annotated, error_of

EXPECTED = "callback: expected a function that takes the call, or url and **kwargs, got "


class FormsTest(AskingTestCase):
    """`given` is what the callback got: the call, or the URL with the keyword arguments."""

    def note(self, *given, **kwargs):
        self.given.append((given, kwargs))
        return CallbackResult(body="answered")

    async def given_to(self, callback, **options):
        self.given = []
        self.mock.post(SITE, callback=callback)
        self.assertEqual(await self.ask("POST", **options or {"data": None}), (200, "answered"))
        [given] = self.given
        return given

    async def test_the_call_is_asked_for_by_name_by_annotation_or_as_the_only_parameter(self):
        def named(call, other=1):
            return self.note(call)

        def named_beside_others(call, *args, **kwargs):
            return self.note(call, *args, **kwargs)

        def annotated(request: RequestCall, other=1):
            return self.note(request)

        def annotated_url(url: RequestCall):
            return self.note(url)

        def annotated_as_text(request: "RequestCall", other=1):
            return self.note(request)

        def annotated_by_module(request: "package.RequestCall", other=1):
            return self.note(request)

        def annotated_with_more(request: "Optional[RequestCall]", other=1):
            return self.note(request)

        def annotated_as_optional(request: Optional[RequestCall], other=1):
            return self.note(request)

        def annotated_in_a_union(request: Union[None, "package.RequestCall"], other=1):
            return self.note(request)

        def alone(request):
            return self.note(request)

        def alone_by_position(anything, /):
            return self.note(anything)

        def alone_with_default(request=None):
            return self.note(request)

        async def asynchronous(call, *, other=1):
            return self.note(call)

        class Result(CallbackResult):
            def __init__(result, call):
                self.given.append(((call,), {}))
                super().__init__(body="answered")

        for callback in [
            named, named_beside_others, annotated, annotated_url, annotated_as_text, annotated_by_module,
            annotated_with_more, annotated_as_optional, annotated_in_a_union, alone, alone_by_position,
            alone_with_default, asynchronous, Result,
            lambda _: self.note(_), functools.partial(lambda call, db: self.note(call), db=1),
        ]:
            with self.subTest(callback):
                given = await self.given_to(callback)
                self.assertEqual(given, ((self.mock.calls[-1],), {}))
                self.assertIs(given[0][0], self.mock.calls[-1])

    async def test_annotations_may_name_what_only_type_checkers_know(self):
        for parameters, gets_call in (
            ("request: RequestCall, other: Missing = 1", True),
            ("request: RequestCall | Missing, other=1", True),
            ("request: package.RequestCall, other=1", True),
            ("request: Missing, **kwargs: Missing", False),
            ("request: RequestCallback, **kwargs", False),
        ):
            for source in (f"def function({parameters}) -> Missing: ...", f"async def function({parameters}): ..."):
                with self.subTest(source):
                    self.assertIs(takes_call(annotated(source)), gets_call)

    async def test_all_others_are_given_what_0_7_gave_them(self):
        def url_and_flag(uri, allow_redirects=True, data=None):
            return self.note(uri, allow_redirects=allow_redirects, data=data)

        def by_keyword(url, *, allow_redirects, data):
            return self.note(url, allow_redirects=allow_redirects, data=data)

        def call_in_second_place(url, call=None, **kwargs):
            return self.note(url, **kwargs)

        def annotated_in_second_place(url, call: Optional[RequestCall] = None, **kwargs):
            return self.note(url, **kwargs)

        for callback in [
            url_and_flag, by_keyword, call_in_second_place, annotated_in_second_place,
            lambda _, **kwargs: self.note(_, **kwargs), lambda request, **kwargs: self.note(request, **kwargs),
            lambda *args, **kwargs: self.note(*args, **kwargs), Mock(side_effect=self.note),
            AsyncMock(side_effect=self.note), lambda url, *args, **kwargs: self.note(url, *args, **kwargs),
            lambda url, data, **kwargs: self.note(url, data=data, **kwargs),
        ]:
            with self.subTest(callback):
                self.assertEqual(await self.given_to(callback), ((URL(SITE),), {"allow_redirects": True, "data": None}))

    async def test_an_argument_that_callers_may_give_is_theirs_to_give(self):
        def wants_json(url, json, **kwargs):
            return self.note(url, json=json)

        self.assertEqual(await self.given_to(wants_json, json=[1]), ((URL(SITE),), {"json": [1]}))
        self.mock.post(SITE, callback=wants_json)
        error, text = await error_of(self.session.post(SITE))
        self.assertIs(error, TypeError)
        self.assertIn("missing 1 required positional argument: 'json'", text)

    async def test_a_note_says_which_arguments_the_call_was_made_without(self):
        async def later(url, *, json, data, **kwargs):
            raise AssertionError("never called")

        for callback, needs in (
            (lambda url, json, **kwargs: None, "json, which this call does not have; add a default, such as json=None"),
            (later, "json and data, which this call does not have; add a default, such as json=None"),
            (lambda url, headers, json, **kwargs: None,
             "json, which this call does not have; add a default, such as json=None"),
        ):
            for options in ({"callback": callback}, {"replies": [{"callback": callback}]}):
                with self.subTest(options):
                    self.mock.get(SITE, **options)
                    with self.assertRaises(TypeError) as raised:
                        await self.session.get(SITE, headers={})
                    self.assertEqual(
                        raised.exception.__notes__, [f"aioresponses: the callback needs {needs}"]
                    )
                    self.mock.clear()

    async def test_other_errors_of_a_callback_have_no_note(self):
        def raises(url, json=None, **kwargs):
            raise TypeError("missing 1 required positional argument: 'json'")

        for callback in (raises, lambda call: raises(), lambda url, **kwargs: (lambda json: None)()):
            self.mock.get(SITE, callback=callback)
            with self.assertRaises(TypeError) as raised:
                await self.session.get(SITE)
            self.assertFalse(hasattr(raised.exception, "__notes__"))
            self.mock.clear()

    async def test_every_argument_of_aiohttp_is_one_that_callers_may_give(self):
        for name in ("params", "data", "json", "headers", "cookies", "timeout", "ssl", "proxy", "compress"):
            source = f"lambda url, {name}, **kwargs: None"
            with self.subTest(source):
                self.mock.get(SITE, callback=eval(source))


class RefusedCallbacksTest(unittest.TestCase):
    maxDiff = None

    def check(self, callback, message):
        with self.subTest(callback):
            with self.assertRaises(TypeError) as raised:
                aioresponses().get(SITE, callback=callback)
            self.assertEqual(str(raised.exception), message.replace("CALLBACK", repr(callback)))

    def test_a_callback_that_takes_neither_the_call_nor_the_url(self):
        for callback in (lambda: None, lambda **kwargs: None, lambda *, call: None, Mock.assert_called.__get__(Mock())):
            self.check(callback, f"{EXPECTED}CALLBACK, which takes no positional argument")

    def test_a_callback_that_does_not_take_the_keyword_arguments(self):
        message = f"{EXPECTED}CALLBACK, which does not take the keyword arguments of the request: add **kwargs"
        for callback in (
            lambda url: None, lambda uri: None, lambda url, json: None, lambda url, json=None: None,
            lambda url, allow_redirects, /: None, lambda url, *args: None, lambda *args: None,
        ):
            self.check(callback, message)
        for callback in (lambda request, db=1: None, lambda request, *, db=1: None):
            self.check(callback, f"{message}; to get the call, rename the parameter 'request' to 'call'")

    def test_a_callback_that_needs_more_than_it_is_given(self):
        for callback, name in [
            (lambda call, db: None, "db"),
            (lambda call, *, db: None, "db"),
            (lambda url, db, **kwargs: None, "db"),
            (lambda url, *, body, **kwargs: None, "body"),
            (lambda url, method, **kwargs: None, "method"),
            (lambda url, json, /, **kwargs: None, "json"),
        ]:
            self.check(callback, f"{EXPECTED}CALLBACK, whose parameter {name!r} is never passed: give it a default")

    def test_what_it_is_given_is_unknown_only_while_a_test_has_replaced_the_method_of_sessions(self):
        def needs_more(url, *, db, **kwargs):
            """Use the default reply."""

        with patch("aioresponses._client.outgoing._argument_names", frozenset()):
            with patch.object(aiohttp.ClientSession, "_request", lambda session, *args, **kwargs: None):
                aioresponses().get(SITE, callback=needs_more)
            self.check(needs_more, f"{EXPECTED}CALLBACK, whose parameter 'db' is never passed: give it a default")

    def test_what_never_returns_a_result(self):
        def generates(call):
            yield CallbackResult()

        async def generates_later(call):
            yield CallbackResult()

        for callback in (generates, generates_later, functools.partial(generates)):
            self.check(
                callback,
                "callback: expected a function that returns a CallbackResult or None, got a generator function: "
                "CALLBACK",
            )
        for callback in (dict, ValueError, aiohttp.ClientResponse):
            self.check(callback, "callback: expected a function or a coroutine function, got a class: CALLBACK")
        for callback in (5, "text", CallbackResult()):
            self.check(callback, "callback: expected a function or a coroutine function, got CALLBACK")

    def test_one_without_a_signature_is_taken_at_its_word(self):
        class Strange:
            __signature__ = 5

            def __call__(self, url, **kwargs):
                raise NotImplementedError

        aioresponses().get(SITE, callback=Strange())

    def test_in_replies_the_element_is_named(self):
        with self.assertRaises(TypeError) as raised:
            aioresponses().get(SITE, replies=[{}, {}, {"callback": lambda url: None}])
        self.assertEqual(
            re.sub("<function .*>", "<function>", str(raised.exception)),
            f"replies[2]: {EXPECTED}<function>, which does not take the keyword arguments of the request: add **kwargs",
        )
