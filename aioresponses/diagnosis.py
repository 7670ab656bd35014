"""Why nothing matched, told to a person."""

from __future__ import annotations

from aiohttp import ClientConnectionError
from yarl import URL

__all__ = ["refused"]


def refused(method: str, url: URL) -> ClientConnectionError:
    """Return the exception for a request that nobody answers."""
    return ClientConnectionError(f"Connection refused: {method} {url}")
