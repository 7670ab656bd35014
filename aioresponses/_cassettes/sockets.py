"""What went over a WebSocket: in an entry of a HAR file, and as the script that replays it.

Theory
------
Chrome, and other programs after it, write what went over a WebSocket as `_webSocketMessages` in the entry of its
handshake: the messages of both sides in order, text as text and binary messages in base64. These do not include pings,
pongs and the end. We write the same, and in `_webSocketClose` which side closed the WebSocket, with which code and
reason. If that is missing, the end is unknown, and the replay stays open.

The script expects what the client sent, and sends what the server sent, in the order that the client saw. So before it
sends a message, it waits until the client has sent everything that it had sent before that message arrived.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from math import inf
from typing import Any
from unittest.mock import ANY

from aiohttp import WSMsgType

from .._client.frames import Upgraded
from .._client.incoming import MOST
from ..websockets import Close, Drop, Expect, Sleep
from . import bodies
from .secrets import HIDDEN, Secrets, expected, in_all_strings

_UPGRADED = 101

# A WebSocket over HTTP/2 is requested by CONNECT, and this is the status of the answer.
_CONNECTED = 200

_DATA = (WSMsgType.TEXT, WSMsgType.BINARY)

CONTROL = (WSMsgType.CLOSE, WSMsgType.PING, WSMsgType.PONG)
"""These are ignored if a program has written them, because there is no common form."""

# The close code that a client sees if it loses its connection without a close frame.
_LOST = 1006

# No close frame has these codes: they mean that it had no code, or that there was no frame at all.
_UNSENDABLE = (0, 1005, 1015)

PATIENCE = 10
"""How many seconds a replay waits for a message of the client, in addition to the recorded pause before it."""

# By default, aiohttp's server accepts only messages that are smaller than this.
_LARGE = 2 ** 22

_COMPRESSION = "permessage-deflate"


def is_websocket(entry: dict[str, Any]) -> bool:
    """Tell whether an entry contains what went over a WebSocket."""
    if not isinstance(entry.get("_webSocketMessages"), list):
        return False
    status = entry["response"]["status"]
    return status == _UPGRADED or status == _CONNECTED and any(_messages(entry))


def add_messages(entry: dict[str, Any], upgraded: Upgraded, time_of: Callable[[float], float]) -> None:
    """Add what went over a WebSocket to the entry of its handshake, up to the first close frame.

    `time_of` returns the time to write for a message, given the moment at which it was complete.
    """
    messages: list[dict[str, Any]] = []
    close: dict[str, Any] | None = None
    size = 0
    is_large = upgraded.is_large
    for timed in () if is_large else upgraded.conversation():
        one = {"type": "receive" if timed.is_sent else "send", "time": time_of(timed.moment)}
        message = timed.message
        if message is None:
            close = {**one, "type": "receive", "code": _LOST, "reason": ""}
            break
        if message.type is WSMsgType.CLOSE:
            close = {**one, "code": int(message.data), "reason": message.extra or ""}
            break
        if message.type in _DATA:
            messages.append({**one, **_part_of(message.data)})
            size += len(message.data)
            is_large = size > MOST
            if is_large:
                break
    if close is None and upgraded.lost is not None:
        close = {"type": "receive", "time": time_of(upgraded.lost), "code": _LOST, "reason": ""}
    entry["_resourceType"] = "websocket"
    entry["_webSocketMessages"] = [] if is_large else messages
    if is_large:
        entry["response"]["content"]["comment"] = bodies.LEFT_OUT
    elif close is not None:
        entry["_webSocketClose"] = close


def without_secrets(entry: dict[str, Any], secrets: Secrets) -> dict[str, Any]:
    """Return the members of an entry about its WebSocket, as they are written; none if it is not a WebSocket."""
    if not is_websocket(entry):
        return {}
    made: dict[str, Any] = {
        "_resourceType": "websocket",
        "_webSocketMessages": [
            {"type": one["type"], "time": _time(one), **_part_of(_hidden(data_of(one), secrets))}
            for one in _messages(entry)
        ],
    }
    close = _close(entry)
    if close is not None:
        reason = secrets.text(close.get("reason") or "")
        made["_webSocketClose"] = {**close, "time": _time(close), "reason": reason}
    return made


def _part_of(data: str | bytes) -> dict[str, Any]:
    if isinstance(data, str):
        return {"opcode": WSMsgType.TEXT.value, "data": data}
    return {"opcode": WSMsgType.BINARY.value, "data": b64encode(data).decode()}


def data_of(message: dict[str, Any]) -> str | bytes:
    """Return the text or the bytes of a message; raise `ValueError` if the bytes are not valid base64."""
    text: str = message["data"]
    if message["opcode"] == WSMsgType.TEXT:
        return text.encode("utf-8", "replace").decode()
    return b64decode(text, validate=True)


def _hidden(data: str | bytes, secrets: Secrets) -> str | bytes:
    return secrets.text(data) if isinstance(data, str) else bodies.without_secrets(data, "", secrets)


def _messages(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the text and binary messages, up to an error of the connection."""
    for one in entry["_webSocketMessages"]:
        if one["type"] == "error":
            return
        if one["opcode"] in _DATA:
            yield one


def _close(entry: dict[str, Any]) -> dict[str, Any] | None:
    """Return which side closed a WebSocket, with code and reason; None if that is unknown."""
    # Chrome writes this if the connection failed.
    lost = next((one for one in entry["_webSocketMessages"] if one["type"] == "error"), None)
    if lost is not None:
        return {"type": "receive", "time": lost.get("time"), "code": _LOST, "reason": ""}
    close: dict[str, Any] | None = entry.get("_webSocketClose")
    return close


def is_closed_by_client(entry: dict[str, Any]) -> bool:
    """Tell whether it was the client that closed a WebSocket, after it had sent everything."""
    close = _close(entry)
    return close is not None and close["type"] == "send"


def script_of(entry: dict[str, Any], started: float | None, timings: bool) -> list[Any]:
    """Return the steps that replay a WebSocket requested at the time `started`; with `timings`, include the pauses."""
    script: list[Any] = []
    ends = [close for close in (_close(entry),) if close is not None and close["type"] == "receive"]
    last = started
    for one in [*_messages(entry), *ends]:
        time = _time(one)
        pause = 0 if last is None or not time else max(time - last, 0)
        last = time or last
        if one["type"] == "send":
            script.append(Expect(_expected(data_of(one)), PATIENCE + int(pause)))
            continue
        if timings and pause:
            script.append(Sleep(round(pause, 3)))
        script.append(_closing(one) if "code" in one else data_of(one))
    return script


def options_of(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `aioresponses.websocket` that make the handshake end as it was recorded."""
    offered, accepted = (_header(entry[part], "sec-websocket-extensions") for part in ("request", "response"))
    options: dict[str, Any] = {}
    protocol = _header(entry["response"], "sec-websocket-protocol")
    if protocol:
        options["protocols"] = [protocol]
    if _COMPRESSION in offered and _COMPRESSION not in accepted:
        options["compress"] = False
    sent = [one["data"] for one in _messages(entry) if one["type"] == "send"]
    # Bytes are longer in base64 than they were, but a limit that is lifted needlessly does no harm.
    if any(len(data.encode("utf-8", "replace")) >= _LARGE for data in sent):
        options["max_msg_size"] = 0
    return options


def _header(message: dict[str, Any], name: str) -> str:
    return next((one["value"].strip() for one in message.get("headers") or () if one["name"].lower() == name), "")


def _time(message: dict[str, Any]) -> float:
    """Return the time of a message in seconds; 0 if it is unknown."""
    time = message.get("time")
    return time if isinstance(time, (int, float)) and 0 < time < inf else 0


def _expected(data: str | bytes) -> Any:
    """Return what a message of the client must equal; for JSON, a value, so that its spelling does not matter."""
    if isinstance(data, bytes):
        return ANY if HIDDEN.encode() in data else data
    value = json_of(data)
    return expected(data) if value is None else in_all_strings(value, expected)


def json_of(data: str | bytes) -> Any:
    """Return the object or the list that a text message contains as JSON; None if it contains neither."""
    if isinstance(data, bytes) or data.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return bodies.value_of(data)
    except ValueError:
        return None


def _closing(close: dict[str, Any]) -> Any:
    code = close["code"]
    if code == _LOST:
        return Drop()
    return Close(1000 if code in _UNSENDABLE else code, (close.get("reason") or "").encode("utf-8", "replace"))
