"""Registering mocks through `add` and a shortcut for each method, on the mock object itself or on a group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from aiohttp import hdrs

from ._calls.record import RequestMatch
from ._checks import check_count, check_flag, hides_unknown
from ._display import shown
from ._matching.conditions import CONDITIONS, Conditions
from ._matching.routes import Route
from ._matching.targets import Below, Target, check_url
from ._replies.bodies import Body
from ._replies.reply import Reply
from ._replies.results import CallbackResult, Fault, check_tls

if TYPE_CHECKING:
    from http.cookies import Morsel

    from aiohttp import ClientResponse
    from typing_extensions import Unpack

    from ._matching.conditions import ConditionArguments
    from ._matching.targets import Url
    from ._replies.callbacks import Callback
    from ._replies.encoding import JsonDumps
    from ._replies.handlers import Handler
    from ._replies.reply import Raises
    from ._replies.results import Events, Headers, Payload

    _Add = TypeVar("_Add", bound=Callable[..., RequestMatch])

# The keyword arguments of `aioresponses.add` that make a reply, and all of its keyword arguments.
# Dicts, because each name of each mock is looked up here; messages list the names in this order.
REPLY_ARGUMENTS = dict.fromkeys((
    "status", "body", "exception", "content_type", "payload", "headers", "response_class", "timeout", "reason",
    "callback", "cookies", "delay", "events", "fault", "handler",
))
ARGUMENTS = dict.fromkeys(
    (*REPLY_ARGUMENTS, *CONDITIONS, "override", "passthrough", "repeat", "optional", "replies")
)

if TYPE_CHECKING:  # At run time, each of their names would take time.
    from typing import TypedDict

    class ReplyArguments(TypedDict, total=False):
        """The keyword arguments of `aioresponses.add` that make a reply; a dict in `replies=` may have the same."""

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
        handler: Handler | None

    class Arguments(ReplyArguments, ConditionArguments, total=False):
        """The keyword arguments of `aioresponses.add` and its shortcuts."""

        override: bool
        passthrough: bool
        repeat: bool | int
        optional: bool
        replies: Sequence[ReplyArguments | Raises | CallbackResult] | None


# The types of what belongs to a reply and is sometimes written right after the URL, where `add` takes a method.
_OF_REPLIES = (Mapping, BaseException, type, CallbackResult, Fault, FunctionType)


def _shortcut(method: str | None, add: _Add) -> _Add:
    """Return a variant of `add` for one method, or for every method if that is None, with the same documentation."""

    @hides_unknown
    def shortcut(self: Registering, url: Url, *unknown: object, **kwargs: Unpack[Arguments]) -> RequestMatch:
        for value in unknown:
            from ._suggestions import by_position  # Not before it is needed.

            raise by_position(shortcut.__name__, value)
        for name in kwargs:
            if name not in ARGUMENTS:
                from ._suggestions import unexpected  # Not before it is needed.

                raise unexpected(shortcut.__name__, name, ARGUMENTS)
        return self.add(url, method=method, **kwargs)  # type: ignore[call-arg]

    shortcut.__doc__ = add.__doc__
    shortcut.__name__ = "any" if method is None else method.lower()
    shortcut.__qualname__ = add.__qualname__.replace(add.__name__, shortcut.__name__)
    return cast("_Add", shortcut)


class Registering:
    """What the mock object and its groups share: `add`, and a shortcut for each common method."""

    def add(self, url: Url, **kwargs: Unpack[Arguments]) -> RequestMatch:
        """Register a mock: which requests it answers, and with what.

        `get`, `post`, `put`, `patch`, `delete`, `head` and `options` register a mock for the method of that name, `any`
        one for every method. Pass everything but the URL by keyword.

        If several mocks match a request, the one that was registered first answers.

        - `url`: text, a `yarl.URL`, a compiled pattern, of which `match` is called with the whole URL, or
          `unittest.mock.ANY` for every URL. The order of query parameters does not matter, and fragments are ignored.
          Text may be a template: `{name}` in its path stands for a segment, `{name:regex}` for what the regex matches,
          a leading `*.` of its host for one or more labels. The values are the call's `match_info`. In a group, text
          and patterns are for what follows the URL of the group.
        - `method`: any method, in any case, GET by default; None stands for every method. Only `add` takes it.
        - `override`: whether this mock is asked before all that are registered so far, the latest override first. Once
          it is used up, they answer again.

        Conditions, which the request must all meet. Values are compared with `==`, so `unittest.mock.ANY` and the
        objects of `aioresponses.matchers` can be used anywhere in them. None, the default, sets no condition.

        - `match_query`: the query, as a mapping, pairs or text; `url` must not have a query then.
        - `match_headers`: headers that must be among those sent; names are case-insensitive.
        - `match_json`: the body, decoded from JSON.
        - `match_form`: the fields of a URL-encoded or multipart form; a `FilePart` stands for a file.
        - `match_body`: the body, as bytes or text, or a compiled pattern that is searched for in it.
        - `match`: a function that takes the `RequestCall` and returns True, False or `(False, "why not")`, or several.

        The reply:

        - `status`: an int from 200 to 999, or 101.
        - `body`: what the application will read: text (sent as UTF-8) or bytes; or what is streamed: a file object, an
          iterable or async iterable of text or bytes, an `aiohttp.MultipartWriter` or `FormData` with its own
          `Content-Type`; or a function that returns one of these, which is called for every reply, with the
          `RequestCall` if it takes a parameter.
        - `payload`: a value that is sent as JSON, or a function that takes the `RequestCall` and returns it; takes
          precedence over `body`. It is serialised when it is sent.
        - `events`: a `text/event-stream`, as an iterable or async iterable of text, dicts or `ServerSentEvent`.
        - `headers`: a mapping, a multidict or pairs of text or ints; a name may appear more than once.
        - `cookies`: a mapping of names and values, sent as `Set-Cookie`.
        - `content_type`: the `Content-Type` header, unless `headers` has one; None sends none.
        - `reason`: the reason phrase; by default the standard one for `status`.
        - `delay`: seconds before the status line, measured by the event loop's timers; the `latency` is added to it.
        - `fault`: a `Fault` of the server.
        - `handler`: a handler of `aiohttp.web`, that is a coroutine function of the request or a `web.View`, instead of
          the other arguments of a reply. `request.match_info` is that of the call. What it raises reaches the caller,
          except for a `web.HTTPException`, which is a response.
        - `response_class`: the class of the response, instead of the session's; with `replies`, the default for those
          that are dicts.
        - `exception`: an exception that the call raises, unchanged, or a class that can be called without arguments.
          Apart from `delay`, the other arguments of the reply are then ignored.
        - `timeout`: whether the call raises `asyncio.TimeoutError`.
        - `callback`: a function or a coroutine function. It is called with the URL and the keyword arguments of the
          call, or with the `RequestCall` if its first parameter is named `call`, is annotated `RequestCall`, or is its
          only one and not named `url` or `uri`. It returns a `CallbackResult` or a `web.Response`, or None to use the
          reply that is registered here. It runs before an `exception` is raised, and what it raises reaches the caller.
          An assertion that fails in it also fails a test with `assert_all_mocked`.
        - `replies`: a list of dicts of these arguments, exceptions and `CallbackResult` objects, which are used one
          after another, instead of one reply.
        - `passthrough`: whether the requests go to the network, which replies instead. It cannot be combined with other
          arguments of a reply.
        - `repeat`: how many times the mock answers, or goes through its `replies`; True for no limit, False (the
          default) for once.
        - `optional`: whether the mock may have replies left, or remain unused, despite `assert_all_called`.

        Returns the `RequestMatch`. Raises `TypeError` or `ValueError`, with the name of the argument, for arguments
        that cannot be used or combined; nothing is registered then.

        >>> mock.add("http://example.com/users", "POST", match_json={"name": "Ada"}, status=201, payload={"id": 7})
        <RequestMatch POST http://example.com/users, match_json={'name': 'Ada'}, used 0 of 1>
        """
        raise NotImplementedError

    get = _shortcut(hdrs.METH_GET, add)
    post = _shortcut(hdrs.METH_POST, add)
    put = _shortcut(hdrs.METH_PUT, add)
    patch = _shortcut(hdrs.METH_PATCH, add)
    delete = _shortcut(hdrs.METH_DELETE, add)
    head = _shortcut(hdrs.METH_HEAD, add)
    options = _shortcut(hdrs.METH_OPTIONS, add)
    any = _shortcut(None, add)


def route_of(handle: RequestMatch, json_dumps: JsonDumps) -> Route:
    """Return what answers requests for a handle, as its arguments say; raise what `aioresponses.add` raises."""
    given = handle._given
    for name in given:
        if name not in ARGUMENTS:
            from ._suggestions import unexpected  # Not before it is needed.

            raise unexpected("add", name, ARGUMENTS)
    checked = check_url(handle._url)
    try:
        target = Target.of(handle._method, checked)
    except TypeError:
        if not isinstance(handle._method, _OF_REPLIES):
            raise
        from ._suggestions import not_a_method  # Not before it is needed.

        raise not_a_method(handle._method, ARGUMENTS) from None
    if given.get("match_query") is not None:
        target = target.with_any_query()
    conditions = Conditions(given)
    if hasattr(type(handle), "on"):  # It is a mock of a WebSocket, whose class is imported when it is needed.
        conditions.ask_for_upgrade()
    for name in ("optional", "override", "passthrough"):
        check_flag(name, given.get(name, False))
    times = _times(given.get("repeat", False))
    replies = _replies(given, json_dumps, is_repeated=times != 1)
    if target.base is not None:
        for reply in replies:
            if reply.fault is not None:
                check_tls(reply.fault, target.base, reply.name)
    # For a mock of a group, the pattern that was given.
    url_or_pattern = checked.rest if isinstance(checked, Below) else checked
    return Route(handle, url_or_pattern, target, conditions, replies, times, given.get("override", False))


def _replies(given: Mapping[str, Any], json_dumps: JsonDumps, is_repeated: bool) -> Sequence[Reply]:
    reply = {name: value for name, value in given.items() if name in REPLY_ARGUMENTS}
    replies = given.get("replies")
    if given.get("passthrough"):
        for name, value in {**reply, "replies": replies}.items():
            if value is not None:
                raise ValueError(f"{name} cannot be combined with passthrough; the reply comes from the network")
        return (Reply(passes_through=True),)
    if replies is None:
        return (Reply(**reply, json_dumps=json_dumps, is_repeated=is_repeated),)
    # Some suites wrap `RequestMatch.__init__` and set this for all mocks.
    response_class = reply.pop("response_class", None)
    for name, value in reply.items():
        if value is not None:
            raise ValueError(f"{name} cannot be combined with replies; set it in each reply")
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
    """Return how many times a mock answers; None for no limit."""
    if isinstance(repeat, bool):
        return None if repeat else 1
    return check_count("repeat", repeat, "a bool, or an int of at least 1")
