"""The servers of `aiohttp.test_utils` that a test runs itself, and its clients for them.

A test starts these to be asked for real. What its `TestClient` asks of one is none of the calls of the code under test.
What that asks of a running one is, but it need not be mocked.

`aiohttp.test_utils` keeps no list of them, and they may be older than the mock. So they are looked for among all
objects that the garbage collector knows, and those that are found are remembered. That takes milliseconds, so it is
done only for a request to loopback: once for each session of a `TestClient`, and before another one would be refused.

`ClientSession._retry_connection` is False in a session of a `TestClient` and True in all others, so the hook need not
ask about these. It is private, the same from 3.11.18 to 3.14.5; older releases do not have it.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from aiohttp import ClientSession
    from aiohttp.test_utils import BaseTestServer, TestClient
    from yarl import URL

_T = TypeVar("_T")

_servers: WeakSet[BaseTestServer] = WeakSet()
_clients: WeakSet[TestClient[Any, Any]] = WeakSet()
_not_of_clients: WeakSet[ClientSession] = WeakSet()


def is_own_server(url: URL) -> bool:
    """Tell whether a URL is of a server that a test of this process runs."""
    test_utils = _test_utils()
    if test_utils is None or not _is_loopback(url):
        return False
    return _found(_servers, test_utils.BaseTestServer, lambda server: _is_at(server, url))


def is_of_test_client(session: ClientSession, url: URL) -> bool:
    """Tell whether a session is that of a `TestClient`, and asks the server of that."""
    test_utils = _test_utils()
    if test_utils is None or not _is_loopback(url):
        return False
    if session in _not_of_clients:
        return False
    if not _found(_clients, test_utils.TestClient, lambda client: _session_of(client) is session):
        # Sessions of aiohttp 4 take no weak references.
        with suppress(TypeError):
            _not_of_clients.add(session)
        return False
    return any(_session_of(client) is session and _is_at(client.server, url) for client in list(_clients))


def _test_utils() -> ModuleType | None:
    # Unless it has been imported, no test has a server of it.
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
    # A server that listens at all addresses of the machine says that it is at 0.0.0.0.
    return address.is_loopback or address.is_unspecified


def _is_at(server: BaseTestServer, url: URL) -> bool:
    # One in memory is at no port.
    is_at_port = server.runner is not None and bool(server.runner.addresses)
    return is_at_port and not server.closed and server.port == url.port


def _session_of(client: TestClient[Any, Any]) -> ClientSession | None:
    # One that could not be made, because its server is none, has none.
    return getattr(client, "session", None)


def _found(known: WeakSet[_T], kind: type[_T], suits: Callable[[_T], bool]) -> bool:
    """Tell whether an object suits, of those that are `known` or else of all, and have it be known from now on."""
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
    # Not by equality, nor by `isinstance`: among the objects are all kinds, and some would answer themselves.
    identities = set(map(id, classes))
    for generation in range(3) if sys.implementation.name == "cpython" else (None,):  # Others have no generations.
        objects = gc.get_objects() if generation is None else gc.get_objects(generation)
        yield from [one for one in objects if id(type(one)) in identities]
