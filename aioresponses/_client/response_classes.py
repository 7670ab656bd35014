"""Response classes that suites wrote for aioresponses 0.7, called by aiohttp itself.

Theory
------
aioresponses 0.7 made the responses, and called their class with the keywords of aiohttp 3.13: `writer` was None, and
there was no `stream_writer`, which aiohttp 3.14 requires. So suites brought a class of their own whose `__init__` hands
a made-up `stream_writer` to that of aiohttp, and some a made-up `writer`. Here aiohttp makes the responses and gives
both. Such a class may then fail in two ways. It gives `stream_writer` a second time, or takes none, which is a
`TypeError`: then it is called once more, without one. Or it hands on the wrong object, which aiohttp cannot use, or
which knows nothing of what is being sent. So the class is put on top of another one, `_Filling`, to which its
`super().__init__` leads, and which hands on what aiohttp gave, in place of what the class made up. When the response
has been made, it is an object of the class itself.

`_Filling` adds nothing that the class leaves out: one that is wrong with a real server is wrong here.

Classes without an `__init__` of their own, functions, and all classes on older releases of aiohttp, are called as they
are.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from aiohttp import ClientResponse

_Maker = Callable[..., ClientResponse]

# What suites make up. The first one, a task, may be None.
_MADE_UP = ("writer", "stream_writer")


def maker_of(response_class: _Maker) -> _Maker:
    """Return what makes responses of a class, or by a function, wherever aiohttp calls the class."""
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
    # A class that calls aiohttp's `__init__` by its name has gone around ours.
    vars(response).pop("given_by_aiohttp", None)
    return response


class _Filling(ClientResponse):
    given_by_aiohttp: dict[str, Any]

    # Suites look at the signature of their `super().__init__`, for what it takes.
    @functools.wraps(ClientResponse.__init__)  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = vars(self).pop("given_by_aiohttp", {})
        super().__init__(*args, **{name: given.get(name, value) for name, value in kwargs.items()})


# As many as one suite may have; each is kept with all that its module holds.
@functools.lru_cache(maxsize=8)
def _on_top_of_filling(response_class: Any) -> type[_Filling]:
    return type(response_class.__name__, (response_class, _Filling), {})
