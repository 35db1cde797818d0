"""Models without weights, for tests of what stands around them."""

import asyncio

import numpy as np

from vivavoce.engine.models.protocols import Finished, TextDelta, Transcription, Voice
from vivavoce.engine.runtime import Models
from vivavoce.errors import ModelError


class EnergyVoiceActivity:
    """Speech is what is loud."""

    step = 512

    def open(self):
        return EnergyStream()


class EnergyStream:
    def __init__(self):
        self.rest = np.empty(0, np.float32)

    async def push(self, audio):
        self.rest = np.concatenate([self.rest, audio])
        steps = len(self.rest) // 512
        loud = [
            0.95 if np.abs(self.rest[i * 512 : (i + 1) * 512]).mean() > 0.05 else 0.02 for i in range(steps)
        ]
        self.rest = self.rest[steps * 512 :]
        return loud


class ScriptedRecogniser:
    def __init__(self, *texts):
        self.texts = list(texts)
        self.heard = []
        self.fail = False

    async def transcribe(self, audio, *, language=None, prompt=None, effort="final"):
        self.heard.append((len(audio) / 16_000, effort))
        await asyncio.sleep(0)
        if self.fail:
            raise ModelError("the recogniser is out of order")
        if effort == "partial":
            return Transcription("")
        return Transcription(self.texts.pop(0) if len(self.texts) > 1 else self.texts[0])


class ScriptedEndOfTurn:
    """A turn is complete when its words end with a full stop or a question mark."""

    async def probability(self, audio, transcript):
        return 0.9 if transcript.endswith((".", "?")) else 0.1


class ScriptedLanguageModel:
    """Writes the scripted pieces; None in the script waits for ``gate``."""

    name = "scripted"

    def __init__(self, *pieces):
        self.pieces = pieces
        self.prompts = []
        self.prepared = []
        self.gate = asyncio.Event()
        self.running = 0
        self.fail_at = None

    async def prepare(self, prompt):
        self.prepared.append(prompt)

    async def generate(self, prompt, *, max_tokens, temperature=0.4):
        self.prompts.append(prompt)
        self.running += 1
        try:
            for number, piece in enumerate(self.pieces):
                await asyncio.sleep(0)
                if number == self.fail_at:
                    raise ModelError("the language model is out of order")
                if piece is None:
                    await self.gate.wait()
                else:
                    yield TextDelta(piece)
            yield Finished("stop", 20, len(self.pieces))
        finally:
            self.running -= 1


class ToneSynthesiser:
    """A tone of 50 ms for each character."""

    rate = 24_000

    def __init__(self, rate=24_000):
        self.rate = rate
        self.voices = {name: Voice(name, "a tone") for name in ("alloy", "marin")}
        self.spoken = []

    async def synthesise(self, text, *, voice, speed=1.0):
        self.spoken.append((text, voice, speed))
        for _ in text:
            await asyncio.sleep(0)
            time = np.arange(int(0.05 * self.rate)) / self.rate
            yield (0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)


def models(*pieces, words="Hello.", synthesiser=None):
    return Models(
        EnergyVoiceActivity(),
        ScriptedEndOfTurn(),
        ScriptedRecogniser(words),
        ScriptedLanguageModel(*(pieces or ("Hi ", "there."))),
        synthesiser or ToneSynthesiser(),
    )
