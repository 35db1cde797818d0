"""Speech as Opus packets, by FFmpeg's libopus."""

from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from vivavoce.audio.pcm import Pcm

__all__ = ["CLOCK", "OpusEncoder"]

CLOCK = 48_000
"""Opus' RTP timestamps count in 48 kHz, whatever rate was encoded (RFC 7587, 4.1)."""

BIT_RATE = 32_000
"""Fullband speech in mono, with room for the error correction (RFC 6716, 2.1.1)."""

EXPECTED_LOSS = 10
"""Percent of the packets. From here on libopus repeats what matters of each packet in the next (RFC 6716, 2.1.7)."""


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
