"""The note on a request that no mock answers, and the reasons in it."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from aiohttp import ClientConnectionError, ClientResponse
from yarl import URL

from .._display import add_note, cut, shortened, shown_url, without_passwords
from .targets import Verdict

_MOST_MOCKS = 5


def explanation(
    method: str,
    url: URL,
    mocks: Sequence[tuple[object, Verdict]],
    redirect: ClientResponse | None,
    idle: Sequence[object],
) -> str:
    """Return why no mock answers a request.

    `mocks` are the registered mocks, each with the reason why it does not; `redirect` is the response that redirected
    the client here, if one did; `idle` are the mocks registered with objects that are not active.
    """
    lines = []
    if redirect is not None:
        rule = "keeps the method" if redirect.method.upper() == method.upper() else f"turns it into {method.upper()}"
        lines.append(
            f"This request follows a redirect: {redirect.method} {shortened(shown_url(redirect.url))} "
            f"was answered with {redirect.status}, which {rule}."
        )
    if mocks:
        lines.append("Registered mocks, the closest first:")
        closest = heapq.nsmallest(_MOST_MOCKS, mocks, key=lambda mock: mock[1].distance)
        lines += [f"  {shortened(str(mock))}: {shortened(verdict.reason, 1000)}" for mock, verdict in closest]
        if len(mocks) > len(closest):
            lines.append(f"  … and {len(mocks) - len(closest)} more")
    else:
        lines.append("No mocks are registered.")
    if idle:
        has = "1 mock" if len(idle) == 1 else f"{len(idle)} mocks"
        lines.append(
            f"Another aioresponses has {has}, but is not active; start it, or register with the active one (in an "
            f"AioResponsesTestCase, the self.mock that it makes):"
        )
        lines += [f"  {line}" for line in cut(idle, show=lambda mock: shortened(str(mock)))]
    return "\n".join(lines)


def refused(method: str, url: URL, explained: str) -> ClientConnectionError:
    """Return the exception for a request that no mock answers, with a note that says why."""
    error = ClientConnectionError(f"Connection refused: {method} {without_passwords(str(url))}")
    add_note(error, f"aioresponses: no mock answers {method.upper()} {shortened(shown_url(url))}\n{explained}")
    return error
