"""The servers of `aiohttp.test_utils` that a test runs itself, and the `TestClient` objects that talk to them.

A test starts such a server to make real requests to it. A request by a `TestClient` to its server is not a call of the
code under test. A request by the code under test to a running server is such a call, but need not be mocked.

`aiohttp.test_utils` keeps no list of servers and clients, and they may be older than the mock. So they are searched for
among all objects that the garbage collector knows, and remembered once found. A search takes milliseconds, so only a
request to loopback causes one: the first one of each session that may belong to a `TestClient`, and any other one
before it would be refused. Usually a request of a `TestClient` is made by a method of that client, whose frame is on
the stack, so that no search is needed.

`ClientSession._retry_connection` is False in a session of a `TestClient` and True in all others, so the hook can skip
those. The name is private, the same from 3.11.18 to 3.14.5; older releases do not have it.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, TypeVar, cast
from weakref import WeakSet

if TYPE_CHECKING:
    from types import FrameType, ModuleType
    from typing import Any

    from aiohttp import ClientSession
    from aiohttp.test_utils import BaseTestServer, TestClient
    from yarl import URL

_T = TypeVar("_T")

_servers: WeakSet[BaseTestServer] = WeakSet()
_clients: WeakSet[TestClient[Any, Any]] = WeakSet()
_not_of_clients: WeakSet[ClientSession] = WeakSet()


def is_own_server(url: URL) -> bool:
    """Tell whether a URL belongs to a server that a test of this process runs."""
    test_utils = _test_utils()
    if test_utils is None or not _is_loopback(url):
        return False
    return _found(_servers, test_utils.BaseTestServer, lambda server: _is_at(server, url))


def is_of_test_client(session: ClientSession, url: URL) -> bool:
    """Tell whether a session belongs to a `TestClient`, and the URL to the server of that client."""
    test_utils = _test_utils()
    if test_utils is None or not _is_loopback(url):
        return False
    if session in _not_of_clients:
        return False
    asking = _asking(test_utils.TestClient)
    if asking is not None and _session_of(asking) is session:
        _clients.add(asking)
    if not _found(_clients, test_utils.TestClient, lambda client: _session_of(client) is session):
        # Sessions of aiohttp 4 do not support weak references.
        with suppress(TypeError):
            _not_of_clients.add(session)
        return False
    for client in list(_clients):
        if _session_of(client) is session and _is_at(client.server, url):
            # So that `is_own_server`, which finds out for each request whether a redirect leads away, need not search.
            _servers.add(client.server)
            return True
    return False


def _test_utils() -> ModuleType | None:
    # If it has not been imported, no test can have such a server.
    return sys.modules.get("aiohttp.test_utils")


def _is_loopback(url: URL) -> bool:
    host = url.host
    if host is None:
        return False
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    # The URL of a server that listens at all addresses of the machine has the host 0.0.0.0.
    return address.is_loopback or address.is_unspecified


def _is_at(server: BaseTestServer, url: URL) -> bool:
    # A server in memory listens on no port.
    is_at_port = server.runner is not None and bool(server.runner.addresses)
    return is_at_port and not server.closed and server.port == url.port


def _asking(kind: type[_T]) -> _T | None:
    """Return the object of a class of `aiohttp.test_utils` whose method is making a request, if there is one."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        # Only in these frames: once its `f_locals` have been read, a frame keeps those values until it ends.
        if frame.f_globals.get("__name__") == "aiohttp.test_utils":
            asking = frame.f_locals.get("self")
            if kind in type(asking).__mro__:
                return cast("_T", asking)
        frame = frame.f_back
    return None


def _session_of(client: TestClient[Any, Any]) -> ClientSession | None:
    # A client whose `__init__` raised, because it was given no server, has no session.
    return getattr(client, "session", None)


def _found(known: WeakSet[_T], kind: type[_T], suits: Callable[[_T], bool]) -> bool:
    """Tell whether any of the `known` objects suits, or any other object of this kind, which is then added to them."""
    if any(suits(one) for one in list(known)):
        return True
    for one in _all_of(kind):
        if suits(one):
            known.add(one)
            return True
    return False


def _all_of(kind: type[_T]) -> Iterator[_T]:
    """Yield all objects of a class and of its subclasses, the young ones first."""
    classes: list[type[_T]] = [kind]
    for one in classes:
        classes += type.__subclasses__(one)
    # Compared by identity: an arbitrary object may run code of its own for `==` or `isinstance`.
    identities = set(map(id, classes))
    # Only CPython has generations.
    for generation in range(3) if sys.implementation.name == "cpython" else (None,):
        objects = gc.get_objects() if generation is None else gc.get_objects(generation)
        yield from [one for one in objects if id(type(one)) in identities]
