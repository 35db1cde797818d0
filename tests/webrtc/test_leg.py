import asyncio
import contextlib
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vivavoce.errors import ConnectionFailed, ConnectionLost, ProtocolError
from vivavoce.webrtc import leg as module
from vivavoce.webrtc.door import without_candidates
from vivavoce.webrtc.leg import Leg, advertised
from vivavoce.webrtc.playout import FRAME_SAMPLES, RATE


class Peer:
    """A leg, and what came over it."""

    def __init__(self, frames=()):
        self.frames = list(frames)
        self.heard, self.told = [], asyncio.Queue()
        self.leg = Leg(self._next, self.heard.append, self.told.put_nowait)

    def _next(self):
        return self.frames.pop(0) if self.frames else None

    def say(self, frames):
        self.frames += frames
        self.leg.wake()


async def connected(*peers):
    caller, called = peers
    await caller.leg.accept(await called.leg.answer(await caller.leg.offer()))


@pytest.fixture
async def pair():
    peers = Peer(), Peer()
    await connected(*peers)
    yield peers
    for peer in peers:
        await peer.leg.close()


def tone(frames):
    at = np.arange(frames * FRAME_SAMPLES) / RATE
    return np.split((8000 * np.sin(2 * np.pi * 440 * at)).astype(np.int16), frames)


def only(codec, offer):
    """Return an offer that knows no other codec for speech."""
    numbers = dict(re.findall(r"a=rtpmap:(\d+) (\S+)\r\n", offer))
    others = "|".join(number for number, name in numbers.items() if name not in {codec, f"{codec}/1"})
    offer = re.sub(rf"a=(rtpmap|fmtp|rtcp-fb):({others}) .*\r\n", "", offer)
    return re.sub(r"(m=audio \d+ \S+)(.*)", lambda m: m[1] + re.sub(rf" ({others})\b", "", m[2]), offer)


async def says_440_hz(speaker, listener):
    """Let one speak, and find what the other heard as clear as it was spoken."""
    speaker.say(tone(25))
    await until(lambda: sum(map(len, listener.heard)) >= 25 * FRAME_SAMPLES)
    heard = np.concatenate(listener.heard).astype(float)
    spectrum = np.abs(np.fft.rfft(heard)) ** 2
    frequency = np.arange(len(spectrum)) * RATE / len(heard)
    assert spectrum[abs(frequency - 440) < 20].sum() > 0.9 * spectrum.sum()


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - media has no event
            await asyncio.sleep(0.01)


class TestNames:
    """Browsers hide their addresses behind names that only their own network knows (mDNS)."""

    NAME = "5a1e3e2c-7d0d-4f0a-9f1e-2b9f0c6d7e8f.local"

    @pytest.fixture
    def network(self, monkeypatch):
        """What the network knows, and what it was asked for."""

        class Network(dict):
            asked = ()

            async def resolve(self, name):
                self.asked = (*self.asked, name)
                return self.get(name)

        network = Network()

        async def join(_):
            return network

        monkeypatch.setattr("aioice.ice.get_or_create_mdns_protocol", join)
        return network

    async def call(self, hide_answer):
        """Let a caller call that names itself; where the answer hides, only the called one knows whom to look for."""
        caller, called = Peer(), Peer()
        offer = await caller.leg.offer()
        answer = await called.leg.answer(advertised(offer, self.NAME))
        await caller.leg.accept(without_candidates(answer) if hide_answer else answer)
        await called.leg.send("found")
        async with asyncio.timeout(20):
            assert await caller.told.get() == "found"
        for peer in (caller, called):
            await peer.leg.close()

    async def test_who_has_a_name_is_found_under_it(self, network):
        network[self.NAME] = "127.0.0.1"
        await self.call(hide_answer=True)
        assert set(network.asked) == {self.NAME}

    async def test_whose_name_nobody_knows_finds_the_way_alone(self, network):
        await self.call(hide_answer=False)
        assert set(network.asked) == {self.NAME}


class TestCarrying:
    async def test_messages_both_ways_in_order_and_whole(self, pair):
        caller, called = pair
        texts = ["one", "two", "ä" * 100_000]
        for text in texts:
            await caller.leg.send(text)
            await called.leg.send(text.encode())
        assert [await called.told.get() for _ in texts] == texts
        assert [await caller.told.get() for _ in texts] == texts

    async def test_a_message_that_the_peer_cannot_take_is_refused(self, pair):
        with pytest.raises(ProtocolError, match="too large") as refused:
            await pair[0].leg.send("x" * 300_000)
        assert refused.value.code == "message_too_large"
        await pair[0].leg.send("still there")
        assert await pair[1].told.get() == "still there"

    async def test_speech_both_ways(self, pair):
        caller, called = pair
        await says_440_hz(caller, called)
        await says_440_hz(called, caller)

    @pytest.mark.parametrize("codec", ["PCMU/8000", "PCMA/8000", "G722/8000"])
    async def test_speech_both_ways_with_a_telephone(self, codec):
        caller, called = peers = Peer(), Peer()
        answer = await called.leg.answer(only(codec, await caller.leg.offer()))
        assert f" {codec}\r\n" in answer
        assert "opus" not in answer
        await caller.leg.accept(answer)
        await says_440_hz(caller, called)
        await says_440_hz(called, caller)
        for peer in peers:
            await peer.leg.close()


class Voice(Leg):
    """A leg that offers speech alone, as a page does whose events take another way."""

    async def offer(self):
        self._mute = True
        self._peer.addTrack(self._speech)
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return self._peer.localDescription.sdp


@pytest.fixture
async def without_events():
    caller, called = Peer(), Peer()
    caller.leg = Voice(caller._next, caller.heard.append, caller.told.put_nowait)
    await connected(caller, called)
    yield caller, called
    for peer in (caller, called):
        await peer.leg.close()


class TestSpeechAlone:
    async def test_is_carried_both_ways(self, without_events):
        caller, called = without_events
        await says_440_hz(caller, called)
        await says_440_hz(called, caller)

    async def test_messages_go_to_nobody(self, without_events):
        caller, called = without_events
        await called.leg.send("unheard")
        assert caller.told.empty()

    async def test_the_other_side_learns_that_the_peer_has_gone(self, without_events):
        caller, called = without_events
        await called.leg.opened()
        await caller.leg.close()
        assert (await called.leg.ended()).code == 1006


class TestEnding:
    async def test_the_other_side_learns_that_one_has_gone(self, pair):
        caller, called = pair
        await caller.leg.send("hello")
        await called.told.get()
        await caller.leg.close()
        assert (await called.leg.ended()).code == 1000
        with pytest.raises(ConnectionLost):
            await called.leg.send("too late")

    async def test_closing_twice_does_nothing_more(self, pair):
        for _ in range(2):
            await pair[0].leg.close(1001, "enough")
        assert (await pair[0].leg.ended()).reason == "enough"

    async def test_gives_up_on_a_peer_that_never_comes(self, monkeypatch):
        monkeypatch.setattr(module, "CONNECT_SECONDS", 0.05)
        caller, called = Peer(), Peer()
        await called.leg.answer(await caller.leg.offer())
        sending = asyncio.create_task(called.leg.send("hello"))
        assert "did not come about" in (await called.leg.ended()).reason
        with pytest.raises(ConnectionLost):
            await sending
        for peer in (caller, called):
            await peer.leg.close()


class TestErrorCorrection:
    """A peer repeats what was lost only where it was asked to (RFC 7587, 6.1: ``useinbandfec``)."""

    ASKED = re.compile(
        r"^a=rtpmap:(\d+) opus/48000/2\r\na=fmtp:\1 minptime=10;useinbandfec=1\r\n", re.MULTILINE
    )

    async def test_is_asked_for_on_both_sides(self):
        caller, called = Peer(), Peer()
        offer = await caller.leg.offer()
        answer = await called.leg.answer(offer)
        for sdp in (offer, answer):
            assert len(self.ASKED.findall(sdp)) == 1
        for peer in (caller, called):
            await peer.leg.close()


class TestOffers:
    @pytest.mark.parametrize(
        ("offer", "why"),
        [
            ("", "expected a section m=audio, got none"),
            ("v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n", "expected a section m=audio, got m=video"),
            ("m=audio 9 X 0\r\n" * 9, "at most 8 media sections, got 9"),
            ("m=audio" + "x" * 65_536, "at most 65536 characters"),
            ("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "no SDP offer that can be answered"),
            ("a=group:BUNDLE 1 0\r\nm=audio 9 X 0\r\na=mid:0\r\n", "BUNDLE to begin with a section, got 1"),
        ],
    )
    async def test_what_is_none_is_refused(self, offer, why):
        peer = Peer()
        with pytest.raises(ProtocolError, match=why) as refused:
            await peer.leg.answer(offer)
        assert (refused.value.code, refused.value.param) == ("invalid_offer", "sdp")
        await peer.leg.close()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 999), st.text(max_size=8)), max_size=6))
    def test_a_mutilated_offer_is_answered_or_refused(self, cuts):
        async def attempt():
            caller, called = Peer(), Peer()
            lines = (await caller.leg.offer()).splitlines()  # of other lengths each time
            for at, end, text in cuts:
                line = lines[at % len(lines)]
                lines[at % len(lines)] = line[: end % (len(line) + 1)] + text
            try:
                await called.leg.answer("\r\n".join(lines) + "\r\n")
            except ProtocolError:
                pass
            finally:
                for peer in (caller, called):
                    await peer.leg.close()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "ANSWER_SECONDS", 0.5)
            asyncio.run(asyncio.wait_for(attempt(), 20))

    @pytest.mark.parametrize("bundle", ["x 0 1", "x 0", "x 1"])
    async def test_a_bundle_that_begins_with_nothing_is_answered_or_refused(self, bundle):
        caller, called = Peer(), Peer()
        offer = (await caller.leg.offer()).replace("a=group:BUNDLE 0 1", f"a=group:BUNDLE {bundle}")
        with contextlib.suppress(ProtocolError):
            await called.leg.answer(offer)
        for peer in (caller, called):
            await peer.leg.close()

    async def test_an_answer_that_is_none_is_the_endpoints_fault(self):
        peer = Peer()
        await peer.leg.offer()
        with pytest.raises(ConnectionFailed, match="no SDP"):
            await peer.leg.accept("v=0")


def test_a_server_behind_a_nat_names_the_address_that_is_seen():
    sdp = (
        "a=candidate:1 1 udp 2130706431 10.0.0.5 50000 typ host\r\n"
        "a=candidate:2 1 udp 1694498815 1.2.3.4 50000 typ srflx raddr 10.0.0.5 rport 50000\r\n"
        "c=IN IP4 10.0.0.5\r\n"
    )
    assert advertised(sdp, "203.0.113.9") == sdp.replace(
        "10.0.0.5 50000 typ host", "203.0.113.9 50000 typ host"
    )
