"""The log-mel spectrogram that Whisper hears: a frame every 10 ms, from audio at 16 kHz.

It has 80 bands, or 128 for Whisper's large models since the third.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from vivavoce.engine.models.protocols import MODEL_RATE, Samples

__all__ = ["FRAMES_PER_SECOND", "Spectrogram", "log_mel"]

Spectrogram = npt.NDArray[np.float32]
"""Shape (bands, frames), scaled as Whisper was trained."""

FRAMES_PER_SECOND = 100
BANDS = 80
WINDOW = 400
HOP = MODEL_RATE // FRAMES_PER_SECOND

DYNAMICS = 8.0
"""What is so many powers of ten below the loudest is raised to there."""


def log_mel(audio: Samples, bands: int = BANDS) -> Spectrogram:
    """Compute the spectrogram of a recording; what follows after its end is taken as silence."""
    padded = np.pad(np.pad(np.asarray(audio, np.float32), (0, HOP)), WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP] * _HANN
    power = np.abs(np.fft.rfft(windows, axis=1)[:-1]).astype(np.float32) ** 2
    # Not by "@": that goes to OpenBLAS, whose second thread would then spin for 100 ms, waiting for more.
    energy = np.einsum("bf,tf->bt", _mel_filters(bands), power)
    levels = np.log10(np.maximum(energy, 1e-10))
    levels = np.maximum(levels, levels.max() - DYNAMICS)
    scaled: Spectrogram = ((levels + 4) / 4).astype(np.float32)
    return scaled


@cache
def _mel_filters(bands: int) -> npt.NDArray[np.float32]:
    """Triangles on Slaney's mel scale (linear to 1 kHz, logarithmic above), each of the same area."""
    edges = _hertz(np.linspace(0, _mel(np.array(MODEL_RATE / 2)), bands + 2))
    bins = np.fft.rfftfreq(WINDOW, 1 / MODEL_RATE)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


def _mel(hertz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(
        hertz >= 1000, 15 + np.log(np.maximum(hertz, 1) / 1000) * 27 / np.log(6.4), hertz * 3 / 200
    )


def _hertz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(mel >= 15, 1000 * np.exp((mel - 15) * np.log(6.4) / 27), mel * 200 / 3)


_HANN = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
