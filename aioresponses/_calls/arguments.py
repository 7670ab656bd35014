"""Copies of the arguments of a call.

Theory
------
A test asks what a call was made with, after the code under test has had every chance to change it: to pop a key from
the dict that it sent, to append to a list that the next call sends again. So arguments are copied when the call begins.
Most tests never look at them, and a deep copy of a large `json=` takes several times as long as all else of a request.

Therefore a dict or a list of builtin types alone is not copied but packed, by pickle's C code and without its memory
for what it has seen, and unpacked when somebody looks. Three kinds of values must be left out of this. Other types may
do anything when they are pickled, so they are deeply copied, and where that fails kept as they are. What stands within
itself makes the packer run into a limit. And a NaN equals only itself, so it must not become another one; looking for
its bytes takes time, so in what is very large it is not looked for.
"""

from __future__ import annotations

import io
import pickle
from copy import deepcopy
from pickle import loads
from typing import Any, NamedTuple, NoReturn

import aiohttp
from aiohttp import ClientTimeout, StreamReader
from yarl import URL

# Values that never change need no copy, and a stream must have none; the others in the keyword arguments of a call do.
_UNCHANGING = (
    int, str, bytes, float, type(None), URL, ClientTimeout, StreamReader,
    # aiohttp 3.14 warns of each that is made, a copy included, and is going to do without it.
    getattr(aiohttp, "BasicAuth", str),
)

# As a NaN is packed, and how much is searched for one.
_NANS = (b"\x7f\xf8\0\0\0\0\0\0", b"\xff\xf8\0\0\0\0\0\0")

_MOST_SEARCHED = 2 ** 16


class UnknownArguments(dict[str, Any]):
    """Stands for the arguments of a call that came through a connector of a mock, which sees requests alone."""

    WHY = "mock.connector() sees requests alone"
    INSTEAD = "Look at the headers, body, text() and json() of the call."

    def __missing__(self, name: str) -> NoReturn:
        raise KeyError(f"{name} is not known: {self.WHY}. {self.INSTEAD}")

    def copy(self) -> UnknownArguments:
        return self


class _Packed(NamedTuple):
    """A copy of an argument that is unpacked when somebody looks at it."""

    packed: bytes


class _Packer(pickle.Pickler):
    """Packs builtin types alone."""

    def reducer_override(self, value: object) -> NoReturn:
        raise pickle.PicklingError(f"{type(value)} is another type")


def copied(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of arguments, or the dict itself where nothing in it can change.

    Values that cannot be copied are kept as they are.
    """
    for value in kwargs.values():
        if not isinstance(value, _UNCHANGING):
            return {
                name: value if isinstance(value, _UNCHANGING) else _copy(value) for name, value in kwargs.items()
            }
    return kwargs


def unpacked(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return what `copied` returned, of the types that were given."""
    if isinstance(kwargs, UnknownArguments):
        return kwargs
    return {
        name: loads(value.packed) if isinstance(value, _Packed) else value for name, value in kwargs.items()
    }


def _copy(value: Any) -> Any:
    if type(value) in (dict, list):
        file = io.BytesIO()
        packer = _Packer(file, pickle.HIGHEST_PROTOCOL)
        # What stands there twice is packed twice, as it is sent twice.
        packer.fast = True
        try:
            packer.dump(value)
        except Exception:
            pass  # Not all of it is of builtin types, something stands within itself, or a thread is changing it.
        else:
            packed = file.getvalue()
            if len(packed) > _MOST_SEARCHED or not any(nan in packed for nan in _NANS):
                return _Packed(packed)
    try:
        return _deep_copy(value)
    except RecursionError:
        return value  # Not all of it can be copied, and it stands within itself, or is nested too deeply.


def _deep_copy(value: Any) -> Any:
    try:
        return deepcopy(value)
    except RecursionError:
        raise
    except Exception:
        # A file, a generator, an SSL context: keep it, and copy at least what it stands in.
        if type(value) is dict:
            return {name: _deep_copy(item) for name, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(map(_deep_copy, value))
        return value
