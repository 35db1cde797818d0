"""Smart Turn 3.2: whether a speaker who fell silent has finished, told by how it sounded, and by the words.

The network (by Daily, BSD-2-Clause) hears the last eight seconds. By itself it takes about half of all sentences
that were cut in the middle for complete; the words, where they cannot end a sentence, overrule it. That brings
its mistakes down by a quarter and costs a few of the complete ones.
"""

from pathlib import Path

import numpy as np
import onnxruntime

from vivavoce.engine.models.completeness import sounds_complete
from vivavoce.engine.models.mel import FRAMES_PER_SECOND, log_mel
from vivavoce.engine.models.protocols import MODEL_RATE, Samples
from vivavoce.engine.models.workers import Worker
from vivavoce.errors import ModelError

__all__ = ["SmartTurn"]

WINDOW_S = 8

OVERRULED = 0.2
"""The highest probability for a turn whose words cannot be its last."""


class SmartTurn:
    """Judges pauses; ``folder`` holds the network as an ONNX file."""

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            (path,) = folder.glob("*.onnx")
            self._network = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise ModelError(f"smart turn: {folder} cannot be loaded: {error}") from error
        self._worker = Worker("smart turn")

    async def probability(self, audio: Samples, transcript: str) -> float:
        """Return how likely the turn is complete."""
        heard = await self._worker.do(lambda: self._listen(audio))
        return heard if sounds_complete(transcript) else min(heard, OVERRULED)

    async def warm_up(self) -> None:
        """Judge a second of silence."""
        await self.probability(np.zeros(MODEL_RATE, np.float32), "")

    async def close(self) -> None:
        """End the thread."""
        await self._worker.close()

    def _listen(self, audio: Samples) -> float:
        window = WINDOW_S * MODEL_RATE
        last = audio[-window:]
        padded = np.pad(last, (window - len(last), 0))  # the end of the turn is the end of the window
        level = (padded - padded.mean()) / np.sqrt(padded.var() + 1e-7)
        features = log_mel(level.astype(np.float32))[:, : WINDOW_S * FRAMES_PER_SECOND]
        (probabilities,) = self._network.run(None, {"input_features": features[None]})
        return float(probabilities[0, 0])
