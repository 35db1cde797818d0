"""PCM16, and how loud it is."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from vivavoce.errors import AudioError

__all__ = [
    "SILENCE_DBFS",
    "Pcm",
    "Samples",
    "decode_pcm16",
    "encode_pcm16",
    "from_pcm16",
    "level_dbfs",
    "mix_down",
    "to_pcm16",
]

SILENCE_DBFS = -120.0
"""The level of digital silence: below the quietest step of PCM16, which is at -90."""

Samples = npt.NDArray[np.float32]
"""Mono audio, shape (n,), in [-1, 1]."""

Pcm = npt.NDArray[np.int16]
"""Mono audio, shape (n,), full scale at 32768."""


def from_pcm16(pcm: Pcm) -> Samples:
    """Convert integers to floats."""
    return pcm.astype(np.float32) / np.float32(32768)


def to_pcm16(audio: npt.NDArray[np.floating[Any]]) -> Pcm:
    """Convert floats to integers; what is louder than full scale is clipped."""
    pcm: Pcm = np.clip(np.rint(audio * 32768), -32768, 32767).astype(np.int16)
    return pcm


def decode_pcm16(data: bytes) -> Pcm:
    """Read little-endian bytes; raises `AudioError` for an odd number of them."""
    if len(data) % 2:
        raise AudioError(
            f"PCM16 has two bytes to a sample; expected an even number of bytes, got {len(data)}."
        )
    return np.frombuffer(data, "<i2").astype(np.int16, copy=False)


def encode_pcm16(pcm: Pcm) -> bytes:
    """Write little-endian bytes."""
    return pcm.astype("<i2", copy=False).tobytes()


def mix_down(channels: npt.NDArray[np.float32]) -> Samples:
    """Average channels, shape (channels, n), into one."""
    mixed: Samples = channels.mean(axis=0, dtype=np.float32)
    return mixed


def level_dbfs(audio: Samples) -> float:
    """Return the root-mean-square level in dB of full scale, not below `SILENCE_DBFS`."""
    power = float(np.mean(np.square(audio, dtype=np.float64))) if len(audio) else 0.0
    return 10 * math.log10(max(power, 10 ** (SILENCE_DBFS / 10)))
