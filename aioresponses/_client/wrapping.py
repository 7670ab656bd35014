"""Exceptions on their way to the caller: those that aiohttp wraps in its own, and what they hold on to.

Where a request goes to the network, aiohttp wraps an `OSError` in `ClientOSError`, a `HttpProcessingError` in
`ClientResponseError` and, while it connects, a timeout in `ServerTimeoutError`. An exception that is raised in memory
on purpose passes the same places, and must come out unchanged, to callers and to traces.

An exception holds its traceback, which holds the frames that it came through, which hold their variables. A record of
the exception that can be reached from one of these is freed by nothing but the garbage collector. Our own frames are
emptied, and so are aiohttp's of what is ours. What remains is up to the test: where it catches an exception itself,
beside a variable that leads to the mock, its frame is in the traceback. (`assertRaises` empties those frames, too.)
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
    # While it connects; aiohttp 3.10 and newer raise the more special one.
    ServerTimeoutError: asyncio.TimeoutError,
    getattr(aiohttp, "ConnectionTimeoutError", ServerTimeoutError): asyncio.TimeoutError,
}

_WRAPPED = tuple(_WRAPPERS.values())

_PACKAGE = __name__.partition(".")[0] + "."

_CAN_WAIT = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


def unwrapped(error: BaseException, raised: BaseException | None) -> BaseException:
    """Return `raised` where aiohttp has wrapped it in `error`, or else `error`."""
    wrapped = _WRAPPERS.get(type(error))
    if raised is not None and wrapped is not None and isinstance(raised, wrapped) and error.__cause__ is raised:
        return raised
    return error


def show_unwrapped(traces: Iterable[Trace], raised: BaseException) -> None:
    """Have traces, which belong to one call alone, see the exception `raised` without aiohttp's wrapping."""
    if not isinstance(raised, _WRAPPED):
        return
    for trace in traces:
        _show_unwrapped(trace, raised)


def _show_unwrapped(trace: Trace, raised: BaseException) -> None:
    # An instance attribute over a method of aiohttp's that it calls by this name from 3.8.6 to 3.14.5.
    send = trace.send_request_exception

    async def send_unwrapped(method: str, url: URL, headers: CIMultiDict[str], exception: BaseException) -> None:
        await send(method, url, headers, unwrapped(exception, raised))

    trace.send_request_exception = send_unwrapped  # type: ignore[method-assign]


def show_as_they_are(traces: Iterable[Trace]) -> None:
    """Have traces see exceptions as aiohttp wraps them; the call that they belong to is over."""
    for trace in traces:
        vars(trace).pop("send_request_exception", None)


def empty_frames(error: BaseException | None) -> None:
    """Empty our own frames in the tracebacks of an exception, and of those that led to it.

    Their variables are of no use any more, and hold what in turn holds the exception: the record of how a call ended.
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
            # A frame leads to those that have called it, as well, where they may be at work; what waits must not be
            # emptied, for that ends it.
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
            pass  # It is still at work, and lets go of what it has by itself.
