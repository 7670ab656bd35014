import base64
import gzip
import json
import unittest

from aioresponses._cassettes.bodies import body_of, part_of, without_secrets
from aioresponses._cassettes.secrets import HIDDEN, Secrets

SECRET = "S3CR3T"
JSON = json.dumps({"token": SECRET, "name": "Åda"}, ensure_ascii=False)
FORM = "application/x-www-form-urlencoded"


def shown(body, mime="application/json"):
    return without_secrets(body, mime, Secrets())


class PartTest(unittest.TestCase):
    def test_json_stands_beside_its_text(self):
        for mime in ("application/json", "application/problem+json; charset=utf-8"):
            self.assertEqual(
                part_of(b'{"a": 1.0}', mime), {"mimeType": mime, "text": '{"a": 1.0}', "_json": {"a": 1.0}}
            )
        # The last three are not JSON for others, who could not read a file with them.
        for text in ("{", "[" * 100000, "NaN", '{"a": -Infinity}', "[1e999]"):
            part = {"mimeType": "application/json", "text": text}
            self.assertEqual(part_of(text.encode(), "application/json"), part)

    def test_bodies_can_be_made_again(self):
        for body, mime, is_text in (
            (b"", "", True),
            ("Åda\r\n".encode(), "text/plain", True),
            ("Åda".encode("latin-1"), "text/html; charset=iso-8859-1", True),
            ("Åda".encode("utf-16"), "text/plain; charset=utf-16", True),
            ("\ufeffÅda".encode(), "text/plain", True),
            ("Åda".encode("latin-1"), "text/html", False),
            ("Åda".encode("utf-16-le"), "text/plain; charset=utf-16", False),
            (b"a\0b", "text/plain", False),
            (bytes(range(256)), "image/png", False),
            (b"abc", "text/plain; charset=no-such", False),
        ):
            with self.subTest(body=body, mime=mime):
                part = part_of(body, mime)
                self.assertEqual("encoding" not in part, is_text)
                self.assertEqual(body_of(part), body)

    def test_what_others_write(self):
        self.assertEqual(body_of({}), b"")
        self.assertEqual(body_of({"text": None}), b"")
        self.assertEqual(body_of({"text": "Å", "mimeType": "text/plain; charset=ascii"}), "Å".encode())
        for text in ("YQ==", "YQ==\n", "Y Q\r\n=="):
            self.assertEqual(body_of({"text": text, "encoding": "base64"}), b"a")
        for text in ("Y", "a text", "YQ==!", "Å"):
            with self.assertRaises(ValueError):
                body_of({"text": text, "encoding": "base64"})


class SecretsTest(unittest.TestCase):
    def test_in_every_encoding(self):
        for charset in ("utf-8", "latin-1", "utf-16", "utf-16-le", "utf-32", "cp1252"):
            for mime in (f"application/json; charset={charset}", "application/json", ""):
                if charset == "cp1252" and mime == "":
                    continue
                with self.subTest(charset=charset, mime=mime):
                    self.assertEqual(
                        shown(JSON.encode(charset), mime), JSON.replace(SECRET, HIDDEN).encode(charset)
                    )

    def test_a_charset_that_is_wrong_hides_no_secret(self):
        for charset in ("utf-16", "utf-32", "no-such", "rot13", "ascii"):
            self.assertNotIn(SECRET.encode(), shown(JSON.encode(), f"application/json; charset={charset}"), charset)

    def test_forms(self):
        self.assertEqual(shown(f"a=1&code={SECRET}".encode(), FORM), f"a=1&code={HIDDEN}".encode())
        self.assertEqual(shown(b"a=\xff&token=x", FORM + "; charset=utf-8"), b"a=\xff&token=" + HIDDEN.encode())

    def test_what_is_compressed_in_itself(self):
        packed = gzip.compress(JSON.encode())
        self.assertEqual(gzip.decompress(shown(packed, "application/gzip")), JSON.replace(SECRET, HIDDEN).encode())
        harmless = gzip.compress(b"harmless")
        self.assertEqual(shown(harmless), harmless)
        self.assertEqual(shown(b"\x1f\x8bbroken"), b"\x1f\x8bbroken")

    def test_binary_bodies_stay_as_they_are(self):
        for body in (bytes(range(256)) * 4, b"", b"\0\0\0\0", b"\xff\xfe\0"):
            self.assertEqual(shown(body, "image/png"), body)

    def multipart(self, *parts, end="\r\n"):
        return end.join([*(one for part in parts for one in ("--XX", *part)), "--XX--", ""]).encode()

    def test_multipart(self):
        def parts(secret, coded):
            return self.multipart(
                ('Content-Disposition: form-data; name="user"', "", "Ada"),
                ('Content-Disposition: form-data; name="password"', "", secret),
                ("Content-Disposition: form-data; name=code", "", secret),
                ("Content-Type: application/json", 'Content-Disposition: form-data; name="meta"', "",
                 json.dumps({"api_key": secret})),
                ('Content-Disposition: form-data; name="f"; filename="password.txt"', "", "not\r\n\r\nhidden"),
                ('Content-Disposition: form-data; name="b64"', "Content-Transfer-Encoding: base64",
                 "Content-Type: application/json", "", coded),
                (f"X-Api-Key: {secret}", 'Content-Disposition: form-data; name="x"', "", ""),
            )

        def coded(secret):
            return base64.b64encode(json.dumps({"token": secret}).encode()).decode()

        for mime in ("multipart/form-data; boundary=XX", 'multipart/mixed; boundary="XX"'):
            self.assertEqual(shown(parts(SECRET, coded(SECRET)), mime), parts(HIDDEN, coded(HIDDEN)))
        # Without the boundary, fields of JSON are found all the same.
        self.assertEqual(shown(self.multipart(("", JSON)), "multipart/form-data").count(SECRET.encode()), 0)

    def test_parts_in_codings_are_hidden_as_a_whole(self):
        for header in ("Content-Encoding: br", "Content-Transfer-Encoding: quoted-printable"):
            part = (header, 'Content-Disposition: form-data; name="x"', "")
            self.assertEqual(
                shown(self.multipart((*part, "to=ken")), "multipart/form-data; boundary=XX"),
                self.multipart((*part, HIDDEN)),
            )

    def test_parts_that_are_compressed(self):
        def body(content):
            return (
                b"--XX\r\nContent-Encoding: gzip\r\nContent-Type: application/json\r\n\r\n"
                + content + b"\r\n--XX--\r\n"
            )

        harmless = body(gzip.compress(b"{}"))
        self.assertEqual(shown(harmless, "multipart/mixed; boundary=XX"), harmless)
        self.assertEqual(
            shown(body(gzip.compress(JSON.encode())), "multipart/mixed; boundary=XX"),
            body(gzip.compress(JSON.replace(SECRET, HIDDEN).encode(), mtime=0)),
        )

    def test_parts_within_parts(self):
        inner = self.multipart(('Content-Disposition: form-data; name="token"', "", SECRET)).decode()
        outer = (b"--YY\r\nContent-Type: multipart/mixed; boundary=XX\r\n\r\n" + inner.encode() + b"\r\n--YY--\r\n")
        self.assertEqual(
            shown(outer, "multipart/mixed; boundary=YY"), outer.replace(SECRET.encode(), HIDDEN.encode())
        )
