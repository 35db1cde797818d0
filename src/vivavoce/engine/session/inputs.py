"""What a session's state machine is told: client events aside, these are the answers of the models.

Each answer carries the number of the work that it belongs to (an utterance, a generation, a listening), so
that an answer to work that was dropped in the meantime is recognised and dropped too.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vivavoce.engine.models.protocols import Finished, Transcription

__all__ = [
    "ArgumentsWritten",
    "CallStarted",
    "Expired",
    "GenerationFailed",
    "GenerationFinished",
    "Judged",
    "ModelAnswer",
    "Recognised",
    "RecognitionFailed",
    "SpeechFinished",
    "SpeechSynthesised",
    "TextGenerated",
    "VoiceHeard",
]


@dataclass(frozen=True, slots=True)
class VoiceHeard:
    """The voice detector finished some steps; one probability of speech for each, in order."""

    listening: int
    probabilities: list[float]


@dataclass(frozen=True, slots=True)
class Recognised:
    """The recogniser understood an utterance, or its first ``samples`` samples."""

    utterance: int
    samples: int
    final: bool
    transcription: Transcription


@dataclass(frozen=True, slots=True)
class RecognitionFailed:
    """The recogniser gave up on an utterance."""

    utterance: int
    samples: int
    final: bool
    message: str


@dataclass(frozen=True, slots=True)
class Judged:
    """How likely an utterance is complete that paused after ``samples`` samples."""

    utterance: int
    samples: int
    probability: float


@dataclass(frozen=True, slots=True)
class TextGenerated:
    """The language model wrote a piece of the answer."""

    generation: int
    text: str


@dataclass(frozen=True, slots=True)
class CallStarted:
    """The language model calls a function; the arguments follow."""

    generation: int
    name: str


@dataclass(frozen=True, slots=True)
class ArgumentsWritten:
    """The language model wrote a piece of the arguments of the call that it started last."""

    generation: int
    text: str


@dataclass(frozen=True, slots=True)
class GenerationFinished:
    """The language model has no more to say."""

    generation: int
    finished: Finished


@dataclass(frozen=True, slots=True)
class GenerationFailed:
    """A model failed in the middle of an answer."""

    generation: int
    message: str


@dataclass(frozen=True, slots=True)
class SpeechSynthesised:
    """More speech of a clause: PCM16 at 24 kHz."""

    generation: int
    clause: int
    pcm: npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class SpeechFinished:
    """A clause has been spoken to its end."""

    generation: int
    clause: int


@dataclass(frozen=True, slots=True)
class Expired:
    """The session has lasted as long as a session may."""


ModelAnswer = (
    VoiceHeard
    | Recognised
    | RecognitionFailed
    | Judged
    | TextGenerated
    | CallStarted
    | ArgumentsWritten
    | GenerationFinished
    | GenerationFailed
    | SpeechSynthesised
    | SpeechFinished
)
