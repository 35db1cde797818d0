"""What a way to a peer is made of; `test_restart` has the calls that go on over another."""

import asyncio

import pytest
from aiortc import RTCConfiguration, RTCIceGatherer, RTCIceTransport, RTCPeerConnection
from aiortc.sdp import SessionDescription

from vivavoce.webrtc.reach import Reach
from vivavoce.webrtc.way import Way, answers, ice_transports, shut


@pytest.fixture(autouse=True)
def only_this_machine(monkeypatch):
    monkeypatch.setattr(
        "aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"] if use_ipv4 else []
    )


@pytest.fixture
async def transport():
    transport = RTCIceTransport(RTCIceGatherer([]))
    yield transport
    await transport.stop()


async def test_aiortc_keeps_in_private_what_is_reached_for(transport):
    """Where this fails, `vivavoce.webrtc.way` has to be looked at anew."""
    connection = transport._connection
    assert transport.iceGatherer._connection is connection
    assert (transport._recv, transport._send) == (connection.recv, connection.send)
    assert isinstance(connection._queue, asyncio.Queue)
    assert (connection._event_waiter, connection._query_consent_task) == (None, None)
    assert (connection._closing, connection._nominated) == (False, {})


class TestTransports:
    async def test_speech_and_data_share_one_where_both_sides_agree(self):
        caller, called = RTCPeerConnection(), RTCPeerConnection()
        caller.addTransceiver("audio")
        caller.createDataChannel("events")
        await caller.setLocalDescription(await caller.createOffer())
        assert len(ice_transports(caller)) == 2
        await called.setRemoteDescription(caller.localDescription)
        assert len(ice_transports(called)) == 1
        for peer in (caller, called):
            await peer.close()

    async def test_a_peer_with_nothing_to_carry_has_none(self):
        peer = RTCPeerConnection()
        assert ice_transports(peer) == set()
        await peer.close()


class TestAnswers:
    async def test_where_nobody_was_found_yet_nobody_is_asked(self, transport):
        assert not await answers(transport)


class TestDescribed:
    async def test_it_is_a_later_version_of_the_same_call_over_other_addresses(self, transport):
        peer = RTCPeerConnection()
        peer.addTransceiver("audio")
        peer.createDataChannel("events")
        await peer.setLocalDescription(await peer.createOffer())
        before = SessionDescription.parse(peer.localDescription.sdp)
        way = Way(transport, RTCConfiguration())
        await way.gather()
        now = SessionDescription.parse(way.described(peer.localDescription.sdp))
        await way.close()
        await peer.close()

        def version(description):
            return int(description.origin.split(" ")[2])

        assert version(now) == version(before) + 1
        assert [(one.kind, one.rtp.muxId) for one in now.media] == [
            (one.kind, one.rtp.muxId) for one in before.media
        ]
        assert [one.dtls for one in now.media] == [one.dtls for one in before.media]
        names, old_names = ({one.ice.usernameFragment for one in each.media} for each in (now, before))
        assert len(names) == 1
        assert not names & old_names
        ports, old_ports = ({one.port for one in each.media} for each in (now, before))
        assert not ports & old_ports
        assert all(candidate.port in ports for one in now.media for candidate in one.ice_candidates)


class TestMeeting:
    async def test_a_candidate_that_is_none_is_refused(self, transport):
        way = Way(transport, RTCConfiguration())
        with pytest.raises(ValueError, match="not have enough"):
            await way.meet(Reach("anew", "x" * 22, ("no candidate",)))
        await way.close()


class TestShut:
    async def test_what_takes_itself_for_closed_is_closed(self):
        transport = RTCIceTransport(RTCIceGatherer([]))
        await transport.iceGatherer.gather()
        (protocol,) = transport._connection._protocols
        transport._RTCIceTransport__state = "closed"  # as after a `stop` that was broken off
        await shut(transport)
        assert protocol.transport.is_closing()
