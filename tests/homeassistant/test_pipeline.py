"""Speech to speech through the standard Assist pipeline."""

import asyncio
import math
import struct

import pytest
from homeassistant.components import assist_pipeline, stt, tts
from homeassistant.core import Context
from test_conversation import converse

from vivavoce.testing import Turn

TONE = b"".join(struct.pack("<h", round(8000 * math.sin(n / 8))) for n in range(160))
"""10 ms of something that a scripted endpoint takes for speech."""


async def microphone(seconds=1.0):
    for _ in range(round(seconds * 100)):
        yield TONE


async def run_pipeline(
    hass,
    *,
    audio=microphone,
    conversation_id=None,
    end_stage=assist_pipeline.PipelineStage.TTS,
    listen=None,
    **engines,
):
    """Run a pipeline, and return its events by type and the speech that it gave.

    ``listen`` is called with the token of its speech as soon as a satellite would fetch it, and listens beside it.
    """
    store = hass.data["assist_pipeline"].pipeline_store
    pipeline = await store.async_create_item(
        {
            "conversation_engine": "conversation.ada",
            "conversation_language": "*",
            "language": "en",
            "name": "Ada",
            "stt_engine": "stt.ada_ears",
            "stt_language": "en",
            "tts_engine": "tts.ada_voice",
            "tts_language": "en",
            "tts_voice": None,
            "wake_word_entity": None,
            "wake_word_id": None,
        }
        | engines
    )
    events = []
    listening = []

    def happened(event):
        events.append(event)
        if listen and event.type == "intent-progress" and (event.data or {}).get("tts_start_streaming"):
            token = events[0].data["tts_output"]["token"]
            listening.append(hass.async_create_task(listen(token)))

    await assist_pipeline.async_pipeline_from_audio_stream(
        hass,
        context=Context(),
        event_callback=happened,
        pipeline_id=pipeline.id,
        conversation_id=conversation_id,
        stt_metadata=stt.SpeechMetadata(
            language="",
            format=stt.AudioFormats.WAV,
            codec=stt.AudioCodecs.PCM,
            bit_rate=stt.AudioBitRates.BITRATE_16,
            sample_rate=stt.AudioSampleRates.SAMPLERATE_16000,
            channel=stt.AudioChannels.CHANNEL_MONO,
        ),
        stt_stream=audio(),
        end_stage=end_stage,
        tts_audio_output={tts.ATTR_PREFERRED_FORMAT: "wav"},  # no conversion, which wants ffmpeg
    )
    await asyncio.gather(*listening)
    found = {}
    for event in events:
        found.setdefault(str(event.type), []).append(event.data)
    speech = b""
    if "run-start" in found and "tts-end" in found:
        stream = tts.async_get_stream(hass, found["run-start"][0]["tts_output"]["token"])
        speech = b"".join([part async for part in stream.async_stream_result()])
    return found, speech


async def test_one_live_turn(home, endpoint, set_up):
    url = await endpoint(Turn(hear="What time is it?", say="It is a quarter past three."))
    entry = await set_up(url)
    events, speech = await run_pipeline(home)
    assert "error" not in events, events
    assert events["stt-end"][0]["stt_output"]["text"] == "What time is it?"
    said = events["intent-end"][0]["intent_output"]["response"]["speech"]["plain"]["speech"]
    assert said == "It is a quarter past three."
    assert "intent-progress" in events
    assert any("tts_start_streaming" in (data or {}) for data in events["intent-progress"])
    assert speech[:4] == b"RIFF"
    assert len(speech) > 24_000  # 27 characters at 15 in a second
    (agent,) = entry.runtime_data.agents.values()
    assert agent.activity.usage.responses == 1  # the answer's own speech: nothing was synthesised again


async def test_the_chat_log_has_no_padding(home, endpoint, set_up):
    url = await endpoint(Turn(hear="Hello there.", say="Good morning."))
    await set_up(url)
    events, _ = await run_pipeline(home)
    spoken = events["intent-end"][0]["intent_output"]["response"]["speech"]["plain"]["speech"]
    assert spoken == "Good morning."


async def test_a_second_turn_of_the_same_conversation(home, endpoint, set_up):
    url = await endpoint(
        Turn(hear="I am Ada.", say="Hello Ada."),
        Turn(expect="Who am I?", hear="Who am I?", say="You are Ada."),
    )
    await set_up(url)
    first, _ = await run_pipeline(home)
    again = first["intent-end"][0]["intent_output"]["conversation_id"]
    second, speech = await run_pipeline(home, conversation_id=again)
    said = second["intent-end"][0]["intent_output"]["response"]["speech"]["plain"]["speech"]
    assert said == "You are Ada."
    assert len(speech) > 1000


async def test_a_second_turn_needs_no_other_session(home, endpoint, set_up, clock):
    """The time comes before what was heard; nothing else is told, also after something was written."""
    url = await endpoint(
        Turn(hear="I am Ada.", say="Hello."),
        Turn(hear="Who am I?", say="Hello."),
        Turn(expect="And now?", say="Hello."),
        Turn(hear="Goodbye.", say="Goodbye."),
    )
    entry = await set_up(url)
    clock(0)
    first, _ = await run_pipeline(home)
    (agent,) = entry.runtime_data.agents.values()
    (session,) = agent.sessions.values()
    updates = []
    session.client.on("session.updated", updates.append)
    clock(1)
    again = first["intent-end"][0]["intent_output"]["conversation_id"]
    await run_pipeline(home, conversation_id=again)
    words = [item.words for item in session.client.conversation.items]
    time = "Current time is {}. Today's date is 2026-11-21.".format
    assert words == [time("15:15:00"), "I am Ada.", "Hello.", time("15:16:00"), "Who am I?", "Hello."]
    await converse(home, "And now?", again)
    await run_pipeline(home, conversation_id=again)
    assert not updates


async def test_a_new_session_hears_a_turn_after_what_was_said_before(home, endpoint, set_up):
    url = await endpoint(Turn(hear="I am Ada.", say="Hello Ada."), after="repeat")
    entry = await set_up(url)
    first, _ = await run_pipeline(home)
    again = first["intent-end"][0]["intent_output"]["conversation_id"]
    (agent,) = entry.runtime_data.agents.values()
    await agent.drop(again)
    await run_pipeline(home, conversation_id=again)
    (session,) = agent.sessions.values()
    items = session.client.conversation.items
    assert [(item.text, item.transcript) for item in items if item.role != "system"] == [
        ("I am Ada.", ""),
        ("Hello Ada.", ""),
        ("", "I am Ada."),
        ("", "Hello Ada."),
    ]


async def test_a_local_intent_takes_the_turn(home, endpoint, set_up):
    """The agent hears the words, Home Assistant answers, and the agent's voice says what Home Assistant answers."""
    url = await endpoint(Turn(hear="what time is it", say="Done."))
    entry = await set_up(url)
    events, speech = await run_pipeline(home, prefer_local_intents=True)
    assert events["intent-end"][0]["processed_locally"], events
    assert len(speech) > 4000
    (agent,) = entry.runtime_data.agents.values()
    (session,) = agent.sessions.values()
    assert session.turn is None
    assert not session.client.conversation.items


async def test_ears_alone_write_down(home, endpoint, set_up):
    url = await endpoint(Turn(hear="Turn on the light."), complete=False)
    entry = await set_up(url)
    events, _ = await run_pipeline(
        home,
        conversation_engine="conversation.home_assistant",
        end_stage=assist_pipeline.PipelineStage.INTENT,
    )
    assert events["stt-end"][0]["stt_output"]["text"] == "Turn on the light."
    (agent,) = entry.runtime_data.agents.values()
    assert not agent.sessions


async def test_nothing_said_is_no_turn(home, endpoint, set_up):
    url = await endpoint(Turn(say="Unheard."), complete=False)
    await set_up(url)

    async def silence():
        yield bytes(320)

    events, _ = await run_pipeline(home, audio=silence)
    assert events["error"][0]["code"] == "stt-no-text-recognized"


@pytest.mark.parametrize("voice", [None, "cedar"])
async def test_voice_alone_speaks_any_text(home, endpoint, set_up, voice):
    url = await endpoint(Turn(expect="The door is open.", say="The door is open."))
    await set_up(url)
    stream = tts.async_create_stream(
        home,
        "tts.ada_voice",
        options={"voice": voice, "preferred_format": "wav"} if voice else {"preferred_format": "wav"},
    )
    stream.async_set_message("The door is open.")
    speech = b"".join([part async for part in stream.async_stream_result()])
    assert speech[:4] == b"RIFF"
    assert len(speech) > 24_000
