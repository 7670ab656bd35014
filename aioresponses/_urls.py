"""One form for every URL, so that equal requests compare equal.

Query parameters are sorted, for their order means nothing to a mock; everything else is yarl's work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from multidict import MultiDict
from yarl import URL


def normalize_url(url: URL | str) -> URL:
    """Return `url` as a `URL` with its query parameters sorted.

    Parameters of the same name keep no order of their own either: they are sorted by value. The fragment stays.
    Raises what `yarl.URL` raises: `TypeError` for another type, `ValueError` for text that is no URL.

    >>> normalize_url("http://example.com/?b=2&a=1")
    URL('http://example.com/?a=1&b=2')
    """
    if not isinstance(url, URL):
        url = URL(url)
    if not url.raw_query_string:
        return url
    # Even a single parameter goes through with_query: it settles how it is quoted, `%20` or `+`.
    return url.with_query(sorted(url.query.items())).with_fragment(url.fragment or None)


def merge_params(url: URL | str, params: Any = None) -> URL:
    """Return `url` with `params` added to the query that it has, as aiohttp adds them.

    `params` is what aiohttp takes: a mapping, a multidict, pairs or a string; None and empty ones add nothing.
    Raises `TypeError` for values that aiohttp would refuse, a bool among them.

    >>> merge_params("http://example.com/?a=1", {"b": 2})
    URL('http://example.com/?a=1&b=2')
    """
    url = URL(url)
    if not params:
        return url
    query = MultiDict(url.query)
    query.extend(url.with_query(params).query)
    return url.with_query(query).with_fragment(url.fragment or None)


def comparable(url: URL) -> URL:
    """Return a normalised URL as it is compared: without its fragment, and the port that its scheme implies.

    >>> comparable(URL("https://example.com:443/#top"))
    URL('https://example.com/')
    """
    if url.explicit_port is not None and url.is_default_port():
        url = url.with_port(None)
    return url.with_fragment(None) if url.raw_fragment else url


def without_credentials(url: URL) -> URL:
    """Return `url` as it goes over the wire: no user, no password (they become a header), no fragment.

    >>> without_credentials(URL("http://me:secret@example.com/#top"))
    URL('http://example.com/')
    """
    if url.raw_user is not None or url.raw_password is not None:
        url = url.with_user(None)
    return url.with_fragment(None) if url.raw_fragment else url


# Compiled when the first template is: most suites have none.
_PLACE = r"(\{[_a-zA-Z][^{}]*(?:\{[^{}]*\}[^{}]*)*\})"

_NAMED = r"(?s)\{(?P<name>[_a-zA-Z][_a-zA-Z0-9]*)(?::(?P<regex>.+))?\}"

_BARE_PERCENT = "%(?![0-9A-Fa-f]{2})"

_SEGMENT = "[^{}/]+"

# What may stand between scheme and path.
_ORIGIN = r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)://(?P<any>\*\.)?(?P<authority>[^/?#]*)"


def is_template(url: str) -> bool:
    """Tell whether text is more than a URL: whether a place in its path, or its host, is to be filled."""
    path, _, _ = _cut_apart(url)
    return "{" in path or "}" in path or "://*." in path


class Template(NamedTuple):
    """A template of URLs, such as `https://*.example.com/users/{id}?page=2`."""

    text: str
    any_host: bool
    """Whether the host may have more labels in front."""

    base: URL
    """Scheme, host and port, and the query, normalised."""

    path: re.Pattern[str]
    """What the path must be, as text that is not quoted, but for slashes and percent signs."""

    own_path: str
    """The path as it was given, in this form."""

    @classmethod
    def of(cls, text: str) -> Template:
        """Make a template of text; raise `ValueError` where it does not compile."""
        before, query, _ = _cut_apart(text)
        origin = re.match(_ORIGIN, before)
        if origin is None:
            raise ValueError("a template needs a scheme and a host")
        authority = origin["authority"]
        if "{" in authority or "*" in authority or "@" in authority:
            raise ValueError("in place of a host, a template takes nothing but a leading *.")
        base = normalize_url(f"{origin['scheme']}://{authority}/{query}")
        if not base.raw_host:
            raise ValueError("a template needs a scheme and a host")
        path = re.sub(_BARE_PERCENT, "%25", before[origin.end():] or "/")
        return cls(text, origin["any"] is not None, base, _compiled(path), _readable(path))

    def __str__(self) -> str:
        return self.text

    def merged(self, params: object) -> Template:
        """Return a template that asks for these parameters as well."""
        base = normalize_url(merge_params(self.base, params))
        before, _, fragment = _cut_apart(self.text)
        return self._replace(base=base, text=f"{before}?{base.query_string}{fragment}") if params else self

    def fits_host(self, url: URL) -> bool:
        """Tell whether the host of a URL is meant."""
        host, own = url.raw_host or "", self.base.raw_host or ""
        return host.endswith(f".{own}") and len(host) > len(own) + 1 if self.any_host else host == own

    def filled(self, url: URL) -> Mapping[str, str] | None:
        """Return what the places of the path stand for in a URL, by their names; None if the path does not fit."""
        path = _readable(url.raw_path)
        match = self.path.fullmatch(path)
        if match is None:
            # Suites that forget to fill in what they ask for are no reason to fail, as they were none with 0.7.
            return {} if self.own_path == path else None
        return {
            name: value.replace("%2F", "/").replace("%25", "%") for name, value in match.groupdict("").items()
        }


def _cut_apart(text: str) -> tuple[str, str, str]:
    """Cut a URL into what stands before the query, the query with its ?, and the fragment with its #."""
    # Within a regex, both signs mean something else.
    depth = 0
    query = len(text)
    for place, sign in enumerate(text):
        depth += (sign == "{") - (sign == "}")
        if depth <= 0 and sign == "?":
            query = min(query, place)
        elif sign == "#" and (depth <= 0 or query < place):
            return text[:min(query, place)], text[query:place], text[place:]
    return text[:query], text[query:], ""


def _compiled(path: str) -> re.Pattern[str]:
    pattern = ""
    for part in re.split(_PLACE, path):
        place = re.fullmatch(_NAMED, part)
        if place is not None:
            pattern += f"(?P<{place['name']}>{place['regex'] or _SEGMENT})"
        elif "{" in part or "}" in part:
            raise ValueError(f"{part!r} in it is neither {{name}} nor {{name:regex}}; for such braces, give a yarl.URL")
        elif part:
            pattern += re.escape(_readable(part))
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"its path makes no pattern: {error}") from None


def _readable(raw: str) -> str:
    """Return a quoted path as text, in which no slash appears that was none."""
    return unquote(raw.replace("%25", "%2525").replace("%2F", "%252F").replace("%2f", "%252F"))
