"""The places of hooks: how a hook replaces a method of aiohttp, and how the method is put back.

Whether a hook is in place is found out by looking at the place itself, and putting in or taking out a hook does nothing
if that has already been done. So both can be repeated after an interrupt, and both cope with what other code has put
there or removed in the meantime.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import MethodType
from typing import Any, ClassVar
from weakref import WeakSet

from aiohttp import BaseConnector, ClientSession

Method = Callable[..., Any]


class Hook:
    """A method that replaces one of aiohttp's, with its place and the method that it replaces.

    Other code may have wrapped a hook while it was in place and may keep it for longer. The hook then only calls the
    method that it replaced.
    """

    by_place: ClassVar[dict[tuple[type | BaseConnector, str], Hook]] = {}
    _made: ClassVar[WeakSet[Method]] = WeakSet()

    def __init__(self, owner: type | BaseConnector, name: str, placed: Any, make: MakeHook) -> None:
        self.owner = owner
        self.name = name
        # Other code may have put back an old hook.
        self.placed = inspect.unwrap(placed, stop=lambda method: not self._is_ours(method))
        self.original = unbound(self.placed, owner)
        function = functools.wraps(self.placed)(make(self, self.original))
        self.function = function if isinstance(owner, type) else MethodType(function, owner)
        self.is_replaced = False
        """Whether another hook has taken its place."""
        self._made.add(function)

    @classmethod
    def put(cls, owner: type | BaseConnector, name: str, make: MakeHook) -> Hook:
        """Put a hook in its place: the hook that was there before, unless other code has replaced the method since."""
        placed = owner.__dict__[name]
        hook = cls.by_place.get((owner, name))
        if hook is None or placed is not hook.placed and placed is not hook.function:
            if hook is not None:
                hook.is_replaced = True
            hook = cls.by_place[owner, name] = cls(owner, name, placed, make)
        if placed is not hook.function:
            setattr(owner, name, hook.function)
        return hook

    def take_out(self) -> None:
        """Put back the method that the hook replaced, unless other code has replaced the hook itself."""
        owner = self.owner
        if owner.__dict__.get(self.name) is self.function:
            setattr(owner, self.name, self.placed)
        # Other connectors get a new hook when they are used again.
        if owner is not BaseConnector and owner is not ClientSession:
            self.by_place.pop((owner, self.name), None)

    @classmethod
    def _is_ours(cls, method: Method) -> bool:
        # Compared by identity, because a wrapper may be equal to what it wraps.
        return any(method is made for made in cls._made)


MakeHook = Callable[[Hook, Method], Method]


def unbound(method: Any, owner: type | BaseConnector) -> Method:
    """Return a method found at `owner` as a function that takes the object as its first argument.

    Most methods are such functions already, but other code may have put another kind of descriptor in their place, or a
    function on an object.
    """
    if not isinstance(owner, type):
        return lambda _, *args, **kwargs: method(*args, **kwargs)
    if inspect.isfunction(method):
        return method

    def call(owner: object, *args: Any, **kwargs: Any) -> Any:
        return method.__get__(owner, type(owner))(*args, **kwargs)

    return call


def base_connect() -> Method:
    """Return the `connect` that all connectors inherit, without the hook."""
    placed = BaseConnector.connect
    hook = Hook.by_place.get((BaseConnector, "connect"))
    return hook.original if hook is not None and placed is hook.function else placed
