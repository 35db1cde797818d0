"""Opus packets of a peer, in their order, as what is heard. Pure.

Time goes on as the peer's does: what was lost on the way is made up for as well as Opus can, and while a peer sends
nothing, because it has nothing to say, there is silence; or no time, for a listener who only wants what is said.
"""

from dataclasses import dataclass

import numpy as np

from vivavoce.audio.pcm import Pcm
from vivavoce.webrtc.opus import CLOCK, OpusDecoder
from vivavoce.webrtc.playout import FRAME_SAMPLES, RATE

__all__ = ["MOST_MISSED_SECONDS", "Ear", "Packet"]

MOST_MISSED_SECONDS = 2.0
"""No silence is longer than this, however long nothing came."""

GUESSED = 5
"""Packets in a row that are guessed at: what libopus goes on with has faded after some 100 ms."""

_WRAP = 1 << 32
"""Times begin anew here (RFC 3550, 5.1)."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet of RTP: its number, which does not begin anew at 65,536, its time in ticks of `CLOCK`, its payload."""

    number: int
    timestamp: int
    data: bytes


class Ear:
    """Hears one peer, at `RATE`; without ``pauses``, only what it sends. Raises `OSError` where there is no libopus."""

    def __init__(self, *, pauses: bool = True) -> None:
        self._pauses = pauses
        self._decoder = OpusDecoder(RATE)
        self._last: int | None = None
        self._expected = 0
        self._frame = FRAME_SAMPLES
        """Samples of the last packet: those that were lost had as many."""

    def hear(self, packet: Packet) -> Pcm:
        """Return what is heard from the end of the last packet to the end of this one, which was sent later."""
        missed = self._missed(packet)
        try:
            said = self._decoder.decode(packet.data)
        except ValueError:
            said = self._decoder.guess(self._frame)
        self._last = packet.number
        self._frame = len(said)
        self._expected = packet.timestamp + len(said) * CLOCK // RATE
        return np.concatenate([*missed, said])

    def _missed(self, packet: Packet) -> list[Pcm]:
        """Return what was not heard before a packet."""
        if self._last is None:
            return []
        ticks = (packet.timestamp - self._expected) % _WRAP
        samples = 0 if ticks >= _WRAP // 2 else ticks * RATE // CLOCK
        lost = max(0, packet.number - self._last - 1)
        if not self._pauses:
            samples = min(samples, lost * self._frame)
        guessed = min(lost, GUESSED, samples // self._frame)
        silence = np.zeros(min(samples - guessed * self._frame, round(MOST_MISSED_SECONDS * RATE)), np.int16)
        if not guessed:
            return [silence]
        guesses = [self._decoder.guess(self._frame) for _ in range(guessed - 1)]
        return [*guesses, silence, self._decoder.before(packet.data, self._frame)]
