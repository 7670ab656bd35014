"""The checks of scripts of mocked WebSockets: when they are registered, and when a mock ends before a script does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Union

from .._absent import ABSENT
from .._checks import check_flag, check_seconds, is_coroutine_function, misfit, same_kind
from .._display import shown
from .._messages import NOT_ABSENT, is_message
from ..websockets import Close, Drop, Expect, Ping, Send, Sleep

dumps = json.JSONEncoder().encode

STEPS = (Send, Expect, Close, Drop, Ping, Sleep)

Step = Union[Send, Expect, Close, Drop, Ping, Sleep, str, bytes, "dict[str, Any]", "list[Any]"]


def checked_script(script: Any) -> Any:
    """Return a script, its steps copied to a new list; raise `TypeError` or `ValueError` if it is not a script."""
    if script is None:
        return None
    if isinstance(script, (list, tuple)) and not isinstance(script, STEPS):
        for number, step in enumerate(script, 1):
            name = f"script: step {number}"
            if isinstance(step, type) or not isinstance(step, (*STEPS, str, bytes, dict, list)):
                raise TypeError(
                    f"{name}: expected text, bytes, a dict, a list or a step of aioresponses.websockets,"
                    f" got {shown(step)}"
                )
            check_step(name, step)
        return list(script)
    if is_coroutine_function(script):
        why = misfit(script, None)
        if why:
            raise TypeError(f"script: expected a coroutine function of a connection, got {shown(script)}: {why}")
        return script
    raise TypeError(f"script: expected a list of steps, or a coroutine function of a connection, got {shown(script)}")


def check_step(name: str, step: Any) -> None:
    """Raise `TypeError` or `ValueError` if a step cannot be executed."""
    if isinstance(step, Sleep):
        check_seconds(name, step.seconds)
    elif isinstance(step, Expect):
        check_seconds(f"{name}: timeout", step.timeout)
        if step.message is ABSENT:
            raise TypeError(f"{name}: {NOT_ABSENT}")
    elif isinstance(step, Close):
        check_close(f"{name}: ", step.code, step.message)
    elif isinstance(step, Ping):
        if not isinstance(step.message, bytes):
            raise TypeError(f"{name}: message: expected bytes, got {shown(step.message)}")
    elif not isinstance(step, Drop):
        message = step.message if isinstance(step, Send) else step
        if not isinstance(message, (str, bytes, bytearray, memoryview)):
            try:
                dumps(message)
            except (TypeError, ValueError) as error:
                raise same_kind(error, f"{name}: {shown(message)} cannot be sent as JSON: {error}") from None


def check_close(name: str, code: object, message: object) -> None:
    """Raise `TypeError` or `ValueError` if a WebSocket cannot be closed with this code and message."""
    if isinstance(code, bool) or not isinstance(code, int):
        raise TypeError(f"{name}code: expected an int, got {shown(code)}")
    if not 0 <= code < 2 ** 16:
        raise ValueError(f"{name}code: expected an int from 0 to 65535, got {shown(code)}")
    if not isinstance(message, (bytes, str)):
        raise TypeError(f"{name}message: expected bytes, got {shown(message)}")


def unmet(script: Sequence[Step], first: int, messages: Iterable[str | bytes]) -> str:
    """Return why a script fails from step `first` on if these messages are all that still comes; "" if it does not.

    Nothing counts from a step on that sleeps, because the client may have waited for what follows it.
    """
    left = iter(messages)
    for number, step in enumerate(script[first - 1:], first):
        if isinstance(step, Sleep):
            break
        if isinstance(step, Expect):
            try:
                check_message(step, next(left, None))
            except Exception as error:  # What is expected may decide for itself what equals it.
                return at_step(number, error)
    return ""


def at_step(number: int, error: Exception) -> str:
    """Return at which step a script failed, and why."""
    return f"at step {number}: {error if isinstance(error, AssertionError) else f'{type(error).__name__}: {error}'}"


def check_message(step: Expect, got: str | bytes | None) -> None:
    """Raise `AssertionError` if a message is not the one that a step expects, or if none came (None)."""
    if got is None:
        raise AssertionError(f"expected {shown(step.message)}, but nothing came")
    if not is_message(step.message, got):
        raise AssertionError(f"expected {shown(step.message)}, got {shown(got)}")


def checked_options(
    protocols: Any, heartbeat: Any, autoping: Any, compress: Any, max_msg_size: Any
) -> dict[str, Any]:
    """Return arguments for `web.WebSocketResponse`; raise `TypeError` or `ValueError` if any is wrong."""
    if isinstance(protocols, str) or not isinstance(protocols, Iterable):
        raise TypeError(f"protocols: expected a list of names, got {shown(protocols)}")
    protocols = tuple(protocols)
    for protocol in protocols:
        if not isinstance(protocol, str):
            raise TypeError(f"protocols: expected a str for each name, got {shown(protocol)}")
    if heartbeat is not None:
        check_seconds("heartbeat", heartbeat, "seconds or None")
    check_flag("autoping", autoping)
    check_flag("compress", compress)
    if isinstance(max_msg_size, bool) or not isinstance(max_msg_size, int):
        raise TypeError(f"max_msg_size: expected an int, got {shown(max_msg_size)}")
    if max_msg_size < 0:
        raise ValueError(f"max_msg_size: expected an int of at least 0, got {shown(max_msg_size)}")
    return {
        "protocols": protocols, "heartbeat": heartbeat, "autoping": autoping, "compress": compress,
        "max_msg_size": max_msg_size,
    }
