"""A session of hundreds of turns keeps what its limits say, and no more: what grows is counted, object by object."""

import asyncio
import base64
import gc
import json
from collections import Counter, deque

import numpy as np
import pytest

from tests.engine import fakes
from vivavoce.engine import Engine
from vivavoce.engine.profiles import Loaded
from vivavoce.engine.session import conversation
from vivavoce.engine.session.conversation import Entry, Part

FRAME = 960
ITEMS, AUDIO_S = 20, 6
ANSWER_S = 0.6
"""An answer; like the item itself, its audio may be there until the next question is."""


@pytest.fixture
async def session(monkeypatch):
    """A session with limits that are reached after some ten turns."""
    monkeypatch.setattr(conversation, "ITEMS_KEPT", ITEMS)
    monkeypatch.setattr(conversation, "AUDIO_KEPT_S", AUDIO_S)

    async def load(report):
        models = fakes.models("It is. ", "Yes.")
        models.language_model.prompts = models.language_model.prepared = deque(maxlen=1)
        return Loaded(models, {}, 2000, close)

    async def close():
        return

    async with Engine(load=load) as engine:
        yield engine.connect()


def frames(seconds, amplitude):
    """Return audio as events: speech is what is loud."""
    noise = np.random.default_rng(1).uniform(-amplitude, amplitude, int(seconds * 24_000))
    pcm = (noise * 32767).astype("<i2")
    return [
        json.dumps(
            {
                "type": "input_audio_buffer.append",
                "audio": base64.b64encode(pcm[start : start + FRAME].tobytes()).decode(),
            }
        )
        for start in range(0, len(pcm), FRAME)
    ]


SPOKEN = frames(0.3, 0.5) + frames(0.6, 0.0)


async def talk(session, turns):
    for _ in range(turns):
        for frame in SPOKEN:
            await session.send(frame)
        while json.loads(await session.receive())["type"] != "response.done":
            pass


def census():
    """Count the objects of ours that are alive, by their type."""
    gc.collect()
    kinds = (type(thing) for thing in gc.get_objects())
    return Counter(kind.__qualname__ for kind in kinds if str(kind.__module__).startswith("vivavoce."))


async def test_hundreds_of_turns_leave_no_more_behind_than_dozens(session):
    async with asyncio.timeout(50):
        await talk(session, 40)
        before, tasks = census(), len(asyncio.all_tasks())
        await talk(session, 260)
    after = census()
    grown = {kind: (before[kind], count) for kind, count in after.items() if count > before[kind] + 2}
    assert grown == {}
    assert len(asyncio.all_tasks()) <= tasks + 1


async def test_the_limits_of_a_conversation_are_those_that_hold(session):
    async with asyncio.timeout(20):
        await talk(session, 40)
    kept = session._machine._conversation
    assert ITEMS <= len(kept) <= ITEMS + 1
    audio = sum(len(pcm) for entry in kept for part in entry.parts for pcm in part.audio)
    assert 0 < audio <= (AUDIO_S + ANSWER_S) * 24_000
    assert sum(map(len, (entry.text for entry in kept))) > 0


def test_the_census_sees_what_is_kept():
    kept = [Entry("item_1", "message", parts=[Part("input_text")])]
    assert census()["Entry"] >= len(kept)
