"""When a turn begins and ends: voice probabilities in, decisions out. Pure; time is counted in samples.

A detector is in one of two states. In *silence* it waits for enough consecutive voiced steps; in *speech* it
waits for enough consecutive unvoiced ones. The two thresholds differ, so that a voice that wavers around one
of them does not toggle (Silero's own iterator does the same, 0.15 apart).
"""

from dataclasses import dataclass
from typing import Literal

__all__ = ["HYSTERESIS", "MIN_SPEECH_MS", "SOFT_END_MS", "TurnChange", "TurnDetector"]

HYSTERESIS = 0.15
"""How far below the threshold a step must fall to count as silence."""

MIN_SPEECH_MS = 90
"""Voiced time before speech is believed: longer than a click, shorter than the shortest word."""

SOFT_END_MS = 60
"""Unvoiced time after which a turn may be over; work that takes time starts here, ahead of the decision."""


@dataclass(frozen=True, slots=True)
class TurnChange:
    """Something that a step decided, at a position in milliseconds of all audio ever heard."""

    kind: Literal["started", "paused", "resumed", "stopped"]
    at_ms: int


class TurnDetector:
    """Follows one stream of voice probabilities.

    ``started`` carries the onset (the first voiced step, without padding), ``paused`` and ``stopped`` the end
    of the step that decided, ``resumed`` the onset of the voice after a pause that did not end the turn.
    ``threshold`` and ``silence_ms`` may change at any time, and hold from the next step on.
    """

    def __init__(self, *, step_ms: int, threshold: float, silence_ms: int, origin_ms: int = 0) -> None:
        self._step_ms = step_ms
        self.threshold = threshold
        self.silence_ms = silence_ms
        self._position_ms = origin_ms
        self._voiced_ms = 0
        self._unvoiced_ms = 0
        self.speaking = False
        self.paused = False

    @property
    def voiced(self) -> bool:
        """Whether somebody speaks at this very moment."""
        return self.speaking and self._unvoiced_ms == 0

    @property
    def hears_something(self) -> bool:
        """Whether somebody speaks, or may just have begun to."""
        return self.speaking or self._voiced_ms > 0

    @property
    def position_ms(self) -> int:
        """How far the detector has heard."""
        return self._position_ms

    def step(self, probability: float) -> TurnChange | None:
        """Take the next step's probability of speech; return what it decided, if anything."""
        self._position_ms += self._step_ms
        return self._in_speech(probability) if self.speaking else self._in_silence(probability)

    def _in_silence(self, probability: float) -> TurnChange | None:
        if probability < self.threshold:
            self._voiced_ms = 0
            return None
        self._voiced_ms += self._step_ms
        if self._voiced_ms < MIN_SPEECH_MS:
            return None
        onset = self._position_ms - self._voiced_ms
        self.speaking, self.paused = True, False
        self._voiced_ms = self._unvoiced_ms = 0
        return TurnChange("started", onset)

    def _in_speech(self, probability: float) -> TurnChange | None:
        if probability >= self.threshold - HYSTERESIS:
            was_paused, self.paused = self.paused, False
            self._unvoiced_ms = 0
            return TurnChange("resumed", self._position_ms - self._step_ms) if was_paused else None
        self._unvoiced_ms += self._step_ms
        if self._unvoiced_ms >= self.silence_ms:
            self.speaking = self.paused = False
            self._unvoiced_ms = 0
            return TurnChange("stopped", self._position_ms)
        if not self.paused and self._unvoiced_ms >= SOFT_END_MS:
            self.paused = True
            return TurnChange("paused", self._position_ms)
        return None
