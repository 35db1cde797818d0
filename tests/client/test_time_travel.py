"""A hundred sessions of a minute each in a few seconds: the loop's clock jumps to whatever is next."""

import asyncio
import contextlib
import random
import selectors

import numpy as np
import pytest

from tests.engine import fakes
from vivavoce.client import RealtimeClient, Reconnect
from vivavoce.engine import Engine
from vivavoce.engine.models.protocols import ArgumentsDelta, CallStarted, Finished, TextDelta
from vivavoce.engine.profiles import Loaded
from vivavoce.errors import ConnectionLost
from vivavoce.testing import Script, ScriptedEngine, Turn

CAP = 60.0
"""Seconds that a session may last."""

RENEWALS = 100


class TimeTravel(selectors.DefaultSelector):
    """Does not wait: where there is nothing to do before some time, it is that time."""

    def __init__(self):
        super().__init__()
        self.now = 0.0

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


@pytest.fixture
def travel():
    """Run a coroutine on a loop in which time costs nothing."""
    selector = TimeTravel()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        yield runner.run


class Remembering:
    """A language model that answers with how many questions it has been asked in the whole conversation."""

    name = "remembering"

    def __init__(self):
        self.prompts = []

    async def prepare(self, prompt):
        pass

    async def generate(self, prompt, *, max_tokens, temperature=0.4):
        said = [message.text for message in prompt.messages if message.role == "user"]
        self.prompts.append(said)
        await asyncio.sleep(1.5)  # it thinks, and may be thinking when the time is up
        yield TextDelta(f"That was number {len(said)}.")
        await asyncio.sleep(1.5)
        yield Finished("stop", 20, 5)


def engine_with(model, **options):
    models = fakes.models(words="What time is it?")
    models = type(models)(
        **{**{name: getattr(models, name) for name in models.__slots__}, "language_model": model}
    )

    async def load(_):
        return Loaded(models, {}, 10_000_000, _nothing)

    return Engine(load=load, lifetime=CAP, **options)


async def _nothing():
    pass


class Session:
    """A client, and what it was told of its renewals."""

    def __init__(self, connect, speaker=None, **policy):
        self.client = RealtimeClient(
            transport=connect, speaker=speaker, reconnect=Reconnect(first_wait=0.1, **policy)
        )
        self.restored = []
        self.lost = []
        self.client.on("state_restored", self.restored.append)
        self.client.on("connection.lost", self.lost.append)

    async def again(self):
        """Wait until the session goes on in another."""
        stream = self.client.events()
        async for event in stream:
            if event.type == "state_restored":
                return event
        raise AssertionError("it never did")

    @property
    def words(self):
        return [(item.role, item.words) for item in self.client.conversation.items]


def test_a_hundred_renewals_lose_no_turn_and_double_none(travel):
    async def talk():
        model = Remembering()
        async with engine_with(model) as engine:
            session = Session(engine.connect)
            async with session.client as client:
                await client.update_session(output_modalities=["text"], instructions="Count.")
                asked = 0
                while len(session.restored) < RENEWALS:
                    asked += 1
                    response = await (await client.send_text(f"Question {asked}"))
                    assert response.status == "completed"
                    await asyncio.sleep(asked * 5 % 29)  # at once, or after a while: whenever it falls
                assert client.session.instructions == "Count."
            assert session.lost == []
            assert {one.why for one in session.restored} == {"renewal"}
            assert all(one.lost == [] and one.repeated == [] for one in session.restored)
            questions = [f"Question {number}" for number in range(1, asked + 1)]
            assert model.prompts == [questions[: number + 1] for number in range(asked)]
            expected = [
                one
                for number, question in enumerate(questions, 1)
                for one in (("user", question), ("assistant", f"That was number {number}."))
            ]
            assert session.words == expected

    travel(talk())


def test_nor_do_sessions_that_run_into_their_end(travel):
    """Nobody renews: every session ends in the middle of what is going on, with an error and a close."""

    async def talk():
        model = Remembering()
        async with engine_with(model) as engine:

            def connect():
                transport = engine.connect()
                transport._machine.session.expires_at = 0  # it does not say when it will end
                return transport

            session = Session(connect)
            async with session.client as client:
                await client.update_session(output_modalities=["text"])
                asked, answered = 0, 0
                while len(session.restored) < 20:
                    asked += 1
                    try:
                        response = await (await client.send_text(f"Question {asked}"))
                    except ConnectionLost:
                        continue  # half of the answer had been read
                    assert response.status == "completed"
                    answered += 1
            assert len(session.lost) == 20
            assert answered < asked
            users = [words for role, words in session.words if role == "user"]
            assert users == [f"Question {number}" for number in range(1, asked + 1)]
            assert model.prompts[-1] == users

    travel(talk())


class Brittle:
    """A transport that breaks whenever it is told to."""

    def __init__(self, transport):
        self.transport = transport
        self.broken = asyncio.Event()
        self.send = transport.send
        self.close = transport.close

    async def receive(self):
        receiving = asyncio.ensure_future(self.transport.receive())
        breaking = asyncio.ensure_future(self.broken.wait())
        await asyncio.wait({receiving, breaking}, return_when=asyncio.FIRST_COMPLETED)
        breaking.cancel()
        if self.broken.is_set():
            receiving.cancel()
            await self.transport.close()
            raise ConnectionLost(1006)
        return receiving.result()


@pytest.mark.parametrize("seed", range(4))
def test_whenever_a_line_breaks_what_was_said_is_heard_once(travel, seed):
    chance = random.Random(seed)

    async def talk():
        script = Script(
            turns=[Turn(hear="What time is it?", say="It is just about noon.", delay_ms=300, pace_ms=200)],
            after="repeat",
        )
        lines = []

        def connect():
            lines.append(Brittle(engine.connect()))
            return lines[-1]

        async def break_lines():
            while True:
                await asyncio.sleep(chance.uniform(2, 9))
                lines[-1].broken.set()

        async with ScriptedEngine(script, complete=False) as engine:
            session = Session(connect, steady=0.0)
            frame = np.full(960, 0.3, np.float32)
            async with session.client as client:
                await client.update_session(output_modalities=["text"], transcription=True)
                breaking = asyncio.create_task(break_lines())
                for _ in range(40):
                    for number in range(100):  # two seconds of speech, two of silence
                        await client.send_audio(frame if number < 50 else frame * 0)
                        await asyncio.sleep(0.04)
                breaking.cancel()
                await asyncio.sleep(5)
                said = [words for role, words in session.words if role == "user"]
                assert said == ["What time is it?"] * 40
                answers = [words for role, words in session.words if role == "assistant"]
                assert all("It is just about noon.".startswith(words) for words in answers)
                assert len(answers) == 40
            assert len(session.restored) == len(session.lost) > 15
            assert all(one.lost == [] for one in session.restored)

    travel(talk())


class Curious:
    """A language model that looks before it answers."""

    name = "curious"

    def __init__(self):
        self.prompts = []

    async def prepare(self, prompt):
        pass

    async def generate(self, prompt, *, max_tokens, temperature=0.4):
        self.prompts.append([(message.role, message.text) for message in prompt.messages])
        await asyncio.sleep(0.3)
        if prompt.messages[-1].role == "tool":
            yield TextDelta("I see ")
            await asyncio.sleep(0.5)
            yield TextDelta(prompt.messages[-1].text)
        else:
            yield CallStarted("look")
            await asyncio.sleep(0.2)
            yield ArgumentsDelta("{}")
        await asyncio.sleep(0.2)
        yield Finished("stop", 20, 5)


@pytest.mark.parametrize("seed", range(4))
def test_whenever_a_line_breaks_what_tools_found_is_known(travel, seed):
    chance = random.Random(seed)

    async def talk():
        lines, model = [], Curious()

        def connect():
            lines.append(Brittle(engine.connect()))
            return lines[-1]

        async def break_lines():
            while True:
                await asyncio.sleep(chance.uniform(0.5, 6))
                lines[-1].broken.set()

        async with engine_with(model) as engine:
            session = Session(connect, steady=0.0)

            @session.client.tool
            async def look() -> str:
                await asyncio.sleep(chance.uniform(0, 3))
                return "a cat"

            async with session.client as client:
                await client.update_session(output_modalities=["text"])
                breaking = asyncio.create_task(break_lines())
                for _ in range(30):
                    with contextlib.suppress(ConnectionLost):  # half of it had been told
                        await (await client.send_text("What do you see?"))
                    await asyncio.sleep(chance.uniform(0, 6))
                breaking.cancel()
                await asyncio.sleep(10)
                items = client.conversation.items
                assert [item.words for item in items if item.role == "user"] == ["What do you see?"] * 30
                calls = [item.call_id for item in items if item.type == "function_call"]
                outputs = [item.call_id for item in items if item.type == "function_call_output"]
                assert sorted(calls) == sorted(outputs) == sorted(set(calls))
                assert all("I see a cat".startswith(item.words) for item in items if item.role == "assistant")
                await (await client.send_text("And now?"))
                told = [
                    (item.role, item.words) for item in client.conversation.items if item.type == "message"
                ]
                asked = next(prompt for prompt in model.prompts if prompt[-1] == ("user", "And now?"))
                asked = [one for one in asked if one[0] in ("user", "assistant") and one[1]]
                assert asked == told[: len(asked)]
                assert len(asked) >= len(told) - 1
            assert len(session.restored) == len(session.lost) > 10
            assert all(one.lost == [] for one in session.restored)

    travel(talk())


def test_speech_that_goes_on_and_on_is_neither_lost_nor_doubled(travel):
    """A microphone that never stops; whatever falls on a renewal is heard, once."""

    async def talk():
        script = Script(turns=[Turn(hear="What time is it?", say="Noon.")], after="repeat")
        async with ScriptedEngine(script, lifetime=CAP, complete=False) as engine:
            session = Session(engine.connect)
            frame = np.full(960, 0.3, np.float32)
            async with session.client as client:
                await client.update_session(output_modalities=["text"], transcription=True)
                turns = 0
                while len(session.restored) < 20:
                    turns += 1
                    for number in range(100):  # two seconds of speech, two of silence
                        await client.send_audio(frame if number < 50 else frame * 0)
                        await asyncio.sleep(0.04)
                await asyncio.sleep(1)
                words = [("user", "What time is it?"), ("assistant", "Noon.")] * turns
                assert session.words == words
            assert session.lost == []

    travel(talk())


def test_an_endpoint_with_one_place_gives_it_again_when_the_session_is_over(travel):
    async def talk():
        model = Remembering()
        async with engine_with(model, capacity=1) as engine:
            session = Session(engine.connect)
            async with session.client as client:
                await client.update_session(output_modalities=["text"])
                for _ in range(3):
                    await (await client.send_text("Hello"))
                    restored = await session.again()
                    assert (restored.why, restored.code) == ("connection lost", 1001)
                    assert "maximum duration" in restored.reason
            assert model.prompts[-1] == ["Hello"] * 3

    travel(talk())


def test_it_is_renewed_sooner_if_that_is_asked_for(travel):
    async def talk():
        async with engine_with(Remembering()) as engine:
            session = Session(engine.connect, renew_after=10)
            async with session.client:
                await asyncio.sleep(44)
            assert [one.why for one in session.restored] == ["renewal"] * 4

    travel(talk())


def test_while_an_answer_is_being_heard_it_is_not_renewed_but_before_it_is_too_late(travel):
    class Slow:
        heard = 0

        def play(self, samples):
            pass

        def clear(self):
            pass

    async def talk():
        speaker = Slow()
        async with engine_with(Remembering()) as engine:
            session = Session(engine.connect, speaker)
            async with session.client as client:
                await (await client.send_text("Hello"))
                await session.again()
                assert asyncio.get_running_loop().time() > CAP * 0.9
                assert session.lost == []
                speaker.heard = 10**9
                await session.again()
                assert asyncio.get_running_loop().time() < CAP * 1.8

    travel(talk())
