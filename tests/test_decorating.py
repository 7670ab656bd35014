"""The mock as a decorator of functions, coroutine functions and test cases."""

import asyncio
import inspect
import unittest
from unittest.mock import MagicMock, patch

from aioresponses import aioresponses

from .support import SITE, annotated, get, hooks_are_in_place


class FunctionDecoratorTest(unittest.IsolatedAsyncioTestCase):
    @aioresponses()
    async def test_a_decorated_coroutine_function_is_given_the_mock(self, mock):
        mock.get(SITE, body="x")
        self.assertEqual(await get(), "x")

    @aioresponses(param="server")
    async def test_a_decorated_coroutine_function_is_given_the_mock_by_name(self, server):
        server.get(SITE, body="x")
        self.assertEqual(await get(), "x")

    def test_a_decorator_without_parentheses_is_refused(self):
        class Case(unittest.TestCase):
            pass

        for decorated in (get, Case):
            with self.assertRaises(TypeError) as raised:
                aioresponses(decorated)
            self.assertEqual(
                str(raised.exception),
                f"param: expected a name, got {decorated!r}; the decorator is `@aioresponses()`",
            )

    def notes_of(self, function, *args, **kwargs):
        with self.assertRaises(TypeError) as raised:
            made = function(*args, **kwargs)
            if inspect.iscoroutine(made):
                asyncio.run(made)
        return getattr(raised.exception, "__notes__", [])

    def test_a_function_without_a_parameter_for_the_mock_is_explained(self):
        async def coroutine():
            raise AssertionError("never called")

        def method(self):
            raise AssertionError("never called")

        last = ["aioresponses: the mock is passed as the last argument; add a parameter for it"]
        for function, args in ((coroutine, ()), (lambda: None, ()), (lambda *, mock: None, ()), (method, (self,))):
            with self.subTest(function):
                self.assertEqual(self.notes_of(aioresponses()(function), *args), last)
        named = ["aioresponses: the mock is passed as 'server'; add a parameter of this name"]
        for function in (coroutine, lambda: None, lambda mock=None: None, lambda *args: None):
            with self.subTest(function):
                self.assertEqual(self.notes_of(aioresponses(param="server")(function)), named)

    def test_other_errors_of_decorated_functions_are_not_explained(self):
        def fails(mock):
            (lambda: None)(mock)

        async def fails_later(mock):
            fails(mock)

        for function, args in ((fails, ()), (fails_later, ()), (lambda mock: None, (1, 2)), (lambda one, mock: 0, ())):
            with self.subTest(function):
                self.assertEqual(self.notes_of(aioresponses()(function), *args), [])
        self.assertEqual(self.notes_of(aioresponses(param="server")(lambda *, server, more: None)), [])

    def test_a_decorated_function_is_given_the_mock(self):
        @aioresponses()
        def function(first, mock, *, second):
            mock.get(SITE, body="x")
            return first, second, asyncio.run(get())

        self.assertEqual(function(1, second=2), (1, 2, "x"))

    def test_the_mock_of_a_run_within_a_run_lets_through_what_the_first_one_does_by_then(self):
        mock = aioresponses()

        @mock
        def function(inner, outermost=False):
            if outermost:
                mock.passthrough_unmatched = True
                return inner is mock, function()
            return inner is mock, inner.passthrough_unmatched

        self.assertEqual(function(outermost=True), (True, (False, True)))

    def test_a_decorated_function_looks_as_before(self):
        @aioresponses()
        async def function(mock):
            """Do something."""

        self.assertTrue(inspect.iscoroutinefunction(function))
        self.assertEqual((function.__name__, function.__doc__), ("function", "Do something."))

    def test_the_signature_of_a_decorated_function_is_without_the_mock(self):
        @aioresponses()
        def last(first, second: int, mock, *, third=3):
            pass

        @aioresponses()
        async def with_default(mock, second=2):
            pass

        @aioresponses(param="mock")
        def named(mock, second):
            pass

        @aioresponses()
        def method(self, mock=None):
            pass

        @aioresponses()
        def without(*args):
            pass

        @aioresponses()
        @patch("os.getcwd")
        def patched(self, mock, getcwd, fixture):
            pass

        @patch("os.getcwd")
        @aioresponses()
        def patched_around(self, getcwd, mock):
            pass

        self.assertEqual(
            [
                str(inspect.signature(function))
                for function in (last, with_default, named, method, without, patched, patched_around)
            ],
            ["(first, second: int, *, third=3)", "(second=2)", "(second)", "(self)", "(*args)",
             "(self, getcwd, fixture)", "(self, getcwd)"],
        )

    def test_a_decorated_function_whose_annotations_name_what_is_not_there(self):
        function = aioresponses()(annotated("def function(first: Missing, mock): return first"))
        self.assertEqual(list(function.__signature__.parameters), ["first"])
        self.assertEqual(function(1), 1)

    def test_a_decorated_function_is_called_as_pytest_does_it(self):
        @aioresponses()
        def function(first, second, mock, third=3):
            return first, second, type(mock), third

        class Case:
            @aioresponses()
            def method(self, first, mock):
                return first, type(mock)

            @aioresponses()
            @patch("os.getcwd")
            def patched(self, mock, getcwd, first):
                return first, type(mock), isinstance(getcwd, MagicMock)

        self.assertEqual(function(first=1, second=2), (1, 2, aioresponses, 3))
        self.assertEqual(function(1, second=2), (1, 2, aioresponses, 3))
        self.assertEqual(function(1, 2, third=4), (1, 2, aioresponses, 4))
        self.assertEqual(Case().method(first=1), (1, aioresponses))
        self.assertEqual(Case().method(1), (1, aioresponses))
        self.assertEqual(Case().patched(first=1), (1, aioresponses, True))

    def test_a_parameter_that_only_seems_to_be_that_of_the_mock_may_be_given_by_name(self):
        @aioresponses()
        def function(first, mock, second):
            return first, type(mock), second

        self.assertEqual(function(1, second=2), (1, aioresponses, 2))

    def test_no_run_of_a_decorated_function_sees_calls_of_another(self):
        @aioresponses()
        def function(mock):
            mock.get(SITE)
            asyncio.run(get())
            mock.assert_called_once()
            return mock

        self.assertIs(function(), function())
        self.assertEqual(function().call_count, 1)

    def test_a_decorated_function_may_call_itself(self):
        @aioresponses()
        def function(depth, mock):
            mock.get(SITE, body=str(depth))
            inner = function(depth - 1) if depth else []
            return [*inner, asyncio.run(get())]

        self.assertEqual(function(2), ["0", "1", "2"])

    async def test_a_decorated_coroutine_function_may_run_side_by_side(self):
        @aioresponses()
        async def function(mock):
            await asyncio.sleep(0)
            return mock

        self.assertEqual(len(set(await asyncio.gather(function(), function()))), 2)


class GeneratorsTest(unittest.IsolatedAsyncioTestCase):
    """The mock of a generator is active until the generator ends, however it ends."""

    def check_ended(self, mock):
        self.assertFalse(mock.active)
        self.assertFalse(hooks_are_in_place())

    async def check_answers(self, mock):
        self.assertTrue(mock.active)
        self.assertEqual(await get(), "x")

    async def test_the_mock_of_a_generator_is_active_between_its_steps(self):
        ended = []

        @aioresponses()
        def function(first, mock):
            try:
                mock.get(SITE, repeat=True, body="x")
                sent = yield mock
                yield first, sent
                return "returned"
            finally:
                ended.append(mock.active)

        self.assertTrue(inspect.isgeneratorfunction(function))
        self.assertEqual(list(inspect.signature(function).parameters), ["first"])
        for end in (lambda made: self.assertRaises(StopIteration, next, made),
                    lambda made: made.close(),
                    lambda made: self.assertRaises(KeyError, made.throw, KeyError())):
            made = function(first=1)
            mock = next(made)
            await self.check_answers(mock)
            self.assertEqual(made.send(2), (1, 2))
            await self.check_answers(mock)
            end(made)
            self.check_ended(mock)
        self.assertEqual(ended, [True] * 3)

    async def test_the_mock_of_an_async_generator_is_active_between_its_steps(self):
        ended = []

        @aioresponses(param="mock")
        async def function(first, *, mock):
            try:
                mock.get(SITE, repeat=True, body="x")
                yield mock
                yield first
            finally:
                await asyncio.sleep(0)
                ended.append(mock.active)

        self.assertTrue(inspect.isasyncgenfunction(function))

        async def run_out(made):
            self.assertEqual([one async for one in made], [])

        async def throw(made):
            with self.assertRaises(KeyError):
                await made.athrow(KeyError())

        for end in (run_out, throw, lambda made: made.aclose()):
            made = function(1)
            mock = await made.__anext__()
            await self.check_answers(mock)
            self.assertEqual(await made.__anext__(), 1)
            await self.check_answers(mock)
            await end(made)
            self.check_ended(mock)
        self.assertEqual(ended, [True] * 3)

    def test_strictness_is_checked_when_the_generator_ends(self):
        @aioresponses(strict=True)
        def function(mock):
            mock.get(SITE)
            yield

        made = function()
        next(made)
        with self.assertRaisesRegex(AssertionError, "1 mock was never used"):
            next(made)


class ClassDecoratorTest(unittest.TestCase):
    def run_tests(self, case_class):
        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(case_class).run(result)
        return result

    def check_passes(self, case_class, tests):
        result = self.run_tests(case_class)
        self.assertEqual((result.errors, result.failures, result.testsRun), ([], [], tests))

    def test_every_test_method_of_a_decorated_class_is_given_a_mock(self):
        @aioresponses()
        class Case(unittest.IsolatedAsyncioTestCase):
            async def test_coroutine_function(self, mock):
                mock.get(SITE, body="x")
                self.assertEqual(await self.helper(), "x")

            def test_function(self, mock):
                mock.get(SITE, body="y")
                self.assertEqual(asyncio.run(self.helper()), "y")

            async def helper(self):
                return await get()

        self.assertIsInstance(Case, type)
        self.check_passes(Case, 2)

    def test_a_test_method_is_given_the_mock_by_name(self):
        @aioresponses(param="server")
        class Case(unittest.TestCase):
            def test(self, *, server):
                self.assertIsInstance(server, aioresponses)

        self.check_passes(Case, 1)

    def test_no_test_sees_calls_of_another(self):
        @aioresponses(strict=True)
        class Case(unittest.TestCase):
            def check(self, mock):
                self.assertEqual(mock.calls, [])
                mock.get(SITE)
                asyncio.run(get())

            def test_1(self, mock):
                self.check(mock)

            def test_2(self, mock):
                self.check(mock)

        self.check_passes(Case, 2)
        self.check_passes(Case, 2)

    def test_static_and_class_methods_are_decorated(self):
        seen = []

        @aioresponses()
        class Case(unittest.TestCase):
            @staticmethod
            def test_static(mock):
                seen.append(type(mock))

            @classmethod
            def test_class(cls, mock):
                seen.append(type(mock))

        self.check_passes(Case, 2)
        self.assertEqual(seen, [aioresponses, aioresponses])

    def test_static_and_class_methods_can_be_decorated_themselves(self):
        class Plain:
            @aioresponses()
            @staticmethod
            def static(first, mock):
                return first, type(mock)

            @aioresponses()
            @classmethod
            def of_class(cls, mock):
                return cls, type(mock)

        self.assertEqual((Plain.static(1), Plain().static(1)), ((1, aioresponses),) * 2)
        self.assertEqual((Plain.of_class(), Plain().of_class()), ((Plain, aioresponses),) * 2)

    def test_what_cannot_be_called_is_refused(self):
        with self.assertRaises(TypeError) as raised:
            aioresponses()(5)
        self.assertEqual(
            str(raised.exception),
            "@aioresponses() decorates functions, coroutine functions and subclasses of unittest.TestCase, got 5",
        )

    def test_inherited_methods_are_decorated_and_the_base_class_is_left_alone(self):
        class Base(unittest.TestCase):
            def test_inherited(self, mock=None):
                self.seen = mock

        before = Base.test_inherited

        @aioresponses()
        class Case(Base):
            pass

        self.assertIs(Base.test_inherited, before)
        for case_class, expected in ((Base, type(None)), (Case, aioresponses)):
            case = case_class("test_inherited")
            case.run(unittest.TestResult())
            self.assertIsInstance(case.seen, expected)

    def test_strictness_is_a_failure_of_the_test(self):
        @aioresponses(strict=True)
        class Case(unittest.TestCase):
            def test_bad(self, mock):
                mock.get(SITE)

            def test_good(self, mock):
                pass

            @unittest.expectedFailure
            def test_expected(self, mock):
                mock.get(SITE)

        result = self.run_tests(Case)
        [(case, output)] = result.failures
        self.assertEqual(case.id().rpartition(".")[2], "test_bad")
        self.assertIn("1 mock was never used:\n  GET http://example.com/\n", output)
        self.assertEqual((len(result.expectedFailures), result.errors), (1, []))

    def test_other_classes_are_refused(self):
        class Other:
            def test(self):
                pass

        before = dict(vars(Other))
        with self.assertRaises(TypeError) as raised:
            aioresponses()(Other)
        self.assertEqual(
            str(raised.exception),
            "@aioresponses() decorates functions, coroutine functions and subclasses of unittest.TestCase, "
            f"got {Other!r}",
        )
        self.assertEqual(dict(vars(Other)), before)
