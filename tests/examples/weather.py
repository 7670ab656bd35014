"""A small client for a weather service, as an application would have it."""

from __future__ import annotations

import asyncio

import aiohttp


class WeatherClient:
    def __init__(self, base_url: str = "https://api.example.com") -> None:
        self._base_url = base_url

    async def temperature(self, city: str) -> int:
        """Return the temperature in a city, in degrees Celsius."""
        async with aiohttp.ClientSession(self._base_url) as session:
            async with session.get("/weather", params={"q": city}) as response:
                response.raise_for_status()
                report = await response.json()
        return int(report["temp"])

    async def report(self, city: str, temperature: int) -> str:
        """Report a measurement, trying once more if the service does not answer in time; return its number."""
        async with aiohttp.ClientSession(self._base_url) as session:
            for attempt in range(2):
                try:
                    async with session.post("/reports", json={"q": city, "temp": temperature}) as response:
                        response.raise_for_status()
                        return response.headers["Location"].rpartition("/")[2]
                except asyncio.TimeoutError:
                    if attempt:
                        raise
        raise AssertionError("unreachable")
