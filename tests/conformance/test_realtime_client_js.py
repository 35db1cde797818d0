"""A fork of OpenAI's reference client for JavaScript, a stock client of the beta's time, talks with the engine."""

import json
from pathlib import Path

import pytest

from tests.conformance import node

SCRIPT = Path(__file__).with_name("realtime_client.js")
PACKAGE = node.ROOT / "node_modules" / "openai-realtime-api"


@pytest.mark.skipif(node.NODE is None or not PACKAGE.exists(), reason="needs node and `npm install`")
async def test_it_is_answered(server):
    told = json.loads(await node.run(SCRIPT, f"ws://127.0.0.1:{server.port}/v1/realtime"))
    assert told["errors"] == []
    session = told["session"]
    assert (session["instructions"], session["voice"]) == ("Be brief.", "echo")
    assert [tool["name"] for tool in session["tools"]] == ["get_weather"]
    assert (session["temperature"], session["modalities"]) == (0.8, ["audio", "text"])
    asked, answered = told["asked"], told["answered"]
    assert (asked["role"], asked["status"], asked["text"]) == ("user", "completed", "How are you?")
    assert (answered["role"], answered["status"]) == ("assistant", "completed")
    assert answered["transcript"] == "Hi there. How are you?"
    assert answered["samples"] == 1200 * len("Hi there. How are you?")
