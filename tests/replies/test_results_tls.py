"""Faults of TLS, which a mock of a URL without TLS cannot have."""

import re
import unittest
from unittest.mock import ANY

import aiohttp
from aiohttp import ClientSession
from yarl import URL

from aioresponses import AioResponsesTestCase, CallbackResult, Fault, RequestMatch, aioresponses

from ..support import SITE, outcome_of

OF_TLS = (Fault.TLS_FAILURE, Fault.CERTIFICATE_INVALID)


def message(fault, url):
    return f"fault: {fault} needs an https URL, got {url}; over http, use a fault such as Fault.CONNECTION_RESET"


class RegisteringTest(unittest.TestCase):
    def setUp(self):
        self.mock = aioresponses()

    def check_refused(self, expected, function, *args, **kwargs):
        with self.assertRaises(ValueError) as caught:
            function(*args, **kwargs)
        self.assertEqual(str(caught.exception), expected)

    def test_urls_without_tls(self):
        for fault in OF_TLS:
            for url, shown in (
                (SITE, SITE),
                (URL("http://example.com/?b=2&a=1"), "http://example.com/?a=1&b=2"),
                ("HTTP://example.com/", SITE),
                ("http://me:secret@example.com/", SITE),
                ("ws://example.com/", "ws://example.com/"),
                ("http://example.com/users/{id}", SITE),
                ("http://*.example.com/", SITE),
            ):
                with self.subTest(fault, url=url):
                    self.check_refused(message(fault, shown), self.mock.get, url, fault=fault)
                    self.check_refused(message(fault, shown), self.mock.add, url, "PUT", fault=fault, repeat=True)
                    self.check_refused(
                        f"replies[1]: {message(fault, shown)}", self.mock.get, url, replies=[{}, {"fault": fault}]
                    )
                    self.check_refused(
                        f"replies[0]: {message(fault, shown)}",
                        self.mock.get,
                        url,
                        replies=[CallbackResult(fault=fault)],
                    )
        self.assertEqual(self.mock.unused_mocks, [])

    def test_groups_without_tls(self):
        api = self.mock.host("http://api.example.com/v2", headers={"Server": "api"})
        for path, shown in (
            ("/users", "/v2/users"), ("/users/{id}", "/"), (re.compile("/users"), "/v2"), (ANY, "/v2"),
        ):
            with self.subTest(path):
                expected = message(Fault.TLS_FAILURE, f"http://api.example.com{shown}")
                self.check_refused(expected, api.get, path, fault=Fault.TLS_FAILURE)
                self.check_refused(f"replies[0]: {expected}", api.get, path, replies=[{"fault": Fault.TLS_FAILURE}])

    def test_urls_with_tls_and_those_of_which_it_is_not_known(self):
        for fault in OF_TLS:
            for url in (
                "https://example.com/", URL("https://example.com/"), "HTTPS://example.com/", "wss://example.com/",
                "https://example.com/{id}", "https://*.example.com/", re.compile("http"), re.compile("^http://"), ANY,
            ):
                with self.subTest(fault, url=url):
                    self.assertIsInstance(self.mock.get(url, fault=fault), RequestMatch)

    def test_faults_without_tls(self):
        for fault in set(Fault) - set(OF_TLS):
            with self.subTest(fault):
                self.assertIsInstance(self.mock.get(SITE, fault=fault), RequestMatch)

    def test_beside_a_callback_it_is_needed_only_if_that_returns_none(self):
        for fault in OF_TLS:
            self.assertIsInstance(self.mock.get(SITE, fault=fault, callback=lambda call: None), RequestMatch)


class RequestsTest(AioResponsesTestCase):
    async def check_fails(self, expected, url, **kwargs):
        async with ClientSession() as session:
            for method in ("GET", "POST"):
                self.mock.add(url, method, **kwargs)
                with self.subTest(expected, method=method):
                    with self.assertRaises(ValueError) as caught:
                        await session.request(method, "http://example.com/?a=1")
                    shown = self.mock.calls[-1].match
                    self.assertEqual(str(caught.exception), message(expected, "http://example.com/?a=1"))
                    self.assertEqual(
                        caught.exception.__notes__, [f"aioresponses: this is the fault of the mock {shown}"]
                    )
                    self.assertIs(self.mock.calls[-1].exception, caught.exception)

    async def test_a_pattern_that_is_asked_for_a_url_without_tls(self):
        for fault in OF_TLS:
            for url in (re.compile(".*"), ANY):
                await self.check_fails(fault, url, fault=fault)

    async def test_a_callback_that_is_asked_for_a_url_without_tls(self):
        for fault in OF_TLS:
            result = CallbackResult(fault=fault)
            await self.check_fails(fault, "http://example.com/?a=1", callback=lambda call: result)

            async def later(call):
                return result

            await self.check_fails(fault, "http://example.com/?a=1", callback=later)

    async def test_a_callback_that_leaves_it_to_the_mock(self):
        for fault in OF_TLS:
            await self.check_fails(fault, "http://example.com/?a=1", fault=fault, callback=lambda call: None)

    async def test_a_pattern_that_is_asked_for_a_url_with_tls(self):
        for fault, error in zip(OF_TLS, (aiohttp.ClientConnectorSSLError, aiohttp.ClientConnectorCertificateError)):
            self.mock.get(re.compile(".*"), fault=fault)
            self.assertEqual((await outcome_of(self.client_session(), url="https://example.com/a"))[0], error)

    async def test_a_redirect_from_a_url_without_tls_to_one_with_it(self):
        self.mock.get(SITE, status=302, headers={"Location": "https://example.com/"})
        self.mock.get("https://example.com/", fault=Fault.CERTIFICATE_INVALID)
        error, _ = await outcome_of(self.client_session())
        self.assertEqual(error, aiohttp.ClientConnectorCertificateError)
        self.assertEqual([str(hop.url) for hop in self.mock.calls[0].hops], [SITE, "https://example.com/"])

    async def test_a_websocket(self):
        self.mock.get("wss://example.com/", fault=Fault.TLS_FAILURE)
        self.mock.get("ws://example.com/", fault=Fault.DNS_FAILURE)
        for url, error in (
            ("wss://example.com/", aiohttp.ClientConnectorSSLError),
            ("ws://example.com/", getattr(aiohttp, "ClientConnectorDNSError", aiohttp.ClientConnectorError)),
        ):
            with self.subTest(url), self.assertRaises(aiohttp.ClientConnectorError) as caught:
                await self.client_session().ws_connect(url)
            self.assertEqual(type(caught.exception), error)
