import asyncio
import base64
import json
import os
from dataclasses import replace

import numpy as np
import pytest

from tests.engine import fakes
from vivavoce.engine import Engine, EngineStatus
from vivavoce.engine import engine as engine_module
from vivavoce.engine.capacity import Costs, capacity
from vivavoce.engine.pace import BEHIND_S, CALM_S
from vivavoce.engine.profiles import PROFILES, Loaded
from vivavoce.errors import ConnectionFailed, ConnectionLost, ModelError, ProtocolError, VivaVoceError
from vivavoce.protocol.session_params import RealtimeSessionParams, TranscriptionSessionParams


class Loader:
    """Loads scripted models, when its gate is opened; fails for the reasons it is given, one after the other."""

    def __init__(self, *failures, costs=None):
        self.costs = costs
        self.gate = asyncio.Event()
        self.loading = asyncio.Event()
        self.failures = list(failures)
        self.open = 0

    async def __call__(self, report):
        report.stage("weights")
        report.progress("half of it")
        self.loading.set()
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.open += 1
        return Loaded(fakes.models("Hi there."), {"language_model": "scripted"}, 2000, self.close, self.costs)

    async def close(self):
        self.open -= 1


@pytest.fixture
async def loader():
    loader = Loader()
    loader.gate.set()
    return loader


async def until(session, event):
    """Receive until an event of this type; return all of them."""
    events = []
    async with asyncio.timeout(30):
        while not events or events[-1]["type"] != event:
            events.append(json.loads(await session.receive()))
    return events


async def ask(session, text, **response):
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    await session.send(json.dumps({"type": "conversation.item.create", "item": item}))
    await session.send(json.dumps({"type": "response.create", "response": response}))
    return await until(session, "response.done")


def speech(events):
    deltas = [event["delta"] for event in events if event["type"] == "response.output_audio.delta"]
    return np.frombuffer(b"".join(map(base64.b64decode, deltas)), "<i2")


class TestLoading:
    async def test_status_tells_how_far_it_is(self):
        loader = Loader()
        engine = Engine(load=loader)
        assert engine.status == EngineStatus("stopped")
        starting = asyncio.create_task(engine.start())
        await loader.loading.wait()
        assert engine.status == EngineStatus("loading", "weights")
        loader.gate.set()
        assert await starting is engine
        assert engine.status.state == "ready"
        assert engine.status.models == {"language_model": "scripted"}
        assert engine.status.seconds >= 0
        await engine.close()
        assert engine.status == EngineStatus("stopped")
        assert loader.open == 0

    async def test_progress_is_passed_on(self, loader):
        seen = []
        engine = await Engine(load=loader).start(seen.append)
        assert seen == ["half of it"]
        await engine.close()

    async def test_a_failure_is_told_and_may_be_repaired(self, loader):
        loader.failures = [ModelError("out of memory")]
        engine = Engine(load=loader)
        with pytest.raises(ModelError, match="out of memory"):
            await engine.start()
        assert engine.status == EngineStatus("failed", "out of memory")
        with pytest.raises(ConnectionFailed, match="failed"):
            engine.connect()
        await engine.start()
        assert engine.status.state == "ready"
        await engine.close()

    @pytest.mark.parametrize(
        ("error", "reason"), [(MemoryError(), "MemoryError"), (ImportError("no llama"), "no llama")]
    )
    async def test_a_failure_that_nobody_foresaw_is_told_too(self, loader, error, reason):
        loader.failures = [error]
        engine = Engine(load=loader)
        with pytest.raises(type(error)):
            await engine.start()
        assert engine.status == EngineStatus("failed", reason)

    async def test_to_stop_waiting_is_no_failure(self):
        loader = Loader()
        engine = Engine(load=loader)
        starting = asyncio.create_task(engine.start())
        await loader.loading.wait()
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert engine.status == EngineStatus("stopped")

    async def test_an_unknown_profile_is_refused_with_those_there_are(self):
        with pytest.raises(VivaVoceError) as refused:
            Engine("enormous")
        assert all(name in str(refused.value) for name in ["enormous", *PROFILES])

    async def test_as_a_context(self, loader):
        async with Engine(load=loader) as engine:
            assert engine.status.state == "ready"
            await engine.start()
            assert loader.open == 1  # it is not loaded twice
        assert loader.open == 0


class TestConnecting:
    @pytest.mark.parametrize("state", ["stopped", "loading"])
    async def test_before_it_is_ready_it_is_refused(self, state):
        loader = Loader()
        engine = Engine(load=loader)
        starting = asyncio.create_task(engine.start()) if state == "loading" else None
        if starting:
            await loader.loading.wait()
        with pytest.raises(ConnectionFailed, match=rf"not ready \({state}\)") as refused:
            engine.connect()
        assert refused.value.status == 503
        if starting:
            loader.gate.set()
            await starting
            await engine.close()

    async def test_the_session_says_what_it_is(self, loader):
        async with Engine(load=loader, lifetime=600) as engine:
            (created,) = await until(engine.connect("gpt-realtime-mini"), "session.created")
            assert created["session"]["model"] == "gpt-realtime-mini"
            session = engine.connect()
            (default,) = await until(session, "session.created")
            assert default["session"]["model"] == "gpt-realtime"
            assert default["session"]["expires_at"] > 1_700_000_000
            (listens,) = await until(engine.connect(params=TranscriptionSessionParams()), "session.created")
            assert listens["session"]["type"] == "transcription"

    async def test_it_begins_as_it_is_asked_to(self, loader):
        params = RealtimeSessionParams(model="gpt-realtime-mini", instructions="Be brief.")
        async with Engine(load=loader) as engine:
            told = engine.describe(params)
            assert (told.model, told.instructions, told.expires_at) == ("gpt-realtime-mini", "Be brief.", 0)
            assert engine.sessions == 0
            (created,) = await until(engine.connect("gpt-realtime", params), "session.created")
            assert created["session"]["model"] == "gpt-realtime-mini"
            assert created["session"]["instructions"] == "Be brief."

    async def test_it_does_not_begin_where_that_is_not_served(self, loader):
        params = RealtimeSessionParams(output_modalities=["audio", "text"])
        async with Engine(load=loader) as engine:
            for ask_for in (engine.describe, lambda asked: engine.connect(params=asked)):
                with pytest.raises(ProtocolError) as refused:
                    ask_for(params)
                assert refused.value.param == "session.output_modalities"
            assert engine.sessions == 0

    async def test_nothing_is_told_before_it_is_ready(self, loader):
        with pytest.raises(ConnectionFailed, match="not ready"):
            Engine(load=loader).describe(RealtimeSessionParams())

    async def test_sessions_are_counted_and_do_not_share_their_words(self, loader):
        async with Engine(load=loader) as engine:
            one, other = engine.connect(), engine.connect()
            assert engine.sessions == 2
            await ask(one, "I am Ada.")
            await ask(other, "Who am I?")
            said = [message.text for message in engine._loaded.models.language_model.prompts[-1].messages]
            assert said[1:] == ["Who am I?"]
            await one.close()
            assert engine.sessions == 1
            assert len(speech(await ask(other, "Still here?"))) > 0

    async def test_a_session_lives_as_long_as_it_may(self, loader):
        async with Engine(load=loader, lifetime=0.01) as engine:
            session = engine.connect()
            assert (await until(session, "error"))[-1]["error"]["code"] == "session_expired"
            await session.close()
            assert engine.sessions == 0


FREE = Costs(0, 0, 0, 0, 0, 0, 0)


class TestCapacity:
    async def test_is_known_when_the_models_have_been_measured(self):
        loader = Loader(costs=replace(FREE, write=0.1))
        loader.gate.set()
        engine = Engine(load=loader)
        assert engine.capacity is None
        async with engine:
            assert engine.capacity == capacity(loader.costs, len(os.sched_getaffinity(0)))
        assert engine.capacity is None

    async def test_nothing_limits_models_that_were_not_measured(self, loader):
        async with Engine(load=loader) as engine:
            assert engine.capacity is None
            assert len([engine.connect() for _ in range(40)]) == engine.sessions == 40

    async def test_it_can_be_set(self):
        loader = Loader(costs=replace(FREE, write=100))
        loader.gate.set()
        async with Engine(load=loader, capacity=2) as engine:
            assert engine.capacity == 2

    async def test_one_more_is_refused_until_one_goes(self, loader):
        async with Engine(load=loader, capacity=2) as engine:
            one, _ = engine.connect(), engine.connect()
            with pytest.raises(ConnectionFailed, match="holds 2 sessions") as refused:
                engine.connect()
            assert (refused.value.status, refused.value.code) == (503, "session_limit_reached")
            assert engine.sessions == 2
            await one.close()
            engine.connect()

    async def test_while_the_models_are_behind_nobody_is_let_in(self, loader, monkeypatch):
        now = 0.0
        monkeypatch.setattr(engine_module.time, "monotonic", lambda: now)
        async with Engine(load=loader, capacity=9) as engine:
            session = engine.connect()
            session._on_late(BEHIND_S + 0.1)
            with pytest.raises(ConnectionFailed, match="behind real time, with 1 session") as refused:
                engine.connect()
            assert (refused.value.status, refused.value.code) == (503, "session_limit_reached")
            now += CALM_S
            engine.connect()


class TestClosing:
    async def test_ends_the_sessions_and_says_why(self, loader):
        engine = await Engine(load=loader).start()
        sessions = [engine.connect(), engine.connect()]
        for session in sessions:
            await until(session, "session.created")
        await engine.close()
        for session in sessions:
            with pytest.raises(ConnectionLost, match="shuts down") as lost:
                await session.receive()
            assert lost.value.code == 1001
        assert engine.sessions == 0
        with pytest.raises(ConnectionFailed, match="stopped"):
            engine.connect()

    async def test_twice_or_before_the_start_does_nothing(self, loader):
        engine = Engine(load=loader)
        await engine.close()
        await engine.start()
        await asyncio.gather(engine.close(), engine.close())
        await engine.close()
        assert loader.open == 0
        assert engine.status == EngineStatus("stopped")

    async def test_it_can_be_started_again(self, loader):
        engine = Engine(load=loader)
        for _ in range(2):
            async with engine:
                assert len(speech(await ask(engine.connect(), "Hello"))) > 0


@pytest.mark.models
async def test_with_real_models_a_written_question_gets_a_spoken_answer():
    async with Engine("small") as engine:
        assert engine.status.models["language_model"] == "smollm2-135m"
        events = await ask(engine.connect(), "Say hello.", max_output_tokens=40)
    response = events[-1]["response"]
    assert response["status"] in {"completed", "incomplete"}  # what a small model says is no matter here
    (content,) = response["output"][0]["content"]
    words = content["transcript"].split()
    sound = speech(events)
    assert 0.1 < len(sound) / 24_000 / len(words) < 1.5
    assert np.abs(sound).max() > 3000


async def test_what_the_language_model_cannot_call_is_refused_where_it_is_offered(loader):
    class Choosy(fakes.ScriptedLanguageModel):
        def check(self, function):
            raise ValueError(f"Expected nothing like {function.name}.")

    async def load(report):
        loaded = await loader(report)
        return replace(loaded, models=replace(loaded.models, language_model=Choosy("Hi.")))

    async with Engine(load=load) as engine:
        session = engine.connect()
        update = {"type": "realtime", "tools": [{"type": "function", "name": "look"}]}
        await session.send(json.dumps({"type": "session.update", "session": update}))
        refused = (await until(session, "error"))[-1]["error"]
        assert (refused["code"], refused["param"]) == (
            "invalid_function_parameters",
            "session.tools[0].parameters",
        )
        assert "Expected nothing like look." in refused["message"]
