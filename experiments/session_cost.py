"""What a session costs beside its models: processor time of the event loop, with models that cost nothing.

    python experiments/session_cost.py

Streams two minutes of silence in frames of 40 ms, as fast as they are taken, into a session whose voice detector
only counts, and prints the processor time for a second of audio. `vivavoce.engine.capacity.SESSION_COST` is this,
with a margin for the frames and the answers that a gateway carries.
"""

import asyncio
import base64
import json
import time
from typing import Any

import numpy as np

from vivavoce.engine.models.protocols import Samples
from vivavoce.engine.runtime import EngineSession, Models
from vivavoce.engine.session.machine import Session

SECONDS = 120
FRAME_S = 0.04


class Deaf:
    """Hears nothing, at no cost."""

    def __init__(self) -> None:
        self.heard = 0

    async def push(self, audio: Samples) -> list[float]:
        """Count the steps."""
        before, self.heard = self.heard, self.heard + len(audio)
        return [0.0] * (self.heard // 512 - before // 512)


class Detector:
    """Opens streams that hear nothing."""

    step = 512

    def open(self) -> Deaf:
        """Start one."""
        return Deaf()


async def measure() -> float:
    """Return seconds of processor time for a second of audio."""
    nothing: Any = None
    quiet: Any = Quiet()
    machine = Session(
        model="none", voices=("alloy",), step_ms=32, budget_tokens=1000, expires_at=2_000_000_000
    )
    session = EngineSession(machine, Models(Detector(), nothing, nothing, quiet, nothing), lifetime=3600)
    session.start()
    frame = base64.b64encode(bytes(2 * int(24_000 * FRAME_S))).decode()
    event = json.dumps({"type": "input_audio_buffer.append", "audio": frame})
    began = time.process_time()
    for _ in range(int(SECONDS / FRAME_S)):
        await session.send(event)
    took = time.process_time() - began
    await session.close()
    return took / SECONDS


class Quiet:
    """A model that is never asked for more than to get ready."""

    name = "quiet"

    async def prepare(self, prompt: object) -> None:
        """Do nothing."""


if __name__ == "__main__":
    print(f"{np.median([asyncio.run(measure()) for _ in range(5)]) * 1000:.2f} ms for a second of audio")
