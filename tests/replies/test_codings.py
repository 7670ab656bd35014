"""Content codings: a body is given as it will be read, and goes over the wire compressed."""

import gzip
import io
import sys
import types
import zlib
from unittest.mock import patch

from aiohttp import ClientSession, web
from aiohttp.web import ContentCoding

from aioresponses import AioResponsesTestCase, CallbackResult, aioresponses

from ..servers import ServerTestCase, seen
from ..support import SITE

TEXT = b"grown on the vine, " * 5000
PIECES = [TEXT[:10], b"", TEXT[10:70000], TEXT[70000:]]
WITHOUT_BROTLI = {"brotli": None, "brotlicffi": None}
WITHOUT_ZSTD = {"compression.zstd": None, "backports.zstd": None}


def raw_deflated(body):
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(body) + compressor.flush()


async def generator():
    for piece in PIECES:
        yield piece


def in_pieces(body, size):
    """Return a generator function of a body in pieces of this size."""

    async def pieces():
        for start in range(0, len(body), size):
            yield body[start:start + size]

    return pieces


def sources(body):
    """Return a body in each form that is streamed."""
    return {
        "generator function": in_pieces(body, 10000),
        "list": [body[:100], body[100:]],
        "file": io.BytesIO(body),
        "function that returns bytes": lambda: body,
    }


class Wire(AioResponsesTestCase):
    async def wire(self, coding, body, **headers):
        """Return the bytes on the wire, and what is read of them."""
        read = []
        for auto_decompress in (False, True):
            self.mock.get(SITE, body=body, headers={"Content-Encoding": coding, **headers})
            async with ClientSession(auto_decompress=auto_decompress) as session:
                async with session.get(SITE) as response:
                    read.append(await response.read())
                    self.assertEqual(response.headers["Content-Encoding"], coding)
        return read


class CompressedTest(Wire):
    async def test_gzip(self):
        for name, body in {"bytes": TEXT, **sources(TEXT)}.items():
            with self.subTest(name):
                sent, read = await self.wire("gzip", body)
                self.assertEqual((gzip.decompress(sent), read), (TEXT, TEXT))
                self.assertLess(len(sent), len(TEXT) // 10)

    async def test_deflate(self):
        for name, body in {"bytes": TEXT, **sources(TEXT)}.items():
            with self.subTest(name):
                sent, read = await self.wire("deflate", body)
                self.assertEqual((zlib.decompress(sent), read), (TEXT, TEXT))

    async def test_the_name_of_a_coding_is_case_insensitive(self):
        # (aiohttp 3.13.5 itself takes it for deflate then.)
        self.mock.get(SITE, body=TEXT, headers={"Content-Encoding": "GZip"})
        async with ClientSession(auto_decompress=False) as session:
            async with session.get(SITE) as response:
                self.assertEqual(gzip.decompress(await response.read()), TEXT)

    async def test_a_body_that_is_compressed_already_is_left_alone(self):
        for coding, body in (
            ("gzip", gzip.compress(TEXT)), ("deflate", zlib.compress(TEXT))
        ):
            for name, source in {"bytes": body, **sources(body)}.items():
                with self.subTest(coding, source=name):
                    sent, read = await self.wire(coding, source)
                    self.assertEqual((sent == body, read == TEXT), (True, True))

    async def test_a_deflated_body_without_a_header_is_known_where_it_is_seen_as_a_whole(self):
        # It has no mark of its own: what it begins with may be any text.
        body = raw_deflated(TEXT)
        for source in (body, lambda: body):
            sent, read = await self.wire("deflate", source)
            self.assertEqual((sent == body, read == TEXT), (True, True))

    async def test_a_stream_that_is_compressed_already_may_begin_with_next_to_nothing(self):
        for coding, body in (("gzip", gzip.compress(TEXT)), ("deflate", zlib.compress(TEXT))):
            one_by_one = [body[index:index + 1] for index in range(len(body))]
            for pieces in ([b"", body], [body[:1], b"", body[1:]], one_by_one):
                with self.subTest(coding, pieces=len(pieces)):
                    sent, read = await self.wire(coding, lambda: pieces)
                    self.assertEqual((sent == body, read == TEXT), (True, True))

    async def test_bodies_of_other_codings_are_left_alone(self):
        for coding in ("identity", "x-snappy"):
            for name, body in {"bytes": TEXT, **sources(TEXT)}.items():
                with self.subTest(coding, source=name):
                    self.assertEqual(await self.wire(coding, body), [TEXT, TEXT])

    async def test_which_names_of_codings_are_known(self):
        for name, known in (
            ("gzip", True), (" Deflate ", True), ("identity", False), ("", False), ("gzip, deflate", False),
            ("compress", False),
        ):
            with self.subTest(name):
                self.mock.get(SITE, body=TEXT, headers={"Content-Encoding": name})
                async with ClientSession(auto_decompress=False) as session:
                    async with session.get(SITE) as response:
                        self.assertEqual(await response.read() != TEXT, known)

    async def test_text_that_looks_deflated_is_deflated(self):
        # These begin as a deflated body may begin.
        for body in (b"x", b"x\x9c", b"HG", b"x\x9cplain text", b"8O is no header of zlib's, but could be one"):
            with self.subTest(body):
                sent, read = await self.wire("deflate", body)
                self.assertEqual((zlib.decompress(sent), read), (body, body))

    async def test_a_stream_is_compressed_piece_by_piece(self):
        body = bytes(400 * 2 ** 16)
        self.mock.get(SITE, body=in_pieces(body, 2 ** 16), headers={"Content-Encoding": "gzip"})
        async with ClientSession(auto_decompress=False) as session:
            async with session.get(SITE) as response:
                self.assertTrue(gzip.decompress(await response.read()) == body)

    async def test_a_length_that_was_registered_is_not_that_of_the_compressed(self):
        for body in (TEXT, generator):
            sent, read = await self.wire("gzip", body, **{"Content-Length": str(len(TEXT))})
            self.assertEqual((gzip.decompress(sent), read), (TEXT, TEXT))

    async def test_payload_and_events_are_compressed(self):
        self.mock.get(SITE, payload={"a": 1}, headers={"Content-Encoding": "gzip"})
        self.mock.get(SITE, events=["a", "b"], headers={"Content-Encoding": "deflate"})
        async with ClientSession() as session:
            async with session.get(SITE) as response:
                self.assertEqual(await response.json(), {"a": 1})
            async with session.get(SITE) as response:
                self.assertEqual(await response.read(), b"data: a\n\ndata: b\n\n")

    async def test_without_a_body_there_is_nothing_to_compress(self):
        async def nothing():
            return
            yield

        for body in (b"", "", [], nothing, io.BytesIO()):
            for coding in ("gzip", "deflate"):
                with self.subTest(coding, body=body):
                    self.assertEqual(await self.wire(coding, body), [b"", b""])

    async def test_a_head_shows_the_length_that_is_registered(self):
        # Nothing is sent whose length this would not be.
        for body in ("", TEXT, generator, io.BytesIO(TEXT)):
            with self.subTest(type(body).__name__):
                self.mock.head(SITE, body=body, headers={"Content-Encoding": "gzip", "Content-Length": "1234"})
                async with ClientSession() as session:
                    async with session.head(SITE) as response:
                        self.assertEqual((response.headers.get("Content-Length"), await response.read()), ("1234", b""))


class CompressedLikeAServerTest(ServerTestCase):
    async def check_stream(self, body, enable, coding):
        async def handle(request):
            response = web.StreamResponse(headers={"Content-Type": "text/plain"})
            response.enable_compression(enable)
            await response.prepare(request)
            for piece in PIECES:
                await response.write(piece)
            return response

        url = await self.serve(web.route("*", "/", handle))

        async def scenario():
            async with ClientSession() as session:
                async with session.get(url) as response:
                    return await seen(response)

        def register(mock):
            mock.get(url, body=body, headers={"Content-Type": "text/plain", "Content-Encoding": coding})

        outcome = await self.compare(scenario, register)
        self.assertEqual(outcome.seen.body, TEXT)

    async def test_a_gzipped_stream(self):
        await self.check_stream(generator, ContentCoding.gzip, "gzip")

    async def test_a_deflated_stream(self):
        await self.check_stream(generator, ContentCoding.deflate, "deflate")


class MissingCodecTest(ServerTestCase):
    """A coding that the client does not understand, for want of a package."""

    async def fetched(self, coding, method="GET", status=200, body="", **others):
        """Return what is read of a server that does not use the coding, and of the mock that is to use it."""

        async def handle(request):
            response = web.Response(status=status, body=TEXT if body else None, headers={"Content-Type": "text/plain"})
            if "chunked" in others.values():
                response.enable_chunked_encoding()
            return response

        url = await self.serve(web.route("*", "/", handle))
        headers = {"Content-Type": "text/plain", "content-encoding": coding, **others}

        async def scenario():
            async with ClientSession() as session:
                async with session.request(method, url) as response:
                    names = ("Content-Encoding", "Transfer-Encoding", "Content-Type")
                    return response.status, [response.headers.get(name) for name in names], await response.read()

        with patch.dict(sys.modules, {**WITHOUT_BROTLI, **WITHOUT_ZSTD}):
            outcome = await self.compare(
                scenario, lambda mock: mock.add(url, method, status, body, headers=headers)
            )
        return outcome.seen

    async def test_the_body_goes_plain_and_the_header_is_left_out(self):
        for coding in ("br", "zstd", "BR", " zstd "):
            for body in (TEXT, TEXT.decode(), io.BytesIO(TEXT)):
                with self.subTest(coding, body=type(body)):
                    self.assertEqual(await self.fetched(coding, body=body), (200, [None, None, "text/plain"], TEXT))

    async def test_a_stream_in_a_coding_without_its_codec(self):
        for coding in ("br", "zstd"):
            for body in (generator, PIECES):
                with self.subTest(coding, body=type(body)):
                    seen = await self.fetched(coding, body=body, **{"Transfer-Encoding": "chunked"})
                    self.assertEqual(seen, (200, [None, "chunked", "text/plain"], TEXT))

    async def test_where_there_is_no_body_the_header_is_left_out_as_well(self):
        # For aiohttp would fail at the header alone.
        for method, status in (("GET", 200), ("GET", 204), ("GET", 304), ("HEAD", 200), ("POST", 200)):
            for coding in ("br", "zstd"):
                with self.subTest(method, status=status, coding=coding):
                    seen = await self.fetched(coding, method, status)
                    self.assertEqual(seen, (status, [None, None, "text/plain"], b""))

    async def test_payload_and_events(self):
        with patch.dict(sys.modules, {**WITHOUT_BROTLI, **WITHOUT_ZSTD}), aioresponses() as mock:
            for coding in ("br", "zstd"):
                mock.get(SITE, payload={"a": 1}, headers={"Content-Encoding": coding})
                mock.get(SITE, events=["a"], headers={"Content-Encoding": coding})
                mock.get(SITE, replies=[{"payload": [], "headers": {"Content-Encoding": coding}}])
                mock.get(
                    SITE, callback=lambda call: CallbackResult(body="text", headers={"Content-Encoding": coding})
                )
            async with ClientSession() as session:
                for _ in range(2):
                    for body in (b'{"a": 1}', b"data: a\n\n", b"[]", b"text"):
                        async with session.get(SITE) as response:
                            self.assertEqual(
                                (await response.read(), response.headers.get("Content-Encoding")), (body, None)
                            )

    async def test_a_length_that_was_copied_along_with_it_is_that_of_the_body(self):
        self.assertEqual((await self.fetched("br", body=TEXT, **{"Content-Length": "17"}))[2], TEXT)

    async def test_the_codings_of_the_standard_library_are_never_missing(self):
        with patch.dict(sys.modules, {**WITHOUT_BROTLI, **WITHOUT_ZSTD}), aioresponses() as mock:
            for coding in ("gzip", "deflate"):
                mock.get(SITE, body=TEXT, headers={"Content-Encoding": coding})
                async with ClientSession() as session:
                    async with session.get(SITE) as response:
                        self.assertEqual((response.headers["Content-Encoding"], await response.read()), (coding, TEXT))


class StandInCompressor:
    """Swaps the case of letters, between marks; in the manner of both packages."""

    def __init__(self):
        self._begun = False

    def compress(self, data):
        begin, self._begun = b"" if self._begun else b"<", True
        return begin + data.swapcase()

    def flush(self):
        return (b"" if self._begun else b"<") + b">"

    process = compress
    finish = flush


class StandInError(Exception):
    pass


def stand_in_decompress(body):
    if not (body.startswith(b"<") and body.endswith(b">")):
        raise StandInError
    return body


def brotli_stand_in():
    module = types.ModuleType("brotli")
    module.Compressor = StandInCompressor
    module.decompress = stand_in_decompress
    module.error = StandInError
    return module


def zstd_stand_in():
    module = types.ModuleType("zstd")
    module.ZstdCompressor = StandInCompressor
    return module


class OtherPackagesTest(AioResponsesTestCase):
    """The bytes on the wire, with modules that stand in for the packages."""

    async def sent(self, modules, coding, body):
        with patch.dict(sys.modules, modules):
            self.mock.get(SITE, body=body, headers={"Content-Encoding": coding})
            async with ClientSession(auto_decompress=False) as session:
                async with session.get(SITE) as response:
                    return await response.read()

    async def test_each_name_of_each_package(self):
        for coding, modules in (
            ("br", {"brotlicffi": None, "brotli": brotli_stand_in()}),
            ("br", {"brotlicffi": brotli_stand_in(), "brotli": None}),
            ("zstd", {"compression.zstd": None, "backports.zstd": zstd_stand_in()}),
            ("zstd", {"compression.zstd": zstd_stand_in(), "backports.zstd": None}),
        ):
            with self.subTest(coding, modules=modules):
                self.assertEqual(await self.sent(modules, coding, "abc"), b"<ABC>")
                self.assertEqual(await self.sent(modules, coding, lambda: ["abc", b"", b"de"]), b"<ABCDE>")
                self.assertEqual(await self.sent(modules, coding, ""), b"")

    async def test_a_body_that_is_compressed_already_is_left_alone(self):
        self.assertEqual(await self.sent({"brotlicffi": None, "brotli": brotli_stand_in()}, "br", "<ABC>"), b"<ABC>")
        zstd = {"compression.zstd": zstd_stand_in()}
        magic = b"\x28\xb5\x2f\xfd"
        self.assertEqual(await self.sent(zstd, "zstd", magic + b"..."), magic + b"...")
        self.assertEqual(await self.sent(zstd, "zstd", lambda: [magic + b".", b".."]), magic + b"...")
