"""An endpoint of our own: it hears, understands, answers and speaks, on this machine."""

from vivavoce.engine.engine import Engine, EngineStatus

__all__ = ["Engine", "EngineStatus"]
