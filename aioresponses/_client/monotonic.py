"""`time.monotonic`, with a virtual clock and without one.

Code under test measures time with `time.monotonic`, often with a copy: `from time import monotonic`. So when the first
clock starts, the function and its copies are replaced by a function that asks whether a clock runs in its thread. The
replacement is never taken out: code that has fetched it keeps it, and a module imported later may copy it.

The copies in the standard library are not replaced. Code that waits there, in `threading` or `queue`, blocks its
thread; no virtual time would pass meanwhile, and it would wait forever.

Tests freeze clocks as well: freezegun puts its own functions into `time` and into all modules that have copies, and
takes them out again. So the real functions come from a private copy of the `time` module, and `time.monotonic` is
checked again whenever a clock starts or jumps.
"""

from __future__ import annotations

import sys
import time
from importlib.machinery import BuiltinImporter
from importlib.util import module_from_spec
from types import BuiltinFunctionType, ModuleType

from .clocks import time_here


def _time_of_our_own() -> ModuleType:
    spec = BuiltinImporter.find_spec("time")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


real = _time_of_our_own()


def _monotonic() -> float:
    """Return the time of the virtual clock in this thread, or the real time if there is no clock."""
    virtual = time_here()
    return real.monotonic() if virtual is None else virtual.now


def _monotonic_ns() -> int:
    """Return the time of the virtual clock in this thread, or the real time if there is no clock, in nanoseconds."""
    virtual = time_here()
    return real.monotonic_ns() if virtual is None else round(virtual.now * 1e9)


# Static methods, because the functions that they replace are not bound when they are attributes of a class.
_REPLACEMENTS = {"monotonic": staticmethod(_monotonic), "monotonic_ns": staticmethod(_monotonic_ns)}


def replace_monotonic() -> None:
    """Make `time.monotonic` and its copies follow the virtual clocks, unless they do already."""
    # A replacement by other code is left alone until that code takes it out.
    if any(_is_real(getattr(time, name)) for name in _REPLACEMENTS):
        for module in list(sys.modules.values()):
            _replace_in(module)


def _replace_in(module: ModuleType) -> None:
    # Reading an attribute of a module in the usual way would load one that is loaded when it is first used.
    try:
        names = object.__getattribute__(module, "__dict__")
    except AttributeError:
        return
    if module is real or not isinstance(names, dict):
        return
    package = str(names.get("__name__")).partition(".")[0]
    if package in sys.stdlib_module_names and module is not time:
        return
    for name, value in list(names.items()):
        if _is_real(value):
            names[name] = _REPLACEMENTS[value.__name__]


def _is_real(value: object) -> bool:
    return (
        type(value) is BuiltinFunctionType and value.__module__ == "time" and value.__name__ in _REPLACEMENTS
    )
