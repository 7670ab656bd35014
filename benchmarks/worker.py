"""A process in which one contestant plays one measure: a round for each line of stdin, its seconds on stdout."""

from __future__ import annotations

import asyncio
import inspect
import sys

from contestants import CONTESTANTS
from rows import GROUPS


def main() -> None:
    contestant, name = sys.argv[1:]
    [measure] = [measure for group in GROUPS for measure in group if measure.name == name]
    rounds = measure.play(CONTESTANTS[contestant]())
    loop = asyncio.new_event_loop()
    loop.set_debug(measure.debug)
    # What takes long is no news here.
    loop.slow_callback_duration = 60

    async def next_round() -> float:
        return await rounds.__anext__()

    for _ in sys.stdin:
        seconds = loop.run_until_complete(next_round()) if inspect.isasyncgen(rounds) else next(rounds)
        print(seconds, flush=True)
    if inspect.isasyncgen(rounds):
        loop.run_until_complete(rounds.aclose())


main()
