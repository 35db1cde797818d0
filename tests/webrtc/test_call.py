import asyncio
import base64
import json

import numpy as np
import pytest

from vivavoce.errors import ConnectionLost
from vivavoce.webrtc.call import Call
from vivavoce.webrtc.leg import Leg
from vivavoce.webrtc.playout import FRAME_SAMPLES, RATE


class Endpoint:
    """A session whose events are put in by hand."""

    def __init__(self):
        self.says, self.heard = asyncio.Queue(), asyncio.Queue()
        self.closed = asyncio.get_running_loop().create_future()

    def say(self, kind, **fields):
        self.says.put_nowait(json.dumps({"type": kind, "event_id": "event_1", **fields}))

    def speak(self, frames):
        at = np.arange(frames * FRAME_SAMPLES) / RATE
        pcm = (8000 * np.sin(2 * np.pi * 440 * at)).astype("<i2").tobytes()
        self.say(
            "response.output_audio.delta",
            response_id="resp_1",
            item_id="item_1",
            output_index=0,
            content_index=0,
            delta=base64.b64encode(pcm).decode(),
        )

    async def send(self, data):
        if self.closed.done():
            raise ConnectionLost(*self.closed.result())
        self.heard.put_nowait(json.loads(data))

    async def receive(self):
        event = await self.says.get()
        if isinstance(event, ConnectionLost):
            raise event
        return event

    async def close(self, code=1000, reason=""):
        if not self.closed.done():
            self.closed.set_result((code, reason))


class Calling:
    """A call that is under way, and the peer at its other end."""

    def __init__(self, **options):
        self.endpoint = Endpoint()
        self.beside = []
        self.call = Call(
            self.endpoint, beside=lambda data: self.beside.append(json.loads(data)["type"]), **options
        )
        self.frames, self.heard, self.told = [], [], asyncio.Queue()
        self.peer = Leg(self._next, self.heard.append, lambda data: self.told.put_nowait(json.loads(data)))

    def _next(self):
        return self.frames.pop(0) if self.frames else None

    async def begin(self):
        await self.peer.accept(await self.call.answer(await self.peer.offer()))
        self.running = asyncio.create_task(self.call.run())
        return self

    async def told_types(self, count):
        return [(await self.told.get())["type"] for _ in range(count)]


@pytest.fixture
async def calling():
    calling = await Calling().begin()
    yield calling
    await calling.peer.close()
    await calling.running


async def test_events_go_across_and_speech_goes_up(calling):
    calling.endpoint.say("session.created")
    assert await calling.told_types(1) == ["session.created"]
    await calling.peer.send('{"type":"response.create"}')
    calling.frames += [np.full(FRAME_SAMPLES, 1000, np.int16)] * 20
    calling.peer.wake()
    kinds = [(await calling.endpoint.heard.get())["type"] for _ in range(8)]
    assert set(kinds) == {"response.create", "input_audio_buffer.append"}


async def test_speech_comes_down_as_media(calling):
    calling.endpoint.speak(10)
    calling.endpoint.say(
        "response.done", response={"object": "realtime.response", "id": "resp_1", "output": []}
    )
    assert await calling.told_types(3) == [
        "response.done",
        "output_audio_buffer.started",
        "output_audio_buffer.stopped",
    ]
    async with asyncio.timeout(20):
        while sum(map(len, calling.heard)) < 10 * FRAME_SAMPLES:  # noqa: ASYNC110 - media has no event
            await asyncio.sleep(0.01)
    assert np.abs(np.concatenate(calling.heard)).max() > 4000


async def test_who_speaks_is_listened_to(calling):
    calling.endpoint.speak(1000)
    assert await calling.told_types(1) == ["output_audio_buffer.started"]
    calling.endpoint.say("input_audio_buffer.speech_started", audio_start_ms=0, item_id="item_u")
    assert await calling.told_types(2) == ["input_audio_buffer.speech_started", "output_audio_buffer.cleared"]
    truncate = await calling.endpoint.heard.get()
    assert truncate["type"] == "conversation.item.truncate"
    assert 0 <= truncate["audio_end_ms"] < 20_000


async def test_what_is_heard_is_told_beside_and_can_be_silenced_from_there(calling):
    calling.endpoint.speak(1000)
    assert await calling.told_types(1) == ["output_audio_buffer.started"]
    assert calling.call.silence()
    assert await calling.told_types(1) == ["output_audio_buffer.cleared"]
    assert calling.beside == ["output_audio_buffer.started", "output_audio_buffer.cleared"]
    assert (await calling.endpoint.heard.get())["type"] == "conversation.item.truncate"


async def test_what_is_no_event_is_answered_here(calling):
    await calling.peer.send("hello")
    event = await calling.told.get()
    assert (event["type"], event["error"]["code"]) == ("error", "invalid_json")


async def test_an_event_that_is_too_large_for_a_call_is_told_of(calling):
    calling.endpoint.say("conversation.item.retrieved", pad="x" * 300_000)
    event = await calling.told.get()
    assert (event["type"], event["error"]["code"]) == ("error", "message_too_large")


async def test_an_event_that_is_longer_than_allowed_is_refused_and_the_call_goes_on():
    calling = await Calling(most_bytes=2048).begin()
    await calling.peer.send('{"type":"response.create","pad":"' + "ä" * 1024 + '"}')
    event = await calling.told.get()
    assert (event["type"], event["error"]["code"]) == ("error", "message_too_large")
    await calling.peer.send('{"type":"response.create"}')
    assert await calling.endpoint.heard.get() == {"type": "response.create"}
    await calling.peer.close()
    await calling.running


async def test_the_endpoint_learns_that_the_peer_has_gone():
    calling = await Calling().begin()
    await calling.peer.send('{"type":"x"}')
    await calling.endpoint.heard.get()
    await calling.peer.close()
    assert (await calling.running).code == 1000
    assert (await calling.endpoint.closed)[0] == 1000


async def test_the_peer_learns_that_the_endpoint_has_gone():
    calling = await Calling().begin()
    calling.endpoint.say("session.created")
    await calling.told_types(1)
    calling.endpoint.says.put_nowait(ConnectionLost(1001, "enough"))
    assert (await calling.running).code == 1001
    await calling.peer.ended()
    await calling.peer.close()


async def test_can_be_ended():
    calling = await Calling().begin()
    calling.call.end(1000, "hung up")
    calling.call.end(1011, "never heard")
    assert (await calling.running).reason == "hung up"
    await calling.peer.close()
