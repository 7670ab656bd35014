"""Which values are secrets, and how they are hidden in headers, URLs and texts.

Theory
------
A cassette is committed to a repository, so a secret in it is published. What makes a value a secret is its name: the
name of a header, of a parameter of a query or form, or of a JSON field. (A JSON Web Token is recognised by its form.)
Where such values occur is not known beforehand. Headers and bodies contain URLs; strings of JSON, events and scripts
contain JSON; and URLs contain forms. So every text is searched for all of these, and only the secrets in it are
replaced: all other characters stay the same, and a reply is replayed as it was sent.

A text that is JSON is parsed as JSON, because then names and values can be told apart reliably. In any other text,
everything that looks like a field with a secret name counts as one. That hides too much rather than too little.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from json import dumps, loads
from typing import Any
from unittest.mock import ANY
from urllib.parse import quote_plus, unquote_plus

from ..matchers import regex

HIDDEN = "hidden-by-aioresponses"
"""Replaces a secret. It is ASCII and needs no quoting anywhere, because clients send it back."""

_HEADER = re.compile(
    r"authorization|^(?:set-)?cookie2?$|api[-_]?key|token|secret|session[-_]?id|[cx]srf", re.IGNORECASE
)

# Names as `_plain` returns them. Page tokens mark a position in a list and are not secrets.
_FIELD = re.compile(
    r".*(?:(?<!page)(?<!sync)(?<!next)(?<!continuation)token"
    r"|(?:password|passwd|passphrase)(?:confirm|confirmation|again|repeat)?"
    r"|secret|signature|apikey|accesskey|accesskeyid|privatekey|secretkey|authkey|sessionid|sessionkey|jwt|[cx]srf"
    r"|subscriptionkey|functionskey|applicationkey"
    r"|[xz]amzcredential|xgoogcredential|authorization)\d*"
    r"|cookie|setcookie|pwd|sig|otp|codeverifier|assertion|clientassertion"
)

# Secrets in queries and forms only; in JSON, such a field is the code of an error or a currency, or the key of a map.
_PARAMETER = re.compile("code|key|auth")

# A JSON Web Token, recognised by its form: a header and claims of JSON in base64, and a signature.
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*")

_CREDENTIALS = re.compile(r"(:(?:\\?/){2})[^/?#\s\"'<>\\]+@")

_IN_QUERY = re.compile(r"(\A|[?&#;])([^=&#?;/\s\"'<>\\]+)=([^&#\s\"'<>\\]*)")

_STRING = r'"(?:[^"\\]|\\.)*"'
_NUMBER = r"-?\d[\d.eE+-]*"
_SCALARS = rf"\[\s*(?:{_STRING}|{_NUMBER})(?:\s*,\s*(?:{_STRING}|{_NUMBER}))*\s*\]"

_SCALAR = re.compile(f"{_STRING}|{_NUMBER}")

_JSON = re.compile(
    rf"(?P<name>{_STRING})(?P<colon>\s*:\s*)(?P<value>{_STRING}|{_NUMBER}|{_SCALARS})?|{_STRING}", re.DOTALL
)

# A field in a text that is not JSON, or is truncated JSON. Its quotes may themselves be escaped.
_LOOSE = re.compile(
    r"(?<![\w.-])(?P<name>[A-Za-z_][\w.-]*)(?P<colon>(?:\\*[\"'])?\s*[:=]\s*)"
    r"(?:(?P<quote>\"\"\"|\\+[\"'])(?:(?!(?<!\\)(?P=quote)).)*(?:(?P=quote)|\Z)"
    r"|(?P<plain>[\"'])(?:\\.|(?!(?P=plain))[^\\])*(?:(?P=plain)|\\?\Z)"
    rf"|(?P<bare>{_NUMBER}(?!\w)|{_SCALARS}))",
    re.DOTALL,
)

# An element of XML that contains only text.
_ELEMENT = re.compile(
    r"(?P<tag><(?:[\w.-]+:)?(?P<name>[A-Za-z_][\w.-]*)(?:\s[^<>]*)?>)"
    r"(?P<text><!\[CDATA\[[^<>]+\]\]>|[^<>]*[^<>\s][^<>]*)(?=</)"
)

# A tag of HTML that names the value in it: a field of a form, or a meta tag.
_TAG = re.compile(r"<[A-Za-z][^<>]*>")
_NAME = re.compile(r"\sname\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)
_VALUE = re.compile(r"(\s(?:value|content)\s*=\s*)(?:\"[^\"]+(\")|'[^']+(')|[^\s\"'<>]+)", re.IGNORECASE)

# A line of server-sent events, or of JSON lines.
_JSON_LINE = re.compile(r"^((?:data:)?[ \t]*)([\[{].*)$", re.MULTILINE)

# A text that contains none of these has no secrets; escapes count, because they may spell any of them.
_SUSPICIOUS = re.compile(
    r"token|secret|passw|passphrase|sig|key|session|jwt|[cx]srf|credential|auth|cookie|pwd|otp|code|assertion|[@%]|\\u"
    "|eyJ",
    re.IGNORECASE,
)

# How deeply texts within texts are searched; a text nested more deeply is hidden as a whole.
_DEEPEST = 8


class Secrets:
    """Decides which names belong to secrets, including `names` in any spelling, and hides the values they name."""

    def __init__(self, names: Collection[str] = ()) -> None:
        self._more = {_plain(name) for name in names}
        self._depth = 0
        """How many other texts enclose the one being searched."""

    def is_header(self, name: str) -> bool:
        """Tell whether the value of a header is a secret."""
        return _HEADER.search(name) is not None or self.is_field(name)

    def is_field(self, name: str) -> bool:
        """Tell whether the value of a JSON field is a secret."""
        plain = _plain(name)
        return _FIELD.fullmatch(plain) is not None or plain in self._more

    def is_parameter(self, name: str) -> bool:
        """Tell whether the value of a query parameter or form field is a secret."""
        return self.is_field(name) or _PARAMETER.fullmatch(_plain(name)) is not None

    def header(self, name: str, value: str) -> str:
        """Return the value of a header without secrets; cookies keep their names and attributes."""
        if not self.is_header(name):
            return self.text(value)
        lower = name.lower()
        if lower == "set-cookie":
            return "\n".join(map(_set_cookie, value.split("\n")))
        if lower == "cookie":
            return "; ".join(map(_cookie, value.split(";")))
        return HIDDEN

    def form(self, text: str) -> str:
        """Return a URL-encoded form without secrets."""
        pairs = (pair.partition("=") for pair in text.split("&"))
        return "&".join(f"{name}{sign}{self._parameter(name, value)}" for name, sign, value in pairs)

    def value(self, name: str, value: str) -> str:
        """Return the unquoted value of a query parameter or form field without secrets."""
        return HIDDEN if value and self.is_parameter(name) else self.text(value)

    def text(self, text: str) -> str:
        """Return any text without secrets."""
        if not self._more and _SUSPICIOUS.search(text) is None:
            return text
        text = _JWT.sub(HIDDEN, text)
        if self._depth == _DEEPEST:
            return HIDDEN
        self._depth += 1
        try:
            return self._looked_through(text)
        finally:
            self._depth -= 1

    def _looked_through(self, text: str) -> str:
        if _is_json(text):
            return _JSON.sub(self._in_json, text)
        if "<" in text:
            text = _TAG.sub(self._in_tag, _ELEMENT.sub(self._in_element, text))
        return _LOOSE.sub(self._loose, self.url(_JSON_LINE.sub(self._in_line, text)))

    def _in_element(self, found: re.Match[str]) -> str:
        if not self.is_field(found["name"]):
            return found[0]
        text = found["text"]
        if text[0] == "<":
            return f"{found['tag']}<![CDATA[{HIDDEN}]]>"
        return found["tag"] + text.replace(text.strip(), HIDDEN)

    def _in_tag(self, found: re.Match[str]) -> str:
        name = _NAME.search(found[0])
        if name is None or not self.is_field(name[1]):
            return found[0]
        return _VALUE.sub(_hidden_value, found[0])

    def url(self, text: str) -> str:
        """Return a URL, or a text that contains URLs, without the secrets in the URLs."""
        text = _CREDENTIALS.sub(rf"\1{HIDDEN}@", text)
        return _IN_QUERY.sub(lambda found: f"{found[1]}{found[2]}={self._parameter(found[2], found[3])}", text)

    def _parameter(self, name: str, value: str) -> str:
        """Return the quoted value of a query parameter or form field without secrets, quoted again."""
        if not value:
            return value
        if self.is_parameter(unquote_plus(name)):
            return HIDDEN
        plain = unquote_plus(value)
        shown = self.text(plain)
        return value if shown == plain else quote_plus(shown)

    def _in_line(self, found: re.Match[str]) -> str:
        return found[1] + _JSON.sub(self._in_json, found[2]) if _is_json(found[2]) else found[0]

    def _in_json(self, found: re.Match[str]) -> str:
        name, colon, value = found.group("name", "colon", "value")
        if name is None:
            return self._in_string(found[0])
        if value is None:
            return self._in_string(name) + str(colon)
        if self.is_field(str(loads(name))):
            value = _veiled(value)
        elif value[0] == '"':
            value = self._in_string(value)
        elif value[0] == "[":
            value = _SCALAR.sub(lambda one: self._in_string(one[0]), value)
        return f"{self._in_string(name)}{colon}{value}"

    def _in_string(self, quoted: str) -> str:
        if quoted[0] != '"':
            return quoted
        try:
            plain = loads(quoted, strict=False)
        except ValueError:
            return quoted
        shown = self.text(plain)
        return quoted if shown == plain else dumps(shown)

    def _loose(self, found: re.Match[str]) -> str:
        if not self.is_field(found["name"]):
            # Its value may contain fields.
            return found["name"] + found["colon"] + self.text(found[0][found.end("colon") - found.start():])
        before = f"{found['name']}{found['colon']}"
        if found["bare"] is not None:
            return before + _veiled(found["bare"])
        quote = found["quote"] or found["plain"]
        return f"{before}{quote}{HIDDEN}{quote}"


def _plain(name: str) -> str:
    """Return a name in one spelling, so that `api_key`, `apiKey` and `api-key` are the same."""
    return re.sub(r"[\W_]", "", name).lower()


def _veiled(value: str) -> str:
    if value[0] == "[":
        return _SCALAR.sub(f'"{HIDDEN}"', value)
    return value if value == '""' else f'"{HIDDEN}"'


def _hidden_value(found: re.Match[str]) -> str:
    quote = found[2] or found[3] or ""
    return f"{found[1]}{quote}{HIDDEN}{quote}"


def _cookie(pair: str) -> str:
    name, sign, value = pair.strip().partition("=")
    if value in ("", '""') and sign:
        return pair.strip()  # The cookie is being deleted.
    return f"{name}={HIDDEN}" if sign else HIDDEN


def _set_cookie(value: str) -> str:
    pair, sign, attributes = value.partition(";")
    return f"{_cookie(pair)}{sign}{attributes}"


def _is_json(text: str) -> bool:
    """Tell whether a text is JSON that has fields."""
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return False
    try:
        loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def as_pattern(text: str) -> str:
    """Return a regular expression for what a text may have been before its secrets were replaced."""
    return f"^{'.*'.join(map(re.escape, text.split(HIDDEN)))}$"


def expected(text: str) -> Any:
    """Return what a text must equal; whatever was hidden in it may have any value."""
    if HIDDEN not in text:
        return text
    return ANY if text == HIDDEN else regex(as_pattern(text), re.DOTALL)


def in_all_strings(value: object, change: Callable[[str], object]) -> object:
    """Return a JSON value with all strings in it changed, but not the names of its fields."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: in_all_strings(one, change) for name, one in value.items()}
    if isinstance(value, Sequence):
        return [in_all_strings(one, change) for one in value]
    return value
