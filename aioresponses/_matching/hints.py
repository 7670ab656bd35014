"""What to change where a mock is not written as it was probably meant: hints in a refusal, behind the reason."""

from __future__ import annotations

import re
from typing import NamedTuple

from yarl import URL

from .._display import shortened, shown_url, without_passwords
from .._urls import Template, is_template

# What a regex often has and a URL hardly ever: `.*`, `\d`, `[0-9]`, `(?:`, `]+`, `(a|b)`, `^` in front, `$` at the end.
_REGEX = r"\.[*+]|\\.|\[\^?.-.|\(\?|[)\]][*+?]|\([^()]*\|[^()]*\)|^\^|\$$"

# The placeholders of other libraries: `:id`, `<id>`, `<int:id>`, `*` and `**`.
_PLACEHOLDER = r"(?<=/)(?::(?P<colon>[a-zA-Z_]\w*)|<(?:\w+:)?(?P<angle>[a-zA-Z_]\w*)>|(?P<star>\*\*?))(?=/|$)"

# A value in a query that was meant to stand for any; a + in one is a space.
_ANY_VALUE = r":[a-zA-Z_]\w*|<(?:\w+:)?\w+>|\{\w*\}|\*|\.[* ]|\\[dw][* ]?"

# The ? of a query, which a regex takes for something else unless it is escaped.
_BARE_QUERY = r"(?<![\\*])\?(?=[\w%.-]+=)"

_MOST_SEARCHED = 2000


class Hint(NamedTuple):
    """What to pass instead, behind a semicolon."""

    text: str = ""
    fits: bool = False
    """Whether the mock would answer the request then, as far as its URL goes."""


def for_text(text: str, asked: URL) -> Hint:
    """Return what to pass in place of text that is not the URL of a request, and was probably meant to be more."""
    path, *query = re.split(r"(?<!\\)\?", text, maxsplit=1)
    if not is_template(text):
        if re.search(_PLACEHOLDER, path):
            template = "?".join([_as_template(_full(path, asked)), *query])
            return Hint(f"; for a placeholder, write {without_passwords(template)!r}", _fits_template(template, asked))
        if re.search(_REGEX, path):
            pattern = re.sub(_BARE_QUERY, r"\\?", text)
            return Hint(f"; for a pattern, pass re.compile({without_passwords(pattern)!r})", _matches(pattern, asked))
    names = [name for name, value in URL.build(query_string="".join(query)).query.items() if _stands_for_any(value)]
    if names:
        wanted = ", ".join(f"{name!r}: ANY" for name in names)
        return Hint(f"; for any value, take the query out of the URL and pass match_query={{{wanted}}}")
    full = _full(text, asked)
    return Hint() if full == text else Hint(f"; register {full!r} instead", URL(full) == asked)


def _full(text: str, asked: URL) -> str:
    """Return a URL with scheme and host: those of a request where it has none."""
    if "://" in text:
        return text
    text = text.lstrip("/")
    return f"{asked.scheme}://{text}" if text.startswith(asked.host or "") else f"{asked.origin()}/{text}"


def _as_template(text: str) -> str:
    names: list[str] = []

    def braced(placeholder: re.Match[str]) -> str:
        name = placeholder["colon"] or placeholder["angle"] or "name"
        names.append(name)
        if names.count(name) > 1:
            name += str(names.count(name))
        return f"{{{name}:.+}}" if placeholder["star"] == "**" else f"{{{name}}}"

    return re.sub(_PLACEHOLDER, braced, text)


def _stands_for_any(value: str) -> bool:
    return re.fullmatch(_ANY_VALUE, value) is not None


def _fits_template(text: str, asked: URL) -> bool:
    try:
        template = Template.of(text)
    except ValueError:
        return False  # Something else in it is wrong.
    return template.fits_host(asked) and template.filled(asked) is not None


def _matches(pattern: str, asked: URL) -> bool:
    try:
        return len(str(asked)) < _MOST_SEARCHED and re.match(pattern, str(asked)) is not None
    except re.error:
        return False


def unmatched(pattern: re.Pattern[str], asked: URL) -> str:
    """Return why a pattern does not match a URL: how patterns are matched, and what to change."""
    text = str(asked)
    change = ""
    if "?" in pattern.pattern and text.startswith(pattern.pattern.lstrip("^").rstrip("$")):
        change = "; escape the ? in it"
    elif asked.raw_query_string and pattern.match(str(asked.with_query(None))):
        change = r"; it matches without the query, so end it with (\?.*)?$"
    elif len(text) < _MOST_SEARCHED and pattern.search(text):
        change = "; it matches further on, so begin it with .*"
    url = shortened(shown_url(asked, with_mark=True))
    return (
        f"the pattern does not match {url!r} (a pattern is matched from the start of the whole URL, whose query is "
        f"sorted){change}"
    )
