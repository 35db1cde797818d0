"""The official package against the scripted engine, over loopback: every kind of turn that a script can have."""

import asyncio
import base64
import time

import numpy as np
import openai
import pydantic
import pytest
from openai.types.realtime import RealtimeServerEvent

from tests.conformance.recording import WIRE
from vivavoce.testing import Cassette, Latency, ScriptedEngine, parse_script, serve_scripted

STRICT = pydantic.TypeAdapter(RealtimeServerEvent)

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


class Talk:
    """One session of the official client; what comes is strictly validated."""

    def __init__(self, connection):
        self.connection = connection
        self.events = []

    async def until(self, kind):
        """Receive until an event of this type; return what came."""
        events = []
        async with asyncio.timeout(10):
            while not events or events[-1].type != kind:
                events.append(STRICT.validate_json(await self.connection.recv_bytes(), strict=True))
        self.events += events
        return events

    async def write(self, text):
        content = [{"type": "input_text", "text": text}]
        await self.connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": content}
        )

    async def ask(self, text):
        await self.write(text)
        await self.connection.response.create()
        return (await self.until("response.done"))[-1].response

    async def speak(self, *spans):
        """Append sound: spans of (seconds, amplitude) of noise."""
        noise = np.random.default_rng(3)
        sound = np.concatenate([noise.uniform(-a, a, int(s * 24_000)) for s, a in spans])
        await self.connection.input_audio_buffer.append(
            audio=base64.b64encode((sound * 32767).astype("<i2").tobytes()).decode()
        )


@pytest.fixture
def talk():
    """Hold a conversation with a script, whose turns must all be played."""

    async def held(text, conversation, latency=None):
        async with (
            serve_scripted(ScriptedEngine(parse_script(text), latency=latency)) as url,
            openai.AsyncOpenAI(base_url=url, api_key="unused") as client,
            client.realtime.connect(model="gpt-realtime") as connection,
        ):
            told = Talk(connection)
            await conversation(told)
            return told

    return held


def said(response):
    return "".join(
        part.transcript or part.text for item in response.output for part in getattr(item, "content", [])
    )


async def test_a_text_turn(talk):
    async def conversation(told):
        await told.connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        response = await told.ask("Hello")
        assert (response.status, said(response)) == ("completed", "Hi there.")

    await talk("turns: [{expect: Hello, say: Hi there.}]", conversation)


async def test_an_audio_turn_with_server_vad(talk):
    async def conversation(told):
        audio = {"input": {"transcription": {"model": "whisper-1"}}}
        await told.connection.session.update(session={"type": "realtime", "audio": audio})
        await told.speak((0.5, 0.0), (1.0, 0.3), (0.7, 0.0))
        events = await told.until("response.done")
        (heard,) = [event for event in events if event.type.endswith("transcription.completed")]
        assert heard.transcript == "What time is it?"
        sound = b"".join(
            base64.b64decode(event.delta) for event in events if event.type == "response.output_audio.delta"
        )
        assert len(sound) == 2 * 24_000 * len("Late.") // 15
        assert said(events[-1].response) == "Late."

    await talk('turns: [{expect: "What time is it?", hear: "What time is it?", say: Late.}]', conversation)


async def test_a_tool_round(talk):
    async def conversation(told):
        await told.connection.session.update(session={"type": "realtime", "tools": [WEATHER]})
        (call,) = (await told.ask("How is the weather in Oslo?")).output
        assert (call.name, call.arguments) == ("get_weather", '{"city": "Oslo"}')
        await told.connection.conversation.item.create(
            item={"type": "function_call_output", "call_id": call.call_id, "output": '{"degrees": 21}'}
        )
        await told.connection.response.create()
        assert said((await told.until("response.done"))[-1].response) == "It is 21 degrees."

    script = """
    turns:
      - expect: {user_matches: weather}
        call: {name: get_weather, arguments: {city: Oslo}}
      - expect: {output: {degrees: 21}}
        say: It is 21 degrees.
    """
    await talk(script, conversation)


async def test_responses_that_fail_and_that_stop_short(talk):
    async def conversation(told):
        failed = await told.ask("One")
        assert (failed.status, failed.status_details.error.code) == ("failed", "quota_exceeded")
        error = (await told.until("error"))[-1].error
        assert (error.type, error.message) == ("server_error", "No more.")
        short = await told.ask("Two")
        assert (short.status, short.status_details.reason) == ("incomplete", "content_filter")
        assert said(await told.ask("Three")) == "Well again."

    script = """
    turns:
      - error: {code: quota_exceeded, message: No more.}
        emit_after: [{type: error, error: {type: server_error, message: No more.}}]
      - say: I had better
        incomplete: content_filter
      - say: Well again.
    """
    await talk(script, conversation)


async def test_an_interruption(talk):
    async def conversation(told):
        await told.write("Tell me a story.")
        await told.connection.response.create()
        began = (await told.until("response.output_audio.delta"))[-1]
        await told.speak((0.5, 0.3))
        events = await told.until("response.done")
        kinds = [event.type for event in events]
        assert kinds.index("input_audio_buffer.speech_started") < kinds.index("response.done")
        done = events[-1].response
        assert (done.status, done.status_details.reason) == ("cancelled", "turn_detected")
        assert said(done).startswith("Once upon a time")
        await told.connection.conversation.item.truncate(
            item_id=began.item_id, content_index=0, audio_end_ms=100
        )
        await told.until("conversation.item.truncated")
        await told.speak((0.5, 0.3), (0.7, 0.0))
        assert said((await told.until("response.done"))[-1].response) == "As you like."

    script = """
    turns:
      - say: Once upon a time, there was a king, and he had no end of things to say.
        pace_ms: 30
      - expect: Stop.
        hear: Stop.
        say: As you like.
    """
    await talk(script, conversation)


@pytest.mark.parametrize(
    ("latency", "least"), [(Latency(60, 0), 0.06), (Latency(0, 60), 0.06), (Latency(60, 60), 0.12)]
)
async def test_a_latency_in_each_direction(talk, latency, least):
    async def conversation(told):
        await told.until("session.created")
        began = time.monotonic()
        await told.ask("Hello")
        assert time.monotonic() - began >= least
        kinds = [event.type for event in told.events]
        assert kinds.index("conversation.item.done") < kinds.index("response.created")

    await talk("turns: [{say: Hi.}]", conversation, latency)


async def test_a_delay_and_a_pace(talk):
    async def conversation(told):
        began = time.monotonic()
        await told.write("Hello")
        await told.connection.response.create()
        await told.until("response.output_audio_transcript.delta")
        assert time.monotonic() - began >= 0.05
        await told.until("response.done")
        assert time.monotonic() - began >= 0.05 + 3 * 0.02

    await talk("turns: [{say: One two three four., delay_ms: 50, pace_ms: 20}]", conversation)


async def test_the_same_client_sees_the_same_events_with_a_seed(talk):
    script = """
    seed: 11
    turns:
      - {hear: One two three four., say: "A first sentence, for a start. And then another one."}
      - {say: "Written, at last.", call: {name: get_weather, arguments: {city: Oslo}}}
      - {error: That was all.}
    """

    async def conversation(told):
        await told.until("session.created")
        audio = {"input": {"transcription": {"model": "whisper-1"}}}
        await told.connection.session.update(session={"type": "realtime", "tools": [WEATHER], "audio": audio})
        await told.until("session.updated")
        for _ in range(20):
            await told.speak((0.06, 0.3))
        await told.speak((0.7, 0.0))
        await told.until("rate_limits.updated")
        for text in ("Second", "Third"):
            await told.ask(text)
            await told.until("rate_limits.updated")

    one, two = [(await talk(script, conversation)).events for _ in range(2)]
    assert [event.to_json() for event in one] == [event.to_json() for event in two]
    assert len(one) > 60


async def test_a_recorded_session_is_replayed_to_the_official_client():
    cassette = Cassette.load(WIRE / "test_openai_ws__test_tool_call_round.jsonl")
    async with (
        serve_scripted(cassette.endpoint()) as url,
        openai.AsyncOpenAI(base_url=url, api_key="unused") as client,
        client.realtime.connect(model="gpt-realtime") as connection,
        asyncio.timeout(10),
    ):
        for frame in cassette.frames:
            if frame.dir == "C":
                await connection.send(frame.event)
            else:
                assert (await connection.recv()).type == frame.event["type"]
