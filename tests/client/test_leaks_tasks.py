"""Tasks that still run."""

import asyncio
import gc
import threading
from weakref import ref

from aioresponses import aioresponses
from aioresponses._client.leaks import Watch

from ..leaving import LeaksTestCase, at, closed


class TasksTest(LeaksTestCase):
    def test_one_that_ends_within_three_turns_and_one_that_does_not(self):
        async def turns(count):
            for _ in range(count):
                await asyncio.sleep(0)

        async def start(mock):
            # It takes its first step in the first turn.
            asyncio.ensure_future(turns(2))

        async def start_longer(mock):
            asyncio.get_running_loop().create_task(turns(5), name="slow")

        self.assertEqual(self.left(start), [])
        self.assertEqual(self.left(start_longer), [
            "1 thing was left behind:",
            f"  task 'slow' still running: {turns.__qualname__}",
            f"    created at {at(start_longer, 1)}",
        ])

    def test_one_that_is_cancelled_has_three_turns_to_end(self):
        async def clean_up(turns):
            try:
                await asyncio.sleep(60)
            finally:
                for _ in range(turns):
                    await asyncio.sleep(0)

        async def cancelled(turns):
            task = asyncio.ensure_future(clean_up(turns))
            await asyncio.sleep(0)
            task.cancel()

        async def cancel(mock):
            await cancelled(1)

        async def cancel_slow(mock):
            await cancelled(5)

        self.assertEqual(self.left(cancel), [])
        self.assertEqual(len(self.left(cancel_slow)), 3)

    def test_one_that_nothing_refers_to_is_found_all_the_same(self):
        async def wait_for_nothing():
            await asyncio.get_running_loop().create_future()

        async def start(mock):
            task = ref(asyncio.ensure_future(wait_for_nothing()))
            await asyncio.sleep(0)
            gc.collect()
            found.extend(mock._watch.left_now())
            return [task()]

        found = []
        self.assertEqual(len(self.left(start)), 3)
        self.assertEqual([leak.what.split(".")[-1] for leak in found], ["wait_for_nothing"])

    def test_an_exception_that_is_never_retrieved_is_told_by_asyncio_in_time(self):
        async def fail():
            raise ValueError

        async def start(mock):
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context["message"]))
            asyncio.ensure_future(fail())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            self.assertEqual(told, ["Task exception was never retrieved"])

        told: list[str] = []
        self.assertEqual(self.left(start), [])

    def test_a_plain_with_in_a_running_loop_does_not_look_for_them(self):
        async def main():
            with aioresponses(assert_no_leaks=True):
                task = asyncio.ensure_future(asyncio.sleep(60))
            await closed(task)

        asyncio.run(main())

    def test_where_no_loop_runs_theirs_is_run_for_three_turns(self):
        async def start(seconds):
            asyncio.ensure_future(asyncio.sleep(seconds))

        for kinds, seconds, closes in ((True, 60, False), (True, 0, False), (True, 60, True), ("session", 60, False)):
            loop = asyncio.new_event_loop()
            mock = aioresponses(assert_no_leaks=kinds)
            with self.subTest(kinds=kinds, seconds=seconds, closes=closes):
                if kinds is True and seconds:
                    with self.assertRaisesRegex(AssertionError, r"^1 thing was left behind:\n  task .*: sleep\n"), mock:
                        self.run_and_maybe_close(loop, start(seconds), closes)
                else:
                    with mock:
                        self.run_and_maybe_close(loop, start(seconds), closes)
            if not closes:
                asyncio.runners._cancel_all_tasks(loop)
                loop.close()

    def run_and_maybe_close(self, loop, coroutine, closes):
        loop.run_until_complete(coroutine)
        if closes:
            loop.set_exception_handler(lambda *_: None)
            loop.close()

    def test_a_loop_of_another_thread_is_left_alone(self):
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()

        async def start():
            asyncio.ensure_future(asyncio.sleep(60), loop=loop)

        try:
            with aioresponses(assert_no_leaks=True):
                asyncio.run_coroutine_threadsafe(start(), loop).result()
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            asyncio.runners._cancel_all_tasks(loop)
            loop.close()

    def test_one_that_another_thread_creates_while_those_of_a_loop_are_examined(self):
        class BusyWatch(Watch):
            """Another thread creates a task whenever a task is looked at."""

            def _counts(self, origin):
                if asyncio._get_running_loop() is not None:
                    tasks.append(other.create_task(asyncio.sleep(60)))
                    thread = threading.Thread(target=self.note_task, args=(tasks[-1], "elsewhere"))
                    thread.start()
                    thread.join()
                return super()._counts(origin)

        async def main():
            watch = BusyWatch(frozenset({"task"}))
            watch.note_task(asyncio.ensure_future(asyncio.sleep(60)), "here")
            await watch.wait_for_servers()
            return watch

        tasks = []
        other = asyncio.new_event_loop()
        watch = asyncio.run(main())
        self.assertEqual(
            sorted(leak.where for leak in watch.left()), ["created at elsewhere"] * len(tasks) + ["created at here"]
        )
        self.assertGreater(len(tasks), 1)
        asyncio.runners._cancel_all_tasks(other)
        other.close()

    def test_what_asyncio_run_ends_is_not_left_behind(self):
        async def main():
            asyncio.ensure_future(asyncio.sleep(60))

        with aioresponses(assert_no_leaks=True):
            asyncio.run(main())
