"""The official package, as anyone would use it, holds a conversation with the server."""

import asyncio
import base64
import json
import time
from typing import ClassVar

import openai
import pydantic
import pytest
from openai.types.realtime import RealtimeServerEvent
from websockets.exceptions import InvalidStatus

from tests.conformance.conftest import serving
from tests.conformance.scripts import Call, calling, noise
from tests.conformance.ways import Ways

STRICT = pydantic.TypeAdapter(RealtimeServerEvent)

pytestmark = pytest.mark.usefixtures("both_ways")


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
            connection.session.update(session={"type": "realtime", "instructions": "Be brief."})
            connection.conversation.item.create(
                item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
            )
            connection.response.create(response={"output_modalities": ["text"]})
            events = []
            while not events or events[-1].type != "response.done":
                events.append(STRICT.validate_json(connection.recv_bytes(), strict=True))
            return events

    events = await asyncio.to_thread(talk)
    assert [event.type for event in events][:2] == ["session.created", "session.updated"]
    assert events[1].session.instructions == "Be brief."
    assert events[-1].response.status == "completed"


class TestClientSecrets:
    SESSION: ClassVar = {
        "type": "realtime",
        "model": "gpt-realtime-2.1",
        "instructions": "You sell shoes.",
        "output_modalities": ["text"],
        "tools": [{"type": "function", "name": "get_price", "parameters": {"type": "object"}}],
        "audio": {"input": {"turn_detection": None}, "output": {"voice": "marin", "speed": 1.25}},
    }

    async def test_a_key_opens_the_session_that_it_was_made_for(self, server, client):
        secret = await client.realtime.client_secrets.create(
            session=self.SESSION, expires_after={"anchor": "created_at", "seconds": 60}
        )
        assert secret.value.startswith("ek_")
        assert 0 < secret.expires_at - time.time() <= 60
        assert (secret.session.type, secret.session.expires_at) == ("realtime", 0)
        async with (
            openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=secret.value) as customer,
            customer.realtime.connect(model="gpt-realtime-2.1") as connection,
        ):
            await connection.response.create()
            created, *events = await until(connection, "response.done")
            told, opened = (
                session.model_dump(exclude_unset=True) for session in (secret.session, created.session)
            )
            assert opened.pop("expires_at") > told.pop("expires_at")
            assert opened.pop("id") != told.pop("id")
            assert opened == told
            assert created.session.instructions == "You sell shoes."
            assert events[-1].response.output[0].content[0].text == "Hi there. How are you?"

    async def test_a_key_needs_nothing_to_be_asked(self, client):
        secret = await client.realtime.client_secrets.create()
        assert secret.session.model == "gpt-realtime"
        assert 590 < secret.expires_at - time.time() <= 600

    async def test_a_key_may_be_for_transcription(self, server, client):
        secret = await client.realtime.client_secrets.create(session={"type": "transcription"})
        assert secret.session.object == "realtime.transcription_session"
        async with (
            openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=secret.value) as customer,
            customer.realtime.connect(extra_query={"intent": "transcription"}) as connection,
        ):
            (created,) = await until(connection, "session.created")
            assert created.session.type == "transcription"

    async def test_what_is_not_served_is_refused(self, server, client):
        session = {"type": "realtime", "prompt": {"id": "p"}}
        if Ways.folder is None:
            with pytest.raises(openai.BadRequestError) as refused:
                await client.realtime.client_secrets.create(session=session)
            assert refused.value.param == "session.prompt"
            return
        secret = await client.realtime.client_secrets.create(session=session)  # nobody asks the endpoint yet
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=secret.value) as customer:
            with pytest.raises(InvalidStatus) as late:
                async with customer.realtime.connect(model="gpt-realtime"):
                    pass
            assert json.loads(late.value.response.body)["error"]["code"] == "upstream_refused"

    async def test_the_synchronous_client_makes_and_uses_a_key(self, server):
        def talk():
            with openai.OpenAI(base_url=f"{server.url}/v1", api_key="unused") as client:
                secret = client.realtime.client_secrets.create(session=self.SESSION)
            with (
                openai.OpenAI(base_url=f"{server.url}/v1", api_key=secret.value) as client,
                client.realtime.connect(model="gpt-realtime-2.1") as connection,
            ):
                return STRICT.validate_json(connection.recv_bytes(), strict=True)

        created = await asyncio.to_thread(talk)
        assert created.session.instructions == "You sell shoes."

    async def test_a_wrong_key_opens_nothing(self, server):
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="ek_wrong") as client:
            with pytest.raises(InvalidStatus) as refused:
                async with client.realtime.connect(model="gpt-realtime"):
                    pass
            assert refused.value.response.status_code == 401
            assert json.loads(refused.value.response.body)["error"]["code"] == "invalid_api_key"


WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


class TestFunctions:
    @pytest.fixture
    async def connection(self):
        scripted = calling(Call("get_weather", ('{"city":', '"Paris"}')))
        async with (
            serving(scripted) as server,
            openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="unused") as client,
            client.realtime.connect(model="gpt-realtime") as connection,
        ):
            await until(connection, "session.created")
            yield connection

    async def test_a_call_is_made_and_its_result_told(self, connection):
        await connection.session.update(session={"type": "realtime", "tools": [WEATHER]})
        await connection.response.create()
        events = await until(connection, "response.done")
        deltas = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
        (written,) = [event for event in events if event.type == "response.function_call_arguments.done"]
        assert "".join(deltas) == written.arguments == '{"city":"Paris"}'
        (call,) = events[-1].response.output
        assert (call.type, call.name, call.status) == ("function_call", "get_weather", "completed")
        assert call.call_id == written.call_id
        await connection.conversation.item.create(
            item={"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
        )
        await connection.response.create()
        events = await until(connection, "response.done")
        assert events[-1].response.output[0].content[0].transcript == "Results: sunny."

    async def test_a_response_may_have_tools_of_its_own_or_none(self, connection):
        await connection.response.create(response={"tools": [WEATHER], "tool_choice": "required"})
        assert (await until(connection, "response.done"))[-1].response.output[0].type == "function_call"
        await connection.response.create(response={"tools": [WEATHER], "tool_choice": "none"})
        assert (await until(connection, "response.done"))[-1].response.output[0].type == "message"


async def test_a_response_may_differ_from_its_session_and_stay_out_of_the_conversation(client):
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.response.create(
            response={
                "conversation": "none",
                "instructions": "Judge this.",
                "input": [
                    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Ahem."}]}
                ],
                "output_modalities": ["audio"],
                "audio": {"output": {"voice": "cedar", "format": {"type": "audio/pcmu"}}},
                "max_output_tokens": 64,
                "metadata": {"topic": "judgement"},
            }
        )
        events = await until(connection, "response.done")
        response = events[-1].response
        assert (response.conversation_id, response.metadata) == (None, {"topic": "judgement"})
        assert (response.audio.output.voice, response.max_output_tokens) == ("cedar", 64)
        assert response.audio.output.format.type == "audio/pcmu"
        assert not [event for event in events if event.type.startswith("conversation.")]
        audio = b"".join(
            base64.b64decode(event.delta) for event in events if event.type == "response.output_audio.delta"
        )
        assert len(audio) == 400 * len("Hi there. How are you?")  # 50 ms at 8 kHz for each character
