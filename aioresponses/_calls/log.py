"""The calls of a mock: the log, and `aioresponses.requests`, which has them by method and URL."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar, Union, overload
from weakref import ref

from aiohttp import ClientResponse
from yarl import URL

from .. import _urls
from .._display import add_note, cut, shortened, shown, shown_url
from .._urls import comparable
from .exchange import Exchange
from .record import RequestCall

if TYPE_CHECKING:
    from .record import Calls

    # The type of a key that is looked up.
    _Spelled = tuple[str, Union[str, URL]]

    _T = TypeVar("_T")

_Key = tuple[str, URL]

if TYPE_CHECKING:
    # The same, except that `in` accepts text: mypy compares that with what iterating yields.
    _Kept = tuple[str, Union[URL, Any]]
else:
    _Kept = _Key


class Requests(dict[_Kept, list[RequestCall]]):
    """The calls by method, as the caller wrote it, and URL: normalised, with `params` merged in.

    A key is found in any spelling: the URL as text or as a `yarl.URL`, its query in any order, the method in any case.
    If several keys fit, the key with exactly this method is found, or else the key with the method in upper case.

    >>> [call] = mock.requests["GET", "http://example.com/users?page=1"]
    """

    def _found(self, key: Any) -> Any:
        """Return the key of which this is another spelling; the given key itself if no other key fits."""
        if super().__contains__(key) or not isinstance(key, tuple) or len(key) != 2:
            return key
        method, url = key
        if not isinstance(method, str) or not isinstance(url, (str, URL)):
            return key
        try:
            url = _urls.normalize_url(url)
        except ValueError:
            return key  # It is not a URL.
        for own in ((method, url), (method.upper(), url)):
            if super().__contains__(own):
                return own
        spelled = method.upper(), comparable(url)
        return next((own for own in self if _in_one_form(own) == spelled), key)

    def __missing__(self, key: Any) -> list[RequestCall]:
        found = self._found(key)
        if found is key:
            error = KeyError(key)
            there_were = ["only these calls:", *cut(list(self.items()), show=_shown)] if self else ["no calls"]
            add_note(error, "\n".join([f"aioresponses: there were {there_were[0]}", *there_were[1:]]))
            raise error
        return self[found]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(self._found(key))

    # A URL given as text is stored as a `URL`; apart from that, keys are stored as the caller wrote them.

    def __setitem__(self, key: _Spelled, value: list[RequestCall]) -> None:
        super().__setitem__(self._own(key), value)

    def setdefault(self, key: _Spelled, default: Any = None) -> Any:
        """Return the calls of a key; if it is missing, store `default` for it."""
        return super().setdefault(self._own(key), default)

    def _own(self, key: Any) -> Any:
        """Return the key under which a value is stored."""
        if not isinstance(key, tuple) or len(key) != 2 or not isinstance(key[1], str):
            return key
        found = self._found(key)
        if found is not key or super().__contains__(key):
            return found
        try:
            return key[0], _urls.normalize_url(key[1])
        except ValueError:
            return key  # It is not a URL.

    def __delitem__(self, key: _Spelled) -> None:
        super().__delitem__(self._found(key))

    if TYPE_CHECKING:

        def __getitem__(self, key: _Spelled, /) -> list[RequestCall]: ...

        @overload
        def get(self, key: _Spelled, default: None = None, /) -> list[RequestCall] | None: ...

        @overload
        def get(self, key: _Spelled, default: list[RequestCall] | _T, /) -> list[RequestCall] | _T: ...

        def get(self, key: _Spelled, default: Any = None, /) -> Any: ...

        @overload
        def pop(self, key: _Spelled, /) -> list[RequestCall]: ...

        @overload
        def pop(self, key: _Spelled, default: list[RequestCall] | _T, /) -> list[RequestCall] | _T: ...

        def pop(self, key: _Spelled, default: Any = None, /) -> Any: ...

    else:

        def get(self, key, default=None, /):
            return super().get(self._found(key), default)

        def pop(self, key, /, *default):
            return super().pop(self._found(key), *default)

    def copy(self) -> Requests:
        """Return another dict with the same keys and lists."""
        return Requests(self)


def _shown(item: tuple[Any, Any]) -> str:
    """Return a key, and how many calls it has if that is not one."""
    key, calls = item
    try:
        method, url = key
        count = "" if len(calls) == 1 else f" ({len(calls)} times)"
        return f"  {method} {shortened(shown_url(URL(url), with_mark=True))}{count}"
    except (TypeError, ValueError):
        return f"  {shown(key)}"  # Other code has stored it.


def _in_one_form(key: Any) -> Any:
    """Return a key in a form that is the same for all its spellings."""
    try:
        method, url = key
        return method.upper(), comparable(_urls.normalize_url(url))
    except (AttributeError, TypeError, ValueError):
        return key  # Other code has stored it.


class Log:
    """Files calls when they are first read, which is usually after the test.

    From then on, it files each call as it begins, because code that has read `requests` may still hold the dict.

    With `keep`, it keeps only so many of the calls that have ended, the last ones, and those that no mock answered.
    Dropped calls are counted until `requests` is emptied or replaced.

    `note` is called with each call when it begins, unless the `note` of another log has been.
    """

    def __init__(self, keep: int | None = None, note: Callable[[RequestCall], object] | None = None) -> None:
        self.keep = keep
        self._note = note
        self._own = Requests()
        self._requests: dict[_Key, list[RequestCall]] = self._own
        # What `unittest.mock.patch.object` brings back, which deletes what it has assigned.
        self._replaced: dict[_Key, list[RequestCall]] = self._own
        self._noted: deque[Exchange] = deque()
        self._itself: ref[Calls] = ref(self)
        self._seen: dict[Exchange, RequestCall] = {}
        self._is_looked_at = keep is not None or note is not None
        # With `keep`: the filed calls in flight, the filed calls that have ended, and how many have been dropped.
        if keep is not None:
            self._open: set[Exchange] = set()
            self._ended: deque[Exchange] = deque()
        self._dropped = 0
        # Several threads may file calls. Reentrant, because a dropped call may run code that reads calls.
        self._filing = RLock()

    def record(self, exchange: Exchange) -> None:
        """Record a call that begins."""
        self._noted.append(exchange)
        if self._is_looked_at:
            if self._note is not None and not exchange.is_watched:
                exchange.is_watched = True
                self._note(self.call_of(exchange))
            self._file()

    def call_of(self, exchange: Exchange) -> RequestCall:
        """Return what users see of an exchange, always the same object."""
        call = self._seen.get(exchange)
        if call is None:
            # If two threads ask at once, both get the object of the first.
            call = self._seen.setdefault(exchange, RequestCall.of(exchange))
            call._log = self._itself
        return call

    def _file(self) -> None:
        with self._filing:
            self._see_if_emptied()
            while self._noted:
                exchange = self._noted.popleft()
                call = self.call_of(exchange)
                self._requests.setdefault(call.key, []).append(call)
                if self.keep is not None:
                    self._open.add(exchange)

    def end(self, exchange: Exchange) -> None:
        """Record that a call has ended; if there is a limit, drop the calls beyond it."""
        with self._filing:
            self._see_if_emptied()
            # It may have been forgotten since it began.
            if self.keep is None or exchange not in self._open:
                return
            self._open.discard(exchange)
            if exchange.unmatched:
                return
            self._ended.append(exchange)
            while len(self._ended) > self.keep:
                self._drop(self._ended.popleft())

    def _drop(self, exchange: Exchange) -> None:
        call = self.call_of(exchange)
        calls = self._requests.get(call.key, [])
        # Not by `remove`, because calls with equal arguments are equal.
        for place, one in enumerate(calls):
            if one is call:
                del calls[place]
                self._dropped += 1
                break
        if not calls:
            self._requests.pop(call.key, None)
        for one in (exchange, *(exchange.hops or ())):
            self._seen.pop(one, None)
            handle = None if one.answered_by is None else one.answered_by()
            if handle is not None:
                handle._at_work.drop(one)

    def forget(self) -> None:
        """Forget all calls; the dict at `requests` is emptied."""
        with self._filing:
            self._noted.clear()
            self._requests.clear()
            self._seen.clear()
            self._forget_dropped()

    def _see_if_emptied(self) -> None:
        if self.keep is not None and (self._open or self._ended) and not any(self._requests.values()):
            self._forget_dropped()

    def _forget_dropped(self) -> None:
        if self.keep is not None:
            self._open.clear()
            self._ended.clear()
            self._dropped = 0

    @property
    def is_empty(self) -> bool:
        """Whether there are no calls."""
        return not (self._noted or self._seen or self._requests)

    def responses(self) -> Iterator[ClientResponse]:
        """Yield the responses with which mocks answered the calls that are kept."""
        for exchange in (*self._noted, *self._seen):
            for one in exchange.hops or (exchange,):
                # A request that goes to the network has `outgoing`, because it is not written to the far end.
                if one.response is not None and one.answered_by is not None and one.outgoing is None:
                    yield one.response

    @property
    def dropped(self) -> int:
        """How many calls were dropped."""
        self._file()
        return self._dropped

    @property
    def requests(self) -> Requests:
        """The calls, in the dict that was assigned last, or in the log's own."""
        self._is_looked_at = True
        self._file()
        # An assigned dict may be a plain one, in which text finds nothing.
        return self._requests  # type: ignore[return-value]

    @requests.setter
    def requests(self, value: dict[_Key, list[RequestCall]]) -> None:
        self._is_looked_at = True
        self._file()
        self._replaced, self._requests = self._requests, value
        self._forget_dropped()

    @requests.deleter
    def requests(self) -> None:
        self.requests = self._replaced
        self._replaced = self._own
