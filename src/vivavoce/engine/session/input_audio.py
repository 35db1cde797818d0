"""The input audio buffer: what the client has appended and nobody has committed yet. Pure.

Positions are samples of all audio ever appended, as the protocol's ``audio_start_ms`` and ``audio_end_ms`` are;
committing or clearing does not set that clock back.
"""

import numpy as np
import numpy.typing as npt

from vivavoce.engine.session.conversation import WIRE_RATE

__all__ = ["BUFFER_LIMIT_S", "InputAudio", "ms", "samples"]

BUFFER_LIMIT_S = 600
"""Seconds of audio that may wait uncommitted, 29 MB; appending more is refused."""

Pcm = npt.NDArray[np.int16]


def samples(milliseconds: int) -> int:
    """Convert a duration to samples at the wire's rate."""
    return milliseconds * WIRE_RATE // 1000


def ms(count: int) -> int:
    """Convert samples at the wire's rate to whole milliseconds."""
    return count * 1000 // WIRE_RATE


class InputAudio:
    """Audio from ``start`` to ``end``, in chunks as they came."""

    def __init__(self) -> None:
        self._chunks: list[Pcm] = []
        self.start = 0
        self.end = 0

    def __len__(self) -> int:
        return self.end - self.start

    def append(self, pcm: Pcm) -> None:
        """Add audio at the end."""
        self._chunks.append(pcm)
        self.end += len(pcm)

    def since(self, position: int, until: int | None = None) -> Pcm:
        """Return the audio from a position on; what lies before the buffer is gone."""
        whole = np.concatenate(self._chunks) if self._chunks else np.empty(0, np.int16)
        self._chunks = [whole] if len(whole) else []
        stop = None if until is None else max(0, until - self.start)
        return whole[max(0, position - self.start) : stop]

    def drop_before(self, position: int) -> None:
        """Forget what lies before a position, chunk by chunk."""
        while self._chunks and self.start + len(self._chunks[0]) <= position:
            self.start += len(self._chunks.pop(0))

    def take(self, until: int | None = None, start: int | None = None) -> Pcm:
        """Remove and return the audio up to a position."""
        until = self.end if until is None else min(until, self.end)
        taken = self.since(self.start if start is None else start, until)
        rest = self.since(until)
        self._chunks = [rest] if len(rest) else []
        self.start = until
        return taken

    def clear(self) -> None:
        """Forget all of it; the clock goes on."""
        self._chunks.clear()
        self.start = self.end
