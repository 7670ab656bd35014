"""One form for every URL, so that equal requests compare equal.

Query parameters are sorted, for their order means nothing to a mock; everything else is yarl's work.
"""

from __future__ import annotations

from typing import Any

from multidict import MultiDict
from yarl import URL

__all__ = ["comparable", "merge_params", "normalize_url", "without_credentials"]


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
