"""The exchanges of the suite that are compared with a real server are recorded there, and replay equal."""

import os
import tempfile
import unittest
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

from aioresponses import aioresponses

from .servers import Outcome, Seen, ServerTestCase, requests_of

# Test cases in which each exchange is complete, and none is about cookies, lengths or the moment when a piece comes.
CASES = (
    "calls.test_arguments", "client.test_protocol_sessions.MiddlewareTest",
    "client.test_protocol_sessions.ProxyTest",
    "client.test_protocol_sessions.RaiseForStatusTest", "client.test_protocol_sessions.SessionTest",
    "matching.test_router_encoded", "replies.test_bodies", "replies.test_bodies_multipart",
    "replies.test_bodies_payloads", "replies.test_codings.CompressedLikeAServerTest",
    "replies.test_encoding.DownloadTest", "replies.test_encoding.WithoutBodyTest",
    "replies.test_websockets.LikeServerTest",
)

LEFT_OUT = ("Connection", "Content-Length", "Date", "Transfer-Encoding")


def as_recorded(seen):
    """Return what a scenario saw, without what recordings leave out."""
    if isinstance(seen, Seen):
        return seen._replace(headers=[pair for pair in seen.headers if pair[0] not in LEFT_OUT])
    if isinstance(seen, Mapping):
        return {name: as_recorded(value) for name, value in seen.items() if name not in LEFT_OUT}
    if isinstance(seen, (list, tuple)):
        return [as_recorded(one) for one in seen if not (isinstance(one, tuple) and one[:1] and one[0] in LEFT_OUT)]
    return seen


class ComparedTest(unittest.TestCase):
    def test_they_replay_equal(self):
        compared = []

        async def compare(case, scenario, register=lambda mock: None, what_came_in=True):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "a.har"
                case.received.clear()
                with aioresponses() as mock, mock.cassette(path):
                    real = await scenario()
                with aioresponses() as mock, mock.cassette(path):
                    replayed = await scenario()
            case.assertEqual(as_recorded(replayed), as_recorded(real))
            if what_came_in:
                case.assertEqual(requests_of(mock), case.received)
            compared.append(case)
            return Outcome(real, case.received)

        environment = {name: value for name, value in os.environ.items() if name not in ("CI", "AIORESPONSES_RECORD")}
        result = unittest.TestResult()
        suite = unittest.defaultTestLoader.loadTestsFromNames([f"tests.{name}" for name in CASES])
        with patch.object(ServerTestCase, "compare", compare), patch.dict(os.environ, environment, clear=True):
            suite.run(result)
        self.assertEqual([text for _, text in [*result.errors, *result.failures]], [])
        self.assertGreater(len(compared), 150)
