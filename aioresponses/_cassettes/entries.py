"""Entries of a HAR file: one exchange each, assembled from its parts, and without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from yarl import URL

from .._urls import without_credentials
from . import bodies, sockets
from .secrets import HIDDEN, Secrets

Entry = dict[str, Any]

# Headers that describe only the transfer, and would change with each recording.
_OF_TRANSFER = frozenset(
    (
        "connection", "date", "keep-alive", "proxy-connection", "sec-websocket-accept", "sec-websocket-key", "te",
        "trailer", "transfer-encoding", "upgrade",
    )
)

_LENGTHS = "content-length"

# The status of a response whose `Content-Length` is that of a body which is not sent.
_BODILESS_STATUS = 304


def pairs(items: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Return names and values in their HAR form."""
    return [{"name": name, "value": value} for name, value in items]


def is_kept(name: str, method: str, status: int) -> bool:
    """Tell whether a header says something about the message itself, and not only about its transfer."""
    name = name.lower()
    if name == _LENGTHS:
        return method == "HEAD" or status == _BODILESS_STATUS
    return name not in _OF_TRANSFER and not name.startswith(":")


def moment_of(entry: Entry) -> datetime | None:
    """Return when an entry was recorded; None if that cannot be told."""
    text = entry.get("startedDateTime")
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?", str(text))
    if found is None:
        return None
    zone = (found[3] or "Z").replace("Z", "+00:00")
    zone = zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    try:
        return datetime.fromisoformat(found[1] + zone) + timedelta(seconds=float(found[2] or 0))
    except (ValueError, OverflowError):
        return None


def without_secrets(entry: Entry, secrets: Secrets) -> Entry:
    """Return an entry in the form in which it is written: without secrets, and with known members only."""
    request, response = entry["request"], entry["response"]
    made: Entry = {
        "cache": {},
        "request": {
            "bodySize": -1,
            "cookies": _cookies(request),
            "headers": _headers(request, "", 0, secrets),
            "headersSize": -1,
            "httpVersion": request.get("httpVersion") or "",
            "method": request["method"],
            "queryString": _query(request, secrets),
            "url": hidden_url(request["url"], secrets),
        },
        "response": {
            "bodySize": -1,
            "content": _part(response.get("content") or {}, secrets),
            "cookies": _cookies(response),
            "headers": _headers(response, request["method"], response["status"], secrets),
            "headersSize": -1,
            "httpVersion": response.get("httpVersion") or "",
            "redirectURL": secrets.url(response.get("redirectURL") or ""),
            "status": response["status"],
            "statusText": response.get("statusText") or "",
        },
        "startedDateTime": entry.get("startedDateTime") or "",
        "time": entry.get("time") or 0,
        "timings": entry.get("timings") or {"receive": 0, "send": 0, "wait": 0},
    }
    if request.get("postData"):
        post = _posted(request["postData"])
        made["request"]["postData"] = _without_size(_part(post, secrets))
    for name in ("comment", "_error"):
        if entry.get(name):
            made[name] = secrets.text(str(entry[name]))
    if response.get("_error"):
        made["response"]["_error"] = secrets.text(str(response["_error"]))
    return {**made, **sockets.without_secrets(entry, secrets)}


def hidden_url(url: str, secrets: Secrets) -> str:
    """Return the URL of a request without secrets, and without credentials, which are in a header as well."""
    try:
        url = str(without_credentials(URL(url, encoded=True)))
    except ValueError:
        pass
    # The path stays unchanged, because requests are matched by it.
    path, sign, query = url.partition("?")
    return f"{path}{sign}{secrets.form(query)}"


def _headers(message: dict[str, Any], method: str, status: int, secrets: Secrets) -> list[dict[str, str]]:
    found = [
        (header["name"], value)
        for header in message.get("headers") or ()
        # Browsers join the values of repeated headers with newlines.
        for value in header["value"].split("\n")
        if is_kept(header["name"], method, status)
    ]
    shown = [(name, secrets.header(name, value)) for name, value in found]
    return pairs(sorted(shown, key=lambda pair: pair[0].lower()))


def _cookies(message: dict[str, Any]) -> list[dict[str, str]]:
    return pairs((cookie["name"], HIDDEN) for cookie in message.get("cookies") or ())


def _query(request: dict[str, Any], secrets: Secrets) -> list[dict[str, str]]:
    try:
        query = URL(request["url"]).query.items()
    except ValueError:
        return []
    return pairs((name, secrets.value(name, value)) for name, value in query)


def _posted(post: dict[str, Any]) -> dict[str, Any]:
    """Return the posted data with its text: some programs write a form only as a list of fields."""
    if post.get("text") or not post.get("params"):
        return post
    form = URL.build(query=[(field["name"], field.get("value") or "") for field in post["params"]])
    return {"mimeType": post.get("mimeType", ""), "text": form.raw_query_string}


def _part(part: dict[str, Any], secrets: Secrets) -> dict[str, Any]:
    mime = part.get("mimeType") or ""
    if part.get("comment") == bodies.LEFT_OUT:
        return {"comment": bodies.LEFT_OUT, "mimeType": mime, "size": part.get("size", -1)}
    body = bodies.without_secrets(bodies.body_of(part), mime, secrets)
    made = {**bodies.part_of(body, mime), "size": len(body)}
    return {**made, "comment": secrets.text(part["comment"])} if part.get("comment") else made


def _without_size(part: dict[str, Any]) -> dict[str, Any]:
    """Return a body in the form it has in a request, for which the standard defines neither size nor encoding."""
    if "encoding" in part:
        part["_encoding"] = part.pop("encoding")
    part.pop("size", None)
    return part
