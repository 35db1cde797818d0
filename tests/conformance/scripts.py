"""What stock clients can hold a conversation with: models that are scripted, and noise that they take for speech."""

from dataclasses import dataclass, field, replace

import numpy as np

from tests.engine import fakes
from vivavoce.engine.models.protocols import (
    ArgumentsDelta,
    CallStarted,
    Finished,
    Generated,
    Prompt,
    TextDelta,
    Voice,
)
from vivavoce.protocol.session import VOICES


@dataclass
class Call:
    """A call that is written in pieces."""

    name: str
    pieces: tuple[str, ...]


@dataclass
class CallingLanguageModel:
    """Calls what it is scripted to, if it may, and says what the calls brought: "Results: A, B."."""

    calls: list[Call]
    name: str = "calling"
    prompts: list[Prompt] = field(default_factory=list)

    async def prepare(self, prompt):
        """Have nothing to prepare."""

    async def generate(self, prompt, *, max_tokens, temperature=0.4):
        self.prompts.append(prompt)
        for piece in self._answer(prompt):
            yield piece
        yield Finished("stop", 20, 5)

    def _answer(self, prompt) -> list[Generated]:
        results = [message.text for message in prompt.messages if message.role == "tool"]
        if results or not prompt.functions or prompt.tool_choice == "none":
            return [TextDelta(f"Results: {', '.join(results) or 'none'}.")]
        written: list[Generated] = []
        for call in self.calls:
            written += [CallStarted(call.name), *(ArgumentsDelta(piece) for piece in call.pieces)]
        return written


def models(*pieces, words="What time is it?"):
    """Models that speak with every voice that the protocol names; a piece of None waits for the model's gate."""
    synthesiser = fakes.ToneSynthesiser()
    synthesiser.voices = {name: Voice(name, "a tone") for name in VOICES}
    return fakes.models(*pieces, words=words, synthesiser=synthesiser)


def calling(*calls):
    """Models of which the language model calls functions."""
    return replace(models("never said"), language_model=CallingLanguageModel(list(calls)))


def noise(*spans):
    """PCM16 at 24 kHz: spans of (seconds, amplitude) of noise, which is speech to these models if it is loud."""
    random = np.random.default_rng(3)
    parts = [random.uniform(-amplitude, amplitude, int(seconds * 24_000)) for seconds, amplitude in spans]
    return (np.concatenate(parts) * 32767).astype("<i2").tobytes()
