"""What users see of a WebSocket: the messages that went over it."""

from __future__ import annotations

from .._client.frames import has_unread_close
from .exchange import Exchange

# The close code that a client sees if it loses its connection without a close frame.
_LOST = 1006


class WebSocketTraffic:
    """What went over the WebSocket of a call: text messages (`str`) and binary messages (`bytes`), in order."""

    def __init__(self, exchange: Exchange) -> None:
        assert exchange.upgraded is not None
        self._exchange = exchange
        self._upgraded = exchange.upgraded

    def __repr__(self) -> str:
        try:
            return self._shown()
        except ValueError as error:
            return f"<WebSocketTraffic: {error}>"

    def _shown(self) -> str:
        return f"<WebSocketTraffic received={self.received!r}, sent={self.sent!r}, close_code={self.close_code}>"

    @property
    def received(self) -> list[str | bytes]:
        """What the far end received, that is, what the code under test sent."""
        return self._upgraded.data(self._upgraded.received)

    @property
    def sent(self) -> list[str | bytes]:
        """What the far end sent."""
        return self._upgraded.data(self._upgraded.sent)

    @property
    def close_code(self) -> int | None:
        """What the code under test sees as `close_code`: 1006 if the connection was lost, None while it is open.

        It is open until the code under test has read that the far end has closed it.
        """
        if has_unread_close(self._exchange.response):
            return None
        code = self._upgraded.close_code
        return _LOST if code is None and not self._exchange.connections else code
