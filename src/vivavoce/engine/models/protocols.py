"""What the engine asks of a model: five small protocols, one for each stage of a spoken turn.

Every method that works is a coroutine or an asynchronous iterator, so that a model in this process (which
runs in threads of its own) and a model behind HTTP look the same, and neither ever blocks the event loop.
One object of each kind is loaded once and shared by all sessions; what a session must keep (the recurrent
state of a voice detector) lives in a stream that the model opens for it.

Cancelling is done in the ways of asyncio: cancel the task that awaits, or ``aclose()`` the iterator. A model
stops working within a few tens of milliseconds of that and is free for the next caller.

Audio into a model is `Samples` at `MODEL_RATE`; audio out of a synthesiser is `Samples` at its own ``rate``.
Failures are `vivavoce.errors.ModelError`.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

__all__ = [
    "MODEL_RATE",
    "ArgumentsDelta",
    "Call",
    "CallStarted",
    "Choosy",
    "EndOfTurn",
    "Finished",
    "Forgetful",
    "Function",
    "Generated",
    "LanguageModel",
    "Message",
    "Prompt",
    "Recogniser",
    "Samples",
    "Synthesiser",
    "TextDelta",
    "Transcription",
    "Voice",
    "VoiceActivity",
    "VoiceActivityStream",
]

Samples = npt.NDArray[np.float32]
"""Mono audio, shape (n,), in [-1, 1]."""

MODEL_RATE = 16_000
"""Samples per second of the audio that goes into a model."""


class VoiceActivityStream(Protocol):
    """One listener's voice detector: it has heard everything pushed so far."""

    async def push(self, audio: Samples) -> list[float]:
        """Take more audio of any length; return the probability of speech for every whole step it completes."""
        ...


class VoiceActivity(Protocol):
    """Tells speech from everything else, step by step."""

    @property
    def step(self) -> int:
        """Samples at `MODEL_RATE` that one probability stands for."""
        ...

    def open(self) -> VoiceActivityStream:
        """Start listening to one stream of audio."""
        ...


class EndOfTurn(Protocol):
    """Tells whether a speaker who fell silent has finished."""

    async def probability(self, audio: Samples, transcript: str) -> float:
        """Return how likely the turn is complete, given its audio so far and what was understood of it."""
        ...


@dataclass(frozen=True, slots=True)
class Transcription:
    """What a recogniser understood."""

    text: str
    """The words, without surrounding white space; empty when nothing was said."""
    no_speech: float = 0.0
    """Probability that there was no speech at all."""
    language: str | None = None
    """ISO-639-1, where the recogniser tells languages apart."""
    tokens: int = 0
    """Tokens decoded, for usage."""


class Recogniser(Protocol):
    """Turns speech into text."""

    async def transcribe(
        self,
        audio: Samples,
        *,
        language: str | None = None,
        prompt: str | None = None,
        effort: Literal["partial", "final"] = "final",
    ) -> Transcription:
        """Transcribe one utterance.

        ``effort`` is "partial" while the speaker goes on (fast, greedy) and "final" for the text that is kept.
        ``prompt`` names words to expect. Returns an empty text for silence, never invented words.
        """
        ...


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a model may call."""

    name: str
    description: str = ""
    parameters: str = "{}"
    """JSON schema of the arguments, an object, as JSON."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that a model made."""

    call_id: str
    name: str
    arguments: str
    """JSON, as the model wrote it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a prompt, as chat templates have them."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str = ""
    calls: tuple[Call, ...] = ()
    """What an assistant called."""
    call_id: str = ""
    """Which call a tool's message answers."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that a language model is given.

    Two prompts of one conversation share their beginning byte for byte, so that a model that keeps what it
    computed for a prefix has little left to read.
    """

    messages: tuple[Message, ...]
    unfinished: bool = False
    """Whether the last message is still being spoken, and more of it may follow."""
    functions: tuple[Function, ...] = ()
    """What may be called."""
    tool_choice: Literal["auto", "none", "required"] = "auto"
    """Whether something must be called, may be, or may not; without ``functions`` nothing can be."""
    must_call: str | None = None
    """With "required": the one of the functions that must be called."""
    parallel_calls: bool = True
    """Whether an answer may call more than once."""
    conversation: str = ""
    """The id of the conversation that goes on with this prompt, even where it begins otherwise than the one before; ""
    for a prompt beside it."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A call begins; its arguments follow, until another call begins or the generation is finished."""

    name: str


@dataclass(frozen=True, slots=True)
class ArgumentsDelta:
    """A piece of the arguments of the call that began last; joined, they are one JSON object."""

    text: str


Generated = TextDelta | CallStarted | ArgumentsDelta
"""What an answer is made of: first what is said, if anything, then the calls."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The last thing a generation yields."""

    reason: Literal["stop", "length"]
    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    """Input tokens that needed no reading; a part of ``input_tokens``."""


class LanguageModel(Protocol):
    """Writes an answer, piece by piece."""

    @property
    def name(self) -> str:
        """What to call the model in logs and on ``/health``."""
        ...

    async def prepare(self, prompt: Prompt) -> None:
        """Read a prompt ahead of time, so that a generation that begins with it starts at once."""
        ...

    def generate(
        self, prompt: Prompt, *, max_tokens: int, temperature: float = 0.4
    ) -> AsyncGenerator[Generated | Finished, None]:
        """Stream an answer of at most ``max_tokens`` tokens; the last thing yielded is `Finished`.

        At a ``temperature`` of 0.4 small models know as much as at 0.8 (ten facts asked three times: 19 of 30 right
        with SmolLM2 at both) and ramble less (23 words to an answer, not 31).
        """
        ...


@runtime_checkable
class Choosy(Protocol):
    """A language model that cannot call every function."""

    def check(self, function: Function) -> None:
        """Raise `ValueError`, which says what was expected, for a function that it cannot call."""
        ...


@runtime_checkable
class Forgetful(Protocol):
    """A language model that keeps what it read of so many conversations, and reads every other one again."""

    @property
    def conversations(self) -> int:
        """How many."""
        ...


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice of a synthesiser."""

    name: str
    description: str
    language: str = "en"


class Synthesiser(Protocol):
    """Turns text into speech."""

    @property
    def rate(self) -> int:
        """Samples per second of the audio that comes out."""
        ...

    @property
    def voices(self) -> Mapping[str, Voice]:
        """The voices by the protocol's names (alloy, marin, …); the first is the default."""
        ...

    def synthesise(self, text: str, *, voice: str, speed: float = 1.0) -> AsyncGenerator[Samples, None]:
        """Stream the speech for a clause or a sentence; ``speed`` is 0.25 to 1.5, 1.0 as trained."""
        ...
