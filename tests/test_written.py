import copy
import pickle
import unittest

from aioresponses._client.written import Written

MIB = 2 ** 20


class WrittenTest(unittest.TestCase):
    def written(self, *pieces):
        written = Written()
        for piece in pieces:
            written.append(piece)
        return written

    def test_is_what_was_appended(self):
        self.assertEqual((bytes(self.written()), self.written().size), (b"", 0))
        written = self.written(b"ab", b"", b"c")
        self.assertEqual((bytes(written), written.size, written.is_large), (b"abc", 3, False))
        self.assertEqual(bytes(Written(b"ab")), b"ab")

    def test_what_is_large_is_kept_elsewhere_and_reads_the_same(self):
        pieces = [bytes([number]) * MIB for number in range(6)]
        written = self.written(*pieces)
        self.assertEqual((written.is_large, written.size), (True, 6 * MIB))
        self.assertTrue(bytes(written) == b"".join(pieces))

    def test_more_may_be_written_while_it_is_read(self):
        written = self.written(bytes(5 * MIB))
        reader = iter(written)
        first = next(reader)
        written.append(b"end")
        self.assertTrue(bytes(written) == bytes(5 * MIB) + b"end")
        self.assertTrue((first + b"".join(reader)).startswith(bytes(5 * MIB)))

    def test_its_beginning_has_the_whole_head(self):
        head = b"POST / HTTP/1.1\r\nX: " + b"x" * 2 ** 17 + b"\r\n\r\n"
        for body in (b"small", bytes(5 * MIB)):
            with self.subTest(size=len(body)):
                beginning = self.written(head, body).beginning()
                self.assertTrue(beginning.startswith(head))
                self.assertLess(len(beginning), 2 ** 18)

    def test_copies_hold_the_same(self):
        for written in (self.written(b"ab", b"c"), self.written(b"a", bytes(5 * MIB))):
            for copied in (copy.deepcopy(written), pickle.loads(pickle.dumps(written))):
                self.assertTrue(bytes(copied) == bytes(written))
                copied.append(b"more")
                self.assertNotEqual(copied.size, written.size)
