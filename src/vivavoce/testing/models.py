"""The models of a scripted engine: one writes what a prompt's cue says, one speaks in tones."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field

import numpy as np

from vivavoce.engine.models.protocols import Finished, Generated, Prompt, Samples, Voice
from vivavoce.errors import ModelError
from vivavoce.protocol.session import VOICES
from vivavoce.testing.play import Cue

__all__ = ["CHARACTERS_PER_SECOND", "CuedPrompt", "ScriptedLanguageModel", "ToneSynthesiser"]

CHARACTERS_PER_SECOND = 15
"""How fast English is spoken, at 150 to 180 words in a minute."""

CHUNK_SECONDS = 0.2
RAMP_SECONDS = 0.005
"""How long a tone takes to swell, so that it does not click."""

LOWEST_HZ = 220.0


@dataclass(frozen=True, slots=True)
class CuedPrompt(Prompt):
    """A prompt that comes with its answer."""

    cue: Cue = field(default_factory=Cue)


class ScriptedLanguageModel:
    """Writes the cue of a `CuedPrompt`. A token is a piece of what is written, and a word of what is read."""

    name = "script"

    async def prepare(self, prompt: Prompt) -> None:
        """Do nothing: there is nothing to read ahead."""

    async def generate(
        self,
        prompt: Prompt,
        *,
        max_tokens: int,
        temperature: float = 0.4,  # noqa: ARG002 - the protocol of a language model
    ) -> AsyncGenerator[Generated | Finished, None]:
        """Stream the cue, as slowly as it says. Raises `ModelError` where the cue does, or where there is none."""
        if not isinstance(prompt, CuedPrompt):
            raise ModelError(
                "A scripted model only writes what a script says: expected a CuedPrompt, got a Prompt."
            )
        cue = prompt.cue
        await asyncio.sleep(cue.delay_s)
        for number, piece in enumerate(cue.pieces[:max_tokens]):
            if number:
                await asyncio.sleep(cue.pace_s)
            yield piece
        if cue.failure is not None:
            raise ModelError(cue.failure.message)
        short = cue.incomplete is not None or len(cue.pieces) > max_tokens
        read = sum(len(message.text.split()) for message in prompt.messages)
        yield Finished("length" if short else "stop", read, min(len(cue.pieces), max_tokens))


class ToneSynthesiser:
    """Speaks in tones, one height for each voice, or in silence; a text lasts as long as a person would take."""

    rate = 24_000

    def __init__(self, *, loudness: float = 0.3) -> None:
        self._loudness = loudness
        self._hertz = {name: LOWEST_HZ * 2 ** (number / 12) for number, name in enumerate(VOICES)}

    @property
    def voices(self) -> Mapping[str, Voice]:
        """All voices of the protocol."""
        return {name: Voice(name, f"a tone of {hertz:.0f} Hz") for name, hertz in self._hertz.items()}

    async def synthesise(self, text: str, *, voice: str, speed: float = 1.0) -> AsyncGenerator[Samples, None]:
        """Stream a tone of `CHARACTERS_PER_SECOND` at speed 1."""
        length = int(len(text) / CHARACTERS_PER_SECOND / speed * self.rate)
        ramp, chunk = int(RAMP_SECONDS * self.rate), int(CHUNK_SECONDS * self.rate)
        for start in range(0, length, chunk):
            await asyncio.sleep(0)
            at = np.arange(start, min(start + chunk, length))
            swell = np.minimum(1, np.minimum(at, length - at) / ramp)
            tone: Samples = (
                self._loudness * swell * np.sin(2 * np.pi * self._hertz[voice] / self.rate * at)
            ).astype(np.float32)
            yield tone
