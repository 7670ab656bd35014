"""What time must not jump over: what may come from outside of the loop."""

import asyncio
import contextlib
import functools
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import types
import unittest
from unittest.mock import patch

from aiohttp import ClientConnectorError, ClientSession, ClientTimeout, TCPConnector, web
from aiohttp.test_utils import AioHTTPTestCase, TestServer

from aioresponses import AioResponsesTestCase, VirtualClock, aioresponses
from aioresponses._client import outside, passing

from ..support import SITE, text_of

# So long something real takes, at least.
REALLY = 0.02

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s"


class ThreadsTest(AioResponsesTestCase):
    """Jobs of executors, and what else asyncio has a thread for."""

    virtual_time = True

    async def check_passes_really(self, awaitable):
        """Check that a timeout of a minute does not come before this."""
        result = await asyncio.wait_for(awaitable, 60)
        self.assertLess(self.clock.elapsed, 60)
        await asyncio.sleep(3600)
        return result

    async def test_a_job_of_an_executor(self):
        await self.check_passes_really(asyncio.get_running_loop().run_in_executor(None, time.sleep, REALLY))

    async def test_as_much_time_passes_as_passes_really(self):
        began = time.perf_counter()
        await asyncio.to_thread(time.sleep, 0.2)
        self.assertTrue(0.05 < self.clock.elapsed <= time.perf_counter() - began)

    async def test_two_jobs(self):
        loop = asyncio.get_running_loop()
        jobs = [loop.run_in_executor(None, time.sleep, seconds) for seconds in (0, REALLY)]
        await self.check_passes_really(asyncio.gather(*jobs))

    async def test_a_function_in_a_thread(self):
        self.assertEqual(await self.check_passes_really(asyncio.to_thread(lambda: time.sleep(REALLY) or 7)), 7)

    async def test_a_job_that_raises(self):
        def fail():
            time.sleep(REALLY)
            raise KeyError

        with self.assertRaises(KeyError):
            await asyncio.wait_for(asyncio.to_thread(fail), 60)
        await asyncio.sleep(3600)

    async def test_timers_that_are_due_meanwhile(self):
        ended = []
        for seconds in (0.01, 3600):
            asyncio.get_running_loop().call_later(seconds, ended.append, seconds)
        await asyncio.to_thread(time.sleep, REALLY * 2)
        self.assertEqual(ended, [0.01])

    async def test_a_look_up_of_a_name(self):
        loop = asyncio.get_running_loop()

        def look_up(*args, **kwargs):
            time.sleep(REALLY)
            return []

        with patch("socket.getaddrinfo", look_up):
            self.assertEqual(await self.check_passes_really(loop.getaddrinfo("example.com", 80)), [])

    async def test_the_end_of_an_executor(self):
        loop = asyncio.get_running_loop()
        waiting = loop.run_in_executor(None, time.sleep, REALLY)
        waiting.cancel()
        await self.check_passes_really(loop.shutdown_default_executor())

    def test_the_end_of_a_run(self):
        began = time.perf_counter()

        async def main():
            asyncio.get_running_loop().run_in_executor(None, time.sleep, REALLY)

        asyncio.run(main())
        self.assertGreaterEqual(time.perf_counter() - began, REALLY)


class PoolTest(unittest.TestCase):
    """A thread of a pool that waits for work, while there is none."""

    def test_what_shows_it(self):
        def frame(name="_worker", module="concurrent.futures.thread", **names):
            code = types.SimpleNamespace(co_name=name)
            return types.SimpleNamespace(f_code=code, f_globals={"__name__": module}, f_locals=names)

        idle, busy = queue.SimpleQueue(), queue.SimpleQueue()
        busy.put(None)
        for waits, made in (
            (True, frame(work_queue=idle)), (False, frame(work_queue=busy)), (False, frame()),
            (False, frame("run", work_queue=idle)), (False, frame(module="own", work_queue=idle)),
            (True, frame("_run_safe_shutdown_loop", "pycares")), (False, frame("_run_safe_shutdown_loop", "own")),
            (False, frame("run", "pycares")),
        ):
            self.assertIs(outside._waits_for_work(made), waits)


class ProcessesTest(AioResponsesTestCase):
    virtual_time = True
    SCRIPT = f"import time; time.sleep({REALLY}); print(7)"

    async def test_one_whose_output_is_read(self):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", self.SCRIPT, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await asyncio.wait_for(process.communicate(), 600)
        self.assertEqual(output.strip(), b"7")
        await asyncio.sleep(3600)

    async def test_one_without_pipes(self):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", self.SCRIPT, stdout=asyncio.subprocess.DEVNULL
        )
        self.assertEqual(await asyncio.wait_for(process.wait(), 600), 0)
        await asyncio.sleep(3600)

    async def check_is_waited_for(self, owner, name, before=lambda: None):
        """Check a process whose end asyncio learns from a thread that is somewhere else than in its wait."""
        really = getattr(owner, name)

        def slow(*args, **kwargs):
            if threading.current_thread() is not threading.main_thread():
                before()
                time.sleep(REALLY)
            return really(*args, **kwargs)

        with patch.object(owner, name, slow):
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
            self.assertEqual(await asyncio.wait_for(process.wait(), 600), 0)
        await asyncio.sleep(3600)

    async def test_a_thread_that_does_not_wait_for_one_yet(self):
        await self.check_is_waited_for(threading.Thread, "run")

    async def test_a_thread_that_does_not_wait_for_one_any_more(self):
        loop = asyncio.get_running_loop()
        wake = functools.partial(loop.call_soon_threadsafe, int)
        await self.check_is_waited_for(loop, "call_soon_threadsafe", wake)

    async def test_a_thread_that_has_told_of_the_end_of_one(self):
        loop = asyncio.get_running_loop()
        really = loop.call_soon_threadsafe

        def slow(*args, **kwargs):
            really(*args, **kwargs)
            time.sleep(REALLY)

        began = time.perf_counter()
        with patch.object(loop, "call_soon_threadsafe", slow):
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
            self.assertEqual(await asyncio.wait_for(process.wait(), 600), 0)
            await asyncio.sleep(20)
        self.assertLess(time.perf_counter() - began, 10)

    async def test_signals(self):
        loop = asyncio.get_running_loop()
        came = asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, came.set)
        self.addCleanup(loop.remove_signal_handler, signal.SIGUSR1)
        loop.call_later(30, os.kill, os.getpid(), signal.SIGUSR1)
        await asyncio.wait_for(came.wait(), 60)
        self.assertEqual(self.clock.elapsed, 30)


class OwnServerTest(AioResponsesTestCase):
    """A server of the same loop: its sockets, and the ones of those that ask it, are no reason to wait for long."""

    virtual_time = True
    passthrough = ["http://127.0.0.1"]

    async def start(self, handler):
        application = web.Application()
        application.router.add_get("/", handler)
        server = TestServer(application)
        await server.start_server()
        self.addAsyncCleanup(server.close)
        return server.make_url("/")

    async def test_one_that_takes_its_time(self):
        async def handler(request):
            await asyncio.sleep(20)
            return web.Response(text="slept")

        url = await self.start(handler)
        began = time.perf_counter()
        self.assertEqual(await text_of(self.client_session(), url), "slept")
        self.assertEqual(self.clock.elapsed, 20)
        self.assertLess(time.perf_counter() - began, 5)

    async def test_a_client_that_backs_off_behind_it(self):
        async def handler(request):
            async with ClientSession() as session:
                while True:
                    async with session.get(SITE) as response:
                        if response.status == 200:
                            return web.Response(text=await response.text())
                    await asyncio.sleep(30)

        url = await self.start(handler)
        self.mock.get(SITE, status=503, repeat=3)
        self.mock.get(SITE, body="x")
        self.assertEqual(await text_of(self.client_session(), url), "x")
        self.assertCallTimes([0, 30, 60, 90], SITE)

    async def test_a_connection_that_is_waited_for(self):
        async def handler(request):
            await asyncio.sleep(20)
            return web.Response()

        url = await self.start(handler)
        session = self.client_session(connector=TCPConnector(limit=1))
        await asyncio.gather(*[text_of(session, url) for _ in range(3)])
        self.assertEqual(self.clock.elapsed, 60)


class TestClientTest(AioResponsesTestCase, AioHTTPTestCase):
    virtual_time = True

    async def get_application(self):
        async def handler(request):
            await asyncio.sleep(20)
            return web.Response(text="slept")

        application = web.Application()
        application.router.add_get("/", handler)
        return application

    async def test_it_asks_in_virtual_time(self):
        async with self.client.get("/") as response:
            self.assertEqual(await response.text(), "slept")
        self.assertEqual(self.clock.elapsed, 20)


@contextlib.contextmanager
def foreign_server(handle):
    """Run a server in a thread; give its port. Each connection is given to a function, and closed."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def serve():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    handle(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
            thread.join()


class ForeignServerTest(unittest.IsolatedAsyncioTestCase):
    """A server that is none of this loop's."""

    def tearDown(self):
        self.assertEqual(passing._on_their_way, set())

    @staticmethod
    def answer_late(connection):
        connection.recv(2 ** 16)
        time.sleep(4 * REALLY)
        connection.sendall(ANSWER % (4, b"late"))

    async def test_a_request_that_is_passed_through(self):
        with foreign_server(self.answer_late) as port:
            async with VirtualClock(grace=REALLY / 10) as clock:
                with aioresponses(passthrough=["http://127.0.0.1"]):
                    async with ClientSession(timeout=ClientTimeout(total=60)) as session:
                        self.assertEqual(await text_of(session, f"http://127.0.0.1:{port}/"), "late")
                        self.assertTrue(0 < clock.elapsed < 60)

    async def test_a_request_that_a_connector_of_a_mock_passes_through(self):
        with foreign_server(self.answer_late) as port:
            async with VirtualClock(grace=REALLY / 10) as clock:
                mock = aioresponses(passthrough_unmatched=True)
                async with ClientSession(connector=mock.connector(), timeout=ClientTimeout(total=60)) as session:
                    self.assertEqual(await text_of(session, f"http://127.0.0.1:{port}/"), "late")
                    self.assertTrue(0 < clock.elapsed < 60)

    async def test_a_connection_that_is_being_made(self):
        def hang_up_late(connection):
            time.sleep(4 * REALLY)

        with foreign_server(hang_up_late) as port:
            async with VirtualClock(grace=0) as clock:
                with aioresponses(passthrough=["https://127.0.0.1"]):
                    async with ClientSession(timeout=ClientTimeout(total=60)) as session:
                        with self.assertRaises(ClientConnectorError):
                            await text_of(session, f"https://127.0.0.1:{port}/")
                self.assertTrue(0 < clock.elapsed < 60)

    async def test_a_connection_that_is_not_in_use(self):
        def answer(connection):
            connection.recv(2 ** 16)
            connection.sendall(ANSWER % (1, b"x"))
            connection.recv(2 ** 16)

        with foreign_server(answer) as port:
            async with VirtualClock(grace=REALLY) as clock:
                with aioresponses(passthrough=["http://127.0.0.1"]):
                    async with ClientSession() as session:
                        await text_of(session, f"http://127.0.0.1:{port}/")
                        before = clock.elapsed
                        began = time.perf_counter()
                        await asyncio.sleep(10)
                        self.assertGreaterEqual(time.perf_counter() - began, REALLY)
                        self.assertEqual(round(clock.elapsed - before, 3), 10)

    async def test_a_connection_that_is_dropped(self):
        def answer(connection):
            connection.recv(2 ** 16)
            connection.sendall(ANSWER % (1, b""))
            connection.recv(2 ** 16)

        with foreign_server(answer) as port:
            async with VirtualClock(grace=0):
                with aioresponses(passthrough=["http://127.0.0.1"]):
                    session = ClientSession()
                    response = await session.get(f"http://127.0.0.1:{port}/")
                    [passed] = passing.passed_through(asyncio.get_running_loop())
                    passed.transport.abort()
                    self.assertEqual(passing.passed_through(asyncio.get_running_loop()), [])
                    # asyncio closes the socket of an aborted transport one turn later.
                    await asyncio.sleep(0)
                    response.close()
                    await session.close()

    async def test_a_request_that_fails_is_waited_for_no_longer(self):
        with foreign_server(lambda connection: None) as port:
            async with VirtualClock(grace=0) as clock:
                with aioresponses(passthrough=["http://127.0.0.1"]):
                    async with ClientSession() as session:
                        for path, where in (("", port), ("none", 1)):
                            with self.assertRaises(Exception):
                                await text_of(session, f"http://127.0.0.1:{where}/{path}")
                        reader, writer = socket.socketpair()
                        with reader, writer:
                            asyncio.get_running_loop().add_reader(reader, print)
                            await asyncio.sleep(3600)
                            asyncio.get_running_loop().remove_reader(reader)
                self.assertTrue(3600 <= clock.elapsed < 3660)


class OtherSocketsTest(unittest.IsolatedAsyncioTestCase):
    """Sockets of which there is no telling."""

    async def test_something_may_come_within_the_grace(self):
        loop = asyncio.get_running_loop()
        reader, writer = socket.socketpair()
        with reader, writer:
            reader.setblocking(False)
            timer = threading.Timer(REALLY, writer.send, [b"x"])
            async with VirtualClock(grace=20) as clock:
                timer.start()
                self.assertEqual(await asyncio.wait_for(loop.sock_recv(reader, 1), 60), b"x")
            self.assertEqual(clock.elapsed, 0)
            timer.join()

    async def test_time_jumps_after_the_grace(self):
        loop = asyncio.get_running_loop()
        reader, writer = socket.socketpair()
        with reader, writer:
            reader.setblocking(False)
            async with VirtualClock(grace=REALLY) as clock:
                began = time.perf_counter()
                with self.assertRaises(asyncio.TimeoutError):
                    await asyncio.wait_for(loop.sock_recv(reader, 1), 60)
            self.assertGreaterEqual(time.perf_counter() - began, REALLY)
            self.assertEqual(clock.elapsed, 60)

    async def test_without_a_timer_it_is_waited_for(self):
        loop = asyncio.get_running_loop()
        reader, writer = socket.socketpair()
        script = f"import socket, time; time.sleep({REALLY}); socket.socket(fileno={writer.fileno()}).send(b'x')"
        with reader, writer:
            reader.setblocking(False)
            async with VirtualClock(grace=0):
                with subprocess.Popen([sys.executable, "-c", script], pass_fds=[writer.fileno()]):
                    self.assertEqual(await loop.sock_recv(reader, 1), b"x")

    async def test_those_whose_other_end_is_here_get_a_tenth_of_the_grace(self):
        async def answer(reader, writer):
            await asyncio.sleep(60)
            writer.write(b"x")
            writer.close()

        async with VirtualClock(grace=2) as clock:
            server = await asyncio.start_server(answer, "127.0.0.1", 0)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            began = time.perf_counter()
            self.assertEqual(await reader.read(), b"x")
            self.assertTrue(0.15 < time.perf_counter() - began < 1.5)
            writer.close()
            server.close()
            await server.wait_closed()
            await asyncio.sleep(0)
        self.assertEqual(clock.elapsed, 60)

    async def test_a_datagram(self):
        loop = asyncio.get_running_loop()
        async with VirtualClock(grace=0) as clock:
            transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0))
            await asyncio.sleep(10)
            transport.close()
        self.assertEqual(clock.elapsed, 10)

    async def test_a_pipe(self):
        loop = asyncio.get_running_loop()
        source, sink = os.pipe()
        came = loop.create_future()
        loop.add_reader(source, lambda: came.done() or came.set_result(os.read(source, 1)))
        timer = threading.Timer(REALLY, os.write, [sink, b"x"])
        async with VirtualClock(grace=0) as clock:
            timer.start()
            self.assertEqual(await asyncio.wait_for(came, 60), b"x")
        timer.join()
        loop.remove_reader(source)
        os.close(source)
        os.close(sink)
        self.assertLess(clock.elapsed, 60)

    async def test_a_socket_that_is_watched_though_it_is_closed(self):
        loop = asyncio.get_running_loop()
        reader, writer = socket.socketpair()
        loop.add_reader(reader, print)
        number = reader.fileno()
        reader.close()
        async with VirtualClock(grace=0) as clock:
            await asyncio.sleep(10)
        loop.remove_reader(number)
        writer.close()
        self.assertEqual(clock.elapsed, 10)
