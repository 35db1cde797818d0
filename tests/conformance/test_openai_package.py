"""The official package, as anyone would use it, holds a conversation with the server."""

import asyncio
import base64

import openai
import pydantic
import pytest
from openai.types.realtime import RealtimeServerEvent

from tests.conformance.scripts import noise

STRICT = pydantic.TypeAdapter(RealtimeServerEvent)


@pytest.fixture
async def client(server):
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="unused") as client:
        yield client


async def until(connection, event):
    """Receive until an event of this type; return all, each strictly validated."""
    events = []
    async with asyncio.timeout(10):
        while not events or events[-1].type != event:
            raw = await connection.recv_bytes()
            events.append(STRICT.validate_json(raw, strict=True))
    return events


def pcm(*spans):
    """Base64 of noise."""
    return base64.b64encode(noise(*spans)).decode()


async def test_a_text_turn(client):
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        await connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
        )
        await connection.response.create()
        events = await until(connection, "response.done")
        assert events[0].session.model == "gpt-realtime"
        assert (
            "".join(e.delta for e in events if e.type == "response.output_text.delta")
            == "Hi there. How are you?"
        )
        assert events[-1].response.status == "completed"


async def test_a_push_to_talk_turn(client):
    async with client.realtime.connect(model="gpt-realtime") as connection:
        audio = {"input": {"turn_detection": None, "transcription": {"model": "whisper-1"}}}
        await connection.session.update(session={"type": "realtime", "audio": audio})
        await connection.input_audio_buffer.append(audio=pcm((1.0, 0.5)))
        await connection.input_audio_buffer.commit()
        await connection.response.create()
        events = await until(connection, "response.done")
        types = [e.type for e in events]
        assert types.index("input_audio_buffer.committed") < types.index("response.created")
        (heard,) = [e for e in events if e.type == "conversation.item.input_audio_transcription.completed"]
        assert heard.transcript == "What time is it?"
        audio = b"".join(base64.b64decode(e.delta) for e in events if e.type == "response.output_audio.delta")
        assert len(audio) == 2 * 1200 * len("Hi there. How are you?")


async def test_a_voice_turn(client):
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.input_audio_buffer.append(audio=pcm((0.5, 0.0), (1.0, 0.5), (0.6, 0.0)))
        events = await until(connection, "response.done")
        types = list(dict.fromkeys(e.type for e in events))
        assert types[:8] == [
            "session.created",
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "response.created",
            "response.output_item.added",
        ]
        assert events[-1].response.output[0].content[0].transcript == "Hi there. How are you?"


async def test_errors_carry_the_event_id(client):
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.response.cancel(event_id="evt_mine")
        error = (await until(connection, "error"))[-1].error
        assert (error.code, error.event_id) == ("response_cancel_not_active", "evt_mine")


async def test_two_sessions_do_not_meet(client):
    async with (
        client.realtime.connect(model="gpt-realtime") as one,
        client.realtime.connect(model="gpt-realtime-2.1") as other,
    ):
        await one.send({"type": "nonsense"})  # type: ignore[arg-type]
        await until(one, "error")
        await other.response.create()
        events = await until(other, "response.done")
        assert events[0].session.model == "gpt-realtime-2.1"
        assert "error" not in {e.type for e in events}


async def test_the_synchronous_client(server):
    def talk():
        with (
            openai.OpenAI(base_url=f"{server.url}/v1", api_key="unused") as client,
            client.realtime.connect(model="gpt-realtime") as connection,
        ):
            connection.response.create(response={"output_modalities": ["text"]})
            for event in connection:
                if event.type == "response.done":
                    return event.response.status
        return None

    assert await asyncio.to_thread(talk) == "completed"
