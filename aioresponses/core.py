"""The mock: registering answers, starting and stopping, and what was asked for."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import aiohttp
from aiohttp import ClientResponse, hdrs
from yarl import URL

from .calls import RequestCall, call_of
from .conditions import Match
from .diagnosis import listed, redacted, told_unmatched, told_unused
from .matchers import unpaired
from .matching import Url
from .mocks import Callback, Raises, RequestMatch
from .patching import activate, deactivate, is_active
from .progress import Interception
from .registering import Group, Registering, made
from .replies import CallbackResult, Events, Fault, Headers, JsonDumps, json_dumps
from .routing import Router
from .sources import Body
from .wanted import WantedCall
from .wording import cut, shortened

if TYPE_CHECKING:
    import unittest
    from http.cookies import Morsel

    from typing_extensions import Self

    from .registering import ReplyArguments


__all__ = ["CallbackResult", "RequestCall", "RequestMatch", "aioresponses"]

# unittest leaves the frames of such modules out of the tracebacks of failed assertions.
__unittest = True

_MOST_DIFFERENCE = 5000
_DECORATES = "aioresponses decorates functions, coroutine functions and subclasses of unittest.TestCase, got {!r}"

_Function = TypeVar("_Function", bound=Callable[..., Any])


class aioresponses(Registering):
    """Answers the requests of every `aiohttp.ClientSession` while it is active.

    Use it as a context manager (`with` or `async with`), as a decorator of functions and coroutine functions, or with
    `start()` and `stop()`; in a test case, `AioResponsesTestCase` does it for you.

    - `param`: the name of the parameter under which a decorated function is given the mock; by default it is given as
      the last positional argument.
    - `passthrough`: prefixes of URLs whose requests go to the network. They are compared by scheme, host, port and
      path; what a prefix leaves out may be anything: `http://127.0.0.1` stands for all ports of that host.
    - `passthrough_unmatched`: whether requests that no mock answers go to the network. By default they raise
      `aiohttp.ClientConnectionError`.
    - `assert_all_called`: whether it is a failure if a mock was never used, those with `optional=True` excepted.
    - `assert_all_mocked`: whether it is a failure if something was asked for that no mock answered, even if the code
      under test went on from there.
    - `strict`: both.
    - `json_dumps`: what serialises each `payload`, to text or bytes; `json.dumps` by default. It is an attribute as
      well, and holds for the mocks that are registered from then on.

    These are looked at when a `with` block or a decorated function is left, unless by an exception, and raise
    `AssertionError`; `stop()` does not look.

    >>> with aioresponses() as mock:
    ...     mock.get("http://example.com/users/7", payload={"name": "Ada"})
    ...     user = asyncio.run(read_user(7))
    """

    def __init__(
        self,
        param: str | None = None,
        passthrough: Iterable[str | URL] = (),
        passthrough_unmatched: bool = False,
        *,
        assert_all_called: bool = False,
        assert_all_mocked: bool = False,
        strict: bool = False,
        json_dumps: JsonDumps = json_dumps,
    ) -> None:
        if not isinstance(passthrough, (str, URL)):
            passthrough = tuple(passthrough)
        self._settings: dict[str, Any] = {
            "param": param,
            "passthrough": passthrough,
            "passthrough_unmatched": passthrough_unmatched,
            "assert_all_called": assert_all_called or strict,
            "assert_all_mocked": assert_all_mocked or strict,
        }
        self.json_dumps = json_dumps
        self._started = self._cleared = 0.0
        self._router = Router(passthrough, passthrough_unmatched)
        self._interception = Interception(self._router, self._response_class)
        self._requests: dict[tuple[str, URL], list[RequestCall]] = {}

    @staticmethod
    def _response_class() -> type[ClientResponse] | None:
        # Suites patch this module's ClientResponse to have a class of their own used, as aioresponses 0.7 did.
        return ClientResponse if ClientResponse is not aiohttp.ClientResponse else None

    # Starting and stopping.

    @property
    def active(self) -> bool:
        """Whether this mock has been started, and not been stopped since."""
        return is_active(self._interception)

    def start(self) -> None:
        """Answer requests from now on, in place of any mock that is active already.

        Raises `RuntimeError` if it is active itself.
        """
        if self.active:
            raise RuntimeError("start() called on an aioresponses that is active already")
        self._started = time.perf_counter()
        activate(self._interception)

    def stop(self) -> None:
        """Answer no more requests, and forget all mocks; `requests` and `calls` remain.

        Raises `RuntimeError` if it is not active.
        """
        if not self.active:
            raise RuntimeError("stop() called on an aioresponses that is not active")
        deactivate(self._interception)
        self.clear()

    def clear(self) -> None:
        """Forget all mocks; `requests` and `calls` remain."""
        self._router.clear()
        self._cleared = time.perf_counter()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        # An exception that is on its way already is the one to see.
        wrong = self.wrong() if exc_type is None else ""
        self.stop()
        if wrong:
            raise AssertionError(wrong)

    def wrong(self) -> str:
        """Return what fails of `assert_all_called` and `assert_all_mocked`, told to a person; "" if all is well.

        Calls of an earlier use of the mock do not count.
        """
        unused = self.unused_mocks if self._settings["assert_all_called"] else []
        unmatched = self.unmatched_calls if self._settings["assert_all_mocked"] else []
        unmatched = [call for call in unmatched if call.started >= self._started]
        if not unused and not unmatched:
            return ""
        parts = [told_unused(unused)] if unused else []
        parts += [told_unmatched(unmatched)] if unmatched else []
        return "\n".join([*parts, listed(self.calls)])

    def leave_alone(self, urls: Callable[[URL], bool]) -> None:
        """Neither answer nor record requests to these URLs: they are not made by the code under test."""
        self._interception.left_alone = urls

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.__exit__(exc_type, exc_val, exc_tb)

    def __call__(self, function: _Function) -> _Function:
        """Decorate a function or a coroutine function: while it runs, the mock is active, and is given to it.

        Of a subclass of `unittest.TestCase`, all test methods are decorated. Any other class: `TypeError`.
        """
        if isinstance(function, type):
            import unittest  # Not before it is needed: it takes longer to import than all of this package.

            if not issubclass(function, unittest.TestCase):
                raise TypeError(_DECORATES.format(function))
            for name in unittest.defaultTestLoader.getTestCaseNames(function):
                # A new mock for each run, so that no test sees the calls of another.
                method = inspect.getattr_static(function, name)
                if isinstance(method, (staticmethod, classmethod)):
                    setattr(function, name, type(method)(self._decorated(method.__func__, self._another)))
                else:
                    setattr(function, name, self._decorated(method, self._another))
            return function
        if not callable(function):
            raise TypeError(_DECORATES.format(function))
        return self._decorated(function, self._itself)  # type: ignore[return-value]

    def _decorated(self, function: Callable[..., Any], mock_of_a_run: Callable[[], aioresponses]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def decorated_coroutine(*args: Any, **kwargs: Any) -> Any:
                with mock_of_a_run() as mock:
                    return await mock._run(function, args, kwargs)

            return decorated_coroutine

        @functools.wraps(function)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with mock_of_a_run() as mock:
                return mock._run(function, args, kwargs)

        return decorated

    def _another(self) -> aioresponses:
        return aioresponses(**self._settings, json_dumps=self.json_dumps)

    def _itself(self) -> aioresponses:
        # A decorated function may run within itself, or several times side by side.
        return self._another() if self.active else self

    def _run(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        param = self._settings["param"]
        return function(*args, self, **kwargs) if param is None else function(*args, **kwargs, **{param: self})

    # Registering.

    def add(  # type: ignore[override]
        self,
        url: Url,
        method: str = hdrs.METH_GET,
        status: int = 200,
        body: Body = "",
        exception: Raises | None = None,
        content_type: str = "application/json",
        payload: Any = None,
        headers: Headers | None = None,
        response_class: Callable[..., ClientResponse] | None = None,
        repeat: bool | int = False,
        timeout: bool = False,
        reason: str | None = None,
        callback: Callback | None = None,
        optional: bool = False,
        *,
        cookies: Mapping[str, str | Morsel[str]] | None = None,
        delay: float = 0,
        events: Events | None = None,
        fault: Fault | None = None,
        replies: Sequence[ReplyArguments | Raises | CallbackResult] | None = None,
        match_query: Any = None,
        match_headers: Any = None,
        match_json: Any = None,
        match_form: Any = None,
        match_body: Any = None,
        match: Match | Iterable[Match] | None = None,
    ) -> RequestMatch:
        """Register a mock: what requests it answers, and with what.

        Of several mocks that fit a request, the one that was registered first answers.

        - `url`: text, a `yarl.URL`, or a compiled pattern, of which `match` is called with the whole URL. The order of
          query parameters does not matter, and fragments play no part. Text may be a template: `{name}` in its path
          stands for a segment, `{name:regex}` for what the regex matches, a leading `*.` of its host for one label or
          more. What they stand for is the call's `match_info`.
        - `method`: any method; its case does not matter.

        Conditions, all of which must hold. Values are compared with `==`, so `unittest.mock.ANY` and the objects of
        `aioresponses.matchers` may stand anywhere in them. None, the default, asks for nothing.

        - `match_query`: the query, as a mapping, pairs or text; there is none in `url` then.
        - `match_headers`: headers that must be among those that are sent; names are case-insensitive.
        - `match_json`: the body, decoded from JSON.
        - `match_form`: the fields of an urlencoded or multipart form; a `FilePart` stands for a file.
        - `match_body`: the body, as bytes or text, or a compiled pattern that is searched for in it.
        - `match`: a function of the `RequestCall`, or several, that return True, False, or `(False, "why not")`.

        The reply:

        - `status`: an int from 200 to 999, or 101.
        - `body`: what the application will read: text (sent as UTF-8) or bytes; or what is streamed: a file object, an
          iterable or async iterable of text or bytes, or a function that returns one, which is called for every reply,
          with the `RequestCall` if it takes a parameter.
        - `payload`: what is sent as JSON, or a function of the `RequestCall` that returns it; goes before `body`. It is
          serialised when it is sent.
        - `events`: a `text/event-stream`, as an iterable or async iterable of text, dicts or `ServerSentEvent`.
        - `headers`: a mapping, a multidict or pairs; a name may stand there more than once.
        - `cookies`: a mapping of names and values, sent as `Set-Cookie`.
        - `content_type`: the `Content-Type` header, unless `headers` have one.
        - `reason`: the reason phrase; by default the one that goes with `status`.
        - `delay`: seconds before the status line.
        - `fault`: a `Fault` of the server.
        - `response_class`: the class of the response, instead of the session's.
        - `exception`: an exception, or a class of exceptions, that the call raises, exactly as it is.
        - `timeout`: whether the call raises `asyncio.TimeoutError`.
        - `callback`: a function or a coroutine function, called with the URL and the keyword arguments of the call, or
          if it takes a single parameter, with the `RequestCall`. It returns a `CallbackResult`, or None to have the
          mock answer as it is registered. It runs before an `exception` is raised, and what it raises reaches the
          caller.
        - `replies`: a list of dicts of these arguments, exceptions and `CallbackResult`s, to be given one after
          another, instead of one reply.
        - `repeat`: how many times the mock answers, or goes through its `replies`; True for without end, False (the
          default) for once.
        - `optional`: whether the mock may stay unused where `assert_all_called` is asked for.

        Returns the `RequestMatch`. Raises `TypeError` or `ValueError`, with the name of the argument, for what cannot
        be used or contradicts another; nothing is registered then.

        >>> mock.add("http://example.com/users", "POST", match_json={"name": "Ada"}, status=201, payload={"id": 7})
        <RequestMatch POST http://example.com/users, match_json={'name': 'Ada'}, used 0 of 1>
        """
        match_of_these = made(
            url,
            method,
            self.json_dumps,
            repeat,
            optional,
            replies,
            dict(
                query=match_query,
                headers=match_headers,
                json=match_json,
                form=match_form,
                body=match_body,
                match=match,
            ),
            dict(
                status=status,
                body=body,
                exception=exception,
                content_type=content_type,
                payload=payload,
                headers=headers,
                response_class=response_class,
                timeout=timeout,
                reason=reason,
                callback=callback,
                cookies=cookies,
                delay=delay,
                events=events,
                fault=fault,
            ),
        )
        self._router.add(match_of_these)
        return match_of_these

    def host(
        self, url: str, headers: Headers | None = None, match_headers: Mapping[str, Any] | None = None
    ) -> Group:
        """Return a group of mocks below `url`, which are registered by their paths.

        `headers` are those of its replies, and `match_headers` are asked of its requests, unless a mock says
        otherwise. Raises `TypeError` or `ValueError` where `url` is no URL, or has a query.

        >>> api = mock.host("https://api.example.com/v2", match_headers={"Authorization": "Bearer secret"})
        >>> api.get("/users/{id}", payload={"name": "Ada"})
        <RequestMatch GET https://api.example.com/v2/users/{id}, match_headers={'Authorization': '…'}, used 0 of 1>
        """
        return Group(self.add, url, headers, match_headers)

    @property
    def passthrough_unmatched(self) -> bool:
        """Whether requests that no mock answers go to the network."""
        return self._router.passthrough_unmatched

    @passthrough_unmatched.setter
    def passthrough_unmatched(self, value: bool) -> None:
        self._router.passthrough_unmatched = value

    # Names of 0.7 that suites look at.

    @property
    def _matches(self) -> dict[str, RequestMatch]:
        return self._router.matches

    @property
    def _responses(self) -> list[ClientResponse]:
        return [
            call.response for call in self.calls if call.response is not None and call.started >= self._cleared
        ]

    # What was asked for.

    @property
    def requests(self) -> dict[tuple[str, URL], list[RequestCall]]:
        """The calls by method, as the caller wrote it, and URL: normalised, with `params` merged in."""
        noted = self._interception.noted
        while noted:
            call = call_of(noted.popleft())
            self._requests.setdefault(call.key, []).append(call)
        return self._requests

    @requests.setter
    def requests(self, value: dict[tuple[str, URL], list[RequestCall]]) -> None:
        # Suites reset it so.
        self._interception.noted.clear()
        self._requests = value

    @property
    def calls(self) -> list[RequestCall]:
        """All calls, in their order."""
        return sorted(
            (call for calls in self.requests.values() for call in calls), key=lambda call: call.order
        )

    @property
    def call_count(self) -> int:
        """The number of calls."""
        return sum(map(len, self.requests.values()))

    @property
    def called(self) -> bool:
        """Whether there was a call."""
        return self.call_count > 0

    @property
    def call_args(self) -> RequestCall | None:
        """The last call, with its `args` and `kwargs`; None where there was none."""
        calls = self.calls
        return calls[-1] if calls else None

    @property
    def call_args_list(self) -> list[RequestCall]:
        """All calls, in their order: another name of `calls`, known from `unittest.mock`."""
        return self.calls

    @property
    def unused_mocks(self) -> list[RequestMatch]:
        """The registered mocks that were never used, without those that are optional."""
        return [match for match in self._router.registered if not match.called and not match.optional]

    @property
    def unmatched_calls(self) -> list[RequestCall]:
        """The calls that were refused because no mock answers them, after a redirect for instance."""
        return [call for call in self.calls if call.unmatched]

    def assert_not_called(self) -> None:
        """Raise `AssertionError` if there was a call."""
        if self.called:
            self._fail(f"Expected no calls, but there {self._were()}.")

    def assert_called(self) -> None:
        """Raise `AssertionError` if there was no call."""
        if not self.called:
            self._fail("Expected at least one call.")

    def assert_called_once(self) -> None:
        """Raise `AssertionError` unless there was exactly one call."""
        if self.call_count != 1:
            self._fail(f"Expected one call, but there {self._were()}.")

    def assert_any_call(self, url: Url, method: str = hdrs.METH_GET, *args: Any, **kwargs: Any) -> None:
        """Raise `AssertionError` unless there was a call of this method and URL with these keyword arguments.

        `params` are merged into the URL. Keyword arguments that are not given may have been anything.
        """
        wanted = WantedCall(url, method, kwargs)
        if not any(map(wanted.fits, self.calls)):
            self._fail(f"Expected {wanted}, but there was no such call.", self._closest(wanted))

    def assert_has_calls(self, calls: Iterable[Any], any_order: bool = False) -> None:
        """Raise `AssertionError` unless these calls were made one after another, or with `any_order`, all of them.

        Each is a `unittest.mock.call(url, method="GET", …)`; URL, method, and those keyword arguments that are given,
        are compared.

        >>> mock.assert_has_calls([call("http://example.com/login", "POST"), call("http://example.com/users")])
        """
        wanted = [WantedCall.of(one) for one in calls]
        made = self.calls
        if any_order:
            for one in unpaired(wanted, made, WantedCall.fits):
                self._fail(f"Expected {one} among the calls, but there was no such call.", self._closest(one))
        elif not any(
            all(map(WantedCall.fits, wanted, made[start:])) for start in range(len(made) - len(wanted) + 1)
        ):
            shown = "\n".join(cut([f"  {one}" for one in wanted]))
            self._fail(f"Expected these calls one after another, but they were not made so:\n{shown}")

    def assert_called_with(
        self,
        url: Url,
        method: str = hdrs.METH_GET,
        *args: Any,
        args_to_match: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Raise `AssertionError` unless the last call of this method and URL had just these keyword arguments.

        `params` are merged into the URL. `allow_redirects` is True, and `data` of a POST None, unless given. With
        `args_to_match`, only the arguments of these names are compared, and each of them must be there.
        """
        wanted = WantedCall(url, method, kwargs)
        made = [call for call in self.calls if wanted.reaches(call)]
        if not made:
            self._fail(f"Expected {wanted.target} to be called, but it was never called.")
        expected = {"allow_redirects": True, **kwargs}
        if wanted.target.method == hdrs.METH_POST:
            expected.setdefault("data", None)
        found: dict[str, Any] = made[-1].kwargs
        if args_to_match is not None:
            names = list(args_to_match)
            for arguments, which in ((expected, "expected"), (found, "made")):
                absent = ", ".join(name for name in names if name not in arguments)
                if absent:
                    self._fail(f"args_to_match: the call of {wanted.target} that was {which} has no {absent}.")
            expected = {name: expected[name] for name in names}
            found = {name: found[name] for name in names}
        if made[-1].args != args or not expected == found:
            self._fail(
                f"Expected {wanted.target} to be called with other arguments (- expected, + made):",
                _difference_of_arguments({**expected, "args": args} if args else expected, found),
            )

    def assert_called_once_with(self, *args: Any, **kwargs: Any) -> None:
        """Raise `AssertionError` unless there was exactly one call, and `assert_called_with` holds for it."""
        self.assert_called_once()
        self.assert_called_with(*args, **kwargs)

    def _closest(self, wanted: WantedCall) -> str:
        found = wanted.of_last(self.calls)
        if found is None:
            return ""
        return "The last one was (- expected, + made):\n" + _difference_of_arguments(wanted.kwargs, found)

    def _were(self) -> str:
        return "was 1" if self.call_count == 1 else f"were {self.call_count}"

    def _fail(self, headline: str, detail: str = "") -> NoReturn:
        raise AssertionError("\n".join(part for part in (headline, detail, listed(self.calls)) if part))


def _difference_of_arguments(expected: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    import unittest

    case = unittest.TestCase()
    # There is nobody who could set it.
    case.maxDiff = None
    return shortened(difference(case, redacted(expected, {}), redacted(found, expected)), _MOST_DIFFERENCE)


def difference(case: unittest.TestCase, expected: object, found: object) -> str:
    """Return how two values differ, in the words of unittest and within the `maxDiff` of a test case."""
    try:
        case.assertEqual(expected, found)
    except case.failureException as error:
        return str(error)
    return ""
