"""Responses: what the model says in one go, and how a client asks for it.

A `Response` is always sent whole, nulls included, in the order of OpenAI's wire.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, field

from ._struct import Maybe
from .items import Item, ItemReference
from .session import AudioFormat, AudioPcm, Modality, Prompt, Reasoning, Voice
from .session_params import MaxOutputTokens
from .tools import Tool, ToolChoice
from .usage import Usage

__all__ = [
    "MAX_METADATA_KEY",
    "MAX_METADATA_PAIRS",
    "MAX_METADATA_VALUE",
    "Metadata",
    "Response",
    "ResponseAudio",
    "ResponseAudioOutput",
    "ResponseAudioOutputParams",
    "ResponseAudioParams",
    "ResponseCreateParams",
    "ResponseError",
    "ResponseStatus",
    "ResponseStatusDetails",
    "StatusReason",
]

MAX_METADATA_PAIRS = 16
MAX_METADATA_KEY = 64
MAX_METADATA_VALUE = 512

Metadata = Annotated[
    dict[
        Annotated[str, Meta(max_length=MAX_METADATA_KEY)], Annotated[str, Meta(max_length=MAX_METADATA_VALUE)]
    ],
    Meta(max_length=MAX_METADATA_PAIRS),
]
"""The client's own notes on a response, given back with it."""

ResponseStatus = Literal["in_progress", "completed", "cancelled", "failed", "incomplete"]
StatusReason = Literal["turn_detected", "client_cancelled", "max_output_tokens", "content_filter"]


class ResponseError(Struct, kw_only=True):
    """Why a response failed."""

    type: Maybe[str] = UNSET
    code: Maybe[str] = UNSET
    message: Maybe[str] = UNSET


class ResponseStatusDetails(Struct, kw_only=True):
    """Why a response ended as it did: a reason if cancelled or incomplete, an error if failed."""

    type: Maybe[Literal["completed", "cancelled", "incomplete", "failed"]] = UNSET
    reason: Maybe[StatusReason] = UNSET
    error: Maybe[ResponseError] = UNSET


class ResponseAudioOutput(Struct, kw_only=True):
    """How a response is spoken."""

    format: AudioFormat = field(default_factory=AudioPcm)
    voice: Maybe[str] = UNSET
    """The name of a voice, or the id of one's own: never an object here, by the official package."""


class ResponseAudio(Struct, kw_only=True):
    """The audio settings of a response."""

    output: ResponseAudioOutput = field(default_factory=ResponseAudioOutput)


class Response(Struct, kw_only=True):
    """A response, as ``response.created`` and ``response.done`` carry it."""

    object: Literal["realtime.response"] = "realtime.response"
    id: str
    status: ResponseStatus = "in_progress"
    status_details: ResponseStatusDetails | None = None
    output: list[Item] = field(default_factory=list)
    conversation_id: str | None = None
    """Null for a response out of band (``conversation: "none"``)."""
    output_modalities: list[Modality] = field(default_factory=lambda: ["audio"])
    max_output_tokens: int | Literal["inf"] = "inf"
    audio: ResponseAudio | None = field(default_factory=ResponseAudio)
    usage: Usage | None = None
    """Null until the response is done."""
    metadata: dict[str, str] | None = None


class ResponseAudioOutputParams(Struct, kw_only=True, forbid_unknown_fields=True):
    """How a response should be spoken."""

    format: Maybe[AudioFormat] = UNSET
    voice: Maybe[Voice] = UNSET


class ResponseAudioParams(Struct, kw_only=True, forbid_unknown_fields=True):
    """The audio settings that a client asks for."""

    output: Maybe[ResponseAudioOutputParams] = UNSET


class ResponseCreateParams(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a client asks of one response; what is absent is as in the session."""

    conversation: Maybe[str] = UNSET
    """``auto``, or ``none`` for a response out of band."""
    input: Maybe[list[Item | ItemReference]] = UNSET
    """The context to answer, instead of the conversation; an empty list is an empty context."""
    instructions: Maybe[str] = UNSET
    output_modalities: Maybe[list[Modality]] = UNSET
    audio: Maybe[ResponseAudioParams] = UNSET
    tools: Maybe[list[Tool]] = UNSET
    tool_choice: Maybe[ToolChoice] = UNSET
    max_output_tokens: Maybe[MaxOutputTokens] = UNSET
    metadata: Maybe[Metadata] = UNSET
    prompt: Maybe[Prompt] = UNSET
    reasoning: Maybe[Reasoning] = UNSET
    parallel_tool_calls: Maybe[bool] = UNSET
