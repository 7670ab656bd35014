"""Responses after their mock has been stopped.

When a client leaves a response without reading it, the response gives up its body: a later read raises "Connection
closed", even if the whole body has arrived. The code under test has to experience that, so nothing changes while the
mock is active. But tests look at the response of a call afterwards, and the body that has arrived is useful to them.

Private, and the same from 3.8.6 to 3.14.5 and in the development branch: `ClientResponse._released`, which tells
`read()` that the response was given up, and `StreamReader._exception`.
"""

from __future__ import annotations

from typing import Any

from aiohttp import ClientConnectionError, ClientResponse, StreamReader


def leave_readable(response: ClientResponse) -> None:
    """Make the body of a response readable if it has arrived completely; let reading an incomplete one fail."""
    # A user's own response class may have anything as its content.
    given: Any = response
    content = getattr(given, "content", None)
    if not isinstance(content, StreamReader):
        return
    if content.is_eof():
        given._released = False
        if content.exception() is not None:
            # After the end of a body, only the client's giving it up can have set an exception.
            content._exception = None
    elif content.exception() is None and (response.connection is None or response.connection.closed):
        # aiohttp 3.8 and 3.9 set no error on a body whose session is closed, so reading it would wait forever.
        content.set_exception(ClientConnectionError("Connection closed"))
