"""Which URLs a passthrough prefix covers; a prefix is the beginning of URLs, a template, or a pattern."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from yarl import URL

from .. import _urls
from .._display import shown_wrong_url
from .._urls import Template, comparable, is_template
from .targets import checked_pattern, cuts, with_path, wrong_url

if TYPE_CHECKING:
    from .targets import Url

# A WebSocket is opened by a request with another scheme.
_OPENED_BY = {"ws": "http", "wss": "https"}


class Prefix:
    """The URLs that a passthrough prefix covers; the prefix may be a template, or a pattern.

    A prefix covers URLs with the same scheme, host, port and path, as far as it gives them: without a port it covers
    every port, and without a host every host. A path covers itself and everything below it: `http://localhost/api`
    covers `http://localhost:8080/api/users`, but not `http://localhost/apis`. A pattern is matched from the start of
    the whole URL, like the pattern of a mock. A prefix that covers an `http` URL also covers the same URL with `ws`,
    and likewise for `https` and `wss`.
    """

    def __init__(self, prefix: Url) -> None:
        self._pattern: re.Pattern[str] | None = None
        self._template: Template | None = None
        if isinstance(prefix, re.Pattern):
            self._pattern = checked_pattern("passthrough", prefix)
            return
        if not isinstance(prefix, (str, URL)):
            instead = "; for all requests that no mock answers, pass passthrough_unmatched" if prefix is True else ""
            raise TypeError(
                f"passthrough: expected URL prefixes such as 'http://127.0.0.1', got {shown_wrong_url(prefix)}{instead}"
            )
        url = None
        try:
            parts = urlsplit(str(prefix))
            if isinstance(prefix, str) and is_template(prefix):
                self._template = Template.of(prefix.rstrip("/"))
            elif parts.netloc:
                # yarl normalises the host, but rejects URLs without a host, and a prefix may have none.
                url = URL(parts._replace(query="", fragment="").geturl())
            self._port = parts.port
        except ValueError as error:
            raise wrong_url("passthrough: expected a URL prefix", prefix, error) from None
        if not parts.scheme or "://" not in str(prefix):
            raise ValueError(
                "passthrough: expected a prefix with a scheme such as 'http://127.0.0.1', got "
                + shown_wrong_url(prefix)
            )
        self._scheme = parts.scheme
        self._host = url.raw_host if url is not None else None
        self._path = url.raw_path.rstrip("/") if url is not None else ""

    def covers(self, url: URL) -> bool:
        """Tell whether requests to a URL go to the network."""
        opened_by = _OPENED_BY.get(url.scheme)
        if self._pattern is not None:
            url = comparable(_urls.normalize_url(url))
            spellings = [url, url.with_scheme(opened_by)] if opened_by else [url]
            return any(self._pattern.match(str(one)) for one in spellings)
        if self._scheme not in (url.scheme, opened_by) or self._port not in (None, url.port):
            return False
        if self._template is not None:
            fitting = (self._template.filled(with_path(url, path)) for path, _ in cuts(url))
            return self._template.fits_host(url) and any(filled is not None for filled in fitting)
        return self._host in (None, url.raw_host) and (url.raw_path + "/").startswith(self._path + "/")
