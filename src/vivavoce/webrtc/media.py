"""Speech to and from a peer, as aiortc's tracks have it."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from typing import Any

import av
import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from vivavoce.audio.pcm import Pcm
from vivavoce.webrtc.ear import MOST_MISSED_SECONDS, Ear, Packet
from vivavoce.webrtc.opus import CLOCK, OpusEncoder
from vivavoce.webrtc.playout import FRAME_SAMPLES, RATE

__all__ = ["Hearing", "SpokenTrack", "hear"]

_log = logging.getLogger(__name__)

FRAME_SECONDS = 0.02

LATE_SECONDS = 0.2
"""Who falls behind by more, because the machine was busy, does not catch up: the peer has played silence meanwhile."""

TAIL_FRAMES = 5
"""Frames of silence behind speech: receivers hold the last packets back until more have come."""

MOST_WAITING = 100
"""Packets: two seconds of them wait only where the whole event loop has stood still for so long."""

NextFrame = Callable[[], Pcm | None]


class SpokenTrack(MediaStreamTrack):
    """Speech for a peer, at its pace. While nothing is said nothing is sent, and nothing is computed.

    ``next_frame`` returns the 20 ms to be played now, or None; `wake` says that there is something again. It gives
    packets of Opus, with error correction, as long as `opus` says so; else frames, for aiortc to encode.
    """

    kind = "audio"

    def __init__(self, next_frame: NextFrame) -> None:
        super().__init__()
        self._next_frame = next_frame
        self.opus = True
        """Whether the peer takes Opus; old telephones take G.711 alone."""
        self._encoder = OpusEncoder(RATE)
        self._news = asyncio.Event()
        self._began: float | None = None
        self._due = 0.0
        self._tail = 0

    def wake(self) -> None:
        """Go on, if there was nothing to say."""
        self._news.set()

    async def recv(self) -> "av.Packet[Any] | av.AudioFrame":
        """Wait until the next 20 ms are due, and return them."""
        loop = asyncio.get_running_loop()
        if self._began is None:
            self._began = self._due = loop.time()
        while True:
            await asyncio.sleep(self._due - loop.time())
            self._news.clear()
            if self.readyState != "live":
                raise MediaStreamError
            pcm = self._frame()
            if pcm is not None:
                break
            await self._news.wait()
            self._due = max(self._due, loop.time())
        if loop.time() - self._due > LATE_SECONDS:
            self._due = loop.time()
        at = self._due - self._began
        self._due += FRAME_SECONDS
        return self._encoder.encode(pcm, round(at * CLOCK)) if self.opus else _frame(pcm, round(at * RATE))

    def _frame(self) -> Pcm | None:
        pcm = self._next_frame()
        if pcm is not None:
            self._tail = TAIL_FRAMES
        elif self._tail:
            self._tail -= 1
            pcm = np.zeros(FRAME_SAMPLES, np.int16)
        return pcm

    def stop(self) -> None:
        """End the track."""
        super().stop()
        self.wake()


class Hearing:
    """What a peer says in Opus, given to ``heard`` as PCM16 at 24 kHz. Where there is no libopus it takes nothing.

    ``pauses`` says whether its silence is heard too; see `Ear`.
    """

    def __init__(self, heard: Callable[[Pcm], None], *, pauses: bool = True) -> None:
        self.opus: frozenset[int] = frozenset()
        """The payload types that are Opus in this call."""
        self._heard = heard
        self._packets: asyncio.Queue[Packet] = asyncio.Queue(MOST_WAITING)
        self._ear: Ear | None = None
        try:
            self._ear = Ear(pauses=pauses)
        except OSError as error:
            _log.info("packets that are lost will be heard as silence: %s", error)

    def take(self, kind: int, packet: Packet) -> bool:
        """Take a packet if its payload type is Opus, and tell whether it is; see `reorder.Take`."""
        if self._ear is None or kind not in self.opus:
            return False
        with suppress(asyncio.QueueFull):
            self._packets.put_nowait(packet)
        return True

    async def listen(self) -> None:
        """Hear what was taken, until this is cancelled."""
        while self._ear is not None:
            self._heard(self._ear.hear(await self._packets.get()))


async def hear(track: MediaStreamTrack, heard: Callable[[Pcm], None], *, pauses: bool = True) -> None:
    """Give what aiortc has decoded of a peer to ``heard``, as PCM16 at 24 kHz, until it ends.

    What was lost on the way is silence, as are the peer's ``pauses``, which cannot be told from it.
    """
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    expected: int | None = None
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        if not isinstance(frame, av.AudioFrame):
            continue  # video, which nobody asked for
        if pauses and expected is not None and frame.pts is not None and frame.pts > expected:
            lost = min((frame.pts - expected) / frame.sample_rate, MOST_MISSED_SECONDS)
            heard(np.zeros(round(lost * RATE), np.int16))
        expected = None if frame.pts is None else frame.pts + frame.samples
        frame.pts = None  # the resampler would fill gaps by itself, without a limit
        for part in resampler.resample(frame):
            heard(part.to_ndarray()[0])


def _frame(pcm: Pcm, timestamp: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm).reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = RATE
    frame.pts = timestamp
    frame.time_base = Fraction(1, RATE)
    return frame
