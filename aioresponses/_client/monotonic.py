"""`time.monotonic` where a virtual clock runs, and where none does.

Code under test measures with `time.monotonic`, and much of it has a copy: `from time import monotonic`. So when the
first clock starts, the function and its copies are replaced by one that asks whether a clock runs in its thread. It
stays for good, for whoever has got hold of it keeps it, and a module that is imported later may copy it.

The copies of the standard library are left as they are. What waits there, in `threading` or `queue`, blocks its thread;
no virtual time passes meanwhile, and it would wait forever.

Tests stop clocks as well: freezegun puts functions of its own into `time` and into all modules that have copies, and
takes them out again. So the real functions come from a `time` module that nobody else has, and what is in the place of
`time.monotonic` is looked at again whenever a clock starts or jumps.
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
    """Return the time of the virtual clock that runs in this thread, or the real one."""
    virtual = time_here()
    return real.monotonic() if virtual is None else virtual.now


def _monotonic_ns() -> int:
    """Return the time of the virtual clock that runs in this thread, or the real one, in nanoseconds."""
    virtual = time_here()
    return real.monotonic_ns() if virtual is None else round(virtual.now * 1e9)


# Like what they replace, these are not given the object where they are called as an attribute of a class.
_REPLACEMENTS = {"monotonic": staticmethod(_monotonic), "monotonic_ns": staticmethod(_monotonic_ns)}


def replace_monotonic() -> None:
    """Have `time.monotonic` and its copies follow the virtual clocks, unless they do already."""
    # What somebody else has put there is left alone until it is taken out.
    if any(_is_real(getattr(time, name)) for name in _REPLACEMENTS):
        for module in list(sys.modules.values()):
            _replace_in(module)


def _replace_in(module: ModuleType) -> None:
    names = getattr(module, "__dict__", None)
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
