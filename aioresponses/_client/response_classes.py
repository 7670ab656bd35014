"""Response classes that suites wrote for aioresponses 0.7, called by aiohttp itself.

Theory
------
aioresponses 0.7 created the responses itself, and called their class with the keywords of aiohttp 3.13: `writer` was
None, and it passed no `stream_writer`, which aiohttp 3.14 requires. So suites wrote classes of their own whose
`__init__` passes a made-up `stream_writer`, and sometimes a made-up `writer`, to aiohttp's `__init__`. Here, aiohttp
creates the responses and passes both. Such a class may then fail in two ways. It may pass `stream_writer` a second
time, or not accept it, which is a `TypeError`: then it is called again, without `stream_writer`. Or it may pass on the
wrong object, which aiohttp cannot use, or which knows nothing about what is being sent. So the class is combined with
another one, `_Filling`, which receives its call of `super().__init__` and replaces what the class made up with what
aiohttp passed. Once the response has been created, its class is set back to the original one.

`_Filling` adds nothing that the class leaves out: a class that fails with a real server fails here as well.

Classes without an `__init__` of their own, functions, and all classes on older releases of aiohttp are called
unchanged.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from aiohttp import ClientResponse

_Maker = Callable[..., ClientResponse]

# The arguments that suites make up. The first one, a task, may be None.
_MADE_UP = ("writer", "stream_writer")


def maker_of(response_class: _Maker) -> _Maker:
    """Return what aiohttp is to call, in place of its response class, to create responses of this class or function."""
    if isinstance(response_class, type) and issubclass(response_class, ClientResponse):
        if response_class.__init__ is not ClientResponse.__init__:
            return functools.partial(_made, response_class)
    return response_class


def _made(response_class: type[ClientResponse], *args: Any, **kwargs: Any) -> ClientResponse:
    if "stream_writer" not in kwargs:
        return response_class(*args, **kwargs)
    given = {name: kwargs[name] for name in _MADE_UP if name in kwargs}
    try:
        return _filled(response_class, given, args, kwargs)
    except TypeError as error:
        if "stream_writer" not in str(error):
            raise
    del kwargs["stream_writer"]
    return _filled(response_class, given, args, kwargs)


def _filled(
    response_class: type[ClientResponse], given: dict[str, Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> ClientResponse:
    filling = _on_top_of_filling(response_class)  # type: ignore[arg-type]
    response = filling.__new__(filling, *args, **kwargs)
    response.given_by_aiohttp = given
    response.__init__(*args, **kwargs)  # type: ignore[misc]
    response.__class__ = response_class  # type: ignore[assignment]
    # Still there if the class called `ClientResponse.__init__` by name, and thus bypassed `_Filling`.
    vars(response).pop("given_by_aiohttp", None)
    return response


class _Filling(ClientResponse):
    given_by_aiohttp: dict[str, Any]

    # Suites inspect the signature of their `super().__init__` to find out what it accepts.
    @functools.wraps(ClientResponse.__init__)  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = vars(self).pop("given_by_aiohttp", {})
        super().__init__(*args, **{name: given.get(name, value) for name, value in kwargs.items()})


# Enough for one suite, and not more, because each cached class keeps its whole module alive.
@functools.lru_cache(maxsize=8)
def _on_top_of_filling(response_class: Any) -> type[_Filling]:
    return type(response_class.__name__, (response_class, _Filling), {})
