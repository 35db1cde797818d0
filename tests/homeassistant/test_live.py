"""What can break in a live turn, and what becomes of it then."""

import asyncio

import pytest
from custom_components.openai_realtime.vivavoce.errors import VivaVoceError
from homeassistant.components import conversation, tts
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import Context
from homeassistant.exceptions import HomeAssistantError
from pytest_homeassistant_custom_component.common import async_mock_service
from test_conversation import converse, speech
from test_pipeline import TONE, microphone, run_pipeline

from custom_components.openai_realtime.earshot import Earshot
from custom_components.openai_realtime.tts import sentences
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


@pytest.mark.parametrize("wrong", [TypeError("boom"), TimeoutError()])
async def test_a_tool_that_is_broken_is_no_fault_of_the_endpoint(home, endpoint, set_up, monkeypatch, wrong):
    async def explode(*_):
        raise wrong

    monkeypatch.setattr("custom_components.openai_realtime.builtin_tools.GetEntityState.async_call", explode)
    look = FunctionCall("get_entity_state", {"entity_id": "light.kitchen"})
    await set_up(await endpoint(Turn(call=look)), agent={"llm_hass_api": [DOMAIN]})
    with pytest.raises(type(wrong)) as raised:
        await converse(home, "Is there light?")
    assert raised.value is wrong


async def test_the_model_ends_the_conversation(home, endpoint, set_up):
    url = await endpoint(
        Turn(hear="And now?", say="Now what."),
        Turn(hear="Thank you.", say="Goodbye.", call=FunctionCall("end_conversation")),
    )
    await set_up(url, agent={"follow_up": "always"})
    first, _ = await run_pipeline(home)
    assert first["intent-end"][0]["intent_output"]["continue_conversation"]
    again = first["intent-end"][0]["intent_output"]["conversation_id"]
    second, _ = await run_pipeline(home, conversation_id=again)
    assert not second["intent-end"][0]["intent_output"]["continue_conversation"]
    assert said(second) == "Goodbye."


async def test_the_model_keeps_listening(home, endpoint, set_up):
    """By its tool, not by a question mark; without words beside the call, it is asked for them."""
    url = await endpoint(
        Turn(hear="Play music.", call=FunctionCall("keep_listening")),
        Turn(say="Which one."),
        Turn(hear="Jazz.", say="Here it is. Do you like it?"),
    )
    await set_up(url, agent={"follow_up": "model"})
    first, _ = await run_pipeline(home)
    assert said(first) == "Which one."
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
    words = [item.words for item in session.client.conversation.items if item.role != "system"]
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


async def test_who_speaks_into_an_answer_has_heard_no_more_of_it(home, endpoint, set_up):
    """The endpoint is told how much of it can have been heard, so that the model knows what was not."""
    url = await endpoint(
        Turn(hear="Tell me a story.", say="Once upon a time there was a lighthouse. " * 10),
        Turn(hear="Stop.", say="Very well."),
    )
    entry = await set_up(url)
    first, audio = await run_pipeline(home)
    seconds = (len(audio) - 44) / 48_000
    assert seconds > 20
    session = only(only(entry.runtime_data.agents).sessions)
    truncated = []
    session.client.on("conversation.item.truncated", truncated.append)
    again = first["intent-end"][0]["intent_output"]["conversation_id"]
    second, _ = await run_pipeline(home, conversation_id=again)
    assert said(second) == "Very well."
    (cut,) = truncated
    assert 0 <= cut.audio_end_ms < seconds * 1000


async def test_an_answer_that_was_heard_is_not_cut(home, endpoint, set_up, monkeypatch):
    now = 100.0
    monkeypatch.setattr("custom_components.openai_realtime.agent.Earshot", lambda: Earshot(lambda: now))
    url = await endpoint(Turn(hear="Hello.", say="Hello there."), Turn(hear="Bye.", say="Goodbye."))
    entry = await set_up(url)
    first, _ = await run_pipeline(home)
    now += 60
    session = only(only(entry.runtime_data.agents).sessions)
    truncated = []
    session.client.on("conversation.item.truncated", truncated.append)
    again = first["intent-end"][0]["intent_output"]["conversation_id"]
    await run_pipeline(home, conversation_id=again)
    assert not truncated


async def test_a_turn_that_is_broken_off_leaves_nothing(home, endpoint, set_up):
    """Who is cut short while speaking, or before the transcript is there, is not heard by the next turn."""
    url = await endpoint(Turn(hear="Hello.", say="Hello there."))
    entry = await set_up(url)
    session = await only(entry.runtime_data.agents).session("mine")
    cleared, sent = [], asyncio.Event()
    session.client.on("input_audio_buffer.cleared", cleared.append)

    async def endless():
        for _ in range(50):
            yield TONE
        sent.set()
        await asyncio.Event().wait()
        yield b""

    hearing = asyncio.create_task(session.hear(endless()))
    async with asyncio.timeout(10):
        await sent.wait()
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)
    turn = await session.hear(microphone())
    assert turn.transcript == "Hello."
    assert len(cleared) == 1
    await turn.abandon()
    assert [piece async for piece in session.answer(aloud=False)]


async def test_an_item_without_a_transcript_is_deleted(home, endpoint, set_up, monkeypatch):
    monkeypatch.setattr("custom_components.openai_realtime.live.TRANSCRIPT_SECONDS", 5)
    url = await endpoint(Turn(fail_transcription="Too loud."), Turn(say="Yes?"), complete=False)
    entry = await set_up(url)
    session = await only(entry.runtime_data.agents).session("mine")
    with pytest.raises(VivaVoceError, match="Too loud"):
        await session.hear(microphone())
    deleted = []
    session.client.on("conversation.item.deleted", deleted.append)
    await converse(home, "Hello there.", "mine")
    assert len(deleted) == 1
    assert [item.words for item in session.client.conversation.items if item.role == "user"] == [
        "Hello there."
    ]


async def test_a_transcript_that_does_not_come_is_told(home, endpoint, set_up, monkeypatch):
    monkeypatch.setattr("custom_components.openai_realtime.live.TRANSCRIPT_SECONDS", 0)
    entry = await set_up(await endpoint(Turn(hear="Hello.", say="Unheard."), complete=False))
    agent = only(entry.runtime_data.agents)
    session = await agent.session("mine")
    with pytest.raises(HomeAssistantError) as raised:
        await agent.hear(session, microphone(), rate=16_000)
    assert raised.value.translation_key == "refused"
    assert raised.value.translation_placeholders == {"error": "No transcript came in 0 s."}
    assert agent.available


async def test_another_voice_speaks_what_is_written(home, endpoint, set_up):
    """Ears and agent are ours, the voice is another agent's: nothing is spoken that nobody hears."""
    url = await endpoint(
        Turn(hear="What time is it?", say="Three."), Turn(expect="Three.", say="Three."), complete=False
    )
    other = {"subentry_type": "agent", "title": "Grace", "unique_id": None, "data": {"prompt": "x"}}
    entry = await set_up(url, subentries=[other])
    events, audio = await run_pipeline(home, tts_engine="tts.grace_voice")
    assert said(events) == "Three."
    assert len(audio) > 10_000
    ada, grace = entry.runtime_data.agents.values()
    assert ada.activity.usage.tokens.audio_output == 0
    assert grace.activity.usage.tokens.audio_output > 0


async def test_a_session_that_is_over_is_replaced(home, endpoint, set_up):
    """The endpoint ends it: the sensors know at once, and the next turn opens another, which is told what was said."""
    url = await endpoint(Turn(say="Hello Ada."), Turn(say="You are Ada."), complete=False, after="repeat")
    entry = await set_up(url)
    first = await converse(home, "I am Ada.")
    agent = only(entry.runtime_data.agents)
    session = only(agent.sessions)
    gone = asyncio.Event()
    agent.listen(lambda: None if agent.activity.connected else gone.set())
    await session.client.close()
    async with asyncio.timeout(10):
        await gone.wait()
    assert session.client.lost is not None
    await converse(home, "Who am I?", first.conversation_id)
    assert only(agent.sessions) is not session
    items = only(agent.sessions).client.conversation.items
    words = [item.words for item in items if item.role != "system"]
    assert words[:3] == ["I am Ada.", "Hello Ada.", "Who am I?"]


async def test_a_long_tool_is_bridged_with_silence(home, endpoint, set_up):
    """Players give up on a stream that stops: while a tool is at work, they are given silence."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(call):
        begun.set()
        await go_on.wait()

    home.states.async_set("light.kitchen", "off")
    async_expose_entity(home, "conversation", "light.kitchen", should_expose=True)
    home.services.async_register("light", "turn_on", slow)
    turn_on = {"domain": "light", "service": "turn_on", "entity_id": ["light.kitchen"]}
    url = await endpoint(
        Turn(hear="Light, please.", say="One moment.", call=FunctionCall("call_service", turn_on)),
        Turn(say="It is on."),
    )
    await set_up(url, agent={"llm_hass_api": [DOMAIN]})
    heard, a_second_more = bytearray(), asyncio.Event()

    async def listen(token):
        async for part in tts.async_get_stream(home, token).async_stream_result():
            heard.extend(part)
            if begun.is_set() and not any(heard[-48_000:]):
                a_second_more.set()

    running = asyncio.create_task(run_pipeline(home, listen=listen))
    async with asyncio.timeout(20):
        await begun.wait()
        await a_second_more.wait()
    go_on.set()
    events, _ = await running
    assert said(events).endswith("It is on.")
    assert any(heard[-9_600:])


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


async def test_a_text_is_spoken_as_it_comes(home, endpoint, set_up):
    """The first sentence is heard before the second was written."""
    first, second = "It rains in the whole country.", "Take an umbrella. Or stay."
    url = await endpoint(
        *(Turn(expect=text, say=text) for text in (first, "Take an umbrella. Or stay.")), complete=False
    )
    entry = await set_up(url)
    go_on = asyncio.Event()

    async def writing():
        yield "It rains in the "
        yield "whole country. Take"
        await go_on.wait()
        yield " an umbrella. Or stay."

    stream = tts.async_create_stream(home, "tts.ada_voice", options={"preferred_format": "wav"})
    stream.async_set_message_stream(writing())
    heard = bytearray()
    async with asyncio.timeout(60):
        async for part in stream.async_stream_result():
            heard += part
            if len(heard) > 44:
                go_on.set()
    assert go_on.is_set()
    assert len(heard) > len(first + second) / 15 * 40_000
    assert only(entry.runtime_data.agents).activity.usage.responses == 2


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["Yes. No. ", "Perhaps, who knows? Well", "."], ["Yes. No. Perhaps, who knows?", "Well."]),
        (
            ["今日はとても良い天気ですね、散歩に行きましょう。", "はい"],
            ["今日はとても良い天気ですね、散歩に行きましょう。", "はい"],
        ),
        (["It is 20.5 degrees in the kitchen", " now.   "], ["It is 20.5 degrees in the kitchen now."]),
        (["", "  "], []),
    ],
)
async def test_sentences_are_found(parts, whole):
    async def coming():
        for part in parts:
            yield part

    assert [one async for one in sentences(coming())] == whole


async def test_no_text_is_no_speech(home, endpoint, set_up):
    await set_up(await endpoint(Turn(say="Unheard."), complete=False))
    voice = home.data["tts"].get_entity("tts.ada_voice")
    _, data = await voice.async_get_tts_audio(" ", "en", {tts.ATTR_VOICE: "cedar"})
    assert len(data) == 44
