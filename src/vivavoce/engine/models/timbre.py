"""Other voices out of one: deeper or higher, of a larger or a smaller speaker, and a little quicker or slower.

This is pitch-synchronous overlap and add. Around each pulse of a voice a grain is cut out, from the pulse before to the
one after. Grains that are laid further apart make a deeper voice out of the same mouth, and grains that are stretched
make the mouth larger. At the same pace, what has no pitch stays as it is.

It needs to know the pitch, which a synthesiser does. Changing the pitch in the synthesiser's spectra instead sounds
rough: they keep a good part of the voice in phases that belong to the old pitch (`experiments/voices.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vivavoce.audio.pcm import Samples

__all__ = ["LOWEST_HZ", "Timbre", "shaped"]

LOWEST_HZ = 40.0
"""Where the pitch is told to be lower there is none; pulses go on at this rate."""

VOICED_HZ = 60.0
"""Below this a voice is only just beginning or ending: nobody speaks so deeply."""

Marks = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Timbre:
    """How a voice differs from the one it is made of."""

    pitch: float = 1.0
    """Factor on the frequency of the voice."""
    formants: float = 1.0
    """Factor on the resonances of throat and mouth: below 1 those of a larger speaker."""


def shaped(
    audio: Samples, f0: npt.NDArray[np.float32], rate: int, timbre: Timbre, pace: float = 1.0
) -> Samples:
    """Return speech of the same loudness in another voice, and ``pace`` times as quick.

    ``f0`` is the pitch in Hz at points that divide the audio evenly, whose pulses are where its integral is a whole
    number, and `LOWEST_HZ` or less where there is none.
    """
    marks, voiced = _pulses(f0, len(audio), rate)
    gaps = np.diff(marks)
    room = int(gaps.max() / min(1.0, timbre.formants)) + 2
    size = round(len(audio) / pace)
    heard, made = np.pad(audio, room), np.zeros(size + 3 * room, np.float32)
    for mark, place in _laid_out(marks, voiced, timbre.pitch, pace):
        scale = timbre.formants if voiced[mark] else 1.0
        before, after = (int(gaps[index] / scale) for index in (max(0, mark - 1), min(mark, len(gaps) - 1)))
        steps = np.arange(-before, after + 1)
        grain = _read(heard, room + marks[mark] + steps * scale) * _window(before, after)
        made[room + place - before : room + place + after + 1] += grain
    made = made[room : room + size]
    loudness = np.sqrt(np.mean(audio**2) / max(float(np.mean(made**2)), 1e-12))
    return made * np.float32(loudness)


def _pulses(f0: npt.NDArray[np.float32], size: int, rate: int) -> tuple[Marks, npt.NDArray[np.bool_]]:
    """Return where the pulses are, with both ends of the audio, and which of them have a pitch."""
    points = (np.arange(size) + 0.5) * len(f0) / size - 0.5
    pitch = np.maximum(np.interp(points, np.arange(len(f0)), f0), LOWEST_HZ)
    turns = np.floor(np.cumsum(pitch) / rate)
    marks = np.concatenate([[0], np.flatnonzero(np.diff(turns)) + 1, [size]])
    voiced = pitch[np.minimum(marks, size - 1)] > VOICED_HZ
    voiced[[0, -1]] = False
    return marks, voiced


def _laid_out(
    marks: Marks, voiced: npt.NDArray[np.bool_], pitch: float, pace: float
) -> Iterator[tuple[int, int]]:
    """Yield which grain goes where: at a new pitch where there is one, elsewhere as they were."""
    at, sounding = 0.0, False
    while True:
        heard = at * pace
        mark = min(int(np.searchsorted(marks, heard)), len(marks) - 1)
        if mark and heard - marks[mark - 1] < marks[mark] - heard:
            mark -= 1
        if sounding and not voiced[mark]:
            at = marks[mark] / pace  # back to where it was
        sounding = bool(voiced[mark])
        yield mark, round(at)
        if mark == len(marks) - 1:
            return
        at += (marks[mark + 1] - marks[mark]) / (pitch if sounding else 1.0)


def _read(audio: Samples, places: npt.NDArray[np.float64]) -> Samples:
    """Return the audio between its samples."""
    whole = places.astype(np.int64)
    part = (places - whole).astype(np.float32)
    between: Samples = audio[whole] * (1 - part) + audio[whole + 1] * part
    return between


def _window(before: int, after: int) -> Samples:
    """Rise and fall so that a grain and its neighbours add up to the audio that they were cut out of."""
    rising, falling = np.arange(-before, 0) / max(1, before), np.arange(after + 1) / max(1, after)
    return (0.5 + 0.5 * np.cos(np.pi * np.concatenate([rising, falling]))).astype(np.float32)
