import asyncio
import json
import tempfile
from pathlib import Path
from unittest.mock import ANY

from aiohttp import ClientConnectionError, ClientSession

from aioresponses import AioResponsesTestCase, Fault, aioresponses

URL = "https://api.example.com/users"


class CallsTest(AioResponsesTestCase):
    """What was asked and answered, in other forms."""

    maxDiff = None
    assert_all_mocked = False

    def har(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "calls.har"
            self.mock.to_har(path)
            return json.loads(path.read_text("utf-8"))["log"]

    async def ask(self):
        self.mock.get(URL, status=302, headers={"Location": "/all?token=S3CR3T"})
        self.mock.get(URL.replace("users", "all"), match_query=ANY, payload=[{"name": "Åda"}], cookies={"a": "S3CR3T"})
        self.mock.post(URL, status=500, body="no", content_type="text/plain")
        self.mock.put(URL, fault=Fault.CONNECTION_RESET, repeat=True)
        session = self.client_session(headers={"Authorization": "Bearer S3CR3T"})
        async with session.get(URL) as response:
            await response.json()
        async with session.post(URL, json={"password": "S3CR3T"}) as response:
            await response.read()
        for method in ("PUT", "DELETE"):
            with self.assertRaises(ClientConnectionError):
                await session.request(method, URL)

    async def test_as_a_har(self):
        await self.ask()
        log = self.har()
        self.assertEqual((log["version"], log["creator"]["name"]), ("1.2", "aioresponses"))
        seen = [
            (request["method"], request["url"], response["status"], response["content"]["text"])
            for request, response in ((one["request"], one["response"]) for one in log["entries"])
            if request["method"] != "PUT"
        ]
        hidden = "https://api.example.com/all?token=hidden-by-aioresponses"
        self.assertEqual(
            seen,
            [
                ("GET", URL, 302, ""), ("GET", hidden, 200, '[{"name": "\\u00c5da"}]'), ("POST", URL, 500, "no"),
                ("DELETE", URL, 0, ""),
            ],
        )
        self.assertEqual(log["entries"][-1]["response"]["_error"], "ClientConnectionError")
        for entry in log["entries"]:
            self.assertEqual(entry["time"], round(sum(entry["timings"].values()), 3))
            self.assertRegex(entry["startedDateTime"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertNotIn("S3CR3T", json.dumps(log))

    async def test_as_code(self):
        await self.ask()
        printed = self.mock.to_python()
        self.assertEqual(
            printed,
            "from unittest.mock import ANY\n\n"
            "mock.get(\n"
            f"    '{URL}',\n"
            "    status=302,\n"
            "    headers={'Location': '/all?token=hidden-by-aioresponses'},\n"
            ")\n"
            "mock.get(\n"
            "    'https://api.example.com/all',\n"
            "    match_query={'token': ANY},\n"
            "    payload=[{'name': 'Åda'}],\n"
            "    headers={'Set-Cookie': 'a=hidden-by-aioresponses; Path=/'},\n"
            ")\n"
            f"mock.post('{URL}', status=500, body='no', content_type='text/plain')\n",
        )
        # It answers alike.
        with aioresponses(strict=True) as mock:
            exec(printed, {"mock": mock})
            async with ClientSession() as session:
                async with session.get(URL) as response:
                    self.assertEqual(await response.json(), [{"name": "Åda"}])
                async with session.post(URL) as response:
                    self.assertEqual((response.status, (await response.read())), (500, b"no"))

    async def test_of_no_calls(self):
        self.assertEqual(self.mock.to_python(), "")
        self.assertEqual(self.har()["entries"], [])

    async def test_a_call_on_its_way_and_a_body_that_was_not_read(self):
        never = asyncio.Event()

        async def wait(call):
            await never.wait()

        self.mock.get(URL, callback=wait)
        self.mock.post(URL, body="x")
        session = self.client_session()
        task = asyncio.ensure_future(session.get(URL))
        await asyncio.sleep(0)
        response = await session.post(URL)
        self.assertEqual(
            [(one["response"]["status"], one["response"]["content"]["text"]) for one in self.har()["entries"]],
            [(0, ""), (200, "")],
        )
        response.release()
        task.cancel()
        await asyncio.wait([task])
