"""What recognisers have in common: which audio they should hear, and which text to distrust."""

import zlib
from collections.abc import Iterator

import numpy as np

from vivavoce.engine.models.protocols import MODEL_RATE, Samples

__all__ = ["LONGEST_S", "audible", "pieces", "repetitive"]

LONGEST_S = 28
"""Longer audio is cut at its quietest places, and each piece recognised by itself."""

QUIETEST_RMS = 10 ** (-55 / 20)
"""Where no 100 ms are louder than -55 dBFS there is no speech, only the noise of a converter or a quiet room."""

REPETITIVE = 2.2
"""Text that compresses better than this repeats itself; OpenAI's own guard is 2.4, for longer texts."""

STEP = MODEL_RATE // 10


def audible(audio: Samples) -> bool:
    """Tell whether there is enough of it, and some of it loud enough, to be speech."""
    parts = audio[: len(audio) // STEP * STEP].reshape(-1, STEP)
    return len(parts) > 0 and bool(np.sqrt(np.square(parts).mean(axis=1).max()) > QUIETEST_RMS)


def pieces(audio: Samples) -> Iterator[Samples]:
    """Cut audio that is too long at the quietest 100 ms of the last third that fits."""
    longest = LONGEST_S * MODEL_RATE
    while len(audio) > longest:
        last = audio[longest * 2 // 3 : longest]
        loudness = np.square(last[: len(last) // STEP * STEP].reshape(-1, STEP)).mean(axis=1)
        cut = longest * 2 // 3 + int(loudness.argmin()) * STEP + STEP // 2
        yield audio[:cut]
        audio = audio[cut:]
    yield audio


def repetitive(text: str) -> bool:
    """Tell whether a text repeats itself; people do so too, but recognisers that hear nothing do it most."""
    data = text.encode()
    return len(data) > 0 and len(data) / len(zlib.compress(data)) > REPETITIVE
