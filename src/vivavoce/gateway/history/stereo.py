"""A WAV file of two sides that is written as they speak: the user left, the assistant right.

Each side is written where it lies on the session's clock, so the file can be listened to while it grows, nothing is
held in memory, and what was said into an interruption is silenced again. It takes 96 kB a second.
"""

import struct
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path

import numpy as np

from vivavoce.audio.formats import RATE
from vivavoce.audio.pcm import Pcm

__all__ = ["MAX_SECONDS", "Side", "StereoFile"]

MAX_SECONDS = 12 * 3600
"""A WAV file has four bytes for its size, which 12.4 hours fill."""

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_FRAME = 4
_PIECE = RATE
"""Samples that are silenced in one go."""


class Side(IntEnum):
    """A channel."""

    USER = 0
    ASSISTANT = 1


class StereoFile:
    """Every method raises `OSError` when the disk is full or fails. Positions are in samples."""

    def __init__(self, path: Path, opener: Callable[[str, int], int] | None = None) -> None:
        self._file = open(path, "xb+", buffering=0, opener=opener)  # noqa: SIM115 - it stays open
        self._samples = 0
        try:
            self.save()
        except OSError:
            self._file.close()
            raise

    def write(self, side: Side, position: int, pcm: Pcm) -> None:
        """Put samples of one side in their place; what lies beyond the longest recording is left out."""
        pcm = pcm[: max(0, MAX_SECONDS * RATE - position)]
        if len(pcm):
            frames = self._read(position, len(pcm))
            frames[:, side] = pcm
            self._write(position, frames)

    def silence(self, side: Side, position: int) -> None:
        """Take out all of one side from here on."""
        for start in range(position, self._samples, _PIECE):
            frames = self._read(start, min(_PIECE, self._samples - start))
            frames[:, side] = 0
            self._write(start, frames)

    def save(self) -> None:
        """Say in the header how long it is by now: a file that is broken off then can be played to here."""
        size = self._samples * _FRAME
        header = _HEADER.pack(
            b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 2, RATE, RATE * _FRAME, _FRAME, 16, b"data", size
        )
        self._put(0, header)

    def close(self) -> None:
        """Finish the file."""
        try:
            self.save()
        finally:
            self._file.close()

    def _read(self, position: int, samples: int) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
        self._file.seek(_HEADER.size + position * _FRAME)
        data = self._file.read(samples * _FRAME)
        return np.frombuffer(data.ljust(samples * _FRAME, b"\0"), "<i2").reshape(samples, 2).copy()

    def _write(self, position: int, frames: np.ndarray[tuple[int, int], np.dtype[np.int16]]) -> None:
        self._put(_HEADER.size + position * _FRAME, frames.tobytes())
        self._samples = max(self._samples, position + len(frames))

    def _put(self, offset: int, data: bytes) -> None:
        self._file.seek(offset)
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
