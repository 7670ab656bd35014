"""The parts of a multipart body that was sent."""

import aiohttp

from aioresponses import Part

from ..support import AskingTestCase


class MultipartTest(AskingTestCase):
    async def test_parts_of_a_form(self):
        form = aiohttp.FormData()
        form.add_field("title", "Grüße")
        form.add_field("file", b"\0\1", filename="a.bin", content_type="application/x-own")
        call = await self.call(data=form)
        title, file = call.multipart()
        self.assertIsInstance(file, Part)
        self.assertEqual((title.name, title.filename, title.content), ("title", None, "Grüße".encode()))
        self.assertEqual((file.name, file.filename, file.content), ("file", "a.bin", b"\0\1"))
        self.assertEqual(file.headers["content-type"], "application/x-own")

    async def test_parts_of_a_part_stand_in_its_place(self):
        inner = aiohttp.MultipartWriter("mixed")
        for text in ("b", "c"):
            inner.append(text)
        outer = aiohttp.MultipartWriter("mixed")
        for part in ("a", inner, "d"):
            outer.append(part)
        call = await self.call(data=outer)
        self.assertEqual([part.content for part in call.multipart()], [b"a", b"b", b"c", b"d"])

    async def test_no_parts(self):
        call = await self.call(data=aiohttp.MultipartWriter("mixed"))
        self.assertEqual(call.multipart(), [])
