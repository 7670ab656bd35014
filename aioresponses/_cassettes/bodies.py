"""Bodies in the form they have in a HAR file, and without secrets."""

from __future__ import annotations

import gzip
import re
import zlib
from base64 import b64decode, b64encode
from email.message import Message
from functools import lru_cache
from json import detect_encoding, loads
from math import isinf
from typing import Any

from .secrets import HIDDEN, Secrets

_CONTROLS = re.compile("[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]")

_GZIPPED = b"\x1f\x8b"

# How much of a compressed body is unpacked to look for secrets.
_MOST_UNPACKED = 2 ** 24

LEFT_OUT = "left out because it is larger than 16 MiB"

CUT = "the client left before the end of the body"

UNREAD = "the body is not known, because the client has not read all of it"


def part_of(body: bytes, mime: str) -> dict[str, Any]:
    """Return a body in its HAR form: text as text, other bytes in base64; JSON is added in a readable form."""
    part: dict[str, Any] = {"mimeType": mime}
    text = _text(body, mime)
    if text is None:
        return {**part, "encoding": "base64", "text": b64encode(body).decode()}
    part["text"] = text
    if is_json(mime):
        try:
            part["_json"] = value_of(text)
        except ValueError:
            pass  # It claims to be JSON, but is not.
    return part


def body_of(part: dict[str, Any]) -> bytes:
    """Return the body of a part of a HAR entry; b"" if it is missing. Raises `ValueError` if it is not valid base64."""
    text = part.get("text") or ""
    if (part.get("encoding") or part.get("_encoding")) == "base64":
        # Some programs break it into lines.
        return b64decode("".join(text.split()), validate=True)
    try:
        return str.encode(text, _charset(part.get("mimeType") or "") or "utf-8")
    except (ValueError, LookupError):
        return text.encode("utf-8", "surrogatepass")


def without_secrets(body: bytes, mime: str, secrets: Secrets) -> bytes:
    """Return a body without its secrets; everything else in it stays the same."""
    kind = mime.partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        boundary = _parameter(mime, "boundary")
        if boundary:
            return _multipart(body, boundary.encode(), secrets)
    if body.startswith(_GZIPPED):
        return _gzipped(body, secrets)
    hide = secrets.form if kind == "application/x-www-form-urlencoded" else secrets.text
    charset = _charset(mime) or (detect_encoding(body) if b"\0" in body[:4] else "utf-8")
    for codec in (charset, "latin-1"):  # latin-1 can decode any bytes.
        try:
            text = body.decode(codec)
            if text.encode(codec) != body:
                continue
            shown = hide(text)
            if shown != text:
                body = shown.encode(codec)
        except (ValueError, LookupError):
            continue
        if codec == "utf-8":
            break
    return body


def is_json(mime: str) -> bool:
    """Tell whether a media type is JSON."""
    kind = mime.partition(";")[0].strip().lower()
    return kind.endswith(("/json", "+json"))


def value_of(text: str) -> Any:
    """Return the value of a JSON text; raise `ValueError` if it is not JSON, or if JSON could not represent the value.

    Python reads `NaN` and numbers that are too large, but a file with them could not be read by others, and NaN does
    not equal itself.
    """
    try:
        return loads(text, parse_constant=_refused, parse_float=_finite)
    except RecursionError as error:
        raise ValueError(str(error)) from None


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    return _refused(text) if isinf(value) else value


def _charset(mime: str) -> str | None:
    return _parameter(mime, "charset")


@lru_cache(maxsize=64)
def _parameter(mime: str, name: str) -> str | None:
    if ";" not in mime:
        return None
    message = Message()
    message["Content-Type"] = mime.replace("\r", " ").replace("\n", " ")
    value = message.get_param(name)
    return value if isinstance(value, str) else None


def _text(body: bytes, mime: str) -> str | None:
    """Return a body as text that encodes back to the same bytes; None if there is no such text."""
    charset = _charset(mime) or "utf-8"
    try:
        text = body.decode(charset)
        return text if text.encode(charset) == body and _CONTROLS.search(text) is None else None
    except (ValueError, LookupError):
        return None


def _gzipped(body: bytes, secrets: Secrets) -> bytes:
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        content = unpack.decompress(body, _MOST_UNPACKED)
    except zlib.error:
        return body
    shown = without_secrets(content, "", secrets)
    return body if shown == content else gzip.compress(shown, mtime=0)


def _multipart(body: bytes, boundary: bytes, secrets: Secrets) -> bytes:
    before, *parts = re.split(b"(?m)^(--" + re.escape(boundary) + b"(?:--)?[ \t]*\r?\n?)", body)
    made = [without_secrets(before, "", secrets)]
    for delimiter, part in zip(parts[::2], parts[1::2]):
        made += [delimiter, _part(part, secrets)]
    return b"".join(made)


def _part(part: bytes, secrets: Secrets) -> bytes:
    found = re.match(rb"((?:[^\r\n]+\r?\n)*)(\r?\n)(.*?)((?:\r?\n)?)\Z", part, re.DOTALL)
    if found is None:
        return without_secrets(part, "", secrets)
    head, line, content, end = found.groups()
    text = head.decode("latin-1")
    lines = [header.partition(":") for header in text.splitlines(keepends=True)]
    headers = {name.strip().lower(): value.strip() for name, _, value in lines}
    name = re.search(r'(?<!file)name="?((?:[^"\\;]|\\.)*)', headers.get("content-disposition", ""))
    coding = headers.get("content-transfer-encoding", "binary").lower()
    if name is not None and secrets.is_parameter(name[1].encode("latin-1").decode("utf-8", "replace")):
        content = HIDDEN.encode() if content else content
    elif content.startswith(_GZIPPED):
        content = _gzipped(content, secrets)
    elif "content-encoding" in headers:
        # Not every coding can be decoded here to look for secrets.
        content = HIDDEN.encode()
    elif coding == "base64":
        content = _transferred(content, headers.get("content-type", ""), secrets)
    elif coding == "quoted-printable":
        content = HIDDEN.encode()
    else:
        content = without_secrets(content, headers.get("content-type", ""), secrets)
    shown = "".join(
        f"{name}{sign} {secrets.header(name.strip(), value.strip())}\r\n"
        if sign and secrets.header(name.strip(), value.strip()) != value.strip() else f"{name}{sign}{value}"
        for name, sign, value in lines
    )
    return b"".join([shown.encode("latin-1"), line, content, end])


def _transferred(content: bytes, mime: str, secrets: Secrets) -> bytes:
    try:
        plain = b64decode(content)
    except ValueError:
        return HIDDEN.encode()
    shown = without_secrets(plain, mime, secrets)
    return content if shown == plain else b64encode(shown)
