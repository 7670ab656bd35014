"""The calls of a mock, and its own assertions about them, in the manner of `unittest.mock`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aiohttp import hdrs
from yarl import URL

from ._calls.log import Log, Requests
from ._calls.record import RequestCall
from ._checks import default

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._matching.conditions import ConditionArguments
    from ._matching.selection import UrlOrMock

# unittest leaves the frames of such modules out of the tracebacks of failed assertions.
__unittest = True


class Asked:
    """The calls of a mock, from its log."""

    _log: Log

    @property
    def requests(self) -> Requests:
        """The calls by method, as the caller wrote it, and URL: normalised, with `params` merged in.

        A dict in which a key is found in any spelling, such as `mock.requests["GET", "http://example.com/users"]`.
        """
        return self._log.requests

    # Suites assign another dict, for a while or permanently.

    @requests.setter
    def requests(self, value: dict[tuple[str, URL], list[RequestCall]]) -> None:
        self._log.requests = value

    @requests.deleter
    def requests(self) -> None:
        del self._log.requests

    @property
    def calls(self) -> list[RequestCall]:
        """All calls, in order; with `keep_calls`, only those that are kept."""
        return sorted(
            (call for calls in list(self.requests.values()) for call in calls), key=lambda call: call.order
        )

    def calls_of(
        self, url: UrlOrMock | None = None, method: str | None = None, **conditions: Unpack[ConditionArguments]
    ) -> list[RequestCall]:
        """Return the calls of this URL and method that fulfil the conditions, in their order.

        - `url`: a URL as mocks accept it; or a mock or a group, which stands for the requests that it answered,
          including hops of redirects. None, the default, stands for any URL, and for any `method`.
        - The conditions are those of mocks, with the same names: `match_query`, `match_headers`, `match_json`,
          `match_form`, `match_body` and `match`.

        Raises `TypeError` or `ValueError`, with the name of the argument, for a value that a mock would not accept.

        >>> [call] = mock.calls_of("http://example.com/events", "POST", match_json=subset({"type": "created"}))
        """
        from ._matching.selection import Selection, check_conditions  # Not before it is needed.

        check_conditions(conditions, "keyword argument")
        return Selection.of(url, method, conditions).among(self.calls)

    @property
    def call_count(self) -> int:
        """The number of calls, including those that `keep_calls` has dropped."""
        return sum(map(len, list(self.requests.values()))) + self._log.dropped

    @property
    def called(self) -> bool:
        """Whether any call was made."""
        return self.call_count > 0

    @property
    def call_args(self) -> RequestCall | None:
        """The last call, with its `args` and `kwargs`; None if there were no calls."""
        calls = self.calls
        return calls[-1] if calls else None

    @property
    def call_args_list(self) -> list[RequestCall]:
        """All calls, in order: another name for `calls`, known from `unittest.mock`."""
        return self.calls

    @property
    def unmatched_calls(self) -> list[RequestCall]:
        """The calls that were refused because no mock answered, perhaps only after a redirect."""
        return [call for call in self.calls if call.unmatched]

    def assert_not_called(self) -> None:
        """Raise `AssertionError` if any call was made."""
        if self.called:
            from ._assertions.checks import fail  # Not before it is needed.
            from ._assertions.reports import there_were

            fail(self.calls, f"Expected no calls, but {there_were(self.call_count)}.")

    def assert_called(self) -> None:
        """Raise `AssertionError` if no call was made."""
        if not self.called:
            from ._assertions.checks import fail  # Not before it is needed.

            fail([], "Expected at least one call.")

    def assert_called_once(self) -> None:
        """Raise `AssertionError` unless exactly one call was made."""
        if self.call_count != 1:
            from ._assertions.checks import fail  # Not before it is needed.
            from ._assertions.reports import there_were

            fail(self.calls, f"Expected one call, but {there_were(self.call_count)}.")

    def assert_any_call(self, url: UrlOrMock, method: str = default(hdrs.METH_GET), *args: Any, **kwargs: Any) -> None:
        """Raise `AssertionError` unless there was a call of this method and URL with these keyword arguments.

        `params` are part of the URL, whether the caller passed them or wrote them into the URL. Keyword arguments that
        are not given may have had any value. The conditions of mocks, such as `match_json`, check what was sent.
        Instead of a URL, a mock or a group stands for the requests that it answered, with any method unless one is
        given.

        >>> mock.assert_any_call("http://example.com/users", "POST", json={"name": "Ada"})
        """
        from ._assertions.checks import WantedCall, check_any_call  # Not before it is needed.

        check_any_call(self.calls, self._log.dropped, WantedCall(url, method, kwargs), args)

    def assert_has_calls(self, calls: Iterable[Any], any_order: bool = False) -> None:
        """Raise `AssertionError` unless these calls were made one after another, or with `any_order`, in any order.

        Each is a `unittest.mock.call(url, method="GET", …)`. The URL, the method and the given keyword arguments are
        compared; `params` are part of the URL. Conditions, mocks and groups can be used as in `assert_any_call`.

        >>> mock.assert_has_calls([call("http://example.com/login", "POST"), call("http://example.com/users")])
        """
        from ._assertions.checks import WantedCall, check_calls  # Not before it is needed.

        check_calls(self.calls, self._log.dropped, [WantedCall.of(one) for one in calls], any_order)

    def assert_called_with(
        self,
        url: UrlOrMock,
        method: str = default(hdrs.METH_GET),
        args_to_match: Iterable[str] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Raise `AssertionError` unless the last call of this method and URL had exactly these keyword arguments.

        `params` are part of the URL, whether the caller passed them or wrote them into the URL. Unless given,
        `allow_redirects` is True, and `data` of a POST is None. With `args_to_match`, only the arguments with these
        names are compared, `params` like any other, and each must be there. The last call must also fulfil the given
        conditions of mocks, such as `match_json`; if only conditions are given, keyword arguments may have any value.
        Instead of a URL, a mock or a group stands for the requests that it answered, with any method unless one is
        given.

        >>> mock.assert_called_with("http://example.com/users", params={"page": 1})
        """
        from ._assertions.checks import WantedCall, check_last_call  # Not before it is needed.

        check_last_call(self.calls, self._log.dropped, WantedCall(url, method, kwargs), args, args_to_match)

    def assert_called_once_with(self, *args: Any, **kwargs: Any) -> None:
        """Raise `AssertionError` unless there was exactly one call, and `assert_called_with` holds for it.

        >>> mock.assert_called_once_with("http://example.com/users", "POST", json={"name": "Ada"})
        """
        self.assert_called_once()
        self.assert_called_with(*args, **kwargs)
