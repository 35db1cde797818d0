"""The whole way: the official client, a socket, the gateway, the engine; only the models are scripted."""

import base64
import json

import aiohttp
from openai import AsyncOpenAI
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from tests.engine import fakes
from tests.gateway.doubles import gateway
from vivavoce.engine.engine import Engine
from vivavoce.engine.profiles import Loaded

STRICT = TypeAdapter(RealtimeServerEvent)


async def _load(report):
    async def close():
        return

    report.stage("models")
    return Loaded(
        models=fakes.models("A fugue. ", "Indeed."),
        names={"all": "scripted"},
        budget_tokens=1000,
        close=close,
    )


def _engine():
    return Engine(load=_load)


async def test_the_official_client_gets_an_answer():
    async with gateway(_engine()) as running:
        client = AsyncOpenAI(base_url=running.url("/v1"), api_key="any")
        async with client, client.realtime.connect(model="gpt-realtime") as connection:
            content = [{"type": "input_text", "text": "What is this?"}]
            await connection.conversation.item.create(
                item={"type": "message", "role": "user", "content": content}
            )
            await connection.response.create(response={"output_modalities": ["text"]})
            said = ""
            while (event := await connection.recv()).type != "response.done":
                STRICT.validate_json(event.model_dump_json(exclude_unset=True), strict=True)
                if event.type == "response.output_text.delta":
                    said += event.delta
            assert event.response.status == "completed"
            assert said.strip() == "A fugue. Indeed."


async def test_the_official_client_has_a_telephone_written_down():
    async with gateway(_engine()) as running:
        client = AsyncOpenAI(base_url=running.url("/v1"), api_key="any")
        query = {"intent": "transcription"}
        async with client, client.realtime.connect(extra_query=query) as connection:
            audio = {
                "format": {"type": "audio/pcmu"},
                "turn_detection": None,
                "transcription": {"model": "whisper-1"},
            }
            await connection.session.update(session={"type": "transcription", "audio": {"input": audio}})
            sound = base64.b64encode(b"\xff" * 4000).decode()
            await connection.input_audio_buffer.append(audio=sound)
            await connection.input_audio_buffer.commit()
            events = []
            while not events or not events[-1].type.endswith("transcription.completed"):
                events.append(await connection.recv())
                STRICT.validate_json(events[-1].model_dump_json(exclude_unset=True), strict=True)
            assert events[0].session.type == "transcription"
            assert events[-1].usage.seconds == 0.5
            await connection.conversation.item.retrieve(item_id=events[-1].item_id)
            assert (await connection.recv()).item.content[0].audio == sound


async def test_nonsense_is_answered_by_the_engine_and_the_session_goes_on():
    async with gateway(_engine()) as running, running.connect() as ws:
        assert (await ws.receive_json())["type"] == "session.created"
        for nonsense in (b"{", b"\xff\xfe", b"[]", b'{"type":"no.such.event","event_id":"mine"}'):
            await ws.send_frame(nonsense, aiohttp.WSMsgType.TEXT)
            event = await ws.receive_json()
            STRICT.validate_python(event, strict=True)
            assert event["type"] == "error"
        assert event["error"]["event_id"] == "mine"
        await ws.send_str(json.dumps({"type": "session.update", "session": {"type": "realtime"}}))
        assert (await ws.receive_json())["type"] == "session.updated"


async def test_stopping_the_server_ends_sessions_of_the_engine():
    engine = _engine()
    async with gateway(engine) as running:
        ws = await running.connect()
        await ws.receive()
        assert engine.sessions == 1
    assert engine.sessions == 0
    assert engine.status.state == "stopped"
