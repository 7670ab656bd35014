"""URLs that are sent as they are, quoted or not, are those of the mock that names them in any spelling."""

from aiohttp import ClientSession
from yarl import URL

from ..servers import ServerTestCase


async def read(session, url):
    """Return the body of a response; the type says nothing of a charset."""
    async with session.get(url) as response:
        return await response.read()


class EncodedTest(ServerTestCase):
    async def check(self, sent, registered):
        async def behave(writer, before):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: x\r\nContent-Length: 2\r\n\r\nok")

        url = await self.serve_raw(behave)

        async def scenario():
            async with ClientSession(requote_redirect_url=False) as session:
                return await read(session, URL(f"{str(url).rstrip('/')}{sent}", encoded=True))

        def register(mock):
            mock.get(f"{str(url).rstrip('/')}{registered}", body="ok", content_type="x")

        self.assertEqual((await self.compare(scenario, register, what_came_in=False)).seen, b"ok")

    async def test_a_path_that_is_not_quoted_is_that_of_the_mock_that_names_it(self):
        for sent in ("/a[b]/c", "/a%5Bb%5D/c", "/a[b]%2Fc"):
            with self.subTest(sent):
                await self.check(sent, sent)
        await self.check("/%7Eada", "/~ada")

    async def test_a_redirect_that_is_not_requoted_leads_to_the_mock_of_its_target(self):
        async def behave(writer, before):
            head = b"HTTP/1.1 200 OK\r\n" if before else b"HTTP/1.1 302 Found\r\nLocation: /[there]/%7e\r\n"
            writer.write(head + b"Content-Type: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

        url = await self.serve_raw(behave)

        def register(mock):
            mock.get(url, status=302, headers={"Location": "/[there]/%7e"}, body="ok", content_type="x")
            mock.get(f"{url}[there]/~", body="ok", content_type="x")

        async def scenario():
            async with ClientSession(requote_redirect_url=False) as session:
                return await read(session, url)

        self.assertEqual((await self.compare(scenario, register, what_came_in=False)).seen, b"ok")
