"""Copies of the arguments of a call."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any, NamedTuple, NoReturn

from aiohttp import ClientTimeout, StreamReader
from yarl import URL

# Values that never change need no copy, and a stream must have none; the others in the keyword arguments of a call do.
_UNCHANGING = (int, str, bytes, float, type(None), URL, ClientTimeout, StreamReader)


class _Frozen(NamedTuple):
    """A copy of an argument, made of builtin types alone, that is unpacked when somebody looks at it.

    Any other copy of a large json= takes several times as long as all else of a request, and mostly nobody looks at it.
    """

    packed: bytes


# A NaN, as it is packed. It equals none but itself, and must not become another one; in what is so large that looking
# for it takes time, nobody compares it.
_MOST_SEARCHED = 2 ** 16

_NANS = (b"\x7f\xf8\0\0\0\0\0\0", b"\xff\xf8\0\0\0\0\0\0")


class _Packer(pickle.Pickler):
    """Packs builtin types alone."""

    def reducer_override(self, value: object) -> NoReturn:
        raise pickle.PicklingError(f"{type(value)} is another type")


def _copied_arguments(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of arguments, or the dict itself where nothing in it can change.

    Values that cannot be copied are kept as they are.
    """
    for value in kwargs.values():
        if not isinstance(value, _UNCHANGING):
            return {
                name: value if isinstance(value, _UNCHANGING) else _copied(value) for name, value in kwargs.items()
            }
    return kwargs


def thawed(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of the `kwargs` of an exchange, of the types that were given."""
    return {
        name: pickle.loads(value.packed) if isinstance(value, _Frozen) else value for name, value in kwargs.items()
    }


def _copied(value: Any) -> Any:
    if type(value) in (dict, list):
        file = io.BytesIO()
        packer = _Packer(file, pickle.HIGHEST_PROTOCOL)
        # It need not remember what it has packed: in JSON nothing stands within itself, and what stands there twice is
        # sent twice as well.
        packer.fast = True
        try:
            packer.dump(value)
        except (pickle.PicklingError, RecursionError, ValueError):
            pass  # Not all of it is of builtin types, or something does stand within itself.
        else:
            packed = file.getvalue()
            if len(packed) > _MOST_SEARCHED or not any(nan in packed for nan in _NANS):
                return _Frozen(packed)
    try:
        return _deeply_copied(value)
    except RecursionError:
        return value  # Not all of it can be copied, and it stands within itself, or is nested too deeply.


def _deeply_copied(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except RecursionError:
        raise
    except Exception:
        # A file, a generator, an SSL context: keep it, and copy at least what it stands in.
        if type(value) is dict:
            return {name: _deeply_copied(item) for name, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(map(_deeply_copied, value))
        return value
