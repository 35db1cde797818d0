"""A sound file that is written along a timeline, while it is already being listened to."""

import struct
from pathlib import Path

from vivavoce.audio.pcm import Pcm, encode_pcm16

__all__ = ["Track"]

HEADER_BYTES = 44

LONGEST_BYTES = 0xFFFFFFFF - HEADER_BYTES
"""What the header of a WAV file can tell: at 24 kHz, a day."""

TOLERANCE_SECONDS = 0.1
"""Sound that comes so late still joins what precedes it: it was only on its way for longer."""


class Track:
    """A mono 16-bit WAV file in which every sound stands at its time; between them is silence.

    Nothing is kept in memory. After `flush` the file can be read, whatever happens to the writer.
    """

    def __init__(self, path: Path, rate: int) -> None:
        self.rate = rate
        self.samples = 0
        """How long it is."""
        self._file = path.open("wb")
        self.flush()

    def put(self, pcm: Pcm, seconds: float) -> None:
        """Write sound that begins after ``seconds``, or behind what precedes it where that has not ended by then."""
        begin = round(seconds * self.rate)
        if begin - self.samples <= TOLERANCE_SECONDS * self.rate:
            begin = self.samples
        self._file.seek(HEADER_BYTES + 2 * begin)  # what is skipped reads as zeros
        self._file.write(encode_pcm16(pcm))
        self.samples = begin + len(pcm)

    def cut(self, seconds: float) -> None:
        """Forget what stands after ``seconds``: it was never heard."""
        self.samples = min(self.samples, round(seconds * self.rate))
        self._file.truncate(HEADER_BYTES + 2 * self.samples)

    def flush(self) -> None:
        """Bring what was written to the file, and tell its length there."""
        size = min(2 * self.samples, LONGEST_BYTES)
        chunks = (
            b"RIFF",
            HEADER_BYTES - 8 + size,
            b"WAVE",
            b"fmt ",
            16,
            1,
            1,
            self.rate,
            2 * self.rate,
            2,
            16,
        )
        self._file.seek(0)
        self._file.write(struct.pack("<4sI4s4sIHHIIHH", *chunks) + struct.pack("<4sI", b"data", size))
        self._file.flush()

    def close(self, seconds: float = 0.0) -> None:
        """Close the file, which lasts ``seconds`` at the least."""
        self.samples = max(self.samples, round(seconds * self.rate))
        self._file.truncate(HEADER_BYTES + 2 * self.samples)
        self.flush()
        self._file.close()
