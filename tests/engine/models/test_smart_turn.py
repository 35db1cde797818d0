"""Judging pauses, with the real network."""

import asyncio

import numpy as np
import pytest

from vivavoce.audio.resample import resample
from vivavoce.engine.models.hibari import HibariSynthesiser
from vivavoce.engine.models.smart_turn import OVERRULED, SmartTurn
from vivavoce.engine.session.listening import COMPLETE
from vivavoce.engine.weights import ensure
from vivavoce.errors import ModelError

pytestmark = pytest.mark.models

PAUSE = np.zeros(2400, np.float32)
QUESTION = "How many legs does a spider have?"


@pytest.fixture(scope="module")
def judge():
    judge = SmartTurn(asyncio.run(ensure("smart-turn-v3.2")))
    yield judge
    asyncio.run(judge.close())


@pytest.fixture(scope="module")
def speech():
    async def speak():
        synthesiser = HibariSynthesiser()
        parts = [part async for part in synthesiser.synthesise(QUESTION, voice="alloy")]
        await synthesiser.close()
        audio = resample(np.concatenate(parts), synthesiser.rate, 16_000)
        return audio[: np.flatnonzero(np.abs(audio) > 0.01)[-1]]

    return asyncio.run(speak())


async def test_a_whole_question_is_complete_and_half_of_it_is_not(judge, speech):
    whole = await judge.probability(np.concatenate([speech, PAUSE]), QUESTION)
    half = await judge.probability(np.concatenate([speech[: len(speech) // 2], PAUSE]), QUESTION)
    assert half < COMPLETE < 0.9 < whole


async def test_words_that_cannot_be_the_last_overrule(judge, speech):
    heard = np.concatenate([speech, PAUSE])
    assert await judge.probability(heard, "How many legs does the") == OVERRULED


async def test_only_the_last_eight_seconds_count(judge, speech):
    heard = np.concatenate([speech, PAUSE])
    before = np.random.default_rng(1).normal(0, 0.1, 16_000 * 20).astype(np.float32)
    quiet = np.zeros(8 * 16_000 - len(heard), np.float32)
    alone = await judge.probability(heard, QUESTION)
    assert await judge.probability(np.concatenate([before, quiet, heard]), QUESTION) == pytest.approx(alone)


def test_a_folder_without_a_network(tmp_path):
    with pytest.raises(ModelError, match="cannot be loaded"):
        SmartTurn(tmp_path)
