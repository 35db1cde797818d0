"""The ready-made tools: the weather with its map, and the memory. What lies beyond the page is played by the test."""

import asyncio
import json
import re
import struct
import zlib
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import expect

from .test_accessibility import AXE, SIZES, violations
from .test_page import hold
from .test_shape import CLIPBOARD, say

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ELSEWHERE = re.compile(r"https?://(?!localhost)")
EVIL = '<img src=x onerror="window.hit=1">'
GHENT = {"name": "Ghent", "admin1": "Flanders", "country": "Belgium", "latitude": 51.05, "longitude": 3.7167}
FORECAST = {
    "current_units": {"temperature_2m": "°C", "relative_humidity_2m": "%", "wind_speed_10m": "km/h"},
    "current": {
        "time": "2026-11-21T07:45",
        "temperature_2m": 7.5,
        "relative_humidity_2m": 81,
        "weather_code": 61,
        "wind_speed_10m": 14.5,
    },
    "daily": {
        "time": ["2026-11-21", "2026-11-22"],
        "weather_code": [63, 3],
        "temperature_2m_max": [9.1, 12],
        "temperature_2m_min": [2.2, -1],
        "precipitation_probability_max": [90, 10],
    },
}


def picture():
    """Return a PNG of one grey tile."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\xcc" * 256) * 256
    header = struct.pack(">IIBBBBB", 256, 256, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@dataclass
class World:
    """Open-Meteo and OpenStreetMap, as far as a page can tell; nothing leaves the browser."""

    place: dict = field(default_factory=lambda: dict(GHENT))
    there: bool = True
    """False where there is no network."""
    asked: list = field(default_factory=list)
    """Requests to other origins than the page's."""

    async def answer(self, route):
        request = route.request
        where = urlsplit(request.url)
        self.asked.append(request)
        if not self.there:
            await route.abort("internetdisconnected")
        elif where.hostname == "tile.openstreetmap.org":
            await route.fulfill(body=picture(), content_type="image/png")
        else:
            body = {"results": [self.place]} if where.hostname.startswith("geocoding") else FORECAST
            await route.fulfill(json=body, headers={"Access-Control-Allow-Origin": "*"})

    def hosts(self):
        """Return who was asked."""
        return {urlsplit(request.url).hostname for request in self.asked}


async def arrive(visit, endpoint, *on, world=None, **options):
    """Open the console with these ready-made tools switched on."""
    world = world or World()
    visitor = await visit("about:blank", **options)
    await visitor.page.context.route(ELSEWHERE, world.answer)
    await visitor.page.goto(endpoint.url + "#shape")
    for name in on:
        await visitor.page.get_by_label(name).check()
    await visitor.page.evaluate("location.hash = 'talk'")
    return visitor, world


async def call(endpoint, name, call_id="c1", **arguments):
    """Have the model call a function."""
    item = {
        "id": f"item_{call_id}",
        "type": "function_call",
        "status": "completed",
        "call_id": call_id,
        "name": name,
        "arguments": json.dumps(arguments),
    }
    response = {"id": f"resp_{call_id}", "status": "completed", "output": [item]}
    await say(endpoint, type="response.created", response={"id": response["id"]})
    await say(endpoint, type="conversation.item.added", item=item)
    await say(endpoint, type="response.done", response=response)


async def result(endpoint, count=1):
    """Return what the model was given for its last call."""
    created = [event["item"] for event in await endpoint.wait_for("conversation.item.create", count)]
    return created[-1]["output"]


async def test_both_are_off_until_they_are_switched_on(visit, endpoint):
    visitor, _ = await arrive(visit, endpoint)
    await visitor.page.evaluate("location.hash = 'shape'")
    assert not await visitor.page.get_by_label("Weather").is_checked()
    assert not await visitor.page.get_by_label("Memory").is_checked()
    await visitor.start()
    [update] = endpoint.sent("session.update")
    assert "tools" not in update["session"]
    await visitor.page.get_by_label("Weather").check()
    [_, update] = await endpoint.wait_for("session.update", 2)
    assert [tool["name"] for tool in update["session"]["tools"]] == ["get_weather"]
    await visitor.page.get_by_role("button", name="Add a tool").click()
    assert await visitor.page.get_by_label("Name", exact=True).input_value() == "tool_1"
    await visitor.page.reload()
    assert await visitor.page.get_by_label("Weather").is_checked()


async def test_a_spoken_question_is_answered_with_the_weather_and_its_map(visit, endpoint):
    visitor, world = await arrive(visit, endpoint, "Weather")
    await visitor.start()
    endpoint.script.words = "Let me look."
    await hold(visitor, endpoint)
    log = visitor.page.get_by_role("log")
    await log.get_by_text("Let me look.").wait_for()
    await visitor.state("Ready")
    assert world.asked == []
    asked = len(endpoint.sent("response.create"))
    endpoint.script.words = "It rains a little in Ghent."
    await call(endpoint, "get_weather", location="Ghent", days=2)
    told = json.loads(await result(endpoint))
    assert told["location"] == "Ghent, Flanders, Belgium"
    assert told["wind"] == "14.5 km/h"
    await endpoint.wait_for("response.create", asked + 1)
    await log.get_by_text("It rains a little in Ghent.").wait_for()
    card = visitor.page.locator("weather-card")
    for words in (
        "Ghent, Flanders, Belgium",
        "7.5°C",
        "light rain",
        "14.5 km/h",
        "81%",
        "\N{MINUS SIGN}1° … 12°",
        "51.05° N",
    ):
        await card.get_by_text(words).first.wait_for()
    await card.get_by_role("link", name="Weather data by Open-Meteo.com").wait_for()
    await card.locator(".country").first.wait_for(state="attached")
    await card.locator(".name").get_by_text("France").wait_for()
    layers = await card.locator(".name").evaluate_all(
        "(all) => all.map((one) => +getComputedStyle(one).zIndex)"
    )
    assert min(layers) > 200, "names lie over the outlines"
    await card.locator(".here").wait_for()
    assert world.hosts() == {"api.open-meteo.com", "geocoding-api.open-meteo.com"}
    assert all("referer" not in request.headers for request in world.asked)
    assert parse_qs(urlsplit(world.asked[0].url).query)["name"] == ["Ghent"]
    assert visitor.complaints == []


async def test_streets_come_when_they_are_asked_for(visit, endpoint):
    visitor, world = await arrive(visit, endpoint, "Weather")
    await visitor.start()
    await call(endpoint, "get_weather", location="Ghent", lat=51.05, lng=3.7)
    streets = visitor.page.get_by_role("button", name="Streets from OpenStreetMap")
    await visitor.page.locator(".here").wait_for()
    assert world.hosts() == {"api.open-meteo.com"}
    await streets.click()
    await visitor.page.locator("img.leaflet-tile-loaded").first.wait_for()
    tile = world.asked[-1]
    assert tile.url.startswith("https://tile.openstreetmap.org/10/")
    assert tile.headers["referer"] == endpoint.url, "it serves only those who say where they are from"
    await visitor.page.get_by_text("© OpenStreetMap contributors").wait_for()
    assert await streets.get_attribute("aria-pressed") == "true"
    asked = len(world.asked)
    await streets.click()
    await visitor.page.locator(".name").get_by_text("France").wait_for()
    assert await visitor.page.locator("img.leaflet-tile").count() == 0
    assert len(world.asked) == asked
    assert visitor.complaints == []


async def test_without_a_network_the_map_shows_where_it_is(visit, endpoint):
    visitor, world = await arrive(visit, endpoint, "Weather")
    await visitor.start()
    await call(endpoint, "get_weather", location="Ghent")
    await visitor.page.locator(".here").wait_for()
    world.there = False
    await visitor.page.get_by_role("button", name="Streets from OpenStreetMap").click()
    await visitor.page.get_by_text("OpenStreetMap does not answer").wait_for()
    await visitor.page.locator(".name").get_by_text("France").wait_for()
    assert await visitor.page.locator(".here").is_visible()
    before = await visitor.page.locator(".name").count()
    await visitor.page.get_by_role("button", name="Zoom in").click()
    await visitor.page.locator(".name").nth(before).wait_for(state="attached")
    await call(endpoint, "get_weather", "c2", location="Bruges")
    assert json.loads(await result(endpoint, 2)) == {"error": "The weather service cannot be reached."}
    assert await visitor.page.locator("weather-card").count() == 1


async def test_what_the_network_and_the_model_say_is_text(visit, endpoint):
    world = World(place={**GHENT, "name": EVIL, "country": "<b>B</b>"})
    visitor, _ = await arrive(visit, endpoint, "Weather", "Memory", world=world)
    await visitor.start()
    await call(endpoint, "get_weather", location=EVIL)
    await visitor.page.locator(".here").wait_for()
    await visitor.page.locator("weather-card").get_by_text(EVIL).wait_for()
    await call(endpoint, "set_memory", "c2", key=EVIL, value=EVIL)
    await visitor.page.locator("memory-view summary").get_by_text(EVIL).wait_for()
    await visitor.page.locator("memory-view summary").click()
    await visitor.page.get_by_label(EVIL, exact=True).wait_for()
    await call(endpoint, "get_weather", "c3", location="x", lat=EVIL, lng=1)
    assert "expected a latitude" in json.loads(await result(endpoint, 3))["error"]
    assert await visitor.page.evaluate("window.hit") is None
    assert await visitor.page.locator("img[src='x']").count() == 0
    assert visitor.complaints == []


async def test_the_memory_changes_as_it_is_set(visit, endpoint):
    visitor, world = await arrive(visit, endpoint, "Memory")
    await visitor.start()
    memory = visitor.page.locator("memory-view")
    await memory.get_by_text("Memory: 0").wait_for()
    await call(endpoint, "set_memory", key="favourite_colour", value="green")
    assert await result(endpoint) == "Remembered."
    await memory.locator("summary").get_by_text("favourite_colour: green").wait_for()
    await memory.locator("summary").click()
    await call(endpoint, "set_memory", "c2", key="favourite_colour", value="blue")
    await expect(memory.get_by_label("favourite_colour", exact=True)).to_have_value("blue")
    await memory.get_by_label("favourite_colour", exact=True).fill("red")
    await memory.get_by_label("favourite_colour", exact=True).press("Enter")
    await call(endpoint, "get_memory", "c3")
    assert json.loads(await result(endpoint, 3)) == {"favourite_colour": "red"}
    await call(endpoint, "set_memory", "c4", key="pet", value="a cat")
    await memory.get_by_role("button", name="Forget favourite_colour").click()
    await memory.get_by_text("Memory: 1").wait_for()
    assert world.asked == []
    assert visitor.complaints == []


async def test_the_next_session_is_told_what_was_remembered(visit, endpoint):
    visitor, _ = await arrive(visit, endpoint, "Memory")
    await visitor.start()
    await call(endpoint, "set_memory", key="pet", value="a cat")
    await result(endpoint)
    await visitor.page.reload()
    await visitor.page.get_by_label("Message").fill("Hello")
    await visitor.page.get_by_label("Message").press("Enter")
    [_, told, written] = await endpoint.wait_for("conversation.item.create", 3)
    assert told["item"]["role"] == "system"
    assert told["item"]["content"][0]["text"].endswith('{"pet":"a cat"}')
    assert written["item"]["role"] == "user"
    assert await visitor.page.get_by_role("log").get_by_text("a cat").count() == 0
    await visitor.page.locator("memory-view summary").click()
    await visitor.page.get_by_label("Tell the model of it").uncheck()
    await visitor.page.reload()
    await visitor.page.get_by_label("Message").fill("Hello")
    await visitor.page.get_by_label("Message").press("Enter")
    [*_, last] = await endpoint.wait_for("conversation.item.create", 4)
    assert last["item"]["role"] == "user"
    await visitor.page.locator("memory-view summary").click()
    await visitor.page.get_by_role("button", name="Forget everything").click()
    await visitor.page.get_by_text("Nothing yet.").wait_for()


async def test_a_link_switches_nothing_on_by_itself(visit, endpoint):
    visitor, _ = await arrive(visit, endpoint, "Weather", before=CLIPBOARD)
    await visitor.page.evaluate("location.hash = 'shape'")
    await visitor.page.get_by_role("button", name="Copy as a link").click()
    await visitor.page.get_by_text("The link is copied").wait_for()
    other = await visit(await visitor.page.evaluate("window.copied"))
    await other.page.get_by_text("The link that you opened would have it on").wait_for()
    assert not await other.page.get_by_label("Weather").is_checked()
    await other.page.get_by_label("Weather").check()
    assert await other.page.get_by_text("The link that you opened").count() == 0
    assert other.complaints == []


async def test_a_tool_of_the_server_is_left_to_it(visit, endpoint):
    visitor, world = await arrive(visit, endpoint, "Weather")
    await visitor.start()
    await say(endpoint, type="session.updated", session={"type": "realtime", "tools": []})
    await call(endpoint, "get_weather", location="Ghent")
    report = {"location": "Ghent", "latitude": 51.05, "longitude": 3.7, "time": "2026-11-21T07:45"}
    output = {
        "type": "function_call_output",
        "call_id": "c1",
        "output": json.dumps(report | {"temperature": "3°C"}),
    }
    await say(
        endpoint, type="conversation.item.added", item={"id": "item_o", "status": "completed", **output}
    )
    await visitor.page.locator("weather-card").get_by_text("3°C").wait_for()
    assert endpoint.sent("conversation.item.create") == []
    assert world.asked == []


async def test_who_hangs_up_is_not_answered_later(visit, endpoint):
    world = World()
    visitor, _ = await arrive(visit, endpoint, "Weather", world=world)
    asked, go = asyncio.Event(), asyncio.Event()

    async def slow(route):
        asked.set()
        await go.wait()
        await route.abort()

    await visitor.page.context.route("https://geocoding-api.open-meteo.com/**", slow)
    await visitor.start()
    await call(endpoint, "get_weather", location="Ghent")
    async with asyncio.timeout(8):
        await asked.wait()
    await visitor.page.get_by_role("button", name="End", exact=True).click()
    go.set()
    await visitor.page.get_by_role("log").get_by_text("→").wait_for()
    await visitor.start()
    await visitor.page.get_by_label("Message").fill("Hello")
    await visitor.page.get_by_label("Message").press("Enter")
    [only] = await endpoint.wait_for("conversation.item.create")
    assert only["item"]["type"] == "message"


@pytest.mark.skipif(not AXE.exists(), reason="needs `npm install` for axe")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
async def test_axe_finds_nothing(visit, endpoint, size, scheme):
    width, height = SIZES[size]
    options = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
    visitor, _ = await arrive(visit, endpoint, "Weather", "Memory", **options)
    await visitor.start()
    await call(endpoint, "get_weather", location="Ghent", days=2)
    await call(endpoint, "set_memory", "c2", key="pet", value="a cat")
    await visitor.page.locator("memory-view summary").click()
    await visitor.page.locator(".name").get_by_text("France").wait_for(state="attached")
    await visitor.until("!session.playing && !session.responses.busy")
    assert await violations(visitor.page) == []
    await visitor.page.get_by_role("button", name="Streets from OpenStreetMap").click()
    await visitor.page.locator("img.leaflet-tile-loaded").first.wait_for(state="attached")
    assert await violations(visitor.page) == []
