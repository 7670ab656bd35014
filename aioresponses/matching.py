"""What a mock, or a passthrough prefix, asks of a request."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Union
from urllib.parse import urlsplit

from yarl import URL

from .urls import comparable, normalize_url, without_credentials

__all__ = ["TOKEN", "Prefix", "Target", "Url", "Verdict", "check_method", "check_url", "shortened"]

Url = Union[str, URL, "re.Pattern[str]"]

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


class Verdict(NamedTuple):
    """Why a mock did not answer a request, and how far it was from doing so."""

    distance: float
    """0 where everything about the request fits; the more, the less likely is it that this mock was meant."""

    reason: str


class Target(NamedTuple):
    """A method, and the URL or pattern of URLs, that a mock answers to."""

    method: str | None
    """In upper case; None stands for any."""

    url: URL | re.Pattern[str] | None
    """A normalised URL without a fragment, or a pattern; None stands for any."""

    @classmethod
    def of(cls, method: object, url: object) -> Target:
        """Make the target of a method and a URL as users give them.

        Raises `TypeError` or `ValueError`, as `check_method` and `check_url` do.
        """
        checked = None if url is None else check_url(url)
        return cls(
            None if method is None else check_method(method).upper(),
            comparable(checked) if isinstance(checked, URL) else checked,
        )

    def __str__(self) -> str:
        if self.url is None:
            return "any request" if self.method is None else f"any {self.method} request"
        shown = _without_secrets(self.url) if isinstance(self.url, URL) else str(self.url)
        return shown if self.method is None else f"{self.method} {shown}"

    def fits(self, method: str, url: URL) -> bool:
        """Tell whether a request is meant; `method` is in upper case, `url` normalised and without a fragment."""
        if self.method is not None and self.method != method:
            return False
        if isinstance(self.url, re.Pattern):
            return self.url.match(str(url)) is not None
        return self.url is None or self.url == url

    def verdict(self, method: str, url: URL) -> Verdict | None:
        """Return the first reason why a request does not fit; None if it does."""
        elsewhere = self._elsewhere(url)
        if self.method is not None and self.method != method:
            return Verdict(0.5 + (elsewhere.distance if elsewhere is not None else 0), f"other method: {self.method}")
        return elsewhere

    def _elsewhere(self, url: URL) -> Verdict | None:
        own = self.url
        if own is None or isinstance(own, re.Pattern):
            return None if self.fits(self.method or "", url) else Verdict(2.5, "the pattern does not match")
        if own == url:
            return None
        if not own.scheme:
            return Verdict(5, "its URL has no scheme and host, as a request always has")
        if own == without_credentials(url):
            return None
        path, other = own.path or "/", url.path or "/"
        if path == other:
            path, other = own.raw_path or "/", url.raw_path or "/"
        same = len(os.path.commonprefix([path, other]))
        # A part of 1: how much of the longer path is not what the two begin with.
        unlike = 1 - same / max(len(path), len(other))
        for name, mine, theirs in [
            ("scheme", own.scheme, url.scheme), ("host", own.host, url.host), ("port", own.port, url.port)
        ]:
            if mine != theirs:
                return Verdict(4 + unlike, f"other {name}: {mine}")
        if own.raw_user is not None and own.with_user(None) == url.with_user(None):
            return Verdict(1, "other credentials in the URL")
        if path != other:
            start = max(path.rfind("/", 0, same), 0)
            return Verdict(2 + unlike, f"path differs at {_cut(path[start:])!r}, asked for was {_cut(other[start:])!r}")
        differences = list(_query_differences(own, url))
        return Verdict(1 + len(differences) / 100, "query differs: " + "; ".join(differences))


def _without_secrets(url: URL) -> str:
    shown = str(without_credentials(url))
    return shown if url.raw_user is None and url.raw_password is None else shown.replace("://", "://…@", 1)


def _query_differences(own: URL, asked: URL) -> Iterator[str]:
    for name in dict.fromkeys([*own.query, *asked.query]):
        mine, theirs = own.query.getall(name, []), asked.query.getall(name, [])
        if mine == theirs:
            continue
        if not theirs:
            yield f"{name}={_values(mine)} is missing"
        elif not mine:
            yield f"{name}={_values(theirs)} is too much"
        else:
            yield f"{name} is {_values(theirs)} and not {_values(mine)}"


def _values(values: Sequence[str]) -> str:
    return repr(_cut(values[0])) if len(values) == 1 else repr([_cut(value) for value in values])


def _cut(text: str) -> str:
    return shortened(text, 60)


def shortened(text: str, most: int = 500) -> str:
    """Return a text, cut if it is long, with a count of what was left out."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} more characters)"


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
