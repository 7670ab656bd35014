"""What went over a WebSocket: in an entry of a HAR, and as the script that replays it.

Theory
------
Chrome writes what went over a WebSocket as `_webSocketMessages` of the entry of its handshake, and others do as it
does: the messages of both ways in order, text as it is and other bytes in base64. Pings, pongs and the end are not in
there. We write the same, and beside it, in `_webSocketClose`, who closed the WebSocket and with what. Where that is
missing, the end is not known, and the replay stays open.

In a script, what the client sent is expected, and what the server sent is sent. The order is the one that the client
saw. So a message of the server comes when the client has sent all that it had sent before it came.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from json import loads
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

# A WebSocket over HTTP/2 is asked for by CONNECT, which is answered by this.
_CONNECTED = 200

_DATA = (WSMsgType.TEXT, WSMsgType.BINARY)

CONTROL = (WSMsgType.CLOSE, WSMsgType.PING, WSMsgType.PONG)
"""What some programs write of these is passed over: there is no common form."""

# What a client finds that has lost its connection without a close frame.
_LOST = 1006

# No close frame has these: they say that there was no code in it, or no frame at all.
_UNSENDABLE = (0, 1005, 1015)

PATIENCE = 10
"""For how many seconds a replay waits for a message of the client, on top of the pause that there was before it."""

# What a server of aiohttp's takes as one message is smaller than this, unless it is made to take more.
_LARGE = 2 ** 22

_COMPRESSION = "permessage-deflate"


def is_websocket(entry: dict[str, Any]) -> bool:
    """Tell whether an entry says what went over a WebSocket."""
    if not isinstance(entry.get("_webSocketMessages"), list):
        return False
    status = entry["response"]["status"]
    return status == _UPGRADED or status == _CONNECTED and any(_messages(entry))


def add_messages(entry: dict[str, Any], upgraded: Upgraded, time_of: Callable[[float], float]) -> None:
    """Add what went over a WebSocket to the entry of its handshake, up to the first close frame.

    `time_of` returns the time of a message that was complete at a moment.
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
    """Return what stands of a WebSocket in an entry as it is written; nothing where it is none."""
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
    """Return the text or the bytes of a message; raise `ValueError` for what is no base64."""
    text: str = message["data"]
    if message["opcode"] == WSMsgType.TEXT:
        return text.encode("utf-8", "replace").decode()
    return b64decode(text, validate=True)


def _hidden(data: str | bytes, secrets: Secrets) -> str | bytes:
    return secrets.text(data) if isinstance(data, str) else bodies.without_secrets(data, "", secrets)


def _messages(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the messages of text and bytes, up to an error of the connection."""
    for one in entry["_webSocketMessages"]:
        if one["type"] == "error":
            return
        if one["opcode"] in _DATA:
            yield one


def _close(entry: dict[str, Any]) -> dict[str, Any] | None:
    """Return who closed a WebSocket and with what; None where that is not known."""
    # This is how Chrome has it that the connection failed.
    lost = next((one for one in entry["_webSocketMessages"] if one["type"] == "error"), None)
    if lost is not None:
        return {"type": "receive", "time": lost.get("time"), "code": _LOST, "reason": ""}
    close: dict[str, Any] | None = entry.get("_webSocketClose")
    return close


def is_closed_by_client(entry: dict[str, Any]) -> bool:
    """Tell whether it was the client that closed a WebSocket, after all that it had to send."""
    close = _close(entry)
    return close is not None and close["type"] == "send"


def script_of(entry: dict[str, Any], started: float | None, timings: bool) -> list[Any]:
    """Return the steps that replay a WebSocket which was asked for at the time `started`; with `timings` the pauses."""
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
    """Return the arguments of `aioresponses.websocket` that have the handshake come out as it did."""
    offered, accepted = (_header(entry[part], "sec-websocket-extensions") for part in ("request", "response"))
    options: dict[str, Any] = {}
    protocol = _header(entry["response"], "sec-websocket-protocol")
    if protocol:
        options["protocols"] = [protocol]
    if _COMPRESSION in offered and _COMPRESSION not in accepted:
        options["compress"] = False
    sent = [one["data"] for one in _messages(entry) if one["type"] == "send"]
    # Of bytes in base64 this is more than there are, which does no harm.
    if any(len(data.encode("utf-8", "replace")) >= _LARGE for data in sent):
        options["max_msg_size"] = 0
    return options


def _header(message: dict[str, Any], name: str) -> str:
    return next((one["value"].strip() for one in message.get("headers") or () if one["name"].lower() == name), "")


def _time(message: dict[str, Any]) -> float:
    """Return the time of a message in seconds; 0 where it is not known."""
    time = message.get("time")
    return time if isinstance(time, (int, float)) and 0 < time < inf else 0


def _expected(data: str | bytes) -> Any:
    """Return what a message of the client is to equal; JSON however it is spelled."""
    if isinstance(data, bytes):
        return ANY if HIDDEN.encode() in data else data
    value = json_of(data)
    return expected(data) if value is None else in_all_strings(value, expected)


def json_of(data: str | bytes) -> Any:
    """Return the object or the list that a message of text is, in JSON; None where it is none."""
    if isinstance(data, bytes) or data.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return loads(data, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None


def _refused(name: str) -> Any:
    # NaN does not equal itself.
    raise ValueError(f"{name} cannot be compared")


def _closing(close: dict[str, Any]) -> Any:
    code = close["code"]
    if code == _LOST:
        return Drop()
    return Close(1000 if code in _UNSENDABLE else code, (close.get("reason") or "").encode("utf-8", "replace"))
