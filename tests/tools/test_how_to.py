"""What the documentation tells to do with tools works as it stands, but for the addresses and the token."""

import ast
import re
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.tools import mcp_servers
from tests.tools.test_weather import OpenMeteo
from vivavoce.testing import Expect, FunctionCall, Script, ScriptedEngine, Turn, serve_scripted
from vivavoce.tools import weather

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "give-it-tools.md").read_text()
FUNCTIONS, SLOW, WEATHER, MCP, ALONE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


async def run(example, turns=()):
    """Run an example with a server that plays a script."""
    script = Script(turns=[*turns] or [Turn(say="Nothing.")])
    async with serve_scripted(ScriptedEngine(script, complete=bool(turns))) as url:
        source = example.replace("http://127.0.0.1:8000/v1", url)
        code = compile(source, "example", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        made = eval(code, {"__name__": "example"})
        if made is not None:
            await made


def lamp(room, **arguments):
    return FunctionCall(name="set_lamp", arguments={"room": room} | arguments)


async def test_functions(capsys):
    turns = [
        Turn(call=[lamp("kitchen", brightness=80), lamp("hall", brightness=80)]),
        Turn(expect=Expect(output={"error": "The lamp in the hall is broken."}), say="Half of it."),
    ]
    await run(FUNCTIONS, turns)
    assert capsys.readouterr().out == "set_lamp: kitchen 80\nHalf of it.\n"


async def test_slow_ones(capsys):
    turns = [
        Turn(call=FunctionCall(name="book_table", arguments={"people": 2})),
        Turn(expect=Expect(output_matches="started"), say="One moment."),
        Turn(expect=Expect(output_matches="in the name of ada"), say="Yours is at eight."),
    ]
    await run(SLOW, turns)
    assert capsys.readouterr().out == "book_table: calling the restaurant\nOne moment.\nYours is at eight.\n"


@pytest.fixture
async def open_meteo(monkeypatch):
    service = OpenMeteo()
    app = web.Application()
    app.router.add_get("/v1/{what}", service.answer)
    async with TestServer(app, shutdown_timeout=0.01) as server:
        addresses = {
            "url": str(server.make_url("/v1/forecast")),
            "search_url": str(server.make_url("/v1/search")),
        }
        monkeypatch.setattr(
            weather.Weather.__init__, "__kwdefaults__", weather.Weather.__init__.__kwdefaults__ | addresses
        )
        yield service


@pytest.mark.usefixtures("open_meteo")
async def test_weather_and_memory(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    turns = [
        Turn(
            call=[
                FunctionCall(name="set_memory", arguments={"key": "favourite_town", "value": "Paris"}),
                FunctionCall(name="get_weather", arguments={"location": "Paris"}),
            ]
        ),
        Turn(expect=Expect(output_matches="light rain"), say="It rains a little."),
    ]
    await run(WEATHER, turns)
    assert capsys.readouterr().out == "It rains a little.\n"
    assert '"favourite_town": "Paris"' in (tmp_path / "memory.json").read_text()


async def test_mcp_servers(capsys):
    turns = [
        Turn(call=[lamp("hall"), lamp("cellar")]),
        Turn(expect=Expect(output_matches="hall is at 100 %"), say="The cellar stays dark."),
    ]
    server = mcp_servers.make()
    async with mcp_servers.serve(server) as url:
        example = MCP.replace("http://homeassistant.local:8123/api/mcp", url)
        await run(example, turns)
    assert capsys.readouterr().out == "True\nThe cellar stays dark.\n"
    assert server.calls == [("hall", 100)]


async def test_without_a_client(capsys):
    await run(ALONE)
    names, result, refusal = capsys.readouterr().out.splitlines()
    assert (names, result) == ("['add']", "3")
    assert "do not fit" in refusal
