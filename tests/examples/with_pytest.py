"""How to test a client with pytest: the fixture `aioresponses`, its markers, and the decorator."""

import asyncio

import pytest

from aioresponses import RequestCall
from aioresponses import aioresponses as Mock

from .weather import WeatherClient


def test_reads_the_temperature(aioresponses: Mock) -> None:
    aioresponses.get("https://api.example.com/weather?q=Oslo", payload={"temp": 21})
    assert asyncio.run(WeatherClient().temperature("Oslo")) == 21
    aioresponses.assert_called_once()


@pytest.mark.strict
def test_asks_for_both_cities(aioresponses: Mock) -> None:
    for city in ("Oslo", "Rome"):
        aioresponses.get(f"https://api.example.com/weather?q={city}", payload={"temp": 20})
    assert asyncio.run(WeatherClient().temperatures(["Oslo", "Rome"])) == {"Oslo": 20, "Rome": 20}


@pytest.mark.aioresponses(latency=0, assert_all_called=True)
def test_reads_the_temperature_of_a_service_that_takes_its_time(aioresponses: Mock) -> None:
    aioresponses.get("https://api.example.com/weather?q=Oslo", payload={"temp": 21})
    assert asyncio.run(WeatherClient().temperature("Oslo")) == 21


@pytest.mark.parametrize("temperature", [21, -5])
@Mock()
def test_reads_any_temperature(temperature: int, mock: Mock) -> None:
    mock.get("https://api.example.com/weather?q=Oslo", payload={"temp": temperature})
    assert asyncio.run(WeatherClient().temperature("Oslo")) == temperature


@pytest.mark.strict
@pytest.mark.xfail(reason="the mock is not used, and strict says so", strict=True, raises=pytest.fail.Exception)
def test_leaves_a_mock_unused(aioresponses: Mock) -> None:
    aioresponses.get("https://api.example.com/weather?q=Oslo")


@pytest.mark.strict
@pytest.mark.xfail(reason="the client swallows an assertion", strict=True, raises=pytest.fail.Exception)
def test_reports_another_temperature(aioresponses: Mock) -> None:
    def check(call: RequestCall) -> None:
        if call.json()["temp"] != 22:
            pytest.fail("expected 22")

    async def report() -> None:
        await asyncio.gather(WeatherClient().report("Oslo", 21), return_exceptions=True)

    aioresponses.post("https://api.example.com/reports", callback=check)
    asyncio.run(report())
