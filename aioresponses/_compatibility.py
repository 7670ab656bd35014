"""What suites do with aioresponses 0.7 beyond its API.

They replace parts of it to make it work with newer releases of aiohttp. They create `RequestMatch` objects by hand, and
read the attributes of registered ones. They pass arguments that it ignores, and override the methods by which it
answers requests. All of that works here or does no harm, and if a suite may rely on an effect that does not exist, a
`CompatibilityWarning` says so. Only the warning is documented: for every other purpose there are documented names.

The replaced parts are in the module `core` or in `RequestMatch`. Two of them are still used, and are looked up where
suites put them: `core.ClientResponse` and `core.normalize_url`.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
from asyncio import get_running_loop
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn, cast

import aiohttp
from aiohttp import ClientResponse, ClientSession, StreamReader, hdrs
from aiohttp.client_proto import ResponseHandler
from multidict import CIMultiDict
from yarl import URL

from . import _urls
from ._calls.log import Log
from ._calls.record import RequestMatch as Handle
from ._checks import warn
from ._client.hooks import activate, deactivate
from ._display import shown_wrong_url
from ._interceptor import Interceptor
from ._matching.router import Router
from ._registering import REPLY_ARGUMENTS, route_of
from ._replies.encoding import json_dumps, phrase
from ._urls import comparable

if TYPE_CHECKING:
    from ._matching.routes import Route
    from ._matching.targets import Url
    from ._replies.reply import Raises


# Keywords of other packages that suites pass to this one.
_EVERY_MOCK = "With assert_all_called=True, every mock must be used."
_MEANT = {
    "assert_all_requests_are_fired": _EVERY_MOCK,
    "assert_all_responses_were_requested": _EVERY_MOCK,
    "assert_all_requests_were_expected": "With assert_all_mocked=True, every request must be answered.",
    "case_sensitive": "Paths and queries are always compared by their case, and hosts never.",
}


def ignore_keywords(unknown: Iterable[str], method: Callable[..., object]) -> None:
    """Warn about keywords that `method` of the mock does not have; raise `TypeError` for misspelled ones."""
    # Takes longer to import than some modules of this package, and is rarely needed.
    from difflib import get_close_matches

    from ._suggestions import SIMILARITY

    _, *parameters, _ = inspect.signature(method).parameters
    for name in unknown:
        for meant in get_close_matches(name, parameters, 1, SIMILARITY):
            raise TypeError(f"aioresponses() got an unexpected keyword argument {name!r}: did you mean {meant!r}?")
    for name in unknown:
        meant = _MEANT.get(name) or f"The keywords are {', '.join(parameters)}."
        warn(
            f"aioresponses() has no keyword {name!r}; it has no effect, as in aioresponses 0.7. Leave it out. {meant}"
        )


_SCHEMES = ("http://", "https://", "ws://", "wss://")


def effective_prefixes(passthrough: Iterable[Url] | Url) -> list[Url]:
    """Return passthrough prefixes without those that no URL begins with; warn about these."""
    if isinstance(passthrough, (str, bytes)) or not isinstance(passthrough, Iterable):
        passthrough = (passthrough,)
    effective: list[Url] = []
    for prefix in passthrough:
        # Anything else is refused later, where it is used. So is a part of a scheme, which lets everything through in
        # 0.7.
        text = str(prefix) if isinstance(prefix, (str, URL)) else ""
        if "://" in text or any(one.startswith(text) for one in _SCHEMES):
            effective.append(prefix)
            continue
        host = text.removeprefix("//")
        meant = f"http://{host}" if host[:1].isalnum() or host[:1] == "[" or host[:2] == "*." else "http://127.0.0.1"
        warn(
            f"passthrough: {shown_wrong_url(text)} has no scheme, and has no effect, as in aioresponses 0.7. To let "
            f"requests through, write it as {shown_wrong_url(meant)}."
        )
    return effective


# The methods by which aioresponses 0.7 answers requests.
_NEVER_CALLED = ("_request_mock", "match")


def warn_of_overriding(made: type, mock_class: type) -> None:
    """Warn if a new subclass of the mock's class overrides methods that are never called."""
    known = {one for base in made.__bases__ if issubclass(base, mock_class) for one in base.__mro__}
    names = [name for name in _NEVER_CALLED if any(name in vars(one) for one in made.__mro__ if one not in known)]
    if names:
        warn(
            f"class {made.__name__}: aioresponses never calls its {' and '.join(names)}, because aiohttp's own client "
            f"makes the request. To see the calls, look at `calls`; to answer with code, register a mock with "
            f"`callback`; to let other requests through, pass `passthrough_unmatched=True`. Cookies reach the session "
            f"by themselves."
        )


class _Argument:
    """An argument of a `RequestMatch` as an attribute.

    It may be set until the mock is put to work, for example by a wrapper of `RequestMatch.__init__`.
    """

    def __init__(
        self, default: object, shown: Callable[[RequestMatch, Any], object] = lambda match, value: value
    ) -> None:
        self._default = default
        self._shown = shown

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, match: RequestMatch | None, owner: type) -> Any:
        return self if match is None else self._shown(match, match._given.get(self._name, self._default))

    def __set__(self, match: RequestMatch, value: object) -> None:
        if "_at_work" in vars(match):
            raise AttributeError(
                f"{self._name} of {match!r} cannot be changed once the mock is registered: register another one, or "
                f"one with `replies` or a `callback`"
            )
        match._given[self._name] = value


# The arguments that say how a mock answers, and not which requests.
_OF_REPLY = {*REPLY_ARGUMENTS, "passthrough", "replies"}


_SOMEWHERE = URL("http://localhost/")


class RequestMatch(Handle):
    """A registered mock: the requests that it answered, and how many more it answers.

    `aioresponses.add` makes and returns it, and describes its arguments.

    >>> users = mock.get("http://example.com/users", payload=[])
    >>> users.call_count, users.remaining
    (0, 1)
    """

    status = _Argument(200)
    body = _Argument("")
    payload = _Argument(None)
    exception = _Argument(None, lambda match, value: asyncio.TimeoutError if match._given.get("timeout") else value)
    headers = _Argument(None, lambda match, value: CIMultiDict(value or ()))
    content_type = _Argument("application/json")
    response_class = _Argument(None)
    repeat = _Argument(False)
    reason = _Argument(None, lambda match, value: phrase(match.status) if value is None else value)
    callback = _Argument(None)

    def __getattr__(self, name: str) -> Any:
        # A mock created by hand is put to work when this is first read.
        if name == "_at_work":
            return route_of(self, json_dumps)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def match(self, method: str, url: URL | str) -> bool:
        """Tell whether a request of this method and URL fits, whatever the other conditions are."""
        route = cast("Route", self._at_work)
        return route.fits(method.upper(), comparable(_urls.normalize_url(url))) is not None

    async def build_response(self, url: URL | str, **kwargs: Any) -> ClientResponse | Raises:
        """Return the response to a request of this URL, with its body read, or the exception that was registered.

        `kwargs` are those of `ClientSession.request`. This does not use the mock, and nothing is recorded.
        """
        reply = {name: value for name, value in self._given.items() if name in _OF_REPLY}
        method = self._method or hdrs.METH_GET
        url = URL(url)
        if not url.raw_host:
            # Suites that are only interested in the response leave the URL out, but aiohttp's client needs a host.
            url = _SOMEWHERE.join(url)
        alone = RequestMatch(url, method, **reply)
        log = Log()
        router = Router([], False, log.call_of)
        router.add(route_of(alone, json_dumps))
        interceptor = Interceptor(router, log, lambda: None)
        activate(interceptor)
        try:
            async with ClientSession() as session:
                response = await session.request(method, url, **{**kwargs, "allow_redirects": False})
                await response.read()
                return response
        except BaseException as error:
            registered = self.exception
            if registered is not None and (error is registered or type(error) is registered):
                return registered
            raise
        finally:
            deactivate(interceptor)

    def _build_response(self, *args: object, **kwargs: object) -> NoReturn:
        """Raise `NotImplementedError`: this exists only so that suites can replace it."""
        raise NotImplementedError(
            "RequestMatch._build_response() exists only to be replaced, and is never called: aiohttp's own client "
            "makes the responses. To make one by hand, `await match.build_response(url)`"
        )


def stream_reader_factory(loop: asyncio.AbstractEventLoop | None = None) -> StreamReader:
    """Return a stream that can be fed, for use as the `content` of a response."""
    loop = get_running_loop() if loop is None else loop
    return StreamReader(ResponseHandler(loop), 2 ** 16, loop=loop)


def aiohttp_version() -> Any:
    """Return the release of aiohttp as a `packaging.version.Version`, for suites that have that package."""
    return importlib.import_module("packaging.version").Version(aiohttp.__version__)  # Nothing here needs it.


class Core(ModuleType):
    """The module `core`: if a suite replaces its `normalize_url`, the replacement is used everywhere."""

    def __getattr__(self, name: str) -> Any:
        if name == "AIOHTTP_VERSION":
            return aiohttp_version()
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "normalize_url":
            setattr(_urls, name, value)
