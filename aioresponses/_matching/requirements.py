"""What each `match_…` argument requires of a call, and why a call does not fulfil it."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from aiohttp import hdrs
from multidict import MultiDict, MultiMapping

from .._absent import ABSENT
from .._calls.record import RequestCall
from .._checks import TOKEN, is_coroutine_function, is_generator_function, misfit
from .._display import hidden, name_of, shown, shown_headers
from ..matchers import Difference, FilePart, Several, differences, may_be_absent, one_of, subset, unordered

if TYPE_CHECKING:
    from .._calls.multipart import Part

# What to pass to require that nothing is there at all.
_NOTHING = {
    "match_query": "for no query, use {}",
    "match_headers": "use a dict such as {'Authorization': ABSENT}",
    "match_json": "for no body, use match_body=b''",
    "match_form": "for no fields, use {}",
    "match_body": "for no body, use b''",
}


class Condition:
    """One thing that a mock or an assertion requires of a call."""

    def __init__(self, argument: str, expected: Any, unmet: Callable[[RequestCall], str | None]) -> None:
        if expected is ABSENT:
            raise TypeError(f"{argument}: ABSENT cannot stand for the whole value; {_NOTHING[argument]}")
        self.argument = argument
        self.expected = expected
        self.unmet = unmet
        """Returns why a call does not fulfil it; None if it does."""

    def __str__(self) -> str:
        expected = self.expected
        if self.argument == "match":
            return f"match={name_of(expected)}"
        if self.argument == "match_headers":
            return f"match_headers={shown_headers(expected.expected if isinstance(expected, subset) else expected)}"
        return f"{self.argument}={shown(expected, 200)}"


def of_websocket() -> Condition:
    """Return the condition that a request asks for a WebSocket."""
    return Condition("upgrade", None, _asks_for_no_websocket)


def of_arguments(
    match_query: Any = None,
    match_headers: Any = None,
    match_json: Any = None,
    match_form: Any = None,
    match_body: Any = None,
    match: Any = None,
) -> list[Condition]:
    """Return what these arguments require; raise `TypeError` or `ValueError`, with its name, for a wrong one."""
    if match_json is not None and match_form is not None:
        raise ValueError("match_json cannot be combined with match_form: a body cannot be both JSON and a form")
    found: list[Condition] = []

    def add(argument: str, expected: Any, unmet: Callable[[RequestCall], str | None]) -> None:
        found.append(Condition(argument, expected, unmet))

    if match_query is not None:
        # The order of the values of one name does not matter, as in the URLs of mocks.
        query = sorted_values(as_text(checked_query(match_query)))
        add("match_query", match_query, lambda call: _unequal(query, sorted_values(by_name(call.query))))
    if match_headers is not None:
        headers = as_text(_checked_headers(match_headers))
        add("match_headers", match_headers, lambda call: _unlike_headers(headers, call))
    if match_json is not None:
        add("match_json", match_json, lambda call: _unequal_read(match_json, call, RequestCall.json))
    if match_form is not None:
        form = as_text(_checked_fields("match_form", match_form))
        add("match_form", match_form, lambda call: _unequal_read(form, call, form_of))
    if match_body is not None:
        _check_body(match_body)
        add("match_body", match_body, lambda call: _unlike_body(match_body, call))
    for condition in _callables(match):
        add("match", condition, functools.partial(_unmet, condition))
    return found


def by_name(fields: Any) -> Any:
    """Return fields by name, each with its value or with a list of several values; return matchers unchanged."""
    if not isinstance(fields, MultiMapping):
        return dict(fields) if isinstance(fields, Mapping) else fields
    return {
        name: values[0] if len(values) == 1 else Several(values)
        for name, values in ((name, fields.getall(name)) for name in dict.fromkeys(fields))
    }


def _asks_for_no_websocket(call: RequestCall) -> str | None:
    if call.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
        return None
    return "the mock requires a WebSocket request, such as ws_connect() makes"


def checked_query(query: Any, name: str = "match_query") -> Any:
    """Return query parameters by name, from a mapping, pairs or text; return matchers unchanged."""
    if isinstance(query, str):
        query = MultiDict(parse_qsl(query.removeprefix("?"), keep_blank_values=True))
    return _checked_fields(name, query)


def _checked_fields(name: str, fields: Any) -> Any:
    """Return fields by name, from a mapping or pairs; return matchers unchanged."""
    show = shown_headers if name == "match_headers" else shown
    if isinstance(fields, (list, tuple)):
        try:
            fields = MultiDict(fields)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{name}: expected a mapping or pairs of name and value, got {show(fields)}") from error
    if isinstance(fields, (str, bytes, int, float)):
        raise TypeError(f"{name}: expected a mapping or pairs of name and value, got {show(fields)}")
    fields = by_name(fields)
    expected = fields.expected if isinstance(fields, subset) else fields
    for field, value in expected.items() if isinstance(expected, dict) else ():
        values = value if isinstance(value, list) else [value]
        for one in values:
            _check_value(name, field, one)
        if len(values) > 1 and any(map(may_be_absent, values)):
            raise TypeError(f"{name}: {shown(field)} has several values, one of which is ABSENT; use ABSENT alone")
    return fields


def _check_value(name: str, field: object, value: object) -> None:
    """Raise `TypeError` for a value that can never be equal to what is sent, which is text."""
    if value is None:
        hint = "; to require its absence, use ABSENT"
    elif isinstance(value, (bool, bytes, bytearray)):
        hint = ""
    else:
        return
    got = type(value).__name__ if isinstance(value, (bytes, bytearray)) else repr(value)
    raise TypeError(f"{name}: expected text or numbers, got {got} for {shown(field)}{hint}")


def _checked_headers(headers: Any) -> Any:
    if isinstance(headers, subset):  # Expected headers need only be among the sent ones in any case.
        headers = headers.expected
    fields = _checked_fields("match_headers", headers)
    if isinstance(fields, dict):
        for name in fields:
            if not isinstance(name, str):
                raise TypeError(f"match_headers: expected names of str, got {shown(name)}")
            if not re.fullmatch(TOKEN, name):
                raise ValueError(f"match_headers: expected names that are HTTP tokens, got {shown(name)}")
        return {str.__str__(name): value for name, value in fields.items()}
    return fields


def _check_body(body: Any) -> None:
    if isinstance(body, (Mapping, list, tuple, bool, int, float)):
        hint = "; for JSON, use match_json=" if isinstance(body, (Mapping, list)) else ""
        raise TypeError(f"match_body: expected bytes, text or a compiled pattern, got {shown(body)}{hint}")


def _callables(match: Any) -> list[Callable[[RequestCall], object]]:
    if match is None:
        return []
    if isinstance(match, Mapping):
        raise TypeError(
            f"match: expected a function that takes the call, or a list of them, got {shown(match)}; for the body, use "
            "match_json= or match_form="
        )
    try:
        functions = [match] if callable(match) else list(match) if isinstance(match, Iterable) else [match]
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"match: expected a function that takes the call, or a list of them, got {shown(match)}"
        ) from error
    for function in functions:
        if not callable(function) or isinstance(function, type) or is_coroutine_function(function):
            raise TypeError(f"match: expected a function that takes the call, or a list of them, got {shown(function)}")
        if is_generator_function(function):
            raise TypeError(
                f"match: expected a function that returns True or False, got a generator function: {shown(function)}"
            )
        why = misfit(function, None)
        if why:
            raise TypeError(
                f"match: expected a function that takes the call, or a list of them, got {shown(function)}: {why}"
            )
    return functions


def as_text(expected: Any) -> Any:
    """Return expected fields with numbers as text, as aiohttp sends them, also inside matchers."""
    if isinstance(expected, Mapping):
        # A list of one value is the same as that value, as in FormData and params.
        return {
            name: as_text(value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value)
            for name, value in expected.items()
        }
    if isinstance(expected, (list, tuple)):
        return [as_text(value) for value in expected]
    if isinstance(expected, subset):
        return subset(as_text(expected.expected))
    if isinstance(expected, unordered):
        return unordered(as_text(expected.expected))
    if isinstance(expected, one_of):
        return one_of(*as_text(expected.choices))
    return str(expected) if isinstance(expected, (int, float)) and not isinstance(expected, bool) else expected


def _unequal(expected: Any, found: Any) -> str | None:
    return next((str(difference) for difference in differences(expected, found)), None)


def sorted_values(fields: Any) -> Any:
    """Return fields by name, with the values of each name sorted, or `unordered` if there are matchers among them."""
    if not isinstance(fields, dict):
        return fields
    return {
        name: value
        if not isinstance(value, list)
        else type(value)(sorted(value))
        if all(isinstance(one, str) for one in value)
        else unordered(value)
        for name, value in fields.items()
    }


def _unequal_read(expected: Any, call: RequestCall, read: Callable[[RequestCall], Any]) -> str | None:
    try:
        found = read(call)
    except ValueError as error:
        return f"{error}{_other_kind(call, read)}"
    return _unequal(expected, found)


def _other_kind(call: RequestCall, read: Callable[[RequestCall], Any]) -> str:
    """Return a hint at the argument for the body's own kind, if the body is of another kind than expected."""
    sent = call.headers.get(hdrs.CONTENT_TYPE, "").lower()
    if read is form_of:
        return "; for JSON, use match_json" if sent.startswith("application/json") else ""
    is_form = sent.startswith(("application/x-www-form-urlencoded", "multipart/form-data"))
    return "; for a form, use match_form" if is_form else ""


def form_of(call: RequestCall) -> dict[str, Any]:
    """Return the fields of a URL-encoded or multipart form by name; files as `FilePart`."""
    if not call.headers.get(hdrs.CONTENT_TYPE, "").lower().startswith("multipart/"):
        return dict(by_name(call.form()))
    fields: dict[str, list[Any]] = {}
    for part in call.multipart():
        value = part.content.decode("utf-8", "replace") if part.filename is None else file_of(part)
        fields.setdefault(str(part.name), []).append(value)
    return {name: values[0] if len(values) == 1 else Several(values) for name, values in fields.items()}


def file_of(part: Part) -> FilePart:
    """Return a sent part as the file it contains."""
    return FilePart(part.filename, part.content, part.headers.get(hdrs.CONTENT_TYPE))


def _unlike_headers(expected: Any, call: RequestCall) -> str | None:
    sent = call.headers
    if not isinstance(expected, dict):
        if expected == by_name(sent):
            return None
        return f"{shown_headers(expected)} != {shown_headers(by_name(sent))}"
    for name, value, found in not_among(sent, expected.items()):
        if value is ABSENT:
            return str(Difference(name, ABSENT, hidden(name, found)))
        wanted = shown(hidden(name, value, found), most=None)
        if found is None:
            return f"at {name}: {wanted} is missing"
        return f"at {name}: {wanted} != {shown(hidden(name, found, value, found=True), most=None)}"
    return None


def not_among(sent: MultiMapping[str], expected: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any, Any]]:
    """Yield each expected name and value that was not sent, with what was sent under that name.

    What was sent is one value, a list of several, or None. If a name was sent more than once, the expected value must
    be one of the sent values, or equal to the list of them.
    """
    for name, value in expected:
        values = sent.getall(name, []) if isinstance(name, str) else []
        if not values and may_be_absent(value):
            continue
        if not values or value not in values and not value == values:
            yield name, value, values[0] if len(values) == 1 else values or None


def _unlike_body(expected: Any, call: RequestCall) -> str | None:
    body = call.body
    if isinstance(expected, re.Pattern):
        if isinstance(expected.pattern, bytes):
            return None if expected.search(body) else f"{expected!r} is not found in {body!r}"
        try:
            text = call.text()
        except ValueError as error:
            return str(error)
        return None if expected.search(text) else f"{expected!r} is not found in {text!r}"
    if isinstance(expected, (bytes, bytearray, memoryview)):
        return None if expected == body else f"{bytes(expected)!r} != {body!r}"
    try:
        text = call.text()
    except ValueError as error:
        return None if expected == body else str(error)
    return None if expected == text or expected == body else f"{shown(expected, most=None)} != {shown(text)}"


def _unmet(condition: Callable[[RequestCall], object], call: RequestCall) -> str | None:
    result: Any = condition(call)
    why = ""
    if isinstance(result, tuple) and len(result) == 2:
        result, why = result
    name = name_of(condition)
    if hasattr(result, "__await__"):
        if hasattr(result, "close"):
            result.close()  # pyright: ignore[reportAttributeAccessIssue]
        raise TypeError(f"match: expected True, False or (False, 'why not') from {name}, got an awaitable")
    return None if result else (shown(why, by=str) if why else f"{name} returned {shown(result)}")
