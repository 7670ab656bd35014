"""Files in the format HAR 1.2, which browsers and proxies write and display.

Keys and headers are sorted, and each header and each message of a WebSocket takes one line, so that lines stay the same
when a file is recorded again.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from json import JSONDecodeError, dumps, loads
from os import PathLike, fspath, getpid, makedirs, replace, unlink
from os.path import abspath, basename, dirname, join, realpath
from typing import Any

from .bodies import body_of
from .entries import Entry
from .sockets import CONTROL, data_of

_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'

_LINES_OF_PAIR = re.compile(rf'\{{\n\s*("name": {_STRING}),\n\s*("value": {_STRING})\n\s*\}}')

_LINES_OF_MESSAGE = re.compile(
    rf'\{{\n\s*("data": {_STRING}),\n\s*("opcode": \d),\n\s*("time": [\d.]+),\n\s*("type": "\w+")\n\s*\}}'
)

_KINDS = {str: "a str", int: "an int", dict: "an object", list: "a list"}

_open = open


def read(path: str | PathLike[str]) -> list[Entry]:
    """Return the entries of a file; raise `ValueError`, with path and place, if it is unreadable or not a HAR file."""
    shown = fspath(path)
    try:
        with _open(path, encoding="utf-8-sig") as file:
            document = loads(file.read())
    except OSError as error:
        raise ValueError(f"{shown}: expected a HAR file, but it cannot be read: {error.strerror}") from error
    except JSONDecodeError as error:
        raise ValueError(
            f"{shown}, line {error.lineno}, column {error.colno}: expected a HAR file, but it is not JSON: {error.msg}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{shown}: expected a HAR file, but it is not JSON: {error}") from error
    try:
        log = _member({"": document}, "", "", dict)
        log = _member(log, "log", "", dict)
        entries = _member(log, "entries", "log", list)
        for number, entry in enumerate(entries):
            _check(entry, f"log.entries[{number}]")
    except _Misfit as error:
        raise ValueError(f"{shown}: expected a HAR file: {error}") from None
    return entries  # type: ignore[no-any-return]


def misfit(entry: Entry) -> str:
    """Return what in an entry does not conform to HAR, and where; "" if it can be written, and read again.

    Raises `TypeError` or `ValueError` if it contains what JSON cannot represent.
    """
    dumps(entry, allow_nan=False)
    try:
        _check(entry, "entry")
    except _Misfit as error:
        return str(error)
    return ""


class _Misfit(Exception):
    """Says what in a file does not conform to HAR, and where."""


def _member(parent: Any, name: str, place: str, kind: type, *missing: Any) -> Any:
    """Return a member of an object, which must be of a kind; if it is missing or null, return the `missing` value."""
    where = f"{place}.{name}" if place and name else place or name or "the document"
    value = parent.get(name)
    if value is None and missing:
        return missing[0]
    if not isinstance(value, kind) or isinstance(value, bool):
        got = "missing" if name not in parent else dumps(value)[:60]
        raise _Misfit(f"{where} must be {_KINDS[kind]}, but is {got}")
    return value


def _check(entry: Any, place: str) -> None:
    entry = _member({place: entry}, place, "", dict)
    request = _member(entry, "request", place, dict)
    response = _member(entry, "response", place, dict)
    _member(entry, "timings", place, dict, {})
    for name in ("method", "url"):
        _member(request, name, f"{place}.request", str)
    _member(response, "status", f"{place}.response", int)
    for name in ("statusText", "redirectURL", "httpVersion"):
        _member(response, name, f"{place}.response", str, "")
    _member(request, "httpVersion", f"{place}.request", str, "")
    for part, name in ((request, "request"), (response, "response")):
        for kind in ("headers", "cookies", *(("queryString",) if part is request else ())):
            pairs = _member(part, kind, f"{place}.{name}", list, [])
            for number, pair in enumerate(pairs):
                where = f"{place}.{name}.{kind}[{number}]"
                for key in ("name", "value"):
                    _member(_member({where: pair}, where, "", dict), key, where, str)
    for part, name in ((request, "postData"), (response, "content")):
        where = f"{place}.{'request' if part is request else 'response'}.{name}"
        body = _member(part, name, where.rpartition(".")[0], dict, {})
        for key in ("mimeType", "text", "encoding", "comment"):
            _member(body, key, where, str, "")
        for number, field in enumerate(_member(body, "params", where, list, [])):
            one = f"{where}.params[{number}]"
            _member(_member({one: field}, one, "", dict), "name", one, str)
            _member(field, "value", one, str, "")
        try:
            body_of(body)
        except ValueError as error:
            raise _Misfit(f"{where}.text must be base64: {error}") from None
    _check_messages(entry, place)


def _check_messages(entry: Any, place: str) -> None:
    for number, one in enumerate(_member(entry, "_webSocketMessages", place, list, [])):
        where = f"{place}._webSocketMessages[{number}]"
        message = _member({where: one}, where, "", dict)
        kind = _member(message, "type", where, str)
        if kind == "error":
            continue
        _check_one_of(kind, ("send", "receive"), f"{where}.type")
        opcode = _member(message, "opcode", where, int)
        if opcode in CONTROL:
            continue
        _check_one_of(opcode, (1, 2), f"{where}.opcode")
        _member(message, "data", where, str)
        try:
            data_of(message)
        except ValueError as error:
            raise _Misfit(f"{where}.data must be base64: {error}") from None
    where = f"{place}._webSocketClose"
    close = _member(entry, "_webSocketClose", place, dict, None)
    if close is not None:
        _check_one_of(_member(close, "type", where, str), ("send", "receive"), f"{where}.type")
        code = _member(close, "code", where, int)
        if not 0 <= code < 2 ** 16:
            raise _Misfit(f"{where}.code must be an int from 0 to 65535, but is {code}")
        _member(close, "reason", where, str, "")


def _check_one_of(value: object, those: tuple[object, object], where: str) -> None:
    if value not in those:
        raise _Misfit(f"{where} must be {' or '.join(map(dumps, those))}, but is {dumps(value)[:60]}")


def _version() -> str:
    return str(vars(sys.modules[__name__.partition(".")[0]])["__version__"])


def write(path: str | PathLike[str], entries: list[Entry]) -> None:
    """Write entries to a file, completely or not at all."""
    log = {"creator": {"name": "aioresponses", "version": _version()}, "entries": entries, "version": "1.2"}
    text = dumps({"log": log}, indent=1, ensure_ascii=False, sort_keys=True)
    text = _LINES_OF_MESSAGE.sub(r"{\1, \2, \3, \4}", _LINES_OF_PAIR.sub(r"{\1, \2}", text))
    target = realpath(abspath(path))
    makedirs(dirname(target), exist_ok=True)
    partial = join(dirname(target), f".{basename(target)[:200]}.{getpid()}.tmp")
    try:
        with _open(partial, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text + "\n")
        replace(partial, target)
    except BaseException:
        with suppress(OSError):
            unlink(partial)
        raise
