import asyncio
import json

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from vivavoce.client.toolbox import Toolbox
from vivavoce.errors import ToolError
from vivavoce.tools.weather import Weather, weather_tools

PARIS = {
    "results": [
        {
            "name": "Paris",
            "admin1": "Texas",
            "country": "United States",
            "latitude": 33.66094,
            "longitude": -95.55551,
        }
    ]
}
FORECAST = {
    "latitude": 33.66,
    "longitude": -95.56,
    "timezone": "America/Chicago",
    "current_units": {
        "temperature_2m": "°C",
        "apparent_temperature": "°C",
        "relative_humidity_2m": "%",
        "precipitation": "mm",
        "wind_speed_10m": "km/h",
    },
    "current": {
        "time": "2026-11-21T07:45",
        "interval": 900,
        "temperature_2m": 7.0,
        "apparent_temperature": 4.5,
        "relative_humidity_2m": 81,
        "precipitation": 0.3,
        "weather_code": 61,
        "wind_speed_10m": 14.5,
    },
    "daily": {
        "time": ["2026-11-21", "2026-11-22"],
        "weather_code": [63, None],
        "temperature_2m_max": [9.1, 12],
        "temperature_2m_min": [2.2, None],
        "precipitation_probability_max": [90],
    },
}


class OpenMeteo:
    """Answers as Open-Meteo does, and keeps what it was asked."""

    def __init__(self):
        self.asked = []
        self.places = PARIS
        self.forecast = FORECAST
        self.status = 200
        self.silent = False

    async def answer(self, request):
        self.asked.append((request.path, dict(request.query)))
        if self.silent:
            await asyncio.Event().wait()
        answer = self.places if request.path == "/v1/search" else self.forecast
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return web.Response(text=text, status=self.status, content_type="application/json")


@pytest.fixture
def service():
    return OpenMeteo()


@pytest.fixture
async def make(service):
    app = web.Application()
    app.router.add_get("/v1/{what}", service.answer)
    async with TestServer(app, shutdown_timeout=0.01) as server, aiohttp.ClientSession() as http:

        def make(**options):
            return Weather(
                options.pop("http", http),
                url=str(server.make_url("/v1/forecast")),
                search_url=str(server.make_url("/v1/search")),
                **options,
            )

        yield make


async def test_a_place_is_looked_up_and_its_weather_told(service, make):
    report = await make().report("Paris, Texas")
    assert service.asked == [
        ("/v1/search", {"name": "Paris, Texas", "count": "1", "language": "en", "format": "json"}),
        (
            "/v1/forecast",
            {
                "latitude": "33.6609",
                "longitude": "-95.5555",
                "current": "temperature_2m,apparent_temperature,relative_humidity_2m,"
                "precipitation,weather_code,wind_speed_10m",
                "daily": "weather_code,temperature_2m_max,temperature_2m_min,precipitation_probability_max",
                "forecast_days": "1",
                "timezone": "auto",
                "temperature_unit": "celsius",
                "wind_speed_unit": "kmh",
                "precipitation_unit": "mm",
            },
        ),
    ]
    assert msgspec.to_builtins(report) == {
        "location": "Paris, Texas, United States",
        "latitude": 33.6609,
        "longitude": -95.5555,
        "time": "2026-11-21T07:45",
        "sky": "light rain",
        "temperature": "7°C",
        "feels_like": "4.5°C",
        "humidity": "81%",
        "precipitation": "0.3 mm",
        "wind": "14.5 km/h",
        "days": [
            {
                "date": "2026-11-21",
                "sky": "rain",
                "highest": 9.1,
                "lowest": 2.2,
                "chance_of_rain_percent": 90,
            },
            {"date": "2026-11-22", "highest": 12},
        ],
    }


async def test_coordinates_need_no_search(service, make):
    report = await make().report("home", lat=48.8566, lng=2.3522, days=3)
    [(path, query)] = service.asked
    assert path == "/v1/forecast"
    assert (query["latitude"], query["longitude"], query["forecast_days"]) == ("48.8566", "2.3522", "3")
    assert report.location == "home"


async def test_units_are_those_of_the_application_unless_asked_for(service, make):
    weather = make(units="imperial", api_key="sesame")
    await weather.report("home", lat=1, lng=2)
    await weather.report("home", lat=1, lng=2, units="metric")
    assert [query["temperature_unit"] for _, query in service.asked] == ["fahrenheit", "celsius"]
    assert [query["wind_speed_unit"] for _, query in service.asked] == ["mph", "kmh"]
    assert [query["precipitation_unit"] for _, query in service.asked] == ["inch", "mm"]
    assert {query["apikey"] for _, query in service.asked} == {"sesame"}


async def test_it_needs_no_session_of_yours(service, make):
    assert (await make(http=None).report("home", lat=1, lng=2)).sky == "light rain"


async def test_little_is_told_where_little_is_known(service, make):
    service.forecast = {"current": {"time": "2026-11-21T07:45", "weather_code": None, "temperature_2m": None}}
    report = await make().report("home", lat=1, lng=2)
    assert msgspec.to_builtins(report) == {
        "location": "home",
        "latitude": 1,
        "longitude": 2,
        "time": "2026-11-21T07:45",
    }


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (400, {"error": True, "reason": "Too far away."}, "does not answer that: Too far away."),
        (429, {"error": True, "reason": "Minutely API request limit exceeded."}, "limit exceeded"),
        (502, "<html>", r"\(status 502\)"),
        (200, "<html>", "no weather"),
        (200, '{"current": 1}', "no weather"),
        (200, " " * 1_000_001, "more than anyone"),
    ],
)
async def test_what_goes_wrong_is_told_in_a_sentence(service, make, status, answer, words):
    service.status, service.forecast = status, answer
    with pytest.raises(ToolError, match=words):
        await make().report("home", lat=1, lng=2)


async def test_a_place_that_nobody_knows(service, make):
    service.places = {"generationtime_ms": 0.5}
    with pytest.raises(ToolError, match="No place called Nowhere"):
        await make().report("Nowhere")


async def test_a_service_that_takes_too_long(service, make):
    service.silent = True
    with pytest.raises(ToolError, match="too long"):
        await make(seconds=0.05).report("home", lat=1, lng=2)


async def test_a_service_that_is_not_there(unused_tcp_port):
    with pytest.raises(ToolError, match="cannot be reached"):
        await Weather(url=f"http://127.0.0.1:{unused_tcp_port}/").report("home", lat=1, lng=2)


async def test_a_model_may_ask(service, make):
    toolbox = Toolbox(*weather_tools(make()))
    told = msgspec.json.decode(await toolbox.run("call_1", "get_weather", '{"location": "Paris", "days": 2}'))
    assert told["temperature"] == "7°C"
    assert [day["date"] for day in told["days"]] == ["2026-11-21", "2026-11-22"]
    assert service.asked[1][1]["forecast_days"] == "2"
    for arguments in ('{"location": "x", "lat": 91, "lng": 0}', '{"location": "x", "days": 8}', "{}"):
        assert "do not fit" in await toolbox.run("call_2", "get_weather", arguments)
    assert toolbox.definitions[0].parameters["required"] == ["location"]
