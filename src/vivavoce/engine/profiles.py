"""Which models make up an engine, and how they are loaded.

==========  ===============  ==================================  ===========  =========================
profile     recogniser       language model                      synthesiser  for
==========  ===============  ==================================  ===========  =========================
default     Whisper base     Qwen2.5-Coder-1.5B-Instruct Q4_K_M  hibari       two cores, 3 GB of memory
compact     Whisper base     Qwen2.5-Coder-0.5B-Instruct Q4_K_M  hibari       1.5 GB of memory
small       Moonshine tiny   SmolLM2-135M-Instruct Q4_1          hibari       trying it out, and tests
==========  ===============  ==================================  ===========  =========================

All of them detect voice with Silero and judge pauses with Smart Turn. The language model decides the size; the
other parts are small. Each of the three in the table may be another one (`choices`), on this machine or behind a
server.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeVar, cast

from vivavoce.engine import parts
from vivavoce.engine.capacity import Costs
from vivavoce.engine.choices import Choice, Known, Part
from vivavoce.engine.measuring import measure
from vivavoce.engine.models.protocols import EndOfTurn, Recogniser, Synthesiser, VoiceActivity
from vivavoce.engine.runtime import Models
from vivavoce.engine.weights import CATALOGUE, Progress

__all__ = ["PROFILES", "Loaded", "Profile", "Report"]

A = TypeVar("A")
B = TypeVar("B")

ANSWER_RESERVE = 600
"""Tokens of the language model's context that are kept for the answer."""


WHISPER, HIBARI, SMART_TURN = Known("whisper-base"), Known("hibari"), Known("smart-turn-v3.2")


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
    """A choice of models."""

    language_model: Choice
    recogniser: Choice = WHISPER
    synthesiser: Choice = HIBARI
    end_of_turn: Known = SMART_TURN

    def with_parts(self, chosen: Mapping[Part, Choice]) -> Self:
        """Return the profile with other models for some of its parts."""
        return replace(
            self,
            language_model=chosen.get("language_model", self.language_model),
            recogniser=chosen.get("recogniser", self.recogniser),
            synthesiser=chosen.get("synthesiser", self.synthesiser),
        )

    @property
    def weights(self) -> tuple[str, ...]:
        """All weights of the catalogue that are needed."""
        known = (choice.name for choice in self._fetched.values() if isinstance(choice, Known))
        return tuple(name for name in known if name in CATALOGUE)

    async def load(self, report: Report) -> Loaded:
        """Fetch what is missing, load everything, and let every model answer once.

        Raises `vivavoce.errors.WeightsError` or `vivavoce.errors.ModelError`.
        """
        report.stage("weights")
        files = {
            part: await parts.fetch(part, choice, report.progress) for part, choice in self._fetched.items()
        }
        report.stage("models")
        async with AsyncExitStack() as stack:
            # The language model waits for the disk most of the time: the others load meanwhile.
            writer, (ear, judge, recogniser, synthesiser) = await _both(
                parts.load_language_model(self.language_model, files["language_model"], stack),
                self._load_speech(files, stack),
            )
            models = Models(ear, judge, recogniser, writer, synthesiser)
            return Loaded(
                models=models,
                names={
                    "voice_activity": "silero",
                    "end_of_turn": str(self.end_of_turn),
                    "recogniser": str(self.recogniser),
                    "language_model": str(self.language_model),
                    "synthesiser": str(self.synthesiser),
                },
                budget_tokens=parts.context_tokens(self.language_model) - ANSWER_RESERVE,
                costs=await measure(models),
                close=stack.pop_all().aclose,
            )

    @property
    def _fetched(self) -> dict[str, Choice]:
        return {
            "recogniser": self.recogniser,
            "end_of_turn": self.end_of_turn,
            "language_model": self.language_model,
            "synthesiser": self.synthesiser,
        }

    async def _load_speech(
        self, files: Mapping[str, Path | None], stack: AsyncExitStack
    ) -> tuple[VoiceActivity, EndOfTurn, Recogniser, Synthesiser]:
        return (
            await parts.load_voice_activity(stack),
            await parts.load_end_of_turn(self.end_of_turn, files["end_of_turn"], stack),
            await parts.load_recogniser(self.recogniser, files["recogniser"], stack),
            await parts.load_synthesiser(self.synthesiser, files["synthesiser"], stack),
        )


async def _both(one: Awaitable[A], other: Awaitable[B]) -> tuple[A, B]:
    """Wait for both even if one fails, so that nothing is still loading when the stack closes what was loaded."""
    results = await asyncio.gather(one, other, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return cast("tuple[A, B]", tuple(results))


PROFILES = {
    "default": Profile(Known("qwen2.5-coder-1.5b")),
    "compact": Profile(Known("qwen2.5-coder-0.5b")),
    "small": Profile(Known("smollm2-135m"), recogniser=Known("moonshine-tiny-en")),
}
"""The profiles by name."""
