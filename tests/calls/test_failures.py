"""Which exceptions count as failed assertions, and which others a traceback shows with one."""

import sys
import unittest

from aioresponses._calls.failures import failed_assertions, shown_with


def raised(error, cause=None, hides_context=False, context=None):
    """Return an exception that was raised from another one, or while another one was handled."""
    error.__context__ = context
    if cause is not None or hides_context:
        error.__cause__ = cause  # Sets __suppress_context__ as well.
    return error


class FailedAssertionsTest(unittest.TestCase):
    def check(self, error, *found, classes=(AssertionError,)):
        self.assertEqual(list(failed_assertions(error, classes)), list(found))

    def test_failed_assertions_are_of_the_given_classes(self):
        class Own(Exception):
            """What a test case may fail by."""

        assertion, own = AssertionError("no"), Own("no")
        self.check(assertion, assertion)
        self.check(own)
        self.check(own, own, classes=(AssertionError, Own))
        self.check(KeyboardInterrupt())

    def test_an_exception_that_an_assertion_was_turned_into_is_not_a_failed_assertion(self):
        self.check(raised(KeyError("own"), cause=AssertionError("no")))

    @unittest.skipUnless(sys.version_info >= (3, 11), "Python 3.11 brought groups of exceptions")
    def test_each_assertion_in_a_group_counts(self):
        one, other = AssertionError("one"), AssertionError("other")
        group = ExceptionGroup("", [one, KeyError("own"), ExceptionGroup("", [other])])  # noqa: F821
        self.check(group, one, other)

    def test_an_attribute_of_another_kind_does_not_make_a_group(self):
        for members in (5, None, [1, "a"]):
            error = KeyError("own")
            error.exceptions = members
            self.check(error)


class ToldWithTest(unittest.TestCase):
    def check(self, error, *found):
        self.assertCountEqual(shown_with(error), [error, *found])

    def test_an_exception_is_shown_with_its_cause_or_else_its_context(self):
        first, second = KeyError("first"), KeyError("second")
        self.check(raised(ValueError()))
        self.check(raised(ValueError(), context=first), first)
        self.check(raised(ValueError(), cause=second, context=first), second)
        self.check(raised(ValueError(), hides_context=True, context=first))

    def test_an_exception_is_shown_with_what_its_cause_shows(self):
        first = KeyError("first")
        second = raised(KeyError("second"), context=first)
        self.check(raised(ValueError(), cause=second), second, first)

    def test_a_group_is_shown_with_its_members(self):
        first = KeyError("first")
        error = ValueError()
        error.exceptions = (first,)
        self.check(error, first)

    def test_a_circle_of_causes_ends(self):
        first = KeyError("first")
        second = raised(KeyError("second"), cause=first)
        first.__context__ = second
        self.check(second, first)
