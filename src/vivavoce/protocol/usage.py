"""Usage: the tokens that a response or a transcription took, by modality.

A count that a server leaves out reads as 0. Cached tokens are a subset of the input tokens.
"""

from msgspec import UNSET, Struct, UnsetType, field

from ._struct import Maybe, Tagged

__all__ = [
    "CachedTokensDetails",
    "InputTokenDetails",
    "Logprob",
    "OutputTokenDetails",
    "TranscriptionDuration",
    "TranscriptionTokenDetails",
    "TranscriptionTokens",
    "TranscriptionUsage",
    "Usage",
]


class CachedTokensDetails(Struct, kw_only=True):
    """The input tokens that came out of the cache."""

    text_tokens: int = 0
    audio_tokens: int = 0
    image_tokens: int = 0


class InputTokenDetails(Struct, kw_only=True):
    """The input tokens of a response."""

    text_tokens: int = 0
    audio_tokens: int = 0
    image_tokens: int = 0
    cached_tokens: int = 0
    cached_tokens_details: CachedTokensDetails | None = field(default_factory=CachedTokensDetails)


class OutputTokenDetails(Struct, kw_only=True):
    """The output tokens of a response."""

    text_tokens: int = 0
    audio_tokens: int = 0
    reasoning_tokens: int | UnsetType = UNSET
    """Sent by models that reason."""


class Usage(Struct, kw_only=True):
    """The tokens of one response."""

    total_tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    input_token_details: InputTokenDetails | None = field(default_factory=InputTokenDetails)
    output_token_details: OutputTokenDetails | None = field(default_factory=OutputTokenDetails)


class TranscriptionTokenDetails(Struct, kw_only=True):
    """The input tokens of a transcription."""

    text_tokens: int | UnsetType = UNSET
    audio_tokens: int | UnsetType = UNSET


class TranscriptionTokens(Tagged, kw_only=True, tag="tokens"):
    """A transcription counted in tokens."""

    total_tokens: int
    input_tokens: int
    input_token_details: Maybe[TranscriptionTokenDetails] = UNSET
    output_tokens: int


class TranscriptionDuration(Tagged, kw_only=True, tag="duration"):
    """A transcription counted in seconds of audio."""

    seconds: int | float


TranscriptionUsage = TranscriptionTokens | TranscriptionDuration


class Logprob(Struct, kw_only=True):
    """How sure the recogniser was of one token."""

    token: str
    logprob: float
    bytes: list[int]
