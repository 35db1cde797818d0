"""Resampling by FFmpeg's swresample: a windowed sinc, so what a lower rate cannot hold is filtered, not folded."""

import av
import numpy as np

from vivavoce.audio.pcm import Samples

__all__ = ["Resampler", "resample"]


class Resampler:
    """Resamples a stream chunk by chunk; joined, the chunks are what resampling the whole would give.

    The filter looks a few milliseconds ahead, so the output lags behind by that much until `flush`.
    """

    def __init__(self, rate_in: int, rate_out: int) -> None:
        self.rate_in = rate_in
        self.rate_out = rate_out
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=rate_out)
        self._given = False

    def push(self, audio: Samples) -> Samples:
        """Take more audio; return what it completes."""
        if self.rate_in == self.rate_out or not len(audio):
            return audio
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(audio, np.float32).reshape(1, -1), format="flt", layout="mono"
        )
        frame.sample_rate = self.rate_in
        self._given = True
        return _joined(self._resampler.resample(frame))

    def flush(self) -> Samples:
        """Return the rest; the stream is over."""
        return _joined(self._resampler.resample(None)) if self._given else np.empty(0, np.float32)


def resample(audio: Samples, rate_in: int, rate_out: int) -> Samples:
    """Resample a whole recording."""
    if rate_in == rate_out:
        return audio
    resampler = Resampler(rate_in, rate_out)
    return np.concatenate([resampler.push(audio), resampler.flush()])


def _joined(frames: list[av.AudioFrame]) -> Samples:
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]) if frames else np.empty(0, np.float32)
