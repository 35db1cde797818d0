"""The audio formats of the wire by their names, each a stream from or to PCM16 at 24 kHz. Pure.

Telephone audio (G.711, 8 kHz) is resampled as a stream, so that pieces join without clicks. The filter holds 2 ms
back, until the stream is flushed; nothing is shifted by that, and a flushed stream has lasted exactly as long on
both sides.
"""

from collections.abc import Callable
from typing import Literal, Protocol

import numpy as np

from vivavoce.audio import g711
from vivavoce.audio.pcm import Pcm, Samples, decode_pcm16, encode_pcm16, from_pcm16, to_pcm16
from vivavoce.audio.resample import Resampler
from vivavoce.errors import AudioError

__all__ = [
    "PCM",
    "PCMA",
    "PCMU",
    "RATE",
    "Decoder",
    "Encoder",
    "decode",
    "decoder",
    "encode",
    "encoder",
    "samples",
]

PCM = "audio/pcm"
"""PCM16, little endian, at `RATE`."""
PCMU = "audio/pcmu"
"""G.711 µ-law at 8 kHz."""
PCMA = "audio/pcma"
"""G.711 A-law at 8 kHz."""

RATE = 24_000
"""Samples per second of what comes out of a `Decoder` and, if nothing else is said, goes into an `Encoder`."""

RATIO = RATE // g711.RATE
"""Samples of `RATE` for each sample of a telephone."""

_LAWS = {PCMU: (g711.decode_pcmu, g711.encode_pcmu), PCMA: (g711.decode_pcma, g711.encode_pcma)}


class Decoder(Protocol):
    """A stream from the wire."""

    @property
    def pending(self) -> int:
        """Samples that were pushed and have not come out yet."""
        ...

    def push(self, data: bytes) -> Pcm:
        """Take more of the stream; return what is ready of it."""
        ...

    def flush(self) -> Pcm:
        """Return the rest; what is pushed next begins a new stream."""
        ...


class Encoder(Protocol):
    """A stream to the wire."""

    def push(self, pcm: Pcm) -> bytes:
        """Take more of the stream; return what is ready of it."""
        ...

    def flush(self) -> bytes:
        """Return the rest; what is pushed next begins a new stream."""
        ...


def samples(size: int, name: str) -> int:
    """Return how many samples of `RATE` so many bytes stand for. Raises `AudioError` for a format that is unknown."""
    if name == PCM:
        return size // 2
    _law(name)
    return size * RATIO


def decoder(name: str) -> Decoder:
    """Open a stream from the wire. Raises `AudioError` for a format that is unknown."""
    return _PcmDecoder() if name == PCM else _G711Decoder(_law(name)[0])


def encoder(name: str, rate: int = RATE) -> Encoder:
    """Open a stream to the wire of PCM16 at ``rate``. Raises `AudioError` for a format that is unknown."""
    if name == PCM:
        return _PcmEncoder() if rate == RATE else _Encoder(_write_pcm, Resampler(rate, RATE))
    return _Encoder(_law(name)[1], Resampler(rate, g711.RATE))


def _law(name: str) -> tuple[Callable[[bytes], Samples], Callable[[Samples], bytes]]:
    if name not in _LAWS:
        raise AudioError(f"Expected an audio format among {PCM}, {PCMU} and {PCMA}, and got {name!r}.")
    return _LAWS[name]


def decode(data: bytes, name: str) -> Pcm:
    """Decode a whole recording."""
    stream = decoder(name)
    return np.concatenate([stream.push(data), stream.flush()])


def encode(pcm: Pcm, name: str) -> bytes:
    """Encode a whole recording."""
    stream = encoder(name)
    return stream.push(pcm) + stream.flush()


class _PcmDecoder:
    pending: Literal[0] = 0

    def push(self, data: bytes) -> Pcm:
        return decode_pcm16(data)

    def flush(self) -> Pcm:
        return np.empty(0, np.int16)


class _PcmEncoder:
    def push(self, pcm: Pcm) -> bytes:
        return encode_pcm16(pcm)

    def flush(self) -> bytes:
        return b""


class _G711Decoder:
    def __init__(self, read: Callable[[bytes], Samples]) -> None:
        self._read = read
        self._resampler = Resampler(g711.RATE, RATE)
        self.pending = 0

    def push(self, data: bytes) -> Pcm:
        self.pending += len(data) * RATIO
        pcm = to_pcm16(self._resampler.push(self._read(data)))
        self.pending -= len(pcm)
        return pcm

    def flush(self) -> Pcm:
        rest, self.pending = _rest(self._resampler, self.pending), 0
        return to_pcm16(rest)


class _Encoder:
    """Resamples and writes; whole samples are what it counts in, so the end is neither lost nor made up."""

    def __init__(self, write: Callable[[Samples], bytes], resampler: Resampler) -> None:
        self._write = write
        self._resampler = resampler
        self._taken = 0
        self._given = 0

    def push(self, pcm: Pcm) -> bytes:
        self._taken += len(pcm)
        return self._written(self._resampler.push(from_pcm16(pcm)))

    def flush(self) -> bytes:
        owed = -(-self._taken * self._resampler.rate_out // self._resampler.rate_in)
        rest = self._written(_rest(self._resampler, owed - self._given))
        self._taken = self._given = 0
        return rest

    def _written(self, samples: Samples) -> bytes:
        self._given += len(samples)
        return self._write(samples)


def _write_pcm(samples: Samples) -> bytes:
    return encode_pcm16(to_pcm16(samples))


def _rest(resampler: Resampler, owed: int) -> Samples:
    """End a stream that owes so many samples: of one shorter than the filter, silence is all that comes."""
    rest = resampler.flush()[:owed]
    return np.pad(rest, (0, owed - len(rest)))
