import asyncio
import base64
import contextlib
import gzip
import inspect
import json
import os
import subprocess
import sys
import textwrap
import unittest
import warnings
import zlib
from datetime import datetime, timedelta, timezone
from unittest.mock import patch

from aiohttp import ClientConnectionError, ClientSession, FormData, web
from aiohttp.test_utils import TestClient
from yarl import URL

from aioresponses import VirtualClock, aioresponses
from aioresponses._cassettes.secrets import HIDDEN
from aioresponses.cassettes import auto_path

from .recording import SECRET, RecordingTestCase
from .support import AT_MOST, text_of


class ModesTest(RecordingTestCase):
    async def test_once_records_if_there_is_no_file_and_replays_from_then_on(self):
        first = await self.record("a", "b", "a")
        self.assertEqual(self.hits, 3)
        text = self.path.read_text("utf-8")
        self.assertEqual(await self.record("b", "a", "a"), [first[1], first[0], first[2]])
        self.assertEqual((self.hits, self.path.read_text("utf-8")), (3, text))
        with self.assertRaises(ClientConnectionError):
            await self.record("c")
        with self.assertRaises(ClientConnectionError):
            await self.record("a", "a", "a")
        self.assertEqual((self.hits, self.path.read_text("utf-8")), (3, text))

    async def test_new_records_what_the_file_does_not_have(self):
        first = await self.record("a", "a", mode="new")
        self.assertEqual(await self.record("a", "b", mode="new"), [first[0], '{"path": "/b", "hit": 3, "body": ""}'])
        self.assertEqual(self.paths(), ["/a", "/a", "/b"])

    async def test_all_records_all_again(self):
        await self.record("a", "b", mode="all")
        await self.record("b", mode="all")
        self.assertEqual((self.hits, self.paths()), (3, ["/b"]))

    async def test_none_records_nothing(self):
        with self.assertRaises(ClientConnectionError):
            await self.record("a", mode="none")
        self.assertEqual((self.hits, self.path.exists()), (0, False))

    async def test_where_nothing_was_recorded_nothing_is_written(self):
        await self.record()
        self.assertFalse(self.path.parent.exists())

    async def test_in_ci_nothing_is_recorded_unless_the_variable_says_so(self):
        os.environ["CI"] = "true"
        for mode in ("once", "new", "all", "none"):
            with self.assertRaises(ClientConnectionError):
                await self.record("a", mode=mode)
        self.assertEqual(self.hits, 0)
        os.environ["AIORESPONSES_RECORD"] = "new"
        await self.record("a", mode="none")
        os.environ["AIORESPONSES_RECORD"] = ""
        await self.record("a", mode="all")
        self.assertEqual(self.hits, 1)
        os.environ["AIORESPONSES_RECORD"] = "all"
        await self.record("b", mode="none")
        os.environ.update(AIORESPONSES_RECORD="none", CI="")
        with self.assertRaises(ClientConnectionError):
            await self.record("a", mode="all")
        self.assertEqual((self.hits, self.paths()), (2, ["/b"]))
        del os.environ["AIORESPONSES_RECORD"]
        await self.record("c", mode="all")
        self.assertEqual(self.hits, 3)

    async def test_the_mode_that_counts_can_be_asked_for(self):
        mock = aioresponses()
        self.assertEqual(repr(mock.cassette("a.har")), "<Cassette a.har, mode 'once'>")
        with mock.cassette(self.path) as cassette:
            self.assertEqual((cassette.mode, cassette.records, cassette.path), ("once", True, str(self.path)))
            self.assertEqual(repr(cassette), f"<Cassette {self.path}, mode 'once', recording>")
        os.environ["CI"] = "1"
        self.assertEqual(mock.cassette("a.har", mode="all").mode, "none")

    async def test_a_refusal_says_how_to_record(self):
        await self.record("a")
        empty = self.path.with_name("empty.har")
        empty.write_text('{"log": {"entries": []}}', "utf-8")
        how = (
            "Set AIORESPONSES_RECORD=new to record what is missing, or AIORESPONSES_RECORD=all to record everything "
            "again."
        )
        for mode, ci, path, said in (
            ("once", "", self.path, "has no entry left for it."),
            ("none", "", self.path, "has no entry left for it. Its mode is 'none'."),
            ("new", "1", self.path, "has no entry left for it. Its mode is 'none', because CI is set."),
            ("none", "", empty, "has no entries. Its mode is 'none'."),
            ("none", "", "missing.har", "does not exist. Its mode is 'none'."),
        ):
            os.environ["CI"] = ci
            with aioresponses() as mock, mock.cassette(path, mode=mode):
                with self.assertRaises(ClientConnectionError) as raised:
                    await self.ask("b")
                [note] = raised.exception.__notes__
                self.assertEqual(note.splitlines()[-2:], [f"The cassette {path} {said}", how])
        with aioresponses() as mock:
            with mock.cassette(self.path):
                pass
            with self.assertRaises(ClientConnectionError) as raised:
                await self.ask_elsewhere()
            self.assertNotIn("cassette", raised.exception.__notes__[0])

    async def ask_elsewhere(self):
        async with ClientSession() as session:
            await session.get("http://example.com/")


class WhatIsRecordedTest(RecordingTestCase):
    async def test_what_a_mock_answers_is_not_recorded(self):
        with aioresponses() as mock, mock.cassette(self.path):
            mock.get(self.url / "a", body="mocked")
            mock.get(self.url / "p", passthrough=True)
            self.assertEqual(await self.ask("a"), "mocked")
            await self.ask("a")
            await self.ask("p")
        self.assertEqual(self.paths(), ["/a"])

    async def test_passthrough_prefixes_and_a_test_client_are_not(self):
        other = await self.serve(web.get("/", self.answer))
        with aioresponses(passthrough=[str(self.url)]) as mock, mock.cassette(self.path):
            await self.ask("a")
            async with TestClient(other) as client:
                await (await client.get("/")).text()
            other = await self.serve(web.get("/", self.answer))
            async with ClientSession() as session:
                await text_of(session, other.make_url("/"))
        self.assertEqual([entry["request"]["url"] for entry in self.entries()], [str(other.make_url("/"))])

    async def test_only_within_the_block(self):
        with aioresponses(passthrough_unmatched=True) as mock:
            await self.ask("before")
            with mock.cassette(self.path):
                await self.ask("within")
            await self.ask("after")
            with mock.cassette(self.path):
                pass
            await self.ask("within")
            with mock.cassette(self.path), self.assertRaises(ClientConnectionError):
                await self.ask("missing")
        self.assertEqual((self.paths(), self.hits), (["/within"], 4))

    async def test_that_of_the_innermost_cassette(self):
        outer = self.path.with_name("outer.har")
        with aioresponses() as mock, mock.cassette(outer):
            await self.ask("a")
            with mock.cassette(self.path):
                await self.ask("b")
            await self.ask("c")
            with aioresponses():
                await self.ask("d")
        self.assertEqual(self.paths(), ["/b"])
        self.path = outer
        self.assertEqual(self.paths(), ["/a", "/c", "/d"])

    async def test_in_the_order_of_the_calls(self):
        async def answer(request):
            await asyncio.sleep((9 - int(request.path[1:])) / 100)
            return web.Response(text=request.path)

        self.url = (await self.serve(web.get("/{n}", answer))).make_url("/")
        with aioresponses() as mock, mock.cassette(self.path):
            texts = await asyncio.gather(*[self.ask(str(n)) for n in range(10)])
        self.assertEqual(self.paths(), texts)

    async def test_fifty_at_once_replay_equal(self):
        outcomes = []
        for _ in range(2):
            with aioresponses() as mock, mock.cassette(self.path):
                outcomes.append(await asyncio.gather(*[self.ask(f"a?n={n}") for n in range(50)]))
        self.assertEqual((outcomes[0], self.hits), (outcomes[1], 50))

    async def test_redirects_each_with_its_body(self):
        async def redirect(request):
            raise web.HTTPFound("/end?token=" + SECRET, text="to the end")

        self.url = (await self.serve(web.post("/r", redirect), web.get("/end", self.answer))).make_url("/")
        outcomes = []
        for _ in range(2):
            with aioresponses() as mock, mock.cassette(self.path):
                async with ClientSession() as session, session.post(self.url / "r", data=b"x") as response:
                    await response.read()
                    outcomes.append((response.status, response.history[0].status, self.hits))
        self.assertEqual(outcomes, [(200, 302, 1), (200, 302, 1)])
        first, second = self.entries()
        self.assertEqual(first["response"]["content"]["text"], "to the end")
        self.assertEqual(first["response"]["redirectURL"], f"/end?token={HIDDEN}")
        self.assertEqual(second["request"]["url"], f"{self.url}end?token={HIDDEN}")

    async def test_a_request_that_fails_has_status_0_and_is_not_replayed(self):
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        for mode in ("once", "none"):
            with aioresponses() as mock, mock.cassette(self.path, mode=mode):
                async with ClientSession() as session:
                    with self.assertRaises(ClientConnectionError):
                        await session.post(f"http://127.0.0.1:{port}/")
        [entry] = self.entries()
        self.assertEqual((entry["response"]["status"], entry["response"]["_error"]), (0, "ClientConnectorError"))

    async def test_a_stream_is_recorded_without_reading_ahead(self):
        go_on = asyncio.Event()

        async def events(request):
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            await response.write(b"data: 0\n\n")
            await go_on.wait()
            await response.write(b"data: 1\n\n")
            return response

        self.url = (await self.serve(web.get("/", events))).make_url("/")
        with aioresponses() as mock, mock.cassette(self.path):
            async with ClientSession() as session, session.get(self.url) as response:
                first = await asyncio.wait_for(response.content.readuntil(b"\n\n"), AT_MOST)
                go_on.set()
                self.assertEqual(first + await response.read(), b"data: 0\n\ndata: 1\n\n")
        self.assertEqual(await self.record(""), ["data: 0\n\ndata: 1\n\n"])

    async def test_of_a_body_that_was_not_read_to_its_end_what_had_come(self):
        async def endless(request):
            response = web.StreamResponse()
            await response.prepare(request)
            with contextlib.suppress(ConnectionError):
                while True:
                    await response.write(b"tick")
                    await asyncio.sleep(0.01)
            return response

        self.url = (await self.serve(web.get("/", endless))).make_url("/")
        with aioresponses() as mock, mock.cassette(self.path):
            async with ClientSession() as session, session.get(self.url) as response:
                await response.content.readexactly(4)
        [entry] = self.entries()
        self.assertEqual(entry["comment"], "the client left before the end of the body")
        [body] = await self.record("")
        self.assertEqual(set(body.split("tick")), {""})

    async def test_a_body_that_is_too_large_is_left_out(self):
        async def large(request):
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(300):
                await response.write(bytes(2 ** 16))
            return response

        self.url = (await self.serve(web.get("/", large))).make_url("/")
        with aioresponses() as mock, mock.cassette(self.path):
            async with ClientSession() as session, session.get(self.url) as response:
                self.assertEqual(len(await response.read()), 300 * 2 ** 16)
        [entry] = self.entries()
        self.assertEqual(entry["response"]["content"]["comment"], "left out because it is larger than 16 MiB")
        with self.assertRaises(ClientConnectionError) as raised:
            await self.record("")
        self.assertIn(
            "has no entry left for it. Of 1 of its entries, the body was left out because it is larger than 16 MiB.\n"
            "Set",
            raised.exception.__notes__[0],
        )

    async def test_a_body_that_is_too_large_once_it_is_decoded_is_left_out(self):
        async def large(request):
            pack = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
            # Less than the 32 MiB that some releases of aiohttp unpack at most.
            body = b"".join(pack.compress(bytes(2 ** 20)) for _ in range(20)) + pack.flush()
            return web.Response(body=body, headers={"Content-Encoding": "gzip"})

        self.url = (await self.serve(web.get("/", large))).make_url("/")
        with aioresponses() as mock, mock.cassette(self.path):
            async with ClientSession() as session, session.get(self.url) as response:
                size = 0
                async for piece in response.content.iter_any():
                    size += len(piece)
        self.assertEqual(size, 20 * 2 ** 20)
        [entry] = self.entries()
        self.assertEqual(entry["response"]["content"]["comment"], "left out because it is larger than 16 MiB")

    async def test_a_request_that_is_too_large_is_replayed_whatever_its_body(self):
        async def answer(request):
            size = 0
            async for piece in request.content.iter_any():
                size += len(piece)
            return web.Response(text=str(size))

        async def upload():
            for _ in range(17):
                yield bytes(2 ** 20)

        self.url = (await self.serve(web.post("/", answer))).make_url("/")
        texts = []
        for _ in range(2):
            with aioresponses() as mock, mock.cassette(self.path, match_on=["method", "body"]):
                texts.append(await self.ask("", "POST", data=upload()))
        self.assertEqual(texts, [str(17 * 2 ** 20)] * 2)
        [entry] = self.entries()
        self.assertEqual(entry["request"]["postData"]["comment"], "left out because it is larger than 16 MiB")

    async def test_a_large_stream_takes_little_memory(self):
        # In a process of its own, because the peak memory is that of the whole process.
        script = textwrap.dedent("""
            import asyncio, resource, sys
            from aiohttp import ClientSession, web
            from aiohttp.test_utils import TestServer
            from aioresponses import aioresponses

            async def main(path):
                async def large(request):
                    response = web.StreamResponse()
                    await response.prepare(request)
                    piece = bytes(2 ** 20)
                    for _ in range(256):
                        await response.write(piece)
                    return response

                application = web.Application()
                application.router.add_get("/", large)
                async with TestServer(application) as server:
                    with aioresponses() as mock, mock.cassette(path):
                        async with ClientSession() as session:
                            async with session.get(server.make_url("/missing")) as response:
                                await response.read()
                            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                            size = 0
                            async with session.get(server.make_url("/")) as response:
                                async for piece in response.content.iter_any():
                                    size += len(piece)
                    print(size, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)

            asyncio.run(main(sys.argv[1]))
        """)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, str(self.path), stdout=subprocess.PIPE, env=environment
        )
        printed, _ = await process.communicate()
        size, more = map(int, printed.split())
        self.assertEqual(size, 2 ** 28)
        self.assertLess(more, 64)


class WritingTest(RecordingTestCase):
    async def test_nothing_is_written_if_the_block_is_left_by_an_exception(self):
        for error in (AssertionError, KeyboardInterrupt, asyncio.CancelledError):
            with self.assertRaises(error), aioresponses() as mock, mock.cassette(self.path):
                await self.ask("a")
                raise error
        self.assertFalse(self.path.exists())

    async def test_a_file_is_never_half_written(self):
        await self.record("a")
        text = self.path.read_text("utf-8")
        with self.assertRaisesRegex(TypeError, "not JSON serializable"):
            await self.record("b", mode="all", filter=lambda entry: {"comment": object()})
        with patch("aioresponses._cassettes.har.replace", side_effect=OSError("disk full")):
            with self.assertRaisesRegex(OSError, "disk full"):
                await self.record("b", mode="all")
        self.assertEqual([path.name for path in self.path.parent.iterdir()], ["test.har"])
        self.assertEqual(self.path.read_text("utf-8"), text)

    async def test_a_path_is_that_of_the_moment_and_a_link_is_followed(self):
        self.path.parent.mkdir()
        self.path.symlink_to(self.path.with_name("real.har"))
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.path.parent)
        with aioresponses() as mock, mock.cassette("test.har"):
            os.chdir(before)
            await self.ask("a")
        self.assertTrue(self.path.is_symlink())
        self.assertEqual(self.paths(), ["/a"])

    async def test_two_recordings_differ_in_nothing_but_their_moment(self):
        async def answer(request):
            return web.json_response({"b": 1, "a": 2}, headers={"X-B": "2", "X-A": "1"})

        self.url = (await self.serve(web.get("/", answer))).make_url("/")
        texts = []
        for _ in range(2):
            await self.record("", mode="all")
            texts.append(self.path.read_text("utf-8").splitlines())
        different = [(one, other) for one, other in zip(*texts) if one != other]
        self.assertEqual([one.split('"')[1] for one, _ in different], ["startedDateTime"][:len(different)])
        self.assertIn('      {"name": "X-A", "value": "1"},', texts[0])
        for word in ("Date", "Content-Length", "Connection"):
            self.assertNotIn(f'"name": "{word}"', "".join(texts[0]))

    async def test_one_writer_for_each_file(self):
        with aioresponses() as mock, mock.cassette(self.path):
            text = (
                f"The cassette {self.path} is already being recorded, by this process or another; give each test a "
                "cassette of its own, or record it in a single process"
            )
            for mode in ("once", "new", "all"):
                with self.assertRaises(RuntimeError) as raised:
                    mock.cassette(self.path, mode=mode).__enter__()
                self.assertEqual(str(raised.exception), text)
            script = (
                "import sys; from aioresponses import aioresponses\n"
                "with aioresponses() as mock, mock.cassette(sys.argv[1]): pass"
            )
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", script, str(self.path), stderr=subprocess.PIPE, env=environment
            )
            _, printed = await process.communicate()
            self.assertEqual(printed.decode().splitlines()[-1], f"RuntimeError: {text}")
            with mock.cassette(self.path, mode="none"):
                pass
        await self.record("a", mode="new")

    async def test_a_cassette_is_entered_once_at_a_time(self):
        with aioresponses() as mock:
            cassette = mock.cassette(self.path)
            for path in ("a", "b"):
                with cassette:
                    with self.assertRaises(RuntimeError):
                        cassette.__enter__()
                    if path == "a":
                        await self.ask(path)
                    else:
                        self.assertFalse(cassette.records)

    async def test_a_filter_changes_and_drops_entries_that_have_no_secrets_any_more(self):
        def change(entry):
            seen.append(entry["request"]["url"])
            entry["response"]["content"]["text"] = "changed"
            return None if "drop" in entry["request"]["url"] else entry

        seen = []
        await self.record("a?token=x", "drop", filter=change)
        self.assertEqual(seen, [f"{self.url}a?token={HIDDEN}", f"{self.url}drop"])
        self.assertEqual(await self.record("a?token=y"), ["changed"])
        with self.assertRaises(TypeError) as raised:
            await self.record("b", mode="new", filter=lambda entry: "x")
        self.assertEqual(str(raised.exception), "filter: expected a dict or None from <lambda>, got 'x'")
        text = self.path.read_text("utf-8")
        for kind, changed, said in (
            (ValueError, {}, "is not HAR: entry.request must be an object, but is missing"),
            (ValueError, {"response": {"status": ""}}, 'is not HAR: entry.response.status must be an int, but is ""'),
            (TypeError, {"comment": b"x"}, "cannot be written: Object of type bytes is not JSON serializable"),
            (ValueError, {"time": float("nan")}, "cannot be written: Out of range float values are not JSON compliant"),
        ):
            with self.assertRaises(kind) as raised:
                await self.record("b", mode="new", filter=lambda entry: changed and {**entry, **changed})
            text_said = str(raised.exception).removesuffix(": nan")  # Newer Pythons add the value.
            self.assertEqual(text_said, f"filter: <lambda> returned an entry that {said}")
            self.assertEqual(self.path.read_text("utf-8"), text)
        await self.record("b", mode="all", filter=lambda entry: None)
        self.assertEqual(len(self.entries()), 1)


class SecretsTest(RecordingTestCase):
    async def test_no_secret_is_in_the_file_and_the_client_works_all_the_same(self):
        secrets = [f"S3CR3T{number}" for number in range(40)]

        async def answer(request):
            await request.read()
            body = {
                "access_token": secrets[0], "list": [{"password": secrets[1]}], "code": "EUR", "token": 1234567890123,
                "inner": json.dumps({"client_secret": secrets[2]}),
                "next": f"https://u:{secrets[3]}@a.example/?sig={secrets[4]}",
            }
            response = web.json_response(body, headers={"X-Api-Key": secrets[5], "X-Session-Id": secrets[6]})
            response.set_cookie("sid", secrets[7])
            response.enable_compression()
            return response

        async def binary(request):
            packed = gzip.compress(json.dumps({"token": secrets[8]}).encode())
            return web.Response(body=packed, content_type="application/gzip")

        async def utf16(request):
            return web.Response(body=f'{{"token": "{secrets[9]}"}}'.encode("utf-16"), content_type="application/json",
                                charset="utf-16")

        async def redirect(request):
            raise web.HTTPFound(f"/utf16?code={secrets[10]}&x=1#access_token={secrets[11]}")

        async def scenario():
            headers = {"Authorization": f"Bearer {secrets[12]}", "X-Csrf-Token": secrets[13], "Own": secrets[14]}
            multipart = FormData()
            multipart.add_field("password", secrets[15])
            multipart.add_field("meta", json.dumps({"api_key": secrets[16]}), content_type="application/json")
            multipart.add_field("file", b"\xff" + json.dumps({"refresh_token": secrets[17]}).encode(), filename="a.bin")
            seen = []
            async with ClientSession(headers=headers, cookies={"old": secrets[18]}) as session:
                for method, path, options in (
                    ("GET", f"json?api_key={secrets[19]}&q=1", {}),
                    ("POST", "json", {"data": {"user": "ada", "password": secrets[20], "code": secrets[21]}}),
                    ("POST", "json", {"json": {"a": {"token": secrets[22]}}}),
                    ("POST", "json", {"json": {"query": f'mutation {{ login(password: "{secrets[23]}") }}',
                                               "variables": {"password": secrets[24]}}}),
                    ("POST", "json", {"data": multipart}),
                    ("POST", "json", {"data": json.dumps({"token": secrets[25]}).encode(), "compress": "gzip",
                                      "headers": {"Content-Type": "application/json"}}),
                    ("POST", "json", {"data": f'{{"token": "{secrets[26]}", "é": 1}}'.encode("latin-1")}),
                    ("POST", "json", {"data": f"oauth_token={secrets[27]}".encode()}),
                    ("GET", "binary", {}),
                    ("GET", "redirect", {}),
                ):
                    url = self.url.join(URL(path)).with_user("u").with_password(secrets[28])
                    if "Authorization" in session.headers:
                        url = url.with_user(None)
                    async with session.request(method, url, **options) as response:
                        await response.read()
                        seen.append((response.status, response.content_type, response.url.path))
                del session.headers["Authorization"]
                url = self.url.join(URL("json")).with_user("u").with_password(secrets[28])
                async with session.get(url) as response:
                    data = await response.json()
                    seen.append((data["code"], [cookie.key for cookie in session.cookie_jar]))
            return seen

        routes = [web.get("/binary", binary), web.get("/utf16", utf16), web.get("/redirect", redirect)]
        self.url = (await self.serve(*routes, web.route("*", "/json", answer))).make_url("/")
        outcomes = []
        strict = {"mode": "none", "match_on": ["method", "url", "query", "body"]}
        for options in ({"mode": "all"}, {"mode": "none"}, strict):
            with self.subTest(options), aioresponses() as mock:
                with mock.cassette(self.path, secrets=["own"], **options):
                    outcomes.append(await scenario())
                har = self.path.with_name("calls.har")
                mock.to_har(har)
                for text in (self.path.read_text("utf-8"), har.read_text("utf-8"), mock.to_python()):
                    self.assertEqual([one for one in secrets if one in text], [])
                    self.assertEqual(text.count("1234567890123"), 0)
        self.assertEqual(outcomes[1:], outcomes[:1] * 2)
        bodies = [entry["response"]["content"] for entry in self.entries()]
        packed = [body["text"] for body in bodies if body["mimeType"] == "application/gzip"]
        self.assertEqual(len(packed), 1)
        self.assertEqual(gzip.decompress(base64.b64decode(packed[0])), json.dumps({"token": HIDDEN}).encode())

    async def test_a_hidden_value_matches_any_value(self):
        await self.record("a?token=1&x=1")
        await self.record("a?x=1&token=2")
        for query in ("a?x=2&token=1", "a?x=1", "a?token=1&x=1&y=1"):
            with self.assertRaises(ClientConnectionError):
                await self.record(query)

    async def test_old_entries_that_are_written_once_more_lose_theirs(self):
        await self.record("a")
        text = self.path.read_text("utf-8").replace("/a", f"/a?token={SECRET}")
        self.path.write_text(text, "utf-8")
        await self.record("b", mode="new")
        self.assertNotIn(SECRET, self.path.read_text("utf-8"))
        self.assertEqual(len(self.entries()), 2)


class ReplayTest(RecordingTestCase):
    async def test_an_entry_that_is_not_used_fails_where_mocks_must_be_called(self):
        await self.record("a", "b")
        with self.assertRaises(AssertionError) as raised, aioresponses(strict=True) as mock, mock.cassette(self.path):
            await self.ask("a")
        self.assertEqual(
            str(raised.exception),
            f"1 mock was never used:\n  GET {self.url}b\nCalls:\n  1. GET {self.url}a -> 200",
        )
        await self.record("a")
        await self.record("a", "b", mock_options={"strict": True})

    async def test_in_the_order_of_each_method_and_url(self):
        await self.record("a", "b", "a")
        with aioresponses() as mock, mock.cassette(self.path):
            texts = [json.loads(await self.ask(path))["hit"] for path in ("a", "a", "b")]
        self.assertEqual(texts, [1, 3, 2])

    async def test_what_a_request_must_share_with_an_entry(self):
        with aioresponses() as mock, mock.cassette(self.path):
            await self.ask("a?x=1", "POST", json={"n": 1, "token": "t"}, headers={"X-Own": "1"})
        for match_on, path, method, options, fits in (
            (("method", "url", "query"), "a?x=1", "POST", {}, True),
            (("method", "url", "query"), "a?x=2", "POST", {}, False),
            (("method", "url"), "a?x=2", "POST", {}, True),
            (("method", "url"), "b?x=1", "POST", {}, False),
            (("method", "query"), "b?x=1", "POST", {}, True),
            (("method", "query"), "b?x=2", "POST", {}, False),
            (("url", "query"), "a?x=1", "GET", {}, True),
            (("method",), "b?x=3", "POST", {}, True),
            (("method",), "b?x=3", "GET", {}, False),
            ([], "b", "GET", {}, True),
            (("body",), "b", "POST", {"json": {"token": "other", "n": 1}}, True),
            (("body",), "b", "POST", {"json": {"token": "other", "n": 2}}, False),
            (("body",), "b", "POST", {}, False),
            (("headers",), "b", "POST", {"headers": {"X-Own": "1", "Content-Type": "application/json"}}, True),
            (("headers",), "b", "POST", {"headers": {"X-Own": "2", "Content-Type": "application/json"}}, False),
        ):
            with self.subTest(match_on=match_on, path=path, method=method, options=options):
                with aioresponses() as mock, mock.cassette(self.path, mode="none", match_on=match_on):
                    try:
                        await self.ask(path, method, **options)
                        answered = True
                    except ClientConnectionError:
                        answered = False
                self.assertEqual(answered, fits)

    async def test_bodies_of_every_kind_are_compared(self):
        form = FormData()
        form.add_field("a", "1")
        form.add_field("f", b"\xff\0", filename="f.bin")
        bodies = [
            {"json": [1]}, {"data": {"a": "1"}}, {"data": b"\0\xff"}, {"data": "text"}, {"data": form}, {},
        ]
        outcomes = []
        for options in ({}, {"match_on": ["method", "body"]}):
            with aioresponses() as mock, mock.cassette(self.path, **options):
                order = bodies if not options else bodies[::-1]
                texts = []
                for body in order:
                    if body.get("data") is form:
                        body = {"data": FormData()}
                        body["data"].add_field("a", "1")
                        body["data"].add_field("f", b"\xff\0", filename="f.bin")
                    url = self.url.with_path("/latin")
                    async with ClientSession() as session, session.post(url, **body) as response:
                        texts.append((await response.read())[:30])
                outcomes.append(texts if not options else texts[::-1])
        self.assertEqual(outcomes[0], outcomes[1])

    async def answer(self, request):
        self.hits += 1
        body = (await request.read()).decode("latin-1")
        return web.json_response({"path": request.path_qs, "hit": self.hits, "body": body})

    async def test_timing_is_replayed_if_asked_for(self):
        async def slow(request):
            await asyncio.sleep(0.05)
            return web.Response()

        self.url = (await self.serve(web.get("/", slow))).make_url("/")
        await self.record("", timings=True)
        [entry] = self.entries()
        self.assertGreater(entry["time"], 45)
        for timings, taken in ((False, 0), (True, entry["time"] / 1000)):
            with self.subTest(timings), VirtualClock() as clock:
                await self.record("", timings=timings)
                self.assertAlmostEqual(clock.elapsed, taken, places=2)
        self.assertEqual(entry["time"], round(sum(entry["timings"].values()), 3))
        await self.record("", mode="all")
        self.assertEqual(self.entries()[0]["timings"], {"receive": 0, "send": 0, "wait": 0})

    async def test_timing_is_recorded_in_virtual_time_where_a_clock_runs(self):
        async def slow(request):
            await asyncio.sleep(30)
            return web.Response()

        self.url = (await self.serve(web.get("/", slow))).make_url("/")
        with VirtualClock():
            await asyncio.sleep(1000)
            await self.record("", timings=True)
        [entry] = self.entries()
        self.assertAlmostEqual(entry["timings"]["wait"] / 1000, 30, places=0)
        self.assertLess(entry["timings"]["receive"], 1000)

    async def test_an_old_entry_fails_in_ci_and_warns_elsewhere(self):
        await self.record("a")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            await self.record("a", expires_after=timedelta(days=1))
        old = datetime.now(timezone.utc) - timedelta(days=3)
        entry = self.entries()[0]
        text = self.path.read_text("utf-8")
        for zone in (".123Z", "+00:00", "+0000"):
            moment = f"{old:%Y-%m-%dT%H:%M:%S}{zone}"
            self.path.write_text(text.replace(entry["startedDateTime"], moment), "utf-8")
            await self.record("a", expires_after=timedelta(days=4))
            said = (
                f"The cassette {self.path} was recorded on {old:%Y-%m-%d}, and expires after 2 days. "
                "Set AIORESPONSES_RECORD=all to record it again."
            )
            with self.assertWarns(UserWarning) as warned:
                await self.record("a", expires_after=timedelta(days=2))
            self.assertEqual((str(warned.warning), warned.filename), (said, inspect.getfile(RecordingTestCase)))
            with patch.dict(os.environ, CI="1"), self.assertRaises(AssertionError) as raised:
                await self.record("a", expires_after=timedelta(days=2))
            self.assertEqual(str(raised.exception), said)
        self.path.write_text(text.replace(entry["startedDateTime"], "yesterday"), "utf-8")
        await self.record("a", expires_after=timedelta(days=1))


class WrongUseTest(RecordingTestCase):
    def test_wrong_arguments(self):
        mock = aioresponses()
        modes = "'none', 'once', 'new', 'all'"
        secrets = "secrets: expected a list of names of headers and fields, got "
        match_on = "some of 'method', 'url', 'query', 'body', 'headers', got "
        for options, kind, text in (
            ({"mode": "record"}, ValueError, f"mode: expected one of {modes}, got 'record'"),
            ({"mode": None}, ValueError, f"mode: expected one of {modes}, got None"),
            ({"match_on": ["uri"]}, ValueError, f"match_on: expected {match_on}['uri']"),
            ({"match_on": "url"}, TypeError, f"match_on: expected a list with {match_on}'url'"),
            ({"match_on": None}, TypeError, f"match_on: expected a list with {match_on}None"),
            ({"filter": "x"}, TypeError, "filter: expected a function of an entry, got 'x'"),
            ({"secrets": "x"}, TypeError, f"{secrets}<class 'str'>"),
            ({"secrets": None}, TypeError, f"{secrets}<class 'NoneType'>"),
            ({"secrets": [1]}, TypeError, "secrets: expected names of str, got 1"),
            ({"expires_after": 3}, TypeError, "expires_after: expected a timedelta or None, got 3"),
            ({"timings": 1}, TypeError, "timings: expected a bool, got 1"),
        ):
            with self.subTest(options), self.assertRaises(kind) as raised:
                mock.cassette("a.har", **options)
            self.assertEqual(str(raised.exception), text)
        for path in (None, 7, b"a.har"):
            with self.assertRaises(TypeError) as raised:
                mock.cassette(path)
            self.assertEqual(str(raised.exception), f"path: expected a str or a path, got {path!r}")
        with patch.dict(os.environ, AIORESPONSES_RECORD="yes"), self.assertRaises(ValueError) as raised:
            mock.cassette("a.har")
        self.assertEqual(str(raised.exception), "AIORESPONSES_RECORD: expected one of 'all', 'new', 'none', got 'yes'")

    def test_a_folder_is_refused_before_anything_is_recorded(self):
        folder = self.path.parent.parent
        for path, shown in ((folder, folder), ("", os.getcwd())):
            for mode in ("once", "new", "all", "none"):
                with self.assertRaises(ValueError) as raised, aioresponses() as mock, mock.cassette(path, mode=mode):
                    pass
                self.assertEqual(
                    str(raised.exception), f"{shown}: expected the path of a HAR file, but it is a directory"
                )

    async def test_a_file_that_is_no_har_leaves_nothing_behind(self):
        self.path.parent.mkdir()
        self.path.write_text("{")
        with aioresponses() as mock:
            for mode in ("once", "new", "none"):
                with self.assertRaises(ValueError), mock.cassette(self.path, mode=mode):
                    pass
            with mock.cassette(self.path, mode="all"):
                await self.ask("a")
        self.assertEqual(self.paths(), ["/a"])
        entry = self.entries()[0]
        entry["response"]["headers"].append({"name": "no token", "value": "x"})
        self.path.write_text(json.dumps({"log": {"entries": [{**entry}, entry]}}))
        with aioresponses() as mock:
            with self.assertRaises(ValueError) as raised, mock.cassette(self.path):
                pass
            self.assertEqual(
                str(raised.exception),
                f"{self.path}: the entry GET number 1 cannot be replayed: headers: expected names that are HTTP "
                "tokens, got 'no token'",
            )
            self.assertEqual(mock.unused_mocks, [])


class AutoPathTest(unittest.TestCase):
    def path(self, test, owner="WeatherTest", module="tests.unit.test_weather"):
        folder = os.path.abspath("tests/unit")
        path = auto_path(os.path.join(folder, "test_weather.py"), module, owner, test)
        self.assertTrue(path.startswith(os.path.join(folder, "cassettes", "test_weather", "")), path)
        return os.path.basename(path)

    def test_module_class_and_test(self):
        self.assertEqual(self.path("test_a"), "WeatherTest.test_a.har")
        self.assertEqual(self.path("test_a", None), "test_a.har")
        self.assertEqual(self.path("test_a", "UsersTest.WeatherTest"), "UsersTest.WeatherTest.test_a.har")
        self.assertEqual(self.path("test_a", "made.<locals>.WeatherTest"), "WeatherTest.test_a.har")
        self.assertEqual(self.path("test_a[x-1]", None, "test_weather"), "test_a[x-1].har")
        self.assertEqual(self.path("test_a", None, "__main__"), "test_a.har")

    def test_parameters_make_names_that_every_system_takes_and_tells_apart(self):
        names = ["A", "a", "a/b", "a\\b", "a:b", "a?b", "å", "a b", "x" * 300, "x" * 301, "http://a/", "", "a.", "*"]
        files = [self.path(f"test[{name}]", None) for name in names]
        self.assertEqual(len({file.lower() for file in files}), len(names))
        for file in files:
            self.assertRegex(file, r"\A[A-Za-z0-9_.,=\[\]-]{1,200}\Z")
        self.assertEqual(files[2], self.path("test[a/b]", None))
