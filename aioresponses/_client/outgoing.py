"""A request before aiohttp has written it: its headers and body, and the parts that a reply can change.

If a request does not go to the far end, or must be examined before it goes anywhere, there are no bytes on the wire to
parse. The headers and body are then taken from the request itself.

Undocumented names of aiohttp, the same from 3.8.6 to 3.14.5: `ClientRequest.compress`, `POST_METHODS`,
`skip_auto_headers`, `response` and `response_class`, `write` of the payload that is its `body`, and
`ClientSession._request`, the only method whose signature names all arguments of a request.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

from aiohttp import ClientRequest, ClientSession, MultipartWriter, hdrs
from aiohttp.http import HttpVersion11
from aiohttp.payload import BytesPayload

from .response_classes import maker_of
from .written import Written

if TYPE_CHECKING:
    from aiohttp import BaseConnector, ClientResponse
    from multidict import CIMultiDict

# The methods by which a payload writes itself; aiohttp 3.12 and newer call the second one.
_WRITING = ("write", "write_with_length")

_argument_names: frozenset[str] = frozenset()


def argument_names() -> frozenset[str]:
    """Return the names of the keyword arguments that a request may have; none while a test has replaced the method."""
    global _argument_names
    if not _argument_names:
        _argument_names = frozenset(
            parameter.name
            for parameter in inspect.signature(ClientSession._request).parameters.values()
            if parameter.kind is parameter.KEYWORD_ONLY
        )
    return _argument_names


class Outgoing:
    """What is about to be sent, or is being sent elsewhere than to the far end."""

    def __init__(self, headers: CIMultiDict[str], body: Written, is_encoded: bool) -> None:
        self.headers = headers
        """A copy, because a middleware may change those of the request to send it once more."""
        self.body = body
        """The part of the body that has been read or sent; more may follow."""
        self.is_encoded = is_encoded
        """Whether the `Content-Encoding` of the headers has already been applied to the body."""


async def ahead(request: ClientRequest, connector: BaseConnector, with_body: bool) -> Outgoing:
    """Return what is about to be sent: the headers and, if `with_body`, the body.

    If the body can be read only once, aiohttp later sends what was read here.
    """
    body = await _read_ahead(request) if with_body else Written()
    return Outgoing(_headers_to_send(request, connector), body, _is_encoded(request))


async def unsent(request: ClientRequest) -> Outgoing:
    """Return what would have been sent, without the body if reading would use it up."""
    return Outgoing(request.headers.copy(), await _body_of(request) or Written(), _is_encoded(request))


async def passing(request: ClientRequest, connector: BaseConnector) -> Outgoing:
    """Return what is about to be sent to the network; a body that can be read only once is recorded as it is sent."""
    headers = _headers_to_send(request, connector)
    return Outgoing(headers, await _body_of(request) or _tee(request), _is_encoded(request))


def response_of(request: ClientRequest) -> ClientResponse | None:
    """Return the response to a request, if one was made."""
    # In aiohttp 4, its name is private.
    name = "response" if hasattr(request, "response") else "_response"
    return getattr(request, name)  # type: ignore[no-any-return]


def set_response_class(request: ClientRequest, response_class: Callable[..., ClientResponse]) -> None:
    """Make the response to a request an instance of a class, even if it exists already, or let a function make it."""
    response = response_of(request)
    if response is None:
        request.response_class = maker_of(response_class)  # type: ignore[assignment]
    elif isinstance(response_class, type):
        response.__class__ = response_class


def authorize_to_proxy(request: ClientRequest, connector: BaseConnector) -> ClientRequest:
    """Put the credentials for its proxy into a request, as `TCPConnector` does while it connects.

    Returns the request by which the connector connects to the proxy. Raises `InvalidURL` if the proxy's URL has no
    host.
    """
    # In aiohttp 4, connectors have a method for this; earlier releases do it inside the code that connects.
    authorize = getattr(connector, "_update_proxy_auth_header_and_build_proxy_req", None)
    if authorize is not None:
        return authorize(request)  # type: ignore[no-any-return]
    assert request.proxy is not None
    to_proxy = ClientRequest(
        hdrs.METH_GET, request.proxy, auth=request.proxy_auth, loop=request.loop, ssl=request.ssl
    )
    if not request.is_ssl() and hdrs.AUTHORIZATION in to_proxy.headers:
        request.headers[hdrs.PROXY_AUTHORIZATION] = to_proxy.headers[hdrs.AUTHORIZATION]
    return to_proxy


def _is_encoded(request: ClientRequest) -> bool:
    return hdrs.CONTENT_ENCODING in request.headers and not request.compress


async def _body_of(request: ClientRequest) -> Written | None:
    """Return the body of a request that is not written to the far end; None if reading would use it up."""
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
            return None  # It raises the same error when it is sent.
        return writer.written
    return None


async def _read_ahead(request: ClientRequest) -> Written:
    """Return the body of a request before it is sent; if it can be read only once, aiohttp sends what was read here.

    If reading raises, sending raises the same error after the same bytes.
    """
    known = await _body_of(request)
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
        # Once sent, the body is used up, as it would be without having been read ahead.
        for name in _WRITING:
            vars(body).pop(name, None)
    for piece in written:
        await writer.write(piece)
    if raised is not None:
        raise raised


def _tee(request: ClientRequest) -> Written:
    """Return what collects the pieces of a body while aiohttp sends it elsewhere."""
    body: Any = request.body
    written = Written()
    for name in _WRITING:
        write = getattr(body, name, None)
        if write is not None:
            setattr(body, name, functools.partial(_write_both, write, written))
    return written


async def _write_both(write: Callable[..., Awaitable[None]], written: Written, writer: Any, *args: Any) -> None:
    if isinstance(writer, _Writer):  # One of the two methods has called the other.
        await write(writer, *args)
    else:
        await write(_Writer(writer, written), *args)


class _Writer:
    """A stream writer that keeps what is written, and passes it on to another writer if it has one."""

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
    """Return the headers of a request, including those that aiohttp adds when it sends it (3.8.6 to 3.14.5)."""
    headers = request.headers.copy()
    if request.method in request.POST_METHODS and hdrs.CONTENT_TYPE not in request.skip_auto_headers:
        headers.setdefault(hdrs.CONTENT_TYPE, "application/octet-stream")
    if connector.force_close and request.version == HttpVersion11:
        headers.setdefault(hdrs.CONNECTION, "close")
    return headers
