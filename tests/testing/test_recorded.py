import asyncio
import json

import numpy as np
import pytest

from vivavoce import RealtimeClient
from vivavoce.client.frames import Frame
from vivavoce.errors import ConnectionLost
from vivavoce.testing.recorded import RecordedEndpoint
from vivavoce.testing.serving import serve_scripted

WHERE = {"response_id": "r", "item_id": "a", "output_index": 0, "content_index": 0}
ANSWER = [
    ("S", {"type": "response.created", "response": {"id": "r"}}),
    ("S", {"type": "response.output_text.delta", **WHERE, "delta": "Hello."}),
    ("S", {"type": "response.done", "response": {"id": "r", "status": "completed"}}),
]
CREATED = ("S", {"type": "session.created", "session": {"type": "realtime", "id": "s", "model": "recorded"}})
UPDATED = ("S", {"type": "session.updated", "session": {"type": "realtime", "id": "s", "model": "updated"}})
WRITTEN = [
    CREATED,
    ("C", {"type": "session.update", "session": {"type": "realtime"}}),
    UPDATED,
    ("C", {"type": "conversation.item.create", "item": {"type": "message"}}),
    ("C", {"type": "response.create"}),
    *ANSWER,
]
SPOKEN = [
    CREATED,
    ("C", {"type": "input_audio_buffer.append", "audio": "AAAA"}),
    ("C", {"type": "input_audio_buffer.append", "audio": "AAAA"}),
    ("S", {"type": "input_audio_buffer.speech_started", "item_id": "u", "audio_start_ms": 0}),
    ("C", {"type": "input_audio_buffer.append", "audio": "AAAA"}),
    *ANSWER,
]


def endpoint(frames, t=0.0, **options):
    return RecordedEndpoint(lambda: iter([Frame(*frame, t) for frame in frames]), **options)


async def types(transport, count):
    async with asyncio.timeout(10):
        return [json.loads(await transport.receive())["type"] for _ in range(count)]


async def test_any_client_can_ask_in_its_own_words():
    async with serve_scripted(endpoint(WRITTEN)) as url:
        for _ in range(2):
            async with RealtimeClient(url, reconnect=False) as client:
                await client.update_session(instructions="Anything.")
                assert client.session.model == "updated"
                response = await (await client.send_text("Something else"))
                assert response.status == "completed"


async def test_who_does_not_configure_is_not_waited_for():
    async with endpoint(WRITTEN) as recorded:
        transport = recorded.connect()
        await transport.send('{"type": "response.create"}')
        assert await types(transport, 1) == ["session.created"]
        await transport.send('{"type": "conversation.item.create"}')
        assert await types(transport, 3) == [event["type"] for _, event in ANSWER]


async def test_speech_goes_on_once_there_is_some():
    async with serve_scripted(endpoint(SPOKEN)) as url, RealtimeClient(url, reconnect=False) as client:
        await client.send_audio(np.zeros(2000, np.float32))
        async for event in client:
            if event.type == "response.done":
                break
        assert client.conversation.find("u").role == "user"


async def test_it_takes_as_long_as_it_took():
    loop = asyncio.get_running_loop()
    async with endpoint([CREATED], t=0.5, speed=5) as recorded:
        began = loop.time()
        await types(recorded.connect(), 1)
        assert loop.time() - began >= 0.1


async def test_sessions_end_with_it():
    async with endpoint(WRITTEN) as recorded:
        transport = recorded.connect()
        await types(transport, 1)
        waiting = asyncio.create_task(transport.receive())
        await asyncio.sleep(0)
    with pytest.raises(ConnectionLost, match="shuts down"):
        await waiting
    with pytest.raises(ConnectionLost):
        await transport.send("{}")
    with pytest.raises(ConnectionLost):
        await transport.receive()
    await transport.close()
