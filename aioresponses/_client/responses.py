"""Responses after their mock has been stopped.

A client that leaves a response behind has it give up its body: aiohttp then raises "Connection closed" where somebody
reads it, even if all of it has come in. Code under test is to learn that, so it holds while the mock is active. Tests
look at the response of a call afterwards, and to them what has come in is of use.

Private, and the same from 3.8.6 to 3.14.5 and in the development branch: `ClientResponse._released`, by which `read()`
tells that the response was given up, and `StreamReader._exception`.
"""

from __future__ import annotations

from typing import Any

from aiohttp import ClientConnectionError, ClientResponse, StreamReader


def leave_readable(response: ClientResponse) -> None:
    """Have the body of a response be readable if it has come in completely; reading any other fails."""
    # A class of responses of the user's may have anything there.
    given: Any = response
    content = getattr(given, "content", None)
    if not isinstance(content, StreamReader):
        return
    if content.is_eof():
        given._released = False
        if content.exception() is not None:
            # Nothing but the client's giving up comes after the end of a body.
            content._exception = None
    elif content.exception() is None and (response.connection is None or response.connection.closed):
        # aiohttp 3.8 and 3.9 forget a body whose session is closed, and whoever reads it would wait for ever.
        content.set_exception(ClientConnectionError("Connection closed"))
