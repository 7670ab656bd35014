"""Why nothing matched, and what was requested, told to a person."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiohttp import ClientConnectionError, ClientResponse
from multidict import CIMultiDict
from yarl import URL

from .calls import RequestCall
from .matching import Verdict
from .urls import without_credentials
from .wording import add_note, cut, hidden, shortened, veiled

__all__ = ["listed", "redacted", "refused", "there_were", "told_unmatched", "told_unused"]

_SECRET_ARGUMENTS = ("auth", "proxy_auth", "cookies")
_HEADER_ARGUMENTS = ("headers", "proxy_headers")
_MOST_CALLS = 20
_MOST_MOCKS = 5


def refused(
    method: str, url: URL, mocks: Sequence[tuple[object, Verdict]], redirect: ClientResponse | None
) -> ClientConnectionError:
    """Return the exception for a request that nobody answers, with a note that explains it.

    `mocks` are the registered ones, each with the reason why it did not; `redirect` is the response that sent the
    client here, if one did.
    """
    error = ClientConnectionError(f"Connection refused: {method} {url}")
    lines = [f"aioresponses: no mock answers {method.upper()} {without_credentials(url)}"]
    if redirect is not None:
        rule = "keeps the method" if redirect.method.upper() == method.upper() else f"makes it a {method.upper()}"
        lines.append(
            f"It is the target of a redirect: {redirect.method} {without_credentials(redirect.url)} "
            f"was answered with {redirect.status}, which {rule}."
        )
    if mocks:
        lines.append("Registered mocks, the closest first:")
        closest = heapq.nsmallest(_MOST_MOCKS, mocks, key=lambda mock: mock[1].distance)
        lines += [f"  {shortened(str(mock))}: {verdict.reason}" for mock, verdict in closest]
        if len(mocks) > len(closest):
            lines.append(f"  … and {len(mocks) - len(closest)} more")
    else:
        lines.append("No mocks are registered.")
    add_note(error, "\n".join(lines))
    return error


def listed(calls: Sequence[RequestCall]) -> str:
    """Return the calls, numbered, a line each; of many, the first and the last ones."""
    if not calls:
        return "There were no calls."
    lines = [f"{number:>3}. {shortened(str(call))}" for number, call in enumerate(calls, 1)]
    if len(lines) > _MOST_CALLS:
        half = _MOST_CALLS // 2
        lines[half:-half] = [f"     … {len(lines) - _MOST_CALLS} more …"]
    return "\n".join(["Calls:", *lines])


def there_were(count: int) -> str:
    """Return how many calls there were."""
    return "there was 1" if count == 1 else f"there were {count or 'none'}"


def told_unused(mocks: Sequence[object]) -> str:
    """Return the sentence about mocks that were never used, with a line for each."""
    return _headed(f"Expected every mock to be used, but {_number(mocks, 'was', 'were')} not:", mocks)


def told_unmatched(calls: Sequence[RequestCall]) -> str:
    """Return the sentence about calls that no mock answered, with a line for each."""
    return _headed(f"Expected mocks for all calls, but {_number(calls, 'has', 'have')} none:", calls)


def _number(things: Sequence[object], one: str, several: str) -> str:
    return f"{len(things)} {one if len(things) == 1 else several}"


def _headed(headline: str, things: Sequence[object]) -> str:
    return "\n".join([headline, *cut([f"  {shortened(str(thing))}" for thing in things])])


def redacted(kwargs: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return keyword arguments of a call to be shown beside `other` ones: without the secrets in them."""
    shown = dict(kwargs)
    for name, value in shown.items():
        if name in _SECRET_ARGUMENTS and value is not None:
            shown[name] = veiled(value, other.get(name))
        elif name in _HEADER_ARGUMENTS and value:
            shown[name] = _headers_without_secrets(value, other.get(name))
        elif name == "proxy" and isinstance(value, (str, URL)):
            shown[name] = _proxy_without_secrets(value, other.get(name))
    return shown


def _proxy_without_secrets(proxy: str | URL, other: object) -> str | URL:
    try:
        shown = type(proxy)(without_credentials(URL(proxy)))
        hides_difference = isinstance(other, (str, URL)) and URL(other) != URL(proxy)
        if hides_difference and without_credentials(URL(str(other))) == URL(shown):
            return f"{shown} (with other credentials)"
        return shown
    except ValueError:
        return "…"


def _headers_without_secrets(headers: Any, others: Any) -> Any:
    """Return headers, a mapping or pairs, to be shown beside `others`; what is neither is not shown."""
    try:
        pairs = [(str(name), value) for name, value in _pairs(headers)]
    except (TypeError, ValueError):
        return "…"
    try:
        beside = CIMultiDict((str(name), value) for name, value in _pairs(others or ()))
    except (TypeError, ValueError):
        beside = CIMultiDict()
    shown = [(name, hidden(name, value, beside.get(name))) for name, value in pairs]
    # A name that stands there twice has no place in a dict.
    return dict(shown) if isinstance(headers, Mapping) and len(dict(shown)) == len(shown) else shown


def _pairs(headers: Any) -> Iterable[tuple[Any, Any]]:
    return headers.items() if isinstance(headers, Mapping) else headers
