"""Mocks that are interrupted while they start and stop, and mocks of many threads."""

import asyncio
import os
import sys
import threading
import unittest

from aiohttp import ClientConnectionError, ClientSession

import aioresponses as package
from aioresponses import aioresponses

from ..support import SITE, hooks_in_place, text_of


class InterruptTest(unittest.TestCase):
    """A KeyboardInterrupt at any line leaves no mock that is half started or half stopped."""

    FOLDER = os.path.dirname(package.__file__)

    def interrupted(self, step, line):
        """Run a step, and interrupt it at the line of ours with this number; tell whether it has so many."""
        count = 0

        def in_frame(frame, event, arg):
            nonlocal count
            count += event == "line"
            if event == "line" and count == line:
                sys.settrace(None)
                raise KeyboardInterrupt
            return in_frame

        before = sys.gettrace()
        sys.settrace(lambda frame, *_: in_frame if frame.f_code.co_filename.startswith(self.FOLDER) else None)
        try:
            step()
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(before)
        return False

    def check_next_mock(self):
        async def fetch():
            async with ClientSession() as session:
                return await text_of(session, SITE)

        with aioresponses() as mock:
            mock.get(SITE, body="mocked")
            self.assertEqual(asyncio.run(fetch()), "mocked")

    def check(self, step_of, started, survives):
        """Interrupt a step at each of its lines. `survives` is up to which line the mock may be active as before."""
        line = 1
        while True:
            mock = aioresponses()
            if started:
                mock.start()
            was_interrupted = self.interrupted(step_of(mock), line)
            if mock.active:
                if was_interrupted:
                    self.assertLessEqual(line, survives)
                    self.check_next_mock()
                mock.stop()
            self.assertEqual(hooks_in_place(), [], line)
            if not was_interrupted:
                break
            if line % 10 == 1:
                self.check_next_mock()
            line += 1
        self.assertGreater(line, 40)

    def test_in_start(self):
        self.check(lambda mock: mock.start, False, 0)

    def test_in_enter(self):
        self.check(lambda mock: mock.__enter__, False, 0)

    # Before the first statement that it protects, nothing has happened yet.

    def test_in_stop(self):
        self.check(lambda mock: mock.stop, True, 3)

    def test_in_exit(self):
        self.check(lambda mock: lambda: mock.__exit__(None, None, None), True, 3)


class ThreadsTest(unittest.TestCase):
    """Counts, registration and listing are exact under eight threads."""

    THREADS = 8

    def run_in_threads(self, function):
        failures = []

        def run(number):
            try:
                function(number)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(self.THREADS)]
        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(before)
        self.assertEqual(failures, [])

    def test_mocks_of_all_kinds_are_registered_while_others_are_asked(self):
        each = 50

        def work(number):
            async def calls():
                async with ClientSession() as session:
                    for count in range(each):
                        mock.get(f"http://example.com/exact/{number}/{count}", body="exact")
                        mock.get(f"http://example.com/{{kind}}/{number}/t{count}", body="template")
                        for path, text in ((f"exact/{number}/{count}", "exact"), (f"a/{number}/t{count}", "template")):
                            answers.append(await text_of(session, f"http://example.com/{path}") == text)

            asyncio.run(calls())

        answers = []
        with aioresponses() as mock:
            self.run_in_threads(work)
            self.assertEqual(answers.count(True), 2 * each * self.THREADS)
            self.assertEqual(mock.call_count, 2 * each * self.THREADS)
            self.assertEqual(mock.unused_mocks, [])

    def test_refusals_while_others_register(self):
        def work(number):
            async def calls():
                async with ClientSession() as session:
                    for count in range(20):
                        mock.get(f"http://example.com/{number}/{count}", optional=True)
                        with self.assertRaises(ClientConnectionError):
                            await session.get("http://example.com/none")

            asyncio.run(calls())

        with aioresponses() as mock:
            self.run_in_threads(work)
            self.assertEqual(len(mock.unmatched_calls), 20 * self.THREADS)

    def test_a_mock_that_answers_so_many_times_does_not_answer_more(self):
        def work(number):
            async def calls():
                async with ClientSession() as session:
                    for _ in range(20):
                        try:
                            outcomes.append(await text_of(session, SITE))
                        except ClientConnectionError:
                            outcomes.append(None)

            asyncio.run(calls())

        outcomes = []
        with aioresponses() as mock:
            handle = mock.get(SITE, body="mocked", repeat=100)
            self.run_in_threads(work)
            self.assertEqual((outcomes.count("mocked"), outcomes.count(None)), (100, 60))
            self.assertEqual((handle.call_count, handle.remaining), (100, 0))

    def test_mocks_start_and_stop_in_all_of_them(self):
        def work(number):
            async def call():
                async with ClientSession() as session:
                    return await text_of(session, SITE)

            for _ in range(20):
                with aioresponses() as mock:
                    mock.get(SITE, body=str(number))
                    if asyncio.run(call()) != str(number):
                        raise AssertionError("answered by the mock of another thread")

        self.run_in_threads(work)
        self.assertEqual(hooks_in_place(), [])
