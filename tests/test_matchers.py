import unittest
from operator import contains, eq

from aioresponses.matchers import unpaired


class UnpairedTest(unittest.TestCase):
    def test_each_gets_one_of_its_own(self):
        self.assertEqual(unpaired([1, 2, 2], [2, 1, 2], eq), [])
        self.assertEqual(unpaired([1, 1, 3], [1, 2, 3], eq), [1])

    def test_who_comes_first_makes_room(self):
        self.assertEqual(unpaired([{1, 2}, {1}], [1, 2], contains), [])
        self.assertEqual(unpaired([{1, 2}, {1}, {2}], [1, 2], contains), [{2}])

    def test_a_long_chain_of_moves(self):
        wanted = [{number, number + 1} for number in range(1200)] + [{0}]
        self.assertEqual(unpaired(wanted, range(1201), contains), [])

    def test_many_equal_ones(self):
        self.assertEqual(unpaired([1] * 2000, [1] * 2000, eq), [])
