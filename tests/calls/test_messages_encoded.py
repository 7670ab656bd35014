"""Bodies that are, or only claim to be, in a content coding."""

import gzip
import zlib

from ..support import SITE, MockedTestCase


class EncodedTest(MockedTestCase):
    async def body_of(self, data, encoding):
        self.mock.post(SITE)
        await self.session.post(SITE, data=data, headers={"Content-Encoding": encoding})
        return self.mock.calls[-1].body

    async def test_a_body_is_decoded(self):
        self.assertEqual(await self.body_of(gzip.compress(b"text"), "gzip"), b"text")
        self.assertEqual(await self.body_of(zlib.compress(b"text"), "deflate"), b"text")

    async def test_an_empty_body_that_is_encoded_is_empty(self):
        self.assertEqual(await self.body_of(gzip.compress(b""), "gzip"), b"")
        self.assertEqual(await self.body_of(zlib.compress(b""), "deflate"), b"")

    async def test_a_body_that_only_claims_to_be_encoded_is_given_as_it_is(self):
        for encoding in ("gzip", "deflate", "br", "zstd", "unknown"):
            for data in (b" ", b"text", b"\x1f\x8b", gzip.compress(b"text")[:8]):
                with self.subTest(encoding, data=data):
                    self.assertEqual(await self.body_of(data, encoding), data)
