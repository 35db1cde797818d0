"""What the weather is, and will be, anywhere on Earth, as Open-Meteo tells it."""

import asyncio
import contextlib
from typing import Annotated, Any, Literal, TypeVar

import aiohttp
import msgspec
from msgspec import Meta

from vivavoce.client.functions import describe
from vivavoce.client.tool import Tool
from vivavoce.errors import ToolError

__all__ = ["FORECAST_URL", "GEOCODING_URL", "Report", "Units", "Weather", "weather_tools"]

FORECAST_URL = "https://api.open-meteo.com/v1/forecast"
GEOCODING_URL = "https://geocoding-api.open-meteo.com/v1/search"

WEATHER_SECONDS = 8.0
"""For both requests together: a listener waits."""

MOST_BYTES = 1_000_000
"""Of an answer; an ordinary one has 2 kB."""

CURRENT = (
    "temperature_2m", "apparent_temperature", "relative_humidity_2m", "precipitation", "weather_code", "wind_speed_10m",
)  # fmt: skip
DAILY = ("weather_code", "temperature_2m_max", "temperature_2m_min", "precipitation_probability_max")

Units = Literal["metric", "imperial"]

T = TypeVar("T")

UNITS: dict[Units, dict[str, str]] = {
    "metric": {"temperature_unit": "celsius", "wind_speed_unit": "kmh", "precipitation_unit": "mm"},
    "imperial": {"temperature_unit": "fahrenheit", "wind_speed_unit": "mph", "precipitation_unit": "inch"},
}

SKIES = {
    0: "clear sky",
    1: "mainly clear",
    2: "partly cloudy",
    3: "overcast",
    45: "fog",
    48: "freezing fog",
    51: "light drizzle",
    53: "drizzle",
    55: "dense drizzle",
    56: "light freezing drizzle",
    57: "freezing drizzle",
    61: "light rain",
    63: "rain",
    65: "heavy rain",
    66: "light freezing rain",
    67: "freezing rain",
    71: "light snow",
    73: "snow",
    75: "heavy snow",
    77: "snow grains",
    80: "light showers",
    81: "showers",
    82: "violent showers",
    85: "light snow showers",
    86: "heavy snow showers",
    95: "thunderstorm",
    96: "thunderstorm with some hail",
    99: "thunderstorm with heavy hail",
}
"""The codes of WMO table 4677 that forecasts use, in words."""


class Day(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The weather of a day; temperatures in the units asked for."""

    date: str
    sky: str | None = None
    highest: float | None = None
    lowest: float | None = None
    chance_of_rain_percent: float | None = None


class Report(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The weather at a place, in words and in numbers with their units."""

    location: str
    latitude: float
    longitude: float
    time: str
    """There, by the clocks of the place."""
    sky: str | None = None
    temperature: str | None = None
    feels_like: str | None = None
    humidity: str | None = None
    precipitation: str | None = None
    wind: str | None = None
    days: list[Day] = []


class Place(msgspec.Struct):
    """Somewhere on Earth."""

    latitude: float
    longitude: float
    name: str
    country: str = ""
    admin1: str = ""
    """The part of the country."""

    @property
    def title(self) -> str:
        """What to call it."""
        return ", ".join(part for part in (self.name, self.admin1, self.country) if part)


class Places(msgspec.Struct):
    """What a search has found; nothing at all, if the field is absent."""

    results: list[Place] = []


class Forecast(msgspec.Struct):
    """An answer of Open-Meteo, as far as it is used."""

    current: dict[str, Any] = {}
    current_units: dict[str, str] = {}
    daily: dict[str, list[Any]] = {}


class Refusal(msgspec.Struct):
    """Why Open-Meteo does not answer."""

    reason: str = ""


class Weather:
    """Asks Open-Meteo, over an ``http`` session of yours or one for each question.

    It needs no key for non-commercial use; with an ``api_key``, name the addresses that belong to it.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession | None = None,
        *,
        url: str = FORECAST_URL,
        search_url: str = GEOCODING_URL,
        api_key: str | None = None,
        units: Units = "metric",
        seconds: float = WEATHER_SECONDS,
    ) -> None:
        self._http = http
        self._url = url
        self._search_url = search_url
        self._key = {"apikey": api_key} if api_key else {}
        self._units = units
        self._seconds = seconds

    async def report(
        self,
        location: str,
        *,
        lat: float | None = None,
        lng: float | None = None,
        units: Units | None = None,
        days: int = 1,
    ) -> Report:
        """Tell the weather at a place, which is looked up by its name unless its coordinates are given.

        Raises `ToolError` in words that can be spoken.
        """
        try:
            async with asyncio.timeout(self._seconds):
                if lat is None or lng is None:
                    place = await self._find(location)
                    lat, lng, location = place.latitude, place.longitude, place.title
                forecast = await self._ask(
                    self._url,
                    {
                        "latitude": f"{lat:.4f}",
                        "longitude": f"{lng:.4f}",
                        "current": ",".join(CURRENT),
                        "daily": ",".join(DAILY),
                        "forecast_days": str(days),
                        "timezone": "auto",
                        **UNITS[units or self._units],
                    },
                    Forecast,
                )
        except TimeoutError as late:
            raise ToolError("The weather service takes too long to answer.") from late
        return _report(location, round(lat, 4), round(lng, 4), forecast)

    async def _find(self, name: str) -> Place:
        query = {"name": name, "count": "1", "language": "en", "format": "json"}
        found = await self._ask(self._search_url, query, Places)
        if not found.results:
            raise ToolError(f"No place called {name} is known; it may be spelt otherwise.")
        return found.results[0]

    async def _ask(self, url: str, query: dict[str, str], kind: type[T]) -> T:
        session = contextlib.nullcontext(self._http) if self._http else aiohttp.ClientSession(trust_env=True)
        try:
            async with session as http, http.get(url, params=query | self._key) as response:
                body = await _read(response)
                if response.status != 200:
                    raise ToolError(_refusal(response.status, body))
                return msgspec.json.decode(body, type=kind)
        except aiohttp.ClientError as error:
            raise ToolError("The weather service cannot be reached.") from error
        except msgspec.DecodeError as error:
            raise ToolError("The weather service answered something that is no weather.") from error


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MOST_BYTES:
            raise ToolError("The weather service answered more than anyone could want.")
    return bytes(body)


def _refusal(status: int, body: bytes) -> str:
    with contextlib.suppress(msgspec.DecodeError):
        if reason := msgspec.json.decode(body, type=Refusal).reason:
            return f"The weather service does not answer that: {reason}"
    return f"The weather service does not answer (status {status})."


def _report(location: str, latitude: float, longitude: float, forecast: Forecast) -> Report:
    current, daily = forecast.current, forecast.daily

    def measured(name: str) -> str | None:
        value, unit = current.get(name), forecast.current_units.get(name, "")
        if not isinstance(value, int | float):
            return None
        return f"{value:g}{unit}" if unit.startswith(("°", "%")) else f"{value:g} {unit}"

    def of_day(name: str, index: int) -> Any:
        values = daily.get(name, [])
        return values[index] if index < len(values) else None

    return Report(
        location=location,
        latitude=latitude,
        longitude=longitude,
        time=str(current.get("time", "")),
        sky=_sky(current.get("weather_code")),
        temperature=measured("temperature_2m"),
        feels_like=measured("apparent_temperature"),
        humidity=measured("relative_humidity_2m"),
        precipitation=measured("precipitation"),
        wind=measured("wind_speed_10m"),
        days=[
            Day(
                date=str(date),
                sky=_sky(of_day("weather_code", index)),
                highest=of_day("temperature_2m_max", index),
                lowest=of_day("temperature_2m_min", index),
                chance_of_rain_percent=of_day("precipitation_probability_max", index),
            )
            for index, date in enumerate(daily.get("time", []))
        ],
    )


def _sky(code: object) -> str | None:
    return SKIES.get(int(code)) if isinstance(code, int | float) else None


def weather_tools(weather: Weather | None = None) -> list[Tool]:
    """Return ``get_weather``, which asks ``weather``; Open-Meteo without a key, if None."""
    asked = weather or Weather()

    async def get_weather(
        location: Annotated[str, Meta(min_length=1, max_length=200)],
        lat: Annotated[float, Meta(ge=-90, le=90)] | None = None,
        lng: Annotated[float, Meta(ge=-180, le=180)] | None = None,
        days: Annotated[int, Meta(ge=1, le=7)] = 1,
        units: Units | None = None,
    ) -> Report:
        """Tell the weather at a place: what it is now, and what is forecast.

        Args:
            location: Name of the place, such as "Paris, France".
            lat: Latitude, if you are sure of it; otherwise it is looked up.
            lng: Longitude, likewise.
            days: How many days are forecast; today is the first.
            units: If the user wants others than usual.

        """
        return await asked.report(location, lat=lat, lng=lng, days=days, units=units)

    return [describe(get_weather)]
