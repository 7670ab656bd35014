"""Registering mocks by the names of their methods, with the mock itself or with a group of one host's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, cast

from aiohttp import hdrs
from multidict import CIMultiDict

from ._calls.record import RequestMatch
from ._checks import check_count, check_flag
from ._display import shown, shown_wrong_url
from ._matching.conditions import Conditions, Match
from ._matching.routes import Route
from ._matching.targets import Target, Url, check_method, check_url
from ._replies.bodies import Body
from ._replies.callbacks import Callback
from ._replies.encoding import JsonDumps
from ._replies.reply import Raises, Reply
from ._replies.results import CallbackResult, Events, Fault, Headers, Payload, checked_headers
from .matchers import subset

if TYPE_CHECKING:
    from collections.abc import Iterable
    from http.cookies import Morsel

    from aiohttp import ClientResponse
    from typing_extensions import Unpack


_T = TypeVar("_T")


class ReplyArguments(TypedDict, total=False):
    """The keyword arguments of `aioresponses.add` that make a reply, and what a dict in `replies=` may hold."""

    status: int | None
    body: Body | None
    exception: Raises | None
    content_type: str | None
    payload: Payload | None
    headers: Headers | None
    response_class: Callable[..., ClientResponse] | None
    timeout: bool
    reason: str | None
    callback: Callback | None
    cookies: Mapping[str, str | Morsel[str]] | None
    delay: float
    events: Events | None
    fault: Fault | None


class Arguments(ReplyArguments, total=False):
    """The keyword arguments of `aioresponses.add` and its shortcuts."""

    repeat: bool | int
    optional: bool
    replies: Sequence[ReplyArguments | Raises | CallbackResult] | None
    match_query: Any
    match_headers: Any
    match_json: Any
    match_form: Any
    match_body: Any
    match: Match | Iterable[Match] | None


class Default:
    """Stands for an argument that was not given, and shows the value that it has then."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __repr__(self) -> str:
        return repr(self._value)


def default(value: _T) -> _T:
    """Return what tells an argument that was not given from one that was given this value."""
    return cast(_T, Default(value))


class Registering:
    """What the mock and its groups share: a shortcut of `add` for each method that is in use."""

    if TYPE_CHECKING:

        def add(self, url: Any, method: str = hdrs.METH_GET, **kwargs: Unpack[Arguments]) -> RequestMatch: ...

    def get(self, url: Url, **kwargs: Unpack[Arguments]) -> RequestMatch:
        """Register a mock for GET: `add(url, method="GET", …)`."""
        return self.add(url, method=hdrs.METH_GET, **kwargs)

    def post(self, url: Url, **kwargs: Unpack[Arguments]) -> RequestMatch:
        """Register a mock for POST: `add(url, method="POST", …)`."""
        return self.add(url, method=hdrs.METH_POST, **kwargs)

    def put(self, url: Url, **kwargs: Unpack[Arguments]) -> RequestMatch:
        """Register a mock for PUT: `add(url, method="PUT", …)`."""
        return self.add(url, method=hdrs.METH_PUT, **kwargs)

    def patch(self, url: Url, **kwargs: Unpack[Arguments]) -> RequestMatch:
        """Register a mock for PATCH: `add(url, method="PATCH", …)`."""
        return self.add(url, method=hdrs.METH_PATCH, **kwargs)

    def delete(self, url: Url, **kwargs: Unpack[Arguments]) -> RequestMatch:
        """Register a mock for DELETE: `add(url, method="DELETE", …)`."""
        return self.add(url, method=hdrs.METH_DELETE, **kwargs)

    def head(self, url: Url, **kwargs: Unpack[Arguments]) -> RequestMatch:
        """Register a mock for HEAD: `add(url, method="HEAD", …)`."""
        return self.add(url, method=hdrs.METH_HEAD, **kwargs)

    def options(self, url: Url, **kwargs: Unpack[Arguments]) -> RequestMatch:
        """Register a mock for OPTIONS: `add(url, method="OPTIONS", …)`."""
        return self.add(url, method=hdrs.METH_OPTIONS, **kwargs)


class Group(Registering):
    """The mocks of one host, or below one path of it: what `aioresponses.host` returns.

    It can be given to functions that register what they know of that host:

    >>> def register_users(api):
    ...     api.get("/users/{id}", payload={"name": "Ada"}, repeat=True)
    >>> register_users(mock.host("https://api.example.com/v2", headers={"Server": "api"}))
    """

    def __init__(
        self,
        add: Callable[..., RequestMatch],
        url: str,
        headers: Headers | None = None,
        match_headers: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(url, str):
            raise TypeError(f"url: expected a str, got {shown_wrong_url(url)}")
        if "://" not in url or Target.of(None, url).has_query or "#" in url:
            raise ValueError(f"url: expected one with a scheme and a host, without a query, got {shown_wrong_url(url)}")
        self._add = add
        self._url = url.rstrip("/")
        self._headers = checked_headers(headers)
        Conditions(headers=match_headers)
        self._match_headers: CIMultiDict[Any] = CIMultiDict(match_headers or ())

    def __repr__(self) -> str:
        return f"<Group {Target.of(None, self._url)}>"

    def add(self, url: Any, method: str = hdrs.METH_GET, **kwargs: Unpack[Arguments]) -> RequestMatch:
        """Register a mock: `aioresponses.add`, with a path, which may have a query, in place of the URL.

        The headers of the group are those of the reply unless it has headers of these names itself, and so are the
        ones that are asked of requests. Raises what `aioresponses.add` raises.
        """
        if not isinstance(url, str):
            raise TypeError(f"url: expected a path of str, got {shown_wrong_url(url)}")
        if url and url[0] not in "/?":
            raise ValueError(f"url: expected a path that begins with /, got {shown_wrong_url(url)}")
        if self._match_headers:
            kwargs["match_headers"] = _merged(self._match_headers, kwargs.get("match_headers"))
        replies = kwargs.get("replies")
        if self._headers and replies is None:
            kwargs["headers"] = _merged(self._headers, kwargs.get("headers"))
        elif self._headers and isinstance(replies, (list, tuple)):
            kwargs["replies"] = [
                self._with_headers(reply) if isinstance(reply, Mapping) else reply for reply in replies
            ]
        return self._add(self._url + url, method, **kwargs)

    def _with_headers(self, reply: Mapping[str, Any]) -> ReplyArguments:
        return {**reply, "headers": _merged(self._headers, reply.get("headers"))}  # type: ignore[typeddict-item]


def _merged(defaults: CIMultiDict[Any], own: Any) -> Any:
    """Return headers with defaults for those that are not among them; an object that decides for itself as it is."""
    merged = defaults.copy()
    try:
        merged.update(own.expected if isinstance(own, subset) else own or ())
    except (TypeError, ValueError):
        return own  # Should it be wrong, then it is told of where it is used.
    return merged


def route_of(handle: RequestMatch, json_dumps: JsonDumps) -> Route:
    """Return what answers requests as its handle was given; raise what `aioresponses.add` raises."""
    given = handle._given
    for name in given:
        if name not in Arguments.__annotations__:
            raise TypeError(f"add() got an unexpected keyword argument {shown(name)}")
    # None stands for any URL and any method in a target, but not here.
    check_method(handle._method)
    target = Target.of(handle._method, url_or_pattern := check_url(handle._url))
    if given.get("match_query") is not None:
        if target.has_query:
            raise ValueError("the query in url and match_query contradict each other: one of them says what it is")
        target = target._replace(any_query=True)
    conditions = Conditions(
        **{name.removeprefix("match_"): value for name, value in given.items() if name.startswith("match")}
    )
    check_flag("optional", given.get("optional", False))
    times = _times(given.get("repeat", False))
    return Route(handle, url_or_pattern, target, conditions, _replies(given, json_dumps, times != 1), times)


def _replies(given: Mapping[str, Any], json_dumps: JsonDumps, is_repeated: bool) -> Sequence[Reply]:
    reply = {name: value for name, value in given.items() if name in ReplyArguments.__annotations__}
    replies = given.get("replies")
    if replies is None:
        return (Reply(**reply, json_dumps=json_dumps, is_repeated=is_repeated),)
    # Some suites wrap `RequestMatch.__init__` and set it for all mocks.
    response_class = reply.pop("response_class", None)
    for name, value in reply.items():
        if value is not None:
            raise ValueError(f"{name} and replies contradict each other: each of the replies says it for itself")
    if not isinstance(replies, (list, tuple)) or not replies:
        raise TypeError(f"replies: expected a list of dicts, exceptions or CallbackResults, got {shown(replies)}")
    return [
        Reply.of(
            {"response_class": response_class, **one} if isinstance(one, Mapping) else one,
            place,
            json_dumps,
            is_repeated,
        )
        for place, one in enumerate(replies)
    ]


def _times(repeat: object) -> int | None:
    """Return how often a mock answers, None for no limit."""
    if isinstance(repeat, bool):
        return None if repeat else 1
    return check_count("repeat", repeat, "a bool, or an int of at least 1")
