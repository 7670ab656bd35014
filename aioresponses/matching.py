"""What a mock, or a passthrough prefix, asks of a request."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from yarl import URL

from .urls import normalize_url

__all__ = ["Prefix", "Target", "check_method", "check_url"]

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def check_method(method: object) -> str:
    """Return `method` if it can be one in HTTP; raise `TypeError` or `ValueError` where it cannot."""
    if not isinstance(method, str):
        raise TypeError(f"method: expected a str such as 'GET', got {method!r}")
    if not TOKEN.fullmatch(method):
        raise ValueError(f"method: expected an HTTP token such as 'GET' or 'PROPFIND', got {method!r}")
    return method


def check_url(url: object) -> URL | re.Pattern[str]:
    """Return a URL normalised, a pattern as it is; raise `TypeError` or `ValueError` for anything else."""
    if isinstance(url, re.Pattern):
        if not isinstance(url.pattern, str):
            raise TypeError(f"url: expected a pattern of str, got one of bytes: {url!r}")
        return url
    if not isinstance(url, (str, URL)):
        raise TypeError(f"url: expected a str, a yarl.URL or a compiled pattern, got {url!r}")
    try:
        return normalize_url(url)
    except ValueError as error:
        raise ValueError(f"url: expected a URL, got {url!r}: {error}") from error


class Target(NamedTuple):
    """A method, and the URL or pattern of URLs, that a mock answers to."""

    method: str
    """In upper case."""

    url: URL | re.Pattern[str]

    def fits(self, method: str, url: URL) -> bool:
        """Tell whether a request is meant; `method` is in upper case, `url` normalised and without a fragment."""
        if self.method != method:
            return False
        return self.url.match(str(url)) is not None if isinstance(self.url, re.Pattern) else self.url == url


class Prefix:
    """A URL whose scheme, host, port and path a request shares, as far as it names them.

    A prefix without a port stands for every port, one without a host for every host. Its path stands for itself and
    all below it: `http://localhost/api` covers `http://localhost:8080/api/users`, not `http://localhost/apis`.
    """

    def __init__(self, prefix: str | URL) -> None:
        if not isinstance(prefix, (str, URL)):
            raise TypeError(f"passthrough: expected URL prefixes such as 'http://127.0.0.1', got {prefix!r}")
        parts = urlsplit(str(prefix))
        if not parts.scheme or "://" not in str(prefix):
            raise ValueError(f"passthrough: expected a prefix with a scheme such as 'http://127.0.0.1', got {prefix!r}")
        self._scheme = parts.scheme
        try:
            # yarl settles how a host is written; it takes no URL without one, which a prefix may be.
            url = URL(parts._replace(query="", fragment="").geturl()) if parts.netloc else None
            self._port = parts.port
        except ValueError as error:
            raise ValueError(f"passthrough: expected a URL prefix, got {prefix!r}: {error}") from error
        self._host = url.raw_host if url is not None else None
        self._path = url.raw_path.rstrip("/") if url is not None else ""

    def covers(self, url: URL) -> bool:
        return (
            url.scheme == self._scheme
            and self._host in (None, url.raw_host)
            and self._port in (None, url.port)
            and (url.raw_path + "/").startswith(self._path + "/")
        )
