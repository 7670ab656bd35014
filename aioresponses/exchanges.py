"""What is noted of a request while it is on its way.

Most of it nobody ever looks at. So an `Exchange` is plain, and noting something is an assignment; a `RequestCall`,
which is what users see of it, is made when somebody asks for it.
"""

from __future__ import annotations

import copy
import io
import itertools
import pickle
from collections.abc import Mapping
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from aiohttp import ClientResponse, ClientTimeout, StreamReader, hdrs
from multidict import CIMultiDict
from yarl import URL

from .written import Written

if TYPE_CHECKING:
    from .calls import RequestCall
    from .mocks import RequestMatch
    from .progress import Progress

__all__ = ["Exchange", "thawed"]

_count = itertools.count()

# What copies of it keep: what took part in it is no part of a record.
_RECORDED = (
    "method", "url", "normalized_url", "kwargs", "order", "started", "ended", "unmatched", "_sent", "elsewhere",
)

# So much of a request is kept as it comes.
_SMALL = 2 ** 16

_NO_INFO: Mapping[str, str] = MappingProxyType({})


class Exchange:
    """One call of a session's method, or one of several requests that it came to, and what came of it.

    `kwargs` are those of the call; they are copied, so that what happens to them later does not show, and must be
    `thawed` to be looked at.
    """

    unmatched = False
    """Whether it was refused because no mock answers it."""

    match: RequestMatch | None = None
    """The mock that answered."""

    match_info = _NO_INFO
    """What the places of the mock's template, or the named groups of its pattern, stand for."""

    previous: ClientResponse | None = None
    """The response to the request before it, of the same call."""

    response: ClientResponse | None = None
    exception: BaseException | None = None

    ended: float | None = None

    elsewhere: tuple[CIMultiDict[str], Written, bool] | None = None
    """Of a request that is not written to us, or not yet: its headers, its body, and whether that is encoded."""

    progress: Progress | None = None
    """Of a call that is on its way: how far it has come."""

    call: RequestCall | None = None
    """What users see of it, if anybody has looked."""

    def __init__(self, method: str, url: URL, normalized_url: URL, kwargs: dict[str, Any]) -> None:
        self.method = method
        self.url = url
        self.normalized_url = normalized_url
        # Mostly there is but the one that every call has, `allow_redirects`.
        self.kwargs = _copied_arguments(kwargs) if len(kwargs) > 1 else kwargs
        self.hops: list[Exchange] | None = None
        self._sent: bytes | Written = b""
        self.order = next(_count)
        self.started = perf_counter()

    def next_hop(self, method: str, url: URL, response: ClientResponse | None) -> Exchange:
        """Note that one more request of this call is about to be sent; return what stands for it alone.

        `response` is the one to the request before it, if there was any.
        """
        if self.hops is None:
            self.kwargs = thawed(self.kwargs)
            first = copy.copy(self)
            first.call = first.progress = None
            self.hops = [first]
        hop = Exchange(method, url, url, {})
        self.hops[-1].response, self.hops[-1].ended = response, hop.started
        hop.kwargs, hop.order, hop.previous = self.kwargs, self.order, response
        self.hops.append(hop)
        return hop

    def start_again(self) -> None:
        """Forget what was sent, for the request is about to be sent once more."""
        self._sent = b""

    def receive(self, data: bytes) -> None:
        """Note what is sent of the request."""
        # Mostly it comes as one piece, and then there is no need for more objects than it.
        if not self._sent and len(data) < _SMALL:
            self._sent, self.elsewhere = data, None
            return
        if isinstance(self._sent, bytes):
            self._sent, self.elsewhere = Written(self._sent), None
        self._sent.append(data)

    @property
    def sent(self) -> Written:
        """What has been sent of the request."""
        return Written(self._sent) if isinstance(self._sent, bytes) else self._sent

    def sent_elsewhere(self, headers: CIMultiDict[str], body: Written, to_encode: bool) -> None:
        """Note a request that is not written to us, or not yet: its headers, and where its body is, or will be.

        `to_encode` is whether aiohttp is yet to encode that body as the headers say.
        """
        self.elsewhere = (headers, body, hdrs.CONTENT_ENCODING in headers and not to_encode)

    def end(self, response: ClientResponse | None, exception: BaseException | None) -> None:
        """Note how the call ended."""
        self.progress = None
        self.response = response
        self.exception = exception
        self.ended = perf_counter()
        if self.hops is not None:
            last = self.hops[-1]
            last.response, last.exception, last.ended = response, exception, self.ended

    def recorded(self) -> Exchange:
        """Return a copy that can be kept for ever, and pickled."""
        record = Exchange.__new__(Exchange)
        record.__dict__.update((name, self.__dict__[name]) for name in _RECORDED if name in self.__dict__)
        record.hops = None
        record.match_info = dict(self.match_info)
        return record


# Values that never change need no copy, and a stream must have none; the others in the keyword arguments of a call do.
_UNCHANGING = (int, str, bytes, float, type(None), URL, ClientTimeout, StreamReader)


class _Frozen(NamedTuple):
    """A copy of an argument, made of builtin types alone, that is unpacked when somebody looks at it.

    Any other copy of a large json= takes several times as long as all else of a request, and mostly nobody looks at it.
    """

    packed: bytes


# A NaN, as it is packed. It equals none but itself, and must not become another one; in what is so large that looking
# for it takes time, nobody compares it.
_MOST_SEARCHED = 2 ** 16
_NANS = (b"\x7f\xf8\0\0\0\0\0\0", b"\xff\xf8\0\0\0\0\0\0")


class _Packer(pickle.Pickler):
    """Packs builtin types alone."""

    def reducer_override(self, value: object) -> NoReturn:
        raise pickle.PicklingError(f"{type(value)} is another type")


def _copied_arguments(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of arguments, or the dict itself where nothing in it can change.

    Values that cannot be copied are kept as they are.
    """
    for value in kwargs.values():
        if not isinstance(value, _UNCHANGING):
            return {
                name: value if isinstance(value, _UNCHANGING) else _copied(value) for name, value in kwargs.items()
            }
    return kwargs


def thawed(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of the `kwargs` of an exchange, of the types that were given."""
    return {
        name: pickle.loads(value.packed) if isinstance(value, _Frozen) else value for name, value in kwargs.items()
    }


def _copied(value: Any) -> Any:
    if type(value) in (dict, list):
        file = io.BytesIO()
        packer = _Packer(file, pickle.HIGHEST_PROTOCOL)
        # It need not remember what it has packed: in JSON nothing stands within itself, and what stands there twice is
        # sent twice as well.
        packer.fast = True
        try:
            packer.dump(value)
        except (pickle.PicklingError, RecursionError, ValueError):
            pass  # Not all of it is of builtin types, or something does stand within itself.
        else:
            packed = file.getvalue()
            if len(packed) > _MOST_SEARCHED or not any(nan in packed for nan in _NANS):
                return _Frozen(packed)
    try:
        return _deeply_copied(value)
    except RecursionError:
        return value  # Not all of it can be copied, and it stands within itself, or is nested too deeply.


def _deeply_copied(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except RecursionError:
        raise
    except Exception:
        # A file, a generator, an SSL context: keep it, and copy at least what it stands in.
        if type(value) is dict:
            return {name: _deeply_copied(item) for name, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(map(_deeply_copied, value))
        return value
