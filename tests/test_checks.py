"""Checks that several rooms make: text as it is stored, and whether functions take what they will be given."""

import functools
import types
import unittest
from unittest.mock import AsyncMock, Mock, create_autospec

from aioresponses import _checks

from .support import annotated


class Lying(str):
    def __str__(self):
        return "another\r\ntext"

    __format__ = encode = lower = __str__


class TextTest(unittest.TestCase):
    def test_text_of_a_subclass_is_used_as_it_is_stored(self):
        for check in (_checks.line, _checks.encodable):
            for value in (Lying("text"), "text", Lying(""), "ü"):
                checked = check("name", value)
                self.assertEqual((type(checked), checked == value, len(checked)), (str, True, len(value)))

    def test_what_is_stored_is_looked_at(self):
        with self.assertRaises(ValueError):
            _checks.line("name", Lying("a\nb"))
        with self.assertRaises(ValueError):
            _checks.encodable("name", Lying("\ud800"))

    def test_the_place_of_a_surrogate_is_named(self):
        with self.assertRaises(ValueError) as raised:
            _checks.encodable("name", "x" * 10 ** 6 + "\udfff" + "\ud800")
        self.assertEqual(
            str(raised.exception),
            "name: expected text without surrogates, which UTF-8 cannot encode, got '\\udfff' at index 1000000",
        )


class FunctionsTest(unittest.TestCase):
    def test_what_does_not_fit(self):
        for function, fits in [
            (lambda one: 0, True), (lambda *args: 0, True), (lambda one=1: 0, True), (lambda one, two=2: 0, True),
            (lambda: 0, False), (lambda *, one: 0, False), (lambda one, two: 0, False),
            (dict, True), (Mock(), True), (functools.partial(lambda one, two: 0, 1), True),
        ]:
            with self.subTest(function):
                self.assertEqual(_checks.misfit(function, None) == "", fits)

    def test_annotations_may_name_what_only_type_checkers_know(self):
        for source, why in [
            ("def function(one: Missing) -> Missing: ...", ""),
            ("def function(one: Missing, two: Missing): ...", "missing a required argument: 'two'"),
            ("class function:\n    def __init__(self, one: Missing): ...", ""),
        ]:
            with self.subTest(source):
                self.assertEqual(_checks.misfit(annotated(source), None), why)

    def test_a_function_without_a_signature(self):
        class Strange:
            __signature__ = 5

            def __call__(self):
                raise NotImplementedError

        self.assertIsNone(_checks.signature_of(Strange()))
        self.assertEqual(_checks.misfit(Strange(), None), "")

    def test_coroutine_functions(self):
        class Callable:
            async def __call__(self):
                raise NotImplementedError

        async def function():
            raise NotImplementedError

        for function, expected in [
            (function, True), (Callable(), True), (functools.partial(function), True), (AsyncMock(), True),
            (functools.partial(functools.partial(Callable())), True), (create_autospec(function), True),
            (lambda: 0, False), (Mock(), False), (5, False), (functools.partial(Mock()), False),
            (create_autospec(lambda: 0), False),
        ]:
            with self.subTest(function):
                self.assertIs(_checks.is_coroutine_function(function), expected)

    def test_generator_functions(self):
        @types.coroutine
        def awaited():
            yield

        def function():
            yield

        async def asynchronous():
            yield

        for function, expected in [
            (function, True), (asynchronous, True), (functools.partial(function), True),
            (awaited, False), (lambda: 0, False), (Mock(), False), (AsyncMock(), False), (5, False),
        ]:
            with self.subTest(function):
                self.assertIs(_checks.is_generator_function(function), expected)
