"""Messages of WebSockets as users give them, compared with those that were sent."""

from __future__ import annotations

from json import loads
from typing import Any

from .matchers import equals

NOT_ABSENT = "ABSENT cannot stand for a whole message; use it for a value in a dict"


def is_message(expected: Any, message: str | bytes) -> bool:
    """Tell whether a message equals what is expected, decoded from JSON if that is neither text nor bytes."""
    if isinstance(expected, (str, bytes)):
        return isinstance(expected, str) == isinstance(message, str) and expected == message
    if expected == message:
        return True
    if isinstance(message, bytes):
        return False  # Reading JSON from a WebSocket refuses binary messages.
    try:
        return equals(expected, loads(message))
    except ValueError:
        return False
