import asyncio
import json
import tempfile
from pathlib import Path
from unittest.mock import ANY

from aiohttp import ClientConnectionError, ClientSession, web

from aioresponses import AioResponsesTestCase, Fault, VirtualClock, aioresponses
from aioresponses.websockets import Close, Drop, Expect, Sleep

from .support import idle

URL = "https://api.example.com/users"
WS = "wss://example.com/ws"


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

    async def test_a_body_that_was_not_read_as_a_whole_is_not_known(self):
        self.mock.get(URL, body="x" * 10, repeat=True)
        self.mock.head(URL)
        self.mock.get(URL + "/none", status=204)
        session = self.client_session()
        for read in (lambda response: response.content.read(), lambda response: response.content.readexactly(2)):
            async with session.get(URL) as response:
                await read(response)
        async with session.get(URL) as response:
            await response.read()
        async with session.head(URL), session.get(URL + "/none"):
            pass
        said = "the body is not known, because the client has not read all of it"
        self.assertEqual([one.get("comment") for one in self.har()["entries"]], [said, said, None, None, None])
        self.assertEqual(
            self.mock.to_python(),
            f"# {said}\nmock.get('{URL}')\n" * 2 + f"mock.get('{URL}', body='xxxxxxxxxx')\n"
            f"mock.head('{URL}', headers={{'Content-Length': '0'}})\nmock.get('{URL}/none', status=204)\n",
        )

    async def talk(self, url=WS):
        """Return what a client sees of a WebSocket."""
        async with self.client_session().ws_connect(url, protocols=("v1",)) as ws:
            await ws.send_json({"token": "S3CR3T", "op": "subscribe"})
            await ws.send_bytes(b"\xff")
            return [ws.protocol, *[(one.type, one.data) async for one in ws], ws.close_code]

    async def test_of_websockets_that_were_mocked_or_mounted(self):
        async def handle(request):
            ws = web.WebSocketResponse(protocols=("v1",))
            await ws.prepare(request)
            await ws.receive()
            await ws.receive()
            await ws.send_json({"price": 1})
            await ws.send_bytes(b"\0")
            await ws.close(code=4001, message=b"enough")
            return ws

        app = web.Application()
        app.router.add_get("/app", handle)
        script = [
            Expect({"token": ANY, "op": "subscribe"}), Expect(b"\xff"), {"price": 1}, b"\0", Close(4001, b"enough")
        ]
        for register, url in (
            (lambda: self.mock.websocket(WS, script, protocols=("v1",)), WS),
            (lambda: self.mock.get(WS, handler=handle), WS),
            (lambda: self.mock.mount("https://example.com", app), "wss://example.com/app"),
        ):
            self.mock.clear()
            self.mock.reset()
            register()
            seen = await self.talk(url)
            [entry] = self.har()["entries"]
            self.assertEqual((entry["request"]["url"], entry["response"]["status"]), (url, 101))
            self.assertEqual(
                [(one["type"], one["opcode"], one["data"]) for one in entry["_webSocketMessages"]],
                [
                    ("send", 1, '{"token": "hidden-by-aioresponses", "op": "subscribe"}'), ("send", 2, "/w=="),
                    ("receive", 1, '{"price": 1}'), ("receive", 2, "AA=="),
                ],
            )
            close = entry["_webSocketClose"]
            self.assertEqual((close["type"], close["code"], close["reason"]), ("receive", 4001, "enough"))
            times = [one["time"] for one in (*entry["_webSocketMessages"], close)]
            self.assertEqual((times, times[0] > 1.7e9), (sorted(times), True))
            printed = self.mock.to_python()
            self.assertIn("Expect({'token': ANY, 'op': 'subscribe'}),\n", printed)
            with aioresponses(strict=True) as mock:
                exec(printed, {"mock": mock})
                self.assertEqual(await self.talk(url), seen)

    async def test_of_a_websocket_that_is_open_lost_or_left(self):
        session = self.client_session()
        for script, leave, last in (
            ([], False, None), (["a", Drop()], False, ("receive", 1006)), (["a"], True, ("send", 1000)),
        ):
            self.mock.clear()
            self.mock.reset()
            self.mock.websocket(WS, script)
            ws = await session.ws_connect(WS)
            if script:
                await ws.receive()
                await idle()
            if leave:
                await ws.close()
            close = self.har()["entries"][0].get("_webSocketClose")
            self.assertEqual(close and (close["type"], close["code"]), last)
            await ws.close()

    async def test_of_a_websocket_in_virtual_time(self):
        self.mock.websocket(WS, ["a", Sleep(60), "b"])
        with VirtualClock():
            async with self.client_session().ws_connect(WS) as ws:
                await ws.receive()
                await ws.receive()
            [entry] = self.har()["entries"]
        first, second = [one["time"] for one in entry["_webSocketMessages"]]
        self.assertAlmostEqual(second - first, 60, places=1)

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
