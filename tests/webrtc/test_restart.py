"""Calls that go on over another way."""

import asyncio
import gc
from itertools import chain

import numpy as np
import pytest

from benchmarks.lossy import BadNetwork
from vivavoce.errors import ConnectionFailed, ProtocolError
from vivavoce.webrtc import way as module
from vivavoce.webrtc.door import without_candidates

from .test_leg import Peer, tone, until


class Roads:
    """Two peers, and the networks between them, one for each answer."""

    def __init__(self):
        self.caller, self.called = Peer(), Peer()
        self.networks, self.outcomes = [], asyncio.Queue()

    async def exchange(self, offer):
        answer = await self.called.leg.answer_restart(without_candidates(offer), self.outcomes.put_nowait)
        return await self.through(answer)

    async def through(self, answer):
        self.networks.append(BadNetwork())
        return await self.networks[-1].between(answer)

    async def connect(self):
        offer = without_candidates(await self.caller.leg.offer())
        await self.caller.leg.accept(await self.through(await self.called.leg.answer(offer)))
        await self.talk("first")

    async def talk(self, word):
        for speaker, listener in ((self.caller, self.called), (self.called, self.caller)):
            await speaker.leg.send(word)
            async with asyncio.timeout(20):
                assert await listener.told.get() == word

    async def speak(self):
        for speaker, listener in ((self.caller, self.called), (self.called, self.caller)):
            listener.heard.clear()
            speaker.say(tone(25))
            await until(lambda listener=listener: np.abs([0, *chain(*listener.heard)]).max() > 4000)


@pytest.fixture
async def roads(monkeypatch):
    monkeypatch.setattr(module, "LINGER_SECONDS", 0.05)
    roads = Roads()
    await roads.connect()
    yield roads
    for peer in (roads.caller, roads.called):
        await peer.leg.close()
    for network in roads.networks:
        network.close()


def transports():
    """Return what is open of peers and their connections on this machine."""
    gc.collect()
    protocols = [one for one in gc.get_objects() if type(one).__name__ == "StunProtocol"]
    return [one for one in protocols if not one.transport.is_closing()]


async def test_goes_on_where_the_old_way_is_dead_for_ever(roads):
    await roads.speak()
    roads.networks[0].cut = True
    roads.caller.say(tone(25))
    await until(lambda: roads.networks[0].lost)
    assert await roads.caller.leg.restart(roads.exchange)
    assert await roads.outcomes.get()
    await roads.talk("second")
    await roads.speak()
    assert roads.networks[1].carried


async def test_what_was_said_while_the_way_was_broken_arrives(roads):
    roads.networks[0].cut = True
    for number in range(20):
        await roads.caller.leg.send(f"up {number}")
        await roads.called.leg.send(f"down {number}")
    assert await roads.caller.leg.restart(roads.exchange)
    async with asyncio.timeout(30):
        assert [await roads.called.told.get() for _ in range(20)] == [f"up {number}" for number in range(20)]
        assert [await roads.caller.told.get() for _ in range(20)] == [
            f"down {number}" for number in range(20)
        ]


async def test_the_old_way_is_let_go_of(roads):
    before = len(transports())
    for round_ in range(3):
        assert await roads.caller.leg.restart(roads.exchange)
        assert await roads.outcomes.get()
        await roads.talk(f"round {round_}")
    assert len(transports()) == before
    await roads.caller.leg.close()
    await roads.called.leg.close()
    assert not transports()


async def test_where_the_peer_is_not_found_the_call_is_as_it_was(roads, monkeypatch):
    monkeypatch.setattr(module, "SEARCH_SECONDS", 0.2)
    before = len(transports())

    async def into_the_void(offer):
        answer = await roads.exchange(offer)
        roads.networks[-1].cut = True
        return answer

    assert not await roads.caller.leg.restart(into_the_void)
    assert not await roads.outcomes.get()
    assert len(transports()) == before
    await roads.talk("still there")
    monkeypatch.undo()
    assert await roads.caller.leg.restart(roads.exchange)
    await roads.talk("and again")


async def test_a_peer_that_begins_anew_has_given_up_what_it_began(roads):
    async def keep(offer):
        await roads.exchange(offer)
        raise ConnectionFailed("the answer was lost")

    with pytest.raises(ConnectionFailed, match="lost"):
        await roads.caller.leg.restart(keep)
    assert await roads.caller.leg.restart(roads.exchange)
    assert [await roads.outcomes.get() for _ in range(2)] == [False, True]
    await roads.talk("second")


async def test_a_way_that_was_taken_is_in_use_even_where_the_peer_looks_for_another_at_once(
    roads, monkeypatch
):
    monkeypatch.setattr(module, "LINGER_SECONDS", 600)
    restarting = asyncio.create_task(roads.caller.leg.restart(roads.exchange))
    carriers = [peer.leg._restarts._transport() for peer in (roads.caller, roads.called)]
    before = [carrier._connection for carrier in carriers]
    await until(lambda: all(one._connection is not was for one, was in zip(carriers, before, strict=True)))
    restarting.cancel()
    await asyncio.gather(restarting, return_exceptions=True)
    monkeypatch.setattr(module, "SEARCH_SECONDS", 0.2)

    async def into_the_void(offer):
        answer = await roads.exchange(offer)
        roads.networks[-1].cut = True
        return answer

    assert not await roads.caller.leg.restart(into_the_void)
    assert [await roads.outcomes.get() for _ in range(2)] == [True, False]
    await roads.talk("over the way that was taken")


async def test_a_call_that_ends_while_it_looks_for_a_way_leaves_nothing(roads):
    roads.networks[0].cut = True

    async def into_the_void(offer):
        answer = await roads.exchange(offer)
        roads.networks[-1].cut = True
        return answer

    restarting = asyncio.create_task(roads.caller.leg.restart(into_the_void))
    await until(lambda: len(roads.networks) == 2)
    await roads.called.leg.close()
    assert not await roads.outcomes.get()
    restarting.cancel()
    await asyncio.gather(restarting, return_exceptions=True)
    await roads.caller.leg.close()
    assert not transports()


class TestAnswers:
    async def test_says_whether_the_peer_is_there(self, roads):
        assert await roads.caller.leg.answers()
        roads.networks[0].cut = True
        assert not await roads.caller.leg.answers()


class TestRefusing:
    @pytest.fixture
    async def offer(self, roads):
        """An offer of another way, which was not given to anybody."""
        offers = []

        async def keep(offer):
            offers.append(offer)
            raise ConnectionFailed("kept")

        with pytest.raises(ConnectionFailed):
            await roads.caller.leg.restart(keep)
        return offers[0]

    @pytest.mark.parametrize(
        ("found", "instead", "why"),
        [
            ("m=audio", "m=sound", "m=audio"),
            ("a=sendrecv", "a=recvonly", "media sections of before"),
            ("a=mid:1", "a=mid:2", "media sections of before"),
            ("a=ice-pwd:", "a=ice-pwd:?", "RFC 8839"),
            ("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 AA:", "fingerprints of before"),
            ("a=candidate:", "a=candidate:a b c d e f g h ", "ValueError|invalid literal"),
            ("v=0", "v=x", "no restart of this call"),
        ],
    )
    async def test_another_peer_or_call(self, roads, offer, found, instead, why):
        assert found in offer
        with pytest.raises(ProtocolError, match=why) as refused:
            await roads.called.leg.answer_restart(offer.replace(found, instead))
        assert (refused.value.code, refused.value.param) == ("invalid_offer", "sdp")
        await roads.talk("undisturbed")

    async def test_the_same_again(self, roads, offer):
        await roads.called.leg.answer_restart(offer)
        with pytest.raises(ProtocolError, match="another ice-ufrag"):
            await roads.called.leg.answer_restart(offer)

    async def test_somebody_else(self, roads):
        stranger = Peer()
        with pytest.raises(ProtocolError, match="fingerprints of before"):
            await roads.called.leg.answer_restart(await stranger.leg.offer())
        await stranger.leg.close()

    async def test_a_call_that_is_not_connected(self):
        caller, called = Peer(), Peer()
        offer = await caller.leg.offer()
        await called.leg.answer(without_candidates(offer))
        fragment = offer.partition("a=ice-ufrag:")[2][:4]
        with pytest.raises(ProtocolError, match=r"this one is (new|checking)") as refused:
            await called.leg.answer_restart(offer.replace(f"ufrag:{fragment}", "ufrag:anew"))
        assert refused.value.code == "call_not_connected"
        for peer in (caller, called):
            await peer.leg.close()
        with pytest.raises(ProtocolError, match="this one is closed"):
            await called.leg.answer_restart(offer.replace(f"ufrag:{fragment}", "ufrag:anew"))
