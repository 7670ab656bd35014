"""Which argument was probably meant by one that does not exist, or that was passed by position."""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Mapping

from yarl import URL

from ._display import shown, shown_wrong_url

# How similar a misspelled name is to the right one. With difflib's default of 0.6, `assert_all_requests_are_fired`,
# which suites use, would count as a misspelled name.
SIMILARITY = 0.8

_JSON = ("payload", "match_json")
_DATA = ("body", "match_form", "match_body")
_TEXT = ("body", "match_body")

# The names that other libraries, and aiohttp itself, have for the arguments.
_MEANT: Mapping[str, tuple[str, ...]] = {
    "json": _JSON, "json_body": _JSON, "json_data": _JSON, "body_json": _JSON,
    "json_payload": ("payload",), "response_json": ("payload",), "return_json": ("payload",),
    "data": _DATA, "request_body": ("match_body",), "request_data": ("match_form", "match_body"),
    "text": _TEXT, "content": _TEXT, "html": ("body",), "raw": _TEXT, "file": ("body",), "stream": ("body",),
    "response_body": ("body",), "response_text": ("body",), "return_value": ("payload", "body"),
    "response": ("payload", "body"), "result": ("payload", "body"), "returns": ("payload", "body"),
    "status_code": ("status",), "code": ("status",), "http_status": ("status",), "response_status": ("status",),
    "params": ("match_query",), "query": ("match_query",), "query_params": ("match_query",),
    "query_string": ("match_query",), "querystring": ("match_query",), "match_params": ("match_query",),
    "match_querystring": ("match_query",), "match_query_string": ("match_query",),
    "match_data": ("match_form", "match_body"), "match_files": ("match_form",), "form": ("match_form",),
    "files": ("match_form",), "match_content": ("match_body",), "match_text": ("match_body",),
    "match_payload": ("match_json",), "request_json": ("match_json",), "matchers": ("match",), "matcher": ("match",),
    "request_headers": ("match_headers",), "auth": ("match_headers",), "response_headers": ("headers",),
    "adding_headers": ("headers",), "mimetype": ("content_type",), "media_type": ("content_type",),
    "times": ("repeat",), "count": ("repeat",), "calls": ("repeat",), "call_count": ("repeat",), "n": ("repeat",),
    "max_calls": ("repeat",), "persist": ("repeat",), "is_reusable": ("repeat",), "forever": ("repeat",),
    "exc": ("exception",), "error": ("exception", "fault"), "raises": ("exception",), "throws": ("exception",),
    "side_effect": ("exception", "callback", "replies"), "responses": ("replies",), "sequence": ("replies",),
    "reply": ("replies",), "func": ("callback",), "function": ("callback",),
    "wait": ("delay",), "sleep": ("delay",), "latency": ("delay",), "is_optional": ("optional",),
}

# The arguments that belong to a mock as a whole, and not to a single reply.
_OF_MOCK = ("method", "optional", "override", "passthrough", "repeat", "replies", "url")

# The arguments of ordinary mocks by which a WebSocket is refused.
_REFUSING = ("status", "exception", "timeout", "fault")

_METHOD = "[A-Z]+|(?i:get|post|put|patch|delete|head|options)"

_RAISED = "raise the exception in the callback, or list it among the replies"


def unexpected(function: str, name: object, known: Collection[str]) -> TypeError:
    """Return the error for a keyword that a function does not know; `known` are those that it knows."""
    return TypeError(f"{function}() got an unexpected keyword argument {shown(name)}: {instead_of(name, known)}")


def instead_of(name: object, known: Collection[str]) -> str:
    """Return what to pass instead of a keyword that is not `known`."""
    if not isinstance(name, str):
        return f"keywords are text, such as {sorted(known)[0]!r}"
    if name == "method" and "repeat" in known:
        return "another method is registered by add(url, method)"
    meant = [one for one in _MEANT.get(name, ()) if one in known]
    if not meant:
        elsewhere = next(iter(_MEANT.get(name, (name,))))
        if elsewhere == "repeat" and "match" in known:
            return "to check how many calls there were, use assertCallCount"
        if "match" not in known and (elsewhere in _OF_MOCK or elsewhere.startswith("match")):
            return f"{elsewhere!r} is an argument of the mock, and not of a single reply"
        if elsewhere in _REFUSING and "protocols" in known:
            return f"to refuse a WebSocket, use an ordinary mock, such as get(), with {elsewhere}="
        if elsewhere in ("exception", "timeout"):
            return _RAISED
        from difflib import get_close_matches  # Takes long to import, and is rarely needed.

        meant = get_close_matches(name, known, 1, SIMILARITY)
    return _question(meant) if meant else f"its keywords are {', '.join(known)}"


def by_position(function: str, value: object, taken: str = "the URL") -> TypeError:
    """Return the error for a function that got more positional arguments than those `taken`."""
    if isinstance(value, (URL, re.Pattern)) or isinstance(value, str) and "://" in value:
        meant = "the URL comes first; for another method, use add(url, method)"
    elif isinstance(value, str) and re.fullmatch(_METHOD, value):
        meant = f"another method is registered by add(url, {value!r})"
    else:
        meant = _question(_names_for(value))
    return TypeError(
        f"{function}() takes only {taken} by position, and all else by keyword, got {shown_wrong_url(value)}: {meant}"
    )


def not_a_method(value: object, known: Collection[str]) -> TypeError:
    """Return the error for a value that was passed as a method; `known` are the keywords of the function."""
    meant = [name for name in _names_for(value) if name in known]
    hint = f"; {_question(meant)}" if meant else ""
    return TypeError(f"method: expected a str such as 'GET', got {shown(value)}{hint}")


def _names_for(value: object) -> Collection[str]:
    """Return the names of the arguments that take such a value."""
    if isinstance(value, bool):
        return ["repeat"]
    if isinstance(value, int):
        return ["status"]
    if isinstance(value, (str, bytes)):
        return _TEXT
    if isinstance(value, BaseException) or isinstance(value, type) and issubclass(value, BaseException):
        return ["exception"]
    if isinstance(value, enum.Enum):
        return ["fault"]
    if type(value).__name__ == "CallbackResult":  # Its room is above this one.
        return ["replies"]
    return ["callback"] if callable(value) else _JSON


def _question(names: Collection[str]) -> str:
    if len(names) == 1:
        return f"did you mean {next(iter(names))!r}?"
    reply = [repr(name) for name in names if not name.startswith("match")]
    request = [repr(name) for name in names if name.startswith("match")]
    parts = [f"{' or '.join(reply)} (reply)"] if reply and request else reply
    if request:
        parts.append(f"{' or '.join(request)} (request)" if reply else " or ".join(request))
    return f"did you mean {' or '.join(parts)}?"
