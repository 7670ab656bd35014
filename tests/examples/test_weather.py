"""How to test a client: subclass AioResponsesTestCase, say what the service answers, and what must have been asked."""

import asyncio
from unittest.mock import ANY

from aiohttp import ClientResponseError

from aioresponses import AioResponsesTestCase

from .weather import WeatherClient

WEATHER = "https://api.example.com/weather"
REPORTS = "https://api.example.com/reports"


class WeatherTest(AioResponsesTestCase):
    """The first steps: answers, and errors."""

    async def test_reads_the_temperature(self) -> None:
        self.mock.get("https://api.example.com/weather?q=Oslo", payload={"temp": 21})
        self.assertEqual(await WeatherClient().temperature("Oslo"), 21)
        self.mock.assert_called_once_with("https://api.example.com/weather", params={"q": "Oslo"})

    async def test_tells_of_an_unknown_city(self) -> None:
        self.mock.get(f"{WEATHER}?q=Atlantis", status=404)
        with self.assertRaises(ClientResponseError) as raised:
            await WeatherClient().temperature("Atlantis")
        self.assertEqual(raised.exception.status, 404)

    async def test_lets_a_time_out_through(self) -> None:
        self.mock.get(f"{WEATHER}?q=Oslo", timeout=True)
        with self.assertRaises(asyncio.TimeoutError):
            await WeatherClient().temperature("Oslo")


class ReportTest(AioResponsesTestCase):
    """What can be asserted of the calls. Strict: every mock must be used, and every request must find one."""

    strict = True

    async def test_sends_the_measurement_as_json(self) -> None:
        self.mock.post(REPORTS, status=201, headers={"Location": "/reports/7"})
        self.assertEqual(await WeatherClient().report("Oslo", 21), "7")
        self.assertJsonBody({"q": "Oslo", "temp": 21, "at": ANY}, REPORTS, "POST")
        self.assertJsonBodyContains({"q": "Oslo"})
        self.assertRequestHeaders({"Content-Type": "application/json"})

    async def test_tries_once_more_after_a_timeout_and_then_gives_up(self) -> None:
        self.mock.post(REPORTS, timeout=True, repeat=2)
        with self.assertRaises(asyncio.TimeoutError):
            await WeatherClient().report("Oslo", 21)
        self.assertCallCount(2, REPORTS, "POST")
        self.assertNotCalled(method="GET")

    async def test_asks_before_it_reports(self) -> None:
        self.mock.get(f"{WEATHER}?q=Oslo", payload={"temp": 21})
        self.mock.post(REPORTS, status=201, headers={"Location": "/reports/8"})
        client = WeatherClient()
        await client.report("Oslo", await client.temperature("Oslo") + 1)
        self.assertCallsEqual([("GET", f"{WEATHER}?q=Oslo"), ("POST", REPORTS)])
        self.assertQuery({"q": "Oslo"}, WEATHER)
        self.assertMaxConcurrency(1)

    async def test_asks_for_many_cities_at_once(self) -> None:
        cities = ["Oslo", "Rome", "Lima"]
        for city in cities:
            self.mock.get(f"{WEATHER}?q={city}", payload={"temp": 20})
        self.assertEqual(await WeatherClient().temperatures(cities), {"Oslo": 20, "Rome": 20, "Lima": 20})
        self.assertConcurrent(method="GET", at_least=3)
