"""Exceptions that aiohttp wraps in its own, and how callers and traces get them as they were raised.

Where a request goes to the network, aiohttp wraps an `OSError` in `ClientOSError`, a `HttpProcessingError` in
`ClientResponseError` and, while it connects, a timeout in `ServerTimeoutError`. An exception that is raised in memory
on purpose passes the same places, and must come out unchanged.
"""

from __future__ import annotations

import asyncio
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
