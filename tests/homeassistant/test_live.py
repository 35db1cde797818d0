"""What can break in a live turn, and what becomes of it then."""

import asyncio

from homeassistant.components import conversation, tts
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import Context
from pytest_homeassistant_custom_component.common import async_mock_service
from test_conversation import converse, speech
from test_pipeline import TONE, microphone, run_pipeline

from vivavoce.testing import Expect, FunctionCall, Turn

DOMAIN = "openai_realtime"


def only(mapping):
    (value,) = mapping.values()
    return value


def said(events):
    return events["intent-end"][0]["intent_output"]["response"]["speech"]["plain"]["speech"]


async def test_a_tool_is_called_once_in_the_conversation_stage(home, endpoint, set_up):
    home.states.async_set("light.kitchen", "off")
    async_expose_entity(home, "conversation", "light.kitchen", should_expose=True)
    calls = async_mock_service(home, "light", "turn_on")
    turn_on = {"domain": "light", "service": "turn_on", "entity_id": ["light.kitchen"]}
    url = await endpoint(
        Turn(hear="Light, please.", say="One moment.", call=FunctionCall("call_service", turn_on)),
        Turn(expect=Expect(output_matches="success"), say="It is on."),
    )
    entry = await set_up(url, agent={"llm_hass_api": [DOMAIN]})
    events, audio = await run_pipeline(home)
    assert said(events) == "It is on."
    assert len(calls) == 1
    assert len(audio) > 24_000 * 2  # both parts of the answer: 20 characters at 15 in a second
    assert only(entry.runtime_data.agents).activity.usage.responses == 2


async def test_the_model_ends_the_conversation(home, endpoint, set_up):
    url = await endpoint(
        Turn(hear="And now?", say="Now what."),
        Turn(hear="Thank you.", say="Goodbye.", call=FunctionCall("end_conversation")),
        Turn(say="Sleep well."),
    )
    await set_up(url, agent={"follow_up": "always"})
    first, _ = await run_pipeline(home)
    assert first["intent-end"][0]["intent_output"]["continue_conversation"]
    again = first["intent-end"][0]["intent_output"]["conversation_id"]
    second, _ = await run_pipeline(home, conversation_id=again)
    assert not second["intent-end"][0]["intent_output"]["continue_conversation"]


async def test_a_new_session_is_told_what_was_said(home, endpoint, set_up):
    url = await endpoint(Turn(say="Understood."), Turn(say="Ada."), complete=False, after="repeat")
    entry = await set_up(url)
    first = await converse(home, "I am Ada.")
    agent = only(entry.runtime_data.agents)
    await agent.drop(first.conversation_id)
    assert not agent.activity.connected
    await converse(home, "Who am I?", first.conversation_id)
    session = only(agent.sessions)
    words = [item.words for item in session.client.conversation.items]
    assert words[:3] == ["I am Ada.", "Understood.", "Who am I?"]


async def test_the_oldest_session_makes_room(home, endpoint, set_up):
    url = await endpoint(Turn(say="Hello."), after="repeat")
    entry = await set_up(url, options={"max_sessions": 1})
    await converse(home, "Hello there.")
    second = await converse(home, "Hello again.")
    assert list(only(entry.runtime_data.agents).sessions) == [second.conversation_id]


async def test_a_cancelled_answer_is_cancelled_at_the_endpoint(home, endpoint, set_up):
    url = await endpoint(Turn(say=["It ", "goes ", "on."] * 50, pace_ms=200), complete=False)
    entry = await set_up(url)
    task = asyncio.create_task(converse(home, "Tell me a story."))
    agent = only(entry.runtime_data.agents)
    begun = asyncio.Event()
    agent.listen(lambda: begun.set() if agent.activity.speaking else None)
    async with asyncio.timeout(10):
        await begun.wait()
    ended = asyncio.Event()
    agent.listen(lambda: None if agent.activity.speaking else ended.set())
    task.cancel()
    async with asyncio.timeout(10):
        await ended.wait()
    await asyncio.gather(task, return_exceptions=True)
    assert not only(agent.sessions).lock.locked()


async def test_a_turn_that_text_takes_is_forgotten(home, endpoint, set_up):
    """The ears heard something, but what is asked next in that conversation was written."""
    url = await endpoint(Turn(hear="Unanswered."), Turn(say="Yes?"), complete=False, after="last")
    entry = await set_up(url)
    agent = only(entry.runtime_data.agents)
    session = await agent.session("mine")
    turn = await session.hear(microphone())
    result = await conversation.async_converse(
        home, "Hello there.", "mine", Context(), agent_id="conversation.ada"
    )
    assert not turn.taken
    assert speech(result)
    assert "Unanswered." not in [item.words for item in session.client.conversation.items]


async def test_the_endpoint_may_end_the_turn(home, endpoint, set_up):
    url = await endpoint(Turn(hear="What time is it?", say="Three."))
    entry = await set_up(url, agent={"turn_detection": "server_vad"})
    agent = only(entry.runtime_data.agents)
    heard = 0

    async def endless():
        nonlocal heard
        while True:
            heard += 1
            yield TONE if heard < 100 else bytes(320)
            await asyncio.sleep(0)

    async with asyncio.timeout(20):
        events, audio = await run_pipeline(home, audio=endless)
    assert said(events) == "Three."
    assert len(audio) > 10_000
    assert only(agent.sessions).client.session.audio.input.turn_detection.type == "server_vad"


async def test_a_failed_answer_is_an_answer_that_says_so(home, endpoint, set_up):
    url = await endpoint(Turn(hear="Hello.", error="Overloaded."), Turn(say="I am back."))
    await set_up(url)
    events, _ = await run_pipeline(home)
    assert "Overloaded." in said(events)
    again = events["intent-end"][0]["intent_output"]["conversation_id"]
    assert speech(await converse(home, "Hello there.", again)) == "I am back."


async def test_a_whole_text_is_spoken_as_a_file(home, endpoint, set_up):
    url = await endpoint(Turn(expect="It rains.", say="It rains."))
    await set_up(url)
    voice = home.data["tts"].get_entity("tts.ada_voice")
    extension, data = await voice.async_get_tts_audio("It rains.", "en", {})
    assert extension == "wav"
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    assert "alloy" in [one.voice_id for one in voice.async_get_supported_voices("en")]


async def test_no_text_is_no_speech(home, endpoint, set_up):
    await set_up(await endpoint(Turn(say="Unheard."), complete=False))
    voice = home.data["tts"].get_entity("tts.ada_voice")
    _, data = await voice.async_get_tts_audio(" ", "en", {tts.ATTR_VOICE: "cedar"})
    assert len(data) == 44
