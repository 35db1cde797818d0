import asyncio
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.webrtc.door import UdpDoor, fragment, without_candidates

from .test_leg import Peer, tone, until


def stun(username, kind=1, cookie=b"\x21\x12\xa4\x42"):
    attribute = struct.pack("!HH", 0x8022, 3) + b"abc\0" + struct.pack("!HH", 6, len(username)) + username
    attribute += b"\0" * (-len(username) % 4)
    return struct.pack("!HH", kind, len(attribute)) + cookie + b"t" * 12 + attribute


class TestFragment:
    def test_is_the_first_half_of_the_name(self):
        assert fragment(stun(b"abcd:efgh")) == "abcd"
        assert fragment(stun(b"abcd")) == "abcd"

    @pytest.mark.parametrize(
        "packet",
        [
            b"",
            b"\x80\x60" * 20,
            stun(b"abcd:efgh", kind=0x0101),
            stun(b"a:b", cookie=b"xxxx"),
            stun(b"")[:20],
        ],
    )
    def test_other_packets_have_none(self, packet):
        assert fragment(packet) is None

    @given(st.binary(max_size=80), st.integers(0, 60))
    def test_no_packet_is_too_odd(self, noise, cut):
        fragment(noise)
        fragment(stun(b"abcd:efgh")[:cut] + noise)


def test_an_offer_without_addresses_is_the_same_otherwise():
    offer = "v=0\r\na=candidate:1 1 udp 1 1.2.3.4 5 typ host\r\na=end-of-candidates\r\na=mid:0\r\n"
    assert without_candidates(offer) == "v=0\r\na=mid:0\r\n"


@pytest.fixture
async def door():
    door = await UdpDoor.open("127.0.0.1", 0, "127.0.0.1")
    yield door
    await door.close()


async def call(door):
    caller, called = Peer(), Peer()
    answer = await called.leg.answer(without_candidates(await caller.leg.offer()))
    shown = door.admit(answer)
    await caller.leg.accept(shown)
    return caller, called, answer, shown


async def test_many_calls_come_through_one_port(door):
    calls = [await call(door) for _ in range(4)]
    for number, (caller, called, _, shown) in enumerate(calls):
        addresses = {tuple(line.split(" ")[4:6]) for line in shown.splitlines() if "a=candidate" in line}
        assert addresses == {("127.0.0.1", str(door.port))}
        await caller.leg.send(f"to {number}")
        assert await called.told.get() == f"to {number}"
        await called.leg.send(f"from {number}")
        assert await caller.told.get() == f"from {number}"
    caller, called, _, _ = calls[0]
    caller.say(tone(10))
    await until(lambda: sum(map(len, called.heard)) > 2400)
    for caller, called, answer, _ in calls:
        await caller.leg.close()
        await called.leg.close()
        door.forget(answer)
    assert (door._calls, door._callers) == ({}, {})


async def test_who_is_for_nobody_gets_nothing(door):
    received = asyncio.Queue()

    class Stranger(asyncio.DatagramProtocol):
        def datagram_received(self, data, address):
            received.put_nowait(data)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Stranger, remote_addr=("127.0.0.1", door.port)
    )
    caller, called, answer, _ = await call(door)
    for packet in (b"hello", stun(b"nobody:me"), b"\x80" * 100):
        transport.sendto(packet)
    await caller.leg.send("still here")
    assert await called.told.get() == "still here"
    assert received.empty()
    assert len(door._callers) == 1
    transport.close()
    for peer in (caller, called):
        await peer.leg.close()
    door.forget(answer)


async def test_one_call_comes_from_no_more_addresses_than_it_needs(door):
    caller, called, answer, _ = await call(door)
    name = next(iter(door._calls))
    for port in range(20_000, 20_100):
        door.datagram_received(stun(f"{name}:x".encode()), ("127.0.0.1", port))
    assert len(door._callers) <= 8
    for peer in (caller, called):
        await peer.leg.close()
    door.forget(answer)


class Mailbox(asyncio.DatagramProtocol):
    """A socket of this machine, and what came to it."""

    @classmethod
    async def open(cls, to=None):
        loop = asyncio.get_running_loop()
        local = None if to else ("127.0.0.1", 0)
        _, box = await loop.create_datagram_endpoint(cls, local_addr=local, remote_addr=to)
        return box

    def connection_made(self, transport):
        self.transport, self.got = transport, asyncio.Queue()

    def datagram_received(self, data, address):
        self.got.put_nowait(data)

    def answer(self, name):
        """Return what a peer behind this socket answers."""
        port = self.transport.get_extra_info("sockname")[1]
        return f"a=ice-ufrag:{name}\r\na=candidate:1 1 udp 1 127.0.0.1 {port} typ host\r\n"


@pytest.fixture
async def boxes(door):
    """Two peers behind the door, of the names ``one`` and ``two``, and a caller before it."""
    boxes = [await Mailbox.open(), await Mailbox.open(), await Mailbox.open(("127.0.0.1", door.port))]
    for box, name in zip(boxes, ("one", "two"), strict=False):
        door.admit(box.answer(name))
    yield boxes
    for box in boxes:
        box.transport.close()


async def test_a_caller_reaches_whom_it_asks_for_last(door, boxes):
    one, two, caller = boxes
    for peer, name in ((one, b"one"), (two, b"two"), (one, b"one")):
        for packet in (stun(name + b":x"), b"\x80 speech for " + name):
            caller.transport.sendto(packet)
            assert await peer.got.get() == packet
    door.forget(two.answer("two"))
    caller.transport.sendto(b"\x80 more")
    assert await one.got.get() == b"\x80 more"
    assert one.got.empty()
    assert two.got.empty()


async def test_a_way_that_is_closed_before_it_is_open_is_closed(door, boxes):
    (one, *_) = boxes
    for port in range(20_000, 20_005):
        door.datagram_received(stun(b"one:x"), ("127.0.0.1", port))
    paths = list(door._callers.values())
    door.forget(one.answer("one"))
    await asyncio.gather(*door._opening)
    assert [path._transport.is_closing() for path in paths] == [True] * 5
    assert one.got.empty()


async def test_a_port_that_is_taken_is_told(door):
    with pytest.raises(OSError, match="in use"):
        await UdpDoor.open("127.0.0.1", door.port, "127.0.0.1")
