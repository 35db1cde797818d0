"""Which models make up an engine, and how they are loaded.

==========  ===============  ==================================  ===========  =========================
profile     recogniser       language model                      synthesiser  for
==========  ===============  ==================================  ===========  =========================
default     Whisper base     Qwen2.5-Coder-1.5B-Instruct Q4_K_M  hibari       two cores, 3 GB of memory
compact     Whisper base     Qwen2.5-Coder-0.5B-Instruct Q4_K_M  hibari       1.5 GB of memory
small       Moonshine tiny   SmolLM2-135M-Instruct Q4_1          hibari       trying it out, and tests
==========  ===============  ==================================  ===========  =========================

All of them detect voice with Silero and judge pauses with Smart Turn. The language model decides the size; the
other parts are small.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, TypeVar, cast

from vivavoce.engine.capacity import Costs
from vivavoce.engine.measuring import measure
from vivavoce.engine.models.protocols import (
    EndOfTurn,
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

A = TypeVar("A")
B = TypeVar("B")

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
    costs: Costs | None = None
    """What the models cost here; None where nobody knows, and nothing limits the number of sessions."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A choice of models, by the names of their weights."""

    language_model: str
    recogniser: str = "whisper-base"
    end_of_turn: str = "smart-turn-v3.2"

    @property
    def weights(self) -> tuple[str, ...]:
        """All weights that are needed."""
        return (self.recogniser, self.end_of_turn, self.language_model)

    async def load(self, report: Report) -> Loaded:
        """Fetch what is missing, load everything, and let every model answer once.

        Raises `vivavoce.errors.WeightsError` or `vivavoce.errors.ModelError`.
        """
        report.stage("weights")
        folders = {name: await ensure(name, progress=report.progress) for name in self.weights}
        report.stage("models")
        async with AsyncExitStack() as stack:
            # The language model waits for the disk most of the time: the others load meanwhile.
            writer, speech = await _both(
                _writer(folders[self.language_model], self.language_model, stack),
                _speech(folders[self.recogniser], folders[self.end_of_turn], stack),
            )
            models = Models(language_model=writer, **speech)
            return Loaded(
                models=models,
                names={
                    "voice_activity": "silero",
                    "end_of_turn": self.end_of_turn,
                    "recogniser": self.recogniser,
                    "language_model": self.language_model,
                    "synthesiser": "hibari",
                },
                budget_tokens=CONTEXT_TOKENS - ANSWER_RESERVE,
                costs=await measure(models),
                close=stack.pop_all().aclose,
            )


async def _both(one: Awaitable[A], other: Awaitable[B]) -> tuple[A, B]:
    """Wait for both even if one fails, so that nothing is still loading when the stack closes what was loaded."""
    results = await asyncio.gather(one, other, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return cast("tuple[A, B]", tuple(results))


# The models bring large libraries along, which only an engine that is really started should import.


class _Speech(TypedDict):
    voice_activity: VoiceActivity
    end_of_turn: EndOfTurn
    recogniser: Recogniser
    synthesiser: Synthesiser


async def _writer(folder: Path, name: str, stack: AsyncExitStack) -> LanguageModel:
    from vivavoce.engine.models.llama import LlamaLanguageModel  # noqa: PLC0415

    model = await LlamaLanguageModel.load(folder, name=name, context_tokens=CONTEXT_TOKENS)
    stack.push_async_callback(model.close)
    await model.prepare(Prompt((Message("system", DEFAULT_INSTRUCTIONS),)))
    return model


async def _speech(words: Path, pauses: Path, stack: AsyncExitStack) -> _Speech:
    from vivavoce.engine.models.hibari import HibariSynthesiser  # noqa: PLC0415
    from vivavoce.engine.models.moonshine import MoonshineRecogniser  # noqa: PLC0415
    from vivavoce.engine.models.silero import SileroVoiceActivity  # noqa: PLC0415
    from vivavoce.engine.models.smart_turn import SmartTurn  # noqa: PLC0415
    from vivavoce.engine.models.whisper import WhisperRecogniser  # noqa: PLC0415

    recognisers: dict[str, type[WhisperRecogniser | MoonshineRecogniser]] = {
        "whisper-base": WhisperRecogniser,
        "moonshine-tiny-en": MoonshineRecogniser,
    }

    def load() -> (
        "tuple[SileroVoiceActivity, SmartTurn, WhisperRecogniser | MoonshineRecogniser, HibariSynthesiser]"
    ):
        return SileroVoiceActivity(), SmartTurn(pauses), recognisers[words.name](words), HibariSynthesiser()

    models = await asyncio.to_thread(load)
    for model in models:
        stack.push_async_callback(model.close)
        await model.warm_up()
    silero, turn, recogniser, hibari = models
    return {
        "voice_activity": silero,
        "end_of_turn": turn,
        "recogniser": recogniser,
        "synthesiser": hibari,
    }


PROFILES = {
    "default": Profile("qwen2.5-coder-1.5b"),
    "compact": Profile("qwen2.5-coder-0.5b"),
    "small": Profile("smollm2-135m", recogniser="moonshine-tiny-en"),
}
"""The profiles by name."""
