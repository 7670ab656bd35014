"""Server-sent events, in the wire format of the WHATWG's HTML standard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Union

from .._checks import encodable, line
from .._display import shown


class ServerSentEvent:
    """One event of a `text/event-stream`.

    - `data`: text of one or more lines, or a dict, which is sent as JSON; None for an event without data.
    - `event`: the name of the event, if it has one.
    - `id`: what a client sends as `Last-Event-ID` when it reconnects.
    - `retry`: after how many milliseconds the client should reconnect.

    Raises `TypeError` or `ValueError` for values that cannot be sent.

    >>> ServerSentEvent("21 °C", event="temperature", id="7")
    ServerSentEvent(data='21 °C', event='temperature', id='7')
    """

    def __init__(
        self,
        data: str | Mapping[str, Any] | None = None,
        event: str | None = None,
        id: str | None = None,
        retry: int | None = None,
    ) -> None:
        if not isinstance(data, (str, Mapping, type(None))):
            raise TypeError(f"data: expected text or a dict, got {shown(data)}")
        if retry is not None:
            if isinstance(retry, bool) or not isinstance(retry, int):
                raise TypeError(f"retry: expected an int of milliseconds, got {shown(retry)}")
            if retry < 0:
                raise ValueError(f"retry: expected an int of at least 0, got {shown(retry)}")
        self.data = encodable("data", data) if isinstance(data, str) else data
        self.event = None if event is None else line("event", event)
        self.id = None if id is None else line("id", id)
        self.retry = retry

    def __repr__(self) -> str:
        given = ((name, value) for name, value in vars(self).items() if value is not None)
        return f"ServerSentEvent({', '.join(f'{name}={value!r}' for name, value in given)})"


Event = Union[str, Mapping[str, Any], ServerSentEvent]


def encoded_event(event: object, dumped: Callable[[object], bytes]) -> bytes:
    """Return an event in its wire format; text and dicts become the data of an event, and `dumped` serialises dicts."""
    if isinstance(event, str):
        event = ServerSentEvent(encodable("events", event))
    elif isinstance(event, Mapping):
        event = ServerSentEvent(event)
    elif not isinstance(event, ServerSentEvent):
        raise TypeError(f"events: expected text, dicts or ServerSentEvent, got {shown(event)}")
    data = dumped(event.data).decode() if isinstance(event.data, Mapping) else event.data
    fields = [("event", event.event), ("id", event.id), ("retry", event.retry)]
    lines = [f"{name}: {value}" for name, value in fields if value is not None]
    if data is not None:
        # The standard has only these three line ends; splitlines() would split at others as well.
        lines += [f"data: {line}" for line in data.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return "".join(f"{line}\n" for line in [*lines, ""]).encode()
