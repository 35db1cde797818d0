"""The console's ready-made tools are the server's: what the model is told of them, and the words for the sky."""

import json
import shutil
import subprocess

import pytest

from vivavoce.tools.memory import MOST_KEYS, JsonMemory, memory_tools
from vivavoce.tools.weather import CURRENT, DAILY, FORECAST_URL, GEOCODING_URL, SKIES, weather_tools
from vivavoce.web import FOLDER

NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="needs node")


def of_the_browser(module, name):
    """Return a value that a module of the browser exports."""
    script = "import(process.argv[1]).then((m) => console.log(JSON.stringify(m[process.argv[2]])))"
    command = [NODE, "-e", script, (FOLDER / module).as_uri(), name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


def told(tools):
    return [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        }
        for tool in tools
    ]


def test_the_weather_is_asked_for_in_the_same_way():
    assert [of_the_browser("ready/weather.js", "GET_WEATHER")] == told(weather_tools())
    assert of_the_browser("ready/weather.js", "SKIES") == {str(code): sky for code, sky in SKIES.items()}
    text = (FOLDER / "ready" / "weather.js").read_text("utf-8")
    for same in (FORECAST_URL, GEOCODING_URL, ",".join(CURRENT), ",".join(DAILY)):
        assert f"'{same}'" in text


def test_the_memory_is_asked_for_in_the_same_way(tmp_path):
    tools = memory_tools(JsonMemory(tmp_path / "memory.json"))
    assert of_the_browser("ready/memory.js", "MEMORY_TOOLS") == told(tools)
    assert f"MOST_KEYS = {MOST_KEYS};" in (FOLDER / "ready" / "memory.js").read_text("utf-8")
