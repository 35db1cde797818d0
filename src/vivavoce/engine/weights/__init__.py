"""Model weights: one catalogue, one cache, and nothing used that was not verified."""

from vivavoce.engine.weights.catalogue import CATALOGUE, WeightFile, Weights
from vivavoce.engine.weights.fetch import ensure, present, verify
from vivavoce.engine.weights.on_hub import KOKORO, WHISPER, Layout, ensure_from_hub
from vivavoce.engine.weights.progress import Progress

__all__ = [
    "CATALOGUE",
    "KOKORO",
    "WHISPER",
    "Layout",
    "Progress",
    "WeightFile",
    "Weights",
    "ensure",
    "ensure_from_hub",
    "present",
    "verify",
]
