"""OpenAI's agents, as anyone would run them, talk with the server: only their address is another."""

import asyncio
import json
from contextlib import asynccontextmanager

import numpy as np
import pydantic
import pytest
from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimePlaybackTracker, RealtimeRunner
from openai.types.realtime import RealtimeServerEvent

from tests.conformance.conftest import serving, serving_engine
from tests.conformance.scripts import Call, calling, models, noise
from vivavoce.audio.pcm import encode_pcm16, to_pcm16
from vivavoce.audio.resample import resample
from vivavoce.engine import Engine

STRICT = pydantic.TypeAdapter(RealtimeServerEvent)

pytestmark = pytest.mark.usefixtures("both_ways")

SILENCE, SPEECH = noise((2.5, 0.0)), noise((1.0, 0.5))


class Talk:
    """A session of an agent, and what happened in it."""

    def __init__(self, session):
        self.session = session
        self.events = []
        """What the agent tells, without what it repeats of the server."""
        self.served = []
        """What the server said, as JSON; each event is strictly validated."""

    async def until(self, happened, *, seconds=10):
        """Go on until the agent or the server tells of this. No error may come before it."""
        async with asyncio.timeout(seconds):
            async for event in self.session:
                if self._note(event) == happened:
                    return
        raise AssertionError(f"the session ended before {happened}")

    def _note(self, event):
        assert event.type != "error", event.error
        if event.type != "raw_model_event":
            self.events.append(event)
            return event.type
        assert event.data.type not in {"error", "exception"}, event.data
        if event.data.type != "raw_server_event":
            return None
        STRICT.validate_json(json.dumps(event.data.data), strict=True)
        self.served.append(event.data.data)
        return event.data.data["type"]

    def of(self, type_):
        return [event for event in self.served if event["type"] == type_]

    def count(self, type_):
        return sum(event.type == type_ for event in self.events)


@asynccontextmanager
async def talking(scripted, *, tools=(), handoffs=(), tracker=None, model="gpt-realtime-2.1", **settings):
    """Run an agent against a server with these models."""
    agent = RealtimeAgent(name="Ada", instructions="You are Ada.", tools=list(tools), handoffs=list(handoffs))
    async with serving(scripted) as server, running(agent, server, tracker, model, **settings) as talk:
        yield talk


@asynccontextmanager
async def running(agent, server, tracker=None, model="gpt-realtime-2.1", **settings):
    """Run an agent against a server."""
    config = {
        "url": f"ws://127.0.0.1:{server.port}/v1/realtime?model={model}",
        "api_key": "unused",
        "initial_model_settings": settings,
    }
    if tracker is not None:
        config["playback_tracker"] = tracker
    async with await RealtimeRunner(agent).run(model_config=config) as session:
        yield Talk(session)


async def test_its_session_is_what_it_asked_for():
    async with talking(models()) as talk:
        await talk.until("session.updated")
        await talk.until("session.updated")
        asked = talk.served[-1]["session"]
        assert (asked["model"], asked["instructions"], asked["tracing"]) == (
            "gpt-realtime-2.1",
            "You are Ada.",
            "auto",
        )
        assert asked["audio"]["output"]["voice"] == "ash"
        assert asked["audio"]["input"]["turn_detection"]["type"] == "semantic_vad"


async def test_the_address_may_name_another_model_than_the_agent_does():
    async with talking(models(), model="gpt-realtime") as talk:
        await talk.until("session.updated")
        session = talk.served[-1]["session"]
        assert (session["model"], session["instructions"]) == ("gpt-realtime", "You are Ada.")


EVERYTHING = {
    "modalities": ["audio"],
    "speed": 1.25,
    "voice": "cedar",
    "max_output_tokens": 300,
    "tool_choice": "auto",
    "parallel_tool_calls": False,
    "reasoning": {"effort": "low"},
    "input_audio_noise_reduction": {"type": "near_field"},
    "input_audio_transcription": {"model": "gpt-4o-transcribe", "language": "en", "prompt": "Ada"},
    "input_audio_format": "g711_ulaw",
    "output_audio_format": "g711_alaw",
    "turn_detection": {
        "type": "server_vad",
        "threshold": 0.6,
        "prefixPaddingMs": 200,
        "silenceDurationMs": 400,
        "idleTimeoutMs": 6000,
        "createResponse": True,
        "interruptResponse": True,
    },
    "tracing": {"workflow_name": "test", "group_id": "g", "metadata": {"k": "v"}},
}
"""All that an agent can be set to, but a stored prompt, which the engine refuses."""


async def test_all_its_settings_are_taken():
    async with talking(models(), **EVERYTHING) as talk:
        await talk.until("session.updated")
        await talk.until("session.updated")
        await talk.session.send_message("Hello")
        await talk.until("response.done")
        session = talk.of("session.updated")[-1]["session"]
        assert session["max_output_tokens"] == 300
        assert session["tracing"] == EVERYTHING["tracing"]
        assert session["reasoning"] == {"effort": "low"}
        heard, spoken = session["audio"]["input"], session["audio"]["output"]
        assert heard["format"] == {"type": "audio/pcmu"}
        assert heard["noise_reduction"] == {"type": "near_field"}
        assert heard["turn_detection"]["silence_duration_ms"] == 400
        assert (spoken["format"], spoken["speed"]) == ({"type": "audio/pcma"}, 1.25)


async def test_a_written_turn():
    async with talking(models("Hi there. ", "How are you?"), modalities=["text"]) as talk:
        await talk.session.send_message("Hello")
        await talk.until("agent_end")
        (done,) = talk.of("response.done")
        assert done["response"]["status"] == "completed"
        (said,) = done["response"]["output"][0]["content"]
        assert said == {"type": "output_text", "text": "Hi there. How are you?"}
        asked, answered = talk.session._history
        assert (asked.content[0].text, answered.content[0].text) == ("Hello", "Hi there. How are you?")


@pytest.mark.parametrize(
    "detection",
    [{"type": "server_vad", "silence_duration_ms": 300}, {"type": "semantic_vad", "eagerness": "high"}],
)
async def test_a_turn_by_voice(detection):
    async with talking(models("It is ", "noon."), turn_detection=detection) as talk:
        await talk.session.send_audio(SPEECH + SILENCE)
        await talk.until("agent_end")
        audio = b"".join(event.audio.data for event in talk.events if event.type == "audio")
        assert len(audio) == 2 * 1200 * len("It is noon.")
        assert (talk.count("audio_end"), talk.count("audio_interrupted")) == (1, 0)
        asked, answered = talk.session._history
        assert asked.content[0].transcript == "What time is it?"
        assert answered.content[0].transcript == "It is noon."


async def test_a_function_is_called_and_its_result_told():
    asked = []

    @function_tool
    def get_weather(city: str) -> str:
        """Get the weather of a city."""
        asked.append(city)
        return "sunny"

    scripted = calling(Call("get_weather", ('{"city":', '"Paris"}')))
    async with talking(scripted, tools=[get_weather]) as talk:
        await talk.session.send_message("How is the weather in Paris?")
        await talk.until("tool_end")
        assert asked == ["Paris"]
        while len(talk.of("response.done")) < 2:
            await talk.until("agent_end")
        called, told = (done["response"]["output"][0] for done in talk.of("response.done"))
        assert (called["type"], called["arguments"]) == ("function_call", '{"city":"Paris"}')
        assert told["content"][0]["transcript"] == "Results: sunny."
        (function,) = scripted.language_model.prompts[0].functions
        assert (function.name, function.description) == ("get_weather", "Get the weather of a city.")


async def test_two_functions_are_called_in_one_answer():
    @function_tool
    def get_weather(city: str) -> str:
        """Get the weather of a city."""
        return f"sun in {city}"

    calls = [Call("get_weather", (f'{{"city":"{city}"}}',)) for city in ("Paris", "Rome")]
    async with talking(calling(*calls), tools=[get_weather]) as talk:
        await talk.session.send_message("How is the weather in Paris and Rome?")
        while not any("Results" in str(done) for done in talk.of("response.done")):
            await talk.until("agent_end")
        told = talk.of("response.done")[-1]["response"]["output"][0]["content"][0]["transcript"]
        assert set(told.removeprefix("Results: ").removesuffix(".").split(", ")) <= {
            "sun in Paris",
            "sun in Rome",
        }


async def test_an_agent_hands_over_to_another():
    bob = RealtimeAgent(name="Bob", instructions="You are Bob.")
    scripted = calling(Call("transfer_to_bob", ("{}",)))
    async with talking(scripted, handoffs=[bob]) as talk:
        await talk.session.send_message("Bob, please.")
        await talk.until("handoff")
        while len(talk.of("response.done")) < 2:
            await talk.until("agent_end")
        session = talk.of("session.updated")[-1]["session"]
        assert (session["instructions"], session["tools"]) == ("You are Bob.", [])
        assert talk.of("response.done")[-1]["response"]["status"] == "completed"
        assert scripted.language_model.prompts[-1].messages[0].text == "You are Bob."


@pytest.mark.parametrize("played_ms", [None, 300])
async def test_who_speaks_interrupts(played_ms):
    """What the agent believes was heard is what is left, whether it is told what was played or guesses."""
    scripted = models("A long story begins here. ", None, "It has no end.")
    tracker = None if played_ms is None else RealtimePlaybackTracker()
    async with talking(scripted, tracker=tracker) as talk:
        await talk.session.send_message("Tell me a story.")
        await talk.until("audio")
        await talk.until("audio")
        first = talk.events[-1]
        if tracker is not None:
            tracker.on_play_ms(first.item_id, first.content_index, played_ms)
        await talk.session.send_audio(SPEECH)
        await talk.until("audio_interrupted")
        await talk.until("conversation.item.truncated")
        (cancelled,) = talk.of("response.done")
        assert cancelled["response"]["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
        (cut,) = talk.of("conversation.item.truncated")
        assert cut["item_id"] == first.item_id
        received_ms = sum(len(event.audio.data) for event in talk.events if event.type == "audio") // 48
        assert cut["audio_end_ms"] <= received_ms
        if played_ms is not None:
            assert cut["audio_end_ms"] == min(played_ms, received_ms)
        await talk.until("conversation.item.retrieved")
        scripted.language_model.gate.set()
        await talk.session.send_audio(SILENCE)
        await talk.until("agent_end")
        assert talk.of("response.done")[-1]["response"]["status"] == "completed"


async def test_it_interrupts_itself_at_a_press_of_a_button():
    scripted = models("A long story begins here. ", None, "It has no end.")
    async with talking(scripted, turn_detection=None) as talk:
        await talk.session.send_message("Tell me a story.")
        await talk.until("audio")
        await talk.session.interrupt()
        await talk.until("agent_end")
        (cancelled,) = talk.of("response.done")
        assert cancelled["response"]["status_details"] == {
            "type": "cancelled",
            "reason": "client_cancelled",
        }


@pytest.mark.models
async def test_a_spoken_question_is_understood_by_real_models():
    engine = Engine("small")
    async with serving_engine(engine) as server:
        models = engine._loaded.models
        said = models.synthesiser.synthesise("What is the capital of France?", voice="alloy")
        speech = np.concatenate([piece async for piece in said])
        question = encode_pcm16(to_pcm16(resample(speech, models.synthesiser.rate, 24_000)))
        agent = RealtimeAgent(name="Ada", instructions="Answer in one short sentence.")
        async with running(agent, server, max_output_tokens=40) as talk:
            await talk.session.send_audio(SILENCE + question)
            for _ in range(20):  # a microphone does not stop when the speaker does
                await talk.session.send_audio(noise((0.2, 0.0)))
            await talk.until("agent_end", seconds=50)
            (heard,) = talk.of("conversation.item.input_audio_transcription.completed")
            assert "france" in heard["transcript"].lower()
            audio = b"".join(event.audio.data for event in talk.events if event.type == "audio")
            (answer,) = talk.of("response.done")[-1]["response"]["output"]
            assert answer["content"][0]["transcript"]
            assert np.abs(np.frombuffer(audio, "<i2")).max() > 3000
