import asyncio

import numpy as np
import pytest

from tests.client.doubles import ScriptedTransport
from vivavoce import RealtimeClient
from vivavoce.client import replaying
from vivavoce.client.frames import Frame
from vivavoce.client.recording import Recorder, Recording
from vivavoce.client.replaying import replay
from vivavoce.testing import FunctionCall, Script, ScriptedEngine, Turn

CALL = FunctionCall(name="get_weather", arguments={"place": "Paris"})
TURNS = [
    Turn(hear="What is the weather?", call=CALL),
    Turn(say="It rains."),
    Turn(expect="Good bye", say="Bye."),
]


@pytest.fixture
async def recorded(tmp_path):
    """A conversation by voice, with a tool, and in writing."""
    with Recorder(tmp_path / "it") as recorder:
        async with ScriptedEngine(Script(turns=TURNS)) as engine:
            client = RealtimeClient(transport=engine.connect, recorder=recorder)

            @client.tool
            def get_weather(place: str) -> str:
                """Tell the weather."""
                return f"rain in {place}"

            spoken = asyncio.Event()
            client.on("response.output_audio_transcript.done", lambda event: spoken.set())
            async with client:
                await client.update_session(turn_detection=None, transcription=True)
                await client.send_audio(np.full(12_000, 0.2, np.float32))
                await client.commit()
                await spoken.wait()
                await (await client.send_text("Good bye"))
    return Recording.load(tmp_path / "it")


async def again(recorded, *turns, **options):
    left_out = []
    async with ScriptedEngine(Script(turns=list(turns))) as engine:
        client = RealtimeClient(transport=engine.connect, reconnect=False)
        async with client:
            await replay(recorded.frames(), client, speed=20, left_out=left_out.append, **options)
    return client.conversation.items, left_out


async def test_a_conversation_goes_the_same_way_again(recorded):
    items, left_out = await again(recorded, *TURNS)
    assert left_out == []
    assert [item.words or item.output for item in items if item.type != "function_call"] == [
        "What is the weather?",
        "rain in Paris",
        "It rains.",
        "Good bye",
        "Bye.",
    ]
    assert items[1].call_id == items[2].call_id


async def test_results_that_nobody_asks_for_are_left_out(recorded):
    items, left_out = await again(
        recorded, Turn(hear="What is the weather?", say="Who knows."), Turn(expect="Good bye", say="Bye.")
    )
    assert [item.words for item in items] == ["What is the weather?", "Who knows.", "Good bye", "Bye."]
    assert left_out[:2] == [
        "conversation.item.create is about something that is not here.",
        "response.create was for results that nobody asked for here.",
    ]


def created(number):
    return {"type": "response.created", "response": {"id": f"then_{number}"}}


def done(number):
    return {"type": "response.done", "response": {"id": f"then_{number}", "status": "completed"}}


ITEM = {"id": "item_then", "type": "message", "role": "assistant", "content": []}
END = {"type": "input_audio_buffer.append", "audio": "BBBB"}
APPEND = {"type": "input_audio_buffer.append", "audio": "AAAA"}
DELTA = {
    "type": "response.output_audio.delta",
    "response_id": "now",
    "item_id": "item_now",
    "output_index": 0,
    "content_index": 0,
}


class Replaying:
    """A replay to an endpoint that is the test."""

    def __init__(self, *frames, sends=0):
        self.transport = ScriptedTransport()
        self.left_out = []

        async def run():
            async with RealtimeClient(transport=lambda: self.transport, reconnect=False) as client:
                made = [Frame(direction, event, 0.0) for direction, event in frames]
                await replay(made, client, speed=100, left_out=self.left_out.append)
                await self.transport.until_sent(sends)  # what is said last is still on its way

        self.task = asyncio.create_task(run())

    def say(self, event):
        self.transport.say(event)


async def test_who_listened_is_silent_while_the_answer_takes_longer():
    spoken = [("C", APPEND), ("S", created(1)), ("S", done(1)), ("C", END), ("S", created(2)), ("S", done(2))]
    replaying_ = Replaying(*spoken)
    sent = replaying_.transport.sent
    await replaying_.transport.until_sent(4)
    replaying_.say({"type": "response.done", "response": {"id": "now", "status": "completed"}})
    async with asyncio.timeout(10):
        while END not in sent:
            await replaying_.transport.until_sent(len(sent) + 1)
    replaying_.say({"type": "response.done", "response": {"id": "now_too", "status": "completed"}})
    await replaying_.task
    before = [event["audio"] for event in sent[: sent.index(END)]]
    assert before[0] == "AAAA"
    assert set(before[1:]) == {"A" * 2560}
    assert replaying_.left_out == []


async def test_an_answer_that_never_comes_is_not_waited_for_forever(monkeypatch):
    monkeypatch.setattr(replaying, "PATIENCE_SECONDS", 0.05)
    clear = {"type": "input_audio_buffer.clear"}
    replaying_ = Replaying(("S", created(1)), ("S", done(1)), ("C", clear), ("C", clear), sends=2)
    await replaying_.task
    assert replaying_.transport.sent_types() == ["input_audio_buffer.clear"] * 2
    assert replaying_.left_out == ["An answer of the recording has no counterpart here."]


async def test_an_interruption_is_about_what_is_said_here():
    truncate = {"type": "conversation.item.truncate", "item_id": "item_then", "content_index": 0}
    replaying_ = Replaying(
        ("C", {"type": "response.create"}),
        ("S", created(1)),
        ("S", {"type": "conversation.item.added", "item": ITEM}),
        ("C", {**truncate, "audio_end_ms": 3000}),
        ("C", {"type": "response.cancel", "response_id": "then_1"}),
        ("S", done(1)),
    )
    await replaying_.transport.until_sent(1)
    replaying_.say({"type": "response.created", "response": {"id": "now"}})
    replaying_.say({**DELTA, "delta": "AAAA" * 16_000})  # 1 s
    replaying_.say({"type": "conversation.item.added", "item": {**ITEM, "id": "item_now"}})
    await replaying_.transport.until_sent(3)
    replaying_.say({"type": "response.done", "response": {"id": "now", "status": "cancelled"}})
    await replaying_.task
    by_type = {event["type"]: event for event in replaying_.transport.sent}
    assert by_type["conversation.item.truncate"]["item_id"] == "item_now"
    assert by_type["conversation.item.truncate"]["audio_end_ms"] == 1000
    assert by_type["response.cancel"]["response_id"] == "now"


async def test_what_no_endpoint_would_take_is_left_out():
    replaying_ = Replaying(
        ("C", {"type": "session.sing"}), ("C", {"type": "input_audio_buffer.clear"}), sends=1
    )
    await replaying_.task
    assert replaying_.transport.sent_types() == ["input_audio_buffer.clear"]
    assert replaying_.left_out[0].startswith("session.sing cannot be sent: ")


async def test_the_pace_is_that_of_the_recording():
    loop = asyncio.get_running_loop()
    async with RealtimeClient(transport=ScriptedTransport, reconnect=False) as client:
        began = loop.time()
        clear = {"type": "input_audio_buffer.clear"}
        await replay([Frame("C", clear, 0.0), Frame("C", clear, 0.4)], client, speed=2)
    assert loop.time() - began >= 0.2
