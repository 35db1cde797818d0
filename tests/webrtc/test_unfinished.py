import inspect

import pytest
from aiortc.rtcsctptransport import (
    SCTP_DATA_FIRST_FRAG,
    SCTP_DATA_LAST_FRAG,
    DataChunk,
    InboundStream,
    RTCSctpTransport,
)

from vivavoce.webrtc.unfinished import MOST_BEYOND, MOST_FRAGMENTS, MOST_STREAMS

from .test_leg import Peer, connected

WHOLE = SCTP_DATA_FIRST_FRAG | SCTP_DATA_LAST_FRAG


@pytest.fixture
async def sctp():
    """What takes the fragments of a connected peer; ``ended`` is why its leg is over."""
    caller, called = Peer(), Peer()
    await connected(caller, called)
    await caller.leg.send("hello")
    await called.told.get()
    sctp = called.leg._peer.sctp
    sctp.ended = called.leg._ended
    yield sctp
    for peer in (caller, called):
        await peer.leg.close()


async def pour(sctp, count, size=1200, *, flags=0, streams=1, gap=1):
    """Take fragments in which nothing ends, until the leg does."""
    first = sctp._last_received_tsn
    for number in range(count):
        chunk = DataChunk(flags=flags if number else flags | SCTP_DATA_FIRST_FRAG)
        chunk.tsn = first + gap + number
        chunk.stream_id, chunk.stream_seq, chunk.protocol = 1 + number % streams, 1, 51
        chunk.user_data = bytes(size)
        await sctp._receive_chunk(chunk)
        if sctp.ended.done():
            return number + 1
    return None


def held(sctp):
    return [chunk for stream in sctp._inbound_streams.values() for chunk in stream.reassembly]


async def test_aiortc_keeps_in_private_what_is_reached_for():
    """Where this fails, `vivavoce.webrtc.unfinished` has to be looked at anew."""
    peer = Peer()
    await peer.leg.offer()
    sctp = peer.leg._peer.sctp
    assert inspect.iscoroutinefunction(RTCSctpTransport._receive_data_chunk)
    assert sctp._advertised_rwnd == 2**20
    assert (sctp._inbound_streams, sctp._sack_misordered) == ({}, set())
    assert InboundStream().reassembly == []
    await peer.leg.close()


async def test_a_message_that_does_not_end_ends_the_call(sctp):
    assert await pour(sctp, 4000)
    assert sctp.ended.result().code == 1009
    kept = len(held(sctp))
    assert kept * 1200 <= 2**20 + MOST_BEYOND + 1200
    await pour(sctp, 100)
    assert len(held(sctp)) == kept


@pytest.mark.parametrize(
    "fragments",
    [
        pytest.param({"size": 1}, id="in the smallest fragments"),
        pytest.param({"size": 1, "flags": WHOLE, "gap": 2}, id="behind one that never comes"),
    ],
)
async def test_neither_may_it_be_many_small_ones(sctp, fragments):
    assert await pour(sctp, 2 * MOST_FRAGMENTS, **fragments) <= MOST_FRAGMENTS + 1


async def test_nor_many_streams(sctp):
    assert await pour(sctp, 2 * MOST_STREAMS, streams=2 * MOST_STREAMS) <= MOST_STREAMS + 1


async def test_what_ends_may_be_as_much_as_it_likes(sctp):
    assert await pour(sctp, 4000, flags=WHOLE) is None
