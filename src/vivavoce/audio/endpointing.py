"""Where speech ends in a recording: by energy alone, knowing all of it, for measurements.

A turn's latency counts from the moment when the speaker really fell silent, and a file needs silence after it
from there on. The detector inside an endpoint cannot be that judge: it is what gets measured.
"""

import numpy as np
import numpy.typing as npt

from vivavoce.audio.pcm import SILENCE_DBFS, Samples

__all__ = ["acoustic_end"]

STEP_SECONDS = 0.01
"""How finely the end is told."""

FAINTEST_DBFS = -60.0
"""Speech that nowhere reaches this is taken for none: it is 40 dB below speech at a usual level."""

DYNAMICS_DB = 40.0
"""What is so far below the loudest step is no longer heard as a part of the speech: the tail of a room."""

ABOVE_NOISE_DB = 9.0
"""Speech stands out from the noise floor by this; steady noise varies by some 3 dB between steps of 10 ms."""

NOISE_FLOOR_PERCENTILE = 10
"""Some tenth of any recording of speech is pauses."""

SHORTEST_STEPS = 3
"""A sound shorter than 30 ms is a click, not the end of a word."""


def acoustic_end(samples: Samples, rate: int) -> float | None:
    """Return the seconds after which there is no more speech, or None when nothing stands out from the silence.

    Nothing stands out either from a sound that stays the same from beginning to end, as a hum does.
    """
    levels = _levels(samples, max(1, round(rate * STEP_SECONDS)))
    if not levels.size or levels.max() < FAINTEST_DBFS:
        return None
    floor = float(np.percentile(levels, NOISE_FLOOR_PERCENTILE))
    threshold = max(FAINTEST_DBFS, levels.max() - DYNAMICS_DB, floor + ABOVE_NOISE_DB)
    loud = levels >= threshold
    lasting = np.convolve(loud, np.ones(SHORTEST_STEPS), "valid") == SHORTEST_STEPS
    if not lasting.any():
        return None
    last = int(np.flatnonzero(lasting)[-1]) + SHORTEST_STEPS
    return min(last * STEP_SECONDS, len(samples) / rate)


def _levels(samples: Samples, step: int) -> npt.NDArray[np.float64]:
    """Return the root mean square of every step in dBFS; a last step that is not whole is filled with silence."""
    whole = np.pad(samples.astype(np.float64), (0, -len(samples) % step))
    power = np.mean(np.square(whole.reshape(-1, step)), axis=1)
    levels: npt.NDArray[np.float64] = 10 * np.log10(np.maximum(power, 10 ** (SILENCE_DBFS / 10)))
    return levels
