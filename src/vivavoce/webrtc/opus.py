"""Speech as Opus packets, and back, by the libopus that comes with FFmpeg."""

import ctypes
import ctypes.util
from contextlib import suppress
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from vivavoce.audio.pcm import Pcm

__all__ = ["CLOCK", "OpusDecoder", "OpusEncoder"]

CLOCK = 48_000
"""Opus' RTP timestamps count in 48 kHz, whatever rate was encoded (RFC 7587, 4.1)."""

BIT_RATE = 32_000
"""Fullband speech in mono, with room for the error correction (RFC 6716, 2.1.1)."""

EXPECTED_LOSS = 10
"""Percent of the packets. From here on libopus repeats what matters of each packet in the next (RFC 6716, 2.1.7)."""


LONGEST_SECONDS = 0.12
"""What one packet can hold (RFC 6716, 3.2.5)."""


class OpusEncoder:
    """Encodes mono speech at ``rate``, one of Opus' own (8, 12, 16, 24 or 48 kHz), in frames of 20 ms."""

    def __init__(self, rate: int) -> None:
        codec = av.CodecContext.create("libopus", "w")
        assert isinstance(codec, AudioCodecContext)
        codec.bit_rate = BIT_RATE
        codec.format = "s16"
        codec.layout = "mono"
        codec.sample_rate = rate
        codec.time_base = Fraction(1, rate)
        codec.options = {"application": "voip", "fec": "1", "packet_loss": str(EXPECTED_LOSS)}
        self._codec = codec
        self._rate = rate
        self._samples = 0

    def encode(self, pcm: Pcm, timestamp: int) -> "av.Packet[Any]":
        """Encode 20 ms; ``timestamp`` is when they are to be heard, in ticks of `CLOCK`."""
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(pcm).reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate = self._rate
        frame.pts = self._samples
        frame.time_base = Fraction(1, self._rate)
        self._samples += len(pcm)
        (packet,) = self._codec.encode(frame)
        packet.pts = timestamp
        packet.time_base = Fraction(1, CLOCK)
        return packet


class OpusDecoder:
    """Decodes what one peer says to mono at ``rate``, one of Opus' own, and makes up for what was lost on the way.

    FFmpeg has no way to ask for the latter, so this asks libopus itself. Raises `OSError` where there is none.
    """

    def __init__(self, rate: int) -> None:
        self._library = _libopus()
        problem = ctypes.c_int()
        self._state = self._library.opus_decoder_create(rate, 1, ctypes.byref(problem))
        if problem.value:
            raise ValueError(f"expected one of Opus' rates, got {rate}")
        self._room = np.empty(round(LONGEST_SECONDS * rate), np.int16)

    def __del__(self) -> None:
        if state := getattr(self, "_state", None):
            self._library.opus_decoder_destroy(state)

    def decode(self, data: bytes) -> Pcm:
        """Return what a packet says. Raises `ValueError` for one that is none."""
        return self._decode(data, len(self._room), corrects=False)

    def before(self, data: bytes, samples: int) -> Pcm:
        """Return what was lost before a packet, so many samples: from what it repeats of them, or as a guess."""
        try:
            return self._decode(data, samples, corrects=True)
        except ValueError:
            return self.guess(samples)

    def guess(self, samples: int) -> Pcm:
        """Return how what was said last may have gone on. It soon becomes silence."""
        return self._decode(None, samples, corrects=False)

    def _decode(self, data: bytes | None, samples: int, *, corrects: bool) -> Pcm:
        made = self._library.opus_decode(
            self._state, data, len(data or b""), self._room.ctypes.data, samples, corrects
        )
        if made < 0:
            raise ValueError(f"expected an Opus packet, got {len(data or b'')} bytes that are none ({made})")
        return self._room[:made].copy()


@cache
def _libopus() -> ctypes.CDLL:
    """Load the library: the one in PyAV's wheel, or else the system's."""
    packages = Path(av.__file__).parents[1]
    beside = [*packages.glob("av.libs/*opus*"), *packages.glob("av/.dylibs/*opus*")]
    for name in (*map(str, beside), ctypes.util.find_library("opus")):
        with suppress(OSError, AttributeError):
            if name is not None:
                return _declared(ctypes.CDLL(name))
    raise OSError("There is no libopus, neither with PyAV nor on this system.")


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    """Say what the functions take and return (opus.h)."""
    number, pointer = ctypes.c_int, ctypes.c_void_p
    library.opus_decoder_create.restype = pointer
    library.opus_decoder_create.argtypes = [ctypes.c_int32, number, ctypes.POINTER(number)]
    library.opus_decoder_destroy.restype = None
    library.opus_decoder_destroy.argtypes = [pointer]
    library.opus_decode.argtypes = [pointer, ctypes.c_char_p, ctypes.c_int32, pointer, number, number]
    return library
