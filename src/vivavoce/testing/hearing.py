"""What a scripted engine makes of sound: speech is what is loud, and its words are known. Pure."""

import math
import re
from typing import Final

import numpy as np

from vivavoce.audio.pcm import Pcm, from_pcm16, level_dbfs
from vivavoce.engine.models.completeness import sounds_complete
from vivavoce.engine.session.conversation import WIRE_RATE

__all__ = ["LOUD_DBFS", "SECONDS_PER_WORD", "STEP_MS", "Ear", "complete", "words_so_far"]

STEP_MS: Final = 32
"""What one probability stands for, as with Silero."""

LOUD_DBFS: Final = -40.0
"""From here on it is speech: voices are recorded at about -25, quiet rooms below -50."""

SECONDS_PER_WORD: Final = 0.3
"""A brisk speaker says 200 words in a minute."""

_STEP = WIRE_RATE * STEP_MS // 1000


class Ear:
    """A voice detector without a model."""

    def __init__(self) -> None:
        self._rest: Pcm = np.empty(0, np.int16)

    def push(self, pcm: Pcm) -> list[float]:
        """Take more audio at 24 kHz; return 1 or 0 for every step that it completes."""
        audio = np.concatenate([self._rest, pcm])
        steps = len(audio) // _STEP
        self._rest = audio[steps * _STEP :]
        heard = from_pcm16(audio[: steps * _STEP]).reshape(steps, _STEP)
        return [1.0 if level_dbfs(step) >= LOUD_DBFS else 0.0 for step in heard]


def words_so_far(text: str, samples: int) -> str:
    """Return what is understood of ``text`` after so many samples at 24 kHz: a word every `SECONDS_PER_WORD`."""
    known = math.floor(samples / WIRE_RATE / SECONDS_PER_WORD)
    return "".join(re.findall(r"\s*\S+", text)[:known]).strip()


def complete(text: str) -> float:
    """Return how likely a turn with these words is over: 1 or 0."""
    return 1.0 if sounds_complete(text) else 0.0
