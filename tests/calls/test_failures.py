"""Which exceptions count as failed assertions, and which others a traceback shows with one."""

import sys
import unittest

from aioresponses._calls.failures import failed_assertions, told_with


def raised(error, cause=None, hides_context=False, context=None):
    """Return an exception that was raised from another one, or while another one was handled."""
    error.__context__ = context
    if cause is not None or hides_context:
        error.__cause__ = cause  # Sets __suppress_context__ as well.
    return error


class FailedAssertionsTest(unittest.TestCase):
    def check(self, error, *found, classes=(AssertionError,)):
        self.assertEqual(list(failed_assertions(error, classes)), list(found))

    def test_are_those_of_the_given_classes(self):
        class Own(Exception):
            """What a test case may fail by."""

        assertion, own = AssertionError("no"), Own("no")
        self.check(assertion, assertion)
        self.check(own)
        self.check(own, own, classes=(AssertionError, Own))
        self.check(KeyboardInterrupt())

    def test_what_one_was_turned_into_is_none(self):
        self.check(raised(KeyError("own"), cause=AssertionError("no")))

    @unittest.skipUnless(sys.version_info >= (3, 11), "Python 3.11 brought groups of exceptions")
    def test_of_a_group_each_in_it(self):
        one, other = AssertionError("one"), AssertionError("other")
        group = ExceptionGroup("", [one, KeyError("own"), ExceptionGroup("", [other])])  # noqa: F821
        self.check(group, one, other)

    def test_an_attribute_of_the_name_does_not_make_a_group(self):
        for members in (5, None, [1, "a"]):
            error = KeyError("own")
            error.exceptions = members
            self.check(error)


class ToldWithTest(unittest.TestCase):
    def check(self, error, *found):
        self.assertCountEqual(told_with(error), [error, *found])

    def test_the_cause_or_else_the_context(self):
        first, second = KeyError("first"), KeyError("second")
        self.check(raised(ValueError()))
        self.check(raised(ValueError(), context=first), first)
        self.check(raised(ValueError(), cause=second, context=first), second)
        self.check(raised(ValueError(), hides_context=True, context=first))

    def test_what_these_show_in_turn(self):
        first = KeyError("first")
        second = raised(KeyError("second"), context=first)
        self.check(raised(ValueError(), cause=second), second, first)

    def test_members_of_a_group(self):
        first = KeyError("first")
        error = ValueError()
        error.exceptions = (first,)
        self.check(error, first)

    def test_a_circle_ends(self):
        first = KeyError("first")
        second = raised(KeyError("second"), cause=first)
        first.__context__ = second
        self.check(second, first)
