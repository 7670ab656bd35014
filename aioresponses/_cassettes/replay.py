"""Entries registered as mocks, with the arguments that a user would pass."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from json import loads
from typing import Any, Literal
from unittest.mock import ANY
from urllib.parse import parse_qsl

from aiohttp import hdrs
from multidict import CIMultiDict, MultiDict
from yarl import URL

from .._calls.messages import Message
from .._client.waiting import pass_time
from .._display import shown
from .._matching.targets import Target, check_url, with_other_scheme
from .._urls import comparable, normalize_url, without_credentials
from ..matchers import FilePart
from .bodies import LEFT_OUT, body_of, is_json
from .entries import Entry, is_kept, moment_of
from .secrets import HIDDEN, expected, in_all_strings
from .sockets import is_websocket, options_of, script_of

MatchOn = Literal["method", "url", "query", "body", "headers"]

MATCH_ON: Sequence[MatchOn] = ("method", "url", "query", "body", "headers")

DEFAULT: Collection[MatchOn] = ("method", "url", "query")

# The headers that differ between releases and installations of aiohttp.
_OF_THE_CLIENT = ("accept-encoding", "content-length", "host", "user-agent")

_BEFORE_THE_HEAD = ("blocked", "dns", "connect", "send", "wait")

_BOUNDARY = re.compile(r"boundary=(?:\"[^\"]*\"|[^;\s]+)")


def is_replayed(entry: Entry) -> bool:
    """Tell whether a mock can replay the exchange of an entry.

    Browsers also write entries of requests that never went to a server, or that failed, were blocked or were cancelled.
    Some write entries of WebSockets without their messages.
    """
    response = entry["response"]
    return (
        entry["request"]["url"].partition(":")[0].lower() in ("http", "https", "ws", "wss")
        and (200 <= response["status"] <= 999 or is_websocket(entry))
        and (response.get("content") or {}).get("comment") != LEFT_OUT
    )


def selected(entries: Sequence[Entry], url: str | URL | re.Pattern[str] | None) -> list[Entry]:
    """Return the entries that are replayed and whose URL fits; if `url` has no query, their queries do not matter.

    Raises what registering a mock of this URL raises.
    """
    found = [entry for entry in entries if is_replayed(entry)]
    if url is None:
        return found
    target = Target.of(None, check_url(url))
    if not isinstance(url, re.Pattern) and not target.has_query:
        target = Target(target.method, target.url, any_query=True)
    return [entry for entry in found if any(target.fits("", one) for one in _spellings(entry))]


def _spellings(entry: Entry) -> list[URL]:
    """Return the URLs by which an entry may be selected: that of a WebSocket may have either of two schemes."""
    url = comparable(normalize_url(_url_of(entry)))
    return [url, with_other_scheme(url)] if is_websocket(entry) or url.scheme in ("ws", "wss") else [url]


def registration(entry: Entry, match_on: Collection[MatchOn] = DEFAULT, timings: bool = False) -> dict[str, Any]:
    """Return the arguments of `aioresponses.add` for an entry."""
    request = entry["request"]
    arguments = {"method": request["method"] if "method" in match_on else None, **_asked(entry, match_on)}
    if "body" in match_on:
        arguments.update(_expected_body(request))
    return {**arguments, **_reply(entry, timings)}


def socket_registration(
    entry: Entry, match_on: Collection[MatchOn] = DEFAULT, timings: bool = False
) -> dict[str, Any]:
    """Return the arguments of `aioresponses.websocket` for an entry."""
    started = moment_of(entry)
    headers = [pair for pair in _headers(entry).items() if not pair[0].lower().startswith("sec-websocket-")]
    return {
        **_asked(entry, match_on),
        "script": script_of(entry, None if started is None else started.timestamp(), timings),
        **options_of(entry),
        "headers": CIMultiDict(headers),
        "repeat": False,
    }


def _asked(entry: Entry, match_on: Collection[MatchOn]) -> dict[str, Any]:
    """Return what a request must have in its URL and headers to be answered by an entry."""
    url = _url_of(entry)
    arguments: dict[str, Any] = {}
    if "query" not in match_on:
        arguments["match_query"] = ANY
    elif "url" not in match_on or any(HIDDEN in value for value in url.query.values()):
        arguments["match_query"] = [(name, expected(value)) for name, value in url.query.items()]
    arguments["url"] = url if "match_query" not in arguments else url.with_query(None)
    if "url" not in match_on:
        arguments["url"] = ANY
    if "headers" in match_on:
        arguments["match_headers"] = _expected_headers(entry["request"])
    return arguments


def _url_of(entry: Entry) -> URL:
    # A `URL`, because in a str braces would make it a template.
    return without_credentials(URL(entry["request"]["url"]))


def _expected_headers(request: dict[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for header in request.get("headers") or ():
        name, value = header["name"], header["value"]
        if is_kept(name, "", 0) and name.lower() not in _OF_THE_CLIENT:
            boundary = _BOUNDARY.search(value) if name.lower() == "content-type" else None
            found.append((name, expected(value.replace(boundary[0], HIDDEN) if boundary else value)))
    return found


def _expected_body(request: dict[str, Any]) -> dict[str, Any]:
    post = request.get("postData") or {}
    if post.get("comment") == LEFT_OUT:
        return {}
    body, mime = body_of(post), post.get("mimeType") or ""
    message = Message("a request", CIMultiDict({hdrs.CONTENT_TYPE: mime}), body)  # type: ignore[arg-type]
    kind = mime.partition(";")[0].strip().lower()
    try:
        if is_json(mime):
            value = loads(message.text())
            # `match_json=None` would check nothing.
            return {"match_json": in_all_strings(value, expected)} if value is not None else {"match_body": "null"}
        if kind == "application/x-www-form-urlencoded":
            return {"match_form": [(name, expected(value)) for name, value in parse_qsl(message.text(), True)]}
        if kind.startswith("multipart/"):
            return {"match_form": _expected_parts(message)}
        text = message.text()
    except (ValueError, RecursionError):
        text = ""
    if HIDDEN.encode() in body:
        return {"match_body": expected(text) if text else ANY}
    return {"match_body": body}


def _expected_parts(message: Message) -> MultiDict[Any]:
    fields: MultiDict[Any] = MultiDict()
    for part in message.multipart():
        content = part.content
        if part.filename is None:
            fields.add(str(part.name), expected(content.decode("utf-8", "replace")))
        else:
            file = ANY if HIDDEN.encode() in content else content
            fields.add(str(part.name), FilePart(part.filename, file, part.headers.get(hdrs.CONTENT_TYPE)))
    return fields


def _reply(entry: Entry, timings: bool) -> dict[str, Any]:
    response, content = entry["response"], entry["response"].get("content") or {}
    # HTTP/2 and HTTP/3 have no reason phrases, so "" means nothing there.
    reason = response.get("statusText") or ""
    has_phrase = reason or (response.get("httpVersion") or "").upper().startswith("HTTP/1")
    body: Any = body_of(content)
    reply = {
        "status": response["status"],
        "reason": _one_line(reason) if has_phrase else None,
        "headers": _headers(entry),
        # Chrome writes "x-unknown" if there is no type.
        "content_type": None if content.get("mimeType") in (None, "", "x-unknown") else _one_line(content["mimeType"]),
        "body": body,
    }
    if timings:
        delay, receive = _timings(entry)
        reply["delay"] = delay
        if receive:
            reply["body"] = _later(body, receive)
    return reply


def _headers(entry: Entry) -> CIMultiDict[str]:
    response = entry["response"]
    headers: CIMultiDict[str] = CIMultiDict()
    for header in response.get("headers") or ():
        if is_kept(header["name"], entry["request"]["method"].upper(), response["status"]):
            for value in header["value"].split("\n"):
                headers.add(header["name"].strip(), _one_line(value))
    return headers


def _one_line(text: str) -> str:
    """Return text that is valid in the head of a message; its bytes may not have been UTF-8."""
    return re.sub("[\r\n\0]", "", text).encode("utf-8", "replace").decode()


def _timings(entry: Entry) -> tuple[float, float]:
    """Return how many seconds the head of a reply takes, and how many its body."""
    # A timing that does not apply is -1.
    given = {
        name: max(value, 0) for name, value in (entry.get("timings") or {}).items() if isinstance(value, (int, float))
    }
    return sum(given.get(name, 0) for name in _BEFORE_THE_HEAD) / 1000, given.get("receive", 0) / 1000


def _later(body: bytes, seconds: float) -> Callable[[], AsyncGenerator[bytes, None]]:
    async def send() -> AsyncGenerator[bytes, None]:
        await pass_time(seconds)
        yield body

    return send


def checked_match_on(match_on: Any) -> Collection[MatchOn]:
    """Return what a request must share with an entry; raise `TypeError` or `ValueError` for anything else."""
    those = ", ".join(map(repr, MATCH_ON))
    if isinstance(match_on, str) or not isinstance(match_on, Collection):
        raise TypeError(f"match_on: expected a list with some of {those}, got {shown(match_on)}")
    if any(one not in MATCH_ON for one in match_on):
        raise ValueError(f"match_on: expected some of {those}, got {shown(match_on)}")
    return match_on
