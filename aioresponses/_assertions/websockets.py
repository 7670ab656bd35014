"""What a test case can assert about WebSockets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .._absent import ABSENT
from .._calls.record import RequestCall
from .._display import shown
from .._messages import NOT_ABSENT, is_message
from .base import CallAssertions

if TYPE_CHECKING:
    from .._calls.traffic import WebSocketTraffic
    from .._matching.selection import UrlOrMock

__unittest = True


class WebSocketAssertionsMixin(CallAssertions):
    """Assertions about WebSockets: what the code under test sent and received, and how they were closed.

    Each looks at the calls that were upgraded, or, with `url`, only at those of this URL or mock. Each raises
    `failureException` if it does not hold, with `msg` after its own message.
    """

    def assertWebSocketReceived(
        self, messages: Iterable[Any], url: UrlOrMock | None = None, msg: str | None = None
    ) -> None:
        """Fail unless the code under test sent exactly these messages, in order, connection by connection.

        Text and bytes are compared directly, anything else with the text decoded from JSON.

        >>> self.assertWebSocketReceived([{"op": "subscribe"}, "ping"], "wss://stream.example.com/ticks")
        """
        self._check_messages("received by the far end", messages, url, msg, lambda traffic: traffic.received)

    def assertWebSocketSent(
        self, messages: Iterable[Any], url: UrlOrMock | None = None, msg: str | None = None
    ) -> None:
        """Fail unless the far end sent exactly these messages, in order, connection by connection.

        >>> self.assertWebSocketSent([{"price": 1}])
        """
        self._check_messages("sent by the far end", messages, url, msg, lambda traffic: traffic.sent)

    def assertWebSocketClosed(self, code: int, url: UrlOrMock | None = None, msg: str | None = None) -> None:
        """Fail unless the code under test saw the last WebSocket end with this code: 1006 if it was lost.

        >>> self.assertWebSocketClosed(1000, "wss://stream.example.com/ticks")
        """
        # An object of `matchers` is accepted, because it decides for itself what equals it.
        if code is None or isinstance(code, (bool, str, bytes, float)):
            self._wrongly(f"code: expected an int, got {shown(code)}", msg)
        wanted = str(int(code)) if isinstance(code, int) else shown(code)
        upgraded = self._upgraded(url, msg)
        if not upgraded:
            self._fail_with_calls(f"Expected a WebSocket that was closed with {wanted}, but there was none.", msg)
        found = upgraded[-1][1].close_code
        if found is None or found != code:
            how = "it is open" if found is None else f"it was closed with {found}"
            self._fail_with_calls(f"Expected the last WebSocket to be closed with {wanted}, but {how}.", msg)

    def assertWebSocketConnections(self, count: int, url: UrlOrMock | None = None, msg: str | None = None) -> None:
        """Fail unless there were exactly `count` WebSockets.

        >>> self.assertWebSocketConnections(2, "wss://stream.example.com/ticks")
        """
        self._count("count", count, 0, msg)
        found = len(self._upgraded(url, msg))
        if found != count:
            expected = "1 WebSocket" if count == 1 else f"{count} WebSockets"
            there_were = "there was 1" if found == 1 else f"there were {found or 'none'}"
            self._fail_with_calls(f"Expected {expected}, but {there_were}.", msg)

    def _upgraded(self, url: UrlOrMock | None, msg: str | None) -> list[tuple[RequestCall, WebSocketTraffic]]:
        calls = self._calls_of(self._selection(url, None, {}, msg))
        return [(call, traffic) for call in calls if (traffic := call.websocket) is not None]

    def _check_messages(
        self, what: str, messages: Iterable[Any], url: UrlOrMock | None, msg: str | None, of: Any
    ) -> None:
        if isinstance(messages, (str, bytes, Mapping)) or not isinstance(messages, Iterable):
            self._wrongly(f"messages: expected a list of messages, got {shown(messages)}", msg)
        expected = list(messages)
        if any(one is ABSENT for one in expected):
            self._wrongly(f"messages: {NOT_ABSENT}", msg)
        found = [message for _, traffic in self._upgraded(url, msg) for message in of(traffic)]
        if len(expected) == len(found) and all(map(is_message, expected, found)):
            return
        lines = []
        for place in range(max(len(expected), len(found))):
            wanted = shown(expected[place]) if place < len(expected) else None
            got = shown(found[place]) if place < len(found) else None
            if wanted is not None and got is not None and is_message(expected[place], found[place]):
                lines.append(f"  {got}")
            else:
                lines += [f"- {wanted}"] if wanted is not None else []
                lines += [f"+ {got}"] if got is not None else []
        self._fail_with_calls(f"Messages {what} differ (- expected, + {what.split()[0]}):", msg, "\n".join(lines))
