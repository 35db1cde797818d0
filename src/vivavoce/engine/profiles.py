"""Which models make up an engine, and how they are loaded.

==========  ===============  ==================================  ===========  =========================
profile     recogniser       language model                      synthesiser  for
==========  ===============  ==================================  ===========  =========================
default     Whisper base     Qwen2.5-Coder-1.5B-Instruct Q4_K_M  hibari       two cores, 3 GB of memory
compact     Whisper base     Qwen2.5-Coder-0.5B-Instruct Q4_K_M  hibari       1.5 GB of memory
small       Whisper base     SmolLM2-135M-Instruct Q4_1          hibari       trying it out, and tests
==========  ===============  ==================================  ===========  =========================

All of them detect voice with Silero. The language model decides the size; the other parts are small.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from vivavoce.engine.models.protocols import (
    LanguageModel,
    Message,
    Prompt,
    Recogniser,
    Synthesiser,
    VoiceActivity,
)
from vivavoce.engine.runtime import Models
from vivavoce.engine.session.config import DEFAULT_INSTRUCTIONS
from vivavoce.engine.weights import Progress, ensure

__all__ = ["PROFILES", "Loaded", "Profile", "Report"]

CONTEXT_TOKENS = 4096
"""What the language model can have in mind at once."""

ANSWER_RESERVE = 600
"""Tokens of the language model's context that are kept for the answer."""


@dataclass(frozen=True, slots=True)
class Report:
    """Who is told how loading goes."""

    stage: Callable[[str], None]
    progress: Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Models that answer, and how to let go of them."""

    models: Models
    names: dict[str, str]
    """What each part is, for people."""
    budget_tokens: int
    """The longest prompt that the language model takes."""
    close: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Profile:
    """A choice of models, by the names of their weights."""

    recogniser: str
    language_model: str

    async def load(self, report: Report) -> Loaded:
        """Fetch what is missing, load everything, and let every model answer once.

        Raises `vivavoce.errors.WeightsError` or `vivavoce.errors.ModelError`.
        """
        report.stage("weights")
        recogniser = await ensure(self.recogniser, progress=report.progress)
        language_model = await ensure(self.language_model, progress=report.progress)
        report.stage("models")
        async with AsyncExitStack() as stack:
            loaded = await _models(recogniser, language_model, self.language_model, stack)
            return Loaded(
                models=loaded,
                names={
                    "voice_activity": "silero",
                    "recogniser": self.recogniser,
                    "language_model": self.language_model,
                    "synthesiser": "hibari",
                },
                budget_tokens=CONTEXT_TOKENS - ANSWER_RESERVE,
                close=stack.pop_all().aclose,
            )


async def _models(recogniser: Path, language_model: Path, name: str, stack: AsyncExitStack) -> Models:
    """Load the models, and let each answer once; the stack closes what was loaded."""
    # The language model waits for the disk most of the time: the others load meanwhile.
    loaded = await asyncio.gather(
        _writer(language_model, name, stack), _speech(recogniser, stack), return_exceptions=True
    )
    for result in loaded:
        if isinstance(result, BaseException):
            raise result
    writer, (voice_activity, listener, speaker) = cast("_Loaded", tuple(loaded))
    return Models(voice_activity, listener, writer, speaker)


_Loaded = tuple[LanguageModel, tuple[VoiceActivity, Recogniser, Synthesiser]]

# The models bring large libraries along, which only an engine that is really started should import.


async def _writer(folder: Path, name: str, stack: AsyncExitStack) -> LanguageModel:
    from vivavoce.engine.models.llama import LlamaLanguageModel  # noqa: PLC0415

    model = await LlamaLanguageModel.load(folder, name=name, context_tokens=CONTEXT_TOKENS)
    stack.push_async_callback(model.close)
    await model.prepare(Prompt((Message("system", DEFAULT_INSTRUCTIONS),)))
    return model


async def _speech(folder: Path, stack: AsyncExitStack) -> tuple[VoiceActivity, Recogniser, Synthesiser]:
    from vivavoce.engine.models.hibari import HibariSynthesiser  # noqa: PLC0415
    from vivavoce.engine.models.silero import SileroVoiceActivity  # noqa: PLC0415
    from vivavoce.engine.models.whisper import WhisperRecogniser  # noqa: PLC0415

    def load() -> "tuple[SileroVoiceActivity, WhisperRecogniser, HibariSynthesiser]":
        return SileroVoiceActivity(), WhisperRecogniser(folder), HibariSynthesiser()

    models = await asyncio.to_thread(load)
    for model in models:
        stack.push_async_callback(model.close)
        await model.warm_up()
    return models


PROFILES = {
    "default": Profile("whisper-base", "qwen2.5-coder-1.5b"),
    "compact": Profile("whisper-base", "qwen2.5-coder-0.5b"),
    "small": Profile("whisper-base", "smollm2-135m"),
}
"""The profiles by name."""
