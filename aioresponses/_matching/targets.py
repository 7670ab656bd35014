"""The method and URL of a mock: which requests they fit, and why they do not fit others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union

from yarl import URL

from .. import _urls
from .._calls.record import RequestCall
from .._checks import TOKEN, equals_anything
from .._display import same_beginning, shortened, shown, shown_url, shown_wrong_url, without_passwords
from .._urls import Template, comparable, is_template, without_credentials

if TYPE_CHECKING:
    Url = Union[str, URL, "re.Pattern[str]"]

    # The key by which mocks with a full URL are found: the method (None for every method), the URL, and whether any
    # query fits.
    Key = tuple[Union[str, None], URL, bool]

# How many differences between queries, and how many values of one name, are shown.
_MOST_SHOWN = 5

_EVERY_METHOD = "; for every method, use method=None or mock.any(url, …)"

_SWAPPED = "; method and URL are swapped"

_EVERY_URL = "; for every URL, pass unittest.mock.ANY"


def check_method(method: object) -> str:
    """Return `method` if it is valid in HTTP; otherwise raise `TypeError` or `ValueError`."""
    if not isinstance(method, str):
        hint = _EVERY_METHOD if equals_anything(method) or isinstance(method, (list, tuple, set, frozenset)) else ""
        hint = _SWAPPED if isinstance(method, (URL, re.Pattern)) else hint
        raise TypeError(f"method: expected a str such as 'GET', got {shown_wrong_url(method)}{hint}")
    if method == "*":  # The value of `aiohttp.hdrs.METH_ANY`, which no request has.
        raise ValueError(f"method: expected one such as 'GET' or 'PROPFIND', got '*'{_EVERY_METHOD}")
    if not re.fullmatch(TOKEN, method):
        hint = _SWAPPED if "://" in method else ""
        raise ValueError(
            f"method: expected an HTTP token such as 'GET' or 'PROPFIND', got {shown_wrong_url(method)}{hint}"
        )
    return str.__str__(method)


def check_url(url: object) -> URL | re.Pattern[str] | Template | Below | None:
    """Return a normalised URL, a template if the text has placeholders, or a pattern unchanged; None for `ANY`.

    Raises `TypeError` or `ValueError` for anything else.
    """
    if isinstance(url, Below):
        return url
    if isinstance(url, re.Pattern):
        return checked_pattern("url", url)
    if not isinstance(url, (str, URL)):
        if equals_anything(url):
            return None
        hint = _EVERY_URL if url is None else ""
        raise TypeError(f"url: expected a str, a yarl.URL or a compiled pattern, got {shown_wrong_url(url)}{hint}")
    try:
        if isinstance(url, URL):
            return _urls.normalize_url(url)
        # A regex as text fits no request, and a refusal says so; newer releases of yarl reject a backslash in a host.
        return Template.of(url) if is_template(url) else _urls.normalize_url(url.replace("\\", "%5C"))
    except ValueError as error:
        raise wrong_url("url: expected a URL", url, error) from None


def checked_pattern(name: str, pattern: re.Pattern[Any]) -> re.Pattern[str]:
    """Return a pattern; raise `TypeError` if it is one of bytes."""
    if not isinstance(pattern.pattern, str):
        raise TypeError(f"{name}: expected a pattern of text, got one of bytes: {shown(pattern)}")
    return pattern


def wrong_url(expected: str, url: object, error: ValueError) -> ValueError:
    """Return the error for something that is not a URL, with the reason."""
    # If there is an @, yarl's message may contain a part of the password.
    why = f": {error}" if "@" not in str(url) or is_template(str(url)) else ""
    return ValueError(f"{expected}, got {shown_wrong_url(url)}{why}")


class Verdict:
    """Why a mock did not answer a request, and how far it was from doing so."""

    def __init__(self, distance: float, reason: str) -> None:
        self.distance = distance
        """0 if everything about the request fits; the greater it is, the less likely this mock was meant."""
        self.reason = reason


def keys(method: str, url: URL) -> list[Key]:
    """Return the keys of all mocks that may answer a request of this method and URL."""
    return [
        (own, without_query, any_query)
        for spelling in _spellings(url)
        for without_query, any_query in ((spelling, False), (spelling.with_query(None), True))
        for own in (method, None)
    ]


def _spellings(url: URL) -> tuple[URL, ...]:
    """Return the URLs of mocks that fit a request to `url`: a URL without credentials fits requests with any."""
    return (url, without_credentials(url)) if _has_credentials(url) else (url,)


def _has_credentials(url: URL) -> bool:
    return url.raw_user is not None or url.raw_password is not None


class Below:
    """The URLs that begin with a given URL and whose rest matches a pattern: what a group makes of a pattern.

    The rest begins at the end of a path segment: `/v2/users?page=1` begins with `/v2`, but `/v20` does not. The pattern
    is matched from the start of the rest. If the given URL is a template with placeholders for several segments, the
    shortest beginning is used whose rest matches.
    """

    def __init__(self, url: URL | Template, rest: re.Pattern[str]) -> None:
        self.url = url
        """In comparable form, and without a query."""
        self.rest = rest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Below) and (self.url, self.rest) == (other.url, other.rest)

    def __hash__(self) -> int:
        return hash((self.url, self.rest))

    @classmethod
    def of(cls, target: Target, rest: re.Pattern[Any]) -> Below:
        """Return the URLs that begin with the URL or template of a target; raise `TypeError` for a pattern of bytes."""
        assert isinstance(target.url, (URL, Template))
        return cls(target.url, checked_pattern("url", rest))

    def __str__(self) -> str:
        url = without_passwords(str(self.url))
        return f"{url} … {self.rest}" if self.rest.pattern else f"{url} and all below it"

    def filled(self, url: URL) -> Mapping[str, str] | None:
        """Return the values that the names in template and pattern have in a URL; None if the URL does not fit."""
        for above, rest in self._rests(url):
            match = self.rest.match(rest)
            if match is not None:
                return {**above, **match.groupdict("")}
        return None

    def verdict(self, url: URL) -> Verdict | None:
        """Return why a URL does not fit; None if it does."""
        if self.filled(url) is not None:
            return None
        rest = next((rest for _, rest in self._rests(url)), None)
        if rest is None:
            base = self.url.base if isinstance(self.url, Template) else self.url
            # Where only scheme or port differs, saying which of them takes the reader further.
            misplaced = Target(None, self.url)._misplaced(base, url)
            moved = url.with_scheme(base.scheme).with_port(base.explicit_port)
            if misplaced is None or not any(self._rests(moved)):
                misplaced = f"the URL does not begin with {without_passwords(str(self.url))}"
            return Verdict(4, misplaced)
        from .hints import change  # Imported when needed: most tests see no refusal.

        return Verdict(
            2.5,
            f"the pattern does not match {_cut(rest)!r} (in a group, a pattern is matched from the start of what "
            f"follows the URL of the group){change(self.rest, rest)}",
        )

    def _rests(self, url: URL) -> Iterator[tuple[Mapping[str, str], str]]:
        """Yield each possible rest of a URL, preceded by the values that the names in the template have."""
        above = Target(None, self.url)
        query = f"?{url.raw_query_string}" if url.raw_query_string else ""
        for path, rest in cuts(url):
            filled = above.filled("", with_path(url, path))
            if filled is not None:
                yield filled, rest + query


def cuts(url: URL) -> Iterator[tuple[str, str]]:
    """Yield the two parts of the path of a URL for each place where it may be cut, from the left."""
    path = url.raw_path
    for found in re.finditer("/", path):
        yield path[:found.start()], path[found.start():]
    if not path.endswith("/"):
        yield path, ""


def with_path(url: URL, path: str) -> URL:
    """Return a URL with another path, which is already encoded, and without a query."""
    return url.with_path(path or "/", encoded=True)


class Target:
    """The method, and the URL or pattern of URLs, of the requests that a mock answers."""

    def __init__(
        self, method: str | None, url: URL | re.Pattern[str] | Template | Below | None, any_query: bool = False
    ) -> None:
        self.method = method
        """In upper case; None stands for any."""
        self.url = url
        """A normalised URL without a fragment, a template, a pattern, or a pattern below a URL; None stands for any."""
        self.any_query = any_query
        """Whether URLs are compared without their query; if so, `url` has no query either."""

    @classmethod
    def of(cls, method: object, url: object) -> Target:
        """Make a target from a method and a URL as users give them.

        Raises `TypeError` or `ValueError`, like `check_method` and `check_url`.
        """
        checked = url if url is None or isinstance(url, Template) else check_url(url)
        return cls(
            None if method is None else check_method(method).upper(),
            comparable(checked) if isinstance(checked, URL) else checked,
        )

    def __str__(self) -> str:
        if self.url is None:
            return "any request" if self.method is None else f"any {self.method} request"
        url = self.url
        # A pattern may contain credentials as well.
        shown = shown_url(url, with_mark=True) if isinstance(url, URL) else without_passwords(str(url))
        return shown if self.method is None else f"{self.method} {shown}"

    def as_mock(self) -> str:
        """Return its text with a star for every method, as in `RequestMatch.method`."""
        return f"* {self}" if self.method is None and self.url is not None else str(self)

    @property
    def base(self) -> URL | None:
        """The URL, or the fixed part of a template or of a pattern below a URL; None for a pattern, and for any URL."""
        url = self.url.url if isinstance(self.url, Below) else self.url
        url = url.base if isinstance(url, Template) else url
        return url if isinstance(url, URL) else None

    @property
    def has_query(self) -> bool:
        """Whether the URL or the template has a query."""
        return self.base is not None and bool(self.base.raw_query_string)

    def with_any_query(self) -> Target:
        """Return this target for any query, which `match_query` checks; raise `ValueError` if the URL has a query."""
        if self.has_query:
            raise ValueError("match_query cannot be combined with a query in url; give the whole query in one of them")
        return Target(self.method, self.url, any_query=True)

    @property
    def key(self) -> Key | None:
        """The key by which the mock is found; None if it has to be tried."""
        return (self.method, self.url, self.any_query) if isinstance(self.url, URL) else None

    @property
    def is_plain(self) -> bool:
        """Whether the mock answers only requests of exactly this method and URL, including credentials and query."""
        if not isinstance(self.url, URL) or self.url.scheme in ("ws", "wss"):
            return False  # A request for a WebSocket may have either of two schemes.
        return not self.any_query and not _has_credentials(self.url) and self.method is not None

    def fits(self, method: str, url: URL) -> bool:
        """Tell whether a request fits; `method` is in upper case, `url` normalised and without a fragment."""
        return self.filled(method, url) is not None

    def filled(self, method: str, url: URL) -> Mapping[str, str] | None:
        """Return the values that the names in a template or pattern have in a request; None if it does not fit.

        `method` is in upper case, `url` normalised and without a fragment.
        """
        if self.method is not None and self.method != method:
            return None
        if self.any_query:
            url = url.with_query(None)
        own = self.url
        if isinstance(own, re.Pattern):
            match = own.match(str(url))
            return None if match is None else match.groupdict("")
        if isinstance(own, Template):
            return own.filled(url) if self._misplaced(own.base, url) is None and own.base.query == url.query else None
        if isinstance(own, Below):
            return own.filled(url)
        return {} if own is None or own in _spellings(url) else None

    def covers(self, other: Target) -> bool:
        """Tell whether this target fits every request that another one fits; False if that is uncertain."""
        if self.method not in (None, other.method):
            return False
        if self.url is None or (self.url, self.any_query) == (other.url, other.any_query):
            return True
        # Two patterns or templates cannot be compared, unless they are the same.
        is_one_url = isinstance(other.url, URL) and not other.any_query
        return is_one_url and self.fits(other.method or "", other.url)  # type: ignore[arg-type]

    def verdict(self, method: str, url: URL) -> Verdict | None:
        """Return why a request does not fit: the method, or the first difference between the URLs, or both.

        None if it fits.
        """
        elsewhere = self._elsewhere(url.with_query(None) if self.any_query else url)
        if self.method is not None and self.method != method:
            differs = f"method differs: mock has {self.method}, request has {method}"
            if elsewhere is None:
                return Verdict(0.5, differs)
            # The URL differs as well, which must be said; how it differs matters only once the method is right.
            return Verdict(0.5 + elsewhere.distance, f"{differs}; {elsewhere.reason.partition(': ')[0]}")
        return elsewhere

    def _elsewhere(self, url: URL) -> Verdict | None:
        own = self.url
        if isinstance(own, Below):
            return own.verdict(url)
        if own is None or isinstance(own, re.Pattern):
            return None if own is None or self.fits(self.method or "", url) else Verdict(2.5, _unmatched(own, url))
        base = own.base if isinstance(own, Template) else own
        if own in _spellings(url):
            return None
        if not base.scheme or not base.raw_host:
            lacking = "scheme" if base.raw_host else "host" if base.scheme else "scheme and host"
            return Verdict(5, f"the mock's URL has no {lacking}")
        path, other = base.path or "/", url.path or "/"
        if path == other:
            path, other = base.raw_path or "/", url.raw_path or "/"
        same = same_beginning(path, other)
        # The fraction of the longer path that comes after the common beginning.
        unlike = 1 - same / max(len(path), len(other))
        misplaced = self._misplaced(base, url)
        if misplaced is not None:
            return Verdict(4 + unlike, misplaced)
        if isinstance(own, Template):
            if own.filled(url) is None:
                raw = url.raw_path
                slash = with_path(url, raw[:-1] if raw.endswith("/") else f"{raw}/")
                if own.filled(slash) is not None:
                    return Verdict(
                        2,
                        f"path differs only by a trailing slash: mock has {_cut(own.own_path)!r}, "
                        f"request has {_cut(url.path)!r}",
                    )
                is_longer = raw.count("/") > own.own_path.count("/")
                slashes = "; a placeholder takes one segment, {name:.+} takes slashes too" if is_longer else ""
                return Verdict(2.5, f"path {_cut(url.path)!r} does not match the template{slashes}")
        elif base.raw_user is not None and base.with_user(None) == url.with_user(None):
            return Verdict(1, "credentials in the URL differ")
        elif path != other:
            start = max(path.rfind("/", 0, same), 0)
            by = " only by a double slash" if _single_slashes(path) == _single_slashes(other) else ""
            by = " only by a trailing slash" if path.rstrip("/") == other.rstrip("/") else by
            by = " only in upper and lower case" if path.lower() == other.lower() else by
            return Verdict(
                2 + unlike, f"path differs{by}: mock has {_cut(path[start:])!r}, request has {_cut(other[start:])!r}"
            )
        differences = list(_query_differences(base, url))
        if not differences:
            return None
        change = "" if base.raw_query_string else " (match_query=ANY takes any query)"
        return Verdict(1 + len(differences) / 100, f"query differs: {_first(differences, '; ')}{change}")

    def _misplaced(self, own: URL, url: URL) -> str | None:
        """Return how scheme, host and port differ; None if they do not."""
        template = self.url if isinstance(self.url, Template) else None
        if own.scheme != url.scheme:
            return f"scheme differs: mock has {own.scheme!r}, request has {url.scheme!r}"
        if own.raw_host != url.raw_host if template is None else not template.fits_host(url):
            host = f"{'*.' if template is not None and template.any_host else ''}{own.host}"
            return f"host differs: mock has {host!r}, request has {url.host!r}"
        return f"port differs: mock has {own.port}, request has {url.port}" if own.port != url.port else None


def _single_slashes(path: str) -> str:
    return re.sub("/+", "/", path)


def _unmatched(pattern: re.Pattern[str], url: URL) -> str:
    from .hints import unmatched  # Imported when needed: most tests see no refusal.

    return unmatched(pattern, url)


def _query_differences(own: URL, asked: URL) -> Iterator[str]:
    for name in dict.fromkeys([*own.query, *asked.query]):
        mine, theirs = own.query.getall(name, []), asked.query.getall(name, [])
        if mine == theirs:
            continue
        if not theirs:
            yield f"{_cut(name)}={_values(mine)} is missing"
        elif not mine:
            yield f"unexpected {_cut(name)}={_values(theirs)}"
        else:
            yield f"{_cut(name)}: mock has {_values(mine)}, request has {_values(theirs)}"


def _values(values: Sequence[str]) -> str:
    shown = [repr(_cut(value)) for value in values]
    return shown[0] if len(shown) == 1 else f"[{_first(shown, ', ')}]"


def _first(texts: Sequence[str], separator: str) -> str:
    """Return texts in one line; if there are many, only the first ones and a count of the others."""
    more = [f"… and {len(texts) - _MOST_SHOWN} more"] if len(texts) > _MOST_SHOWN else []
    return separator.join([*texts[:_MOST_SHOWN], *more])


def _cut(text: str) -> str:
    return shortened(text, 60)


_OTHER_SCHEMES = {"ws": "http", "http": "ws", "wss": "https", "https": "wss"}


def with_other_scheme(url: URL) -> URL:
    """Return a URL with the WebSocket scheme instead of the HTTP scheme, or the reverse."""
    other = _OTHER_SCHEMES.get(url.scheme)
    return url if other is None else url.with_scheme(other)


def reaches(target: Target, call: RequestCall) -> bool:
    """Tell whether a mock of this target would have answered a call."""
    method, url = call.key[0].upper(), comparable(call.key[1])
    if target.fits(method, url):
        return True
    return target.fits(method, with_other_scheme(url)) and call._exchange.asks_upgrade
