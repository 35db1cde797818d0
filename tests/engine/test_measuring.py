import os

import numpy as np
import pytest

from tests.engine import fakes
from vivavoce.engine.measuring import ANSWER_TOKENS, SENTENCE, measure, usable_cores
from vivavoce.engine.models.protocols import Finished, TextDelta, Transcription
from vivavoce.engine.runtime import Models
from vivavoce.errors import ModelError


def test_only_processors_count_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5, 9}, raising=False)
    assert usable_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert usable_cores() == 6


class Clock:
    """Goes on by what models say they take."""

    now = 100.0

    def __call__(self):
        return self.now


class Busy:
    """Models that take a known time."""

    step, rate, name = 512, 24_000, "busy"
    voices = fakes.ToneSynthesiser().voices

    def __init__(self, clock, *pieces):
        self.clock = clock
        self.pieces = pieces
        self.heard = []

    def open(self):
        return self

    async def push(self, audio):
        self.heard.append(len(audio))
        self.clock.now += 0.02
        return []

    async def transcribe(self, audio, *, effort, language=None, prompt=None):
        self.heard.append(len(audio))
        self.clock.now += {"partial": 0.1, "final": 0.3}[effort]
        return Transcription("")

    async def probability(self, audio, transcript):
        self.heard.append(len(audio))
        self.clock.now += 0.05
        return 0.5

    async def generate(self, prompt, *, max_tokens, temperature=0.4):
        self.asked = (prompt.messages[-1].role, max_tokens)
        self.clock.now += 0.4
        for piece in self.pieces:
            yield piece
            self.clock.now += 0.2

    async def synthesise(self, text, *, voice, speed=1.0):
        self.spoken = text
        for _ in range(2):
            self.clock.now += 0.1
            yield np.full(24_000, 0.1, np.float32)


def busy(*pieces):
    clock = Clock()
    model = Busy(clock, *pieces)
    return model, Models(model, model, model, model, model), clock


async def test_each_model_is_given_what_it_took():
    model, models, clock = busy(TextDelta("I"), TextDelta(" am"), Finished("length", 48, 3, 40))
    costs = await measure(models, clock)
    assert costs.voice_activity == pytest.approx(0.01)  # for a second of the two that were spoken
    assert (costs.partial, costs.final, costs.end_of_turn) == pytest.approx((0.1, 0.3, 0.05))
    assert costs.write == pytest.approx(0.3)  # two more after the first, until the end
    assert costs.read == pytest.approx(0.1 / 8)  # what is left of the time until then, for the new tokens
    assert costs.synthesis == pytest.approx(0.1)
    assert costs.conversations is None
    assert model.spoken == SENTENCE
    assert model.asked == ("user", ANSWER_TOKENS)
    assert model.heard == [32_000] * 4  # at 16 kHz


async def test_what_the_language_model_keeps_is_told():
    model, models, clock = busy()
    model.conversations = 4
    assert (await measure(models, clock)).conversations == 4


@pytest.mark.parametrize("pieces", [(), (Finished("stop", 0, 0),), (Finished("stop", 9, 0, 9),)])
async def test_a_model_that_says_nothing_is_measured_too(pieces):
    _, models, clock = busy(*pieces)
    costs = await measure(models, clock)
    assert costs.read == pytest.approx(0.4 + 0.2 * len(pieces))
    assert costs.write == 0


async def test_a_synthesiser_that_says_nothing_is_no_synthesiser():
    class Mute(fakes.ToneSynthesiser):
        async def synthesise(self, text, *, voice, speed=1.0):
            yield np.empty(0, np.float32)

    with pytest.raises(ModelError, match="expected speech"):
        await measure(fakes.models(synthesiser=Mute()))


async def test_a_model_that_fails_says_so():
    models = fakes.models()
    models.recogniser.fail = True
    with pytest.raises(ModelError, match="recogniser"):
        await measure(models)
