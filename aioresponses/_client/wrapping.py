"""Exceptions on their way to the caller: which ones aiohttp wraps, and what they keep alive.

If a request goes to the network, aiohttp wraps an `OSError` in `ClientOSError`, a `HttpProcessingError` in
`ClientResponseError` and, while it connects, a timeout in `ServerTimeoutError`. An exception that a mock raises on
purpose passes through the same code, and must reach callers and traces unchanged.

An exception refers to its traceback, which refers to the frames it passed through, which refer to their variables. If
the record of a call can be reached from one of these variables, and itself refers to the exception, only the garbage
collector can free the cycle. So this package empties its own frames, and removes its own objects from aiohttp's. The
rest is up to the test: if it catches an exception itself, in a function with a variable that leads to the mock, that
function's frame is in the traceback. (`assertRaises` empties those frames, too.)
"""

from __future__ import annotations

import asyncio
import inspect
from types import FrameType
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import ClientOSError, ClientResponseError, ServerTimeoutError
from aiohttp.http import HttpProcessingError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp.tracing import Trace
    from multidict import CIMultiDict
    from yarl import URL

# What each exception of aiohttp wraps.
_WRAPPERS: dict[type[BaseException], type[BaseException]] = {
    ClientOSError: OSError,
    ClientResponseError: HttpProcessingError,
    # Only while connecting; aiohttp 3.10 and newer raise the more specific one.
    ServerTimeoutError: asyncio.TimeoutError,
    getattr(aiohttp, "ConnectionTimeoutError", ServerTimeoutError): asyncio.TimeoutError,
}

_WRAPPED = tuple(_WRAPPERS.values())

_PACKAGE = __name__.partition(".")[0] + "."

_CAN_WAIT = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


def unwrapped(error: BaseException, raised: BaseException | None) -> BaseException:
    """Return `raised` if aiohttp has wrapped it in `error`; otherwise return `error`."""
    wrapped = _WRAPPERS.get(type(error))
    if raised is not None and wrapped is not None and isinstance(raised, wrapped) and error.__cause__ is raised:
        return raised
    return error


def show_unwrapped(traces: Iterable[Trace], raised: BaseException) -> None:
    """Make traces, which belong to one call only, see the exception `raised` without aiohttp's wrapping."""
    if not isinstance(raised, _WRAPPED):
        return
    for trace in traces:
        _show_unwrapped(trace, raised)


def _show_unwrapped(trace: Trace, raised: BaseException) -> None:
    # An instance attribute that hides a method, which aiohttp calls by this name from 3.8.6 to 3.14.5.
    send = trace.send_request_exception

    async def send_unwrapped(method: str, url: URL, headers: CIMultiDict[str], exception: BaseException) -> None:
        await send(method, url, headers, unwrapped(exception, raised))

    trace.send_request_exception = send_unwrapped  # type: ignore[method-assign]


def show_as_they_are(traces: Iterable[Trace]) -> None:
    """Make traces see exceptions as aiohttp wraps them again, since the call that they belong to is over."""
    for trace in traces:
        vars(trace).pop("send_request_exception", None)


def empty_frames(error: BaseException | None) -> None:
    """Empty this package's frames in the tracebacks of an exception, and of those that led to it.

    Their variables are no longer needed, and lead to the record of how the call ended, which refers to the exception.
    """
    errors, seen = [error], set[int]()
    while errors:
        error = errors.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        errors += [error.__cause__, error.__context__]
        traceback = error.__traceback__
        while traceback is not None:
            frame: FrameType | None = traceback.tb_frame
            _empty(traceback.tb_frame)
            traceback = traceback.tb_next
            # A frame also refers to its callers. Those that are still running cannot be emptied; coroutines and
            # generators must not be, because emptying one that is suspended ends it.
            while frame is not None and id(frame) not in seen:
                seen.add(id(frame))
                frame = frame.f_back
                if frame is not None and not frame.f_code.co_flags & _CAN_WAIT:
                    _empty(frame)


def _empty(frame: FrameType) -> None:
    if frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        try:
            frame.clear()
        except RuntimeError:
            pass  # It is still running, and releases its variables when it returns.
