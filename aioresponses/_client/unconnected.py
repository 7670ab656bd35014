"""How clients fail to connect: what `TCPConnector` raises if it finds no address, no server, or no TLS.

Each function makes the exception for a request for which `connector` was to open a connection. Its cause is the error
of the operating system. A client with a proxy connects to the proxy, so it is the proxy that it cannot find or reach;
but it speaks TLS with the server behind the proxy.

Private, and the same from 3.8.6 to 3.14.5: `TCPConnector._ssl`, the default for requests that do not specify how to
verify the server.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from asyncio import get_running_loop
from collections.abc import Callable
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientProxyConnectionError,
    ServerTimeoutError,
)
from aiohttp.helpers import ceil_timeout

from .outgoing import authorize_to_proxy

if TYPE_CHECKING:
    from aiohttp import BaseConnector, ClientRequest, ClientTimeout

Failure = Callable[["ClientRequest", "BaseConnector"], Exception]

# The more specific classes are new in aiohttp 3.10.
_TimedOut: type[ServerTimeoutError] = getattr(aiohttp, "ConnectionTimeoutError", ServerTimeoutError)

_NotFound: type[ClientConnectorError] = getattr(aiohttp, "ClientConnectorDNSError", ClientConnectorError)

# The number and the text of this error in OpenSSL; newer releases spell it with a hyphen.
_SELF_SIGNED = 18, "self-signed certificate" if ssl.OPENSSL_VERSION_INFO >= (3,) else "self signed certificate"


def refused(request: ClientRequest, connector: BaseConnector) -> Exception:
    """Return what is raised if nothing listens on the port."""
    reached = _reached(request, connector)
    where = (reached.url.raw_host, reached.url.port)
    error = ConnectionRefusedError(errno.ECONNREFUSED, f"Connect call failed {where!r}")
    error_class = ClientConnectorError if request.proxy is None else ClientProxyConnectionError
    return _caused(error_class(reached.connection_key, error), error)


def timed_out(request: ClientRequest, connector: BaseConnector) -> Exception:
    """Return what the session raises if connecting takes too long."""
    return _TimedOut(f"Connection timeout to host {request.url}")


def not_found(request: ClientRequest, connector: BaseConnector) -> Exception:
    """Return what is raised if the host name has no address."""
    error = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return _caused(_NotFound(_reached(request, connector).connection_key, error), error)


def not_trusted(request: ClientRequest, connector: BaseConnector) -> Exception:
    """Return what is raised if the server presents a self-signed certificate."""
    reason, (code, message) = "CERTIFICATE_VERIFY_FAILED", _SELF_SIGNED
    # The text ends with the place in Python's source where the error was raised.
    where = str(_failed_handshake()).rpartition(" ")[2]
    error = ssl.SSLCertVerificationError(1, f"[SSL: {reason}] certificate verify failed: {message} {where}")
    error.library, error.reason = "SSL", reason
    error.verify_code, error.verify_message = code, message
    return _caused(ClientConnectorCertificateError(request.connection_key, error), error)


def no_tls(request: ClientRequest, connector: BaseConnector) -> Exception:
    """Return what is raised if the server speaks plain HTTP instead of TLS."""
    error = _failed_handshake()
    return _caused(ClientConnectorSSLError(request.connection_key, error), error)


def _failed_handshake() -> ssl.SSLError:
    """Return the error of a handshake with a server that speaks plain HTTP, as this OpenSSL raises it."""
    answer = ssl.MemoryBIO()
    answer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(answer, ssl.MemoryBIO(), server_hostname="localhost")
    try:
        client.do_handshake()
    except ssl.SSLError as error:
        return error.with_traceback(None)
    raise AssertionError("unreachable")


def verifies(request: ClientRequest, connector: BaseConnector) -> bool:
    """Tell whether a client verifies certificates, instead of accepting all, or only one with a given fingerprint."""
    chosen = request.ssl
    if chosen is None or chosen is True:
        chosen = getattr(connector, "_ssl", True)
    if isinstance(chosen, ssl.SSLContext):
        return chosen.verify_mode is not ssl.CERT_NONE
    # None was the default before 3.9.
    return chosen is None or chosen is True


async def connect_in_vain(request: ClientRequest, connector: BaseConnector, timeout: ClientTimeout) -> None:
    """Wait as long as a client that cannot connect, then raise what the session raises."""
    limits = [limit for limit in (timeout.connect, timeout.sock_connect) if limit]
    try:
        async with ceil_timeout(min(limits, default=None)):
            await get_running_loop().create_future()
    except asyncio.TimeoutError as error:
        raise timed_out(request, connector) from error


def _reached(request: ClientRequest, connector: BaseConnector) -> ClientRequest:
    """Return the request that asks for the connection: this one, or one to its proxy."""
    return request if request.proxy is None else authorize_to_proxy(request, connector)


def _caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error
