import unittest

from aioresponses._display import add_note, cut, hidden, shortened, veiled


class WordingTest(unittest.TestCase):
    def test_long_text_is_cut_with_a_count(self):
        self.assertEqual(shortened("x" * 500), "x" * 500)
        self.assertEqual(shortened("x" * 501), "x" * 500 + "… (1 more characters)")
        self.assertEqual(shortened("abcdef", 2), "ab… (4 more characters)")
        self.assertEqual(shortened("", 0), "")

    def test_of_many_lines_those_around_one_are_shown(self):
        lines = [str(number) for number in range(50)]
        self.assertEqual(cut(lines[:20]), lines[:20])
        self.assertEqual(cut(lines), [*lines[:20], "  … and 30 more"])
        self.assertEqual(cut(lines, 25), ["  … 15 before these", *lines[15:35], "  … and 15 more"])
        self.assertEqual(cut(lines, 49), ["  … 30 before these", *lines[30:]])

    def test_headers_that_are_secrets_are_hidden(self):
        for name in ("Authorization", "authorization", "PROXY-AUTHORIZATION", "Cookie"):
            with self.subTest(name):
                self.assertEqual(hidden(name, "secret"), "…")
                self.assertEqual(hidden(name, "secret", "secret"), "…")
                self.assertEqual(hidden(name, "secret", "other"), "… (another)")
        for value in ("1", ["1", "2"], 5):
            self.assertIs(hidden("X-One", value, "other"), value)

    def test_what_stands_for_a_secret(self):
        self.assertEqual([veiled(1, None), veiled(1, 1), veiled(1, 2)], ["…", "…", "… (another)"])


class NoteTest(unittest.TestCase):
    def test_a_note_is_added_behind_others(self):
        error = ValueError("no")
        add_note(error, "one")
        add_note(error, "two")
        self.assertEqual(error.__notes__, ["one", "two"])

    def test_so_it_is_where_python_knows_of_none(self):
        class Old:
            """An exception as before Python 3.11."""

        error = Old()
        add_note(error, "one")
        add_note(error, "two")
        self.assertEqual(error.__notes__, ["one", "two"])
