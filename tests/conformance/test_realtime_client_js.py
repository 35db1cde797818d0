"""A fork of OpenAI's reference client for JavaScript, a stock client of the beta's time, talks with the engine."""

import json
from pathlib import Path

import pytest

from tests.conformance import node
from tests.gateway.doubles import gateway
from tests.gateway.upstreams.doubles import KEY, providing
from vivavoce.gateway.upstreams.remote import RemoteUpstream

SCRIPT = Path(__file__).with_name("realtime_client.js")
PACKAGE = node.ROOT / "node_modules" / "openai-realtime-api"


pytestmark = pytest.mark.skipif(
    node.NODE is None or not PACKAGE.exists(), reason="needs node and `npm install`"
)


@pytest.mark.usefixtures("both_ways")
async def test_it_is_answered(server):
    assert await talk(server.port) == 1200 * len("Hi there. How are you?")


async def test_it_is_answered_by_an_endpoint_that_refuses_the_beta():
    async with providing('turns: [{say: "Hi there. How are you?"}]') as provider:
        settings = {"upstream": provider.url, "openai_realtime_model": "gpt-realtime"}
        async with gateway(RemoteUpstream(provider.url, key=KEY), **settings) as running:
            assert await talk(running.port) > 0


async def talk(port):
    """Let the client talk with the server at a port; return how many samples it was answered with."""
    told = json.loads(await node.run(SCRIPT, f"ws://127.0.0.1:{port}/v1/realtime"))
    assert told["errors"] == []
    session = told["session"]
    assert (session["instructions"], session["voice"]) == ("Be brief.", "echo")
    assert [tool["name"] for tool in session["tools"]] == ["get_weather"]
    assert (session["temperature"], session["modalities"]) == (0.8, ["audio", "text"])
    asked, answered = told["asked"], told["answered"]
    assert (asked["role"], asked["status"], asked["text"]) == ("user", "completed", "How are you?")
    assert (answered["role"], answered["status"]) == ("assistant", "completed")
    assert answered["transcript"] == "Hi there. How are you?"
    return answered["samples"]
