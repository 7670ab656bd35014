"""One form for every URL, so that equal requests compare equal.

Query parameters are sorted, because their order does not matter to a mock; yarl does everything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from multidict import MultiDict
from yarl import URL


def normalize_url(url: URL | str) -> URL:
    """Return `url` as a `URL` with its query parameters sorted.

    Parameters of the same name are sorted by value. The fragment is kept. Raises what `yarl.URL` raises: `TypeError`
    for another type, `ValueError` for text that is not a URL.

    >>> normalize_url("http://example.com/?b=2&a=1")
    URL('http://example.com/?a=1&b=2')
    """
    if not isinstance(url, URL):
        url = URL(url)
    if not url.raw_query_string:
        return url
    # Even a single parameter goes through with_query, which decides how it is quoted, with `%20` or `+`.
    return url.with_query(sorted(url.query.items())).with_fragment(url.fragment or None)


def merge_params(url: URL | str, params: Any = None) -> URL:
    """Return `url` with `params` added to its query, as aiohttp adds them.

    `params` is what aiohttp accepts: a mapping, a multidict, pairs or a string; None and empty values add nothing.
    Raises `TypeError` for values that aiohttp would refuse, such as a bool.

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
    """Return a normalised URL in comparable form: quoted, without its fragment and the default port of its scheme.

    >>> comparable(URL("https://example.com:443/a b#top", encoded=True))
    URL('https://example.com/a%20b')
    """
    try:
        # A URL made with `encoded=True` may not be encoded, for example that of a redirect that is not requoted.
        url = URL(str(url))
    except ValueError:
        pass  # No mock can have such a URL.
    if url.explicit_port is not None and url.is_default_port():
        url = url.with_port(None)
    return url.with_fragment(None) if url.raw_fragment else url


def without_credentials(url: URL) -> URL:
    """Return `url` as it is sent: without user and password, which become a header, and without fragment.

    >>> without_credentials(URL("http://me:secret@example.com/#top"))
    URL('http://example.com/')
    """
    if url.raw_user is not None or url.raw_password is not None:
        url = url.with_user(None)
    return url.with_fragment(None) if url.raw_fragment else url


def with_credentials_of(other: URL, url: URL) -> URL:
    """Return `url` with the user and password of an `other` one.

    >>> with_credentials_of(URL("http://me:secret@example.com/"), URL("http://example.com/?a=1"))
    URL('http://me:secret@example.com/?a=1')
    """
    if other.raw_user is None and other.raw_password is None:
        return url
    return url.with_user(other.user).with_password(other.password)


# Compiled with the first template, because most suites have none.
_PLACE = r"(\{[_a-zA-Z][^{}]*(?:\{[^{}]*\}[^{}]*)*\})"

_NAMED = r"(?s)\{(?P<name>[_a-zA-Z][_a-zA-Z0-9]*)(?::(?P<regex>.+))?\}"

_BARE_PERCENT = "%(?![0-9A-Fa-f]{2})"

_SEGMENT = "[^{}/]+"

# What may come before the path.
_ORIGIN = r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)://(?P<any>\*\.)?(?P<authority>[^/?#]*)"


def is_template(url: str) -> bool:
    """Tell whether text is a template: whether its path or its host has placeholders."""
    if not ("{" in url or "}" in url or "*" in url):
        return False
    before, _, _ = _cut_apart(url)
    if "{" in before or "}" in before:
        return True
    # A star anywhere in the host makes it a template.
    origin = re.match(_ORIGIN, before) if "*" in before else None
    return origin is not None and (origin["any"] is not None or "*" in origin["authority"].rpartition("@")[2])


class Template:
    """A template of URLs, such as `https://*.example.com/users/{id}?page=2`."""

    def __init__(
        self, text: str, any_host: bool, base: URL, path: re.Pattern[str] | _Places, own_path: str
    ) -> None:
        self.text = text
        self.any_host = any_host
        """Whether the host must have more labels in front."""
        self.base = base
        """Scheme, host and port, and the query, normalised."""
        self.path = path
        """What the path must match, as text in which only slashes and percent signs are quoted."""
        self.own_path = own_path
        """The path as it was given, in the same form."""

    @classmethod
    def of(cls, text: str) -> Template:
        """Make a template from text; raise `ValueError` if it is invalid."""
        before, query, _ = _cut_apart(text)
        origin = re.match(_ORIGIN, before)
        if origin is None:
            raise ValueError("a template needs a scheme and a host")
        authority = origin["authority"]
        if "{" in authority or "*" in authority or "@" in authority:
            raise ValueError(
                "the host of a template may have a leading *. and no other placeholder; for any host, pass a "
                "compiled pattern"
            )
        base = normalize_url(f"{origin['scheme']}://{authority}/{query}")
        if not base.raw_host:
            raise ValueError("a template needs a scheme and a host")
        path = re.sub(_BARE_PERCENT, "%25", before[origin.end():] or "/")
        return cls(text, origin["any"] is not None, base, _compiled(path), _readable(path))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Template({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def merged(self, params: object) -> Template:
        """Return a template that requires these parameters as well."""
        if not params:
            return self
        base = normalize_url(merge_params(self.base, params))
        before, _, fragment = _cut_apart(self.text)
        text = f"{before}?{base.query_string}{fragment}"
        return Template(text, self.any_host, base, self.path, self.own_path)

    def fits_host(self, url: URL) -> bool:
        """Tell whether the host of a URL fits."""
        host, own = url.raw_host or "", self.base.raw_host or ""
        return host.endswith(f".{own}") and len(host) > len(own) + 1 if self.any_host else host == own

    def filled(self, url: URL) -> Mapping[str, str] | None:
        """Return the values that the placeholders have in a URL, by name; None if its path does not fit."""
        path = _readable(url.raw_path)
        if isinstance(self.path, _Places):
            found = self.path.filled(path)
        else:
            match = self.path.fullmatch(path)
            found = None if match is None else match.groupdict("")
        if found is None:
            # Code under test may forget to fill in the placeholders, which was no reason to fail with 0.7.
            return {} if self.own_path == path else None
        return {name: value.replace("%2F", "/").replace("%25", "%") for name, value in found.items()}


def _cut_apart(text: str) -> tuple[str, str, str]:
    """Cut a URL into the part before the query, the query with its ?, and the fragment with its #."""
    # Inside a regex, both characters have another meaning.
    depth = 0
    query = len(text)
    for place, sign in enumerate(text):
        depth += (sign == "{") - (sign == "}")
        if depth <= 0 and sign == "?":
            query = min(query, place)
        elif sign == "#" and (depth <= 0 or query < place):
            return text[:min(query, place)], text[query:place], text[place:]
    return text[:query], text[query:], ""


class _Places:
    """A path whose placeholders have no regex: each stands for a segment, or for a part of one.

    The result is the same as if each placeholder were the regex `[^{}/]+`. But a regex engine tries every way to share
    a path among the placeholders, whereas this takes linear time. The engine makes the first placeholder as long as
    possible, then the second, and so on, so the texts between them are as far to the right as possible. Searching from
    the right, each text to the left of the last one found, leads to the same positions: if there is a slash or a brace,
    which no placeholder may contain, there is no other choice; otherwise, no other choice leaves more room.
    """

    def __init__(self, names: Sequence[str], texts: Sequence[str]) -> None:
        self.names = names
        self.texts = texts
        """The texts before, between and after the placeholders."""

    def filled(self, path: str) -> dict[str, str] | None:
        """Return the values of the placeholders; None if the path does not fit."""
        first, *between, last = self.texts
        start, end = len(first), len(path) - len(last)
        if start >= end or not path.startswith(first) or not path.endswith(last):
            return None
        values = []
        for text in reversed(between):
            # Leave at least one character for the placeholder on either side.
            found = path.rfind(text, start + 1, end - 1)
            if found == -1:
                return None
            values.append(path[found + len(text):end])
            end = found
        values.append(path[start:end])
        if any(sign in value for value in values for sign in "{}/"):
            return None
        return dict(zip(self.names, reversed(values)))


def _compiled(path: str) -> re.Pattern[str] | _Places:
    names, texts, pattern = [], [""], ""
    has_regex = False
    for part in re.split(_PLACE, path):
        place = re.fullmatch(_NAMED, part)
        if place is not None:
            name, regex = place["name"], place["regex"]
            if name in names:
                raise ValueError(f"two of its placeholders are named {name!r}")
            names.append(name)
            texts.append("")
            has_regex = has_regex or regex is not None
            pattern += f"(?P<{name}>{regex or _SEGMENT})"
        elif "{" in part or "}" in part:
            raise ValueError(
                f"{part!r} is neither {{name}} nor {{name:regex}}; for a pattern, pass re.compile(…), for literal "
                "braces a yarl.URL"
            )
        else:
            texts[-1] = _readable(part)
            pattern += re.escape(texts[-1])
    if names and not has_regex:
        return _Places(names, texts)
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"its path is not a valid pattern: {error}") from None


def _readable(raw: str) -> str:
    """Return a quoted path as text; slashes that were quoted stay quoted."""
    return unquote(raw.replace("%25", "%2525").replace("%2F", "%252F").replace("%2f", "%252F"))
