"""What a session's state machine asks of the shell around it: send an event, or set a model to work."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vivavoce.engine.models.protocols import Prompt
from vivavoce.protocol.server_events import ServerEvent

__all__ = [
    "CancelRecognition",
    "Close",
    "Effect",
    "Generate",
    "Judge",
    "Listen",
    "Prepare",
    "Recognise",
    "Send",
    "Synthesise",
]


@dataclass(frozen=True, slots=True)
class Send:
    """Send an event to the client."""

    event: ServerEvent


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection, after everything sent so far."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Listen:
    """Hand audio (PCM16, 24 kHz) to the voice detector; a new number starts a new stream."""

    listening: int
    pcm: npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Recognise:
    """Transcribe an utterance, or what there is of it."""

    utterance: int
    pcm: npt.NDArray[np.int16]
    final: bool
    language: str | None = None
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class Judge:
    """Tell whether an utterance that paused here, with these words, is complete."""

    utterance: int
    pcm: npt.NDArray[np.int16]
    text: str


@dataclass(frozen=True, slots=True)
class CancelRecognition:
    """Nobody waits for this utterance any more."""

    utterance: int


@dataclass(frozen=True, slots=True)
class Prepare:
    """Let the language model read a prompt ahead of time; a later `Generate` takes precedence."""

    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Generate:
    """Write an answer."""

    generation: int
    prompt: Prompt
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Synthesise:
    """Speak a clause; the clauses of a generation are spoken in the order they are asked for."""

    generation: int
    clause: int
    text: str
    voice: str
    speed: float


@dataclass(frozen=True, slots=True)
class EndGeneration:
    """Stop writing and speaking this answer, if that goes on still, and free what it held."""

    generation: int


Effect = (
    Send
    | Close
    | Listen
    | Recognise
    | Judge
    | CancelRecognition
    | Prepare
    | Generate
    | Synthesise
    | EndGeneration
)
