"""Sessions: the whole effective configuration, as ``session.created`` and ``session.updated`` carry it.

What a client asks for is in `session_params`. The fields stand in the order of OpenAI's wire. These objects
are always sent whole: a field that a server leaves out reads as the protocol's default, except those that
OpenAI itself only sends when they were set (``reasoning``, ``parallel_tool_calls``).
"""

from typing import Any, Literal

from msgspec import UNSET, Struct, field

from ._struct import Maybe, Tagged
from .tools import Tool, ToolChoice

__all__ = [
    "DEFAULT_CREATE_RESPONSE",
    "DEFAULT_INTERRUPT_RESPONSE",
    "DEFAULT_MODEL",
    "DEFAULT_PREFIX_PADDING_MS",
    "DEFAULT_SILENCE_DURATION_MS",
    "DEFAULT_SPEED",
    "DEFAULT_THRESHOLD",
    "DEFAULT_VOICE",
    "MAX_OUTPUT_TOKENS",
    "MAX_SPEED",
    "MIN_SPEED",
    "PCM_RATE",
    "SESSION_SECONDS",
    "VOICES",
    "AudioFormat",
    "AudioInput",
    "AudioOutput",
    "AudioPcm",
    "AudioPcma",
    "AudioPcmu",
    "Eagerness",
    "Include",
    "Modality",
    "NoiseReduction",
    "Prompt",
    "RealtimeSession",
    "Reasoning",
    "RetentionRatio",
    "SemanticVad",
    "ServerVad",
    "Session",
    "SessionAudio",
    "SessionType",
    "TokenLimits",
    "Tracing",
    "TracingConfiguration",
    "Transcription",
    "TranscriptionAudio",
    "TranscriptionInput",
    "TranscriptionSemanticVad",
    "TranscriptionServerVad",
    "TranscriptionSession",
    "TranscriptionTurnDetection",
    "Truncation",
    "TurnDetection",
    "Voice",
    "VoiceId",
]

VOICES = ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")
"""The voices that have names of their own in the protocol."""

DEFAULT_MODEL = "gpt-realtime"
DEFAULT_VOICE = "alloy"
"""The voice of gpt-realtime; gpt-realtime-2.1 has marin [recorded sessions]."""
DEFAULT_SPEED = 1.0
MIN_SPEED, MAX_SPEED = 0.25, 1.5
DEFAULT_THRESHOLD = 0.5
DEFAULT_PREFIX_PADDING_MS = 300
DEFAULT_SILENCE_DURATION_MS = 200
"""What recorded sessions say; OpenAI's documentation says 500."""
DEFAULT_CREATE_RESPONSE = True
DEFAULT_INTERRUPT_RESPONSE = True
MAX_OUTPUT_TOKENS = 4096
"""The most that ``max_output_tokens`` may be, besides ``"inf"``."""
PCM_RATE = 24_000
"""Samples per second of ``audio/pcm``."""
SESSION_SECONDS = 3600
"""How long OpenAI lets a session live [recorded sessions: ``expires_at``]."""

SessionType = Literal["realtime", "transcription"]
Modality = Literal["text", "audio"]
Include = Literal["item.input_audio_transcription.logprobs"]
Eagerness = Literal["low", "medium", "high", "auto"]


class AudioPcm(Tagged, kw_only=True, tag="audio/pcm"):
    """PCM, 16 bits, little endian, mono."""

    rate: int = PCM_RATE
    """Samples per second; OpenAI knows only 24000, and clients may leave it out."""


class AudioPcmu(Tagged, kw_only=True, tag="audio/pcmu"):
    """G.711 µ-law at 8 kHz."""


class AudioPcma(Tagged, kw_only=True, tag="audio/pcma"):
    """G.711 A-law at 8 kHz."""


AudioFormat = AudioPcm | AudioPcmu | AudioPcma


class Transcription(Struct, kw_only=True):
    """How the user's speech is transcribed beside the conversation."""

    model: str
    language: str | None = None
    """ISO 639-1, such as ``en``."""
    prompt: str | None = None
    delay: Maybe[str] = UNSET
    keywords: Maybe[list[str]] = UNSET
    languages: Maybe[list[str]] = UNSET


class NoiseReduction(Struct, kw_only=True):
    """What kind of microphone to clean up after."""

    type: Literal["near_field", "far_field"]
    strength: Maybe[float] = UNSET


class ServerVad(Tagged, kw_only=True, tag="server_vad"):
    """The turn ends when the user has been silent for a while."""

    threshold: float = DEFAULT_THRESHOLD
    prefix_padding_ms: int = DEFAULT_PREFIX_PADDING_MS
    silence_duration_ms: int = DEFAULT_SILENCE_DURATION_MS
    idle_timeout_ms: int | None = None
    create_response: bool = DEFAULT_CREATE_RESPONSE
    interrupt_response: bool = DEFAULT_INTERRUPT_RESPONSE


class SemanticVad(Tagged, kw_only=True, tag="semantic_vad"):
    """The turn ends when what the user said sounds finished."""

    eagerness: Eagerness = "auto"
    create_response: bool = DEFAULT_CREATE_RESPONSE
    interrupt_response: bool = DEFAULT_INTERRUPT_RESPONSE


TurnDetection = ServerVad | SemanticVad


class VoiceId(Struct, kw_only=True):
    """A voice of one's own, by its id (``voice_…``)."""

    id: str


Voice = str | VoiceId


class AudioInput(Struct, kw_only=True):
    """What the server does with the audio that it hears."""

    format: AudioFormat = field(default_factory=AudioPcm)
    transcription: Transcription | None = None
    noise_reduction: NoiseReduction | None = None
    turn_detection: TurnDetection | None = field(default_factory=ServerVad)
    """None: the client commits the audio itself (push-to-talk)."""


class AudioOutput(Struct, kw_only=True):
    """How the server speaks."""

    format: AudioFormat = field(default_factory=AudioPcm)
    voice: Voice = DEFAULT_VOICE
    speed: float = DEFAULT_SPEED


class SessionAudio(Struct, kw_only=True):
    """Audio in both directions."""

    input: AudioInput = field(default_factory=AudioInput)
    output: AudioOutput = field(default_factory=AudioOutput)


class TokenLimits(Struct, kw_only=True):
    """Limits of what is kept when a conversation is truncated."""

    post_instructions: Maybe[int] = UNSET


class RetentionRatio(Tagged, kw_only=True, tag="retention_ratio"):
    """When the context is full, keep this share of it (0 to 1)."""

    retention_ratio: float
    token_limits: Maybe[TokenLimits] = UNSET


Truncation = Literal["auto", "disabled"] | RetentionRatio


class TracingConfiguration(Struct, kw_only=True):
    """How a session is named in OpenAI's traces."""

    workflow_name: Maybe[str] = UNSET
    group_id: Maybe[str] = UNSET
    metadata: Maybe[Any] = UNSET


Tracing = Literal["auto"] | TracingConfiguration


class Prompt(Struct, kw_only=True):
    """A prompt that is stored at the server."""

    id: str
    version: Maybe[str] = UNSET
    variables: Maybe[dict[str, Any]] = UNSET
    """Text, or input_text, input_image and input_file objects, as in OpenAI's Responses API."""


class Reasoning(Struct, kw_only=True):
    """How much a model that reasons should."""

    effort: Maybe[Literal["minimal", "low", "medium", "high", "xhigh"]] = UNSET


class RealtimeSession(Tagged, kw_only=True, tag="realtime"):
    """A session in which the model answers."""

    object: Literal["realtime.session"] = "realtime.session"
    id: str
    model: str = DEFAULT_MODEL
    output_modalities: list[Modality] = field(default_factory=lambda: ["audio"])
    """``["audio"]`` or ``["text"]``, never both."""
    instructions: str = ""
    tools: list[Tool] = field(default_factory=list)
    tool_choice: ToolChoice = "auto"
    max_output_tokens: int | Literal["inf"] = "inf"
    tracing: Tracing | None = None
    truncation: Truncation = "auto"
    prompt: Prompt | None = None
    expires_at: int = 0
    """Seconds since 1970; 0 in the session that comes with an ephemeral key."""
    reasoning: Maybe[Reasoning] = UNSET
    parallel_tool_calls: Maybe[bool] = UNSET
    audio: SessionAudio = field(default_factory=SessionAudio)
    include: list[Include] | None = None


class TranscriptionServerVad(Tagged, kw_only=True, tag="server_vad"):
    """`ServerVad` where nobody answers."""

    threshold: float = DEFAULT_THRESHOLD
    prefix_padding_ms: int = DEFAULT_PREFIX_PADDING_MS
    silence_duration_ms: int = DEFAULT_SILENCE_DURATION_MS


class TranscriptionSemanticVad(Tagged, kw_only=True, tag="semantic_vad"):
    """`SemanticVad` where nobody answers."""

    eagerness: Eagerness = "auto"


TranscriptionTurnDetection = TranscriptionServerVad | TranscriptionSemanticVad


class TranscriptionInput(Struct, kw_only=True):
    """`AudioInput` where nobody answers."""

    format: AudioFormat = field(default_factory=AudioPcm)
    transcription: Transcription | None = None
    noise_reduction: NoiseReduction | None = None
    turn_detection: TranscriptionTurnDetection | None = field(default_factory=TranscriptionServerVad)
    """None: the client commits the audio itself."""


class TranscriptionAudio(Struct, kw_only=True):
    """A transcription session only listens."""

    input: TranscriptionInput = field(default_factory=TranscriptionInput)


class TranscriptionSession(Tagged, kw_only=True, tag="transcription"):
    """A session in which speech is only written down."""

    object: str = "realtime.transcription_session"
    id: str
    expires_at: int = 0
    audio: TranscriptionAudio = field(default_factory=TranscriptionAudio)
    include: list[Include] | None = None


Session = RealtimeSession | TranscriptionSession
