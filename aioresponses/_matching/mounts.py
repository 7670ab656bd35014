"""Applications that answer all requests below a URL that no mock answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from aiohttp import web
from yarl import URL

from .. import _urls
from .._calls.exchange import Exchange
from .._calls.record import Answering, RequestCall
from .._checks import check_flag, misfit
from .._client.far_end import Serving
from .._display import shown, shown_url, shown_wrong_url
from .._replies.handlers import answered
from .answered import Answered
from .targets import Verdict

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from .._client.far_end import Handle
    from .._client.serving import Application, Servers
    from .._replies.handlers import Asked

# The scheme of a WebSocket, and the scheme of the request that asks for it.
_SCHEMES = {"ws": "http", "wss": "https"}


class Mount(Answering):
    """An application that answers all requests below a URL that no mock answers.

    `aioresponses.mount` makes and returns it, and describes its arguments.

    >>> mount = mock.mount("https://api.example.com/v1", application)
    >>> mount.url, mount.call_count
    (URL('https://api.example.com/v1'), 0)
    """

    _kind = ""  # Its text already says what it is.

    def __init__(
        self,
        url: str | URL,
        app: Application,
        raise_exceptions: bool,
        handler_cancellation: bool,
        call_of: Callable[[Exchange], RequestCall],
        remove: Callable[[Mount], object],
    ) -> None:
        self.url: URL = _checked_url(url)
        """The URL that the application is mounted at."""
        if not isinstance(app, (web.Application, web.Server)) and (isinstance(app, type) or not callable(app)):
            raise TypeError(
                f"app: expected a web.Application, a web.Server, or a function that returns an application, got "
                f"{shown(app)}"
            )
        why = "" if isinstance(app, (web.Application, web.Server)) else misfit(app)
        if why:
            raise TypeError(
                f"app: expected a function without parameters that returns an application, got {shown(app)}: {why}"
            )
        check_flag("raise_exceptions", raise_exceptions)
        check_flag("handler_cancellation", handler_cancellation)
        self._app = app
        self._raise_exceptions = raise_exceptions
        self._handler_cancellation = handler_cancellation
        self._context = copy_context()
        self._origin = _origin(self.url)
        self._prefix = self.url.raw_path.rstrip("/") + "/"
        self._at_work = Answered()
        self._call_of = call_of
        self._remove = remove

    def __repr__(self) -> str:
        return f"<Mount {self.url}, used {'once' if self.call_count == 1 else f'{self.call_count} times'}>"

    def __str__(self) -> str:
        return f"application at {shown_url(self.url)}"

    @property
    def calls(self) -> list[RequestCall]:
        """The requests that the application answered, in order; with `keep_calls`, only those that are kept."""
        return list(map(self._call_of, self._at_work.exchanges))

    @property
    def call_count(self) -> int:
        """How many requests the application answered."""
        return len(self._at_work.exchanges) + self._at_work.dropped

    def remove(self) -> None:
        """Stop the application from answering requests; it ends with the mock. No effect if already removed."""
        self._remove(self)

    def _answered(self, call: RequestCall) -> bool:
        answered_by = call._exchange.answered_by
        return answered_by is not None and answered_by() is self

    @property
    def _depth(self) -> int:
        return len(self._prefix)

    def _covers(self, url: URL) -> bool:
        """Tell whether a URL is at or below the URL of the mount."""
        return _origin(url) == self._origin and (url.raw_path + "/").startswith(self._prefix)

    def _verdict(self, url: URL) -> Verdict:
        """Return why a request of this URL does not reach the application."""
        for name, own, asked in zip(("scheme", "host", "port"), self._origin, _origin(url)):
            if own != asked:
                return Verdict(4.5, f"{name} differs: application has {own!r}, request has {asked!r}")
        return Verdict(2.5, f"the path is not below {self._prefix}")

    def _claim(self, exchange: Exchange) -> None:
        """Record that the application answers a request."""
        exchange.answered_by = ref(self)
        self._at_work.exchanges.append(exchange)

    async def _serve_on(self, loop: AbstractEventLoop, servers: Servers, asked: Asked) -> Serving:
        """Return how the application answers a request on the running loop; start the application if necessary."""
        server = await servers.of(self._app, self._handler_cancellation, loop, self._context)

        async def answer(request: web.Request, handle: Handle) -> web.StreamResponse:
            return await answered(partial(handle, request), asked, self._raise_exceptions)

        return Serving(server, self._context, answer)


def _origin(url: URL) -> Sequence[Any]:
    return _SCHEMES.get(url.scheme, url.scheme), url.raw_host, url.port


def _checked_url(url: object) -> URL:
    if not isinstance(url, (str, URL)):
        raise TypeError(f"url: expected a str or a yarl.URL, got {shown_wrong_url(url)}")
    try:
        checked = _urls.normalize_url(url)
    except ValueError:
        checked = URL()
    is_right = (
        _origin(checked)[0] in ("http", "https")
        and checked.raw_host
        and not _urls.is_template(str(url))
        and not (checked.raw_query_string or checked.raw_fragment or checked.raw_user or checked.raw_password)
    )
    if not is_right:
        raise ValueError(
            "url: expected one with a scheme and a host, without credentials, query or fragment, and no template, got "
            + shown_wrong_url(url)
        )
    return checked
