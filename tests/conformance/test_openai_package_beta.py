"""The official package as it was in the beta, which it still contains, holds a conversation with the server."""

import asyncio
import base64
from typing import Annotated, get_args, get_origin

import openai
import pytest
from openai.types.beta.realtime.realtime_server_event import RealtimeServerEvent

from tests.conformance.conftest import serving
from tests.conformance.scripts import Call, calling, noise
from tests.gateway.doubles import gateway
from tests.gateway.upstreams.doubles import KEY, providing
from vivavoce.gateway.upstreams.remote import RemoteUpstream

UNION = (
    get_args(RealtimeServerEvent)[0] if get_origin(RealtimeServerEvent) is Annotated else RealtimeServerEvent
)
MODELS = {get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(UNION)}

pytestmark = [
    pytest.mark.usefixtures("both_ways"),
    pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning"),
]


def speaking(url, key="unused"):
    """Make a client; its beta module takes every WebSocket for an encrypted one, unless told."""
    return openai.AsyncOpenAI(
        base_url=f"{url}/v1", websocket_base_url=f"{url}/v1".replace("http", "ws", 1), api_key=key
    )


@pytest.fixture
async def client(server):
    async with speaking(server.url) as client:
        yield client


async def until(connection, kind):
    """Receive until an event of this type; return all, each strictly validated."""
    events = []
    async with asyncio.timeout(10):
        while not events or events[-1].type != kind:
            raw = await connection.recv_bytes()
            told = connection.parse_event(raw)
            events.append(MODELS[told.type].model_validate_json(raw, strict=True))
    return events


def hello():
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}


async def test_a_text_turn(client):
    async with client.beta.realtime.connect(model="gpt-realtime") as connection:
        await connection.session.update(
            session={"modalities": ["text"], "temperature": 0.7, "max_response_output_tokens": 200}
        )
        await connection.conversation.item.create(item=hello())
        await connection.response.create()
        created, updated, *events = await until(connection, "response.done")
        assert (created.session.voice, created.session.modalities) == ("alloy", ["audio", "text"])
        assert (updated.session.modalities, updated.session.temperature) == (["text"], 0.7)
        assert updated.session.max_response_output_tokens == 200
        kinds = [event.type for event in events]
        assert kinds[:5] == [
            "conversation.item.created",
            "response.created",
            "response.output_item.added",
            "conversation.item.created",
            "response.content_part.added",
        ]
        assert "".join(e.delta for e in events if e.type == "response.text.delta") == "Hi there. How are you?"
        assert events[-1].response.output[0].content[0].type == "text"


async def test_a_voice_turn(client):
    async with client.beta.realtime.connect(model="gpt-realtime") as connection:
        await connection.session.update(
            session={
                "input_audio_format": "pcm16",
                "output_audio_format": "g711_ulaw",
                "input_audio_transcription": {"model": "whisper-1"},
                "turn_detection": {"type": "server_vad", "silence_duration_ms": 200},
            }
        )
        audio = base64.b64encode(noise((0.5, 0.0), (1.0, 0.5), (0.6, 0.0))).decode()
        await connection.input_audio_buffer.append(audio=audio)
        events = await until(connection, "response.done")
        kinds = list(dict.fromkeys(event.type for event in events))
        assert kinds[2:6] == [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.created",
        ]
        spoken = b"".join(base64.b64decode(e.delta) for e in events if e.type == "response.audio.delta")
        assert len(spoken) == 400 * len("Hi there. How are you?")  # 50 ms at 8 kHz for each character
        (words,) = [e.transcript for e in events if e.type == "response.audio_transcript.done"]
        assert words == "Hi there. How are you?"
        assert events[-1].response.output_audio_format == "g711_ulaw"


async def test_a_function_call():
    async with (
        serving(calling(Call("get_weather", ('{"city":', '"Paris"}')))) as server,
        speaking(server.url) as client,
        client.beta.realtime.connect(model="gpt-realtime") as connection,
    ):
        tool = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
        await connection.session.update(session={"tools": [tool], "tool_choice": "auto"})
        await connection.response.create()
        (call,) = (await until(connection, "response.done"))[-1].response.output
        assert (call.name, call.arguments) == ("get_weather", '{"city":"Paris"}')
        item = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
        await connection.conversation.item.create(item=item)
        await connection.response.create()
        _, created, *_, done = await until(connection, "response.done")  # the first are rate limits
        assert (created.item.type, created.item.status) == ("function_call_output", "completed")
        assert done.response.output[0].content[0].transcript == "Results: sunny."


async def test_an_error_names_the_field_of_the_beta(client):
    async with client.beta.realtime.connect(model="gpt-realtime") as connection:
        await connection.session.update(session={"speed": 9}, event_id="evt_mine")
        error = (await until(connection, "error"))[-1].error
        assert (error.param, error.event_id) == ("session.speed", "evt_mine")
        assert "'session.speed'" in error.message


async def test_an_ephemeral_key_of_the_beta(server, client):
    made = await client.beta.realtime.sessions.create(
        model="gpt-realtime", voice="verse", modalities=["text"]
    )
    assert (made.voice, made.modalities) == ("verse", ["text"])
    async with (
        speaking(server.url, made.client_secret.value) as customer,
        customer.beta.realtime.connect(model="gpt-realtime") as connection,
    ):
        (created,) = await until(connection, "session.created")
        assert (created.session.voice, created.session.modalities) == ("verse", ["text"])


async def test_a_session_that_only_listens(server, client):
    made = await client.beta.realtime.transcription_sessions.create(input_audio_format="pcm16")
    async with (
        speaking(server.url, made.client_secret.value) as customer,
        customer.beta.realtime.connect(model="gpt-realtime") as connection,
    ):
        assert (await connection.recv()).type == "transcription_session.created"
        await connection.transcription_session.update(
            session={"input_audio_transcription": {"model": "whisper-1"}, "turn_detection": None}
        )
        updated = await connection.recv()
        assert updated.type == "transcription_session.updated"
        assert updated.session.input_audio_transcription.model == "whisper-1"


async def test_a_wrong_key_is_told(server):
    async with (
        speaking(server.url, "ek_wrong") as client,
        client.beta.realtime.connect(model="gpt-realtime") as connection,
    ):
        (told,) = await until(connection, "error")
        assert told.error.code == "invalid_api_key"


async def test_in_front_of_an_endpoint_that_refuses_the_beta():
    async with providing() as provider:
        async with (
            speaking(provider.url.removesuffix("/v1/realtime").replace("ws", "http", 1), KEY) as client,
            client.beta.realtime.connect(model="gpt-realtime") as connection,
        ):
            (told,) = await until(connection, "error")
            assert told.error.code == "beta_api_shape_disabled", (
                "without the gateway, there is nothing to be had"
            )
        upstream = RemoteUpstream(provider.url, key=KEY)
        settings = {"upstream": provider.url, "openai_realtime_model": "gpt-realtime"}
        async with (
            gateway(upstream, **settings) as running,
            speaking(running.url("")) as client,
            client.beta.realtime.connect(model="gpt-4o-realtime-preview-2024-10-01") as connection,
        ):
            await connection.session.update(session={"modalities": ["text"]})
            await connection.conversation.item.create(item=hello())
            await connection.response.create()
            events = await until(connection, "response.done")
            assert "".join(e.delta for e in events if e.type == "response.text.delta") == "Good morning."
