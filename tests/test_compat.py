import unittest
from unittest import mock

import aiohttp

import aioresponses.compat
import aioresponses.core
from aioresponses import AioResponsesTestCase


class CompatTest(unittest.TestCase):
    def test_names_stand_where_suites_import_them_from(self):
        from aioresponses.compat import URL, merge_params, normalize_url
        from aioresponses.core import CallbackResult, RequestCall, RequestMatch, aioresponses as mock_class

        self.assertEqual(str(normalize_url(merge_params("http://x/?b=1", {"a": 2}))), str(URL("http://x/?a=2&b=1")))
        self.assertEqual(RequestCall((), {"json": 1}), ((), {"json": 1}))
        self.assertIsInstance(mock_class().get("http://x/"), RequestMatch)
        self.assertEqual(CallbackResult().status, 200)

    def test_other_names_are_missing_as_in_any_module(self):
        with self.assertRaises(AttributeError) as raised:
            aioresponses.compat.nothing
        self.assertEqual(str(raised.exception), "module 'aioresponses.compat' has no attribute 'nothing'")


class PatchedClientResponseTest(AioResponsesTestCase):
    async def test_a_client_response_patched_into_core_is_used(self):
        class OwnResponse(aiohttp.ClientResponse):
            pass

        self.mock.get("http://example.com/", body="x")
        with mock.patch("aioresponses.core.ClientResponse", OwnResponse):
            async with aiohttp.ClientSession() as session:
                response = await session.get("http://example.com/")
                self.assertEqual((type(response), await response.read()), (OwnResponse, b"x"))
