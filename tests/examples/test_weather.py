"""How to test a client: subclass AioResponsesTestCase, and say what the service answers."""

from aiohttp import ClientConnectionError, ClientResponseError

from aioresponses import AioResponsesTestCase

from .weather import WeatherClient


class WeatherTest(AioResponsesTestCase):
    async def test_reads_the_temperature(self):
        self.mock.get("https://api.example.com/weather?q=Oslo", payload={"temp": 21})
        self.assertEqual(await WeatherClient().temperature("Oslo"), 21)
        self.mock.assert_called_once_with("https://api.example.com/weather", params={"q": "Oslo"})

    async def test_tells_of_an_unknown_city(self):
        self.mock.get("https://api.example.com/weather?q=Atlantis", status=404)
        with self.assertRaises(ClientResponseError) as raised:
            await WeatherClient().temperature("Atlantis")
        self.assertEqual(raised.exception.status, 404)

    async def test_reports_once_more_after_a_timeout(self):
        reports = "https://api.example.com/reports"
        self.mock.post(reports, timeout=True)
        self.mock.post(reports, status=201, headers={"Location": "/reports/7"})
        self.assertEqual(await WeatherClient().report("Oslo", 21), "7")
        self.assertEqual([call.method for call in self.mock.calls], ["POST", "POST"])

    async def test_nothing_else_is_asked_for(self):
        with self.assertRaises(ClientConnectionError):
            await WeatherClient().temperature("Oslo")
