"""Speech packets in their order, and none of them thrown away. Pure.

aiortc's own buffer for speech waits for what was lost, and drops what came instead: of every hundred packets with five
lost on the way, it lets seventy through, 280 ms late. This one waits for three packets, then goes on.
"""

import heapq
from collections.abc import Callable

from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.rtp import RtpPacket

from vivavoce.webrtc.ear import Packet

__all__ = ["HELD", "Reorder", "Take", "reorder"]

HELD = 3
"""Packets that are held back, of 20 ms each: what comes 60 ms late still finds its place."""

_WRAP = 1 << 16
"""Sequence numbers begin anew here (RFC 3550, 5.1)."""

FAR = 100
"""Packets: what is further away than two seconds is the beginning of something else."""


Take = Callable[[int, Packet], bool]
"""Is given the payload type and the packet, and tells whether it takes it; else aiortc decodes it."""


class Reorder:
    """In place of aiortc's jitter buffer: for each packet that comes, at most one goes."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._held: list[tuple[int, int, Packet]] = []
        self._newest: int | None = None
        self._gone: int | None = None
        """The last that went: what is older comes too late."""

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Take a packet; return whether a picture is to be asked for, which it never is, and what is next."""
        number = self._unwrapped(packet.sequence_number)
        if self._gone is not None and number <= self._gone:
            return False, None
        if all(number != held for held, _, _ in self._held):
            kept = Packet(number, packet.timestamp, _payload(packet))
            heapq.heappush(self._held, (number, packet.payload_type, kept))
        if len(self._held) <= HELD:
            return False, None
        self._gone, kind, kept = heapq.heappop(self._held)
        if self._take(kind, kept):
            return False, None
        return False, JitterFrame(data=kept.data, timestamp=kept.timestamp)

    def _unwrapped(self, number: int) -> int:
        """Return a number that goes on where sequence numbers begin anew."""
        if self._newest is None:
            self._newest = number
            return number
        near = self._newest + (number - self._newest + _WRAP // 2) % _WRAP - _WRAP // 2
        if abs(near - self._newest) > FAR:
            self._held.clear()
            self._gone = None
            self._newest = number
            return number
        self._newest = max(self._newest, near)
        return near


def reorder(receiver: RTCRtpReceiver, take: Take) -> None:
    """Let a receiver of speech have this buffer instead of its own."""
    name = "_RTCRtpReceiver__jitter_buffer"  # aiortc has no other way to choose it
    if not hasattr(receiver, name):
        raise RuntimeError("this version of aiortc keeps its jitter buffer elsewhere")
    setattr(receiver, name, Reorder(take))


def _payload(packet: RtpPacket) -> bytes:
    """Return what is in a packet, which aiortc has taken out of it before it asks."""
    data: bytes = vars(packet).get("_data", packet.payload)
    return data
