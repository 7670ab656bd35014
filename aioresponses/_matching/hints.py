"""What to change in a mock that is probably not written as it was meant: hints in a refusal, after the reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from yarl import URL

from .._display import shortened, shown_url, without_passwords
from .._urls import Template, is_template

# What a regex often contains and a URL rarely does: `.*`, `\d`, `[0-9]`, `(?:`, `]+`, `(a|b)`, a first `^`, a last `$`.
_REGEX = r"\.[*+]|\\.|\[\^?.-.|\(\?|[)\]][*+?]|\([^()]*\|[^()]*\)|^\^|\$$"

# The placeholders of other libraries: `:id`, `<id>`, `<int:id>`, `*` and `**`.
_PLACEHOLDER = r"(?<=/)(?::(?P<colon>[a-zA-Z_]\w*)|<(?:\w+:)?(?P<angle>[a-zA-Z_]\w*)>|(?P<star>\*\*?))(?=/|$)"

# A query value that was meant to stand for any value; a + in a value is decoded to a space.
_ANY_VALUE = r":[a-zA-Z_]\w*|<(?:\w+:)?\w+>|\{\w*\}|\*|\.[* ]|\\[dw][* ]?"

# The ? before a query, which has another meaning in a regex unless it is escaped.
_BARE_QUERY = r"(?<![\\*])\?(?=[\w%.-]+=)"

_MOST_SEARCHED = 2000


_EVERY_URL = r"\*+(?:://\*+)?(?:/\*+)?"


class Hint(NamedTuple):
    """What to pass instead, after a semicolon."""

    text: str = ""
    fits: bool = False
    """Whether the URL of the mock would then fit the request."""


def for_text(text: str, asked: URL, above: str = "") -> Hint:
    """Return what to pass instead of text that does not equal the URL of a request, but was probably meant to match it.

    `above` is what a group has put before the given text; it is not shown.
    """
    if re.fullmatch(_EVERY_URL, text):
        return Hint("; for every URL, pass unittest.mock.ANY", True)
    path, *query = re.split(r"(?<!\\)\?", text, maxsplit=1)
    if re.search(_PLACEHOLDER, path):
        # A star stands for one segment, or for several if one is not enough.
        templates = ["?".join([_as_template(_full(path, asked), star), *query]) for star in ("", ":.+")]
        fitting = [template for template in templates if _fits_template(template, asked)]
        if fitting or not is_template(text):
            template = (fitting or templates)[0].removeprefix(above)
            queries = " with match_query=ANY" if fitting and asked.raw_query_string and not query else ""
            return Hint(f"; for a placeholder, write {without_passwords(template)!r}{queries}", bool(fitting))
    if re.search(_REGEX, path) and not is_template(text):
        pattern = re.sub(_BARE_QUERY, r"\\?", text)
        given = without_passwords(pattern.removeprefix(above))
        return Hint(f"; for a pattern, pass re.compile({given!r})", _matches(pattern, asked))
    parameters = URL.build(query_string="".join(query)).query
    if any(_stands_for_any(name) and not value for name, value in parameters.items()):
        return Hint("; for any query, take it out of the URL and pass match_query=ANY")
    if any(map(_stands_for_any, parameters.values())):
        wanted = ", ".join(f"{name!r}: {_wanted(parameters.getall(name))}" for name in dict.fromkeys(parameters))
        return Hint(f"; for any value, take the query out of the URL and pass match_query={{{wanted}}}")
    full = _full(text, asked)
    return Hint() if full == text else Hint(f"; register {full!r} instead", URL(full) == asked)


def _full(text: str, asked: URL) -> str:
    """Return a URL with scheme and host: those of the request if it has none."""
    if "://" in text:
        return text
    text = text.lstrip("/")
    return f"{asked.scheme}://{text}" if text.startswith(asked.host or "") else f"{asked.origin()}/{text}"


def _as_template(text: str, star: str) -> str:
    """Return text with placeholders as in templates; `star` is what follows the name in a placeholder for a `*`."""
    names: list[str] = []

    def braced(placeholder: re.Match[str]) -> str:
        name = placeholder["colon"] or placeholder["angle"] or "name"
        names.append(name)
        if names.count(name) > 1:
            name += str(names.count(name))
        regex = ":.+" if placeholder["star"] == "**" else star if placeholder["star"] else ""
        return f"{{{name}{regex}}}"

    return re.sub(_PLACEHOLDER, braced, text)


def _wanted(values: Sequence[str]) -> str:
    """Return the value of a parameter as it should be written in `match_query`."""
    wanted = ["ANY" if _stands_for_any(value) else repr(value) for value in values]
    return wanted[0] if len(wanted) == 1 else f"[{', '.join(wanted)}]"


def _stands_for_any(value: str) -> bool:
    return re.fullmatch(_ANY_VALUE, value) is not None


def _fits_template(text: str, asked: URL) -> bool:
    try:
        template = Template.of(text)
    except ValueError:
        return False  # Something else is wrong with it.
    return template.fits_host(asked) and template.filled(asked) is not None


def _matches(pattern: str, asked: URL) -> bool:
    try:
        return len(str(asked)) < _MOST_SEARCHED and re.match(pattern, str(asked)) is not None
    except re.error:
        return False


def unmatched(pattern: re.Pattern[str], asked: URL) -> str:
    """Return why a pattern does not match a URL: how patterns are matched, and what to change."""
    url = shortened(shown_url(asked, with_mark=True))
    return (
        f"the pattern does not match {url!r} (a pattern is matched from the start of the whole URL, whose query is "
        f"sorted){change(pattern, str(asked))}"
    )


def change(pattern: re.Pattern[str], text: str) -> str:
    """Return what to change in a pattern, after a semicolon, so that it matches a URL or its end; "" if unknown."""
    if "?" in pattern.pattern and text.startswith(pattern.pattern.lstrip("^").rstrip("$")):
        return "; escape the ? in it"
    bare, query, _ = text.partition("?")
    if query and pattern.match(bare):
        return r"; it matches without the query, so end it with (\?.*)?$"
    if len(text) >= _MOST_SEARCHED:
        return ""
    if pattern.search(text):
        return "; it matches further on, so begin it with .*"
    if query and pattern.search(bare):
        return r"; it matches further on and without the query, so begin it with .* and end it with (\?.*)?$"
    return ""
