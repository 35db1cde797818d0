"""OpenAI's agents for JavaScript talk with the server, with an ephemeral key as a page would have it."""

import json
from pathlib import Path

import openai
import pydantic
import pytest
from openai.types.realtime import RealtimeServerEvent

from tests.conformance import node
from tests.conformance.conftest import serving
from tests.conformance.scripts import Call, calling

SCRIPT = Path(__file__).with_name("agents.js")
STRICT = pydantic.TypeAdapter(RealtimeServerEvent)

pytestmark = [node.needs_agents, pytest.mark.usefixtures("both_ways")]


async def test_in_writing_with_a_function_and_by_voice_over_the_answer():
    async with serving(calling(Call("get_weather", ('{"city":', '"Paris"}')))) as server:
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="unused") as client:
            session = {"type": "realtime", "model": "gpt-realtime-2.1", "instructions": "You are nobody."}
            secret = await client.realtime.client_secrets.create(session=session)
        url = f"ws://127.0.0.1:{server.port}/v1/realtime?model=gpt-realtime-2.1"
        told = json.loads(await node.run(SCRIPT, url, secret.value))
    events = told["events"]
    assert (told["strange"], told["errors"]) == ([], [])
    for event in events:
        STRICT.validate_python(event, strict=True)
    created, *_ = events
    assert created["session"]["instructions"] == "You are nobody."
    updated = [event for event in events if event["type"] == "session.updated"][-1]
    assert updated["session"]["instructions"] == "You are Ada."
    assert told["interruptions"] == 1
    asked, called, answered, spoken, again = told["history"]
    (cut,) = [event for event in events if event["type"] == "conversation.item.truncated"]
    assert cut["audio_end_ms"] < 50 * len(f"Results: {called['output']}.")
    assert asked["content"][0]["text"] == "How is the weather in Paris?"
    assert called["arguments"] == '{"city":"Paris"}'
    assert called["output"].startswith("sunny in Paris, today")
    assert cut["item_id"] == answered["itemId"]
    assert spoken["content"][0]["transcript"] == "What time is it?"
    assert again["content"][0]["transcript"] == f"Results: {called['output']}."
