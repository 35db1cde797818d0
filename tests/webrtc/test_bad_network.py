"""Two peers on a bad network."""

import asyncio

import numpy as np
import pytest

from benchmarks.lossy import BadNetwork
from vivavoce.webrtc.door import without_candidates
from vivavoce.webrtc.playout import FRAME_SAMPLES

from .test_leg import Peer, tone, until


@pytest.fixture
async def apart():
    """Return a function that connects two peers by a network of these properties."""
    networks, peers = [], []

    async def connect(**properties):
        network = BadNetwork(**properties)
        networks.append(network)
        caller, called = Peer(), Peer()
        peers.extend((caller, called))
        answer = await called.leg.answer(without_candidates(await caller.leg.offer()))
        await caller.leg.accept(await network.between(answer))
        return network, caller, called

    yield connect
    for peer in peers:
        await peer.leg.close()
    for network in networks:
        network.close()


async def test_events_arrive_whole_and_in_order(apart):
    network, caller, called = await apart(delay=0.1, jitter=0.03, loss=0.05)
    texts = [f"{number} " + "x" * 2000 for number in range(40)]
    for text in texts:
        await caller.leg.send(text)
    async with asyncio.timeout(40):
        assert [await called.told.get() for _ in texts] == texts
    assert network.lost > 0


async def test_speech_keeps_its_length_and_most_of_what_it_says(apart):
    network, caller, called = await apart(delay=0.1, jitter=0.03, loss=0.05)
    await caller.leg.send("hello")
    await called.told.get()
    frames = 250  # five seconds
    caller.say(tone(frames))
    await until(lambda: not caller.frames)
    await asyncio.sleep(1)  # for the last of it to arrive
    heard = np.concatenate(called.heard)
    # Who speaks late, because the machine has other things to do, is heard to be silent meanwhile: there may be more.
    assert len(heard) > 0.95 * frames * FRAME_SAMPLES
    assert 0.85 < (np.abs(heard) > 100).sum() / (frames * FRAME_SAMPLES) < 1.05
    assert network.lost > 5


async def test_a_cut_of_two_seconds_is_survived(apart):
    network, caller, called = await apart(delay=0.02)
    await caller.leg.send("before")
    assert await called.told.get() == "before"
    network.cut = True
    await caller.leg.send("during")
    await asyncio.sleep(2)
    network.cut = False
    async with asyncio.timeout(40):
        assert await called.told.get() == "during"
        await called.leg.send("after")
        assert await caller.told.get() == "after"
