import asyncio
import base64
import gc
import json
import time

import numpy as np
import pytest

from tests.engine import fakes
from vivavoce.engine import runtime
from vivavoce.engine.runtime import INBOX_LIMIT, OUTBOX_LIMIT, EngineSession
from vivavoce.engine.session.machine import Session
from vivavoce.errors import ConnectionLost, ModelError


@pytest.fixture
async def connect():
    open_sessions = []

    def connect(models, lifetime=3600.0, **options):
        machine = Session(
            model="gpt-realtime",
            voices=tuple(models.synthesiser.voices),
            step_ms=32,
            budget_tokens=2000,
            expires_at=int(time.time() + lifetime),
        )
        session = EngineSession(machine, models, lifetime=lifetime, **options)
        session.start()
        open_sessions.append(session)
        return session

    yield connect
    for session in open_sessions:
        await session.close()


async def send(connection, event, **fields):
    await connection.send(json.dumps({"type": event, **fields}))


async def until(session, event):
    """Receive until an event of this type; return all of them."""
    events = []
    async with asyncio.timeout(5):
        while not events or events[-1]["type"] != event:
            events.append(json.loads(await session.receive()))
    return events


async def ask(session, text="Hello"):
    content = [{"type": "input_text", "text": text}]
    await send(
        session, "conversation.item.create", item={"type": "message", "role": "user", "content": content}
    )
    await send(session, "response.create")


def sound(seconds, amplitude):
    return (np.random.default_rng(1).uniform(-amplitude, amplitude, int(seconds * 24_000)) * 32767).astype(
        "<i2"
    )


async def speak(session, *spans):
    for seconds, amplitude in spans:
        pcm = sound(seconds, amplitude)
        for start in range(0, len(pcm), 960):
            audio = base64.b64encode(pcm[start : start + 960].tobytes()).decode()
            await send(session, "input_audio_buffer.append", audio=audio)


async def test_a_written_question_gets_a_spoken_answer(connect):
    models = fakes.models("Hi there. ", "How are you?")
    session = connect(models)
    await ask(session)
    events = await until(session, "response.done")
    assert events[0]["type"] == "session.created"
    audio = b"".join(
        base64.b64decode(e["delta"]) for e in events if e["type"] == "response.output_audio.delta"
    )
    assert len(audio) == len("Hi there. How are you?") * 1200 * 2
    assert models.synthesiser.spoken == [("Hi there. ", "alloy", 1.0), ("How are you?", "alloy", 1.0)]


async def test_a_synthesiser_of_another_rate_is_resampled(connect):
    models = fakes.models("Hello you.", synthesiser=fakes.ToneSynthesiser(16_000))
    session = connect(models)
    await ask(session)
    events = await until(session, "response.done")
    audio = b"".join(
        base64.b64decode(e["delta"]) for e in events if e["type"] == "response.output_audio.delta"
    )
    assert abs(len(audio) / 2 - len("Hello you.") * 1200) < 50


async def test_a_spoken_question_gets_a_spoken_answer(connect):
    models = fakes.models(words="What time is it?")
    session = connect(models)
    await speak(session, (0.5, 0.0), (1.0, 0.5), (0.6, 0.0))
    events = await until(session, "response.done")
    kinds = [e["type"] for e in events]
    assert kinds.index("input_audio_buffer.speech_started") < kinds.index("response.created")
    assert models.language_model.prompts[-1].messages[-1].text == "What time is it?"
    (heard,) = [seconds for seconds, effort in models.recogniser.heard if effort == "final"]
    assert 1.2 < heard < 1.6  # speech, its padding, and the pause


async def test_speaking_interrupts_and_stops_the_models(connect):
    models = fakes.models("Once upon a time. ", None, "The end.")
    session = connect(models)
    await ask(session)
    await until(session, "response.output_audio.delta")
    assert models.language_model.running == 1
    await speak(session, (0.2, 0.0), (0.4, 0.5))
    done = (await until(session, "response.done"))[-1]["response"]
    assert done["status_details"]["reason"] == "turn_detected"
    await asyncio.sleep(0)
    assert models.language_model.running == 0


async def test_a_failing_model_fails_one_response(connect):
    models = fakes.models("Hi ", "there.")
    models.language_model.fail_at = 1
    session = connect(models)
    await ask(session)
    assert (await until(session, "response.done"))[-1]["response"]["status"] == "failed"
    models.language_model.fail_at = None
    await ask(session)
    assert (await until(session, "response.done"))[-1]["response"]["status"] == "completed"


async def test_a_failing_recogniser_costs_the_words(connect):
    models = fakes.models()
    models.recogniser.fail = True
    session = connect(models)
    audio = {"input": {"transcription": {"model": "whisper-1"}}}
    await send(session, "session.update", session={"type": "realtime", "audio": audio})
    await speak(session, (0.5, 0.0), (1.0, 0.5), (0.6, 0.0))
    failed = (await until(session, "conversation.item.input_audio_transcription.failed"))[-1]
    assert failed["error"]["message"] == "the recogniser is out of order"


async def test_bad_input_is_answered_and_the_next_session_never_notices(connect):
    models = fakes.models()
    one, other = connect(models), connect(models)
    await one.send("{")
    assert (await until(one, "error"))[-1]["error"]["code"] == "invalid_json"
    await ask(one)
    await ask(other)
    events = await until(other, "response.done")
    assert "error" not in {e["type"] for e in events}
    assert (await until(one, "response.done"))[-1]["response"]["status"] == "completed"


async def test_a_client_that_does_not_read_stalls_itself_only(connect):
    models = fakes.models("word. " * 400)
    deaf, other = connect(models), connect(models)
    await ask(deaf)
    for _ in range(200):
        await asyncio.sleep(0)
    assert deaf._outbox.qsize() <= OUTBOX_LIMIT
    async with asyncio.timeout(5):
        sending = asyncio.create_task(_flood(deaf))
        await ask(other)
        assert (await until(other, "response.created"))[-1]["type"] == "response.created"
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert deaf._inbox.qsize() <= 2 * INBOX_LIMIT


async def _flood(session):
    while True:
        await send(session, "response.create")


async def test_audio_that_comes_faster_than_it_is_heard_is_waited_for(connect):
    models = fakes.models(words="Hello.")
    session = connect(models)
    spans = [(0.5, 0.0), (1.0, 0.5), (0.6, 0.0)] * 10  # 525 frames, many times what may be under way
    async with asyncio.timeout(20):
        speaking = asyncio.create_task(speak(session, *spans))
        for _ in range(10):
            await until(session, "input_audio_buffer.speech_stopped")
        await speaking


async def test_a_detector_that_fails_ends_the_session(connect, monkeypatch):
    async def fail(self, audio):
        raise ModelError("the detector is out of order")

    monkeypatch.setattr(fakes.EnergyStream, "push", fail)
    session = connect(fakes.models())
    await speak(session, (0.04, 0.0))
    with pytest.raises(ConnectionLost, match="1011"):
        await until(session, "nothing more")


async def test_a_session_ends_when_its_time_is_over(connect):
    session = connect(fakes.models(), lifetime=0.01)
    assert (await until(session, "error"))[-1]["error"]["code"] == "session_expired"
    with pytest.raises(ConnectionLost) as lost:
        await session.receive()
    assert lost.value.code == 1001
    with pytest.raises(ConnectionLost):
        await session.send("{}")


async def test_closing_a_session_that_is_ending_does_not_leave_half_of_it(connect):
    ended = []
    session = connect(fakes.models("Once upon a time. ", None), lifetime=0.05, on_end=ended.append)
    await ask(session)
    await until(session, "error")
    await asyncio.gather(session.close(), session.close())
    assert ended == [session]
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not [name for name in names if name.startswith("engine")]


async def test_closing_a_session_that_has_not_begun(connect):
    ended = []
    session = connect(fakes.models(), on_end=ended.append)
    await session.close()
    await session.close()
    assert ended == [session]
    assert session._outbox.get_nowait() is None  # whoever waits in receive wakes up


async def test_close_is_idempotent_and_leaves_nothing(connect):
    ended = []
    models = fakes.models("Once upon a time. ", None)
    session = connect(models, on_end=ended.append)
    await ask(session)
    await until(session, "response.output_audio.delta")
    await session.close()
    await session.close(1011, "again")
    with pytest.raises(ConnectionLost) as lost:
        await until(session, "nothing more")
    assert lost.value.code == 1000
    assert ended == [session]
    assert models.language_model.running == 0
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not [name for name in names if name.startswith("engine")]
    gc.collect()


async def test_a_receiver_that_waits_learns_of_the_end(connect):
    session = connect(fakes.models())
    await until(session, "session.created")
    waiting = asyncio.create_task(session.receive())
    await asyncio.sleep(0)
    await session.close(1001, "bye")
    with pytest.raises(ConnectionLost, match="bye"):
        await waiting


class TestLateness:
    """What is told to ``on_late``: models take their time on a clock that only they move."""

    @pytest.fixture
    def clock(self, monkeypatch):
        clock = Clock()
        monkeypatch.setattr(runtime, "_now", clock)
        return clock

    async def test_in_time_nothing_is_late(self, connect, clock):
        late = []
        session = connect(fakes.models("It is. ", "Yes."), on_late=late.append)
        await speak(session, (0.2, 0.0), (1.0, 0.5), (0.6, 0.0))
        await until(session, "response.done")
        assert late
        assert max(late) <= 0

    async def test_audio_that_is_heard_late(self, connect, clock, monkeypatch):
        late = asyncio.Queue()
        heard = fakes.EnergyStream.push

        async def slowly(self, audio):
            clock.now += 3
            return await heard(self, audio)

        monkeypatch.setattr(fakes.EnergyStream, "push", slowly)
        session = connect(fakes.models(), on_late=late.put_nowait)
        await speak(session, (0.04, 0.0), (0.04, 0.0))
        first, second = await late.get(), await late.get()
        assert first == pytest.approx(3 - 0.04)
        assert second >= first  # it waited for the first one too, if it was there already

    async def test_words_that_take_longer_than_they_lasted(self, connect, clock):
        late = []
        models = fakes.models()
        heard = models.recogniser.transcribe

        async def slowly(audio, *, effort, **options):
            clock.now += 10 if effort == "final" else 0
            return await heard(audio, effort=effort, **options)

        models.recogniser.transcribe = slowly
        session = connect(models, on_late=late.append)
        await speak(session, (0.2, 0.0), (1.0, 0.5), (0.6, 0.0))
        await until(session, "response.done")
        (words,) = [seconds for seconds in late if seconds > 0]
        assert words == pytest.approx(
            10 - 1.3, abs=0.2
        )  # the turn, with 0.3 s before it and some silence after

    async def test_speech_that_was_waited_for(self, connect, clock):
        late = []
        models = fakes.models("One two three.")
        speak_at_once = models.synthesiser.synthesise

        async def with_a_gap(text, **options):
            async for piece in speak_at_once(text, **options):
                yield piece
                clock.now += 2

        models.synthesiser.synthesise = with_a_gap
        session = connect(models, on_late=late.append)
        await ask(session)
        await until(session, "response.done")
        assert late[:3] == pytest.approx([0, 2 - 0.05, 2 - 0.05])


class Clock:
    now = 0.0

    def __call__(self):
        return self.now
