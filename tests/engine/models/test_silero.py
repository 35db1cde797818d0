"""Silero: what it takes for speech, and that it does not matter how the audio comes."""

import asyncio
import importlib
import os

import numpy as np
import pytest

from vivavoce.engine.models import silero
from vivavoce.engine.models.protocols import MODEL_RATE

pytestmark = pytest.mark.models


def noise(seconds, level, seed=0):
    size = round(seconds * MODEL_RATE)
    return np.random.default_rng(seed).normal(0, level, size).astype(np.float32)


def clicks(seconds):
    sound = np.zeros(round(seconds * MODEL_RATE), np.float32)
    sound[::4000] = 0.9
    return sound


async def test_hears_speech(voice_activity, say):
    probabilities = await voice_activity.open().push(await say("Turn on the light in the kitchen, please."))
    assert np.mean(np.array(probabilities) > 0.5) > 0.7


@pytest.mark.parametrize(
    "sound",
    [np.zeros(2 * MODEL_RATE, np.float32), noise(2, 0.03), clicks(2)],
    ids=["silence", "noise", "clicks"],
)
async def test_hears_no_speech(voice_activity, sound):
    assert max(await voice_activity.open().push(sound)) < 0.5


@pytest.mark.parametrize("size", [1, 160, 511, 512, 513, 700, 16_001])
async def test_chunks_make_no_difference(voice_activity, say, size):
    audio = (await say("Yes, of course."))[: 3000 if size == 1 else None]
    whole = await voice_activity.open().push(audio)
    stream = voice_activity.open()
    pieces = []
    for first in range(0, len(audio), size):
        pieces += await stream.push(audio[first : first + size])
    assert pieces == whole
    assert len(whole) == len(audio) // voice_activity.step


async def test_keeps_its_own_copy_of_what_is_left_over(voice_activity, say):
    audio = (await say("Hello there."))[:1024]
    expected = await voice_activity.open().push(audio)
    stream, buffer = voice_activity.open(), audio[:700].copy()
    first = await stream.push(buffer)
    buffer[:] = 1.0
    assert first + await stream.push(audio[700:]) == expected


async def test_streams_do_not_hear_each_other(voice_activity, say):
    speech, silence = await say("Good morning to you all."), np.zeros(2 * MODEL_RATE, np.float32)
    alone = await voice_activity.open().push(speech)
    together, quiet = await asyncio.gather(
        voice_activity.open().push(speech), voice_activity.open().push(silence)
    )
    assert together == alone
    assert max(quiet) < 0.5


async def test_a_long_recording_leaves_the_turn_to_others(voice_activity):
    long = asyncio.create_task(voice_activity.open().push(noise(60, 0.01)))
    await asyncio.sleep(0)
    assert len(await voice_activity.open().push(noise(0.1, 0.01))) == 3
    assert not long.done()
    assert len(await long) == 60 * MODEL_RATE // voice_activity.step


async def test_goes_on_after_a_cancelled_push(voice_activity):
    stream = voice_activity.open()
    push = asyncio.create_task(stream.push(noise(30, 0.01)))
    await asyncio.sleep(0)
    push.cancel()
    with pytest.raises(asyncio.CancelledError):
        await push
    assert len(await stream.push(noise(0.1, 0.01))) == 3


async def test_warms_up_and_closes():
    model = silero.SileroVoiceActivity()
    await model.warm_up()
    await model.close()


@pytest.mark.parametrize("before", [None, "3"])
def test_leaves_the_environment_as_it_was(monkeypatch, before):
    monkeypatch.delenv("OMP_THREAD_LIMIT", raising=False)
    if before:
        monkeypatch.setenv("OMP_THREAD_LIMIT", before)
    importlib.reload(silero)
    assert os.environ.get("OMP_THREAD_LIMIT") == before
