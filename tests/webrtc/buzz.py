"""A sound that Opus takes for speech: a buzz whose pitch and vowel change all the time."""

import numpy as np

from vivavoce.webrtc.opus import OpusEncoder
from vivavoce.webrtc.playout import FRAME_SAMPLES, RATE


def buzz(frames):
    """Return so many frames of 20 ms."""
    at = np.arange(frames * FRAME_SAMPLES) / RATE
    pitch = 120 + 40 * np.sin(2 * np.pi * 3 * at)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    open_ = 0.5 + 0.5 * np.sin(2 * np.pi * 4 * at)

    def loudness(hertz):
        low, high = np.exp(-(((hertz - 700) / 300) ** 2)), np.exp(-(((hertz - 2000) / 400) ** 2))
        return RATE / 20 / hertz * (1 + 3 * open_ * low + 3 * (1 - open_) * high)

    sound = sum(np.cos(number * phase) * loudness(number * pitch) for number in range(1, 30))
    return (200 * open_ * sound).astype(np.int16)


def packets(pcm):
    """Return it as Opus."""
    encoder = OpusEncoder(RATE)
    return [bytes(encoder.encode(frame, 0)) for frame in np.split(pcm, len(pcm) // FRAME_SAMPLES)]


def distance(heard, said):
    """Return the energy of the difference, as a share of that of what was said."""
    heard, said = heard.astype(float), said.astype(float)
    return ((heard - said) ** 2).sum() / (said**2).sum()
