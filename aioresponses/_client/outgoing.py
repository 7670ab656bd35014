"""A request's headers and body, before aiohttp writes them."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

from aiohttp import MultipartWriter, hdrs
from aiohttp.http import HttpVersion11
from aiohttp.payload import BytesPayload

from .written import Written

if TYPE_CHECKING:
    from aiohttp import BaseConnector, ClientRequest
    from multidict import CIMultiDict

# By which a payload writes itself; aiohttp 3.12 and later call the second one.
_WRITING = ("write", "write_with_length")


async def body_of(request: ClientRequest) -> Written | None:
    """Return the body of a request that is not written to us; None where reading it would take it from somebody."""
    body: Any = request.body
    if isinstance(body, bytes):
        return Written(body)
    if isinstance(body, BytesPayload) or (
        isinstance(body, MultipartWriter) and all(isinstance(part[0], BytesPayload) for part in body)
    ):
        writer = _Writer(None, Written())
        try:
            await body.write(cast(Any, writer))
        except Exception:
            return None  # What it raises, it raises when it is sent.
        return writer.written
    return None


async def read_ahead(request: ClientRequest) -> Written:
    """Return the body of a request before it is sent; what can be read only once is then sent from what was read.

    What reading it raises, sending it raises, at the same place.
    """
    known = await body_of(request)
    if known is not None:
        return known
    body: Any = request.body
    writer = _Writer(None, Written())
    raised: Exception | None = None
    try:
        await body.write(writer)
    except Exception as error:
        raised = error
    for name in _WRITING:
        if hasattr(body, name):
            setattr(body, name, functools.partial(_write_again, body, writer.written, raised))
    return writer.written


async def _write_again(body: Any, written: Written, raised: Exception | None, writer: Any, *args: Any) -> None:
    if not isinstance(writer, _Writer):
        # Once it has been sent, there is as little left of it as if it had not been read ahead.
        for name in _WRITING:
            vars(body).pop(name, None)
    for piece in written:
        await writer.write(piece)
    if raised is not None:
        raise raised


def tee(request: ClientRequest) -> Written:
    """Return what takes up the pieces of a body while aiohttp sends it to somebody else."""
    body: Any = request.body
    written = Written()
    for name in _WRITING:
        write = getattr(body, name, None)
        if write is not None:
            setattr(body, name, functools.partial(_write_both, write, written))
    return written


async def _write_both(write: Callable[..., Awaitable[None]], written: Written, writer: Any, *args: Any) -> None:
    if isinstance(writer, _Writer):  # One method has called the other.
        await write(writer, *args)
    else:
        await write(_Writer(writer, written), *args)


class _Writer:
    """A stream writer that keeps what is written, and hands it on where there is another one."""

    def __init__(self, to: Any, written: Written) -> None:
        self._to = to
        self.written = written

    async def write(self, chunk: bytes, *args: Any, **kwargs: Any) -> None:
        self.written.append(bytes(chunk))
        if self._to is not None:
            await self._to.write(chunk, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._to, name)


def _headers_to_send(request: ClientRequest, connector: BaseConnector) -> CIMultiDict[str]:
    """Return the headers of a request with those that aiohttp adds in the moment of sending it (3.8.6 to 3.14.5)."""
    headers = request.headers.copy()
    if request.method in request.POST_METHODS and hdrs.CONTENT_TYPE not in request.skip_auto_headers:
        headers.setdefault(hdrs.CONTENT_TYPE, "application/octet-stream")
    if connector.force_close and request.version == HttpVersion11:
        headers.setdefault(hdrs.CONNECTION, "close")
    return headers
