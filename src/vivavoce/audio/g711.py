"""G.711: the telephone's eight bits per sample, as µ-law (``audio/pcmu``) and A-law (``audio/pcma``).

Both are tables, made once from the definitions of ITU-T G.711 (11/88), so a second of speech takes microseconds.
Bit for bit what Sun's reference code makes of the same PCM16.
"""

import numpy as np
import numpy.typing as npt

from vivavoce.audio.pcm import Samples, to_pcm16

__all__ = ["RATE", "decode_pcma", "decode_pcmu", "encode_pcma", "encode_pcmu"]

RATE = 8000
"""Samples per second of telephone audio."""

_Integers = npt.NDArray[np.int32]
_Codes = npt.NDArray[np.uint8]
_ALL_CODES: _Integers = np.arange(256, dtype=np.int32)
_ALL_PCM16: _Integers = np.arange(-32768, 32768, dtype=np.int32)

_PCMU_BIAS = 33
_PCMU_CLIP = 8158
_PCMU_SEGMENTS = np.array([0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF, 0x1FFF])
"""The greatest biased 14-bit magnitude in each of the eight segments."""
_PCMA_SEGMENTS = np.array([0x1F, 0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF])
"""The greatest 13-bit magnitude in each of the eight segments."""


def _pcmu_values() -> Samples:
    bits = ~_ALL_CODES & 0xFF  # all bits are sent inverted
    magnitude = ((((bits & 0x0F) << 1) + _PCMU_BIAS) << (bits >> 4 & 0x07)) - _PCMU_BIAS
    return _as_samples(np.where(bits & 0x80, -magnitude, magnitude) << 2)


def _pcma_values() -> Samples:
    bits = _ALL_CODES ^ 0x55  # every other bit is sent inverted
    segment = bits >> 4 & 0x07
    step = (bits & 0x0F) << 1 | 1
    magnitude = np.where(segment == 0, step, (step + 32) << np.maximum(segment - 1, 0))
    return _as_samples(np.where(bits & 0x80, magnitude, -magnitude) << 3)


def _pcmu_codes() -> _Codes:
    linear = _ALL_PCM16 >> 2
    magnitude = np.minimum(np.abs(linear), _PCMU_CLIP) + _PCMU_BIAS
    segment = np.searchsorted(_PCMU_SEGMENTS, magnitude).astype(np.int32)
    code = segment << 4 | (magnitude >> (segment + 1)) & 0x0F
    return _as_codes(np.where(linear < 0, code ^ 0x7F, code ^ 0xFF))


def _pcma_codes() -> _Codes:
    linear = _ALL_PCM16 >> 3
    magnitude = np.where(linear < 0, -linear - 1, linear)
    segment = np.searchsorted(_PCMA_SEGMENTS, magnitude).astype(np.int32)
    code = segment << 4 | (magnitude >> np.maximum(segment, 1)) & 0x0F
    return _as_codes(np.where(linear < 0, code ^ 0x55, code ^ 0xD5))


def _as_codes(codes: _Integers) -> _Codes:
    return codes.astype(np.uint8)


def _as_samples(pcm16: _Integers) -> Samples:
    return (pcm16 / 32768).astype(np.float32)


_PCMU_VALUES = _pcmu_values()
_PCMA_VALUES = _pcma_values()
_PCMU_CODES = _pcmu_codes()
_PCMA_CODES = _pcma_codes()


def decode_pcmu(data: bytes) -> Samples:
    """Read µ-law, one byte for each sample."""
    return _PCMU_VALUES[np.frombuffer(data, np.uint8)]


def decode_pcma(data: bytes) -> Samples:
    """Read A-law, one byte for each sample."""
    return _PCMA_VALUES[np.frombuffer(data, np.uint8)]


def encode_pcmu(samples: Samples) -> bytes:
    """Write µ-law, one byte for each sample; what is beyond full scale is clipped."""
    return _look_up(_PCMU_CODES, samples)


def encode_pcma(samples: Samples) -> bytes:
    """Write A-law, one byte for each sample; what is beyond full scale is clipped."""
    return _look_up(_PCMA_CODES, samples)


def _look_up(codes: _Codes, samples: Samples) -> bytes:
    return codes[to_pcm16(samples).astype(np.int32) + 32768].tobytes()
