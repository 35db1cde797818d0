"""Speech to and from a peer, as aiortc's tracks have it."""

import asyncio
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from vivavoce.audio.pcm import Pcm
from vivavoce.webrtc.opus import CLOCK, OpusEncoder
from vivavoce.webrtc.playout import FRAME_SAMPLES, RATE

__all__ = ["SpokenTrack", "hear"]

FRAME_SECONDS = 0.02

LATE_SECONDS = 0.2
"""Who falls behind by more, because the machine was busy, does not catch up: the peer has played silence meanwhile."""

TAIL_FRAMES = 5
"""Frames of silence behind speech: receivers hold the last packets back until more have come."""

MOST_LOST_SECONDS = 2.0
"""What was lost on the way is heard as silence, so that time goes on; but no longer than this at once."""

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


async def hear(track: MediaStreamTrack, heard: Callable[[Pcm], None]) -> None:
    """Give what a peer says to ``heard``, as PCM16 at 24 kHz, until it ends."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    expected: int | None = None
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        if not isinstance(frame, av.AudioFrame):
            continue  # video, which nobody asked for
        if expected is not None and frame.pts is not None and frame.pts > expected:
            lost = min((frame.pts - expected) / frame.sample_rate, MOST_LOST_SECONDS)
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
