"""Copies of the arguments of a call.

Theory
------
A test asks for the arguments of a call after the code under test has had every chance to change them: to pop a key from
the dict that it sent, or to append to a list that the next call sends again. So arguments are copied when the call
begins. But most tests never look at them, and a deep copy of a large `json=` takes several times as long as the rest of
a request.

So a dict or a list that contains only built-in types is not copied but packed, by pickle's C code and without its memo,
and unpacked when it is read. There are three exceptions. Values of other types may do anything when they are pickled,
so they are deeply copied, and kept unchanged if that fails. A value that contains itself makes the packer run into a
limit, and is deeply copied as well. And a NaN equals only itself, so it must not become another object; searching for
its bytes takes time, so very large values are not searched.
"""

from __future__ import annotations

import io
import pickle
from copy import deepcopy
from pickle import loads
from typing import Any, NoReturn

import aiohttp
from aiohttp import ClientTimeout, StreamReader
from yarl import URL

# Types that are not copied: their values never change, or, like a stream, must not be copied.
_UNCHANGING = (
    int, str, bytes, float, type(None), URL, ClientTimeout, StreamReader,
    # aiohttp 3.14 has deprecated it, and warns about each new object, including copies.
    getattr(aiohttp, "BasicAuth", str),
)

# The packed forms of a NaN, and how much is searched for them.
_NANS = (b"\x7f\xf8\0\0\0\0\0\0", b"\xff\xf8\0\0\0\0\0\0")

_MOST_SEARCHED = 2 ** 16


class UnknownArguments(dict[str, Any]):
    """The arguments of a call that came through a mock's own connector, which sees only requests."""

    WHY = "mock.connector() sees only requests"
    INSTEAD = "Look at the headers, body, text() and json() of the call."

    def __missing__(self, name: str) -> NoReturn:
        raise KeyError(f"{name} is not known: {self.WHY}. {self.INSTEAD}")

    def copy(self) -> UnknownArguments:
        return self


class _Packed(bytes):
    """A copy of an argument that is unpacked when it is read."""


class _Packer(pickle.Pickler):
    """Packs only built-in types."""

    def reducer_override(self, value: object) -> NoReturn:
        raise pickle.PicklingError(f"{type(value)} is another type")


def copied(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of arguments, or the dict itself if nothing in it can change.

    Values that cannot be copied are kept unchanged.
    """
    for value in kwargs.values():
        if not isinstance(value, _UNCHANGING):
            return {
                name: value if isinstance(value, _UNCHANGING) else _copy(value) for name, value in kwargs.items()
            }
    return kwargs


def unpacked(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return what `copied` returned, with values of the original types."""
    if isinstance(kwargs, UnknownArguments):
        return kwargs
    return {
        name: loads(value) if isinstance(value, _Packed) else value for name, value in kwargs.items()
    }


def _copy(value: Any) -> Any:
    if type(value) in (dict, list):
        file = io.BytesIO()
        packer = _Packer(file, pickle.HIGHEST_PROTOCOL)
        # Without its memo: an object that occurs twice is packed twice, as it is sent twice.
        packer.fast = True
        try:
            packer.dump(value)
        except Exception:
            pass  # Some of it is not of a built-in type, a part contains itself, or another thread is changing it.
        else:
            packed = file.getvalue()
            if len(packed) > _MOST_SEARCHED or not any(nan in packed for nan in _NANS):
                return _Packed(packed)
    try:
        return _deep_copy(value)
    except RecursionError:
        return value  # Some of it cannot be copied, and it contains itself or is nested too deeply.


def _deep_copy(value: Any) -> Any:
    try:
        return deepcopy(value)
    except RecursionError:
        raise
    except Exception:
        # A file, a generator, an SSL context: keep it, and copy at least the containers around it.
        if type(value) is dict:
            return {name: _deep_copy(item) for name, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(map(_deep_copy, value))
        return value
