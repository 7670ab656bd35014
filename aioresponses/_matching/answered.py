"""The requests that a registered mock, or a mounted application, has answered."""

from __future__ import annotations

from .._calls.exchange import Exchange


class Answered:
    """The requests that were answered, and how many of them are no longer kept."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        """Those that are kept, in order."""
        self.dropped = 0

    def drop(self, exchange: Exchange) -> None:
        """Stop keeping a request; no effect if it is not kept."""
        if exchange in self.exchanges:
            self.exchanges.remove(exchange)
            self.dropped += 1

    def forget(self) -> None:
        """Forget all requests."""
        self.exchanges.clear()
        self.dropped = 0
