"""Sound that a server streams, raw or as a WAV file, made into samples at one rate. Pure."""

import re
import struct

import numpy as np

from vivavoce.audio.pcm import from_pcm16, mix_down
from vivavoce.audio.resample import Resampler
from vivavoce.engine.models.protocols import Samples
from vivavoce.errors import AudioError, ModelError

__all__ = ["SPEECH_RATE", "PcmStream", "SpeechStream"]

SPEECH_RATE = 24_000
"""Samples per second of what comes out: the protocol's own rate, and that of raw speech from OpenAI."""

LONGEST_HEADER = 1 << 16
"""Bytes of a WAV file before its sound."""

PCM, EXTENSIBLE = 1, 0xFFFE

UNKNOWN_SIZE = 0x7FFF0000
"""Nobody speaks for two gigabytes: such a size means that it was not known."""


class PcmStream:
    """Takes little-endian PCM16, cut anywhere, and returns mono samples at `SPEECH_RATE`."""

    def __init__(self, rate: int, channels: int = 1) -> None:
        if channels < 1:
            raise ModelError(f"Expected sound with a channel or more, and got {channels}.")
        try:
            self._resampler = Resampler(rate, SPEECH_RATE)
        except AudioError as error:
            raise ModelError(str(error)) from error
        self._channels = channels
        self._rest = b""

    def push(self, data: bytes) -> Samples:
        """Take more bytes; return what they complete, perhaps nothing."""
        data = self._rest + data
        whole = len(data) // (2 * self._channels) * 2 * self._channels
        self._rest = data[whole:]
        pcm = np.frombuffer(data[:whole], "<i2").astype(np.int16, copy=False)
        return self._resampler.push(mix_down(from_pcm16(pcm).reshape(-1, self._channels).T))

    def flush(self) -> Samples:
        """Return the rest; half a sample is none."""
        return self._resampler.flush()


class SpeechStream:
    """Takes the body of an answer that is speech, cut anywhere, and returns mono samples at `SPEECH_RATE`.

    A body that begins as WAV files do says itself what it is, whatever was asked for. Any other is raw PCM16, at
    the rate that its content type names (``audio/pcm;rate=22050``), else at `SPEECH_RATE`.
    """

    def __init__(self, content_type: str = "") -> None:
        rate = re.search(r"\brate=(\d+)", content_type)
        self._rate = int(rate[1]) if rate else SPEECH_RATE
        self._head = b""
        self._pcm: PcmStream | None = None
        self._left: int | None = None
        """Bytes until the sound of a WAV file ends; other chunks may follow it."""

    def push(self, data: bytes) -> Samples:
        """Take more bytes. Raises `ModelError` for a WAV file that holds something else than PCM16."""
        if self._pcm is None:
            self._head += data
            begun = self._begin()
            if begun is None:
                return np.empty(0, np.float32)
            self._pcm, begin, self._left = begun
            data, self._head = self._head[begin:], b""
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        return self._pcm.push(data)

    def flush(self) -> Samples:
        """Return the rest. Raises `ModelError` for a WAV file without sound."""
        if self._pcm is None:
            if self._head:
                raise ModelError("Expected speech, and got the beginning of a sound file and no more.")
            return np.empty(0, np.float32)
        return self._pcm.flush()

    def _begin(self) -> tuple[PcmStream, int, int | None] | None:
        """Return what the sound is, where it begins and how long it is, once that is known."""
        head = self._head
        if len(head) < 4:
            return None
        if head[:4] != b"RIFF":
            return PcmStream(self._rate), 0, None
        form = b""
        place = 12
        while len(head) >= place + 8:
            name, size = head[place : place + 4], int.from_bytes(head[place + 4 : place + 8], "little")
            place += 8
            if name == b"data":
                # A file that is written while it is sent does not know its size, and says 0 or the greatest.
                return _pcm_of(form), place, size if 0 < size < UNKNOWN_SIZE else None
            if name == b"fmt ":
                form = head[place : place + size]
            place += size + size % 2
        if place > LONGEST_HEADER:
            raise ModelError(f"Expected the sound of a WAV file within its first {LONGEST_HEADER} bytes.")
        return None


def _pcm_of(form: bytes) -> PcmStream:
    if len(form) < 16:
        raise ModelError("Expected a WAV file that says what it holds, and this one does not.")
    kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", form[:16])
    if kind not in {PCM, EXTENSIBLE} or bits != 16:
        raise ModelError(f"Expected a WAV file of 16-bit PCM, and got format {kind} with {bits} bits.")
    return PcmStream(rate, channels)
