"""A steady stream out of chunks that come unevenly: what a loudspeaker needs. Pure.

It waits until there is enough for some lateness, or until it has waited as long as that would last, so the end of
an answer needs no mark. When chunks run out in the middle it waits again: a pause, in place of many.
"""

from collections import deque

import numpy as np

from vivavoce.audio.pcm import Samples

__all__ = ["JitterBuffer"]

START_SECONDS = 0.12
"""What must wait before the first sound: chunks may be this late without a pause."""

FADE_SECONDS = 0.005
"""How long the sound takes to end when it is cut: short enough not to be noticed, long enough not to click."""


class JitterBuffer:
    """Takes samples in chunks of any length, gives them out in chunks of any other."""

    def __init__(self, rate: int) -> None:
        self._chunks: deque[Samples] = deque()
        self._start = round(START_SECONDS * rate)
        self._fade = round(FADE_SECONDS * rate)
        self._playing = False
        self._waited = 0
        self.buffered = 0
        """Samples that wait."""
        self.played = 0
        """Samples given out since the beginning, or the last `clear`."""

    def push(self, samples: Samples) -> None:
        """Take more samples."""
        if samples.size:
            self._chunks.append(samples)
            self.buffered += len(samples)

    def pull(self, out: Samples) -> int:
        """Fill ``out`` with what comes next, and silence after it; return how many samples are no silence."""
        if not self._playing and self.buffered:
            self._waited += len(out)
            self._playing = self.buffered >= self._start or self._waited > self._start
        written = self._take(out) if self._playing else 0
        out[written:] = 0
        self.played += written
        if not self.buffered:
            self._playing = False
            self._waited = 0
        return written

    def clear(self) -> None:
        """Drop what waits, but for the few milliseconds in which what is playing fades away, and count anew."""
        tail = np.empty(self._fade if self._playing else 0, np.float32)
        written = self._take(tail)
        self._chunks.clear()
        self.buffered = 0
        self.played = -written  # the fade is no part of what comes next
        self.push(tail[:written] * np.linspace(1, 0, written, endpoint=False, dtype=np.float32))

    def _take(self, out: Samples) -> int:
        written = 0
        while written < len(out) and self._chunks:
            chunk = self._chunks.popleft()
            count = min(len(chunk), len(out) - written)
            out[written : written + count] = chunk[:count]
            if count < len(chunk):
                self._chunks.appendleft(chunk[count:])
            written += count
        self.buffered -= written
        return written
