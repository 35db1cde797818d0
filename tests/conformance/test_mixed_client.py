"""A program that was moved to today's address and has flat fields talks with the engine, and listens as in the beta."""

import asyncio
import base64
import json

import websockets

from tests.conformance.scripts import noise

SESSION = {
    "type": "realtime",
    "modalities": ["text", "audio"],
    "instructions": "Be brief.",
    "voice": "alloy",
    "input_audio_format": "pcm16",
    "output_audio_format": "pcm16",
    "input_audio_transcription": {"model": "whisper-1"},
    "turn_detection": {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
    },
}


async def test_it_is_understood_and_hears_the_answer(server):
    url = f"ws://127.0.0.1:{server.port}/v1/realtime?model=gpt-realtime"
    told = []
    async with (
        asyncio.timeout(20),
        websockets.connect(url, additional_headers={"Authorization": "Bearer sk-unused"}) as websocket,
    ):
        await websocket.send(json.dumps({"type": "session.update", "session": SESSION}))
        audio = base64.b64encode(noise((0.5, 0.0), (1.0, 0.5), (0.9, 0.0))).decode()
        await websocket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        while not told or told[-1]["type"] != "response.done":
            told.append(json.loads(await websocket.recv()))
    kinds = [event["type"] for event in told]
    assert kinds[:2] == ["session.created", "session.updated"]
    flat = {name: value for name, value in SESSION.items() if name not in {"type", "modalities"}}
    updated = told[1]["session"]
    assert {name: updated[name] for name in flat} == {
        **flat,
        "input_audio_transcription": {"model": "whisper-1", "language": None, "prompt": None},
        "turn_detection": {**flat["turn_detection"], "create_response": True, "interrupt_response": True},
    }
    spoken = b"".join(base64.b64decode(e["delta"]) for e in told if e["type"] == "response.audio.delta")
    assert len(spoken) == 2 * 1200 * len("Hi there. How are you?")
    assert {"response.audio.done", "response.done"} <= {*kinds}
    assert "error" not in kinds
