"""What a client asks of a session, in ``session.update`` or in the body of ``/v1/realtime/client_secrets``.

Every field but ``type`` may be absent, which leaves it as it is; null is another thing (``turn_detection``
null turns the detection off). Unknown fields are refused.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct

from ._struct import Maybe, Tagged
from .session import (
    MAX_OUTPUT_TOKENS,
    MAX_SPEED,
    MIN_SPEED,
    AudioFormat,
    Eagerness,
    Include,
    Modality,
    NoiseReduction,
    Prompt,
    Reasoning,
    Tracing,
    Truncation,
    Voice,
)
from .tools import Tool, ToolChoice

__all__ = [
    "AudioInputParams",
    "AudioOutputParams",
    "AudioParams",
    "MaxOutputTokens",
    "Milliseconds",
    "RealtimeSessionParams",
    "SemanticVadParams",
    "ServerVadParams",
    "SessionParams",
    "TranscriptionAudioParams",
    "TranscriptionParams",
    "TranscriptionSessionParams",
    "TurnDetectionParams",
]

Milliseconds = Annotated[int, Meta(ge=0)]
MaxOutputTokens = Annotated[int, Meta(ge=1, le=MAX_OUTPUT_TOKENS)] | Literal["inf"]


class TranscriptionParams(Struct, kw_only=True, forbid_unknown_fields=True):
    """How the user's speech should be transcribed."""

    model: Maybe[str] = UNSET
    language: Maybe[str] = UNSET
    prompt: Maybe[str] = UNSET
    delay: Maybe[Literal["minimal", "low", "medium", "high", "xhigh"]] = UNSET
    """Only with gpt-realtime-whisper."""
    keywords: Maybe[list[str]] = UNSET
    languages: Maybe[list[str]] = UNSET


class ServerVadParams(Tagged, kw_only=True, forbid_unknown_fields=True, tag="server_vad"):
    """End the turn on silence."""

    threshold: Maybe[Annotated[float, Meta(ge=0, le=1)]] = UNSET
    prefix_padding_ms: Maybe[Milliseconds] = UNSET
    silence_duration_ms: Maybe[Milliseconds] = UNSET
    idle_timeout_ms: Maybe[Annotated[int, Meta(ge=5000, le=30_000)]] = UNSET
    create_response: Maybe[bool] = UNSET
    interrupt_response: Maybe[bool] = UNSET


class SemanticVadParams(Tagged, kw_only=True, forbid_unknown_fields=True, tag="semantic_vad"):
    """End the turn on sense."""

    eagerness: Maybe[Eagerness] = UNSET
    create_response: Maybe[bool] = UNSET
    interrupt_response: Maybe[bool] = UNSET


TurnDetectionParams = ServerVadParams | SemanticVadParams


class AudioInputParams(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the server should do with the audio that it hears."""

    format: Maybe[AudioFormat] = UNSET
    transcription: Maybe[TranscriptionParams] = UNSET
    noise_reduction: Maybe[NoiseReduction] = UNSET
    turn_detection: Maybe[TurnDetectionParams] = UNSET


class AudioOutputParams(Struct, kw_only=True, forbid_unknown_fields=True):
    """How the server should speak."""

    format: Maybe[AudioFormat] = UNSET
    voice: Maybe[Voice] = UNSET
    speed: Maybe[Annotated[float, Meta(ge=MIN_SPEED, le=MAX_SPEED)]] = UNSET


class AudioParams(Struct, kw_only=True, forbid_unknown_fields=True):
    """Audio in both directions."""

    input: Maybe[AudioInputParams] = UNSET
    output: Maybe[AudioOutputParams] = UNSET


class RealtimeSessionParams(Tagged, kw_only=True, forbid_unknown_fields=True, tag="realtime"):
    """Changes to a session in which the model answers."""

    model: Maybe[str] = UNSET
    """Only when a session is made; ``session.update`` cannot change it."""
    output_modalities: Maybe[list[Modality]] = UNSET
    instructions: Maybe[str] = UNSET
    """An empty string restores the server's own instructions [recorded sessions]."""
    tools: Maybe[list[Tool]] = UNSET
    tool_choice: Maybe[ToolChoice] = UNSET
    max_output_tokens: Maybe[MaxOutputTokens] = UNSET
    tracing: Maybe[Tracing] = UNSET
    truncation: Maybe[Truncation] = UNSET
    prompt: Maybe[Prompt] = UNSET
    reasoning: Maybe[Reasoning] = UNSET
    parallel_tool_calls: Maybe[bool] = UNSET
    audio: Maybe[AudioParams] = UNSET
    include: Maybe[list[Include]] = UNSET


class TranscriptionAudioParams(Struct, kw_only=True, forbid_unknown_fields=True):
    """A transcription session only listens."""

    input: Maybe[AudioInputParams] = UNSET


class TranscriptionSessionParams(Tagged, kw_only=True, forbid_unknown_fields=True, tag="transcription"):
    """Changes to a session in which speech is only written down."""

    audio: Maybe[TranscriptionAudioParams] = UNSET
    include: Maybe[list[Include]] = UNSET


SessionParams = RealtimeSessionParams | TranscriptionSessionParams
